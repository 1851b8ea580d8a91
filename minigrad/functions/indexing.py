"""Reading and writing parts of a tensor, spelled as in torch, over the ops of `ops/indexing.py`.

Owns what an index means (ints, slices, None, Ellipsis, masks, lists, integer tensors, mixed) and torch's errors for a
bad one. Knows no derivative.
"""

import warnings

import numpy as np

from ..dtypes import RANGES
from ..grad_mode import state
from ..ops import indexing as ops
from ..ops.elementwise import copied, fill_tensor_in_place, masked_fill_tensor
from ..ops.elementwise import masked_fill as masked_fill_number
from ..primitive import to_dtype
from ..tensor import Tensor, wrap
from .arguments import one_dim, scalar_as
from .pointwise import where
from .shape import broadcast_tensors, diagonal, expand, flatten, unsqueeze

__all__ = [
    "argwhere", "diagonal_scatter", "gather", "getitem", "index_add", "index_copy", "index_fill", "index_put",
    "index_select", "masked_fill", "masked_scatter", "masked_select", "nonzero", "put", "repeat_interleave",
    "scatter", "scatter_add", "scatter_reduce", "select_scatter", "setitem", "slice_scatter", "take",
    "take_along_dim",
]  # fmt: skip


def _key(x, index):
    """The index as a tuple of ints, slices, None, Ellipsis and arrays, and whether it holds no arrays (gives a
    view)."""
    items = index if isinstance(index, tuple) or _stands_for_tuple(index) else (index,)
    key, basic = [], True
    for item in items:
        if item.__class__ is int or item is None or item is ...:
            key.append(item)
        elif item.__class__ is slice:
            key.append(_slice(item))
        else:
            item, plain = _item(item)
            key.append(item)
            basic = basic and plain
    used = sum(_dims_of(k) for k in key)
    if used > x._array.ndim:
        raise IndexError(f"too many indices for tensor of dimension {x._array.ndim}")
    if sum(1 for k in key if k is ...) > 1:
        raise IndexError("an index can only have a single ellipsis ('...')")
    if basic:
        if ... not in key:
            key.append(...)  # so that NumPy gives a view, not a scalar, when every dim is indexed
    else:
        if (
            used == x._array.ndim
        ):  # an ellipsis that stands for no dim does not part the arrays beside it, as it does for NumPy
            key = [k for k in key if k is not ...]
        key = [np.bool_(k) if k is True or k is False else k for k in key]
    return tuple(key), basic


def _stands_for_tuple(index):
    """torch 2.13 still takes a list that holds lists, tensors or slices for a tuple, and says that it will not for
    ever."""
    if index.__class__ is not list or len(index) >= 32:
        return False
    if not any(i is None or i is ... or isinstance(i, (list, tuple, slice, Tensor, np.ndarray)) for i in index):
        return False
    warnings.warn(
        "Using a non-tuple sequence for multidimensional indexing is deprecated and will be changed in pytorch 2.9; "
        "use x[tuple(seq)] instead of x[seq]. In pytorch 2.9 this will be interpreted as tensor index, "
        "x[torch.tensor(seq)], which will result either in an error or a different result",
        stacklevel=4,
    )
    return True


def _split(key):
    """An index with arrays as torch takes it: first ints, slices and None, which leave a view, then the arrays into
    that.

    None if NumPy means the same by the whole: it takes an int beside an array for an array.
    """
    if not any(k.__class__ is int or getattr(k, "ndim", 1) == 0 for k in key):
        return None
    first, then = [], []
    for k in key:
        if k.__class__ is int:
            first.append(k)
        elif k is ...:
            first.append(k)
            then.append(k)
        elif k is None or k.__class__ is slice:
            first.append(k)
            then.append(slice(None))
        elif not k.ndim:  # True or False: a new dim, of which it takes the one element or none
            first.append(None)
            then.append(np.zeros(int(k), np.int64))
        else:
            first += [slice(None)] * _dims_of(k)
            then.append(k)
    return tuple(first if ... in first else [*first, ...]), tuple(then)


def _dims_of(k):
    """How many dims of the tensor an item of the key consumes."""
    if k is None or k is ... or k.__class__ is bool:
        return 0
    return k.ndim if getattr(k, "dtype", None) == np.bool_ else 1


