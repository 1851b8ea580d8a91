"""The elementwise ops: a table of derivatives.

Owns each op's forward and one formula per input, in the dialect of `primitive.py`. `g` is the cotangent of the result.
Broadcasting and promotion are not mentioned here: `primitive.py` does both. Where a derivative does not exist, the
formula gives torch's choice.
"""

import math
import operator

from .. import dtypes
from ..primitive import broadcast_error, overload, primitive
from ..tensor import Tensor

# -- arithmetic ----------------------------------------------------------------------------------------------------


@primitive(promote="same", direct=operator.add, a=lambda g: g, b=lambda g: g)
def add(a, b):
    """a + b"""
    return a + b


def takes(function, *wanted):
    """A check of operands that are not all Tensors of one dtype: how many of the two must be Tensors, and which."""
    given = " and ".join(f"'{name}'" for name in wanted)

    def mixed(*operands):
        for position, (name, x) in enumerate(zip(("input", "other"), operands), 1):
            if name in wanted and not isinstance(x, Tensor):
                raise TypeError(
                    f"{function}(): argument '{name}' (position {position}) must be Tensor, not {type(x).__name__}"
                )
        if not any(isinstance(x, Tensor) for x in operands):
            kinds = ", ".join(type(x).__name__ for x in operands)
            raise TypeError(
                f"{function}() received an invalid combination of arguments - got ({kinds}): "
                f"{given + ' must be Tensors' if given else 'one of them must be a Tensor'}"
            )

    return mixed


def not_differentiable(error):
    """The formula of an op that torch records without knowing its derivative: backward raises `error`."""

    def formula(g):
        raise error

    return formula


def no_booleans(*operands):
    """torch subtracts no booleans."""
    flags = [x.dtype is dtypes.bool_ if isinstance(x, Tensor) else isinstance(x, bool) for x in operands]
    if any(flags):
        instead = "`^` or `logical_xor()` operator" if all(flags) else "`~` or `logical_not()` operator"
        raise RuntimeError(
            f"Subtraction, the `-` operator, with {'two' if all(flags) else 'a'} bool "
            f"tensor{'s' if all(flags) else ''} is not supported. "
            + ("" if all(flags) else "If you are trying to invert a mask, use the ")
            + (f"Use the {instead} instead." if all(flags) else f"{instead} instead.")
        )


def _explain_sub(error, a, b):
    if a.dtype == b.dtype == bool:
        no_booleans(True, True)
    return broadcast_error(error, a, b)


@primitive(promote="same", direct=operator.sub, mixed=no_booleans, explain=_explain_sub, a=lambda g: g, b=lambda g: -g)
def sub(a, b):
    """a - b"""
    return a - b


@primitive(promote="same", a=lambda g: g, b=lambda g, alpha: g * alpha, name="AddBackward0")
def add_scaled(a, b, *, alpha):
    """a + alpha * b"""
    return a + alpha * b


@primitive(promote="same", mixed=no_booleans, a=lambda g: g, b=lambda g, alpha: -g * alpha, name="SubBackward0")
def sub_scaled(a, b, *, alpha):
    """a - alpha * b"""
    return a - alpha * b


@primitive(promote="same", mixed=no_booleans, explain=_explain_sub, a=lambda g: -g, b=lambda g: g, name="RsubBackward1")
def rsub(a, b):
    """b - a for a number b"""
    return b - a


rsub_tensor = overload(rsub, "RsubBackward0")


@primitive(single=("out", "x"), x=lambda g, number: g * number, name="MulBackward0")
def half_times(x, *, number):
    """x * number in float16, the number not rounded to that: torch computes it in float32"""
    return x * number


@primitive(single=("x",), x=lambda g, number: g * number, name="MulBackward0")
def rounded_half_times(x, *, rounded, number):
    """number * x in float16 for a 0-d tensor that comes first, which torch does round; not so in the derivative"""
    return x * rounded


@primitive(single=("out", "x"), x=lambda g, number: g / number, name="DivBackward0")
def half_over(x, *, number):
    """x / number in float16, the number not rounded to that"""
    return x / number


