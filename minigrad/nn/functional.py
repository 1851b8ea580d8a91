"""The functions that layers and losses are made of, in torch's names: torch.nn.functional.

Owns linear maps, activations, softmax, dropout, normalisation, padding and encodings, as checks and options around ops
and the primitives of `formulas`; the losses come from `loss_functions`. Knows no module.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np

from .. import functions
from ..dtypes import contiguous_format
from ..functions.calls import as_called
from ..grad_mode import no_grad
from ..inplace import in_place
from ..ops.linalg import linear as fused_linear
from ..tensor import Tensor, wrap
from . import formulas
from .loss_functions import (
    binary_cross_entropy,
    binary_cross_entropy_with_logits,
    check_floating,
    cosine_embedding_loss,
    cosine_similarity,
    cross_entropy,
    gaussian_nll_loss,
    hinge_embedding_loss,
    huber_loss,
    kind_of,
    kl_div,
    l1_loss,
    margin_ranking_loss,
    mse_loss,
    multi_margin_loss,
    multilabel_margin_loss,
    multilabel_soft_margin_loss,
    nll_loss,
    pairwise_distance,
    poisson_nll_loss,
    sizes_of,
    smooth_l1_loss,
    soft_margin_loss,
    triplet_margin_loss,
    triplet_margin_with_distance_loss,
)

__all__ = [
    "batch_norm",
    "bilinear",
    "binary_cross_entropy",
    "binary_cross_entropy_with_logits",
    "celu",
    "celu_",
    "cosine_embedding_loss",
    "cosine_similarity",
    "cross_entropy",
    "dropout",
    "elu",
    "elu_",
    "embedding",
    "gaussian_nll_loss",
    "gelu",
    "glu",
    "gumbel_softmax",
    "hardshrink",
    "hardsigmoid",
    "hardswish",
    "hardtanh",
    "hardtanh_",
    "hinge_embedding_loss",
    "huber_loss",
    "kl_div",
    "l1_loss",
    "layer_norm",
    "leaky_relu",
    "leaky_relu_",
    "linear",
    "log_softmax",
    "logsigmoid",
    "margin_ranking_loss",
    "mish",
    "mse_loss",
    "multi_margin_loss",
    "multilabel_margin_loss",
    "multilabel_soft_margin_loss",
    "nll_loss",
    "normalize",
    "one_hot",
    "pad",
    "pairwise_distance",
    "poisson_nll_loss",
    "prelu",
    "relu",
    "relu6",
    "relu_",
    "rms_norm",
    "selu",
    "selu_",
    "sigmoid",
    "silu",
    "smooth_l1_loss",
    "soft_margin_loss",
    "softmax",
    "softmin",
    "softplus",
    "softshrink",
    "softsign",
    "tanh",
    "tanhshrink",
    "threshold",
    "threshold_",
    "triplet_margin_loss",
    "triplet_margin_with_distance_loss",
]

# torch's constants of SELU, to its digits.
_SELU_ALPHA = 1.6732632423543772848170429916717
_SELU_SCALE = 1.0507009873554804934193349852946


def _plain_linear(input: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """What `linear` is, in ops: the specification of the fused form, and the way for shapes that it does not take."""
    product = input.matmul(weight.t())
    return product if bias is None else product + bias


def linear(input: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """x A^T + b; x (*, n), weight A (m, n) or (n), bias b (m). All of one dtype."""
    try:
        x, w = input._array, weight._array
        if bias is not None and x.ndim and w.ndim == 2 and x.dtype is w.dtype is bias._array.dtype:
            try:
                if x.ndim == 2:
                    return fused_linear(input, weight, bias)
                rows = input.reshape(-1, w.shape[1]) if x.size else input.reshape(math.prod(x.shape[:-1]), w.shape[1])
                return fused_linear(rows, weight, bias).view(*x.shape[:-1], w.shape[0])
            except (RuntimeError, ValueError):
                _check_linear(input, weight, bias)
                raise
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
        raise RuntimeError("mat2 must be a matrix, got 1-D tensor: linear takes a bias only with a 2-D weight")
    if w.dtype != x.dtype or (bias is not None and bias._array.dtype != x.dtype):
        kinds = [kind_of(t) for t in (input, weight, *([] if bias is None else [bias]))]
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
            f"non-singleton dimension 1.  Target sizes: [{rows}, {w.shape[0]}].  Tensor sizes: {sizes_of(bias)}"
        )


def bilinear(input1: Tensor, input2: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """x1^T A_o x2 + b_o; x1 (*, n1), x2 (*, n2), weight A (m, n1, n2), bias b (m), result (*, m)."""
    if input1.dim() != input2.dim():
        raise RuntimeError(f"bilinear(): input dimensions do not match: got {input1.dim()} and {input2.dim()}")
    for dim, (size1, size2) in enumerate(zip(input1.shape[:-1], input2.shape[:-1], strict=True)):
        if size1 != size2:
            raise RuntimeError(f"bilinear(): input batch dimensions do not match at dim {dim}: got {size1} and {size2}")
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
    if not (n1 and n2):
        raise RuntimeError(
            f"cannot reshape tensor of 0 elements into shape [-1, {n1 and n2}] because the unspecified dimension size "
            "-1 can be any value and is ambiguous: bilinear() needs features"
        )
    batch = tuple(input1.shape[:-1])
    # x1 with every A_o at once is (N, out, n2); then the dot product with x2.
    rows = math.prod(batch)
    half = input1.reshape(rows, n1).matmul(weight.permute(1, 0, 2).reshape(n1, out * n2)).reshape(rows, out, n2)
    result = (half * input2.reshape(rows, 1, n2)).sum(-1).reshape(*batch, out)
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
    counted = None if padding_idx is None else (indices != padding_idx)[..., None]
    return formulas.embedding(weight, rows=indices.astype(np.int64), counted=counted)


def relu(input: Tensor, inplace: bool = False) -> Tensor:
    """max(0, x); the derivative at 0 is 0."""
    return input.relu_() if inplace else functions.relu(input)


def relu_(input: Tensor) -> Tensor:
    """`relu` in place."""
    return input.relu_()


def leaky_relu(input: Tensor, negative_slope: float = 0.01, inplace: bool = False) -> Tensor:
    """x where positive, else negative_slope * x."""
    check_floating("leaky_relu_cpu", input)
    if inplace:
        return leaky_relu_(input, negative_slope)
    return formulas.leaky_relu(input, negative_slope=negative_slope)


def elu(input: Tensor, alpha: float = 1.0, inplace: bool = False) -> Tensor:
    """x where positive, else alpha * (exp(x) - 1)."""
    check_floating("elu_cpu", input)
    if inplace:
        return elu_(input, alpha)
    return formulas.elu(input, negative=alpha, positive=1.0)


def celu(input: Tensor, alpha: float = 1.0, inplace: bool = False) -> Tensor:
    """x where positive, else alpha * (exp(x / alpha) - 1)."""
    check_floating("elu_cpu", input)
    if not alpha:
        raise RuntimeError("ZeroDivisionError: alpha cannot be 0 for CELU")
    return celu_(input, alpha) if inplace else formulas.celu(input, alpha=alpha)


def mish(input: Tensor, inplace: bool = False) -> Tensor:
    """x * tanh(softplus(x)) (Misra 2019)."""
    check_floating("mish_cpu", input)
    return mish_(input) if inplace else formulas.mish(input)


def hardsigmoid(input: Tensor, inplace: bool = False) -> Tensor:
    """relu6(x + 3) / 6."""
    check_floating("hardsigmoid_cpu", input)
    return hardsigmoid_(input) if inplace else formulas.hardsigmoid(input)


def hardswish(input: Tensor, inplace: bool = False) -> Tensor:
    """x * relu6(x + 3) / 6."""
    check_floating("hardswish_cpu", input)
    return hardswish_(input) if inplace else formulas.hardswish(input)


def hardshrink(input: Tensor, lambd: float = 0.5) -> Tensor:
    """x where |x| > lambd, else 0."""
    check_floating("hardshrink_cpu", input)
    return formulas.hardshrink(input, limit=lambd)


def softshrink(input: Tensor, lambd: float = 0.5) -> Tensor:
    """x - lambd above lambd, x + lambd below -lambd, else 0; lambd must not be negative."""
    if lambd < 0:
        raise RuntimeError(f"lambda must be greater or equal to 0, but found to be {lambd:g}.")
    check_floating("softshrink_cpu", input)
    return formulas.softshrink(input, limit=lambd)


def threshold(input: Tensor, threshold: float, value: float, inplace: bool = False) -> Tensor:
    """x where x > threshold, else value."""
    return (
        threshold_(input, threshold, value) if inplace else formulas.threshold(input, threshold=threshold, value=value)
    )


def glu(input: Tensor, dim: int = -1) -> Tensor:
    """a * sigmoid(b), a and b the halves of the input along `dim`, whose size must be even."""
    if not input.dim():
        raise RuntimeError("glu does not support 0-dimensional tensors")
    size = input.shape[dim]
    if size % 2:
        raise RuntimeError(f"Halving dimension must be even, but dimension {dim % input.dim()} is size {size}")
    check_floating("glu_cpu", input)
    a, b = input.chunk(2, dim)
    return formulas.glu(a, b)


def selu(input: Tensor, inplace: bool = False) -> Tensor:
    """scale * elu(x, alpha), alpha and scale such that activations keep mean 0 and variance 1."""
    check_floating("elu_cpu", input)
    negative = _SELU_SCALE * _SELU_ALPHA
    if inplace:
        return selu_(input)
    return formulas.elu(input, negative=negative, positive=_SELU_SCALE)


def silu(input: Tensor, inplace: bool = False) -> Tensor:
    """x * sigmoid(x)."""
    check_floating("silu_cpu", input)
    return silu_(input) if inplace else formulas.silu(input)


def gelu(input: Tensor, *, approximate: str = "none") -> Tensor:
    """x * Phi(x), Phi the normal distribution function; approximate="tanh" is torch's tanh form of it."""
    check_floating("GeluKernelImpl", input)
    if approximate == "none":
        return formulas.gelu(input)
    if approximate == "tanh":
        return formulas.gelu_tanh(input)
    raise RuntimeError(f"approximate argument must be either none or tanh, not {approximate!r}.")


