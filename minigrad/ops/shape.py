"""The ops that move elements without computing: reshapes, permutations, broadcasts, joins, flips.

Owns forward and derivative formulas; each op's adjoint is another op of this file, so every order of derivative exists.
Ops declared with `view=True` return the same memory. `axis`, `axes` and shapes arrive normalised and checked.
"""

import functools
from inspect import Parameter, Signature

from ..primitive import primitive


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


@primitive(x=lambda g, xp, axes: xp.flip(g, axes))
def flip(xp, x, *, axes):
    """Backwards along each of the axes."""
    return xp.flip(x, axes)


@primitive(x=lambda g, xp, shifts, axes: xp.roll(g, tuple(-s for s in shifts), axes))
def roll(xp, x, *, shifts, axes):
    """Shifted along the axes; what leaves at one end enters at the other."""
    return xp.roll(x, shifts, axes)


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
    names = [f"x{i}" for i in range(n)]

    def concat(xp, *arrays, axis, bounds):
        return xp.concat(arrays, axis)

    concat.__signature__ = Signature(
        [Parameter(name, Parameter.POSITIONAL_OR_KEYWORD) for name in ["xp", *names]]
        + [Parameter(name, Parameter.KEYWORD_ONLY) for name in ("axis", "bounds")]
    )
    return primitive(name="CatBackward0", **{name: _piece(i) for i, name in enumerate(names)})(concat)


def _piece(i):
    return lambda g, xp, axis, bounds: xp.slice(g, (slice(None),) * axis + (slice(bounds[i], bounds[i + 1]), ...))


concat_of(2)  # registers the op, under its one name
