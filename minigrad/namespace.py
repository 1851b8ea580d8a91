"""The arrays that a Tensor may hold, and the functions that act on them.

Owns one namespace per array library. A namespace answers the same names with the same signatures (array-API spelling:
`axis`, `keepdims`), so an op's forward and its derivative formulas are written once; `tests/test_dialect.py` holds them
to it. Knows no Tensor and no gradient.
"""

import math

import numpy as np

_DIRECT = (
    "exp exp2 expm1 log log2 log10 log1p sqrt sin cos tan asin acos atan atan2 sinh cosh tanh asinh acosh atanh "
    "abs floor ceil trunc fmod maximum minimum fmax fmin logaddexp zeros_like logaddexp2 "
    "logical_and logical_or logical_xor logical_not isinf isfinite signbit hypot copysign"
).split()


class Namespaces(dict):
    """The namespace of an array, by its class; `namespaces[Tensor]` is minigrad's own ops, recorded."""

    def __missing__(self, cls):
        if issubclass(cls, (np.ndarray, np.generic)):
            self[cls] = NumPy
            return NumPy
        if cls.__module__ == "torch":
            from .torch_namespace import Torch

            self[cls] = Torch
            return Torch
        raise TypeError(f"no array namespace is known for {cls.__module__}.{cls.__name__}")


namespaces = Namespaces()


def sum_axes(g_shape, shape):
    """The axes of `g_shape` that broadcasting from `shape` made or stretched."""
    lead = len(g_shape) - len(shape)
    stretched = (i + lead for i, n in enumerate(shape) if n == 1 and g_shape[i + lead] != 1)
    return (*range(lead), *stretched)


def count(shape, axis):
    """How many elements a reduction of `shape` over `axis` (None: all) puts into one."""
    return math.prod(shape) if axis is None else math.prod(shape[i] for i in axis)


def inverse(axes):
    """The permutation that undoes `axes`."""
    back = [0] * len(axes)
    for i, axis in enumerate(axes):
        back[axis] = i
    return tuple(back)


def kept_shape(shape, axis):
    """`shape` with the reduced axes as size 1."""
    return tuple(1 if axis is None or i in axis else n for i, n in enumerate(shape))


def corner(shape):
    """The key of the first `shape` elements along every axis."""
    return tuple(slice(n) for n in shape)


def address(x):
    """Where an array's first element lies in memory, in bytes."""
    return x.__array_interface__["data"][0] if isinstance(x, np.ndarray) else x.address


def cast(x, dtype):
    """A new array of a dtype; from double to half precision by way of single, rounded twice, as torch does it."""
    if dtype == np.float16 and x.dtype == np.float64:
        x = x.astype(np.float32)
    return x.astype(dtype, "C" if 0 in x.strides else "K")  # an expanded array comes out in order


def _wide(x):
    """The dtype to accumulate in: half precision in single, integers in int64, as torch does."""
    kind = x.dtype.kind
    return (np.float32 if x.dtype.itemsize == 2 else None) if kind == "f" else np.int64


WIDE_ENOUGH = frozenset((np.dtype(np.float32), np.dtype(np.float64)))  # sums are accumulated in the dtype itself


# Large arrays come and go at every op. glibc gives blocks above a threshold back to the system at once, so that each
# new one pays for its page faults (1.2 us for 4 KiB here): more than the arithmetic. It raises the threshold to the
# largest such block that was ever freed, at most 32 MiB: so free one, untouched, which costs 10 us and no memory.
# Measured on a million elements (elementwise benchmark): a step takes 40 % less time at the same peak. Other allocators
# do not care.
np.empty((1 << 25) - (1 << 16), np.uint8)

MANY = 512  # elements, from which on NumPy's speed counts more than a few calls
LARGE = 8192  # elements, from which on an array is better written over than another filled
BITS = {np.dtype(np.float32): np.dtype(np.int32), np.dtype(np.float64): np.dtype(np.int64)}
PYTHON_NUMBERS = (int, float)


def _bitwise(x, array, condition):
    """True for a side of a `where` that bits can be taken from: a Python number, or of the array's dtype and shape."""
    if array.__class__ is not np.ndarray or array.shape != condition.shape:  # both sides may be numbers
        return False
    return x.__class__ in PYTHON_NUMBERS or x.dtype in BITS and x.dtype is array.dtype and x.shape == condition.shape


