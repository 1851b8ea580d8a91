"""Lesson 09: the model of lesson 07, stepped by an optimizer.

`optimizer.zero_grad()`, `loss.backward()`, `optimizer.step()`: with these three lines in the loop the update rule is a
choice made in one place. RMSprop divides each gradient by its recent size, so every weight moves by about the learning
rate per step. That is why the document's program goes nowhere: it carries 1e-6 over from plain gradient descent, and
2000 steps of 1e-6 cannot move a weight by more than about 0.002. Both rates are run here, to see it.

Steps of constant length cannot settle either: with 1e-3 the weights end up jumping across the bottom of a steep valley,
and each jump magnifies what came before it. From about step 1200 on the run is chaotic. Change the last bit of one
start weight, or let another number of threads add up the loss, and the later losses differ in their second digit:
torch then disagrees with torch. What two engines can be asked to share is the way down, the first 1000 losses.
"""

from __future__ import annotations

import math
from types import ModuleType
from typing import Any

from lesson import run

# How close the swinging run comes to the best loss depends on rounding, see below.
FLOOR = {"smallest loss": 0.05}


def train(torch: ModuleType, seed: int, epochs: int, learning_rate: float) -> tuple[list[float], list[float]]:
    """The losses before each step, and bias and weights at the end."""
    torch.manual_seed(seed)
    x = torch.linspace(-math.pi, math.pi, 2000)
    y = torch.sin(x)
    xx = x.unsqueeze(-1).pow(torch.tensor([1, 2, 3]))
    model = torch.nn.Sequential(torch.nn.Linear(3, 1), torch.nn.Flatten(0, 1))
    loss_fn = torch.nn.MSELoss(reduction="sum")
    optimizer = torch.optim.RMSprop(model.parameters(), lr=learning_rate)
    losses = []
    for t in range(epochs):
        loss = loss_fn(model(xx), y)
        losses.append(loss.item())
        if t % 100 == 99:
            print(t, losses[-1])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return losses, [model[0].bias.item(), *model[0].weight[0].tolist()]


def main(torch: ModuleType, *, seed: int = 0, epochs: int = 2000) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for learning_rate in (1e-6, 1e-3):
        print(f"--- RMSprop, lr={learning_rate}")
        losses, weights = train(torch, seed, epochs, learning_rate)
        a, b, c, d = weights
        print(f"Result: y = {a} + {b} x + {c} x^2 + {d} x^3")
        result[f"lr {learning_rate}"] = {"losses": losses[:1000], "smallest loss": min(losses)}
    return result


if __name__ == "__main__":
    run(main)
