"""A computation and its backward as one NumPy program: to read, and to run again without the engine.

Owns `trace` and `Program`: the lines that `symbols.py` has kept are written out, dead ones dropped, those used once put
where they are used, each under the line of the user's program or the node that it belongs to.
"""

import contextlib
import keyword
import linecache
import math
import re
import sys
import threading
import weakref

import numpy as np

from ..grad_mode import state
from ..graph import creation
from ..namespace import NumPy, namespaces
from ..tensor import Tensor, wrap
from . import call_stacks, engine
from .symbols import Spelled, Symbol, TraceError, Writer, infix, laid_out_as

_LARGE = 1 << 16  # bytes
_WIDTH = 100  # what is put where it is used makes no line longer than this


class Program:
    """A traced computation. `code` is its text, `inputs` the names of what it takes; calling it runs it.

    `program(*arrays)` takes NumPy arrays of the shapes and dtypes that were traced, in the order of `inputs`, and
    returns (value, gradients): what the function returned, and for each input its gradient, or None for one that
    required none. An array that lies in memory otherwise than the one that was traced is copied into that layout. What
    comes out are the bits that the engine gives for such arrays; of minigrad there is nothing in it but `xp`, the NumPy
    namespace, where a line calls that.
    """

    def __init__(self, code, inputs, constants):
        self.code = code
        self.inputs = tuple(inputs)
        self._kinds = [(array.shape, array.dtype) for array in inputs.values()]
        self._layouts = [laid_out_as(array) for array in inputs.values()]
        space = {"np": np, "xp": NumPy, **constants}
        filename = f"<minigrad program {id(self):x}>"
        linecache.cache[filename] = (len(code), None, code.splitlines(True), filename)  # for tracebacks
        weakref.finalize(self, linecache.cache.pop, filename, None)
        exec(compile(code, filename, "exec"), space)
        self._run = space["program"]

    def __call__(self, *arrays):
        if len(arrays) != len(self.inputs):
            raise TypeError(f"the program takes {len(self.inputs)} arrays, {self._wanted()}; {len(arrays)} were given")
        for name, array, (shape, dtype) in zip(self.inputs, arrays, self._kinds):
            numpy_s = array.__class__ is np.ndarray or isinstance(array, np.generic)
            if not numpy_s or array.shape != shape or array.dtype != dtype:
                found = f"{array.dtype}{list(array.shape)}" if numpy_s else type(array).__name__
                raise ValueError(
                    f"the program was traced for {self._wanted()}; '{name}' is {found}. Trace it again for such arrays."
                )
        arrays = map(_laid_out, arrays, self._layouts)
        value, gradients = state.run(self._run, *arrays)
        return np.asarray(value), tuple(None if g is None else np.asarray(g) for g in gradients)

    def _wanted(self):
        each = zip(self.inputs, self._kinds)
        return ", ".join(f"{name}: {dtype}{list(shape)}" for name, (shape, dtype) in each)

    def __repr__(self):
        return f"<Program of {self._wanted()}>"


def _laid_out(array, like):
    """The array, or a copy that lies in memory as another of its shape does."""
    if array.strides == like.strides or array.size < 2:
        return array
    copy = laid_out_as(like)
    copy[...] = array
    return copy


_one_at_a_time = threading.RLock()


