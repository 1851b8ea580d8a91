"""What all optimizers share: groups, state dicts (also exchanged with torch), hooks, zero_grad, errors, signatures."""

import copy
import importlib
import inspect
import warnings

import numpy as np
import pytest
import torch

import minigrad
from minigrad import optim

NAMES = ["SGD", "Adam", "AdamW", "RMSprop", "Adagrad", "Adadelta", "Adamax", "NAdam", "RAdam", "ASGD", "Rprop"]
# Options that fill every state tensor there can be.
FULL = {
    "SGD": {"momentum": 0.9, "weight_decay": 0.1},
    "Adam": {"amsgrad": True},
    "AdamW": {"amsgrad": True},
    "RMSprop": {"momentum": 0.9, "centered": True},
    "ASGD": {"t0": 2},
}
LIBRARIES = [minigrad, torch]
# torch.optim hides its modules behind the names of its classes.
BASE = {library: importlib.import_module(f"{library.__name__}.optim.optimizer") for library in LIBRARIES}


def leaves(library, *sizes):
    return [library.ones(size, requires_grad=True) for size in sizes]


def give_grads(library, params, seed, dtype="float32"):
    rng = np.random.default_rng(seed)
    for p in params:
        p.grad = library.from_numpy(rng.standard_normal(tuple(p.shape)).astype(dtype))


def converted(value, tensor_type, make):
    if isinstance(value, tensor_type):
        return make(np.array(value.detach().numpy()))
    if isinstance(value, dict):
        return {k: converted(v, tensor_type, make) for k, v in value.items()}
    if isinstance(value, list):
        return [converted(v, tensor_type, make) for v in value]
    return value


def to_torch(state_dict):
    return converted(state_dict, minigrad.Tensor, torch.from_numpy)


def from_torch(state_dict):
    return converted(state_dict, torch.Tensor, minigrad.from_numpy)


def plain(state_dict):
    """Tensors as lists, to compare."""
    return converted(converted(state_dict, minigrad.Tensor, lambda a: a.tolist()), torch.Tensor, lambda a: a.tolist())


# -- signatures, defaults, groups --------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [*NAMES, "LBFGS"])
def test_signatures_defaults_and_group_keys_are_torchs(name):
    ours, theirs = getattr(optim, name), getattr(torch.optim, name)
    assert [(p.name, p.default, p.kind) for p in inspect.signature(ours).parameters.values()] == [
        (p.name, p.default, p.kind) for p in inspect.signature(theirs).parameters.values()
    ]
    a, b = ours(leaves(minigrad, 2)), theirs(leaves(torch, 2))
    assert a.defaults == b.defaults
    assert [list(group) for group in a.param_groups] == [list(group) for group in b.param_groups]
    assert repr(a) == repr(b)


def test_groups_have_their_own_options():
    def build(library):
        a, b, c, d = leaves(library, 1, 2, 3, 4)
        opt = library.optim.SGD([{"params": a}, {"params": (p for p in [b, c]), "lr": 0.5, "momentum": 0.9}], lr=0.1)
        opt.add_param_group({"params": [d], "weight_decay": 0.5, "note": "kept"})
        for i in range(3):
            give_grads(library, [a, b, c, d], i)
            opt.step()
        return opt

    ours, theirs = build(minigrad), build(torch)
    assert repr(ours) == repr(theirs)
    np.testing.assert_allclose(
        np.concatenate([p.detach().numpy() for g in ours.param_groups for p in g["params"]]),
        np.concatenate([p.detach().numpy() for g in theirs.param_groups for p in g["params"]]),
        rtol=1e-6,
    )
    assert ours.state_dict()["param_groups"] == theirs.state_dict()["param_groups"]


def test_options_of_a_group_can_be_changed():
    (p,) = leaves(minigrad, 1)
    opt = optim.SGD([p], lr=0.1)
    opt.param_groups[0]["lr"] = 0.5
    p.grad = minigrad.ones(1)
    opt.step()
    assert p.tolist() == [0.5]


