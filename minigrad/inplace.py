"""Writing into a tensor: in-place ops, and how a view and its base follow each other.

Owns one idea: an in-place op is its out-of-place form whose result is written over the tensor, and whose history
becomes the tensor's. Through a view, that is a functional update of the base, and every view of the base is derived
again when its history is next asked for. Where torch refuses, this file refuses. Knows no particular op but the pair
that reads and writes flat positions.
"""

import functools

import numpy as np

from . import dtypes
from .grad_mode import state
from .graph import Nowhere
from .namespace import address
from .ops import elementwise, indexing
from .primitive import OpNode
from .tensor import Tensor, wrap


def in_place(function, name):
    """The method `name` that writes function(self, ...) into self and returns self."""

    may_overlap = name in ("fill_", "zero_")
    apart = None if name in ("fill_", "index_fill_") else name in APART  # these two read their number beforehand

    @functools.wraps(function)
    def method(self, *args, **kwargs):
        recording = check_writable(self, *args, *kwargs.values(), may_overlap=may_overlap, apart=apart)
        before = snapshot(self) if recording else self
        result = function(before, *args, **kwargs)
        if recording and not result._requires_grad:  # a comparison: what was overwritten has gradient zero from here on
            result = elementwise.copied(before, result.to(self.dtype))
        return write(self, result)

    method.__name__ = method.__qualname__ = name
    method.__doc__ = f"`{function.__name__}` in place: writes the result into this tensor and returns it."
    return method


APART = {"index_add_", "index_copy_", "scatter_", "scatter_add_", "scatter_reduce_", "masked_scatter_", "put_"}


def check_writable(target, *operands, may_overlap=False, apart=False, through_view=False):
    """Raise where torch forbids to write into `target`; True if the write is going to be recorded.

    `may_overlap`: elements that share a place may be written, as fill_ does; `apart`: no operand may share memory with
    the target, not even all of it (None: the caller has looked at that); `through_view`: torch writes to a view of
    the target here, and says so.
    """
    if target._inference and not state.inference:
        raise RuntimeError(
            "Inplace update to inference tensor outside InferenceMode is not allowed. You can make a clone to get a "
            "normal tensor before doing inplace update."
        )
    recording = _check_history(target, operands, through_view)
    if not may_overlap:
        refuse_repeated(target._array)
    for x in operands:
        if isinstance(x, Tensor):
            refuse_overlap(x, target, apart)
    return recording


def refuse_repeated(array):
    """Raise if several elements of the array share a place, as those of an expanded one do."""
    if 0 in array.strides and array.size and _overlaps(array):
        raise RuntimeError(
            "unsupported operation: more than one element of the written-to tensor refers to a single memory location. "
            "Please clone() the tensor before performing the operation."
        )


def _check_history(target, operands, through_view):
    """The part of `check_writable` that is about gradients."""
    if not state.enabled:
        return False
    if not (target.requires_grad or any(isinstance(x, Tensor) and x.requires_grad for x in operands)):
        return False
    base = target._base
    if base is not None:
        _refuse_view(target, indirect=False)
        if target._requires_grad and base._node is None:
            raise RuntimeError("a view of a leaf Variable that requires grad is being used in an in-place operation.")
    if target._requires_grad and target._node is None:
        raise RuntimeError(
            f"a {'view of a ' if through_view else ''}leaf Variable that requires grad is being used in an in-place "
            "operation. Update it within torch.no_grad(), or write to a copy of it."
        )
    return True


def _refuse_view(view, indirect):
    """Raise if torch has no way to record a write that reaches this view: to itself, or (`indirect`) to its base."""
    kind = view._view_kind
    if kind is None:
        return
    written = "its base or another view of its base has been" if indirect else "is being"
    if kind in MODES or view._node is None:  # without a grad_fn torch takes any view for one made under no_grad
        made_in, written_in = MODES.get(kind, MODES["no_grad"])
        made = f"A view was created in {made_in} mode and {written} modified inplace {written_in}."
        if view._node is not None:
            output = f"Output {view.output_nr} of {_op_name(view)}"
            made = made.replace("A view was", f"{output} is a view of a view which was")
    else:
        made = f"Output {view.output_nr} of {_op_name(view)} is a view and {written} modified inplace."
    raise RuntimeError(f"{made} {VIEW_KINDS[kind]}")


def _op_name(tensor):
    return tensor._node.name().removesuffix("Backward0")


MODES = {"no_grad": ("no_grad", "with grad mode enabled"), "inference": ("inference", "in normal mode")}
AMBIGUOUS = (
    "Given that this use case is ambiguous and error-prone, it is forbidden. You can clarify your code by moving both "
    "the view and the inplace either both inside the {} block (if you don't want the inplace to be tracked) or both "
    "outside (if you want the inplace to be tracked)."
)
VIEW_KINDS = {
    "no_grad": AMBIGUOUS.format("no_grad"),
    "inference": AMBIGUOUS.format("inference_mode"),
    "function": "This view was created inside a custom Function (or because an input was returned as-is) and the "
    "autograd logic to handle view+inplace would override the custom backward associated with the custom Function, "
    "leading to incorrect gradients. This behavior is forbidden. You can fix this by cloning the output of the custom "
    "Function.",
    "multiple": "This view is the output of a function that returns multiple views. Such functions do not allow the "
    "output views to be modified inplace. You should replace the inplace operation by an out-of-place one.",
}


