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


def _ask_for_a_gpu():
    if not is_available():
        raise AssertionError("Torch not compiled with CUDA enabled: minigrad's arrays are NumPy's, on the CPU")


def synchronize(device=None):
    """Wait until the GPU has done all it was given. Raises AssertionError without a GPU."""
    _ask_for_a_gpu()
    _of_torch("synchronize", None if device is None else str(device))


def empty_cache():
    """Accepted: torch keeps and frees its own memory, NumPy's goes back to the system."""


def current_device():
    """The number of the GPU in use. Raises AssertionError without a GPU."""
    _ask_for_a_gpu()
    return _of_torch("current_device")


def get_device_name(device=None):
    """What a GPU is called. Raises AssertionError without a GPU."""
    _ask_for_a_gpu()
    return _of_torch("get_device_name", None if device is None else str(device))
