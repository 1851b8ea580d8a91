"""@primitive: one op, one declaration.

Owns how a forward function and one derivative formula per input become a recorded op. A formula names what it needs:
`g` (the cotangent of the output), `xp` (the array namespace), `out`, any input, `<input>_shape`, `<input>_strides`, any
static argument; so its signature is the list of saved tensors, and an unknown name is an error at import. For each op
this module writes the functions that a person would write by hand for it and compiles each when it is first needed: the
call, and for each set of inputs that require grad the recording and the backward. `mul.primitive.source` shows the
call. Knows no particular op.
"""

import functools
import itertools
import linecache
import types

import numpy as np

from . import dtypes
from .grad_mode import state
from .graph import Call, Node, creation
from .namespace import LARGE, cast, namespaces
from .ownership import ALONE_IN_CALL, references
from .tensor import InferenceCounter, Tensor, alias, array_of, bare, wrap

REGISTRY = {}


class OpNode(Node):
    """The record of one call of a primitive.

    Each edge has a slot of its own, `edge_0`, `edge_1` ...: a graph keeps its nodes for long, and every tuple that a
    node held would be one more object for Python's garbage collector to visit, again and again. `saved` holds the
    tensors kept for backward, then the version of each.
    """

    __slots__ = ("plan", "vjp", "static", "shapes", "edge_0", "edge_1", "edge_2")

    @property
    def edges(self):
        return tuple([getattr(self, slot) for slot in self.plan.edges])

    def name(self):
        return self.plan.primitive.node_name(self)

    def all_edges(self):
        edges = iter(self.edges)
        return tuple(next(edges) if needed else None for needed in self.plan.mask)

    def recorded_vjp(self, g):
        return self.plan.recorded_vjp(self, g)

    @property
    def call(self):
        label = self.static[-1] if self.plan.static else None
        return label if label.__class__ is Call else None

    @property
    def absorbed(self):
        needed, absorbs = self.plan.needed, self.plan.primitive.absorbs
        return self.edges[needed.index(absorbs)] if absorbs in needed else None

    def undefined_vjp(self, g, create_graph):
        if self.plan.primitive.absorbs is None:  # else torch looks at nothing that was saved
            self.check_saved()
        return Node.undefined_vjp(self, g, create_graph)

    def explained(self, error, g):
        """NumPy's complaint about the shapes of the cotangent and of what was saved, in torch's words."""
        return broadcast_error(error, g, *(t._array for t in self.saved_tensors or ()))

    def check_saved(self):
        """Raise if what was saved is gone, or was written to."""
        if self.saved is None:
            raise freed_error(self)
        for tensor, expected in zip(self.saved_tensors, self.saved_versions):
            if tensor._counter[0] != expected:
                raise stale_error(self)

    @property
    def saved_versions(self):
        """The version that each saved tensor had."""
        return self.saved[len(self.plan.saved) :]

    @property
    def saved_tensors(self):
        """The tensors kept for backward, in the order the formulas name them; None once they are freed."""
        return None if self.saved is None else self.saved[: len(self.plan.saved)]


@functools.cache
def node_class(edges):
    """OpNode, with more slots where an op has more edges than that has."""
    more = [f"edge_{i}" for i in range(3, edges)]
    return type("OpNode", (OpNode,), {"__slots__": more}) if more else OpNode


def primitive(**declared):
    """Declare an op: `@primitive(a=lambda g, b: g * b, b=lambda g, a: g * a)` above its forward function.

    The forward's positional parameters are its tensor inputs (a first one called `xp` receives the namespace), its
    keyword-only ones the static arguments. Keywords named as an input are that input's formula; the others are the
    options of `Primitive`.
    """

    def declare(forward):
        op = Primitive(forward, **declared)
        op.declared = declared
        REGISTRY.setdefault(op.name, op)  # concat is declared once for each number of inputs
        return op.call

    return declare


def overload(op, name, **options):
    """The op once more, its nodes called `name`: torch numbers the overloads of a function, as ClampBackward1, and
    gives some pairs one name, as std and mean in StdMeanBackward0. Other options replace the op's own."""
    original = op.primitive
    return primitive(**{**original.declared, "name": name, **options})(original.forward)


