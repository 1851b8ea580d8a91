"""The backward pass: order, accumulation, who owns which memory, and what is freed when."""

import gc
import threading
import tracemalloc
import warnings
import weakref

import numpy as np
import pytest
import torch

import minigrad
from minigrad.namespace import LARGE, MANY

engines = pytest.mark.parametrize("e", [minigrad, torch], ids=["minigrad", "torch"])


@pytest.fixture
def no_gc():
    gc.collect()
    gc.disable()
    yield
    gc.enable()


# -- what is computed ------------------------------------------------------------------------------------------------


@engines
def test_one_tensor_used_twice_has_two_edges(e):
    x = e.tensor(3.0, requires_grad=True)
    y = x * x
    assert len(y.grad_fn.next_functions) == 2
    y.backward()
    assert x.grad.item() == 6.0


@engines
def test_diamonds(e):
    x = e.tensor(2.0, requires_grad=True)
    a = x * 3
    b, c = a * a, a + 1
    d = b * c
    (d + a).backward()
    # d = 9x^2 (3x + 1), so the sum is 27x^3 + 9x^2 + 3x
    assert x.grad.item() == 81 * 4 + 18 * 2 + 3


@engines
def test_a_node_waits_for_every_cotangent(e):
    """A long way and a short way to one node: its backward runs once, when both have arrived."""
    x = e.tensor(1.0, requires_grad=True)
    shared = x * 2
    calls = []
    shared.register_hook(lambda g: calls.append(g.item()))
    long = shared
    for _ in range(50):
        long = long * 1.0
    (long + shared + shared * 3).backward()
    assert calls == [5.0] and x.grad.item() == 10.0


@pytest.mark.parametrize("doublings", [10_000])
def test_doublings_take_time_in_proportion_to_the_graph(doublings):
    """x + x, again and again: 2 ** 10000 paths, of which none may be walked on its own."""
    x = minigrad.tensor(0.5, requires_grad=True)
    y = x
    for _ in range(doublings):
        y = (y + y) * 0.5
    y.backward()
    assert x.grad.item() == 1.0


@pytest.mark.parametrize("create_graph", [False, True])
def test_a_chain_of_100_000_runs_backward_and_is_dropped_without_recursion(create_graph, no_gc):
    x = minigrad.tensor(1.0, requires_grad=True)
    y = x
    for _ in range(100_000 if not create_graph else 20_000):
        y = y * 1.0
    first = weakref.ref(y.grad_fn)
    (g,) = minigrad.autograd.grad(y, x, create_graph=create_graph)
    assert g.item() == 1.0
    del y, g
    assert first() is None


def test_a_chain_that_never_ran_backward_is_dropped_without_recursion(no_gc):
    y = x = minigrad.ones(1, requires_grad=True)
    for _ in range(100_000):
        y = y + x
    first = weakref.ref(y.grad_fn)
    del y
    assert first() is None


def test_a_wide_graph(no_gc):
    x = minigrad.tensor(1.0, requires_grad=True)
    leaves = [minigrad.tensor(2.0, requires_grad=True) for _ in range(3_000)]
    total = minigrad.stack([x * leaf for leaf in leaves]).sum()
    total.backward()
    assert x.grad.item() == 6_000 and leaves[7].grad.item() == 1.0


@pytest.mark.parametrize("n", [3, MANY + 1], ids=["small", "large"])
@pytest.mark.parametrize("seed", range(30))
def test_random_graphs(seed, n):
    """A random program over three leaves, first and second derivatives against torch's."""

    def run(e):
        random = np.random.default_rng(seed)
        leaves = [e.tensor(random.uniform(0.5, 1.5, shape), requires_grad=True) for shape in [(), (n,), (2, 1)]]
        pool = list(leaves)
        for _ in range(15):
            a, b = (pool[i] for i in random.integers(len(pool), size=2))
            pool.append([a + b, a * b, a - b, a.sin(), a / (b * b + 1), (a * 0.5).exp()][random.integers(6)])
            if random.integers(2):  # else cotangents pass on as they are
                pool[-1] = pool[-1].tanh()
        loss = sum(t.sum() for t in pool[3:])
        grads = e.autograd.grad(loss, leaves, create_graph=True, allow_unused=True, materialize_grads=True)
        plain = e.autograd.grad(loss, leaves, retain_graph=True, allow_unused=True, materialize_grads=True)
        second = e.autograd.grad(sum((g * g).sum() for g in grads), leaves, allow_unused=True, materialize_grads=True)
        return [t.tolist() for t in (*grads, *second, *plain)]

    for ours, theirs in zip(run(minigrad), run(torch)):
        np.testing.assert_allclose(ours, theirs, rtol=1e-11, atol=1e-12)


# -- the arguments of backward and grad --------------------------------------------------------------------------------


