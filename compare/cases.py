"""The ops, one row each: how to call it, on what, how far it may be off, how many orders of derivative it has.

A row's `call` is an expression in the engine `T`, the tensor arguments and the static ones; the same text runs on
minigrad and on torch and is printed in a reproducer. To cover a new op, add a row. Which dtypes an op takes is not
written down: every dtype is tried, and where torch raises minigrad must raise the same class.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .strategies import DTYPES, FLOATS, Source
from .ulp import (
    ARITHMETIC,
    CHAIN,
    COMPOSED,
    ELIMINATION,
    EXACT,
    FUNCTION,
    MOVE,
    PRODUCT,
    REDUCE,
    SATURATING,
    SOFTMAX,
    STEEP,
    Bound,  # fmt: skip
)

Shapes = dict[str, tuple[int, ...]]
Static = dict[str, Any]
Chooser = Callable[[Source, Shapes, Static], Any]


@dataclass(frozen=True)
class Case:
    """One op. See the module's docstring.

    `inputs` names the tensor arguments; `shapes` is "elementwise" or patterns for `strategies.named`; `static` maps a
    name to a list of options or to a function of (source, shapes, static so far); an ndarray among them becomes an
    integer or bool tensor. `domain` is one word for all inputs or a word each. `scalar` names the input that may be a
    Python number. `orders` is 0 for ops without a derivative. `inplace` also runs the op's `name_` form. `errors` are
    expressions in `T` that torch refuses. `skip` names kinds of input that mean nothing here,
    `constant` inputs that get no
    gradient; of an `unset` result only shape and dtype count. An `optional` row waits until minigrad has the function.
    A `distinct` row gets no equal entries, where torch's choice among them is not specified. Only rows of
    fused kernels restrict their `dtypes`.
    """

    name: str
    call: str
    inputs: tuple[str, ...]
    shapes: str | Sequence[str] = "elementwise"
    static: dict[str, Sequence[Any] | Chooser] = field(default_factory=dict)
    bound: Bound = EXACT
    domain: str | dict[str, str] = "real"
    orders: int = 2
    inplace: bool = False
    scalar: str | None = None
    errors: Sequence[str] = ()
    skip: Sequence[str] = ()
    constant: Sequence[str] = ()
    unset: bool = False
    optional: bool = False
    distinct: bool = False
    dtypes: Sequence[str] = DTYPES

    def domain_of(self, name: str) -> str:
        return self.domain if isinstance(self.domain, str) else self.domain.get(name, "real")

    @property
    def op(self) -> str:
        """The torch name at the head of the call: "add" of "T.add(x, y)"; '' for an operator."""
        head = self.call.partition("(")[0]
        return head.rpartition(".")[2] if head.startswith(("T.", "x.")) else ""

    def run(self, T: Any, tensors: dict[str, Any], static: Static, expression: str | None = None) -> Any:
        """Evaluate the call, or another `expression` of the same names, on engine `T`."""
        return compiled(expression or self.call, self.inputs, tuple(self.static))(T, **tensors, **static)

    def method(self) -> str | None:
        """`x.f(...)` for a call `T.f(x, ...)`, or None."""
        head = f"T.{self.op}({self.inputs[0] if self.inputs else ''}"
        if not self.op or not self.inputs or not self.call.startswith((head + ",", head + ")")):
            return None
        return f"{self.inputs[0]}.{self.op}({self.call[len(head) :].lstrip(', ')}"

    def inplace_call(self) -> str | None:
        """`x.f_(...)`, for rows that have an in-place form."""
        method = self.method()
        if not self.inplace or method is None:
            return None
        return method.replace(f".{self.op}(", f".{self.op}_(", 1)


_COMPILED: dict[tuple[str, tuple[str, ...], tuple[str, ...]], Callable[..., Any]] = {}


def compiled(call: str, inputs: tuple[str, ...], static: tuple[str, ...]) -> Callable[..., Any]:
    """The expression `call` as f(T, *inputs, **static)."""
    key = (call, inputs, static)
    if key not in _COMPILED:
        parameters = ", ".join(("T", *inputs, *static))
        _COMPILED[key] = eval(f"lambda {parameters}: {call}", {"np": np, "slice": slice, "Ellipsis": Ellipsis})
    return _COMPILED[key]


# --- choosers of static arguments


def dim(source: Source, shapes: Shapes, static: Static) -> int:
    """A valid dim of x, negative ones too."""
    rank = max(len(shapes["x"]), 1)
    return source.integer(-rank, rank - 1)


def dims(source: Source, shapes: Shapes, static: Static) -> Any:
    """None, one dim, or a tuple of distinct dims of x."""
    rank = len(shapes["x"])
    what = source.choose(["one", "none", "two", "all"])
    if what == "none":
        return None
    if what == "one" or rank < 2:
        return dim(source, shapes, static)
    first = source.integer(0, rank - 1)
    if what == "two":
        return (first, (first + 1) % rank - rank)
    return tuple(range(rank))


def some_dims(source: Source, shapes: Shapes, static: Static) -> tuple[int, ...]:
    """A tuple of at least one dim of x."""
    chosen = dims(source, shapes, static)
    if chosen is None:
        return tuple(range(len(shapes["x"])))
    return chosen if isinstance(chosen, tuple) else (chosen,)


def permutation(source: Source, shapes: Shapes, static: Static) -> tuple[int, ...]:
    """An order of x's dims."""
    left = list(range(len(shapes["x"])))
    order = []
    while left:
        order.append(left.pop(source.integer(0, len(left) - 1)))
    return tuple(order)


def newshape(source: Source, shapes: Shapes, static: Static) -> tuple[int, ...]:
    """A shape of the same size as x's, sometimes with one -1."""
    shape = shapes["x"]
    size = int(np.prod(shape))
    what = source.choose(["flat", "same", "split", "infer"])
    if what == "same" or size == 0:
        return shape
    if what == "split":
        return (*shape[1:], *shape[:1]) if shape else (1, 1)
    return (-1,) if what == "infer" else (size,)


def wider(source: Source, shapes: Shapes, static: Static) -> tuple[int, ...]:
    """A shape that x broadcasts to."""
    shape = tuple(3 if n == 1 else n for n in shapes["x"])
    return (2, *shape) if source.choose([True, False]) else shape


def indices(low: int = 1, high: int = 4, negative: bool = False, shape: Sequence[int] | None = None) -> Chooser:
    """An int64 array of valid indices into x along `dim` (static), repeats included."""

    def choose(source: Source, shapes: Shapes, static: Static) -> np.ndarray:
        size = (shapes["x"] or (1,))[static.get("dim", 0)]
        count = source.integer(low, high)
        values = [source.integer(-size if negative else 0, size - 1) for _ in range(count if size else 0)]
        return np.array(values, np.int64)

    return choose


def gather_index(source: Source, shapes: Shapes, static: Static) -> np.ndarray:
    """An index for gather and scatter: x's rank, sizes no larger than x's but along dim."""
    shape = shapes["x"]
    along = static["dim"] % max(len(shape), 1)
    size = tuple(source.integer(0 if n == 0 else 1, n) for n in shape)
    if shape and shape[along] == 0:
        size = tuple(0 if i == along else n for i, n in enumerate(size))
    rng = np.random.default_rng(source.integer(0, 2**16))
    return np.asarray(rng.integers(0, max(shape[along] if shape else 1, 1), size), np.int64)


def whole_index(source: Source, shapes: Shapes, static: Static) -> np.ndarray:
    """An index of x's own shape into x along dim."""
    shape = shapes["x"]
    along = static["dim"] % max(len(shape), 1)
    rng = np.random.default_rng(source.integer(0, 2**16))
    return np.asarray(rng.integers(0, max(shape[along] if shape else 1, 1), shape), np.int64)


def mask(source: Source, shapes: Shapes, static: Static) -> np.ndarray:
    """A bool array of x's shape."""
    rng = np.random.default_rng(source.integer(0, 2**16))
    return np.asarray(rng.integers(0, 2, shapes["x"]).astype(bool))


def split_sizes(source: Source, shapes: Shapes, static: Static) -> Any:
    """A size, or sizes that add up to x's along dim."""
    size = (shapes["x"] or (1,))[static["dim"]]
    if source.choose([True, False]) or size < 1:
        return source.integer(1, 3)
    first = source.integer(0, size)
    return [first, size - first]


def narrow_start(source: Source, shapes: Shapes, static: Static) -> int:
    return source.integer(0, (shapes["x"] or (1,))[static["dim"]])


def narrow_length(source: Source, shapes: Shapes, static: Static) -> int:
    return source.integer(0, (shapes["x"] or (1,))[static["dim"]] - static["start"])


def select_index(source: Source, shapes: Shapes, static: Static) -> int:
    size = (shapes["x"] or (1,))[static["dim"]]
    return source.integer(-size, max(size - 1, -size))


