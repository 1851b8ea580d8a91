"""a + b P3(c + d x) on 2000 points, P3's derivative given by hand in each library that takes one."""

from types import SimpleNamespace

import numpy as np

from ..functional import Functional, constant, sgd
from ..torch_style import on, to_numpy, torch_style
from ..workload import Program, Target, Workload

LR = 5e-6


def data(check):
    x = np.linspace(-np.pi, np.pi, 2000, dtype=np.float32)
    a, b, c, d = (np.array(value, np.float32) for value in (0.1, -1.0, 0.05, 0.3))
    return SimpleNamespace(x=x, y=np.sin(x), a=a, b=b, c=c, d=d)


workload = Workload(
    "legendre", "Legendre polynomial as a Function, 2000 points", data,
    ops=8, flops=2000 * 20, bytes=2000 * 8, target=Target(torch=2.0, numpy=4.5),
)  # fmt: skip


@torch_style(workload)
def program(T, data, device):
    class LegendrePolynomial3(T.autograd.Function):
        @staticmethod
        def forward(ctx, input):
            ctx.save_for_backward(input)
            return 0.5 * (5 * input**3 - 3 * input)

        @staticmethod
        def backward(ctx, grad_output):
            (input,) = ctx.saved_tensors
            return grad_output * 1.5 * (5 * input**2 - 1)

    x, y = on(T, data.x, device), on(T, data.y, device)
    a, b, c, d = (on(T, p, device).requires_grad_() for p in (data.a, data.b, data.c, data.d))
    P3 = LegendrePolynomial3.apply
    no_grad = T.no_grad

    def step():
        y_pred = a + b * P3(c + d * x)
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
        u = c + d * x
        u2 = u * u
        p3 = 0.5 * (5 * (u2 * u) - 3 * u)
        g = a + b * p3 - y
        g = g + g
        gu = (g * b) * 1.5 * (5 * u2 - 1)
        a = a - LR * g.sum()
        b = b - LR * (g @ p3)
        c = c - LR * gu.sum()
        d = d - LR * (gu @ x)

    return Program(step, lambda: [a, b, c, d])


@workload.program("numpy-out")
def with_buffers(data, library):
    x, y, a, b, c, d = data.x, data.y, data.a, data.b, data.c, data.d
    u, u2, p3, g = (np.empty_like(x) for _ in range(4))
    multiply, add, subtract, dot, total = np.multiply, np.add, np.subtract, np.dot, np.add.reduce

    def step():
        nonlocal a, b, c, d
        multiply(x, d, out=u)
        add(u, c, out=u)
        multiply(u, u, out=u2)
        multiply(u2, 2.5, out=p3)
        subtract(p3, 1.5, out=p3)
        multiply(p3, u, out=p3)
        multiply(p3, b, out=g)
        add(g, a, out=g)
        subtract(g, y, out=g)
        multiply(u2, 15 * b, out=u2)
        subtract(u2, 3 * b, out=u2)
        multiply(u2, g, out=u2)
        a = a - 2 * LR * total(g)
        b = b - 2 * LR * dot(g, p3)
        c = c - LR * total(u2)
        d = d - LR * dot(u2, x)

    return Program(step, lambda: [a, b, c, d])


def _polynomial(u):
    return 0.5 * (5 * u**3 - 3 * u)


def _derivative(u):
    return 1.5 * (5 * u**2 - 1)


def _jax_p3():
    import jax

    p3 = jax.custom_vjp(_polynomial)
    p3.defvjp(lambda u: (_polynomial(u), u), lambda u, g: (g * _derivative(u),))
    return p3


def _autograd_p3():
    from autograd.extend import defvjp, primitive

    p3 = primitive(_polynomial)
    defvjp(p3, lambda out, u: lambda g: g * _derivative(u))
    return p3


def _mygrad_p3():
    from mygrad import execute_op
    from mygrad.operation_base import Operation

    class LegendrePolynomial3(Operation):
        def __call__(self, u):
            self.variables = (u,)
            return _polynomial(u.data)

        def backward_var(self, grad, index, **kwargs):
            return grad * _derivative(self.variables[index].data)

    return lambda u: execute_op(LegendrePolynomial3, u)


_P3_MAKERS = {"jax": _jax_p3, "autograd": _autograd_p3, "mygrad": _mygrad_p3}
_p3 = {}


def p3_of(library):
    """P3 with its derivative by hand; torch.compile and tinygrad trace plain operations and derive it themselves."""
    if library not in _p3:
        _p3[library] = _P3_MAKERS.get(library, lambda: _polynomial)()
    return _p3[library]


def loss(xp, params, batch):
    (a, b, c, d), (x, y) = params, batch
    error = a + b * p3_of(xp.name)(c + d * x) - y
    return xp.sum(error * error)


Functional(loss, lambda data: (data.a, data.b, data.c, data.d), constant("x", "y"), sgd(LR)).register(workload)
