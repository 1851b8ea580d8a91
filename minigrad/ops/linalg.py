"""Products of matrices.

Owns forward and derivative formulas. Inputs are at least matrices; `functions/linalg.py` gives vectors their axes.
`xp.mT` swaps the last two axes.
"""

from ..primitive import primitive


def _mm_name(node):
    return "MmBackward0" if len(node.static[0]) == 2 else "BmmBackward0"


@primitive(
    a=lambda g, xp, b, a_shape: xp.sum_to(xp.matmul(g, xp.mT(b)), a_shape),
    b=lambda g, xp, a, b_shape: xp.sum_to(xp.matmul(xp.mT(a), g), b_shape),
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
    weight=lambda g, xp, x: xp.matmul(xp.mT(xp.rows(g)), xp.rows(x)),
    bias=lambda g, xp, bias_shape: xp.sum_to(g, bias_shape),
    name="AddmmBackward0",
)
def linear(xp, x, weight, bias):
    """x @ weight.T + bias of (..., m), (n, m) and (n,)"""
    return xp.linear(x, weight, bias)