def hardtanh(input: Tensor, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False) -> Tensor:
    """x limited to [min_val, max_val]; no gradient at and beyond the limits."""
    if min_val > max_val:
        raise ValueError("min_val cannot be greater than max_val")
    if input._array.dtype.kind != "f":
        # torch limits integers too, by bounds of their own type.
        min_val, max_val = int(min_val), int(max_val)
    if inplace:
        return hardtanh_(input, min_val, max_val)
    return formulas.hardtanh(input, low=min_val, high=max_val)


def relu6(input: Tensor, inplace: bool = False) -> Tensor:
    """min(max(0, x), 6)."""
    return hardtanh(input, 0.0, 6.0, inplace)


celu_ = in_place(celu, "celu_")
elu_ = in_place(elu, "elu_")
hardsigmoid_ = in_place(hardsigmoid, "hardsigmoid_")
hardswish_ = in_place(hardswish, "hardswish_")
hardtanh_ = in_place(hardtanh, "hardtanh_")
leaky_relu_ = in_place(leaky_relu, "leaky_relu_")
mish_ = in_place(mish, "mish_")
selu_ = in_place(selu, "selu_")
silu_ = in_place(silu, "silu_")
threshold_ = in_place(threshold, "threshold_")


def prelu(input: Tensor, weight: Tensor) -> Tensor:
    """x where positive, else weight * x; weight one number, or one a channel (dimension 1)."""
    if weight.dim() > 1:
        raise RuntimeError(f"prelu: Expected `weight` to be a scalar or 1D tensor, but got: ndim = {weight.dim()}")
    if weight._array.dtype != input._array.dtype:
        kinds = [kind_of(t) for t in (input, weight)]
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
    return formulas.prelu(input, weight)


