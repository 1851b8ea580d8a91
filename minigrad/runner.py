"""Runs a torch script unchanged, with `torch` and its submodules answered by minigrad.

Owns the stand-in modules and the program `python -m minigrad`. Knows minigrad by its public modules only. Whatever a
script asks of torch that minigrad lacks is an error that names it and the line that asked.
"""

from __future__ import annotations

import argparse
import atexit
import builtins
import contextlib
import importlib
import importlib.abc
import importlib.machinery
import importlib.util
import io
import os
import sys
import traceback
import types
from collections.abc import Iterator, Sequence
from typing import Any

__all__ = ["answer_for_torch", "main", "run"]

_ROOT = "minigrad"
# torch's top-level modules, of which minigrad may have some; its other modules are its own affair.
_PUBLIC = frozenset(
    "autograd backends cuda fft func functional linalg mps nn optim random serialization special testing types utils "
    "version".split()
)


# -- the stand-in modules ---------------------------------------------------------------------------------------------


class _StandIn(types.ModuleType):
    """The module that a script gets for `torch` or `torch.x.y`: minigrad's module of that path, by another name.

    A name is looked up once and then kept, so that a call through it costs no more than through a real module.
    """

    def __getattr__(self, name: str) -> Any:
        full_name = f"{self.__name__}.{name}"
        if name == "__all__":
            return [public for public in dir(self) if not public.startswith("_")]
        if name.startswith("__") and name.endswith("__") and name != "__version__":
            raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}", name=name, obj=self)
        value = _look_up(full_name)
        if value is _MISSING:
            raise AttributeError(
                f"module {self.__name__!r} has no attribute {name!r}: {_LACKS} ({_asking_line()})", name=name, obj=self
            )
        setattr(self, name, value)
        return value

    def __dir__(self) -> list[str]:
        module = _module_for(self.__name__)
        names = {
            name
            for name in dir(module)
            if not name.startswith("_") and _look_up(f"{self.__name__}.{name}") is not _MISSING
        }
        return sorted(names | {name for name in vars(self) if not name.startswith("_")})

    def __repr__(self) -> str:
        return f"<module {self.__name__!r} answered by {_ROOT}>"


_MISSING = object()
_LACKS = "minigrad, which answers for torch here, lacks it"


def _look_up(full_name: str) -> Any:
    """What `torch.x.y` is in minigrad: a value, a stand-in if it is a module, or _MISSING."""
    parent_name, _, name = full_name.rpartition(".")
    if full_name == "torch.__version__":
        return "2.13.0+minigrad"  # the release whose interface minigrad follows
    value = getattr(_module_for(parent_name), name, _MISSING)
    if value is not _MISSING and not isinstance(value, types.ModuleType):
        return value
    if _module_for(full_name) is None:
        return _MISSING  # the name is unknown, or a module such as `math` that a module of minigrad imports
    return importlib.import_module(full_name)


def _module_for(full_name: str) -> types.ModuleType | None:
    """The module behind the stand-in `full_name`, imported if need be; None if there is none."""
    path = full_name.split(".")[1:]
    if path and path[0] not in _PUBLIC:
        return None
    real_name = ".".join([_ROOT, *path])
    if real_name in sys.modules:
        return sys.modules[real_name]
    try:
        found = importlib.util.find_spec(real_name)
    except ModuleNotFoundError:  # a parent is missing, or is no package
        found = None
    return importlib.import_module(real_name) if found is not None else None


def _asking_line() -> str:
    """Where the program is that asked: the innermost frame outside this file and Python's import machinery."""
    frame = sys._getframe(1)
    while frame.f_back is not None and _is_ours(frame.f_code.co_filename):
        frame = frame.f_back
    return f"{frame.f_code.co_filename}, line {frame.f_lineno}"


def _ways_here() -> set[types.CodeType]:
    """The functions of Python's import machinery that the program called to come to this file."""
    frame: types.FrameType | None = sys._getframe(1)
    ways = set()
    while frame is not None and _is_ours(frame.f_code.co_filename):
        ways.add(frame.f_code)
        frame = frame.f_back
    return ways


_FROM_LIST = importlib._bootstrap._handle_fromlist.__code__  # type: ignore[attr-defined]


def _is_ours(filename: str) -> bool:
    machinery = (__file__, importlib.__file__, importlib.util.__file__)
    return filename.startswith("<frozen importlib") or filename in machinery


