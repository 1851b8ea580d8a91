"""Every optimizer against torch: each parameter and each state tensor, after each of 20 steps on the same gradients."""

import itertools

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import minigrad
from minigrad import optim

FLAGS = (False, True)


def grid(**options):
    return [dict(zip(options, values, strict=True)) for values in itertools.product(*options.values())]


CASES = {
    "SGD": [
        options
        for options in grid(
            lr=[0.1], momentum=[0, 0.9], weight_decay=[0, 0.1], dampening=[0, 0.3], nesterov=FLAGS, maximize=FLAGS
        )
        if not (options["nesterov"] and (options["momentum"] == 0 or options["dampening"]))
    ],
    "Adam": grid(weight_decay=[0, 0.1], amsgrad=FLAGS, maximize=FLAGS)
    + grid(betas=[(0.3, 0.5)], lr=[1], eps=[0.1])
    + grid(decoupled_weight_decay=[True], weight_decay=[0, 0.1]),
    "AdamW": grid(weight_decay=[0, 0.1], amsgrad=FLAGS, maximize=FLAGS) + [{}],
    "RMSprop": grid(weight_decay=[0, 0.1], momentum=[0, 0.9], centered=FLAGS, maximize=FLAGS) + grid(alpha=[0.3]),
    "Adagrad": grid(weight_decay=[0, 0.1], lr_decay=[0, 0.1], initial_accumulator_value=[0, 0.5], maximize=FLAGS),
    "Adadelta": grid(weight_decay=[0, 0.1], maximize=FLAGS) + grid(lr=[0.5], rho=[0.6], eps=[1e-3]),
    "Adamax": grid(weight_decay=[0, 0.1], maximize=FLAGS) + grid(betas=[(0.4, 0.7)], eps=[0.1]),
    "NAdam": grid(weight_decay=[0, 0.1], decoupled_weight_decay=FLAGS, maximize=FLAGS, momentum_decay=[4e-3, 0.1]),
    "RAdam": grid(weight_decay=[0, 0.1], decoupled_weight_decay=FLAGS, maximize=FLAGS) + grid(betas=[(0.8, 0.9)]),
    "ASGD": grid(weight_decay=[0, 0.1], maximize=FLAGS, t0=[1e6, 3], lambd=[1e-4, 0.01]),
    "Rprop": grid(maximize=FLAGS, etas=[(0.5, 1.2), (0.3, 1.7)], step_sizes=[(1e-6, 50), (0.005, 0.05)]),
}
ALL = [(name, options) for name, cases in CASES.items() for options in cases]
IDS = [f"{name}-{'-'.join(f'{k}={v}' for k, v in options.items())}" for name, options in ALL]
NAMES = list(CASES)


class Pair:
    """The same parameters under the same optimizer in minigrad and in torch."""

    def __init__(self, name, arrays, **options):
        self.ours = [minigrad.from_numpy(a.copy(order="K")).requires_grad_() for a in arrays]
        self.theirs = [torch.from_numpy(a.copy(order="K")).requires_grad_() for a in arrays]
        self.opt = getattr(optim, name)(self.ours, **options)
        self.torch_opt = getattr(torch.optim, name)(self.theirs, **options)
        self.largest = {}

    def step(self, grads):
        for p, t, g in zip(self.ours, self.theirs, grads, strict=True):
            p.grad = None if g is None else minigrad.from_numpy(g.copy(order="K"))
            t.grad = None if g is None else torch.from_numpy(g.copy(order="K"))
        self.opt.step()
        self.torch_opt.step()

    def assert_equal(self, ulps=4):
        """Everything within so many units in the last place of the largest value that the tensor has had."""
        for i, (p, t) in enumerate(zip(self.ours, self.theirs, strict=True)):
            self._close((i, "p"), p.detach().numpy(), t.detach().numpy(), ulps)
            state, expected = self.opt.state.get(p, {}), self.torch_opt.state.get(t, {})
            assert list(state) == list(expected)
            for key in expected:
                if expected[key] is None:
                    assert state[key] is None
                else:
                    assert isinstance(state[key], minigrad.Tensor)
                    self._close((i, key), state[key].numpy(), expected[key].numpy(), ulps)

    def _close(self, key, ours, theirs, ulps):
        assert ours.dtype == theirs.dtype and ours.shape == theirs.shape, key
        largest = self.largest[key] = np.abs(theirs).max(initial=self.largest.get(key, 0))
        wrong = np.abs(ours - theirs) > ulps * np.spacing(np.asarray(largest, ours.dtype))
        assert not wrong.any(), f"{key}: {ours[wrong]} != {theirs[wrong]}"


