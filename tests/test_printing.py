"""The text of tensors against torch's, character for character."""

import time

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from minigrad import dtypes, printing
from minigrad.tensor import Tensor, wrap

NAMES = ["float16", "float32", "float64", "int8", "int16", "int32", "int64", "uint8", "bool"]
DEFAULTS = dict(precision=4, threshold=1000, edgeitems=3, linewidth=80, sci_mode=None)


@pytest.fixture(autouse=True)
def _default_options():
    yield
    for library in (torch, printing):
        library.set_printoptions(profile="default")
    torch.set_default_dtype(torch.float32)
    dtypes.set_default_dtype(dtypes.float32)


def set_options(**options):
    torch.set_printoptions(**options)
    printing.set_printoptions(**options)


def both(array, **options):
    """(minigrad's text, torch's text) of one array under the same options."""
    set_options(**{**DEFAULTS, **options})
    theirs = torch.from_numpy(array) if all(s >= 0 for s in array.strides) else torch.from_numpy(array.copy())
    return printing.tensor_repr(wrap(array)), repr(theirs)


def _held(value, dtype):
    with np.errstate(over="ignore"):
        return float(dtype.type(value))


def elements(dtype):
    """Elements of every notation: integers, round decimals, magnitudes around the switches, and the special values."""
    if dtype.kind == "b":
        return st.booleans()
    if dtype.kind in "iu":
        low, high = np.iinfo(dtype).min, np.iinfo(dtype).max
        return st.one_of(st.integers(low, high), st.integers(max(low, -12), 12))
    limit = float(np.finfo(dtype).max)
    powers = st.builds(
        lambda sign, digits, power: float(np.clip(sign * digits * 10.0**power, -limit, limit)),
        st.sampled_from([-1, 1]),
        st.sampled_from([1, 1.5, 9.9999, 9.99996, 3.0000001, 2]),
        st.sampled_from([-320, -45, -7, -5, -4, -3, -1, 0, 1, 2, 3, 4, 7, 8, 9, 30, 300]),
    )
    specials = st.sampled_from(
        [0.0, -0.0, float("nan"), float("inf"), -float("inf"), 1e-4, 1e8, 1000.0, 1001.0, 0.5, -1.0]
    )
    whole = st.integers(-2000, 2000).map(float)
    fine = st.floats(-10, 10, width=16)
    anything = st.floats(width=8 * dtype.itemsize)
    return st.one_of(specials, whole, fine, powers, anything)


@st.composite
def arrays(draw):
    dtype = np.dtype(draw(st.sampled_from(NAMES)))
    shape = draw(
        st.one_of(
            hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=9),
            st.tuples(st.integers(0, 60)),
            st.tuples(st.integers(0, 4), st.integers(0, 40)),
        )
    )
    source = elements(dtype)
    if dtype.kind == "f" and draw(st.booleans()):
        # One kind of element a tensor: a mixture is nearly always in scientific notation.
        source = draw(
            st.sampled_from(
                [
                    st.integers(-99, 99).map(float),
                    st.floats(-9, 9, width=16),
                    st.sampled_from([0.0, -0.0, float("nan"), 2.0]),
                    st.sampled_from([1.5, -0.0, -float("inf"), 0.25]),
                ]
            )
        )
    if dtype.kind == "f":
        source = source.map(lambda value: _held(value, dtype))
    array = draw(hnp.arrays(dtype, shape, elements=source, fill=source))
    if array.ndim >= 2 and draw(st.booleans()):
        array = array.swapaxes(0, -1)
    if array.ndim >= 1 and draw(st.booleans()):
        array = array[:: draw(st.integers(1, 2))]
    return array


options = st.fixed_dictionaries(
    {},
    optional={
        "precision": st.integers(0, 8),
        "threshold": st.sampled_from([0, 1, 5, 20, 1000]),
        "edgeitems": st.integers(0, 4),
        "linewidth": st.sampled_from([1, 10, 20, 40, 80, 200]),
        "sci_mode": st.sampled_from([None, True, False]),
    },
)


@settings(max_examples=400, deadline=None)
@given(arrays())
def test_text_equals_torchs_with_the_default_options(array):
    ours, theirs = both(array)
    assert ours == theirs


@settings(max_examples=400, deadline=None)
@given(arrays(), options)
def test_text_equals_torchs_with_any_options(array, options):
    ours, theirs = both(array, **options)
    assert ours == theirs


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(
        [(1001,), (7, 200), (2, 501), (1, 1, 1200), (9, 9, 13), (3, 7, 2, 30), (40, 40), (8, 7, 7, 7), (6,) * 4]
    ),
    st.sampled_from(NAMES),
    st.sampled_from([1.0, 1e-5, 1e3, 1e9]),
    st.integers(0, 2**32 - 1),
)
def test_large_tensors_are_summarised_as_torch_does(shape, name, scale, seed):
    draws = np.random.default_rng(seed).normal(size=shape) * scale
    array = (draws > 0) if name == "bool" else np.clip(draws, 0, 100).astype(name) if name == "uint8" else None
    if array is None:
        limits = np.finfo(name) if name.startswith("float") else np.iinfo(name)
        array = np.clip(draws, float(limits.min) / 2, float(limits.max) / 2).astype(name)
    ours, theirs = both(array)
    assert ours == theirs and "..." in ours or array.size == 1296


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("default", ["float16", "float32", "float64"])
@pytest.mark.parametrize("shape", [(), (0,), (2,), (0, 3), (2, 0, 1)])
def test_dtype_is_named_unless_default(name, default, shape):
    torch.set_default_dtype(getattr(torch, default))
    dtypes.set_default_dtype(getattr(dtypes, default))
    ours, theirs = both(np.ones(shape, name))
    assert ours == theirs


