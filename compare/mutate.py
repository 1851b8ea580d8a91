"""Does the quick run notice a wrong derivative? Each formula and each engine rule is broken in turn.

Owns the mutants: formulas of primitives (negated, scaled, cotangent ignored, a term or factor dropped, an input
swapped, second derivative lost, ...) and patches of the engine's source. A mutant that no quick row notices survives
and is reported. Knows `minigrad.primitive.REGISTRY` and the engine's text; what a row checks is the rows' affair.
"""

from __future__ import annotations

import argparse
import ast
import copy
import importlib
import itertools
import shutil
import signal
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path
from types import FrameType
from typing import Any

from .engines import load, require
from .mutate_patches import TABLE
from .parallel import spread, start_context
from .report import Failure, Options, Progress, Result

# A mutant that does not come to an end is a mutant that was noticed.
SECONDS = 20
# Rows tried on one mutant, the most specific first; then all of the groups whose rows are programs of several ops.
ROWS, WIDE = 12, ("rules", "programs")
ENGINE_PROGRAMS, ENGINE_SECONDS = 1_000, 60
# Rows whose checks the random programs do not make: every subset of inputs, shared memory, broadcasting in all layouts.
ENGINE_ROWS = ("add", "mul", "sum", "exp", "matmul", "where", "cat", "expand")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options that only this group has."""
    parser.add_argument("--formulas", action="store_true", help="only the derivative formulas")
    parser.add_argument("--engine", action="store_true", help="only the engine's rules")


# -- mutants of formulas


@dataclass
class Mutant:
    """A broken formula: of which primitive and input, what was done, and where the functions go.

    `plants` has one (primitive, formula) for most; several for an op that is declared once for each number of inputs.
    """

    op: str
    input: str
    what: str
    plants: list[tuple[Any, Callable[..., Any]]]

    def __str__(self) -> str:
        return f"{self.op}, formula of {self.input}: {self.what}"


# Mutants that compute the same gradients as the formula: (op, input, what) and why.
EQUIVALENT: dict[tuple[str, str, str], str] = {}
for _op, _input, _sign in (("maximum", "a", "<"), ("maximum", "b", ">"), ("minimum", "a", ">"), ("minimum", "b", "<")):
    _was, _becomes = (f"xp.where(a == b, g / 2, xp.where(a {sign} b, 0, g))" for sign in (_sign, _sign + "="))
    EQUIVALENT[_op, _input, f"{_was}  ->  {_becomes}"] = "a == b was answered before"
EQUIVALENT["prelu", "weight", "xp.where(x < 0, x, 0) * g  ->  xp.where(x <= 0, x, 0) * g"] = (
    "x and 0 are the same there"
)
EQUIVALENT["hardsigmoid", "x", "second derivative lost"] = "torch has none, to compare with"
_what = "_beside(xp, {}, xp.where(x > 0, g, weight * g))"
EQUIVALENT["prelu", "x", f"{_what.format('x')}  ->  {_what.format('weight')}"] = "0 is the derivative beside either"
_chosen = "chosen = (x == extreme) | (x != x)"
for _op in ("largest", "smallest"):
    EQUIVALENT[_op, "x", f"{_chosen} & (extreme != extreme)  ->  {_chosen}"] = "of what has a nan the extreme is nan"
for _sign, _half in ((">", "positive"), ("<", "negative")):
    _was, _becomes = (
        f"{_half} = xp.logcumsumexp(xp.flip(xp.where(g {sign} 0, size, none) - out, (axis,)), axis)"
        for sign in (_sign, _sign + "=")
    )
    EQUIVALENT["logcumsumexp", "x", f"{_was}  ->  {_becomes}"] = "the size of 0 is -inf, which adds as little as `none`"
_was, _becomes = (
    f"return g * xp.where(x == xp.mean(x, axis, True), xp.zeros_like(x) {sign} math.nan, math.inf)" for sign in "+-"
)
EQUIVALENT["var", "x", f"{_was}  ->  {_becomes}"] = "nan has no sign"
_larger, _smaller = "x * xp.power(xp.abs(x), p - 2)", "xp.sign(x) * xp.power(xp.abs(x), p - 1)"
_what = f"scaled = {_larger} if p > 2 else {_smaller}  ->  scaled = {_larger} if p >= 2 else {_smaller}"
EQUIVALENT["norm", "x", _what] = "p == 2 was answered before"
EQUIVALENT["norm", "x", "if p < 1:  ->  if p <= 1:"] = "p == 1 was answered before"
_what = "return scaled * xp.where(out == 0, {}, g / xp.power(out, p - 1))"
EQUIVALENT["norm", "x", f"{_what.format(0)}  ->  {_what.format(1)}"] = "where out is 0, so is scaled"
# Primitives that no comparison with torch on NumPy arrays reaches, and what checks them.
ELSEWHERE = {"to_device": "moves an array to another library: the tests of torch arrays"}


def mutants(op: Any, others: list[Any] | None = None) -> Iterator[Mutant]:
    """Every mutant of every formula of one primitive; `others` are the same op: overloads, other numbers of inputs."""
    from minigrad.declarations import declared, definition

    found = declared(op)
    for name, formula in op.formulas.items():
        made: dict[str, list[tuple[Any, Callable[..., Any]]]] = {}
        node = found.get(name)
        text = "" if node is None else ast.unparse(node.body if isinstance(node, ast.Lambda) else node)
        # Twice zero, and minus zero, are zero: there the cotangent passed on is the one mutant that differs.
        if text not in ZEROS and not text.startswith(REFUSING):
            for what, wrap in WHOLE.items():
                same = [o for o in (op, *(others or ())) if name in o.formulas]
                made[what] = [(o, wrap(o.formulas[name], o.needs[name])) for o in same]
        if isinstance(node, ast.Name):
            node = definition(formula)
        if isinstance(node, (ast.Lambda, ast.FunctionDef)):
            overloads = [o for o in others or () if o.formulas.get(name) is formula]
            made |= {what: [(o, broken) for o in (op, *overloads)] for what, broken in _rewritten(node, formula, op)}
        for what, plants in made.items():
            if (op.name, name, what) not in EQUIVALENT:
                yield Mutant(op.name, name, what, plants)


def primitives() -> dict[str, list[Any]]:
    """Name -> the primitives of that name: one, or one for each overload or number of inputs met so far."""
    from minigrad.primitive import REGISTRY, Plans

    found: dict[str, list[Any]] = {}
    for plans in Plans.every:
        # Samplers are recorded too, but their names are not entered: there is no derivative in them.
        if plans.op.formulas and plans.op.name in REGISTRY:
            found.setdefault(plans.op.name, []).append(plans.op)
    return found


def _as_given(formula: Callable[..., Any], needs: list[str], wrap: Callable[..., Any]) -> Callable[..., Any]:
    """A function with the formula's own signature, which is its list of saved tensors, around `wrap`."""
    names = ", ".join(needs)
    return eval(
        f"lambda {names}: wrap(formula, dict({', '.join(f'{n}={n}' for n in needs)}))",
        {"wrap": wrap, "formula": formula},
    )


