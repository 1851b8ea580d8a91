"""The counts that README and docs name are those of the code."""

import re
from pathlib import Path

import pytest

from compare import known, rules
from compare.mutate_patches import TABLE

ROOT = Path(__file__).parent.parent
COUNTS = {
    "engine rules in README": (
        "README.md",
        r"engine, each in a program of its own \| (\d+) \|",
        rules.RULES,
    ),
    "patches in README": ("README.md", r"breaks (\d+) rules of the engine", TABLE),
    "patches in campaigns": ("docs/campaigns.md", r"grad modes, Functions: (\d+) of them", TABLE),
    "patterns of torch's own in campaigns": ("docs/campaigns.md", r"\((\d+) patterns, each with", known.PROGRAMS),
}


@pytest.mark.parametrize("name", COUNTS)
def test_a_count(name):
    file, pattern, table = COUNTS[name]
    (found,) = re.findall(pattern, " ".join((ROOT / file).read_text().split()))
    assert int(found) == len(table)
