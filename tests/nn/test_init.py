"""Initialisers against torch's: the same seed gives the same weights."""

# Every lambda here is called before the loop that it stands in goes on.
# ruff: noqa: B023

import warnings

import numpy as np
import pytest

import minigrad
from minigrad.nn import init

CASES = {
    "uniform_": [(), (-2.0, 3.0)],
    "normal_": [(), (1.0, 2.0)],
    "constant_": [(0.3,)],
    "ones_": [()],
    "zeros_": [()],
    "xavier_uniform_": [(), (2.0,)],
    "xavier_normal_": [(), (0.5,)],
    "kaiming_uniform_": [(), (0.3, "fan_out"), (0, "fan_in", "relu"), (0, "FAN_OUT", "tanh")],
    "kaiming_normal_": [(), (0.3, "fan_out"), (0, "fan_in", "selu")],
    "trunc_normal_": [(), (0.0, 1.0, -0.1, 0.1), (0.5, 2.0, -1.0, 1.5), (0.0, 1.0, 1.0, 1.2)],
}


def filled(engine, name, arguments, shape, dtype, seed=5):
    engine.manual_seed(seed)
    tensor = engine.empty(*shape, dtype=getattr(engine, dtype))
    result = getattr(engine.nn.init, name)(tensor, *arguments)
    assert result is tensor
    return tensor.numpy(), engine.rand(1).item()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("shape", [(3, 4), (7, 9), (2, 3, 2, 2)])
@pytest.mark.parametrize("name", CASES)
def test_same_numbers(name, shape, dtype, both):
    for arguments in CASES[name]:
        (ours, next_ours), (theirs, next_theirs) = both(lambda e: filled(e, name, arguments, shape, dtype))
        # normal draws in float32 are within 2 ulps of torch's, whose log and cos are vectorised
        np.testing.assert_allclose(ours, theirs, rtol=1e-6 if dtype == "float32" else 1e-14, atol=1e-7)
        assert next_ours == next_theirs, "the generator is left in another state"


@pytest.mark.parametrize("name, arguments, shape", [
    ("eye_", (), (3, 4)), ("dirac_", (), (4, 3, 3)), ("dirac_", (2,), (4, 2, 3, 4)), ("dirac_", (), (2, 2, 3, 3, 3)),
])  # fmt: skip
def test_fixed_patterns(name, arguments, shape, both):
    (ours, _), (theirs, _) = both(lambda e: filled(e, name, arguments, shape, "float32"))
    np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize("shape", [(3, 3), (4, 3), (3, 5), (4, 2, 3)])
def test_orthogonal(shape, both):
    (ours, _), (theirs, _) = both(lambda e: filled(e, "orthogonal_", (1.5,), shape, "float64"))
    np.testing.assert_allclose(ours, theirs, rtol=1e-12, atol=1e-13)
    (ours, _), (theirs, _) = both(lambda e: filled(e, "orthogonal_", (), shape, "float32"))
    np.testing.assert_allclose(ours, theirs, atol=2e-6)


def test_sparse(both):
    (ours, _), (theirs, _) = both(lambda e: filled(e, "sparse_", (0.4,), (5, 3), "float64"))
    np.testing.assert_allclose(ours, theirs, rtol=1e-13)


def test_generator_is_used_and_the_default_one_left_alone():
    minigrad.manual_seed(0)
    before = minigrad.rand(2).tolist()
    minigrad.manual_seed(0)
    generator = minigrad.Generator().manual_seed(9)
    first = init.normal_(minigrad.empty(4), generator=generator).tolist()
    assert minigrad.rand(2).tolist() == before
    assert init.normal_(minigrad.empty(4), generator=minigrad.Generator().manual_seed(9)).tolist() == first


@pytest.mark.parametrize("name", ["linear", "conv2d", "sigmoid", "tanh", "relu", "leaky_relu", "selu"])
@pytest.mark.parametrize("parameter", [None, 0.2, 3])
def test_gain(name, parameter, both):
    ours, theirs = both(lambda e: e.nn.init.calculate_gain(name, parameter))
    assert ours == theirs


def test_leaves_are_written_without_record():
    weight = minigrad.nn.Parameter(minigrad.empty(3, 3))
    init.xavier_uniform_(weight)
    assert weight.is_leaf and weight.requires_grad and weight.grad_fn is None
    init.eye_(weight)
    init.orthogonal_(weight)
    init.trunc_normal_(weight)
    assert weight.is_leaf


def test_errors(same_error):
    for name in ("xavier_uniform_", "xavier_normal_", "kaiming_uniform_", "kaiming_normal_"):
        same_error(lambda e: getattr(e.nn.init, name)(e.empty(3)))
    same_error(lambda e: e.nn.init.kaiming_uniform_(e.empty(3, 3), mode="fan"))
    same_error(lambda e: e.nn.init.kaiming_uniform_(e.empty(3, 3), nonlinearity="swish"))
    same_error(lambda e: e.nn.init.calculate_gain("leaky_relu", True))
    for name in ("eye_", "dirac_"):
        same_error(lambda e: getattr(e.nn.init, name)(e.empty(3)))
    same_error(lambda e: e.nn.init.orthogonal_(e.empty(3)))
    same_error(lambda e: e.nn.init.orthogonal_(e.empty(3, 3).half()))
    same_error(lambda e: e.nn.init.sparse_(e.empty(3), 0.1))
    same_error(lambda e: e.nn.init.dirac_(e.empty(3, 3, 3), groups=2))


def test_warnings(same_warning):
    same_warning(lambda e: e.nn.init.kaiming_uniform_(e.empty(0, 3)))
    same_warning(lambda e: e.nn.init.trunc_normal_(e.empty(3), mean=9.0))
    same_warning(lambda e: e.nn.init.xavier_uniform(e.empty(3, 3)))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        weight = minigrad.empty(0, 3)
        assert init.kaiming_normal_(weight) is weight