class Primitive:
    """One op: its forward function, its formulas, and the code written for them.

    `promote`: None (inputs are taken as they come), "same" (inputs of an elementwise op are brought to one dtype) or
    "float" (and integers to the default dtype). `name`: torch's name for the node, a string or a function of the node.
    `view`: the result shows the first input's memory. `held`: static arguments that are dropped after backward, as
    saved tensors are: the indices of a gather. `mixed`: asked first about operands that are not Tensors of one dtype:
    raises for what torch does not take, and gives the result where it is not found by promotion, else None.
    `absorbs`: the input whose op torch runs as a part of this one. `single`: what of half precision is computed in
    single and rounded once, as torch's kernels do it: "out" stands for the forward, an input for its formula.
    `explain`: turns NumPy's complaint about the arguments into torch's: `explain(error, *arrays, **static)`. And for
    speed, `direct`: the forward without a Python frame, where it is an operator (operator.mul, 50 ns a call);
    `product`: the op is a * b, whose gradient for a 0-d input is one dot product, not a product and a sum.
    """

    def __init__(
        self, forward, *, promote=None, name=None, view=False, held=(), mixed=None, explain=None, direct=None,
        product=False, absorbs=None, single=(), **formulas,
    ):  # fmt: skip
        self.name = forward.__name__
        self.forward = forward
        self.formulas = formulas
        self.promote = promote
        self.view = view
        self.held = held
        self.mixed = mixed
        self.explain = explain
        self.direct = direct or forward
        self.product = product
        self.absorbs = absorbs
        self.single = single
        positional, keyword = parameters(forward)
        self.takes_xp = positional[0] == "xp"
        self.inputs = list(positional[self.takes_xp :])
        self.static = keyword  # name -> default, or REQUIRED
        self._node_name = name or _camel(self.name) + "Backward0"
        self.needs = {}  # input -> the names that its formula asks for
        self._check_formulas()
        self.plans = Plans(self)
        self.call = self._callable(align_float if promote == "float" else align_same)

    @property
    def operator(self):
        """The call as an operator: NotImplemented for an operand of unknown type, so that Python asks the other
        side."""
        return self._callable(or_not_implemented(align_float if self.promote == "float" else align_same))

    @property
    def source(self):
        """The text of the call."""
        return "\n".join(self._write_call())

    def _named(self):
        """The namespace's function that the forward does no more than call, as in `return xp.exp(x)`; or None.

        Calling that one saves a Python frame.
        """
        code, static = self.forward.__code__, list(self.static)
        if not self.takes_xp or len(code.co_names) != 1 or "out" in self.single:
            return None
        asked = f"xp.{code.co_names[0]}"
        signature = ", ".join(["xp", *self.inputs] + ["*"] * bool(static) + static)
        twin = eval(f"lambda {signature}: {asked}({', '.join(self.inputs + static)})").__code__
        return asked if (code.co_code, code.co_varnames) == (twin.co_code, twin.co_varnames) else None

    @functools.cached_property
    def described(self):
        """What a formula may ask of an input without saving it -> the text that gives it."""
        return {f"{i}_{what}": f"{i}._array.{what}" for i in self.inputs for what in ("shape", "strides")}

    def _check_formulas(self):
        known = {"g", "xp", "out", *self.inputs, *self.static}
        for name in self.single:
            if name != "out" and name not in self.formulas:
                raise TypeError(f"{self.name}: single names '{name}', which is neither 'out' nor has a formula")
        for i, formula in self.formulas.items():
            if i not in self.inputs:
                raise TypeError(f"{self.name}: a formula for '{i}', which is not one of the inputs {self.inputs}")
            self.needs[i] = parameters(formula)[0]
            for asked in self.needs[i]:
                if asked not in known and asked not in self.described:
                    known = sorted({*known, *self.described})
                    raise TypeError(f"{self.name}: the formula for '{i}' asks for '{asked}'; known are {known}")

    def _write_choice(self, differentiable, arguments, indent="        ", flags=()):
        """Record with the function for just those inputs that require grad: nested ifs, or a look-up if they are
        many."""
        if len(differentiable) > CHOICES:
            each = ", ".join(f"{i}._requires_grad" for i in differentiable)
            return [f"{indent}flags = ({each},)", f"{indent}if True in flags: recorder(flags){arguments}"]
        if len(flags) == len(differentiable):
            return [f"{indent}{record_name(flags)}{arguments}"] if any(flags) else []
        name = differentiable[len(flags)]
        taken = self._write_choice(differentiable, arguments, indent + "    ", (*flags, True))
        other = self._write_choice(differentiable, arguments, indent + "    ", (*flags, False))
        return [f"{indent}if {name}._requires_grad:", *taken] + ([f"{indent}else:", *other] if other else [])

    def node_name(self, node):
        """torch's name for a node of this op."""
        return self._node_name(node) if callable(self._node_name) else self._node_name

    def _callable(self, align):
        """The function that users call. Its code is written at the first call, into the very function object."""
        scope = {}
        forward = rounded_once(self.forward, self.takes_xp) if "out" in self.single else self.direct
        call = types.FunctionType(_first_call.__code__, scope, self.name)
        call.__qualname__ = self.name

        def write():
            scope.update({
                "align": align, "array_of": array_of, "explain": self.explain or broadcast_error,
                "floating": FLOATING, "float32": np.dtype("float32"), "forward": forward, "link": link_view,
                "mixed": self.mixed, "namespaces": namespaces, "ndarray": np.ndarray, "new": object.__new__,
                "not_a_tensor": not_a_tensor, "number_beside": number_beside, "numbers": NUMBERS, "state": state,
                "static": self.static, "InferenceCounter": InferenceCounter, "Tensor": Tensor,
            })  # fmt: skip
            scope.update(self.plans.recorders(scope, [i for i in self.inputs if i in self.formulas]))
            written = compile_function(self.name, self._write_call(), scope)
            call.__code__, call.__defaults__ = written.__code__, written.__defaults__
            scope[self.name] = call

        scope["write"], scope["this"] = write, call
        call.primitive = self
        call.__doc__, call.__module__ = self.forward.__doc__, self.forward.__module__
        return call

    def _write_call(self):
        """The lines of the call: arrays out of tensors, forward, a tensor around the result, the record."""
        inputs, static = PUBLIC_NAMES.get(tuple(self.inputs), self.inputs), list(self.static)
        arrays = [f"{i}_array" for i in inputs]
        given = ", ".join(f"({i!r}, {i})" for i in inputs)
        refuse_others = f"        raise not_a_tensor(error, {self.name!r}, [{given}]) from None"
        defaults = [n if self.static[n] is REQUIRED else f"{n}=static[{n!r}]" for n in static]
        params = ", ".join(inputs + defaults)
        lines = [f"def {self.name}({params}):"]
        add = lines.append
        if self.promote:
            if len(inputs) == 2:  # first, because asking a number for its _array costs as much as a product
                a, b = inputs
                add(f"    kind = {b}.__class__")
                add("    if kind is float or kind is int:")
                add(f"        try: {b} = numbers[{b}, {a}._array.dtype]")
                add(f"        except (KeyError, AttributeError): {b} = number_beside({b}, {a})")
            add("    try:")
            add(f"        {'; '.join(f'{a} = {i}._array' for a, i in zip(arrays, inputs))}")
            first = f"{arrays[0]}.dtype"
            same = " is ".join(f"{a}.dtype" for a in arrays)
            if self.promote == "float":
                same = f"({same} is float32 or {first} in floating" + (f" and {same})" if len(arrays) > 1 else ")")
            add(f"        aligned = {same if len(arrays) > 1 or self.promote == 'float' else True}")
            if len(inputs) == 1:
                add("    except AttributeError as error:")
                add(refuse_others)
            else:
                add("    except AttributeError:")
                add("        aligned = False")
            add("    if not aligned:")
            if self.mixed:
                add(f"        result = mixed({', '.join(inputs)})")
                add("        if result is not None: return result")
            add(f"        operands = align({', '.join(inputs)})")
            add("        if operands is None: return NotImplemented")
            add(f"        return {self.name}({', '.join(['*operands'] + [f'{n}={n}' for n in static])})")
        else:
            add("    try:")
            add(f"        {'; '.join(f'{a} = {i}._array' for a, i in zip(arrays, inputs))}")
            add("    except AttributeError as error:")
            add(refuse_others)
        statics = "".join(f", {n}={n}" for n in static)
        if named := self._named():
            run = ", ".join([named, *arrays, *static])
        else:
            run = ", ".join(["forward"] + ["xp"] * self.takes_xp + arrays) + statics
        if self.takes_xp:
            add(f"    xp = namespaces[{arrays[0]}.__class__]")
        if self.explain or len(inputs) > 1:
            add("    try:")
            if self.direct is self.forward:
                add(f"        result = state.run({run})")
            else:  # two of NumPy's numbers take a quarter of the time that two 0-d arrays do
                a, b = arrays
                add(f"        if {a}.ndim or {b}.ndim: result = state.run({run})")
                add(f"        else: result = state.run(forward, {a}[()], {b}[()])")
            add("    except (ValueError, IndexError, TypeError) as error:")
            add(f"        raise explain(error, {', '.join(arrays)}{statics}) from None")
        else:
            add(f"    result = state.run({run})")
        add("    out = new(Tensor)")
        add("    out._array = result if result.__class__ is ndarray else array_of[result.__class__](result)")
        if self.view:
            add(f"    out._counter = {inputs[0]}._counter")
            add(f"    out._base = {inputs[0]} if {inputs[0]}._base is None else {inputs[0]}._base")
        else:
            add("    out._counter = [0]")
            add("    out._base = None")
        add("    out._requires_grad = False")
        add("    out._node = None")
        differentiable = [public for public, i in zip(inputs, self.inputs) if i in self.formulas]
        if differentiable:
            add("    if state.enabled:")
            for i in differentiable:
                add(f"        if {i}._base is not None: {i}._refresh()")
            lines += self._write_choice(differentiable, f"(out, {', '.join(inputs + static)})")
        if self.view:
            add(f"    link(out, {inputs[0]})")
        else:
            add(f"    {'elif' if differentiable else 'if'} state.inference:")
            add("        out._inference, out._counter = True, InferenceCounter([0])")
        add("    return out")
        return lines