def _in_order(reduced):
    """What a reduction gave, in C order: torch's is so whatever the order of the input."""
    return reduced if reduced.ndim < 2 or reduced.flags.c_contiguous else reduced.copy()


def _product(a, b):
    """a @ b of matrices. The method takes 250 ns less than the operator, but fills its result with zeros beforehand.

    Of a few long float32 rows and a transposed matrix, which is what a Linear layer gives it, OpenBLAS finds the
    transpose of the product faster, though it must be copied into order: in half of the time for 8 rows, in nine tenths
    for 64 (measured on one machine, as the bounds are).
    """
    rows = len(a)
    if rows < 8:
        return a.dot(b)
    length, columns = b.shape
    if rows <= 64 and length >= max(128, 8 * rows) and columns >= max(128, 4 * rows) and a.dtype == np.float32:
        if b.flags.f_contiguous and a.flags.c_contiguous:
            return np.ascontiguousarray((b.T @ a.T).T)
    return a.dot(b) if rows * columns < LARGE else a @ b


def _positions(index, axis, shape):
    """Where in an array of `shape`, in C order, the elements lie that `index` names along an axis: flat positions."""
    positions, step, behind = index * math.prod(shape[axis + 1 :]), 1, ()
    for i in reversed(range(index.ndim)):
        if i != axis:
            positions += (np.arange(index.shape[i]) * step).reshape((index.shape[i], *behind))
        step, behind = step * (shape[i] if shape else 1), (*behind, 1)
    return positions


def _add_at(out, positions, x):
    """Add to `out`, in C order, at flat positions: ufunc.at is five times as fast on one axis as on more."""
    np.add.at(out.reshape(-1), positions.reshape(-1), x.reshape(-1))


def _var(x, axis, correction, keepdims):
    """The variance, not rounded to x's dtype yet: its root may be a number where it is itself 0.

    As torch, half precision in single and the others in double: over all elements around their mean in x's dtype, along
    axes around that in double, so that of equal elements nothing is left.
    """
    n = count(x.shape, axis)
    wide = x.astype(_wide(x) or np.float64)
    if axis is not None and x.size and x.dtype == np.float64:
        wide -= wide[tuple(slice(0, 1) if i in axis else slice(None) for i in range(x.ndim))].copy()
    total = np.add.reduce(x if axis is None else wide, axis=axis, dtype=_wide(x), keepdims=True)
    wide -= total / (n or np.nan)
    wide *= wide
    return np.add.reduce(wide, axis=axis, keepdims=keepdims) / wide.dtype.type(max(n - correction, 0))


def _running(scan, x, axis):
    """A scan of an array, or of a number, in a new array in C order. torch's accumulates float32 in float64."""
    out = x.astype(_wide(x) or np.float64, "C")
    if x.ndim:
        scan(out, axis, None, out)
    return out.astype(x.dtype, copy=False) if x.dtype.kind == "f" else out


def _polynomial(x, *coefficients):
    """coefficients[0] + coefficients[1] * x + ..., by Horner's rule."""
    result = coefficients[-1]
    for coefficient in coefficients[-2::-1]:
        result = result * x + coefficient
    return result


def _near(square):
    """erf(x) / x - 1 of x * x, up to |x| = 0.84375."""
    return _polynomial(
        square,
        1.28379167095512558561e-01, -3.25042107247001499370e-01, -2.84817495755985104766e-02,
        -5.77027029648944159157e-03, -2.37630166566501626084e-05,
    ) / _polynomial(
        square,
        1.0, 3.97917223959155352819e-01, 6.50222499887672944485e-02, 5.08130628187576562776e-03,
        1.32494738004321644526e-04, -3.96022827877536812320e-06,
    )  # fmt: skip


MIDDLE = 8.45062911510467529297e-01  # erf(1), roughly


def _middle(x):
    """erf(x) - MIDDLE, from 0.84375 to 1.25."""
    return _polynomial(
        x - 1,
        -2.36211856075265944077e-03, 4.14856118683748331666e-01, -3.72207876035701323847e-01,
        3.18346619901161753674e-01, -1.10894694282396677476e-01, 3.54783043256182359371e-02,
        -2.16637559486879084300e-03,
    ) / _polynomial(
        x - 1,
        1.0, 1.06420880400844228286e-01, 5.40397917702171048937e-01, 7.18286544141962662868e-02,
        1.26171219808761642112e-01, 1.36370839120290507362e-02, 1.19844998467991074170e-02,
    )  # fmt: skip


