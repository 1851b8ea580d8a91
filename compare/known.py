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


TABLE: list[Known] = [
    Known("number % x", "*error*", "torch has no derivative of number % tensor, though it has that of tensor % tensor; ours is that one"),
]


def reason(example: Any, label: str, ours: Any, theirs: Any) -> str | None:
    """The reason why this observation may differ, or None."""
    for entry in TABLE:
        if fnmatch(example.case.name, entry.rows) and fnmatch(label, entry.label) and entry.when(example):
            return entry.why
    return None
