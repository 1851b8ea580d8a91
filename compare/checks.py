"""One example of one op on two engines: what is observed, and how the observations must agree.

`trace` runs an example on one engine and writes everything down as plain data: values, dtypes, shapes, errors, vjps
for every subset of inputs, double backward, in-place. `check` compares the traces of two engines and the promises that
one engine keeps alone (inputs and cotangent not mutated, no gradient sharing memory with another). The reference for
rounding is the second engine run in float64 on inputs moved by a relative 1e-3. Knows no op.
"""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import numpy as np

from . import known, ulp
from .cases import Case
from .report import Failure
from .strategies import (
    DTYPES,
    FILLS,
    KINDS,
    LAYOUTS,
    SHAPES,
    TURNS,
    Operand,
    Source,
    array_code,
    elementwise,
    fill,
    named,
    perturbed,  # fmt: skip
)

NAME = "name of grad_fn"
FORWARD, BACKWARD, DOUBLE = "forward", "backward", "double"
SIZE = 1e-3  # a move that measures a derivative; a jump (tie, kink) passes for one a thousand times itself, no more
NOISE = 0.03  # a move that gives every entry other roundings


class Move(NamedTuple):
    """A run for the reference: inputs moved by `size` of themselves in the directions of a turn, computed in `dtype`.

    `rounded` inputs are float32 values in either dtype, so that float32 and float64 runs have the same ones.
    """

    size: float
    turn: int
    dtype: str = "float64"
    rounded: bool = False

    def of(self, values: np.ndarray, number: int) -> np.ndarray:
        """The moved `values`, whose entries are numbered from `number`."""
        if values.dtype.kind != "f":
            return values
        moved = perturbed(values, number, self.size, self.turn)
        with np.errstate(all="ignore"):
            return (moved.astype(np.float32) if self.rounded else moved).astype(self.dtype)


@dataclass(frozen=True)
class Example:
    """A case with all its arguments settled, as plain data."""

    case: Case
    operands: tuple[Operand, ...]
    static: dict[str, Any]
    seed: int = 0
    kind: str = "plain"
    number: Any = None  # a Python number in place of the operand `case.scalar`

    @property
    def dtype(self) -> str:
        return self.operands[0].dtype if self.operands else str(self.static.get("dtype", "-"))

    def differentiable(self) -> list[str]:
        """The operands a gradient is asked for: floats, not aliases, not a Python number."""
        return [o.name for o in self.operands if o.is_float and o.alias is None and o.differentiable
                and not self.is_number(o.name)]  # fmt: skip

    def is_number(self, name: str) -> bool:
        return self.number is not None and name == self.case.scalar

    def where(self) -> str:
        """The example in one line: dtypes, shapes, layouts, static arguments."""
        parts = []
        for o in self.operands:
            if self.is_number(o.name):
                parts.append(f"{o.name}={self.number!r}")
            else:
                text = f"{o.name}: {o.dtype}{list(o.values.shape)}"
                text += "" if o.layout == "contiguous" else f" {o.layout}"
                parts.append(text + (f" (is {o.alias})" if o.alias else ""))
        parts += [f"{k}={v.tolist() if isinstance(v, np.ndarray) else v!r}" for k, v in self.static.items()]
        return f"{self.case.call} with {', '.join(parts)}" if parts else self.case.call