def test_named_parameters():
    def build(library):
        a, b = leaves(library, 1, 2)
        opt = library.optim.SGD([("weight", a), ("bias", b)], lr=0.1)
        opt.add_param_group({"params": [("more", leaves(library, 1)[0])]})
        return opt

    ours, theirs = build(minigrad), build(torch)
    assert [g["param_names"] for g in ours.param_groups] == [["weight", "bias"], ["more"]]
    assert ours.state_dict() == theirs.state_dict()
    nameless = ours.state_dict()
    for group in nameless["param_groups"]:
        del group["param_names"]
    ours.load_state_dict(nameless)
    assert [g["param_names"] for g in ours.param_groups] == [["weight", "bias"], ["more"]]


def test_a_refused_group_leaves_everything_as_it_was():
    a, b = leaves(minigrad, 1, 2)
    opt = optim.SGD([a], lr=0.1)
    group = {"params": (p for p in [b, a])}
    given = group["params"]
    with pytest.raises(ValueError, match="some parameters appear in more than one parameter group"):
        opt.add_param_group(group)
    assert len(opt.param_groups) == 1
    assert group == {"params": given}


# -- errors ------------------------------------------------------------------------------------------------------------

ERRORS = {
    "empty": lambda lib: lib.optim.SGD([]),
    "empty generator": lambda lib: lib.optim.SGD(p for p in []),
    "a tensor": lambda lib: lib.optim.SGD(lib.ones(2)),
    "a set": lambda lib: lib.optim.SGD([{"params": set(leaves(lib, 1))}]),
    "not tensors": lambda lib: lib.optim.SGD([1.0]),
    "not tensors in a group": lambda lib: lib.optim.SGD([{"params": ["weight"]}]),
    "a class": lambda lib: lib.optim.SGD([{"params": [dict]}]),
    "non-leaf": lambda lib: lib.optim.SGD([leaves(lib, 2)[0] * 2]),
    "group not a dict": lambda lib: lib.optim.SGD(leaves(lib, 1)).add_param_group([1]),
    "group without params": lambda lib: lib.optim.SGD([{"lr": 1}]),
    "in two groups": lambda lib: [lib.optim.SGD([{"params": [p]}, {"params": [p]}]) for p in leaves(lib, 1)],
    "some names": lambda lib: lib.optim.SGD([("a", leaves(lib, 1)[0]), leaves(lib, 1)[0]]),
    "names in one group": lambda lib: lib.optim.SGD(
        [{"params": [("a", leaves(lib, 1)[0])]}, {"params": leaves(lib, 1)}]
    ),
    "no names in one group": lambda lib: lib.optim.SGD(
        [{"params": leaves(lib, 1)}, {"params": [("a", leaves(lib, 1)[0])]}]
    ),
    "SGD lr": lambda lib: lib.optim.SGD(leaves(lib, 1), lr=-1),
    "SGD momentum": lambda lib: lib.optim.SGD(leaves(lib, 1), momentum=-0.5),
    "SGD weight_decay": lambda lib: lib.optim.SGD(leaves(lib, 1), weight_decay=-0.5),
    "SGD nesterov": lambda lib: lib.optim.SGD(leaves(lib, 1), nesterov=True),
    "SGD nesterov damped": lambda lib: lib.optim.SGD(leaves(lib, 1), momentum=0.9, dampening=0.1, nesterov=True),
    "SGD lr shape": lambda lib: lib.optim.SGD(leaves(lib, 1), lr=lib.ones(2)),
    "SGD fused differentiable": lambda lib: lib.optim.SGD(leaves(lib, 1), fused=True, differentiable=True),
    "SGD fused foreach": lambda lib: lib.optim.SGD(leaves(lib, 1), fused=True, foreach=True),
    "Adam lr": lambda lib: lib.optim.Adam(leaves(lib, 1), lr=-1e-3),
    "Adam lr nan": lambda lib: lib.optim.Adam(leaves(lib, 1), lr=float("nan")),
    "Adam eps": lambda lib: lib.optim.Adam(leaves(lib, 1), eps=-1),
    "Adam beta 0": lambda lib: lib.optim.Adam(leaves(lib, 1), betas=(1.0, 0.9)),
    "Adam beta 1": lambda lib: lib.optim.Adam(leaves(lib, 1), betas=(0.9, -0.1)),
    "Adam weight_decay": lambda lib: lib.optim.Adam(leaves(lib, 1), weight_decay=-1),
    "Adam int betas": lambda lib: lib.optim.Adam(leaves(lib, 1), betas=(0, 0.9)),
    "Adam mixed betas": lambda lib: lib.optim.Adam(leaves(lib, 1), betas=(lib.tensor(0.9), 0.9)),
    "Adam foreach tensor lr": lambda lib: lib.optim.Adam(leaves(lib, 1), lr=lib.tensor(0.1), foreach=True),
    "Adam foreach tensor betas": lambda lib: lib.optim.Adam(
        leaves(lib, 1), betas=(lib.tensor(0.9), lib.tensor(0.9)), foreach=True
    ),
    "Adam fused foreach": lambda lib: lib.optim.AdamW(leaves(lib, 1), fused=True, foreach=True),
    "Adam fused differentiable": lambda lib: lib.optim.Adam(leaves(lib, 1), fused=True, differentiable=True),
    "RMSprop lr": lambda lib: lib.optim.RMSprop(leaves(lib, 1), lr=-1),
    "RMSprop eps": lambda lib: lib.optim.RMSprop(leaves(lib, 1), eps=-1),
    "RMSprop momentum": lambda lib: lib.optim.RMSprop(leaves(lib, 1), momentum=-1),
    "RMSprop weight_decay": lambda lib: lib.optim.RMSprop(leaves(lib, 1), weight_decay=-1),
    "RMSprop alpha": lambda lib: lib.optim.RMSprop(leaves(lib, 1), alpha=-1),
    "Adagrad lr_decay": lambda lib: lib.optim.Adagrad(leaves(lib, 1), lr_decay=-1),
    "Adagrad initial": lambda lib: lib.optim.Adagrad(leaves(lib, 1), initial_accumulator_value=-1),
    "Adagrad eps": lambda lib: lib.optim.Adagrad(leaves(lib, 1), eps=-1),
    "Adagrad fused": lambda lib: lib.optim.Adagrad(leaves(lib, 1), fused=True, foreach=True),
    "Adadelta rho": lambda lib: lib.optim.Adadelta(leaves(lib, 1), rho=1.1),
    "Adadelta eps": lambda lib: lib.optim.Adadelta(leaves(lib, 1), eps=-1),
    "Adamax beta": lambda lib: lib.optim.Adamax(leaves(lib, 1), betas=(0.0, 1.0)),
    "NAdam momentum_decay": lambda lib: lib.optim.NAdam(leaves(lib, 1), momentum_decay=-0.2),
    "RAdam beta": lambda lib: lib.optim.RAdam(leaves(lib, 1), betas=(1.0, 0.0)),
    "ASGD weight_decay": lambda lib: lib.optim.ASGD(leaves(lib, 1), weight_decay=-0.5),
    "Rprop etas": lambda lib: lib.optim.Rprop(leaves(lib, 1), etas=(1.0, 0.5)),
    "required option": lambda lib: lib.optim.Optimizer(leaves(lib, 1), {"lr": BASE[lib].required}),
    "no step": lambda lib: lib.optim.Optimizer(leaves(lib, 1), {}).step(),
    "hook result": lambda lib: [
        (opt.register_step_pre_hook(lambda *_: 3), opt.step()) for opt in [lib.optim.SGD(leaves(lib, 1))]
    ],
    "number of groups": lambda lib: lib.optim.SGD([{"params": p} for p in leaves(lib, 1, 1)]).load_state_dict(
        lib.optim.SGD(leaves(lib, 1)).state_dict()
    ),
    "size of group": lambda lib: lib.optim.SGD(leaves(lib, 1)).load_state_dict(
        lib.optim.SGD(leaves(lib, 1, 2)).state_dict()
    ),
}


