"""The ops that move elements without computing: reshapes, permutations, broadcasts, joins, flips.

Owns forward and derivative formulas; each op's adjoint is another op of this file, so every order of derivative exists.
Ops declared with `view=True` return the same memory. `axis`, `axes` and shapes arrive normalised and checked.
"""

import functools
from inspect import Parameter, Signature

from ..primitive import overload, primitive


def _named(default):
    """The node is named as the torch function that was called, which these ops are told in `label`."""
    return lambda node: (node.static[-1] or default) + "Backward0"


@primitive(view=True, x=lambda g, xp, x_shape, label: xp.reshape(g, x_shape), name=_named("View"))
def reshape(xp, x, *, shape, label):
    """The same elements in order, as another shape."""
    return xp.reshape(x, shape)


@primitive(x=lambda g, xp, x_shape: xp.reshape(g, x_shape), name="UnsafeViewBackward0")
def unsafe_view(xp, x, *, shape):
    """`reshape` of what nobody else will see: the result is no view."""
    return xp.reshape(x, shape)


unsafe_squeeze = overload(unsafe_view, "SqueezeBackward4")


@primitive(view=True, x=lambda g, xp, axes, label: xp.permute(g, xp.inverse(axes)), name=_named("Permute"))
def permute(xp, x, *, axes, label):
    """The axes in another order."""
    return xp.permute(x, axes)


@primitive(view=True, x=lambda g, xp, x_shape: xp.sum_to(g, x_shape), name="ExpandBackward0")
def broadcast_to(xp, x, *, shape):
    """Repeated along new and size-1 axes, without copying."""
    return xp.broadcast_to(x, shape)


@primitive(x=lambda g, xp, x_shape: xp.broadcast_to(g, x_shape), name="SumBackward1")
def sum_to(xp, x, *, shape):
    """The adjoint of broadcast_to: summed back to `shape`."""
    return xp.sum_to(x, shape)


@primitive(view=True, x=lambda g, xp, offset, axes, x_shape: xp.diagonal_adjoint(g, x_shape, offset, axes))
def diagonal(xp, x, *, offset, axes):
    """The diagonal of two axes, as a new last axis."""
    return xp.diagonal(x, offset, axes)


@primitive(x=lambda g, xp, offset, axes: xp.diagonal(g, offset, axes), name="DiagonalBackwardBackward0")
def diagonal_adjoint(xp, x, *, shape, offset, axes):
    """Zeros of `shape` with x on the diagonal."""
    return xp.diagonal_adjoint(x, shape, offset, axes)


diag_embed = overload(diagonal_adjoint, "DiagEmbedBackward0")


@primitive(x=lambda g, xp, offset, axes, x_shape: xp.diagonal_adjoint(g, x_shape, offset, axes),
           name="DiagonalBackward0_copy")  # fmt: skip
def diagonal_copy(xp, x, *, offset, axes):
    """The diagonal of two axes, as a new last axis, in memory of its own."""
    return xp.copy(xp.diagonal(x, offset, axes))


@primitive(
    x=lambda g, xp, x_shape: xp.diagonal_adjoint(xp.broadcast_to(g, (min(x_shape),)), x_shape, 0, (0, 1)),
)
def trace(xp, x):
    """The sum of a matrix's diagonal."""
    return xp.sum(xp.diagonal(x, 0, (0, 1)), None, False)


@primitive(view=True, x=lambda g, xp, x_shape, axis, size, step: xp.unfold_adjoint(g, x_shape, axis, size, step))
def unfold(xp, x, *, axis, size, step):
    """Windows along an axis, `step` apart, in a new last axis: views that overlap."""
    return xp.unfold(x, axis, size, step)


@primitive(x=lambda g, xp, axis, size, step: xp.unfold(g, axis, size, step), name="UnfoldBackwardBackward0")
def unfold_adjoint(xp, x, *, shape, axis, size, step):
    """Zeros of `shape` with the windows added where they were taken."""
    return xp.unfold_adjoint(x, shape, axis, size, step)


