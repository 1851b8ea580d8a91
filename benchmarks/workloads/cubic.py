"""A cubic fitted to a sine on 2000 points: autograd, and a manual update under no_grad."""

from types import SimpleNamespace

import numpy as np

from ..functional import Functional, constant, sgd
from ..torch_style import on, to_numpy, torch_style
from ..workload import Program, Target, Workload

LR = 1e-6


def data(check):
    x = np.linspace(-np.pi, np.pi, 2000, dtype=np.float32)
    a, b, c, d = (np.array(value, np.float32) for value in (0.3, -0.5, 0.8, -0.1))
    return SimpleNamespace(x=x, y=np.sin(x), a=a, b=b, c=c, d=d)


workload = Workload(
    "cubic", "cubic on 2000 points, manual update", data,
    ops=11, flops=2000 * 18, bytes=2000 * 8, target=Target(torch=2.0, numpy=4.5),
)  # fmt: skip


@torch_style(workload)
def program(T, data, device):
    x, y = on(T, data.x, device), on(T, data.y, device)
    a, b, c, d = (on(T, p, device).requires_grad_() for p in (data.a, data.b, data.c, data.d))
    no_grad = T.no_grad

    def step():
        y_pred = a + b * x + c * x**2 + d * x**3
        loss = (y_pred - y).pow(2).sum()
        loss.backward()
        with no_grad():
            for p in (a, b, c, d):
                p -= LR * p.grad
                p.grad = None

    return Program(step, lambda: to_numpy((a, b, c, d)))


@workload.program("numpy")
def by_hand(data, library):
    x, y, a, b, c, d = data.x, data.y, data.a, data.b, data.c, data.d

    def step():
        nonlocal a, b, c, d
        x2 = x * x
        x3 = x2 * x
        g = a + b * x + c * x2 + d * x3 - y
        g = g + g
        a = a - LR * g.sum()
        b = b - LR * (g @ x)
        c = c - LR * (g @ x2)
        d = d - LR * (g @ x3)

    return Program(step, lambda: [a, b, c, d])


@workload.program("numpy-out")
def with_buffers(data, library):
    x, y, a, b, c, d = data.x, data.y, data.a, data.b, data.c, data.d
    x2, x3, g, term = (np.empty_like(x) for _ in range(4))
    multiply, add, subtract, dot, total = np.multiply, np.add, np.subtract, np.dot, np.add.reduce

    def step():
        nonlocal a, b, c, d
        multiply(x, x, out=x2)
        multiply(x2, x, out=x3)
        multiply(x, b, out=g)
        add(g, a, out=g)
        multiply(x2, c, out=term)
        add(g, term, out=g)
        multiply(x3, d, out=term)
        add(g, term, out=g)
        subtract(g, y, out=g)
        a = a - 2 * LR * total(g)
        b = b - 2 * LR * dot(g, x)
        c = c - 2 * LR * dot(g, x2)
        d = d - 2 * LR * dot(g, x3)

    return Program(step, lambda: [a, b, c, d])


def loss(xp, params, batch):
    (a, b, c, d), (x, y) = params, batch
    error = a + b * x + c * x**2 + d * x**3 - y
    return xp.sum(error * error)


Functional(loss, lambda data: (data.a, data.b, data.c, data.d), constant("x", "y"), sgd(LR)).register(workload)
