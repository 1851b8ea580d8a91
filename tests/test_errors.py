"""Bad input: torch's exception class and torch's words, and nothing half-changed.

Every case runs on torch too. The stable part of torch's text (its first sentence) must be found in minigrad's.
"""

import re

import numpy as np
import pytest
import torch

import minigrad
import minigrad.nn

ENGINES = {"minigrad": minigrad, "torch": torch}


def leaf(e, *shape):
    return e.ones(*shape, requires_grad=True)


def module_without_init(e):
    class Net(e.nn.Module):
        def __init__(self):
            self.layer = e.nn.Linear(1, 1)

    return Net()


def parameter_without_init(e):
    class Net(e.nn.Module):
        def __init__(self):
            self.weight = e.nn.Parameter(e.ones(1))

    return Net()


def used_twice(e):
    y = (leaf(e, 2) ** 2).sum()
    y.backward()
    y.backward()


def stale(e):
    x = leaf(e, 2) * 1
    y = x * x
    x += 1
    y.sum().backward()


def stale_output(e):
    y = leaf(e, 2).exp()
    y += 1
    y.sum().backward()


def saves_a_number(e):
    class Function(e.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x, 2.0)
            return x * 2

    Function.apply(leaf(e, 3))


def forgotten_call(e):
    model = e.nn.Linear(1, 1)
    return e.nn.functional.mse_loss(model, e.ones(1))


def backward_of_the_model(e):
    e.nn.Linear(1, 1).backward()


def load(e, other, **options):
    model = e.nn.Sequential(e.nn.Linear(2, 3), e.nn.Linear(3, 1))
    model.load_state_dict(other(e), **options)


def hooked_after(e, hook):
    x = leaf(e, 2)
    x.register_post_accumulate_grad_hook(hook)
    x.sum().backward()