def _half_and_number(x, number):
    """True for a float16 tensor and a number, or a 0-d tensor of another dtype."""
    if not isinstance(x, Tensor) or x.dtype is not dtypes.float16:
        return False
    if isinstance(number, Tensor):
        return x._array.ndim > 0 and not number._array.ndim and not number.requires_grad
    return number.__class__ is float or number.__class__ is int


def _number(x):
    return x.item() if isinstance(x, Tensor) else x


def _mul_mixed(a, b):
    if _half_and_number(a, b):
        return half_times(a, _number(b))
    if _half_and_number(b, a):
        return rounded_half_times(b, _number(a.half()), _number(a)) if isinstance(a, Tensor) else half_times(b, a)
    return None


def _div_mixed(a, b):
    return half_over(a, _number(b)) if _half_and_number(a, b) else None


@primitive(
    promote="same", direct=operator.mul, product=True, mixed=_mul_mixed, a=lambda g, b: g * b, b=lambda g, a: g * a
)
def mul(a, b):
    """a * b"""
    return a * b


@primitive(
    promote="float",
    direct=operator.truediv,
    mixed=_div_mixed,
    a=lambda g, b: g / b,
    b=lambda g, a, b: -g * ((a / b) / b),
)
def div(a, b):
    """a / b; integers become the default dtype"""
    return a / b


div_by_number = overload(div, "DivBackward1", mixed=None)


@primitive(promote="same", direct=operator.neg, x=lambda g: -g)
def neg(x):
    """-x"""
    return -x


# torch saves the result of this one for either input, so a later write to it is noticed.
@primitive(
    promote="same",
    a=lambda g, xp, a, b, out: xp.where(b == 0, 0, g * (b * xp.pow(a, b - 1))),
    b=lambda g, xp, a, b, out: g * xp.where((a == 0) & (b >= 0), 0, out * xp.log(a)),
    name="PowBackward1",
)
def pow(xp, a, b):
    """a ** b; integers to a negative power give the whole part"""
    return xp.pow(a, b)


pow_of_number = overload(pow, "PowBackward2")


def _power_g(g, xp, x, n):
    if n == 2 and not xp.recorded:
        return g * (x + x)
    return g * xp.times(xp.power(x, n - 1), n) if n != 0 else xp.zeros_like(g)


@primitive(promote="same", x=_power_g, name="PowBackward0")
def power(xp, x, *, n):
    """x ** n for a Python number n: small integer powers are products, a hundred times faster than pow"""
    return xp.power(x, n)


@primitive(promote="float", x=lambda g, out: g / (2 * out))
def sqrt(xp, x):
    """The square root."""
    return xp.sqrt(x)


@primitive(promote="float", x=lambda g, xp, out: -0.5 * g * xp.power(out, 3))
def rsqrt(xp, x):
    """1 / sqrt(x)"""
    return xp.rsqrt(x)


@primitive(promote="float", x=lambda g, out: -g * (out * out))
def reciprocal(x):
    """1 / x"""
    return 1 / x


@primitive(promote="same", x=lambda g, xp, x: g * xp.sign(x))
def abs(xp, x):
    """|x|; the derivative at 0 is 0"""
    return xp.abs(x)


@primitive(
    promote="same",
    a=lambda g: g,
    b=lambda g, xp, a, b: -g * xp.div_floor(a, b),
    mixed=takes("remainder"),
    name="RemainderBackward1",
)
def remainder(xp, a, b):
    """a - b * floor(a / b): the sign of b"""
    return xp.remainder(a, b)


remainder_by_number = overload(remainder, "RemainderBackward0")


@primitive(
    promote="same",
    a=lambda g: g,
    b=lambda g, xp, a, b: -g * xp.div_trunc(a, b),
    mixed=takes("fmod", "input"),
    name="FmodBackward1",
)
def fmod(xp, a, b):
    """a - b * trunc(a / b): the sign of a"""
    return xp.fmod(a, b)


fmod_by_number = overload(fmod, "FmodBackward0")


