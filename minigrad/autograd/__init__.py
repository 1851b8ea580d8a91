"""Automatic differentiation: `backward`, `grad`, `Function`, checks.

Owns the argument rules of the two entry points to the engine. Submodules: `engine` (the loop), `hook_calls` (users'
hooks in it), `function` (ops of the user's own), `gradcheck`, `functional`, `anomaly_mode`, `call_stacks`, `steps`
(what a pass did, for a reader), `program` and `symbols` (a pass written out as NumPy).
"""

import functools
import importlib
import warnings

import numpy as np

from ..grad_mode import (
    enable_grad,
    inference_mode,
    is_grad_enabled,
    no_grad,
    set_grad_enabled,
)  # fmt: skip
from ..tensor import Tensor, bare
from . import anomaly_mode, engine, function
from .anomaly_mode import detect_anomaly, set_detect_anomaly
from .function import Function, FunctionCtx, once_differentiable
from .gradcheck import GradcheckError, gradcheck, gradgradcheck


class VariableType(type):
    """The class of Variable, of which every Tensor is an instance."""

    def __instancecheck__(cls, x):
        return isinstance(x, Tensor)


class Variable(metaclass=VariableType):
    """What programs of old put around a tensor: `Variable(data, requires_grad=True)` is a Tensor of the same memory."""

    def __new__(cls, data=None, requires_grad=False, volatile=None):
        if data is None:
            return Tensor()
        if not isinstance(data, Tensor):
            raise TypeError(f"Variable data has to be a tensor, but got {type(data).__name__}")
        return data.detach().requires_grad_(requires_grad)


__all__ = [
    "Function", "FunctionCtx", "GradcheckError", "Program", "Steps", "TraceError", "Variable", "anomaly_mode",
    "backward", "detect_anomaly",
    "enable_grad",
    "engine", "function", "functional", "grad", "gradcheck", "graph", "gradgradcheck", "inference_mode",
    "is_grad_enabled", "no_grad", "once_differentiable", "set_detect_anomaly", "set_grad_enabled", "trace",
]  # fmt: skip


_LATER = {
    "functional": "functional", "graph": "graph", "Steps": "steps", "Program": "program", "TraceError": "symbols",
    "trace": "program",
}  # fmt: skip


