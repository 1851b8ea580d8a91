"""torch.cuda's questions, answered by torch where there is a GPU; NumPy's arrays live on the CPU."""

import functools


@functools.cache
def is_available():
    """True if torch is installed and can use a GPU.

    Importing torch takes a second or more, so it is asked only where NVIDIA's driver is.
    """
    import shutil  # here: it is slow to import

    if shutil.which("nvidia-smi") is None:
        return False
    try:
        from .torch_namespace import torch
    except ImportError:
        return False
    return torch.cuda.is_available()


def _of_torch(name, *args):
    from .torch_namespace import torch

    return getattr(torch.cuda, name)(*args)


def device_count():
    """How many GPUs there are."""
    return _of_torch("device_count") if is_available() else 0


def manual_seed(seed):
    """Accepted: random numbers are drawn on the CPU, from minigrad's own generator, also for a GPU."""


manual_seed_all = manual_seed


def synchronize(device=None):
    """Wait until the GPU has done all it was given. Raises AssertionError without a GPU."""
    if not is_available():
        raise AssertionError("minigrad has no CUDA device: NumPy's arrays live on the CPU")
    _of_torch("synchronize", None if device is None else str(device))
