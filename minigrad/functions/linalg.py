"""torch's products of vectors and matrices, over the ops of `ops/linalg.py`.

Owns the rank rules of matmul, and einsum as a chain of batched products. Knows no derivative.
"""

import math
import warnings

import numpy as np

from ..grad_mode import state
from ..ops import linalg as ops
from ..ops.elementwise import copied
from ..ops.reduction import sum as reduce_sum
from ..ops.shape import unsafe_squeeze, unsafe_view
from ..primitive import align, to_dtype
from ..tensor import Tensor, wrap
from .arguments import broadcast_shapes, refuse_kinds, scalar_as
from .pointwise import clamp, clone, mul, sqrt, true_divide
from .shape import can_view, diag, movedim, reshape, squeeze, unsqueeze

__all__ = [
    "addbmm", "addmm", "addmv", "addr", "baddbmm", "bmm", "chain_matmul", "corrcoef", "cov", "cross", "dot", "einsum",
    "ger", "inner", "kron", "matmul", "matrix_power", "mm", "mv", "outer", "tensordot", "vdot",
]  # fmt: skip


def _checked(function, a, b, name_b="mat2"):
    """Both are tensors of one dtype."""
    for position, x in enumerate((a, b), 1):
        if not isinstance(x, Tensor):
            name = "input" if position == 1 else name_b
            raise TypeError(
                f"{function}(): argument '{name}' (position {position}) must be Tensor, not {type(x).__name__}"
            )
    if a._array.dtype != b._array.dtype:
        raise RuntimeError(
            f"expected m1 and m2 to have the same dtype, but got: {_c_name(a)} != {_c_name(b)}. Convert one of them, "
            "as in x.to(other.dtype)."
        )
    if a._array.dtype.kind == "b" and (function == "dot" or a._array.size and b._array.size):
        nd = max(a._array.ndim, b._array.ndim), min(a._array.ndim, b._array.ndim)
        refuse_kinds({(1, 1): "dot", (2, 1): "addmv_impl_cpu", (2, 2): "addmm_impl_cpu_"}.get(nd, "bmm"), a, "b")


def _c_name(x):
    return {"float32": "float", "float64": "double", "float16": "c10::Half", "int64": "long long", "int32": "int"}.get(
        x.dtype.name, x.dtype.name
    )


def _product(a, b):
    """a @ b of at least matrices, the sizes checked."""
    _fit(a._array.shape, b._array.shape)
    return ops.matmul(a, b)


def _fit(a, b):
    """Raise if matrices of these shapes cannot be multiplied."""
    n, m = a[-2:]
    k, p = b[-2:]
    if m != k:
        if len(a) == len(b) == 2:
            raise RuntimeError(
                f"mat1 and mat2 shapes cannot be multiplied ({n}x{m} and {k}x{p}): {m} columns meet {k} rows"
            )
        raise RuntimeError(
            f"Expected size for first two dimensions of batch2 tensor to be: [{a[0]}, {m}] but got: [{b[0]}, {k}]: "
            f"shapes {list(a)} and {list(b)} cannot be multiplied."
        )
    broadcast = a[:-2], b[:-2]
    if broadcast[0] != broadcast[1]:
        try:
            np.broadcast_shapes(*broadcast)
        except ValueError:
            axis = next(
                i
                for i in range(1, min(map(len, broadcast)) + 1)
                if broadcast[0][-i] != broadcast[1][-i] and 1 not in (broadcast[0][-i], broadcast[1][-i])
            )
            raise RuntimeError(
                f"The size of tensor a ({broadcast[0][-axis]}) must match the size of tensor b ({broadcast[1][-axis]}) "
                f"at non-singleton dimension {max(map(len, broadcast)) - axis}"
            ) from None