def logsigmoid(input: Tensor) -> Tensor:
    """log(sigmoid(x))."""
    check_floating("log_sigmoid_cpu", input)
    return formulas.log_sigmoid(input)


def softplus(input: Tensor, beta: float = 1.0, threshold: float = 20.0) -> Tensor:
    """log(1 + exp(beta * x)) / beta; x itself where beta * x > threshold."""
    check_floating("softplus_cpu", input)
    return formulas.softplus(input, beta=beta, threshold=threshold)


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
        stacklevel=stacklevel + 1,  # as_called is one more
    )
    return 0 if ndim in (0, 1, 3) else 1


def gumbel_softmax(logits: Tensor, tau: float = 1, hard: bool = False, eps: float = 1e-10, dim: int = -1) -> Tensor:
    """A sample of a softmax with temperature `tau`; `hard` makes it one-hot, with the gradient of the soft one."""
    gumbels = -functions.empty_like(logits, memory_format=contiguous_format).exponential_().log()
    soft = ((logits + gumbels) / tau).softmax(dim)
    if not hard:
        return soft
    index = soft.max(dim, keepdim=True)[1]
    chosen = functions.zeros_like(logits, memory_format=contiguous_format).scatter_(dim, index, 1.0)
    return chosen - soft.detach() + soft


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
        kind = kind_of(input)
        raise RuntimeError(
            f"result type Float can't be cast to the desired output type {kind}: dropout takes a floating point tensor"
        )
    # torch draws the mask in the input's dtype and divides it, not the product, by the probability of keeping.
    mask = functions.empty_like(input).bernoulli_(1 - p)
    mask._array /= mask._array.dtype.type(1 - p)
    return input.mul_(mask) if inplace else input * mask


