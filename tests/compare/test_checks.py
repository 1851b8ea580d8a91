"""Every check can fail: a fault of each kind is planted in torch and the check that should see it does."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from compare import cases, checks, ops
from compare.report import Options, Result
from compare.strategies import Operand


def judge(engine: Any, row: str) -> Result:
    return ops.run_case(engine, torch, cases.find(row), Options(quick=True), limit=50)


def said(result: Result) -> str:
    return "\n".join(f.message for f in result.failures)


class Scaled(torch.autograd.Function):
    """x, with a gradient off by a factor of 1 + 1e-4."""

    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        return x.clone()

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        return g * (1 + 1e-4)


class NotTwice(torch.autograd.Function):
    """x * x with the right first derivative, whose second one is zero."""

    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        ctx.save_for_backward(x)
        return x * x

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        (x,) = ctx.saved_tensors
        return 2 * g * x.detach()


class WritesCotangent(torch.autograd.Function):
    """-x, doubling the cotangent that it is handed in place."""

    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        return -x

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        with torch.no_grad():
            gradient = -g
            g.mul_(2)
        return gradient


class ZeroSoftmax(torch.autograd.Function):
    """softmax with gradient zero: right for a cotangent of ones."""

    @staticmethod
    def forward(ctx: Any, x: Any, dim: int) -> Any:
        return torch.softmax(x, dim)

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        return g * 0, None


class KinkedRelu(torch.autograd.Function):
    """relu with derivative 1 at 0."""

    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        ctx.save_for_backward(x)
        return torch.relu(x)

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        (x,) = ctx.saved_tensors
        return g * (x >= 0)


def mutating(x: Any) -> Any:
    with torch.no_grad():
        out = x.clone().neg_()
        if x.is_floating_point() and x.numel():
            x.detach().view(-1)[0] = 7 if x.is_contiguous() else x.detach().reshape(-1)[0]
    return torch.neg(x) if x.requires_grad else out


def only_y_lost(x: Any, y: Any) -> Any:
    alone = isinstance(y, torch.Tensor) and y.requires_grad and not x.requires_grad
    return torch.mul(x, y.detach() + 0 * y) if alone else torch.mul(x, y)


def wrong_error(x: Any, y: Any) -> Any:
    try:
        return torch.add(x, y)
    except RuntimeError as error:
        raise ValueError(str(error)) from None


def off_by(factor: float) -> Callable[..., Any]:
    def mul(x: Any, y: Any) -> Any:
        out = torch.mul(x, y)
        return out * factor if out.is_floating_point() and out.dtype != torch.float16 else out

    return mul


def integers_off(x: Any, y: Any) -> Any:
    out = torch.mul(x, y)
    return out if out.is_floating_point() or out.dtype == torch.bool else out + 1


FAULTS: list[tuple[str, str, dict[str, Any], str]] = [
    ("the value, by 5e-7", "mul", {"mul": off_by(1 + 5e-7)}, "out0"),
    ("the value of integers", "mul", {"mul": integers_off}, "out0"),
    ("the dtype", "add", {"add": lambda x, y: torch.add(x, y).double()}, "dtype"),
    ("the shape", "exp", {"exp": lambda x: torch.exp(x).reshape(-1)}, "shape"),
    ("requires_grad", "exp", {"exp": lambda x: torch.exp(x).detach()}, "requires_grad"),
    ("the vjp, by 1e-4", "exp", {"exp": lambda x: Scaled.apply(torch.exp(x))}, "grad x of [x]"),
    ("the double backward alone", "square", {"square": lambda x: NotTwice.apply(x)}, "double backward"),
    ("a vjp that ones hide", "softmax", {"softmax": lambda x, dim: ZeroSoftmax.apply(x, dim)}, "grad x"),
    ("a kink", "relu", {"relu": lambda x: KinkedRelu.apply(x)}, "grad x"),
    ("an input written into", "neg", {"neg": mutating}, "wrote into the input x"),
    ("a cotangent written into", "neg", {"neg": lambda x: WritesCotangent.apply(x)}, "wrote into the cotangent"),
    ("the sign of zero", "neg", {"neg": lambda x: 0 - x if x.is_floating_point() else torch.neg(x)}, "out0"),
    ("the class of an error", "add", {"add": wrong_error}, "ValueError"),
    ("an error that never comes", "sum", {"sum": lambda x, dim=None, keepdim=False: torch.sum(x,
                                                                                              dim if dim != 2 else 0,
                                                                                              keepdim)},
     "got nothing"),
    ("a subset of the inputs", "mul", {"mul": only_y_lost}, "of [y]"),
    ("a tie", "maximum", {"maximum": lambda x, y: torch.where(x >= y, x, y)}, "grad"),
    ("promotion with a 0-d tensor", "add", {"add": lambda x, y: torch.add(x, y) if not isinstance(y, torch.Tensor)
     else torch.add(x, y).to(torch.promote_types(x.dtype, y.dtype))}, "dtype"),
    ("nothing for an empty tensor", "mean.all", {"mean": lambda x: torch.mean(x) if x.numel() else torch.zeros((),
                                                                                                               dtype=x.dtype)},
     "out0"),
]  # fmt: skip


@pytest.mark.parametrize("what, row, replaced, label", FAULTS, ids=[f[0] for f in FAULTS])
def test_a_planted_fault_is_seen(what: str, row: str, replaced: dict[str, Any], label: str, faulty: Any) -> None:
    # torch itself lets gradients share memory with cotangents, which is a promise of minigrad alone
    before = {f.message for f in judge(torch, row).failures if "shares memory" not in f.message}
    assert not before
    result = judge(faulty(**replaced), row)
    assert label in said(result), said(result)


def test_a_gradient_that_shares_memory_is_seen() -> None:
    assert "shares memory with cotangent 0" in said(judge(torch, "sum.all"))  # of a 0-d tensor, in torch


def test_two_gradients_that_share_memory_are_seen() -> None:
    case = cases.find("add")
    example = checks.Example(case, (Operand("x", np.ones(3)), Operand("y", np.ones(3))), {})
    run, out, shared = checks._Run(torch, example, ()), checks.Trace(), torch.ones(3)
    checks._unshared({"x": shared, "y": shared}, [], run, out, "[x, y]")
    assert out.broken == ["backward [x, y]: the gradient of x shares memory with the gradient of y"]


def test_a_gradient_that_is_a_broadcast_view_is_seen() -> None:
    example = checks.Example(cases.find("exp"), (Operand("x", np.ones(3)),), {})
    run, out = checks._Run(torch, example, ()), checks.Trace()
    checks._unshared({"x": torch.ones(1).expand(3)}, [], run, out, "[x]")
    assert "broadcast view" in out.broken[0]


def test_an_in_place_form_that_disagrees_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.Tensor, "sin_", lambda self: self.mul_(2))
    assert "x.sin_() and T.sin(x) disagree" in said(judge(torch, "sin"))


def test_an_in_place_form_that_returns_another_tensor_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    true = torch.Tensor.sin_
    monkeypatch.setattr(torch.Tensor, "sin_", lambda self: true(self).clone())
    assert "does not return its own tensor" in said(judge(torch, "sin"))


def test_a_method_that_disagrees_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.Tensor, "sin", torch.Tensor.cos)
    assert "x.sin() and T.sin(x) disagree" in said(judge(torch, "sin"))


def test_a_missing_op_is_a_failure(faulty: Any) -> None:
    class Lacking(type(faulty())):  # type: ignore[misc]
        def __getattr__(self, name: str) -> Any:
            if name == "exp":
                raise AttributeError("this engine has no exp")
            return super().__getattr__(name)

    assert "only ours raises AttributeError" in said(judge(Lacking(), "exp"))


def test_conditioning_excuses_rounding_and_no_more() -> None:
    row = cases.find("sum.all")
    values = np.array([1e8, 1.0, -1e8, 0.5], np.float32)
    example = checks.Example(row, (Operand("x", values),), {})

    class Reordered:
        __name__ = "torch"
        sum = staticmethod(lambda x: torch.sum(x.flip(0)))

        def __getattr__(self, name: str) -> Any:
            return getattr(torch, name)

    class Wrong(Reordered):
        sum = staticmethod(lambda x: torch.sum(x) + 300)

    def messages(engine: Any) -> list[str]:
        return [m for _, m in checks.check(engine, torch, example, 0).failures if m.startswith("out0")]

    assert messages(Reordered()) == []
    assert len(messages(Wrong())) == 1


def test_the_message_names_the_entry_both_values_and_the_distance(faulty: Any) -> None:
    example = checks.Example(
        cases.find("mul"), (Operand("x", np.array([1.0, 2.0])), Operand("y", np.array([1.0, 3.0]))), {}
    )

    def wrong(x: Any, y: Any) -> Any:
        return torch.mul(x, y) * torch.tensor([1.0, 1.5], dtype=torch.float64)

    verdict = checks.check(faulty(mul=wrong), torch, example, 0)
    assert any(
        m.startswith("out0[1]: got 9.0, expected 6.0, ") and "ulp apart; 1 of 2 entries" in m
        for _, m in verdict.failures
    )


@pytest.mark.parametrize("layout", ["contiguous", "transposed", "strided", "negative", "expanded"])
def test_the_script_runs_alone_and_makes_the_same_inputs(layout: str) -> None:
    values = np.arange(6.0).reshape(2, 3) if layout != "expanded" else np.broadcast_to(np.arange(3.0), (2, 3)).copy()
    operand = Operand("x", values, layout)
    made = eval(operand.code(), {"np": np, "T": torch, "torch": torch})
    assert np.array_equal(made.numpy(), values)
    text = checks.script(checks.Example(cases.find("exp"), (operand,), {}))
    assert "compare" not in text
    printed: list[str] = []
    exec(
        text.replace("import minigrad", "minigrad = torch"), {"print": lambda *a: printed.append(" ".join(map(str, a)))}
    )
    assert sum("raises" in line for line in printed) == 0
    assert sum("double backward" in line for line in printed) == 2


def test_every_kind_of_operand_keeps_its_layout() -> None:
    values = np.arange(6.0).reshape(2, 3)
    assert Operand("x", values, "negative").array().strides[0] < 0
    assert Operand("x", values, "strided").array().strides == (48, 16)
    assert Operand("x", values, "transposed").tensor(torch).stride() == (1, 2)
    assert Operand("x", np.ones((2, 3)), "expanded").tensor(torch).stride()[0] == 0