@pytest.mark.parametrize("action", ERRORS.values(), ids=ERRORS)
def test_errors_are_torchs(action):
    def attempt(library):
        with pytest.raises(Exception) as error:
            action(library)
        return error.value

    ours, theirs = attempt(minigrad), attempt(torch)
    assert type(ours) is type(theirs)
    stable, _, _ = str(theirs).partition("<function")  # a hook's result: the message prints the step function
    assert str(ours).startswith(stable)


def test_duplicates_in_a_group_warn_and_count_twice():
    def run(library):
        (p,) = leaves(library, 1)
        with pytest.warns(UserWarning, match="optimizer contains a parameter group with duplicate parameters"):
            opt = library.optim.SGD([p, p], lr=0.1)
        p.grad = library.ones(1)
        opt.step()
        return p.tolist(), opt.state_dict()

    assert run(minigrad) == run(torch)


# -- steps, closures, hooks, zero_grad ---------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_closure_runs_with_gradients_enabled_and_its_loss_is_returned(name):
    (p,) = leaves(minigrad, 2)
    opt = getattr(optim, name)([p])
    losses = []

    def closure():
        opt.zero_grad()
        loss = (p * p).sum()
        loss.backward()
        losses.append(loss)
        return loss

    with minigrad.no_grad():
        assert opt.step(closure) is losses[0]
    assert losses[0].requires_grad
    assert p.grad.tolist() == [2, 2]
    assert opt.step() is None


