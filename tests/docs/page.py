"""A page of the documentation as the steps that a reader would take: `steps_of`.

Sybil finds the fenced blocks and the comments; what each of them is for, CONTRIBUTING.md says.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from sybil import Document, Region
from sybil.parsers.markdown.lexers import DirectiveInHTMLCommentLexer, FencedCodeBlockLexer

#: The languages of blocks that are run, are read, and are neither code nor what it prints.
RUN, DATA, PLAIN = {"python", "pycon", "console"}, {"json", "toml"}, {"text"}
_NAMED = re.compile(r"# ([\w./-]+\.\w+)\n")


@dataclass(frozen=True)
class Step:
    """A block of a page.

    Arguments:
        line: Of the page, where it begins.
        kind: The language; "before" of a hidden block, "file" of one that is kept under its name.
        source: What stands in it.
        output: What it prints, as the block behind it says; None without one.
        file: The name, of a file.
        is_kept: Whether it goes on to the page's end, as what runs in another terminal.
        why_not: Why it isn't run; "" where it is.
    """

    line: int
    kind: str
    source: str
    output: str | None = None
    file: str = ""
    is_kept: bool = False
    why_not: str = ""


def steps_of(path: Path) -> list[Step]:
    """The steps of a page, in its order.

    Raises:
        ValueError: It has a block or comment that nobody knows, or one that stands alone.
    """
    fences = FencedCodeBlockLexer(r"[^\n]*")
    comments = DirectiveInHTMLCommentLexer("before|in another terminal|not run")
    found = Document.parse(
        str(path), partial(_regions, fences), partial(_regions, comments)
    )  # which raises ValueError where two overlap
    steps: list[Step] = []
    said: dict[str, str] = {}  # by the comments before a block
    for example in found:
        word, source = example.parsed
        kind = word.strip()
        if kind == "output":
            _add_output(steps, source, f"{path.name}:{example.line}")
        elif kind == "before":
            steps.append(Step(example.line, kind, source))
        elif kind.partition(":")[0] in ("not run", "in another terminal"):
            name, _, reason = kind.partition(":")
            said[name] = reason.strip()
        else:
            steps.append(_step(example.line, kind, source, said, path))
            said = {}
    if said:
        raise ValueError(f"{path.name}: a comment at the end says how nothing is run")
    return steps


def _regions(lexer: Callable[[Document], Iterable[Region]], document: Document) -> Iterator[Region]:
    """Sybil's regions, each with what it says as (language or comment, source)."""
    for region in lexer(document):
        lexemes = region.lexemes
        word = lexemes.get("language", "") or lexemes.get("directive", "")
        if lexemes.get("arguments"):
            word += f": {lexemes['arguments']}"
        region.parsed = (word, str(lexemes["source"]))
        region.evaluator = _none
        yield region


def _none(example: object) -> None:
    """What Sybil would have do the work, which a page's steps are for."""


def _step(line: int, kind: str, source: str, said: dict[str, str], path: Path) -> Step:
    where = f"{path.name}:{line}"
    is_directive = kind.startswith("{")
    if kind not in RUN | DATA | PLAIN and not is_directive and "not run" not in said:
        raise ValueError(f"{where}: nobody knows how to run a block of {kind or 'no language'}")
    if "not run" in said and not said["not run"]:
        raise ValueError(f"{where}: say why it isn't run: <!-- not run: reason -->")
    named = _NAMED.match(source)
    if named and kind != "console":
        return Step(line, "file", source, file=named[1], why_not=said.get("not run", ""))
    return Step(
        line,
        kind,
        source,
        is_kept="in another terminal" in said,
        why_not=said.get("not run", ""),
    )


def _add_output(steps: list[Step], output: str, where: str) -> None:
    if not steps or steps[-1].kind not in ("python", "file") or steps[-1].output is not None:
        raise ValueError(f"{where}: an output stands behind no block that prints it")
    last = steps.pop()
    steps.append(Step(**{**vars(last), "output": output}))