CASES = {
    "backward of a non-scalar": lambda e: (leaf(e, 2) * 2).backward(),
    "backward of what needs no gradient": lambda e: e.ones(1).backward(),
    "backward of a detached result": lambda e: (leaf(e, 1) * 2).detach().backward(),
    "backward of an integer result": lambda e: leaf(e, 3).argmax().backward(),
    "a second backward": used_twice,
    "a cotangent of the wrong shape": lambda e: (leaf(e, 2) * 2).backward(e.ones(3)),
    "a cotangent that is a number": lambda e: (leaf(e, 2) * 2).backward(1.0),
    "grad with no inputs": lambda e: e.autograd.grad(leaf(e, 1), []),
    "grad of nothing with no inputs": lambda e: e.autograd.grad([], []),
    "a hook after accumulation that returns a number": lambda e: hooked_after(e, lambda t: 5),
    "a hook after accumulation that returns another tensor": lambda e: hooked_after(e, lambda t: t * 2),
    "a hook after accumulation that returns another shape": lambda e: hooked_after(e, lambda t: e.ones(3)),
    "an integer sum of what requires grad": lambda e: leaf(e, 2).sum(dtype=e.int64),
    "an integer sum over a dim of what requires grad": lambda e: leaf(e, 2).sum(0, dtype=e.int32),
    "an integer product of what requires grad": lambda e: leaf(e, 2).prod(dtype=e.int64),
    "an integer running sum of what requires grad": lambda e: leaf(e, 2).cumsum(0, dtype=e.int64),
    "an integer running product of what requires grad": lambda e: leaf(e, 2).cumprod(0, dtype=e.int64),
    "an integer sum but for nan of what requires grad": lambda e: leaf(e, 2).nansum(0, dtype=e.int64),
    "an unknown strategy": lambda e: e.autograd.functional.jacobian(e.exp, e.ones(2), strategy="foo"),
    "an unknown outer strategy": lambda e: e.autograd.functional.hessian(e.sum, e.ones(2), outer_jacobian_strategy="f"),
    "forward mode row by row": lambda e: e.autograd.functional.jacobian(e.exp, e.ones(2), strategy="forward-mode"),
    "forward mode that is differentiable": lambda e: e.autograd.functional.jacobian(
        e.exp, e.ones(2), create_graph=True, strategy="forward-mode", vectorize=True
    ),
    "strict forward mode": lambda e: e.autograd.functional.jacobian(
        e.exp, e.ones(2), strict=True, strategy="forward-mode", vectorize=True
    ),
    "strict and vectorized": lambda e: e.autograd.functional.jacobian(e.exp, e.ones(2), strict=True, vectorize=True),
    "set_ on a leaf": lambda e: leaf(e, 2).set_(e.ones(3)),
    "set_ to another dtype": lambda e: e.ones(2).set_(e.ones(2).double()),
    "backward through set_": lambda e: e.ones(2).set_(leaf(e, 2)).sum().backward(),
    "requires_grad is a text": lambda e: setattr(e.ones(2), "requires_grad", "False"),
    "requires_grad is a number": lambda e: setattr(e.ones(2), "requires_grad", 1),
    "requires_grad None of a result": lambda e: setattr(leaf(e, 1) * 2, "requires_grad", None),
    "requires_grad_ with a number": lambda e: e.ones(2).requires_grad_(1),
    "requires_grad_ of a result with None": lambda e: (leaf(e, 1) * 2).requires_grad_(None),
    "requires_grad= a text": lambda e: e.ones(2, requires_grad="False"),
    "requires_grad= a number": lambda e: e.tensor(2.0, requires_grad=1),
    "a Variable of a list": lambda e: e.autograd.Variable([1.0]),
    "a Variable of integers that requires grad": lambda e: e.autograd.Variable(e.ones(2).long(), requires_grad=True),
    "Tensor(data=tensor)": lambda e: e.Tensor(data=e.ones(2)),
    "hsplit into what does not divide": lambda e: e.zeros(3, 4).hsplit(3),
    "hsplit of a vector into what does not divide": lambda e: e.hsplit(e.zeros(4), e.tensor(3)),
    "vsplit into none": lambda e: e.zeros(3, 4).vsplit(0),
    "dsplit into what does not divide": lambda e: e.zeros(2, 2, 3).dsplit(2),
    "hsplit of a number": lambda e: e.tensor(1.0).hsplit(1),
    "vsplit of a vector": lambda e: e.ones(3).vsplit(1),
    "dsplit of a matrix": lambda e: e.ones(3, 3).dsplit([1]),
    "tensor_split by floats": lambda e: e.ones(3).tensor_split(e.tensor(2.0)),
    "tensor_split by a matrix": lambda e: e.ones(3).tensor_split(e.tensor([[1]])),
    "max over a dim that is no number": lambda e: e.max(e.ones(2), dim=e.tensor(1.0)),
    "backward with no inputs": lambda e: leaf(e, 1).backward(inputs=[]),
    "backward to an input that needs none": lambda e: (leaf(e, 1) * 2).backward(inputs=[e.ones(1)]),
    "grad of an unused input": lambda e: e.autograd.grad(leaf(e, 1) * 2, leaf(e, 1)),
    "grad with respect to what needs none": lambda e: e.autograd.grad(leaf(e, 1) * 2, e.ones(1)),
    "an integer tensor that requires grad": lambda e: e.tensor([1, 2], requires_grad=True),
    "requires_grad_ of an integer tensor": lambda e: e.tensor([1, 2]).requires_grad_(),
    "requires_grad of integer zeros": lambda e: e.zeros(2, dtype=e.int64, requires_grad=True),
    "requires_grad of a result": lambda e: setattr(leaf(e, 1) * 2, "requires_grad", False),
    "in place on a leaf": lambda e: leaf(e, 2).add_(1),
    "augmented assignment to a leaf": lambda e: leaf(e, 2).__iadd__(1),
    "assignment into a leaf": lambda e: leaf(e, 2).__setitem__(0, 5.0),
    "in place on a view of a leaf": lambda e: leaf(e, 2)[0].mul_(2),
    "in place on one of several views": lambda e: (leaf(e, 2, 2) * 1).unbind()[0].mul_(2),
    "in place on an expanded tensor": lambda e: e.ones(1).expand(3).add_(1),
    "in place that would change the dtype": lambda e: e.tensor([1, 2]).add_(1.5),
    "in place that would change the shape": lambda e: e.ones(2).add_(e.ones(3, 2)),
    "a saved tensor changed in place": stale,
    "a saved output changed in place": stale_output,
    "shapes that do not broadcast": lambda e: e.ones(2, 3) + e.ones(4),
    "shapes that do not broadcast, inner": lambda e: e.ones(3, 2) * e.ones(2, 2),
    "expand to fewer": lambda e: e.ones(2, 3).expand(3),
    "expand a size": lambda e: e.ones(2, 3).expand(4, 3),
    "matmul": lambda e: e.ones(2, 3) @ e.ones(2, 3),
    "matmul of vectors": lambda e: e.ones(2) @ e.ones(3),
    "matmul of a matrix and a vector": lambda e: e.ones(2, 3) @ e.ones(2),
    "batched matmul": lambda e: e.ones(2, 3, 4) @ e.ones(2, 3, 4),
    "matmul of a scalar": lambda e: e.ones(()) @ e.ones(2),
    "mm of a vector": lambda e: e.mm(e.ones(2), e.ones(2, 2)),
    "searchsorted in rows of another number": lambda e: e.searchsorted(e.ones(1, 3), e.ones(2, 2)),
    "searchsorted of one number in rows": lambda e: e.searchsorted(e.ones(2, 3), 1.0),
    "searchsorted in a number": lambda e: e.searchsorted(e.tensor(1.0), e.ones(3)),
    "searchsorted with two sides": lambda e: e.searchsorted(e.ones(3), e.ones(3), right=True, side="left"),
    "searchsorted with an unknown side": lambda e: e.searchsorted(e.ones(3), e.ones(3), side="middle"),
    "matrix_power of a vector": lambda e: e.matrix_power(e.ones(3), 2),
    "matrix_power of an oblong": lambda e: e.matrix_power(e.ones(2, 3), 0),
    "bincount with weights of another length": lambda e: e.bincount(e.tensor([0, 1]), e.ones(3)),
    "bincount with a negative minlength": lambda e: e.bincount(e.tensor([0, 1]), minlength=-1),
    "histc with bounds in the wrong order": lambda e: e.histc(e.ones(3), 4, 3, 1),
    "histc without bins": lambda e: e.histc(e.ones(3), 0),
    "histc of integers": lambda e: e.histc(e.tensor([1, 2])),
    "histc up to infinity": lambda e: e.histc(e.tensor([1.0, float("inf")])),
    "tensordot over more dims than there are": lambda e: e.tensordot(e.ones(2, 3), e.ones(3, 2), 5),
    "tensordot over lists of different lengths": lambda e: e.tensordot(e.ones(2, 3), e.ones(3, 2), ([1], [0, 1])),
    "take a place too low": lambda e: e.take(e.ones(3), e.tensor([-10, 1])),
    "arange without an end": lambda e: e.arange(),
    "arange with an unknown keyword": lambda e: e.arange(5, foo=3),
    "range the wrong way": lambda e: e.range(4, 1),
    "full of a string": lambda e: e.full((2,), "a"),
    "full of None": lambda e: e.full((2,), None),
    "sum of a list": lambda e: e.sum([1, 2]),
    "mean of a list": lambda e: e.mean([1.0, 2.0]),
    "softmax of a list": lambda e: e.softmax([1.0], 0),
    "argmax of a number": lambda e: e.argmax(1),
    "sqrt of a number": lambda e: e.sqrt(2),
    "relu of a number": lambda e: e.relu(1.0),
    "log of an array": lambda e: e.log([1.0]),
    "flatten of a list": lambda e: e.flatten([1]),
    "sort of a list": lambda e: e.sort([3, 1]),
    "one_hot of a list": lambda e: e.nn.functional.one_hot([0, 1]),
    "an embedding of a number": lambda e: e.nn.Embedding(2, 2)(0),
    "cross_entropy with a list of classes": lambda e: e.nn.functional.cross_entropy(e.ones(2, 3), [2, 0]),
    "cross_entropy with an array of classes": lambda e: e.nn.functional.cross_entropy(e.ones(1, 3), np.array([0])),
    "cross_entropy with a list of weights": lambda e: e.nn.functional.cross_entropy(
        e.ones(2, 3), e.tensor([0, 1]), weight=[1.0, 2.0, 3.0]
    ),
    "layer_norm of a list": lambda e: e.nn.functional.layer_norm([1.0], (1,)),
    "save_for_backward of a number after a tensor": saves_a_number,
    "dot of different lengths": lambda e: e.dot(e.ones(2), e.ones(3)),
    "matmul of different dtypes": lambda e: e.ones(2, 2) @ e.ones(2, 2, dtype=e.float64),
    "linear": lambda e: e.nn.Linear(3, 1)(e.ones(5, 2)),
    "cat of different sizes": lambda e: e.cat([e.ones(2, 3), e.ones(2, 4)], 0),
    "cat of different numbers of dims": lambda e: e.cat([e.ones(2, 3), e.ones(2)]),
    "cat of nothing": lambda e: e.cat([]),
    "cat of a scalar": lambda e: e.cat([e.ones(()), e.ones(())]),
    "stack of different sizes": lambda e: e.stack([e.ones(2), e.ones(3)]),
    "stack of nothing": lambda e: e.stack([]),
    "view of a non-contiguous tensor": lambda e: e.ones(2, 3).t().view(6),
    "view of the wrong size": lambda e: e.ones(2, 3).view(4, 2),
    "view with a -1 that does not divide": lambda e: e.ones(2, 3).view(4, -1),
    "view with two -1": lambda e: e.ones(2, 3).view(-1, -1),
    "reshape of the wrong size": lambda e: e.ones(2, 3).reshape(7),
    "flatten dims out of order": lambda e: e.ones(2, 3).flatten(1, 0),
    "squeeze out of range": lambda e: e.ones(2, 3).squeeze(2),
    "transpose out of range": lambda e: e.ones(2, 3).transpose(0, 2),
    "permute of too few": lambda e: e.ones(2, 3).permute(0),
    "permute with a repeat": lambda e: e.ones(2, 3).permute(0, 0),
    "t of three dims": lambda e: e.ones(2, 3, 4).t(),
    "an index out of range": lambda e: e.ones(3)[3],
    "a negative index out of range": lambda e: e.ones(3)[-4],
    "an index out of range, second dim": lambda e: e.ones(3, 2)[0, 2],
    "too many indices": lambda e: e.ones(3)[0, 0],
    "an index of a scalar": lambda e: e.ones(())[0],
    "a mask of the wrong shape": lambda e: e.ones(3)[e.tensor([True, False])],
    "a float index": lambda e: e.ones(3)[1.5],
    "a float tensor index": lambda e: e.ones(3)[e.tensor([1.5])],
    "a tensor index out of range": lambda e: e.ones(3)[e.tensor([0, 5])],
    "indices that do not broadcast": lambda e: e.ones(3, 3)[e.tensor([0, 1]), e.tensor([0, 1, 2])],
    "an assignment that does not fit": lambda e: e.ones(3).__setitem__(slice(0, 2), e.ones(3)),
    "a dim out of range": lambda e: e.ones(3).sum(1),
    "a dim given twice": lambda e: e.ones(3, 3).sum((0, 0)),
    "max of nothing": lambda e: e.ones(0).max(),
    "argmax of nothing": lambda e: e.ones(0).argmax(),
    "gather with float index": lambda e: e.ones(3).gather(0, e.ones(1)),
    "index_select out of range": lambda e: e.ones(3).index_select(0, e.tensor([3])),
    "chunk into none": lambda e: e.ones(3).chunk(0),
    "split into sizes that do not add up": lambda e: e.ones(3).split([1, 1]),
    "narrow past the end": lambda e: e.ones(3).narrow(0, 2, 2),
    "mean of integers": lambda e: e.tensor([1, 2]).mean(),
    "subtraction of booleans": lambda e: e.tensor([True]) - e.tensor([True]),
    "negation of a boolean": lambda e: -e.tensor([True]),
    "a negative power of integers": lambda e: e.tensor([2, 3]) ** -1,
    "division rounded by an unknown mode": lambda e: e.div(e.ones(2), e.ones(2), rounding_mode="up"),
    "zeros of a negative size": lambda e: e.zeros(-1),
    "arange that never ends": lambda e: e.arange(0, 3, -1),
    "a step of zero": lambda e: e.arange(0, 3, 0),
    "ragged lists": lambda e: e.tensor([[1.0, 2.0], [3.0]]),
    "a list of texts": lambda e: e.tensor(["a"]),
    "a tensor of an object": lambda e: e.tensor(object()),
    "from_numpy of a list": lambda e: e.from_numpy([1.0]),
    "from_numpy of texts": lambda e: e.from_numpy(np.array(["a"])),
    "numpy of what requires grad": lambda e: leaf(e, 1).numpy(),
    "np.asarray of what requires grad": lambda e: np.asarray(leaf(e, 1)),
    "numpy of a result": lambda e: (leaf(e, 1) * 2).numpy(),
    "item of several": lambda e: e.ones(2).item(),
    "truth of several": lambda e: bool(e.ones(2)),
    "truth of none": lambda e: bool(e.ones(0)),
    "length of a scalar": lambda e: len(e.ones(())),
    "iteration over a scalar": lambda e: iter(e.ones(())),
    "a float tensor as an index of a list": lambda e: [1, 2][e.tensor(1.0)],
    "deepcopy of a result": lambda e: __import__("copy").deepcopy(leaf(e, 1) * 2),
    "an unknown method": lambda e: e.ones(1).no_such_method(),
    "adding a text": lambda e: e.ones(1) + "a",
    "adding None": lambda e: e.ones(1) * None,
    "a grad that is no tensor": lambda e: setattr(leaf(e, 1), "grad", 1.0),
    "a grad of the wrong shape": lambda e: setattr(leaf(e, 1), "grad", e.ones(2)),
    "a grad of the wrong dtype": lambda e: setattr(leaf(e, 1), "grad", e.ones(1, dtype=e.float64)),
    "a hook on what needs no gradient": lambda e: e.ones(1).register_hook(print),
    "retain_grad of what needs none": lambda e: e.ones(1).retain_grad(),
    "detach_ of a view": lambda e: (leaf(e, 2) * 1)[0].detach_(),
    "an unknown dtype": lambda e: e.zeros(2, dtype="float32"),
    "a negative learning rate": lambda e: e.optim.SGD([leaf(e, 1)], lr=-1.0),
    "a negative learning rate, Adam": lambda e: e.optim.Adam([leaf(e, 1)], lr=-1.0),
    "a negative momentum": lambda e: e.optim.SGD([leaf(e, 1)], lr=1.0, momentum=-1.0),
    "an empty parameter list": lambda e: e.optim.SGD([], lr=0.1),
    "an optimizer of a single tensor": lambda e: e.optim.SGD(leaf(e, 1), lr=0.1),
    "an optimizer of a result": lambda e: e.optim.SGD([leaf(e, 1) * 2], lr=0.1),
    "an optimizer of numbers": lambda e: e.optim.SGD([1.0], lr=0.1),
    "the same parameter twice": lambda e: (lambda o, p: o.add_param_group({"params": [p]}))(
        *(lambda p: (e.optim.SGD([p], lr=0.1), p))(leaf(e, 1))
    ),
    "a module used before super().__init__()": module_without_init,
    "a parameter before super().__init__()": parameter_without_init,
    "a module without forward": lambda e: e.nn.Module()(1),
    "an unknown attribute of a module": lambda e: e.nn.Linear(1, 1).wieght,
    "a bad reduction": lambda e: e.nn.MSELoss(reduction="average")(e.ones(1), e.ones(1)),
    "a bad reduction of a function": lambda e: e.nn.functional.l1_loss(e.ones(1), e.ones(1), reduction="average"),
    "a loss of the model itself": forgotten_call,
    "backward of the model": backward_of_the_model,
    "load_state_dict of another shape": lambda e: load(
        e, lambda e: e.nn.Sequential(e.nn.Linear(2, 4), e.nn.Linear(4, 1)).state_dict()
    ),
    "load_state_dict with a missing key": lambda e: load(e, lambda e: {"0.weight": e.ones(3, 2)}),
    "load_state_dict of no dict": lambda e: load(e, lambda e: [1]),
    "dropout of a bad probability": lambda e: e.nn.Dropout(1.5),
    "classes out of range": lambda e: e.nn.functional.cross_entropy(e.ones(1, 3), e.tensor([5])),
    "binary targets of another shape": lambda e: e.nn.functional.binary_cross_entropy(e.ones(2), e.ones(3)),
    "a negative seed of nothing": lambda e: e.manual_seed("a"),
    "normal with a negative deviation": lambda e: e.normal(0.0, -1.0, (2,)),
    "randint of an empty range": lambda e: e.randint(3, 3, (2,)),
    "multinomial of nothing": lambda e: e.multinomial(e.zeros(3), 2),
}  # fmt: skip


