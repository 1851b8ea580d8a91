"""Adadelta: steps in the ratio of two running root mean squares, of past steps and of the gradient."""

from .kernels import add, add_scaled, decay_square, divide, gradient, multiply, sqrt
from .optimizer import (
    ElementwiseOptimizer,
    check_at_least_zero,
    check_lr,
    count,
    number,
    zero_dim,
    zeros_like,
)

__all__ = ["Adadelta"]


class Adadelta(ElementwiseOptimizer):
    """v = rho v + (1 - rho) g^2;  d = sqrt(a + eps) / sqrt(v + eps) g;  a = rho a + (1 - rho) d^2;  p -= lr d."""

    _option_defaults = {"foreach": None, "maximize": False, "differentiable": False, "capturable": False}

    def __init__(
        self,
        params,
        lr=1.0,
        rho=0.9,
        eps=1e-6,
        weight_decay=0,
        foreach=None,
        *,
        capturable=False,
        maximize=False,
        differentiable=False,
    ):
        check_lr(lr)
        if not 0.0 <= rho <= 1.0:
            raise ValueError(f"Invalid rho value: {rho} (expected 0 <= rho <= 1)")
        check_at_least_zero("epsilon value", eps)
        check_at_least_zero("weight_decay value", weight_decay)
        super().__init__(
            params,
            {
                "lr": lr,
                "rho": rho,
                "eps": eps,
                "weight_decay": weight_decay,
                "maximize": maximize,
                "capturable": capturable,
                "foreach": foreach,
                "differentiable": differentiable,
            },
        )

    def _state_of(self, p):
        p_state = self.state[p]
        if not p_state:
            p_state["step"] = zero_dim(0.0)
            p_state["square_avg"] = zeros_like(p)
            p_state["acc_delta"] = zeros_like(p)
        return p_state

    def _update(self, group):
        lr = number(group["lr"])
        for p in group["params"]:
            if p._grad is None:
                continue
            p_state = self._state_of(p)
            count(p_state["step"])
            square, delta = p_state["square_avg"], p_state["acc_delta"]
            self._apply(
                _adadelta,
                (p._array, p._grad._array, square._array, delta._array),
                lr,
                group["rho"],
                group["eps"],
                group["weight_decay"],
                group["maximize"],
            )
            square._counter[0] += 1
            delta._counter[0] += 1
            p._counter[0] += 1

    def _update_recorded(self, group):
        rho, eps = group["rho"], group["eps"]
        for p in group["params"]:
            grad = p.grad
            if grad is None:
                continue
            p_state = self._state_of(p)
            count(p_state["step"])
            if group["maximize"]:
                grad = -grad
            if group["weight_decay"] != 0:
                grad = grad + group["weight_decay"] * p.clone()
            p_state["square_avg"] = square = rho * p_state["square_avg"] + (1 - rho) * grad * grad
            step = (p_state["acc_delta"] + eps).sqrt() / (square + eps).sqrt() * grad
            p_state["acc_delta"] = rho * p_state["acc_delta"] + (1 - rho) * step * step
            p.sub_(group["lr"] * step)


def _adadelta(c, t, u, w, p, g, v, a, lr, rho, eps, weight_decay, maximize):
    g = gradient(p, g, weight_decay, maximize, c, t, u)
    decay_square(v, g, rho, c, t)
    c[()] = eps
    root = sqrt(add(v, c, t), t)
    step = sqrt(add(a, c, w), w)
    step = multiply(divide(step, root, w), g, w)
    decay_square(a, step, rho, c, t)
    add_scaled(p, step, -lr, c, t)
