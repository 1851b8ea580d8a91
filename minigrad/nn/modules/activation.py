"""torch.nn.modules.activation: `nn.activations` under torch's name."""

# ruff: noqa: F403

from ..activations import *
from ..activations import __all__ as __all__
