"""torch's test samples handed to another engine: tensors with their strides, dtypes, nested arguments, lambdas.

Owns the conversion, what cannot be converted (`Unsupported`, with the reason, so that it can be counted), and writing
a sample as Python source for a reproducer. It knows torch's objects; the engine it converts to is an argument.
"""

from __future__ import annotations

import types
from collections.abc import Callable
from typing import Any

import numpy as np
import torch

SUPPORTED = {
    torch.float16: "float16", torch.float32: "float32", torch.float64: "float64", torch.int8: "int8",
    torch.int16: "int16", torch.int32: "int32", torch.int64: "int64", torch.uint8: "uint8", torch.bool: "bool",
}  # fmt: skip

PLAIN = (torch.Tensor, torch.nn.Parameter)


class Unsupported(Exception):
    """The sample uses what the engine does not claim to have; the text says what."""


class Converter:
    """Turns one sample's objects into `engine`'s. The same tensor twice stays the same tensor twice.

    `move` multiplies every floating-point tensor by 1 + move * eps: ties stay ties, roundings change. `tensors` lists
    the converted tensors in the order met, `leaves` those that require grad.
    """

    def __init__(self, engine: Any, move: int = 0) -> None:
        self.engine, self.move = engine, move
        self.tensors: list[Any] = []
        self._known: dict[int, Any] = {}

    @property
    def leaves(self) -> list[Any]:
        return [t for t in self.tensors if t.requires_grad]

    def __call__(self, value: Any) -> Any:
        if isinstance(value, torch.Tensor):
            if id(value) not in self._known:
                self._known[id(value)] = self._tensor(value)
                self.tensors.append(self._known[id(value)])
            return self._known[id(value)]
        if value is None or value is Ellipsis or isinstance(value, (bool, int, float, str, np.ndarray, np.generic)):
            return value
        if isinstance(value, torch.Size):
            return self.engine.Size(value) if hasattr(self.engine, "Size") else tuple(value)
        if isinstance(value, tuple) and hasattr(value, "_fields"):
            return type(value)(*map(self, value))
        if isinstance(value, (list, tuple)):
            return type(value)(map(self, value))
        if isinstance(value, dict):
            if value.get("out") is not None:
                raise Unsupported("out=")
            return {key: self(item) for key, item in value.items()}
        if isinstance(value, slice):
            return slice(self(value.start), self(value.stop), self(value.step))
        if isinstance(value, torch.dtype):
            if value not in SUPPORTED:
                raise Unsupported(f"dtype {value}")
            return getattr(self.engine, SUPPORTED[value])
        if isinstance(value, torch.device):
            return str(value)
        if isinstance(value, (torch.layout, torch.memory_format)):
            name = str(value).partition(".")[2]
            if not hasattr(self.engine, name):
                raise Unsupported(f"{type(value).__name__} {value}")
            return getattr(self.engine, name)
        if isinstance(value, types.FunctionType):
            return rebind(value, self.engine)
        raise Unsupported(f"a {type(value).__name__} argument")

    def _tensor(self, tensor: torch.Tensor) -> Any:
        result = self.engine.from_numpy(array_of(tensor, self.move))
        return result.requires_grad_() if tensor.requires_grad else result


def array_of(tensor: torch.Tensor, move: int = 0) -> np.ndarray:
    """The tensor as a NumPy array with memory of its own, laid out as torch's: strides, expanded axes, overlaps."""
    if tensor.layout is not torch.strided:
        raise Unsupported(f"layout {tensor.layout}")
    if tensor.dtype not in SUPPORTED:
        raise Unsupported(f"dtype {tensor.dtype}")
    if type(tensor) not in PLAIN or tensor.is_conj() or tensor.is_neg():
        raise Unsupported(f"a {type(tensor).__name__}")
    if tensor.device.type != "cpu" or tensor.dim() > 64:
        raise Unsupported(f"device {tensor.device}" if tensor.dim() <= 64 else "more dimensions than NumPy has")
    tensor = tensor.detach()
    if not tensor.numel():
        return tensor.numpy().copy()
    reach = 1 + sum((size - 1) * stride for size, stride in zip(tensor.shape, tensor.stride()))
    memory = tensor.as_strided((reach,), (1,), tensor.storage_offset()).numpy().copy()
    if move and memory.dtype.kind == "f":
        with np.errstate(all="ignore"):
            memory *= 1 + move * np.finfo(memory.dtype).eps
    strides = tuple(stride * memory.itemsize for stride in tensor.stride())
    return np.lib.stride_tricks.as_strided(memory, tuple(tensor.shape), strides)


def rebind(function: Callable[..., Any], engine: Any) -> Callable[..., Any]:
    """A Python function of torch's test files, with the name `torch` in it answered by `engine`."""
    if not {"torch", "wrapper_set_seed"} & set(function.__code__.co_names):
        return function

    def seeded(call: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        engine.manual_seed(42)
        return call(*args, **kwargs)

    # torch's own `wrapper_set_seed` seeds torch.
    space = {**function.__globals__, "torch": engine, "wrapper_set_seed": seeded}
    copy = types.FunctionType(function.__code__, space, function.__name__, function.__defaults__, function.__closure__)
    copy.__kwdefaults__ = function.__kwdefaults__
    return copy


def resolve(engine: Any, path: str) -> Any:
    """`engine.a.b.c` for the path "a.b.c", or None."""
    for part in path.split("."):
        engine = getattr(engine, part, None)
        if engine is None:
            return None
    return engine


def source(value: Any) -> str:
    """Python source of an argument of a sample, with `T` for the engine; tensors keep values, dtype and strides."""
    if isinstance(value, torch.Tensor):
        array = array_of(value)
        if array.size > 64:
            fill = f"np.random.default_rng(0).standard_normal({tuple(array.shape)})"
            text = f"T.tensor({fill}.astype(np.{array.dtype}))" if array.dtype.kind == "f" else _literal(array)
        else:
            text = _literal(array)
            if not array.flags.c_contiguous:
                text = f"T.from_numpy(strided({array.tolist()!r}, np.{_numpy_name(array.dtype)}, {value.stride()}))"
        return text + (".requires_grad_()" if value.requires_grad else "")
    if isinstance(value, torch.Size):
        return f"T.Size({list(value)})"
    if isinstance(value, torch.dtype):
        return f"T.{SUPPORTED[value]}"
    if isinstance(value, torch.device):
        return repr(str(value))
    if isinstance(value, list):
        return "[" + ", ".join(map(source, value)) + "]"
    if isinstance(value, tuple):
        return "(" + "".join(source(item) + ", " for item in value) + ")"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key!r}: {source(item)}" for key, item in value.items()) + "}"
    if isinstance(value, slice):
        return f"slice({source(value.start)}, {source(value.stop)}, {source(value.step)})"
    if isinstance(value, float) and not np.isfinite(value):
        return f"float({str(value)!r})"
    if value is None or isinstance(value, (bool, int, float, str)) or value is Ellipsis:
        return repr(value)
    raise Unsupported(f"no source for a {type(value).__name__}")


def _literal(array: np.ndarray) -> str:
    name = "bool" if array.dtype.kind == "b" else str(array.dtype)
    values = repr(array.tolist()).replace("nan", "float('nan')").replace("inf", "float('inf')")
    if array.size == 0:
        return f"T.zeros({tuple(array.shape)}, dtype=T.{name})"
    return f"T.tensor({values}, dtype=T.{name})"


def _numpy_name(dtype: np.dtype) -> str:
    return "bool_" if dtype.kind == "b" else str(dtype)