def draw(case: Case, source: Source, kind: str | None = None, dtype: str | None = None) -> Example | None:
    """An example of `case`. `kind` and `dtype` fix what it is about; None mixes everything.

    Returns None where the kind means nothing for the case (an alias of one input, 0-d of a matmul).
    """
    count = len(case.inputs)
    mixed = kind is None
    if mixed:
        kind = source.choose([k for k in KINDS if k not in case.skip])
    if kind in case.skip or (count == 0 and kind != "plain"):
        return None
    if kind == "broadcast" and (
        count < 2 or not (case.shapes == "elementwise" or any("..." in p for p in case.shapes))
    ):
        return None
    if kind == "0-d" and case.shapes != "elementwise":
        return None
    if kind == "alias" and count < 2 or dtype not in (None, *case.dtypes):
        return None
    shape_kind = kind if kind in SHAPES else "plain"
    if mixed and shape_kind == "plain" and kind != "alias" and count > 1 and case.shapes == "elementwise":
        shape_kind = source.choose(["plain", "broadcast"])
    if case.shapes == "elementwise":
        shapes = elementwise(source, shape_kind, count) if count else []
    else:
        patterns = [p for p in case.shapes if kind != "broadcast" or "..." in p]
        shapes = named(source, shape_kind, source.choose(patterns))
    by_name = dict(zip(case.inputs, shapes))
    static: dict[str, Any] = {}
    for name, options in case.static.items():
        static[name] = options(source, by_name, static) if callable(options) else source.choose(options)
    dtypes = _dtypes(case, source, dtype, mixed)
    fill_kind = kind if kind in ("special", "ties") else "random"
    if mixed and fill_kind == "random":
        fill_kind = "random" if case.distinct else source.choose(FILLS)
    operands = []
    seed = source.integer(0, 2**16)
    for i, name in enumerate(case.inputs):
        layout = kind if kind in LAYOUTS else "contiguous"
        if mixed and layout == "contiguous":
            layout = source.choose(LAYOUTS if not case.distinct else LAYOUTS[:4])
        values = fill(seed + 7919 * i, by_name[name], dtypes[i], fill_kind, case.domain_of(name))
        if values.ndim == 0:
            layout = "contiguous"
        if layout == "expanded":
            values = np.ascontiguousarray(np.broadcast_to(values[:1], values.shape)) if len(values) else values
        alias = None
        if i and kind == "alias" and by_name[name] == by_name[case.inputs[0]]:
            alias, values, layout = case.inputs[0], operands[0].values, operands[0].layout
        operands.append(Operand(name, values, layout, name not in case.constant, alias))
    if kind == "alias" and not any(o.alias for o in operands):
        return None
    number = None
    if case.scalar and mixed and kind != "alias":
        number = source.choose([None, None, 2, 1.5, True, -1, 0.5])
    return Example(case, tuple(operands), static, source.integer(0, 2**16), kind, number)


def _dtypes(case: Case, source: Source, dtype: str | None, mixed: bool) -> list[str]:
    first = dtype or source.choose(case.dtypes)
    if mixed and len(case.inputs) > 1 and case.dtypes == DTYPES and source.choose([False, False, True]):
        return [first, *(source.choose(DTYPES) for _ in case.inputs[1:])]
    return [first] * len(case.inputs)


def mixed_dtypes(case: Case, source: Source, pair: Sequence[str], weak: int | None = None) -> Example | None:
    """An example whose inputs have the dtypes of `pair`, for promotion; `weak` makes all but that operand 0-d."""
    example = draw(case, source, "plain", pair[0])
    if (
        example is None
        or len(example.operands) < 2
        or case.dtypes != DTYPES
        or (weak is not None and case.shapes != "elementwise")
    ):
        return None
    operands = []
    for i, o in enumerate(example.operands):
        shape = o.values.shape if weak in (None, i) else ()
        operands.append(
            replace(o, values=fill(example.seed + i, shape, pair[i % len(pair)], "random", case.domain_of(o.name)))
        )
    return replace(example, operands=tuple(operands), kind="plain")


# --- one engine


@dataclass
class Trace:
    """What one engine did: label -> array or plain value, the order of derivative of each label, broken promises."""

    values: dict[str, Any] = field(default_factory=dict)
    orders: dict[str, str] = field(default_factory=dict)
    broken: list[str] = field(default_factory=list)

    def put(self, order: str, label: str, value: Any) -> None:
        self.values[label] = value
        self.orders[label] = order


def flatten(result: Any, T: Any) -> list[Any]:
    """A result as a flat list: tensors, and whatever else was returned."""
    if isinstance(result, (tuple, list)):
        return [leaf for part in result for leaf in flatten(part, T)]
    return [result]


def is_tensor(value: Any, T: Any) -> bool:
    return isinstance(value, T.Tensor)


def to_numpy(tensor: Any) -> np.ndarray:
    """A tensor's values as an array of its own."""
    if getattr(tensor, "_is_zerotensor", bool)():  # torch's unallocated zeros have no numpy()
        return np.zeros(tuple(tensor.shape), str(tensor.dtype).removeprefix("torch."))
    return np.array(tensor.detach().numpy())


