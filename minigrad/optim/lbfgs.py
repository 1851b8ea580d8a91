"""L-BFGS: quasi-Newton steps from a short history of gradients, with an optional strong Wolfe line search.

The method works on all parameters as one flat array. It is written as a generator that yields wherever it needs the
loss at the present parameters, so that the user's closure runs outside the arithmetic, with NumPy's warnings on.
"""

import numpy as np

from ..grad_mode import enable_grad
from ..tensor import Tensor, wrap
from .optimizer import Optimizer, check_lr, misfit, number, quietly

__all__ = ["LBFGS"]


class LBFGS(Optimizer):
    """p += t d with d = -H g, where H approximates the inverse Hessian from the last `history_size` steps.

    Each `step(closure)` makes up to `max_iter` iterations and `max_eval` evaluations of the closure, which clears the
    gradients, computes the loss, calls backward() and returns the loss. t is lr (less at first) or, with
    line_search_fn="strong_wolfe", found by a line search that starts there. It stops when the largest gradient is at
    most `tolerance_grad`, or when step or loss change by less than `tolerance_change`. One parameter group only.
    """

    def __init__(
        self,
        params,
        lr=1,
        max_iter=20,
        max_eval=None,
        tolerance_grad=1e-7,
        tolerance_change=1e-9,
        history_size=100,
        line_search_fn=None,
    ):
        check_lr(lr)
        super().__init__(
            params,
            {
                "lr": lr,
                "max_iter": max_iter,
                "max_eval": max_iter * 5 // 4 if max_eval is None else max_eval,
                "tolerance_grad": tolerance_grad,
                "tolerance_change": tolerance_change,
                "history_size": history_size,
                "line_search_fn": line_search_fn,
            },
        )
        if len(self.param_groups) != 1:
            raise ValueError(
                "LBFGS doesn't support per-parameter options (parameter groups): "
                f"got {len(self.param_groups)} groups, expected 1"
            )

    def step(self, closure):
        """Minimise for up to `max_iter` iterations; return the loss, as the closure gave it, before the first."""
        if len(self.param_groups) != 1:
            raise AssertionError(f"Expected exactly one param_group, but got {len(self.param_groups)}")
        line_search = self.param_groups[0]["line_search_fn"]
        if line_search not in (None, "strong_wolfe"):
            raise RuntimeError(f"only 'strong_wolfe' is supported (as line_search_fn, or None; got {line_search!r})")
        with enable_grad():
            first_loss = closure()
        self._refuse_expanded()
        loss = float(first_loss)
        minimise = self._minimise(self.param_groups[0], loss)
        try:
            quietly(next, minimise)
            while True:
                with enable_grad():
                    loss = float(closure())
                quietly(minimise.send, loss)
        except StopIteration:
            return first_loss

    def _flat_grad(self):
        return np.concatenate(
            [
                np.zeros(p._array.size, p._array.dtype) if p._grad is None else p._grad._array.reshape(-1)
                for p in self.param_groups[0]["params"]
            ]
        )

    def _move(self, step_size, direction):
        """p += step_size * direction."""
        offset = 0
        for p in self.param_groups[0]["params"]:
            array = p._array
            part = direction[offset : offset + array.size].reshape(array.shape)
            array += part * array.dtype.type(step_size)
            p._counter[0] += 1
            offset += array.size

    def _evaluate_at(self, start, t, d):
        """Loss and gradient at start + t d; the parameters are put back."""
        self._move(t, d)
        loss = yield
        grad = self._flat_grad()
        for p, array in zip(self.param_groups[0]["params"], start, strict=True):
            p._array[...] = array
            p._counter[0] += 1
        return loss, grad

    def _minimise(self, group, loss):
        """The iterations of one step; yields for each evaluation and is sent the loss."""
        lr = number(group["lr"])
        max_iter, max_eval, history_size = group["max_iter"], group["max_eval"], group["history_size"]
        tolerance_grad, tolerance_change = group["tolerance_grad"], group["tolerance_change"]

        saved = self.state[group["params"][0]]
        saved.setdefault("func_evals", 0)
        saved.setdefault("n_iter", 0)
        evaluations = 1
        saved["func_evals"] += 1
        grad = self._flat_grad()
        if np.abs(grad).max() <= tolerance_grad:
            return

        d, t = _array(saved.get("d")), _array(saved.get("t"))
        ys, ss = _arrays(saved.get("old_dirs")), _arrays(saved.get("old_stps"))  # changes of gradient, and of p
        rhos, scale = _arrays(saved.get("ro")), _array(saved.get("H_diag"))  # 1 / (y . s); H's initial diagonal
        if d is not None and d.shape != grad.shape:
            raise misfit(grad, d)
        alphas = _arrays(saved["al"]) if "al" in saved else None
        previous_grad, previous_loss = _array(saved.get("prev_flat_grad")), saved.get("prev_loss")

        iteration = 0
        while iteration < max_iter:
            iteration += 1
            saved["n_iter"] += 1
            if saved["n_iter"] == 1:
                d, ys, ss, rhos, scale = -grad, [], [], [], 1
            else:
                y, s = grad - previous_grad, d * t
                curvature = y.dot(s)
                if curvature > 1e-10:
                    if len(ys) == history_size:
                        for history in (ys, ss, rhos):
                            history.pop(0)
                    ys.append(y)
                    ss.append(s)
                    rhos.append(1.0 / curvature)
                    scale = curvature / y.dot(y)
                if alphas is None:
                    alphas = [None] * history_size
                d = _direction(grad, ys, ss, rhos, scale, alphas)
            previous_grad, previous_loss = grad, loss

            t = min(1.0, 1.0 / np.abs(grad).sum()) * lr if saved["n_iter"] == 1 else lr
            slope = grad.dot(d)
            if slope > -tolerance_change:
                break
            calls, converged = 0, False
            if group["line_search_fn"] is not None:
                start = [p._array.copy() for p in group["params"]]
                loss, grad, t, calls = yield from _strong_wolfe(
                    lambda t, start=start, d=d: self._evaluate_at(start, t, d),
                    t,
                    d,
                    loss,
                    grad,
                    slope,
                    max_evaluations=max_eval - evaluations,
                )
                self._move(t, d)
                converged = np.abs(grad).max() <= tolerance_grad
            else:
                self._move(t, d)
                if iteration != max_iter:
                    loss = yield
                    grad = self._flat_grad()
                    converged = np.abs(grad).max() <= tolerance_grad
                    calls = 1
            evaluations += calls
            saved["func_evals"] += calls
            if (
                iteration == max_iter
                or evaluations >= max_eval
                or converged
                or np.abs(d * t).max() <= tolerance_change
                or abs(loss - previous_loss) < tolerance_change
            ):
                break

        saved["d"], saved["t"] = _tensor(d), _tensor(t)
        saved["old_dirs"], saved["old_stps"] = _tensors(ys), _tensors(ss)
        saved["ro"], saved["H_diag"] = _tensors(rhos), _tensor(scale)
        if alphas is not None:
            saved["al"] = _tensors(alphas)
        saved["prev_flat_grad"], saved["prev_loss"] = _tensor(previous_grad), previous_loss


