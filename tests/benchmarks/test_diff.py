"""diff reports what moved beyond the noise of both runs, relative to hand-written NumPy."""

from benchmarks import diff


def verdict(old, new):
    return {cell["library"]: what for cell, _, what in diff.compare(old, new)}


def test_slower_and_faster_beyond_noise(report):
    old = report(chain__numpy=10.0, chain__minigrad=100.0, chain__torch=100.0, chain__jax=100.0)
    new = report(chain__numpy=10.0, chain__minigrad=130.0, chain__torch=70.0, chain__jax=103.0)
    assert verdict(old, new) == {"numpy": "noise", "minigrad": "slower", "torch": "faster", "jax": "noise"}
    text, slower = diff.text(old, new)
    assert slower
    assert "+30%" in text
    assert "2 of 4 cells did not move beyond noise" in text


def test_a_machine_that_is_slower_for_all_is_no_change(report):
    old = report(chain__numpy=10.0, chain__minigrad=100.0)
    new = report(chain__numpy=20.0, chain__minigrad=200.0)
    assert verdict(old, new)["minigrad"] == "noise"
    assert diff.text(old, new)[1] is False


def test_overlapping_quartiles_are_noise(report):
    old, new = report(chain__minigrad=100.0), report(chain__minigrad=120.0)
    old["results"][0]["q3"] = 125.0
    assert verdict(old, new)["minigrad"] == "noise"


def test_a_slower_torch_is_shown_but_is_no_failure(report):
    text, slower = diff.text(report(chain__torch=1.0), report(chain__torch=2.0))
    assert "slower" in text
    assert not slower


def test_nothing_in_common(report):
    assert diff.text(report(chain__torch=1.0), report(mlp__torch=2.0)) == (
        "the two reports have no measured cell in common",
        False,
    )


def test_another_machine_is_said(report):
    new = report(chain__torch=1.0)
    new["machine"]["processor"] = "Q"
    assert diff.text(report(chain__torch=1.0), new)[0].startswith("different machines (P; Q)")