def failure(e, case):
    try:
        case(e)
    except Exception as error:
        return error
    return None


def stable(text):
    """What of torch's message must be in ours: its first sentence, and no addresses, sizes' spelling or advice."""
    text = text.split("\n")[0]
    text = re.sub(r"\s+", " ", text).strip()
    return re.split(r"(?<=[a-z\])'])[.;] |: got|\. You|\(expected", text)[0].rstrip(".")


# torch's words for these are about its own insides, or list what it supports; ours say the same of what the user wrote.
OTHER_WORDS = {
    "one_hot of a list": "one_hot(): argument 'tensor' (position 1) must be Tensor, not list",
    "an embedding of a number": "embedding(): argument 'input' (position 1) must be Tensor, not int",
    "cross_entropy with a list of classes": "argument 'target' (position 2) must be Tensor, not list",
    "cross_entropy with an array of classes": "argument 'target' (position 2) must be Tensor, not ndarray",
    "cross_entropy with a list of weights": "argument 'weight' (position 3) must be Tensor, not list",
    "arange without an end": "arange() received an invalid combination of arguments - got ()",
    "arange with an unknown keyword": "arange() received an invalid combination of arguments - got (int, foo=int)",
    "a cotangent that is a number": "gradients can be either Tensors or None, but got float",
    "from_numpy of texts": "can't convert np.ndarray of type numpy.str_. The only supported types are: ",
    "a Variable of integers that requires grad": "only Tensors of floating point ",
    "an unknown outer strategy": 'Expected strategy to be either "forward-mode" or "reverse-mode".',
    "requires_grad= a text": "argument 'requires_grad' must be bool, not str",
    "requires_grad= a number": "argument 'requires_grad' must be bool, not int",
    "forward mode row by row": "Computing Jacobian using forward-AD or forward-over-reverse Hessian",
    "max over a dim that is no number": "only integer tensors of a single element can be converted to an index",
    "a grad of the wrong dtype": "attempting to assign a gradient with dtype ",
    "an unknown dtype": "argument 'dtype' must be torch.dtype, not str",
}


