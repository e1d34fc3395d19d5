"""Every error has one stable code, and no code means two things."""

import ast
import re
from collections import defaultdict

from tests.style.source import product_files, tree

CODE = re.compile(r"[45]\d\d\.\d{1,3}")


def codes_of_classes() -> dict[str, list[str]]:
    """Code → "path::Class" of every class that sets a class attribute `code`."""
    found = defaultdict(list)
    for path in product_files():
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.ClassDef):
                for code in _codes(node):
                    found[code].append(f"{path}::{node.name}")
    return found


def _codes(node: ast.ClassDef) -> list[str]:
    codes = []
    for statement in node.body:
        match statement:
            case ast.Assign(targets=[ast.Name(id="code")], value=ast.Constant(value=str(code))):
                codes.append(code)
            case ast.AnnAssign(target=ast.Name(id="code"), value=ast.Constant(value=str(code))):
                codes.append(code)
            case _:
                pass
    # A column or a field of that name with a default is no error code.
    return [code for code in codes if CODE.fullmatch(code)]


def test_error_codes_are_unique() -> None:
    doubled = {code: places for code, places in codes_of_classes().items() if len(places) > 1}

    assert doubled == {}


def test_error_codes_are_found_at_all() -> None:
    assert len(codes_of_classes()) > 3
