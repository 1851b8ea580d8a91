"""What a backward pass did, step by step, for a reader: in words, and as a page.

Owns `Steps`, which writes down every node that the engine runs while it is entered. It looks on: the engine calls it
after each node, and nothing that it does changes a gradient. How a page looks is `steps_page.py`'s affair.
"""

import inspect
import os
import re
import sys

import numpy as np

from ..declarations import formula_text
from ..files import write_text
from ..graph import Cotangents, Node, Output, Undefined
from ..primitive import OpNode
from ..printing import contents_text
from ..tensor import Tensor
from . import call_stacks, engine
from .function import Function, FunctionNode

_FEW = 24  # elements up to which an array is shown whole


def _numpy(value):
    """An ndarray, of a Tensor, of an array on whatever device, or of a number of NumPy's."""
    array = value._array if isinstance(value, Tensor) else value
    return array.numpy() if hasattr(array, "numpy") else np.asarray(array)


class Value:
    """One array in words: `text`, its elements or what they lie between, and `kind`, as 'float32[2, 3]'."""

    __slots__ = ("text", "kind")

    def __init__(self, value):
        array = value._array if isinstance(value, Tensor) else value
        if array is None or isinstance(array, Undefined):
            self.text, self.kind = "None", ""
        elif isinstance(array, Cotangents):
            each = {number: Value(g) for number, g in sorted(array.items())}
            self.text = ", ".join(f"output {number}: {v.text} {v.kind}" for number, v in each.items())
            self.kind = ""
        elif hasattr(array, "dtype"):
            array = _numpy(array)
            self.kind = f"{array.dtype}{list(array.shape)}"
            if not array.size:
                self.text = "[]"
            elif array.size <= _FEW:
                self.text = contents_text(array, 0)
            else:
                numbers = array[array == array]
                ends = [contents_text(np.asarray(f(numbers)), 0) for f in (np.min, np.max)] if numbers.size else "--"
                nan = f", {array.size - numbers.size} of them nan" if numbers.size < array.size else ""
                self.text = f"{array.size} elements from {ends[0]} to {ends[1]}{nan}"
        else:
            self.text, self.kind = repr(value), ""

    def __str__(self):
        return f"{self.text}  {self.kind}".rstrip()


class Leaf:
    """A leaf that cotangents came to: its `name`, the numbers of the steps that they came from, and their sum, which
    is what came before hooks of the leaf's own."""

    __slots__ = ("name", "tensor", "steps", "total", "grad")

    def __init__(self, name, tensor):
        self.name, self.tensor = name, tensor
        self.steps, self.total, self.grad = [], None, None

    @property
    def received(self):
        """The sum of the cotangents that came."""
        return Value(self.total)

    def arrive(self, step, g):
        """A cotangent has come from a step."""
        self.steps.append(step)
        self.total = _numpy(g).copy() if self.total is None else self.total + _numpy(g)


class Outgoing:
    """One cotangent that a step made: of which `input`, by which `formula`, its `value` and where it goes.

    `target` is a Leaf, or the creation number of a node, or None: there was nothing to give, or nobody asked for it.
    `summed`: broadcasting was undone after the formula.
    """

    __slots__ = ("input", "formula", "value", "target", "summed")

    def __init__(self, input, formula, value, target, summed):
        self.input, self.formula, self.value, self.target, self.summed = input, formula, value, target, summed


class Step:
    """One node that backward ran.

    `number` from 1, `name` as grad_fn shows it, `op` what was called and what that does, `called` the file, line and
    text of the call (None unless it was made within the block), `g` the cotangent that came, `given` whether it came
    from outside, `saved` what the formulas asked for, by name, `code` a Function's own backward, `outgoing` what goes
    on.
    """

    __slots__ = ("number", "name", "op", "called", "g", "given", "saved", "code", "outgoing", "sequence")


