"""Module against torch's: registries, iteration, state dicts, hooks, conversion, repr, and the texts of errors."""

import copy
import gc
import warnings
import weakref
from collections import OrderedDict

import numpy as np
import pytest
import torch

import minigrad
import minigrad.nn as nn


def build(e):
    """A small tree with a shared module, a frozen buffer, and a parameter that is None."""

    class Net(e.nn.Module):
        def __init__(self):
            super().__init__()
            self.first = e.nn.Linear(2, 3)
            self.shared = e.nn.Sequential(e.nn.Linear(3, 3, bias=False), e.nn.BatchNorm1d(3))
            self.again = self.shared
            self.scale = e.nn.Parameter(e.tensor(2.0))
            self.register_parameter("absent", None)
            self.register_buffer("count", e.tensor(1))
            self.register_buffer("scratch", e.ones(2), persistent=False)
            self.nothing = None

        def forward(self, x):
            return self.shared(self.first(x)) * self.scale

    e.manual_seed(0)
    return Net()


def test_iteration(both):
    def run(e):
        net = build(e)
        return {
            "parameters": [n for n, _ in net.named_parameters()],
            "own": [n for n, _ in net.named_parameters(recurse=False)],
            "prefix": [n for n, _ in net.named_parameters(prefix="net")],
            "duplicates": [n for n, _ in net.named_parameters(remove_duplicate=False)],
            "count": len(list(net.parameters())),
            "buffers": [n for n, _ in net.named_buffers()],
            "own buffers": [n for n, _ in net.named_buffers(recurse=False)],
            "count buffers": len(list(net.buffers())),
            "modules": [n for n, _ in net.named_modules()],
            "all modules": [n for n, _ in net.named_modules(remove_duplicate=False)],
            "prefixed": [n for n, _ in net.named_modules(prefix="p")],
            "children": [n for n, _ in net.named_children()],
            "count modules": (len(list(net.modules())), len(list(net.children()))),
            "state": list(net.state_dict()),
            "state with prefix": list(net.state_dict(prefix="x.")),
            "dir": [n for n in dir(net) if n in ("first", "scale", "count", "forward", "training")],
            "repr": repr(net),
            "metadata": dict(net.state_dict()._metadata),
        }

    ours, theirs = both(run)
    for key in theirs:
        assert ours[key] == theirs[key], key


def test_attributes_change_place(both):
    def run(e):
        m = e.nn.Module()
        log = []

        def note():
            log.append(
                [sorted(x) for x in (m._parameters, m._buffers, m._modules)] + [sorted(set(vars(m)) & {"a", "b"})]
            )

        m.a = 1
        note()
        m.a = e.nn.Parameter(e.ones(1))
        note()
        m.a = None
        note()
        m.a = e.nn.Parameter(e.zeros(1))
        del m.a
        note()
        m.register_buffer("a", e.ones(1))
        note()
        m.a = e.zeros(1)
        note()
        m.a = e.nn.Linear(1, 1)
        note()
        m.a = None
        note()
        del m.a
        m.b = m.a = e.ones(1)
        note()
        m.a = e.nn.Parameter(e.ones(1))
        m.b = e.nn.ReLU()
        note()
        return log

    ours, theirs = both(run)
    assert ours == theirs


def test_order_of_parameters_survives_reassignment(both):
    def run(e):
        m = e.nn.Linear(1, 1)
        m.weight = e.nn.Parameter(e.ones(1, 1))
        return [n for n, _ in m.named_parameters()]

    ours, theirs = both(run)
    assert ours == theirs == ["weight", "bias"]


