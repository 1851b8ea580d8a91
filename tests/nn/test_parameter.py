"""Parameter and Buffer against torch's."""

import copy

import numpy as np

import minigrad
from minigrad import nn


def test_repr(both):
    for run in (
        lambda e: e.nn.Parameter(e.tensor([1.0, 2.0])),
        lambda e: e.nn.Parameter(e.tensor([1.0]), requires_grad=False),
        lambda e: e.nn.Parameter(),
        lambda e: e.nn.parameter.Parameter(e.ones(2, 2).double()),
    ):
        ours, theirs = both(run)
        assert repr(ours) == repr(theirs)


def test_shares_memory_and_version(both):
    def run(e):
        data = e.ones(2)
        parameter = e.nn.Parameter(data)
        data.add_(1)
        return parameter.tolist(), parameter._version, parameter.is_leaf, parameter.requires_grad

    ours, theirs = both(run)
    assert ours == theirs == ([2.0, 2.0], 1, True, True)


def test_of_a_result_is_a_leaf(both):
    ours, theirs = both(lambda e: e.nn.Parameter(e.ones(2, requires_grad=True) * 2))
    for parameter in (ours, theirs):
        assert parameter.is_leaf and parameter.grad_fn is None


def test_requires_grad_under_no_grad():
    with minigrad.no_grad():
        assert nn.Parameter(minigrad.ones(1)).requires_grad


def test_results_are_tensors(both):
    ours, theirs = both(
        lambda e: [type(t) is e.Tensor for t in (lambda p: (p * 2, p.detach(), p.data))(e.nn.Parameter(e.ones(1)))]
    )
    assert ours == theirs == [True, True, True]


def test_deepcopy():
    parameter = nn.Parameter(minigrad.tensor([1.0, 2.0]))
    parameter.grad = minigrad.ones(2)
    duplicate = copy.deepcopy(parameter)
    assert type(duplicate) is nn.Parameter and duplicate.requires_grad and duplicate.grad is None
    assert duplicate.tolist() == [1.0, 2.0]
    assert not np.shares_memory(duplicate.detach().numpy(), parameter.detach().numpy())
    pair = copy.deepcopy([parameter, parameter])
    assert pair[0] is pair[1]
    frozen = copy.deepcopy(nn.Parameter(minigrad.ones(1), requires_grad=False))
    assert not frozen.requires_grad


def test_errors(same_error):
    same_error(lambda e: e.nn.Parameter([1.0]))
    same_error(lambda e: e.nn.Parameter(e.tensor([1])))
    assert not nn.Parameter(minigrad.tensor([1]), requires_grad=False).requires_grad


def test_accumulates_gradient_and_is_hashable():
    parameter = nn.Parameter(minigrad.tensor([3.0]))
    (parameter * parameter).sum().backward()
    assert parameter.grad.tolist() == [6.0]
    assert len({parameter, parameter}) == 1


def test_a_buffer_is_a_tensor_with_a_mark(both):
    def run(e):
        made = e.nn.Buffer(e.ones(1), persistent=False)
        copied = copy.deepcopy(made)
        kinds = [type(t) is e.Tensor for t in (made, copied, e.nn.Buffer(e.nn.Parameter(e.ones(1))))]
        marked = [isinstance(t, e.nn.Buffer) for t in (made, copied, made + 1, e.ones(1), e.nn.Parameter(e.ones(1)))]
        return kinds, marked, made.persistent, copied.persistent, isinstance(3, e.nn.Buffer)

    ours, theirs = both(run)
    assert ours == theirs


def test_buffer(both):
    def run(e):
        module = e.nn.Module()
        module.kept = e.nn.Buffer(e.ones(1))
        module.dropped = e.nn.Buffer(e.zeros(1), persistent=False)
        return [name for name, _ in module.named_buffers()], list(module.state_dict()), repr(module.kept)

    ours, theirs = both(run)
    assert ours == theirs
