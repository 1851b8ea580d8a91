"""What a tensor's numbers are: dtypes with torch's promotion, sizes, devices.

Owns the table of dtypes, the default dtype, `Size` and `device`. Knows NumPy's dtypes, no Tensor.
"""

import builtins

import numpy as np


class dtype:
    """A tensor's element type, printed as torch prints it.

    >>> import minigrad
    >>> minigrad.float32, minigrad.float32.itemsize, minigrad.int64.is_floating_point
    (torch.float32, 4, False)
    """

    __slots__ = ("name", "numpy", "is_floating_point", "is_signed", "itemsize", "category", "type_name")
    is_complex = False

    def __init__(self, name, type_name):
        self.name = name
        self.numpy = np.dtype(name)
        kind = self.numpy.kind
        self.is_floating_point = kind == "f"
        self.is_signed = kind in "fi"
        self.itemsize = self.numpy.itemsize
        self.category = {"b": 0, "u": 1, "i": 1, "f": 2}[kind]  # bool < integer < floating point
        self.type_name = type_name

    def __repr__(self):
        return "torch." + self.name

    def __reduce__(self):
        return _named, (self.name,)

    def __copy__(self):
        return self

    def __deepcopy__(self, memo):
        return self


def _named(name):
    return next(d for d in ALL if d.name == name)


float16 = half = dtype("float16", "Half")
float32 = float = dtype("float32", "Float")
float64 = double = dtype("float64", "Double")
int8 = dtype("int8", "Char")
int16 = short = dtype("int16", "Short")
int32 = int = dtype("int32", "Int")
int64 = long = dtype("int64", "Long")
uint8 = dtype("uint8", "Byte")
bool_ = bool = dtype("bool", "Bool")
ALL = (float16, float32, float64, int8, int16, int32, int64, uint8, bool_)
HALF = {float16, float16.numpy}  # half precision as tensors and arrays name it; torch's joins when its arrays do

_BY_NUMPY = {d.numpy: d for d in ALL}
# NumPy dtype -> the least and the largest number that it holds; np.finfo and np.iinfo take a microsecond to ask.
RANGES = {bool_.numpy: (0, 1)}
for _d in ALL[:3]:
    RANGES[_d.numpy] = builtins.float(np.finfo(_d.numpy).min), builtins.float(np.finfo(_d.numpy).max)
for _d in ALL[3:-1]:
    RANGES[_d.numpy] = builtins.int(np.iinfo(_d.numpy).min), builtins.int(np.iinfo(_d.numpy).max)
_BY_PYTHON = {builtins.bool: bool_, builtins.int: int64, builtins.float: float64}

_default = float32


def get_default_dtype():
    """The dtype of tensors made from Python floats: float32 unless set."""
    return _default


def set_default_dtype(d):
    """Make `d`, a floating point dtype, the default. Raises TypeError for any other."""
    global _default
    if not isinstance(d, dtype):
        raise TypeError(f"invalid dtype object: {d!r} is not a dtype; give one of float16, float32, float64")
    if not d.is_floating_point:
        raise TypeError(f"only floating-point types are supported as the default type, but got {d}")
    _default = d


def from_numpy(numpy_dtype):
    """The dtype of an array's elements. Raises TypeError for one that tensors cannot hold."""
    try:
        return _BY_NUMPY[numpy_dtype]
    except KeyError:
        pass
    native = np.dtype(numpy_dtype).newbyteorder("=")
    if native in _BY_NUMPY:
        raise ValueError(
            f"given numpy array has byte order different from the native byte order ({numpy_dtype}). "
            "Conversion between byte orders is currently not supported; use "
            "array.astype(array.dtype.newbyteorder('='))."
        )
    supported = ", ".join(d.name for d in ALL)
    raise TypeError(
        f"can't convert np.ndarray of type numpy.{np.dtype(numpy_dtype).type.__name__}. "
        f"The only supported types are: {supported}."
    )


def as_dtype(d):
    """A dtype from what users write for one: a dtype, or Python's float, int, bool."""
    if d.__class__ is dtype:
        return d
    if isinstance(d, type) and d in _BY_PYTHON:
        return _BY_PYTHON[d]
    raise TypeError(
        f"argument 'dtype' must be torch.dtype, not {type(d).__name__}: {d!r} is no dtype such as minigrad.float32"
    )


def as_numpy(d):
    """The NumPy dtype of a dtype; None means the default dtype."""
    return (_default if d is None else as_dtype(d)).numpy


def promote_types(a, b):
    """The smallest dtype that holds both, by torch's rule: a float beats any integer, whatever its size.

    >>> import minigrad
    >>> minigrad.promote_types(minigrad.int64, minigrad.float16)
    torch.float16
    """
    if a is b:
        return a
    if a.category != b.category:
        return a if a.category > b.category else b
    return _BY_NUMPY[np.promote_types(a.numpy, b.numpy)]


def result_dtype(dimensioned, zero_dim, scalars):
    """torch's promotion: three groups of dtypes, of which a later one counts only by a higher category.

    `dimensioned`: dtypes of tensors with at least one dimension; `zero_dim`: of 0-d tensors; `scalars`: of Python
    numbers (bool_, int64 or the default dtype).
    """
    result = None
    for group in (dimensioned, zero_dim, scalars):
        of_group = None
        for d in group:
            of_group = d if of_group is None else promote_types(of_group, d)
        if of_group is not None and (result is None or of_group.category > result.category):
            result = of_group
    return result


def can_cast(from_, to):
    """True if torch lets a result of dtype `from_` be written into `to`: the category may not fall.

    >>> import minigrad
    >>> minigrad.can_cast(minigrad.float32, minigrad.int64)
    False
    """
    return from_.category <= to.category


