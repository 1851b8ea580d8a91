"""The DataLoader: torch's batches in torch's order, epoch after epoch, and torch's complaints."""

import itertools
import warnings

import numpy as np
import pytest
import torch
import torch.utils.data as theirs
from hypothesis import given, settings
from hypothesis import strategies as st

import minigrad
import minigrad.utils.data as ours
from minigrad import random

LIBRARIES = [(ours, minigrad), (theirs, torch)]
X = np.arange(200, dtype=np.float32).reshape(100, 2)
Y = np.arange(100) * 10


def described(value):
    if isinstance(value, (minigrad.Tensor, torch.Tensor)):
        return str(value.dtype), tuple(value.shape), value.tolist()
    if isinstance(value, dict):
        return {key: described(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value).__name__, [described(item) for item in value]
    return value


def tensors(lib, api, n):
    return lib.TensorDataset(api.tensor(X[:n]), api.tensor(Y[:n]))


def by_sample(lib, api, n):
    class Samples(lib.Dataset):
        def __init__(self):
            self.x, self.y = api.tensor(X[:n]), api.tensor(Y[:n])

        def __len__(self):
            return n

        def __getitem__(self, index):
            return self.x[index], self.y[index]

    return Samples()


def subset(lib, api, n):
    return lib.Subset(lib.Subset(tensors(lib, api, n + 5), range(n + 4, -1, -1)), list(range(2, n + 2)))


def split(lib, api, n):
    return lib.random_split(tensors(lib, api, n + 5), [n, 5])[0]


def joined(lib, api, n):
    return tensors(lib, api, n) + tensors(lib, api, 3)


def stacked(lib, api, n):
    return lib.StackDataset(a=tensors(lib, api, n), b=list(range(n)))


def columns(lib, api, n):
    return lib.TensorDataset(api.tensor(X[:n, 0]), api.tensor(Y[:n] > 50), api.tensor(X[:n].reshape(n, 1, 2)))


def at_once(lib, api, n):
    class AtOnce(lib.Dataset):
        def __len__(self):
            return n

        def __getitems__(self, indices):
            return [(index, float(index)) for index in indices]

    return AtOnce()


DATASETS = [tensors, by_sample, subset, split, joined, stacked, columns, at_once]


def assert_same_epochs(make, passes=3, seed=11):
    """`passes` epochs of make(library, tensors' module): the same batches, then the same state."""
    seen = []
    for lib, api in LIBRARIES:
        api.manual_seed(seed)
        loader = make(lib, api)
        seen.append([[described(batch) for batch in loader] for _ in range(passes)])
        seen[-1].append(len(loader))
    assert seen[0] == seen[1]
    assert np.array_equal(random.get_rng_state()._array, torch.get_rng_state().numpy())


@pytest.mark.parametrize("shuffle", [None, False, True])
@pytest.mark.parametrize("dataset", DATASETS, ids=lambda d: d.__name__)
@pytest.mark.parametrize("n, batch_size", [(6, 2), (7, 3), (50, 16), (5, 9), (1, 1)])
def test_epochs(dataset, n, batch_size, shuffle):
    for drop_last in (False, True):
        assert_same_epochs(
            lambda lib, api, d=drop_last: lib.DataLoader(
                dataset(lib, api, n), batch_size=batch_size, shuffle=shuffle, drop_last=d
            )
        )


@settings(max_examples=40, deadline=None)
@given(
    n=st.integers(1, 60),
    batch_size=st.integers(1, 70),
    shuffle=st.booleans(),
    drop_last=st.booleans(),
    own=st.booleans(),
    dataset=st.sampled_from(DATASETS),
    seed=st.integers(0, 2**63),
)
def test_any_loader(n, batch_size, shuffle, drop_last, own, dataset, seed):
    def make(lib, api):
        extra = {"generator": api.Generator().manual_seed(3)} if own else {}
        return lib.DataLoader(dataset(lib, api, n), batch_size, shuffle, drop_last=drop_last, **extra)

    assert_same_epochs(make, passes=2, seed=seed)


@pytest.mark.parametrize("dataset", [tensors, by_sample], ids=lambda d: d.__name__)
@pytest.mark.parametrize(
    "sampler",
    [
        lambda lib: lib.SequentialSampler(range(20)),
        lambda lib: lib.SubsetRandomSampler([3, 1, 4, 15, 9, 2, 6]),
        lambda lib: lib.WeightedRandomSampler(list(range(20)), 30),
        lambda lib: lib.RandomSampler(range(20), replacement=True),
        lambda lib: lib.RandomSampler(range(20), num_samples=50),
        lambda lib: [5, -1, 0, 7],
        lambda lib: range(4),
    ],
)
def test_samplers(sampler, dataset):
    assert_same_epochs(lambda lib, api: lib.DataLoader(dataset(lib, api, 20), batch_size=4, sampler=sampler(lib)))
    assert_same_epochs(
        lambda lib, api: lib.DataLoader(
            dataset(lib, api, 20), batch_sampler=lib.BatchSampler(sampler(lib), 3, drop_last=True)
        )
    )


def test_batch_samplers_of_the_users_own():
    batches = [[0, 1, 2], [5], [3, 3, 3, 3], (4, -1)]
    for dataset in (tensors, by_sample):
        assert_same_epochs(lambda lib, api, d=dataset: lib.DataLoader(d(lib, api, 20), batch_sampler=batches))


def test_a_sampler_of_tensors():
    assert_same_epochs(lambda lib, api: lib.DataLoader(tensors(lib, api, 20), batch_size=2, sampler=api.arange(6)))


def test_single_samples():
    for dataset in (tensors, by_sample, columns):
        for shuffle in (False, True):
            assert_same_epochs(
                lambda lib, api, d=dataset, s=shuffle: lib.DataLoader(d(lib, api, 7), batch_size=None, shuffle=s)
            )
    assert_same_epochs(lambda lib, api: lib.DataLoader([np.arange(3), 4, "a"], batch_size=None))


def test_collate_functions():
    def collate(samples):
        return [float(x.sum()) + int(y) for x, y in samples]

    assert_same_epochs(
        lambda lib, api: lib.DataLoader(tensors(lib, api, 9), batch_size=4, shuffle=True, collate_fn=collate)
    )
    assert_same_epochs(lambda lib, api: lib.DataLoader(list(range(9)), batch_size=4, collate_fn=list))


def test_a_collate_function_set_later():
    for lib, api in LIBRARIES:
        loader = lib.DataLoader(tensors(lib, api, 9), batch_size=4)
        loader.collate_fn = len
        assert list(loader) == [4, 4, 1]


@pytest.mark.parametrize("sized", [False, True])
@pytest.mark.parametrize("batch_size, drop_last", [(3, False), (3, True), (5, False), (100, False), (None, False)])
def test_streams(batch_size, drop_last, sized):
    def make(lib, api):
        class Stream(lib.IterableDataset):
            def __iter__(self):
                return iter([(i, api.tensor([float(i)])) for i in range(10)])

        if sized:
            Stream.__len__ = lambda self: 10
        return lib.DataLoader(Stream(), batch_size=batch_size, drop_last=drop_last)

    if sized:
        assert_same_epochs(make)
    else:
        got = [[described(batch) for batch in make(*library)] for library in LIBRARIES]
        assert got[0] == got[1]
        with pytest.raises(TypeError):
            len(make(*LIBRARIES[0]))


def test_a_stream_longer_than_it_said():
    for lib, _ in LIBRARIES:

        class Stream(lib.IterableDataset):
            def __iter__(self):
                return iter(range(10))

            def __len__(self):
                return 2

        loader = lib.DataLoader(Stream(), batch_size=None)
        assert len(loader) == 2
        iterator = iter(loader)
        assert [next(iterator), next(iterator)] == [0, 1]
        with pytest.warns(UserWarning, match="was reported to be 2.*but 3 samples have been fetched"):
            next(iterator)


def test_iterators():
    for lib, api in LIBRARIES:
        loader = lib.DataLoader(tensors(lib, api, 6), batch_size=2)
        iterator = iter(loader)
        assert iter(iterator) is iterator
        assert len(iterator) == len(loader) == 3
        assert len(list(iterator)) == 3
        with pytest.raises(StopIteration):
            next(iterator)


def test_two_epochs_at_once():
    def pairs(lib, api):
        api.manual_seed(2)
        loader = lib.DataLoader(tensors(lib, api, 6), batch_size=2, shuffle=True)
        return [described(pair) for pair in zip(loader, loader)]

    assert pairs(*LIBRARIES[0]) == pairs(*LIBRARIES[1])


def test_when_the_streams_are_drawn_from():
    def seen(lib, api):
        loader = lib.DataLoader(tensors(lib, api, 6), batch_size=2, shuffle=True)
        api.manual_seed(2)
        iterator = iter(loader)
        first = api.rand(1).tolist()
        batches = [described(batch) for batch in itertools.islice(iterator, 2)]
        return first, batches, api.rand(1).tolist()

    assert seen(*LIBRARIES[0]) == seen(*LIBRARIES[1])


def test_a_batch_is_a_copy_and_sees_writes_made_before_it():
    def seen(lib, api):
        data = api.zeros(4)
        loader = iter(lib.DataLoader(lib.TensorDataset(data), batch_size=2))
        (first,) = next(loader)
        first += 5
        data += 1
        (second,) = next(loader)
        return first.tolist(), second.tolist(), data.tolist()

    assert seen(*LIBRARIES[0]) == seen(*LIBRARIES[1]) == ([5.0, 5.0], [1.0, 1.0], [1.0] * 4)


def test_gradients_flow_to_a_tensor_of_the_dataset():
    def grad(lib, api):
        weights = api.ones(4, requires_grad=True)
        for (batch,) in lib.DataLoader(lib.TensorDataset(weights), batch_size=2):
            (batch * batch * 3).sum().backward()
        return weights.grad.tolist()

    assert grad(*LIBRARIES[0]) == grad(*LIBRARIES[1])


def test_a_subclass_decides_about_its_samples():
    for lib, api in LIBRARIES:

        class Doubled(lib.TensorDataset):
            def __getitem__(self, index):
                return tuple(2 * t for t in super().__getitem__(index))

        loader = lib.DataLoader(Doubled(api.tensor([1.0, 2.0, 3.0])), batch_size=3)
        assert next(iter(loader))[0].tolist() == [2.0, 4.0, 6.0]


def test_an_entry_in_the_collate_table_is_respected():
    from minigrad.utils.data.collate import default_collate_fn_map

    kept = default_collate_fn_map[minigrad.Tensor]
    default_collate_fn_map[minigrad.Tensor] = lambda batch, *, collate_fn_map=None: len(batch)
    try:
        assert list(ours.DataLoader(tensors(*LIBRARIES[0], 4), batch_size=3)) == [[3, 3], [1, 1]]
    finally:
        default_collate_fn_map[minigrad.Tensor] = kept


# -- options ------------------------------------------------------------------------------------------------------


def test_workers_are_replaced_by_the_main_process_which_says_so_once():
    with pytest.warns(UserWarning, match="no worker processes") as caught:
        loader = ours.DataLoader(tensors(*LIBRARIES[0], 6), batch_size=2, num_workers=2, shuffle=True)
        random.manual_seed(3)
        batches = [described(batch) for batch in loader] + [described(batch) for batch in loader]
    assert len(caught) == 1
    assert loader.prefetch_factor == 2
    torch.manual_seed(3)
    plain = theirs.DataLoader(tensors(*LIBRARIES[1], 6), batch_size=2, shuffle=True)
    assert batches == [described(batch) for batch in plain] + [described(batch) for batch in plain]
    assert ours.get_worker_info() is None


@pytest.mark.filterwarnings("ignore:DataLoader")
def test_persistent_workers_draw_their_base_seed_once():
    loader = ours.DataLoader(list(range(6)), num_workers=1, persistent_workers=True)
    random.manual_seed(3)
    first = iter(loader)
    assert len(list(first)) == 6
    state = random.get_rng_state().tolist()
    second = iter(loader)
    assert second is first
    assert len(list(second)) == 6
    assert random.get_rng_state().tolist() == state


def test_pin_memory_warns_as_torch_does():
    for lib, api in LIBRARIES:
        with pytest.warns(UserWarning, match="'pin_memory' argument is set as true but no accelerator is found"):
            list(lib.DataLoader(tensors(lib, api, 2), pin_memory=True))


@pytest.mark.parametrize(
    "options",
    [
        {"num_workers": -1},
        {"timeout": -1},
        {"prefetch_factor": 2},
        {"prefetch_factor": -2, "num_workers": 1},
        {"persistent_workers": True},
        {"sampler": range(3), "shuffle": True},
        {"batch_sampler": [[0]], "batch_size": 2},
        {"batch_sampler": [[0]], "shuffle": True},
        {"batch_sampler": [[0]], "sampler": range(3)},
        {"batch_sampler": [[0]], "drop_last": True},
        {"batch_size": None, "drop_last": True},
        {"batch_size": 0},
        {"batch_size": -1},
        {"batch_size": 1.5},
        {"multiprocessing_context": "fork"},
        {"multiprocessing_context": "nonsense", "num_workers": 1},
        {"multiprocessing_context": 5, "num_workers": 1},
        {"nonsense": 1},
    ],
    ids=str,
)
def test_contradicting_options(options):
    errors = []
    for lib, api in LIBRARIES:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with pytest.raises((ValueError, TypeError)) as raised:
                lib.DataLoader(tensors(lib, api, 3), **options)
        errors.append((type(raised.value), str(raised.value)))
    assert errors[0] == errors[1]


@pytest.mark.parametrize("options", [{"shuffle": True}, {"sampler": [0]}, {"batch_sampler": [[0]]}], ids=str)
def test_options_that_streams_do_not_take(options):
    errors = []
    for lib, _ in LIBRARIES:

        class Stream(lib.IterableDataset):
            def __iter__(self):
                return iter(range(3))

        with pytest.raises(ValueError) as raised:
            lib.DataLoader(Stream(), **options)
        errors.append(str(raised.value))
    assert errors[0] == errors[1]


@pytest.mark.parametrize("attribute", ["batch_size", "sampler", "batch_sampler", "drop_last", "dataset"])
def test_what_is_fixed_after_construction(attribute):
    errors = []
    for lib, api in LIBRARIES:
        loader = lib.DataLoader(tensors(lib, api, 3))
        with pytest.raises(ValueError) as raised:
            setattr(loader, attribute, 1)
        errors.append(str(raised.value))
    assert errors[0] == errors[1]


@pytest.mark.parametrize(
    "use",
    [
        lambda lib, api: list(lib.DataLoader(tensors(lib, api, 3), timeout=1)),
        lambda lib, api: list(lib.DataLoader(tensors(lib, api, 3), sampler=[0, 5])),
        lambda lib, api: list(lib.DataLoader(tensors(lib, api, 3), sampler=[0, -5])),
        lambda lib, api: list(lib.DataLoader(by_sample(lib, api, 3), sampler=[0, 5])),
        lambda lib, api: list(lib.DataLoader(tensors(lib, api, 3), batch_sampler=[[]])),
        lambda lib, api: list(lib.DataLoader(tensors(lib, api, 3), batch_sampler=[5])),
        lambda lib, api: list(lib.DataLoader([object()])),
        lambda lib, api: list(lib.DataLoader([api.zeros(2), api.zeros(3)], batch_size=2)),
        lambda lib, api: lib.DataLoader([], shuffle=True),
        lambda lib, api: iter(lib.DataLoader(tensors(lib, api, 3))).__getstate__(),
    ],
)
def test_errors_while_loading(use):
    with pytest.raises(Exception) as expected:
        use(theirs, torch)
    with pytest.raises(type(expected.value)) as raised:
        use(ours, minigrad)
    if not isinstance(expected.value, (IndexError, TypeError)):  # indexing words its errors itself
        assert str(raised.value).startswith(str(expected.value))


def test_an_empty_dataset_without_shuffling():
    for lib, _ in LIBRARIES:
        assert list(lib.DataLoader([])) == []


def test_the_number_of_workers_is_an_int():
    with pytest.raises(TypeError) as expected:
        list(theirs.DataLoader([1, 2], num_workers=1.0))
    with pytest.raises(TypeError) as raised:
        list(ours.DataLoader([1, 2], num_workers=1.0))
    assert str(raised.value) == str(expected.value)
    assert len(list(ours.DataLoader([1, 2], num_workers=False))) == 2


def test_a_loader_can_be_annotated():
    assert ours.DataLoader[int].__origin__ is ours.DataLoader
    assert [batch.tolist() for batch in ours.DataLoader[int]([1, 2])] == [[1], [2]]
