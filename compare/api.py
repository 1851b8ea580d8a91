"""`assert_same_gradients`: checks a user's own function, or a pair of modules, on two engines.

Owns the public call, its failure report and the standalone script in it. The checks themselves are those of the ops
(`checks.py`).
"""

from __future__ import annotations

import ast
import inspect
import math
import re
import textwrap
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import numpy as np

from . import checks, engines, ulp
from .cases import Case
from .report import ulp_text
from .strategies import Operand, array_code
from .ulp import Bound

USER = Bound("user", 4, 4, 32, "any composition: rounding of the size that moving the inputs by a few eps has")


class GradientMismatch(AssertionError):
    """Two engines disagree; the message says on which input, at which index, by how much, and how to see it again."""

    def __init__(self, message: str, reproducer: str) -> None:
        super().__init__(message)
        self.reproducer = reproducer


@dataclass(frozen=True)
class Agreement:
    """What a passed check covered."""

    checks: int
    examples: int
    worst_ulp: float

    def __repr__(self) -> str:
        examples = f"{self.examples} example{'s' if self.examples != 1 else ''}"
        return f"agreement: {self.checks} checks on {examples}, worst {ulp_text(self.worst_ulp)} ulp"


@dataclass(frozen=True)
class FunctionCase(Case):
    """A user's function in the place of a row: `pick(T)` is the callable for engine `T`."""

    pick: Callable[[Any], Callable[..., Any]] = lambda T: lambda: None

    def run(self, T: Any, tensors: dict[str, Any], static: dict[str, Any], expression: str | None = None) -> Any:
        return self.pick(T)(*tensors.values())


class _Side:
    """An engine under another identity, so that a pair of callables can be told apart on one engine too."""

    def __init__(self, T: Any, function: Callable[..., Any]) -> None:
        self._engine, self._function = T, function

    def __getattr__(self, name: str) -> Any:
        return getattr(self._engine, name)


def assert_same_gradients(
    function: Any,
    *inputs: Any,
    engines: tuple[Any, Any] = ("minigrad", "torch"),
    orders: int = 2,
    examples: int = 50,
    seed: int = 0,
    ulps: float | None = None,
    requires_grad: Sequence[bool] | None = None,
) -> Agreement:
    """Check that `function` has the same values, gradients and double gradients on both engines.

    `function` is f(T, x, ...) written against a torch-like namespace, or a pair (mine,
                                                                                  theirs): callables of the tensors
    alone, or modules, whose parameters are then compared too (mine is given their weights). `inputs` are arrays, nested
    lists, numbers, or hypothesis strategies of arrays (`compare.strategies.arrays`), of which `examples` are drawn.
    The cotangent and the direction of the double backward are random. `orders`: 0 values, 1 gradients, 2 double.
    `ulps` is a bound that holds with no regard to conditioning; by default an entry may differ by what moving the
    inputs by a few eps would change. `requires_grad` chooses the inputs; by default all floats. `engines` are names or
    modules; ("torch", "torch") compares two implementations on torch alone.

    Raises GradientMismatch, an AssertionError, with a script that shows the disagreement; TypeError for a bad call.
    """
    __tracebackhide__ = True
    ours, theirs = (_engine(e) for e in engines)
    if isinstance(function, tuple):
        if len(function) != 2:
            raise TypeError(f"expected a pair (mine, theirs), got a tuple of {len(function)}")
        if all(hasattr(f, "state_dict") for f in function):
            return _modules(function, inputs, ours, theirs, seed)
    elif not callable(function):
        raise TypeError(f"expected a function f(T, *tensors) or a pair of callables, got {type(function).__name__}")
    check = _Checker(function, ours, theirs, orders, seed, ulps, requires_grad)
    if any(_is_strategy(i) for i in inputs):
        check.explore(inputs, examples)
    else:
        check.once([_array(i) for i in inputs])
    return Agreement(check.checks, check.examples, check.worst)


