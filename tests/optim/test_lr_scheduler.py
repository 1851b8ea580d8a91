"""Schedulers against torch: every learning rate (and momentum) of 50 epochs, equal to the last digit."""

import inspect
import warnings

import pytest
import torch

import minigrad
from minigrad import optim
from minigrad.optim import lr_scheduler

torch_schedulers = torch.optim.lr_scheduler


class Engine:
    def __init__(self, library, optimizer="SGD", lrs=(0.5, 0.03), **options):
        self.library = library
        self.params = [library.ones(1, requires_grad=True) for _ in lrs]
        groups = [{"params": [p], "lr": lr} for p, lr in zip(self.params, lrs, strict=True)]
        if optimizer == "SGD":
            options = {"momentum": 0.9, **options}
        self.opt = getattr(library.optim, optimizer)(groups, **options)
        self.schedulers = library.optim.lr_scheduler

    def epoch(self, scheduler, *args):
        for p in self.params:
            p.grad = self.library.ones(1)
        self.opt.step()
        scheduler.step(*args)

    def seen(self):
        keys = ("lr", "momentum", "betas", "initial_lr", "max_lr", "min_lr", "max_momentum", "base_momentum")
        return [{k: group[k] for k in keys if k in group} for group in self.opt.param_groups]


class Halving:
    """A schedule function that is an object."""

    def __init__(self):
        self.factor = 0.5

    def __call__(self, epoch):
        return self.factor ** (epoch // 3)


SCHEDULES = {
    "LambdaLR": lambda s, o: s.LambdaLR(o, lambda epoch: 0.95**epoch),
    "LambdaLR-each": lambda s, o: s.LambdaLR(o, [lambda epoch: 0.95**epoch, Halving()]),
    "MultiplicativeLR": lambda s, o: s.MultiplicativeLR(o, lambda epoch: 0.95 + 0.001 * epoch),
    "StepLR": lambda s, o: s.StepLR(o, 7, gamma=0.3),
    "MultiStepLR": lambda s, o: s.MultiStepLR(o, [3, 11, 11, 30], gamma=0.7),
    "ConstantLR": lambda s, o: s.ConstantLR(o, factor=0.3, total_iters=13),
    "ConstantLR-defaults": lambda s, o: s.ConstantLR(o),
    "LinearLR": lambda s, o: s.LinearLR(o, start_factor=0.1, end_factor=0.9, total_iters=17),
    "LinearLR-defaults": lambda s, o: s.LinearLR(o),
    "ExponentialLR": lambda s, o: s.ExponentialLR(o, 0.93),
    "PolynomialLR": lambda s, o: s.PolynomialLR(o, total_iters=23, power=1.7),
    "PolynomialLR-defaults": lambda s, o: s.PolynomialLR(o),
    "CosineAnnealingLR": lambda s, o: s.CosineAnnealingLR(o, T_max=11, eta_min=0.01),
    "CosineAnnealingLR-1": lambda s, o: s.CosineAnnealingLR(o, T_max=1),
    "CosineAnnealingWarmRestarts": lambda s, o: s.CosineAnnealingWarmRestarts(o, 5, T_mult=2, eta_min=0.001),
    "CosineAnnealingWarmRestarts-1": lambda s, o: s.CosineAnnealingWarmRestarts(o, 7),
    "CyclicLR": lambda s, o: s.CyclicLR(o, 0.01, [0.3, 0.7], step_size_up=5, step_size_down=8),
    "CyclicLR-2": lambda s, o: s.CyclicLR(o, [0.01, 0.02], 0.3, step_size_up=4, mode="triangular2"),
    "CyclicLR-exp": lambda s, o: s.CyclicLR(o, 0.01, 0.3, 6, mode="exp_range", gamma=0.98, base_momentum=0.7),
    "CyclicLR-own": lambda s, o: s.CyclicLR(o, 0.01, 0.3, 6, scale_fn=lambda x: 1 / (1 + x), cycle_momentum=False),
    "OneCycleLR": lambda s, o: s.OneCycleLR(o, max_lr=0.4, total_steps=55),
    "OneCycleLR-3": lambda s, o: s.OneCycleLR(
        o, [0.4, 0.6], epochs=11, steps_per_epoch=5, three_phase=True, anneal_strategy="linear", div_factor=7.0
    ),
    "SequentialLR": lambda s, o: s.SequentialLR(
        o,
        [s.ConstantLR(o, factor=0.1, total_iters=4), s.ExponentialLR(o, 0.9), s.StepLR(o, 5)],
        milestones=[6, 20],
    ),
    "SequentialLR-warmup": lambda s, o: s.SequentialLR(
        o, [s.LinearLR(o, start_factor=0.1, total_iters=5), s.CosineAnnealingLR(o, T_max=40)], milestones=[5]
    ),
    "ChainedScheduler": lambda s, o: s.ChainedScheduler(
        [s.ConstantLR(o, factor=0.1, total_iters=4), s.ExponentialLR(o, 0.9)], optimizer=o
    ),
    "SequentialLR-of-chained": lambda s, o: s.SequentialLR(
        o,
        [s.ChainedScheduler([s.LinearLR(o), s.ExponentialLR(o, 0.9)]), s.StepLR(o, 4)],
        milestones=[10],
    ),
}
each_schedule = pytest.mark.parametrize("make", SCHEDULES.values(), ids=SCHEDULES)


@pytest.mark.filterwarnings("ignore:Detected call")  # a chain in a sequence steps when it is made, as torch's
@each_schedule
@pytest.mark.parametrize("optimizer", ["SGD", "Adam"])
def test_50_epochs(make, optimizer):
    ours, theirs = Engine(minigrad, optimizer), Engine(torch, optimizer)
    a, b = make(ours.schedulers, ours.opt), make(theirs.schedulers, theirs.opt)
    for _ in range(50):
        assert ours.seen() == theirs.seen()
        assert a.get_last_lr() == b.get_last_lr()
        assert getattr(a, "last_epoch", None) == getattr(b, "last_epoch", None)
        ours.epoch(a)
        theirs.epoch(b)
    assert a.get_last_lr() == [group["lr"] for group in ours.opt.param_groups]


@pytest.mark.filterwarnings("ignore:Detected call")
@each_schedule
def test_state_dict_continues_a_schedule(make):
    first, second, whole = Engine(minigrad), Engine(minigrad), Engine(minigrad)
    a, expected = make(first.schedulers, first.opt), make(whole.schedulers, whole.opt)
    for _ in range(9):
        first.epoch(a)
        whole.epoch(expected)
    theirs = Engine(torch)
    b = make(theirs.schedulers, theirs.opt)
    state = a.state_dict()
    assert set(state) == set(b.state_dict())
    assert "optimizer" not in state
    resumed = make(second.schedulers, second.opt)
    keys = set(state)
    resumed.load_state_dict(state)
    assert set(state) == keys
    second.opt.load_state_dict(first.opt.state_dict())
    for _ in range(9):
        assert second.seen() == whole.seen()
        second.epoch(resumed)
        whole.epoch(expected)
    assert second.seen() == whole.seen()


@pytest.mark.parametrize("library", [minigrad, torch])
@pytest.mark.parametrize("name", ["LambdaLR", "MultiplicativeLR", "SequentialLR", "ChainedScheduler", "CyclicLR"])
def test_a_state_dict_that_lacks_an_entry_changes_nothing(name, library):
    engine = Engine(library)
    scheduler = SCHEDULES[name](engine.schedulers, engine.opt)
    before = scheduler.state_dict()
    with pytest.raises(KeyError):
        scheduler.load_state_dict({"last_epoch": 77, "base_lrs": [9.0]})
    assert scheduler.state_dict() == before


def test_state_dict_holds_callable_objects_but_no_functions():
    engine = Engine(minigrad)
    halving = Halving()
    scheduler = lr_scheduler.LambdaLR(engine.opt, [lambda epoch: 1.0, halving])
    state = scheduler.state_dict()
    assert state["lr_lambdas"] == [None, {"factor": 0.5}]
    halving.factor = 0.1
    scheduler.load_state_dict(state)
    assert halving.factor == 0.5 and scheduler.lr_lambdas[1] is halving


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"patience": 2, "factor": 0.5},
        {"mode": "max", "patience": 1, "threshold": 0.01, "threshold_mode": "abs"},
        {"patience": 0, "cooldown": 3, "min_lr": 0.02},
        {"patience": 1, "min_lr": [0.1, 0.001], "threshold_mode": "abs", "threshold": 0.2},
        {"mode": "max", "patience": 3, "eps": 0.2},
    ],
    ids=str,
)
def test_reduce_lr_on_plateau(options):
    ours, theirs = Engine(minigrad), Engine(torch)
    a = lr_scheduler.ReduceLROnPlateau(ours.opt, **options)
    b = torch_schedulers.ReduceLROnPlateau(theirs.opt, **options)
    for epoch in range(50):
        metric = 10 / (1 + epoch) if epoch < 15 else 1.0 + 0.3 * (epoch % 4) - 0.02 * epoch
        ours.epoch(a, metric if epoch % 2 else minigrad.tensor(metric, dtype=minigrad.float64))
        theirs.epoch(b, metric)
        assert ours.seen() == theirs.seen()
        assert a.state_dict() == b.state_dict()
        assert a.get_last_lr() == b.get_last_lr()
    resumed = lr_scheduler.ReduceLROnPlateau(ours.opt, patience=77)
    resumed.load_state_dict(a.state_dict())
    assert resumed.state_dict() == b.state_dict()


