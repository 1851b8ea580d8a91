"""Lesson 14: the first two gradients, and a walk down a parabola.

test01: z = 5 * 1 + 3 = 8 against the target 0: loss 64, d loss / d w = 2 * 8 * 5 = 80, d loss / d b = 16.
test02: with an input of ones every input feeds the outputs alike, so all five rows of w.grad are the same, and each
equals b.grad. Last, theta^2 from theta = 1 with rate 0.4: each step multiplies theta by 1 - 0.4 * 2 = 0.2.
"""

from __future__ import annotations

from types import ModuleType
from typing import Any

from lesson import run


def main(torch: ModuleType, *, seed: int = 0) -> dict[str, Any]:
    print("test01")
    x = torch.tensor(5)
    y = torch.tensor(0.0)
    w = torch.tensor(1.0, requires_grad=True, dtype=torch.float32)
    b = torch.tensor(3.0, requires_grad=True, dtype=torch.float32)
    z = x * w + b  # an integer tensor times a float one: the result is float
    loss = torch.nn.MSELoss()(z, y)
    loss.backward()
    print("gradient of w:", w.grad)
    print("gradient of b:", b.grad)
    scalar = {"loss": loss.item(), "w": w.grad.item(), "b": b.grad.item()}

    print("test02")
    torch.manual_seed(seed)
    x = torch.ones(2, 5)
    y = torch.zeros(2, 3)
    w = torch.randn(5, 3, requires_grad=True)
    b = torch.randn(3, requires_grad=True)
    z = torch.matmul(x, w) + b  # (2, 5) @ (5, 3) is (2, 3); b of shape (3,) is added to both rows
    loss = torch.nn.MSELoss()(z, y)
    loss.backward()
    print("gradient of w:", w.grad)
    print("gradient of b:", b.grad)
    matrix = {"loss": loss.item(), "z": z.tolist(), "w": w.grad.tolist(), "b": b.grad.tolist()}

    print("theta^2, learning rate 0.4")
    theta = torch.tensor(1.0, requires_grad=True)
    walk = [theta.item()]
    for _ in range(4):
        (theta**2).backward()
        with torch.no_grad():
            theta -= 0.4 * theta.grad
        theta.grad = None
        walk.append(theta.item())
    print(*(f"{step:g}" for step in walk))
    return {"test01": scalar, "test02": matrix, "theta": walk}


if __name__ == "__main__":
    run(main)
