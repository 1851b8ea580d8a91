"""The numbers that the five documents print, and those that docs/lessons.md states: on minigrad and on torch.

Where float32 gives a document's digits they are compared as they are printed, with ==.
"""

from __future__ import annotations

import numpy as np
import pytest

# 02: the trace, as printed: the gradients of epochs 0..5 and of two samples more, and the loss of each epoch.
GRADIENTS = [
    -2.0, -7.840000152587891, -16.228801727294922,
    -1.478623867034912, -5.796205520629883, -11.998146057128906,
    -1.0931644439697266, -4.285204887390137, -8.870372772216797,
    -0.8081896305084229, -3.1681032180786133, -6.557973861694336,
    -0.5975041389465332, -2.3422164916992188, -4.848389625549316,
    -0.4417421817779541, -1.7316293716430664, -3.58447265625,
    -0.3265852928161621, -1.2802143096923828, -2.650045394897461,
]  # fmt: skip
LOSSES = [
    7.315943717956543, 3.9987640380859375, 2.1856532096862793, 1.1946394443511963, 0.6529689431190491,
    0.35690122842788696,
]  # fmt: skip


def near(expected):
    return pytest.approx(expected, rel=1e-5)


def test_scalar_loop_digit_for_digit(result, engine):
    trace = result("02", engine)
    assert trace["before"] == 4.0
    assert trace["gradients"][: len(GRADIENTS)] == GRADIENTS
    assert trace["losses"][: len(LOSSES)] == LOSSES
    assert len(trace["losses"]) == 100
    assert trace["after"] == 7.999998569488525


def test_hand_derived_gradients_are_the_engines(result, engine):
    found = result("01", engine)
    assert found["engine gradient"] == pytest.approx(found["hand gradient"], rel=1e-12)
    # The table of the slides: errors .13 .20 .51 .62 .74 .69.
    loss = (0.13**2 + 0.20**2 + 0.51**2 + 0.62**2 + 0.74**2 + 0.69**2) / 6
    assert found["line at (1, 1)"][0] == pytest.approx(loss, rel=1e-12)
    assert found["line at (1, 1)"][1:] == near([-0.5919, -0.9633333])
    assert found["least squares"] == near([1.8823632, 1.0478381])
    assert found["line"] == pytest.approx(found["least squares"], abs=2e-3)


def test_tensor_tour_prints_what_the_document_prints(result, engine):
    seen = result("03", engine)
    printed = {
        "Tensor([10])": "tensor([10.])",
        "Tensor([10, 20])": "tensor([10., 20.])",
        "arange(0, 10, 2)": "tensor([0, 2, 4, 6, 8])",
        "linspace(0, 11, 10)": "tensor([ 0.0000,  1.2222,  2.4444,  3.6667,  4.8889,  6.1111,  7.3333,  8.5556,\n"
        "         9.7778, 11.0000])",
        "zeros(2, 3)": "tensor([[0., 0., 0.],\n        [0., 0., 0.]])",
        "ones(2, 3)": "tensor([[1., 1., 1.],\n        [1., 1., 1.]])",
        "full([2, 3], 10)": "tensor([[10, 10, 10],\n        [10, 10, 10]])",
        "from_numpy shares memory: the tensor": "tensor([100,   3,   4], dtype=torch.int32)",
        "after add_(10)": "tensor([[13, 17, 14],\n        [10, 10, 16]])",
        "mean": "tensor(4.1667, dtype=torch.float64)",
        "sum": "tensor(25., dtype=torch.float64)",
        "pow(data, 2)": "tensor([[16.,  0., 49.],\n        [36.,  9., 25.]], dtype=torch.float64)",
        "log10": "tensor([[0.6021,   -inf, 0.8451],\n        [0.7782, 0.4771, 0.6990]], dtype=torch.float64)",
    }
    for label, text in printed.items():
        assert seen[f"{label} (printed)"] == text, label
    assert seen["from_numpy shares memory: the array"] == "array([100,   3,   4], dtype=int32)"
    assert seen["tensor(array) copies: the array"] == "array([2, 3, 4], dtype=int32)"
    assert seen["dtype of full with an int"] == "torch.int64"
    assert seen["type(DoubleTensor)"] == seen["double()"] == "torch.float64"
    assert seen["numpy() gives"] == "'ndarray'"
    assert seen["item of a one-element tensor"] == seen["item of a scalar"] == 30


