"""The promises are read off a report, and can be missed."""

import pytest

from benchmarks.targets import verdicts


def by_text(document):
    return {verdict.text: verdict for verdict in verdicts(document)}


@pytest.mark.parametrize(("minigrad", "met"), [(40.0, True), (60.0, False)])
def test_times_torch(minigrad, met, report):
    document = report(linear_regression__torch=100.0, linear_regression__minigrad=minigrad)
    verdict = by_text(document)["linear_regression: 2 x torch eager"]
    assert verdict.met is met
    assert verdict.measured == f"{100 / minigrad:.2f} x"


@pytest.mark.parametrize(("minigrad", "met"), [(11.0, True), (13.0, False)])
def test_within_numpy(minigrad, met, report):
    document = report(mlp__numpy=10.0, mlp__minigrad=minigrad)
    assert by_text(document)["mlp: within 1.2 x NumPy by hand"].met is met


@pytest.mark.parametrize(("mygrad", "met"), [(50.0, True), (39.0, False)])
def test_faster_than_every_peer(mygrad, met, report):
    document = report(chain__minigrad=40.0, chain__autograd=90.0, chain__mygrad_unguarded=mygrad)
    assert by_text(document)["chain: faster than every NumPy peer"].met is met


@pytest.mark.parametrize(("minigrad", "met"), [(100.0, True), (200.0, False)])
def test_overhead_per_operation(minigrad, met, report):
    document = report(chain__minigrad=minigrad, chain__numpy=30.0)
    assert by_text(document)["chain: overhead per operation under 3 us"].met is met


@pytest.mark.parametrize(("longest", "met"), [(110_000.0, True), (130_000.0, False)])
def test_cost_per_node_is_flat(longest, met, report):
    document = report(nodes_100__minigrad=900.0, nodes_1000__minigrad=1_000.0, nodes_100000__minigrad=longest)
    (verdict,) = [v for v in verdicts(document) if v.text.startswith("cost per node")]
    assert verdict.met is met


@pytest.mark.parametrize(
    ("name", "ours", "other", "met"),
    [
        ("import_time", 120.0, dict(import_time__numpy=100.0), True),
        ("import_time", 140.0, dict(import_time__numpy=100.0), False),
        ("memory_mlp", 3.0, dict(memory_mlp__torch=3.5), True),
        ("memory_mlp", 4.0, dict(memory_mlp__torch=3.5), False),
        ("growth_mlp", 100.0, {}, True),
        ("growth_mlp", 1000.0, {}, False),
    ],
)
def test_measured_in_processes(name, ours, other, met, report):
    (verdict,) = verdicts(report(**{f"{name}__minigrad": ours}, **other))
    assert verdict.met is met


def test_a_disturbed_measurement_is_marked(report):
    document = report(chain__torch=100.0, chain__minigrad=40.0)
    assert by_text(document)["chain: 2 x torch eager"].measured == "2.50 x"
    document["results"][0].update(disturbed=8, blocks=15)
    assert by_text(document)["chain: 2 x torch eager"].measured == "2.50 x *"


def test_nothing_is_claimed_without_numbers(report):
    assert verdicts(report(chain__torch=1.0)) == []
