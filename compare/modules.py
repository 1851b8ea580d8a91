"""Modules, losses, samplers and initialisers, one row each, run for 20 steps on both engines.

A row is text in the engine `T`, so that it can be printed as a script. Weights go from torch to the other engine by
state_dict and are then trained side by side; every output, input gradient, parameter and buffer is compared at every
step. A second run carries nothing over but the seed.
"""

from __future__ import annotations

import argparse
import inspect
import warnings
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from . import engines, ulp
from .checks import disagreement, flatten, same_error, to_numpy
from .report import Failure, Options, Progress, Result
from .strategies import array_code

STEPS = 20
RATE = 0.05


@dataclass(frozen=True)
class Input:
    """One argument. `kind`: real, positive, probability, log-probability, binary, sign, class:N or index:N."""

    shape: tuple[int, ...]
    kind: str = "real"

    def values(self, rng: np.random.Generator, dtype: str) -> np.ndarray:
        shape = self.shape
        if ":" in self.kind:
            return np.asarray(rng.integers(0, int(self.kind.partition(":")[2]), shape))
        if self.kind == "binary":
            return np.asarray(rng.integers(0, 2, shape)).astype(dtype)
        if self.kind == "sign":
            return np.asarray(rng.integers(0, 2, shape) * 2 - 1).astype(dtype)
        values = np.asarray(rng.normal(size=shape))
        if self.kind == "positive":
            values = np.abs(values) + 0.1
        elif self.kind == "probability":
            values = 1 / (1 + np.exp(-values))
        elif self.kind == "log-probability":
            values = values - np.log(np.exp(values).sum(-1, keepdims=True))
        return np.asarray(values).astype(dtype)


@dataclass(frozen=True)
class ModuleCase:
    """A module or loss: the ways to build it (text in `T`), its arguments, which of them get gradients."""

    name: str
    builds: Sequence[str]
    inputs: Sequence[Input]
    gradients: Sequence[int] = (0,)
    errors: Sequence[str] = ()
    kind: str = "module"
    terms: float = ulp.TRAINING.terms


def module(
    name: str, *builds: str, shape: tuple[int, ...] = (4, 3), errors: Sequence[str] = (), **more: Any
) -> ModuleCase:
    """A module of one tensor."""
    return ModuleCase(name, builds or (f"T.nn.{name}()",), more.pop("inputs", (Input(shape),)), errors=errors, **more)


def loss(
    name: str, inputs: Sequence[Input], *options: str, errors: Sequence[str] = (), gradients: Sequence[int] = (0,)
) -> ModuleCase:
    """A loss, with every reduction and each of the further `options`."""
    reductions = ("", "reduction='sum'", "reduction='none'")
    builds = [f"T.nn.{name}({text})" for text in (*reductions, *options)]
    bad = (*errors, f"T.nn.{name}(reduction='total')({', '.join(_ones(i) for i in inputs)})")
    return ModuleCase(name, builds, tuple(inputs), gradients, bad, "loss")


def _ones(i: Input) -> str:
    return f"T.zeros({i.shape}, dtype=T.int64)" if ":" in i.kind else f"T.ones({i.shape}) / 2"


X, Y = Input((4, 3)), Input((4, 3))
POSITIVE, PROBABILITY, BINARY, SIGN = (Input((4, 3), k) for k in ("positive", "probability", "binary", "sign"))

