"""Functions of nn.functional against torch's: values, gradients and second gradients with random cotangents, in both
dtypes; the special points of each; and the texts of errors and warnings."""

# Every lambda here is called before the loop that it stands in goes on.
# ruff: noqa: B023

import numpy as np
import pytest
import torch

import minigrad
from minigrad.nn import functional as F

INF, NAN = float("inf"), float("nan")
random = np.random.default_rng(7)

X = np.concatenate([random.standard_normal(20) * 3, [0.0, -0.0, 1.0, -1.0, 6.0, 0.5, 2.0, -2.0, 20.0, 20.5]])
LARGE = np.array([-1000.0, -100.0, -50.0, -20.0, 30.0, 100.0, 1000.0])

ACTIVATIONS = {
    "relu": lambda F, x: F.relu(x),
    "leaky_relu": lambda F, x: F.leaky_relu(x),
    "leaky_relu slope": lambda F, x: F.leaky_relu(x, 0.3),
    "leaky_relu negative slope": lambda F, x: F.leaky_relu(x, -0.3),
    "elu": lambda F, x: F.elu(x),
    "elu alpha": lambda F, x: F.elu(x, 1.7),
    "selu": lambda F, x: F.selu(x),
    "silu": lambda F, x: F.silu(x),
    "gelu": lambda F, x: F.gelu(x),
    "gelu tanh": lambda F, x: F.gelu(x, approximate="tanh"),
    "hardtanh": lambda F, x: F.hardtanh(x),
    "hardtanh bounds": lambda F, x: F.hardtanh(x, -0.5, 2.0),
    "relu6": lambda F, x: F.relu6(x),
    "logsigmoid": lambda F, x: F.logsigmoid(x),
    "softplus": lambda F, x: F.softplus(x),
    "softplus beta": lambda F, x: F.softplus(x, 2.0, 5.0),
    "softsign": lambda F, x: F.softsign(x),
    "tanhshrink": lambda F, x: F.tanhshrink(x),
    "sigmoid": lambda F, x: F.sigmoid(x),
    "tanh": lambda F, x: F.tanh(x),
}


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_activation(name, same):
    function = ACTIVATIONS[name]
    # gelu and tanhshrink subtract nearly equal numbers: their last digits are their inputs' rounding.
    slack = 40 if name in ("gelu", "gelu tanh", "tanhshrink") else 2
    same(lambda e, x: function(e.nn.functional, x), X, slack=slack)
    same(lambda e, x: function(e.nn.functional, x), X.reshape(5, 6)[:, ::2], slack=slack)
    same(lambda e, x: function(e.nn.functional, x), np.array(0.3), slack=slack)
    same(lambda e, x: function(e.nn.functional, x), np.zeros((0, 3)), slack=slack)


@pytest.mark.parametrize("name", [n for n in ACTIVATIONS if n not in ("gelu", "gelu tanh", "tanhshrink")])
def test_activation_at_large_inputs(name, same):
    """Element by element, because the tolerance is relative to the largest: nothing overflows into a nan."""
    # torch's second derivatives of these subtract from 1 what is nearly 1.
    order = 1 if name in ("logsigmoid", "softsign", "silu") else 2
    for x in LARGE:
        same(lambda e, t: ACTIVATIONS[name](e.nn.functional, t), np.array([x]), order=order, slack=2)


@pytest.mark.parametrize("name", ["relu", "leaky_relu", "elu", "selu", "hardtanh", "relu6", "logsigmoid", "softplus"])
def test_activation_at_special_values(name, same):
    same(lambda e, x: ACTIVATIONS[name](e.nn.functional, x), np.array([NAN, 1.0]), order=1)
    for x in (INF, -INF):
        same(lambda e, t: ACTIVATIONS[name](e.nn.functional, t), np.array([x]), order=1)


