"""Losses against torch's: values, gradients and second gradients, every reduction, special points, texts."""

# Every lambda here is called before the loop that it stands in goes on.
# ruff: noqa: B023

import warnings

import numpy as np
import pytest

import minigrad
from minigrad.nn import functional as F
from minigrad.nn import loss_functions

random = np.random.default_rng(5)
REDUCTIONS = ["mean", "sum", "none"]
INF = float("inf")


def pair(shape=(4, 3)):
    return random.standard_normal(shape) * 2, random.standard_normal(shape)


POINTWISE = {
    "mse_loss": {},
    "l1_loss": {},
    "smooth_l1_loss": {},
    "smooth_l1_loss beta": {"beta": 0.3},
    "smooth_l1_loss beta 0": {"beta": 0.0},
    "huber_loss": {},
    "huber_loss delta": {"delta": 0.4},
    "poisson_nll_loss": {},
}


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("name", POINTWISE)
def test_pointwise(name, reduction, same):
    def run(e, x, y):
        return getattr(e.nn.functional, name.split()[0])(x, y, reduction=reduction, **POINTWISE[name])

    for shape in ((4, 3), (7,), (), (1, 1)):
        same(run, *pair(shape), slack=4)


HALF = ["mse_loss", "smooth_l1_loss", "huber_loss", "soft_margin_loss", "binary_cross_entropy_with_logits"]


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("name", HALF)
def test_in_half_precision_the_sum_may_be_more_than_it_holds(name, reduction, same):
    x = np.full(10_000, 30.0)
    t = np.full(10_000, -1.0 if name == "soft_margin_loss" else 0.0)
    x = x / 4 if name == "soft_margin_loss" else x

    def run(e, x):
        return getattr(e.nn.functional, name)(x, e.tensor(t).to(x.dtype), reduction=reduction)

    same(run, x, order=1, dtypes=["float16"])


@pytest.mark.parametrize("name", HALF)
def test_in_half_precision_the_count_may_be_more_than_it_holds(name, same):
    def run(e, x):
        return getattr(e.nn.functional, name)(x, e.ones_like(x))

    same(run, np.full(70_000, 0.25), order=1, slack=20, dtypes=["float16"])  # the gradients are subnormal


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("name", ["smooth_l1_loss", "huber_loss"])
def test_boolean_targets(name, reduction, both):
    def run(e):
        x, truth = e.tensor([0.2, 3.0, -0.5], requires_grad=True), e.tensor([True, False, True])
        loss = getattr(e.nn.functional, name)(x, truth, reduction=reduction)
        if name == "smooth_l1_loss":
            loss.sum().backward()
        other = e.nn.functional.smooth_l1_loss(truth, x.detach(), reduction=reduction)
        return [t.tolist() for t in (loss, other) if t is not None], None if x.grad is None else x.grad.tolist()

    ours, theirs = both(run)
    for a, b in zip(ours, theirs, strict=True):
        assert (a is None) == (b is None)
        if a is not None:
            np.testing.assert_allclose(np.hstack([np.ravel(t) for t in a]), np.hstack([np.ravel(t) for t in b]), 1e-6)


@pytest.mark.parametrize("weighted", [True, False])
@pytest.mark.parametrize("target", ["float64", "float16", "int64", "bool"])
def test_huber_loss_of_another_dtype_is_the_inputs_and_has_no_gradient(target, weighted, both, same_error):
    def run(e, requires_grad=False):
        x = e.tensor([0.25, 3.0, -0.5], requires_grad=requires_grad)
        t = e.tensor([1.0, 0.0, 2.0]).to(getattr(e, target))
        return e.nn.functional.huber_loss(x, t, weight=e.ones(3) if weighted else None)

    ours, theirs = both(run)
    assert repr(ours) == repr(theirs)
    same_error(lambda e: run(e, requires_grad=True).backward())


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("name", ["binary_cross_entropy", "binary_cross_entropy_with_logits"])
@pytest.mark.parametrize("weight", ["float64", "float16", "int64"])
def test_weights_of_another_dtype_leave_the_losses_theirs(name, weight, reduction, same):
    def run(e, p):
        w = e.tensor([1.0, 3.0, 0.5]).to(getattr(e, weight))
        return getattr(e.nn.functional, name)(p, e.ones_like(p), weight=w, reduction=reduction)

    same(run, np.array([0.25, 0.5, 0.75]), order=1, dtypes=["float32"])


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("smoothing", [0.0, 0.2])
def test_probabilities_take_class_weights_of_another_dtype(smoothing, reduction, same, both):
    def run(e, x, p, weight="float32"):
        w = e.tensor([1.0, 3.0, 0.5]).to(getattr(e, weight))
        return e.nn.functional.cross_entropy(x, p, w, reduction=reduction, label_smoothing=smoothing)

    same(run, random.standard_normal((4, 3)), random.random((4, 3)), order=1, slack=4, dtypes=["float64"])
    ours, theirs = both(lambda e: run(e, e.ones(2, 3), e.ones(2, 3), "float64"))
    assert str(ours.dtype) == str(theirs.dtype) == "torch.float64"


