"""Lesson 10: a Module of your own.

Whatever is a Parameter and is assigned to `self` becomes part of the model: `parameters()` finds it, the optimizer
moves it, `state_dict()` saves it. `forward` says what the model computes; you call the model, not forward. The
document's class cannot run as printed: `super.__init__()` needs its parentheses, `super().__init__()`, and the first
parameter is written `torch.nn.parameter`, which is a module; the class is `torch.nn.Parameter`.
"""

from __future__ import annotations

import math
from types import ModuleType
from typing import Any

from lesson import run


def polynomial(torch: ModuleType) -> Any:
    """A fresh cubic model with random coefficients."""

    class Polynomial3(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()  # first of all: Module prepares the place where parameters are registered
            self.a = torch.nn.Parameter(torch.randn(()))
            self.b = torch.nn.Parameter(torch.randn(()))
            self.c = torch.nn.Parameter(torch.randn(()))
            self.d = torch.nn.Parameter(torch.randn(()))

        def forward(self, x: Any) -> Any:
            return self.a + self.b * x + self.c * x**2 + self.d * x**3

        def string(self) -> str:
            return f"y = {self.a.item()} + {self.b.item()} x + {self.c.item()} x^2 + {self.d.item()} x^3"

    return Polynomial3()


def main(torch: ModuleType, *, seed: int = 0, epochs: int = 2000) -> dict[str, Any]:
    torch.manual_seed(seed)
    x = torch.linspace(-math.pi, math.pi, 2000)
    y = torch.sin(x)
    model = polynomial(torch)
    names = [name for name, _ in model.named_parameters()]
    print("parameters found by the module:", ", ".join(names))
    criterion = torch.nn.MSELoss(reduction="sum")
    optimizer = torch.optim.SGD(model.parameters(), lr=1e-6)
    losses = []
    for t in range(epochs):
        loss = criterion(model(x), y)
        losses.append(loss.item())
        if t % 100 == 99:
            print(t, losses[-1])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    print("Result:", model.string())
    return {"names": names, "losses": losses, "cubic": [p.item() for p in model.parameters()]}


if __name__ == "__main__":
    run(main)
