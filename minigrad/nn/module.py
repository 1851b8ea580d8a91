"""Module: the base of every layer: its registries of parameters, buffers and children, its hooks, its state dict.

Knows Tensors and Parameters, no layer and no function. A call without hooks goes straight to `forward`.
"""

from __future__ import annotations

import contextlib
import warnings
from collections import OrderedDict, namedtuple
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from .. import dtypes
from ..autograd import Function
from ..functions import empty_like
from ..grad_mode import is_grad_enabled, no_grad
from ..hooks import RemovableHandle
from ..methods import arguments_of_to
from ..tensor import Tensor
from .parameter import Buffer, Parameter

__all__ = ["Module"]

_EXTRA_STATE = "_extra_state"

# One registry of hooks each: a plain dict on every instance, in torch's names.
_HOOKS = (
    "_backward_pre_hooks",
    "_backward_hooks",
    "_forward_hooks",
    "_forward_hooks_with_kwargs",
    "_forward_hooks_always_called",
    "_forward_pre_hooks",
    "_forward_pre_hooks_with_kwargs",
    "_state_dict_hooks",
    "_state_dict_pre_hooks",
    "_load_state_dict_pre_hooks",
    "_load_state_dict_post_hooks",
)


class _IncompatibleKeys(namedtuple("IncompatibleKeys", ["missing_keys", "unexpected_keys"])):
    """What load_state_dict returns: the keys it missed and the keys it did not know."""

    __slots__ = ()

    def __repr__(self) -> str:
        if not self.missing_keys and not self.unexpected_keys:
            return "<All keys matched successfully>"
        return super().__repr__()

    __str__ = __repr__


def _typename(value: Any) -> str:
    """The name that torch's messages give to a value's type."""
    if isinstance(value, Tensor):
        return value.type()
    module = getattr(value, "__module__", None)
    prefix = "" if module is None or module == "builtins" else module + "."
    return prefix + (getattr(value, "__qualname__", None) or getattr(value, "__name__", None) or type(value).__name__)


def _indent(text: str, spaces: int) -> str:
    """Every line but the first moved to the right."""
    return text.replace("\n", "\n" + " " * spaces)


