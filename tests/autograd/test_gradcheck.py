"""gradcheck and gradgradcheck: right functions pass, and each kind of wrong one fails, saying where."""

import re
import warnings

import pytest
import torch

import minigrad
from minigrad.autograd import GradcheckError, gradcheck, gradgradcheck

engines = pytest.mark.parametrize("e", [minigrad, torch], ids=["minigrad", "torch"])


def leaf(e, values):
    return e.tensor(values, dtype=e.float64, requires_grad=True)


def function(e, forward, backward):
    """A Function of any inputs from a forward and a backward(g, *inputs)."""

    class Op(e.autograd.Function):
        @staticmethod
        def forward(ctx, *inputs):
            ctx.save_for_backward(*inputs)
            return forward(*inputs)

        @staticmethod
        def backward(ctx, g):
            return backward(g, *ctx.saved_tensors)

    return Op.apply


WRONG = {
    "wrong sign": lambda g, a, b: (g * b, -g * a),
    "dropped factor": lambda g, a, b: (g, g * a),
    "swapped": lambda g, a, b: (g * a, g * b),
    "no gradient": lambda g, a, b: (g * b, None),
    "ignored cotangent": lambda g, a, b: (b.clone(), a.clone()),
    "one entry off": lambda g, a, b: (g * b + (a == 2.0) * 0.01 * g, g * a),
}


@engines
def test_a_right_function_passes(e):
    a, b = leaf(e, [[1.0, 2.0], [3.0, 0.5]]), leaf(e, [[0.3, -1.0], [2.0, 1.5]])
    assert e.autograd.gradcheck(function(e, lambda a, b: a * b, lambda g, a, b: (g * b, g * a)), (a, b))
    assert e.autograd.gradcheck(lambda a, b: (a @ b, (a * b).sum(), a.sin()), (a, b))
    assert e.autograd.gradgradcheck(lambda a, b: (a @ b, (a * b).sum(), a.sin()), (a, b))
    assert e.autograd.gradcheck(lambda a: a.exp(), a, fast_mode=True)


@engines
@pytest.mark.parametrize("fast_mode", [False, True])
@pytest.mark.parametrize("kind", WRONG)
def test_a_wrong_function_fails(e, kind, fast_mode):
    a, b = leaf(e, [1.0, 2.0]), leaf(e, [0.3, -1.0])
    op = function(e, lambda a, b: a * b, WRONG[kind])
    with pytest.raises(RuntimeError):
        e.autograd.gradcheck(op, (a, b), fast_mode=fast_mode)
    assert e.autograd.gradcheck(op, (a, b), fast_mode=fast_mode, raise_exception=False) is False
    assert a.tolist() == [1.0, 2.0] and a.grad is None


def test_the_message_names_input_entry_and_both_values():
    a, b = leaf(minigrad, [1.0, 2.0]), leaf(minigrad, [0.3, -1.0])
    op = function(minigrad, lambda a, b: a * b, WRONG["wrong sign"])
    with pytest.raises(GradcheckError) as failure:
        gradcheck(op, (a, b))
    text = str(failure.value)
    assert "Jacobian mismatch for output 0 with respect to input 1" in text
    assert re.search(r"d output\[0\]\[0\] / d input\[1\]\[0\] is analytically -1, numerically (1|0.99999)", text), text
    op = function(minigrad, lambda a, b: a * b, WRONG["one entry off"])
    with pytest.raises(
        GradcheckError, match=r"d output\[0\]\[1\] / d input\[0\]\[1\] is analytically -0.99[0-9]*, numerically -"
    ):
        gradcheck(op, (a, b))


@engines
def test_a_gradient_of_the_wrong_shape_fails(e):
    a = leaf(e, [1.0, 2.0, 3.0])
    op = function(e, lambda a: a * 2, lambda g, a: g[:2] * 2)
    with pytest.raises(RuntimeError):
        e.autograd.gradcheck(op, (a,))


