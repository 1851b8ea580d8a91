"""Reports are written whole, read back, and refused with the file's name where they are broken."""

import json

import pytest

from benchmarks import results


def test_what_is_saved_is_loaded(tmp_path, report):
    document = report(w__numpy=1.0, w__torch=3.0)
    results.save(tmp_path / "r.json", document)
    assert results.load(tmp_path / "r.json") == document
    assert [path.name for path in tmp_path.iterdir()] == ["r.json"]


def test_a_save_that_fails_keeps_the_old_file(tmp_path, report):
    results.save(tmp_path / "r.json", report(w__numpy=1.0))
    with pytest.raises(ValueError, match="JSON"):
        results.save(tmp_path / "r.json", report(w__numpy=float("nan")))
    assert results.load(tmp_path / "r.json") == report(w__numpy=1.0)
    assert [path.name for path in tmp_path.iterdir()] == ["r.json"]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{", "not JSON"),
        ("[]", "format 1"),
        ('{"format": 2}', "found 2"),
        ('{"format": 1}', "list `results`"),
        ('{"format": 1, "machine": {}, "results": [{"workload": "w"}]}', "result 0 lacks"),
    ],
)
def test_a_broken_file_is_refused_by_name(tmp_path, text, says):
    (tmp_path / "r.json").write_text(text)
    with pytest.raises(results.BadReport, match=f"r.json.*{says}"):
        results.load(tmp_path / "r.json")


@pytest.mark.parametrize("median", ["fast", True, float("inf")])
def test_a_median_that_is_no_number_is_refused(tmp_path, median, report):
    document = report(w__numpy=1.0)
    document["results"][0]["median"] = median
    (tmp_path / "r.json").write_text(json.dumps(document))
    with pytest.raises(results.BadReport, match="expected a number"):
        results.load(tmp_path / "r.json")


def test_an_absent_file_is_refused_by_name(tmp_path):
    with pytest.raises(results.BadReport, match="absent.json: No such file"):
        results.load(tmp_path / "absent.json")


def test_an_impossible_time_is_no_result(report):
    document = report(w__torch=3.0, w__jax=0.001)
    document["results"][1]["problem"] = "impossible: 0.001 us"
    assert [cell["library"] for cell in results.cells(document, "w")] == ["torch"]


def test_best_is_the_fastest_thread_count(report):
    document = report(w__torch=3.0)
    document["results"].append(dict(document["results"][0], threads=2, median=2.0))
    assert results.best(document, "w", "torch")["threads"] == 2
    assert results.best(document, "w", "jax") is None
    assert results.ratio(results.best(document, "w", "torch"), None) is None
