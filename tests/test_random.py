"""minigrad's random numbers against torch's: same seed, same numbers, same state afterwards."""

import copy
import pickle
import warnings

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import minigrad
from minigrad import dtypes, random
from minigrad.tensor import Tensor, wrap

SIZES = [0, 1, 2, 15, 16, 17, 31, 32, 33, 100, 1000]
FLOATS = ["float16", "float32", "float64"]
INTEGERS = ["uint8", "int8", "int16", "int32", "int64"]
EVERY = [*FLOATS, *INTEGERS, "bool"]
LAYOUTS = {
    "scalar": ((), lambda t: t),
    "vector": ((37,), lambda t: t),
    "matrix": ((5, 7), lambda t: t),
    "transposed": ((5, 7), lambda t: t.swapaxes(0, 1)),
    "strided": ((6, 14), lambda t: t[::2, ::2]),
    "strided-transposed": ((6, 14), lambda t: t[::2, ::2].swapaxes(0, 1)),
    "cube": ((3, 2, 5, 4), lambda t: t.swapaxes(0, 2).swapaxes(1, 3)),
    "column": ((9, 4), lambda t: t[:, 2:3]),
    "empty": ((0, 4), lambda t: t),
}


@pytest.fixture(autouse=True)
def same_seed():
    torch.manual_seed(1234)
    random.manual_seed(1234)


def array(tensor):
    return tensor._array if isinstance(tensor, Tensor) else tensor.numpy()


def assert_same(ours, theirs):
    ours, theirs = array(ours), array(theirs.detach())
    assert ours.dtype == theirs.dtype
    assert ours.shape == theirs.shape
    if ours.tobytes() != theirs.tobytes():
        wrong = np.flatnonzero(ours.ravel() != theirs.ravel())
        pytest.fail(f"{wrong.size} of {ours.size} differ, first {ours.flat[wrong[0]]} for {theirs.flat[wrong[0]]}")


def assert_same_state():
    assert np.array_equal(random.get_rng_state()._array, torch.get_rng_state().numpy())


def ours_of(dtype):
    return dtypes.bool_ if dtype == "bool" else getattr(dtypes, dtype)


def pair(layout, dtype):
    """The same memory layout, twice: a minigrad tensor and a torch one."""
    shape, view = LAYOUTS[layout]
    return wrap(view(np.zeros(shape, dtype))), view(torch.zeros(shape, dtype=getattr(torch, dtype)))


def assert_both_raise(ours, theirs):
    with pytest.raises(Exception) as expected:
        theirs()
    with pytest.raises(type(expected.value)) as raised:
        ours()
    return str(raised.value), str(expected.value)


# -- functions ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("n", SIZES)
@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("name", ["rand", "randn"])
def test_rand_and_randn(name, dtype, n):
    for _ in range(3):
        ours = getattr(random, name)(n, dtype=ours_of(dtype))
        assert_same(ours, getattr(torch, name)(n, dtype=getattr(torch, dtype)))
        assert_same_state()


@pytest.mark.parametrize("n", [1 << 14, (1 << 14) + 1, 50_001])
@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("name", ["rand", "randn"])
def test_large_draws_come_in_blocks(name, dtype, n):
    assert_same(getattr(random, name)(n, dtype=ours_of(dtype)), getattr(torch, name)(n, dtype=getattr(torch, dtype)))
    assert_same_state()


@pytest.mark.parametrize("shape", [(), (3,), (2, 0, 3), (4, 5), (2, 3, 4)])
def test_shapes_as_arguments_tuple_list_and_keyword(shape):
    for function in ("rand", "randn"):
        ours, theirs = getattr(random, function), getattr(torch, function)
        assert_same(ours(shape), theirs(shape))
        assert_same(ours(list(shape)), theirs(list(shape)))
        assert_same(ours(size=shape), theirs(size=shape))
        if shape:
            assert_same(ours(*shape), theirs(*shape))
    assert_same(random.randint(9, shape), torch.randint(9, shape))
    assert_same(random.normal(2.0, 3.0, shape), torch.normal(2.0, 3.0, shape))


RANGES = [(0, 10), (-7, 7), (0, 2), (5, 6)]
WIDE = [
    (0, 2**28 - 1),
    (0, 2**28),
    (0, 2**28 + 1),
    (-5, 2**32),
    (0, 2**33 + 3),
    (-(2**62), 2**62),
    (-(2**63), 2**63 - 1),
]