def topk_count(source: Source, shapes: Shapes, static: Static) -> int:
    size = (shapes["x"] or (1,))[static["dim"]]
    return source.integer(min(1, size), size)


def getitem_index(source: Source, shapes: Shapes, static: Static) -> Any:
    """An index of any sort torch takes: ints, slices, None, Ellipsis, masks, lists and int arrays, mixed."""
    shape = shapes["x"]
    if not shape:
        return source.choose([None, Ellipsis, (), (None, Ellipsis)])
    if source.choose([False] * 6 + [True]):
        return mask(source, shapes, static)
    parts: list[Any] = []
    dots = False
    for n in shape[: source.integer(1, len(shape))]:
        what = source.choose(["int", "slice", "step", "list", "array", "none", "dots", "mask"])
        if what in ("int", "list", "array") and n == 0:
            what = "slice"
        if what == "none":
            parts += [None, slice(None)]
        elif what == "dots" and not dots:
            dots = True
            parts.append(Ellipsis)
        elif what == "int":
            parts.append(source.integer(-n, n - 1))
        elif what == "step":
            parts.append(slice(source.integer(0, n), None, source.integer(1, 3)))
        elif what == "list":
            parts.append([source.integer(-n, n - 1) for _ in range(2)])
        elif what == "array":
            parts.append(np.array([source.integer(0, n - 1) for _ in range(2)], np.int64))
        elif what == "mask":
            rng = np.random.default_rng(source.integer(0, 99))
            parts.append(rng.integers(0, 2, n).astype(bool))
        else:
            parts.append(slice(source.integer(-n - 1, n), source.integer(-n, n + 1)))
    if dots:  # what comes after an Ellipsis counts from the right; keep only what fits every size
        parts = [p for p in parts if p is Ellipsis or p is None or isinstance(p, slice)]
    return tuple(parts) if len(parts) != 1 else parts[0]


# --- constructors of rows


def unary(name: str, bound: Bound, domain: str = "real", orders: int = 2, **more: Any) -> Case:
    """T.name(x), of any shape."""
    return Case(name, more.pop("call", f"T.{name}(x)"), ("x",), bound=bound, domain=domain, orders=orders,
                inplace=more.pop("inplace", True), **more)  # fmt: skip


def binary(name: str, bound: Bound, orders: int = 2, **more: Any) -> Case:
    """T.name(x, y), broadcasting; y may be a Python number."""
    return Case(name, more.pop("call", f"T.{name}(x, y)"), ("x", "y"), bound=bound, orders=orders,
                inplace=more.pop("inplace", True), scalar=more.pop("scalar", "y"),
                errors=(f"T.{name}(T.ones(3), T.ones(4))", f"T.{name}(T.ones(2, 3), T.ones(3, 2))", *more.pop("errors",
                                                                                                              ())),
                **more)  # fmt: skip


def reduction(name: str, bound: Bound, call: str | None = None, orders: int = 2, **more: Any) -> Case:
    """T.name(x, dim, keepdim=...), of any shape."""
    static = {"dim": dims, "keepdim": [False, True], **more.pop("static", {})}
    call = call or f"T.{name.partition('.')[0]}(x, dim, keepdim=keepdim)"
    return Case(name, call, ("x",), static=static, bound=bound, orders=orders, **more)


def shaped(name: str, call: str, static: dict[str, Any] | None = None, bound: Bound = MOVE, **more: Any) -> Case:
    """An op of one tensor of any shape with static arguments."""
    return Case(name, call, ("x",), static=static or {}, bound=bound, **more)


NOT_BOOL = "T.neg(T.ones(2) > 0)"

ELEMENTWISE_UNARY = [
    unary("neg", MOVE, errors=[NOT_BOOL]),
    unary("negative", MOVE),
    unary("positive", MOVE, inplace=False),
    unary("square", ARITHMETIC),
    unary("sqrt", ARITHMETIC, "positive"),
    unary("rsqrt", CHAIN, "positive"),
    unary("reciprocal", ARITHMETIC, "nonzero"),
    unary("exp", FUNCTION),
    unary("exp2", FUNCTION),
    unary("erf", SATURATING),
    unary("erfc", SATURATING),
    unary("expm1", SATURATING),
    unary("log", FUNCTION, "positive"),
    unary("log2", FUNCTION, "positive"),
    unary("log10", FUNCTION, "positive"),
    unary("log1p", FUNCTION, "positive"),
    unary("sin", FUNCTION),
    unary("cos", FUNCTION),
    unary("tan", FUNCTION),
    unary("asin", FUNCTION, "unit"),
    unary("acos", FUNCTION, "unit"),
    unary("atan", FUNCTION),
    unary("sinh", FUNCTION),
    unary("cosh", FUNCTION),
    unary("tanh", SATURATING),
    unary("sigmoid", COMPOSED),
    unary("relu", EXACT),
    unary("abs", EXACT),
    unary("sign", EXACT),
    unary("floor", EXACT),
    unary("ceil", EXACT),
    unary("round", EXACT),
    unary("round.decimals", COMPOSED, call="T.round(x, decimals=decimals)", static={"decimals": [0, 1, 2, -1]},
          orders=0),
    unary("trunc", EXACT),
    unary("frac", EXACT),
    unary("isnan", EXACT, orders=0, inplace=False),
    unary("isinf", EXACT, orders=0, inplace=False),
    unary("isfinite", EXACT, orders=0, inplace=False),
    unary("logical_not", EXACT, orders=0),
    # float16 beside a number, seen from a wider dtype, so that second derivatives are looked at as well
    shaped("mul.half", "(x.half() * number).to(x.dtype)", {"number": [3.0, 65536.0]}, EXACT, dtypes=FLOATS[:2]),
    shaped("mul.half_second", "(T.tensor(3.7) * x.half()).to(x.dtype)", {}, EXACT, dtypes=FLOATS[:2]),
    shaped("div.half", "(x.half() / number).to(x.dtype)", {"number": [3.0, 65536.0]}, EXACT, dtypes=FLOATS[:2]),
    shaped("div.half_whole", "x.half().div(number, rounding_mode=mode).to(x.dtype)",
           {"number": [3.0, 0.3, 65536.0], "mode": ["floor", "trunc"]}, EXACT, dtypes=FLOATS[:2]),
    shaped("floor_divide.half", "(x.half() // number).to(x.dtype)", {"number": [3.0, 0.3, 65536.0]}, EXACT,
           orders=0, dtypes=FLOATS[:2]),
    shaped("clamp", "T.clamp(x, low, high)", {"low": [-1, None, 0.0], "high": [1.5, 1, 0.5]}, EXACT, inplace=True,
           errors=["T.clamp(T.ones(2))"]),
    shaped("clamp.min", "T.clamp(x, min=low)", {"low": [0, -1, 0.5]}, EXACT, inplace=True),
    shaped("clamp.max", "T.clamp(x, max=high)", {"high": [0, 1, 0.5]}, EXACT, inplace=True),
    shaped("clamp.mixed", "T.clamp(x, low, T.tensor(0.5))", {"low": [-1, 0.25]}, EXACT,
           errors=["T.clamp(T.ones(2), 0, T.ones(2))"]),
    Case("clamp.tensor", "T.clamp(x, y, z)", ("x", "y", "z"), bound=EXACT, inplace=True),
    Case("clamp.tensor_min", "T.clamp(x, min=y)", ("x", "y"), bound=EXACT),
    Case("clamp.tensor_max", "T.clamp(x, max=y)", ("x", "y"), bound=EXACT),
]  # fmt: skip