def test_step_hooks_in_order():
    def run(library):
        (p,) = leaves(library, 1)
        opt = library.optim.SGD([p], lr=0.1)
        calls = []

        def note(name):
            return lambda o, args, kwargs: calls.append((name, o is opt, args == (opt,), kwargs))

        handles = [
            opt.register_step_post_hook(note("post")),
            BASE[library].register_optimizer_step_post_hook(note("global post")),
            opt.register_step_pre_hook(note("pre")),
            BASE[library].register_optimizer_step_pre_hook(note("global pre")),
        ]
        opt.step()
        for handle in handles:
            handle.remove()
        opt.step()
        return calls

    assert run(minigrad) == run(torch)
    assert [call[0] for call in run(minigrad)] == ["global pre", "pre", "post", "global post"]


def test_a_pre_hook_can_replace_the_arguments():
    (p,) = leaves(minigrad, 1)
    opt = optim.SGD([p])
    opt.register_step_pre_hook(lambda o, args, kwargs: ((o, lambda: 7.0), {}))
    assert opt.step() == 7.0


def test_hooks_of_an_overriding_step_run_once():
    class Twice(optim.SGD):
        def step(self, closure=None):
            super().step()
            return super().step(closure)

    (p,) = leaves(minigrad, 1)
    opt = Twice([p], lr=0.25)
    calls = []
    opt.register_step_post_hook(lambda *_: calls.append(1))
    p.grad = minigrad.ones(1)
    opt.step()
    assert calls == [1] and p.tolist() == [0.5]


def test_users_own_optimizer():
    """The base class as users know it from torch: options, state, step under no_grad."""

    class Signed(optim.Optimizer):
        def __init__(self, params, lr=0.1):
            super().__init__(params, {"lr": lr})

        @minigrad.no_grad()
        def step(self, closure=None):
            for group in self.param_groups:
                for p in group["params"]:
                    self.state[p]["count"] = self.state[p].get("count", 0) + 1
                    p.add_(p.grad.sign(), alpha=-group["lr"])

    (p,) = leaves(minigrad, 2)
    opt = Signed([p])
    p.grad = minigrad.tensor([3.0, -2.0])
    opt.step()
    assert p.tolist() == pytest.approx([0.9, 1.1])
    assert opt.state_dict() == {"state": {0: {"count": 1}}, "param_groups": [{"lr": 0.1, "params": [0]}]}
    other = Signed(leaves(minigrad, 2))
    other.load_state_dict(opt.state_dict())
    assert other.state[other.param_groups[0]["params"][0]] == {"count": 1}


def test_zero_grad():
    a, b = leaves(minigrad, 2, 3)
    opt = optim.SGD([a, b])
    a.grad = grad = minigrad.ones(2)
    opt.zero_grad(set_to_none=False)
    assert a.grad is grad and a.grad.tolist() == [0, 0] and b.grad is None
    opt.zero_grad()
    assert a.grad is None


