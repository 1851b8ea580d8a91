"""torch's elementwise functions: the signatures and overloads over the ops of `ops/elementwise.py`.

Owns which op a call means (alpha, rounding_mode, scalars, bounds) and the dtypes it takes. Knows no derivative.
"""

import builtins
import math

import numpy as np

from .. import dtypes
from ..ops import elementwise as ops
from ..ops.elementwise import (
    acos,
    acosh,
    asin,
    asinh,
    atan,
    atan2,
    atanh,
    cos,
    cosh,
    eq,
    erf,
    erfc,
    exp,
    exp2,
    expm1,
    ge,
    gt,
    le,
    log,
    log1p,
    log2,
    log10,
    lt,
    ne,
    reciprocal,
    rsqrt,
    sigmoid,
    sin,
    sinh,
    sqrt,
    tan,
    tanh,
)  # fmt: skip
from ..primitive import align, as_operand, common_dtype, to_dtype
from ..tensor import Tensor, wrap
from .arguments import refuse_kinds, scalar_as, tensor_argument
from .shape import laid_out

__all__ = [
    "abs", "absolute", "acos", "acosh", "add", "addcdiv", "addcmul", "arccos", "arccosh", "arcsin", "arcsinh", "arctan",
    "arctan2", "arctanh", "asin", "asinh", "atan", "atan2", "atanh", "bitwise_and", "bitwise_left_shift", "bitwise_not",
    "bitwise_or", "bitwise_right_shift", "bitwise_xor", "ceil", "clamp", "clamp_max", "clamp_min", "clip", "clone",
    "copysign", "cos", "cosh", "deg2rad", "div", "divide", "eq", "erf", "erfc", "exp", "exp2", "expm1", "fill", "fix",
    "float_power", "floor", "floor_divide", "fmax", "fmin", "fmod", "frac", "gcd", "ge", "greater", "greater_equal",
    "gt", "heaviside", "hypot", "isfinite", "isinf", "isnan", "isneginf", "isposinf", "isreal", "lcm", "ldexp", "le",
    "lerp", "less", "less_equal", "log", "log10", "log1p", "log2", "logaddexp", "logaddexp2", "logical_and",
    "logical_not", "logical_or", "logical_xor", "logit", "lt", "maximum", "minimum", "mul", "multiply", "nan_to_num",
    "ne", "neg", "negative", "not_equal", "positive", "pow", "rad2deg", "reciprocal", "relu", "remainder", "round",
    "rsqrt", "rsub", "sgn", "sigmoid", "sign", "signbit", "sin", "sinc", "sinh", "sqrt", "square", "sub", "subtract",
    "tan", "tanh", "true_divide", "trunc", "where", "xlogy", "zero",
]  # fmt: skip


def add(input, other, *, alpha=1):
    """input + alpha * other"""
    if alpha.__class__ is not int or alpha != 1:
        return ops.add_scaled(input, other, _factor(input, other, alpha))
    return ops.add(input, other)


def _factor(input, other, alpha, name="alpha"):
    """alpha as a Python number of the kind that the result is."""
    if isinstance(alpha, Tensor):
        alpha = alpha.item()
    result = common_dtype([as_operand(input), as_operand(other)])
    if isinstance(alpha, builtins.bool) and result is not dtypes.bool_:
        raise RuntimeError(f"Boolean {name} only supported for Boolean results.")
    if isinstance(alpha, builtins.float) and not result.is_floating_point:
        raise RuntimeError(f"For integral input tensors, argument {name} must not be a floating point number.")
    return scalar_as(alpha, result)


def sub(input, other, *, alpha=1):
    """input - alpha * other; raises RuntimeError for booleans"""
    if alpha.__class__ is not int or alpha != 1:
        for x in (input, other):
            if _is_bool(x):
                return ops.sub(input, other)
        return ops.sub_scaled(input, other, _factor(input, other, alpha))
    return ops.sub(input, other)


def _is_bool(x):
    return (x._array.dtype == np.bool_) if isinstance(x, Tensor) else isinstance(x, builtins.bool)


def rsub(input, other, *, alpha=1):
    """other - alpha * input"""
    tensor_argument(input, "rsub")
    if alpha.__class__ is int and alpha == 1:
        return (ops.rsub_tensor if isinstance(other, Tensor) else ops.rsub)(input, other)
    return sub(other, input, alpha=alpha)


def mul(input, other):
    """input * other"""
    return ops.mul(input, other)


