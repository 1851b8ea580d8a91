"""A workload written once as a pure loss, and run by every library that differentiates functions.

`loss(xp, params, batch)` keeps to operators and the names of `namespace()`, so one text serves jax, autograd, MyGrad,
tinygrad and torch.compile; the update rule likewise. Programs written in torch's own style (torch, minigrad) and by
hand (NumPy) are in the workloads' files.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial
from types import SimpleNamespace
from typing import Any

import numpy as np

from .workload import NotAvailable, Program, Workload

NAMES = ("sum", "mean", "tanh", "exp", "sqrt", "relu")
LIBRARIES = (
    "minigrad-traced", "torch-compile", "mygrad", "mygrad-unguarded", "autograd", "tinygrad", "tinygrad-jit", "jax",
    "jax-jit",
)  # fmt: skip


def namespace(library: str) -> SimpleNamespace:
    """The functions a loss may use, spelled alike: sum(x), sum(x, axis), mean, tanh, exp, sqrt, relu; and `name`."""
    xp = SimpleNamespace(name=library)
    if library == "numpy":
        source = np
        xp.relu = lambda x: np.maximum(x, 0)
    elif library == "torch":
        import torch as source

        xp.relu = source.relu
    elif library == "minigrad":
        import minigrad as source

        xp.relu = source.relu

        def gradient(function: Callable[[Any], Any], x: Any) -> Any:
            x = x.detach().requires_grad_()
            return source.autograd.grad(function(x), x, create_graph=True)[0]

        xp.gradient = gradient
    elif library == "jax":
        import jax
        import jax.numpy as source

        xp.relu = jax.nn.relu
        xp.gradient = lambda function, x: jax.grad(function)(x)
    elif library == "autograd":
        import autograd
        import autograd.numpy as source

        xp.relu = lambda x: source.maximum(x, 0)
        xp.gradient = lambda function, x: autograd.grad(function)(x)
    elif library == "mygrad":
        import mygrad as source
        from mygrad.nnet.activations import relu

        xp.relu = relu
    elif library == "tinygrad":
        from tinygrad import Tensor as source

        xp.relu = source.relu
        xp.gradient = lambda function, x: function(x).gradient(x)[0]
    else:
        raise ValueError(f"no namespace for {library!r}")
    if library == "torch":
        xp.gradient = lambda function, x: source.func.grad(function)(x)
    for name in NAMES:
        if not hasattr(xp, name):
            setattr(xp, name, getattr(source, name))
    return xp


def sgd(lr: float) -> Callable[..., tuple[tuple, tuple]]:
    """p - lr * g."""

    def update(xp: Any, params: tuple, grads: Iterable, state: tuple) -> tuple[tuple, tuple]:
        return tuple(p - lr * g for p, g in zip(params, grads)), state

    return update


def rmsprop(lr: float, alpha: float = 0.99, eps: float = 1e-8) -> Callable[..., tuple[tuple, tuple]]:
    """s <- alpha s + (1 - alpha) g^2; p - lr g / (sqrt(s) + eps), as torch's RMSprop."""

    def update(xp: Any, params: tuple, grads: Iterable, state: tuple) -> tuple[tuple, tuple]:
        grads = tuple(grads)
        state = tuple(alpha * s + (1 - alpha) * (g * g) for s, g in zip(state, grads))
        return tuple(p - lr * g / (xp.sqrt(s) + eps) for p, g, s in zip(params, grads, state)), state

    return update


def constant(*names: str) -> Callable[..., Callable[[], Iterable[tuple]]]:
    """A feed of one batch, always the same: these entries of the data, converted once."""

    def feed(data: SimpleNamespace, convert: Callable[[np.ndarray], Any]) -> Callable[[], Iterable[tuple]]:
        batches = (tuple(convert(getattr(data, name)) for name in names),)
        return lambda: batches

    return feed


@dataclass(frozen=True)
class Functional:
    """loss(xp, params, batch) -> scalar; feed: the batches of one step; update None: loss and gradients are the result.

    The loss is then part of what a step hands out, so that no compiler may leave the forward pass away.
    """

    loss: Callable[[Any, tuple, tuple], Any]
    params: Callable[[SimpleNamespace], tuple]
    feed: Callable[..., Callable[[], Iterable[tuple]]] = field(default_factory=constant)
    update: Callable[..., tuple[tuple, tuple]] | None = None
    stateful: bool = False

    def register(self, workload: Workload, without: dict[str, str] | None = None) -> None:
        """Add a program of every functional library to `workload`; `without` maps a key to why it has none."""
        for library in LIBRARIES:
            workload.program(library)(partial(self._make, reason=(without or {}).get(library)))

    def _make(self, data: SimpleNamespace, library: str, reason: str | None) -> Program:
        if reason is not None:
            raise NotAvailable(reason)
        return _MAKERS[library](self, data)

    def initial(self, data: SimpleNamespace, convert: Callable[[np.ndarray], Any]) -> tuple[tuple, tuple]:
        params = tuple(np.array(p, np.float32) for p in self.params(data))
        state = tuple(np.zeros_like(p) for p in params) if self.stateful else ()
        return tuple(map(convert, params)), tuple(map(convert, state))

    def training(
        self,
        data: SimpleNamespace,
        convert: Callable[[np.ndarray], Any],
        one: Callable[[tuple, tuple, tuple], tuple[tuple, tuple]],
        finish: Callable[[tuple], Any] = lambda outputs: None,
        to_numpy: Callable[[Any], np.ndarray] = np.asarray,
    ) -> Program:
        """The loop that all pure libraries share: one(params, state, batch) -> (new params or gradients, state)."""
        batches = self.feed(data, convert)
        params, state = self.initial(data, convert)
        outputs: tuple = ()

        def step() -> None:
            nonlocal params, state, outputs
            for batch in batches():
                outputs, state = one(params, state, batch)
                if self.update is not None:
                    params = outputs
            finish(outputs)

        return Program(step, lambda: [to_numpy(output) for output in outputs])


