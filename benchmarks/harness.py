"""One timer for everything: torch.utils.benchmark.Timer, libraries taking turns in one process.

For a workload, every column's program is made and its results are compared with hand-written NumPy's; what agrees is
calibrated to blocks of equal time and timed in rounds, each round visiting every column once in a shuffled order, so
that a slow second of the machine falls on all. A column is its library and its thread count, pinned around each block.
A block during which this process had to wait for a processor is timed again, a few times, whatever the column.
"""

from __future__ import annotations

import gc
import random
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from . import libraries, sanity
from .libraries import Library
from .workload import NotAvailable, Program, Workload, WrongResult, compare, snapshot

REFERENCE = "numpy"


@dataclass(frozen=True)
class Settings:
    """rounds: blocks a column; block: seconds a block; budget: seconds after which three blocks of a column suffice.

    tries: how often a disturbed block is timed before the least disturbed of its times is taken.
    """

    rounds: int = 15
    block: float = 0.005
    budget: float = 3.0
    tries: int = 4
    compiled: bool = True


QUICK = Settings(rounds=5, block=0.004, budget=1.0, tries=2, compiled=False)
QUIET = 0.02  # waiting for a processor, as a share of the block's time
PAUSE = 0.005  # seconds asleep before a second try: who has slept is not the next to be interrupted


@dataclass
class Result:
    """One cell: microseconds per step over the blocks, or `problem` in its place."""

    workload: str
    library: str
    threads: int | None
    unit: str = "us"
    median: float | None = None
    q1: float | None = None
    q3: float | None = None
    blocks: int = 0
    steps_per_block: int = 0
    disturbed: int = 0  # blocks that had to share a processor, all tries
    problem: str | None = None
    wrong: bool = False  # the library is here and ran, but failed or disagreed

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)

    def summarise(self, samples: list[float]) -> None:
        """Median and quartiles of the blocks."""
        self.blocks = len(samples)
        self.median = statistics.median(samples)
        if len(samples) > 1:
            self.q1, _, self.q3 = statistics.quantiles(samples, n=4, method="inclusive")
        else:
            self.q1 = self.q3 = samples[0]


class Threads:
    """Pins NumPy's BLAS and torch to a thread count; the pools are looked up once, which costs milliseconds."""

    def __init__(self) -> None:
        from threadpoolctl import ThreadpoolController

        self.pools = ThreadpoolController()

    @contextmanager
    def pinned(self, threads: int | None) -> Iterator[None]:
        import torch

        before = torch.get_num_threads()
        count = threads or libraries.all_cores()
        with self.pools.limit(limits=count, user_api="blas"):
            torch.set_num_threads(count)
            try:
                yield
            finally:
                torch.set_num_threads(before)


def waited(alone: bool) -> float | None:
    """Seconds that this thread, or all threads of the process, have been ready and without a processor.

    `alone`: a column of one thread; other pools may spin on behind it, and their waiting is none of its business.
    None where nothing tells.
    """
    try:
        tasks = [Path("/proc/thread-self")] if alone else Path("/proc/self/task").iterdir()
        # time on a processor, time waiting for one (nanoseconds), turns
        states = [(task / "schedstat").read_text().split() for task in tasks]
    except OSError:
        return None
    return sum(int(state[1]) for state in states) * 1e-9


def undisturbed(time_block: Callable[[], float], tries: int, alone: bool) -> tuple[float, bool]:
    """Seconds of a block, and whether it was disturbed: the first quiet one, or the quietest of `tries`."""
    best: tuple[float, float] | None = None
    for attempt in range(tries):
        if attempt:
            time.sleep(PAUSE)
        before = waited(alone)
        seconds = time_block()
        after = waited(alone)
        share = 0.0 if before is None or after is None else max(0.0, after - before) / seconds
        best = min(best or (share, seconds), (share, seconds))
        if share <= QUIET:
            break
    return best[1], best[0] > QUIET


