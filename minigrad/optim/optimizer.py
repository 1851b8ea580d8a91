"""What every optimizer shares: parameter groups, state, state dicts, hooks, and the loop over parameters.

Owns `Optimizer`, torch's base class, and `ElementwiseOptimizer`, whose step applies one rule to the raw arrays of each
parameter, in place. Knows no particular rule and no learning rate schedule.
"""

import functools
import warnings
from collections import OrderedDict, defaultdict
from collections.abc import Iterable
from copy import deepcopy
from itertools import chain

import numpy as np

from .. import dtypes
from ..grad_mode import enable_grad, state
from ..hooks import RemovableHandle
from ..inplace import refuse_repeated
from ..primitive import broadcast_error
from ..tensor import Tensor, wrap

__all__ = ["Optimizer", "register_optimizer_step_pre_hook", "register_optimizer_step_post_hook"]

_global_pre_hooks: OrderedDict = OrderedDict()
_global_post_hooks: OrderedDict = OrderedDict()


class _Required:
    def __repr__(self):
        return "<required parameter>"


required = _Required()


def register_optimizer_step_pre_hook(hook):
    """Call hook(optimizer, args, kwargs) before each step of every optimizer; it may return new (args, kwargs)."""
    return _register(_global_pre_hooks, hook)


def register_optimizer_step_post_hook(hook):
    """Call hook(optimizer, args, kwargs) after each step of every optimizer."""
    return _register(_global_post_hooks, hook)


def _register(hooks, hook, prepend=False):
    handle = RemovableHandle(hooks)
    hooks[handle.id] = hook
    if prepend:
        hooks.move_to_end(handle.id, last=False)
    return handle


def _with_hooks(step):
    """`step`, preceded and followed by the hooks; where a subclass's step calls its parent's, only once."""

    @functools.wraps(step)
    def hooked(self, *args, **kwargs):
        pre, post = self._optimizer_step_pre_hooks, self._optimizer_step_post_hooks
        if not (pre or post or _global_pre_hooks or _global_post_hooks) or type(self).step is not hooked:
            return step(self, *args, **kwargs)
        for hook in [*_global_pre_hooks.values(), *pre.values()]:
            changed = hook(self, (self, *args), kwargs)
            if changed is not None:
                if not (isinstance(changed, tuple) and len(changed) == 2):
                    raise RuntimeError(
                        f"{step} must return None or a tuple of (new_args, new_kwargs), but got {changed}."
                    )
                (_, *args), kwargs = changed
        result = step(self, *args, **kwargs)
        for hook in [*post.values(), *_global_post_hooks.values()]:
            hook(self, (self, *args), kwargs)
        return result

    return hooked


def _typename(value):
    """A value's type as torch.typename spells it."""
    if isinstance(value, Tensor):
        return value.type()
    named = value if hasattr(value, "__qualname__") else type(value)
    module = getattr(named, "__module__", None) or ""
    return named.__qualname__ if module in ("", "builtins") else f"{module}.{named.__qualname__}"


