"""torch.nn.modules.batchnorm: its part of `nn.layers`."""

from ..layers import BatchNorm1d

__all__ = ["BatchNorm1d"]
