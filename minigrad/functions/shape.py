"""torch's functions on shapes: views, joins, repeats, over the ops of `ops/shape.py`.

Owns their checks, and which of them give views. Knows no derivative.
"""

import builtins
import math

import numpy as np

from .. import dtypes
from ..grad_mode import state
from ..graph import Call
from ..ops import shape as ops
from ..ops.indexing import slice_, squeeze_dim, squeeze_dims
from ..primitive import common_dtype, to_dtype
from ..tensor import Tensor, wrap
from .arguments import broadcast_shapes, infer_size, many_dims, one_dim, refuse_kinds, sizes, whole

__all__ = [
    "adjoint", "atleast_1d", "atleast_2d", "atleast_3d", "block_diag", "broadcast_tensors", "broadcast_to", "cat",
    "chunk", "column_stack", "concat", "concatenate", "contiguous", "diag", "diag_embed", "diagflat", "diagonal",
    "dsplit", "dstack", "expand", "expand_as", "flatten", "flip", "fliplr", "flipud", "hsplit", "hstack",
    "meshgrid", "moveaxis", "movedim", "narrow", "permute", "ravel", "repeat", "reshape", "reshape_as", "roll",
    "rot90", "select", "split", "split_with_sizes", "squeeze", "stack", "sum_to_size", "swapaxes", "swapdims", "t",
    "tensor_split", "tile", "transpose", "tril", "triu", "unbind", "unflatten", "unfold", "unsqueeze", "view",
    "view_as", "vsplit", "vstack", "row_stack", "trace",
]  # fmt: skip


def reshape(input, *shape):
    """The same elements in another shape, one size of which may be -1: a view where the memory allows."""
    shape = infer_size(sizes(shape, "reshape", "shape"), input._array.size)
    if input._array.flags.c_contiguous:
        return ops.reshape(input, shape, "View")
    return ops.reshape(input, shape, "ReshapeAlias" if can_view(input._array, shape) else "UnsafeView")


def view(input, *size):
    """reshape without copying; raises RuntimeError where that is impossible"""
    if len(size) == 1 and not isinstance(size[0], (int, tuple, list, Tensor, np.integer)):
        return _view_dtype(input, size[0])
    shape = infer_size(sizes(size, "view", "size"), input._array.size)
    if not input._array.flags.c_contiguous and input._array.size and not can_view(input._array, shape):
        raise RuntimeError(
            "view size is not compatible with input tensor's size and stride (at least one dimension spans across two "
            "contiguous subspaces). Use .reshape(...) instead."
        )
    return ops.reshape(input, shape, "View")


def can_view(array, shape):
    """True if the array can be reshaped without copying."""
    try:
        return np.shares_memory(np.reshape(array, shape, copy=False), array, max_work=1)
    except ValueError:
        return False


def _view_dtype(input, dtype):
    wanted = dtypes.as_dtype(dtype)
    if wanted.itemsize != input._array.itemsize and (
        not input._array.ndim or input._array.strides[-1] != input._array.itemsize
    ):
        raise RuntimeError("self.stride(-1) must be 1 to view a tensor as a dtype of another size")
    out = wrap(input._array.view(wanted.numpy))
    out._counter = input._counter
    return out


def view_as(input, other):
    """view(other.shape)"""
    return view(input, other.shape)


def reshape_as(input, other):
    """reshape(other.shape)"""
    return reshape(input, other.shape)


def is_laid_out(input, memory_format):
    """True if the elements lie in memory in the order of the last dim first, or for channels_last of the channels."""
    if not isinstance(memory_format, dtypes.memory_format):
        kind = type(memory_format).__name__
        raise TypeError(f"argument 'memory_format' must be torch.memory_format, not {kind}")
    if memory_format is dtypes.channels_last:
        return input._array.ndim == 4 and input._array.transpose(CHANNELS_LAST).flags.c_contiguous
    return input._array.flags.c_contiguous


CHANNELS_LAST, CHANNELS_BACK = (0, 2, 3, 1), (0, 3, 1, 2)


