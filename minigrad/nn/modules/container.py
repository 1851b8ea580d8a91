"""torch.nn.modules.container: `nn.containers` under torch's name."""

from ..containers import *
from ..containers import __all__ as __all__