def _direction(grad, ys, ss, rhos, scale, alphas):
    """-H g by the two-loop recursion."""
    r = -grad
    for i in range(len(ys) - 1, -1, -1):
        alphas[i] = ss[i].dot(r) * rhos[i]
        r += ys[i] * -alphas[i]
    r *= scale
    for i in range(len(ys)):
        beta = ys[i].dot(r) * rhos[i]
        r += ss[i] * (alphas[i] - beta)
    return r


def _array(value):
    """What a state entry holds: an array, a NumPy scalar for a 0-d tensor (it rounds as one), or a plain value."""
    return value._array[()] if isinstance(value, Tensor) else value


def _arrays(values):
    return None if values is None else [_array(value) for value in values]


def _tensor(value):
    return wrap(np.asarray(value)) if isinstance(value, np.generic | np.ndarray) else value


def _tensors(values):
    return None if values is None else [_tensor(value) for value in values]


def _cubic_minimum(x1, f1, g1, x2, f2, g2, bounds=None):
    """The minimum, within bounds, of the cubic with values f and slopes g at x1 and x2; if it has none, the middle."""
    low, high = bounds if bounds is not None else (min(x1, x2), max(x1, x2))
    d1 = g1 + g2 - 3 * (f1 - f2) / (x1 - x2)
    square = d1**2 - g1 * g2
    if not square >= 0:
        return (low + high) / 2.0
    d2 = np.sqrt(square)
    if x1 <= x2:
        position = x2 - (x2 - x1) * ((g2 + d2 - d1) / (g2 - g1 + 2 * d2))
    else:
        position = x1 - (x1 - x2) * ((g1 + d2 - d1) / (g1 - g2 + 2 * d2))
    return min(max(position, low), high)


