"""What can only be measured from outside: import time, resident memory, peak memory, and memory over 1,000 steps.

Each measurement is a fresh Python process, so that no library pays for what another has allocated or imported.
`python -m benchmarks.process` is the child's side and prints one JSON object.
"""

from __future__ import annotations

import ctypes
import gc
import json
import os
import subprocess
import sys
import timeit
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from . import libraries
from .harness import Result, Settings
from .libraries import Library
from .workload import NotAvailable

ROOT = Path(__file__).resolve().parent.parent
MIB = 1024.0  # /proc counts in KiB

# What a user of each library imports first.
IMPORTS = {
    "numpy": "numpy", "minigrad": "minigrad", "torch": "torch", "mygrad": "mygrad", "autograd": "autograd.numpy",
    "tinygrad": "tinygrad", "jax": "jax.numpy", "micrograd": "micrograd.engine",
}  # fmt: skip
# Run in processes of their own: what is the same library run another way adds nothing.
MEMORY_LIBRARIES = ("numpy", "minigrad", "torch", "mygrad", "autograd", "tinygrad-jit", "jax-jit")


@dataclass(frozen=True)
class ProcessWorkload:
    """One measurement made in processes: `measure(chosen, settings, progress)` fills its cells."""

    name: str
    title: str
    unit: str
    measure: Callable[[list[Library], Settings, Callable[[str], None]], list[Result]]


def _run(*arguments: str) -> subprocess.CompletedProcess:
    # Installed libraries have their bytecode on disk; a checkout writes its own at the first import, if it may.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return subprocess.run([sys.executable, *arguments], cwd=ROOT, env=environment, capture_output=True, text=True)


def _child(*arguments: str) -> dict:
    done = _run("-m", "benchmarks.process", *arguments)
    if done.returncode != 0:
        raise RuntimeError((done.stderr.strip().splitlines() or [f"exit status {done.returncode}"])[-1])
    return json.loads(done.stdout.splitlines()[-1])


def _alternate(results: list[Result], turns: int, sample: Callable[[Result], float], progress: Callable) -> None:
    """Fill the cells with `turns` samples each, in turns; a failing one says why and is left out."""
    for result in results:
        result.problem = libraries.missing(libraries.BY_KEY[result.library])
    samples: dict[int, list[float]] = {id(result): [] for result in results}
    for turn in range(turns):
        for result in results:
            if result.problem is None:
                progress(f"{result.workload}: {libraries.BY_KEY[result.library].label}, {turn + 1} of {turns}")
                try:
                    samples[id(result)].append(sample(result))
                except RuntimeError as error:
                    result.problem, result.wrong = str(error), "NotAvailable" not in str(error)
    for result in results:
        if result.problem is None:
            result.summarise(samples[id(result)])


def _import_command(result: Result) -> tuple[str, str]:
    return "-c", f"import {IMPORTS[result.library]}"


