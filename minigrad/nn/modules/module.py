"""torch.nn.modules.module: `nn.module` under torch's name."""

from ..module import Module

__all__ = ["Module"]
