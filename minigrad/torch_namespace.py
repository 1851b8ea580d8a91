"""Torch tensors as plain arrays: how `device="cuda"` is reached.

Owns `Torch`, NumPy's namespace answered by torch functions on torch tensors; `TorchArray`, a torch tensor with
ndarray's face, whose dtype is NumPy's and which answers NumPy's own functions through their protocols, so that hardly
any file has to ask whose array it is; and `hold`, which puts one into a Tensor. torch differentiates nothing here: its
tensors never require grad. Imported only when asked for, because torch is optional.
"""

import functools
import math
import operator
from collections import namedtuple
from typing import Any

import numpy as np

try:
    import torch
except ImportError as error:
    raise ImportError(
        "minigrad holds NumPy arrays; arrays on a GPU are torch's, and torch is not installed. "
        "Install it with: pip install 'minigrad[gpu]'"
    ) from error
if not hasattr(torch, "_C"):
    raise ImportError(
        "arrays on a GPU are torch's, but in this process the name torch stands for minigrad, as under "
        "`python -m minigrad run`: use minigrad under its own name, or stay on the CPU"
    )

from . import dtypes
from .namespace import _DIRECT, NumPy, count, inverse, kept_shape, namespaces, sum_axes
from .tensor import wrap

TORCH_DTYPES = {d.numpy: getattr(torch, d.name) for d in dtypes.ALL}
dtypes.HALF.add(torch.float16)
NUMPY_DTYPES = {theirs: ours for ours, theirs in TORCH_DTYPES.items()}


def torch_dtype(dtype):
    """torch's name for a NumPy dtype; torch's own pass."""
    return dtype if isinstance(dtype, torch.dtype) else TORCH_DTYPES[np.dtype(dtype)]


def _all_or(axis, x):
    return tuple(range(x.ndim)) if axis is None else axis if isinstance(axis, tuple) else (axis,)


def _left(x, axis, keepdims):
    """The shape that a reduction leaves."""
    return kept_shape(x.shape, axis) if keepdims else [n for i, n in enumerate(x.shape) if i not in _all_or(axis, x)]


def _var(x, axis, correction, keepdims):
    """The variance, of half precision in single."""
    wide = x.float() if x.dtype is torch.float16 else x
    n = count(x.shape, axis)
    centred = wide - Torch.sum(wide, axis, True) / (n or math.nan)
    return Torch.sum(centred * centred, axis, keepdims) / max(n - correction, 0)


def _clamped(scalar):
    """maximum and minimum, which torch has for two tensors only, with a number as the second."""

    def choose(function):
        def chosen(x1, x2):
            if isinstance(x1, torch.Tensor) and isinstance(x2, torch.Tensor):
                return function(x1, x2)
            x, number = (x1, x2) if isinstance(x1, torch.Tensor) else (x2, x1)
            return torch.clamp(x, **{scalar: number})

        return chosen

    return choose


def _of_tensors(function):
    """A function of two tensors, one of which may be given as a number."""

    def called(x1, x2):
        x1 = x1 if isinstance(x1, torch.Tensor) else torch.full_like(x2, x1)
        return function(x1, x2 if isinstance(x2, torch.Tensor) else torch.full_like(x1, x2))

    return called


