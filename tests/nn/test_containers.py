"""Sequential, the lists and the dicts against torch's: reprs, state dicts and what each operation leaves."""

from collections import OrderedDict

import pytest

import minigrad
from minigrad import nn


def names(module):
    return list(module.state_dict()), repr(module)


SEQUENTIAL = {
    "plain": lambda e, s: s,
    "index": lambda e, s: e.nn.Sequential(s[0], s[-1]),
    "slice": lambda e, s: s[1:],
    "slice step": lambda e, s: s[::2],
    "named": lambda e, s: e.nn.Sequential(OrderedDict([("first", s[0]), ("second", s[1])])),
    "named slice": lambda e, s: e.nn.Sequential(OrderedDict([("first", s[0]), ("second", s[1])]))[1:],
    "append": lambda e, s: s.append(e.nn.Linear(1, 4)),
    "extend": lambda e, s: s.extend([e.nn.Tanh(), e.nn.Linear(1, 1)]),
    "insert": lambda e, s: s.insert(1, e.nn.Sigmoid()),
    "insert negative": lambda e, s: s.insert(-1, e.nn.Sigmoid()),
    "insert end": lambda e, s: s.insert(3, e.nn.Sigmoid()),
    "add": lambda e, s: s + e.nn.Sequential(e.nn.Tanh()),
    "iadd": lambda e, s: s.__iadd__(e.nn.Sequential(e.nn.Tanh())),
    "mul": lambda e, s: s * 2,
    "rmul": lambda e, s: 2 * s,
    "imul": lambda e, s: s.__imul__(3),
    "nested": lambda e, s: e.nn.Sequential(s, e.nn.Sequential(e.nn.ReLU())),
    "empty": lambda e, s: e.nn.Sequential(),
}


def sequential(e):
    return e.nn.Sequential(e.nn.Linear(2, 3), e.nn.ReLU(), e.nn.Linear(3, 1, bias=False))


@pytest.mark.parametrize("case", SEQUENTIAL)
def test_sequential(case, both):
    ours, theirs = both(lambda e: names(SEQUENTIAL[case](e, sequential(e))))
    assert ours == theirs


def test_sequential_del_set_pop(both):
    def run(e):
        s = sequential(e)
        del s[1]
        after_del = names(s)
        s[0] = e.nn.Tanh()
        after_set = names(s)
        popped = s.pop(0)
        del s[0:1]
        return after_del, after_set, repr(popped), names(s), len(s)

    ours, theirs = both(run)
    assert ours == theirs


def test_sequential_computes_in_order():
    minigrad.manual_seed(0)
    s = sequential(minigrad)
    x = minigrad.tensor([[1.0, -2.0], [0.5, 3.0]])
    expected = s[2](s[1](s[0](x)))
    assert s(x).tolist() == expected.tolist()
    assert nn.Sequential()(x) is x
    assert list(s) == [s[0], s[1], s[2]]


SEQUENTIAL_ERRORS = {
    "index": lambda e, s: s[3],
    "string": lambda e, s: s["a"],
    "not a module": lambda e, s: e.nn.Sequential(1),
    "add": lambda e, s: s + 1,
    "mul 0": lambda e, s: s * 0,
    "insert far": lambda e, s: s.insert(5, e.nn.ReLU()),
}


@pytest.mark.parametrize("case", SEQUENTIAL_ERRORS)
def test_sequential_errors(case, same_error):
    same_error(lambda e: SEQUENTIAL_ERRORS[case](e, sequential(e)), exact=case != "mul 0")


@pytest.mark.parametrize("index", [-1, -2, -5])
def test_module_list_has_no_place_from_the_end(index, same_error):
    same_error(lambda e: e.nn.ModuleList([e.nn.ReLU(), e.nn.Tanh()]).insert(index, e.nn.ReLU()))


def test_module_list(both):
    def run(e):
        modules = e.nn.ModuleList([e.nn.Linear(1, 1), e.nn.ReLU()])
        modules.append(e.nn.ReLU())
        modules.extend([e.nn.ReLU(), e.nn.Linear(2, 2)])
        modules.insert(1, e.nn.Tanh())
        modules += [e.nn.Tanh()]
        first = names(modules)
        modules[0] = e.nn.Sigmoid()
        del modules[2]
        popped = modules.pop(-1)
        del modules[0:2]
        return first, names(modules), repr(popped), names(modules[1:]), names(modules + [e.nn.ReLU()]), len(modules)

    ours, theirs = both(run)
    assert ours == theirs