PUBLIC_NAMES = {("x",): ["input"], ("a", "b"): ["input", "other"]}  # what torch calls them, and so may users
REQUIRED = object()  # the default of a static argument that has none


def parameters(function):
    """The positional parameters of a function, and its keyword-only ones with their defaults."""
    if hasattr(function, "__signature__"):
        given = function.__signature__.parameters.values()
        return [p.name for p in given if p.kind is not p.KEYWORD_ONLY], {
            p.name: REQUIRED for p in given if p.kind is p.KEYWORD_ONLY
        }
    code, defaults = function.__code__, function.__kwdefaults__ or {}
    n = code.co_argcount
    keyword = code.co_varnames[n : n + code.co_kwonlyargcount]
    return list(code.co_varnames[:n]), {name: defaults.get(name, REQUIRED) for name in keyword}


def rounded_once(function, first):
    """A forward or a formula that is computed in single precision where it is given half, and its result rounded.

    `first` is the position of the argument whose dtype decides.
    """

    def in_single(*args, **static):
        if args[first].dtype not in dtypes.HALF:
            return function(*args, **static)
        xp = namespaces[args[first].__class__]
        wide = [xp.cast(x, np.dtype("float32")) if getattr(x, "dtype", None) in dtypes.HALF else x for x in args]
        return xp.cast(function(*wide, **static), np.dtype("float16"))

    return in_single