def _erf_tail(x, above, below):
    inverse = 1 / (x * x)
    return 1 - np.exp(-x * x - 0.5625 + _polynomial(inverse, *above) / _polynomial(inverse, *below)) / x


def _erfc_tail(x, above, below):
    """1 - erf(x) to the last bits, where _erf_tail is right to the last bits of 1: x * x is not rounded."""
    high = x.astype(np.float32).astype(x.dtype)  # whose square is exact
    inverse = 1 / (x * x)
    rest = (high - x) * (high + x) + _polynomial(inverse, *above) / _polynomial(inverse, *below)
    return np.exp(-high * high - 0.5625) * np.exp(rest) / x


FAR = (  # from 1.25 on
    (
        -9.86494403484714822705e-03, -6.93858572707181764372e-01, -1.05586262253232909814e+01,
        -6.23753324503260060396e+01, -1.62396669462573470355e+02, -1.84605092906711035994e+02,
        -8.12874355063065934246e+01, -9.81432934416914548592e+00,
    ),
    (
        1.0, 1.96512716674392571292e+01, 1.37657754143519042600e+02, 4.34565877475229228821e+02,
        6.45387271733267880336e+02, 4.29008140027567833386e+02, 1.08635005541779435134e+02,
        6.57024977031928170135e+00, -6.04244152148580987438e-02,
    ),
)  # fmt: skip
FARTHER = (  # from 1 / 0.35 on
    (
        -9.86494292470009928597e-03, -7.99283237680523006574e-01, -1.77579549177547519889e+01,
        -1.60636384855821916062e+02, -6.37566443368389627722e+02, -1.02509513161107724954e+03,
        -4.83519191608651397019e+02,
    ),
    (
        1.0, 3.03380607434824582924e+01, 3.25792512996573918826e+02, 1.53672958608443695994e+03,
        3.19985821950859553908e+03, 2.55305040643316442583e+03, 4.74528541206955367215e+02,
        -2.24409524465858183362e+01,
    ),
)  # fmt: skip


ERF = (
    (0, 0.84375, lambda x: x + x * _near(x * x)),
    (0.84375, 1.25, lambda x: MIDDLE + _middle(x)),
    (1.25, 1 / 0.35, lambda x: _erf_tail(x, *FAR)),
    (1 / 0.35, 6, lambda x: _erf_tail(x, *FARTHER)),
)
ERFC = (
    (0.84375, 1.25, lambda x: (1 - MIDDLE) - _middle(x)),
    (1.25, 1 / 0.35, lambda x: _erfc_tail(x, *FAR)),
    (1 / 0.35, 28, lambda x: _erfc_tail(x, *FARTHER)),
)