def random_like(T: Any, tensor: Any, seed: int, move: Move | None, number: int = 0) -> tuple[Any, np.ndarray]:
    """A random cotangent for `tensor` (same for every engine: drawn by shape and seed), and its array."""
    values = np.random.default_rng(seed).normal(size=tuple(tensor.shape))
    values = np.asarray(values).astype(str(tensor.dtype).removeprefix("torch."))
    if move:
        values = move.of(values, number)
    values = np.asarray(values).copy()
    return T.from_numpy(values), values


def error_of(T: Any, error: BaseException) -> str:
    """An exception as its class name, as torch users would catch it."""
    return type(error).__name__


class _Run:
    """The inputs of an example on engine `T`; moved, if asked, in float64."""

    def __init__(self, T: Any, example: Example, needs: Sequence[str], move: Move | None = None) -> None:
        self.T, self.example, self.needs = T, example, needs
        self.before: dict[str, np.ndarray] = {}
        tensors: dict[str, Any] = {}
        for i, o in enumerate(example.operands):
            if example.is_number(o.name):
                tensors[o.name] = example.number
            elif o.alias:
                tensors[o.name] = tensors[o.alias]
            else:
                values = move.of(o.values, 64 * i) if move else o.values
                if move and o.layout == "expanded" and o.values.ndim and len(values):
                    values = np.broadcast_to(values[:1], values.shape)
                tensors[o.name] = o.tensor(T, o.name in needs, values)
                self.before[o.name] = np.asarray(values)
        self.tensors = tensors
        self.static = {k: as_static(T, v) for k, v in example.static.items()}

    def call(self, expression: str | None = None, **replaced: Any) -> Any:
        return self.example.case.run(self.T, {**self.tensors, **replaced}, self.static, expression)


def as_static(T: Any, value: Any) -> Any:
    """Arrays among static arguments become tensors of the engine; lists and tuples are looked through."""
    if isinstance(value, np.ndarray):
        return T.from_numpy(value.copy())
    if type(value) in (list, tuple):
        return type(value)(as_static(T, v) for v in value)
    return value


def trace(
    T: Any, example: Example, orders: int = 2, move: Move | None = None, subsets: bool = True, inplace: bool = True
) -> Trace:
    """Run `example` on engine `T` and write down what happens.

    orders 0: forward; 1: vjp of every subset of inputs (only all of them if not `subsets`); 2: double backward too.
    """
    out = Trace()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        _forward(T, example, out, move)
        if "error" in out.values:
            return out
        names = example.differentiable() if min(orders, example.case.orders) else []
        if names and any(r == "tensor" for r in out.values.get("returns", ())):
            chosen = [s for n in range(1, len(names) + 1) for s in itertools.combinations(names, n)]
            for subset in chosen if subsets else chosen[-1:]:
                _backward(T, example, subset, out, move)
            if orders > 1 and example.case.orders > 1:
                _double(T, example, names, out, move)
        if inplace and example.case.inplace:
            _inplace(T, example, names, out, move)
    return out


def _forward(T: Any, example: Example, out: Trace, move: Move | None) -> None:
    run = _Run(T, example, (), move)
    try:
        results = flatten(run.call(), T)
    except Exception as error:  # whatever the engine raises is what is compared
        out.put(FORWARD, "error", error_of(T, error))
        out.values["error text"] = str(error)
        return
    out.put(FORWARD, "returns", tuple("tensor" if is_tensor(r, T) else type(r).__name__ for r in results))
    for i, result in enumerate(results):
        if not is_tensor(result, T):
            out.put(FORWARD, f"out{i}", result)
            continue
        meta = (str(result.dtype), tuple(result.shape), result.requires_grad, result.grad_fn is not None)
        out.put(FORWARD, f"out{i} (dtype, shape, requires_grad, has grad_fn)", meta)
        if not example.case.unset:
            out.put(FORWARD, f"out{i}", to_numpy(result))
    if not move:
        _unmutated(run, out, "the forward pass")
        method = example.case.method()
        if method:
            _method(T, example, method, results, out)


