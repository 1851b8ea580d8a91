"""The loss functions of nn.functional: how inputs are checked, broadcast, weighted and reduced.

Knows no module. Raises in torch's words; "mean", "sum" and "none" are the reductions, and the old arguments
size_average and reduce still choose among them, with torch's warning.
"""

from __future__ import annotations

import math
import sys
import warnings
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .. import functions
from ..dtypes import promote_types
from ..functions.arguments import broadcast_shapes
from ..functions.reduction import norm_of_pairs
from ..grad_mode import no_grad, state
from ..ops.elementwise import div_by_number
from ..tensor import Tensor, wrap
from . import formulas

__all__ = [
    "binary_cross_entropy",
    "binary_cross_entropy_with_logits",
    "cosine_embedding_loss",
    "cosine_similarity",
    "cross_entropy",
    "gaussian_nll_loss",
    "hinge_embedding_loss",
    "huber_loss",
    "kl_div",
    "l1_loss",
    "margin_ranking_loss",
    "mse_loss",
    "multi_margin_loss",
    "multilabel_margin_loss",
    "multilabel_soft_margin_loss",
    "nll_loss",
    "pairwise_distance",
    "poisson_nll_loss",
    "smooth_l1_loss",
    "soft_margin_loss",
    "triplet_margin_loss",
    "triplet_margin_with_distance_loss",
]


def kind_of(tensor: Tensor) -> str:
    """The name of a tensor's dtype in torch's messages: Float, Long, ..."""
    return tensor.dtype.type_name


def sizes_of(tensor: Tensor) -> str:
    """The shape of a tensor as torch's kernels print it."""
    return str(list(tensor._array.shape))


def warn(message: str) -> None:
    """A UserWarning at the first line outside minigrad: a loss may be reached through a module or directly."""
    frame, level = sys._getframe(1), 2
    while frame.f_back is not None and frame.f_globals.get("__name__", "").startswith("minigrad."):
        frame, level = frame.f_back, level + 1
    warnings.warn(message, stacklevel=level)


def check_floating(name: str, input: Tensor) -> None:
    """torch's refusal of a kernel that exists for floating point dtypes alone."""
    if input._array.dtype.kind != "f":
        raise NotImplementedError(
            f"\"{name}\" not implemented for '{kind_of(input)}': "
            "it takes a floating point tensor; convert it with .float()"
        )


def _check_reduction(reduction: str) -> str:
    if reduction == "elementwise_mean":
        warn("reduction='elementwise_mean' is deprecated. Please use reduction='mean' instead.")
        return "mean"
    if reduction not in ("none", "mean", "sum"):
        raise ValueError(f"{reduction} is not a valid value for reduction; it must be 'none', 'mean' or 'sum'")
    return reduction


def legacy_reduction(size_average: bool | None, reduce: bool | None) -> str:
    """The reduction that the old arguments size_average and reduce mean, each True by default; warns."""
    if reduce is None or reduce:
        reduction = "mean" if size_average is None or size_average else "sum"
    else:
        reduction = "none"
    warn(f"size_average and reduce args will be deprecated, please use reduction='{reduction}' instead.")
    return reduction


def _choose_reduction(size_average: bool | None, reduce: bool | None, reduction: str) -> str:
    if size_average is not None or reduce is not None:
        return legacy_reduction(size_average, reduce)
    return _check_reduction(reduction)


def _reduce(loss: Tensor, reduction: str) -> Tensor:
    if reduction == "mean":
        return loss.mean()
    return loss.sum() if reduction == "sum" else loss


def _count(loss_shape: Sequence[int], reduction: str) -> float | None:
    """What the sum of losses is divided by; None where they are not summed."""
    if reduction == "mean":
        return math.prod(loss_shape) or math.nan
    return 1 if reduction == "sum" else None


def _plain_mse_loss(input: Tensor, target: Tensor, reduction: str) -> Tensor:
    """What `mse_loss` is, in ops: the specification of the fused form."""
    difference = input - target
    return _reduce(difference * difference, reduction)


def _warn_if_sizes_differ(input: Tensor, target: Tensor) -> None:
    """torch's warning before a loss broadcasts its two tensors."""
    if target.size() != input.size():
        warn(
            f"Using a target size ({target.size()}) that is different to the input size ({input.size()}). "
            "This will likely lead to incorrect results due to broadcasting. "
            "Please ensure they have the same size."
        )


