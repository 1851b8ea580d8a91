"""@primitive: what a declaration of an op promises, shown on small ops declared here."""

import traceback
import warnings

import numpy as np
import pytest

import minigrad
from minigrad import primitive as module
from minigrad.primitive import REGISTRY, primitive


@pytest.fixture(autouse=True)
def _registry_as_it_was():
    """The registry lists minigrad's own ops; those declared here leave it again."""
    before = dict(REGISTRY)
    yield
    REGISTRY.clear()
    REGISTRY.update(before)


@pytest.fixture
def asked():
    """The names of the inputs whose formulas ran."""
    return []


@pytest.fixture
def weigh(asked):
    """a * b + c, elementwise."""

    @primitive(
        promote="same",
        a=lambda g, b: asked.append("a") or g * b,
        b=lambda g, a: asked.append("b") or g * a,
        c=lambda g: asked.append("c") or g,
    )
    def weigh(a, b, c):
        """a * b + c."""
        return a * b + c

    return weigh


def leaf(*values):
    return minigrad.tensor(values, dtype=minigrad.float64, requires_grad=True)


def test_a_small_op(weigh):
    a, b, c = leaf(1.0, 2.0), leaf(3.0, 4.0), leaf(5.0, 6.0)
    out = weigh(a, b, c)
    assert out.tolist() == [8.0, 14.0] and out.grad_fn.name() == "WeighBackward0" and weigh.__doc__ == "a * b + c."
    out.sum().backward()
    assert [t.grad.tolist() for t in (a, b, c)] == [[3.0, 4.0], [1.0, 2.0], [1.0, 1.0]]


def test_one_declaration_serves_every_order(weigh):
    a, b, c = leaf(1.0, 2.0), leaf(3.0, 4.0), leaf(5.0, 6.0)
    assert minigrad.autograd.gradcheck(weigh, (a, b, c)) and minigrad.autograd.gradgradcheck(weigh, (a, b, c))


def test_a_formula_on_the_namespace_has_derivatives_of_every_order():
    @primitive(x=lambda g, xp, x: g * xp.exp(x) * 3)
    def triple_exp(xp, x):
        return xp.exp(x) * 3

    x = leaf(0.5, -1.0)
    expected = (3 * np.exp(x.detach().numpy())).tolist()
    y = triple_exp(x)
    for _ in range(4):
        np.testing.assert_allclose(y.tolist(), expected, rtol=1e-15)
        (y,) = minigrad.autograd.grad(y.sum(), x, create_graph=True)


def test_what_is_computed_in_single_is_named():
    with pytest.raises(TypeError, match="single names 'b', which is neither 'out' nor has a formula"):

        @primitive(a=lambda g, b: g * b, single=("out", "b"))
        def scaled(a, b):
            return a * b


@pytest.mark.parametrize(
    "formulas", [{"a": lambda g, wrong: g}, {"wrong": lambda g: g}, {"a": lambda g, b_size: g}], ids=str
)
def test_an_unknown_name_is_an_error_at_import(formulas):
    with pytest.raises(TypeError) as failure:

        @primitive(**formulas)
        def broken(a, b, *, axis=None):
            return a

    text = str(failure.value)
    assert "broken" in text and ("wrong" in text or "b_size" in text) and "axis" in text or "inputs" in text
    assert "broken" not in REGISTRY


def test_every_kind_of_name_may_be_asked_for():
    seen = {}

    @primitive(a=lambda g, xp, out, a, b, a_shape, b_shape, axis: seen.update(locals()) or g)
    def everything(a, b, *, axis=7):
        return a + b

    a, b = leaf(1.0), leaf(2.0)
    everything(a, b).sum().backward()
    assert seen["out"].tolist() == [3.0] and seen["a"].tolist() == [1.0] and seen["b"].tolist() == [2.0]
    assert (seen["a_shape"], seen["b_shape"], seen["axis"]) == ((1,), (1,), 7)
    assert seen["xp"].exp is not None


