"""torch's own test database: samples reach the other engine unchanged, and whatever differs is a failure."""

import types

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("expecttest")

from compare import opinfo, opinfo_samples  # noqa: E402
from compare.opinfo_samples import Converter, Unsupported, array_of, source  # noqa: E402
from compare.report import Options, Progress  # noqa: E402


class Engine(types.ModuleType):
    """torch, with some functions replaced."""

    def __init__(self, **replaced):
        super().__init__("engine")
        self.__dict__.update(replaced)

    def __getattr__(self, name):
        return getattr(torch, name)


def against(monkeypatch, engine):
    monkeypatch.setattr(opinfo, "load", lambda name: torch if name == "torch" else engine)


@pytest.mark.parametrize(
    "make",
    [
        lambda: torch.arange(6.0).reshape(2, 3).t(),
        lambda: torch.arange(6.0)[::2],
        lambda: torch.ones(3, 1).expand(3, 4),
        lambda: torch.tensor(2.0),
        lambda: torch.zeros(0, 3),
        lambda: torch.arange(12.0).as_strided((3, 3), (1, 2)),
        lambda: torch.tensor([True, False]),
    ],
)
def test_a_tensor_keeps_values_and_strides(make):
    tensor = make()
    array = array_of(tensor)
    assert np.array_equal(array, tensor.numpy())
    if tensor.numel():
        assert tuple(s // array.itemsize for s in array.strides) == tensor.stride()
    assert not np.shares_memory(array, tensor.numpy())
    assert torch.from_numpy(array).equal(tensor)


def test_what_cannot_be_handed_over_is_named():
    for tensor in (
        torch.ones(2, dtype=torch.complex64),
        torch.ones(2).to_sparse(),
        torch.ones(2, dtype=torch.bfloat16),
    ):
        with pytest.raises(Unsupported):
            Converter(torch)(tensor)
    with pytest.raises(Unsupported, match="Generator"):
        Converter(torch)({"generator": torch.Generator()})


def test_the_same_tensor_stays_the_same():
    x = torch.ones(2, requires_grad=True)
    convert = Converter(torch)
    a, (b, c) = convert(x), convert([x, torch.zeros(2)])
    assert a is b and c is not a and a is not x
    assert convert.leaves == [a]


def test_moving_keeps_ties():
    moved = Converter(torch, move=4)(torch.tensor([2.0, 2.0, 0.0, 3.0]))
    assert moved[0] == moved[1] != 2.0 and moved[2] == 0


def test_source_of_a_sample_gives_it_back():
    space = {"T": torch, "np": np}
    exec(opinfo.REPRODUCER[opinfo.REPRODUCER.index("def strided") : opinfo.REPRODUCER.index("def run")], space)
    for value in (torch.arange(6.0).reshape(2, 3).t(), torch.tensor([1, 2]), [torch.ones(2), (3, None)], {"dim": -1},
                  float("inf"), slice(0, None, 2), torch.float32, torch.Size([2])):  # fmt: skip
        again = eval(source(value), space)
        if isinstance(value, torch.Tensor):
            assert again.equal(value) and again.stride() == value.stride() and again.dtype == value.dtype
        elif not isinstance(value, list):
            assert again == value


def test_the_whole_database_is_read():
    names = opinfo.database()
    assert len(names) > 800
    assert {"add", "nn.functional.pad[reflect]", "nn.Linear (module)", "optim.SGD"} <= set(names)


SOME = (
    """
    add sum nn.functional.relu __getitem__ T cat max[reduction_with_dim] linalg.norm view nn.functional.dropout einsum
    optim.SGD optim.LBFGS
""".split()
    + ["nn.Linear (module)", "nn.BatchNorm1d (module)"]
)


@pytest.mark.parametrize("name", SOME)
def test_torch_agrees_with_itself(monkeypatch, name):
    against(monkeypatch, torch)
    assert opinfo.exists(name, torch)
    result = opinfo.check(name, Options(examples=10))
    assert result.failures == []
    assert result.checks > 10
    assert result.worst_ulp == 0


class WrongSin(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return torch.sin(x)

    @staticmethod
    def backward(ctx, g):
        return -g * torch.cos(ctx.saved_tensors[0])


class WrongSecond(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return torch.sin(x)

    @staticmethod
    def backward(ctx, g):
        return g * torch.cos(ctx.saved_tensors[0]).detach()


@pytest.mark.parametrize(
    "name, replaced, says",
    [
        ("sin", {"sin": WrongSin.apply}, "gradient of tensor 0"),
        ("sin", {"sin": WrongSecond.apply}, "second gradient"),
        ("sin", {"sin": lambda x: torch.sin(x) * 1.000001}, "value"),
        ("sin", {"sin": lambda x: torch.sin(x).double()}, "dtype"),
        ("sin", {"sin": lambda x: torch.sin(x.detach())}, "requires_grad"),
        ("sum", {"sum": lambda x, *a, **k: torch.sum(x, *a)}, "shape"),
        ("matmul", {"matmul": lambda a, b: torch.sum(a * b)}, ""),
    ],
)
def test_what_is_wrong_fails(monkeypatch, name, replaced, says):
    against(monkeypatch, Engine(**replaced))
    result = opinfo.check(name, Options(quick=True))
    assert result.failures
    assert any(says in failure.message for failure in result.failures)
    assert result.failures[0].reproducer


def test_wrong_errors_fail(monkeypatch):
    def cat(tensors, *args, **kwargs):
        try:
            return torch.cat(tensors, *args, **kwargs)
        except (RuntimeError, IndexError) as error:
            raise KeyError(str(error)) from None

    against(monkeypatch, Engine(cat=cat))
    result = opinfo.check("cat", Options(examples=3))
    assert any("wrong input" in failure.where for failure in result.failures)


def test_the_reproducer_runs(monkeypatch, tmp_path, capsys):
    against(monkeypatch, Engine(sin=WrongSin.apply))
    text = opinfo.check("sin", Options(quick=True)).failures[0].reproducer
    monkeypatch.setitem(__import__("sys").modules, "minigrad", Engine(sin=WrongSin.apply))
    exec(compile(text, "reproducer", "exec"), {})
    assert "-- torch" in capsys.readouterr().out


def test_what_is_missing_is_listed_easiest_first(monkeypatch):
    class Small(types.ModuleType):
        Tensor = type("Tensor", (), {"numpy": None})
        sin, add, manual_seed, from_numpy = torch.sin, torch.add, torch.manual_seed, torch.from_numpy

    lacking = opinfo.missing(Small("small"))
    assert "sin" not in lacking and "cos" in lacking and "nn.Linear (module)" in lacking
    assert lacking.index("cos") < lacking.index("linalg.svd") < lacking.index("fft.fft")


def test_the_run_ends_with_a_summary(monkeypatch):
    against(monkeypatch, torch)
    results = list(opinfo.run(Options(quick=True, only="sinh,cosh"), Progress(enabled=False)))
    assert results[-1].name == "summary"
    assert results[-1].details["passing"] == results[-1].details["existing"] == len(results) - 1 >= 4


def test_distances_are_in_eps_of_the_largest_entry():
    a = np.array([1.0, 1e-20])
    assert opinfo.apart(a, a + np.array([0, 1e-16])) < 1
    assert opinfo.apart(a, np.array([1.0 + 1e-10, 0])) > 1e5
    assert opinfo.apart(np.array([np.nan, np.inf]), np.array([np.nan, np.inf])) == 0
    assert opinfo.apart(np.array([np.nan]), np.array([1.0])) == np.inf
    assert opinfo.apart(np.array([1]), np.array([2])) == np.inf


def test_rebinding_reaches_the_other_engine():
    seen = []
    engine = Engine(sin=lambda x: seen.append(x) or x)
    call = eval("lambda x: torch.sin(x)", {"torch": torch})
    assert opinfo_samples.rebind(call, engine)(1.5) == 1.5 and seen == [1.5]
