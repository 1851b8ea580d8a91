"""Every primitive op, and the namespace in which derivative formulas run on Tensors.

Owns `Recorded`: the names of the array namespaces (see `namespace.py`) answered by minigrad's own recorded ops. A
formula evaluated there leaves a graph behind, which is double backward.
"""

from ..dtypes import from_numpy
from ..namespace import count, inverse, kept_shape, namespaces
from ..primitive import align, to_dtype
from ..tensor import Tensor, wrap
from . import elementwise, indexing, linalg, reduction, shape


class Recorded:
    """The array namespace of Tensors."""

    vars().update(
        (name, op)
        for table in (elementwise, reduction, shape, indexing, linalg)
        for name, op in vars(table).items()
        if hasattr(op, "primitive")
    )
    count, inverse = count, inverse
    recorded = True

    def where(condition, a, b):
        a, b = align((a, b), to_float=False)
        return elementwise.choose(condition if isinstance(condition, Tensor) else wrap(condition), a, b)

    def cast(x, dtype):
        return to_dtype(x, dtype if not hasattr(dtype, "kind") else from_numpy(dtype))

    def copy(x):
        return elementwise.clone(x)

    def to_device(x, device):
        return elementwise.to_device(x, device=device, x_device=x.device)

    def times(x, number):
        return x * number

    def over_count(x, count):
        return x / count

    def zeros_like(x):
        return wrap(namespaces[x._array.__class__].zeros(x._array.shape, x._array))

    def zeros(shape, like):
        return wrap(namespaces[like._array.__class__].zeros(shape, like._array))

    def widen(g, x_shape, axis, keepdims):
        return g if keepdims or axis is None else shape.reshape(g, kept_shape(x_shape, axis), None)

    def sum_to(g, to):
        to = tuple(to)
        return g if g._array.shape == to else shape.sum_to(g, to)

    def reshape(x, to):
        return shape.reshape(x, to, None)

    def permute(x, axes):
        return shape.permute(x, axes, None)

    def mT(x):
        axes = list(range(x._array.ndim))
        axes[-2:] = axes[:-3:-1]
        return shape.permute(x, tuple(axes), "Transpose")

    def cond(predicate, then, otherwise):
        return then() if bool(predicate) else otherwise()

    def concat(tensors, axis):
        bounds = [0]
        for t in tensors:
            bounds.append(bounds[-1] + t._array.shape[axis])
        return shape.concat_of(len(tensors))(*tensors, axis=axis, bounds=tuple(bounds))

    def slice(x, key):
        return indexing.slice_(x, key, "Slice")

    def item(x, key):
        basic = all(k is None or k is ... or isinstance(k, (int, _slice)) for k in key)
        return indexing.slice_(x, key, "Slice") if basic else indexing.index(x, key)

    def embed(x, to):
        return x if x._array.shape == to else indexing.slice_adjoint(x, to, tuple(_slice(n) for n in x._array.shape))

    def lowest(x):
        return namespaces[x._array.__class__].lowest(x._array)

    def outer(a, b):
        return shape.reshape(a, (-1, 1), None) * b


_slice = slice
namespaces[Tensor] = Recorded
