"""What a workload is: data, and one program a library that does the same mathematics with it.

A program is a `step` to be timed and a `result` that hands out what the steps computed, as NumPy arrays, so that
programs can be compared before they are timed. This file knows no library and no clock.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import numpy as np


class NotAvailable(Exception):
    """Raised by a program's maker where the library cannot run the workload; the message becomes the table's cell."""


class WrongResult(Exception):
    """A program computed something else than the reference: it is reported and never timed."""


@dataclass(frozen=True)
class Program:
    step: Callable[[], Any]
    result: Callable[[], Sequence[Any]]
    steps_made: int = 0  # by the maker itself, as warm-up


@dataclass(frozen=True)
class Target:
    """What minigrad is to reach: `torch` times faster than torch eager's best, `numpy` times hand-written NumPy."""

    torch: float | None = None
    numpy: float | None = None


@dataclass
class Workload:
    """One benchmark: `data(check)` makes fresh arrays, `programs` maps a library's key to the maker of its program.

    ops    operations that an eager engine records in one step (for the overhead per operation)
    flops  floating-point operations, bytes: compulsory memory traffic of one step, both lower bounds (sanity check)
    threaded  large enough that the number of threads matters: NumPy and minigrad are measured with 1 and with all
    """

    name: str
    title: str
    data: Callable[[bool], SimpleNamespace]
    ops: int
    flops: float
    bytes: float
    threaded: bool = False
    target: Target = field(default_factory=Target)
    check_steps: int = 3
    rtol: float = 1e-3  # of what the steps change: float32 parameters that move by 1e-3 keep four digits of it
    programs: dict[str, Callable[..., Program]] = field(default_factory=dict)

    def program(self, *libraries: str) -> Callable[[Callable[..., Program]], Callable[..., Program]]:
        """Register the decorated `maker(data, library)` as the program of each of `libraries`."""

        def register(maker: Callable[..., Program]) -> Callable[..., Program]:
            for library in libraries:
                if library in self.programs:
                    raise ValueError(f"{self.name}: {library} has two programs")
                self.programs[library] = maker
            return maker

        return register

    def make(self, library: str, *, check: bool = False) -> Program:
        """A fresh program of `library` on fresh data; NotAvailable where the workload has none for it."""
        maker = self.programs.get(library)
        if maker is None:
            raise NotAvailable("no program: the library lacks what this workload needs")
        return maker(self.data(check), library)


def snapshot(program: Program) -> list[np.ndarray | None]:
    """The program's results now, copied, as float64; None where it has none before its first step."""
    return [None if value is None else np.array(value, np.float64) for value in program.result()]


def compare(
    before: Sequence[np.ndarray | None],
    reference: Sequence[np.ndarray | None],
    result: Sequence[np.ndarray | None],
    rtol: float,
) -> None:
    """Raise WrongResult unless `result` is `reference` to `rtol` of what the reference's steps changed.

    The change is the yardstick, not the value: a parameter that never moved is close to one that moved by 1e-6.
    """
    if len(reference) != len(result):
        raise WrongResult(f"{len(result)} results, expected {len(reference)}")
    for position, (start, expected, got) in enumerate(zip(before, reference, result)):
        if expected is None or got is None:
            raise WrongResult(f"result {position} is None")
        # Libraries differ in how they hold one number: () or (1,) or (1, 1). Anything larger must have the same shape.
        if expected.size == got.size == 1:
            expected, got = expected.reshape(()), got.reshape(())
        if expected.shape != got.shape:
            raise WrongResult(f"result {position} has shape {got.shape}, expected {expected.shape}")
        if not np.isfinite(got).all():
            raise WrongResult(f"result {position} is not finite")
        change = expected if start is None else expected - start.reshape(expected.shape)
        scale = float(np.max(np.abs(change), initial=0.0))
        worst = float(np.max(np.abs(expected - got), initial=0.0))
        if worst > rtol * scale:
            raise WrongResult(f"result {position} is off by {worst:.3g}, allowed is {rtol:g} of {scale:.3g}")