@pytest.mark.parametrize("name", CASES)
def test_class_and_words_are_torch_s(name):
    ours, theirs = failure(minigrad, CASES[name]), failure(torch, CASES[name])
    assert theirs is not None, "torch takes this: no case"
    assert ours is not None, f"no error; torch: {type(theirs).__name__}: {theirs}"
    assert isinstance(ours, type(theirs)), f"{type(ours).__name__}: {ours}\ntorch: {type(theirs).__name__}: {theirs}"
    expected = OTHER_WORDS.get(name) or stable(str(theirs))
    assert expected in re.sub(r"\s+", " ", str(ours)), f"ours:  {ours}\ntorch: {theirs}"


# -- nothing half-changed --------------------------------------------------------------------------------------------

WRITES = {
    "a value that does not broadcast": lambda t: t.add_(minigrad.ones(5)),
    "a value of a higher kind": lambda t: t.long().add_(1.5),
    "assignment of another shape": lambda t: t.__setitem__(0, minigrad.ones(5)),
    "assignment out of range": lambda t: t.__setitem__(7, 1.0),
    "assignment out of range by a tensor": lambda t: t.__setitem__(minigrad.tensor([0, 7]), 1.0),
    "assignment of a text": lambda t: t.__setitem__(0, "a"),
    "copy_ of another shape": lambda t: t.copy_(minigrad.ones(5)),
    "index_add_ out of range": lambda t: t.index_add_(0, minigrad.tensor([0, 7]), minigrad.ones(2, 3)),
    "scatter_ out of range": lambda t: t.scatter_(0, minigrad.tensor([[0, 0, 7]]), 9.0),
    "masked_fill_ with another shape": lambda t: t.masked_fill_(minigrad.ones(5) > 0, 9.0),
    "uniform_ with limits swapped": lambda t: t.uniform_(1, 0),
    "normal_ with a negative deviation": lambda t: t.normal_(0, -1),
    "clamp_ without limits": lambda t: t.clamp_(),
    "addcmul_ of other shapes": lambda t: t.addcmul_(minigrad.ones(5), minigrad.ones(5)),
    "a matrix product of other shapes": lambda t: t.addmm_(minigrad.ones(2, 4), minigrad.ones(5, 3)),
}


