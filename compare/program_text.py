"""One program's text, run statement by statement on two engines, until they part.

Owns what a statement's outcome is (values, dtype, shape, `.grad`, requires_grad, is_leaf, grad_fn-or-not, writes
counted by the version, hook log, error) and when two outcomes agree; and the script that shows a disagreement alone.
Takes the engines as arguments and imports NumPy and the standard library only.
"""

import builtins
import warnings
from functools import lru_cache

import numpy as np

# Texts that people search for. Where torch's error has one of these, the other engine's has to have it too.
STABLE_TEXTS = (
    "modified by an inplace operation",
    "does not require grad",
    "Trying to backward through the graph a second time",
    "a leaf Variable that requires grad",
    "a view of a leaf Variable that requires grad is being used in an in-place operation",
    "is a view and is being modified inplace",
    "A view was created in no_grad mode",
    "grad can be implicitly created only for scalar outputs",
    "must match the size of tensor",
    "shapes cannot be multiplied",
    "is invalid for input of size",
    "view size is not compatible with input tensor's size and stride",
    "Dimension out of range",
    "appears to not have been used in the graph",
    "can't optimize a non-leaf Tensor",
    "you can only change requires_grad flags of leaf variables",
    "only Tensors of floating point",
    "can't be cast to the desired output type",
    "Mismatch in shape: grad_output",
    "single memory location",
    "can't retain_grad on Tensor that has requires_grad=False",
    "Inplace update to inference tensor outside InferenceMode",
    "Inference tensors cannot be saved for backward",
    "cannot register a hook on a tensor that doesn't require gradient",
)

# Of two nodes that cannot run, which is met first is the engine's order.
EITHER = ("modified by an inplace operation", "Trying to backward through the graph a second time")

# What torch says where it cannot do what it would promise; there is nothing to compare with, and the program ends.
OWN_LIMITS = (
    "ZeroTensors are immutable",
    "derivative for aten::",
    "INTERNAL ASSERT",
    "got an unexpected error",
    "leaf variable has been moved into the graph interior",
)


class Outcome:
    """What one engine shows of one tensor. Reading it leaves the tensor as it was."""

    __slots__ = ("flags", "version", "values", "grad")

    def __init__(self, tensor, depth=0):
        version = tensor._version
        # torch counts in an int; an engine may keep a list that a base and its views share.
        self.version = version[0] if isinstance(version, list) else int(version)
        self.flags = (
            tuple(tensor.shape),
            str(tensor.dtype),
            bool(tensor.requires_grad),
            bool(tensor.is_leaf),
            tensor.grad_fn is not None,
        )
        values = tensor.detach()
        # torch's lazy zero, which stands for a gradient that is known to vanish, has no memory to show.
        self.values = values.numpy(force=True) if getattr(values, "_is_zerotensor", bool)() else values.numpy()
        # `_grad`, not `grad`: torch warns on the `.grad` of a non-leaf, slowly.
        grad = tensor._grad
        self.grad = None if grad is None or depth else Outcome(grad, 1)


FLAGS = ("shape", "dtype", "requires_grad", "is_leaf", "has grad_fn")


def is_tensor(value):
    return hasattr(type(value), "requires_grad") and hasattr(type(value), "detach")


class Tolerance:
    """Distance that rounding explains: `ulps` of the coarsest dtype seen, at the largest magnitude seen so far.

    A program cancels and divides as it likes, so an error is measured against what the program has handled, not
    against the element it ended in.
    """

    def __init__(self, ulps=64.0):
        self.ulps, self.eps, self.scale, self.worst = ulps, 2.0**-52, 1.0, 0.0

    def see(self, values):
        if values.dtype.kind == "f" and values.size:
            if values.dtype.itemsize < 8:
                self.eps = max(self.eps, float(np.finfo(values.dtype).eps))
            largest = float(np.abs(values).max())
            if not largest <= self.scale:
                finite = np.abs(values[np.isfinite(values)])
                self.scale = max(self.scale, float(finite.max())) if finite.size else self.scale

    def agree(self, a, b):
        """The arrays agree: bit for bit, or within the tolerance; nan and inf in the same places; integers exactly."""
        if a.dtype.kind != "f" or b.dtype.kind != "f":
            return bool(np.array_equal(a, b))
        if np.array_equal(a, b):
            return True
        a, b = a.astype(np.float64), b.astype(np.float64)
        odd = ~(np.isfinite(a) & np.isfinite(b))
        if not np.array_equal(a[odd], b[odd], equal_nan=True):
            return False
        distance = float(np.abs(a[~odd] - b[~odd]).max(initial=0.0)) / (self.eps * self.scale)
        if distance <= self.ulps:
            self.worst = max(self.worst, distance)
        return distance <= self.ulps


