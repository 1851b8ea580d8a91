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


index_select, gather_nothing = overload(index, "IndexSelectBackward0"), overload(index, "GatherBackward0")


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


select_scatter, slice_scatter = (
    overload(with_item, "SelectScatterBackward0"), overload(with_item, "SliceScatterBackward0"),
)  # fmt: skip


@primitive(
    held=("key",),
    x=lambda g, xp, key: xp.with_item(g, xp.zeros_like(xp.item(g, key)), key),
    value=lambda g, xp, value_shape, key: xp.sum_to(xp.item(g, key), value_shape),
)
def index_put(xp, x, value, *, key):
    """A copy of x with x[key] = value for a key with integer or boolean arrays."""
    return xp.with_item(x, value, key)


index_copy = overload(index_put, "IndexCopyBackward0")
index_fill, index_fill_tensor = overload(index_put, "IndexFillBackward0"), overload(index_put, "IndexFillBackward1")


@primitive(
    held=("key",),
    x=lambda g: g,
    value=lambda g, xp, value_shape, key: xp.sum_to(xp.item(g, key), value_shape),
    name="IndexPutBackward0",
)
def with_item_added(xp, x, value, *, key):
    """A copy of x with value added at the key, once for each time a place is named."""
    return xp.with_item_added(x, value, key)


index_add = overload(with_item_added, "IndexAddBackward0")


@primitive(x=lambda g, xp, x, mask: xp.sum_to(xp.index_adjoint(g, mask.shape, (mask,)), x.shape))
def masked_select(xp, x, *, mask):
    """The elements where the mask is true, as a vector; x broadcasts to it."""
    return xp.index(xp.broadcast_to(x, mask.shape), (mask,))


@primitive(
    held=("mask",),
    x=lambda g, xp, x_shape, mask: xp.sum_to(xp.where(mask, 0, g), x_shape),
    src=lambda g, xp, src_shape, mask: xp.reshape(
        xp.embed(xp.index(g, (mask,)), (xp.count(src_shape, None),)), src_shape
    ),
)
def masked_scatter(xp, x, src, *, mask):
    """x, broadcast to the mask, with its elements where that is true replaced by the first of src, in order."""
    return xp.with_item(xp.broadcast_to(x, mask.shape), xp.slice(xp.reshape(src, (-1,)), (slice(mask.sum()),)), (mask,))


@primitive(
    x=lambda g, xp, x, positions: xp.reshape(xp.index_adjoint(g, (xp.count(x.shape, None),), (positions,)), x.shape)
)
def take(xp, x, *, positions):
    """The elements at flat positions, which may repeat."""
    return xp.index(xp.reshape(x, (-1,)), (positions,))


@primitive(
    held=("positions",),
    x=lambda g, xp, positions, accumulate: (
        g if accumulate else xp.put_positions(g, xp.zeros(positions.shape, g), positions)
    ),
    src=lambda g, xp, src_shape, positions, accumulate: xp.reshape(
        xp.index(xp.reshape(g, (xp.count(g.shape, None),)), (positions,)), src_shape
    ),
)
def put(xp, x, src, *, positions, accumulate):
    """A copy of x with the elements at flat positions replaced by src's, or src's added to them."""
    src = xp.reshape(src, positions.shape)
    if not accumulate:
        return xp.put_positions(x, src, positions)
    return xp.reshape(xp.with_item_added(xp.reshape(x, (-1,)), src, (positions,)), x.shape)


@primitive(
    held=("index",),
    x=lambda g, xp, x_shape, axis, index, label: xp.gather_adjoint(xp.reshape(g, index.shape), x_shape, axis, index),
    name=_item_name,
)
def picked(xp, x, *, axis, index, shape, label):
    """The elements at `index` along an axis, as `shape`: what max(dim), sort and topk give a gradient to."""
    return xp.reshape(xp.gather(x, axis, index), shape)


sort_stable, nanmedian_along = overload(picked, "SortBackward1"), overload(picked, "NanmedianBackward1")


@primitive(x=lambda g, xp, x, axis, index: xp.gather_adjoint(g, x.shape, axis, index))
def gather(xp, x, *, axis, index):
    """out[i][j] = x[index[i][j]][j] along axis 0, and so on; index may be smaller than x elsewhere

    Here and in scatter a 0-d x counts as a vector of one.
    """
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


scatter_number = overload(scatter, "ScatterBackward1")


@primitive(
    held=("index",),
    x=lambda g: g,
    src=lambda g, xp, src_shape, axis, index: xp.embed(xp.gather(g, axis, index), src_shape),
    single=("out",),
)
def scatter_add(xp, x, src, *, axis, index):
    """A copy of x with src[i][j] added to out[index[i][j]][j] along axis 0, and so on."""
    return xp.scatter_add(x, src, axis, index)


def _shared(g, counts):
    return g if counts is None else g / counts


@primitive(
    held=("index",),
    x=lambda g, xp, axis, index, counts, include_self: (
        _shared(g, counts) if include_self else xp.scatter(_shared(g, counts), xp.zeros(index.shape, g), axis, index)
    ),
    src=lambda g, xp, src_shape, axis, index, counts: xp.embed(xp.gather(_shared(g, counts), axis, index), src_shape),
)
def scatter_reduce(xp, x, src, *, axis, index, counts, include_self):
    """scatter_add, onto zeros where index names a place unless include_self, over `counts`; None for the sum itself."""
    start = x if include_self else xp.scatter(x, xp.zeros(index.shape, x), axis, index)
    return _shared(xp.scatter_add(start, src, axis, index), counts)


@primitive(
    held=("positions",),
    absorbs="value",
    x=lambda g, xp, positions: xp.put_positions(g, xp.zeros(positions.shape, g), positions),
    value=lambda g, xp, positions: xp.at_positions(g, positions),
    name="torch::autograd::CopySlices",
)
def put_positions(xp, x, value, *, positions):
    """A copy of x with the elements at flat `positions` replaced: how writing through a view is recorded."""
    return xp.put_positions(x, value, positions)


diagonal_scatter = overload(put_positions, "DiagonalScatterBackward0")


def _shown_g(g, xp, x_shape, positions, index):
    if index is None:
        return xp.put_positions(xp.zeros(x_shape, g), g, positions)
    size = xp.count(x_shape, None)
    return xp.reshape(xp.gather_adjoint(xp.reshape(g, index.shape), (size,), 0, index), x_shape)


@primitive(x=_shown_g, name="AsStridedBackward0")
def at_positions(xp, x, *, positions, index=None):
    """The elements at flat `positions`: what a view shows of its base. `index`: the same flattened, where a place is
    shown more than once, so that its cotangents add up."""
    return xp.at_positions(x, positions)