def test_saved_tensors_are_the_names_of_the_formulas(weigh):
    a, b, c = leaf(1.0), leaf(3.0), leaf(5.0)
    assert [t is s for t, s in zip(weigh(a, b, c).grad_fn.saved_tensors, (b, a))] == [True, True]
    only_a = weigh(a, b.detach(), c.detach()).grad_fn
    assert [t.tolist() for t in only_a.saved_tensors] == [[3.0]]
    assert weigh(a.detach(), b.detach(), c).grad_fn.saved_tensors == ()


@pytest.mark.parametrize(
    "build, count",
    [
        (lambda x: x + 1, 0), (lambda x: x - x, 0), (lambda x: -x, 0), (lambda x: x.sum(), 0), (lambda x: x.mean(), 0),
        (lambda x: x.reshape(2, 1), 0), (lambda x: x.exp(), 1), (lambda x: x.sin(), 1), (lambda x: x.tanh(), 1),
        (lambda x: x * x, 2), (lambda x: x[0], 0), (lambda x: x.t(), 0), (lambda x: x.relu(), 1),
        (lambda x: x.sigmoid(), 1),
    ],
)  # fmt: skip
def test_how_much_minigrad_s_own_ops_save(build, count):
    assert len(build(leaf(1.0, 2.0)).grad_fn.saved_tensors) == count


@pytest.mark.parametrize("needed", ["a", "b", "c", "ab", "ac", "bc", "abc"])
def test_gradients_nobody_asked_for_are_never_computed(weigh, asked, needed):
    tensors = {n: minigrad.tensor([2.0], requires_grad=n in needed) for n in "abc"}
    out = weigh(*tensors.values())
    assert [e is not None for e in out.grad_fn.all_edges()] == [n in needed for n in "abc"]
    out.sum().backward()
    assert sorted(asked) == sorted(needed)
    assert {n for n, t in tensors.items() if t.grad is not None} == set(needed)


def test_nothing_is_recorded_where_nothing_requires_grad(weigh):
    out = weigh(minigrad.ones(1), minigrad.ones(1), minigrad.ones(1))
    assert out.grad_fn is None and not out.requires_grad
    with minigrad.no_grad():
        assert weigh(leaf(1.0), leaf(1.0), leaf(1.0)).grad_fn is None


@pytest.mark.parametrize(
    "shapes",
    [((2, 3), (3,), ()), ((1,), (4, 1), (5,)), ((2, 1), (1, 2), (1, 1)), ((), (), (3,)), ((0, 3), (3,), (1, 1))],
)
@pytest.mark.parametrize("create_graph", [False, True])
def test_broadcasting_is_undone(weigh, shapes, create_graph):
    random = np.random.default_rng(0)
    arrays = [random.standard_normal(s) for s in shapes]
    tensors = [minigrad.tensor(a, requires_grad=True) for a in arrays]
    out = weigh(*tensors)
    v = random.standard_normal(out.shape)
    grads = minigrad.autograd.grad(out, tensors, minigrad.tensor(v), create_graph=create_graph)
    a, b, c = np.broadcast_arrays(*arrays)
    for g, full, shape in zip(grads, (v * b, v * a, v), shapes):
        lead = full.ndim - len(shape)
        axes = tuple(range(lead)) + tuple(i + lead for i, n in enumerate(shape) if n == 1 and full.shape[i + lead] != 1)
        np.testing.assert_allclose(g.tolist(), full.sum(axes).reshape(shape).tolist(), rtol=1e-12, atol=1e-12)


def test_promotion_is_per_op():
    @primitive(promote="float", a=lambda g: g, b=lambda g: g)
    def added(a, b):
        return a + b

    assert added(minigrad.tensor([1]), 2).dtype is minigrad.float32
    assert added(minigrad.tensor([1.0], dtype=minigrad.float16), minigrad.tensor([1])).dtype is minigrad.float16
    x = minigrad.tensor([1.0], requires_grad=True)
    added(x, minigrad.ones(1, dtype=minigrad.float64)).sum().backward()
    assert x.grad.dtype is minigrad.float32


def test_static_arguments_keep_their_defaults():
    @primitive(x=lambda g, factor: g * factor)
    def scaled(x, *, factor=3.0):
        return x * factor

    x = leaf(1.0)
    scaled(x).sum().backward()
    scaled(x, factor=10.0).sum().backward()
    assert x.grad.tolist() == [13.0]