@engines
def test_backward_with_inputs_touches_only_them(e):
    x, y = e.tensor(2.0, requires_grad=True), e.tensor(3.0, requires_grad=True)
    middle = x * y
    (middle * middle).backward(inputs=[x, middle])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert (x.grad.item(), y.grad, middle.grad.item()) == (36.0, None, 12.0)


@engines
def test_grad_of_a_middle_tensor_runs_only_what_is_needed(e):
    x = e.tensor(2.0, requires_grad=True)
    middle = x * 3
    ran = []
    middle.grad_fn.register_hook(lambda *grads: ran.append(1))
    (g,) = e.autograd.grad(middle * middle, middle)
    assert g.item() == 12.0 and not ran and x.grad is None


@engines
def test_grad_of_a_root_with_respect_to_itself(e):
    x = e.tensor([2.0, 3.0], requires_grad=True)
    y = x * 3
    v = e.tensor([1.0, 4.0])
    results = e.autograd.grad(y, [y, x], v)
    assert [r.tolist() for r in results] == [[1.0, 4.0], [3.0, 12.0]]
    assert e.autograd.grad(x, x, v)[0].tolist() == [1.0, 4.0]


@engines
def test_the_same_input_twice(e):
    x = e.tensor(2.0, requires_grad=True)
    assert [g.item() for g in e.autograd.grad(x * x, [x, x])] == [4.0, 4.0]


@engines
def test_several_roots_and_the_same_root_twice(e):
    x = e.tensor(2.0, requires_grad=True)
    a, b = x * x, x * 3
    e.autograd.backward([a, b, b], [e.tensor(10.0), None, e.tensor(2.0)])
    assert x.grad.item() == 40 + 3 + 6


@engines
def test_a_root_on_the_path_of_another(e):
    x = e.tensor(2.0, requires_grad=True)
    a = x * x
    b = a * 5
    e.autograd.backward([a, b])
    assert x.grad.item() == 24.0


@engines
def test_unused_inputs(e):
    x, unused = e.tensor(2.0, requires_grad=True), e.ones(2, requires_grad=True)
    with pytest.raises(RuntimeError, match="appears to not have been used in the graph. Set allow_unused=True"):
        e.autograd.grad(x * 2, [x, unused])
    assert e.autograd.grad(x * 2, [x, unused], allow_unused=True)[1] is None
    assert e.autograd.grad(x * 2, [x, unused], materialize_grads=True)[1].tolist() == [0.0, 0.0]
    with pytest.raises(ValueError, match="Expected allow_unused to be True or not passed when materialize_grads=True"):
        e.autograd.grad(x * 2, [x, unused], allow_unused=False, materialize_grads=True)


@engines
def test_retain_graph_and_backward_twice(e):
    x = e.tensor(2.0, requires_grad=True)
    y = x.exp() * x
    y.backward(retain_graph=True)
    once = x.grad.item()
    y.backward()
    assert x.grad.item() == 2 * once
    with pytest.raises(RuntimeError, match="Trying to backward through the graph a second time"):
        y.backward()
    assert x.grad.item() == 2 * once


@engines
def test_what_saves_nothing_may_run_twice(e):
    x = e.tensor([2.0, 3.0], requires_grad=True)
    y = (x + 1).sum()
    y.backward()
    y.backward()
    assert x.grad.tolist() == [2.0, 2.0]


@engines
def test_create_graph_keeps_the_graph_and_records_the_gradient(e):
    x = e.tensor(2.0, requires_grad=True)
    y = x**3
    (g,) = e.autograd.grad(y, x, create_graph=True)
    assert g.requires_grad and g.item() == 12.0
    (h,) = e.autograd.grad(g, x, create_graph=True)
    (k,) = e.autograd.grad(h, x)
    assert (h.item(), k.item(), k.requires_grad) == (12.0, 6.0, False)
    y.backward()
    assert x.grad.item() == 12.0 and not x.grad.requires_grad


@engines
def test_a_cotangent_that_requires_grad_is_differentiable(e):
    x, v = e.tensor([1.0, 2.0], requires_grad=True), e.tensor([3.0, 4.0], requires_grad=True)
    (g,) = e.autograd.grad(x * x, x, v, create_graph=True)
    assert [t.tolist() for t in e.autograd.grad(g.sum(), [v, x])] == [[2.0, 4.0], [6.0, 8.0]]


@engines
def test_a_cotangent_of_another_floating_dtype_is_converted(e):
    x = e.ones(2, requires_grad=True)
    (x * 2).backward(e.ones(2, dtype=e.float64))
    assert x.grad.dtype is e.float32


# -- .grad -----------------------------------------------------------------------------------------------------------


@engines
def test_grad_is_added_to_in_place(e):
    x = e.ones(2, requires_grad=True)
    (x * 2).sum().backward()
    first = x.grad
    (x * 3).sum().backward()
    assert x.grad is first and first.tolist() == [5.0, 5.0] and first._version == 1


