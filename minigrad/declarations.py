"""An op's declaration read back from its file: the formulas as their author wrote them.

Owns the reading, for pages and messages; nothing is computed from it. Knows what the decorator `primitive` looks like.
"""

import ast
import copy
import functools
import linecache
from typing import Any


@functools.cache
def _tree(path: str) -> ast.Module:
    return ast.parse("".join(linecache.getlines(path)))


def declared(op: Any) -> dict[str, ast.expr]:
    """Input -> what declares its formula, as a syntax tree; nothing for an op that is not declared by the decorator, or
    whose source is not at hand."""
    found: dict[str, ast.expr] = {}
    for node in ast.walk(_tree(op.forward.__code__.co_filename)):
        if isinstance(node, ast.FunctionDef) and node.name == op.forward.__name__:
            for decorator in node.decorator_list:
                if isinstance(decorator, ast.Call) and getattr(decorator.func, "id", "") == "primitive":
                    found = {k.arg: k.value for k in decorator.keywords if k.arg in op.formulas}
    return found


def definition(formula: Any) -> ast.FunctionDef | ast.Lambda | None:
    """The syntax tree of a formula that is declared elsewhere: a lambda, or a function without docstring and
    annotations."""
    for node in ast.walk(_tree(formula.__code__.co_filename)):
        if isinstance(node, ast.Lambda) and node.lineno == formula.__code__.co_firstlineno:
            if [a.arg for a in node.args.args] == list(formula.__code__.co_varnames[: len(node.args.args)]):
                return node
        if isinstance(node, ast.FunctionDef) and node.name == formula.__name__:
            node = copy.deepcopy(node)
            node.body, node.returns = node.body[ast.get_docstring(node) is not None :], None
            for argument in ast.walk(node.args):
                if isinstance(argument, ast.arg):
                    argument.annotation = None
            return node
    return None


@functools.cache
def formula_text(op: Any, name: str) -> str:
    """The formula of one input: of a lambda what it returns, as 'g * b'; of a function its lines.

    >>> from minigrad.ops.elementwise import mul
    >>> formula_text(mul.primitive, "a")
    'g * b'
    """
    formula = op.formulas[name]
    node: ast.expr | ast.FunctionDef | None = declared(op).get(name)
    if node is None or isinstance(node, ast.Name):
        node = definition(formula)
    if isinstance(node, ast.Lambda):
        return ast.unparse(node.body)
    if isinstance(node, ast.FunctionDef):
        alone = node.body[0] if len(node.body) == 1 else None
        if isinstance(alone, ast.Return) and alone.value is not None:
            return ast.unparse(alone.value)
        return "\n".join(map(ast.unparse, node.body))
    return ast.unparse(node) if node is not None else f"{formula.__name__}({', '.join(op.needs[name])})"
