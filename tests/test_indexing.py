"""Reading and writing by index against torch, with random indices of every kind, and their gradients."""

import warnings

import numpy as np
import pytest
import torch

import minigrad

SHAPES = [(), (4,), (3, 4), (2, 3, 4), (2, 0, 3), (1, 3, 2, 2)]


def as_engine(e, index):
    """The index with arrays as the engine's tensors."""
    if isinstance(index, tuple):
        return tuple(as_engine(e, i) for i in index)
    if isinstance(index, np.ndarray):
        return e.tensor(index)
    return index


def outcome(e, function):
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return function(e)
    except (IndexError, RuntimeError, TypeError, ValueError, OverflowError) as error:
        return type(error).__name__


def read(e, array, index):
    x = e.tensor(array, requires_grad=True)
    out = x[as_engine(e, index)]
    cotangent = np.random.default_rng(1).standard_normal(tuple(out.shape))
    (g,) = e.autograd.grad(out, x, e.tensor(cotangent), create_graph=True)
    (h,) = e.autograd.grad((out * out * out).sum(), x)
    shares = x.detach().numpy().size and np.shares_memory(x.detach().numpy(), out.detach().numpy())
    return out.tolist(), tuple(out.shape), g.tolist(), h.tolist(), bool(shares)


def write(e, array, index, value, recorded):
    x = e.tensor(array, requires_grad=recorded)
    v = e.tensor(value, requires_grad=True) if isinstance(value, np.ndarray) and recorded else value
    if isinstance(value, np.ndarray) and not recorded:
        v = e.tensor(value)
    y = x * 1
    y[as_engine(e, index)] = v
    if not recorded:
        return (y.tolist(),)
    (y * y).sum().backward()
    grad = None
    if isinstance(value, np.ndarray):  # x[False] = v leaves v without a gradient in torch
        grad = (e.zeros(v.shape, dtype=v.dtype) if v.grad is None else v.grad).tolist()
    return y.tolist(), x.grad.tolist(), grad


def random_item(random, n, size):
    """One index for a dim of n elements."""
    kind = random.integers(9)
    if kind == 0 and n:
        return int(random.integers(-n, n))
    if kind in (1, 2):
        ends = [None, *range(-n - 1, n + 2)]
        start, stop = (ends[random.integers(len(ends))] for _ in range(2))
        return slice(start, stop, [None, 1, 2, 3][random.integers(4)])
    if kind == 3:
        return random.integers(2, size=n).astype(bool)
    if kind in (4, 5) and n:
        return random.integers(-n, n, size=size)
    if kind == 6 and n:
        return random.integers(-n, n, size=(2, size) if random.random() < 0.5 else ()).astype(np.int64)
    if kind == 7 and n:
        return [int(i) for i in random.integers(-n, n, size=size)]
    return slice(None)


def random_index(seed):
    random = np.random.default_rng(seed)
    shape = SHAPES[random.integers(len(SHAPES))]
    size = int(random.integers(1, 4))
    count = int(random.integers(len(shape) + 1))
    items = [random_item(random, n, size) for n in shape[:count]]
    if items and random.random() < 0.1 and len(shape) >= 2:
        items[:2] = [random.integers(2, size=shape[:2]).astype(bool)]
    if random.random() < 0.3:
        place = int(random.integers(len(items) + 1))
        kept = items[:place]
        used = sum(i.ndim if isinstance(i, np.ndarray) and i.dtype == bool else 1 for i in kept)
        tail = [random_item(random, n, size) for n in shape[::-1][: int(random.integers(len(shape) - used + 1))]][::-1]
        items = [*kept, Ellipsis, *tail]
    for _ in range(2):
        if random.random() < 0.2:
            items.insert(int(random.integers(len(items) + 1)), None)
    if random.random() < 0.05:
        items.insert(int(random.integers(len(items) + 1)), bool(random.integers(2)))
    index = tuple(items)
    return random.standard_normal(shape), index[0] if len(index) == 1 and random.random() < 0.7 else index


BLOCKS = range(0, 600, 60)


def same(a, b):
    if type(a) is tuple and type(b) is tuple and len(a) == len(b):
        return all(same(x, y) for x, y in zip(a, b))
    if isinstance(a, (list, float)) and isinstance(b, (list, float)):
        return np.shape(a) == np.shape(b) and np.allclose(a, b, rtol=1e-12, atol=1e-14)
    return a == b


@pytest.mark.parametrize("block", BLOCKS)
def test_reading(block):
    for seed in range(block, block + 60):
        array, index = random_index(seed)
        ours, theirs = (outcome(e, lambda e: read(e, array, index)) for e in (minigrad, torch))  # noqa: B023
        assert same(ours, theirs), f"seed {seed}: x{array.shape}[{index}]\nminigrad {ours}\ntorch {theirs}"


