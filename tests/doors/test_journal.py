"""What a connection tells those who listen: all of it, once, in order, with no lock held."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Any

import pytest

from doors.inside import exchange_of
from doors.raw_server import echo, raw_server
from lomond import WebSocket
from lomond.events import Poll, Posted
from lomond.io.journal import Entry, Journal
from lomond.protocol import frames
from lomond.testing.peer import End, Peer, Talk, say
from lomond.testing.server import PeerServer
from patience import PATIENCE


def heard(url: str | None = "ws://peer/") -> tuple[Journal, list[Entry]]:
    seen: list[Entry] = []
    return Journal([seen.append], url, True, False), seen


# Alone


def test_an_entry_has_all_that_is_known_of_it() -> None:
    journal, seen = heard()
    journal.note("out", "text", b"\xc3\xa9", True)
    assert not seen
    journal.tell()
    (entry,) = seen
    assert entry[:2] == (journal.number, "ws://peer/")
    assert entry[4:] == ("out", "text", "é", True)
    assert 1e9 < entry.wall < 1e11
    assert entry.moment > 0


def test_each_connection_has_a_number_of_its_own() -> None:
    first, second = heard()[0], heard()[0]
    assert second.number == first.number + 1


def test_events_but_those_that_frames_or_the_clock_tell_of() -> None:
    journal, seen = heard()
    journal.event(Poll())
    journal.event(Posted(1))
    assert [(entry.direction, entry.op) for entry in seen] == [("here", "posted")]


def test_what_a_listener_raises_is_logged_once_and_harms_no_other(
    caplog: pytest.LogCaptureFixture,
) -> None:
    seen: list[str] = []

    def fails(entry: Entry) -> None:
        raise OSError("the disk is full")

    journal = Journal([fails, lambda entry: seen.append(entry.op)], None, True, False)
    for op in ("ping", "pong"):
        journal.note("in", op, b"")
        journal.tell()
    assert seen == ["ping", "pong"]
    (record,) = caplog.records
    assert record.levelno == logging.ERROR
    assert "the disk is full" in str(record.exc_info)
    assert "no more" in record.getMessage()


def test_what_a_listener_says_itself_comes_behind() -> None:
    seen: list[str] = []

    def listener(entry: Entry) -> None:
        if entry.op == "ping":
            journal.note("out", "text", "from the listener")
            journal.tell()
        seen.append(entry.op)

    journal = Journal([listener], None, True, False)
    journal.note("in", "ping", b"")
    journal.note("in", "pong", b"")
    journal.tell()
    assert seen == ["ping", "pong", "text"]


def test_a_listener_that_is_interrupted_has_the_rest_told_later() -> None:
    seen: list[str] = []

    def listener(entry: Entry) -> None:
        if entry.op == "ping":
            raise KeyboardInterrupt
        seen.append(entry.op)

    journal = Journal([listener], None, True, False)
    journal.note("in", "ping", b"")
    journal.note("in", "pong", b"")
    with pytest.raises(KeyboardInterrupt):
        journal.tell()
    thread = threading.Thread(target=journal.tell)  # any thread may, so nothing is held
    thread.start()
    thread.join()
    assert seen == ["pong"]


def test_threads_have_one_order() -> None:
    seen: list[tuple[int, int]] = []
    within = threading.Lock()

    def listener(entry: Entry) -> None:
        assert within.acquire(False), "two threads tell at a time"
        seen.append(entry.value)
        within.release()

    journal = Journal([listener], None, True, False)

    def says(number: int) -> None:
        for count in range(500):
            journal.note("out", "ping", (number, count))
            journal.tell()

    threads = [threading.Thread(target=says, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    journal.tell()
    assert len(seen) == 2000
    for number in range(4):
        assert [count for who, count in seen if who == number] == list(range(500))


# On a connection


def talks(peer: Peer) -> Talk:
    yield from peer.upgrade()
    yield say(frames.PING, b"are you there")
    yield from peer.hear_until(frames.PONG)
    yield say(frames.TEXT, b"one")
    yield say(frames.BINARY, b"two")
    yield from peer.hear_until(frames.TEXT)
    yield say(frames.CLOSE, b"why", code=4001)
    yield from peer.hear_end()


def stages(websocket: Any, act: Callable[[Any], None]) -> list[str]:
    traced: list[str] = []
    websocket.trace = lambda record: traced.append(record["stage"])
    for event in websocket.connect(ping_rate=0):
        if event.name == "binary":
            act(websocket)
    return [stage for stage in traced if not stage.startswith("socket_")]


@pytest.mark.every_door
def test_all_that_is_said_and_heard_in_order() -> None:
    with PeerServer(talks) as server:
        websocket = WebSocket(server.url)
        told = stages(websocket, lambda websocket: websocket.send_text("three"))
    assert told == [
        "connect_start", "handshake_ready", "message_ping", "send_pong", "message_text",
        "message_binary", "send_text", "message_close", "disconnected",
    ]  # fmt: skip


@pytest.mark.doors("sync", "group")
def test_what_is_traced_goes_the_short_way_too() -> None:
    with raw_server(echo) as server:
        for trace in (None, lambda record: None):
            websocket = WebSocket(server.url, trace=trace)
            for event in websocket:
                if event.name == "ready":
                    websocket.send_text("x")
                elif event.name == "text":
                    assert exchange_of(websocket).is_clear
                    websocket.close()


@pytest.mark.every_door
def test_who_listens_to_nothing_has_no_journal(caplog: pytest.LogCaptureFixture) -> None:
    with raw_server(echo) as server, caplog.at_level(logging.WARNING, "lomond"):
        websocket = WebSocket(server.url)
        for event in websocket:
            if event.name == "ready":
                assert exchange_of(websocket).journal is None
                websocket.close()


@pytest.mark.every_door
def test_an_end_that_nobody_was_handed_is_told(caplog: pytest.LogCaptureFixture) -> None:
    with raw_server(echo) as server, caplog.at_level(logging.INFO, "lomond"):
        websocket = WebSocket(server.url)
        stream: Any = websocket.connect()
        for event in stream:
            if event.name == "ready":
                break
        stream.close()
        websocket.reset()
    said = [record.getMessage() for record in caplog.records]
    assert len(said) == 2
    assert " ready: " in said[0]
    assert "this program left the connection" in said[1]


@pytest.mark.doors("sync")
def test_a_listener_may_send_and_close() -> None:
    def trace(record: dict[str, Any]) -> None:
        seen.append(record["stage"])
        if record["stage"] == "message_text" and seen.count("message_text") == 1:
            websocket.send_text("from the trace")
        elif record["stage"] == "message_text":
            websocket.close()

    seen: list[str] = []
    with raw_server(echo) as server:
        websocket = WebSocket(server.url, trace=trace)
        texts = []
        for event in websocket:
            if event.name == "ready":
                websocket.send_text("x")
            elif event.name == "text":
                texts.append(event.text)
    assert texts == ["x", "from the trace"]
    assert seen[-1] == "disconnected"


@pytest.mark.every_door
def test_the_system_s_reads_and_writes_are_told_at_each_size() -> None:
    size = 300_000
    moved = {"socket_send": 0, "socket_recv": 0}

    def trace(record: dict[str, Any]) -> None:
        if record["stage"] in moved:
            moved[record["stage"]] += record["length"]

    def sends(peer: Peer) -> Talk:
        yield from peer.upgrade()
        yield from peer.hear_until(frames.BINARY)
        yield say(frames.BINARY, b"x" * size)
        yield End()

    with PeerServer(sends) as server:
        websocket = WebSocket(server.url, trace=trace)
        for event in websocket.connect(ping_rate=0):
            if event.name == "ready":
                websocket.send_binary(b"y" * size)
    assert size < moved["socket_send"] < size + 1000
    assert size < moved["socket_recv"] < size + 1000


def test_a_listener_that_blocks_keeps_the_line_short() -> None:
    goes = threading.Event()
    told: list[int] = []

    def listen(entry: Entry) -> None:
        assert goes.wait(PATIENCE)
        told.append(entry.value)

    line = Journal([listen], "ws://h/", True, False)
    line.note("out", "text", 0)
    first = threading.Thread(target=line.tell)
    first.start()
    noted: list[int] = []

    def sends() -> None:
        for number in range(1, 3001):
            line.note("out", "text", number)
            noted.append(number)
            line.tell()

    second = threading.Thread(target=sends)
    second.start()
    second.join(0.1)
    assert len(noted) < 1000 + PATIENCE  # one more for each second that it was kept back
    goes.set()
    first.join(PATIENCE)
    second.join(PATIENCE)
    assert told == list(range(3001))
