"""A traced program is the computation and its backward, to the last bit, for other numbers as well."""

import re
import subprocess
import sys
import textwrap
import threading
import warnings
from pathlib import Path

import numpy as np
import pytest

import minigrad
from compare import cases, checks, ops
from compare.strategies import Seeded
from minigrad.autograd import Program, TraceError, engine, trace
from minigrad.namespace import NumPy, namespaces


@pytest.fixture(autouse=True)
def nothing_is_left_behind():
    yield
    assert engine.observers == () and namespaces[np.ndarray] is NumPy


def same(a, b):
    a, b = (np.asarray(x) for x in (a, b))
    return a.dtype == b.dtype and a.shape == b.shape and np.array_equal(a, b, equal_nan=a.dtype.kind == "f")


def check(function, program, tensors):
    """The program gives what the engine gives for the numbers that the tensors now hold."""
    value, gradients = program(*(t.detach().numpy() for t in tensors))
    loss = function()
    assert same(value, loss.detach().numpy())
    wanted = [t for t in tensors if t.requires_grad]
    found = iter(
        minigrad.autograd.grad(loss, wanted, allow_unused=True) if loss.requires_grad else [None] * len(wanted)
    )
    for tensor, gradient in zip(tensors, gradients):
        expected = next(found) if tensor.requires_grad else None
        assert (gradient is None) == (expected is None)
        assert gradient is None or same(gradient, expected.numpy())


CUBIC = """\
def program(x, y, a, b, c, d):
    # return (a + b * x + c * x**2 + d * x**3 - y).pow(2).sum()
    v1 = x * x
    v2 = x * x * x
    v3 = a + b * x + c * v1 + d * v2 - y
    v4 = (v3 * v3).sum()
    # backward
    g1 = np.float32(1.0)
    # SumBackward0
    g2 = np.broadcast_to(g1, (2000,))
    # PowBackward0
    g3 = g2 * (v3 + v3)
    # MulBackward0
    g4 = g3 @ v2
    g5 = g3 @ v1
    # AddBackward0
    g6 = g3.sum()
    # MulBackward0
    g7 = g3 @ x
    return v4, (None, None, g6, g7, g5, g4)
"""


def test_the_cubic_is_the_program_that_a_person_writes():
    x = minigrad.linspace(-3, 3, 2000)
    y = minigrad.sin(x)
    a, b, c, d = (minigrad.tensor(v, requires_grad=True) for v in (0.1, -0.2, 0.3, 0.4))

    def loss():
        return (a + b * x + c * x**2 + d * x**3 - y).pow(2).sum()

    program = trace(loss, x=x, y=y, a=a, b=b, c=c, d=d)
    assert program.code == CUBIC and program.inputs == ("x", "y", "a", "b", "c", "d")
    assert isinstance(program, Program) and "x: float32[2000]" in repr(program)
    for _ in range(20):
        check(loss, program, [x, y, a, b, c, d])
        value, gradients = program(*(t.detach().numpy() for t in (x, y, a, b, c, d)))
        with minigrad.no_grad():
            for p, g in zip((a, b, c, d), gradients[2:]):
                p -= 1e-6 * minigrad.from_numpy(g)
    assert all(p.grad is None for p in (a, b, c, d)), "tracing and running add to no .grad"
    alone = {"np": np}
    exec(program.code, alone)  # nothing but NumPy
    assert same(alone["program"](*(t.detach().numpy() for t in (x, y, a, b, c, d)))[0], loss().detach().numpy())


def test_a_training_run_repeats_the_engine_s():
    minigrad.manual_seed(0)
    model = minigrad.nn.Sequential(minigrad.nn.Linear(3, 8), minigrad.nn.Tanh(), minigrad.nn.Linear(8, 2))
    x, target = minigrad.randn(16, 3), minigrad.randint(2, (16,))
    parameters = dict(model.named_parameters())

    def loss():
        return minigrad.nn.functional.cross_entropy(model(x), target)

    program = trace(loss, x=x, **parameters)
    assert program.inputs == ("x", "_0_weight", "_0_bias", "_2_weight", "_2_bias")
    assert "# c1: int64[16, 1], as it was when traced" in program.code and "# TanhBackward0" in program.code
    optimizer = minigrad.optim.SGD(model.parameters(), lr=0.5)
    first = loss().item()
    for _ in range(30):
        check(loss, program, [x, *parameters.values()])
        optimizer.zero_grad()
        loss().backward()
        optimizer.step()
    assert loss().item() < first


