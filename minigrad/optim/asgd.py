"""Averaged stochastic gradient descent."""

import numpy as np

from .kernels import add, add_scaled, gradient, multiply, scale, subtract
from .optimizer import (
    ElementwiseOptimizer,
    check_at_least_zero,
    check_lr,
    count,
    number,
    zero_dim,
    zeros_like,
)

__all__ = ["ASGD"]


class ASGD(ElementwiseOptimizer):
    """p = (1 - lambd eta) p - eta g, with eta = lr / (1 + lambd lr t)^alpha.

    The state's "ax" is the average of p, a running one from step t0 on: ax += (p - ax) / max(1, t - t0).
    """

    _option_defaults = {"foreach": None, "maximize": False, "differentiable": False, "capturable": False}
    _capturable_states = "params, mus, etas, and state_steps"

    def __init__(
        self,
        params,
        lr=1e-2,
        lambd=1e-4,
        alpha=0.75,
        t0=1e6,
        weight_decay=0,
        foreach=None,
        maximize=False,
        differentiable=False,
        capturable=False,
    ):
        check_lr(lr)
        check_at_least_zero("weight_decay value", weight_decay)
        super().__init__(
            params,
            {
                "lr": lr,
                "lambd": lambd,
                "alpha": alpha,
                "t0": t0,
                "weight_decay": weight_decay,
                "foreach": foreach,
                "maximize": maximize,
                "differentiable": differentiable,
                "capturable": capturable,
            },
        )

    def _state_of(self, p, group):
        p_state = self.state[p]
        if not p_state:
            p_state["step"] = zero_dim(0.0)
            p_state["eta"] = zero_dim(number(group["lr"]))
            p_state["mu"] = zero_dim(1.0)
            p_state["ax"] = zeros_like(p)
        return p_state

    def _schedule(self, p_state, group):
        """Count the step; eta and mu for this step, while the state moves on to those of the next."""
        step = count(p_state["step"])
        eta, mu = p_state["eta"], p_state["mu"]
        now = eta._array.item(), mu._array.item()
        lr = number(group["lr"])
        # Through a tensor of the default dtype, as torch's: a loaded state's eta may be float64, as its parameter.
        eta._array[()] = zero_dim(lr / (1 + group["lambd"] * lr * step) ** group["alpha"])._array
        mu._array[()] = zero_dim(1 / max(1, step - group["t0"]))._array
        eta._counter[0] += 1
        mu._counter[0] += 1
        return now

    def _update(self, group):
        for p in group["params"]:
            if p._grad is None:
                continue
            p_state = self._state_of(p, group)
            eta, mu = self._schedule(p_state, group)
            average = p_state["ax"]
            self._apply(
                _asgd,
                (p._array, p._grad._array, average._array),
                eta,
                mu,
                1 - group["lambd"] * eta,
                group["weight_decay"],
                group["maximize"],
            )
            average._counter[0] += 1
            p._counter[0] += 1

    def _update_recorded(self, group):
        for p in group["params"]:
            grad = p.grad
            if grad is None:
                continue
            p_state = self._state_of(p, group)
            eta, mu = self._schedule(p_state, group)
            if group["maximize"]:
                grad = -grad
            if group["weight_decay"] != 0:
                grad = grad + group["weight_decay"] * p.clone()
            p.mul_(1 - group["lambd"] * eta).sub_(eta * grad)
            average = p_state["ax"]
            p_state["ax"] = p.clone() if mu == 1 else average + mu * (p - average)


def _asgd(c, t, u, w, p, g, average, eta, mu, shrink, weight_decay, maximize):
    g = gradient(p, g, weight_decay, maximize, c, t, u)
    scale(p, shrink, c)
    add_scaled(p, g, -eta, c, t)
    if mu == 1:
        np.copyto(average, p)
    else:
        c[()] = mu
        add(average, multiply(subtract(p, average, t), c, t), average)
