"""Lesson 03: a tour of tensors.

Making them, their types, the way to NumPy and back, arithmetic, reductions, indexing, shapes and joining: every call
of the tensor document, in its order. Where the document draws random integers, the lesson draws too (from the seed)
and then goes on with the numbers printed in the document, so that you can compare line by line.
"""

from __future__ import annotations

from types import ModuleType
from typing import Any

import numpy as np
from lesson import run


def main(torch: ModuleType, *, seed: int = 0) -> dict[str, Any]:
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    seen: dict[str, Any] = {}

    def show(label: str, value: Any) -> None:
        """Print a value and keep it: tensors as lists, shapes as lists, anything else as its text."""
        print(f"{label}:\n    " + repr(value).replace("\n", "\n    "))
        if isinstance(value, torch.Tensor):
            seen[label] = value.tolist()
            seen[f"{label} (printed)"] = repr(value)
        elif isinstance(value, (int, float, bool)):
            seen[label] = value
        elif isinstance(value, tuple):
            seen[label] = list(value)
        else:
            seen[label] = repr(value)

    print("--- Making tensors")
    show("a scalar", torch.tensor(10))
    show("from a NumPy array, which keeps its float64", torch.tensor(rng.standard_normal((2, 3))))
    show("from a list, in the default float32", torch.tensor([[10.0, 20.0, 30.0], [40.0, 50.0, 60.0]]))
    # Capital T: a SHAPE makes an uninitialised tensor (whatever was in memory), a LIST makes that content.
    show("shape of Tensor(2, 3), contents undefined", torch.Tensor(2, 3).shape)
    show("Tensor([10])", torch.Tensor([10]))
    show("Tensor([10, 20])", torch.Tensor([10, 20]))
    show("arange(0, 10, 2)", torch.arange(0, 10, 2))  # the document's summary misspells it `arrange`
    show("linspace(0, 11, 10)", torch.linspace(0, 11, 10))
    show("randn(2, 3)", torch.randn(2, 3))
    show("zeros(2, 3)", torch.zeros(2, 3))
    show("ones(2, 3)", torch.ones(2, 3))
    show("full([2, 3], 10)", torch.full([2, 3], 10))

    print("--- Types")
    data = torch.full([2, 3], 10)
    show("dtype of full with an int", data.dtype)
    show("type(DoubleTensor)", data.type(torch.DoubleTensor).dtype)
    show("type(FloatTensor)", data.type(torch.FloatTensor).dtype)
    show("type(LongTensor)", data.type(torch.LongTensor).dtype)
    show("type(IntTensor)", data.type(torch.IntTensor).dtype)
    show("double()", data.double().dtype)
    show("float()", data.float().dtype)
    show("long()", data.long().dtype)
    show("int()", data.int().dtype)

    print("--- To NumPy and back")
    show("numpy() gives", type(torch.tensor([2, 3, 4]).numpy()).__name__)
    array = np.array([2, 3, 4], dtype=np.int32)  # the document ran where NumPy's integers have 32 bits
    shared = torch.from_numpy(array)
    shared[0] = 100  # the document shows the result but left this line out
    show("from_numpy shares memory: the tensor", shared)
    show("from_numpy shares memory: the array", array)
    array = np.array([2, 3, 4], dtype=np.int32)
    copied = torch.tensor(array)
    copied[0] = 100
    show("tensor(array) copies: the tensor", copied)
    show("tensor(array) copies: the array", array)
    show("item of a one-element tensor", torch.tensor([30]).item())
    show("item of a scalar", torch.tensor(30).item())

    print("--- Arithmetic")
    show("randint(0, 10, [2, 3])", torch.randint(0, 10, [2, 3]))
    data = torch.tensor([[3, 7, 4], [0, 0, 6]])  # the document's draw
    show("add(10)", data.add(10))
    show("and data is unchanged", data)
    data.add_(10)  # the underscore: in place. The document's text says so, its code lost the underscore
    show("after add_(10)", data)
    show("sub(100)", data.sub(100))
    show("mul(100)", data.mul(100))
    show("div(100)", data.div(100))
    show("neg()", data.neg())
    # In place a result must fit the tensor's own type: division needs a float tensor.
    real = data.double()
    show("sub_(10), mul_(4), div_(8), neg_()", real.sub_(10).mul_(4).div_(8).neg_())
    left, right = torch.tensor([[1, 2], [3, 4]]), torch.tensor([[5, 6], [7, 8]])
    show("elementwise: mul", torch.mul(left, right))
    show("elementwise: *", left * right)
    tall = torch.tensor([[1, 2], [3, 4], [5, 6]])
    show("matrix product: @", tall @ right)
    show("matrix product: matmul", torch.matmul(tall, right))

    print("--- Functions")
    show("randint in float64", torch.randint(0, 10, [2, 3], dtype=torch.float64))
    data = torch.tensor([[4, 0, 7], [6, 3, 5]], dtype=torch.float64)  # the document's draw
    show("mean", data.mean())
    show("sum", data.sum())
    show("pow(data, 2)", torch.pow(data, 2))
    show("sqrt", data.sqrt())
    show("exp", data.exp())
    show("log, with log 0 = -inf", data.log())
    show("log2", data.log2())
    show("log10", data.log10())

    print("--- Indexing")
    data = torch.tensor([[0, 7, 6, 5, 9], [6, 8, 3, 1, 0], [6, 3, 8, 7, 3], [4, 9, 5, 3, 1]])  # the document's draw
    show("row: data[0]", data[0])
    show("column: data[:, 0]", data[:, 0])
    show("pairs: data[[0, 1], [1, 2]]", data[[0, 1], [1, 2]])
    show("a grid: data[[[0], [1]], [1, 2]]", data[[[0], [1]], [1, 2]])
    show("ranges: data[:3, :2]", data[:3, :2])
    show("ranges: data[2:, :2]", data[2:, :2])
    data = torch.tensor(
        [
            [[2, 4, 1, 2, 3], [5, 5, 1, 5, 0], [1, 4, 5, 3, 8], [7, 1, 1, 9, 9]],
            [[9, 7, 5, 3, 1], [8, 8, 6, 0, 1], [6, 9, 0, 2, 1], [9, 7, 0, 4, 0]],
            [[0, 7, 3, 5, 6], [2, 4, 6, 4, 3], [2, 0, 3, 7, 9], [9, 6, 4, 4, 4]],
        ]
    )
    show("data[0, :, :]", data[0, :, :])
    show("data[:, 0, :]", data[:, 0, :])
    show("data[:, :, 0]", data[:, :, 0])

    print("--- Shapes")
    data = torch.tensor([[10, 20, 30], [40, 50, 60]])
    show("shape", data.shape)
    show("size()", data.size())  # with its parentheses: `data.size` alone is the method, not the shape
    show("reshape(1, 6)", data.reshape(1, 6).shape)
    line = torch.tensor([1, 2, 3, 4, 5])
    show("unsqueeze(dim=0)", line.unsqueeze(dim=0).shape)
    show("unsqueeze(dim=1)", line.unsqueeze(dim=1).shape)
    show("unsqueeze(dim=-1)", line.unsqueeze(dim=-1).shape)
    show("squeeze() takes it back", line.unsqueeze(dim=-1).squeeze())
    data = torch.tensor(rng.integers(0, 10, [3, 4, 5]))
    show("size of a block", data.size())
    show("transpose(data, 1, 2)", torch.transpose(data, 1, 2).shape)
    show("two transposes", torch.transpose(torch.transpose(data, 0, 1), 1, 2).shape)
    show("or one permute", torch.permute(data, [1, 2, 0]).shape)
    show("permute as a method", data.permute([1, 2, 0]).shape)
    data = torch.tensor([[10, 20, 30], [40, 50, 60]])
    show("is_contiguous()", data.is_contiguous())
    show("view(3, 2)", data.view(3, 2))
    turned = data.transpose(0, 1)
    show("a transposed tensor is_contiguous()", turned.is_contiguous())
    # view only re-reads the same memory; here that is impossible, so a contiguous copy comes first.
    show("contiguous().view(2, 3)", turned.contiguous().view(2, 3))

    print("--- Joining")
    one, two = torch.randint(0, 10, [1, 2, 3]), torch.randint(0, 10, [1, 2, 3])
    show("cat, dim=0", torch.cat([one, two], dim=0).shape)
    show("cat, dim=1", torch.cat([one, two], dim=1).shape)
    show("cat, dim=2", torch.cat([one, two], dim=2))
    return seen


if __name__ == "__main__":
    run(main)
