"""The rows are valid on torch, and nothing of minigrad is without a row."""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import torch

from compare import cases, checks, modules, ops, optim
from compare.report import Options
from compare.strategies import Seeded

IDS = [case.name for case in cases.CASES]


def test_names_are_unique() -> None:
    assert len(set(IDS)) == len(IDS)


@pytest.mark.parametrize("case", cases.CASES, ids=IDS)
def test_a_row_runs_on_torch_and_has_the_orders_it_claims(case: cases.Case) -> None:
    traces = [checks.trace(torch, example, orders, subsets=False) for example, orders, _ in ops.grid(case, 0, True)
              if example.kind in ("plain", "ties")]  # fmt: skip
    assert any("error" not in t.values for t in traces), [t.values for t in traces][:2]
    labels = [(order, label) for t in traces for label, order in t.orders.items()]
    assert (case.orders > 0) == any(order == "backward" and "grad" in label for order, label in labels)


@pytest.mark.parametrize(
    "name", ["mul", "x ** y", "clamp.tensor", "sum", "norm.p", "matmul", "x[...]", "gather", "F.elu"]
)
def test_a_row_agrees_with_itself(name: str) -> None:
    case = cases.find(name)
    result = ops.run_case(torch, torch, case, Options(quick=True), limit=100)
    messages = [line for f in result.failures for line in f.message.splitlines()]
    assert [m for m in messages if "shares memory" not in m] == []


def test_the_same_seed_gives_the_same_examples() -> None:
    case = cases.find("x[...]")
    first, again = ([f"{e.where()} {e.seed}" for e, _, _ in ops.grid(case, 3, True)] for _ in range(2))
    assert first == again
    assert first != [f"{e.where()} {e.seed}" for e, _, _ in ops.grid(case, 4, True)]


def test_an_unknown_row_names_its_neighbours() -> None:
    with pytest.raises(KeyError, match="softmax"):
        cases.find("sofmax")


def test_every_kind_of_input_is_met_by_an_elementwise_op() -> None:
    kinds = {e.kind for e, _, _ in ops.grid(cases.find("mul"), 0, True)}
    assert {"plain", "0-d", "empty", "size-1", "broadcast", "transposed", "strided", "negative", "expanded", "alias",
            "special",
            "ties", "long"} <= kinds  # fmt: skip


def test_broadcast_shapes_broadcast_and_alias_is_the_same_tensor() -> None:
    for seed in range(40):
        example = checks.draw(cases.find("where.condition"), Seeded(seed), "broadcast", "float64")
        assert example is not None
        torch.broadcast_shapes(*(o.values.shape for o in example.operands))
        run = checks._Run(torch, checks.draw(cases.find("mul"), Seeded(seed), "alias", "float64"), ("x",))
        assert run.tensors["x"] is run.tensors["y"]


# --- completeness


def classes(module: Any, base: type) -> list[str]:
    """The public subclasses of `base` in a module of minigrad."""
    return sorted(
        name for name, value in vars(module).items()
        if inspect.isclass(value) and issubclass(value, base) and value is not base and not name.startswith("_")
    )  # fmt: skip


def test_every_module_and_loss_has_a_row() -> None:
    nn = pytest.importorskip("minigrad").nn
    rows = {c.name for c in modules.MODULES + modules.LOSSES}
    assert [n for n in classes(nn, nn.Module) if n not in rows] == []


def test_every_optimizer_and_scheduler_has_a_row() -> None:
    found = pytest.importorskip("minigrad").optim
    rows = {c.name for c in optim.OPTIMIZERS + optim.SCHEDULERS}
    missing = [n for n in classes(found, found.Optimizer) if n not in rows]
    schedulers = found.lr_scheduler
    base = schedulers.LRScheduler
    missing += [n for n in classes(schedulers, base) if n not in rows and n != "_LRScheduler"]
    assert missing == []


