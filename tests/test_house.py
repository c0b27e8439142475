"""What every class and every docstring of the package keeps to.

A class that does one thing has few methods; a docstring's first line names its subject and result.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import lomond

SOURCES = Path(lomond.__file__).parent
MOST_METHODS = 25  # of a class: properties and private ones too
#: What only trio's door has, and the lines of code in it; 150 is wanted.
TRIOS, MOST_OF_TRIOS = ("trio.py", "io/trio_loop.py"), 150
#: How a docstring's first line begins that has no subject, or sends the reader elsewhere.
NO_SUBJECT = re.compile(
    r"(As|Like|See|Same|The same|Also|It|They|Those|These|(This|That) (is|was|has)|Neither|Else|"
    r"And|But|So|If|After|Before|Between|Of|For|In|By|With|From|To|At|On)\b"
)


def methods(source: str) -> dict[str, int]:
    """The classes, and how many methods each has."""
    return {
        node.name: sum(
            isinstance(part, ast.FunctionDef | ast.AsyncFunctionDef) for part in node.body
        )
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.ClassDef)
    }


def lines_of_code(source: str) -> int:
    """Those that are not blank, docstrings aside."""
    tree = ast.parse(source)
    aside = {number for number, line in enumerate(source.splitlines(), 1) if not line.strip()}
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            first = node.body[0] if node.body else None
            if first is not None and ast.get_docstring(node, clean=False) is not None:
                aside.update(range(first.lineno, (first.end_lineno or first.lineno) + 1))
    return len(source.splitlines()) - len(aside)


def first_lines(source: str) -> Iterator[str]:
    """Those of all docstrings."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            docstring = ast.get_docstring(node)
            if docstring is not None:
                yield docstring.partition("\n")[0]


def first_lines_of_cythons(source: str) -> Iterator[str]:
    """Those of a .pyx: what follows a line that ends with a colon, or begins the module."""
    before = ":"
    for line in source.splitlines():
        is_first = before.endswith(":") and not before.startswith("cdef extern")
        if is_first and line.lstrip().startswith('"""'):
            yield line.strip().strip('"')
        if line.strip() and not line.startswith("#"):
            before = line


def named(paths: Iterator[Path]) -> Iterator[tuple[str, str]]:
    for path in sorted(paths):
        yield path.relative_to(SOURCES).as_posix(), path.read_text(encoding="utf-8")


def test_what_is_counted() -> None:
    source = (
        "class A:\n def one(self): pass\n @property\n def two(self): pass\n"
        " async def _three(self):\n  def inner(): pass\n class B: pass\n"
    )
    assert methods(source) == {"A": 3, "B": 0}


def test_no_class_has_many_methods() -> None:
    found = {
        f"{name} {kind}"
        for name, source in named(SOURCES.rglob("*.py"))
        for kind, count in methods(source).items()
        if count > MOST_METHODS
    }
    assert found == set()


def test_which_lines_are_of_code() -> None:
    source = (
        '"""One.\n\nMore."""\n\n\nx = """A\n\nB"""\n\n\n'
        'def f():\n    """Two."""\n    # y\n    return x\n'
    )
    assert lines_of_code(source) == 5


def test_trios_door_is_short() -> None:
    count = sum(lines_of_code((SOURCES / name).read_text(encoding="utf-8")) for name in TRIOS)
    assert count <= MOST_OF_TRIOS


@pytest.mark.parametrize(
    ("line", "is_one"),
    [
        ("As `read`, of all that is here.", False),
        ("The same with another default.", False),
        ("It begins to wait.", False),
        ("This is what it goes on with.", False),
        ("Those of `add_header`.", False),
        ("From 1 to 65535.", False),
        ("In words, why it failed.", False),
        ("This thread was interrupted: nobody waits for it.", True),
        ("One connection.", True),
        ("Asked of the next connection only.", True),
        ("Whether it is over.", True),
        ("Where the next bytes may be put.", True),
        ("Queue a message.", True),
    ],
)
def test_what_a_subject_is(line: str, is_one: bool) -> None:
    assert (NO_SUBJECT.match(line) is None) is is_one


def test_which_lines_are_looked_at() -> None:
    source = (
        '"""One.\n\nMore."""\nclass A:\n    """Two."""\n'
        '    def f(self):\n        """Three.\n        """\n'
    )
    assert list(first_lines(source)) == ["One.", "Two.", "Three."]
    assert list(first_lines_of_cythons("# cython: x\n" + source)) == ["One.", "Two.", "Three."]


def test_docstrings_have_a_subject() -> None:
    lines = [
        f"{name}: {line}"
        for ending, read in (("py", first_lines), ("pyx", first_lines_of_cythons))
        for name, source in named(SOURCES.rglob(f"*.{ending}"))
        for line in read(source)
        if not line or NO_SUBJECT.match(line)
    ]
    assert lines == []