def _negated(formula: Callable[..., Any], given: dict[str, Any]) -> Any:
    result = formula(**given)
    return None if result is None else -result


def _scaled(formula: Callable[..., Any], given: dict[str, Any]) -> Any:
    result = formula(**given)
    return None if result is None else result * 2


def _ignoring(formula: Callable[..., Any], given: dict[str, Any]) -> Any:
    return formula(**{**given, "g": given["g"] * 0 + 1}) if "g" in given else formula(**given)


def _constant(formula: Callable[..., Any], given: dict[str, Any]) -> Any:
    result = formula(**given)
    return result.detach() if hasattr(result, "detach") else result


# Formulas of a derivative that is zero everywhere.
ZEROS = ("xp.zeros_like(g)", "xp.zeros(x_shape, g)", "g * 0", "0 * g", "None")
# What stands for a formula where torch has none either: it raises.
REFUSING = ("not_differentiable(",)

WHOLE: dict[str, Callable[[Callable[..., Any], list[str]], Callable[..., Any]]] = {
    "sign flipped": lambda f, needs: _as_given(f, needs, _negated),
    "doubled": lambda f, needs: _as_given(f, needs, _scaled),
    "cotangent replaced by ones": lambda f, needs: _as_given(f, needs, _ignoring),
    "second derivative lost": lambda f, needs: _as_given(f, needs, _constant),
}


