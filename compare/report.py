"""What a check reports, and how it is shown.

Owns the types that every part of `compare` hands over (`Result`, `Failure`, `Options`), the progress line and the
final table. It knows neither engine: NumPy, torch and minigrad are not imported here.
"""

from __future__ import annotations

import json
import math
import os
import platform
import sys
import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from typing import Any, TextIO


@dataclass
class Failure:
    """One disagreement: where it was seen, both sides in words, and a script that shows it again (or None)."""

    where: str
    message: str
    reproducer: str | None = None


@dataclass
class Result:
    """The outcome of one row: how many checks ran, the largest distance met in ulps (None: nothing numeric)."""

    group: str
    name: str
    checks: int
    worst_ulp: float | None
    failures: list[Failure]
    note: str = ""
    details: dict[str, Any] = field(default_factory=dict)

    @property
    def passed(self) -> bool:
        return not self.failures


@dataclass
class Options:
    """What the command line asked for. `examples=None` means the group's own default."""

    examples: int | None = None
    seed: int = 0
    jobs: int = 1
    only: str | None = None
    json: str | None = None
    html: str | None = None
    quick: bool = False
    extra: dict[str, Any] = field(default_factory=dict)

    def selects(self, name: str) -> bool:
        """True when `--only PATTERN` (a case-insensitive part of the name, or a glob) lets `name` through."""
        if not self.only:
            return True
        from fnmatch import fnmatch

        pattern, name = self.only.lower(), name.lower()
        return any(
            fnmatch(name, part) if any(c in part for c in "*?[") else part in name for part in pattern.split(",")
        )


class Progress:
    """One line on a terminal, rewritten in place: group, done/total, rate, time left, what runs now.

    Off a terminal it stays silent except for one line a group, so that logs stay short.
    """

    def __init__(self, stream: TextIO | None = None, enabled: bool | None = None) -> None:
        self.stream = stream if stream is not None else sys.stderr
        self.live = self.stream.isatty() if enabled is None else enabled
        self.group, self.total, self.done, self.failed = "", None, 0, 0
        self.began = self.drawn = time.perf_counter()

    def start(self, group: str, total: int | None = None) -> None:
        """Begin a group of `total` steps (None: unknown)."""
        self.group, self.total, self.done, self.failed = group, total, 0, 0
        self.began, self.drawn = time.perf_counter(), 0.0
        self._draw("")

    def step(self, label: str = "", count: int = 1, failed: int = 0) -> None:
        """`count` more steps are done; `failed` of them failed."""
        self.done += count
        self.failed += failed
        now = time.perf_counter()
        if now - self.drawn > 0.1:
            self._draw(label)

    def finish(self) -> None:
        """End the group: clears the line (terminal) or prints one summary line (log)."""
        seconds = time.perf_counter() - self.began
        if self.live:
            self.stream.write("\r\x1b[2K")
        else:
            failed = f", {self.failed} failed" if self.failed else ""
            self.stream.write(f"{self.group}: {self.done} done{failed}, {seconds:.1f} s\n")
        self.stream.flush()

    def _draw(self, label: str) -> None:
        if not self.live:
            return
        now = time.perf_counter()
        self.drawn = now
        rate = self.done / max(now - self.began, 1e-9)
        text = f"{self.group} {self.done:,}" + (f"/{self.total:,}" if self.total else "")
        if self.done:
            text += f"  {rate:,.1f}/s"
            if self.total and self.total > self.done:
                text += f"  {duration((self.total - self.done) / rate)} left"
        if self.failed:
            text += f"  {self.failed} failed"
        text = f"{text}  {label}"[: max(_width() - 1, 20)]
        self.stream.write("\r\x1b[2K" + text)
        self.stream.flush()


def duration(seconds: float) -> str:
    """12 -> '12 s', 75 -> '1 min 15 s', 7300 -> '2 h 1 min'."""
    seconds = int(math.ceil(seconds))
    if seconds < 60:
        return f"{seconds} s"
    if seconds < 3600:
        return f"{seconds // 60} min {seconds % 60} s"
    return f"{seconds // 3600} h {seconds % 3600 // 60} min"


def ulp_text(worst: float | None) -> str:
    """A distance in ulps for people: '-', '0', '1.5', '3e+05', 'inf'."""
    if worst is None:
        return "-"
    if math.isinf(worst):
        return "inf"
    if worst >= 1000:
        return f"{worst:.0e}"
    return f"{worst:.2f}".rstrip("0").rstrip(".")


def table(results: Iterable[Result]) -> str:
    """The closing table: a line a group with its rows, checks, worst ulp and verdict."""
    groups: dict[str, list[Result]] = {}
    for result in results:
        groups.setdefault(result.group, []).append(result)
    lines = [("group", "rows", "checks", "worst ulp", "verdict")]
    for group, members in groups.items():
        worst = max((r.worst_ulp for r in members if r.worst_ulp is not None), default=None)
        failed = sum(not r.passed for r in members)
        verdict = f"{failed} of {len(members)} FAIL" if failed else "pass"
        lines.append((group, f"{len(members):,}", f"{sum(r.checks for r in members):,}", ulp_text(worst), verdict))
    widths = [max(len(line[i]) for line in lines) for i in range(5)]
    text = []
    for n, line in enumerate(lines):
        cells = [line[0].ljust(widths[0]), *(c.rjust(w) for c, w in zip(line[1:4], widths[1:4])), line[4]]
        text.append("  ".join(cells).rstrip())
        if n == 0:
            text.append("  ".join("-" * w for w in widths))
    return "\n".join(text)


def failures_text(results: Iterable[Result], limit: int = 10) -> str:
    """The disagreements in full, the first `limit` of them; '' when there are none."""
    parts, count = [], 0
    for result in results:
        for failure in result.failures:
            count += 1
            if count > limit:
                continue
            parts.append(f"{result.group} {result.name}: {failure.where}\n{_indent(failure.message)}")
            if failure.reproducer:
                parts.append(_indent("run this to see it again:\n" + _indent(failure.reproducer)))
    if count > limit:
        parts.append(f"... and {count - limit} more (use --only NAME, or --json FILE for all of them)")
    return "\n".join(parts)


def as_json(results: Iterable[Result], options: Options, seconds: float) -> str:
    """Every result and failure as JSON text, with the versions that produced it. `version` is the format's."""
    body = {
        "version": 1,
        "machine": {"python": platform.python_version(), "system": platform.system(), **_versions()},
        "options": asdict(options),
        "seconds": round(seconds, 3),
        "results": [{**asdict(r), "passed": r.passed} for r in results],
    }
    return json.dumps(_finite(body), indent=1, default=str, allow_nan=False)


def _versions() -> dict[str, str]:
    return {name: str(sys.modules[name].__version__) for name in ("numpy", "torch") if name in sys.modules}


def _finite(value: Any) -> Any:
    """JSON has no inf or nan: they become strings."""
    if isinstance(value, float) and not math.isfinite(value):
        return repr(value)
    if isinstance(value, dict):
        return {str(k): _finite(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(v) for v in value]
    return value


def _indent(text: str) -> str:
    return "\n".join("    " + line if line else line for line in text.splitlines())


def _width() -> int:
    try:
        return os.get_terminal_size(sys.stderr.fileno()).columns
    except (OSError, ValueError):
        return 100