def _pure(f: Functional, xp: Any, value_and_grad: Callable[..., Any]) -> Callable[..., tuple[tuple, tuple]]:
    def one(params: tuple, state: tuple, batch: tuple) -> tuple[tuple, tuple]:
        value, grads = value_and_grad(params, batch)
        return ((value, *grads), state) if f.update is None else f.update(xp, params, grads, state)

    return one


def _minigrad_traced(f: Functional, data: SimpleNamespace) -> Program:
    import minigrad

    xp = namespace("minigrad")
    programs: dict[tuple, Any] = {}  # one for each shape of batch

    def value_and_grad(params: tuple, batch: tuple) -> tuple[Any, tuple]:
        shapes = tuple(b.shape for b in batch)
        program = programs.get(shapes)
        if program is None:
            tensors = [minigrad.from_numpy(p.copy()).requires_grad_() for p in params]
            given = [minigrad.from_numpy(b.copy()) for b in batch]
            names = {f"p{i}": t for i, t in enumerate(tensors)} | {f"b{i}": t for i, t in enumerate(given)}
            program = programs[shapes] = minigrad.autograd.trace(lambda: f.loss(xp, tensors, given), **names)
        value, grads = program(*params, *batch)
        return value, grads[: len(params)]

    return f.training(data, np.asarray, _pure(f, namespace("numpy"), value_and_grad))


def _torch_compile(f: Functional, data: SimpleNamespace) -> Program:
    import torch

    xp = namespace("torch")
    # Every workload compiles the same few functions with other closures; without this the ninth hits dynamo's limit on
    # recompilations, and the guards of the earlier ones are searched on every call.
    torch.compiler.reset()
    grad_and_value = torch.func.grad_and_value(partial(f.loss, xp))
    one = torch.compile(_pure(f, xp, lambda *inputs: grad_and_value(*inputs)[::-1]), fullgraph=True)
    return f.training(data, torch.from_numpy, one, to_numpy=lambda t: t.detach().numpy())


def _jax(f: Functional, data: SimpleNamespace, jit: bool) -> Program:
    import jax

    xp = namespace("jax")
    one = _pure(f, xp, jax.value_and_grad(partial(f.loss, xp)))
    return f.training(data, jax.numpy.asarray, jax.jit(one) if jit else one, finish=jax.block_until_ready)


def _autograd(f: Functional, data: SimpleNamespace) -> Program:
    import autograd

    one = _pure(f, namespace("numpy"), autograd.value_and_grad(partial(f.loss, namespace("autograd"))))
    return f.training(data, np.asarray, one)


def _mygrad(f: Functional, data: SimpleNamespace, guarded: bool) -> Program:
    import mygrad

    xp = namespace("mygrad")
    update = f.update

    def one(params: tuple, state: tuple, batch: tuple) -> tuple[tuple, tuple]:
        tensors = tuple(mygrad.tensor(p, copy=False) for p in params)
        loss = f.loss(xp, tensors, batch)
        loss.backward()
        grads = tuple(t.grad for t in tensors)
        return ((loss.data, *grads), state) if update is None else update(np, params, grads, state)

    program = f.training(data, np.asarray, one)
    if guarded:
        return program

    def step() -> None:
        with mygrad.mem_guard_off:
            program.step()

    return Program(step, program.result)


def _tinygrad(f: Functional, data: SimpleNamespace, jit: bool) -> Program:
    from tinygrad import Device, Tensor, TinyJit

    xp = namespace("tinygrad")

    # At least one axis: a number without any becomes a constant of the graph, which cannot be assigned to.
    def convert(array: np.ndarray) -> Any:
        return Tensor(np.atleast_1d(array)).contiguous().realize()

    batches = f.feed(data, convert)
    params, state = f.initial(data, convert)
    outputs: tuple = params

    # Parameters are assigned in place, as tinygrad's own optimizers do: a TinyJit must not get its outputs as inputs.
    def one(*batch: Any) -> tuple:
        loss = f.loss(xp, params, batch).reshape(())
        grads = loss.gradient(*params)
        if f.update is None:
            Tensor.realize(loss, *grads)
            return (loss, *grads)
        new_params, new_state = f.update(xp, params, grads, state)
        Tensor.realize(*(old.assign(new) for old, new in zip(params + state, new_params + new_state)))
        return params

    run = TinyJit(one) if jit else one
    device = Device[Device.DEFAULT]

    def step() -> None:
        nonlocal outputs
        for batch in batches():
            outputs = run(*batch)
        device.synchronize()

    return Program(step, lambda: [output.numpy() for output in outputs])


_MAKERS: dict[str, Callable[[Functional, SimpleNamespace], Program]] = {
    "minigrad-traced": _minigrad_traced,
    "torch-compile": _torch_compile,
    "mygrad": partial(_mygrad, guarded=True),
    "mygrad-unguarded": partial(_mygrad, guarded=False),
    "autograd": _autograd,
    "tinygrad": partial(_tinygrad, jit=False),
    "tinygrad-jit": partial(_tinygrad, jit=True),
    "jax": partial(_jax, jit=False),
    "jax-jit": partial(_jax, jit=True),
}