def _slice(s):
    parts = [_bound(v) for v in (s.start, s.stop, s.step)]
    if parts[2] is not None and parts[2] <= 0:
        raise ValueError("step must be greater than zero")
    return slice(*parts)


def _bound(v):
    if v is None or v.__class__ is int:
        return v
    if isinstance(v, Tensor):
        return int(v)
    if hasattr(v, "__index__"):
        return v.__index__()
    raise TypeError("slice indices must be integers or None or have an __index__ method")


def _item(item):
    """One item of an index as NumPy takes it, and whether it leaves a view."""
    if isinstance(item, Tensor):
        array = item._array
        if array.dtype not in INDEX_DTYPES:
            raise IndexError("tensors used as indices must be long, int, byte or bool tensors")
        if array.dtype == np.uint8:
            array = array.astype(bool)
        if array.ndim == 0 and array.dtype.kind != "b":
            return int(array), True
        return (array.astype(np.int64) if array.dtype.kind in "iu" else array.copy()), False
    if isinstance(item, (bool, np.bool_)):
        return np.asarray(bool(item)), False
    if isinstance(item, np.integer):
        return int(item), True
    if isinstance(item, (list, range, np.ndarray, tuple)):
        array = np.asarray([_nested(i) for i in item] if not isinstance(item, np.ndarray) else item)
        if array.size == 0 and not isinstance(item, np.ndarray):
            array = array.astype(np.int64)
        if array.dtype.kind not in "iub":
            raise IndexError(
                "only integers, slices (`:`), ellipsis (`...`), None and long or byte Variables are valid indices "
                f"(got {type(item).__name__})"
            )
        return (array.astype(np.int64) if array.dtype.kind in "iu" else array), False
    if hasattr(item, "__index__"):
        return item.__index__(), True
    if isinstance(item, str):
        raise TypeError("new(): invalid data type 'str'")
    raise IndexError(
        "only integers, slices (`:`), ellipsis (`...`), None and long or byte Variables are valid indices "
        f"(got {type(item).__name__})"
    )


INDEX_DTYPES = {np.dtype(name) for name in ("int64", "int32", "uint8", "bool")}


def _nested(i):
    return i._array if isinstance(i, Tensor) else [_nested(j) for j in i] if isinstance(i, (list, tuple)) else i


def _index_error(x, key, error):
    """torch's words for an index that does not fit the tensor."""
    text = str(error)
    shape = list(x._array.shape)
    if "out of bounds" in text:
        dim = 0
        for k in key:
            if k is None:
                continue
            if k is ...:
                dim += x._array.ndim - sum(_dims_of(j) for j in key if j is not ...)
                continue
            n = x._array.shape[dim] if dim < len(shape) else 0
            values = (
                [k] if isinstance(k, int) else np.ravel(k) if isinstance(k, np.ndarray) and k.dtype.kind == "i" else []
            )
            for v in values:
                if not -n <= v < n:
                    return IndexError(f"index {v} is out of bounds for dimension {dim} with size {n}")
            dim += _dims_of(k)
    if "boolean index did not match" in text:
        mask = next(k for k in key if isinstance(k, np.ndarray) and k.dtype.kind == "b")
        return IndexError(
            f"The shape of the mask {list(mask.shape)} at index 0 does not match the shape of the indexed tensor "
            f"{shape} at index 0"
        )
    if "broadcast" in text:
        shapes = [list(k.shape) for k in key if isinstance(k, np.ndarray)]
        return IndexError(
            "shape mismatch: indexing tensors could not be broadcast together with shapes "
            f"{', '.join(map(str, shapes))}"
        )
    return IndexError(text)


def _label(key):
    """torch's name for the last step of a basic index."""
    label = "Alias"
    for k in key:
        if isinstance(k, int):
            label = "Select"
        elif k is None:
            label = "Unsqueeze"
        elif isinstance(k, slice) and k != slice(None):
            label = "Slice"
    return label


