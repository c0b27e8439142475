"""Write the tables of docs/ that tell what the sources say: options, limits, events, hints.

python tools/write_pages.py          write them
python tools/write_pages.py --check  fail if one is another

A page has such a table between ``<!-- from the sources: NAME -->`` and ``<!-- end -->``.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from lomond import events, options, persisting, settable
from lomond.cli import exits
from lomond.rows import Row, rows_of, shown
from lomond.session.hints import HINTS

DOCS = Path(__file__).parent.parent / "docs"
_MARKED = re.compile(r"(<!-- from the sources: ([\w ]+) -->\n).*?(<!-- end -->\n)", re.DOTALL)


def pages() -> dict[Path, str]:
    """Each page's text."""
    found = {page: page.read_text("utf-8") for page in sorted(DOCS.rglob("*.md"))}
    return {page: _MARKED.sub(_written, text) for page, text in found.items()}


def _written(match: re.Match[str]) -> str:
    before, name, after = match.groups()
    return before + "\n" + "\n".join(TABLES[name]()) + "\n\n" + after


def _options(rows: Mapping[str, Row]) -> Iterator[str]:
    """Lists of options, one for each of their groups."""
    groups = dict.fromkeys(one.group for one in rows.values())
    for group in groups:
        if len(groups) > 1:
            yield from (f"### {group}", "")
        for name, one in rows.items():
            if one.group == group:
                default = "" if one.is_required else f" ({shown(one)})"
                yield f"- `{name}`{default}: {_said(one)}"
        yield ""


def _said(row: Row) -> str:
    """What an option is for, as Markdown of one line."""
    said = row.doc.removesuffix(".")
    said += f"; None: {row.none}" if row.none else ""
    return said.replace("``", "`").replace("|", "\\|")


def _limits() -> Iterator[str]:
    """Where each limit and time-out is given, and its default."""
    yield "| option | of | default | |"
    yield "|---|---|---|---|"
    for owner, rows in (
        ("WebSocket", settable.BY_GROUP),
        ("connect", rows_of(options.ConnectOptions)),
    ):
        for name, one in rows.items():
            if one.group == "Limits" or name.endswith("_timeout") or name.startswith("max_"):
                yield f"| `{name}` | {owner} | {shown(one)} | {_said(one)} |"


def _events() -> Iterator[str]:
    """The events, each with its fields."""
    yield "| event | class | fields |"
    yield "|---|---|---|"
    for name in events.__all__:
        made = getattr(events, name)
        if isinstance(getattr(made, "name", None), str):
            fields = ", ".join(f"`{one}`" for one in dir(made) if _is_field(one))
            yield f"| `{made.name}` | `{name}` | {fields} |"


def _is_field(name: str) -> bool:
    return name != "name" and not name.startswith("_") and name not in dir(events.Event)


def _hints() -> Iterator[str]:
    """What is said of ends that are typical."""
    yield "| of which end | hint |"
    yield "|---|---|"
    for one in HINTS:
        yield f"| {one.when} | {one.does} |"


def _statuses() -> Iterator[str]:
    """The exit statuses of the command."""
    yield "| status | means |"
    yield "|--:|---|"
    for status, means in exits.MEANINGS.items():
        yield f"| {status} | {means} |"


TABLES: dict[str, Callable[[], Iterator[str]]] = {
    "options of WebSocket": lambda: _options(settable.BY_GROUP),
    "options of connect": lambda: _options(rows_of(options.ConnectOptions)),
    "options of persist": lambda: _options(rows_of(persisting.PersistOptions)),
    "options of Deflate": lambda: _options(rows_of(options.Deflate)),
    "limits": _limits,
    "events": _events,
    "hints": _hints,
    "statuses": _statuses,
}


def main() -> int:
    """Do what the command line says; the exit status."""
    for page, text in pages().items():
        if sys.argv[1:] != ["--check"]:
            page.write_text(text, "utf-8")
        elif page.read_text("utf-8") != text:
            print(f"{page.name} is not what the sources say; run: python tools/write_pages.py")
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