def test_tensor_tour_values(result, engine):
    seen = result("03", engine)
    expected = {
        "add(10)": [[13, 17, 14], [10, 10, 16]],
        "and data is unchanged": [[3, 7, 4], [0, 0, 6]],
        "sub(100)": [[-87, -83, -86], [-90, -90, -84]],
        "mul(100)": [[1300, 1700, 1400], [1000, 1000, 1600]],
        "neg()": [[-13, -17, -14], [-10, -10, -16]],
        "elementwise: mul": [[5, 12], [21, 32]],
        "elementwise: *": [[5, 12], [21, 32]],
        "matrix product: @": [[19, 22], [43, 50], [67, 78]],
        "matrix product: matmul": [[19, 22], [43, 50], [67, 78]],
        "row: data[0]": [0, 7, 6, 5, 9],
        "column: data[:, 0]": [0, 6, 6, 4],
        "pairs: data[[0, 1], [1, 2]]": [7, 3],
        "a grid: data[[[0], [1]], [1, 2]]": [[7, 6], [8, 3]],
        "ranges: data[:3, :2]": [[0, 7], [6, 8], [6, 3]],
        "ranges: data[2:, :2]": [[6, 3], [4, 9]],
        "data[0, :, :]": [[2, 4, 1, 2, 3], [5, 5, 1, 5, 0], [1, 4, 5, 3, 8], [7, 1, 1, 9, 9]],
        "data[:, 0, :]": [[2, 4, 1, 2, 3], [9, 7, 5, 3, 1], [0, 7, 3, 5, 6]],
        "data[:, :, 0]": [[2, 5, 1, 7], [9, 8, 6, 9], [0, 2, 2, 9]],
        "shape": [2, 3],
        "size()": [2, 3],
        "reshape(1, 6)": [1, 6],
        "unsqueeze(dim=0)": [1, 5],
        "unsqueeze(dim=1)": [5, 1],
        "unsqueeze(dim=-1)": [5, 1],
        "squeeze() takes it back": [1, 2, 3, 4, 5],
        "transpose(data, 1, 2)": [3, 5, 4],
        "two transposes": [4, 5, 3],
        "or one permute": [4, 5, 3],
        "permute as a method": [4, 5, 3],
        "is_contiguous()": True,
        "view(3, 2)": [[10, 20], [30, 40], [50, 60]],
        "a transposed tensor is_contiguous()": False,
        "contiguous().view(2, 3)": [[10, 40, 20], [50, 30, 60]],
        "cat, dim=0": [2, 2, 3],
        "cat, dim=1": [1, 4, 3],
    }
    for label, value in expected.items():
        assert seen[label] == value, label
    assert seen["div(100)"] == [near([0.13, 0.17, 0.14]), near([0.10, 0.10, 0.16])]
    assert seen["sqrt"] == [near([2.0, 0.0, 7**0.5]), near([6**0.5, 3**0.5, 5**0.5])]
    assert seen["log, with log 0 = -inf"][0][1] == float("-inf")


def test_legendre(result, engine):
    found = result("06", engine)
    assert found["gradcheck"] is True
    assert found["losses"][99] == near(209.95834)
    assert found["losses"][1999] == near(8.943642)
    assert found["b and d"] == near([-2.2085268, 0.2554861])


def test_mse_mean_and_sum(result, engine):
    found = result("12", engine)
    difference = [[1, -1], [3, -2], [-1, 1]]
    assert found["mean"]["loss"] == near(17 / 6)
    assert found["mean"]["gradient"] == [near([v / 3 for v in row]) for row in difference]
    assert found["sum"]["loss"] == 17.0
    assert found["sum"]["gradient"] == [[2, -2], [6, -4], [-2, 2]]  # the document's formula has -2 at the end
    for reduction in ("mean", "sum"):
        assert found[reduction]["formula"] == [near(row) for row in found[reduction]["gradient"]]


