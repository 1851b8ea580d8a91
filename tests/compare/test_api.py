"""assert_same_gradients passes what agrees, catches what does not, and its script shows it again."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings

import compare
from compare import GradientMismatch, arrays, assert_same_gradients, broadcastable_shapes

BOTH_TORCH = ("torch", "torch")
SLOPE = 3.0


class WrongSquare(torch.autograd.Function):
    """x * x whose backward forgets that the derivative is 2 x, not SLOPE x."""

    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        ctx.save_for_backward(x)
        return x * x

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        (x,) = ctx.saved_tensors
        return SLOPE * x * g


def wrong_square(x: Any) -> Any:
    return WrongSquare.apply(x)


def square(x: Any) -> Any:
    return x * x


def loss(T: Any, x: Any, w: Any) -> Any:
    return (x @ w).tanh().sum()


def test_a_function_on_arrays_agrees() -> None:
    report = assert_same_gradients(loss, np.ones((2, 3)), np.ones((3, 2)), engines=BOTH_TORCH)
    assert report.checks > 10 and report.examples == 1 and report.worst_ulp == 0
    assert "agreement" in repr(report)


def test_on_minigrad_by_default() -> None:
    pytest.importorskip("minigrad")
    assert_same_gradients(loss, np.linspace(-1, 1, 6).reshape(2, 3), np.linspace(-2, 1, 6).reshape(3, 2))


def test_strategies_are_drawn() -> None:
    report = assert_same_gradients(loss, arrays((2, 3)), arrays((3, 4)), engines=BOTH_TORCH, examples=7)
    assert report.examples == 7


def test_shapes_of_strategies_broadcast() -> None:
    @given(broadcastable_shapes(3))
    @settings(max_examples=30, database=None)
    def look(shapes: Any) -> None:
        assert len(np.broadcast_shapes(*shapes)) == max(map(len, shapes))

    look()


def test_lists_numbers_and_tensors_are_inputs() -> None:
    assert_same_gradients(lambda T, x, y, z: x * y + z, [1.0, 2.0], 3, torch.ones(2), engines=BOTH_TORCH)


def test_a_wrong_function_is_caught_and_its_script_shows_it() -> None:
    with pytest.raises(GradientMismatch) as caught:
        assert_same_gradients((wrong_square, square), np.array([0.5, 2.0]), engines=BOTH_TORCH)
    text = str(caught.value)
    assert "grad x of [x][" in text and "ulp apart; 2 of 2 entries" in text
    assert "class WrongSquare" in text and "SLOPE = 3.0" in text
    script = caught.value.reproducer
    assert "compare" not in script
    done = subprocess.run(
        [sys.executable, "-c", "from typing import Any\n" + script], capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    expected, got = (
        next(line for line in done.stdout.splitlines() if line.startswith(f"{who} vjp")) for who in ("expected", "got")
    )
    assert expected.removeprefix("expected") != got.removeprefix("got")


def test_an_example_that_fails_is_shrunk() -> None:
    with pytest.raises(GradientMismatch) as caught:
        assert_same_gradients((wrong_square, square), arrays(), engines=BOTH_TORCH)
    assert "x: float64[]" in str(caught.value)


def test_a_wrong_double_backward_is_caught_and_orders_can_be_limited() -> None:
    def detached(x: Any) -> Any:
        class F(torch.autograd.Function):
            @staticmethod
            def forward(ctx: Any, x: Any) -> Any:
                ctx.save_for_backward(x)
                return x * x

            @staticmethod
            def backward(ctx: Any, g: Any) -> Any:
                return 2 * ctx.saved_tensors[0].detach() * g

        return F.apply(x)

    with pytest.raises(GradientMismatch, match="double backward"):
        assert_same_gradients((detached, square), np.array([1.0]), engines=BOTH_TORCH)
    assert_same_gradients((detached, square), np.array([1.0]), engines=BOTH_TORCH, orders=1)


def test_a_value_may_be_off_by_rounding_but_not_by_more() -> None:
    x = np.array([1e8, 1.0, -1e8, 0.5], np.float32)
    assert_same_gradients((lambda x: x.flip(0).sum(), lambda x: x.sum()), x, engines=BOTH_TORCH)
    with pytest.raises(GradientMismatch):
        assert_same_gradients((lambda x: x.flip(0).sum(), lambda x: x.sum()), x, engines=BOTH_TORCH, ulps=4)
    with pytest.raises(GradientMismatch, match="out0"):
        assert_same_gradients((lambda x: x * 1.00001, lambda x: x * 1), x, engines=BOTH_TORCH)


def test_the_lambda_itself_is_in_the_script() -> None:
    with pytest.raises(GradientMismatch) as caught:
        assert_same_gradients((lambda x: x * 2, lambda x: x * 3), np.array([1.0]), engines=BOTH_TORCH)
    assert "f0 = lambda x: x * 2\n" in caught.value.reproducer
    assert "f1 = lambda x: x * 3\n" in caught.value.reproducer


def test_modules_are_compared_with_the_same_weights() -> None:
    report = assert_same_gradients((torch.nn.Linear(3, 2), torch.nn.Linear(3, 2)), np.ones((4, 3)), engines=BOTH_TORCH)
    assert report.checks >= 4


def test_a_module_with_a_wrong_gradient_is_caught() -> None:
    class Wrong(torch.nn.Linear):
        def forward(self, x: Any) -> Any:
            return torch.nn.functional.linear(x, self.weight.detach(), self.bias) + 0 * self.weight.sum()

    with pytest.raises(GradientMismatch, match="gradient of weight"):
        assert_same_gradients((Wrong(3, 2), torch.nn.Linear(3, 2)), np.ones((4, 3)), engines=BOTH_TORCH)


def test_modules_with_other_parameters_are_refused() -> None:
    with pytest.raises(GradientMismatch, match="state_dict"):
        assert_same_gradients(
            (torch.nn.Linear(3, 2, bias=False), torch.nn.Linear(3, 2)), np.ones((4, 3)), engines=BOTH_TORCH
        )


@pytest.mark.parametrize("call, message", [
    (lambda: assert_same_gradients(3, np.ones(2)), "expected a function"),
    (lambda: assert_same_gradients((square,), np.ones(2)), "pair"),
    (lambda: assert_same_gradients(square, np.array(["a"])), "dtype"),
])  # fmt: skip
def test_a_bad_call_is_a_type_error(call: Any, message: str) -> None:
    with pytest.raises(TypeError, match=message):
        call()


def test_only_what_is_asked_for_gets_a_gradient() -> None:
    with pytest.raises(GradientMismatch):
        assert_same_gradients((lambda x, y: x * y.detach(), lambda x, y: x * y), [1.0], [2.0], engines=BOTH_TORCH)
    assert_same_gradients((lambda x, y: x * y.detach(), lambda x, y: x * y), [1.0], [2.0], engines=BOTH_TORCH,
                          requires_grad=[True, False])  # fmt: skip


def test_the_plugin_gives_a_fixture(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(Path(compare.__file__).parents[1]))
    pytester.makepyfile("""
        import numpy as np
        from compare import arrays

        def test_right(assert_same_gradients):
            report = assert_same_gradients((lambda x: x * x, lambda x: x ** 2), arrays(), engines=("torch", "torch"))
            assert report.examples <= 5

        def test_wrong(assert_same_gradients):
            assert_same_gradients((lambda x: x * x, lambda x: x ** 3), np.array([2.0]), engines=("torch", "torch"))
    """)
    loaded = ["-p", "compare.plugin"] if not _installed() else []
    result = pytester.runpytest_subprocess(*loaded, "--compare-examples", "5", "-p", "no:cacheprovider")
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(["*out0*: got 4.0, expected 8.0*"])


def _installed() -> bool:
    from importlib.metadata import entry_points

    return any(e.value == "compare.plugin" for e in entry_points(group="pytest11"))