class Optimizer:
    """Base class: `params` is an iterable of tensors, of (name, tensor) pairs, or of dicts with a "params" key.

    `defaults` are the options of groups that do not give their own. A subclass defines `step(closure=None)`.

    Raises TypeError for a single tensor or things that are not tensors; ValueError for an empty list, a non-leaf
    tensor, or a tensor in two groups.
    """

    # Options added to torch's optimizers over time: groups of older state dicts are given these on load.
    _option_defaults: dict[str, object] = {"differentiable": False}

    def __init_subclass__(cls, **kwargs):
        super().__init_subclass__(**kwargs)
        if "step" in cls.__dict__:
            cls.step = _with_hooks(cls.step)

    def __init__(self, params, defaults):
        self.defaults = defaults
        self._set_up()
        if isinstance(params, Tensor):
            raise TypeError(
                "params argument given to the optimizer should be an iterable of Tensors or dicts, but got "
                f"{_typename(params)} (for a single tensor, give [tensor])"
            )
        self.state = defaultdict(dict)
        self.param_groups = []
        groups = list(params)
        if not groups:
            raise ValueError(
                "optimizer got an empty parameter list (an iterator such as model.parameters() can be used only once; "
                "make a new one, and check that the model has parameters)"
            )
        if not isinstance(groups[0], dict):
            groups = [{"params": groups}]
        for group in groups:
            self.add_param_group(group)

    def _set_up(self):
        """What is not saved: hooks, memory to work in, and expanded parameters, which a step refuses to write to."""
        for name in (
            "_optimizer_step_pre_hooks",
            "_optimizer_step_post_hooks",
            "_optimizer_state_dict_pre_hooks",
            "_optimizer_state_dict_post_hooks",
            "_optimizer_load_state_dict_pre_hooks",
            "_optimizer_load_state_dict_post_hooks",
        ):
            if name not in self.__dict__:
                setattr(self, name, OrderedDict())
        if "_workspaces" not in self.__dict__:
            self._workspaces = {}
            self._expanded = []

    def __getstate__(self):
        return {"defaults": self.defaults, "state": self.state, "param_groups": self.param_groups}

    def __setstate__(self, state):
        self.__dict__.update(state)
        self._set_up()
        self.defaults.setdefault("differentiable", False)
        for group in self.param_groups:
            for option, default in self._option_defaults.items():
                group.setdefault(option, default)
        for param_state in self.state.values():  # torch before 1.12 saved steps as Python numbers
            if isinstance(param_state, dict):
                for key in _NUMBERS:
                    if key in param_state and not isinstance(param_state[key], Tensor):
                        param_state[key] = zero_dim(float(param_state[key]))

    def __repr__(self):
        groups = [
            f"\nParameter Group {i}\n"
            + "".join(f"    {option}: {group[option]}\n" for option in sorted(group) if option != "params")
            for i, group in enumerate(self.param_groups)
        ]
        return f"{type(self).__name__} ({''.join(groups)})"

    def register_step_pre_hook(self, hook):
        """Call hook(optimizer, args, kwargs) before each step; it may return new (args, kwargs)."""
        return _register(self._optimizer_step_pre_hooks, hook)

    def register_step_post_hook(self, hook):
        """Call hook(optimizer, args, kwargs) after each step."""
        return _register(self._optimizer_step_post_hooks, hook)

    def register_state_dict_pre_hook(self, hook, prepend=False):
        """Call hook(optimizer) before state_dict()."""
        return _register(self._optimizer_state_dict_pre_hooks, hook, prepend)

    def register_state_dict_post_hook(self, hook, prepend=False):
        """Call hook(optimizer, state_dict) after state_dict(); it may return another one."""
        return _register(self._optimizer_state_dict_post_hooks, hook, prepend)

    def register_load_state_dict_pre_hook(self, hook, prepend=False):
        """Call hook(optimizer, state_dict) before loading; it may return another one."""
        return _register(self._optimizer_load_state_dict_pre_hooks, hook, prepend)

    def register_load_state_dict_post_hook(self, hook, prepend=False):
        """Call hook(optimizer) after loading."""
        return _register(self._optimizer_load_state_dict_post_hooks, hook, prepend)

    def state_dict(self):
        """{"state": {index: state}, "param_groups": [options, with indices for "params"]}, as torch's.

        The tensors are the optimizer's own, not copies: the next step changes them.
        """
        for hook in self._optimizer_state_dict_pre_hooks.values():
            hook(self)
        index_of = {}
        first = 0

        def pack(group):
            nonlocal first
            new = {id(p): i for i, p in enumerate(group["params"], first) if id(p) not in index_of}
            index_of.update(new)
            first += len(group["params"])
            options = {key: value for key, value in group.items() if key != "params"}
            return {**options, "params": [index_of[id(p)] for p in group["params"]]}

        groups = [pack(group) for group in self.param_groups]
        packed = {index_of[id(k)] if isinstance(k, Tensor) else k: v for k, v in self.state.items()}
        state_dict = {"state": packed, "param_groups": groups}
        for hook in self._optimizer_state_dict_post_hooks.values():
            replaced = hook(self, state_dict)
            if replaced is not None:
                state_dict = replaced
        return state_dict

    def load_state_dict(self, state_dict):
        """Take over what another optimizer's state_dict() gave, in the parameters' dtypes.

        Unlike torch, tensors are always copied, so that two optimizers never update one buffer.
        Raises ValueError, before anything is changed, if the groups or their sizes differ.
        """
        state_dict = state_dict.copy()
        for hook in self._optimizer_load_state_dict_pre_hooks.values():
            replaced = hook(self, state_dict)
            if replaced is not None:
                state_dict = replaced
        groups, saved = self.param_groups, deepcopy(state_dict["param_groups"])
        if len(groups) != len(saved):
            raise ValueError(
                "loaded state dict has a different number of parameter groups "
                f"({len(saved)}, but the optimizer has {len(groups)})"
            )
        for i, (group, saved_group) in enumerate(zip(groups, saved, strict=True)):
            size, saved_size = len(group["params"]), len(saved_group["params"])
            if size != saved_size:
                raise ValueError(
                    "loaded state dict contains a parameter group that doesn't match the size of optimizer's group "
                    f"(group {i} has {saved_size} parameters, the optimizer's {size})"
                )
        params = dict(
            zip(
                chain.from_iterable(group["params"] for group in saved),
                chain.from_iterable(group["params"] for group in groups),
                strict=True,
            )
        )
        group_of = {index: group for group in saved for index in group["params"]}

        loaded = defaultdict(dict)
        for key, value in state_dict["state"].items():
            if key in params:
                loaded[params[key]] = _adapt(value, params[key], group_of[key])
            else:
                loaded[key] = value
        for group, saved_group in zip(groups, saved, strict=True):
            saved_group["params"] = group["params"]
            if "param_names" in group:
                saved_group.setdefault("param_names", group["param_names"])
        self.__setstate__({"state": loaded, "param_groups": saved})
        for hook in self._optimizer_load_state_dict_post_hooks.values():
            hook(self)

    def zero_grad(self, set_to_none=True):
        """Forget the gradients: set them to None or, with set_to_none=False, fill them with zeros."""
        if set_to_none:
            for group in self.param_groups:
                for p in group["params"]:
                    p._grad = None
            return
        for group in self.param_groups:
            for p in group["params"]:
                grad = p._grad
                if grad is not None:
                    if grad._node is not None:
                        grad.detach_()
                    else:
                        grad.requires_grad_(False)
                    grad._array.fill(0)
                    grad._counter[0] += 1

    def _refuse_expanded(self):
        for p in self._expanded:
            if p._grad is not None:
                refuse_repeated(p._array)

    def step(self, closure=None):
        """Change the parameters by one step; `closure` evaluates the model again and returns the loss."""
        raise NotImplementedError(f"{type(self).__name__} does not define step()")

    def add_param_group(self, param_group):
        """Add a group: a dict with "params" and, optionally, its own options. Raises as the constructor does."""
        if not isinstance(param_group, dict):
            raise TypeError(f"param_group must be a dict, but got {type(param_group)}")
        given = param_group["params"]
        if isinstance(given, Tensor):
            given = [given]
        elif isinstance(given, set):
            raise TypeError(
                "optimizer parameters need to be organized in ordered collections, but the ordering of tensors in sets "
                "will change between runs. Please use a list instead."
            )
        given = list(given)
        names = [p[0] for p in given if isinstance(p, tuple)]
        params = [p[1] if isinstance(p, tuple) else p for p in given]
        if names and len(names) != len(params):
            raise ValueError("all optimizer params should be with/without names. Some param names are missing")
        for p in params:
            if not isinstance(p, Tensor):
                raise TypeError("optimizer can only optimize Tensors, but one of the params is " + _typename(p))
            if not self.defaults.get("differentiable") and not (p.is_leaf or p.retains_grad):
                raise ValueError(
                    "can't optimize a non-leaf Tensor (it is computed by "
                    f"{p.grad_fn.name()}; optimize the tensors that it is computed from, or tensor.detach())"
                )
        for option, default in self.defaults.items():
            if default is required and option not in param_group:
                raise ValueError(f"parameter group didn't specify a value of required optimization parameter {option}")
        if len(params) != len(set(params)):
            warnings.warn(
                "optimizer contains a parameter group with duplicate parameters; in future, this will cause an error; "
                "see github.com/pytorch/pytorch/issues/40967 for more information",
                stacklevel=3,
            )
        named = bool(names) or "param_names" in param_group
        for group in self.param_groups:
            if named != ("param_names" in group):
                raise ValueError(
                    "all optimizer param groups should be with/without names. cannot add param group "
                    f"{'with' if named else 'without'} names to the optimizer"
                )
        if not {p for group in self.param_groups for p in group["params"]}.isdisjoint(params):
            raise ValueError("some parameters appear in more than one parameter group")
        # Everything is checked: only now does the caller's dict change, which, as in torch, becomes the group.
        param_group["params"] = params
        if names:
            param_group["param_names"] = names
        for option, default in self.defaults.items():
            param_group.setdefault(option, default)
        self.param_groups.append(param_group)
        self._expanded += [p for p in params if 0 in p._array.strides]