def _first_call(*args, **kwargs):
    """The code of every op until it is called: write the real one, then run it."""
    write()  # noqa: F821
    return this(*args, **kwargs)  # noqa: F821


HELD = (wrap(np.empty(0)),)  # what a node saves whose static arguments count as saved: something that can be dropped


class Plans(dict):
    """For each set of inputs that require grad the Plan of recording; written when first needed."""

    every = []  # one for each op
    instrument = None  # anomaly mode: wraps the recording functions

    def __init__(self, op):
        self.op = op
        self.callers = []  # the global scopes of the written calls
        Plans.every.append(self)

    def __missing__(self, flags):
        plan = self[flags] = Plan(self.op, flags)
        return plan

    def recorder(self, flags):
        """The function that records a call."""
        record = self[flags].record
        return record if Plans.instrument is None else Plans.instrument(record)

    def recorders(self, scope, differentiable):
        """For each choice in a written call a function that records once and puts the real one in its own place."""

        def first_time(name, flags):
            def record(out, *args):
                scope[name] = self.recorder(flags)
                scope[name](out, *args)

            return record

        self.callers.append((scope, differentiable))
        if not 0 < len(differentiable) <= CHOICES:
            return {"recorder": self.recorder}
        choices = itertools.product((False, True), repeat=len(differentiable))
        return {name: first_time(name, flags) for flags in choices if (name := record_name(flags)) and any(flags)}

    def renew(self):
        """Forget the recording functions in use: anomaly mode was switched."""
        callers, self.callers = self.callers, []
        for scope, differentiable in callers:
            scope.update(self.recorders(scope, differentiable))


