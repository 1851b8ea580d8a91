"""The DataLoader: batches of a dataset in a sampler's order, in the main process.

Owns DataLoader and its iterator. Draws from the random streams what torch's loader draws, when it draws it.
"""

import itertools
import math
import operator
import warnings
from typing import Generic, TypeVar

import numpy as np

from ...tensor import Tensor, wrap
from .collate import default_collate, default_convert, stacks_tensors
from .dataset import IterableDataset, Subset, TensorDataset
from .sampler import BatchSampler, RandomSampler, Sampler, SequentialSampler, draw_seed

_T_co = TypeVar("_T_co", covariant=True)
_FIXED = frozenset({"batch_size", "batch_sampler", "sampler", "drop_last", "dataset", "persistent_workers"})


def get_worker_info():
    """What torch tells a worker process about itself: None, for samples are loaded in the main process."""
    return None


class _Endless(Sampler):
    """The sampler of an iterable dataset: it has no indices to choose from."""

    def __iter__(self):
        while True:
            yield None


class DataLoader(Generic[_T_co]):
    """Iterates over a dataset in batches: sampler, dataset, `collate_fn`, in this order.

    The arguments are torch's. `batch_size=None` yields single samples. The same seed gives torch's batches, epoch after
    epoch: each `iter()` draws one 64-bit number from `generator` (or the default one), shuffling a second one.
    `num_workers > 0` is accepted, loads in the main process all the same, and warns of it.
    Raises ValueError for options that contradict each other or are out of range.

    >>> import minigrad as torch
    >>> [batch.tolist() for batch in DataLoader(range(5), batch_size=2)]
    [[0, 1], [2, 3], [4]]
    """

    _initialized = False

    def __init__(
        self,
        dataset,
        batch_size=1,
        shuffle=None,
        sampler=None,
        batch_sampler=None,
        num_workers=0,
        collate_fn=None,
        pin_memory=False,
        drop_last=False,
        timeout=0,
        worker_init_fn=None,
        multiprocessing_context=None,
        generator=None,
        *,
        prefetch_factor=None,
        persistent_workers=False,
        pin_memory_device="",
        in_order=True,
    ):
        if num_workers < 0:
            raise ValueError("num_workers option should be non-negative; use num_workers=0 to disable multiprocessing.")
        if timeout < 0:
            raise ValueError("timeout option should be non-negative")
        if num_workers == 0 and prefetch_factor is not None:
            raise ValueError(
                "prefetch_factor option could only be specified in multiprocessing."
                "let num_workers > 0 to enable multiprocessing, otherwise set prefetch_factor to None."
            )
        if num_workers > 0 and prefetch_factor is None:
            prefetch_factor = 2
        elif prefetch_factor is not None and prefetch_factor < 0:
            raise ValueError("prefetch_factor option should be non-negative")
        if persistent_workers and num_workers == 0:
            raise ValueError("persistent_workers option needs num_workers > 0")
        self.dataset = dataset
        self.num_workers = num_workers
        self.prefetch_factor = prefetch_factor
        self.pin_memory = pin_memory
        self.pin_memory_device = pin_memory_device
        self.timeout = timeout
        self.worker_init_fn = worker_init_fn
        self.multiprocessing_context = multiprocessing_context
        self.in_order = in_order

        iterable = isinstance(dataset, IterableDataset)
        self._iterable = iterable
        if iterable:
            given = {"shuffle": shuffle or None, "sampler": sampler, "batch_sampler": batch_sampler}
            for option, value in given.items():
                if value is not None:
                    raise ValueError(
                        f"DataLoader with IterableDataset: expected unspecified {option} option, but got "
                        f"{option}={value}"
                    )
        else:
            shuffle = bool(shuffle)
        if sampler is not None and shuffle:
            raise ValueError("sampler option is mutually exclusive with shuffle")
        if batch_sampler is not None:
            if batch_size != 1 or shuffle or sampler is not None or drop_last:
                raise ValueError(
                    "batch_sampler option is mutually exclusive with batch_size, shuffle, sampler, and drop_last"
                )
            batch_size, drop_last = None, False
        elif batch_size is None and drop_last:
            raise ValueError("batch_size=None option disables auto-batching and is mutually exclusive with drop_last")
        if sampler is None:
            if iterable:
                sampler = _Endless()
            elif shuffle:
                sampler = RandomSampler(dataset, generator=generator)
            else:
                sampler = SequentialSampler(dataset)
        if batch_size is not None and batch_sampler is None:
            batch_sampler = BatchSampler(sampler, batch_size, drop_last)
        self.batch_size = batch_size
        self.drop_last = drop_last
        self.sampler = sampler
        self.batch_sampler = batch_sampler
        self.generator = generator
        if collate_fn is None:
            collate_fn = default_collate if batch_sampler is not None else default_convert
        self.collate_fn = collate_fn
        self.persistent_workers = persistent_workers
        self._reported_length = None  # what len() said of an iterable dataset
        self._iterator = None
        self._initialized = True
        if operator.index(num_workers or 0):
            warnings.warn(
                f"DataLoader(num_workers={num_workers}): minigrad has no worker processes. Samples are loaded in the "
                "main process, in the same order; worker_init_fn is not called. Use num_workers=0 to say so yourself.",
                UserWarning,
                stacklevel=2,
            )

    @property
    def multiprocessing_context(self):
        """How worker processes would be started."""
        return self._multiprocessing_context

    @multiprocessing_context.setter
    def multiprocessing_context(self, context):
        if context is not None:
            import multiprocessing  # 5 ms that no other loader needs

            if self.num_workers <= 0:
                raise ValueError(
                    "multiprocessing_context can only be used with multi-process loading (num_workers > 0), but got "
                    f"num_workers={self.num_workers}"
                )
            if isinstance(context, str):
                valid = multiprocessing.get_all_start_methods()
                if context not in valid:
                    raise ValueError(
                        f"multiprocessing_context option should specify a valid start method in {valid!r}, but got "
                        f"multiprocessing_context={context!r}"
                    )
                context = multiprocessing.get_context(context)
            if not isinstance(context, multiprocessing.context.BaseContext):
                raise TypeError(
                    "multiprocessing_context option should be a valid context object or a string specifying the start "
                    f"method, but got multiprocessing_context={context}"
                )
        self._multiprocessing_context = context

    def __setattr__(self, attr, value):
        if self._initialized and attr in _FIXED:
            raise ValueError(f"{attr} attribute should not be set after {self.__class__.__name__} is initialized")
        super().__setattr__(attr, value)

    @property
    def _index_sampler(self):
        return self.sampler if self.batch_sampler is None else self.batch_sampler

    def __iter__(self):
        if self.persistent_workers and self.num_workers > 0:
            if self._iterator is None:
                self._iterator = _Iterator(self)
            else:
                self._iterator._restart(self)
            return self._iterator
        return _Iterator(self)

    def __len__(self):
        if not self._iterable:
            return len(self._index_sampler)
        length = self._reported_length = len(self.dataset)
        if self.batch_size is None:
            return length
        return length // self.batch_size if self.drop_last else math.ceil(length / self.batch_size)


