"""Random programs: what agrees passes; what is broken is found, made small, and shown by a script that runs alone."""

import json
import math
import os
import subprocess
import sys
import types

import pytest

torch = pytest.importorskip("torch")

import minigrad  # noqa: E402
from compare import program_draw, program_text, programs  # noqa: E402
from compare.report import Options, Progress  # noqa: E402

# A minigrad that is torch, except that the gradient of exp lacks its factor and relu lets the tie at 0 pass.
BROKEN_SOURCE = """
import torch as _torch

class _WrongExp(_torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        return _torch.exp(x)

    @staticmethod
    def backward(ctx, g):
        return g

def exp(x):
    return _WrongExp.apply(x)

def __getattr__(name):
    return getattr(_torch, name)
"""


def broken_engine(source=BROKEN_SOURCE):
    engine = types.ModuleType("broken")
    exec(source, engine.__dict__)
    return engine


def test_torch_agrees_with_itself():
    done = programs.check_range(1, range(150), torch, torch)
    assert done["failures"] == {}
    assert done["programs"] == 150
    assert done["checks"] > 3000
    assert 0.02 < done["raised"] / done["statements"] < 0.15, "most statements are valid, and some are refused"


def test_the_same_seed_gives_the_same_programs():
    texts = []
    for _ in range(2):
        vocabulary = programs.Vocabulary(torch)
        texts.append([programs.draw(7, i, torch, torch, vocabulary).statements for i in range(20)])
    assert texts[0] == texts[1]
    assert len({tuple(t) for t in texts[0]}) == 20


def test_every_kind_of_statement_is_drawn():
    vocabulary = programs.Vocabulary(torch)
    text = "\n".join(s for i in range(400) for s in programs.draw(3, i, torch, torch, vocabulary).statements)
    wanted = """ .backward( create_graph=True retain_graph=True inputs=[ autograd.grad( register_hook( retain_grad()
        requires_grad_( .detach() T.no_grad() .data .grad.zero_() zero_grad( .unbind( .diagonal( .narrow( .transpose(
        .expand( .view( .reshape( .apply( mark_dirty mark_non_differentiable once_differentiable setup_context
        .step() .remove() add_( copy_( masked_fill_( [0] [1:] """.split()
    assert [word for word in wanted if word not in text] == []


def test_a_wrong_gradient_is_found_and_made_small():
    done = programs.check_range(0, range(300), torch, broken_engine())
    found = [entry for key, entry in done["failures"].items() if "grad" in key]
    assert found, "a wrong derivative of exp has to show within 300 programs"
    small = min((entry["statements"] for entry in found), key=len)
    assert len(small) <= 4, small
    assert any("T.exp(" in text for text in small)


def test_the_script_runs_alone_and_shows_both_results(tmp_path):
    done = programs.check_range(0, range(300), torch, broken_engine())
    entry = next(entry for key, entry in done["failures"].items() if "value" in key)
    text = program_text.script(entry["statements"], program_text.Difference(*entry["difference"]), "a test", 1e-12)
    (tmp_path / "minigrad.py").write_text(BROKEN_SOURCE)
    (tmp_path / "program.py").write_text(text)
    ran = subprocess.run([sys.executable, "program.py"], cwd=tmp_path, capture_output=True, text=True)
    assert ran.returncode == 1, ran.stderr
    assert "torch:" in ran.stdout and "minigrad:" in ran.stdout and "T.exp(" in text
    imported = {line.split()[1] for line in text.splitlines() if line.strip().startswith(("import ", "from "))}
    assert imported == {"warnings", "numpy", "sys", "torch", "minigrad"}
    assert len(text.splitlines()) < 50
    (tmp_path / "minigrad.py").write_text("from torch import *\nfrom torch import autograd, optim\n")
    ran = subprocess.run([sys.executable, "program.py"], cwd=tmp_path, capture_output=True, text=True)
    assert ran.returncode == 0, "with a right engine the script says so: " + ran.stdout


