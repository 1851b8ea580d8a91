"""Torch tensors as plain arrays: how `device="cuda"` is reached.

Owns `Torch`, NumPy's namespace answered by torch functions on torch tensors; `TorchArray`, a torch tensor with the part of
ndarray's face that minigrad looks at (its dtype is NumPy's, and NumPy's own functions answer through their protocols), so
that no other file asks which library an array belongs to; and `hold`, which puts one into a Tensor. torch computes and
differentiates nothing here. Imported only when asked for: torch is optional.
"""

import math
import operator

import numpy as np

try:
    import torch
except ImportError as error:
    raise ImportError(
        "minigrad holds NumPy arrays; arrays on a GPU are torch's, and torch is not installed. "
        "Install it with: pip install 'minigrad[gpu]'"
    ) from error

from . import dtypes
from .namespace import _DIRECT, NumPy, count, inverse, kept_shape, namespaces, sum_axes

TORCH_DTYPES = {d.numpy: getattr(torch, d.name) for d in dtypes.ALL}
NUMPY_DTYPES = {theirs: ours for ours, theirs in TORCH_DTYPES.items()}


def torch_dtype(dtype):
    """torch's name for a NumPy dtype; torch's own pass."""
    return dtype if isinstance(dtype, torch.dtype) else TORCH_DTYPES[np.dtype(dtype)]


def _all_or(axis, x):
    return tuple(range(x.ndim)) if axis is None else axis if isinstance(axis, tuple) else (axis,)


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

    count, inverse = staticmethod(count), staticmethod(inverse)

    # -- elementwise

    maximum, minimum = _clamped("min")(torch.maximum), _clamped("max")(torch.minimum)

    def where(condition, x, y):
        if not isinstance(x, torch.Tensor) and not isinstance(y, torch.Tensor):
            return torch.where(condition, torch.full((), x, dtype=torch.float64, device=condition.device), y)
        return torch.where(condition, x, y)

    def zeros_like(a):
        return torch.zeros_like(a)

    def cast(x, dtype):
        return x.to(torch_dtype(dtype), copy=True)

    def convert(x, dtype):
        return x.to(torch_dtype(dtype), copy=True)

    def copy(x):
        return x.clone()

    def sign(x):
        return torch.sign(x)

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

    def passed(x, gate):
        return torch.where(gate <= 0, 0, x)

    def zeros(shape, like):
        return torch.zeros(shape, dtype=like.dtype, device=like.device)

    def ones(shape, like):
        return torch.ones(shape, dtype=like.dtype, device=like.device)

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

    def var(x, axis, correction):
        wide = x.float() if x.dtype is torch.float16 else x
        n = count(x.shape, axis)
        centred = wide - Torch.sum(wide, axis, True) / (n or math.nan)
        total = Torch.sum(centred * centred, axis, True)
        return (total / max(n - correction, 0)).to(x.dtype)

    def prod(x, axis):
        out = x if x.is_floating_point() else x.to(torch.int64)
        for i in _all_or(axis, x):
            out = torch.prod(out, i, keepdim=True)
        return out.clone() if out is x else out

    def amax(x, axis):
        if axis == ():
            return x.clone()
        if not x.numel() and x.is_floating_point():
            return torch.full(kept_shape(x.shape, axis), -math.inf, dtype=x.dtype, device=x.device)
        return torch.amax(x, _all_or(axis, x), keepdim=True)

    def amin(x, axis):
        return x.clone() if axis == () else torch.amin(x, _all_or(axis, x), keepdim=True)

    def any(x, axis, keepdims):
        return x != 0 if axis == () else torch.any(x != 0, _all_or(axis, x), keepdim=keepdims)

    def all(x, axis, keepdims):
        return x != 0 if axis == () else torch.all(x != 0, _all_or(axis, x), keepdim=keepdims)

    def argmax(x, axis, keepdims):
        return torch.argmax(x.to(torch.uint8) if x.dtype is torch.bool else x, axis, keepdim=keepdims)

    def argmin(x, axis, keepdims):
        return torch.argmin(x.to(torch.uint8) if x.dtype is torch.bool else x, axis, keepdim=keepdims)

    def argsort(x, axis, descending):
        return torch.argsort(x, axis, descending, stable=True)

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

    def flip(x, axes):
        return torch.flip(x, axes if isinstance(axes, tuple) else (axes,))

    def roll(x, shifts, axes):
        return torch.roll(x, shifts, axes)

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
        value = value.expand(positions.shape) if isinstance(value, torch.Tensor) else torch.full_like(positions, value, dtype=x.dtype)
        out.view(-1).index_add_(0, positions.reshape(-1), value.reshape(-1))
        return out

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

    def at_positions(x, positions):
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

    def outer(a, b):
        return a[:, None] * b

    def rows(x):
        return x.reshape(-1, x.shape[-1]) if x.ndim != 2 else x

    def linear(x, weight, bias):
        return torch.nn.functional.linear(x, weight, bias)


_BINARY = {"atan2", "logaddexp", "fmax", "fmin", "remainder", "fmod", "hypot", "copysign"}
for _name in _DIRECT:
    if not hasattr(Torch, _name):
        _function = getattr(torch, _name)
        setattr(Torch, _name, _of_tensors(_function) if _name in _BINARY else _function)
for _name, _function in list(vars(Torch).items()):
    if callable(_function) and not isinstance(_function, staticmethod):
        setattr(Torch, _name, staticmethod(_function))
namespaces[torch.Tensor] = Torch