class Torch:
    """torch under the names that ops use. Every function takes and returns torch tensors that require no gradient."""

    count, inverse = count, inverse
    recorded = False

    # -- elementwise

    maximum, minimum = _clamped("min")(torch.maximum), _clamped("max")(torch.minimum)

    def where(condition, a, b):
        if not isinstance(a, torch.Tensor) and not isinstance(b, torch.Tensor):  # NumPy's choice of dtype
            a = torch.full((), a, dtype=torch.float64, device=condition.device)
        if not isinstance(condition, torch.Tensor):
            condition = torch.tensor(condition, device=(a if isinstance(a, torch.Tensor) else b).device)
        return torch.where(condition, a, b)

    def zeros_like(a):
        return torch.zeros_like(a)

    def cast(x, dtype):
        return x.to(torch_dtype(dtype), copy=True)

    def convert(x, dtype):
        return x.to(torch_dtype(dtype), copy=True)

    def copy(x):
        return x.clone()

    def to_device(x, device):
        return x.to(str(device), copy=True)

    def sign(x):
        return torch.sign(x)

    def inv(x):
        return torch.linalg.inv(x)

    def solve(a, b, vector=False):
        b = b[..., None] if vector else b
        b = b.expand(*torch.broadcast_shapes(a.shape[:-2], b.shape[:-2]), *b.shape[-2:])
        return torch.linalg.solve(a, b)[..., 0] if vector else torch.linalg.solve(a, b)

    def solve_right(a, b):
        return Torch.solve(a.mT, b.mT).mT

    def cholesky(x):
        return torch.linalg.cholesky(x)

    def times(x, number):
        return x * number

    def over_count(x, count):
        return x / count

    def div_floor(a, b):
        return torch.div(a, b, rounding_mode="floor")

    def div_trunc(a, b):
        return torch.div(a, b, rounding_mode="trunc")

    def round(x, decimals):
        return torch.round(x, decimals=decimals) if x.is_floating_point() else x.clone()

    def power(x, n):
        return torch.pow(x, n)

    def pow(a, b):
        return torch.pow(a, b)

    def rsqrt(x):
        return torch.rsqrt(x)

    def sigmoid(x):
        return torch.sigmoid(x)

    def xlogy(a, b):
        return torch.xlogy(a, b)

    def erf(x):
        return torch.erf(x)

    def gcd(a, b):
        return torch.gcd(a, b)

    def lcm(a, b):
        return torch.lcm(a, b)

    def erfc(x):
        return torch.erfc(x)

    def lowest(x):
        return torch.finfo(x.dtype).min

    def passed(x, gate):
        return torch.where(gate <= 0, 0, x)

    def zeros(shape, like):
        return torch.zeros(shape, dtype=like.dtype, device=like.device)

    # -- reductions

    def sum_to(g, shape):
        if g.shape == shape:
            return g
        return g.sum(sum_axes(g.shape, shape), keepdim=True, dtype=g.dtype).reshape(shape)

    def widen(g, shape, axis, keepdims):
        return g if keepdims or axis is None else g.reshape(kept_shape(shape, axis))

    def sum(x, axis, keepdims):
        if axis == ():  # torch takes it for all
            return x.to(x.dtype if x.is_floating_point() else torch.int64, copy=True)
        return torch.sum(x, _all_or(axis, x), keepdim=keepdims)

    def mean(x, axis, keepdims):
        return x.clone() if axis == () else torch.mean(x, _all_or(axis, x), keepdim=keepdims)

    def mean_in_double(x, axis, keepdims):
        return Torch.mean(x.double(), axis, keepdims).to(x.dtype)

    def var(x, axis, correction, keepdims):
        return _var(x, axis, correction, keepdims).to(x.dtype)

    def std(x, axis, correction, keepdims):
        return _var(x, axis, correction, keepdims).sqrt().to(x.dtype)

    def norm(x, p, axis, keepdims):
        return torch.linalg.vector_norm(x, p, axis, keepdims)

    def prod(x, axis, keepdims):
        out = x if x.is_floating_point() else x.to(torch.int64)
        for i in sorted(_all_or(axis, x), reverse=True):
            out = torch.prod(out, i, keepdim=keepdims)
        return out.clone() if out is x else out

    def median(x):
        return torch.median(x)

    def nanmedian(x):
        return torch.nanmedian(x)

    def amax(x, axis, keepdims):
        if axis == ():
            return x.clone()
        if not x.numel() and x.is_floating_point():
            return torch.full(_left(x, axis, keepdims), -math.inf, dtype=x.dtype, device=x.device)
        return torch.amax(x, _all_or(axis, x), keepdim=keepdims)

    def amin(x, axis, keepdims):
        return x.clone() if axis == () else torch.amin(x, _all_or(axis, x), keepdim=keepdims)

    def any(x, axis, keepdims):
        return x != 0 if axis == () else torch.any(x != 0, _all_or(axis, x), keepdim=keepdims)

    def all(x, axis, keepdims):
        return x != 0 if axis == () else torch.all(x != 0, _all_or(axis, x), keepdim=keepdims)

    def argmax(x, axis, keepdims):
        return torch.argmax(x.to(torch.uint8) if x.dtype is torch.bool else x, axis, keepdim=keepdims)

    def argmin(x, axis, keepdims):
        return torch.argmin(x.to(torch.uint8) if x.dtype is torch.bool else x, axis, keepdim=keepdims)

    def argsort(x, axis, descending):
        return torch.sort(x, dim=axis, descending=descending, stable=True).indices

    def cumsum(x, axis):
        return torch.cumsum(x, axis)

    def cumprod(x, axis):
        return torch.cumprod(x, axis)

    def logcumsumexp(x, axis):
        return torch.logcumsumexp(x, axis)

    # -- shape

    def reshape(x, shape):
        return x.reshape(shape)

    def permute(x, axes):
        return x.permute(axes)

    def broadcast_to(x, shape):
        return x.expand(shape)

    def diagonal(x, offset, axes):
        return torch.diagonal(x, offset, *axes)

    def diagonal_adjoint(x, shape, offset, axes):
        out = Torch.zeros(shape, x)
        torch.diagonal(out, offset, *axes).copy_(x)
        return out

    def unfold(x, axis, size, step):
        return x.unfold(axis, size, step)

    def unfold_adjoint(x, shape, axis, size, step):
        return torch.ops.aten.unfold_backward(x, shape, axis, size, step)

    def rot90(x, k, axes):
        return torch.rot90(x, k, axes)

    def flip(x, axes):
        return torch.flip(x, axes if isinstance(axes, tuple) else (axes,))

    def roll(x, shifts, axes):
        return torch.roll(x, shifts, () if axes is None else axes)

    def tril(x, k):
        return torch.tril(x, k)

    def triu(x, k):
        return torch.triu(x, k)

    def concat(arrays, axis):
        return torch.cat(arrays, axis)

    # -- indexing

    def item(x, key):
        return x[key]

    slice = index = item

    def slice_adjoint(x, shape, key):
        out = Torch.zeros(shape, x)
        out[key] = x
        return out

    def index_adjoint(x, shape, key):
        return Torch.with_item_added(Torch.zeros(shape, x), x, key)

    def with_item(x, value, key):
        out = x.clone()
        out[key] = value
        return out

    def with_item_added(x, value, key):
        # Through flat positions, because index_put_ takes no slices; a place that is named twice is added to twice.
        out = x.clone(memory_format=torch.contiguous_format)
        positions = torch.arange(x.numel(), device=x.device).reshape(x.shape)[key]
        value = torch.as_tensor(value, dtype=x.dtype, device=x.device).expand(positions.shape)
        out.view(-1).index_add_(0, positions.reshape(-1), value.reshape(-1))
        return out

    def cond(predicate, then, otherwise):
        return then() if bool(predicate) else otherwise()

    def gather(x, axis, index):
        return torch.gather(x, axis, index)

    def gather_adjoint(x, shape, axis, index):
        return Torch.scatter_add(Torch.zeros(shape, x), x, axis, index)

    def scatter(x, src, axis, index):
        if not isinstance(src, torch.Tensor) or not src.ndim:
            return x.scatter(axis, index, src if not isinstance(src, torch.Tensor) else src.expand(index.shape))
        return x.scatter(axis, index, src)

    def scatter_add(x, src, axis, index):
        return x.scatter_add(axis, index, src)

    def embed(x, shape):
        """x in the first corner of zeros of `shape`."""
        if x.shape == shape:
            return x
        return Torch.slice_adjoint(x, shape, tuple(slice(n) for n in x.shape))

    def put_positions(x, value, positions):
        out = x.clone(memory_format=torch.contiguous_format)
        out.view(-1)[positions] = value
        return out

    def at_positions(x, positions, index=None):
        return x.reshape(-1)[positions]

    # -- products

    def matmul(a, b):
        return torch.matmul(a, b)

    def mv(a, b):
        return torch.matmul(a, b)

    def mT(x):
        return x.transpose(-1, -2)

    def dot(a, b):
        return torch.dot(a, b)

    def sum_of_products(a, b):
        return Torch.sum(a * b, None, False)

    def outer(a, b):
        return a[:, None] * b

    def linear(x, weight, bias):
        return torch.nn.functional.linear(x, weight, bias)


