"""Adagrad: steps divided by the root of the sum of all squared gradients so far."""

import numpy as np

from ..tensor import wrap
from .kernels import add, addcdiv, gradient, multiply, sqrt_plus
from .optimizer import (
    ElementwiseOptimizer,
    check_at_least_zero,
    check_fused,
    check_lr,
    count,
    number,
    zero_dim,
)

__all__ = ["Adagrad"]


class Adagrad(ElementwiseOptimizer):
    """s += g^2;  p -= lr / (1 + (t - 1) lr_decay) * g / (sqrt(s) + eps), with s at first initial_accumulator_value."""

    _option_defaults = {"foreach": None, "maximize": False, "differentiable": False, "fused": None}

    def __init__(
        self,
        params,
        lr=1e-2,
        lr_decay=0,
        weight_decay=0,
        initial_accumulator_value=0,
        eps=1e-10,
        foreach=None,
        *,
        maximize=False,
        differentiable=False,
        fused=None,
    ):
        check_lr(lr)
        check_at_least_zero("lr_decay value", lr_decay)
        check_at_least_zero("weight_decay value", weight_decay)
        check_at_least_zero("initial_accumulator_value value", initial_accumulator_value)
        check_at_least_zero("epsilon value", eps)
        super().__init__(
            params,
            {
                "lr": lr,
                "lr_decay": lr_decay,
                "eps": eps,
                "weight_decay": weight_decay,
                "initial_accumulator_value": initial_accumulator_value,
                "foreach": foreach,
                "maximize": maximize,
                "differentiable": differentiable,
                "fused": fused,
            },
        )
        check_fused(fused, foreach, differentiable)
        for group in self.param_groups:
            for p in group["params"]:
                self._state_of(p, group)

    def _state_of(self, p, group):
        p_state = self.state[p]
        if not p_state:
            p_state["step"] = zero_dim(0.0, fused=group["fused"])
            p_state["sum"] = wrap(np.full_like(p._array, self.defaults["initial_accumulator_value"]))
        return p_state

    def _update(self, group):
        lr, weight_decay = number(group["lr"]), group["weight_decay"]
        for p in group["params"]:
            if p._grad is None:
                continue
            p_state = self._state_of(p, group)
            step = count(p_state["step"])
            total = p_state["sum"]
            self._apply(
                _adagrad,
                (p._array, p._grad._array, total._array),
                lr / (1 + (step - 1) * group["lr_decay"]),
                group["eps"],
                weight_decay,
                group["maximize"],
            )
            total._counter[0] += 1
            p._counter[0] += 1

    def _update_recorded(self, group):
        for p in group["params"]:
            grad = p.grad
            if grad is None:
                continue
            p_state = self._state_of(p, group)
            step = count(p_state["step"])
            if group["maximize"]:
                grad = -grad
            if group["weight_decay"] != 0:
                grad = grad + group["weight_decay"] * p.clone()
            p_state["sum"] = total = p_state["sum"] + grad * grad
            p.sub_(group["lr"] / (1 + (step - 1) * group["lr_decay"]) * grad / (total.sqrt() + group["eps"]))


def _adagrad(c, t, u, w, p, g, total, lr, eps, weight_decay, maximize):
    g = gradient(p, g, weight_decay, maximize, c, t, u)
    add(total, multiply(g, g, t), total)
    addcdiv(p, g, sqrt_plus(total, eps, c, w), -lr, c, t)