def laid_out(copy, memory_format):
    """A tensor that nobody else has, with its elements in memory as a memory_format asks for."""
    if memory_format in (None, dtypes.preserve_format) or is_laid_out(copy, memory_format):
        return copy
    if memory_format is dtypes.channels_last:
        if copy._array.ndim != 4:
            raise RuntimeError("required rank 4 tensor to use channels_last format")
        copy._array = copy._array.transpose(CHANNELS_LAST).copy().transpose(CHANNELS_BACK)
    else:
        copy._array = copy._array.copy()
    return copy


def contiguous(input, *, memory_format=None):
    """input if its elements lie in order in memory, else a copy where they do"""
    if memory_format is dtypes.channels_last:
        return input if is_laid_out(input, memory_format) else laid_out(input.clone(), memory_format)
    if input._array.flags.c_contiguous:
        return input
    if memory_format is dtypes.preserve_format:
        raise RuntimeError("preserve memory format is unsupported by the contiguous operator")
    out = input.clone()  # which keeps the order of the dims in memory, as torch's does
    out._array = out._array.copy()
    return out


def ravel(input):
    """One dim."""
    return contiguous(input).view(-1)


def flatten(input, start_dim=0, end_dim=-1):
    """The dims from start_dim to end_dim as one."""
    ndim = input._array.ndim
    start, end = one_dim(start_dim, ndim, "flatten"), one_dim(end_dim, ndim, "flatten")
    if start > end:
        raise RuntimeError("flatten() has invalid args: start_dim cannot come after end_dim")
    if not ndim:
        return reshape(input, 1)
    if start == end:
        return input
    shape = input._array.shape
    return reshape(input, (*shape[:start], math.prod(shape[start : end + 1]), *shape[end + 1 :]))


def unflatten(input, dim, sizes):
    """One dim as several, one size of which may be -1."""
    axis = one_dim(dim, input._array.ndim, "unflatten")
    parts = tuple(sizes)
    size = input._array.shape[axis]
    if not parts:
        raise RuntimeError("unflatten: sizes must be non-empty")
    try:
        parts = infer_size(parts, size)
    except RuntimeError:
        raise RuntimeError(
            f"unflatten: Provided sizes {list(parts)} don't multiply up to the size of dim {axis} ({size}) in the "
            "input tensor"
        ) from None
    shape = input._array.shape
    return view(input, (*shape[:axis], *parts, *shape[axis + 1 :]))


def squeeze(input, dim=None):
    """Without the dims of size 1 (all of them, or those named)."""
    shape = input._array.shape
    if dim is None:
        axes, op = [i for i, n in enumerate(shape) if n == 1], slice_
    else:
        op = squeeze_dims if isinstance(dim, (tuple, list)) else squeeze_dim
        axes = [i for i in many_dims(dim, len(shape), "squeeze") if shape and shape[i] == 1]
    return op(input, tuple(0 if i in axes else slice(None) for i in range(len(shape))) + (...,), "Squeeze")


def unsqueeze(input, dim):
    """A new dim of size 1 before `dim`."""
    axis = one_dim(dim, input._array.ndim + 1, "unsqueeze")
    return slice_(input, (slice(None),) * axis + (None, ...), "Unsqueeze")


def permute(input, *dims):
    """The dims in another order: a view."""
    dims = dims[0] if len(dims) == 1 and isinstance(dims[0], (tuple, list)) else dims
    ndim = input._array.ndim
    if len(dims) != ndim:
        raise RuntimeError(
            f"permute(sparse_coo): number of dimensions in the tensor input does not match the length of the desired "
            f"ordering of dimensions i.e. input.dim() = {ndim} is not equal to len(dims) = {len(dims)}"
        )
    axes = tuple(one_dim(d, ndim, "permute") for d in dims)
    if len(set(axes)) != len(axes):
        raise RuntimeError("permute(): duplicate dims are not allowed.")
    return ops.permute(input, axes, "Permute")


