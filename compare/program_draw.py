"""Draws whole programs, a statement at a time, while they run.

Owns the vocabulary of the random programs: leaves, ops, views, in-place ops, autograd calls, hooks, Functions, blocks.
The builder looks at the reference engine's live tensors, so that most statements are valid, and writes each statement
once, as text. Where choices come from is not known here: a `Choose` over `random.Random`, or over hypothesis' draw.
"""

from __future__ import annotations

import random
import re
import warnings
from collections.abc import Callable, Sequence
from typing import Any

from .program_text import Pair, is_tensor


def _forms(text: str) -> list[str]:
    """The forms of a table, written with semicolons between them."""
    return [form for form in (part.strip() for part in text.replace("\n", " ").split(";")) if form]


SHAPES = _forms("""
    () ; (2,) ; (3,) ; (1,) ; (2, 3) ; (3, 2) ; (2, 2) ; (1, 3) ; (2, 1) ; (3, 3) ; (2, 3, 2) ; (1, 2, 2)
""")
EMPTY_SHAPES = ["(0,)", "(2, 0)", "(0, 3)"]
LARGEST, MOST_ELEMENTS = 1e3, 48

# Rounded differently by different engines: called as `T.name(x)`, so that a perturbed `T` shows how much that matters.
INEXACT_UNARY = _forms("""
    exp ; log ; sin ; cos ; tanh ; sigmoid ; sqrt ; expm1 ; log1p ; exp2 ; rsqrt ; tan ; atan ; sinh ; cosh ; log2
    ; log10 ; asin ; acos
""")
EXACT_UNARY = _forms("""
    neg ; abs ; relu ; square ; sign ; floor ; ceil ; round ; trunc ; frac ; reciprocal
""")
INEXACT_REDUCTIONS = _forms("""
    sum ; mean ; prod ; logsumexp ; var ; std ; norm ; cumsum ; cumprod ; softmax ; log_softmax ; matmul ; einsum
    ; addmm ; outer ; atan2 ; pow ; lerp ; bmm ; mm ; mv ; dot
""")
# Of these the result may be far smaller than what it is the difference of.
CANCELLING = ("log_softmax", "logsumexp", "var", "std")
INEXACT = frozenset(INEXACT_UNARY + INEXACT_REDUCTIONS)

FUNCTIONS = {
    "cube, both styles of saving": """\
class {F}(T.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x * x * x
    @staticmethod
    def backward(ctx, g):
        x, = ctx.saved_tensors
        return 3 * x * x * g""",
    "product, setup_context": """\
class {F}(T.autograd.Function):
    @staticmethod
    def forward(x, y):
        return x * y
    @staticmethod
    def setup_context(ctx, inputs, output):
        ctx.save_for_backward(*inputs)
    @staticmethod
    def backward(ctx, g):
        x, y = ctx.saved_tensors
        return g * y, g * x""",
    "saves its output": """\
class {F}(T.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        out = T.tanh(x)
        ctx.save_for_backward(out)
        return out
    @staticmethod
    def backward(ctx, g):
        out, = ctx.saved_tensors
        return g * (1 - out * out)""",
    "scale by a number kept on ctx": """\
class {F}(T.autograd.Function):
    @staticmethod
    def forward(ctx, x, k):
        ctx.k = k
        return x * k
    @staticmethod
    def backward(ctx, g):
        return g * ctx.k, None""",
    "in place, mark_dirty": """\
class {F}(T.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        x.mul_(2)
        ctx.mark_dirty(x)
        return x
    @staticmethod
    def backward(ctx, g):
        return g * 2""",
    "two outputs, one not differentiable": """\
class {F}(T.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        half, above = x * 0.5, x * 4.0
        ctx.mark_non_differentiable(above)
        return half, above
    @staticmethod
    def backward(ctx, g, h):
        return g * 0.5""",
    "two outputs": """\
class {F}(T.autograd.Function):
    @staticmethod
    def forward(ctx, x, y):
        ctx.save_for_backward(x, y)
        return x + y, x * y
    @staticmethod
    def backward(ctx, g, h):
        x, y = ctx.saved_tensors
        return g + h * y, g + h * x""",
    "two outputs, gradients not materialized": """\
class {F}(T.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.set_materialize_grads(False)
        return x * 3, x * 5
    @staticmethod
    def backward(ctx, g, h):
        log.append(("given", (g is None, h is None)))
        if g is None or h is None:
            return None if g is h else g * 3 if h is None else h * 5
        return g * 3 + h * 5""",
    "once_differentiable": """\
class {F}(T.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x * x
    @staticmethod
    @T.autograd.function.once_differentiable
    def backward(ctx, g):
        x, = ctx.saved_tensors
        return 2 * x * g""",
    "needs_input_grad": """\
class {F}(T.autograd.Function):
    @staticmethod
    def forward(ctx, x, y):
        ctx.save_for_backward(x, y)
        return x * y
    @staticmethod
    def backward(ctx, g):
        x, y = ctx.saved_tensors
        log.append(("needs", ctx.needs_input_grad))
        return (g * y if ctx.needs_input_grad[0] else None), (g * x if ctx.needs_input_grad[1] else None)""",
    "returns its input": """\
class {F}(T.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        return x
    @staticmethod
    def backward(ctx, g):
        return g * 7""",
    "returns a view": """\
class {F}(T.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.shape = x.shape
        return x.view(-1)
    @staticmethod
    def backward(ctx, g):
        return g.reshape(ctx.shape)""",
    "too many gradients": """\
class {F}(T.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        return x * 2
    @staticmethod
    def backward(ctx, g):
        return g * 2, g""",
    "no gradient": """\
class {F}(T.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        return x * 2
    @staticmethod
    def backward(ctx, g):
        return None""",
}