class _Checker:
    """Runs one function on arrays, counts, raises."""

    def __init__(self, function: Any, ours: Any, theirs: Any, orders: int, seed: int, ulps: float | None,
                 requires_grad: Sequence[bool] | None) -> None:  # fmt: skip
        self.function, self.orders, self.seed, self.requires_grad = function, orders, seed, requires_grad
        self.names = _names(function)
        self.bound = USER if ulps is None else Bound("user", ulps, ulps, 0, "asked for")
        self.checks, self.examples, self.worst = 0, 0, 0.0
        self.plain = (ours, theirs)
        if isinstance(function, tuple):
            ours, theirs = _Side(ours, function[0]), _Side(theirs, function[1])
        self.ours, self.theirs = ours, theirs

    def pick(self, T: Any) -> Callable[..., Any]:
        if isinstance(T, _Side):
            return T._function
        return lambda *tensors: self.function(T, *tensors)

    def once(self, arrays: list[np.ndarray]) -> None:
        """Check the function on `arrays`; raises GradientMismatch."""
        __tracebackhide__ = True
        names = tuple(self.names[i] if i < len(self.names) else f"x{i}" for i in range(len(arrays)))
        wanted = self.requires_grad or [True] * len(arrays)
        operands = tuple(_operand(n, a, w) for n, a, w in zip(names, arrays, wanted))
        case = FunctionCase(_title(self.function), "f", names, bound=self.bound, pick=self.pick, orders=self.orders)
        example = checks.Example(case, operands, {}, self.seed)
        verdict = checks.check(self.ours, self.theirs, example, self.orders, gradient=self.bound, names=False)
        self.checks += verdict.checks
        self.examples += 1
        self.worst = max([self.worst, *verdict.worst.values()])
        if not verdict.passed:
            raise self.mismatch(example, verdict)

    def explore(self, inputs: Sequence[Any], examples: int) -> None:
        """Draw the inputs that are strategies; hypothesis shrinks what fails."""
        __tracebackhide__ = True
        hypothesis = engines.require("hypothesis")
        strategies = hypothesis.strategies

        @hypothesis.seed(self.seed)
        @hypothesis.settings(
            max_examples=examples, database=None, deadline=None, report_multiple_bugs=False, print_blob=False,
            suppress_health_check=list(hypothesis.HealthCheck), verbosity=hypothesis.Verbosity.quiet,
        )  # fmt: skip
        @hypothesis.given(strategies.tuples(*(i if _is_strategy(i) else strategies.just(_array(i)) for i in inputs)))
        def look(arrays: tuple[Any, ...]) -> None:
            self.once([_array(a) for a in arrays])

        try:
            look()
        except GradientMismatch as error:
            raise error.with_traceback(None) from None

    def mismatch(self, example: checks.Example, verdict: checks.Verdict) -> GradientMismatch:
        script = function_script(self.function, example, self.plain)
        shapes = ", ".join(f"{o.name}: {o.dtype}{list(o.values.shape)}" for o in example.operands)
        lines = [f"{_engine_name(self.plain[0])} and {_engine_name(self.plain[1])} disagree on {_title(self.function)} "
                 f"with {shapes}"]  # fmt: skip
        lines += [f"  {message}" for _, message in verdict.failures[:6]]
        if len(verdict.failures) > 6:
            lines.append(f"  ... and {len(verdict.failures) - 6} more")
        lines += ["", "run this to see it again:", "", textwrap.indent(script, "    ")]
        return GradientMismatch("\n".join(lines), script)


# --- a pair of modules


