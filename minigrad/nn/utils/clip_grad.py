"""Clipping of the gradients of many parameters at once.

Works on the arrays of gradients outside autograd: nothing here is recorded. Knows no module.
"""

from __future__ import annotations

import math
import types
import warnings
from collections.abc import Iterable

import numpy as np

from ... import functions
from ...inplace import refuse_repeated
from ...tensor import Tensor, as_array, wrap

__all__ = [
    "clip_grad_norm_",
    "clip_grad_value_",
    "clip_grads_with_norm_",
    "get_total_norm",
]


def _norm(array: np.ndarray, order: float) -> np.floating:
    """The p-norm of all entries, as a scalar of the array's dtype; 0 for an empty array."""
    if not array.size:
        return array.dtype.type(0)
    if array.dtype.itemsize == 2:  # torch accumulates half precision in single
        return _norm(array.astype(np.float32), order).astype(array.dtype)
    if order == 2.0:
        # dot is one pass and needs no temporary; it overflows where torch's does too.
        flat = array.ravel()
        return np.sqrt(np.dot(flat, flat))
    absolute = np.abs(array)
    if order == math.inf:
        return absolute.max()
    if order == -math.inf:
        return absolute.min()
    if order == 0.0:
        return array.dtype.type(np.count_nonzero(array))
    if order == 1.0:
        return absolute.sum()
    return np.power(np.power(absolute, order).sum(), 1.0 / order).astype(array.dtype)


def _as_list(tensors: Tensor | Iterable[Tensor]) -> list[Tensor]:
    return [tensors] if isinstance(tensors, Tensor) else list(tensors)


def get_total_norm(
    tensors: Tensor | Iterable[Tensor],
    norm_type: float = 2.0,
    error_if_nonfinite: bool = False,
    foreach: bool | None = None,
) -> Tensor:
    """The p-norm of all the tensors as if they were one vector: the norm of their norms, a 0-d tensor.

    `norm_type` may be "inf". `foreach` is accepted and changes nothing. With `error_if_nonfinite` raises RuntimeError
    where the result is nan or infinite.
    """
    arrays = [tensor._array for tensor in _as_list(tensors)]
    norm_type = float(norm_type)
    if not arrays:
        return functions.tensor(0.0)
    with np.errstate(all="ignore"):
        total = as_array(_norm(np.stack([_norm(array, norm_type) for array in arrays]), norm_type))
    if error_if_nonfinite and not np.isfinite(total):
        raise RuntimeError(
            f"The total norm of order {norm_type} for gradients from `parameters` is non-finite, so it cannot be "
            "clipped. To disable this error and scale the gradients by the non-finite norm anyway, "
            "set `error_if_nonfinite=False`"
        )
    return wrap(total)


def clip_grads_with_norm_(
    parameters: Tensor | Iterable[Tensor], max_norm: float, total_norm: Tensor, foreach: bool | None = None
) -> None:
    """Scale all gradients in place by min(max_norm / (total_norm + 1e-6), 1)."""
    gradients = [p._grad for p in _as_list(parameters) if p._grad is not None]
    total = total_norm._array
    with np.errstate(all="ignore"):
        # minimum keeps nan, so that a nan norm reaches the gradients as in torch.
        scale = np.minimum(total.dtype.type(float(max_norm)) / (total + total.dtype.type(1e-6)), 1.0)
        for gradient in gradients:
            array = gradient._array
            refuse_repeated(array)
            np.multiply(array, scale, out=array, casting="same_kind")
            gradient._counter[0] += 1


def clip_grad_norm_(
    parameters: Tensor | Iterable[Tensor],
    max_norm: float,
    norm_type: float = 2.0,
    error_if_nonfinite: bool = False,
    foreach: bool | None = None,
) -> Tensor:
    """Scale all gradients in place so that their total norm is at most `max_norm`; returns the norm before scaling.

    Parameters without a gradient are skipped. With `error_if_nonfinite` a nan or infinite norm raises RuntimeError
    before any gradient is changed.
    """
    given = parameters
    parameters = _as_list(parameters)
    if isinstance(given, types.GeneratorType) and not parameters:
        warnings.warn("`parameters` is an empty generator, no gradient clipping will occur.", stacklevel=2)
    total = get_total_norm([p._grad for p in parameters if p._grad is not None], norm_type, error_if_nonfinite)
    clip_grads_with_norm_(parameters, max_norm, total)
    return total


def clip_grad_value_(parameters: Tensor | Iterable[Tensor], clip_value: float, foreach: bool | None = None) -> None:
    """Clamp every entry of every gradient in place to [-clip_value, clip_value]."""
    clip_value = float(clip_value)
    for parameter in _as_list(parameters):
        gradient = parameter._grad
        if gradient is not None:
            refuse_repeated(gradient._array)
            np.clip(gradient._array, -clip_value, clip_value, out=gradient._array)
            gradient._counter[0] += 1
