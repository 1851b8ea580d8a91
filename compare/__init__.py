"""Proof that every gradient of minigrad is torch's, and a check for gradients of your own.

    from compare import assert_same_gradients
    assert_same_gradients(lambda T, x, w: (x @ w).relu().sum(), x, w)

`python -m compare` runs everything. Importing this package imports NumPy alone; torch and hypothesis when used.
"""

from .api import Agreement, GradientMismatch, assert_same_gradients
from .engines import MissingExtra
from .strategies import arrays, broadcastable_shapes

__all__ = ["Agreement", "GradientMismatch", "MissingExtra", "arrays", "assert_same_gradients", "broadcastable_shapes"]