def _method(T: Any, example: Example, method: str, results: list[Any], out: Trace) -> None:
    """x.f(...) gives what T.f(x, ...) gave. Engines need not have a method that torch lacks."""
    if not hasattr(T.Tensor, example.case.op):
        out.put(FORWARD, "has the method", False)
        return
    out.put(FORWARD, "has the method", True)
    try:
        again = flatten(_Run(T, example, ()).call(method), T)
    except Exception as error:
        out.put(FORWARD, "method raises", error_of(T, error))
        return
    for i, (a, b) in enumerate(zip(results, again)):
        if is_tensor(a, T) and not example.case.unset and not same_bits(to_numpy(a), to_numpy(b)):
            out.broken.append(f"{method} and {example.case.call} disagree in output {i}")


def _backward(T: Any, example: Example, subset: Sequence[str], out: Trace, move: Move | None) -> None:
    run = _Run(T, example, subset, move)
    label = f"[{', '.join(subset)}]"
    try:
        results = flatten(run.call(), T)
        tensors = [r for r in results if is_tensor(r, T)]
        for i, r in enumerate(tensors):
            out.put(BACKWARD, f"out{i} {label} (requires_grad, has grad_fn)", (r.requires_grad, r.grad_fn is not None))
        outs = [r for r in tensors if r.requires_grad]
        if not outs:
            return
        cotangents = [random_like(T, r, example.seed + 101 * i, move, 256 + 16 * i) for i, r in enumerate(outs)]
        kept = [array.copy() for _, array in cotangents]
        T.autograd.backward(outs, [g for g, _ in cotangents])
    except Exception as error:
        out.put(BACKWARD, f"error {label}", error_of(T, error))
        out.values[f"error {label} text"] = str(error)
        return
    grads = {name: run.tensors[name].grad for name in subset}
    for name, grad in grads.items():
        value = None if grad is None else to_numpy(grad)
        out.put(BACKWARD, f"grad {name} of {label}", value)
        if grad is not None:
            meta = (str(grad.dtype), tuple(grad.shape), grad.requires_grad)
            out.put(BACKWARD, f"grad {name} of {label} (dtype, shape, requires_grad)", meta)
    for i, r in enumerate(tensors):  # after the values: a failure is filed under its first difference
        if r.grad_fn is not None:
            out.put(BACKWARD, f"out{i} {label} {NAME}", r.grad_fn.name())
    if not move:
        _unmutated(run, out, f"backward {label}")
        for (_, array), before in zip(cotangents, kept):
            if not same_bits(array, before):
                out.broken.append(f"backward {label} wrote into the cotangent")
        _unshared(grads, [array for _, array in cotangents], run, out, label)


def _double(T: Any, example: Example, names: Sequence[str], out: Trace, move: Move | None) -> None:
    run = _Run(T, example, names, move)
    try:
        outs = [r for r in flatten(run.call(), T) if is_tensor(r, T) and r.requires_grad]
        if not outs:
            return
        inputs = [run.tensors[n] for n in names]
        cotangents = [
            random_like(T, r, example.seed + 101 * i, move, 256 + 16 * i)[0].requires_grad_()
            for i, r in enumerate(outs)
        ]
        first = T.autograd.grad(outs, inputs, cotangents, create_graph=True, allow_unused=True)
        live = [(i, g) for i, g in enumerate(first) if g is not None and g.requires_grad]
        for n, g in zip(names, first):
            out.put(DOUBLE, f"create_graph grad {n}", None if g is None else to_numpy(g))
        if not live:
            return
        directions = [random_like(T, g, example.seed + 211 + 101 * i, move, 320 + 16 * i)[0] for i, g in live]
        second = T.autograd.grad([g for _, g in live], [*inputs, *cotangents], directions, allow_unused=True)
    except Exception as error:
        out.put(DOUBLE, "double backward error", error_of(T, error))
        out.values["double backward error text"] = str(error)
        return
    labels = [*names, *(f"cotangent {i}" for i in range(len(cotangents)))]
    for label, tensor, grad in zip(labels, [*inputs, *cotangents], second):
        # torch's formulas answer None or zeros as they happen to be written; to the caller both mean "no effect"
        zeros = np.zeros(tuple(tensor.shape), str(tensor.dtype).removeprefix("torch."))
        out.put(DOUBLE, f"double backward {label}", zeros if grad is None else to_numpy(grad))