def _mixed(input: Tensor, *parameters: Tensor | None) -> bool:
    """True for an input in half precision with parameters in single; torch's RuntimeError for other mixtures."""
    dtype = input._array.dtype
    for p in parameters:
        if p is not None and p._array.dtype is not dtype:
            break
    else:
        return False
    given = {p._array.dtype for p in parameters if p is not None}
    remedy = f"convert them with module.to(input.dtype); the input is {kind_of(input)}"
    if given != {np.dtype(np.float32)}:
        raise RuntimeError(f"mixed dtype (CPU): expect parameter to have scalar type of Float: {remedy}")
    if dtype != np.float16:
        raise RuntimeError(f"mixed dtype (CPU): all inputs must share same datatype. So {remedy}")
    return True


def _check_normalized(input: Tensor, shape: list[int], any_batch: str, **parameters: Tensor | None) -> None:
    """torch's rules for the trailing dimensions that are normalised; `any_batch` is how it prints the others."""
    if not shape:
        raise RuntimeError(
            "Expected normalized_shape to be at least 1-dimensional, i.e., containing at least one element, "
            "but got normalized_shape = []"
        )
    for name, tensor in parameters.items():
        if tensor is not None and list(tensor.shape) != shape:
            raise RuntimeError(
                f"Expected {name} to be of same shape as normalized_shape, but got {name} of shape {sizes_of(tensor)} "
                f"and normalized_shape = {shape}"
            )
    if list(input.shape[-len(shape) :]) != shape:
        raise RuntimeError(
            f"Given normalized_shape={shape}, expected input with shape [{any_batch}{', '.join(map(str, shape))}], "
            f"but got input of size{sizes_of(input)}"
        )


def layer_norm(
    input: Tensor,
    normalized_shape: Sequence[int],
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    eps: float = 1e-5,
) -> Tensor:
    """(x - mean) / sqrt(var + eps) * weight + bias over the trailing dimensions; biased variance."""
    shape = list(normalized_shape)
    _check_normalized(input, shape, "*, ", weight=weight, bias=bias)
    if _mixed(input, weight, bias):
        return layer_norm(input.float(), shape, weight, bias, eps).half()
    check_floating("LayerNormKernelImpl", input)
    axes = tuple(range(input.dim() - len(shape), input.dim()))
    if weight is None and bias is None:
        return formulas.layer_norm(input, axes=axes, eps=eps)
    weight = functions.ones_like(bias) if weight is None else weight
    bias = functions.zeros_like(weight) if bias is None else bias
    return formulas.layer_norm_affine(input, weight, bias, axes=axes, eps=eps)


