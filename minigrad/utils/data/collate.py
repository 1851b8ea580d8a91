"""From a list of samples to a batch.

Owns `default_collate`, `default_convert` and the table of what is done for which type. Knows nothing of datasets.
"""

import copy
import re
from collections.abc import Mapping, MutableMapping, MutableSequence, Sequence

import numpy as np

from ...dtypes import float64
from ...functions import as_tensor, stack, tensor
from ...tensor import Tensor, wrap

_NOT_NUMBERS = re.compile(r"[SaUO]")
_MESSAGE = "default_collate: batch must contain tensors, numpy arrays, numbers, dicts or lists; found {}"


def default_convert(data):
    """NumPy arrays and scalars anywhere in `data` as tensors; everything else, lists and dicts included, as it is.

    >>> import numpy as np
    >>> default_convert([np.array([0, 1]), "a"])
    [tensor([0, 1]), 'a']
    """
    kind = type(data)
    if isinstance(data, Tensor):
        return data
    if kind.__module__ == "numpy" and kind.__name__ not in ("str_", "string_"):
        if kind is np.ndarray and _NOT_NUMBERS.search(data.dtype.str) is not None:
            return data
        return as_tensor(data)
    if isinstance(data, Mapping):
        return _mapping_like(data, {key: default_convert(data[key]) for key in data})
    if isinstance(data, tuple) and hasattr(data, "_fields"):
        return kind(*(default_convert(d) for d in data))
    if isinstance(data, tuple):
        return [default_convert(d) for d in data]
    if isinstance(data, Sequence) and not isinstance(data, (str, bytes)):
        return _sequence_like(data, [default_convert(d) for d in data])
    return data


def _mapping_like(original, items):
    """`items` in a mapping like `original`: in a copy where it can be changed, for it may carry more than its items."""
    try:
        if isinstance(original, MutableMapping):
            clone = copy.copy(original)
            clone.update(items)
            return clone
        return type(original)(items)
    except TypeError:
        return items


def _sequence_like(original, items):
    """`items` in a sequence like `original`, or in a list where its type cannot be made so."""
    try:
        if isinstance(original, MutableSequence):
            clone = copy.copy(original)
            for i, item in enumerate(items):
                clone[i] = item
            return clone
        return type(original)(items)
    except TypeError:
        return items


def collate(batch, *, collate_fn_map=None):
    """`batch`, a list of samples, as one: types in `collate_fn_map` by its functions, containers element by element.

    Mappings, namedtuples and sequences are containers. Raises TypeError for another type, RuntimeError for sequences of
    different lengths.
    """
    first = batch[0]
    kind = type(first)
    if collate_fn_map is not None:
        if kind in collate_fn_map:
            return collate_fn_map[kind](batch, collate_fn_map=collate_fn_map)
        for known in collate_fn_map:
            if isinstance(first, known):
                return collate_fn_map[known](batch, collate_fn_map=collate_fn_map)
    if isinstance(first, Mapping):
        columns = {key: collate([d[key] for d in batch], collate_fn_map=collate_fn_map) for key in first}
        return _mapping_like(first, columns)
    if isinstance(first, tuple) and hasattr(first, "_fields"):
        return kind(*(collate(column, collate_fn_map=collate_fn_map) for column in zip(*batch)))
    if isinstance(first, Sequence):
        size = len(first)
        if any(len(sample) != size for sample in batch):
            raise RuntimeError("each element in list of batch should be of equal size")
        columns = [collate(column, collate_fn_map=collate_fn_map) for column in zip(*batch)]
        return columns if isinstance(first, tuple) else _sequence_like(first, columns)
    raise TypeError(_MESSAGE.format(kind))


def _collate_tensors(batch, *, collate_fn_map=None):
    """torch.stack; in one NumPy call where all are alike and none requires grad."""
    try:
        arrays = _alike(batch)
    except AttributeError:  # of what is no Tensor, which stack names
        arrays = None
    if arrays is None:
        return stack(batch, 0)
    shape = arrays[0].shape
    if shape:
        return wrap(np.concatenate(arrays).reshape(len(arrays), *shape))
    return wrap(np.array([array.item() for array in arrays], arrays[0].dtype))


def _alike(batch):
    """The arrays of tensors of one shape and dtype, none of which requires grad; else None."""
    first = batch[0]._array
    shape, dtype = first.shape, first.dtype
    arrays = []
    for t in batch:
        array, base = t._array, t._base
        if array.shape != shape or array.dtype is not dtype or t._requires_grad:
            return None
        if base is not None and base._requires_grad:  # a view learns of that late
            return None
        arrays.append(array)
    return arrays


def _collate_arrays(batch, *, collate_fn_map=None):
    if _NOT_NUMBERS.search(batch[0].dtype.str) is not None:
        raise TypeError(_MESSAGE.format(batch[0].dtype))
    return collate([as_tensor(array) for array in batch], collate_fn_map=collate_fn_map)


def _collate_numpy_scalars(batch, *, collate_fn_map=None):
    return as_tensor(np.array(batch))


def _collate_floats(batch, *, collate_fn_map=None):
    return tensor(batch, dtype=float64)


def _collate_ints(batch, *, collate_fn_map=None):
    return tensor(batch)


def _collate_text(batch, *, collate_fn_map=None):
    return batch


default_collate_fn_map = {
    Tensor: _collate_tensors,
    np.ndarray: _collate_arrays,
    (np.bool_, np.number, np.object_): _collate_numpy_scalars,
    float: _collate_floats,
    int: _collate_ints,
    str: _collate_text,
    bytes: _collate_text,
}
_AS_SHIPPED = dict(default_collate_fn_map)


def stacks_tensors():
    """True while a user's entry in `default_collate_fn_map` does not change what is done with tensors in tuples."""
    return default_collate_fn_map == _AS_SHIPPED


def default_collate(batch):
    """A list of samples as one batch: tensors, arrays and numbers as a tensor with a new first dimension.

    Tuples become lists, column by column; dicts, lists and namedtuples keep their type; text stays a list. Floats
    become float64, ints int64. `default_collate_fn_map` says what is done for which type and may be extended.
    Raises TypeError for an element of another type, RuntimeError for elements of different sizes.

    >>> default_collate([(0, 1.5), (2, 2.5)])
    [tensor([0, 2]), tensor([1.5000, 2.5000], dtype=torch.float64)]
    >>> default_collate([{"A": 0, "B": "x"}, {"A": 100, "B": "y"}])
    {'A': tensor([  0, 100]), 'B': ['x', 'y']}
    """
    return collate(batch, collate_fn_map=default_collate_fn_map)
