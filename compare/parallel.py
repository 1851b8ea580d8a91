"""Spreads rows over processes, results in order of completion. Ctrl-C ends it cleanly with what is done."""

from __future__ import annotations

import multiprocessing
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from typing import Any

from .report import Failure, Options, Result


def spread(one: Callable[[str, Options], Result], names: list[str], options: Options) -> Iterator[Result]:
    """`one(name, options)` for every name, in `options.jobs` processes; an exception becomes a failed Result."""
    if options.jobs <= 1 or len(names) < 2:
        for name in names:
            yield guarded(one, name, options)
        return
    context = start_context()
    left = list(names)
    with ProcessPoolExecutor(options.jobs, mp_context=context, initializer=_single_thread) as pool:
        futures = {pool.submit(guarded, one, name, options): name for name in names}
        try:
            for future in as_completed(futures):
                result = future.result()
                left.remove(futures[future])
                yield result
            return
        except BrokenProcessPool:
            pass  # a process died and took the rest with it: they follow one by one, each in a process of its own
        finally:
            pool.shutdown(cancel_futures=True)  # and wait: a pool left to end by itself may do so after its pipes
    for name in left:
        with ProcessPoolExecutor(1, mp_context=context, initializer=_single_thread) as pool:
            try:
                yield pool.submit(guarded, one, name, options).result()
            except BrokenProcessPool:
                message = "the process died: a crash inside NumPy or torch, or no memory left"
                yield Result("crashed", name, 1, None, [Failure("the check itself", message)])


def start_context() -> Any:
    """How processes are started: fork keeps the imported torch (2.7 s to import); elsewhere spawn imports it again."""
    return multiprocessing.get_context("fork" if sys.platform == "linux" else "spawn")


def guarded(one: Callable[[str, Options], Result], name: str, options: Options) -> Result:
    """`one(name, options)`, with an exception of the checker itself reported as this row's failure."""
    try:
        return one(name, options)
    except Exception as error:  # a row that breaks the checker must not end the run
        import traceback

        return Result("?", name, 1, None, [Failure("the check itself", f"{error!r}\n{traceback.format_exc()}")])


def _single_thread() -> None:
    torch = sys.modules.get("torch")
    if torch is not None:
        torch.set_num_threads(1)
