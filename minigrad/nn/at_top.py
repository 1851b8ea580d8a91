"""`torch.dropout`, `torch.embedding` and `torch.layer_norm`, whose arguments are not those of nn.functional's.

The other functions of nn.functional that torch has at its top are the same ones.
"""

from ..tensor import Tensor
from . import functional


def dropout(input: Tensor, p: float, train: bool) -> Tensor:
    """nn.functional.dropout: `train` says whether elements are zeroed."""
    return functional.dropout(input, p, train)


def embedding(
    weight: Tensor,
    indices: Tensor,
    padding_idx: int = -1,
    scale_grad_by_freq: bool = False,
    sparse: bool = False,
) -> Tensor:
    """nn.functional.embedding, the table first; -1 is no padding_idx."""
    padding = None if padding_idx == -1 else padding_idx
    return functional.embedding(indices, weight, padding, scale_grad_by_freq=scale_grad_by_freq, sparse=sparse)


def layer_norm(
    input: Tensor,
    normalized_shape: tuple[int, ...],
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    eps: float = 1e-5,
    cudnn_enable: bool = True,
) -> Tensor:
    """nn.functional.layer_norm."""
    return functional.layer_norm(input, normalized_shape, weight, bias, eps)