def transpose(input, dim0, dim1):
    """Two dims swapped: a view."""
    ndim = input._array.ndim
    a, b = one_dim(dim0, ndim, "transpose", "dim0"), one_dim(dim1, ndim, "transpose", "dim1")
    axes = list(range(ndim))
    if ndim:
        axes[a], axes[b] = b, a
    return ops.permute(input, tuple(axes), "Transpose")


swapaxes = swapdims = transpose


def t(input):
    """A matrix transposed; a vector as it is."""
    ndim = input._array.ndim
    if ndim > 2:
        raise RuntimeError(f"t() expects a tensor with <= 2 dimensions, but self is {ndim}D")
    return ops.permute(input, (1, 0) if ndim == 2 else tuple(range(ndim)), "T")


def adjoint(input):
    """The last two dims swapped."""
    return transpose(input, -2, -1)


def movedim(input, source, destination):
    """The dims `source` moved to the places `destination`."""
    ndim = input._array.ndim
    source, destination = many_dims(source, ndim, "movedim"), many_dims(destination, ndim, "movedim")
    if len(source) != len(destination):
        raise RuntimeError(
            f"movedim: Invalid source or destination dims: source ({list(source)} dims) should contain the same number "
            f"of dims as destination ({list(destination)} dims)"
        )
    if not ndim:
        return ops.permute(input, (), "Alias")
    order = [i for i in range(ndim) if i not in source]
    for to, frm in sorted(zip(destination, source)):
        order.insert(to, frm)
    return ops.permute(input, tuple(order), "Permute")


moveaxis = movedim


def expand(input, *size, implicit=False):
    """Repeated along new and size-1 dims without copying; -1 keeps a size."""
    shape = sizes(size, "expand")
    own = input._array.shape
    if len(shape) < len(own):
        raise RuntimeError(
            f"expand(torch.{input.dtype.type_name}Tensor{{{list(own)}}}, size={list(shape)}): the number of sizes "
            f"provided ({len(shape)}) must be greater or equal to the number of dimensions in the tensor ({len(own)})"
        )
    lead = len(shape) - len(own)
    target = []
    for i, n in enumerate(shape):
        if i < lead:
            if n < 0:
                raise RuntimeError(
                    f"The expanded size of the tensor ({n}) isn't allowed in a leading, non-existing dimension {i}"
                )
            target.append(n)
            continue
        here = own[i - lead]
        if n not in (-1, here) and here != 1:
            raise RuntimeError(
                f"The expanded size of the tensor ({n}) must match the existing size ({here}) at non-singleton "
                f"dimension {i}.  Target sizes: {list(shape)}.  Tensor sizes: {list(own)}"
            )
        target.append(here if n == -1 else n)
    return ops.broadcast_to(input, tuple(target))


def expand_as(input, other):
    """expand(other.shape)"""
    return expand(input, other.shape)


def broadcast_to(input, *size):
    """expand(size)"""
    return expand(input, *size)


def broadcast_tensors(*tensors):
    """The tensors expanded to their common shape."""
    tensors = tensors[0] if len(tensors) == 1 and isinstance(tensors[0], (tuple, list)) else tensors
    shape = broadcast_shapes(*(t._array.shape for t in tensors))
    return tuple(expand(t, shape) for t in tensors)


def sum_to_size(input, *size):
    """Summed down to a shape that broadcasts to input's."""
    size, own = sizes(size, "sum_to_size"), input._array.shape
    if len(size) > len(own) or builtins.any(n not in (1, m) for n, m in zip(size[::-1], own[::-1])):
        raise RuntimeError(f"size {{{list(size)}}} is not expandable to size {{{list(own)}}}.")
    return ops.sum_to(input, size) if size != input._array.shape else input


