"""The lessons as commands: options, engines, progress, plots, and what is said when a package is missing."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def command(*arguments: str) -> subprocess.CompletedProcess:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])}
    return subprocess.run(
        [sys.executable, *arguments], capture_output=True, text=True, env=environment, cwd=ROOT, timeout=60, check=False
    )


@pytest.mark.parametrize("engine", ["minigrad", "torch"])
def test_a_lesson_runs_as_a_script(engine):
    done = command("examples/02_scalar_loop.py", "--engine", engine, "--epochs", "1")
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0] == "predict (before training) 4 4.0"
    assert lines[1] == "\tgrad: 1.0 2.0 -2.0"
    assert lines[4] == "progress: 0 7.315943717956543"


def test_minigrad_is_the_default_engine_and_torch_is_not_imported():
    done = command("-X", "importtime", "examples/14_first_gradients.py")
    assert done.returncode == 0, done.stderr
    imported = [line.rpartition("|")[2].strip() for line in done.stderr.splitlines() if line.startswith("import time")]
    assert "minigrad.tensor" in imported
    assert not [name for name in imported if name.partition(".")[0] == "torch"]
    assert "gradient of w: tensor(80.)" in done.stdout


def test_help_is_the_lessons_own_text(lesson, capsys):
    with pytest.raises(SystemExit) as stop:
        lesson.run(lesson.load("16_mini_batches").main, ["--help"])
    assert stop.value.code == 0
    text = capsys.readouterr().out
    assert "Lesson 16: mini-batches" in text
    assert "--engine {minigrad,torch}" in text
    assert "(default: 4000)" in text
    assert "--out" not in text


@pytest.mark.parametrize("bad", ["0", "-1", "many", "1.5"])
def test_bad_epochs(lesson, capsys, bad):
    with pytest.raises(SystemExit) as stop:
        lesson.run(lesson.load("02_scalar_loop").main, [f"--epochs={bad}"])
    assert stop.value.code == 2
    assert f"expected a positive whole number, got '{bad}'" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("package", "module"), [("scikit-learn", "sklearn.datasets"), ("matplotlib", "matplotlib.figure")]
)
def test_a_missing_package_names_the_extra(lesson, monkeypatch, package, module):
    monkeypatch.setitem(sys.modules, module.partition(".")[0], None)
    monkeypatch.delitem(sys.modules, module, raising=False)
    with pytest.raises(ImportError, match=rf'needs {package}.*pip install -e "\.\[examples\]"'):
        lesson.optional(module)


def test_a_missing_engine_names_the_command(lesson, monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(SystemExit, match=r'torch is not installed.*pip install -e "\.\[dev\]"'):
        lesson.run(lesson.load("12_mse_by_hand").main, ["--engine", "torch"])


@pytest.mark.parametrize("engine", ["minigrad", "torch"])
def test_plots_are_written(lesson, tmp_path, engine):
    out = tmp_path / "new" / "folder"
    options = ["--engine", engine, "--epochs", "2", "--out", str(out)]
    lesson.run(lesson.load("18_make_regression").main, options)
    lesson.run(lesson.load("20_digits").main, options)
    for name in ("loss.png", "fit.png", "digits.png"):
        content = (out / name).read_bytes()
        assert content.startswith(b"\x89PNG\r\n\x1a\n"), name
        assert len(content) > 10_000, name


def test_no_plot_without_out(lesson, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    lesson.run(lesson.load("18_make_regression").main, ["--engine", "torch", "--epochs", "1"])
    assert list(tmp_path.iterdir()) == []
    assert "--out DIR" in capsys.readouterr().out


def test_progress_is_silent_for_a_second_then_speaks(lesson, monkeypatch, capsys):
    clock = iter([0.0, 0.0, 0.5, 0.9])
    monkeypatch.setattr(lesson.time, "perf_counter", lambda: next(clock))
    assert list(lesson.progress(range(3), "epochs")) == [0, 1, 2]
    assert capsys.readouterr().err == ""

    clock = iter([0.0, 0.0, 2.5, 3.0, 5.0])
    assert list(lesson.progress(range(4), "epochs")) == [0, 1, 2, 3]
    assert capsys.readouterr().err == "epochs: 1 of 4, 8 s left\nepochs: 3 of 4, 2 s left\n"


def test_an_unknown_lesson(lesson):
    with pytest.raises(ValueError, match="no lesson '99_none'; there are 01_numpy_by_hand"):
        lesson.load("99_none")


@pytest.mark.parametrize("name", ["15_linear_regression", "16_mini_batches", "19_dropout_mlp"])
def test_the_same_seed_repeats_a_run(lesson, name):
    main, torch = lesson.load(name).main, lesson.engine("minigrad")
    first = main(torch, seed=3, epochs=20)
    assert main(torch, seed=3, epochs=20) == first
    assert main(torch, seed=4, epochs=20) != first