ELEMENTWISE_BINARY = [
    binary("add", ARITHMETIC),
    binary("add.alpha", CHAIN, call="T.add(x, y, alpha=alpha)", static={"alpha": [2, -1, 0.5]}),
    binary("rsub", ARITHMETIC, inplace=False, scalar=None),
    binary("sub", ARITHMETIC, errors=["T.sub(T.ones(2) > 0, T.ones(2) > 0)"]),
    binary("sub.alpha", CHAIN, call="T.sub(x, y, alpha=alpha)", static={"alpha": [2, -1, 0.5]}),
    binary("mul", ARITHMETIC),
    binary("div", ARITHMETIC, domain={"y": "nonzero"}),
    binary("div.floor", ARITHMETIC, call="T.div(x, y, rounding_mode='floor')", domain={"y": "nonzero"},
           errors=["T.div(T.ones(2), T.ones(2), rounding_mode='up')"]),
    binary("div.trunc", ARITHMETIC, call="T.div(x, y, rounding_mode='trunc')", domain={"y": "nonzero"}),
    binary("true_divide", ARITHMETIC, domain={"y": "nonzero"}),
    binary("pow", FUNCTION, domain={"x": "positive"}),
    shaped("pow.scalar", "T.pow(x, n)", {"n": [2, 3, 1, 0, -1, 0.5, -2, 2.5]}, FUNCTION, inplace=True),
    shaped("pow.base", "T.pow(base, x)", {"base": [2, 0.5, 3.0, 1]}, FUNCTION),
    binary("atan2", FUNCTION, scalar=None),
    binary("floor_divide", ARITHMETIC, orders=0, domain={"y": "nonzero"},
           errors=["T.floor_divide(T.ones(2, requires_grad=True), T.ones(2)).sum().backward()"]),
    binary("remainder", ARITHMETIC, domain={"y": "nonzero"}),
    binary("fmod", EXACT, domain={"y": "nonzero"}),
    binary("maximum", EXACT, inplace=False, scalar=None),
    binary("minimum", EXACT, inplace=False, scalar=None),
    binary("eq", EXACT, orders=0),
    binary("ne", EXACT, orders=0),
    binary("lt", EXACT, orders=0),
    binary("le", EXACT, orders=0),
    binary("gt", EXACT, orders=0),
    binary("ge", EXACT, orders=0),
    binary("logical_and", EXACT, orders=0, scalar=None),
    binary("logical_or", EXACT, orders=0, scalar=None),
    binary("logical_xor", EXACT, orders=0, scalar=None),
    Case("isclose", "T.isclose(x, y, rtol=rtol, atol=atol, equal_nan=nan)", ("x", "y"), orders=0,
         static={"rtol": [1e-5, 0.5], "atol": [1e-8, 1.0], "nan": [False, True]}),
    Case("allclose", "T.allclose(x, y, rtol=rtol, atol=atol, equal_nan=nan)", ("x", "y"), orders=0,
         static={"rtol": [1e-5, 0.5], "atol": [1e-8, 9.0], "nan": [False, True]}),
    Case("equal", "T.equal(x, y)", ("x", "y"), orders=0),
    Case("where", "T.where(c, x, y)", ("x", "y"), shapes="elementwise", static={"c": mask}, bound=MOVE, scalar="y"),
    Case("where.condition", "T.where(x > 0, x, y)", ("x", "y"), bound=MOVE),
    Case("lerp.number", "T.lerp(x, y, weight)", ("x", "y"), static={"weight": [0.3, 0.75]}, bound=CHAIN, inplace=True),
    Case("lerp", "T.lerp(x, y, z)", ("x", "y", "z"), bound=CHAIN, inplace=True, scalar="z"),
    Case("addcmul", "T.addcmul(x, y, z, value=value)", ("x", "y", "z"), static={"value": [1, 2, -0.5]}, bound=CHAIN,
         inplace=True),
    Case("addcdiv", "T.addcdiv(x, y, z, value=value)", ("x", "y", "z"), static={"value": [1, 2, -0.5]}, bound=CHAIN,
         domain={"z": "nonzero"}, inplace=True),
]  # fmt: skip

OPERATORS = [
    *(Case(f"x {sign} y", f"x {sign} y", ("x", "y"), bound=bound, domain={"y": "nonzero"}, orders=orders, scalar="y")
      for sign, bound, orders in [("+", ARITHMETIC, 2), ("-", ARITHMETIC, 2), ("*", ARITHMETIC, 2), ("/", ARITHMETIC,
                                                                                                     2),
                                  ("//", ARITHMETIC, 0), ("%", ARITHMETIC, 2), ("<", EXACT, 0), ("<=", EXACT, 0),
                                  (">", EXACT, 0), (">=", EXACT, 0), ("==", EXACT, 0), ("!=", EXACT, 0)]),
    Case("x ** y", "x ** y", ("x", "y"), bound=FUNCTION, domain={"x": "positive"}, scalar="y"),
    *(Case(f"number {sign} x", f"n {sign} x", ("x",), static={"n": [2, 1.5, True]}, bound=bound, domain="nonzero",
           orders=orders)
      for sign, bound, orders in [("+", ARITHMETIC, 2), ("-", ARITHMETIC, 2), ("*", ARITHMETIC, 2), ("/", ARITHMETIC,
                                                                                                     2),
                                  ("//", ARITHMETIC, 0), ("%", ARITHMETIC, 2), ("**", FUNCTION, 2), ("<", EXACT, 0)]),
    *(Case(f"bool {sign} bool", f"(x > 0) {sign} (y > 0)", ("x", "y"), orders=0) for sign in "&|^"),
    Case("-x", "-x", ("x",), bound=MOVE),
    Case("+x", "+x", ("x",), bound=MOVE),
    Case("~x", "~x", ("x",), orders=0),
    Case("abs(x)", "abs(x)", ("x",), bound=EXACT),
    Case("x @ y", "x @ y", ("x", "y"), ["m k, k n", "k, k", "... m k, ... k n"], bound=REDUCE),
]  # fmt: skip

REDUCTIONS = [
    reduction("sum", REDUCE, errors=["T.sum(T.ones(2, 3), 2)", "T.sum(T.ones(2, 3), (0, 0))"]),
    shaped("sum.all", "T.sum(x)", bound=REDUCE),
    shaped("sum.dtype", "T.sum(x, dtype=T.float64)", bound=REDUCE),
    reduction("mean", REDUCE, errors=["T.mean(T.ones(2, 3), 2)", "T.mean(T.tensor([1, 2]))"]),
    shaped("mean.all", "T.mean(x)", bound=REDUCE),
    shaped("prod.all", "T.prod(x)", bound=PRODUCT),
    reduction("prod", PRODUCT, static={"dim": dim}, errors=["T.prod(T.ones(2, 3), 2)"]),
    shaped("max.all", "T.max(x)", bound=EXACT, errors=["T.max(T.ones(0))"]),
    shaped("min.all", "T.min(x)", bound=EXACT, errors=["T.min(T.ones(0))"]),
    reduction("max", EXACT, static={"dim": dim}, errors=["T.max(T.ones(2, 3), 2)", "T.max(T.ones(0, 2), 0)"]),
    reduction("min", EXACT, static={"dim": dim}, errors=["T.min(T.ones(2, 3), 2)", "T.min(T.ones(0, 2), 0)"]),
    binary("max.other", EXACT, call="T.max(x, y)", inplace=False, scalar=None),
    binary("min.other", EXACT, call="T.min(x, y)", inplace=False, scalar=None),
    reduction("amax", EXACT, static={"dim": some_dims}, errors=["T.amax(T.ones(0))"]),
    reduction("amin", EXACT, static={"dim": some_dims}, errors=["T.amin(T.ones(0))"]),
    shaped("aminmax", "T.aminmax(x)", bound=EXACT),
    reduction("argmax", EXACT, static={"dim": dim}, orders=0, errors=["T.argmax(T.ones(0))"]),
    reduction("argmin", EXACT, static={"dim": dim}, orders=0, errors=["T.argmin(T.ones(0))"]),
    shaped("argmax.all", "T.argmax(x)", bound=EXACT, orders=0),
    shaped("argmin.all", "T.argmin(x)", bound=EXACT, orders=0),
    reduction("var", REDUCE, "T.var(x, dim, correction=correction, keepdim=keepdim)", static={"correction": [1, 0, 2]}),
    reduction("std", REDUCE, "T.std(x, dim, correction=correction, keepdim=keepdim)", static={"correction": [1, 0]}),
    shaped("var.all", "T.var(x)", bound=REDUCE),
    shaped("var.all correction", "T.var(x, correction=correction)", {"correction": [2, 1000]}, bound=REDUCE),
    shaped("std.unbiased", "T.std(x, unbiased=unbiased)", {"unbiased": [True, False]}, bound=REDUCE),
    shaped("norm", "T.norm(x)", bound=REDUCE, errors=["T.norm(T.ones(2, 2, 2), dim=(0, 1, 2))"]),
    reduction("norm.p", COMPOSED, "T.norm(x, p, dim=dim, keepdim=keepdim)",
              static={"p": [2, 1, 3, 0.5, float("inf"), float("-inf"), 0]}),
    shaped("norm.0", "T.norm(x, 0)", bound=REDUCE),
    reduction("norm.at 0", COMPOSED, "T.norm(x, 2, dim=dim)", domain="sparse"),
    reduction("norm.p at 0", COMPOSED, "T.norm(x, p, dim=dim)", domain="sparse", static={"p": [0.25, 1.5, 2.5]}),
    reduction("all", EXACT, static={"dim": dim}, orders=0),
    reduction("any", EXACT, static={"dim": dim}, orders=0),
    shaped("all.all", "T.all(x)", bound=EXACT, orders=0),
    shaped("any.all", "T.any(x)", bound=EXACT, orders=0),
    shaped("cumsum", "T.cumsum(x, dim)", {"dim": dim}, REDUCE, errors=["T.cumsum(T.ones(2), 1)"]),
    shaped("cumprod", "T.cumprod(x, dim)", {"dim": dim}, PRODUCT, errors=["T.cumprod(T.ones(2), 1)"]),
    reduction("logsumexp", SOFTMAX, static={"dim": some_dims}),
    shaped("softmax", "T.softmax(x, dim)", {"dim": dim}, SOFTMAX, errors=["T.softmax(T.ones(2), 1)"]),
    shaped("log_softmax", "T.log_softmax(x, dim)", {"dim": dim}, SOFTMAX, errors=["T.log_softmax(T.ones(2), 1)"]),
    shaped("softmax.dtype", "T.softmax(x, dim, dtype=T.float64)", {"dim": dim}, SOFTMAX),
    shaped("count_nonzero", "T.count_nonzero(x, dim)", {"dim": dims}, EXACT, orders=0),
    shaped("sort", "T.sort(x, dim=dim, descending=down, stable=True)", {"dim": dim, "down": [False, True]}, MOVE),
    shaped("argsort", "T.argsort(x, dim=dim, descending=down, stable=True)", {"dim": dim, "down": [False, True]}, EXACT,
           orders=0),
    shaped("topk", "T.topk(x, k, dim, largest=largest)[0]", {"dim": dim, "k": topk_count, "largest": [True, False]},
           MOVE,
           # among equal entries torch takes any
           skip=["ties", "special", "expanded"], distinct=True, dtypes=FLOATS[:2],
           errors=["T.topk(T.ones(2), 3)"]),
]  # fmt: skip

