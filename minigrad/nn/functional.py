"""The functions that layers and losses are made of, in torch's names: torch.nn.functional.

Owns the primitives whose derivative torch writes down as one formula (activations with a saturated side, losses) and the
functions composed of ops. Knows no module. Functions check their arguments with torch's words; primitives take Tensors of
one floating point dtype.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .. import ops
from ..dtypes import Size
from ..grad_mode import no_grad
from ..primitive import primitive
from ..tensor import Tensor, wrap

# ---------------------------------------------------------------------- argument checks


def _check_floating(name: str, input: Tensor) -> None:
    """torch's refusal of a kernel that exists for floating point dtypes alone."""
    if input._array.dtype.kind != "f":
        raise NotImplementedError(
            f"\"{name}\" not implemented for '{input.type().split('.')[-1][:-6]}': "
            "it takes a floating point tensor; convert it with .float()"
        )


def _sizes(tensor: Tensor) -> str:
    return str(list(tensor._array.shape))


def _in_place(function: Callable[[Tensor], Tensor], input: Tensor) -> Tensor:
    """function(input), written into input. The function saves a copy, so that the write leaves what it saved alone."""
    return input.copy_(function(input.clone()))


def _check_reduction(reduction: str) -> str:
    if reduction == "elementwise_mean":
        warnings.warn(
            "reduction='elementwise_mean' is deprecated. Please use reduction='mean' instead.", stacklevel=3
        )
        return "mean"
    if reduction not in ("none", "mean", "sum"):
        raise ValueError(f"{reduction} is not a valid value for reduction; it must be 'none', 'mean' or 'sum'")
    return reduction


def _legacy_reduction(size_average: bool | None, reduce: bool | None, stacklevel: int = 3) -> str:
    """The reduction that the old arguments size_average and reduce mean, each True by default; warns."""
    if reduce is None or reduce:
        reduction = "mean" if size_average is None or size_average else "sum"
    else:
        reduction = "none"
    warnings.warn(
        f"size_average and reduce args will be deprecated, please use reduction='{reduction}' instead.",
        stacklevel=stacklevel,
    )
    return reduction


def _choose_reduction(size_average: bool | None, reduce: bool | None, reduction: str) -> str:
    if size_average is not None or reduce is not None:
        return _legacy_reduction(size_average, reduce, stacklevel=4)
    return _check_reduction(reduction)


def _reduce(loss: Tensor, reduction: str) -> Tensor:
    if reduction == "mean":
        return loss.mean()
    return loss.sum() if reduction == "sum" else loss


# ---------------------------------------------------------------------- linear maps


def _linear_weight_g(g: Any, input: Any, input_shape: Sequence[int], weight_shape: Sequence[int], xp: Any) -> Any:
    """The cotangent of linear's weight: g^T x, all dimensions but the last taken as one batch."""
    if len(input_shape) != 2:
        input = xp.reshape(input, (-1, weight_shape[1]))
        g = xp.reshape(g, (-1, weight_shape[0]))
    return xp.matmul(xp.matrix_transpose(g), input)


@primitive(
    input=lambda g, weight, xp: xp.matmul(g, weight),
    weight=_linear_weight_g,
    bias=lambda g, bias_shape, xp: xp.sum_to(g, bias_shape),
    name=lambda node: "AddmmBackward0",
)
def _linear(xp, input, weight, bias):
    """input @ weight^T + bias; input (*, n), weight (m, n), bias (m): the fused form of `_plain_linear`"""
    return xp.matmul(input, xp.matrix_transpose(weight)) + bias


