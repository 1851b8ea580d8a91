"""Names of torch's that are settings, questions about tensors, or another way to what is tested elsewhere."""

import importlib.util
import subprocess
import sys
import warnings

import numpy as np
import pytest
import torch

import minigrad

EXPRESSIONS = """
T.is_same_size(b, x), T.is_same_size(b, d), T.is_signed(b), T.is_signed(b.bool()), T.is_signed(input=b)
T.is_inference(x)
T.real(x) is x, T.real(i), T.typename(b), T.typename(x.detach().long()), T.typename(5), T.typename("a")
T.typename(None), T.typename(np.ones(1)), T.typename(int), T.typename(len)
T.typename(T.nn.Linear(1, 1)).rpartition(".")[2]
T.trapz(b), T.trapz(b, dx=2), T.trapz(b, b), T.trapz(y=b, x=b, dim=0)
T.isin(i, T.tensor([4, -8])), T.isin(i, 4), T.isin(4, i), T.isin(i, T.tensor([4]), invert=True), T.isin(2.5, i)
T.isin(n, n), T.isin(b, i), T.isin(b, 2), T.isin(b, T.tensor([])), T.isin(i, T.tensor([4]), assume_unique=True)
T.isin(b.bool(), b)
T.isin(i, [4])
T.dropout(b, 0.5, False), T.dropout(b, p=0.0, train=True), T.manual_seed(1) and T.dropout(b, 0.5, True)
T.layer_norm(b, (3,)), T.layer_norm(b, (3,), T.ones(3), T.zeros(3), 1e-3, cudnn_enable=False)
T.embedding(b, T.tensor([1, 0])), T.embedding(weight=b, indices=T.tensor([1]), padding_idx=1)
T.embedding(x, T.tensor([1, 0]), 0).sum().backward() or x.grad
T.selu(b - 2), T.celu(b - 2), T.celu(input=b - 2, alpha=2.0), T.threshold(b, 2.0, 9.0), T.prelu(b - 3, T.tensor([0.5]))
T.cosine_similarity(b, b + 1), T.cosine_similarity(x1=b, x2=b, dim=0, eps=1e-8), T.celu(x).grad_fn.name()
T.nanmedian(n), n.nanmedian(0), T.nanmedian(n, 1, keepdim=True), n.nanmedian(dim=-1), T.nanmedian(i), T.nanmedian(i, 0)
T.nanmedian(T.tensor([])), T.nanmedian(n[1, :2]), T.nanmedian(T.tensor(3.0)), T.nanmedian(T.zeros(2, 0), 0)
T.nanmedian(x, 0)[0].sum().backward() or x.grad, T.nanmedian(x, 0)[0].grad_fn.name(), T.nanmedian(x).grad_fn.name()
T.nanmedian(b.bool())
T.nanmedian(T.zeros(0, 2), 0)
T.erfc(T.linspace(-7, 30, 200, dtype=T.float64)).log().sum() < 0, T.erfc(n), T.erfc(i), T.ones(2).erfc_(), b.erfc()
T.cov(b), T.cov(b, correction=0), T.cov(b, fweights=T.tensor([1, 2, 3])), T.cov(b, aweights=n[0].nan_to_num(2.0))
T.cov(i), T.cov(b, fweights=T.tensor([1, 2, 3]), aweights=n[0].nan_to_num(2.0), correction=2), T.cov(b[0])
T.cov(T.tensor(2.0)), T.cov(b, correction=3), T.corrcoef(b), T.corrcoef(b[0]), T.corrcoef(i), b.corrcoef()
T.cov(T.ones(2, 2, 2))
T.cov(b.bool())
T.cov(b, fweights=T.tensor([1.0, 2.0, 3.0]))
T.cov(b, fweights=T.tensor([1, 2]))
T.cov(b, fweights=T.tensor([1, -2, 3]))
T.cov(b, fweights=T.tensor([0, 0, 0]))
T.cov(b, aweights=T.tensor([1, 2, 3]))
T.cov(b, aweights=T.ones(1, 3))
T.corrcoef(T.ones(2, 2, 2))
T.gcd(i, T.tensor(6)), T.lcm(i, T.tensor([3, -4, 0])), i.gcd(T.tensor([2, 0, 12])), i.clone().gcd_(T.tensor(4)).lcm_(i)
T.gcd(i, i.int()).dtype, T.gcd(i.int(), T.tensor(6)).dtype, T.lcm(i.to(T.uint8), i.to(T.uint8)), T.gcd(i[:0], i[:0])
T.gcd(b, b)
T.lcm(i.bool(), i.bool())
T.gcd(i, 6)
T.frombuffer(bytearray(8), dtype=T.float32), T.frombuffer(bytearray(range(8)), dtype=T.uint8, count=2, offset=3)
T.frombuffer(b"12345678", dtype=T.int64), T.frombuffer(np.ones(2), dtype=T.float64, count=-2, requires_grad=True)
T.frombuffer(memory, dtype=T.float32).add_(1), memory
T.frombuffer(bytearray(7), dtype=T.float32)
T.frombuffer(bytearray(0), dtype=T.float32)
T.frombuffer(bytearray(8), dtype=T.float32, count=0)
T.frombuffer(bytearray(8), dtype=T.float32, count=3)
T.frombuffer(bytearray(8), dtype=T.float32, offset=8)
T.frombuffer(bytearray(8), dtype=T.float32, offset=-2)
T.frombuffer(bytearray(8), dtype=T.float32, offset=6)
T.frombuffer(5, dtype=T.float32)
T.zeros(3, 3).fill_diagonal_(5), T.zeros(4, 2).fill_diagonal_(5), T.zeros(7, 2).fill_diagonal_(5, wrap=True)
T.zeros(2, 4).fill_diagonal_(1.5), T.zeros(2, 4).fill_diagonal_(1.5, wrap=True), T.zeros(3, 3, 3).fill_diagonal_(2)
T.zeros(2, 2).long().fill_diagonal_(1.5), T.zeros(2, 3).t().fill_diagonal_(T.tensor(2.0))
T.zeros(0, 2).fill_diagonal_(3), (x * 1).fill_diagonal_(3).sum().backward() or x.grad
T.zeros(2, 2).fill_diagonal_(1)._version
T.zeros(3).fill_diagonal_(1)
T.zeros(2, 3, 3).fill_diagonal_(1)
x.fill_diagonal_(3)
T.tensor(1.0).is_nonzero(), T.tensor([0]).is_nonzero()
b.is_nonzero()
T.tensor([]).is_nonzero()
T.manual_seed(0) and F.gumbel_softmax(b), F.gumbel_softmax(b, tau=2.0, hard=True), F.gumbel_softmax(d, dim=0)
T.manual_seed(0) and (F.gumbel_softmax(x, hard=True) * b).sum().backward() or x.grad
T.manual_seed(0) and (F.gumbel_softmax(x.double(), 0.5, dim=0) * b).sum().backward() or x.grad
T.autograd.graph.increment_version(b) or T.autograd.graph.increment_version([b, d]) or (b._version, d._version)
T.autograd.graph.increment_version(5)
isinstance(y.grad_fn, N), issubclass(type(y.grad_fn), N), isinstance(b, N)
isinstance(y.grad_fn.next_functions[0][0], N)
T.use_deterministic_algorithms(True), T.are_deterministic_algorithms_enabled(), T.use_deterministic_algorithms(False)
T.use_deterministic_algorithms(True, warn_only=True) or T.is_deterministic_algorithms_warn_only_enabled()
T.use_deterministic_algorithms(False) or T.are_deterministic_algorithms_enabled()
T.use_deterministic_algorithms(1)
T.get_float32_matmul_precision(), T.set_float32_matmul_precision("high"), T.get_float32_matmul_precision()
T.set_float32_matmul_precision("wrong") or T.get_float32_matmul_precision(), T.set_float32_matmul_precision("highest")
T.set_float32_matmul_precision(5)
T.device("cpu").__enter__(), T.device("cpu").__exit__(None, None, None)
T.utils.dlpack.from_dlpack(T.utils.dlpack.to_dlpack(b)), T.from_dlpack(T.to_dlpack(b)), T.utils.dlpack.from_dlpack(b)
T.from_dlpack(T.utils.dlpack.to_dlpack(x)).requires_grad
"""


