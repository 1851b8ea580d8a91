"""Scripts that say `import torch`, in the documents' manner: torch and `python -m minigrad run` print the same text."""

from __future__ import annotations

import contextlib
import io
import os
import subprocess
import sys
import textwrap
import warnings
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

SCRIPTS = {
    "printing a loss, a gradient, a model and its parameters": """
        import torch
        from torch import nn

        torch.manual_seed(1)
        X = torch.tensor([[3, 1], [4, 2], [5, 3]], dtype=torch.float, requires_grad=True)
        Y = torch.tensor([[2, 2], [1, 4], [6, 2]], dtype=torch.float)
        loss = torch.nn.MSELoss()
        loss = loss(X, Y)
        print(loss)
        loss.backward()
        print(X.grad)
        print(nn.MSELoss(reduction="sum")(X, Y))
        net = nn.Sequential(nn.Linear(2, 1))
        net[0].weight.data = torch.tensor([[1, 2]], dtype=torch.float)
        net[0].bias.data.fill_(0)
        print(net, net[0].weight.data, net[0].bias)
        print(f"{net[0].weight}:{net[0].bias}", len(list(net.parameters())))
    """,
    "a class in the old spelling, the deprecated argument, data through a loader": """
        import warnings
        import torch
        from torch import nn, optim
        from torch.utils import data
        from torch.utils.data import DataLoader, Dataset, SubsetRandomSampler, TensorDataset

        torch.manual_seed(2)

        class LinearModel(torch.nn.Module):
            def __init__(self):
                super(LinearModel, self).__init__()
                self.linear = torch.nn.Linear(1, 1)

            def forward(self, x):
                y_pred = self.linear(x)
                return y_pred

        model = LinearModel()
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            criterion = torch.nn.MSELoss(size_average=False)
        print([(w.category.__name__, str(w.message)) for w in caught])
        optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
        x_data = torch.Tensor([[1.0], [2.0], [3.0]])
        y_data = torch.Tensor([[2.0], [4.0], [6.0]])
        for epoch in range(3):
            loss = criterion(model(x_data), y_data)
            print(epoch, loss)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        print("y_pred = ", model(torch.Tensor([[4.0]])).data)
        print(model, optimizer)
        for x, y in DataLoader(TensorDataset(x_data, y_data), batch_size=2, shuffle=True):
            print(x, y, len(y))
        sampler = SubsetRandomSampler(list(range(3)))
        for x, y in data.DataLoader(dataset=data.TensorDataset(x_data, y_data), batch_size=2, sampler=sampler):
            print(x.shape, y.reshape(-1, 1).type(torch.float32))
        print(issubclass(TensorDataset, Dataset), optim.SGD is torch.optim.SGD, nn.Linear is torch.nn.Linear)
    """,
    "tensors made of tensors, and NumPy beside them": """
        import warnings
        import numpy as np
        import torch

        warnings.simplefilter("ignore")
        torch.manual_seed(3)
        x = torch.linspace(torch.tensor(-1.0), torch.tensor(2.0, dtype=torch.float64), 5)
        model = torch.nn.Linear(in_features=1, out_features=1)
        y1 = torch.tensor([v * model.weight + model.bias for v in x])
        y2 = torch.tensor([v * 42.5 + 1.5 for v in x])
        print(x, y1, y2, y1.requires_grad)
        print(np.asarray(y2), np.mean(y2.numpy()))
        data_tensor = torch.tensor([2, 3, 4])
        print(type(data_tensor), type(data_tensor.numpy()))
        data = torch.randint(0, 10, [2, 3])
        print(data, data.add(10), data.div(100), data.neg(), data.size())
        data += 10
        print(data, torch.full([2, 3], 10).type(torch.DoubleTensor).dtype)
        points = np.array([[0.11, 1.24], [0.20, 1.40]])
        print(torch.FloatTensor(points[:, 0]), torch.tensor(points[0][1], dtype=torch.float))
        print(torch.permute(torch.zeros(3, 4, 5), [1, 2, 0]).shape, torch.tensor(np.ones((2, 3))))
    """,
    "what goes wrong": """
        import torch

        def attempt(action):
            try:
                print("no error", action())
            except Exception as error:
                print(type(error).__name__)

        w = torch.ones(3, requires_grad=True)
        attempt(lambda: torch.tensor([1, 2], requires_grad=True))
        attempt(lambda: torch.nn.parameter(torch.randn(())))
        attempt(lambda: torch.tensor([3, 7]).div_(2))
        attempt(lambda: w.backward())
        attempt(lambda: torch.arrange(3))
        attempt(lambda: torch.Tensor([1.0], [2.0], [3.0]))
        attempt(lambda: torch.tensor([[1, 2, 3], [4, 5, 6]]).t().view(6))
    """,
}


@pytest.mark.parametrize("title", SCRIPTS)
def test_a_torch_script_prints_the_same(title, tmp_path):
    source = textwrap.dedent(SCRIPTS[title])
    script = tmp_path / "script.py"
    script.write_text(source, encoding="utf-8")
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])}
    mine = subprocess.run(
        [sys.executable, "-m", "minigrad", "run", str(script)],
        capture_output=True, text=True, env=environment, timeout=60, check=False,
    )  # fmt: skip
    assert mine.returncode == 0, mine.stderr
    theirs = io.StringIO()
    with contextlib.redirect_stdout(theirs), warnings.catch_warnings():
        exec(compile(source, str(script), "exec"), {"__name__": "__main__"})
    assert mine.stdout.replace("minigrad.", "torch.") == theirs.getvalue()
