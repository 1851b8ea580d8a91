"""Clipping of gradients, and parameters as a vector, against torch's."""

import numpy as np
import pytest

import minigrad
from minigrad.nn import utils

random = np.random.default_rng(3)
GRADIENTS = [random.standard_normal((3, 2)).astype(np.float32), random.standard_normal(4).astype(np.float32), None]


def parameters(engine, gradients=GRADIENTS):
    made = []
    for gradient in gradients:
        shape = (2,) if gradient is None else gradient.shape
        made.append(engine.nn.Parameter(engine.zeros(*shape)))
        made[-1].grad = None if gradient is None else engine.tensor(gradient)
    return made


@pytest.mark.parametrize("norm_type", [2.0, 1.0, 3.0, 0.0, float("inf"), float("-inf"), "inf"])
@pytest.mark.parametrize("max_norm", [0.5, 100.0])
def test_clip_grad_norm(norm_type, max_norm, both):
    def run(e):
        given = parameters(e)
        total = e.nn.utils.clip_grad_norm_(given, max_norm, norm_type)
        return total.numpy(), *[p.grad.numpy() for p in given if p.grad is not None]

    for ours, theirs in zip(*both(run), strict=True):
        assert ours.dtype == theirs.dtype and ours.shape == theirs.shape
        np.testing.assert_allclose(ours, theirs, rtol=1e-6)


@pytest.mark.parametrize("norm_type", [2.0, 1.0, 3.0, 0.5, 0.0, float("inf")])
@pytest.mark.parametrize("value", [300.0, 0.1])
def test_clip_grad_norm_of_half_precision_accumulates_in_single(norm_type, value, both):
    def run(e):
        parameter = e.nn.Parameter(e.ones(300).half())
        parameter.grad = e.full((300,), value).half()
        return e.nn.utils.clip_grad_norm_(parameter, 1.0, norm_type).numpy(), parameter.grad.numpy()

    for ours, theirs in zip(*both(run), strict=True):
        assert ours.dtype == theirs.dtype == np.float16
        np.testing.assert_allclose(ours, theirs, rtol=2e-3)


@pytest.mark.parametrize("name", ["clip_grad_norm_", "clip_grad_value_"])
def test_expanded_gradients_are_refused(name, same_error):
    def run(e):
        parameter = e.nn.Parameter(e.ones(3))
        parameter.grad = e.ones(1).expand(3)
        getattr(e.nn.utils, name)(parameter, 0.1)

    same_error(run)


def test_clip_takes_one_tensor_an_iterator_and_nothing(both, same_warning):
    def run(e):
        one = parameters(e)[0]
        return e.nn.utils.clip_grad_norm_(one, 1.0).item(), e.nn.utils.clip_grad_norm_(iter(parameters(e)), 1.0).item()

    ours, theirs = both(run)
    np.testing.assert_allclose(ours, theirs, rtol=1e-6)
    ours, theirs = both(lambda e: repr(e.nn.utils.clip_grad_norm_([], 1.0)))
    assert ours == theirs == "tensor(0.)"
    same_warning(lambda e: e.nn.utils.clip_grad_norm_((p for p in []), 1.0))


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_nonfinite_norm(value, both, same_error):
    gradients = [np.array([1.0, value], np.float32)]
    same_error(lambda e: e.nn.utils.clip_grad_norm_(parameters(e, gradients), 1.0, error_if_nonfinite=True))
    given = parameters(minigrad, gradients)
    with pytest.raises(RuntimeError):
        utils.clip_grad_norm_(given, 1.0, error_if_nonfinite=True)
    np.testing.assert_array_equal(given[0].grad.numpy(), gradients[0])

    def run(e):
        given = parameters(e, gradients)
        return e.nn.utils.clip_grad_norm_(given, 1.0).numpy(), given[0].grad.numpy()

    for ours, theirs in zip(*both(run), strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_clip_grad_value(both):
    def run(e):
        given = parameters(e)
        assert e.nn.utils.clip_grad_value_(given, 0.4) is None
        return [p.grad.numpy() for p in given if p.grad is not None]

    for ours, theirs in zip(*both(run), strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_gradients_are_changed_in_place_and_say_so():
    given = parameters(minigrad)
    gradient = given[0].grad
    version = gradient._version
    utils.clip_grad_norm_(given, 0.1)
    assert given[0].grad is gradient and gradient._version > version


def test_get_total_norm_of_mixed_dtypes(both):
    def run(e):
        return e.nn.utils.get_total_norm([e.ones(3), e.ones(2) * 2]).item(), e.nn.utils.get_total_norm(e.ones(4)).item()

    ours, theirs = both(run)
    np.testing.assert_allclose(ours, theirs)


def test_vector_round_trip(both):
    def run(e):
        given = [e.nn.Parameter(e.tensor([[1.0, 2.0], [3.0, 4.0]])), e.nn.Parameter(e.tensor([5.0]))]
        vector = e.nn.utils.parameters_to_vector(given)
        gradient = e.autograd.grad((vector * vector).sum(), given)
        e.nn.utils.vector_to_parameters(vector.detach() * 10, given)
        return vector.tolist(), [p.tolist() for p in given], [g.tolist() for g in gradient]

    ours, theirs = both(run)
    assert ours == theirs
    with pytest.raises(TypeError, match="expected torch.Tensor, but got: list"):
        utils.vector_to_parameters([1.0], [])
