"""RMSprop: steps divided by a running root mean square of the gradient."""

from numpy import float32, float64

from .kernels import (
    add,
    add_scaled,
    addcdiv,
    decay_square,
    divide,
    gradient,
    lerp,
    multiply,
    scale,
    sqrt,
    sqrt_plus,
    subtract,
)
from .optimizer import (
    ElementwiseOptimizer,
    check_at_least_zero,
    check_lr,
    count,
    number,
    zero_dim,
    zeros_like,
)

__all__ = ["RMSprop"]


class RMSprop(ElementwiseOptimizer):
    """v = alpha v + (1 - alpha) g^2;  p -= lr g / (sqrt(v) + eps).

    `centered` subtracts the square of the running mean of g from v under the root; with `momentum`,
    b = momentum b + g / (sqrt(v) + eps) and p -= lr b.
    """

    _option_defaults = {
        "momentum": 0,
        "centered": False,
        "foreach": None,
        "maximize": False,
        "differentiable": False,
        "capturable": False,
    }

    def __init__(
        self,
        params,
        lr=1e-2,
        alpha=0.99,
        eps=1e-8,
        weight_decay=0,
        momentum=0,
        centered=False,
        capturable=False,
        foreach=None,
        maximize=False,
        differentiable=False,
    ):
        check_lr(lr)
        check_at_least_zero("epsilon value", eps)
        check_at_least_zero("momentum value", momentum)
        check_at_least_zero("weight_decay value", weight_decay)
        check_at_least_zero("alpha value", alpha)
        super().__init__(
            params,
            {
                "lr": lr,
                "momentum": momentum,
                "alpha": alpha,
                "eps": eps,
                "centered": centered,
                "weight_decay": weight_decay,
                "capturable": capturable,
                "foreach": foreach,
                "maximize": maximize,
                "differentiable": differentiable,
            },
        )

    def _state_of(self, p, group):
        p_state = self.state[p]
        if not p_state:
            p_state["step"] = zero_dim(0.0)
            p_state["square_avg"] = zeros_like(p)
            if group["momentum"] > 0:
                p_state["momentum_buffer"] = zeros_like(p)
            if group["centered"]:
                p_state["grad_avg"] = zeros_like(p)
        return p_state

    def _update(self, group):
        lr, alpha, momentum, centered = number(group["lr"]), group["alpha"], group["momentum"], group["centered"]
        for p in group["params"]:
            if p._grad is None:
                continue
            p_state = self._state_of(p, group)
            count(p_state["step"])
            buffers = [p_state["square_avg"]]
            if centered:
                buffers.append(p_state["grad_avg"])
            if momentum > 0:
                buffers.append(p_state["momentum_buffer"])
            self._apply(
                _rmsprop,
                (p._array, p._grad._array, *(buffer._array for buffer in buffers)),
                lr,
                alpha,
                group["eps"],
                momentum,
                centered,
                group["weight_decay"],
                group["maximize"],
            )
            for buffer in buffers:
                buffer._counter[0] += 1
            p._counter[0] += 1

    def _update_recorded(self, group):
        alpha = group["alpha"]
        for p in group["params"]:
            grad = p.grad
            if grad is None:
                continue
            p_state = self._state_of(p, group)
            count(p_state["step"])
            if group["maximize"]:
                grad = -grad
            if group["weight_decay"] != 0:
                grad = grad + group["weight_decay"] * p.clone()
            square = alpha * p_state["square_avg"] + (1 - alpha) * grad * grad
            p_state["square_avg"] = square
            if group["centered"]:
                mean = p_state["grad_avg"]
                p_state["grad_avg"] = mean = mean + (1 - alpha) * (grad - mean)
                square = square - mean * mean
            update = grad / (square.sqrt() + group["eps"])
            if group["momentum"] > 0:
                p_state["momentum_buffer"] = update = group["momentum"] * p_state["momentum_buffer"] + update
            p.sub_(group["lr"] * update)


def _rmsprop(c, t, u, w, p, g, v, *rest):
    *averages, lr, alpha, eps, momentum, centered, weight_decay, maximize = rest
    g = gradient(p, g, weight_decay, maximize, c, t, u)
    decay_square(v, g, alpha, c, t)
    if centered:
        mean = averages[0]
        lerp(mean, g, 1 - alpha, c, t)
        if v.dtype == float32:
            # v - mean^2 cancels when gradients hardly change. torch rounds once here (a fused multiply-add), and so
            # do float64 intermediates; rounding the square first would differ in all digits that are left.
            variance = subtract(v, multiply(mean, mean, dtype=float64), dtype=float64).astype(float32)
        else:
            variance = subtract(v, multiply(mean, mean, w), w)
        root = sqrt(variance, w)
        c[()] = eps
        root = add(root, c, w)
    else:
        root = sqrt_plus(v, eps, c, w)
    if momentum > 0:
        buffer = averages[-1]
        scale(buffer, momentum, c)
        add(buffer, divide(g, root, t), buffer)
        add_scaled(p, buffer, -lr, c, t)
    else:
        addcdiv(p, g, root, -lr, c, t)
