"""No result may beat the machine: a step cannot be faster than its arithmetic and its memory traffic allow.

A benchmark that does is measuring something else (folded constants, work not waited for), and is reported as such.
"""

from __future__ import annotations

from .machine import bandwidth_for, flop_rate
from .workload import Workload

TRIES = 3


def bound(workload: Workload, again: bool = False) -> float:
    """The least microseconds one step can take: flops at the measured peak, compulsory bytes at measured bandwidth."""
    return 1e6 * max(workload.flops / flop_rate(again), workload.bytes / bandwidth_for(workload.bytes, again))


def impossible(workload: Workload, microseconds: float) -> str | None:
    """Why this time cannot be; None if it can. The machine is measured again before a result is called impossible."""
    for attempt in range(TRIES):
        least = bound(workload, again=attempt > 0)
        if microseconds >= least:
            return None
    return f"impossible: {microseconds:.3g} us, but the machine needs {least:.3g} us for the arithmetic and the memory"