@pytest.mark.parametrize("n", SIZES)
@pytest.mark.parametrize("low, high", RANGES)
@pytest.mark.parametrize("dtype", [*FLOATS, *INTEGERS])
def test_randint(dtype, low, high, n):
    if dtype == "uint8" and low < 0:
        low = 0
    ours = random.randint(low, high, (n,), dtype=ours_of(dtype))
    assert_same(ours, torch.randint(low, high, (n,), dtype=getattr(torch, dtype)))
    assert_same_state()


@pytest.mark.parametrize("low, high", WIDE)
def test_randint_over_64_bits(low, high):
    assert_same(random.randint(low, high, (50,)), torch.randint(low, high, (50,)))
    assert_same_state()


def test_randint_forms():
    assert_same(random.randint(5, (3,)), torch.randint(5, (3,)))
    assert_same(random.randint(high=5, size=(3,)), torch.randint(high=5, size=(3,)))
    assert_same(random.randint(1, 5, (3,)), torch.randint(1, 5, (3,)))
    assert_same(random.randint(1, 5, size=(3,)), torch.randint(1, 5, size=(3,)))
    assert_same(random.randint(5, size=(3,)), torch.randint(5, size=(3,)))
    assert_same(random.randint(low=1, high=5, size=(3,)), torch.randint(low=1, high=5, size=(3,)))
    assert_same(random.randint(0, 2, (9,), dtype=dtypes.bool_), torch.randint(0, 2, (9,), dtype=torch.bool))


@pytest.mark.parametrize("n", [*SIZES, 20_000])
def test_randperm(n):
    assert_same(random.randperm(n), torch.randperm(n))
    assert_same_state()


@pytest.mark.parametrize("dtype", [d for d in EVERY if d != "bool"])
def test_randperm_dtypes(dtype):
    assert_same(random.randperm(100, dtype=ours_of(dtype)), torch.randperm(100, dtype=getattr(torch, dtype)))


@pytest.mark.parametrize("n", SIZES)
@pytest.mark.parametrize("dtype", FLOATS)
def test_bernoulli_of_probabilities(dtype, n):
    p = torch.rand(n, dtype=torch.float64).to(getattr(torch, dtype))
    random.set_rng_state(wrap(torch.get_rng_state().numpy()))
    assert_same(random.bernoulli(wrap(p.numpy())), torch.bernoulli(p))
    assert_same_state()


@pytest.mark.parametrize("p", [0, 0.0, 0.3, 1 / 3, 0.5, 1.0, 1e-300])
@pytest.mark.parametrize("dtype", EVERY)
def test_bernoulli_of_one_number(dtype, p):
    for n in (0, 1, 17, 1000):
        ours, theirs = np.zeros(n, dtype), torch.zeros(n, dtype=getattr(torch, dtype))
        assert_same(random.bernoulli(wrap(ours), p), torch.bernoulli(theirs, p))
    assert_same_state()


@pytest.mark.parametrize("n", [1, 10, 1000, 50_000])
def test_dropout_keeps_where_the_generator_says(n):
    kept = random.default_generator.bernoulli((n,), 1 - 0.3, np.bool_)
    assert np.array_equal(kept, torch.dropout(torch.ones(n), 0.3, train=True).numpy() != 0)
    assert_same_state()


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("n", SIZES)
def test_normal_with_tensors(dtype, n):
    kind = getattr(torch, dtype)
    mean, std = torch.linspace(-1, 1, n, dtype=kind), torch.linspace(0, 2, n, dtype=kind)
    m, s = wrap(mean.numpy()), wrap(std.numpy())
    assert_same(random.normal(m, 0.5), torch.normal(mean, 0.5))
    assert_same(random.normal(m), torch.normal(mean))
    assert_same(random.normal(0.25, s), torch.normal(0.25, std))
    assert_same(random.normal(m, s), torch.normal(mean, std))
    assert_same_state()


def test_normal_broadcasts():
    mean, std = torch.arange(4.0).reshape(4, 1), torch.arange(1.0, 6.0)
    m, s = wrap(mean.numpy()), wrap(std.numpy())
    assert_same(random.normal(m, s), torch.normal(mean, std))
    assert_same(random.normal(m, wrap(std.double().numpy())), torch.normal(mean, std.double()))
    assert_same(random.normal(m, wrap(std.long().numpy())), torch.normal(mean, std.long()))


