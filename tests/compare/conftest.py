"""An engine with a fault planted in it: torch in everything but the names that a test replaces."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
import torch


class Faulty:
    """torch, with some names replaced."""

    __name__ = "torch"

    def __init__(self, **replaced: Any) -> None:
        self.__dict__.update(replaced)

    def __getattr__(self, name: str) -> Any:
        return getattr(torch, name)


@pytest.fixture
def faulty() -> Callable[..., Any]:
    """`faulty(mul=wrong)` is torch with another `mul`; `faulty(optim=dict(SGD=wrong))` replaces inside a module."""

    def make(**replaced: Any) -> Any:
        for name, value in replaced.items():
            if isinstance(value, dict):
                inner = getattr(torch, name)
                names = {n: getattr(inner, n) for n in dir(inner) if not n.startswith("__")}
                replaced[name] = SimpleNamespace(**{**names, **value})
        return Faulty(**replaced)

    return make
