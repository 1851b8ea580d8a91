"""minigrad: PyTorch's autograd, written again on NumPy.

`import minigrad as torch` runs an ordinary torch program. This file holds the public names and nothing else.
"""

import math as _math
import typing as _typing
from importlib import import_module as _import_module

from . import autograd, cuda
from . import methods as _methods
from .autograd.anomaly_mode import is_anomaly_enabled
from .dtypes import (
    Size,
    bool,
    can_cast,
    channels_last,
    contiguous_format,
    device,
    double,
    dtype,
    finfo,
    float,
    float16,
    float32,
    float64,
    get_default_dtype,
    half,
    iinfo,
    int,
    int8,
    int16,
    int32,
    int64,
    long,
    memory_format,
    preserve_format,
    promote_types,
    set_default_dtype,
    short,
    uint8,
)  # fmt: skip
from .functions import *
from .grad_mode import (
    enable_grad,
    inference_mode,
    is_grad_enabled,
    is_inference_mode_enabled,
    no_grad,
    set_grad_enabled,
)  # fmt: skip
from .methods import allclose, equal, isclose, isin
from .primitive import common_dtype as _common_dtype
from .printing import set_printoptions
from .tensor import Tensor

if _typing.TYPE_CHECKING:
    from . import backends, linalg, nn, optim, random, serialization, utils
    from .random import (
        Generator,
        bernoulli,
        default_generator,
        get_rng_state,
        initial_seed,
        manual_seed,
        multinomial,
        normal,
        poisson,
        rand,
        rand_like,
        randint,
        randint_like,
        randn,
        randn_like,
        randperm,
        seed,
        set_rng_state,
    )
    from .serialization import SerializationError, load, save

globals().update(_methods.TYPES)
_LATER = {  # imported when first asked for, so that importing minigrad costs little more than importing NumPy
    "nn": "nn", "optim": "optim", "utils": "utils", "serialization": "serialization", "save": "serialization",
    "load": "serialization", "SerializationError": "serialization", "backends": "backends", "linalg": "linalg",
    "inverse": "linalg",
    "use_deterministic_algorithms": "settings", "are_deterministic_algorithms_enabled": "settings",
    "is_deterministic_algorithms_warn_only_enabled": "settings", "set_float32_matmul_precision": "settings",
    "get_float32_matmul_precision": "settings", "dropout": "nn.at_top", "embedding": "nn.at_top",
    "layer_norm": "nn.at_top", "selu": "nn.functional", "celu": "nn.functional", "threshold": "nn.functional",
    "prelu": "nn.functional", "cosine_similarity": "nn.functional", "to_dlpack": "utils.dlpack",
    "random": "random", "Generator": "random", "bernoulli": "random", "default_generator": "random",
    "get_rng_state": "random", "initial_seed": "random", "manual_seed": "random", "multinomial": "random",
    "normal": "random", "poisson": "random", "rand": "random", "rand_like": "random", "randint": "random",
    "randint_like": "random", "randn": "random", "randn_like": "random", "randperm": "random", "seed": "random",
    "set_rng_state": "random",
}  # fmt: skip


def __getattr__(name):
    if name not in _LATER:
        raise AttributeError(f"module 'minigrad' has no attribute '{name}'")
    module = _import_module("." + _LATER[name], __name__)
    value = globals()[name] = module if name == _LATER[name] else getattr(module, name)
    return value


def __dir__():
    return sorted({*globals(), *_LATER})


__version__ = "0.1.0"
pi, e, inf, nan, newaxis = _math.pi, _math.e, _math.inf, _math.nan, None
strided = "torch.strided"
_ONLY_METHODS = "contiguous expand expand_as getitem repeat reshape_as setitem sum_to_size unfold view view_as zero"
for _name in _ONLY_METHODS.split():  # in torch
    del globals()[_name]
detach = Tensor.detach
_IN_PLACE = """
abs_ acos_ acosh_ addmv_ arccos_ arccosh_ arcsin_ arcsinh_ arctan_ arctanh_ asin_ asinh_ atan_ atanh_ ceil_ clamp_
clamp_max_ clamp_min_ clip_ cos_ cosh_ deg2rad_ detach_ erf_ erfc_ exp2_ exp_ expm1_ fill_ fix_ floor_ frac_ gcd_
index_put_ lcm_ ldexp_ log10_ log1p_ log2_ log_ logit_ nan_to_num_ neg_ negative_ rad2deg_ reciprocal_ relu_ round_
rsqrt_ sigmoid_ sin_ sinc_ sinh_ sqrt_ square_ tan_ tanh_ trunc_ xlogy_ zero_
""".split()  # those that torch has as functions, too
globals().update({name: getattr(Tensor, name) for name in _IN_PLACE})


def is_tensor(obj):
    """True for a Tensor."""
    return isinstance(obj, Tensor)


def is_floating_point(input):
    """True if the tensor's dtype is floating point."""
    return input.dtype.is_floating_point


def is_complex(input):
    """False: there are no complex tensors."""
    return False


def is_signed(input):
    """True if the tensor's dtype has negative numbers."""
    return input.is_signed()


def is_inference(input):
    """True for a tensor made in inference mode."""
    return input.is_inference()


def is_same_size(input, other):
    """True if both shapes are equal."""
    return input.is_same_size(other)


def real(input):
    """The tensor itself: there are no complex ones."""
    return input.real


def typename(obj, /):
    """torch's name of a tensor's type, such as torch.FloatTensor; of anything else its full name, or its class's."""
    if isinstance(obj, Tensor):
        return obj.type()
    named = obj if hasattr(obj, "__qualname__") or hasattr(obj, "__name__") else type(obj)
    name = getattr(named, "__qualname__", None) or named.__name__
    module = getattr(named, "__module__", "") or ""
    return name if module in ("", "builtins") else f"{module}.{name}"


def is_nonzero(input):
    """The truth of a one-element tensor."""
    return input.__bool__()


def numel(input):
    """The number of elements."""
    return input.numel()


def result_type(tensor1, tensor2):
    """The dtype of an operation on two operands, tensors or numbers."""
    return _common_dtype([tensor1, tensor2])


def set_default_device(device):
    """Accepts "cpu", the one device there is."""
    from .dtypes import check_device

    check_device(device)


def set_num_threads(n):
    """Accepted for compatibility: NumPy's BLAS has its own settings, such as OPENBLAS_NUM_THREADS."""


def get_num_threads():
    """1: elementwise operations run in one thread."""
    return 1


def get_device_module(device=None):
    """Raises: there is no device but the CPU."""
    raise RuntimeError("minigrad has no device modules")