class _Point:
    """A step size with the loss, gradient and slope found there."""

    __slots__ = ("t", "loss", "grad", "slope")

    def __init__(self, t, loss, grad, slope):
        self.t, self.loss, self.grad, self.slope = t, loss, grad, slope


def _strong_wolfe(evaluate, t, d, loss, grad, slope, max_evaluations, c1=1e-4, c2=0.9, tolerance=1e-9):
    """A step size with sufficient decrease (c1) and a slope flattened to c2: (loss, grad, t, evaluations)."""
    d_norm = np.abs(d).max()
    start = _Point(0, loss, grad, slope)

    def at(t):
        new_loss, new_grad = yield from evaluate(t)
        return _Point(t, new_loss, new_grad, new_grad.dot(d))

    def too_high(point):
        return point.loss > loss + c1 * point.t * slope

    # First go out until a bracket is found: two points between which a good step must lie.
    previous, new = start, (yield from at(t))
    evaluations, iteration, done = 1, 0, False
    bracket = None
    while iteration < max_evaluations:
        if too_high(new) or (iteration > 1 and new.loss >= previous.loss):
            bracket = [previous, new]
            break
        if abs(new.slope) <= -c2 * slope:
            bracket, done = [new], True
            break
        if new.slope >= 0:
            bracket = [previous, new]
            break
        bounds = new.t + 0.01 * (new.t - previous.t), new.t * 10
        t = _cubic_minimum(previous.t, previous.loss, previous.slope, new.t, new.loss, new.slope, bounds)
        previous, new = new, (yield from at(t))
        evaluations += 1
        iteration += 1
    if bracket is None:
        bracket = [start, new]

    # Then close in. `low` is the index of the end with the lower loss.
    low, high = (0, 1) if bracket[0].loss <= bracket[-1].loss else (1, 0)
    stalled = False
    while not done and iteration < max_evaluations:
        a, b = bracket
        if abs(b.t - a.t) * d_norm < tolerance:
            break
        t = _cubic_minimum(a.t, a.loss, a.slope, b.t, b.loss, b.slope)
        left, right = min(a.t, b.t), max(a.t, b.t)
        # A minimum close to an end, for the second time or beyond it, is moved a tenth of the bracket inwards.
        margin = 0.1 * (right - left)
        if min(right - t, t - left) < margin:
            if stalled or t >= right or t <= left:
                t = right - margin if abs(t - right) < abs(t - left) else left + margin
                stalled = False
            else:
                stalled = True
        else:
            stalled = False
        new = yield from at(t)
        evaluations += 1
        iteration += 1
        if too_high(new) or new.loss >= bracket[low].loss:
            bracket[high] = new
            low, high = (0, 1) if bracket[0].loss <= bracket[1].loss else (1, 0)
        else:
            if abs(new.slope) <= -c2 * slope:
                done = True
            elif new.slope * (bracket[high].t - bracket[low].t) >= 0:
                bracket[high] = bracket[low]
            bracket[low] = new
    best = bracket[low]
    return best.loss, best.grad, best.t, evaluations
