"""minigrad.linalg beyond the rows of compare: a fit in closed form, what is singular, and bad arguments."""

import math

import numpy as np
import pytest
import torch

import minigrad

rng = np.random.default_rng(0)


@pytest.mark.parametrize("way", ["solve", "inverse", "cholesky"])
def test_a_line_is_fitted_in_closed_form(way):
    """The normal equations of y = 2x + 1, and how the fit depends on the data."""
    results = []
    for e in (minigrad, torch):
        x = e.tensor([[1.0, 0.0], [1.0, 1.0], [1.0, 2.0], [1.0, 4.0]], dtype=e.float64)
        y = e.tensor([1.0, 3.0, 5.0, 9.0], dtype=e.float64, requires_grad=True)
        a, b = x.T @ x, x.T @ y
        if way == "solve":
            w = e.linalg.solve(a, b)
        elif way == "inverse":
            w = a.inverse() @ b
        else:
            factor = e.linalg.cholesky(a)
            w = e.linalg.solve(factor.mT, e.linalg.solve(factor, b))
        w[1].backward()
        results.append((w.detach().numpy(), y.grad.numpy()))
    np.testing.assert_allclose(results[0][0], [1, 2], rtol=1e-14)
    for ours, theirs in zip(*results):
        np.testing.assert_allclose(ours, theirs, rtol=1e-14, atol=1e-15)


@pytest.mark.parametrize("function", ["inv", "cholesky", "solve", "solve from the right"])
@pytest.mark.parametrize("shape", [(3, 3), (2, 3, 3)])
def test_derivatives_by_differences(function, shape):
    x = minigrad.tensor(rng.standard_normal(shape) / 4 + np.eye(3), requires_grad=True)
    b = minigrad.tensor(rng.standard_normal(shape), requires_grad=True)
    run, inputs = {
        "inv": (minigrad.linalg.inv, (x,)),
        "cholesky": (lambda x: minigrad.linalg.cholesky(x @ x.mT), (x,)),
        "solve": (minigrad.linalg.solve, (x, b)),
        "solve from the right": (lambda x, b: minigrad.linalg.solve(x, b, left=False), (x, b)),
    }[function]
    assert minigrad.autograd.gradcheck(run, inputs) and minigrad.autograd.gradgradcheck(run, inputs)


ERRORS = {
    "inverse of a singular matrix": lambda e: e.linalg.inv(
        e.tensor([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0], [2.0, 4.0, 6.0]])
    ),
    "the second of a batch is singular": lambda e: e.linalg.inv(e.stack([e.eye(2), e.ones(2, 2)])),
    "inverse of a list": lambda e: e.linalg.inv([[1.0]]),
    "system of a singular matrix": lambda e: e.linalg.solve(e.stack([e.eye(2), e.ones(2, 2)]), e.ones(2, 2, 1)),
    "system of another length": lambda e: e.linalg.solve(e.eye(2), e.ones(3, 1)),
    "right system of another length": lambda e: e.linalg.solve(e.eye(2), e.ones(2, 3), left=False),
    "factor of an indefinite matrix": lambda e: e.linalg.cholesky(e.tensor([[1.0, 2.0], [2.0, 1.0]])),
    "the second of a batch is indefinite": lambda e: e.linalg.cholesky(e.stack([e.eye(2), -e.eye(2)])),
    "norm of a cube": lambda e: e.linalg.norm(e.ones(2, 2, 2), 1),
    "norm of integers": lambda e: e.linalg.matrix_norm(e.ones(2, 2, dtype=e.int64)),
    "power of what has no inverse": lambda e: e.linalg.matrix_power(e.ones(2, 2), -1),
}


@pytest.mark.parametrize("name", ERRORS)
def test_errors_are_torch_s(name):
    with pytest.raises((RuntimeError, TypeError)) as theirs:
        ERRORS[name](torch)
    with pytest.raises((RuntimeError, TypeError)) as ours:
        ERRORS[name](minigrad)
    assert ours.type.__name__ == theirs.type.__name__
    assert str(ours.value).startswith(str(theirs.value)[:60])
    if "LinAlg" in theirs.type.__name__:
        assert issubclass(ours.type, minigrad.linalg.LinAlgError) and issubclass(ours.type, RuntimeError)


@pytest.mark.parametrize("order", [None, "fro", 1, -1, math.inf, -math.inf])
@pytest.mark.parametrize("dim", [None, (0, 1), (1, 0), (-1, -2)])
def test_norms(order, dim):
    array = rng.standard_normal((3, 4))
    ours = minigrad.linalg.norm(minigrad.tensor(array), order, dim).numpy()
    np.testing.assert_allclose(ours, torch.linalg.norm(torch.tensor(array), order, dim).numpy(), rtol=1e-14)


def test_a_norm_by_singular_values_is_refused_with_the_reason():
    with pytest.raises(NotImplementedError, match="singular values"):
        minigrad.linalg.norm(minigrad.ones(2, 2), 2)