@pytest.mark.parametrize("name", ["rand_like", "randn_like"])
@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("layout", LAYOUTS)
def test_like(layout, dtype, name):
    ours, theirs = pair(layout, dtype)
    assert_same(getattr(random, name)(ours), getattr(torch, name)(theirs))
    assert_same_state()


def test_like_of_expanded_and_of_other_dtype():
    ours, theirs = np.broadcast_to(np.zeros((1, 4), np.float32), (5, 4)), torch.zeros(1, 4).expand(5, 4)
    assert_same(random.randn_like(wrap(ours)), torch.randn_like(theirs))
    assert_same(random.randint_like(wrap(ours), 7), torch.randint_like(theirs, 7))
    assert_same(random.randint_like(wrap(ours), 3, 7), torch.randint_like(theirs, 3, 7))
    assert_same(
        random.randint_like(wrap(ours), 3, high=7, dtype=dtypes.int64),
        torch.randint_like(theirs, 3, high=7, dtype=torch.int64),
    )
    assert_same(random.rand_like(wrap(ours), dtype=dtypes.float64), torch.rand_like(theirs, dtype=torch.float64))


@pytest.mark.parametrize("rate", [0.0, 0.3, 1.0, 5.0, 9.99, 10.0, 40.0, 1e4])
@pytest.mark.parametrize("dtype", FLOATS)
def test_poisson(dtype, rate):
    rates = torch.full((3, 50), rate, dtype=getattr(torch, dtype))
    assert_same(random.poisson(wrap(rates.numpy())), torch.poisson(rates))
    assert_same_state()


def test_poisson_of_transposed_rates():
    rates = torch.arange(12.0).reshape(3, 4)
    assert_same(random.poisson(wrap(rates.numpy().T)), torch.poisson(rates.T))


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("shape", [(1,), (5,), (100,), (3, 7)])
@pytest.mark.parametrize("replacement", [True, False])
def test_multinomial(shape, replacement, dtype):
    if dtype == "float16" and shape == (100,) and not replacement:
        pytest.skip("a hundred float16 scores have ties, and which comes first is left open by torch.topk")
    weights = torch.rand(shape).to(getattr(torch, dtype)) + 0.01
    random.set_rng_state(wrap(torch.get_rng_state().numpy()))
    for num_samples in {1, min(3, shape[-1]), shape[-1]} | ({50} if replacement else set()):
        ours = random.multinomial(wrap(weights.numpy()), num_samples, replacement)
        assert_same(ours, torch.multinomial(weights, num_samples, replacement))
        assert_same_state()


def test_multinomial_never_draws_a_weight_of_zero():
    weights = torch.tensor([0.0, 1.0, 0.0, 3.0, 0.0])
    assert_same(random.multinomial(wrap(weights.numpy()), 200, True), torch.multinomial(weights, 200, True))
    assert_same(random.multinomial(wrap(weights.numpy()), 2), torch.multinomial(weights, 2))


# -- in place -----------------------------------------------------------------------------------------------------

IN_PLACE = {
    "uniform_": [(), (-0.3, 0.3), (1, 3.3), (0.0, 0.7), (2, 2)],
    "normal_": [(), (0.0, 0.02), (0.7, 0.3), (-3, 0)],
    "exponential_": [(), (1.7,), (1e-3,)],
    "cauchy_": [(), (1.7, 2.3), (0.0, 1.0)],
    "log_normal_": [(), (0.3, 0.5)],
    "geometric_": [(0.3,), (0.999,)],
    "bernoulli_": [(), (0.3,), (0,), (1.0,)],
    "random_": [(), (100,), (3, 90), (5, None)],
}


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("dtype", EVERY)
@pytest.mark.parametrize("name", IN_PLACE)
def test_in_place(name, dtype, layout):
    for arguments in IN_PLACE[name]:
        ours, theirs = pair(layout, dtype)
        before = ours._version
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                getattr(theirs, name)(*arguments)
        except Exception as error:
            with pytest.raises(type(error)):
                getattr(random, name)(ours, *arguments)
            assert not ours._array.any()
            assert_same_state()
            continue
        assert getattr(random, name)(ours, *arguments) is ours
        assert_same(ours, theirs)
        assert_same_state()
        assert ours._version == before + 1