@pytest.mark.parametrize("size", [10_000, 70_000])
def test_binary_cross_entropy_in_half_precision(size, same):
    def run(e, p):
        return e.nn.functional.binary_cross_entropy(p, e.ones_like(p))

    same(run, np.full(size, 2**-14), order=1, slack=20, dtypes=["float16"])


@pytest.mark.parametrize("name", ["mse_loss", "l1_loss", "smooth_l1_loss", "huber_loss"])
def test_kinks(name, same):
    """Equal to the target, at the corners of the pieces, and infinite: value and gradients are torch's."""
    function = {"mse_loss": {}, "l1_loss": {}, "smooth_l1_loss": {"beta": 0.5}, "huber_loss": {"delta": 0.5}}
    x = np.array([0.0, 0.5, -0.5, 0.25, 1.0, -1.0, 0.75])
    same(lambda e, x, y: getattr(e.nn.functional, name)(x, y, reduction="none", **function[name]), x, np.zeros_like(x))
    infinite = np.array([INF, -INF])
    same(
        lambda e, x: getattr(e.nn.functional, name)(x, e.zeros_like(x), reduction="none", **function[name]),
        infinite,
        order=1 if name == "mse_loss" else 2,
    )


@pytest.mark.parametrize("name", ["smooth_l1_loss", "huber_loss"])
def test_an_infinite_error_gives_its_weight_no_nan(name, same):
    """The unused quadratic side must not reach the second derivative with respect to the weight."""
    same(
        lambda e, x, w: w * getattr(e.nn.functional, name)(x, e.zeros_like(x), reduction="none"),
        np.array([INF]),
        np.array([2.0]),
    )


@pytest.mark.parametrize("name", ["mse_loss", "l1_loss", "smooth_l1_loss", "huber_loss"])
def test_differing_shapes_warn_and_broadcast(name, same, same_warning):
    x, y = random.standard_normal((4, 3)), random.standard_normal((3,))
    same(lambda e, x, y: getattr(e.nn.functional, name)(x, y), x, y, slack=4)
    same_warning(lambda e: getattr(e.nn.functional, name)(e.ones(4, 3), e.ones(3)))
    same_warning(lambda e: e.nn.MSELoss()(e.ones(4, 1), e.ones(4)))


@pytest.mark.parametrize("name", ["mse_loss", "l1_loss"])
@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_weighted(name, reduction, same):
    x, y = pair()
    same(
        lambda e, x, y, w: getattr(e.nn.functional, name)(x, y, weight=w, reduction=reduction),
        x,
        y,
        random.random((4, 3)),
        slack=4,
    )


def test_huber_weighted(same):
    x, y = pair()
    for reduction in REDUCTIONS:
        same(
            lambda e, x, y, w: e.nn.functional.huber_loss(x, y, weight=w, reduction=reduction),
            x,
            y,
            random.random((4, 3)),
            slack=4,
        )


def to_second_order(function, leaves, reduction):
    value = function(*leaves, reduction=reduction)
    cotangent = minigrad.full(value.shape, 1.7, dtype=minigrad.float64)
    wanted = [leaf for leaf in leaves if leaf.requires_grad]
    first = minigrad.autograd.grad(value, wanted, cotangent, create_graph=True)
    second = minigrad.autograd.grad(sum((g * g * g).sum() for g in first) + value.sum(), wanted)
    return [t.detach().numpy() for t in (value, *first, *second)]


@pytest.mark.parametrize("shape", [(), (3,), (4, 2)])
@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_fused_mse_is_the_plain_one(shape, reduction):
    leaves = [minigrad.tensor(random.standard_normal(shape), requires_grad=True) for _ in range(2)]
    fused, plain = (to_second_order(f, leaves, reduction) for f in (F.mse_loss, loss_functions._plain_mse_loss))
    for a, b in zip(fused, plain, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-13)


