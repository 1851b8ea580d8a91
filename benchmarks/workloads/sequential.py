"""nn.Sequential(Linear(3, 1), Flatten(0, 1)) on 2000 points, summed MSE, RMSprop."""

from types import SimpleNamespace

import numpy as np

from ..functional import Functional, constant, rmsprop
from ..torch_style import on, to_numpy, torch_style
from ..workload import Program, Target, Workload

LR, ALPHA, EPS = 1e-3, 0.99, 1e-8


def data(check):
    x = np.linspace(-np.pi, np.pi, 2000, dtype=np.float32)
    return SimpleNamespace(
        x=np.stack([x, x**2, x**3], axis=1).astype(np.float32),
        y=np.sin(x),
        w=np.array([[0.3, -0.2, 0.1]], np.float32),
        b=np.array([0.2], np.float32),
    )


workload = Workload(
    "sequential", "Sequential(Linear, Flatten), 2000 points, RMSprop", data,
    ops=3, flops=2000 * 16, bytes=2000 * 16, target=Target(torch=2.0, numpy=4.5),
)  # fmt: skip


@torch_style(workload)
def program(T, data, device):
    x, y = on(T, data.x, device), on(T, data.y, device)
    model = T.nn.Sequential(T.nn.Linear(3, 1), T.nn.Flatten(0, 1)).to(device)
    with T.no_grad():
        model[0].weight.copy_(on(T, data.w, device))
        model[0].bias.copy_(on(T, data.b, device))
    loss_fn = T.nn.MSELoss(reduction="sum")
    options = {} if device == "cpu" else {"capturable": True}  # for the CUDA graph
    optimizer = T.optim.RMSprop(model.parameters(), lr=LR, **options)

    def step():
        loss = loss_fn(model(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

    return Program(step, lambda: to_numpy(model.parameters()))


@workload.program("numpy")
def by_hand(data, library):
    x, y, w, b = data.x, data.y, data.w, data.b
    sw, sb = np.zeros_like(w), np.zeros_like(b)

    def step():
        nonlocal w, b, sw, sb
        g = (x @ w.T + b).reshape(-1) - y
        g = (g + g).reshape(-1, 1)
        gw = g.T @ x
        gb = g.sum(0)
        sw = ALPHA * sw + (1 - ALPHA) * (gw * gw)
        sb = ALPHA * sb + (1 - ALPHA) * (gb * gb)
        w = w - LR * gw / (np.sqrt(sw) + EPS)
        b = b - LR * gb / (np.sqrt(sb) + EPS)

    return Program(step, lambda: [w, b])


@workload.program("numpy-out")
def with_buffers(data, library):
    x, y, w, b = data.x, data.y[:, None], data.w, data.b
    wT, xT, g = w.T, x.T, np.empty((2000, 1), np.float32)
    grad = np.empty(4, np.float32)  # weight and bias in one buffer, so that RMSprop is one pass
    gwT, gb = grad[:3].reshape(3, 1), grad[3:]
    square, change = np.zeros(4, np.float32), np.empty(4, np.float32)
    change_w, change_b = change[:3].reshape(1, 3), change[3:]
    matmul, add, subtract, multiply, divide, sqrt = np.matmul, np.add, np.subtract, np.multiply, np.divide, np.sqrt
    total = np.add.reduce

    def step():
        matmul(x, wT, out=g)
        add(g, b, out=g)
        subtract(g, y, out=g)
        matmul(xT, g, out=gwT)
        total(g, axis=0, out=gb)
        multiply(grad, 2, out=grad)
        multiply(square, ALPHA, out=square)
        multiply(grad, grad, out=change)
        multiply(change, 1 - ALPHA, out=change)
        add(square, change, out=square)
        sqrt(square, out=change)
        add(change, EPS, out=change)
        divide(grad, change, out=change)
        multiply(change, LR, out=change)
        subtract(w, change_w, out=w)
        subtract(b, change_b, out=b)

    return Program(step, lambda: [w, b])


def loss(xp, params, batch):
    (w, b), (x, y) = params, batch
    error = (x @ w.reshape(3, 1) + b).reshape(-1) - y
    return xp.sum(error * error)


Functional(
    loss, lambda data: (data.w, data.b), constant("x", "y"), rmsprop(LR, ALPHA, EPS), stateful=True
).register(workload)  # fmt: skip