def test_zero_grad_detaches_a_gradient_with_history():
    (p,) = leaves(minigrad, 2)
    opt = optim.SGD([p])
    (p * p).sum().backward(create_graph=True)
    assert p.grad.requires_grad
    opt.zero_grad(set_to_none=False)
    assert p.grad.tolist() == [0, 0] and not p.grad.requires_grad and p.grad.grad_fn is None


def test_a_step_inside_backward():
    """Optimizing in a hook, as soon as a gradient is there, is a pattern of torch's tutorials."""
    (p,) = leaves(minigrad, 2)
    opt = optim.SGD([p], lr=0.25)

    def step(_):
        opt.step()
        opt.zero_grad()

    p.register_post_accumulate_grad_hook(step)
    (p * p).sum().backward()
    assert p.tolist() == [0.5, 0.5] and p.grad is None


@pytest.mark.parametrize("name", NAMES)
def test_no_numpy_warning_reaches_the_user(name):
    (p,) = leaves(minigrad, 3)
    opt = getattr(optim, name)([p])
    with warnings.catch_warnings(), np.errstate(all="warn"):
        warnings.simplefilter("error")
        for value in (np.inf, 3e38, np.nan):
            p.grad = minigrad.full((3,), float(value))
            opt.step()
        assert set(np.geterr().values()) == {"warn"}


@pytest.mark.parametrize("name", NAMES)
def test_state_follows_the_default_dtype_as_torchs(name):
    dtypes = []
    for library in LIBRARIES:
        before = library.get_default_dtype()
        library.set_default_dtype(library.float64)
        try:
            p = library.ones(2, dtype=library.float32, requires_grad=True)
            opt = getattr(library.optim, name)([p], **FULL.get(name, {}))
            p.grad = library.ones(2, dtype=library.float32)
            opt.step()
        finally:
            library.set_default_dtype(before)
        dtypes.append({key: str(value.dtype) for key, value in opt.state[p].items()})
    assert dtypes[0] == dtypes[1]


# -- state dicts -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", NAMES)
def test_state_dict_is_torchs_and_goes_there_and_back_mid_run(name, dtype):
    """Three steps; then the state moves minigrad -> torch and torch -> minigrad; three more steps in all four."""
    options = FULL.get(name, {})
    sizes = (3, 1)

    def start(library):
        params = [library.ones(n, dtype=getattr(library, dtype), requires_grad=True) for n in sizes]
        return params, getattr(library.optim, name)(params, **options)

    def steps(library, params, opt, seeds):
        for seed in seeds:
            give_grads(library, params, seed, dtype)
            opt.step()

    ours, opt = start(minigrad)
    theirs, torch_opt = start(torch)
    steps(minigrad, ours, opt, range(3))
    steps(torch, theirs, torch_opt, range(3))
    state, expected = opt.state_dict(), torch_opt.state_dict()
    assert state["param_groups"] == expected["param_groups"]
    assert list(state["state"]) == list(expected["state"]) == [0, 1]
    assert [list(s) for s in state["state"].values()] == [list(s) for s in expected["state"].values()]

    moved_in, moved_opt = start(minigrad)
    moved_out, moved_torch_opt = start(torch)
    for library, here, there in [
        *((minigrad, p, q) for p, q in zip(moved_in, theirs, strict=True)),
        *((torch, p, q) for p, q in zip(moved_out, ours, strict=True)),
    ]:
        here.data = library.from_numpy(there.detach().numpy().copy())
    moved_opt.load_state_dict(from_torch(expected))
    moved_torch_opt.load_state_dict(to_torch(state))
    runs = [
        (minigrad, ours, opt),
        (torch, theirs, torch_opt),
        (minigrad, moved_in, moved_opt),
        (torch, moved_out, moved_torch_opt),
    ]
    for run in runs:
        steps(*run, range(3, 6))
    rtol = 1e-6 if dtype == "float32" else 1e-14
    for p, q in zip([*ours, *moved_in], [*theirs, *moved_out], strict=True):
        np.testing.assert_allclose(p.detach().numpy(), q.detach().numpy(), rtol=rtol, atol=rtol)
    for p, q in zip(moved_out, theirs, strict=True):  # a loaded state's scalars have the parameter's dtype
        np.testing.assert_allclose(p.detach().numpy(), q.detach().numpy(), rtol=1e-6, atol=1e-6)
    for other, reference in ((opt, torch_opt), (moved_opt, moved_torch_opt)):
        for s, t in zip(other.state_dict()["state"].values(), reference.state_dict()["state"].values(), strict=True):
            for key in t:
                assert str(s[key].dtype) == str(t[key].dtype)
                np.testing.assert_allclose(np.asarray(s[key]), np.asarray(t[key]), rtol=10 * rtol, atol=rtol)