@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_fused_nll_is_the_plain_one(reduction):
    leaves = [minigrad.tensor(random.standard_normal((5, 3)), requires_grad=True), minigrad.tensor([0, 2, 1, 1, 0])]
    fused, plain = (to_second_order(f, leaves, reduction) for f in (F.nll_loss, loss_functions._plain_nll_loss))
    for a, b in zip(fused, plain, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-13)


def test_mse_of_mixed_dtypes_and_empty(both):
    ours, theirs = both(lambda e: e.nn.functional.mse_loss(e.ones(3).double(), e.zeros(3)))
    assert repr(ours) == repr(theirs)
    ours, theirs = both(lambda e: e.nn.functional.mse_loss(e.ones(3).long(), e.zeros(3)))
    assert repr(ours) == repr(theirs)
    ours, theirs = both(lambda e: e.nn.functional.mse_loss(e.ones(0), e.zeros(0)))
    assert repr(ours) == repr(theirs) == "tensor(nan)"
    ours, theirs = both(lambda e: e.nn.functional.mse_loss(e.ones(0), e.zeros(0), reduction="sum"))
    assert repr(ours) == repr(theirs)


def probabilities(shape=(4, 3)):
    return random.random(shape) * 0.98 + 0.01, random.random(shape)


@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_binary_cross_entropy(reduction, same):
    """torch adds 1e-12 to both probabilities in its second derivative alone, so that is compared more loosely."""
    p, t = probabilities()
    w = random.random((4, 3))

    def run(e, p, t, weight=None):
        weight = None if weight is None else e.tensor(weight).to(p.dtype)
        return e.nn.functional.binary_cross_entropy(p, t, weight, reduction=reduction)

    for weight in (None, w, w[0]):
        same(lambda e, p, t: run(e, p, t, weight), p, t, order=1, slack=10)
        same(lambda e, p, t: run(e, p, t, weight), p, t, slack=1e6, dtypes=["float64"])


def test_binary_cross_entropy_at_the_ends(same):
    p, t = np.array([0.0, 1.0, 0.0, 1.0]), np.array([0.0, 0.0, 1.0, 1.0])
    for i in range(4):
        one = slice(i, i + 1)
        same(
            lambda e, x: e.nn.functional.binary_cross_entropy(x, e.tensor(t[one]).to(x.dtype), reduction="sum"),
            p[one],
            order=1,
        )


@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_binary_cross_entropy_with_logits(reduction, same):
    x, t = random.standard_normal((4, 3)) * 3, random.random((4, 3))
    w, positive = random.random((4, 3)), random.random(3) * 2

    def run(e, x, t, **options):
        return e.nn.functional.binary_cross_entropy_with_logits(x, t, reduction=reduction, **options)

    same(run, x, t, slack=10)
    same(lambda e, x, t: run(e, x, t, weight=e.tensor(w).to(x.dtype)), x, t, slack=10)
    same(lambda e, x, t: run(e, x, t, pos_weight=e.tensor(positive).to(x.dtype)), x, t, slack=10)
    for value in (-1000.0, -40.0, 0.0, 40.0, 1000.0):
        for target in (0.0, 1.0):
            same(lambda e, x, t: run(e, x, t), np.array([value]), np.array([target]), slack=10)


CLASS_SHAPES = [
    ((5, 3), (5,)),
    ((3,), ()),
    ((2, 3, 4), (2, 4)),
    ((2, 3, 4, 2), (2, 4, 2)),
    ((2, 3, 2, 2, 2), (2, 2, 2, 2)),
]


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("shape, target_shape", CLASS_SHAPES)
@pytest.mark.parametrize("name", ["nll_loss", "cross_entropy"])
def test_class_losses(name, shape, target_shape, reduction, same):
    x = random.standard_normal(shape)
    t = random.integers(0, 3, target_shape)
    w = random.random(3)

    def run(e, x, t, **options):
        return getattr(e.nn.functional, name)(x, t, reduction=reduction, **options)

    same(run, x, t, slack=4)
    same(lambda e, x, t: run(e, x, t, weight=e.tensor(w).to(x.dtype)), x, t, slack=4)
    same(lambda e, x, t: run(e, x, t, ignore_index=1), x, t, slack=4)
    same(lambda e, x, t: run(e, x, t, ignore_index=1, weight=e.tensor(w).to(x.dtype)), x, t, slack=4)
    if len(shape) < 3:
        same(run, x, t.astype(np.uint8), slack=4)
    if name == "cross_entropy":
        same(lambda e, x, t: run(e, x, t, label_smoothing=0.2), x, t, slack=4)
        smooth = {"label_smoothing": 0.3, "ignore_index": 2}
        same(lambda e, x, t: run(e, x, t, **smooth), x, t, slack=4)
        same(lambda e, x, t: run(e, x, t, weight=e.tensor(w).to(x.dtype), **smooth), x, t, slack=4)


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("shape", [shape for shape, _ in CLASS_SHAPES])
def test_cross_entropy_of_probabilities(shape, reduction, same):
    x = random.standard_normal(shape)
    p = random.random(shape)
    w = random.random(3)

    def run(e, x, p, **options):
        return e.nn.functional.cross_entropy(x, p, reduction=reduction, **options)

    same(run, x, p, slack=6)
    same(lambda e, x, p: run(e, x, p, label_smoothing=0.2), x, p, slack=6)
    same(lambda e, x, p: run(e, x, p, weight=e.tensor(w).to(x.dtype)), x, p, slack=6)


