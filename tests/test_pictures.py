"""The picture of the events is what its source says, and has all of them."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

from lomond import events

ROOT = Path(__file__).parent.parent
PICTURES = ROOT / "docs" / "pictures"


def test_the_picture_of_the_events_is_what_its_source_says() -> None:
    command = [sys.executable, str(ROOT / "tools" / "draw_events.py"), "--check"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


def test_the_picture_has_every_event_and_fits_a_telephone() -> None:
    picture = ElementTree.parse(PICTURES / "events.svg").getroot()
    names = " ".join(
        "".join(one.itertext()) for one in picture.iter() if one.get("class") == "name"
    )
    made = {getattr(getattr(events, one), "name", None) for one in events.__all__}
    assert sorted(names.split()) == sorted(
        name for name in made - {"unknown"} if isinstance(name, str)
    )
    assert int(picture.attrib["width"]) <= 380


def test_the_pictures_letters_stand_out_from_their_ground() -> None:
    style = (PICTURES / "events.svg").read_text("utf-8")
    for name in ("name", "note"):
        for ground, letters in zip(_colours(style, "box"), _colours(style, name), strict=True):
            assert _contrast(letters, ground) >= 4.5  # WCAG 2.2, 1.4.3


def _colours(style: str, name: str) -> list[str]:
    """The one on a light ground, and the one on a dark one."""
    return re.findall(rf"\.{name}{{fill:#(\w+)}}", style)


def _contrast(one: str, other: str) -> float:
    light, dark = sorted(map(_luminance, (one, other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (0, 2, 4)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