class Steps:
    """Write down what backward does within the block: each node, its cotangent, its formulas, and where these go.

    >>> import minigrad as torch
    >>> w = torch.tensor(3.0, requires_grad=True)
    >>> with torch.autograd.Steps() as steps:
    ...     (w * w * 2).backward()
    >>> [step.name for step in steps], steps.leaves[0].name, steps.leaves[0].steps
    (['MulBackward0', 'MulBackward0'], 'w', [2, 2])

    `print(steps)` shows them all; `steps.save("steps.html")` writes a page; a notebook shows the page itself. Calls
    made within the block are shown with their line. `limit`: how many steps are written down; of the rest only the
    number is kept, in `left_out`. Leaves go by the names that they have where backward was called. Backward passes of
    all threads are written down.
    """

    def __init__(self, limit=200):
        if limit < 1:
            raise ValueError(f"limit must be at least 1 step, got {limit}")
        self.limit, self.left_out = limit, 0
        self._steps, self._leaves, self._met, self._tracing = [], {}, set(), False

    def __enter__(self):
        if self._observe in engine.observers:
            raise RuntimeError("these steps are being written down already: make another Steps()")
        engine.observers = (*engine.observers, self._observe)
        call_stacks.start()
        self._tracing = True
        return self

    def __exit__(self, *exception):
        engine.observers = tuple(o for o in engine.observers if o != self._observe)
        self._stop_tracing()
        for leaf in self.leaves:
            leaf.grad = None if leaf.tensor._grad is None else Value(leaf.tensor._grad)

    def _stop_tracing(self):
        """Stacks are slow to take: not for calls of which nothing will be said."""
        if self._tracing:
            self._tracing = False
            call_stacks.stop()

    def __len__(self):
        return len(self._steps)

    def __getitem__(self, index):
        return self._steps[index]

    @property
    def leaves(self):
        """The leaves that cotangents came to, in the order in which they were reached."""
        return list(self._leaves.values())

    def _observe(self, node, g, sent):
        """The engine has run a node."""
        if isinstance(node, engine.Turn):
            return
        if len(self._steps) == self.limit:
            self.left_out += 1
            self._stop_tracing()
            return
        step = Step()
        step.number, step.sequence, step.name = len(self._steps) + 1, node._sequence, node.name()
        step.called = _called(node.trace)
        step.g, step.given = Value(g), node._sequence not in self._met
        self._met.discard(node._sequence)
        inputs, formulas, step.saved, step.op, step.code = _described(node)
        shape = g.shape if hasattr(g, "shape") else None
        broadcast = isinstance(node, OpNode) and node.plan.broadcasts and node.shapes is not None
        step.outgoing = []
        for input, formula, (target, result) in zip(inputs, formulas, sent):
            summed = broadcast and result is not None and tuple(result.shape) != tuple(shape)
            if result is None:
                target = None
            elif isinstance(target, Node):
                target = target._sequence
                self._met.add(target)
            else:
                target = self._leaf(target)
                target.arrive(step.number, result)
            step.outgoing.append(Outgoing(input, formula, Value(result), target, summed))
        self._steps.append(step)

    def _leaf(self, tensor):
        if id(tensor) not in self._leaves:
            name = _name_of(tensor) or f"leaf {len(self._leaves) + 1}"
            self._leaves[id(tensor)] = Leaf(name, tensor)
        return self._leaves[id(tensor)]

    def next_step(self, step, outgoing):
        """The step that a cotangent goes to; None if it goes to a leaf, to nobody, or to one that is not shown."""
        later = self._steps[step.number :]
        return next((s for s in later if s.sequence == outgoing.target), None)

    def where(self, step, outgoing):
        """Where a cotangent goes, in words: a leaf's name, or the number and name of a later step."""
        if outgoing.target is None:
            return "nowhere"
        if isinstance(outgoing.target, Leaf):
            return outgoing.target.name
        later = self.next_step(step, outgoing)
        return "a node that is not shown" if later is None else f"step {later.number}, {later.name}"

    def __str__(self):
        lines = []
        for step in self._steps:
            lines.append(f"{step.number}. {step.name}" + (f" of {step.op}" if step.op else ""))
            if step.called:
                lines.append("   {2}    ({0}, line {1})".format(*step.called))
            lines += _columns("g", step.g, " (given)" if step.given else "")
            for name, value in step.saved.items():
                lines += _columns(name, value)
            for line in (step.code or "").splitlines():
                lines.append(f"   | {line}")
            for out in step.outgoing:
                lines.append(f"   gradient of {out.input}" + (":" if out.formula else ""))
                lines += [f"   | {line}" for line in (out.formula or "").splitlines()]
                if out.summed:
                    lines.append("   and summed over what broadcasting stretched")
                lines += _columns("  ", out.value, f"  -> {self.where(step, out)}")
        if self.left_out:
            lines.append(f"({self.left_out:,} more steps were not written down: limit={self.limit})")
        for leaf in self.leaves:
            numbers = ", ".join(map(str, leaf.steps)) + (", of those shown" if self.left_out else "")
            lines.append(f"{leaf.name}: from step{'s' if len(leaf.steps) > 1 else ''} {numbers}")
            lines += _columns("  ", leaf.received)
            if leaf.grad is not None:
                lines += _columns(".grad", leaf.grad)
        return "\n".join(lines) or "no step: no backward ran within the block"

    def html(self):
        """The page, one self-contained text."""
        from .steps_page import page

        return page(self)

    _repr_html_ = html

    def save(self, path):
        """Write the page to `path`; an older file there is replaced when the new one is whole.

        Raises RuntimeError if the directory does not exist, OSError if it cannot be written to.
        """
        write_text(path, self.html())


