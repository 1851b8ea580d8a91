"""Whether anybody else holds an array that passes through the backward pass.

Owns what `sys.getrefcount` says of an array that only the engine holds, at the places where it is asked: such an array
may be written over, or become a `.grad` without a copy. The counts differ between versions of Python, so they are
taken when this is imported, from calls made alike. Knows no Tensor, no node and no op.
"""

from sys import getrefcount as references

import numpy as np


def _called(array):
    return references(array)


def _held_by_view(view):
    base = view.base
    return references(base)


def _counts():
    arriving = {0: np.empty(1)}
    held = arriving.get(0)
    in_loop = references(held)
    del held
    g = arriving.pop(0)
    return in_loop, _called(g)


ALONE_IN_LOOP, ALONE_IN_CALL = _counts()  # where the engine's loop looks at it; in a function that it hands it to
_ALONE_AS_BASE = _held_by_view(np.empty(2)[:])


def is_only_view(array):
    """True if all of an array's memory is that of another that nobody else holds: the transpose of a product, say."""
    base = array.base
    if base.__class__ is not np.ndarray or references(base) > _ALONE_AS_BASE:
        return False
    return base.flags.owndata and base.nbytes == array.nbytes