class Module:
    """Base class of all layers and models: assign Parameters and Modules to attributes, define `forward`.

    As in torch 2.13, with two differences: `load_state_dict` changes nothing where it raises, and there are no global
    hooks (`register_module_forward_hook` and its kind) and no non-full backward hooks.
    """

    _version: int = 1
    call_super_init: bool = False

    training: bool
    _parameters: dict[str, Parameter | None]
    _buffers: dict[str, Tensor | None]
    _modules: dict[str, Module | None]
    _non_persistent_buffers_set: set[str]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        if self.call_super_init is False:
            name = type(self).__name__
            if kwargs:
                raise TypeError(f"{name}.__init__() got an unexpected keyword argument '{next(iter(kwargs))}'")
            if args:
                raise TypeError(f"{name}.__init__() takes 1 positional argument but {len(args) + 1} were given")
        # Straight into the instance: __setattr__ is for what users assign.
        state = self.__dict__
        state["training"] = True
        state["_parameters"] = {}
        state["_buffers"] = {}
        state["_non_persistent_buffers_set"] = set()
        for registry in _HOOKS:
            state[registry] = OrderedDict()
        state["_modules"] = {}
        state["_hooked"] = False
        if self.call_super_init:
            super().__init__(*args, **kwargs)

    def forward(self, *input: Any) -> Any:
        """What the module computes; every subclass defines it. Call the module itself, so that its hooks run."""
        raise NotImplementedError(f'Module [{type(self).__name__}] is missing the required "forward" function')

    def __getattr__(self, name: str) -> Any:
        # Only what is not an ordinary attribute comes here: mostly parameters, so those are looked for first and
        # directly.
        state = self.__dict__
        try:
            return state["_parameters"][name]
        except KeyError:
            for registry in ("_buffers", "_modules"):
                members = state.get(registry, ())
                if name in members:
                    return members[name]
        remedy = "" if "_parameters" in state else ": call super().__init__() first in its __init__"
        raise AttributeError(f"'{type(self).__name__}' object has no attribute '{name}'{remedy}")

    def __setattr__(self, name: str, value: Any) -> None:
        state = self.__dict__
        parameters = state.get("_parameters")
        if isinstance(value, Parameter):
            if parameters is None:
                raise AttributeError("cannot assign parameters before Module.__init__() call")
            self._forget(name, keep=parameters)
            self.register_parameter(name, value)
        elif parameters is not None and name in parameters:
            if value is not None:
                raise TypeError(
                    f"cannot assign '{_typename(value)}' as parameter '{name}' (torch.nn.Parameter or None expected)"
                )
            self.register_parameter(name, value)
        elif isinstance(value, Module):
            modules = state.get("_modules")
            if modules is None:
                raise AttributeError("cannot assign module before Module.__init__() call")
            self._forget(name, keep=modules)
            modules[name] = value
        elif parameters is not None and name in state["_modules"]:
            if value is not None:
                raise TypeError(
                    f"cannot assign '{_typename(value)}' as child module '{name}' (torch.nn.Module or None expected)"
                )
            state["_modules"][name] = value
        elif isinstance(value, Buffer) or (parameters is not None and name in state["_buffers"]):
            if value is not None and not isinstance(value, Tensor):
                raise TypeError(
                    f"cannot assign '{_typename(value)}' as buffer '{name}' "
                    "(torch.nn.Buffer, torch.Tensor or None expected)"
                )
            if isinstance(value, Buffer):
                persistent = value.persistent
            else:
                persistent = name not in state["_non_persistent_buffers_set"]
            self.register_buffer(name, value, persistent)
        else:
            object.__setattr__(self, name, value)

    def _forget(self, name: str, keep: dict[str, Any]) -> None:
        """Remove `name` wherever it is registered, except in `keep`, whose order a new value must not change."""
        state = self.__dict__
        for members in (state, state["_parameters"], state["_buffers"], state["_modules"]):
            if members is not keep and name in members:
                del members[name]
        state["_non_persistent_buffers_set"].discard(name)

    def __delattr__(self, name: str) -> None:
        for members in (self._parameters, self._buffers, self._modules):
            if name in members:
                del members[name]
                self._non_persistent_buffers_set.discard(name)
                return
        object.__delattr__(self, name)

    def __dir__(self) -> list[str]:
        names = [*dir(type(self)), *self.__dict__, *self._parameters, *self._modules, *self._buffers]
        return sorted(name for name in names if not name[0].isdigit())

    def _check_new_name(self, kind: str, name: str, members: dict[str, Any]) -> None:
        """The rules for a name that register_parameter and register_buffer share."""
        if not isinstance(name, str):
            raise TypeError(f"{kind} name should be a string. Got {_typename(name)}")
        if "." in name:
            raise KeyError(f'{kind} name can\'t contain "."')
        if name == "":
            raise KeyError(f'{kind} name can\'t be empty string ""')
        if name not in members and hasattr(self, name):
            raise KeyError(f"attribute '{name}' already exists")

    def register_parameter(self, name: str, param: Parameter | None) -> None:
        """Add a parameter under `name`; None reserves the name and is not listed in `parameters()`."""
        if "_parameters" not in self.__dict__:
            raise AttributeError("cannot assign parameter before Module.__init__() call")
        self._check_new_name("parameter", name, self._parameters)
        if param is not None:
            if not isinstance(param, Parameter):
                raise TypeError(
                    f"cannot assign '{_typename(param)}' object to parameter '{name}' "
                    "(torch.nn.Parameter or None required)"
                )
            if param.grad_fn is not None:
                raise ValueError(
                    f"Cannot assign non-leaf Tensor to parameter '{name}'. Model parameters must be created "
                    f"explicitly. To express '{name}' as a function of another Tensor, "
                    "compute the value in the forward() method."
                )
        self._parameters[name] = param

    def register_buffer(self, name: str, tensor: Tensor | None, persistent: bool = True) -> None:
        """Add a tensor that is state but not trained; with `persistent=False` it is not part of `state_dict()`."""
        if "_buffers" not in self.__dict__:
            raise AttributeError("cannot assign buffer before Module.__init__() call")
        self._check_new_name("buffer", name, self._buffers)
        if tensor is not None and not isinstance(tensor, Tensor):
            raise TypeError(
                f"cannot assign '{_typename(tensor)}' object to buffer '{name}' (torch Tensor or None required)"
            )
        self._buffers[name] = tensor
        if persistent:
            self._non_persistent_buffers_set.discard(name)
        else:
            self._non_persistent_buffers_set.add(name)

    def add_module(self, name: str, module: Module | None) -> None:
        """Add a child module under `name`."""
        if not isinstance(module, Module) and module is not None:
            raise TypeError(f"{_typename(module)} is not a Module subclass")
        if not isinstance(name, str):
            raise TypeError(f"module name should be a string. Got {_typename(name)}")
        if name not in self._modules and hasattr(self, name):
            raise KeyError(f"attribute '{name}' already exists")
        if "." in name:
            raise KeyError(f'module name can\'t contain ".", got: {name}')
        if name == "":
            raise KeyError('module name can\'t be empty string ""')
        self._modules[name] = module

    def register_module(self, name: str, module: Module | None) -> None:
        """Another name of `add_module`."""
        self.add_module(name, module)

    def get_submodule(self, target: str) -> Module:
        """The module at a dotted path such as "encoder.0"; "" is the module itself. Raises AttributeError."""
        module: Any = self
        if target == "":
            return module
        for name in target.split("."):
            if not hasattr(module, name):
                raise AttributeError(f"{module._get_name()} has no attribute `{name}`")
            module = getattr(module, name)
            if not isinstance(module, Module):
                raise AttributeError(f"`{name}` is not an nn.Module")
        return module

    def set_submodule(self, target: str, module: Module, strict: bool = False) -> None:
        """Put `module` at a dotted path; with `strict` there must be one already."""
        if target == "":
            raise ValueError("Cannot set the submodule without a target name!")
        if not isinstance(module, Module):
            raise ValueError(f"`module` is not an nn.Module, found {type(module)}")
        path, _, name = target.rpartition(".")
        parent = self.get_submodule(path)
        if strict and not hasattr(parent, name):
            raise AttributeError(f"{parent._get_name()} has no attribute `{name}`")
        if hasattr(parent, name) and not isinstance(getattr(parent, name), Module):
            raise AttributeError(f"`{name}` is not an nn.Module")
        setattr(parent, name, module)

    def get_parameter(self, target: str) -> Parameter:
        """The parameter at a dotted path such as "encoder.0.weight". Raises AttributeError."""
        path, _, name = target.rpartition(".")
        module = self.get_submodule(path)
        if not hasattr(module, name):
            raise AttributeError(f"{module._get_name()} has no attribute `{name}`")
        parameter = getattr(module, name)
        if not isinstance(parameter, Parameter):
            raise AttributeError(f"`{name}` is not an nn.Parameter")
        return parameter

    def get_buffer(self, target: str) -> Tensor:
        """The buffer at a dotted path such as "norm.running_mean". Raises AttributeError."""
        path, _, name = target.rpartition(".")
        module = self.get_submodule(path)
        if not hasattr(module, name):
            raise AttributeError(f"{module._get_name()} has no attribute `{name}`")
        if name not in module._buffers:
            raise AttributeError(f"`{name}` is not a buffer")
        return module._buffers[name]

    def named_modules(
        self, memo: set[Module] | None = None, prefix: str = "", remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Module]]:
        """(dotted name, module) of the module itself and of everything below it, depth first, each module once."""
        memo = set() if memo is None else memo
        if self not in memo:
            if remove_duplicate:
                memo.add(self)
            yield prefix, self
            for name, module in self._modules.items():
                if module is not None:
                    yield from module.named_modules(memo, f"{prefix}.{name}" if prefix else name, remove_duplicate)

    def modules(self, remove_duplicate: bool = True) -> Iterator[Module]:
        """The module itself and everything below it."""
        for _, module in self.named_modules(remove_duplicate=remove_duplicate):
            yield module

    def named_children(self) -> Iterator[tuple[str, Module]]:
        """(name, module) of the immediate children, each once."""
        memo = set()
        for name, module in self._modules.items():
            if module is not None and module not in memo:
                memo.add(module)
                yield name, module

    def children(self) -> Iterator[Module]:
        """The immediate children."""
        for _, module in self.named_children():
            yield module

    def _named_members(
        self, registry: str, prefix: str, recurse: bool, remove_duplicate: bool
    ) -> Iterator[tuple[str, Any]]:
        memo = set()
        modules = self.named_modules(prefix=prefix, remove_duplicate=remove_duplicate) if recurse else [(prefix, self)]
        for module_prefix, module in modules:
            for name, member in getattr(module, registry).items():
                if member is None or member in memo:
                    continue
                if remove_duplicate:
                    memo.add(member)
                yield f"{module_prefix}.{name}" if module_prefix else name, member

    def named_parameters(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Parameter]]:
        """(dotted name, parameter), of the module alone or (recurse) of everything below it, each parameter once."""
        yield from self._named_members("_parameters", prefix, recurse, remove_duplicate)

    def parameters(self, recurse: bool = True) -> Iterator[Parameter]:
        """The parameters, each once: what an optimizer takes."""
        for _, parameter in self.named_parameters(recurse=recurse):
            yield parameter

    def named_buffers(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Tensor]]:
        """(dotted name, buffer), of the module alone or (recurse) of everything below it, each buffer once."""
        yield from self._named_members("_buffers", prefix, recurse, remove_duplicate)

    def buffers(self, recurse: bool = True) -> Iterator[Tensor]:
        """The buffers, each once."""
        for _, buffer in self.named_buffers(recurse=recurse):
            yield buffer

    def apply(self, fn: Callable[[Module], Any]) -> Module:
        """Call `fn` on every module below and then on this one, for instance to initialise weights; returns self."""
        for module in self.children():
            module.apply(fn)
        fn(self)
        return self

    def train(self, mode: bool = True) -> Module:
        """Set `training` in this module and everything below it (Dropout and BatchNorm read it); returns self."""
        if not isinstance(mode, bool):
            raise ValueError("training mode is expected to be boolean")
        self.training = mode
        for module in self.children():
            module.train(mode)
        return self

    def eval(self) -> Module:
        """`train(False)`."""
        return self.train(False)

    def requires_grad_(self, requires_grad: bool = True) -> Module:
        """Freeze or unfreeze every parameter; returns self."""
        for parameter in self.parameters():
            parameter.requires_grad_(requires_grad)
        return self

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Drop the gradients of all parameters (or, with `set_to_none=False`, fill them with zeros)."""
        if set_to_none:
            # Called once a training step: half the time of going through parameters(), which makes names.
            found = [self]
            seen = set()
            while found:
                module = found.pop()
                if module not in seen:
                    seen.add(module)
                    for parameter in module._parameters.values():
                        if parameter is not None:
                            parameter._grad = None
                    found.extend([child for child in module._modules.values() if child is not None])
            return
        for parameter in self.parameters():
            gradient = parameter._grad
            if gradient is not None:
                if gradient.grad_fn is not None:
                    gradient.detach_()
                else:
                    gradient.requires_grad_(False)
                gradient.zero_()

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> Module:
        """Replace the data of every parameter, gradient and buffer by `fn` of it; parameters stay the same objects."""
        if recurse:
            for module in self.children():
                module._apply(fn)
        for parameter in self._parameters.values():
            if parameter is None:
                continue
            with no_grad():
                data = fn(parameter)
                gradient = None if parameter.grad is None else fn(parameter.grad)
            parameter.data = data
            if gradient is not None:
                parameter.grad.data = gradient
        for name, buffer in self._buffers.items():
            if buffer is not None:
                self._buffers[name] = fn(buffer)
        return self

    def to(self, *args: Any, **kwargs: Any) -> Module:
        """Convert floating point parameters and buffers in place: to(dtype), to(device, dtype) or to(tensor).

        Integer buffers keep their dtype. Raises TypeError for an integer or bool dtype.
        """
        dtype, device, copy, _ = arguments_of_to(args, kwargs)
        if copy:
            raise RuntimeError(".to() does not accept copy argument: a module is converted in place; copy.deepcopy it")
        if dtype is not None and not dtype.is_floating_point:
            raise TypeError(
                f"nn.Module.to only accepts floating point or complex dtypes, but got desired dtype={dtype}"
            )
        if device is not None:
            device = dtypes.device(device)

        def convert(tensor: Tensor) -> Tensor:
            if device is not None:
                tensor = tensor.to(device)
            return tensor.to(dtype) if dtype is not None and tensor.is_floating_point() else tensor

        return self._apply(convert)

    def type(self, dst_type: Any) -> Module:
        """Convert all parameters and buffers, also integer ones, to `dst_type`."""
        return self._apply(lambda tensor: tensor.type(dst_type))

    def float(self) -> Module:
        """Convert floating point parameters and buffers to float32."""
        return self._apply(lambda tensor: tensor.float() if tensor.is_floating_point() else tensor)

    def double(self) -> Module:
        """Convert floating point parameters and buffers to float64."""
        return self._apply(lambda tensor: tensor.double() if tensor.is_floating_point() else tensor)

    def half(self) -> Module:
        """Convert floating point parameters and buffers to float16."""
        return self._apply(lambda tensor: tensor.half() if tensor.is_floating_point() else tensor)

    def cpu(self) -> Module:
        """Move parameters and buffers to the CPU."""
        return self._apply(lambda tensor: tensor.cpu())

    def cuda(self, device: Any = None) -> Module:
        """Move parameters and buffers to a GPU. Raises where torch has none."""
        return self._apply(lambda tensor: tensor.cuda(device))

    def to_empty(self, *, device: Any, recurse: bool = True) -> Module:
        """Move parameters and buffers to a device without their values: they are what the memory happens to hold."""
        return self._apply(lambda tensor: empty_like(tensor, device=device), recurse)

    def share_memory(self) -> Module:
        """The module: there are no other processes to share its memory with."""
        return self

    def compile(self, *args: Any, **kwargs: Any) -> None:
        """Accepted: a compiled module computes what it did before."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        # Two look-ups decide for a module without hooks. `_hooked` is set when the first hook is registered.
        if self._backward_hooks or self._hooked:
            return self._call_with_hooks(args, kwargs)
        return self.forward(*args, **kwargs)

    def _call_with_hooks(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        if not (self._forward_hooks or self._forward_pre_hooks or self._backward_hooks or self._backward_pre_hooks):
            self._hooked = False  # All of them were removed.
            return self.forward(*args, **kwargs)
        result = None
        called = set()

        def ended(kind: type[BaseException] | None, *details: Any) -> None:
            if kind is not None and issubclass(kind, Exception):
                self._call_always_hooks(called, args, kwargs, result)

        with contextlib.ExitStack() as stack:
            stack.push(ended)
            backward_hooks = list(self._backward_hooks.values())
            backward_pre_hooks = list(self._backward_pre_hooks.values())
            for key, hook in list(self._forward_pre_hooks.items()):
                if key in self._forward_pre_hooks_with_kwargs:
                    replaced = hook(self, args, kwargs)
                    if replaced is not None:
                        if not (isinstance(replaced, tuple) and len(replaced) == 2):
                            raise RuntimeError(
                                "forward pre-hook must return None or a tuple of (new_args, new_kwargs), "
                                f"but got {replaced}."
                            )
                        args, kwargs = replaced
                else:
                    replaced = hook(self, args)
                    if replaced is not None:
                        args = replaced if isinstance(replaced, tuple) else (replaced,)

            backward = None
            if backward_hooks or backward_pre_hooks:
                backward = _BackwardHooks(self, backward_hooks, backward_pre_hooks)
                args = backward.enter(args)
            result = self.forward(*args, **kwargs)

            for key, hook in list(self._forward_hooks.items()):
                if key in self._forward_hooks_always_called:
                    called.add(key)
                replaced = self._call_forward_hook(key, hook, args, kwargs, result)
                if replaced is not None:
                    result = replaced
            if backward is not None:
                if not isinstance(result, (Tensor, tuple)):
                    warnings.warn(
                        "For backward hooks to be called, module output should be a Tensor or a tuple of Tensors "
                        f"but received {type(result)}",
                        stacklevel=3,
                    )
                result = backward.leave(result)
            return result

    def _call_always_hooks(self, called: set[int], args: tuple[Any, ...], kwargs: dict[str, Any], result: Any) -> None:
        """After an error in forward, the hooks that are called always and were not; their own errors are warnings."""
        for key, hook in list(self._forward_hooks.items()):
            if key in self._forward_hooks_always_called and key not in called:
                try:
                    replaced = self._call_forward_hook(key, hook, args, kwargs, result)
                    if replaced is not None:
                        result = replaced
                except Exception as silenced:
                    warnings.warn(
                        "module forward hook with ``always_call=True`` raised an exception "
                        f"that was silenced as another error was raised in forward: {silenced}",
                        stacklevel=6,  # contextlib's and this file's frames
                    )

    def _call_forward_hook(
        self, key: int, hook: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any], result: Any
    ) -> Any:
        if key in self._forward_hooks_with_kwargs:
            return hook(self, args, kwargs, result)
        return hook(self, args, result)

    def _register(
        self,
        hooks: OrderedDict[int, Any],
        hook: Callable[..., Any],
        prepend: bool = False,
        *marked: OrderedDict[int, Any],
    ) -> RemovableHandle:
        handle = RemovableHandle(hooks, extra_dict=list(marked))
        hooks[handle.id] = hook
        for marks in marked:
            marks[handle.id] = True
        of_calls = self._forward_hooks, self._forward_pre_hooks, self._backward_hooks, self._backward_pre_hooks
        if any(hooks is registry for registry in of_calls):
            self._hooked = True
        if prepend:
            hooks.move_to_end(handle.id, last=False)
        return handle

    def register_forward_pre_hook(
        self, hook: Callable[..., Any], *, prepend: bool = False, with_kwargs: bool = False
    ) -> RemovableHandle:
        """Call `hook(module, args)` before forward; a result other than None replaces args.

        With `with_kwargs` it is `hook(module, args, kwargs)` and returns None or (args, kwargs).
        """
        marked = [self._forward_pre_hooks_with_kwargs] if with_kwargs else []
        return self._register(self._forward_pre_hooks, hook, prepend, *marked)

    def register_forward_hook(
        self, hook: Callable[..., Any], *, prepend: bool = False, with_kwargs: bool = False, always_call: bool = False
    ) -> RemovableHandle:
        """Call `hook(module, args, output)` after forward; a result other than None replaces the output.

        With `with_kwargs` it is `hook(module, args, kwargs, output)`; with `always_call` it runs also where forward
        raises.
        """
        marked = [self._forward_hooks_with_kwargs] if with_kwargs else []
        marked += [self._forward_hooks_always_called] if always_call else []
        return self._register(self._forward_hooks, hook, prepend, *marked)

    def register_full_backward_pre_hook(self, hook: Callable[..., Any], prepend: bool = False) -> RemovableHandle:
        """Call `hook(module, grad_output)` before the module's backward; a tuple returned replaces grad_output."""
        return self._register(self._backward_pre_hooks, hook, prepend)

    def register_full_backward_hook(self, hook: Callable[..., Any], prepend: bool = False) -> RemovableHandle:
        """Call `hook(module, grad_input, grad_output)` once the gradients of the module's inputs are known.

        A tuple returned replaces grad_input. Both are tuples over the positional arguments and the outputs, with None
        where there is no tensor. Where no input requires grad the hook runs at the output, with grad_input None.
        """
        return self._register(self._backward_hooks, hook, prepend)

    def get_extra_state(self) -> Any:
        """Override it, with `set_extra_state`, to store more than tensors in `state_dict()`."""
        raise RuntimeError("Module.get_extra_state() is only for subclasses that define it")

    def set_extra_state(self, state: Any) -> None:
        """Override it, with `get_extra_state`; called by `load_state_dict()`."""
        raise RuntimeError("Module.set_extra_state() is only for subclasses that define it")

    def register_state_dict_pre_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """Call `hook(module, prefix, keep_vars)` before this module's part of `state_dict()` is written."""
        return self._register(self._state_dict_pre_hooks, hook)

    def register_state_dict_post_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """Call `hook(module, state_dict, prefix, local_metadata)` after that; it may change state_dict in place."""
        hook._from_public_api = True  # type: ignore[attr-defined]
        return self._register(self._state_dict_hooks, hook)

    def _register_state_dict_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """As `register_state_dict_post_hook`, but the hook of the root module may return another state dict."""
        if getattr(hook, "_from_public_api", False):
            raise RuntimeError(
                "Cannot register the same function as the state dict post hook that was "
                "previously registered via register_state_dict_post_hook"
            )
        return self._register(self._state_dict_hooks, hook)

    def register_load_state_dict_pre_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """Call `hook(module, state_dict, prefix, local_metadata, strict, missing_keys, unexpected_keys, error_msgs)`
        before this module is loaded."""
        # Only a marker is kept here: the module is passed when the hook runs, so that a deep copy passes itself.
        return self._register(self._load_state_dict_pre_hooks, (hook, True))  # type: ignore[arg-type]

    def _register_load_state_dict_pre_hook(
        self, hook: Callable[..., Any], with_module: bool = False
    ) -> RemovableHandle:
        """As `register_load_state_dict_pre_hook`, by default without the module as the first argument."""
        return self._register(self._load_state_dict_pre_hooks, (hook, with_module))  # type: ignore[arg-type]

    def register_load_state_dict_post_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """Call `hook(module, incompatible_keys)` after this module is loaded; it may change the two lists in place."""
        return self._register(self._load_state_dict_post_hooks, hook)

    def _save_to_state_dict(self, destination: dict[str, Any], prefix: str, keep_vars: bool) -> None:
        """Write this module's own parameters and persistent buffers, not its children's."""
        for name, parameter in self._parameters.items():
            if parameter is not None:
                destination[prefix + name] = parameter if keep_vars else parameter.detach()
        for name, buffer in self._buffers.items():
            if buffer is not None and name not in self._non_persistent_buffers_set:
                destination[prefix + name] = buffer if keep_vars else buffer.detach()
        if type(self).get_extra_state is not Module.get_extra_state:
            destination[prefix + _EXTRA_STATE] = self.get_extra_state()

    def state_dict(self, *args: Any, destination: Any = None, prefix: str = "", keep_vars: bool = False) -> Any:
        """An OrderedDict from dotted names to parameters and persistent buffers, detached but sharing their memory."""
        if args:
            warnings.warn(
                "Positional args are being deprecated, use kwargs instead. Refer to "
                "https://pytorch.org/docs/main/generated/torch.nn.Module.html#torch.nn.Module.state_dict for details.",
                FutureWarning,
                stacklevel=2,
            )
            destination = args[0] if destination is None else destination
            prefix = args[1] if len(args) > 1 and prefix == "" else prefix
            keep_vars = args[2] if len(args) > 2 and keep_vars is False else keep_vars
        if destination is None:
            destination = OrderedDict()
            destination._metadata = OrderedDict()
        local_metadata = {"version": self._version}
        if hasattr(destination, "_metadata"):
            destination._metadata[prefix[:-1]] = local_metadata

        for hook in self._state_dict_pre_hooks.values():
            hook(self, prefix, keep_vars)
        self._save_to_state_dict(destination, prefix, keep_vars)
        for name, module in self._modules.items():
            if module is not None:
                module.state_dict(destination=destination, prefix=f"{prefix}{name}.", keep_vars=keep_vars)
        for hook in self._state_dict_hooks.values():
            replaced = hook(self, destination, prefix, local_metadata)
            if replaced is not None:
                if getattr(hook, "_from_public_api", False):
                    raise RuntimeError("state_dict post-hook must return None")
                destination = replaced
        return destination

    def _load_from_state_dict(
        self,
        state_dict: Any,
        prefix: str,
        local_metadata: dict[str, Any],
        strict: bool,
        missing_keys: list[str],
        unexpected_keys: list[str],
        error_msgs: list[str],
    ) -> None:
        """Copy this module's own parameters and buffers from `state_dict`; report into the lists, raise nothing."""
        for hook, with_module in self._load_state_dict_pre_hooks.values():
            arguments = (state_dict, prefix, local_metadata, strict, missing_keys, unexpected_keys, error_msgs)
            hook(self, *arguments) if with_module else hook(*arguments)

        members: dict[str, Tensor] = {name: p for name, p in self._parameters.items() if p is not None}
        for name, buffer in self._buffers.items():
            if buffer is not None and name not in self._non_persistent_buffers_set:
                members[name] = buffer
        assign = local_metadata.get("assign_to_params_buffers", False)

        for name, member in members.items():
            key = prefix + name
            if key not in state_dict:
                if strict:
                    missing_keys.append(key)
                continue
            value = state_dict[key]
            if not isinstance(value, Tensor):
                error_msgs.append(
                    f'While copying the parameter named "{key}", expected torch.Tensor or Tensor-like object from '
                    f"checkpoint but received {type(value)}"
                )
                continue
            if member.dim() == 0 and tuple(value.shape) == (1,):
                value = value[0]
            if value.shape != member.shape:
                error_msgs.append(
                    f"size mismatch for {key}: copying a param with shape {value.shape} from checkpoint, "
                    f"the shape in current model is {member.shape}."
                )
                continue
            try:
                with no_grad():
                    if not assign:
                        member.copy_(value)
                        continue
                    if isinstance(member, Parameter):
                        if isinstance(value, Parameter):
                            value.requires_grad_(member.requires_grad)
                        else:
                            value = Parameter(value, requires_grad=member.requires_grad)
                    setattr(self, name, value)
            except Exception as error:
                error_msgs.append(
                    f'While copying the parameter named "{key}", whose dimensions in the model are {member.shape} and '
                    f"whose dimensions in the checkpoint are {value.shape}, an exception occurred : {error.args}."
                )

        extra = prefix + _EXTRA_STATE
        if type(self).set_extra_state is not Module.set_extra_state:
            if extra in state_dict:
                self.set_extra_state(state_dict[extra])
            elif strict:
                missing_keys.append(extra)
        elif strict and extra in state_dict:
            unexpected_keys.append(extra)

        if strict:
            for key in state_dict:
                if key.startswith(prefix) and key != extra:
                    head, dot, _ = key[len(prefix) :].partition(".")
                    if head not in (self._modules if dot else members):
                        unexpected_keys.append(key)

    def load_state_dict(self, state_dict: Mapping[str, Any], strict: bool = True, assign: bool = False) -> Any:
        """Copy (or with `assign` put) the tensors of `state_dict` into the parameters and buffers of the same names.

        Returns (missing_keys, unexpected_keys). Raises one RuntimeError with all that is wrong: other shapes, and with
        `strict` also missing and unexpected keys. Where it raises, every parameter and buffer keeps its old value;
        torch has by then copied those that fit.
        """
        if not isinstance(state_dict, Mapping):
            raise TypeError(f"Expected state_dict to be dict-like, got {type(state_dict)}.")
        missing_keys: list[str] = []
        unexpected_keys: list[str] = []
        error_msgs: list[str] = []
        metadata = getattr(state_dict, "_metadata", None)
        state_dict = OrderedDict(state_dict)
        if metadata is not None:
            state_dict._metadata = metadata  # type: ignore[attr-defined]

        def load(module: Module, local_state: Any, prefix: str = "") -> None:
            local_metadata = {} if metadata is None else metadata.get(prefix[:-1], {})
            if assign:
                local_metadata["assign_to_params_buffers"] = assign
            module._load_from_state_dict(
                local_state, prefix, local_metadata, True, missing_keys, unexpected_keys, error_msgs
            )
            for name, child in module._modules.items():
                if child is not None:
                    below = f"{prefix}{name}."
                    load(child, {k: v for k, v in local_state.items() if k.startswith(below)}, below)
            incompatible = _IncompatibleKeys(missing_keys, unexpected_keys)
            for hook in module._load_state_dict_post_hooks.values():
                if hook(module, incompatible) is not None:
                    raise AssertionError(
                        "Hooks registered with ``register_load_state_dict_post_hook`` are not "
                        "expected to return new values, if incompatible_keys need to be modified, "
                        "it should be done inplace."
                    )

        before = _Values(self)
        with contextlib.ExitStack() as undo:
            undo.callback(before.restore)
            load(self, state_dict)
            if strict:
                quoted = [", ".join(f'"{key}"' for key in keys) for keys in (missing_keys, unexpected_keys)]
                if unexpected_keys:
                    error_msgs.insert(0, f"Unexpected key(s) in state_dict: {quoted[1]}. ")
                if missing_keys:
                    error_msgs.insert(0, f"Missing key(s) in state_dict: {quoted[0]}. ")
            if error_msgs:
                raise RuntimeError(
                    "Error(s) in loading state_dict for {}:\n\t{}".format(type(self).__name__, "\n\t".join(error_msgs))
                )
            undo.pop_all()
        return _IncompatibleKeys(missing_keys, unexpected_keys)

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__.copy()

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)

    def _get_name(self) -> str:
        return type(self).__name__

    def extra_repr(self) -> str:
        """What stands between the brackets of the module's repr; override it in a subclass."""
        return ""

    def __repr__(self) -> str:
        extra = self.extra_repr()
        extra_lines = extra.split("\n") if extra else []
        lines = extra_lines + [f"({name}): {_indent(repr(module), 2)}" for name, module in self._modules.items()]
        if not lines:
            return f"{self._get_name()}()"
        if len(lines) == 1 and extra_lines:
            return f"{self._get_name()}({lines[0]})"
        return f"{self._get_name()}(\n  " + "\n  ".join(lines) + "\n)"


