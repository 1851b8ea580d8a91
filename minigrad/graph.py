"""The recorded graph: nodes, and the edges along which cotangents flow.

A Node remembers one call of one op. Its `edges` name where each cotangent goes: the Node that made that input, or the
leaf Tensor itself, captured when the op was recorded. Knows no op.
"""

import functools
import itertools

from .hooks import add_hook

creation = itertools.count(1)  # a node's inputs always have smaller numbers than the node itself


class Call(str):
    """The name of an op of which one call makes several nodes; one object for each call."""


class Attached:
    """What users attach to a node, and anomaly mode: most nodes have nothing of the kind.

    `hooks` are called on the output's cotangent, before vjp: tensor hooks. `prehooks` and `posthooks` are the user's
    Node.register_prehook and Node.register_hook. `retained` is a weak reference to the output if it retains its grad,
    `trace` says where the op was called.
    """

    __slots__ = ("hooks", "prehooks", "posthooks", "retained", "metadata", "trace")

    def __init__(self):
        self.hooks = self.prehooks = self.posthooks = self.retained = self.metadata = self.trace = None


class Node:
    """One recorded operation: `vjp(node, g)` turns the cotangent of its output into what goes on, a pair for each
    edge: the edge, and the cotangent that goes along it.

    A vjp works on plain arrays, with NumPy's warnings off; where the user's own code runs, it is None, and
    `user_vjp(g)` runs with the warnings that the user has set. `recorded_vjp(g)` does the same on Tensors, recording as
    it goes, which is what `create_graph=True` asks for.
    """

    __slots__ = ("_sequence", "saved", "attached", "__weakref__")

    shown_in = "builtins"  # the module that its class is printed with
    output_nr = 0
    outputs = 1  # a node with several gets `Cotangents`
    call = None  # a `Call` that it shares with others: to torch the nodes of one call are one node
    absorbed = None  # the node of an op that torch runs as a part of this one

    def name(self):
        """The name that `print(tensor)` shows, such as 'MulBackward0'."""
        return type(self).__name__

    def __repr__(self):
        prefix = "" if self.shown_in == "builtins" else f"{self.shown_in}."
        return f"<{prefix}{self.name().rpartition('::')[2]} object at {id(self):#x}>"

    @property
    def public(self):
        """The node that `grad_fn` shows: of a class of its own name, as `type(grad_fn).__name__` says it in torch."""
        name = self.name().rpartition("::")[2]
        if type(self).__name__ != name:
            self.__class__ = _class_named(name, type(self))
        return self

    @property
    def metadata(self):
        """A dict for the user's own notes."""
        attached = self.attach()
        if attached.metadata is None:
            attached.metadata = {}
        return attached.metadata

    @property
    def trace(self):
        """The stack where the op was called, if that was in anomaly mode."""
        return None if self.attached is None else self.attached.trace

    def explained(self, error, g):
        """An error of NumPy's from vjp, as the user should read it."""
        return error

    def attach(self):
        """What is attached to this node, to add to."""
        if self.attached is None:
            self.attached = Attached()
        return self.attached

    @property
    def next_functions(self):
        """For each input the (node, output number) that its cotangent goes to; (None, 0) for one that needs none."""
        return tuple(_public_edge(target) for target in self.all_edges())

    def all_edges(self):
        """The edges in the order of the op's inputs, None where an input needs no gradient."""
        return self.edges

    def undefined_vjp(self, g, create_graph):
        """What goes on from an `Undefined` cotangent: nothing, though the node is run as any other."""
        return tuple((edge, None) for edge in self.edges)

    def register_hook(self, hook):
        """Call `hook(grad_inputs, grad_outputs)` after this node ran; a tuple it returns replaces grad_inputs."""
        attached = self.attach()
        if attached.posthooks is None:
            attached.posthooks = {}
        return add_hook(attached.posthooks, hook)

    def register_prehook(self, hook):
        """Call `hook(grad_outputs)` before this node runs; a tuple it returns replaces grad_outputs."""
        attached = self.attach()
        if attached.prehooks is None:
            attached.prehooks = {}
        return add_hook(attached.prehooks, hook)