@pytest.mark.parametrize("n", SIZES)
@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("name", [n for n in IN_PLACE if n != "random_"])
def test_in_place_sizes(name, dtype, n):
    ours, theirs = wrap(np.zeros(n, dtype)), torch.zeros(n, dtype=getattr(torch, dtype))
    for arguments in IN_PLACE[name]:
        assert_same(getattr(random, name)(ours, *arguments), getattr(theirs, name)(*arguments))
    assert_same_state()


@pytest.mark.parametrize("layout", ["matrix", "transposed", "strided-transposed"])
@pytest.mark.parametrize("dtype", EVERY)
def test_bernoulli_of_a_tensor_in_place(dtype, layout):
    ours, theirs = pair(layout, dtype)
    for p in (torch.rand(theirs.shape), torch.rand(theirs.shape, dtype=torch.float64), torch.rand(theirs.shape[1])):
        random.set_rng_state(wrap(torch.get_rng_state().numpy()))
        assert_same(random.bernoulli_(ours, wrap(p.numpy())), theirs.bernoulli_(p))
        assert_same_state()


def test_keywords_of_the_in_place_samplers():
    ours, theirs = wrap(np.zeros(20, np.float32)), torch.zeros(20)
    assert_same(random.uniform_(ours, to=2), theirs.uniform_(to=2))
    assert_same(random.uniform_(ours, **{"from": 0.5}), theirs.uniform_(**{"from": 0.5}))
    assert_same(random.normal_(ours, std=2), theirs.normal_(std=2))
    assert_same(random.exponential_(ours, lambd=2), theirs.exponential_(lambd=2))
    assert_same(random.random_(ours, to=9), theirs.random_(to=9))
    assert_same(random.random_(ours, -4, to=9), theirs.random_(-4, to=9))
    with pytest.raises(TypeError, match="unexpected keyword argument 'from_'"):
        random.uniform_(ours, from_=2)
    with pytest.raises(TypeError, match="multiple values"):
        random.uniform_(ours, 1, **{"from": 2})


@pytest.mark.parametrize("arguments", [(2**27,), (2**28,), (-(2**40), 2**41), (2**62, None), (-(2**63), None)])
@pytest.mark.parametrize("dtype", ["int64", "float64", "float32"])
def test_random_over_64_bits(dtype, arguments):
    ours, theirs = wrap(np.zeros(40, dtype)), torch.zeros(40, dtype=getattr(torch, dtype))
    with warnings.catch_warnings(record=True):
        warnings.simplefilter("always")
        try:
            theirs.random_(*arguments)
        except RuntimeError as error:
            with pytest.raises(RuntimeError) as raised:
                random.random_(ours, *arguments)
            assert str(raised.value) == str(error)
            return
        random.random_(ours, *arguments)
    assert_same(ours, theirs)


@pytest.mark.parametrize(
    "dtype, bounds",
    [("float16", (0, 5000)), ("float16", (-3000, 2060)), ("float32", (0, 2**30)), ("float16", (2049, 2060))],
)
def test_a_float_that_cannot_hold_every_integer_warns(dtype, bounds):
    ours, theirs = wrap(np.zeros(200, dtype)), torch.zeros(200, dtype=getattr(torch, dtype))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs.random_(*bounds)
    with pytest.warns(UserWarning, match="is out of bounds"):
        random.random_(ours, *bounds)
    assert_same(ours, theirs)


def test_a_target_whose_elements_share_memory_is_refused():
    shared = wrap(np.broadcast_to(np.zeros(1, np.float32), (3,)))
    ours, theirs = assert_both_raise(lambda: random.uniform_(shared), lambda: torch.zeros(1).expand(3).uniform_())
    assert ours == theirs


# -- seeds and states ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", [0, 1, -1, -5, 2**32, 2**32 + 7, 2**63, 2**64 - 1, -(2**63), 67280421310721])
def test_seeds(seed):
    torch.manual_seed(seed)
    assert random.manual_seed(seed) is random.default_generator
    assert random.initial_seed() == torch.initial_seed()
    assert_same_state()
    assert_same(random.rand(5), torch.rand(5))


def test_a_new_generator_is_torchs():
    ours, theirs = random.Generator(), torch.Generator()
    assert ours.initial_seed() == theirs.initial_seed()
    assert_same(random.randn(700, generator=ours), torch.randn(700, generator=theirs))
    assert repr(ours.device) == "device(type='cpu')"