def trace(function, /, **tensors):
    """The NumPy program that computes function() and its gradients, for new numbers in `tensors`.

    >>> import minigrad as torch
    >>> x, w = torch.tensor([1.0, 2.0]), torch.tensor([3.0, 4.0], requires_grad=True)
    >>> program = torch.autograd.trace(lambda: (x * w).exp().sum(), x=x, w=w)
    >>> print(program.code)
    def program(x, w):
        # program = torch.autograd.trace(lambda: (x * w).exp().sum(), x=x, w=w)
        v1 = np.exp(x * w)
        v2 = v1.sum()
        # backward
        g1 = np.float32(1.0)
        # SumBackward0
        g2 = np.broadcast_to(g1, (2,))
        # ExpBackward0
        g3 = g2 * v1
        # MulBackward0
        g4 = g3 * x
        return v2, (None, g4)
    <BLANKLINE>
    >>> value, (_, gradient) = program(x.numpy(), w.detach().numpy())

    `tensors` are the leaves that the function computes with and that the program is to take, by the names that they are
    to have there; `**dict(model.named_parameters())` will do, whatever is no letter becoming an underscore. The
    function is called once, and whatever else it uses or does is as it is then: other tensors become constants. It
    returns one tensor, a single number if any of `tensors` requires grad. Nothing is added to any `.grad`.

    Raises TraceError where no straight line of calls is the same computation for all numbers: where numbers of what
    depends on `tensors` are read (item, if, a mask as an index), or written to in place, or torch's random numbers are
    drawn; and where the function uses what was computed from `tensors` before.
    """
    if not _one_at_a_time.acquire(blocking=False):
        raise TraceError("another thread is tracing: one program at a time")
    try:
        if namespaces[np.ndarray] is Spelled or engine.observers:
            raise TraceError("a trace cannot run within another, nor within Steps or anomaly mode")
        return _traced(function, tensors)
    finally:
        _one_at_a_time.release()


def _traced(function, tensors):
    writer, arrays = Writer(_caller), {}
    for given, tensor in tensors.items():
        name = re.sub(r"^(?=[0-9])|[^A-Za-z0-9_]", "_", given)
        if not isinstance(tensor, Tensor):
            raise TypeError(f"trace(): '{given}' must be Tensor, not {type(tensor).__name__}")
        taken = keyword.iskeyword(name) or name in arrays or not name
        if taken or re.fullmatch(r"[vgc][0-9]+|np|xp|slice|program", name):
            raise ValueError(f"trace(): an input cannot be called '{given}': give it a name of its own")
        if not tensor.is_leaf or tensor._base is not None:
            raise ValueError(f"trace(): '{given}' is computed from other tensors: give those, or a detached copy")
        if any(array is tensor._array for array in arrays.values()):
            raise ValueError(f"trace(): '{given}' is given under another name as well: once is enough")
        if tensor._array.__class__ is not np.ndarray:
            raise TraceError(f"trace(): '{given}' is on device '{tensor.device}': only NumPy arrays can be traced")
        arrays[name] = tensor._array
    symbols = {name: Symbol(array, writer) for name, array in arrays.items()}
    first = next(creation)
    with _as_symbols(list(tensors.values()), list(symbols.values()), writer), _by_node(writer):
        loss = function()
        if not isinstance(loss, Tensor):
            raise TypeError(f"trace(): the function must return a Tensor, not {type(loss).__name__}")
        gradients = _gradients(loss, list(tensors.values()), writer, first)
        value = loss._array
    code, constants = _written_out(writer.lines, symbols, value, gradients)
    return Program(code, arrays, constants)


@contextlib.contextmanager
def _as_symbols(tensors, symbols, writer):
    """The tensors hold Symbols, arrays meet them in their namespace, and nothing is drawn; afterwards all is as it
    was."""
    from ..random import Generator, get_rng_state  # here: random needs the tensors that autograd is a part of

    kept = [(t, t._array, t._grad) for t in tensors]
    drawn, numpy_s = get_rng_state()._array.copy(), namespaces[np.ndarray]
    draws = {name: getattr(Generator, name) for name in ("_words32", "_words64", "random64")}
    here = threading.get_ident()

    def refusing(draw):
        def guarded(*args):
            if threading.get_ident() == here:
                raise TraceError(_DRAWN)
            return draw(*args)

        return guarded

    try:
        namespaces[np.ndarray] = Spelled
        for name, draw in draws.items():
            setattr(Generator, name, refusing(draw))
        for tensor, symbol in zip(tensors, symbols):
            tensor._array = symbol
        yield
        for tensor, symbol in zip(tensors, symbols):
            if tensor._array is not symbol:
                raise TraceError("while a program is traced the .data of its inputs cannot be replaced")
        alone = threading.active_count() == 1  # else it may have been another thread
        if alone and not np.array_equal(drawn, get_rng_state()._array):
            raise TraceError(_DRAWN)
    finally:
        writer.closed = True
        namespaces[np.ndarray] = numpy_s
        for name, method in draws.items():
            setattr(Generator, name, method)
        for tensor, array, grad in kept:
            tensor._array, tensor._grad = array, grad