def _inplace(T: Any, example: Example, names: Sequence[str], out: Trace, move: Move | None) -> None:
    """x.f_(...) on a clone of x: its value, its gradient, and that x.f(...) gave the same."""
    expression = example.case.inplace_call()
    assert expression is not None
    first = example.case.inputs[0]
    for needs in ((), tuple(names)):
        if needs == () and names:
            continue
        run = _Run(T, example, needs, move)
        try:
            target = run.tensors[first].clone()
            aliases = {o.name: target for o in example.operands if o.alias == first and not example.is_number(o.name)}
            result = run.call(expression, **{first: target, **aliases})
            out.put(FORWARD, "in-place", to_numpy(target))
            meta = (str(target.dtype), tuple(target.shape), target.requires_grad)
            out.put(FORWARD, "in-place (dtype, shape, requires_grad)", meta)
            if result is not target:
                out.broken.append(f"{expression} does not return its own tensor")
            if not move and "out0" in out.values and not aliases:
                plain = out.values["out0"]
                written = to_numpy(target)
                # within the bound: for some functions strided and contiguous memory take different loops
                if plain.dtype == written.dtype and (
                    plain.shape != written.shape or ulp.within(written, plain, example.case.bound)[1].any()
                ):
                    out.broken.append(f"{expression} and {example.case.call} disagree")
            if needs and target.requires_grad:
                g, _ = random_like(T, target, example.seed + 307, move, 256)
                target.backward(g)
                for name in needs:
                    grad = run.tensors[name].grad
                    out.put(BACKWARD, f"in-place grad {name}", None if grad is None else to_numpy(grad))
        except Exception as error:
            out.put(FORWARD, "in-place error", error_of(T, error))
            out.values["in-place error text"] = str(error)


def same_bits(a: np.ndarray, b: np.ndarray) -> bool:
    """Equal shape, dtype and values, nan equal to nan."""
    return a.shape == b.shape and a.dtype == b.dtype and bool(np.all((a == b) | ((a != a) & (b != b))))


def _unmutated(run: _Run, out: Trace, when: str) -> None:
    for name, before in run.before.items():
        if not same_bits(to_numpy(run.tensors[name]), np.asarray(before)):
            out.broken.append(f"{when} wrote into the input {name}")


def _unshared(grads: dict[str, Any], cotangents: list[np.ndarray], run: _Run, out: Trace, label: str) -> None:
    """No gradient shares memory with another, with a cotangent or with an input, nor with itself (stride 0)."""
    arrays = [(f"the gradient of {n}", g.detach().numpy()) for n, g in grads.items() if g is not None and g.numel()]
    others = [(f"cotangent {i}", a) for i, a in enumerate(cotangents)]
    others += [(f"the input {n}", run.tensors[n].detach().numpy()) for n in run.before]
    for i, (name, a) in enumerate(arrays):
        for other, b in [*arrays[i + 1 :], *others]:
            if np.shares_memory(a, b):
                out.broken.append(f"backward {label}: {name} shares memory with {other}")
        if any(stride == 0 and n > 1 for n, stride in zip(a.shape, a.strides)):
            out.broken.append(f"backward {label}: {name} is a broadcast view (stride 0)")


# --- two engines


@dataclass
class Verdict:
    """How one example went: checks made, worst ulps by order of derivative, disagreements."""

    example: Example
    checks: int = 0
    worst: dict[str, float] = field(default_factory=dict)
    failures: list[tuple[str, str]] = field(default_factory=list)  # (order, message)

    @property
    def passed(self) -> bool:
        return not self.failures