def draw(rng, shapes, dtype):
    return [np.asarray(rng.standard_normal(shape), dtype) for shape in shapes]


def draw_grads(rng, shapes, dtype, i):
    """Of changing size and sign; one in seven elements 0."""
    grads = [np.asarray((rng.standard_normal(s) + 0.3) * (0.1 + i % 3), dtype) for s in shapes]
    return [np.where(rng.integers(0, 7, g.shape) == 0, 0, g).astype(dtype) for g in grads]


def ulps_for(name, options):
    """Lost more digits than 4 units: a variance that cancels, and an average of squares fed by its own root."""
    return 64 if options.get("centered") else 16 if name == "Adadelta" else 4


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("name", "options"), ALL, ids=IDS)
def test_follows_torch(name, options, dtype):
    rng = np.random.default_rng(0)
    shapes = [(1, 1), (3,), (17, 5), (), (0, 2)]
    pair = Pair(name, draw(rng, shapes, dtype), **options)
    assert repr(pair.opt) == repr(pair.torch_opt)
    for i in range(20):
        pair.step(draw_grads(rng, shapes, dtype, i))
        pair.assert_equal(ulps_for(name, options))


@pytest.mark.parametrize("name", NAMES)
def test_large_parameters_are_updated_in_blocks_alike(name):
    """More rows than fit in a block and a remainder; one row larger than a block; Fortran order; a 1-d one."""
    rng = np.random.default_rng(1)
    shapes = [(700, 123), (2, 70000), (90, 60), (65537,)]
    options = CASES[name][-1]
    arrays = draw(rng, shapes, np.float32)
    arrays[2] = np.asfortranarray(arrays[2])
    pair = Pair(name, arrays, **options)
    for i in range(3):
        grads = draw_grads(rng, shapes, np.float32, i)
        grads[0] = np.asfortranarray(grads[0])
        pair.step(grads)
        pair.assert_equal(16)


@pytest.mark.parametrize("name", NAMES)
def test_float16(name):
    """To float16's precision: torch computes some steps in float32 and rounds once, NumPy after each operation."""
    rng = np.random.default_rng(2)
    pair = Pair(name, draw(rng, [(3, 2)], np.float16), **({"eps": 1e-3} if name in ("Adam", "NAdam") else {}))
    for i in range(3):
        pair.step(draw_grads(rng, [(3, 2)], np.float16, i))
        for p, t in zip(pair.ours, pair.theirs, strict=True):
            assert p.dtype == minigrad.float16
            np.testing.assert_allclose(p.detach().numpy(), t.detach().numpy(), rtol=4e-3, atol=4e-3)


@pytest.mark.parametrize("name", NAMES)
def test_parameters_without_gradient_are_left_alone(name):
    rng = np.random.default_rng(3)
    pair = Pair(name, draw(rng, [(3,), (2,)], np.float32))
    for i in range(4):
        grads = draw_grads(rng, [(3,), (2,)], np.float32, i)
        pair.step([grads[0], grads[1] if i == 2 else None])
        pair.assert_equal()


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("tensor_dtype", ["float32", "float64"])
def test_lr_as_tensor(name, tensor_dtype):
    """Arithmetic with the learning rate then rounds as tensors of its dtype do."""
    rng = np.random.default_rng(4)
    arrays = draw(rng, [(3, 2), (1,)], np.float32)
    for shape in ((), (1,)):
        pair = Pair(name, arrays)
        lr = 0.03
        pair.opt = getattr(optim, name)(pair.ours, lr=minigrad.full(shape, lr, dtype=getattr(minigrad, tensor_dtype)))
        pair.torch_opt = getattr(torch.optim, name)(
            pair.theirs, lr=torch.full(shape, lr, dtype=getattr(torch, tensor_dtype))
        )
        for i in range(5):
            pair.step(draw_grads(rng, [(3, 2), (1,)], np.float32, i))
            pair.assert_equal(8)


