"""Two reports compared: what got slower, what faster, beyond the noise of either run.

Only ratios within one run mean anything on a shared machine, so where both reports timed hand-written NumPy each time
is first divided by it; a change counts when the quartiles of the two runs do not overlap and it is more than 5 %.
"""

from __future__ import annotations

from typing import Any

from .report import label, number, table

THRESHOLD = 0.05


def _cells(report: dict[str, Any]) -> dict[tuple, dict[str, Any]]:
    return {
        (cell["workload"], cell["library"], cell.get("threads")): cell
        for cell in report["results"]
        if cell.get("median") is not None
    }


def _scale(found: dict[tuple, dict[str, Any]], key: tuple) -> float | None:
    """Hand-written NumPy's median beside the cell, where that is a yardstick: not for itself, and only for times."""
    if key[1] == "numpy" or found[key]["unit"] != "us":
        return None
    hand = found.get((key[0], "numpy", key[2])) or found.get((key[0], "numpy", 1))
    return hand["median"] if hand and hand["median"] > 0 else None


def compare(old: dict[str, Any], new: dict[str, Any]) -> list[tuple[dict[str, Any], float, str]]:
    """(new cell, change of its time as a fraction, "slower" | "faster" | "noise"), in the new report's order."""
    before, after = _cells(old), _cells(new)
    changes = []
    for key, cell in after.items():
        if key not in before:
            continue
        first, second = _scale(before, key), _scale(after, key)
        if first is None or second is None:
            first = second = 1.0
        was, now = before[key], cell
        old_low, old_mid, old_high = (was.get(q, was["median"]) / first for q in ("q1", "median", "q3"))
        new_low, new_mid, new_high = (now.get(q, now["median"]) / second for q in ("q1", "median", "q3"))
        if old_mid <= 0:
            continue
        change = new_mid / old_mid - 1
        verdict = "noise"
        if change > THRESHOLD and new_low > old_high:
            verdict = "slower"
        elif change < -THRESHOLD and new_high < old_low:
            verdict = "faster"
        changes.append((cell, change, verdict))
    return changes


def text(old: dict[str, Any], new: dict[str, Any]) -> tuple[str, bool]:
    """The comparison for a terminal, and whether anything of minigrad's got slower."""
    changes = compare(old, new)
    if not changes:
        return "the two reports have no measured cell in common", False
    lines = []
    if old["machine"].get("processor") != new["machine"].get("processor"):
        lines.append(
            f"different machines ({old['machine'].get('processor')}; {new['machine'].get('processor')}): "
            "only what is relative to hand-written NumPy can be compared, and that loosely"
        )
    moved = [entry for entry in changes if entry[2] != "noise"]
    if moved:
        rows = [["", "", "now", "change against NumPy by hand", ""]]
        for cell, change, verdict in sorted(moved, key=lambda entry: -entry[1]):
            now = f"{number(cell['median'])} {cell['unit']}"
            rows.append([cell["workload"], label(cell), now, f"{change:+.0%}", verdict])
        lines.append(table(rows))
    lines.append(f"{len(changes) - len(moved)} of {len(changes)} cells did not move beyond noise")
    slower = any(verdict == "slower" and cell["library"].startswith("minigrad") for cell, _, verdict in moved)
    return "\n".join(lines), slower
