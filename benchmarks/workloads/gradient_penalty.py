"""Double backward: the MLP trained with MSE plus a gradient penalty, mean((|d sum(out) / dx| - 1)^2)."""

import numpy as np

from ..functional import Functional, constant, sgd
from ..torch_style import on, to_numpy, torch_style
from ..workload import Program, Target, Workload
from .mlp import BATCH, LR, data, forward, model_of, params_of

workload = Workload(
    "gradient_penalty", "double backward: gradient penalty on the MLP", data,
    ops=18, flops=2 * BATCH * (784 * 256 * 5 + 256 * 10 * 5), bytes=4 * (2 * 784 * 256 + BATCH * 784), threaded=True,
    target=Target(),
)  # fmt: skip


@torch_style(workload)
def program(T, data, device):
    x, y = on(T, data.x, device).requires_grad_(), on(T, data.y, device)
    model = model_of(T, data, device)
    criterion = T.nn.MSELoss()
    optimizer = T.optim.SGD(model.parameters(), lr=LR)

    def step():
        out = model(x)
        (slope,) = T.autograd.grad(out.sum(), x, create_graph=True)
        penalty = ((slope.pow(2).sum(1).sqrt() - 1) ** 2).mean()
        loss = criterion(out, y) + penalty
        optimizer.zero_grad()
        loss.backward(inputs=list(model.parameters()))
        optimizer.step()

    return Program(step, lambda: to_numpy(model.parameters()))


@workload.program("numpy")
def by_hand(data, library):
    x, y = data.x, data.y
    w1, b1, w2, b2 = params_of(data)

    def step():
        nonlocal w1, b1, w2, b2
        h = np.maximum(x @ w1.T + b1, 0)
        mask = h > 0
        v = mask * w2.sum(0)
        slope = v @ w1
        norm = np.sqrt((slope * slope).sum(1))
        g = (h @ w2.T + b2 - y) * (2 / y.size)
        gh = (g @ w2) * mask
        gslope = slope * ((2 / len(x)) * (norm - 1) / norm)[:, None]
        gv = (gslope @ w1.T) * mask
        w2_new = w2 - LR * (g.T @ h + gv.sum(0))
        b2 = b2 - LR * g.sum(0)
        w1 = w1 - LR * (gh.T @ x + v.T @ gslope)
        b1 = b1 - LR * gh.sum(0)
        w2 = w2_new

    return Program(step, lambda: [w1, b1, w2, b2])


@workload.program("numpy-out")
def with_buffers(data, library):
    x, y = data.x, data.y
    w1, b1, w2, b2 = params_of(data)

    def buffer(*shape):
        return np.empty(shape, np.float32)

    hidden, inputs = w1.shape
    h, gh, v, gv = (buffer(BATCH, hidden) for _ in range(4))
    mask, slope, term = np.empty((BATCH, hidden), bool), buffer(BATCH, inputs), buffer(BATCH, inputs)
    norm, factor, g = buffer(BATCH), buffer(BATCH), buffer(*y.shape)
    gw1, more_w1, gw2, gb1, gb2 = (buffer(*p.shape) for p in (w1, w1, w2, b1, b2))
    row = buffer(hidden)
    matmul, add, subtract, multiply, total = np.matmul, np.add, np.subtract, np.multiply, np.add.reduce
    scale = 2 / y.size

    def step():
        matmul(x, w1.T, out=h)
        add(h, b1, out=h)
        np.maximum(h, 0, out=h)
        np.greater(h, 0, out=mask)
        total(w2, axis=0, out=row)
        multiply(mask, row, out=v)
        matmul(v, w1, out=slope)
        multiply(slope, slope, out=term)
        total(term, axis=1, out=norm)
        np.sqrt(norm, out=norm)
        matmul(h, w2.T, out=g)
        add(g, b2, out=g)
        subtract(g, y, out=g)
        multiply(g, scale, out=g)
        matmul(g, w2, out=gh)
        multiply(gh, mask, out=gh)
        subtract(norm, 1, out=factor)
        np.divide(factor, norm, out=factor)
        multiply(factor, 2 / BATCH, out=factor)
        multiply(slope, factor[:, None], out=slope)
        matmul(slope, w1.T, out=gv)
        multiply(gv, mask, out=gv)
        matmul(g.T, h, out=gw2)
        total(gv, axis=0, out=row)
        add(gw2, row, out=gw2)
        total(g, axis=0, out=gb2)
        matmul(gh.T, x, out=gw1)
        matmul(v.T, slope, out=more_w1)
        add(gw1, more_w1, out=gw1)
        total(gh, axis=0, out=gb1)
        for parameter, gradient in ((w1, gw1), (b1, gb1), (w2, gw2), (b2, gb2)):
            multiply(gradient, LR, out=gradient)
            subtract(parameter, gradient, out=parameter)

    return Program(step, lambda: [w1, b1, w2, b2])


def loss(xp, params, batch):
    x, y = batch
    slope = xp.gradient(lambda x: xp.sum(forward(xp, params, x)), x)
    error = forward(xp, params, x) - y
    return xp.mean(error * error) + xp.mean((xp.sqrt(xp.sum(slope * slope, 1)) - 1) ** 2)


NO_DOUBLE = "MyGrad has no double backward"
Functional(loss, params_of, constant("x", "y"), sgd(LR)).register(
    workload, without={"mygrad": NO_DOUBLE, "mygrad-unguarded": NO_DOUBLE}
)
