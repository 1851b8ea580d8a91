"""Parameter and Buffer: the tensors that a Module registers by itself when they are assigned to an attribute.

Owns the two classes and nothing else; knows neither modules nor ops (the results of ops on a Parameter are plain
Tensors).
"""

from __future__ import annotations

from typing import Any

from .. import functions
from ..tensor import Tensor, alias

__all__ = ["Buffer", "Parameter"]


def _share(cls: type, data: Tensor) -> Any:
    """A leaf of class `cls` with the memory and the version counter of `data`."""
    return alias(data.detach(), cls)


class Parameter(Tensor):
    """A leaf tensor that a Module lists in `parameters()` and an optimizer updates.

    `data` is shared, not copied (`data=None` makes an empty one). `requires_grad` defaults to True also under
    `no_grad()`. Raises torch's RuntimeError where `requires_grad` is asked of an integer or bool tensor.
    """

    def __new__(cls, data: Tensor | None = None, requires_grad: bool = True) -> Parameter:
        if data is None:
            data = functions.empty(0)
        parameter = _share(cls, data)
        if requires_grad and parameter._array.dtype.kind != "f":
            raise RuntimeError(
                "Only Tensors of floating point and complex dtype can require gradients: this one is "
                f"{parameter.dtype}; convert it with .float(), or pass requires_grad=False"
            )
        return parameter.requires_grad_(requires_grad)

    def __init__(self, data: Tensor | None = None, requires_grad: bool = True) -> None:
        """Everything is done in __new__; Tensor's own would build a tensor from sizes."""

    def __deepcopy__(self, memo: dict[int, Any]) -> Parameter:
        """A copy of the values in new memory; the gradient is not copied, as in torch."""
        if id(self) not in memo:
            memo[id(self)] = type(self)(self.detach().clone(), self.requires_grad)
        return memo[id(self)]

    def __repr__(self, **options: Any) -> str:
        return "Parameter containing:\n" + super().__repr__(**options)


class _BufferType(type(Tensor)):  # type: ignore[misc]
    """What makes a Tensor that is marked as one an instance of Buffer, as in torch."""

    def __instancecheck__(cls, x: Any) -> bool:
        return isinstance(x, Tensor) and "_is_buffer" in x.__dict__


class Buffer(Tensor, metaclass=_BufferType):
    """A tensor of a module's state that is not trained; `persistent=False` keeps it out of `state_dict()`.

    It is a plain Tensor with a mark.
    """

    persistent: bool

    def __new__(cls, data: Tensor | None = None, *, persistent: bool = True) -> Buffer:
        if data is None:
            data = functions.empty(0)
        buffer: Any = _share(Tensor, data).requires_grad_(data.requires_grad)
        buffer.persistent, buffer._is_buffer = persistent, True
        return buffer