# What formulas of several inputs use torch saves for each of them: here `weight`, below `b`.
@primitive(
    promote="same",
    a=lambda g, weight: g * (1 - weight),
    b=lambda g, weight: g * weight,
    weight=lambda g, a, b, weight: g * (b - a),
    single=("out",),
    name="LerpBackward1",
)
def lerp(xp, a, b, weight):
    """a + weight * (b - a), computed from the nearer end"""
    return xp.where(xp.abs(weight) < 0.5, a + weight * (b - a), b - (b - a) * (1 - weight))


@primitive(
    promote="same",
    a=lambda g, weight: g * (1 - weight),
    b=lambda g, weight: g * weight,
    single=("out", "a", "b"),
    name="LerpBackward0",
)
def lerp_by(a, b, *, weight):
    """lerp by a Python number, which saves nothing"""
    return a + weight * (b - a) if -0.5 < weight < 0.5 else b - (b - a) * (1 - weight)


@primitive(
    promote="same",
    x=lambda g: g,
    a=lambda g, xp, b, value: g * xp.times(b, value),
    b=lambda g, xp, a, value: g * xp.times(a, value),
    single=("out",),
)
def addcmul(x, a, b, *, value):
    """x + value * a * b"""
    return x + a * value * b


@primitive(
    promote="same",
    x=lambda g, b: g,
    a=lambda g, b, value: g * (value / b),
    b=lambda g, xp, a, b, value: -g * (xp.times(a, value) / (b * b)),
    single=("out",),
)
def addcdiv(x, a, b, *, value):
    """x + value * a / b"""
    return x + a * value / b


# -- exponentials and logarithms -----------------------------------------------------------------------------------


@primitive(promote="float", x=lambda g, out: g * out)
def exp(xp, x):
    """e ** x"""
    return xp.exp(x)


@primitive(promote="float", x=lambda g, xp, out: xp.times(g * out, math.log(2)))
def exp2(xp, x):
    """2 ** x"""
    return xp.exp2(x)


@primitive(promote="float", x=lambda g, out: g * (out + 1))
def expm1(xp, x):
    """e ** x - 1, exact near 0"""
    return xp.expm1(x)


@primitive(promote="float", x=lambda g, x: g / x)
def log(xp, x):
    """The natural logarithm."""
    return xp.log(x)


@primitive(promote="float", x=lambda g, xp, x: g / xp.times(x, math.log(2)))
def log2(xp, x):
    """The logarithm to base 2."""
    return xp.log2(x)


@primitive(promote="float", x=lambda g, xp, x: g / xp.times(x, math.log(10)))
def log10(xp, x):
    """The logarithm to base 10."""
    return xp.log10(x)


@primitive(promote="float", x=lambda g, x: g / (x + 1), name="Log1PBackward0")
def log1p(xp, x):
    """log(1 + x), exact near 0"""
    return xp.log1p(x)


@primitive(
    promote="float",
    mixed=takes("logaddexp", "input", "other"),
    a=lambda g, xp, a, b: g / (1 + xp.exp(b - a)),
    b=lambda g, xp, a, b: g / (1 + xp.exp(a - b)),
)
def logaddexp(xp, a, b):
    """log(exp(a) + exp(b)) without overflow"""
    return xp.logaddexp(a, b)


@primitive(
    promote="float",
    mixed=takes("logaddexp2", "input", "other"),
    a=lambda g, xp, a, b: g / (1 + xp.exp2(b - a)),
    b=lambda g, xp, a, b: g / (1 + xp.exp2(a - b)),
)
def logaddexp2(xp, a, b):
    """log2(2 ** a + 2 ** b) without overflow"""
    return xp.logaddexp2(a, b)


@primitive(
    promote="float",
    mixed=takes("xlogy"),
    a=lambda g, xp, a, b: xp.where((a == 0) & (b <= 0), 0, xp.xlogy(g, b)),
    b=lambda g, a, b: g * a / b,
)
def xlogy(xp, a, b):
    """a * log(b), and 0 where a is 0 (nan where b is nan)"""
    return xp.xlogy(a, b)