def test_new_group_with_reduce_lr_on_plateau():
    engine = Engine(minigrad)
    scheduler = lr_scheduler.ReduceLROnPlateau(engine.opt, patience=0, min_lr=[0.0, 0.0])
    engine.opt.add_param_group({"params": [minigrad.ones(1, requires_grad=True)]})
    scheduler.step(1.0)
    with pytest.raises(RuntimeError, match=r"The number of param groups in the `optimizer` \(3\) differs"):
        scheduler.step(1.0)


@pytest.mark.parametrize(
    "make",
    [
        lambda s, o: s.StepLR(o, 3),
        lambda s, o: s.ExponentialLR(o, 0.9),
        lambda s, o: s.CosineAnnealingLR(o, 8),
        lambda s, o: s.LinearLR(o),
        lambda s, o: s.LambdaLR(o, lambda epoch: 0.9**epoch),
    ],
)
def test_tensor_learning_rates_are_changed_in_place(make):
    ours, theirs = Engine(minigrad), Engine(torch)
    for engine in (ours, theirs):
        for group in engine.opt.param_groups:
            group["lr"] = engine.library.tensor(group["lr"])
    lrs = [group["lr"] for group in ours.opt.param_groups]
    a, b = make(ours.schedulers, ours.opt), make(theirs.schedulers, theirs.opt)
    for _ in range(10):
        ours.epoch(a)
        theirs.epoch(b)
        assert [lr.item() for lr in lrs] == pytest.approx([g["lr"].item() for g in theirs.opt.param_groups], rel=1e-6)
    assert all(lr is group["lr"] for lr, group in zip(lrs, ours.opt.param_groups, strict=True))
    assert a.base_lrs[0].item() == 0.5


