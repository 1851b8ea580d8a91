"""Grad mode: every way of switching it, and that it always comes back."""

import threading

import numpy as np
import pytest
import torch

import minigrad

ENGINES = [minigrad, torch]
engines = pytest.mark.parametrize("e", ENGINES, ids=["minigrad", "torch"])


@pytest.fixture(autouse=True)
def _recording_is_on():
    for e in ENGINES:
        e.set_grad_enabled(True)
    yield
    for e in ENGINES:
        assert e.is_grad_enabled() and not e.is_inference_mode_enabled()


# Every test runs on both engines: torch's run shows that the expectation is torch's.


@engines
def test_context_managers_nest_and_restore(e):
    x = e.ones(1, requires_grad=True)
    with e.no_grad():
        assert not e.is_grad_enabled() and not (x * 2).requires_grad
        with e.enable_grad():
            assert (x * 2).requires_grad
            with e.set_grad_enabled(False):
                assert not (x * 2).requires_grad
            assert e.is_grad_enabled()
        assert not e.is_grad_enabled()
    assert (x * 2).requires_grad


@engines
@pytest.mark.parametrize("name", ["no_grad", "enable_grad", "inference_mode"])
def test_exceptions_restore(e, name):
    for outer in (True, False):
        with e.set_grad_enabled(outer):
            with pytest.raises(KeyError), getattr(e, name)():
                raise KeyError
            assert e.is_grad_enabled() is outer and not e.is_inference_mode_enabled()


@engines
@pytest.mark.parametrize("name", ["no_grad", "enable_grad", "inference_mode"])
@pytest.mark.parametrize("parentheses", [True, False])
def test_decorators_with_and_without_parentheses(e, name, parentheses):
    switch = getattr(e, name)

    def seen(value, *, key=1):
        """the docstring"""
        return e.is_grad_enabled(), e.is_inference_mode_enabled(), value, key

    decorated = switch()(seen) if parentheses else switch(seen)
    assert e.is_grad_enabled()
    with e.set_grad_enabled(name != "enable_grad"):
        assert decorated(3, key=4) == (name == "enable_grad", name == "inference_mode", 3, 4)
    assert decorated.__name__ == "seen" and decorated.__doc__ == "the docstring"


@engines
def test_set_grad_enabled_switches_at_once_but_not_as_a_decorator(e):
    e.set_grad_enabled(False)
    assert not e.is_grad_enabled()
    e.set_grad_enabled(True)

    @e.set_grad_enabled(False)
    def seen():
        return e.is_grad_enabled()

    assert e.is_grad_enabled()
    assert seen() is False and e.is_grad_enabled()


@engines
def test_a_decorated_function_may_call_itself(e):
    @e.no_grad()
    def count(n):
        assert not e.is_grad_enabled()
        return 0 if n == 0 else 1 + count(n - 1)

    assert count(5) == 5 and e.is_grad_enabled()


@engines
def test_one_switch_object_entered_twice(e):
    switch = e.no_grad()
    for _ in range(2):
        with switch:
            assert not e.is_grad_enabled()
        assert e.is_grad_enabled()


@engines
def test_generators_hold_the_mode_only_inside(e):
    log = []

    @e.no_grad()
    def numbers():
        received = None
        try:
            for i in range(3):
                log.append(e.is_grad_enabled())
                received = yield i, received
        except ValueError:
            log.append(("thrown", e.is_grad_enabled()))
            yield "after"
        finally:
            log.append(("closed", e.is_grad_enabled()))
        return "done"

    g = numbers()
    assert next(g) == (0, None) and e.is_grad_enabled()
    assert g.send("hello") == (1, "hello") and e.is_grad_enabled()
    with e.set_grad_enabled(False):
        pass
    assert g.throw(ValueError) == "after" and e.is_grad_enabled()
    with pytest.raises(StopIteration) as stop:
        next(g)
    assert stop.value.value == "done"
    assert log == [False, False, ("thrown", False), ("closed", False)]

    log.clear()
    abandoned = numbers()
    next(abandoned)
    abandoned.close()
    assert log == [False, ("closed", False)] and e.is_grad_enabled()