ATTRIBUTE_ERRORS = {
    "tensor as parameter": lambda e, m: setattr(m, "weight", e.ones(2, 2)),
    "number as parameter": lambda e, m: setattr(m, "weight", 1),
    "tensor as module": lambda e, m: setattr(e.nn.Sequential(m), "0", e.ones(1)),
    "number as buffer": lambda e, m: setattr(e.nn.BatchNorm1d(1), "running_mean", 3),
    "register tensor": lambda e, m: m.register_parameter("q", e.ones(1)),
    "register dot": lambda e, m: m.register_parameter("q.a", None),
    "register empty": lambda e, m: m.register_parameter("", None),
    "register taken": lambda e, m: m.register_parameter("forward", None),
    "register number": lambda e, m: m.register_parameter(1, None),
    "buffer taken": lambda e, m: m.register_buffer("weight", None),
    "buffer list": lambda e, m: m.register_buffer("b", [1]),
    "buffer dot": lambda e, m: m.register_buffer("b.c", None),
    "module tensor": lambda e, m: m.add_module("b", e.ones(1)),
    "module taken": lambda e, m: m.add_module("weight", None),
    "module number": lambda e, m: m.add_module(1, None),
    "module dot": lambda e, m: m.register_module("a.b", None),
    "module empty": lambda e, m: m.register_module("", None),
    "missing": lambda e, m: m.nope,
    "delete missing": lambda e, m: delattr(m, "nope"),
    "train": lambda e, m: m.train("a"),
    "submodule": lambda e, m: m.get_submodule("x.y"),
    "submodule parameter": lambda e, m: m.get_submodule("weight"),
    "parameter path": lambda e, m: m.get_parameter("x.y"),
    "parameter": lambda e, m: m.get_parameter("x"),
    "parameter number": lambda e, m: m.get_parameter("in_features"),
    "buffer": lambda e, m: m.get_buffer("weight"),
    "set submodule": lambda e, m: m.set_submodule("", m),
    "set submodule strict": lambda e, m: m.set_submodule("x", e.nn.ReLU(), strict=True),
    "to integer": lambda e, m: m.to(e.int64),
    "to copy": lambda e, m: m.to(e.float64, copy=True),
    "to copy, third": lambda e, m: m.to(e.float64, False, True),
    "no forward": lambda e, m: e.nn.Module()(1),
    "arguments": lambda e, m: e.nn.Module(1),
    "keyword": lambda e, m: e.nn.Module(a=1),
}


@pytest.mark.parametrize("case", ATTRIBUTE_ERRORS)
def test_errors(case, same_error):
    same_error(lambda e: ATTRIBUTE_ERRORS[case](e, e.nn.Linear(2, 2)))


def forgetful(e, then):
    class Net(e.nn.Module):
        def __init__(self):
            then(self)

        def forward(self, x):
            return x

    return Net


FORGOTTEN = {
    "module": lambda e: forgetful(e, lambda s: setattr(s, "l", e.nn.Linear(1, 1)))(),
    "parameter": lambda e: forgetful(e, lambda s: setattr(s, "p", e.nn.Parameter(e.ones(1))))(),
    "buffer": lambda e: forgetful(e, lambda s: s.register_buffer("b", e.ones(1)))(),
    "register": lambda e: forgetful(e, lambda s: s.register_parameter("b", None))(),
    "call": lambda e: forgetful(e, lambda s: None)()(1),
    "parameters": lambda e: list(forgetful(e, lambda s: None)().parameters()),
    "missing": lambda e: forgetful(e, lambda s: None)().weight,
}


@pytest.mark.parametrize("case", FORGOTTEN)
def test_forgotten_super_init(case, same_error):
    same_error(FORGOTTEN[case])


def test_plain_attributes_before_init_are_fine(both):
    ours, theirs = both(lambda e: forgetful(e, lambda s: setattr(s, "x", 1))().x)
    assert ours == theirs == 1


def test_forgetting_to_call_the_model():
    """The model given where its output is meant: the loss says which attribute a Module lacks."""
    with pytest.raises(AttributeError, match="'Linear' object has no attribute 'size'"):
        nn.MSELoss()(nn.Linear(1, 1), minigrad.ones(1))


def test_zero_grad_requires_grad_train_apply(both):
    def run(e):
        net = build(e)
        net(e.ones(4, 2) * e.tensor([[1.0], [2.0], [3.0], [5.0]])).sum().backward()
        before = [p.grad is not None for p in net.parameters()]
        net.zero_grad(set_to_none=False)
        zeros = [p.grad.abs().sum().item() for p in net.parameters()]
        net.zero_grad()
        after = [p.grad for p in net.parameters()]
        frozen = net.requires_grad_(False) is net and [p.requires_grad for p in net.parameters()]
        evaluation = net.eval() is net and [m.training for m in net.modules()]
        training = [m.training for m in net.train().modules()]
        seen = []
        assert net.apply(lambda m: seen.append(type(m).__name__)) is net
        return before, zeros, after, frozen, evaluation, training, seen

    ours, theirs = both(run)
    assert ours == theirs


