"""torch.nn.modules: where torch keeps the modules of `nn`, and where some programs import them from."""

from . import (
    activation,
    batchnorm,
    container,
    distance,
    dropout,
    flatten,
    linear,
    loss,
    module,
    normalization,
    sparse,
)
from .activation import *
from .batchnorm import *
from .container import *
from .distance import *
from .dropout import *
from .flatten import *
from .linear import *
from .loss import *
from .module import *
from .normalization import *
from .sparse import *
