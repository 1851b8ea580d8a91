"""Inputs for checks: shapes, layouts, values, dtypes.

An `Operand` is one tensor argument as plain data (values, layout, whether it is the same tensor as another), so that
it can be made on either engine, perturbed, shrunk and printed. Choices come from a `Source`: hypothesis (`Drawn`,
shrinks) or a seeded NumPy stream (`Seeded`, fast, for the grid that covers every layout). Knows no op.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np

FLOATS = ("float64", "float32", "float16")
INTS = ("int64", "int32", "int16", "int8", "uint8")
DTYPES = FLOATS + INTS + ("bool",)
LAYOUTS = ("contiguous", "transposed", "strided", "negative", "expanded")
SHAPES = ("plain", "0-d", "empty", "size-1", "long", "broadcast")
FILLS = ("random", "special", "ties")

# What one check varies at a time; the columns of the coverage page.
KINDS = ("plain", "0-d", "empty", "size-1", "broadcast", "transposed", "strided", "negative", "expanded", "alias",
         "special", "ties", "long")  # fmt: skip


class Source(Protocol):
    """Where choices come from."""

    def choose(self, options: Sequence[Any]) -> Any: ...

    def integer(self, low: int, high: int) -> int: ...


class Seeded:
    """Choices from a seed: the same seed, the same inputs, on every machine."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)

    def choose(self, options: Sequence[Any]) -> Any:
        return options[self.random.randrange(len(options))]

    def integer(self, low: int, high: int) -> int:
        return self.random.randint(low, high)


class Drawn:
    """Choices by hypothesis, which shrinks towards the first option and the low end."""

    def __init__(self, draw: Callable[[Any], Any]) -> None:
        from hypothesis import strategies as st

        self.draw, self.st = draw, st

    def choose(self, options: Sequence[Any]) -> Any:
        return options[self.draw(self.st.integers(0, len(options) - 1))] if len(options) > 1 else options[0]

    def integer(self, low: int, high: int) -> int:
        return self.draw(self.st.integers(low, high))


@dataclass(frozen=True)
class Operand:
    """One tensor argument as data. `alias` names the operand that it is the same tensor as."""

    name: str
    values: np.ndarray
    layout: str = "contiguous"
    differentiable: bool = True
    alias: str | None = None

    @property
    def dtype(self) -> str:
        return self.values.dtype.name

    @property
    def is_float(self) -> bool:
        return self.values.dtype.kind == "f"

    def array(self) -> np.ndarray:
        """A fresh array of these values in this layout; 'expanded' gives the array that is to be expanded.

        'negative' counts down in memory, which NumPy allows and `from_numpy` of torch refuses.
        """
        values = self.values
        if values.ndim == 0 or self.layout == "contiguous":
            return values.copy()
        if self.layout == "transposed":
            return np.asfortranarray(values) if values.ndim > 1 else values.copy()
        if self.layout == "strided":
            return np.repeat(values, 2, axis=-1)[..., ::2]
        if self.layout == "negative":
            return np.flip(np.flip(values).copy())
        return values[:1].copy()  # expanded: constant along axis 0

    def tensor(self, T: Any, requires_grad: bool = False, values: np.ndarray | None = None) -> Any:
        """This operand as a leaf of engine `T`, `values` in place of its own if given."""
        array = (self if values is None else replace(self, values=values)).array()
        if self.layout == "negative" and array.ndim:
            # an engine on NumPy may flip by negative strides; that is the only way they come in
            tensor = T.flip(T.from_numpy(np.flip(array).copy()), tuple(range(array.ndim)))
        else:
            tensor = T.from_numpy(array)
        if self.layout == "expanded" and self.values.ndim:
            tensor = tensor.expand(self.values.shape)
        return tensor.requires_grad_() if requires_grad else tensor

    def code(self) -> str:
        """A Python expression in `np` and `T` that makes the tensor (without requires_grad)."""
        literal = array_code(self.values)
        if self.values.ndim == 0 or self.layout == "contiguous" or (self.layout, self.values.ndim) == ("transposed", 1):
            return f"T.from_numpy({literal})"
        if self.layout == "transposed":
            return f"T.from_numpy(np.asfortranarray({literal}))"
        if self.layout == "strided":
            return f"T.from_numpy(np.repeat({literal}, 2, axis=-1)[..., ::2])"
        if self.layout == "negative":
            backwards = array_code(np.flip(self.values))
            return f"T.flip(T.from_numpy({backwards}), {tuple(range(self.values.ndim))})"
        return f"T.from_numpy({array_code(self.values[:1])}).expand({self.values.shape})"


