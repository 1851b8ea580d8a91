"""Function: an op of the user's own, as a pair of static methods `forward` and `backward`.

Owns what happens around them: the context, which results are recorded, and the checks of what backward returns. Both
styles of torch are served: `forward(ctx, *args)`, and `forward(*args)` with `setup_context(ctx, inputs, output)`.
"""

import functools
import weakref

import numpy as np

from ..grad_mode import no_grad, set_grad_enabled, state
from ..graph import Cotangents, Node, Output, Undefined, creation
from ..primitive import Plans, freed_error
from ..tensor import Tensor, alias, as_array, wrap
from . import call_stacks
from .engine import edge_of


class FunctionCtx:
    """What forward keeps for backward: tensors by `save_for_backward`, anything else as attributes."""

    _to_save = ()
    _dirty = ()
    _non_differentiable = ()
    _materialize = True
    needs_input_grad = ()

    def save_for_backward(self, *tensors):
        """Keep tensors (or None) for backward; they come back as `ctx.saved_tensors`, their versions checked."""
        for i, t in enumerate(tensors):
            if t is not None and not isinstance(t, Tensor):
                raise TypeError(
                    f"save_for_backward can only save variables, but argument {i} is of type "
                    f"{type(t).__name__}: keep other values as attributes of ctx"
                )
        self._to_save = tensors

    def save_for_forward(self, *tensors):
        """Accepted for compatibility: there is no forward mode."""

    def mark_dirty(self, *tensors):
        """Name the inputs that forward wrote to in place and returns; call it at most once."""
        self._dirty = tensors

    def mark_non_differentiable(self, *tensors):
        """Name the outputs that have no gradient."""
        self._non_differentiable = tensors

    def set_materialize_grads(self, value):
        """Whether backward receives zeros (the default) or None for an output that got no gradient."""
        self._materialize = bool(value)

    @property
    def saved_tensors(self):
        """The saved tensors, with their history."""
        node = self._node()
        if node is None:
            raise RuntimeError("saved tensors are there while the graph is: this call's grad_fn is gone")
        return node.unpack()