def test_all_ignored_and_empty_give_nan(both):
    for run in (
        lambda e: e.nn.functional.cross_entropy(e.ones(3, 4), e.tensor([-100] * 3)),
        lambda e: e.nn.functional.cross_entropy(e.ones(0, 4), e.zeros(0, dtype=e.int64)),
        lambda e: e.nn.functional.nll_loss(e.ones(4), e.tensor(1), weight=e.zeros(4)),
        lambda e: e.nn.functional.cross_entropy(e.ones(3, 4), e.tensor([-100] * 3), reduction="sum"),
    ):
        ours, theirs = both(run)
        np.testing.assert_array_equal(ours.numpy(), theirs.numpy())


def test_all_ignored_have_no_gradient(same):
    x = random.standard_normal((3, 4))
    same(lambda e, x: e.nn.functional.cross_entropy(x, e.tensor([-100] * 3)), x, order=1)


def test_infinite_score_of_an_ignored_class(same):
    x = np.array([[-INF, 0.0, 1.0], [0.0, 1.0, 2.0]])
    same(lambda e, x, t: e.nn.functional.nll_loss(x, t, ignore_index=0), x, np.array([0, 2]), order=1)


@pytest.mark.parametrize("reduction", ["mean", "sum", "none", "batchmean"])
@pytest.mark.parametrize("log_target", [False, True])
def test_kl_div(reduction, log_target, same):
    x, t = random.standard_normal((4, 3)), random.random((4, 3))
    same(lambda e, x, t: e.nn.functional.kl_div(x, t, reduction=reduction, log_target=log_target), x, t, slack=6)
    if not log_target:
        t[0, 0] = 0.0
        same(lambda e, x: e.nn.functional.kl_div(x, e.tensor(t).to(x.dtype), reduction=reduction), x, slack=6)


@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_further_losses(reduction, same):
    x, y = pair()
    sign = np.sign(random.standard_normal((4, 3)))
    counts = random.integers(0, 4, (4, 3)).astype(float)
    variance = random.random((4, 3)) + 0.1

    def on(name, *arrays, **options):
        same(lambda e, *t: getattr(e.nn.functional, name)(*t, reduction=reduction, **options), *arrays, slack=10)

    same(
        lambda e, x: e.nn.functional.hinge_embedding_loss(x, e.tensor(sign).to(x.dtype), reduction=reduction),
        x,
        slack=4,
    )
    same(lambda e, x: e.nn.functional.soft_margin_loss(x, e.tensor(sign).to(x.dtype), reduction=reduction), x, slack=10)
    on("margin_ranking_loss", x, y, sign, margin=0.2)
    same(
        lambda e, x: e.nn.functional.poisson_nll_loss(x, e.tensor(counts).to(x.dtype), full=True, reduction=reduction),
        x,
        slack=10,
    )
    same(
        lambda e, x: e.nn.functional.poisson_nll_loss(
            x, e.tensor(counts).to(x.dtype), log_input=False, reduction=reduction
        ),
        np.abs(x) + 0.1,
        slack=10,
    )
    on("gaussian_nll_loss", x, y, variance)
    on("gaussian_nll_loss", x, y, variance[:, 0], full=True)
    on("gaussian_nll_loss", x, y, variance * 1e-7)
    on("triplet_margin_loss", x, y, variance, margin=0.7)
    on("triplet_margin_loss", x, y, variance, swap=True)
    labels = np.array([1.0, -1.0, 1.0, -1.0])
    same(
        lambda e, x, y: e.nn.functional.cosine_embedding_loss(
            x, y, e.tensor(labels).to(x.dtype), margin=-0.3, reduction=reduction
        ),
        x,
        y,
        slack=20,
    )


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize(
    "shape, target_shape", [((5, 3), (5,)), ((3,), ()), ((3,), (1,)), ((1, 3), (1,)), ((1, 3), ())]
)
def test_multi_margin_loss(shape, target_shape, reduction, same):
    x, t, w = random.standard_normal(shape), random.integers(0, 3, target_shape), random.random(3)

    def run(e, x, t, weight=None, **options):
        weight = None if weight is None else e.tensor(weight).to(x.dtype)
        return e.nn.functional.multi_margin_loss(x, t, weight=weight, reduction=reduction, **options)

    for options in ({}, {"p": 2}, {"margin": 0.3}, {"weight": w}, {"p": 2, "margin": 0.0, "weight": w}):
        same(lambda e, x, t: run(e, x, t, **options), x, t, order=1, slack=4)
    same(lambda e, x, t: run(e, x, t), np.ones(shape), t, order=1)
    same(lambda e, x, t: run(e, x, t, margin=0.0), np.ones(shape), t, order=1)  # the corner