def _rewritten(
    node: ast.Lambda | ast.FunctionDef, formula: Callable[..., Any], op: Any
) -> Iterator[tuple[str, Callable[..., Any]]]:
    """(what was done, function) for each change of one detail of the formula."""
    original = _lines(node)
    seen = {tuple(original)}
    count = sum(1 for _ in ast.walk(node))
    for index in range(count):
        turn = 0
        while True:
            tree = copy.deepcopy(node)
            changed = _change(tree, index, turn, op)
            if changed is None:
                break
            turn += 1
            lines = _lines(tree)
            if not changed or tuple(lines) in seen:
                continue
            seen.add(tuple(lines))
            was, becomes = next((a, b) for a, b in zip(original, lines) if a != b)
            yield f"{was.strip()}  ->  {becomes.strip()}", _compiled(tree, formula, op)


def _lines(tree: ast.Lambda | ast.FunctionDef) -> list[str]:
    return ast.unparse(tree.body if isinstance(tree, ast.Lambda) else tree).splitlines()


def _compiled(tree: ast.Lambda | ast.FunctionDef, formula: Callable[..., Any], op: Any) -> Callable[..., Any]:
    """The changed formula; a lambda's parameters are what it now names, for they say what is saved."""
    if isinstance(tree, ast.FunctionDef):
        scope = dict(formula.__globals__)
        exec(ast.unparse(tree), scope)
        return scope[tree.name]
    names = [n.id for n in ast.walk(tree.body) if isinstance(n, ast.Name)]
    known = ["g", "xp", "out", *op.inputs, *op.described, *op.static]
    needs = [n for n in dict.fromkeys(names) if n in known] or ["g"]
    return eval(f"lambda {', '.join(needs)}: {ast.unparse(tree.body)}", formula.__globals__)


def _change(tree: ast.Lambda | ast.FunctionDef, index: int, turn: int, op: Any) -> bool | None:
    """Change number `turn` of node number `index`, in place; None: there are no more, False: no effect."""
    node = list(ast.walk(tree))[index]
    options: list[ast.expr] = []
    if isinstance(node, ast.BinOp):
        options += [node.left, node.right]
        other = {ast.Add: ast.Sub, ast.Sub: ast.Add}.get(type(node.op))
        if other is not None:
            options.append(ast.BinOp(node.left, other(), node.right))
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        options.append(node.operand)
    elif isinstance(node, ast.Name) and node.id in op.inputs and isinstance(node.ctx, ast.Load):
        options += [ast.Name(other, ast.Load()) for other in op.inputs if other != node.id]
    elif isinstance(node, ast.IfExp):
        options += [node.body, node.orelse]
    elif isinstance(node, ast.Compare) and len(node.ops) == 1:
        flipped = {
            ast.Lt: ast.Gt,
            ast.Gt: ast.Lt,
            ast.LtE: ast.GtE,
            ast.GtE: ast.LtE,
            ast.Eq: ast.NotEq,
            ast.NotEq: ast.Eq,
        }
        edge = {ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt}
        for table in (flipped, edge):
            kind = table.get(type(node.ops[0]))
            if kind is not None:
                options.append(ast.Compare(node.left, [kind()], node.comparators))
    elif isinstance(node, ast.Constant) and type(node.value) in (int, float):
        options.append(ast.Constant(node.value + 1))
    elif isinstance(node, ast.Call) and len(node.args) == 1 and not node.keywords:
        options.append(node.args[0])
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "where":
        if len(node.args) == 3:
            options += node.args[1:]
    if turn >= len(options):
        return None
    return _replace(tree, node, options[turn])


def _replace(tree: ast.AST, old: ast.AST, new: ast.expr) -> bool:
    for parent in ast.walk(tree):
        for name, value in ast.iter_fields(parent):
            if value is old:
                setattr(parent, name, new)
                return True
            if isinstance(value, list) and any(item is old for item in value):
                setattr(parent, name, [new if item is old else item for item in value])
                return True
    return False