@engines
def test_under_create_graph_grad_is_added_to_out_of_place(e):
    x = e.ones(2, requires_grad=True)
    (x * x).sum().backward(create_graph=True)
    first = x.grad
    (x * x).sum().backward(create_graph=True)
    assert first.tolist() == [2.0, 2.0] and x.grad.tolist() == [4.0, 4.0] and x.grad.requires_grad
    x.grad = None


@engines
def test_grads_set_to_none_and_deleted(e):
    x = e.ones(2, requires_grad=True)
    for remove in (lambda: setattr(x, "grad", None), lambda: delattr(x, "grad")):
        (x * 2).sum().backward()
        assert x.grad.tolist() == [2.0, 2.0]
        remove()
        assert x.grad is None


def memory_is_shared(a, b):
    return np.shares_memory(a.detach().numpy(), b.detach().numpy())


PROGRAMS = {
    "add": lambda a, b: a + b,
    "sub": lambda a, b: a - b,
    "sum": lambda a, b: (a + b).sum(),
    "mean of rows": lambda a, b: (a + b).mean(0),
    "views": lambda a, b: a.t().t().view(b.shape) + b.flatten().reshape(a.shape),
    "expand": lambda a, b: a[0].expand(b.shape) + b,
    "slices": lambda a, b: a[:2] + b[:2],
    "cat": lambda a, b: minigrad.cat([a, b]),
    "stack and unbind": lambda a, b: minigrad.stack(minigrad.stack([a, b]).unbind(0)),
    "clone": lambda a, b: a.clone() + b.clone(),
    "the leaf itself": lambda a, b: a,
    "where": lambda a, b: minigrad.where(a > 0, a, b),
}


@pytest.mark.parametrize("n", [3, 30])
@pytest.mark.parametrize("program", PROGRAMS)
def test_no_gradient_shares_memory(program, n):
    a, b = minigrad.ones(n, n, requires_grad=True), minigrad.ones(n, n, requires_grad=True)
    out = PROGRAMS[program](a, b)
    cotangent = minigrad.ones(out.shape)
    if out.requires_grad and not out.is_leaf:
        out.retain_grad()
    out.backward(cotangent)
    grads = [t.grad for t in (a, b, *([] if out is a else [out])) if t.grad is not None]
    everything = [a, b, cotangent, *grads] + ([] if out is a else [out.detach().clone()])
    for g in grads:
        for other in everything:
            assert other is g or not memory_is_shared(g, other), program
        assert g.numpy().flags.writeable and 0 not in g.stride()
    found = minigrad.autograd.grad(PROGRAMS[program](a, b), [a, b], cotangent, allow_unused=True)
    for i, g in enumerate(found):
        if g is not None:
            assert not memory_is_shared(g, cotangent) or program == "the leaf itself"
            assert not any(memory_is_shared(g, h) for h in found[i + 1 :] if h is not None)


@pytest.mark.parametrize("a_turned", [False, True])
@pytest.mark.parametrize("b_turned", [False, True])
def test_the_gradient_of_a_factor_lies_in_memory_as_the_factor(a_turned, b_turned):
    def layouts(e):
        a = (e.ones(3, 5).t() if a_turned else e.ones(5, 3)).requires_grad_()
        b = (e.ones(4, 3).t() if b_turned else e.ones(3, 4)).requires_grad_()
        found = []
        for out in (a @ b, e.addmm(e.ones(4), a, b), e.addmm(e.ones(4), a, b, alpha=2)):
            found += [g.stride() for g in e.autograd.grad(out, [a, b], e.ones(5, 4), retain_graph=True)]
            out.backward(e.ones(5, 4))
            found += [a.grad.stride(), b.grad.stride()]
            a.grad = b.grad = None
        return found

    assert layouts(minigrad) == layouts(torch)


@pytest.mark.parametrize("n", [4, 2 * MANY])
def test_accumulating_never_changes_the_cotangent_or_another_grad(n):
    a, b = minigrad.ones(n, requires_grad=True), minigrad.ones(n, requires_grad=True)
    cotangent = minigrad.ones(n)
    for times in (1, 2, 3):
        (a + b).backward(cotangent)
        (a - b + a).backward(cotangent)
        assert a.grad.tolist() == [3.0 * times] * n and b.grad.tolist() == [0.0] * n
    assert cotangent.tolist() == [1.0] * n and cotangent._version == 0


@pytest.mark.parametrize("n", [3, 2 * MANY])
def test_fan_in_does_not_write_into_what_somebody_else_holds(n):
    """Cotangents of one tensor are summed in place only in memory that nobody else can see."""
    x = minigrad.ones(n, requires_grad=True)
    kept = []
    y, z = x * 1, x * 1
    for t in (y, z):
        t.register_hook(lambda g: kept.append((g, g.tolist())) and None)
    u = x * 2
    (y + z + x + u * u.exp() + u.neg() + u.neg()).sum().backward()
    np.testing.assert_allclose(x.grad.tolist(), [3 + 2 * (3 * np.exp(2) - 2)] * n, rtol=1e-6)
    assert all(g.tolist() == values for g, values in kept)