LISTS = [[[0, 2, -1, 1], [3, -1, 0, 0], [-1, 1, 2, 3], [1, 1, 2, -1], [0, 1, 2, 3]], [1, 0, -1, 2]]


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("target", LISTS, ids=["batch", "one"])
def test_multilabel_margin_loss(target, reduction, same):
    def run(e, x, t):
        return e.nn.functional.multilabel_margin_loss(x, t, reduction=reduction)

    t = np.array(target)
    same(run, random.standard_normal(t.shape), t, order=1, slack=4)
    same(run, np.arange(t.size).reshape(t.shape) / 2.0, t, order=1)  # differences of 1 are the corner
    same(run, np.array(0.5), np.array(0), order=1)


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("shape", [(4, 3), (3,), (2, 4, 3)])
def test_multilabel_soft_margin_loss(shape, reduction, same):
    x, t, w = random.standard_normal(shape) * 3, random.random(shape), random.random(3)

    def run(e, x, t, weight=None):
        weight = None if weight is None else e.tensor(weight).to(x.dtype)
        return e.nn.functional.multilabel_soft_margin_loss(x, t, weight, reduction=reduction)

    same(run, x, t, slack=10)
    same(lambda e, x, t: run(e, x, t, w), x, t, slack=10)


@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_triplet_margin_with_distance_loss(reduction, same):
    def run(e, *tensors, **options):
        return e.nn.functional.triplet_margin_with_distance_loss(*tensors, reduction=reduction, **options)

    x, y, z = (random.standard_normal((4, 3)) for _ in range(3))
    same(lambda e, *t: run(e, *t, margin=0.7), x, y, z, slack=20)
    same(lambda e, *t: run(e, *t, swap=True), x, y, z, slack=20)
    same(lambda e, *t: run(e, *t, distance_function=lambda a, b: ((a - b) ** 2).sum(-1)), x, y, z, slack=20)


# ---------------------------------------------------------------------- texts

