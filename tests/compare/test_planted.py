"""A wrong derivative planted in a primitive's source is caught by the quick run, and its script shows it alone."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import compare

pytest.importorskip("minigrad")

ROOT = Path(compare.__file__).parents[1]


@pytest.mark.parametrize("row, file, right, wrong", [
    ("mul", "elementwise.py", "a=lambda g, b: g * b", "a=lambda g, b: g * b * (b / b + 1e-6)"),
    ("tanh", "elementwise.py", "g * (1 - out * out)", "g * (1 - out)"),
])  # fmt: skip
def test_a_planted_derivative_is_caught_and_reproduced(
    row: str, file: str, right: str, wrong: str, tmp_path: Path
) -> None:
    shutil.copytree(ROOT / "minigrad", tmp_path / "minigrad", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(ROOT / "compare", tmp_path / "compare", ignore=shutil.ignore_patterns("__pycache__"))
    source = tmp_path / "minigrad" / "ops" / file
    text = source.read_text()
    lines = text.splitlines()
    (at,) = [i for i, line in enumerate(lines) if line.startswith(f"def {row}(")]
    start = max(i for i in range(at) if lines[i].startswith("@primitive"))
    block = "\n".join(lines[start:at])
    assert right in block, block
    source.write_text(text.replace(block, block.replace(right, wrong), 1))
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    report = tmp_path / "report.json"
    command = [sys.executable, "-m", "compare", "ops", "--quick", "--only", row, "--jobs", "1", "--json", str(report)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, env=environment, timeout=300)
    assert done.returncode == 1, done.stdout + done.stderr
    failures = [f for r in json.loads(report.read_text())["results"] if r["name"] == row for f in r["failures"]]
    assert any("grad x" in f["message"] for f in failures)
    script = tmp_path / "again.py"
    script.write_text(next(f["reproducer"] for f in failures if "grad x" in f["message"]))
    again = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, cwd=tmp_path, env=environment,
                           timeout=300)  # fmt: skip
    assert again.returncode == 0, again.stderr
    shown = again.stdout.splitlines()
    theirs, ours = ([line.removeprefix(engine) for line in shown if line.startswith(f"{engine} vjp")]
                    for engine in ("torch", "minigrad"))  # fmt: skip
    assert len(theirs) == len(ours) == 1 and theirs != ours