def test_get_and_set_submodule(both):
    def run(e):
        net = build(e)
        net.set_submodule("shared.0", e.nn.Tanh())
        return (
            repr(net.get_submodule("shared.0")),
            net.get_submodule("") is net,
            tuple(net.get_parameter("first.weight").shape),
            net.get_buffer("shared.1.num_batches_tracked").item(),
        )

    ours, theirs = both(run)
    assert ours == theirs


CONVERSIONS = {
    "double": lambda e, m: m.double(),
    "half": lambda e, m: m.half(),
    "float": lambda e, m: m.double().float(),
    "to dtype": lambda e, m: m.to(e.float64),
    "to keyword": lambda e, m: m.to(dtype=e.float64),
    "to device": lambda e, m: m.to("cpu"),
    "to device and dtype": lambda e, m: m.to("cpu", e.float64),
    "to tensor": lambda e, m: m.to(e.ones(1).double()),
    "to nothing": lambda e, m: m.to(),
    "to Python's float": lambda e, m: m.to(float),
    "to no device": lambda e, m: m.to(None, e.float64, True),
    "to keyword tensor": lambda e, m: m.to(tensor=e.ones(1).double()),
    "cpu": lambda e, m: m.cpu(),
}


@pytest.mark.parametrize("case", CONVERSIONS)
def test_conversion(case, both):
    def run(e):
        net = build(e)
        net(e.tensor([[1.0, 2.0], [3.0, -4.0]])).sum().backward()
        identities = [id(p) for p in net.parameters()]
        assert CONVERSIONS[case](e, net) is net
        assert [id(p) for p in net.parameters()] == identities
        return (
            [str(p.dtype) for p in net.parameters()],
            [str(p.grad.dtype) for p in net.parameters()],
            [str(b.dtype) for b in net.buffers()],
        )

    ours, theirs = both(run)
    assert ours == theirs


def test_to_empty_keeps_all_but_the_values(both):
    def run(e):
        layer = e.nn.BatchNorm1d(3)
        layer.weight.grad = e.ones(3)
        weight = layer.weight
        assert layer.to_empty(device="cpu") is layer and layer.weight is weight
        return [(name, tuple(t.shape), str(t.dtype), t.requires_grad) for name, t in layer.state_dict().items()]

    ours, theirs = both(run)
    assert ours == theirs


def test_what_changes_nothing_here(both):
    def run(e):
        layer = e.nn.Linear(2, 1)
        return layer.share_memory() is layer, layer.compile(), repr(e.nn.ReLU().cuda())

    ours, theirs = both(run)
    assert ours == theirs == (True, None, "ReLU()")


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_there_is_no_gpu():
    for engine in (minigrad, torch):
        with pytest.raises(AssertionError, match="Torch not compiled with CUDA enabled"):
            engine.nn.Linear(2, 1).cuda()


NO_CONVERSIONS = {
    "misspelt": lambda e, m: m.to(dytpe=e.float64),
    "one more": lambda e, m: m.to(e.float64, foo=1),
    "two dtypes": lambda e, m: m.to(e.float64, e.float32),
    "two devices": lambda e, m: m.to("cpu", "cpu"),
    "twice": lambda e, m: m.to(e.float64, dtype=e.float64),
    "no bool": lambda e, m: m.to(e.float64, 1),
    "no device": lambda e, m: m.to(device=1.5),
    "no dtype": lambda e, m: m.to(dtype="float64"),
}


@pytest.mark.parametrize("case", NO_CONVERSIONS)
def test_what_no_conversion_takes(case, both):
    def run(e):
        layer = e.nn.Linear(1, 1)
        with pytest.raises(TypeError) as caught:
            NO_CONVERSIONS[case](e, layer)
        return str(layer.weight.dtype), str(caught.value).partition(", but")[0].rstrip(", )")

    ours, theirs = both(run)
    assert ours == theirs


def test_type_converts_integers_too(both):
    ours, theirs = both(lambda e: [str(b.dtype) for b in e.nn.BatchNorm1d(2).type(e.float64).buffers()])
    assert ours == theirs