_NUMBERS = ("step", "mu_product", "eta", "mu")  # what a state says of a parameter as a whole


def misfit(saved, array):
    """torch's RuntimeError for a saved array whose shape is not that of the array it belongs to."""
    remedy = "the state that was loaded is that of an optimizer of other parameters"
    try:
        shape = np.broadcast_shapes(saved.shape, array.shape)
    except ValueError as error:
        return RuntimeError(f"{broadcast_error(error, saved, array)} Here {remedy}.")
    smaller = array if saved.shape == shape else saved
    return RuntimeError(
        f"output with shape {list(smaller.shape)} doesn't match the broadcast shape {list(shape)}: {remedy}"
    )


def _adapt(value, param, group, key=None):
    """A copy of a loaded state value, its tensors in the parameter's dtype; a step count keeps its own."""
    if isinstance(value, Tensor):
        array = value._array
        if key == "step":
            dtype = np.float32 if group.get("capturable") or group.get("fused") else array.dtype
        else:
            dtype = param._array.dtype if param.dtype.is_floating_point else array.dtype
        return wrap(array.astype(dtype, copy=True))
    if isinstance(value, dict):
        return {k: _adapt(v, param, group, k) for k, v in value.items()}
    if isinstance(value, Iterable) and not isinstance(value, str):
        return type(value)(_adapt(v, param, group) for v in value)
    return value