class Plan:
    """How one op is recorded and run backward when a given set of its inputs requires grad."""

    def __init__(self, op, flags):
        self.primitive = op
        differentiable = [i for i in op.inputs if i in op.formulas]
        self.needed = [i for i, flag in zip(differentiable, flags) if flag]
        self.mask = tuple(i in self.needed for i in op.inputs)
        asked = [n for i in self.needed for n in op.needs[i]]
        self.saved = [n for n in dict.fromkeys(asked) if n in op.inputs or n == "out"]
        self.static = [n for n in dict.fromkeys(asked) if n in op.static or n in op.described]
        self.edges = [f"edge_{i}" for i in range(len(self.needed))]  # the slots of the node
        self.holds = any(n in op.held for n in self.static)
        self.formulas = {
            i: rounded_once(op.formulas[i], op.needs[i].index("g")) if i in op.single else op.formulas[i]
            for i in self.needed
        }
        # An elementwise op broadcasts; the cotangent of a broadcast input is summed back to its shape here, once.
        self.broadcasts = bool(op.promote) and len(op.inputs) > 1
        self.record = self._write_record()
        self.vjp = self._write_vjp()
        self.record.__globals__["vjp"] = self.vjp

    def _write_record(self):
        op = self.primitive
        lines = [f"def record_{op.name}(out, {', '.join(op.inputs + list(op.static))}):"]
        add = lines.append
        add("    node = OpNode()")
        add("    node.plan = plan")
        add("    node.vjp = vjp")
        add("    node._sequence = next(creation)")
        add("    node.attached = None")
        for edge, i in zip(self.edges, self.needed):
            add(f"    node.{edge} = {i}._node or {i}")
        if "out" in self.saved:
            add("    saved_out = alias(out)")
        kept = ["saved_out" if n == "out" else n for n in self.saved]
        saved = " ".join([f"{n}," for n in kept] + [f"{n}._counter[0]," for n in kept])
        add("    node.saved = held" if self.holds and not kept else f"    node.saved = ({saved})")
        if self.static:
            add(f"    node.static = ({' '.join(f'{op.described.get(n, n)},' for n in self.static)})")
        if self.broadcasts:
            shapes = [f"{i}._array.shape" for i in op.inputs]
            add(f"    node.shapes = None if {' == '.join(shapes)} else "
                f"({' '.join(f'{i}._array.shape,' for i in self.needed)})")  # fmt: skip
        add("    out._node = node")
        add("    out._requires_grad = True")
        scope = {"alias": alias, "creation": creation, "OpNode": node_class(len(self.edges))}
        scope |= {"plan": self, "held": HELD}
        return compile_function(f"record_{op.name}", lines, scope)

    def _written_over(self):
        """The last formula, writing its result over g, which nothing needs after it; None if it is another."""
        op = self.primitive
        *others, last = [_form(op.formulas[i]) for i in self.needed]
        if not op.promote or any(form is not _PRODUCT for form in others):
            return None
        factor = op.needs[self.needed[-1]][-1]
        if last is _PRODUCT and factor in self.saved:
            return f"multiply(g, {factor}._array, g)"
        return "negative(g, g)" if last is _NEGATIVE else None

    def _write_vjp(self):
        op = self.primitive

        def sent(terms):
            return " ".join(f"(node.{edge}, {term})," for edge, term in zip(self.edges, terms.values()))

        lines = [f"def vjp_{op.name}(node, g):"]
        add = lines.append
        if self.saved or self.holds:
            add("    if node.saved is None: raise freed(node)")
        if self.saved:
            add(f"    {', '.join(self.saved + [f'{n}_version' for n in self.saved])} = node.saved")
            written = " or ".join(f"{n}._counter[0] != {n}_version" for n in self.saved)
            add(f"    if {written}: raise stale(node)")
        if self.static:
            add(f"    {', '.join(self.static)}, = node.static")
        uses_xp = any("xp" in op.needs[i] for i in self.needed)
        if uses_xp:
            add("    xp = namespaces[g.__class__]")
        terms = {}
        for i in self.needed:
            asked = [n + "._array" if n in self.saved else n for n in op.needs[i]]
            terms[i] = f"formula_{i}({', '.join(asked)})"
        if (over := self._written_over()) is not None:
            alone = "references(g) <= alone and g.base is None"
            add(f"    unseen = g.__class__ is ndarray and g.size > {LARGE} and {alone}")
            terms[i] = f"{over} if unseen else {terms[i]}"
        if self.broadcasts:
            add("    if node.shapes is not None:")
            add(f"        {', '.join(i + '_shape' for i in self.needed)}, = node.shapes")
            if not uses_xp:
                add("        xp = namespaces[g.__class__]")
            for i, term in terms.items():
                dot = f"xp.sum_of_products(g, {op.needs[i][1]}._array) if {i}_shape == () else " if op.product else ""
                add(f"        {i}_g = {dot}xp.sum_to({term}, {i}_shape)")
            add(f"        return ({sent({i: f'{i}_g' for i in self.needed})})")
        add(f"    return ({sent(terms)})")
        scope = {f"formula_{i}": formula for i, formula in self.formulas.items()}
        scope |= {"freed": freed_error, "stale": stale_error, "namespaces": namespaces}
        scope |= {"alone": ALONE_IN_CALL, "multiply": np.multiply, "ndarray": np.ndarray, "negative": np.negative}
        scope["references"] = references
        return compile_function(f"vjp_{op.name}", lines, scope)

    def recorded_vjp(self, node, g):
        """The same formulas on Tensors: saved values with their history, and minigrad's own ops as `xp`."""
        op = self.primitive
        node.check_saved()
        values = dict(zip(self.static, node.static)) if self.static else {}
        values["g"], values["xp"] = g, namespaces[Tensor]
        edges = node.edges
        edge_of = dict(zip(self.needed, edges))
        for n, saved in zip(self.saved, node.saved):
            values[n] = with_history(saved, node if n == "out" else edge_of.get(n))
        cotangents = [self.formulas[i](*(values[n] for n in op.needs[i])) for i in self.needed]
        if self.broadcasts and node.shapes is not None:
            sum_to = values["xp"].sum_to
            cotangents = [sum_to(c, shape) for c, shape in zip(cotangents, node.shapes)]
        return tuple(zip(edges, cotangents))


