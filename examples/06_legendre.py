"""Lesson 06: a Function of your own, forward and backward.

The model is y = a + b P3(c + d x) with the Legendre polynomial P3(u) = (5 u^3 - 3 u) / 2. Its derivative is known,
P3'(u) = 3 (5 u^2 - 1) / 2, so the engine need not work through the powers: a Function says how to go forward and how
to bring a gradient back. `gradcheck` compares the two, and would catch a slip.
"""

from __future__ import annotations

import math
from types import ModuleType
from typing import Any

from lesson import run

# a and c are zero in exact arithmetic (the problem is odd in x): what is left of them is rounding.
FLOOR = {"a and c": 1e-6}


def legendre(torch: ModuleType) -> Any:
    """P3 as a differentiable function of `torch`'s tensors."""

    class LegendrePolynomial3(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, input: Any) -> Any:
            # What backward needs must be saved here; ctx watches that nobody changes it in between.
            ctx.save_for_backward(input)
            return 0.5 * (5 * input**3 - 3 * input)

        @staticmethod
        def backward(ctx: Any, grad_output: Any) -> Any:
            # grad_output is d loss / d output; times d output / d input it is d loss / d input.
            (input,) = ctx.saved_tensors
            return grad_output * 1.5 * (5 * input**2 - 1)

    return LegendrePolynomial3.apply


def main(torch: ModuleType, *, seed: int = 0, epochs: int = 2000) -> dict[str, Any]:
    P3 = legendre(torch)
    torch.manual_seed(seed)
    probe = torch.randn(5, dtype=torch.float64, requires_grad=True)
    checked = torch.autograd.gradcheck(P3, (probe,))
    print("gradcheck: backward is the derivative of forward:", checked)

    x = torch.linspace(-math.pi, math.pi, 2000)
    y = torch.sin(x)
    # A fixed start near the solution: a polynomial inside a polynomial has bad places to start from.
    a = torch.full((), 0.0, requires_grad=True)
    b = torch.full((), -1.0, requires_grad=True)
    c = torch.full((), 0.0, requires_grad=True)
    d = torch.full((), 0.3, requires_grad=True)

    learning_rate = 5e-6
    losses = []
    for t in range(epochs):
        y_pred = a + b * P3(c + d * x)
        loss = (y_pred - y).pow(2).sum()
        losses.append(loss.item())
        if t % 100 == 99:
            print(t, losses[-1])
        loss.backward()
        with torch.no_grad():
            for weight in (a, b, c, d):
                weight -= learning_rate * weight.grad
                weight.grad = None

    print(f"Result: y = {a.item()} + {b.item()} * P3({c.item()} + {d.item()} x)")
    return {
        "gradcheck": checked,
        "losses": losses,
        "a and c": [a.item(), c.item()],
        "b and d": [b.item(), d.item()],
    }


if __name__ == "__main__":
    run(main)