class Difference:
    """Where and how the engines part: `aspect` names the kind, `name` the variable; both sides in words."""

    def __init__(self, aspect, name, expected, got):
        self.aspect, self.name, self.expected, self.got = aspect, name, expected, got

    def __str__(self):
        return f"{self.aspect} of {self.name}:\n  torch:    {self.expected}\n  minigrad: {self.got}"


class Side:
    """One engine running the program: its variables and what its hooks have logged."""

    def __init__(self, engine):
        self.log = []
        self.space = {"T": engine, "np": np, "log": self.log}
        self.logged = 0

    def run(self, text):
        """Run one statement; returns the exception or None."""
        try:
            exec(_code(text), self.space)
        except Exception as error:
            return error
        return None

    def settle(self):
        """Have every view derived again, as reading it does: torch 2.13 crashes on a hook for one that was not."""
        for value in list(self.space.values()):
            if is_tensor(value):
                try:
                    value.grad_fn  # noqa: B018
                except RuntimeError:
                    continue


@lru_cache(maxsize=50_000)
def _code(text):
    return compile(text, "<program>", "exec")


class Pair:
    """The same statements on `reference` and `subject`, compared after each one."""

    def __init__(self, reference, subject, ulps=64.0):
        self.sides = Side(reference), Side(subject)
        self.tolerance = Tolerance(ulps)
        self.first_versions = {}
        self.checks = 0
        self.error = None
        self.raised = 0
        self.over = False

    def step(self, text):
        """Run one statement on both engines; the first Difference or None. `error` is the reference's exception."""
        first, second = (side.run(text) for side in self.sides)
        self.error = first
        self.raised += first is not None
        self.checks += 1
        if first is not None and any(text in str(first) for text in OWN_LIMITS):
            self.over = True
            return None
        difference = _error_difference(first, second)
        # A backward that fails half-way has added to some `.grad`s, in torch's own unspecified order.
        self.over = first is not None and any(word in text for word in ("backward", "grad(", ".step("))
        if difference is None and not self.over:
            difference = self._state_difference()
        return difference

    def variables(self):
        """name -> value on the reference side, in order of definition, engines and functions left out."""
        hidden = ("T", "np", "log", "_", "__builtins__")
        return {name: value for name, value in self.sides[0].space.items() if name not in hidden}

    def _state_difference(self):
        other = self.sides[1].space
        for name, value in self.variables().items():
            if isinstance(value, type):
                continue
            difference = self._value_difference(name, value, other.get(name, "undefined"))
            if difference is not None:
                return difference
        return self._log_difference()

    def _log_difference(self):
        first, second = (side.log[side.logged :] for side in self.sides)
        for side in self.sides:
            side.logged = len(side.log)
        labels, others = [entry[0] for entry in first], [entry[0] for entry in second]
        if labels != others:
            return Difference("hook calls", "log", labels, others)
        for (label, a), (_, b) in zip(first, second):
            difference = self._value_difference(f"log entry {label!r}", a, b, "hook's ")
            if difference is not None:
                return difference
        return None

    def _value_difference(self, name, a, b, prefix=""):
        self.checks += 1
        if not is_tensor(a):
            if isinstance(a, (bool, int, float, str, type(None), tuple)) and not is_tensor(b):
                same = a == b or (a != a and b != b) if not isinstance(a, float) else self._close(a, b)
                return None if same else Difference(prefix + "value", name, repr(a), repr(b))
            return Difference(prefix + "value", name, repr(a), repr(b)) if a is None or is_tensor(b) else None
        if not is_tensor(b):
            return Difference(prefix + "value", name, repr(a), repr(b))
        try:
            expected = Outcome(a)
        except RuntimeError:
            # torch itself cannot show it: a split's or unbind's output whose base was written to afterwards.
            return None
        try:
            got = Outcome(b)
        except Exception as error:
            return Difference(prefix + "value", name, repr(a), _error_text(error))
        return self._outcome_difference(name, expected, got, prefix) or (
            None if prefix else self._version_difference(name, expected, got)
        )

    def _version_difference(self, name, a, b):
        """Counted from where the variable was first seen: how often an op wrote to its own result is its affair."""
        first = self.first_versions.setdefault(name, (a.version, b.version))
        writes = a.version - first[0], b.version - first[1]
        return None if writes[0] == writes[1] else Difference("_version (writes counted)", name, *writes)

    def _outcome_difference(self, name, a, b, prefix):
        if a.flags != b.flags:
            for flag, x, y in zip(FLAGS, a.flags, b.flags):
                if x != y:
                    return Difference(prefix + flag, name, x, y)
        self.tolerance.see(a.values)
        if not self.tolerance.agree(a.values, b.values):
            return Difference(prefix + "value", name, a.values.tolist(), b.values.tolist())
        if (a.grad is None) != (b.grad is None):
            x, y = (None if g is None else g.values.tolist() for g in (a.grad, b.grad))
            return Difference(prefix + "grad", name, x, y)
        if a.grad is not None:
            return self._outcome_difference(f"{name}.grad", a.grad, b.grad, "grad's ")
        return None

    def _close(self, a, b):
        return isinstance(b, float) and self.tolerance.agree(np.asarray(a), np.asarray(b))


