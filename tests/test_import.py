"""What importing minigrad brings, what it exports, and which file may import which."""

import ast
import importlib
import pathlib
import subprocess
import sys
import types

import pytest
import torch

import minigrad

PACKAGE = pathlib.Path(minigrad.__file__).parent

# A file imports only from files above it. The one knot, Tensor's methods, is tied in methods.py.
ORDER = """
files ownership namespace dtypes grad_mode tensor torch_namespace hooks graph primitive ops functions inplace random
printing settings declarations autograd methods linalg cuda backends nn optim serialization utils __init__
runner __main__
""".split()
KNOT = {  # a call inside a function, made when everything is there
    ("namespace", "torch_namespace"), ("dtypes", "torch_namespace"), ("functions", "inplace"),
    ("methods", "serialization"),
    ("methods", "linalg"),
}  # fmt: skip


def imports(tree):
    """The relative imports of a file, and whether each is made when the file is imported."""
    top = {id(node) for node in tree.body}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.level:
            yield node, id(node) in top
        assert not (isinstance(node, ast.Import) and node.names[0].name == "minigrad"), "relative, so that it is seen"


def files():
    for path in sorted(PACKAGE.rglob("*.py")):
        yield path, path.relative_to(PACKAGE).with_suffix("").parts


def test_imports_only_numpy_and_the_standard_library():
    script = "import sys, minigrad; print(' '.join(sorted({m.partition('.')[0] for m in sys.modules})))"
    script = f"import sys; sys.path[:0] = {sys.path!r}; {script}"
    names = subprocess.run([sys.executable, "-S", "-c", script],
                           capture_output=True, text=True, check=True).stdout.split()  # fmt: skip
    foreign = {n for n in names if n not in sys.stdlib_module_names and not n.startswith("_")} - {"minigrad", "numpy"}
    assert not {n for n in foreign if not n.startswith(("distutils", "sitecustomize", "mkl"))}, foreign
    assert "minigrad" in names and "numpy" in names


def test_every_file_imports_only_from_files_above_it():
    wrong = []
    for path, parts in files():
        own = parts[0]
        for node, at_import in imports(ast.parse(path.read_text())):
            level = node.level - (parts[-1] == "__init__")
            base = parts[: len(parts) - node.level]
            full = (*base, *(node.module.split(".") if node.module else ()))
            targets = [full[0]] if full else [alias.name for alias in node.names]
            for target in targets:
                if target not in ORDER or target == own:
                    continue
                if ORDER.index(target) > ORDER.index(own) and (at_import or (own, target) not in KNOT):
                    wrong.append(f"{'/'.join(parts)}.py:{node.lineno} imports {target}")
            assert level >= 0
    assert not wrong, "\n".join(wrong)


def test_every_file_of_the_package_has_a_place_in_the_order():
    assert {parts[0] for _, parts in files()} <= set(ORDER)


@pytest.mark.parametrize("own", ["namespace", "dtypes"])
def test_the_lowest_files_know_no_tensor(own):
    tree = ast.parse((PACKAGE / f"{own}.py").read_text())
    assert not [n for n in ast.walk(tree) if isinstance(n, ast.Name) and n.id == "Tensor"]


def public(module):
    names = getattr(module, "__all__", None)
    return [n for n in (dir(module) if names is None else names) if not n.startswith("_")]


# What minigrad has under a name that torch lacks there.
MINIGRAD_S_OWN = {
    "minigrad": {"SerializationError"},
    "minigrad.autograd": {
        "FunctionCtx", "GradcheckError", "Program", "Steps", "TraceError", "is_grad_enabled", "once_differentiable",
        "trace",
    },
}  # fmt: skip


@pytest.mark.parametrize("path", ["", "autograd", "autograd.functional", "nn", "nn.functional", "nn.init", "nn.utils",
                                  "optim", "optim.lr_scheduler", "utils.data"])  # fmt: skip
def test_public_names_are_torch_s(path):
    ours, theirs = minigrad, torch
    for part in filter(None, path.split(".")):
        ours, theirs = getattr(ours, part), getattr(theirs, part)
    own = MINIGRAD_S_OWN.get(ours.__name__, set())
    unknown = [
        n for n in public(ours)
        if not hasattr(theirs, n) and n not in own and not isinstance(getattr(ours, n), types.ModuleType)
    ]  # fmt: skip
    assert not unknown
    for n in public(ours):
        assert hasattr(ours, n), n


def test_modules_are_where_torch_keeps_them():
    """Everything in `nn`, its base classes and its utilities can be imported from torch's own files."""
    import minigrad.nn

    assert minigrad.nn.modules.loss._Loss is minigrad.nn.MSELoss.__mro__[1]
    for package in ("nn", "nn.utils"):
        ours, theirs = importlib.import_module(f"minigrad.{package}"), importlib.import_module(f"torch.{package}")
        for n in ours.__all__:
            if callable(getattr(ours, n)):
                place = importlib.import_module(getattr(theirs, n).__module__.replace("torch.", "minigrad."))
                assert getattr(place, n) is getattr(ours, n), n
                assert package == "nn.utils" or "parameter" in place.__name__ or hasattr(minigrad.nn.modules, n), n


def test_tensor_has_only_torch_s_public_methods():
    unknown = [n for n in dir(minigrad.Tensor) if not n.startswith("_") and not hasattr(torch.Tensor, n)]
    assert not unknown


def test_callables_of_torch_are_callables_here():
    for n in public(minigrad):
        if hasattr(torch, n) and callable(getattr(torch, n)):
            assert callable(getattr(minigrad, n)), n


def test_every_public_function_and_method_says_what_it_does():
    silent = [n for n in public(minigrad) if callable(getattr(minigrad, n)) and not getattr(minigrad, n).__doc__]
    silent += [f"Tensor.{n}" for n in dir(minigrad.Tensor) if not n.startswith("_")
               and callable(getattr(minigrad.Tensor, n)) and not getattr(minigrad.Tensor, n).__doc__]  # fmt: skip
    assert not silent


def test_what_the_first_lines_of_scripts_ask_of_the_hardware():
    """seed_everything and the choice of a device, with minigrad as torch."""
    minigrad.backends.cudnn.deterministic, minigrad.backends.cudnn.benchmark = True, False
    assert minigrad.backends.cudnn.deterministic and not minigrad.backends.mps.is_available()
    minigrad.cuda.manual_seed_all(0)
    minigrad.cuda.empty_cache()
    import minigrad.backends.cudnn as cudnn

    assert cudnn is minigrad.backends.cudnn and not cudnn.is_available()
    if not minigrad.cuda.is_available():
        for ask in (minigrad.cuda.current_device, minigrad.cuda.get_device_name, minigrad.cuda.synchronize):
            with pytest.raises(AssertionError, match="Torch not compiled with CUDA enabled"):
                ask()