@engines
def test_a_generator_sees_its_callers_mode_between_yields(e):
    @e.enable_grad()
    def forever():
        while True:
            yield e.is_grad_enabled()

    g = forever()
    with e.no_grad():
        assert next(g) and not e.is_grad_enabled()
    assert next(g) and e.is_grad_enabled()


@engines
def test_threads_are_independent(e):
    seen, inside, go = {}, threading.Event(), threading.Event()

    def other():
        seen["start"] = e.is_grad_enabled()
        with e.no_grad():
            inside.set()
            assert go.wait(10)
            seen["still off"] = e.is_grad_enabled()

    with e.no_grad():
        thread = threading.Thread(target=other)
        thread.start()
        assert inside.wait(10)
    assert e.is_grad_enabled()
    go.set()
    thread.join(10)
    assert seen == {"start": True, "still off": False}


@engines
def test_inference_mode(e):
    x = e.ones(2, requires_grad=True)
    with e.inference_mode():
        y = x * 2
        assert not e.is_grad_enabled() and e.is_inference_mode_enabled()
        y.add_(1)
        with e.inference_mode(False):
            assert e.is_grad_enabled() and not e.is_inference_mode_enabled() and (x * 2).requires_grad
    assert y.is_inference() and not y.requires_grad and not x.is_inference()
    assert not y.clone().is_inference()
    with pytest.raises(RuntimeError, match="Setting requires_grad=True on inference tensor outside InferenceMode"):
        y.requires_grad_()
    with pytest.raises(RuntimeError, match="Inplace update to inference tensor outside InferenceMode is not allowed"):
        y.add_(1)
    assert y.tolist() == [3.0, 3.0] or e is torch  # which raises after it wrote


MADE = {
    "ones": lambda e, m: e.ones(2),
    "tensor": lambda e, m: e.tensor([1.0, 2.0]),
    "rand": lambda e, m: e.rand(2),
    "randperm": lambda e, m: e.randperm(2),
    "from_numpy": lambda e, m: e.from_numpy(np.ones(2)),
    "an op": lambda e, m: m * 2,
    "a comparison": lambda e, m: m > 1,
    "nonzero": lambda e, m: m.nonzero(),
    "unique": lambda e, m: m.unique(),
    "isclose": lambda e, m: e.isclose(m, m),
    "argmax": lambda e, m: m.argmax(),
    "sort's order": lambda e, m: m.sort()[1],
    "another dtype": lambda e, m: m.long(),
    "a view of an inference tensor": lambda e, m: e.ones(2).view(2, 1),
    "detached from an inference tensor": lambda e, m: e.ones(2).detach(),
}


@pytest.mark.parametrize("name", MADE)
def test_what_inference_mode_makes(name):
    def flag(e):
        m = e.ones(2)
        with e.inference_mode():
            return MADE[name](e, m).is_inference()

    assert flag(minigrad) is flag(torch) is True


@engines
@pytest.mark.parametrize("make", ["ones", "rand", "an op"])
def test_an_inference_tensor_cannot_be_saved_for_backward(e, make):
    x = e.ones(2, requires_grad=True)
    with e.inference_mode():
        y = MADE[make](e, e.ones(2))
    with pytest.raises(RuntimeError, match="Inference tensors cannot be saved for backward"):
        x * y