def test_one_batch_by_hand(result, engine):
    batch = result("13", engine)["batch"]
    assert batch["loss"] == 12.0
    assert batch["weight gradient"] == near([32 / 3, 16])
    assert batch["bias gradient"] == near(20 / 3)
    assert batch["weight"] == near([-13 / 3, -6])
    assert batch["bias"] == near(-10 / 3)
    assert [round(batch["weight"][0], 4), batch["weight"][1], round(batch["bias"], 4)] == [-4.3333, -6.0, -3.3333]


def test_gradients_that_are_never_zeroed_are_momentum_one(result, engine):
    found = result("13", engine)
    assert found["never zeroed, lr 0.005: it swings"] == near(found["zeroed, momentum 1: the same swing"])
    assert found["as printed: lr 0.5, never zeroed"][-1] > 1e15
    settles = found["zeroed, lr 0.005: it settles"]
    assert settles[-1] < settles[4] < 81
    assert max(found["never zeroed, lr 0.005: it swings"]) > 200


def test_first_gradients(result, engine):
    found = result("14", engine)
    assert found["test01"] == {"loss": 64.0, "w": 80.0, "b": 16.0}
    rows, bias = found["test02"]["w"], found["test02"]["b"]
    assert rows == [rows[0]] * 5
    assert rows[0] == near(bias)
    assert bias == near([2 * v / 3 for v in found["test02"]["z"][0]])


def test_theta(result, engine):
    assert result("14", engine)["theta"] == pytest.approx([1, 0.2, 0.04, 0.008, 0.0016], rel=1e-6)


@pytest.mark.parametrize("steps", [100, 1000])
def test_the_documents_linear_regression_digit_for_digit(lesson, result, engine, steps):
    document = lesson.load("15_linear_regression").DOCUMENT[steps]
    found = result("15", engine)[f"document {steps}"]
    assert len(found["losses"]) == steps
    assert found["losses"][-14:] == document["losses"]
    assert found["w"] == document["w"]
    assert found["b"] == document["b"]
    assert f"{found['prediction']:.4f}" == document["prediction"]


def test_start_line_of_the_documents_run(lesson):
    module = lesson.load("15_linear_regression")
    for steps, allowed in ((100, 1e-4), (1000, 2e-3)):
        document = module.DOCUMENT[steps]
        offset, slope = module.start_line(document["w"], document["b"], steps)
        w, b = document["start"]
        assert b == pytest.approx(offset + slope * w, abs=allowed)
    assert module.DOCUMENT[100]["losses"][-1] == 0.2515641450881958
    assert module.DOCUMENT[1000]["losses"][-1] == 2.977626536448952e-07


@pytest.mark.parametrize(("steps", "near_line", "share"), [(100, 3e-6, (0.08, 0.14)), (1000, 2e-3, (0.002, 0.006))])
def test_how_many_starts_near_the_line_hit_every_printed_digit(lesson, steps, near_line, share):
    """All starts at once, in plain float32 NumPy: what docs/lessons.md says about their share."""
    module = lesson.load("15_linear_regression")
    document = module.DOCUMENT[steps]
    offset, slope = module.start_line(document["w"], document["b"], steps)
    rng = np.random.default_rng(0)
    start = rng.uniform(-0.9, 0.9, 20_000)
    w = start.astype(np.float32)
    b = (offset + slope * start + rng.uniform(-near_line, near_line, start.size)).astype(np.float32)
    hit = np.ones(start.size, bool)
    rate, two = np.float32(0.01), np.float32(2)
    for step in range(steps):
        r1, r2, r3 = w + b - two, two * w + b - np.float32(4), np.float32(3) * w + b - np.float32(6)
        if step >= steps - 14:
            hit &= (r1 * r1 + r2 * r2) + r3 * r3 == np.float32(document["losses"][step - steps])
        g1, g2, g3 = two * r1, two * r2, two * r3
        w, b = w - rate * ((g1 + two * g2) + np.float32(3) * g3), b - rate * ((g1 + g2) + g3)
    hit &= (w == np.float32(document["w"])) & (b == np.float32(document["b"]))
    assert share[0] < hit.mean() < share[1]