def _difference(kernel: str, input: Tensor, target: Tensor) -> Tensor:
    """input - target, floating point. A boolean is taken beside another dtype, where minus itself would refuse it."""
    if input._array.dtype.kind != "f" and target._array.dtype.kind != "f":
        check_floating(kernel, input)
    if target._array.dtype.kind == "b":
        target = target.to(input.dtype)
    elif input._array.dtype.kind == "b":
        input = input.to(target.dtype)
    return input - target


def _times(loss: Tensor, weight: Tensor) -> Tensor:
    """Losses times their weights in the losses' dtype, whatever that of the weights."""
    return (loss * weight).to(loss.dtype)


def _weighted(loss: Tensor, weight: Tensor, input: Tensor, reduction: str, mean_by_weight: bool) -> Tensor:
    """The reduction of elementwise losses times weights."""
    if weight.size() != input.size():
        raise ValueError("Weights and input must have the same size.")
    loss = loss * weight
    if reduction == "mean" and mean_by_weight:
        return loss.sum() / weight.sum()
    return _reduce(loss, reduction)


def mse_loss(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    weight: Tensor | None = None,
) -> Tensor:
    """(input - target)^2, reduced. Differing shapes are broadcast, with a warning."""
    if size_average is None and reduce is None and weight is None:
        try:
            x, y = input._array, target._array
            if x.shape == y.shape and x.dtype.kind == "f" and reduction in ("mean", "sum"):
                return formulas.mse_loss(input, target, count=1 if reduction == "sum" else x.size or math.nan)
        except AttributeError:
            pass  # Not two tensors: input.size() below says so in torch's words.
    _warn_if_sizes_differ(input, target)
    reduction = _choose_reduction(size_average, reduce, reduction)
    if input._array.dtype.kind != "f" and target._array.dtype.kind != "f":
        check_floating("mse_cpu", input)
    if weight is not None:
        difference = input - target
        return _weighted(difference * difference, weight, input, reduction, mean_by_weight=True)
    try:
        shape = np.broadcast_shapes(input._array.shape, target._array.shape)
    except ValueError:
        shape = ()  # The op itself complains of them, in torch's words.
    return formulas.mse_loss(input, target, count=_count(shape, reduction))


def l1_loss(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    weight: Tensor | None = None,
) -> Tensor:
    """|input - target|, reduced; the derivative at 0 is 0."""
    _warn_if_sizes_differ(input, target)
    reduction = _choose_reduction(size_average, reduce, reduction)
    loss = (input - target).abs()
    if weight is not None:
        return _weighted(loss, weight, input, reduction, mean_by_weight=True)
    return _reduce(loss, reduction)


def smooth_l1_loss(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    beta: float = 1.0,
) -> Tensor:
    """d^2 / (2 beta) where d = |input - target| < beta, else d - beta / 2; l1_loss where beta is 0."""
    _warn_if_sizes_differ(input, target)
    reduction = _choose_reduction(size_average, reduce, reduction)
    if beta < 0:
        raise RuntimeError("smooth_l1_loss does not support negative values for beta.")
    if beta == 0:
        check_floating("smooth_l1_cpu", input - target)
        return _reduce((input - target).abs(), reduction)
    difference = _difference("smooth_l1_cpu", input, target)
    return formulas.smooth_l1(difference, beta=beta, count=_count(difference.shape, reduction))


def huber_loss(
    input: Tensor, target: Tensor, reduction: str = "mean", delta: float = 1.0, weight: Tensor | None = None
) -> Tensor:
    """d^2 / 2 where d = |input - target| <= delta, else delta * (d - delta / 2)."""
    _warn_if_sizes_differ(input, target)
    reduction = _check_reduction(reduction)
    if delta <= 0:
        raise RuntimeError("huber_loss does not support non-positive values for delta.")
    difference = _difference("huber_cpu", input, target)
    mixed = input._array.dtype != target._array.dtype
    if weight is None and not mixed:
        return formulas.huber(difference, delta=delta, count=_count(difference.shape, reduction))
    if mixed:
        _refuse_backward_of_mixed(difference, input, target)
    loss = formulas.huber(difference, delta=delta, count=None).to(input.dtype)
    if weight is None:
        return _reduce(loss, reduction)
    return _weighted(loss, weight, input, reduction, mean_by_weight=False)


