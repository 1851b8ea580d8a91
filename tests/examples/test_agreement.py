"""The same lesson on both engines, from the same seed: everything that it returns agrees to 5 significant digits."""

from __future__ import annotations

from types import SimpleNamespace

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
    found = lesson.differences(lesson.load(name), mine, theirs)
    assert not found, f"{len(found)} numbers differ; the first: {found[:5]}"


@pytest.mark.parametrize("name", ["15_linear_regression", "16_mini_batches", "19_dropout_mlp"])
def test_another_seed_agrees_too(lesson, name):
    module = lesson.load(name)
    mine = module.main(lesson.engine("minigrad"), seed=20261121, epochs=100)
    theirs = module.main(lesson.engine("torch"), seed=20261121, epochs=100)
    assert not lesson.differences(module, mine, theirs)
    assert mine["losses" if name != "15_linear_regression" else "seeded"] != {}


def test_floors_leave_every_quantity_checked(lesson, result):
    """A floor must stay far below what it covers at the start of the run: else it would excuse anything."""
    for name in NAMES:
        module = lesson.load(name)
        for allowed, power in ((module.FLOOR, 1.0), (module.SQUARES, 0.5)):
            largest: dict[str, float] = {}
            for path, value, _ in lesson.pairs(result(name, "torch"), result(name, "torch")):
                for key in set(path) & set(allowed):
                    largest[key] = max(largest.get(key, 0.0), abs(value) ** power)
            assert set(largest) == set(allowed), f"{name}: a floor for what it does not return"
            for key, value in largest.items():
                if (name, key) != ("06_legendre", "a and c"):  # zero in exact arithmetic: all of it is rounding
                    assert allowed[key] < 1e-2 * value, (name, key)


def test_differences_notices_a_fifth_digit(lesson):
    def differences(mine, theirs, floor=None, squares=None):
        return lesson.differences(SimpleNamespace(FLOOR=floor or {}, SQUARES=squares or {}), mine, theirs)

    good = {"losses": [1.0, 2.0], "w": 3.0, "text": "a", "count": 4}
    assert differences(good, good) == []
    assert differences(good, {**good, "w": 3.0001}) == ["w: 3.0 and 3.0001"]
    assert differences(good, {**good, "w": 3.00001}) == []
    assert differences(good, {**good, "losses": [1.0, 2.1]}, {"w": 1.0}, {"w": 1.0}) == ["losses/1: 2.0 and 2.1"]
    assert differences(good, {**good, "losses": [1.0, 2.1]}, {"losses": 0.2}) == []
    assert differences(good, {**good, "losses": [1.0, 2.1]}, {}, {"losses": 0.036}) == []  # sqrt 2.1 - sqrt 2 = .0349
    assert differences(good, {**good, "losses": [1.0, 2.1]}, {}, {"losses": 0.034}) == ["losses/1: 2.0 and 2.1"]
    assert differences(good, {**good, "text": "b"}, {"text": 1.0}) == ["text: 'a' and 'b'"]
    assert differences(good, {**good, "count": 5}, {"count": 9.0}) == ["count: 4 and 5"]
    assert differences({"x": float("nan")}, {"x": float("nan")}) == []
    assert len(differences({"x": float("nan")}, {"x": 1.0}, {"x": 9.0}, {"x": 9.0})) == 1
    assert len(differences({"x": float("inf")}, {"x": 1.0}, {"x": 9.0}, {"x": 9.0})) == 1
    with pytest.raises(ValueError, match="losses: .* are not built alike"):
        differences(good, {**good, "losses": [1.0]})
    with pytest.raises(ValueError, match="w: 3.0 and 3 are not built alike"):
        differences(good, {**good, "w": 3})
