"""The programs in examples/, as modules and cells, and how long they are."""

from __future__ import annotations

import ast
import importlib.util
import json
from functools import cache
from pathlib import Path
from typing import Any

from lomond import WebSocket

EXAMPLES = Path(__file__).parents[2] / "examples"


@cache
def example(name: str) -> Any:
    """The module of an example."""
    spec = importlib.util.spec_from_file_location(f"example_{name}", EXAMPLES / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def cells_of(name: str) -> list[dict[str, Any]]:
    """The cells of a notebook, as they are in its file."""
    cells: list[dict[str, Any]] = json.loads((EXAMPLES / f"{name}.ipynb").read_text())["cells"]
    return cells


def code_of(name: str) -> list[str]:
    """What each cell of a notebook that has code says."""
    return ["".join(cell["source"]) for cell in cells_of(name) if cell["cell_type"] == "code"]


def lines_of(source: str) -> int:
    """The lines that are not blank, nor a comment's or a docstring's."""
    aside: set[int] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            first = node.body[0]
            if ast.get_docstring(node, clean=False) is not None:
                aside.update(range(first.lineno, (first.end_lineno or first.lineno) + 1))
    return sum(
        number not in aside and bool(line.strip()) and not line.lstrip().startswith("#")
        for number, line in enumerate(source.splitlines(), 1)
    )


class Hurried(WebSocket):
    """Connects again at once, and says its heartbeat often: no test waits for what a user would."""

    def persist(self, **options: Any) -> Any:
        options |= {"min_wait": 0, "max_wait": 0, "max_attempts": 9}  # a script that fails ends it
        if "ping_message" in options:
            options["ping_rate"] = 0.1
        return super().persist(**options)
