"""Programs are compared before they are timed, and the comparison can fail."""

import numpy as np
import pytest

from benchmarks.workload import NotAvailable, Program, Workload, WrongResult, compare, snapshot
from benchmarks.workloads import WORKLOADS

START, AFTER = [np.array([1.0, 2.0])], [np.array([1.001, 2.002])]


def test_equal_results_pass():
    compare(START, AFTER, [AFTER[0] + 1e-7], rtol=1e-3)


def test_a_parameter_that_never_moved_is_found_though_its_value_is_close():
    with pytest.raises(WrongResult, match="result 0 is off by 0.002"):
        compare(START, AFTER, START, rtol=1e-3)


@pytest.mark.parametrize(
    ("result", "says"),
    [
        ([], "0 results, expected 1"),
        ([None], "result 0 is None"),
        ([np.ones(3)], r"shape \(3,\), expected \(2,\)"),
        ([np.array([np.nan, 1.0])], "not finite"),
    ],
)
def test_other_failures_say_what_is_wrong(result, says):
    with pytest.raises(WrongResult, match=says):
        compare(START, AFTER, result, rtol=1e-3)


def test_one_number_may_have_any_shape():
    compare([None], [np.array(2.0)], [np.array([[2.0]])], rtol=1e-3)


def test_snapshot_copies():
    weight = np.ones(2)
    kept = snapshot(Program(lambda: None, lambda: [weight, None]))
    weight += 1
    assert kept[0].tolist() == [1, 1]
    assert kept[1] is None


def test_two_programs_of_one_library_are_refused():
    workload = Workload("w", "", lambda check: None, ops=1, flops=1, bytes=1)
    workload.program("numpy")(lambda data, library: None)
    with pytest.raises(ValueError, match="w: numpy has two programs"):
        workload.program("numpy")(lambda data, library: None)


def test_a_library_without_a_program_is_not_available():
    with pytest.raises(NotAvailable):
        Workload("w", "", lambda check: None, ops=1, flops=1, bytes=1).make("numpy")


@pytest.mark.parametrize("workload", WORKLOADS, ids=lambda workload: workload.name)
@pytest.mark.parametrize("library", ["numpy-out", "torch", "minigrad"])
def test_programs_compute_what_numpy_by_hand_computes(workload, library):
    if workload.ops > 1000 or workload.name == "elementwise":
        pytest.skip("the same program at a smaller size is tested, or the benchmark itself checks it")
    reference = workload.make("numpy", check=True)
    before = snapshot(reference)
    program = workload.make(library, check=True)
    for _ in range(workload.check_steps):
        reference.step()
        program.step()
    compare(before, snapshot(reference), snapshot(program), workload.rtol)
