"""Making tensors from data, and tensors full of something, spelled as in torch.

Owns how Python data becomes an array of the dtype torch would give it. Knows no gradient beyond `requires_grad=`.
"""

import itertools
import math
import operator
import warnings

import numpy as np

from .. import dtypes
from ..dtypes import as_numpy, find_device
from ..grad_mode import state
from ..namespace import cast
from ..tensor import Tensor, made, wrap
from .arguments import nonnegative, scalar_as, sizes, whole
from .shape import laid_out, meshgrid
from .shape import stack as _stack

__all__ = [
    "arange", "as_tensor", "asarray", "empty", "empty_like", "eye", "from_dlpack", "from_numpy", "frombuffer", "full",
    "full_like", "linspace", "logspace", "ones", "ones_like", "range", "scalar_tensor", "tensor", "tril_indices",
    "triu_indices", "zeros", "zeros_like", "empty_strided", "combinations", "cartesian_prod", "vander",
]  # fmt: skip


def array_from(data, dtype=None):
    """A new array of Python data (numbers, nested sequences, 0-d tensors among them) or of an array or Tensor."""
    if isinstance(data, Tensor):
        data = data._array
        if not isinstance(data, np.ndarray):  # it stays on its device
            return data.astype(data.dtype if dtype is None else dtype)
    if isinstance(data, (np.ndarray, np.generic)):
        if dtype is None:
            dtypes.from_numpy(data.dtype)
        return _cast_copy(np.asarray(data), dtype)
    kind = data.__class__
    if kind is float:
        return _from_numbers(data, as_numpy(None), dtype)
    if kind is int or kind is bool:
        return _from_numbers(data, np.dtype(bool if kind is bool else np.int64), dtype)
    if isinstance(data, (str, bytes)) or (not hasattr(data, "__len__") and not hasattr(data, "__array__")):
        if isinstance(data, (int, float)):
            return array_from(data.__class__.__mro__[-2](data), dtype)
        if isinstance(data, (str, bytes)):
            raise TypeError(f"new(): invalid data type '{type(data).__name__}'")
        raise RuntimeError(f"Could not infer dtype of {type(data).__name__}")
    if hasattr(data, "__array__") and not isinstance(data, (list, tuple)):
        return array_from(np.asarray(data), dtype)
    if not hasattr(data, "__getitem__") or isinstance(data, dict):
        raise RuntimeError(f"Could not infer dtype of {type(data).__name__}")
    shape, leaves = _unnest(data)
    found = _leaf_dtype(leaves)
    flat = np.empty(len(leaves), found if dtype is None else dtype)
    try:
        if leaves and all(x.__class__ in (float, int, bool) for x in leaves):
            flat = _from_numbers(leaves, found, dtype)
        else:
            state.run(_fill, flat, leaves)
    except (OverflowError, ValueError, TypeError) as error:
        raise _bad_value(error) from None
    return flat.reshape(shape)


def _fill(flat, leaves):
    for i, x in enumerate(leaves):
        flat[i] = x.item() if isinstance(x, Tensor) else x


def _bad_value(error):
    if isinstance(error, OverflowError):
        return RuntimeError(
            "Overflow when unpacking long long"
            if "long" in str(error)
            else f"value cannot be converted without overflow: {error}"
        )
    return error


def _from_numbers(data, found, dtype):
    """Python numbers as an array; what does not fit into an integer dtype is an error, but for -n as 2 ** bits - n."""
    if dtype is None or dtype == found:
        try:
            return state.run(np.array, data, found)
        except OverflowError:
            raise ValueError("Overflow when unpacking long long: int64 takes -2**63 to 2**63 - 1") from None
    if dtype.kind == "f":
        return state.run(cast, np.array(data, np.float64), dtype)
    if dtype.kind == "b":
        return np.array(data, found).astype(dtype)
    try:
        given = np.array(data, np.float64 if found.kind == "f" else np.int64)
    except OverflowError:
        raise ValueError("Overflow when unpacking long long: int64 takes -2**63 to 2**63 - 1") from None
    least, largest = dtypes.RANGES[dtype]
    lowest = least if least or found.kind == "f" else -largest
    if given.size and not (lowest <= given.min() and given.max() <= largest):  # nan is neither
        raise RuntimeError(
            f"value cannot be converted to type {dtype.name} without overflow: it takes {least} to {largest}"
        )
    return given.astype(dtype)


