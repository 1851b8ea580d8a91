"""Reading and writing parts of a tensor.

Owns forward and derivative formulas of indexing, gathering and scattering. Every read has its adjoint, a sum into
zeros, and the other way round. `key` is an index NumPy understands (a tuple of ints, slices, None, Ellipsis and integer
or boolean arrays), already checked; `index` is an integer array.
"""

from ..primitive import overload, primitive


def _item_name(node):
    return node.static[-1] + "Backward0"


@primitive(view=True, x=lambda g, xp, x_shape, key, label: xp.slice_adjoint(g, x_shape, key), name=_item_name)
def slice_(xp, x, *, key, label):
    """x[key] for a key of ints, slices, None and Ellipsis: a view."""
    return x[key]


squeeze_dim, squeeze_dims = overload(slice_, "SqueezeBackward1"), overload(slice_, "SqueezeBackward2")


@primitive(x=lambda g, xp, key: xp.slice(g, key), name="SliceBackwardBackward0")
def slice_adjoint(xp, x, *, shape, key):
    """Zeros of `shape` with x at the key."""
    return xp.slice_adjoint(x, shape, key)


@primitive(held=("key",), x=lambda g, xp, x_shape, key: xp.index_adjoint(g, x_shape, key))
def index(xp, x, *, key):
    """x[key] for a key with integer or boolean arrays: a copy."""
    return xp.index(x, key)


@primitive(x=lambda g, xp, key: xp.index(g, key), name="IndexPutBackward0")
def index_adjoint(xp, x, *, shape, key):
    """Zeros of `shape` with x added at the key, once for each time a place is named."""
    return xp.index_adjoint(x, shape, key)


@primitive(
    held=("key",),
    x=lambda g, xp, key: xp.with_item(g, xp.zeros_like(xp.item(g, key)), key),
    value=lambda g, xp, value_shape, key: xp.sum_to(xp.item(g, key), value_shape),
    name="torch::autograd::CopySlices",
)
def with_item(xp, x, value, *, key):
    """A copy of x with x[key] = value."""
    return xp.with_item(x, value, key)


@primitive(
    held=("key",),
    x=lambda g, xp, key: xp.with_item(g, xp.zeros_like(xp.item(g, key)), key),
    value=lambda g, xp, value_shape, key: xp.sum_to(xp.item(g, key), value_shape),
)
def index_put(xp, x, value, *, key):
    """A copy of x with x[key] = value for a key with integer or boolean arrays."""
    return xp.with_item(x, value, key)


@primitive(
    held=("key",),
    x=lambda g: g,
    value=lambda g, xp, value_shape, key: xp.sum_to(xp.item(g, key), value_shape),
    name="IndexPutBackward0",
)
def with_item_added(xp, x, value, *, key):
    """A copy of x with value added at the key, once for each time a place is named."""
    return xp.with_item_added(x, value, key)


@primitive(
    held=("index",),
    x=lambda g, xp, x_shape, axis, index, label: xp.reshape(
        xp.gather_adjoint(xp.reshape(g, index.shape), x_shape or (1,), axis, index), x_shape
    ),
    name=_item_name,
)
def picked(xp, x, *, axis, index, shape, label):
    """The elements at `index` along an axis, as `shape`: what max(dim), sort and topk give a gradient to."""
    return xp.reshape(xp.gather(xp.reshape(x, x.shape or (1,)), axis, index), shape)


@primitive(x=lambda g, xp, x, axis, index: xp.gather_adjoint(g, x.shape, axis, index))
def gather(xp, x, *, axis, index):
    """out[i][j] = x[index[i][j]][j] along axis 0, and so on; index may be smaller than x elsewhere"""
    return xp.gather(x, axis, index)


@primitive(x=lambda g, xp, axis, index: xp.gather(g, axis, index), name="GatherBackwardBackward0")
def gather_adjoint(xp, x, *, shape, axis, index):
    """Zeros of `shape` with x added where gather read."""
    return xp.gather_adjoint(x, shape, axis, index)


@primitive(
    held=("index",),
    x=lambda g, xp, src_shape, axis, index: xp.scatter(g, xp.zeros(index.shape, g), axis, index),
    src=lambda g, xp, src_shape, axis, index: xp.embed(xp.gather(g, axis, index), src_shape),
)
def scatter(xp, x, src, *, axis, index):
    """A copy of x with out[index[i][j]][j] = src[i][j] along axis 0, and so on."""
    return xp.scatter(x, src, axis, index)


@primitive(
    held=("index",),
    x=lambda g: g,
    src=lambda g, xp, src_shape, axis, index: xp.embed(xp.gather(g, axis, index), src_shape),
)
def scatter_add(xp, x, src, *, axis, index):
    """A copy of x with src[i][j] added to out[index[i][j]][j] along axis 0, and so on."""
    return xp.scatter_add(x, src, axis, index)


@primitive(
    held=("positions",),
    x=lambda g, xp, positions: xp.put_positions(g, xp.zeros(positions.shape, g), positions),
    value=lambda g, xp, positions: xp.at_positions(g, positions),
    name="torch::autograd::CopySlices",
)
def put_positions(xp, x, value, *, positions):
    """A copy of x with the elements at flat `positions` replaced: how writing through a view is recorded."""
    return xp.put_positions(x, value, positions)


@primitive(
    x=lambda g, xp, x_shape, positions: xp.put_positions(xp.zeros(x_shape, g), g, positions), name="AsStridedBackward0"
)
def at_positions(xp, x, *, positions):
    """The elements at flat `positions`: what a view shows of its base."""
    return xp.at_positions(x, positions)
