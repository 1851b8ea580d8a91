"""NAdam: Adam with Nesterov momentum."""

from .kernels import add, addcdiv, decay_square, divide, gradient, lerp, scale, sqrt
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

__all__ = ["NAdam"]


class NAdam(ElementwiseOptimizer):
    """Adam's m and v, with mu_t = b1 (1 - 0.96^(t momentum_decay) / 2) and M_t = mu_1 ... mu_t:

    p -= lr ((1 - mu_t) / (1 - M_t) g + mu_(t+1) / (1 - M_(t+1)) m) / (sqrt(v / (1 - b2^t)) + eps).
    """

    _option_defaults = {
        "maximize": False,
        "foreach": None,
        "capturable": False,
        "differentiable": False,
        "decoupled_weight_decay": False,
    }
    _capturable_states = "params, mu_products and state_steps"

    def __init__(
        self,
        params,
        lr=2e-3,
        betas=(0.9, 0.999),
        eps=1e-8,
        weight_decay=0,
        momentum_decay=4e-3,
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
        check_at_least_zero("momentum_decay value", momentum_decay)
        super().__init__(
            params,
            {
                "lr": lr,
                "betas": betas,
                "eps": eps,
                "weight_decay": weight_decay,
                "momentum_decay": momentum_decay,
                "decoupled_weight_decay": decoupled_weight_decay,
                "maximize": maximize,
                "foreach": foreach,
                "capturable": capturable,
                "differentiable": differentiable,
            },
        )

    def _state_of(self, p):
        p_state = self.state[p]
        if not p_state:
            p_state["step"] = zero_dim(0.0)
            p_state["mu_product"] = zero_dim(1.0)
            p_state["exp_avg"] = zeros_like(p)
            p_state["exp_avg_sq"] = zeros_like(p)
        return p_state

    def _momenta(self, p_state, group):
        """Count the step; the step number and the weights of g and of m in the update, without lr."""
        step = count(p_state["step"])
        beta1, momentum_decay = group["betas"][0], group["momentum_decay"]
        mu = beta1 * (1.0 - 0.5 * 0.96 ** (step * momentum_decay))
        mu_next = beta1 * (1.0 - 0.5 * 0.96 ** ((step + 1) * momentum_decay))
        product = p_state["mu_product"]
        product._array[()] = product._array[()] * mu  # in the tensor's float32, as torch
        product._counter[0] += 1
        product = product._array.item()
        return step, (1.0 - mu), (1.0 - product), mu_next, (1.0 - product * mu_next)

    def _update(self, group):
        beta1, beta2 = group["betas"]
        lr, weight_decay = number(group["lr"]), group["weight_decay"]
        decoupled = group["decoupled_weight_decay"]
        for p in group["params"]:
            if p._grad is None:
                continue
            p_state = self._state_of(p)
            step, g_part, g_whole, m_part, m_whole = self._momenta(p_state, group)
            mean, square = p_state["exp_avg"], p_state["exp_avg_sq"]
            self._apply(
                _nadam,
                (p._array, p._grad._array, mean._array, square._array),
                -lr * g_part / g_whole,
                -lr * m_part / m_whole,
                1 - beta2**step,
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
            step, g_part, g_whole, m_part, m_whole = self._momenta(p_state, group)
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
            root = (square / (1 - beta2**step)).sqrt() + group["eps"]
            p.sub_(lr * (g_part / g_whole * grad + m_part / m_whole * mean) / root)


def _nadam(c, t, u, w, p, g, m, v, g_weight, m_weight, correction, beta1, beta2, eps, weight_decay, shrink, maximize):
    if shrink is not None:
        scale(p, shrink, c)
    g = gradient(p, g, weight_decay, maximize, c, t, u)
    lerp(m, g, 1 - beta1, c, t)
    decay_square(v, g, beta2, c, t)
    c[()] = correction
    root = sqrt(divide(v, c, w), w)
    c[()] = eps
    root = add(root, c, w)
    addcdiv(p, g, root, g_weight, c, t)
    addcdiv(p, m, root, m_weight, c, t)
