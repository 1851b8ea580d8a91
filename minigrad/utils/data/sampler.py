"""Samplers: the order in which a DataLoader asks for samples.

Owns the sampler classes of torch.utils.data. Each draws exactly what torch's draws, when torch's draws it: at the first
index, not at `iter()`. Knows lengths and indices, no data.
"""

import itertools
from typing import Generic, TypeVar

import numpy as np

from ...random import Generator, default_generator
from ...tensor import Tensor, wrap

_T_co = TypeVar("_T_co", covariant=True)


class Sampler(Generic[_T_co]):
    """Yields indices, or lists of indices. Subclasses define `__iter__` and, where they can, `__len__`."""

    def __iter__(self):
        raise NotImplementedError


class SequentialSampler(Sampler):
    """0, 1, ..., len(data_source) - 1."""

    def __init__(self, data_source):
        self.data_source = data_source

    def __iter__(self):
        return iter(range(len(self.data_source)))

    def __len__(self):
        return len(self.data_source)


def draw_seed(generator=None):
    """An int in [0, 2**63), drawn as torch draws the seeds of its loaders and samplers: one 64-bit draw."""
    return (default_generator if generator is None else generator).random64() & 0x7FFF_FFFF_FFFF_FFFF


# Seeding costs 1.5 us, a new Generator 100: those of finished draws wait here for the next epoch.
_spare = []


class RandomSampler(Sampler):
    """A new random order each time, or `num_samples` indices with replacement.

    Without `generator`, each pass draws one seed from the default generator for a stream of its own.
    Raises TypeError or ValueError for a `replacement` that is not a bool, a `num_samples` that is not a positive int.
    """

    def __init__(self, data_source, replacement=False, num_samples=None, generator=None):
        self.data_source = data_source
        self.replacement = replacement
        self._num_samples = num_samples
        self.generator = generator
        if not isinstance(self.replacement, bool):
            raise TypeError(f"replacement should be a boolean value, but got replacement={self.replacement}")
        if not isinstance(self.num_samples, int) or self.num_samples <= 0:
            raise ValueError(f"num_samples should be a positive integer value, but got num_samples={self.num_samples}")

    @property
    def num_samples(self):
        """How many indices one pass yields: as given, or the present length of the data source."""
        return len(self.data_source) if self._num_samples is None else self._num_samples

    def __iter__(self):
        n, num_samples = len(self.data_source), self.num_samples
        own = None
        generator = self.generator
        if generator is None:
            own = _spare.pop() if _spare else Generator()
            generator = own.manual_seed(draw_seed())
        if self.replacement:
            for _ in range(num_samples // 32):
                yield from generator.randint(32, 0, n).tolist()
            yield from generator.randint(num_samples % 32, 0, n).tolist()
        else:
            passes, rest = divmod(num_samples, n)
            for i in range(passes):
                order = generator.shuffled(n)
                if own is not None and i == passes - 1 and rest == 0:
                    _spare.append(own)  # nothing more is drawn from it
                    own = None
                yield from order
            if own is not None or self.generator is not None:
                yield from generator.shuffled(n)[:rest]
        if own is not None:
            _spare.append(own)

    def __len__(self):
        return self.num_samples


class SubsetRandomSampler(Sampler):
    """The given indices in a new random order each time.

    >>> import minigrad
    >>> _ = minigrad.manual_seed(0)
    >>> list(SubsetRandomSampler([10, 20, 30, 40]))
    [10, 20, 40, 30]
    """

    def __init__(self, indices, generator=None):
        self.indices = indices
        self.generator = generator

    def __iter__(self):
        generator = default_generator if self.generator is None else self.generator
        for i in generator.shuffled(len(self.indices)):
            yield self.indices[i]

    def __len__(self):
        return len(self.indices)


class WeightedRandomSampler(Sampler):
    """`num_samples` indices in proportion to `weights`, which need not add up to one.

    Raises ValueError for a `num_samples` that is not a positive int, a `replacement` that is not a bool, weights that
    are not one-dimensional.
    """

    def __init__(self, weights, num_samples, replacement=True, generator=None):
        if not isinstance(num_samples, int) or isinstance(num_samples, bool) or num_samples <= 0:
            raise ValueError(f"num_samples should be a positive integer value, but got num_samples={num_samples}")
        if not isinstance(replacement, bool):
            raise ValueError(f"replacement should be a boolean value, but got replacement={replacement}")
        values = np.asarray(weights._array if isinstance(weights, Tensor) else weights, dtype=np.float64)
        if values.ndim != 1:
            raise ValueError(f"weights should be a 1d sequence but given weights have shape {values.shape}")
        self.weights = weights if isinstance(weights, Tensor) and weights._array is values else wrap(values)
        self.num_samples = num_samples
        self.replacement = replacement
        self.generator = generator

    def __iter__(self):
        generator = default_generator if self.generator is None else self.generator
        yield from generator.multinomial(self.weights._array, self.num_samples, self.replacement).tolist()

    def __len__(self):
        return self.num_samples


class BatchSampler(Sampler):
    """Lists of `batch_size` indices of another sampler (any iterable); a short last one is dropped with `drop_last`.

    Raises ValueError for a `batch_size` that is not a positive int, a `drop_last` that is not a bool.

    >>> list(BatchSampler(range(5), 2, False))
    [[0, 1], [2, 3], [4]]
    """

    def __init__(self, sampler, batch_size, drop_last):
        if not isinstance(batch_size, int) or isinstance(batch_size, bool) or batch_size <= 0:
            raise ValueError(f"batch_size should be a positive integer value, but got batch_size={batch_size}")
        if not isinstance(drop_last, bool):
            raise ValueError(f"drop_last should be a boolean value, but got drop_last={drop_last}")
        self.sampler = sampler
        self.batch_size = batch_size
        self.drop_last = drop_last

    def __iter__(self):
        indices = iter(self.sampler)
        if self.drop_last:
            for batch in zip(*[indices] * self.batch_size):
                yield [*batch]
        else:
            while batch := [*itertools.islice(indices, self.batch_size)]:
                yield batch

    def __len__(self):
        if self.drop_last:
            return len(self.sampler) // self.batch_size
        return (len(self.sampler) + self.batch_size - 1) // self.batch_size