def outcome(e, text):
    """What the expression gives, or how it fails."""
    scope = {
        "T": e, "F": e.nn.functional, "N": e.autograd.graph.Node, "np": np, "memory": bytearray(8),
        "b": e.arange(6.0).view(2, 3), "d": e.ones(2, dtype=e.float64), "i": e.tensor([4, 6, -8]),
        "n": e.tensor([[1.0, float("nan"), 3.0], [float("nan"), float("nan"), 2.0]]),
        "x": e.tensor([[1.0, 2.0, 4.0], [3.0, 1.0, 0.0]], requires_grad=True),
    }  # fmt: skip
    scope["y"] = scope["x"] * 1
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return str(eval(text, scope))
    except Exception as error:
        return type(error).__name__, str(error).replace("\n", " ")


@pytest.mark.parametrize("text", EXPRESSIONS.strip().split("\n"))
def test_the_outcome_is_torch_s(text):
    ours, theirs = outcome(minigrad, text), outcome(torch, text)
    if isinstance(theirs, str):
        assert ours == theirs
    else:
        assert ours[0] == theirs[0]
        known = theirs[1].split(" received an invalid combination")[0]
        assert ours[1].startswith(known) or "isin" in text, (ours, theirs)


def test_erfc_to_the_last_bits_of_small_values():
    x = np.linspace(-6, 26, 5000)
    ours, theirs = (e.erfc(e.from_numpy(x)).numpy() for e in (minigrad, torch))
    assert np.max(np.abs(ours - theirs) / np.spacing(theirs)) <= 2


def test_a_buffer_that_cannot_be_written_to_warns():  # in torch once
    with pytest.warns(UserWarning, match="The given buffer is not writable"):
        minigrad.frombuffer(b"1234" * 20, dtype=minigrad.int32)


@pytest.mark.parametrize("e", [minigrad, torch], ids=["minigrad", "torch"])
def test_degrees_of_freedom_that_are_none_warn(e):
    with pytest.warns(UserWarning, match=r"cov\(\): degrees of freedom is <= 0"):
        e.cov(e.ones(2, 1))


@pytest.mark.parametrize("e", [minigrad, torch], ids=["minigrad", "torch"])
def test_a_device_as_a_context(e):
    with e.device("cpu") as device:
        assert e.ones(1).device == device == e.device("cpu")


def test_these_names_cost_nothing_until_they_are_asked_for():
    program = "import sys, minigrad; print([n for n in sys.modules if 'settings' in n or n == 'minigrad.nn'])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
    assert importlib.util.find_spec("minigrad.autograd.graph") is not None