_DRAWN = "while a program is traced nothing random can be drawn: it would be the same in every run"


@contextlib.contextmanager
def _by_node(writer):
    """The lines that a node has written belong to it."""
    began = 0

    def ran(node, g, sent):
        nonlocal began
        for line in writer.lines[began:]:
            line.group = line.group or node.name()
        began = len(writer.lines)

    engine.observers = (*engine.observers, ran)
    try:
        yield
    finally:
        engine.observers = tuple(o for o in engine.observers if o is not ran)


def _caller():
    """The text of the user's line that runs now, or what the engine does; None while a node runs, which will be
    named."""
    frame = sys._getframe(2)
    if frame.f_code is infix.__code__ and frame.f_back.f_back.f_code is engine._carry.__code__:
        return "sum of cotangents"
    while frame is not None:
        code = frame.f_code
        if code is engine._carry.__code__:
            return None
        if code is _gradients.__code__:
            return "backward"
        if not call_stacks.is_own(code.co_filename):
            return linecache.getline(code.co_filename, frame.f_lineno).strip() or f"line {frame.f_lineno}"
        frame = frame.f_back
    return None


def _gradients(loss, tensors, writer, first):
    """The gradient of each tensor, an array or None; nodes before number `first` are not of this trace."""
    wanted = [t for t in tensors if t.requires_grad]
    if not wanted or not loss.requires_grad:
        return [None] * len(tensors)
    if loss._array.size != 1:
        raise RuntimeError("grad can be implicitly created only for scalar outputs")
    stack, seen = [engine.edge_of(loss)], set()
    while stack:
        node = stack.pop()
        if node._sequence and node not in seen:
            if node._sequence < first:
                raise TraceError(f"{node.name()} was recorded before the trace: compute it within the function")
            seen.add(node)
            stack.extend(node.edges)
    one = np.ones(loss._array.shape, loss._array.dtype)
    g = writer.write(one, [f"np.float{8 * one.itemsize}(1.0)"] if not one.ndim else [one])
    found = engine.backpropagate([loss], [wrap(g)], False, False, wanted, accumulate=False)
    found = {id(t): None if grad is None else _without_copy(grad._array, writer) for t, grad in zip(wanted, found)}
    return [found.get(id(t)) for t in tensors]


def _without_copy(gradient, writer):
    """What the engine copied to hand out, if that is a new array that nothing else has a part in."""
    line = next((line for line in writer.lines if line.symbol is gradient), None)
    source = None if line is None else line.parts[0]
    if not (isinstance(source, Symbol) and line.parts[1:] == [".", "copy(", ")"] and source.array.base is None):
        return gradient
    used = [line for line in writer.lines if any(part is source for part in line.parts)]
    made = any(line.symbol is source and len(line.parts) > 1 for line in writer.lines)
    return source if made and len(used) == 1 else gradient


# -- the text ---------------------------------------------------------------------------------------------------------


def _needed(lines, results):
    """The lines that something among the results depends on."""
    wanted = {id(r) for r in results}
    kept = []
    for line in reversed(lines):
        if id(line.symbol) in wanted:
            kept.append(line)
            wanted.update(id(part) for part in line.parts)
    return kept[::-1]


def _uses(lines, results):
    """By id of a Symbol: the lines that use it, once for each time; None stands for a result."""
    uses = {}
    for line in lines:
        for part in line.parts:
            uses.setdefault(id(part), []).append(line)
    for result in results:
        uses.setdefault(id(result), []).append(None)
    return uses


_ATOM = 10  # a name, a call, an attribute
_BINDING = {"|": 2, "^": 3, "&": 4, "<<": 5, ">>": 5, "+": 6, "-": 6, "-x": 8, "**": 9}
_BINDING |= dict.fromkeys(("==", "!=", "<", "<=", ">", ">="), 1) | dict.fromkeys(("*", "/", "//", "%", "@"), 7)


