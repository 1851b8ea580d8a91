"""torch.nn.modules.linear: its part of `nn.layers`."""

from ..layers import Bilinear, Identity, Linear

__all__ = ["Bilinear", "Identity", "Linear"]
