"""Adamax: Adam with the infinity norm in place of the root mean square."""

from .kernels import absolute, add, addcdiv, gradient, lerp, maximum, scale
from .optimizer import (
    ElementwiseOptimizer,
    check_at_least_zero,
    check_betas,
    check_lr,
    count,
    number,
    zero_dim,
    zeros_like,
)

__all__ = ["Adamax"]


class Adamax(ElementwiseOptimizer):
    """m = b1 m + (1 - b1) g;  n = max(b2 n, |g| + eps);  p -= lr / (1 - b1^t) m / n."""

    _option_defaults = {"foreach": None, "maximize": False, "differentiable": False, "capturable": False}

    def __init__(
        self,
        params,
        lr=2e-3,
        betas=(0.9, 0.999),
        eps=1e-8,
        weight_decay=0,
        foreach=None,
        *,
        maximize=False,
        differentiable=False,
        capturable=False,
    ):
        check_lr(lr)
        check_at_least_zero("epsilon value", eps)
        check_betas(betas)
        check_at_least_zero("weight_decay value", weight_decay)
        super().__init__(
            params,
            {
                "lr": lr,
                "betas": betas,
                "eps": eps,
                "weight_decay": weight_decay,
                "foreach": foreach,
                "maximize": maximize,
                "differentiable": differentiable,
                "capturable": capturable,
            },
        )

    def _state_of(self, p):
        p_state = self.state[p]
        if not p_state:
            p_state["step"] = zero_dim(0.0)
            p_state["exp_avg"] = zeros_like(p)
            p_state["exp_inf"] = zeros_like(p)
        return p_state

    def _update(self, group):
        beta1, beta2 = group["betas"]
        lr = number(group["lr"])
        for p in group["params"]:
            if p._grad is None:
                continue
            p_state = self._state_of(p)
            step = count(p_state["step"])
            mean, norm = p_state["exp_avg"], p_state["exp_inf"]
            self._apply(
                _adamax,
                (p._array, p._grad._array, mean._array, norm._array),
                lr / (1 - beta1**step),
                beta1,
                beta2,
                group["eps"],
                group["weight_decay"],
                group["maximize"],
            )
            mean._counter[0] += 1
            norm._counter[0] += 1
            p._counter[0] += 1

    def _update_recorded(self, group):
        beta1, beta2 = group["betas"]
        for p in group["params"]:
            grad = p.grad
            if grad is None:
                continue
            p_state = self._state_of(p)
            step = count(p_state["step"])
            if group["maximize"]:
                grad = -grad
            if group["weight_decay"] != 0:
                grad = grad + group["weight_decay"] * p.clone()
            mean = p_state["exp_avg"]
            p_state["exp_avg"] = mean = mean + (1 - beta1) * (grad - mean)
            p_state["exp_inf"] = norm = (beta2 * p_state["exp_inf"]).maximum(grad.abs() + group["eps"])
            p.sub_(group["lr"] / (1 - beta1**step) * mean / norm)


def _adamax(c, t, u, w, p, g, m, n, lr, beta1, beta2, eps, weight_decay, maximize):
    g = gradient(p, g, weight_decay, maximize, c, t, u)
    lerp(m, g, 1 - beta1, c, t)
    scale(n, beta2, c)
    c[()] = eps
    maximum(n, add(absolute(g, t), c, t), out=n)
    addcdiv(p, m, n, -lr, c, t)
