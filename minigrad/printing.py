"""The text of a tensor, digit for digit torch's, and the options that govern it.

Owns set_printoptions and what `repr`, `str` and `format` of a tensor say. It reads a tensor's array and a few of
its attributes and knows no op. A tensor is first cut down to the elements that will be shown, and only those are
formatted: the cost is that of the text and not of the tensor.
"""

import contextlib
import math
import sys
from collections.abc import Iterator
from typing import Any

import numpy as np

from minigrad.dtypes import get_default_dtype
from minigrad.tensor import Tensor

__all__ = ["get_printoptions", "printoptions", "set_printoptions", "tensor_format", "tensor_repr"]


_PROFILES: dict[str, dict[str, float]] = {
    "default": {"precision": 4, "threshold": 1000, "edgeitems": 3, "linewidth": 80},
    "short": {"precision": 2, "threshold": 1000, "edgeitems": 2, "linewidth": 80},
    "full": {"precision": 4, "threshold": math.inf, "edgeitems": 3, "linewidth": 80},
}


class _Options:
    sci_mode: bool | None = None

    def __init__(self) -> None:
        vars(self).update(_PROFILES["default"], sci_mode=None)


_options = _Options()


def set_printoptions(
    precision: int | None = None,
    threshold: float | None = None,
    edgeitems: int | None = None,
    linewidth: int | None = None,
    profile: str | None = None,
    sci_mode: bool | None = None,
) -> None:
    """How tensors print, for the whole process.

    precision: digits after the point (4). threshold: above so many elements a tensor is summarised (1000). edgeitems:
    how many elements a summary shows at either end of an axis (3). linewidth: where lines wrap (80). profile:
    "default", "short" or "full", a starting point that the others then override. sci_mode: scientific notation always,
    never or, with None, when the magnitudes ask for it. An option left out keeps its value, except sci_mode, which
    goes back to None, as in torch.

    Raises ValueError for an unknown profile (torch ignores one).
    """
    if profile is not None:
        if profile not in _PROFILES:
            raise ValueError(f"unknown print profile {profile!r}: expected one of {', '.join(map(repr, _PROFILES))}")
        vars(_options).update(_PROFILES[profile])
    given = {"precision": precision, "threshold": threshold, "edgeitems": edgeitems, "linewidth": linewidth}
    for name, value in given.items():
        if value is not None:
            setattr(_options, name, value)
    _options.sci_mode = sci_mode


def get_printoptions() -> dict[str, Any]:
    """The options in force, as a dict that set_printoptions takes back as keyword arguments."""
    return dict(vars(_options))


@contextlib.contextmanager
def printoptions(**options: Any) -> Iterator[None]:
    """set_printoptions for the length of a `with` block."""
    before = get_printoptions()
    set_printoptions(**options)
    try:
        yield
    finally:
        set_printoptions(**before)


def tensor_repr(tensor: Tensor, *, tensor_contents: str | None = None) -> str:
    """The text of `tensor` as torch prints it; tensor_contents replaces the elements' text, as in torch."""
    kind = type(tensor)
    parameter = sys.modules.get("minigrad.nn.parameter")  # nn is built upon this file: it may not be loaded yet
    plain = kind is Tensor or (parameter is not None and kind is parameter.Parameter)
    prefix = "tensor(" if plain else kind.__name__ + "("
    array = _as_numpy(tensor._array)

    suffixes = []
    if tensor.device.type != "cpu":
        suffixes.append(f"device='{tensor.device}'")
    default = get_default_dtype()
    if array.size == 0:
        contents = "[]"
        if array.ndim != 1:
            suffixes.append(f"size={tuple(array.shape)}")
        # No element says what it is, so int64 and bool are named here too.
        show_dtype = tensor.dtype != default
    else:
        contents = "" if tensor_contents is not None else contents_text(array, len(prefix))
        if not _options.edgeitems:
            suffixes.append(f"size={tuple(array.shape)}")
        show_dtype = tensor.dtype != default and array.dtype not in (np.int64, np.bool_)
    if show_dtype:
        suffixes.append(f"dtype={tensor.dtype}")
    try:
        node = tensor.grad_fn
        name = None if node is None else node.name().rsplit("::", 1)[-1]
    except RuntimeError:
        # A view made under no_grad and written to since has a history that cannot be told, and still must print.
        name = "Invalid"
    if name is not None:
        suffixes.append(f"grad_fn=<{name}>")
    elif tensor.requires_grad:
        suffixes.append("requires_grad=True")

    text = _with_suffixes(prefix + (contents if tensor_contents is None else tensor_contents), suffixes, len(prefix))
    if not plain and parameter is not None and isinstance(tensor, parameter.Parameter):
        text = f"Parameter({text})"
    return text