# ---------------------------------------------------------------------- state


def test_state_dict_shares_memory_and_has_no_history():
    layer = nn.Linear(2, 2)
    state = layer.state_dict()
    assert isinstance(state, OrderedDict) and type(state["weight"]) is minigrad.Tensor
    assert not state["weight"].requires_grad
    with minigrad.no_grad():
        layer.weight.fill_(7)
    assert state["weight"].tolist() == [[7.0, 7.0], [7.0, 7.0]]
    assert layer.state_dict(keep_vars=True)["weight"] is layer.weight
    given = {}
    assert layer.state_dict(destination=given, prefix="a.") is given and list(given) == ["a.weight", "a.bias"]


def test_positional_state_dict_warns(same_warning):
    same_warning(lambda e: e.nn.Linear(1, 1).state_dict({}))


def state_of(e, net):
    return {k: v.clone() for k, v in net.state_dict().items()}


def changed(e, change):
    """(error or result, whether every value is as before) of loading a changed state dict."""
    net = build(e)
    before = state_of(e, net)
    state = {k: v + 1 for k, v in before.items()}
    change(e, state)
    try:
        result = repr(net.load_state_dict(state))
    except Exception as error:
        result = type(error).__name__, str(error)
    now = net.state_dict()
    return result, all((now[k] == before[k]).all().item() for k in before)


def drop(key):
    return lambda e, state: state.pop(key)


def put(key, value):
    return lambda e, state: state.__setitem__(key, value(e))


STATE_CHANGES = {
    "none": lambda e, state: None,
    "missing": drop("first.weight"),
    "missing last": drop("again.1.bias"),
    "unexpected": put("other", lambda e: e.ones(1)),
    "unexpected below": put("first.other.deep", lambda e: e.ones(1)),
    "size": put("again.1.bias", lambda e: e.ones(4)),
    "size and missing": lambda e, state: (state.pop("first.bias"), state.__setitem__("scale", e.ones(2))),
    "one element for a scalar": put("scale", lambda e: e.ones(1)),
    "not a tensor": put("again.1.bias", lambda e: [1.0]),
    "all wrong": lambda e, state: (state.clear(), state.__setitem__("a", e.ones(1)), state.__setitem__("b", e.ones(1))),
}


@pytest.mark.parametrize("case", STATE_CHANGES)
def test_load_state_dict(case, both):
    (ours, unchanged), (theirs, _) = both(lambda e: changed(e, STATE_CHANGES[case]))
    assert ours == theirs
    # torch copies what fits before it raises; we change nothing.
    assert unchanged == isinstance(ours, tuple)


def test_load_state_dict_not_strict(both):
    def run(e):
        net = build(e)
        state = state_of(e, net)
        del state["first.weight"]
        state["other"] = e.ones(1)
        state["scale"] = e.tensor(9.0)
        result = net.load_state_dict(state, strict=False)
        return repr(result), result.missing_keys, result.unexpected_keys, net.scale.item()

    ours, theirs = both(run)
    assert ours == theirs


def test_load_state_dict_needs_a_mapping(same_error):
    same_error(lambda e: e.nn.Linear(1, 1).load_state_dict([1]), exact=False)
    with pytest.raises(TypeError, match="Expected state_dict to be dict-like, got <class 'list'>"):
        nn.Linear(1, 1).load_state_dict([1])


def test_load_state_dict_assigns(both):
    def run(e):
        layer = e.nn.Linear(1, 1)
        weight, bias = e.ones(1, 1), e.nn.Parameter(e.ones(1), requires_grad=False)
        layer.load_state_dict({"weight": weight, "bias": bias}, assign=True)
        return layer.bias is bias, bias.requires_grad, type(layer.weight).__name__, layer.weight.tolist()

    ours, theirs = both(run)
    assert ours == theirs


def test_failed_assignment_puts_the_old_parameters_back():
    layer = nn.Linear(1, 1)
    old = dict(layer.named_parameters())
    with pytest.raises(RuntimeError, match="size mismatch for bias"):
        layer.load_state_dict({"weight": minigrad.ones(1, 1), "bias": minigrad.ones(2)}, assign=True)
    assert all(p is old[n] for n, p in layer.named_parameters())


