"""torch's reductions, scans and sorts: `dim`, `keepdim` and dtypes over the ops of `ops/reduction.py`.

Owns which axes a call means, what an empty one gives, and the named results. Knows no derivative.
"""

import builtins
import math
from collections import namedtuple

import numpy as np

from .. import dtypes
from ..grad_mode import state
from ..namespace import count as _count
from ..ops import reduction as ops
from ..ops.indexing import nanmedian_along, picked, sort_stable
from ..primitive import common_dtype, to_dtype
from ..tensor import Tensor, as_array, wrap
from .arguments import broadcast_shapes, many_dims, one_dim, refuse_kinds, tensor_argument
from .pointwise import ceil, clone, floor, isnan, maximum, minimum, where
from .pointwise import round as rounded
from .shape import cat, flatten, movedim

__all__ = [
    "all", "amax", "amin", "aminmax", "any", "argmax", "argmin", "argsort", "count_nonzero", "cummax", "cummin",
    "cumprod", "cumsum", "diff", "dist", "kthvalue", "log_softmax", "logcumsumexp", "logsumexp", "max", "mean",
    "median", "min", "mode", "msort", "nanmean", "nanmedian", "nansum", "norm", "prod", "quantile", "softmax", "sort",
    "std", "std_mean", "sum", "topk", "trapezoid", "trapz", "unique", "unique_consecutive", "var", "var_mean",
    "bincount", "histc", "searchsorted", "bucketize",
]  # fmt: skip


def _result(name, *fields):
    """A named tuple that prints as torch's return types do."""
    cls = namedtuple(name, fields)

    def __repr__(self):
        return f"torch.return_types.{name}(\n" + ",\n".join(f"{f}={getattr(self, f)!r}" for f in fields) + ")"

    cls.__repr__ = __repr__
    return cls


_Max, _Min = _result("max", "values", "indices"), _result("min", "values", "indices")
_Sort, _Topk = _result("sort", "values", "indices"), _result("topk", "values", "indices")
_Median, _Mode = _result("median", "values", "indices"), _result("mode", "values", "indices")
_Nanmedian = _result("nanmedian", "values", "indices")
_Kth = _result("kthvalue", "values", "indices")
_Cummax, _Cummin = _result("cummax", "values", "indices"), _result("cummin", "values", "indices")
_Aminmax = _result("aminmax", "min", "max")


def _axes(input, dim, function):
    """The axes that `dim` names; None, and an empty tuple, mean all."""
    if dim is None or (dim.__class__ is not int and isinstance(dim, (tuple, list)) and not dim):
        return None
    axes = many_dims(dim, input._array.ndim, function)
    return axes if input._array.ndim else None


def _listed(input, dim, function):
    """The axes that `dim` names, all of them one by one: torch tells a sum over every dim from one of all elements."""
    axes = _axes(input, dim, function)
    return tuple(range(input._array.ndim)) if axes is None else axes


def _as_dtype(input, dtype):
    return input if dtype is None else to_dtype(input, dtypes.as_dtype(dtype))


def _accumulated_as(input, dtype):
    """The input in the dtype that its sum or product is wanted in."""
    if dtype is None:
        return input
    dtype = dtypes.as_dtype(dtype)
    if not dtype.is_floating_point and state.enabled and input.requires_grad:
        raise RuntimeError(
            f"Autograd not support dtype: {dtype.type_name}. Give a floating point dtype, or detach the input."
        )
    return to_dtype(input, dtype)


def _floating(input, function, dtype=None):
    """The input in the dtype of a mean: floating point, or an error."""
    input = _as_dtype(tensor_argument(input, function), dtype)
    if input._array.dtype.kind != "f":
        raise RuntimeError(
            f"{function}(): could not infer output dtype. Input dtype must be either a floating point or complex "
            f"dtype. Got: {input.dtype.type_name}. Convert it first, as in input.float()."
        )
    return input


