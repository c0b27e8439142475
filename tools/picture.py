"""Draw what a terminal shows: an SVG from a capture of tmux, for README.md.

tmux capture-pane -p -e > CAPTURE
python tools/picture.py                write docs/pictures/terminal.svg from the tests' own capture
python tools/picture.py CAPTURE TITLE  print the SVG of another one

Knows nothing of lomond: tests/cli/screen.py reads captures by it too.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple
from xml.sax.saxutils import escape, quoteattr

ROOT = Path(__file__).parent.parent
CAPTURE = ROOT / "tests" / "cli" / "screens" / "picture.txt"
PICTURE = ROOT / "docs" / "pictures" / "terminal.svg"
TITLE = "lomond in a terminal: messages in colours, a ping, escapes shown as such, a close"
#: What stands in the tests' captures for what no two runs have in common -> in the picture.
EXAMPLES = {"PORT": "8000", "pong after TIME": "pong after 1.3 ms", "TIME": "42 s"}

_SIZE = 14  # pixels, of the letters
_WIDE, _HIGH, _ROUND = 8.4, 20, 16  # of a character, a row, and the space around
#: Class -> its colour on a light ground, and on a dark one.
COLOURS = {
    "ground": ("#fbfbf8", "#15181e"),
    "edge": ("#c9ccd1", "#3b424d"),
    "plain": ("#22262b", "#e4e7eb"),
    "dim": ("#5b636d", "#9aa3ae"),
    "31": ("#b3261e", "#ff8a80"),
    "32": ("#1d6b2e", "#6fd37f"),
    "33": ("#7a5200", "#e2b857"),
    "34": ("#1f56b3", "#82b4ff"),
    "35": ("#86329a", "#d9a0ee"),
    "36": ("#0b6470", "#5cc8d6"),
}
_SGR = re.compile(r"\x1b\[([\d;]*)m")


class Style(NamedTuple):
    """How characters look: the colour's SGR parameter, and what else is on."""

    colour: str = ""
    is_bold: bool = False
    is_dim: bool = False
    is_inverse: bool = False

    def after(self, parameters: str) -> Style:
        """What it is after a sequence with these parameters."""
        style = self
        for one in parameters.split(";"):
            number = int(one or 0)
            if number == 0:
                style = Style()
            elif number in _SWITCHES:
                style = style._replace(**_SWITCHES[number])
            elif 31 <= number <= 36:
                style = style._replace(colour=one)
            elif number == 39:
                style = style._replace(colour="")
            elif number != 49:
                raise ValueError(f"no picture has SGR {number}")
        return style

    @property
    def parameters(self) -> str:
        """Those of the sequence that has it so."""
        on = {"1": self.is_bold, "2": self.is_dim, "7": self.is_inverse, self.colour: self.colour}
        return ";".join(one for one, is_on in on.items() if is_on)

    @property
    def classes(self) -> str:
        """Those of the SVG's style sheet."""
        colour = f"c{self.colour}" if self.colour else "dim" if self.is_dim else ""
        return " ".join(name for name in ("b" * self.is_bold, colour) if name)


_SWITCHES = {
    1: {"is_bold": True},
    2: {"is_dim": True},
    7: {"is_inverse": True},
    22: {"is_bold": False, "is_dim": False},
    27: {"is_inverse": False},
}
Row = list[tuple[Style, str]]


def rows_of(capture: str) -> list[Row]:
    """The rows of a capture in runs of one style, without blanks behind them and rows below."""
    rows: list[Row] = []
    style = Style()
    for line in capture.split("\n"):
        parts = _SGR.split(line)
        row: Row = []
        for number, part in enumerate(parts):
            if number % 2:
                style = style.after(part)
            elif part and row and row[-1][0] == style:
                row[-1] = style, row[-1][1] + part
            elif part:
                row.append((style, part))
        rows.append(_without_end(row))
    while rows and not rows[-1]:
        rows.pop()
    return rows


def _without_end(row: Row) -> Row:
    while row and not row[-1][0].is_inverse:
        style, text = row.pop()
        if text := text.rstrip():
            return [*row, (style, text)]
    return row


def written(rows: Iterable[Row]) -> str:
    """The rows as text with sequences, whichever of them the terminal has used."""
    return "".join("".join(_run(*run) for run in row) + "\n" for row in rows)


def _run(style: Style, text: str) -> str:
    return f"\x1b[{style.parameters}m{text}\x1b[0m" if style.parameters else text


def picture(capture: str, title: str) -> str:
    """The SVG of a capture."""
    rows = rows_of(capture)
    columns = max((sum(len(text) for _, text in row) for row in rows), default=0)
    width, height = round(columns * _WIDE + 2 * _ROUND), len(rows) * _HIGH + 2 * _ROUND
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
        f'width="{width}" height="{height}" role="img" aria-label={quoteattr(title)} '
        'xml:space="preserve">',
        f"<title>{escape(title)}</title>",
        f"<style>{_sheet(0)} @media (prefers-color-scheme: dark) {{{_sheet(1)}}}</style>",
        f'<rect x="0.5" y="0.5" width="{width - 1}" height="{height - 1}" rx="8" class="ground"/>',
    ]
    for number, row in enumerate(rows):
        lines += _drawn(row, _ROUND + number * _HIGH)
    return "\n".join([*lines, "</svg>"]) + "\n"


def _sheet(ground: int) -> str:
    """The style sheet for a light ground, 0, or a dark one, 1."""
    colours = {name: pair[ground] for name, pair in COLOURS.items()}
    rules = [f".ground {{fill: {colours['ground']}; stroke: {colours['edge']}}}"]
    rules += [f".c{name} {{fill: {colours[name]}}}" for name in COLOURS if name.isdigit()]
    rules += [
        f".dim {{fill: {colours['dim']}}}",
        f".on {{fill: {colours['ground']}}}",
        f"text, .block {{fill: {colours['plain']}}}",
    ]
    if ground == 0:
        rules.append(
            f"text {{font: {_SIZE}px ui-monospace, 'SF Mono', Menlo, Consolas, 'DejaVu Sans Mono', "
            "monospace; white-space: pre} .b {font-weight: bold}"
        )
    return " ".join(rules)


def _drawn(row: Row, top: int) -> Iterator[str]:
    """A row: each run where its column is, and as wide, whatever font there is."""
    column = 0
    for style, text in row:
        left, wide = _ROUND + column * _WIDE, len(text) * _WIDE
        column += len(text)
        classes = style.classes
        if style.is_inverse:
            classes = "on"
            place = f'x="{left:.1f}" y="{top}" width="{wide:.1f}" height="{_HIGH}"'
            yield f'<rect {place} class="block"/>'
        if word := text.strip():
            left += (len(text) - len(text.lstrip())) * _WIDE
            named = f' class="{classes}"' if classes else ""
            yield (
                f'<text x="{left:.1f}" y="{top + 15}" textLength="{len(word) * _WIDE:.1f}"{named}>'
                f"{escape(word)}</text>"
            )


def of_readme() -> str:
    """README's picture."""
    capture = CAPTURE.read_text(encoding="utf-8")
    for mark, example in EXAMPLES.items():
        capture = capture.replace(mark, example)
    return picture(capture, TITLE)


if __name__ == "__main__":
    if len(sys.argv) == 3:
        print(picture(Path(sys.argv[1]).read_text(encoding="utf-8"), sys.argv[2]), end="")
    elif len(sys.argv) == 1:
        PICTURE.write_text(of_readme(), encoding="utf-8")
    else:
        sys.exit(__doc__)
