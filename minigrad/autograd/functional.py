"""Whole Jacobians and Hessians, and products with them, of a function of tensors.

Owns the loops over the engine; `create_graph` keeps the results differentiable, `strict` makes independence an error.
"""

import numpy as np

from ..grad_mode import enable_grad
from ..tensor import Tensor, wrap

__all__ = ["hessian", "hvp", "jacobian", "jvp", "vhp", "vjp"]


def _tuple(x, what, function):
    many = isinstance(x, tuple)
    items = x if many else (x,)
    for i, t in enumerate(items):
        if not isinstance(t, Tensor):
            where = f"is given a value at index {i}" if many else "is given a value"
            raise TypeError(
                f"The {what} {where} of type {type(t)} to {function}: it must be a Tensor or a tuple of Tensors"
            )
    return many, items


def _inputs(inputs, create_graph, function):
    many, items = _tuple(inputs, "inputs", function)
    fresh = tuple(
        x.view_as(x) if create_graph and x.requires_grad else x.detach().clone().requires_grad_() for x in items
    )
    return many, fresh


def _call(func, inputs, function):
    return _tuple(func(*inputs), "outputs of the user-provided function", function)


def _grad(outputs, inputs, cotangents, create_graph, strict):
    from . import grad

    live = [(y, v) for y, v in zip(outputs, cotangents) if y.requires_grad]
    if not live:
        if strict:
            raise RuntimeError(
                "Output 0 of the user-provided function does not require gradients. The outputs must be computed in a "
                "differentiable manner from the input when running in strict mode."
            )
        return tuple(wrap(np.zeros_like(x._array)) for x in inputs)
    found = grad(
        [y for y, _ in live],
        inputs,
        [v for _, v in live],
        create_graph=create_graph,
        retain_graph=True,
        allow_unused=True,
    )
    if strict:
        for i, g in enumerate(found):
            if g is None:
                raise RuntimeError(
                    f"The output of the user-provided function is independent of input {i}. This is not allowed in "
                    "strict mode."
                )
    return tuple(wrap(np.zeros_like(x._array)) if g is None else g for x, g in zip(inputs, found))


def _unit(y, place):
    seed = np.zeros_like(y._array)
    seed[place] = 1
    return wrap(seed)


def jacobian(func, inputs, create_graph=False, strict=False, vectorize=False, strategy="reverse-mode"):
    """d func(inputs) / d inputs: for an output of shape s and an input of shape t, a tensor of shape (*s, *t).

    >>> import minigrad as torch
    >>> torch.autograd.functional.jacobian(lambda x: x * x, torch.tensor([1.0, 2.0]))
    tensor([[2., 0.],
            [0., 4.]])
    """
    from ..functions import stack

    _check_strategy(strategy, create_graph, strict, vectorize)
    with enable_grad():
        many_in, xs = _inputs(inputs, create_graph, "jacobian")
        many_out, ys = _call(func, xs, "jacobian")
        rows = []
        for y in ys:
            grads = [_grad((y,), xs, (_unit(y, p),), create_graph, strict) for p in np.ndindex(y._array.shape)]
            columns = []
            for k, x in enumerate(xs):
                shape = (*y._array.shape, *x._array.shape)
                columns.append(
                    stack([g[k] for g in grads]).reshape(shape) if grads else wrap(np.zeros(shape, y._array.dtype))
                )
            rows.append(tuple(columns))
    if not create_graph:
        rows = [tuple(t.detach() for t in row) for row in rows]
    rows = tuple(row if many_in else row[0] for row in rows)
    return rows if many_out else rows[0]


def _check_strategy(strategy, create_graph, strict, vectorize):
    """Refuse the settings that torch has no way for; here all are one way, row by row backward."""
    if strategy not in ("forward-mode", "reverse-mode"):
        raise AssertionError(
            'Expected strategy to be either "forward-mode" or "reverse-mode". Hint: If your function has more outputs '
            'than inputs, "forward-mode" tends to be more performant. Otherwise, prefer to use "reverse-mode".'
        )
    for name, wanted in (("create_graph", create_graph), ("strict", strict)):
        if wanted and strategy == "forward-mode":
            raise (NotImplementedError if name == "create_graph" else RuntimeError)(
                f'torch.autograd.functional.jacobian: `{name}=True` and `strategy="forward-mode"` are not supported '
                f'together (yet). Please either set `{name}=False` or `strategy="reverse-mode"`.'
            )
    if strategy == "forward-mode" and not vectorize:
        raise NotImplementedError(
            "Computing Jacobian using forward-AD or forward-over-reverse Hessian is only implemented for "
            "`vectorize=True`."
        )
    if strict and vectorize:
        raise RuntimeError(
            "torch.autograd.functional.jacobian: `strict=True` and `vectorized=True` are not supported together. "
            "Please either set `strict=False` or `vectorize=False`."
        )


