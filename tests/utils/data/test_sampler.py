"""The samplers yield torch's indices and leave the stream where torch leaves it."""

import numpy as np
import pytest
import torch
import torch.utils.data as theirs
from hypothesis import given, settings
from hypothesis import strategies as st

import minigrad
import minigrad.utils.data as ours
from minigrad import random

SIZES = [1, 2, 5, 31, 32, 33, 100, 500]
WEIGHTS = [0.1, 0.9, 0.4, 0.7, 3.0, 0.6]


def assert_same_indices(make, passes=3, seed=7, own_generator=False):
    """`passes` passes over make(library, generator) on both sides: the same indices, then the same state."""
    random.manual_seed(seed)
    torch.manual_seed(seed)
    generators = (None, None)
    if own_generator:
        generators = (random.Generator().manual_seed(5), torch.Generator().manual_seed(5))
    mine, other = make(ours, generators[0]), make(theirs, generators[1])
    assert len(mine) == len(other)
    for _ in range(passes):
        assert list(mine) == list(other)
        assert np.array_equal(random.get_rng_state()._array, torch.get_rng_state().numpy())
        if own_generator:
            assert np.array_equal(generators[0].get_state()._array, generators[1].get_state().numpy())


@pytest.mark.parametrize("own_generator", [False, True])
@pytest.mark.parametrize("n", SIZES)
def test_random_orders(n, own_generator):
    assert_same_indices(lambda lib, g: lib.SequentialSampler(range(n)), own_generator=own_generator)
    assert_same_indices(lambda lib, g: lib.RandomSampler(range(n), generator=g), own_generator=own_generator)
    assert_same_indices(lambda lib, g: lib.RandomSampler(range(n), True, generator=g), own_generator=own_generator)
    assert_same_indices(lambda lib, g: lib.SubsetRandomSampler(list(range(3, n + 3)), g), own_generator=own_generator)
    for num_samples in (1, n, n + 1, 2 * n, 3 * n + 2, 64):
        for replacement in (False, True):
            assert_same_indices(
                lambda lib, g, r=replacement, k=num_samples: lib.RandomSampler(range(n), r, k, generator=g),
                own_generator=own_generator,
            )


@pytest.mark.parametrize("own_generator", [False, True])
@pytest.mark.parametrize("replacement, num_samples", [(True, 20), (False, 5), (True, 1), (False, 6)])
def test_weighted(replacement, num_samples, own_generator):
    assert_same_indices(
        lambda lib, g: lib.WeightedRandomSampler(WEIGHTS, num_samples, replacement, g), own_generator=own_generator
    )


def test_weights_may_be_a_tensor():
    weights = np.array(WEIGHTS, np.float32)
    random.manual_seed(1)
    torch.manual_seed(1)
    mine = ours.WeightedRandomSampler(minigrad.from_numpy(weights), 30)
    assert list(mine) == list(theirs.WeightedRandomSampler(torch.from_numpy(weights), 30))
    assert mine.weights.dtype == minigrad.float64


@settings(max_examples=50, deadline=None)
@given(n=st.integers(1, 50), batch_size=st.integers(1, 60), drop_last=st.booleans(), shuffle=st.booleans())
def test_batches(n, batch_size, drop_last, shuffle):
    def make(lib, g):
        sampler = lib.RandomSampler(range(n)) if shuffle else lib.SequentialSampler(range(n))
        return lib.BatchSampler(sampler, batch_size, drop_last)

    assert_same_indices(make, passes=2)


def test_two_passes_at_the_same_time_do_not_mix():
    def pairs(lib, manual_seed):
        manual_seed(3)
        sampler = lib.RandomSampler(range(10), num_samples=25)
        return list(zip(sampler, sampler))

    assert pairs(ours, random.manual_seed) == pairs(theirs, torch.manual_seed)


def test_a_pass_draws_at_its_first_index_and_not_before():
    sampler = ours.RandomSampler(range(10))
    iterator = iter(sampler)
    random.manual_seed(3)
    torch.manual_seed(3)
    assert list(iterator) == list(theirs.RandomSampler(range(10)))


def test_an_abandoned_pass_leaves_the_next_one_right():
    random.manual_seed(3)
    torch.manual_seed(3)
    seen = []
    for lib in (ours, theirs):
        sampler = lib.RandomSampler(range(10), num_samples=30)
        iterator = iter(sampler)
        begun = [next(iterator) for _ in range(15)]
        del iterator
        seen.append((begun, list(sampler), list(lib.RandomSampler(range(20)))))
    assert seen[0] == seen[1]


@pytest.mark.parametrize(
    "make",
    [
        lambda lib: lib.RandomSampler(range(3), replacement=1),
        lambda lib: lib.RandomSampler(range(3), num_samples=0),
        lambda lib: lib.RandomSampler(range(3), num_samples=1.5),
        lambda lib: lib.RandomSampler([]),
        lambda lib: lib.WeightedRandomSampler([1.0], 0),
        lambda lib: lib.WeightedRandomSampler([1.0], True),
        lambda lib: lib.WeightedRandomSampler([1.0], 1, replacement=1),
        lambda lib: lib.WeightedRandomSampler([[1.0, 2.0]], 1),
        lambda lib: lib.BatchSampler(range(3), 0, False),
        lambda lib: lib.BatchSampler(range(3), True, False),
        lambda lib: lib.BatchSampler(range(3), 1.0, False),
        lambda lib: lib.BatchSampler(range(3), 1, 1),
        lambda lib: iter(lib.Sampler()),
    ],
)
def test_errors(make):
    with pytest.raises(Exception) as expected:
        make(theirs)
    with pytest.raises(type(expected.value)) as raised:
        make(ours)
    assert str(raised.value) == str(expected.value)
