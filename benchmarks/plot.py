"""The report as one bar chart for a slide: how many times faster than torch eager, a group of bars a workload."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from .libraries import BY_KEY
from .results import best, ratio, workloads

SHOWN = ("minigrad", "numpy", "torch-compile", "jax-jit", "mygrad", "autograd")
COLOURS = {
    "minigrad": "#d1495b", "numpy": "#8d99ae", "torch-compile": "#edae49", "jax-jit": "#66a182", "mygrad": "#2e4057",
    "autograd": "#7a9cc6",
}  # fmt: skip


def draw(report: dict[str, Any], path: str | Path) -> None:
    """Write the chart to `path`; its ending chooses the format. ValueError where torch eager was not measured."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    names = [name for name in workloads(report) if best(report, name, "torch") and best(report, name)["unit"] == "us"]
    keys = [key for key in SHOWN if any(best(report, name, key) for name in names)]
    if not names or not keys:
        raise ValueError("nothing to draw: the chart shows times relative to torch eager, and the report has none")
    height = 0.8 / len(keys)
    figure, axes = plt.subplots(figsize=(10, 1.2 + 0.16 * len(names) * (len(keys) + 1)), constrained_layout=True)
    for position, key in enumerate(keys):
        values = [ratio(best(report, name, "torch"), best(report, name, key)) for name in names]
        places = [row + (position - (len(keys) - 1) / 2) * height for row in range(len(names))]
        shown = [(place, value) for place, value in zip(places, values) if value]
        axes.barh(
            [place for place, _ in shown], [value - 1 for _, value in shown], height * 0.92, left=1,
            color=COLOURS[key], label=BY_KEY[key].label,
        )  # fmt: skip
        # The annotation stands outside the bar, on the side where the bar ends.
        for place, value in shown:
            text = f"{value:.1f}x" if value >= 0.95 else f"{value:.2f}x"
            axes.annotate(
                text, (value, place), xytext=(3 if value >= 1 else -3, 0),
                textcoords="offset points", va="center", ha="left" if value >= 1 else "right", fontsize=7,
                weight="bold" if key == "minigrad" else "normal",
            )  # fmt: skip
    axes.set_xscale("log")
    low, high = axes.get_xlim()
    axes.set_xlim(low / 1.6, high * 1.6)
    axes.axvline(1, color="black", linewidth=1)
    axes.set_yticks(range(len(names)), names)
    axes.invert_yaxis()
    axes.set_xlabel("times as fast as torch eager with its best thread count (right of the line: faster)")
    axes.set_title("Training steps on the CPU, medians of one alternating run")
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(loc="lower right", fontsize=8, frameon=True)
    machine = report["machine"]
    figure.supxlabel(f"{machine.get('processor')}, {machine.get('cores')} cores; {machine.get('date')}", fontsize=7)
    figure.savefig(path, dpi=150)
    plt.close(figure)
