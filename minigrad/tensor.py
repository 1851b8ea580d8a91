"""The Tensor: an array, whether it requires grad, its gradient and its history.

Owns that state and the rules for reading and setting it. What can be computed with a Tensor is given to it in
`methods.py`; this file knows no op, and nothing of how gradients are computed.
"""

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np

from . import dtypes
from .dtypes import Size
from .grad_mode import state
from .namespace import namespaces

if TYPE_CHECKING:
    from collections.abc import Iterator

_new = object.__new__


class Tensor:
    """An n-dimensional array of one dtype that remembers how it was computed.

    `Tensor(2, 3)` allocates that shape; `Tensor(data)` holds the data, both as the default dtype. `tensor(data)` infers
    the dtype and is what programs usually want.
    """

    # Slots for what every op reads or sets: `_node` is grad_fn, the Node of the op that made this tensor; `_base`, for
    # a view, is the tensor whose memory it shows.
    __slots__ = ("_array", "_counter", "_requires_grad", "_node", "_base", "__dict__", "__weakref__")

    # The other defaults live on the class: most tensors never set them, and making a result must cost little.
    _grad = None
    _base_version = None  # for a view: the version of its memory when its grad_fn was derived
    _view_kind = None  # for a view: why torch would refuse to write through it, if it would
    _borrows_grad = False  # for a view without history: it requires grad only because its base does, and gets none
    _retains_grad = False
    _hooks = None
    _post_accumulate_hooks = None
    _inference = False
    _sequence = 0  # leaves come before every recorded op, see autograd/engine.py

    __array_priority__ = 1000  # ndarray * Tensor asks Tensor.__rmul__
    __hash__ = object.__hash__
    __module__ = "minigrad"  # print(type(t)) shows what users wrote

    if TYPE_CHECKING:  # methods.py gives a Tensor its ops and operators; type checkers are told that they are there

        def __getattr__(self, name: str) -> Any: ...
        def __getitem__(self, key: Any) -> "Tensor": ...
        def __setitem__(self, key: Any, value: Any) -> None: ...
        def __iter__(self) -> Iterator["Tensor"]: ...
        def __len__(self) -> int: ...
        def __float__(self) -> float: ...
        def __int__(self) -> int: ...
        def __index__(self) -> int: ...
        def __neg__(self) -> "Tensor": ...
        def __add__(self, other: Any) -> "Tensor": ...

        __pos__ = __abs__ = __invert__ = __neg__
        __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = __truediv__ = __rtruediv__ = __pow__ = __rpow__ = __add__
        __floordiv__ = __rfloordiv__ = __mod__ = __rmod__ = __matmul__ = __rmatmul__ = __and__ = __or__ = __add__
        __xor__ = __lshift__ = __rshift__ = __lt__ = __le__ = __gt__ = __ge__ = __add__

    # -- gradient -------------------------------------------------------------------------------------------------

    @property
    def grad(self):
        """The gradient that backward() accumulated here, a Tensor like this one, or None."""
        if self._grad is None and self._node is not None and not self._retains_grad:
            warnings.warn(
                "The .grad attribute of a Tensor that is not a leaf Tensor is being accessed. Its .grad attribute "
                "won't be populated during autograd.backward(). If you indeed want the .grad field to be populated for "
                "a non-leaf Tensor, use .retain_grad() on the non-leaf Tensor.",
                UserWarning,
                stacklevel=2,
            )
        return self._grad

    @grad.setter
    def grad(self, value):
        if value is not None:
            if not isinstance(value, Tensor):
                raise TypeError(
                    f"assigned grad expected to be a Tensor or None but got grad of type {type(value).__name__}"
                )
            if value is self:
                raise RuntimeError("can't assign Variable as its own grad")
            if value._array.dtype != self._array.dtype:
                raise RuntimeError(
                    f"attempting to assign a gradient with dtype '{value.dtype}' to a tensor with grad_dtype "
                    f"'{self.dtype}'. The gradient must match the tensor's dtype; use grad.to(tensor.dtype)."
                )
            if value._array.shape != self._array.shape:
                raise RuntimeError(
                    f"attempting to assign a gradient of size '{list(value._array.shape)}' to a tensor of size "
                    f"'{list(self._array.shape)}'. Please ensure that the gradient and the tensor are the same size"
                )
        self._grad = value

    @grad.deleter
    def grad(self):
        self._grad = None

    @property
    def requires_grad(self):
        """True if backward() computes a gradient for this tensor or for something it came from."""
        return self._requires_grad or (self._base is not None and self._base._requires_grad)

    @requires_grad.setter
    def requires_grad(self, value):
        if value.__class__ is not bool:
            raise RuntimeError(f"requires_grad must be a bool, True or False, but it is {type(value).__name__}")
        if not self.is_leaf:
            raise RuntimeError(
                "you can only change requires_grad flags of leaf variables."
                + ("" if value else " If you want to use a computed variable in a subgraph that doesn't require "
                   "differentiation use var_no_grad = var.detach().")
            )  # fmt: skip
        if value and not dtypes.from_numpy(self._array.dtype).is_floating_point:
            raise RuntimeError(
                f"only Tensors of floating point dtype can require gradients (this one is {self.dtype}; convert it "
                "first, as in tensor.float().requires_grad_())"
            )
        if value and self._inference and not state.inference:
            raise RuntimeError("Setting requires_grad=True on inference tensor outside InferenceMode is not allowed.")
        self._requires_grad, self._borrows_grad = value, False

    def requires_grad_(self, requires_grad=True):
        """Set `requires_grad` in place and return self; asking it of a result that has it is no error."""
        if requires_grad.__class__ is not bool:
            kind = type(requires_grad).__name__
            raise TypeError(f"requires_grad_(): argument 'requires_grad' (position 1) must be bool, not {kind}")
        if not requires_grad or self.is_leaf:
            self.requires_grad = requires_grad
        return self

    @property
    def is_leaf(self):
        """True unless this tensor is the recorded result of an op."""
        if self._base is not None and self._view_kind is None:
            self._refresh()
        return self._node is None

    @property
    def grad_fn(self):
        """The Node of the op that made this tensor; None for a leaf."""
        if self._base is not None:
            self._refresh()
        return None if self._node is None else self._node.public

    @property
    def retains_grad(self):
        """True for a non-leaf tensor on which `retain_grad()` was called."""
        return self._retains_grad

    @property
    def output_nr(self):
        """Which output of `grad_fn` this is."""
        return 0 if self._node is None else self._node.output_nr

    @property
    def data(self):
        """The same memory as a tensor without history and with a version counter of its own."""
        out = bare(self._array)
        if self._inference:
            out._inference, out._counter = True, self._counter
        return out

    @data.setter
    def data(self, value):
        if not isinstance(value, Tensor):
            raise TypeError(f"Variable data has to be a tensor, but got {type(value).__name__}")
        if self._requires_grad and value._array.dtype.kind != "f":
            raise RuntimeError(
                "data set to a tensor that requires gradients must be floating point or complex dtype, not "
                f"{value.dtype}"
            )
        self._array = value._array

    # -- what the array is ----------------------------------------------------------------------------------------

    @property
    def shape(self):
        """The sizes, a `Size`."""
        return Size(self._array.shape)

    @property
    def dtype(self):
        """The element type."""
        return dtypes.from_numpy(self._array.dtype)

    @property
    def device(self):
        """Where the array lives."""
        return dtypes.CPU if self._array.__class__ is np.ndarray else self._array.device

    @property
    def ndim(self):
        """The number of dimensions."""
        return self._array.ndim

    @property
    def itemsize(self):
        """Bytes per element."""
        return self._array.itemsize

    @property
    def nbytes(self):
        """Bytes of all elements."""
        return self._array.size * self._array.itemsize

    @property
    def layout(self):
        """Dense and strided, the only layout there is."""
        return "torch.strided"

    @property
    def _version(self):
        """How often the memory of this tensor was written to in place; shared with its views."""
        if self._inference:
            raise RuntimeError("Inference tensors do not track version counter.")
        return self._counter[0]

    @property
    def is_cuda(self):
        """True if the array lives on a GPU."""
        return self.device.type == "cuda"

    is_sparse = False
    is_quantized = False
    is_meta = False
    is_mkldnn = False

    def is_inference(self):
        """True for a tensor made in inference mode."""
        return self._inference