@pytest.mark.parametrize(
    "statements, aspect, name, says",
    [
        (["v1 = T.ones(2)", "v1.add_(1)"], "_version (writes counted)", "v1", "1"),
        (["v1 = T.ones(2, requires_grad=True)", "v1.sum().backward()"], "grad's dtype", "v1.grad", "torch.float32"),
        (["v1 = T.ones(2, requires_grad=True)"], "grad", "v1", "None"),
        (["v1 = T.ones(2)", "v2 = v1[0]"], "shape", "v2", "()"),
        (["v1 = T.ones(2)", "v1.backward()", "v2 = v1 * 2"], "is_leaf", "v2", "True"),
        (["v1 = T.ones(2)", "v2 = v1.view(3)"], "error", "the statement", "RuntimeError"),
        (["log.append(('h1', T.ones(2)))"], "hook calls", "log", "['h1']"),
        (["log.append(('h1', T.ones(2)))"], "hook's requires_grad", "log entry 'h1'", "False"),
    ],
)
def test_scripts_of_every_aspect_run(monkeypatch, capsys, statements, aspect, name, says):
    difference = program_text.Difference(aspect, name, "", "")
    monkeypatch.setitem(sys.modules, "minigrad", torch)
    with pytest.raises(SystemExit) as ended:
        exec(compile(program_text.script(statements, difference, "a test"), "script", "exec"), {})
    said = capsys.readouterr().out
    assert ended.value.code == 0 and f"torch:    {says}" in said.replace("('", ""), said


@pytest.mark.parametrize(
    "source, aspect",
    [
        ("import torch as t\nno_grad = t.enable_grad\n", "requires_grad"),
        ("import torch as t\ndef matmul(a, b): return t.matmul(a, b).float()\n", "dtype"),
        ("import torch as t\ndef sum(x, *a, **k): return t.sum(x.detach(), *a, **k)\n", "requires_grad"),
        ("import torch as t\ndef tanh(x): return t.tanh(x) * 1.0001\n", "value"),
        ("import torch as t\ndef sum(x, *a, **k): raise RuntimeError('no')\n", "error"),
    ],
)
def test_each_aspect_is_compared(source, aspect):
    engine = broken_engine(source + "def __getattr__(name): return getattr(t, name)\n")
    done = programs.check_range(0, range(200), torch, engine)
    assert any(key.startswith(aspect) for key in done["failures"]), list(done["failures"])


def run_pair(text, reference=torch, subject=torch):
    return program_text.run_program(text.splitlines(), reference, subject)


def test_noise_is_told_from_a_wrong_value():
    # 1 / (what is left of a cancellation): any engine's rounding decides.
    engine = broken_engine(
        "import torch as t\ndef exp(x): return t.exp(x) * (1 + 2**-51)\ndef __getattr__(n): return getattr(t, n)\n"
    )
    noisy = f"v1 = T.tensor([1.25], dtype=T.float64)\nv2 = 1 / (T.exp(v1) - {math.exp(1.25) * (1 + 2**-50)!r})\n"
    index, difference, _ = run_pair(noisy, subject=engine)
    assert difference is not None
    assert programs.is_rounding(noisy.splitlines(), difference, torch, engine)
    plain = "v1 = T.tensor([1.25], dtype=T.float64)\nv2 = T.exp(v1) * 2\n"
    engine = broken_engine(
        "import torch as t\ndef exp(x): return t.exp(x) * (1 + 1e-9)\ndef __getattr__(n): return getattr(t, n)\n"
    )
    index, difference, _ = run_pair(plain, subject=engine)
    assert index == 1
    assert not programs.is_rounding(plain.splitlines(), difference, torch, engine)


def test_another_rounding_is_no_disagreement():
    class Rounding(types.ModuleType):
        """torch, with every inexact function one ulp off."""

        def __getattr__(self, name):
            value = getattr(torch, name)
            if name not in program_draw.INEXACT:
                return value

            def off(*arguments, **options):
                result = value(*arguments, **options)
                if isinstance(result, torch.Tensor) and result.dtype.is_floating_point and not result._is_view():
                    result.data.mul_(1 + torch.finfo(result.dtype).eps)
                return result

            return off

    done = programs.check_range(0, range(1000), torch, Rounding("rounding"))
    assert done["failures"] == {}
    assert done["worst"] > 1


