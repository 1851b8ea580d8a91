"""The pytest plugin: a fixture `assert_same_gradients` and two options. Imports neither engine until it is used."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("compare", "gradients compared with torch")
    group.addoption(
        "--compare-examples", type=int, default=50, help="examples drawn by each check (default: %(default)s)"
    )
    group.addoption(
        "--compare-seed", type=int, default=0, help="seed of cotangents and examples (default: %(default)s)"
    )


@pytest.fixture
def assert_same_gradients(request: pytest.FixtureRequest) -> Callable[..., Any]:
    """compare.assert_same_gradients with the examples and seed of the command line; skips where torch is missing."""
    from . import api, engines

    try:
        engines.require("torch")
    except engines.MissingExtra as missing:
        pytest.skip(str(missing))
    return functools.partial(
        api.assert_same_gradients,
        examples=request.config.getoption("--compare-examples"),
        seed=request.config.getoption("--compare-seed"),
    )
