"""Draw the rooms of the package, by the contract in pyproject.toml about who may import whom.

python tools/draw_rooms.py    writes docs/pictures/rooms.svg
"""

from __future__ import annotations

import re
import textwrap
import tomllib
from html import escape
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parent.parent
PICTURE = ROOT / "docs" / "pictures" / "rooms.svg"
WIDTH = 380  # pixels; a telephone's
_MARGIN, _PADDING, _GAP = 10, 12, 18
_LINE = 17  # pixels
_MOST = 54  # characters of a line
_STYLE = (
    "text {font: 12px system-ui, sans-serif; fill: #22262b} .b {font-size: 14px; font-weight: 600} "
    ".dim {fill: #59616b} .ground {fill: #fbfbf8; stroke: #c9ccd1} "
    ".room {fill: #eef0f3; stroke: #8c959f} "
    ".outside {fill: #fdf1dc; stroke: #b07d1a} .inside {fill: #e3f1e6; stroke: #2f7d43} "
    ".arrow {stroke: #59616b; fill: none} "
    "@media (prefers-color-scheme: dark) {text {fill: #e4e7eb} .dim {fill: #a3acb7} "
    ".ground {fill: #15181e; stroke: #3b424d} .room {fill: #22272f; stroke: #6e7681} "
    ".outside {fill: #37290f; stroke: #d6a344} .inside {fill: #15301c; stroke: #58b071} "
    ".arrow {stroke: #a3acb7}}"
)


class Room(NamedTuple):
    """A box of the picture.

    Arguments:
        first: The module of the contract with which it begins, from the top.
        title: What stands in it first.
        words: What it is for.
        kind: Its colour: "outside" of what touches the network, "inside" of what never does.
        is_listed: Whether the modules are named.
    """

    first: str
    title: str
    words: str
    kind: str = "room"
    is_listed: bool = False


ROOMS = (
    Room("cli", "the command, the testing kit", "programs on top of the library", is_listed=True),
    Room("aio", "what you import", "the classes, and what they share", is_listed=True),
    Room("io", "io", "who waits: a thread, a group, asyncio, trio", "outside"),
    Room("system", "system", "bytes, without waiting: sockets, TLS, names, the clock", "outside"),
    Room("session", "session", "what happens over time: opening, pings, closing", "inside"),
    Room("protocol", "protocol", "the RFCs: bytes in, events and bytes out", "inside"),
    Room("proxies", "values", "what all of them speak of", is_listed=True),
)
_BELOW = "Only io and system touch the network and the clock."


def layers(text: str) -> list[list[str]]:
    """The modules of each layer of the contract, the uppermost first."""
    contracts = tomllib.loads(text)["tool"]["importlinter"]["contracts"]
    found = next(one["layers"] for one in contracts if one["type"] == "layers")
    return [re.findall(r"lomond\.(\w+)", layer) for layer in found]


def modules(contract: list[list[str]]) -> list[list[str]]:
    """The modules of each of `ROOMS`.

    Raises:
        ValueError: The contract has not the modules with which the rooms begin, in their order.
    """
    names = [name for layer in contract for name in layer]
    starts = [names.index(room.first) for room in ROOMS]
    if starts[0] != 0 or starts != sorted(starts):
        raise ValueError("the contract has other rooms than the picture: see ROOMS")
    ends = [*starts[1:], len(names)]
    return [names[start:end] for start, end in zip(starts, ends, strict=True)]


def drawn(text: str) -> str:
    """The picture, of the text of pyproject.toml."""
    parts: list[str] = []
    top = _MARGIN + 4
    inner = WIDTH - 2 * _MARGIN
    for number, (room, names) in enumerate(zip(ROOMS, modules(layers(text)), strict=True)):
        if number:
            parts.append(_arrow(top))
            top += _GAP
        lines = textwrap.wrap(room.words, _MOST)
        listed = textwrap.wrap(", ".join(names), _MOST) if room.is_listed else []
        height = 2 * _PADDING + _LINE * (1 + len(lines) + len(listed)) - 6
        parts.append(
            f'<rect x="{_MARGIN}" y="{top}" width="{inner}" height="{height}" rx="6" '
            f'class="{room.kind}"/>'
        )
        said = [("b", room.title), *(("", one) for one in lines), *(("dim", one) for one in listed)]
        for row, (kind, words) in enumerate(said):
            y = top + _PADDING + 10 + _LINE * row
            parts.append(
                f'<text x="{_MARGIN + _PADDING}" y="{y}" class="{kind}">{escape(words)}</text>'
            )
        top += height
    parts.append(f'<text x="{_MARGIN}" y="{top + 22}" class="dim">{_BELOW}</text>')
    height = top + 34
    title = "The parts of lomond, one above the other; each imports only what is below it"
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" '
        f'height="{height}" role="img" aria-label="{title}">'
    )
    ground = (
        f'<rect x="0.5" y="0.5" width="{WIDTH - 1}" height="{height - 1}" rx="8" class="ground"/>'
    )
    title_line = f"<title>{title}</title>"
    return "\n".join([head, title_line, f"<style>{_STYLE}</style>", ground, *parts, "</svg>", ""])


def _arrow(top: int) -> str:
    """One that points down, across the gap."""
    x, end = WIDTH // 2, top + _GAP - 3
    head = f"M{x - 4} {end - 5}L{x} {end}L{x + 4} {end - 5}"
    return f'<path class="arrow" d="M{x} {top + 3}V{end}{head}"/>'


def main() -> None:
    """Write the picture."""
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    PICTURE.write_text(drawn(text), encoding="utf-8")


if __name__ == "__main__":
    main()