def sum(input, dim=None, keepdim=False, *, dtype=None, axis=None, keepdims=None):
    """The sum over `dim` (an int, several, or all); integers and booleans give int64."""
    dim, keepdim = dim if axis is None else axis, keepdim if keepdims is None else keepdims
    if dtype is not None:
        input = _accumulated_as(input, dtype)
        if not dtypes.as_dtype(dtype).is_floating_point:
            return ops.sum(input, _axes(input, dim, "sum"), builtins.bool(keepdim)).to(dtype)
    if dim is None and not keepdim:
        return ops.sum(input, None, False)
    return ops.sum(input, _listed(input, dim, "sum"), builtins.bool(keepdim))


def mean(input, dim=None, keepdim=False, *, dtype=None, axis=None, keepdims=None):
    """The mean over `dim`; raises RuntimeError for integers"""
    dim, keepdim = dim if axis is None else axis, keepdim if keepdims is None else keepdims
    if dtype is not None or not isinstance(input, Tensor) or input._array.dtype.kind != "f":
        input = _floating(input, "mean", dtype)
    if dim is None and not keepdim:
        return ops.mean(input, None, False)
    return ops.mean(input, _listed(input, dim, "mean"), builtins.bool(keepdim))


def _spread(stem, op):
    def function(input, dim=None, unbiased=None, keepdim=False, *, correction=None, axis=None, keepdims=None):
        if isinstance(dim, builtins.bool):
            dim, unbiased = None, dim
        dim, keepdim = dim if axis is None else axis, keepdim if keepdims is None else keepdims
        if input._array.dtype.kind != "f":
            raise RuntimeError(
                "std and var only support tensors of floating point or complex type: convert with .float()"
            )
        if correction is not None and unbiased is not None:
            raise TypeError(
                f"{stem}() received an invalid combination of arguments - got both correction and unbiased, which says "
                "correction=1 or 0: give one of them"
            )
        if correction is None:
            correction = 1 if unbiased is None else int(unbiased)
        axes = _axes(input, dim, stem)
        if _count(input._array.shape, axes) - correction <= 0 and input._array.size:
            import warnings

            warnings.warn(
                f"{stem}(): degrees of freedom is <= 0. Correction should be strictly less than the reduction factor "
                "(input numel divided by output numel).",
                UserWarning,
                stacklevel=3,
            )
        return op(input, axes, correction, builtins.bool(keepdim))

    function.__name__ = stem
    function.__doc__ = op.__doc__ + "; correction 1 unless given (unbiased=False means 0)"
    return function


var, std = _spread("var", ops.var), _spread("std", ops.std)
_var_beside_mean, _std_beside_mean = _spread("var", ops.var_beside_mean), _spread("std", ops.std_beside_mean)


def var_mean(input, dim=None, unbiased=None, keepdim=False, *, correction=None):
    """(var, mean)"""
    if isinstance(dim, builtins.bool):
        dim, unbiased = None, dim
    var = _var_beside_mean(input, dim, unbiased, keepdim, correction=correction)
    return var, ops.mean_beside_var(input, _axes(input, dim, "mean"), builtins.bool(keepdim))


def std_mean(input, dim=None, unbiased=None, keepdim=False, *, correction=None):
    """(std, mean)"""
    if isinstance(dim, builtins.bool):
        dim, unbiased = None, dim
    std = _std_beside_mean(input, dim, unbiased, keepdim, correction=correction)
    return std, ops.mean_beside_std(input, _axes(input, dim, "mean"), builtins.bool(keepdim))


def prod(input, dim=None, keepdim=False, *, dtype=None):
    """The product over one dim, or all; integers give int64 unless a dtype is named"""
    input = _accumulated_as(input, dtype)
    if dim is None:
        out = ops.prod(input, None, False)
    else:
        axis = one_dim(dim, input._array.ndim, "prod")
        out = ops.prod(input, (axis,) if input._array.ndim else (), builtins.bool(keepdim))
    return out if dtype is None else out.to(dtype)


def _nonempty(input, axes, function):
    for axis in range(input._array.ndim) if axes is None else axes:
        if input._array.ndim and input._array.shape[axis] == 0:
            if axes is None:
                raise RuntimeError(
                    f"{function}(): Expected reduction dim to be specified for input.numel() == 0. Specify the "
                    "reduction dim with the 'dim' argument."
                )
            raise IndexError(f"{function}(): Expected reduction dim {axis} to have non-zero size.")


