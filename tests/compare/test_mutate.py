"""Mutants: each break of a formula is made, planted and taken out again; what no row notices is reported."""

import ast
from inspect import Parameter, Signature
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")

import minigrad  # noqa: E402
import minigrad.nn.functional  # noqa: E402  (declares ops of its own)
from compare import mutate  # noqa: E402
from compare.report import Failure, Options, Progress, Result  # noqa: E402
from minigrad import primitive as declarations  # noqa: E402


def primitive(**formulas):
    """As minigrad's, without entering the op among the others."""

    def declare(forward):
        op = declarations.primitive(**formulas)(forward).primitive
        declarations.Plans.every.remove(op.plans)
        del declarations.REGISTRY[op.name]
        return op

    return declare


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
    assert a["sign flipped"].plants[0][1](3.0, 5.0) == -15.0
    assert a["doubled"].plants[0][1](3.0, 5.0) == 30.0
    assert a["cotangent replaced by ones"].plants[0][1](3.0, 5.0) == 5.0
    assert a["g * a"].plants[0][1](g=3.0, a=7.0) == 21.0
    assert made("b")["-g * (a + 3) if a is not None else g"].plants[0][1](g=2.0, a=1.0) == -8.0


def test_zero_has_fewer_mutants():
    @primitive(a=lambda g, xp: xp.zeros_like(g), b=lambda g: None)
    def zero_op(a, b):
        """0"""
        return a * 0

    assert [m.what for m in mutate.mutants(zero_op)] == ["xp.zeros_like(g)  ->  g"]


def test_an_op_of_many_inputs_is_broken_for_every_number_of_them():
    def joined(n):
        def joined_op(*arrays):
            """Their sum."""

        inputs = [f"x{i}" for i in range(n)]
        joined_op.__signature__ = Signature([Parameter(i, Parameter.POSITIONAL_OR_KEYWORD) for i in inputs])
        return primitive(**{i: lambda g: g * 2 for i in inputs})(joined_op)

    two, three = joined(2), joined(3)
    made = list(mutate.mutants(two, [three]))
    assert {m.input for m in made} == {"x0", "x1"}
    assert all([op for op, _ in m.plants] == [two, three] for m in made)
    with mutate.Planted("x0", made[0].plants):
        assert two.formulas["x0"](g=1) == three.formulas["x0"](g=1) == -2
    assert two.formulas["x0"](1) == three.formulas["x0"](1) == 2


def test_what_a_row_evaluates_is_measured(monkeypatch):
    monkeypatch.setattr(mutate, "primitives", lambda: {"sample_op": [sample_op]})
    good, bad = (mutate.Row("test", name, check) for name, check in (("good", evaluates), ("bad", fails)))
    passing, failing = mutate.measure([good, bad], Options(), Progress(enabled=False))
    assert passing == [good] and failing == ["test bad raised RuntimeError: broken"]
    assert good.formulas == {("sample_op", "b")}
    assert sample_op.formulas["b"](g=1.0, a=1.0) == -3.0


def evaluates(name, options):
    sample_op.formulas["b"](g=1.0, a=1.0)
    return Result("test", name, 1, None, [])


def fails(name, options):
    raise RuntimeError("broken")


def test_a_planted_formula_is_taken_out_again():
    mutant = made("a")["g * a"]
    formula, needs = sample_op.formulas["a"], sample_op.needs["a"]
    scope = {}
    scope.update(sample_op.plans.recorders(scope, ["a", "b"]))
    recorders = dict(scope)
    sample_op.plans[True, True] = "compiled"
    with mutate.Planted("a", mutant.plants):
        assert sample_op.formulas["a"] is mutant.plants[0][1]
        assert sample_op.needs["a"] == ["g", "a"]
        assert not sample_op.plans, "plans are compiled from the formulas"
        assert all(scope[name] is not recorder for name, recorder in recorders.items()), "and calls keep recorders"
    assert sample_op.formulas["a"] is formula and sample_op.needs["a"] == needs


def rows(check, formulas=frozenset({("sample_op", "a")})):
    return [mutate.Row("test", "row", check, formulas=set(formulas))]


def test_a_mutant_is_caught_by_a_row_that_looks():
    def looks(name, options):
        wrong = sample_op.formulas["a"](**dict.fromkeys(sample_op.needs["a"], 3.0)) != 9.0
        return Result("test", name, 1, None, [Failure("a is wrong", "")] if wrong else [])

    mutant = made("a")
    assert mutate.caught_by(mutant["sign flipped"], rows(looks), 0) == "test row: a is wrong"
    assert mutate.caught_by(mutant["g * a"], rows(looks), 0) is None, "with a = b this row cannot tell"
    assert mutate.caught_by(mutant["sign flipped"], rows(looks, {("other", "a")}), 0) is None


def test_a_row_that_raises_or_hangs_has_noticed(monkeypatch):
    def raises(name, options):
        raise RuntimeError("broken")

    def hangs(name, options):
        while True:
            pass

    assert mutate.caught_by(made("a")["doubled"], rows(raises), 0) == "test row raised RuntimeError: broken"
    monkeypatch.setattr(mutate, "SECONDS", 1)
    assert "raised _Slow" in mutate.caught_by(made("a")["doubled"], rows(hangs), 0)


def test_survivors_are_reported(monkeypatch):
    monkeypatch.setattr(mutate, "primitives", lambda: {"sample_op": [sample_op]})
    monkeypatch.setattr(mutate, "_rows", rows(lambda name, options: Result("test", name, 1, None, [])))
    result = mutate.check_op("sample_op", Options())
    assert result.checks == len(result.failures) == len(list(mutate.mutants(sample_op)))
    assert "no quick row noticed" in result.failures[0].message
    assert "evaluates" in next(f for f in result.failures if "of b" in f.where).message


def test_equivalent_mutants_exist():
    for op, name, what in mutate.EQUIVALENT:
        texts = [m.what for m in _all_mutants(mutate.primitives()[op][0]) if m.input == name]
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
    assert len({p.name for p in mutate.PATCHES}) == len(mutate.PATCHES) >= 160


def test_a_stale_patch_is_an_error(tmp_path):
    (tmp_path / "engine.py").write_text("a = 1\n")
    with pytest.raises(mutate.StalePatch, match="engine.py"):
        mutate.apply(mutate.Patch("rule", "engine.py", "b = 1", "b = 2"), tmp_path)
    mutate.apply(mutate.Patch("rule", "engine.py", "a = 1", "a = 2"), tmp_path)
    assert (tmp_path / "engine.py").read_text() == "a = 2\n"
