"""Linear regression on three points: nn.Linear(1, 1), summed MSE, SGD. One step is one training iteration."""

from types import SimpleNamespace

import numpy as np

from ..functional import Functional, constant, sgd
from ..torch_style import on, to_numpy, torch_style
from ..workload import Program, Target, Workload

LR = 0.01


def data(check):
    return SimpleNamespace(
        x=np.array([[1.0], [2.0], [3.0]], np.float32),
        y=np.array([[2.1], [3.9], [6.2]], np.float32),
        w=np.array([[0.3]], np.float32),
        b=np.array([-0.2], np.float32),
    )


workload = Workload(
    "linear_regression", "linear regression, 3 points, Linear(1, 1), SGD", data,
    ops=2, flops=30, bytes=32, target=Target(torch=2.0, numpy=4.5),
)  # fmt: skip


@torch_style(workload)
def program(T, data, device):
    x, y = on(T, data.x, device), on(T, data.y, device)
    model = T.nn.Linear(1, 1).to(device)
    with T.no_grad():
        model.weight.copy_(on(T, data.w, device))
        model.bias.copy_(on(T, data.b, device))
    criterion = T.nn.MSELoss(reduction="sum")
    optimizer = T.optim.SGD(model.parameters(), lr=LR)

    def step():
        loss = criterion(model(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

    return Program(step, lambda: to_numpy(model.parameters()))


@workload.program("numpy")
def by_hand(data, library):
    x, y, w, b = data.x, data.y, data.w, data.b

    def step():
        nonlocal w, b
        g = x @ w.T + b - y
        g = g + g
        w = w - LR * (g.T @ x)
        b = b - LR * g.sum(0)

    return Program(step, lambda: [w, b])


@workload.program("numpy-out")
def with_buffers(data, library):
    x, y, w, b = data.x, data.y, data.w, data.b
    wT, xT = w.T, np.ascontiguousarray(x.T)
    g, gw, gb, twice_lr = np.empty_like(y), np.empty((1, 1), np.float32), np.empty(1, np.float32), np.float32(2 * LR)
    matmul, add, subtract, multiply, total = np.matmul, np.add, np.subtract, np.multiply, np.add.reduce

    def step():
        matmul(x, wT, out=g)
        add(g, b, out=g)
        subtract(g, y, out=g)
        matmul(xT, g, out=gw)
        multiply(gw, twice_lr, out=gw)
        subtract(w, gw, out=w)
        total(g, axis=0, out=gb)
        multiply(gb, twice_lr, out=gb)
        subtract(b, gb, out=b)

    return Program(step, lambda: [w, b])


def loss(xp, params, batch):
    (w, b), (x, y) = params, batch
    error = x @ w + b - y
    return xp.sum(error * error)


Functional(loss, lambda data: (data.w, data.b), constant("x", "y"), sgd(LR)).register(workload)


@workload.program("micrograd")
def scalars(data, library):
    from micrograd.engine import Value

    w, b = Value(float(data.w[0, 0])), Value(float(data.b[0]))
    points = [(float(x), float(y)) for x, y in zip(data.x[:, 0], data.y[:, 0])]

    def step():
        loss = sum((w * x + b - y) ** 2 for x, y in points)
        w.grad = b.grad = 0.0
        loss.backward()
        w.data -= LR * w.grad
        b.data -= LR * b.grad

    return Program(step, lambda: [np.array([[w.data]]), np.array([b.data])])
