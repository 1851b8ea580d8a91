"""differentiable=True: the same step as without, and derivatives through it that are torch's."""

import numpy as np
import pytest
import torch

import minigrad
from minigrad import optim

CASES = [
    ("SGD", {"lr": 0.1, "weight_decay": 0.1}),
    ("SGD", {"lr": 0.1, "momentum": 0.9, "dampening": 0.2, "weight_decay": 0.1}),
    ("SGD", {"lr": 0.1, "momentum": 0.9, "nesterov": True, "maximize": True}),
    ("Adam", {"lr": 0.1, "weight_decay": 0.1, "eps": 1e-3}),
    ("Adam", {"lr": 0.1, "amsgrad": True, "maximize": True, "eps": 1e-3}),
    ("AdamW", {"lr": 0.1, "weight_decay": 0.3, "eps": 1e-3}),
    ("RMSprop", {"lr": 0.1, "momentum": 0.9, "weight_decay": 0.1}),
    ("RMSprop", {"lr": 0.1, "centered": True, "alpha": 0.5, "maximize": True}),
    ("Adagrad", {"lr": 0.1, "lr_decay": 0.1, "weight_decay": 0.1, "initial_accumulator_value": 0.3}),
    ("Adadelta", {"lr": 0.7, "weight_decay": 0.1, "eps": 1e-3}),
    ("Adamax", {"lr": 0.1, "weight_decay": 0.1}),
    ("NAdam", {"lr": 0.1, "weight_decay": 0.1}),
    ("NAdam", {"lr": 0.1, "weight_decay": 0.1, "decoupled_weight_decay": True, "maximize": True}),
    ("RAdam", {"lr": 0.1, "betas": (0.8, 0.9), "weight_decay": 0.1}),
    ("RAdam", {"lr": 0.1, "weight_decay": 0.1, "decoupled_weight_decay": True}),
    ("ASGD", {"lr": 0.1, "t0": 1, "weight_decay": 0.1}),
    ("Rprop", {"lr": 0.1}),
]
IDS = [f"{name}-{'-'.join(options)}" for name, options in CASES]
START = np.array([0.5, -1.5, 2.0])
GRADS = np.array(
    [[0.3, -0.2, 1.0], [0.4, 0.5, -2.0], [-0.1, 0.6, 0.7], [1.3, 0.2, -0.4], [0.2, 0.9, 0.5], [1.0, 1.0, 1.0]]
)


@pytest.fixture(autouse=True)
def double():
    """torch computes bias corrections from its step tensors here, and these have the default dtype."""
    for library in (minigrad, torch):
        library.set_default_dtype(library.float64)
    yield
    for library in (minigrad, torch):
        library.set_default_dtype(library.float32)


def run(library, name, options, steps=6, differentiable=True):
    """d (sum of weighted final parameters) / d (first parameters, gradients), and the final parameters."""
    start = library.from_numpy(START.copy()).requires_grad_()
    grads = [library.from_numpy(g.copy()).requires_grad_() for g in GRADS[:steps]]
    p = start.clone()
    if not differentiable:
        p = p.detach().requires_grad_()
    opt = getattr(library.optim, name)([p], differentiable=differentiable, **options)
    for g in grads:
        p.grad = g.clone() if differentiable else g.detach().clone()
        opt.step()
    if differentiable:
        (p * library.from_numpy(np.array([1.0, 2.0, -0.5]))).sum().backward()
    return p.detach().numpy(), [None if x.grad is None else x.grad.numpy() for x in (start, *grads)], opt.state[p]


# After a second step torch cannot differentiate through these: it has overwritten a state that the first one saved.
def torch_can_only_once(name, options):
    return name in ("Adamax", "Rprop") or options.get("centered") or options.get("amsgrad")


@pytest.mark.parametrize(("name", "options"), CASES, ids=IDS)
def test_derivatives_are_torchs(name, options):
    steps = 1 if torch_can_only_once(name, options) else len(GRADS)
    final, derivatives, state = run(minigrad, name, options, steps)
    expected_final, expected, expected_state = run(torch, name, options, steps)
    np.testing.assert_allclose(final, expected_final, rtol=1e-6)
    for ours, theirs in zip(derivatives, expected, strict=True):
        if theirs is None or not theirs.any():
            assert ours is None or not ours.any()
        else:
            np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-9)
    for key in expected_state:
        np.testing.assert_allclose(
            state[key].detach().numpy(), expected_state[key].detach().numpy(), rtol=1e-6, atol=1e-12
        )


@pytest.mark.parametrize(("name", "options"), CASES, ids=IDS)
def test_the_step_is_the_same(name, options):
    recorded, _, _ = run(minigrad, name, options)
    plain, _, _ = run(minigrad, name, options, differentiable=False)
    np.testing.assert_allclose(recorded, plain, rtol=1e-7)


@pytest.mark.parametrize(("name", "options"), CASES, ids=IDS)
def test_derivatives_through_three_steps_are_central_differences(name, options, monkeypatch):
    """Along a random direction in the first parameters and all gradients at once."""
    if "momentum" in options and name == "SGD":
        pytest.skip("as in torch, the momentum buffer starts as the first gradient's value, without its history")
    _, derivatives, _ = run(minigrad, name, options, steps=3)
    rng = np.random.default_rng(0)
    directions = [rng.standard_normal(3) for _ in derivatives]
    analytic = sum((d * v).sum() for d, v in zip(derivatives, directions, strict=True) if d is not None)
    ends = []
    for h in (1e-6, -1e-6):
        with monkeypatch.context() as patch:
            patch.setitem(globals(), "START", START + h * directions[0])
            patch.setitem(globals(), "GRADS", GRADS[:3] + h * np.array(directions[1:]))
            final, _, _ = run(minigrad, name, options, steps=3)
            ends.append((final * [1.0, 2.0, -0.5]).sum())
    assert analytic == pytest.approx((ends[0] - ends[1]) / 2e-6, rel=1e-5)


@pytest.mark.parametrize("name", ["SGD", "Adam", "AdamW", "Adagrad", "Adamax", "NAdam"])
def test_learning_rate_learns(name):
    """d (final parameter) / d lr, against a central difference."""

    def final(lr):
        p = minigrad.from_numpy(START.copy()).requires_grad_().clone()
        opt = getattr(optim, name)([p], lr=lr, differentiable=True)
        for g in GRADS[:3]:
            p.grad = minigrad.from_numpy(g.copy())
            opt.step()
        return p.sum()

    lr = minigrad.tensor(0.1, dtype=minigrad.float64, requires_grad=True)
    final(lr).backward()
    numeric = (final(0.1 + 1e-6).item() - final(0.1 - 1e-6).item()) / 2e-6
    assert lr.grad.item() == pytest.approx(numeric, rel=1e-6)


def test_a_leaf_that_requires_grad_is_refused_as_by_torch():
    for library in (minigrad, torch):
        p = library.ones(2, requires_grad=True)
        opt = library.optim.SGD([p], differentiable=True)
        p.grad = library.ones(2)
        with pytest.raises(RuntimeError, match="a leaf Variable that requires grad is being used in an in-place"):
            opt.step()
