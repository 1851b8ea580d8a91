"""Every function of the tensor API, spelled as in torch.

Owns the list of them. `methods.py` makes most of them methods of Tensor, and `minigrad/__init__.py` exports them.
"""

from . import creation, indexing, linalg, pointwise, reduction, shape
from .arguments import broadcast_shapes
from .creation import *
from .indexing import *
from .linalg import *
from .pointwise import *
from .reduction import *
from .shape import *

__all__ = ["broadcast_shapes", "creation", "indexing", "linalg", "pointwise", "reduction", "shape"]
for _module in (creation, indexing, linalg, pointwise, reduction, shape):
    __all__ += _module.__all__