def scalar_dtype(value):
    """The dtype that a Python number counts as in promotion; None if it is not a number."""
    if value.__class__ is builtins.float:
        return _default
    if isinstance(value, (builtins.bool, np.bool_)):
        return bool_
    if isinstance(value, (builtins.int, np.integer)):
        return int64
    if isinstance(value, (builtins.float, np.floating)):
        return _default
    return None


class finfo:
    """Limits of a floating point dtype: bits, eps, max, min, tiny, smallest_normal, resolution."""

    def __init__(self, type=None):
        d = _default if type is None else type
        if not d.is_floating_point:
            raise TypeError(
                "torch.finfo() requires a floating point input type. Use torch.iinfo to handle 'torch.finfo'"
            )
        info = np.finfo(d.numpy)
        self.dtype, self.bits = d.name, info.bits
        for name in ("eps", "max", "min", "tiny", "smallest_normal"):
            setattr(self, name, builtins.float(getattr(info, name)))
        self.resolution = builtins.float(f"1e-{info.precision}")  # not rounded to the dtype, as torch's

    def __repr__(self):
        return (
            f"finfo(resolution={self.resolution:g}, min={self.min:g}, max={self.max:g}, eps={self.eps:g}, "
            f"smallest_normal={self.smallest_normal:g}, tiny={self.tiny:g}, dtype={self.dtype})"
        )


class iinfo:
    """Limits of an integer dtype: bits, max, min."""

    def __init__(self, type):
        if type.is_floating_point or type is bool_:
            raise TypeError("torch.iinfo() requires an integer input type. Use torch.finfo to handle 'torch.iinfo'")
        info = np.iinfo(type.numpy)
        self.dtype, self.bits = type.name, info.bits
        self.min, self.max = builtins.int(info.min), builtins.int(info.max)

    def __repr__(self):
        return f"iinfo(min={self.min:g}, max={self.max:g}, dtype={self.dtype})"


class Size(tuple):
    """A shape: a tuple that prints as torch.Size and knows its number of elements.

    >>> import minigrad
    >>> minigrad.Size([2, 3]), minigrad.Size([2, 3]).numel()
    (torch.Size([2, 3]), 6)
    """

    __slots__ = ()

    def __repr__(self):
        return f"torch.Size({list(self)})"

    def __getitem__(self, index):
        item = tuple.__getitem__(self, index)
        return Size(item) if isinstance(index, slice) else item

    def __add__(self, other):
        return Size(tuple.__add__(self, other)) if isinstance(other, tuple) else NotImplemented

    def __radd__(self, other):
        return Size(tuple(other) + tuple(self))

    def __mul__(self, count):
        return Size(tuple.__mul__(self, count))

    __rmul__ = __mul__

    def numel(self):
        """The product of the sizes."""
        count = 1
        for n in self:
            count *= n
        return count


class memory_format:
    """The order of a tensor's elements in memory, as the `memory_format` of clone, contiguous, to and is_contiguous."""

    def __init__(self, name):
        self._name = name

    def __repr__(self):
        return f"torch.{self._name}"

    def __reduce__(self):
        return self._name  # there is one object of each


contiguous_format, preserve_format = memory_format("contiguous_format"), memory_format("preserve_format")
channels_last = memory_format("channels_last")


class device:
    """Where a tensor lives. `device("cpu")` is always there; another type is served by a torch array namespace."""

    __slots__ = ("type", "index")

    def __init__(self, type="cpu", index=None):
        if isinstance(type, device):
            type, index = type.type, type.index
        name, _, number = type.partition(":") if isinstance(type, str) else ("", "", "")
        if isinstance(type, builtins.int):
            name, index = "cuda", type
        if name not in ("cpu", "cuda", "meta") or (number and not number.isdigit()):
            raise RuntimeError(
                f"Expected one of cpu, cuda, meta device type at start of device string: {type!r}; minigrad has cpu"
            )
        self.type = name
        self.index = builtins.int(number) if number else index

    def __repr__(self):
        return (
            f"device(type='{self.type}')" if self.index is None else f"device(type='{self.type}', index={self.index})"
        )

    def __str__(self):
        return self.type if self.index is None else f"{self.type}:{self.index}"

    def __eq__(self, other):
        return isinstance(other, device) and (self.type, self.index) == (other.type, other.index)

    def __hash__(self):
        return hash((self.type, self.index))

    def __enter__(self):
        check_device(self)  # where tensors are made anyway
        return self

    def __exit__(self, *exception):
        return None

    def __reduce__(self):
        return device, (str(self),)


CPU = device("cpu")


def find_device(wanted):
    """The device that `wanted` (a device, string or number; None: the CPU) names. Raises AssertionError if it
    cannot be reached."""
    if wanted is None or wanted is CPU:
        return CPU
    wanted = device(wanted)
    if wanted.type == "cuda":
        try:
            from .torch_namespace import reach
        except ImportError as error:
            raise AssertionError(f"Torch not compiled with CUDA enabled: {error}") from None
        reach(wanted)
    elif wanted.type != "cpu":
        check_device(wanted)
    return wanted


def check_device(wanted):
    """Raise unless `wanted` (a device, a string or None) is one that NumPy arrays live on."""
    if wanted is None or wanted is CPU:
        return
    if device(wanted).type != "cpu":
        raise RuntimeError(
            f"minigrad was asked for device '{device(wanted)}', but holds NumPy arrays, which live on device 'cpu'. "
            "Use device='cpu' (or leave it out)."
        )