def test_expanded_and_reversed_memory():
    array = np.broadcast_to(np.float32([[1.5], [2.0]]), (2, 5))
    assert printing.tensor_repr(wrap(array)) == repr(torch.tensor([[1.5], [2.0]]).expand(2, 5))
    array = np.arange(12.0)[::-3]
    assert printing.tensor_repr(wrap(array)) == "tensor([11.,  8.,  5.,  2.], dtype=torch.float64)"


class _Node:
    def __init__(self, name):
        self._name = name

    def name(self):
        return self._name


class _Recorded(Tensor):
    """A tensor with a history and no engine behind it."""

    grad_fn = None
    requires_grad = True


def _recorded(array, node_name):
    tensor = _Recorded.__new__(_Recorded)
    tensor._array = array
    tensor.grad_fn = _Node(node_name)
    return tensor


@pytest.mark.parametrize("count", [*range(1, 24), 200])
def test_suffixes_wrap_where_torch_wraps_them(count):
    array = np.full(count, 1.25, np.float64)
    ours = wrap(array)
    ours.requires_grad_()
    theirs = torch.from_numpy(array).clone().requires_grad_()
    assert printing.tensor_repr(ours) == repr(theirs)

    class _Recorded(torch.Tensor):
        pass

    assert printing.tensor_repr(_recorded(array, "MulBackward0")) == repr((theirs * 1).as_subclass(_Recorded)).replace(
        "AliasBackward0", "MulBackward0"
    )


def test_grad_fn_is_named_in_place_of_requires_grad():
    tensor = _recorded(np.float32([2, 4]), "MulBackward0")
    assert printing.tensor_repr(tensor) == "_Recorded([2., 4.], grad_fn=<MulBackward0>)"


def test_a_history_that_cannot_be_told_still_prints():
    class Untold(Tensor):
        @property
        def grad_fn(self):
            raise RuntimeError("a view created in no_grad mode and modified in place")

    tensor = Untold.__new__(Untold)
    tensor._array = np.float32([2, 4])
    assert printing.tensor_repr(tensor) == "Untold([2., 4.], grad_fn=<Invalid>)"


def test_subclasses_print_under_their_own_name_as_in_torch():
    class Named(torch.Tensor):
        pass

    theirs = repr(torch.ones(30).as_subclass(Named))
    ours = type("Named", (Tensor,), {})
    tensor = ours.__new__(ours)
    tensor._array = np.ones(30, np.float32)
    assert printing.tensor_repr(tensor) == theirs


@pytest.mark.parametrize("contents", ["...", "[a]"])
def test_contents_can_be_replaced(contents):
    theirs = torch.ones(3, dtype=torch.float64).__repr__(tensor_contents=contents)
    assert printing.tensor_repr(wrap(np.ones(3)), tensor_contents=contents) == theirs


@pytest.mark.parametrize("profile", ["default", "short", "full"])
def test_profiles(profile):
    set_options(profile=profile)
    assert printing.get_printoptions() == torch._tensor_str.get_printoptions()
    array = np.linspace(0, 1, 1200, dtype=np.float32)
    assert printing.tensor_repr(wrap(array)) == repr(torch.from_numpy(array))


def test_options_are_torchs_and_come_back_after_the_block():
    before = printing.get_printoptions()
    assert before == torch._tensor_str.get_printoptions() == DEFAULTS
    with pytest.raises(KeyError), printing.printoptions(precision=2, sci_mode=True):
        assert printing.tensor_repr(wrap(np.float32([1.23456]))) == "tensor([1.23e+00])"
        raise KeyError
    assert printing.get_printoptions() == before


def test_sci_mode_is_reset_by_the_next_call_as_in_torch():
    set_options(sci_mode=True)
    set_options(precision=3)
    assert printing.get_printoptions() == torch._tensor_str.get_printoptions()
    assert printing.get_printoptions()["sci_mode"] is None


def test_an_unknown_profile_changes_nothing():
    before = printing.get_printoptions()
    with pytest.raises(ValueError, match="unknown print profile 'long': expected one of 'default', 'short', 'full'"):
        printing.set_printoptions(precision=7, profile="long")
    assert printing.get_printoptions() == before


@pytest.mark.parametrize(
    "value, spec",
    [
        (3.14159, ".2f"),
        (3.14159, ""),
        (3.14159, "10.3e"),
        (7, "04d"),
        (True, ""),
        (2.5, "f"),
        (-0.0, "+g"),
        (1e-9, ">12"),
    ],
)
def test_a_number_formats_as_its_item(value, spec):
    theirs = torch.tensor(value)
    assert printing.tensor_format(wrap(theirs.numpy()), spec) == format(theirs, spec)


def test_formatting_many_elements_takes_the_empty_spec_alone():
    with pytest.raises(TypeError, match=r"unsupported format string passed to Tensor.__format__: '\.2f'.*shape \(2,\)"):
        printing.tensor_format(wrap(np.ones(2)), ".2f")


def test_a_million_elements_print_in_milliseconds():
    tensor = wrap(np.random.default_rng(0).normal(size=(1000, 1000)).T)
    best = min(_seconds(lambda: printing.tensor_repr(tensor)) for _ in range(5))
    assert best < 0.02


def _seconds(call):
    start = time.perf_counter()
    call()
    return time.perf_counter() - start
