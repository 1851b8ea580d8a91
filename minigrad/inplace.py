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
from .namespace import address
from .ops import elementwise, indexing
from .primitive import OpNode
from .tensor import Tensor, wrap


def in_place(function, name):
    """The method `name` that writes function(self, ...) into self and returns self."""

    may_overlap = name in ("fill_", "zero_")
    apart = name in APART

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
    the target, not even all of it (None: the caller copies what it reads); `through_view`: torch writes to a view of
    the target here, and says so.
    """
    if target._inference and not state.inference:
        raise RuntimeError(
            "Inplace update to inference tensor outside InferenceMode is not allowed. You can make a clone to get a "
            "normal tensor before doing inplace update."
        )
    recording = _check_history(target, operands, through_view)
    if not may_overlap and 0 in target._array.strides and target._array.size and _overlaps(target._array):
        raise RuntimeError(
            "unsupported operation: more than one element of the written-to tensor refers to a single memory location. "
            "Please clone() the tensor before performing the operation."
        )
    for x in operands:
        if (
            isinstance(x, Tensor)
            and x._counter is target._counter
            and apart is not None
            and _collides(x._array, target._array, apart)
        ):
            raise RuntimeError(
                "unsupported operation: some elements of the input tensor and the written-to tensor refer to a single "
                "memory location. Please clone() the tensor before performing the operation."
            )
    return recording


def _check_history(target, operands, through_view):
    """The part of `check_writable` that is about gradients."""
    if not state.enabled:
        return False
    if not (target.requires_grad or any(isinstance(x, Tensor) and x.requires_grad for x in operands)):
        return False
    base = target._base
    if base is not None:
        _check_view(target)
        if target._requires_grad and base._node is None:
            raise RuntimeError("a view of a leaf Variable that requires grad is being used in an in-place operation.")
    if target._requires_grad and target._node is None:
        raise RuntimeError(
            f"a {'view of a ' if through_view else ''}leaf Variable that requires grad is being used in an in-place "
            "operation. Update it within torch.no_grad(), or write to a copy of it."
        )
    return True


def _check_view(view):
    if view._view_kind == "no_grad":
        raise RuntimeError(
            "A view was created in no_grad mode and is being modified inplace with grad mode enabled. Given that this "
            "use case is ambiguous and error-prone, it is forbidden. You can clarify your code by moving both the view "
            "and the inplace either both inside the no_grad block (if you don't want the inplace to be tracked) or "
            "both outside (if you want the inplace to be tracked)."
        )
    if view._view_kind == "function":
        raise RuntimeError(
            f"Output {view.output_nr} of {view._node.name().removesuffix('Backward0') if view._node else 'a function'} "
            "is a view and is being modified inplace. This view was created inside a custom Function (or because an "
            "input was returned as-is) and the autograd logic to handle view+inplace would override the custom "
            "backward associated with the custom Function, leading to incorrect gradients. This behavior is forbidden. "
            "You can fix this by cloning the output of the custom Function."
        )
    if view._view_kind == "multiple":
        raise RuntimeError(
            f"Output {view.output_nr} of {view._node.name().removesuffix('Backward0') if view._node else 'a function'} "
            "is a view and is being modified inplace. This view is the output of a function that returns multiple "
            "views. Such functions do not allow the output views to be modified inplace. You should replace the "
            "inplace operation by an out-of-place one."
        )


def _collides(source, target, apart):
    """True if writing one could change the other half-way: they share a part, or (`apart`) all of their memory."""
    if not (source.size and target.size) or not np.may_share_memory(source, target):
        return False
    same = address(source) == address(target) and source.shape == target.shape and source.strides == target.strides
    if same:
        return apart
    return _dense(source) and _dense(target)


def _dense(array):
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
    return copy


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
    if new.dtype != array.dtype and result._requires_grad:
        result = result.to(target.dtype)
    if new is not array:
        state.run(np.copyto, array, result._array, "unsafe")
    target._counter[0] += 1
    if result._requires_grad and state.enabled:
        _keep_output(result, target)
        retained = target._retains_grad and target._node
        if target._base is None:
            target._node, target._requires_grad = result._node, True
        else:
            rebase(target, result)
        if retained:  # the gradient kept is that of the tensor as it now is
            target._node.retained, target._node.watched, retained.retained = retained.retained, True, None
    return target


def rebase(view, value):
    """Record in the base's history that the part which `view` shows is now `value`."""
    base = view._base
    before = wrap(base._array)
    before._node, before._requires_grad = base._node, base._requires_grad
    updated = indexing.put_positions(before, value, positions=positions_in(base._array, view._array))
    base._node, base._requires_grad = updated._node, True
    refresh(view)


def _keep_output(result, target):
    """An op that saved its output saved the temporary; from now on that is `target`, whose version is watched."""
    node = result._node
    if isinstance(node, OpNode) and "out" in node.plan.saved:
        saved = node.saved[node.plan.saved.index("out")]
        saved._array, saved._counter = target._array, target._counter
        versions = tuple(t._counter[0] for t in node.saved)
        if versions != node.saved_versions:
            changed = node.plan.saved.index("out")
            kept = list(node.saved_versions)
            kept[changed] = target._counter[0]
            node.versions = tuple(kept) if len(kept) > 1 else kept[0]


def refresh(view):
    """Derive a view's history again if its base was written to since."""
    base = view._base
    if view._base_node is base._node:
        if base._requires_grad and not view._requires_grad:  # made before its base required grad, or under no_grad
            view._requires_grad = view._borrows_grad = True
        return
    if view._view_kind is not None and state.enabled:
        if view._view_kind == "no_grad":
            raise RuntimeError(
                "A view was created in no_grad mode and its base or another view of its base has been modified inplace "
                "with grad mode enabled. This view is ambiguous: make it again, after the write."
            )
        raise RuntimeError(
            "Output 0 of a function that returns multiple views is a view and its base or another view of its base has "
            "been modified inplace. Such functions do not allow the output views to be modified inplace. You should "
            "replace the inplace operation by an out-of-place one."
        )
    was, state.enabled = state.enabled, True
    try:
        positions = positions_in(base._array, view._array)
        if np.bincount(positions.reshape(-1), minlength=1).max() > 1:  # expand, unfold: an element's cotangents add up
            flat = indexing.at_positions(base, positions=np.arange(base._array.size))
            taken = indexing.gather(flat, axis=0, index=positions.reshape(-1))
            shown = indexing.at_positions(taken, positions=np.arange(positions.size).reshape(positions.shape))
        else:
            shown = indexing.at_positions(base, positions=positions)
    finally:
        state.enabled = was
    view._node, view._requires_grad = shown._node, shown._requires_grad
    view._base_node = base._node


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