class _Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Answers `import torch` and `import torch.x.y`."""

    def find_spec(self, full_name: str, path: Any = None, target: Any = None) -> importlib.machinery.ModuleSpec | None:
        if full_name != "torch" and not full_name.startswith("torch."):
            return None
        if _module_for(full_name) is None:
            ways = _ways_here()
            if importlib.util.find_spec.__code__ in ways:  # the program only asks
                return None
            # `from torch import name` would drop a ModuleNotFoundError, and raise an ImportError that names no line.
            kind = ImportError if _FROM_LIST in ways else ModuleNotFoundError
            raise kind(f"No module or name {full_name!r}: {_LACKS} ({_asking_line()})", name=full_name)
        return importlib.machinery.ModuleSpec(full_name, self, is_package=True)

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> types.ModuleType:
        return _StandIn(spec.name, getattr(_module_for(spec.name), "__doc__", None))

    def exec_module(self, module: types.ModuleType) -> None:
        """Nothing to run: a stand-in looks its names up when they are asked for."""


def _is_torch(name: str) -> bool:
    return name == "torch" or name.startswith("torch.")


@contextlib.contextmanager
def answer_for_torch() -> Iterator[None]:
    """Inside this block `import torch` gives minigrad. Afterwards everything is as it was.

    A real torch that was imported before is set aside and put back. Modules that were imported in the block and hold a
    piece of it are forgotten, so that their next import meets the real torch.
    """
    importlib.import_module(_ROOT)
    aside = {name: sys.modules.pop(name) for name in list(sys.modules) if _is_torch(name)}
    before = set(sys.modules)
    finder = _Finder()
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)
        for name, module in list(sys.modules.items()):
            if _is_torch(name) or (name not in before and name.partition(".")[0] != _ROOT and _uses_minigrad(module)):
                del sys.modules[name]
        sys.modules.update(aside)


def _uses_minigrad(module: Any) -> bool:
    """True if the module's names include a stand-in, or a class or function of minigrad's."""
    for value in list(getattr(module, "__dict__", {}).values()):
        if type(value) is _StandIn:
            return True
        if isinstance(value, (type, types.FunctionType)) and str(value.__module__).partition(".")[0] == _ROOT:
            return True
    return False


# -- running a script -------------------------------------------------------------------------------------------------


def run(script: str, arguments: Sequence[str] = (), *, until_exit: bool = False) -> int:
    """Run the file `script` (or a directory with a __main__.py, or "-": standard input) as `python script` would.

    The script sees __name__ == "__main__", its own sys.argv and sys.path[0], and minigrad as torch. Its uncaught
    exception is reported as Python does, without frames of this file. Returns the exit code: 0, 1 after an exception, 2
    if the script cannot be read, 130 after Ctrl-C. SystemExit passes through. until_exit: leave torch answered until
    the interpreter exits, as the script's threads and atexit functions expect.
    """
    try:
        source, filename, first_path = _read(script)
    except OSError as error:
        print(f"minigrad: can't open file {os.path.abspath(script)!r}: {error.strerror}", file=sys.stderr)
        return 2
    with contextlib.ExitStack() as stack:
        _enter(stack, [script, *arguments], first_path)
        module = types.ModuleType("__main__")
        vars(module).update(__file__=filename, __builtins__=builtins, __cached__=None)
        module.__loader__ = importlib.machinery.SourceFileLoader("__main__", filename)
        sys.modules["__main__"] = module
        if until_exit:
            atexit.register(stack.pop_all().close)
        try:
            exec(compile(source, filename, "exec", dont_inherit=True), vars(module))
        except SystemExit:
            raise
        except BaseException as error:
            _report(error)
            return 130 if isinstance(error, KeyboardInterrupt) else 1
    return 0


def _read(script: str) -> tuple[bytes, str, str]:
    """(source, file name to show, what goes to the front of sys.path)"""
    if script == "-":
        return sys.stdin.buffer.read(), "<stdin>", ""
    filename = os.path.join(script, "__main__.py") if os.path.isdir(script) else script
    with io.open_code(os.path.abspath(filename)) as file:
        source = file.read()
    return source, os.path.abspath(filename), os.path.dirname(os.path.realpath(filename))


def _enter(stack: contextlib.ExitStack, argv: list[str], first_path: str) -> None:
    """Set up what the script sees, and leave with `stack` what puts it back."""
    main_module, old_argv, old_path = sys.modules["__main__"], sys.argv, sys.path[:]

    def put_back() -> None:
        sys.modules["__main__"] = main_module
        sys.argv, sys.path[:] = old_argv, old_path

    stack.callback(put_back)
    sys.argv = argv
    if not getattr(sys.flags, "safe_path", False):
        # `python -m minigrad` put the working directory first; `python script` puts the script's there instead.
        sys.path[:1] = [first_path]
    stack.enter_context(answer_for_torch())


def _report(error: BaseException) -> None:
    """Show an uncaught exception through sys.excepthook, as the interpreter would, without this file's frames."""
    _without_our_frames(error, set())
    sys.excepthook(type(error), error, error.__traceback__)
    missing = _missing_of_minigrad(error)
    if missing is not None:
        frames = [f for f in traceback.extract_tb(error.__traceback__) if not _is_minigrad(f.filename)]
        place = f" ({frames[-1].filename}, line {frames[-1].lineno})" if frames else ""
        print(f"minigrad: torch may have {missing}, but {_LACKS}{place}", file=sys.stderr)


def _without_our_frames(error: BaseException | None, seen: set[int]) -> None:
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        frames = []
        step = error.__traceback__
        while step is not None:
            if step.tb_frame.f_code.co_filename != __file__:
                frames.append(step)
            step = step.tb_next
        kept = None
        for step in reversed(frames):
            kept = types.TracebackType(kept, step.tb_frame, step.tb_lasti, step.tb_lineno)
        error.__traceback__ = kept
        for other in (error.__cause__, *getattr(error, "exceptions", ())):
            _without_our_frames(other, seen)
        error = error.__context__


