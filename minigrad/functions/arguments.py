"""Reading the arguments of torch's functions: dims, sizes, axes. Owns the errors for bad ones. Knows no op."""

import math
import operator

import numpy as np

from ..dtypes import RANGES, Size
from ..tensor import Tensor


def tensor_argument(x, function, name="input", position=1):
    """`x` if it is a Tensor; else torch's TypeError."""
    if not isinstance(x, Tensor):
        raise TypeError(f"{function}(): argument '{name}' (position {position}) must be Tensor, not {type(x).__name__}")
    return x


def refuse_kinds(kernel, x, kinds):
    """Raise torch's error for an op that has no kernel for the dtype of x: `kinds` of NumPy's, as "b" for booleans."""
    if x._array.dtype.kind in kinds:
        raise NotImplementedError(f"\"{kernel}\" not implemented for '{x.dtype.type_name}'")


def scalar_as(value, dtype):
    """A Python number as one of a dtype: fractions are cut, and what does not fit is an error, but for -n as 2 ** bits
    - n, and for infinities."""
    if dtype.category == 0:
        return bool(value)
    if dtype.category == 2:
        if math.isfinite(value) and abs(value) > RANGES[dtype.numpy][1]:
            name = {"float16": "c10::Half", "float32": "float"}.get(dtype.name, "double")
            raise RuntimeError(f"value cannot be converted to type {name} without overflow: {value}")
        return float(np.float32(value)) if dtype.name == "float16" else value  # which torch rounds to single first
    least, largest = RANGES[dtype.numpy]
    lowest = least if least or isinstance(value, float) else -largest
    if not lowest <= value <= largest:
        name = "int" if dtype.name == "int32" else f"{dtype.name}_t"
        raise RuntimeError(f"value cannot be converted to type {name} without overflow: {value}")
    return int(value) if least else int(value) % (largest + 1)


def whole(x, function, name):
    """`x` as an int: a Python int, a NumPy integer, or a one-element integer Tensor."""
    if isinstance(x, Tensor) and x._array.size == 1 and x._array.dtype.kind in "iub":
        return int(x._array.reshape(()))
    if isinstance(x, (bool, float)) or not hasattr(x, "__index__"):
        raise TypeError(f"{function}(): argument '{name}' must be int, not {type(x).__name__}")
    return operator.index(x)


def one_dim(dim, ndim, function="dim", name="dim"):
    """A dim as a number from 0; a 0-d tensor accepts 0 and -1."""
    if dim.__class__ is not int:
        dim = whole(dim, function, name)
    bound = ndim or 1
    if not -bound <= dim < bound:
        raise IndexError(f"Dimension out of range (expected to be in range of [{-bound}, {bound - 1}], but got {dim})")
    return dim + bound if dim < 0 else dim


def many_dims(dim, ndim, function="dim"):
    """A dim, or several, as a tuple of numbers from 0; each may be named once."""
    if dim.__class__ is int or not isinstance(dim, (tuple, list)):
        return (one_dim(dim, ndim, function),)
    dims = tuple(one_dim(d, ndim, function) for d in dim)
    if len(set(dims)) != len(dims):
        twice = next(d for d in dims if dims.count(d) > 1)
        raise RuntimeError(f"dim {twice} appears multiple times in the list of dims")
    return dims


def sizes(args, function, name="size"):
    """A shape given as several ints, or as one tuple, list or Size."""
    if len(args) == 1 and isinstance(args[0], (tuple, list)):
        args = args[0]
    elif len(args) == 1 and isinstance(args[0], (Tensor, np.ndarray)) and args[0].ndim:
        kind = type(args[0]).__name__
        raise TypeError(
            f"{function}(): argument '{name}' (position 1) must be tuple of ints, not {kind}: use .tolist()"
        )
    return tuple([a if a.__class__ is int else whole(a, function, name) for a in args])


def nonnegative(shape):
    """`shape`, which may hold no negative size."""
    for n in shape:
        if n < 0:
            raise RuntimeError(f"Trying to create tensor with negative dimension {n}: {list(shape)}")
    return shape


def infer_size(shape, count):
    """`shape` with its one -1 replaced so that it holds `count` elements."""
    known, unknown = 1, None
    for i, n in enumerate(shape):
        if n == -1:
            if unknown is not None:
                raise RuntimeError("only one dimension can be inferred")
            unknown = i
        elif n < 0:
            raise RuntimeError(f"invalid shape dimension {n}")
        else:
            known *= n
    if unknown is None:
        if known != count:
            raise RuntimeError(f"shape '{list(shape)}' is invalid for input of size {count}")
        return shape
    if known == 0 and count == 0:
        raise RuntimeError(
            f"cannot reshape tensor of 0 elements into shape {list(shape)} because the unspecified dimension size -1 "
            "can be any value and is ambiguous"
        )
    if known == 0 or count % known:
        raise RuntimeError(f"shape '{list(shape)}' is invalid for input of size {count}")
    return (*shape[:unknown], count // known, *shape[unknown + 1 :])


def broadcast_shapes(*shapes):
    """The shape that all `shapes` broadcast to.

    >>> import minigrad
    >>> minigrad.broadcast_shapes((3, 1), (2,))
    torch.Size([3, 2])
    """
    shapes = [(s,) if isinstance(s, int) else tuple(s) for s in shapes]
    try:
        return Size(np.broadcast_shapes(*shapes))
    except ValueError:
        raise RuntimeError(
            "Shape mismatch: objects cannot be broadcast to a single shape: "
            + " and ".join(str(list(s)) for s in shapes)
        ) from None