@engines
def test_a_second_derivative_that_is_wrong(e):
    a = leaf(e, [1.0, 2.0])

    class Square(e.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x * x

        @staticmethod
        def backward(ctx, g):
            (x,) = ctx.saved_tensors
            return g * 2 * x.detach()

    assert e.autograd.gradcheck(Square.apply, (a,))
    with pytest.raises(RuntimeError):
        e.autograd.gradgradcheck(Square.apply, (a,))


@engines
def test_gradgradcheck_with_cotangents_given(e):
    a, v = leaf(e, [1.0, 2.0]), leaf(e, [0.5, -1.0])
    assert e.autograd.gradgradcheck(lambda x: x**3, (a,), (v,))


@engines
def test_a_random_function_is_refused(e):
    a = leaf(e, [1.0, 2.0])

    class Noisy(e.autograd.Function):
        calls = 0

        @staticmethod
        def forward(ctx, x):
            return x * 2

        @staticmethod
        def backward(ctx, g):
            Noisy.calls += 1
            return g * 2 + Noisy.calls * 1e-8 * g

    with pytest.raises(RuntimeError, match="Backward is not reentrant"):
        e.autograd.gradcheck(Noisy.apply, (a,))
    assert e.autograd.gradcheck(Noisy.apply, (a,), nondet_tol=1e-5)


@engines
def test_single_precision_is_warned_of(e):
    x = e.tensor([1.0, 2.0], requires_grad=True)
    with pytest.warns(UserWarning, match="Input #0 requires gradient and is not a double precision floating point"):
        e.autograd.gradcheck(lambda x: x * 2, (x,), raise_exception=False)


@engines
def test_nothing_to_check(e):
    with pytest.raises(ValueError, match="gradcheck expects at least one input tensor to require gradient"):
        e.autograd.gradcheck(lambda x: x * 2, (e.ones(2, dtype=e.float64),))


@engines
def test_expanded_inputs_are_refused(e):
    x = e.ones(1, dtype=e.float64, requires_grad=True).expand(3)
    with pytest.raises(RuntimeError, match="has a dimension with stride 0"):
        e.autograd.gradcheck(lambda x: x * 2, (x,))


@engines
def test_inputs_that_need_no_gradient_and_that_are_no_tensors(e):
    a, b = leaf(e, [1.0, 2.0]), e.ones(2, dtype=e.float64)
    assert e.autograd.gradcheck(lambda a, b, power: (a * b) ** power, (a, b, 3))
    assert e.autograd.gradcheck(lambda a: (a * 2, a.detach().round()), (a,))


@engines
def test_an_unused_input_passes_and_a_cut_history_fails(e):
    a, b = leaf(e, [1.0, 2.0]), leaf(e, [1.0, 2.0])
    assert e.autograd.gradcheck(lambda a, b: a * 2, (a, b))
    with pytest.raises(RuntimeError):
        e.autograd.gradcheck(lambda a: a.detach() * 2, (a,))
    with pytest.raises(RuntimeError):
        e.autograd.gradcheck(lambda a, b: a * b.detach(), (a, b))


def test_no_warnings_of_numpy_come_out():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert gradcheck(lambda x: x.sqrt() / x, (leaf(minigrad, [0.5, 1.0]),))
        assert gradgradcheck(lambda x: x.log(), (leaf(minigrad, [0.5, 1.0]),))


@engines
def test_scalars_empty_tensors_and_matrices(e):
    assert e.autograd.gradcheck(lambda x: x.sin(), (leaf(e, 0.5),))
    assert e.autograd.gradcheck(lambda x: x * 2, (e.zeros(0, 3, dtype=e.float64, requires_grad=True),))
    assert e.autograd.gradcheck(lambda x: x.t(), (leaf(e, [[1.0, 2.0], [3.0, 4.0]]),))
    x = e.arange(12, dtype=e.float64).reshape(3, 4).t().detach().requires_grad_()
    assert e.autograd.gradcheck(lambda x: x * x, (x,))
