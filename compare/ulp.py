"""How far apart two results are, and how far apart they may be.

The distance is counted in ulps of the result's dtype: the number of representable values between the two. A bound
belongs to a class of ops and states its reason; each was set from the largest distance measured between NumPy 2.4 and
torch 2.13 over a million random arguments (x86-64, AVX-512), and leaves one or two ulps for other CPUs. There is no
rtol anywhere. Knows NumPy only.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

SIGNED = {2: np.int16, 4: np.int32, 8: np.int64}


@dataclass(frozen=True)
class Bound:
    """What a class of ops may differ by.

    `f32` and `f64` are ulps that always pass. Beyond them, where `terms` is not 0, an entry may differ by
    `terms * eps * scale`, with scale the entry's condition: sum over all inputs of |input * d entry / d input|, which
    is sum|terms| for a sum and |a| @ |b| for a matmul; or, if larger, torch's own rounding error there in eps, measured
    by its float32 runs against its float64 runs. `floor` adds `floor * eps` for ops whose intermediate values are near
    1 whatever the result (log_softmax), `gradient_floor` the same for derivatives alone (1 - tanh ** 2). `signs`: zeros
    must agree in sign too.
    """

    name: str
    f32: float
    f64: float
    terms: float
    reason: str
    floor: float = 0.0
    signs: bool = False
    gradient_floor: float = 0.0

    def ulps(self, dtype: np.dtype) -> float:
        """Ulps that pass without a look at the conditioning."""
        return self.f64 if dtype == np.float64 else self.f32


MOVE = Bound("move", 0, 0, 0, "values are copied, never computed: equal bit for bit, zeros with their sign", signs=True)
EXACT = Bound(
    "exact", 0, 0, 0, "comparisons, rounding, selection, relu: the result is one of the inputs or a small integer"
)
ARITHMETIC = Bound(
    "arithmetic", 1, 1, 0, "IEEE 754 rounds + - * / and NumPy rounds sqrt; torch's vectorised sqrt is 1 ulp off"
)
CHAIN = Bound(
    "chain", 2, 2, 3, "two to four rounded operations; torch contracts a * b + c into one fma, NumPy rounds twice"
)
FUNCTION = Bound(
    "function", 4, 2, 0, "NumPy's and SLEEF's float32 functions are up to 3 ulp apart (log, tan, asin, atan2)"
)
SATURATING = Bound("saturating", 4, 2, 0, "as function; 1 - tanh ** 2 leaves eps of absolute error near results of 1",
                   gradient_floor=4)  # fmt: skip
COMPOSED = Bound("composed", 6, 4, 8, "a function of a rounded function: NumPy's error may be 4 times torch's, "
                 "and is amplified alike", gradient_floor=2)  # fmt: skip
STEEP = Bound("steep", 6, 4, 8, "as composed; what 1 - tanh ** 2 leaves is multiplied by powers of the input",
              gradient_floor=64)  # fmt: skip
REDUCE = Bound("reduce", 1, 1, 4, "torch and NumPy add in different orders: a few eps of sum|terms|, never of |result|")
PRODUCT = Bound("product", 1, 1, 4, "as reduce; torch's derivative divides the product by an entry",
                gradient_floor=16)  # fmt: skip
SOFTMAX = Bound(
    "softmax", 4, 4, 8, "exp of a rounded difference, then a sum near 1 whose log has eps of absolute error", floor=4
)


def gradient(bound: Bound) -> Bound:
    """The bound for an op's vjp: a formula of a few more operations, evaluated against a random cotangent.

    Ops that only move values have gradients that only move and add; all others get the conditioning term.
    """
    if bound in (MOVE, EXACT):
        return Bound(bound.name + " vjp", 1, 1, 4, "cotangents are moved and, where an input was used twice, added")
    return Bound(
        bound.name + " vjp", bound.f32 + 3, bound.f64 + 3, max(bound.terms, 4) * 2,
        "the formula multiplies the cotangent by a derivative: a few roundings more than the value",
        max(bound.floor, bound.gradient_floor),
    )  # fmt: skip


def ordered(x: np.ndarray) -> np.ndarray:
    """Floats as int64 such that neighbours differ by one; -0 and 0 are both 0."""
    bits = x.view(SIGNED[x.dtype.itemsize]).astype(np.int64)
    lowest = np.int64(-(2 ** (8 * x.dtype.itemsize - 1)))
    return np.where(bits < 0, lowest - bits, bits)


def distance(a: np.ndarray, b: np.ndarray, signs: bool = False) -> np.ndarray:
    """|a - b| in ulps, entry by entry, as float64. nan and nan are 0 apart; nan or inf and anything else, inf.

    Integers and bools are 0 or inf apart. `signs` puts -0 and 0 inf apart as well.
    """
    a, b = np.asarray(a), np.asarray(b)
    if a.dtype.kind != "f":
        return np.where(a == b, 0.0, np.inf)
    ia, ib = ordered(a), ordered(b)
    # int64 differences can wrap for opposite signs in float64; as floats they cannot, and below 2**53 they are exact.
    near = (np.abs(ia) < 2**61) & (np.abs(ib) < 2**61) | ((ia < 0) == (ib < 0))
    with np.errstate(all="ignore"):
        apart = np.where(
            near, np.abs(ia - ib).astype(np.float64), np.abs(ia.astype(np.float64) - ib.astype(np.float64))
        )
    finite = np.isfinite(a) & np.isfinite(b)
    same = (np.isnan(a) & np.isnan(b)) | (a == b)
    if signs:
        same &= np.isnan(a) | (np.signbit(a) == np.signbit(b))
        apart = np.where((apart == 0) & ~same, np.inf, apart)
    return np.where(same, 0.0, np.where(finite, apart, np.inf))


def eps(dtype: np.dtype) -> float:
    """The spacing at 1 of a float dtype."""
    return float(np.finfo(dtype).eps)


def within(
    ours: np.ndarray, theirs: np.ndarray, bound: Bound, scale: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """(ulps, bad): the distances, and where they exceed `bound` given the entries' `scale` (None: not known)."""
    ulps = distance(ours, theirs, bound.signs)
    bad = ulps > bound.ulps(ours.dtype)
    if bad.any() and scale is not None and ours.dtype.kind == "f":
        with np.errstate(all="ignore"):
            apart = np.abs(ours.astype(np.float64) - theirs.astype(np.float64))
            tiny = float(np.finfo(ours.dtype).tiny)  # below it intermediate results have lost their digits
            allowed = eps(ours.dtype) * (bound.terms * np.nan_to_num(scale, posinf=0.0) + bound.floor) + tiny
        bad &= ~(np.isfinite(apart) & (apart <= allowed))
    return ulps, bad


ELIMINATION = Bound(
    "elimination", 4, 4, 16,
    "LAPACK in MKL and in OpenBLAS eliminates in blocks of other sizes: results are exact for a matrix a few eps away",
    floor=16, gradient_floor=16,
)  # fmt: skip
TRAINING = Bound(
    "training", 4, 4, 16,
    "an update adds terms of the size of the whole tensor; their roundings are carried along, a few eps of that a step",
)  # fmt: skip


def within_training(
    ours: np.ndarray, theirs: np.ndarray, step: int, terms: float = TRAINING.terms
) -> tuple[np.ndarray, np.ndarray]:
    """(ulps, bad) after `step` steps of free running: within `terms * eps * (step + 1)` of the largest entry or 1."""
    finite = theirs[np.isfinite(theirs)]
    size = max(float(np.abs(finite).max()) if finite.size else 0.0, 1.0)
    bound = Bound(TRAINING.name, TRAINING.f32, TRAINING.f64, terms * (step + 1), TRAINING.reason)
    return within(ours, theirs, bound, np.full(theirs.shape, size))
