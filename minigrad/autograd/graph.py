"""torch's names for what the recorded graph is made of: the class of its nodes, and the versions of tensors.

Owns no mechanism: the graph is minigrad/graph.py's.
"""

from ..graph import AccumulateGrad
from ..graph import Node as RecordedNode
from ..tensor import Tensor

__all__ = ["Node", "increment_version"]


class NodeType(type):
    """The class of Node, of which all nodes are instances that a program can see."""

    def __instancecheck__(cls, x):
        return isinstance(x, (RecordedNode, AccumulateGrad))

    def __subclasscheck__(cls, kind):
        return issubclass(kind, (RecordedNode, AccumulateGrad))


class Node(metaclass=NodeType):
    """What `grad_fn` and `next_functions` give: for isinstance, and to name in annotations."""


def increment_version(tensor):
    """Say that a tensor, or each of several, was written to in a way that could not be seen."""
    for t in (tensor,) if isinstance(tensor, Tensor) else _tensors(tensor):
        t._counter[0] += 1


def _tensors(several):
    several = several if hasattr(several, "__iter__") else (several,)
    for t in several:
        if not isinstance(t, Tensor):
            raise RuntimeError("increment_version expect a Iterable[Tensor] as input")
    return several
