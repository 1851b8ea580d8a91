"""python -m benchmarks [WORKLOAD...] [options], and the commands diff OLD NEW, show REPORT and profile."""

from __future__ import annotations

import argparse
import importlib.util
import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from . import libraries

NEEDED = ("torch", "threadpoolctl")


def needs_extra(modules: list[str]) -> str | None:
    """What to say when one of `modules` is not installed; None if all are."""
    absent = [module for module in modules if importlib.util.find_spec(module) is None]
    if not absent:
        return None
    return f'{" and ".join(absent)} not installed; the benchmarks need the extra: python -m pip install -e ".[bench]"'


def parser() -> argparse.ArgumentParser:
    main = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description="Time minigrad beside torch and its peers.",
        epilog="also: python -m benchmarks diff OLD.json NEW.json    what got slower beyond noise (exit status 1)\n"
        "      python -m benchmarks show REPORT.json [--markdown] [--plot FILE]    a kept report again\n"
        "      python -m benchmarks profile    where the time of one op goes",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    main.add_argument("workloads", nargs="*", metavar="WORKLOAD", help="names, or how they begin; all without any")
    main.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    main.add_argument("--quick", action="store_true", help="few short rounds and no compilers: minutes become seconds")
    main.add_argument("--only", metavar="LIBRARY,...", help="these columns only, e.g. numpy,minigrad,torch")
    main.add_argument("--json", metavar="FILE", help="write the report as JSON")
    main.add_argument("--plot", metavar="FILE", help="draw the bar chart (matplotlib; PNG, SVG or PDF)")
    main.add_argument("--list", action="store_true", help="list workloads and libraries, and measure nothing")
    return main


def progress_line(stream: Any) -> Callable[[str], None]:
    """One line rewritten in a terminal; elsewhere a line a workload, so that a log stays short."""
    if stream.isatty():
        return lambda text: print(f"\r\x1b[2K{text}"[:160], end="", file=stream, flush=True)
    last = [""]

    def say(text: str) -> None:
        workload = text.split(":", 1)[0]
        if workload != last[0]:
            last[0] = workload
            print(f"measuring {workload}", file=stream, flush=True)

    return say


def choose_workloads(names: list[str]) -> list[Any]:
    from .process import PROCESS_WORKLOADS
    from .workloads import WORKLOADS

    everything = (*WORKLOADS, *PROCESS_WORKLOADS)
    for name in names:
        if not any(workload.name.startswith(name) for workload in everything):
            known = ", ".join(workload.name for workload in everything)
            raise SystemExit(f"no workload begins with {name!r}; there are {known}")
    return [workload for workload in everything if not names or any(workload.name.startswith(name) for name in names)]


def choose_libraries(only: str | None, device: str) -> list[libraries.Library]:
    if only is None:
        return [library for library in libraries.LIBRARIES if device == "cuda" or library.device == "cpu"]
    keys = [key for key in only.split(",") if key]
    unknown = [key for key in keys if key not in libraries.BY_KEY]
    if unknown or not keys:
        raise SystemExit(f"--only: no library {', '.join(unknown) or 'given'}; there are {', '.join(libraries.BY_KEY)}")
    return [library for library in libraries.LIBRARIES if library.key in keys]


def listing() -> str:
    lines = ["workloads"]
    lines += [f"  {workload.name:26}{workload.title}" for workload in choose_workloads([])]
    lines.append("libraries")
    for library in libraries.LIBRARIES:
        lines.append(f"  {library.key:26}{library.label}: {libraries.missing(library) or 'here'}")
    return "\n".join(lines)


def writable(path: str | None) -> None:
    """Find out before measuring, not after, that a report cannot be written."""
    if path is not None and not Path(path).resolve().parent.is_dir():
        raise SystemExit(f"{path}: there is no folder {Path(path).resolve().parent}")


def run(arguments: list[str]) -> int:
    options = parser().parse_args(arguments)
    problem = needs_extra([*NEEDED, *(["matplotlib"] if options.plot else [])])
    if problem is not None:
        print(problem, file=sys.stderr)
        return 2
    libraries.prepare()
    if options.list:
        print(listing())
        return 0
    chosen = choose_libraries(options.only, options.device)
    selected = choose_workloads(options.workloads)
    writable(options.json)
    writable(options.plot)

    from . import harness, machine, plot, report, results
    from .process import ProcessWorkload

    settings = harness.QUICK if options.quick else harness.Settings()
    document: dict[str, Any] = {
        "format": results.FORMAT,
        "machine": machine.block(),
        "settings": asdict(settings) | {"device": options.device, "quick": options.quick},
        "results": [],
    }
    progress = progress_line(sys.stderr)
    wrong = False
    for workload in selected:
        if isinstance(workload, ProcessWorkload):
            found = workload.measure(chosen, settings, progress)
        else:
            found = harness.measure(workload, chosen, settings, progress)
        wrong = wrong or any(result.wrong and result.library.startswith("minigrad") for result in found)
        document["results"] += [result.as_dict() for result in found]
        if sys.stderr.isatty():
            print("\r\x1b[2K", end="", file=sys.stderr, flush=True)
        print(report.workload_table(document, workload.name), end="\n\n", flush=True)
    document["machine"]["limits"] = machine.limits()
    promises = report.promises(document)
    if promises:
        print(promises, end="\n\n")
    print("\n".join(report.machine_lines(document)))
    if options.json:
        results.save(options.json, document)
        print(f"report written to {options.json}")
    if options.plot:
        plot.draw(document, options.plot)
        print(f"chart written to {options.plot}")
    return 1 if wrong else 0


def run_diff(arguments: list[str]) -> int:
    main = argparse.ArgumentParser(prog="python -m benchmarks diff", description="What got slower beyond noise.")
    main.add_argument("old", metavar="OLD.json")
    main.add_argument("new", metavar="NEW.json")
    options = main.parse_args(arguments)
    from . import diff, results

    text, slower = diff.text(results.load(options.old), results.load(options.new))
    print(text)
    return 1 if slower else 0


def run_show(arguments: list[str]) -> int:
    main = argparse.ArgumentParser(prog="python -m benchmarks show", description="Print or draw a kept report.")
    main.add_argument("report", metavar="REPORT.json")
    main.add_argument("--markdown", action="store_true", help="the table of a README")
    main.add_argument("--plot", metavar="FILE", help="draw the bar chart")
    options = main.parse_args(arguments)
    from . import plot, report, results

    document = results.load(options.report)
    print(report.markdown(document) if options.markdown else report.text(document))
    if options.plot:
        problem = needs_extra(["matplotlib"])
        if problem is not None:
            print(problem, file=sys.stderr)
            return 2
        plot.draw(document, options.plot)
        print(f"chart written to {options.plot}")
    return 0


def run_profile(arguments: list[str]) -> int:
    main = argparse.ArgumentParser(prog="python -m benchmarks profile", description="Where the time of one op goes.")
    main.add_argument("--quick", action="store_true", help="few short rounds")
    options = main.parse_args(arguments)
    problem = needs_extra(list(NEEDED))
    if problem is not None:
        print(problem, file=sys.stderr)
        return 2
    from . import profile

    print(profile.text(rounds=3, block=0.001) if options.quick else profile.text())
    return 0


def main(arguments: list[str]) -> int:
    from .results import BadReport

    commands = {"diff": run_diff, "show": run_show, "profile": run_profile}
    try:
        if arguments and arguments[0] in commands:
            return commands[arguments[0]](arguments[1:])
        return run(arguments)
    except (BadReport, ValueError) as error:
        print(error, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("\nstopped", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
