"""Checking gradients against finite differences.

Owns `gradcheck` and `gradgradcheck`: the analytic vector-Jacobian products of a function against central differences,
entry by entry, with messages that say which input, which entry, and both values.
"""

import numpy as np

from ..grad_mode import enable_grad
from ..tensor import Tensor, wrap


class GradcheckError(RuntimeError):
    """An analytic gradient is not the numerical one."""


def _tensors(x):
    return tuple(t for t in (x if isinstance(x, (tuple, list)) else (x,)) if isinstance(t, Tensor))


def gradcheck(
    func, inputs, *, eps=1e-6, atol=1e-5, rtol=1e-3, raise_exception=True, nondet_tol=0.0, check_undefined_grad=True,
    check_grad_dtypes=False, check_batched_grad=False, fast_mode=False, masked=False,
):  # fmt: skip
    """Compare the gradients of func(*inputs) with central differences (f(x + eps) - f(x - eps)) / (2 eps).

    Every input that requires grad should be float64. Returns True, or raises GradcheckError (False with
    raise_exception=False). `fast_mode` compares random projections instead of every entry.

    >>> import minigrad as torch
    >>> x = torch.rand(3, dtype=torch.float64, requires_grad=True)
    >>> torch.autograd.gradcheck(torch.sin, (x,))
    True
    """
    try:
        _check(func, inputs, eps, atol, rtol, nondet_tol, check_undefined_grad, fast_mode)
    except GradcheckError:
        if raise_exception:
            raise
        return False
    return True


def _check(func, inputs, eps, atol, rtol, nondet_tol, check_undefined_grad, fast_mode):
    import warnings

    from . import grad

    inputs = tuple(inputs) if isinstance(inputs, (tuple, list)) else (inputs,)
    checked = [(i, x) for i, x in enumerate(inputs) if isinstance(x, Tensor) and x.requires_grad]
    if not checked:
        raise ValueError(
            "gradcheck expects at least one input tensor to require gradient, but none of the them have "
            "requires_grad=True."
        )
    for i, x in checked:
        if x._array.dtype != np.float64:
            warnings.warn(
                f"Input #{i} requires gradient and is not a double precision floating point or complex. This check "
                "will likely fail if all the inputs are not of double precision floating point or complex. ",
                stacklevel=3,
            )
        if x._array.size and any(s == 0 and n > 1 for s, n in zip(x._array.strides, x._array.shape)):
            raise RuntimeError(
                f"The {i}th input has a dimension with stride 0. gradcheck only supports inputs that are "
                "non-overlapping to be able to compute the numerical gradients correctly. You should call .contiguous "
                "on the input before passing it to gradcheck."
            )
    outputs = _tensors(func(*inputs))
    differentiable = [(j, y) for j, y in enumerate(outputs) if y.requires_grad]
    if not differentiable:
        _check_flat(func, inputs, checked, eps, atol)
        return
    rng = np.random.default_rng(0)
    for j, y in differentiable:
        for i, x in checked:
            numerical = _numerical_jacobian(func, inputs, x, j, y, eps)
            analytic = _analytic_jacobian(func, inputs, x, j, grad)
            again = _analytic_jacobian(func, inputs, x, j, grad)
            if np.abs(analytic - again).max(initial=0) > nondet_tol:
                raise GradcheckError(
                    "Backward is not reentrant, i.e., running backward with same input and grad_output multiple times "
                    "gives different values, although analytical gradient matches numerical gradient. The tolerance "
                    f"for nondeterminism was {nondet_tol}."
                )
            if fast_mode:
                u, v = rng.standard_normal(numerical.shape[0]), rng.standard_normal(numerical.shape[1])
                numerical, analytic = (u @ numerical @ v).reshape(1, 1), (u @ analytic @ v).reshape(1, 1)
            _compare(i, j, x, y, analytic, numerical, atol, rtol)
    if check_undefined_grad:
        _check_zero_cotangent(func, inputs, [x for _, x in checked], grad)


def _check_flat(func, inputs, checked, eps, atol):
    """No output requires grad: then no output may depend on an input."""
    for j, y in enumerate(_tensors(func(*inputs))):
        if y._array.dtype.kind != "f":
            continue
        for _, x in checked:
            if np.abs(_numerical_jacobian(func, inputs, x, j, y, eps)).max(initial=0) > atol:
                raise GradcheckError("Numerical gradient for function expected to be zero")