@pytest.mark.parametrize("name", ["relu", "leaky_relu", "elu", "selu", "silu", "hardtanh", "relu6", "dropout"])
def test_inplace_writes_and_keeps_the_gradient(name, same):
    def run(engine, x):
        y = x * 2
        function = getattr(engine.nn.functional, name)
        if name == "dropout":
            engine.manual_seed(3)
        result = function(y, inplace=True)
        assert result is y
        return result

    same(run, X, slack=2)


@pytest.mark.parametrize("name", ["relu", "elu"])
def test_inplace_on_a_leaf_is_refused(name, same_error):
    same_error(lambda e: getattr(e.nn.functional, name)(e.ones(2, requires_grad=True), inplace=True))


@pytest.mark.parametrize(
    "shape, weight", [((4, 3), 3), ((4, 3), 1), ((2, 3, 4), 3), ((5,), 1), ((), 1), ((2, 3, 4, 2), 3)]
)
def test_prelu(shape, weight, same):
    x, w = random.standard_normal(shape), random.standard_normal(weight)
    same(lambda e, x, w: e.nn.functional.prelu(x, w), x, w)
    same(lambda e, x, w: e.nn.functional.prelu(x, w), x, np.array(0.2))
    if shape:
        # At 0 torch's second derivative is that of x for one input and of weight * x for the other: first order only.
        x.flat[0], x.flat[1] = 0.0, INF
        same(lambda e, x, w: e.nn.functional.prelu(x, w), x, w, order=1)


@pytest.mark.parametrize("name", ["softmax", "softmin", "log_softmax"])
def test_softmax(name, same, both):
    def run(e, x, **options):
        return getattr(e.nn.functional, name)(x, **options)

    x = random.standard_normal((3, 4, 5)) * 4
    for dim in (0, 1, -1):
        same(lambda e, t: run(e, t, dim=dim), x, slack=2)
    same(lambda e, t: run(e, t, dim=0), np.array([1000.0, 999.0, -1000.0]), slack=2)
    same(lambda e, t: run(e, t, dim=0, dtype=e.float64), np.array([1.0, 2.0, -3.0]), slack=2, dtypes=["float32"])
    ours, theirs = both(lambda e: run(e, e.tensor([1, 2, 3]), dim=0, dtype=e.float32))
    np.testing.assert_allclose(ours.numpy(), theirs.numpy(), rtol=1e-6)


@pytest.mark.parametrize("name", ["softmax", "softmin", "log_softmax"])
@pytest.mark.parametrize("shape", [(), (3,), (2, 3), (2, 3, 4), (2, 2, 2, 2)])
def test_softmax_without_dim_warns_and_guesses(name, shape, same, same_warning):
    same_warning(lambda e: getattr(e.nn.functional, name)(e.ones(shape)))
    same(lambda e, x: getattr(e.nn.functional, name)(x), random.standard_normal(shape), slack=2)


@pytest.mark.parametrize(
    "x, w, bias",
    [
        ((4, 3), (2, 3), (2,)),
        ((4, 3), (2, 3), None),
        ((3,), (2, 3), (2,)),
        ((3,), (2, 3), None),
        ((2, 4, 3), (2, 3), (2,)),
        ((2, 4, 3), (2, 3), None),
        ((4, 3), (3,), None),
        ((4, 1), (1, 1), (1,)),
        ((0, 3), (2, 3), (2,)),
        ((4, 0), (2, 0), (2,)),
        ((4, 3), (2, 3), (1,)),
        ((4, 3), (2, 3), ()),
    ],
)
def test_linear(x, w, bias, same):
    arrays = [random.standard_normal(shape) for shape in (x, w, bias) if shape is not None]
    same(lambda e, *tensors: e.nn.functional.linear(*tensors), *arrays, slack=2)


