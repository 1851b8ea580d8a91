"""Whether operations are recorded, per thread, and how NumPy runs without warnings.

Owns the thread-local `state` (`enabled`, `inference`, `run`) and the context managers that switch it. Knows no Tensor.
"""

import contextvars
import functools
import inspect
import threading

import numpy as np


class _State(threading.local):
    """One per thread. `run(function, *args)` calls a function with NumPy's floating-point warnings off.

    NumPy keeps its error state in a context variable; a Context entered for one call costs 20 ns where `np.errstate`
    costs 700, and leaves the caller's own `np.seterr` alone.
    """

    def __init__(self):
        self.enabled = True
        self.inference = False
        self.quiet = contextvars.Context()
        self.quiet.run(np.seterr, all="ignore")
        self.run = self.quiet.run


state = _State()
_new = object.__new__


def is_grad_enabled():
    """True if operations are recorded in this thread."""
    return state.enabled


def is_inference_mode_enabled():
    """True inside `inference_mode()`."""
    return state.inference


class _Switch:
    """A context manager that is also a decorator; entered again at each call of a decorated function or generator."""

    def _again(self):
        return type(self)()

    def __call__(self, function):
        if inspect.isclass(function):
            function.__init__ = self(function.__init__)
            return function
        if inspect.isgeneratorfunction(function):
            return self._wrap_generator(function)

        @functools.wraps(function)
        def wrapped(*args, **kwargs):
            with self._again():
                return function(*args, **kwargs)

        return wrapped

    def _wrap_generator(self, function):
        """The mode holds while the generator's body runs, and the caller's own mode between its yields."""

        @functools.wraps(function)
        def wrapped(*args, **kwargs):
            generator = function(*args, **kwargs)
            resume, value = generator.send, None
            try:
                while True:
                    with self._again():
                        item = resume(value)
                    try:
                        resume, value = generator.send, (yield item)
                    except GeneratorExit:
                        raise
                    except BaseException as error:
                        resume, value = generator.throw, error
            except StopIteration as stop:
                return stop.value
            finally:
                with self._again():
                    generator.close()

        return wrapped


class _NoArgument(_Switch):
    """A switch that may also decorate without parentheses, as `@no_grad`."""

    def __new__(cls, function=None):
        self = _new(cls)
        return self if function is None else self(function)


class no_grad(_NoArgument):
    """Operations inside are not recorded: results do not require grad.

    >>> import minigrad as torch
    >>> x = torch.ones(2, requires_grad=True)
    >>> with torch.no_grad():
    ...     (x * 2).requires_grad
    False
    """

    def __enter__(self):
        self._previous = state.enabled
        state.enabled = False

    def __exit__(self, *exception):
        state.enabled = self._previous


class enable_grad(_NoArgument):
    """Operations inside are recorded, also within `no_grad`; within `inference_mode` nothing ever is."""

    def __enter__(self):
        self._previous = state.enabled
        state.enabled = not state.inference

    def __exit__(self, *exception):
        state.enabled = self._previous


class set_grad_enabled(_Switch):
    """Turn recording on or off at once; as a context manager, only for the block."""

    def __init__(self, mode):
        self._mode = bool(mode)
        self._previous = state.enabled
        state.enabled = self._mode and not state.inference

    def _again(self):
        return set_grad_enabled(self._mode)

    def __call__(self, function):
        state.enabled = self._previous  # a decorator switches at the call, not where it is written
        return super().__call__(function)

    def __enter__(self):
        state.enabled = self._mode and not state.inference

    def __exit__(self, *exception):
        state.enabled = self._previous


class inference_mode(_Switch):
    """`no_grad`, and results are inference tensors: they can never take part in autograd.

    Like torch's, `inference_mode(False)` returns to normal mode inside the block.
    """

    def __new__(cls, mode=True):
        self = super().__new__(cls)
        if callable(mode):
            self._mode = True
            return self(mode)
        self._mode = bool(mode)
        return self

    def _again(self):
        return inference_mode(self._mode)

    def __enter__(self):
        self._previous = state.enabled, state.inference
        state.enabled, state.inference = not self._mode, self._mode

    def __exit__(self, *exception):
        state.enabled, state.inference = self._previous