xlogy_of_number, xlogy_of_log = overload(xlogy, "XlogyBackward1"), overload(xlogy, "XlogyBackward2")


@primitive(
    promote="float",
    x=lambda g, xp, x, eps: xp.where(
        (x < (eps or 0)) | (x > 1 - (eps or 0)), math.nan if eps is None else 0, g / (x * (1 - x))
    ),
)
def logit(xp, x, *, eps):
    """log(x / (1 - x)), with x first limited to [eps, 1 - eps] unless eps is None"""
    inside = x if eps is None else xp.minimum(xp.maximum(x, eps), 1 - eps)
    return xp.log(inside / (1 - inside))


# -- trigonometry --------------------------------------------------------------------------------------------------


@primitive(promote="float", x=lambda g, xp, x: g * xp.cos(x))
def sin(xp, x):
    """The sine of x radians."""
    return xp.sin(x)


@primitive(promote="float", x=lambda g, xp, x: g * -xp.sin(x))
def cos(xp, x):
    """The cosine of x radians."""
    return xp.cos(x)


@primitive(promote="float", x=lambda g, out: g * (1 + out * out))
def tan(xp, x):
    """The tangent of x radians."""
    return xp.tan(x)


@primitive(promote="float", x=lambda g, xp, x: g * xp.rsqrt(-x * x + 1))
def asin(xp, x):
    """The arc sine, in radians."""
    return xp.asin(x)


@primitive(promote="float", x=lambda g, xp, x: g * -xp.rsqrt(-x * x + 1))
def acos(xp, x):
    """The arc cosine, in radians."""
    return xp.acos(x)


@primitive(promote="float", x=lambda g, x: g / (x * x + 1))
def atan(xp, x):
    """The arc tangent, in radians."""
    return xp.atan(x)


def _inverse_square_radius(xp, a, b):
    """1 / (a^2 + b^2), and 0 at the origin: torch's choice of atan2's derivative there."""
    square = a * a + b * b
    return xp.where(square == 0, 0, 1 / square)


@primitive(
    promote="float",
    mixed=takes("atan2", "input", "other"),
    a=lambda g, xp, a, b: g * b * _inverse_square_radius(xp, a, b),
    b=lambda g, xp, a, b: g * -a * _inverse_square_radius(xp, a, b),
)
def atan2(xp, a, b):
    """The angle of the point (b, a), in radians, in (-pi, pi]."""
    return xp.atan2(a, b)


@primitive(promote="float", x=lambda g, xp, x: g * xp.cosh(x))
def sinh(xp, x):
    """The hyperbolic sine."""
    return xp.sinh(x)


@primitive(promote="float", x=lambda g, xp, x: g * xp.sinh(x))
def cosh(xp, x):
    """The hyperbolic cosine."""
    return xp.cosh(x)


@primitive(promote="float", single=("x",), x=lambda g, out: g * (1 - out * out))
def tanh(xp, x):
    """The hyperbolic tangent."""
    return xp.tanh(x)


@primitive(promote="float", x=lambda g, xp, x: g * xp.rsqrt(x * x + 1))
def asinh(xp, x):
    """The inverse hyperbolic sine."""
    return xp.asinh(x)


@primitive(promote="float", x=lambda g, xp, x: g * xp.rsqrt(x * x - 1))
def acosh(xp, x):
    """The inverse hyperbolic cosine."""
    return xp.acosh(x)


@primitive(promote="float", x=lambda g, x: g / (1 - x * x))
def atanh(xp, x):
    """The inverse hyperbolic tangent."""
    return xp.atanh(x)


# -- squashing -----------------------------------------------------------------------------------------------------


@primitive(promote="float", x=lambda g, out: g * (1 - out) * out)
def sigmoid(xp, x):
    """1 / (1 + exp(-x))"""
    return xp.sigmoid(x)


@primitive(promote="same", x=lambda g, xp, out: xp.passed(g, out))
def relu(xp, x):
    """max(x, 0); the derivative at 0 is 0"""
    return xp.maximum(0, x)


