"""The guide's examples run, and print what the guide says."""

from __future__ import annotations

import contextlib
import importlib.util
import io
import re
import sys
from pathlib import Path

import pytest

import compare

pytest.importorskip("minigrad")

GUIDE = Path(compare.__file__).parents[1] / "docs" / "compare.md"


def test_the_examples_of_the_guide_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    blocks = re.findall(r"```python\n(.*?)```", GUIDE.read_text(), re.S)
    assert len(blocks) == 6
    # functions are looked up in a file, as in a user's script, so that their source is found for the report
    script = tmp_path / "guide.py"
    script.write_text("\n".join(blocks))
    spec = importlib.util.spec_from_file_location("guide_of_compare", script)
    assert spec is not None and spec.loader is not None
    guide = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "guide_of_compare", guide)
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        spec.loader.exec_module(guide)
    text = printed.getvalue()
    assert re.search(r"agreement: \d+ checks on 1 example, worst [\d.]+ ulp", text)
    assert "minigrad and torch disagree on swish and reference with x: float64[]" in text
    assert "grad x of [x]: got " in text and "ulp apart" in text
    assert "class Swish(minigrad.autograd.Function)" in guide.script
    assert callable(guide.test_my_loss)