def _missing_of_minigrad(error: BaseException) -> str | None:
    """ "torch.Tensor.name" if `error` is about an attribute that an object or a class of minigrad's does not have."""
    owner = getattr(error, "obj", None)
    if not isinstance(error, AttributeError) or owner is None or isinstance(owner, types.ModuleType):
        return None
    kind = owner if isinstance(owner, type) else type(owner)
    if kind.__module__.partition(".")[0] not in (_ROOT, "torch") or "<locals>" in kind.__qualname__:
        return None
    return f"torch.{kind.__qualname__}.{error.name}"


def _is_minigrad(filename: str) -> bool:
    return os.path.abspath(filename).startswith(os.path.dirname(os.path.abspath(__file__)) + os.sep)


# -- the command line -------------------------------------------------------------------------------------------------


def main(argv: Sequence[str] | None = None) -> int:
    """`python -m minigrad`: returns the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m minigrad", description="PyTorch's autograd, written again on NumPy."
    )
    parser.add_argument("--version", action="version", version=f"minigrad {_version()}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", title="commands")
    runner = commands.add_parser(
        "run",
        help="run a torch script with minigrad in torch's place",
        description="Run an unmodified torch script with `torch` and its submodules answered by minigrad. The script "
        "gets ARGS as its own. A name that minigrad lacks is an error that names it and the script's line.",
    )
    runner.add_argument(
        "script", metavar="SCRIPT", help="a Python file, a directory with a __main__.py, or - for standard input"
    )
    runner.add_argument("arguments", metavar="ARGS", nargs=argparse.REMAINDER, help="the script's arguments")
    steps = commands.add_parser(
        "steps",
        help="run a torch script and show what its backward passes did",
        description="Run a torch script as `run` does, and show each step of its backward passes: the cotangent that "
        "came to a node, the formula, what was saved, and where the result went.",
    )
    steps.add_argument("--html", metavar="FILE", help="write a page; without this the steps are printed")
    steps.add_argument("--limit", metavar="N", type=int, default=100, help="steps to show (default: 100)")
    steps.add_argument("script", metavar="SCRIPT", help="as for run")
    steps.add_argument("arguments", metavar="ARGS", nargs=argparse.REMAINDER, help="the script's arguments")
    commands.add_parser("info", help="the versions at work, for a bug report")
    options = parser.parse_args(argv)
    if options.command == "run":
        return run(options.script, options.arguments, until_exit=True)
    if options.command == "steps":
        if options.limit < 1:
            parser.error(f"argument --limit: at least 1, not {options.limit}")
        if options.html is not None and (wrong := _not_a_page(options.html, options.script)):
            parser.error(f"argument --html: {wrong}")
        return _show_steps(options.script, options.arguments, options.html, options.limit)
    if options.command == "info":
        print(_info())
        return 0
    parser.print_help()
    return 2


def _not_a_page(page: str, script: str) -> str | None:
    """Why the page cannot be written there: said before a script runs for an hour."""
    path = os.path.abspath(page)
    folder = os.path.dirname(path)
    if not page or os.path.isdir(path):
        return f"{page!r} is no name of a file"
    if not os.path.isdir(folder):
        return f"the directory of {page!r} does not exist"
    if not os.access(path if os.path.exists(path) else folder, os.W_OK):
        return f"{page!r} cannot be written to"
    if os.path.exists(script) and os.path.exists(path) and os.path.samefile(path, script):
        return f"{page!r} is the script itself"
    return None


def _print_to_the_end(text: str) -> None:
    """Print, or as much of it as is read: `| head` closes its end early."""
    try:
        print(text, flush=True)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # else Python complains once more at its end


def _show_steps(script: str, arguments: Sequence[str], page: str | None, limit: int) -> int:
    """Run a script and show its backward passes, also those before an exception. Returns the exit code."""
    steps = importlib.import_module(f"{_ROOT}.autograd").Steps(limit)
    path = page and os.path.abspath(page)  # the script may change the directory
    try:
        with steps:
            code = run(script, arguments, until_exit=True)
    finally:
        if not path:
            _print_to_the_end(str(steps))
        elif len(steps):
            steps.save(path)
            print(f"minigrad: {len(steps)} steps of backward are in {page}", file=sys.stderr)
        else:
            print(f"minigrad: no backward ran, so {page} was not written", file=sys.stderr)
    return code or (0 if len(steps) else 1)


def _version() -> str:
    return importlib.import_module(_ROOT).__version__


def _info() -> str:
    import platform

    import numpy

    blas = numpy.show_config(mode="dicts")["Build Dependencies"]["blas"]
    return "\n".join(
        [
            f"minigrad  {_version()}  {os.path.dirname(os.path.abspath(__file__))}",
            f"numpy     {numpy.__version__}  (BLAS: {blas.get('name')} {blas.get('version')})",
            f"python    {platform.python_version()}  {sys.executable}",
            f"platform  {platform.platform()}  {platform.machine()}, {os.cpu_count()} CPUs",
        ]
    )