VIEWS = {
    "of a leaf": lambda x, y, b: x[:2],
    "of a result": lambda x, y, b: y[:2],
    "of a view": lambda x, y, b: y.view(2, 2)[0],
    "one of several": lambda x, y, b: y.split(2)[0],
    "of what needs no gradient": lambda x, y, b: b[:2],
    "of what is detached": lambda x, y, b: y.detach()[:2],
    "the data": lambda x, y, b: y.data,
    "a result": lambda x, y, b: (x * 2)[:2],
    "a copy": lambda x, y, b: y.view(2, 2).t().reshape(4),
}
USES = {
    "flags": lambda x, y, b, v: (v.is_inference(), v.requires_grad, v.is_leaf, v.grad_fn, v._is_view()),
    "version": lambda x, y, b, v: v._version,
    "an op": lambda x, y, b, v: (v * 2).sum().backward() or (x.grad, v.grad),
    "saved": lambda x, y, b, v: (x.sum() * v).sum().backward() or x.grad,
    "printed": lambda x, y, b, v: repr(v),
    "written to": lambda x, y, b, v: (v.mul_(2), x, y, b, y._version, b._version),
    "base written to": lambda x, y, b, v: y.mul_(2) is b.mul_(x) or v * 2,
    "base written to and printed": lambda x, y, b, v: y.mul_(2) is b.mul_(x) or repr(v),
    "made to require grad": lambda x, y, b, v: repr(v.requires_grad_()),
    "a view of it": lambda x, y, b, v: (v[:1].is_inference(), v[:1].requires_grad, v.data.is_inference()),
}


@pytest.mark.parametrize("use", USES)
@pytest.mark.parametrize("view", VIEWS)
def test_a_view_made_in_inference_mode_is_what_its_base_is(view, use):
    def outcome(e):
        x, b = e.ones(4, requires_grad=True), e.ones(4)
        y = x * 1
        with e.inference_mode():
            v = VIEWS[view](x, y, b)
        try:
            return repr(USES[use](x, y, b, v))
        except RuntimeError as error:
            return str(error).split(" not allowed.")[0].split(" (")[0]

    assert outcome(minigrad) == outcome(torch)


@engines
def test_enable_grad_inside_inference_mode_records_nothing(e):
    x = e.ones(2, requires_grad=True)
    with e.inference_mode(), e.enable_grad():
        assert not (x * 2).requires_grad


@engines
def test_decorating_a_class_switches_its_constructor(e):
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")

        @e.no_grad()
        class Model:
            def __init__(self):
                self.mode = e.is_grad_enabled()

            def later(self):
                return e.is_grad_enabled()

    model = Model()
    assert model.mode is False and model.later() is True


@engines
def test_grad_mode_does_not_touch_requires_grad_of_leaves(e):
    with e.no_grad():
        x = e.ones(2, requires_grad=True)
        assert x.requires_grad and x.is_leaf
    (x * x).sum().backward()
    assert x.grad.tolist() == [2.0, 2.0]


@engines
def test_backward_under_no_grad_still_runs(e):
    x = e.ones(2, requires_grad=True)
    y = (x * x).sum()
    with e.no_grad():
        y.backward()
    assert x.grad.tolist() == [2.0, 2.0] and not x.grad.requires_grad


@engines
def test_arrays_of_leaves_are_given_out_where_nothing_is_recorded(e):
    """evaluate() calls .numpy() on parameters under no_grad; while operations are recorded that is refused."""
    x = e.ones(2, requires_grad=True)
    for mode in (e.no_grad, e.inference_mode):
        with mode():
            assert x.numpy().tolist() == np.asarray(x).tolist() == [1.0, 1.0]
    with pytest.raises(RuntimeError, match="Can't call numpy"):
        x.numpy()
    with pytest.raises(RuntimeError, match="Can't call numpy"):
        np.asarray(x)

    class Sine(e.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return e.from_numpy(np.sin(x.numpy()))

        @staticmethod
        def backward(ctx, g):
            return g

    out = Sine.apply(x)
    assert repr(out.grad_fn).startswith("<torch.autograd.function.SineBackward object at 0x")
    assert type(out.grad_fn).__name__ == "SineBackward" and out.grad_fn.name() == "SineBackward"
