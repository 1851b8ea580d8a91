"""The command line, end to end on the smallest run, and its messages for bad input."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks import __main__ as command
from benchmarks import process, results

ROOT = Path(__file__).resolve().parents[2]


def test_a_quick_run_prints_a_table_and_writes_report_and_chart(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks", "chain", "--quick", "--only", "numpy,minigrad,torch",
         "--json", str(tmp_path / "r.json"), "--plot", str(tmp_path / "r.png")],
        cwd=ROOT, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert "measuring chain" in done.stderr
    for expected in ("minigrad, 1 thread", "torch eager, 1 thread", "x faster than torch", "BLAS", "target"):
        assert expected in done.stdout
    document = results.load(tmp_path / "r.json")
    assert {cell["library"] for cell in document["results"] if cell["median"]} == {"numpy", "minigrad", "torch"}
    assert document["machine"]["limits"]["flops_per_s"] > 0
    assert (tmp_path / "r.png").read_bytes().startswith(b"\x89PNG")


def test_without_torch_the_extra_is_named(monkeypatch, capsys):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None if name == "torch" else object())
    assert command.main(["chain"]) == 2
    assert 'python -m pip install -e ".[bench]"' in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["nonsense"], "no workload begins with 'nonsense'; there are linear_regression, "),
        (["--only", "keras"], "--only: no library keras; there are numpy, "),
        (["--only", ","], "--only: no library given"),
        (["chain", "--json", "/nowhere/at/all.json"], "there is no folder /nowhere/at"),
    ],
)
def test_bad_arguments_say_what_there_is(arguments, says):
    with pytest.raises(SystemExit) as stopped:
        command.main(arguments)
    assert says in str(stopped.value)


def test_list_names_workloads_and_libraries(capsys):
    assert command.main(["--list"]) == 0
    text = capsys.readouterr().out
    for name in ("nodes_100000", "gradient_penalty", "import_time", "growth_mlp", "micrograd", "torch-cuda-graph"):
        assert name in text


def test_diff_and_show(tmp_path, capsys, report):
    results.save(tmp_path / "old.json", report(chain__numpy=10.0, chain__minigrad=100.0, chain__torch=200.0))
    results.save(tmp_path / "new.json", report(chain__numpy=10.0, chain__minigrad=150.0, chain__torch=200.0))
    assert command.main(["diff", str(tmp_path / "old.json"), str(tmp_path / "new.json")]) == 1
    assert "slower" in capsys.readouterr().out
    assert command.main(["diff", str(tmp_path / "new.json"), str(tmp_path / "old.json")]) == 0
    assert command.main(["show", str(tmp_path / "old.json"), "--markdown"]) == 0
    assert "**100**" in capsys.readouterr().out


def test_diff_of_a_broken_file_names_it(tmp_path, capsys):
    (tmp_path / "bad.json").write_text("{}")
    assert command.main(["diff", str(tmp_path / "bad.json"), str(tmp_path / "bad.json")]) == 2
    assert "bad.json" in capsys.readouterr().err


def test_a_chart_without_torch_is_refused(tmp_path, capsys, report):
    results.save(tmp_path / "r.json", report(chain__numpy=10.0))
    assert command.main(["show", str(tmp_path / "r.json"), "--plot", str(tmp_path / "r.png")]) == 2
    assert "nothing to draw" in capsys.readouterr().err


@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="memory is read from /proc")
@pytest.mark.parametrize("library", ["numpy", "minigrad"])
def test_peak_memory_of_a_million_elements_is_at_least_its_arrays(library):
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.process", "peak", "elementwise", library, "1"],
        cwd=ROOT, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    figures = json.loads(done.stdout)
    # Two gradients and tanh's and exp's outputs, 4 MB each, are alive at once.
    assert figures["peak"] - figures["before"] > 4 * 3900


def test_a_child_that_fails_is_a_runtime_error_with_its_last_line():
    with pytest.raises(RuntimeError, match="ModuleNotFoundError"):
        process._child("import", "no_such_module")
