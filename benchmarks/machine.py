"""What was measured on: processor, cores, BLAS, versions, load; and the machine's own limits, measured.

The limits (flop rate of a matrix product, bandwidth of a copy) feed the sanity check. Knows no workload.
"""

from __future__ import annotations

import datetime
import importlib
import os
import platform
import subprocess
from collections.abc import Callable
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np

from .libraries import LIBRARIES, all_cores

ROOT = Path(__file__).resolve().parent.parent


def processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:  # not Linux
        return platform.processor() or platform.machine()
    named = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return named[0] if named else platform.machine()


def commit() -> str | None:
    """The commit measured, with + where the engine's files differ from it; None outside a git checkout."""
    try:
        head, changed = (
            subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True)
            for arguments in (("rev-parse", "--short", "HEAD"), ("status", "--porcelain", "minigrad", "benchmarks"))
        )
    except OSError:
        return None
    if head.returncode != 0:
        return None
    return head.stdout.strip() + ("+" if changed.stdout.strip() else "")


def blas() -> list[dict[str, Any]]:
    from threadpoolctl import threadpool_info

    np.ones((2, 2), np.float32) @ np.ones((2, 2), np.float32)
    keys = ("internal_api", "version", "architecture", "num_threads", "threading_layer")
    return [{key: pool.get(key) for key in keys} for pool in threadpool_info() if pool["user_api"] == "blas"]


def versions() -> dict[str, str]:
    found = {"python": platform.python_version()}
    for module in dict.fromkeys(library.module for library in LIBRARIES):
        try:
            found[module] = metadata.version(module)
        except metadata.PackageNotFoundError:
            continue
    if "minigrad" not in found:
        try:
            found["minigrad"] = getattr(importlib.import_module("minigrad"), "__version__", "source tree")
        except ImportError:
            return found
    return found


def block() -> dict[str, Any]:
    """The machine block of a report."""
    try:
        load = round(os.getloadavg()[0], 2)
    except (OSError, AttributeError):
        load = None
    return {
        "date": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M UTC"),
        "processor": processor(),
        "cores": all_cores(),
        "system": f"{platform.system()} {platform.machine()}",
        "load_before": load,
        "blas": blas(),
        "versions": versions(),
        "commit": commit(),
    }


def _best(timer_call: Any, repeats: int) -> float:
    return min(timer_call() for _ in range(repeats))


def _seconds(call: Any, threads: int) -> Any:
    from torch.utils.benchmark import Timer

    timer = Timer("call()", globals={"call": call}, num_threads=threads)
    return lambda: timer.timeit(1).raw_times[0]


_measured: dict[Any, float] = {}  # the best seen so far of each limit


def _limit(key: Any, measure: Callable[[], float], again: bool) -> float:
    if again or key not in _measured:
        _measured[key] = max(measure(), _measured.get(key, 0.0))
    return _measured[key]


def flop_rate(again: bool = False) -> float:
    """float32 flop/s of a matrix product, the best that NumPy's BLAS or torch reach with all cores.

    `again` measures once more: on a busy machine a first measurement may be far too low.
    """
    return _limit("flops", _flop_rate, again)


def _flop_rate(n: int = 1024, repeats: int = 12) -> float:
    import torch

    a = np.ones((n, n), np.float32)
    out = np.empty_like(a)
    ta, tout = torch.from_numpy(a), torch.empty(n, n)
    calls = (lambda: np.matmul(a, a, out=out), lambda: torch.mm(ta, ta, out=tout))
    return 2 * n**3 / min(_best(_seconds(call, all_cores()), repeats) for call in calls)


SIZES = tuple(4**k * 1024 for k in range(4, 9))  # 256 KiB to 64 MiB


def bandwidth(size: int, again: bool = False) -> float:
    """Bytes/s read plus written by a copy whose source and target are `size` bytes together."""
    return _limit(size, lambda: _bandwidth(size), again)


def _bandwidth(size: int, repeats: int = 12) -> float:
    import torch

    source = np.ones(size // 8, np.float32)
    target = np.empty_like(source)
    tsource, ttarget = torch.from_numpy(source), torch.from_numpy(target)
    # Small copies are repeated in one call, so that the clock's and the call's own cost do not count as copying.
    times = max(1, (16 << 20) // size)

    def by_numpy() -> None:
        for _ in range(times):
            np.copyto(target, source)

    def by_torch() -> None:
        for _ in range(times):
            ttarget.copy_(tsource)

    return times * size / min(_best(_seconds(call, all_cores()), repeats) for call in (by_numpy, by_torch))


def bandwidth_for(size: float, again: bool = False) -> float:
    """The bandwidth that a working set of `size` bytes can hope for: of the largest measured size not above it."""
    fitting = [s for s in SIZES if s <= size]
    return bandwidth(fitting[-1] if fitting else SIZES[0], again)


def limits() -> dict[str, Any]:
    return {"flops_per_s": flop_rate(), "bytes_per_s": {str(size): bandwidth(size) for size in SIZES}}
