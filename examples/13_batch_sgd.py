"""Lesson 13: one batch of SGD by hand, and what happens when gradients are never zeroed.

Part 1 does the document's first step with three samples: residuals 4, 2, 4, loss 12, gradients (32/3, 16) and 20/3,
and with a learning rate of 0.5 the new w = (-13/3, -6), b = -10/3.

Part 2 is its training loop, with TensorDataset and DataLoader. As printed, that loop never calls zero_grad, so every
step uses the sum of all gradients so far. That is exactly SGD with momentum 1: velocity += gradient, w -= lr velocity,
a ball without friction. It swings instead of settling, and at 0.5 (too large here with or without zeroing: the samples
reach 8) it explodes. The lesson trains four times, to tell the two faults apart.
"""

from __future__ import annotations

from types import ModuleType
from typing import Any

from lesson import run

FEATURES = [[1, 2], [4, 2], [8, 1], [0, 1], [3, 8], [1, 3]]
LABELS = [[1], [6], [2], [7], [1], [3]]
BATCH = [5, 1, 0]  # the three samples that the document's shuffle happened to put first


def fresh(torch: ModuleType) -> Any:
    """y = x1 w1 + x2 w2 + b with w = (1, 2) and b = 0, as in the document."""
    net = torch.nn.Sequential(torch.nn.Linear(2, 1))
    net[0].weight.data = torch.tensor([[1, 2]], dtype=torch.float)
    net[0].bias.data.fill_(0)
    return net


def train(torch: ModuleType, seed: int, epochs: int, lr: float, zero: bool, momentum: float = 0.0) -> list[float]:
    """The summed loss over all six samples after every epoch of two batches."""
    features = torch.tensor(FEATURES, dtype=torch.float)
    labels = torch.tensor(LABELS, dtype=torch.float)
    net = fresh(torch)
    torch.manual_seed(seed)  # after the layer has drawn its start: every run sees the same shuffles
    loader = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(features, labels), batch_size=3, shuffle=True)
    loss = torch.nn.MSELoss(reduction="sum")
    trainer = torch.optim.SGD(net.parameters(), lr=lr, momentum=momentum)
    totals = []
    for _ in range(epochs):
        for X, y in loader:
            batch_loss = loss(net(X), y) / len(y)  # per sample, so that lr does not depend on the batch size
            if zero:
                trainer.zero_grad()
            batch_loss.backward()
            trainer.step()
        totals.append(loss(net(features), labels).item())
    return totals


def main(torch: ModuleType, *, seed: int = 0, epochs: int = 3) -> dict[str, Any]:
    print("Part 1: one batch")
    net = fresh(torch)
    features = torch.tensor(FEATURES, dtype=torch.float)[BATCH]
    labels = torch.tensor(LABELS, dtype=torch.float)[BATCH]
    trainer = torch.optim.SGD(net.parameters(), lr=0.5)
    loss = torch.nn.MSELoss(reduction="sum")(net(features), labels) / len(labels)
    loss.backward()
    weight_gradient, bias_gradient = net[0].weight.grad.tolist()[0], net[0].bias.grad.item()
    trainer.step()
    print("  loss         ", loss.item())
    print("  gradients    ", weight_gradient, bias_gradient)
    print("  new w and b  ", net[0].weight.data, net[0].bias.data)
    result: dict[str, Any] = {
        "batch": {
            "loss": loss.item(),
            "weight gradient": weight_gradient,
            "bias gradient": bias_gradient,
            "weight": net[0].weight.tolist()[0],
            "bias": net[0].bias.item(),
        }
    }

    print(f"Part 2: the summed loss over all samples, {epochs} epochs as in the document and then 30")
    runs = [
        ("as printed: lr 0.5, never zeroed", epochs, 0.5, False, 0.0),
        ("zeroed, lr 0.5: still too large", epochs, 0.5, True, 0.0),
        ("never zeroed, lr 0.005: it swings", 30, 0.005, False, 0.0),
        ("zeroed, momentum 1: the same swing", 30, 0.005, True, 1.0),
        ("zeroed, lr 0.005: it settles", 30, 0.005, True, 0.0),
    ]
    for label, count, lr, zero, momentum in runs:
        totals = train(torch, seed, count, lr, zero, momentum)
        shown = totals if len(totals) <= 6 else totals[4::5]
        print(f"  {label:36}", *(f"{total:10.4g}" for total in shown))
        result[label] = totals
    return result


if __name__ == "__main__":
    run(main)