MODULES: list[ModuleCase] = [
    module("Identity", "T.nn.Identity()", "T.nn.Identity(54, unused=0.1)"),
    module("Linear", "T.nn.Linear(3, 2)", "T.nn.Linear(3, 2, bias=False)",
           errors=["T.nn.Linear(3, 2)(T.ones(4, 4))", "T.nn.Linear(3, 2)(T.ones(4, 3, dtype=T.float64))"]),
    module("Bilinear", "T.nn.Bilinear(3, 2, 5)", "T.nn.Bilinear(3, 2, 1, bias=False)",
           inputs=(Input((4, 3)), Input((4, 2))), gradients=(0, 1)),
    module("Flatten", "T.nn.Flatten()", "T.nn.Flatten(0, 1)", "T.nn.Flatten(1, -1)", shape=(2, 3, 2)),
    module("Unflatten", "T.nn.Unflatten(1, (2, 3))", shape=(4, 6), errors=["T.nn.Unflatten(1, (2, 2))(T.ones(4, 6))"]),
    module("Dropout", "T.nn.Dropout()", "T.nn.Dropout(0.2)", "T.nn.Dropout(0)", "T.nn.Dropout(1.0)",
           "T.nn.Dropout(0.3).eval()",
           errors=["T.nn.Dropout(1.5)", "T.nn.Dropout(-0.1)"]),
    module("Embedding", "T.nn.Embedding(5, 3)", "T.nn.Embedding(5, 2, padding_idx=1)",
           inputs=(Input((4, 2), "index:5"),),
           gradients=(), errors=["T.nn.Embedding(5, 3)(T.tensor([5]))"]),
    module("LayerNorm", "T.nn.LayerNorm(3)", "T.nn.LayerNorm((4, 3), eps=1e-3)",
           "T.nn.LayerNorm(3, elementwise_affine=False)",
           errors=["T.nn.LayerNorm(3)(T.ones(2, 4))"]),
    module("RMSNorm", "T.nn.RMSNorm(3)", "T.nn.RMSNorm((4, 3), eps=1e-3)", "T.nn.RMSNorm(3, elementwise_affine=False)",
           errors=["T.nn.RMSNorm(3)(T.ones(2, 4))"]),
    module("BatchNorm1d", "T.nn.BatchNorm1d(3)", "T.nn.BatchNorm1d(3, affine=False, momentum=0.3)",
           "T.nn.BatchNorm1d(3).eval()",
           "T.nn.BatchNorm1d(3, track_running_stats=False)", errors=["T.nn.BatchNorm1d(3)(T.ones(2, 4))"]),
    module("ReLU", "T.nn.ReLU()", "T.nn.ReLU(inplace=False)"),
    module("ReLU6"),
    module("LeakyReLU", "T.nn.LeakyReLU()", "T.nn.LeakyReLU(0.3)"),
    module("ELU", "T.nn.ELU()", "T.nn.ELU(0.5)"),
    module("SELU"),
    module("CELU", "T.nn.CELU()", "T.nn.CELU(0.7)"),
    module("GELU", "T.nn.GELU()", "T.nn.GELU('tanh')"),
    module("SiLU"),
    module("Mish"),
    module("Hardtanh", "T.nn.Hardtanh()", "T.nn.Hardtanh(-0.5, 2.0)"),
    module("Hardsigmoid"),
    module("Hardswish"),
    module("Hardshrink"),
    module("Softshrink"),
    module("Tanhshrink"),
    module("Threshold", "T.nn.Threshold(0.1, 20)"),
    module("PReLU", "T.nn.PReLU()", "T.nn.PReLU(3, init=0.1)"),
    module("Tanh"),
    module("Sigmoid"),
    module("LogSigmoid"),
    module("Softplus", "T.nn.Softplus()", "T.nn.Softplus(2.0, 3.0)"),
    module("Softsign"),
    module("GLU", shape=(4, 6)),
    module("Softmax", "T.nn.Softmax(dim=1)", "T.nn.Softmax(0)", errors=["T.nn.Softmax(2)(T.ones(2, 2))"]),
    module("Softmin", "T.nn.Softmin(dim=1)"),
    module("Softmax2d", shape=(2, 3, 2, 2)),
    module("LogSoftmax", "T.nn.LogSoftmax(dim=1)", "T.nn.LogSoftmax(0)"),
    module("CosineSimilarity", inputs=(X, Y), gradients=(0, 1)),
    module("PairwiseDistance", "T.nn.PairwiseDistance()", "T.nn.PairwiseDistance(1)", inputs=(X, Y), gradients=(0, 1)),
    module("Sequential", "T.nn.Sequential(T.nn.Linear(3, 5), T.nn.Tanh(), T.nn.Linear(5, 2))",
           "T.nn.Sequential(T.nn.Linear(3, 4), T.nn.ReLU(), T.nn.Dropout(0.25), T.nn.Linear(4, 1), "
           "T.nn.Flatten(0, 1))"),
    module("ModuleList", "walk(T, T.nn.ModuleList([T.nn.Linear(3, 3), T.nn.Tanh(), T.nn.Linear(3, 2)]))"),
    module("ModuleDict", "walk(T, T.nn.ModuleDict({'a': T.nn.Linear(3, 3), 'b': T.nn.Sigmoid()}))"),
    module("ParameterList", "scale(T, T.nn.ParameterList([T.nn.Parameter(T.ones(3)), T.nn.Parameter(T.zeros(4, 1))]))"),
    module("ParameterDict", "scale(T, T.nn.ParameterDict({'w': T.nn.Parameter(T.ones(3))}))"),
]  # fmt: skip