def hessian(func, inputs, create_graph=False, strict=False, vectorize=False, outer_jacobian_strategy="reverse-mode"):
    """The second derivatives of a scalar function: for inputs of shapes s and t, a tensor of shape (*s, *t)."""
    many, _ = _tuple(inputs, "inputs", "hessian")

    def gradient(*xs):
        y = _scalar(func(*xs), "hessian")
        return _grad((y,), xs, (wrap(np.ones_like(y._array)),), True, strict)

    blocks = jacobian(gradient, inputs if many else (inputs,), create_graph, strict, vectorize, outer_jacobian_strategy)
    return blocks if many else blocks[0][0]


def _scalar(y, function):
    if not isinstance(y, Tensor) or y._array.size != 1:
        raise RuntimeError(f"The Tensor returned by the function given to {function} should contain a single element")
    return y.reshape(())


def vjp(func, inputs, v=None, create_graph=False, strict=False):
    """(func(inputs), v times the Jacobian); v may be left out for a scalar function."""
    with enable_grad():
        many_in, xs = _inputs(inputs, create_graph, "vjp")
        many_out, ys = _call(func, xs, "vjp")
        vs = _direction(
            v,
            ys,
            "vjp",
            "The vector v can only be None if the user-provided function returns a single Tensor with a single "
            "element.",
        )
        grads = _grad(ys, xs, vs, create_graph, strict)
    return _packed(ys, many_out, create_graph), _packed(grads, many_in, create_graph)


def _direction(v, like, function, message):
    if v is None:
        if len(like) != 1 or like[0]._array.size != 1:
            raise RuntimeError(message)
        return (wrap(np.ones_like(like[0]._array)),)
    _, vs = _tuple(v, "vector", function)
    for i, (a, b) in enumerate(zip(vs, like)):
        if a._array.shape != b._array.shape:
            raise RuntimeError(f"Entry {i} of the vector has size {a.shape}, but {b.shape} is expected")
    if len(vs) != len(like):
        raise RuntimeError(f"v is a tuple of invalid length: should be {len(like)} but got {len(vs)}.")
    return vs


def _packed(items, many, create_graph):
    items = tuple(items) if create_graph else tuple(t.detach() for t in items)
    return items if many else items[0]


def jvp(func, inputs, v=None, create_graph=False, strict=False):
    """(func(inputs), the Jacobian times v), by two backward passes."""
    with enable_grad():
        many_in, xs = _inputs(inputs, create_graph, "jvp")
        vs = _direction(
            v,
            xs,
            "jvp",
            "The vector v can only be None if the input to the user-provided function is a single Tensor with a single "
            "element.",
        )
        many_out, ys = _call(func, xs, "jvp")
        dummies = tuple(wrap(np.zeros_like(y._array)).requires_grad_() for y in ys)
        grads = _grad(ys, xs, dummies, True, strict)
        products = _grad(grads, dummies, vs, create_graph, strict)
    return _packed(ys, many_out, create_graph), _packed(products, many_out, create_graph)


def vhp(func, inputs, v=None, create_graph=False, strict=False):
    """(func(inputs), v times the Hessian) of a scalar function."""
    with enable_grad():
        many, xs = _inputs(inputs, create_graph, "vhp")
        vs = _direction(
            v,
            xs,
            "vhp",
            "The vector v can only be None if the input to the user-provided function is a single Tensor with a single "
            "element.",
        )
        out = func(*xs)
        y = _scalar(out, "vhp")
        first = _grad((y,), xs, (wrap(np.ones_like(y._array)),), True, strict)
        products = _grad(first, xs, vs, create_graph, strict)
    return _packed((out,), False, create_graph), _packed(products, many, create_graph)


def hvp(func, inputs, v=None, create_graph=False, strict=False):
    """(func(inputs), the Hessian times v) of a scalar function; the Hessian is symmetric, so this is vhp."""
    return vhp(func, inputs, v, create_graph, strict)
