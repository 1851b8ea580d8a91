"""Random programs on minigrad and on torch, side by side: campaigns, shrinking, standalone reproducer scripts.

Owns the search: seeded programs in chunks (in this process or in several), a state file that an interrupted campaign
resumes from, telling a rounding difference from a wrong one, and the reduction of a failing program to a short script.
`program_draw` writes the programs and `program_text` runs them; this file knows no op.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import json
import multiprocessing
import os
import random
import re
import signal
import time
import warnings
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import Any

from minigrad.files import write_text

from .engines import load, require
from .known import program_reason
from .parallel import start_context
from .program_draw import CANCELLING, INEXACT, Builder, Choose, ChooseFrom
from .program_text import Difference, Outcome, Pair, Side, is_tensor, run_program, script
from .report import Failure, Options, Progress, Result, duration

DEFAULT_EXAMPLES, QUICK_EXAMPLES = 5_000, 1_000
CHUNK = 100
# Shorter runs finish before anybody would want to resume them.
SMALLEST_SAVED = 10_000
SHRUNK_PER_CAUSE = 2
STATE_DIRECTORY = Path(".compare")
STATE_VERSION = 1
# Dropped from a statement where the failure stays.
OPTIONS = (", create_graph=True", ", retain_graph=True", "create_graph=True", "retain_graph=True", ", keepdim=True")
OPTIONS += (", requires_grad=True", ", allow_unused=True", ", alpha=2", ", value=0.5")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options that only this group has."""
    parser.add_argument("--fresh", action="store_true", help="forget an interrupted campaign of the same seed")
    parser.add_argument("--program", type=int, metavar="INDEX", help="run and print this program of the seed alone")
    parser.add_argument("--scripts", metavar="DIR", help="write each reproducer script into this folder")
    parser.add_argument(
        "--longest", type=int, default=16, metavar="N", help="most statements in a program (default 16)"
    )


# -- one program


class Vocabulary:
    """Which names of the torch-like interface the subject lacks; a program never uses one."""

    def __init__(self, subject: Any) -> None:
        places = [subject, getattr(subject, "Tensor", None)]
        for path in ("autograd", "autograd.Function", "autograd.function", "optim", "optim.SGD"):
            place = subject
            for part in path.split("."):
                place = getattr(place, part, None)
            places.append(place)
        self._places = [place for place in places if place is not None]
        # Python's own names and those that only a ctx, a handle or an optimizer object has.
        self._known = dict.fromkeys(
            ("append", "nan", "inf", "remove", "save_for_backward", "saved_tensors", "mark_dirty", "needs_input_grad",
             "mark_non_differentiable", "set_materialize_grads", "k", "step", "zero_grad", "apply"), True
        )  # fmt: skip
        self.missing: Counter[str] = Counter()

    def lacks(self, text: str) -> bool:
        """True when the statement uses a name that the subject does not have."""
        lacking = False
        for word in re.findall(r"(?<![\d\w])(?:\w+|\))?\.([a-z_]\w*)", text):
            known = self._known.get(word)
            if known is None:
                known = self._known[word] = any(hasattr(place, word) for place in self._places)
            if not known:
                self.missing[word] += 1
                lacking = True
        return lacking


def draw(seed: int, index: int, reference: Any, subject: Any, vocabulary: Vocabulary, longest: int = 16) -> Builder:
    """Draw and run program number `index` of campaign `seed`; the builder has its statements and its pair."""
    builder = Builder(Choose(random.Random(seed * 1_000_003 + index)), Pair(reference, subject), vocabulary.lacks)
    builder.difference = builder.program(longest)[1]
    return builder


def programs(reference: Any, subject: Any, longest: int = 16) -> Any:
    """Hypothesis strategy for a program that has been run: draws (statements, the Difference or None)."""
    st = require("hypothesis.strategies")
    vocabulary = Vocabulary(subject)

    @st.composite
    def whole(draw_from: Callable[[Any], Any]) -> tuple[list[str], Difference | None]:
        choose = ChooseFrom(lambda lowest, highest: draw_from(st.integers(lowest, highest)))
        return Builder(choose, Pair(reference, subject), vocabulary.lacks).program(longest)

    return whole()