def _cast_copy(array, dtype):
    return state.run(cast, array, array.dtype if dtype is None else dtype)


def _unnest(data):
    """The shape of nested sequences, and their leaves in order; ValueError if they are ragged."""
    shape, level = [], [data]
    while True:
        first = level[0]
        if isinstance(first, Tensor) and first._array.ndim:
            if first._array.size != 1:
                raise ValueError("only one element tensors can be converted to Python scalars")
            break
        if isinstance(first, np.ndarray) and first.ndim:
            level = [x.tolist() if isinstance(x, np.ndarray) else x for x in level]
            continue
        if isinstance(first, (str, bytes, dict, set)) or not hasattr(first, "__len__"):
            break
        if isinstance(first, (Tensor, np.generic)):
            break
        if isinstance(first, np.ndarray):
            break
        n = len(first)
        for x in level:
            if not hasattr(x, "__len__") or isinstance(x, np.generic):
                raise TypeError(
                    f"not a sequence: {type(x).__name__} beside sequences of length {n} at dim {len(shape)}"
                )
            if isinstance(x, Tensor) or len(x) != n:
                got = len(x) if hasattr(x, "__len__") and not isinstance(x, Tensor) else type(x).__name__
                raise ValueError(f"expected sequence of length {n} at dim {len(shape)} (got {got})")
        shape.append(n)
        level = [x for sub in level for x in sub]
        if not level:
            break
    for x in level:
        if isinstance(x, Tensor) and x._array.size != 1:
            raise ValueError("only one element tensors can be converted to Python scalars")
        if isinstance(x, (dict, set)):
            raise RuntimeError(f"Could not infer dtype of {type(x).__name__}")
        if hasattr(x, "__len__") and not isinstance(x, (Tensor, np.ndarray, np.generic, str, bytes)):
            raise TypeError(
                f"not a sequence of equal lengths: found {type(x).__name__} among numbers at dim {len(shape)}"
            )
    return tuple(shape), level


def _leaf_dtype(leaves):
    """The dtype that torch infers: any float makes it floating point, any int an integer, else bool."""
    if not leaves:
        return as_numpy(None)
    found = None
    for x in leaves:
        if isinstance(x, Tensor):
            d = x.dtype
        elif isinstance(x, (np.ndarray, np.generic)):
            d = dtypes.from_numpy(x.dtype)
        else:
            d = dtypes.scalar_dtype(x)
            if d is None:
                if isinstance(x, str) and found is None:
                    raise ValueError("too many dimensions 'str'")
                if isinstance(x, str):
                    raise TypeError("new(): invalid data type 'str'")
                raise RuntimeError(f"Could not infer dtype of {type(x).__name__}")
        found = d if found is None else dtypes.promote_types(found, d)
    return found.numpy


def tensor(data, *, dtype=None, device=None, requires_grad=False, pin_memory=False):
    """A leaf tensor of a copy of `data`: a number, nested sequences of numbers and 0-d tensors, an array, a tensor.

    >>> import minigrad
    >>> minigrad.tensor([[1.0, 2.0], [3.0, 4.0]])
    tensor([[1., 2.],
            [3., 4.]])
    """
    find_device(device)
    if isinstance(data, Tensor):
        warnings.warn(
            "To copy construct from a tensor, it is recommended to use sourceTensor.detach().clone() or "
            "sourceTensor.detach().clone().requires_grad_(True), rather than torch.tensor(sourceTensor).",
            UserWarning,
            stacklevel=3,
        )
    return made(array_from(data, None if dtype is None else as_numpy(dtype)), requires_grad, device)


def as_tensor(data, dtype=None, device=None):
    """`data` as a tensor: a tensor or array of the right dtype is not copied"""
    find_device(device)
    if isinstance(data, Tensor):
        return data if dtype is None and device is None else data.to(dtype=dtype, device=device)
    if isinstance(data, np.ndarray):
        out = from_numpy(data)
        return out if dtype is None and device is None else out.to(dtype=dtype, device=device)
    return tensor(data, dtype=dtype, device=device)


def asarray(obj, *, dtype=None, device=None, copy=None, requires_grad=False):
    """`obj` as a tensor, copied or not as `copy` asks; raises ValueError where `copy=False` cannot be"""
    out = (
        tensor(obj, dtype=dtype, device=device)
        if copy and not isinstance(obj, Tensor)
        else as_tensor(obj, dtype, device)
    )
    if copy and isinstance(obj, Tensor):
        out = out.clone()
    if copy is False and not np.may_share_memory(out._array, getattr(obj, "_array", obj)):
        what = "arbitrary sequence into a tensor"
        if isinstance(obj, Tensor):
            what = f"tensor with dtype '{obj.dtype.type_name}' into dtype '{out.dtype.type_name}'"
        raise ValueError(f"can't alias {what}: leave copy=None, which copies where it must")
    return out.requires_grad_() if requires_grad else out


