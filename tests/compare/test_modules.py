"""Rows of modules, losses, samplers, optimizers and schedulers: valid on torch, and faults planted in each are seen."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from compare import modules, optim
from compare.report import Options

QUICK = Options(quick=True)
MODULES = modules.MODULES + modules.LOSSES


def module(name: str) -> modules.ModuleCase:
    return next(c for c in MODULES if c.name == name)


def optimizer(name: str) -> optim.OptimCase:
    return next(c for c in optim.OPTIMIZERS if c.name == name)


@pytest.mark.parametrize("case", MODULES, ids=lambda c: c.name)
def test_a_module_row_runs_on_torch_and_agrees_with_itself(case: modules.ModuleCase) -> None:
    for text in case.builds:
        trace = modules.attempt(lambda: modules.train(torch, case, text, "float64", 0, None))  # noqa: B023
        assert trace[0][0] != "error", (text, trace[0])
        assert {step for _, step, _ in trace} == set(range(modules.STEPS))
    result = modules.run_module(torch, torch, case, QUICK)
    assert result.passed, result.failures
    assert result.worst_ulp in (0, None)


@pytest.mark.parametrize("case", modules.SAMPLERS, ids=lambda c: c.name)
def test_a_sampler_row_runs_on_torch(case: modules.SamplerCase) -> None:
    assert modules.attempt(lambda: modules.sample(torch, case.call, 0))[0][0] != "error"
    assert modules.run_sampler(torch, torch, case, QUICK).passed


@pytest.mark.parametrize("case", optim.OPTIMIZERS, ids=lambda c: c.name)
def test_an_optimizer_row_runs_on_torch(case: optim.OptimCase) -> None:
    for text in case.options:
        trace = optim.attempt(lambda: optim.optimize(torch, case.name, text, "float64", False))  # noqa: B023
        assert trace[0][0] != "error", (text, trace[0])
        first, last = (
            next(v for label, step, v in trace if label == "parameter 0" and step == s) for s in (0, optim.STEPS - 1)
        )
        assert (first != last).any()
    assert optim.run_optimizer(torch, torch, case, QUICK).passed


@pytest.mark.parametrize("case", optim.SCHEDULERS, ids=lambda c: c.name)
def test_a_scheduler_row_runs_on_torch(case: optim.SchedulerCase) -> None:
    for text in case.builds:
        trace = optim.attempt(lambda: optim.schedule(torch, text, case.metric))  # noqa: B023
        assert trace[0][0] != "error", (text, trace[0])
        assert len({v for label, _, v in trace if label == "rate of group 0"}) > 1, text
    assert optim.run_scheduler(torch, torch, case, QUICK).passed


# --- faults


class OtherOrder(torch.nn.Linear):
    """Linear whose bias is drawn before its weight: right with weights carried over, wrong from the seed."""

    def reset_parameters(self) -> None:
        bound = 1 / self.in_features**0.5
        if self.bias is not None:
            torch.nn.init.uniform_(self.bias, -bound, bound)
        torch.nn.init.uniform_(self.weight, -bound, bound)

    def __repr__(self) -> str:
        return super().__repr__().replace("OtherOrder", "Linear")


class NoTranspose(torch.nn.MSELoss):
    """MSELoss that divides the sum by the rows alone."""

    def forward(self, x: Any, y: Any) -> Any:
        out = ((x - y) ** 2).sum() / len(x)
        return out if self.reduction == "mean" else super().forward(x, y)

    def __repr__(self) -> str:
        return "MSELoss()"


class LateMomentum(torch.optim.SGD):
    """SGD that forgets its momentum at step 7."""

    steps = 0

    def step(self, closure: Any = None) -> Any:
        self.steps += 1
        if self.steps == 7:
            for state in self.state.values():
                state.pop("momentum_buffer", None)
        return super().step(closure)

    def __repr__(self) -> str:
        return super().__repr__().replace("LateMomentum", "SGD")


class ForgetfulState(torch.optim.Adam):
    """Adam whose load_state_dict restores the groups and not the moments."""

    def load_state_dict(self, state: Any) -> None:
        super().load_state_dict({"state": {}, "param_groups": state["param_groups"]})

    def __repr__(self) -> str:
        return super().__repr__().replace("ForgetfulState", "Adam")


def test_another_order_of_random_draws_is_seen(faulty: Any) -> None:
    result = modules.run_module(faulty(nn={"Linear": OtherOrder}), torch, module("Linear"), QUICK)
    assert [f.where for f in result.failures] and all("same seed" in f.where for f in result.failures)
    assert "initial weight" in result.failures[0].message


def test_a_wrong_loss_is_seen(faulty: Any) -> None:
    result = modules.run_module(faulty(nn={"MSELoss": NoTranspose}), torch, module("MSELoss"), QUICK)
    assert "step 0, output 0" in result.failures[0].message


def test_an_optimizer_that_goes_wrong_late_is_seen(faulty: Any) -> None:
    result = optim.run_optimizer(faulty(optim={"SGD": LateMomentum}), torch, optimizer("SGD"), QUICK)
    assert all("step 6, " in f.message for f in result.failures if "momentum=0.9" in f.where)
    assert any("momentum=0.9" in f.where for f in result.failures)


def test_a_state_that_is_not_restored_is_seen(faulty: Any) -> None:
    result = optim.run_optimizer(faulty(optim={"Adam": ForgetfulState}), torch, optimizer("Adam"), QUICK)
    assert "step 10, parameter" in result.failures[0].message


def test_a_scheduler_off_by_one_is_seen(faulty: Any) -> None:
    import types

    class Late(torch.optim.lr_scheduler.StepLR):
        def __init__(self, o: Any, step_size: int, gamma: float = 0.1) -> None:
            super().__init__(o, step_size + 1, gamma)

    names = {**vars(torch.optim.lr_scheduler), "StepLR": Late}
    engine = faulty(optim={"lr_scheduler": types.SimpleNamespace(**names)})
    case = next(c for c in optim.SCHEDULERS if c.name == "StepLR")
    assert "step 2, rate of group 0" in optim.run_scheduler(engine, torch, case, QUICK).failures[0].message


def test_one_draw_too_many_is_seen_even_if_the_values_are_right(faulty: Any) -> None:
    def rand(*size: Any, **more: Any) -> Any:
        out = torch.rand(*size, **more)
        torch.rand(1)
        return out

    case = next(c for c in modules.SAMPLERS if c.name == "rand[3] float32")
    assert "next number" in modules.run_sampler(faulty(rand=rand), torch, case, QUICK).failures[0].message


def test_an_accepted_bad_argument_is_seen(faulty: Any) -> None:
    class Careless(torch.nn.Dropout):
        def __init__(self, p: float = 0.5, inplace: bool = False) -> None:
            super().__init__(min(max(p, 0), 1), inplace)

        def __repr__(self) -> str:
            return super().__repr__().replace("Careless", "Dropout")

    result = modules.run_module(faulty(nn={"Dropout": Careless}), torch, module("Dropout"), QUICK)
    assert [f.message for f in result.failures][0].startswith("got nothing")


def test_a_script_of_a_module_row_runs() -> None:
    case = module("CrossEntropyLoss")
    text = modules.module_script(case, case.builds[0], "float64", 0).replace("import minigrad", "minigrad = torch")
    step = optim.script("SGD", "lr=0.1", "float64").replace("import minigrad", "minigrad = torch")
    for script in (text, step):
        printed: list[Any] = []
        exec(script, {"print": lambda *a, to=printed: to.append(a)})
        assert printed, "the script shows both results"