_BINARY = {"atan2", "logaddexp", "logaddexp2", "fmax", "fmin", "remainder", "fmod", "hypot", "copysign"}
for _name in (*_DIRECT, "remainder"):
    if not hasattr(Torch, _name):
        _function = getattr(torch, _name)
        setattr(Torch, _name, _of_tensors(_function) if _name in _BINARY else _function)
namespaces[torch.Tensor] = Torch


# -- a torch tensor with ndarray's face ------------------------------------------------------------------------------

Flags = namedtuple("Flags", "c_contiguous f_contiguous owndata writeable")


class TorchArray:
    """A torch tensor, `tensor`, that the rest of minigrad takes for an ndarray.

    An operator or a NumPy function gives another TorchArray or raises: nothing falls back to the CPU unasked. A 0-d
    NumPy array beside it counts as a number, as a 0-d CPU tensor does in torch; a larger one raises RuntimeError.
    """

    __slots__ = ("tensor", "dtype", "__weakref__")
    __hash__ = None  # type: ignore[assignment]
    base = None  # torch itself refuses writes that overlap

    def __init__(self, tensor):
        self.tensor = tensor
        try:
            self.dtype = NUMPY_DTYPES[tensor.dtype]
        except KeyError:
            known = ", ".join(d.name for d in dtypes.ALL)
            raise TypeError(f"minigrad has no dtype for {tensor.dtype}; it has {known}") from None

    def __repr__(self):
        return f"TorchArray({self.tensor!r})"

    # -- what it is

    shape = property(lambda self: self.tensor.shape)  # torch.Size is a tuple
    ndim = property(lambda self: self.tensor.ndim)
    size = property(lambda self: self.tensor.numel())
    itemsize = property(lambda self: self.tensor.element_size())
    nbytes = property(lambda self: self.size * self.itemsize)
    strides = property(lambda self: tuple(n * self.itemsize for n in self.tensor.stride()))
    address = property(lambda self: self.tensor.data_ptr())
    device = property(lambda self: dtypes.device(str(self.tensor.device)))
    T = property(lambda self: self.transpose(tuple(range(self.ndim)[::-1])))
    flat = property(lambda self: self.numpy().flat)

    @property
    def flags(self):
        """Of ndarray's flags those that minigrad asks for; memory is never taken over, so owndata is False."""
        return Flags(self.tensor.is_contiguous(), self.T.tensor.is_contiguous(), False, True)

    # -- out of torch

    def numpy(self):
        """The same numbers in an ndarray: the same memory where that is the CPU's."""
        return self.tensor.cpu().numpy()

    def item(self):
        return self.tensor.item()

    def tolist(self):
        return self.tensor.tolist()

    def __array__(self, dtype=None, copy=None):
        raise TypeError(
            f"an array on device '{self.device}' is not turned into a NumPy array unasked: use tensor.cpu() or "
            "tensor.numpy(), or an operation that runs on that device"
        )

    def __dlpack__(self, **keywords):
        return self.tensor.__dlpack__(**keywords)

    def __dlpack_device__(self):
        return self.tensor.__dlpack_device__()

    def __bool__(self):
        return bool(self.tensor)

    def __int__(self):
        return int(self.tensor)

    def __float__(self):
        return float(self.tensor)

    __index__ = __int__

    def __len__(self):
        return len(self.tensor)

    def __iter__(self):
        return (TorchArray(row) for row in self.tensor)

    # -- ndarray's methods

    def astype(self, dtype, order="K", copy=True):
        if not copy and self.dtype == dtype:
            return self
        return TorchArray(self.tensor.to(torch_dtype(dtype), copy=True))

    def copy(self, order="C"):
        return TorchArray(self.tensor.clone(memory_format=torch.contiguous_format))

    def reshape(self, *shape):
        return TorchArray(self.tensor.reshape(*shape))

    def ravel(self):
        return TorchArray(self.tensor.reshape(-1))

    def transpose(self, axes):
        return TorchArray(self.tensor.permute(tuple(axes)))

    def swapaxes(self, axis1, axis2):
        return TorchArray(self.tensor.transpose(axis1, axis2))

    def view(self, dtype):
        return TorchArray(self.tensor.view(torch_dtype(dtype)))

    def fill(self, value):
        self.tensor.fill_(_beside(value))

    def sum(self, axis=None, keepdims=False):
        return TorchArray(Torch.sum(self.tensor, axis, keepdims))

    def mean(self, axis=None, keepdims=False):
        return TorchArray(Torch.mean(self.tensor, axis, keepdims))

    def any(self, axis=None, keepdims=False):
        return TorchArray(Torch.any(self.tensor, axis, keepdims))

    def all(self, axis=None, keepdims=False):
        return TorchArray(Torch.all(self.tensor, axis, keepdims))

    def min(self):
        return TorchArray(self.tensor.min())

    def max(self):
        return TorchArray(self.tensor.max())

    def argsort(self, axis=-1, kind=None):
        return TorchArray(Torch.argsort(self.tensor, axis, False))

    def __getitem__(self, key):
        return TorchArray(self.tensor[_lowered(key, self.tensor.device)])

    def __setitem__(self, key, value):
        self.tensor[_lowered(key, self.tensor.device)] = _lowered(value, self.tensor.device)

    # -- NumPy's protocols

    def __array_ufunc__(self, ufunc, method, *inputs, out=None, dtype=None, casting=None, **keywords):
        function = METHODS.get(method, {}).get(ufunc)
        if function is None:
            return NotImplemented
        if method == "at":
            return _write_at(function, *inputs)
        if out is not None and out[0].__class__ is not TorchArray:
            raise other_device(self.tensor.device, "cpu")
        if out is not None and out[0] is inputs[0] and ufunc in IN_PLACE and method == "__call__":
            IN_PLACE[ufunc](out[0].tensor, _beside(inputs[1]))
            return out[0]
        if method == "accumulate":
            result = function(inputs[0].tensor, keywords.pop("axis", 0)).values
        elif method == "reduce":
            axis, keepdims = keywords.pop("axis", 0), keywords.pop("keepdims", False)
            result = function(inputs[0].tensor, axis, keepdims)
        else:
            result = function(*map(_beside, inputs))
        if keywords:
            return NotImplemented
        if dtype is not None:
            result = result.to(torch_dtype(dtype))
        if out is None:
            return TorchArray(result)
        out[0].tensor.copy_(result)
        return out[0]

    def __array_function__(self, function, types, args, keywords):
        known = FUNCTIONS.get(function)
        return NotImplemented if known is None else known(*args, **keywords)