_PRODUCT = (lambda g, factor: g * factor).__code__.co_code
_NEGATIVE = (lambda g: -g).__code__.co_code


def _form(formula):
    """The one of the two codes above that a formula is, or None."""
    code = getattr(getattr(formula, "__code__", None), "co_code", None)
    return next((form for form in (_PRODUCT, _NEGATIVE) if form == code), None)


def with_history(saved, edge):
    """A saved tensor as it was when it was saved: made by `edge`, whatever became of the tensor since."""
    if edge is None or edge is saved or saved._node is edge:
        return saved
    tensor = alias(saved)
    if isinstance(edge, Node):
        tensor._node, tensor._requires_grad = edge, True
        return tensor
    return edge  # a leaf: the very tensor that the gradient is with respect to


def compile_function(name, lines, scope):
    """Compile the text of one function; tracebacks show its lines."""
    source = "\n".join(lines) + "\n"
    filename = f"<minigrad {name} {len(linecache.cache)}>"
    linecache.cache[filename] = (len(source), None, source.splitlines(True), filename)
    exec(compile(source, filename, "exec"), scope)
    return scope[name]


def _camel(name):
    return "".join(part.capitalize() for part in name.strip("_").split("_"))


CHOICES = 3  # with more differentiable inputs, nested ifs grow too long