ERRORS = {
    "byte classes in space": lambda e: e.nn.functional.nll_loss(e.ones(2, 3, 4), e.zeros(2, 4, dtype=e.uint8)),
    "float classes": lambda e: e.nn.functional.cross_entropy(e.ones(3, 4), e.ones(3)),
    "integer probabilities": lambda e: e.nn.functional.cross_entropy(e.ones(3, 4), e.ones(3, 4).long()),
    "class too large": lambda e: e.nn.functional.cross_entropy(e.ones(3, 4), e.tensor([0, 1, 4])),
    "class negative": lambda e: e.nn.functional.cross_entropy(e.ones(3, 4), e.tensor([0, 1, -1])),
    "batch sizes": lambda e: e.nn.functional.cross_entropy(e.ones(3, 4), e.tensor([0, 1])),
    "scalar": lambda e: e.nn.functional.cross_entropy(e.tensor(1.0), e.tensor(1)),
    "int32 classes": lambda e: e.nn.functional.cross_entropy(e.ones(3, 4), e.tensor([0, 1, 2], dtype=e.int32)),
    "weight's shape": lambda e: e.nn.functional.cross_entropy(e.ones(3, 4), e.tensor([0, 1, 2]), weight=e.ones(3)),
    "weight's dtype": lambda e: e.nn.functional.nll_loss(e.ones(3, 4), e.tensor([0, 1, 2]), e.ones(4).double()),
    "smoothing": lambda e: e.nn.functional.cross_entropy(e.ones(3, 4), e.tensor([0, 1, 2]), label_smoothing=1.5),
    "probability weight": lambda e: e.nn.functional.cross_entropy(e.ones(3, 4), e.ones(3, 4), weight=e.ones(3)),
    "spatial size": lambda e: e.nn.functional.cross_entropy(e.ones(2, 3, 4), e.zeros(2, 5).long()),
    "4d target": lambda e: e.nn.functional.cross_entropy(e.ones(2, 3, 4, 5), e.zeros(2, 5).long()),
    "4d sizes": lambda e: e.nn.functional.cross_entropy(e.ones(2, 3, 4, 5), e.zeros(2, 4, 4).long()),
    "multi-target": lambda e: e.nn.functional.cross_entropy(e.ones(3, 4), e.zeros(3, 2).long()),
    "1d target": lambda e: e.nn.functional.cross_entropy(e.ones(4), e.tensor([2, 2])),
    "ignore with probabilities": lambda e: e.nn.functional.cross_entropy(e.ones(3, 4), e.ones(3, 4), ignore_index=1),
    "nll float classes": lambda e: e.nn.functional.nll_loss(e.ones(3, 4), e.zeros(3)),
    "bce above 1": lambda e: e.nn.functional.binary_cross_entropy(e.tensor([1.5, 0.2]), e.tensor([0.0, 1.0])),
    "bce nan": lambda e: e.nn.functional.binary_cross_entropy(e.tensor([float("nan")]), e.tensor([0.0])),
    "bce target": lambda e: e.nn.functional.binary_cross_entropy(e.tensor([0.5, 0.2]), e.tensor([3.0, 1.0])),
    "bce size": lambda e: e.nn.functional.binary_cross_entropy(e.tensor([0.5, 0.2]), e.tensor([1.0])),
    "bce dtype": lambda e: e.nn.functional.binary_cross_entropy(e.tensor([0.5, 0.2]), e.tensor([0, 1])),
    "logits size": lambda e: e.nn.functional.binary_cross_entropy_with_logits(e.ones(2), e.ones(1)),
    "logits dtype": lambda e: e.nn.functional.binary_cross_entropy_with_logits(e.ones(2), e.tensor([0, 1])),
    "reduction": lambda e: e.nn.functional.mse_loss(e.ones(2), e.ones(2), reduction="bad"),
    "module's reduction": lambda e: e.nn.L1Loss(reduction="bad")(e.ones(2), e.ones(2)),
    "cross entropy's reduction": lambda e: e.nn.CrossEntropyLoss(reduction="bad")(e.ones(2, 2), e.tensor([0, 1])),
    "kl reduction": lambda e: e.nn.functional.kl_div(e.ones(2), e.ones(2), reduction="bad"),
    "shapes": lambda e: e.nn.functional.mse_loss(e.ones(3, 4), e.ones(3, 5)),
    "integers": lambda e: e.nn.functional.mse_loss(e.ones(3).long(), e.ones(3).long()),
    "lists": lambda e: e.nn.functional.mse_loss([1.0], [2.0]),
    "number": lambda e: e.nn.functional.mse_loss(e.ones(2), 2.0),
    "mse weight": lambda e: e.nn.functional.mse_loss(e.ones(2), e.ones(2), weight=e.ones(3)),
    "beta": lambda e: e.nn.functional.smooth_l1_loss(e.ones(2), e.ones(2), beta=-1),
    "delta": lambda e: e.nn.functional.huber_loss(e.ones(2), e.ones(2), delta=0),
    "delta type": lambda e: e.nn.HuberLoss(delta="a"),
    "ranking": lambda e: e.nn.functional.margin_ranking_loss(e.ones(3, 4), e.ones(3), e.ones(3)),
    "negative variance": lambda e: e.nn.functional.gaussian_nll_loss(e.ones(2), e.ones(2), e.tensor([1.0, -1.0])),
    "variance size": lambda e: e.nn.functional.gaussian_nll_loss(e.ones(2, 3), e.ones(2, 3), e.ones(3)),
    "triplet margin": lambda e: e.nn.functional.triplet_margin_loss(e.ones(2), e.ones(2), e.ones(2), margin=0),
    "triplet reduction": lambda e: e.nn.functional.triplet_margin_with_distance_loss(
        e.ones(2), e.ones(2), e.ones(2), reduction="bad"
    ),
    "triplet distance module": lambda e: e.nn.TripletMarginWithDistanceLoss(margin=0),
    "triplet distance dims": lambda e: e.nn.TripletMarginWithDistanceLoss()(e.ones(4, 3), e.ones(4, 3), e.ones(3)),
    "margins' power": lambda e: e.nn.MultiMarginLoss(p=3),
    "margins' weight": lambda e: e.nn.MultiMarginLoss(weight=e.ones(2, 2)),
    "margins' function's weight": lambda e: e.nn.functional.multi_margin_loss(
        e.ones(4, 3), e.tensor([0, 1, 2, 0]), weight=e.ones(3, 1)
    ),
    "margins' weight's size": lambda e: e.nn.MultiMarginLoss(weight=e.ones(2))(e.ones(2, 3), e.tensor([0, 1])),
    "margins' weight's dtype": lambda e: e.nn.MultiMarginLoss(weight=e.ones(3).double())(
        e.ones(2, 3), e.tensor([0, 1])
    ),
    "margins' batch": lambda e: e.nn.MultiMarginLoss()(e.ones(4, 3), e.tensor([0, 1])),
    "margins' class": lambda e: e.nn.MultiMarginLoss()(e.ones(2, 3), e.tensor([0, 3])),
    "margins' negative class": lambda e: e.nn.MultiMarginLoss()(e.ones(2, 3), e.tensor([0, -1])),
    "margins' classes' dtype": lambda e: e.nn.MultiMarginLoss()(e.ones(2, 3), e.ones(2)),
    "margins' integers": lambda e: e.nn.MultiMarginLoss()(e.ones(2, 3).long(), e.tensor([0, 1])),
    "margins' dims": lambda e: e.nn.MultiMarginLoss()(e.ones(2, 3, 4), e.tensor([0, 1])),
    "no classes": lambda e: e.nn.MultiMarginLoss()(e.ones(2, 0), e.tensor([0, 1])),
    "labels' size": lambda e: e.nn.MultiLabelMarginLoss()(e.ones(2, 3), e.tensor([0, 1])),
    "labels' range": lambda e: e.nn.MultiLabelMarginLoss()(e.ones(3), e.tensor([0, 5, 1])),
    "labels below": lambda e: e.nn.MultiLabelMarginLoss()(e.ones(3), e.tensor([0, -2, 1])),
    "labels' dtype": lambda e: e.nn.MultiLabelMarginLoss()(e.ones(3), e.ones(3)),
    "labels' integers": lambda e: e.nn.MultiLabelMarginLoss()(e.ones(3).long(), e.ones(3).long()),
    "labels' dims": lambda e: e.nn.MultiLabelMarginLoss()(e.ones(2, 2, 3), e.ones(2, 2, 3).long()),
    "soft labels' reduction": lambda e: e.nn.MultiLabelSoftMarginLoss(reduction="bad")(e.ones(3), e.ones(3)),
    "soft labels' dims": lambda e: e.nn.MultiLabelSoftMarginLoss()(e.tensor(1.0), e.tensor(1.0)),
    "triplet dims": lambda e: e.nn.functional.triplet_margin_loss(e.ones(4, 3), e.ones(4, 3), e.ones(3)),
    "kl integers": lambda e: e.nn.functional.kl_div(e.tensor([1]), e.tensor([1])),
    "kl integer target": lambda e: e.nn.functional.kl_div(e.ones(1), e.tensor([1])),
    "huber integer input": lambda e: e.nn.functional.huber_loss(e.tensor([1]), e.ones(1)),
    "huber integers": lambda e: e.nn.functional.huber_loss(e.tensor([1]), e.tensor([1])),
    "smooth booleans": lambda e: e.nn.functional.smooth_l1_loss(e.tensor([True]), e.tensor([True])),
    "triplet module": lambda e: e.nn.TripletMarginLoss(margin=0),
    "cosine target": lambda e: e.nn.functional.cosine_embedding_loss(e.ones(2, 2), e.ones(2, 2), e.ones(2, 2)),
}


