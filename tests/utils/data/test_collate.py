"""default_collate and default_convert: the batches torch makes of the same samples."""

import collections
import dataclasses

import numpy as np
import pytest
import torch
import torch.utils.data as theirs

import minigrad
import minigrad.utils.data as ours

Point = collections.namedtuple("Point", "x y")


class Text(str):
    pass


class Keys(dict):
    extra = 1


@dataclasses.dataclass
class Record:
    x: int


def described(value):
    """A structure in which tensors are replaced by what is comparable across libraries."""
    if isinstance(value, (minigrad.Tensor, torch.Tensor)):
        return "tensor", str(value.dtype), tuple(value.shape), value.tolist()
    if isinstance(value, dict):
        return type(value).__name__, {key: described(item) for key, item in value.items()}
    if isinstance(value, np.ndarray):
        return "ndarray", value.tolist()
    if isinstance(value, (list, tuple, collections.UserList)):
        return type(value).__name__, [described(item) for item in value]
    return type(value).__name__, value


BATCHES = {
    "tensors": lambda api: [api.tensor([1.0, 2.0]), api.tensor([3.0, 4.0])],
    "0-d tensors": lambda api: [api.tensor(1.5), api.tensor(2.5), api.tensor(3.5)],
    "0-d integer tensors": lambda api: [api.tensor(1), api.tensor(2)],
    "bool tensors": lambda api: [api.tensor([True]), api.tensor([False])],
    "half tensors": lambda api: [api.tensor(1.5, dtype=api.float16), api.tensor(2.5, dtype=api.float16)],
    "empty tensors": lambda api: [api.zeros(0, 3), api.zeros(0, 3)],
    "tensors of several dtypes": lambda api: [api.tensor([1]), api.tensor([2.5])],
    "transposed": lambda api: [api.arange(6).reshape(2, 3).t(), api.arange(6, 12).reshape(2, 3).t()],
    "arrays": lambda api: [np.arange(3.0), np.arange(3.0) + 1],
    "0-d arrays": lambda api: [np.array(1), np.array(2)],
    "float32 arrays": lambda api: [np.zeros((2, 2), np.float32)] * 3,
    "numpy scalars": lambda api: [np.float32(1), np.float32(2)],
    "numpy doubles": lambda api: [np.float64(1), np.float64(2)],
    "numpy ints": lambda api: [np.int32(1), np.int32(2)],
    "numpy bools": lambda api: [np.bool_(True), np.bool_(False)],
    "floats": lambda api: [0.1, 0.2],
    "ints": lambda api: [1, 2, 3],
    "bools": lambda api: [True, False],
    "ints then floats": lambda api: [1, 2.5],
    "text": lambda api: ["a", "b"],
    "bytes": lambda api: [b"a", b"b"],
    "a kind of text": lambda api: [Text("a"), Text("b")],
    "tuples": lambda api: [(0, "a", api.tensor(1.0)), (1, "b", api.tensor(2.0))],
    "lists": lambda api: [[0, 1.5], [2, 2.5]],
    "ranges": lambda api: [range(2), range(2, 4)],
    "dicts": lambda api: [{"a": 0, "b": [1, 2]}, {"a": 5, "b": [6, 7]}],
    "dicts of a class": lambda api: [Keys(a=0), Keys(a=1)],
    "ordered dicts": lambda api: [collections.OrderedDict(a=0), collections.OrderedDict(a=1)],
    "namedtuples": lambda api: [Point(0, 1.0), Point(2, 3.0)],
    "nested": lambda api: [{"p": Point((1, api.tensor([1.0])), [2])}, {"p": Point((3, api.tensor([2.0])), [4])}],
    "user lists": lambda api: [collections.UserList([0, 1]), collections.UserList([2, 3])],
    "one sample": lambda api: [(api.tensor([1, 2]), 3)],
}


@pytest.mark.parametrize("name", BATCHES)
def test_default_collate(name):
    make = BATCHES[name]
    assert described(ours.default_collate(make(minigrad))) == described(theirs.default_collate(make(torch)))


@pytest.mark.parametrize("name", BATCHES)
def test_default_convert(name):
    make = BATCHES[name]
    assert described(ours.default_convert(make(minigrad))) == described(theirs.default_convert(make(torch)))


def test_text_arrays_are_not_converted():
    words = np.array(["a", "b"])
    assert ours.default_convert(words) is words


@pytest.mark.parametrize(
    "batch",
    [
        [],
        [None, None],
        [object()],
        [Record(1), Record(2)],
        [{1, 2}],
        [np.array(["a"]), np.array(["b"])],
        [np.array([None]), np.array([None])],
        [[1, 2], [3]],
        [(1,), (2, 3)],
        [{"a": 1}, {"b": 2}],
    ],
    ids=str,
)
def test_errors(batch):
    with pytest.raises(Exception) as expected:
        theirs.default_collate(batch)
    with pytest.raises(type(expected.value)) as raised:
        ours.default_collate(batch)
    assert str(raised.value) == str(expected.value)


def test_tensors_of_different_sizes():
    with pytest.raises(RuntimeError) as expected:
        theirs.default_collate([torch.zeros(3), torch.zeros(2)])
    with pytest.raises(RuntimeError) as raised:
        ours.default_collate([minigrad.zeros(3), minigrad.zeros(2)])
    assert str(raised.value).startswith(str(expected.value))


@pytest.mark.parametrize("other", [1, [1, 2], "a", None])
def test_tensors_beside_something_else(other):
    with pytest.raises(TypeError) as expected:
        theirs.default_collate([torch.ones(2), other])
    with pytest.raises(TypeError) as raised:
        ours.default_collate([minigrad.ones(2), other])
    assert str(raised.value).startswith(str(expected.value))


def test_gradients_flow_through_a_batch():
    x = minigrad.ones(2, requires_grad=True)
    batch = ours.default_collate([x * 2, x * 3])
    assert batch.requires_grad
    batch.sum().backward()
    assert x.grad.tolist() == [5.0, 5.0]
    with minigrad.no_grad():
        assert not ours.default_collate([x * 2, x * 3]).requires_grad


def test_a_batch_shares_no_memory_with_its_samples():
    sample = minigrad.zeros(3)
    batch = ours.default_collate([sample])
    batch.add_(1)
    assert sample.tolist() == [0.0, 0.0, 0.0]


def test_the_table_can_be_extended():
    from minigrad.utils.data.collate import collate, default_collate_fn_map

    def collate_records(batch, *, collate_fn_map=None):
        return [record.x for record in batch]

    default_collate_fn_map[Record] = collate_records
    try:
        assert ours.default_collate([(Record(1), 2), (Record(3), 4)])[0] == [1, 3]
    finally:
        del default_collate_fn_map[Record]
    assert collate([Record(1)], collate_fn_map={Record: collate_records}) == [1]
