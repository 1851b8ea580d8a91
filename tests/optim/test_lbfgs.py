"""L-BFGS against torch on the Rosenbrock valley: with and without line search, and its state carried over."""

import numpy as np
import pytest
import torch

import minigrad
from minigrad import optim

# Five coordinates have a second minimum, near (-1, 1, 1, 1, 1), which is where this start leads.
START = np.array([-1.2, 1.0, 0.7, -0.3, 1.5])


def rosenbrock(p):
    """The banana valley in every neighbouring pair of coordinates, and its gradient."""
    p = p.astype(np.float64)
    a, b = p[:-1], p[1:]
    loss = np.sum(100 * (b - a**2) ** 2 + (1 - a) ** 2)
    grad = np.zeros_like(p)
    grad[:-1] += -400 * a * (b - a**2) - 2 * (1 - a)
    grad[1:] += 200 * (b - a**2)
    return loss, grad


class Run:
    """One engine's optimizer on parameters of two shapes, which hold one vector between them."""

    def __init__(self, engine, start, **options):
        from_numpy = engine.from_numpy
        self.params = [from_numpy(start[:1].copy()), from_numpy(start[1:].reshape(-1, 1).copy())]
        for p in self.params:
            p.requires_grad_()
        self.from_numpy, self.losses = from_numpy, []
        self.opt = engine.optim.LBFGS(self.params, **options)

    def vector(self):
        return np.concatenate([p.detach().numpy().reshape(-1) for p in self.params])

    def closure(self):
        loss, grad = rosenbrock(self.vector())
        dtype = self.params[0].detach().numpy().dtype
        for p, g in zip(self.params, (grad[:1], grad[1:].reshape(-1, 1)), strict=True):
            p.grad = self.from_numpy(g.astype(dtype))
        self.losses.append(loss)
        return loss


CASES = [
    {"lr": 1e-3, "max_iter": 8},
    {"lr": 1, "line_search_fn": "strong_wolfe", "max_iter": 7},
    {"lr": 0.5, "line_search_fn": "strong_wolfe", "max_iter": 30, "history_size": 3},
    {"lr": 1, "line_search_fn": "strong_wolfe", "max_iter": 10, "max_eval": 4},
    {"lr": 30, "line_search_fn": "strong_wolfe", "max_iter": 10, "max_eval": 5},
    {"lr": 1e-3, "max_iter": 5, "tolerance_change": 1e-3},
    {"lr": 1e-3, "max_iter": 20, "max_eval": 6, "history_size": 2},
]


@pytest.mark.parametrize("options", CASES, ids=str)
def test_follows_torch(options):
    """Every loss that the closure sees, at every trial point, in float64."""
    ours, theirs = Run(minigrad, START, **options), Run(torch, START, **options)
    for _ in range(4):
        first = len(theirs.losses)
        assert ours.opt.step(ours.closure) == pytest.approx(theirs.opt.step(theirs.closure), rel=1e-6)
        assert len(ours.losses) == len(theirs.losses)
        np.testing.assert_allclose(ours.losses[first:], theirs.losses[first:], rtol=1e-5, atol=1e-12)
        np.testing.assert_allclose(ours.vector(), theirs.vector(), rtol=1e-5)
        state, expected = ours.opt.state[ours.params[0]], theirs.opt.state[theirs.params[0]]
        assert set(state) == set(expected)
        assert (state["func_evals"], state["n_iter"]) == (expected["func_evals"], expected["n_iter"])
        assert len(state["old_dirs"]) == len(expected["old_dirs"])
        np.testing.assert_allclose(state["d"].numpy(), expected["d"].numpy(), rtol=1e-4, atol=1e-7)
        for key in ("old_dirs", "old_stps", "ro"):
            assert all(isinstance(value, minigrad.Tensor) for value in state[key])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_strong_wolfe_finds_rosenbrocks_minimum(dtype):
    start = np.array([-1.2, 1.0], dtype)
    run = Run(minigrad, start, line_search_fn="strong_wolfe", max_iter=200, max_eval=1000)
    run.opt.step(run.closure)
    np.testing.assert_allclose(run.vector(), [1, 1], rtol=1e-3)  # where the loss changes by less than 1e-9
    assert run.vector().dtype == dtype


def test_without_line_search_it_gets_closer():
    run = Run(minigrad, START, lr=0.05, max_iter=300, max_eval=1000)
    run.opt.step(run.closure)
    assert run.losses[-1] < 0.1 * run.losses[0]


