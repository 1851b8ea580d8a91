"""Half precision: where torch's kernels compute in single precision and round once, minigrad does, bit for bit.

An op that rounds at every step of its formula gets the last bit of every other element wrong, or of every fourth. Some
elements lie so near the middle of two numbers that the last bit of an exponential in single precision decides: hence a
share of equal elements, and not all.
"""

import numpy as np
import pytest
import torch

import minigrad

ROUNDED_ONCE = {  # value and gradients
    "celu": lambda e, x, y, z: e.nn.functional.celu(x, 0.7),
    "deg2rad": lambda e, x, y, z: e.deg2rad(x),
    "elu": lambda e, x, y, z: e.nn.functional.elu(x, 0.7),
    "gelu tanh": lambda e, x, y, z: e.nn.functional.gelu(x, approximate="tanh"),
    "hardsigmoid": lambda e, x, y, z: e.nn.functional.hardsigmoid(x),
    "hardswish": lambda e, x, y, z: e.nn.functional.hardswish(x),
    "leaky_relu": lambda e, x, y, z: e.nn.functional.leaky_relu(x, 0.3),
    "lerp": lambda e, x, y, z: e.lerp(x, y, 0.3),
    "mish": lambda e, x, y, z: e.nn.functional.mish(x),
    "rad2deg": lambda e, x, y, z: e.rad2deg(x),
    "selu": lambda e, x, y, z: e.nn.functional.selu(x),
    "silu": lambda e, x, y, z: e.nn.functional.silu(x),
    "sinc": lambda e, x, y, z: e.sinc(x),
    "softmax": lambda e, x, y, z: e.softmax(x, -1),
    "softplus": lambda e, x, y, z: e.nn.functional.softplus(x, 1.3),
    "tanh": lambda e, x, y, z: e.tanh(x),
    # Here the gradient is rounded at every step, but no number in its formula is.
    "addcdiv": lambda e, x, y, z: e.addcdiv(x, y, z, value=0.3),
    "addcmul": lambda e, x, y, z: e.addcmul(x, y, z, value=0.3),
    "addmm": lambda e, x, y, z: e.addmm(x, y, z[:40].detach(), beta=0.3, alpha=0.7),
    "erf": lambda e, x, y, z: e.erf(x),
    "exp2": lambda e, x, y, z: e.exp2(x),
    "linear": lambda e, x, y, z: e.nn.functional.linear(x, y, z[:, 0]),
    "log10": lambda e, x, y, z: e.log10(x.abs()),
    "log2": lambda e, x, y, z: e.log2(x.abs()),
    "power": lambda e, x, y, z: x**3,
    "power of a number": lambda e, x, y, z: x.abs() ** 1.3,
    "sigmoid": lambda e, x, y, z: e.sigmoid(x),
    "var": lambda e, x, y, z: e.var(x, 1),
}


@pytest.mark.parametrize("name", ROUNDED_ONCE)
def test_what_torch_rounds_once_is_rounded_once(name):
    rng = np.random.default_rng(0)
    arrays = [(2 * rng.standard_normal((50, 40))).astype(np.float16) for _ in "xyz"]
    results = []
    for e in (minigrad, torch):
        tensors = [e.tensor(a, requires_grad=True) for a in arrays]
        out = ROUNDED_ONCE[name](e, *tensors)
        seed = np.random.default_rng(1).standard_normal(out.shape).astype(np.float16)
        grads = e.autograd.grad(out, tensors, e.from_numpy(seed), allow_unused=True)
        results.append([out.detach().numpy()] + [g.numpy() for g in grads if g is not None])
    for ours, theirs in zip(*results, strict=True):
        assert ours.dtype == theirs.dtype == np.float16
        assert np.mean((ours == theirs) | ((ours != ours) & (theirs != theirs))) > 0.98


def test_a_derivative_of_half_precision_can_be_differentiated():
    """What is computed in single is recorded so, too."""
    second = []
    for e in (minigrad, torch):
        x = e.tensor([0.5, -1.0, 2.0], dtype=e.float16, requires_grad=True)
        (first,) = e.autograd.grad(e.nn.functional.silu(x).sum(), x, create_graph=True)
        second += e.autograd.grad(first.sum(), x)
        assert first.dtype is second[-1].dtype is e.float16
    np.testing.assert_allclose(*(g.numpy() for g in second), rtol=2**-9)


@pytest.mark.parametrize("name", ["rsqrt", "sigmoid", "tanh"])
def test_an_expanded_tensor_comes_out_in_order(name):
    for e in (minigrad, torch):
        x = e.ones(3, dtype=e.float16).expand(2, 3)
        assert getattr(x, name)().stride() == (x**3).stride() == (x**0.5).stride() == (3, 1)


@pytest.mark.parametrize("mode", ["floor", "trunc"])
def test_a_quotient_rounded_down_by_a_number_saves_nothing(mode):
    for e in (minigrad, torch):
        x = e.tensor([7.0, -7.0], dtype=e.float16, requires_grad=True)
        y = x * 1
        z = y.div(3, rounding_mode=mode)
        y.mul_(2)
        z.sum().backward()
        assert x.grad.tolist() == [0, 0]