class _Iterator:
    """One pass over a loader's batches."""

    def __init__(self, loader):
        if loader.pin_memory:
            warnings.warn(
                "'pin_memory' argument is set as true but no accelerator is found, then device pinned memory won't be "
                "used.",
                stacklevel=3,
            )
        if loader.timeout != 0 and loader.num_workers == 0:
            raise AssertionError("_SingleProcessDataLoaderIter requires timeout == 0")
        self._sampler = sampler = loader._index_sampler
        self._indices = iter(sampler)
        # torch seeds its workers with this; it is drawn whether there are any or not
        self._base_seed = draw_seed(loader.generator)
        self._restart(loader, again=False)

    def _restart(self, loader, again=True):
        if again:
            self._indices = iter(self._sampler)
        if loader.num_workers > 0:  # workers are sent their first indices at once
            self._indices = _started(self._indices)
        self._yielded = 0
        self._reported_length = loader._reported_length
        self._dataset = loader.dataset
        self._fetch = _fetch_from_stream(loader) if loader._iterable else _fetch_by_index(loader)

    def __iter__(self):
        return self

    def __next__(self):
        batch = self._fetch(next(self._indices))
        self._yielded += 1
        if self._reported_length is not None and self._yielded > self._reported_length:
            warnings.warn(
                f"Length of IterableDataset {self._dataset} was reported to be {self._reported_length}"
                f"(when accessing len(dataloader)), but {self._yielded} samples have been fetched. ",
                stacklevel=2,
            )
        return batch

    def __len__(self):
        return len(self._sampler)

    def __getstate__(self):
        raise NotImplementedError("{} cannot be pickled", "_SingleProcessDataLoaderIter")


def _started(indices):
    """`indices` with the first one drawn already."""
    first = list(itertools.islice(indices, 1))
    return itertools.chain(first, indices)


def _fetch_from_stream(loader):
    """How to get the next batch of an iterable dataset: as many samples as there are (dummy) indices."""
    stream, collate = iter(loader.dataset), loader.collate_fn
    if loader.batch_sampler is None:
        return lambda _: collate(next(stream))
    drop_last = loader.drop_last
    ended = False

    def fetch(indices):
        nonlocal ended
        if ended:
            raise StopIteration
        samples = []
        for _ in indices:
            try:
                samples.append(next(stream))
            except StopIteration:
                ended = True
                break
        if not samples or (drop_last and len(samples) < len(indices)):
            raise StopIteration
        return collate(samples)

    return fetch


def _fetch_by_index(loader):
    """How to get what belongs to an index, or to a list of them."""
    dataset, collate = loader.dataset, loader.collate_fn
    if loader.batch_sampler is None:
        return lambda index: collate(dataset[index])
    at_once = getattr(dataset, "__getitems__", None)
    if at_once:
        by_sample = lambda indices: collate(at_once(indices))
    else:
        by_sample = lambda indices: collate([dataset[index] for index in indices])
    if collate is default_collate and type(dataset) in (TensorDataset, Subset) and stacks_tensors():
        return _rows(dataset, by_sample)
    return by_sample


def _rows(dataset, by_sample):
    """For tensors: a batch's rows taken at once from each, instead of one by one and then stacked (10 times faster).

    `by_sample` is the plain way; it serves where a gradient would be recorded, and for indices that are not plain ints
    in range, whose errors it words.
    """
    subsets = []
    while type(dataset) is Subset:
        subsets.append(dataset)
        dataset = dataset.dataset
    if type(dataset) is not TensorDataset or any(not isinstance(t, Tensor) or t.requires_grad for t in dataset.tensors):
        return by_sample
    tensors = dataset.tensors

    def fetch(indices):
        try:
            rows = indices
            for subset in subsets:
                chosen = subset.indices
                rows = [chosen[i] for i in rows]
            rows = np.array(rows)
            if rows.dtype == np.int64 and rows.ndim == 1:
                return [wrap(t._array.take(rows, 0)) for t in tensors]
        except (IndexError, TypeError, ValueError):
            return by_sample(indices)
        return by_sample(indices)

    return fetch