def from_numpy(ndarray):
    """A tensor on the memory of an array: writing one shows in the other"""
    if not isinstance(ndarray, np.ndarray):
        raise TypeError(f"expected np.ndarray (got {type(ndarray).__name__})")
    dtypes.from_numpy(ndarray.dtype)
    if any(s < 0 for s in ndarray.strides):
        raise ValueError(
            "At least one stride in the given numpy array is negative, and tensors with negative strides are not "
            "currently supported. (You can probably work around this by making a copy of your array  with "
            "array.copy().) "
        )
    if not ndarray.flags.writeable:
        warnings.warn(
            "The given NumPy array is not writable, and PyTorch does not support non-writable tensors. This means "
            "writing to this tensor will result in undefined behavior. You may want to copy the array to protect its "
            "data or make it writable before converting it to a tensor.",
            UserWarning,
            stacklevel=3,
        )
        ndarray = ndarray.view()  # which does not own its memory: backward writes over no such array
    return wrap(ndarray if type(ndarray) is np.ndarray else ndarray.view(np.ndarray))


def frombuffer(buffer, *, dtype, count=-1, offset=0, requires_grad=False):
    """A vector on the memory of an object such as a bytearray: `count` elements (negative: all) from a byte on"""
    try:
        memory = memoryview(buffer)
    except TypeError:
        raise ValueError("object does not implement Python buffer protocol.") from None
    size, length = as_numpy(dtype).itemsize, memory.nbytes
    if not length or not count:
        raise ValueError(f"both buffer length ({length}) and count ({count}) must not be 0")
    if not 0 <= offset < length:
        raise ValueError(
            f"offset ({offset} bytes) must be non-negative and no greater than buffer length ({length} bytes) minus 1"
        )
    if count < 0 and (length - offset) % size:
        raise ValueError(
            f"buffer length ({length - offset} bytes) after offset ({offset} bytes) must be a multiple of element size "
            f"({size})"
        )
    if count * size > length - offset:
        raise ValueError(
            f"requested buffer length ({count} * {size} bytes) after offset ({offset} bytes) must not be greater than "
            f"actual buffer length ({length} bytes)"
        )
    if memory.readonly:
        warnings.warn(
            "The given buffer is not writable, and PyTorch does not support non-writable tensors: writing to this one "
            "is an error. Copy the buffer, as in bytearray(buffer), to write.",
            UserWarning,
            stacklevel=3,
        )
    return made(np.frombuffer(memory, as_numpy(dtype), max(count, -1), offset), requires_grad, None)


def from_dlpack(ext_tensor):
    """A tensor on the memory of any array that speaks DLPack"""
    if type(ext_tensor).__name__ == "PyCapsule":
        ext_tensor = _Capsule(ext_tensor)
    array = np.from_dlpack(ext_tensor)
    dtypes.from_numpy(array.dtype)
    return wrap(array)


class _Capsule:
    """What an array library's to_dlpack gave, as an object that speaks DLPack."""

    def __init__(self, capsule):
        self.capsule = capsule

    def __dlpack__(self, **keywords):
        return self.capsule

    def __dlpack_device__(self):
        return (1, 0)  # the CPU


def _refuse_out(name, out):
    if out is not None:
        raise TypeError(f"{name}() has no `out` in minigrad: assign the result, or write it with out.copy_()")


def _filler(make, name, doc):
    def function(*size, dtype=None, device=None, requires_grad=False, layout=None, pin_memory=False, memory_format=None,
                 out=None, names=None, **keywords):  # fmt: skip
        find_device(device)
        _refuse_out(name, out)
        if "size" in keywords:
            size = (keywords.pop("size"),)
        elif not size:
            raise TypeError(f'{name}() missing 1 required positional arguments: "size": give ints or one tuple')
        if keywords:
            raise TypeError(f"{name}() got an unexpected keyword argument '{next(iter(keywords))}'")
        shape = sizes(size, name)
        if name == "zeros" and shape and min(shape) < 0:
            raise RuntimeError(f"zeros: Dimension size must be non-negative. Got {list(shape)}")
        out = made(make(nonnegative(shape), as_numpy(dtype)), requires_grad, device)
        return out if memory_format is None else laid_out(out, memory_format)

    function.__name__, function.__doc__ = name, doc
    return function


