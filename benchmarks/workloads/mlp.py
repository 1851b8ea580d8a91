"""MLP 784-256-10, batch of 64, ReLU, MSE, SGD. One step is one training iteration."""

from types import SimpleNamespace

import numpy as np

from ..functional import Functional, constant, sgd
from ..torch_style import on, to_numpy, torch_style
from ..workload import Program, Target, Workload

LR, BATCH, SIZES = 0.05, 64, (784, 256, 10)


def data(check):
    rng = np.random.default_rng(0)
    inputs, hidden, outputs = SIZES

    def uniform(bound, *shape):
        return rng.uniform(-bound, bound, shape).astype(np.float32)

    return SimpleNamespace(
        x=rng.standard_normal((BATCH, inputs)).astype(np.float32),
        y=rng.standard_normal((BATCH, outputs)).astype(np.float32),
        w1=uniform(inputs**-0.5, hidden, inputs),
        b1=uniform(inputs**-0.5, hidden),
        w2=uniform(hidden**-0.5, outputs, hidden),
        b2=uniform(hidden**-0.5, outputs),
    )


workload = Workload(
    "mlp", "MLP 784-256-10, batch 64, ReLU, MSE, SGD", data,
    ops=4, flops=2 * BATCH * (784 * 256 * 2 + 256 * 10 * 3), bytes=4 * (2 * 784 * 256 + BATCH * 784), threaded=True,
    target=Target(torch=1.3, numpy=1.2),
)  # fmt: skip


def params_of(data):
    return data.w1, data.b1, data.w2, data.b2


def model_of(T, data, device):
    """The Sequential of this workload on engine T, with the weights of `data`."""
    inputs, hidden, outputs = SIZES
    model = T.nn.Sequential(T.nn.Linear(inputs, hidden), T.nn.ReLU(), T.nn.Linear(hidden, outputs)).to(device)
    with T.no_grad():
        for parameter, array in zip(model.parameters(), params_of(data)):
            parameter.copy_(on(T, array, device))
    return model


@torch_style(workload)
def program(T, data, device):
    x, y = on(T, data.x, device), on(T, data.y, device)
    model = model_of(T, data, device)
    criterion = T.nn.MSELoss()
    optimizer = T.optim.SGD(model.parameters(), lr=LR)

    def step():
        loss = criterion(model(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

    return Program(step, lambda: to_numpy(model.parameters()))


@workload.program("numpy")
def by_hand(data, library):
    x, y = data.x, data.y
    w1, b1, w2, b2 = params_of(data)

    def step():
        nonlocal w1, b1, w2, b2
        h = np.maximum(x @ w1.T + b1, 0)
        g = (h @ w2.T + b2 - y) * (2 / y.size)
        gh = (g @ w2) * (h > 0)
        w2 = w2 - LR * (g.T @ h)
        b2 = b2 - LR * g.sum(0)
        w1 = w1 - LR * (gh.T @ x)
        b1 = b1 - LR * gh.sum(0)

    return Program(step, lambda: [w1, b1, w2, b2])


@workload.program("numpy-out")
def with_buffers(data, library):
    x, y = data.x, data.y
    w1, b1, w2, b2 = params_of(data)
    hidden = SIZES[1]

    def buffer(*shape):
        return np.empty(shape, np.float32)

    h, gh, mask = buffer(BATCH, hidden), buffer(BATCH, hidden), np.empty((BATCH, hidden), bool)
    g, gw1, gw2, gb1, gb2 = (buffer(*shape) for shape in (y.shape, w1.shape, w2.shape, b1.shape, b2.shape))
    matmul, add, subtract, multiply, total = np.matmul, np.add, np.subtract, np.multiply, np.add.reduce
    scale = 2 / y.size

    def step():
        matmul(x, w1.T, out=h)
        add(h, b1, out=h)
        np.maximum(h, 0, out=h)
        matmul(h, w2.T, out=g)
        add(g, b2, out=g)
        subtract(g, y, out=g)
        multiply(g, scale, out=g)
        matmul(g, w2, out=gh)
        np.greater(h, 0, out=mask)
        multiply(gh, mask, out=gh)
        matmul(g.T, h, out=gw2)
        total(g, axis=0, out=gb2)
        matmul(gh.T, x, out=gw1)
        total(gh, axis=0, out=gb1)
        for parameter, gradient in ((w1, gw1), (b1, gb1), (w2, gw2), (b2, gb2)):
            multiply(gradient, LR, out=gradient)
            subtract(parameter, gradient, out=parameter)

    return Program(step, lambda: [w1, b1, w2, b2])


def forward(xp, params, x):
    w1, b1, w2, b2 = params
    return xp.relu(x @ w1.T + b1) @ w2.T + b2


def loss(xp, params, batch):
    x, y = batch
    error = forward(xp, params, x) - y
    return xp.mean(error * error)


Functional(loss, params_of, constant("x", "y"), sgd(LR)).register(workload)