def div(input, other, *, rounding_mode=None):
    """input / other; rounding_mode "floor" or "trunc" rounds the quotient, and keeps integers"""
    if rounding_mode is None:
        return ops.div(input, other)
    if rounding_mode not in ("floor", "trunc"):
        raise RuntimeError(
            f"div expected rounding_mode to be one of None, 'trunc', or 'floor' but found '{rounding_mode}'"
        )
    op = ops.div_floor if rounding_mode == "floor" else ops.div_trunc
    return _integer_checked(op, f"div_{rounding_mode}_cpu", input, other)


def _integer_checked(op, kernel, a, b):
    """op(a, b) of one dtype, not bool; an integer zero as divisor is an error, as in torch."""
    if (mixed := op.primitive.mixed) and (result := mixed(a, b)) is not None:
        return result
    a, b = align([a, b], to_float=False)
    kind = a._array.dtype.kind
    if kind != "f":
        refuse_kinds(kernel, a, "b")
        if not b._array.all():
            raise RuntimeError("ZeroDivisionError: an integer tensor was divided by zero")
    return op(a, b)


def floor_divide(input, other):
    """floor(input / other); torch knows no derivative of it, so that backward through it raises RuntimeError"""
    return _integer_checked(ops.floor_divide, "div_floor_cpu", input, other)


def remainder(input, other):
    """input - other * floor(input / other): the sign of other, as Python's %"""
    op = ops.remainder if isinstance(other, Tensor) else ops.remainder_by_number
    return _integer_checked(op, "remainder_cpu", input, other)


def fmod(input, other):
    """input - other * trunc(input / other): the sign of input, as C's fmod"""
    op = ops.fmod if isinstance(other, Tensor) else ops.fmod_by_number
    return _integer_checked(op, "fmod_cpu", input, other)


def neg(input):
    """-input; raises RuntimeError for booleans"""
    if _is_bool(input):
        raise RuntimeError(
            "Negation, the `-` operator, on a bool tensor is not supported. If you are trying to invert a mask, use "
            "the `~` or `logical_not()` operator instead."
        )
    return ops.neg(input)


def positive(input):
    """input itself; raises RuntimeError for booleans"""
    if _is_bool(input):
        raise RuntimeError("The `+` operator, on a bool tensor is not supported.")
    return input


def pow(input, exponent):
    """input ** exponent; a Python integer exponent is computed by products"""
    if (exponent.__class__ is int or exponent.__class__ is float) and isinstance(input, Tensor):
        if input._array.dtype.kind == "f":
            return ops.power(input, exponent)  # the usual case, which the general one below would take, too
    if not isinstance(exponent, Tensor) and dtypes.scalar_dtype(exponent) is not None:
        if isinstance(input, Tensor):
            return _power(input, exponent)
        tensor_argument(input, "pow")
    a, b = align([input, exponent], to_float=False)
    refuse_kinds("pow", a, "b")
    return (ops.pow if isinstance(input, Tensor) else ops.pow_of_number)(a, b)


def _power(x, n):
    if x._array.dtype.kind != "f":
        x = to_dtype(x, common_dtype([x, n]))
        if _is_bool(x):  # to the power of True itself, of False 1
            return x | (not n)
        if n < 0 and x._array.dtype.kind in "iu":
            raise RuntimeError("Integers to negative integer powers are not allowed.")
    return ops.power(x, n)


def float_power(input, exponent):
    """input ** exponent in float64"""
    as_double = [to_dtype(x, dtypes.float64) if isinstance(x, Tensor) else x for x in (input, exponent)]
    if not isinstance(as_double[0], Tensor):
        tensor_argument(exponent, "float_power", "exponent", 2)
        as_double[0] = wrap(np.array(float(as_double[0])))
    return pow(*as_double)


def square(input):
    """input * input"""
    return pow(input, 2)


def abs(input):
    """|input|"""
    refuse_kinds("abs_cpu", input, "b")
    return ops.abs(input)


def relu(input):
    """max(input, 0)"""
    if _is_bool(input):
        raise RuntimeError("Boolean inputs not supported for relu")
    return ops.relu(input)


def sign(input):
    """-1, 0 or 1"""
    return input.clone() if _is_bool(input) else ops.sign(input)


def sgn(input):
    """sign(input)"""
    return sign(input)


def _integers_as_they_are(op):
    def function(input):
        if input._array.dtype.kind == "f":
            return op(input)
        refuse_kinds(f"{op.__name__}_vml_cpu", input, "b")
        return ops.clone(input)

    function.__name__, function.__doc__ = op.__name__, op.__doc__
    return function