def quietly(function, *args):
    """Call `function` with NumPy's warnings off, also where they are off already: a signal's handler may interrupt
    an op."""
    try:
        return state.run(function, *args)
    except RuntimeError as error:
        if not str(error).startswith("cannot enter context"):
            raise
    return function(*args)  # a Context cannot be entered twice


def zero_dim(value, fused=False):
    """A 0-d state tensor, float64 if that is the default dtype, else float32 (a fused one's step: float32)."""
    double = dtypes.get_default_dtype() is dtypes.float64 and not fused
    return wrap(np.asarray(value, np.float64 if double else np.float32))


def zeros_like(p):
    """A state tensor of zeros, laid out in memory as the parameter is."""
    return wrap(np.zeros_like(p._array))


def count(step):
    """Add one to a step tensor and return it as a Python float."""
    array = step._array
    n = array.item() + 1.0
    array[()] = n
    step._counter[0] += 1
    return n


def number(value):
    """An option as a number. A 1-element tensor becomes a NumPy scalar, which rounds as torch's 0-d tensors do."""
    if isinstance(value, Tensor):
        return value._array.reshape(())[()]
    return value


def check_at_least_zero(what, value):
    """Raise torch's ValueError unless value >= 0."""
    if not 0.0 <= value:
        raise ValueError(f"Invalid {what}: {value} (expected a number >= 0)")


def check_lr(lr):
    """Raise torch's ValueError for a tensor with more than one element or a negative learning rate."""
    if isinstance(lr, Tensor) and lr.numel() != 1:
        raise ValueError(f"Tensor lr must be 1-element (got {lr.numel()} elements)")
    check_at_least_zero("learning rate", lr)


def check_betas(betas):
    """Raise torch's ValueError unless both are in [0, 1)."""
    for i in (0, 1):
        if not 0.0 <= betas[i] < 1.0:
            raise ValueError(f"Invalid beta parameter at index {i}: {betas[i]} (expected 0 <= beta < 1)")