def array_code(a: np.ndarray) -> str:
    """`a` as a NumPy expression that gives it back bit for bit (nan payloads apart)."""
    if a.size == 0:
        return f"np.zeros({a.shape}, np.{dtype_code(a.dtype)})"
    text = repr(a.tolist()).replace("nan", "np.nan").replace("inf", "np.inf")
    return f"np.array({text}, np.{dtype_code(a.dtype)})"


def dtype_code(dtype: np.dtype) -> str:
    return "bool_" if dtype == np.bool_ else dtype.name


# --- shapes

LONG = (30, 60)  # what accumulates shows its digits here


def elementwise(source: Source, kind: str, count: int) -> list[tuple[int, ...]]:
    """`count` mutually broadcastable shapes of up to 3 axes."""
    if kind == "0-d":
        return [()] * count
    shape = [source.integer(2, 4) for _ in range(source.integer(1, 3))]
    if kind == "empty":
        shape[source.integer(0, len(shape) - 1)] = 0
    if kind == "size-1":
        shape[source.integer(0, len(shape) - 1)] = 1
    if kind == "long":
        shape[source.integer(0, len(shape) - 1)] = source.integer(*LONG)
    if kind != "broadcast":
        return [tuple(shape)] * count
    whole = source.integer(0, count - 1)  # one operand keeps the full shape, or the result's would be another
    shapes = []
    for i in range(count):
        dropped = 0 if i == whole else source.integer(0, len(shape))
        shapes.append(tuple(1 if i != whole and source.choose([False, True]) else n for n in shape[dropped:]))
    return shapes


def named(source: Source, kind: str, pattern: str) -> list[tuple[int, ...]]:
    """Shapes from a pattern such as "b m k, b k n": a name is one size, drawn once; digits are themselves.

    "..." stands for leading axes, broadcastable between the operands.
    """
    operands = [part.split() for part in pattern.split(",")]
    names = sorted({name for part in operands for name in part if not name.isdigit() and name != "..."})
    sizes = {name: source.integer(2, 4) for name in names}
    if names and kind == "empty":
        sizes[source.choose(names)] = 0
    if names and kind == "size-1":
        sizes[source.choose(names)] = 1
    if names and kind == "long":
        sizes[source.choose(names)] = source.integer(*LONG)
    count = sum("..." in part for part in operands)
    batches = iter(elementwise(source, "broadcast" if kind == "broadcast" else "plain", count) if count else [])
    shapes = []
    for part in operands:
        shape: tuple[int, ...] = ()
        for name in part:
            shape += next(batches) if name == "..." else (int(name) if name.isdigit() else sizes[name],)
        shapes.append(shape)
    return shapes


def any_shape(source: Source, kind: str) -> tuple[int, ...]:
    """One shape of up to 3 axes."""
    return elementwise(source, kind, 1)[0]


# --- values

SPECIAL = (0.0, -0.0, 1.0, -1.0, 0.5, float("inf"), float("-inf"), float("nan"), 2.0, -2.0)
TIES = (0.0, 1.0, -1.0, 1.0, 2.0, -0.0)