floor = _integers_as_they_are(ops.floor)
ceil = _integers_as_they_are(ops.ceil)
trunc = _integers_as_they_are(ops.trunc)


def round(input, *, decimals=None):
    """The nearest multiple of 10 ** -decimals (1 unless given), halves to even."""
    if input._array.dtype.kind == "f":
        return ops.round(input, 0) if decimals is None else ops.round_to(input, decimals)
    refuse_kinds("round_cpu" if decimals else "round_vml_cpu", input, "b" if decimals is None else "biu")
    return ops.clone(input)


def frac(input):
    """input - trunc(input); raises NotImplementedError for integers"""
    refuse_kinds("frac_cpu", input, "biu")
    return ops.frac(input)


def maximum(input, other):
    """The larger of two tensors; a tie gives each half of the gradient"""
    _both_tensors("maximum", input, other)
    return ops.maximum(input, other)


def minimum(input, other):
    """The smaller of two tensors; a tie gives each half of the gradient"""
    _both_tensors("minimum", input, other)
    return ops.minimum(input, other)


def fmax(input, other):
    """The larger of two tensors, ignoring nan"""
    _both_tensors("fmax", input, other)
    return ops.fmax(input, other)


def fmin(input, other):
    """The smaller of two tensors, ignoring nan"""
    _both_tensors("fmin", input, other)
    return ops.fmin(input, other)


def _both_tensors(function, *operands):
    for position, (name, x) in enumerate(zip(("input", "other"), operands), 1):
        tensor_argument(x, function, name, position)


def clamp(input, min=None, max=None):
    """min(max(input, min), max); the gradient passes at the bounds"""
    if None not in (min, max) and isinstance(min, Tensor) != isinstance(max, Tensor):
        min, max = [b.item() if isinstance(b, Tensor) and not b._array.ndim else b for b in (min, max)]
    if isinstance(max if min is None else min, Tensor):
        return _clamped(input, min, max, ops.clamp_between, ops.clamp_above, ops.clamp_below)
    return _clamped(input, min, max, ops.clamp_between_numbers, ops.clamp_above_number, ops.clamp_below_number)


def _clamped(input, min, max, between, above, below):
    tensor_argument(input, "clamp")
    if min is None and max is None:
        raise RuntimeError("torch.clamp: At least one of 'min' or 'max' must not be None")
    if isinstance(min, Tensor) != isinstance(max, Tensor) and None not in (min, max):
        given = f"input=Tensor, min={type(min).__name__}, max={type(max).__name__}"
        raise TypeError(
            f"clamp() received an invalid combination of arguments - got ({given}): give two numbers or two Tensors"
        )
    bounds = [b for b in (min, max) if b is not None]
    if _is_bool(input) and (len(bounds) == 2 or not isinstance(bounds[0], Tensor)):
        input = to_dtype(input, common_dtype([input, *bounds]))
        refuse_kinds("clamp_cpu", input, "b")
    if input._array.dtype.kind in "iu":
        target = common_dtype([input, *bounds])
        for b in bounds:
            if not isinstance(b, Tensor):
                scalar_as(b, target)
    with_nan = any(isinstance(b, builtins.float) and b != b for b in bounds)
    if with_nan:
        return ops.mul(input, math.nan)
    if max is None:
        return above(input, min)
    return below(input, max) if min is None else between(input, min, max)


def clamp_min(input, min):
    """max(input, min)"""
    tensor_argument(input, "clamp_min")
    op = ops.clamp_min_tensor if isinstance(min, Tensor) else ops.clamp_min
    return _clamped(input, min, None, None, op, None)


def clamp_max(input, max):
    """min(input, max)"""
    tensor_argument(input, "clamp_max")
    op = ops.clamp_max_tensor if isinstance(max, Tensor) else ops.clamp_max
    return _clamped(input, None, max, None, None, op)


def where(condition, input=None, other=None):
    """input where condition, other elsewhere; with the condition alone, the indices of its true elements"""
    if not isinstance(condition, Tensor):
        raise TypeError(f"where(): argument 'condition' (position 1) must be Tensor, not {type(condition).__name__}")
    if input is None and other is None:
        return condition.nonzero(as_tuple=True)
    if condition._array.dtype.kind != "b":
        if condition._array.dtype != np.uint8:
            raise RuntimeError(
                "where expected condition to be a boolean tensor, but got a tensor with dtype "
                f"{condition.dtype.type_name}"
            )
        condition = condition.bool()
    a, b = align([input, other], to_float=False)
    for x in (input, other):
        if not isinstance(x, Tensor):
            scalar_as(x, a.dtype)
    return ops.choose(condition, a, b)