class FunctionNode(Node):
    """The record of one call of a Function."""

    __slots__ = ("edges", "ctx", "function", "inputs", "shapes", "mask", "_outputs")

    shown_in = "torch.autograd.function"
    vjp = None

    @property
    def outputs(self):
        """How many results forward gave."""
        return len(self.shapes)

    def name(self):
        return self.function.__name__ + "Backward"

    def __getattr__(self, name):
        if name not in FunctionNode.__slots__ and hasattr(self.ctx, name):  # to torch the two are one object
            return getattr(self.ctx, name)
        raise AttributeError(f"'{type(self).__name__}' object has no attribute '{name}'", name=name, obj=self)

    def all_edges(self):
        edges = iter(self.edges)
        return tuple(next(edges) if needed else None for needed in self.mask)

    def unpack(self):
        """The saved tensors, checked."""
        if self.saved is None:
            raise freed_error(self)
        tensors = []
        for t, edge, expected in self.saved:
            if t is not None and t._counter[0] != expected:
                raise RuntimeError(
                    "one of the variables needed for gradient computation has been modified by an inplace operation: "
                    f"[torch.{t.dtype.type_name}Tensor {list(t._array.shape)}], which was saved by {self.name()}, is "
                    f"at version {t._counter[0]}; expected version {expected} instead. Hint: enable anomaly detection "
                    "to find the operation that failed to compute its gradient, with "
                    "torch.autograd.set_detect_anomaly(True)."
                )
            if edge == "output":
                number, t = t._function_output, alias(t)
                t._node, t._requires_grad = self.output_node(number), True
            tensors.append(t)
        return tuple(tensors)

    def output_node(self, number):
        """What an output has as grad_fn inside the graph: the node itself, or one Output each if there are several."""
        return self if len(self.shapes) == 1 else self._outputs[number]() or Output(self, number)

    @property
    def saved_tensors(self):
        """What forward saved."""
        return self.unpack()

    def recorded_vjp(self, g):
        """Call the user's backward on Tensors; records if grad mode is on."""
        return self._run(g, False)

    def user_vjp(self, g):
        """The same on plain arrays."""
        return self._run(g, True)

    def _run(self, g, plain):
        ctx, mask, edges = self.ctx, self.mask, iter(self.edges)
        results = self.function.backward(ctx, *self._outgoing(g, ctx._materialize))
        if not isinstance(results, tuple):  # a list, too, is one gradient, and a wrong one
            results = (results,)
        n = len(mask)
        if len(results) != n and (len(results) < n or any(r is not None for r in results[n:])):
            raise RuntimeError(
                f"function {self.name()} returned an incorrect number of gradients (expected {n}, got {len(results)}): "
                "backward returns one gradient for each argument of forward, None where there is none"
            )
        sent = []
        for i in range(n):
            if mask[i]:
                grad = results[i]
                if grad is not None:
                    grad = self._checked(i, grad)
                    if plain:
                        grad = grad._array
                sent.append((next(edges), grad))
            elif results[i] is not None and self.inputs[i] is None:
                raise RuntimeError(
                    f"function {self.name()} returned a gradient different than None at position {i + 1}, but the "
                    "corresponding forward input was not a Variable"
                )
        return sent

    def undefined_vjp(self, g, create_graph):
        return self.recorded_vjp(g) if create_graph else self.user_vjp(g)

    def _outgoing(self, g, materialize):
        """The cotangent of each output, a Tensor; zeros or None where none arrived; None for what is no Tensor."""
        if g.__class__ is np.ndarray and len(self.shapes) == 1:
            return (wrap(g),)
        if isinstance(g, Undefined):
            arrived, like = {}, g.like
        else:
            arrived = g if isinstance(g, Cotangents) else {0: g}
            like = next(iter(arrived.values()))  # of the library that the zeros should be of, too
        like = like._array if isinstance(like, Tensor) else like
        grads = []
        for number, described in enumerate(self.shapes):
            value = arrived.get(number)
            if value is None and described is not None and materialize:
                shape, dtype = described
                grads.append(wrap(np.zeros_like(like, dtype, shape=shape)))
            elif value is None:
                grads.append(None)
            else:
                grads.append(value if isinstance(value, Tensor) else wrap(as_array(value)))
        return grads

    def _checked(self, i, grad):
        """A gradient that fits its input: the input's dtype, and its shape after summing what was broadcast."""
        if not isinstance(grad, Tensor):
            raise RuntimeError(
                f"expected Variable or None (got {type(grad).__name__}): {self.name()} returned it as gradient {i}"
            )
        shape, dtype = self.inputs[i]
        if grad._array.dtype != dtype:
            from ..dtypes import from_numpy

            grad = grad.to(from_numpy(dtype))
        if grad._array.shape != shape:
            try:
                fits = np.broadcast_shapes(shape, grad._array.shape) == grad._array.shape
            except ValueError:
                fits = False
            if fits:
                grad = grad.sum_to_size(shape)
            elif grad._array.size == 1 and np.prod(shape) == 1:
                grad = grad.reshape(shape)
            else:
                raise RuntimeError(
                    f"Function {self.name()} returned an invalid gradient at index {i} - got {list(grad._array.shape)} "
                    f"but expected shape compatible with {list(shape)}"
                )
        return grad


