"""autograd.Function: both engines run the same definitions."""

import copy
import gc
import weakref

import pytest
import torch

import minigrad

engines = pytest.mark.parametrize("e", [minigrad, torch], ids=["minigrad", "torch"])


@engines
@pytest.mark.parametrize("style", ["one", "two"])
def test_both_context_styles(e, style):
    class Mul(e.autograd.Function):
        if style == "one":

            @staticmethod
            def forward(ctx, a, b, scale):
                ctx.save_for_backward(a, b)
                ctx.scale = scale
                return a * b * scale
        else:

            @staticmethod
            def forward(a, b, scale):
                return a * b * scale

            @staticmethod
            def setup_context(ctx, inputs, output):
                a, b, ctx.scale = inputs
                assert isinstance(output, e.Tensor)
                ctx.save_for_backward(a, b)

        @staticmethod
        def backward(ctx, g):
            a, b = ctx.saved_tensors
            return g * b * ctx.scale, g * a * ctx.scale, None

    a, b = e.tensor([1.0, 2.0], requires_grad=True), e.tensor([3.0, 4.0], requires_grad=True)
    out = Mul.apply(a, b, 10)
    assert out.requires_grad and not out.is_leaf and out.grad_fn.name() == "MulBackward"
    out.sum().backward()
    assert (a.grad.tolist(), b.grad.tolist()) == ([30.0, 40.0], [10.0, 20.0])
    first = e.autograd.grad(Mul.apply(a, b, 10).sum(), a, create_graph=True)[0]
    assert e.autograd.grad(first.sum(), b)[0].tolist() == [10.0, 10.0]


@engines
def test_forward_is_not_recorded_and_sees_the_very_tensors(e):
    seen = []

    class Look(e.autograd.Function):
        @staticmethod
        def forward(ctx, a, b):
            seen.append((e.is_grad_enabled(), (a * 2).requires_grad, ctx.needs_input_grad, b))
            return a * 2

        @staticmethod
        def backward(ctx, g):
            seen.append((e.is_grad_enabled(), g.requires_grad))
            return g * 2, None

    x = e.ones(1, requires_grad=True)
    y = Look.apply(x, "text")
    y.backward(retain_graph=True)
    e.autograd.grad(y, x, create_graph=True)
    assert seen == [(False, False, (True, False), "text"), (False, False), (True, False)]


@engines
def test_needs_input_grad_in_backward(e):
    class Add(e.autograd.Function):
        @staticmethod
        def forward(ctx, a, b, c):
            return a + b

        @staticmethod
        def backward(ctx, g):
            needed.append(ctx.needs_input_grad)
            return g, g, None

    needed = []
    x, y = e.ones(1, requires_grad=True), e.ones(1)
    Add.apply(x, y, 3.0).backward()
    Add.apply(y, x, "text").backward()
    assert needed == [(True, False, False), (False, True, False)] and x.grad.item() == 2.0 and y.grad is None