@pytest.mark.parametrize("name", ["StepLR", "MultiStepLR", "ConstantLR", "LinearLR", "ExponentialLR", "PolynomialLR"])
@pytest.mark.parametrize("epoch", [0, 3, 5, 20])
def test_step_to_an_epoch_uses_the_closed_form_and_warns(name, epoch):
    arguments = {"StepLR": (2,), "MultiStepLR": ([2, 4],), "ExponentialLR": (0.9,)}.get(name, ())
    seen = []
    for library in (minigrad, torch):
        engine = Engine(library)
        scheduler = getattr(engine.schedulers, name)(engine.opt, *arguments)
        with pytest.warns(UserWarning, match="The epoch parameter in `scheduler.step"):
            engine.epoch(scheduler, epoch)
        seen.append(engine.seen())
    assert seen[0] == seen[1]


def test_cosine_warm_restarts_take_fractions():
    ours, theirs = Engine(minigrad), Engine(torch)
    for T_mult in (1, 2):
        a = ours.schedulers.CosineAnnealingWarmRestarts(ours.opt, 4, T_mult)
        b = theirs.schedulers.CosineAnnealingWarmRestarts(theirs.opt, 4, T_mult)
        for epoch in (0.5, 3.9, 4.0, 11.25, 13, 2):
            a.step(epoch)
            b.step(epoch)
            assert ours.seen() == theirs.seen()
            assert (a.T_cur, a.T_i, a.last_epoch) == (b.T_cur, b.T_i, b.last_epoch)