# Matrices near the identity, made by exact operations: their inverses are no worse conditioned than they are.
SQUARE = "x.clamp(-1, 1) / 16 + T.ones_like(x).tril().triu()"


def square(
    name: str, call: str, others: Sequence[str] = (), shapes: Sequence[str] = ("m m", "b m m"), **more: Any
) -> Case:
    """A function of matrices that have inverses; `A` in the call is such a matrix."""
    return Case(name, call.replace("A", SQUARE), ("x", *others), list(shapes), bound=ELIMINATION,
                dtypes=("float32", "float64"), domain="finite", skip=["special"], **more)  # fmt: skip


LINEAR = [
    square("linalg.inv", "T.linalg.inv(A)",
           errors=["T.linalg.inv(T.ones(2, 3))", "T.linalg.inv(T.ones(2))", "T.linalg.inv(T.ones(2, 2))",
                   "T.linalg.inv(T.ones(3, 2, 2))", "T.linalg.inv(T.ones(2, 2, dtype=T.int64))",
                   "T.linalg.inv(T.ones(2, 2, dtype=T.float16))"]),
    square("inverse", "T.inverse(A)", errors=["T.inverse(T.ones(2, 3))"]),
    square("linalg.solve", "T.linalg.solve(A, y)", ["y"],
           ["m m, m", "m m, m k", "b m m, b m k", "b m m, b m", "m m, b m k"],
           errors=["T.linalg.solve(T.ones(2, 2), T.ones(2))", "T.linalg.solve(T.eye(2), T.ones(3))",
                   "T.linalg.solve(T.eye(2), T.ones(2, dtype=T.float64))", "T.linalg.solve(T.ones(2, 3), T.ones(2))"]),
    square("linalg.solve.right", "T.linalg.solve(A, y, left=False)", ["y"], ["m m, k m", "b m m, b k m"],
           errors=["T.linalg.solve(T.eye(2), T.ones(2, 3), left=False)"]),
    square("linalg.cholesky", "T.linalg.cholesky((A) @ (A).mT)",
           errors=["T.linalg.cholesky(-T.eye(2))", "T.linalg.cholesky(T.tensor([[1.0, 2.0], [2.0, 1.0]]))"]),
    square("linalg.cholesky.upper", "T.linalg.cholesky((A) @ (A).mT, upper=True)"),
    Case("linalg.norm", "T.linalg.norm(x, p)", ("x",), ["m n", "k"], bound=REDUCE,
         static={"p": [None, 1, -1, float("inf"), float("-inf")]}, errors=["T.linalg.norm(T.ones(2, 2, 2), 1)"]),
    Case("linalg.vector_norm", "T.linalg.vector_norm(x, p, dim=-1)", ("x",), ["m n", "k"],
         static={"p": [2, 1, 3]}, bound=REDUCE),
    Case("linalg.matrix_norm", "T.linalg.matrix_norm(x, p, keepdim=keep)", ("x",), ["m n", "b m n"],
         static={"p": ["fro", 1, float("inf")], "keep": [True, False]}, bound=REDUCE,
         skip=["empty"], errors=["T.linalg.matrix_norm(T.ones(2))"]),
    Case("matmul", "T.matmul(x, y)", ("x", "y"), ["m k, k n", "k, k", "m k, k", "k, k n", "b m k, k n", "m k, b k n",
         "b m k, b k n", "b m k, k", "k, b k n", "... m k, ... k n"], bound=REDUCE,
         errors=["T.matmul(T.ones(2, 3), T.ones(2, 3))", "T.matmul(T.ones(3), T.ones(4))",
                 "T.matmul(T.ones(()), T.ones(3))",
                 "T.matmul(T.ones(2, 2), T.ones(2, 2, dtype=T.float64))"]),
    Case("mm", "T.mm(x, y)", ("x", "y"), ["m k, k n"], bound=REDUCE,
         errors=["T.mm(T.ones(2, 3), T.ones(2, 3))", "T.mm(T.ones(3), T.ones(3, 2))"]),
    Case("mv", "T.mv(x, y)", ("x", "y"), ["m k, k"], bound=REDUCE, errors=["T.mv(T.ones(2, 3), T.ones(2))"]),
    Case("dot", "T.dot(x, y)", ("x", "y"), ["k, k"], bound=REDUCE,
         errors=["T.dot(T.ones(3), T.ones(2))", "T.dot(T.ones(2, 2), T.ones(2, 2))"]),
    Case("bmm", "T.bmm(x, y)", ("x", "y"), ["b m k, b k n"], bound=REDUCE,
         errors=["T.bmm(T.ones(2, 2, 3), T.ones(3, 3, 2))", "T.bmm(T.ones(2, 3), T.ones(3, 2))"]),
    Case("outer", "T.outer(x, y)", ("x", "y"), ["m, n"], bound=ARITHMETIC, errors=["T.outer(T.ones(2, 2), T.ones(2))"]),
    Case("addmm", "T.addmm(x, y, z, beta=beta, alpha=alpha)", ("x", "y", "z"), ["m n, m k, k n", "n, m k, k n"],
         static={"beta": [1, 0.5, 0], "alpha": [1, 2]}, bound=REDUCE,
         errors=["T.addmm(T.ones(2), T.ones(2, 3), T.ones(2, 3))"]),
    Case("baddbmm", "T.baddbmm(x, y, z, beta=beta, alpha=alpha)", ("x", "y", "z"), ["b m n, b m k, b k n"],
         static={"beta": [1, 0.5], "alpha": [1, 2]}, bound=REDUCE,
         errors=["T.baddbmm(T.ones(2), T.ones(2, 2, 3), T.ones(2, 2, 3))"]),
    Case("einsum.ij,jk->ik", "T.einsum('ij,jk->ik', x, y)", ("x", "y"), ["m k, k n"], bound=REDUCE,
         errors=["T.einsum('ij,jk->ik', T.ones(2, 3), T.ones(2, 3))", "T.einsum('ij', T.ones(2))"]),
    Case("einsum.bij,bjk->bik", "T.einsum('bij,bjk->bik', x, y)", ("x", "y"), ["b m k, b k n"], bound=REDUCE),
    Case("einsum.i,i", "T.einsum('i,i', x, y)", ("x", "y"), ["k, k"], bound=REDUCE,
         errors=["T.einsum('i,i', T.ones(2, dtype=T.bool), T.ones(2, dtype=T.bool))"]),
    Case("einsum.ones", "T.einsum('ij,jk->ik', x, y)", ("x", "y"), ["m 1, 1 n", "m 1, k n", "m k, 1 n"], bound=REDUCE),
    Case("einsum.i,j->ij", "T.einsum('i,j->ij', x, y)", ("x", "y"), ["m, n"], bound=REDUCE),
    Case("einsum.ii->i", "T.einsum('ii->i', x)", ("x",), ["m m"], bound=REDUCE),
    Case("einsum.ij->", "T.einsum('ij->', x)", ("x",), ["m n"], bound=REDUCE),
    Case("einsum.ij->ji", "T.einsum('ij->ji', x)", ("x",), ["m n"], bound=REDUCE),
    Case("einsum....ij,...j", "T.einsum('...ij,...j->...i', x, y)", ("x", "y"), ["b m k, b k", "m k, b k"],
         bound=REDUCE),
    Case("einsum.three", "T.einsum('ij,jk,kl->il', x, y, z)", ("x", "y", "z"), ["m k, k n, n p"], bound=REDUCE),
    Case("t", "T.t(x)", ("x",), ["m n", "m"], bound=MOVE, errors=["T.t(T.ones(2, 2, 2))"]),
    Case("T", "x.T", ("x",), ["m n"], bound=MOVE),
    Case("mT", "x.mT", ("x",), ["m n", "b m n"], bound=MOVE, errors=["T.ones(2).mT"]),
]  # fmt: skip