def check(
    ours: Any, theirs: Any, example: Example, orders: int = 2, subsets: bool = True, gradient: ulp.Bound | None = None,
    names: bool = True,
) -> Verdict:  # fmt: skip
    """Run `example` on both engines and compare everything that `trace` writes down.

    `gradient` is the bound for derivatives; by default it follows from the row's. `names`: the nodes' names, too, which
    two programs that compute the same need not have in common.
    """
    a = trace(ours, example, orders, subsets=subsets)
    b = trace(theirs, example, orders, subsets=subsets)
    judge = _Judge(theirs, example, b, gradient or ulp.gradient(example.case.bound))
    verdict = Verdict(example)
    for label in [*b.values, *(k for k in a.values if k not in b.values)]:
        order = b.orders.get(label) or a.orders.get(label)
        if order is None or label.endswith(NAME) and not names:
            continue  # the text of an error is shown, not compared
        verdict.checks += 1
        message = judge.compare(label, order, a, b, verdict)
        if message and not known.reason(example, label):
            verdict.failures.append((order, message))
    for broken in a.broken:
        if not known.reason(example, broken):
            verdict.failures.append((BACKWARD if "backward" in broken else FORWARD, broken))
    return verdict


class _Judge:
    """Decides whether two observations agree, given what the example is made of."""

    def __init__(self, T: Any, example: Example, at: Trace, gradient: ulp.Bound) -> None:
        self.bounds = {FORWARD: example.case.bound, BACKWARD: gradient, DOUBLE: gradient}
        self.reference = _Reference(T, example)
        self.finite = all(np.isfinite(o.values).all() for o in example.operands if o.is_float)
        found = [o.values.dtype for o in example.operands if o.is_float]
        found += [
            np.asarray(v).dtype for k, v in at.values.items() if k.startswith("out") and isinstance(v, np.ndarray)
        ]
        # the least precise float dtype among inputs and results: what the example computes in
        self.coarse = min((d for d in found if d.kind == "f"), key=lambda d: d.itemsize, default=np.dtype(np.float64))

    def compare(self, label: str, order: str, a: Trace, b: Trace, verdict: Verdict) -> str:
        """'' when both traces agree on `label`, else how they differ."""
        missing = object()
        ours, theirs = a.values.get(label, missing), b.values.get(label, missing)
        if "error" in label:
            if missing not in (ours, theirs):
                return "" if same_error(ours, theirs) else (
                    f"{label}: ours raises {ours} ({a.values.get(label + ' text')}), theirs {theirs} "
                    f"({b.values.get(label + ' text')})")  # fmt: skip
            who, which, said = ("ours", ours, a) if theirs is missing else ("theirs", theirs, b)
            return f"{label}: only {who} raises {which}: {said.values.get(label + ' text')}"
        if label == "has the method":
            return "the method form is missing" if theirs is True and ours is False else ""
        if ours is missing or theirs is missing:
            other = b if ours is missing else a
            if any("error" in k for k in (*a.values, *b.values)):
                return ""  # follows from the error, which is reported by itself
            value = other.values[label]
            if order == DOUBLE and isinstance(value, np.ndarray) and not value.any():
                return ""  # zeros that one engine knows to be constant, and so does not differentiate
            return f"{label}: only {'theirs' if other is b else 'ours'} has it ({value!r})"
        if isinstance(theirs, np.ndarray) and isinstance(ours, np.ndarray):
            return self.arrays(label, order, ours, theirs, verdict)
        return self.plain(label, ours, theirs)

    def arrays(self, label: str, order: str, ours: np.ndarray, theirs: np.ndarray, verdict: Verdict) -> str:
        """Values, entry by entry."""
        if ours.shape != theirs.shape or ours.dtype != theirs.dtype:
            return f"{label}: got {ours.dtype}{list(ours.shape)}, expected {theirs.dtype}{list(theirs.shape)}"
        if ours.dtype.kind == "f" and ours.dtype.itemsize > self.coarse.itemsize and order != FORWARD:
            # a float64 input of a float32 result has a gradient that was computed in float32
            with np.errstate(all="ignore"):
                ours, theirs = ours.astype(self.coarse), theirs.astype(self.coarse)
        bound = self.bounds[order]
        ulps, bad = ulp.within(ours, theirs, bound)
        close = ~bad  # what needs no look at the conditioning gives the worst ulp
        if order == DOUBLE and not self.finite:
            bad &= np.isfinite(ours) & np.isfinite(theirs)  # see known.INFINITE
        # costly, so not once something has failed: the rest follows from that
        if bad.any() and bound.terms and ours.dtype.kind == "f" and not verdict.failures:
            scale = self.reference.conditioning(label, order, ours.shape)
            bad &= ulp.within(ours, theirs, bound, scale)[1]
            if bad.any():
                scale = np.fmax(scale, self.reference.noise(label, order, ours.shape))
                bad &= ulp.within(ours, theirs, bound, scale)[1]
        agreed = ulps[close]
        verdict.worst[order] = max(verdict.worst.get(order, 0.0), float(agreed.max(initial=0.0)))
        return disagreement(label, ours, theirs, ulps, bad) if bad.any() else ""

    def plain(self, label: str, ours: Any, theirs: Any) -> str:
        """Python values: floats as numbers of the example's dtype, anything else exactly."""
        if isinstance(ours, float) and isinstance(theirs, float):
            a, b = np.asarray(ours, self.coarse), np.asarray(theirs, self.coarse)
            same = not ulp.within(a, b, ulp.REDUCE, np.asarray(abs(theirs)) * 8)[1].any()
        elif isinstance(ours, (list, tuple)) and isinstance(theirs, (list, tuple)):
            same = repr(ours) == repr(theirs)
        else:
            same = type(ours) is type(theirs) and ours == theirs
        return "" if same else f"{label}: got {ours!r}, expected {theirs!r}"


