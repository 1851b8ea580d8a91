"""Chains of 100 to 100,000 scalar additions, forward and backward: the cost of a node, and that it stays flat."""

from functools import partial
from types import SimpleNamespace

import numpy as np

from ..functional import LIBRARIES, Functional, constant
from ..torch_style import on, to_numpy, torch_style
from ..workload import NotAvailable, Program, Target, Workload

SIZES = (100, 1_000, 10_000, 100_000)

# The longest chain that each can take in reasonable time; the whole-step compilers unroll the loop.
LONGEST = {
    "minigrad-traced": 1_000, "torch-compile": 100, "tinygrad": 1_000, "tinygrad-jit": 1_000, "jax": 1_000,
    "jax-jit": 1_000, "mygrad": 10_000, "mygrad-unguarded": 10_000, "autograd": 10_000, "torch-cuda-graph": 10_000,
}  # fmt: skip


def data(check):
    return SimpleNamespace(x=np.array(0.5, np.float32))


def program(n, T, data, device):
    x = on(T, data.x, device).requires_grad_()

    y = x

    def step():
        nonlocal y
        x.grad = None
        y = x
        for _ in range(n):
            y = y + x
        y.backward()

    return Program(step, lambda: to_numpy((y, x.grad)))


def by_hand(n, data, library):
    x = np.float32(data.x)
    one = np.float32(1)
    y = gx = None

    def step():
        nonlocal y, gx
        y = x
        for _ in range(n):
            y = y + x
        gx = one
        for _ in range(n):
            gx = gx + one

    return Program(step, lambda: [y, gx])


def with_buffers(n, data, library):
    x, y, gx, one = data.x, data.x.copy(), np.empty((), np.float32), np.ones((), np.float32)
    add = np.add

    def step():
        y[...] = x
        for _ in range(n):
            add(y, x, out=y)
        gx[...] = 1
        for _ in range(n):
            add(gx, one, out=gx)

    return Program(step, lambda: [y, gx])


def loss(n, xp, params, batch):
    (x,) = params
    y = x
    for _ in range(n):
        y = y + x
    return y


def scalars(n, data, library):
    if n > 500:
        raise NotAvailable("RecursionError: micrograd's backward is recursive")
    from micrograd.engine import Value

    x = Value(float(data.x))

    y = x

    def step():
        nonlocal y
        x.grad = 0.0
        y = x
        for _ in range(n):
            y = y + x
        y.backward()

    return Program(step, lambda: [np.array(y.data), np.array(x.grad)])


def chain_of(n):
    workload = Workload(
        f"nodes_{n}", f"graph of {n:,} scalar additions, forward + backward", data,
        ops=n, flops=2 * n, bytes=8, target=Target(torch=1.3), check_steps=1,
    )  # fmt: skip
    too_long = {key: f"not run: longer than {LONGEST[key]:,} nodes" for key in LIBRARIES if n > LONGEST[key]}
    Functional(partial(loss, n), lambda data: (data.x,), constant()).register(workload, without=too_long)
    torch_style(workload, cuda_graph=n <= LONGEST["torch-cuda-graph"])(partial(program, n))
    workload.program("numpy")(partial(by_hand, n))
    workload.program("numpy-out")(partial(with_buffers, n))
    workload.program("micrograd")(partial(scalars, n))
    return workload


workloads = tuple(chain_of(n) for n in SIZES)