@pytest.mark.parametrize("name", WRITES)
def test_a_refused_write_changes_nothing(name):
    t = minigrad.arange(6.0).reshape(2, 3).clone()
    history = t.grad_fn, t.requires_grad
    with pytest.raises((RuntimeError, IndexError, TypeError, ValueError)):
        WRITES[name](t)
    assert (
        t.tolist() == [[0.0, 1.0, 2.0], [3.0, 4.0, 5.0]] and t._version == 0 and (t.grad_fn, t.requires_grad) == history
    )


@pytest.mark.parametrize("name", WRITES)
def test_a_refused_write_to_a_recorded_tensor_keeps_its_history(name):
    leaf_ = minigrad.arange(6.0).reshape(2, 3).detach().requires_grad_()
    t = leaf_ * 1
    node = t.grad_fn
    with pytest.raises((RuntimeError, IndexError, TypeError, ValueError)):
        WRITES[name](t)
    assert t.grad_fn is node and t._version == 0
    (t * t).sum().backward()
    assert leaf_.grad.tolist() == [[0.0, 2.0, 4.0], [6.0, 8.0, 10.0]]


def test_a_refused_state_dict_loads_nothing():
    """torch loads what fits before it complains of the rest."""
    model = minigrad.nn.Linear(2, 3)
    before = [p.tolist() for p in model.parameters()]
    with pytest.raises(RuntimeError, match="size mismatch for weight"):
        model.load_state_dict({"weight": minigrad.ones(3, 4), "bias": minigrad.ones(3)})
    assert [p.tolist() for p in model.parameters()] == before


def test_a_refused_gradient_leaves_the_old_one():
    x = minigrad.ones(2, requires_grad=True)
    x.grad = kept = minigrad.ones(2)
    for bad in (minigrad.ones(3), minigrad.ones(2, dtype=minigrad.float64), 1.0):
        with pytest.raises((RuntimeError, TypeError)):
            x.grad = bad
    assert x.grad is kept


def test_a_failed_backward_adds_nothing():
    x, y = minigrad.ones(2, requires_grad=True), minigrad.ones(2, requires_grad=True)
    stale = y * 1
    z = (x * 2).sum() + (stale * stale).sum()
    stale += 1
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        z.backward()
    assert x.grad is None and y.grad is None
