"""Lesson 18: a noisy line from scikit-learn, shuffled batches, and two plots.

100 points around y = coef x + 1.5 with noise of standard deviation 10; batches of 16 in a new order every epoch, Linear
and MSELoss, 100 epochs of SGD. With `--out DIR` it writes loss.png (how the loss falls) and fit.png (the fitted line
against the true one, with the points). The fitted line is not the true one, and should not be: the noise moves the
least-squares line, and training finds that.
"""

from __future__ import annotations

from types import ModuleType
from typing import Any

from lesson import figure, optional, progress, run, save


def create_dataset(torch: ModuleType) -> tuple[Any, Any, float]:
    """x (100, 1) and y (100,) in float64, as NumPy has them, and the true slope."""
    x, y, coef = optional("sklearn.datasets").make_regression(
        n_samples=100, n_features=1, noise=10, coef=True, bias=1.5, random_state=0
    )
    return torch.tensor(x), torch.tensor(y), float(coef)


def main(torch: ModuleType, *, seed: int = 0, epochs: int = 100, out: str | None = None) -> dict[str, Any]:
    x, y, coef = create_dataset(torch)
    torch.manual_seed(seed)
    dataset = torch.utils.data.TensorDataset(x, y)
    dataloader = torch.utils.data.DataLoader(dataset=dataset, batch_size=16, shuffle=True)
    model = torch.nn.Linear(in_features=1, out_features=1)
    criterion = torch.nn.MSELoss()
    optimizer = torch.optim.SGD(params=model.parameters(), lr=1e-2)

    loss_epoch = []  # the true mean squared error of each epoch
    document_curve = []  # what the document plots, see below
    total_loss, train_sample = 0.0, 0
    for epoch in progress(range(epochs), "epochs"):
        squares, samples = 0.0, 0
        for train_x, train_y in dataloader:
            y_pred = model(train_x.type(torch.float32))  # the model's weights are float32, the data float64
            # (16, 1) against (16,) would broadcast to (16, 16): the target gets the shape of the prediction.
            loss = criterion(y_pred, train_y.reshape(-1, 1).type(torch.float32))
            squares += loss.item() * len(train_y)
            samples += len(train_y)
            # The document sums batch MEANS, divides by the number of SAMPLES and never resets either: its curve is
            # a running average of about a 14th of the loss. It falls, and hides when the training has finished.
            total_loss += loss.item()
            train_sample += len(train_y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        loss_epoch.append(squares / samples)
        document_curve.append(total_loss / train_sample)
        if epoch % 10 == 9:
            print(f"{epoch + 1:4d} epochs  loss {loss_epoch[-1]:.4f}")

    slope, intercept = model.weight.item(), model.bias.item()
    print(f"fitted: y = {slope:.4f} x + {intercept:.4f}")
    print(f"true:   y = {coef:.4f} x + 1.5")

    if out is None:
        print("For the plots, add: --out DIR")
    else:
        canvas, axes = figure("Training loss", "epoch", "mean squared error")
        axes.plot(range(1, epochs + 1), loss_epoch, color="tab:blue")
        axes.axhline(loss_epoch[-1], color="gray", linestyle=":", linewidth=1)
        axes.annotate(
            f"{loss_epoch[-1]:.0f} in the last epoch",
            (epochs, loss_epoch[-1]),
            xytext=(0, 6),
            textcoords="offset points",
            ha="right",
            color="dimgray",
        )
        axes.set_ylim(bottom=0)
        save(canvas, out, "loss.png")

        canvas, axes = figure("Linear regression: fitted and true line", "x", "y")
        axes.scatter(x, y, s=16, color="gray", alpha=0.7, label="100 points")
        line_x = torch.linspace(x.min(), x.max(), 1000)
        fitted = model(line_x.reshape(-1, 1)).detach().reshape(-1)
        true = torch.tensor([v * coef + 1.5 for v in line_x])
        axes.plot(line_x, fitted, color="tab:blue", linewidth=2, label=f"fitted: {slope:.1f} x + {intercept:.1f}")
        axes.plot(line_x, true, color="tab:orange", linestyle="--", linewidth=2, label=f"true: {coef:.1f} x + 1.5")
        axes.legend(frameon=False)
        save(canvas, out, "fit.png")

    return {
        "coef": coef,
        "losses": loss_epoch,
        "document curve": document_curve,
        "slope": slope,
        "intercept": intercept,
    }


if __name__ == "__main__":
    run(main)
