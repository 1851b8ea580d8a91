"""Layers against torch's: the same seed gives the same layer, the same outputs and the same gradients."""

import copy

import numpy as np
import pytest

import minigrad
import minigrad.nn as nn

random = np.random.default_rng(1)

LAYERS = {
    "Linear": ((3, 4), (5, 3)),
    "Linear no bias": ((3, 4, False), (5, 3)),
    "Linear 1d": ((3, 4), (3,)),
    "Linear 3d": ((3, 4), (2, 5, 3)),
    "Linear one": ((1, 1), (4, 1)),
    "LayerNorm": ((3,), (5, 3)),
    "LayerNorm 2": (((5, 3),), (2, 5, 3)),
    "LayerNorm no affine": ((3, 1e-4, False), (5, 3)),
    "RMSNorm": ((3,), (5, 3)),
    "RMSNorm 2": (((5, 3), 1e-3), (2, 5, 3)),
    "RMSNorm no affine": ((3, None, False), (5, 3)),
    "LayerNorm no bias": ((3, 1e-4, True, False), (5, 3)),
    "BatchNorm1d": ((3,), (5, 3)),
    "BatchNorm1d 3d": ((3,), (5, 3, 2)),
    "BatchNorm1d average": ((3, 1e-5, None), (5, 3)),
    "BatchNorm1d no affine": ((3, 1e-5, 0.1, False), (5, 3)),
    "BatchNorm1d no tracking": ((3, 1e-5, 0.1, True, False), (5, 3)),
    "PReLU": ((), (5, 3)),
    "PReLU 3": ((3,), (5, 3)),
    "ReLU": ((), (5, 3)),
    "ReLU inplace": ((True,), None),
    "ReLU6": ((), (5, 3)),
    "LeakyReLU": ((0.2,), (5, 3)),
    "LeakyReLU inplace": ((0.2, True), None),
    "ELU": ((1.5,), (5, 3)),
    "SELU": ((), (5, 3)),
    "GELU": ((), (5, 3)),
    "GELU tanh": (("tanh",), (5, 3)),
    "SiLU": ((), (5, 3)),
    "Tanh": ((), (5, 3)),
    "Sigmoid": ((), (5, 3)),
    "LogSigmoid": ((), (5, 3)),
    "Softplus": ((2.0, 10.0), (5, 3)),
    "Softsign": ((), (5, 3)),
    "Hardtanh": ((-0.5, 0.7), (5, 3)),
    "Softmax": ((1,), (5, 3)),
    "LogSoftmax": ((-1,), (5, 3)),
    "Softmin": ((0,), (5, 3)),
    "Flatten": ((), (2, 3, 4)),
    "Flatten 0": ((0, 1), (2, 3, 4)),
    "Unflatten": ((1, (2, 3)), (4, 6)),
    "Identity": ((1, 2), (4, 6)),
    "Dropout": ((0.3,), (5, 3)),
    "Bilinear": ((3, 4, 2), None),
    "Embedding": ((6, 3), None),
    "Embedding padding": ((6, 3, 2), None),
    "Embedding options": ((6, 3, -1, 1.5, 1.0), None),
}


def make(engine, name):
    engine.manual_seed(21)
    return getattr(engine.nn, name.split()[0])(*LAYERS[name][0])


@pytest.mark.parametrize("name", LAYERS)
def test_same_seed_same_layer(name, both):
    ours, theirs = both(lambda e: make(e, name))
    assert repr(ours) == repr(theirs)
    mine, reference = ours.state_dict(), theirs.state_dict()
    assert list(mine) == list(reference)
    for key in reference:
        assert mine[key].dtype.__repr__() == repr(reference[key].dtype)
        np.testing.assert_allclose(mine[key].numpy(), reference[key].numpy(), rtol=1e-6, err_msg=key)


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("name", [name for name, (_, shape) in LAYERS.items() if shape is not None])
def test_outputs_and_gradients(name, training, same, both):
    x = random.standard_normal(LAYERS[name][1])
    slack = 60 if "Norm" in name or "GELU" in name else 4

    def run(e, x):
        layer = make(e, name).to(x.dtype).train(training)
        return layer(x)

    same(run, x, slack=slack)

    def after(e):
        layer = make(e, name).double().train(training)
        for _ in range(2):
            layer(e.tensor(x, requires_grad=True)).sum().backward()
        tensors = [*layer.buffers(), *(p.grad for p in layer.parameters())]
        return [t.detach().numpy() for t in tensors]

    # The same initial values up to float32's rounding, then float64 arithmetic.
    for ours, theirs in zip(*both(after), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-6, atol=1e-9)


def test_bilinear(same):
    def run(e, a, b):
        e.manual_seed(2)
        return e.nn.Bilinear(3, 4, 2).to(a.dtype)(a, b)

    same(run, random.standard_normal((5, 3)), random.standard_normal((5, 4)), slack=8)