def _modules(pair: tuple[Any, Any], inputs: Sequence[Any], ours: Any, theirs: Any, seed: int) -> Agreement:
    """Both modules with the second's weights: outputs, gradients of inputs and parameters, and a double backward."""
    __tracebackhide__ = True
    mine, reference = pair
    carried = {n: checks.to_numpy(t) for n, t in reference.state_dict().items()}
    if list(carried) != list(mine.state_dict()):
        raise GradientMismatch(
            f"the modules have different state_dicts: {list(mine.state_dict())} and {list(carried)}", ""
        )
    mine.load_state_dict({n: ours.from_numpy(a.copy()) for n, a in carried.items()})
    # float inputs are given in the weights' dtype: a module in another dtype refuses them
    dtype = next((w.dtype for w in carried.values() if a_float(w)), None)
    arrays = [array.astype(dtype) if dtype is not None and a_float(array) else array for array in map(_array, inputs)]
    a, b = (_module_trace(T, m, arrays, seed) for T, m in ((ours, mine), (theirs, reference)))
    worst, messages = 0.0, []
    for label, expected in b.items():
        got = a.get(label)
        if (got is None) != (expected is None):
            messages.append(f"{label}: got {got}, expected {expected}")
        elif expected is not None and (got.shape, got.dtype) != (expected.shape, expected.dtype):
            messages.append(
                f"{label}: got {got.dtype}{list(got.shape)}, expected {expected.dtype}{list(expected.shape)}"
            )
        elif expected is not None:
            ulps, bad = ulp.within_training(got, expected, 0, 4 * ulp.TRAINING.terms)
            worst = max(worst, float(np.where(bad, 0, ulps).max(initial=0)))
            if bad.any():
                messages.append(checks.disagreement(label, got, expected, ulps, bad))
    if messages:
        values = "\n".join(f"x{i} = {array_code(array)}" for i, array in enumerate(arrays))
        weights = "\n".join(f"{n} = {array_code(array)}" for n, array in carried.items())
        report = [
            f"the modules {type(mine).__name__} and {type(reference).__name__} disagree",
            *(f"  {m}" for m in messages[:8]),
        ]
        script = f"import numpy as np\n\n# inputs\n{values}\n# weights, for load_state_dict\n# " + weights.replace(
            "\n", "\n# "
        )
        raise GradientMismatch(
            "\n".join([*report, "", "with these values:", "", textwrap.indent(script, "    ")]), script
        )
    return Agreement(len(b), 1, worst)


def _module_trace(T: Any, module: Any, arrays: Sequence[np.ndarray], seed: int) -> dict[str, np.ndarray | None]:
    tensors = [T.from_numpy(a.copy()) for a in arrays]
    leaves = {f"x{i}": t.requires_grad_() for i, t in enumerate(tensors) if a_float(arrays[i])}
    leaves |= dict(module.named_parameters())
    outs = [r for r in checks.flatten(module(*tensors), T) if isinstance(r, T.Tensor)]
    trace: dict[str, np.ndarray | None] = {f"output {i}": checks.to_numpy(r) for i, r in enumerate(outs)}
    ends = [r for r in outs if r.requires_grad]
    if not ends or not leaves:
        return trace
    cotangents = [checks.random_like(T, r, seed + i, None)[0] for i, r in enumerate(ends)]
    first = T.autograd.grad(ends, list(leaves.values()), cotangents, create_graph=True, allow_unused=True)
    for name, g in zip(leaves, first):
        trace[f"gradient of {name}"] = None if g is None else checks.to_numpy(g)
    live = [(i, g) for i, g in enumerate(first) if g is not None and g.requires_grad]
    second: Sequence[Any] = [None] * len(leaves)
    if live:
        directions = [checks.random_like(T, g, seed + 50 + i, None)[0] for i, g in live]
        second = T.autograd.grad([g for _, g in live], list(leaves.values()), directions, allow_unused=True)
    for (name, leaf), g in zip(leaves.items(), second):
        zero = np.zeros(tuple(leaf.shape), checks.to_numpy(leaf).dtype)
        trace[f"double backward of {name}"] = zero if g is None else checks.to_numpy(g)
    return trace


# --- inputs


def a_float(array: np.ndarray) -> bool:
    return array.dtype.kind == "f"


def _engine(engine: Any) -> Any:
    return engines.load(engine) if isinstance(engine, str) else engine


def _engine_name(T: Any) -> str:
    return getattr(T, "__name__", type(T).__name__)


def _is_strategy(value: Any) -> bool:
    return hasattr(value, "example") and hasattr(value, "map")


def _array(value: Any) -> np.ndarray:
    """An input as an array: tensors of either engine by their values, Python numbers and lists as float64 or int64."""
    if hasattr(value, "detach"):
        return checks.to_numpy(value)
    array = np.asarray(value)
    if array.dtype.name not in checks.DTYPES:
        raise TypeError(
            f"an input of dtype {array.dtype} cannot become a tensor; expected one of {', '.join(checks.DTYPES)}"
        )
    return array