def _binding(part):
    """How tightly the operator in a piece of text binds; _ATOM where there is none."""
    if not isinstance(part, str):
        return _ATOM
    if part in ("-", "+", "~"):
        return _BINDING["-x"]
    sign = re.search(r"(?:^| )([^\s\w.,()\[\]]{1,2}) ", part)
    return _BINDING[sign[1]] if sign else _ATOM


class _Page:
    """The text of a program while it is put together."""

    def __init__(self, inputs):
        self.expressions = {id(symbol): (name, _ATOM) for name, symbol in inputs.items()}
        self.constants, self.body = {}, []
        self.named, self.made, self.large = {"v": 0, "g": 0}, set(), []

    def expression(self, parts):
        """(text, how tightly it binds)"""
        padded = ["", *parts, ""]
        return "".join(map(self._part, padded[1:-1], padded, padded[2:])), min(map(_binding, parts))

    def _part(self, part, before, after):
        """One part of an expression, in brackets where what stands beside it binds more tightly."""
        if isinstance(part, str):
            return part
        if isinstance(part, Symbol):
            text, binding = self.expressions[id(part)]
            left, right = _binding(before), _binding(after)
            right += right in (_BINDING["=="], _BINDING["**"])  # a < b < c and a ** b ** c are not read from the left
            needed = max(left + 1 if left < _ATOM else 0, right if right < _ATOM else 0)
            if after.startswith((".", "[")):
                needed = _ATOM
            return text if binding >= needed else f"({text})"
        if not part.ndim:
            number = part[()] if part.dtype.kind != "f" or math.isfinite(part) else repr(str(part))
            return f"np.{part.dtype.name}{'_' if part.dtype.kind == 'b' else ''}({number})"
        name = next((name for name, held in self.constants.items() if held is part), f"c{len(self.constants) + 1}")
        self.constants[name] = part
        return name

    def free(self):
        """Put a `del` behind the last use of every large array: the next one is then made in the same memory, which is
        still in the processor's caches (a million elements, forward and backward: a third of the time)."""
        last = {}
        for name in self.large:
            use = max(i for i, text in enumerate(self.body) if re.search(rf"\b{name}\b", text))
            if not self.body[use].startswith(f"    {name} ="):
                last.setdefault(use, []).append(name)
        for use in sorted(last, reverse=True):
            self.body.insert(use + 1, f"    del {', '.join(last[use])}")

    def result(self, value):
        """One thing that is returned, in memory that is neither an input's nor a constant's."""
        if value is None:
            return "None"
        text = self.expression([value])[0]
        own = isinstance(value, Symbol) and value.array.base is None and text in self.made
        return text if own else f"{text}.copy()"


def _written_out(lines, inputs, value, gradients):
    """(code, constants by name): what is used once within its step is put where it is used."""
    lines = _needed(lines, [value, *gradients])
    uses = _uses(lines, [value, *gradients])
    page, shown, kind = _Page(inputs), None, "v"
    for line in lines:
        text, binding = page.expression(line.parts)
        (user, *others) = uses[id(line.symbol)]
        if not others and user is not None and user.group == line.group and len(text) < _WIDTH // 2:
            page.expressions[id(line.symbol)] = text, binding
            continue
        if line.group not in (None, shown):
            shown = line.group
            kind = "g" if shown == "backward" else kind
            page.body.append(f"    # {shown}")
        page.named[kind] += 1
        name = f"{kind}{page.named[kind]}"
        page.expressions[id(line.symbol)] = name, _ATOM
        page.body.append(f"    {name} = {text}")
        page.made.add(name)
        if line.symbol.nbytes >= _LARGE:
            page.large.append(name)
    page.free()
    each = ", ".join(map(page.result, gradients)) + ("," if len(gradients) == 1 else "")
    page.body.append(f"    return {page.result(value)}, ({each})")
    notes = [f"# {name}: {c.dtype}{list(c.shape)}, as it was when traced\n" for name, c in page.constants.items()]
    return "".join(notes) + f"def program({', '.join(inputs)}):\n" + "\n".join(page.body) + "\n", page.constants