class Planted:
    """`with Planted(name, [(op, formula), ...])`: the primitives have these formulas; afterwards their own again."""

    def __init__(self, name: str, plants: list[tuple[Any, Callable[..., Any]]]) -> None:
        self.name, self.plants = name, plants

    def __enter__(self) -> None:
        self.kept = [(op, op.formulas[self.name], op.needs[self.name]) for op, _ in self.plants]
        for op, formula in self.plants:
            self._set(op, formula, list(formula.__code__.co_varnames[: formula.__code__.co_argcount]))

    def __exit__(self, *error: object) -> None:
        for op, formula, needs in self.kept:
            self._set(op, formula, needs)

    def _set(self, op: Any, formula: Callable[..., Any], needs: list[str]) -> None:
        op.formulas[self.name], op.needs[self.name] = formula, needs
        # Plans are compiled from the formulas, and the written calls keep the recorders of those they have used.
        plans = op.plans
        plans.clear()
        callers, plans.callers = plans.callers, []
        for scope, differentiable in callers:
            scope.update(plans.recorders(scope, differentiable))


# -- which rows see which formula


@dataclass
class Row:
    """A quick row of some group: what runs it, what it costs, which formulas it evaluates."""

    group: str
    name: str
    check: Callable[[str, Options], Result]
    seconds: float = 0.0
    formulas: set[tuple[str, str]] = field(default_factory=set)

    def complaint(self, seed: int) -> str | None:
        """What the row finds wrong, first; None when it passes. A row that raises has found something too."""
        try:
            failures = self.check(self.name, Options(seed=seed, quick=True)).failures
        except Exception as error:
            return f"{self.group} {self.name} raised {type(error).__name__}: {error}"
        return f"{self.group} {self.name}: {failures[0].where}" if failures else None


def quick_rows() -> list[Row]:
    """Every row of the quick run that checks derivatives: the ops' own, torch's database, the programs."""
    from . import cases, opinfo, ops, programs, rules

    subject, torch = load("minigrad"), load("torch")

    def check_programs(name: str, options: Options) -> Result:
        start = int(name.split()[1])
        indices = range(start, start + programs.CHUNK)
        done = programs.check_range(options.seed, indices, torch, subject, shrinking=False)
        return Result("programs", name, done["checks"], None, [Failure(key, "", None) for key in done["failures"]])

    def check_case(name: str, options: Options) -> Result:
        return ops.run_case(subject, torch, cases.find(name), options)

    rows = [Row("ops", case.name, check_case) for case in cases.CASES if ops.present(subject, case)]
    rows += [Row("opinfo", name, opinfo.check) for name in opinfo.database() if opinfo.exists(name, subject)]
    rows += [Row("rules", name, rules.check_rule) for name in rules.RULES]
    starts = range(0, programs.QUICK_EXAMPLES, programs.CHUNK)
    return rows + [Row("programs", f"programs {start} on", check_programs) for start in starts]


def measure(rows: list[Row], options: Options, progress: Progress) -> tuple[list[Row], list[str]]:
    """(the rows that pass, the complaints of those that do not), with what each costs and evaluates written into it."""
    evaluated: set[tuple[str, str]] = set()
    planted: list[Planted] = []
    watched: set[int] = set()

    def watch() -> bool:
        """Have every formula note that it is evaluated; True when there were new ones."""
        new = [op for ops in primitives().values() for op in ops if id(op) not in watched]
        for op in new:
            watched.add(id(op))
            for name, formula in op.formulas.items():
                planted.append(Planted(name, [(op, _noting((op.name, name), evaluated, formula, op.needs[name]))]))
                planted[-1].__enter__()
        return bool(new)

    watch()
    passing, failing = [], []
    try:
        for row in rows:
            evaluated.clear()
            while True:
                began = time.perf_counter()
                complaint = row.complaint(options.seed)
                row.seconds, row.formulas = time.perf_counter() - began, set(evaluated)
                # An op that is declared when it is first needed was not watched yet.
                if not watch():
                    break
            if complaint is None:
                passing.append(row)
            else:
                failing.append(complaint)
            progress.step(f"without a mutant: {row.name}")
    finally:
        for plant in planted:
            plant.__exit__()
    return passing, failing