def lerp(input, end, weight):
    """input + weight * (end - input)"""
    for name, x in (("end", end), ("weight", weight)):
        differs = isinstance(x, Tensor) and x._array.dtype != input._array.dtype
        if differs and (name == "end" or x._array.ndim):  # one weight for all may be of any dtype
            raise RuntimeError(
                f"expected dtype {input.dtype.type_name.lower()} for `{name}` but got dtype {x.dtype.type_name.lower()}"
            )
    refuse_kinds(f"lerp_kernel_{'tensor' if isinstance(weight, Tensor) else 'scalar'}", input, "biu")
    return ops.lerp(input, end, weight) if isinstance(weight, Tensor) else ops.lerp_by(input, end, weight=weight)


def addcmul(input, tensor1, tensor2, *, value=1):
    """input + value * tensor1 * tensor2"""
    return ops.addcmul(*_three("addcmul", input, tensor1, tensor2, value))


def _three(function, *operands_and_value):
    *operands, value = operands_and_value
    operands = align(operands, to_float=False)
    refuse_kinds(f"{function}_cpu_out", operands[0], "b")
    return *operands, scalar_as(value, operands[0].dtype)


def addcdiv(input, tensor1, tensor2, *, value=1):
    """input + value * tensor1 / tensor2; raises RuntimeError for integers"""
    if not any(t.dtype.is_floating_point for t in (tensor1, tensor2)):
        raise RuntimeError(
            "Integer division with addcdiv is no longer supported, and in a future  release addcdiv will perform a "
            "true division of tensor1 and tensor2. The historic addcdiv behavior can be implemented as (input + value "
            "* torch.trunc(tensor1 / tensor2)).to(input.dtype) for integer inputs and as (input + value * tensor1 / "
            "tensor2) for float inputs."
        )
    return ops.addcdiv(*_three("addcdiv", input, tensor1, tensor2, value))


def logaddexp(input, other):
    """log(exp(input) + exp(other))"""
    return ops.logaddexp(*_of_floats("logaddexp", input, other))


def _of_floats(function, input, other):
    _both_tensors(function, input, other)
    refuse_kinds(f"{function}_cpu", align([input, other], to_float=False)[0], "biu")
    return input, other


def logaddexp2(input, other):
    """log2(2 ** input + 2 ** other)"""
    return ops.logaddexp2(*_of_floats("logaddexp2", input, other))


def xlogy(input, other):
    """input * log(other), 0 where input is 0"""
    if isinstance(input, Tensor):
        return (ops.xlogy if isinstance(other, Tensor) else ops.xlogy_of_log)(input, other)
    return ops.xlogy_of_number(input, other)


def hypot(input, other):
    """sqrt(input ** 2 + other ** 2), without overflow"""
    return ops.hypot(*_of_floats("hypot", input, other))


def copysign(input, other):
    """|input| with the sign of other"""
    return ops.copysign(input, other)


def ldexp(input, other):
    """input * 2 ** other"""
    _both_tensors("ldexp", input, other)
    input, other = align((input, other), to_float=True)
    return input * pow(wrap(np.array(2.0, other._array.dtype)), other)


def heaviside(input, values):
    """0, values or 1 where input is negative, zero or positive"""
    tensor_argument(input, "heaviside")
    tensor_argument(values, "heaviside", "values", 2)
    if input._array.dtype != values._array.dtype:
        raise RuntimeError("heaviside is not yet implemented for tensors with different dtypes.")
    return ops.heaviside(input, values)


def sinc(input):
    """sin(pi x) / (pi x), 1 at 0"""
    return ops.sinc(input)


def logit(input, eps=None):
    """log(x / (1 - x)), with x first clamped to [eps, 1 - eps] if eps is given"""
    return ops.logit(input, eps)


def deg2rad(input):
    """input * pi / 180"""
    return ops.deg2rad(input)


def rad2deg(input):
    """input * 180 / pi"""
    return ops.rad2deg(input)


def nan_to_num(input, nan=0.0, posinf=None, neginf=None):
    """input with nan, inf and -inf replaced (by 0 and the largest and smallest finite numbers, unless given)"""
    if input._array.dtype.kind != "f":
        return ops.clone(input)
    least, largest = dtypes.RANGES[input._array.dtype]
    posinf, neginf = largest if posinf is None else posinf, least if neginf is None else neginf
    return ops.nan_to_num(input, 0.0 if nan is None else nan, posinf, neginf)