@pytest.mark.parametrize("name", ["Adam", "AdamW"])
def test_betas_as_tensors(name):
    rng = np.random.default_rng(5)
    pair = Pair(name, draw(rng, [(3, 2)], np.float32))
    pair.opt = getattr(optim, name)(pair.ours, betas=(minigrad.tensor(0.8), minigrad.tensor([0.95])))
    pair.torch_opt = getattr(torch.optim, name)(pair.theirs, betas=(torch.tensor(0.8), torch.tensor([0.95])))
    for i in range(10):
        pair.step(draw_grads(rng, [(3, 2)], np.float32, i))
        pair.assert_equal(8)


def test_an_average_of_weight_one_is_the_gradient_itself():
    """From weight 0.5 on lerp starts from the other end, so that it arrives exactly."""
    rng = np.random.default_rng(9)
    pair = Pair("Adam", draw(rng, [(40,)], np.float32), betas=(0.0, 0.5))
    for i in range(5):
        grads = draw_grads(rng, [(40,)], np.float32, i)
        pair.step(grads)
        assert pair.opt.state[pair.ours[0]]["exp_avg"].tolist() == grads[0].tolist()
        pair.assert_equal()


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_any_options_follow_torch(data):
    name = data.draw(st.sampled_from(NAMES))
    unit = st.floats(0.05, 0.95)
    small = st.floats(1e-3, 0.3)
    flag = st.booleans()
    betas = st.tuples(unit, unit)
    decay = st.one_of(st.just(0), small)
    strategies = {
        "SGD": {"momentum": st.one_of(st.just(0), unit), "weight_decay": decay, "maximize": flag},
        "Adam": {"betas": betas, "eps": small, "weight_decay": decay, "amsgrad": flag, "maximize": flag},
        "AdamW": {"betas": betas, "eps": small, "weight_decay": decay, "amsgrad": flag, "maximize": flag},
        "RMSprop": {"alpha": unit, "eps": small, "weight_decay": decay, "momentum": decay, "maximize": flag},
        "Adagrad": {"lr_decay": decay, "weight_decay": decay, "eps": small, "maximize": flag},
        "Adadelta": {"rho": unit, "eps": small, "weight_decay": decay, "maximize": flag},
        "Adamax": {"betas": betas, "eps": small, "weight_decay": decay, "maximize": flag},
        "NAdam": {"betas": betas, "eps": small, "weight_decay": decay, "momentum_decay": small},
        "RAdam": {"betas": betas, "eps": small, "weight_decay": decay, "maximize": flag},
        "ASGD": {"lambd": small, "alpha": unit, "t0": st.floats(0, 6), "weight_decay": decay},
        "Rprop": {"etas": st.tuples(unit, st.floats(1.05, 2)), "maximize": flag},
    }[name]
    options = {"lr": data.draw(small, "lr"), **{k: data.draw(s, k) for k, s in strategies.items()}}
    dtype = data.draw(st.sampled_from([np.float32, np.float64]))
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32 - 1), "seed"))
    pair = Pair(name, draw(rng, [(2, 3), (1,)], dtype), **options)
    for i in range(6):
        pair.step(draw_grads(rng, [(2, 3), (1,)], dtype, i))
        pair.assert_equal(256)  # an option near its bound may amplify the last digit


@pytest.mark.parametrize("name", NAMES)
def test_1000_steps_end_at_torchs_parameters(name):
    """A quadratic with condition number 10, each engine on gradients at its own parameters: 5 significant digits.

    RMSprop goes slowly enough not to arrive: its steps do not shrink with the gradient, and around the minimum they
    amplify the last digit's differences to the size of lr.
    """
    rng = np.random.default_rng(6)
    a = rng.standard_normal((6, 6))
    q, _ = np.linalg.qr(a)
    h = (q * np.linspace(0.3, 3, 6) @ q.T).astype(np.float32)
    target = rng.standard_normal(6).astype(np.float32) + 3
    pair = Pair(name, [np.zeros(6, np.float32)], **({"lr": 1e-3} if name == "RMSprop" else {}))
    for _ in range(1000):
        for p in (pair.ours[0], pair.theirs[0]):
            array = p.detach().numpy()
            grad = h @ (array - target)
            p.grad = minigrad.from_numpy(grad) if p is pair.ours[0] else torch.from_numpy(grad)
        pair.opt.step()
        pair.torch_opt.step()
    ours, theirs = pair.ours[0].detach().numpy(), pair.theirs[0].detach().numpy()
    np.testing.assert_allclose(ours, theirs, rtol=1e-5)
    assert np.abs(theirs).max() > 1e-3  # it has moved