SHAPE = [
    shaped("reshape", "T.reshape(x, shape)", {"shape": newshape}, errors=["T.reshape(T.ones(6), (4, 2))"]),
    Case("view", "x.view(shape)", ("x",), static={"shape": newshape}, bound=MOVE, errors=["T.ones(2, 3).t().view(6)",
         "T.ones(6).view(4, 2)", "T.ones(6).view(-1, -1)"]),
    shaped("flatten", "T.flatten(x)"),
    Case("flatten.range", "T.flatten(x, 1, -1)", ("x",), ["a b c", "a b"], bound=MOVE,
         errors=["T.flatten(T.ones(2, 3), 1, 0)"]),
    Case("unflatten", "T.unflatten(x, 1, (2, -1))", ("x",), ["a 4 b", "a 6"], bound=MOVE,
         errors=["T.unflatten(T.ones(2, 3), 1, (2, 2))"]),
    shaped("squeeze", "T.squeeze(x)"),
    shaped("squeeze.dim", "T.squeeze(x, dim)", {"dim": dim}, errors=["T.squeeze(T.ones(2), 1)"]),
    shaped("unsqueeze", "T.unsqueeze(x, dim)", {"dim": dim}, errors=["T.unsqueeze(T.ones(2), 2)"]),
    shaped("transpose", "T.transpose(x, dim, other)", {"dim": dim, "other": dim},
           errors=["T.transpose(T.ones(2), 0, 1)"]),
    shaped("permute", "T.permute(x, order)", {"order": permutation}, errors=["T.permute(T.ones(2, 3), (0, 0))",
           "T.permute(T.ones(2, 3), (0,))"]),
    shaped("movedim", "T.movedim(x, dim, other)", {"dim": dim, "other": dim}),
    shaped("swapaxes", "T.swapaxes(x, dim, other)", {"dim": dim, "other": dim}),
    Case("expand", "x.expand(shape)", ("x",), static={"shape": wider}, bound=MOVE, errors=["T.ones(2).expand(3)"]),
    Case("expand_as", "x.expand_as(y)", ("x", "y"), bound=MOVE, constant=["y"], skip=["alias"]),
    shaped("broadcast_to", "T.broadcast_to(x, shape)", {"shape": wider}, errors=["T.broadcast_to(T.ones(2), (3,))"]),
    Case("repeat", "x.repeat(n)", ("x",), ["a b", "a"], static={"n": [(2, 3), (1, 2, 2), (2, 0)]}, bound=MOVE,
         errors=["T.ones(2, 3).repeat(2)"]),
    shaped("tile", "T.tile(x, n)", {"n": [(2,), (2, 1), (1, 2, 2)]}),
    Case("cat", "T.cat([x, y], dim)", ("x", "y"), ["m n, m n"], static={"dim": dim}, bound=MOVE,
         errors=["T.cat([])", "T.cat([T.ones(2, 2), T.ones(3, 3)])", "T.cat([T.ones(2), T.ones(2, 2)])",
                 "T.cat([T.tensor(1.0), T.tensor(2.0)])"]),
    Case("cat.sizes", "T.cat([x, y, x], 1)", ("x", "y"), ["m n, m k"], bound=MOVE),
    Case("cat.nothing", "T.cat([x, y[:0]], 0)", ("x", "y"), ["m n, k"], bound=MOVE, skip=["alias"]),
    Case("stack", "T.stack([x, y], dim)", ("x", "y"), ["m n, m n", "m, m"], static={"dim": dim}, bound=MOVE,
         errors=["T.stack([])", "T.stack([T.ones(2), T.ones(3)])"]),
    shaped("split", "T.split(x, sizes, dim)", {"dim": dim, "sizes": split_sizes},
           errors=["T.split(T.ones(3), [1, 1])"]),
    shaped("chunk", "T.chunk(x, n, dim)", {"dim": dim, "n": [2, 3, 1]}, errors=["T.chunk(T.ones(3), 0)"]),
    shaped("unbind", "T.unbind(x, dim)", {"dim": dim}, errors=["T.unbind(T.tensor(1.0))"]),
    shaped("narrow", "T.narrow(x, dim, start, length)", {"dim": dim, "start": narrow_start, "length": narrow_length},
           errors=["T.narrow(T.ones(3), 0, 2, 2)"]),
    shaped("select", "T.select(x, dim, index)", {"dim": dim, "index": select_index},
           errors=["T.select(T.ones(3), 0, 3)"]),
    shaped("flip", "T.flip(x, order)", {"order": some_dims}, errors=["T.flip(T.ones(2, 2), (0, 0))"]),
    shaped("roll", "T.roll(x, n, dim)", {"n": [1, -2, 5], "dim": dim}),
    shaped("roll.flat", "T.roll(x, n)", {"n": [1, -2, 0]}),
    Case("tril", "T.tril(x, k)", ("x",), ["m n", "b m n"], static={"k": [0, 1, -1]}, bound=MOVE,
         errors=["T.tril(T.ones(2))"]),
    Case("triu", "T.triu(x, k)", ("x",), ["m n", "b m n"], static={"k": [0, 1, -1]}, bound=MOVE,
         errors=["T.triu(T.ones(2))"]),
    Case("diag", "T.diag(x, k)", ("x",), ["m n", "m"], static={"k": [0, 1, -1]}, bound=MOVE,
         errors=["T.diag(T.ones(2, 2, 2))"]),
    Case("meshgrid", "T.meshgrid(x, y, indexing=indexing)", ("x", "y"), ["m, n"], static={"indexing": ["ij", "xy"]},
         bound=MOVE),
    shaped("masked_fill", "T.masked_fill(x, mask, value)", {"mask": mask, "value": [0, 2.5, float("-inf")]},
           inplace=True),
    shaped("masked_select", "T.masked_select(x, mask)", {"mask": mask},
           errors=["T.masked_select(T.ones(2), T.ones(2))"]),
    shaped("gather", "T.gather(x, dim, index)", {"dim": dim, "index": gather_index},
           errors=["T.gather(T.ones(2), 0, T.tensor([2]))", "T.gather(T.ones(2), 0, T.tensor([0.0]))"]),
    Case("scatter", "T.scatter(x, dim, index, y)", ("x", "y"), ["m n, m n", "m, m"], bound=MOVE, inplace=True,
         static={"dim": dim, "index": lambda s, shapes, st: np.argsort(np.random.default_rng(s.integer(0, 99)).random(
             shapes["x"]), axis=st["dim"]).astype(np.int64)},
         errors=["T.scatter(T.ones(2), 0, T.tensor([2]), T.ones(1))"]),
    shaped("scatter.value", "T.scatter(x, dim, index, value)", {"dim": dim, "index": gather_index, "value": [2.5, 0]},
           inplace=True),
    Case("scatter_add", "T.scatter_add(x, dim, index, y)", ("x", "y"), ["m n, m n", "m, m"], bound=REDUCE, inplace=True,
         static={"dim": dim, "index": whole_index}, errors=["T.scatter_add(T.ones(2), 0, T.tensor([2]), T.ones(1))"]),
    shaped("index_select", "T.index_select(x, dim, index)", {"dim": dim, "index": indices()},
           errors=["T.index_select(T.ones(2), 0, T.tensor([2]))", "T.index_select(T.ones(2), 0, T.tensor([[0]]))"]),
    Case("index_add", "T.index_add(x, 0, index, y, alpha=alpha)", ("x", "y"), ["2 n, 3 n", "2, 3"], bound=REDUCE,
         inplace=True,
         static={"alpha": [1, 2], "index": [np.array([0, 1, 0]), np.array([1, 1, 1])]},
         errors=["T.index_add(T.ones(2), 0, T.tensor([2]), T.ones(1))"]),
    shaped("take_along_dim", "T.take_along_dim(x, index, dim)", {"dim": dim, "index": whole_index}),
    shaped("nonzero", "T.nonzero(x)", orders=0),
    shaped("nonzero.tuple", "T.nonzero(x, as_tuple=True)", orders=0),
    shaped("repeat_interleave", "T.repeat_interleave(x, n, dim)", {"n": [2, 0, 1], "dim": dim}),
    shaped("repeat_interleave.flat", "T.repeat_interleave(x, n)", {"n": [2, 3]}),
    shaped("contiguous", "x.contiguous()"),
    shaped("clone", "T.clone(x)"),
    shaped("detach", "x.detach()", orders=0),
    shaped("x[...]", "x[index]", {"index": getitem_index}, errors=["T.ones(2)[2]", "T.ones(2)[0, 0]", "T.ones(2)['a']",
           "T.ones(2)[T.tensor([2])]", "T.ones(2)[T.tensor([True])]", "T.tensor(1.0)[0]"]),
    Case("x[...] = y", "[c := x.clone(), c.__setitem__(index, y.sum())][0]", ("x", "y"),
         static={"index": getitem_index},
         bound=REDUCE, skip=["alias"],
         errors=["T.zeros(3, 3).int().__setitem__((T.tensor([0, 1]), T.tensor([True] * 3)), T.tensor(2.0))",
                 "T.zeros(3).int().__setitem__(T.tensor([True]), T.tensor(2.0))",
                 "T.zeros(3).int().__setitem__(T.tensor([0, 9]), T.tensor(2.0))",
                 "T.zeros(3).__setitem__(T.tensor([0, 9]), T.tensor(2.0))"]),
    shaped("x[...] = number", "[c := x.clone(), c.__setitem__(index, value)][0]",
           {"index": getitem_index, "value": [2, 0.5]}),
    Case("index_put.repeats", "x[index] * y", ("x", "y"), ["3 n, n"], static={"index": [np.array([0, 2, 0, 0]),
                                                                                        [1, 1]]},
         bound=REDUCE),
]  # fmt: skip