def getitem(x, index):
    """x[index]: a view for ints, slices, None and Ellipsis; a copy as soon as there is a mask, a list or a tensor"""
    if index.__class__ is int and x._array.ndim:
        key, basic = (index, ...), True
    else:
        if not x._array.ndim and (index.__class__ is int or isinstance(index, slice)):
            if isinstance(index, slice):
                raise IndexError("slice() cannot be applied to a 0-dim tensor.")
            raise IndexError(
                "invalid index of a 0-dim tensor. Use `tensor.item()` in Python or `tensor.item<T>()` in C++ to "
                "convert a 0-dim tensor to a number"
            )
        key, basic = _key(x, index)
    try:
        if basic:
            return ops.slice_(x, key, _label(key))
        parts = _split(key)
        if parts is not None:
            first, key = parts
            x = ops.slice_(x, first, _label(first))
        return ops.index(x, key)
    except IndexError as error:
        raise _index_error(x, key, error) from None


def setitem(x, index, value):
    """x[index] = value, in place"""
    from ..inplace import check_writable, refuse_overlap, refuse_repeated, snapshot, write

    key, basic = _key(x, index)
    parts = None if basic else _split(key)
    if parts is not None:
        first, key = parts
        try:
            x = ops.slice_(x, first, _label(first))
        except IndexError as error:
            raise _index_error(x, first, error) from None
    mixed = not basic and isinstance(value, Tensor) and value._array.dtype != x._array.dtype
    if not isinstance(value, Tensor):
        if not isinstance(value, (int, float, bool, np.generic, np.ndarray)):
            raise TypeError(f"can't assign a {type(value).__name__} to a torch.{x.dtype.type_name}Tensor")
        value = wrap(np.asarray(value if np.ndim(value) else scalar_as(value, x.dtype)))
    elif not basic and value._array.size == 1 and _by_mask(key):
        scalar_as(value.item(), x.dtype)  # as masked_fill, which it is to torch
    if not basic:
        recording = check_writable(x, value, may_overlap=True, apart=None)
    try:
        part = x._array[key]
    except IndexError as error:
        if mixed and "out of bounds" in str(error):  # the places themselves torch looks at last
            _same_dtype(x, key, value)
        raise _index_error(x, key, error) from None
    if mixed:
        _same_dtype(x, key, value)
    # Where every slice takes all, torch writes to x itself, not to a view of it.
    whole = basic and part.shape == x._array.shape and all(k is ... or _from_the_start(k) for k in key)
    if basic:
        recording = check_writable(x, value, may_overlap=True, apart=None, through_view=not whole)
        refuse_repeated(part)
    if recording:
        refuse_repeated(x._array)  # torch keeps that history, too; here positions in the base would be named twice
    target_shape = part.shape
    given = value._array
    shape = given.shape
    while len(shape) > len(target_shape) and shape[0] == 1:
        shape = shape[1:]
    try:
        fits = np.broadcast_shapes(shape, target_shape) == target_shape
    except ValueError:
        fits = False
    if not fits and basic:
        raise RuntimeError(_expand_error(value, shape, target_shape))
    if not fits:
        raise RuntimeError(
            f"shape mismatch: value tensor of shape {list(given.shape)} cannot be broadcast to indexing result of "
            f"shape {list(target_shape)}"
        )
    if basic and given.ndim and given.size:
        while given.shape != target_shape and shape and shape[0] == 1:
            shape = shape[1:]
        spread = not shape and part.ndim > 0  # one element is a number to torch, laid out otherwise than any part
        refuse_overlap(wrap(np.broadcast_to(given.reshape(shape), target_shape)), wrap(part), apart=spread)
    if not recording:
        if x._array.dtype == np.float16:
            given = to_dtype(value, x.dtype)._array
        source = given.reshape(shape)
        if np.may_share_memory(source, x._array):
            source = source.copy()
        state.run(_put, x._array, key, source)
        x._counter[0] += 1
        return
    value = to_dtype(value.reshape(shape) if given.shape != shape else value, x.dtype)
    if whole:
        if given.ndim or not target_shape:
            write(x, copied(snapshot(x), expand(value, target_shape)))
        else:
            write(x, fill_tensor_in_place(snapshot(x), value))
        return
    put = ops.with_item if basic else ops.index_put
    write(x, put(snapshot(x), value, key=key))


def _from_the_start(k):
    return k.__class__ is slice and k.start in (None, 0) and k.step in (None, 1) and (k.stop is None or k.stop >= 0)


