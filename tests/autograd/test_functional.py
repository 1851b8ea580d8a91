"""jacobian, hessian and products with them, against torch's."""

import numpy as np
import pytest
import torch

import minigrad

engines = pytest.mark.parametrize("e", [minigrad, torch], ids=["minigrad", "torch"])

VECTOR = {
    "square": lambda x: x * x,
    "matrix": lambda x: x.reshape(2, 2) @ x.reshape(2, 2),
    "scalar": lambda x: (x.sin() * x).sum(),
    "one element": lambda x: (x.sin() * x).sum().reshape(1),
    "constant": lambda x: x.detach() * 2,
    "two outputs": lambda x: (x.exp(), x.sum()),
    "tuple of one": lambda x: (x.exp(),),
    "mixed": lambda x: (x * 2, x.detach()),
}
SCALAR = {
    "cubes": lambda x: (x**3).sum(),
    "product": lambda x: x.prod(),
    "linear": lambda x: x.sum(),
    "one element": lambda x: (x.sin() * x).sum().reshape(1),
    "coupled": lambda x: x[0] * x[1] * x[2].exp() + x[3] ** 2,
}


def values(result):
    if isinstance(result, tuple):
        return tuple(values(r) for r in result)
    return np.asarray(result.tolist()), tuple(result.shape), str(result.dtype), result.requires_grad


def assert_same(run):
    ours, theirs = values(run(minigrad)), values(run(torch))

    def compare(a, b):
        assert type(a) is type(b)
        if isinstance(a, tuple) and a and isinstance(a[0], tuple) or a == ():
            assert len(a) == len(b)
            for pair in zip(a, b):
                compare(*pair)
        else:
            np.testing.assert_allclose(a[0], b[0], rtol=1e-12, atol=1e-12)
            assert a[1:] == b[1:]

    compare(ours, theirs)


def start(e):
    return e.tensor([0.5, -1.0, 2.0, 1.5], dtype=e.float64)


@pytest.mark.parametrize("create_graph", [False, True])
@pytest.mark.parametrize("name", VECTOR)
def test_jacobian(name, create_graph):
    assert_same(
        lambda e: e.autograd.functional.jacobian(VECTOR[name], start(e).requires_grad_(), create_graph=create_graph)
    )


@pytest.mark.parametrize("create_graph", [False, True])
@pytest.mark.parametrize("name", SCALAR)
def test_hessian(name, create_graph):
    assert_same(
        lambda e: e.autograd.functional.hessian(SCALAR[name], start(e).requires_grad_(), create_graph=create_graph)
    )


def test_several_inputs():
    def run(what):
        def on(e):
            a, b = start(e), e.tensor(3.0, dtype=e.float64)
            f = e.autograd.functional
            if what == "jacobian":
                return f.jacobian(lambda a, b: (a * b, b.exp()), (a, b))
            if what == "hessian":
                return f.hessian(lambda a, b: (a * a).sum() * b * b, (a, b))
            if what == "vjp":
                return f.vjp(lambda a, b: (a * b, b.exp()), (a, b), (a, b))
            if what == "jvp":
                return f.jvp(lambda a, b: (a * b, b.exp()), (a, b), (a, b))
            return getattr(f, what)(lambda a, b: (a * a).sum() * b * b, (a, b), (a, b))

        return on

    for what in ("jacobian", "hessian", "vjp", "jvp", "hvp", "vhp"):
        assert_same(run(what))


@pytest.mark.parametrize("create_graph", [False, True])
@pytest.mark.parametrize("name", ["square", "matrix", "two outputs", "tuple of one"])
def test_vjp_and_jvp(name, create_graph):
    def vjp(e):
        x = start(e).requires_grad_()
        out = VECTOR[name](x)
        v = tuple(t.detach() + 1 for t in out) if isinstance(out, tuple) else out.detach() + 1
        return e.autograd.functional.vjp(VECTOR[name], x, v, create_graph=create_graph)

    def jvp(e):
        x = start(e).requires_grad_()
        return e.autograd.functional.jvp(VECTOR[name], x, x.detach() + 1, create_graph=create_graph)

    assert_same(vjp)
    assert_same(jvp)


@pytest.mark.parametrize("create_graph", [False, True])
@pytest.mark.parametrize("name", SCALAR)
@pytest.mark.parametrize("what", ["hvp", "vhp"])
def test_hvp_and_vhp(what, name, create_graph):
    def run(e):
        x = start(e).requires_grad_()
        return getattr(e.autograd.functional, what)(SCALAR[name], x, x.detach() + 1, create_graph=create_graph)

    assert_same(run)


def test_the_vector_may_be_left_out_for_a_scalar():
    assert_same(lambda e: e.autograd.functional.vjp(SCALAR["cubes"], start(e)))
    assert_same(lambda e: e.autograd.functional.hvp(lambda x: x**3, e.tensor(2.0)))


@engines
def test_bad_arguments(e):
    f = e.autograd.functional
    x = start(e)
    with pytest.raises(
        RuntimeError, match="The vector v can only be None if the user-provided function returns a single Tensor"
    ):
        f.vjp(lambda x: x * 2, x)
    with pytest.raises(RuntimeError, match="The vector v can only be None if the input to the user-provided function"):
        f.jvp(lambda x: x * 2, x)
    with pytest.raises(RuntimeError, match="single element"):
        f.hessian(lambda x: x * 2, x)
    with pytest.raises(TypeError, match="inputs"):
        f.jacobian(lambda x: x * 2, [1.0])
    with pytest.raises(TypeError, match="outputs of the user-provided function"):
        f.jacobian(lambda x: 3.0, x)
    with pytest.raises(RuntimeError, match="v"):
        f.vjp(lambda x: x * 2, x, e.ones(3, dtype=e.float64))
    with pytest.raises(RuntimeError, match="strict"):
        f.jacobian(lambda x: x.detach(), x, strict=True)


@engines
def test_a_jacobian_with_create_graph_is_differentiable_with_respect_to_the_input(e):
    x = start(e).requires_grad_()
    jacobian = e.autograd.functional.jacobian(lambda x: x**3, x, create_graph=True)
    (g,) = e.autograd.grad(jacobian.sum(), x)
    assert g.tolist() == (6 * x).tolist()


@engines
def test_the_input_is_left_as_it_was(e):
    x = start(e)
    e.autograd.functional.hessian(lambda x: (x**3).sum(), x)
    assert not x.requires_grad and x.grad is None and x._version == 0
    x.requires_grad_()
    e.autograd.functional.jacobian(lambda x: x**3, x)
    assert x.grad is None


@engines
def test_they_work_under_no_grad(e):
    with e.no_grad():
        assert e.autograd.functional.jacobian(lambda x: x * 2, e.ones(2)).tolist() == [[2.0, 0.0], [0.0, 2.0]]
