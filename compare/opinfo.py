"""torch's own test database on minigrad: op_db, module_db and optim_db, every entry whose name minigrad has.

Each sample runs as function, method and in place; values, dtypes, shapes, gradients for random cotangents, second
gradients in random directions, and the classes of the errors for torch's wrong inputs have to be torch's. What exists
has to be right; what is missing is listed, easiest first. It knows no op by name except the few tables below.
"""

from __future__ import annotations

import argparse
import builtins
import warnings
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from fnmatch import fnmatch
from functools import lru_cache
from itertools import islice
from types import FunctionType, SimpleNamespace
from typing import Any

import numpy as np

from .engines import load, require
from .parallel import spread
from .report import Failure, Options, Progress, Result

# Results whose values nobody promises.
UNINITIALIZED = frozenset({"empty", "empty_like", "new_empty", "new_empty_strided", "empty_strided", "empty_permuted"})
# A distance of this many eps of the largest entry is rounding in any op; beyond it, torch's own sensitivity decides.
ROUNDING = 32
# Failures listed for one entry; the count is always whole.
LISTED = 4
STEPS = 20
# Where the derivative has cases that torch's samples, drawn at random, do not meet.
CORNERS = {
    "xlogy": ([0.0, 0.0, 1.0, 0.0, 2.0], [0.0, 0.5, 0.0, -1.0, 3.0]),
    "logit": ([0.0, 1.0, 0.5, -1.0, 2.0],),
}
# Where torch itself is off: (entry, label, relative distance allowed, why). The only exceptions there are.
KNOWN = (
    ("*binary_cross_entropy", "* gradient of", 1e-7, "torch adds 1e-12 to the denominator of the second derivative"),
    (
        "nn.functional.layer_norm",
        "third gradient",
        np.inf,
        "torch's is wrong: finite differences agree with the formula",
    ),
    (
        "nn.functional.batch_norm",
        "third gradient",
        np.inf,
        "torch's is wrong: finite differences agree with the formula",
    ),
    (
        "nn.functional.soft_margin_loss",
        "second gradient",
        np.inf,
        "torch's exp overflows in float32, where its derivative then is 0; in float64 both agree",
    ),
    ("nn.BCELoss*", "* gradient of", 1e-7, "torch adds 1e-12 to the denominator of the second derivative"),
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options that only this group has."""
    parser.add_argument("--missing", action="store_true", help="also list what minigrad lacks, the easiest first")
    parser.add_argument("--sample", type=int, metavar="INDEX", help="only this sample of each selected entry")


# -- the database


@lru_cache(maxsize=1)
def database() -> dict[str, Any]:
    """Name -> entry, for all of torch's op_db, module_db ("nn.Linear (module)") and optim_db ("optim.SGD")."""
    require("torch", "expecttest")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from torch.testing._internal.common_methods_invocations import op_db
        from torch.testing._internal.common_modules import module_db
        from torch.testing._internal.common_optimizers import optim_db
    entries = {}
    for op in op_db:
        entries[op.name + (f"[{op.variant_test_name}]" if op.variant_test_name else "")] = op
    for module in module_db:
        entries[f"{module.name} (module)"] = module
    for optimizer in optim_db:
        entries[f"optim.{optimizer.optim_cls.__name__}"] = optimizer
    return entries


def kind(name: str) -> str:
    return "module" if name.endswith("(module)") else "optimizer" if name.startswith("optim.") else "op"


def forms(name: str, entry: Any, engine: Any) -> dict[str, Callable[..., Any]]:
    """How `engine` can be asked for the op: "function", "method", "in place"; {} when it does not have it."""
    from .opinfo_samples import rebind, resolve

    found: dict[str, Callable[..., Any]] = {}
    torch = load("torch")
    last = entry.name.rpartition(".")[2]
    function = resolve(engine, entry.name)
    is_tensor_method = resolve(torch, entry.name) is None or last.startswith("__")
    if isinstance(entry.op, FunctionType) and entry.op.__module__.startswith("torch.testing"):
        # A lambda of the test file; it reaches the op through the name `torch` or as a method.
        if function is not None or (is_tensor_method and hasattr(engine.Tensor, last)):
            found["function"] = rebind(entry.op, engine)
        return found
    if function is not None and not is_tensor_method:
        found["function"] = function
    if is_tensor_method and hasattr(engine.Tensor, last):
        found["function"] = lambda x, *args, **kwargs: getattr(x, last)(*args, **kwargs)
    if entry.method_variant is not None and not last.startswith("__") and hasattr(engine.Tensor, last):
        if getattr(entry.method_variant, "__name__", "") == last:
            found["method"] = lambda x, *args, **kwargs: getattr(x, last)(*args, **kwargs)
    if entry.inplace_variant is not None and hasattr(engine.Tensor, f"{last}_"):
        if getattr(entry.inplace_variant, "__name__", "") == f"{last}_":
            found["in place"] = lambda x, *args, **kwargs: getattr(x.clone(), f"{last}_")(*args, **kwargs)
    return found


def exists(name: str, engine: Any) -> bool:
    """True when `engine` has the entry: the name itself, as a function or as a method of Tensor."""
    from .opinfo_samples import resolve

    entry = database()[name]
    if kind(name) == "module":
        return resolve(engine, entry.name) is not None
    if kind(name) == "optimizer":
        return resolve(engine, name) is not None
    return bool(forms(name, entry, engine))


def missing(engine: Any) -> list[str]:
    """The entries that `engine` lacks, those that look easiest first."""
    return sorted((name for name in database() if not exists(name, engine)), key=lambda name: (_effort(name), name))


def _effort(name: str) -> int:
    """A guess: elementwise ops first, then reductions and shapes, nn, linalg; last what needs a field of its own."""
    entry = database()[name]
    hard = ("sparse", "fft", "_", "ops.", "signal", "torch.ops", "masked", "jiterator", "nested")
    if kind(name) != "op":
        return 4
    if name.startswith(hard) or "sparse" in name or "quant" in name:
        return 9
    if any(
        part in name for part in ("svd", "eig", "lu", "ldl", "qr", "cholesky", "lobpcg", "special.", "geqrf", "ormqr")
    ):
        return 7
    by_class = {
        "UnaryUfuncInfo": 1,
        "BinaryUfuncInfo": 1,
        "ReductionOpInfo": 2,
        "ShapeFuncInfo": 2,
        "SpectralFuncInfo": 9,
    }
    effort = by_class.get(type(entry).__name__, 3)
    if name.startswith("nn.functional"):
        effort = (
            6 if any(part in name for part in ("conv", "pool", "attention", "grid", "interpolate", "ctc", "rnn")) else 4
        )
    if name.startswith("linalg."):
        effort = 5
    return effort


# -- one call on one engine


class Trace:
    """What one engine did with one sample: labelled results, or the stage that raised and the exception."""

    def __init__(self) -> None:
        self.results: list[tuple[str, Any]] = []
        self.flags: list[tuple[Any, ...]] = []
        self.stage = "value"
        self.error: Exception | None = None


def trace(engine: Any, call: Callable[..., Any], sample: Any, orders: int, move: int = 0) -> Trace:
    """Run one sample: value, then (orders >= 1) gradients for random cotangents, then (2, 3) gradients of those."""
    from .opinfo_samples import Converter, rebind

    out = Trace()
    convert = Converter(engine, move)
    x, args, kwargs = convert(sample.input), convert(tuple(sample.args)), convert(dict(sample.kwargs))
    process = rebind(sample.output_process_fn_grad, engine)
    leaves = convert.leaves
    engine.manual_seed(0)
    try:
        result = call(x, *args, **kwargs)
        # A module's own parameters are differentiated too.
        leaves = leaves + [p for p in getattr(call, "parameters", ()) if p.requires_grad]
        tensors = flatten(result, engine)
        for i, value in enumerate(tensors):
            out.results.append((f"value {i}" if len(tensors) > 1 else "value", value))
        out.flags = [(str(t.dtype), tuple(t.shape), t.requires_grad) if is_tensor(t, engine) else t for t in tensors]
        if not orders:
            return out
        outputs = [t for t in flatten(process(result), engine) if is_tensor(t, engine) and t.requires_grad]
        if not outputs or not leaves:
            return out
        out.stage = "gradient"
        cotangents = [random_like(engine, t, i) for i, t in enumerate(outputs)]
        if orders > 1:
            cotangents = [c.requires_grad_() for c in cotangents]
        grads = engine.autograd.grad(outputs, leaves, cotangents, create_graph=orders > 1, allow_unused=True)
        out.results += [(f"gradient of tensor {i}", g) for i, g in enumerate(grads)]
        roots = [g for g in grads if g is not None and g.requires_grad]
        if orders > 1 and roots:
            out.stage = "second gradient"
            directions = [random_like(engine, g, 100 + i) for i, g in enumerate(roots)]
            inputs = [*leaves, *cotangents]
            if orders > 2:
                # Where an op is linear, only the direction is left to depend on.
                inputs += [d.requires_grad_() for d in directions]
            seconds = engine.autograd.grad(roots, inputs, directions, create_graph=orders > 2, allow_unused=True)
            out.results += [(f"second gradient of tensor {i}", g) for i, g in enumerate(seconds)]
            roots = [g for g in seconds if g is not None and g.requires_grad]
        if orders > 2 and roots:
            out.stage = "third gradient"
            directions = [random_like(engine, g, 200 + i) for i, g in enumerate(roots)]
            thirds = engine.autograd.grad(roots, inputs, directions, allow_unused=True)
            out.results += [(f"third gradient of tensor {i}", g) for i, g in enumerate(thirds)]
    except Exception as error:
        out.error = error
    return out


def flatten(value: Any, engine: Any) -> list[Any]:
    """The tensors and plain values in a result, in order."""
    if is_tensor(value, engine):
        return [value]
    if isinstance(value, dict):
        return [t for item in value.values() for t in flatten(item, engine)]
    if isinstance(value, (list, tuple)) and type(value).__name__ != "Size":
        return [t for item in value for t in flatten(item, engine)]
    return [tuple(value) if type(value).__name__ == "Size" else value]


def is_tensor(value: Any, engine: Any) -> bool:
    return isinstance(value, engine.Tensor)


def random_like(engine: Any, tensor: Any, seed: int) -> Any:
    """A random cotangent: the same numbers on every engine."""
    values = np.random.default_rng(seed).standard_normal(tuple(tensor.shape))
    return engine.from_numpy(np.asarray(values, dtype=str(tensor.dtype).rpartition(".")[2]))


def array(value: Any) -> np.ndarray:
    value = value.detach()
    return value.numpy(force=True) if getattr(value, "_is_zerotensor", bool)() else value.numpy()


# -- two engines


class Comparison:
    """The checks of one entry: how many, how far apart at most, what was skipped and what failed."""

    def __init__(self, name: str, options: Options) -> None:
        self.name, self.options = name, options
        self.checks, self.worst, self.count = 0, 0.0, 0
        self.failures: list[Failure] = []
        self.skipped: Counter[str] = Counter()
        self.texts = [0, 0]

    def fail(self, where: str, message: str, reproducer: str | None) -> None:
        self.count += 1
        if len(self.failures) < LISTED:
            self.failures.append(Failure(where, message, reproducer))

    def sample(
        self,
        label: str,
        calls: tuple[Callable[..., Any], Callable[..., Any]],
        sample: Any,
        orders: int,
        reproducer: str | None,
    ) -> None:
        """Run one sample on torch and on the subject and compare everything they show."""
        from .opinfo_samples import Unsupported

        torch, subject = load("torch"), load("minigrad")
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            try:
                theirs = trace(torch, calls[0], sample, orders)
                if theirs.error is not None and theirs.stage == "value":
                    self.skipped["torch itself refuses"] += 1
                    return
                ours = trace(subject, calls[1], sample, orders)
            except Unsupported as reason:
                self.skipped[str(reason)] += 1
                return
            if any(not _comparable(value) for _, value in theirs.results):
                self.skipped["complex, sparse or other results"] += 1
                return
            if isinstance(ours.error, NotImplementedError) or "minigrad does not have" in str(ours.error):
                self.skipped["declined by name"] += 1
                return
            refused = theirs.error is not None and ours.error is None
            if refused and ("not implemented" in str(theirs.error) or theirs.stage == "third gradient"):
                self.skipped["torch has no such derivative"] += 1
                return
            message = self._compare(theirs, ours, lambda move: trace(torch, calls[0], sample, orders, move))
        if message:
            self.fail(label, message, reproducer)

    def _compare(self, theirs: Trace, ours: Trace, moved: Callable[[int], Trace]) -> str:
        self.checks += 1
        if theirs.error is not None or ours.error is not None:
            if theirs.error is not None and ours.error is not None and theirs.stage == ours.stage:
                return "" if same_class(theirs.error, ours.error) else errors(theirs.error, ours.error)
            return f"{(ours if ours.error is not None else theirs).stage}: {errors(theirs.error, ours.error)}"
        if theirs.flags != ours.flags:
            for i, (a, b) in enumerate(zip(theirs.flags, ours.flags)):
                if a != b and not (isinstance(a, float) and a != a and b != b):
                    return f"output {i} (dtype, shape, requires_grad):\n  torch:    {a}\n  minigrad: {b}"
            if len(theirs.flags) != len(ours.flags):
                return f"number of outputs: torch {len(theirs.flags)}, minigrad {len(ours.flags)}"
        noise: dict[int, dict[str, np.ndarray]] = {}
        mine = dict(ours.results)
        for label, a in [*theirs.results, *((label, None) for label in mine if label not in dict(theirs.results))]:
            b = mine.get(label)
            if label.startswith("value") and self.name.partition("[")[0] in UNINITIALIZED:
                continue
            self.checks += 1
            message = self._values(label, a, b, noise, moved)
            if message:
                return message
        return ""

    def _values(
        self, label: str, a: Any, b: Any, noise: dict[int, dict[str, np.ndarray]], moved: Callable[[int], Trace]
    ) -> str:
        if a is None or b is None or not hasattr(a, "detach"):
            if (a is None) == (b is None):
                return ""
            if label.startswith(("second", "third")) and not array(b if a is None else a).any():
                # Whether an op that is linear in its input has no second gradient or zeros is nobody's promise.
                return ""
            sides = ("None" if side is None else "a tensor" for side in (a, b))
            return "{}: torch {}, minigrad {}".format(label, *sides)
        a, b = array(a), array(b)
        if a.dtype != b.dtype or a.shape != b.shape:
            return f"{label}: torch {a.dtype}{list(a.shape)}, minigrad {b.dtype}{list(b.shape)}"
        # A gradient is computed from cotangents of size 1: where it all but vanishes, that is what was rounded.
        least = 1.0 if "gradient" in label else 0.0
        units = apart(a, b, least)
        for name, begins, allowed, _ in KNOWN:
            if fnmatch(self.name, name) and fnmatch(label, begins + "*") and units * np.finfo(a.dtype).eps <= allowed:
                return ""
        if units <= ROUNDING:
            self.worst = max(self.worst, units)
            return ""
        if np.isfinite(units):
            # How far does torch itself move when its inputs move by 8 eps? Ties stay ties: all move by one factor.
            for move in (8, -8):
                if move not in noise:
                    noise[move] = {name: array(t) for name, t in moved(move).results if hasattr(t, "detach")}
                other = noise[move].get(label)
                if other is not None and other.shape == a.shape and units <= 4 * apart(a, other, least):
                    return ""
        where = tuple(int(i) for i in np.unravel_index(_furthest(a, b), a.shape))
        head = f"{label} at {where}, {units:.3g} eps of its largest entry apart"
        return f"{head}:\n  torch:    {a[where]!r}\n  minigrad: {b[where]!r}"

    def error(self, label: str, calls: tuple[Callable[..., Any], Callable[..., Any]], sample: Any) -> None:
        """A wrong input: the subject has to raise the class that torch raises."""
        from .opinfo_samples import Converter, Unsupported

        raised: list[Exception | None] = []
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            for engine, call in zip((load("torch"), load("minigrad")), calls):
                try:
                    convert = Converter(engine)
                    arguments = convert((sample.input, *sample.args)), convert(dict(sample.kwargs))
                except Unsupported as reason:
                    self.skipped[str(reason)] += 1
                    return
                try:
                    call(*arguments[0], **arguments[1])
                    raised.append(None)
                except Exception as error:
                    raised.append(error)
                if raised == [None]:
                    return
        self.checks += 1
        theirs, ours = raised
        assert theirs is not None
        if ours is None or not same_class(theirs, ours):
            self.fail(label, errors(theirs, ours), None)
            return
        self.texts[1] += 1
        self.texts[0] += str(theirs).partition("\n")[0][:30].lower() in str(ours).lower()

    def result(self, note: str = "") -> Result:
        notes = [note] if note else []
        if self.skipped:
            notes.append("skipped " + ", ".join(f"{n} ({why})" for why, n in self.skipped.most_common(3)))
        if self.count > len(self.failures):
            notes.append(f"{self.count} failures, {len(self.failures)} listed")
        if not self.checks and not notes:
            notes.append("no sample in a dtype that minigrad has")
        if self.texts[1]:
            notes.append(f"{self.texts[0]} of {self.texts[1]} error texts begin alike")
        details = {"skipped": dict(self.skipped), "failed": self.count}
        return Result("opinfo", self.name, self.checks, self.worst, self.failures, "; ".join(notes), details)


def _comparable(value: Any) -> bool:
    from .opinfo_samples import SUPPORTED

    torch = load("torch")
    if not isinstance(value, torch.Tensor):
        return value is None or isinstance(value, (bool, int, float, str, tuple))
    return value.dtype in SUPPORTED and value.layout is torch.strided


def apart(a: np.ndarray, b: np.ndarray, least: float = 0.0) -> float:
    """Largest distance in eps of the largest finite entry or of `least`; inf for other nans or infs, other integers."""
    if np.array_equal(a, b, equal_nan=a.dtype.kind == "f"):
        return 0.0
    if a.dtype.kind != "f":
        return np.inf
    with np.errstate(all="ignore"):
        x, y = a.astype(np.float64), b.astype(np.float64)
        odd = ~(np.isfinite(x) & np.isfinite(y))
        if not np.array_equal(x[odd], y[odd], equal_nan=True):
            return np.inf
        x, y = x[~odd], y[~odd]
        scale = max(float(np.abs(x).max(initial=0.0)), float(np.finfo(a.dtype).tiny), least)
        return float((np.abs(x - y) / scale).max(initial=0.0) / np.finfo(a.dtype).eps)


def _furthest(a: np.ndarray, b: np.ndarray) -> int:
    with np.errstate(all="ignore"):
        gap = np.abs(a.astype(np.float64) - b.astype(np.float64))
        same = (a == b) | (np.isnan(a) & np.isnan(b)) if a.dtype.kind == "f" else a == b
    return int(np.where(same, -1.0, np.where(np.isnan(gap), np.inf, gap)).argmax())


def same_class(theirs: Exception, ours: Exception) -> bool:
    """The nearest built-in classes agree; NotImplementedError counts as the RuntimeError that it is."""
    a, b = (next(c for c in type(e).__mro__ if getattr(builtins, c.__name__, None) is c) for e in (theirs, ours))
    return a is b or issubclass(b, a) or (issubclass(a, b) and b is RuntimeError)


def errors(theirs: Exception | None, ours: Exception | None) -> str:
    a, b = ("no error" if e is None else f"{type(e).__name__}: {str(e)[:300]}" for e in (theirs, ours))
    return f"the errors differ:\n  torch:    {a}\n  minigrad: {b}"


# -- the three kinds of entry


def check(name: str, options: Options) -> Result:
    """All the checks of one entry."""
    require("torch").set_num_threads(1)
    return {"op": check_op, "module": check_module, "optimizer": check_optimizer}[kind(name)](name, options)


def chosen(samples: Iterable[Any], options: Options, most: int) -> Iterator[tuple[int, Any]]:
    """(index, sample): all of them, at most `--examples`, or in the quick run a few that differ."""
    wanted = options.extra.get("sample")
    if wanted is not None:
        yield from ((i, s) for i, s in enumerate(islice(samples, wanted + 1)) if i == wanted)
    elif options.quick:
        some = list(islice(samples, 48))
        # Spread over the list: torch's samples go from plain to special.
        spread_out = sorted({round(k * (len(some) - 1) / max(most - 1, 1)) for k in range(most)})
        yield from ((i, some[i]) for i in spread_out if some)
    else:
        yield from enumerate(islice(samples, options.examples))


def check_op(name: str, options: Options) -> Result:
    """An entry of op_db: its samples in float64 and float32 (or, where it takes neither, in int64 and bool) in every
    form, and its wrong inputs."""
    torch, subject = load("torch"), load("minigrad")
    entry = database()[name]
    theirs, ours = forms(name, entry, torch), forms(name, entry, subject)
    comparison = Comparison(name, options)
    floats, others = (
        [dtype for dtype in dtypes if entry.supports_dtype(dtype, "cpu")]
        for dtypes in ((torch.float64, torch.float32), (torch.int64, torch.bool))
    )
    for dtype in floats or others:
        orders = (2 if entry.supports_gradgrad else 1) if floats and entry.supports_autograd else 0
        if options.quick and dtype is torch.float32:
            orders = min(orders, 1)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            samples = list(
                chosen(
                    entry.sample_inputs("cpu", dtype, requires_grad=orders > 0),
                    options,
                    1 if dtype is torch.float32 else 5,
                )
            )
        for turn, (index, sample) in enumerate(samples):
            # What is passed on untouched at second order is only seen at third.
            deep = orders + (orders == 2 and turn < 5 and dtype is torch.float64)
            for form in ours:
                if form not in theirs or (form == "in place" and sample.broadcasts_input):
                    continue
                label = f"{form}, {str(dtype).partition('.')[2]}, sample {index}"
                text = reproducer(entry, form, sample, orders, f"{name}, {label}")
                calls = theirs[form], ours[form]
                comparison.sample(label, calls, sample, deep if form == "function" else min(orders, 1), text)
    if name in CORNERS and options.extra.get("sample") is None:
        tensors = [torch.tensor(values, dtype=torch.float64, requires_grad=True) for values in CORNERS[name]]
        corner = SimpleNamespace(input=tensors[0], args=tensors[1:], kwargs={}, output_process_fn_grad=lambda x: x)
        text = reproducer(entry, "function", corner, 1, f"{name}, where its formula changes")
        comparison.sample("where its formula changes", (theirs["function"], ours["function"]), corner, 1, text)
    if entry.error_inputs_func is not None and "function" in ours and options.extra.get("sample") is None:
        for index, wrong in enumerate(entry.error_inputs("cpu")):
            comparison.error(f"wrong input {index}", (theirs["function"], ours["function"]), wrong.sample_input)
    return comparison.result("" if "function" in ours else "as a method only")


def reproducer(entry: Any, form: str, sample: Any, orders: int, title: str) -> str | None:
    """The sample as a script that needs NumPy and the engines alone; the command line where that cannot be written."""
    from .opinfo_samples import Unsupported, source

    last = entry.name.rpartition(".")[2]
    is_lambda = isinstance(entry.op, FunctionType) and entry.op.__module__.startswith("torch.testing")
    by_command = f"python -m compare opinfo --only '{entry.name}'"
    if is_lambda:
        return by_command
    try:
        arguments = [source(value) for value in (sample.input, *sample.args)]
        options = [f"{key}={source(value)}" for key, value in sample.kwargs.items()]
    except Unsupported:
        return by_command
    names = [f"a{i}" for i in range(len(arguments))]
    rest = ", ".join([*names[1:], *options])
    call = f"T.{entry.name}({', '.join([*names, *options])})"
    if form != "function" or last.startswith("__"):
        call = f"a0.clone().{last}_({rest})" if form == "in place" else f"a0.{last}({rest})"
    lines = "\n".join(f"    {n} = {text}" for n, text in zip(names, arguments))
    return REPRODUCER.format(title=title, lines=lines, call=call, names=", ".join(names), orders=orders)


REPRODUCER = '''"""{title}"""

import numpy as np
import torch

import minigrad


def strided(values, dtype, strides):
    """The values in an array with these strides (counted in elements)."""
    values = np.asarray(values, dtype)
    size = 1 + sum((n - 1) * s for n, s in zip(values.shape, strides))
    out = np.lib.stride_tricks.as_strided(np.zeros(size, dtype), values.shape, [s * values.itemsize for s in strides])
    out[...] = values
    return out


def run(T):
    T.manual_seed(0)
{lines}
    result = {call}
    print(result)
    first = result[0] if isinstance(result, (tuple, list)) else result
    leaves = [a for a in ({names},) if isinstance(a, T.Tensor) and a.requires_grad]
    if {orders} and isinstance(first, T.Tensor) and first.requires_grad and leaves:
        g = T.from_numpy(np.random.default_rng(0).standard_normal(tuple(first.shape)).astype(str(first.dtype)[6:]))
        print(*T.autograd.grad(first, leaves, g, allow_unused=True), sep="\\n")


for engine in (torch, minigrad):
    print("--", engine.__name__)
    try:
        run(engine)
    except Exception as error:
        print(f"{{type(error).__name__}}: {{error}}")
'''


def check_module(name: str, options: Options) -> Result:
    """An entry of module_db: same seed, same parameters; then torch's weights, forward, all gradients, buffers."""
    from .opinfo_samples import Unsupported, resolve

    torch, subject = load("torch"), load("minigrad")
    entry = database()[name]
    classes = entry.module_cls, resolve(subject, entry.name)
    comparison = Comparison(name, options)
    for dtype in (torch.float64,) if options.quick else (torch.float64, torch.float32):
        if dtype not in entry.dtypes:
            continue
        for training in (True, False) if entry.train_and_eval_differ else (True,):
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                torch.manual_seed(0)
                inputs = entry.module_inputs_func(
                    entry, device="cpu", dtype=dtype, requires_grad=True, training=training
                )
                inputs = [i for i in inputs if i.forward_input is not None]
            for index, given in chosen(inputs, options, 2):
                mode = "train" if training else "eval"
                label = f"{str(dtype).partition('.')[2]}, {mode}, input {index} {given.desc}".strip()
                calls = [
                    _module_call(T, cls, given, training, str(dtype).partition(".")[2])
                    for T, cls in zip((torch, subject), classes)
                ]
                forward = given.forward_input
                sample = SimpleNamespace(
                    input=forward.args, args=(), kwargs=dict(forward.kwargs), output_process_fn_grad=lambda x: x
                )
                orders = 2 if entry.supports_gradgrad else 1
                try:
                    comparison.sample(
                        label, (calls[0], calls[1]), sample, orders, f"python -m compare opinfo --only '{entry.name}'"
                    )
                except Unsupported as reason:
                    comparison.skipped[str(reason)] += 1
    return comparison.result()


def _module_call(engine: Any, cls: Any, given: Any, training: bool, dtype: str) -> Callable[..., Any]:
    """Build the module, seeded, and run it; the result carries its state: parameters and buffers are compared too."""
    from .opinfo_samples import Converter

    def call(inputs: tuple[Any, ...], **kwargs: Any) -> Any:
        convert = Converter(engine)
        built = given.constructor_input
        args, options = convert(tuple(built.args)), convert(dict(built.kwargs))
        engine.manual_seed(0)
        module = cls(*args, **options).to(getattr(engine, dtype))
        module.train(training)
        engine.manual_seed(1)
        result = module(*inputs, **kwargs)
        call.parameters = list(module.parameters())
        return [result, [t.detach().clone() for t in module.state_dict().values()]]

    return call


def check_optimizer(name: str, options: Options) -> Result:
    """An entry of optim_db: 20 steps for each of its settings, parameters compared at each step; its wrong settings."""
    from .opinfo_samples import Converter, Unsupported

    torch, subject = load("torch"), load("minigrad")
    entry = database()[name]
    classes = entry.optim_cls, getattr(subject.optim, name.partition(".")[2])
    comparison = Comparison(name, options)
    unlike = {"capturable", "foreach", "fused", "differentiable"}
    for dtype in ("float64",) if options.quick else ("float64", "float32"):
        for index, given in chosen(entry.optim_inputs_func(device="cpu"), options, 4):
            if unlike & set(given.kwargs):
                comparison.skipped["foreach, fused, capturable, differentiable"] += 1
                continue

            def call(start: Any, T: Any, cls: Any, given: Any = given) -> list[Any]:
                parameters = [T.nn.Parameter(t) for t in start]
                keywords = Converter(T)(dict(given.kwargs))
                optimizer = cls(parameters, **keywords)
                seen = []
                for step in range(STEPS):

                    def closure(step: int = step) -> Any:
                        optimizer.zero_grad()
                        loss = sum(((p - 0.5 * i) ** 2).sum() + (p * p * p).sum() / 8 for i, p in enumerate(parameters))
                        loss.backward()
                        return loss

                    if entry.step_requires_closure:
                        optimizer.step(closure)
                    else:
                        closure()
                        optimizer.step()
                    seen += [p.detach().clone() for p in parameters]
                return seen

            values = [
                torch.linspace(-1, 1, 6, dtype=getattr(torch, dtype)).reshape(2, 3),
                torch.ones(2, dtype=getattr(torch, dtype)) / 4,
            ]
            sample = SimpleNamespace(input=values, args=(), kwargs={}, output_process_fn_grad=lambda x: x)
            calls = [
                lambda start, T=T, cls=cls, call=call: call(start, T, cls) for T, cls in zip((torch, subject), classes)
            ]
            label = f"{dtype}, setting {index} ({given.desc or given.kwargs})"
            comparison.sample(label, (calls[0], calls[1]), sample, 0, f"python -m compare opinfo --only {name}")
        if options.quick:
            continue
        for index, wrong in enumerate(entry.optim_error_inputs_func(device="cpu", dtype=getattr(torch, dtype))):
            if wrong.error_type is UserWarning or "CONSTRUCTION" not in str(wrong.error_on):
                continue
            bad = wrong.optimizer_error_input
            if unlike & set(bad.kwargs):
                continue
            parameters = bad.params if bad.params is not None else [torch.nn.Parameter(torch.ones(2))]
            sample = SimpleNamespace(input=parameters, args=(), kwargs=bad.kwargs)
            try:
                comparison.error(f"wrong setting {index}", classes, sample)
            except Unsupported as reason:
                comparison.skipped[str(reason)] += 1
    return comparison.result()


# -- the run


def run(options: Options, progress: Progress) -> Iterable[Result]:
    """A Result for every entry that minigrad has, and one that lists what it lacks."""
    subject = load("minigrad")
    names = [name for name in database() if options.selects(name) and exists(name, subject)]
    progress.start("opinfo", len(names))
    passing = compared = 0
    for result in spread(check, names, options):
        result.group = "opinfo"
        passing += result.passed and result.checks > 0
        compared += result.checks > 0
        progress.step(result.name, failed=not result.passed)
        yield result
    progress.finish()
    lacking = [name for name in missing(subject) if options.selects(name)]
    note = f"{passing} of {compared} entries that were compared pass, of {len(names)} that exist; "
    note += f"{len(lacking)} of torch's {len(database())} are missing"
    if options.extra.get("missing"):
        note += ", easiest first: " + ", ".join(lacking)
    yield Result(
        "opinfo", "summary", 0, None, [], note, {"missing": lacking, "passing": passing, "existing": len(names)}
    )