class _Values:
    """The values and registries of a tree of modules, to be put back where loading fails half-way."""

    def __init__(self, root: Module) -> None:
        self.registries = [(m, dict(m._parameters), dict(m._buffers)) for m in root.modules()]
        tensors = {
            id(t): t for _, *registries in self.registries for r in registries for t in r.values() if t is not None
        }
        self.arrays = [(tensor, tensor._array.copy()) for tensor in tensors.values()]

    def restore(self) -> None:
        for module, parameters, buffers in self.registries:
            for registry, members in ((module._parameters, parameters), (module._buffers, buffers)):
                registry.clear()
                registry.update(members)
        for tensor, array in self.arrays:
            if not np.array_equal(tensor._array, array, equal_nan=array.dtype.kind == "f"):
                np.copyto(tensor._array, array)
                tensor._counter[0] += 1


class BackwardHookFunction(Function):
    """The identity on several tensors, whose backward passes the gradients through `run`: a module's boundary."""

    @staticmethod
    def forward(ctx: Any, run: Callable[[tuple[Any, ...]], Any], materialize: bool, *tensors: Tensor) -> Any:
        ctx.run = run
        ctx.set_materialize_grads(materialize)
        ctx.mark_non_differentiable(*[tensor for tensor in tensors if not tensor.requires_grad])
        return tensors

    @staticmethod
    def backward(ctx: Any, *grads: Tensor | None) -> tuple[Any, ...]:
        return None, None, *ctx.run(grads)


