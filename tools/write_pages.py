"""Write OPTIONS.md, the page of all options, from their rows, and the hints' table of ENDINGS.md.

python tools/write_pages.py          write them
python tools/write_pages.py --check  fail if one is another
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from lomond import options, persisting, settable
from lomond.rows import Row, rows_of, shown
from lomond.session.hints import HINTS

ROOT = Path(__file__).parent.parent
OPTIONS, ENDINGS = ROOT / "OPTIONS.md", ROOT / "ENDINGS.md"
#: What stands around the table in ENDINGS.md, the rest of which is written by hand.
MARKS = ("<!-- from session/hints.py -->\n", "<!-- end -->\n")

_TABLES = [
    (
        "WebSocket, AsyncWebSocket, TrioWebSocket",
        "All of them are attributes too: what is set is the next connection's.",
        settable.BY_GROUP,
    ),
    (
        "connect, WebSocketGroup.add",
        "Each connection is told these; in a group `poll` is None unless it is given.",
        rows_of(options.ConnectOptions),
    ),
    (
        "persist",
        "Those of `connect`, and:",
        rows_of(persisting.PersistOptions),
    ),
    ("Deflate", "For `compress=`.", rows_of(options.Deflate)),
]


def pages() -> dict[Path, str]:
    """Each page's text."""
    before, _, rest = ENDINGS.read_text().partition(MARKS[0])
    after = rest.partition(MARKS[1])[2]
    endings = before + MARKS[0] + "\n".join(_hints()) + "\n" + MARKS[1] + after
    return {OPTIONS: "\n".join(_lines()) + "\n", ENDINGS: endings}


def _hints() -> Iterator[str]:
    yield "| of which end | hint |"
    yield "|---|---|"
    for one in HINTS:
        yield f"| {one.when} | {one.does} |"


def _lines() -> Iterator[str]:
    yield "# Options"
    yield ""
    yield "Written by `tools/write_pages.py` from their rows in `src/lomond`; `help(WebSocket)`"
    yield "says the same. A name that is none, or another function's, is a TypeError that says what"
    yield "was meant."
    for title, said, rows in _TABLES:
        yield from ("", f"## {title}", "", said)
        for group in dict.fromkeys(one.group for one in rows.values()):
            yield ""
            if len({one.group for one in rows.values()}) > 1:
                yield from (f"### {group}", "")
            yield from _table({n: one for n, one in rows.items() if one.group == group})


def _table(rows: Mapping[str, Row]) -> Iterator[str]:
    yield "| option | default | |"
    yield "|---|---|---|"
    for name, one in rows.items():
        default = "" if one.is_required else f"{shown(one)}"
        said = one.doc.removesuffix(".")
        said += f"; None: {one.none}" if one.none else ""
        text = said.replace("``", "`").replace("|", "\\|")
        yield f"| `{name}` | {default} | {text} |"


def main() -> int:
    """Do what the command line says; the exit status."""
    for page, text in pages().items():
        if sys.argv[1:] != ["--check"]:
            page.write_text(text)
        elif page.read_text() != text:
            print(f"{page.name} is not what the rows say; run: python tools/write_pages.py")
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