def record_name(flags):
    """The name, in a written call, of the function that records for these inputs."""
    return "record_" + "".join("01"[flag] for flag in flags)


# -- promotion -----------------------------------------------------------------------------------------------------

FLOATING = frozenset(d.numpy for d in dtypes.ALL if d.is_floating_point)


def common_dtype(operands):
    """torch's result dtype for Tensors and Python numbers; TypeError for anything else."""
    dimensioned, zero_dim, scalars = [], [], []
    for x in operands:
        if isinstance(x, Tensor):
            (dimensioned if x._array.ndim else zero_dim).append(dtypes.from_numpy(x._array.dtype))
        else:
            scalars.append(dtypes.scalar_dtype(x))
    return dtypes.result_dtype(dimensioned, zero_dim, scalars)


def align(operands, to_float):
    """The operands as Tensors of their common dtype (floating point if `to_float`)."""
    operands = [as_operand(x) for x in operands]
    target = common_dtype(operands)
    if to_float and not target.is_floating_point:
        target = dtypes.get_default_dtype()
    return [converted(x, target) for x in operands]


def converted(x, target):
    """`to_dtype` for an operand: a write to the tensor is a write to what was saved of it, converted, as in torch."""
    out = to_dtype(x, target)
    if isinstance(x, Tensor):
        out._counter = x._counter
    return out


def align_same(*operands):
    """`align` to the common dtype."""
    return align(operands, to_float=False)


def align_float(*operands):
    """`align` to the common floating point dtype."""
    return align(operands, to_float=True)


NUMBERS = {}  # (number, floating point dtype) -> Tensor: programs repeat theirs


def number_beside(value, tensor):
    """A Python number beside a floating point Tensor, as a Tensor of its dtype; else, and beside float16, the number,
    which `mixed` and `align` take."""
    if not isinstance(tensor, Tensor) or (dtype := tensor._array.dtype) not in FLOATING or dtype == np.float16:
        return value
    number = bare(state.run(np.array, value, dtype))  # kept for all modes
    if value:  # 0. and -0. are equal as keys
        if len(NUMBERS) >= 1024:
            NUMBERS.clear()
        NUMBERS[value, dtype] = number
    return number


def or_not_implemented(align):
    """`align` for an operator: None, not TypeError, for an operand that is no Tensor, number or array."""

    def aligned(*operands):
        if all(isinstance(x, (Tensor, int, float, np.ndarray, np.generic)) for x in operands):
            return align(*operands)
        return None

    return aligned


def as_operand(x):
    """A Tensor or a Python number from what may stand beside a Tensor in an expression."""
    if isinstance(x, Tensor):
        return x
    if dtypes.scalar_dtype(x) is not None:
        return x.item() if isinstance(x, np.generic) else x
    if isinstance(x, np.ndarray):
        dtypes.from_numpy(x.dtype)
        return wrap(x)
    raise TypeError(f"expected Tensor or Number as operand, but got {type(x).__name__}")