def _extreme(name, op):
    def function(input, dim=(), keepdim=False):
        axes = _axes(input, dim, name)
        _nonempty(input, axes, name)
        return op(input, axes, builtins.bool(keepdim))

    function.__name__, function.__doc__ = name, op.__doc__
    return function


amax, amin = _extreme("amax", ops.amax), _extreme("amin", ops.amin)
_amax_beside_amin = _extreme("amax", ops.amax_beside_amin)
_amin_beside_amax = _extreme("amin", ops.amin_beside_amax)


def aminmax(input, *, dim=None, keepdim=False):
    """(amin, amax)"""
    dim = () if dim is None else dim
    return _Aminmax(_amin_beside_amax(input, dim, keepdim), _amax_beside_amin(input, dim, keepdim))


def _picked(result, input, axis, indices, keepdim=True, op=picked):
    """`result`, a named pair, of the elements at `indices` along an axis, which get the gradient, and the indices.

    Without `keepdim` the axis, of size 1 in `indices`, goes away. Of a 0-d tensor there is one element to pick.
    """
    array = input._array
    index = indices._array if array.ndim else np.zeros(1, np.int64)
    shape = tuple(n for i, n in enumerate(index.shape) if array.ndim and (keepdim or i != axis))
    label = result.__name__.capitalize()
    values = op(input, axis=axis, index=index, shape=shape, label=label)
    return result(values, wrap(index.reshape(shape)))


def _max_or_min(name, whole, pick, pairwise, result):
    def function(input, dim_or_other=None, keepdim=None, *, dim=None, other=None):
        tensor_argument(input, name)
        if isinstance(dim_or_other, Tensor) and keepdim is None:
            other = dim_or_other
        elif dim_or_other is not None:
            dim = dim_or_other
        if other is not None:
            return pairwise(input, other)
        if dim is None:
            if not input._array.size:
                raise RuntimeError(
                    f"{name}(): Expected reduction dim to be specified for input.numel() == 0. Specify the reduction "
                    "dim with the 'dim' argument."
                )
            return whole(input, None, False)
        axis = one_dim(dim, input._array.ndim, name)
        _nonempty(input, (axis,), name)
        if not input._array.ndim:
            return _picked(result, input, 0, None)
        indices = wrap(as_array(pick(input._array, axis=axis, keepdims=True)))
        return _picked(result, input, axis, indices, keepdim)

    function.__name__ = name
    function.__doc__ = (
        f"The {name} of all elements (ties share the gradient); with `dim`, values and indices (one of equals gets the "
        f"gradient); with another tensor, the elementwise {name}imum."
    )
    return function


max = _max_or_min("max", ops.largest, np.argmax, maximum, _Max)
min = _max_or_min("min", ops.smallest, np.argmin, minimum, _Min)


def _arg(name, op):
    def function(input, dim=None, keepdim=False):
        if input._array.dtype.kind == "b":
            raise RuntimeError(f"{name}(): does not support bool input: convert with .int()")
        if dim is None:
            if not input._array.size:
                raise IndexError(f"{name}(): Expected reduction dim to be specified for input.numel() == 0.")
            out = op(flatten(input), 0, False)
            return out.reshape((1,) * input._array.ndim) if keepdim else out
        axis = one_dim(dim, input._array.ndim, name)
        _nonempty(input, (axis,), name)
        return op(input, axis, builtins.bool(keepdim)) if input._array.ndim else wrap(np.array(0))

    function.__name__, function.__doc__ = name, op.__doc__
    return function


argmax, argmin = _arg("argmax", ops.argmax), _arg("argmin", ops.argmin)


def _truth(name, op):
    def function(input, dim=None, keepdim=False):
        out = op(input, _axes(input, dim, name) if dim != () else (), builtins.bool(keepdim))
        return out.to(dtypes.uint8) if input._array.dtype == np.uint8 else out

    function.__name__, function.__doc__ = name, op.__doc__
    return function


any, all = _truth("any", ops.any), _truth("all", ops.all)


def count_nonzero(input, dim=None, *dims):
    """The number of nonzero elements: of all, or along the dims named."""
    return sum(input != 0, (dim, *dims) if dims else dim)