def test_an_exception_in_a_hook_changes_nothing():
    net = nn.Sequential(nn.Linear(1, 1), nn.Linear(1, 1))
    before = [p.tolist() for p in net.parameters()]
    net[1].register_load_state_dict_pre_hook(lambda *arguments: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        net.load_state_dict({k: v + 1 for k, v in net.state_dict().items()})
    assert [p.tolist() for p in net.parameters()] == before


def test_loading_keeps_parameter_objects_and_bumps_versions():
    layer = nn.Linear(2, 1)
    weight, version = layer.weight, layer.weight._version
    layer.load_state_dict({"weight": minigrad.ones(1, 2), "bias": minigrad.ones(1)})
    assert layer.weight is weight and weight._version > version and weight.requires_grad


def test_state_dict_hooks(both):
    def run(e):
        log = []
        net = e.nn.Sequential(e.nn.Linear(1, 1))

        def pre(module, prefix, keep_vars):
            log.append(("pre", type(module).__name__, prefix))

        def post(module, state, prefix, metadata):
            log.append(("post", prefix, list(state), metadata))
            state[prefix + "extra"] = e.ones(1)

        def before(module, state, prefix, metadata, strict, missing, unexpected, errors):
            log.append(("load", type(module).__name__, prefix, sorted(state)))
            state.pop(prefix + "extra", None)

        def after(module, keys):
            log.append(("loaded", type(module).__name__, keys.missing_keys, keys.unexpected_keys))
            keys.missing_keys.clear()

        net[0].register_state_dict_pre_hook(pre)
        handle = net[0].register_state_dict_post_hook(post)
        net[0].register_load_state_dict_pre_hook(before)
        net.register_load_state_dict_post_hook(after)
        state = net.state_dict()
        del state["0.bias"]
        log.append(repr(net.load_state_dict(state)))
        handle.remove()
        log.append(list(net.state_dict()))
        return log

    ours, theirs = both(run)
    assert ours == theirs


def test_extra_state(both):
    def run(e):
        class Counter(e.nn.Module):
            def __init__(self):
                super().__init__()
                self.n = 3

            def get_extra_state(self):
                return {"n": self.n}

            def set_extra_state(self, state):
                self.n = state["n"]

        net = e.nn.Sequential(Counter())
        state = net.state_dict()
        state["0._extra_state"] = {"n": 8}
        net.load_state_dict(state)
        missing = net.load_state_dict({}, strict=False)
        unexpected = e.nn.Sequential(e.nn.ReLU()).load_state_dict(state, strict=False)
        return net[0].n, list(state), repr(missing), repr(unexpected)

    ours, theirs = both(run)
    assert ours == theirs


def test_deepcopy():
    net = nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2))
    net[0].register_forward_hook(print)
    twin = copy.deepcopy(net)
    assert repr(twin) == repr(net)
    for (name, ours), (_, theirs) in zip(twin.named_parameters(), net.named_parameters(), strict=True):
        assert ours is not theirs and ours.tolist() == theirs.tolist(), name
    assert len(twin[0]._forward_hooks) == 1
    with minigrad.no_grad():
        twin[0].weight.fill_(0.5)
    assert net[0].weight.tolist() != twin[0].weight.tolist()


def test_no_cycles_keep_a_model_alive():
    gc.disable()
    try:
        net = nn.Sequential(nn.Linear(2, 2), nn.ReLU())
        net(minigrad.ones(1, 2)).sum().backward()
        reference = weakref.ref(net[0].weight), weakref.ref(net)
        del net
        assert [r() for r in reference] == [None, None]
    finally:
        gc.enable()


# ---------------------------------------------------------------------- hooks