def matmul(input, other):
    """The matrix product: vectors get an axis that the result loses, and leading dims broadcast."""
    _checked("matmul", input, other, "other")
    na, nb = input._array.ndim, other._array.ndim
    if na == 2 and nb == 2:
        return _product(input, other)
    if na == 0 or nb == 0:
        raise RuntimeError(f"both arguments to matmul need to be at least 1D, but they are {na}D and {nb}D")
    if na == 1 and nb == 1:
        return dot(input, other)
    if na == 2 and nb == 1:
        return mv(input, other)
    return _batched(input, other)


def _batched(a, b):
    """matmul where an operand has other than two dims; the result is no view."""
    na, nb = a._array.ndim, b._array.ndim
    _fit((1,) * (na == 1) + a._array.shape, b._array.shape + (1,) * (nb == 1))
    if state.enabled and (a.requires_grad or b.requires_grad):
        a, b = _as_saved(a, b)
    product = ops.matmul(unsqueeze(a, 0) if na == 1 else a, unsqueeze(b, 1) if nb == 1 else b)
    shape = product._array.shape
    reshaped = unsafe_squeeze if na == 1 and nb == 2 else unsafe_view
    return reshaped(product, (*shape[:-2], *shape[-2:][na == 1 : 2 - (nb == 1)]))


def _as_saved(a, b):
    """The operands as torch keeps them for backward: copied where it cannot view them as what it multiplies."""
    na, nb = a._array.ndim, b._array.ndim
    if na == nb == 3 and a._array.shape[0] != b._array.shape[0]:
        if a._array.shape[0] == 1 and a.requires_grad:
            return _as_saved(squeeze(a, 0), b)
        if b._array.shape[0] == 1 and b.requires_grad:
            return _as_saved(a, squeeze(b, 0))
    if min(na, nb) <= 2 < max(na, nb):  # one matrix, or vector, times many
        large, small = (a, b) if na >= nb else (b, a)
        rows = large._array if large is a else large._array.swapaxes(-1, -2)
        viewable = not rows.size or can_view(rows, (rows[..., 0].size, rows.shape[-1]))
        if small.requires_grad or na != 2 and viewable:
            return [x if x is small or viewable else clone(x) for x in (a, b)]
    batch = broadcast_shapes(a._array.shape[:-2], b._array.shape[:-2])
    spread = [np.broadcast_to(x._array, batch + x._array.shape[-2:]) for x in (a, b)]
    return [
        x if not s.size or can_view(s, (math.prod(batch), *s.shape[len(batch) :])) else clone(x)
        for x, s in zip((a, b), spread)
    ]


def mm(input, mat2):
    """The product of two matrices."""
    _check_mm(input, mat2)
    return ops.matmul(input, mat2)


def _check_mm(input, mat2):
    _checked("mm", input, mat2)
    if input._array.ndim != 2:
        raise RuntimeError(f"self must be a matrix, but is {input._array.ndim}D")
    if mat2._array.ndim != 2:
        raise RuntimeError(f"mat2 must be a matrix, but is {mat2._array.ndim}D")
    _fit(input._array.shape, mat2._array.shape)


def bmm(input, mat2):
    """The products of two equally long rows of matrices."""
    _check_bmm(input, mat2)
    return ops.matmul(input, mat2)


def _check_bmm(input, mat2):
    _checked("bmm", input, mat2)
    if input._array.ndim != 3:
        raise RuntimeError(f"batch1 must be a 3D tensor, but is {input._array.ndim}D")
    if mat2._array.ndim != 3:
        raise RuntimeError(f"batch2 must be a 3D tensor, but is {mat2._array.ndim}D")
    (n, _, m), (k, p, _) = input._array.shape, mat2._array.shape
    if n != k or m != p:
        raise RuntimeError(
            f"Expected size for first two dimensions of batch2 tensor to be: [{n}, {m}] but got: [{k}, {p}]."
        )


def mv(input, vec):
    """The product of a matrix and a vector."""
    _check_mv(input, vec)
    return ops.mv(input, vec)