def _operand(name: str, array: np.ndarray, wanted: bool) -> Operand:
    """The array as an operand; a negatively strided one keeps its layout."""
    layout = "contiguous"
    if array.ndim and any(s < 0 for s in array.strides):
        layout = "negative"
    elif array.ndim > 1 and array.flags.f_contiguous and not array.flags.c_contiguous:
        layout = "transposed"
    elif array.ndim and array.size and not array.flags.c_contiguous and 0 not in array.strides:
        layout = "strided"
    return Operand(name, np.array(array), layout, wanted)


def _names(function: Any) -> list[str]:
    """The parameters' names, without the engine's."""
    first = function[0] if isinstance(function, tuple) else function
    try:
        parameters = list(inspect.signature(first).parameters.values())
    except (TypeError, ValueError):
        return []
    plain = [p.name for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    return plain if isinstance(function, tuple) else plain[1:]


def _title(function: Any) -> str:
    if isinstance(function, tuple):
        return " and ".join(_title(f) for f in function)
    return getattr(function, "__name__", type(function).__name__)


# --- the script of a failure


def function_script(function: Any, example: checks.Example, pair: tuple[Any, Any]) -> str:
    """A program that holds the function, the exact inputs, and prints values, vjp and double backward of both."""
    pieces: dict[str, str] = {}
    targets = function if isinstance(function, tuple) else (function,)
    labels = [_define(f, f"f{i}" if len(targets) > 1 else "f", pieces) for i, f in enumerate(targets)]
    names = [_engine_name(T) for T in pair]
    lines = ["import numpy as np", *(f"import {n}" for n in dict.fromkeys(names)), ""]
    lines += [*_spaced(pieces.values()), "", "", *checks.PLAIN, "", "", "def show(T, f, name):"]
    for o in example.operands:
        grad = ".requires_grad_()" if o.is_float and o.differentiable else ""
        lines.append(f"    {o.name} = {o.code()}{grad}")
    arguments = ", ".join(o.name for o in example.operands)
    inputs = ", ".join(example.differentiable())
    lines += [
        f"    out = f({arguments})" if len(targets) > 1 else f"    out = f(T, {arguments})",
        "    outs = [o for o in (out if isinstance(out, (tuple, list)) else [out]) if isinstance(o, T.Tensor)]",
        '    print(name, "gives", *map(plain, outs))',
        "    outs = [o for o in outs if o.requires_grad]",
        "    def random(t, seed):",
        "        g = np.asarray(np.random.default_rng(seed).normal(size=tuple(t.shape)))",
        "        return T.from_numpy(g.astype(str(t.dtype)[6:]))",
        f"    gs = [random(o, {example.seed} + 101 * i) for i, o in enumerate(outs)]",
        f"    first = T.autograd.grad(outs, [{inputs}], gs, retain_graph=True, allow_unused=True)",
        '    print(name, "vjp", *map(plain, first))',
        "    gs = [g.requires_grad_() for g in gs]",
        f"    first = T.autograd.grad(outs, [{inputs}], gs, create_graph=True, allow_unused=True)",
        "    live = [(i, g) for i, g in enumerate(first) if g is not None and g.requires_grad]",
        f"    directions = [random(g, {example.seed} + 211 + 101 * i) for i, g in live]",
        f"    second = T.autograd.grad([g for _, g in live], [{inputs}, *gs], directions, allow_unused=True)",
        '    print(name, "double backward", *map(plain, second))',
        "",
        "",
        f"for T, f, name in (({names[1]}, {labels[-1]}, 'expected'), ({names[0]}, {labels[0]}, 'got')):",
        "    try:",
        "        show(T, f, name)",
        "    except Exception as error:",
        "        print(name, type(error).__name__, error)",
    ]
    return "\n".join(lines) + "\n"


def _spaced(pieces: Iterable[str]) -> Iterator[str]:
    """The pieces, functions and classes set apart by two empty lines."""
    for piece in pieces:
        if piece.startswith(("def ", "class ", "@")):
            yield from ("", "")
        yield piece


def _define(f: Any, fallback: str, pieces: dict[str, str]) -> str:
    """Put the source of `f`, and of what it refers to, into `pieces`; returns the name it has there."""
    source = _source(f)
    name = getattr(f, "__name__", fallback)
    if source is None:
        pieces[fallback] = f"{fallback} = None  # the source of {name} is not available: put it here"
        return fallback
    if name == "<lambda>" or not source.startswith(("def ", "@", "class ")):
        name, source = fallback, f"{fallback} = {source}"
    _dependencies(f, pieces)
    pieces[name] = source
    return name


def _dependencies(f: Any, pieces: dict[str, str]) -> None:
    """The globals and closure variables that `f` uses: functions and classes by source, modules, plain values."""
    for code, scope in _codes(f):
        for name in (*code.co_names, *code.co_freevars):
            if name in pieces or name not in scope:
                continue
            value = scope[name]
            if isinstance(value, ModuleType):
                pieces[name] = f"import {value.__name__} as {name}"
            elif isinstance(value, np.ndarray):
                pieces[name] = f"{name} = {array_code(value)}"
            elif isinstance(value, (int, float, str, bool, tuple, list, type(None))):
                pieces[name] = (
                    f"{name} = {value!r}"
                    if not isinstance(value, float) or math.isfinite(value)
                    else f"{name} = float('{value}')"
                )
            elif inspect.isfunction(value) or inspect.isclass(value):
                source = _source(value)
                pieces[name] = ""  # before its own dependencies, which may name it again
                if source is not None and value.__module__ == getattr(f, "__module__", None):
                    del pieces[name]
                    _dependencies(value, pieces) if value is not f else None
                    pieces[name] = source
                else:
                    pieces[name] = f"from {value.__module__} import {value.__name__} as {name}"


def _codes(f: Any) -> list[tuple[Any, dict[str, Any]]]:
    """(code, names in scope) of a function, of a class's functions, nested code included."""
    functions = [f] if inspect.isfunction(f) else []
    if inspect.isclass(f):
        for member in vars(f).values():
            member = getattr(member, "__func__", member)
            if inspect.isfunction(member):
                functions.append(member)
    found = []
    for function in functions:
        scope = dict(function.__globals__)
        for name, cell in zip(function.__code__.co_freevars, function.__closure__ or ()):
            scope[name] = cell.cell_contents
        stack = [function.__code__]
        while stack:
            code = stack.pop()
            found.append((code, scope))
            stack += [c for c in code.co_consts if inspect.iscode(c)]
    return found


def _source(f: Any) -> str | None:
    """The dedented source of a function or class; of a lambda just the expression; None when there is none."""
    try:
        text = textwrap.dedent(inspect.getsource(f))
    except (OSError, TypeError):
        return None
    if getattr(f, "__name__", "") != "<lambda>":
        return text.rstrip()
    return next((t for t in _lambdas(text) if _same_code(t, f)), None)


def _lambdas(text: str) -> Iterator[str]:
    """Every lambda expression in `text`, a part of any statement: from each keyword the longest that parses."""
    for start in (m.start() for m in re.finditer(r"\blambda\b", text)):
        for end in range(len(text), start, -1):
            try:
                tree = ast.parse(f"({text[start:end]})", mode="eval")
            except (SyntaxError, ValueError):
                continue
            if isinstance(tree.body, ast.Lambda):
                yield text[start:end]
                break


def _same_code(text: str, f: Any) -> bool:
    """True when the lambda `text` compiles to what `f` runs; closures compile differently, so names decide."""
    code = next(c for c in compile(f"({text})", "<lambda>", "eval").co_consts if inspect.iscode(c))
    ours, theirs = set(code.co_names), {*f.__code__.co_names, *f.__code__.co_freevars}
    return ours == theirs and code.co_varnames == f.__code__.co_varnames and _plain(code) == _plain(f.__code__)


def _plain(code: Any) -> list[Any]:
    return [c for c in code.co_consts if not inspect.iscode(c)]