def test_a_generator_of_its_own_leaves_the_default_one_alone():
    before = random.get_rng_state()._array
    generator = random.Generator().manual_seed(3)
    random.rand(5, generator=generator)
    assert np.array_equal(before, random.get_rng_state()._array)
    assert_same(random.randperm(9, generator=generator.manual_seed(3)), torch.randperm(9, generator=theirs(3)))


def theirs(seed):
    return torch.Generator().manual_seed(seed)


def test_the_second_half_of_a_normal_pair():
    assert_same(random.randn(1), torch.randn(1))
    assert_same_state()
    state, their_state = random.get_rng_state(), torch.get_rng_state()
    assert_same(random.randn(2), torch.randn(2))
    random.set_rng_state(state)
    torch.set_rng_state(their_state)
    assert_same(random.randn(3), torch.randn(3))  # the saved half comes back with the state
    random.randn(1)
    random.manual_seed(9)  # and a seed drops it
    torch.manual_seed(9)
    assert_same_state()


@pytest.mark.parametrize("draws", [0, 1, 100, 623, 624, 625, 1248])
def test_states_go_both_ways(draws):
    random.randint(5, (draws,))
    torch.randint(5, (draws,))
    random.randn(1)
    torch.set_rng_state(torch.from_numpy(random.get_rng_state()._array.copy()))
    assert_same(random.randn(3), torch.randn(3))
    torch.rand(draws + 3)
    random.set_rng_state(wrap(torch.get_rng_state().numpy()))
    assert_same(random.rand(700), torch.rand(700))
    assert_same_state()


def test_seed_draws_from_the_system():
    first, second = random.seed(), random.seed()
    assert first != second
    assert random.initial_seed() == second
    torch.manual_seed(second)
    assert_same(random.rand(3), torch.rand(3))


def test_fork_rng_restores():
    random.randn(1)
    before = random.get_rng_state()._array
    with random.fork_rng():
        random.manual_seed(0)
        random.rand(10)
    assert np.array_equal(before, random.get_rng_state()._array)
    with pytest.raises(KeyError), random.fork_rng():
        random.rand(10)
        raise KeyError
    assert np.array_equal(before, random.get_rng_state()._array)
    with random.fork_rng(enabled=False):
        random.rand(10)
    assert not np.array_equal(before, random.get_rng_state()._array)


@pytest.mark.parametrize(
    "duplicate", [copy.deepcopy, lambda g: pickle.loads(pickle.dumps(g)), lambda g: g.clone_state()]
)
def test_copies_continue_the_stream_on_their_own(duplicate):
    generator = random.Generator().manual_seed(5)
    random.randn(3, generator=generator)
    twin = duplicate(generator)
    assert np.array_equal(array(random.randn(5, generator=generator)), array(random.randn(5, generator=twin)))
    assert twin.initial_seed() == 5


STEPS = st.sampled_from(
    [
        lambda lib, n: lib.rand(n),
        lambda lib, n: lib.randn(n),
        lambda lib, n: lib.randn(n, dtype=lib.float64),
        lambda lib, n: lib.rand(n, dtype=lib.float64),
        lambda lib, n: lib.randint(7, (n,)),
        lambda lib, n: lib.randint(2**40, (n,)),
        lambda lib, n: lib.randperm(n),
        lambda lib, n: lib.normal(1.5, 2.0, (n,)),
        lambda lib, n: lib.bernoulli(lib.rand(n)),
        lambda lib, n: lib.multinomial(lib.rand(n + 1), 1),
        lambda lib, n: lib.poisson(lib.rand(n)),
    ]
)


class Ours:
    def __getattr__(self, name):
        return getattr(dtypes if hasattr(dtypes, name) else random, name)


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(-(2**63), 2**64 - 1), steps=st.lists(st.tuples(STEPS, st.integers(0, 40)), max_size=12))
def test_any_sequence_of_draws(seed, steps):
    torch.manual_seed(seed)
    random.manual_seed(seed)
    for step, n in steps:
        assert_same(step(Ours(), n), step(torch, n))
        assert_same_state()


# -- errors -------------------------------------------------------------------------------------------------------


def zeros(*shape, dtype=np.float32):
    return wrap(np.zeros(shape, dtype))


