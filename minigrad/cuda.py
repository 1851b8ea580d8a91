"""torch.cuda's questions, answered: NumPy's arrays live on the CPU, so there is no device."""


def is_available():
    """False."""
    return False


def device_count():
    """0"""
    return 0


def manual_seed(seed):
    """Accepted, as in torch without a GPU."""


manual_seed_all = manual_seed


def synchronize(device=None):
    """Raises AssertionError: there is nothing to wait for."""
    raise AssertionError("minigrad has no CUDA device: NumPy's arrays live on the CPU")