CONVERSION = [
    *(shaped(f"to.{name}", f"x.to(T.{name})", bound=EXACT, domain="finite")
      for name in ("float64", "float32", "float16", "int64", "int32", "int16", "int8", "uint8", "bool")),
    *(shaped(f"{name}()", f"x.{name}()", bound=EXACT, domain="finite", skip=["special"])
      for name in ("double", "float", "half", "int", "long", "short", "bool")),
    Case("type_as", "x.type_as(y)", ("x", "y"), bound=EXACT, domain="finite", constant=["y"], skip=["alias"]),
    Case("type", "x.type(T.float64)", ("x",), bound=EXACT),
    *(shaped(f"{name}", f"T.{name}(x)", orders=0, bound=EXACT) for name in ("zeros_like", "ones_like")),
    shaped("full_like", "T.full_like(x, value)", {"value": [1, 2]}, orders=0, bound=EXACT),
    shaped("empty_like", "T.empty_like(x)", orders=0, bound=EXACT, unset=True),
    shaped("new_zeros", "x.new_zeros((2, 3))", orders=0, bound=EXACT),
    shaped("new_ones", "x.new_ones((2, 3))", orders=0, bound=EXACT),
    shaped("new_full", "x.new_full((2,), 3)", orders=0, bound=EXACT),
    shaped("new_empty", "x.new_empty((2, 3))", orders=0, bound=EXACT, unset=True),
    shaped("new_tensor", "x.new_tensor([1.5, 2])", orders=0, bound=EXACT),
    shaped("as_tensor", "T.as_tensor(x)", bound=MOVE),
    shaped("tolist", "x.tolist()", orders=0, bound=EXACT),
    shaped("numel", "x.numel()", orders=0, bound=EXACT),
    shaped("dim", "x.dim()", orders=0, bound=EXACT),
    shaped("size", "tuple(x.size())", orders=0, bound=EXACT),
    shaped("item", "x.reshape(-1)[:1].sum().item()", orders=0, bound=EXACT),
    shaped("data", "x.data", orders=0, bound=MOVE),
    Case("stride", "(x.stride(), x.is_contiguous())", ("x",), orders=0, bound=EXACT, skip=["negative"]),
]  # fmt: skip


def creation(name: str, call: str, static: dict[str, Any] | None = None, bound: Bound = EXACT, **more: Any) -> Case:
    """An op that makes a tensor from plain values."""
    return Case(name, call, (), static=static or {}, bound=bound, orders=0, **more)


SIZES = [(2, 3), (), (0,), (1, 4)]
VALUES = [1, 2.5, True, [1, 2], [1.5, 2], [[True], [False]], [], [[]], [[1.0, 2.0], [3, 4]], float("nan")]
DTYPE_NAMES = ["float64", "float32", "float16", "int64", "int32", "uint8", "bool"]

CREATION = [
    creation("tensor", "T.tensor(values)", {"values": VALUES}, errors=["T.tensor([[1], [1, 2]])", "T.tensor('a')"]),
    creation("tensor.dtype", "T.tensor(values, dtype=getattr(T, dtype))", {"values": [1, 2.5, [0, 1], [1.5, 0]],
             "dtype": DTYPE_NAMES}),
    creation("tensor.requires_grad", "T.tensor(values, requires_grad=True)", {"values": [1.5, [1.0, 2.0]]},
             errors=["T.tensor([1, 2], requires_grad=True)"]),
    creation("tensor.tensors", "T.tensor([T.tensor(1.0), T.tensor(2.5)])"),
    creation("Tensor.sizes", "tuple(T.Tensor(2, 3).shape)"),
    creation("Tensor.data", "T.Tensor([1, 2.5])"),
    *(creation(name, f"T.{name}([1, 0, 3])") for name in
      ("FloatTensor", "DoubleTensor", "IntTensor", "LongTensor", "ShortTensor", "ByteTensor", "BoolTensor")),
    creation("zeros", "T.zeros(size, dtype=getattr(T, dtype))", {"size": SIZES, "dtype": DTYPE_NAMES},
             errors=["T.zeros(-1)", "T.zeros('a')"]),
    creation("ones", "T.ones(size, dtype=getattr(T, dtype))", {"size": SIZES, "dtype": DTYPE_NAMES}),
    creation("full", "T.full(size, value)", {"size": SIZES, "value": [1, 2.5, True]}),
    creation("empty", "T.empty(size)", {"size": SIZES}, unset=True),
    creation("eye", "T.eye(n, m)", {"n": [3, 1, 0], "m": [2, 4]}, errors=["T.eye(-1)"]),
    creation("arange", "T.arange(start, stop, step)", {"start": [0, -1, 0.5], "stop": [5, 4.5], "step": [1, 0.1, 0.3]},
             errors=["T.arange(3, 0)", "T.arange(0, 3, 0)", "T.arange(0, 3, -1)", "T.arange(3, dtype=T.bool)"]),
    creation("arange.stop", "T.arange(stop)", {"stop": [5, 0, 4.5]}),
    creation("arange.dtype", "T.arange(-1, 2.5, 0.7, dtype=getattr(T, dtype))",
             {"dtype": ["float64", "float16", "int32", "int8"]}),
    creation("linspace", "T.linspace(start, stop, n)", {"start": [0, -3.0], "stop": [1, 2.5], "n": [5, 1, 0, 100]},
             errors=["T.linspace(0, 1, -1)"]),
    creation("linspace.dtype", "T.linspace(-3.1, 2.5, n, dtype=getattr(T, dtype))",
             {"n": [5, 1, 2000], "dtype": ["float64", "float16", "int64"]}),
    creation("logspace", "T.logspace(start, 2.5, n, dtype=getattr(T, dtype))",
             {"start": [0, -3.0], "n": [5, 1, 0, 60], "dtype": ["float32", "float16", "int64"]}),
    creation("from_numpy", "T.from_numpy(np.arange(6.0).reshape(2, 3))", errors=["T.from_numpy([1, 2])"]),
    creation("is_tensor", "(T.is_tensor(T.ones(1)), T.is_tensor(1))"),
]  # fmt: skip

F = "T.nn.functional"


def functional(name: str, bound: Bound, arguments: str = "", static: dict[str, Any] | None = None, **more: Any) -> Case:
    """T.nn.functional.name(x, arguments), of any shape; a variant is named "name.variant"."""
    call = f"{F}.{name.partition('.')[0]}(x{', ' if arguments else ''}{arguments})"
    return Case(f"F.{name}", more.pop("call", call), ("x",), static=static or {}, bound=bound, optional=True,
                dtypes=FLOATS, **more)  # fmt: skip


def pairwise(name: str, bound: Bound, arguments: str = "", static: dict[str, Any] | None = None, **more: Any) -> Case:
    """A loss T.nn.functional.name(x, y, arguments, reduction=...) of two tensors of one shape."""
    call = f"{F}.{name.partition('.')[0]}(x, y, {arguments}{', ' if arguments else ''}reduction=reduction)"
    return Case(f"F.{name}", call, ("x", "y"), more.pop("shapes", ["m n, m n", "m, m"]), bound=bound, optional=True,
                dtypes=FLOATS,
                static={"reduction": ["mean", "sum", "none"], **(static or {})}, **more)  # fmt: skip


def labels(source: Source, shapes: Shapes, static: Static) -> np.ndarray:
    """A class for each row of x."""
    rows, classes = shapes["x"]
    rng = np.random.default_rng(source.integer(0, 2**16))
    return np.asarray(rng.integers(0, max(classes, 1), rows), np.int64)