def _noting(
    key: tuple[str, str], evaluated: set[tuple[str, str]], formula: Callable[..., Any], needs: list[str]
) -> Callable[..., Any]:
    def noted(formula: Callable[..., Any], given: dict[str, Any]) -> Any:
        evaluated.add(key)
        return formula(**given)

    return _as_given(formula, needs, noted)


class _Slow(Exception):
    """The mutant does not come to an end."""


def _alarm(number: int, frame: FrameType | None) -> None:
    raise _Slow


def caught_by(mutant: Mutant, rows: list[Row], seed: int) -> str | None:
    """The complaint of the first row that fails with the mutant in its formula's place; None when it survives."""
    key = (mutant.op, mutant.input)
    seeing = sorted((r for r in rows if key in r.formulas), key=lambda r: (len(r.formulas), r.seconds))
    specific, wide = ([r for r in seeing if (r.group in WIDE) is wide] for wide in (False, True))
    for row in specific[:ROWS] + wide:
        with Planted(mutant.input, mutant.plants):
            try:
                if hasattr(signal, "SIGALRM"):
                    signal.signal(signal.SIGALRM, _alarm)
                    signal.alarm(SECONDS)
                complaint = row.complaint(seed)
            finally:
                if hasattr(signal, "SIGALRM"):
                    signal.alarm(0)
        if complaint is not None:
            return complaint
    return None


_rows: list[Row] = []


def check_op(name: str, options: Options) -> Result:
    """All mutants of one primitive against the rows measured before."""
    # Of an op that is declared for many numbers of inputs, the formulas of two inputs stand for all.
    several = sorted(primitives()[name], key=lambda op: (len(op.formulas) < 2, len(op.formulas)))
    made = list(mutants(several[0], several[1:]))
    survivors = [m for m in made if caught_by(m, _rows, options.seed) is None]
    seen = {formula for row in _rows for formula in row.formulas}
    unseen = {m.input for m in made if (name, m.input) not in seen}
    failures = [
        Failure(str(m), "no quick row evaluates this formula" if m.input in unseen else "no quick row noticed", None)
        for m in survivors
    ]
    return Result("mutate", name, len(made), None, failures, f"{len(made) - len(survivors)} of {len(made)} caught")


# -- mutants of the engine


@dataclass
class Patch:
    """One rule of the engine broken: in `file` (inside minigrad/), the text `old` becomes `new`, once."""

    name: str
    file: str
    old: str
    new: str


PATCHES = [Patch(*row) for row in TABLE]


class StalePatch(Exception):
    """The engine's source no longer has the text that a patch replaces."""


def apply(patch: Patch, package: Path) -> None:
    """Write the patch into a copy of the package; StalePatch when the text is not there exactly once."""
    path = package / patch.file
    text = path.read_text(encoding="utf-8") if path.is_file() else ""
    if text.count(patch.old) != 1:
        raise StalePatch(
            f"{patch.name}: {patch.file} has the text {text.count(patch.old)} times, expected once:\n{patch.old}"
        )
    path.write_text(text.replace(patch.old, patch.new), encoding="utf-8")


# What the quick check of the engine finds without any patch: that does not count as noticing one.
_known: list[str] = []


def check_patch(name: str, options: Options) -> Result:
    """Run the engine's quick check on a patched copy of minigrad; what it finds beyond `_known` catches the patch."""
    patch = next(p for p in PATCHES if p.name == name)
    row = f"engine: {name}"
    with tempfile.TemporaryDirectory() as folder:
        _copy_packages(Path(folder))
        try:
            apply(patch, Path(folder) / "minigrad")
        except StalePatch as error:
            return Result("mutate", row, 1, None, [Failure("stale patch", str(error), None)])
        found, raised = _findings_in(folder, options.seed, _known)
    if found or raised:
        return Result("mutate", row, 1, None, [], f"caught by {found[0] if found else raised}")
    message = f"{patch.old}\n  became\n{patch.new}\nand no quick check noticed"
    return Result("mutate", row, 1, None, [Failure(patch.file, message, None)])


