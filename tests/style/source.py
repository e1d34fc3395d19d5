"""The source as the style tests see it: files, their trees, their lines."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]
PACKAGES: Final = ("bianmin", "kiosk", "server", "sync", "voice_prompts")


@cache
def product_files() -> tuple[Path, ...]:
    """Every Python file of the product, in order, relative to the root."""
    return tuple(
        sorted(
            path.relative_to(ROOT)
            for package in PACKAGES
            for path in (ROOT / package).rglob("*.py")
            if "__pycache__" not in path.parts
        )
    )


@cache
def tree(path: Path) -> ast.Module:
    """The syntax tree of a file given relative to the root."""
    return ast.parse((ROOT / path).read_text("utf-8"), str(path))


def line_count(path: Path) -> int:
    """How many lines a file has."""
    return len((ROOT / path).read_text("utf-8").splitlines())


def functions(path: Path) -> Iterator[tuple[str, int]]:
    """Every function of a file: its qualified name, and its lines without its docstring."""
    yield from _functions(tree(path), "")


def _functions(node: ast.AST, prefix: str) -> Iterator[tuple[str, int]]:
    for child in ast.iter_child_nodes(node):
        match child:
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                yield prefix + child.name, _length(child)
                yield from _functions(child, f"{prefix}{child.name}.")
            case ast.ClassDef():
                yield from _functions(child, f"{prefix}{child.name}.")
            case _:
                yield from _functions(child, prefix)


def _length(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    lines = (function.end_lineno or function.lineno) - function.lineno + 1
    first = function.body[0]
    if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant):
        # A docstring explains; it is not what has to fit a screen.
        lines -= (first.end_lineno or first.lineno) - first.lineno + 1
    return lines


def imported_names(path: Path) -> dict[str, str]:
    """Local name → dotted origin, of every import in a file (also within functions)."""
    names = {}
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            for alias in node.names:
                top = alias.name.partition(".")[0]
                names[alias.asname or top] = alias.name if alias.asname else top
        elif isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                names[alias.asname or alias.name] = f"{node.module}.{alias.name}"
    return names


def calls(path: Path) -> Iterator[tuple[int, str]]:
    """Every call whose callee is a dotted name: line and name, local names resolved."""
    origins = imported_names(path)
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Call) and (name := _dotted(node.func)):
            head, dot, rest = name.partition(".")
            yield node.lineno, origins.get(head, head) + dot + rest


def swallowing_handlers(path: Path) -> Iterator[int]:
    """Lines of handlers that catch everything and do not end by raising again."""
    for node in ast.walk(tree(path)):
        if not isinstance(node, ast.ExceptHandler) or isinstance(node.body[-1], ast.Raise):
            continue
        caught = _dotted(node.type) if node.type is not None else "BaseException"
        if caught in {"Exception", "BaseException"}:
            yield node.lineno


def _dotted(node: ast.expr) -> str:
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute) and (head := _dotted(node.value)):
        return f"{head}.{node.attr}"
    return ""