def test_errors_have_to_be_of_the_same_class_and_words():
    class Engine(types.ModuleType):
        def __getattr__(self, name):
            return getattr(torch, name)

    engine = Engine("engine")

    def outer(a, b):
        raise ValueError("another class")

    engine.outer = outer
    text = "v1 = T.tensor([[1.0]])\nv2 = T.outer(v1, v1)\n"
    assert run_pair(text, subject=engine)[1].aspect == "error class"

    def matmul(a, b):
        raise RuntimeError("other words")

    engine.matmul = matmul
    assert run_pair("v1 = T.ones(2, 3)\nv2 = T.matmul(v1, v1)", subject=engine)[1].aspect == "error text"
    assert run_pair("v1 = T.ones(2, 2)\nv2 = T.matmul(v1, v1)", subject=engine)[1].aspect == "error"
    assert run_pair("v1 = T.ones(2, 3)\nv2 = T.matmul(v1, v1)")[1] is None


def test_missing_names_are_not_used_and_are_listed():
    class Small(types.ModuleType):
        def __getattr__(self, name):
            if name in ("logsumexp", "Tensor", "nn"):
                raise AttributeError(name)
            return getattr(torch, name)

    vocabulary = programs.Vocabulary(Small("small"))
    assert vocabulary.lacks("v2 = T.logsumexp(v1, 0)")
    assert not vocabulary.lacks("v2 = T.exp(v1)")
    assert vocabulary.missing == {"logsumexp": 1}


def test_hypothesis_draws_the_same_language():
    hypothesis = pytest.importorskip("hypothesis")
    settings = hypothesis.settings(
        max_examples=60, deadline=None, database=None, suppress_health_check=list(hypothesis.HealthCheck)
    )

    @settings
    @hypothesis.seed(0)
    @hypothesis.given(programs.programs(torch, torch))
    def agree(drawn):
        statements, difference = drawn
        assert difference is None, (statements, str(difference))

    agree()

    @settings
    @hypothesis.seed(0)
    @hypothesis.given(
        programs.programs(
            torch, broken_engine("import torch as t\nno_grad = t.enable_grad\ndef __getattr__(n): return getattr(t, n)")
        )
    )
    def disagree(drawn):
        assert drawn[1] is None

    with pytest.raises(AssertionError):
        disagree()