def refuse_overlap(source, target, apart=False):
    """Raise if writing the one tensor could change the other half-way: they share a part, or (`apart`) all of their
    memory. As in torch, what has gaps or repeats is not looked at."""
    a, b = source._array, target._array
    if apart is None or source is target and not apart:
        return
    if source is not target:
        if not (a.size and b.size and np.may_share_memory(a, b) and is_dense(a) and is_dense(b)):
            return
        if not apart and a.nbytes == b.nbytes and address(a) == address(b) and _steps(a) == _steps(b):
            return
    raise RuntimeError(
        "unsupported operation: some elements of the input tensor and the written-to tensor refer to a single "
        "memory location. Please clone() the tensor before performing the operation."
    )


def _steps(array):
    """The strides that matter: along an axis of size 1 an array library may keep any."""
    return [stride if n > 1 else None for stride, n in zip(array.strides, array.shape)]


def is_dense(array):
    """Non-overlapping and without gaps, in whatever order of axes."""
    step = array.itemsize
    for stride, n in sorted(zip(array.strides, array.shape)):
        if n > 1:
            if stride != step:
                return False
            step *= n
    return True


def _overlaps(array):
    return any(stride == 0 and n > 1 for stride, n in zip(array.strides, array.shape))


def snapshot(tensor):
    """The tensor as it is now, with its history, in memory that the coming write does not reach."""
    if tensor._base is not None:
        tensor._refresh()
    copy = wrap(tensor._array.copy())
    copy._node, copy._requires_grad = tensor._node, tensor._requires_grad
    if tensor._base is not None and _is_watched(tensor):
        # What goes back through a write to a view goes straight to the base: no hook of the old view sees it.
        copy._node = _shown(tensor)._node
    return copy


def _is_watched(view):
    """True if there is a hook on one of the nodes between a view and its base."""
    node, end = view._node, view._base._node
    while node is not None and node is not end and node._sequence:
        if node.attached is not None:
            return True
        node = node.edges[0] if node.edges else None
    return False


def write(target, result):
    """Give `target` the values of `result` and, if it has one, its history."""
    array, new = target._array, result._array
    if new.shape != array.shape:
        raise RuntimeError(
            f"output with shape {list(array.shape)} doesn't match the broadcast shape {list(new.shape)}: an in-place "
            "operation cannot change its tensor's shape; use the out-of-place form"
        )
    if new.dtype != array.dtype and not dtypes.can_cast(result.dtype, target.dtype):
        raise RuntimeError(
            f"result type {result.dtype.type_name} can't be cast to the desired output type {target.dtype.type_name}: "
            "use the out-of-place form"
        )
    if new.dtype != array.dtype:
        result = result.to(target.dtype)
    if new is not array:
        state.run(np.copyto, array, result._array, "unsafe")
    target._counter[0] += 1
    if result._requires_grad and state.enabled:
        _keep_output(result, target)
        if target._base is None:
            set_history(target, result._node)
        else:
            rebase(target, result)
    return target


def set_history(tensor, node):
    """Make `node` the tensor's grad_fn. Hooks stay with the old one; the gradient kept is that of the tensor as it
    now is."""
    old, tensor._node, tensor._requires_grad = tensor._node, node, True
    if tensor._retains_grad and old is not None and old.attached is not None:
        node.attach().retained, old.attached.retained = old.attached.retained, None


def rebase(view, value):
    """Record in the base's history that the part which `view` shows is now `value`."""
    base = view._base
    before = wrap(base._array)
    before._node, before._requires_grad = base._node, base._requires_grad
    updated = indexing.put_positions(before, value, positions=positions_in(base._array, view._array))
    set_history(base, updated._node)
    refresh(view)


def _keep_output(result, target):
    """An op that saved its output saved the temporary; from now on that is `target`, whose version is watched."""
    node = result._node
    if isinstance(node, OpNode) and "out" in node.plan.saved:
        place = node.plan.saved.index("out")
        saved, versions = node.saved_tensors, list(node.saved_versions)
        saved[place]._array, saved[place]._counter = target._array, target._counter
        versions[place] = target._counter[0]
        node.saved = (*saved, *versions)


def refresh(view):
    """Derive a view's history again if its memory was written to since, in whatever way."""
    base = view._base
    if view._node is None and not base._requires_grad:
        return
    if view._base_version == view._counter[0]:
        if base._requires_grad and not view._requires_grad:  # made before its base required grad, or under no_grad
            view._requires_grad = view._borrows_grad = True
        return
    _refuse_view(view, indirect=True)
    set_history(view, _shown(view)._node or Nowhere())
    view._base_version, view._borrows_grad = view._counter[0], False


def _shown(view):
    """A tensor like the view, recorded as a part of the base as that now is."""
    base, was = view._base, state.enabled
    state.enabled = True
    try:
        positions = positions_in(base._array, view._array)
        index = positions.reshape(-1)
        repeated = np.bincount(index, minlength=1).max() > 1  # by expand, unfold
        return indexing.at_positions(base, positions=positions, index=index if repeated else None)
    finally:
        state.enabled = was


Tensor._refresh = refresh


def positions_in(base, view):
    """For each element of `view` its flat position in `base`, found from the two arrays' addresses."""
    start = address(view) - address(base)
    offsets = start + _byte_offsets(view)
    if base.flags.c_contiguous:
        return offsets // base.itemsize
    own = _byte_offsets(base).reshape(-1)
    order = np.argsort(own)
    return order[np.searchsorted(own, offsets, sorter=order)]


def _byte_offsets(array):
    offsets = np.zeros(array.shape, np.int64)
    for axis, (n, stride) in enumerate(zip(array.shape, array.strides)):
        offsets += (np.arange(n) * stride).reshape((n,) + (1,) * (array.ndim - axis - 1))
    return offsets
