"""Running one piece of code on both engines, and comparing what comes out to second order."""

import copy
import warnings

import numpy as np
import pytest
import torch

import minigrad
import minigrad.nn

ENGINES = {"minigrad": minigrad, "torch": torch}

# Relative to the largest magnitude among the results: a few ulps of each dtype, with room for sums of some dozen terms.
TOLERANCE = {np.dtype("float64"): 4e-15, np.dtype("float32"): 2e-6, np.dtype("float16"): 2e-3}


def as_numpy(value):
    """Tensors of either engine, None, and containers of them, as arrays."""
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, (tuple, list)):
        return [as_numpy(item) for item in value]
    return np.array(value.detach().numpy() if isinstance(value, minigrad.Tensor) else value.numpy(force=True))


def assert_close(ours, theirs, what, slack=1):
    """Equal nan and inf, equal dtype and shape, and elsewhere within `slack` times the dtype's tolerance."""
    if isinstance(theirs, list):
        assert len(ours) == len(theirs), what
        for position, pair in enumerate(zip(ours, theirs)):
            assert_close(*pair, f"{what}[{position}]", slack)
        return
    if not isinstance(theirs, np.ndarray):
        assert ours == theirs, what
        return
    assert ours is not None, f"{what}: None, torch has {theirs}"
    assert ours.dtype == theirs.dtype and ours.shape == theirs.shape, f"{what}: {ours.dtype}{ours.shape}"
    if ours.dtype.kind != "f":
        np.testing.assert_array_equal(ours, theirs, what)
        return
    special = ~np.isfinite(theirs)
    np.testing.assert_array_equal(ours[special], theirs[special], what)
    finite = theirs[~special]
    if finite.size:
        tolerance = TOLERANCE[theirs.dtype] * slack
        np.testing.assert_allclose(
            ours[~special],
            finite,
            rtol=tolerance,
            atol=tolerance * np.abs(finite).max() + np.finfo(theirs.dtype).tiny,
            err_msg=what,
        )


def outcome(engine, run, arrays, order, seed=0):
    """The value, the gradients and (order 2) the gradients of the gradients' product with random cotangents."""
    random = np.random.default_rng(seed)
    leaves = [engine.tensor(a, requires_grad=True) if a.dtype.kind == "f" else engine.tensor(a) for a in arrays]
    value = run(engine, *leaves)
    results = {"value": as_numpy(value)}
    wanted = [leaf for leaf in leaves if leaf.requires_grad]
    if order >= 1 and wanted:
        cotangent = engine.tensor(random.standard_normal(value.shape).astype(results["value"].dtype))
        gradients = engine.autograd.grad(value, wanted, cotangent, create_graph=order > 1, allow_unused=True)
        results["gradients"] = as_numpy(gradients)
    if order >= 2 and wanted:
        total = None
        for gradient in gradients:
            if gradient is not None and gradient.requires_grad:
                factor = engine.tensor(random.standard_normal(gradient.shape).astype(results["value"].dtype))
                term = (gradient * factor).sum()
                total = term if total is None else total + term
        if total is not None:
            results["second"] = as_numpy(engine.autograd.grad(total, wanted, allow_unused=True))
    return results


def _zero_for_none(ours, theirs):
    """A gradient that is zero everywhere may be None on one side: torch's formulas and ours need not agree on which."""
    for i, (a, b) in enumerate(zip(ours, theirs)):
        if a is None and b is not None and not b.any():
            ours[i] = b
        if b is None and a is not None and not a.any():
            theirs[i] = a


@pytest.fixture
def same():
    """same(run, *arrays): run(engine, *tensors) agrees in value, gradients and second gradients."""

    def check(run, *arrays, order=2, slack=1, dtypes=("float64", "float32")):
        for dtype in dtypes:
            cast = [np.asarray(a).astype(dtype) if np.asarray(a).dtype.kind == "f" else np.asarray(a) for a in arrays]
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                ours, theirs = (outcome(engine, run, copy.deepcopy(cast), order) for engine in ENGINES.values())
            if "second" in ours or "second" in theirs:
                none = [None] * len(cast)
                ours.setdefault("second", list(none[: len(ours["gradients"])]))
                theirs.setdefault("second", list(none[: len(theirs["gradients"])]))
                _zero_for_none(ours["second"], theirs["second"])
            for what in theirs:
                assert_close(ours[what], theirs[what], f"{dtype} {what}", slack)

    return check


@pytest.fixture
def same_error():
    """same_error(run): run(engine) raises the same class on both, and our text starts with torch's."""

    def check(run, exact=True):
        errors = {}
        for name, engine in ENGINES.items():
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                with pytest.raises(Exception) as caught:
                    run(engine)
            errors[name] = caught.value
        assert type(errors["minigrad"]).__name__ == type(errors["torch"]).__name__, errors
        if exact:
            ours, theirs = (str(error).replace("minigrad.nn.", "torch.nn.") for error in errors.values())
            assert ours.startswith(theirs.rstrip(".")[:160].split(". Open an issue")[0]), f"\n{ours}\n{theirs}"

    return check


@pytest.fixture
def same_warning():
    """same_warning(run): run(engine) gives the same warnings, in class and text, on both."""

    def check(run):
        given = {}
        for name, engine in ENGINES.items():
            with warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("always")
                run(engine)
            given[name] = [(w.category.__name__, str(w.message)) for w in caught]
        assert given["minigrad"] == given["torch"]
        assert given["torch"]

    return check


@pytest.fixture
def both():
    """both(run): the two results of run(engine), ours first."""
    return lambda run: tuple(run(engine) for engine in ENGINES.values())
