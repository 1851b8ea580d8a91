"""Arrays that have names: every computation with one is done, and written down as a line of NumPy.

Owns `Symbol`, an array with ndarray's face, and its namespace, `Spelled`: the fourth reading of a formula. A Tensor may
hold a Symbol as it may hold any other library's array, so forward and backward run as ever, and what ran is then there
to read and to run again. Knows no Tensor; what becomes of the lines is `program.py`'s affair.
"""

import math
import operator

import numpy as np

from .. import dtypes
from ..namespace import _DIRECT, MANY, NumPy, kept_shape, namespaces, sum_axes


class TraceError(RuntimeError):
    """The program does something that no straight line of NumPy calls can repeat."""


class Line:
    """`symbol` = the expression `parts`: text, Symbols and constants. `group`: what it belongs to."""

    __slots__ = ("symbol", "parts", "group")

    def __init__(self, symbol, parts, group):
        self.symbol, self.parts, self.group = symbol, parts, group


class Writer:
    """The lines so far; `label()` says what the one that is written belongs to, or None if that is known later.

    Constants are kept as they are when a line is written, whatever becomes of them. `closed`: the trace is over.
    """

    def __init__(self, label):
        self.lines, self.label, self.closed = [], label, False
        self._kept = {}

    def write(self, value, parts):
        """A Symbol for `value`, which the expression `parts` gives."""
        if self.closed:
            raise TraceError("this tensor is left over from a trace, which is over: it holds no numbers of its own")
        symbol = Symbol(np.asarray(value), self)
        parts = [self._constant(part) if isinstance(part, np.ndarray) else part for part in parts]
        self.lines.append(Line(symbol, parts, self.label()))
        return symbol

    def _constant(self, array):
        """A copy of a constant, laid out alike; the same for the same numbers of the same array."""
        original, copies = self._kept.setdefault(id(array), (array, []))
        for copy in copies:
            if copy.tobytes() == array.tobytes():
                return copy
        copies.append(laid_out_as(array))
        copies[-1][...] = array
        return copies[-1]


