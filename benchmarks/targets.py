"""What the project promises about speed and memory, and whether a report keeps it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .libraries import NUMPY_PEERS
from .results import best, disturbed, ratio, workloads
from .workloads import BY_NAME

OVERHEAD_US = 3.0  # per recorded operation, forward and backward
FLATNESS = 0.20
IMPORT_RATIO = 1.3
GROWTH_KIB = 256.0  # over 1,000 steps: a page here and there is the allocator's, a leak of 1 KiB a step is not


@dataclass(frozen=True)
class Verdict:
    text: str
    measured: str
    met: bool


def verdicts(report: dict[str, Any]) -> list[Verdict]:
    """Every promise that the report holds the numbers for."""
    found: list[Verdict] = []
    for name in workloads(report):
        found += _timed(report, name) if name in BY_NAME else _process(report, name)
    return found + _flatness(report)


def _mark(*cells: dict[str, Any] | None) -> str:
    return " *" if disturbed(*cells) else ""


def _timed(report: dict[str, Any], name: str) -> list[Verdict]:
    workload, ours = BY_NAME[name], best(report, name, "minigrad")
    if ours is None:
        return []
    found = []
    faster = ratio(best(report, name, "torch"), ours)
    if faster is not None and workload.target.torch is not None:
        wanted = workload.target.torch
        measured = f"{faster:.2f} x" + _mark(ours, best(report, name, "torch"))
        found.append(Verdict(f"{name}: {wanted:g} x torch eager", measured, faster >= wanted))
    hand = best(report, name, "numpy")
    slower = ratio(ours, hand)
    if slower is not None and workload.target.numpy is not None:
        wanted = workload.target.numpy
        measured = f"{slower:.2f} x" + _mark(ours, hand)
        found.append(Verdict(f"{name}: within {wanted:g} x NumPy by hand", measured, slower <= wanted))
    peer = best(report, name, *NUMPY_PEERS)
    if peer is not None:
        text = f"{name}: faster than every NumPy peer"
        measured = f"{ratio(peer, ours):.2f} x {peer['library']}" + _mark(ours, peer)
        found.append(Verdict(text, measured, peer["median"] > ours["median"]))
    if name == "chain" and hand is not None:
        overhead = (ours["median"] - hand["median"]) / workload.ops
        text = f"{name}: overhead per operation under {OVERHEAD_US:g} us"
        found.append(Verdict(text, f"{overhead:.2f} us" + _mark(ours, hand), overhead < OVERHEAD_US))
    return found


def _process(report: dict[str, Any], name: str) -> list[Verdict]:
    ours = best(report, name, "minigrad")
    if ours is None:
        return []
    if name == "import_time":
        slower = ratio(ours, best(report, name, "numpy"))
        if slower is None:
            return []
        return [Verdict(f"import within {IMPORT_RATIO} x import numpy", f"{slower:.2f} x", slower <= IMPORT_RATIO)]
    if name.startswith("memory_"):
        torch = best(report, name, "torch")
        if torch is None:
            return []
        measured = f"{ours['median']:.1f} MiB, torch {torch['median']:.1f}"
        return [Verdict(f"{name}: no more than torch", measured, ours["median"] <= torch["median"])]
    if name.startswith("growth_"):
        flat = ours["median"] <= GROWTH_KIB
        return [Verdict(f"{name}: flat with gc disabled", f"{ours['median']:.0f} KiB", flat)]
    return []


def _flatness(report: dict[str, Any]) -> list[Verdict]:
    costs, marks = {}, []
    for name in workloads(report):
        if name.startswith("nodes_") and name in BY_NAME and BY_NAME[name].ops >= 1000:
            cell = best(report, name, "minigrad")
            if cell is not None:
                costs[BY_NAME[name].ops] = cell["median"] / BY_NAME[name].ops
                marks.append(_mark(cell))
    if len(costs) < 2:
        return []
    spread = max(costs.values()) / min(costs.values()) - 1
    measured = ", ".join(f"{nodes:,}: {cost:.2f} us" for nodes, cost in sorted(costs.items())) + max(marks)
    return [Verdict(f"cost per node flat within {FLATNESS:.0%}", f"{spread:.0%} ({measured})", spread <= FLATNESS)]
