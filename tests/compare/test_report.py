"""What is printed and written: the table, the JSON, the page, the progress line."""

from __future__ import annotations

import io
import json
import math
import re
from html.parser import HTMLParser

import pytest

from compare import html, report
from compare.report import Failure, Options, Progress, Result

COVERAGE = {
    "float64": {"plain": {"forward": [1, 0.0, 0], "double": [1, 2.0, 0]}, "ties": {"backward": [1, math.inf, 1]}}
}
RESULTS = [
    Result("ops", "mul", 120, 1.0, [], details={"coverage": COVERAGE, "call": "T.mul(x, y)",
           "formulas": [{"text": "mul: a=lambda g, b: g * b", "where": "minigrad/ops/elementwise.py:12"}]}),
    Result("ops", "<script>", 3, None, [Failure("x: float64[2]", "got 1, expected 2 & <b>", "print(1 < 2)\n")],
           details={"coverage": COVERAGE, "call": "T.f(x)"}),
    Result("optimizers", "SGD", 40, 0.5, []),
]  # fmt: skip


def test_the_table_counts_rows_checks_and_failures() -> None:
    lines = report.table(RESULTS).splitlines()
    assert re.split(r"  +", lines[0]) == ["group", "rows", "checks", "worst ulp", "verdict"]
    assert re.split(r"  +", lines[2]) == ["ops", "2", "123", "1", "1 of 2 FAIL"]
    assert re.split(r"  +", lines[3]) == ["optimizers", "1", "40", "0.5", "pass"]


def test_failures_are_shown_with_their_script_and_counted_beyond_the_limit() -> None:
    text = report.failures_text(RESULTS)
    assert "got 1, expected 2" in text and "print(1 < 2)" in text
    many = [Result("ops", "x", 1, None, [Failure("here", "wrong")] * 14)]
    assert "... and 4 more" in report.failures_text(many)
    assert report.failures_text(RESULTS[2:]) == ""


def test_json_is_valid_and_complete() -> None:
    body = json.loads(report.as_json(RESULTS, Options(seed=5), 1.25))
    assert body["version"] == 1 and body["options"]["seed"] == 5 and body["seconds"] == 1.25
    assert [r["passed"] for r in body["results"]] == [True, False, True]
    assert body["results"][0]["details"]["coverage"]["float64"]["ties"]["backward"] == [1, "inf", 1]


class Checker(HTMLParser):
    """Every tag that is opened is closed in order; no reference leaves the file except links to sources."""

    VOID = {"meta", "input", "br", "link", "img"}

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.outside: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        if tag not in self.VOID:
            self.open.append(tag)
        self.outside += [
            v or "" for k, v in attributes if k in ("src", "srcset") or (k == "href" and "://" in (v or ""))
        ]
        assert tag not in ("link", "img", "iframe")

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def test_the_page_is_whole_and_needs_nothing_else() -> None:
    checker = Checker()
    checker.feed(html.page(RESULTS, Options(), 2.0))
    assert checker.open == [] and checker.outside == []
    for wanted in (
        "mul",
        "<script>",
        "minigrad/ops/elementwise.py:12",
        "got 1, expected 2 & <b>",
        "1 rows disagree",
        "SGD",
    ):
        assert wanted in checker.text


def test_names_in_the_page_are_escaped() -> None:
    page = html.page(RESULTS, Options(), 2.0)
    assert "&lt;script&gt;" in page and page.count("<script>") == 1


def test_a_pattern_selects_parts_of_names_and_globs() -> None:
    assert Options(only="soft").selects("log_softmax")
    assert not Options(only="soft*").selects("log_softmax")
    assert Options(only="add,mul").selects("addcmul") and Options(only="MUL").selects("mul")
    assert Options().selects("anything")


def test_progress_on_a_terminal_shows_rate_and_time_left() -> None:
    stream = io.StringIO()
    progress = Progress(stream, enabled=True)
    progress.start("ops", 100)
    progress.began -= 10
    progress.drawn -= 1
    progress.step("mul", count=50, failed=2)
    text = stream.getvalue()
    assert "ops 50/100" in text and "/s" in text and "left" in text and "2 failed" in text and "mul" in text


def test_progress_in_a_log_is_one_line_a_group() -> None:
    stream = io.StringIO()
    progress = Progress(stream)
    progress.start("ops", 2)
    progress.step("a")
    progress.step("b", failed=1)
    progress.finish()
    assert re.fullmatch(r"ops: 2 done, 1 failed, \d+\.\d s\n", stream.getvalue())


@pytest.mark.parametrize("seconds, text", [(0.2, "1 s"), (59, "59 s"), (75, "1 min 15 s"), (7260, "2 h 1 min")])
def test_durations(seconds: float, text: str) -> None:
    assert report.duration(seconds) == text


@pytest.mark.parametrize("ulps, text", [(None, "-"), (0.0, "0"), (1.5, "1.5"), (12345.0, "1e+04"), (math.inf, "inf")])
def test_ulps(ulps: float | None, text: str) -> None:
    assert report.ulp_text(ulps) == text
