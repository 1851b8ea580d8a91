"""The rules: each agrees with torch, says on every statement whether torch takes it, and fails on a broken engine."""

import subprocess
import sys
from types import SimpleNamespace

import pytest

torch = pytest.importorskip("torch")

from compare import rules  # noqa: E402
from compare.report import Options, Progress  # noqa: E402


def test_every_rule_holds():
    results = list(rules.run(Options(), Progress(enabled=False)))
    assert [r.name for r in results] == list(rules.RULES)
    assert not [f"{r.name}: {f.message}" for r in results for f in r.failures]
    assert not [r.name for r in results if r.details["scale"] > 1000], "such numbers hide small differences"


def test_only_selects_rules():
    selected = list(rules.run(Options(only="once_differentiable"), Progress(enabled=False)))
    assert [r.name for r in selected] == ["once_differentiable"]


def test_a_statement_is_marked_where_torch_refuses_it():
    program = "a = 1\nwith T.no_grad(): b = 2  # refused\n@f\ndef g():\n    return 3\ng()  # refused\n"
    assert list(rules.statements(program)) == [
        ("a = 1", False),
        ("with T.no_grad(): b = 2", True),
        ("@f\ndef g():\n    return 3", False),
        ("g()", True),
    ]


@pytest.mark.parametrize(
    "program, said",
    [("x = T.ones(2)\nx.add_(T.ones(3))", "raises"), ("x = T.ones(2)\nx.add_(1)  # refused", "accepts")],
)
def test_a_rule_that_is_wrong_about_torch_fails(monkeypatch, program, said):
    monkeypatch.setitem(rules.RULES, "wrong", program)
    result = rules.run_rule("wrong", torch, torch)
    assert not result.passed and said in result.failures[0].message


def test_a_broken_engine_is_found_and_its_script_shows_it(monkeypatch, tmp_path):
    """An engine whose no_grad records; the script runs alone, on the real engines, and there they agree."""
    everything = {name: getattr(torch, name) for name in dir(torch) if not name.startswith("__")}
    broken = SimpleNamespace(**{**everything, "no_grad": torch.enable_grad})
    result = rules.run_rule("no_grad and its end", torch, broken)
    assert "requires_grad of c" in result.failures[0].message
    script = tmp_path / "shown.py"
    script.write_text(result.failures[0].reproducer)
    ran = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, timeout=120)
    assert ran.returncode == 0 and "they agree" in ran.stdout, ran.stdout + ran.stderr
