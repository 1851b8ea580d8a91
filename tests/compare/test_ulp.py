"""Distances in ulps, and bounds that tell one rounding too many from a few."""

from __future__ import annotations

import numpy as np
import pytest

from compare import ulp

DTYPES = [np.float16, np.float32, np.float64]


@pytest.mark.parametrize("dtype", DTYPES)
def test_neighbours_are_one_ulp_apart(dtype: type) -> None:
    for value in (1.0, -1.0, 0.0, 1e-5, 3.25, -1e4):
        x = np.array([value], dtype)
        up = np.nextafter(x, np.array(np.inf, dtype))
        assert ulp.distance(x, up).tolist() == [1.0]
        assert ulp.distance(up, x).tolist() == [1.0]
        assert ulp.distance(x, np.nextafter(up, np.array(np.inf, dtype))).tolist() == [2.0]


@pytest.mark.parametrize("dtype", DTYPES)
def test_across_zero_every_subnormal_counts(dtype: type) -> None:
    tiny = np.finfo(dtype).smallest_subnormal
    assert ulp.distance(np.array([-tiny], dtype), np.array([tiny], dtype)).tolist() == [2.0]


def test_opposite_extremes_of_float64_do_not_wrap() -> None:
    largest = np.finfo(np.float64).max
    assert ulp.distance(np.array([-largest]), np.array([largest]))[0] > 1.8e19


@pytest.mark.parametrize("dtype", DTYPES)
def test_nan_and_inf(dtype: type) -> None:
    a = np.array([np.nan, np.nan, np.inf, np.inf, -np.inf, np.inf], dtype)
    b = np.array([np.nan, 1.0, np.inf, -np.inf, -np.inf, np.finfo(dtype).max], dtype)
    assert ulp.distance(a, b).tolist() == [0, np.inf, 0, np.inf, 0, np.inf]


def test_signed_zeros_differ_only_where_asked() -> None:
    a, b = np.array([0.0, -0.0]), np.array([-0.0, -0.0])
    assert ulp.distance(a, b).tolist() == [0, 0]
    assert ulp.distance(a, b, signs=True).tolist() == [np.inf, 0]


def test_integers_and_bools_are_equal_or_not() -> None:
    assert ulp.distance(np.array([1, 2]), np.array([1, 3])).tolist() == [0, np.inf]
    assert ulp.distance(np.array([True]), np.array([False])).tolist() == [np.inf]


def test_a_scalar_keeps_its_shape() -> None:
    assert ulp.distance(np.array(1.0), np.array(1.0)).shape == ()


def test_a_sum_is_judged_by_its_terms_not_by_its_result() -> None:
    # 1e8 + 1 - 1e8 in two orders: far apart in ulps of the result, within eps of the terms
    a, b = np.array([0.0], np.float32), np.array([1.0], np.float32)
    assert ulp.within(a, b, ulp.REDUCE)[1].tolist() == [True]
    assert ulp.within(a, b, ulp.REDUCE, np.array([2e8]))[1].tolist() == [False]
    assert ulp.within(a, b, ulp.REDUCE, np.array([1.0]))[1].tolist() == [True]


def test_exact_bounds_do_not_bend() -> None:
    a = np.array([1.0], np.float32)
    b = np.nextafter(a, np.float32(2))
    assert ulp.within(a, b, ulp.EXACT, np.array([1e9]))[1].tolist() == [True]
    assert ulp.within(a, b, ulp.ARITHMETIC)[1].tolist() == [False]


def test_a_nan_is_never_excused_by_a_scale() -> None:
    a, b = np.array([np.nan]), np.array([1.0])
    assert ulp.within(a, b, ulp.REDUCE, np.array([np.inf]))[1].tolist() == [True]


def test_every_bound_states_its_reason() -> None:
    bounds = [b for b in vars(ulp).values() if isinstance(b, ulp.Bound)]
    assert len(bounds) >= 8
    assert all(len(b.reason) > 30 for b in bounds)