def _expand_error(value, shape, target):
    """torch's words for a value that does not expand to the part it is written to."""
    given = value._array.shape
    if len(shape) > len(target):
        return (
            f"expand(torch.{value.dtype.type_name}Tensor{{{list(given)}}}, size={list(target)}): the number of sizes "
            f"provided ({len(target)}) must be greater or equal to the number of dimensions in the tensor "
            f"({len(given)})"
        )
    dim = next(i for i in range(-1, -len(shape) - 1, -1) if shape[i] not in (1, target[i])) + len(target)
    n = shape[dim - len(target)]
    return (
        f"The expanded size of the tensor ({target[dim]}) must match the existing size ({n}) at non-singleton "
        f"dimension {dim}.  Target sizes: {list(target)}.  Tensor sizes: {list(given)}"
    )


def _same_dtype(x, key, value):
    """An index with integer tensors takes values of the tensor's own dtype; a single number for a mask may differ."""
    if value._array.size == 1 and _by_mask(key):
        return
    raise RuntimeError(
        f"Index put requires the source and destination dtypes match, got {x.dtype.type_name} for the destination and "
        f"{value.dtype.type_name} for the source. Convert the value with .to({x.dtype})."
    )


def _by_mask(key):
    arrays = [k for k in key if isinstance(k, np.ndarray)]
    return len(arrays) == 1 and arrays[0].dtype.kind == "b"


def _put(array, key, value):
    array[key] = value


# -- along one dim -------------------------------------------------------------------------------------------------


def _index_along(function, x, axis, index, name="index"):
    """An integer index array, in range along an axis of x, with negative places refused as torch refuses them."""
    if not isinstance(index, Tensor):
        raise TypeError(f"{function}(): argument '{name}' (position 3) must be Tensor, not {type(index).__name__}")
    array = index._array
    if array.dtype not in (np.int64, np.int32) and array.size:
        raise RuntimeError(f"{function}(): Expected dtype int32/int64 for {name}, but got {index.dtype.type_name}")
    n = x._array.shape[axis] if x._array.ndim else 1
    if array.size and (array.min() < 0 or array.max() >= n):
        wrong = int(array.max() if array.max() >= n else array.min())
        if function in ("index_select", "index_add"):
            raise IndexError("index out of range in self" + f": {wrong} in dim {axis} of size {n}")
        error = IndexError if function in ("index_copy", "index_fill") else RuntimeError
        where = "index_copy_(): " if function == "index_copy" else ""
        raise error(f"{where}index {wrong} is out of bounds for dimension {axis} with size {n}")
    return array.astype(np.int64)  # a copy: what the caller does to the index later does not reach the graph


def _as_vector(x):
    """A 0-d tensor as a vector of one."""
    return x if x._array.ndim else x.reshape(1)


def gather(input, dim, index, *, sparse_grad=False):
    """out[i][j] = input[index[i][j]][j] for dim 0, and so on"""
    axis = one_dim(dim, input._array.ndim, "gather")
    places = _index_along("gather", input, axis, index)
    if not places.size and places.ndim != input._array.ndim:
        return ops.gather_nothing(input.reshape(-1), (places,))
    if places.ndim != input._array.ndim and (max(places.ndim, 1) != max(input._array.ndim, 1)):
        raise RuntimeError("Index tensor must have the same number of dimensions as input tensor")
    _fits(places.shape, input._array.shape, axis)
    return ops.gather(input, axis, places)


def _fits(index_shape, shape, axis):
    for i, (n, m) in enumerate(zip(index_shape, shape)):
        if n > m and i != axis:
            raise RuntimeError(
                f"Size does not match at dimension {i} expected index {list(index_shape)} to be no larger than self "
                f"{list(shape)} apart from dimension {axis}"
            )