def _numerical_jacobian(func, inputs, x, j, y, eps):
    """d y / d x by central differences, one row an entry of x."""
    jacobian = np.zeros((x._array.size, y._array.size))
    for row, place in enumerate(np.ndindex(x._array.shape)):
        kept = x._array[place]
        try:
            x._array[place] = kept + eps
            above = np.array(_tensors(func(*inputs))[j]._array, dtype=np.float64)
            x._array[place] = kept - eps
            below = np.array(_tensors(func(*inputs))[j]._array, dtype=np.float64)
        finally:  # an input is as it was, also if the function raised
            x._array[place] = kept
        jacobian[row] = ((above - below) / (2 * eps)).reshape(-1)
    return jacobian


def _analytic_jacobian(func, inputs, x, j, grad):
    """d y / d x by one backward an entry of y."""
    y = _tensors(func(*inputs))[j]
    jacobian = np.zeros((x._array.size, y._array.size))
    for column, place in enumerate(np.ndindex(y._array.shape)):
        seed = np.zeros(y._array.shape, y._array.dtype)
        seed[place] = 1
        (g,) = grad(y, x, wrap(seed), retain_graph=True, allow_unused=True)
        if g is not None:
            if g._array.shape != x._array.shape:
                raise GradcheckError("Analytical gradient has incorrect size")
            jacobian[:, column] = g._array.reshape(-1)
    return jacobian


def _compare(i, j, x, y, analytic, numerical, atol, rtol):
    close = np.isclose(analytic, numerical, rtol=rtol, atol=atol)
    if close.all():
        return
    row, column = np.argwhere(~close)[0]
    where = "the projection compared" if analytic.shape != (x._array.size, y._array.size) else (
        f"d output[{j}]{_place(column, y)} / d input[{i}]{_place(row, x)}"
    )  # fmt: skip
    raise GradcheckError(
        f"Jacobian mismatch for output {j} with respect to input {i}: {where} is analytically "
        f"{analytic[row, column]:.10g}, numerically {numerical[row, column]:.10g} ({int((~close).sum())} of "
        f"{close.size} entries differ by more than atol={atol:g} + rtol={rtol:g} * "
        f"|numerical|)\nnumerical:{numerical}\nanalytical:{analytic}\n"
    )


def _place(flat, tensor):
    return list(map(int, np.unravel_index(flat, tensor._array.shape))) if tensor._array.ndim else ""


def _check_zero_cotangent(func, inputs, checked, grad):
    outputs = [y for y in _tensors(func(*inputs)) if y.requires_grad]
    zeros = [wrap(np.zeros(y._array.shape, y._array.dtype)) for y in outputs]
    for g in grad(outputs, checked, zeros, allow_unused=True):
        if g is not None and (g._array != 0).any() and np.isfinite(g._array).all():
            raise GradcheckError("backward not multiplied by grad_output")


def gradgradcheck(
    func, inputs, grad_outputs=None, *, eps=1e-6, atol=1e-5, rtol=1e-3, gen_non_contig_grad_outputs=False,
    raise_exception=True, nondet_tol=0.0, check_undefined_grad=True, check_grad_dtypes=False, check_batched_grad=False,
    fast_mode=False, masked=False,
):  # fmt: skip
    """gradcheck of the gradient of func: second derivatives, at given or random `grad_outputs`."""
    from . import grad

    inputs = tuple(inputs) if isinstance(inputs, (tuple, list)) else (inputs,)
    if grad_outputs is None:
        rng = np.random.default_rng(1)
        grad_outputs = tuple(
            wrap(np.asarray(rng.standard_normal(y._array.shape), dtype=y._array.dtype)).requires_grad_()
            for y in _tensors(func(*inputs))
            if y._array.dtype.kind == "f" and y.requires_grad
        )
    else:
        grad_outputs = _tensors(grad_outputs)
    places = [i for i, x in enumerate(inputs) if isinstance(x, Tensor) and x.requires_grad]
    count = len(grad_outputs)

    def first(*args):
        args, cotangents = args[: len(args) - count], args[len(args) - count :]
        wanted = [args[i] for i in places]
        with enable_grad():
            outputs = [y for y in _tensors(func(*args)) if y.requires_grad]
            found = grad(outputs, wanted, cotangents, create_graph=True, allow_unused=True)
        return tuple(g for g in found if g is not None)

    return gradcheck(
        first, (*inputs, *grad_outputs), eps=eps, atol=atol, rtol=rtol, raise_exception=raise_exception,
        nondet_tol=nondet_tol, check_undefined_grad=check_undefined_grad, fast_mode=fast_mode,
    )  # fmt: skip
