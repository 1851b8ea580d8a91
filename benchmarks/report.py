"""A report as text: a table a workload, what was not measured and why, the promises, the machine. Measures nothing."""

from __future__ import annotations

from typing import Any

from . import targets
from .libraries import BY_KEY
from .process import PROCESS_WORKLOADS
from .results import best, cells, disturbed, ratio, workloads
from .workloads import BY_NAME

TITLES = {workload.name: workload.title for workload in (*BY_NAME.values(), *PROCESS_WORKLOADS)}
SUMMARY = (
    "numpy", "numpy-out", "minigrad", "minigrad-traced", "torch", "torch-compile", "mygrad", "autograd", "tinygrad-jit",
    "jax", "jax-jit", "micrograd",
)  # fmt: skip


def number(value: float | None) -> str:
    """Three significant digits, thousands grouped."""
    if value is None:
        return "-"
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


def label(cell: dict[str, Any]) -> str:
    library = BY_KEY.get(cell["library"])
    name = library.label if library else cell["library"]
    threads = cell.get("threads")
    return name if threads is None else f"{name}, {threads} thread{'s' if threads > 1 else ''}"


def table(rows: list[list[str]]) -> str:
    """Columns aligned: the first to the left, numbers to the right; the first row is the head."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = []
    for row in rows:
        cells_ = [text.ljust(widths[0]) if i == 0 else text.rjust(widths[i]) for i, text in enumerate(row)]
        lines.append("  " + "  ".join(cells_).rstrip())
    lines.insert(1, "  " + "-" * (sum(widths) + 2 * (len(widths) - 1)))
    return "\n".join(lines)


def workload_table(report: dict[str, Any], name: str) -> str:
    """The cells of one workload, fastest first, beside torch eager's best thread count and hand-written NumPy."""
    found = cells(report, name)
    lines = [f"{name}: {TITLES.get(name, '')}"]
    if found:
        unit = found[0]["unit"]
        torch, hand = best(report, name, "torch"), best(report, name, "numpy")
        rows = [["", unit, "quartiles", "x faster than torch" if unit == "us" else "torch / this", "/ NumPy by hand"]]
        for cell in found:
            spread = f"{number(cell['q1'])} .. {number(cell['q3'])}" if cell.get("q1") is not None else "-"
            if disturbed(cell):
                spread += " *"
            rows.append(
                [label(cell), number(cell["median"]), spread, number(ratio(torch, cell)), number(ratio(cell, hand))]
            )
        lines.append(table(rows))
        if any(row[2].endswith("*") for row in rows):
            lines.append(
                "  * more than half of its blocks had to share a processor with other work, or with themselves"
            )
    for cell in report["results"]:
        if cell["workload"] == name and cell.get("problem"):
            lines.append(f"  {label(cell)}: {cell['problem']}")
    return "\n".join(lines)


def machine_lines(report: dict[str, Any]) -> list[str]:
    machine = report["machine"]
    pools = ", ".join(
        f"{pool.get('internal_api')} {pool.get('version')} ({pool.get('architecture')}, {pool.get('num_threads')} thr.)"
        for pool in machine.get("blas", [])
    )
    versions = ", ".join(f"{name} {version}" for name, version in machine.get("versions", {}).items())
    lines = [
        f"machine   {machine.get('processor')}, {machine.get('cores')} cores, {machine.get('system')}",
        f"BLAS      {pools or 'unknown'}",
        f"versions  {versions}",
        f"run       {machine.get('date')}, commit {machine.get('commit')}, load {machine.get('load_before')} before it",
    ]
    limits = machine.get("limits")
    if limits:
        speeds = ", ".join(
            f"{int(size) >> 10:,} KiB {rate / 1e9:.0f} GB/s" for size, rate in limits["bytes_per_s"].items()
        )
        lines.append(f"limits    {limits['flops_per_s'] / 1e9:.0f} GFLOP/s float32; copying {speeds}")
    return lines


def promises(report: dict[str, Any]) -> str:
    verdicts = targets.verdicts(report)
    if not verdicts:
        return ""
    rows = [["target", "measured", ""]] + [[v.text, v.measured, "met" if v.met else "MISSED"] for v in verdicts]
    return table(rows)


def text(report: dict[str, Any]) -> str:
    """The whole report for a terminal."""
    parts = [workload_table(report, name) for name in workloads(report)]
    parts.append(promises(report))
    parts.append("\n".join(machine_lines(report)))
    return "\n\n".join(part for part in parts if part)


def markdown(report: dict[str, Any]) -> str:
    """One row a workload, one column a library with its best thread count: the table of a README."""
    columns = [key for key in SUMMARY if any(best(report, name, key) for name in workloads(report))]
    head = ["", *(BY_KEY[key].label for key in columns), "torch / minigrad", "minigrad / NumPy"]
    lines = ["| " + " | ".join(head) + " |", "|---" + "|---:" * (len(head) - 1) + "|"]
    for name in workloads(report):
        if not cells(report, name):
            continue
        row = [f"{TITLES.get(name, name)} ({cells(report, name)[0]['unit']})"]
        for key in columns:
            cell = best(report, name, key)
            figure = number(cell and cell["median"]) + " \\*" * disturbed(cell)
            row.append(f"**{figure}**" if cell and key == "minigrad" else figure)
        ours = best(report, name, "minigrad")
        row.append(number(ratio(best(report, name, "torch"), ours)))
        row.append(number(ratio(ours, best(report, name, "numpy"))))
        lines.append("| " + " | ".join(row) + " |")
    marked = ["- \\* more than half of the blocks had to share a processor with other work"] * any(
        disturbed(cell) for cell in report["results"]
    )
    return "\n".join(lines + [""] + marked + ["- " + " ".join(line.split()) for line in machine_lines(report)])
