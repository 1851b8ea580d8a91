"""Corners of reductions and of places given by index, against torch: nan, nothing to reduce, bad places."""

import math

import numpy as np
import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st

import minigrad

nan = math.nan


few = st.lists(st.sampled_from([nan, 1.0, 2.0, 3.0]), min_size=1, max_size=9)


@settings(max_examples=300, deadline=None)
@given(few)
@example([nan, 2.0, nan, 2.0, 1.0, 1.0])
@example([2.0, nan, 1.0])
def test_mode(assert_same, numbers):
    """Which nan is where decides what torch finds; among equals without nan any index is right to torch's documents."""
    if nan in numbers:
        assert_same(lambda e: tuple(e.tensor(numbers).mode()))
    else:
        assert_same(lambda e: e.tensor(numbers).mode().values)


@settings(max_examples=100, deadline=None)
@given(few)
def test_unique(assert_same, numbers):
    assert_same(lambda e: e.tensor(numbers).unique(return_inverse=True, return_counts=True))
    assert_same(lambda e: e.tensor(numbers).unique_consecutive(return_inverse=True, return_counts=True))


@pytest.mark.parametrize("dim", [0, 1])
@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
@pytest.mark.parametrize("scan", ["cumsum", "cumprod", "logcumsumexp"])
def test_scans_accumulate_in_a_wider_dtype(scan, dtype, dim):
    """Half precision in single, single in double; float64 has nothing wider, and so the bits of all are torch's."""

    def run(e):
        x = e.from_numpy(np.random.default_rng(0).normal(size=(60, 60))).to(getattr(e, dtype))
        return getattr(e, scan)(x, dim).numpy()

    ours, theirs = run(minigrad), run(torch)
    if (scan, dtype) == ("logcumsumexp", "float64"):  # whose logarithm and exponential are another library's
        np.testing.assert_allclose(ours, theirs, rtol=1e-14)
    else:
        np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize("dtype", ["uint8", "int8", "int32", "int64", "bool", "float16", "float64"])
def test_prod_has_the_dtype_named(assert_same, dtype):
    assert_same(lambda e: e.tensor([200, 2]).prod(dtype=getattr(e, dtype)))
    assert_same(lambda e: e.tensor([[200, 2], [3, 0]]).prod(1, dtype=getattr(e, dtype)))


CORNERS = {
    "mode of nothing": lambda e: e.zeros(0).mode(),
    "mode along an empty dim": lambda e: e.zeros(0, 3).mode(0),
    "mode of no rows": lambda e: tuple(e.zeros(0, 3).mode(1)),
    "unique rows of a number": lambda e: e.tensor(1.0).unique(dim=0),
    "median of no integers": lambda e: e.zeros(0, dtype=e.int64).median(),
    "median of no bytes": lambda e: e.zeros(0, dtype=e.uint8).median(),
    "diff of a number": lambda e: e.tensor(1.0).diff(),
    "diff after a number": lambda e: e.tensor([1.0]).diff(prepend=e.tensor(1.0)),
    "argmax of booleans": lambda e: e.tensor([True]).argmax(),
    "argmin of booleans": lambda e: e.tensor([True]).argmin(dim=0),
    "two ways to say Bessel": lambda e: e.zeros(3).std(unbiased=False, correction=0),
    "norm -1 of nothing": lambda e: e.zeros(0).norm(-1),
    "norm -1 along an empty dim": lambda e: e.zeros(0, 3).norm(-1, 1),
    "norm inf of nothing": lambda e: e.zeros(0).norm(math.inf),
    "norm 0 of nothing": lambda e: e.zeros(0).norm(0),
    "norm of integers as floats": lambda e: e.tensor([1, 2]).norm(dtype=e.float32),
    "count_nonzero along two dims": lambda e: e.ones(2, 3, 4).count_nonzero((0, 2)),
    "count_nonzero along two dims, one by one": lambda e: e.ones(2, 3, 4).count_nonzero(0, 2),
    "scatter_reduce of no such kind": lambda e: e.zeros(3).scatter_reduce(0, e.tensor([1]), e.ones(1), "foo"),
    "put of too few": lambda e: e.zeros(3).put(e.tensor([0, 1]), e.tensor([9.0])),
    "put at fractions": lambda e: e.zeros(3).put(e.tensor([1.0]), e.ones(1)),
    "take at fractions": lambda e: e.zeros(3).take(e.tensor([1.0])),
    "take at int32": lambda e: e.zeros(3).take(e.tensor([1], dtype=e.int32)),
    "index_copy of too few": lambda e: e.zeros(3).index_copy(0, e.tensor([0, 1]), e.ones(1)),
    "index_copy before the first": lambda e: e.zeros(3).index_copy(0, e.tensor([-1]), e.ones(1)),
    "index_copy of other slices": lambda e: e.zeros(3, 2).index_copy(0, e.tensor([1]), e.ones(1, 3)),
    "index_copy of fewer dims": lambda e: e.zeros(3, 2).index_copy(0, e.tensor([1]), e.ones(2)),
    "index_copy of a number": lambda e: e.zeros(3).index_copy(0, e.tensor([1]), e.tensor(2.0)),
    "index_copy into a number": lambda e: e.tensor(3.0).index_copy(0, e.tensor(0), e.tensor(2.0)),
    "index_copy at fractions": lambda e: e.zeros(3).index_copy(0, e.tensor([1.0]), e.ones(1)),
    "index_fill from the end": lambda e: e.zeros(3).index_fill(0, e.tensor([-1, 0]), 7),
    "index_fill beyond the end": lambda e: e.zeros(3).index_fill(0, e.tensor([-4]), 7),
    "index_fill of a number": lambda e: e.tensor(3.0).index_fill(0, e.tensor([-1]), 7),
    "index_fill with a vector": lambda e: e.zeros(3).index_fill(0, e.tensor([1]), e.ones(1)),
    "index_fill at int32": lambda e: e.zeros(3).index_fill(0, e.tensor([1], dtype=e.int32), 1),
}


@pytest.mark.parametrize("name", CORNERS)
def test_corners(assert_same, name):
    assert_same(CORNERS[name])


def test_the_mean_of_more_than_half_precision_counts_has_a_gradient():
    grads = []
    for e in (minigrad, torch):
        x = e.ones(70000, dtype=e.float16, requires_grad=True)
        (x.mean() * 7).backward()
        grads.append(x.grad.numpy())
    np.testing.assert_array_equal(*grads)
    assert (grads[0] != 0).all()