def _error_difference(first, second):
    if first is None and second is None:
        return None
    if first is None or second is None:
        return Difference("error", "the statement", _error_text(first), _error_text(second))
    if _builtin_class(first) is not _builtin_class(second):
        return Difference("error class", "the statement", _error_text(first), _error_text(second))
    if all(any(text in str(error) for text in EITHER) for error in (first, second)):
        return None
    said = str(second).lower()
    for text in STABLE_TEXTS:
        if text.lower() in str(first).lower() and text.lower() not in said:
            return Difference("error text", "the statement", _error_text(first), _error_text(second))
    return None


def _builtin_class(error):
    """The nearest class of Python's own: an engine may raise a subclass of its own."""
    return next(c for c in type(error).__mro__ if getattr(builtins, c.__name__, None) is c)


def _error_text(error):
    return "no error" if error is None else f"{type(error).__name__}: {error}"


def run_program(statements, reference, subject, ulps=64.0):
    """Run until the engines part. Returns (index of the statement or None, the Difference or None, the Pair)."""
    pair = Pair(reference, subject, ulps)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for index, text in enumerate(statements):
            difference = pair.step(text)
            if difference is not None:
                return index, difference, pair
            if pair.over:
                break
    return None, None, pair


def seen_by(difference):
    """The expression, in the program's own names, whose value the engines disagree about."""
    aspect, name = difference.aspect, difference.name
    if aspect.startswith("error"):
        return "None"
    if aspect == "hook calls":
        return "[entry[0] for entry in log]"
    if name.startswith("log entry"):
        name, dot, grad = name.partition(".")
        name = f"[entry[1] for entry in log if entry[0] == {name.split()[2]}][-1]{dot}{grad}"
    aspect = aspect.removeprefix("hook's ")
    if aspect.startswith("grad's "):
        aspect = aspect.removeprefix("grad's ")
    elif aspect == "grad":
        return f"{name}.grad"
    forms = {
        "shape": "tuple({}.shape)",
        "dtype": "str({}.dtype)",
        "has grad_fn": "{}.grad_fn is not None",
        "value": "{}",
    }
    if aspect.startswith("_version"):
        return f"{name}._version"
    return forms.get(aspect, "{}." + aspect).format(name)


SCRIPT = '''"""{title}"""

import sys
import warnings

import numpy as np
import torch

import minigrad

warnings.simplefilter("ignore")


def program(T):
    log = []
{body}
    return {seen}


def outcome(T):
    try:
        result = program(T)
    except Exception as error:
        return type(error).__name__, str(error)
    return result.detach().numpy() if isinstance(result, T.Tensor) else result


a, b = outcome(torch), outcome(minigrad)
print("torch:   ", a)
print("minigrad:", b)
{same}
print("they agree" if same else "they do not agree")
sys.exit(0 if same else 1)
'''


def script(statements, difference, title, allowed=0.0):
    """A program as a script that imports NumPy, torch and minigrad alone, shows both results and exits with 1.

    `allowed`: the distance that rounding explains, where values are compared.
    """
    space = Side(__import__("torch"))
    lines, counted = [], False
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for number, text in enumerate(statements):
            refused = space.run(text) is not None and number < len(statements) - 1
            if refused:
                # Refused by both, and still part of what goes wrong later.
                text = "try:\n" + _indented(text) + "\nexcept Exception as error:\n    print(error)"
            lines.append(_indented(text))
            if difference.aspect.startswith("_version") and difference.name in space.space and not counted:
                counted = True
                lines.append(f"    first = {difference.name}._version")
    if difference.aspect == "error text":
        same = f"same = a is b or a[0] == b[0] and {_stable_text(difference)!r} in b[1]"
    elif difference.aspect.startswith("error"):
        same = "same = (a is None) == (b is None) and (a is None or a[0] == b[0])"
    elif difference.aspect.endswith("value"):
        close = f"np.allclose(a, b, rtol=0, atol={allowed!r}, equal_nan=True)"
        same = f"same = a is b or a is not None and b is not None and {close}"
    elif difference.aspect == "grad":
        same = "same = (a is None) == (b is None)"
    else:
        same = "same = a == b"
    return SCRIPT.format(title=title, body="\n".join(lines), seen=seen_by(difference), same=same)


def _stable_text(difference):
    return next((text for text in STABLE_TEXTS if text.lower() in str(difference.expected).lower()), "")


def _indented(text):
    return "\n".join("    " + line if line else line for line in text.splitlines())
