"""What a terminal is shown of a message."""

from __future__ import annotations

import json
import re
import sys

import pytest
from hypothesis import given, strategies

from cli.talks import ESCAPES
from lomond.cli import colouring

JSON = strategies.recursive(
    strategies.none() | strategies.booleans() | strategies.integers() | strategies.text(),
    lambda inner: strategies.lists(inner) | strategies.dictionaries(strategies.text(), inner),
)


#: Spaces of some languages, which stay.
SPACES = "\xa0\u202f\u3000"


def is_safe(text: str) -> bool:
    return "".join(c for c in text if c not in SPACES + "\n").isprintable()


def shown(text: str, *, has_colours: bool = False, is_pretty: bool = False) -> str:
    return colouring.shown(colouring.parts_of(text, is_pretty), has_colours)


@pytest.mark.parametrize("text", ESCAPES.values(), ids=ESCAPES)
def test_escapes(text: str) -> None:
    assert shown(text).isprintable()
    assert shown(text) != text
    of_json = json.dumps([text], ensure_ascii=False)
    assert shown(of_json).replace("\n", "").isprintable()


@given(strategies.text(strategies.characters()))
def test_whatever_comes_is_printable(text: str) -> None:
    assert is_safe(shown(text))
    in_colours = shown(text, has_colours=True)
    assert is_safe(re.sub(r"\x1b\[[\d;]+m", "", in_colours))


def test_every_character_that_is_not_shown() -> None:
    hidden = [chr(n) for n in range(sys.maxunicode + 1) if not chr(n).isprintable()]
    for one in hidden:
        if one not in SPACES + "\n\t":
            assert one not in shown(one), hex(ord(one))


def test_spaces_of_some_languages_stay() -> None:
    assert shown(f"a{SPACES}b\u2003c") == f"a{SPACES}b\\u2003c"


def test_lone_surrogates() -> None:
    assert shown("a\ud800b\udc9b") == "a\\ud800b\\udc9b"


def test_ends_of_lines_stay_and_tabs_are_spaces() -> None:
    assert shown("a\n\tb\r\nc") == "a\n    b\\r\nc"


def test_an_escape_looks_other_than_what_is_written_so() -> None:
    assert shown("\x1b \\x1b", has_colours=True) == "\x1b[7m\\x1b\x1b[0m \\x1b"


def test_kinds() -> None:
    text = '{"a": ["b", -1.5e3, true, null, {}]}'
    assert [
        part for part in colouring.parts_of(text, False) if part[0] not in ("sign", "space")
    ] == [
        ("key", '"a"'),
        ("string", '"b"'),
        ("number", "-1.5e3"),
        ("word", "true"),
        ("word", "null"),
    ]


@pytest.mark.parametrize(
    "text",
    ["", "5", '"text"', "{", "[1,]", "{'a': 1}", "[" * 100_000, f"[{'1,' * 2**18}1]", "see {x}"],
    ids=lambda text: text[:8],
)
def test_what_is_no_object_or_array_stays_as_it_is(text: str) -> None:
    assert colouring.parts_of(text, True) == [("", text)]


@given(JSON, strategies.sampled_from([None, 2]), strategies.booleans())
def test_json_stays_what_it_is(value: object, indent: int | None, is_pretty: bool) -> None:
    text = json.dumps([value], indent=indent)
    parts = colouring.parts_of(text, is_pretty)
    joined = "".join(part for _, part in parts)
    assert json.loads(joined) == [value]
    if is_pretty:
        assert joined == json.dumps([value], indent=2)
    else:
        assert joined == text


def test_numbers_and_keys_stay_as_they_came() -> None:
    text = '{"a":1.50,"a":100000000000000000000000000000001,"b":1E400}'
    assert re.sub(r"\s", "", shown(text, is_pretty=True)) == text


def test_depth_costs_nothing_more() -> None:
    text = "[" * 500 + "]" * 500
    assert len(shown(text, is_pretty=True)) < 500 * 2 * 80