LOSSES: list[ModuleCase] = [
    loss("MSELoss", (X, Y), "size_average=False", "reduce=False", gradients=(0, 1)),
    loss("L1Loss", (X, Y), gradients=(0, 1)),
    loss("SmoothL1Loss", (X, Y), "beta=0.5", gradients=(0, 1),
         errors=["T.nn.SmoothL1Loss(beta=-1.0)(T.ones(2), T.ones(2))"]),
    loss("HuberLoss", (X, Y), "delta=0.3", gradients=(0, 1),
         errors=["T.nn.HuberLoss(delta=-1.0)(T.ones(2), T.ones(2))"]),
    loss("BCELoss", (PROBABILITY, BINARY), "weight=T.tensor([1.0, 2.0, 0.5]).to(DTYPE)",
         errors=["T.nn.BCELoss()(T.ones(2), T.ones(3))", "T.nn.BCELoss()(T.ones(2) * 2, T.ones(2))"]),
    loss("BCEWithLogitsLoss", (X, BINARY), "pos_weight=T.tensor([1.0, 2.0, 0.5]).to(DTYPE)",
         errors=["T.nn.BCEWithLogitsLoss()(T.ones(2), T.ones(3))"]),
    loss("NLLLoss", (Input((4, 3), "log-probability"), Input((4,), "class:3")),
         "weight=T.tensor([1.0, 2.0, 0.5]).to(DTYPE)",
         "ignore_index=1", errors=["T.nn.NLLLoss()(T.ones(4, 3), T.tensor([0, 1, 2, 3]))"]),
    loss("CrossEntropyLoss", (X, Input((4,), "class:3")), "weight=T.tensor([1.0, 2.0, 0.5]).to(DTYPE)",
         "ignore_index=1",
         "label_smoothing=0.1", errors=["T.nn.CrossEntropyLoss()(T.ones(4, 3), T.tensor([0, 1]))",
                                        "T.nn.CrossEntropyLoss()(T.ones(1, 3), T.tensor([3]))"]),
    loss("KLDivLoss", (Input((4, 3), "log-probability"), PROBABILITY), "reduction='batchmean'"),
    loss("PoissonNLLLoss", (X, POSITIVE), "full=True", "log_input=False"),
    loss("GaussianNLLLoss", (X, Y, POSITIVE), "full=True", gradients=(0, 2)),
    loss("HingeEmbeddingLoss", (X, SIGN), "margin=0.5"),
    loss("SoftMarginLoss", (X, SIGN)),
    loss("MarginRankingLoss", (Input((4,)), Input((4,)), Input((4,), "sign")), "margin=0.5", gradients=(0, 1)),
    loss("CosineEmbeddingLoss", (X, Y, Input((4,), "sign")), "margin=0.1", gradients=(0, 1)),
    loss("TripletMarginLoss", (X, Y, Input((4, 3))), "margin=0.5", "p=1", gradients=(0, 1, 2)),
    loss("TripletMarginWithDistanceLoss", (X, Y, Input((4, 3))), "margin=0.5", "swap=True", gradients=(0, 1, 2)),
    loss("MultiLabelSoftMarginLoss", (X, BINARY), "weight=T.tensor([1.0, 2.0, 0.5]).to(DTYPE)"),
    loss("MultiMarginLoss", (X, Input((4,), "class:3")), "p=2", "weight=T.tensor([1.0, 2.0, 0.5]).to(DTYPE)",
         errors=["T.nn.MultiMarginLoss()(T.ones(1, 3), T.tensor([3]))"]),
    loss("MultiLabelMarginLoss", (X, Input((4, 3), "class:3"))),
]  # fmt: skip


