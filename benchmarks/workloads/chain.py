"""Twenty steps of y * b + a over ten elements, forward and backward: 40 operations and almost no arithmetic."""

from types import SimpleNamespace

import numpy as np

from ..functional import Functional, constant
from ..torch_style import on, to_numpy, torch_style
from ..workload import Program, Target, Workload

STEPS = 20


def data(check):
    rng = np.random.default_rng(0)
    return SimpleNamespace(
        a=rng.uniform(-1, 1, 10).astype(np.float32),
        b=rng.uniform(0.8, 1.2, 10).astype(np.float32),
    )


workload = Workload(
    "chain", "20 steps of y * b + a, 10 elements, forward + backward", data,
    ops=2 * STEPS + 1, flops=STEPS * 60, bytes=160, target=Target(torch=2.0, numpy=4.5),
)  # fmt: skip


@torch_style(workload)
def program(T, data, device):
    a, b = on(T, data.a, device).requires_grad_(), on(T, data.b, device).requires_grad_()

    def step():
        nonlocal total
        a.grad = b.grad = None
        y = a
        for _ in range(STEPS):
            y = y * b + a
        total = y.sum()
        total.backward()

    total = None
    return Program(step, lambda: to_numpy((total, a.grad, b.grad)))


@workload.program("numpy")
def by_hand(data, library):
    a, b = data.a, data.b
    total = ga = gb = None

    def step():
        nonlocal total, ga, gb
        y, ys = a, []
        for _ in range(STEPS):
            ys.append(y)
            y = y * b + a
        total = y.sum()
        g = np.ones(10, np.float32)
        ga, gb = g, g * ys[-1]
        for y in reversed(ys[:-1]):
            g = g * b
            ga = ga + g
            gb = gb + g * y
        ga = ga + g * b

    return Program(step, lambda: [total, ga, gb])


@workload.program("numpy-out")
def with_buffers(data, library):
    a, b = data.a, data.b
    ys = [a, *(np.empty_like(a) for _ in range(STEPS))]
    ga, gb, g, term = (np.empty_like(a) for _ in range(4))
    multiply, add, reduce = np.multiply, np.add, np.add.reduce
    total = None

    def step():
        nonlocal total
        for y, following in zip(ys, ys[1:]):
            multiply(y, b, out=following)
            add(following, a, out=following)
        total = reduce(ys[-1])
        g.fill(1)
        ga.fill(0)
        gb.fill(0)
        for y in ys[-2::-1]:
            add(ga, g, out=ga)
            multiply(g, y, out=term)
            add(gb, term, out=gb)
            multiply(g, b, out=g)
        add(ga, g, out=ga)

    return Program(step, lambda: [total, ga, gb])


def loss(xp, params, batch):
    a, b = params
    y = a
    for _ in range(STEPS):
        y = y * b + a
    return xp.sum(y)


Functional(loss, lambda data: (data.a, data.b), constant()).register(workload)


@workload.program("micrograd")
def scalars(data, library):
    from micrograd.engine import Value

    a, b = [Value(float(value)) for value in data.a], [Value(float(value)) for value in data.b]

    total = None

    def step():
        nonlocal total
        for value in a + b:
            value.grad = 0.0
        total = Value(0.0)
        for first, second in zip(a, b):
            y = first
            for _ in range(STEPS):
                y = y * second + first
            total = total + y
        total.backward()

    def result():
        return [np.array(total.data), np.array([v.grad for v in a]), np.array([v.grad for v in b])]

    return Program(step, result)