def _scatter_arguments(function, input, dim, index, src):
    axis = one_dim(dim, input._array.ndim, function)
    places = _index_along(function, input, axis, index)
    if max(places.ndim, 1) != max(input._array.ndim, 1):
        raise RuntimeError("Index tensor must have the same number of dimensions as self tensor")
    if isinstance(src, Tensor):
        if src._array.dtype != input._array.dtype:
            raise RuntimeError(f"{function}(): Expected self.dtype to be equal to src.dtype")
        if max(src._array.ndim, 1) != max(places.ndim, 1):
            raise RuntimeError("Index tensor must have the same number of dimensions as src tensor")
        if any(n > m for n, m in zip(places.shape, src._array.shape)):
            raise RuntimeError(
                f"Expected index {list(places.shape)} to be no larger than self {list(input._array.shape)} apart from "
                f"dimension {axis} and to be no larger size than src {list(src._array.shape)}"
            )
    if any(n > m for i, (n, m) in enumerate(zip(places.shape, input._array.shape)) if i != axis):
        raise RuntimeError(
            f"Expected index {list(places.shape)} to be no larger than self {list(input._array.shape)} apart from "
            f"dimension {axis}"
        )
    return axis, places


def _scattering(op, input, axis, places, src, **options):
    if not places.ndim or not src._array.ndim:
        places, src = places.reshape(-1), src.reshape(-1)
    return op(input, src, axis=axis, index=places, **options)


def scatter(input, dim, index, src=None, value=None, *, reduce=None):
    """A copy of input with out[index[i][j]][j] = src[i][j] for dim 0, and so on; reduce "add" or "multiply" combines"""
    src = value if src is None else src
    if reduce not in (None, "add", "multiply"):
        raise RuntimeError("reduce argument must be either add or multiply.")
    axis, places = _scatter_arguments("scatter", input, dim, index, src)
    op = ops.scatter
    if not isinstance(src, Tensor):
        number = scalar_as(src, input.dtype)
        op, src = ops.scatter_number, wrap(np.full(places.shape, number, input._array.dtype))
    if reduce == "add":
        return _scattering(ops.scatter_add, input, axis, places, src)
    if reduce == "multiply":
        return scatter_reduce(input, dim, index, src, "prod")
    return _scattering(op, input, axis, places, src)


def scatter_add(input, dim, index, src):
    """A copy of input with src added at the places that index names"""
    axis, places = _scatter_arguments("scatter", input, dim, index, src)
    return _scattering(ops.scatter_add, input, axis, places, src)


def scatter_reduce(input, dim, index, src, reduce, *, include_self=True):
    """Like scatter_add with reduce one of "sum", "prod", "mean", "amax", "amin"; gradients for "sum" and "mean"."""
    if reduce not in ("sum", "prod", "mean", "amax", "amin"):
        raise RuntimeError(f"reduce argument must be either sum, prod, mean, amax or amin, got {reduce}")
    axis, places = _scatter_arguments("scatter", input, dim, index, src)
    if reduce in ("sum", "mean"):
        return _scattered_sum(input, axis, places, src, reduce == "mean", bool(include_self))
    start = input
    if not include_self:
        neutral = {"prod": 1, "amax": -np.inf, "amin": np.inf}[reduce]
        if input._array.dtype.kind != "f" and reduce in ("amax", "amin"):
            neutral = RANGES[input._array.dtype][reduce == "amin"]
        start = scatter(input, dim, index, value=neutral)
    if state.enabled and (input.requires_grad or src.requires_grad):
        raise NotImplementedError(f"scatter_reduce with reduce='{reduce}' has no derivative here; use 'sum' or 'mean'")
    out = start._array.copy()
    part = src._array[tuple(slice(n) for n in places.shape)]
    grid = tuple(places if i == axis else g for i, g in enumerate(np.ogrid[tuple(slice(n) for n in places.shape)]))
    {"prod": np.multiply, "amax": np.maximum, "amin": np.minimum}[reduce].at(out, grid, part)
    return wrap(out)


def _scattered_sum(input, axis, places, src, mean, include_self):
    counts = None
    if mean:  # by how many each place is divided
        one = wrap(np.ones_like(input._array, shape=src._array.shape))
        base = wrap(np.full_like(input._array, 1 if include_self else 0))
        counts = _scattering(ops.scatter_add, base, axis, places, one)
        counts = where(counts == 0, wrap(np.ones((), counts._array.dtype)), counts)
    whole = mean and input._array.dtype.kind != "f"
    divisor = None if counts is None or whole else counts._array
    out = _scattering(ops.scatter_reduce, input, axis, places, src, counts=divisor, include_self=include_self)
    return out // counts if whole else out


