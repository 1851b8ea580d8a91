"""Steps: what a backward pass did is written down as it was, and looking on changes nothing."""

import math
import re
from html.parser import HTMLParser

import numpy as np
import pytest

import minigrad
from compare import cases, checks, ops
from compare.strategies import Seeded
from minigrad.autograd import Steps, engine
from minigrad.declarations import formula_text
from minigrad.primitive import REGISTRY, Plans


@pytest.fixture(autouse=True)
def nothing_is_left_behind():
    yield
    assert engine.observers == () and Plans.instrument is None


def leaf(*values):
    return minigrad.tensor(values, requires_grad=True)


def test_each_step_says_what_came_by_which_formula_and_where_it_went():
    x, w = minigrad.tensor([[1.0], [2.0]]), leaf(3.0, -1.0)
    with Steps() as steps:
        loss = (x * w).exp().sum()  # called here
        loss.backward()
    total, exp, mul = steps
    assert [s.name for s in steps] == ["SumBackward0", "ExpBackward0", "MulBackward0"]
    assert [s.number for s in steps] == [1, 2, 3] and [s.given for s in steps] == [True, False, False]
    assert (total.g.text, total.g.kind) == ("1.", "float32[]")
    assert (exp.g.text, exp.g.kind) == ("[[1., 1.],\n [1., 1.]]", "float32[2, 2]")
    assert list(exp.saved) == ["out"] and exp.saved["out"].kind == "float32[2, 2]"
    assert exp.outgoing[0].formula == formula_text(REGISTRY["exp"], "x") == "g * out"
    assert exp.called[0] == "test_steps.py" and exp.called[2] == "loss = (x * w).exp().sum()  # called here"
    (out,) = mul.outgoing  # x needs no gradient
    assert (out.input, out.formula, out.summed) == ("b", "g * a", True) and mul.saved["a"].kind == "float32[2, 1]"
    assert mul.op == "mul: a * b"
    assert steps.where(total, total.outgoing[0]) == "step 2, ExpBackward0" and steps.where(mul, out) == "w"
    (found,) = steps.leaves
    assert found.tensor is w and found.steps == [3]
    assert np.array_equal(found.total, w.grad.numpy()) and found.grad.text == found.received.text
    text = str(steps)
    for part in ("2. ExpBackward0 of exp", "| g * out", "-> step 3, MulBackward0", "summed over", "w: from step 3"):
        assert part in text


def test_cotangents_of_a_leaf_are_summed():
    a = leaf(0.5, 2.0)
    with Steps() as steps:
        (a * a + a).sum().backward()
    assert [step.name for step in steps] == ["SumBackward0", "AddBackward0", "MulBackward0"]
    assert steps.leaves[0].steps == [2, 3, 3]
    assert np.array_equal(steps.leaves[0].total, a.grad.numpy())


def test_looking_on_changes_no_gradient():
    def gradients(context):
        minigrad.manual_seed(0)
        model = minigrad.nn.Sequential(minigrad.nn.Linear(3, 4), minigrad.nn.Tanh(), minigrad.nn.Linear(4, 1))
        x = minigrad.randn(5, 3, requires_grad=True)
        with context:
            model(x).pow(2).mean().backward()
            (gx,) = minigrad.autograd.grad(model(x).sum(), x, create_graph=True)
            gx.norm().backward()
        return [p.grad.numpy() for p in model.parameters()] + [x.grad.numpy()]

    steps = Steps()
    for plain, seen in zip(gradients(minigrad.enable_grad()), gradients(steps)):
        assert np.array_equal(plain, seen)
    assert len(steps) > 12 and {"model.0.weight", "model.2.bias", "x"} <= {x.name for x in steps.leaves}


def test_a_function_shows_its_own_backward():
    class Pair(minigrad.autograd.Function):
        @staticmethod
        def forward(ctx, x, power):
            ctx.save_for_backward(x)
            return x * power, x + 1

        @staticmethod
        def backward(ctx, g, h):
            return g * 3 + h, None

    a = leaf(1.0, 2.0)
    with Steps() as steps:
        first, second = Pair.apply(a, 3)
        (first * second).sum().backward()
    step = next(s for s in steps if s.op == "Pair.apply")
    assert "return g * 3 + h, None" in step.code and step.saved["saved 0"].text == "[1., 2.]"
    assert "output 0: " in step.g.text and "output 1: " in step.g.text
    assert [o.input for o in step.outgoing] == ["x"] and steps.where(step, step.outgoing[0]) == "a"


