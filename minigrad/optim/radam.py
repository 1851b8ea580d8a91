"""RAdam: Adam that trusts its adaptive step only once the variance estimate has enough steps behind it."""

from .kernels import (
    decay_square,
    divide,
    gradient,
    lerp,
    multiply,
    reciprocal,
    scale,
    sqrt_plus,
    subtract,
)
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

__all__ = ["RAdam"]


class RAdam(ElementwiseOptimizer):
    """Adam's m and v; p -= lr m / (1 - b1^t), times r_t sqrt(1 - b2^t) / (sqrt(v) + eps) once rho_t > 5."""

    _option_defaults = {
        "foreach": None,
        "maximize": False,
        "differentiable": False,
        "decoupled_weight_decay": False,
        "capturable": False,
    }

    def __init__(
        self,
        params,
        lr=1e-3,
        betas=(0.9, 0.999),
        eps=1e-8,
        weight_decay=0,
        decoupled_weight_decay=False,
        *,
        foreach=None,
        maximize=False,
        capturable=False,
        differentiable=False,
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
                "maximize": maximize,
                "foreach": foreach,
                "capturable": capturable,
                "decoupled_weight_decay": decoupled_weight_decay,
                "differentiable": differentiable,
            },
        )

    def _state_of(self, p):
        p_state = self.state[p]
        if not p_state:
            p_state["step"] = zero_dim(0.0)
            p_state["exp_avg"] = zeros_like(p)
            p_state["exp_avg_sq"] = zeros_like(p)
        return p_state

    def _update(self, group):
        beta1, beta2 = group["betas"]
        lr, weight_decay = number(group["lr"]), group["weight_decay"]
        decoupled = group["decoupled_weight_decay"]
        for p in group["params"]:
            if p._grad is None:
                continue
            p_state = self._state_of(p)
            step = count(p_state["step"])
            mean, square = p_state["exp_avg"], p_state["exp_avg_sq"]
            self._apply(
                _radam,
                (p._array, p._grad._array, mean._array, square._array),
                lr,
                1 - beta1**step,
                (1 - beta2**step) ** 0.5,
                _rectification(beta2, step),
                beta1,
                beta2,
                group["eps"],
                0 if decoupled else weight_decay,
                1 - lr * weight_decay if decoupled and weight_decay else None,
                group["maximize"],
            )
            mean._counter[0] += 1
            square._counter[0] += 1
            p._counter[0] += 1

    def _update_recorded(self, group):
        beta1, beta2 = group["betas"]
        lr, weight_decay = group["lr"], group["weight_decay"]
        for p in group["params"]:
            grad = p.grad
            if grad is None:
                continue
            p_state = self._state_of(p)
            step = count(p_state["step"])
            if group["maximize"]:
                grad = -grad
            if weight_decay != 0:
                if group["decoupled_weight_decay"]:
                    p.mul_(1 - lr * weight_decay)
                else:
                    grad = grad + weight_decay * p.clone()
            mean = p_state["exp_avg"]
            p_state["exp_avg"] = mean = mean + (1 - beta1) * (grad - mean)
            p_state["exp_avg_sq"] = square = beta2 * p_state["exp_avg_sq"] + (1 - beta2) * grad * grad
            update = lr * (mean / (1 - beta1**step))
            rectification = _rectification(beta2, step)
            if rectification is not None:
                update = update * ((1 - beta2**step) ** 0.5 * rectification) / (square.sqrt() + group["eps"])
            p.sub_(update)


def _rectification(beta2, step):
    """r_t, or None where rho_t, the length of the moving average, is 5 or less."""
    rho_inf = 2 / (1 - beta2) - 1
    rho = rho_inf - 2 * step * beta2**step / (1 - beta2**step)
    if rho <= 5.0:
        return None
    return ((rho - 4) * (rho - 2) * rho_inf / ((rho_inf - 4) * (rho_inf - 2) * rho)) ** 0.5


def _radam(c, t, u, w, p, g, m, v, lr, correction1, root_correction2, rectification, *options):
    beta1, beta2, eps, weight_decay, shrink, maximize = options
    if shrink is not None:
        scale(p, shrink, c)
    g = gradient(p, g, weight_decay, maximize, c, t, u)
    lerp(m, g, 1 - beta1, c, t)
    decay_square(v, g, beta2, c, t)
    c[()] = correction1
    update = divide(m, c, t)
    c[()] = lr
    update = multiply(update, c, t)
    if rectification is not None:
        inverse = reciprocal(sqrt_plus(v, eps, c, w), w)
        c[()] = root_correction2
        update = multiply(update, multiply(inverse, c, w), t)
        c[()] = rectification
        update = multiply(update, c, t)
    subtract(p, update, p)