@pytest.mark.parametrize("case", ERRORS)
def test_errors(case, same_error):
    same_error(ERRORS[case])


OLD_ARGUMENTS = [
    {"size_average": True},
    {"size_average": False},
    {"reduce": False},
    {"reduce": True},
    {"size_average": False, "reduce": True},
]


@pytest.mark.parametrize("options", OLD_ARGUMENTS)
def test_old_arguments_choose_the_reduction_and_warn(options, same_warning, both):
    same_warning(lambda e: e.nn.MSELoss(**options))
    same_warning(lambda e: e.nn.functional.mse_loss(e.ones(2), e.zeros(2), **options))
    same_warning(lambda e: e.nn.functional.cross_entropy(e.ones(2, 2), e.tensor([0, 1]), **options))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        ours, theirs = both(lambda e: e.nn.MSELoss(**options))
        assert ours.reduction == theirs.reduction
        ours, theirs = both(lambda e: e.nn.functional.mse_loss(e.tensor([3.0, 5.0]), e.zeros(2), **options))
    assert repr(ours) == repr(theirs)


def test_old_arguments_warn_where_they_are_written():
    with pytest.warns(UserWarning, match="reduction='sum'") as caught:
        minigrad.nn.MSELoss(size_average=False)
    assert caught[0].filename == __file__


