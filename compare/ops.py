"""Runs the rows of `cases.py`: a grid that covers every kind of input in every dtype, then hypothesis.

The grid is seeded and fast; it is what the coverage page shows and what the quick run is made of. Hypothesis mixes
everything and shrinks what it finds. Also checks the rows' `errors`.
"""

from __future__ import annotations

import argparse
import zlib
from collections.abc import Iterable, Iterator
from typing import Any

from . import cases, checks, engines, html
from .cases import Case
from .checks import BACKWARD, DOUBLE, FORWARD, Verdict
from .report import Failure, Options, Progress, Result
from .strategies import DTYPES, FLOATS, KINDS, Drawn, Seeded

GRID_DTYPES = ("float64", "float32", "float16", "int64", "int32", "uint8", "bool")

# one pair for each rule of promotion: between floats, integers, categories, signedness, with bool
PAIRS = (("float32", "float64"), ("float64", "float32"), ("float16", "float32"), ("int64", "float32"),
         ("float32", "int64"),
         ("int32", "int64"), ("uint8", "int8"), ("bool", "int64"), ("int32", "bool"), ("int64", "float16"))  # fmt: skip


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """This group has no options of its own."""


def grid(case: Case, seed: int, quick: bool) -> Iterator[tuple[checks.Example, int, bool]]:
    """(example, orders, subsets) covering every kind of input in every dtype, and promotion between dtypes."""
    stable = zlib.crc32(case.name.encode()) + seed
    if not case.inputs:
        for turn in range(12 if quick else 60):
            example = checks.draw(case, Seeded(stable + turn), "plain")
            assert example is not None
            yield example, 0, False
        return
    for i, kind in enumerate(KINDS):
        for j, dtype in enumerate(GRID_DTYPES):
            if quick and (dtype not in ("float64", "float32")) and kind not in ("plain", "0-d", "long", "special"):
                continue
            for turn in range(1 if quick else 3):
                example = checks.draw(case, Seeded(stable + 1000 * i + 50 * j + turn), kind, dtype)
                if example is not None:
                    orders = 2 if dtype in ("float64", "float32") else 1
                    yield example, orders, not quick or (kind in ("plain", "broadcast"))
    if len(case.inputs) > 1:
        pairs = PAIRS if quick else [(a, b) for a in DTYPES for b in DTYPES if a != b]
        for i, pair in enumerate(pairs):
            for weak in (None, 0, 1):
                example = checks.mixed_dtypes(case, Seeded(stable + i), pair, weak)
                if example is not None:
                    yield example, 1, False
    if case.scalar or len(case.inputs) > 1 or case.static:
        for turn in range(4 if quick else 12):
            example = checks.draw(case, Seeded(stable + 77 + turn))
            if example is not None:
                yield example, 1, False


class Coverage:
    """dtype -> kind -> order -> [checks, worst ulp, failures], for the page; and the totals for the table."""

    def __init__(self) -> None:
        self.cells: dict[str, dict[str, dict[str, list[float]]]] = {}
        self.checks = 0
        self.worst: float | None = None

    def add(self, verdict: Verdict) -> None:
        example = verdict.example
        self.checks += verdict.checks
        failed = {order for order, _ in verdict.failures}
        orders = {FORWARD, *verdict.worst, *failed}
        dtypes = {o.dtype for o in example.operands}
        dtype = "mixed" if len(dtypes) > 1 else example.dtype
        for order in orders:
            cell = self.cells.setdefault(dtype, {}).setdefault(example.kind, {}).setdefault(order, [0, 0.0, 0])
            cell[0] += 1
            cell[1] = max(cell[1], verdict.worst.get(order, 0.0))
            cell[2] += order in failed
        for worst in verdict.worst.values():
            self.worst = max(self.worst or 0.0, worst)


class Disagreement(AssertionError):
    """Raised inside hypothesis so that it shrinks; carries the verdict."""

    def __init__(self, verdict: Verdict) -> None:
        super().__init__(verdict.failures[0][1])
        self.verdict = verdict


def run_case(ours: Any, theirs: Any, case: Case, options: Options, limit: int = 3) -> Result:
    """Every check of one row. At most `limit` failures are kept; the first is shrunk when hypothesis ran."""
    coverage, failures = Coverage(), []
    seen: set[str] = set()
    for example, orders, subsets in grid(case, options.seed, options.quick):
        verdict = checks.check(ours, theirs, example, orders, subsets)
        coverage.add(verdict)
        if not verdict.passed:
            kind = verdict.failures[0][1].partition(":")[0]
            if kind not in seen and len(failures) < limit:
                seen.add(kind)
                failures.append(checks.as_failure(verdict))
    for expression in case.errors:
        coverage.checks += 1
        message = check_error(ours, theirs, expression)
        if message:
            failures.append(Failure(expression, message, error_script(expression)))
    examples = options.examples if options.examples is not None else (0 if options.quick else 30)
    if examples and case.inputs and not failures:
        verdict = explore(ours, theirs, case, examples, options.seed, coverage)
        if verdict is not None:
            failures.append(checks.as_failure(verdict))
    details = {"coverage": coverage.cells, "call": case.call, "orders": case.orders,
               "formulas": html.formulas_of(primitives(ours, case))}  # fmt: skip
    return Result("ops", case.name, coverage.checks, coverage.worst, failures, details=details)


