"""The reductions: ops that take axes away, and the scans along one axis.

Owns forward and derivative formulas of each; `functions/reduction.py` gives them torch's `dim`. `axis` is None for all
axes, or a tuple of nonnegative numbers (one number for scans). `xp.widen` puts back, as size 1, the axes that a
reduction took away.
"""

import math

from ..primitive import overload, primitive
from .elementwise import no_booleans


def _evenly(g, xp, x, out, axis, keepdims):
    """g shared evenly among the elements of each group that equal its extreme `out`."""
    g, extreme = xp.widen(g, x.shape, axis, keepdims), xp.widen(out, x.shape, axis, keepdims)
    chosen = xp.cast(x == extreme, g.dtype)
    return g * chosen / xp.sum_to(chosen, extreme.shape)


def _evenly_with_nan(g, xp, x, out, axis, keepdims):
    """`_evenly` where the extreme is nan, too."""
    g, extreme = xp.widen(g, x.shape, axis, keepdims), xp.widen(out, x.shape, axis, keepdims)
    chosen = (x == extreme) | ((x != x) & (extreme != extreme))
    # Beside zeros in C order `where` gives C order, as torch has it whatever the order of x.
    return xp.where(chosen, g / xp.sum_to(xp.cast(chosen, g.dtype), extreme.shape), xp.zeros(x.shape, g))


def _var_g(g, xp, x, axis, correction, keepdims):
    """2 * g * (x - mean(x)) / degrees of freedom; torch's choice where there are none"""
    g = xp.widen(g, x.shape, axis, keepdims)
    degrees = xp.count(x.shape, axis) - correction
    if axis is None and degrees <= 0:
        return g * xp.where(x == xp.mean(x, axis, True), xp.zeros_like(x) + math.nan, math.inf)
    return xp.times(g, 2 / degrees if degrees else math.inf) * (x - xp.mean(x, axis, True))


def _product_of_others(xp, x, axis):
    """For each element the product of all the others along the axis: no division, so zeros are no exception."""
    if axis is None:
        return xp.reshape(_product_of_others(xp, xp.reshape(x, (xp.count(x.shape, None),)), 0), x.shape)
    if not x.shape[axis]:
        return x
    one = xp.zeros_like(_part(xp, x, axis, slice(1))) + 1
    if x.shape[axis] == 1:
        return one
    before = xp.cumprod(xp.concat((one, _part(xp, x, axis, slice(0, x.shape[axis] - 1))), axis), axis)
    after = xp.concat((_part(xp, x, axis, slice(1, None)), one), axis)
    return before * xp.flip(xp.cumprod(xp.flip(after, (axis,)), axis), (axis,))


def _part(xp, x, axis, part):
    return xp.slice(x, (slice(None),) * axis + (part, ...))


def _sum_from(xp, g, axis):
    """For each place along the axis the sum from there to the end."""
    if g.shape == ():
        return g
    return xp.flip(xp.cumsum(xp.flip(g, (axis,)), axis), (axis,))


def _prod_g(g, xp, x, out, axis):
    if x.shape == ():
        return g
    return xp.cond(
        xp.all(x, None, False),
        lambda: g * (out / x),
        lambda: _prod_g_at_zeros(g, xp, x, axis),
    )


def _prod_g_at_zeros(g, xp, x, axis):
    if axis is not None or xp.recorded:
        return g * _product_of_others(xp, x, axis and axis[0])
    return xp.cond(  # two zeros are in every product of others; their derivative may still be something
        xp.sum(xp.cast(x == 0, g.dtype), None, False) > 1,
        lambda: xp.zeros_like(x),
        lambda: g * _product_of_others(xp, x, None),
    )


def _cumprod_adjoint(g, xp, x, out, axis):
    """For each k: sum over i >= k of g[i] * (product of x[j] for j <= i, j != k); without zeros, by a division."""
    if xp.count(x.shape, None) <= 1 or x.shape[axis] == 1:  # as torch: no history of x, where there is nothing to it
        return g
    return xp.cond(
        xp.all(x, None, False),
        lambda: _sum_from(xp, g * out, axis) / x,
        lambda: (_cumprod_adjoint_term_by_term if xp.recorded else _cumprod_adjoint_at_zeros)(g, xp, x, out, axis),
    )


def _cumprod_adjoint_at_zeros(g, xp, x, out, axis):
    """In one sweep: by a division before the first zero, 0 behind it, and at it the sum up to the second zero."""
    zeros = xp.cumsum(xp.cast(x == 0, g.dtype), axis)
    first = (x == 0) & (zeros == 1)
    one = xp.zeros_like(_part(xp, x, axis, slice(1))) + 1
    before = xp.concat((one, _part(xp, out, axis, slice(0, x.shape[axis] - 1))), axis)
    behind = xp.cumprod(xp.where((zeros == 1) & (x != 0), x, 1), axis)
    at_first = xp.sum(xp.where(zeros == 1, g, 0) * behind, (axis,), True) * before
    ahead = _sum_from(xp, xp.where(zeros == 0, g * out, 0), axis) / x
    return xp.where(zeros == 0, ahead, xp.where(first, at_first, 0))


