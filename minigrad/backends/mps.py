"""torch.backends.mps: no device of Apple's."""


def is_available():
    """False."""
    return False


def is_built():
    """False."""
    return False
