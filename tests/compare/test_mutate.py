"""Mutants: each break of a formula is made, planted and taken out again; what no row notices is reported."""

import ast
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")

import minigrad  # noqa: E402
from compare import mutate  # noqa: E402
from compare.report import Options, Result  # noqa: E402
from minigrad.primitive import REGISTRY, Primitive  # noqa: E402


def primitive(**formulas):
    """As minigrad's, without entering the op into its registry."""
    return lambda forward: Primitive(forward, formulas, None, None, False, None)


@primitive(a=lambda g, b: g * b, b=lambda g, a: -g * (a + 2) if a is not None else g)
def sample_op(a, b):
    """a * b"""
    return a * b


def made(name):
    return {m.what.rpartition("->")[2].strip(): m for m in mutate.mutants(sample_op) if m.input == name}


def test_each_detail_of_a_formula_is_broken():
    assert set(made("a")) == {
        "sign flipped", "doubled", "cotangent replaced by ones", "second derivative lost", "g", "b", "g * a",
    }  # fmt: skip
    wanted = ["g * (a + 2)", "-g", "-g * (a - 2)", "-g * a", "-g * 2", "-g * (a + 3)", "-g * (b + 2)", "a + 2"]
    assert {f"{text} if a is not None else g" for text in wanted} <= set(made("b"))
    assert {"-g * (a + 2)", "g"} <= set(made("b")), "either branch alone"


def test_mutants_compute_what_they_say():
    a = made("a")
    assert a["sign flipped"].formula(3.0, 5.0) == -15.0
    assert a["doubled"].formula(3.0, 5.0) == 30.0
    assert a["cotangent replaced by ones"].formula(3.0, 5.0) == 5.0
    assert a["g * a"].formula(g=3.0, a=7.0) == 21.0
    assert made("b")["-g * (a + 3) if a is not None else g"].formula(g=2.0, a=1.0) == -8.0


def test_a_planted_formula_is_taken_out_again():
    mutant = made("a")["g * a"]
    formula, needs = sample_op.formulas["a"], sample_op.needs["a"]
    scope = {}
    scope.update(sample_op.plans.recorders(scope, ["a", "b"]))
    recorders = dict(scope)
    sample_op.plans[True, True] = "compiled"
    with mutate.Planted(sample_op, "a", mutant.formula):
        assert sample_op.formulas["a"] is mutant.formula
        assert sample_op.needs["a"] == ["g", "a"]
        assert not sample_op.plans, "plans are compiled from the formulas"
        assert all(scope[name] is not recorder for name, recorder in recorders.items()), "and calls keep recorders"
    assert sample_op.formulas["a"] is formula and sample_op.needs["a"] == needs


def rows(check, formulas=frozenset({("sample_op", "a")})):
    return [mutate.Row("test", "row", check, formulas=set(formulas))]


def test_a_mutant_is_caught_by_a_row_that_looks():
    def looks(name, options):
        wrong = sample_op.formulas["a"](**dict.fromkeys(sample_op.needs["a"], 3.0)) != 9.0
        return Result("test", name, 1, None, ["wrong"] if wrong else [])

    mutant = made("a")
    assert mutate.is_caught(mutant["sign flipped"], sample_op, rows(looks), 0)
    assert not mutate.is_caught(mutant["g * a"], sample_op, rows(looks), 0), "with a = b this row cannot tell"
    assert not mutate.is_caught(mutant["sign flipped"], sample_op, rows(looks, {("other", "a")}), 0)


def test_a_row_that_raises_or_hangs_has_noticed(monkeypatch):
    def raises(name, options):
        raise RuntimeError("broken")

    def hangs(name, options):
        while True:
            pass

    assert mutate.is_caught(made("a")["doubled"], sample_op, rows(raises), 0)
    monkeypatch.setattr(mutate, "SECONDS", 1)
    assert mutate.is_caught(made("a")["doubled"], sample_op, rows(hangs), 0)


def test_survivors_are_reported(monkeypatch):
    monkeypatch.setitem(REGISTRY, "sample_op", sample_op)
    monkeypatch.setattr(mutate, "_rows", rows(lambda name, options: Result("test", name, 1, None, [])))
    result = mutate.check_op("sample_op", Options())
    assert result.checks == len(result.failures) == len(list(mutate.mutants(sample_op)))
    assert "no quick row noticed" in result.failures[0].message
    assert "evaluates" in next(f for f in result.failures if "of b" in f.where).message


def test_equivalent_mutants_exist():
    for op, name, what in mutate.EQUIVALENT:
        texts = [m.what for m in _all_mutants(REGISTRY[op]) if m.input == name]
        assert what in texts, f"{op}, {name}: no mutant {what!r}; the formula has changed"


def _all_mutants(op):
    kept, mutate.EQUIVALENT = mutate.EQUIVALENT, {}
    try:
        return list(mutate.mutants(op))
    finally:
        mutate.EQUIVALENT = kept


def test_every_patch_fits_the_engine(tmp_path):
    package = Path(minigrad.__file__).parent
    for patch in mutate.PATCHES:
        text = (package / patch.file).read_text()
        assert text.count(patch.old) == 1, f"{patch.name}: stale"
        assert patch.old != patch.new
        ast.parse(text.replace(patch.old, patch.new))
    assert len({p.name for p in mutate.PATCHES}) == len(mutate.PATCHES) >= 20


def test_a_stale_patch_is_an_error(tmp_path):
    (tmp_path / "engine.py").write_text("a = 1\n")
    with pytest.raises(mutate.StalePatch, match="engine.py"):
        mutate.apply(mutate.Patch("rule", "engine.py", "b = 1", "b = 2"), tmp_path)
    mutate.apply(mutate.Patch("rule", "engine.py", "a = 1", "a = 2"), tmp_path)
    assert (tmp_path / "engine.py").read_text() == "a = 2\n"
