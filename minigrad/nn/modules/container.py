"""torch.nn.modules.container: `nn.containers` under torch's name."""

# ruff: noqa: F403

from ..containers import *
from ..containers import __all__ as __all__
