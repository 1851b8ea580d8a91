"""Where the NumPy namespace goes a faster way than NumPy's own function: the same bits."""

import numpy as np
import pytest

from minigrad.namespace import MANY, NumPy

RANDOM = np.random.default_rng(0)


def numbers(dtype, n):
    x = RANDOM.standard_normal(n) * 10
    if np.dtype(dtype).kind == "f":
        x[:3] = np.nan, -0.0, np.inf
    return x.astype(dtype)


SIDES = {
    "arrays": lambda x, y: (x, y),
    "zero right": lambda x, y: (x, 0),
    "zero left": lambda x, y: (0, x),
    "float zero": lambda x, y: (x, 0.0),
    "negative zero": lambda x, y: (-0.0, x),
    "a number": lambda x, y: (x, 1.5),
    "numbers": lambda x, y: (1.5, 2),
    "a NumPy number": lambda x, y: (x.dtype.type(3), y),
    "0-d": lambda x, y: (x, np.array(3, y.dtype)),
    "backwards": lambda x, y: (x[::-1], y),
    "broadcast": lambda x, y: (x[:1], y),
    "a dim more": lambda x, y: (x[None], y),
    "other dtype": lambda x, y: (x, y.astype(np.float64)),
}


@pytest.mark.parametrize("n", [3, 2 * MANY])
@pytest.mark.parametrize("dtype", ["f2", "f4", "f8", "i4", "i8"])
@pytest.mark.parametrize("sides", SIDES)
def test_where(sides, dtype, n):
    condition = RANDOM.integers(2, size=n).astype(bool)
    a, b = SIDES[sides](numbers(dtype, n), numbers(dtype, n))
    ours, theirs = NumPy.where(condition, a, b), np.where(condition, a, b)
    assert ours.dtype == theirs.dtype and ours.shape == theirs.shape and ours.tobytes() == theirs.tobytes()


@pytest.mark.parametrize(
    ("shape", "index_shape"),
    [
        ((5,), (7,)),
        ((4, 5), (4, 5)),
        ((4, 5), (3, 2)),
        ((2, 3, 4), (2, 3, 4)),
        ((2, 3, 4), (1, 2, 3)),
        ((4, 5), (0, 5)),
    ],
)
@pytest.mark.parametrize("turned", [False, True])
def test_gather_and_scatter_along_every_axis(shape, index_shape, turned):
    for axis in range(len(shape)):
        x = numbers("f8", int(np.prod(shape))).reshape(shape)
        if turned:
            x = np.ascontiguousarray(x.T).T
        x[~np.isfinite(x)] = 0
        wide = tuple(n if i == axis else min(n, shape[i]) for i, n in enumerate(index_shape))
        index = RANDOM.integers(shape[axis], size=wide)
        places = list(np.ogrid[tuple(slice(n) for n in wide)])
        places[axis] = index
        src = numbers("f8", int(np.prod(shape)) + 60)[3:][: int(np.prod(wide))].reshape(wide)
        assert np.array_equal(NumPy.gather(x, axis, index), x[tuple(places)])
        added = np.array(x)
        np.add.at(added, tuple(places), src)
        assert np.array_equal(NumPy.scatter_add(x, src, axis, index), added)
        summed = np.zeros(shape)
        np.add.at(summed, tuple(places), src)
        assert np.array_equal(NumPy.gather_adjoint(src, shape, axis, index), summed)
        written = NumPy.scatter(x, src, axis, index)
        left = np.ones(shape, bool)
        left[tuple(places)] = False
        assert np.array_equal(written[left], x[left]) and np.isin(written[~left], src).all()


@pytest.mark.parametrize("shape", [(6,), (6, 4), (6, 2, 3)])
@pytest.mark.parametrize("rows", [[1, 1, 5], [[0, -1], [-6, 2]], []])
def test_the_adjoint_of_rows(shape, rows):
    rows = np.array(rows, np.int64)
    x = numbers("f4", 3 + rows.size * int(np.prod(shape[1:])))[3:].reshape(rows.shape + shape[1:])
    expected = np.zeros(shape, np.float32)
    np.add.at(expected, (rows,), x)
    assert np.array_equal(NumPy.index_adjoint(x, shape, (rows,)), expected)


@pytest.mark.parametrize("byte", [1, 2, 255])
@pytest.mark.parametrize("n", [3, 2 * MANY])
def test_any_byte_of_a_mask_but_zero_is_true(assert_same, byte, n):
    def run(e):
        mask = e.full((n,), byte, dtype=e.uint8).view(e.bool)
        a, b = e.full((n,), 1.1), e.full((n,), -2.3)
        return e.where(mask, a, b), e.where(mask, 0.0, b), e.where(mask, a, 0.0), a.masked_fill(mask, 0.0)

    assert_same(run)