def narrow(input, dim, start, length):
    """input[..., start:start + length, ...] along a dim: a view"""
    ndim = input._array.ndim
    if not ndim:
        raise RuntimeError("narrow() cannot be applied to a 0-dim tensor.")
    axis = one_dim(dim, ndim, "narrow")
    size = input._array.shape[axis]
    if isinstance(start, Tensor) and (start._array.ndim or start._array.dtype.kind not in "iu"):
        raise RuntimeError("start must be an 0-dim integral Tensor.")
    start = whole(start, "narrow", "start")
    if not -size <= start <= size:
        raise IndexError(f"Dimension out of range (expected to be in range of [{-size}, {size}], but got {start})")
    start = start + size if start < 0 else start
    if length < 0:
        raise RuntimeError("narrow(): length must be non-negative.")
    if start + length > size:
        raise RuntimeError(f"start ({start}) + length ({length}) exceeds dimension size ({size}).")
    return slice_(input, (slice(None),) * axis + (slice(start, start + length), ...), "Slice")


def select(input, dim, index):
    """input[..., index, ...] along a dim: a view without that dim"""
    ndim = input._array.ndim
    if not ndim:
        raise IndexError("select() cannot be applied to a 0-dim tensor.")
    axis = one_dim(dim, ndim, "select")
    size = input._array.shape[axis]
    if not -size <= index < size:
        raise IndexError(
            f"select(): index {index} out of range for tensor of size {list(input._array.shape)} at dimension {axis}"
        )
    return slice_(input, (slice(None),) * axis + (index, ...), "Select")


def _several(views):
    """Views of one call, through which torch lets nobody write."""
    for v in views:
        if v._base is not None and state.enabled:
            v._view_kind = "multiple"
    return tuple(views)


def unbind(input, dim=0):
    """All the slices along a dim."""
    if not input._array.ndim:
        raise IndexError("Dimension specified as 0 but tensor has no dimensions")
    axis = one_dim(dim, input._array.ndim, "unbind")
    lead = (slice(None),) * axis
    call = Call("Unbind")
    return _several([slice_(input, (*lead, i, ...), call) for i in range(input._array.shape[axis])])