def test_fused_linear_is_the_plain_one():
    for shape in ((5, 3), (3,), (2, 4, 3)):
        x, w, b = (minigrad.tensor(random.standard_normal(s), requires_grad=True) for s in (shape, (2, 3), (2,)))
        values = []
        for function in (F.linear, F._plain_linear):
            value = function(x, w, b)
            cotangent = minigrad.tensor(np.linspace(-1, 2, value.numel()).reshape(tuple(value.shape)))
            first = minigrad.autograd.grad(value, [x, w, b], cotangent, create_graph=True)
            second = minigrad.autograd.grad(sum((g * g).sum() for g in first), [x, w, b], allow_unused=True)
            values.append([t.detach().numpy() for t in (value, *first, *second) if t is not None])
        for ours, plain in zip(*values, strict=True):
            np.testing.assert_allclose(ours, plain, rtol=1e-13, atol=1e-13)


LINEAR_ERRORS = {
    "2d": lambda e: e.nn.functional.linear(e.ones(2, 3), e.ones(4, 5), e.ones(4)),
    "1d": lambda e: e.nn.functional.linear(e.ones(3), e.ones(4, 5), e.ones(4)),
    "2d, no bias": lambda e: e.nn.functional.linear(e.ones(2, 3), e.ones(4, 5)),
    "3d": lambda e: e.nn.functional.linear(e.ones(2, 2, 3), e.ones(4, 5), e.ones(4)),
    "bias": lambda e: e.nn.functional.linear(e.ones(2, 5), e.ones(4, 5), e.ones(3)),
    "bias 3d": lambda e: e.nn.functional.linear(e.ones(2, 2, 5), e.ones(4, 5), e.ones(3)),
    "dtype": lambda e: e.nn.functional.linear(e.ones(2, 5).double(), e.ones(4, 5), e.ones(4)),
    "integers": lambda e: e.nn.functional.linear(e.ones(2, 5).long(), e.ones(4, 5), e.ones(4)),
    "0d": lambda e: e.nn.functional.linear(e.tensor(1.0), e.ones(4, 5), e.ones(4)),
    "1d weight with bias": lambda e: e.nn.functional.linear(e.ones(2, 5), e.ones(5), e.ones(2)),
    "3d weight": lambda e: e.nn.functional.linear(e.ones(2, 5), e.ones(3, 4, 5)),
    "list": lambda e: e.nn.functional.linear([1.0], e.ones(4, 5)),
    "ndarray": lambda e: e.nn.Linear(2, 3)(np.ones((2, 2))),
}


@pytest.mark.parametrize("case", LINEAR_ERRORS)
def test_linear_errors(case, same_error):
    same_error(LINEAR_ERRORS[case])


@pytest.mark.parametrize("batch", [(), (4,), (2, 3)])
def test_bilinear(batch, same):
    x1, x2, w, b = (random.standard_normal(s) for s in ((*batch, 3), (*batch, 4), (5, 3, 4), (5,)))
    same(lambda e, *tensors: e.nn.functional.bilinear(*tensors), x1, x2, w, b, slack=4)
    same(lambda e, *tensors: e.nn.functional.bilinear(*tensors), x1, x2, w, slack=4)


@pytest.mark.parametrize(
    "shapes",
    [((2, 5), (3, 4), (6, 5, 4)), ((2, 5), (2, 3), (6, 5, 4)), ((2, 6), (2, 4), (6, 5, 4)), ((5,), (1, 4), (6, 5, 4)),
     ((2, 5), (2, 4), (6, 5, 4), (5,))],
)  # fmt: skip
def test_bilinear_errors(shapes, same_error):
    same_error(lambda e: e.nn.functional.bilinear(*[e.ones(*shape) for shape in shapes]))


def test_embedding(same, both):
    weight = random.standard_normal((5, 3))
    indices = np.array([[0, 4, 2], [2, 2, 1]])
    same(lambda e, w, i: e.nn.functional.embedding(i, w), weight, indices)
    same(lambda e, w, i: e.nn.functional.embedding(i, w, padding_idx=2), weight, indices)
    same(lambda e, w, i: e.nn.functional.embedding(i, w, padding_idx=-1), weight, indices)
    same(lambda e, w, i: e.nn.functional.embedding(i, w), weight, indices.astype(np.int32))

    def renormalised(e):
        w = e.tensor(weight)
        return e.nn.functional.embedding(e.tensor(indices), w, max_norm=1.0), w

    for ours, theirs in zip(*both(renormalised), strict=True):
        np.testing.assert_allclose(ours.numpy(), theirs.numpy(), rtol=1e-12)


