"""Adam, with its AMSGrad variant and decoupled weight decay."""

from ..tensor import Tensor
from .kernels import add, addcdiv, decay_square, divide, gradient, lerp, maximum, scale, sqrt
from .optimizer import (
    ElementwiseOptimizer,
    check_at_least_zero,
    check_betas,
    check_fused,
    check_lr,
    count,
    number,
    zero_dim,
    zeros_like,
)

__all__ = ["Adam"]


class Adam(ElementwiseOptimizer):
    """m = b1 m + (1 - b1) g;  v = b2 v + (1 - b2) g^2;  p -= lr m / (1 - b1^t) / (sqrt(v / (1 - b2^t)) + eps).

    `weight_decay` adds weight_decay * p to g or, with decoupled_weight_decay, scales p by 1 - lr * weight_decay first.
    `amsgrad` divides by the largest v so far.
    """

    _option_defaults = {
        "amsgrad": False,
        "maximize": False,
        "foreach": None,
        "capturable": False,
        "differentiable": False,
        "decoupled_weight_decay": False,
        "fused": None,
    }

    def __init__(
        self,
        params,
        lr=1e-3,
        betas=(0.9, 0.999),
        eps=1e-8,
        weight_decay=0,
        amsgrad=False,
        *,
        foreach=None,
        maximize=False,
        capturable=False,
        differentiable=False,
        fused=None,
        decoupled_weight_decay=False,
    ):
        if isinstance(lr, Tensor) and foreach and not capturable:
            raise ValueError("lr as a Tensor is not supported for capturable=False and foreach=True")
        check_lr(lr)
        check_at_least_zero("epsilon value", eps)
        check_betas(betas)
        check_at_least_zero("weight_decay value", weight_decay)
        if not (
            all(isinstance(beta, float) for beta in betas[:2]) or all(isinstance(beta, Tensor) for beta in betas[:2])
        ):
            raise ValueError("betas must be either both floats or both Tensors")
        for i, beta in enumerate(betas):
            if isinstance(beta, Tensor):
                if foreach and not capturable:
                    raise ValueError(f"betas[{i}] as a Tensor is not supported for capturable=False and foreach=True")
                if beta.numel() != 1:
                    raise ValueError(f"Tensor betas[{i}] must be 1-element")
        super().__init__(
            params,
            {
                "lr": lr,
                "betas": tuple(b.squeeze() if isinstance(b, Tensor) and b.dim() else b for b in betas),
                "eps": eps,
                "weight_decay": weight_decay,
                "amsgrad": amsgrad,
                "maximize": maximize,
                "foreach": foreach,
                "capturable": capturable,
                "differentiable": differentiable,
                "fused": fused,
                "decoupled_weight_decay": decoupled_weight_decay,
            },
        )
        check_fused(fused, foreach, differentiable)

    def _state_of(self, p, group):
        p_state = self.state[p]
        if not p_state:
            p_state["step"] = zero_dim(0.0, fused=group["fused"])
            p_state["exp_avg"] = zeros_like(p)
            p_state["exp_avg_sq"] = zeros_like(p)
            if group["amsgrad"]:
                p_state["max_exp_avg_sq"] = zeros_like(p)
        return p_state

    def _update(self, group):
        beta1, beta2 = group["betas"]
        beta1, beta2 = number(beta1), number(beta2)
        lr, eps, weight_decay = number(group["lr"]), group["eps"], group["weight_decay"]
        decoupled = group["decoupled_weight_decay"]
        for p in group["params"]:
            if p._grad is None:
                continue
            p_state = self._state_of(p, group)
            step = count(p_state["step"])
            buffers = [p_state["exp_avg"], p_state["exp_avg_sq"]]
            if group["amsgrad"]:
                buffers.append(p_state["max_exp_avg_sq"])
            self._apply(
                _amsgrad if group["amsgrad"] else _adam,
                (p._array, p._grad._array, *(buffer._array for buffer in buffers)),
                lr / (1 - beta1**step),
                (1 - beta2**step) ** 0.5,
                beta1,
                beta2,
                eps,
                0 if decoupled else weight_decay,
                1 - lr * weight_decay if decoupled and weight_decay else None,
                group["maximize"],
            )
            for buffer in buffers:
                buffer._counter[0] += 1
            p._counter[0] += 1

    def _update_recorded(self, group):
        beta1, beta2 = group["betas"]
        lr, weight_decay = group["lr"], group["weight_decay"]
        for p in group["params"]:
            grad = p.grad
            if grad is None:
                continue
            p_state = self._state_of(p, group)
            if p_state["step"].requires_grad:
                raise RuntimeError("`requires_grad` is not supported for `step` in differentiable mode")
            step = count(p_state["step"])
            if group["maximize"]:
                grad = -grad
            if weight_decay != 0:
                if group["decoupled_weight_decay"]:
                    p.mul_(1 - lr * weight_decay)
                else:
                    grad = grad + weight_decay * p.clone()
            mean, square = p_state["exp_avg"], p_state["exp_avg_sq"]
            p_state["exp_avg"] = mean = mean + (1 - beta1) * (grad - mean)
            p_state["exp_avg_sq"] = square = beta2 * square + (1 - beta2) * grad * grad
            if group["amsgrad"]:
                p_state["max_exp_avg_sq"] = square = p_state["max_exp_avg_sq"].maximum(square)
            p.sub_(lr / (1 - beta1**step) * mean / (square.sqrt() / (1 - beta2**step) ** 0.5 + group["eps"]))


def _averages(c, t, u, p, g, m, v, beta1, beta2, weight_decay, shrink, maximize):
    """The part before the step: weight decay and the two running averages."""
    if shrink is not None:
        scale(p, shrink, c)
    g = gradient(p, g, weight_decay, maximize, c, t, u)
    lerp(m, g, 1 - beta1, c, t)
    decay_square(v, g, beta2, c, t)


def _descend(c, t, u, p, m, v, step_size, correction, eps):
    c[()] = correction
    root = divide(sqrt(v, u), c, u)
    c[()] = eps
    addcdiv(p, m, add(root, c, u), -step_size, c, t)


def _adam(c, t, u, w, p, g, m, v, step_size, correction, beta1, beta2, eps, weight_decay, shrink, maximize):
    _averages(c, t, u, p, g, m, v, beta1, beta2, weight_decay, shrink, maximize)
    _descend(c, t, u, p, m, v, step_size, correction, eps)


def _amsgrad(c, t, u, w, p, g, m, v, v_max, step_size, correction, beta1, beta2, eps, weight_decay, shrink, maximize):
    _averages(c, t, u, p, g, m, v, beta1, beta2, weight_decay, shrink, maximize)
    maximum(v_max, v, out=v_max)
    _descend(c, t, u, p, m, v_max, step_size, correction, eps)
