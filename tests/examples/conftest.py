"""The lessons as fixtures: each is run at most once per engine, whatever the number of tests that look at it."""

from __future__ import annotations

import contextlib
import functools
import importlib
import io
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


@pytest.fixture(scope="session")
def lesson() -> ModuleType:
    """The module that the lessons share."""
    if str(EXAMPLES) not in sys.path:
        sys.path.insert(0, str(EXAMPLES))
    return importlib.import_module("lesson")


@pytest.fixture(scope="session")
def result(lesson: ModuleType) -> Callable[[str, str], dict[str, Any]]:
    """`result("02", "torch")`: what the lesson whose name starts with 02 returns on that engine, with its defaults."""

    modules = {engine: lesson.engine(engine) for engine in ("minigrad", "torch")}
    modules["torch"].set_num_threads(1)  # on small tensors a second thread costs far more than it saves

    @functools.cache
    def run(number: str, engine: str) -> dict[str, Any]:
        (name,) = [name for name in lesson.lessons() if name.startswith(number)]
        with contextlib.redirect_stdout(io.StringIO()):
            return lesson.load(name).main(modules[engine])

    return run


@pytest.fixture(params=["minigrad", "torch"])
def engine(request: pytest.FixtureRequest) -> str:
    """Both engines: a number that a document prints must come from torch of today too, or the test is wrong."""
    return request.param
