"""Lesson 04: tensors as plain arrays, no autograd.

The cubic of lesson 01 again, with tensors where the arrays were and nothing else new: the derivatives are still the
ones from paper. What changes is float32, torch's default, and the random start: the same seed draws the same four
numbers as torch does.
"""

from __future__ import annotations

import math
from types import ModuleType
from typing import Any

from lesson import run


def main(torch: ModuleType, *, seed: int = 0, epochs: int = 2000) -> dict[str, Any]:
    torch.manual_seed(seed)
    dtype = torch.float
    device = torch.device("cpu")

    x = torch.linspace(-math.pi, math.pi, 2000, device=device, dtype=dtype)
    y = torch.sin(x)
    a = torch.randn((), device=device, dtype=dtype)
    b = torch.randn((), device=device, dtype=dtype)
    c = torch.randn((), device=device, dtype=dtype)
    d = torch.randn((), device=device, dtype=dtype)
    start = [a.item(), b.item(), c.item(), d.item()]

    learning_rate = 1e-6
    losses = []
    for t in range(epochs):
        y_pred = a + b * x + c * x**2 + d * x**3
        losses.append((y_pred - y).pow(2).sum().item())
        if t % 100 == 99:
            print(t, losses[-1])

        grad_y_pred = 2.0 * (y_pred - y)
        grad_a = grad_y_pred.sum()
        grad_b = (grad_y_pred * x).sum()
        grad_c = (grad_y_pred * x**2).sum()
        grad_d = (grad_y_pred * x**3).sum()

        # In place: the four tensors change, no new ones are made.
        a -= learning_rate * grad_a
        b -= learning_rate * grad_b
        c -= learning_rate * grad_c
        d -= learning_rate * grad_d

    print(f"Result: y = {a.item()} + {b.item()} x + {c.item()} x^2 + {d.item()} x^3")
    return {"start": start, "losses": losses, "cubic": [a.item(), b.item(), c.item(), d.item()]}


if __name__ == "__main__":
    run(main)