def test_linear_regression_converges_from_a_seed(result, engine):
    found = result("15", engine)["seeded"]
    assert found["losses"][0] == near(44.360519)
    assert (found["w"], found["b"]) == (near(1.9996239), pytest.approx(0.0008549, abs=2e-6))
    assert found["prediction"] == pytest.approx(8, abs=1e-3)


def test_mini_batches_end_near_least_squares(result, engine):
    found = result("16", engine)
    assert found["start"] == near([0.49625659, 0.76822180])
    assert len(found["losses"]) == 12000
    assert found["least squares"] == near([1.8823632, 1.0478381])
    assert [found["a"], found["b"]] == pytest.approx(found["least squares"], abs=2e-3)
    assert [found["a"], found["b"]] == near([1.882335, 1.048085])


def test_height_and_weight(result, engine):
    found = result("17", engine)
    assert found["least squares"] == near([0.92942177, -93.27347, 70.304762])
    assert found["standardised"]["line"] == near([0.92942177, -93.27347])
    assert found["standardised"]["answer"] == near(70.304762)
    assert abs(found["raw"]["line"][1]) < 0.01  # the intercept has not moved: the problem as it stands is too steep


def test_make_regression(result, engine):
    found = result("18", engine)
    assert found["coef"] == near(42.38550486)
    assert (found["slope"], found["intercept"]) == (near(42.798477), near(0.80321276))
    assert found["losses"][0] == near(1785.7281)
    assert found["losses"][-1] == near(114.47296)
    # What the document plots: a running average of batch means over samples, far below the mean squared error.
    assert 12 < found["document curve"][-1] < 13


def test_digits_are_learned(result, engine):
    found = result("20", engine)
    assert found["losses"][0] == near(1.9151417)
    assert found["losses"][-1] < 0.06
    assert found["accuracy"][0] == pytest.approx(0.8333, abs=0.004)
    assert found["accuracy"][-1] > 0.96


def test_polynomials_of_one_seed(result, engine):
    for number in ("04", "05", "10"):
        found = result(number, engine)
        assert found["losses"][0] == near(215799.875)
        assert found["losses"][1999] == near(12.286677)
        assert found["cubic"] == near([0.058623359, 0.83724749, -0.010113504, -0.090557627])
    assert result("04", engine)["start"] == result("05", engine)["start"]
    assert result("07", engine)["losses"][1999] == near(9.1772041)
    assert result("07", engine)["shapes"] == [[2000, 3], [2000]]


def test_rmsprop_needs_its_own_rate(result, engine):
    found = result("09", engine)
    slow, quick = found["lr 1e-06"], found["lr 0.001"]
    assert slow["losses"][0] == quick["losses"][0] == near(73111.273)
    assert slow["smallest loss"] == near(72385.852)  # the document's rate: nothing was learned
    assert quick["smallest loss"] == pytest.approx(8.83, abs=0.05)


def test_eight_optimizers_find_the_line(result, engine):
    found = result("08", engine)
    assert sorted(found) == ["ASGD", "Adagrad", "Adam", "Adamax", "LBFGS", "RMSprop", "Rprop", "SGD"]
    for name, run in found.items():
        assert run["losses"][0] == near(44.360519), name
        assert run["losses"][-1] < 3e-3, name
        assert run["w and b"] == pytest.approx([2, 0], abs=0.07), name
    assert found["LBFGS"]["losses"][1] < 1e-9  # a quadratic: one call is enough


def test_a_shared_weight_collects_every_use(result, engine):
    found = result("11", engine)
    assert found["shared"] == 48.0
    assert found["losses"][-1] < 0.3 * found["losses"][0]


def test_dropout_run(result, engine):
    found = result("19", engine)
    assert found["losses"][0] == near(0.4663520)
    assert found["without dropout"] < 0.5 * found["losses"][-1]