FUNCTIONAL = [
    functional("relu", EXACT),
    functional("relu6", EXACT),
    functional("leaky_relu", ARITHMETIC, "slope", {"slope": [0.01, 0.3]}),
    functional("elu", FUNCTION, "alpha", {"alpha": [1.0, 0.5]}),
    functional("selu", COMPOSED),
    functional("celu", COMPOSED, "alpha", {"alpha": [1.0, 0.7]}),
    functional("gelu", COMPOSED),
    # Among many numbers some lie where 1 + tanh(x) is all rounding.
    functional("gelu.tanh", STEEP, "approximate='tanh'", skip=["long"]),
    functional("silu", COMPOSED),
    functional("mish", COMPOSED),
    functional("hardtanh", EXACT),
    functional("hardsigmoid", CHAIN, call=f"{F}.hardsigmoid(3 * x)", orders=1),  # ties are at the corners
    # Of nan torch's vector loop and its scalar one differ.
    functional("hardswish", CHAIN, call=f"{F}.hardswish(3 * x)", domain="finite", skip=["special"]),
    functional("hardshrink", EXACT, call=f"{F}.hardshrink(x / 2)", domain="finite", skip=["special"]),
    functional("softshrink", ARITHMETIC, call=f"{F}.softshrink(x / 2)", domain="finite", skip=["special"]),
    functional("tanhshrink", COMPOSED),
    functional("threshold", EXACT, "0.5, 20"),
    functional("softplus", COMPOSED, "beta, threshold", {"beta": [1, 2.0], "threshold": [20, 2.0]}),
    functional("softsign", CHAIN),
    functional("logsigmoid", COMPOSED),
    functional("tanh", SATURATING),
    functional("sigmoid", COMPOSED),
    functional("softmax", SOFTMAX, "dim", {"dim": dim}),
    functional("softmin", SOFTMAX, "dim", {"dim": dim}),
    functional("log_softmax", SOFTMAX, "dim", {"dim": dim}),
    functional("normalize", COMPOSED, "dim=dim", {"dim": dim}),
    functional("glu", COMPOSED, "-1", call=f"{F}.glu(x, -1)", shapes=["m 4"]),
    functional("dropout", EXACT, "0.3, training=False"),
    functional("one_hot", EXACT, call="T.nn.functional.one_hot(index, 5)", static={"index": [np.array([0, 4, 2])]},
               orders=0),
    functional("layer_norm", REDUCE, call=f"{F}.layer_norm(x, x.shape[-1:])", shapes=["m 3", "b m 4"]),
    Case("F.layer_norm.affine", f"{F}.layer_norm(x, x.shape[1:], y, z)", ("x", "y", "z"),
         ["b 3, 3, 3", "b 2 3, 2 3, 2 3"], bound=REDUCE, optional=True, dtypes=FLOATS),
    functional("rms_norm", REDUCE, call=f"{F}.rms_norm(x, x.shape[-1:])", shapes=["m 3", "b m 4"]),
    functional("batch_norm", REDUCE, call=f"{F}.batch_norm(x, None, None, training=True)", shapes=["4 n", "2 n 3"],
               skip=["empty"]),
    Case("F.batch_norm.affine", f"{F}.batch_norm(x, None, None, y, z, True)", ("x", "y", "z"),
         ["4 n, n, n", "2 n 3, n, n"], bound=REDUCE, optional=True, dtypes=FLOATS, domain="finite",
         # torch folds weight and mean: other infinities are nan, and second derivatives cancel otherwise; its backward
         # reads a strided weight as if it were contiguous.
         skip=["empty", "special", "strided", "negative", "expanded"], orders=1),
    Case("F.linear", f"{F}.linear(x, y, z)", ("x", "y", "z"), ["m k, n k, n", "k, n k, n", "b m k, n k, n"],
         bound=REDUCE,
         errors=[f"{F}.linear(T.ones(2, 3), T.ones(2, 4))"], optional=True, dtypes=FLOATS),
    Case("F.linear.no bias", f"{F}.linear(x, y)", ("x", "y"), ["m k, n k", "k, n k"], bound=REDUCE, optional=True,
         dtypes=FLOATS),
    Case("F.bilinear", f"{F}.bilinear(x, y, z)", ("x", "y", "z"), ["m k, m n, p k n"], bound=REDUCE, optional=True,
         dtypes=FLOATS),
    Case("F.embedding", f"{F}.embedding(index, x)", ("x",), ["3 n"], static={"index": [np.array([0, 2, 2]),
                                                                                       np.array([[1], [0]])]},
         bound=MOVE, optional=True, dtypes=FLOATS),
    Case("F.embedding.padding", f"{F}.embedding(index, x, padding_idx=-1)", ("x",), ["3 n"],
         static={"index": [np.array([0, 2, 2, 1])]}, bound=MOVE, optional=True, dtypes=FLOATS),
    Case("F.cosine_similarity", f"{F}.cosine_similarity(x, y, dim=-1)", ("x", "y"), ["m n, m n", "n, n"],
         bound=COMPOSED,
         optional=True, dtypes=FLOATS[:2]),
    Case("F.pairwise_distance", f"{F}.pairwise_distance(x, y)", ("x", "y"), ["m n, m n"], bound=REDUCE, optional=True,
         dtypes=FLOATS[:2]),
    pairwise("mse_loss", REDUCE),
    pairwise("l1_loss", REDUCE),
    pairwise("smooth_l1_loss", REDUCE, "beta=beta", {"beta": [1.0, 0.3]}),
    pairwise("huber_loss", REDUCE, "delta=delta", {"delta": [1.0, 0.3]}),
    pairwise("binary_cross_entropy_with_logits", COMPOSED, domain={"y": "unit"}),
    Case("F.binary_cross_entropy", f"{F}.binary_cross_entropy(T.sigmoid(x), T.sigmoid(y), reduction=reduction)",
         ("x", "y"),
         ["m n, m n"], static={"reduction": ["mean", "sum", "none"]}, bound=COMPOSED, skip=["special"], optional=True,
         dtypes=FLOATS),
    pairwise("kl_div", COMPOSED, domain={"y": "positive"}),
    pairwise("soft_margin_loss", STEEP, constant=["y"], skip=["alias"],
             errors=[f"{F}.soft_margin_loss(T.ones(2), T.ones(2, requires_grad=True))"]),
    pairwise("hinge_embedding_loss", REDUCE, constant=["y"], skip=["alias"]),
    Case("F.nll_loss", f"{F}.nll_loss(x, label, reduction=reduction)", ("x",), ["m n"], bound=REDUCE, skip=["empty"],
         static={"label": labels, "reduction": ["mean", "sum", "none"]}, optional=True, dtypes=FLOATS),
    Case("F.cross_entropy", f"{F}.cross_entropy(x, label, reduction=reduction, label_smoothing=smooth)", ("x",),
         ["m n"],
         bound=SOFTMAX, static={"label": labels, "reduction": ["mean", "sum", "none"], "smooth": [0.0, 0.1]},
         skip=["empty"],
         optional=True, dtypes=FLOATS),
    Case("F.cross_entropy.probabilities", f"{F}.cross_entropy(x, T.softmax(y, 1))", ("x", "y"), ["m n, m n"],
         bound=SOFTMAX,
         skip=["empty"], optional=True, dtypes=FLOATS),
]  # fmt: skip


def more(name: str, call: str, inputs: str = "x", shapes: str | Sequence[str] = "elementwise", bound: Bound = EXACT,
         **rest: Any) -> Case:  # fmt: skip
    """A row of an op beyond the documents' needs."""
    return Case(name, call, tuple(inputs.split()), shapes, bound=bound, optional=True, **rest)


def flat_index(source: Source, shapes: Shapes, static: Static) -> np.ndarray:
    """Positions in x flattened, repeats included."""
    size = int(np.prod(shapes["x"]))
    return np.array([source.integer(0, size - 1) for _ in range(3 if size else 0)], np.int64)