def _cumprod_adjoint_term_by_term(g, xp, x, out, axis):
    """Of products of x itself, so that it has a derivative in its turn."""
    n = x.shape[axis]
    one = xp.zeros_like(_part(xp, x, axis, slice(1))) + 1
    before = xp.cumprod(xp.concat((one, _part(xp, x, axis, slice(0, n - 1))), axis), axis)
    columns = [
        xp.sum(
            _part(xp, g, axis, slice(k, n)) * (_part(xp, before, axis, slice(k, k + 1)) * _behind(xp, x, one, axis, k)),
            (axis,),
            True,
        )
        for k in range(n)
    ]
    return xp.concat(tuple(columns), axis)


def _behind(xp, x, one, axis, k):
    """The running product of what follows place k along the axis, beginning with one."""
    return xp.cumprod(xp.concat((one, _part(xp, x, axis, slice(k + 1, None))), axis), axis)


def _norm_g(g, xp, x, out, p, axis, keepdims):
    """g times the derivative of the p-norm, 0 where the norm is; as torch's, that of p = 0 is None"""
    g, out = xp.widen(g, x.shape, axis, keepdims), xp.widen(out, x.shape, axis, keepdims)
    if p == 0:
        return None
    if p == 1:
        return g * xp.sign(x)
    if p == 2:
        return g * xp.where(out == 0, 0, x / out)
    if p in (math.inf, -math.inf):
        return _evenly_with_nan(g, xp, xp.abs(x), out, axis, True) * xp.sign(x)
    if p < 1:
        return g * xp.where(x == 0, 0, xp.sign(x) * xp.power(xp.abs(x), p - 1)) * xp.power(out, 1 - p)
    scaled = x * xp.power(xp.abs(x), p - 2) if p > 2 else xp.sign(x) * xp.power(xp.abs(x), p - 1)
    return scaled * xp.where(out == 0, 0, g / xp.power(out, p - 1))


def _logcumsumexp_g(g, xp, x, out, axis):
    """exp(x) times the sum from there on of g * exp(-out), in logarithms, the positive and negative g apart."""
    if g.shape == ():
        return g
    size, none = xp.log(xp.abs(g)), xp.lowest(g)
    positive = xp.logcumsumexp(xp.flip(xp.where(g > 0, size, none) - out, (axis,)), axis)
    negative = xp.logcumsumexp(xp.flip(xp.where(g < 0, size, none) - out, (axis,)), axis)
    return xp.exp(xp.flip(positive, (axis,)) + x) - xp.exp(xp.flip(negative, (axis,)) + x)


@primitive(
    x=lambda g, xp, x_shape, axis, keepdims: xp.broadcast_to(xp.widen(g, x_shape, axis, keepdims), x_shape),
    name=lambda node: "SumBackward0" if node.static[1] is None else "SumBackward1",
)
def sum(xp, x, *, axis, keepdims):
    """The sum."""
    return xp.sum(x, axis, keepdims)


@primitive(x=lambda g, xp, x, axis, keepdims: xp.widen(g, x.shape, axis, keepdims) * (x == x))
def nansum(xp, x, *, axis, keepdims):
    """The sum of what is not nan."""
    return xp.sum(xp.where(x != x, 0, x), axis, keepdims)


def _mean_g(g, xp, x_shape, axis, keepdims):
    share = xp.over_count(g, max(1, xp.count(x_shape, axis)))
    return xp.broadcast_to(xp.widen(share, x_shape, axis, keepdims), x_shape)


@primitive(x=_mean_g, name=lambda node: "MeanBackward0" if node.static[1] is None else "MeanBackward1")
def mean(xp, x, *, axis, keepdims):
    """The sum over the number of elements."""
    return xp.mean(x, axis, keepdims)


@primitive(x=_var_g)
def var(xp, x, *, axis, correction, keepdims):
    """sum((x - mean(x)) ** 2) / (n - correction)"""
    return xp.var(x, axis, correction, keepdims)


@primitive(
    x=lambda g, xp, x, out, axis, correction, keepdims: _var_g(
        xp.where(out == 0, 0, g / (2 * out)), xp, x, axis, correction, keepdims
    ),
)
def std(xp, x, *, axis, correction, keepdims):
    """sqrt(var(x)); the derivative at 0 is 0"""
    return xp.std(x, axis, correction, keepdims)


@primitive(x=_mean_g, name="VarMeanBackward0")
def mean_beside_var(xp, x, *, axis, keepdims):
    """The mean that var_mean returns, which torch rounds once."""
    return xp.mean_in_double(x, axis, keepdims)


mean_beside_std = overload(mean_beside_var, "StdMeanBackward0")
var_beside_mean, std_beside_mean = overload(var, "VarMeanBackward0"), overload(std, "StdMeanBackward0")


# torch saves the product as well: a later write to it is noticed.
@primitive(
    x=lambda g, xp, x, out, axis, keepdims: _prod_g(
        xp.widen(g, x.shape, axis, keepdims), xp, x, xp.widen(out, x.shape, axis, keepdims), axis
    ),
    name=lambda node: "ProdBackward0" if node.static[0] is None else "ProdBackward1",
)
def prod(xp, x, *, axis, keepdims):
    """The product along one axis, or of all."""
    return xp.prod(x, axis, keepdims)


