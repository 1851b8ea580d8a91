"""The primitives of nn.functional: functions whose derivative torch writes down as one formula.

Owns forward and derivative formulas of activations with a saturated side and of losses, on tensors of one floating
point dtype and, for losses, one shape. Checks nothing and knows no option that does not enter a formula.
"""

from __future__ import annotations

import math
import struct
from typing import Any

import numpy as np

from ..ops.elementwise import copied
from ..primitive import overload, primitive


def _beside(xp: Any, x: Any, g: Any) -> Any:
    """The cotangent g, which depends on x though its derivative is 0 everywhere: not missing, says torch, but 0."""
    return copied(x, g) if xp.recorded else g


@primitive(
    x=lambda g, xp, x, negative_slope: _beside(xp, x, xp.where(x > 0, g, g * negative_slope)),
    single=("out", "x"),
    name="LeakyReluBackward0",
)
def leaky_relu(xp, x, *, negative_slope):
    """x where positive, else negative_slope * x; the derivative at 0 is negative_slope"""
    return xp.where(x > 0, x, x * negative_slope)


# In the formulas below a where, not a minimum or an abs, keeps the argument of exp from overflowing: where sides meet
# those have a derivative of a half or of 0, while torch's second derivative there is that of one side.


def _sigmoid(xp: Any, x: Any) -> Any:
    """1 / (1 + exp(-x)) of which every derivative is finite everywhere."""
    decay = xp.exp(xp.where(x < 0, x, -x))
    return xp.where(x < 0, decay, 1) / (1 + decay)


def _log_of_sigmoid(xp: Any, x: Any) -> Any:
    """log(1 / (1 + exp(-x))) of which every derivative is finite everywhere."""
    return xp.where(x < 0, x, 0) - xp.log1p(xp.exp(xp.where(x < 0, x, -x)))


def _silu_g(g: Any, xp: Any, x: Any) -> Any:
    probability = _sigmoid(xp, x)
    return g * probability * (1 + x * (1 - probability))


@primitive(
    x=lambda g, xp, x, negative, positive: xp.where(x <= 0, g * negative * xp.exp(xp.where(x < 0, x, 0)), g * positive),
    single=("out", "x"),
    name="EluBackward0",
)
def elu(xp, x, *, negative, positive):
    """positive * x where x > 0, else negative * (exp(x) - 1)"""
    return xp.where(x <= 0, xp.expm1(xp.where(x > 0, 0, x)) * negative, x * positive)


@primitive(
    x=_silu_g,
    single=("out", "x"),
    name="SiluBackward0",
)
def silu(xp, x):
    """x * sigmoid(x)"""
    return x / (1 + xp.exp(-x))


@primitive(
    x=lambda g, xp, x: g * _sigmoid(xp, -x),
    single=("out", "x"),
    name="LogSigmoidBackward0",
)
def log_sigmoid(xp, x):
    """min(0, x) - log(1 + exp(-|x|))"""
    return _log_of_sigmoid(xp, x)


def _softplus_g(g: Any, xp: Any, x: Any, beta: float, threshold: float) -> Any:
    return xp.where(x * beta > threshold, g, g * _sigmoid(xp, xp.where(x * beta >= threshold, threshold, x * beta)))


@primitive(x=_softplus_g, single=("out", "x"), name="SoftplusBackward0")
def softplus(xp, x, *, beta, threshold):
    """log(1 + exp(beta * x)) / beta, x where beta * x > threshold"""
    return xp.where(x * beta > threshold, x, xp.log1p(xp.exp(x * beta)) / beta)


# The 0 in the weight's formula meets an infinite x, whose product with the masked cotangent would be nan.
@primitive(
    promote="same",
    x=lambda g, xp, x, weight: _beside(xp, x, xp.where(x > 0, g, weight * g)),
    weight=lambda g, xp, x: xp.where(x < 0, x, 0) * g,
    name="PreluKernelBackward0",
)
def prelu(xp, x, weight):
    """x where positive, else weight * x"""
    return xp.where(x > 0, x, weight * x)


@primitive(
    x=lambda g, xp, x, low, high: _beside(xp, x, xp.where((x <= low) | (x >= high), 0, g)), name="HardtanhBackward0"
)
def hardtanh(xp, x, *, low, high):
    """x limited to [low, high]; the derivative at the limits is 0, unlike clamp's"""
    return xp.minimum(xp.maximum(x, low), high)


def _celu_g(g: Any, xp: Any, x: Any, alpha: float) -> Any:
    steepness = 1 / _single(alpha)  # as torch has it, for doubles too
    return xp.where(x <= 0, g * (alpha * steepness) * xp.exp(xp.where(x < 0, x, 0) * steepness), g)