def rms_norm(
    input: Tensor, normalized_shape: Sequence[int], weight: Tensor | None = None, eps: float | None = None
) -> Tensor:
    """x / sqrt(mean(x^2) + eps) * weight over the trailing dimensions; eps None is the precision of the dtype."""
    shape = list(normalized_shape)
    if not input.dim():
        raise ValueError("Input tensor must have at least 1 dimensions, but got 0")
    _check_normalized(input, shape, "*", weight=weight)
    check_floating("rms_norm", input)
    wide = input.float() if input._array.dtype.itemsize == 2 else input
    if eps is None:
        eps = float(np.finfo(wide._array.dtype).eps)
    result = wide * (wide.square().mean(tuple(range(-len(shape), 0)), keepdim=True) + eps).rsqrt()
    return (result if weight is None else result * weight).contiguous().to(input.dtype)


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
    """(x - mean) / sqrt(var + eps) * weight + bias for each channel (dimension 1), with the batch's statistics in
    training.

    In training the running statistics, if given, move towards the batch's in place; the variance there is the unbiased
    one.
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

    check_floating("batch_norm", input)
    if _mixed(input, *given.values()):
        return batch_norm(input.float(), running_mean, running_var, weight, bias, training, momentum, eps).half()
    if input.dim() < 2:  # a vector of nothing, as torch lets it pass
        return input.clone()
    shape = [1, channels] + [1] * (input.dim() - 2)
    if training:
        axes = tuple(axis for axis in range(input.dim()) if axis != 1)
        with no_grad():
            wide = input.float() if input._array.dtype.itemsize == 2 else input
            if running_mean is not None and input.numel():  # a batch of nothing moves no average
                _move(running_mean, wide.mean(axes), momentum)
            if running_var is not None and input.numel():
                _move(running_var, wide.var(axes), momentum)
        if weight is not None and bias is not None:
            return formulas.batch_norm_affine(input, weight.reshape(shape), bias.reshape(shape), axes=axes, eps=eps)
        result = formulas.batch_norm(input, axes=axes, eps=eps)
        if weight is not None:
            result = result * weight.reshape(shape)
    else:
        assert running_mean is not None and running_var is not None
        scale = (running_var.reshape(shape) + eps).rsqrt()
        if weight is not None:
            scale = scale * weight.reshape(shape)
        result = (input - running_mean.reshape(shape)) * scale
    return result if bias is None else result + bias.reshape(shape)


def _move(running: Tensor, batch: Tensor, momentum: float) -> None:
    """Move a running statistic towards a batch's, in place; in half precision it is rounded once, as torch does."""
    if running._array.dtype.itemsize == 2:
        running.copy_(running.float() * (1 - momentum) + batch * momentum)
    else:
        running.mul_(1 - momentum).add_(batch * momentum)


def normalize(input: Tensor, p: float = 2.0, dim: int = 1, eps: float = 1e-12) -> Tensor:
    """x / max(|x|_p, eps) along `dim`."""
    return input / input.norm(p, dim, keepdim=True).clamp_min(eps).expand_as(input)


def one_hot(tensor: Tensor, num_classes: int = -1) -> Tensor:
    """An int64 tensor (*, num_classes) with 1 at each index of an int64 tensor (*); -1 means the largest index + 1."""
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
    encoded = np.zeros_like(indices, shape=(*indices.shape, num_classes))
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
                pieces.insert(at, functions.full(shape, 0 if value is None else value, dtype=input.dtype))
        if len(pieces) > 1:
            result = functions.cat(pieces, dim)
    return result.clone() if result is input else result


for _name in __all__:
    if _name not in ("linear", "mse_loss", "relu"):  # which look at their arguments themselves
        globals()[_name] = as_called(globals()[_name])