def fill(seed: int, shape: tuple[int, ...], dtype: str, kind: str, domain: str) -> np.ndarray:
    """Values of one operand. `domain`: real, positive, unit (|x| < 1), nonzero, sparse (most are 0), bool, finite.

    'special' mixes 0, -0, inf, nan, subnormals in; 'ties' takes small integers, kinks included.
    """
    rng = np.random.default_rng(seed)
    np_dtype = np.dtype(dtype)
    if np_dtype == np.bool_ or domain == "bool":
        return rng.integers(0, 2, shape).astype(np_dtype)
    if np_dtype.kind in "iu":
        low, high = (0, 9) if np_dtype.kind == "u" or domain == "positive" else (-5, 6)
        if domain == "nonzero":
            low = 1
        if kind == "special":
            info = np.iinfo(np_dtype)
            # the smallest is not divided by -1: C calls that undefined, and torch raises SIGFPE
            return rng.choice(np.array([0, 1, 2, info.max, info.min + 1 if info.min else 0], np_dtype), shape)
        return rng.integers(low, high, shape).astype(np_dtype)
    if kind == "special" and domain != "finite":
        tiny = float(np.finfo(np_dtype).smallest_subnormal)
        return rng.choice(np.array([*SPECIAL, tiny, -3 * tiny], np_dtype), shape)
    if kind == "ties":
        values = rng.choice(np.array(TIES, np_dtype), shape)
    else:
        values = rng.normal(size=shape) * 2
    if domain in ("positive", "nonzero"):
        values = np.abs(values) + 0.25
    elif domain == "unit":
        values = np.tanh(values) * 0.95 if kind != "ties" else values / 2
    elif domain == "sparse":
        values = np.where(rng.random(shape) < 0.8, 0.0, values)
    return np.asarray(values).astype(np_dtype)


TURNS = 9


def perturbed(values: np.ndarray, first: int, size: float, turn: int) -> np.ndarray:
    """float64 `values`, each moved by `size` of itself up or down; integers and bools stay.

    The entries are numbered from `first`; turn t < 8 moves by bit t of the number, so that any two entries go opposite
    ways in some turn and a cancelling pair cannot hide its terms; the last turn is random.
    """
    if values.dtype.kind != "f":
        return values
    numbers = np.arange(first, first + values.size)
    bits = numbers >> turn if turn < TURNS - 1 else np.random.default_rng(first).integers(0, 2, values.size)
    signs = 1.0 - 2.0 * (bits & 1).reshape(values.shape)
    with np.errstate(all="ignore"):
        return np.asarray(values.astype(np.float64) * (1 + size * signs))


# --- hypothesis strategies for users of assert_same_gradients


def broadcastable_shapes(count: int = 2) -> Any:
    """A hypothesis strategy of `count` mutually broadcastable shapes: 0-d, empty and size-1 ones among them."""
    from hypothesis import strategies as st

    @st.composite
    def shapes(draw: Any) -> list[tuple[int, ...]]:
        source = Drawn(draw)
        return elementwise(source, source.choose(["broadcast", "plain", "0-d", "size-1", "empty"]), count)

    return shapes()


def arrays(
    shape: Any = None, dtype: str = "float64", domain: str = "real", special: bool = False, layouts: bool = True
) -> Any:
    """A hypothesis strategy of float arrays for `assert_same_gradients`.

    `shape` is a tuple, a strategy of tuples, or None for any of up to 3 axes; `domain` is real, positive, unit or
    nonzero; `special` mixes in 0, -0, inf, nan and subnormals; `layouts` draws strided and negative strides too.
    """
    from hypothesis import strategies as st

    @st.composite
    def one(draw: Any) -> np.ndarray:
        source = Drawn(draw)
        if shape is None:
            size = any_shape(source, source.choose(["plain", "0-d", "size-1", "empty"]))
        else:
            size = draw(shape) if isinstance(shape, st.SearchStrategy) else tuple(shape)
        kind = source.choose(FILLS if special else ("random", "ties"))
        values = fill(source.integer(0, 2**16), size, dtype, kind, domain)
        layout = source.choose(["contiguous", "transposed", "strided", "negative"]) if layouts else "contiguous"
        return Operand("x", values, layout).array()

    return one()