@pytest.mark.parametrize("indices", [[1, 9], [-1], [1.0]])
def test_embedding_errors(indices, same_error):
    same_error(lambda e: e.nn.functional.embedding(e.tensor(indices), e.ones(4, 5)))
    same_error(lambda e: e.nn.functional.embedding(e.tensor([0]), e.ones(4)))
    same_error(lambda e: e.nn.functional.embedding(e.tensor([0]), e.ones(4, 5), padding_idx=4))


def test_softplus_in_half_precision(same):
    x = np.linspace(-20, 25, 91)  # exp(11.1) is infinite there
    same(lambda e, x: e.nn.functional.softplus(x), x, order=1, dtypes=["float16"])
    same(lambda e, x: e.nn.functional.softplus(x, 3.0, 60.0), x, order=1, dtypes=["float16"])


@pytest.mark.parametrize("scale", [1.0, 300.0])
def test_normalisation_in_half_precision(scale, same, both):
    """Of numbers whose variance is more than half precision holds."""
    x, w, b = random.standard_normal((6, 8)) * scale, random.standard_normal(8), random.standard_normal(8)
    c = random.standard_normal((6, 8))

    def weighed(e, result):
        return result * e.tensor(c).half()

    def batch_norm(e, x, w=None, b=None):
        return weighed(e, e.nn.functional.batch_norm(x, None, None, w, b, training=True))

    options = {"order": 1, "slack": 4, "dtypes": ["float16"]}
    same(lambda e, x: weighed(e, e.nn.functional.layer_norm(x, (8,))), x, **options)
    same(lambda e, x, w, b: weighed(e, e.nn.functional.layer_norm(x, (8,), w, b)), x, w, b, **options)
    same(batch_norm, x, **options)
    same(batch_norm, x, w, **options)
    same(batch_norm, x, w, b, **options)

    def running(e):
        layer = e.nn.BatchNorm1d(8).half()
        layer(e.tensor(x).half())
        return layer.running_mean.numpy(), layer.running_var.numpy()

    for ours, theirs in zip(*both(running), strict=True):
        np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize("shape, axes", [((4, 3), 1), ((2, 3, 4), 1), ((2, 3, 4), 2), ((2, 3, 4), 3)])
def test_layer_norm(shape, axes, same):
    normalized = shape[-axes:]
    arrays = [random.standard_normal(s) for s in (shape, normalized, normalized)]
    same(lambda e, x, w, b: e.nn.functional.layer_norm(x, normalized, w, b), *arrays, slack=40)
    same(lambda e, x: e.nn.functional.layer_norm(x, normalized, eps=1e-3), arrays[0], slack=40)


@pytest.mark.parametrize("shape, axes", [((4, 3), 1), ((2, 3, 4), 2), ((2, 3, 4), 3)])
def test_rms_norm(shape, axes, same, both):
    x, w = random.standard_normal(shape), random.standard_normal(shape[-axes:])
    for dtypes, order, slack in ((("float64", "float32"), 2, 40), (("float16",), 1, 4)):
        options = {"order": order, "slack": slack, "dtypes": dtypes}
        same(lambda e, x, w: e.nn.functional.rms_norm(x, w.shape, w), x, w, **options)
        same(lambda e, x: e.nn.functional.rms_norm(x, w.shape), x * 1e-4, **options)
        same(lambda e, x: e.nn.functional.rms_norm(x, w.shape, eps=1e-3), x, **options)
    ours, theirs = both(lambda e: e.nn.functional.rms_norm(e.ones(2, 3), (3,), e.ones(3).double()))
    assert str(ours.dtype) == str(theirs.dtype)


