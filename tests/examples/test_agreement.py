"""The same lesson on both engines, from the same seed: everything that it returns agrees to 5 significant digits."""

from __future__ import annotations

import pytest

NAMES = [
    "01_numpy_by_hand",
    "02_scalar_loop",
    "03_tensors_tour",
    "04_tensors",
    "05_autograd",
    "06_legendre",
    "07_sequential",
    "08_optimizers",
    "09_rmsprop",
    "10_custom_module",
    "11_control_flow",
    "12_mse_by_hand",
    "13_batch_sgd",
    "14_first_gradients",
    "15_linear_regression",
    "16_mini_batches",
    "17_height_weight",
    "18_make_regression",
    "19_dropout_mlp",
    "20_digits",
]


def test_every_lesson_is_compared(lesson):
    assert lesson.lessons() == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_minigrad_agrees_with_torch(lesson, result, name):
    mine, theirs = result(name, "minigrad"), result(name, "torch")
    found = lesson.differences(mine, theirs, lesson.load(name).FLOOR)
    assert not found, f"{len(found)} numbers differ; the first: {found[:5]}"


@pytest.mark.parametrize("name", ["15_linear_regression", "16_mini_batches", "19_dropout_mlp"])
def test_another_seed_agrees_too(lesson, name):
    module = lesson.load(name)
    mine = module.main(lesson.engine("minigrad"), seed=20261121, epochs=100)
    theirs = module.main(lesson.engine("torch"), seed=20261121, epochs=100)
    assert not lesson.differences(mine, theirs, module.FLOOR)
    assert mine["losses" if name != "15_linear_regression" else "seeded"] != {}


def test_floors_leave_every_quantity_checked(lesson, result):
    """A floor must stay far below what it covers at the start of the run: else it would excuse anything."""
    for name in NAMES:
        floor = lesson.load(name).FLOOR
        largest: dict[str, float] = {}
        for path, value, _ in lesson.pairs(result(name, "torch"), result(name, "torch")):
            for key in set(path) & set(floor):
                largest[key] = max(largest.get(key, 0.0), abs(value))
        assert set(largest) == set(floor), f"{name}: a floor for what it does not return"
        for key, value in largest.items():
            if (name, key) != ("06_legendre", "a and c"):  # zero in exact arithmetic: all of it is rounding
                assert floor[key] < 1e-2 * value, (name, key)


def test_differences_notices_a_sixth_digit(lesson):
    good = {"losses": [1.0, 2.0], "w": 3.0, "text": "a", "count": 4}
    assert lesson.differences(good, good, {}) == []
    assert lesson.differences(good, {**good, "w": 3.0001}, {}) == ["w: 3.0 and 3.0001"]
    assert lesson.differences(good, {**good, "w": 3.00001}, {}) == []
    assert lesson.differences(good, {**good, "losses": [1.0, 2.1]}, {"w": 1.0}) == ["losses/1: 2.0 and 2.1"]
    assert lesson.differences(good, {**good, "losses": [1.0, 2.1]}, {"losses": 0.2}) == []
    assert lesson.differences(good, {**good, "text": "b"}, {"text": 1.0}) == ["text: 'a' and 'b'"]
    assert lesson.differences(good, {**good, "count": 5}, {"count": 9.0}) == ["count: 4 and 5"]
    with pytest.raises(ValueError, match="losses: .* are not built alike"):
        lesson.differences(good, {**good, "losses": [1.0]}, {})
    with pytest.raises(ValueError, match="w: 3.0 and 3 are not built alike"):
        lesson.differences(good, {**good, "w": 3}, {})