def _scan(name, op):
    def function(input, dim, *, dtype=None):
        input = _accumulated_as(input, dtype)
        axis = one_dim(dim, input._array.ndim, name)
        if name == "logcumsumexp":
            refuse_kinds("logcumsumexp_out_cpu", input, "biu")
        out = op(input, axis)
        return out if dtype is None else out.to(dtype)

    function.__name__, function.__doc__ = name, op.__doc__
    return function


cumsum, cumprod, logcumsumexp = (
    _scan("cumsum", ops.cumsum),
    _scan("cumprod", ops.cumprod),
    _scan("logcumsumexp", ops.logcumsumexp),
)


def _running(name, op, result):
    def function(input, dim):
        axis = one_dim(dim, input._array.ndim, name)
        if not input._array.ndim:
            return _picked(result, input, 0, None)
        array = input._array
        best = op.accumulate(array, axis=axis)
        places = np.arange(array.shape[axis]).reshape((-1,) + (1,) * (array.ndim - axis - 1))
        same = (array == best) | ((array != array) & (best != best))
        indices = wrap(np.maximum.accumulate(np.where(same, places, 0), axis=axis))
        return _picked(result, input, axis, indices)

    function.__name__ = name
    function.__doc__ = f"(values, indices) of the running {op.__name__}; of equals, the last"
    return function


cummax, cummin = _running("cummax", np.maximum, _Cummax), _running("cummin", np.minimum, _Cummin)


def logsumexp(input, dim, keepdim=False):
    """log(sum(exp(input))) over dim, without overflow"""
    input = input if input._array.dtype.kind == "f" else to_dtype(input, dtypes.get_default_dtype())
    axes = _axes(input, dim, "logsumexp")
    return ops.logsumexp(input, axes, builtins.bool(keepdim))


def _normalised(name, op):
    def function(input, dim, dtype=None):
        input = _as_dtype(input, dtype)
        axis = one_dim(dim, input._array.ndim, name)
        if not input._array.size and input._array.dtype.kind != "f":
            return input.clone()
        refuse_kinds(f"{name}_lastdim_kernel_impl", input, "biu")
        return op(input, (axis,) if input._array.ndim else None)

    function.__name__, function.__doc__ = name, op.__doc__
    return function


softmax, log_softmax = _normalised("softmax", ops.softmax), _normalised("log_softmax", ops.log_softmax)


def norm(input, p="fro", dim=None, keepdim=False, dtype=None):
    """The p-norm, sum(|x| ** p) ** (1 / p); its derivative at 0 is 0"""
    return _normed(ops.norm, input, p, dim, keepdim, dtype)


def norm_of_pairs(input, p, keepdim):
    """norm over the last dim, as pairwise_distance records it"""
    return _normed(ops.norm_of_pairs, input, p, -1, keepdim)


def _normed(op, input, p, dim, keepdim, dtype=None):
    _floats_of_norm(input.dtype)
    input = _as_dtype(input, dtype)
    if p == "nuc":
        raise NotImplementedError("norm(p='nuc') needs a singular value decomposition, which minigrad does not have")
    axes = _axes(input, dim, "norm")
    if p == "fro" and axes is not None and len(axes) > 2:
        raise RuntimeError(f"linalg.matrix_norm: dim must be a 2-tuple. Got {' '.join(map(str, dim))}; use p=2")
    p = 2.0 if p in ("fro", None) else p
    _nonempty_for_norm(p, input._array.shape, axes)
    return op(input, p, axes, builtins.bool(keepdim))


def _floats_of_norm(dtype):
    if not dtype.is_floating_point:
        raise RuntimeError(
            f"linalg.vector_norm: Expected a floating point or complex tensor as input. Got {dtype.type_name}"
        )


def _nonempty_for_norm(p, shape, axes):
    empty = [axis for axis in (range(len(shape)) if axes is None else axes) if not shape[axis]]
    if empty and (p < 0 or p == math.inf):
        why = f"the dimension {empty[0]} because this dimension is empty and" if axes else "an empty tensor because"
        raise RuntimeError(
            f"linalg.vector_norm cannot compute the {p:g} norm on {why} the operation does not have an identity"
        )