def __getattr__(name):
    if name in _LATER:  # imported when asked for: reading and writing source takes tools that take time to import
        module = importlib.import_module(f"{__name__}.{_LATER[name]}")
        return module if name == _LATER[name] else getattr(module, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def _sequence(x):
    return (x,) if isinstance(x, Tensor) else tuple(x)


@functools.cache
def _one(dtype):
    return np.ones((), dtype)


def _seeds(tensors, grad_tensors):
    """The cotangent of each root; a scalar's is 1 unless given."""
    if len(grad_tensors) != len(tensors):
        raise RuntimeError(f"got {len(tensors)} tensors and {len(grad_tensors)} gradients")
    seeds = []
    for i, t in enumerate(tensors):
        if not isinstance(t, Tensor):
            raise TypeError(f"element {i} of tensors must be a Tensor, not {type(t).__name__}")
        g = grad_tensors[i]
        seeds.append(_ones_like(t) if g is None else _given(i, t, g))
    for i, t in enumerate(tensors):
        if not (t._requires_grad or t.requires_grad):
            raise RuntimeError(
                f"element {i} of tensors does not require grad and does not have a grad_fn (an op without a gradient, "
                ".detach(), .item(), .numpy() or no_grad() cut its history, or none of the inputs requires grad)"
            )
    return seeds


def _ones_like(root):
    array = root._array
    if array.__class__ is np.ndarray and not array.ndim:
        return bare(_one(array.dtype).copy())  # a quarter of np.ones
    if array.size != 1 and root.requires_grad:
        raise RuntimeError(
            "grad can be implicitly created only for scalar outputs (this one has shape "
            f"{list(array.shape)}: reduce it, as in loss.sum(), or pass the gradient)"
        )
    return bare(np.ones_like(array))


def _given(i, root, g):
    if not isinstance(g, Tensor):
        raise TypeError(f"gradients can be either Tensors or None, but got {type(g).__name__}")
    if g._array.shape != root._array.shape:
        raise RuntimeError(
            f"Mismatch in shape: grad_output[{i}] has a shape of {g.shape} and output[{i}] has a shape of {root.shape}."
        )
    if g._array.dtype != root._array.dtype:
        if g._array.dtype.kind != "f":
            raise RuntimeError(
                f"gradient must be of a floating point dtype like the tensor's ({root.dtype}), not {g.dtype}"
            )
        g = g.to(root.dtype)
    return g


def backward(tensors, grad_tensors=None, retain_graph=None, create_graph=False, grad_variables=None, inputs=None):
    """Add the gradient of each root (times its cotangent in `grad_tensors`) to the .grad of leaves, or of `inputs`
    only.

    `retain_graph` keeps what was saved, so that backward can run again; `create_graph` records the backward pass
    itself. Raises RuntimeError for roots without history, for non-scalar roots without a cotangent, for a graph used
    up.
    """
    if grad_variables is not None:
        if grad_tensors is not None:
            raise RuntimeError(
                "`grad_tensors` and `grad_variables` (deprecated) arguments both passed to `backward()`. Please only "
                "use `grad_tensors`."
            )
        warnings.warn("`grad_variables` is deprecated. Use `grad_tensors` instead.", FutureWarning, stacklevel=2)
        grad_tensors = grad_variables
    tensors = _sequence(tensors)
    grads = (None,) * len(tensors) if grad_tensors is None else _sequence(grad_tensors)
    run_backward(tensors, grads, retain_graph, create_graph, inputs)


def run_backward(tensors, grads, retain_graph, create_graph, inputs):
    """`backward` of a tuple of roots and a tuple of their cotangents."""
    if inputs is not None:
        inputs = _sequence(inputs)
        if not inputs:
            raise RuntimeError("`inputs` argument to `backward()` cannot be empty.")
    seeds = _seeds(tensors, grads)
    if not tensors:
        return
    keep = create_graph if retain_graph is None else retain_graph
    engine.backpropagate(tensors, seeds, keep, create_graph, inputs)


def grad(
    outputs, inputs, grad_outputs=None, retain_graph=None, create_graph=False, only_inputs=True, allow_unused=None,
    is_grads_batched=False, materialize_grads=False,
):  # fmt: skip
    """The gradients of the outputs (times `grad_outputs`) with respect to the inputs, as a tuple; no .grad is touched.

    An input that the outputs do not depend on is an error, unless `allow_unused` (its gradient is None) or
    `materialize_grads` (zeros).

    >>> import minigrad as torch
    >>> x = torch.tensor(2.0, requires_grad=True)
    >>> (g,) = torch.autograd.grad(x**3, x, create_graph=True)
    >>> torch.autograd.grad(g, x)
    (tensor(12.),)
    """
    if materialize_grads and allow_unused is False:
        raise ValueError(
            "Expected allow_unused to be True or not passed when materialize_grads=True, but got: allow_unused=False."
        )
    if allow_unused is None:
        allow_unused = materialize_grads
    if is_grads_batched:
        raise NotImplementedError("is_grads_batched=True needs vmap, which minigrad does not have: call grad in a loop")
    outputs, inputs = _sequence(outputs), _sequence(inputs)
    if not inputs:
        raise RuntimeError("`inputs` argument to `grad()` cannot be empty.")
    for i in inputs:
        if not isinstance(i, Tensor):
            raise TypeError(f"inputs must be Tensors, but got {type(i).__name__}")
    grads = (None,) * len(outputs) if grad_outputs is None else _sequence(grad_outputs)
    seeds = _seeds(outputs, grads)
    for t in inputs:
        if not t.requires_grad:
            raise RuntimeError("One of the differentiated Tensors does not require grad")
    keep = create_graph if retain_graph is None else retain_graph
    results = engine.backpropagate(outputs, seeds, keep, create_graph, inputs, accumulate=False)
    for i, (t, g) in enumerate(zip(inputs, results)):
        if g is None:
            if materialize_grads:
                results[i] = bare(np.zeros_like(t._array)).requires_grad_(bool(create_graph))
            elif not allow_unused:
                raise RuntimeError(
                    f"The differentiated Tensor at index {i} appears to not have been used in the graph. Set "
                    "allow_unused=True if this is the desired behavior."
                )
    return tuple(results)
