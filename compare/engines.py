"""The two engines as modules, and a clear message when something optional is not installed.

An engine is a torch-like namespace: `minigrad` or `torch`. Everything else in `compare` takes engines as arguments.
"""

from __future__ import annotations

import importlib
from types import ModuleType


class MissingExtra(ImportError):
    """A package that only an extra installs is not there; the message says which and how to get it."""


def require(*names: str) -> ModuleType:
    """Import the named modules and return the first; MissingExtra names the extra when one is not installed."""
    modules = []
    for name in names:
        try:
            modules.append(importlib.import_module(name))
        except ModuleNotFoundError as error:
            missing = (error.name or name).partition(".")[0]
            raise MissingExtra(
                f"compare needs the package {missing!r}, which is not installed. It is part of the extra 'compare': "
                f'python -m pip install -e ".[compare]"'
            ) from None
    return modules[0]


def load(name: str) -> ModuleType:
    """The engine `name`, "minigrad" or "torch"."""
    if name == "torch":
        return require("torch")
    if name == "minigrad":
        return importlib.import_module("minigrad")
    raise ValueError(f"unknown engine {name!r}; expected 'minigrad' or 'torch'")
