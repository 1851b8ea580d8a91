"""Optimizers and learning rate schedulers, one row each: 20 steps on both engines, every parameter at every step.

Halfway through, the optimizer's state_dict goes through a fresh optimizer, so that saving and resuming is compared too.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from . import engines, ulp
from .checks import to_numpy
from .modules import STEPS, Outcome, Trace, attempt
from .report import Options, Progress, Result


@dataclass(frozen=True)
class OptimCase:
    """An optimizer with the argument lists to try (text in `T`), and what it must refuse."""

    name: str
    options: Sequence[str]
    errors: Sequence[str] = ()
    terms: float = ulp.TRAINING.terms


@dataclass(frozen=True)
class SchedulerCase:
    """A scheduler as text in `T` and `o` (the optimizer); `metric` when its step takes one."""

    name: str
    builds: Sequence[str]
    metric: bool = False
    errors: Sequence[str] = ()


def bad(name: str, *arguments: str) -> tuple[str, ...]:
    """Constructor calls of `name` with a refused argument, and without parameters."""
    return (
        f"T.optim.{name}([], lr=0.1)",
        *(f"T.optim.{name}([T.ones(2, requires_grad=True)], {a})" for a in arguments),
    )


OPTIMIZERS: list[OptimCase] = [
    OptimCase("SGD", ["lr=0.05", "lr=0.05, momentum=0.9", "lr=0.05, momentum=0.9, nesterov=True",
                      "lr=0.05, momentum=0.8, "
              "dampening=0.3", "lr=0.05, weight_decay=0.1", "lr=0.05, maximize=True",
              "lr=0.02, momentum=0.9, weight_decay=0.01, "
              "nesterov=True, maximize=True"], bad("SGD", "lr=-1", "lr=0.1, momentum=-1", "lr=0.1, weight_decay=-1",
              "lr=0.1, nesterov=True", "lr=0.1, momentum=0.9, dampening=0.1, nesterov=True")),
    OptimCase("Adam", ["lr=0.05", "lr=0.05, betas=(0.8, 0.9)", "lr=0.05, weight_decay=0.1", "lr=0.05, amsgrad=True",
              "lr=0.05, maximize=True", "lr=0.05, eps=1e-3"], bad("Adam", "lr=-1", "betas=(1.0, 0.9)",
                                                                  "betas=(0.9, 1.0)", "eps=-1",
              "weight_decay=-1")),
    OptimCase("AdamW", ["lr=0.05", "lr=0.05, weight_decay=0.3", "lr=0.05, amsgrad=True", "lr=0.05, maximize=True"],
              bad("AdamW", "lr=-1", "betas=(1.0, 0.9)", "eps=-1")),
    OptimCase("RMSprop", ["lr=0.02", "lr=0.02, alpha=0.8", "lr=0.02, momentum=0.5", "lr=0.02, centered=True",
              "lr=0.02, weight_decay=0.1", "lr=0.02, maximize=True", "lr=0.01, momentum=0.9, centered=True"],
              bad("RMSprop", "lr=-1", "alpha=-1", "eps=-1", "momentum=-1", "weight_decay=-1")),
    OptimCase("Adagrad", ["lr=0.1", "lr=0.1, lr_decay=0.1", "lr=0.1, weight_decay=0.1",
                          "lr=0.1, initial_accumulator_value=0.5",
              "lr=0.1, maximize=True"], bad("Adagrad", "lr=-1", "lr_decay=-1", "eps=-1",
                                            "initial_accumulator_value=-1")),
    OptimCase("Adadelta", ["lr=1.0", "lr=0.5, rho=0.8", "weight_decay=0.1", "maximize=True"], bad("Adadelta", "lr=-1",
                                                                                                  "rho=2",
              "eps=-1")),
    OptimCase("Adamax", ["lr=0.05", "lr=0.05, betas=(0.8, 0.9)", "lr=0.05, weight_decay=0.1", "lr=0.05, maximize=True"],
              bad("Adamax", "lr=-1", "betas=(1.0, 0.9)", "eps=-1")),
    OptimCase("NAdam", ["lr=0.02", "lr=0.02, momentum_decay=0.01",
                        "lr=0.02, weight_decay=0.1, decoupled_weight_decay=True",
              "lr=0.02, maximize=True"], bad("NAdam", "lr=-1", "momentum_decay=-1")),
    OptimCase("RAdam", ["lr=0.02", "lr=0.02, betas=(0.8, 0.9)",
                        "lr=0.02, weight_decay=0.1, decoupled_weight_decay=True",
              "lr=0.02, maximize=True"], bad("RAdam", "lr=-1", "betas=(1.0, 0.9)")),
    OptimCase("ASGD", ["lr=0.05", "lr=0.05, lambd=0.01, alpha=0.5, t0=3", "lr=0.05, weight_decay=0.1",
                       "lr=0.05, maximize=True"],
              bad("ASGD", "lr=-1", "weight_decay=-1")),
    OptimCase("Rprop", ["lr=0.02", "lr=0.02, etas=(0.4, 1.3)", "lr=0.02, step_sizes=(1e-3, 0.1)",
                        "lr=0.02, maximize=True"],
              bad("Rprop", "lr=-1", "etas=(1.5, 1.2)")),
    OptimCase("LBFGS", ["lr=0.3, max_iter=2", "lr=0.5, max_iter=5", "lr=1, history_size=3, max_iter=4",
                        "line_search_fn='strong_wolfe', max_iter=4"],
              ("T.optim.LBFGS([{'params': [T.ones(1)]}, {'params': [T.ones(1)]}])",)),
]  # fmt: skip

EPS32 = float(np.finfo(np.float32).eps)
S = "T.optim.lr_scheduler"
SCHEDULERS: list[SchedulerCase] = [
    SchedulerCase("StepLR", [f"{S}.StepLR(o, 3)", f"{S}.StepLR(o, step_size=4, gamma=0.5)"]),
    SchedulerCase("MultiStepLR", [f"{S}.MultiStepLR(o, [2, 5, 5, 11])",
                                  f"{S}.MultiStepLR(o, milestones=[3], gamma=0.3)"]),
    SchedulerCase("ConstantLR", [f"{S}.ConstantLR(o)", f"{S}.ConstantLR(o, factor=0.5, total_iters=4)"]),
    SchedulerCase("LinearLR", [f"{S}.LinearLR(o)", f"{S}.LinearLR(o, 0.5, 0.1, total_iters=7)"],
                  errors=[f"{S}.LinearLR(T.optim.SGD([T.ones(1)], lr=1.0), start_factor=2.0)"]),
    SchedulerCase("ExponentialLR", [f"{S}.ExponentialLR(o, 0.9)"]),
    SchedulerCase("PolynomialLR", [f"{S}.PolynomialLR(o)", f"{S}.PolynomialLR(o, 12, 2.0)"]),
    SchedulerCase("CosineAnnealingLR", [f"{S}.CosineAnnealingLR(o, 10)",
                                        f"{S}.CosineAnnealingLR(o, T_max=4, eta_min=0.01)"]),
    SchedulerCase("CosineAnnealingWarmRestarts", [f"{S}.CosineAnnealingWarmRestarts(o, 4)",
                  f"{S}.CosineAnnealingWarmRestarts(o, 3, T_mult=2, eta_min=0.01)"]),
    SchedulerCase("LambdaLR", [f"{S}.LambdaLR(o, lambda e: 0.95 ** e)",
                               f"{S}.LambdaLR(o, [lambda e: 1 / (e + 1), lambda e: 0.5])"],
                  errors=[f"{S}.LambdaLR(T.optim.SGD([T.ones(1)], lr=1.0), [lambda e: 1, lambda e: 1])"]),
    SchedulerCase("MultiplicativeLR", [f"{S}.MultiplicativeLR(o, lambda e: 0.9)"]),
    SchedulerCase("CyclicLR", [f"{S}.CyclicLR(o, 0.01, 0.1, step_size_up=3, cycle_momentum=False)",
                  f"{S}.CyclicLR(o, 0.01, 0.1, step_size_up=2, step_size_down=4, mode='triangular2', "
                  "cycle_momentum=False)"]),
    SchedulerCase("OneCycleLR", [f"{S}.OneCycleLR(o, 0.5, total_steps=30)"]),
    SchedulerCase("SequentialLR",
                  [f"{S}.SequentialLR(o, [{S}.ConstantLR(o, 0.1, 4), {S}.ExponentialLR(o, 0.9)], [4])"]),
    SchedulerCase("ChainedScheduler",
                  [f"{S}.ChainedScheduler([{S}.ConstantLR(o, 0.1, 4), {S}.ExponentialLR(o, 0.9)])"]),
    SchedulerCase("ReduceLROnPlateau", [f"{S}.ReduceLROnPlateau(o, patience=3)",
                                        f"{S}.ReduceLROnPlateau(o, 'max', factor=0.5, patience=1)",
                  f"{S}.ReduceLROnPlateau(o, patience=2, cooldown=2, min_lr=0.01, threshold=0.1, "
                  "threshold_mode='abs')"], True,
                  errors=[f"{S}.ReduceLROnPlateau(T.optim.SGD([T.ones(1)], lr=1.0), factor=1.0)",
                          f"{S}.ReduceLROnPlateau(T.optim.SGD([T.ones(1)], lr=1.0), mode='up')"]),
]  # fmt: skip

TARGET = np.random.default_rng(3).normal(size=(6, 2))


def parameters(T: Any, dtype: str, nudge: int) -> list[Any]:
    """Three leaves of different ranks; one loss in three does not touch the last. `nudge` moves them by an eps."""
    rng, signs = np.random.default_rng(11), np.random.default_rng(nudge)
    leaves = []
    for shape in ((3, 2), (2,), ()):
        start = np.asarray(rng.normal(size=shape)).astype(dtype)
        if nudge:
            start = start * (1 + ulp.eps(start.dtype) * signs.choice([-1.0, 1.0], shape)).astype(dtype)
        leaves.append(T.from_numpy(np.asarray(start)).requires_grad_())
    return leaves


def loss(T: Any, leaves: Sequence[Any], step: int, dtype: str, quadratic: bool) -> Any:
    """A smooth function of the leaves that changes with the step; or a quadratic one that does not.

    Of the latter kind is what LBFGS assumes: on another it amplifies every rounding by its curvature estimates.
    """
    if quadratic:
        step = 1
    rng = np.random.default_rng(100 + step % 4)
    x = T.from_numpy(rng.normal(size=(6, 3)).astype(dtype))
    y = T.from_numpy(TARGET.astype(dtype))
    w, b, s = leaves
    out = x @ w + b
    error = ((out if quadratic else out.tanh()) - y) ** 2
    return error.mean() + (0.1 * (s - 1) ** 2 if step % 3 else 0.0)


def optimize(T: Any, name: str, options: str, dtype: str, grouped: bool, nudge: int = 0) -> Trace:
    """20 steps; parameters, gradients and losses at each; a state_dict round trip after ten."""
    leaves = parameters(T, dtype, nudge)
    given: Any = leaves
    if grouped:
        given = [{"params": leaves[:2]}, {"params": leaves[2:], "lr": 0.01}]

    def make() -> Any:
        return eval(f"T.optim.{name}(given, {options})", {"T": T, "given": given})

    optimizer = make()
    out: Trace = [("repr", 0, repr(optimizer))]
    for step in range(STEPS):
        if step == STEPS // 2:
            saved = optimizer.state_dict()
            out.append(("state_dict keys", step, repr(sorted(saved["state"].get(0, {})) if saved["state"] else [])))
            out.append(("param_groups", step, repr([dict(g) for g in saved["param_groups"]])))
            optimizer = make()
            optimizer.load_state_dict(saved)

        def closure() -> Any:
            optimizer.zero_grad()  # noqa: B023
            value = loss(T, leaves, step, dtype, name == "LBFGS")  # noqa: B023
            value.backward()
            return value

        value = optimizer.step(closure)
        out.append(("loss", step, to_numpy(value)))
        for i, leaf in enumerate(leaves):
            out.append((f"parameter {i}", step, to_numpy(leaf)))
            out.append((f"gradient {i}", step, None if leaf.grad is None else to_numpy(leaf.grad)))
    return out


def schedule(T: Any, text: str, metric: bool) -> Trace:
    """The learning rates of two groups over 20 steps, with a state_dict round trip after ten."""
    a, b = T.ones(2, requires_grad=True), T.ones(1, requires_grad=True)
    o = T.optim.SGD([{"params": [a]}, {"params": [b], "lr": 0.2}], lr=0.1)
    scheduler = eval(text, {"T": T, "o": o})
    out: Trace = [("initial rates", 0, [g["lr"] for g in o.param_groups])]
    metrics = np.random.default_rng(5).normal(size=STEPS) + np.linspace(2, 1, STEPS)
    for step in range(STEPS):
        (a.sum() + b.sum()).backward()
        o.step()
        if step == STEPS // 2 and "lambda" not in text and "Sequential" not in text and "Chained" not in text:
            scheduler.load_state_dict(scheduler.state_dict())
        scheduler.step(float(metrics[step])) if metric else scheduler.step()
        for i, g in enumerate(o.param_groups):
            out.append((f"rate of group {i}", step, float(g["lr"])))
        if not metric:
            out.append(("get_last_lr", step, repr([float(r) for r in scheduler.get_last_lr()])))
    return out


def run_optimizer(ours: Any, theirs: Any, case: OptimCase, options: Options) -> Result:
    """One row: each argument list in float64 and float32, and the first with two param groups."""
    from .ops import check_error, error_script

    outcome = Outcome()
    for number, text in enumerate(case.options):
        for dtype, grouped in (("float64", False), ("float32", False), ("float64", True)):
            if grouped and (number or case.name == "LBFGS"):
                continue
            if dtype == "float32" and options.quick and number > 1:
                continue
            runs = [partial(optimize, T, case.name, text, dtype, grouped) for T in (ours, theirs)]
            # A line search compares losses, and those sqrt(eps) around a minimum are one and the same number: it may
            # end anywhere there, and in float32 does within these steps.
            terms = EPS32**-0.5 if (case.name, dtype) == ("LBFGS", "float32") and "wolfe" in text else case.terms
            where = f"{case.name}({text}) {dtype}{', two param groups' if grouped else ''}"
            outcome.compare(*map(attempt, runs), where, script(case.name, text, dtype), terms, runs[1])
    for expression in case.errors:
        outcome.checks += 1
        message = check_error(ours, theirs, expression)
        if message:
            outcome.fail(expression, message, error_script(expression))
    return Result("optimizers", case.name, outcome.checks, outcome.worst, outcome.failures)


def run_scheduler(ours: Any, theirs: Any, case: SchedulerCase, options: Options) -> Result:
    """One row: the rates of every build, as Python floats, equal to the last digit."""
    from .ops import check_error, error_script

    outcome = Outcome()
    for text in case.builds:
        got, expected = (attempt(partial(schedule, T, text, case.metric)) for T in (ours, theirs))
        outcome.compare(got, expected, text, scheduler_script(text, case.metric), 0)
    for expression in case.errors:
        outcome.checks += 1
        message = check_error(ours, theirs, expression)
        if message:
            outcome.fail(expression, message, error_script(expression))
    return Result("schedulers", case.name, outcome.checks, outcome.worst, outcome.failures)


def script(name: str, options: str, dtype: str) -> str:
    """A program that takes 20 steps on both engines and prints the parameters after each."""
    return f"""import numpy as np