zeros = _filler(np.zeros, "zeros", "Zeros of a shape, given as ints or one tuple.")
ones = _filler(np.ones, "ones", "Ones of a shape, given as ints or one tuple.")
empty = _filler(np.empty, "empty", "Memory of a shape, holding whatever was there.")


def full(size, fill_value, *, dtype=None, device=None, requires_grad=False, layout=None, pin_memory=False):
    """A shape full of one value, whose type gives the dtype"""
    find_device(device)
    if not isinstance(size, (tuple, list)):
        raise TypeError(f"full(): argument 'size' (position 1) must be tuple of ints, not {type(size).__name__}")
    shape = nonnegative(sizes((size,), "full"))
    value = fill_value.item() if isinstance(fill_value, Tensor) else fill_value
    if dtypes.scalar_dtype(value) is None:
        raise TypeError(f"full(): argument 'fill_value' (position 2) must be Number, not {type(value).__name__}")
    target = (
        (dtypes.scalar_dtype(value) if not isinstance(fill_value, Tensor) else fill_value.dtype).numpy
        if dtype is None
        else as_numpy(dtype)
    )
    out = np.empty(shape, target)
    state.run(out.fill, scalar_as(value, dtypes.from_numpy(target)))
    return made(out, requires_grad, device)


def _like(make, name, doc):
    def function(
        input, *, dtype=None, device=None, requires_grad=False, layout=None, memory_format=None, pin_memory=False
    ):
        find_device(device)
        if not isinstance(input, Tensor):
            raise TypeError(f"{name}(): argument 'input' (position 1) must be Tensor, not {type(input).__name__}")
        array = input._array
        order = "K" if 0 not in array.strides else "C"
        out = made(make(array, array.dtype if dtype is None else as_numpy(dtype), order), requires_grad, device)
        return out if memory_format is None else laid_out(out, memory_format)

    function.__name__, function.__doc__ = name, doc
    return function


zeros_like = _like(np.zeros_like, "zeros_like", "Zeros of the shape and dtype of a tensor.")
ones_like = _like(np.ones_like, "ones_like", "Ones of the shape and dtype of a tensor.")
empty_like = _like(np.empty_like, "empty_like", "Memory of the shape and dtype of a tensor.")


def full_like(input, fill_value, *, dtype=None, device=None, requires_grad=False, layout=None, memory_format=None):
    """One value in the shape and dtype of a tensor"""
    out = empty_like(input, dtype=dtype, device=device, memory_format=memory_format)
    return out.fill_(fill_value).requires_grad_(requires_grad)


def empty_strided(size, stride, *, dtype=None, device=None, requires_grad=False):
    """Memory of a shape with given strides, in elements"""
    extent = 1 + sum((n - 1) * s for n, s in zip(size, stride)) if 0 not in size else 0
    buffer = np.empty(extent, as_numpy(dtype))
    view = np.lib.stride_tricks.as_strided(buffer, tuple(size), [s * buffer.itemsize for s in stride])
    return made(view, requires_grad, device)


def scalar_tensor(s, *, dtype=None, device=None, requires_grad=False):
    """A 0-d tensor of the default dtype."""
    return made(np.array(s, as_numpy(dtype)), requires_grad, device)


def eye(n, m=None, *, dtype=None, device=None, requires_grad=False, layout=None, pin_memory=False):
    """Ones on the diagonal of an n by m matrix, zeros elsewhere"""
    find_device(device)
    if n < 0 or (m is not None and m < 0):
        raise RuntimeError(
            f"n must be greater or equal to 0, got {n}" if n < 0 else f"m must be greater or equal to 0, got {m}"
        )
    return made(np.eye(n, m, dtype=as_numpy(dtype)), requires_grad, device)


def _number(x):
    return x.item() if isinstance(x, (Tensor, np.generic)) else x


