"""torch.nn.modules.distance: its part of `nn.losses`."""

from ..losses import CosineSimilarity, PairwiseDistance

__all__ = ["CosineSimilarity", "PairwiseDistance"]