class NumPy:
    """NumPy under the names that ops use. Every function takes and returns plain arrays.

    A namespace is a class without instances: its functions are called as the class's own, never as methods.
    """

    vars().update((name, getattr(np, name)) for name in _DIRECT)
    count, inverse = count, inverse
    recorded = False  # True of the namespace in which formulas leave a graph behind

    # -- elementwise

    def cast(x, dtype):
        return cast(x, dtype)

    convert = cast

    def times(x, number):
        """x * number, which is not rounded to half precision first."""
        if x.dtype != np.float16:
            return x * number
        return (cast(x, np.float32) * np.float32(number)).astype(np.float16)

    def over_count(x, count):
        if count <= 65504 or x.dtype.itemsize > 2:
            return x / count
        return (cast(x, np.float32) / np.float32(count)).astype(x.dtype)

    def copy(x):
        return x.copy("C" if 0 in x.strides else "K")

    def to_device(x, device):
        from .torch_namespace import place

        return place(x, device)

    def sign(x):
        return np.subtract(x > 0, x < 0, dtype=x.dtype)  # of nan 0, as in torch

    def remainder(x1, x2):
        if x1.dtype.kind != "f":
            return np.remainder(x1, x2)
        rest = np.fmod(x1, x2)  # np.remainder gives 0. the sign of x2, torch leaves it that of x1
        return np.where((rest != 0) & ((x2 < 0) != (rest < 0)), rest + x2, rest)

    def div_floor(a, b):
        return np.floor_divide(a, b)

    def div_trunc(a, b):
        if a.dtype.kind == "f":
            return np.trunc(a / b)
        quotient = np.floor_divide(a, b)
        return quotient + ((quotient * b != a) & ((a < 0) != (b < 0))).astype(quotient.dtype)

    def round(x, decimals):
        if decimals == 0 or x.dtype.kind != "f":
            return np.rint(x).astype(x.dtype) if x.dtype.kind == "f" else x.copy()
        scale = x.dtype.type(10.0 ** abs(decimals))
        return np.rint(x * scale) / scale if decimals > 0 else np.rint(x / scale) * scale

    def power(x, n):
        if x.dtype.kind == "f":
            if n == 2:
                return x * x
            if x.dtype.itemsize == 2:  # in single, n in half; and torch has no sqrt for 0.5 and -0.5 here
                power = NumPy.pow if n in (0.5, -0.5) else NumPy.power
                return power(cast(x, np.float32), np.float32(np.float16(n))).astype(np.float16)
            if n == 3:
                return x * x * x
            if n == 1:
                return +x
            if n == 4 or n == 5:
                square = x * x
                return square * square if n == 4 else square * square * x
            if n == 0.5:
                return np.sqrt(x)
            if n == -1:
                return 1 / x
            if n == -2:
                return 1 / (x * x)
            if n == -0.5:
                return 1 / np.sqrt(x)
        return np.power(x, n)

    def pow(a, b):
        if a.dtype.kind != "f" and b.dtype.kind == "i" and (b < 0).any():
            # What the integer reciprocals give: of 1 and -1 their powers, of all others 0.
            small = np.where((b % 2 == 0) & (a == -1), 1, np.where(abs(a) == 1, a, 0))
            return np.where(b < 0, small, np.power(a, np.maximum(b, 0))).astype(a.dtype)
        result = np.power(a, b)
        if a.dtype.kind == "f" and (b == 0.5).any():
            # A broadcast exponent of 0.5 NumPy takes for a square root, which of -inf is nan and of -0 is -0.
            return np.where((b == 0.5) & ((a == 0) | (a == -np.inf)), np.abs(a), result)
        return result

    def rsqrt(x):
        if x.dtype.itemsize == 2:
            return NumPy.rsqrt(cast(x, np.float32)).astype(x.dtype)
        return 1 / np.sqrt(x)

    def sigmoid(x):
        if x.dtype.itemsize == 2:  # whose exp overflows, and has too few digits near 1
            return NumPy.sigmoid(cast(x, np.float32)).astype(x.dtype)
        return 1 / (1 + np.exp(-x))

    def xlogy(a, b):
        return np.where((a == 0) & (b == b), 0, a * np.log(b))

    def erf(x):
        """Within 1 ulp in float64; by the rational approximations of FreeBSD's libm (Sun Microsystems 1993), each on
        its range of |x|."""
        x, shape = np.atleast_1d(x), x.shape
        size = np.abs(x)
        out = np.minimum(size, 1)  # from 6 on that is erf to the last bit in every dtype; of nan it is nan
        for low, high, piece in ERF:
            part = (size >= low) & (size < high)
            if part.any():
                out[part] = piece(size[part])
        return np.copysign(out, x, out).reshape(shape)

    def gcd(a, b):
        return np.gcd(a, b)

    def lcm(a, b):
        common, dtype = np.gcd(a, b), a.dtype
        if dtype.itemsize < 4:  # in C such numbers are multiplied as int, so that only the result wraps
            a = a.astype(np.int32)
        return np.abs(np.floor_divide(a, np.where(common == 0, 1, common)) * b).astype(dtype)

    def erfc(x):
        """1 - erf(x), as erf is computed, in float64, so that nothing is lost where it is small."""
        wide, shape = np.atleast_1d(x).astype(np.float64), x.shape
        size = np.abs(wide)
        out = np.where(size == size, 0.0, size)  # of |x|; from 28 on that is 0 in every dtype
        for low, high, piece in ERFC:
            part = (size >= low) & (size < high)
            if part.any():
                out[part] = piece(size[part])
        out = np.where(wide < 0, 2 - out, out)
        near = size < 0.84375
        x0 = wide[near]
        rest = x0 * _near(x0 * x0)
        out[near] = np.where(x0 < 0.25, 1 - (x0 + rest), 0.5 - (x0 - 0.5 + rest))
        return out.astype(x.dtype).reshape(shape)

    def lowest(x):
        return float(np.finfo(x.dtype).min)

    def passed(x, gate):
        return NumPy.where(gate <= 0, 0, x)

    def where(condition, a, b):
        array = b if a.__class__ in PYTHON_NUMBERS or not a.ndim else a
        if condition.size < MANY or not (_bitwise(a, array, condition) and _bitwise(b, array, condition)):
            return np.where(condition, a, b)
        # NumPy chooses element by element and mispredicts every other one; masks of bits are eight times as fast.
        bits = BITS[array.dtype]
        mask = cast(condition, bits)
        if a.__class__ is int and a == 0:
            np.subtract(mask, 1, mask)
            return np.bitwise_and(mask, b.view(bits), mask).view(b.dtype)
        np.negative(mask, mask)
        if b.__class__ is int and b == 0:
            return np.bitwise_and(mask, a.view(bits), mask).view(a.dtype)
        a, b = (np.asarray(x, array.dtype).view(bits) for x in (a, b))
        np.bitwise_and(mask, a ^ b, mask)
        return np.bitwise_xor(mask, b, mask).view(array.dtype)

    def zeros(shape, like):
        return np.zeros(shape, like.dtype)

    # -- reductions

    def sum_to(g, shape):
        """The adjoint of broadcasting from `shape`: the sum over every axis that broadcasting made or stretched."""
        if g.shape == shape:
            return g
        if not shape:
            return NumPy.sum(g, None, False)
        lead = g.ndim - len(shape)
        if g.dtype in WIDE_ENOUGH and g.shape[lead:] == shape:  # a bias: half of the general way
            return np.add.reduce(g, 0 if lead == 1 else tuple(range(lead)))
        return (
            np.add.reduce(g, axis=sum_axes(g.shape, shape), dtype=_wide(g), keepdims=True)
            .astype(g.dtype, copy=False)
            .reshape(shape)
        )

    def widen(g, shape, axis, keepdims):
        return g if keepdims or axis is None else g.reshape(kept_shape(shape, axis))

    def sum(x, axis, keepdims):
        if x.dtype in WIDE_ENOUGH:
            total = np.add.reduce(x, axis, None, None, keepdims)
            return total if x.ndim < 3 else _in_order(total)
        wide = _wide(x)
        total = np.add.reduce(x, axis=axis, dtype=wide, keepdims=keepdims)
        return total if wide is not np.float32 else total.astype(x.dtype)

    def mean(x, axis, keepdims):
        total = np.add.reduce(x, axis=axis, dtype=_wide(x), keepdims=keepdims)
        n = count(x.shape, axis)
        return _in_order((total / n if n else total * np.nan).astype(x.dtype, copy=False))

    def mean_in_double(x, axis, keepdims):
        return NumPy.mean(x if x.dtype.itemsize == 2 else x.astype(np.float64), axis, keepdims).astype(x.dtype)

    def var(x, axis, correction, keepdims):
        return _in_order(_var(x, axis, correction, keepdims).astype(x.dtype, copy=False))

    def std(x, axis, correction, keepdims):
        return _in_order(np.sqrt(_var(x, axis, correction, keepdims)).astype(x.dtype, copy=False))

    def norm(x, p, axis, keepdims):
        size = np.abs(x.astype(np.float32) if x.dtype.itemsize == 2 else x)  # half precision overflows in a square
        if p == 0:
            out = np.add.reduce(size != 0, axis, size.dtype, None, keepdims)
        elif p == 1 or p == 2 and count(x.shape, axis) == 1:  # where the square would underflow
            out = np.add.reduce(size, axis, None, None, keepdims)
        elif p == 2:
            out = np.sqrt(np.add.reduce(size * size, axis, None, None, keepdims))
        elif p in (math.inf, -math.inf):
            out = (np.maximum if p > 0 else np.minimum).reduce(size, axis, None, None, keepdims)
        else:
            out = NumPy.power(np.add.reduce(NumPy.power(size, p), axis, None, None, keepdims), 1 / p)
        return _in_order(out.astype(x.dtype, copy=False))

    def prod(x, axis, keepdims):
        if x.dtype == np.float16 and x.size:  # torch rounds after every factor: what overflows by then stays inf
            along = axis[0] if axis else 0
            steps = np.multiply.accumulate(x if axis and x.ndim else x.reshape(-1), along)
            product = steps.take(-1, along)
            return product.reshape(kept_shape(x.shape, axis)) if keepdims else product
        wide = _wide(x)
        product = np.multiply.reduce(x, axis=axis, dtype=wide, keepdims=keepdims)
        return _in_order(product.astype(x.dtype if x.dtype.kind == "f" else np.int64, copy=False))

    def median(x):
        middle = np.partition(x, (x.size - 1) // 2, None)[(x.size - 1) // 2]
        return x.dtype.type(np.nan) if x.dtype.kind == "f" and np.isnan(x).any() else middle

    def nanmedian(x):
        numbers = x[x == x]
        return NumPy.median(numbers if numbers.size else x)

    def amax(x, axis, keepdims):
        if not x.size and x.dtype.kind == "f":
            return np.maximum.reduce(x, axis=axis, keepdims=keepdims, initial=-np.inf)
        return _in_order(np.maximum.reduce(x, axis=axis, keepdims=keepdims))

    def amin(x, axis, keepdims):
        return _in_order(np.minimum.reduce(x, axis=axis, keepdims=keepdims))

    def any(x, axis, keepdims):
        return np.any(x, axis=axis, keepdims=keepdims)

    def all(x, axis, keepdims):
        return np.all(x, axis=axis, keepdims=keepdims)

    def argmax(x, axis, keepdims):
        return np.argmax(x, axis=axis, keepdims=keepdims)

    def argmin(x, axis, keepdims):
        return np.argmin(x, axis=axis, keepdims=keepdims)

    def argsort(x, axis, descending):
        if not descending:
            return np.argsort(x, axis=axis, kind="stable")
        # Equals keep their order also downwards: sort the reversed array upwards and reverse the result.
        flipped = np.argsort(np.flip(x, axis), axis=axis, kind="stable")
        return np.flip(x.shape[axis] - 1 - flipped, axis).copy()

    def cond(predicate, then, otherwise):
        """One of two computations, by the truth of a 0-d array: the only way a formula may depend on a value."""
        return then() if predicate else otherwise()

    def cumsum(x, axis):
        return _running(np.cumsum, x, axis) + 0  # torch adds to 0: a sum of negative zeros is 0

    def cumprod(x, axis):
        return _running(np.cumprod, x, axis)

    def logcumsumexp(x, axis):
        if not x.ndim:
            return x.copy()
        dtype = _wide(x) or np.float64  # as torch's
        return np.logaddexp.accumulate(x, axis=axis, dtype=dtype).astype(x.dtype, "C")

    # -- shape

    def reshape(x, shape):
        return x.reshape(shape)

    def permute(x, axes):
        return x.transpose(axes)

    def broadcast_to(x, shape):
        # As np.broadcast_to, but ten times as fast, and writable where x is: expand(x.shape) may be written through.
        if x.__class__ is not np.ndarray:
            x = np.asarray(x)
        if not x.ndim:
            return np.ndarray(shape, x.dtype, x, 0, (0,) * len(shape))
        lead = len(shape) - x.ndim
        own = zip(x.strides, x.shape, shape[lead:])
        strides = (0,) * lead + tuple(0 if n == 1 and m != 1 else stride for stride, n, m in own)
        if x.flags.c_contiguous and x.size:
            return np.ndarray(shape, x.dtype, x, 0, strides)
        return np.lib.stride_tricks.as_strided(x, shape, strides)

    def diagonal(x, offset, axes):
        diagonal = np.diagonal(x, offset, *axes)
        if x.flags.writeable and not diagonal.flags.writeable:
            diagonal.flags.writeable = True
        return diagonal

    def diagonal_adjoint(x, shape, offset, axes):
        out = np.zeros(shape, x.dtype)
        NumPy.diagonal(out, offset, axes)[...] = x
        return out

    def unfold(x, axis, size, step):
        if not x.ndim:  # a window on the one element
            return x.reshape(1)[:size]
        return np.lib.stride_tricks.sliding_window_view(x, size, axis, writeable=True)[
            (slice(None),) * axis + (slice(None, None, step),)
        ]

    def unfold_adjoint(x, shape, axis, size, step):
        out = np.zeros(shape, x.dtype)
        line, lead = out.reshape(shape or 1), (slice(None),) * axis
        for i in range(size):  # the i-th elements of all windows
            line[(*lead, slice(i, i + step * x.shape[axis], step))] += x[..., i]
        return out

    def rot90(x, k, axes):
        return np.rot90(x, k, axes).copy()

    def flip(x, axes):
        return np.flip(x, axes).copy()

    def roll(x, shifts, axes):
        return np.roll(np.asarray(x, order="C"), shifts, axes)

    def tril(x, k):
        return np.tril(x, k)

    def triu(x, k):
        return np.triu(x, k)

    def concat(arrays, axis):
        return np.ascontiguousarray(np.concatenate(arrays, axis))

    # -- indexing

    def item(x, key):
        return x[key]

    slice = item

    def index(x, key):
        out = x[key]
        return out if out.__class__ is np.ndarray and out.flags.c_contiguous else np.array(out, order="C")

    def slice_adjoint(x, shape, key):
        out = np.zeros(shape, x.dtype)
        out[key] = x
        return out

    def index_adjoint(x, shape, key):
        out = np.zeros(shape, x.dtype)
        if len(key) == 1 and key[0].__class__ is np.ndarray and key[0].dtype.kind == "i" and len(shape) > 1:
            width = math.prod(shape[1:])
            key = key[0].reshape(-1, 1) * width + np.arange(width)
            _add_at(out, key, x)
        else:
            np.add.at(out, key, x)
        return out

    def with_item(x, value, key):
        out = np.array(x)  # x may be a NumPy scalar
        out[key] = value
        return out

    def with_item_added(x, value, key):
        out = np.array(x)
        np.add.at(out, key, value)
        return out

    def gather(x, axis, index):
        return x.reshape(-1).take(_positions(index, axis, x.shape))

    def gather_adjoint(x, shape, axis, index):
        out = np.zeros(shape, x.dtype)
        _add_at(out, _positions(index, axis, shape), x[corner(index.shape)])
        return out

    def scatter(x, src, axis, index):
        out = np.array(x, order="C")  # x may be a NumPy scalar
        out.reshape(-1)[_positions(index, axis, x.shape)] = src[corner(index.shape)] if np.ndim(src) else src
        return out

    def scatter_add(x, src, axis, index):
        out = np.array(x, order="C")
        _add_at(out, _positions(index, axis, x.shape), src[corner(index.shape)])
        return out

    def embed(x, shape):
        """x in the first corner of zeros of `shape`."""
        if x.shape == shape:
            return x
        return NumPy.slice_adjoint(x, shape, corner(x.shape))

    def put_positions(x, value, positions):
        out = np.array(x, order="C")
        out.reshape(-1)[positions] = value
        return out

    def at_positions(x, positions, index=None):
        return x.reshape(-1)[positions]

    # -- products

    def matmul(a, b):
        if a.dtype.itemsize == 2 and a.dtype.kind == "f":
            return np.matmul(a.astype(np.float32), b.astype(np.float32)).astype(a.dtype)
        return _product(a, b) if a.ndim == 2 == b.ndim else np.matmul(a, b)

    def mv(a, b):
        return NumPy.matmul(a, b)

    def mT(x):
        return x.swapaxes(-1, -2)

    def dot(a, b):
        if a.dtype == np.float16:
            return np.dot(a.astype(np.float32), b.astype(np.float32)).astype(a.dtype)
        return np.dot(a, b) + 0  # torch adds to 0: a product that is -0 gives 0

    def inv(x):
        return np.linalg.inv(x)

    def solve(a, b, vector=False):
        return np.linalg.solve(a, b[..., None])[..., 0] if vector else np.linalg.solve(a, b)

    def solve_right(a, b):
        return NumPy.mT(np.linalg.solve(NumPy.mT(a), NumPy.mT(b)))

    def cholesky(x):
        return np.linalg.cholesky(x)

    def sum_of_products(a, b):
        if a.shape == b.shape and a.dtype in WIDE_ENOUGH:  # no temporary, and at 2000 elements a third of the time
            return a.dot(b) if a.ndim == 1 else a.reshape(-1).dot(b.reshape(-1))
        return NumPy.sum(a * b, None, False)

    def outer(a, b):
        return a[:, None] * b

    def linear(x, weight, bias):
        out = _product(x, weight.T) if x.dtype.itemsize > 2 else NumPy.matmul(x, weight.T)
        out += bias
        return out