@pytest.mark.parametrize("shape", [(6, 3), (4, 3, 5)])
@pytest.mark.parametrize("training", [True, False])
def test_batch_norm(shape, training, same, both):
    x, w, b = (random.standard_normal(s) for s in (shape, 3, 3))
    mean, variance = random.standard_normal(3), random.random(3) + 0.5

    def run(e, x, w, b):
        return e.nn.functional.batch_norm(x, e.tensor(mean).to(x.dtype), e.tensor(variance).to(x.dtype), w, b, training)

    same(run, x, w, b, slack=40)

    def running(e):
        statistics = e.tensor(mean), e.tensor(variance)
        e.nn.functional.batch_norm(e.tensor(x), *statistics, training=training, momentum=0.3)
        return statistics

    for ours, theirs in zip(*both(running), strict=True):
        np.testing.assert_allclose(ours.numpy(), theirs.numpy(), rtol=1e-12)


NORM_ERRORS = {
    "layer shape": lambda e: e.nn.functional.layer_norm(e.ones(3, 4), (5,)),
    "layer weight": lambda e: e.nn.functional.layer_norm(e.ones(3, 4), (4,), e.ones(3)),
    "layer bias": lambda e: e.nn.functional.layer_norm(e.ones(3, 4), (4,), e.ones(4), e.ones(3)),
    "layer empty": lambda e: e.nn.functional.layer_norm(e.ones(3, 4), ()),
    "rms shape": lambda e: e.nn.functional.rms_norm(e.ones(3, 4), (5,)),
    "rms weight": lambda e: e.nn.functional.rms_norm(e.ones(3, 4), (4,), e.ones(3)),
    "rms empty": lambda e: e.nn.functional.rms_norm(e.ones(3, 4), ()),
    "rms scalar": lambda e: e.nn.functional.rms_norm(e.tensor(1.0), (1,)),
    "rms integers": lambda e: e.nn.functional.rms_norm(e.ones(3, 4).long(), (4,)),
    "batch one": lambda e: e.nn.BatchNorm1d(4)(e.ones(1, 4)),
    "batch channels": lambda e: e.nn.BatchNorm1d(3)(e.ones(3, 4)),
    "batch 1d": lambda e: e.nn.BatchNorm1d(3)(e.ones(4)),
    "batch no statistics": lambda e: e.nn.functional.batch_norm(e.ones(3, 4), None, None),
    "batch weight": lambda e: e.nn.functional.batch_norm(e.ones(3, 4), e.ones(4), e.ones(4), e.ones(3)),
    "layer integers": lambda e: e.nn.functional.layer_norm(e.ones(3, 4).long(), (4,)),
    "layer mixed integers": lambda e: e.nn.LayerNorm(4)(e.ones(3, 4).long()),
    "layer mixed double": lambda e: e.nn.LayerNorm(4)(e.ones(3, 4).double()),
    "layer mixed half": lambda e: e.nn.LayerNorm(4).half()(e.ones(3, 4)),
    "batch integers": lambda e: e.nn.BatchNorm1d(4)(e.ones(3, 4).long()),
    "batch mixed double": lambda e: e.nn.BatchNorm1d(4)(e.ones(3, 4).double()),
    "batch mixed half": lambda e: e.nn.BatchNorm1d(4).half()(e.ones(3, 4)),
    "batch mixed in evaluation": lambda e: e.nn.BatchNorm1d(4).eval()(e.ones(3, 4).double()),
    "batch double statistics": lambda e: e.nn.functional.batch_norm(e.ones(3, 4), e.ones(4).double(), e.ones(4)),
    "batch eps": lambda e: e.nn.functional.batch_norm(e.ones(3, 4), None, None, training=True, eps=0.0),
}


@pytest.mark.parametrize("case", NORM_ERRORS)
def test_normalisation_errors(case, same_error):
    same_error(NORM_ERRORS[case])