class _Perturbed:
    """The reference, with the result of every inexact function moved by about 4 ulps, up and down in turn."""

    def __init__(self, engine: Any, sign: float) -> None:
        self._engine, self._sign, self._functions = engine, sign, {}

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._engine, name)
        if name not in INEXACT:
            return value
        if name not in self._functions:

            def moved(*arguments: Any, **options: Any) -> Any:
                result = value(*arguments, **options)
                if is_tensor(result) and result.dtype.is_floating_point and not result._is_view():
                    self._sign = -self._sign
                    # Through `.data`: a result that was saved for backward moves too, and no version counts it.
                    step = self._sign * 4 * self._engine.finfo(result.dtype).eps
                    result.data.mul_(1 + step)
                    if name in CANCELLING and arguments[0].numel():
                        result.data.add_(step * float(arguments[0].detach().abs().max()))
                return result

            self._functions[name] = moved
        return self._functions[name]


def is_rounding(statements: list[str], difference: Difference, reference: Any, subject: Any) -> bool:
    """True when the engines part by no more than the reference itself moves when its exp, sum, ... move by 4 ulps.

    A program may divide by what is left of a cancellation; its result is noise on any engine. Exact ops are never
    perturbed, so that ties and steps stay where they are.
    """
    if "value" not in difference.aspect:
        return False
    numpy = require("numpy")

    def final(engine: Any) -> Any:
        side = Side(engine)
        for text in statements:
            side.run(text)
            side.settle()
        return _values(side, difference.name)

    with warnings.catch_warnings(), numpy.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        a, b = final(reference), final(subject)
        if a is None or b is None or a.shape != b.shape or a.dtype != b.dtype:
            return False
        distance = _distance(numpy, a, b)
        for sign in (1.0, -1.0):
            moved = final(_Perturbed(reference, sign))
            if moved is not None and moved.shape == a.shape and _distance(numpy, a, moved) * 8 >= distance:
                return True
    return False


def _values(side: Side, name: str) -> Any:
    name, _, grad = name.partition(".")
    if name.startswith("log entry"):
        label = name.split("'")[1]
        value = next((entry[1] for entry in reversed(side.log) if entry[0] == label), None)
    else:
        value = side.space.get(name)
    if not is_tensor(value):
        return None
    try:
        outcome = Outcome(value)
    except RuntimeError:
        # torch cannot show a split's or unbind's output whose base was written to afterwards: nothing to measure.
        return None
    outcome = outcome.grad if grad else outcome
    return None if outcome is None else outcome.values.copy()


def _distance(numpy: Any, a: Any, b: Any) -> float:
    """Largest difference; inf where only one of the two is finite."""
    a, b = a.astype(float), b.astype(float)
    same = (a == b) | (numpy.isnan(a) & numpy.isnan(b))
    gaps = numpy.where(same, 0.0, numpy.abs(a - b))
    return float(numpy.where(numpy.isnan(gaps), numpy.inf, gaps).max(initial=0.0))


# -- a failing program made small


def cause(difference: Difference) -> str:
    """The kind of disagreement, numbers and names left out: programs that fail alike are counted together."""
    if difference.aspect != "error":
        return difference.aspect
    sides = (re.sub(r"[\d\W]+", " ", str(text))[:60].strip() for text in (difference.expected, difference.got))
    return "error: torch {!r}, minigrad {!r}".format(*sides)


def shrink(statements: list[str], reference: Any, subject: Any, seconds: float = 5.0) -> list[str]:
    """The shortest program found that still fails for the same cause; stops after `seconds`."""
    until = time.perf_counter() + seconds

    def failure(candidate: list[str]) -> tuple[int, Difference] | None:
        index, difference, _ = run_program(candidate, reference, subject)
        if difference is None or is_rounding(candidate[: index + 1], difference, reference, subject):
            return None
        return index, difference

    found = failure(statements)
    if found is None:
        return statements
    wanted = cause(found[1])
    best = statements[: found[0] + 1]
    progress = True
    while progress and time.perf_counter() < until:
        progress = False
        for candidate in _smaller(best):
            found = failure(candidate)
            if found is not None and cause(found[1]) == wanted:
                best = candidate[: found[0] + 1]
                progress = True
                break
            if time.perf_counter() > until:
                break
    return best


