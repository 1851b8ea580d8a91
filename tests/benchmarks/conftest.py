"""A report made by hand, for the tests of everything that reads reports."""

import pytest

from benchmarks import results


def make_report(**medians):
    """{"workload__library": median} as a report; quartiles 1 % around."""
    cells = []
    for name, median in medians.items():
        workload, library = name.split("__")
        cells.append(
            dict(workload=workload, library=library.replace("_", "-"), threads=1, unit="us", median=median,
                 q1=median * 0.99, q3=median * 1.01, problem=None)
        )  # fmt: skip
    return {"format": results.FORMAT, "machine": {"processor": "P", "blas": [], "versions": {}}, "results": cells}


@pytest.fixture
def report():
    return make_report
