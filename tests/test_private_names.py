"""Tests see the library as others do: what is private stays so, unless a reason stands beside it.

ruff's SLF001 tells of attributes. Here is what it can't see: names in strings, and missing reasons.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
SETTERS = {"setattr", "getattr", "delattr", "hasattr"}  # of Python, and of pytest's monkeypatch
PRIVATE = re.compile(r"_[a-zA-Z]\w*")
# In a program's text, or a path to a name. What is one's own is no secret, and os._exit is public.
IN_TEXT = re.compile(r"(?<!\bself)(?<!\bcls)(?<!\bos)(?<=[\w\])])\._[a-z]\w*")
WITHOUT_REASON = re.compile(r"noqa: SLF001(?!  # \w)")


def private_strings(source: str) -> Iterator[int]:
    """The lines where a string names what is private, and no comment says why."""
    lines = source.splitlines()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            is_private = IN_TEXT.search(node.value) is not None
        elif isinstance(node, ast.Call):
            called = getattr(node.func, "attr", getattr(node.func, "id", ""))
            given = [arg.value for arg in node.args[1:2] if isinstance(arg, ast.Constant)]
            is_private = called in SETTERS and any(PRIVATE.fullmatch(str(name)) for name in given)
        elif isinstance(node, ast.ImportFrom):
            names = [alias.name for alias in node.names]
            is_private = any(PRIVATE.fullmatch(name) for name in names)
        else:
            continue
        if is_private and not re.search(r"  # \w", lines[node.lineno - 1]):
            yield node.lineno


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("setattr(thing, '_name', 1)", [1]),
        ("patch.setattr(thing, '_name', 1)  # a reason", []),
        ("patch.setattr('lomond.system.lock._name', 1)", [1]),
        ("from lomond.system.lock import Lock, _name", [1]),
        ("from os import path", []),
        ("PROGRAM = '''\nwebsocket._exchange\n'''", [1]),
        ("PROGRAM = 'self._own; os._exit(0); _name'", []),
        ("setattr(thing, 'name', '_value')\ngetattr(thing, '__slots__')", []),
    ],
)
def test_what_is_found(source: str, found: list[int]) -> None:
    assert list(private_strings(source)) == found


def test_no_string_of_a_test_names_what_is_private() -> None:
    found = [
        f"{path.relative_to(TESTS)}:{line}"
        for path in sorted(TESTS.rglob("*.py"))
        if path != Path(__file__)
        for line in private_strings(path.read_text())
    ]
    assert found == []


def test_a_reason_stands_beside_what_is_private() -> None:
    found = [
        f"{path.relative_to(TESTS)}:{number}"
        for path in sorted(TESTS.rglob("*.py"))
        if path != Path(__file__)
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if WITHOUT_REASON.search(line)
    ]
    assert found == []