def test_load_state_dict_copies():
    """Unlike torch, which then updates one buffer from two optimizers."""
    (a,), (b,) = leaves(minigrad, 2), leaves(minigrad, 2)
    first, second = optim.Adam([a]), optim.Adam([b])
    give_grads(minigrad, [a, b], 0)
    first.step()
    saved = first.state_dict()
    second.load_state_dict(saved)
    before = plain(saved["state"])
    second.step()
    assert plain(first.state_dict()["state"]) == before
    assert second.state[b]["step"].item() == 2


def test_load_state_dict_takes_the_parameters_dtype_but_keeps_step_counts():
    p = minigrad.ones(2, dtype=minigrad.float64, requires_grad=True)
    (q,) = leaves(minigrad, 2)
    source, opt = optim.Adam([q]), optim.Adam([p])
    give_grads(minigrad, [q], 0)
    source.step()
    opt.load_state_dict(source.state_dict())
    assert opt.state[p]["exp_avg"].dtype is minigrad.float64
    assert opt.state[p]["step"].dtype is minigrad.float32


def test_a_refused_state_dict_changes_nothing():
    a, b = leaves(minigrad, 1, 2)
    opt = optim.Adam([{"params": [a], "lr": 0.5}, {"params": [b]}])
    give_grads(minigrad, [a, b], 0)
    opt.step()
    before = plain(opt.state_dict())
    others = [
        optim.Adam(leaves(minigrad, 1, 2)),
        optim.Adam([{"params": leaves(minigrad, 1, 2)}, {"params": leaves(minigrad, 3)}]),
    ]
    for other in others:
        with pytest.raises(ValueError, match="loaded state dict"):
            opt.load_state_dict(other.state_dict())
    assert plain(opt.state_dict()) == before


def test_older_state_dicts_lack_options_and_count_steps_in_numbers():
    (p,) = leaves(minigrad, 2)
    opt = optim.Adam([p])
    give_grads(minigrad, [p], 0)
    opt.step()
    saved = opt.state_dict()
    saved["state"][0]["step"] = 1
    for option in ("amsgrad", "maximize", "foreach", "capturable", "differentiable", "fused", "decoupled_weight_decay"):
        del saved["param_groups"][0][option]
    opt.load_state_dict(saved)
    give_grads(minigrad, [p], 1)
    opt.step()
    assert opt.state[p]["step"].item() == 2
    assert opt.param_groups[0]["amsgrad"] is False


def test_adamw_stays_decoupled_with_an_older_state_dict():
    opt = optim.AdamW(leaves(minigrad, 1))
    saved = opt.state_dict()
    del saved["param_groups"][0]["decoupled_weight_decay"]
    opt.load_state_dict(saved)
    assert opt.param_groups[0]["decoupled_weight_decay"] is True


def test_state_dict_hooks():
    def run(library):
        params = leaves(library, 1)
        opt = library.optim.SGD(params, lr=0.1)
        calls = []
        opt.register_state_dict_pre_hook(lambda o: calls.append("pre"))
        opt.register_state_dict_pre_hook(lambda o: calls.append("first"), prepend=True)
        opt.register_state_dict_post_hook(lambda o, d: {**d, "extra": 1})
        opt.register_load_state_dict_pre_hook(lambda o, d: calls.append(d.pop("extra")))
        opt.register_load_state_dict_post_hook(lambda o: calls.append("loaded"))
        saved = opt.state_dict()
        opt.load_state_dict(saved)
        return calls, saved

    assert run(minigrad) == run(torch)


