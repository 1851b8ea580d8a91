"""Where the time of one op goes: the same multiplication with more and more of the engine around it.

Each line of the table is the difference between two neighbours, so the lines add up to what `y * b`, recorded and run
backward, costs. The chain is long enough that starting and ending a backward pass do not show. Measured in CPU time: a
tenth of a microsecond would drown in whatever else the machine does.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from .report import number, table

SIZES = (10, 1_000, 10_000)
CHAIN = 200


def pieces(size: int, rounds: int, block: float) -> dict[str, float]:
    """Microseconds of each piece for float32 arrays of `size` elements, from medians of alternating blocks."""
    import minigrad
    from minigrad.grad_mode import state

    x, y = np.full(size, 0.999, np.float32), np.full(size, 1.001, np.float32)
    a, b = minigrad.from_numpy(x), minigrad.from_numpy(y)
    leaf = minigrad.from_numpy(y.copy()).requires_grad_()
    multiply, run, no_grad = np.multiply, state.run, minigrad.no_grad

    def unrecorded(function: Callable[[], Any]) -> Callable[[], Any]:
        def step() -> None:
            with no_grad():
                for _ in range(CHAIN):
                    function()

        return step

    def repeated(function: Callable[[], Any]) -> Callable[[], Any]:
        def step() -> None:
            for _ in range(CHAIN):
                function()

        return step

    def chain() -> Any:
        out = leaf
        for _ in range(CHAIN):
            out = out * b
        return out

    kept: list[Any] = [None]
    cotangent = minigrad.from_numpy(np.ones(size, np.float32))

    def forward_kept() -> None:
        kept[0] = None
        kept[0] = chain()

    def forward_backward() -> None:
        leaf.grad = None
        chain().backward(cotangent)

    measured = medians(
        {
            "empty": repeated(lambda: None),
            "numpy": repeated(lambda: multiply(x, y)),
            "quiet": repeated(lambda: run(multiply, x, y)),
            "call": unrecorded(lambda: a * b),
            "number": unrecorded(lambda: a * 2.0),
            "forward": forward_kept,
            "both": forward_backward,
        },
        rounds,
        block,
    )
    per_op = {name: value / CHAIN for name, value in measured.items()}
    loop = per_op["empty"]
    return {
        "NumPy, the product": per_op["numpy"] - loop,
        "warnings off for the call": per_op["quiet"] - per_op["numpy"],
        "the call: dtypes compared, result wrapped": per_op["call"] - per_op["quiet"],
        "recording: node, edges, saved tensors; freed again": per_op["forward"] - (per_op["call"] - loop),
        "NumPy, the product of backward": per_op["numpy"] - loop,
        "engine: order, versions, delivery": per_op["both"] - per_op["forward"] - (per_op["numpy"] - loop),
        "whole": per_op["both"],
        "(more, if b is a Python number)": per_op["number"] - per_op["call"],
    }  # fmt: skip


def medians(steps: dict[str, Callable[[], Any]], rounds: int, block: float) -> dict[str, float]:
    """Microseconds per call of each, in turns."""
    from torch.utils.benchmark import Timer

    timers = {
        name: Timer("step()", timer=time.process_time, globals={"step": step}, num_threads=1)
        for name, step in steps.items()
    }
    numbers = {name: max(1, round(block / max(timer.timeit(1).mean, 1e-7))) for name, timer in timers.items()}
    samples: dict[str, list[float]] = {name: [] for name in timers}
    for _ in range(rounds):
        for name, timer in timers.items():
            samples[name].append(timer.timeit(numbers[name]).mean * 1e6)
    return {name: statistics.median(values) for name, values in samples.items()}


def text(sizes: tuple[int, ...] = SIZES, rounds: int = 15, block: float = 0.01) -> str:
    """The table for a terminal: microseconds, and the share of the whole."""
    found = [pieces(size, rounds, block) for size in sizes]
    rows = [["y * b, float32, microseconds", *(f"{size:,} elements" for size in sizes)]]
    for name in found[0]:
        row = [name]
        for column in found:
            share = f" {column[name] / column['whole']:4.0%}" if not name.startswith("(") else "     "
            row.append(number(column[name]) + share)
        rows.append(row)
    return table(rows)
