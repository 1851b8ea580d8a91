"""A report as data: writing it, reading it back, and the questions that every view of it asks.

A report is {"format": 1, "machine": ..., "settings": ..., "results": [one object a cell]}. Nothing here measures.
"""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

from minigrad.files import write_text

FORMAT = 1
CELL = {"workload": str, "library": str, "unit": str}


class BadReport(Exception):
    """The file is not a report that this version can read."""


def save(path: str | Path, report: dict[str, Any]) -> None:
    """Write the report whole or not at all."""
    write_text(path, json.dumps(report, indent=1, allow_nan=False) + "\n")


def load(path: str | Path) -> dict[str, Any]:
    """Read a report; BadReport names the file and what is wrong with it."""
    try:
        report = json.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise BadReport(f"{path}: {error.strerror or error}") from error
    except ValueError as error:
        raise BadReport(f"{path}: not JSON ({error})") from error
    if not isinstance(report, dict) or report.get("format") != FORMAT:
        found = report.get("format") if isinstance(report, dict) else type(report).__name__
        raise BadReport(f"{path}: not a benchmark report of format {FORMAT} (found {found!r})")
    results = report.get("results")
    if not isinstance(results, list) or not isinstance(report.get("machine"), dict):
        raise BadReport(f"{path}: a report has a list `results` and an object `machine`")
    for position, cell in enumerate(results):
        if not isinstance(cell, dict) or any(not isinstance(cell.get(key), kind) for key, kind in CELL.items()):
            raise BadReport(f"{path}: result {position} lacks one of {', '.join(CELL)}")
        median = cell.get("median")
        number = isinstance(median, (int, float)) and not isinstance(median, bool) and math.isfinite(median)
        if median is not None and not number:
            raise BadReport(f"{path}: result {position} has the median {median!r}, expected a number")
    return report


def workloads(report: dict[str, Any]) -> list[str]:
    """Names in the order of the report."""
    return list(dict.fromkeys(cell["workload"] for cell in report["results"]))


def cells(report: dict[str, Any], workload: str, *keys: str) -> list[dict[str, Any]]:
    """The measured cells of a workload, all or those of `keys`, fastest first; none that has a problem."""
    measured = [cell for cell in report["results"] if cell["workload"] == workload and cell.get("median") is not None]
    found = [cell for cell in measured if not cell.get("problem") and (not keys or cell["library"] in keys)]
    return sorted(found, key=lambda cell: cell["median"])


def best(report: dict[str, Any], workload: str, *keys: str) -> dict[str, Any] | None:
    """The fastest cell of a workload among these libraries and all their thread counts."""
    found = cells(report, workload, *keys)
    return found[0] if found else None


def disturbed(*cells: dict[str, Any] | None) -> bool:
    """True if one of these had to share a processor in more than half of its blocks: its time means little."""
    return any(cell is not None and 2 * cell.get("disturbed", 0) > cell.get("blocks", 0) for cell in cells)


def ratio(top: dict[str, Any] | None, bottom: dict[str, Any] | None) -> float | None:
    """top / bottom of the medians; None where either is missing or the lower one is not positive."""
    if top is None or bottom is None or bottom["median"] <= 0:
        return None
    return top["median"] / bottom["median"]