class _BackwardHooks:
    """One call of a module with full backward hooks: a boundary around its inputs and one around its outputs.

    The outputs' boundary meets grad_output first and keeps it; the inputs' boundary then has grad_input, and calls the
    hooks with both.
    """

    def __init__(self, module: Module, hooks: list[Callable[..., Any]], pre_hooks: list[Callable[..., Any]]) -> None:
        self.module, self.hooks, self.pre_hooks = module, hooks, pre_hooks
        self.grad_outputs: tuple[Any, ...] | None = None
        self.n_inputs = self.n_outputs = 0
        self.input_positions: list[int] | None = None
        self.output_positions: list[int] | None = None

    def _pass_through(self, values: tuple[Any, ...], run: Any, materialize: bool) -> tuple[Any, list[int] | None]:
        positions = [i for i, value in enumerate(values) if isinstance(value, Tensor)]
        tensors = [values[i] for i in positions]
        if not (is_grad_enabled() and any(tensor.requires_grad for tensor in tensors)):
            return values, None
        passed = list(values)
        for i, tensor in zip(positions, BackwardHookFunction.apply(run, materialize, *tensors), strict=True):
            passed[i] = tensor
        return (tuple(passed) if type(values) is tuple else type(values)(*passed)), positions

    @staticmethod
    def _spread(positions: list[int], values: tuple[Any, ...], size: int) -> tuple[Any, ...]:
        spread: list[Any] = [None] * size
        for position, value in zip(positions, values, strict=True):
            spread[position] = value
        return tuple(spread)

    def enter(self, args: tuple[Any, ...]) -> tuple[Any, ...]:
        self.n_inputs = len(args)
        args, self.input_positions = self._pass_through(args, self._at_inputs, materialize=True)
        return args

    def leave(self, result: Any) -> Any:
        outputs = result if isinstance(result, tuple) else (result,)
        self.n_outputs = len(outputs)
        outputs, self.output_positions = self._pass_through(outputs, self._at_outputs, materialize=False)
        return outputs if isinstance(result, tuple) else outputs[0]

    def _at_outputs(self, grads: tuple[Any, ...]) -> tuple[Any, ...]:
        assert self.output_positions is not None
        grad_outputs = self._spread(self.output_positions, grads, self.n_outputs)
        for hook in self.pre_hooks:
            replaced = hook(self.module, grad_outputs)
            if replaced is None:
                continue
            if len(replaced) != len(grad_outputs):
                raise RuntimeError(
                    "Backward pre hook returned an invalid number of grad_output, "
                    f"got {len(replaced)}, but expected {len(grad_outputs)}"
                )
            grad_outputs = replaced
        self.grad_outputs = grad_outputs
        if self.input_positions is None:
            warnings.warn(
                "Full backward hook is firing when gradients are computed with respect to module outputs since no "
                "inputs require gradients. See https://docs.pytorch.org/docs/main/generated/torch.nn.Module.html"
                "#torch.nn.Module.register_full_backward_hook for more details.",
                stacklevel=5,
            )
            for hook in self.hooks:
                replaced = hook(self.module, (None,) * self.n_inputs, grad_outputs)
                if replaced is not None and not (isinstance(replaced, tuple) and all(g is None for g in replaced)):
                    raise RuntimeError(
                        "Backward hook for Modules where no input requires gradient should always return None "
                        "or None for all gradients."
                    )
            self.grad_outputs = None
        return tuple(grad_outputs[i] for i in self.output_positions)

    def _at_inputs(self, grads: tuple[Any, ...]) -> tuple[Any, ...]:
        assert self.input_positions is not None
        if self.grad_outputs is None:
            # The gradient came from elsewhere (an output used none of the module's boundary): nothing to report.
            return grads
        grad_inputs = self._spread(self.input_positions, grads, self.n_inputs)
        for hook in self.hooks:
            replaced = hook(self.module, grad_inputs, self.grad_outputs)
            if replaced is None:
                continue
            if len(replaced) != len(grad_inputs):
                raise RuntimeError(
                    "Backward hook returned an invalid number of grad_input, "
                    f"got {len(replaced)}, but expected {len(grad_inputs)}"
                )
            grad_inputs = replaced
        self.grad_outputs = None
        return tuple(grad_inputs[i] for i in self.input_positions)