@primitive(x=lambda g, xp, axes: xp.flip(g, axes))
def flip(xp, x, *, axes):
    """Backwards along each of the axes."""
    return xp.flip(x, axes)


@primitive(x=lambda g, xp, shifts, axes: xp.roll(g, tuple(-s for s in shifts), axes))
def roll(xp, x, *, shifts, axes):
    """Shifted along the axes; what leaves at one end enters at the other."""
    return xp.roll(x, shifts, axes)


@primitive(x=lambda g, xp, k, axes: xp.rot90(g, -k, axes))
def rot90(xp, x, *, k, axes):
    """Turned by k quarter turns from the first axis towards the second."""
    return xp.rot90(x, k, axes)


def _blocks(shape, repeats):
    """The shape of what is repeated, each axis in two: the copies, and the size of one."""
    own = (1,) * (len(repeats) - len(shape)) + tuple(shape)
    return tuple(k for block in zip(repeats, own) for k in block)


@primitive(
    x=lambda g, xp, x_shape, repeats: xp.reshape(
        xp.sum(xp.reshape(g, _blocks(x_shape, repeats)), tuple(range(0, 2 * len(repeats), 2)), False), x_shape
    )
)
def repeat(xp, x, *, repeats):
    """Copies side by side, `repeats` along each axis; x counts as having axes of size 1 in front."""
    blocks = _blocks(x.shape, repeats)
    wide = xp.broadcast_to(xp.reshape(x, _blocks(x.shape, (1,) * len(repeats))), blocks)
    return xp.reshape(xp.copy(wide), tuple(r * n for r, n in zip(blocks[::2], blocks[1::2])))


@primitive(x=lambda g, xp, k: xp.tril(g, k))
def tril(xp, x, *, k):
    """Zero above the k-th diagonal."""
    return xp.tril(x, k)


@primitive(x=lambda g, xp, k: xp.triu(g, k))
def triu(xp, x, *, k):
    """Zero below the k-th diagonal."""
    return xp.triu(x, k)


@primitive(x=lambda g, xp, x_shape: xp.zeros(x_shape, g), name="CatBackward0")
def as_nothing(xp, x, *, shape):
    """An empty vector as the piece of nothing that cat lets it be beside larger tensors; its gradient has no history"""
    return xp.reshape(x, shape)


@functools.cache
def concat_of(n):
    """The op that joins n tensors along an axis: `concat_of(2)(a, b, axis, bounds)`; `bounds` says where each
    begins."""

    def concat(xp, *arrays, axis, bounds):
        return xp.concat(arrays, axis)

    return _of_many(concat, n, _piece, "CatBackward0")


def _piece(i):
    return lambda g, xp, axis, bounds: xp.slice(g, (slice(None),) * axis + (slice(bounds[i], bounds[i + 1]), ...))


@functools.cache
def stack_of(n):
    """The op that joins n tensors of one shape along a new axis: `stack_of(2)(a, b, axis)`."""

    def stack(xp, *arrays, axis):
        thin = (*arrays[0].shape[:axis], 1, *arrays[0].shape[axis:])
        return xp.concat([xp.reshape(a, thin) for a in arrays], axis)

    return _of_many(stack, n, _layer, "StackBackward0")


def _layer(i):
    return lambda g, xp, axis: xp.slice(g, (slice(None),) * axis + (i, ...))


def _of_many(forward, n, formula, name):
    """The op of n tensors that `forward` computes, `formula(i)` being the derivative by the i-th."""
    inputs = [f"x{i}" for i in range(n)]
    static = forward.__code__.co_varnames[1 : 1 + forward.__code__.co_kwonlyargcount]
    forward.__signature__ = Signature(
        [Parameter(name, Parameter.POSITIONAL_OR_KEYWORD) for name in ["xp", *inputs]]
        + [Parameter(name, Parameter.KEYWORD_ONLY) for name in static]
    )
    return primitive(name=name, **{x: formula(i) for i, x in enumerate(inputs)})(forward)


concat_of(2), stack_of(2)  # registers the ops, each under its one name
