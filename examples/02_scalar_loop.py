"""Lesson 02: one weight, one sample at a time, every gradient printed.

The model is y = w x, the data are (1, 2), (2, 4), (3, 6), the start is w = 1. For each sample: compute the loss, call
backward, step against the gradient, set the gradient back to zero. The trace is the one in the document, digit for
digit; 4 * w must approach 8.
"""

from __future__ import annotations

from types import ModuleType
from typing import Any

from lesson import run

X_DATA = [1.0, 2.0, 3.0]
Y_DATA = [2.0, 4.0, 6.0]


def main(torch: ModuleType, *, seed: int = 0, epochs: int = 100) -> dict[str, Any]:
    w = torch.Tensor([1.0])  # a fixed start: this lesson draws no random number, the seed changes nothing
    w.requires_grad = True

    def forward(x: float) -> Any:
        return x * w

    def loss(x: float, y: float) -> Any:
        return (forward(x) - y) ** 2

    before = forward(4).item()
    print("predict (before training)", 4, before)
    gradients, losses = [], []
    for epoch in range(epochs):
        for x, y in zip(X_DATA, Y_DATA):
            l = loss(x, y)
            l.backward()  # d l / d w is now in w.grad
            gradients.append(w.grad.item())
            print("\tgrad:", x, y, gradients[-1])
            # .data is the same memory without history: this step is not part of any graph.
            w.data = w.data - 0.01 * w.grad.data
            # backward ADDS to w.grad. Without this line the next gradient would carry the old ones along.
            w.grad.data.zero_()
        losses.append(l.item())
        print("progress:", epoch, losses[-1])
    after = forward(4).item()
    print("predict (after training)", 4, after)
    return {"before": before, "gradients": gradients, "losses": losses, "w": w.item(), "after": after}


if __name__ == "__main__":
    run(main)
