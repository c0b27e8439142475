"""Two connections of one WebSocket as one stream, in each door."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable
from typing import Any

import pytest

from doors.raw_server import frame, raw_server, read_frame
from doors.ways_to_wait import WAYS
from lomond.door import timed
from lomond.events import Text
from lomond.io.merging import merged
from lomond.making import made
from lomond.protocol import frames
from lomond.session.finish import Why
from lomond.system.need import Awaited, Need

QUIET: dict[str, Any] = {"poll": None, "ping_rate": 0}
COUNT = 20


@pytest.fixture(params=WAYS)
def way(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def both(websocket: Any, exchanges: list[Any], **options: Any) -> Callable[[Any], Any]:
    """Two connections of it."""

    def make(driver: Any) -> Any:
        streams = []
        for _ in range(2):
            exchange, items = made(websocket, timed(websocket, QUIET | options), driver)
            exchanges.append(exchange)
            streams.append((exchange.session, items))
        return merged(streams, getattr(driver, "follow", None))

    return make


def answer(connection: socket.socket) -> None:
    """Each text, until the close."""
    with contextlib.suppress(OSError):
        while True:
            opcode, payload = read_frame(connection)
            connection.sendall(frame(opcode, payload))
            if opcode == frames.CLOSE:
                return


def test_two_connections_of_one_websocket_send_and_hear_each_its_own(way: str) -> None:
    play, door = WAYS[way]
    exchanges: list[Any] = []
    heard: list[str] = []

    def act(event: Any) -> Any:
        if event.name == "ready":
            ready.append(event)
            if len(ready) == 2:
                return send("0 0", "1 0")
        elif event.name == "text":
            heard.append(event.text)
            number, count = map(int, event.text.split())
            if count == COUNT:
                exchanges[number].close(1000, b"")
            else:
                return send(f"{number} {count + 1}")
        return None

    def send(*texts: str) -> Any:
        sent = [exchanges[int(text[0])].send(frames.TEXT, text.encode()) for text in texts]
        return all_of(sent) if way not in ("sync", "group") else None

    async def all_of(sent: list[Any]) -> None:
        for one in sent:
            await one

    ready: list[Any] = []
    with raw_server(answer) as server:
        seen = play(both(door(server.url), exchanges), act)
    for number in "01":
        expected = [f"{number} {count}" for count in range(COUNT + 1)]
        assert [text for text in heard if text[0] == number] == expected
    names = [event.name for event in seen]
    assert names.count("disconnected") == 2
    assert [e.graceful for e in seen if e.name == "disconnected"] == [True, True]


def test_one_that_floods_keeps_the_other_waiting_for_a_few_events_only(way: str) -> None:
    play, door = WAYS[way]
    exchanges: list[Any] = []
    is_first = threading.Lock()
    floods = threading.Event()
    said = threading.Event()

    def serve(connection: socket.socket) -> None:
        with contextlib.suppress(OSError):
            if is_first.acquire(blocking=False):
                while not said.is_set():
                    connection.sendall(frame(frames.TEXT, bytes(2000)) * 50)
                    floods.set()
                connection.sendall(frame(frames.CLOSE, (1000).to_bytes(2, "big")))
            else:
                floods.wait()
                connection.sendall(frame(frames.TEXT, b"word"))
                connection.sendall(frame(frames.CLOSE, (1000).to_bytes(2, "big")))
            while connection.recv(10_000):
                pass

    def act(event: Any) -> None:
        if event.name == "text" and event.text == "word":
            said.set()

    with raw_server(serve) as server:
        seen = play(both(door(server.url), exchanges), act)
    assert said.is_set()
    assert [event.name for event in seen].count("disconnected") == 2


def test_a_loss_of_one_leaves_the_other(way: str) -> None:
    play, door = WAYS[way]
    exchanges: list[Any] = []

    def act(event: Any) -> Any:
        if event.name == "ready":
            ready.append(event)
            if len(ready) == 2:
                exchanges[0].force(Why("lost by the test"))
        elif event.name == "disconnected" and event.reason == "lost by the test":
            exchanges[1].close(1000, b"")

    ready: list[Any] = []
    with raw_server(answer) as server:
        seen = play(both(door(server.url), exchanges), act)
    ends = [(event.reason, event.graceful) for event in seen if event.name == "disconnected"]
    assert ends == [("lost by the test", False), ("closed", True)]


def test_each_one_s_deadlines_hold(way: str) -> None:
    play, door = WAYS[way]
    exchanges: list[Any] = []

    def act(event: Any) -> None:
        if event.name == "poll":
            polls.append(event)
        if len(polls) == 6:
            exchanges[0].close(1000, b"")
            exchanges[1].close(1000, b"")

    polls: list[Any] = []
    with raw_server(answer) as server:
        seen = play(both(door(server.url), exchanges, poll=0.02), act)
    assert [event.name for event in seen].count("disconnected") == 2


# Without a door


def said(*items: Any) -> Any:
    yield from items


def test_all_are_waited_for_at_once_and_each_is_told_what_came_of_it() -> None:
    first, second = Need(5.0, ("a",), ("b",)), Need(3.0, ("c",))
    session: Any = None
    stream = merged([(session, said(first, Text("x"))), (session, said(second, first))])
    need = next(stream)
    assert (need.until, need.readable, need.writable) == (3.0, ("a", "c"), ("b",))
    need.ready, need.looked_at = ["b"], 2.5
    assert next(stream).text == "x"
    assert (first.ready, second.ready) == (["b"], [])
    assert (first.looked_at, second.looked_at) == (2.5, 2.5)


def test_what_is_awaited_already_is_not_given_up_for_what_another_one_has_awaited() -> None:
    async def token() -> None: ...

    def asks(which: Awaited, is_asked: list[bool]) -> Any:
        while not which.is_done:
            need = Need(None)
            need.awaited = which if is_asked else None
            yield need

    first, second = Awaited(token), Awaited(token)
    is_asked: list[bool] = []
    session: Any = None
    stream = merged([(session, asks(first, is_asked)), (session, asks(second, [True]))])
    found = [next(stream).awaited]
    is_asked.append(True)
    found.append(next(stream).awaited)
    second.is_done = True
    found.append(next(stream).awaited)
    assert found == [second, second, first]


def test_what_one_raises_closes_the_others() -> None:
    def fail() -> Any:
        yield Need(None)
        raise LookupError

    def other() -> Any:
        try:
            while True:
                yield Need(None)
        finally:
            closed.append(True)

    closed: list[bool] = []
    session: Any = None
    stream = merged([(session, fail()), (session, other())])
    next(stream)
    with pytest.raises(LookupError):
        next(stream)
    assert closed == [True]