class Choose:
    """Choices from a seed. A subclass over hypothesis overrides `below` alone."""

    def __init__(self, source: random.Random) -> None:
        self._uniform = source.random

    def below(self, n: int) -> int:
        return int(self._uniform() * n)

    def pick(self, options: Sequence[Any]) -> Any:
        return options[self.below(len(options))]

    def chance(self, percent: int) -> bool:
        """True in `percent` of 100; shrinks to False."""
        return self.below(100) >= 100 - percent


class ChooseFrom(Choose):
    """Choices from a function `integer(lowest, highest)`, as hypothesis draws them."""

    def __init__(self, integer: Callable[[int, int], int]) -> None:
        self._integer = integer

    def below(self, n: int) -> int:
        return self._integer(0, n - 1)


class Builder:
    """Draws statements that fit the program so far; `pair` runs them."""

    def __init__(self, choose: Choose, pair: Pair, lacks: Callable[[str], bool] = lambda name: False) -> None:
        self.choose, self.pair, self.lacks = choose, pair, lacks
        self.count = 0
        self.floats = choose.pick(["float64", "float64", "float64", "float32"])
        self.mixed = choose.chance(12)
        self.odd_values = choose.chance(6)
        self.tensors: dict[str, Any] = {}
        self.others: dict[str, Any] = {}
        self.statements: list[str] = []
        self.difference: Any = None
        self.hooked = ""

    # -- what is there to refer to

    def refresh(self) -> None:
        """Read the live variables off the reference engine."""
        self.tensors, self.others = {}, {}
        for name, value in self.pair.variables().items():
            if not is_tensor(value):
                self.others[name] = value
            elif _readable(value):
                self.tensors[name] = value

    def new(self, letter: str = "v") -> str:
        self.count += 1
        return f"{letter}{self.count}"

    def names(self, fits: Callable[[Any], bool] = lambda t: True) -> list[str]:
        return [name for name, t in self.tensors.items() if fits(t)]

    def one(self, fits: Callable[[Any], bool] | None = None) -> str | None:
        """A variable that `fits` (default: floating point), small and of ordinary size where possible."""
        names = self.names(fits if fits is not None else lambda t: t.dtype.is_floating_point)
        for _ in range(3):
            if not names:
                return None
            # Half of the time one of the newest, so that programs grow deep rather than wide.
            name = (
                names[-1 - self.choose.below(min(3, len(names)))] if self.choose.chance(50) else self.choose.pick(names)
            )
            if self.ordinary(name) or self.choose.chance(2):
                return name
            names.remove(name)
        return None

    def ordinary(self, name: str, largest: float = LARGEST) -> bool:
        t = self.tensors[name]
        if t.numel() > MOST_ELEMENTS:
            return False
        if not t.dtype.is_floating_point or not t.numel():
            return True
        peak = float(t.detach().abs().max())
        return peak <= largest or (self.odd_values and self.choose.chance(50))

    def two(self) -> tuple[str, str] | None:
        """Two variables that broadcast together (now and then: that do not)."""
        first = self.one()
        if first is None:
            return None
        shape = self.tensors[first].shape
        names = self.names(lambda t: t.dtype.is_floating_point and _broadcast(shape, t.shape))
        if self.choose.chance(4):
            names = self.names()
        second = self.choose.pick(names or [first])
        if not self.ordinary(second):
            return None
        return (first, second) if self.choose.chance(60) else (second, first)

    def number(self) -> str:
        return self.choose.pick(["2.0", "0.5", "-1.5", "3", "1", "-2", "0.25"])

    def literal(self, shape: tuple[int, ...], kind: str) -> str:
        """Nested lists of small dyadic numbers (exact in every dtype), with ties and zeros."""
        if not shape:
            if kind == "int":
                return str(self.choose.below(4))
            if kind == "bool":
                return str(self.choose.chance(50))
            if self.odd_values and self.choose.chance(25):
                odd = ["np.nan", "np.inf", "-np.inf", "-0.0", "1e-310"]
                # In float32 the square of 1e30 overflows, unless an engine adds up in float64.
                return self.choose.pick(odd if self.floats == "float32" else [*odd, "1e30"])
            return str((self.choose.below(25) - 12) / 4)
        return "[" + ", ".join(self.literal(shape[1:], kind) for _ in range(shape[0])) + "]"

    def dim(self, t: Any) -> str:
        n = max(t.dim(), 1)
        if self.choose.chance(2):
            return str(n)
        return str(self.choose.below(2 * n) - n)

    # -- the statements

    def leaf(self) -> str:
        shape = self.choose.pick(SHAPES if not self.choose.chance(5) else EMPTY_SHAPES)
        dtype = self.floats
        if self.mixed and self.choose.chance(50):
            dtype = self.choose.pick(["float32", "float64", "int64", "int32", "bool"])
        kind = "int" if dtype.startswith("int") else "bool" if dtype == "bool" else "float"
        dims = eval(shape)
        grad = ", requires_grad=True" if kind == "float" and self.choose.chance(85) else ""
        if 0 in dims:
            return f"{self.new()} = T.zeros({shape}, dtype=T.{dtype}{grad})"
        return f"{self.new()} = T.tensor({self.literal(dims, kind)}, dtype=T.{dtype}{grad})"

    def unary(self) -> str | None:
        x = self.one()
        if x is None:
            return None
        if self.choose.chance(60):
            name = self.choose.pick(INEXACT_UNARY)
            if name in ("exp", "exp2", "expm1", "sinh", "cosh") and not self.ordinary(x, 16.0):
                return None
            return f"{self.new()} = T.{name}({x})"
        return f"{self.new()} = {x}.{self.choose.pick(EXACT_UNARY)}()"

    def with_number(self) -> str | None:
        x = self.one(lambda t: True)
        if x is None:
            return None
        k = self.number()
        forms = _forms("""
            {x} * {k} ; {x} + {k} ; {k} - {x} ; {x} / {k} ; {x} ** 2 ; -{x} ; {k} * {x} ; {x} - {k} ;
            T.pow({x}, 3) ; {x}.clamp(-1, 1) ; {x}.clamp(min={k}) ; {k} / {x} ; T.where({x} > 0, {x}, {k}) ;
            {x}.masked_fill({x} > {k}, 0) ; {x} > {k} ; {x}.floor_divide({k}) ; {x} % {k} ; {x}.pow(2) ;
            T.pow(2.0, {x}) ; {x} ** 0 ; {x} ** 1 ; {x}.clamp(max={k}) ; {x} == {k} ; {x}.add({k}, alpha=2) ;
            T.full_like({x}, {k}) ; {x} * True ; {x}.sub({k}) ; {x}.div({k}, rounding_mode='floor')
        """)
        return f"{self.new()} = " + self.choose.pick(forms).format(x=x, k=k)

    def binary(self) -> str | None:
        two = self.two()
        if two is None:
            return None
        x, y = two
        forms = _forms("""
            {x} * {y} ; {x} + {y} ; {x} - {y} ; {x} / {y} ; {x} * {y} ; {x} + {y} ; T.maximum({x}, {y}) ;
            T.minimum({x}, {y}) ; T.where({x} > {y}, {x}, {y}) ; T.atan2({x}, {y}) ;
            T.addcmul({x}, {y}, {y}, value=0.5) ; T.lerp({x}, {y}, 0.25) ; {x} > {y} ; T.pow({x}.abs() + 0.5, {y})
            ; T.add({x}, {y}, alpha=2) ; {x}.expand_as({y}) ; T.addcdiv({x}, {y}, {y}.abs() + 1) ; {x} == {y} ;
            T.fmod({x}, {y}) ; T.remainder({x}, {y}) ; T.lerp({x}, {y}, {y}) ; T.sub({x}, {y}, alpha=0.5)
        """)
        return f"{self.new()} = " + self.choose.pick(forms).format(x=x, y=y)

    def reduction(self) -> str | None:
        x = self.one()
        if x is None:
            return None
        t = self.tensors[x]
        keep = self.choose.pick(["", "", ", keepdim=True"])
        d = self.dim(t)
        forms = _forms("""
            T.sum({x}) ; T.sum({x}) ; T.mean({x}) ; T.sum({x}, {d}{keep}) ; T.mean({x}, {d}{keep}) ; T.prod({x}) ;
            T.prod({x}, {d}{keep}) ; {x}.amax({d}{keep}) ; {x}.amin({d}{keep}) ; {x}.max() ; {x}.min() ;
            T.logsumexp({x}, {d}{keep}) ; T.var({x}, {d}{keep}) ; T.std({x}, {d}, correction=0) ; T.norm({x}) ;
            T.cumsum({x}, {d}) ; T.cumprod({x}, {d}) ; T.softmax({x}, {d}) ; T.log_softmax({x}, {d}) ;
            {x}.argmax() ; T.var({x}, correction=0) ; {x}.amax() ; {x}.any() ; T.norm({x}, dim={d}{keep})
        """)
        pairs = ["{x}.max({d}{keep})", "{x}.min({d}{keep})", "{x}.sort({d})", "{x}.topk(1, {d})"]
        if t.unique().numel() < t.numel():
            # Which of several equal entries is found is left open.
            pairs = [form.replace("sort({d})", "sort(dim={d}, stable=True)") for form in pairs if "topk" not in form]
        if self.choose.chance(12):
            return f"{self.new()}, {self.new()} = " + self.choose.pick(pairs).format(x=x, d=d, keep=keep)
        return f"{self.new()} = " + self.choose.pick(forms).format(x=x, d=d, keep=keep)

    def joining(self) -> str | None:
        x = self.one()
        if x is None:
            return None
        shape = tuple(self.tensors[x].shape)
        kind = self.choose.below(4)
        if kind == 0:
            same = self.names(lambda t: t.dtype.is_floating_point and tuple(t.shape) == shape)
            y = self.choose.pick(same or [x])
            form = self.choose.pick(["T.stack([{x}, {y}], {d})", "T.cat([{x}, {y}], {d})", "T.cat([{x}, {y}, {x}])"])
            return f"{self.new()} = " + form.format(x=x, y=y, d=self.dim(self.tensors[x]))
        if kind == 1:
            if not shape:
                return None
            fits = self.names(
                lambda t: t.dtype.is_floating_point and t.dim() and t.shape[-min(2, t.dim())] == shape[-1]
            )
            y = self.choose.pick(fits or [x])
            return f"{self.new()} = T.matmul({x}, {y})" if self.choose.chance(70) else f"{self.new()} = {x} @ {y}"
        forms = _forms("""
            T.outer({x}.reshape(-1), {x}.flatten()) ; {x}.repeat(2, 1) ; {x}.flip(0) ; {x}.roll(1, 0) ; {x}.tril()
            ; {x}.triu(1) ; T.diag({x}) ; {x}[[0, -1, 0]] ; {x}[T.tensor([0, 0])] ; {x}[{x} > 0] ;
            T.index_select({x}, 0, T.tensor([0, 1, 0])) ; {x}.masked_select({x} < 1) ; {x}.repeat_interleave(2, 0)
            ; T.tile({x}, (2,)) ; T.gather({x}, 0, T.zeros_like({x}, dtype=T.int64)) ;
            T.einsum('ij,ij->i', {x}, {x}) ; T.einsum('ij->ji', {x}) ; T.where({x} > 0)[0] ; {x}.nonzero() ;
            T.einsum('i,j->ij', {x}, {x}) ; {x}[..., [0, 0]] ; {x}[T.tensor(0)] ;
            {x}.take_along_dim(T.zeros_like({x}, dtype=T.int64), 0) ; T.addmm({x}, {x}, {x}) ; {x}[None, [0]] ;
            {x}[:, None, [0]]
        """)
        if 0 in shape or not shape:
            forms = [form for form in forms if "index_select" not in form]
        return f"{self.new()} = " + self.choose.pick(forms).format(x=x)

    def view(self) -> str | None:
        x = self.one(lambda t: True)
        if x is None:
            return None
        return self._view(x, self.tensors[x], self.new)

    def _view(self, x: str, t: Any, new: Callable[[], str]) -> str:
        d, e, n = self.dim(t), self.dim(t), t.numel()
        forms = _forms("""
            {x}[0] ; {x}[-1] ; {x}[1:] ; {x}[..., 0] ; {x}[..., 1:] ; {x}[::2] ; {x}[None] ; {x}[:, 0] ;
            {x}[:, :1] ; {x}.t() ; {x}.T ; {x}.mT ; {x}.transpose({d}, {e}) ; {x}.reshape(-1) ; {x}.view(-1) ;
            {x}.view({shape}) ; {x}.reshape({shape}) ; {x}.unsqueeze({d}) ; {x}.squeeze() ; {x}.squeeze({d}) ;
            {x}.flatten() ; {x}.narrow({d}, 0, 1) ; {x}.select({d}, 0) ; {x}.diagonal() ; {x}.expand({bigger}) ;
            {x}.movedim({d}, {e}) ; {x}.permute({perm}) ; {x}.view_as({x}) ; T.broadcast_to({x}, {bigger}) ;
            {x}.contiguous() ; {x}[()] ; {x}[...] ; {x}[0:0] ; {x}.swapaxes({d}, {e}) ; {x}.ravel() ; {x}[:] ;
            {x}.unflatten({d}, (1, -1)) ; {x}.expand({keep})
        """)
        shape = self.choose.pick(_factors(n))
        order = list(range(t.dim()))
        if self.choose.chance(50):
            order.reverse()
        bigger = "(2, " + "".join(f"{size}, " for size in t.shape) + ")"
        if self.choose.chance(40) and 1 in t.shape:
            bigger = "(" + "".join(f"{3 if size == 1 else size}, " for size in t.shape) + ")"
        keep = "(" + "-1, " * t.dim() + ")"
        if not _root(t).is_contiguous():
            # The layout of a result is the engine's affair, and so is whether a reshape of it or of its views copies.
            forms = [f for f in forms if not any(w in f for w in ("view", "reshape", "flatten", "ravel", "contiguous"))]
        if not t.dim():
            # torch answers with a stack trace of its own.
            forms = [form for form in forms if "unflatten" not in form]
        text = dict(x=x, d=d, e=e, shape=shape, perm=f"({''.join(f'{i}, ' for i in order)})", bigger=bigger, keep=keep)
        if self.choose.chance(12) and t.dim():
            axis = self.choose.below(t.dim())
            size = t.shape[axis]
            form = self.choose.pick(["unbind", "split", "chunk"])
            if form == "unbind" and 0 < size <= 3:
                return ", ".join(new() for _ in range(size)) + f", = {x}.unbind({axis})"
            if size == 2:
                return (
                    f"{new()}, {new()} = {x}.{form}(" + ("1" if form == "split" else "2") + f", {axis})"
                    if form != "unbind"
                    else f"{new()} = {x}[0]"
                )
        return f"{new()} = " + self.choose.pick(forms).format(**text)

    def no_grad_view(self) -> str | None:
        """A view that remembers nothing; what is written through it afterwards is refused."""
        x = self.one(lambda t: t.requires_grad and not _is_on_leaf(t))
        if x is None:
            return None
        view = self._view(x, self.tensors[x], lambda: "_")
        return f"with T.no_grad(): {view}\n_.{self.choose.pick(['mul_(2)', 'add_(1)', 'sin_()', 'zero_()'])}"

    def in_place(self) -> str | None:
        # A leaf that requires grad refuses; so does a view of one. Once in a while that is what is tested.
        refuses = self.choose.chance(6)
        x = self.one(lambda t: t.dtype.is_floating_point and (refuses or not _is_on_leaf(t)))
        if x is None:
            return None
        t = self.tensors[x]
        if self._may_be_undefined(t):
            return None
        fits = self.names(
            lambda o: _broadcast(t.shape, o.shape) == tuple(t.shape) and (o.dtype.is_floating_point or self.mixed)
        )
        # What is read while it is being written has no value that torch would promise.
        fits = [name for name in fits if name == x or not _share_memory(self.tensors[name], t)]
        y = self.choose.pick(fits or [x])
        if not self.ordinary(y):
            return None
        k = self.number()
        forms = _forms("""
            {x}.add_({y}) ; {x}.mul_({y}) ; {x}.sub_({y}) ; {x}.div_({k}) ; {x} += {y} ; {x} *= {y} ; {x} -= {k} ;
            {x}.mul_({k}) ; {x}.add_({k}) ; {x}.neg_() ; {x}.exp_() ; {x}.sin_() ; {x}.relu_() ; {x}.clamp_(-1, 1)
            ; {x}.zero_() ; {x}.fill_({k}) ; {x}.copy_({y}) ; {x}[0] = {k} ; {x}[0] += {k} ; {x}[0] *= 2 ;
            {x}[1:] = {k} ; {x}[{x} > 0] = 0.0 ; {x}.masked_fill_({x} > 0, {k}) ; {x}.add_({y}, alpha=2) ;
            {x}[...] = {y} ; {x}[0] = {y} ; {x}[..., 0] = {k} ; {x}[:, 0] *= {k} ; {x}.abs_() ; {x}.tanh_() ;
            {x}.sigmoid_() ; {x}.square_() ; {x}.pow_(2) ; {x} /= {k} ; {x}.addcmul_({y}, {y}, value=0.5) ;
            {x}.lerp_({y}, 0.5) ; {x}.div_({y}) ; {x}[[0, -1]] = {k} ; {x}[[0]] += {k} ; {x}.t_() ;
            {x}.unsqueeze_(0) ; {x}.squeeze_() ; {x}.transpose_(0, -1) ;
            {x}.index_add_(0, T.tensor([0]), {x}[:1].clone()) ; {x}.floor_() ; {x}.cos_() ; {x}.sqrt_() ;
            {x}.fill_({x}.sum()) ; {x}.scatter_(0, T.zeros_like({x}, dtype=T.int64), {z}) ;
            {x}.index_fill_(0, T.tensor([0]), {k}) ; {x}.scatter_add_(0, T.zeros_like({x}, dtype=T.int64), {z}) ;
            {x}.clamp_min_({k}) ; {x}.tril_() ; {x}.reciprocal_() ; {x}.cumsum_(0) ; {x}[:1] = {x}[-1:] ;
            {x}.masked_fill_({x} > 0, {x}.sum())
        """)
        if t.numel() == 0 or t.dim() == 0:
            # Index ops on nothing, and on numbers: torch's own storage arithmetic complains, in its own words.
            forms = [f for f in forms if not any(w in f for w in ("index_", "scatter", "[0]", "[..., 0]", "[:, 0]"))]
        if _is_expanded(t):
            # Most ops refuse; those that do not leave a graph that fails when it is run.
            forms = [form for form in forms if not any(w in form for w in ("[", "fill_", "zero_", "copy_", "tril_"))]
        if t.is_contiguous() and t._base is None:
            # Both refuse where the two parts overlap; of other layouts torch does not know.
            forms += ["{x}[1:].mul_({x}[:-1])", "{x}[1:].copy_({x}[:-1])"]
        z = self.choose.pick(self.names(lambda o: o.shape == t.shape and not _share_memory(o, t)) or [f"{x}.clone()"])
        text = self.choose.pick(forms).format(x=x, y=y, z=z, k=k)
        if self.choose.chance(25) and not _is_expanded(t):
            # Through a view that nobody keeps.
            names, _, view = self._view(x, t, lambda: "_").rpartition(" = ")
            ends = ["mul_(2)", "add_(1)", "neg_()", "sin_()"]
            if "expand" not in view and "broadcast" not in view:
                # Of an expanded tensor torch lets these write, and leaves a graph that fails when it is run.
                ends += ["zero_()", "copy_(T.tensor(1.5))", f"fill_({k})"]
            if "," in names:
                view += "[0]"
            return f"{view}.{self.choose.pick(ends)}"
        return text

    def _may_be_undefined(self, t: Any) -> bool:
        """From a Function that does not materialize gradients: written to in place, torch 2.13 crashes in backward."""
        made_by = type(_root(t).grad_fn).__name__.removesuffix("Backward")
        return any(s.startswith(f"class {made_by}(") and "materialize" in s for s in self.statements)

    def data(self) -> str | None:
        x = self.one()
        if x is None:
            return None
        t = self.tensors[x]
        # Another shape under a graph that is already recorded: each formula of torch then fails in its own way.
        if t.requires_grad and not t.is_leaf:
            # A write that no version counts reaches what formulas have saved, which is the formulas' affair.
            return self.choose.pick(["{n} = {x}.data", "{n} = {x}.detach()", "{n} = {x}.detach()[0]"]).format(
                x=x, n=self.new()
            )
        if t._base is not None or any(o._base is t for o in self.tensors.values()):
            return f"{x}.data.mul_(2)"
        free = not t.requires_grad and t._base is None
        same = self.names(lambda o: o.dtype == t.dtype and (free or o.shape == t.shape))
        y = self.choose.pick(same or [x])
        forms = _forms("""
            {x}.data.mul_(2) ; {x}.data = {y}.detach().clone() ; {x}.data[...] = 0.5 ; {n} = {x}.data ;
            {x}.data.zero_() ; {n} = {x}.detach() ; {x}.detach().mul_(2) ; {x}.data = {y}.data ;
            {n} = {x}.detach()[0]
        """)
        if t.requires_grad:
            # Whether a graph that is already there saw the old memory or sees the new one is torch's affair.
            forms = [form for form in forms if ".data = " not in form]
        if x == next(reversed(self.tensors)):
            # Of the newest alone: torch refuses what others have saved, where its own formula saved it.
            forms.append("{x}.detach_()")
        return self.choose.pick(forms).format(x=x, y=y, n=self.new())

    def copying(self) -> str | None:
        x = self.one(lambda t: True)
        if x is None:
            return None
        forms = _forms("""
            {x}.clone() ; {x}.clone() ; {x}.double() ; {x}.float() ; {x}.to({y}) ; T.zeros_like({x}) ;
            T.ones_like({x}, requires_grad=True) ; {x}.detach().clone().requires_grad_() ; {x}.to(T.float64) ;
            {x}.long() ; {x}.bool() ; {x}.type_as({y}) ; {x}.new_zeros(2) ; {x}.new_tensor([1, 2]) ;
            {x}.to(T.float32).to(T.float64) ; {x}.int() ; T.as_tensor({x})
        """)
        if not self.ordinary(x):
            # What becomes of a float that no integer can hold is the processor's affair.
            forms = [f for f in forms if "int()" not in f and "long()" not in f]
        if not self.mixed:
            forms = [f for f in forms if "float()" not in f and "double()" not in f and "T.float" not in f]
        return f"{self.new()} = " + self.choose.pick(forms).format(x=x, y=self.choose.pick(list(self.tensors)))

    def flags(self) -> str | None:
        x = self.one(lambda t: True)
        if x is None:
            return None
        forms = _forms("""
            {x}.requires_grad_() ; {x}.requires_grad_(False) ; {x}.requires_grad = True ; {x}.retain_grad() ;
            {x}.retain_grad() ; {x}.grad = None ; {x}.requires_grad = False ; {x}.grad = T.ones_like({x}) ;
            {x}.grad = {y}.detach().clone()
        """)
        t = self.tensors[x]
        if any(o._base is t for o in self.tensors.values()):
            # Whether views that were there before follow, torch answers by what was written in between.
            forms = [form for form in forms if "requires_grad" not in form]
        same = self.names(lambda o: o.shape == t.shape)
        return self.choose.pick(forms).format(x=x, y=self.choose.pick(same))

    def use_grad(self) -> str | None:
        x = self.one(lambda t: t._grad is not None)
        if x is None:
            return None
        forms = _forms("""
            {n} = {x}.grad ; {x}.grad.zero_() ; {x}.grad = None ; {x}.grad.mul_(0.5) ; {n} = {x} - 0.5 * {x}.grad
            ; with T.no_grad(): {x} -= 0.25 * {x}.grad ; {n} = ({x}.grad * {x}.grad).sum() ; {x}.grad.detach_() ;
            {x}.data.sub_({x}.grad)
        """)
        return self.choose.pick(forms).format(x=x, n=self.new())

    def hook(self) -> str | None:
        x = self.one(lambda t: t.requires_grad) if not self.choose.chance(3) else self.one()
        if self.hooked in self.tensors and self.choose.chance(30):
            x = self.hooked  # a second hook runs after the first, on what that one returned
        if x is None:
            return None
        self.hooked = x
        # torch calls hooks with None for an output that nothing came back to; whether that is a call is left open.
        forms = _forms("""
            g * 2 ; log.append(('{h}', g)) ; log.append(('{h}', g)) ; -g ; g * g ; log.append(('{h}', {x})) ; None
        """)
        afterwards = _forms("""
            log.append(('{h}', t.grad)) ; log.append(('{h}', t.grad.mul_(3))) ; log.append(('{h}', t))
        """)
        once = "lambda t: None if t.grad is None else "
        if self.tensors[x].is_leaf and self.choose.chance(25):
            form = "{h} = {x}.register_post_accumulate_grad_hook(" + once + self.choose.pick(afterwards) + ")"
        else:
            form = "{h} = {x}.register_hook(lambda g: None if g is None else " + self.choose.pick(forms) + ")"
        return form.format(x=x, h=self.new("h"))

    def remove_hook(self) -> str | None:
        handles = [name for name in self.others if name.startswith("h")]
        return f"{self.choose.pick(handles)}.remove()" if handles else None

    def _cotangent(self, t: Any) -> str:
        shape = tuple(t.shape)
        dtype = str(t.dtype).partition(".")[2]
        if 0 in shape:
            return f"T.ones({shape}, dtype=T.{dtype})"
        if self.choose.chance(2):
            shape = (2, *shape)
        return f"T.tensor({self.literal(shape, 'float')}, dtype=T.{dtype})"

    def backward(self) -> str | None:
        x = self.one(lambda t: t.requires_grad and t.grad_fn is not None)
        if self.choose.chance(8):
            x = self.one(lambda t: t.requires_grad or self.choose.chance(20))
        if x is None:
            return None
        t = self.tensors[x]
        arguments = []
        if t.numel() != 1 and not self.choose.chance(2) or self.choose.chance(20):
            arguments.append(self._cotangent(t))
        if self.choose.chance(60):
            arguments.append("retain_graph=True")
        elif self.choose.chance(25):
            arguments.append("create_graph=True")
        leaves = self.names(_is_plain_input)
        # Of a root that leads to none of the inputs torch runs the hooks nevertheless.
        if self.choose.chance(15 if t.grad_fn is not None else 40) and leaves and not t._backward_hooks:
            arguments.append(f"inputs=[{self.choose.pick(leaves)}, {self.choose.pick(leaves)}]")
        return f"{x}.backward({', '.join(arguments)})"

    def backward_of_several(self) -> str | None:
        names = self.names(lambda t: t.requires_grad and t.grad_fn is not None and t.numel() == 1)
        if not names:
            return None
        retain = self.choose.pick(["", ", retain_graph=True", ", create_graph=True"])
        return f"T.autograd.backward([{self.choose.pick(names)}, {self.choose.pick(names)}]{retain})"

    def grad(self) -> str | None:
        outputs = self.names(lambda t: t.requires_grad and t.grad_fn is not None)
        inputs = self.names(_is_plain_input)
        if not outputs or not inputs:
            return None
        y = outputs[-1] if self.choose.chance(50) else self.choose.pick(outputs)
        xs = [self.choose.pick(inputs) for _ in range(1 + self.choose.below(2))]
        t = self.tensors[y]
        arguments = [y, f"[{', '.join(xs)}]"]
        if t.numel() != 1 or self.choose.chance(15):
            arguments.append(self._cotangent(t))
        if self.choose.chance(50):
            arguments.append("create_graph=True")
        elif self.choose.chance(40):
            arguments.append("retain_graph=True")
        if self.choose.chance(80) and not t._backward_hooks:
            arguments.append("allow_unused=True")
        elif self.choose.chance(30):
            arguments.append("materialize_grads=True")
        call = f"T.autograd.grad({', '.join(arguments)})"
        # Gradients that are equal may be one tensor or two, and views of others; what is written must not tell.
        call = f"[None if g is None else g.clone() for g in {call}]"
        return f"{', '.join(self.new() for _ in xs)}, = {call}"

    def function(self) -> str | None:
        """Define a Function; the next statement applies it."""
        name = self.new("F")
        return FUNCTIONS[self.choose.pick(list(FUNCTIONS))].replace("{F}", name)

    def apply(self) -> str | None:
        classes = [name for name in self.others if name.startswith("F")]
        x = self.one()
        if not classes or x is None:
            return None
        name = self.choose.pick(classes)
        if not self.tensors[x].is_contiguous():
            return None
        source = next((s for s in reversed(self.statements) if s.startswith(f"class {name}(")), "")
        arguments = [x]
        if "forward(ctx, x, k)" in source:
            arguments.append(self.choose.pick(["2", "0.5", "-3.0"]))
        elif "x, y)" in source.splitlines()[2]:
            same = self.names(lambda t: t.dtype == self.tensors[x].dtype and t.shape == self.tensors[x].shape)
            arguments.append(self.choose.pick(same))
        outputs = 2 if "ctx, g, h)" in source else 1
        return f"{', '.join(self.new() for _ in range(outputs))} = {name}.apply({', '.join(arguments)})"

    def optimizer(self) -> str | None:
        optimizers = [name for name in self.others if name.startswith("o")]
        if optimizers and self.choose.chance(70):
            o = self.choose.pick(optimizers)
            return self.choose.pick([f"{o}.step()", f"{o}.zero_grad()", f"{o}.zero_grad(set_to_none=False)"])
        leaves = self.names(lambda t: t.requires_grad and (t.is_leaf or self.choose.chance(3)))
        if not leaves:
            return None
        # Two names of one tensor are one parameter; torch warns of a second, and takes it anyway.
        some = list({id(self.tensors[name]): name for name in (self.choose.pick(leaves) for _ in range(2))}.values())
        options = self.choose.pick(["lr=0.5", "lr=0.25, momentum=0.5", "lr=0.5, weight_decay=0.5"])
        return f"{self.new('o')} = T.optim.SGD([{', '.join(some)}], {options})"

    def number_out(self) -> str | None:
        x = self.one(lambda t: t.numel() == 1)
        return None if x is None else f"{self.new('n')} = {x}.item()"

    def drop(self) -> str | None:
        return f"del {self.choose.pick(list(self.tensors))}" if len(self.tensors) > 3 else None

    WEIGHTS = """
        binary 14  with_number 9  unary 10  view 14  in_place 15  reduction 9  joining 7  leaf 4  copying 5  data 4
        flags 5  hook 5  remove_hook 2  backward 10  grad 7  backward_of_several 1  use_grad 5  function 3  apply 4
        optimizer 3  number_out 1  drop 1  no_grad_view 2
    """.split()
    TABLE = tuple(name for name, weight in zip(WEIGHTS[::2], WEIGHTS[1::2]) for _ in range(int(weight)))
    BLOCKS = (
        "no_grad()",
        "no_grad()",
        "no_grad()",
        "enable_grad()",
        "set_grad_enabled(False)",
        "set_grad_enabled(True)",
    )

    def _named(self, text: str) -> list[str]:
        return [name for name in re.findall(r"v\d+", text) if name in self.tensors]

    def _kind(self) -> str:
        # What was only just made possible comes next: a Function is applied, an optimizer stepped, a gradient used.
        latest = next(reversed(self.others), "v")[0]
        if latest in "Fo" and self.choose.chance(30):
            return {"F": "apply", "o": "optimizer"}[latest]
        return self.choose.pick(self.TABLE)

    def statement(self) -> str:
        """One more statement."""
        for _ in range(20):
            kind = self._kind()
            text = getattr(self, kind)()
            if text is not None and not self.lacks(text):
                break
        else:
            text = self.leaf()
        # A change of shape that is not recorded leaves a graph whose gradients do not fit.
        reshaped = any(word in text for word in (".t_()", "squeeze_(", "transpose_("))
        if self.choose.chance(6) and "\n" not in text and not text.startswith("with ") and not reshaped:
            blocks = self.BLOCKS
            is_view = (
                kind in ("view", "copying", "data")
                or "expand_as" in text
                or "'ij->ji'" in text
                or "T.tensor(0)]" in text
            )
            if is_view and any(_root(self.tensors[n]).requires_grad for n in self._named(text)):
                # A view made without recording: torch 2.13 says that it requires grad, and gives it none.
                blocks = tuple(block for block in blocks if block in ("enable_grad()", "set_grad_enabled(True)"))
            text = f"with T.{self.choose.pick(blocks)}: {text}"
        return text

    def program(self, longest: int = 16) -> tuple[list[str], Any]:
        """Draw and run a program up to the first difference: (statements, the Difference or None)."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return self._program(longest)

    def _program(self, longest: int) -> tuple[list[str], Any]:
        leaves = 1 + self.choose.below(3)
        length = leaves + 3 + self.choose.below(longest - 3)
        for index in range(length):
            text = self.leaf() if index < leaves else self.statement()
            self.statements.append(text)
            difference = self.pair.step(text)
            if difference is not None or self.pair.over:
                return self.statements, difference
            self.refresh()
        # What the graph leads to is only seen when it is run; a graph that is gone already hides the others.
        names = self.names(lambda t: t.requires_grad and t.grad_fn is not None and t.dtype.is_floating_point)
        for name in reversed(names[-3:]):
            text = f"{name}.sum().backward(retain_graph=True)"
            self.statements.append(text)
            difference = self.pair.step(text)
            if difference is not None or self.pair.over:
                return self.statements, difference
        return self.statements, None


def _readable(t: Any) -> bool:
    """False for an output of split or unbind whose base was written to: torch refuses to say what it is."""
    try:
        return t.is_leaf or True
    except RuntimeError:
        return False


def _share_memory(a: Any, b: Any) -> bool:
    return a.untyped_storage().data_ptr() == b.untyped_storage().data_ptr()


def _root(t: Any) -> Any:
    return t if t._base is None else t._base


def _is_plain_input(t: Any) -> bool:
    """May be asked for as an input: of a Function's several outputs torch runs the Function for the others too."""
    return t.requires_grad and not type(t.grad_fn).__name__.endswith("Backward")


def _is_expanded(t: Any) -> bool:
    return any(stride == 0 and size > 1 for stride, size in zip(t.stride(), t.shape))


def _is_on_leaf(t: Any) -> bool:
    base = _root(t)
    return bool(base.requires_grad and base.is_leaf)


def _broadcast(a: Sequence[int], b: Sequence[int]) -> tuple[int, ...] | None:
    shape = []
    for i in range(1, max(len(a), len(b)) + 1):
        x, y = (s[-i] if i <= len(s) else 1 for s in (a, b))
        if x != y and 1 not in (x, y):
            return None
        shape.append(y if x == 1 else x)
    return tuple(reversed(shape))


def _factors(n: int) -> list[str]:
    """Shapes of n elements, as text."""
    return [f"({n},)", f"(-1, {n})", *(f"({i}, {n // i})" for i in range(1, n + 1) if n and n % i == 0)]