def import_time(chosen: list[Library], settings: Settings, progress: Callable[[str], None]) -> list[Result]:
    """Milliseconds of `python -c "import X"`, the interpreter's own start included."""

    def sample(result: Result) -> float:
        outcome: list[subprocess.CompletedProcess] = []
        seconds = timeit.timeit(lambda: outcome.append(_run(*_import_command(result))), number=1)
        if outcome[0].returncode != 0:
            raise RuntimeError((outcome[0].stderr.strip().splitlines() or ["import failed"])[-1])
        return seconds * 1e3

    results = [Result("import_time", library.key, None, "ms") for library in chosen if library.key in IMPORTS]
    # The first run reads the files from disk and writes their bytecode: it is made, and not counted.
    for result in results:
        if libraries.missing(libraries.BY_KEY[result.library]) is None:
            _run(*_import_command(result))
    _alternate(results, max(3, settings.rounds // 2), sample, progress)
    return results


def import_memory(chosen: list[Library], settings: Settings, progress: Callable[[str], None]) -> list[Result]:
    """MiB resident after `import X`."""
    results = [Result("import_memory", library.key, None, "MiB") for library in chosen if library.key in IMPORTS]
    _alternate(results, 3, lambda result: _child("import", IMPORTS[result.library])["resident"] / MIB, progress)
    return results


def _memory_cells(name: str, unit: str, chosen: list[Library]) -> list[Result]:
    keys = [library for library in chosen if library.key in MEMORY_LIBRARIES]
    return [Result(name, library.key, None if library.threads == "own" else 1, unit) for library in keys]


def peak_memory(workload: str) -> Callable[..., list[Result]]:
    """MiB that training needs at its peak, above what is resident when everything is loaded and ready to start."""

    def measure(chosen: list[Library], settings: Settings, progress: Callable[[str], None]) -> list[Result]:
        def sample(result: Result) -> float:
            figures = _child("peak", workload, result.library, str(settings.rounds))
            return (figures["peak"] - figures["before"]) / MIB

        name = f"memory_{workload}"
        results = _memory_cells(name, "MiB", chosen)
        _alternate(results, 3, sample, progress)
        return results

    return measure


def growth(workload: str, steps: int) -> Callable[..., list[Result]]:
    """KiB by which `steps` steps grow the process with the garbage collector off, after a tenth as many to settle."""

    def measure(chosen: list[Library], settings: Settings, progress: Callable[[str], None]) -> list[Result]:
        count = steps if settings.compiled else steps // 10

        def sample(result: Result) -> float:
            figures = _child("growth", workload, result.library, str(count))
            return figures["after"] - figures["before"]

        name = f"growth_{workload}"
        results = _memory_cells(name, "KiB", chosen)
        _alternate(results, 1, sample, progress)
        return results

    return measure


PROCESS_WORKLOADS = (
    ProcessWorkload("import_time", 'python -c "import X"', "ms", import_time),
    ProcessWorkload("import_memory", "resident memory after import X", "MiB", import_memory),
    ProcessWorkload("memory_mlp", "peak memory of mlp, above the start of training", "MiB", peak_memory("mlp")),
    ProcessWorkload("memory_elementwise", "peak memory of elementwise, likewise", "MiB", peak_memory("elementwise")),
    ProcessWorkload("growth_mlp", "memory growth of 1,000 steps of mlp, gc disabled", "KiB", growth("mlp", 1000)),
    ProcessWorkload(
        "growth_linear_regression", "memory growth of 1,000 steps of linear_regression, gc disabled", "KiB",
        growth("linear_regression", 1000),
    ),
)  # fmt: skip


# The child's side.


def status(field: str) -> int:
    """KiB of VmRSS (resident now) or VmHWM (its peak) of this process."""
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
    except OSError as error:
        raise NotAvailable("memory is read from /proc, which this system does not have") from error
    return next(int(line.split()[1]) for line in lines if line.startswith(field + ":"))


def reset_peak() -> bool:
    """Let VmHWM start again from what is resident now; False where the kernel does not allow it."""
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        return False
    return True


def give_back() -> None:
    """Return freed memory to the system: what an allocator keeps would hide as much of the peak that follows."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # glibc's
    if trim is not None:
        trim(0)


def _settled(workload: str, library: str):
    """A program ready to start, after a smaller one has made the library load its kernels and start its threads."""
    from .workloads import BY_NAME

    for name in ("linear_regression", "chain"):
        if name != workload:
            program = BY_NAME[name].make(library)
            for _ in range(3):
                program.step()
    return BY_NAME[workload].make(library)


def _import(module: str) -> dict:
    __import__(module)
    return {"resident": status("VmRSS")}


def _peak(workload: str, library: str, steps: str) -> dict:
    program = _settled(workload, library)
    gc.collect()
    status("VmRSS")  # NotAvailable where there is no /proc, before anything that needs Linux
    give_back()
    before = status("VmRSS")
    if not reset_peak():
        raise NotAvailable("the kernel does not let a process reset its peak memory (/proc/self/clear_refs)")
    for _ in range(int(steps)):
        program.step()
    return {"before": before, "peak": status("VmHWM")}


def _growth(workload: str, library: str, steps: str) -> dict:
    program = _settled(workload, library)
    gc.collect()
    gc.disable()
    for _ in range(max(10, int(steps) // 10)):
        program.step()
    before = status("VmRSS")
    for _ in range(int(steps)):
        program.step()
    return {"before": before, "after": status("VmRSS")}


def main(arguments: list[str]) -> None:
    kind, *rest = arguments
    if kind != "import":
        libraries.prepare()
        if rest[1].startswith("torch"):
            import torch

            torch.set_num_threads(1)
        else:
            from threadpoolctl import threadpool_limits

            threadpool_limits(1, user_api="blas")
    print(json.dumps({"import": _import, "peak": _peak, "growth": _growth}[kind](*rest)))


if __name__ == "__main__":
    main(sys.argv[1:])
