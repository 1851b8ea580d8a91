"""Resilient backpropagation: steps whose sizes depend on the gradient's signs alone."""

import numpy as np

from ..tensor import wrap
from .kernels import gradient, maximum, minimum, multiply, subtract
from .optimizer import ElementwiseOptimizer, check_lr, count, number, zero_dim, zeros_like

__all__ = ["Rprop"]


class Rprop(ElementwiseOptimizer):
    """p -= sign(g) * step_size; a step size grows by etas[1] while the sign of g lasts, else shrinks by etas[0].

    Where the sign has just changed, the step is left out and the next one is taken without comparing signs.
    """

    _option_defaults = {"foreach": None, "maximize": False, "differentiable": False, "capturable": False}

    def __init__(
        self,
        params,
        lr=1e-2,
        etas=(0.5, 1.2),
        step_sizes=(1e-6, 50),
        *,
        capturable=False,
        foreach=None,
        maximize=False,
        differentiable=False,
    ):
        check_lr(lr)
        if not 0.0 < etas[0] < 1.0 < etas[1]:
            raise ValueError(f"Invalid eta values: {etas[0]}, {etas[1]} (expected 0 < etas[0] < 1 < etas[1])")
        super().__init__(
            params,
            {
                "lr": lr,
                "etas": etas,
                "step_sizes": step_sizes,
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
            p_state["prev"] = zeros_like(p)
            p_state["step_size"] = wrap(np.full_like(p._array, number(group["lr"])))
        return p_state

    def _update(self, group):
        for p in group["params"]:
            if p._grad is None:
                continue
            p_state = self._state_of(p, group)
            count(p_state["step"])
            previous, sizes = p_state["prev"], p_state["step_size"]
            self._apply(
                _rprop,
                (p._array, p._grad._array, previous._array, sizes._array),
                *group["etas"],
                *group["step_sizes"],
                group["maximize"],
            )
            previous._counter[0] += 1
            sizes._counter[0] += 1
            p._counter[0] += 1

    def _update_recorded(self, group):
        (shrink, grow), (smallest, largest) = group["etas"], group["step_sizes"]
        for p in group["params"]:
            grad = p.grad
            if grad is None:
                continue
            p_state = self._state_of(p, group)
            count(p_state["step"])
            if group["maximize"]:
                grad = -grad
            product = (grad * p_state["prev"])._array
            factor = wrap(_factors(product, product < 0, shrink, grow))
            p_state["step_size"] = sizes = (p_state["step_size"] * factor).clamp(smallest, largest)
            p_state["prev"] = grad = grad * wrap((~(product < 0)).astype(product.dtype))
            p.sub_(grad.sign() * sizes)


def _factors(product, turned, shrink, grow):
    """By what to scale each step size: `grow` where g kept its sign, `shrink` where it turned, 1 where either is 0."""
    return np.where(product > 0, grow, np.where(turned, shrink, 1)).astype(product.dtype)


def _rprop(c, t, u, w, p, g, previous, sizes, shrink, grow, smallest, largest, maximize):
    g = gradient(p, g, 0, maximize, c, t, u)
    product = multiply(g, previous, t)
    turned = product < 0
    multiply(sizes, _factors(product, turned, shrink, grow), sizes)
    c[()] = smallest
    maximum(sizes, c, out=sizes)
    c[()] = largest
    minimum(sizes, c, out=sizes)
    np.copyto(previous, g)
    np.copyto(previous, 0, where=turned)
    # The sign of NaN is 0, as in torch; np.sign's is NaN.
    sign = subtract(previous > 0, previous < 0, t, dtype=p.dtype)
    subtract(p, multiply(sign, sizes, t), p)
