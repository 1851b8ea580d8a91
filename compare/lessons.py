"""Runs every lesson of examples/ on both engines and compares the numbers they return.

Both start from the same seed and nothing is carried over, so a whole program is compared: random numbers, data loading,
training. Agreement is asked to 5 significant digits, because hundreds of float32 steps carry their roundings along; a
lesson's FLOOR and SQUARES state where float32 leaves nothing but rounding.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib
import io
import math
import sys
import warnings
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

from . import engines
from .report import Failure, Options, Progress, Result

FOLDER = Path(__file__).resolve().parent.parent / "examples"
DIGITS = 5


def lesson_module() -> ModuleType | None:
    """examples/lesson.py, or None where compare is installed without the examples."""
    if not (FOLDER / "lesson.py").exists():
        return None
    if str(FOLDER) not in sys.path:
        sys.path.insert(0, str(FOLDER))
    return importlib.import_module("lesson")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """This group has no options of its own."""


def run(options: Options, progress: Progress) -> Iterable[Result]:
    """Every lesson whose packages are installed; the others are listed with what they need."""
    from .parallel import spread

    lesson = lesson_module()
    if lesson is None:
        yield Result("lessons", "examples", 0, None, [], note="no examples/ folder beside compare/: nothing to run")
        return
    names = [name for name in lesson.lessons() if options.selects(name)]
    progress.start("lessons", len(names))
    for result in spread(_one, names, options):
        progress.step(result.name, failed=not result.passed)
        yield result
    progress.finish()


def _one(name: str, options: Options) -> Result:
    return run_lesson(engines.load("minigrad"), engines.load("torch"), name, options)


def run_lesson(ours: Any, theirs: Any, name: str, options: Options) -> Result:
    """One lesson on both engines, its output kept to itself."""
    lesson = lesson_module()
    assert lesson is not None
    script = f"python examples/{name}.py --engine torch\npython examples/{name}.py --engine minigrad\n"
    numbers = []
    for T in (ours, theirs):
        printed = io.StringIO()
        try:
            with contextlib.redirect_stdout(printed), warnings.catch_warnings():
                warnings.simplefilter("ignore")
                numbers.append(lesson.load(name).main(T))
        except ImportError as error:
            if "extra" in str(error):
                return Result("lessons", name, 0, None, [], note=str(error))
            raise
        except Exception as error:  # a lesson that fails is a disagreement to report
            return Result(
                "lessons", name, 1, None, [Failure(f"on {T.__name__}", f"{type(error).__name__}: {error}", script)]
            )
    module = lesson.load(name)
    failures, checks = [], 0
    for path, mine, other in pairs(*numbers, ()):
        checks += 1
        if not agree(mine, other, floor_of(path, module.FLOOR), floor_of(path, module.SQUARES)):
            failures.append(
                Failure(f"result {' / '.join(map(str, path))}", f"got {mine!r}, expected {other!r}", script)
            )
    return Result("lessons", name, checks, None, failures[:6], note=f"{DIGITS} significant digits")


def pairs(mine: Any, other: Any, path: tuple[Any, ...]) -> Iterator[tuple[tuple[Any, ...], Any, Any]]:
    """(path, ours, theirs) of every leaf of two results; a difference in structure is a leaf that disagrees."""
    if isinstance(other, dict) and isinstance(mine, dict) and list(mine) == list(other):
        for key in other:
            yield from pairs(mine[key], other[key], (*path, key))
    elif isinstance(other, (list, tuple)) and isinstance(mine, (list, tuple)) and len(mine) == len(other):
        for i, (a, b) in enumerate(zip(mine, other)):
            yield from pairs(a, b, (*path, i))
    else:
        yield path, mine, other


def floor_of(path: tuple[Any, ...], floors: dict[str, float]) -> float:
    """The absolute difference that float32 rounding alone may cause, by the innermost name that has one."""
    return next((floors[name] for name in reversed(path) if name in floors), 0.0)


def agree(mine: Any, other: Any, floor: float = 0.0, root: float = 0.0) -> bool:
    """Numbers to five significant digits, or to the lesson's floor; anything else exactly.

    `floor` bounds the difference itself, `root` that of the square roots, for a sum of squared errors.
    """
    if isinstance(mine, bool) or isinstance(other, bool) or not isinstance(other, (int, float)):
        return type(mine) is type(other) and bool(mine == other)
    if not isinstance(mine, (int, float)):
        return False
    if math.isnan(other) or math.isinf(other):
        return repr(float(mine)) == repr(float(other))
    if root and mine >= 0 and other >= 0 and abs(math.sqrt(mine) - math.sqrt(other)) <= root:
        return True
    return abs(mine - other) <= max(0.5 * 10.0 ** (1 - DIGITS) * abs(other), floor)
