"""Where torch disagrees with itself, or with its platform, and minigrad does not follow: one table, with reasons.

An entry switches off exactly one observation. Nothing else in `compare` makes exceptions.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from fnmatch import fnmatch
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Known:
    """Rows by name pattern, observations by label pattern, a condition on the example, and why."""

    rows: str
    label: str
    why: str
    when: Callable[[Any], bool] = lambda example: True


# Applied by checks.py to single entries rather than to whole observations.
INFINITE = (
    "double backward at inf and nan: which of nan, inf and a number comes out depends on the order of the operations "
    "(0 * inf, inf - inf), and torch's own fused and composed formulas differ; entries where either side is not finite "
    "are not compared there. Values and first derivatives are"
)


# Seen by running the same value in tensors of 3 and of 40 elements.
LOOPS = "torch's vectorised and scalar loops give different results: which one an element meets depends on the size"


DERIVATIVES = ("*grad*", "double backward*")
NAME = "* name of grad_fn"


def _mixed(example: Any) -> bool:
    return len({o.dtype for o in example.operands}) > 1


def _infinite(example: Any) -> bool:
    return not all(np.isfinite(o.values).all() for o in example.operands if o.is_float)


def _grows(example: Any) -> bool:
    """The first operand is broadcast to a larger shape."""
    shapes = [o.values.shape for o in example.operands]
    return np.broadcast_shapes(*shapes) != shapes[0]


def _subnormal(example: Any) -> bool:
    floats = [o.values for o in example.operands if o.is_float and o.values.size]
    return any(bool(((v != 0) & (np.abs(v) < np.finfo(v.dtype).tiny)).any()) for v in floats)


def _negative_zero(example: Any) -> bool:
    return any(bool(((o.values == 0) & np.signbit(o.values)).any()) for o in example.operands if o.is_float)


def _zero(example: Any) -> bool:
    return any(bool((o.values == 0).any()) for o in example.operands)


def _float_and_integer(example: Any) -> bool:
    return len({o.is_float for o in example.operands}) > 1


def _float_into_integer(example: Any) -> bool:
    return not example.operands[0].is_float and any(o.is_float for o in example.operands)


def _square_wraps(example: Any) -> bool:
    integers = [o.values for o in example.operands if o.values.dtype.kind in "iu"]
    return any(bool((v.astype(float) ** 2 > np.iinfo(v.dtype).max).any()) for v in integers)


def _half_and_flat(example: Any, axis: int = -1) -> bool:
    x = example.operands[0]
    return x.dtype == "float16" and bool(((x.values.astype(float).var(axis) + 1e-5) ** -1.5 > 65504).any())


def _half_and_apart(example: Any) -> bool:
    x, y = (o.values.astype(float) for o in example.operands)
    return example.operands[0].dtype == "float16" and bool((np.abs(y) * np.exp(-y * x) > 65504).any())


def _long_doubles(example: Any) -> bool:
    return example.operands[0].dtype == "float64" and example.operands[0].values.size > 128


def _half_and_long(example: Any) -> bool:
    return example.operands[0].dtype == "float16" and example.operands[0].values.size > 32


def _strided(example: Any) -> bool:
    return _with_gaps(example.operands)


def _with_gaps(operands: Any) -> bool:
    return any(o.layout != "contiguous" for o in operands)


def _unsigned(example: Any) -> bool:
    return any(o.dtype == "uint8" for o in example.operands)


def _empty(example: Any) -> bool:
    return any(o.values.size == 0 for o in example.operands)


def _bool_mixed(example: Any) -> bool:
    dtypes = {o.dtype for o in example.operands}
    return "bool" in dtypes and len(dtypes) > 1


TABLE: list[Known] = [
    Known("number % x", "*error*", "torch has no derivative of number % tensor, though it has that of tensor % tensor; "
          "ours is that one"),
    Known("number % x", NAME, "as above: torch's node is called NotImplemented"),
    *(Known(row, NAME, "torch folds the leading dims into one for bmm, or a vector into a matrix for mm, and undoes it "
            "in a view; ours is one node, or two") for row in ("x @ y", "matmul", "F.linear*")),
    Known("dist.0", NAME, "ours is the norm of a difference: the derivative is None, which nothing sums over"),
    Known("einsum*", NAME, "torch permutes before its last view, where ours permutes after it"),
    *(Known(row, NAME, "torch tells sum(dim=None) from sum(), which is the same sum",
            lambda example: example.static.get("dim", 0) is None) for row in ("sum", "mean")),
    Known("x[[]...[]] = *", NAME, "torch indexes with slices and None first, and writes with arrays through the view "
          "that they give; ours takes them together where NumPy does. A slice that names the whole size in "
          "numbers is a view for torch"),
    Known("number ** x", "*error*", "torch asserts internally in the backward of True ** tensor",
          lambda example: example.static["n"] is True),
    Known("clamp.tensor*", "*error*", "torch's backward of clamp fails where the bounds make the result larger than x",
          _grows),
    Known("div.*", "in-place error", "torch saves x for the backward of x.div_(x, rounding_mode=...), whose derivative "
          "is 0, and then finds it modified", lambda example: example.operands[1].alias is not None),
    Known("x[[]...[]] = y", "*", "torch asserts internally in the backward of a float tensor written into an "
          "integer one", _float_into_integer),
    Known("fill.tensor", "*error*", "torch asserts internally, as above", _float_into_integer),
    Known("s*_scatter", "*error*", "torch asserts internally, as above", _float_into_integer),
    Known("logaddexp*", "*error*", "torch's backward subtracts the bool from the result", _bool_mixed),
    Known("*_mean", "out1", "Welford's running mean is nan once it has met inf; the mean itself is inf", _infinite),
    Known("addcdiv", "*error*", "torch's backward of integer + float casts back to the integer's dtype",
          _float_and_integer),
    *(Known(row, label, "torch subtracts 1 from the bool exponent in its backward", _bool_mixed)
      for row in ("pow", "x [*][*] y") for label in ("*error*",)),
    *(Known("pow", label, "torch asks whether the exponent is 0 before it rounds it to the dtype of the result",
            lambda example: _mixed(example) and _subnormal(example)) for label in DERIVATIVES),
    Known("kron", "error", "torch takes a view of what it should reshape", _strided),
    Known("atan2", "*error*", "torch's backward negates the bool", _bool_mixed),
    Known("einsum*", "*error*", "torch asserts internally in the backward of mixed dtypes and nothing to add",
          lambda example: _float_and_integer(example) and _empty(example)),
    *(Known("atan2", label, "torch's backward negates the unsigned integer", _unsigned) for label in DERIVATIVES),
    *(Known("atan2", label, "torch's backward squares each operand in its own dtype, where it underflows",
            lambda example: _mixed(example) and _subnormal(example)) for label in DERIVATIVES),
    *(Known("atan2", label, "torch's backward squares the integer in its own dtype, where it wraps", _square_wraps)
      for label in DERIVATIVES),
    Known("F.layer_norm*", "double backward*", "torch cubes 1 / sqrt(var + eps) in half precision, which overflows "
          "where the elements are nearly equal", _half_and_flat),
    *(Known("addc*", label, "torch multiplies the integer by the value in its own dtype, where it wraps", _square_wraps)
      for label in DERIVATIVES),
    Known("*bmm", "*error*", "torch's backward has no dtype for an integer and nothing to add to it",
          lambda example: _float_and_integer(example) and _empty(example)),
    *(Known(row, label, "torch's mean of all elements moves with each of them (Welford), a rounding for each",
            _long_doubles) for row in ("std*", "var*") for label in ("out*", *DERIVATIVES)),
    *(Known("F.batch_norm.affine", label, "torch's backward reads a weight with gaps as if it had none",
            lambda example: _with_gaps(example.operands[1:])) for label in DERIVATIVES),
    Known("F.batch_norm*", "double backward*", "as F.layer_norm, where a column's elements are nearly equal",
          lambda example: _half_and_flat(example, axis=0)),
    *(Known("F.soft_margin_loss", label, "torch multiplies y by exp(-y * x), which overflows in half precision, before "
            "it divides by 1 + exp(-y * x)", _half_and_apart) for label in DERIVATIVES),
    *(Known("prod.all", label, "torch multiplies in as many lanes as a register has, and one may have overflowed where "
            "another has underflowed", _half_and_long) for label in ("out*", *DERIVATIVES)),
    Known("addcdiv", "*grad*", "of an integer and float64 scalars: torch's backward rounds to float32 on the way",
          _mixed),
    *(Known(row, "*error", "of nothing: which checks come before the look at the size differs from op to op", _empty)
      for row in ("*mm*", "*einsum*", "x @ y", "matmul", "dot", "mv", "F.linear*")),
    Known("matmul", "*error", "of a bool and another dtype, as below", _bool_mixed),
    Known("*mm*", "*error", "of a bool and another dtype: which of two refusals comes first depends on the shapes",
          _bool_mixed),
    Known("*einsum*", "*error", "of a bool and another dtype, as above", _bool_mixed),
    Known("x @ y", "*error", "of a bool and another dtype, as above", _bool_mixed),
    *(Known("*prod*", label, "torch divides the product by the entry: inf / inf", _infinite) for label in DERIVATIVES),
    Known("stride", "*", "from_numpy shows NumPy's strides of an empty array, all 0; NumPy keeps no others", _empty),
    Known("F.binary_cross_entropy", "double backward*", "torch adds 1e-12 to p (1 - p) in its second derivative only"),
    Known("F.prelu", "double backward*", "at exactly 0 torch's kernels for the first and the second derivative take "
          "different sides", _zero),
    Known("addr", "*error*", "torch's backward refuses the mixed dtypes that its forward took", _mixed),
    *(Known(row, label, LOOPS, _infinite) for row in ("F.relu6", "F.hardtanh", "F.*elu") for label in DERIVATIVES),
    Known("F.gelu*", "*", LOOPS, _infinite),
    *(Known("logit", label, LOOPS + " (at -0)", _negative_zero) for label in DERIVATIVES),
    *(Known(row, "*", LOOPS + " (of a quotient that overflows)", _subnormal) for row in ("remainder", "fmod")),
    *(Known(row, "*", LOOPS, _subnormal) for row in ("x % y", "number % x")),
    *(Known("*prod*", label, "torch divides the product by the entry, which overflows",
            _subnormal) for label in DERIVATIVES),
    *(Known("F.layer_norm.affine", label, "0 * inf and inf - inf, in the order of torch's kernel", _infinite)
      for label in ("out*", *DERIVATIVES)),
    Known("F.bilinear", "*grad*", "0 * inf, in the order in which the three factors are multiplied", _infinite),
]  # fmt: skip


@dataclass(frozen=True)
class KnownProgram:
    """The same for random programs: a pattern of how the difference is called, one of the program's text, and why."""

    aspect: str
    text: str
    when: Callable[[Any], bool]
    why: str


