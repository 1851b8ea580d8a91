"""Ranges, fills and tensors of given numbers, against torch to the last bit."""

import warnings

import numpy as np
import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st

import minigrad

FLOATS = ["float16", "float32", "float64"]
DTYPES = [*FLOATS, "int8", "int16", "int32", "int64", "uint8"]


bounds = st.one_of(st.sampled_from([0, 1, -1, 3, 0.5]), st.floats(-6, 6, width=32), st.integers(-6, 6))
steps = st.one_of(st.sampled_from([0.1, 0.01, 0.3, 1, 2, -0.1, -1, 0]), st.floats(0.01, 2))


@settings(max_examples=400, deadline=None)
@given(bounds, bounds, steps, st.sampled_from(DTYPES))
@example(-1, 1, 0.1, "float32")  # torch counts eight at a time, and so prints -2.9802e-09 for the middle
@example(-1, 1, 0.1, "float64")
@example(0.5, 3.6, 0.7, "int64")
@example(2.5, 7, 1, "int64")
@example(2.5, 7, 1, "int32")
@example(0, 300, 0.1, "float16")
def test_arange(assert_same, start, stop, step, dtype):
    assert_same(lambda e: e.arange(start, stop, step, dtype=getattr(e, dtype)))


@settings(max_examples=200, deadline=None)
@given(bounds, bounds, steps, st.sampled_from(DTYPES))
def test_range(assert_same, start, stop, step, dtype):
    if dtype not in FLOATS:
        step = round(step) or 1  # torch's own divides by the step that it has cut to 0, and dies
    assert_same(lambda e: e.range(start, stop, step, dtype=getattr(e, dtype)))


