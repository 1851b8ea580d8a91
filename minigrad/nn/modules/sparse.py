"""torch.nn.modules.sparse: its part of `nn.layers`."""

from ..layers import Embedding

__all__ = ["Embedding"]