def _nan_for_zero(difference: Any, swapped: bool = False) -> bool:
    a, b = (np.asarray(side, float) for side in (difference.expected, difference.got))
    a, b = (b, a) if swapped else (a, b)
    return a.shape == b.shape and bool((np.isnan(b) & (a == 0) | (a == b) | np.isnan(a) & np.isnan(b)).all())


def _other_zero(difference: Any) -> bool:
    """Only signs of zeros and of infinities differ."""
    a, b = (np.asarray(side, float) for side in (difference.expected, difference.got))
    differ = a != b
    return a.shape == b.shape and bool((np.isinf(a) & (a == -b) | ~differ | np.isnan(a) & np.isnan(b)).all())


def _nan_on_torch(difference: Any) -> bool:
    """Only torch's numbers that are nan differ."""
    a, b = (np.asarray(side, float) for side in (difference.expected, difference.got))
    return a.shape == b.shape and bool(((a == b) | np.isnan(a)).all())


def _same_in_another_order(difference: Any) -> bool:
    return sorted(map(str, difference.expected)) == sorted(map(str, difference.got))


PROGRAMS: list[KnownProgram] = [
    KnownProgram("grad's value", r"\.(abs_?|sgn)\(\)(.|\n)*create_graph=True", _nan_for_zero,
                 "the derivative of a sign is to torch a zero without memory, which stays 0 where it meets a nan"),
    KnownProgram("*value", r"matmul|@|\bmm\b|\bmv\b", lambda d: _nan_for_zero(d, swapped=True),
                 "0 * inf in a product of matrices: some BLAS libraries leave out what is multiplied by 0"),
    KnownProgram("error", r"\.(abs_?|sgn)\(\)(.|\n)*create_graph=True",
                 lambda d: "modified by an inplace" in str(d.expected) and "no error" in str(d.got),
                 "torch saves the operand of a sign, though its derivative is zero whatever that is"),
    KnownProgram("error", r"T\.pow\(|\*\*", lambda d: "Subtraction, the `-` operator, with a bool" in str(d.expected),
                 "torch's backward takes 1 from an exponent that is a bool"),
    KnownProgram("value", r"\de-3\d\d\D(.|\n)*T\.(fmod|remainder)\(", _nan_on_torch,
                 LOOPS + " (of a quotient that overflows)"),
    KnownProgram("error", r"T\.atan2\(", lambda d: "Negation" in str(d.expected),
                 "torch's backward negates the bool, as in the table above"),
    KnownProgram("grad's value", r"(float32(.|\n)*float64|float64(.|\n)*float32)(.|\n)*\.data\b",
                 lambda d: True,
                 "what is written through .data, which no version counts, is seen by formulas that saved an operand "
                 "as it was given (torch), not converted to the common dtype (minigrad)"),
    KnownProgram("grad's value", r"T\.stack\((.|\n)*\.backward\((.|\n)*\.backward\(", lambda d: True,
                 "torch keeps pieces of one cotangent as the .grad of several leaves (stack): a second backward that "
                 "adds to one of them adds to all"),
    KnownProgram("hook calls", r"\.register_hook\((.|\n)*\.(squeeze|unsqueeze|t|transpose)_\((.|\n)*\.register_hook\(",
                 lambda d: True,
                 "a hook that joins others from before squeeze_, unsqueeze_, t_ or transpose_ is put on torch's old "
                 "grad_fn with them; after any other in-place op it is put on the new one"),
    KnownProgram("hook calls", r"matmul|@", _same_in_another_order,
                 "torch folds a product of three dims into one of two, and the fold is a node between it and the leaf, "
                 "whose hook is called a node later"),
    KnownProgram("hook calls", r"float32(.|\n)*float64|float64(.|\n)*float32", _same_in_another_order,
                 "an operand of another dtype is converted within torch's node, and by a node of its own here"),
    KnownProgram("hook calls", r"T\.einsum\((.|\n)*\.register_hook\((.|\n)*\.detach\(\)",
                 lambda d: set(map(str, d.expected)) < set(map(str, d.got)),
                 "torch's einsum gives a view of its product, which is derived again, without its hooks, after a write "
                 "through a detached alias"),
    KnownProgram("*value", r"T\.(maximum|minimum)\(", _other_zero,
                 "which zero of -0 and 0 is the larger one depends on whether torch's loop is the vector one"),
    KnownProgram("_version (writes counted)", r"T\.(stack|cat)\((.|\n)*\.grad\b", lambda d: d.expected > d.got,
                 "torch keeps pieces of one cotangent as the .grad of several leaves (stack, cat): they share a "
                 "version counter, and adding to one is counted for all"),
]  # fmt: skip


def program_reason(statements: list[str], difference: Any) -> str | None:
    """The reason why the engines may part here, or None."""
    for entry in PROGRAMS:
        if fnmatch(difference.aspect, entry.aspect) and re.search(entry.text, "\n".join(statements)):
            if entry.when(difference):
                return entry.why
    return None


def reason(example: Any, label: str) -> str | None:
    """The reason why this observation may differ, or None."""
    for entry in TABLE:
        if fnmatch(example.case.name, entry.rows) and fnmatch(label, entry.label) and entry.when(example):
            return entry.why
    return None
