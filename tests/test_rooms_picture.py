"""The picture of the rooms is what the contract about imports says."""

from __future__ import annotations

import runpy
from pathlib import Path
from types import SimpleNamespace
from xml.etree import ElementTree

import pytest

ROOT = Path(__file__).parents[1]
draw_rooms = SimpleNamespace(**runpy.run_path(str(ROOT / "tools" / "draw_rooms.py")))
CONTRACT = (ROOT / "pyproject.toml").read_text("utf-8")


def test_the_picture_is_of_this_contract() -> None:
    assert draw_rooms.drawn(CONTRACT) == draw_rooms.PICTURE.read_text("utf-8")


def test_every_module_of_the_contract_has_a_room() -> None:
    contract = draw_rooms.layers(CONTRACT)
    rooms = draw_rooms.modules(contract)
    assert [name for room in rooms for name in room] == [n for layer in contract for n in layer]
    assert [name for room in rooms[2:6] for name in room] == ["io", "system", "session", "protocol"]


def test_rooms_in_another_order_are_an_error() -> None:
    contract = draw_rooms.layers(CONTRACT)
    with pytest.raises(ValueError, match="other rooms"):
        draw_rooms.modules(contract[::-1])


def test_no_line_is_wider_than_the_picture() -> None:
    picture = ElementTree.fromstring(draw_rooms.drawn(CONTRACT))
    texts = [one.text or "" for one in picture.iter("{http://www.w3.org/2000/svg}text")]
    assert texts
    assert max(map(len, texts)) <= 54