@functools.cache
def _class_named(name, base):
    return type(name, (base,), {"__slots__": (), "__module__": base.shown_in})


def _public_edge(target):
    if target is None:
        return None, 0
    if isinstance(target, Node):
        return target.public, target.output_nr
    return AccumulateGrad(target), 0


class AccumulateGrad:
    """What `next_functions` shows for a leaf: the end of the graph, where `.grad` is added to."""

    __slots__ = ("variable", "metadata")
    next_functions = ()

    def __init__(self, variable):
        self.variable, self.metadata = variable, {}

    def name(self):
        """torch's name for it."""
        return "torch::autograd::AccumulateGrad"

    def __repr__(self):
        return f"<AccumulateGrad object at {id(self.variable):#x}>"

    def __eq__(self, other):
        return isinstance(other, AccumulateGrad) and other.variable is self.variable

    def __hash__(self):
        return hash(("AccumulateGrad", id(self.variable)))

    def register_hook(self, hook):
        """Call `hook((), (grad,))` once the leaf's gradient is known; torch does so after it was added to `.grad`."""
        return self.variable.register_hook(lambda grad: hook((), (grad,)))

    def register_prehook(self, hook):
        """Call `hook((grad,))` before the gradient is added to `.grad`; a tuple that it returns replaces it."""

        def run(grad):
            returned = hook((grad,))
            return None if returned is None else returned[0]

        return self.variable.register_hook(run)


class Cotangents(dict):
    """The cotangents of a node with several outputs, by output number; adding merges them."""

    def __add__(self, other):
        merged = Cotangents(self)
        for number, g in other.items():
            merged[number] = merged[number] + g if number in merged else g
        return merged

    def __pos__(self):
        return self


class Undefined:
    """The cotangent of a target to which only None came, from Functions: as in torch the pass goes on with it.

    `like`: an array of the library that zeros should be of, where a Function asks for zeros.
    """

    __slots__ = ("like",)

    def __init__(self, like):
        self.like = like

    def __add__(self, g):
        return +g  # of an array a copy: what was summed may be added to in place


class Nowhere(Node):
    """The history of a view that was derived again from a base without any: a gradient goes no further."""

    __slots__ = ()
    edges = ()

    def __init__(self):
        self._sequence = next(creation)
        self.saved, self.attached = (), None

    def name(self):
        return "AsStridedBackward0"

    def recorded_vjp(self, g):
        """Nothing."""
        return ()

    @staticmethod
    def vjp(node, g):
        """Nothing."""
        return ()


class Underived(Nowhere):
    """The history of what a function without a derivative made: a gradient that comes is an error."""

    __slots__ = ("function",)

    def __init__(self, function):
        super().__init__()
        self.function = function

    def name(self):
        return "torch::autograd::NotImplemented"

    def recorded_vjp(self, g):
        """Raises RuntimeError."""
        raise RuntimeError(f"derivative for {self.function} is not implemented")

    @staticmethod
    def vjp(node, g):
        """Raises RuntimeError."""
        node.recorded_vjp(g)


class Output(Node):
    """One output of a node that has several; hands its cotangent to that node under its number."""

    __slots__ = ("edges", "output_nr")

    def __init__(self, node, number):
        self._sequence = next(creation)
        self.edges = (node,)
        self.saved = ()
        self.attached = None
        self.output_nr = number

    @property
    def public(self):
        return self.edges[0].public

    def name(self):
        """The name of the node it belongs to."""
        return self.edges[0].name()

    def recorded_vjp(self, g):
        """Its own cotangent, labelled."""
        return ((self.edges[0], Cotangents({self.output_nr: g})),)

    vjp = staticmethod(recorded_vjp)
