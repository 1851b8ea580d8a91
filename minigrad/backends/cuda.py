"""torch.backends.cuda: minigrad has no CUDA of its own."""


def is_built():
    """False; a GPU is reached through torch, see `minigrad.cuda.is_available`."""
    return False
