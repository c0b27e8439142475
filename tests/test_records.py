"""What a record says, and the same again from it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, strategies as st

from alike import alike, lines_alike
from lomond import events, records
from lomond.ending import Ending
from lomond.errors import RestoredCause
from lomond.protocol.frames import build_close_payload
from lomond.records import Close, Recorder, read, replay
from lomond.response import Response
from lomond.testing.clock import PretendClock
from told_entries import (
    ANSWER,
    EVENTS,
    NAMES,
    ODD,
    REFUSAL,
    REFUSED,
    REQUEST,
    Told,
    conversation,
    ending,
    lines_of,
    record,
)

# One line


def test_a_line_is_as_documented(tmp_path: Path) -> None:
    path = tmp_path / "record.jsonl"
    told = Told()
    record(path, told.entry("in", "text", "hello"), told.entry("out", "binary", b"\x00\xff"))
    assert path.read_text() == (
        '{"v":1,"t":0.0,"wall":1700000100.1,"c":1,"dir":"in","op":"text","text":"hello"}\n'
        '{"v":1,"t":0.1,"wall":1700000100.2,"c":1,"dir":"out","op":"binary","b64":"AP8="}\n'
    )


@pytest.mark.parametrize(
    ("direction", "op", "value", "fields"),
    [
        ("out", "ping", b"", {"b64": ""}),
        ("in", "pong", b"abc", {"b64": "YWJj"}),
        ("in", "close", b"", {"code": None, "reason": ""}),
        ("in", "close", b"\x03\xe8", {"code": 1000, "reason": ""}),
        ("out", "close", b"\x03\xe8\xc3\xb6", {"code": 1000, "reason": "\xf6"}),
        ("in", "close", b"\x03", {"b64": "Aw=="}),
        ("in", "close", b"\x03\xe8\xff", {"b64": "A+j/"}),
        (
            "out",
            "request",
            b"GET / HTTP/1.1\r\nHost: h\r\nX:\xff\r\n\r\n",
            {"url": "ws://h/", "head": ["GET / HTTP/1.1", "Host: h", "X:\xff"]},
        ),
        (
            "in",
            "response",
            REFUSAL,
            {
                "status": 503,
                "head": ["HTTP/1.1 503 Busy", "Retry-After: 5"],
                "text": "come back later",
            },
        ),
        (
            "in",
            "response",
            ODD,
            {"status": 403, "head": "HTTP/1.1 403 N\xf6\nX: \xff\n\n", "b64": "//4A"},
        ),
        ("here", "connecting", events.Connecting("ws://h/"), {"url": "ws://h/"}),
        (
            "here",
            "left",
            Ending("left", "client", was_ready=True, lasted=2.0),
            {
                "kind": "left", "by": "client", "code": None, "reason": "", "status": None,
                "response": None, "phase": None, "address": None, "cause": None, "deadline": None,
                "was_ready": True, "lasted": 2.0, "since_received": None, "since_sent": None,
                "since_pong": None, "unconfirmed": 0, "pause": None, "hint": None, "detail": "",
                "unfinished": 0, "stats": None, "event": None,
            },
        ),
    ],
)  # fmt: skip
def test_what_is_said_of_each(direction: str, op: str, value: Any, fields: Any) -> None:
    (line,) = lines_of(Told(url="ws://h/").entry(direction, op, value), secrets=True)
    assert line == {
        "v": 1, "t": 0.0, "wall": 1_700_000_100.1, "c": 1, "dir": direction,
        "op": "ending" if op == "left" else op, **fields,
    }  # fmt: skip


@pytest.mark.parametrize(
    "part", [events.TextPart("a\xf6", 5, False, True), events.BinaryPart(b"\x00\xff", 0)]
)
def test_a_part_comes_back_where_it_was_heard(tmp_path: Path, part: Any) -> None:
    path = tmp_path / "record.jsonl"
    told = Told()
    record(path, told.entry("in", part.name, part), told.entry("out", part.name, part))
    assert [(one.direction, one.op, repr(one.value)) for one in read(path)] == [
        ("in", part.name, repr(part)),
        ("out", part.name, repr(part)),
    ]
    (again,) = replay(path)
    assert repr(again) == repr(part)
    lines: list[Any] = []
    hide = Recorder(lines.append, redact=lambda message: message[:0])
    hide(told.entry("in", part.name, part))
    assert lines[0].get("text", "") + lines[0].get("b64", "") == ""


@pytest.mark.parametrize("event", [events.Poll(), events.Posted(object()), events.Reply("a", "b"),
                                   events.NoReply("a")])  # fmt: skip
def test_what_is_the_programs_own_has_no_line(event: Any) -> None:
    told = Told()
    assert lines_of(told.event(event), told.entry("here", "connect_start", {"poll": 5})) == []
    assert [line["t"] for line in lines_of(told.event(event), told.entry("in", "ping", b""))] == [0]


# From a line


@pytest.mark.parametrize("event", EVENTS, ids=repr)
def test_an_event_comes_back_as_it_was(tmp_path: Path, event: Any) -> None:
    path = tmp_path / "record.jsonl"
    told = Told()
    record(path, told.entry("in", "response", ANSWER), told.event(event), secrets=True)
    _, line = read(path)
    assert alike(line.value) == alike(event)
    assert type(line.value) is type(event)
    assert [alike(again) for again in replay(path)] == [alike(event)]
    assert line.value.received_time == line.wall == pytest.approx(1_700_000_100.2)


def test_no_response_stands_twice() -> None:
    told = Told()
    lines = lines_of(
        told.entry("in", "response", REFUSAL),
        told.event(events.Rejected(REFUSAL, "no")),
        told.event(events.Disconnected("no", ending=REFUSED)),
        told.event(events.BackOff(1.0, ending=REFUSED)),
    )
    rejected, disconnected, back_off = lines[1:]
    assert (rejected["response"], disconnected["response"]) == ("above", "above")
    assert back_off["ending"]["response"]["status"] == 503


def test_a_lines_response_is_that_of_its_own_connection(tmp_path: Path) -> None:
    path = tmp_path / "record.jsonl"
    one, other = Told(1), Told(2)
    record(
        path,
        one.entry("in", "response", REFUSAL),
        other.entry("in", "response", ANSWER),
        one.event(events.Rejected(REFUSAL, "no")),
        other.event(events.Ready(ANSWER, None, set())),
    )
    rejected, ready = replay(path)
    assert isinstance(rejected, events.Rejected)
    assert isinstance(ready, events.Ready)
    assert (rejected.response.body, ready.response.raw) == (REFUSAL.body, ANSWER.raw)


def test_causes_come_back_as_from_a_pickle(tmp_path: Path) -> None:
    path = tmp_path / "record.jsonl"
    told = Told()
    own = RestoredCause("SSLError", 1, "bad")
    record(
        path,
        told.event(events.Unresponsive(cause=TimeoutError("late"))),
        told.event(events.Unresponsive(cause=own)),
        told.event(events.Unresponsive(cause=OSError(float("nan"), b"\xff", (1, 2), object))),
    )
    late, own_again, odd = (event.cause for event in replay(path))  # type: ignore[union-attr]  # the event that has it
    assert (type(late), late.args) == (TimeoutError, ("late",))
    assert repr(own_again) == "SSLError(1, 'bad')"
    assert odd is not None
    assert odd.args[0] == "nan"


messages = st.one_of(
    st.tuples(st.sampled_from(["in", "out"]), st.just("text"), st.text()),
    st.tuples(st.sampled_from(["in", "out"]), st.just("binary"), st.binary()),
    st.tuples(
        st.sampled_from(["in", "out"]), st.sampled_from(["ping", "pong"]), st.binary(max_size=125)
    ),
)


@given(st.lists(messages), st.booleans())
def test_any_messages_come_back(
    tmp_path_factory: pytest.TempPathFactory, said: list[tuple[str, str, Any]], secrets: bool
) -> None:
    path = tmp_path_factory.mktemp("any") / "record.jsonl"
    told = Told(url="wss://u:password@h/?token=secret")
    entries = [told.entry(*one) for one in said]
    record(path, *entries, secrets=secrets)
    assert lines_alike(read(path)) == [list(one) for one in said]
    kinds = {"text": "text", "binary": "data", "ping": "data", "pong": "data"}
    again = [(event.name, getattr(event, kinds[event.name])) for event in replay(path)]
    assert again == [(op, value) for direction, op, value in said if direction == "in"]


@given(st.binary(max_size=300), st.binary(max_size=300), st.sampled_from([None, 1000, 4999]),
       st.text(max_size=20))  # fmt: skip
def test_any_heads_bodies_and_reasons_come_back(
    tmp_path_factory: pytest.TempPathFactory, head: bytes, body: bytes, code: Any, reason: str
) -> None:
    path = tmp_path_factory.mktemp("any") / "record.jsonl"
    response = Response(head, body=body)
    reason = reason if code else ""
    payload = build_close_payload(code, reason)
    told = Told()
    event = events.Disconnected(reason, ending=ending(response=response, reason=f"{reason}\ud800"))
    record(
        path,
        told.entry("out", "request", response.raw),
        told.entry("in", "response", response),
        told.entry("in", "close", payload),
        told.event(event),
        secrets=True,
    )
    assert lines_alike(read(path)) == [
        ["out", "request", response.raw],
        ["in", "response", alike(response)],
        ["in", "close", alike(Close(code, reason))],
        ["here", "ending", alike(event)],
    ]


# All of it


def test_a_conversation_is_replayed(tmp_path: Path) -> None:
    path = tmp_path / "record.jsonl"
    record(path, *conversation(Told()))
    again = list(replay(path))
    assert [event.name for event in again] == NAMES
    assert [event.text for event in again if event.name == "text"] == ["welcome \u20ac\U0001f600"]
    assert lines_alike(read(path))[1] == ["out", "request", REQUEST]
    (closing,) = (event for event in again if event.name == "closing")
    assert (closing.code, closing.reason) == (1000, "bye")


def test_who_closed_first_is_told_from_the_order(tmp_path: Path) -> None:
    path = tmp_path / "record.jsonl"
    one, other = Told(1), Told(2)
    record(
        path,
        one.entry("out", "close", b"\x03\xe8"),
        other.entry("in", "close", b"\x03\xe9gone"),
        one.entry("in", "close", b"\x03\xe8"),
        other.entry("out", "close", b"\x03\xe9gone"),
        one.entry("in", "close", b"\x03"),
    )
    assert [alike(event) for event in replay(path)] == [
        alike(events.Closing(1001, "gone")),
        alike(events.Closed(1000, "")),
    ]


def test_connections_that_overlap_come_in_order_or_one_is_picked(tmp_path: Path) -> None:
    path = tmp_path / "record.jsonl"
    one, other = Told(7), Told(8)
    recorder = record(path, one.entry("in", "text", "a"), other.entry("in", "text", "b"))
    recorder(one.entry("in", "text", "c"))
    texts = [event.text for event in replay(path) if event.name == "text"]
    assert texts == ["a", "b", "c"]
    assert [alike(event) for event in replay(path, connection=7)] == [
        alike(events.Text("a")),
        alike(events.Text("c")),
    ]
    assert list(replay(path, connection=1)) == []


def test_the_ending_of_one_connection_ends_what_is_known_of_it(tmp_path: Path) -> None:
    path = tmp_path / "record.jsonl"
    told = Told()
    record(
        path,
        told.entry("out", "close", b""),
        told.event(events.Disconnected("lost", ending=ending())),
        told.entry("in", "close", b""),
    )
    assert [event.name for event in replay(path)] == ["disconnected", "closing"]


# Speed


@pytest.mark.parametrize("speed", [0, -1, float("nan"), float("inf")])
def test_speeds_that_can_not_be(speed: float) -> None:
    with pytest.raises(ValueError, match="speed must be above 0"):
        replay("nowhere", speed)


def test_what_is_no_speed() -> None:
    with pytest.raises(TypeError, match=r"speed must be a number.*, or None .*, not '1'"):
        replay("nowhere", "1")  # type: ignore[arg-type]  # that is it


@pytest.mark.parametrize(("speed", "after"), [(1.0, 10.0), (2.0, 5.0), (0.5, 20.0)])
def test_a_replay_keeps_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, speed: float, after: float
) -> None:
    path = tmp_path / "record.jsonl"
    told = Told(moment=50.0)
    recorder = Recorder(path)
    for _ in range(3):
        recorder(told.entry("in", "ping", b""))
        recorder(told.entry("out", "pong", b""))
        told.moment += 9.8
    clock = PretendClock(7.0)

    class Bell:
        def wait(self, seconds: float) -> None:
            clock.now += min(seconds, 3.0)  # some waits are short

    monkeypatch.setattr(records, "Bell", Bell)
    moments = []
    with clock:
        for number, event in enumerate(replay(path, speed)):
            assert event.name == "ping"
            moments.append(clock.now)
            clock.now += after / 2 if number == 0 else after * 1.5  # the program's own work
    assert moments == pytest.approx([7.0, 7.0 + after, 7.0 + after * 2.5])


def test_at_once_no_clock_is_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "record.jsonl"
    told = Told()
    recorder = record(path, told.entry("in", "ping", b""))
    told.moment += 1e9
    recorder(told.entry("in", "ping", b""))
    monkeypatch.setattr(records, "monotonic", None)
    assert len(list(replay(path))) == 2


@pytest.mark.parametrize("secrets", [False, True])
def test_a_file_has_what_a_callable_is_given(tmp_path: Path, secrets: bool) -> None:
    path = tmp_path / "record.jsonl"
    for again in range(2):  # the second time in a file that is there
        told = Told()
        entries = [*conversation(told), *(told.event(event) for event in EVENTS)]
        record(path, *entries, secrets=secrets)
        lines = [json.loads(line) for line in path.read_text().splitlines()]
        given = lines_of(*entries, secrets=secrets)
        written = lines[again * len(given) :]
        assert [len(line.pop("r", "")) for line in written] == [8 * again] * len(given)
        assert written == given
        assert [list(line) for line in written] == [list(line) for line in given]