def primitives(T: Any, case: Case) -> list[Any]:
    """The primitives that a row's result is made of, by walking its graph; none for an engine without such nodes."""
    found: dict[str, Any] = {}
    for turn in range(4 if case.orders else 0):
        example = checks.draw(case, Seeded(turn), "plain", "float64")
        if example is None:
            continue
        try:
            outs = checks.flatten(checks._Run(T, example, example.differentiable()).call(), T)
        except Exception:  # a row that fails has been reported by its checks
            return []
        pending = [o.grad_fn for o in outs if isinstance(o, T.Tensor) and o.grad_fn is not None]
        while pending:
            node = pending.pop()
            plan = getattr(node, "plan", None)
            if plan is not None:
                found[plan.primitive.name] = plan.primitive
            pending += [n for n, _ in node.next_functions if n is not None]
    return list(found.values())


def explore(ours: Any, theirs: Any, case: Case, examples: int, seed: int, coverage: Coverage) -> Verdict | None:
    """Let hypothesis look for a disagreement; returns the smallest it found, or None."""
    hypothesis = engines.require("hypothesis")
    from hypothesis import strategies as st

    @hypothesis.seed(seed + zlib.crc32(case.name.encode()))
    @hypothesis.settings(
        max_examples=examples, phases=[hypothesis.Phase.generate, hypothesis.Phase.shrink],
        database=None, deadline=None, report_multiple_bugs=False,
        suppress_health_check=list(hypothesis.HealthCheck), verbosity=hypothesis.Verbosity.quiet,
    )  # fmt: skip
    @hypothesis.given(st.data())
    def look(data: Any) -> None:
        example = checks.draw(case, Drawn(data.draw))
        if example is None:
            return
        verdict = checks.check(ours, theirs, example)
        coverage.add(verdict)
        if not verdict.passed:
            raise Disagreement(verdict)

    try:
        look()
    except Disagreement as found:
        return found.verdict
    return None


def check_error(ours: Any, theirs: Any, expression: str) -> str | None:
    """Both engines refuse `expression` with the same class; None when they do."""
    function = cases.compiled(expression, (), ())
    raised = []
    for T in (ours, theirs):
        try:
            function(T)
            raised.append(("nothing", ""))
        except Exception as error:  # the class is what is compared
            raised.append((type(error).__name__, str(error).splitlines()[0] if str(error) else ""))
    if raised[1][0] == "nothing":
        return f"torch accepts {expression}: the row is wrong"
    if checks.same_error(raised[0][0], raised[1][0]):
        return None
    return f"got {raised[0][0]} ({raised[0][1]}), expected {raised[1][0]} ({raised[1][1]})"


def error_script(expression: str) -> str:
    """A program that shows what both engines raise."""
    return (
        f"import torch, minigrad\nfor T in (torch, minigrad):\n    try:\n        print(T.__name__, {expression})\n"
        "    except Exception as error:\n        print(T.__name__, type(error).__name__, error)\n"
    )


def run(options: Options, progress: Progress) -> Iterable[Result]:
    """Check every row that `--only` selects, in `--jobs` processes."""
    from .parallel import spread

    subject = engines.load("minigrad")
    rows = [case.name for case in cases.CASES if options.selects(case.name) and present(subject, case)]
    progress.start("ops", len(rows))
    for result in spread(_one, rows, options):
        progress.step(result.name, failed=not result.passed)
        yield result
    progress.finish()


def present(T: Any, case: Case) -> bool:
    """False for an optional row whose function the engine does not have; all other rows must exist."""
    if not case.optional:
        return True
    head, *path = case.call.partition("(")[0].split(".")
    found: Any = T.Tensor if head == "x" else T
    for part in path:
        found = getattr(found, part, None)
    return found is not None


def _one(name: str, options: Options) -> Result:
    ours, theirs = engines.load("minigrad"), engines.load("torch")
    return run_case(ours, theirs, cases.find(name), options)


__all__ = ["BACKWARD", "DOUBLE", "FLOATS", "FORWARD", "add_arguments", "grid", "run", "run_case"]