def test_kl_mean_warns(same_warning):
    same_warning(lambda e: e.nn.functional.kl_div(e.ones(2), e.ones(2)))


MODULES = {
    "MSELoss": {},
    "L1Loss": {"reduction": "sum"},
    "SmoothL1Loss": {"beta": 0.5},
    "HuberLoss": {"delta": 0.5},
    "BCEWithLogitsLoss": {},
    "KLDivLoss": {"reduction": "batchmean"},
    "SoftMarginLoss": {},
    "MultiLabelSoftMarginLoss": {},
    "PoissonNLLLoss": {"full": True},
    "CosineSimilarity": {},
    "PairwiseDistance": {"keepdim": True},
}


@pytest.mark.parametrize("name", MODULES)
def test_modules_call_their_functions(name, same, both):
    x, y = random.standard_normal((4, 3)), random.random((4, 3))
    same(lambda e, x: getattr(e.nn, name)(**MODULES[name])(x, e.tensor(y).to(x.dtype)), x, slack=20)
    ours, theirs = both(lambda e: repr(getattr(e.nn, name)(**MODULES[name])))
    assert ours == theirs


def test_modules_with_weights_and_more_arguments(same, both):
    x, t, w = random.standard_normal((4, 3)), np.array([0, 2, 1, 1]), random.random(3)
    y, z, sign = random.standard_normal((4, 3)), random.standard_normal((4, 3)), np.array([1.0, -1.0, 1.0, -1.0])

    def with_weight(e, name, x, **options):
        return getattr(e.nn, name)(e.tensor(w).to(x.dtype), **options)

    same(lambda e, x, t: with_weight(e, "CrossEntropyLoss", x, label_smoothing=0.1)(x, t), x, t, slack=4)
    same(lambda e, x, t: with_weight(e, "NLLLoss", x, ignore_index=2)(x, t), x, t, slack=4)
    same(lambda e, p, q: with_weight(e, "BCELoss", p)(p, q), *probabilities(), order=1, slack=10)
    same(lambda e, x, y, z: e.nn.TripletMarginLoss()(x, y, z), x, y, z, slack=20)
    same(lambda e, x, y, z: e.nn.TripletMarginWithDistanceLoss(swap=True)(x, y, z), x, y, z, slack=20)
    same(lambda e, x, t: with_weight(e, "MultiLabelSoftMarginLoss", x)(x, t), x, random.random((4, 3)), slack=10)
    same(lambda e, x, t: e.nn.MultiMarginLoss(2, 0.5, e.tensor(w).to(x.dtype))(x, t), x, t, order=1, slack=4)
    same(lambda e, x: e.nn.MultiLabelMarginLoss()(x, e.tensor([[0, -1, 1]] * 4)), x, order=1, slack=4)
    ours, theirs = both(lambda e: repr([e.nn.TripletMarginWithDistanceLoss(), e.nn.MultiMarginLoss()]))
    assert ours == theirs
    same(lambda e, x, y: e.nn.MarginRankingLoss(0.1)(x, y, e.sign(e.tensor(z)).to(x.dtype)), x, y, slack=4)
    same(lambda e, x, y: e.nn.CosineEmbeddingLoss()(x, y, e.tensor(sign).to(x.dtype)), x, y, slack=20)
    same(lambda e, x, y: e.nn.GaussianNLLLoss(full=True)(x, y, e.ones(4, 3).to(x.dtype)), x, y, slack=20)
    same(lambda e, x: e.nn.HingeEmbeddingLoss(0.5)(x, e.sign(e.tensor(y)).to(x.dtype)), x, slack=4)
    ours, theirs = both(lambda e: list(e.nn.BCEWithLogitsLoss(pos_weight=e.ones(3)).state_dict()))
    assert ours == theirs == ["pos_weight"]