def _smaller(statements: list[str]) -> Iterator[list[str]]:
    """Programs one step smaller: without a statement (and what hangs on it), without a block, an option, a value."""
    for i in reversed(range(len(statements))):
        yield statements[:i] + statements[i + 1 :]
        defined = _defined(statements[i])
        if defined:
            doomed, rest = set(defined), []
            for text in statements[i + 1 :]:
                if any(re.search(rf"\b{name}\b", text) for name in doomed):
                    doomed.update(_defined(text))
                else:
                    rest.append(text)
            yield statements[:i] + rest
    for i, text in enumerate(statements):
        before, after = statements[:i], statements[i + 1 :]
        for name in _defined(text)[:1]:
            # What was computed gives way to what it was computed from.
            for source in dict.fromkeys(re.findall(r"\bv\d+\b", text.partition("=")[2])):
                yield before + [re.sub(rf"\b{name}\b", source, later) for later in after]
        for simpler in _simpler(text):
            yield [*before, simpler, *after]
        if text.count("T.tensor(") == 1 and "requires_grad" in text:
            name = _defined(text)[0] if _defined(text) else ""
            for other in re.findall(r"^(v\d+) = T\.tensor\(", "\n".join(before), re.M):
                yield before + [re.sub(rf"\b{name}\b", other, later) for later in after]


def _simpler(text: str) -> Iterator[str]:
    """The statement with one detail less."""
    block = re.match(r"with [^:]*: (.*)$", text)
    if block:
        yield block[1]
    for option in OPTIONS:
        if option in text:
            yield text.replace(option, "", 1)
    if text.count("T.tensor([") == 1:
        start = text.index("T.tensor([") + len("T.tensor(")
        literal = text[start : text.index("]", text.rindex("]")) + 1]
        # One row or one element fewer, then plainer numbers.
        for smaller in (re.sub(r", [^\[\],]+\]$", "]", literal), re.sub(r", \[[^\[\]]*\]\]$", "]]", literal)):
            if smaller != literal:
                yield text[:start] + smaller + text[start + len(literal) :]
        numbers = re.findall(r"-?\d+\.\d+", literal)
        for plain in ("1.0", "2.0"):
            if any(number not in ("1.0", "2.0", "0.0") for number in numbers):
                yield text[:start] + re.sub(r"-?\d+\.\d+", plain, literal) + text[start + len(literal) :]
        for number in numbers:
            if number not in ("1.0", "2.0", "0.0"):
                yield text[:start] + literal.replace(number, "1.0", 1) + text[start + len(literal) :]


def _defined(text: str) -> list[str]:
    if text.startswith("class "):
        return re.findall(r"^class (\w+)", text)
    targets, equals, _ = text.removeprefix("with T.no_grad(): ").partition(" = ")
    return re.findall(r"\b[vhFon]\d+\b", targets) if equals and "." not in targets and "[" not in targets else []


# -- a campaign


def run_chunk(
    seed: int, start: int, stop: int, longest: int = 16, engines: tuple[str, str] = ("torch", "minigrad")
) -> dict[str, Any]:
    """Programs `start` to `stop` of campaign `seed`: counts, and each failure made small. The answer is plain JSON."""
    reference, subject = map(load, engines)
    return check_range(seed, range(start, stop), reference, subject, longest)


def check_range(
    seed: int, indices: Iterable[int], reference: Any, subject: Any, longest: int = 16, shrinking: bool = True
) -> dict[str, Any]:
    """As run_chunk, for engines at hand; `shrinking` off leaves failing programs as long as they were drawn."""
    vocabulary = Vocabulary(subject)
    done = _nothing()
    for index in indices:
        builder = draw(seed, index, reference, subject, vocabulary, longest)
        done["programs"] += 1
        done["statements"] += len(builder.statements)
        done["checks"] += builder.pair.checks
        done["raised"] += builder.pair.raised
        done["worst"] = max(done["worst"], builder.pair.tolerance.worst)
        if builder.difference is not None:
            if is_rounding(builder.statements, builder.difference, reference, subject):
                done["rounding"] += 1
            elif program_reason(builder.statements, builder.difference):
                done["known"] += 1
            else:
                _note_failure(done["failures"], index, builder, reference, subject, shrinking)
    done["missing"] = dict(vocabulary.missing)
    return done