def clone(input, *, memory_format=None):
    """A copy; the gradient passes through"""
    out = ops.clone(input)
    return out if memory_format is None else laid_out(out, memory_format)


def fill(input, value):
    """A tensor like input, full of value"""
    return _filled(input, value, ops.fill, ops.fill_tensor)


def fill_in_place(input, value):
    """fill, as fill_ records it"""
    return _filled(input, value, ops.fill_in_place, ops.fill_tensor_in_place)


def _filled(input, value, with_number, with_tensor):
    if isinstance(value, Tensor) and value._array.ndim:
        raise RuntimeError(
            f"fill_ only supports 0-dimension value tensor but got tensor with {value._array.ndim} dimensions."
        )
    if isinstance(value, Tensor):
        return with_tensor(input, to_dtype(value, input.dtype))
    return with_number(input, to_dtype(scalar_as(as_operand(value), input.dtype), input.dtype))


def zero(input):
    """A tensor like input, full of zeros"""
    return _filled(input, 0, ops.zero, None)


# -- logic ---------------------------------------------------------------------------------------------------------


def logical_and(input, other):
    """Both nonzero."""
    return ops.logical_and(input, other)


def logical_or(input, other):
    """At least one nonzero."""
    return ops.logical_or(input, other)


def logical_xor(input, other):
    """Exactly one nonzero."""
    return ops.logical_xor(input, other)


def logical_not(input):
    """Zero."""
    return ops.logical_not(input)


def _bitwise(op, name):
    def function(input, other):
        for x in (input, other):
            if not isinstance(x, Tensor) and dtypes.scalar_dtype(x) is None:
                break  # no operand at all: the op says so
            if (x.dtype if isinstance(x, Tensor) else dtypes.scalar_dtype(x)).is_floating_point:
                raise NotImplementedError(
                    f"\"{name}_cpu\" not implemented for '{common_dtype([input, other]).type_name}'"
                )
        return op(input, other)

    function.__name__, function.__doc__ = name, op.__doc__
    return function


bitwise_and = _bitwise(ops.bitwise_and, "bitwise_and")
bitwise_or = _bitwise(ops.bitwise_or, "bitwise_or")
bitwise_xor = _bitwise(ops.bitwise_xor, "bitwise_xor")


def _of_integers(op, name):
    def function(input, other):
        common = common_dtype([tensor_argument(input, name), tensor_argument(other, name, "other", 2)])
        if common.category != 1:
            raise NotImplementedError(f"\"{name}_cpu\" not implemented for '{common.type_name}'")
        return op(input, other)

    function.__name__, function.__doc__ = name, op.__doc__
    return function


gcd, lcm = _of_integers(ops.gcd, "gcd"), _of_integers(ops.lcm, "lcm")


def _shift(op, kernel):
    def function(input, other):
        if isinstance(input, Tensor) or isinstance(other, Tensor):
            input, other = align([input, other], to_float=False)
            refuse_kinds(kernel, input, "bf")
        return op(input, other)

    function.__name__, function.__doc__ = op.__name__, op.__doc__
    return function


bitwise_left_shift, bitwise_right_shift = (
    _shift(ops.bitwise_left_shift, "lshift_cpu"),
    _shift(ops.bitwise_right_shift, "rshift_cpu"),
)


def bitwise_not(input):
    """~input, of integers or booleans"""
    refuse_kinds("bitwise_not_cpu", input, "f")
    return ops.bitwise_not(input)


def isnan(input):
    """Not a number."""
    return ops.isnan(input)


def isinf(input):
    """Plus or minus infinity."""
    return ops.isinf(input)


def isfinite(input):
    """Neither infinite nor nan."""
    return ops.isfinite(input)


def isposinf(input):
    """Plus infinity."""
    return input == math.inf


def isneginf(input):
    """Minus infinity."""
    return input == -math.inf


def isreal(input):
    """True everywhere: there are no complex tensors"""
    return wrap(np.ones(input._array.shape, bool))


def signbit(input):
    """Negative, -0. included."""
    return ops.signbit(input) if input._array.dtype.kind == "f" else input < 0


absolute, arccos, arccosh, arcsin, arcsinh = abs, acos, acosh, asin, asinh
arctan, arctan2, arctanh, clip, divide, fix = atan, atan2, atanh, clamp, div, trunc
greater, greater_equal, less, less_equal, not_equal = gt, ge, lt, le, ne
multiply, negative, subtract, true_divide = mul, neg, sub, div
