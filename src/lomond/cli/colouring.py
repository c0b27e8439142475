"""What a terminal is shown of messages: in colours, and nothing of it that it would obey."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from itertools import groupby

from ..response import escaped

#: Kind of a part -> its SGR parameters; a kind that isn't here has the terminal's own colour.
SGR = {
    "key": "36",
    "string": "32",
    "number": "35",
    "word": "33",
    "mark": "1;32",
    "dim": "2",
    "fault": "31",
    "escape": "7",  # what stands for a character that isn't shown as it is
}
LONGEST = 2**18  # characters of JSON that is told apart; the rest would keep people waiting
_DEEPEST = 32  # levels that are indented
_STEP = "  "
_TAB = "    "
_SPACES = "\xa0\u202f\u3000"  # of French, Japanese: a terminal shows them as it does a space

Part = tuple[str, str]  # kind, text

_TOKEN = re.compile(
    r'(?P<string>"(?:[^"\\]|\\.)*")|(?P<number>-?\d[\d.eE+-]*)|(?P<word>true|false|null)'
    r"|(?P<space>\s+)|(?P<sign>.)",
    re.DOTALL,
)
_COLON = re.compile(r"\s*:")


def painted(kind: str, text: str, has_colours: bool) -> str:
    """A text of ours as a part of that kind."""
    sgr = SGR.get(kind)
    return f"\x1b[{sgr}m{text}\x1b[0m" if has_colours and sgr and text else text


def shown(parts: Iterable[Part], has_colours: bool) -> str:
    """The parts as a terminal may have them.

    What would control it, or hide something, is escaped; a line feed starts a line. So no line of
    these has a tab, and none has a sequence of control characters but our colours.
    """
    return "".join(
        painted("escape", escaped(run), has_colours)
        if is_hidden
        else painted(kind, run, has_colours)
        for kind, text in parts
        for is_hidden, run in _runs(text)
    )


def _runs(text: str) -> Iterator[tuple[bool, str]]:
    """The text in runs of what is shown as it is, and of what isn't."""
    for number, line in enumerate(text.replace("\t", _TAB).split("\n")):
        if number:
            yield False, "\n"
        if line.isprintable():
            yield False, line
        else:
            for is_hidden, run in groupby(line, _is_hidden):
                yield is_hidden, "".join(run)


def _is_hidden(character: str) -> bool:
    return not (character.isprintable() or character in _SPACES)


def parts_of(text: str, is_pretty: bool) -> list[Part]:
    """A message's parts: those of JSON, if it is an object or an array; else itself.

    Arguments:
        text: It.
        is_pretty: Whether JSON is to be spread over lines. Numbers and strings stay as they came,
            and so does a key that stands twice.
    """
    if not is_json(text):
        return [("", text)]
    tokens = list(_tokens(text))
    return list(_spread(tokens)) if is_pretty else tokens


def is_json(text: str) -> bool:
    """Whether it is a JSON object or array, of a size that can be told apart."""
    if len(text) > LONGEST or text.lstrip(" \t\r\n")[:1] not in ("{", "["):
        return False
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def _tokens(text: str) -> Iterator[Part]:
    """The tokens of valid JSON; a string that a colon follows is a key."""
    for found in _TOKEN.finditer(text):
        kind = found.lastgroup or ""
        if kind == "string" and _COLON.match(text, found.end()):
            kind = "key"
        yield kind, found[0]


def _spread(tokens: Iterable[Part]) -> Iterator[Part]:
    """The tokens over lines, indented; an empty object or array stays on its line."""
    depth = 0
    before = ""
    for kind, text in tokens:
        if kind == "space":
            continue
        if text in ("}", "]") and kind == "sign":
            depth -= 1
            if before not in ("{", "["):
                yield "space", _line(depth)
        elif before in ("{", "[", ","):
            yield "space", _line(depth)
        yield kind, text
        if kind == "sign" and text in "{[":
            depth += 1
        if kind == "sign" and text == ":":
            yield "space", " "
        before = text if kind == "sign" else ""


def _line(depth: int) -> str:
    return "\n" + _STEP * min(depth, _DEEPEST)


def indented(text: str, by: str) -> str:
    """The text with each line behind its first one indented."""
    return text.replace("\n", "\n" + by)