@engines
def test_no_input_requires_grad_or_grad_mode_off(e):
    class Double(e.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x * 2

        @staticmethod
        def backward(ctx, g):
            return g * 2

    x = e.ones(1, requires_grad=True)
    assert not Double.apply(x.detach()).requires_grad
    with e.no_grad():
        assert not Double.apply(x).requires_grad


@engines
def test_several_outputs_some_unused(e):
    class Split(e.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x * 2, x * x, x + 1

        @staticmethod
        def backward(ctx, g1, g2, g3):
            (x,) = ctx.saved_tensors
            arrived.append([g.tolist() for g in (g1, g2, g3)])
            return g1 * 2 + g2 * 2 * x + g3

    arrived = []
    x = e.tensor([3.0], requires_grad=True)
    a, b, c = Split.apply(x)
    assert a.grad_fn is b.grad_fn or a.grad_fn.name() == b.grad_fn.name()
    assert [t.output_nr for t in (a, b, c)] == [0, 1, 2]
    (b * 10 + b).backward()
    assert arrived == [[[0.0], [11.0], [0.0]]] and x.grad.tolist() == [66.0]
    x.grad = None
    a, b, c = Split.apply(x)
    (a + c * 5).backward()
    assert arrived[1] == [[1.0], [0.0], [5.0]] and x.grad.tolist() == [7.0]


@engines
def test_outputs_that_are_lists_tuples_none_and_numbers(e):
    class Mixed(e.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 2, None, 5, "text"

        @staticmethod
        def backward(ctx, g, *others):
            assert others == (None, None, None)  # zeros are for Tensors
            return g * 2

    x = e.ones(1, requires_grad=True)
    y, none, five, text = Mixed.apply(x)
    assert (none, five, text) == (None, 5, "text")
    y.backward()
    assert x.grad.item() == 2.0


@engines
def test_unmaterialised_grads_are_none(e):
    class Split(e.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.set_materialize_grads(False)
            return x * 2, x * 3

        @staticmethod
        def backward(ctx, g1, g2):
            seen.append((g1 is None, g2 is None))
            return g1 * 2 if g1 is not None else g2 * 3

    seen = []
    x = e.ones(1, requires_grad=True)
    a, b = Split.apply(x)
    b.backward()
    assert seen == [(True, False)] and x.grad.item() == 3.0


@engines
def test_none_gradients_and_trailing_nones(e):
    class First(e.autograd.Function):
        @staticmethod
        def forward(ctx, a, b):
            return a + b

        @staticmethod
        def backward(ctx, g):
            return None, g, None, None

    a, b = e.ones(1, requires_grad=True), e.ones(1, requires_grad=True)
    First.apply(a, b).backward()
    assert a.grad is None and b.grad.item() == 1.0


@engines
@pytest.mark.parametrize("returned", [1, 3])
def test_a_wrong_number_of_gradients(e, returned):
    class Wrong(e.autograd.Function):
        @staticmethod
        def forward(ctx, a, b):
            return a + b

        @staticmethod
        def backward(ctx, g):
            return (g,) * returned

    a, b = e.ones(1, requires_grad=True), e.ones(1, requires_grad=True)
    with pytest.raises(
        RuntimeError, match=rf"returned an incorrect number of gradients \(expected 2, got {returned}\)"
    ):
        Wrong.apply(a, b).backward()
    assert a.grad is None and b.grad is None


@engines
def test_a_gradient_of_the_wrong_shape(e):
    class Wrong(e.autograd.Function):
        @staticmethod
        def forward(ctx, a):
            return a * 2

        @staticmethod
        def backward(ctx, g):
            return g[:2]

    a = e.ones(3, requires_grad=True)
    with pytest.raises(
        RuntimeError, match=r"invalid gradient at index 0 - got \[2\] but expected shape compatible with \[3\]"
    ):
        Wrong.apply(a).sum().backward()
    assert a.grad is None


@engines
def test_a_gradient_that_was_broadcast_is_summed_and_a_dtype_converted(e):
    class Broadcast(e.autograd.Function):
        @staticmethod
        def forward(ctx, a, b):
            return a + b

        @staticmethod
        def backward(ctx, g):
            return g, g.double()

    a, b = e.ones(2, 3, requires_grad=True), e.ones(3, requires_grad=True)
    Broadcast.apply(a, b).sum().backward()
    assert b.grad.tolist() == [2.0] * 3 and b.grad.dtype is e.float32


@engines
@pytest.mark.parametrize("bad", [3.0, "text"])
def test_a_gradient_that_is_no_tensor(e, bad):
    class Wrong(e.autograd.Function):
        @staticmethod
        def forward(ctx, a):
            return a * 2

        @staticmethod
        def backward(ctx, g):
            return bad

    with pytest.raises(RuntimeError, match=r"expected Variable or None \(got (float|str)\)"):
        Wrong.apply(e.ones(1, requires_grad=True)).backward()


@engines
def test_a_gradient_for_what_is_no_tensor(e):
    class Add(e.autograd.Function):
        @staticmethod
        def forward(ctx, a, b):
            return a + b

        @staticmethod
        def backward(ctx, g):
            return g, g

    with pytest.raises(RuntimeError, match="AddBackward returned a gradient different than None at position 2"):
        Add.apply(e.ones(1, requires_grad=True), 2.0).backward()


@engines
def test_an_output_that_is_no_tensor_is_passed_on(e):
    class Name(e.autograd.Function):
        @staticmethod
        def forward(ctx, a):
            return "text"

    assert Name.apply(e.ones(1, requires_grad=True)) == "text"


@engines
def test_missing_methods_and_instances(e):
    class Nothing(e.autograd.Function):
        pass

    class NoBackward(e.autograd.Function):
        @staticmethod
        def forward(ctx, a):
            return a * 2

    x = e.ones(1, requires_grad=True)
    with pytest.raises(
        NotImplementedError, match="You must implement the forward function for custom autograd.Function"
    ):
        Nothing.apply(x)
    with pytest.raises(NotImplementedError, match="You must implement either the backward or vjp method"):
        NoBackward.apply(x).backward()
    with pytest.raises(TypeError, match="save_for_backward can only save variables"):

        class Wrong(e.autograd.Function):
            @staticmethod
            def forward(ctx, a):
                ctx.save_for_backward(3)
                return a * 2

            @staticmethod
            def backward(ctx, g):
                return g

        Wrong.apply(x)


@engines
def test_vjp_is_another_name_for_backward(e):
    class Double(e.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 2

        @staticmethod
        def vjp(ctx, g):
            return g * 2

    x = e.ones(1, requires_grad=True)
    Double.apply(x).backward()
    assert x.grad.item() == 2.0


# -- mark_dirty, mark_non_differentiable -------------------------------------------------------------------------------


def dirty_double(e):
    class Double_(e.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.mark_dirty(x)
            x.mul_(2)
            return x

        @staticmethod
        def backward(ctx, g):
            return g * 2

    return Double_


@engines
def test_a_dirty_input_takes_the_history(e):
    leaf = e.tensor([1.0, 3.0], requires_grad=True)
    x = leaf * 1
    out = dirty_double(e).apply(x)
    assert out is x and x.tolist() == [2.0, 6.0] and x.grad_fn.name() == "Double_Backward" and x._version >= 1
    (x * x).sum().backward()
    assert leaf.grad.tolist() == [8.0, 24.0]


@engines
def test_a_dirty_leaf_that_requires_grad_is_refused(e):
    with pytest.raises(RuntimeError, match="a leaf Variable that requires grad has been used in an in-place operation"):
        dirty_double(e).apply(e.ones(1, requires_grad=True))


@engines
def test_a_dirty_view_changes_its_base(e):
    leaf = e.ones(2, 2, requires_grad=True)
    base = leaf * 3
    dirty_double(e).apply(base[0])
    (base * base).sum().backward()
    assert base.tolist() == [[6.0, 6.0], [3.0, 3.0]]
    assert leaf.grad.tolist() == [[2 * 6.0 * 6] * 2, [2 * 3.0 * 3] * 2]


@engines
def test_what_was_saved_before_a_dirty_write_is_stale(e):
    leaf = e.ones(2, requires_grad=True)
    x = leaf * 1
    y = x * x
    dirty_double(e).apply(x)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        y.sum().backward()


@engines
def test_non_differentiable_outputs(e):
    class Both(e.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            mask = x > 0
            other = x * 5
            ctx.mark_non_differentiable(mask, other)
            return x * 2, mask, other

        @staticmethod
        def backward(ctx, g, g_mask, g_other):
            return g * 2

    x = e.tensor([1.0, -1.0], requires_grad=True)
    y, mask, other = Both.apply(x)
    assert (y.requires_grad, mask.requires_grad, other.requires_grad) == (True, False, False)
    y.sum().backward()
    assert x.grad.tolist() == [2.0, 2.0]


@engines
def test_integer_outputs_are_not_differentiable(e):
    class Sort(e.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 1, x.argmax()

        @staticmethod
        def backward(ctx, g, g_index):
            return g

    x = e.tensor([1.0, 2.0], requires_grad=True)
    y, index = Sort.apply(x)
    assert not index.requires_grad and index.item() == 1
    y.sum().backward()
    assert x.grad.tolist() == [1.0, 1.0]


# -- saved tensors -----------------------------------------------------------------------------------------------------


@engines
def test_a_saved_input_that_was_changed(e):
    class Square(e.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x * x

        @staticmethod
        def backward(ctx, g):
            (x,) = ctx.saved_tensors
            return 2 * x * g

    leaf = e.ones(2, requires_grad=True)
    x = leaf * 1
    y = Square.apply(x)
    x.add_(1)
    with pytest.raises(RuntimeError, match="is at version 1; expected version 0"):
        y.sum().backward()


def exponential(e):
    class Exp(e.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            out = x.exp()
            ctx.save_for_backward(out)
            return out

        @staticmethod
        def backward(ctx, g):
            (out,) = ctx.saved_tensors
            return g * out

    return Exp


@engines
def test_a_saved_output_and_double_backward_through_it(e):
    x = e.tensor(0.5, requires_grad=True, dtype=e.float64)
    expected = torch.tensor(0.5, dtype=torch.float64).exp().item()
    y = exponential(e).apply(x)
    for _ in range(3):
        (y,) = e.autograd.grad(y, x, create_graph=True)
        assert abs(y.item() - expected) < 1e-15


@engines
def test_a_saved_output_that_was_changed(e):
    x = e.ones(2, requires_grad=True)
    y = exponential(e).apply(x)
    y.add_(1)
    with pytest.raises(RuntimeError, match="is at version 1; expected version 0"):
        y.sum().backward()


def test_a_graph_with_a_saved_output_dies_by_reference_counting():
    gc.collect()
    gc.disable()
    try:
        x = minigrad.ones(2, requires_grad=True)
        y = exponential(minigrad).apply(x)
        refs = [weakref.ref(y), weakref.ref(y.grad_fn)]
        del y
        assert [r() for r in refs] == [None, None]
        y = exponential(minigrad).apply(x)
        refs = [weakref.ref(y), weakref.ref(y.grad_fn)]
        y.sum().backward()
        del y
        assert [r() for r in refs] == [None, None]
    finally:
        gc.enable()


@engines
def test_backward_twice_through_saved_tensors(e):
    x = e.ones(2, requires_grad=True)
    y = exponential(e).apply(x).sum()
    y.backward(retain_graph=True)
    y.backward()
    with pytest.raises(RuntimeError, match="Trying to backward through the graph a second time"):
        y.backward()


@engines
def test_double_backward_where_the_gradient_depends_on_the_cotangent(e):
    class Cube(e.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x**3

        @staticmethod
        def backward(ctx, g):
            (x,) = ctx.saved_tensors
            return 3 * x * x * g

    x = e.tensor([1.0, 2.0], dtype=e.float64, requires_grad=True)
    v = e.tensor([3.0, 5.0], dtype=e.float64, requires_grad=True)
    (g,) = e.autograd.grad(Cube.apply(x), x, v, create_graph=True)
    assert [t.tolist() for t in e.autograd.grad(g.sum(), (x, v))] == [[18.0, 60.0], [3.0, 12.0]]
    assert e.autograd.gradcheck(Cube.apply, (x,)) and e.autograd.gradgradcheck(Cube.apply, (x,))


@engines
def test_once_differentiable(e):
    class Square(e.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x * x

        @staticmethod
        @e.autograd.function.once_differentiable
        def backward(ctx, g):
            (x,) = ctx.saved_tensors
            return 2 * x * g

    x = e.tensor(3.0, requires_grad=True)
    Square.apply(x).backward()
    assert x.grad.item() == 6.0
    (g,) = e.autograd.grad((Square.apply(x) ** 2), x, create_graph=True)
    assert g.item() == 108.0
    with pytest.raises(
        RuntimeError, match="trying to differentiate twice a function that was marked with @once_differentiable"
    ):
        g.backward()


@engines
def test_an_input_returned_as_it_is(e):
    class Same(e.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x

        @staticmethod
        def backward(ctx, g):
            return g * 7

    x = e.ones(2, requires_grad=True)
    y = Same.apply(x)
    assert y is not x and x.is_leaf and not y.is_leaf
    y.sum().backward()
    assert x.grad.tolist() == [7.0, 7.0]


@engines
def test_a_function_inside_a_function(e):
    inner = exponential(e)

    class Outer(e.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            with e.enable_grad():
                ctx.x = x.detach().requires_grad_()
                ctx.y = inner.apply(ctx.x)
            return ctx.y.detach()

        @staticmethod
        def backward(ctx, g):
            return e.autograd.grad(ctx.y, ctx.x, g)[0]

    x = e.zeros(2, requires_grad=True)
    Outer.apply(x).sum().backward()
    assert x.grad.tolist() == [1.0, 1.0]


@engines
def test_an_exception_of_the_user_s_backward_comes_out_as_it_is(e):
    class Fails(e.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 1

        @staticmethod
        def backward(ctx, g):
            raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        Fails.apply(e.ones(1, requires_grad=True)).backward()
    assert e.is_grad_enabled()


def test_the_user_s_numpy_error_state_holds_inside_forward_and_backward():
    import numpy as np

    seen = []

    class Look(minigrad.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            seen.append(np.geterr()["over"])
            return x * 1

        @staticmethod
        def backward(ctx, g):
            seen.append(np.geterr()["over"])
            return g

    with np.errstate(over="raise"):
        Look.apply(minigrad.ones(1, requires_grad=True)).backward()
    assert seen == ["raise", "raise"]


# -- calls that are not recorded, and Functions that give no gradient


class Doubled:
    """A Function that writes to its input, for each engine."""

    def __new__(cls, e):
        class Double(e.autograd.Function):
            @staticmethod
            def forward(ctx, x):
                x.mul_(2)
                ctx.mark_dirty(x)
                return x

            @staticmethod
            def backward(ctx, g):
                return g * 2

        return Double.apply


def nothing(e, returned=lambda x: x * 2):
    """A Function whose backward returns None."""

    class Nothing(e.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return returned(x)

        @staticmethod
        def backward(ctx, g):
            return None

    return Nothing.apply


@engines
def test_a_dirty_input_that_needs_no_gradient_is_the_output(e):
    x = e.tensor([1.0, 2.0])
    x.grad = e.tensor([3.0, 4.0])
    y = Doubled(e)(x)
    assert y is x and y.grad.tolist() == [3.0, 4.0] and x.tolist() == [2.0, 4.0]


@engines
def test_a_dirty_input_loses_the_gradient_of_what_it_was(e):
    x = e.tensor([1.0, 2.0], requires_grad=True) * 3
    x.retain_grad()
    x.sum().backward(retain_graph=True)
    assert x.grad is not None
    y = Doubled(e)(x)
    assert y is x and x._grad is None


@engines
def test_an_output_of_no_recorded_call_that_is_a_view(e):
    weight = e.tensor([1.0], requires_grad=True)
    for returned in (lambda x: x, lambda x: x.view(-1)):
        y = nothing(e, returned)(e.zeros(1))
        with pytest.raises(RuntimeError, match="This view was created inside a custom Function"):
            y.add_(weight)


@engines
def test_a_pass_goes_on_where_only_none_came(e):
    """Hooks are called with None, nothing is added to .grad, and what was saved is looked at."""
    log, x = [], e.tensor([1.0, 2.0], requires_grad=True)
    x.register_hook(lambda g: log.append(("leaf", g)))
    x.register_post_accumulate_grad_hook(lambda t: log.append(("after", t._grad)))
    y = x.exp()
    y.register_hook(lambda g: log.append(("node", g)))
    y.retain_grad()
    nothing(e)(y).sum().backward(retain_graph=True)
    assert log == [("node", None), ("leaf", None), ("after", None)] and x._grad is None and y._grad is None
    assert e.autograd.grad(nothing(e)(y).sum(), [x, y], allow_unused=True) == (None, None)
    with pytest.raises(RuntimeError, match="a second time"):
        nothing(e)(y).sum().backward()
    z = x.exp()
    z.mul_(2)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        nothing(e)(z).sum().backward()


@engines
def test_a_gradient_beside_none(e):
    """One of two ways to a tensor gives None: the other's gradient is all of it, and stays the caller's."""
    x = e.tensor([1.0, 2.0], requires_grad=True)
    y = x * 3
    c = e.tensor([5.0, 7.0])
    e.autograd.backward([nothing(e)(y), y, y], [e.ones(2), c, c])
    assert x.grad.tolist() == [30.0, 42.0] and c.tolist() == [5.0, 7.0]
    (g,) = e.autograd.grad((nothing(e)(x * x) + x**3).sum(), x, create_graph=True)
    assert e.autograd.grad(g.sum(), x)[0].tolist() == [6.0, 12.0]


@engines
@pytest.mark.parametrize("create_graph", [False, True])
def test_a_function_to_which_none_came_gets_zeros(e, create_graph):
    given = []

    class Two(e.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 3, x.double() * 5

        @staticmethod
        def backward(ctx, g, h):
            given.append((g.tolist(), h.tolist(), g.dtype == e.float32, h.dtype == e.float64))
            return g + 1 + h.float()

    x = e.tensor([1.0, 2.0], requires_grad=True)
    a, b = Two.apply(x)
    (g,) = e.autograd.grad(nothing(e)(a).sum(), x, create_graph=create_graph)
    assert given == [([0.0, 0.0], [0.0, 0.0], True, True)] and g.tolist() == [1.0, 1.0]


@engines
def test_a_hook_may_not_put_a_gradient_where_there_is_none(e):
    x = e.tensor([1.0, 2.0], requires_grad=True)
    y = x * 2
    y.register_hook(lambda g: e.ones(2))
    with pytest.raises(RuntimeError, match="can't replace a None gradient"):
        nothing(e)(y).sum().backward()


def once(e, forward, backward=lambda ctx, *g: g[0]):
    """A Function of these two."""
    methods = {"forward": staticmethod(forward), "backward": staticmethod(backward)}
    return type("Once", (e.autograd.Function,), methods)


@engines
@pytest.mark.parametrize("recorded", [True, False])
def test_a_list_is_one_output_and_no_tensor(e, recorded):
    x = e.ones(2, requires_grad=recorded)
    same, new = once(e, lambda ctx, x: [x, x * 3]).apply(x)
    assert same is x and not new.requires_grad
    new, several = once(e, lambda ctx, x: (x * 3, [x * 2])).apply(x)
    assert new.requires_grad is recorded and not several[0].requires_grad


MARKS = {
    "dirty and not returned": (lambda ctx, x: ctx.mark_dirty(x) or x * 1, "Some elements marked as dirty"),
    "dirty and returned in a list": (lambda ctx, x: ctx.mark_dirty(x) or [x], "Some elements marked as dirty"),
    "dirty 5": (lambda ctx, x: ctx.mark_dirty(5) or x * 1, "mark_dirty can only accept variables, but argument "),
    "not differentiable 5": (
        lambda ctx, x: ctx.mark_non_differentiable(5) or x * 1,
        "mark_non_differentiable only accepts variable arguments, but got ",
    ),
}


@engines
@pytest.mark.parametrize("case", MARKS)
@pytest.mark.parametrize("recorded", [True, False])
def test_what_may_not_be_marked(e, case, recorded):
    forward, message = MARKS[case]
    with pytest.raises(RuntimeError, match=message):
        once(e, forward).apply(e.ones(2, requires_grad=recorded))


@engines
def test_a_list_is_no_gradient(e):
    for decorate in (lambda backward: backward, e.autograd.function.once_differentiable):
        y = once(e, lambda ctx, x: x * 2, decorate(lambda ctx, g: [g])).apply(e.ones(2, requires_grad=True))
        with pytest.raises(RuntimeError, match=r"expected Variable or None \(got list\)"):
            y.sum().backward()
        z = once(e, lambda ctx, a, b: a * b, decorate(lambda ctx, g: [g, g])).apply(y, y)
        with pytest.raises(RuntimeError, match=r"number of gradients \(expected 2, got 1\)"):
            z.sum().backward()


@engines
def test_grad_fn_shows_what_forward_left_on_ctx(e):
    def forward(ctx, x):
        ctx.scale = 3
        ctx.save_for_backward(x)
        return x * ctx.scale

    x = e.ones(2, requires_grad=True)
    node = once(e, forward).apply(x).grad_fn
    assert (node.scale, node.needs_input_grad, node.name()) == (3, (True,), "OnceBackward")
    assert node.saved_tensors[0] is x or node.saved_tensors[0].tolist() == [1.0, 1.0]
    with pytest.raises(AttributeError, match="'OnceBackward' object has no attribute 'shift'"):
        _ = node.shift


def test_a_copy_of_a_node_that_is_being_made_asks_for_no_ctx():
    """What a node lacks is looked for in ctx, which a copy does not have before it is filled."""

    class Twice(minigrad.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.kept = 3
            return x * 2

        @staticmethod
        def backward(ctx, g):
            return g * 2

    node = Twice.apply(minigrad.ones(2, requires_grad=True)).grad_fn
    assert copy.copy(node).kept == node.kept == 3
    assert not hasattr(node, "nothing_of_the_kind")