class Function:
    """An op with a derivative of your own: subclass it, write `forward` and `backward`, call `apply`.

    >>> import minigrad as torch
    >>> class Square(torch.autograd.Function):
    ...     @staticmethod
    ...     def forward(ctx, x):
    ...         ctx.save_for_backward(x)
    ...         return x * x
    ...     @staticmethod
    ...     def backward(ctx, grad_output):
    ...         (x,) = ctx.saved_tensors
    ...         return 2 * x * grad_output
    >>> x = torch.tensor(3.0, requires_grad=True)
    >>> Square.apply(x).backward()
    >>> x.grad
    tensor(6.)
    """

    def __init__(self, *args, **kwargs):
        raise RuntimeError(
            f"{type(self).__name__} should not be instantiated. Methods on autograd functions are all static, so you "
            "should invoke them on the class itself. Instantiating an autograd function will raise an error in a "
            "future version of PyTorch."
        )

    @staticmethod
    def forward(*args, **kwargs):
        """Compute the result: `forward(ctx, *args)`, or `forward(*args)` if there is a `setup_context`."""
        raise NotImplementedError("You must implement the forward function for custom autograd.Function.")

    @staticmethod
    def setup_context(ctx, inputs, output):
        """Keep what backward needs; present only in the second style."""
        raise NotImplementedError("setup_context is not implemented.")

    @staticmethod
    def backward(ctx, *grad_outputs):
        """One gradient for each argument of forward, None for those that need none."""
        raise NotImplementedError(
            "You must implement either the backward or vjp method for your custom autograd.Function to use it with "
            "backward mode AD."
        )

    vjp = backward

    @classmethod
    def apply(cls, *args, **kwargs):
        """Call forward on the arguments, and record the call if one of them requires grad."""
        if cls.backward is Function.backward and cls.vjp is not Function.vjp:
            cls.backward = cls.vjp
        ctx = FunctionCtx()
        mask, edges, inputs = [], [], []
        for a in args:
            needed = False
            if isinstance(a, Tensor):
                needed = a.requires_grad
                if needed:
                    edges.append(edge_of(a))
                inputs.append((a._array.shape, a._array.dtype))
            else:
                inputs.append(None)
            mask.append(needed)
        ctx.needs_input_grad = tuple(mask)
        enabled, state.enabled = state.enabled, False
        recording = enabled and bool(edges)
        try:
            if cls.setup_context is Function.setup_context:
                output = cls.forward(ctx, *args, **kwargs)
            else:
                output = cls.forward(*args, **kwargs)
                cls.setup_context(ctx, args, output)
        finally:
            state.enabled = enabled
        node = _node_of(cls, ctx, mask, edges, inputs) if recording else None
        if recording and isinstance(output, Tensor) and output._array.dtype.kind == "f":
            if not (ctx._dirty or ctx._non_differentiable or _among(output, args) or _among(output, ctx._to_save)):
                return _record_new(node, output)
        many = isinstance(output, tuple)  # a list is one output, and no Tensor
        results = _record(node, ctx, args, output if many else (output,))
        return tuple(results) if many else results[0]


def _among(tensor, others):
    for other in others:  # == would compare elements
        if other is tensor:
            return True
    return False


def _record_new(node, output):
    """`_record` for the usual output, at half the cost: a single one that is new, and is not saved itself."""
    node.shapes = ((output._array.shape, output._array.dtype),)
    saved, node.ctx._to_save = node.ctx._to_save, ()
    node.saved = tuple([(t, None, 0 if t is None else t._counter[0]) for t in saved])
    _recorded_by(node, output)
    return output


def _node_of(cls, ctx, mask, edges, inputs):
    node = FunctionNode()
    node._sequence = next(creation)
    node.attached = None
    node.edges, node.mask, node.inputs = edges, mask, inputs
    node.ctx, node.function = ctx, cls
    ctx._node = weakref.ref(node)
    if Plans.instrument is not None:  # anomaly mode
        node.attach().trace = call_stacks.stack()
    return node


def _recorded_by(node, output):
    output._node, output._requires_grad = node, True
    if output._base is not None:
        output._base_version, output._view_kind = output._counter[0], "function"