def same_error(ours: str, theirs: str) -> bool:
    """The same class by name, or ours a builtin subclass of theirs (NotImplementedError is a RuntimeError)."""
    import builtins

    if ours == theirs:
        return True
    a, b = getattr(builtins, ours, None), getattr(builtins, theirs, None)
    return isinstance(a, type) and isinstance(b, type) and issubclass(a, b)


def disagreement(label: str, ours: np.ndarray, theirs: np.ndarray, ulps: np.ndarray, bad: np.ndarray) -> str:
    """Which entry, both values, how many ulps: the worst entry of those out of bounds."""
    flat = int(np.argmax(np.where(bad, ulps, -1)))
    index = tuple(int(i) for i in np.unravel_index(flat, ours.shape))
    a, b = ours[index], theirs[index]
    count = int(bad.sum())
    more = f"; {count} of {ours.size} entries are out of bounds" if ours.size > 1 else ""
    from .report import ulp_text

    return (
        f"{label}{list(index) if index else ''}: got {a}, expected {b}, {ulp_text(float(ulps[index]))} ulp apart{more}"
    )


class _Reference:
    """How far rounding alone may move each traced entry, from further runs of the reference engine. Lazy."""

    def __init__(self, T: Any, example: Example) -> None:
        self.T, self.example = T, example
        self.runs: dict[tuple[int, bool, Move], Trace] = {}

    def _values(self, label: str, order: str, move: Move, shape: tuple[int, ...]) -> np.ndarray:
        """The entry `label` in the run `move`, as float64; nan where that run has none."""
        inplace = label.startswith("in-place")
        depth = {FORWARD: 0, BACKWARD: 1, DOUBLE: 2}[order]
        if (depth, inplace, move) not in self.runs:
            self.runs[depth, inplace, move] = trace(self.T, self.example, depth, move, False, inplace)
        name, of, _ = label.partition(" of [")
        if of:  # of whichever subset of inputs: the run for all of them has the same gradient
            label = f"{name} of [{', '.join(self.example.differentiable())}]"
        value = self.runs[depth, inplace, move].values.get(label)
        if not isinstance(value, np.ndarray) or value.shape != shape:
            return np.full(shape, np.nan)
        return value.astype(np.float64)

    def conditioning(self, label: str, order: str, shape: tuple[int, ...]) -> np.ndarray:
        """sum over inputs of |input * d entry / d input|, to within a small factor: by moving the inputs."""
        still = self._values(label, order, Move(0.0, 0), shape)
        with np.errstate(all="ignore"):
            shifts = [np.abs(self._values(label, order, Move(SIZE, turn), shape) - still) for turn in range(TURNS)]
            return np.fmax.reduce(shifts) / SIZE + np.abs(still)

    def noise(self, label: str, order: str, shape: tuple[int, ...]) -> np.ndarray:
        """The reference's own rounding, in eps: its float32 runs against its float64 runs on the same inputs.

        It sees what conditioning cannot: cancellation between intermediate results, as in 1 - tanh(x) ** 2.
        """
        errors = []
        with np.errstate(all="ignore"):
            for turn in range(TURNS):
                size = NOISE * (turn + 1) / TURNS  # or all turns would see an entry at two places, perhaps of luck
                fine, rough = (
                    self._values(label, order, Move(size, turn, d, True), shape) for d in ("float64", "float32")
                )
                errors.append(np.abs(rough - fine))
            return np.fmax.reduce(errors) / ulp.eps(np.dtype(np.float32))


