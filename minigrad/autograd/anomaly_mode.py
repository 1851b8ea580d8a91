"""Anomaly mode: a backward that produces nan says which op did, and where that op was called.

Owns the switch. While it is on, nodes keep the stack of their call, and every cotangent is looked at.
"""

import warnings

import numpy as np

from ..tensor import Tensor
from . import call_stacks, engine

_mode = {"enabled": False, "check_nan": True}


def is_anomaly_enabled():
    """True while anomaly mode is on."""
    return _mode["enabled"]


def is_anomaly_check_nan_enabled():
    """True if nan in backward is an error while anomaly mode is on."""
    return _mode["check_nan"]


def _switch(enabled, check_nan):
    if enabled != _mode["enabled"]:
        (call_stacks.start if enabled else call_stacks.stop)()
    _mode.update(enabled=enabled, check_nan=check_nan)
    others = tuple(o for o in engine.observers if o is not _check)
    engine.observers = (*others, _check) if enabled and check_nan else others


def _check(node, g, sent):
    for number, (_, result) in enumerate(sent):
        array = result._array if isinstance(result, Tensor) else result
        if hasattr(array, "dtype") and np.isnan(array).any():
            if node.trace is not None:
                warnings.warn(
                    f"Error detected in {node.name()}. Traceback of forward call that caused the error:\n"
                    + "".join(node.trace),
                    UserWarning,
                    stacklevel=2,
                )
            raise RuntimeError(f"Function '{node.name()}' returned nan values in its {number}th output.")


class detect_anomaly:
    """Within the block a nan in backward is an error that names the op and its call."""

    def __init__(self, check_nan=True):
        self._previous = dict(_mode)
        self._check_nan = check_nan
        warnings.warn(
            "Anomaly Detection has been enabled. This mode will increase the runtime and should only be enabled for "
            "debugging.",
            stacklevel=2,
        )

    def __enter__(self):
        self._previous = dict(_mode)
        _switch(True, self._check_nan)

    def __exit__(self, *exception):
        _switch(self._previous["enabled"], self._previous["check_nan"])


class set_detect_anomaly:
    """Turn anomaly mode on or off at once; as a context manager, only for the block."""

    def __init__(self, mode, check_nan=True):
        self._previous = dict(_mode)
        _switch(bool(mode), check_nan)

    def __enter__(self):
        pass

    def __exit__(self, *exception):
        _switch(self._previous["enabled"], self._previous["check_nan"])