@primitive(
    x=lambda g, xp, gate: xp.passed(g, gate),
    gate=lambda g, xp, gate: xp.zeros_like(g),  # torch saves it for either
    name="ThresholdBackwardBackward0",
)
def passed(xp, x, gate):
    """x where gate > 0, else 0: the derivative of relu, which torch takes to depend on the gate, with derivative 0"""
    return xp.passed(x, gate)


@primitive(promote="float", single=("out",), x=lambda g, xp, x: xp.times(xp.exp(-(x * x)), 2 / math.sqrt(math.pi)) * g)
def erf(xp, x):
    """2 / sqrt(pi) * the integral of exp(-t * t) from 0 to x"""
    return xp.erf(x)


@primitive(promote="float", single=("out",), x=lambda g, xp, x: xp.times(xp.exp(-(x * x)), -2 / math.sqrt(math.pi)) * g)
def erfc(xp, x):
    """1 - erf(x), also where that is tiny"""
    return xp.erfc(x)


# -- rounding: steps, whose derivative is 0 wherever it exists -----------------------------------------------------


@primitive(promote="same", x=lambda g, xp: xp.zeros_like(g))
def sign(xp, x):
    """-1, 0 or 1"""
    return xp.sign(x)


@primitive(promote="same", x=lambda g, xp: xp.zeros_like(g))
def floor(xp, x):
    """The largest integer not above x."""
    return xp.floor(x)


@primitive(promote="same", x=lambda g, xp: xp.zeros_like(g))
def ceil(xp, x):
    """The smallest integer not below x."""
    return xp.ceil(x)


@primitive(promote="same", single=("out",), x=lambda g, xp: xp.zeros_like(g))
def round(xp, x, *, decimals):
    """The nearest multiple of 10 ** -decimals, halves to even."""
    return xp.round(x, decimals)


round_to = overload(round, "RoundBackward1")


@primitive(promote="same", x=lambda g, xp: xp.zeros_like(g))
def trunc(xp, x):
    """x without its fraction."""
    return xp.trunc(x)


@primitive(promote="same", x=lambda g: g)
def frac(xp, x):
    """x - trunc(x)"""
    return x - xp.trunc(x)


_NO_FLOOR_DIVIDE = RuntimeError("derivative for aten::floor_divide is not implemented")


@primitive(single=("out",), x=not_differentiable(_NO_FLOOR_DIVIDE), name="torch::autograd::NotImplemented")
def half_floor_divide(xp, x, *, number):
    """floor(x / number) in float16, the number not rounded to that"""
    return xp.div_floor(x, number)


half_div_floor = overload(half_floor_divide, "DivBackward2", x=lambda g, xp: xp.zeros_like(g))


@primitive(single=("out",), x=lambda g, xp: xp.zeros_like(g), name="DivBackward2")
def half_div_trunc(xp, x, *, number):
    """trunc(x / number) in float16, the number not rounded to that"""
    return xp.div_trunc(x, number)


def _quotient(function, of_half):
    """The `mixed` of a rounded quotient: checks as `takes` does, and finds that of a half by a number."""
    check = takes(function)

    def mixed(a, b):
        check(a, b)
        return of_half(a, number=_number(b)) if _half_and_number(a, b) else None

    return mixed


@primitive(
    promote="same",
    a=not_differentiable(_NO_FLOOR_DIVIDE),
    b=not_differentiable(_NO_FLOOR_DIVIDE),
    mixed=_quotient("floor_divide", half_floor_divide),
    name="torch::autograd::NotImplemented",
)
def floor_divide(xp, a, b):
    """floor(a / b)"""
    return xp.div_floor(a, b)


# torch saves the operands of these two, though the derivative is 0: so a later write to one of them is noticed.


@primitive(
    promote="same",
    a=lambda g, xp, b: xp.zeros_like(g),
    b=lambda g, xp, a, b: xp.zeros_like(g),
    mixed=_quotient("div", half_div_floor),
    name="DivBackward2",
)
def div_floor(xp, a, b):
    """floor(a / b), as div(rounding_mode="floor") records it"""
    return xp.div_floor(a, b)