@pytest.mark.parametrize("name", NAMES)
def test_deepcopy_continues_on_its_own(name):
    model = {"p": leaves(minigrad, 3)[0]}
    model["opt"] = getattr(optim, name)([model["p"]], **FULL.get(name, {}))
    give_grads(minigrad, [model["p"]], 0)
    model["opt"].step()
    twin = copy.deepcopy(model)
    assert twin["opt"].param_groups[0]["params"][0] is twin["p"]
    before = plain(model["opt"].state_dict())
    for m in (twin, model):
        give_grads(minigrad, [m["p"]], 1)
        m["opt"].step()
        if m is twin:
            assert plain(model["opt"].state_dict()) == before
    assert twin["p"].tolist() == model["p"].tolist()


# -- what a step cannot write to ---------------------------------------------------------------------------------------


def message_of_both(run):
    """What both engines raise, a RuntimeError that begins alike: minigrad's words."""
    raised = []
    for library in LIBRARIES:
        with pytest.raises(RuntimeError) as caught:
            run(library)
        raised.append(str(caught.value))
    assert raised[0][:44] == raised[1][:44]
    return raised[LIBRARIES.index(minigrad)]


@pytest.mark.parametrize("name", [*NAMES, "LBFGS"])
def test_expanded_parameters_are_refused(name):
    seen = []

    def run(library):
        p = library.ones(1).expand(3).requires_grad_()
        p.grad = library.tensor([1.0, 2.0, 3.0])
        seen.append(p)
        getattr(library.optim, name)([p], lr=0.1).step(*[lambda: 1.0] * (name == "LBFGS"))

    assert "more than one element of the written-to tensor refers to a single memory location" in message_of_both(run)
    assert [p.tolist() for p in seen] == [[1.0, 1.0, 1.0]] * 2


@pytest.mark.parametrize("dtype", ["float64", "float16"])
@pytest.mark.parametrize("name", ["Adam", "AdamW", "Adamax", "NAdam", "RAdam"])
def test_a_gradient_of_another_dtype_than_the_parameters(name, dtype):
    def run(library):
        (p,) = leaves(library, 3)
        give_grads(library, [p], 0)
        p.data = p.data.to(getattr(library, dtype))
        getattr(library.optim, name)([p], lr=0.1).step()

    assert "expected dtype" in message_of_both(run)


def test_an_expanded_parameter_that_was_given_memory_of_its_own_is_updated():
    p = minigrad.ones(1).expand(3).requires_grad_()
    opt = optim.SGD([p], lr=1.0)
    p.data = minigrad.zeros(3)
    p.grad = minigrad.tensor([1.0, 2.0, 3.0])
    opt.step()
    assert p.tolist() == [-1.0, -2.0, -3.0]


@pytest.mark.parametrize("sizes", [(1, 3), (2, 3), (3, (2, 3)), ((3, 1), 3), (5000, 6000), (65536, 65537)])
@pytest.mark.parametrize("name", [*NAMES, "LBFGS"])
def test_a_state_that_is_not_the_parameters(name, sizes):
    def run(library):
        loaded = None
        for size in sizes:
            (p,) = leaves(library, size)
            opt = getattr(library.optim, name)([p], lr=0.1, **FULL.get(name, {}))
            if loaded is not None:
                opt.load_state_dict(loaded)
            give_grads(library, [p], 0)
            opt.step(*[lambda: 1.0] * (name == "LBFGS"))
            loaded = opt.state_dict()

    if name == "LBFGS" and sizes != (2, 3):
        if sizes == ((3, 1), 3):  # which has one vector of all parameters
            return
        with pytest.raises(RuntimeError, match="optimizer of other parameters"):
            run(minigrad)
    elif name == "Rprop" and sizes in (
        (2, 3),
        (5000, 6000),
        (65536, 65537),
    ):  # torch compares its two arrays the other way round
        with pytest.raises(RuntimeError, match=r"The size of tensor a \(\d+\) must match"):
            run(minigrad)
    else:
        assert "optimizer of other parameters" in message_of_both(run)