def test_embedding(both):
    def run(e):
        layer = make(e, "Embedding padding")
        out = layer(e.tensor([[1, 2], [2, 5]]))
        (out * out).sum().backward()
        return layer.weight[2].tolist(), out.detach().numpy(), layer.weight.grad.numpy()

    (row, *ours), (reference, *theirs) = both(run)
    assert row == reference == [0.0, 0.0, 0.0]
    for a, b in zip(ours, theirs):
        np.testing.assert_allclose(a, b, rtol=1e-6)
    frozen = nn.Embedding.from_pretrained(minigrad.ones(3, 2))
    assert not frozen.weight.requires_grad and repr(frozen) == "Embedding(3, 2)"


def test_dropout_module_masks_are_torchs(both):
    def run(e):
        layer = e.nn.Dropout(0.4)
        e.manual_seed(77)
        return [layer(e.ones(3, 7)).numpy() for _ in range(3)]

    for ours, theirs in zip(*both(run), strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_weights_go_over_by_state_dict():
    """A torch model's weights load into ours, and the two then compute the same."""
    import torch

    def build(e):
        return e.nn.Sequential(
            e.nn.Linear(6, 8), e.nn.BatchNorm1d(8), e.nn.ReLU(), e.nn.Dropout(0.5), e.nn.Linear(8, 2), e.nn.LayerNorm(2)
        )

    theirs, ours = build(torch), build(minigrad)
    state = {k: minigrad.from_numpy(v.numpy().copy()) for k, v in theirs.state_dict().items()}
    assert repr(ours.load_state_dict(state)) == "<All keys matched successfully>"
    x = random.standard_normal((5, 6)).astype(np.float32)
    for model in (ours, theirs):
        model.eval()
    np.testing.assert_allclose(
        ours(minigrad.tensor(x)).detach().numpy(), theirs(torch.tensor(x)).detach().numpy(), rtol=1e-5, atol=1e-6
    )


@pytest.mark.parametrize("optimizer", ["SGD", "Adam"])
def test_training_follows_torch(optimizer, both):
    """A dropout MLP trained from the same seed: losses equal to 5 digits, and so are the final weights."""
    x = random.standard_normal((32, 4)).astype(np.float32)
    y = (x[:, :1] * x[:, 1:2] + 0.5).astype(np.float32)

    def run(e):
        e.manual_seed(3)
        model = e.nn.Sequential(e.nn.Linear(4, 16), e.nn.Tanh(), e.nn.Dropout(0.2), e.nn.Linear(16, 1))
        loss_of = e.nn.MSELoss()
        update = getattr(e.optim, optimizer)(model.parameters(), lr=0.01)
        losses = []
        for _ in range(60):
            update.zero_grad()
            loss = loss_of(model(e.tensor(x)), e.tensor(y))
            loss.backward()
            update.step()
            losses.append(loss.item())
        return losses, [p.detach().numpy() for p in model.parameters()]

    (ours, mine), (theirs, reference) = both(run)
    np.testing.assert_allclose(ours, theirs, rtol=2e-5)
    for a, b in zip(mine, reference):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-6)


def test_double_and_deepcopy(both):
    def run(e):
        model = make(e, "Linear")
        twin = copy.deepcopy(model)
        twin.double()
        return (
            model.weight.dtype == e.float32,
            twin.weight.dtype == e.float64,
            twin.weight.tolist() == model.weight.tolist(),
        )

    ours, theirs = both(run)
    assert ours == theirs == (True, True, True)


ERRORS = {
    "dropout": lambda e: e.nn.Dropout(-1),
    "unflatten type": lambda e: e.nn.Unflatten(1, 2),
    "unflatten element": lambda e: e.nn.Unflatten(1, (2.0, 2)),
    "embedding padding": lambda e: e.nn.Embedding(3, 2, padding_idx=3),
    "embedding weight": lambda e: e.nn.Embedding(3, 2, _weight=e.ones(2, 2)),
    "hardtanh": lambda e: e.nn.Hardtanh(1.0, -1.0),
    "linear": lambda e: e.nn.Linear(2, 3)(e.ones(2, 4)),
}


@pytest.mark.parametrize("case", ERRORS)
def test_errors(case, same_error):
    same_error(ERRORS[case])


def test_warnings(same_warning):
    same_warning(lambda e: e.nn.Softmax()(e.ones(2, 2)))
    same_warning(lambda e: e.nn.Hardtanh(min_value=-2.0))
    with pytest.warns(UserWarning, match="Implicit dimension choice") as caught:
        nn.Softmax()(minigrad.ones(2, 2))
    assert caught[0].filename == __file__
