"""The part of torch.linalg that least squares take: inverses, linear systems, Cholesky factors, norms.

Owns the checks of their arguments and torch's errors for matrices that cannot be inverted. Knows no derivative.
Imported when asked for. Decompositions (eigh, qr, svd) are NumPy's: `numpy.linalg.svd(x.detach())`.
"""

import functools
import math

import numpy as np

from . import functions
from .functions.linalg import matrix_power
from .functions.reduction import amax, amin, sum
from .functions.shape import diagonal as _diagonal
from .ops import linalg as ops
from .tensor import Tensor

__all__ = [
    "LinAlgError", "cholesky", "cross", "diagonal", "inv", "matrix_norm", "matrix_power", "norm", "solve",
    "vector_norm",
]  # fmt: skip


class _LinAlgError(RuntimeError):
    """A matrix has no inverse, or no Cholesky factor."""


LinAlgError = _LinAlgError  # torch's own has both names, too


def _matrices(function, a, name="A", square=True, half=False):
    """`a` if it is a batch of matrices of float32 or float64 (or float16, if `half`); else torch's error."""
    if not isinstance(a, Tensor):
        kernel = function.replace(".", "_").removeprefix("torch_")
        raise TypeError(f"{kernel}(): argument '{name}' (position 1) must be Tensor, not {type(a).__name__}")
    shape, kind = a._array.shape, a._array.dtype
    if len(shape) < 2:
        raise RuntimeError(f"{function}: The input tensor {name} must have at least 2 dimensions.")
    if square and shape[-1] != shape[-2]:
        raise RuntimeError(
            f"{function}: {name} must be batches of square matrices, but they are {shape[-2]} by {shape[-1]} matrices"
        )
    if kind.kind != "f":
        raise RuntimeError(
            f"{function}: Expected a floating point or complex tensor as input. Got {a.dtype.type_name}: use .float()"
        )
    if kind.itemsize == 2 and not half:
        raise RuntimeError(f"{function}: Low precision dtypes not supported. Got {a.dtype.type_name}: use .float()")
    return a


def _which(array, failing):
    """In a message the first matrix of a batch that fails, and it."""
    matrices = np.asarray(array).reshape(-1, *array.shape[-2:])
    number = next(i for i, matrix in enumerate(matrices) if failing(matrix))
    return f"(Batch element {number}): " if array.ndim > 2 else "", matrices[number]


def _fails(function):
    def failing(matrix):
        try:
            function(matrix)
        except np.linalg.LinAlgError:
            return True
        return False

    return failing


def _zero_pivot(matrix):
    """Which pivot of the elimination with the largest ones is 0, counted from 1."""
    rows = np.array(matrix, np.float64)
    for k in range(len(rows)):
        best = k + np.abs(rows[k:, k]).argmax()
        rows[[k, best]] = rows[[best, k]]
        if rows[k, k] == 0:
            return k + 1
        rows[k + 1 :] -= np.outer(rows[k + 1 :, k] / rows[k, k], rows[k])
    return len(rows)


def inv(A):
    """A ** -1 of (..., n, n); raises LinAlgError if one is singular

    >>> import minigrad
    >>> minigrad.linalg.inv(minigrad.tensor([[2.0, 0.0], [0.0, 4.0]]))
    tensor([[0.5000, 0.0000],
            [0.0000, 0.2500]])
    """
    _matrices("linalg.inv", A)
    try:
        return ops.inv(A)
    except np.linalg.LinAlgError:
        which, matrix = _which(A._array, _fails(np.linalg.inv))
        raise LinAlgError(
            f"linalg.inv: {which}The diagonal element {_zero_pivot(matrix)} is zero, the inversion could not be "
            "completed because the input matrix is singular."
        ) from None


inverse = inv


