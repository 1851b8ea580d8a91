"""`python -m compare`: exit codes, files, messages. The engine is torch itself, or torch with a fault."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from compare import engines, lessons
from compare.__main__ import main
from compare.report import Options

ROOT = Path(lessons.__file__).parents[1]


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch, faulty: Any) -> Any:
    """`engine(exp=...)` stands in for minigrad."""
    true = engines.load

    def use(**replaced: Any) -> None:
        subject = faulty(**replaced)
        monkeypatch.setattr(engines, "load", lambda name: subject if name == "minigrad" else true(name))

    return use


def test_agreement_exits_with_0_and_ends_in_the_table(
    engine: Any, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    engine()
    files = [tmp_path / "a.json", tmp_path / "a.html"]
    code = main(
        [
            "ops",
            "--only",
            "exp,exp2",
            "--jobs",
            "1",
            "--examples",
            "3",
            "--json",
            str(files[0]),
            "--html",
            str(files[1]),
        ]
    )
    out = capsys.readouterr().out
    assert code == 0
    assert "minigrad and torch agree" in out and "ops" in out.splitlines()[2]
    assert {r["name"] for r in json.loads(files[0].read_text())["results"]} >= {"exp", "exp2", "expm1"}
    assert "coverage" not in files[1].read_text()[:20] and "<!doctype html>" in files[1].read_text()


def test_disagreement_exits_with_1_and_prints_a_script(engine: Any, capsys: pytest.CaptureFixture[str]) -> None:
    engine(exp=lambda x: torch.exp(x) * 1.001)
    assert main(["ops", "--only", "exp", "--jobs", "1", "--quick"]) == 1
    out = capsys.readouterr().out
    assert "T.exp(x) with x: float64" in out and "import minigrad" in out and "1 of" in out


def test_ctrl_c_exits_with_130_and_tells_what_was_done(engine: Any, capsys: pytest.CaptureFixture[str]) -> None:
    def interrupted(x: Any) -> Any:
        raise KeyboardInterrupt

    engine(exp=lambda x: torch.exp(x) * 1.001, exp2=interrupted)
    assert main(["ops", "--only", "exp,exp2", "--jobs", "1", "--quick"]) == 130
    out = capsys.readouterr().out
    assert "T.exp(x) with x: float64" in out and "1 rows disagree" in out and "interrupted" in out


def test_a_pattern_without_rows_exits_with_2(engine: Any, capsys: pytest.CaptureFixture[str]) -> None:
    engine()
    assert main(["ops", "--only", "no such op"]) == 2
    assert "nothing is called 'no such op'" in capsys.readouterr().err


def test_a_missing_folder_is_said_before_anything_runs(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["ops", "--json", "/no/such/folder/x.json"]) == 2
    assert "no folder /no/such/folder" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [["nothing"], ["ops", "--examples", "0"], ["ops", "--jobs", "many"]])
def test_a_bad_command_line_exits_with_2(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2


def test_options_before_and_after_the_group_are_the_same(engine: Any, capsys: pytest.CaptureFixture[str]) -> None:
    engine()
    assert main(["--seed", "9", "--only", "exp2", "ops", "--quick", "--jobs", "1"]) == 0
    assert "seed 9" in capsys.readouterr().out


def test_rows_are_spread_over_processes(engine: Any, capsys: pytest.CaptureFixture[str]) -> None:
    engine()
    assert main(["ops", "--only", "log*", "--quick", "--jobs", "2"]) == 0
    assert "pass" in capsys.readouterr().out


def test_a_process_that_dies_is_one_failed_row(engine: Any, capsys: pytest.CaptureFixture[str]) -> None:
    engine(sinh=lambda x: os.kill(os.getpid(), signal.SIGKILL))
    assert main(["ops", "--only", "sin,cos", "--quick", "--jobs", "2"]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert any(line.startswith("crashed") and "1 of 1 FAIL" in line for line in lines)
    assert any(line.startswith("ops") and line.endswith("pass") for line in lines)


@pytest.mark.parametrize("missing", ["torch", "hypothesis"])
def test_a_missing_package_names_the_extra(missing: str) -> None:
    program = f"import sys; sys.modules[{missing!r}] = None; from compare.__main__ import main; sys.exit(main(['ops']))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=ROOT, timeout=120)
    assert done.returncode == 2
    assert missing in done.stderr and 'pip install -e ".[compare]"' in done.stderr and "Traceback" not in done.stderr


def test_importing_compare_imports_neither_engine() -> None:
    program = "import sys, compare; print(sorted({'torch', 'minigrad', 'hypothesis'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=ROOT, timeout=120)
    assert done.stdout.strip() == "[]", done.stderr


# --- lessons


def test_a_lesson_agrees_with_itself() -> None:
    result = lessons.run_lesson(torch, torch, "14_first_gradients", Options())
    assert result.passed and result.checks > 20


def test_a_lesson_on_a_wrong_engine_fails(faulty: Any) -> None:
    wrong = faulty(manual_seed=lambda seed: torch.manual_seed(seed + 1))
    assert not lessons.run_lesson(wrong, torch, "15_linear_regression", Options()).passed


@pytest.mark.parametrize("mine, other, floor, agrees", [
    (1.00004, 1.0, 0, True), (1.0001, 1.0, 0, False), (1e-9, 0.0, 1e-8, True), (1e-9, 0.0, 0, False), (float("nan"),
                                                                                                       float("nan"), 0,
                                                                                                       True),
    (1.0, float("inf"), 0, False), (True, 1, 0, False), ("a", "a", 0, True), ("a", "b", 0, False), (None, 1.0, 0,
                                                                                                    False),
])  # fmt: skip
def test_five_significant_digits(mine: Any, other: Any, floor: float, agrees: bool) -> None:
    assert lessons.agree(mine, other, floor) is agrees


def test_a_floor_is_found_by_the_innermost_name() -> None:
    assert lessons.floor_of(("run", "losses", 3), {"losses": 1e-8}) == 1e-8
    assert lessons.floor_of(("run", "w"), {"losses": 1e-8}) == 0


def test_results_of_another_shape_disagree() -> None:
    assert list(lessons.pairs({"a": [1, 2]}, {"a": [1]}, ())) == [(("a",), [1, 2], [1])]
    assert list(lessons.pairs({"a": 1}, {"b": 1}, ())) == [((), {"a": 1}, {"b": 1})]