def dist(input, other, p=2):
    """The p-norm of input - other"""
    _floats_of_norm(common_dtype([input, other]))
    _nonempty_for_norm(p, broadcast_shapes(input._array.shape, other._array.shape), None)
    if p == 0:  # its derivative is None, of which `dist` could undo no broadcasting
        return ops.norm(input - other, 0.0, None, False)
    return ops.dist(input, other, float(p))


def nansum(input, dim=None, keepdim=False, *, dtype=None):
    """The sum of what is not nan"""
    if input._array.dtype.kind == "f" and (dtype is None or dtypes.as_dtype(dtype).is_floating_point):
        return ops.nansum(_as_dtype(input, dtype), _axes(input, dim, "nansum"), builtins.bool(keepdim))
    return sum(where(input != input, 0, input), dim, keepdim, dtype=dtype)


def nanmean(input, dim=None, keepdim=False, *, dtype=None):
    """The mean of what is not nan"""
    if input._array.dtype.kind != "f":
        raise RuntimeError(
            f"nanmean(): expected input to have floating point or complex dtype but got {input.dtype.type_name}"
        )
    return nansum(input, dim, keepdim, dtype=dtype) / sum(input == input, dim, keepdim)


def sort(input, dim=-1, descending=False, stable=None):
    """(values, indices) in order along a dim; equals keep their order, nan is the largest"""
    op = picked if stable is None else sort_stable
    axis = one_dim(dim, input._array.ndim, "sort")
    if not input._array.ndim:
        return _picked(_Sort, input, 0, None, op=op)
    return _picked(_Sort, input, axis, ops.argsort(input, axis, builtins.bool(descending)), op=op)


def argsort(input, dim=-1, descending=False, stable=False):
    """The indices that sort along a dim."""
    return sort(input, dim, descending).indices


def msort(input):
    """Sorted along dim 0."""
    return sort(input, 0).values


def topk(input, k, dim=-1, largest=True, sorted=True):
    """(values, indices) of the k largest (or smallest) along a dim, in order"""
    if input._array.dtype.kind == "b":
        raise RuntimeError("topk does not support bool dtypes on CPU")
    axis = one_dim(dim, input._array.ndim, "topk")
    size = input._array.shape[axis] if input._array.ndim else 1
    if not 0 <= k <= size:
        raise RuntimeError(f"selected index k out of range: {k} of {size} along dim {axis}")
    if not input._array.ndim:
        return _picked(_Topk, input, 0, None)
    indices = ops.argsort(input, axis, builtins.bool(largest)).narrow(axis, 0, k)
    return _picked(_Topk, input, axis, indices)


def kthvalue(input, k, dim=-1, keepdim=False):
    """(values, indices) of the k-th smallest along a dim, counted from 1"""
    axis = one_dim(dim, input._array.ndim, "kthvalue")
    refuse_kinds("kthvalue_cpu", input, "b")
    if not 1 <= k <= (input._array.shape[axis] if input._array.ndim else 1):
        raise RuntimeError(f"kthvalue(): selected number k out of range for dimension {axis}")
    if not input._array.ndim:
        return _picked(_Kth, input, 0, None)
    indices = ops.argsort(input, axis, False).narrow(axis, k - 1, 1)
    return _picked(_Kth, input, axis, indices, keepdim)


def median(input, dim=None, keepdim=False):
    """The lower median: of all elements, or (values, indices) along a dim; nan if there is a nan"""
    return _median(ops.median, picked, _Median, _place_of_median, input, dim, keepdim)


def nanmedian(input, dim=None, keepdim=False):
    """The lower median but for nans: of all elements, or (values, indices) along a dim; nan if there is nothing else"""
    return _median(ops.nanmedian, nanmedian_along, _Nanmedian, _place_of_nanmedian, input, dim, keepdim)


