"""torch.backends as on a machine without accelerators: scripts ask it, set its switches, and then use the CPU."""

from . import cuda, cudnn, mps

__all__ = ["cuda", "cudnn", "mps"]