def _single(number: float) -> float:
    """A number rounded to float32."""
    return struct.unpack("f", struct.pack("f", number))[0]


@primitive(x=_celu_g, single=("out", "x"), name="CeluBackward0")
def celu(xp, x, *, alpha):
    """x where positive, else alpha * (exp(x / alpha) - 1)"""
    return xp.where(x <= 0, xp.expm1(xp.where(x > 0, 0, x) / alpha) * alpha, x)


def _mish_g(g: Any, xp: Any, x: Any) -> Any:
    bounded = xp.tanh(_softplus(xp, x))
    return g * (bounded + x * _sigmoid(xp, x) * (1 - bounded * bounded))


def _softplus(xp: Any, x: Any) -> Any:
    """log(1 + exp(x)) of which every derivative is finite everywhere."""
    return xp.where(x < 0, 0, x) + xp.log1p(xp.exp(xp.where(x < 0, x, -x)))


@primitive(x=_mish_g, single=("out", "x"), name="MishBackward0")
def mish(xp, x):
    """x * tanh(softplus(x))"""
    return x * xp.tanh(_softplus(xp, x))


_SIXTH = _single(1 / 6)  # as torch has it in this derivative, for doubles too


@primitive(
    x=lambda g, xp, x: _beside(xp, x, xp.where((x > -3) & (x < 3), g * _SIXTH, 0)),
    single=("out", "x"),
    name="HardsigmoidBackward0",
)
def hardsigmoid(xp, x):
    """x / 6 + 1 / 2, limited to [0, 1]"""
    return xp.minimum(xp.maximum(x + 3, 0), 6) / 6


@primitive(
    x=lambda g, xp, x: xp.where(x <= -3, 0, xp.where(x >= 3, g, g * (x / 3 + 0.5))),
    single=("out", "x"),
    name="HardswishBackward0",
)
def hardswish(xp, x):
    """x * hardsigmoid(x)"""
    return x * xp.minimum(xp.maximum(x + 3, 0), 6) / 6


def _outside_g(g: Any, xp: Any, x: Any, limit: float) -> Any:
    return _beside(xp, x, xp.where((x >= -limit) & (x <= limit), 0, g))


@primitive(x=_outside_g, name="HardshrinkBackward0")
def hardshrink(xp, x, *, limit):
    """x, but 0 from -limit to limit"""
    return xp.where((x >= -limit) & (x <= limit), 0, x)


@primitive(x=_outside_g, single=("out",), name="SoftshrinkBackward0")
def softshrink(xp, x, *, limit):
    """x nearer to 0 by limit, and 0 from -limit to limit"""
    return xp.where(x > limit, x - limit, xp.where(x < -limit, x + limit, x * 0))


@primitive(x=lambda g, xp, x, threshold: _beside(xp, x, xp.where(x <= threshold, 0, g)), name="ThresholdBackward0")
def threshold(xp, x, *, threshold, value):
    """x where it is more than threshold, else value"""
    return xp.where(x <= threshold, value, x)


@primitive(
    a=lambda g, xp, b: g * _sigmoid(xp, b),
    b=lambda g, xp, a, b: g * a * _sigmoid(xp, b) * (1 - _sigmoid(xp, b)),
    single=("out", "a", "b"),
    name="GluBackward0",
)
def glu(xp, a, b):
    """a * sigmoid(b)"""
    return a * _sigmoid(xp, b)


def _normal(xp: Any, x: Any) -> Any:
    """The normal distribution function."""
    return 0.5 * (1 + xp.erf(x * math.sqrt(0.5)))


@primitive(
    x=lambda g, xp, x: g * (_normal(xp, x) + x * (xp.exp(-0.5 * x * x) / math.sqrt(2 * math.pi))),
    single=("out", "x"),
    name="GeluBackward0",
)
def gelu(xp, x):
    """x * Phi(x), Phi the normal distribution function"""
    return x * _normal(xp, x)


def _gelu_tanh(xp: Any, x: Any) -> Any:
    return xp.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * (x * x * x)))


def _gelu_tanh_g(g: Any, xp: Any, x: Any) -> Any:
    t = _gelu_tanh(xp, x)
    slope = math.sqrt(2 / math.pi) * (1 + 3 * 0.044715 * (x * x))
    return g * (0.5 * (1 + t) + 0.5 * x * (1 - t * t) * slope)


@primitive(x=_gelu_tanh_g, single=("out", "x"), name="GeluBackward0")
def gelu_tanh(xp, x):
    """x * Phi(x) where Phi is approximated by tanh"""
    return 0.5 * x * (1 + _gelu_tanh(xp, x))