def _record(node, ctx, args, outputs):
    """The outputs as the caller gets them: with a grad_fn if the call is recorded, which is what has a node."""
    recording = node is not None
    _refuse_marks(ctx, outputs)
    dirty = {id(t) for t in ctx._dirty}
    for a in ctx._dirty:
        a._counter[0] += 1  # the write was made, whether or not it may be recorded
        if recording and a._node is None and a._requires_grad:
            raise RuntimeError("a leaf Variable that requires grad has been used in an in-place operation.")
        if recording and a._base is not None:
            from ..inplace import check_writable

            a._grad = None
            check_writable(a, may_overlap=True)
    plain = {id(t) for t in ctx._non_differentiable}
    inputs = {id(a): a for a in args if isinstance(a, Tensor)}
    if not recording:
        return [_unrecorded(o, id(o) in inputs, id(o) in dirty) if isinstance(o, Tensor) else o for o in outputs]
    results = []
    for o in outputs:
        if isinstance(o, Tensor) and id(o) in inputs and id(o) not in dirty:
            o = _view_of(o)  # an input returned as it is must not take this call's history
        results.append(o)
    node.shapes = [(o._array.shape, o._array.dtype) if isinstance(o, Tensor) else None for o in results]
    node._outputs = {}
    for number, (o, original) in enumerate(zip(results, outputs)):
        if not isinstance(o, Tensor) or id(original) in plain or o._array.dtype.kind != "f":
            continue
        target = node if len(results) == 1 else Output(node, number)
        node._outputs[number] = weakref.ref(target)  # weakly: a graph holds no cycle
        if id(original) in dirty:
            _rewritten(original, target)
        else:
            _recorded_by(target, o)
    kept = []
    returned = {id(o): number for number, o in enumerate(outputs) if isinstance(o, Tensor)}
    for t in ctx._to_save:
        edge = None
        if t is not None and id(t) in returned and id(t) not in inputs:
            number = returned[id(t)]
            t = alias(t)
            t._function_output, edge = number, "output"
            if number not in node._outputs:
                edge = None
        kept.append((t, edge, 0 if t is None else t._counter[0]))
    node.saved = tuple(kept)
    ctx._to_save = ctx._dirty = ctx._non_differentiable = ()  # outputs among them would keep the graph alive
    return results


def _refuse_marks(ctx, outputs):
    """Raise for what `mark_dirty` and `mark_non_differentiable` may not be given."""
    for t in ctx._dirty:
        if not isinstance(t, Tensor):
            raise RuntimeError(f"mark_dirty can only accept variables, but argument is of type {type(t).__name__}")
        if not _among(t, outputs):
            raise RuntimeError(
                "Some elements marked as dirty during the forward method were not returned as output. The inputs that "
                "are modified inplace must all be outputs of the Function: return them, alone or in a tuple."
            )
    for t in ctx._non_differentiable:
        if not isinstance(t, Tensor):
            raise RuntimeError(f"mark_non_differentiable only accepts variable arguments, but got {type(t).__name__}")


def _unrecorded(output, is_input, is_dirty):
    """An output of a call that is not recorded. As torch: an input that requires grad keeps its history, and what is
    returned of it has none; any other is itself if it was written to, else a view."""
    if is_input and output.requires_grad:
        return alias(output)
    if is_input and not is_dirty:
        output = _view_of(output)
    if output._base is not None and not is_dirty:
        output._view_kind = "function"
    return output


def _view_of(tensor):
    out = alias(tensor)
    out._base = tensor if tensor._base is None else tensor._base
    out._base_version = out._counter[0]
    return out


def _rewritten(tensor, target):
    """A dirty input: the same Tensor, from now on the output of this call."""
    from ..inplace import rebase, set_history

    tensor._grad = None  # it was that of the tensor before
    if tensor._base is not None:
        holder = alias(tensor)
        holder._node, holder._requires_grad = target, True
        rebase(tensor, holder)
    else:
        set_history(tensor, target)


def once_differentiable(backward):
    """Decorate a backward that cannot itself be differentiated: asking for its derivative is then an error."""

    @functools.wraps(backward)
    def wrapper(ctx, *grads):
        with no_grad():
            results = backward(ctx, *grads)
        if not state.enabled or not any(isinstance(g, Tensor) and g.requires_grad for g in grads):
            return results
        many = isinstance(results, tuple)
        results = results if many else (results,)
        barred = [None if r is None else _barrier(r, grads) for r in results]
        return tuple(barred) if many else barred[0]

    return wrapper


class _Once(Function):
    @staticmethod
    def forward(ctx, value, *grads):
        return value.clone()

    @staticmethod
    def backward(ctx, *g):
        raise RuntimeError("trying to differentiate twice a function that was marked with @once_differentiable")


def _barrier(value, grads):
    with set_grad_enabled(True):
        return _Once.apply(value, *grads)