def arange(
    *args, dtype=None, device=None, requires_grad=False, layout=None, pin_memory=False, out=None, **keywords
):  # fmt: skip
    """start, start + step, ... below end: ceil((end - start) / step) numbers

    >>> import minigrad
    >>> minigrad.arange(0, 10, 2)
    tensor([0, 2, 4, 6, 8])
    """
    find_device(device)
    names = ["end"] if len(args) == 1 and "end" not in keywords else ["start", "end", "step"]
    given = dict(zip(names, args)) | keywords
    if len(args) > 3 or "end" not in given or given.keys() - {"start", "end", "step"}:
        shown = [type(x).__name__ for x in args] + [f"{k}={type(x).__name__}" for k, x in keywords.items()]
        raise TypeError(
            f"arange() received an invalid combination of arguments - got ({', '.join(shown)}), but expected (end), "
            "(start, end) or (start, end, step)"
        )
    _refuse_out("arange", out)
    start, end, step = _number(given.get("start", 0)), _number(given["end"]), _number(given.get("step", 1))
    if step == 0:
        raise RuntimeError("step must be nonzero")
    if not (math.isfinite(start) and math.isfinite(end)):
        raise RuntimeError(f"unsupported range: {start} -> {end}")
    if (step > 0) != (end >= start) and start != end:
        raise RuntimeError("upper bound and lower bound inconsistent with step sign")
    if dtype is None:
        dtype = dtypes.int64 if all(isinstance(v, int) for v in (start, end, step)) else dtypes.get_default_dtype()
    target = as_numpy(dtype)
    if target.kind == "b":
        raise NotImplementedError("\"arange_cpu\" not implemented for 'Bool'")
    if target == np.int64:  # only for this one does torch cut the bounds before it counts
        start, end, step = int(start), int(end), int(step)
        if step == 0:
            raise ValueError("step must be nonzero: it is cut to a whole number, as the bounds are")
    whole_numbers = isinstance(start, int) and isinstance(end, int) and isinstance(step, int)
    n = max(0, -((start - end) // step) if whole_numbers else math.ceil((end - start) / step))
    if target.kind == "f":
        return made(state.run(_stepped, start, step, n, target), requires_grad, device)
    return made((int(start) + np.arange(n) * int(step)).astype(target), requires_grad, device)


def _line(a, b, i):
    """a + b * i in the dtype of b; i counts."""
    return a + b * i.astype(b.dtype)


def _fused_line(a, b, i):
    """`_line` with one rounding, as a fused multiply-add has it."""
    exact = np.float64 if b.dtype == np.float32 else np.longdouble
    a, product = exact(a), exact(b) * i.astype(exact)
    total = a + product
    rest = (a - (total - (total - a))) + (product - (total - a))  # what the addition lost, as Knuth's TwoSum has it
    nearest = total.astype(b.dtype)
    other = np.nextafter(nearest, np.where(total > nearest, np.inf, -np.inf).astype(b.dtype))
    tie = (nearest.astype(exact) + other.astype(exact)) / 2 == total  # between the two, but for what was lost
    out = np.where(tie & (rest > 0), np.maximum(nearest, other), nearest)
    return np.where(tie & (rest < 0), np.minimum(nearest, other), out)


def _stepped(start, step, n, target):
    """start + step * i as torch's kernel has it on one thread: 32 bytes at a time counted from their first element,
    which is rounded to the dtype, and one by one after the last two such blocks. Of more than 32,768 numbers each of
    torch's threads takes a share, whose blocks then begin elsewhere."""
    wide = np.float32 if target.itemsize == 2 else np.float64
    start, step, lanes = wide(start), wide(step), 32 // target.itemsize
    out = _fused_line(start, step, np.arange(n)).astype(target)
    blocks = out[: n // (2 * lanes) * 2 * lanes].reshape(-1, lanes)
    blocks[...] = _fused_line(blocks[:, :1].astype(wide), step, np.arange(lanes))
    return out


def range(start=0, end=None, step=1, *, dtype=None, device=None, requires_grad=False):
    """arange with the end included, in the default dtype (deprecated in torch)"""
    warnings.warn(
        "torch.range is deprecated and will be removed in a future release because its behavior is inconsistent with "
        "Python's range builtin. Instead, use torch.arange, which produces values in [start, end).",
        UserWarning,
        stacklevel=3,
    )
    if end is None:
        start, end = 0, start
    if step == 0:
        raise RuntimeError("step must be nonzero")
    if (step > 0) != (end >= start) and start != end:
        raise RuntimeError("upper bound and lower bound inconsistent with step sign")
    target = as_numpy(dtype)
    wide = {"f": np.float32 if target.itemsize == 2 else np.float64}.get(target.kind, np.int64)
    start, end, step = wide(start), wide(end), wide(step)
    if step == 0:
        raise RuntimeError("step must be nonzero: it is cut to a whole number, as the bounds are")
    n = int((end - start) / step + 1)
    return made(state.run(_line(start, step, np.arange(n)).astype, target), requires_grad, device)


def linspace(start, end, steps, *, dtype=None, device=None, requires_grad=False, layout=None, pin_memory=False):
    """`steps` numbers from start to end, both included, equally spaced; computed from the nearer end, as in torch"""
    find_device(device)
    if whole(steps, "linspace", "steps") < 0:
        raise RuntimeError("number of steps must be non-negative")
    target = as_numpy(dtype)
    start, end = _number(start), _number(end)
    if steps < 2:
        start = start if steps else 0
        return full((steps,), start, dtype=dtypes.from_numpy(target), device=device, requires_grad=requires_grad)
    start, end = _in_dtype(start, target), _in_dtype(end, target)
    return made(state.run(_evenly, start, end, steps, target), requires_grad, device)


def _evenly(start, end, steps, target):
    if target.kind == "f":
        step = (end - start) / target.type(steps - 1)
    else:
        start, end, step = np.float64(start), np.float64(end), np.float64((end - start) / (steps - 1))
    array = _spaced(start, end, step, steps, _line if step.dtype == np.float16 else _fused_line)
    return array.astype(target, copy=False)


def _in_dtype(value, target):
    """A number as one of a dtype, of an integer one as Python's."""
    value = scalar_as(value, dtypes.from_numpy(target))
    return target.type(value) if target.kind == "f" else value


def _spaced(start, end, step, steps, line):
    """torch's kernels: start + step * i in the first half, end - step * (steps - 1 - i) in the second."""
    half = steps // 2
    return np.concatenate([line(start, step, np.arange(half)), line(end, -step, np.arange(steps - half)[::-1])])


def logspace(start, end, steps, base=10.0, *, dtype=None, device=None, requires_grad=False):
    """base ** linspace(start, end, steps)"""
    find_device(device)
    if whole(steps, "logspace", "steps") < 0:
        raise RuntimeError("number of steps must be non-negative")
    target, start, end = as_numpy(dtype), _number(start), _number(end)
    if steps < 2:
        power = _power(base, np.float64(start)) if steps else np.float64(0)
        power = state.run(power.astype, target).item() if target.kind == "f" else power.item()
        return full((steps,), power, dtype=dtypes.from_numpy(target), device=device, requires_grad=requires_grad)
    start, end = _in_dtype(start, target), _in_dtype(end, target)
    step = np.float64(state.run(operator.sub, end, start)) / (steps - 1)
    powers = _power(base, state.run(_spaced, np.float64(start), np.float64(end), step, steps, _line))
    return made(state.run(powers.astype, target), requires_grad, device)


def _power(base, exponents):
    """Powers in double precision, all but exact, as C's pow has them and NumPy's has not."""
    return state.run(np.power, np.longdouble(base), exponents.astype(np.longdouble)).astype(np.float64)


def tril_indices(row, col, offset=0, *, dtype=dtypes.int64, device=None):
    """The row and column numbers of a lower triangle."""
    return made(np.stack(np.tril_indices(row, offset, col)).astype(as_numpy(dtype)), False, device)


def triu_indices(row, col, offset=0, *, dtype=dtypes.int64, device=None):
    """The row and column numbers of an upper triangle."""
    return made(np.stack(np.triu_indices(row, offset, col)).astype(as_numpy(dtype)), False, device)


def combinations(input, r=2, with_replacement=False):
    """The combinations of r elements, one a row."""
    choose = itertools.combinations_with_replacement if with_replacement else itertools.combinations
    rows = list(choose(iter(np.arange(input._array.size).tolist()), r))
    places = np.array(rows, np.int64).reshape(len(rows), r)
    return input[wrap(places)]


def cartesian_prod(*tensors):
    """Every combination of one element from each vector, one a row."""
    if len(tensors) == 1:
        return tensors[0]
    return _stack([g.reshape(-1) for g in meshgrid(*tensors, indexing="ij")], 1)


def vander(x, N=None, increasing=False):
    """The powers of each element, one row an element."""
    n = x._array.size if N is None else N
    powers = [x**k for k in (np.arange(n) if increasing else np.arange(n)[::-1]).tolist()]
    return _stack(powers, -1) if powers else wrap(np.zeros((x._array.size, 0), x._array.dtype))
