"""The command line: `python -m compare [GROUP] [options]`.

Without a group: every lesson and one quick pass of everything, ending in one table. Exit code 0 when all agree, 1 when
something disagrees, 2 for a bad command line or a missing package, 130 after Ctrl-C (with what was done so far).
"""

from __future__ import annotations

import argparse
import importlib
import os
import sys
import time
import warnings
from collections.abc import Sequence

from minigrad.files import write_text

from . import engines, html
from .report import Options, Progress, Result, as_json, duration, failures_text, table

GROUPS = {
    "lessons": "every lesson of examples/ on both engines, number by number",
    "ops": "every op: dtypes, shapes, layouts, special values; value, vjp, double backward",
    "modules": "modules, losses, initialisers and samplers: 20 steps side by side, and the same seed",
    "optim": "optimizers and schedulers: every parameter at every step",
    "rules": "the engine's rules, one short program each",
    "programs": "random programs: views, in-place, hooks, detach, several backwards",
    "opinfo": "torch's own database of samples and error inputs",
    "mutate": "break every derivative formula and engine rule; which does the quick run not catch?",
}
QUICK = ("lessons", "ops", "modules", "optim", "rules", "programs", "opinfo")


def parser() -> argparse.ArgumentParser:
    """The command line's grammar."""
    top = argparse.ArgumentParser(
        prog="python -m compare",
        description="Runs minigrad and torch side by side. Without a group: lessons and a quick pass of everything.",
    )
    _common(top)
    groups = top.add_subparsers(dest="group", metavar="GROUP", title="groups")
    for name, text in GROUPS.items():
        sub = groups.add_parser(name, help=text, description=text)
        _common(sub, argparse.SUPPRESS)
        _module(name).add_arguments(sub)
    return top


def _common(p: argparse.ArgumentParser, default: object = None) -> None:
    kept = default is argparse.SUPPRESS
    p.add_argument(
        "--examples", type=_count, metavar="N", default=default, help="examples drawn per row (default: the group's)"
    )
    p.add_argument(
        "--seed", type=int, metavar="S", default=default if kept else 0, help="seed of all examples (default 0)"
    )
    p.add_argument("--jobs", type=_count, metavar="J", default=default, help="processes (default: the number of cores)")
    p.add_argument(
        "--only",
        metavar="PATTERN",
        default=default,
        help="rows whose name contains PATTERN, or matches a glob; a,b for both",
    )
    p.add_argument("--json", metavar="FILE", default=default, help="write every result to FILE")
    p.add_argument("--html", metavar="FILE", default=default, help="write the coverage page to FILE")
    p.add_argument("--quick", action="store_true", default=default if kept else False, help="the small set of examples")


def _count(text: str) -> int:
    if not text.isdigit() or int(text) == 0:
        raise argparse.ArgumentTypeError(f"expected a positive whole number, got {text!r}")
    return int(text)


def _module(name: str):  # type: ignore[no-untyped-def]
    return importlib.import_module(f".{name}", __package__)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    arguments = vars(parser().parse_args(argv))
    group = arguments.pop("group")
    common = {k: arguments.pop(k) for k in ("examples", "seed", "jobs", "only", "json", "html", "quick")}
    common["jobs"] = common["jobs"] or _cores()
    if group is None:
        common["quick"] = common["examples"] is None
    options = Options(**common, extra=arguments)
    for path in (options.json, options.html):
        if path and not os.path.isdir(os.path.dirname(os.path.abspath(path))):
            print(f"compare: no folder {os.path.dirname(os.path.abspath(path))} to write {path} into", file=sys.stderr)
            return 2
    try:
        engines.require("torch").set_num_threads(1)  # the tensors are small; threads only cost
        engines.require("numpy", "hypothesis")
    except engines.MissingExtra as missing:
        print(f"compare: {missing}", file=sys.stderr)
        return 2
    began = time.perf_counter()
    results, interrupted = collect((group,) if group else QUICK, options)
    seconds = time.perf_counter() - began
    return finish(results, options, seconds, interrupted)


def collect(groups: Sequence[str], options: Options) -> tuple[list[Result], bool]:
    """Run the groups one after the other; (results, whether Ctrl-C ended it)."""
    results: list[Result] = []
    progress = Progress()
    try:
        for name in groups:
            try:
                results.extend(_module(name).run(options, progress))
            except engines.MissingExtra as missing:
                if len(groups) == 1:
                    raise
                results.append(Result(name, name, 0, None, [], note=str(missing)))
    except engines.MissingExtra as missing:
        print(f"compare: {missing}", file=sys.stderr)
        raise SystemExit(2) from None
    except KeyboardInterrupt:
        progress.finish()
        return results, True
    return results, False


def finish(results: list[Result], options: Options, seconds: float, interrupted: bool) -> int:
    """Print failures, notes and the table; write the files; the exit code."""
    if options.json:
        write_text(options.json, as_json(results, options, seconds) + "\n")
    if options.html:
        write_text(options.html, html.page(results, options, seconds))
    if not results:
        print(f"nothing is called {options.only!r}" if options.only else "nothing to run", file=sys.stderr)
        return 130 if interrupted else 2
    text = failures_text(results)
    if text:
        print(text + "\n")
    told = [
        r
        for r in results
        if r.note and (r.name == "summary" or r.checks == 0 and r.group != "opinfo" or len(results) < 5)
    ]
    notes = [f"{r.group} {r.name}: {r.note}" for r in told]
    if notes:
        print("\n".join(notes) + "\n")
    print(table(results))
    checks, failed = sum(r.checks for r in results), sum(not r.passed for r in results)
    verdict = f"{failed} rows disagree" if failed else "minigrad and torch agree"
    ended = ", interrupted" if interrupted else ""
    print(f"\n{verdict}: {checks:,} checks in {duration(seconds)}, seed {options.seed}{ended}")
    return 130 if interrupted else int(failed > 0)


def _cores() -> int:
    try:
        return max(1, min(len(os.sched_getaffinity(0)), 8))
    except AttributeError:  # not on macOS and Windows
        return max(1, min(os.cpu_count() or 1, 8))


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    raise SystemExit(main())