def _check_mv(input, vec):
    _checked("mv", input, vec, "vec")
    if input._array.ndim != 2 or vec._array.ndim != 1:
        raise RuntimeError(
            f"vector + matrix @ vector expected, got 1, {input._array.ndim}, {vec._array.ndim}: mv takes a matrix and "
            "a vector"
        )
    if input._array.shape[1] != vec._array.shape[0]:
        raise RuntimeError(
            f"size mismatch, got input ({input._array.shape[0]}), mat "
            f"({input._array.shape[0]}x{input._array.shape[1]}), vec ({vec._array.shape[0]})"
        )


def dot(input, tensor):
    """The sum of the products of two vectors."""
    _checked("dot", input, tensor, "tensor")
    if input._array.ndim != 1 or tensor._array.ndim != 1:
        raise RuntimeError(f"1D tensors expected, but got {input._array.ndim}D and {tensor._array.ndim}D tensors")
    if input._array.shape != tensor._array.shape:
        raise RuntimeError(
            f"inconsistent tensor size, expected tensor [{input._array.size}] and src [{tensor._array.size}] to have "
            f"the same number of elements, but got {input._array.size} and {tensor._array.size} elements respectively"
        )
    return ops.dot(input, tensor)


vdot = dot


def inner(input, other):
    """The sum of products over the last dims."""
    if not input._array.ndim or not other._array.ndim:
        return input * other
    if input._array.shape[-1] != other._array.shape[-1]:
        raise RuntimeError(
            "inner() the last dimension must match on both input tensors but got shapes "
            f"{list(input._array.shape)} and {list(other._array.shape)}"
        )
    return tensordot(input, other, ([-1], [-1]))


def outer(input, vec2):
    """input[i] * vec2[j]"""
    _check_outer(input, vec2)
    return unsqueeze(input, 1) * vec2


def _check_outer(input, vec2):
    for x, name in ((input, "self"), (vec2, "vec2")):
        if x._array.ndim != 1:
            raise RuntimeError(f"outer: Expected 1-D argument {name}, but got {x._array.ndim}-D")


ger = outer


def _blend(op, input, a, b, shape, beta, alpha):
    """op(input, a, b) where input expands to `shape`, that of the product; beta and alpha of its dtype"""
    own = input._array.shape
    if len(own) > len(shape) or broadcast_shapes(own, shape) != shape:
        raise RuntimeError(
            f"The expanded size of the tensor must match the existing size: input {list(own)} cannot be expanded to "
            f"{list(shape)}"
        )
    return op(input, a, b, scalar_as(beta, a.dtype), scalar_as(alpha, a.dtype))


def addmm(input, mat1, mat2, *, beta=1, alpha=1):
    """beta * input + alpha * (mat1 @ mat2)"""
    for name, x in (("mat1", mat1), ("mat2", mat2)):
        if x._array.ndim != 2:
            raise RuntimeError(f"{name} must be a matrix, got {x._array.ndim}-D tensor")
    _same_as_input(input, mat1)
    _check_mm(mat1, mat2)
    return _blend(ops.addmm, input, mat1, mat2, (mat1._array.shape[0], mat2._array.shape[1]), beta, alpha)


def _same_as_input(input, mat):
    if input._array.dtype != mat._array.dtype:
        raise RuntimeError(
            f"self and mat2 must have the same dtype, but got {input.dtype.type_name} and {mat.dtype.type_name}"
        )


def addmv(input, mat, vec, *, beta=1, alpha=1):
    """beta * input + alpha * (mat @ vec)"""
    _same_as_input(input, mat)
    _check_mv(mat, vec)
    return _blend(ops.addmv, input, mat, vec, mat._array.shape[:1], beta, alpha)


def addr(input, vec1, vec2, *, beta=1, alpha=1):
    """beta * input + alpha * outer(vec1, vec2)"""
    if isinstance(beta, float) and not input.dtype.is_floating_point:
        raise RuntimeError("For integral input tensors, argument beta must not be a floating point number.")
    _check_outer(vec1, vec2)
    input, vec1, vec2 = align([input, vec1, vec2], to_float=False)
    return _blend(ops.addr, input, vec1, vec2, vec1._array.shape + vec2._array.shape, beta, alpha)