def test_float32_follows_torch_for_a_few_steps():
    options = {"lr": 1, "line_search_fn": "strong_wolfe", "max_iter": 3}
    start = START.astype(np.float32)
    ours, theirs = Run(minigrad, start, **options), Run(torch, start, **options)
    for _ in range(2):
        ours.opt.step(ours.closure)
        theirs.opt.step(theirs.closure)
        np.testing.assert_allclose(ours.vector(), theirs.vector(), rtol=1e-3)


def test_first_loss_is_returned_as_the_closure_gave_it():
    x = minigrad.tensor([3.0], requires_grad=True)
    opt = optim.LBFGS([x], max_iter=3)
    losses = []

    def closure():
        opt.zero_grad()
        loss = (x * x).sum()
        loss.backward()
        losses.append(loss)
        return loss

    with minigrad.no_grad():
        assert opt.step(closure) is losses[0]
    assert losses[0].item() == 9.0
    assert abs(x.item()) < 1e-3


def test_state_dict_goes_to_torch_and_back():
    options = {"lr": 0.5, "line_search_fn": "strong_wolfe", "max_iter": 4}
    ours, theirs = Run(minigrad, START, **options), Run(torch, START, **options)
    ours.opt.step(ours.closure)
    theirs.opt.step(theirs.closure)

    def convert(value, from_type, make):
        if isinstance(value, from_type):
            return make(np.array(value.numpy()))
        if isinstance(value, dict):
            return {k: convert(v, from_type, make) for k, v in value.items()}
        if isinstance(value, list):
            return [convert(v, from_type, make) for v in value]
        return value

    start = theirs.vector()
    from_torch = Run(minigrad, start, **options)
    from_torch.opt.load_state_dict(convert(theirs.opt.state_dict(), torch.Tensor, minigrad.from_numpy))
    to_torch = Run(torch, ours.vector(), **options)
    to_torch.opt.load_state_dict(convert(ours.opt.state_dict(), minigrad.Tensor, torch.from_numpy))
    for run in (ours, theirs, from_torch, to_torch):
        run.opt.step(run.closure)
    for run in (ours, from_torch, to_torch):
        np.testing.assert_allclose(run.vector(), theirs.vector(), rtol=1e-6)


def test_a_parameter_without_gradient_counts_as_zero():
    x, unused = minigrad.ones(2, requires_grad=True), minigrad.ones(3, requires_grad=True)
    opt = optim.LBFGS([unused, x], lr=0.5, max_iter=2)

    def closure():
        x.grad = minigrad.from_numpy(2 * x.detach().numpy())
        return float((x.detach().numpy() ** 2).sum())

    opt.step(closure)
    assert unused.tolist() == [1, 1, 1]
    assert (x.detach().numpy() < 1).all()


def test_nothing_happens_at_a_minimum():
    x = minigrad.zeros(2, requires_grad=True)
    opt = optim.LBFGS([x])

    def closure():
        x.grad = minigrad.zeros(2)
        return 0.0

    assert opt.step(closure) == 0.0
    assert opt.state_dict()["state"] == {0: {"func_evals": 1, "n_iter": 0}}


def test_the_closure_runs_with_the_users_numpy_warnings():
    x = minigrad.ones(2, requires_grad=True)
    opt = optim.LBFGS([x], max_iter=3)

    def closure():
        assert np.geterr()["divide"] == "raise"
        x.grad = minigrad.from_numpy(2 * x.detach().numpy())
        return 1.0

    with np.errstate(all="raise"):
        opt.step(closure)


def test_errors():
    a, b = minigrad.ones(1, requires_grad=True), minigrad.ones(1, requires_grad=True)
    with pytest.raises(ValueError, match="LBFGS doesn't support per-parameter options"):
        optim.LBFGS([{"params": [a]}, {"params": [b]}])
    with pytest.raises(ValueError, match="Invalid learning rate: -1"):
        optim.LBFGS([a], lr=-1)
    with pytest.raises(RuntimeError, match="only 'strong_wolfe' is supported"):
        optim.LBFGS([a], line_search_fn="armijo").step(lambda: 0.0)
    with pytest.raises(TypeError):
        optim.LBFGS([a]).step()


def test_without_iterations_nothing_moves():
    ours, theirs = (Run(engine, START, max_iter=0) for engine in (minigrad, torch))
    for run in (ours, theirs):
        for _ in range(3):
            run.opt.step(run.closure)
        run.opt.param_groups[0]["max_iter"] = 2
    assert ours.opt.state_dict()["state"] == theirs.opt.state_dict()["state"]
    for run in (ours, theirs):
        run.opt.step(run.closure)
    np.testing.assert_allclose(ours.vector(), theirs.vector(), rtol=1e-12)