def test_range_of_a_step_that_is_cut_to_zero():
    with pytest.raises(RuntimeError, match="step must be nonzero"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        minigrad.range(0, 5, 0.3, dtype=minigrad.int64)


@settings(max_examples=300, deadline=None)
@given(bounds, bounds, st.integers(0, 70), st.sampled_from(DTYPES))
@example(0, 1, 7, "float16")
@example(-5, 5, 7, "uint8")
@example(-0.7, 3, 1, "uint8")
@example(-300, 3, 0, "uint8")
@example(0, 3, 29, "float16")
@example(1.0, 1.3167754582370514e-22, 26, "float32")  # what double precision takes for a tie is none
def test_linspace(assert_same, start, stop, n, dtype):
    assert_same(lambda e: e.linspace(start, stop, n, dtype=getattr(e, dtype)))


@settings(max_examples=300, deadline=None)
@given(bounds, bounds, st.integers(0, 40), st.sampled_from(["float16", "float32", "int64", "int16"]))
@example(3, 3.5, 40, "int64")
@example(2, 0, 1, "int64")
@example(5, 0, 1, "float16")
@example(5, 0, 0, "float16")
def test_logspace(assert_same, start, stop, n, dtype):
    assert_same(lambda e: e.logspace(start, stop, n, dtype=getattr(e, dtype)))


@pytest.mark.parametrize("base", [10.0, 2.0, 0.5])
def test_logspace_of_doubles_is_within_an_ulp(base):
    """C's pow, which torch calls, and the one in extended precision, rounded, differ once in a few hundred."""
    ours = minigrad.logspace(-3, 4, 500, base, dtype=minigrad.float64).numpy()
    theirs = torch.logspace(-3, 4, 500, base, dtype=torch.float64).numpy()
    np.testing.assert_array_max_ulp(ours, theirs, 1)


VALUES = [-1, -1.5, -0.5, 0, 1.9, 127, 128, 200.0, 255, 255.5, 256.5, 300, -255, -256, -300, 70000, 65519.0, 1e10, 1e40,
          2**31, 2**63 - 1, float("inf"), float("-inf"), float("nan"), True]  # fmt: skip
FILLS = {
    "full": lambda e, value, d: e.full((2,), value, dtype=d),
    "full_like": lambda e, value, d: e.full_like(e.zeros(2, dtype=d), value),
    "new_full": lambda e, value, d: e.zeros(2, dtype=d).new_full((2,), value),
    "fill_": lambda e, value, d: e.zeros(2, dtype=d).fill_(value),
    "tensor": lambda e, value, d: e.tensor(value, dtype=d),
    "tensor of a list": lambda e, value, d: e.tensor([value, value], dtype=d),
    "scatter": lambda e, value, d: e.zeros(3, dtype=d).scatter(0, e.tensor([1]), value),
    "index_fill": lambda e, value, d: e.zeros(3, dtype=d).index_fill(0, e.tensor([-1]), value),
    "masked_fill": lambda e, value, d: e.zeros(2, dtype=d).masked_fill(e.tensor([True, False]), value),
}


@pytest.mark.parametrize("name", FILLS)
@pytest.mark.parametrize("dtype", [*DTYPES, "bool"])
def test_numbers_that_do_not_fit(assert_same, name, dtype):
    for value in VALUES:
        if not (isinstance(value, float) and dtype == "int64" and abs(value) >= 2**63):  # C leaves open what comes out
            assert_same(lambda e, value=value: FILLS[name](e, value, getattr(e, dtype)))


@pytest.mark.parametrize("value", [2**63, -(2**63) - 1])
@pytest.mark.parametrize("dtype", [None, "int32", "int64", "uint8"])
def test_integers_beyond_64_bits(assert_same, value, dtype):
    for wrapped in (value, [value]):
        assert_same(lambda e, x=wrapped: e.tensor(x, dtype=None if dtype is None else getattr(e, dtype)))


SHAPES = {
    "zeros of nothing": lambda e: e.zeros(),
    "ones of nothing": lambda e: e.ones(),
    "full of an int": lambda e: e.full(2, 1),
    "zeros of a Tensor": lambda e: e.zeros(e.tensor([2, 3])),
    "reshape to a Tensor": lambda e: e.zeros(6).reshape(e.tensor([2, 3])),
    "expand to a Tensor": lambda e: e.zeros(1, 1).expand(e.tensor([2, 3])),
    "repeat by a Tensor": lambda e: e.zeros(1, 1).repeat(e.tensor([2, 3])),
    "zeros of 0-d Tensors": lambda e: e.zeros(e.tensor(2), 3),
    "zeros of an empty tuple": lambda e: e.zeros(()),
    "a bool range": lambda e: e.arange(3, dtype=e.bool),
}


@pytest.mark.parametrize("name", SHAPES)
def test_shapes_given_in_odd_ways(assert_same, name):
    assert_same(SHAPES[name])


LAYOUTS = {
    "tensor of a transposed tensor": lambda e: e.tensor(e.arange(6.0).reshape(2, 3).t()),
    "tensor of an array in Fortran order": lambda e: e.tensor(np.asfortranarray(np.ones((2, 3)))),
    "tensor of every other column": lambda e: e.tensor(np.ones((4, 6))[:, ::2]),
    "tensor of a transposed array of other dtype": lambda e: e.tensor(np.ones((2, 3), np.int32).T, dtype=e.float32),
    "tensor of an expanded tensor": lambda e: e.tensor(e.ones(1).expand(3)),
    "full_like of a transposed tensor": lambda e: e.full_like(e.zeros(2, 3).t(), 2.0),
    "full_like of an expanded tensor": lambda e: e.full_like(e.zeros(1, 3).expand(2, 3), 2.0),
    "zeros_like of a transposed tensor": lambda e: e.zeros_like(e.zeros(2, 3).t()),
}


@pytest.mark.parametrize("name", LAYOUTS)
@pytest.mark.filterwarnings("ignore:To copy construct")
def test_how_a_copy_lies_in_memory(assert_same, name):
    assert LAYOUTS[name](minigrad).stride() == LAYOUTS[name](torch).stride()
    assert_same(LAYOUTS[name])


def test_asarray_that_may_not_copy(assert_same):
    assert_same(lambda e: e.asarray(e.ones(2), copy=False))
    assert_same(lambda e: e.asarray(e.ones(2), dtype=e.float64, copy=False))
    assert_same(lambda e: e.asarray([1, 2], copy=False))


def test_ranges_beyond_a_dtype_are_infinite_without_a_warning():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert minigrad.arange(0, 1e6, 3e4, dtype=minigrad.float16)[-1] == float("inf")
        assert minigrad.logspace(0, 30, 4, dtype=minigrad.float16)[-1] == float("inf")
        minigrad.linspace(-6e4, 6e4, 9, dtype=minigrad.float16)
        minigrad.logspace(-6e4, 6e4, 9, dtype=minigrad.float16)
        minigrad.linspace(-3e38, 3e38, 9)


@pytest.mark.parametrize("dtype", FLOATS[:2])
def test_steps_that_a_dtype_does_not_hold(dtype, assert_same):
    far = {"float16": 6e4, "float32": 3e38}[dtype]
    assert_same(lambda e: e.linspace(-far, far, 9, dtype=getattr(e, dtype)))
