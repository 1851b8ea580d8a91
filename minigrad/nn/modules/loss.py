"""torch.nn.modules.loss: the losses of `nn.losses`, and the base classes that users' own derive from."""

from ..losses import *
from ..losses import _Loss as _Loss
from ..losses import _WeightedLoss as _WeightedLoss
