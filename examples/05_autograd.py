"""Lesson 05: autograd finds the derivatives, the update stays yours.

The same cubic. The four derivatives of lesson 04 are gone: `requires_grad=True` on the weights and one call of
`loss.backward()` replace them. Two duties remain: the update must not be recorded (`no_grad`), and the gradients must
be cleared, because backward adds to what is there.
"""

from __future__ import annotations

import math
from types import ModuleType
from typing import Any

from lesson import run


def main(torch: ModuleType, *, seed: int = 0, epochs: int = 2000) -> dict[str, Any]:
    torch.manual_seed(seed)
    x = torch.linspace(-math.pi, math.pi, 2000)
    y = torch.sin(x)
    # The same four numbers as in lesson 04, drawn in the same order from the same seed.
    a = torch.randn((), requires_grad=True)
    b = torch.randn((), requires_grad=True)
    c = torch.randn((), requires_grad=True)
    d = torch.randn((), requires_grad=True)
    start = [a.item(), b.item(), c.item(), d.item()]

    learning_rate = 1e-6
    losses = []
    first_gradient: list[float] = []
    for t in range(epochs):
        y_pred = a + b * x + c * x**2 + d * x**3
        loss = (y_pred - y).pow(2).sum()  # a tensor of shape (), a single number with a history
        losses.append(loss.item())
        if t % 100 == 99:
            print(t, losses[-1])

        loss.backward()
        if t == 0:
            first_gradient = [a.grad.item(), b.grad.item(), c.grad.item(), d.grad.item()]

        # Recorded, `a -= ...` would be an in-place change of a leaf that requires grad: an error, and rightly so.
        with torch.no_grad():
            a -= learning_rate * a.grad
            b -= learning_rate * b.grad
            c -= learning_rate * c.grad
            d -= learning_rate * d.grad
        a.grad = b.grad = c.grad = d.grad = None

    print(f"Result: y = {a.item()} + {b.item()} x + {c.item()} x^2 + {d.item()} x^3")
    return {
        "start": start,
        "first gradient": first_gradient,
        "losses": losses,
        "cubic": [a.item(), b.item(), c.item(), d.item()],
    }


if __name__ == "__main__":
    run(main)
