"""`python -m minigrad run SCRIPT`: unmodified torch scripts, their output beside torch's, and their failures."""

import importlib
import os
import re
import runpy
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
import torch

import minigrad
from minigrad import runner

ROOT = Path(minigrad.__file__).resolve().parent.parent


@pytest.fixture
def script(tmp_path):
    """A function that writes a script and returns its path."""

    def write(source, name="script.py"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(textwrap.dedent(source), encoding="utf-8")
        return str(path)

    return write


def command(*arguments, **options):
    return subprocess.run(
        [sys.executable, "-m", "minigrad", *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        **options,
    )


# -- programs, each as it stands beside torch -------------------------------------------------------------------------

PROGRAMS = {
    "tensors": """
        import torch
        import numpy as np

        print(torch.tensor([[1, 2], [3, 4]]), torch.Tensor(2, 3).shape, torch.Tensor([10, 20]))
        print(torch.arange(0, 10, 2), torch.linspace(0, 11, 10))
        data = torch.full([2, 3], 10)
        print(data.dtype, data.type(torch.DoubleTensor).dtype, data.type(torch.DoubleTensor))
        shared = np.array([2, 3, 4], dtype=np.int32)
        tensor = torch.from_numpy(shared)
        tensor[0] = 100
        print(tensor, shared, torch.tensor(30).item())
        a, b = torch.tensor([[1, 2], [3, 4], [5, 6]]), torch.tensor([[5, 6], [7, 8]])
        print(a @ b, a.matmul(b).sum(dim=0), torch.mul(b, b))
        x = torch.arange(60.0, dtype=torch.float64).reshape(3, 4, 5)
        print(x.permute(1, 2, 0).shape, torch.transpose(x, 0, 1).contiguous().view(4, 15).shape, x[1, :, 2:4])
        print(torch.cat([x, x], dim=1).shape, x.mean(), x.sum(dim=2), torch.pow(x[0, 0], 2), x[:, 0, 0].exp())
        print(f"{x[0, 0, 1]:.3f}", x[x > 57], x[[0, 2], [1, 3]])
    """,
    "hand-written loop": """
        import torch

        w = torch.tensor([1.0], requires_grad=True)
        for epoch in range(3):
            for x, y in zip([1.0, 2.0, 3.0], [2.0, 4.0, 6.0]):
                loss = (x * w - y) ** 2
                loss.backward()
                print("grad:", x, y, w.grad.item())
                w.data = w.data - 0.01 * w.grad.data
                w.grad.data.zero_()
            print("progress:", epoch, loss.item())
        print(w, loss)
    """,
    "linear regression": """
        import torch

        class LinearModel(torch.nn.Module):
            def __init__(self):
                super().__init__()
                self.linear = torch.nn.Linear(1, 1)

            def forward(self, x):
                return self.linear(x)

        torch.manual_seed(0)
        x, y = torch.Tensor([[1.0], [2.0], [3.0]]), torch.Tensor([[2.0], [4.0], [6.0]])
        model = LinearModel()
        criterion = torch.nn.MSELoss(reduction="sum")
        optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
        for epoch in range(100):
            loss = criterion(model(x), y)
            if epoch % 10 == 0:
                print(epoch, loss.item())
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        print("w =", model.linear.weight.item(), "b =", model.linear.bias.item())
        print(model)
        print("y_pred =", model(torch.Tensor([[4.0]])).data)
    """,
    "polynomial": """
        import math
        import torch

        torch.manual_seed(1)
        x = torch.linspace(-math.pi, math.pi, 2000, device=torch.device("cpu"), dtype=torch.float)
        y = torch.sin(x)
        a, b, c, d = (torch.randn((), requires_grad=True) for _ in range(4))
        for t in range(200):
            loss = (a + b * x + c * x**2 + d * x**3 - y).pow(2).sum()
            if t % 50 == 49:
                print(t, loss.item())
            loss.backward()
            with torch.no_grad():
                for p in (a, b, c, d):
                    p -= 1e-6 * p.grad
                    p.grad = None
        print(f"y = {a.item():.4f} + {b.item():.4f} x + {c.item():.4f} x^2 + {d.item():.4f} x^3")
    """,
    "Legendre Function": """
        import math
        import torch
        from torch.autograd import Function

        class Legendre3(Function):
            @staticmethod
            def forward(ctx, input):
                ctx.save_for_backward(input)
                return 0.5 * (5 * input**3 - 3 * input)

            @staticmethod
            def backward(ctx, grad_output):
                (input,) = ctx.saved_tensors
                return grad_output * 1.5 * (5 * input**2 - 1)

        x = torch.linspace(-math.pi, math.pi, 2000)
        y = torch.sin(x)
        a, b, c, d = (torch.full((), value, requires_grad=True) for value in (0.0, -1.0, 0.0, 0.3))
        for t in range(100):
            p3 = Legendre3.apply
            y_pred = a + b * p3(c + d * x)
            loss = (y_pred - y).pow(2).sum()
            if t % 25 == 24:
                print(t, loss.item())
            loss.backward()
            with torch.no_grad():
                for p in (a, b, c, d):
                    p -= 5e-6 * p.grad
                    p.grad = None
        print(p3(torch.ones(2, requires_grad=True)))
    """,
    "Sequential": """
        import math
        import torch
        from torch import nn, optim

        torch.manual_seed(2)
        x = torch.linspace(-math.pi, math.pi, 2000)
        xx = x.unsqueeze(-1).pow(torch.tensor([1, 2, 3]))
        model = nn.Sequential(nn.Linear(3, 1), nn.Flatten(0, 1))
        loss_fn = nn.MSELoss(reduction="sum")
        optimizer = optim.RMSprop(model.parameters(), lr=1e-3)
        for t in range(100):
            loss = loss_fn(model(xx), torch.sin(x))
            if t % 25 == 24:
                print(t, loss.item())
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        print(model, [tuple(p.shape) for p in model.parameters()])
    """,
    "DataLoader": """
        import torch
        import torch.nn.functional as F
        from torch.optim.lr_scheduler import StepLR
        from torch.utils.data import DataLoader, Dataset, SubsetRandomSampler

        class Points(Dataset):
            data = [[1.0, 2.1], [2.0, 3.9], [3.0, 6.2], [4.0, 8.1], [5.0, 9.8], [6.0, 12.1]]

            def __len__(self):
                return len(self.data)

            def __getitem__(self, index):
                x, y = self.data[index]
                return torch.tensor(x), torch.tensor(y, dtype=torch.float)

        class LRModel(torch.nn.Module):
            def __init__(self):
                super().__init__()
                self.a = torch.nn.Parameter(torch.rand(1), requires_grad=True)
                self.b = torch.nn.Parameter(torch.rand(1), requires_grad=True)

            def forward(self, x):
                return self.a * x + self.b

        torch.manual_seed(3)
        points = Points()
        loader = DataLoader(points, batch_size=2, sampler=SubsetRandomSampler(range(len(points))))
        shuffled = DataLoader(points, batch_size=4, shuffle=True)
        model = LRModel()
        optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
        scheduler = StepLR(optimizer, step_size=10, gamma=0.5)
        for epoch in range(20):
            for x, y in loader:
                loss = F.mse_loss(model(x), y)
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
            scheduler.step()
            print(epoch, x.tolist(), loss.item())
        print([x.tolist() for x, _ in shuffled], model.a, model.b, scheduler.get_last_lr())
    """,
}

NUMBER = re.compile(r"-?\d+\.\d*(?:e[+-]\d+)?")


@pytest.mark.parametrize("program", PROGRAMS)
def test_an_unmodified_script_prints_what_torch_prints(program, script, capsys):
    path = script(PROGRAMS[program])
    runpy.run_path(path, run_name="__main__")
    theirs = capsys.readouterr().out
    assert runner.run(path) == 0
    ours, errors = capsys.readouterr()
    assert not errors
    assert NUMBER.sub("#", ours) == NUMBER.sub("#", theirs)
    assert list(map(float, NUMBER.findall(ours))) == pytest.approx(list(map(float, NUMBER.findall(theirs))), rel=1e-5)


# -- what a script sees -----------------------------------------------------------------------------------------------


def test_a_script_sees_what_python_itself_would_show_it(script):
    path = script(
        """
        import sys
        import neighbour
        print(__name__, __file__ == sys.argv[1], sys.argv, sys.path[0], neighbour.value)
        print(sys.modules["__main__"].__dict__ is globals(), __spec__, __package__, type(__builtins__).__name__)
        def f(x: int | None) -> "a name that does not exist": pass
        print(f.__annotations__["x"] is not str)
        """
    )
    script("value = 2.0", "neighbour.py")
    ours = command("run", path, path, "--flag", "-x", "--", "1")
    theirs = subprocess.run([sys.executable, path, path, "--flag", "-x", "--", "1"], capture_output=True, text=True)
    assert ours.stderr == theirs.stderr == "" and ours.returncode == 0
    assert ours.stdout == theirs.stdout


def test_directories_and_standard_input_run_too(script):
    directory = Path(script("import torch, sys; print(torch.__name__, sys.argv)", "app/__main__.py")).parent
    assert command("run", str(directory), "a").stdout == f"torch {[str(directory), 'a']}\n"
    done = command("run", "-", "a", input="import torch, sys\nprint(torch.ones(1), sys.argv)\n1 / 0\n")
    assert done.stdout == "tensor([1.]) ['-', 'a']\n"
    assert done.returncode == 1 and 'File "<stdin>", line 3' in done.stderr


def test_torch_answers_by_its_own_names(script, capsys):
    path = script(
        """
        import torch
        import torch.nn as nn
        import torch.utils.data
        import torch.optim.lr_scheduler as schedulers
        from torch import *
        assert torch.nn is nn and torch.__name__ == "torch" and torch.__version__.startswith("2.13")
        assert ones is torch.ones and nn.functional is torch.nn.functional
        assert "nn" in dir(torch) and "relu" in dir(torch.nn.functional)
        assert not hasattr(torch, "math") and not hasattr(torch, "runner") and not hasattr(torch.nn.functional, "np")
        assert not torch.cuda.is_available() and not torch.backends.mps.is_available()
        torch.backends.cudnn.deterministic = True
        device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        print(torch, device, schedulers.StepLR.__name__)
        """
    )
    assert runner.run(path) == 0, capsys.readouterr().err
    assert capsys.readouterr().out == "<module 'torch' answered by minigrad> cpu StepLR\n"


def test_nothing_stays_installed(script, capsys):
    before = (set(sys.modules), sys.meta_path[:], sys.argv, sys.path[:], sys.modules["__main__"], sys.modules["torch"])
    script("from torch.nn import Linear", "a_helper_module.py")
    path = script("import torch, a_helper_module\nfrom torch import nn\nraise SystemExit(3)")
    with pytest.raises(SystemExit):
        runner.run(path)
    assert before[1:] == (sys.meta_path, sys.argv, sys.path, sys.modules["__main__"], sys.modules["torch"])
    assert {name for name in set(sys.modules) - before[0] if not name.startswith("minigrad")} == set()
    assert sys.modules["torch"] is torch and importlib.import_module("torch.nn").Linear is torch.nn.Linear


def test_the_block_alone(capsys):
    with runner.answer_for_torch():
        answered = importlib.import_module("torch")
        assert answered.ones is minigrad.ones and answered.nn.Module is minigrad.nn.Module
    assert importlib.import_module("torch") is torch


# -- what goes wrong --------------------------------------------------------------------------------------------------

MISSING = {
    "attribute": ("import torch\n\nx = torch.frobnicate(3)\n", "module 'torch' has no attribute 'frobnicate'", 3),
    "chain": ("import torch\ntorch.nn.functional.frobnicate\n", "module 'torch.nn.functional' has no attribute", 2),
    "chain of modules": (
        "import torch\ntorch.distributed.rpc.init()\n",
        "module 'torch' has no attribute 'distributed'",
        2,
    ),
    "name": ("\nfrom torch import frobnicate\n", "'torch.frobnicate'", 2),
    "submodule": ("import torch.distributed as dist\n", "'torch.distributed'", 1),
    "deep submodule": ("import torch\nimport torch.distributed.rpc\n", "'torch.distributed'", 2),
    "name of a submodule": (
        "from torch.nn.functional import relu, frobnicate\n",
        "'torch.nn.functional.frobnicate'",
        1,
    ),
    "method": ("import torch\nt = torch.ones(2)\nt.frobnicate()\n", "torch.Tensor.frobnicate", 3),
    "class": ("import torch\ntorch.Tensor.frobnicate\n", "torch.Tensor.frobnicate", 2),
    "private": ("import torch\ntorch._C._cuda_init()\n", "module 'torch' has no attribute '_C'", 2),
}


@pytest.mark.parametrize("case", MISSING)
def test_a_missing_name_is_named_with_the_scripts_line(case, script, capsys):
    source, naming, line = MISSING[case]
    path = script(source)
    assert runner.run(path) == 1
    error = capsys.readouterr().err
    assert naming in error and "minigrad, which answers for torch here, lacks it" in error
    assert f"({path}, line {line})" in error
    assert "runner.py" not in error


def test_scripts_can_ask_whether_a_name_is_there(script, capsys):
    path = script(
        """
        import torch
        assert not hasattr(torch, "frobnicate") and getattr(torch, "frobnicate", 5) == 5
        try:
            import torch.distributed
        except ImportError as error:
            print("no", error.name)
        try:
            from torch import frobnicate
        except ImportError as error:
            print("no", error.name)
        """
    )
    assert runner.run(path) == 0
    assert capsys.readouterr().out == "no torch.distributed\nno torch.frobnicate\n"


ASKED = """
import importlib, importlib.util
for statement in ("import torch.nope", "from torch import nope", "from torch.nope import x", "import torch.nn.nope",
                  "from torch.nn import nope", "importlib.import_module('torch.nope')", "import torch.pi"):
    try:
        exec(statement)
    except ImportError as error:
        print(type(error).__name__)
for name in ("torch", "torch.nn", "torch.nope", "torch.utils.nope"):
    print(importlib.util.find_spec(name) is not None)
try:
    importlib.util.find_spec("torch.nope.x")
except ModuleNotFoundError:
    print("no parent")
"""


def test_a_script_that_tries_a_module_and_falls_back_does_so_as_with_torch(script, capsys):
    assert runner.run(script(ASKED)) == 0
    ours = capsys.readouterr().out
    exec(ASKED, {})
    assert ours == capsys.readouterr().out


def test_a_users_own_missing_attribute_is_not_blamed_on_minigrad(script, capsys):
    path = script("import torch\nclass Mine: pass\nMine().x\n")
    assert runner.run(path) == 1
    assert "minigrad" not in capsys.readouterr().err


@pytest.mark.parametrize(
    "source",
    [
        "def f():\n    return 1 / 0\nf()\n",
        "try:\n    {}['a']\nexcept KeyError as error:\n    raise ValueError('no') from error\n",
        "def f(:\n",
        "import no_such_module\n",
        "raise KeyError('a')\n",
        "import neighbour_that_fails\n",
    ],
)
def test_tracebacks_are_those_of_python_itself(source, script):
    script("1 / 0", "neighbour_that_fails.py")
    path = script(source)
    ours, theirs = command("run", path), subprocess.run([sys.executable, path], capture_output=True, text=True)
    assert ours.stderr == theirs.stderr
    assert ours.returncode == theirs.returncode == 1


@pytest.mark.parametrize(
    "source, code", [("raise SystemExit(7)", 7), ("import sys; sys.exit()", 0), ("raise SystemExit('bye')", 1), ("", 0)]
)
def test_exit_codes_pass_through(source, code, script):
    done = command("run", script(source))
    assert done.returncode == code and done.stderr == ("bye\n" if "bye" in source else "")


def test_ctrl_c(script, capsys):
    assert runner.run(script("raise KeyboardInterrupt")) == 130
    assert "KeyboardInterrupt" in capsys.readouterr().err


def test_threads_and_atexit_functions_still_meet_minigrad(script):
    path = script(
        """
        import atexit, threading, time

        def late(name):
            time.sleep(0.2)
            import torch
            print(name, torch)

        atexit.register(late, "atexit")
        threading.Thread(target=late, args=("thread",)).start()
        """
    )
    done = command("run", path)
    assert done.stderr == ""
    assert done.stdout == "".join(f"{name} <module 'torch' answered by minigrad>\n" for name in ("thread", "atexit"))


def test_an_own_excepthook_is_called(script, capsys):
    path = script(
        "import sys\nsys.excepthook = lambda kind, error, trace: print('hook', error, trace.tb_lineno)\n1 / 0\n"
    )
    hook = sys.excepthook
    try:
        assert runner.run(path) == 1
    finally:
        sys.excepthook = hook
    assert capsys.readouterr().out == "hook division by zero 3\n"


# -- the command line -------------------------------------------------------------------------------------------------


def test_a_script_that_is_not_there():
    done = command("run", "/no/such/script.py")
    assert done.returncode == 2
    assert done.stderr == "minigrad: can't open file '/no/such/script.py': No such file or directory\n"


def test_help_version_and_info(capsys):
    for arguments, text in [
        (["--help"], "run a torch script"),
        (["run", "--help"], "SCRIPT"),
        (["--version"], "minigrad "),
    ]:
        with pytest.raises(SystemExit) as stop:
            runner.main(arguments)
        assert stop.value.code == 0 and text in capsys.readouterr().out
    assert runner.main(["info"]) == 0
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()] == [
        "minigrad",
        "numpy",
        "python",
        "platform",
    ]
    assert runner.main([]) == 2


def test_the_version_is_the_packages_own():
    assert f'version = "{minigrad.__version__}"' in (ROOT / "pyproject.toml").read_text()


# -- python -m minigrad steps -----------------------------------------------------------------------------------------

HOMEWORK = """
    import torch

    w = torch.tensor([1.0], requires_grad=True)
    for x, y in zip([1.0, 2.0, 3.0], [2.0, 4.0, 6.0]):
        l = (x * w - y) ** 2
        l.backward()
        print(w.grad.item())
        w.data = w.data - 0.01 * w.grad.data
        w.grad.data.zero_()
"""
TRACE = ["-2.0", "-7.840000152587891", "-16.228801727294922"]


def test_steps_are_printed_after_the_scripts_own_output(script):
    done = command("steps", script(HOMEWORK))
    assert done.returncode == 0 and not done.stderr and done.stdout.splitlines()[:3] == TRACE
    assert (
        "1. PowBackward0" in done.stdout and "9. MulBackward0" in done.stdout and "w: from steps 3, 6, 9" in done.stdout
    )
    assert "l = (x * w - y) ** 2    (script.py, line 6)" in done.stdout


def test_steps_write_a_page(script, tmp_path):
    page = tmp_path / "steps.html"
    done = command("steps", "--limit", "4", "--html", str(page), script(HOMEWORK))
    assert done.returncode == 0 and done.stdout.splitlines() == TRACE
    assert done.stderr == f"minigrad: 4 steps of backward are in {page}\n"
    text = page.read_text(encoding="utf-8")
    assert 'id="step-4"' in text and "5 more were not written down" in text


def test_steps_of_a_script_that_fails_or_has_none(script, tmp_path):
    failing = script("import torch; torch.ones(1, requires_grad=True).exp().backward(); raise KeyError(1)", "fails.py")
    done = command("steps", failing)
    assert done.returncode == 1 and "1. ExpBackward0" in done.stdout and "KeyError: 1" in done.stderr
    leaving = script(
        "import torch; torch.ones(1, requires_grad=True).exp().backward(); raise SystemExit(7)", "leaves.py"
    )
    assert command("steps", leaving).returncode == 7
    page = tmp_path / "none.html"
    done = command("steps", "--html", str(page), script("print(1)", "none.py"))
    assert done.returncode == 1 and "no backward ran" in done.stderr and not page.exists()


@pytest.mark.parametrize("options, said", [
    (["--limit", "0"], "argument --limit: at least 1, not 0"),
    (["--html", "nowhere/steps.html"], "the directory of 'nowhere/steps.html' does not exist"),
    (["--html", ""], "'' is no name of a file"),
    (["--html", "."], "'.' is no name of a file"),
])  # fmt: skip
def test_wrong_options_of_steps_are_refused_before_anything_runs(options, said, script):
    done = command("steps", *options, script("print('ran')"))
    assert done.returncode == 2 and said in done.stderr and "ran" not in done.stdout


def test_the_page_is_not_written_over_the_script_and_lies_where_it_was_asked_for(script, tmp_path):
    path = script("import os, torch; os.chdir('sub'); torch.ones(1, requires_grad=True).exp().backward()")
    done = command("steps", "--html", path, path)
    assert done.returncode == 2 and "is the script itself" in done.stderr and "import os" in Path(path).read_text()
    (tmp_path / "sub").mkdir()
    done = command("steps", "--html", "steps.html", path, cwd=tmp_path)
    assert (
        done.returncode == 0 and (tmp_path / "steps.html").exists() and not (tmp_path / "sub" / "steps.html").exists()
    )


def test_steps_into_a_pipe_that_is_closed_early(script):
    path = script(
        """
        import torch
        w = torch.tensor(3.0, requires_grad=True)
        for _ in range(90):
            (w * w).sum().backward()
        """
    )
    command = [sys.executable, "-m", "minigrad", "steps", str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT) as process:
        first = process.stdout.readline()
        process.stdout.close()
        complaint = process.stderr.read()
    assert first.startswith("1. SumBackward0") and not complaint and process.returncode == 0