@engines
@pytest.mark.parametrize("n", [3, 2 * LARGE])
def test_who_looks_at_a_cotangent_sees_it_whole(e, n):
    """Products and negations may write their result over a large cotangent: not while anybody can look at it."""

    class Kept(e.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 1

        @staticmethod
        def backward(ctx, g):
            kept.append((g * 2, [2.0] * n))
            return kept[-1][0]

    kept, x, w = [], e.ones(n, requires_grad=True), e.full((n,), 3.0, requires_grad=True)
    y = x * w
    y.retain_grad()
    z = -y
    z.register_hook(lambda g: kept.append((g, g.tolist())))
    z.grad_fn.register_prehook(lambda outputs: kept.append((outputs[0], outputs[0].tolist())))
    z.grad_fn.register_hook(lambda inputs, outputs: kept.extend((t, t.tolist()) for t in (*inputs, *outputs)))
    z.grad_fn.register_hook(lambda inputs, outputs: kept.append((outputs[0], [2.0] * n)))
    cotangent = e.ones(n)
    Kept.apply(z).backward(cotangent)
    assert x.grad.tolist() == [-6.0] * n and w.grad.tolist() == y.grad.tolist() == [-2.0] + [-2.0] * (n - 1)
    assert cotangent.tolist() == [1.0] * n
    assert len(kept) == 6 and all(t.tolist() == values for t, values in kept)


@engines
@pytest.mark.filterwarnings("ignore:The given NumPy array is not writable")
def test_a_cotangent_that_cannot_be_written_to(e):
    class Constant(e.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 1

        @staticmethod
        def backward(ctx, g):
            array = np.full(2 * LARGE, 2.0, np.float32)
            array.flags.writeable = False
            return e.from_numpy(array)

    x = e.ones(2 * LARGE, requires_grad=True)
    Constant.apply((x * 3).neg()).backward(e.ones(2 * LARGE))
    y = x * 1
    (Constant.apply(y) + Constant.apply(y)).backward(e.ones(2 * LARGE))
    assert x.grad.tolist() == [-2.0] * (2 * LARGE)


@pytest.mark.parametrize("mode", ["plain", "anomaly", "steps"])
def test_observers_of_the_pass_see_each_cotangent_as_it_came(mode):
    x = minigrad.full((2 * LARGE,), 0.5, requires_grad=True)
    y = (-(-x * x)).exp()
    if mode == "steps":
        with minigrad.autograd.Steps() as steps:
            y.backward(minigrad.ones(2 * LARGE))
        assert [step.g.text for step in steps][:1] == [f"{2 * LARGE} elements from 1. to 1."]
    elif mode == "anomaly":
        with pytest.warns(UserWarning, match="Anomaly"), minigrad.autograd.detect_anomaly():
            y.backward(minigrad.ones(2 * LARGE))
    else:
        y.backward(minigrad.ones(2 * LARGE))
    np.testing.assert_allclose(x.grad.numpy(), 2 * 0.5 * np.exp(0.25), rtol=1e-6)


# -- memory ----------------------------------------------------------------------------------------------------------


def test_a_large_cotangent_is_written_over_where_it_dies():
    n = 1 << 18
    x = minigrad.ones(n, requires_grad=True)
    y = (x * 2).exp().neg().neg().neg()
    cotangent = minigrad.ones(n)
    tracemalloc.start()
    try:
        y.backward(cotangent)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 1.5 * x.grad.numpy().nbytes  # one array, which becomes x.grad


def step(e, w, x):
    loss = ((x * w).relu() - 1).pow(2).mean()
    loss.backward()
    with e.no_grad():
        w -= 0.1 * w.grad
        w.grad = None
    return loss


@pytest.mark.parametrize("backward", [False, True])
@pytest.mark.parametrize(
    "name", ["exp", "sqrt", "sigmoid", "tanh", "relu", "softmax", "cumprod", "max", "sin", "logsumexp", "norm"]
)
def test_a_graph_dies_by_reference_counting_alone(name, backward, no_gc):
    x = minigrad.ones(3, requires_grad=True)
    y = x * 2
    out = getattr(y, name)(0) if name in ("softmax", "cumprod", "max", "logsumexp") else getattr(y, name)()
    out = out.values if name == "max" else out
    nodes = [weakref.ref(y.grad_fn), weakref.ref(out.grad_fn)]
    tensors = [weakref.ref(y), weakref.ref(out)]
    if backward:
        out.sum().backward()
    del y, out
    assert [r() for r in nodes + tensors] == [None] * 4


def test_a_graph_with_hooks_views_and_in_place_writes_dies_too(no_gc):
    x = minigrad.ones(3, 3, requires_grad=True)
    y = x * 2
    y.register_hook(lambda g: g * 2)
    y.retain_grad()
    v = y[0]
    v.mul_(3)
    w = y.exp_()
    refs = [weakref.ref(t) for t in (y, v)] + [weakref.ref(y.grad_fn)]
    w.sum().backward()
    del y, v, w
    assert [r() for r in refs] == [None] * 3


def test_double_backward_graph_dies_too(no_gc):
    x = minigrad.ones(3, requires_grad=True)
    y = (x.exp() * x).sum()
    (g,) = minigrad.autograd.grad(y, x, create_graph=True)
    refs = [weakref.ref(t) for t in (y, g, g.grad_fn)]
    (g * g).sum().backward()
    del y, g
    assert [r() for r in refs] == [None] * 3


def test_saved_tensors_are_freed_by_backward(no_gc):
    x = minigrad.ones(3, requires_grad=True)
    middle = x * 2
    y = middle * middle
    ref = weakref.ref(middle)
    del middle
    assert ref() is not None
    y.sum().backward()
    assert ref() is None and y.requires_grad


def test_a_thousand_training_steps_leave_memory_flat(no_gc):
    w = minigrad.ones(50, requires_grad=True)
    x = minigrad.linspace(-1, 1, 50)
    for _ in range(50):
        step(minigrad, w, x)
    growth = []
    tracemalloc.start()
    try:
        for _ in range(3):  # the interpreter's own tables grow now and then; a leak grows every time
            before = tracemalloc.get_traced_memory()[0]
            for _ in range(1000):
                step(minigrad, w, x)
            growth.append(tracemalloc.get_traced_memory()[0] - before)
    finally:
        tracemalloc.stop()
    assert min(growth) < 1000, growth


# -- hooks -----------------------------------------------------------------------------------------------------------


@engines
def test_tensor_hooks_run_in_order_and_replace_the_gradient(e):
    x = e.tensor(2.0, requires_grad=True)
    y = x * 3
    seen = []
    y.register_hook(lambda g: seen.append(("y1", g.item())) or g * 10)
    y.register_hook(lambda g: seen.append(("y2", g.item())))
    x.register_hook(lambda g: seen.append(("x1", g.item())) or g + 1)
    handle = x.register_hook(lambda g: seen.append(("removed", g.item())))
    handle.remove()
    handle.remove()
    (y * y).backward()
    assert seen == [("y1", 12.0), ("y2", 120.0), ("x1", 360.0)] and x.grad.item() == 361.0


@engines
def test_a_handle_is_a_context_manager(e):
    x = e.tensor(2.0, requires_grad=True)
    with x.register_hook(lambda g: g * 100):
        (x * 1).backward()
    (x * 1).backward()
    assert x.grad.item() == 101.0


@engines
def test_a_leaf_s_hook_sees_the_sum_once(e):
    x = e.tensor(2.0, requires_grad=True)
    seen = []
    x.register_hook(lambda g: seen.append(g.item()))
    (x * x + x).backward()
    assert seen == [5.0]


@engines
def test_a_hook_gets_a_tensor_without_history_unless_create_graph(e):
    x = e.tensor(2.0, requires_grad=True)
    seen = []
    y = x * x
    z = y * y
    y.register_hook(lambda g: seen.append(g.requires_grad))
    e.autograd.grad(z, x, create_graph=True)
    e.autograd.grad(z, x)
    assert seen == [True, False]


@engines
def test_hooks_that_return_nonsense(e):
    x = e.ones(2, requires_grad=True)
    for bad, error in ((lambda g: 3, TypeError), (lambda g: g.sum(), RuntimeError)):
        with x.register_hook(bad), pytest.raises(error):
            (x * 2).sum().backward()
    assert x.grad is None


@engines
def test_hooks_that_raise_stop_backward_and_leave_grad_alone(e):
    x = e.ones(2, requires_grad=True)

    def fail(g):
        raise KeyError("mine")

    y = x * 2
    y.register_hook(fail)
    with pytest.raises(KeyError, match="mine"):
        y.sum().backward()
    assert x.grad is None and e.is_grad_enabled()


@engines
def test_a_hook_needs_a_gradient(e):
    with pytest.raises(RuntimeError, match="cannot register a hook on a tensor that doesn't require gradient"):
        e.ones(1).register_hook(print)
    with pytest.raises(RuntimeError, match="post accumulate grad hooks cannot be registered on non-leaf tensors"):
        (e.ones(1, requires_grad=True) * 2).register_post_accumulate_grad_hook(print)


@engines
def test_post_accumulate_hooks(e):
    x = e.ones(2, requires_grad=True)
    order = []
    x.register_hook(lambda g: order.append("tensor hook"))
    x.register_post_accumulate_grad_hook(lambda t: order.append(("after", t is x, t.grad.tolist())))
    (x * 2).sum().backward()
    (x * 2).sum().backward()
    e.autograd.grad((x * 2).sum(), x)
    assert order == [
        "tensor hook",
        ("after", True, [2.0, 2.0]),
        "tensor hook",
        ("after", True, [4.0, 4.0]),
        "tensor hook",
    ]


@engines
def test_post_accumulate_hook_may_step_and_clear(e):
    x = e.ones(2, requires_grad=True)

    def update(t):
        with e.no_grad():
            t -= 0.5 * t.grad
        t.grad = None

    x.register_post_accumulate_grad_hook(update)
    for _ in range(2):
        (x * 1).sum().backward()
    assert x.tolist() == [0.0, 0.0] and x.grad is None


@engines
def test_node_hooks(e):
    x, y = e.tensor(2.0, requires_grad=True), e.tensor(3.0, requires_grad=True)
    z = x * y
    seen = []
    before = z.grad_fn.register_prehook(lambda outputs: seen.append(outputs[0].item()) or (outputs[0] * 2,))
    z.grad_fn.register_hook(lambda inputs, outputs: seen.append(([g.item() for g in inputs], outputs[0].item())))
    z.backward(retain_graph=True)
    before.remove()
    z.backward()
    assert seen == [1.0, ([6.0, 4.0], 2.0), ([3.0, 2.0], 1.0)]
    assert (x.grad.item(), y.grad.item()) == (9.0, 6.0)


@engines
def test_a_node_hook_replaces_the_gradients_of_the_inputs(e):
    x = e.tensor(2.0, requires_grad=True)
    y = x * 3
    y.grad_fn.register_hook(lambda inputs, outputs: (inputs[0] * 100, *inputs[1:]))
    y.backward()
    assert x.grad.item() == 300.0


@engines
def test_retain_grad(e):
    x = e.tensor(2.0, requires_grad=True)
    y = x * 3
    y.retain_grad()
    y.retain_grad()
    assert y.retains_grad and not x.retains_grad
    y.register_hook(lambda g: g * 2)
    (y * y).backward(retain_graph=True)
    assert (y.grad.item(), x.grad.item()) == (24.0, 72.0)
    (y * 1).backward()
    assert y.grad.item() == 26.0
    x.retain_grad()
    with pytest.raises(RuntimeError, match="can't retain_grad on Tensor that has requires_grad=False"):
        e.ones(1).retain_grad()


@engines
def test_grad_of_a_non_leaf_warns(e):
    y = e.ones(1, requires_grad=True) * 2
    with pytest.warns(UserWarning, match="The .grad attribute of a Tensor that is not a leaf Tensor is being accessed"):
        assert y.grad is None


# -- grad_fn ---------------------------------------------------------------------------------------------------------


@engines
def test_grad_fn_and_next_functions(e):
    x, w = e.ones(2, requires_grad=True), e.ones(2)
    y = (x * w).sum() + 1
    names = []
    node = y.grad_fn
    while node is not None:
        names.append((node.name(), [None if n is None else n.name() for n, _ in node.next_functions]))
        node = node.next_functions[0][0] if node.next_functions else None
    accumulate = "torch::autograd::AccumulateGrad"
    assert names == [
        ("AddBackward0", ["SumBackward0", None]), ("SumBackward0", ["MulBackward0"]),
        ("MulBackward0", [accumulate, None]), (accumulate, []),
    ]  # fmt: skip
    assert y.grad_fn.next_functions[0][0].next_functions[0][0].next_functions[0][0].variable is x
    y.grad_fn.metadata["mine"] = 1
    assert y.grad_fn.metadata == {"mine": 1}
    assert x.grad_fn is None and w.grad_fn is None


# -- threads and reentrance ------------------------------------------------------------------------------------------


def test_threads_run_backward_at_the_same_time():
    shared = minigrad.ones(20, requires_grad=True)
    failures = []

    def work(number):
        try:
            for _ in range(50):
                own = minigrad.full((20,), float(number), requires_grad=True)
                (own * own * shared.detach()).sum().backward()
                assert own.grad.tolist() == [2.0 * number] * 20
                (g,) = minigrad.autograd.grad((shared * number).sum(), shared)
                assert g.tolist() == [float(number)] * 20
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(1, 6)]
    for t in threads:
        t.start()
    for t in threads:
        t.join(30)
    assert not failures and not any(t.is_alive() for t in threads)


@engines
def test_backward_inside_a_hook(e):
    x, w = e.tensor(2.0, requires_grad=True), e.tensor(5.0, requires_grad=True)
    y = x * 3

    def inner(g):
        with e.enable_grad():
            loss = w * w * g.detach()
        loss.backward()

    y.register_hook(inner)
    (y * y).backward()
    assert (x.grad.item(), w.grad.item()) == (36.0, 120.0)


@engines
def test_backward_of_the_same_graph_inside_its_own_hook(e):
    x = e.tensor(2.0, requires_grad=True)
    y = x * x
    z = y * 3
    seen = []

    def again(g):
        if not seen:
            seen.append(None)
            seen.append(e.autograd.grad(z, x, retain_graph=True)[0].item())

    y.register_hook(again)
    z.backward(retain_graph=True)
    assert seen == [None, 12.0] and x.grad.item() == 12.0


def test_grad_mode_and_numpy_s_error_state_survive_a_failed_backward():
    x = minigrad.ones(2, requires_grad=True)
    state = np.geterr()
    with pytest.raises(RuntimeError):
        (x * 2).backward()
    assert minigrad.is_grad_enabled() and np.geterr() == state


@engines
@pytest.mark.parametrize("create_graph", [False, True])
def test_accumulating_is_recorded_where_the_pass_is_whatever_the_grad_mode(e, create_graph):
    x = e.tensor([1.0, 2.0], requires_grad=True)
    modes = []
    x.register_post_accumulate_grad_hook(lambda t: modes.append(e.is_grad_enabled()))
    y = x**3
    y.backward(e.ones(2), retain_graph=True)
    with e.set_grad_enabled(not create_graph):
        y.backward(e.ones(2), create_graph=create_graph)
        assert e.is_grad_enabled() is not create_graph
    assert x.grad.requires_grad is create_graph and modes == [False, create_graph]


# -- when hooks run, and which nodes torch takes for one


@engines
def test_the_hooks_of_a_leaf_run_when_its_last_gradient_has_come(e):
    """Between those of the nodes, the hook after accumulating before the next leaf's; here against torch itself."""
    log = []

    def leaf(name, after=False):
        t = e.tensor([2.0, 3.0], requires_grad=True)
        t.register_hook(lambda g: log.append(name))
        if after:
            t.register_post_accumulate_grad_hook(lambda t: log.append(name + " after"))
        return t

    a, b, c = leaf("a", True), leaf("b"), leaf("c", True)
    early = a.exp()
    early.register_hook(lambda g: log.append("early"))
    late = early * b
    late.register_hook(lambda g: log.append("late"))
    (late * c + a).sum().backward(retain_graph=True)
    assert log == ["c", "c after", "late", "b", "early", "a", "a after"]
    log.clear()
    e.autograd.grad(late.sum(), [a, b])
    assert log == ["late", "b", "early", "a"]
    log.clear()
    c.backward(e.ones(2))
    assert log == ["c", "c after"]


@engines
def test_hooks_of_a_leaf_that_wants_no_gradient_any_more(e):
    log, x = [], e.tensor([2.0, 3.0], requires_grad=True)
    y = x * 2
    x.register_post_accumulate_grad_hook(lambda t: log.append(t.grad))
    x.requires_grad_(False)
    y.sum().backward()
    assert log == [None]


@engines
def test_a_view_that_only_its_base_makes_require_grad_has_no_gradient(e):
    log, x = [], e.tensor([2.0, 3.0], requires_grad=True)
    with e.no_grad():
        v = x.view(2)
    assert v.requires_grad and v.is_leaf
    v.register_hook(log.append)
    (v * 2).sum().backward()
    assert not log and e.autograd.grad((v * x).sum(), [x, v], allow_unused=True)[1] is None


@engines
def test_pieces_of_one_call_are_one_node_to_inputs(e):
    """Torch's UnbindBackward is met whichever piece is asked for, and the hooks of the others are called."""
    log, x = [], e.tensor([[2.0, 3.0], [4.0, 5.0]], requires_grad=True)
    for a, b in (x.unbind(0), x.split(1), x.chunk(2)):
        log.clear()
        b.register_hook(lambda g: log.append(g.tolist()) if g is not None else None)
        b.retain_grad()
        assert e.autograd.grad((b * 3).sum(), [a], allow_unused=True) == (None,)
        assert len(log) == 1 and b.grad is not None


@engines
def test_a_root_written_to_through_a_view_runs_what_wrote_it(e):
    x = e.tensor([[2.0, 3.0], [4.0, 5.0]], requires_grad=True)
    y = x * 1
    y[1:].mul_(y[:-1])
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        y.backward(e.ones(2, 2), inputs=[y])


@engines
def test_a_gradient_that_no_longer_fits(e):
    x = e.tensor([[1.0], [2.0]], requires_grad=True)
    x.sum().backward()
    x.data = e.tensor([[1.0, 2.0, 3.0]])
    with pytest.raises(RuntimeError, match="doesn't match the broadcast shape"):
        x.sum().backward()


# What torch saves, beyond what a formula needs: a write is noticed, and a second pass refused.
SAVED = """
    e.addcdiv(x, c, c) ; e.lerp(c, c, x) ; c / x.double() ; e.maximum(x, c.double()) ; x.double() * c ;
    x[:, 0] * s.double() ;
    x.masked_select(c > 0) ; s.cumprod(0) ; s.prod() ; s.logcumsumexp(0) ; x.cumprod(0) ;
    e.matmul(x, d) ; e.matmul(d, x) ;
    e.matmul(d, x[0]) ; e.matmul(d, d) ; e.matmul(x, d.mT) ; e.matmul(x[None], d) ; e.matmul(c, d * x) ; x + c ;
    x[:0].gather(0, x[:0].long())
"""


@pytest.mark.parametrize("text", [text.strip() for text in SAVED.split(";")])
@pytest.mark.parametrize("written", "cdsx")
def test_what_is_saved(text, written):
    def run(e):
        random = np.random.default_rng(len(text))
        made = {"e": e, "c": e.tensor(random.uniform(0.5, 1.5, (3, 3)).astype("f4"))}
        made |= {"d": e.tensor(random.uniform(0.5, 1.5, (2, 3, 3)).astype("f4"), requires_grad="d, d" in text)}
        for name, shape in (("x", (3, 3)), ("s", ())):
            made[name] = e.tensor(np.asarray(random.uniform(0.5, 1.5, shape), "f4"), requires_grad=True)
        out = eval(text, made)
        seed = e.tensor(np.asarray(random.normal(size=tuple(out.shape))), dtype=out.dtype)
        refused = []
        for write in (False, True):
            if write:
                out = eval(text, made)
                made[written].detach().mul_(2)
            for inputs in ([out], None, None):
                try:
                    out.backward(seed, inputs=inputs)
                except RuntimeError as error:
                    refused.append(str(error)[:40])
                else:
                    refused.append(None)
        return refused, [None if made[n]._grad is None else np.round(made[n]._grad.numpy(), 4).tolist() for n in "xsd"]

    ours, theirs = run(minigrad), run(torch)
    assert ours[0] == theirs[0]
    assert str(ours[1]) == str(theirs[1]) or np.allclose(
        np.hstack([np.ravel(g) for g in ours[1] if g is not None]),
        np.hstack([np.ravel(g) for g in theirs[1] if g is not None]), atol=1e-3,
    )  # fmt: skip


@engines
def test_under_create_graph_a_grad_is_nobody_else_s(e):
    log, x = [], e.tensor([2.0, 3.0], requires_grad=True)
    x.register_hook(log.append)
    x.register_post_accumulate_grad_hook(lambda t: log.append(t.grad.mul_(3)))
    (x**3).sum().backward(create_graph=True)
    assert log[0].tolist() == [12.0, 27.0] and x.grad.tolist() == [36.0, 81.0]


@engines
def test_none_passes_a_write_through_a_view_unseen(e):
    class Nothing(e.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 2

        @staticmethod
        def backward(ctx, g):
            return None

    x = e.tensor([2.0, 3.0], requires_grad=True)
    y = x.neg()
    y[:1].neg_()
    z = Nothing.apply(y)
    y.backward(e.ones(2))
    z.sum().backward()
    assert x.grad.tolist() == [1.0, -1.0]


def test_the_transpose_of_a_product_becomes_a_gradient_without_a_copy():
    x, w = minigrad.randn(4, 3), minigrad.randn(2, 3, requires_grad=True)
    (x @ w.t()).sum().backward()
    assert w.grad.is_contiguous() and w.grad._array.base.nbytes == w.grad._array.nbytes
    assert w.grad._array.base.base is None


@pytest.mark.parametrize("seen", ["hook", "retained", "another leaf", "seed"])
def test_a_gradient_whose_memory_is_seen_elsewhere_is_copied(seen):
    x, w, v = (minigrad.randn(3, 3, requires_grad=True) for _ in range(3))
    transposed = w.t()
    product = x.detach() @ transposed
    others, seed = [], minigrad.randn(3, 3)
    if seen == "hook":
        transposed.register_hook(others.append)
    elif seen == "retained":
        transposed.retain_grad()
    elif seen == "another leaf":
        product = x.detach() @ (transposed + v.t())
    else:
        product, others = transposed, [seed]
    product.backward(seed)
    others += [transposed.grad] if seen == "retained" else [v.grad] if seen == "another leaf" else []
    before = [t.clone() for t in others]
    w.grad.fill_(7.0)
    assert all(minigrad.equal(*pair) for pair in zip(others, before))
    assert others


@engines
@pytest.mark.filterwarnings("ignore:The given NumPy array is not writable")
def test_a_gradient_can_be_written_to_though_it_came_read_only(e):
    class Constant(e.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 1

        @staticmethod
        def backward(ctx, g):
            array = np.full(3, 2.0, np.float32)
            array.flags.writeable = False
            return e.from_numpy(array)

    x = e.ones(3, requires_grad=True)
    Constant.apply(x).sum().backward()
    x.grad.add_(1)
    assert x.grad.tolist() == [3, 3, 3]
