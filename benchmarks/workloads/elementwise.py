"""A million elements: sum(tanh(x * w) + exp(-x * x) * w), forward and backward. Memory traffic, not overhead."""

from types import SimpleNamespace

import numpy as np

from ..functional import Functional, constant
from ..torch_style import on, to_numpy, torch_style
from ..workload import Program, Target, Workload

N = 1_000_000


def data(check):
    rng = np.random.default_rng(0)
    return SimpleNamespace(x=rng.standard_normal(N).astype(np.float32), w=rng.standard_normal(N).astype(np.float32))


workload = Workload(
    "elementwise", "a million elements, sum(tanh(x w) + exp(-x x) w), forward + backward", data,
    ops=8, flops=N * 14, bytes=N * 16, threaded=True, target=Target(torch=1.3, numpy=1.2),
)  # fmt: skip


@torch_style(workload)
def program(T, data, device):
    x, w = on(T, data.x, device).requires_grad_(), on(T, data.w, device).requires_grad_()

    total = None

    def step():
        nonlocal total
        x.grad = w.grad = None
        total = (T.tanh(x * w) + T.exp(-x * x) * w).sum()
        total.backward()

    return Program(step, lambda: to_numpy((total, x.grad, w.grad)))


@workload.program("numpy")
def by_hand(data, library):
    x, w = data.x, data.w
    total = gx = gw = None

    def step():
        nonlocal total, gx, gw
        t = np.tanh(x * w)
        e = np.exp(-x * x)
        total = (t + e * w).sum()
        gt = 1 - t * t
        gx = gt * w - 2 * x * e * w
        gw = gt * x + e

    return Program(step, lambda: [total, gx, gw])


@workload.program("numpy-out")
def with_buffers(data, library):
    x, w = data.x, data.w
    t, e, gx, gw = (np.empty_like(x) for _ in range(4))
    multiply, add, subtract = np.multiply, np.add, np.subtract
    total = None

    def step():
        nonlocal total
        multiply(x, w, out=t)
        np.tanh(t, out=t)
        multiply(x, x, out=e)
        np.negative(e, out=e)
        np.exp(e, out=e)
        multiply(e, w, out=gx)
        add(gx, t, out=gw)
        total = gw.sum()
        multiply(t, t, out=t)
        subtract(1, t, out=t)
        multiply(gx, x, out=gx)
        multiply(gx, -2, out=gx)
        multiply(t, w, out=gw)
        add(gx, gw, out=gx)
        multiply(t, x, out=gw)
        add(gw, e, out=gw)

    return Program(step, lambda: [total, gx, gw])


def loss(xp, params, batch):
    x, w = params
    return xp.sum(xp.tanh(x * w) + xp.exp(-x * x) * w)


Functional(loss, lambda data: (data.x, data.w), constant()).register(workload)
