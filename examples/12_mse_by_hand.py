"""Lesson 12: MSELoss, checked with pencil and paper.

With X - Y = [[1, -1], [3, -2], [-1, 1]] the sum of squares is 1 + 1 + 9 + 4 + 1 + 1 = 17. The default divides by all
n * d = 6 entries: 17/6, with gradient 2/6 (X - Y) = [[1, -1], [3, -2], [-1, 1]] / 3. With reduction="sum" it is 17,
with gradient 2 (X - Y) = [[2, -2], [6, -4], [-2, 2]].

The document's formulas print the last entry of both gradient matrices with the wrong sign (-1 and -2). It is 3 - 2 = 1
there, so 1/3 and 2: as its own program's output says, two lines below each formula.
"""

from __future__ import annotations

from types import ModuleType
from typing import Any

from lesson import run


def main(torch: ModuleType, *, seed: int = 0) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for reduction in ("mean", "sum"):
        X = torch.tensor([[3, 1], [4, 2], [5, 3]], dtype=torch.float, requires_grad=True)
        Y = torch.tensor([[2, 2], [1, 4], [6, 2]], dtype=torch.float)
        loss = torch.nn.MSELoss(reduction=reduction)(X, Y)
        loss.backward()
        count = X.numel() if reduction == "mean" else 1
        by_formula = 2 * (X - Y).detach() / count
        print(f'MSELoss(reduction="{reduction}")')
        print("loss  ", loss)
        print("X.grad", X.grad)  # the document prints `loss` here and shows the gradient
        print("2 (X - Y) / n", by_formula)
        result[reduction] = {"loss": loss.item(), "gradient": X.grad.tolist(), "formula": by_formula.tolist()}
    return result


if __name__ == "__main__":
    run(main)