def columns(workload: Workload, chosen: list[Library], settings: Settings) -> list[Result]:
    """The cells to fill, empty."""
    return [
        Result(workload.name, library.key, threads)
        for library in chosen
        if settings.compiled or not library.compiled
        for threads in libraries.thread_counts(library, workload.threaded)
    ]


def checked(workload: Workload, library: str) -> Program:
    """The program to be timed, after a twin of it has been seen to compute what hand-written NumPy computes."""
    reference = workload.make(REFERENCE, check=True)
    before = snapshot(reference)
    for _ in range(workload.check_steps):
        reference.step()
    program = workload.make(library, check=True)
    for _ in range(workload.check_steps - program.steps_made):
        program.step()
    compare(before, snapshot(reference), snapshot(program), workload.rtol)
    return workload.make(library)


def measure(
    workload: Workload,
    chosen: list[Library],
    settings: Settings,
    progress: Callable[[str], None] = lambda text: None,
) -> list[Result]:
    """Check and time one workload in every chosen column; a column that cannot be timed says why in `problem`."""
    from torch.utils.benchmark import Timer

    results = columns(workload, chosen, settings)
    threads = Threads()
    running: list[tuple[Result, Timer, int, list[float]]] = []
    for result in results:
        label = libraries.BY_KEY[result.library].label
        progress(f"{workload.name}: checking {label}")
        result.problem = libraries.missing(libraries.BY_KEY[result.library])
        if result.problem is not None:
            continue
        try:
            with threads.pinned(result.threads):
                program = checked(workload, result.library)
                count = result.threads or libraries.all_cores()
                # timeit switches the garbage collector off; people train with it on, and it is part of a step's cost.
                timer = Timer("step()", "gc.enable()", globals={"step": program.step, "gc": gc}, num_threads=count)
                number = _steps_per_block(timer, settings.block)
        except NotAvailable as reason:
            result.problem = str(reason)
        except WrongResult as error:
            result.problem, result.wrong = f"wrong result: {error}", True
        except Exception as error:  # a peer's failure is a cell of the table, whatever its class
            result.problem, result.wrong = f"{type(error).__name__}: {error}".splitlines()[0], True
        else:
            result.steps_per_block = number
            running.append((result, timer, number, []))

    # One collection per round of everybody's garbage, and what all imports left behind is nobody's to scan.
    gc.collect()
    gc.freeze()
    try:
        _rounds(workload, running, threads, settings, progress)
    finally:
        gc.unfreeze()
    for result, _, _, samples in running:
        if result.problem is None:
            result.summarise(samples)
            result.problem = sanity.impossible(workload, result.median)
    return results


def _steps_per_block(timer: Any, block: float) -> int:
    number = 1
    while True:
        seconds = timer.timeit(number).raw_times[0]
        if seconds >= block / 8:
            return max(1, round(number * block / seconds))
        number *= 8


def _rounds(workload: Workload, running: list, threads: Threads, settings: Settings, progress: Callable) -> None:
    order = random.Random(0)
    for turn in range(settings.rounds):
        progress(f"{workload.name}: timing, round {turn + 1} of {settings.rounds}")
        for result, timer, number, samples in order.sample(running, len(running)):
            spent = sum(samples) * number * 1e-6
            if result.problem is not None or (len(samples) >= 3 and spent > settings.budget):
                continue
            try:
                with threads.pinned(result.threads):
                    tries = settings.tries if spent < settings.budget else 1
                    seconds, disturbed = undisturbed(
                        lambda: timer.timeit(number).raw_times[0],  # noqa: B023
                        tries,
                        alone=result.threads == 1,
                    )
                samples.append(seconds / number * 1e6)
                result.disturbed += disturbed
            except Exception as error:  # as above: it failed late, after thousands of steps
                result.problem, result.wrong = f"{type(error).__name__}: {error}".splitlines()[0], True
