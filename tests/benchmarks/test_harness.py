"""The harness checks, then times, and says why where it does not; no test asserts how long anything takes."""

import gc
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from benchmarks import harness, machine
from benchmarks.harness import Settings
from benchmarks.libraries import BY_KEY, all_cores, missing, thread_counts
from benchmarks.workload import NotAvailable, Program, Workload

TINY = Settings(rounds=3, block=0.0002, budget=0.05, compiled=False)


@pytest.fixture(autouse=True)
def machine_limits(monkeypatch):
    """A machine without limits, so that the sanity check neither measures nor strikes."""
    monkeypatch.setattr("benchmarks.sanity.flop_rate", lambda again: 1e30)
    monkeypatch.setattr("benchmarks.sanity.bandwidth_for", lambda size, again: 1e30)


def workload(**programs):
    """A workload whose programs add a number to a parameter at each step: {library: number}."""
    made = Workload("w", "", lambda check: SimpleNamespace(), ops=1, flops=1, bytes=1)

    def maker(data, library):
        amount = programs[library.replace("-", "_")]
        if isinstance(amount, Exception):
            raise amount
        parameter = np.zeros(3, np.float32)

        def step():
            parameter[...] += amount

        return Program(step, lambda: [parameter])

    for library in programs:
        made.program(library.replace("_", "-"))(maker)
    return made


def measure(made, *keys):
    return {r.library: r for r in harness.measure(made, [BY_KEY[key] for key in keys], TINY)}


def test_what_agrees_is_timed_with_its_spread():
    found = measure(workload(numpy=1, numpy_out=1), "numpy", "numpy-out")
    for result in found.values():
        assert result.problem is None
        assert result.blocks == 3
        assert 0 < result.q1 <= result.median <= result.q3
        assert result.threads == 1


def test_what_disagrees_is_reported_and_not_timed():
    result = measure(workload(numpy=1, numpy_out=2), "numpy", "numpy-out")["numpy-out"]
    assert result.problem.startswith("wrong result: result 0 is off by 3")
    assert result.wrong
    assert result.median is None


def test_not_available_is_a_cell_and_no_failure():
    result = measure(workload(numpy=1, numpy_out=NotAvailable("no buffers")), "numpy", "numpy-out")["numpy-out"]
    assert (result.problem, result.wrong, result.median) == ("no buffers", False, None)


def test_a_peer_that_raises_is_a_cell():
    result = measure(workload(numpy=1, numpy_out=KeyError("boom")), "numpy", "numpy-out")["numpy-out"]
    assert (result.problem, result.wrong) == ("KeyError: 'boom'", True)


def test_a_step_that_fails_late_keeps_the_others():
    steps = []

    def failing(data, library):
        def step():
            steps.append(1)
            if len(steps) > 20:
                raise MemoryError("full")

        return Program(step, lambda: [np.float32(len(steps))])

    made = workload(numpy=1)
    made.programs["numpy"] = lambda data, library: Program(lambda: None, lambda: [np.float32(3)])
    made.programs["numpy-out"] = failing
    found = measure(made, "numpy", "numpy-out")
    assert found["numpy-out"].problem == "MemoryError: full"
    assert found["numpy"].median is not None


def test_a_time_that_beats_the_machine_is_impossible(monkeypatch):
    monkeypatch.setattr("benchmarks.sanity.flop_rate", lambda again: 1e-6)
    result = measure(workload(numpy=1), "numpy")["numpy"]
    assert result.problem.startswith("impossible: ")


def test_the_machine_is_measured_again_before_a_result_is_impossible(monkeypatch):
    rates = iter([1e-6, 1e30])
    monkeypatch.setattr("benchmarks.sanity.flop_rate", lambda again: next(rates))
    assert measure(workload(numpy=1), "numpy")["numpy"].problem is None


