"""The calls of users' hooks during backward: what each is shown, and what it may return.

Owns the checks, which are torch's, of what a hook returns in place of cotangents. Knows nothing of when a hook runs.
"""

from ..graph import Cotangents, Undefined
from ..tensor import Tensor, as_array, wrap


def run_tensor_hooks(hooks, g, create_graph):
    """Each hook sees the cotangent as a Tensor and may return another in its place."""
    grad = _shown(g, create_graph)
    for hook in tuple(hooks.values()):
        returned = hook(grad)
        if returned is not None:
            grad = _checked(hook, grad, returned)
    return g if grad is None else _raw(grad, create_graph)


def run_post_accumulate_hooks(leaf):
    """Each hook sees the leaf, whose .grad has been added to, and returns nothing, or just the leaf."""
    for hook in tuple(leaf._post_accumulate_hooks.values()):
        returned = hook(leaf)
        if returned is not None and _checked(hook, leaf, returned) is not leaf:
            raise RuntimeError("Tensor post accumulate grad hooks should return None.")


def run_prehooks(node, g, create_graph):
    """Each hook sees the cotangents of all outputs and may return others; what goes on, None for nothing."""
    for hook in tuple(node.attached.prehooks.values()):
        arrived = _of_outputs(node, g, create_graph)
        returned = hook(arrived)
        if returned is not None:
            cotangents = [_raw(x, create_graph) for x in _all_checked(hook, arrived, returned)]
            if node.outputs == 1:
                (g,) = cotangents
            else:
                g = Cotangents({i: x for i, x in enumerate(cotangents) if x is not None}) or None
    return g


def run_posthooks(node, sent, g, create_graph):
    """Each hook sees the cotangents of all inputs and outputs, and may return others for the inputs."""
    arrived, edges = _of_outputs(node, g, create_graph), node.all_edges()
    for hook in tuple(node.attached.posthooks.values()):
        one_each = iter(sent)
        results = tuple(None if edge is None else _shown(next(one_each)[1], create_graph) for edge in edges)
        returned = hook(results, arrived)
        if returned is not None:
            returned = _all_checked(hook, results, returned)
            sent = tuple((edge, _raw(x, create_graph)) for x, edge in zip(returned, edges) if edge is not None)
    return sent


def _of_outputs(node, g, create_graph):
    """One cotangent for each output of the node, None for those to which none came."""
    if node.outputs == 1:
        return (_shown(g, create_graph),)
    return tuple(_shown(g.get(i) if isinstance(g, Cotangents) else None, create_graph) for i in range(node.outputs))


def _shown(g, create_graph):
    """A cotangent as a hook sees it."""
    if g is None or g.__class__ is Undefined:
        return None
    return g if create_graph else wrap(as_array(g))


def _raw(grad, create_graph):
    """What a hook returned, as the engine carries it."""
    return grad if grad is None or create_graph else grad._array


def _all_checked(hook, cotangents, returned):
    """What a node's hook returned for these cotangents; a None among them stands for no cotangent."""
    if not isinstance(returned, tuple):
        raise TypeError(
            f"expected tuple, but hook returned '{type(returned).__name__}': return one entry for each of the "
            f"{len(cotangents)} that it got, or None to leave them as they are"
        )
    if len(returned) != len(cotangents):
        raise RuntimeError(
            f"hook '{_name(hook)}' has returned an incorrect number of values (got {len(returned)}, but expected "
            f"{len(cotangents)})"
        )
    return [x if x is None else _checked(hook, g, x) for g, x in zip(cotangents, returned)]


def _checked(hook, g, returned):
    """What a hook returned in place of the cotangent g: a Tensor of its dtype and shape."""
    if g is None:
        raise RuntimeError("can't replace a None gradient with a non-None value")
    if not isinstance(returned, Tensor):
        raise TypeError(
            f"expected Variable, but hook returned '{type(returned).__name__}': return a Tensor, or None to leave the "
            "gradient as it is"
        )
    if returned._array.dtype != g._array.dtype:
        raise RuntimeError(
            f"hook '{_name(hook)}' has changed the type of value (was torch.{g.dtype.type_name}Tensor got "
            f"torch.{returned.dtype.type_name}Tensor)"
        )
    if returned._array.shape != g._array.shape:
        raise RuntimeError(
            f"hook '{_name(hook)}' has changed the size of value: from {list(g._array.shape)} to "
            f"{list(returned._array.shape)}"
        )
    return returned


def _name(hook):
    return getattr(hook, "__name__", "hook")