def _note_failure(
    failures: dict[str, Any], index: int, builder: Builder, reference: Any, subject: Any, shrinking: bool
) -> None:
    """Count the failure under its cause; the first few of a cause are shrunk, and the shortest is kept."""
    key = f"{cause(builder.difference)} | {_head(builder.statements[-1])}"
    entry = failures.setdefault(key, {"count": 0, "shrunk": 0, "index": index, "statements": None, "message": ""})
    entry["count"] += 1
    if entry["shrunk"] >= SHRUNK_PER_CAUSE:
        return
    entry["shrunk"] += 1
    small = shrink(builder.statements, reference, subject) if shrinking else builder.statements
    if entry["statements"] is None or len(small) < len(entry["statements"]):
        _, difference, pair = run_program(small, reference, subject)
        difference = difference or builder.difference
        sides = [difference.expected, difference.got]
        allowed = pair.tolerance.ulps * pair.tolerance.eps * pair.tolerance.scale
        entry.update(
            index=index,
            statements=small,
            message=str(difference),
            difference=[difference.aspect, difference.name, *map(str, sides)],
            allowed=allowed,
        )


def _head(text: str) -> str:
    """What the statement does, in a word."""
    if text.startswith("class "):
        return "class"
    names = [
        name
        for name in re.findall(r"\.(\w+)\(", text)
        if name not in ("tensor", "no_grad", "enable_grad", "set_grad_enabled")
    ]
    operators = re.findall(r" ([-+*/%@<>=]=?|\*\*) ", text.partition(" = ")[2] or text)
    return (names or operators or ["index" if "[" in text else "assign"])[-1]


def merge(total: dict[str, Any], part: dict[str, Any]) -> None:
    """Add a chunk's answer to the campaign's."""
    for name in ("programs", "statements", "checks", "raised", "rounding", "known"):
        total[name] = total.get(name, 0) + part[name]
    total["worst"] = max(total.get("worst", 0.0), part["worst"])
    missing = total.setdefault("missing", {})
    for name, count in part["missing"].items():
        missing[name] = missing.get(name, 0) + count
    failures = total.setdefault("failures", {})
    for key, entry in part["failures"].items():
        known = failures.setdefault(key, entry)
        if known is not entry:
            known["count"] += entry["count"]
            if len(entry["statements"]) < len(known["statements"]):
                failures[key] = {**entry, "count": known["count"]}