MORE = [
    more("asinh", "T.asinh(x)", bound=COMPOSED, inplace=True),
    more("acosh", "T.acosh(x + 1)", bound=COMPOSED, domain="positive"),
    more("atanh", "T.atanh(x)", bound=COMPOSED, domain="unit", inplace=True),
    more("sinc", "T.sinc(x)", bound=COMPOSED, inplace=True),
    more("logit", "T.logit(x, eps)", bound=COMPOSED, domain="unit", static={"eps": [None, 0.1]}),
    more("signbit", "T.signbit(x)", orders=0),
    more("nan_to_num", "T.nan_to_num(x, 1.5)", inplace=True),
    more("deg2rad", "T.deg2rad(x)", bound=ARITHMETIC),
    more("rad2deg", "T.rad2deg(x)", bound=ARITHMETIC),
    more("fill", "T.fill(x, value)", static={"value": [2, 0.5]}),
    more("fill.tensor", "T.fill(x, y.reshape(-1)[:1].sum())", "x y", bound=REDUCE, skip=["alias"]),
    more("copy_", "x.clone().copy_(y)", "x y", ["m n, m n", "m n, n", "m, 1"], bound=MOVE, skip=["alias"]),
    more("write through a view", "[c := x.clone(), c[1].mul_(y)][0]", "x y", ["3 n, n", "2 n, 1"], bound=ARITHMETIC,
         skip=["alias"]),
    more("write through a transposed view", "[c := x.clone(), v := c.t(), v[0].exp_(), v.sigmoid_()][0]", "x", ["m n"],
         bound=COMPOSED),
    more("view of what was written", "[c := x.clone(), v := c.view(-1), c.mul_(y), v * 2][3]", "x y", ["m n, n"],
         bound=CHAIN,
         skip=["alias"]),
    more("logaddexp", "T.logaddexp(x, y)", "x y", bound=SOFTMAX),
    more("logaddexp2", "T.logaddexp2(x, y)", "x y", bound=SOFTMAX),
    more("fmax", "T.fmax(x, y)", "x y"),
    more("fmin", "T.fmin(x, y)", "x y"),
    more("hypot", "T.hypot(x, y)", "x y", bound=CHAIN),
    more("copysign", "T.copysign(x, y)", "x y", bound=MOVE),
    more("xlogy", "T.xlogy(x, y)", "x y", bound=COMPOSED, domain={"y": "positive"}),
    more("heaviside", "T.heaviside(x, y)", "x y", orders=0),
    more("float_power", "T.float_power(x, y)", "x y", bound=FUNCTION, domain={"x": "positive"}),
    *(more(f"bitwise_{name}", f"T.bitwise_{name}(x, y)", "x y", orders=0) for name in ("and", "or", "xor")),
    more("bitwise_not", "T.bitwise_not(x)", orders=0),
    *(more(name, f"T.{name}(x, y)", "x y", orders=0, inplace=True) for name in ("gcd", "lcm")),
    more("isin", "T.isin(x, y)", "x y", ["m n, k"], orders=0, skip=["special"]),
    *(more(f"bitwise_{name}_shift", f"T.bitwise_{name}_shift(x, y)", "x y", orders=0, domain={"x": "positive",
                                                                                              "y": "bool"},
           skip=["special"]) for name in ("left", "right")),
    more("take", "T.take(x, index)", static={"index": flat_index}, bound=MOVE, skip=["empty"]),
    more("put", "T.put(x, index, y, accumulate=True)", "x y", ["m n, 3", "4, 3"],
         static={"index": [np.array([0, 3, 0])]},
         bound=REDUCE, skip=["empty", "size-1"]),
    more("index_copy", "T.index_copy(x, 0, index, y)", "x y", ["3 n, 2 n"], static={"index": [np.array([2, 0])]},
         bound=MOVE),
    more("index_fill", "T.index_fill(x, 0, index, 1.5)", "x", ["3 n"], static={"index": [np.array([2, 0])]},
         bound=MOVE),
    more("index_put", "T.index_put(x, (index,), y, accumulate=add)", "x y", ["3 n, 2 n"], bound=REDUCE,
         static={"index": [np.array([2, 0])], "add": [True, False]}),
    more("masked_scatter", "T.masked_scatter(x, mask, y)", "x y", ["m n, m n"], static={"mask": mask}, bound=MOVE),
    more("scatter_reduce", "T.scatter_reduce(x, dim, index, y, how)", "x y", ["m n, m n"], static={"dim": dim,
                                                                                                   "index": whole_index,
         "how": ["sum", "mean"]}, bound=REDUCE, dtypes=FLOATS[:2]),
    more("diagonal", "T.diagonal(x, k)", "x", ["m n"], static={"k": [0, 1, -1]}, bound=MOVE),
    more("diag_embed", "T.diag_embed(x, k)", "x", ["m n", "m"], static={"k": [0, 1]}, bound=MOVE),
    more("select_scatter", "T.select_scatter(x, y, 0, 1)", "x y", ["3 n, n"], bound=MOVE),
    more("slice_scatter", "T.slice_scatter(x, y, 0, 1, 3)", "x y", ["4 n, 2 n"], bound=MOVE),
    more("logcumsumexp", "T.logcumsumexp(x, dim)", static={"dim": dim}, bound=SOFTMAX),
    more("cummax", "T.cummax(x, dim)", static={"dim": dim}),
    more("cummin", "T.cummin(x, dim)", static={"dim": dim}),
    more("nanmedian", "T.nanmedian(x)", dtypes=FLOATS[:2], skip=["empty"]),
    more("cov", "T.cov(x, correction=c)", "x", ["m 5"], static={"c": [1, 0]}, bound=REDUCE, dtypes=FLOATS),
    more("corrcoef", "T.corrcoef(x)", "x", ["2 5"], bound=COMPOSED, dtypes=FLOATS[:2], distinct=True,
         skip=["ties", "special", "expanded"]),  # rounding decides on which side of 1 they are, where clip cuts
    more("median", "T.median(x)", dtypes=FLOATS[:2], skip=["empty"]),
    more("nansum", "T.nansum(x)", bound=REDUCE),
    more("nanmean", "T.nanmean(x)", bound=REDUCE),
    more("std_mean", "T.std_mean(x, dim)", static={"dim": dims}, bound=REDUCE),
    more("var_mean", "T.var_mean(x, dim)", static={"dim": dims}, bound=REDUCE),
    more("diff", "T.diff(x)", "x", ["m n", "m"], bound=ARITHMETIC),
    more("dist", "T.dist(x, y, p)", "x y", static={"p": [2, 1, 3]}, bound=COMPOSED),
    more("dist.0", "T.dist(x, y, 0)", "x y", constant=["y"], skip=["alias"]),
    more("trace", "T.trace(x)", "x", ["m n"], bound=REDUCE),
    more("inner", "T.inner(x, y)", "x y", ["m k, n k", "k, k", "1 k, k"], bound=REDUCE,
         errors=["T.inner(T.ones(0, dtype=T.bool), T.ones(0, dtype=T.bool))", "T.inner(T.ones(1).int(), T.ones(1))"]),
    more("kron", "T.kron(x, y)", "x y", ["m n, p q"], bound=ARITHMETIC),
    more("cross", "T.cross(x, y, dim=-1)", "x y", ["m 3, m 3"], bound=CHAIN,
         skip=["alias"]),  # of x with itself only rounding is left
    more("tensordot", "T.tensordot(x, y, 1)", "x y", ["m k, k n", "m 1, k n", "m k, 1 n", "k, k"], bound=REDUCE),
    more("addmv", "T.addmv(x, y, z, beta=beta)", "x y z", ["m, m k, k"], static={"beta": [1, 0.5]}, bound=REDUCE),
    more("addr", "T.addr(x, y, z)", "x y z", ["m n, m, n"], bound=CHAIN),
    more("addbmm", "T.addbmm(x, y, z)", "x y z", ["m n, b m k, b k n"], bound=REDUCE),
    more("rot90", "T.rot90(x, k)", "x", ["m n"], static={"k": [1, 2, 3, -1]}, bound=MOVE),
    more("tensor_split", "T.tensor_split(x, n)", "x", ["m n"], static={"n": [2, 3]}, bound=MOVE),
    more("unfold", "x.unfold(0, 2, 1)", "x", ["3 n", "4"], bound=MOVE),
    more("hstack", "T.hstack([x, y])", "x y", ["m n, m n", "m, n"], bound=MOVE),
    more("vstack", "T.vstack([x, y])", "x y", ["m n, m n", "m, m"], bound=MOVE),
    more("F.prelu", f"{F}.prelu(x, y)", "x y", ["b 3, 3", "b 3, 1"], bound=ARITHMETIC, dtypes=FLOATS[:2]),
    more("F.bce.weight", f"{F}.binary_cross_entropy_with_logits(x, y, pos_weight=z)", "x y z", ["b 3, b 3, 3"],
         bound=COMPOSED,
         dtypes=FLOATS[:2], constant=["z"], skip=["special"], domain={"y": "unit", "z": "positive"}),
]  # fmt: skip

GROUPS: dict[str, list[Case]] = {
    "elementwise": ELEMENTWISE_UNARY + ELEMENTWISE_BINARY,
    "operators": OPERATORS,
    "reductions": REDUCTIONS,
    "linear algebra": LINEAR,
    "shape and indexing": SHAPE,
    "conversion": CONVERSION,
    "functional": FUNCTIONAL,
    "more": MORE,
    "creation": CREATION,
}
CASES: list[Case] = [case for group in GROUPS.values() for case in group]


def find(name: str) -> Case:
    """The row called `name`; KeyError with the nearest names otherwise."""
    for case in CASES:
        if case.name == name:
            return case
    from difflib import get_close_matches

    near = get_close_matches(name, [case.name for case in CASES])
    raise KeyError(f"no row {name!r} in compare/cases.py; near: {', '.join(near) or 'none'}")
