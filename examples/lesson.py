"""What the lessons share: the choice of the engine, the command line, a progress line, optional packages.

A lesson is a file NN_name.py with a function `main(torch, *, seed=0, ...)`: it is given the engine as a module, prints
what a learner should see and returns the numbers in a dictionary, so that a test can run the same lesson on minigrad
and on torch and compare what came back. This file knows no lesson.
"""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import inspect
import math
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any, TypeVar

Item = TypeVar("Item")

FOLDER = Path(__file__).resolve().parent

OPTIONS = {
    "seed": "start of the random numbers; the same seed gives both engines the same numbers (default: %(default)s)",
    "epochs": "how many times to go through the data (default: %(default)s)",
    "out": "folder for the plots; it is made when it is not there (default: no plots)",
}


def engine(name: str) -> ModuleType:
    """The module `minigrad` or `torch`; SystemExit with the command to type when it is not installed."""
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name != name:
            raise
        remedy = 'python -m pip install -e ".[dev]"' if name == "torch" else "python -m pip install -e ."
        raise SystemExit(f"The engine {name} is not installed. In the project's folder run: {remedy}") from None


def optional(name: str) -> ModuleType:
    """Import a package that only some lessons use; ImportError names the extra that brings it."""
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        package = {"sklearn": "scikit-learn"}.get(name.partition(".")[0], name.partition(".")[0])
        raise ImportError(
            f"This lesson needs {package}, which is not installed. It comes with the extra 'examples': "
            'python -m pip install -e ".[examples]"'
        ) from error


def run(main: Callable[..., dict[str, Any]], argv: Sequence[str] | None = None) -> dict[str, Any]:
    """Run a lesson from the command line. Its options are --engine and the keyword arguments of `main`."""
    parser = argparse.ArgumentParser(
        description=main.__globals__["__doc__"], formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--engine", choices=["minigrad", "torch"], default="minigrad", help="what computes (default: %(default)s)"
    )
    for name, parameter in list(inspect.signature(main).parameters.items())[1:]:
        default = parameter.default
        kind = str if default is None else _count if name == "epochs" else type(default)
        parser.add_argument(f"--{name}", type=kind, default=default, help=OPTIONS[name])
    options = vars(parser.parse_args(argv))
    try:
        return main(engine(options.pop("engine")), **options)
    except ImportError as error:
        raise SystemExit(str(error)) from None


def progress(steps: Sequence[Item], label: str) -> Iterator[Item]:
    """Yield every step. What takes longer than a second says on stderr how far it is and how long is left."""
    began = drawn = time.perf_counter()
    live = sys.stderr.isatty()
    shown = False
    for done, step in enumerate(steps):
        now = time.perf_counter()
        # A terminal's line is rewritten ten times a second; a log gets a new line every two seconds.
        if done and now - began > 1 and now - drawn > (0.1 if live else 2):
            drawn, shown = now, True
            left = (now - began) / done * (len(steps) - done)
            text = f"{label}: {done:,} of {len(steps):,}, {left:.0f} s left"
            print(f"\r\x1b[2K{text}" if live else text, end="" if live else "\n", file=sys.stderr, flush=True)
        yield step
    if live and shown:  # leave no half-finished line behind
        print("\r\x1b[2K", end="", file=sys.stderr, flush=True)


def figure(title: str, xlabel: str, ylabel: str) -> tuple[Any, Any]:
    """A matplotlib figure with one set of axes, labelled; drawn without a display (Agg)."""
    canvas = optional("matplotlib.figure").Figure(figsize=(7, 4.5), layout="constrained")
    axes = canvas.subplots()
    axes.set_title(title)
    axes.set_xlabel(xlabel)
    axes.set_ylabel(ylabel)
    axes.grid(alpha=0.3)
    axes.spines[["top", "right"]].set_visible(False)
    return canvas, axes


def save(canvas: Any, out: str, name: str) -> str:
    """Write a figure as a PNG into the folder `out`, which is made when it is not there; returns the path."""
    folder = Path(out)
    folder.mkdir(parents=True, exist_ok=True)
    canvas.savefig(folder / name, dpi=130)
    print("wrote", folder / name)
    return str(folder / name)


def lessons() -> list[str]:
    """The names of all lessons, in order: '01_numpy_by_hand', ..."""
    return sorted(path.stem for path in FOLDER.glob("[0-9][0-9]_*.py"))


def load(name: str) -> ModuleType:
    """The lesson `name` as a module. Its `main` takes an engine; `FLOOR` and `SQUARES` are there even if it sets none.

    Both say, by the name of a returned quantity, how far float32 rounding alone may separate two engines that round in
    different orders: FLOOR for the quantity itself, SQUARES for the root of one that is a sum of squared errors.
    """
    spec = importlib.util.spec_from_file_location(f"lesson_{name}", FOLDER / f"{name}.py")
    if spec is None or spec.loader is None or name not in lessons():
        raise ValueError(f"no lesson {name!r}; there are {', '.join(lessons())}")
    module = importlib.util.module_from_spec(spec)
    if str(FOLDER) not in sys.path:
        sys.path.insert(0, str(FOLDER))  # a lesson says `from lesson import ...`, as when it is run as a script
    spec.loader.exec_module(module)
    module.FLOOR = getattr(module, "FLOOR", {})
    module.SQUARES = getattr(module, "SQUARES", {})
    return module


def pairs(mine: Any, theirs: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any, Any]]:
    """The leaves of two results side by side, with where they are. ValueError when the two are not built alike."""
    if isinstance(mine, dict) and isinstance(theirs, dict) and list(mine) == list(theirs):
        for key in mine:
            yield from pairs(mine[key], theirs[key], (*path, str(key)))
    elif isinstance(mine, list) and isinstance(theirs, list) and len(mine) == len(theirs):
        for position, (left, right) in enumerate(zip(mine, theirs)):
            yield from pairs(left, right, (*path, str(position)))
    elif isinstance(mine, (dict, list)) or type(mine) is not type(theirs):
        raise ValueError(f"at {'/'.join(path) or 'the top'}: {mine!r} and {theirs!r} are not built alike")
    else:
        yield path, mine, theirs


def differences(module: ModuleType, mine: Any, theirs: Any) -> list[str]:
    """Where two results of a loaded lesson disagree, in words; [] when they agree.

    Whole numbers and texts must be equal, floats within 1e-5 of the larger (at most one unit in the fifth digit) or
    within what the lesson's FLOOR and SQUARES say of the quantity that they belong to.
    """
    found = []
    for path, left, right in pairs(mine, theirs):
        same = left == right
        if isinstance(left, float) and not (math.isfinite(left) and math.isfinite(right)):
            same = same or (math.isnan(left) and math.isnan(right))
        elif isinstance(left, float) and not same:
            floor = max(module.FLOOR.get(key, 0.0) for key in path)
            same = abs(left - right) <= max(1e-5 * max(abs(left), abs(right)), floor)
            root = max(module.SQUARES.get(key, 0.0) for key in path)
            if root and left >= 0 and right >= 0:
                same = same or abs(math.sqrt(left) - math.sqrt(right)) <= root
        if not same:
            found.append(f"{'/'.join(path)}: {left!r} and {right!r}")
    return found


def _count(text: str) -> int:
    """A positive whole number from the command line."""
    if not text.isdigit() or int(text) == 0:
        raise argparse.ArgumentTypeError(f"expected a positive whole number, got {text!r}")
    return int(text)