def test_forward_hooks(both):
    def run(e):
        log = []

        class Net(e.nn.Module):
            def forward(self, x, y=0):
                log.append(("forward", x, y))
                return x + y

        net = Net()
        handles = [
            net.register_forward_pre_hook(lambda m, args: log.append(("pre", args))),
            net.register_forward_pre_hook(lambda m, args: (args[0] * 10,), prepend=True),
            net.register_forward_pre_hook(lambda m, args, kw: (args, {"y": kw.get("y", 0) + 1}), with_kwargs=True),
            net.register_forward_hook(lambda m, args, out: log.append(("post", args, out))),
            net.register_forward_hook(lambda m, args, out: out + 1000, prepend=True),
            net.register_forward_hook(lambda m, args, kw, out: log.append(("kw", args, kw, out)), with_kwargs=True),
        ]
        log.append(net(2, y=5))
        for handle in handles[1:5]:
            handle.remove()
        log.append(net(2))
        with net.register_forward_pre_hook(lambda m, args: 7):
            log.append(net(2))
        log.append(net(2))
        return log

    ours, theirs = both(run)
    assert ours == theirs


def test_always_called_hooks(both):
    def run(e):
        log = []

        class Net(e.nn.Module):
            def forward(self, x):
                if x < 0:
                    raise ValueError("negative")
                return x

        net = Net()
        net.register_forward_hook(lambda m, args, out: log.append(("always", args, out)), always_call=True)
        net.register_forward_hook(lambda m, args, out: log.append(("sometimes", out)))
        net(1)
        with pytest.raises(ValueError, match="negative"):
            net(-1)
        return log

    ours, theirs = both(run)
    assert ours == theirs


def test_an_always_called_hook_that_raises_is_a_warning(same_warning):
    def run(e):
        net = e.nn.ReLU()
        net.register_forward_hook(lambda m, args, out: 1 / 0, always_call=True)
        with pytest.raises(TypeError):
            net("text")

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        run(minigrad)
    assert "was silenced as another error was raised in forward: division by zero" in str(caught[-1].message)


def test_bad_kwargs_hook(same_error):
    def run(e):
        net = e.nn.ReLU()
        net.register_forward_pre_hook(lambda m, args, kw: 3, with_kwargs=True)
        net(e.ones(1))

    same_error(run)


class Scenario:
    """A module of two inputs and two outputs, with full backward hooks that note what they see."""

    def __init__(self, e, **hooks):
        class Two(e.nn.Module):
            def forward(self, a, b, *, k=1.0):
                return a * b, a + 1

        self.e, self.log, self.module = e, [], Two()

    def note(self, tag):
        def text(grads):
            return [None if g is None else g.tolist() for g in grads]

        def pre(module, grad_output):
            self.log.append((tag, text(grad_output)))

        def full(module, grad_input, grad_output):
            self.log.append((tag, text(grad_input), text(grad_output)))

        return pre, full


def leaf(e, *values):
    return e.tensor(values, requires_grad=True)


def test_full_backward_hooks_see_torchs_gradients(both):
    def run(e):
        s = Scenario(e)
        pre, full = s.note("both")
        s.module.register_full_backward_pre_hook(pre)
        s.module.register_full_backward_hook(full)
        x, y = leaf(e, 1.0, 2.0), leaf(e, 3.0, 4.0)
        constant = e.tensor([5.0, 6.0])
        for a, b in ((x, y), (x, constant), (x, 3.0)):
            for use in (lambda o: o[0].sum(), lambda o: o[1].sum(), lambda o: (o[0] * o[1]).sum()):
                use(s.module(a, b)).backward()
        with e.no_grad():
            s.module(x, y)
        s.module(constant, constant)
        out = s.module(x, y)
        return s.log, x.grad.tolist(), y.grad.tolist(), type(out[0].grad_fn).__name__ or ""

    (ours, *grads, _), (theirs, *reference, _) = both(run)
    assert ours == theirs
    assert grads == reference


def test_backward_hooks_replace_gradients(both):
    def run(e):
        results = []
        relu = e.nn.ReLU()
        for register, hook in (
            ("register_full_backward_pre_hook", lambda m, go: (go[0] * 3,)),
            ("register_full_backward_hook", lambda m, gi, go: (gi[0] * 5,)),
        ):
            x = leaf(e, 1.0, -2.0, 3.0)
            with getattr(relu, register)(hook):
                relu(x).sum().backward()
            results.append(x.grad.tolist())
        x = leaf(e, 1.0)
        relu(x).sum().backward()
        results.append(x.grad.tolist())
        return results

    ours, theirs = both(run)
    assert ours == theirs