def _standardised(xp: Any, x: Any, axes: tuple[int, ...], eps: float) -> tuple[Any, Any]:
    """(x - mean) / sqrt(var + eps) over the axes, and 1 / sqrt(var + eps)."""
    centred = x - xp.mean(x, axes, True)
    scale = xp.rsqrt(xp.mean(centred * centred, axes, True) + eps)
    return centred * scale, scale


def _standardised_g(g: Any, xp: Any, x: Any, axes: tuple[int, ...], eps: float) -> Any:
    standard, scale = _standardised(xp, x, axes, eps)
    return scale * (g - xp.mean(g, axes, True) - standard * xp.mean(g * standard, axes, True))


@primitive(x=_standardised_g, single=("out", "x"), name="NativeLayerNormBackward0")
def layer_norm(xp, x, *, axes, eps):
    """(x - mean) / sqrt(var + eps) over the axes, the last ones"""
    return _standardised(xp, x, axes, eps)[0]


def _weighted_g(g: Any, xp: Any, x: Any, weight: Any, axes: tuple[int, ...], eps: float) -> Any:
    return _standardised_g(g * weight, xp, x, axes, eps)


def _norm_weight_g(g: Any, xp: Any, x: Any, weight_shape: Any, axes: tuple[int, ...], eps: float) -> Any:
    return xp.sum_to(g * _standardised(xp, x, axes, eps)[0], weight_shape)


@primitive(
    x=_weighted_g,
    weight=_norm_weight_g,
    bias=lambda g, xp, bias_shape: xp.sum_to(g, bias_shape),
    single=("out", "x", "weight"),
    name="NativeLayerNormBackward0",
)
def layer_norm_affine(xp, x, weight, bias, *, axes, eps):
    """layer_norm(x) * weight + bias"""
    return _standardised(xp, x, axes, eps)[0] * weight + bias


batch_norm = overload(layer_norm, "NativeBatchNormBackward0")  # over the other axes
batch_norm_affine = overload(layer_norm_affine, "NativeBatchNormBackward0")


# The losses reduce by themselves, so that a loss is one node. `count` is None for no reduction, and otherwise divides
# the sum: 1, or the number of elements (nan where there are none, of which the mean is nan).


def _reduced(xp: Any, loss: Any, count: float | None) -> Any:
    if count is None:
        return loss
    if count == 1 or loss.dtype.itemsize > 2 or isinstance(count, np.generic):
        total = xp.sum(loss, None, False)
        return total if count == 1 else total / count
    # The sum, or the count, may be more than half precision holds; but nll_loss, which counts by its weights' dtype,
    # divides so in torch, too.
    return xp.mean(loss, None, False)


def _each(g: Any, count: float | None) -> Any:
    """The cotangent of every single loss from that of the reduced one; of nothing there are none to divide."""
    if count is None or count == 1 or count != count:
        return g
    if count > 65504 and g.dtype.itemsize == 2:  # in which it is infinite
        return g * (1 / count)
    return g / count


def _squared_g(g: Any, input: Any, target: Any, count: float | None) -> Any:
    return (input - target) * _each(g + g, count)


@primitive(
    promote="same",
    input=_squared_g,
    target=lambda g, input, target, count: _squared_g(g, target, input, count),
    name="MseLossBackward0",
)
def mse_loss(xp, input, target, *, count):
    """(input - target)^2: the fused form of `_plain_mse_loss`"""
    difference = input - target
    return _reduced(xp, difference * difference, count)


def _limited(xp: Any, x: Any, bound: float) -> Any:
    """x within the bound, else 0; of nan nan, with derivative 0 as in torch."""
    return xp.where(xp.abs(x) < bound, x, xp.where(x == x, 0, xp.zeros_like(x) * math.nan))


def _smooth_l1_g(g: Any, xp: Any, x: Any, beta: float, count: float | None) -> Any:
    g = _each(g, count)
    return xp.where(x <= -beta, -g, xp.where(x >= beta, g, g * (_limited(xp, x, beta) / beta)))


@primitive(x=_smooth_l1_g, name="SmoothL1LossBackward0")
def smooth_l1(xp, x, *, beta, count):
    """x^2 / (2 beta) where |x| < beta, else |x| - beta / 2"""
    return _reduced(xp, xp.where(xp.abs(x) < beta, 0.5 * x * x / beta, xp.abs(x) - 0.5 * beta), count)


