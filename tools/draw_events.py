"""Draw the order of events: an SVG from a text, for docs/begin/events.md.

python tools/draw_events.py          write docs/pictures/events.svg from events.txt beside it
python tools/draw_events.py --check  fail if it is another

It is as wide as a telephone, and has a ground of its own, light or dark as the reader's system is.
Knows nothing of lomond.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple
from xml.sax.saxutils import escape

PICTURES = Path(__file__).parent.parent / "docs" / "pictures"
SOURCE, PICTURE = PICTURES / "events.txt", PICTURES / "events.svg"

_WIDTH = 372  # pixels, of all
_LEFT, _WIDE = 20, 164  # of what comes on the way
_RIGHT, _NARROW = 204, 148  # of what may come instead
_RAIL = 362  # where the way from there to the end goes down
_LINE, _PAD, _SPACE, _TOP = 17, 9, 20, 16  # heights
_LETTER = 8.0  # the widest that a letter of a name is
_NOTE = 25  # letters of a note in a line
#: Class -> its colour on a light ground, and on a dark one.
COLOURS = {
    "ground": ("#fbfbf8", "#15181e"),
    "edge": ("#c9ccd1", "#3b424d"),
    "box": ("#ffffff", "#1f242c"),
    "name": ("#1f56b3", "#82b4ff"),
    "note": ("#4a525c", "#a9b2bd"),
    "way": ("#5b636d", "#9aa3ae"),
}


class Event(NamedTuple):
    """A box: names of events, and a note.

    Arguments:
        names: Each with whether it comes only where it was asked for.
        note: What it is.
        is_aside: Whether it stands beside the way, and may come instead of what follows.
        goes_on: Whether the way goes on from there to the end.
    """

    names: tuple[tuple[str, bool], ...]
    note: str
    is_aside: bool
    goes_on: bool


class Box(NamedTuple):
    """Where an event is drawn."""

    event: Event
    lines: tuple[tuple[tuple[str, bool], ...], ...]
    notes: tuple[str, ...]
    x: int
    y: int
    width: int
    height: int

    @property
    def middle(self) -> int:
        return self.y + self.height // 2


def read(text: str) -> list[Event]:
    """The events of a source, in its order."""
    found: list[Event] = []
    for line in text.splitlines():
        if line.strip() and not line.startswith("#"):
            before, _, note = line.partition(":")
            names = tuple((one.rstrip("?"), one.endswith("?")) for one in before.split())
            goes_on = note.endswith("...")
            note = note.removesuffix("...").strip()
            found.append(Event(names, note, line[0] == " ", goes_on))
    return found


def placed(events: Iterable[Event]) -> list[Box]:
    """The boxes, from the top; one on the way is at least as high as those beside it."""
    boxes: list[Box] = []
    y = at = _TOP  # where the next one on the way begins, and the next one aside
    owner = 0
    for event in events:
        x, width = (_RIGHT, _NARROW) if event.is_aside else (_LEFT, _WIDE)
        known = dict(event.names)
        lines = _wrapped(list(known), int((width - 16) / _LETTER))
        rows = tuple(tuple((name, known[name]) for name in line.split()) for line in lines)
        notes = tuple(_wrapped(event.note.split(), _NOTE))
        high = _LINE * (len(rows) + len(notes)) + 2 * _PAD - 4
        if event.is_aside:
            boxes.append(Box(event, rows, notes, x, at, width, high))
            least = at + high - boxes[owner].y
            boxes[owner] = boxes[owner]._replace(height=max(boxes[owner].height, least))
            at += high + _SPACE // 2
        else:
            at, owner = y, len(boxes)
            boxes.append(Box(event, rows, notes, x, y, width, high))
        y = boxes[owner].y + boxes[owner].height + _SPACE
    return boxes


def _wrapped(words: list[str], most: int) -> list[str]:
    lines: list[str] = []
    for word in words:
        if lines and len(lines[-1]) + 1 + len(word) <= most:
            lines[-1] += f" {word}"
        else:
            lines.append(word)
    return lines


def drawn(text: str) -> str:
    """The SVG of a source."""
    boxes = placed(read(text))
    high = max(one.y + one.height for one in boxes) + _TOP
    parts = [*_ways(boxes), *(part for one in boxes for part in _box(one))]
    said = "; ".join(f"{' '.join(n for n, _ in one.names)}: {one.note}" for one in read(text))
    light = "".join(f".{name}{{{_style(name, one)}}}" for name, (one, _) in COLOURS.items())
    dark = "".join(f".{name}{{{_style(name, one)}}}" for name, (_, one) in COLOURS.items())
    return "\n".join(
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}" height="{high}" '
            f'viewBox="0 0 {_WIDTH} {high}" role="img">',
            "<title>The order of events</title>",
            f"<desc>{escape(said)}</desc>",
            "<style>",
            "text{font:13px ui-monospace,Menlo,Consolas,monospace}",
            "text.note{font:12px system-ui,sans-serif}.ask{font-style:italic}",
            "rect{stroke-width:1}path{fill:none;stroke-width:1.5}",
            light,
            f"@media (prefers-color-scheme:dark){{{dark}}}",
            "</style>",
            '<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" '
            'markerHeight="8" markerUnits="userSpaceOnUse" orient="auto">'
            '<path class="way" d="M1 1L7 4L1 7"/></marker></defs>',
            f'<rect class="ground" x="0.5" y="0.5" width="{_WIDTH - 1}" height="{high - 1}" '
            'rx="8"/>',
            *parts,
            "</svg>\n",
        )
    )


def _style(name: str, colour: str) -> str:
    if name == "ground":
        return f"fill:{colour}"
    return f"stroke:{colour}" if name in ("edge", "way") else f"fill:{colour}"


def _box(box: Box) -> Iterator[str]:
    yield (
        f'<rect class="box edge" x="{box.x}" y="{box.y}" width="{box.width}" '
        f'height="{box.height}" rx="5"/>'
    )
    y = box.y + _PAD + 9
    for line in box.lines:
        spans = " ".join(
            f'<tspan class="ask">{name}</tspan>' if is_asked else name for name, is_asked in line
        )
        yield f'<text class="name" x="{box.x + 8}" y="{y}">{spans}</text>'
        y += _LINE
    for note in box.notes:
        yield f'<text class="note" x="{box.x + 8}" y="{y}">{escape(note)}</text>'
        y += _LINE


def _ways(boxes: list[Box]) -> Iterator[str]:
    """What leads from one to the next, aside, to the end, and from the end to the beginning."""
    way = [one for one in boxes if not one.event.is_aside]
    for one, following in pairwise(way):
        x = _LEFT + 30
        yield _arrow(f"M{x} {one.y + one.height}V{following.y - 1}")
    end = next(one for one in way if one.event.names[0][0] == "disconnected")
    for one in boxes:
        if one.event.is_aside:
            yield _arrow(f"M{_LEFT + _WIDE} {one.middle}H{_RIGHT - 1}")
        if one.event.goes_on:
            yield f'<path class="way" d="M{_RIGHT + _NARROW} {one.middle}H{_RAIL}V{end.middle}"/>'
    yield _arrow(f"M{_RAIL} {end.middle}H{_LEFT + _WIDE + 1}")
    first, last = way[0], way[-1]
    yield _arrow(f"M{_LEFT} {last.middle}H8V{first.middle}H{_LEFT - 1}")


def _arrow(path: str) -> str:
    return f'<path class="way" d="{path}" marker-end="url(#tip)"/>'


def main() -> int:
    """Do what the command line says; the exit status."""
    text = drawn(SOURCE.read_text("utf-8"))
    if sys.argv[1:] != ["--check"]:
        PICTURE.write_text(text, "utf-8")
    elif PICTURE.read_text("utf-8") != text:
        print(f"{PICTURE.name} is not what its source says; run: python tools/draw_events.py")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