def _described(node):
    """(inputs, formulas, saved values, op, source of a Function's backward) of a node, as a reader calls them."""
    if isinstance(node, OpNode):
        plan, op = node.plan, node.plan.primitive
        held = dict(zip(plan.saved, node.saved or ())) | dict(zip(plan.static, node.static if plan.static else ()))
        asked = dict.fromkeys(n for i in plan.needed for n in op.needs[i])
        saved = {n: Value(held[n]) for n in asked if n in held and not isinstance(held[n], (str, slice))}
        does = (op.forward.__doc__ or "").strip().split("\n")[0]
        called = f"{op.name}: {does}" if does else op.name
        return plan.needed, [formula_text(op, i) for i in plan.needed], saved, called, None
    if isinstance(node, FunctionNode):
        inputs = [name for name, wanted in zip(_arguments(node.function, len(node.mask)), node.mask) if wanted]
        import textwrap  # here: it is not needed to import minigrad

        try:
            code = textwrap.dedent(inspect.getsource(node.function.backward))
        except (OSError, TypeError):  # typed at a prompt, or written in C
            code = None
        saved = {f"saved {i}": Value(t) for i, (t, *_) in enumerate(node.saved or ()) if t is not None}
        return inputs, [None] * len(inputs), saved, f"{node.function.__name__}.apply", code
    if isinstance(node, Output):
        return ["that output"], [None], {}, f"one output of several, number {node.output_nr}", None
    return [f"input {i}" for i in range(len(node.edges))], [None] * len(node.edges), {}, None, None


def _arguments(function, count):
    """What a Function's forward calls its arguments, without ctx."""
    names = list(inspect.signature(function.forward).parameters.values())
    if function.setup_context is Function.setup_context:
        names = names[1:]
    plain = [p.name for p in names if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)][:count]
    rest = next((p.name for p in names if p.kind is p.VAR_POSITIONAL), "input")
    return plain + [f"{rest}[{i}]" for i in range(count - len(plain))]


def _called(trace):
    """(file, line, text) of the last line of a stack that is not minigrad's own."""
    for entry in reversed(trace or ()):
        found = re.match(r'\s*File "(.*)", line (\d+), in .*\n\s*(.*)', entry)
        if found and not call_stacks.is_own(found[1]):
            return os.path.basename(found[1]), int(found[2]), found[3]
    return None


def _name_of(tensor):
    """What the program calls a leaf, as the frames that called backward see it; None if they have no name for it."""
    frame = sys._getframe(1)
    while frame is not None:
        if not call_stacks.is_own(frame.f_code.co_filename):
            for space in (frame.f_locals, frame.f_globals):
                for name, value in list(space.items()):
                    found = None if name.startswith("_") else _found_in(name, value, tensor)
                    if found:
                        return found
        frame = frame.f_back
    return None


def _found_in(name, value, tensor):
    if value is tensor:
        return name
    # Only of types whose methods are known: what the user's own do is not to happen within backward.
    if "_parameters" in getattr(value, "__dict__", ()) and hasattr(type(value), "register_parameter"):
        return next((f"{name}.{n}" for n, p in value.named_parameters() if p is tensor), None)
    if type(value) in (list, tuple) and len(value) < 100:
        return next((f"{name}[{i}]" for i, v in enumerate(value) if v is tensor), None)
    if type(value) is dict and len(value) < 100:
        return next((f"{name}[{k!r}]" for k, v in list(value.items()) if v is tensor), None)
    return None


def _columns(name, value, rest=""):
    """Lines of 'name  value', those after the first aligned with it."""
    first, *more = value.text.split("\n")
    lines = [f"   {name:<10} {first}", *(f"   {'':<10} {line}" for line in more if line.strip())]
    lines[-1] += f"  {value.kind}".rstrip() + rest
    return lines