def test_module_dict(both):
    def run(e):
        modules = e.nn.ModuleDict({"a": e.nn.Linear(1, 1)})
        modules["b"] = e.nn.ReLU()
        modules.update([("c", e.nn.Tanh()), ["a", e.nn.Linear(2, 1)]])
        modules.update(e.nn.ModuleDict({"d": e.nn.Tanh()}))
        first = names(modules), list(modules), list(modules.keys()), "b" in modules, len(modules)
        del modules["b"]
        popped = repr(modules.pop("c"))
        kept = names(modules), [k for k, _ in modules.items()], len(list(modules.values()))
        modules.clear()
        return first, popped, kept, len(modules)

    ours, theirs = both(run)
    assert ours == theirs


LIST_ERRORS = {
    "list of number": lambda e: e.nn.ModuleList(3),
    "list index": lambda e: e.nn.ModuleList([e.nn.ReLU()])[2],
    "list call": lambda e: e.nn.ModuleList()(1),
    "list of numbers": lambda e: e.nn.ModuleList([1]),
    "dict of number": lambda e: e.nn.ModuleDict(3),
    "dict of numbers": lambda e: e.nn.ModuleDict([1]),
    "dict triple": lambda e: e.nn.ModuleDict([(1, 2, 3)]),
    "dict dot": lambda e: e.nn.ModuleDict({"a.b": e.nn.ReLU()}),
    "dict taken": lambda e: e.nn.ModuleDict({"forward": e.nn.ReLU()}),
    "dict method": lambda e: e.nn.ModuleDict({"keys": e.nn.ReLU()}),
    "dict missing": lambda e: e.nn.ModuleDict()["a"],
    "parameters of number": lambda e: e.nn.ParameterList(3),
    "parameters call": lambda e: e.nn.ParameterList()(1),
    "parameters index": lambda e: e.nn.ParameterList([e.ones(1)])[1],
    "parameter dict call": lambda e: e.nn.ParameterDict()(1),
    "parameter dict key": lambda e: e.nn.ParameterDict()[1],
    "parameter dict of number": lambda e: e.nn.ParameterDict(3),
    "parameter dict missing": lambda e: e.nn.ParameterDict()["a"],
}


@pytest.mark.parametrize("case", LIST_ERRORS)
def test_list_and_dict_errors(case, same_error):
    same_error(LIST_ERRORS[case])


def test_parameter_list(both):
    def run(e):
        parameters = e.nn.ParameterList([e.nn.Parameter(e.ones(2, 3)), e.zeros(2), 3])
        parameters.append(e.ones(1))
        parameters += [e.zeros(1)]
        parameters[1] = e.ones(4)
        return (
            repr(parameters),
            [n for n, _ in parameters.named_parameters()],
            [type(p).__name__ for p in parameters],
            repr(parameters[1:3]),
            len(parameters),
        )

    ours, theirs = both(run)
    assert ours == theirs


def test_parameter_dict(both):
    def run(e):
        parameters = e.nn.ParameterDict({"b": e.ones(2), "a": e.zeros(1)})
        parameters["c"] = e.ones(3)
        parameters.update(OrderedDict([("z", e.ones(1)), ("y", e.ones(1))]))
        parameters.setdefault("d", e.ones(1))
        merged = parameters | e.nn.ParameterDict({"q": e.ones(1)})
        first = repr(parameters), list(parameters), list(merged), list(reversed(parameters)), "a" in parameters
        popped = parameters.popitem()[0], parameters.pop("a").tolist(), parameters.get("nope", 5)
        del parameters["b"]
        return first, popped, [k for k, _ in parameters.items()], list(parameters.state_dict()), len(parameters)

    ours, theirs = both(run)
    assert ours == theirs


def test_members_are_trained():
    class Model(nn.Module):
        def __init__(self):
            super().__init__()
            self.weights = nn.ParameterList([minigrad.ones(1) * i for i in range(3)])

        def forward(self, x):
            for weight in self.weights:
                x = x + weight * weight
            return x

    model = Model()
    model(minigrad.zeros(1)).sum().backward()
    assert [w.grad.tolist() for w in model.parameters()] == [[0.0], [2.0], [4.0]]