def other_device(one, other):
    """torch's complaint about arrays that live on different devices."""
    return RuntimeError(
        f"Expected all tensors to be on the same device, but found at least two devices, {one} and {other}! "
        "(A NumPy array and a torch array count as two, also where both are the CPU's.) Move one: tensor.to(device)."
    )


def _beside(x):
    """What may stand beside a torch tensor in an expression: another one, or a number."""
    if x.__class__ is TorchArray:
        return x.tensor
    if isinstance(x, (np.ndarray, np.generic)):
        if x.ndim:
            raise other_device("a torch array's", "cpu")
        return x.item()
    return x


def _lowered(x, device):
    """An argument as torch takes it; NumPy arrays, such as an index, are copied to the device."""
    if x.__class__ is TorchArray:
        return x.tensor
    if isinstance(x, (np.ndarray, np.generic)):
        return torch.from_numpy(np.array(x, order="C")).to(device) if x.ndim else x.item()
    if isinstance(x, (tuple, list)):
        return tuple(_lowered(i, device) for i in x)
    return x


def _raised(result):
    return TorchArray(result) if isinstance(result, torch.Tensor) else result


# What is not an operand but says where or which: it may come from the CPU.
TAKES_HOST = frozenset(
    "where item slice index slice_adjoint index_adjoint with_item with_item_added gather gather_adjoint scatter "
    "scatter_add put_positions at_positions".split()
)