@primitive(x=lambda g, xp, x, out: _evenly_with_nan(g, xp, x, out, None, False))
def median(xp, x):
    """The lower median of all elements, nan if there is one; those equal to it share the gradient evenly"""
    return xp.median(x)


@primitive(x=lambda g, xp, x, out: _evenly_with_nan(g, xp, x, out, None, False))
def nanmedian(xp, x):
    """The lower median of all elements but nans; those equal to it share the gradient evenly"""
    return xp.nanmedian(x)


@primitive(x=_evenly)
def amax(xp, x, *, axis, keepdims):
    """The largest; ties share the gradient evenly"""
    return xp.amax(x, axis, keepdims)


@primitive(x=_evenly)
def amin(xp, x, *, axis, keepdims):
    """The smallest; ties share the gradient evenly"""
    return xp.amin(x, axis, keepdims)


amin_beside_amax, amax_beside_amin = overload(amin, "AminmaxBackward0"), overload(amax, "AminmaxBackward0")


@primitive(x=_evenly_with_nan, name="MaxBackward1")
def largest(xp, x, *, axis, keepdims):
    """amax where nans, too, share the gradient evenly"""
    return xp.amax(x, axis, keepdims)


@primitive(x=_evenly_with_nan, name="MinBackward1")
def smallest(xp, x, *, axis, keepdims):
    """amin where nans, too, share the gradient evenly"""
    return xp.amin(x, axis, keepdims)


@primitive(
    x=lambda g, xp, x, out, axis, keepdims: (
        xp.widen(g, x.shape, axis, keepdims) * xp.exp(x - xp.widen(out, x.shape, axis, keepdims))
    )
)
def logsumexp(xp, x, *, axis, keepdims):
    """log(sum(exp(x))), without overflow"""
    largest = xp.amax(x, axis, True)
    largest = xp.where(xp.isinf(largest), 0, largest)
    total = xp.sum(xp.exp(x - largest), axis, keepdims)
    return xp.log(total) + xp.reshape(largest, total.shape)


@primitive(single=("out", "x"), x=lambda g, xp, out, axis: out * g - out * xp.sum(g * out, axis, True))
def softmax(xp, x, *, axis):
    """exp(x) / sum(exp(x)) along the axis"""
    e = xp.exp(x - xp.amax(x, axis, True))
    return e / xp.sum(e, axis, True)


@primitive(single=("out", "x"), x=lambda g, xp, out, axis: g - xp.exp(out) * xp.sum(g, axis, True))
def log_softmax(xp, x, *, axis):
    """log(softmax(x)), without overflow"""
    shifted = x - xp.amax(x, axis, True)
    return shifted - xp.log(xp.sum(xp.exp(shifted), axis, True))


@primitive(x=lambda g, xp, axis: _sum_from(xp, g, axis))
def cumsum(xp, x, *, axis):
    """The running sum."""
    return xp.cumsum(x, axis)


@primitive(x=lambda g, xp, x, out, axis: _cumprod_adjoint(g, xp, x, out, axis))
def cumprod(xp, x, *, axis):
    """The running product."""
    return xp.cumprod(x, axis)


@primitive(x=_logcumsumexp_g)
def logcumsumexp(xp, x, *, axis):
    """The running log of the sum of exponentials."""
    return xp.logcumsumexp(x, axis)


@primitive()
def any(xp, x, *, axis, keepdims):
    """At least one element is nonzero."""
    return xp.any(x, axis, keepdims)


@primitive()
def all(xp, x, *, axis, keepdims):
    """Every element is nonzero."""
    return xp.all(x, axis, keepdims)


@primitive()
def argmax(xp, x, *, axis, keepdims):
    """Where the largest is: the first of equals, a nan before anything."""
    return xp.argmax(x, axis, keepdims)


@primitive()
def argmin(xp, x, *, axis, keepdims):
    """Where the smallest is: the first of equals, a nan before anything."""
    return xp.argmin(x, axis, keepdims)


@primitive()
def argsort(xp, x, *, axis, descending):
    """The order that sorts; equals keep their order, nan is the largest."""
    return xp.argsort(x, axis, descending)


@primitive(x=_norm_g, name="LinalgVectorNormBackward0")
def norm(xp, x, *, p, axis, keepdims):
    """sum(|x| ** p) ** (1 / p); the derivative at 0 is 0"""
    return xp.norm(x, p, axis, keepdims)


norm_of_pairs = overload(norm, "NormBackward1")


@primitive(
    promote="same",
    mixed=no_booleans,
    x=lambda g, xp, x, y, out, p: _norm_g(g, xp, x - y, out, p, None, False),
    y=lambda g, xp, x, y, out, p: _norm_g(-g, xp, x - y, out, p, None, False),
)
def dist(xp, x, y, *, p):
    """The p-norm of x - y"""
    return xp.norm(x - y, p, None, False)