# --- failures as scripts


def as_failure(verdict: Verdict) -> Failure:
    """A failed verdict as a report with its standalone script."""
    return Failure(
        verdict.example.where(),
        "\n".join(message for _, message in verdict.failures[:8]),
        script(verdict.example, {order for order, _ in verdict.failures}),
    )


# The part of every script that shows a value to the last digit.
PLAIN = ("def plain(value):", "    return (str(value.dtype), value.tolist()) if hasattr(value, 'tolist') else value")


def script(example: Example, orders: set[str] | None = None) -> str:
    """A program that runs `example` on torch and on minigrad and prints both; imports nothing of `compare`."""
    case, names = example.case, example.differentiable() if example.case.orders else []
    lines = ["import numpy as np", "import torch", "import minigrad", "", "", *PLAIN, "", "", "def run(T):"]
    for o in example.operands:
        if example.is_number(o.name):
            lines.append(f"    {o.name} = {example.number!r}")
        elif o.alias:
            lines.append(f"    {o.name} = {o.alias}")
        else:
            lines.append(f"    {o.name} = {o.code()}" + (".requires_grad_()" if o.name in names else ""))
    for name, value in example.static.items():
        lines.append(f"    {name} = {static_code(value)}")
    lines += [f"    out = {case.call}", "    outs = list(out) if isinstance(out, (tuple, list)) else [out]",
              '    print(T.__name__, "gives", *map(plain, outs))']  # fmt: skip
    if names:
        inputs = ", ".join(names)
        lines += [
            "    outs = [o for o in outs if isinstance(o, T.Tensor) and o.requires_grad]",
            "    def random(t, seed):",
            '        g = np.random.default_rng(seed).normal(size=tuple(t.shape)).astype(str(t.dtype)[6:])',
            "        return T.from_numpy(np.asarray(g))",
            f"    gs = [random(o, {example.seed} + 101 * i).requires_grad_() for i, o in enumerate(outs)]",
            f"    first = T.autograd.grad(outs, [{inputs}], gs, create_graph=True, allow_unused=True)",
            '    print(T.__name__, "vjp", *map(plain, first))',
            "    live = [(i, g) for i, g in enumerate(first) if g is not None and g.requires_grad]",
            f"    directions = [random(g, {example.seed} + 211 + 101 * i) for i, g in live]",
            f"    second = T.autograd.grad([g for _, g in live], [{inputs}, *gs], directions, allow_unused=True)",
            '    print(T.__name__, "double backward", *map(plain, second))',
        ]  # fmt: skip
    inplace = case.inplace_call() if case.inplace else None
    if inplace:
        first_name = case.inputs[0]
        lines += [f"    {first_name} = {first_name}.clone()", f'    print(T.__name__, "in place", plain({inplace}))']
    lines += ["", "", "for T in (torch, minigrad):", "    try:", "        run(T)", "    except Exception as error:",
              '        print(T.__name__, "raises", type(error).__name__, error)']  # fmt: skip
    return "\n".join(lines) + "\n"


def static_code(value: Any) -> str:
    """A static argument as Python text; arrays become tensors of `T`."""
    if isinstance(value, np.ndarray):
        return f"T.from_numpy({array_code(value)})"
    if type(value) in (list, tuple):
        inside = ", ".join(static_code(v) for v in value)
        if type(value) is list:
            return f"[{inside}]"
        return f"({inside},)" if len(value) == 1 else f"({inside})"
    if isinstance(value, float) and not np.isfinite(value):
        return f"float({str(value)!r})"
    return repr(value)
