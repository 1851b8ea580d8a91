"""torch's in-place kernels on raw arrays, with its order of operations and its rounding of scalars.

`a` is changed; `c` is a 0-d array of its dtype that takes the scalar; `t` is a buffer for temporaries or None. Knows no
Tensor. Where torch fuses a multiply and an add, rounding once, these round twice: at most 1 ulp of the product apart.
"""

from numpy import absolute, add, divide, maximum, minimum, multiply, negative, reciprocal, sqrt, subtract

__all__ = [
    "absolute",
    "add",
    "add_scaled",
    "addcdiv",
    "addcmul",
    "decay_square",
    "divide",
    "gradient",
    "lerp",
    "maximum",
    "minimum",
    "multiply",
    "reciprocal",
    "scale",
    "sqrt",
    "sqrt_plus",
    "subtract",
]

_IN_C = {"float16": "c10::Half", "float32": "float", "float64": "double"}  # what torch calls them here


def scale(a, factor, c):
    """a *= factor."""
    c[()] = factor
    multiply(a, c, a)


def add_scaled(a, b, alpha, c, t):
    """a += alpha * b: torch's add_(b, alpha=alpha)."""
    c[()] = alpha
    add(a, multiply(b, c, t), a)


def gradient(p, g, weight_decay, maximize, c, t, u):
    """The direction to descend: g or, to maximize, -g; plus weight_decay * p. If it is not g it is new, or in `u`."""
    if weight_decay:
        c[()] = weight_decay
        decay = multiply(p, c, t)
        return subtract(decay, g, u) if maximize else add(g, decay, u)
    return negative(g, u) if maximize else g


def lerp(a, end, weight, c, t):
    """a += weight * (end - a); from weight 0.5 on, a = end - (end - a) * (1 - weight), as torch has it."""
    if end.dtype is not a.dtype and end.dtype != a.dtype:
        raise RuntimeError(
            f"expected dtype {_IN_C[a.dtype.name]} for `end` but got dtype {_IN_C[end.dtype.name]}: the gradient must "
            "have the dtype that the parameter had when its state was made"
        )
    difference = subtract(end, a, t)
    c[()] = weight
    if abs(weight) < 0.5:
        add(a, multiply(difference, c, t), a)
    else:
        c[()] = 1 - c[()]
        subtract(end, multiply(difference, c, t), a)


def addcmul(a, x, y, value, c, t):
    """a += value * x * y."""
    c[()] = value
    add(a, multiply(multiply(x, c, t), y, t), a)


def addcdiv(a, x, y, value, c, t):
    """a += value * x / y."""
    c[()] = value
    add(a, divide(multiply(x, c, t), y, t), a)


def decay_square(a, x, decay, c, t):
    """a = decay * a + (1 - decay) * x * x: a running average of squares."""
    scale(a, decay, c)
    addcmul(a, x, x, 1 - decay, c, t)


def sqrt_plus(a, eps, c, t):
    """sqrt(a) + eps, as a new array or in `t`."""
    c[()] = eps
    return add(sqrt(a, t), c, t)
