"""Lesson 07: a model from building blocks.

The cubic once more: x, x^2 and x^3 are three input columns, and a cubic is a Linear layer on them. Sequential passes
the data through its layers in order; Flatten(0, 1) turns the layer's (2000, 1) into the (2000,) of the targets, which
matters: a (2000, 1) minus a (2000,) would silently broadcast to (2000, 2000).
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
    p = torch.tensor([1, 2, 3])
    xx = x.unsqueeze(-1).pow(p)  # (2000, 1) to the powers (3,) broadcasts to (2000, 3)

    model = torch.nn.Sequential(torch.nn.Linear(3, 1), torch.nn.Flatten(0, 1))
    print(model)
    loss_fn = torch.nn.MSELoss(reduction="sum")

    learning_rate = 1e-6
    losses = []
    for t in range(epochs):
        y_pred = model(xx)
        loss = loss_fn(y_pred, y)
        losses.append(loss.item())
        if t % 100 == 99:
            print(t, losses[-1])
        model.zero_grad()
        loss.backward()
        with torch.no_grad():
            for param in model.parameters():
                param -= learning_rate * param.grad

    linear = model[0]  # a Sequential is indexed like a list
    weight = [linear.weight[:, column].item() for column in range(3)]
    bias = linear.bias.item()
    print(f"Result: y = {bias} + {weight[0]} x + {weight[1]} x^2 + {weight[2]} x^3")
    return {"shapes": [list(xx.shape), list(y_pred.shape)], "losses": losses, "bias": bias, "weight": weight}


if __name__ == "__main__":
    run(main)