def check_fused(fused, foreach, differentiable):
    """Raise torch's RuntimeErrors for combinations of implementations that exclude each other."""
    if fused:
        if differentiable:
            raise RuntimeError("`fused` does not support `differentiable`")
        if foreach:
            raise RuntimeError("`fused` and `foreach` cannot be `True` together.")


# Arrays of fewer elements are updated whole, with temporaries from NumPy's own cache: a call on one is mostly overhead.
# Larger ones are updated in blocks of rows whose operands stay in the processor's cache: on 2 million float32 elements
# Adam takes 3.8 ms so and 6.7 ms whole, plain SGD 0.6 and 1.1.
SMALL = 4096
BLOCK = 65536


class _Workspace:
    """For one dtype: a 0-d array that holds the scalar of one operation, and three buffers for temporaries.

    A ufunc takes a 0-d array in half the time of a Python float (240 against 450 ns), and rounds it once, to its own
    dtype, as torch rounds scalars.
    """

    __slots__ = ("scalar", "buffers")

    def __init__(self, dtype):
        self.scalar = np.empty((), dtype)
        self.buffers = np.empty((3, 0), dtype)

    def temporaries(self, shape, size):
        if self.buffers.shape[1] < size:
            self.buffers = np.empty((3, max(size, BLOCK)), self.scalar.dtype)
        return [buffer[:size].reshape(shape) for buffer in self.buffers]


class ElementwiseOptimizer(Optimizer):
    """An optimizer whose step applies a rule to each element of each parameter by itself.

    A subclass defines `_update(group)`, which works on raw arrays, and `_update_recorded(group)`, the same formula in
    tensor operations, which `differentiable=True` differentiates through.
    """

    _capturable_states = "params and state_steps"

    def step(self, closure=None):
        """Change the parameters by one step and return what `closure`, if there is one, returned."""
        loss = None
        if closure is not None:
            with enable_grad():
                loss = closure()
        if self._expanded:
            self._refuse_expanded()
        for group in self.param_groups:
            if group.get("capturable") and any(p._grad is not None for p in group["params"]):
                raise AssertionError(
                    f"If capturable=True, {self._capturable_states} must be on supported devices: "
                    "['cuda', 'xpu', 'hpu', 'privateuseone', 'xla']. (They are on the CPU: use capturable=False.)"
                )
            if group["differentiable"]:
                with enable_grad():
                    self._update_recorded(group)
                continue
            try:
                quietly(self._update, group)
            except ValueError as error:
                raise self._explained(error, group) from None
        return loss

    def _explained(self, error, group):
        """NumPy's complaint about shapes in torch's words, if a state is not that of its parameter; else the error."""
        for p in group["params"]:
            for key, value in self.state.get(p, {}).items():
                if isinstance(value, Tensor) and key not in _NUMBERS and value.shape != p.shape:
                    return misfit(value._array, p._array)
        return error

    def _update(self, group):
        raise NotImplementedError(f"{type(self).__name__} does not define _update()")

    def _update_recorded(self, group):
        raise NotImplementedError(f"{type(self).__name__} does not support differentiable=True")

    def _workspace(self, dtype):
        space = self._workspaces.get(dtype)
        if space is None:
            space = self._workspaces[dtype] = _Workspace(dtype)
        return space

    def _apply(self, rule, arrays, *options):
        """rule(c, t, u, w, *arrays, *options), in blocks if the arrays are large and NumPy's own.

        c is the 0-d array for scalars; t, u, w are buffers for temporaries, or None where NumPy had better make new
        ones. All arrays have the shape of the first, and the rule writes its results into them.
        """
        first = arrays[0]
        space = self._workspace(first.dtype)
        if first.size < SMALL or first.__class__ is not np.ndarray:
            rule(space.scalar, None, None, None, *arrays, *options)
            return
        for array in arrays:
            if array.shape != first.shape:  # which the blocks might not show
                raise misfit(array, first)
        rows = first.shape[0]
        row_size = first.size // rows
        step = max(1, BLOCK // row_size)
        for i in range(0, rows, step):
            block = [array[i : i + step] for array in arrays]
            if i == 0 or i + step > rows:
                temporaries = space.temporaries(block[0].shape, block[0].size)
            rule(space.scalar, *temporaries, *block, *options)
