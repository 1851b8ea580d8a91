"""The knot: Tensor gets its operators and methods.

Ops make Tensors and Tensors have ops; this is the one place where the two meet. Owns the table of names, and the
methods that are no function of torch's: conversions, protocols, the autograd methods. Knows no derivative.
"""

import copy
import importlib
import weakref

import numpy as np

from . import autograd, dtypes, functions
from .dtypes import Size
from .functions.arguments import scalar_as
from .functions.calls import as_called
from .functions.pointwise import fill_in_place
from .grad_mode import state
from .graph import Underived
from .hooks import add_hook
from .inplace import check_writable, in_place, is_dense, set_history, snapshot, write
from .namespace import address
from .ops import elementwise, shape
from .primitive import as_operand, common_dtype, to_dtype
from .printing import tensor_format, tensor_repr
from .tensor import Tensor, alias, as_array, wrap

# -- methods that are functions ------------------------------------------------------------------------------------

METHODS = """
abs absolute acos acosh add addbmm addcdiv addcmul addmm addmv addr adjoint all amax amin aminmax any arccos arccosh
arcsin arcsinh arctan arctan2 arctanh argmax argmin argsort argwhere asin asinh atan atan2 atanh baddbmm bincount
bitwise_and bitwise_left_shift bitwise_not bitwise_or bitwise_right_shift bitwise_xor bmm broadcast_to ceil chunk clamp
clamp_max clamp_min clip clone contiguous copysign corrcoef cos cosh count_nonzero cov cross cummax cummin cumprod
cumsum deg2rad diag diag_embed diagflat diagonal diagonal_scatter diff dist div divide dot dsplit eq erf erfc exp exp2
expand expand_as expm1 fix flatten flip fliplr flipud float_power floor floor_divide fmax fmin fmod frac gather gcd ge
ger greater greater_equal gt heaviside histc hsplit hypot index_add index_copy index_fill index_put index_select inner
isfinite isinf isnan isneginf isposinf isreal kron kthvalue lcm ldexp le lerp less less_equal log log10 log1p log2
log_softmax logaddexp logaddexp2 logcumsumexp logical_and logical_not logical_or logical_xor logit logsumexp lt
masked_fill masked_scatter masked_select matmul matrix_power max maximum mean median min minimum mm mode moveaxis
movedim msort mul multiply mv nan_to_num nanmean nanmedian nansum narrow ne neg negative nonzero norm not_equal outer
permute positive pow prod put quantile rad2deg ravel reciprocal relu remainder repeat repeat_interleave reshape
reshape_as roll rot90 round rsqrt scatter scatter_add scatter_reduce select select_scatter sgn sigmoid sign signbit sin
sinc sinh slice_scatter softmax sort split split_with_sizes sqrt square squeeze std sub subtract sum sum_to_size
swapaxes swapdims t take take_along_dim tan tanh tensor_split tile topk trace transpose tril triu true_divide trunc
unbind unflatten unfold unique unique_consecutive unsqueeze var vdot view view_as vsplit xlogy
""".split()
for _name in METHODS:
    setattr(Tensor, _name, getattr(functions, _name))

IN_PLACE = """
abs absolute acos acosh add addcdiv addcmul addmm addmv addr addbmm arccos arccosh arcsin arcsinh arctan arctan2 arctanh
asin asinh atan atan2 atanh baddbmm bitwise_and bitwise_left_shift bitwise_not bitwise_or bitwise_right_shift
bitwise_xor ceil clamp clamp_max clamp_min clip copysign cos cosh cumprod cumsum deg2rad div divide eq erf erfc exp exp2
expm1 fix float_power floor floor_divide fmod frac gcd ge greater greater_equal gt heaviside hypot index_add index_copy
index_fill index_put lcm ldexp le lerp less less_equal log log10 log1p log2 logical_and logical_not logical_or
logical_xor logit lt masked_fill masked_scatter mul multiply nan_to_num ne neg negative not_equal pow put rad2deg
reciprocal relu remainder round rsqrt scatter scatter_add scatter_reduce sgn sigmoid sign sin sinc sinh sqrt square sub
subtract tan tanh tril triu true_divide trunc xlogy zero
""".split()
for _name in IN_PLACE:
    setattr(Tensor, _name + "_", in_place(getattr(functions, _name), _name + "_"))

for _name in ("acosh", "asinh", "atanh"):
    _method = in_place(getattr(elementwise, _name + "_in_place"), _name + "_")
    setattr(Tensor, _name + "_", _method)
    setattr(Tensor, "arc" + _name[1:] + "_", _method)

Tensor.fill_ = in_place(fill_in_place, "fill_")