@primitive(
    promote="same",
    a=lambda g, xp, b: xp.zeros_like(g),
    b=lambda g, xp, a, b: xp.zeros_like(g),
    mixed=_quotient("div", half_div_trunc),
    name="DivBackward2",
)
def div_trunc(xp, a, b):
    """trunc(a / b)"""
    return xp.div_trunc(a, b)


# -- choice --------------------------------------------------------------------------------------------------------


@primitive(
    promote="same",
    a=lambda g, xp, a, b: xp.where(a == b, g / 2, xp.where(a < b, 0, g)),
    b=lambda g, xp, a, b: xp.where(a == b, g / 2, xp.where(a > b, 0, g)),
)
def maximum(xp, a, b):
    """The larger; a tie gives each half of the gradient"""
    return xp.maximum(a, b)


@primitive(
    promote="same",
    a=lambda g, xp, a, b: xp.where(a == b, g / 2, xp.where(a > b, 0, g)),
    b=lambda g, xp, a, b: xp.where(a == b, g / 2, xp.where(a < b, 0, g)),
)
def minimum(xp, a, b):
    """The smaller; a tie gives each half of the gradient"""
    return xp.minimum(a, b)


@primitive(
    promote="same",
    a=lambda g, xp, a, b: xp.where((a >= b) | (b != b), g, 0),
    b=lambda g, xp, a, b: xp.where((a >= b) | (b != b), 0, g),
)
def fmax(xp, a, b):
    """The larger, and the other one where one is nan"""
    return xp.fmax(a, b)


@primitive(
    promote="same",
    a=lambda g, xp, a, b: xp.where((a <= b) | (b != b), g, 0),
    b=lambda g, xp, a, b: xp.where((a <= b) | (b != b), 0, g),
)
def fmin(xp, a, b):
    """The smaller, and the other one where one is nan"""
    return xp.fmin(a, b)


@primitive(
    promote="same",
    x=lambda g, xp, x, low, high: xp.where((x >= low) & (x <= high), g, 0),
    low=lambda g, xp, x, low, high: xp.where((low < high) & (x < low), g, 0),
    high=lambda g, xp, x, low, high: xp.where((x > high) | (high < low), g, 0),
    name="ClampBackward0",
)
def clamp_between(xp, x, low, high):
    """min(max(x, low), high)"""
    return xp.minimum(xp.maximum(x, low), high)


@primitive(
    promote="same",
    x=lambda g, xp, x, low: xp.where(x >= low, g, 0),
    low=lambda g, xp, x, low: xp.where(x < low, g, 0),
    name="ClampBackward0",
)
def clamp_above(xp, x, low):
    """max(x, low); a tie passes the gradient to x"""
    return xp.maximum(x, low)


@primitive(
    promote="same",
    x=lambda g, xp, x, high: xp.where(x <= high, g, 0),
    high=lambda g, xp, x, high: xp.where(x > high, g, 0),
    name="ClampBackward0",
)
def clamp_below(xp, x, high):
    """min(x, high); a tie passes the gradient to x"""
    return xp.minimum(x, high)


# torch's names: of clamp with tensors and with numbers, of clamp_min and clamp_max with a number and with a tensor.
clamp_between_numbers, clamp_above_number, clamp_below_number = (
    overload(op, "ClampBackward1") for op in (clamp_between, clamp_above, clamp_below)
)
clamp_min, clamp_max = overload(clamp_above, "ClampMinBackward0"), overload(clamp_below, "ClampMaxBackward0")
clamp_min_tensor, clamp_max_tensor = (
    overload(clamp_above, "ClampMinBackward1"), overload(clamp_below, "ClampMaxBackward1"),
)  # fmt: skip


@primitive(
    a=lambda g, xp, mask, a_shape: xp.sum_to(xp.where(mask, g, 0), a_shape),
    b=lambda g, xp, mask, b_shape: xp.sum_to(xp.where(mask, 0, g), b_shape),
    name="WhereBackward0",
)
def choose(xp, mask, a, b):
    """a where the booleans `mask` are true, b elsewhere; all three broadcast"""
    return xp.where(mask, a, b)