def _lifted(name):
    """A function of `Torch` for TorchArrays."""
    function = getattr(Torch, name)

    @functools.wraps(function)
    def call(*args):
        operands = args[0] if name == "concat" else args
        device = next((a.tensor.device for a in operands if a.__class__ is TorchArray), None)
        if device is None:  # numbers only, beside which the TorchArray is the cotangent
            return getattr(NumPy, name)(*args)
        if name not in TAKES_HOST:
            for a in args:
                if a.__class__ is np.ndarray and a.ndim:
                    raise other_device(device, "cpu")
        return _raised(function(*[_lowered(a, device) for a in args]))

    return call


def _copy(x):
    return x.copy()  # also of a NumPy array beside a TorchArray


def place(x, device):
    """A copy of an array on a device (a `dtypes.device`): of a NumPy array a TorchArray, or the other way round.

    Raises RuntimeError if torch cannot reach the device.
    """
    if device.type == "cpu":
        return x.numpy().copy() if x.__class__ is TorchArray else x.copy()
    reach(device)
    tensor = x.tensor if x.__class__ is TorchArray else torch.from_numpy(np.array(x, order="C"))
    return TorchArray(Torch.to_device(tensor, device))


def reach(device):
    """Raise what torch does, AssertionError or RuntimeError, if it cannot use a device."""
    try:
        torch.empty(0, device=str(device))
    except (AssertionError, RuntimeError) as error:
        raise type(error)(
            f"{error}: device '{device}' cannot be used. minigrad reaches a GPU through torch {torch.__version__}; "
            "without one leave device out or give device='cpu'."
        ) from None