def solve(A, B, *, left=True):
    """The X of A @ X = B (X @ A = B if not `left`), for A of (..., n, n) and B of (..., n, k) or, A's batch being its
    batch, (..., n); raises LinAlgError if an A is singular

    >>> import minigrad
    >>> minigrad.linalg.solve(minigrad.tensor([[2.0, 1.0], [1.0, 3.0]]), minigrad.tensor([3.0, 5.0]))
    tensor([0.8000, 1.4000])
    """
    _matrices("linalg.solve", A)
    if not isinstance(B, Tensor):
        raise TypeError(f"linalg_solve(): argument 'B' (position 2) must be Tensor, not {type(B).__name__}")
    if A._array.dtype != B._array.dtype:
        raise RuntimeError(
            "linalg.solve: Expected A and B to have the same dtype, but found A of type "
            f"{A.dtype.type_name} and B of type {B.dtype.type_name} instead"
        )
    vector = B._array.ndim == 1 or (A._array.ndim - 1 == B._array.ndim and B._array.shape == A._array.shape[:-1])
    (m, n), (rows, columns) = A._array.shape[-2:], (B._array.shape[-1], 1) if vector else B._array.shape[-2:]
    if n != (rows if left else columns):
        equation = "AX = B" if left else "XA = B"
        raise RuntimeError(
            f"linalg.solve: Incompatible shapes of A and B for the equation {equation} ({m}x{n} and {rows}x{columns})"
        )
    try:
        return ops.solve(A, B, vector) if left else ops.solve_right(A, B)
    except np.linalg.LinAlgError:
        which, _ = _which(A._array, _fails(np.linalg.inv))
        why = "The solver failed because the input matrix is singular."
        raise LinAlgError(f"torch.linalg.solve: {which}{why}") from None


def cholesky(A, *, upper=False):
    """L with L @ L.mT = A (or its transpose, if `upper`) of symmetric positive definite (..., n, n), of which it reads
    one triangle; raises LinAlgError if one is not positive definite"""
    _matrices("linalg.cholesky", A)
    try:
        return ops.cholesky(A, upper)
    except np.linalg.LinAlgError:
        which, matrix = _which(A._array, _fails(np.linalg.cholesky))
        order = next(k for k in range(1, len(matrix) + 1) if _fails(np.linalg.cholesky)(matrix[:k, :k]))
        raise LinAlgError(
            f"linalg.cholesky: {which}The factorization could not be completed because the input is not "
            f"positive-definite (the leading minor of order {order} is not positive-definite)."
        ) from None


def vector_norm(x, ord=2, dim=None, keepdim=False, *, dtype=None):
    """sum(|x| ** ord) ** (1 / ord) over the dims, or of all elements"""
    return functions.norm(x, ord, dim, keepdim, dtype)


def norm(A, ord=None, dim=None, keepdim=False, *, dtype=None):
    """matrix_norm of order `ord` for a matrix or two dims, else vector_norm; without an order that of all elements"""
    if ord is not None and dim is None and A._array.ndim not in (1, 2):
        raise RuntimeError(
            f"linalg.norm: If dim is not specified but ord is, the input must be 1D or 2D. Got {A._array.ndim}D."
        )
    if ord is not None and (A._array.ndim == 2 if dim is None else isinstance(dim, (tuple, list)) and len(dim) == 2):
        return matrix_norm(A, ord, (-2, -1) if dim is None else dim, keepdim, dtype=dtype)
    return vector_norm(A, 2 if ord is None else ord, dim, keepdim, dtype=dtype)


def matrix_norm(A, ord="fro", dim=(-2, -1), keepdim=False, *, dtype=None):
    """The norm of the matrices in two dims: "fro", or the largest (1, inf) or least (-1, -inf) sum of a column (1, -1)
    or a row"""
    _matrices("linalg.matrix_norm", A, square=False, half=True)
    if ord == "fro":
        return vector_norm(A, 2, dim, keepdim, dtype=dtype)
    if ord not in (1, -1, math.inf, -math.inf):
        raise NotImplementedError(f"matrix_norm of order {ord!r} needs singular values, which minigrad does not have")
    rows, columns = (d % A._array.ndim for d in dim)
    along, across = (rows, columns) if abs(ord) == 1 else (columns, rows)
    extreme = amax if ord > 0 else amin
    sums = sum(A.abs() if dtype is None else A.to(dtype).abs(), along, keepdim)
    return extreme(sums, across if keepdim else across - (across > along), keepdim)


def diagonal(A, *, offset=0, dim1=-2, dim2=-1):
    """The diagonals of the matrices in two dims, a view"""
    return _diagonal(A, offset, dim1, dim2)


cross = functools.partial(functions.cross, dim=-1)