masked_fill, masked_fill_tensor = overload(choose, "MaskedFillBackward0"), overload(choose, "MaskedFillBackward1")


# -- copies --------------------------------------------------------------------------------------------------------


@primitive(x=lambda g: g)
def clone(xp, x):
    """A copy with memory of its own."""
    return xp.copy(x)


@primitive(x=lambda g, xp, x_device: xp.to_device(g, x_device), name="ToCopyBackward0")
def to_device(xp, x, *, device, x_device):
    """A copy of x on a device"""
    return xp.to_device(x, device)


@primitive(x=lambda g, xp, x_dtype: xp.cast(g, x_dtype), name="ToCopyBackward0")
def cast(xp, x, *, dtype, x_dtype):
    """x as another floating point dtype"""
    return xp.cast(x, dtype)


@primitive()
def convert(xp, x, *, dtype):
    """x as an integer or boolean dtype"""
    return xp.convert(x, dtype)


# -- comparisons and logic: no gradient ----------------------------------------------------------------------------


@primitive(promote="same", mixed=takes("eq", "input"))
def eq(a, b):
    """a == b"""
    return a == b


@primitive(promote="same", mixed=takes("ne", "input"))
def ne(a, b):
    """a != b"""
    return a != b


@primitive(promote="same", mixed=takes("lt", "input"))
def lt(a, b):
    """a < b"""
    return a < b


@primitive(promote="same", mixed=takes("le", "input"))
def le(a, b):
    """a <= b"""
    return a <= b


@primitive(promote="same", mixed=takes("gt", "input"))
def gt(a, b):
    """a > b"""
    return a > b


@primitive(promote="same", mixed=takes("ge", "input"))
def ge(a, b):
    """a >= b"""
    return a >= b


@primitive(promote="same", mixed=takes("logical_and", "input", "other"))
def logical_and(xp, a, b):
    """Both nonzero."""
    return xp.logical_and(a, b)


@primitive(promote="same", mixed=takes("logical_or", "input", "other"))
def logical_or(xp, a, b):
    """At least one nonzero."""
    return xp.logical_or(a, b)


@primitive(promote="same", mixed=takes("logical_xor", "input", "other"))
def logical_xor(xp, a, b):
    """Exactly one nonzero."""
    return xp.logical_xor(a, b)


@primitive(promote="same")
def logical_not(xp, x):
    """Zero."""
    return xp.logical_not(x)


@primitive(promote="same", mixed=takes("bitwise_and"))
def bitwise_and(a, b):
    """a & b, of integers or booleans"""
    return a & b


@primitive(promote="same", mixed=takes("bitwise_or"))
def bitwise_or(a, b):
    """a | b, of integers or booleans"""
    return a | b


@primitive(promote="same", mixed=takes("bitwise_xor"))
def bitwise_xor(a, b):
    """a ^ b, of integers or booleans"""
    return a ^ b


@primitive(promote="same")
def gcd(xp, a, b):
    """The greatest common divisor, of integers"""
    return xp.gcd(a, b)


@primitive(promote="same")
def lcm(xp, a, b):
    """The least common multiple, of integers"""
    return xp.lcm(a, b)


@primitive(promote="same")
def bitwise_not(x):
    """~x, of integers or booleans"""
    return ~x


@primitive(promote="same", mixed=takes("bitwise_left_shift"))
def bitwise_left_shift(a, b):
    """a << b, of integers"""
    return a << b


@primitive(promote="same", mixed=takes("bitwise_right_shift"))
def bitwise_right_shift(a, b):
    """a >> b, of integers"""
    return a >> b


@primitive(promote="same")
def isnan(x):
    """x is not a number"""
    return x != x


@primitive(promote="same")
def isinf(xp, x):
    """x is an infinity"""
    return xp.isinf(x)


@primitive(promote="same")
def isfinite(xp, x):
    """x is neither infinite nor nan"""
    return xp.isfinite(x)


@primitive(promote="same")
def signbit(xp, x):
    """x is negative, -0. included"""
    return xp.signbit(x)


# -- further -------------------------------------------------------------------------------------------------------