def _huber_g(g: Any, xp: Any, x: Any, delta: float, count: float | None) -> Any:
    g = _each(g, count)
    return xp.where(x <= -delta, g * -delta, xp.where(x >= delta, g * delta, g * _limited(xp, x, delta)))


@primitive(x=_huber_g, name="HuberLossBackward0")
def huber(xp, x, *, delta, count):
    """x^2 / 2 where |x| <= delta, else delta * (|x| - delta / 2)"""
    return _reduced(xp, xp.where(xp.abs(x) <= delta, 0.5 * x * x, delta * (xp.abs(x) - 0.5 * delta)), count)


def _soft_margin_g(g: Any, xp: Any, input: Any, target: Any, count: float | None) -> Any:
    decay = xp.exp(-target * input)
    return _each(g, count) * -target * decay / (1 + decay)


@primitive(promote="same", input=_soft_margin_g)
def soft_margin_loss(xp, input, target, *, count):
    """log(1 + exp(-target * input))"""
    return _reduced(xp, xp.log1p(xp.exp(-target * input)), count)


# torch's 1e-12, which it keeps in single precision also for float64.
_SMALLEST_VARIANCE = 9.999999960041972e-13


@primitive(
    input=lambda g, xp, input, target, count: (
        _each(g, count) * (input - target) / xp.maximum((1 - input) * input, _SMALLEST_VARIANCE)
    ),
    target=lambda g, xp, input, count: _each(g, count) * (xp.log(1 - input) - xp.log(input)),
    name="BinaryCrossEntropyBackward0",
)
def binary_cross_entropy(xp, input, target, *, count):
    """-(t log p + (1 - t) log(1 - p)), the logarithms at least -100"""
    loss = (target - 1) * xp.maximum(xp.log1p(-input), -100) - target * xp.maximum(xp.log(input), -100)
    return _reduced(xp, loss, count)


@primitive(
    input=lambda g, xp, input, target, pos_weight, count: (
        ((pos_weight * target + 1 - target) * _sigmoid(xp, input) - pos_weight * target) * _each(g, count)
    ),
    target=lambda g, xp, input, pos_weight, count: (
        (_log_of_sigmoid(xp, -input) - pos_weight * _log_of_sigmoid(xp, input)) * _each(g, count)
    ),
    name="BinaryCrossEntropyWithLogitsBackward0",
)
def bce_with_pos_weight(xp, input, target, pos_weight, *, count):
    """(1 - t) x - (1 + (pos_weight - 1) t) log sigmoid(x)"""
    loss = (1 - target) * input - ((pos_weight - 1) * target + 1) * _log_of_sigmoid(xp, input)
    return _reduced(xp, loss, count)


@primitive(
    input=lambda g, xp, input, target, count: (_sigmoid(xp, input) - target) * _each(g, count),
    target=lambda g, input, count: -input * _each(g, count),
    name="BinaryCrossEntropyWithLogitsBackward0",
)
def bce_with_logits(xp, input, target, *, count):
    """(1 - t) x - log sigmoid(x)"""
    return _reduced(xp, (1 - target) * input - _log_of_sigmoid(xp, input), count)


@primitive(
    held=("rows",),
    weight=lambda g, xp, weight_shape, rows, counted: xp.index_adjoint(
        g if counted is None else xp.where(counted, g, 0), weight_shape, (rows,)
    ),
    name="EmbeddingBackward0",
)
def embedding(xp, weight, *, rows, counted):
    """weight[rows]; where `counted`, unless None, is false a row gets no gradient"""
    return xp.index(weight, (rows,))


def _nll_g(g: Any, xp: Any, x: Any, axis: int, index: Any, shape: Any, factors: Any, valid: Any, count: Any) -> Any:
    each = _each(g, count) * -factors
    # An ignored target has no gradient also where nothing counts and g / count is infinite.
    each = xp.broadcast_to(each, shape) if valid is None else xp.where(valid, each, 0)
    return _beside(xp, x, xp.gather_adjoint(xp.reshape(each, index.shape), x.shape, axis, index))


@primitive(
    x=_nll_g,
    name=lambda node: "NllLossBackward0" if node.static[1].ndim < 3 else "NllLoss2DBackward0",
)
def nll_loss(xp, x, *, axis, index, shape, factors, valid, count):
    """-factors * x[index] along the classes' axis, 0 where not valid (None: all are): the fused form of
    `_plain_nll_loss`

    `index` has the shape of x but for one class; `shape` is that of the targets, which factors and valid have, too.
    """
    losses = -xp.reshape(xp.gather(x, axis, index), shape) * factors
    return _reduced(xp, losses if valid is None else xp.where(valid, losses, 0), count)
