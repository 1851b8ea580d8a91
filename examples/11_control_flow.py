"""Lesson 11: control flow and weight sharing.

The graph is made while forward runs, so forward may be any Python: here each call rolls dice for how many extra powers
it adds, and the same weight e multiplies all of them. Its gradient is then the sum over its uses. The range of powers
is empty, or 4, or 4 and 5: `random.randint(4, 6)` includes both ends, `range` leaves its end out.
"""

from __future__ import annotations

import math
import random
from types import ModuleType
from typing import Any

from lesson import run


def dynamic_net(torch: ModuleType, dice: random.Random) -> Any:
    """A polynomial of random degree 3, 4 or 5 at every call."""

    class DynamicNet(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            for name in "abcde":
                setattr(self, name, torch.nn.Parameter(torch.randn(())))

        def forward(self, x: Any) -> Any:
            y = self.a + self.b * x + self.c * x**2 + self.d * x**3
            for exp in range(4, dice.randint(4, 6)):
                y = y + self.e * x**exp
            return y

    return DynamicNet()


def main(torch: ModuleType, *, seed: int = 0, epochs: int = 5000) -> dict[str, Any]:
    torch.manual_seed(seed)
    dice = random.Random(seed)

    # First without dice: e used for two powers, at x = 2. d y / d e = 2^4 + 2^5 = 48: one contribution per use.
    e = torch.tensor(1.0, requires_grad=True)
    x = torch.tensor(2.0)
    (e * x**4 + e * x**5).backward()
    shared = e.grad.item()
    print("gradient of a weight used twice:", shared)

    x = torch.linspace(-math.pi, math.pi, 2000)
    y = torch.sin(x)
    model = dynamic_net(torch, dice)
    criterion = torch.nn.MSELoss(reduction="sum")
    # x^5 reaches 306: the loss is steep, a plain step must be tiny, momentum makes up for it.
    optimizer = torch.optim.SGD(model.parameters(), lr=1e-8, momentum=0.9)
    losses = []
    for t in range(epochs):
        loss = criterion(model(x), y)
        losses.append(loss.item())
        if t % 500 == 499:
            print(t, losses[-1])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    weights = [p.item() for p in model.parameters()]
    a, b, c, d, e_ = weights
    print(f"Result: y = {a} + {b} x + {c} x^2 + {d} x^3 + {e_} x^4 ? + {e_} x^5 ?")
    return {"shared": shared, "losses": losses, "polynomial": weights}


if __name__ == "__main__":
    run(main)
