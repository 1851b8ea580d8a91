"""Stochastic gradient descent, with momentum."""

from ..tensor import Tensor
from .kernels import add, add_scaled, gradient, multiply, scale
from .optimizer import SMALL, ElementwiseOptimizer, check_fused, number, zeros_like

__all__ = ["SGD"]


class SGD(ElementwiseOptimizer):
    """p -= lr * g; with momentum, p -= lr * b where b = momentum * b + (1 - dampening) * g.

    `weight_decay` adds weight_decay * p to g. b starts as the first g (with `differentiable`, as in torch, as its value
    alone: derivatives do not flow through it). `nesterov` steps by g + momentum * b.
    """

    _option_defaults = {
        "nesterov": False,
        "maximize": False,
        "foreach": None,
        "differentiable": False,
        "fused": False,
    }

    def __init__(
        self,
        params,
        lr=1e-3,
        momentum=0,
        dampening=0,
        weight_decay=0,
        nesterov=False,
        *,
        maximize=False,
        foreach=None,
        differentiable=False,
        fused=None,
    ):
        if isinstance(lr, Tensor) and lr.numel() != 1:
            raise ValueError(f"Tensor lr must be 1-element (got {lr.numel()} elements)")
        for what, value in (("learning rate", lr), ("momentum value", momentum), ("weight_decay value", weight_decay)):
            if value < 0.0:
                raise ValueError(f"Invalid {what}: {value} (expected a number >= 0)")
        if nesterov and (momentum <= 0 or dampening != 0):
            raise ValueError("Nesterov momentum requires a momentum and zero dampening")
        super().__init__(
            params,
            {
                "lr": lr,
                "momentum": momentum,
                "dampening": dampening,
                "weight_decay": weight_decay,
                "nesterov": nesterov,
                "maximize": maximize,
                "foreach": foreach,
                "differentiable": differentiable,
                "fused": fused,
            },
        )
        check_fused(fused, foreach, differentiable)

    def _update(self, group):
        lr, maximize = number(group["lr"]), group["maximize"]
        momentum, weight_decay = group["momentum"], group["weight_decay"]
        if momentum == 0 and weight_decay == 0:
            self._descend(group["params"], lr if maximize else -lr)
            return
        weight_decay = number(weight_decay)
        for p in group["params"]:
            if p._grad is None:
                continue
            array, grad = p._array, p._grad._array
            if momentum == 0:
                self._apply(_decayed, (array, grad), lr, weight_decay, maximize)
            else:
                p_state = self.state[p]
                buffer = p_state.get("momentum_buffer")
                fresh = buffer is None
                if fresh:
                    buffer = p_state["momentum_buffer"] = zeros_like(p)
                self._apply(
                    _with_momentum,
                    (array, grad, buffer._array),
                    fresh,
                    lr,
                    momentum,
                    1 - group["dampening"],
                    weight_decay,
                    group["nesterov"],
                    maximize,
                )
                buffer._counter[0] += 1
            p._counter[0] += 1

    def _descend(self, params, step):
        """p += step * g, which is all of plain SGD, and so the shortest path."""
        dtype = None
        for p in params:
            grad = p._grad
            if grad is None:
                continue
            array = p._array
            if array.dtype is not dtype:
                dtype = array.dtype
                c = self._workspace(dtype).scalar
                c[()] = step
                rounded_step = c.item()
            if array.size == 1:
                # In Python's doubles, which keep the product exact: float32 is then rounded once, as torch's fused
                # multiply-add is. It takes 0.2 us; NumPy, which has no fast path for one element in place, 0.8.
                array.fill(array.item() + rounded_step * grad._array.item())
            elif array.size < SMALL:
                add(array, grad._array * c, array)
            else:
                self._apply(_plain, (array, grad._array), step)
            p._counter[0] += 1

    def _update_recorded(self, group):
        lr, momentum, weight_decay = group["lr"], group["momentum"], group["weight_decay"]
        for p in group["params"]:
            grad = p.grad
            if grad is None:
                continue
            if group["maximize"]:
                grad = -grad
            if weight_decay != 0:
                grad = grad + weight_decay * p.clone()
            if momentum != 0:
                buffer = self.state[p].get("momentum_buffer")
                if buffer is None:
                    buffer = grad.detach().clone()
                else:
                    buffer = momentum * buffer + (1 - group["dampening"]) * grad
                self.state[p]["momentum_buffer"] = buffer
                grad = grad + momentum * buffer if group["nesterov"] else buffer
            p.sub_(lr * grad)


def _plain(c, t, u, w, p, g, step):
    # BLAS's threads have just read p, and a copy takes it back from their caches at twice the speed of an addition in
    # place: on two threads a whole step of the MLP benchmark takes 7 % less time. (On one 2 % more.)
    c[()] = step
    p[...] = add(p, multiply(g, c, t), t)


def _decayed(c, t, u, w, p, g, lr, weight_decay, maximize):
    add_scaled(p, gradient(p, g, weight_decay, maximize, c, t, u), -lr, c, t)


def _with_momentum(c, t, u, w, p, g, buffer, fresh, lr, momentum, undamped, weight_decay, nesterov, maximize):
    g = gradient(p, g, weight_decay, maximize, c, t, u)
    if fresh:
        buffer[...] = g
    else:
        scale(buffer, momentum, c)
        add_scaled(buffer, g, undamped, c, t)
    if nesterov:
        c[()] = momentum
        add_scaled(p, add(g, multiply(buffer, c, t), u), -lr, c, t)
    else:
        add_scaled(p, buffer, -lr, c, t)