@dataclass(frozen=True)
class SamplerCase:
    """Something random: an expression in `T`; the same seed must give torch's result, within `ulps`."""

    name: str
    call: str
    ulps: float = 0.0
    covers: str = ""


def _samplers() -> list[SamplerCase]:
    rows = []
    for name in ("rand", "randn"):
        for size in ((3,), (15,), (16,), (37,), (4, 5), (2, 3, 7), (0,), ()):
            for dtype in ("float32", "float64"):
                # from 16 elements on torch's log and cos are vectorised, NumPy's are not: measured within 2 ulp
                ulps = 2.0 if name == "randn" else 0.0
                rows.append(
                    SamplerCase(f"{name}{list(size)} {dtype}", f"T.{name}({size}, dtype=T.{dtype})", ulps, name)
                )
    rows += [
        SamplerCase("two draws in a row", "[T.randn(3), T.randn(5), T.rand(2), T.randn(20), T.randn(1)]", 2),
        SamplerCase("rand_like", "T.rand_like(T.ones(2, 3))"),
        SamplerCase("randn_like", "T.randn_like(T.ones(2, 3))", 2),
        SamplerCase("randint_like", "T.randint_like(T.ones(2, 3), 5)"),
        *(SamplerCase(f"randint({low}, {high})", f"T.randint({low}, {high}, (11,))", covers="randint")
          for low, high in ((0, 10), (-5, 5), (0, 2**31), (0, 2**33), (-(2**40), 2**41))),
        SamplerCase("randint(high)", "T.randint(7, (3, 2))"),
        *(SamplerCase(f"randperm({n})", f"T.randperm({n})", covers="randperm") for n in (0, 1, 2, 10, 100)),
        SamplerCase("normal(mean, std, size)", "T.normal(1.5, 2.0, (7,))", 2, "normal"),
        SamplerCase("normal(tensors)", "T.normal(T.arange(6.0), T.ones(6) * 2)", 2),
        SamplerCase("bernoulli", "T.bernoulli(T.linspace(0, 1, 21))"),
        SamplerCase("bernoulli(p)", "T.bernoulli(T.ones(20), 0.3)"),
        SamplerCase("multinomial", "T.multinomial(T.tensor([0.1, 0.5, 0.4]), 8, replacement=True)"),
        SamplerCase("multinomial.once", "T.multinomial(T.tensor([0.1, 0.5, 0.4, 0.2]), 3)"),
        SamplerCase("poisson", "T.poisson(T.tensor([0.5, 3.0, 8.0, 20.0]))"),
        SamplerCase("uniform_", "T.empty(7).uniform_(-2, 3)"),
        SamplerCase("normal_", "T.empty(20).normal_(1, 2)", 2),
        SamplerCase("random_",
                    "[T.empty(5).random_(), T.empty(4).random_(2, 9), T.empty(3, dtype=T.int64).random_(100)]"),
        SamplerCase("bernoulli_", "T.empty(20).bernoulli_(0.3)"),
        SamplerCase("bernoulli_(tensor)", "T.empty(4).bernoulli_(T.tensor([0.1, 0.9, 0.5, 1.0]))"),
        SamplerCase("exponential_", "T.empty(9).exponential_(1.5)", 2),
        SamplerCase("geometric_", "T.empty(9).geometric_(0.3)", 2),
        SamplerCase("cauchy_", "T.empty(9).cauchy_()", 4),
        SamplerCase("log_normal_", "T.empty(9).log_normal_()", 4),
        SamplerCase("dropout", "T.nn.functional.dropout(T.ones(4, 5), 0.3)"),
        SamplerCase("Generator",
                    "[g := T.Generator(), g.manual_seed(7), T.rand(3, generator=g), T.randperm(5, generator=g)][2:]"),
        SamplerCase("generator apart", "[T.rand(2), T.rand(2, generator=T.Generator().manual_seed(3)), T.rand(2)]"),
        SamplerCase("rng_state", "[s := T.get_rng_state(), a := T.rand(3), T.set_rng_state(s), T.rand(3), a][3:]"),
        SamplerCase("initial_seed", "T.initial_seed()"),
        SamplerCase("fork_rng", "[fork(T), T.rand(2)]"),
        *(SamplerCase(f"init.{name}", f"T.nn.init.{name}(T.empty(3, 5){extra})", ulps, name) for name, extra, ulps in (
            ("uniform_", ", -1, 2", 0), ("normal_", ", 1, 2", 2), ("constant_", ", 0.3", 0), ("ones_", "", 0),
            ("zeros_", "", 0),
            ("eye_", "", 0), ("xavier_uniform_", "", 0), ("xavier_normal_", ", 2.0", 2), ("kaiming_uniform_", "", 0),
            ("kaiming_normal_", ", mode='fan_out'", 2), ("trunc_normal_", "", 8), ("orthogonal_", "", 64),
            ("sparse_", ", 0.4", 2))),
        SamplerCase("init.dirac_", "T.nn.init.dirac_(T.empty(3, 2, 3))"),
        SamplerCase("init.calculate_gain",
                    "[T.nn.init.calculate_gain(n) for n in ('linear', 'tanh', 'relu', 'sigmoid', 'selu')]"),
        SamplerCase("Linear", "list(T.nn.Linear(3, 4).parameters())"),
        SamplerCase("Bilinear", "list(T.nn.Bilinear(3, 4, 2).parameters())"),
        SamplerCase("Embedding", "list(T.nn.Embedding(3, 4).parameters())", 2),
        SamplerCase("SequentialSampler", "list(T.utils.data.SequentialSampler(range(5)))"),
        SamplerCase("RandomSampler", "list(T.utils.data.RandomSampler(range(9)))"),
        SamplerCase("RandomSampler.replacement",
                    "list(T.utils.data.RandomSampler(range(9), replacement=True, num_samples=40))"),
        SamplerCase("SubsetRandomSampler", "list(T.utils.data.SubsetRandomSampler([3, 1, 4, 1, 5]))"),
        SamplerCase("WeightedRandomSampler", "list(T.utils.data.WeightedRandomSampler([0.1, 0.9, 0.4], 12))"),
        SamplerCase("BatchSampler", "list(T.utils.data.BatchSampler(T.utils.data.RandomSampler(range(7)), 3, False))"),
        SamplerCase("random_split", "[list(part) for part in T.utils.data.random_split(range(10), [7, 3])]"),
        SamplerCase("random_split.fractions",
                    "[list(part) for part in T.utils.data.random_split(range(10), [0.65, 0.35])]"),
        SamplerCase("DataLoader",
                    "[l := T.utils.data.DataLoader(T.arange(10.0), batch_size=3, shuffle=True), list(l), list(l)][1:]"),
        SamplerCase("DataLoader.generator",
                    "list(T.utils.data.DataLoader(T.arange(7.0), 2, shuffle=True, drop_last=True, "
                    "generator=T.Generator().manual_seed(5)))"),
    ]  # fmt: skip
    return rows