class State:
    """What a campaign has done so far, in a JSON file that is written whole or not at all."""

    def __init__(self, path: Path, seed: int, longest: int) -> None:
        self.path = path
        self.body: dict[str, Any] = {
            "version": STATE_VERSION, "seed": seed, "longest": longest, "chunk": CHUNK, "engines": fingerprint(),
            "chunks": [], "seconds": 0.0, "total": {},
        }  # fmt: skip
        self.saved = time.perf_counter()

    def resume(self) -> str:
        """Take up what the file holds, if it is of the same code and seed; says what was done, '' when nothing."""
        try:
            body = json.loads(self.path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return ""
        except (OSError, ValueError) as error:
            return f"{self.path} could not be read ({error}); starting again"
        same = ("version", "seed", "longest", "chunk", "engines")
        if not isinstance(body, dict) or any(body.get(name) != self.body[name] for name in same):
            return f"{self.path} is of other code or options; starting again"
        self.body = body
        return f"resumed after {body['total'].get('programs', 0):,} programs"

    def add(self, chunk: int, part: dict[str, Any]) -> None:
        self.body["chunks"].append(chunk)
        merge(self.body["total"], part)

    def save(self, at_most_every: float = 0.0) -> None:
        if time.perf_counter() - self.saved < at_most_every:
            return
        self.saved = time.perf_counter()
        self.path.parent.mkdir(parents=True, exist_ok=True)
        write_text(str(self.path), json.dumps(self.body))


def run_one(seed: int, index: int, longest: int) -> Result:
    """One program, printed statement by statement before each is run; not made small."""
    reference, subject = load("torch"), load("minigrad")
    builder = Builder(
        Choose(random.Random(seed * 1_000_003 + index)), Pair(reference, subject), Vocabulary(subject).lacks
    )
    step = builder.pair.step

    def shown(text: str) -> Difference | None:
        print(text, flush=True)
        return step(text)

    builder.pair.step = shown  # type: ignore[method-assign]
    statements, difference = builder.program(longest)
    failures = []
    if difference is not None and not is_rounding(statements, difference, reference, subject):
        failures.append(Failure(cause(difference), str(difference), "\n".join(statements)))
    return Result("programs", f"program {index}", builder.pair.checks, builder.pair.tolerance.worst, failures)


def fingerprint() -> str:
    """Changes whenever an engine or the programs change: results of different code are not added up."""
    digest = hashlib.sha256()
    package = Path(load("minigrad").__file__).parent
    for path in [*sorted(package.rglob("*.py")), *sorted(Path(__file__).parent.glob("program*.py"))]:
        digest.update(path.read_bytes())
    digest.update(f"{require('torch').__version__} {require('numpy').__version__}".encode())
    return digest.hexdigest()[:16]


def run(options: Options, progress: Progress) -> Iterable[Result]:
    """The campaign that `options` asks for: one Result, with a failure (and a script) for each cause."""
    examples = options.examples or (QUICK_EXAMPLES if options.quick else DEFAULT_EXAMPLES)
    longest = int(options.extra.get("longest") or 16)
    if options.extra.get("program") is not None:
        yield run_one(options.seed, options.extra["program"], longest)
        return
    state = State(STATE_DIRECTORY / f"programs-{options.seed}.json", options.seed, longest)
    keep = examples >= SMALLEST_SAVED
    notes = []
    if keep and not options.extra.get("fresh"):
        notes.append(state.resume())
    total, began, before = state.body["total"], time.perf_counter(), state.body["total"].get("programs", 0)
    progress.start("programs", examples)
    progress.step(count=min(before, examples))
    done = set(state.body["chunks"])
    wanted = [chunk for chunk in range(-(-examples // CHUNK)) if chunk not in done]
    tasks = [(chunk, options.seed, chunk * CHUNK, min(examples, (chunk + 1) * CHUNK), longest) for chunk in wanted]
    interrupted = False
    try:
        for chunk, part in _parts(tasks, options.jobs):
            # The last chunk may be cut short; it is run whole when a longer campaign takes this one up.
            state.add(chunk, part) if part["programs"] == CHUNK else merge(total, part)
            progress.step(count=part["programs"], failed=sum(f["count"] for f in part["failures"].values()))
            if keep:
                state.save(at_most_every=2.0)
    except KeyboardInterrupt:
        interrupted = True
    seconds = time.perf_counter() - began
    if keep and interrupted:
        state.save()
        notes.append(f"interrupted; the same command goes on from here ({state.path})")
    elif keep and state.path.exists():
        state.path.unlink()
    progress.finish()
    yield _result(total, options, notes, seconds, before)
    if interrupted:
        raise KeyboardInterrupt


def _parts(tasks: list[tuple[int, ...]], jobs: int) -> Iterator[tuple[int, dict[str, Any]]]:
    """The chunks' answers as they come, from this process or from `jobs` others.

    An engine written in C++ can take its process down. What ran at that moment is run again, each chunk in a process
    of its own, then each program, until the one that does it is known.
    """
    if jobs <= 1:
        for chunk, *arguments in tasks:
            yield chunk, run_chunk(*arguments)
        return
    left = {chunk: arguments for chunk, *arguments in tasks}
    while left:
        running: dict[Future[dict[str, Any]], int] = {}
        try:
            for chunk, part in _pooled(left, jobs, running):
                del left[chunk]
                yield chunk, part
        except BrokenProcessPool:
            for chunk in sorted(set(running.values()) & set(left)):
                seed, start, stop, *rest = left.pop(chunk)
                total: dict[str, Any] = _nothing()
                for index in range(start, stop):
                    merge(total, _alone(seed, index, *rest))
                yield chunk, total


def _pooled(
    tasks: dict[int, list[Any]], jobs: int, running: dict[Future[dict[str, Any]], int]
) -> Iterator[tuple[int, dict[str, Any]]]:
    waiting = iter(list(tasks.items()))
    with ProcessPoolExecutor(jobs, start_context(), _start_worker) as pool:

        def submit() -> None:
            for chunk, arguments in waiting:
                running[pool.submit(run_chunk, *arguments)] = chunk
                return

        for _ in range(2 * jobs):
            submit()
        with contextlib.ExitStack() as stopping:
            stopping.callback(_stop, pool)  # at Ctrl-C, a dead process, a caller that takes no more
            while running:
                for future in wait(running, return_when=FIRST_COMPLETED).done:
                    part = future.result()
                    chunk = running.pop(future)
                    submit()
                    yield chunk, part
            stopping.pop_all()


def _stop(pool: ProcessPoolExecutor) -> None:
    pool.shutdown(wait=False, cancel_futures=True)
    for process in multiprocessing.active_children():
        process.terminate()


def _alone(seed: int, index: int, *rest: Any) -> dict[str, Any]:
    """One program in a process of its own; that the process died is a failure like any other."""
    with ProcessPoolExecutor(1, start_context(), _start_worker) as pool:
        try:
            return pool.submit(run_chunk, seed, index, index + 1, *rest).result()
        except BrokenProcessPool:
            said = f"the process died; to see where: python -m compare programs --seed {seed} --program {index}"
            entry = {"count": 1, "shrunk": 0, "index": index, "statements": [], "message": said, "allowed": 0.0}
            entry["difference"] = ["the process", "died", "", ""]
            return {**_nothing(), "programs": 1, "failures": {"the process died": entry}}


def _nothing() -> dict[str, Any]:
    counts = dict.fromkeys(("programs", "statements", "checks", "raised", "rounding", "known"), 0)
    return {**counts, "worst": 0.0, "failures": {}, "missing": {}}


def _start_worker() -> None:
    # Ctrl-C is the parent's to handle; and one thread a process: the tensors are tiny.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.environ["OMP_NUM_THREADS"] = "1"
    require("torch").set_num_threads(1)


def _result(total: dict[str, Any], options: Options, notes: list[str], seconds: float, before: int) -> Result:
    count = total.get("programs", 0)
    found_by = f"python -m compare programs --examples {count} --seed {options.seed}"
    failures = []
    entries = sorted(total.get("failures", {}).items(), key=lambda item: -item[1]["count"])
    for number, (key, entry) in enumerate(entries):
        difference = Difference(*entry["difference"])
        title = f"torch and minigrad part: {difference.aspect} of {difference.name}\n\n"
        title += f"{found_by} (program {entry['index']})\n"
        text = script(entry["statements"], difference, title, entry["allowed"])
        message = f"{entry['count']} of {count:,} programs; program {entry['index']} made small:\n" + "\n".join(
            entry["statements"]
        )
        failures.append(Failure(key, f"{message}\n{entry['message']}", text))
        if options.extra.get("scripts"):
            folder = Path(options.extra["scripts"])
            folder.mkdir(parents=True, exist_ok=True)
            write_text(str(folder / f"program_{number:03}.py"), text)
    rate = (count - before) / max(seconds, 1e-9)
    notes += [
        f"{count:,} programs, {total.get('statements', 0):,} statements, seed {options.seed}",
        f"{rate:,.0f} programs/s in {duration(seconds)}",
        f"{total.get('raised', 0):,} statements raised on both engines alike",
        f"{total.get('rounding', 0):,} programs set aside: their result is rounding noise on torch alone",
        f"{total.get('known', 0):,} programs set aside: torch disagrees with itself (compare/known.py)",
    ]
    if total.get("missing"):
        notes.append("minigrad lacks: " + ", ".join(sorted(total["missing"])))
    worst = total.get("worst", 0.0)
    details = {name: total.get(name) for name in ("programs", "statements", "raised", "rounding", "known", "missing")}
    return Result(
        "programs", "random programs", total.get("checks", 0), worst, failures, "; ".join(filter(None, notes)), details
    )