@primitive(promote="same", x=lambda g, xp: xp.zeros_like(g), value=lambda g: g)
def fill(xp, x, value):
    """value everywhere, in the shape of x"""
    return xp.zeros_like(x) + value


fill_tensor, zero = overload(fill, "FillBackward1"), overload(fill, "ZeroBackward0")
fill_in_place, fill_tensor_in_place = overload(fill, "FillBackward2"), overload(fill, "FillBackward3")


@primitive(promote="float", single=("out", "x"), x=lambda g: g * (math.pi / 180), name="Deg2RadBackward0")
def deg2rad(x):
    """x * pi / 180"""
    return x * (math.pi / 180)


@primitive(promote="float", single=("out", "x"), x=lambda g: g * (180 / math.pi), name="Rad2DegBackward0")
def rad2deg(x):
    """x * 180 / pi"""
    return x * (180 / math.pi)


@primitive(x=lambda g, xp, x: xp.where(xp.isfinite(x), g, 0))
def nan_to_num(xp, x, *, nan, posinf, neginf):
    """x with nan, inf and -inf replaced"""
    return xp.where(x == math.inf, posinf, xp.where(x == -math.inf, neginf, xp.where(x != x, nan, x)))


_NO_DERIVATIVE = RuntimeError("derivative for aten::heaviside is not implemented")


@primitive(
    promote="same", name="torch::autograd::NotImplemented",
    x=not_differentiable(_NO_DERIVATIVE), at_zero=not_differentiable(_NO_DERIVATIVE),
)  # fmt: skip
def heaviside(xp, x, at_zero):
    """0, at_zero or 1 where x is negative, zero or positive"""
    return xp.where(x == 0, at_zero, xp.convert(x > 0, x.dtype))


@primitive(
    promote="float",
    mixed=takes("hypot", "input", "other"),
    a=lambda g, a, out: g * a / out,
    b=lambda g, b, out: g * b / out,
)
def hypot(xp, a, b):
    """sqrt(a * a + b * b), without overflow"""
    return xp.hypot(a, b)


@primitive(
    promote="float",
    mixed=takes("copysign", "input"),
    a=lambda g, xp, a, out: g * xp.where(a == 0, 0, out / a),
    b=lambda g, xp: xp.zeros_like(g),
)
def copysign(xp, a, b):
    """|a| with the sign of b"""
    return xp.copysign(a, b)


def _sinc_g(g, xp, x):
    angle, squared = xp.times(x, math.pi), xp.times(x * x, math.pi)
    return xp.where(squared == 0, 0, g * ((angle * xp.cos(angle) - xp.sin(angle)) / squared))


@primitive(promote="float", single=("out",), x=_sinc_g)
def sinc(xp, x):
    """sin(pi x) / (pi x), 1 at 0"""
    return xp.where(x == 0, 1, xp.sin(x * math.pi) / (x * math.pi))


@primitive(promote="same", x=lambda g, xp: xp.zeros_like(g), src=lambda g: g, name="torch::autograd::CopyBackwards")
def copied(xp, x, src):
    """src, in the place of x"""
    return xp.copy(src)


# torch writes these three in place without a derivative, because the input that it needs is gone.


@primitive(
    promote="float",
    x=not_differentiable(NotImplementedError("the derivative for 'inplace version of acosh' is not implemented.")),
    name="AcoshBackward1",
)
def acosh_in_place(xp, x):
    """acosh, as acosh_ records it"""
    return xp.acosh(x)


@primitive(
    promote="float",
    x=not_differentiable(NotImplementedError("the derivative for 'inplace version of asinh' is not implemented.")),
    name="AsinhBackward1",
)
def asinh_in_place(xp, x):
    """asinh, as asinh_ records it"""
    return xp.asinh(x)


@primitive(
    promote="float",
    x=not_differentiable(NotImplementedError("the derivative for 'inplace version of atanh' is not implemented.")),
    name="AtanhBackward1",
)
def atanh_in_place(xp, x):
    """atanh, as atanh_ records it"""
    return xp.atanh(x)
