"""README's picture: made from the capture that test_terminal.py compares a session with."""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import product
from xml.etree import ElementTree

import pytest

from cli.screen import PICTURE, SCREENS

picture: Callable[[str, str], str] = PICTURE["picture"]
#: https://www.w3.org/TR/WCAG22/#contrast-minimum
LEAST_CONTRAST = 4.5


def test_it_is_made_from_the_capture() -> None:
    assert PICTURE["PICTURE"].read_text(encoding="utf-8") == PICTURE["of_readme"]()


def test_it_shows_all_that_was_captured() -> None:
    capture = (SCREENS / "picture.txt").read_text(encoding="utf-8")
    root = ElementTree.fromstring(PICTURE["of_readme"]())
    drawn = "".join("".join(root.itertext()).split())
    for line in re.sub(r"\x1b\[[\d;]*m", "", capture).splitlines():
        for word in re.split(r"PORT|TIME|\s", line):
            assert word in drawn
    assert not {"PORT", "TIME"} & set(re.findall("[A-Z]+", drawn))


def test_styles() -> None:
    capture = "a \x1b[1;32mb\x1b[0;2m<c>\x1b[22m\x1b[7m d \x1b[27m  \n\x1b[39m\n\n"
    rows = PICTURE["rows_of"](capture)
    assert PICTURE["written"](rows) == "a \x1b[1;32mb\x1b[0m\x1b[2m<c>\x1b[0m\x1b[7m d \x1b[0m\n"
    root = ElementTree.fromstring(picture(capture, 'a "title" & more'))
    found = [(one.get("class"), one.text) for one in root.iter() if one.tag.endswith("}text")]
    assert found == [(None, "a"), ("b c32", "b"), ("dim", "<c>"), ("on", "d")]


def test_what_it_can_not_draw_is_told() -> None:
    with pytest.raises(ValueError, match="38"):
        picture("\x1b[38;5;1mx", "")


def luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return sum(weight * c for weight, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


@pytest.mark.parametrize(("name", "ground"), list(product(PICTURE["COLOURS"], (0, 1))))
def test_it_can_be_read_on_light_and_dark(name: str, ground: int) -> None:
    if name in ("ground", "edge"):
        return
    colours = PICTURE["COLOURS"]
    dark, light = sorted(luminance(colours[one][ground]) for one in (name, "ground"))
    assert (light + 0.05) / (dark + 0.05) >= LEAST_CONTRAST
