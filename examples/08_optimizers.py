"""Lesson 08: eight ways downhill.

The exercise of the linear-regression document: the same three points, the same start, eight optimizers. Each gets a
learning rate that suits it, because the number means something different to each: SGD multiplies the gradient by it,
Adam, Adamax, RMSprop and Rprop take steps of about that length whatever the gradient is, Adagrad starts so and shrinks
its steps, LBFGS scales a quasi-Newton step by it and may evaluate the loss many times in one step: hence a closure.
"""

from __future__ import annotations

from types import ModuleType
from typing import Any

from lesson import progress, run

SETTINGS: dict[str, dict[str, Any]] = {
    "Adagrad": {"lr": 1.0},
    "Adam": {"lr": 0.1},
    "Adamax": {"lr": 0.3},
    "ASGD": {"lr": 0.02},
    "LBFGS": {"lr": 1.0},
    "RMSprop": {"lr": 0.05},
    "Rprop": {"lr": 0.01},
    "SGD": {"lr": 0.02},
}
# The targets reach 6, where float32 numbers are 4.8e-7 apart: no residual, w or b is known better than to about that.
SQUARES = {"losses": 1e-6}
FLOOR = {"w and b": 1e-6}


def train(torch: ModuleType, name: str, seed: int, epochs: int) -> tuple[list[float], list[float]]:
    """The losses before each step, and w and b at the end, of one optimizer."""
    torch.manual_seed(seed)  # every optimizer starts from the same line
    x_data = torch.Tensor([[1.0], [2.0], [3.0]])
    y_data = torch.Tensor([[2.0], [4.0], [6.0]])
    model = torch.nn.Linear(1, 1)
    criterion = torch.nn.MSELoss(reduction="sum")
    optimizer = getattr(torch.optim, name)(model.parameters(), **SETTINGS[name])

    def closure() -> Any:
        optimizer.zero_grad()
        loss = criterion(model(x_data), y_data)
        loss.backward()
        return loss

    losses = []
    for _ in range(epochs):
        # step(closure) calls the closure at least once and returns its first loss. For seven of the eight that is
        # the same as zero_grad, backward, step; LBFGS cannot do without.
        losses.append(optimizer.step(closure).item())
    return losses, [model.weight.item(), model.bias.item()]


def main(torch: ModuleType, *, seed: int = 0, epochs: int = 300) -> dict[str, Any]:
    titles = ("first loss", "after 10", "after 50", "last", "w", "b")
    print(f"{'optimizer':10} {'lr':>5}", *(f"{title:>10}" for title in titles))
    result: dict[str, Any] = {}
    for name in progress(list(SETTINGS), "optimizers"):
        losses, (w, b) = train(torch, name, seed, epochs)
        shown = [losses[min(step, epochs - 1)] for step in (0, 10, 50, epochs - 1)]
        print(f"{name:10} {SETTINGS[name]['lr']:5}", *(f"{loss:10.2e}" for loss in shown), f"{w:10.5f} {b:10.5f}")
        result[name] = {"losses": losses, "w and b": [w, b]}
    print("The line that fits is y = 2 x + 0.")
    return result


if __name__ == "__main__":
    run(main)
