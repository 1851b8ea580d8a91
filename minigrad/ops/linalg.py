"""Products of matrices, and their inverses.

Owns forward and derivative formulas. Inputs are at least matrices; `functions/linalg.py` gives vectors their axes.
`xp.mT` swaps the last two axes.
"""

from ..primitive import overload, primitive


def _mm_name(node):
    return "MmBackward0" if len(node.static[0]) == 2 else "BmmBackward0"


# A gradient lies in memory as its factor does, as in torch: of `x @ w.t()` that of w then needs no transposed copy, a
# fifth of a small MLP's step.


def _by_columns(xp, strides):
    return strides[-2] < strides[-1] and not xp.recorded


def _left_g(g, xp, b, a_strides):
    """g @ b.T"""
    return xp.mT(xp.matmul(b, xp.mT(g))) if _by_columns(xp, a_strides) else xp.matmul(g, xp.mT(b))


def _right_g(g, xp, a, b_strides):
    """a.T @ g"""
    return xp.mT(xp.matmul(xp.mT(g), a)) if _by_columns(xp, b_strides) else xp.matmul(xp.mT(a), g)


@primitive(
    a=lambda g, xp, b, a_shape, a_strides: xp.sum_to(_left_g(g, xp, b, a_strides), a_shape),
    b=lambda g, xp, a, b_shape, b_strides: xp.sum_to(_right_g(g, xp, a, b_strides), b_shape),
    single=("a", "b"),
    name=_mm_name,
)
def matmul(xp, a, b):
    """a @ b of (..., n, m) and (..., m, p)"""
    return xp.matmul(a, b)


@primitive(a=lambda g, b: g * b, b=lambda g, a: g * a)
def dot(xp, a, b):
    """sum(a * b) of two vectors"""
    return xp.dot(a, b)


@primitive(a=lambda g, xp, b: xp.outer(g, b), b=lambda g, xp, a: xp.mv(xp.mT(a), g))
def mv(xp, a, b):
    """a @ b of a matrix (n, m) and a vector (m,)"""
    return xp.mv(a, b)


@primitive(
    x=lambda g, xp, weight: xp.matmul(g, weight),
    weight=lambda g, xp, x: xp.matmul(xp.mT(g), x),
    bias=lambda g, xp, bias_shape: xp.sum_to(g, bias_shape),
    single=("out",),
    name="AddmmBackward0",
)
def linear(xp, x, weight, bias):
    """x @ weight.T + bias of (k, m), (n, m) and (n,)"""
    return xp.linear(x, weight, bias)


def _scaled(xp, x, alpha):
    return x if alpha == 1 else xp.times(x, alpha)


def _blend(xp, x, product, beta, alpha):
    """beta * x + alpha * product; a beta of 0 ignores what x holds"""
    return _scaled(xp, product, alpha) if beta == 0 else _scaled(xp, x, beta) + _scaled(xp, product, alpha)


def _addend_g(g, xp, x_shape, beta):
    return xp.sum_to(_scaled(xp, g, beta), x_shape)


def _scaled_left_g(g, xp, b, a_strides, alpha):
    return _scaled(xp, _left_g(g, xp, b, a_strides), alpha)


def _scaled_right_g(g, xp, a, b_strides, alpha):
    return _scaled(xp, _right_g(g, xp, a, b_strides), alpha)


@primitive(x=_addend_g, a=_scaled_left_g, b=_scaled_right_g, single=("out",))
def baddbmm(xp, x, a, b, *, beta, alpha):
    """beta * x + alpha * (a @ b) of (k, n, m) and (k, m, p)"""
    return _blend(xp, x, xp.matmul(a, b), beta, alpha)


addmm = overload(baddbmm, "AddmmBackward0")  # of (n, m) and (m, p)


@primitive(x=_addend_g, a=_scaled_left_g, b=_scaled_right_g, single=("out",))
def addbmm(xp, x, a, b, *, beta, alpha):
    """beta * x + alpha * sum(a[i] @ b[i]) of (k, n, m) and (k, m, p)"""
    return _blend(xp, x, xp.convert(xp.sum(xp.matmul(a, b), (0,), False), a.dtype), beta, alpha)


