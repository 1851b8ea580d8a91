"""What only large arrays take, small ones take as well: each way of doing it agrees with torch.

The rows of compare are small, so that thousands run in a minute; minigrad does some things another way from some size
on. Here every such size is lowered in a copy of the source, and the quick run is made on that.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import compare

pytest.importorskip("minigrad")

ROOT = Path(compare.__file__).parents[1]
LOWERED = [  # file in minigrad/, text, what it becomes
    ("namespace.py", "MANY = 512 ", "MANY = 2 "),
    ("namespace.py", "LARGE = 8192 ", "LARGE = 1 "),
    ("namespace.py", "    if rows < 8:", "    if rows < 1:"),
    ("namespace.py", "length >= max(128, 8 * rows) and columns >= max(128, 4 * rows)", "length and columns"),
    ("functions/shape.py", "MOST_JOINED = 32", "MOST_JOINED = 2"),
    ("optim/optimizer.py", "SMALL = 4096", "SMALL = 2"),
    ("optim/optimizer.py", "BLOCK = 65536", "BLOCK = 2"),
    ("random.py", "_BLOCK = 1 << 14 ", "_BLOCK = 1 << 5 "),
    ("random.py", "_LONG = 400 ", "_LONG = 2 "),
]


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("lowered")
    for package in ("minigrad", "compare"):
        shutil.copytree(ROOT / package, folder / package, ignore=shutil.ignore_patterns("__pycache__"))
    for name, text, lowered in LOWERED:
        source = folder / "minigrad" / name
        before = source.read_text()
        assert before.count(text) == 1, f"{name} has {text!r} {before.count(text)} times"
        source.write_text(before.replace(text, lowered))
    return folder


@pytest.mark.parametrize("group", ["ops", "modules", "optim", "rules", "programs", "opinfo"])
def test_small_arrays_on_the_ways_of_large_ones_agree_with_torch(group: str, copy: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": str(copy)}
    shown = subprocess.run(
        [sys.executable, "-c", "import minigrad; print(minigrad.__file__)"],
        cwd=copy, env=environment, capture_output=True, text=True,
    )  # fmt: skip
    assert shown.stdout.startswith(str(copy))
    command = [sys.executable, "-m", "compare", group, "--quick"]
    ran = subprocess.run(command, cwd=copy, env=environment, capture_output=True, text=True, timeout=500)
    assert ran.returncode == 0, ran.stdout[-4000:] + ran.stderr[-2000:]