def index_select(input, dim, index):
    """The slices of a dim that a vector of places names"""
    axis = one_dim(dim, input._array.ndim, "index_select")
    if isinstance(index, Tensor) and index._array.ndim > 1:
        raise IndexError("index_select(): Index is supposed to be a vector")
    places = _index_along("index_select", input, axis, index).reshape(-1)
    if not input._array.ndim:
        if places.size != 1:
            raise RuntimeError(f"index_select(): Index to scalar can have only 1 value, got {places.size} value(s)")
        return ops.index_select(input, ())
    return ops.index_select(input, (slice(None),) * axis + (places,))


def _vector_places(function, input, dim, index):
    axis = one_dim(dim, input._array.ndim, function)
    if index._array.ndim > 1:
        raise IndexError(f"{function}(): Index is supposed to be a vector, but got dim: {index._array.ndim}")
    return (slice(None),) * axis + (_index_along(function, input, axis, index).reshape(-1),)


def index_add(input, dim, index, source, *, alpha=1):
    """A copy of input with the slices of source added where the vector index says"""
    key = _vector_places("index_add", input, dim, index)
    if source._array.dtype != input._array.dtype:
        raise RuntimeError(
            f"index_add_(): self ({input.dtype.type_name}) and source ({source.dtype.type_name}) must have the same "
            "scalar type"
        )
    n = key[-1].size
    axis = len(key) - 1
    length = source._array.shape[axis] if source._array.ndim else 1
    if n != length:
        raise RuntimeError(
            f"index_add_(): Number of indices ({n}) should be equal to source.size(dim): ({length}), for dim: {axis}"
        )
    rest = [list(x._array.shape[:axis] + x._array.shape[axis + 1 :]) for x in (input, source)]
    if input._array.ndim and rest[0] != rest[1]:
        raise RuntimeError(
            "source tensor shape must match self tensor shape, excluding the specified dimension. Got self.shape = "
            f"{list(input._array.shape)} source.shape = {list(source._array.shape)}"
        )
    source = source if alpha == 1 else source * alpha
    if not input._array.ndim:
        return ops.index_add(input.reshape(1), source.reshape(-1), key=key).reshape(())
    return ops.index_add(input, source, key=key)


def _one_dtype(function, input, source):
    if source._array.dtype != input._array.dtype:
        raise RuntimeError(
            f"{function}(): self and source expected to have the same dtype, but got (self) {input.dtype.type_name} "
            f"and (source) {source.dtype.type_name}"
        )


def index_copy(input, dim, index, source):
    """A copy of input with its slices at the vector index replaced by source's"""
    _long_index("index_copy_", index)
    key = _vector_places("index_copy", input, dim, index)
    _one_dtype("index_copy_", input, source)
    _check_slices(input._array.shape, source._array.shape, len(key) - 1, key[-1].size)
    if not input._array.ndim:
        return ops.index_copy(input.reshape(1), source.reshape(-1), key=key).reshape(())
    return ops.index_copy(input, source, key=key)


def _long_index(function, index):
    if index._array.dtype != np.int64:
        raise RuntimeError(f"{function}(): Expected a long tensor for index, but got {index.dtype.type_name}")


def _check_slices(shape, source, axis, n):
    """index_copy's source holds as many slices along the axis as there are places, each of the shape of the input's."""
    if shape and source and len(shape) != len(source):
        raise IndexError(
            "index_copy_(): When source and destination are not scalars, their dimensionality must match. Source "
            f"dimensionality ({len(source)}), destination dimensionality ({len(shape)})"
        )
    rest, given = shape[:axis] + shape[axis + 1 :], source[:axis] + source[axis + 1 :]
    if rest != given:
        raise RuntimeError(
            "index_copy_(): Source/destination tensor must have same slice shapes. Destination slice shape: "
            f"{' '.join(map(str, rest))} at dimension {axis} and source slice shape: {' '.join(map(str, given))} at "
            "dimension 0."
        )
    if n != (source[axis] if source else 1):
        raise IndexError(f"index_copy_(): Number of indices ({n}) should be equal to source.size(dim) ({source[axis]})")