def test_resuming_by_last_epoch():
    def resume(library):
        engine = Engine(library)
        for group in engine.opt.param_groups:
            group["initial_lr"] = group["lr"]
        scheduler = engine.schedulers.CosineAnnealingLR(engine.opt, 20, last_epoch=4)
        seen = [engine.seen()]
        for _ in range(5):
            engine.epoch(scheduler)
            seen.append(engine.seen())
        return seen

    assert resume(minigrad) == resume(torch)


def warned(action):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        action()
    return [(w.category, str(w.message)) for w in caught]


def test_warnings_about_the_order_of_steps():
    def wrong_order(library):
        engine = Engine(library)
        scheduler = engine.schedulers.StepLR(engine.opt, 3)
        for _ in range(3):
            scheduler.step()

    def right_order(library):
        engine = Engine(library)
        scheduler = engine.schedulers.StepLR(engine.opt, 3)
        for _ in range(3):
            engine.epoch(scheduler)

    def overridden(library):
        engine = Engine(library)
        scheduler = engine.schedulers.StepLR(engine.opt, 3)
        engine.opt.step = lambda: None
        engine.epoch(scheduler)

    def get_lr(library):
        engine = Engine(library)
        engine.schedulers.StepLR(engine.opt, 3).get_lr()

    for action, count in ((wrong_order, 1), (right_order, 0), (overridden, 1), (get_lr, 1)):
        ours = warned(lambda action=action: action(minigrad))
        assert ours == warned(lambda action=action: action(torch))
        assert len(ours) == count