def test_a_view_shares_memory_and_version():
    @primitive(view=True, x=lambda g, xp: xp.flip(g, (0,)))
    def backwards(x):
        return x[::-1]

    x = minigrad.arange(3.0)
    y = backwards(x)
    assert y._base is x
    y.zero_()
    assert x.tolist() == [0.0, 0.0, 0.0] and x._version == y._version == 1


def test_the_complaint_about_arguments_is_the_op_s_own():
    def explain(error, a, b):
        return IndexError(f"shapes {a.shape} and {b.shape}: {error}")

    @primitive(explain=explain, a=lambda g: g)
    def joined(a, b):
        return np.concatenate([a, b])

    with pytest.raises(IndexError, match=r"shapes \(2,\) and \(1, 1\)"):
        joined(leaf(1.0, 2.0), minigrad.ones(1, 1))


# -- the code that is written ----------------------------------------------------------------------------------------


def test_the_source_of_an_op_can_be_read(weigh):
    weigh(leaf(1.0), leaf(1.0), leaf(1.0))
    source = weigh.primitive.source
    assert source.startswith("def weigh(a, b, c):") and "record_111(out, a, b, c)" in source
    compile(source, "source", "exec")


def test_tracebacks_show_the_written_lines(weigh):
    try:
        weigh(leaf(1.0, 2.0), leaf(1.0, 2.0, 3.0), leaf(1.0))
    except RuntimeError as error:
        lines = "".join(traceback.format_exception(error))
    assert "in weigh" in lines and "raise explain(error, a_array, b_array, c_array) from None" in lines


def test_tracebacks_of_backward_show_the_formula_s_call():
    @primitive(x=lambda g: g.no_such_method())
    def broken(x):
        return x * 2

    with pytest.raises(AttributeError) as failure:
        broken(leaf(1.0)).sum().backward()
    lines = "".join(traceback.format_exception(failure.value))
    assert "in vjp_broken" in lines and "formula_x(g)" in lines


def test_an_exception_of_forward_comes_out_and_records_nothing():
    @primitive(x=lambda g: g)
    def failing(x):
        raise KeyError("mine")

    x = leaf(1.0)
    with pytest.raises(KeyError, match="mine"):
        failing(x)
    assert x.grad_fn is None and minigrad.is_grad_enabled()


def test_numpy_s_warnings_do_not_come_out_of_forward_or_backward():
    @primitive(x=lambda g, x: g / x * np.log(x))
    def divided(x):
        return 1 / x

    with warnings.catch_warnings(), np.errstate(all="raise"):
        warnings.simplefilter("error")
        x = leaf(0.0, -1.0)
        divided(x).sum().backward()
        assert np.geterr()["divide"] == "raise"


def test_anomaly_mode_instruments_every_choice_of_inputs(weigh):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        mode = minigrad.autograd.detect_anomaly()
    a, b, c = leaf(1.0), leaf(1.0), leaf(1.0)
    before = weigh(a, b, c).grad_fn
    with mode:
        first = weigh(a, b, c).grad_fn  # traced here
        second = weigh(a, b.detach(), c).grad_fn
        operator = (a * b).grad_fn
    after = weigh(a, b, c).grad_fn
    assert before.trace is None and after.trace is None
    for node in (first, second, operator):
        assert "test_anomaly_mode_instruments_every_choice_of_inputs" in "".join(node.trace)
    assert all("in test_anomaly_mode_instruments" in node.trace[-1] for node in (first, second, operator))
    assert "traced here" in first.trace[-1]
    assert module.Plans.instrument is None


def test_the_registry_holds_every_op_of_minigrad():
    from minigrad.ops import elementwise

    assert REGISTRY["mul"].call is elementwise.mul or REGISTRY["mul"] is elementwise.mul.primitive
    assert len(REGISTRY) > 100
    for name, op in REGISTRY.items():
        assert op.name == name
        for i, formula in op.formulas.items():
            assert i in op.inputs and callable(formula)
