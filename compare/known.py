"""Where torch disagrees with itself, or with its platform, and minigrad does not follow: one table, with reasons.

An entry switches off exactly one observation. Nothing else in `compare` makes exceptions.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fnmatch import fnmatch
from typing import Any


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


def _special_half(example: Any) -> bool:
    return example.dtype == "float16" and example.kind == "special"


TABLE: list[Known] = [
    Known("number % x", "*error*", "torch has no derivative of number % tensor, though it has that of tensor % tensor; "
          "ours is that one"),
    Known("F.*", "*", "half-precision subnormals: torch's fused kernels compute in float32 and round once, a composition "
          "rounds at every step", _special_half),
]  # fmt: skip


def reason(example: Any, label: str) -> str | None:
    """The reason why this observation may differ, or None."""
    for entry in TABLE:
        if fnmatch(example.case.name, entry.rows) and fnmatch(label, entry.label) and entry.when(example):
            return entry.why
    return None
