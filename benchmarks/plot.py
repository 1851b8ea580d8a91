"""The report as one bar chart for a slide: how many times faster than torch eager, a group of bars a workload."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from .libraries import BY_KEY
from .results import best, ratio, workloads

COLOURS = {
    "minigrad": "#d1495b", "minigrad-traced": "#e58e98", "numpy": "#8d99ae", "torch-compile": "#edae49",
    "jax-jit": "#66a182", "mygrad": "#2e4057", "autograd": "#7a9cc6",
}  # fmt: skip


def draw(report: dict[str, Any], path: str | Path) -> None:
    """Write the chart to `path`; its ending chooses the format. ValueError where torch eager was not measured."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    names = [name for name in workloads(report) if best(report, name, "torch") and best(report, name)["unit"] == "us"]
    keys = [key for key in COLOURS if any(best(report, name, key) for name in names)]
    if not names or not keys:
        raise ValueError("nothing to draw: the chart shows times relative to torch eager, and the report has none")
    panels = 1 if len(names) < 4 else 2
    rows = -(-len(names) // panels)
    size = (13.3, 7.5) if panels == 2 else (9, 1.6 + 0.9 * rows)  # a slide; or as much of one as a few workloads need
    figure, axes = plt.subplots(1, panels, figsize=size, sharex=True, squeeze=False, layout="constrained")
    for panel, ax in enumerate(axes[0]):
        _panel(ax, report, names[panel * rows : (panel + 1) * rows], keys)
    low, high = axes[0][0].get_xlim()
    axes[0][0].set_xlim(low / 1.5, high * 1.8)
    handles, labels = axes[0][0].get_legend_handles_labels()
    figure.suptitle("Times as fast as torch eager with its best thread count", fontsize=14, weight="bold")
    machine = report["machine"]
    versions = ", ".join(f"{name} {machine.get('versions', {}).get(name)}" for name in ("python", "numpy", "torch"))
    where = f"{machine.get('processor')}, {machine.get('cores')} cores; {versions}; {machine.get('date')}"
    figure.legend(
        handles, labels, loc="outside lower center", ncols=len(keys), frameon=False, fontsize=9, title_fontsize=7,
        title=f"{where}; medians of one alternating run",
    )  # fmt: skip
    figure.savefig(path, dpi=150)
    plt.close(figure)


def _panel(ax: Any, report: dict[str, Any], names: list[str], keys: list[str]) -> None:
    height = 0.84 / len(keys)
    for position, key in enumerate(keys):
        shown = []
        for row, name in enumerate(names):
            value = ratio(best(report, name, "torch"), best(report, name, key))
            if value:
                shown.append((row + (position - (len(keys) - 1) / 2) * height, value))
        ax.barh(
            [place for place, _ in shown], [value - 1 for _, value in shown], height * 0.92, left=1,
            color=COLOURS[key], label=BY_KEY[key].label,
        )  # fmt: skip
        for place, value in shown:  # the figure stands outside its bar, on the side where the bar ends
            text = f"{value:.0f}" if value >= 9.95 else f"{value:.1f}" if value >= 0.95 else f"{value:.2f}"
            ax.annotate(
                text, (value, place), xytext=(2 if value >= 1 else -2, 0), textcoords="offset points", va="center",
                ha="left" if value >= 1 else "right", fontsize=6, weight="bold" if key == "minigrad" else "normal",
            )  # fmt: skip
    ax.set_xscale("log")
    ax.axvline(1, color="black", linewidth=1)
    ax.set_yticks(range(len(names)), names)
    ax.set_ylim(len(names) - 0.5, -0.5)
    ax.xaxis.set_major_formatter(lambda value, _: f"{value:g}x")
    ax.spines[["top", "right"]].set_visible(False)