def split(input, split_size_or_sections, dim=0):
    """Pieces of a given size along a dim (the last may be smaller), or of given sizes"""
    axis = one_dim(dim, input._array.ndim, "split")
    if not input._array.ndim:
        raise RuntimeError("split expects at least a 1-dimensional tensor")
    size = input._array.shape[axis]
    if isinstance(split_size_or_sections, (tuple, list)):
        return split_with_sizes(input, split_size_or_sections, axis)
    step = whole(split_size_or_sections, "split", "split_size")
    if step < 0:
        raise RuntimeError(f"split expects split_size be non-negative, but got split_size={step}")
    if step == 0 and size:
        raise RuntimeError(f"split_size can only be 0 if dimension size is 0, but got dimension size of {size}")
    pieces = builtins.max(1, -(-size // step)) if step else 1
    bounds = [builtins.min(step * i, size) for i in range(pieces)] + [size]
    return _several(_pieces(input, axis, bounds, Call("Split")))


def split_with_sizes(input, split_sizes, dim=0):
    """Pieces of given sizes along a dim."""
    axis = one_dim(dim, input._array.ndim, "split_with_sizes")
    size, parts = input._array.shape[axis], [whole(n, "split_with_sizes", "split_sizes") for n in split_sizes]
    if builtins.any(n < 0 for n in parts):
        raise RuntimeError(
            f"split_with_sizes expects split_sizes have only non-negative entries, but got split_sizes={parts}"
        )
    if builtins.sum(parts) != size:
        raise RuntimeError(
            f"split_with_sizes expects split_sizes to sum exactly to {size} (input tensor's size at dimension {axis}), "
            f"but got split_sizes={parts}"
        )
    bounds = [0]
    for n in parts:
        bounds.append(bounds[-1] + n)
    return _several(_pieces(input, axis, bounds, Call("SplitWithSizes")))


def _pieces(input, axis, bounds, label):
    lead = (slice(None),) * axis
    return [slice_(input, (*lead, slice(a, b), ...), label) for a, b in zip(bounds, bounds[1:])]


def chunk(input, chunks, dim=0):
    """At most `chunks` pieces of equal size along a dim."""
    if not input._array.ndim:
        raise RuntimeError("chunk expects at least a 1-dimensional tensor")
    if chunks <= 0:
        raise RuntimeError(f"chunk expects `chunks` to be greater than 0, got: {chunks}")
    axis = one_dim(dim, input._array.ndim, "chunk")
    size = input._array.shape[axis]
    step = -(-size // chunks)
    if step == 0:
        return split_with_sizes(input, [0] * chunks, axis)
    return split(input, step, axis)


def tensor_split(input, indices_or_sections, dim=0):
    """Pieces of nearly equal size, or between given indices."""
    if not input._array.ndim:
        raise RuntimeError("tensor_split expected at least a 1-dimensional tensor, but got a tensor with 0 dims")
    axis = one_dim(dim, input._array.ndim, "tensor_split")
    size = input._array.shape[axis]
    indices_or_sections = _listed(indices_or_sections)
    if isinstance(indices_or_sections, int):
        n = indices_or_sections
        if n <= 0:
            raise RuntimeError(f"number of sections must be larger than 0, got {n}")
        bounds = [0]
        for i in range(n):
            bounds.append(bounds[-1] + size // n + (i < size % n))
    else:
        bounds = [0, *(slice(c).indices(size)[1] for c in indices_or_sections), size]
    return tuple(_pieces(input, axis, bounds, "Slice"))  # each a slice of its own, through which one may write


def _listed(indices_or_sections):
    """Indices as a list, or the number of sections, if a tensor holds them."""
    if not isinstance(indices_or_sections, Tensor):
        return indices_or_sections
    held = indices_or_sections._array
    if held.ndim > 1:
        raise RuntimeError(
            "tensor_split expected tensor_indices_or_sections to be a zero-dimensional or one-dimensional tensor, but "
            f"got a tensor with {held.ndim} dims"
        )
    if held.dtype != np.int64:
        raise RuntimeError(
            "tensor_split expected tensor_indices_or_sections to have dtype of long, but got "
            f"{indices_or_sections.dtype.type_name}"
        )
    return held.tolist()


def hsplit(input, indices_or_sections):
    """Pieces of equal size, or between given indices, along columns."""
    return _split_evenly("hsplit", input, indices_or_sections, 0 if input._array.ndim == 1 else 1, 1)


def vsplit(input, indices_or_sections):
    """Pieces of equal size, or between given indices, along rows."""
    return _split_evenly("vsplit", input, indices_or_sections, 0, 2)


def dsplit(input, indices_or_sections):
    """Pieces of equal size, or between given indices, along dim 2."""
    return _split_evenly("dsplit", input, indices_or_sections, 2, 3)


def _split_evenly(function, input, indices_or_sections, axis, least):
    """tensor_split of a tensor of `least` dims or more into sections that must have one size."""
    shape, n = input._array.shape, _listed(indices_or_sections)
    if len(shape) < least:
        raise RuntimeError(
            f"torch.{function} requires a tensor with at least {least} dimension, but got a tensor with {len(shape)} "
            "dimensions!"
        )
    if isinstance(n, int) and (n == 0 or shape[axis] % n):
        raise RuntimeError(
            f"torch.{function} attempted to split along dimension {axis}, but the size of the dimension {shape[axis]} "
            f"is not divisible by the split_size {n}! Use tensor_split for pieces of nearly equal size."
        )
    return tensor_split(input, n, axis)


def _tensors(tensors, function):
    if isinstance(tensors, Tensor) or not isinstance(tensors, (tuple, list)):
        raise TypeError(
            f"{function}(): argument 'tensors' (position 1) must be tuple of Tensors, not {type(tensors).__name__}"
        )
    for i, x in enumerate(tensors):
        if not isinstance(x, Tensor):
            raise TypeError(f"expected Tensor as element {i} in argument 0, but got {type(x).__name__}")
    if not tensors:
        if function == "torch.cat":
            raise ValueError("torch.cat(): expected a non-empty list of Tensors")
        raise RuntimeError(f"{function} expects a non-empty TensorList")
    return tensors


MOST_JOINED = 32


def cat(tensors, dim=0, *, axis=None):
    """The tensors joined along a dim; their other sizes must agree"""
    tensors = _tensors(tensors, "torch.cat")
    dim = dim if axis is None else axis
    for i, x in enumerate(tensors):
        if not x._array.ndim:
            raise RuntimeError(f"zero-dimensional tensor (at position {i}) cannot be concatenated")
    first = next((x._array.shape for x in tensors if x._array.shape != (0,)), (0,))
    axis = 0 if first == (0,) else one_dim(dim, len(first), "cat")  # vectors of nothing take any dim
    nothing = (*first[:axis], 0, *first[axis + 1 :])  # an empty vector joins with anything
    joined = [ops.as_nothing(x, shape=nothing) if x._array.shape == (0,) else x for x in tensors]
    for i, x in enumerate(joined):
        shape = x._array.shape
        if len(shape) != len(first):
            raise RuntimeError(f"Tensors must have same number of dimensions: got {len(first)} and {len(shape)}")
        for d, (n, m) in enumerate(zip(first, shape)):
            if d != axis and n != m:
                raise RuntimeError(
                    f"Sizes of tensors must match except in dimension {axis}. Expected size {n} but got size {m} for "
                    f"tensor number {i} in the list."
                )
    target = common_dtype(tensors)
    joined = [to_dtype(x, target) for x in joined]
    if len(joined) > MOST_JOINED:  # the op is written for each number of inputs: many are joined in groups
        return cat([cat(joined[i : i + MOST_JOINED], axis) for i in range(0, len(joined), MOST_JOINED)], axis)
    bounds = [0]
    for x in joined:
        bounds.append(bounds[-1] + x._array.shape[axis])
    return ops.concat_of(len(joined))(*joined, axis=axis, bounds=tuple(bounds))


concat = concatenate = cat


def stack(tensors, dim=0):
    """The tensors, all of one shape, along a new dim"""
    tensors = _tensors(tensors, "stack")
    first = tensors[0]._array.shape
    for i, x in enumerate(tensors):
        if x._array.shape != first:
            raise RuntimeError(
                f"stack expects each tensor to be equal size, but got {list(first)} at entry 0 and "
                f"{list(x._array.shape)} at entry {i}"
            )
    axis = one_dim(dim, len(first) + 1, "stack")
    if len(tensors) > MOST_JOINED:
        return cat([unsqueeze(x, axis) for x in tensors], axis)
    target = common_dtype(tensors)
    return ops.stack_of(len(tensors))(*[to_dtype(x, target) for x in tensors], axis=axis)


def hstack(tensors):
    """Joined along columns."""
    tensors = atleast_1d(*_tensors(tensors, "hstack"))
    tensors = tensors if isinstance(tensors, tuple) else (tensors,)
    return cat(tensors, 0 if tensors[0]._array.ndim == 1 else 1)


def vstack(tensors):
    """Joined along rows."""
    return cat([atleast_2d(x) for x in _tensors(tensors, "vstack")], 0)


row_stack = vstack


def dstack(tensors):
    """Joined along dim 2."""
    return cat([atleast_3d(x) for x in _tensors(tensors, "dstack")], 2)


def column_stack(tensors):
    """Vectors as columns, side by side."""
    return hstack([x.reshape(-1, 1) if x._array.ndim <= 1 else x for x in _tensors(tensors, "column_stack")])


def _at_least(n):
    def function(*tensors):
        tensors = tensors[0] if len(tensors) == 1 and isinstance(tensors[0], (tuple, list)) else tensors
        out = tuple(_raised(x, n) for x in tensors)
        return out[0] if len(out) == 1 else out

    function.__name__, function.__doc__ = f"atleast_{n}d", f"With dims of size 1 up to {n} dims."
    return function


def _raised(x, n):
    ndim = x._array.ndim
    if ndim >= n:
        return x
    if ndim == 0:
        return x.reshape((1,) * n)
    if ndim == 1:
        return unsqueeze(x, 0) if n == 2 else unsqueeze(unsqueeze(x, 0), -1)
    return unsqueeze(x, -1)


atleast_1d, atleast_2d, atleast_3d = _at_least(1), _at_least(2), _at_least(3)


def repeat(input, *repeats):
    """Copies side by side, so many along each dim."""
    repeats = sizes(repeats, "repeat", "repeats")
    own = input._array.shape
    if len(repeats) < len(own):
        raise RuntimeError(
            "Number of dimensions of repeat dims can not be smaller than number of dimensions of tensor: "
            f"{len(repeats)} and {len(own)}"
        )
    if builtins.any(n < 0 for n in repeats):
        raise RuntimeError(f"Trying to create tensor with negative dimension: repeats {list(repeats)}")
    return ops.repeat(input, repeats)


def tile(input, *dims):
    """repeat, with missing repeats taken as 1"""
    dims = sizes(dims, "tile", "dims")
    return repeat(input, (1,) * (input._array.ndim - len(dims)) + dims)


def flip(input, *dims):
    """Backwards along the dims: a copy."""
    dims = dims[0] if len(dims) == 1 and isinstance(dims[0], (tuple, list)) else dims
    axes = many_dims(tuple(dims), input._array.ndim, "flip")
    return ops.flip(input, axes if input._array.ndim else ())


def fliplr(input):
    """Backwards along columns."""
    if input._array.ndim < 2:
        raise RuntimeError("Input must be >= 2-d.")
    return flip(input, 1)


def flipud(input):
    """Backwards along rows."""
    if input._array.ndim < 1:
        raise RuntimeError("Input must be >= 1-d.")
    return flip(input, 0)


def roll(input, shifts, dims=None):
    """Shifted along the dims; without dims, along the flattened tensor"""
    shifts = tuple(shifts) if isinstance(shifts, (tuple, list)) else (shifts,)
    if dims is None or dims == ():
        if len(shifts) != 1:
            raise RuntimeError(f"shifts and dimensions must align. shifts: {len(shifts)}, dims:0")
        return ops.roll(input, shifts, None)
    dims = tuple(dims) if isinstance(dims, (tuple, list)) else (dims,)
    if len(dims) != len(shifts):
        raise RuntimeError(f"shifts and dimensions must align. shifts: {len(shifts)}, dims:{len(dims)}")
    if not input._array.ndim:
        raise IndexError(f"Dimension specified as {dims[0]} but tensor has no dimensions")
    return ops.roll(input, shifts, tuple(one_dim(d, input._array.ndim, "roll") for d in dims))


def rot90(input, k=1, dims=(0, 1)):
    """Turned by k quarter turns in the plane of two dims."""
    if len(dims) != 2:
        raise RuntimeError(f"expected total rotation dims == 2, but got dims = {len(dims)}")
    if input._array.ndim < 2:
        raise RuntimeError(f"expected total dims >= 2, but got total dims = {input._array.ndim}")
    a, b = (one_dim(d, input._array.ndim, "rot90") for d in dims)
    if a == b:
        raise RuntimeError(f"expected rotation dims to be different, but got dim0 = {dims[0]} and dim1 = {dims[1]}")
    return ops.rot90(input, k, (a, b))


def _triangle(op, name):
    def function(input, diagonal=0):
        if input._array.ndim < 2:
            raise RuntimeError(f"{name}: input tensor must have at least 2 dimensions")
        return op(input, diagonal)

    function.__name__, function.__doc__ = name, op.__doc__
    return function


tril, triu = _triangle(ops.tril, "tril"), _triangle(ops.triu, "triu")


def diagonal(input, offset=0, dim1=0, dim2=1):
    """The diagonal of two dims, as a new last dim: a view."""
    ndim = input._array.ndim
    a, b = one_dim(dim1, ndim, "diagonal"), one_dim(dim2, ndim, "diagonal")
    if a == b:
        raise RuntimeError(f"diagonal dimensions cannot be identical {dim1}, {dim2}")
    return ops.diagonal(input, offset, (a, b))


def diag(input, diagonal=0):
    """A vector as the diagonal of a matrix, or the diagonal of a matrix."""
    ndim = input._array.ndim
    if ndim == 1:
        return diag_embed(input, diagonal)
    if ndim == 2:
        return ops.diagonal_copy(input, diagonal, (0, 1))
    raise RuntimeError(f"diag(): Supports 1D or 2D tensors. Got {ndim}D")


def diag_embed(input, offset=0, dim1=-2, dim2=-1):
    """The last dim as the diagonal of a new matrix in dims dim1 and dim2."""
    ndim = input._array.ndim + 1
    a, b = one_dim(dim1, ndim, "diag_embed"), one_dim(dim2, ndim, "diag_embed")
    if a == b:
        raise RuntimeError(f"diagonal dimensions cannot be identical {dim1}, {dim2}")
    n = input._array.shape[-1] + builtins.abs(offset)
    rest = iter(input._array.shape[:-1])
    shape = tuple(n if i in (a, b) else next(rest) for i in range(ndim))
    return ops.diag_embed(input, shape, offset, (a, b))


def diagflat(input, offset=0):
    """The flattened input as the diagonal of a matrix."""
    return diag_embed(input.reshape(-1), offset)


def block_diag(*tensors):
    """Matrices along the diagonal of a larger one."""
    blocks = [atleast_2d(x) for x in tensors]
    width = builtins.sum(b._array.shape[1] for b in blocks)
    rows, left = [], 0
    for b in blocks:
        h, w = b._array.shape
        row = [b.new_zeros((h, left)), b, b.new_zeros((h, width - left - w))]
        rows.append(cat([r for r in row if r._array.shape[1]] or [b], 1))
        left += w
    return cat(rows, 0)


def trace(input):
    """The sum of the diagonal of a matrix."""
    if input._array.ndim != 2:
        raise RuntimeError("trace: expected a matrix")
    refuse_kinds("trace", input, "b")
    return ops.trace(input)


def meshgrid(*tensors, indexing=None):
    """Coordinate grids of vectors: expanded views; indexing "ij" (torch's default) or "xy"."""
    tensors = tensors[0] if len(tensors) == 1 and isinstance(tensors[0], (tuple, list)) else tensors
    if not tensors:
        raise RuntimeError("meshgrid expects a non-empty TensorList")
    for x in tensors:
        if x._array.ndim > 1:
            raise RuntimeError(f"torch.meshgrid: Expected 0D or 1D tensor in the tensor list but got: {x}")
    if len({x._array.dtype for x in tensors}) > 1:
        raise RuntimeError("meshgrid expects all tensors to have the same dtype")
    if indexing not in (None, "ij", "xy"):
        raise RuntimeError(f'torch.meshgrid: indexing must be one of "xy" or "ij", but received: {indexing}')
    vectors = [x.reshape(-1) for x in tensors]
    n = len(vectors)
    order = list(range(n))
    if indexing == "xy" and n >= 2:
        order[:2] = 1, 0
    shape = tuple(vectors[i]._array.size for i in order)
    grids = []
    for i, v in enumerate(vectors):
        place = order.index(i)
        grids.append(expand(v.reshape((1,) * place + (-1,) + (1,) * (n - place - 1)), shape))
    return tuple(grids)


def unfold(input, dimension, size, step):
    """Windows of a given size along a dim, in a new last dim: a view."""
    ndim = input._array.ndim
    axis = one_dim(dimension, ndim, "unfold")
    n = input._array.shape[axis] if ndim else 1
    if size > n:
        raise RuntimeError(f"maximum size for tensor at dimension {axis} is {n} but size is {size}")
    if step <= 0:
        raise RuntimeError(f"step is {step} but must be > 0")
    return ops.unfold(input, axis, size, step)
