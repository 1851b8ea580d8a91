"""Lesson 16: mini-batches by Dataset, SubsetRandomSampler and DataLoader; parameters of your own.

Six points, two at a time in a new random order every epoch, 4000 epochs. A Dataset says how to get item i and how many
there are, a sampler says in which order, a DataLoader makes batches of it. The line ends near the least-squares line,
    a = sum (x - mean x)(y - mean y) / sum (x - mean x)^2 = 1.8824,   b = mean y - a mean x = 1.0478,
and keeps trembling around it, because the gradient of two points is not the gradient of six.
"""

from __future__ import annotations

from types import ModuleType
from typing import Any

import numpy as np
from lesson import progress, run

DATA_POINTS = np.array([[0.11, 1.24], [0.20, 1.40], [0.49, 2.00], [0.65, 2.27], [0.67, 2.41], [0.83, 2.52]])
# The targets are near 2, where float32 numbers are 2.4e-7 apart.
SQUARES = {"losses": 5e-7}


def main(torch: ModuleType, *, seed: int = 0, epochs: int = 4000) -> dict[str, Any]:
    torch.manual_seed(seed)

    class LRDataset(torch.utils.data.Dataset):
        def __init__(self, data_points: np.ndarray) -> None:
            self.data_points = data_points

        def __getitem__(self, index: int) -> tuple[Any, Any]:
            x = torch.tensor(self.data_points[index][0], dtype=torch.float)
            y = torch.tensor(self.data_points[index][1], dtype=torch.float)
            return x, y

        def __len__(self) -> int:
            return len(self.data_points)

    class LRModel(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.a = torch.nn.Parameter(torch.rand(1), requires_grad=True)
            self.b = torch.nn.Parameter(torch.rand(1), requires_grad=True)

        def forward(self, x: Any) -> Any:
            return self.a * x + self.b

    lr_dataset = LRDataset(DATA_POINTS)
    index = list(range(len(lr_dataset)))
    sampler = torch.utils.data.SubsetRandomSampler(index)
    lr_loader = torch.utils.data.DataLoader(dataset=lr_dataset, batch_size=2, sampler=sampler)
    lr_model = LRModel()
    optimizer = torch.optim.SGD(lr_model.parameters(), 0.01)
    start = [lr_model.a.item(), lr_model.b.item()]
    print(f"start         a = {start[0]:.6f}, b = {start[1]:.6f}")

    losses = []
    lr_model.train()
    for epoch in progress(range(epochs), "epochs"):
        for x, y in lr_loader:
            y_hat = lr_model(x)  # you call the model; it calls forward
            y_error = y - y_hat
            mse_loss = (y_error**2).mean()
            mse_loss.backward()
            optimizer.step()
            optimizer.zero_grad()  # after the step or before backward: either place will do
            losses.append(mse_loss.item())
        if epoch % 500 == 499:
            print(f"{epoch + 1:5d} epochs  a = {lr_model.a.item():.6f}, b = {lr_model.b.item():.6f}")

    x, y = DATA_POINTS[:, 0], DATA_POINTS[:, 1]
    best_a = float(((x - x.mean()) * (y - y.mean())).sum() / ((x - x.mean()) ** 2).sum())
    best_b = float(y.mean() - best_a * x.mean())
    print(f"least squares a = {best_a:.6f}, b = {best_b:.6f}")
    return {
        "start": start,
        "losses": losses,
        "a": lr_model.a.item(),
        "b": lr_model.b.item(),
        "least squares": [best_a, best_b],
    }


if __name__ == "__main__":
    run(main)