@pytest.fixture
def campaign(tmp_path, monkeypatch):
    """Campaigns in an empty folder, of torch against torch, saved from the first chunk on."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(programs, "SMALLEST_SAVED", 1)
    monkeypatch.setattr(programs, "CHUNK", 20)
    monkeypatch.setattr(programs, "fingerprint", lambda: "fixed")
    monkeypatch.setattr(programs, "load", lambda name: torch)
    return tmp_path / ".compare" / "programs-5.json"


class Interrupting(Progress):
    """Ctrl-C after some chunks."""

    def __init__(self, after):
        super().__init__(enabled=False)
        self.after = after

    def step(self, *arguments, **options):
        super().step(*arguments, **options)
        self.after -= 1
        if self.after == 0:
            raise KeyboardInterrupt


def test_an_interrupted_campaign_keeps_its_results_and_goes_on(campaign):
    options = Options(examples=100, seed=5)
    (whole,) = programs.run(options, Progress(enabled=False))
    assert not campaign.exists()
    run = programs.run(options, Interrupting(after=3))
    part = next(run)
    with pytest.raises(KeyboardInterrupt):
        next(run)
    assert part.details["programs"] == 40
    assert "interrupted" in part.note
    assert len(json.loads(campaign.read_text())["chunks"]) == 2
    (rest,) = programs.run(options, Progress(enabled=False))
    assert "resumed after 40 programs" in rest.note
    assert rest.details["programs"] == 100
    assert rest.checks == whole.checks
    assert rest.details["statements"] == whole.details["statements"]
    assert not campaign.exists()


def test_a_process_that_dies_is_a_failure_like_any_other(campaign, monkeypatch):
    original = programs.run_chunk

    def run_chunk(seed, start, stop, *rest):
        if start <= 33 < stop:
            os._exit(1)
        return original(seed, start, stop, *rest)

    # Workers find the function by its name.
    run_chunk.__module__, run_chunk.__qualname__ = "compare.programs", "run_chunk"
    monkeypatch.setattr(programs, "run_chunk", run_chunk)
    (result,) = programs.run(Options(examples=60, seed=5, jobs=2), Progress(enabled=False))
    assert result.details["programs"] == 60
    assert [failure.where for failure in result.failures] == ["the process died"]
    assert "--program 33" in result.failures[0].message


def test_one_program_alone(capsys):
    result = programs.run_one(5, 3, 16)
    printed = capsys.readouterr().out.strip()
    assert printed == "\n".join(
        programs.draw(5, 3, torch, programs.load("minigrad"), programs.Vocabulary(torch)).statements
    )
    assert result.checks > 0


def test_a_damaged_or_foreign_state_file_is_not_believed(campaign):
    campaign.parent.mkdir()
    campaign.write_text("{ not JSON")
    (result,) = programs.run(Options(examples=20, seed=5), Progress(enabled=False))
    assert "could not be read" in result.note and result.details["programs"] == 20
    campaign.write_text(json.dumps({"version": 1, "seed": 5, "engines": "older", "chunks": [0], "total": {}}))
    (result,) = programs.run(Options(examples=20, seed=5), Progress(enabled=False))
    assert "starting again" in result.note and result.details["programs"] == 20


@pytest.mark.parametrize("name", program_draw.FUNCTIONS)
def test_functions_are_declared_in_both_engines(name):
    for engine in (minigrad, torch):
        space = {"T": engine}
        exec(program_draw.FUNCTIONS[name].replace("{F}", "F1"), space)
        assert issubclass(space["F1"], engine.autograd.Function)


def test_what_torch_does_with_its_lazy_zeros_is_known_and_nothing_beside_it() -> None:
    from compare.known import program_reason
    from compare.program_text import Difference

    statements = ["v2 = v1.abs()", "v3, = T.autograd.grad(v2, [v1], create_graph=True)", "v3.sum().backward()"]
    difference = Difference("grad's value", "v1.grad", [[0.0, 1.0]], [[float("nan"), 1.0]])
    assert program_reason(statements, difference)
    assert not program_reason(statements, Difference("grad's value", "v1.grad", [[0.0, 1.0]], [[0.0, 2.0]]))
    assert not program_reason(statements[1:], difference)
    folded = ["v3 = v2 @ v1", "v3.sum().backward()"]
    assert program_reason(folded, Difference("hook calls", "log", ["h9", "h7"], ["h7", "h9"]))
    assert not program_reason(folded, Difference("hook calls", "log", ["h9", "h7"], ["h7"]))
    writes = Difference("_version (writes counted)", "v5", 2, 1)
    assert program_reason(["v4 = T.stack([v1, v2], 0)", "v4.sum().backward()", "v5 = v1.grad"], writes)
    assert not program_reason(["v4 = v1 * v2", "v4.sum().backward()", "v5 = v1.grad"], writes)


def test_torch_shares_memory_among_the_gradients_of_a_stack_and_minigrad_does_not() -> None:
    found = {}
    for T in (torch, minigrad):
        v1, v2 = (T.tensor(1.0, requires_grad=True) for _ in range(2))
        T.stack([v1, v2]).sum().backward()
        v1.sum().backward()
        found[T] = v1.grad.item(), v2.grad.item()
    assert found[torch] == (2, 2) and found[minigrad] == (2, 1)


def test_torch_puts_a_hook_on_the_node_before_t_if_another_was_there() -> None:
    for in_place, order in (("t_()", ["first", "second"]), ("mul_(2)", ["second", "first"])):
        log = []
        x = torch.ones(3, requires_grad=True)
        y = x * 2
        y.register_hook(lambda g, log=log: log.append("first"))
        eval(f"y.{in_place}")
        y.register_hook(lambda g, log=log: log.append("second"))
        y.sum().backward()
        assert log == order