SAME_TEXT = {
    "negative size": (lambda: random.rand(2, -3), lambda: torch.rand(2, -3)),
    "size of a wrong type": (lambda: random.rand("a"), lambda: torch.rand("a")),
    "size with a float": (lambda: random.rand(2.5), lambda: torch.rand(2.5)),
    "size with a float inside": (lambda: random.rand([2, 2.5]), lambda: torch.rand([2, 2.5])),
    "randint of nothing": (lambda: random.randint(5, 5, (2,)), lambda: torch.randint(5, 5, (2,))),
    "randint size": (lambda: random.randint(5, 2), lambda: torch.randint(5, 2)),
    "randint high": (lambda: random.randint(5.0, (2,)), lambda: torch.randint(5.0, (2,))),
    "randint beyond uint8": (
        lambda: random.randint(300, (2,), dtype=dtypes.uint8),
        lambda: torch.randint(300, (2,), dtype=torch.uint8),
    ),
    "randint below uint8": (
        lambda: random.randint(-5, 3, (2,), dtype=dtypes.uint8),
        lambda: torch.randint(-5, 3, (2,), dtype=torch.uint8),
    ),
    "randint beyond half": (
        lambda: random.randint(100000, (2,), dtype=dtypes.float16),
        lambda: torch.randint(100000, (2,), dtype=torch.float16),
    ),
    "randperm negative": (lambda: random.randperm(-1), lambda: torch.randperm(-1)),
    "randperm float": (lambda: random.randperm(2.5), lambda: torch.randperm(2.5)),
    "randperm half": (
        lambda: random.randperm(5000, dtype=dtypes.float16),
        lambda: torch.randperm(5000, dtype=torch.float16),
    ),
    "randperm uint8": (
        lambda: random.randperm(300, dtype=dtypes.uint8),
        lambda: torch.randperm(300, dtype=torch.uint8),
    ),
    "bernoulli of integers": (
        lambda: random.bernoulli(zeros(2, dtype=np.int64)),
        lambda: torch.bernoulli(torch.zeros(2, dtype=torch.int64)),
    ),
    "bernoulli p": (lambda: random.bernoulli(zeros(2), 1.5), lambda: torch.bernoulli(torch.zeros(2), 1.5)),
    "bernoulli of a number": (lambda: random.bernoulli(0.5), lambda: torch.bernoulli(0.5)),
    "bernoulli_ broadcast": (
        lambda: random.bernoulli_(zeros(3), zeros(2)),
        lambda: torch.zeros(3).bernoulli_(torch.zeros(2)),
    ),
    "normal std": (lambda: random.normal(0.0, -1.0, (2,)), lambda: torch.normal(0.0, -1.0, (2,))),
    "normal std tensor": (
        lambda: random.normal(0.0, wrap(-np.ones(2, np.float32))),
        lambda: torch.normal(0.0, -torch.ones(2)),
    ),
    "normal_ std": (lambda: random.normal_(zeros(2), 0, -1), lambda: torch.zeros(2).normal_(0, -1)),
    "uniform_ order": (lambda: random.uniform_(zeros(2), 2, 1), lambda: torch.zeros(2).uniform_(2, 1)),
    "uniform_ width": (
        lambda: random.uniform_(zeros(2, dtype=np.float16), -60000, 60000),
        lambda: torch.zeros(2, dtype=torch.half).uniform_(-60000, 60000),
    ),
    "exponential_": (lambda: random.exponential_(zeros(2), 0), lambda: torch.zeros(2).exponential_(0)),
    "exponential_ of integers": (
        lambda: random.exponential_(zeros(2, dtype=np.int64)),
        lambda: torch.zeros(2, dtype=torch.int64).exponential_(),
    ),
    "geometric_": (lambda: random.geometric_(zeros(2), 1), lambda: torch.zeros(2).geometric_(1)),
    "cauchy_": (lambda: random.cauchy_(zeros(2), 0, 0), lambda: torch.zeros(2).cauchy_(0, 0)),
    "cauchy_ of integers": (
        lambda: random.cauchy_(zeros(2, dtype=np.int64)),
        lambda: torch.zeros(2, dtype=torch.int64).cauchy_(),
    ),
    "log_normal_": (lambda: random.log_normal_(zeros(2), 0, 0), lambda: torch.zeros(2).log_normal_(0, 0)),
    "random_ of nothing": (lambda: random.random_(zeros(2), -5), lambda: torch.zeros(2).random_(-5)),
    "random_ below int8": (
        lambda: random.random_(zeros(2, dtype=np.int8), -500, None),
        lambda: torch.zeros(2, dtype=torch.int8).random_(-500, None),
    ),
    "random_ all of int32": (
        lambda: random.random_(zeros(2, dtype=np.int32), -(2**63), None),
        lambda: torch.zeros(2, dtype=torch.int32).random_(-(2**63), None),
    ),
    "multinomial too many": (
        lambda: random.multinomial(wrap(np.ones(2, np.float32)), 3),
        lambda: torch.multinomial(torch.ones(2), 3),
    ),
    "multinomial none": (
        lambda: random.multinomial(wrap(np.ones(2, np.float32)), 0),
        lambda: torch.multinomial(torch.ones(2), 0),
    ),
    "multinomial negative": (
        lambda: random.multinomial(wrap(-np.ones(2, np.float32)), 1, True),
        lambda: torch.multinomial(-torch.ones(2), 1, True),
    ),
    "multinomial zero": (lambda: random.multinomial(zeros(2), 1), lambda: torch.multinomial(torch.zeros(2), 1)),
    "multinomial of integers": (
        lambda: random.multinomial(zeros(2, dtype=np.int64), 1),
        lambda: torch.multinomial(torch.zeros(2, dtype=torch.int64), 1),
    ),
    "multinomial 0-d": (lambda: random.multinomial(zeros(), 1), lambda: torch.multinomial(torch.zeros(()), 1)),
    "multinomial float": (
        lambda: random.multinomial(zeros(2), 1.5),
        lambda: torch.multinomial(torch.zeros(2), 1.5),
    ),
    "poisson": (
        lambda: random.poisson(wrap(-np.ones(2, np.float32))),
        lambda: torch.poisson(-torch.ones(2)),
    ),
    "set_state of a list": (lambda: random.set_rng_state([1]), lambda: torch.set_rng_state([1])),
    "set_state of floats": (lambda: random.set_rng_state(zeros(5056)), lambda: torch.set_rng_state(torch.zeros(5056))),
    "set_state size": (
        lambda: random.set_rng_state(zeros(10, dtype=np.uint8)),
        lambda: torch.set_rng_state(torch.zeros(10, dtype=torch.uint8)),
    ),
    "set_state content": (
        lambda: random.set_rng_state(zeros(5056, dtype=np.uint8)),
        lambda: torch.set_rng_state(torch.zeros(5056, dtype=torch.uint8)),
    ),
    "seed of a wrong type": (
        lambda: random.Generator().manual_seed(1.5),
        lambda: torch.Generator().manual_seed(1.5),
    ),
    "seed of a bool": (lambda: random.Generator().manual_seed(True), lambda: torch.Generator().manual_seed(True)),
    "seed of text": (lambda: random.manual_seed("a"), lambda: torch.manual_seed("a")),
    "seed too large": (lambda: random.manual_seed(2**64), lambda: torch.manual_seed(2**64)),
    "seed too small": (lambda: random.manual_seed(-(2**63) - 1), lambda: torch.manual_seed(-(2**63) - 1)),
    "offset": (lambda: random.Generator().get_offset(), lambda: torch.Generator().get_offset()),
}


