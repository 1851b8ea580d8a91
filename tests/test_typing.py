"""minigrad says that it is typed: a type checker takes an ordinary program for what it is."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import minigrad

pytest.importorskip("mypy")

PROGRAM = """\
import minigrad as torch

x = torch.randn(3, requires_grad=True)
y = (1 - x * 2 + 1).reshape(3, 1).sum()
y.backward()
print(x.grad, x[0] < 1, -x, float(y), len(x), x @ x, 2 ** x)
for row in x:
    print(row.item())
model = torch.nn.Sequential(torch.nn.Linear(1, 1), torch.nn.ReLU())
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
loss = torch.nn.MSELoss()(model(torch.ones(2, 1)), torch.zeros(2, 1))
optimizer.zero_grad()
loss.backward()
optimizer.step()
reveal_type(torch.nn.Linear(1, 1))
wrong: int = torch.nn.Linear(1, 1)
"""


def test_an_ordinary_program_passes_and_a_wrong_line_does_not(tmp_path):
    (tmp_path / "program.py").write_text(PROGRAM)
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--no-incremental", "--follow-imports=silent", "program.py"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        env={**os.environ, "MYPYPATH": str(Path(minigrad.__file__).parent.parent)},
    )
    assert done.returncode == 1, done.stderr
    note, error, count = done.stdout.splitlines()
    assert note == 'program.py:15: note: Revealed type is "minigrad.nn.layers.Linear"'
    assert error.startswith("program.py:16: error: Incompatible types in assignment") and "Found 1 error" in count
