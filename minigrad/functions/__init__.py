"""Every function of the tensor API, spelled as in torch.

Owns the list of them. `methods.py` makes most of them methods of Tensor, and `minigrad/__init__.py` exports them.
"""

from . import creation, indexing, linalg, pointwise, reduction, shape
from .arguments import broadcast_shapes
from .calls import as_called
from .creation import *
from .indexing import *
from .linalg import *
from .pointwise import *
from .reduction import *
from .shape import *

__all__ = ["broadcast_shapes"]
for _module in (creation, indexing, linalg, pointwise, reduction, shape):
    __all__ += _module.__all__

# Those that programs call all the time look at their arguments themselves: the other's way costs 0.15 us.
_THEMSELVES = "add sub mul div pow sum mean matmul getitem setitem".split()
for _name in __all__:
    _function = globals()[_name]
    if callable(_function) and _name not in _THEMSELVES and not hasattr(_function, "primitive"):
        globals()[_name] = as_called(_function)