def test_a_function_of_the_users_own():
    class Cube(minigrad.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x * x * x

        @staticmethod
        def backward(ctx, g):
            (x,) = ctx.saved_tensors
            return 3 * x * x * g

    a = minigrad.tensor([0.5, -2.0], requires_grad=True)
    program = trace(lambda: Cube.apply(a).sum(), a=a)
    assert "# return x * x * x\n    v1 = a * a * a" in program.code and "# return 3 * x * x * g\n" in program.code
    check(lambda: Cube.apply(a).sum(), program, [a])


def test_operators_bind_as_they_were_meant_to():
    a, b = (minigrad.tensor(v, dtype=minigrad.float64, requires_grad=True) for v in ([0.5, -2.0], [3.0, 0.25]))

    def each(a, b):
        yield from (
            a - (b - a),
            (a - b) - a,
            a / (b / a),
            a / b / a,
            a * (b + 1),
            (a + b) * 2,
            -(a + b),
            -a * b,
            (-a) ** 2,
        )
        yield from ((a * b) ** 3, -(a**2), 2 ** (a * b), 1 - a, 1 / (1 + a * a), (a < b) * a, (a + b).T, (a - b)[0] - b)
        yield from (
            (-1.5) ** (b * 4),
            -1.5 * a,
            a - -1.5,
            a % b,
            (a % b) % 0.3,
            (a @ b) * a,
            a * a * b - b,
        )
        yield from (((a < b) == (b < 1)) * a, (a < (b == a)) * b, (a == (a < b)) * b, ((a < b) != (a < 0)) * a)
        yield from (((a < b) & (a < 0)) * b, (~(a < b)) * b, ((a < b) | (b < 1)) * a)

    for i in range(len(list(each(a, b)))):

        def function(i=i):
            return list(each(a, b))[i].sum()

        program = trace(function, a=a, b=b)
        check(function, program, [a, b])
        with minigrad.no_grad():
            kept = a.clone(), b.clone()
            a.mul_(-1.25), b.mul_(0.5)
        check(function, program, [a, b])
        with minigrad.no_grad():
            a.copy_(kept[0]), b.copy_(kept[1])


READS = {"prod", "prod.all", "cumprod", "x[...] = y", "F.binary_cross_entropy"}
WRITES = {
    "x[...] = number", "copy_", "write through a view", "write through a transposed view", "view of what was written",
    "F.cosine_similarity",
}  # fmt: skip
ROWS = [c for c in cases.CASES if c.orders and ops.present(minigrad, c)]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("case", ROWS, ids=lambda c: c.name)
def test_every_op_gives_the_same_bits_when_traced(case, dtype):
    example = checks.draw(case, Seeded(1), "plain", dtype)
    if example is None:
        pytest.skip("the row has no such example")
    run = checks._Run(minigrad, example, example.differentiable())
    tensors = {n: t for n, t in run.tensors.items() if isinstance(t, minigrad.Tensor) and t.dtype.is_floating_point}

    def function():
        outs = [o for o in checks.flatten(run.call(), minigrad) if isinstance(o, minigrad.Tensor) and o.requires_grad]
        rng = np.random.default_rng(0)
        weights = [rng.normal(size=tuple(o.shape)).astype(str(o.dtype)[6:]) for o in outs]
        return sum(((o * minigrad.from_numpy(np.asarray(w))).sum() for o, w in zip(outs, weights)), minigrad.zeros(()))

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if case.name in READS | WRITES:
            said = "cannot be read" if case.name in READS else "written to in place"
            with pytest.raises((TraceError, RuntimeError), match=said + "|modified by an inplace"):
                trace(function, **tensors)
            return
        program = trace(function, **tensors)
        for factor in (1, 0.75):
            with minigrad.no_grad():
                for t in tensors.values():
                    t.mul_(factor)
            check(function, program, list(tensors.values()))


# -- what is refused --------------------------------------------------------------------------------------------------


def sum_in_place(a):
    total = 0
    for i in range(2):
        total += a[i]
    return total


def halved(a):
    a.data = a.data * 0.5
    return a


def leaf(*values):
    return minigrad.tensor(values, requires_grad=True)


@pytest.mark.parametrize("function, said", [
    (lambda a: a.sum() * a[0].item(), "cannot be read"),
    (lambda a: a.sum() if a.sum() > 0 else a[0], "cannot be read"),
    (lambda a: print(a), "cannot be read"),
    (lambda a: (a * 2).detach().numpy(), "cannot be read"),
    (lambda a: (a * 1).add_(1).sum(), "cannot be written to in place|written to in place"),
    (lambda a: a.sum() if a.equal(minigrad.ones(2)) else a[0], "cannot be read"),
    (lambda a: a[a > 0].sum(), "cannot be read"),
    (lambda a: a.masked_select(a > 0).sum(), "cannot be read"),
    (lambda a: a[minigrad.where(a > 0)[0]].sum(), "cannot be read"),
    (lambda a: minigrad.unique(a.detach()).sum() * a.sum(), "cannot be read"),
    (lambda a: minigrad.nonzero(a).sum() * a.sum(), "cannot be read"),
    (lambda a: sum_in_place(a), "x = x \\+ y for x \\+= y"),
    (lambda a: (a * minigrad.rand(2, generator=minigrad.Generator())).sum(), "nothing random can be drawn"),
    (lambda a: trace(lambda: a.sum(), a=a), "cannot run within another"),
    (lambda a: halved(a).sum(), ".data of its inputs cannot be replaced"),
    (lambda a: minigrad.nn.functional.dropout(a, 0.5, True).sum(), "nothing random can be drawn"),
    (lambda a: (a * minigrad.rand(2)).sum(), "nothing random can be drawn"),
])  # fmt: skip
def test_what_no_straight_line_can_repeat_is_refused(function, said):
    a = leaf(1.0, 2.0)
    with pytest.raises(TraceError, match=said):
        trace(lambda: function(a), a=a)
    assert a._array.__class__ is np.ndarray and (a * 2).tolist() == [2.0, 4.0] and a.grad is None


@pytest.mark.parametrize("call, error, said", [
    (lambda a: trace(lambda: a * 2, a=a), RuntimeError, "grad can be implicitly created only for scalar outputs"),
    (lambda a: trace(lambda: 3, a=a), TypeError, "must return a Tensor, not int"),
    (lambda a: trace(lambda: a.sum(), a=3), TypeError, "'a' must be Tensor, not int"),
    (lambda a: trace(lambda: a.sum(), v1=a), ValueError, "cannot be called 'v1'"),
    (lambda a: trace(lambda: a.sum(), **{"lambda": a}), ValueError, "cannot be called 'lambda'"),
    (lambda a: trace(lambda: a.sum(), **{"a.b": a, "a_b": leaf(1.0)}), ValueError, "cannot be called 'a_b'"),
    (lambda a: trace(lambda: a.sum(), a=a * 2), ValueError, "computed from other tensors"),
    (lambda a: trace(lambda: a.sum(), **{"": a}), ValueError, "cannot be called ''"),
    (lambda a: trace(lambda: a.sum(), slice=a), ValueError, "cannot be called 'slice'"),
    (lambda a: trace(lambda: a.sum(), a=a, b=a), ValueError, "'b' is given under another name as well"),
    (lambda a: trace(lambda: a.sum(), a=a)(np.ma.array([1.0, 2.0], "f4")), ValueError, "'a' is MaskedArray"),
    (lambda a: trace(lambda: a.sum(), a=a)(), TypeError, r"takes 1 arrays, a: float32\[2\]; 0 were given"),
    (lambda a: trace(lambda: a.sum(), a=a)(np.ones(2)), ValueError, r"'a' is float64\[2\]. Trace it again"),
    (lambda a: trace(lambda: a.sum(), a=a)(np.ones(3, "f4")), ValueError, r"for a: float32\[2\]; 'a' is float32\[3\]"),
    (lambda a: trace(lambda: a.sum(), a=a)([1.0, 2.0]), ValueError, "'a' is list"),
])  # fmt: skip
def test_wrong_arguments_say_what_was_expected(call, error, said):
    with pytest.raises(error, match=said):
        call(leaf(1.0, 2.0))


def test_values_without_gradients():
    a = minigrad.tensor([1.0, 2.0])
    program = trace(lambda: a.exp() * 2, a=a)
    assert "backward" not in program.code
    value, gradients = program(np.float32([0.0, 1.0]))
    assert gradients == (None,) and same(value, (minigrad.tensor([0.0, 1.0]).exp() * 2).numpy())
    a = leaf(1.0)
    value, gradients = trace(lambda: a.detach() * 2, a=a)(np.float32([3.0]))
    assert value.tolist() == [6.0] and gradients == (None,)


def test_the_readme_shows_what_is_printed(tmp_path):
    text = (Path(minigrad.__file__).parent.parent / "README.md").read_text(encoding="utf-8")
    code, shown = re.search(r"```python\n(x, w = .*?)```\n\n((?:    [^\n]*\n|\n)+)", text, re.S).groups()
    script = tmp_path / "script.py"
    script.write_text("import torch\n" + code)
    done = subprocess.run([sys.executable, "-m", "minigrad", "run", str(script)], capture_output=True, text=True)
    assert done.stdout.strip() == textwrap.dedent(shown).strip()


def test_constants_are_as_they_were_when_they_were_used():
    a = leaf(1.0, 2.0)

    def changing():
        c = minigrad.ones(2)
        y = a + c
        c.add_(1)
        return (y + c).sum()

    program = trace(changing, a=a)
    check(changing, program, [a])
    c = minigrad.tensor([1.0, 2.0])
    program = trace(lambda: (a * c).sum(), a=a)
    c.zero_()
    assert program(np.float32([1.0, 1.0]))[0] == 3.0


def test_what_is_returned_belongs_to_the_caller():
    a, c = leaf(1.0), minigrad.tensor([5.0])
    for function in (lambda: a + 2, lambda: a * c, lambda: a, lambda: a.view(1, 1), lambda: c, lambda: c * 1 + 0 * a):
        program = trace(function, a=a)
        given = np.float32([3.0])
        first = program(given)
        kept = [x.copy() for x in (first[0], *first[1]) if x is not None]
        for x in (first[0], *first[1]):
            if x is not None:
                x[...] = 7
        assert given.tolist() == [3.0]
        again = program(given)
        assert all(same(x, y) for x, y in zip(kept, [x for x in (again[0], *again[1]) if x is not None]))


@pytest.mark.parametrize("function", [
    lambda x: x.t().clone().sum(0).pow(2).sum(),
    lambda x: minigrad.nn.functional.softmax(x.t().clone(), 0).pow(2).sum(),
    lambda x: (x.mean(0) * 1.1).exp().sum(),
    lambda x: (x[:20].flatten()[:300] @ WEIGHT).tanh().sum(),
    lambda x: (x[0] @ WEIGHT[:, ::2]).sum() + (x[:, ::-1].sum(1) if False else x[:, ::2].sum(1)).exp().sum(),
], ids="clone softmax mean transposed sliced".split())  # fmt: skip
def test_bits_depend_on_layouts_and_layouts_are_kept(function):
    x = minigrad.randn(50, 300, requires_grad=True)
    program = trace(lambda: function(x), x=x)
    check(lambda: function(x), program, [x])
    value, (gradient,) = program(np.asfortranarray(x.detach().numpy()))  # taken in the layout that was traced
    assert same(value, function(x).detach().numpy())


WEIGHT = minigrad.randn(200, 300).t()


def test_half_precision_has_ways_of_its_own():
    a = minigrad.tensor([1.0, 2.0, -0.5], dtype=minigrad.float16, requires_grad=True)
    large = np.float16([60000.0, 60000.0, 30000.0])
    for function in (a.mean, a.sum, a.prod, a.sigmoid, a.softmax, a.norm):
        arguments = {"softmax": (0,)}.get(function.__name__, ())
        if function.__name__ == "prod":
            continue  # it reads its numbers

        def total():
            return function(*arguments).sum()  # noqa: B023

        program = trace(total, a=a)
        check(total, program, [a])
        value, _ = program(large)
        with minigrad.no_grad():
            kept = a.clone()
            a.copy_(minigrad.from_numpy(large))
        assert same(value, total().detach().numpy())
        with minigrad.no_grad():
            a.copy_(kept)


def test_nothing_from_before_the_trace_is_differentiated():
    w = leaf(1.0, 2.0)
    before = w.exp()
    with pytest.raises(TraceError, match="ExpBackward0 was recorded before the trace"):
        trace(lambda: (before * w).sum(), w=w)
    before.sum().backward()  # and that graph is as it was
    assert w.grad.tolist() == w.exp().tolist()


def test_gradients_that_are_constants():
    class Ones(minigrad.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 1

        @staticmethod
        def backward(ctx, g):
            return minigrad.ones(2)

    a = leaf(1.0, 2.0)
    value, (gradient,) = trace(lambda: Ones.apply(a).sum(), a=a)(np.float32([5.0, 6.0]))
    assert value == 11 and gradient.tolist() == [1.0, 1.0]


def test_what_is_left_over_says_so():
    a, left = leaf(1.0, 2.0), []

    def function():
        a.sum().backward()
        left.append(a * 2)
        return a.sum()

    trace(function, a=a)
    assert a.grad is None
    with pytest.raises(TraceError, match="left over from a trace"):
        left[0] + 1


def test_other_threads_may_draw_meanwhile():
    drawn, done = [], threading.Event()
    x = minigrad.ones(3, requires_grad=True)

    def draw():
        while not done.is_set():
            drawn.append(minigrad.rand(2))

    thread = threading.Thread(target=draw)
    thread.start()
    try:
        for _ in range(20):
            program = trace(lambda: (x.sin() * x).exp().sum(), x=x)
            with pytest.raises(TraceError, match="random"):
                trace(lambda: (x * minigrad.rand(3)).sum(), x=x)
    finally:
        done.set()
        thread.join()
    assert drawn and "np.sin(x)" in program.code
