"""torch.backends.cudnn: the switches are kept as they are set, and switch nothing."""

enabled = deterministic = benchmark = allow_tf32 = False


def is_available():
    """False."""
    return False


def version():
    """None: there is no cuDNN."""