def baddbmm(input, batch1, batch2, *, beta=1, alpha=1):
    """beta * input + alpha * (batch1 @ batch2), for rows of matrices"""
    _same_as_input(input, batch1)
    _check_bmm(batch1, batch2)
    shape = (*batch1._array.shape[:2], batch2._array.shape[2])
    return _blend(ops.baddbmm, input, batch1, batch2, shape, beta, alpha)


def addbmm(input, batch1, batch2, *, beta=1, alpha=1):
    """beta * input + alpha * sum(batch1[i] @ batch2[i])"""
    _check_bmm(batch1, batch2)
    _same_as_input(input, batch1)
    shape = (batch1._array.shape[1], batch2._array.shape[2])
    return _blend(ops.addbmm, input, batch1, batch2, shape, beta, alpha)


def chain_matmul(*matrices):
    """The product of several matrices."""
    out = matrices[0]
    for m in matrices[1:]:
        out = mm(out, m)
    return out


def matrix_power(input, n):
    """input @ input @ ..., n times (of the inverse for negative n), of square matrices (..., m, m); raises RuntimeError
    for others"""
    shape = input._array.shape
    if len(shape) < 2:
        raise RuntimeError("linalg.matrix_power: The input tensor A must have at least 2 dimensions.")
    if shape[-1] != shape[-2]:
        raise RuntimeError(
            "linalg.matrix_power: A must be batches of square matrices, but they are "
            f"{shape[-2]} by {shape[-1]} matrices"
        )
    if n < 0:
        return matrix_power(input.inverse(), -n)
    if n == 0:
        return copied(input, wrap(np.broadcast_to(np.eye(shape[-1], dtype=input._array.dtype), shape).copy()))
    out = None
    square = input
    while n:
        if n & 1:
            out = square if out is None else matmul(out, square)
        n >>= 1
        square = matmul(square, square) if n else square
    return out


def cross(input, other, dim=None):
    """The cross product of 3-vectors along a dim."""
    if dim is None:
        dim = next((i for i, n in enumerate(input._array.shape) if n == 3), -1)
    if input._array.ndim != other._array.ndim:
        raise RuntimeError("linalg.cross: inputs must have the same number of dimensions.")
    if input._array.shape[dim] != 3 or other._array.shape[dim] != 3:
        raise RuntimeError(
            f"linalg.cross: inputs dimension {dim} must have length 3. Got {input._array.shape[dim]} and "
            f"{other._array.shape[dim]}"
        )
    refuse_kinds("cross", input, "b")
    _one_scalar_type(input, other)
    return ops.cross(input, other, dim % input._array.ndim)


def kron(input, other):
    """The Kronecker product."""
    n = max(input._array.ndim, other._array.ndim)
    a = input.reshape((1,) * (n - input._array.ndim) + input._array.shape)
    b = other.reshape((1,) * (n - other._array.ndim) + other._array.shape)
    shape = [i * j for i, j in zip(a._array.shape, b._array.shape)]
    a = a.reshape([k for i in a._array.shape for k in (i, 1)])
    b = b.reshape([k for i in b._array.shape for k in (1, i)])
    return unsafe_view(a * b, tuple(shape))