def _later(module, name):
    """A method from a module that is imported when it is asked for."""

    def method(self, *args, **keywords):
        return getattr(importlib.import_module(f".{module}", __package__), name)(self, *args, **keywords)

    method.__name__ = method.__qualname__ = name
    method.__doc__ = f"minigrad.{module}.{name} of this tensor."
    return method


for _name in """
uniform_ normal_ random_ bernoulli_ exponential_ geometric_ cauchy_ log_normal_ bernoulli multinomial
""".split():
    setattr(Tensor, _name, _later("random", _name))
Tensor.inverse = _later("linalg", "inverse")


def _where(self, condition, other):
    """self where condition, other elsewhere"""
    return functions.where(condition, self, other)


Tensor.where = _where


# -- in place, the fast way ----------------------------------------------------------------------------------------


def _in_place_arithmetic(name):
    """add_, sub_, mul_, div_: written straight into the memory when nothing is recorded and the dtypes agree."""
    general = in_place(getattr(functions, name), name + "_")
    ufunc = {"add": np.add, "sub": np.subtract, "mul": np.multiply, "div": np.true_divide}[name]

    def method(self, other, **keywords):
        array = self._array
        if state.enabled or keywords or array.dtype.char not in "fd" or self._inference:
            return general(self, other, **keywords)
        if isinstance(other, Tensor):
            value = other._array
            if value.dtype is not array.dtype and (value.dtype.kind == "b" or value.dtype.kind == "f" and value.ndim):
                return general(self, other)
            if array.ndim and (array.base is not None or value.base is not None):
                if np.may_share_memory(array, value):
                    return general(self, other)
        elif other.__class__ is float or other.__class__ is int:
            value = other
        else:
            return general(self, other)
        if 0 in array.strides:
            return general(self, other)
        try:
            if array.ndim or value is not other and (value.ndim or value.dtype is not array.dtype):
                state.run(ufunc, array, value, array)
            else:  # for single numbers a quarter of the time that `out` takes
                array[()] = state.run(ufunc, array, value)
        except (ValueError, TypeError):
            return general(self, other)
        self._counter[0] += 1
        return self

    method.__name__ = method.__qualname__ = name + "_"
    method.__doc__ = general.__doc__
    return method


for _name in ("add", "sub", "mul", "div"):
    setattr(Tensor, _name + "_", _in_place_arithmetic(_name))
Tensor.subtract_, Tensor.multiply_, Tensor.divide_, Tensor.true_divide_ = (
    Tensor.sub_,
    Tensor.mul_,
    Tensor.div_,
    Tensor.div_,
)


def _copy_(self, src, non_blocking=False):
    """Write the values of src (broadcast, converted to this dtype) into this tensor and return it."""
    src = src if isinstance(src, Tensor) else as_operand(src)
    recording = check_writable(self, src)
    if src is self and not recording:
        self._counter[0] += 1
        return self
    src = to_dtype(src, self.dtype)
    if src._array.shape != self._array.shape:
        src = functions.expand(src, self._array.shape)
    if recording:
        return write(self, elementwise.copied(snapshot(self), src))
    return write(self, wrap(src._array.copy() if np.may_share_memory(src._array, self._array) else src._array))


Tensor.copy_ = _copy_


def _set_(self, source):
    """Show the memory of another tensor from now on; no gradient goes back from here."""
    functions.arguments.tensor_argument(source, "set_", "source")
    if source._array.dtype != self._array.dtype:
        raise RuntimeError(
            f"Could not set tensor of type {source.dtype.type_name.lower()} to a tensor of type "
            f"{self.dtype.type_name.lower()}: convert it first, as in source.to(tensor.dtype)"
        )
    recording = check_writable(self, source, may_overlap=True, apart=None)
    self._array, self._base = source._array, None
    self._counter[0] += 1
    if recording:
        set_history(self, Underived("set_"))
    return self


Tensor.set_ = _set_


def _fill_diagonal_(self, fill_value, wrap=False):
    """Write a number along the main diagonal; with `wrap` it begins again below where it left a tall matrix."""
    shape = self._array.shape
    if len(shape) < 2:
        raise RuntimeError("dimensions must larger than 1")
    if len(shape) > 2 and len(set(shape)) > 1:
        raise RuntimeError("all dimensions of input must be of equal length")
    check_writable(self, through_view=True)
    rows = np.arange(min(shape))
    columns = [rows] * (len(shape) - 1)
    if wrap and len(shape) == 2:
        rows = np.arange(shape[0])[np.arange(shape[0]) % (shape[1] + 1) < shape[1]]
        columns = [rows % (shape[1] + 1)]
    self[(rows, *columns)] = scalar_as(fill_value.item() if isinstance(fill_value, Tensor) else fill_value, self.dtype)
    return self


