"""Write the tables of docs/ that tell what the sources say: options, limits, events, hints.

python tools/write_pages.py          write them
python tools/write_pages.py --check  fail if one is another

A page has such a table between ``<!-- from the sources: NAME -->`` and ``<!-- end -->``.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

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
    return _plain(row.doc) + (f"; None: {row.none}" if row.none else "")


def _limits() -> Iterator[str]:
    """What each limit and time-out is of, its default, and what happens where it is reached."""
    yield "| option | of | default | what it is | when it is reached |"
    yield "|---|---|---|---|---|"
    for owner, rows in (
        ("`WebSocket()`", settable.BY_GROUP),
        ("`connect()`", rows_of(options.ConnectOptions)),
    ):
        for name, one in rows.items():
            if one.then:
                said = _plain(one.doc.partition(". ")[0])
                default = "off" if one.default is None else shown(one)
                yield f"| `{name}` | {owner} | {default} | {said} | {one.then} |"


def _plain(doc: str) -> str:
    """What stands in a table of what a row says."""
    return doc.removesuffix(".").replace("``", "`").replace("|", "\\|")


#: The events in the order of a connection's life.
_LIFE = (
    "connecting", "connect_fail", "connected", "rejected", "ready", "entered", "poll", "text",
    "binary", "text_part", "binary_part", "ping", "pong", "posted", "reply", "no_reply", "closing",
    "closed", "protocol_error", "unresponsive", "disconnected", "back_off",
)  # fmt: skip


def _events() -> Iterator[str]:
    """The events: when each comes, and its fields but for those that all have."""
    made = {one.name: one for one in map(partial(getattr, events), events.__all__) if _has(one)}
    if missed := made.keys() - set(_LIFE) - {"unknown"}:
        raise ValueError(f"say when in a connection's life there is {', '.join(missed)}")
    yield "| event | class | when | fields |"
    yield "|---|---|---|---|"
    for kind in map(made.__getitem__, _LIFE):
        said = (kind.__doc__ or "").partition("\n\n")[0]
        when = _plain(" ".join(said.split()))
        fields = ", ".join(_fields(kind))
        yield f"| `{kind.name}` | `{kind.__name__}` | {when} | {fields} |"


def _has(made: Any) -> bool:
    """Whether it is the class of an event, and no base of some."""
    return isinstance(getattr(made, "name", None), str)


def _fields(kind: Any) -> Iterator[str]:
    """An event's own fields; those of every failure in a word."""
    is_failure = issubclass(kind, events.FailureEvent)
    base: Any = events.FailureEvent if is_failure else events.Event
    of_all = base._details  # noqa: SLF001  nothing public tells them
    own = (*kind.__match_args__, *kind._details, *kind._derived)  # noqa: SLF001  as above
    yield from (f"`{name}`" for name in dict.fromkeys(own) if name not in of_all)
    if is_failure:
        yield "a failure's"


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