Held: Any = type("Held", (), {"__doc__": "`Torch` for TorchArrays."})
for _name in vars(NumPy):
    if not _name.startswith("_"):
        setattr(Held, _name, getattr(Torch, _name) if _name in ("count", "inverse") else _lifted(_name))
Held.copy, Held.to_device, Held.recorded = _copy, place, False
namespaces[TorchArray] = Held


def _operators():
    for name in "add sub mul truediv floordiv mod pow matmul and or xor lshift rshift".split():
        function = getattr(operator, name + "_" if name in ("and", "or") else name)

        def forward(self, other, function=function):
            if other.__class__ is TorchArray:  # the way to the answer for most, 0.2 us shorter
                return TorchArray(function(self.tensor, other.tensor))
            other = _beside(other)
            return TorchArray(function(self.tensor, other)) if _fits(other) else NotImplemented

        def reflected(self, other, function=function):
            other = _beside(other)
            return TorchArray(function(other, self.tensor)) if _fits(other) else NotImplemented

        def in_place(self, other, function=getattr(operator, "i" + name)):
            other = _beside(other)
            if not _fits(other):
                return NotImplemented
            self.tensor = function(self.tensor, other)
            return self

        setattr(TorchArray, f"__{name}__", forward)
        setattr(TorchArray, f"__r{name}__", reflected)
        if name != "matmul":
            setattr(TorchArray, f"__i{name}__", in_place)
    for name in "eq ne lt le gt ge".split():

        def compare(self, other, function=getattr(operator, name)):
            other = _beside(other)
            return TorchArray(function(self.tensor, other)) if _fits(other) else NotImplemented

        setattr(TorchArray, f"__{name}__", compare)
    for name in "neg pos abs invert".split():

        def alone(self, function=getattr(operator, name)):
            return TorchArray(function(self.tensor))

        setattr(TorchArray, f"__{name}__", alone)


