"""torch.nn.modules.dropout: its part of `nn.layers`."""

from ..layers import Dropout

__all__ = ["Dropout"]