@primitive(
    x=_addend_g,
    a=lambda g, xp, b, alpha: _scaled(xp, xp.outer(g, b), alpha),
    b=lambda g, xp, a, alpha: _scaled(xp, xp.mv(xp.mT(a), g), alpha),
    single=("out",),
)
def addmv(xp, x, a, b, *, beta, alpha):
    """beta * x + alpha * (a @ b) of a matrix (n, m) and a vector (m,)"""
    return _blend(xp, x, xp.mv(a, b), beta, alpha)


@primitive(
    x=_addend_g,
    a=lambda g, xp, b, alpha: _scaled(xp, xp.mv(g, b), alpha),
    b=lambda g, xp, a, alpha: _scaled(xp, xp.mv(xp.mT(g), a), alpha),
)
def addr(xp, x, a, b, *, beta, alpha):
    """beta * x + alpha * outer(a, b) of two vectors"""
    return _blend(xp, x, xp.outer(a, b), beta, alpha)


def _turned(xp, x, axis, by):
    return xp.roll(x, (by,), (axis,))


def _cross(xp, a, b, axis):
    return _turned(xp, a, axis, -1) * _turned(xp, b, axis, 1) - _turned(xp, a, axis, 1) * _turned(xp, b, axis, -1)


@primitive(
    promote="same",
    a=lambda g, xp, b, axis: _cross(xp, b, g, axis),
    b=lambda g, xp, a, axis: _cross(xp, g, a, axis),
    name="LinalgCrossBackward0",
)
def cross(xp, a, b, *, axis):
    """The cross products of the 3-vectors along an axis."""
    return _cross(xp, a, b, axis)


# -- inverses; the formulas are those of Giles, "Collected matrix derivative results for forward and reverse mode
# algorithmic differentiation" (2008)


@primitive(x=lambda g, xp, out: -xp.matmul(xp.mT(out), xp.matmul(g, xp.mT(out))), name="LinalgInvExBackward0")
def inv(xp, x):
    """The inverse of (..., n, n)"""
    return xp.inv(x)


def _columns(xp, x, vector):
    return xp.reshape(x, (*x.shape, 1)) if vector else x


def _solve_matrix_g(g, xp, a, out, a_shape, vector):
    column = xp.solve(xp.mT(a), _columns(xp, g, vector))
    return xp.sum_to(-xp.matmul(column, xp.mT(_columns(xp, out, vector))), a_shape)


@primitive(
    a=_solve_matrix_g,
    b=lambda g, xp, a, b_shape, vector: xp.sum_to(xp.solve(xp.mT(a), g, vector), b_shape),
    name="LinalgSolveExBackward0",
)
def solve(xp, a, b, *, vector=False):
    """The x of a @ x = b, for (..., n, n) and (..., n, k) or, as `vector` says, (..., n)"""
    return xp.solve(a, b, vector)


@primitive(
    a=lambda g, xp, a, out, a_shape: xp.sum_to(-xp.matmul(xp.mT(out), xp.solve_right(xp.mT(a), g)), a_shape),
    b=lambda g, xp, a, b_shape: xp.sum_to(xp.solve_right(xp.mT(a), g), b_shape),
    name="LinalgSolveExBackward0",
)
def solve_right(xp, a, b):
    """The x of x @ a = b, for (..., n, n) and (..., k, n)"""
    return xp.solve_right(a, b)


def _cholesky_g(g, xp, out, upper):
    if upper:
        g, out = xp.mT(g), xp.mT(out)
    inverse = xp.inv(out)
    inner = xp.matmul(xp.mT(out), g)
    inner = xp.tril(inner, 0) + xp.tril(inner, -1)  # twice the lower half, its diagonal once
    full = xp.matmul(xp.mT(inverse), xp.matmul(inner, inverse))
    return (full + xp.mT(full)) / 4


@primitive(x=_cholesky_g, name="LinalgCholeskyExBackward0")
def cholesky(xp, x, *, upper):
    """The lower triangular L with positive diagonal and L @ L.T = x, of positive definite (..., n, n); or its
    transpose"""
    return xp.mT(xp.cholesky(xp.mT(x))) if upper else xp.cholesky(x)