def tensordot(a, b, dims=2):
    """The sum of products over the last `dims` dims of a and the first of b, or over two lists of dims.

    The result has the remaining dims of a, then those of b. Raises RuntimeError for sizes or lists that do not match.
    """
    if isinstance(dims, Tensor):
        dims = dims.tolist()
    if isinstance(dims, int):
        if dims < 0:
            raise RuntimeError(f"tensordot expects dims >= 0, but got dims={dims}")
        if dims > min(a._array.ndim, b._array.ndim):
            raise RuntimeError(f"tensordot expects dims < ndim_a or ndim_b, but got dims={dims}")
        dims = list(range(a._array.ndim - dims, a._array.ndim)), list(range(dims))
    if len(dims[0]) != len(dims[1]):
        raise RuntimeError(f"both dimension lists should have same length, and they are {dims[0]} and {dims[1]}")
    _one_dtype(a, b)
    over_a = [d % a._array.ndim for d in dims[0]]
    over_b = [d % b._array.ndim for d in dims[1]]
    keep_a = [i for i in range(a._array.ndim) if i not in over_a]
    keep_b = [i for i in range(b._array.ndim) if i not in over_b]
    for i, j in zip(over_a, over_b):
        if b._array.shape[j] == 1:  # a size of 1 broadcasts: what it meets is summed first
            a = to_dtype(reduce_sum(a, axis=(i,), keepdims=True), a.dtype)
        elif a._array.shape[i] == 1:
            b = to_dtype(reduce_sum(b, axis=(j,), keepdims=True), b.dtype)
        if a._array.shape[i] != b._array.shape[j]:
            raise RuntimeError(
                f"contracted dimensions need to match, but first has size {a._array.shape[i]} in dim {i} and second "
                f"has size {b._array.shape[j]} in dim {j}"
            )
    rows, size, columns = (
        math.prod(x._array.shape[i] for i in dims) for x, dims in ((a, keep_a), (a, over_a), (b, keep_b))
    )
    out_shape = [a._array.shape[i] for i in keep_a] + [b._array.shape[i] for i in keep_b]
    left, right = a.permute(keep_a + over_a), b.permute(over_b + keep_b)
    if rows == columns == 1:
        if left.is_contiguous() and right.is_contiguous():
            product = dot(left.reshape(size), right.reshape(size))
        else:  # as torch does it; so there are booleans that it takes and others that dot refuses
            product = to_dtype(reduce_sum(squeeze(left) * squeeze(right), axis=None, keepdims=False), a.dtype)
        return product.reshape(out_shape)
    return mm(left.reshape(rows, size), right.reshape(size, columns)).reshape(out_shape)


def _one_dtype(a, b):
    if a._array.dtype != b._array.dtype:
        raise RuntimeError(
            f"both inputs should have same dtype, but got {a.dtype.type_name} and {b.dtype.type_name}. Convert one of "
            "them, as in x.to(other.dtype)."
        )


# -- einsum --------------------------------------------------------------------------------------------------------

LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"


def einsum(equation, *operands):
    """Sums of products by Einstein's convention, as einsum("ij,jk->ik", a, b).

    The operands are contracted from left to right, two at a time, each pair by one batched matrix product.
    """
    if not isinstance(equation, str):
        equation, operands = _from_sublists((equation, *operands))
    elif len(operands) == 1 and isinstance(operands[0], (tuple, list)):
        operands = tuple(operands[0])
    terms, output = _parse(equation, operands)
    single = len(operands) == 1
    factors = [(_diagonalised if single else _essential)(labels, x) for labels, x in zip(terms, operands)]
    labels, result = factors[0]
    for i, (other_labels, other) in enumerate(factors[1:], 2):
        later = set(output).union(*(labels for labels, _ in factors[i:]))
        labels, result = _pair(labels, result, other_labels, other, later)
    gone = tuple(i for i, label in enumerate(labels) if label not in output)
    if gone:
        result = reduce_sum(result, axis=gone, keepdims=False)
        labels = [label for label in labels if label in output]
    return result if list(labels) == list(output) else _arranged(result, labels, output)


