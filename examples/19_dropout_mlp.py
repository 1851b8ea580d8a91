"""Lesson 19: an MLP with dropout, from the same seed as torch.

Weights, noise and dropout masks are all random, and all drawn from one seed: minigrad draws torch's numbers, so the two
engines start equal and follow each other through the training, loss by loss. Run it with `--engine minigrad` and with
`--engine torch` and compare the printed digits.

Dropout zeroes each activation with probability 0.2 while training and scales the others by 1 / 0.8; `model.eval()`
switches it off.
"""

from __future__ import annotations

from types import ModuleType
from typing import Any

from lesson import progress, run


def main(torch: ModuleType, *, seed: int = 0, epochs: int = 300) -> dict[str, Any]:
    torch.manual_seed(seed)
    x = torch.linspace(-2, 2, 128).unsqueeze(1)
    y = torch.sin(2 * x) + 0.1 * torch.randn(128, 1)
    model = torch.nn.Sequential(
        torch.nn.Linear(1, 64),
        torch.nn.ReLU(),
        torch.nn.Dropout(0.2),
        torch.nn.Linear(64, 64),
        torch.nn.ReLU(),
        torch.nn.Dropout(0.2),
        torch.nn.Linear(64, 1),
    )
    print(model)
    first_weights = model[0].weight.reshape(-1).tolist()
    criterion = torch.nn.MSELoss()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
    losses = []
    for epoch in progress(range(epochs), "epochs"):
        loss = criterion(model(x), y)
        losses.append(loss.item())
        if epoch == 0 or epoch % 50 == 49:
            print(f"{epoch + 1:4d}  loss {losses[-1]:.7f}")
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

    model.eval()
    with torch.no_grad():
        clean = criterion(model(x), y).item()
    print(f"without dropout: {clean:.7f}")
    return {
        "first weights": first_weights,
        "losses": losses,
        "without dropout": clean,
        "last layer": model[6].weight.reshape(-1).tolist(),
    }


if __name__ == "__main__":
    run(main)
