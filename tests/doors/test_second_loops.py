"""A second loop after the first was left says what to write."""

from __future__ import annotations

import asyncio
import socket
import warnings
from collections.abc import Generator
from typing import Any

import pytest
import trio

from doors.raw_server import echo, frame, raw_server
from lomond import AsyncWebSocket, TrioWebSocket, WebSocket, wrong_door
from lomond.protocol import frames

#: What is said to who goes on in another loop.
BROKEN = (
    r"^whoever leaves a loop over a WebSocket \(by break\) ends its connection, .* write events = "
    r"websocket.connect\(\), and both loops over events$"
)
AWAITED = [(AsyncWebSocket, asyncio.run), (TrioWebSocket, lambda act: trio.run(lambda: act))]


@pytest.fixture(autouse=True)
def _first_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """As at the beginning of a process."""
    monkeypatch.setattr(wrong_door, "has_warned_of_break", False)


def greets(connection: socket.socket) -> None:
    connection.sendall(frame(frames.TEXT, b"hello"))
    echo(connection)


def look_for(websocket: WebSocket, name: str) -> None:
    """Leave a loop at an event: each time the same loop."""
    for event in websocket:
        if event.name == name:
            break


def go_on_in_another_loop(websocket: WebSocket) -> None:
    for event in websocket:
        if event.name == "ready":
            break
    for event in websocket:
        if event.name == "ready":
            break


async def go_on_awaiting(websocket: Any) -> None:
    async with websocket:
        async for event in websocket:
            if event.name == "ready":
                break
        async for event in websocket:
            if event.name == "ready":
                break


async def look_and_wait(websocket: Any, name: str) -> None:
    async with websocket:
        async for event in websocket:
            if event.name == name:
                break


def test_another_loop_after_break() -> None:
    with raw_server(echo) as server:
        with pytest.warns(RuntimeWarning, match=BROKEN) as told:
            go_on_in_another_loop(WebSocket(server.url))
        assert [one.filename for one in told] == [__file__]
        go_on_in_another_loop(WebSocket(server.url))  # it was said


@pytest.mark.parametrize(("kind", "run"), AWAITED)
def test_another_loop_that_awaits(kind: Any, run: Any) -> None:
    with raw_server(echo) as server:
        with pytest.warns(RuntimeWarning, match=BROKEN) as told:
            run(go_on_awaiting(kind(server.url)))
        assert [one.filename for one in told] == [__file__]


def test_who_connects_anew_on_purpose_is_told_nothing() -> None:
    with raw_server(greets) as server, warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)
        websocket = WebSocket(server.url)
        for _ in range(2):  # the same loop again
            look_for(websocket, "ready")
        for event in websocket:  # of another function than the loop before
            if event.name == "text":
                break
        for event in websocket:  # after a conversation
            if event.name == "ready":
                websocket.close()
        for event in websocket:  # after its end
            if event.name == "connecting":
                break
        for event in websocket:  # that one was never ready
            if event.name == "ready":
                break
        websocket.reset()
        for event in websocket:  # as asked for
            if event.name == "ready":
                break


@pytest.mark.parametrize(("kind", "run"), AWAITED)
def test_who_connects_anew_and_awaits_is_told_nothing(kind: Any, run: Any) -> None:
    async def act(websocket: Any) -> None:
        for name in ("ready", "ready", "text"):
            await look_and_wait(websocket, name)
        async with websocket:
            events = aiter(websocket)
            async for event in events:
                if event.name == "ready":
                    break
            async for event in websocket:  # those of the first are kept
                if event.name == "ready":
                    break

    with raw_server(greets) as server, warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)
        run(act(kind(server.url)))


def test_a_subclass_whose_connect_is_its_own() -> None:
    class Own(WebSocket):
        def connect(self, *args: Any, **options: Any) -> Any:
            return ["its own"]

    assert list(Own("ws://h/")) == ["its own"]


def test_on_with_the_same_events_after_break() -> None:
    with raw_server(greets) as server, warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)
        stream = WebSocket(server.url).connect(poll=None)
        for event in stream:
            if event.name == "ready":
                break
        for event in stream:
            assert event.name == "text"
            break
        stream.close()


def test_events_are_those_of_a_generator_in_all_else() -> None:
    with raw_server(greets) as server:
        stream = WebSocket(server.url).connect(poll=None)
        assert isinstance(stream, Generator)
        assert next(stream).name == "connecting"
        assert stream.send(None).name == "connected"
        with pytest.raises(KeyError):
            stream.throw(KeyError("of the user's"))
        assert next(stream, None) is None
