"""A record as a server: what it says, what it wants to hear, and how a difference is told."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from lomond import events, records
from lomond.response import Response
from lomond.testing import Server, replay
from testing.kit import PLACES, SAYS_NOTHING, Act, Seen, played, says, through
from told_entries import ANSWER, REFUSAL, REQUEST, Told, conversation, ending, record

pytestmark = pytest.mark.parametrize("place", PLACES)
LOST = events.Disconnected("lost", ending=ending(cause=None))


def opened(told: Told, *entries: Any) -> list[Any]:
    """The beginning of a connection that serves, and more."""
    begin = [
        told.event(events.Connecting(told.url)),
        told.entry("out", "request", REQUEST),
        told.event(events.Connected(told.url or "")),
        told.entry("in", "response", ANSWER),
        told.event(events.Ready(ANSWER, None, set())),
    ]
    return begin + [told.entry(*entry) for entry in entries]


def seen(place: str, path: Path, act: Act = SAYS_NOTHING, **options: Any) -> Seen:
    limits: Any = {"limit": 600} if place == "world" else {"patience": 0.3}
    with played(place, *replay(path), **limits) as url:
        return through("sync", url, act, **options)


def test_it_says_what_was_heard_and_hears_what_was_said(place: str, tmp_path: Path) -> None:
    path = tmp_path / "feed.jsonl"
    record(path, *conversation(Told()))
    (server,) = servers = replay(path)
    with played(place, *servers) as url:
        found = through("sync", url, says("subscribe"))
    assert found.later == ["welcome €😀", "binary", "ping", "closing", "disconnected"]
    assert (found.ending.code, found.ending.reason) == (1000, "bye")
    assert server.heard == ["subscribe"]


def test_when_it_was_said(place: str, tmp_path: Path) -> None:
    path = tmp_path / "feed.jsonl"
    record(path, *conversation(Told()))
    with played(place, *replay(path, speed=1.0)) as url:
        found = through("sync", url, says("subscribe"))
    # From Ready on, in tenths of a second: what was sent, four that came, and the end.
    assert found.ending.lasted >= 0.3
    with played(place, *replay(path, speed=10.0)) as url:
        found = through("sync", url, says("subscribe"))
    assert found.ending.lasted >= 0.03


def failing(place: str, path: Path, *messages: Any, close: bool = False) -> str:
    """What is said where the program sends that."""

    def act(websocket: Any, event: Any) -> list[Any] | None:
        if event.name == "text":
            return None
        return list(messages) if event.name == "ready" else []

    with pytest.raises(AssertionError) as caught:
        seen(place, path, act)
    return str(caught.value)


@pytest.mark.parametrize(
    ("recorded", "sent", "words"),
    [
        ("login", "logout", "the program sent the text 'logout' instead "
         "(from character 3 on 'out', not 'in')"),
        (b"abc", b"abd", "the program sent the binary b'abd' instead "
         "(from byte 2 on b'd', not b'c')"),
        (b"abc", "abc", "the program sent the text 'abc' instead"),
        ('{"op": "a", "n": [1, 2], "x": 1}', {"op": "b", "n": [1], "y": 2},
         "(['op'] is 'b', not 'a'; ['n'] has 1 items, not 2; ['x'] is missing, which was 1; "
         "1 more)"),
        ("[1]", "1", "the program sent the text '1' instead (from character 0 on '1', not '[1]')"),
    ],
)  # fmt: skip
def test_a_message_that_differs(
    place: str, tmp_path: Path, recorded: Any, sent: Any, words: str
) -> None:
    path = tmp_path / "feed.jsonl"
    op = "text" if isinstance(recorded, str) else "binary"
    record(path, *opened(Told(), ("out", op, recorded)))
    said = failing(place, path, sent)
    assert said.startswith("feed.jsonl:6 waits for the ")
    assert said.endswith(words)


@pytest.mark.parametrize(
    ("recorded", "sent"),
    [
        ('{"a": 1, "b": [1, {"c": null}]}', '{"b":[1,{"c":null}],"a":1}'),
        ("token ***, and more", "token s3cr3t\n, and more"),
        ('{"token": "***", "op": "login"}', {"op": "login", "token": "s3cr3t"}),
    ],
)
def test_a_message_that_is_the_same(place: str, tmp_path: Path, recorded: str, sent: Any) -> None:
    path = tmp_path / "feed.jsonl"
    told = Told()
    record(path, *opened(told, ("out", "text", recorded)), told.event(LOST))
    assert seen(place, path, says(sent)).later == ["disconnected"]


def test_what_the_test_takes_for_the_same(place: str, tmp_path: Path) -> None:
    path = tmp_path / "feed.jsonl"
    told = Told()
    record(path, *opened(told, ("out", "text", "at 5")), told.event(LOST))
    asked: list[Any] = []

    def same(recorded: str | bytes, sent: str | bytes) -> bool:
        asked.append((recorded, sent))
        return True

    with played(place, *replay(path, same=same)) as url:
        through("sync", url, says("at 6"))
    assert asked == [("at 5", "at 6")]


def test_a_message_that_is_missing_and_one_too_many(place: str, tmp_path: Path) -> None:
    path = tmp_path / "feed.jsonl"
    record(path, *opened(Told(), ("in", "text", "welcome"), ("out", "text", "login")))
    assert failing(place, path) == (
        "feed.jsonl:7 waits for the text 'login', as recorded; "
        "the program closed the connection with 1000 instead"
    )
    record(tmp_path / "more.jsonl", *opened(Told(), ("in", "text", "welcome")))
    assert failing(place, tmp_path / "more.jsonl", "login") == (
        "the connection of more.jsonl:1 did not hear the text 'login'"
    )


def test_the_code_of_the_close(place: str, tmp_path: Path) -> None:
    path = tmp_path / "feed.jsonl"
    entries = ("in", "text", "bye"), ("out", "close", b"\x03\xe9"), ("in", "close", b"\x03\xe9")
    record(path, *opened(Told(), *entries))
    assert failing(place, path) == (
        "feed.jsonl:7 waits for the program's close frame; "
        "the program closed the connection with 1000 instead of 1001"
    )


@pytest.mark.parametrize(
    ("kind", "further", "options", "later"),
    [
        ("lost", {"cause": None}, {}, ["disconnected"]),
        ("lost", {}, {}, ["disconnected"]),
        ("unresponsive", {}, {"ping_rate": 0.05, "ping_timeout": 0.05},
         ["unresponsive", "disconnected"]),
        ("protocol", {}, {}, ["protocol_error", "disconnected"]),
        ("timed_out", {"deadline": "frame_timeout"}, {"frame_timeout": 0.1, "close_timeout": 0.1},
         ["disconnected"]),
    ],
)  # fmt: skip
def test_how_it_ended(
    place: str, tmp_path: Path, kind: Any, further: Any, options: Any, later: list[str]
) -> None:
    path = tmp_path / "feed.jsonl"
    told = Told()
    end = events.Disconnected("it was over", ending=ending(kind=kind, **further))
    record(path, *opened(told, ("in", "text", "welcome")), told.event(end))
    found = seen(place, path, **options)
    assert found.later == ["welcome", *later]
    assert found.ending.kind == kind


def test_a_refusal_and_another_connection(place: str, tmp_path: Path) -> None:
    path = tmp_path / "feed.jsonl"
    first, second = Told(1), Told(2)
    first_lines = [
        first.event(events.Connecting(first.url)),
        first.entry("out", "request", REQUEST),
        first.entry("in", "response", REFUSAL),
        first.event(events.Rejected(REFUSAL, "no")),
        first.event(events.Disconnected("no", ending=ending(kind="rejected"))),
        first.event(events.BackOff(1.0, reason="no")),
    ]
    record(path, *first_lines, *conversation(second))
    with played(place, *replay(path)) as url:
        found = through("sync", url)
        assert found.later == ["rejected", "disconnected"]
        response = found.ending.response
        assert (response.status_code, response.get("retry-after")) == (503, "5")
        assert response.body == b"come back later"
        assert through("sync", url, says("subscribe")).later[-2:] == ["closing", "disconnected"]


def test_the_answer_says_what_the_recorded_one_did(place: str, tmp_path: Path) -> None:
    path = tmp_path / "feed.jsonl"
    told = Told()
    answer = Response(
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: x\r\n"
        b"Sec-WebSocket-Protocol: chat\r\nX-Served-By: a\r\n\r\n"
    )
    record(
        path,
        told.entry("out", "request", REQUEST),
        told.entry("in", "response", answer),
        told.event(events.Ready(answer, "chat", set())),
        told.event(LOST),
    )
    seen_at_ready: list[Any] = []

    def act(websocket: Any, event: Any) -> list[Any]:
        if event.name == "ready":
            seen_at_ready.extend([event.protocol, event.response.get("x-served-by")])
        return []

    assert seen(place, path, act, protocols=["chat"]).later == ["disconnected"]
    assert seen_at_ready == ["chat", "a"]


@pytest.mark.parametrize(
    ("kind", "deadline", "ended"),
    [("lost", None, "lost"), ("timed_out", "open_timeout", "timed_out")],
)
def test_one_that_was_never_answered(
    place: str, tmp_path: Path, kind: Any, deadline: Any, ended: str
) -> None:
    path = tmp_path / "feed.jsonl"
    told = Told()
    end = events.Disconnected("over", ending=ending(kind=kind, deadline=deadline))
    record(path, told.entry("out", "request", REQUEST), told.event(end))
    found = seen(place, path, open_timeout=0.2)
    assert found.names == ["connecting", "connected", "disconnected"]
    assert found.ending.kind == ended


def test_one_whose_answer_was_wrong(place: str, tmp_path: Path) -> None:
    path = tmp_path / "feed.jsonl"
    told = Told()
    end = events.Disconnected("over", ending=ending(kind="rejected"))
    record(
        path,
        told.entry("out", "request", REQUEST),
        told.entry("in", "response", ANSWER),
        told.event(events.Rejected(ANSWER, "wrong")),
        told.event(end),
    )
    assert seen(place, path).later == ["rejected", "disconnected"]


def test_a_redirect_is_two_connections(place: str, tmp_path: Path) -> None:
    path = tmp_path / "feed.jsonl"
    told = Told()
    redirect = Response(b"HTTP/1.1 307 Elsewhere\r\nLocation: ws://h/\r\n\r\n")
    entries = [
        told.entry("out", "request", REQUEST),
        told.entry("in", "response", redirect),
        *opened(told, ("in", "close", b"")),
    ]
    record(path, *entries)
    with played(place, *replay(path)) as url:
        assert through("sync", url).later == ["rejected", "disconnected"]
        found = through("sync", url)
        assert found.later == ["closing", "disconnected"]
        assert found.ending.code is None


def test_nobody_comes_for_a_connection(place: str, tmp_path: Path) -> None:
    path = tmp_path / "feed.jsonl"
    record(path, *opened(Told()))
    fails = pytest.raises(
        AssertionError, match=r"nobody connected for the connection of feed\.jsonl:1"
    )
    with fails, played(place, *replay(path)):
        pass


def test_one_that_could_not_be_made(place: str, tmp_path: Path) -> None:
    path = tmp_path / "feed.jsonl"
    told = Told()
    refused = ConnectionRefusedError(111, "Connection refused")
    end = events.ConnectFail("no", ending=ending(kind="unreachable", cause=refused), cause=refused)
    record(path, told.event(events.Connecting(told.url)), told.event(end))
    (server,) = replay(path)
    if place == "world":
        with played(place, server) as url:
            assert through("sync", url).names == ["connecting", "connect_fail"]
    assert server.finish() == []


CLOSING = Server().says("a", {"b": 1}, b"c").hears("bye").closes(1001, "gone")
LOSING = Server().hears("login").pings().says("welcome").after(0.05).resets()
REFUSING = Server().refuses(503, retry_after=5, body="not today")


@pytest.mark.parametrize("speed", [None, 1.0])
def test_what_was_recorded_of_a_server_is_so_again(
    place: str, tmp_path: Path, speed: float | None
) -> None:
    """The events of a program that talks to the record are those that were recorded."""
    first, second = tmp_path / "first.jsonl", tmp_path / "second.jsonl"

    def program(url: str, path: Path) -> None:
        for messages in (["bye"], ["login"], []):
            through("sync", url, says(*messages), record=path)

    with played(place, CLOSING, LOSING, REFUSING) as url:
        program(url, first)
    with played(place, *replay(first, speed)) as url:
        program(url, second)
    names = [[event.name for event in records.replay(path)] for path in (first, second)]
    assert names[0] == names[1]
    assert names[0][-3:] == ["connected", "rejected", "disconnected"]
    texts = [
        [event.text for event in records.replay(path) if event.name == "text"]
        for path in (first, second)
    ]
    assert texts == [["a", '{"b":1}', "welcome"]] * 2


@pytest.mark.parametrize("speed", [None, 1.0])
@pytest.mark.parametrize(
    ("wrong", "code", "kind"),
    [
        (Server().hears().garbage(), 1002, "protocol"),
        (lambda peer: (yield peer.garbage(b"\x81\x01\xff")), 1007, "protocol"),
        (lambda peer: (yield peer.say("x" * 101)), 1009, "protocol"),
        (Server().hears().half_a_frame(), None, "timed_out"),
    ],
)
def test_what_was_wrong_is_wrong_again(
    place: str, tmp_path: Path, wrong: Any, code: int | None, kind: str, speed: float | None
) -> None:
    """The program says a close frame for it, which is in the record."""
    first, second = tmp_path / "first.jsonl", tmp_path / "second.jsonl"
    options = {"frame_timeout": 0.1, "close_timeout": 0.1, "max_message_size": 100}

    def program(url: str, path: Path) -> Any:
        return through("sync", url, says("login"), record=path, **options).ending

    with suppress(AssertionError), played(place, wrong) as url:  # a generator has not heard all
        before = program(url, first)
    with played(place, *replay(first, speed)) as url:
        after = program(url, second)
    assert "close" in [line.op for line in records.read(first) if line.direction == "out"]
    assert (before.kind, after.kind) == (kind, kind)
    assert (before.code, after.code) == (code, code)
    names = [[event.name for event in records.replay(path)] for path in (first, second)]
    assert names[0] == names[1]


def test_what_is_no_speed(place: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="speed must be above 0"):
        replay(tmp_path / "none.jsonl", speed=0)
    with pytest.raises(TypeError, match=r"speed must be a number.*, not '1'"):
        replay(tmp_path / "none.jsonl", speed="1")  # type: ignore[arg-type]  # that is it
    with pytest.raises(OSError, match=r"none\.jsonl"):
        replay(tmp_path / "none.jsonl")