Tensor.fill_diagonal_ = _fill_diagonal_


def _reshaping(name):
    """squeeze_, unsqueeze_, transpose_, t_: the same memory under another shape."""
    function = getattr(functions, name)

    def method(self, *args):
        if self._base is not None or self.requires_grad:
            check_writable(self, may_overlap=True)
        view = function(self, *args)
        self._array = view._array
        self._counter[0] += 1
        if view._node is not None:  # a gradient that is retained stays that of the tensor before, as in torch
            self._node, self._base_version = view._node, self._counter[0]
        return self

    method.__name__, method.__doc__ = name + "_", f"`{name}` in place: this tensor shows the same memory reshaped."
    return method


for _name in ("squeeze", "unsqueeze", "transpose", "t", "swapaxes", "swapdims"):
    setattr(Tensor, _name + "_", _reshaping(_name))


# -- operators -----------------------------------------------------------------------------------------------------


def _operand(x):
    return x if isinstance(x, Tensor) else as_operand(x)


def _operator(function):
    """A binary operator: NotImplemented for what no Tensor can be combined with, so that Python asks the other side."""

    def forward(self, other):
        return function(self, other) if other.__class__ in _USUAL or _known(other) else NotImplemented

    return forward


def _reflected(function):
    def backward(self, other):
        if not _known(other):
            return NotImplemented
        return function(_operand(other), self)

    return backward


def _known(x):
    return isinstance(x, (Tensor, int, float, np.ndarray, np.generic))


_USUAL = {Tensor, int, float}  # a set costs a third of isinstance, and asked in the operator itself a fifth of a call


Tensor.__add__ = Tensor.__radd__ = elementwise.add.primitive.operator
Tensor.__mul__ = Tensor.__rmul__ = elementwise.mul.primitive.operator
Tensor.__sub__, Tensor.__rsub__ = elementwise.sub.primitive.operator, elementwise.rsub.primitive.operator
Tensor.__truediv__ = elementwise.div.primitive.operator
Tensor.__rtruediv__ = _operator(lambda self, other: elementwise.reciprocal(self) * other)  # as torch computes it
Tensor.__floordiv__, Tensor.__rfloordiv__ = _operator(functions.floor_divide), _reflected(functions.floor_divide)
Tensor.__mod__, Tensor.__rmod__ = _operator(functions.remainder), _reflected(functions.remainder)
Tensor.__pow__, Tensor.__rpow__ = _operator(functions.pow), _reflected(functions.pow)
Tensor.__matmul__, Tensor.__rmatmul__ = _operator(functions.matmul), _reflected(functions.matmul)
Tensor.__and__ = Tensor.__rand__ = _operator(functions.bitwise_and)
Tensor.__or__ = Tensor.__ror__ = _operator(functions.bitwise_or)
Tensor.__xor__ = Tensor.__rxor__ = _operator(functions.bitwise_xor)
Tensor.__lshift__, Tensor.__rshift__ = _operator(functions.bitwise_left_shift), _operator(functions.bitwise_right_shift)
Tensor.__rlshift__ = _reflected(functions.bitwise_left_shift)
Tensor.__rrshift__ = _reflected(functions.bitwise_right_shift)
for _name in ("eq", "ne", "lt", "le", "gt", "ge"):
    setattr(Tensor, f"__{_name}__", getattr(elementwise, _name).primitive.operator)
Tensor.__neg__, Tensor.__pos__, Tensor.__abs__ = functions.neg, functions.positive, functions.abs


def _invert(self):
    if self._array.dtype.kind == "f":
        raise TypeError("~ (operator.invert) is only implemented on integer and Boolean-type tensors")
    return functions.bitwise_not(self)


Tensor.__invert__ = _invert
for _symbol, _method in {
    "add": "add_", "sub": "sub_", "mul": "mul_", "truediv": "div_", "floordiv": "floor_divide_", "mod": "remainder_",
    "pow": "pow_", "and": "bitwise_and_", "or": "bitwise_or_", "xor": "bitwise_xor_", "lshift": "bitwise_left_shift_",
    "rshift": "bitwise_right_shift_",
}.items():  # fmt: skip
    setattr(Tensor, f"__i{_symbol}__", getattr(Tensor, _method))
Tensor.__getitem__, Tensor.__setitem__ = functions.getitem, functions.setitem

Tensor.T = property(
    lambda self: functions.permute(self, tuple(range(self._array.ndim))[::-1]), doc="All dims reversed."
)