class InferenceCounter(list):
    """The version counter of an inference tensor: saving the tensor for backward, which reads it, is an error."""

    def __getitem__(self, index):
        if state.enabled and not state.inference:
            raise RuntimeError(
                "Inference tensors cannot be saved for backward. Please do not use Tensors created in inference mode "
                "in computation tracked by autograd. To work around this, you can make a clone to get a normal tensor "
                "and use it in autograd, or use `torch.no_grad()` instead of `torch.inference_mode()`."
            )
        return list.__getitem__(self, index)


def bare(array, cls=Tensor):
    """A Tensor around `array`, an ndarray: the same memory, no history, and no question about inference mode."""
    out = _new(cls)
    out._array = array
    out._counter = [0]
    out._requires_grad, out._node, out._base = False, None, None
    return out


def wrap(array, cls=Tensor):
    """A Tensor around `array`, an ndarray: the same memory, no history."""
    out = bare(array, cls)
    if state.inference:
        out._inference, out._counter = True, InferenceCounter([0])
    return out


def made(array, requires_grad, device):
    """A Tensor around a new array, as creation functions give it: on a device, and requiring grad if asked."""
    out = wrap(array if device is None else on_device(array, device))
    if requires_grad:
        if requires_grad is not True:
            raise TypeError(f"argument 'requires_grad' must be bool, not {type(requires_grad).__name__}")
        if array.dtype.kind != "f":
            raise RuntimeError(
                "Only Tensors of floating point and complex dtype can require gradients"
                f" (this one is {out.dtype}: give floats, or dtype=float32)"
            )
        out._requires_grad = True
    return out


def alias(tensor, cls=Tensor):
    """A Tensor with the same array and version counter, and no history."""
    out = _new(cls)
    out._array = tensor._array
    out._counter = tensor._counter
    out._requires_grad, out._node, out._base = False, None, None
    return out


def on_device(array, device):
    """`array` on a device (as users name one; None: where it is); the array itself if it is there."""
    if device is None:
        return array
    wanted = dtypes.find_device(device)
    here = dtypes.CPU if isinstance(array, np.ndarray) else array.device
    if wanted.type == here.type and wanted.index in (None, here.index):
        return array
    return namespaces[array.__class__].to_device(array, wanted)


class _ArrayOf(dict):
    """For each class of result what makes an array of it: NumPy gives scalars where every dimension went away."""

    def __missing__(self, cls):
        convert = self[cls] = np.asarray if issubclass(cls, np.generic) else _itself
        return convert


def _itself(array):
    return array


array_of = _ArrayOf()


def as_array(result):
    """What NumPy returned, as an array."""
    return array_of[result.__class__](result)