def tensor_format(tensor: Tensor, format_spec: str) -> str:
    """f"{tensor:spec}": a 0-d tensor formats as its number, any other takes only the empty spec and gives its repr."""
    if type(tensor) is Tensor and tensor._array.ndim == 0:
        return format(_as_numpy(tensor._array).item(), format_spec)
    if format_spec:
        name, shape = type(tensor).__name__, tuple(tensor._array.shape)
        raise TypeError(
            f"unsupported format string passed to {name}.__format__: {format_spec!r} is for a plain 0-d Tensor, and "
            f"this is a {name} of shape {shape}. Format the item() of one element, or set the digits of whole tensors "
            "with set_printoptions(precision=...)."
        )
    return str(tensor)


def _as_numpy(array: Any) -> np.ndarray:
    return array if isinstance(array, np.ndarray) else array.numpy()


def _with_suffixes(text: str, suffixes: list[str], indent: int) -> str:
    """Append the suffixes, each on a line of its own where the line would grow beyond linewidth."""
    # Two more than the line has, as torch counts it: a suffix wraps a little early. Lines begun below count exactly.
    line_length = len(text) - text.rfind("\n") + 1
    parts = [text]
    for suffix in suffixes:
        if line_length + len(suffix) + 2 > _options.linewidth:
            parts.append(",\n" + " " * indent + suffix)
            line_length = indent + len(suffix)
        else:
            parts.append(", " + suffix)
            line_length += len(suffix) + 2
    parts.append(")")
    return "".join(parts)


def contents_text(array: np.ndarray, indent: int) -> str:
    """The bracketed elements of a non-empty array."""
    edge = _options.edgeitems
    cut = (False,) * array.ndim
    if array.ndim and array.size > _options.threshold:
        if not edge:
            return "[...]"
        cut = tuple(length > 2 * edge for length in array.shape)
        if any(cut):
            kept = [
                np.r_[0:edge, length - edge : length] if short else np.arange(length)
                for length, short in zip(array.shape, cut)
            ]
            array = array[np.ix_(*kept)]
    texts, width = _element_texts(array)
    if array.ndim == 0:
        return texts[0]
    return _bracketed(texts, width, array.shape, cut, indent)


def _bracketed(texts: list[str], width: int, shape: tuple[int, ...], cut: tuple[bool, ...], indent: int) -> str:
    """The texts of a C-ordered block, its outermost axis first, nested in brackets; `cut` axes get their "..."."""
    edge = _options.edgeitems
    if len(shape) == 1:
        items = texts[:edge] + [" ..."] + texts[edge:] if cut[0] else texts
        per_line = max(1, math.floor((_options.linewidth - indent) / (width + 2)))
        lines = [", ".join(items[start : start + per_line]) for start in range(0, len(items), per_line)]
        return "[" + (",\n" + " " * (indent + 1)).join(lines) + "]"
    step = len(texts) // shape[0]
    blocks = [
        _bracketed(texts[start : start + step], width, shape[1:], cut[1:], indent + 1)
        for start in range(0, len(texts), step)
    ]
    if cut[0]:
        blocks.insert(edge, "...")
    return "[" + ("," + "\n" * (len(shape) - 1) + " " * (indent + 1)).join(blocks) + "]"


def _element_texts(array: np.ndarray) -> tuple[list[str], int]:
    """Every element's text in C order, right-aligned to the column's width, and that width.

    Floats choose one notation together: integers get a point only ("1."), else fixed or scientific digits. The choice
    and the width look at the finite, nonzero elements alone, so -0. or nan may stick out of a column, as in torch.
    """
    flat = array.reshape(-1)
    values = flat.tolist()
    if array.dtype.kind != "f":
        texts = [str(value) for value in values]
        width = max(map(len, texts))
        return [text.rjust(width) for text in texts], width

    counted = np.isfinite(flat) & (flat != 0)
    # In float64, which holds every smaller float exactly: the ratio of two float16 overflows in float16.
    sample = flat[counted].astype(np.float64)
    whole, scientific = True, False
    if sample.size:
        whole = bool((sample == np.ceil(sample)).all())
        if _options.sci_mode is None:
            sizes = np.abs(sample)
            low, high = float(sizes.min()), float(sizes.max())
            scientific = high / low > 1000.0 or high > 1.0e8 or low < 1.0e-4
        else:
            scientific = _options.sci_mode

    if scientific:
        texts = [f"{value:.{_options.precision}e}" for value in values]
    elif whole:
        texts = [f"{value:.0f}." if math.isfinite(value) else str(value) for value in values]
    else:
        texts = [f"{value:.{_options.precision}f}" for value in values]
    width = max([1, *(len(text) for text, counts in zip(texts, counted.tolist()) if counts)])
    return [text.rjust(width) for text in texts], width
