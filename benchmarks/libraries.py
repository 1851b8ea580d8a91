"""The columns: which libraries are compared, what each needs, and with how many threads it is measured.

Knows how to tell whether a library can run here and why not; knows nothing of workloads and clocks.
"""

from __future__ import annotations

import importlib
import os
from dataclasses import dataclass
from types import ModuleType


@dataclass(frozen=True)
class Library:
    """One way of running a workload. `threads`: "both" (1 and all), "one-or-all" (all where it matters), "own" pool."""

    key: str
    label: str
    module: str
    extra: str
    threads: str = "one-or-all"
    device: str = "cpu"
    compiled: bool = False  # takes seconds to compile: left out of --quick


LIBRARIES = (
    Library("numpy", "NumPy by hand", "numpy", "", "both"),
    Library("numpy-out", "NumPy by hand, out= buffers", "numpy", "", "both"),
    Library("minigrad", "minigrad", "minigrad", "", "both"),
    Library("minigrad-traced", "minigrad, traced", "minigrad", "", "one-or-all"),
    Library("torch", "torch eager", "torch", "bench", "both"),
    Library("torch-compile", "torch.compile, whole step", "torch", "bench", compiled=True),
    Library("mygrad", "MyGrad", "mygrad", "peers"),
    Library("mygrad-unguarded", "MyGrad, memory guard off", "mygrad", "peers"),
    Library("autograd", "autograd (HIPS)", "autograd", "peers"),
    Library("tinygrad", "tinygrad", "tinygrad", "peers", "own"),
    Library("tinygrad-jit", "tinygrad, TinyJit", "tinygrad", "peers", "own", compiled=True),
    Library("jax", "jax", "jax", "peers", "own"),
    Library("jax-jit", "jax, jit of the whole step", "jax", "peers", "own", compiled=True),
    Library("micrograd", "micrograd", "micrograd", "peers", "own"),
    Library("torch-cuda", "torch eager, CUDA", "torch", "bench", "own", "cuda"),
    Library("torch-cuda-graph", "torch, CUDA graph", "torch", "bench", "own", "cuda"),
    Library("minigrad-cuda", "minigrad on torch arrays, CUDA", "minigrad", "bench", "own", "cuda"),
)
BY_KEY = {library.key: library for library in LIBRARIES}

# Built on NumPy (micrograd: on Python floats), as minigrad is: the peers that it is to beat on every workload.
NUMPY_PEERS = ("mygrad", "mygrad-unguarded", "autograd", "micrograd")


def all_cores() -> int:
    """Cores that this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # macOS and Windows have no affinity
        return os.cpu_count() or 1


def thread_counts(library: Library, threaded: bool) -> list[int | None]:
    """Thread counts to measure `library` with; None where it keeps a pool of its own that cannot be pinned here."""
    cores = all_cores()
    if library.threads == "own":
        return [None]
    if library.key == "torch" or (library.threads == "both" and threaded):
        return [1] if cores == 1 else [1, cores]
    return [cores if threaded else 1]


def prepare() -> None:
    """Keep jax and tinygrad on the CPU; must run before either is imported. The user's own setting wins."""
    os.environ.setdefault("JAX_PLATFORMS", "cpu")
    os.environ.setdefault("DEV", "CPU")


def missing(library: Library) -> str | None:
    """Why `library` cannot run here, with the remedy; None if it can."""
    try:
        module = importlib.import_module(library.module)
    except ImportError as error:
        remedy = f': python -m pip install -e ".[{library.extra}]"' if library.extra else ""
        name = getattr(error, "name", None) or library.module
        return f"not available: {name} is not installed{remedy}"
    if library.device == "cuda":
        return _missing_cuda(library, module)
    return None


def _missing_cuda(library: Library, module: ModuleType) -> str | None:
    try:
        torch = importlib.import_module("torch")
    except ImportError:
        return 'not available: torch is not installed: python -m pip install -e ".[bench]"'
    if not torch.cuda.is_available():
        return "not available: torch.cuda.is_available() is False"
    if library.key == "minigrad-cuda":
        try:
            module.ones(1, device="cuda") + 1
        except (RuntimeError, TypeError, ValueError, NotImplementedError, AttributeError) as error:
            return f"not available: minigrad has no CUDA device ({type(error).__name__}: {error})"
    return None


def engine(library: str) -> tuple[ModuleType, str]:
    """The torch-like module behind a key, and the device its tensors are to live on."""
    entry = BY_KEY[library]
    return importlib.import_module(entry.module), entry.device