import torch
import minigrad

for T in (torch, minigrad):
    rng = np.random.default_rng(11)
    leaves = [T.from_numpy(np.asarray(rng.normal(size=s)).astype("{dtype}")).requires_grad_() for s in ((3, 2), (2,))]
    x = T.from_numpy(rng.normal(size=(6, 3)).astype("{dtype}"))
    y = T.from_numpy(rng.normal(size=(6, 2)).astype("{dtype}"))
    optimizer = T.optim.{name}(leaves, {options})

    def closure():
        optimizer.zero_grad()
        value = (((x @ leaves[0] + leaves[1]).tanh() - y) ** 2).mean()
        value.backward()
        return value

    for step in range({STEPS}):
        optimizer.step(closure)
        print(T.__name__, step, [leaf.tolist() for leaf in leaves])
"""


def scheduler_script(text: str, metric: bool) -> str:
    """A program that prints the learning rates of both engines."""
    step = "scheduler.step(1.0 / (step + 1))" if metric else "scheduler.step()"
    return f"""import torch
import minigrad

for T in (torch, minigrad):
    o = T.optim.SGD([{{"params": [T.ones(2, requires_grad=True)]}}, {{"params": [T.ones(1, requires_grad=True)],
                                                                      "lr": 0.2}}], lr=0.1)
    scheduler = {text}
    for step in range({STEPS}):
        o.step()
        {step}
        print(T.__name__, step, [g["lr"] for g in o.param_groups])
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """This group has no options of its own."""


def run(options: Options, progress: Progress) -> Iterable[Result]:
    """Every optimizer and scheduler that minigrad has."""
    from .parallel import spread

    T = engines.load("minigrad")
    names = [c.name for c in OPTIMIZERS if hasattr(T.optim, c.name)]
    names += [c.name for c in SCHEDULERS if hasattr(T.optim.lr_scheduler, c.name)]
    names = [n for n in names if options.selects(n)]
    progress.start("optim", len(names))
    for result in spread(_one, names, options):
        progress.step(result.name, failed=not result.passed)
        yield result
    progress.finish()


def _one(name: str, options: Options) -> Result:
    ours, theirs = engines.load("minigrad"), engines.load("torch")
    for case in OPTIMIZERS:
        if case.name == name:
            return run_optimizer(ours, theirs, case, options)
    return run_scheduler(ours, theirs, next(c for c in SCHEDULERS if c.name == name), options)