@pytest.mark.parametrize("case", SAME_TEXT)
def test_errors_have_torchs_class_and_words(case):
    before = random.get_rng_state()._array
    ours, theirs = assert_both_raise(*SAME_TEXT[case])
    assert ours.startswith(theirs)
    assert np.array_equal(before, random.get_rng_state()._array), "an error drew from the stream"


SAME_CLASS = {
    "rand of nothing": (lambda: random.rand(), lambda: torch.rand()),
    "rand of integers": (lambda: random.rand(2, dtype=dtypes.int64), lambda: torch.rand(2, dtype=torch.int64)),
    "randn of integers": (lambda: random.randn(2, dtype=dtypes.int64), lambda: torch.randn(2, dtype=torch.int64)),
    "dtype": (lambda: random.rand(2, dtype="float32"), lambda: torch.rand(2, dtype="float32")),
    "generator": (lambda: random.rand(2, generator=3), lambda: torch.rand(2, generator=3)),
    "normal without size": (lambda: random.normal(0.0, 1.0), lambda: torch.normal(0.0, 1.0)),
    "normal shapes": (
        lambda: random.normal(zeros(2), wrap(np.ones(3, np.float32))),
        lambda: torch.normal(torch.zeros(2), torch.ones(3)),
    ),
    "bernoulli probability": (
        lambda: random.bernoulli(wrap(np.array([1.5], np.float32))),
        lambda: torch.bernoulli(torch.tensor([1.5])),
    ),
    "randint requires grad": (
        lambda: random.randint(5, (2,), requires_grad=True),
        lambda: torch.randint(5, (2,), requires_grad=True),
    ),
    "uniform_ of integers": (
        lambda: random.uniform_(zeros(2, dtype=np.int64)),
        lambda: torch.zeros(2, dtype=torch.int64).uniform_(),
    ),
    "randint arguments": (lambda: random.randint(), lambda: torch.randint()),
    "unknown device": (lambda: random.Generator("foo"), lambda: torch.Generator("foo")),
}