@pytest.mark.parametrize(("name", "options"), ALL, ids=IDS)
def test_gradients_are_not_changed_and_share_no_memory_with_state(name, options):
    rng = np.random.default_rng(7)
    shapes = [(1,), (4, 3), (5000,)]
    params = [minigrad.from_numpy(a).requires_grad_() for a in draw(rng, shapes, np.float32)]
    opt = getattr(optim, name)(params, **options)
    for i in range(2):
        grads = draw_grads(rng, shapes, np.float32, i)
        for p, g in zip(params, grads, strict=True):
            p.grad = minigrad.from_numpy(g)
        before = [g.copy() for g in grads]
        opt.step()
        for p, g, b in zip(params, grads, before, strict=True):
            assert p.grad.numpy() is not None
            np.testing.assert_array_equal(g, b)
            buffers = [p.detach().numpy(), *(v.numpy() for v in opt.state[p].values() if v is not None)]
            for x, y in itertools.combinations([g, *buffers], 2):
                assert not np.shares_memory(x, y)


@pytest.mark.parametrize("name", NAMES)
def test_not_finite_gradients_go_where_torchs_go(name):
    values = np.array([np.nan, np.inf, -np.inf, 0.0, -0.0, 1e38, 1e-45], np.float32)
    pair = Pair(name, [np.ones(7, np.float32)])
    with np.errstate(all="raise"):
        for _ in range(3):
            pair.step([values])
            np.testing.assert_allclose(
                pair.ours[0].detach().numpy(), pair.theirs[0].detach().numpy(), rtol=1e-6, atol=1e-12
            )


@pytest.mark.parametrize("name", NAMES)
def test_a_step_counts_as_a_write_to_the_parameter(name):
    """backward() through a value saved before the step must fail, not use the new parameter."""
    p = minigrad.ones(3, requires_grad=True)
    version = p._version
    opt = getattr(optim, name)([p], lr=0.1)
    loss = (p * p).sum()
    p.grad = minigrad.ones(3)
    opt.step()
    assert p._version > version
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        loss.backward()


@pytest.mark.parametrize("name", NAMES)
def test_views_of_a_parameter_see_the_step(name):
    p = minigrad.ones(2, 2, requires_grad=True)
    array = p.detach().numpy()
    p.grad = minigrad.ones(2, 2)
    getattr(optim, name)([p], lr=0.1).step()
    assert (array != 1).all()


@pytest.mark.parametrize("options", [{"foreach": True}, {"foreach": False}, {"fused": True}, {"fused": False}])
@pytest.mark.parametrize("name", ["SGD", "Adam", "AdamW", "Adagrad"])
def test_choices_of_implementation_change_nothing(name, options):
    rng = np.random.default_rng(8)
    pair = Pair(name, draw(rng, [(4, 3)], np.float32), **options)
    for i in range(5):
        pair.step(draw_grads(rng, [(4, 3)], np.float32, i))
        pair.assert_equal(16)  # torch's own differ that much


@pytest.mark.parametrize("name", [n for n in NAMES if n not in ("SGD", "Adagrad")])
def test_capturable_is_refused_at_the_step_as_by_torch(name):
    pair = Pair(name, [np.ones(3, np.float32)], capturable=True)
    with pytest.raises(AssertionError) as expected:
        pair.theirs[0].grad = torch.ones(3)
        pair.torch_opt.step()
    with pytest.raises(AssertionError) as error:
        pair.ours[0].grad = minigrad.ones(3)
        pair.opt.step()
    assert str(expected.value).split("on supported")[0] in str(error.value)
    assert pair.ours[0].tolist() == [1, 1, 1]