def _fits(x):
    return isinstance(x, (torch.Tensor, int, float))


_operators()


# -- NumPy's functions of TorchArrays --------------------------------------------------------------------------------

UFUNCS = {getattr(np, name): getattr(Torch, name) for name in _DIRECT if isinstance(getattr(np, name), np.ufunc)} | {
    np.add: operator.add, np.subtract: operator.sub, np.multiply: operator.mul, np.true_divide: operator.truediv,
    np.floor_divide: Torch.div_floor, np.power: torch.pow, np.negative: operator.neg, np.positive: operator.pos,
    np.matmul: torch.matmul, np.equal: operator.eq, np.not_equal: operator.ne, np.less: operator.lt,
    np.less_equal: operator.le, np.greater: operator.gt, np.greater_equal: operator.ge, np.bitwise_and: operator.and_,
    np.bitwise_or: operator.or_, np.bitwise_xor: operator.xor, np.invert: operator.invert, np.isnan: torch.isnan,
    np.left_shift: operator.lshift, np.right_shift: operator.rshift, np.square: torch.square, np.rint: torch.round,
    np.reciprocal: torch.reciprocal,
}  # fmt: skip
IN_PLACE = {
    np.add: torch.Tensor.add_, np.subtract: torch.Tensor.sub_, np.multiply: torch.Tensor.mul_,
    np.true_divide: torch.Tensor.div_,
}  # fmt: skip
METHODS = {
    "__call__": UFUNCS,
    "reduce": {np.add: Torch.sum, np.multiply: Torch.prod, np.maximum: Torch.amax, np.minimum: Torch.amin},
    "accumulate": {np.maximum: torch.cummax, np.minimum: torch.cummin},
    "at": {np.add: "sum", np.multiply: "prod", np.maximum: "amax", np.minimum: "amin"},
}


def _write_at(reduce, array, key, values):
    """ufunc.at: combine values into the places that a key names, once for each time it names one."""
    x = array.tensor
    places = torch.arange(x.numel(), device=x.device).reshape(x.shape)[_lowered(key, x.device)]
    values = torch.as_tensor(_beside(values), dtype=x.dtype, device=x.device).expand(places.shape)
    x.copy_(x.reshape(-1).scatter_reduce(0, places.reshape(-1), values.reshape(-1), reduce).reshape(x.shape))


def _filled(value):
    def like(a, dtype=None, order="K", shape=None):
        dtype = torch_dtype(a.dtype if dtype is None else dtype)
        return TorchArray(torch.full(a.shape if shape is None else shape, value, dtype=dtype, device=a.tensor.device))

    return like


def _copyto(dst, src, casting="same_kind", where=True):
    if dst.__class__ is not TorchArray:
        np.copyto(dst, src.numpy(), casting, where=where)
    elif where is True:
        dst[...] = src
    else:
        device = dst.tensor.device
        src = _lowered(src, device)
        dst.tensor.copy_(torch.where(_lowered(where, device), src, dst.tensor))


def _extent(x):
    """The first and the last byte of an array's memory; of none, nothing."""
    x = x.tensor
    last = sum((n - 1) * s for n, s in zip(x.shape, x.stride()))
    return x.data_ptr(), x.data_ptr() + (last + 1) * x.element_size() if x.numel() else x.data_ptr()