def _from_sublists(args):
    """The equation that torch's interleaved format (operand, [labels], ..., [output]) stands for."""

    def text(labels):
        return "".join("..." if label is ... else LETTERS[label] for label in labels)

    output = "->" + text(args[-1]) if len(args) % 2 else ""
    pairs = args[: len(args) // 2 * 2]
    return ",".join(text(s) for s in pairs[1::2]) + output, pairs[::2]


def _parse(equation, operands):
    """Each operand's labels ('...' replaced by digits counted from the right), and the output's."""
    inputs, arrow, out = equation.replace(" ", "").partition("->")
    texts = inputs.split(",")
    if not operands:
        raise RuntimeError("einsum(): must provide at least one operand")
    if len(texts) != len(operands):
        many = "fewer" if len(texts) > len(operands) else "more"
        raise RuntimeError(f"einsum(): {many} operands were provided than specified in the equation")
    terms, sizes, widest = [], {}, 0
    for number, (text, x) in enumerate(zip(texts, operands)):
        named = text.replace("...", "")
        for c in named:
            if c not in LETTERS:
                raise RuntimeError(
                    f"einsum(): invalid subscript given at index {equation.find(c)} in the equation string, subscripts "
                    "must be in [a-zA-Z]"
                )
        dots = x._array.ndim - len(named)
        if dots < 0 or (dots and "..." not in text):
            raise RuntimeError(
                f"einsum(): the number of subscripts in the equation ({len(named)}) does not match the number of "
                f"dimensions ({x._array.ndim}) for operand {number}"
                + (" and no ellipsis was given" if "..." not in text else "")
            )
        widest = max(widest, dots if "..." in text else 0)
        before, _, after = text.partition("...")
        labels = list(before) + [("...", dots - i) for i in range(dots)] * ("..." in text) + list(after)
        for label, n in zip(labels, x._array.shape):
            known = sizes.get(label, 1)
            if n != known and 1 not in (n, known):
                raise RuntimeError(
                    f"einsum(): subscript {label if isinstance(label, str) else '...'} has size {n} for operand "
                    f"{number} which does not broadcast with previously seen size {known}"
                )
            sizes[label] = max(n, known) if 0 not in (n, known) else 0
        terms.append(labels)
    spread = [("...", widest - i) for i in range(widest)]
    if arrow:
        before, dots, after = out.partition("...")
        output = list(before) + (spread if dots else []) + list(after)
        for label in before + after:
            if label not in sizes:
                raise RuntimeError(
                    f"einsum(): output subscript {label} does not appear in the equation for any input operand"
                )
            if output.count(label) > 1:
                raise RuntimeError(f"einsum(): output subscript {label} appears more than once in the output")
    else:
        seen = [label for labels in terms for label in labels]
        output = spread + sorted({s for s in seen if isinstance(s, str) and seen.count(s) == 1})
    return terms, output


def _diagonalised(labels, x):
    """The operand with each label once: a repeated one is a diagonal."""
    labels = list(labels)
    for label in dict.fromkeys(labels):
        while labels.count(label) > 1:
            i = labels.index(label)
            j = labels.index(label, i + 1)
            if x._array.shape[i] != x._array.shape[j]:
                raise RuntimeError(
                    f"einsum(): subscript {label} is repeated for operand 0 but the sizes don't match, "
                    f"{x._array.shape[j]} != {x._array.shape[i]}"
                )
            x = movedim(x.diagonal(0, i, j), -1, i)
            del labels[j]
    return labels, x


def _essential(labels, x):
    """The operand without its dims of size 1, whatever their labels: they broadcast, so there is nothing to sum."""
    labels, x = _diagonalised(labels, x)
    shape = x._array.shape
    if 1 not in shape:
        return labels, x
    return [s for s, n in zip(labels, shape) if n != 1], reshape(x, [n for n in shape if n != 1])


def _pair(labels, a, other_labels, b, later):
    """The product of two operands, summed over every label that nobody needs later."""
    shared = [label for label in labels if label in other_labels]
    summed = [s for s in shared if s not in later]
    batch = [s for s in shared if s in later]
    left = [s for s in labels if s not in other_labels]
    right = [s for s in other_labels if s not in labels]
    for own in (left, right):  # a label of one operand only, that nobody needs, is summed at once
        for label in [s for s in own if s not in later]:
            own.remove(label)
            if label in labels:
                a = reduce_sum(a, axis=(labels.index(label),), keepdims=False)
                labels = [s for s in labels if s != label]
            else:
                b = reduce_sum(b, axis=(other_labels.index(label),), keepdims=False)
                other_labels = [s for s in other_labels if s != label]
    if not summed:
        order = batch + left + right
        return order, mul(_arranged(a, labels, order), _arranged(b, other_labels, order))
    size = dict(zip(labels + other_labels, a._array.shape + b._array.shape))
    n, m, k, p = (math.prod(size[s] for s in group) for group in (batch, left, summed, right))
    _one_scalar_type(a, b)
    if n and m and k and p:
        refuse_kinds("bmm", a, "b")
    a = reshape(_arranged(a, labels, batch + left + summed), n, m, k)
    b = reshape(_arranged(b, other_labels, batch + summed + right), n, k, p)
    order = batch + left + right
    return order, reshape(ops.matmul(a, b), [size[s] for s in order])


def _one_scalar_type(a, b):
    if a._array.dtype != b._array.dtype:
        raise RuntimeError(f"expected scalar type {a.dtype.type_name} but found {b.dtype.type_name}")


def _arranged(x, labels, order):
    """x with its labels in `order`; a label it lacks becomes size 1."""
    x = x.permute([labels.index(s) for s in order if s in labels])
    for i, label in enumerate(order):
        if label not in labels:
            x = unsqueeze(x, i)
    return x


def cov(input, *, correction=1, fweights=None, aweights=None):
    """The covariances of the rows, each a variable; `fweights` counts each column so often, `aweights` weighs it."""
    if input._array.ndim > 2:
        raise RuntimeError(
            "cov(): expected input to have two or fewer dimensions but got an input with "
            f"{input._array.ndim} dimensions"
        )
    if input._array.dtype.kind == "b":
        raise RuntimeError("cov(): bool dtype is not supported for input")
    rows = input if input._array.ndim == 2 else reshape(input, 1, -1)
    n = rows._array.shape[1]
    weights = _weights(fweights, "fweights", "iu", "integral", n)
    if aweights is not None:
        aweights = _weights(aweights, "aweights", "f", "floating point", n)
        weights = aweights if weights is None else weights * aweights
    weighted = (lambda x: x) if weights is None else (lambda x: x * weights)
    total = wrap(np.array(n)) if weights is None else weights.sum()
    if weights is not None and not total._array:
        raise RuntimeError("cov(): weights sum to zero, can't be normalized")
    mean = true_divide(weighted(rows).sum(1), total)
    if aweights is not None and correction:
        degrees = total - correction * (weights * aweights).sum() / total
    else:
        degrees = total - correction
    if degrees._array <= 0:
        warnings.warn("cov(): degrees of freedom is <= 0. Correction should be strictly less than the number of "
                      "observations.", UserWarning, stacklevel=3)  # fmt: skip
        degrees = degrees * 0
    centred = rows - unsqueeze(mean, 1)
    return squeeze(true_divide(mm(centred, weighted(centred).t()), degrees))


def _weights(weights, name, kinds, wanted, n):
    """The weights of cov's columns, checked."""
    if weights is None:
        return None
    array = weights._array
    if array.ndim > 1:
        raise RuntimeError(f"cov(): expected {name} to have one or fewer dimensions but got {name} with {array.ndim} "
                           "dimensions")  # fmt: skip
    if array.dtype.kind not in kinds:
        raise RuntimeError(
            f"cov(): expected {name} to have {wanted} dtype but got {name} with {weights.dtype.type_name} dtype"
        )
    if array.size != n:
        raise RuntimeError(
            f"cov(): expected {name} to have the same numel as there are observations in the input but got "
            f"{array.size} != {n}"
        )
    if array.size and array.min() < 0:
        raise RuntimeError(f"cov(): {name} cannot be negative")
    return weights


def corrcoef(input):
    """The correlations of the rows, each a variable."""
    if input._array.ndim > 2:
        raise RuntimeError(
            "corrcoef(): expected input to have two or fewer dimensions but got an input with "
            f"{input._array.ndim} dimensions"
        )
    covariances = cov(input)
    if not covariances._array.ndim:
        return covariances / covariances
    deviations = sqrt(diag(covariances))
    return clamp(covariances / deviations.view(-1, 1) / deviations.view(1, -1), -1, 1)