SAMPLERS = _samplers()


def walk(T: Any, modules: Any) -> Any:
    """A module that applies the members of a ModuleList or ModuleDict in turn."""

    class Walk(T.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.members = modules

        def forward(self, x: Any) -> Any:
            for member in modules.values() if hasattr(modules, "values") else modules:
                x = member(x)
            return x

    return Walk()


def scale(T: Any, parameters: Any) -> Any:
    """A module that multiplies its input by each parameter plus one."""

    class Scale(T.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.members = parameters

        def forward(self, x: Any) -> Any:
            for p in parameters.values() if hasattr(parameters, "values") else parameters:
                x = x * (p + 1)
            return x

    return Scale()


def fork(T: Any) -> Any:
    """Numbers drawn inside fork_rng do not move the stream outside."""
    with T.random.fork_rng():
        return T.rand(3)


def build(T: Any, text: str, dtype: str) -> Any:
    """The module that `text` describes, in `dtype`."""
    names = {"T": T, "np": np, "walk": walk, "scale": scale, "fork": fork, "DTYPE": getattr(T, dtype)}
    made = eval(text, names)
    return made.to(getattr(T, dtype)) if dtype != "float32" and hasattr(made, "to") else made


Trace = list[tuple[str, int, Any]]


def train(
    T: Any, case: ModuleCase, text: str, dtype: str, seed: int, carried: dict[str, np.ndarray] | None = None
) -> Trace:
    """20 steps of plain descent on random cotangents; everything that can be seen, step by step."""
    T.manual_seed(seed)
    m = build(T, text, dtype)
    if carried is not None:
        m.load_state_dict({name: T.from_numpy(array.copy()) for name, array in carried.items()})
    out: Trace = [("repr", 0, repr(m))]
    out += [(f"initial {name}", 0, to_numpy(t)) for name, t in m.state_dict().items()]
    parameters = [(n, p) for n, p in m.named_parameters()]
    optimizer = T.optim.SGD([p for _, p in parameters], lr=RATE) if parameters else None
    rng = np.random.default_rng(seed)
    for step in range(STEPS):
        arguments = [T.from_numpy(i.values(rng, dtype)) for i in case.inputs]
        for i in case.gradients:
            arguments[i].requires_grad_()
        if optimizer is not None:
            optimizer.zero_grad()
        results = flatten(m(*arguments), T)
        for i, r in enumerate(results):
            out += [(f"output {i}", step, to_numpy(r)), (f"output {i} requires_grad", step, r.requires_grad)]
            g = np.asarray(rng.normal(size=tuple(r.shape))).astype(to_numpy(r).dtype)
            if r.requires_grad:
                r.backward(T.from_numpy(np.asarray(g)))
        for i in case.gradients:
            grad = arguments[i].grad
            out.append((f"gradient of input {i}", step, None if grad is None else to_numpy(grad)))
        for name, p in parameters:
            out.append((f"gradient of {name}", step, None if p.grad is None else to_numpy(p.grad)))
        if optimizer is not None:
            optimizer.step()
        out += [(name, step, to_numpy(t)) for name, t in m.state_dict().items()]
    return out


def attempt(call: Callable[[], Trace]) -> Trace:
    """`call()`, or one entry with the class of what it raised."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return call()
        except Exception as error:  # compared with the other engine's
            return [("error", 0, (type(error).__name__, str(error)))]


class Outcome:
    """Checks made, worst ulp and failures of one row, as they come in."""

    def __init__(self) -> None:
        self.checks = 0
        self.worst: float | None = None
        self.failures: list[Failure] = []

    def compare(
        self,
        ours: Trace,
        theirs: Trace,
        where: str,
        reproducer: str,
        terms: float,
        again: Callable[..., Trace] | None = None,
    ) -> None:
        """Compare two traces; only the first disagreement is kept, the rest follow from it.

        `again(nudge=n)` repeats the reference from a start that is moved by an eps: an entry may differ by 16 times
        what that does to it, however far that is. Quasi-Newton steps amplify a rounding a million times.
        """
        shaken: list[Trace] | None = None
        if len(ours) != len(theirs) or [x[:2] for x in ours] != [x[:2] for x in theirs]:
            for who, entries in (("ours", ours), ("theirs", theirs)):
                if entries and entries[0][0] == "error":
                    self.fail(where, f"only {who} raises {entries[0][2][0]}: {entries[0][2][1]}", reproducer)
                    return
            a, b = {x[:2] for x in ours}, {x[:2] for x in theirs}
            self.fail(where, f"only ours: {sorted(a - b)[:4]}; only theirs: {sorted(b - a)[:4]}", reproducer)
            return
        for i, ((label, step, mine), (_, _, other)) in enumerate(zip(ours, theirs)):
            self.checks += 1
            if label == "error":
                if not same_error(mine[0], other[0]):
                    self.fail(where, f"ours raises {mine}, theirs {other}", reproducer)
                return
            message = self._entry(f"step {step}, {label}", mine, other, step, terms)
            if message and again is not None and isinstance(other, np.ndarray) and isinstance(mine, np.ndarray):
                if shaken is None:
                    shaken = [again(nudge=n) for n in range(1, 5)]
                reach = max(float(np.abs(s[i][2] - other).max(initial=0)) for s in shaken)
                if mine.shape == other.shape and float(np.abs(mine - other).max(initial=0)) <= 16 * reach:
                    continue
            if message:
                self.fail(where, message, reproducer)
                return

    def _entry(self, label: str, mine: Any, other: Any, step: int, terms: float) -> str:
        if isinstance(mine, float) and isinstance(other, float):
            mine, other = np.asarray(mine), np.asarray(other)
        if not isinstance(mine, np.ndarray) or not isinstance(other, np.ndarray):
            return "" if mine == other and type(mine) is type(other) else f"{label}: got {mine!r}, expected {other!r}"
        if mine.shape != other.shape or mine.dtype != other.dtype:
            return f"{label}: got {mine.dtype}{list(mine.shape)}, expected {other.dtype}{list(other.shape)}"
        ulps, bad = ulp.within_training(mine, other, step, terms)
        if mine.dtype.kind == "f" and mine.size:
            with np.errstate(all="ignore"):
                apart = np.abs(mine.astype(np.float64) - other)[~bad]
                size = max(float(np.nanmax(np.abs(np.where(np.isfinite(other), other, 0)))), 1.0)
            # in ulps of the tensor's largest entry: an ulp of an entry that is nearly 0 says nothing
            self.worst = max(self.worst or 0.0, float(np.nan_to_num(apart).max(initial=0)) / size / ulp.eps(mine.dtype))
        return disagreement(label, mine, other, ulps, bad) if bad.any() else ""

    def fail(self, where: str, message: str, reproducer: str | None) -> None:
        if len(self.failures) < 6:
            self.failures.append(Failure(where, message, reproducer))


def run_module(ours: Any, theirs: Any, case: ModuleCase, options: Options) -> Result:
    """One row: each way to build it, in float64 and float32, weights carried over; and from the seed alone."""
    from .ops import check_error, error_script

    outcome = Outcome()
    for number, text in enumerate(case.builds):
        for dtype in ("float64", "float32"):
            if "DTYPE" not in text and dtype == "float64" and options.quick and number:
                continue
            seed = 1000 + options.seed + number
            run = partial(train, case=case, text=text, dtype=dtype, seed=seed)
            expected = attempt(partial(run, theirs))
            carried = {k.removeprefix("initial "): v for k, _, v in expected if k.startswith("initial ")}
            where = f"{text} {dtype}"
            script = module_script(case, text, dtype, seed)
            if carried:
                got = attempt(partial(run, ours, carried=carried))
                outcome.compare(got, expected, f"{where}, weights carried over", script, case.terms)
            outcome.compare(attempt(partial(run, ours)), expected, f"{where}, same seed", script, case.terms)
    for expression in case.errors:
        outcome.checks += 1
        message = check_error(ours, theirs, expression)
        if message:
            outcome.fail(expression, message, error_script(expression))
    return Result(
        "losses" if case.kind == "loss" else "modules", case.name, outcome.checks, outcome.worst, outcome.failures
    )


def module_script(case: ModuleCase, text: str, dtype: str, seed: int) -> str:
    """A program that builds the module from one seed on both engines and shows outputs and gradients."""
    rng = np.random.default_rng(seed)
    arrays = [i.values(rng, dtype) for i in case.inputs]
    names = [f"x{i}" for i in range(len(arrays))]
    helpers = [f"\n\n{inspect.getsource(f)}" for f in (walk, scale) if f"{f.__name__}(" in text]
    lines = ["from typing import Any", "", "import numpy as np", "import torch", "import minigrad", *helpers, "", "",
             "for T in (torch, minigrad):",
             f"    T.manual_seed({seed})", f"    DTYPE = T.{dtype}", f"    m = {text}.to(DTYPE)"]  # fmt: skip
    for i, (name, array) in enumerate(zip(names, arrays)):
        grad = ".requires_grad_()" if i in case.gradients else ""
        lines.append(f"    {name} = T.from_numpy({array_code(array)}){grad}")
    lines += [f"    out = m({', '.join(names)})", "    (out * out).sum().backward()",
              "    print(T.__name__, m, out, *[p.grad for p in m.parameters()], "
              + ", ".join(f"{names[i]}.grad" for i in case.gradients) + ")"]  # fmt: skip
    return "\n".join(lines) + "\n"


def run_sampler(ours: Any, theirs: Any, case: SamplerCase, options: Options) -> Result:
    """One random expression, from five seeds, compared value by value."""
    outcome = Outcome()
    for seed in range(options.seed, options.seed + (3 if options.quick else 12)):
        pair = [attempt(partial(sample, T, case.call, seed)) for T in (ours, theirs)]
        script = (f"import torch, minigrad\nfor T in (torch, minigrad):\n    T.manual_seed({seed})\n"
                  f"    print(T.__name__, {case.call})\n")  # fmt: skip
        outcome.compare(pair[0], pair[1], f"seed {seed}: {case.call}", script, case.ulps / 2)
    return Result("samplers", case.name, outcome.checks, outcome.worst, outcome.failures)


def sample(T: Any, call: str, seed: int) -> Trace:
    """The values of `call` after manual_seed(seed), and the next number of the stream."""
    T.manual_seed(seed)
    names = {"T": T, "np": np, "fork": fork}
    values = flatten(eval(call, names), T)
    out: Trace = [(f"value {i}", 0, to_numpy(v) if isinstance(v, T.Tensor) else v) for i, v in enumerate(values)]
    return [*out, ("the next number", 0, to_numpy(T.rand(1)))]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """This group has no options of its own."""


def existing(T: Any, name: str) -> bool:
    """True when the engine has the class; rows for what only torch has wait until minigrad grows it."""
    return hasattr(T.nn, name)


def run(options: Options, progress: Progress) -> Iterable[Result]:
    """Every module, loss, sampler and initialiser that minigrad has."""
    from .parallel import spread

    nn = engines.load("minigrad").nn
    names = [f"module {c.name}" for c in MODULES + LOSSES if hasattr(nn, c.name)]
    names += [f"sampler {c.name}" for c in SAMPLERS]
    names = [n for n in names if options.selects(n)]
    progress.start("modules", len(names))
    for result in spread(_one, names, options):
        progress.step(result.name, failed=not result.passed)
        yield result
    progress.finish()


def _one(name: str, options: Options) -> Result:
    ours, theirs = engines.load("minigrad"), engines.load("torch")
    kind, _, name = name.partition(" ")
    if kind == "sampler":
        return run_sampler(ours, theirs, next(c for c in SAMPLERS if c.name == name), options)
    return run_module(ours, theirs, next(c for c in MODULES + LOSSES if c.name == name), options)