def _refuse_backward_of_mixed(difference: Tensor, input: Tensor, target: Tensor) -> None:
    """torch's huber_loss takes a target of another dtype, and gives a loss of the input's; its backward does not."""
    kinds = kind_of(input), kind_of(target)
    if input._array.dtype.kind != "f":
        raise RuntimeError(
            f"result type {kinds[1]} can't be cast to the desired output type {kinds[0]}: convert the input with "
            "input.type_as(target)"
        )

    def refuse(grad: Tensor) -> None:
        expected, found = kinds if input.requires_grad else kinds[::-1]
        raise RuntimeError(f"Found dtype {found} but expected {expected}: give a target.type_as(input)")

    if difference.requires_grad:
        difference.register_hook(refuse)


def binary_cross_entropy(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """-weight * (t log p + (1 - t) log(1 - p)) of probabilities p (input) and targets t, both in [0, 1]."""
    reduction = _choose_reduction(size_average, reduce, reduction)
    if target.size() != input.size():
        raise ValueError(
            f"Using a target size ({target.size()}) that is different to the input size ({input.size()}) is "
            "deprecated. Please ensure they have the same size."
        )
    if target._array.dtype != input._array.dtype:
        kinds = [kind_of(t) for t in (target, input)]
        raise RuntimeError(
            f"Found dtype {kinds[0]} but expected {kinds[1]}: the target must have the input's dtype; "
            "convert it with target.type_as(input)"
        )
    check_floating("binary_cross_entropy", input)
    for name, tensor in (("input", input), ("target", target)):
        with np.errstate(invalid="ignore"):
            inside = (tensor._array >= 0) & (tensor._array <= 1)
        if not inside.all():
            remedy = "; apply sigmoid first, or use binary_cross_entropy_with_logits" if name == "input" else ""
            raise RuntimeError(f"all elements of {name} should be between 0 and 1{remedy}")
    if weight is None:
        return formulas.binary_cross_entropy(input, target, count=_count(input.shape, reduction))
    return _reduce(_times(formulas.binary_cross_entropy(input, target, count=None), weight), reduction)


def binary_cross_entropy_with_logits(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    pos_weight: Tensor | None = None,
) -> Tensor:
    """binary_cross_entropy of sigmoid(input), without overflow; pos_weight multiplies the term of positive targets."""
    reduction = _choose_reduction(size_average, reduce, reduction)
    if target.size() != input.size():
        raise ValueError(f"Target size ({target.size()}) must be the same as input size ({input.size()})")
    if target._array.dtype.kind != "f":
        kinds = [kind_of(t) for t in (input, target)]
        raise RuntimeError(
            f"result type {kinds[0]} can't be cast to the desired output type {kinds[1]}: "
            "the target must be floating point; convert it with target.type_as(input)"
        )
    if target._array.dtype != input._array.dtype:
        common = promote_types(input.dtype, target.dtype)
        input, target = input.to(common), target.to(common)
    count = _count(input.shape, reduction) if weight is None else None
    if pos_weight is None:
        loss = formulas.bce_with_logits(input, target, count=count)
    else:
        pos_weight = pos_weight.to(input.dtype).expand(input.shape).detach()
        loss = formulas.bce_with_pos_weight(input, target, pos_weight, count=count)
    return loss if weight is None else _reduce(_times(loss, weight), reduction)


def _class_indices(input: Tensor, target: Tensor, ignore_index: int) -> tuple[np.ndarray, np.ndarray | None]:
    """(indices with 0 for the ignored, which are valid: None if all) of a target; IndexError outside [0, classes)."""
    if target._array.dtype not in (np.int64, np.uint8):
        raise RuntimeError(
            f"expected target dtype to be Long or Byte, but got {kind_of(target)}; convert it with target.long()"
        )
    if input.dim() > 2 and target._array.dtype == np.uint8:
        raise RuntimeError("expected scalar type Long but found Byte: convert the target with target.long()")
    indices = target._array.astype(np.int64)  # a copy: what the caller does to the target later changes no gradient
    classes = input._array.shape[0 if input.dim() == 1 else 1]
    if indices.size and 0 <= indices.min() and indices.max() < classes and not 0 <= ignore_index < classes:
        return indices, None
    valid = indices != ignore_index
    outside = valid & ((indices < 0) | (indices >= classes))
    if outside.any():
        raise IndexError(
            f"Target {indices[outside].flat[0]} is out of bounds. The input has {classes} classes, 0 to {classes - 1}"
        )
    return np.where(valid, indices, 0), valid


def _total_weight(weight: Tensor | None, indices: np.ndarray, valid: np.ndarray | None) -> Any:
    """The sum of the weights of the targets that count."""
    if weight is None:
        return indices.size if valid is None else np.count_nonzero(valid)
    return np.sum(weight._array[indices], where=True if valid is None else valid)


def _check_class_shapes(input: Tensor, target: Tensor) -> None:
    """torch's rules for the shapes of (N, C, ...) scores and (N, ...) classes."""
    if input.dim() == 0:
        raise ValueError("Expected 1 or more dimensions (got 0)")
    if input.dim() == 1:
        if target.dim() > 1:
            raise RuntimeError("0D or 1D target tensor expected, multi-target not supported")
        if target.dim() == 1 and target.shape[0] != 1:
            raise ValueError(f"For 1D input, 1D target must have size 1, but got target size: {target.shape[0]}")
        return
    batch = target.shape[0] if target.dim() else 1
    if target.dim() == 0 or batch != input.shape[0]:
        raise ValueError(f"Expected input batch_size ({input.shape[0]}) to match target batch_size ({batch}).")
    if input.dim() == 2:
        if target.dim() > 1:
            raise RuntimeError("0D or 1D target tensor expected, multi-target not supported")
    elif input.dim() == 4 and target.dim() != 3:
        raise RuntimeError(
            f"only batches of spatial targets supported (3D tensors) but got targets of dimension: {target.dim()}"
        )
    elif tuple(input.shape[2:]) != tuple(target.shape[1:]):
        if input.dim() == 4:
            raise RuntimeError(f"size mismatch (got input: {sizes_of(input)} , target: {sizes_of(target)}")
        expected = [input.shape[0], *input.shape[2:]]
        raise RuntimeError(f"Expected target size {expected}, got {sizes_of(target)}")


def _check_class_weight(weight: Tensor | None, input: Tensor, prefix: str = "") -> None:
    """torch's rules for the classes' weights; of another dtype only probabilities take them, and have a prefix."""
    classes = input.shape[0 if input.dim() == 1 else 1]
    if weight is None:
        return
    if tuple(weight.shape) != (classes,):
        raise RuntimeError(
            f"{prefix}weight tensor should be defined either for all {classes} classes or no classes "
            f"but got weight tensor of shape: {sizes_of(weight)}"
        )
    if not prefix and weight._array.dtype != input._array.dtype:
        kinds = [kind_of(t) for t in (input, weight)]
        raise RuntimeError(f"expected scalar type {kinds[0]} but found {kinds[1]}: weight must have the input's dtype")


def nll_loss(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    ignore_index: int = -100,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """-weight[t] * input[t] of log-probabilities (N, C, ...) or (C) and classes t (N, ...) or ().

    Targets equal to `ignore_index` count nothing; "mean" divides by the sum of the weights that count.
    """
    reduction = _choose_reduction(size_average, reduce, reduction)
    return _nll_loss(input, target, weight, ignore_index, reduction)


def _nll_loss(input: Tensor, target: Tensor, weight: Tensor | None, ignore_index: int, reduction: str) -> Tensor:
    _check_class_shapes(input, target)
    _check_class_weight(weight, input)
    indices, valid = _class_indices(input, target, ignore_index)
    dtype = input._array.dtype.type
    factors = dtype(1) if weight is None else weight._array[indices]
    if reduction == "mean":
        count = dtype(_total_weight(weight, indices, valid))  # 0 / 0 of a target without any is nan, as in torch
    else:
        count = _count(indices.shape, reduction)
    axis, shape = min(1, input.dim() - 1), indices.shape
    index = indices.reshape((*shape[:axis], 1, *shape[axis:])) if input.dim() > 1 else indices.reshape(1)
    return formulas.nll_loss(input, axis=axis, index=index, shape=shape, factors=factors, valid=valid, count=count)


def _plain_nll_loss(input: Tensor, target: Tensor, reduction: str) -> Tensor:
    """What `nll_loss` of (N, C) and (N) is, in ops and without its options: the specification of the fused form."""
    return _reduce(-input.gather(1, target.unsqueeze(1)).squeeze(1), reduction)


def cross_entropy(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    ignore_index: int = -100,
    reduce: bool | None = None,
    reduction: str = "mean",
    label_smoothing: float = 0.0,
) -> Tensor:
    """nll_loss of log_softmax over the classes of `input` (N, C, ...) or (C).

    The target holds classes (N, ...), or, with the shape of the input and a floating point dtype, probabilities.
    `label_smoothing` e mixes the target with the uniform distribution: (1 - e) * target + e / C.
    """
    reduction = _choose_reduction(size_average, reduce, reduction)
    if not 0.0 <= label_smoothing <= 1.0:
        raise RuntimeError(f"label_smoothing must be between 0.0 and 1.0. Got: {label_smoothing}")
    class_dim = 0 if input.dim() == 1 else 1
    if target.shape == input.shape:
        if target._array.dtype.kind != "f":
            kind = kind_of(target)
            raise RuntimeError(f"Expected floating point type for target with class probabilities, got {kind}")
        if ignore_index >= 0:
            raise RuntimeError("ignore_index is not supported for floating point target")
        return _cross_entropy_of_probabilities(input, target, weight, reduction, label_smoothing, class_dim)
    log_probabilities = input.log_softmax(class_dim)
    loss = _nll_loss(log_probabilities, target, weight, ignore_index, reduction)
    if label_smoothing == 0.0:
        return loss

    classes = input.shape[class_dim]
    indices, valid = _class_indices(input, target, ignore_index)
    if weight is None:
        smooth = -log_probabilities.sum(class_dim)
    else:
        shape = [-1 if dim == class_dim else 1 for dim in range(input.dim())]
        smooth = -(log_probabilities * weight.reshape(shape)).sum(class_dim)
    if valid is not None:
        smooth = functions.where(wrap(valid).reshape(smooth.shape), smooth, functions.zeros_like(smooth))
    if reduction == "mean":
        total = float(_total_weight(weight, indices, valid))
        smooth = smooth.sum() / wrap(np.array(total, dtype=input._array.dtype))
    elif reduction == "sum":
        smooth = smooth.sum()
    return (1 - label_smoothing) * loss + smooth * (label_smoothing / classes)


def _cross_entropy_of_probabilities(
    input: Tensor, target: Tensor, weight: Tensor | None, reduction: str, label_smoothing: float, class_dim: int
) -> Tensor:
    _check_class_weight(weight, input, prefix="cross_entropy: ")
    classes = input.shape[class_dim]
    if label_smoothing > 0.0:
        target = target * (1 - label_smoothing) + label_smoothing / classes
    product = input.log_softmax(class_dim) * target
    if weight is not None:
        product = product * weight.reshape([-1 if dim == class_dim else 1 for dim in range(input.dim())])
    if reduction == "none":
        return -product.sum(class_dim)
    if reduction == "sum":
        return -product.sum()
    # The mean is over the batch and all further dimensions, not over classes.
    count = input.numel() / classes if classes else 0
    return div_by_number(-product.sum(), count) if count else product.sum() * math.nan


def kl_div(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    log_target: bool = False,
) -> Tensor:
    """t * (log t - input) of log-probabilities `input`; with log_target the target is log t.

    "batchmean" divides the sum by the size of the first dimension and is the divergence; "mean" by all elements.
    """
    if size_average is not None or reduce is not None:
        chosen = legacy_reduction(size_average, reduce)
    else:
        if reduction == "mean":
            warn(
                "reduction: 'mean' divides the total loss by both the batch size and the support size."
                "'batchmean' divides only by the batch size, and aligns with the KL div math definition."
                "'mean' will be changed to behave the same as 'batchmean' in the next major release.",
            )
        chosen = "sum" if reduction == "batchmean" else _check_reduction(reduction)
    if input._array.dtype.kind != "f" or target._array.dtype.kind != "f":
        raise RuntimeError("kl_div: Integral inputs not supported. Convert them to a floating point dtype.")
    if log_target:
        loss = target.exp() * (target - input)
    else:
        loss = functions.xlogy(target, target) - target * input
    loss = _reduce(loss, chosen)
    if reduction == "batchmean" and input.dim() != 0:
        loss = loss / input.shape[0]
    return loss


def poisson_nll_loss(
    input: Tensor,
    target: Tensor,
    log_input: bool = True,
    full: bool = False,
    size_average: bool | None = None,
    eps: float = 1e-8,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """exp(input) - t * input (log_input), else input - t * log(input + eps); `full` adds Stirling's term for t > 1."""
    reduction = _choose_reduction(size_average, reduce, reduction)
    loss = input.exp() - target * input if log_input else input - target * (input + eps).log()
    if full:
        stirling = target * target.log() - target + 0.5 * (2 * math.pi * target).log()
        loss = loss + stirling.masked_fill(target <= 1, 0)
    return _reduce(loss, reduction)


def gaussian_nll_loss(
    input: Tensor,
    target: Tensor,
    var: Tensor | float,
    full: bool = False,
    eps: float = 1e-6,
    reduction: str = "mean",
) -> Tensor:
    """(log var + (input - target)^2 / var) / 2, var at least eps, and not negative; `full` adds log(2 pi) / 2."""
    if isinstance(var, float):
        if var < 0:
            raise ValueError("var has negative entry/entries")
        var = var * functions.ones_like(input)
    elif (var._array < 0).any():
        raise ValueError("var has negative entry/entries")
    if var.size() != input.size():
        if input.size()[:-1] == var.size():
            var = var.unsqueeze(-1)
        elif input.dim() != var.dim() or sum(b for a, b in zip(input.size(), var.size(), strict=True) if a != b) != 1:
            raise ValueError("var is of incorrect size")
    if reduction not in ("none", "mean", "sum"):
        raise ValueError(reduction + " is not valid")
    var = var.clone()
    # The limit changes the value and not the gradient.
    with no_grad():
        var.clamp_min_(eps)
    difference = input - target
    loss = 0.5 * (var.log() + difference * difference / var)
    if full:
        loss = loss + 0.5 * math.log(2 * math.pi)
    return _reduce(loss, reduction)


def hinge_embedding_loss(
    input: Tensor,
    target: Tensor,
    margin: float = 1.0,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """x where the target is 1, max(0, margin - x) where it is -1."""
    reduction = _choose_reduction(size_average, reduce, reduction)
    zeros = functions.zeros_like(input)
    below = functions.where(target != 1, (margin - input).clamp_min(0), zeros)
    return _reduce(below + functions.where(target != -1, input, zeros), reduction)


def margin_ranking_loss(
    input1: Tensor,
    input2: Tensor,
    target: Tensor,
    margin: float = 0,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """max(0, -t * (x1 - x2) + margin)."""
    reduction = _choose_reduction(size_average, reduce, reduction)
    if input1.dim() != input2.dim() or input1.dim() != target.dim():
        raise RuntimeError(
            "margin_ranking_loss : All input tensors should have same dimension but got sizes: "
            f"input1: {input1.size()}, input2: {input2.size()}, target: {target.size()} "
        )
    return _reduce((-target * (input1 - input2) + margin).clamp_min(0), reduction)


def soft_margin_loss(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """log(1 + exp(-t x)); raises RuntimeError for a target that requires grad, as torch does."""
    if state.enabled and target.requires_grad:
        raise RuntimeError("the derivative for 'target' is not implemented.")
    reduction = _choose_reduction(size_average, reduce, reduction)
    shape = broadcast_shapes(input._array.shape, target._array.shape)
    return formulas.soft_margin_loss(input, target, count=_count(shape, reduction))


def cosine_embedding_loss(
    input1: Tensor,
    input2: Tensor,
    target: Tensor,
    margin: float = 0,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """1 - cos(x1, x2) where the target is 1, max(0, cos(x1, x2) - margin) where it is -1."""
    reduction = _choose_reduction(size_average, reduce, reduction)
    if target.dim() not in (0, 1):
        raise RuntimeError("0D or 1D target tensor expected, multi-target not supported")
    for input in (input1, input2):
        if input.dim() != target.dim() + 1:
            raise RuntimeError(
                f"{target.dim()}D target tensor expects {target.dim() + 1}D input tensors, but found inputs with sizes "
                f"{sizes_of(input1)} and {sizes_of(input2)}."
            )
    dim = target.dim()
    magnitudes = ((input1 * input1).sum(dim) + 1e-12) * ((input2 * input2).sum(dim) + 1e-12)
    cosine = (input1 * input2).sum(dim) / magnitudes.sqrt()
    zeros = functions.zeros_like(cosine)
    loss = functions.where(target == 1, 1 - cosine, zeros) + functions.where(
        target == -1, (cosine - margin).clamp_min(0), zeros
    )
    return _reduce(loss, reduction)


def triplet_margin_loss(
    anchor: Tensor,
    positive: Tensor,
    negative: Tensor,
    margin: float = 1.0,
    p: float = 2,
    eps: float = 1e-6,
    swap: bool = False,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """max(0, |a - p| - |a - n| + margin); with `swap` the smaller of |a - n| and |p - n|."""
    return triplet_margin_with_distance_loss(
        anchor,
        positive,
        negative,
        distance_function=lambda x1, x2: pairwise_distance(x1, x2, p, eps),
        margin=margin,
        swap=swap,
        reduction=_choose_reduction(size_average, reduce, reduction),
    )


def triplet_margin_with_distance_loss(
    anchor: Tensor,
    positive: Tensor,
    negative: Tensor,
    *,
    distance_function: Callable[[Tensor, Tensor], Tensor] | None = None,
    margin: float = 1.0,
    swap: bool = False,
    reduction: str = "mean",
) -> Tensor:
    """triplet_margin_loss with any distance; None is pairwise_distance."""
    if reduction not in ("none", "mean", "sum"):
        raise ValueError(f"{reduction} is not a valid value for reduction")
    if margin <= 0:
        raise ValueError(f"margin must be greater than 0, got {margin}")
    if not anchor.dim() == positive.dim() == negative.dim():
        raise RuntimeError(
            "The anchor, positive, and negative tensors are expected to have the same number of dimensions, but got: "
            f"anchor {anchor.dim()}D, positive {positive.dim()}D, and negative {negative.dim()}D inputs"
        )
    distance = pairwise_distance if distance_function is None else distance_function
    to_positive, to_negative = distance(anchor, positive), distance(anchor, negative)
    if swap:
        to_negative = functions.minimum(to_negative, distance(positive, negative))
    return _reduce((margin + to_positive - to_negative).clamp_min(0), reduction)


def _check_margin_input(kernel: str, input: Tensor) -> int:
    """The number of classes of (N, C) or (C) scores, as torch's losses of margins between classes take them."""
    if input.dim() > 2 or 0 in input.shape[-1:]:
        raise RuntimeError(
            f"Expected non-empty vector or matrix with optional 0-dim batch size, but got: {sizes_of(input)}"
        )
    check_floating(kernel, input)
    return input.shape[-1] if input.dim() else 1


def _class_numbers(target: Tensor) -> np.ndarray:
    if target._array.dtype != np.int64:
        raise RuntimeError(f"expected scalar type Long but found {kind_of(target)}; convert it with target.long()")
    return target._array


def multi_margin_loss(
    input: Tensor,
    target: Tensor,
    p: int = 1,
    margin: float = 1.0,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """weight[t] * sum(max(0, margin - x[t] + x[i])^p for i != t) / C, of scores (N, C) or (C) and classes (N) or ()."""
    reduction = _choose_reduction(size_average, reduce, reduction)
    if p != 1 and p != 2:
        raise ValueError("only p == 1 and p == 2 supported")
    if weight is not None and weight.dim() != 1:
        raise ValueError("weight must be one-dimensional")
    classes = _check_margin_input("multi_margin_loss_cpu_kernel", input)
    rows = input.reshape(-1, classes)
    if target.dim() > 1 or target.numel() != rows.shape[0]:
        raise RuntimeError(
            "multi_margin_loss: target tensor should be 1-D with size equal to the number of input samples (batch "
            f"size). Expected target size [{rows.shape[0]}], but got {sizes_of(target)}. Input has shape "
            f"{sizes_of(input)}."
        )
    if weight is not None and weight.numel() != classes:
        raise RuntimeError(f"inconsistent weight size, expected {classes} but got {sizes_of(weight)}")
    if weight is not None and weight._array.dtype != input._array.dtype:
        raise RuntimeError(f"expected scalar type {kind_of(input)} but found {kind_of(weight)}: weight.type_as(input)")
    chosen = _class_numbers(target).reshape(-1, 1)
    if chosen.size and not (0 <= chosen.min() and chosen.max() < classes):
        raise RuntimeError(f"target out of range: there are {classes} classes, 0 to {classes - 1}")
    violations = functions.relu(margin - rows.gather(1, wrap(chosen)) + rows) ** p
    if weight is not None:
        violations = violations * weight.detach()[wrap(chosen)]
    others = wrap(chosen != np.arange(classes))
    losses = functions.where(others, violations, functions.zeros_like(violations)).sum(1) / classes
    return _reduce(losses.reshape(target.shape), reduction)


def multilabel_margin_loss(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """sum(max(0, 1 - x[t] + x[i]) for t in the target, i not in it) / C, of scores (N, C) or (C).

    The target, of the input's shape, lists classes up to the first -1.
    """
    reduction = _choose_reduction(size_average, reduce, reduction)
    classes = _check_margin_input("multilabel_margin_loss_forward_out_frame", input)
    if target.numel() != input.numel() or target.dim() != input.dim():
        raise RuntimeError(f"inconsistent target size: {sizes_of(target)} for input of size: {sizes_of(input)}")
    labels = _class_numbers(target).reshape(-1, classes)
    if labels.size and not (-1 <= labels.min() and labels.max() < classes):
        raise RuntimeError(f"argument #2 'target' is out of range: classes are 0 to {classes - 1}, and -1 ends a list")
    listed = np.logical_and.accumulate(labels >= 0, 1)
    chosen = np.where(listed, labels, 0)
    among = (listed[..., None] & (chosen[..., None] == np.arange(classes))).any(1)
    pairs = wrap(listed[..., None] & ~among[:, None])
    rows = input.reshape(-1, classes)
    violations = functions.relu(1 - rows.gather(1, wrap(chosen)).unsqueeze(2) + rows.unsqueeze(1))
    losses = functions.where(pairs, violations, functions.zeros_like(violations)).sum((1, 2)) / classes
    return _reduce(losses.reshape(input.shape[:-1]), reduction)


def multilabel_soft_margin_loss(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """The mean over classes, the last dimension, of -weight * (t log s(x) + (1 - t) log s(-x)), s the sigmoid."""
    if size_average is not None or reduce is not None:
        reduction = legacy_reduction(size_average, reduce)
    loss = -(target * formulas.log_sigmoid(input) + (1 - target) * formulas.log_sigmoid(-input))
    if weight is not None:
        loss = loss * weight
    loss = loss.sum(-1) / input.size(-1)
    if reduction not in ("none", "mean", "sum"):
        raise ValueError(reduction + " is not valid")
    return _reduce(loss, reduction)


def cosine_similarity(x1: Tensor, x2: Tensor, dim: int = 1, eps: float = 1e-8) -> Tensor:
    """x1 . x2 / (max(|x1|, eps) * max(|x2|, eps)) along `dim` of their common shape."""
    x1, x2 = functions.broadcast_tensors(x1, x2)
    directions = []
    for x in (x1, x2):
        norm = x.norm(2, dim, keepdim=True).clone()
        # As in torch the limit changes the value and not the gradient, which is the norm's own also below eps.
        with no_grad():
            norm.clamp_min_(eps)
        directions.append(x / norm)
    return (directions[0] * directions[1]).sum(dim)


def pairwise_distance(x1: Tensor, x2: Tensor, p: float = 2.0, eps: float = 1e-6, keepdim: bool = False) -> Tensor:
    """|x1 - x2 + eps|_p along the last dimension."""
    return norm_of_pairs(x1 - x2 + eps, p, keepdim)
