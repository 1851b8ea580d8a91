"""Lesson 20: real data. Handwritten digits, classified.

scikit-learn brings 1797 images of 8 x 8 pixels. A fifth is held out: the accuracy that counts is on images the model
has not seen. New against the regressions: ten outputs, one per class (logits); CrossEntropyLoss, which is log-softmax
and the negative log-likelihood of the right class in one; Adam; and accuracy, the share of images whose largest logit
is the right one. With `--out DIR` it writes digits.png: held-out images with what the model says.
"""

from __future__ import annotations

from types import ModuleType
from typing import Any

from lesson import optional, progress, run, save

FLOOR = {"accuracy": 0.003}  # one image in 360, should rounding tip a close decision


def main(torch: ModuleType, *, seed: int = 0, epochs: int = 20, out: str | None = None) -> dict[str, Any]:
    digits = optional("sklearn.datasets").load_digits()
    images = torch.tensor(digits.data, dtype=torch.float32) / 16  # pixels are 0..16; now (1797, 64) in 0..1
    labels = torch.tensor(digits.target)
    torch.manual_seed(seed)
    everything = torch.utils.data.TensorDataset(images, labels)
    training, held_out = torch.utils.data.random_split(everything, [1437, 360])
    loader = torch.utils.data.DataLoader(training, batch_size=64, shuffle=True)
    test_images = torch.stack([image for image, _ in held_out])
    test_labels = torch.stack([label for _, label in held_out])

    model = torch.nn.Sequential(torch.nn.Linear(64, 64), torch.nn.ReLU(), torch.nn.Linear(64, 10))
    criterion = torch.nn.CrossEntropyLoss()
    optimizer = torch.optim.Adam(model.parameters(), lr=0.005)
    losses, accuracies = [], []
    for epoch in progress(range(epochs), "epochs"):
        model.train()
        total = 0.0
        for batch, target in loader:
            loss = criterion(model(batch), target)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.item() * len(target)
        losses.append(total / len(training))
        model.eval()
        with torch.no_grad():
            accuracies.append((model(test_images).argmax(dim=1) == test_labels).float().mean().item())
        print(f"epoch {epoch + 1:2d}  training loss {losses[-1]:.4f}  held-out accuracy {accuracies[-1]:.1%}")

    if out is None:
        print("For a picture, add: --out DIR")
    else:
        draw(torch, model, test_images, test_labels, accuracies[-1], out)
    return {"losses": losses, "accuracy": accuracies}


def draw(torch: ModuleType, model: Any, images: Any, labels: Any, accuracy: float, out: str) -> None:
    """The held-out images that the model got wrong, then right ones, 24 in all, into digits.png."""
    with torch.no_grad():
        said = model(images).argmax(dim=1)
    wrong = [i for i in range(len(labels)) if said[i] != labels[i]]
    right = [i for i in range(len(labels)) if said[i] == labels[i]]
    canvas = optional("matplotlib.figure").Figure(figsize=(8, 4.2), layout="constrained")
    canvas.suptitle(f"Held-out digits: {accuracy:.1%} right, mistakes in red")
    grid = canvas.subplots(3, 8)
    for axes, i in zip(grid.flat, (wrong + right)[:24]):
        axes.imshow(images[i].reshape(8, 8), cmap="gray_r")
        axes.set_axis_off()
        correct = said[i] == labels[i]
        axes.set_title(
            f"{said[i].item()}" if correct else f"{said[i].item()}, is {labels[i].item()}",
            fontsize=10,
            color="black" if correct else "crimson",
        )
    save(canvas, out, "digits.png")


if __name__ == "__main__":
    run(main)
