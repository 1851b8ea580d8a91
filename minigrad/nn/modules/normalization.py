"""torch.nn.modules.normalization: its part of `nn.layers`."""

from ..layers import LayerNorm

__all__ = ["LayerNorm"]
