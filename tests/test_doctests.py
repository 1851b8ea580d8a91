"""The examples in the docstrings of the package, run."""

import doctest
import importlib
import pathlib

import pytest

import minigrad

PACKAGE = pathlib.Path(minigrad.__file__).parent
MODULES = sorted(
    ".".join(["minigrad", *path.relative_to(PACKAGE).with_suffix("").parts]).removesuffix(".__init__")
    for path in PACKAGE.rglob("*.py")
    if path.name != "__main__.py"
)


@pytest.mark.parametrize("name", MODULES)
def test_examples(name):
    minigrad.manual_seed(0)
    module = importlib.import_module(name)
    failed, _ = doctest.testmod(module, optionflags=doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS)
    assert not failed


def test_there_are_examples_to_run():
    finder, count = doctest.DocTestFinder(), 0
    for name in MODULES:
        count += sum(len(test.examples) for test in finder.find(importlib.import_module(name)))
    assert count > 50