def index_fill(input, dim, index, value):
    """A copy of input with its slices at the vector index full of value"""
    if index._array.dtype != np.int64:
        raise IndexError(f"index_fill_(): Expected dtype int64 for index, but got {index.dtype.type_name}")
    if isinstance(value, Tensor) and value._array.ndim:
        raise RuntimeError(
            "index_fill_ only supports a 0-dimensional value tensor, but got tensor with "
            f"{value._array.ndim} dimension(s)."
        )
    n = input._array.shape[one_dim(dim, input._array.ndim, "index_fill")] if input._array.ndim else 1
    negative = (index._array < 0) & (index._array >= -n)
    index = wrap(index._array + n * negative)
    *lead, places = _vector_places("index_fill", input, dim, index)
    key = (*lead, np.unique(places))  # a place named twice counts once in the derivative
    op = ops.index_fill_tensor if isinstance(value, Tensor) else ops.index_fill
    value = to_dtype(value if isinstance(value, Tensor) else scalar_as(value, input.dtype), input.dtype)
    if not input._array.ndim:
        return op(input.reshape(1), value, key=key).reshape(())
    return op(input, value, key=key)


def index_put(input, indices, values, accumulate=False):
    """A copy of input with input[indices] = values, or += if accumulate"""
    key, _ = _key(input, tuple(indices))
    if values._array.dtype != input._array.dtype:
        raise RuntimeError(
            f"Index put requires the source and destination dtypes match, got {input.dtype.type_name} for the "
            f"destination and {values.dtype.type_name} for the source."
        )
    op = ops.with_item_added if accumulate else ops.index_put
    try:
        return op(input, values, key=key)
    except IndexError as error:
        raise _index_error(input, key, error) from None


def take_along_dim(input, indices, dim=None):
    """gather with broadcasting; without a dim, from the flattened input"""
    if dim is None:
        return gather(flatten(input), 0, flatten(indices))
    axis = one_dim(dim, input._array.ndim, "take_along_dim")
    n = input._array.shape[axis]
    indices = where(indices < 0, indices + n, indices)  # gather takes no negative places
    a, b = list(input._array.shape), list(indices._array.shape)
    if len(a) != len(b):
        raise RuntimeError(
            f"torch.take_along_dim(): input and indices should have the same number of dimensions, but got {len(a)} "
            f"dimensions for input, and {len(b)} dimensions for indices"
        )
    shape = np.broadcast_shapes(a[:axis] + [1] + a[axis + 1 :], b[:axis] + [1] + b[axis + 1 :])
    wide = lambda n: tuple(shape[:axis]) + (n,) + tuple(shape[axis + 1 :])
    return gather(input.expand(wide(a[axis])), axis, indices.expand(wide(b[axis])))


def take(input, index):
    """Elements of the flattened input, in the shape of `index`; raises IndexError for a place outside it"""
    _long_index("take", index)
    places = index._array
    n = input._array.size
    outside = (places < -n) | (places >= n)
    if outside.any():
        wrong = int(places[outside].flat[0])
        raise IndexError(f"out of range: tried to access index {wrong} on a tensor of {n} elements.")
    return ops.take(input, places.astype(np.int64))


def put(input, index, source, accumulate=False):
    """A copy of input with elements of the flattened tensor replaced (or added to)."""
    _one_dtype("put_", input, source)
    _long_index("put_", index)
    if source._array.size != index._array.size:
        raise IndexError(
            "put_(): Expected source and index to have the same number of elements, but got source.numel() = "
            f"{source._array.size}, index.numel() = {index._array.size}"
        )
    return ops.put(input, source, positions=index._array.astype(np.int64), accumulate=bool(accumulate))


# -- masks ---------------------------------------------------------------------------------------------------------


def _mask(function, mask):
    if not isinstance(mask, Tensor):
        raise TypeError(f"{function}(): argument 'mask' (position 2) must be Tensor, not {type(mask).__name__}")
    if mask._array.dtype.kind != "b":
        raise RuntimeError(f"{function} only supports boolean masks, but got mask with dtype {mask.dtype.type_name}")
    return mask