def laid_out_as(array):
    """An array of the same shape, dtype and strides in memory of its own, its numbers not set."""
    steps = [n // array.itemsize for n in array.strides]
    low = sum(min(0, step * (n - 1)) for step, n in zip(steps, array.shape)) if array.size else 0
    high = sum(max(0, step * (n - 1)) for step, n in zip(steps, array.shape)) if array.size else 0
    memory = np.empty(high - low + 1, array.dtype)
    return np.ndarray(array.shape, array.dtype, memory, -low * array.itemsize, array.strides)


def _alike(parts, function, args):
    """True if an expression gives what function(*args) does, to the last bit and laid out alike: for the numbers at
    hand, for random ones, and for the special ones. A spot check of `SPELLINGS`, whose entries are the same by
    definition but for shapes and layouts that these arguments may have."""
    symbols = {id(s): s for s in _symbols(args)}
    for fill in (None, _random, *_SPECIAL):
        arrays = {i: s.array if fill is None else _filled(s.array, fill) for i, s in symbols.items()}
        with np.errstate(all="ignore"):
            wanted = np.asarray(function(*_replaced(args, arrays)))
            try:
                found = np.asarray(_evaluated(parts, arrays))
            except (TypeError, ValueError, IndexError):  # it does not apply to such arguments
                return False
        if found.dtype != wanted.dtype or found.shape != wanted.shape or not _strides_agree(found, wanted):
            return False
        float_ = wanted.dtype.kind == "f"
        if not np.array_equal(found, wanted, equal_nan=float_):
            return False
        if float_ and ((np.signbit(found) != np.signbit(wanted)) & (wanted == wanted)).any():
            return False
    return True


def _strides_agree(a, b):
    return a.size < 2 or all(n == 1 or s == t for n, s, t in zip(a.shape, a.strides, b.strides))


_numbers = np.random.RandomState(0).standard_normal(1 << 12) * 2


def _random(array):
    start = id(array) // 16 % 1000  # another array, other numbers
    return np.resize(_numbers[start:], array.shape)


def _special_from(first):
    numbers = [1.0, np.nan, -0.0, np.inf, 0.5, 0.0, -np.inf, -2.0]
    return lambda array: np.resize(numbers[first:] + numbers[:first], array.shape)


_SPECIAL = [_special_from(first) for first in range(8)]


def _filled(array, fill):
    """Other numbers in memory laid out as a float array's; of others the array itself."""
    if array.dtype.kind != "f" or not array.size:
        return array
    out = laid_out_as(array)
    out[...] = fill(array)
    return out


def _replaced(value, arrays):
    if isinstance(value, Symbol):
        return arrays[id(value)]
    if isinstance(value, (tuple, list)):
        return type(value)(_replaced(v, arrays) for v in value)
    return value


def _evaluated(parts, arrays):
    space = {"np": np, "xp": NumPy}
    text = ""
    for part in parts:
        if isinstance(part, str):
            text += part
        else:
            name = f"_{len(space)}"
            space[name] = _replaced(part, arrays)
            text += name
    return eval(text, space)


# -- arguments as text ------------------------------------------------------------------------------------------------


def _spelling(value):
    """The parts that spell one argument."""
    if isinstance(value, (Symbol, np.ndarray)):
        return [value]
    if isinstance(value, np.generic):
        return [np.asarray(value)]
    if isinstance(value, (tuple, range)):
        return ["(", *_joined(value), ",)" if len(value) == 1 else ")"]
    if isinstance(value, list):
        return ["[", *_joined(value), "]"]
    if isinstance(value, slice):
        return ["slice(", *_joined((value.start, value.stop, value.step)), ")"]
    if isinstance(value, np.dtype):
        return [f"np.{value.name}" + ("_" if value.name == "bool" else "")]
    if isinstance(value, type) and issubclass(value, np.generic):
        return [f"np.{value.__name__}" + ("_" if value.__name__ == "bool" else "")]
    if isinstance(value, float) and not math.isfinite(value):
        return ["np.nan" if value != value else "np.inf" if value > 0 else "-np.inf"]
    if value is None or value is ... or isinstance(value, (bool, int, float, str)):
        return ["..." if value is ... else repr(value)]
    raise TraceError(f"a {type(value).__name__} cannot be written into a NumPy program: {value!r}")


def _joined(values, separator=", "):
    parts = []
    for value in values:
        parts += [separator, *_spelling(value)] if parts else _spelling(value)
    return parts


def _key(key):
    """A key as it stands between brackets."""
    parts = []
    for k in key if isinstance(key, tuple) else (key,):
        if isinstance(k, slice):
            bounds = ["" if b is None else str(b) for b in (k.start, k.stop)]
            spelled = [":".join([*bounds, str(k.step)] if k.step is not None else bounds)]
        else:
            spelled = _spelling(k)
        parts += [", ", *spelled] if parts else spelled
    return parts or ["()"]


def call(function, args, keywords=()):
    """The spelling of a call."""
    named = [part for name, value in dict(keywords).items() for part in (", ", f"{name}=", *_spelling(value))]
    positional = _joined(args)
    return [f"{function}(", *(positional + named if positional else named[1:]), ")"]


def _literal(value, beside):
    """A 0-d constant as a Python number, which takes the dtype of what it is beside; None if it would not be the
    same."""
    constant = isinstance(value, (np.ndarray, np.generic)) and not value.ndim
    if constant and value.dtype == beside.dtype and value.dtype.kind in "fi":
        number = value.item()
        if math.isfinite(number):
            return [str(value[()]) if value.dtype.kind == "f" else repr(number)]
    return None


def _unwrapped(value):
    if isinstance(value, Symbol):
        return value.array
    if isinstance(value, (tuple, list)):
        return type(value)(map(_unwrapped, value))
    return value


def _symbols(value):
    if isinstance(value, Symbol):
        yield value
    elif isinstance(value, (tuple, list)):
        for v in value:
            yield from _symbols(v)


def _first(values):
    return next(_symbols(values), None)


# -- the array --------------------------------------------------------------------------------------------------------

INFIX = {
    "add": "+", "sub": "-", "mul": "*", "truediv": "/", "floordiv": "//", "mod": "%", "pow": "**", "matmul": "@",
    "and_": "&", "or_": "|", "xor": "^", "lshift": "<<", "rshift": ">>", "eq": "==", "ne": "!=", "lt": "<", "le": "<=",
    "gt": ">", "ge": ">=",
}  # fmt: skip
UFUNCS = {
    np.add: "+", np.subtract: "-", np.multiply: "*", np.true_divide: "/", np.floor_divide: "//", np.remainder: "%",
    np.power: "**", np.matmul: "@", np.bitwise_and: "&", np.bitwise_or: "|", np.bitwise_xor: "^", np.equal: "==",
    np.not_equal: "!=", np.less: "<", np.less_equal: "<=", np.greater: ">", np.greater_equal: ">=",
}  # fmt: skip
ALONE = {"neg": "-", "pos": "+", "invert": "~"}
METHODS = """all any argmax argmin astype copy cumprod cumsum diagonal dot flatten max mean min prod ravel reshape
squeeze std sum swapaxes transpose var""".split()
WRITES = {np.copyto, np.put, np.place, np.putmask, np.put_along_axis, np.fill_diagonal}
# Functions of NumPy whose answer is about the array, not its numbers; and those that give an array of a shape that the
# numbers have no part in. What is in neither set is refused.
ASKED = {
    np.may_share_memory, np.shares_memory, np.ndim, np.shape, np.size, np.result_type, np.can_cast, np.zeros_like,
    np.ones_like, np.empty_like, np.full_like,
}  # fmt: skip
KNOWN = {
    np.all, np.any, np.argmax, np.argmin, np.argsort, np.broadcast_to, np.clip, np.concatenate, np.cumprod, np.cumsum,
    np.diagonal, np.dot, np.einsum, np.expand_dims, np.flip, np.matmul, np.max, np.mean, np.min, np.moveaxis, np.outer,
    np.prod, np.ravel, np.reshape, np.roll, np.sort, np.squeeze, np.stack, np.std, np.sum, np.swapaxes,
    np.take_along_axis, np.tensordot, np.transpose, np.tril, np.triu, np.var, np.vdot, np.where,
}  # fmt: skip


def _refuse(what, remedy):
    def refused(self, *args, **keywords):
        raise TraceError(f"while a program is traced {what}: {remedy}")

    return refused


_read = _refuse(
    "the numbers of its inputs cannot be read (item, bool, if, print, numpy)",
    "a program is one straight line, the same for all numbers. Read them before or after, or leave the input out",
)
_written = _refuse(
    "nothing that depends on its inputs can be written to in place", "use the op's other form, x = x + y for x += y"
)


def _refuse_masks(key):
    """How many elements a mask selects is read from its numbers."""
    for symbol in _symbols(key):
        if symbol.dtype.kind == "b":
            _read(symbol)


class Symbol:
    """An ndarray, `array`, that has a name: operators, NumPy's functions and methods give further Symbols."""

    __slots__ = ("array", "writer", "__weakref__")
    __hash__ = object.__hash__
    base = None
    device = dtypes.CPU

    def __init__(self, array, writer):
        self.array, self.writer = array, writer

    dtype = property(lambda self: self.array.dtype)
    shape = property(lambda self: self.array.shape)
    ndim = property(lambda self: self.array.ndim)
    size = property(lambda self: self.array.size)
    itemsize = property(lambda self: self.array.itemsize)
    nbytes = property(lambda self: self.array.nbytes)
    strides = property(lambda self: self.array.strides)
    flags = property(lambda self: self.array.flags)
    address = property(lambda self: self.array.__array_interface__["data"][0])
    T = property(lambda self: self.writer.write(self.array.T, [self, ".T"]))

    def __len__(self):
        return len(self.array)

    def __getattr__(self, name):
        if hasattr(np.ndarray, name) and not name.startswith("_"):
            raise TraceError(f"while a program is traced ndarray.{name} has no way to be written down")
        raise AttributeError(f"'Symbol' object has no attribute '{name}'")

    def __getitem__(self, key):
        if key.__class__ is tuple and not key and not self.ndim:
            return self  # NumPy takes a 0-d array for the number that it holds
        _refuse_masks(key)
        value = self.array[_unwrapped(key)]
        return self.writer.write(value, [self, "[", *_key(key), "]"])

    def __iter__(self):
        return (self[i] for i in range(len(self)))

    def __array_ufunc__(self, ufunc, method, *inputs, out=None, **keywords):
        if out is not None:
            _written(self)
        value = getattr(ufunc, method)(*map(_unwrapped, inputs), **keywords)
        if ufunc in UFUNCS and method == "__call__" and not keywords:
            return infix(self.writer, UFUNCS[ufunc], *inputs, value)
        name = f"np.{ufunc.__name__}" + ("" if method == "__call__" else f".{method}")
        return self.writer.write(value, call(name, inputs, keywords))

    def __array_function__(self, function, types, args, keywords):
        if function in WRITES or keywords.get("out") is not None:
            _written(self)
        if function not in ASKED | KNOWN or function is np.where and len(args) == 1:
            _read(self)
        value = function(*_unwrapped(args), **{k: _unwrapped(v) for k, v in keywords.items()})
        return value if function in ASKED else self.writer.write(value, call(f"np.{function.__name__}", args, keywords))

    __array__ = __bool__ = __int__ = __float__ = __index__ = item = tolist = numpy = _read
    __setitem__ = fill = _written


def _between(a, sign, b):
    return [*_spelling(a), f" {sign} ", *_spelling(b)]


def infix(writer, sign, a, b, value):
    """a + b and the like; a 0-d constant as a number where that is the same."""
    if isinstance(a, Symbol):
        literal = _literal(b, a)
        parts = [a, f" {sign} ", *literal] if literal else _between(a, sign, b)
    else:
        literal = _literal(a, b)
        number = literal and [f"({literal[0]})"] if literal and literal[0].startswith("-") else literal
        parts = [*number, f" {sign} ", b] if number else _between(a, sign, b)
    return writer.write(value, parts)


def _operators():
    for name, sign in INFIX.items():
        function, plain = getattr(operator, name), name.rstrip("_")

        def forward(self, other, function=function, sign=sign):
            return infix(self.writer, sign, self, other, function(self.array, _unwrapped(other)))

        def reflected(self, other, function=function, sign=sign):
            return infix(self.writer, sign, other, self, function(_unwrapped(other), self.array))

        setattr(Symbol, f"__{plain}__", forward)
        if sign not in ("==", "!=", "<", "<=", ">", ">="):
            setattr(Symbol, f"__r{plain}__", reflected)
            setattr(Symbol, f"__i{plain}__", _written)
    for name, sign in ALONE.items():

        def alone(self, function=getattr(operator, name), sign=sign):
            return self.writer.write(function(self.array), [sign, self])

        setattr(Symbol, f"__{name}__", alone)
    Symbol.__abs__ = lambda self: self.writer.write(abs(self.array), call("np.abs", (self,)))
    for name in METHODS:

        def method(self, *args, name=name, **keywords):
            value = getattr(self.array, name)(*_unwrapped(args), **keywords)
            return self if value is self.array else self.writer.write(value, _method(self, name, args, keywords))

        setattr(Symbol, name, method)


def _method(symbol, name, args=(), keywords=()):
    return [symbol, ".", *call(name, args, keywords)]


_operators()


# -- the namespace ----------------------------------------------------------------------------------------------------


def _reduced(name):
    """x.sum(), x.sum(0), x.sum(0, keepdims=True), whichever it is."""

    def spelled(x, axis, keepdims):
        where = () if axis is None else (axis[0] if len(axis) == 1 else axis,)
        return [_method(x, name, where, {"keepdims": True} if keepdims else {})]

    return spelled


def _summed_to(g, shape):
    axes = sum_axes(g.shape, shape)
    where = () if len(axes) == g.ndim else (axes[0] if len(axes) == 1 else axes,)
    return [_method(g, "sum", where), _method(g, "sum", where, {"keepdims": True})]


def _power(x, n):
    spelled = {2: [x, " * ", x], 3: [x, " * ", x, " * ", x], 0.5: call("np.sqrt", (x,)), -1: ["1 / ", x]}
    return [spelled[n]] if n in spelled else []


def _mean(x, axis, keepdims):
    return [[*_reduced("sum")(x, axis, keepdims)[0], f" / {NumPy.count(x.shape, axis)}"]]


def _permuted(x, axes):
    return [[x, ".T"] if axes == tuple(range(x.ndim))[::-1] else _method(x, "transpose", (axes,))]


# How a person would write it, where that is the same to the last bit (and as fast: np.where is not); everything else is
# a call of xp, NumPy's own namespace in minigrad.
SPELLINGS = {
    "sum": _reduced("sum"), "mean": _mean, "prod": _reduced("prod"), "amax": _reduced("max"),
    "amin": _reduced("min"), "any": _reduced("any"), "all": _reduced("all"),
    "sum_to": _summed_to,
    "power": _power,
    "rsqrt": lambda x: [["1 / ", *call("np.sqrt", (x,))]],
    "sigmoid": lambda x: [["1 / (1 + np.exp(-", x, "))"]],
    "passed": lambda x, gate: [["np.where(", gate, " <= 0, 0, ", x, ")"]] if gate.size < MANY else [],
    "where": lambda condition, a, b: [call("np.where", (condition, a, b))] if condition.size < MANY else [],
    "zeros": lambda shape, like: [call("np.zeros", (shape, like.dtype))],
    "cast": lambda x, dtype: [_method(x, "astype", (dtype,))],
    "convert": lambda x, dtype: [_method(x, "astype", (dtype,))],
    "copy": lambda x: [_method(x, "copy")],
    "widen": lambda g, shape, axis, keepdims: [_method(g, "reshape", (kept_shape(shape, axis),))],
    "reshape": lambda x, shape: [_method(x, "reshape", (shape,))],
    "permute": _permuted,
    "broadcast_to": lambda x, shape: [call("np.broadcast_to", (x, shape))],
    "flip": lambda x, axes: [[*call("np.flip", (x, axes)), ".copy()"]],
    "concat": lambda arrays, axis: [call("np.concatenate", (list(arrays),), {"axis": axis} if axis else {})],
    "item": lambda x, key: [[x, "[", *_key(key), "]"]],
    "slice": lambda x, key: [[x, "[", *_key(key), "]"]],
    "index": lambda x, key: [[x, "[", *_key(key), "]"]],
    "matmul": lambda a, b: [_between(a, "@", b)],
    "mv": lambda a, b: [_between(a, "@", b)],
    "mT": lambda x: [[x, ".T"] if x.ndim == 2 else _method(x, "swapaxes", (-1, -2))],
    "outer": lambda a, b: [call("np.outer", (a, b))],
    "linear": lambda x, weight, bias: [[*_between(x, "@", weight), ".T + ", *_spelling(bias)]],
    "sum_of_products": lambda a, b: [_between(a, "@", b), call("np.vdot", (a, b))],
} | {name: lambda *args, name=name: [call(f"np.{name}", args)] for name in _DIRECT}  # fmt: skip


def _spelled(name):
    function = getattr(NumPy, name)

    def written(*args):
        symbol = _first(args)
        if symbol is None:
            return function(*args)
        if name in KEYED:
            _refuse_masks(args[1:])
        value = function(*_unwrapped(args))
        for given in _symbols(args):
            if value is given.array:
                return given
        half = name not in KEYED and any(s.dtype == np.float16 for s in _symbols(args))  # has ways of its own
        try:
            spellings = SPELLINGS[name](*args) if name in SPELLINGS and not half else []
        except AttributeError:  # the way a person would write it is for an array where this is a number
            spellings = []
        parts = next((parts for parts in spellings if _alike(parts, function, args)), None)
        return symbol.writer.write(value, parts or call(f"xp.{name}", args))

    return written


class Spelled:
    """NumPy's namespace for Symbols, alone or beside constants."""

    recorded = False
    count, inverse = NumPy.count, NumPy.inverse
    cond = _read

    def lowest(x):
        return NumPy.lowest(_unwrapped(x))


KEYED = "item slice index slice_adjoint index_adjoint with_item with_item_added put_positions at_positions".split()
for _name in vars(NumPy):
    if not _name.startswith("_") and not hasattr(Spelled, _name):
        setattr(Spelled, _name, _spelled(_name))
namespaces[Symbol] = Spelled