@pytest.mark.parametrize("recorded", [False, True])
@pytest.mark.parametrize("block", BLOCKS)
def test_writing(block, recorded):
    for seed in range(block, block + 60):
        array, index = random_index(seed)
        shape = outcome(torch, lambda e: tuple(e.tensor(array)[as_engine(e, index)].shape))  # noqa: B023
        if isinstance(shape, str):
            continue
        if not isinstance(index, tuple) or not any(isinstance(i, (np.ndarray, list)) for i in index):
            places = np.zeros(0)
        else:  # where an element is written twice, which write is last is nobody's promise
            places = torch.arange(array.size).reshape(array.shape)[as_engine(torch, index)].numpy().reshape(-1)
        if isinstance(index, (np.ndarray, list)):
            places = torch.arange(array.size).reshape(array.shape)[as_engine(torch, index)].numpy().reshape(-1)
        random = np.random.default_rng(seed)
        values = [2.5, random.standard_normal(()), random.standard_normal((1,))]
        if len(np.unique(places)) == len(places):
            values.append(random.standard_normal(shape))
            if len(shape) > 1:
                values.append(random.standard_normal(shape[1:]))
        for value in values:
            ours, theirs = (outcome(e, lambda e: write(e, array, index, value, recorded)) for e in (minigrad, torch))  # noqa: B023
            assert same(ours, theirs), (
                f"seed {seed}: x{array.shape}[{index}] = {np.shape(value)}\nminigrad {ours}\ntorch {theirs}"
            )


ODD = {
    "a list of lists": [[0, 1], [1, 0]],
    "a tuple in a list": [(0, 1), (1, 0)],
    "a list of booleans": [True, False, True],
    "an empty list": [],
    "an empty tuple": (),
    "uint8 as a mask": np.array([1, 0, 1], np.uint8),
    "int32": np.array([1, 0], np.int32),
    "int16": np.array([1, 0], np.int16),
    "a 0-d tensor": np.array(1),
    "a 0-d mask": np.array(True),
    "True": True,
    "False": False,
    "a mask and an int": (np.array([True, False, True]), 1),
    "a mask and a mask": (np.array([True, False, True]), np.array([True, False, True, False])),
    "two masks that do not match": (np.array([True, True, True]), np.array([True, False, True, False])),
    "separated": (np.array([0, 1]), slice(None), None, 1),
    "separated by None": (np.array([0, 1]), None, np.array([1, 2])),
    "an ellipsis between": (np.array([0, 1]), Ellipsis, np.array([1, 2])),
    "numpy ints": (np.int64(1), np.int32(2)),
    "a negative step": slice(None, None, -1),
    "a step of zero": slice(None, None, 0),
    "a float": 1.0,
    "a string": "a",
    "too many": (0, 0, 0),
    "out of range": 3,
    "out of range below": -4,
    "list out of range": [0, 3],
    "a slice of floats": slice(0.5, 2),
    "a slice of tensors": slice(np.array(0), np.array(2)),
    "range": range(2),
    "a huge slice": slice(-(10**12), 10**12),
}


@pytest.mark.parametrize("name", ODD)
def test_odd_indices(name):
    array, index = np.arange(12.0).reshape(3, 4), ODD[name]
    if isinstance(index, slice) and isinstance(index.start, np.ndarray):
        ours, theirs = (
            outcome(e, lambda e: read(e, array, slice(e.tensor(0), e.tensor(2)))) for e in (minigrad, torch)
        )
    else:
        ours, theirs = (outcome(e, lambda e: read(e, array, index)) for e in (minigrad, torch))
    assert same(ours, theirs), f"minigrad {ours}\ntorch {theirs}"
    if not isinstance(theirs, str) and name != "uint8 as a mask":  # deprecated in torch, which then refuses backward
        ours, theirs = (outcome(e, lambda e: write(e, array, index, -7.5, True)) for e in (minigrad, torch))
        assert same(ours, theirs), f"minigrad {ours}\ntorch {theirs}"


@pytest.mark.parametrize("e", [minigrad, torch], ids=["minigrad", "torch"])
def test_repeated_indices_add_their_gradients(e):
    x = e.tensor([1.0, 2.0, 3.0], requires_grad=True)
    x[[0, 0, 2, 0]].backward(e.tensor([1.0, 10.0, 100.0, 1000.0]))
    assert x.grad.tolist() == [1011.0, 0.0, 100.0]
    x[e.tensor([[0, 1], [1, 1]])].sum().backward()
    assert x.grad.tolist() == [1012.0, 3.0, 100.0]


@pytest.mark.parametrize("e", [minigrad, torch], ids=["minigrad", "torch"])
def test_values_are_converted_to_the_tensor_s_dtype(e):
    x = e.zeros(3, dtype=e.int64)
    x[0], x[1], x[2] = 1.9, True, e.tensor(2.9)
    assert x.tolist() == [1, 1, 2]
    y = e.zeros(2)
    y[0] = e.tensor(3)
    y[e.tensor([1])] = e.tensor([4.0])
    assert y.tolist() == [3.0, 4.0]


@pytest.mark.parametrize("e", [minigrad, torch], ids=["minigrad", "torch"])
def test_assignment_between_overlapping_parts(e):
    x = e.arange(6.0)
    x[1:] = x[:-1].clone()
    x[::2] = x[1::2] * 2
    assert x.tolist() == [0.0, 0.0, 4.0, 2.0, 8.0, 4.0]


@pytest.mark.parametrize("e", [minigrad, torch], ids=["minigrad", "torch"])
def test_iteration_and_unpacking(e):
    x = e.arange(6.0, requires_grad=True)
    rows = list(x.reshape(3, 2))
    (a, b), *rest = rows
    (a * b + sum(r.prod() for r in rest)).backward()
    assert x.grad.tolist() == [1.0, 0.0, 3.0, 2.0, 5.0, 4.0]