def test_what_gives_nothing_says_so():
    class Nothing(minigrad.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 1

        @staticmethod
        def backward(ctx, g):
            return None

    a, b = leaf(1.0), leaf(2.0)
    with Steps() as steps:
        Nothing.apply(a * b).backward()
    assert [o.value.text for s in steps for o in s.outgoing] == ["None", "None", "None"]
    assert not steps.leaves and steps.where(steps[0], steps[0].outgoing[0]) == "nowhere"


def test_names_are_those_of_the_program():
    pair, named = [leaf(1.0), leaf(2.0)], {"k": leaf(3.0)}
    with Steps() as steps:
        (pair[1] * named["k"] * leaf(4.0)).backward()
    assert [x.name for x in steps.leaves] == ["leaf 1", "pair[1]", "named['k']"]


def test_many_elements_are_shown_by_their_range():
    a = minigrad.linspace(-1, 2, 100, requires_grad=True)
    with Steps() as steps:
        (a * a).sum().backward()
    assert steps[1].saved["a"].text == "100 elements from -1. to 2."
    empty = minigrad.ones(0, requires_grad=True)
    with Steps() as steps:
        (empty * 2).sum().backward()
    assert steps[1].g.text == "[]" and steps[1].g.kind == "float32[0]"


def test_no_more_than_the_limit():
    y = a = leaf(1.0)
    with Steps(limit=3) as steps:
        for _ in range(10):
            y = y * 1.5
        y.backward()
        assert Plans.instrument is None, "of later calls nothing will be said"
    assert len(steps) == 3 and steps.left_out == 7 and not steps.leaves and a.grad.item() == pytest.approx(1.5**10)
    assert steps.where(steps[2], steps[2].outgoing[0]) == "a node that is not shown"
    assert "(7 more steps were not written down: limit=3)" in str(steps) and "7 more" in steps.html()
    with pytest.raises(ValueError, match="limit must be at least 1 step, got 0"):
        Steps(limit=0)


def test_a_second_pass_is_a_pass_of_its_own():
    a, b = leaf(1.0, 2.0), leaf(3.0, 4.0)
    with Steps() as steps:
        y = a * b
        z = y.exp().sum()
        z.backward(retain_graph=True)
        z.backward(retain_graph=True)
        y.backward(minigrad.ones(2))
    assert [s.name.removesuffix("Backward0") for s in steps] == ["Sum", "Exp", "Mul"] * 2 + ["Mul"]
    assert [s.given for s in steps] == [True, False, False, True, False, False, True]
    assert steps.where(steps[3], steps[3].outgoing[0]) == "step 5, ExpBackward0"
    assert Outline(steps.html()).links == {"#step-2", "#step-3", "#step-5", "#step-6", "#step-7"}
    assert steps.leaves[0].steps == [3, 6, 7]


def test_what_nobody_asked_for_goes_nowhere():
    a, b = leaf(1.0, 2.0), leaf(3.0, 4.0)
    with Steps() as steps:
        minigrad.autograd.grad((a * b).sum(), a)
    assert [x.name for x in steps.leaves] == ["a"]
    assert [(o.input, steps.where(steps[1], o)) for o in steps[1].outgoing] == [("a", "a"), ("b", "nowhere")]


def test_arguments_of_a_function_are_named():
    class Sum(minigrad.autograd.Function):
        @staticmethod
        def forward(ctx, first, *rest):
            return first + sum(rest)

        @staticmethod
        def backward(ctx, g):
            return g, g, g

    class Apart(minigrad.autograd.Function):
        @staticmethod
        def forward(x, k):
            return x * k

        @staticmethod
        def setup_context(ctx, inputs, output):
            ctx.k = inputs[1]

        @staticmethod
        def backward(ctx, g):
            return g * ctx.k, None

    a, b, c = leaf(1.0), leaf(2.0), leaf(3.0)
    with Steps() as steps:
        Apart.apply(Sum.apply(a, b, c), 3).backward()
    assert [[o.input for o in s.outgoing] for s in steps] == [["x"], ["first", "rest[0]", "rest[1]"]]


def test_objects_of_the_users_are_left_alone():
    class Touchy(list):
        def __len__(self):
            raise KeyError

        @property
        def named_parameters(self):
            raise KeyError

    touchy, module = Touchy(), minigrad.nn.Module.__new__(minigrad.nn.Module)
    pair = [leaf(1.0)]
    with Steps() as steps:
        (pair[0] * 2).backward()
    assert steps.leaves[0].name == "pair[0]" and touchy is not module


def test_nan_among_many_is_counted():
    a = minigrad.ones(100)
    a[3] = math.nan
    a.requires_grad_()
    with Steps() as steps:
        (a * a).sum().backward()
    assert steps[1].saved["a"].text == "100 elements from 1. to 1., 1 of them nan"
    none = minigrad.full((100,), math.nan, requires_grad=True)
    with Steps() as steps:
        (none * none).sum().backward()
    assert steps[1].saved["a"].text == "100 elements from - to -, 100 of them nan"


def test_it_ends_with_the_block_and_may_be_nested():
    a = leaf(1.0)
    with pytest.raises(KeyError), Steps() as outer:
        with Steps() as inner:
            (a * 2).backward()
        (a * 3).backward()
        raise KeyError
    (a * 4).backward()
    assert len(inner) == 1 and len(outer) == 2
    with Steps() as steps, pytest.raises(RuntimeError, match="being written down already"), steps:
        pass
    assert str(steps) == "no step: no backward ran within the block"


def test_beside_anomaly_mode():
    a = leaf(-1.0)
    with pytest.warns(UserWarning), pytest.raises(RuntimeError, match="'SqrtBackward0' returned nan"):
        with minigrad.autograd.detect_anomaly(), Steps() as steps:
            a.sqrt().backward()
    assert not minigrad.is_anomaly_enabled() and len(steps) == 0, "anomaly mode was there first"
    with Steps() as steps:
        with minigrad.autograd.set_detect_anomaly(True):
            (a * 2).backward()
        assert (a * 2).grad_fn.trace is not None, "the steps still ask for it"
    assert len(steps) == 1


@pytest.mark.parametrize("name", REGISTRY)
def test_every_formula_can_be_read(name):
    op = REGISTRY[name]
    for i in op.formulas:
        text = formula_text(op, i)
        assert text and compile("def f():\n" + re.sub("^", "  ", text, flags=re.M), name, "exec")


SHOWN = [
    c for c in cases.CASES if c.orders and ops.present(minigrad, c) and c.name != "write through a transposed view"
]


@pytest.mark.parametrize("case", SHOWN, ids=lambda c: c.name)
def test_every_op_can_be_shown(case):
    example = checks.draw(case, Seeded(0), "plain", "float64")
    if example is None:
        pytest.skip("the row has no such example")
    with Steps() as steps:
        outs = checks.flatten(checks._Run(minigrad, example, example.differentiable()).call(), minigrad)
        recorded = [out for out in outs if isinstance(out, minigrad.Tensor) and out.grad_fn is not None]
        for out in recorded:
            out.backward(minigrad.randn(out.shape, dtype=out.dtype), retain_graph=True)
    text, page = str(steps), steps.html()
    assert len(steps) >= bool(recorded) and all(
        f"{s.number}. {s.name}" in text and f'id="step-{s.number}"' in page for s in steps
    )


class Outline(HTMLParser):
    """The ids of a page, where its links go, and whether its tags nest."""

    def __init__(self, text):
        super().__init__()
        self.open, self.ids, self.links = [], set(), set()
        self.feed(text)
        assert not self.open

    def handle_starttag(self, tag, attributes):
        given = dict(attributes)
        self.ids |= {given["id"]} if "id" in given else set()
        self.links |= {given["href"]} if "href" in given else set()
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def test_the_page_is_whole(tmp_path):
    a = leaf(1.0, 2.0)
    with Steps() as steps:
        (a.exp() * (a < 5)).sum().backward()  # <script>
    path = tmp_path / "steps.html"
    path.write_text("older")
    steps.save(path)
    text = path.read_text(encoding="utf-8")
    outline = Outline(text)
    assert outline.ids == {"step-1", "step-2", "step-3"} and outline.links == {"#step-2", "#step-3"}
    assert "<script" not in text and "&lt;script&gt;" in text and "src=" not in text
    assert text == steps._repr_html_()
    with pytest.raises(RuntimeError, match="does not exist"):
        steps.save(tmp_path / "nowhere" / "steps.html")