ERRORS = {
    "not an optimizer": lambda s, o, t: s.StepLR(3, 1),
    "plateau: not an optimizer": lambda s, o, t: s.ReduceLROnPlateau(3),
    "cyclic: not an optimizer": lambda s, o, t: s.CyclicLR(3, 0.1, 0.2),
    "one cycle: not an optimizer": lambda s, o, t: s.OneCycleLR(3, 0.1, 10),
    "resume without initial_lr": lambda s, o, t: s.StepLR(o, 1, last_epoch=3),
    "lambdas": lambda s, o, t: s.LambdaLR(o, [lambda e: 1]),
    "multiplicative lambdas": lambda s, o, t: s.MultiplicativeLR(o, [lambda e: 1]),
    "not a function": lambda s, o, t: s.MultiplicativeLR(o, 0.5),
    "constant factor": lambda s, o, t: s.ConstantLR(o, factor=1.5),
    "start factor": lambda s, o, t: s.LinearLR(o, start_factor=0),
    "end factor": lambda s, o, t: s.LinearLR(o, end_factor=-1),
    "plateau factor": lambda s, o, t: s.ReduceLROnPlateau(o, factor=1.0),
    "plateau mode": lambda s, o, t: s.ReduceLROnPlateau(o, mode="best"),
    "plateau threshold mode": lambda s, o, t: s.ReduceLROnPlateau(o, threshold_mode="x"),
    "plateau min_lr": lambda s, o, t: s.ReduceLROnPlateau(o, min_lr=[0.1]),
    "T_0": lambda s, o, t: s.CosineAnnealingWarmRestarts(o, 0),
    "T_0 float": lambda s, o, t: s.CosineAnnealingWarmRestarts(o, 2.5),
    "T_mult": lambda s, o, t: s.CosineAnnealingWarmRestarts(o, 2, T_mult=0),
    "eta_min": lambda s, o, t: s.CosineAnnealingWarmRestarts(o, 2, eta_min="x"),
    "negative epoch": lambda s, o, t: s.CosineAnnealingWarmRestarts(o, 2).step(-1),
    "no schedulers": lambda s, o, t: s.SequentialLR(o, [], []),
    "milestones": lambda s, o, t: s.SequentialLR(o, [s.StepLR(o, 1), s.StepLR(o, 1)], [1, 2]),
    "plateau in a sequence": lambda s, o, t: s.SequentialLR(o, [s.StepLR(o, 1), s.ReduceLROnPlateau(o)], [1]),
    "no scheduler": lambda s, o, t: s.SequentialLR(o, [3], []),
    "nothing chained": lambda s, o, t: s.ChainedScheduler([]),
    "plateau in a chain": lambda s, o, t: s.ChainedScheduler([s.ReduceLROnPlateau(o)]),
    "two optimizers": lambda s, o, t: s.ChainedScheduler([s.StepLR(o, 1), s.StepLR(t, 1)]),
    "cyclic mode": lambda s, o, t: s.CyclicLR(o, 0.1, 0.2, mode="x"),
    "cyclic lengths": lambda s, o, t: s.CyclicLR(o, [0.1], 0.2),
    "cyclic momentum": lambda s, o, t: s.CyclicLR(t, 0.1, 0.2),
    "no steps": lambda s, o, t: s.OneCycleLR(o, 0.1),
    "steps": lambda s, o, t: s.OneCycleLR(o, 0.1, total_steps=-3),
    "epochs": lambda s, o, t: s.OneCycleLR(o, 0.1, epochs=0, steps_per_epoch=3),
    "steps per epoch": lambda s, o, t: s.OneCycleLR(o, 0.1, epochs=2, steps_per_epoch=1.5),
    "pct_start": lambda s, o, t: s.OneCycleLR(o, 0.1, 10, pct_start=2.0),
    "anneal": lambda s, o, t: s.OneCycleLR(o, 0.1, 10, anneal_strategy="x"),
    "past the end": lambda s, o, t: [c.step() for c in [s.OneCycleLR(o, 0.1, 3)] for _ in range(5)],
}


@pytest.mark.filterwarnings("ignore:Detected call")
@pytest.mark.parametrize("action", ERRORS.values(), ids=ERRORS)
def test_errors_are_torchs(action):
    def attempt(library):
        engine, other = Engine(library), Engine(library, "Adagrad")
        with pytest.raises(Exception) as error:
            action(engine.schedulers, engine.opt, other.opt)
        return error.value

    ours, theirs = attempt(minigrad), attempt(torch)
    assert type(ours) is type(theirs)
    assert str(ours).startswith(str(theirs).rstrip("."))


def test_names_and_signatures_are_torchs():
    for name in lr_scheduler.__all__:
        ours, theirs = getattr(lr_scheduler, name), getattr(torch_schedulers, name)
        assert [(p.name, p.default, p.kind) for p in inspect.signature(ours).parameters.values()] == [
            (p.name, p.default, p.kind) for p in inspect.signature(theirs).parameters.values()
        ], name
    assert set(torch_schedulers.__all__) == set(lr_scheduler.__all__)


def test_a_scheduler_does_not_keep_its_optimizer_alive():
    import gc
    import weakref

    gc.disable()
    try:
        engine = Engine(minigrad)
        lr_scheduler.StepLR(engine.opt, 3)
        reference = weakref.ref(engine.opt)
        del engine
        assert reference() is None
    finally:
        gc.enable()


def test_optimizer_is_exported():
    assert optim.lr_scheduler is lr_scheduler