def test_order_of_backward_hooks(both):
    def run(e):
        log = []
        net = e.nn.ReLU()
        net.register_full_backward_hook(lambda *a: log.append("first"))
        net.register_full_backward_hook(lambda *a: log.append("second"))
        net.register_full_backward_hook(lambda *a: log.append("prepended"), prepend=True)
        net.register_full_backward_pre_hook(lambda *a: log.append("pre"))
        net.register_full_backward_pre_hook(lambda *a: log.append("pre prepended"), prepend=True)
        net(leaf(e, 1.0)).sum().backward()
        return log

    ours, theirs = both(run)
    assert ours == theirs


def test_hook_without_inputs_that_require_grad(both, same_warning):
    def run(e):
        s = Scenario(e)
        _, full = s.note("hook")
        layer = e.nn.Linear(2, 1)
        layer.register_full_backward_hook(full)
        layer(e.ones(1, 2)).sum().backward()
        return s.log

    same_warning(run)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        ours, theirs = both(run)
    assert ours == theirs


BAD_HOOKS = {
    "too many": ("register_full_backward_hook", lambda m, gi, go: (None, None, None)),
    "pre, too many": ("register_full_backward_pre_hook", lambda m, go: (go[0], go[0])),
}


@pytest.mark.parametrize("case", BAD_HOOKS)
def test_bad_backward_hooks(case, same_error):
    register, hook = BAD_HOOKS[case]

    def run(e):
        relu = e.nn.ReLU()
        getattr(relu, register)(hook)
        relu(leaf(e, 1.0, 2.0)).sum().backward()

    same_error(run)


def test_output_that_is_no_tensor_warns(same_warning):
    def run(e):
        class Net(e.nn.Module):
            def forward(self, x):
                return {"out": x}

        net = Net()
        net.register_full_backward_hook(lambda *a: None)
        net(leaf(e, 1.0))

    same_warning(run)


def test_double_backward_through_hooks(both):
    def run(e):
        net = e.nn.Tanh()
        net.register_full_backward_hook(lambda m, gi, go: (gi[0] * 2,))
        x = leaf(e, 0.3, -0.8)
        (first,) = e.autograd.grad(net(x).sum(), x, create_graph=True)
        (second,) = e.autograd.grad(first.sum(), x)
        return first.tolist(), second.tolist()

    ours, theirs = both(run)
    np.testing.assert_allclose(ours, theirs, rtol=1e-6)


def test_hooks_of_a_shared_module_run_for_each_call(both):
    def run(e):
        log = []
        relu = e.nn.ReLU()
        relu.register_full_backward_hook(lambda m, gi, go: log.append(gi[0].tolist()))
        x = leaf(e, 1.0)
        relu(relu(x) * 2).sum().backward()
        return log

    ours, theirs = both(run)
    assert ours == theirs


def test_custom_module_and_repr_tree(both):
    def run(e):
        class Block(e.nn.Module):
            def __init__(self):
                super().__init__()
                self.inner = e.nn.ModuleDict({"a": e.nn.Linear(1, 2), "b": e.nn.ModuleList([e.nn.ReLU()] * 2)})
                self.act = e.nn.LeakyReLU(0.3)

            def extra_repr(self):
                return "width=2\ndepth=1"

        return repr(Block()), repr(e.nn.Sequential(Block(), e.nn.Identity())), str(e.nn.Module())

    ours, theirs = both(run)
    assert ours == theirs


def test_call_super_init(both):
    def run(e):
        class Mixin:
            def __init__(self, value):
                self.value = value

        class Net(e.nn.Module, Mixin):
            call_super_init = True

            def __init__(self, value):
                super().__init__(value)

        return Net(4).value

    ours, theirs = both(run)
    assert ours == theirs == 4


def test_overridden_named_parameters_reaches_parameters():
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.a = nn.Parameter(minigrad.ones(1))
            self.b = nn.Parameter(minigrad.ones(1))

        def named_parameters(self, *args, **kwargs):
            return ((n, p) for n, p in super().named_parameters(*args, **kwargs) if n != "b")

    assert len(list(Net().parameters())) == 1


def test_isinstance_and_names():
    assert isinstance(nn.Linear(1, 1), nn.Module)
    assert torch.nn.Module.__name__ == nn.Module.__name__