def test_a_batch_that_is_refused_moves_no_average():
    layer = minigrad.nn.BatchNorm1d(2)
    with pytest.raises(RuntimeError):
        layer(minigrad.ones(3, 2).double())
    assert layer.running_mean.tolist() == [0.0, 0.0] and layer.running_var.tolist() == [1.0, 1.0]


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("name", ["LayerNorm", "BatchNorm1d"])
def test_half_precision_beside_parameters_in_single(name, training, both):
    def run(e):
        layer = getattr(e.nn, name)(3).train(training)
        x = e.tensor([[1.0, 2.0, 4.0], [3.0, 0.0, 5.0], [-2.0, 1.0, 0.5]]).half().requires_grad_()
        out = layer(x)
        (out * e.tensor([[1.0, -2.0, 0.5]]).half()).sum().backward()
        return [t.detach().numpy() for t in (out, x.grad, *(p.grad for p in layer.parameters()), *layer.buffers())]

    for ours, theirs in zip(*both(run), strict=True):
        assert ours.dtype == theirs.dtype
        np.testing.assert_allclose(ours, theirs, rtol=2e-3, atol=2e-3)


def test_normalize_and_distances(same):
    x, y = random.standard_normal((3, 4)), random.standard_normal((3, 4))
    for p, dim in ((2.0, 1), (1.0, 0), (2.0, -1)):
        same(lambda e, x: e.nn.functional.normalize(x, p, dim), x, slack=8)
    zero = np.zeros((1, 3))
    same(lambda e, x: e.nn.functional.normalize(x), zero, order=1)
    for dim in (0, 1, -1):
        same(lambda e, x, y: e.nn.functional.cosine_similarity(x, y, dim=dim), x, y, slack=20)
    same(lambda e, x, y: e.nn.functional.cosine_similarity(x, y), x, y[:1], slack=20)
    same(lambda e, x, y: e.nn.functional.cosine_similarity(x, y), zero, np.ones((1, 3)), order=1)
    for p in (2.0, 1.0, 3.0):
        same(lambda e, x, y: e.nn.functional.pairwise_distance(x, y, p), x, y, slack=20)
    same(lambda e, x, y: e.nn.functional.pairwise_distance(x, y, keepdim=True), x, y, slack=20)


@pytest.mark.parametrize("p", [0.0, 0.1, 0.5, 0.9, 1.0])
@pytest.mark.parametrize("shape", [(4, 5), (33,), ()])
def test_dropout_draws_torchs_mask(p, shape, same):
    def run(engine, x):
        engine.manual_seed(11)
        return engine.nn.functional.dropout(x, p)

    same(run, random.standard_normal(shape) + 5)


def test_dropout_in_evaluation_is_the_input():
    x = minigrad.ones(3)
    assert F.dropout(x, 0.5, training=False) is x
    assert F.dropout(x, 0.0) is x


def test_dropout_errors(same_error):
    for p in (-0.1, 1.5):
        same_error(lambda e: e.nn.functional.dropout(e.ones(3), p))
    same_error(lambda e: e.nn.functional.dropout(e.ones(3).long(), 0.5))


@pytest.mark.parametrize("indices, classes", [([0, 2, 1], -1), ([0, 2, 1], 5), ([[0, 1], [1, 1]], 3), ([], 4), (2, 4)])
def test_one_hot(indices, classes, both):
    ours, theirs = both(lambda e: e.nn.functional.one_hot(e.tensor(indices, dtype=e.int64), classes))
    assert ours.dtype == minigrad.int64
    np.testing.assert_array_equal(ours.numpy(), theirs.numpy())


def test_one_hot_errors(same_error):
    for indices, classes in (([1.0], -1), ([-1], -1), ([3], 2), ([3], 0)):
        same_error(lambda e: e.nn.functional.one_hot(e.tensor(indices), classes))
    same_error(lambda e: e.nn.functional.one_hot(e.tensor([], dtype=e.int64)))
    same_error(lambda e: e.nn.functional.one_hot(e.tensor([1], dtype=e.int32), 5))