def _may_share(a, b, max_work=None):
    if a.__class__ is not b.__class__:
        return False
    (first, end), (other_first, other_end) = _extent(a), _extent(b)
    return first < other_end and other_first < end


def _sum(a, axis=None, keepdims=False, where=True):
    if where is not True:
        a = TorchArray(torch.where(_lowered(where, a.tensor.device), a.tensor, 0))
    return a.sum(axis, keepdims)


def _clip(a, a_min, a_max, out=None):
    result = TorchArray(torch.clamp(a.tensor, _beside(a_min), _beside(a_max)))
    if out is None:
        return result
    out[...] = result
    return out


def _array_equal(a1, a2, equal_nan=False):
    if a1.__class__ is not a2.__class__:
        raise other_device("a torch array's", "cpu")
    same = a1.tensor == a2.tensor if a1.shape == a2.shape else None
    if same is not None and equal_nan:
        same |= (a1.tensor != a1.tensor) & (a2.tensor != a2.tensor)
    return same is not None and bool(same.all())


FUNCTIONS = {
    np.zeros_like: _filled(0), np.ones_like: _filled(1), np.empty_like: _filled(0),
    np.full_like: lambda a, fill_value, dtype=None: _filled(fill_value)(a, dtype),
    np.copyto: _copyto, np.may_share_memory: _may_share, np.shares_memory: _may_share, np.sum: _sum,
    np.array_equal: _array_equal,
    np.copy: lambda a: a.copy(),
    np.where: lambda condition, x, y: Held.where(condition, x, y),
    np.any: lambda a, axis=None, keepdims=False: a.any(axis, keepdims),
    np.all: lambda a, axis=None, keepdims=False: a.all(axis, keepdims),
    np.argmax: lambda a, axis=None, keepdims=False: Held.argmax(a, axis, keepdims),
    np.argmin: lambda a, axis=None, keepdims=False: Held.argmin(a, axis, keepdims),
    np.argsort: lambda a, axis=-1, kind=None: a.argsort(axis),
    np.count_nonzero: lambda a: int(torch.count_nonzero(a.tensor)),
    np.nonzero: lambda a: tuple(map(TorchArray, torch.nonzero(a.tensor, as_tuple=True))),
    np.expand_dims: lambda a, axis: TorchArray(a.tensor.unsqueeze(axis)),
    np.moveaxis: lambda a, source, destination: TorchArray(torch.movedim(a.tensor, source, destination)),
    np.ravel: lambda a: a.ravel(),
    np.reshape: lambda a, shape, copy=None: TorchArray((a.tensor.view if copy is False else a.tensor.reshape)(shape)),
    np.broadcast_to: lambda array, shape: TorchArray(array.tensor.expand(shape)),
    np.take_along_axis: lambda arr, indices, axis: TorchArray(
        torch.take_along_dim(arr.tensor, _lowered(indices, arr.tensor.device), axis)
    ),
    np.put_along_axis: lambda arr, indices, values, axis: arr.tensor.scatter_(
        axis, _lowered(indices, arr.tensor.device), _beside(values)
    ),
    np.isin: lambda element, test_elements, assume_unique=False, invert=False: TorchArray(
        torch.isin(_beside(element), _beside(test_elements), invert=invert)
    ),
    np.concatenate: lambda arrays, axis=0: Held.concat(tuple(arrays), axis),
    np.stack: lambda arrays, axis=0: TorchArray(torch.stack([a.tensor for a in arrays], axis)),
    np.dot: lambda a, b: TorchArray(Torch.matmul(a.tensor, _beside(b))),
    np.clip: _clip,
    np.unique: lambda ar: TorchArray(torch.unique(ar.tensor)),
    np.ndim: lambda a: a.ndim,
    np.shape: lambda a: a.shape,
}  # fmt: skip


def hold(tensor):
    """A Tensor on the memory of a torch tensor, which stays where it is; it knows nothing of torch's graph."""
    return wrap(TorchArray(tensor.detach()))
