"""torch.nn.modules.normalization: its part of `nn.layers`."""

from ..layers import LayerNorm, RMSNorm

__all__ = ["LayerNorm", "RMSNorm"]
