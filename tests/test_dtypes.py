"""dtypes, promotion, sizes and devices against torch."""

import copy
import itertools
import operator
import warnings

import numpy as np
import pytest
import torch

import minigrad
from minigrad import dtypes

NAMES = ["float16", "float32", "float64", "int8", "int16", "int32", "int64", "uint8", "bool"]
PAIRS = list(itertools.product(NAMES, NAMES))
OPERATIONS = {
    "add": operator.add,
    "mul": operator.mul,
    "div": operator.truediv,
    "floordiv": operator.floordiv,
    "lt": operator.lt,
    "eq": operator.eq,
    "maximum": lambda a, b: minigrad.maximum(a, b) if isinstance(a, minigrad.Tensor) else torch.maximum(a, b),
}
SCALARS = {"bool": True, "int": 2, "float": 1.5}


@pytest.fixture(autouse=True)
def _float32_again():
    yield
    minigrad.set_default_dtype(minigrad.float32)
    torch.set_default_dtype(torch.float32)


def outcome(function):
    """What a piece of code gives, comparable between the engines: dtype, shape and values, or the exception."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            result = function()
    except Exception as error:
        return type(error).__name__, str(error).split(":")[0].split("\n")[0]
    return str(result.dtype), tuple(result.shape), result.tolist()


def make(engine, name, kind):
    values = {"tensor": [1, 2], "one": [1], "zero_dim": 1}[kind]
    return engine.tensor(values, dtype=getattr(engine, name))


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("kinds", list(itertools.product(("tensor", "zero_dim"), repeat=2)), ids="-".join)
def test_promotion_of_every_pair(operation, kinds):
    run = OPERATIONS[operation]
    for a, b in PAIRS:
        ours, theirs = (outcome(lambda e=e: run(make(e, a, kinds[0]), make(e, b, kinds[1]))) for e in (minigrad, torch))  # noqa: B023
        assert ours == theirs, f"{operation}({a}, {b})"


@pytest.mark.parametrize("operation", ["add", "mul", "div", "floordiv", "lt", "eq"])
@pytest.mark.parametrize("kind", ["tensor", "zero_dim"])
def test_promotion_with_python_numbers(operation, kind):
    run = OPERATIONS[operation]
    for name, scalar in itertools.product(NAMES, SCALARS.values()):
        for swap in (False, True):

            def compute(e):
                t = make(e, name, kind)  # noqa: B023
                return run(scalar, t) if swap else run(t, scalar)  # noqa: B023

            assert outcome(lambda: compute(minigrad)) == outcome(lambda: compute(torch)), (name, scalar, swap)


@pytest.mark.parametrize("default", ["float16", "float64"])
def test_promotion_follows_the_default_dtype(default):
    minigrad.set_default_dtype(getattr(minigrad, default))
    torch.set_default_dtype(getattr(torch, default))
    for name, scalar in itertools.product(NAMES, SCALARS.values()):
        for run in (operator.add, operator.truediv):
            ours, theirs = (outcome(lambda e=e: run(make(e, name, "tensor"), scalar)) for e in (minigrad, torch))  # noqa: B023
            assert ours == theirs, (name, scalar)
    assert str(minigrad.tensor(1.0).dtype) == str(minigrad.zeros(2).dtype) == f"torch.{default}"
    assert str(minigrad.tensor([1, 2]).dtype) == "torch.int64"
    assert str(minigrad.tensor([1, 2]).sqrt().dtype) == f"torch.{default}"


@pytest.mark.parametrize("method", ["add_", "mul_", "div_", "copy_", "lt_"])
@pytest.mark.parametrize("kind", ["tensor", "zero_dim"])
def test_in_place_keeps_the_dtype_or_is_refused(method, kind):
    for a, b in PAIRS:

        def compute(e):
            t = make(e, a, "tensor")  # noqa: B023
            result = getattr(t, method)(make(e, b, kind))  # noqa: B023
            assert result is t
            return t

        assert outcome(lambda: compute(minigrad)) == outcome(lambda: compute(torch)), f"{a}.{method}({b})"


def test_a_refused_in_place_operation_changes_nothing():
    for a, b in PAIRS:
        if dtypes.can_cast(getattr(minigrad, b), getattr(minigrad, a)):
            continue
        t = make(minigrad, a, "tensor")
        with pytest.raises(RuntimeError, match="can't be cast to the desired output type"):
            t.add_(make(minigrad, b, "tensor"))
        assert t.tolist() == make(minigrad, a, "tensor").tolist() and t._version == 0, (a, b)


def test_promote_types_can_cast_and_result_type():
    for a, b in PAIRS:
        ours, theirs = [(getattr(e, a), getattr(e, b)) for e in (minigrad, torch)]
        assert str(minigrad.promote_types(*ours)) == str(torch.promote_types(*theirs)), (a, b)
        assert minigrad.can_cast(*ours) == torch.can_cast(*theirs), (a, b)
        for kinds in itertools.product(("tensor", "zero_dim"), repeat=2):
            results = [e.result_type(make(e, a, kinds[0]), make(e, b, kinds[1])) for e in (minigrad, torch)]
            assert str(results[0]) == str(results[1]), (a, b, kinds)
        for scalar in SCALARS.values():
            results = [e.result_type(make(e, a, "tensor"), scalar) for e in (minigrad, torch)]
            assert str(results[0]) == str(results[1]), (a, scalar)


@pytest.mark.parametrize("source", NAMES)
def test_conversion_of_values_between_dtypes(source):
    values = np.array([0, 1, 2, 100, 127]).astype(source)
    for target in NAMES:
        ours = minigrad.tensor(values).to(getattr(minigrad, target))
        theirs = torch.tensor(values).to(getattr(torch, target))
        assert (str(ours.dtype), ours.tolist()) == (str(theirs.dtype), theirs.tolist()), target


@pytest.mark.parametrize("default", ["float32", "float64"])
@pytest.mark.parametrize("shapes", itertools.product([(), (2,)], repeat=2))
def test_ldexp_has_the_dtype_of_its_operands(default, shapes):
    """Though it multiplies by 2 to a power: an integer exponent does not bring in the default dtype."""

    def run(e):
        before = e.get_default_dtype()
        e.set_default_dtype(getattr(e, default))
        try:
            kinds = itertools.product(["float16", "float32", "float64", "int32"], ["float16", "float64", "int64"])
            made = [[e.ones(s, dtype=getattr(e, k)) for s, k in zip(shapes, pair)] for pair in kinds]
            return [str(e.ldexp(a, b).dtype) for a, b in made]
        finally:
            e.set_default_dtype(before)

    assert run(minigrad) == run(torch)


# Above the middle of two halves, by less than single precision sees.
BETWEEN = np.nextafter(1.19677734375, 2)
TO_HALF = {
    "half": lambda e: e.tensor([BETWEEN], dtype=e.double).half(),
    "from numpy": lambda e: e.as_tensor(np.array([BETWEEN]), dtype=e.half),
    "tensor": lambda e: e.tensor([BETWEEN, 1], dtype=e.half),
    "a NumPy number": lambda e: e.tensor(np.float64(BETWEEN), dtype=e.half),
    "full": lambda e: e.full((1,), BETWEEN, dtype=e.half),
    "fill_": lambda e: e.ones(1).half().fill_(BETWEEN),
    "copy_": lambda e: e.ones(1).half().copy_(e.tensor([BETWEEN], dtype=e.double)),
    "masked_fill": lambda e: e.ones(2).half().masked_fill(e.tensor([True, False]), BETWEEN),
    "where": lambda e: e.where(e.tensor([True]), BETWEEN, e.ones(1).half()),
    "clamp": lambda e: e.zeros(1).half().clamp(min=BETWEEN),
    "beside a number": lambda e: e.zeros(1).half() + BETWEEN,
    "in place": lambda e: e.zeros(1).half().add_(e.tensor([BETWEEN], dtype=e.double)),
    "sum": lambda e: e.tensor([BETWEEN], dtype=e.double).sum(dtype=e.half),
}


@pytest.mark.parametrize("way", TO_HALF)
def test_double_becomes_half_by_way_of_single(assert_same, way):
    assert_same(TO_HALF[way])


def test_an_assignment_of_double_to_half_goes_by_way_of_single(assert_same):
    def run(e, value):
        x = e.ones(2).half()
        x[0] = value
        x[1:] = value
        return x

    assert_same(lambda e: run(e, BETWEEN))
    assert_same(lambda e: run(e, e.tensor(BETWEEN, dtype=e.double)))
    assert_same(lambda e: run(e, e.tensor([BETWEEN], dtype=e.double)[0]))


def test_dtype_objects_tell_what_torch_s_tell():
    for name in NAMES:
        ours, theirs = getattr(minigrad, name), getattr(torch, name)
        assert repr(ours) == repr(theirs)
        for attribute in ("is_floating_point", "is_signed", "itemsize", "is_complex"):
            assert getattr(ours, attribute) == getattr(theirs, attribute), (name, attribute)
        assert copy.copy(ours) is ours and copy.deepcopy(ours) is ours
        assert dtypes.from_numpy(np.dtype(name)) is ours and dtypes.as_numpy(ours) == np.dtype(name)
    for alias in ("float", "double", "half", "short", "int", "long", "bool"):
        assert repr(getattr(minigrad, alias)) == repr(getattr(torch, alias))


def test_python_types_stand_for_dtypes():
    for kind in (float, int, bool):
        assert str(minigrad.zeros(2, dtype=kind).dtype) == str(torch.zeros(2, dtype=kind).dtype)
        assert str(minigrad.ones(2).to(kind).dtype) == str(torch.ones(2).to(kind).dtype)


@pytest.mark.parametrize("wrong", ["int64", "bool", "uint8"])
def test_default_dtype_must_be_floating(wrong):
    for engine in (minigrad, torch):
        with pytest.raises(TypeError, match="only floating-point types are supported as the default type"):
            engine.set_default_dtype(getattr(engine, wrong))
    with pytest.raises(TypeError, match="invalid dtype object"):
        minigrad.set_default_dtype("float64")
    assert minigrad.get_default_dtype() is minigrad.float32


@pytest.mark.parametrize("numpy_dtype", ["uint16", "uint32", "complex64", "U3", "O"])
def test_arrays_of_other_dtypes_are_refused(numpy_dtype):
    array = np.zeros(2, numpy_dtype)
    with pytest.raises(TypeError, match="The only supported types are"):
        minigrad.from_numpy(array)


def test_arrays_of_foreign_byte_order_are_refused():
    array = np.zeros(2, ">f4")
    for engine in (minigrad, torch):
        with pytest.raises(ValueError, match="byte order"):
            engine.from_numpy(array)


@pytest.mark.parametrize("name", ["float16", "float32", "float64"])
def test_finfo(name):
    ours, theirs = minigrad.finfo(getattr(minigrad, name)), torch.finfo(getattr(torch, name))
    for attribute in ("bits", "eps", "max", "min", "tiny", "smallest_normal", "resolution", "dtype"):
        assert getattr(ours, attribute) == getattr(theirs, attribute), attribute
    assert repr(ours) == repr(theirs)
    assert minigrad.finfo().bits == torch.finfo().bits == 32


@pytest.mark.parametrize("name", ["int8", "int16", "int32", "int64", "uint8"])
def test_iinfo(name):
    ours, theirs = minigrad.iinfo(getattr(minigrad, name)), torch.iinfo(getattr(torch, name))
    for attribute in ("bits", "max", "min", "dtype"):
        assert getattr(ours, attribute) == getattr(theirs, attribute), attribute
    assert repr(ours) == repr(theirs)


def test_info_of_the_wrong_kind():
    for engine in (minigrad, torch):
        with pytest.raises(TypeError, match=r"torch.finfo\(\) requires a floating point input type"):
            engine.finfo(engine.int64)
        with pytest.raises(TypeError, match=r"torch.iinfo\(\) requires an integer input type"):
            engine.iinfo(engine.float32)


def test_size_is_a_tuple_that_prints_as_torch_s():
    ours, theirs = minigrad.Size([2, 3, 4]), torch.Size([2, 3, 4])
    assert ours == (2, 3, 4) and hash(ours) == hash((2, 3, 4)) and isinstance(ours, tuple)
    for expression in (
        "s", "s[0]", "s[1:]", "s[:0]", "s + (5,)", "(5,) + s", "s * 2", "2 * s", "s.numel()", "s[::2]", "len(s)",
        "s.count(3)",
        "s.index(4)", "[*s]", "s == (2, 3, 4)", "tuple(s)",
    ):  # fmt: skip
        assert repr(eval(expression, {"s": ours})) == repr(eval(expression, {"s": theirs})), expression
    assert repr(minigrad.ones(2, 3).shape) == repr(torch.ones(2, 3).shape)
    assert minigrad.Size().numel() == torch.Size().numel() == 1


def test_device_objects():
    for text in ("cpu", "cpu:0", "cuda", "cuda:1"):
        ours, theirs = minigrad.device(text), torch.device(text)
        assert (repr(ours), str(ours), ours.type, ours.index) == (repr(theirs), str(theirs), theirs.type, theirs.index)
        assert ours == minigrad.device(text) and hash(ours) == hash(minigrad.device(text))
        assert copy.deepcopy(ours) == ours
    assert repr(minigrad.device("cuda", 1)) == repr(torch.device("cuda", 1))
    assert minigrad.device("cpu") != minigrad.device("cuda")
    assert minigrad.ones(1).device == minigrad.device("cpu") and minigrad.ones(1, device="cpu").device.type == "cpu"
    for engine in (minigrad, torch):
        with pytest.raises(RuntimeError, match="device"):
            engine.device("toaster")
    with pytest.raises(AssertionError, match="device='cpu'"):
        minigrad.ones(1, device="cuda")


HALF_BESIDE = {
    "times": lambda x, s: x * s,
    "times, the number first": lambda x, s: s * x,
    "over": lambda x, s: x / s,
    "under": lambda x, s: s / x,
    "times in place": lambda x, s: x.detach().clone().mul_(s),
    "over in place": lambda x, s: x.detach().clone().div_(s),
    "the whole quotient": lambda x, s: x.detach() // s,
    "the quotient rounded down": lambda x, s: x.detach().div(s, rounding_mode="floor"),
    "the quotient rounded to zero": lambda x, s: x.detach().div(s, rounding_mode="trunc"),
}


@pytest.mark.parametrize("kind", ["number", "float32", "float64", "int64"])
@pytest.mark.parametrize("name", HALF_BESIDE)
def test_half_precision_beside_a_number_computes_with_that_as_it_is(name, kind):
    """A number that float16 does not hold, such as a loss scale of 65536, still scales: values and both derivatives."""
    array, seed = np.float16([1000, -3e-5, 0, 7.5, 60000]), np.float16([1.5, -2, 0.25, 1e-3, 1])
    for number in (65536, 1e-6, 3.7, -70000, 2.0**-20):
        results = []
        for e in (minigrad, torch):
            x = e.tensor(array, requires_grad=True)
            s = number if kind == "number" else e.tensor(int(number) or 3 if kind == "int64" else number)
            y = HALF_BESIDE[name](x, s if kind == "number" else s.to(getattr(e, kind)))
            results.append([y.detach().numpy()])
            if y.requires_grad:
                (first,) = e.autograd.grad(y, x, e.tensor(seed, requires_grad=True), create_graph=True)
                (second,) = e.autograd.grad(first.sum(), x, allow_unused=True)
                results[-1] += [first.detach().numpy(), np.zeros(5) if second is None else second.numpy()]
        for ours, theirs in zip(*results, strict=True):
            np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize("weight", ["float16", "float32", "float64", "int64"])
@pytest.mark.parametrize("shape", [(), (2,)])
def test_one_weight_for_all_of_lerp_may_be_of_any_dtype(assert_same, shape, weight):
    assert_same(lambda e: e.lerp(e.zeros(shape), e.full(shape, 4.0), e.tensor(3, dtype=getattr(e, weight))))
    if weight != "float32":
        assert_same(lambda e: e.lerp(e.zeros(2), e.ones(2), e.ones(1, dtype=getattr(e, weight))))
