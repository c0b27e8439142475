"""docs/reference/record-format.md says what a record has."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from lomond import events, recorded, records
from lomond.ending import Ending, Gap, Pause
from lomond.io.journal import Entry
from lomond.records import read, replay
from lomond.redaction import discreet_url
from lomond.secured import Secured
from lomond.stats import Stats
from lomond.timings import Attempt, Timings
from told_entries import ANSWER, EVENTS, NAMES, ODD, REFUSAL, Told, conversation, lines_of

HOME = Path(__file__).parents[1]
PAGE = HOME / "docs" / "reference" / "record-format.md"
URL = "wss://user:password@feed.example/live?symbol=X&token=abc"
HEAD = (
    b"GET /live?symbol=X&token=abc HTTP/1.1\r\nHost: feed.example:443\r\n"
    b"Authorization: Basic dXNlcjpwYXNzd29yZA==\r\nUpgrade: websocket\r\n\r\n"
)


def text() -> str:
    return PAGE.read_text(encoding="utf-8")


def rows(title: str) -> list[list[str]]:
    """The rows of the table under that title, a list of the names in each cell."""
    _, _, behind = text().partition(f"| {title} |")
    table, _, _ = behind.partition("\n\n")
    return [line.strip("|").split("|") for line in table.splitlines()[2:]]


def names(said: str) -> list[str]:
    return re.findall(r"`([^`]+)`", said)


def sample() -> list[Entry]:
    """What the page shows."""
    told = Told(url=URL, moment=99.9)
    end = Ending(
        "closed", "server", 1001, "bye", address="192.0.2.2:443", was_ready=True, lasted=0.7,
        since_received=0.1, detail="closed",
    )  # fmt: skip
    return [
        told.event(events.Connecting(URL)),
        told.entry("out", "request", HEAD),
        told.event(events.Connected(URL, address="192.0.2.2:443")),
        told.entry("in", "response", ANSWER),
        told.event(events.Ready(ANSWER, None, set())),
        told.entry("out", "text", '{"op":"subscribe"}'),
        told.entry("in", "text", "welcome"),
        told.entry("in", "binary", b"\0\xff"),
        told.entry("in", "ping", b"p"),
        told.entry("out", "pong", b"p"),
        told.entry("in", "close", b"\x03\xe9bye"),
        told.entry("out", "close", b"\x03\xe9bye"),
        told.event(events.Disconnected("closed", graceful=True, ending=end)),
        told.event(events.BackOff(2.5, reason="closed", attempt=1)),
    ]


def example() -> str:
    found = re.search(r"```json\n(.*?)```", text(), re.DOTALL)
    assert found is not None
    return found[1]


def test_the_example_is_what_is_written() -> None:
    lines = [json.dumps(line, separators=(",", ":")) for line in lines_of(*sample())]
    assert example().splitlines() == lines


def test_the_example_can_be_read(tmp_path: Path) -> None:
    path = tmp_path / "record.jsonl"
    path.write_text(example())
    assert [event.name for event in replay(path)] == [
        *(name for name in NAMES if name != "pong"),
        "back_off",
    ]
    assert len(list(read(path))) == len(sample())


def test_every_op_is_listed_with_its_fields() -> None:
    told = Told()
    entries = [
        *conversation(told),
        *(told.event(event) for event in EVENTS),
        told.entry("in", "response", REFUSAL),
        told.entry("in", "response", ODD),
        told.entry("in", "close", b"\x03"),
        told.entry("in", "text_part", events.TextPart("ab", 5)),
        told.entry("out", "binary_part", events.BinaryPart(b"ab", 5)),
    ]
    fields: dict[str, set[str]] = {}
    common: set[str] | None = None
    for line in lines_of(*entries):
        base = set(list(line)[:6])
        common = base if common is None else common & base
        fields.setdefault(line["op"], set()).update(set(line) - base)
    listed = {names(op)[0]: set(names(said)) for op, _, said in rows("`op` | `dir` | fields")}
    listed["ending"] |= set(Ending.__match_args__)
    assert listed == fields
    shown = {names(row[0])[0] for row in rows("field | what it is")}
    assert common == shown - {"r"}
    assert set(fields) == recorded.OPS


def test_directions_are_as_listed() -> None:
    listed = {names(op)[0]: names(where) for op, where, _ in rows("`op` | `dir` | fields")}
    for line in lines_of(*sample(), *conversation(Told())):
        assert line["dir"] in listed[line["op"]]


@pytest.mark.parametrize(
    ("field", "parts"),
    [
        ("tls", Secured._fields),
        ("timings", (*Timings.__slots__, *Attempt._fields)),
        ("gap", Gap._fields),
    ],
)
def test_what_is_in_a_field_is_listed(field: str, parts: tuple[str, ...]) -> None:
    behind = text().partition("What else is said in them:")[2]
    (said,) = [line for line in behind.splitlines() if line.startswith(f"| `{field}` |")]
    assert set(names(said)) - {field} == set(parts) - {field}


def test_what_is_in_an_ending_is_listed() -> None:
    (said,) = re.findall(r"^An ending has (.*?)\n\n", text(), re.MULTILINE | re.DOTALL)
    others = {"lomond.Ending"}
    assert set(names(said)) - others == {
        *Ending.__match_args__, *Pause._fields, *Stats.__match_args__,
    }  # fmt: skip


def test_the_version_is_the_one_that_is_written() -> None:
    assert f"the version of the format: {records.VERSION} |" in text()


def test_names_that_are_secret_are_those_that_hide() -> None:
    (said,) = re.findall(r"whose names say that they are secret: (.*?); also", text(), re.DOTALL)
    parts, _, words = said.partition("anywhere")
    for name in names(parts):
        assert discreet_url(f"ws://h/?x{name}x=1") == f"ws://h/?x{name}x=***"
    for name in names(words):
        assert discreet_url(f"ws://h/?{name}_x=1") == f"ws://h/?{name}_x=***"
        assert discreet_url(f"ws://h/?xx{name}xx=1") == f"ws://h/?xx{name}xx=1"
    assert len(names(parts)) == 18
