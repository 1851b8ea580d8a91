"""Lesson 01: gradients by hand, in NumPy alone.

Before an engine finds derivatives, do it once yourself. A cubic a + b x + c x^2 + d x^3 is bent until it follows
sin x: the loss is the sum of squared errors, and the chain rule on paper gives its four derivatives. Then the same for
a line through six points, in mini-batches. At the end of each part the engine is asked for the same derivatives, and
agrees: automatic differentiation computes nothing that you could not.
"""

from __future__ import annotations

import math
from types import ModuleType
from typing import Any

import numpy as np
from lesson import run

POINTS = np.array([[0.11, 1.24], [0.20, 1.40], [0.49, 2.00], [0.65, 2.27], [0.67, 2.41], [0.83, 2.52]])


def cubic_gradient(x: np.ndarray, y: np.ndarray, weights: np.ndarray) -> tuple[float, np.ndarray]:
    """loss = sum_i (p_i - y_i)^2 with p = a + b x + c x^2 + d x^3, and its four derivatives, derived on paper.

    d loss / d p_i = 2 (p_i - y_i); then d p_i / d a = 1, d b: x_i, d c: x_i^2, d d: x_i^3. The chain rule multiplies,
    and because every p_i depends on a, the contributions of all points are added up.
    """
    a, b, c, d = weights
    prediction = a + b * x + c * x**2 + d * x**3
    loss = np.square(prediction - y).sum()
    g = 2.0 * (prediction - y)
    return float(loss), np.array([g.sum(), (g * x).sum(), (g * x**2).sum(), (g * x**3).sum()])


def line_gradient(points: np.ndarray, a: float, b: float) -> tuple[float, float, float]:
    """loss = mean_i (y_i - (a x_i + b))^2, and its derivatives -2 mean(error x) and -2 mean(error)."""
    x, y = points[:, 0], points[:, 1]
    error = y - (a * x + b)
    return float((error**2).mean()), float(-2 * (x * error).mean()), float(-2 * error.mean())


def main(torch: ModuleType, *, seed: int = 0, epochs: int = 2000) -> dict[str, Any]:
    rng = np.random.default_rng(seed)

    print("Part 1: a cubic for sin x on 2000 points, 2000 steps of 1e-6 against the gradient")
    x = np.linspace(-math.pi, math.pi, 2000)
    y = np.sin(x)
    weights = rng.standard_normal(4)

    # The engine's word on the derivatives at the start, in the same float64.
    leaf = torch.tensor(weights, requires_grad=True)
    tx, ty = torch.from_numpy(x), torch.from_numpy(y)
    ((leaf[0] + leaf[1] * tx + leaf[2] * tx**2 + leaf[3] * tx**3 - ty) ** 2).sum().backward()
    by_hand = cubic_gradient(x, y, weights)[1]
    print("  derivatives by hand:  ", *(f"{g:14.6f}" for g in by_hand))
    print("  derivatives by engine:", *(f"{g:14.6f}" for g in leaf.grad.tolist()))

    losses = []
    for step in range(epochs):
        loss, gradient = cubic_gradient(x, y, weights)
        losses.append(loss)
        if step % 100 == 99:
            print(f"  {step:5d}  loss {loss:.6f}")
        weights = weights - 1e-6 * gradient
    a, b, c, d = weights
    print(f"  y = {a:.6f} + {b:.6f} x + {c:.6f} x^2 + {d:.6f} x^3\n")

    print("Part 2: a line for six points, 4000 epochs of 3 mini-batches")
    start_loss, start_a, start_b = line_gradient(POINTS, 1.0, 1.0)
    print(f"  at a = b = 1: loss {start_loss:.6f}, d/da {start_a:.6f}, d/db {start_b:.6f}")
    # Both derivatives are negative: the loss falls when a and b grow. The step goes AGAINST the gradient, a minus sign.
    points = POINTS.copy()
    slope, offset = rng.standard_normal(2)
    for _ in range(2 * epochs):
        rng.shuffle(points)  # a new order every epoch, rows stay whole
        for start in range(0, len(points), 2):
            _, slope_gradient, offset_gradient = line_gradient(points[start : start + 2], slope, offset)
            slope -= 0.01 * slope_gradient
            offset -= 0.01 * offset_gradient
    best_slope, best_offset = least_squares(POINTS)
    print(f"  found         a = {slope:.4f}, b = {offset:.4f}")
    print(f"  least squares a = {best_slope:.4f}, b = {best_offset:.4f}")

    return {
        "hand gradient": by_hand.tolist(),
        "engine gradient": leaf.grad.tolist(),
        "losses": losses,
        "cubic": weights.tolist(),
        "line at (1, 1)": [start_loss, start_a, start_b],
        "line": [float(slope), float(offset)],
        "least squares": [best_slope, best_offset],
    }


def least_squares(points: np.ndarray) -> tuple[float, float]:
    """The line with the smallest mean squared error: a = sum (x - mx)(y - my) / sum (x - mx)^2, b = my - a mx."""
    x, y = points[:, 0], points[:, 1]
    a = ((x - x.mean()) * (y - y.mean())).sum() / ((x - x.mean()) ** 2).sum()
    return float(a), float(y.mean() - a * x.mean())


if __name__ == "__main__":
    run(main)