def _mT(self):
    if self._array.ndim == 0:
        return self
    if self._array.ndim < 2:
        raise RuntimeError(
            f"tensor.mT is only supported on matrices or batches of matrices. Got {self._array.ndim}-D tensor."
        )
    return functions.transpose(self, -2, -1)


Tensor.mT = Tensor.mH = property(_mT, doc="The last two dims swapped.")
Tensor.H = property(lambda self: functions.t(self), doc="A matrix transposed.")
Tensor.real = property(lambda self: self, doc="The tensor itself: there are no complex ones.")


# -- sizes ---------------------------------------------------------------------------------------------------------


def _size(self, dim=None):
    """The shape, or the size of one dim."""
    if dim is None:
        return self.shape
    if not self._array.ndim:
        raise IndexError(f"Dimension specified as {dim} but tensor has no dimensions")
    return self._array.shape[functions.arguments.one_dim(dim, self._array.ndim, "size")]


def _stride(self, dim=None):
    """How many elements lie between neighbours along each dim."""
    strides = tuple(s // self._array.itemsize for s in self._array.strides)
    if not self._array.size or 1 in self._array.shape:
        strides = _torch_strides(self._array, strides)
    return strides if dim is None else strides[dim]


def _torch_strides(array, strides):
    """NumPy's strides, but for those that are arbitrary, as they do not matter: a new array's, and a new dim's 0."""
    arbitrary = not array.size or array.flags.owndata and array.flags.c_contiguous
    out, step = [], 1
    for n, stride in zip(reversed(array.shape), reversed(strides)):
        out.append(step if arbitrary or n == 1 and not stride else stride)
        step = out[-1] * max(n, 1)
    return tuple(reversed(out))


Tensor.size, Tensor.stride = _size, _stride
for _names, _question, _doc in (
    ("ndimension dim", lambda self: self._array.ndim, "The number of dimensions."),
    ("nelement numel", lambda self: self._array.size, "The number of elements."),
    ("element_size", lambda self: self._array.itemsize, "Bytes per element."),
    (
        "is_contiguous",
        lambda self, memory_format=dtypes.contiguous_format: functions.shape.is_laid_out(self, memory_format),
        "True if the elements lie in memory in the order of the last dim first.",
    ),
    ("is_floating_point", lambda self: self._array.dtype.kind == "f", "True for float16, float32 and float64."),
    ("is_complex", lambda self: False, "False: there are no complex tensors."),
    ("is_signed", lambda self: self._array.dtype.kind in "if", "True if the dtype has negative numbers."),
    ("is_pinned", lambda self: False, "False: there is no pinned memory."),
    ("is_same_size", lambda self, other: self._array.shape == other._array.shape, "True if both shapes are equal."),
    ("is_set_to", lambda self, tensor: self._array is tensor._array, "True if both hold the very same array."),
    ("data_ptr", lambda self: address(self._array), "The address of the first element."),
    ("get_device", lambda self: (self.device.index or 0) if self.is_cuda else -1, "The GPU's number; -1 on the CPU."),
    ("type_as", lambda self, other: self.to(other.dtype), "This tensor as the dtype of another."),
    (
        "cpu",
        lambda self, memory_format=None: self.to(dtypes.CPU, memory_format=memory_format),
        "This tensor on the CPU.",
    ),
    ("new", lambda self, *args: construct(self.dtype, args), "A tensor of this dtype, of given sizes or data."),
    ("tolist", lambda self: self._array.tolist(), "Nested lists of Python numbers; a number for a 0-d tensor."),
):
    _question.__doc__ = _doc
    for _name in _names.split():
        _question.__name__ = _name
        setattr(Tensor, _name, _question)


def _storage_offset(self):
    """How many elements lie before this view's first in its base's memory."""
    base = self._array if self._base is None else self._base._array
    return (address(self._array) - address(base)) // self._array.itemsize


Tensor.storage_offset = _storage_offset
Tensor._is_view = lambda self: self._base is not None and not self._inference


# -- conversion ----------------------------------------------------------------------------------------------------


_TO = {  # what `to` takes in each place
    "tensor": lambda x: isinstance(x, Tensor),
    "dtype": lambda x: x is None or isinstance(x, dtypes.dtype) or isinstance(x, type) and x in (float, int, bool),
    "device": lambda x: x is None or isinstance(x, (str, dtypes.device)) or type(x) is int,
    "non_blocking": lambda x: isinstance(x, bool),
    "copy": lambda x: isinstance(x, bool),
    "memory_format": lambda x: True,
}


def arguments_of_to(args, keywords):
    """(dtype, device, copy, memory_format) of a call of `to`, whose first argument is a Tensor, a dtype or a device;
    None where it says nothing."""
    if "tensor" in keywords or args and isinstance(args[0], Tensor):
        names = ["tensor"]
    elif args and args[0] is not None and _TO["dtype"](args[0]):
        names = ["dtype"]
    else:
        names = ["device", "dtype"]
    names += ["non_blocking", "copy"]
    given = {**dict(zip(names, args)), **keywords}
    fits = given.keys() <= {*names, "memory_format"} and all(_TO[name](value) for name, value in given.items())
    if not fits or len(given) < len(args) + len(keywords):
        shown = [f"{name}{'torch.' * isinstance(a, dtypes.dtype)}{type(a).__name__}" for name, a in
                 [("", a) for a in args] + [(f"{name}=", a) for name, a in keywords.items()]]  # fmt: skip
        raise TypeError(
            f"to() received an invalid combination of arguments - got ({', '.join(shown)}), but expected (device, "
            "dtype), (dtype) or (tensor), each with non_blocking, copy and memory_format behind it"
        )
    copy, memory_format = given.get("copy"), given.get("memory_format")
    if "tensor" in given:
        return given["tensor"].dtype, given["tensor"].device, copy, memory_format
    dtype = given.get("dtype")
    return None if dtype is None else dtypes.as_dtype(dtype), given.get("device"), copy, memory_format


def to(self, *args, **keywords):
    """This tensor as another dtype, on another device, or as another tensor is; self if nothing changes."""
    if len(args) == 1 and not keywords and args[0].__class__ is dtypes.dtype:
        dtype, device, copy, memory_format = args[0], None, False, None
    else:
        dtype, device, copy, memory_format = arguments_of_to(args, keywords)
    if device is not None:
        wanted, here = dtypes.find_device(device), self.device
        if wanted.type != here.type or wanted.index not in (None, here.index):
            self, copy = elementwise.to_device(self, device=wanted, x_device=here), False
    target = self._array.dtype if dtype is None else dtype.numpy
    if target == self._array.dtype:
        if copy or memory_format not in (None, dtypes.preserve_format) and memory_format is not _format_of(self):
            return self.clone(memory_format=memory_format)
        return self
    if target.kind == "f" and self._array.dtype.kind == "f":
        out = elementwise.cast(self, dtype=target, x_dtype=self._array.dtype)
    else:
        out = elementwise.convert(self, dtype=target)
    return out if memory_format is None else functions.shape.laid_out(out, memory_format)


def _format_of(tensor):
    """The memory_format that torch takes a tensor to have."""
    if not tensor._array.flags.c_contiguous and tensor.is_contiguous(memory_format=dtypes.channels_last):
        return dtypes.channels_last
    return dtypes.contiguous_format


def _converter(name, dtype):
    def method(self, memory_format=None):
        return self.to(dtype) if memory_format is None else self.to(dtype, memory_format=memory_format)

    method.__name__ = method.__qualname__ = name
    method.__doc__ = f"This tensor as {dtype.name}."
    return method


Tensor.to = to
for _name, _dtype in {
    "double": dtypes.float64, "float": dtypes.float32, "half": dtypes.float16, "int": dtypes.int32,
    "long": dtypes.int64,
    "short": dtypes.int16, "bool": dtypes.bool_, "byte": dtypes.uint8, "char": dtypes.int8,
}.items():  # fmt: skip
    setattr(Tensor, _name, _converter(_name, _dtype))
Tensor.cpu.__doc__ = "This tensor on the CPU."


def _cuda(self, device=None, non_blocking=False):
    """This tensor on a GPU: the first, or the one of that number. Raises RuntimeError where torch has none."""
    return self.to("cuda" if device is None else device)


Tensor.cuda = _cuda


class TensorType(type):
    """FloatTensor and its kin: constructors of one dtype, and what `tensor.type(...)` takes."""

    def __instancecheck__(cls, x):
        return isinstance(x, Tensor) and x.dtype is cls.dtype

    def __call__(cls, *args):
        return construct(cls.dtype, args)

    def __repr__(cls):
        return f"<class 'torch.{cls.__name__}'>"


def construct(dtype, args):
    """Tensor(2, 3): memory of that shape; Tensor(data): a copy of the data; both as `dtype`."""
    if not args:
        return wrap(np.empty(0, dtype.numpy))
    if isinstance(args[0], Size) or all(isinstance(a, int) and not isinstance(a, bool) for a in args):
        return functions.empty(*args, dtype=dtype)
    if len(args) > 1:
        raise TypeError(
            f"new() received an invalid combination of arguments - got ({', '.join(type(a).__name__ for a in args)}): "
            "give sizes, or the data as one nested list"
        )
    data = args[0]
    if isinstance(data, Tensor):
        if data.dtype is not dtype:
            raise TypeError(f"expected {dtype.type_name} (got {data.dtype.type_name}): use tensor.to(dtype)")
        return shape.permute(data, tuple(range(data._array.ndim)), "Alias")
    if isinstance(data, (int, float, bool)):
        raise TypeError(f"new(): data must be a sequence (got {type(data).__name__})")
    return wrap(functions.creation.array_from(data, dtype.numpy))


TYPE_DOC = "Makes a tensor of {} from sizes or data; what `tensor.type()` takes."
TYPES = {
    f"{d.type_name}Tensor": TensorType(
        f"{d.type_name}Tensor", (), {"dtype": d, "__module__": "torch", "__doc__": TYPE_DOC.format(d.name)}
    )
    for d in dtypes.ALL
}


def _init(cls, *args, device=None, **keywords):
    dtypes.check_device(device)
    if "data" in keywords:
        args = (keywords.pop("data"),)
        if isinstance(args[0], Tensor):
            raise TypeError(f"new(): data must be a sequence (got {type(args[0]).__name__})")
    of_any_dtype = args and isinstance(args[0], Tensor)
    out = construct(args[0].dtype if of_any_dtype else dtypes.get_default_dtype(), args)
    if keywords:
        raise TypeError(f"new() got an unexpected keyword argument '{next(iter(keywords))}'")
    if cls is not Tensor:
        out.__class__ = cls
    return out


Tensor.__new__ = staticmethod(_init)


def _type(self, dtype=None, non_blocking=False):
    """torch's name of this tensor's type; or the tensor as another type (a dtype, FloatTensor, "torch.FloatTensor")."""
    if dtype is None:
        return f"torch.{self.dtype.type_name}Tensor"
    if isinstance(dtype, str):
        name = dtype.removeprefix("torch.")
        if name not in TYPES:
            raise ValueError(f"invalid type: '{dtype}'")
        dtype = TYPES[name]
    if isinstance(dtype, TensorType):
        dtype = dtype.dtype
    elif dtype is Tensor:
        dtype = dtypes.get_default_dtype()
    return self.to(dtype)


Tensor.type = _type


def _refuse_recorded(tensor):
    if state.enabled and tensor.requires_grad:
        raise RuntimeError("Can't call numpy() on Tensor that requires grad. Use tensor.detach().numpy() instead.")


def _numpy(self, *, force=False):
    """The array itself: memory is shared. `force=True` also takes a tensor that requires grad (detached)."""
    if not force:
        _refuse_recorded(self)
    return _host(self._array)


def _host(array):
    """The array itself, or what a torch array holds as an ndarray: its memory if that is the CPU's, else a copy."""
    return array if isinstance(array, np.ndarray) else array.numpy()


def _item(self):
    """The one element, as a Python number."""
    if self._array.size != 1:
        raise RuntimeError(f"a Tensor with {self._array.size} elements cannot be converted to Scalar")
    return self._array.item()


Tensor.numpy, Tensor.item = _numpy, _item


def _array_protocol(self, dtype=None, copy=None):
    _refuse_recorded(self)
    if dtype is None or dtype == self._array.dtype:
        return _host(self._array).copy() if copy else _host(self._array)
    return _host(self._array).astype(dtype)


Tensor.__array__ = _array_protocol


def _array_wrap(self, array, context=None, return_scalar=False):
    if array.dtype == np.bool_ or array.dtype in {d.numpy for d in dtypes.ALL}:
        return wrap(np.asarray(array))
    return array


Tensor.__array_wrap__ = _array_wrap


def _dlpack(self, **keywords):
    if self.requires_grad:
        raise BufferError("Can't export tensors that require gradient, use tensor.detach()")
    return self._array.__dlpack__(**keywords)


Tensor.__dlpack__ = _dlpack
Tensor.__dlpack_device__ = lambda self: self._array.__dlpack_device__()


def _number(kind):
    def convert(self):
        if self._array.size != 1:
            raise ValueError("only one element tensors can be converted to Python scalars")
        return kind(self._array.item())

    return convert


Tensor.__float__, Tensor.__int__ = _number(float), _number(int)
Tensor.__complex__ = _number(complex)


def _bool(self):
    n = self._array.size
    if n != 1:
        if not n:
            raise RuntimeError("Boolean value of Tensor with no values is ambiguous")
        raise RuntimeError(
            "Boolean value of Tensor with more than one value is ambiguous: use .any() or .all(), or an elementwise "
            "test"
        )
    return bool(self._array.item())


def _index(self):
    if self._array.size != 1 or self._array.dtype.kind == "f":
        raise TypeError("only integer tensors of a single element can be converted to an index")
    return int(self._array.item())


def _len(self):
    if not self._array.ndim:
        raise TypeError("len() of a 0-d tensor")
    return self._array.shape[0]


def _iter(self):
    if not self._array.ndim:
        raise TypeError("iteration over a 0-d tensor")
    return iter(functions.unbind(self))


def _contains(self, element):
    if isinstance(element, (Tensor, int, float, bool)):
        return bool((element == self).any())
    raise RuntimeError(f"Tensor.__contains__ only supports Tensor or scalar, but you passed in a {type(element)}.")


Tensor.__bool__, Tensor.__index__, Tensor.__len__ = _bool, _index, _len


def _is_nonzero(self):
    """The truth of the one element."""
    return _bool(self)


Tensor.is_nonzero = _is_nonzero
Tensor.__iter__, Tensor.__contains__ = _iter, _contains
Tensor.__reversed__ = lambda self: functions.flip(self, 0) if self._array.ndim else self
Tensor.__repr__ = tensor_repr
Tensor.__format__ = lambda self, spec: tensor_format(self, spec)


def _deepcopy(self, memo):
    if id(self) in memo:
        return memo[id(self)]
    if not self.is_leaf:
        raise RuntimeError(
            "Only Tensors created explicitly by the user (graph leaves) support the deepcopy protocol at the moment.  "
            "If you were attempting to deepcopy a module, this may be because of a torch.nn.utils.weight_norm usage, "
            "see https://github.com/pytorch/pytorch/pull/103001"
        )
    out = memo[id(self)] = wrap(_copied(self._array, memo), type(self))
    out._requires_grad = self.requires_grad
    if self._grad is not None:
        out._grad = copy.deepcopy(self._grad, memo)
    for name, value in _given_attributes(self):
        setattr(out, name, copy.deepcopy(value, memo))
    return out


def _copied(array, memo):
    """The array in a copy of its memory, which is copied once for all arrays that show a part of it."""
    memory = array
    while isinstance(memory.base, np.ndarray):
        memory = memory.base
    if memory.__class__ is not np.ndarray or not is_dense(memory):  # a GPU's, or elements of somebody's larger memory
        return array.copy()
    key = "memory", id(memory)
    if key not in memo:
        memo[key] = memory.ravel("K").copy(), memory  # the old one, too, so that no other gets its id
    offset = address(array) - address(memory) if array.size else 0
    return np.ndarray(array.shape, array.dtype, memo[key][0], offset, array.strides)


def _given_attributes(tensor):
    """What a program has set on the tensor, as (name, value) pairs."""
    return [(name, value) for name, value in tensor.__dict__.items() if name not in OWN_ATTRIBUTES]


OWN_ATTRIBUTES = frozenset(name for name in vars(Tensor) if name.startswith("_")) | {"_function_output"}


def _reduce(self):
    raise TypeError(
        "a Tensor is not pickled, because reading a pickle runs code: use minigrad.save and minigrad.load, or "
        "tensor.numpy()"
    )


Tensor.__deepcopy__, Tensor.__reduce_ex__ = _deepcopy, lambda self, protocol: _reduce(self)
Tensor.__copy__ = lambda self: _shallow(self)


def _shallow(self):
    """A leaf of the same memory."""
    out = wrap(self._array, type(self))
    out._requires_grad = self.requires_grad
    out.__dict__.update(_given_attributes(self))
    return out


# -- new tensors of this dtype -------------------------------------------------------------------------------------


def _new(name):
    function = getattr(functions, name)

    def method(self, *size, dtype=None, device=None, requires_grad=False, **keywords):
        dtype, device = self.dtype if dtype is None else dtype, self.device if device is None else device
        return function(*size, dtype=dtype, device=device, requires_grad=requires_grad, **keywords)

    method.__name__, method.__doc__ = f"new_{name}", f"`{name}` in this tensor's dtype and on its device."
    return method


for _name in ("zeros", "ones", "empty", "full", "tensor"):
    setattr(Tensor, f"new_{_name}", _new(_name))
Tensor.new.__doc__ = "A tensor of this dtype from sizes or data."


# -- comparison of whole tensors -----------------------------------------------------------------------------------


def isclose(input, other, rtol=1e-05, atol=1e-08, equal_nan=False):
    """|input - other| <= atol + rtol * |other|, elementwise; equal infinities are close"""
    functions.arguments.tensor_argument(input, "isclose")
    functions.arguments.tensor_argument(other, "isclose", "other", 2)
    if input._array.dtype != other._array.dtype:
        raise RuntimeError(f"{input.dtype.type_name} did not match {other.dtype.type_name}")
    if rtol < 0 or atol < 0:
        raise RuntimeError(
            f"{'rtol' if rtol < 0 else 'atol'} must be greater than or equal to zero, but got "
            f"{rtol if rtol < 0 else atol}"
        )
    return wrap(as_array(state.run(_close, input._array, other._array, rtol, atol, equal_nan)))


def _close(a, b, rtol, atol, equal_nan):
    close = a == b
    if equal_nan and a.dtype.kind == "f":
        close = close | ((a != a) & (b != b))
    wide = a.dtype if a.dtype.kind == "f" else np.float64
    error = np.abs(a.astype(wide) - b.astype(wide))
    return close | (np.isfinite(error) & (error <= atol + np.abs(rtol * b.astype(wide))))


def isin(elements, test_elements, *, assume_unique=False, invert=False):
    """Whether each element is among the test elements (with `invert`: is not); nan is not even among nans"""
    elements, test_elements = as_operand(elements), as_operand(test_elements)
    common = common_dtype([elements, test_elements])
    if any(isinstance(x, Tensor) and x.dtype is dtypes.bool_ for x in (elements, test_elements)):
        raise RuntimeError("Unsupported input type encountered for isin(): Bool")
    arrays = [to_dtype(x, common)._array for x in (elements, test_elements)]
    return wrap(as_array(np.isin(*arrays, assume_unique=assume_unique, invert=invert)))


def allclose(input, other, rtol=1e-05, atol=1e-08, equal_nan=False):
    """True if every element is close"""
    return bool(isclose(input, other, rtol, atol, equal_nan)._array.all())


@as_called
def equal(input, other):
    """True if shapes and all elements are the same"""
    return bool(np.array_equal(input._array, other._array))


Tensor.isclose, Tensor.allclose, Tensor.equal = isclose, allclose, equal


# -- autograd ------------------------------------------------------------------------------------------------------


def _detach(self):
    """The same memory as a tensor without history; the version counter is shared."""
    out = alias(self)
    if self._inference:
        out._inference = True
    return out


def _detach_(self):
    """Forget the history: this tensor becomes a leaf that does not require grad."""
    if self._base is not None:
        raise RuntimeError(
            "Can't detach views in-place. Use detach() instead. If you are using DistributedDataParallel (DDP) for "
            "training, and gradient_as_bucket_view is set as True, gradients are views of DDP buckets, and hence "
            "detach_() cannot be called on these gradients."
        )
    self._node, self._requires_grad, self._retains_grad = None, False, False
    return self


def _backward(self, gradient=None, retain_graph=None, create_graph=False, inputs=None):
    """Add d(self)/d(leaf), times `gradient` (needed unless self is one number), to the .grad of every leaf.

    >>> import minigrad
    >>> w = minigrad.tensor(3.0, requires_grad=True)
    >>> (w * w).backward()
    >>> w.grad
    tensor(6.)
    """
    autograd.run_backward((self,), (gradient,), retain_graph, create_graph, inputs)


def _retain_grad(self):
    """Keep the gradient of this non-leaf tensor in .grad during backward."""
    if not self.requires_grad:
        raise RuntimeError("can't retain_grad on Tensor that has requires_grad=False")
    if self.is_leaf or self._retains_grad:
        return
    self._retains_grad = True
    self._node.attach().retained = weakref.ref(self)


def _register_hook(self, hook):
    """Call hook(grad) when the gradient of this tensor is computed; what it returns replaces the gradient."""
    if not self.requires_grad:
        raise RuntimeError("cannot register a hook on a tensor that doesn't require gradient")
    if self.is_leaf:
        if self._hooks is None:
            self._hooks = {}
        return add_hook(self._hooks, hook)
    attached = self._node.attach()
    if attached.hooks is None:
        attached.hooks = {}
    return add_hook(attached.hooks, hook)


def _register_post_accumulate_grad_hook(self, hook):
    """Call hook(tensor) after the .grad of this leaf has been added to."""
    if not self.requires_grad:
        raise RuntimeError("cannot register a hook on a tensor that doesn't require gradient")
    if self._node is not None:
        raise RuntimeError("post accumulate grad hooks cannot be registered on non-leaf tensors")
    if self._post_accumulate_hooks is None:
        self._post_accumulate_hooks = {}
    return add_hook(self._post_accumulate_hooks, hook)


Tensor.detach, Tensor.detach_, Tensor.backward, Tensor.retain_grad = _detach, _detach_, _backward, _retain_grad
Tensor.register_hook = _register_hook
Tensor.register_post_accumulate_grad_hook = _register_post_accumulate_grad_hook

for _name, _function in list(vars(Tensor).items()):
    if callable(_function) and getattr(_function, "__name__", "").startswith("_") and not _name.startswith("_"):
        _function.__name__ = _name