@pytest.mark.parametrize("case", SAME_CLASS)
def test_errors_have_torchs_class(case):
    assert_both_raise(*SAME_CLASS[case])


# -- gradients ----------------------------------------------------------------------------------------------------


def test_requires_grad():
    assert random.rand(3, requires_grad=True).requires_grad
    assert not random.rand(3).requires_grad
    assert not random.rand_like(random.rand(3, requires_grad=True)).requires_grad


def test_a_leaf_that_requires_grad_is_not_filled():
    leaf = random.rand(3, requires_grad=True)
    before = leaf._array.copy()
    for name in IN_PLACE:
        arguments = (0.5,) if name == "geometric_" else ()
        with pytest.raises(RuntimeError, match="a leaf Variable that requires grad is being used in an in-place"):
            getattr(random, name)(leaf, *arguments)
    assert np.array_equal(before, leaf._array)


def test_a_tensor_with_history_is_cut_from_it_and_hands_back_zero():
    for api in (minigrad, torch):
        x = api.ones(4, requires_grad=True)
        y = x * 2
        version = y._version
        assert y.uniform_() is y
        assert y.requires_grad
        assert y._version == version + 1
        y.sum().backward()
        assert x.grad.tolist() == [0.0] * 4

        x = api.ones(2, 3, requires_grad=True)
        y = x * 2
        y.t()[1:].normal_()
        y.sum().backward()
        assert x.grad.tolist() == [[2.0, 0.0, 0.0]] * 2


def test_history_does_not_change_the_numbers():
    x = minigrad.ones(5, 7, requires_grad=True) * 2
    y = torch.ones(5, 7, requires_grad=True) * 2
    assert_same(x.uniform_(), y.uniform_())
    assert_same(x.t().normal_(), y.t().normal_())
    assert_same(x, y)
    assert x.grad_fn.name() in y.grad_fn.name()


def test_a_parameter_that_is_a_tensor_gets_a_gradient_of_zero():
    names = []
    for api in (minigrad, torch):
        p = api.full((3, 1), 0.5, requires_grad=True)
        q = api.full((4,), 0.5, requires_grad=True)
        samples = [
            api.bernoulli(p),
            api.poisson(p),
            api.normal(p),
            api.normal(p, 2.0),
            api.normal(1.0, p),
            api.normal(p, q),
        ]
        names.append([s.grad_fn.name() for s in samples])
        sum(s.sum() for s in samples).backward()
        assert p.grad.tolist() == [[0.0]] * 3
        assert q.grad.tolist() == [0.0] * 4
    assert names[0] == names[1]


def test_samplers_are_methods_of_tensors():
    for name, choices in IN_PLACE.items():
        for arguments in choices:
            ours, theirs = minigrad.zeros(3, 20), torch.zeros(3, 20)
            assert_same(getattr(ours, name)(*arguments), getattr(theirs, name)(*arguments))


def test_numpy_warnings_stay_inside():
    tiny = wrap(np.zeros(100, np.float16))
    with warnings.catch_warnings(record=True) as heard:
        warnings.simplefilter("always")
        random.log_normal_(tiny, 100, 50)
        random.cauchy_(tiny, 0, 1e6)
        random.normal_(tiny, 0, 1e6)
        random.exponential_(tiny, 1e-30)
        random.geometric_(tiny, 1e-12)
    assert not heard