def masked_fill(input, mask, value):
    """value where mask is true, input elsewhere"""
    _mask("masked_fill", mask)
    if isinstance(value, Tensor) and value._array.ndim:
        raise RuntimeError(
            f"masked_fill_ only supports a 0-dimensional value tensor, but got tensor with {value._array.ndim} "
            "dimension(s)."
        )
    # In C order, as torch's, whatever the order of the input.
    input = input if input._array.ndim < 2 else input.contiguous()
    if isinstance(value, Tensor):
        scalar_as(value.item(), input.dtype)
        return masked_fill_tensor(mask, to_dtype(value, input.dtype), input)
    return masked_fill_number(mask, to_dtype(scalar_as(value, input.dtype), input.dtype), input)


def masked_select(input, mask):
    """The elements where mask is true, as a vector"""
    if not isinstance(mask, Tensor) or mask._array.dtype.kind != "b":
        raise RuntimeError("masked_select: expected BoolTensor for mask")
    return ops.masked_select(input, broadcast_tensors(input, mask)[1]._array.copy())


def masked_scatter(input, mask, source):
    """input with its elements where mask is true replaced by source's, in order"""
    m = broadcast_tensors(input, _mask("masked_scatter", mask))[1]._array.copy()
    _one_dtype("masked_scatter", input, source)
    n = int(m.sum())
    if source._array.size < n:
        raise RuntimeError(
            f"masked_scatter: expected self and source to have same dtypes and enough elements: {source._array.size} "
            f"given, {n} needed"
        )
    return ops.masked_scatter(input, source, mask=m)


def nonzero(input, *, as_tuple=False):
    """The places of nonzero elements, one a row; or a tuple of one vector a dim"""
    places = np.nonzero(input._array if input._array.ndim else input._array.reshape(1))
    if as_tuple:
        return tuple(wrap(p) for p in places)
    if not input._array.ndim:
        return wrap(np.zeros((len(places[0]), 0), np.int64))
    return wrap(np.stack(places, 1) if places else np.zeros((0, 0), np.int64))


def argwhere(input):
    """nonzero(input)"""
    return nonzero(input)


def repeat_interleave(input, repeats=None, dim=None, *, output_size=None):
    """Each element (or slice along a dim) repeated, all equally often or each as often as it says"""
    if repeats is None:
        counts = input._array
        return wrap(np.repeat(np.arange(counts.size), counts))
    counts = repeats._array if isinstance(repeats, Tensor) else np.asarray(repeats)
    if counts.size and counts.min() < 0:
        raise RuntimeError("repeats can not be negative")
    if dim is None:
        input, dim = flatten(input), 0
    elif not input._array.ndim:
        raise IndexError("Dimension out of range (expected to be in range of [-1, 0], but got 1)")
    axis = one_dim(dim, input._array.ndim, "repeat_interleave")
    n = input._array.shape[axis] if input._array.ndim else 1
    if counts.ndim > 1 or counts.size not in (1, n):
        raise RuntimeError("repeats must have the same size as input along dim" + f": {counts.size} and {n}")
    if not isinstance(repeats, Tensor):
        wide = list(input._array.shape)
        wide.insert(axis + 1, int(counts))
        return flatten(expand(unsqueeze(input, axis + 1), wide).clone(), axis, axis + 1)
    places = np.repeat(np.arange(n), counts)
    return ops.index_select(_as_vector(input), (slice(None),) * axis + (places,))


# -- writing a part, out of place ----------------------------------------------------------------------------------


def select_scatter(input, src, dim, index):
    """input with its slice at one place of a dim replaced"""
    axis = one_dim(dim, input._array.ndim, "select_scatter")
    return ops.select_scatter(input, to_dtype(src, input.dtype), key=(slice(None),) * axis + (index, ...))


def slice_scatter(input, src, dim=0, start=None, end=None, step=1):
    """input with a slice of a dim replaced"""
    axis = one_dim(dim, input._array.ndim, "slice_scatter")
    key = (slice(None),) * axis + (slice(start, end, step), ...)
    return ops.slice_scatter(input, to_dtype(src, input.dtype), key=key)


def diagonal_scatter(input, src, offset=0, dim1=0, dim2=1):
    """input with a diagonal replaced"""
    positions = wrap(np.arange(input._array.size).reshape(input._array.shape))
    return ops.diagonal_scatter(input, src, positions=diagonal(positions, offset, dim1, dim2)._array.copy())
