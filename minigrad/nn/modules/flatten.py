"""torch.nn.modules.flatten: its part of `nn.layers`."""

from ..layers import Flatten, Unflatten

__all__ = ["Flatten", "Unflatten"]
