"""Memory shared with other array libraries: `from_dlpack` and `to_dlpack`."""

from .. import from_dlpack as from_dlpack

__all__ = ["from_dlpack", "to_dlpack"]


def to_dlpack(tensor):
    """A capsule on the tensor's memory, for libraries that take no array."""
    return tensor.detach().__dlpack__()