def _plain_linear(input: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """What `linear` is, in ops: the specification of the fused form, and the way for shapes that it does not take."""
    product = input.matmul(weight.t())
    return product if bias is None else product + bias


def linear(input: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """x A^T + b; x (*, n), weight A (m, n) or (n), bias b (m). All of one dtype."""
    try:
        x, w = input._array, weight._array
        b = w if bias is None else bias._array
        dtype = x.dtype
        if (
            bias is not None
            and w.ndim == 2
            and x.ndim > 0
            and x.shape[-1] == w.shape[1]
            and b.shape == w.shape[:1]
            and w.dtype is dtype
            and b.dtype is dtype
        ):
            return _linear(input, weight, bias)
    except AttributeError:
        for position, (name, value) in enumerate((("input", input), ("weight", weight), ("bias", bias)), 1):
            if not isinstance(value, Tensor) and not (name == "bias" and value is None):
                raise TypeError(
                    f"linear(): argument '{name}' (position {position}) must be Tensor, not {_type_of(value)}"
                ) from None
        raise
    _check_linear(input, weight, bias)
    return _plain_linear(input, weight, bias)


def _type_of(value: Any) -> str:
    kind = type(value)
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"


def _check_linear(input: Tensor, weight: Tensor, bias: Tensor | None) -> None:
    x, w = input._array, weight._array
    if x.ndim == 0 or w.ndim == 0:
        raise RuntimeError(f"both arguments to linear need to be at least 1D, but they are {x.ndim}D and {w.ndim}D")
    if w.ndim > 2:
        raise RuntimeError(f"t() expects a tensor with <= 2 dimensions, but self is {w.ndim}D")
    if w.ndim == 1 and bias is not None:
        raise RuntimeError(f"mat2 must be a matrix, got 1-D tensor: linear takes a bias only with a 2-D weight")
    if w.dtype != x.dtype or (bias is not None and bias._array.dtype != x.dtype):
        kinds = [t.type().split(".")[-1][:-6] for t in (input, weight, *([] if bias is None else [bias]))]
        raise RuntimeError(
            f"mat1 and mat2 must have the same dtype, but got {kinds[0]} and {kinds[1]}"
            + (f" (bias {kinds[2]})" if bias is not None else "")
            + "; convert one of them, for instance model.double() or x.float()"
        )
    rows = x.size // x.shape[-1] if x.shape[-1] else math.prod(x.shape[:-1])
    if x.shape[-1] != w.shape[-1]:
        columns = w.shape[0] if w.ndim == 2 else 1
        raise RuntimeError(
            f"mat1 and mat2 shapes cannot be multiplied ({rows}x{x.shape[-1]} and {w.shape[-1]}x{columns}): "
            f"the last dimension of the input, {x.shape[-1]}, must be the layer's in_features, {w.shape[-1]}"
        )
    if bias is not None and bias._array.ndim != 0 and bias._array.shape not in ((1,), w.shape[:1]):
        raise RuntimeError(
            f"The expanded size of the tensor ({w.shape[0]}) must match the existing size ({bias._array.shape[-1]}) at "
            f"non-singleton dimension 1.  Target sizes: [{rows}, {w.shape[0]}].  Tensor sizes: {_sizes(bias)}"
        )


def bilinear(input1: Tensor, input2: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """x1^T A_o x2 + b_o; x1 (*, n1), x2 (*, n2), weight A (m, n1, n2), bias b (m), result (*, m)."""
    if input1.dim() != input2.dim():
        raise RuntimeError(
            f"bilinear(): input dimensions do not match: got {input1.dim()} and {input2.dim()}"
        )
    for dim, (size1, size2) in enumerate(zip(input1.shape[:-1], input2.shape[:-1], strict=True)):
        if size1 != size2:
            raise RuntimeError(
                f"bilinear(): input batch dimensions do not match at dim {dim}: got {size1} and {size2}"
            )
    for number, input in ((1, input1), (2, input2)):
        if input.shape[-1] != weight.shape[number]:
            raise RuntimeError(
                f"bilinear(): input{number} size does not match weight size: "
                f"got {input.shape[-1]} but expected {weight.shape[number]}"
            )
    if bias is not None and bias.shape[0] != weight.shape[0]:
        raise RuntimeError(
            f"bilinear(): bias size does not match weight size: got {bias.shape[0]} but expected {weight.shape[0]}"
        )
    out, n1, n2 = weight.shape
    batch = tuple(input1.shape[:-1])
    # x1 with every A_o at once is (N, out, n2); then the dot product with x2.
    half = input1.reshape(-1, n1).matmul(weight.permute(1, 0, 2).reshape(n1, out * n2)).reshape(-1, out, n2)
    result = (half * input2.reshape(-1, 1, n2)).sum(-1).reshape(*batch, out)
    return result if bias is None else result + bias


def embedding(
    input: Tensor,
    weight: Tensor,
    padding_idx: int | None = None,
    max_norm: float | None = None,
    norm_type: float = 2.0,
    scale_grad_by_freq: bool = False,
    sparse: bool = False,
) -> Tensor:
    """weight[input]; weight (n, d), input any shape of indices in [0, n). The row `padding_idx` gets no gradient.

    With `max_norm` the rows that are read are first scaled down to it, in place. Raises IndexError outside [0, n).
    """
    if scale_grad_by_freq or sparse:
        raise NotImplementedError(
            "minigrad's embedding has neither scale_grad_by_freq nor sparse gradients; leave both False"
        )
    if padding_idx is not None:
        if not -weight.shape[0] <= padding_idx < weight.shape[0]:
            raise AssertionError("Padding_idx must be within num_embeddings")
        padding_idx %= weight.shape[0]
    if weight.dim() != 2:
        raise RuntimeError("'weight' must be 2-D")
    indices = input._array
    if indices.dtype not in (np.int64, np.int32):
        raise RuntimeError(
            "Expected tensor for argument #1 'indices' to have one of the following scalar types: Long, Int; "
            f"but got {input.type()} instead (while checking arguments for embedding)"
        )
    if indices.size and (indices.min() < 0 or indices.max() >= weight.shape[0]):
        raise IndexError(
            f"index out of range in self: indices run from {indices.min()} to {indices.max()}, "
            f"but the weight has rows 0 to {weight.shape[0] - 1}"
        )
    if max_norm is not None:
        with no_grad():
            rows = np.unique(indices)
            values = weight._array[rows]
            with np.errstate(all="ignore"):
                norms = np.linalg.norm(values, ord=norm_type, axis=1, keepdims=True).astype(values.dtype)
                scales = np.where(norms > max_norm, max_norm / (norms + 1e-7), 1).astype(values.dtype)
            weight._array[rows] = values * scales
            weight._counter[0] += 1
    rows = weight[input.long()]
    if padding_idx is not None and (indices == padding_idx).any():
        rows = ops.where(wrap(indices == padding_idx).unsqueeze(-1), rows.detach(), rows)
    return rows


# ---------------------------------------------------------------------- activations

# torch's constants of SELU and of GELU's tanh form, to its digits.
_SELU_ALPHA = 1.6732632423543772848170429916717
_SELU_SCALE = 1.0507009873554804934193349852946


@primitive(
    x=lambda g, xp, x, negative_slope: xp.where(x > 0, g, g * negative_slope), name="LeakyReluBackward0"
)
def _leaky_relu(xp, x, *, negative_slope):
    """x where positive, else negative_slope * x; the derivative at 0 is negative_slope"""
    return xp.where(x > 0, x, x * negative_slope)


# The argument of exp is cut off at 0 by a where, not by a minimum, whose gradient is halved at ties: the unused side must
# neither overflow nor lose the second derivative at 0.
@primitive(
    x=lambda g, xp, x, negative, positive: xp.where(
        x <= 0, g * negative * xp.exp(xp.where(x <= 0, x, xp.zeros_like(x))), g * positive
    ),
    name="EluBackward0",
)
def _elu(xp, x, *, negative, positive):
    """positive * x where x > 0, else negative * (exp(x) - 1)"""
    return xp.where(x <= 0, xp.expm1(xp.minimum(x, 0)) * negative, x * positive)


@primitive(
    x=lambda g, xp, x: g * xp.sigmoid(x) * (1 + x * (1 - xp.sigmoid(x))),
    name="SiluBackward0",
)
def _silu(xp, x):
    """x * sigmoid(x)"""
    return x / (1 + xp.exp(-x))


@primitive(
    x=lambda g, xp, x: xp.where(x < 0, g, 0) - xp.sign(x) * g * (xp.exp(-xp.abs(x)) / (1 + xp.exp(-xp.abs(x)))),
    name="LogSigmoidBackward0",
)
def _log_sigmoid(xp, x):
    """min(0, x) - log(1 + exp(-|x|))"""
    return xp.minimum(x, 0) - xp.log1p(xp.exp(-xp.abs(x)))


@primitive(
    x=lambda g, xp, x, beta, threshold: xp.where(x * beta > threshold, g, g * xp.sigmoid(x * beta)),
    name="SoftplusBackward0",
)
def _softplus(xp, x, *, beta, threshold):
    """log(1 + exp(beta * x)) / beta, x where beta * x > threshold"""
    return xp.where(x * beta > threshold, x, xp.log1p(xp.exp(x * beta)) / beta)


@primitive(
    x=lambda g, xp, x, low, high: xp.where((x <= low) | (x >= high), 0, g), name="HardtanhBackward0"
)
def _hardtanh(xp, x, *, low, high):
    """x limited to [low, high]; the derivative at the limits is 0, unlike clamp's"""
    return xp.minimum(xp.maximum(x, low), high)


def relu(input: Tensor, inplace: bool = False) -> Tensor:
    """max(0, x); the derivative at 0 is 0."""
    return input.relu_() if inplace else ops.relu(input)


def relu_(input: Tensor) -> Tensor:
    """`relu` in place."""
    return input.relu_()


def leaky_relu(input: Tensor, negative_slope: float = 0.01, inplace: bool = False) -> Tensor:
    """x where positive, else negative_slope * x."""
    _check_floating("leaky_relu_cpu", input)
    if inplace:
        return _in_place(lambda x: _leaky_relu(x, negative_slope=negative_slope), input)
    return _leaky_relu(input, negative_slope=negative_slope)


def elu(input: Tensor, alpha: float = 1.0, inplace: bool = False) -> Tensor:
    """x where positive, else alpha * (exp(x) - 1)."""
    _check_floating("elu_cpu", input)
    if inplace:
        return _in_place(lambda x: _elu(x, negative=alpha, positive=1.0), input)
    return _elu(input, negative=alpha, positive=1.0)


def selu(input: Tensor, inplace: bool = False) -> Tensor:
    """scale * elu(x, alpha), alpha and scale such that activations keep mean 0 and variance 1."""
    _check_floating("elu_cpu", input)
    negative = _SELU_SCALE * _SELU_ALPHA
    if inplace:
        return _in_place(lambda x: _elu(x, negative=negative, positive=_SELU_SCALE), input)
    return _elu(input, negative=negative, positive=_SELU_SCALE)


def silu(input: Tensor, inplace: bool = False) -> Tensor:
    """x * sigmoid(x)."""
    _check_floating("silu_cpu", input)
    return _in_place(_silu, input) if inplace else _silu(input)


def gelu(input: Tensor, *, approximate: str = "none") -> Tensor:
    """x * Phi(x), Phi the normal distribution function; approximate="tanh" is torch's tanh form of it."""
    _check_floating("GeluKernelImpl", input)
    if approximate == "none":
        return input * 0.5 * (1 + ops.erf(input * math.sqrt(0.5)))
    if approximate == "tanh":
        inner = math.sqrt(2 / math.pi) * (input + 0.044715 * (input * input * input))
        return 0.5 * input * (1 + inner.tanh())
    raise RuntimeError(f"approximate argument must be either none or tanh, not {approximate!r}.")


def hardtanh(input: Tensor, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False) -> Tensor:
    """x limited to [min_val, max_val]; no gradient at and beyond the limits."""
    if min_val > max_val:
        raise ValueError("min_val cannot be greater than max_val")
    if input._array.dtype.kind != "f":
        # torch limits integers too, by bounds of their own type.
        min_val, max_val = int(min_val), int(max_val)
    if inplace:
        return _in_place(lambda x: _hardtanh(x, low=min_val, high=max_val), input)
    return _hardtanh(input, low=min_val, high=max_val)


def relu6(input: Tensor, inplace: bool = False) -> Tensor:
    """min(max(0, x), 6)."""
    return hardtanh(input, 0.0, 6.0, inplace)


def prelu(input: Tensor, weight: Tensor) -> Tensor:
    """x where positive, else weight * x; weight one number, or one a channel (dimension 1)."""
    if weight.dim() > 1:
        raise RuntimeError(f"prelu: Expected `weight` to be a scalar or 1D tensor, but got: ndim = {weight.dim()}")
    if weight._array.dtype != input._array.dtype:
        kinds = [t.type().split(".")[-1][:-6] for t in (input, weight)]
        raise RuntimeError(f"prelu: Type promoting not supported. Got {kinds[0]} and {kinds[1]}")
    if weight.numel() != 1:
        if input.dim() == 0:
            raise RuntimeError("Not allow zero-dim input tensor.")
        channels = input.shape[1] if input.dim() >= 2 else 1
        if weight.numel() != channels:
            raise RuntimeError(
                "Mismatch of parameter numbers and input channel size. "
                f"Found parameter numbers = {weight.numel()} and channel size = {channels}."
            )
    if weight.dim() == 1:
        weight = weight.reshape([-1 if dim == 1 else 1 for dim in range(input.dim())] if input.dim() > 1 else
                                [1] * input.dim())  # fmt: skip
    positive = input > 0
    # The weight meets 0 instead of a positive x, so that an infinite x gives it no nan.
    return ops.where(positive, input, weight * ops.where(positive, ops.zeros_like(input), input))


def logsigmoid(input: Tensor) -> Tensor:
    """log(sigmoid(x))."""
    _check_floating("log_sigmoid_cpu", input)
    return _log_sigmoid(input)


def softplus(input: Tensor, beta: float = 1.0, threshold: float = 20.0) -> Tensor:
    """log(1 + exp(beta * x)) / beta; x itself where beta * x > threshold."""
    _check_floating("softplus_cpu", input)
    return _softplus(input, beta=beta, threshold=threshold)


def softsign(input: Tensor) -> Tensor:
    """x / (1 + |x|)."""
    return input / (input.abs() + 1)


def tanhshrink(input: Tensor) -> Tensor:
    """x - tanh(x)."""
    return input - input.tanh()


def sigmoid(input: Tensor) -> Tensor:
    """1 / (1 + exp(-x))."""
    return input.sigmoid()


def tanh(input: Tensor) -> Tensor:
    """tanh(x)."""
    return input.tanh()


def _guess_dim(name: str, ndim: int, stacklevel: int) -> int:
    warnings.warn(
        f"Implicit dimension choice for {name} has been deprecated. Change the call to include dim=X as an argument.",
        stacklevel=stacklevel,
    )
    return 0 if ndim in (0, 1, 3) else 1


def softmax(input: Tensor, dim: int | None = None, _stacklevel: int = 3, dtype: Any = None) -> Tensor:
    """exp(x) / sum(exp(x)) along `dim`; `dtype` converts the input first."""
    if dim is None:
        dim = _guess_dim("softmax", input.dim(), _stacklevel)
    return input.softmax(dim) if dtype is None else input.softmax(dim, dtype=dtype)


def softmin(input: Tensor, dim: int | None = None, _stacklevel: int = 3, dtype: Any = None) -> Tensor:
    """softmax(-x) along `dim`."""
    if dim is None:
        dim = _guess_dim("softmin", input.dim(), _stacklevel)
    return (-input).softmax(dim) if dtype is None else (-input).softmax(dim, dtype=dtype)


def log_softmax(input: Tensor, dim: int | None = None, _stacklevel: int = 3, dtype: Any = None) -> Tensor:
    """log(softmax(x)) along `dim`, without overflow."""
    if dim is None:
        dim = _guess_dim("log_softmax", input.dim(), _stacklevel)
    return input.log_softmax(dim) if dtype is None else input.log_softmax(dim, dtype=dtype)


def dropout(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    """In training, zeroes each element with probability p and scales the rest by 1/(1-p); else returns the input."""
    if p < 0.0 or p > 1.0:
        raise ValueError(f"dropout probability has to be between 0 and 1, but got {p}")
    if not training or p == 0 or input._array.size == 0:
        return input
    if p == 1:
        return input.mul_(0) if inplace else input * 0
    if input._array.dtype.kind != "f":
        kind = input.type().split(".")[-1][:-6]
        raise RuntimeError(
            f"result type Float can't be cast to the desired output type {kind}: dropout takes a floating point tensor"
        )
    # torch draws the mask in the input's dtype and divides it, not the product, by the probability of keeping.
    mask = ops.empty_like(input).bernoulli_(1 - p)
    mask._array /= mask._array.dtype.type(1 - p)
    return input.mul_(mask) if inplace else input * mask


# ---------------------------------------------------------------------- normalisation


def layer_norm(
    input: Tensor,
    normalized_shape: Sequence[int],
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    eps: float = 1e-5,
) -> Tensor:
    """(x - mean) / sqrt(var + eps) * weight + bias over the trailing dimensions; biased variance."""
    shape = list(normalized_shape)
    if not shape:
        raise RuntimeError(
            "Expected normalized_shape to be at least 1-dimensional, i.e., containing at least one element, "
            "but got normalized_shape = []"
        )
    for name, tensor in (("weight", weight), ("bias", bias)):
        if tensor is not None and list(tensor.shape) != shape:
            raise RuntimeError(
                f"Expected {name} to be of same shape as normalized_shape, but got {name} of shape {_sizes(tensor)} and "
                f"normalized_shape = {shape}"
            )
    if list(input.shape[-len(shape) :]) != shape:
        wanted = ", ".join(["*", *map(str, shape)])
        raise RuntimeError(
            f"Given normalized_shape={shape}, expected input with shape [{wanted}], but got input of size{_sizes(input)}"
        )
    axes = tuple(range(-len(shape), 0))
    centred = input - input.mean(axes, keepdim=True)
    result = centred * ((centred * centred).mean(axes, keepdim=True) + eps).rsqrt()
    if weight is not None:
        result = result * weight
    return result if bias is None else result + bias


def batch_norm(
    input: Tensor,
    running_mean: Tensor | None,
    running_var: Tensor | None,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    training: bool = False,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Tensor:
    """(x - mean) / sqrt(var + eps) * weight + bias for each channel (dimension 1), with the batch's statistics in training.

    In training the running statistics, if given, move towards the batch's in place; the variance there is the unbiased one.
    """
    if training:
        count = math.prod(input.shape[:1] + input.shape[2:])
        if count == 1:
            raise ValueError(f"Expected more than 1 value per channel when training, got input size {input.shape}")
        if eps <= 0.0:
            raise ValueError(f"batch_norm eps must be positive during training, but got {eps}")
    elif eps < 0.0:
        raise ValueError(f"batch_norm eps must be non-negative, but got {eps}")
    channels = input.shape[1] if input.dim() > 1 else 0
    given = {"running_mean": running_mean, "running_var": running_var, "weight": weight, "bias": bias}
    for name, tensor in given.items():
        if tensor is None:
            if not training and name.startswith("running"):
                raise RuntimeError(f"{name} must be defined in evaluation mode")
        elif tensor.numel() != channels:
            raise RuntimeError(f"{name} should contain {channels} elements not {tensor.numel()}")

    shape = [1, channels] + [1] * (input.dim() - 2)
    if training:
        axes = tuple(axis for axis in range(input.dim()) if axis != 1)
        mean = input.mean(axes, keepdim=True)
        centred = input - mean
        variance = (centred * centred).mean(axes, keepdim=True)
        with no_grad():
            if running_mean is not None:
                running_mean.mul_(1 - momentum).add_(mean.detach().reshape(channels) * momentum)
            if running_var is not None:
                unbiased = variance.detach().reshape(channels) * (count / (count - 1))
                running_var.mul_(1 - momentum).add_(unbiased * momentum)
    else:
        assert running_mean is not None and running_var is not None
        centred = input - running_mean.reshape(shape)
        variance = running_var.reshape(shape)
    scale = (variance + eps).rsqrt()
    if weight is not None:
        scale = scale * weight.reshape(shape)
    result = centred * scale
    return result if bias is None else result + bias.reshape(shape)


def normalize(input: Tensor, p: float = 2.0, dim: int = 1, eps: float = 1e-12) -> Tensor:
    """x / max(|x|_p, eps) along `dim`."""
    return input / input.norm(p, dim, keepdim=True).clamp_min(eps).expand_as(input)


def cosine_similarity(x1: Tensor, x2: Tensor, dim: int = 1, eps: float = 1e-8) -> Tensor:
    """x1 . x2 / (max(|x1|, eps) * max(|x2|, eps)) along `dim` of their common shape."""
    x1, x2 = ops.broadcast_tensors(x1, x2)
    directions = []
    for x in (x1, x2):
        norm = x.norm(2, dim, keepdim=True).clone()
        # As in torch the limit changes the value and not the gradient, which is the norm's own also below eps.
        with no_grad():
            norm.clamp_min_(eps)
        directions.append(x / norm)
    return (directions[0] * directions[1]).sum(dim)


def pairwise_distance(
    x1: Tensor, x2: Tensor, p: float = 2.0, eps: float = 1e-6, keepdim: bool = False
) -> Tensor:
    """|x1 - x2 + eps|_p along the last dimension."""
    return (x1 - x2 + eps).norm(p, -1, keepdim=keepdim)


# ---------------------------------------------------------------------- losses on equal shapes


def _squared_g(g: Any, input: Any, target: Any, scale: float) -> Any:
    return (input - target) * (g * (2 * scale))


@primitive(
    input=_squared_g,
    target=lambda g, input, target, scale: _squared_g(g, target, input, scale),
    name="MseLossBackward0",
)
def _mse_loss(xp, input, target, *, scale):
    """scale * sum((input - target)^2): the fused form of `_plain_mse_loss`, scale 1 or 1/n"""
    return xp.sum_of_squares(input - target) * scale


def _plain_mse_loss(input: Tensor, target: Tensor, reduction: str) -> Tensor:
    """What `mse_loss` is, in ops: the specification of the fused form."""
    difference = input - target
    return _reduce(difference * difference, reduction)


@primitive(
    x=lambda g, xp, x, beta: xp.where(
        x <= -beta, -g, xp.where(x >= beta, g, g * (xp.where(xp.abs(x) < beta, x, xp.zeros_like(x)) / beta))
    ),
    name="SmoothL1LossBackward0",
)
def _smooth_l1(xp, x, *, beta):
    """x^2 / (2 beta) where |x| < beta, else |x| - beta / 2"""
    return xp.where(xp.abs(x) < beta, 0.5 * x * x / beta, xp.abs(x) - 0.5 * beta)


@primitive(
    x=lambda g, xp, x, delta: xp.where(
        x <= -delta, g * -delta, xp.where(x >= delta, g * delta, g * xp.where(xp.abs(x) < delta, x, xp.zeros_like(x)))
    ),
    name="HuberLossBackward0",
)
def _huber(xp, x, *, delta):
    """x^2 / 2 where |x| <= delta, else delta * (|x| - delta / 2)"""
    return xp.where(xp.abs(x) <= delta, 0.5 * x * x, delta * (xp.abs(x) - 0.5 * delta))


def _broadcast_pair(input: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
    """Both tensors in their common shape; warns where they differ, as torch does."""
    if target.size() != input.size():
        warnings.warn(
            f"Using a target size ({target.size()}) that is different to the input size ({input.size()}). "
            "This will likely lead to incorrect results due to broadcasting. "
            "Please ensure they have the same size.",
            stacklevel=3,
        )
        input, target = ops.broadcast_tensors(input, target)
    return input, target


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
            if x.shape == y.shape and x.dtype is y.dtype and x.dtype.kind == "f":
                if reduction == "mean":
                    return _mse_loss(input, target, scale=1 / x.size if x.size else math.nan)
                if reduction == "sum":
                    return _mse_loss(input, target, scale=1.0)
        except AttributeError:
            pass  # Not two tensors: input.size() below says so in torch's words.
    given = input
    input, target = _broadcast_pair(input, target)
    reduction = _choose_reduction(size_average, reduce, reduction)
    if input._array.dtype.kind != "f" and target._array.dtype.kind != "f":
        _check_floating("mse_cpu", input)
    if weight is not None:
        difference = input - target
        return _weighted(difference * difference, weight, given, reduction, mean_by_weight=True)
    return _plain_mse_loss(input, target, reduction)


def l1_loss(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    weight: Tensor | None = None,
) -> Tensor:
    """|input - target|, reduced; the derivative at 0 is 0."""
    given = input
    input, target = _broadcast_pair(input, target)
    reduction = _choose_reduction(size_average, reduce, reduction)
    loss = (input - target).abs()
    if weight is not None:
        return _weighted(loss, weight, given, reduction, mean_by_weight=True)
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
    input, target = _broadcast_pair(input, target)
    reduction = _choose_reduction(size_average, reduce, reduction)
    if beta < 0:
        raise RuntimeError("smooth_l1_loss does not support negative values for beta.")
    difference = input - target
    _check_floating("smooth_l1_cpu", difference)
    return _reduce(difference.abs() if beta == 0 else _smooth_l1(difference, beta=beta), reduction)


def huber_loss(
    input: Tensor, target: Tensor, reduction: str = "mean", delta: float = 1.0, weight: Tensor | None = None
) -> Tensor:
    """d^2 / 2 where d = |input - target| <= delta, else delta * (d - delta / 2)."""
    given = input
    input, target = _broadcast_pair(input, target)
    reduction = _check_reduction(reduction)
    if delta <= 0:
        raise RuntimeError("huber_loss does not support non-positive values for delta.")
    difference = input - target
    _check_floating("huber_cpu", difference)
    loss = _huber(difference, delta=delta)
    if weight is not None:
        return _weighted(loss, weight, given, reduction, mean_by_weight=False)
    return _reduce(loss, reduction)


@primitive(
    input=lambda g, xp, input, target: g * (input - target) / xp.maximum((1 - input) * input, 1e-12),
    target=lambda g, xp, input: g * (xp.log(1 - input) - xp.log(input)),
    name="BinaryCrossEntropyBackward0",
)
def _binary_cross_entropy(xp, input, target):
    """-(t log p + (1 - t) log(1 - p)), the logarithms at least -100"""
    return (target - 1) * xp.maximum(xp.log1p(-input), -100) - target * xp.maximum(xp.log(input), -100)


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
            f"Using a target size ({target.size()}) that is different to the input size ({input.size()}) is deprecated. "
            "Please ensure they have the same size."
        )
    if target._array.dtype != input._array.dtype:
        kinds = [t.type().split(".")[-1][:-6] for t in (target, input)]
        raise RuntimeError(
            f"Found dtype {kinds[0]} but expected {kinds[1]}: the target must have the input's dtype; "
            "convert it with target.type_as(input)"
        )
    _check_floating("binary_cross_entropy", input)
    for name, tensor in (("input", input), ("target", target)):
        with np.errstate(invalid="ignore"):
            inside = (tensor._array >= 0) & (tensor._array <= 1)
        if not inside.all():
            remedy = "; apply sigmoid first, or use binary_cross_entropy_with_logits" if name == "input" else ""
            raise RuntimeError(f"all elements of {name} should be between 0 and 1{remedy}")
    loss = _binary_cross_entropy(input, target)
    return _reduce(loss if weight is None else loss * weight, reduction)


@primitive(
    input=lambda g, xp, input, target, pos_weight: (
        ((pos_weight * target + 1 - target) * xp.sigmoid(input) - pos_weight * target) * g
    ),
    target=lambda g, xp, input, pos_weight: (
        (xp.log_sigmoid(-input) - pos_weight * xp.log_sigmoid(input)) * g
    ),
    name="BinaryCrossEntropyWithLogitsBackward0",
)
def _bce_with_pos_weight(xp, input, target, pos_weight):
    """(1 - t) x - (1 + (pos_weight - 1) t) log sigmoid(x)"""
    return (1 - target) * input - ((pos_weight - 1) * target + 1) * xp.log_sigmoid(input)


@primitive(
    input=lambda g, xp, input, target: (xp.sigmoid(input) - target) * g,
    target=lambda g, input: -input * g,
    name="BinaryCrossEntropyWithLogitsBackward0",
)
def _bce_with_logits(xp, input, target):
    """(1 - t) x - log sigmoid(x)"""
    return (1 - target) * input - xp.log_sigmoid(input)


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
        kinds = [t.type().split(".")[-1][:-6] for t in (input, target)]
        raise RuntimeError(
            f"result type {kinds[0]} can't be cast to the desired output type {kinds[1]}: "
            "the target must be floating point; convert it with target.type_as(input)"
        )
    if target._array.dtype != input._array.dtype:
        common = ops.promote_types(input.dtype, target.dtype)
        input, target = input.to(common), target.to(common)
    if pos_weight is None:
        loss = _bce_with_logits(input, target)
    else:
        pos_weight = pos_weight.to(input.dtype).expand(input.shape).detach()
        loss = _bce_with_pos_weight(input, target, pos_weight)
    return _reduce(loss if weight is None else loss * weight, reduction)


# ---------------------------------------------------------------------- losses on classes


def _class_indices(input: Tensor, target: Tensor, ignore_index: int) -> tuple[np.ndarray, np.ndarray]:
    """(indices with 0 for the ignored, which are valid) of a target; IndexError outside [0, classes)."""
    if target._array.dtype not in (np.int64, np.uint8):
        raise RuntimeError(
            f"expected target dtype to be Long or Byte, but got {target.type().split('.')[-1][:-6]}; "
            "convert it with target.long()"
        )
    indices = target._array.astype(np.int64, copy=False)
    valid = indices != ignore_index
    classes = input.shape[0 if input.dim() == 1 else 1]
    outside = valid & ((indices < 0) | (indices >= classes))
    if outside.any():
        raise IndexError(
            f"Target {indices[outside].flat[0]} is out of bounds. The input has {classes} classes, 0 to {classes - 1}"
        )
    return np.where(valid, indices, 0), valid


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
            raise RuntimeError(f"size mismatch (got input: {_sizes(input)} , target: {_sizes(target)}")
        expected = [input.shape[0], *input.shape[2:]]
        raise RuntimeError(f"Expected target size {expected}, got {_sizes(target)}")


def _check_class_weight(weight: Tensor | None, input: Tensor, prefix: str = "") -> None:
    classes = input.shape[0 if input.dim() == 1 else 1]
    if weight is None:
        return
    if tuple(weight.shape) != (classes,):
        raise RuntimeError(
            f"{prefix}weight tensor should be defined either for all {classes} classes or no classes "
            f"but got weight tensor of shape: {_sizes(weight)}"
        )
    if weight._array.dtype != input._array.dtype:
        kinds = [t.type().split(".")[-1][:-6] for t in (input, weight)]
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
    indices, valid = _class_indices(input, target, ignore_index)
    _check_class_weight(weight, input)
    if input.dim() == 1:
        picked = input.gather(0, wrap(indices.reshape(1))).reshape(indices.shape)
    else:
        picked = input.gather(1, wrap(np.expand_dims(indices, 1))).squeeze(1)
    loss = -picked
    if weight is not None:
        factors = weight._array[indices]
        loss = loss * wrap(factors)
    if not valid.all():
        loss = ops.where(wrap(valid), loss, ops.zeros_like(loss))
    if reduction != "mean":
        return _reduce(loss, reduction)
    total = valid.sum() if weight is None else np.sum(factors, where=valid)
    return loss.sum() / wrap(np.asarray(total, dtype=input._array.dtype))


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
    if target.size() == input.size():
        if target._array.dtype.kind != "f":
            kind = target.type().split(".")[-1][:-6]
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
        total: Any = valid.sum()
    else:
        shape = [-1 if dim == class_dim else 1 for dim in range(input.dim())]
        smooth = -(log_probabilities * weight.reshape(shape)).sum(class_dim)
        total = np.sum(weight._array[indices], where=valid)
    if not valid.all():
        smooth = ops.where(wrap(valid).reshape(smooth.shape), smooth, ops.zeros_like(smooth))
    if reduction == "mean":
        smooth = smooth.sum() / wrap(np.asarray(total, dtype=input._array.dtype))
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
    return -product.sum() / count if count else product.sum() * math.nan


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
        chosen = _legacy_reduction(size_average, reduce)
    else:
        if reduction == "mean":
            warnings.warn(
                "reduction: 'mean' divides the total loss by both the batch size and the support size."
                "'batchmean' divides only by the batch size, and aligns with the KL div math definition."
                "'mean' will be changed to behave the same as 'batchmean' in the next major release.",
                stacklevel=2,
            )
        chosen = "sum" if reduction == "batchmean" else _check_reduction(reduction)
    if log_target:
        loss = target.exp() * (target - input)
    else:
        loss = ops.xlogy(target, target) - target * input
    loss = _reduce(loss, chosen)
    if reduction == "batchmean" and input.dim() != 0:
        loss = loss / input.shape[0]
    return loss


# ---------------------------------------------------------------------- further losses


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
    """exp(input) - t * input (log_input), else input - t * log(input + eps); `full` adds Stirling's term where t > 1."""
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
    """(log var + (input - target)^2 / var) / 2, var at least eps; `full` adds log(2 pi) / 2. Raises for a negative var."""
    if isinstance(var, float):
        if var < 0:
            raise ValueError("var has negative entry/entries")
        var = var * ops.ones_like(input)
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
    zeros = ops.zeros_like(input)
    below = ops.where(target != 1, (margin - input).clamp_min(0), zeros)
    return _reduce(below + ops.where(target != -1, input, zeros), reduction)


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
    """log(1 + exp(-t x))."""
    reduction = _choose_reduction(size_average, reduce, reduction)
    return _reduce((-target * input).exp().log1p(), reduction)


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
    for number, input in ((1, input1), (2, input2)):
        if input.dim() != target.dim() + 1:
            raise RuntimeError(
                f"{target.dim()}D target tensor expects {target.dim() + 1}D input tensors, but found inputs with sizes "
                f"{_sizes(input1)} and {_sizes(input2)}."
            )
    dim = target.dim()
    magnitudes = ((input1 * input1).sum(dim) + 1e-12) * ((input2 * input2).sum(dim) + 1e-12)
    cosine = (input1 * input2).sum(dim) / magnitudes.sqrt()
    zeros = ops.zeros_like(cosine)
    loss = ops.where(target == 1, 1 - cosine, zeros) + ops.where(
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
    reduction = _choose_reduction(size_average, reduce, reduction)
    if margin <= 0:
        raise ValueError(f"margin must be greater than 0, got {margin}")
    to_positive = pairwise_distance(anchor, positive, p, eps)
    to_negative = pairwise_distance(anchor, negative, p, eps)
    if swap:
        to_negative = ops.minimum(to_negative, pairwise_distance(positive, negative, p, eps))
    return _reduce((margin + to_positive - to_negative).clamp_min(0), reduction)


# ---------------------------------------------------------------------- shapes and encodings


def one_hot(tensor: Tensor, num_classes: int = -1) -> Tensor:
    """A tensor (*, num_classes) of int64 with 1 at each index of an int64 tensor (*); -1 means the largest index + 1."""
    indices = tensor._array
    if indices.dtype != np.int64:
        raise RuntimeError("one_hot is only applicable to index tensor of type LongTensor.")
    if indices.size == 0:
        if num_classes <= 0:
            raise RuntimeError("Can not infer total number of classes from empty tensor.")
    else:
        if indices.min() < 0:
            raise RuntimeError("Class values must be non-negative.")
        if num_classes == -1:
            num_classes = int(indices.max()) + 1
        elif indices.max() >= num_classes:
            raise RuntimeError("Class values must be smaller than num_classes.")
    encoded = np.zeros((*indices.shape, num_classes), np.int64)
    np.put_along_axis(encoded, indices[..., None], 1, axis=-1)
    return wrap(encoded)


def pad(input: Tensor, pad: Sequence[int], mode: str = "constant", value: float | None = None) -> Tensor:
    """Adds pad[0] values before and pad[1] after along the last dimension, pad[2:4] along the one before it, ...

    Negative numbers cut off. Only mode "constant", filling with `value` (0), exists.
    """
    if mode != "constant":
        if mode in ("reflect", "replicate", "circular"):
            raise NotImplementedError(f"minigrad pads with mode 'constant' only, not {mode!r}")
        raise NotImplementedError(f"Unrecognised padding mode {mode}")
    if len(pad) % 2:
        raise RuntimeError("Padding length must be divisible by 2")
    if len(pad) > 2 * input.dim():
        raise RuntimeError(
            "Padding length should be less than or equal to two times the input dimension "
            f"but got padding length {len(pad)} and input of dimension {input.dim()}"
        )
    result = input
    for position in range(len(pad) // 2):
        dim = input.dim() - 1 - position
        before, after = pad[2 * position], pad[2 * position + 1]
        size = result.shape[dim]
        if size + before + after < 0:
            raise RuntimeError("narrow(): length must be non-negative.")
        start, stop = max(0, -before), size - max(0, -after)
        if start > 0 or stop < size:
            result = result.narrow(dim, start, max(0, stop - start))
        pieces = [result]
        for count, at in ((max(0, before), 0), (max(0, after), 2)):
            if count:
                shape = list(result.shape)
                shape[dim] = count
                pieces.insert(at, ops.full(shape, 0 if value is None else value, dtype=input.dtype))
        if len(pieces) > 1:
            result = ops.cat(pieces, dim)
    return result.clone() if result is input else result