def unbroken(seed: int) -> list[str]:
    """All that the quick check of the engine finds without a patch."""
    with tempfile.TemporaryDirectory() as folder:
        _copy_packages(Path(folder))
        found, raised = _findings_in(folder, seed, None)
    if raised:
        raise RuntimeError(f"the quick check of the engine does not run: {raised}")
    return found


def _copy_packages(folder: Path) -> None:
    without = shutil.ignore_patterns("__pycache__")
    for package in (Path(load("minigrad").__file__).parent, Path(__file__).parent):
        shutil.copytree(package, folder / package.name, ignore=without)


def _findings_in(folder: str, seed: int, known: list[str] | None) -> tuple[list[str], str]:
    """(findings of the packages in `folder`: all, or the first beyond `known`; what it died of), from a new process."""
    context = start_context()
    receiving, sending = context.Pipe(duplex=False)
    process = context.Process(target=_send_findings, args=(sending, folder, seed, known))
    process.start()
    sending.close()
    try:
        return receiving.recv() if receiving.poll(ENGINE_SECONDS) else ([], "the time limit")
    except EOFError:
        return [], "a crash"
    finally:
        process.kill()
        process.join()


def _send_findings(sending: Connection, folder: str, seed: int, known: list[str] | None) -> None:
    """The new process: the packages in `folder` take the place of these; torch, which is slow to import, stays."""
    for name in list(sys.modules):
        if name.partition(".")[0] in ("minigrad", "compare"):
            del sys.modules[name]
    sys.path.insert(0, folder)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = importlib.import_module("compare.mutate").findings(seed)
            new = found if known is None else itertools.islice((f for f in found if f not in known), 1)
            sending.send((list(new), ""))
    except Exception as error:
        sending.send(([], f"an error: {error!r}"))


def findings(seed: int) -> Iterator[str]:
    """The quick check of the engine: failing rules, causes of failing random programs, failing rows of common ops."""
    from . import cases, ops, programs, rules

    torch, subject = require("torch"), load("minigrad")
    torch.set_num_threads(1)
    for name in rules.RULES:
        if not rules.run_rule(name, torch, subject).passed:
            yield f"rules: {name}"
    for start in range(0, ENGINE_PROGRAMS, 50):
        indices = range(start, start + 50)
        for key in programs.check_range(seed, indices, torch, subject, shrinking=False)["failures"]:
            yield f"random programs: {key}"
    for case in cases.CASES:
        if case.name in ENGINE_ROWS and not ops.run_case(subject, torch, case, Options(seed=seed, quick=True)).passed:
            yield f"ops {case.name}"


# -- the run


def run(options: Options, progress: Progress) -> Iterable[Result]:
    """A Result for each primitive and each rule; a surviving mutant is a failure."""
    require("torch").set_num_threads(1)
    load("minigrad")
    both = bool(options.extra.get("formulas")) == bool(options.extra.get("engine"))
    total = 0
    if both or options.extra.get("formulas"):
        rows = quick_rows()
        progress.start("mutate formulas", len(rows) + len(primitives()))
        _rows[:], failing = measure(rows, options, progress)
        names = [name for name in primitives() if options.selects(name) and name not in ELSEWHERE]
        if failing:
            note = f"{len(failing)} rows fail without a mutant and were left out: {', '.join(failing[:20])}"
            yield Result("mutate", "rows", 0, None, [], note)
        for result in spread(check_op, names, options):
            result.group = "mutate"
            total += result.checks
            progress.step(result.name, failed=len(result.failures))
            yield result
        progress.finish()
    if both or options.extra.get("engine"):
        patches = [p.name for p in PATCHES if options.selects(p.name)]
        progress.start("mutate engine", len(patches))
        _known[:] = unbroken(options.seed)
        if _known:
            note = f"found without a patch, and so not counted: {', '.join(_known[:10])}"
            yield Result("mutate", "engine", 0, None, [], note)
        for result in spread(check_patch, patches, options):
            result.group = "mutate"
            progress.step(result.name, failed=not result.passed)
            yield result
        progress.finish()
