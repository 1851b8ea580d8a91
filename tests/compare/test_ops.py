"""The rows on minigrad: the grid of every kind of input, and hypothesis finding and shrinking what the grid misses."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from compare import cases, checks, html, ops
from compare.report import Options

minigrad = pytest.importorskip("minigrad")


@pytest.mark.parametrize("case", cases.CASES, ids=[case.name for case in cases.CASES])
def test_minigrad_agrees_with_torch(case: cases.Case) -> None:
    if not ops.present(minigrad, case):
        pytest.skip(f"minigrad has no {case.call}")
    result = ops.run_case(minigrad, torch, case, Options(quick=True))
    assert result.passed, "\n\n".join(f"{f.where}\n{f.message}\n{f.reproducer}" for f in result.failures)


@pytest.mark.parametrize("name", ["mul", "where", "sum", "matmul", "x[...]", "cat", "softmax", "scatter_add"])
def test_hypothesis_agrees(name: str) -> None:
    coverage = ops.Coverage()
    verdict = ops.explore(minigrad, torch, cases.find(name), 40, 0, coverage)
    assert verdict is None, checks.as_failure(verdict)
    assert coverage.checks > 40


def test_hypothesis_finds_and_shrinks(faulty: Any) -> None:
    """An op that is wrong for 3 entries and more, in one dtype: the example is small and of that dtype."""

    def exp(x: Any) -> Any:
        out = torch.exp(x)
        return out * 2 if out.dtype == torch.float64 and x.numel() >= 3 else out

    verdict = ops.explore(faulty(exp=exp), torch, cases.find("exp"), 200, 0, ops.Coverage())
    assert verdict is not None
    (operand,) = verdict.example.operands
    assert 3 <= operand.values.size <= 8 and operand.dtype == "float64"


def test_coverage_counts_dtypes_kinds_and_orders() -> None:
    result = ops.run_case(torch, torch, cases.find("mul"), Options(quick=True))
    coverage = result.details["coverage"]
    assert {"float64", "float32", "float16", "int64", "bool"} <= set(coverage)
    assert {"plain", "0-d", "empty", "broadcast", "alias", "negative", "special"} <= set(coverage["float64"])
    assert set(coverage["float64"]["plain"]) == {"forward", "backward", "double"}
    assert set(coverage["int64"]["plain"]) == {"forward"}


def test_a_row_names_the_formulas_it_uses() -> None:
    result = ops.run_case(minigrad, torch, cases.find("mul"), Options(quick=True))
    formulas = result.details["formulas"]
    assert [f["text"] for f in formulas] == ["mul, a: lambda g, b: g * b", "mul, b: lambda g, a: g * a"]
    path, _, line = formulas[0]["where"].rpartition(":")
    assert path.endswith("elementwise.py") and int(line) > 0
    assert formulas[0]["where"] in html.page([result], Options(), 1.0)


def test_primitives_behind_a_composition_are_all_named() -> None:
    names = {p.name for p in ops.primitives(minigrad, cases.find("var"))}
    assert names