@pytest.mark.parametrize(
    "pad, value", [((1, 2), None), ((1, 2, 0, 3), 4.5), ((-1, 2), None), ((-1, -1), None), ((0, 0), None), ((), None),
                   ((1, 1, 1, 1, 1, 1), -1.0)]
)  # fmt: skip
def test_pad(pad, value, same):
    same(lambda e, x: e.nn.functional.pad(x, pad, value=value) * x.sum(), random.standard_normal((2, 3, 4)))


def test_pad_errors(same_error):
    for pad in ((1,), (-3, -3), (1, 1, 1, 1, 1, 1)):
        same_error(lambda e: e.nn.functional.pad(e.ones(3, 4), pad))
    same_error(lambda e: e.nn.functional.pad(e.ones(3, 4), (1, 1), mode="unheard-of"))


INTEGER_ERRORS = ["leaky_relu", "elu", "selu", "silu", "gelu", "softplus", "logsigmoid"]


@pytest.mark.parametrize("name", INTEGER_ERRORS)
def test_integers_are_refused(name, same_error):
    same_error(lambda e: getattr(e.nn.functional, name)(e.tensor([1, 2])))


@pytest.mark.parametrize("name", ["relu", "relu6", "hardtanh", "softsign"])
def test_integers_are_taken(name, both):
    ours, theirs = both(lambda e: getattr(e.nn.functional, name)(e.tensor([7, -3, 0])))
    assert repr(ours) == repr(theirs)


def test_bad_options(same_error):
    same_error(lambda e: e.nn.functional.hardtanh(e.ones(2), 1.0, -1.0))
    same_error(lambda e: e.nn.functional.gelu(e.ones(2), approximate="fast"))
    for weight in (3, (4, 1)):
        same_error(lambda e: e.nn.functional.prelu(e.ones(3, 4), e.ones(weight)))
    same_error(lambda e: e.nn.functional.prelu(e.ones(3, 4), e.ones(1).double()))


@pytest.mark.parametrize("shape", [(2,), (3, 2), (4, 3, 2), (0, 2), (2, 0, 2)])
@pytest.mark.parametrize("bias", [True, False])
def test_what_made_the_output_of_a_layer(shape, bias):
    """`print(model(x))` names the node: a batch's Addmm, and views of it for other shapes."""

    def made(e):
        layer = e.nn.Linear(2, 3, bias=bias)
        out = layer(e.ones(shape))
        return tuple(out.shape), out.grad_fn.name(), type(out.grad_fn).__name__

    assert made(minigrad) == made(torch)


FLAT = {
    "leaky_relu": lambda e, x: e.nn.functional.leaky_relu(x),
    "hardtanh": lambda e, x: e.nn.functional.hardtanh(x),
    "relu6": lambda e, x: e.nn.functional.relu6(x),
    "prelu": lambda e, x: e.nn.functional.prelu(x, e.tensor([0.25])),
    "relu": lambda e, x: e.nn.functional.relu(x),
    "threshold": lambda e, x: e.nn.functional.threshold(x, 0.1, 2.0),
    "hardshrink": lambda e, x: e.nn.functional.hardshrink(x),
    "softshrink": lambda e, x: e.nn.functional.softshrink(x),
    "nll_loss": lambda e, x: e.nn.functional.nll_loss(x, e.tensor([1, 0])),
}


@pytest.mark.parametrize("name", FLAT)
def test_second_derivatives_that_are_zero_are_there(name):
    """A gradient penalty or a Hessian through them does not stop, as it does not in torch."""

    def second(e):
        x = e.tensor([[0.5, -1.5, 2.0], [-0.25, 0.75, 0.75]], requires_grad=True)
        (g,) = e.autograd.grad(FLAT[name](e, x).sum(), x, create_graph=True)
        return g.tolist(), e.autograd.grad(g.sum(), x)[0].tolist()

    assert second(minigrad) == second(torch)