def _place_of_median(n, nans):
    return np.where(nans > 0, n - nans, (n - 1) // 2)  # the first nan is the median


def _place_of_nanmedian(n, nans):
    return np.maximum(n - nans - 1, 0) // 2


def _median(whole, along, result, place, input, dim, keepdim):
    refuse_kinds("median_cpu", input, "b")
    if dim is None:
        if not input._array.size:
            return wrap(state.run(np.array(np.nan).astype, input._array.dtype))  # of integers what C makes of nan
        return whole(input)
    axis = one_dim(dim, input._array.ndim, "median")
    if not input._array.ndim:
        return _picked(result, input, 0, None, op=along)
    _nonempty(input, (axis,), "median")
    order = ops.argsort(input, axis, False)
    nans = np.sum(input._array != input._array, axis=axis, keepdims=True)
    indices = wrap(np.take_along_axis(order._array, place(input._array.shape[axis], nans), axis))
    return _picked(result, input, axis, indices, keepdim, along)


def kept(input, axis):
    """The shape of `input` with size 1 along an axis."""
    return tuple(1 if i == axis else n for i, n in enumerate(input._array.shape))


def mode(input, dim=-1, keepdim=False):
    """(values, indices) of the most frequent value along a dim: the smallest of those, at its last place"""
    axis = one_dim(dim, input._array.ndim, "mode")
    if not input._array.ndim:
        return _picked(_Mode, input, 0, None)
    _nonempty(input, (axis,), "mode")
    moved = np.moveaxis(input._array, axis, -1)
    places = np.empty(moved.shape[:-1], np.int64)
    for i in np.ndindex(places.shape):
        if np.isnan(moved[i]).any():
            places[i] = _mode_among_nans(moved[i].tolist())
            continue
        values, counts = np.unique(moved[i], return_counts=True)
        places[i] = np.flatnonzero(moved[i] == values[np.argmax(counts)])[-1]
    indices = wrap(np.expand_dims(places, axis))
    return _picked(_Mode, input, axis, indices, keepdim)


def _mode_among_nans(numbers):
    """The place of the mode as torch finds it: it sorts (by insertion, if they are few) with <, to which a nan is in
    order wherever it stands, and takes the first of the longest runs of equals, of which two nan are none."""
    order = []
    for place, x in enumerate(numbers):
        i = len(order)
        if order and x < numbers[order[0]]:
            i = 0
        while i and x < numbers[order[i - 1]]:
            i -= 1
        order.insert(i, place)
    longest, run, found = 0, 0, None
    for place, following in zip(order, [*order[1:], None]):
        run += 1
        if following is None or numbers[place] != numbers[following]:
            if run > longest:
                longest, found = run, place
            run = 0
    return found


def quantile(input, q, dim=None, keepdim=False, *, interpolation="linear"):
    """The q-quantile (0 <= q <= 1), by linear interpolation between the nearest ranks"""
    dtype = input._array.dtype
    if dtype.itemsize < 4 or dtype.kind != "f":
        raise RuntimeError("quantile() input tensor must be either float or double dtype")
    q = q if isinstance(q, Tensor) else wrap(np.array(q, dtype))
    if q._array.dtype != dtype:
        raise RuntimeError("quantile() q tensor must be same dtype as the input tensor")
    if q._array.ndim > 1:
        raise RuntimeError("quantile() q must be a scalar or 1D tensor")
    if not ((q._array >= 0) & (q._array <= 1)).all():
        raise RuntimeError("quantile() q values must be in the range [0, 1]")
    if interpolation not in ("linear", "lower", "higher", "midpoint", "nearest"):
        raise RuntimeError(
            "quantile() interpolation must be one of linear, lower, higher, midpoint or nearest, but got "
            + interpolation
        )
    axis = None if dim is None else one_dim(dim, input._array.ndim, "quantile")
    rows = flatten(input) if axis is None or not input._array.ndim else movedim(input, axis, -1)
    last = rows._array.shape[-1] - 1
    if last < 0:
        raise RuntimeError("quantile() input tensor must be non-empty")
    ranks = (q * last).reshape(-1)
    ranks = {"lower": floor, "higher": ceil, "nearest": rounded}.get(interpolation, clone)(ranks)
    ranks = where(
        isnan(rows).any(-1, keepdim=True), float(last), ranks
    )  # a nan, sorted last, is the quantile of its row
    below = floor(ranks).detach()
    ordered = sort(rows).values
    out = ordered.gather(-1, below.long())
    if interpolation in ("linear", "midpoint"):
        weight = ranks - below if interpolation == "linear" else 0.5
        out = out.lerp(ordered.gather(-1, ceil(ranks).long()), weight)
    kept_shape = [1] * input._array.ndim if axis is None else list(kept(input, axis))
    if not keepdim:
        kept_shape = [] if axis is None or not input._array.ndim else kept_shape[:axis] + kept_shape[axis + 1 :]
    return movedim(out, -1, 0).reshape(list(q._array.shape) + kept_shape)


def diff(input, n=1, dim=-1, prepend=None, append=None):
    """input[1:] - input[:-1] along a dim, n times"""
    if n == 0:
        return input.clone()
    if n < 0:
        raise RuntimeError(f"order must be non-negative but got {n}")
    if not input._array.ndim:
        raise RuntimeError("diff expects input to be at least one-dimensional")
    if builtins.any(p is not None and p._array.ndim != input._array.ndim for p in (prepend, append)):
        raise RuntimeError("diff expects prepend or append to be the same dimension as input")
    axis = one_dim(dim, input._array.ndim, "diff")
    pieces = [p for p in (prepend, input, append) if p is not None]
    out = cat(pieces, axis) if len(pieces) > 1 else input
    for _ in range(builtins.min(n, out._array.shape[axis])):
        size = out._array.shape[axis]
        after, before = out.narrow(axis, 1, size - 1), out.narrow(axis, 0, size - 1)
        out = after ^ before if out.dtype is dtypes.bool_ else after - before
    return out


def trapezoid(y, x=None, *, dx=1, dim=-1):
    """The integral of y over x by the trapezoidal rule."""
    axis = one_dim(dim, y._array.ndim, "trapezoid")
    n = y._array.shape[axis]
    pairs = y.narrow(axis, 1, n - 1) + y.narrow(axis, 0, n - 1)
    if x is None:
        return sum(pairs, axis) * dx / 2
    steps = diff(x, dim=-1 if x._array.ndim == 1 else axis)
    if x._array.ndim == 1:
        steps = steps.reshape((-1,) + (1,) * (y._array.ndim - axis - 1))
    return sum(pairs * steps, axis) / 2


trapz = trapezoid


def unique(input, sorted=True, return_inverse=False, return_counts=False, dim=None):
    """The distinct elements, sorted; on request each element's place among them, and how often each occurs"""
    axis = None if dim is None else one_dim(dim, input._array.ndim, "unique")
    if axis is not None and not input._array.ndim:
        raise IndexError(f"Dimension specified as {dim} but tensor has no dimensions")
    values, inverse, counts = np.unique(
        input._array, return_inverse=True, return_counts=True, axis=axis, equal_nan=False
    )
    out = [wrap(values)]
    if return_inverse:
        out.append(wrap(inverse.reshape(input._array.shape) if axis is None else inverse.reshape(-1)))
    if return_counts:
        out.append(wrap(counts))
    return tuple(out) if len(out) > 1 else out[0]


def unique_consecutive(input, return_inverse=False, return_counts=False, dim=None):
    """Each run of equal elements as one."""
    array = input._array.reshape(-1) if dim is None else np.moveaxis(input._array, one_dim(dim, input._array.ndim), 0)
    flat = array.reshape(len(array), -1) if len(array) else array.reshape(0, 1)
    new = np.ones(len(array), bool)
    new[1:] = (flat[1:] != flat[:-1]).any(axis=1)
    starts = np.flatnonzero(new)
    values = array[starts]
    out = [wrap(values.copy() if dim is None else np.moveaxis(values, 0, one_dim(dim, input._array.ndim)).copy())]
    inverse = np.cumsum(new) - 1
    if return_inverse:
        out.append(wrap(inverse.reshape(input._array.shape) if dim is None else inverse))
    if return_counts:
        out.append(wrap(np.diff(np.append(starts, len(array)))))
    return tuple(out) if len(out) > 1 else out[0]


def bincount(input, weights=None, minlength=0):
    """How often each nonnegative integer of `input` (N) occurs, or the sum of its `weights` (N): (max + 1) numbers, or
    `minlength` if that is more. Raises RuntimeError for other shapes, and for negative integers."""
    array = input._array
    if array.ndim != 1 or array.dtype.kind not in "iu" or (array.size and array.min() < 0):
        raise RuntimeError("bincount only supports 1-d non-negative integral inputs.")
    if minlength < 0:
        raise RuntimeError("minlength should be >= 0")
    if weights is not None and weights._array.shape != array.shape:
        raise RuntimeError(
            f"weights should be 1-d and have the same length as input: they are {list(weights._array.shape)} and "
            f"{list(array.shape)}"
        )
    if weights is None or not array.size:
        return wrap(np.bincount(array, None, minlength))
    sums = np.bincount(array, weights._array, minlength)
    return wrap(sums.astype(np.float32 if weights._array.dtype == np.float32 else np.float64))


def histc(input, bins=100, min=0, max=0):
    """Counts in equal bins between min and max (both 0: the extremes), (bins) of the input's floating point dtype.
    Raises RuntimeError for bounds that are none, and for bins < 1."""
    array = input._array
    refuse_kinds("histogram_cpu", input, "iub")
    if bins < 1:
        raise RuntimeError(f"torch.histogram(): bins must be > 0, but got {bins} for dimension 0")
    low, high = (array.min(), array.max()) if min == max == 0 and array.size else (min, max)
    if low == high:
        low, high = low - 1, high + 1
    if not (math.isfinite(low) and math.isfinite(high)):
        raise RuntimeError(f"torch.histc: range of [{low:g}, {high:g}] is not finite")
    if low > high:
        raise RuntimeError(f"torch.histc: max must be larger than min, and they are {max} and {min}")
    counts, _ = np.histogram(array, bins, (low, high))
    return wrap(counts.astype(array.dtype))


def searchsorted(sorted_sequence, input, *, out_int32=False, right=False, side=None, sorter=None):
    """Where each value would be inserted to keep the innermost dim sorted: the shape of `input` (..., M) beside a
    `sorted_sequence` (..., N), or any beside (N). `sorter` holds the order of an unsorted one.

    Raises RuntimeError for shapes that do not go together, and for a side other than "left" and "right".
    """
    if side not in (None, "left", "right"):
        raise RuntimeError(f"torch.searchsorted(): side can only be 'left' or 'right' but got {side}")
    if right and side == "left":
        raise RuntimeError(
            "torch.searchsorted(): side and right can't be set to opposites, got side of left while right was True"
        )
    if sorter is not None:
        if sorter._array.shape != sorted_sequence._array.shape:
            raise RuntimeError(
                "torch.searchsorted(): boundary and sorter must have the same size, but got boundary tensor "
                f"{list(sorted_sequence._array.shape)} and got sorter tensor {list(sorter._array.shape)}"
            )
        sorted_sequence = sorted_sequence.gather(-1, sorter)
    kind = dtypes.int32 if out_int32 else dtypes.int64
    return _insertions(sorted_sequence._array, input, "right" if right else side or "left").to(kind)


def _insertions(table, values, side):
    wanted = values._array if isinstance(values, Tensor) else np.asarray(values)
    if table.ndim == 0:
        raise RuntimeError(
            "torch.searchsorted(): boundaries tensor should have positive dimension, but got 0 dimension"
        )
    if table.ndim == 1:
        return wrap(np.asarray(np.searchsorted(table, wanted, side)))
    if wanted.ndim == 0:
        raise RuntimeError(
            "torch.searchsorted(): input value can be a scalar only when boundaries tensor dimension is 1, but we got "
            f"boundaries tensor dim({table.ndim}) and input value's dim(0) numel(1)"
        )
    if table.shape[:-1] != wanted.shape[:-1]:
        raise RuntimeError(
            "torch.searchsorted(): boundaries tensor should be 1 dimension or the first N-1 dimensions of boundaries "
            f"tensor and input value tensor must match, but we got boundaries tensor {list(table.shape)} and input "
            f"value tensor {list(wanted.shape)}"
        )
    out = np.empty(wanted.shape, np.int64)
    for i in np.ndindex(table.shape[:-1]):
        out[i] = np.searchsorted(table[i], wanted[i], side)
    return wrap(out)


def bucketize(input, boundaries, *, out_int32=False, right=False):
    """The index of the bucket each element falls in."""
    if boundaries._array.ndim != 1:
        raise RuntimeError(f"boundaries tensor must be 1 dimension, but got dim({boundaries._array.ndim})")
    return searchsorted(boundaries, input, out_int32=out_int32, right=right)