def test_every_sampler_and_initialiser_has_a_row() -> None:
    minigrad = pytest.importorskip("minigrad")
    text = " ".join(f"{c.name} {c.call}" for c in modules.SAMPLERS)
    mentioned = set(re.findall(r"\w+", text))
    data = minigrad.utils.data
    missing = [n for n in classes(data, data.Sampler) if n not in mentioned]
    own = minigrad.random.__name__
    missing += [n for n, f in vars(minigrad.random).items()
                if inspect.isfunction(f) and f.__module__ == own and not n.startswith("_") and n not in mentioned
                and n not in ("manual_seed", "seed")]  # fmt: skip
    missing += [n for n in vars(minigrad.nn.init) if n.endswith("_") and not n.startswith("_") and n not in mentioned]
    assert missing == []


def test_every_function_has_a_row() -> None:
    minigrad = pytest.importorskip("minigrad")
    rows = " ".join([f"{c.name} {c.call}" for c in cases.CASES + modules.SAMPLERS])
    mentioned = {*re.findall(r"\w+", rows), *torch_names(), *PLUMBING}
    public = [
        n for n, f in vars(minigrad).items() if inspect.isfunction(f) and not n.startswith("_") and hasattr(torch, n)
    ]
    assert len(public) > 200
    assert [n for n in public if n not in mentioned and n.removesuffix("_") not in mentioned] == []


# neither differentiable nor random: settings and questions about tensors, each with tests of its own
PLUMBING = """
    manual_seed seed get_rng_state set_rng_state set_printoptions set_default_dtype get_default_dtype
    set_default_device set_num_threads get_num_threads get_device_module is_anomaly_enabled is_grad_enabled
    is_inference_mode_enabled can_cast promote_types result_type broadcast_shapes is_tensor is_floating_point
    is_complex is_nonzero numel from_dlpack asarray range empty_strided chain_matmul scalar_tensor
    tril_indices triu_indices vander fill_ frombuffer is_signed is_inference is_same_size typename
""".split()


def torch_names() -> Iterator[str]:
    """Names that torch's own database has entries for; `compare opinfo` runs those."""
    pytest.importorskip("expecttest")
    from torch.testing._internal.common_methods_invocations import op_db

    for entry in op_db:
        yield entry.name.rpartition(".")[2]
        yield from (alias.name for alias in entry.aliases)


@contextmanager
def executed() -> Iterator[set[Any]]:
    """The code objects of every Python function called inside."""
    codes: set[Any] = set()

    def note(frame: Any, event: str, argument: Any) -> None:
        if event == "call":
            codes.add(frame.f_code)

    sys.setprofile(note)
    try:
        yield codes
    finally:
        sys.setprofile(None)


def test_every_primitive_and_formula_is_run_by_some_row() -> None:
    minigrad = pytest.importorskip("minigrad")
    registry = minigrad.primitive.REGISTRY
    with executed() as codes:
        for case in cases.CASES:
            if not ops.present(minigrad, case):
                continue
            for example, orders, _ in ops.grid(case, 0, True):
                if example.kind in ("plain", "broadcast", "ties"):
                    checks.trace(minigrad, example, orders, subsets=False)
            for expression in case.errors:
                ops.check_error(minigrad, torch, expression)
        for sampler in modules.SAMPLERS:
            modules.attempt(lambda: modules.sample(minigrad, sampler.call, 0))  # noqa: B023
    codes |= {f.__code__ for p in [registry["to_device"]] for f in (p.forward, *p.formulas.values())}  # needs a GPU
    missing = []
    used = {name for name, p in registry.items() if any(f.__code__ in codes for f in p.formulas.values())}
    for name, primitive in registry.items():
        # a forward that is one NumPy function is called as that function: then its formulas show that it ran
        ran = {getattr(primitive.forward, "__code__", None), getattr(primitive.call, "__code__", None)} & codes
        if not ran and name not in used:
            missing.append(f"{name}: no row calls it")
        missing += [f"{name}: no row asks for the formula of {i}" for i, f in primitive.formulas.items()
                    if getattr(f, "__code__", None) not in codes]  # fmt: skip
    assert missing == []
