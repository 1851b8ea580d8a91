"""For every test: torch on one thread, because two cores shared with other work make its thread pool crawl; and
`assert_same`, which runs a piece of code on both engines."""

import warnings

import numpy as np
import pytest
import torch

import minigrad

torch.set_num_threads(1)


def outcome(engine, run):
    """dtype, shape and numbers of each tensor that comes out, or the exception."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            result = run(engine)
        except (RuntimeError, TypeError, ValueError, IndexError, OverflowError) as error:
            return error
    tensors = result if isinstance(result, tuple) else (result,)
    return [(str(t.dtype), tuple(t.shape), t.numpy().tolist()) for t in tensors]


@pytest.fixture(scope="session")  # for tests that hypothesis runs many times
def assert_same():
    """Asserts that `run(engine)` gives the same on both: tensors to the last bit (any nan is a nan, -0 is 0), or an
    exception of one class, ours beginning with torch's words."""

    def assert_same(run):
        ours, theirs = outcome(minigrad, run), outcome(torch, run)
        if isinstance(theirs, Exception):
            assert type(ours) is type(theirs), ours
            assert str(ours).startswith(str(theirs).split("\n")[0].rstrip(".")[:40])
        else:
            np.testing.assert_equal(ours, theirs)

    return assert_same