def test_a_limit_measured_again_keeps_the_best(monkeypatch):
    rates = iter([5.0, 3.0, 7.0])
    monkeypatch.setattr(machine, "_flop_rate", lambda: next(rates))
    monkeypatch.setattr(machine, "_measured", {})
    assert [machine.flop_rate(), machine.flop_rate(), machine.flop_rate(again=True), machine.flop_rate(again=True)] == [
        5.0, 5.0, 5.0, 7.0,
    ]  # fmt: skip


def test_the_collector_runs_while_timing_and_is_as_before_afterwards():
    seen = []
    made = workload(numpy=1)
    made.programs["numpy"] = lambda data, library: Program(lambda: seen.append(gc.isenabled()), lambda: [np.float32(1)])
    before = gc.isenabled(), gc.get_freeze_count()
    measure(made, "numpy")
    assert all(seen)
    assert (gc.isenabled(), gc.get_freeze_count()) == before


def test_a_disturbed_block_is_timed_again_and_the_quietest_is_taken(monkeypatch):
    waits = iter([0.0, 0.5, 0.5, 0.6, 0.6, 0.9])
    monkeypatch.setattr(harness, "waited", lambda alone: next(waits))
    monkeypatch.setattr(harness, "PAUSE", 0)
    times = iter([1.0, 2.0, 3.0])
    assert harness.undisturbed(lambda: next(times), tries=3, alone=True) == (2.0, True)


def test_a_quiet_block_is_timed_once(monkeypatch):
    monkeypatch.setattr(harness, "waited", lambda alone: 0.0)
    times = iter([1.0])
    assert harness.undisturbed(lambda: next(times), tries=3, alone=True) == (1.0, False)


def test_without_a_scheduler_to_ask_a_block_counts_as_it_is(monkeypatch):
    monkeypatch.setattr(harness, "Path", lambda path: Path("/no/such/folder"))
    for alone in (True, False):
        assert harness.waited(alone) is None
        assert harness.undisturbed(lambda: 1.0, tries=3, alone=alone) == (1.0, False)


def test_threads_are_pinned_around_a_block_and_restored():
    import torch
    from threadpoolctl import threadpool_info

    def blas():
        return {pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"}

    before = torch.get_num_threads(), blas()
    with harness.Threads().pinned(1):
        assert torch.get_num_threads() == 1
        assert blas() == {1}
    assert (torch.get_num_threads(), blas()) == before


def test_thread_counts():
    cores = all_cores()
    both = [1] if cores == 1 else [1, cores]
    assert thread_counts(BY_KEY["torch"], threaded=False) == both
    assert thread_counts(BY_KEY["minigrad"], threaded=True) == both
    assert thread_counts(BY_KEY["minigrad"], threaded=False) == [1]
    assert thread_counts(BY_KEY["mygrad"], threaded=True) == [cores]
    assert thread_counts(BY_KEY["jax"], threaded=True) == [None]


def test_a_library_that_is_not_installed_names_its_extra(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "mygrad", None)
    assert missing(BY_KEY["mygrad"]) == 'not available: mygrad is not installed: python -m pip install -e ".[peers]"'


def test_cuda_columns_say_why_they_are_empty(monkeypatch):
    import torch

    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    for key in ("torch-cuda", "torch-cuda-graph", "minigrad-cuda"):
        assert missing(BY_KEY[key]) == "not available: torch.cuda.is_available() is False"


def test_the_machine_block_names_processor_blas_and_versions():
    block = machine.block()
    assert block["processor"]
    assert block["cores"] == all_cores()
    assert block["blas"]
    assert block["versions"]["numpy"] == np.__version__


def test_bandwidth_is_that_of_the_largest_measured_size_not_above(monkeypatch):
    monkeypatch.setattr(machine, "bandwidth", lambda size, again: size)
    assert machine.bandwidth_for(10) == machine.SIZES[0]
    assert machine.bandwidth_for(machine.SIZES[1] + 1) == machine.SIZES[1]
    assert machine.bandwidth_for(1e12) == machine.SIZES[-1]
