"""Datasets against torch's: samples, lengths, splits and errors."""

import warnings

import numpy as np
import pytest
import torch
import torch.utils.data as theirs

import minigrad
import minigrad.utils.data as ours
from minigrad import random

LIBRARIES = [(ours, minigrad), (theirs, torch)]


def numbers(lib, start, stop):
    class Numbers(lib.Dataset):
        def __len__(self):
            return stop - start

        def __getitem__(self, index):
            if index >= stop - start:
                raise IndexError(index)
            return start + index

    return Numbers()


def stream(lib, start, stop):
    class Stream(lib.IterableDataset):
        def __iter__(self):
            return iter(range(start, stop))

        def __len__(self):
            return stop - start

    return Stream()


def plain(sample):
    if isinstance(sample, dict):
        return {key: plain(value) for key, value in sample.items()}
    if isinstance(sample, (tuple, list)):
        return type(sample)(plain(value) for value in sample)
    return sample.tolist() if hasattr(sample, "tolist") else sample


def test_tensor_dataset():
    data = np.arange(12, dtype=np.float32).reshape(6, 2)
    made = [lib.TensorDataset(api.tensor(data), api.arange(6)) for lib, api in LIBRARIES]
    assert len(made[0]) == len(made[1]) == 6
    for index in (0, 5, -1, slice(1, 4)):
        assert plain(made[0][index]) == plain(made[1][index])
    with pytest.raises(IndexError):
        made[0][6]
    assert made[0].tensors[0].shape == (6, 2)


def test_sums_of_datasets():
    for lib, _ in LIBRARIES:
        joined = numbers(lib, 0, 3) + numbers(lib, 10, 12) + numbers(lib, 20, 21)
        assert len(joined) == 6
        assert [joined[i] for i in range(6)] == [0, 1, 2, 10, 11, 20]
        assert [joined[i] for i in range(-6, 0)] == [0, 1, 2, 10, 11, 20]
        assert lib.ConcatDataset([numbers(lib, 0, 3), numbers(lib, 10, 12)]).cumulative_sizes == [3, 5]
        chained = stream(lib, 0, 3) + stream(lib, 5, 7)
        assert list(chained) == [0, 1, 2, 5, 6]
        assert len(chained) == 5


def test_stack_dataset():
    for lib, _ in LIBRARIES:
        by_place = lib.StackDataset(numbers(lib, 0, 3), numbers(lib, 10, 13))
        by_name = lib.StackDataset(a=numbers(lib, 0, 3), b=lib.Subset(numbers(lib, 10, 15), [4, 2, 0]))
        assert by_place[1] == (1, 11)
        assert by_place.__getitems__([2, 0]) == [(2, 12), (0, 10)]
        assert by_name[1] == {"a": 1, "b": 12}
        assert by_name.__getitems__([0, 2]) == [{"a": 0, "b": 14}, {"a": 2, "b": 10}]
        assert len(by_name) == 3


def test_subset():
    for lib, _ in LIBRARIES:
        subset = lib.Subset(lib.Subset(numbers(lib, 0, 10), [9, 7, 5, 3]), [2, 0])
        assert [subset[0], subset[1]] == [5, 9]
        assert subset.__getitems__([1, 0]) == [9, 5]
        assert len(subset) == 2


@pytest.mark.parametrize("lengths", [[3, 7], [10], [0.5, 0.5], [0.7, 0.3], [0.33, 0.33, 0.34], [1 / 3] * 3, [0, 10]])
@pytest.mark.parametrize("own_generator", [False, True])
def test_random_split(lengths, own_generator):
    random.manual_seed(5)
    torch.manual_seed(5)
    extra = [{}, {}]
    if own_generator:
        extra = [
            {"generator": random.Generator().manual_seed(42)},
            {"generator": torch.Generator().manual_seed(42)},
        ]
    parts = [lib.random_split(range(10), lengths, **kw) for (lib, _), kw in zip(LIBRARIES, extra)]
    assert [list(part.indices) for part in parts[0]] == [list(part.indices) for part in parts[1]]
    assert np.array_equal(random.get_rng_state()._array, torch.get_rng_state().numpy())


def test_random_split_warns_of_an_empty_part():
    for lib, _ in LIBRARIES:
        with pytest.warns(UserWarning, match="Length of split at index 1 is 0"):
            lib.random_split(range(3), [0.99, 0.01])


class OnlyOne:
    def __new__(cls, lib):
        class Half(lib.Subset):
            def __getitem__(self, idx):
                return 0

        return Half(range(3), [0])


@pytest.mark.parametrize(
    "make",
    [
        lambda lib, api: lib.TensorDataset(api.zeros(3), api.zeros(2)),
        lambda lib, api: lib.Dataset()[0],
        lambda lib, api: lib.StackDataset(),
        lambda lib, api: lib.StackDataset(range(3), a=range(3)),
        lambda lib, api: lib.StackDataset(range(3), range(2)),
        lambda lib, api: lib.StackDataset(a=range(3), b=range(2)),
        lambda lib, api: lib.ConcatDataset([]),
        lambda lib, api: lib.ConcatDataset([stream(lib, 0, 3)]),
        lambda lib, api: lib.ConcatDataset([range(3)])[-4],
        lambda lib, api: lib.ConcatDataset([range(3)])[3],
        lambda lib, api: list(lib.ChainDataset([range(3)])),
        lambda lib, api: len(lib.ChainDataset([range(3)])),
        lambda lib, api: lib.random_split(range(10), [3, 3]),
        lambda lib, api: lib.random_split(range(10), [1.5, -0.5]),
        lambda lib, api: OnlyOne(lib),
        lambda lib, api: len(lib.Dataset()),
    ],
)
def test_errors(make):
    with pytest.raises(Exception) as expected, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        make(theirs, torch)
    with pytest.raises(type(expected.value)) as raised:
        make(ours, minigrad)
    assert str(raised.value).startswith(str(expected.value))


def test_a_nested_dataset_that_returns_too_little():
    for lib, _ in LIBRARIES:

        class Short(lib.Dataset):
            def __len__(self):
                return 3

            def __getitems__(self, indices):
                return [0]

        with pytest.raises(ValueError, match="Expected 2, got 1"):
            lib.StackDataset(Short(), range(3)).__getitems__([0, 1])


def test_datasets_can_be_subscripted_in_annotations():
    for lib, _ in LIBRARIES:
        assert lib.Dataset[int] is not None
        assert lib.Sampler[int] is not None


def test_tensors_without_dimensions_hold_no_samples():
    for make in (lambda e: e.tensor(1.0).size(0), lambda e: e.utils.data.TensorDataset(e.ones(2), e.tensor(1.0))):
        with pytest.raises(IndexError) as expected:
            make(torch)
        with pytest.raises(IndexError) as raised:
            make(minigrad)
        assert str(raised.value) == str(expected.value)
