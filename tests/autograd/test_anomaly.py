"""Anomaly mode: a nan in backward names the op and the line that called it."""

import warnings

import pytest
import torch

import minigrad

engines = pytest.mark.parametrize("e", [minigrad, torch], ids=["minigrad", "torch"])


@pytest.fixture(autouse=True)
def _off_again():
    yield
    for e in (minigrad, torch):
        assert not e.is_anomaly_enabled()


def quietly(e, *args):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return e.autograd.detect_anomaly(*args)


def bad_square_root(x):
    return (x * 0).sqrt()  # the line to be named


@engines
def test_a_nan_names_the_op_and_its_line(e):
    x = e.tensor([1.0], requires_grad=True)
    with quietly(e):
        y = bad_square_root(x) * 0
        with (
            pytest.warns(UserWarning) as caught,
            pytest.raises(RuntimeError, match=r"Function 'SqrtBackward0' returned nan values in its 0th output"),
        ):
            y.sum().backward()
    text = "\n".join(str(w.message) for w in caught)
    assert "Error detected in SqrtBackward0. Traceback of forward call that caused the error" in text
    assert "the line to be named" in text
    assert x.grad is None


@engines
def test_without_anomaly_mode_nan_is_a_number(e):
    x = e.tensor([1.0], requires_grad=True)
    (bad_square_root(x) * 0).sum().backward()
    assert x.grad.isnan().all()


@engines
def test_backward_in_anomaly_mode_of_a_graph_recorded_outside(e):
    x = e.tensor([1.0], requires_grad=True)
    y = bad_square_root(x) * 0
    with quietly(e), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with pytest.raises(RuntimeError, match="SqrtBackward0"):
            y.sum().backward()


@engines
def test_infinities_pass(e):
    x = e.tensor([0.0], requires_grad=True)
    with quietly(e):
        x.sqrt().sum().backward()
    assert x.grad.tolist() == [float("inf")]


@engines
def test_check_nan_off(e):
    x = e.tensor([1.0], requires_grad=True)
    with quietly(e, False):
        (bad_square_root(x) * 0).sum().backward()
    assert x.grad.isnan().all()


@engines
def test_a_nan_of_the_user_s_function(e):
    class Bad(e.autograd.Function):
        @staticmethod
        def forward(ctx, x, y):
            return x + y

        @staticmethod
        def backward(ctx, g):
            return g, g * float("nan")

    x, y = e.ones(1, requires_grad=True), e.ones(1, requires_grad=True)
    with (
        quietly(e),
        warnings.catch_warnings(),
        pytest.raises(RuntimeError, match="'BadBackward' returned nan values in its 1th"),
    ):
        warnings.simplefilter("ignore")
        Bad.apply(x, y).backward()


@engines
def test_the_line_of_a_user_s_function_is_named(e):
    class Bad(e.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 1

        @staticmethod
        def backward(ctx, g):
            return g * float("nan")

    with quietly(e):
        y = Bad.apply(e.ones(1, requires_grad=True))  # my own call
        with pytest.warns(UserWarning) as caught, pytest.raises(RuntimeError):
            y.backward()
    assert "my own call" in "\n".join(str(w.message) for w in caught)


@engines
def test_switches(e):
    with pytest.warns(UserWarning, match="Anomaly Detection has been enabled"):
        mode = e.autograd.detect_anomaly()
    assert not e.is_anomaly_enabled()
    with mode:
        assert e.is_anomaly_enabled()
    with e.autograd.set_detect_anomaly(True):
        assert e.is_anomaly_enabled()
        with e.autograd.set_detect_anomaly(False):
            assert not e.is_anomaly_enabled()
        assert e.is_anomaly_enabled()
    assert not e.is_anomaly_enabled()
    e.autograd.set_detect_anomaly(True)
    assert e.is_anomaly_enabled()
    e.autograd.set_detect_anomaly(False)
    with pytest.raises(KeyError), e.autograd.set_detect_anomaly(True):
        raise KeyError


def test_switched_off_it_leaves_no_instrument_behind():
    """The functions that record are the plain ones again, also for ops first used while it was on."""
    x = minigrad.ones(2, requires_grad=True)
    with quietly(minigrad):
        inside = x.atan()
        assert inside.grad_fn.trace is not None
    outside = x.atan()
    assert outside.grad_fn.trace is None


@engines
def test_double_backward_in_anomaly_mode(e):
    x = e.tensor([4.0], requires_grad=True)
    with quietly(e):
        (g,) = e.autograd.grad(x.sqrt().sum(), x, create_graph=True)
        (h,) = e.autograd.grad(g.sum(), x)
    assert h.item() == -0.03125