def to_dtype(x, target):
    """A Tensor or Python number as a Tensor of dtype `target`; recorded if the Tensor requires grad."""
    if isinstance(x, Tensor):
        if x._array.dtype == target.numpy:
            return x
        return x.to(target)
    if target.category == 1 and not -0x8000000000000000 <= x < 0x8000000000000000:
        raise RuntimeError(f"value cannot be converted to type {target.name}_t without overflow: {x}")
    if target.category == 1:
        return wrap(np.array(x, np.int64).astype(target.numpy))
    return wrap(state.run(cast, np.array(x, np.float64), target.numpy))


# -- errors --------------------------------------------------------------------------------------------------------


def broadcast_error(error, *arrays, **static):
    """torch's complaint about shapes that do not broadcast."""
    shapes = [tuple(a.shape) for a in arrays if hasattr(a, "shape")]
    longest = max(len(s) for s in shapes)
    for axis in range(longest - 1, -1, -1):
        sizes = [s[axis - longest + len(s)] if axis - longest + len(s) >= 0 else 1 for s in shapes]
        distinct = [n for n in sizes if n != 1]
        for n in distinct:
            if n != distinct[0]:
                return RuntimeError(
                    f"The size of tensor a ({sizes[0]}) must match the size of tensor b "
                    f"({sizes[1] if sizes[1] != 1 else n}) at non-singleton dimension {axis}: shapes "
                    f"{' and '.join(str(list(s)) for s in shapes)} do not broadcast. Sizes must be equal or 1, counted "
                    "from the last dimension."
                )
    return error


def not_a_tensor(error, function, arguments):
    """torch's TypeError if an AttributeError came of an argument, of the (name, value) pairs, that is no Tensor; else
    the error."""
    for position, (name, value) in enumerate(arguments, 1):
        if value is error.obj and not isinstance(value, Tensor) and hasattr(Tensor, error.name):
            kind = type(value).__name__
            return TypeError(f"{function}(): argument '{name}' (position {position}) must be Tensor, not {kind}")
    return error


def freed_error(node):
    """A second backward through saved tensors that are gone."""
    return RuntimeError(
        "Trying to backward through the graph a second time (or directly access saved tensors after they have already "
        "been freed). Saved intermediate values of the graph are freed when you call .backward() or autograd.grad(). "
        "Specify retain_graph=True if you need to backward through the graph a second time or if you need to access "
        f"saved tensors after calling backward. (The first node that is needed again is {node.name()}.)"
    )


def stale_error(node):
    """A saved tensor was written to after it was saved."""
    name, tensor, expected = next(
        entry
        for entry in zip(node.plan.saved, node.saved_tensors, node.saved_versions)
        if entry[1]._counter[0] != entry[2]
    )
    made_by = node if name == "out" else tensor._node
    what = f"[torch.{tensor.dtype.type_name}Tensor {list(tensor._array.shape)}]"
    if made_by is not None:
        what += f", which is output 0 of {made_by.name().removesuffix('Backward0')},"
    return RuntimeError(
        "one of the variables needed for gradient computation has been modified by an inplace operation: "
        f"{what} is at version {tensor._counter[0]}; expected version {expected} instead. "
        f"(It was saved by {node.name()}.) Hint: enable anomaly detection to find the operation that failed to compute "
        "its gradient, with torch.autograd.set_detect_anomaly(True), or use the out-of-place form of the operation "
        "that changed it."
    )


# -- views ---------------------------------------------------------------------------------------------------------


def link_view(out, source):
    """Tell a new view which history of its base it shows; an op that had to copy made no view."""
    base = out._base
    if out._array.size and not np.may_share_memory(out._array, base._array):
        out._base, out._inference = None, state.inference
        out._counter = InferenceCounter([0]) if state.inference else [0]
        return
    if source._inference:  # which in any mode its views are, and no others
        out._inference = True
        return
    out._base_version = out._counter[0]
    if state.enabled:
        out._view_kind = source._view_kind
    else:
        out._view_kind = "inference" if state.inference else "no_grad"
