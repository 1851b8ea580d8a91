"""torch.nn.modules.activation: `nn.activations` under torch's name."""

from ..activations import *
from ..activations import __all__ as __all__
