"""Lesson 17: height and weight, and why inputs are scaled.

Five people, heights in cm, weights in kg: what does somebody of 176 cm weigh? The document's answer is the line
0.9 * 176 - 93 = 65.4 kg. Least squares gives slope 0.92942 and intercept -93.273, hence 70.3 kg: rounding the slope to
0.9 looks harmless and costs 176 * 0.029 = 5 kg.

Gradient descent on raw centimetres needs a tiny rate: slope and intercept are entangled, one direction is 2e7 times
steeper than the other, and after thousands of steps the intercept has not left zero. Standardised heights,
(x - mean) / std, make the same problem easy: 200 steps are plenty.
"""

from __future__ import annotations

from types import ModuleType
from typing import Any

import numpy as np
from lesson import run

HEIGHT = [160.0, 166.0, 172.0, 174.0, 180.0]
WEIGHT = [56.3, 60.6, 65.1, 68.5, 75.0]
ASKED = 176.0


def descend(torch: ModuleType, x: Any, y: Any, rate: float, epochs: int) -> tuple[list[float], float, float]:
    """Gradient descent on the mean squared error of w x + b, from w = b = 0."""
    w = torch.zeros(1, requires_grad=True)
    b = torch.zeros(1, requires_grad=True)
    optimizer = torch.optim.SGD([w, b], lr=rate)
    losses = []
    for _ in range(epochs):
        loss = torch.nn.functional.mse_loss(w * x + b, y)
        losses.append(loss.item())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return losses, w.item(), b.item()


def main(torch: ModuleType, *, seed: int = 0, epochs: int = 200) -> dict[str, Any]:
    x = torch.tensor(HEIGHT)  # nothing is drawn here: the seed changes nothing
    y = torch.tensor(WEIGHT)

    slope, intercept = np.polyfit(HEIGHT, WEIGHT, 1)
    answer = slope * ASKED + intercept
    print(f"least squares:  {slope:.5f} * 176 + {intercept:.4f} = {answer:.3f} kg")
    print(f"the document:   0.9 * 176 - 93 = {0.9 * ASKED - 93:.1f} kg")

    raw_losses, raw_w, raw_b = descend(torch, x, y, 1e-5, 10 * epochs)
    raw = raw_w * ASKED + raw_b
    print(
        f"raw heights, {10 * epochs} steps: {raw_w:.5f} * 176 + {raw_b:.4f} = {raw:.3f} kg, loss {raw_losses[-1]:.3f}"
    )

    mean, std = x.mean(), x.std()  # std divides by n - 1; any scale of that size would do
    losses, w, b = descend(torch, (x - mean) / std, y, 0.1, epochs)
    # w (x - mean) / std + b, written again as slope * x + intercept
    slope_found = w / std.item()
    intercept_found = b - w * mean.item() / std.item()
    found = slope_found * ASKED + intercept_found
    line = f"{slope_found:.5f} * 176 + {intercept_found:.4f}"
    print(f"standardised, {epochs} steps: {line} = {found:.3f} kg, loss {losses[-1]:.3f}")
    return {
        "least squares": [float(slope), float(intercept), float(answer)],
        "raw": {"losses": raw_losses, "line": [raw_w, raw_b]},
        "standardised": {"losses": losses, "line": [slope_found, intercept_found], "answer": found},
    }


if __name__ == "__main__":
    run(main)
