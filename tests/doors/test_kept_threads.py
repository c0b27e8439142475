"""What keeps the thread from a connection, for longer than its deadlines, is no silent server.

In asyncio that is another task, in a group the body of the loop for another member. Handlers
of the connection itself are in test_deadlines.py.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import socket
import time
from collections.abc import Callable, Coroutine, Iterator
from typing import Any, NamedTuple

import pytest

from doors.certified import contexts
from doors.loops import Run
from doors.raw_server import accept_upgrade, echo, frame, raw_server, read_request
from doors.unkind_proxies import address_of, hang
from fair_clock import FairClock
from lomond import WebSocket
from lomond.aio import AsyncWebSocket
from lomond.group import WebSocketGroup
from lomond.protocol import frames
from lomond.settable import CONNECT
from patience import FAR

TIMEOUT = 0.3  # seconds, of the opening
LONG = 0.4  # seconds for which the thread is kept
KINDS = ["plain", "tls", "proxy"]
TURNS = [0, 1, 2, 4, 7, 12]  # of the event loop, before somebody keeps it


def upgrade_behind_a_proxy(connection: socket.socket) -> None:
    assert read_request(connection).startswith(b"CONNECT ")
    connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
    accept_upgrade(connection, read_request(connection))
    echo(connection)


@contextlib.contextmanager
def served(kind: str, handler: Callable[[socket.socket], None] = echo) -> Iterator[dict[str, Any]]:
    """A server, and the options of a client for it."""
    if kind == "proxy":
        with raw_server(upgrade_behind_a_proxy, upgrades=False) as proxy:
            yield {"url": "ws://example.invalid/", "proxies": {"http": address_of(proxy)}}
        return
    server_context, client_context = contexts()
    context = server_context if kind == "tls" else None
    with raw_server(handler, upgrades=handler is echo, context=context) as server:
        yield {"url": server.url, "proxies": {}, "ssl_context": client_context}


async def keep_the_loop(turns: int, seconds: float) -> None:
    for _ in range(turns):
        await asyncio.sleep(0)
    time.sleep(seconds)


@pytest.mark.parametrize("turns", TURNS)
@pytest.mark.parametrize("kind", KINDS)
def test_a_task_that_keeps_the_loop_is_no_silent_server(run: Run, kind: str, turns: int) -> None:
    async def open_one(options: dict[str, Any]) -> list[str]:
        names: list[str] = []
        async with AsyncWebSocket(open_timeout=TIMEOUT, **options) as websocket:
            async for event in websocket.connect(poll=None, ping_rate=0):
                names.append(event.name)
                if event.name == "connecting":
                    other = asyncio.create_task(keep_the_loop(turns, LONG))
                elif event.name == "ready":
                    break
            await other
        return names

    with served(kind) as options:
        assert run(open_one(options)) == ["connecting", "connected", "ready"]


@pytest.mark.parametrize("kind", KINDS)
def test_the_body_for_another_member_is_no_silent_server(kind: str) -> None:
    """Whichever of the events it is behind which the body takes long."""
    with served(kind) as options, raw_server(echo) as other:
        for behind in range(1, 5):
            group = WebSocketGroup()
            slow = WebSocket(other.url, proxies={})
            quick = WebSocket(open_timeout=TIMEOUT, **options)
            group.add(slow, poll=0.0, ping_rate=0)
            group.add(quick, poll=None, ping_rate=0)
            names: list[str] = []
            seen = 0
            for websocket, event in group:
                if websocket is quick:
                    names.append(event.name)
                    if event.name in ("ready", "connect_fail", "disconnected"):
                        break
                else:
                    seen += 1
                    if seen == behind:
                        time.sleep(LONG)
            group.close()
            assert names == ["connecting", "connected", "ready"]


def test_a_silent_server_is_given_up_however_often_the_loop_is_kept(run: Run) -> None:
    """Not later than open_timeout, and the time for which it was."""
    kept = 0.0

    async def keep() -> None:
        nonlocal kept
        while True:
            await asyncio.sleep(0.01)
            began = time.monotonic()
            time.sleep(0.15)
            kept += time.monotonic() - began

    async def open_one(options: dict[str, Any]) -> tuple[str, float, float]:
        other = asyncio.create_task(keep())
        began, had = time.monotonic(), clock.now()
        async with AsyncWebSocket(open_timeout=TIMEOUT, **options) as websocket:
            async for event in websocket.connect(poll=None, ping_rate=0):  # noqa: B007  the last
                pass
        took, of_it = time.monotonic() - began, clock.now() - had
        other.cancel()
        return event.reason, took, of_it  # type: ignore[union-attr]  # of the last

    with served("plain", hang) as options, FairClock() as clock:
        reason, took, of_it = run(open_one(options))
    assert "open_timeout" in reason
    assert took >= TIMEOUT
    assert of_it <= TIMEOUT + kept + 0.3


@pytest.mark.parametrize("way", ["wait", "close"])
@pytest.mark.parametrize("kind", ["plain", "tls"])
def test_a_loop_that_is_busy_in_every_turn_puts_nothing_off(run: Run, kind: str, way: str) -> None:
    """Its turns take more time than a late timer is forgiven."""

    async def keep() -> None:
        while True:
            await asyncio.sleep(0)
            time.sleep(0.012)

    async def open_one(options: dict[str, Any]) -> str:
        other = asyncio.create_task(keep())
        timeout = TIMEOUT if way == "wait" else FAR
        async with AsyncWebSocket(open_timeout=timeout, **options) as websocket:
            async for event in websocket.connect(poll=None, ping_rate=0):
                if way == "close" and event.name == "connecting":
                    await websocket.close()
        other.cancel()
        return event.reason  # type: ignore[union-attr]  # of the last

    with served(kind, hang) as options:
        reason = run(open_one(options))
    assert ("open_timeout" if way == "wait" else "closed by the user") in reason


def half_and_half(connection: socket.socket) -> None:
    whole = frame(frames.BINARY, bytes(200_000))
    for half in (whole[:50_000], whole[50_000:]):
        time.sleep(0.05)
        connection.sendall(half)
    echo(connection)


async def keep_again_and_again() -> None:
    for pause in itertools.cycle((0, 0.02, 0.05)):
        await asyncio.sleep(pause)
        time.sleep(0.3)


Act = Callable[[AsyncWebSocket], Coroutine[Any, Any, None]]


class Row(NamedTuple):
    """A deadline of a connection that stands, and what must be seen in spite of it."""

    option: str
    act: Act | None = None  #: in the handler of Ready
    seen: str = "closed"
    handler: Callable[[socket.socket], None] = echo


async def send_much(websocket: AsyncWebSocket) -> None:
    await websocket.send_binary(bytes(6_000_000))


ROWS = [
    Row("close_timeout", AsyncWebSocket.close),
    Row("ping_timeout", AsyncWebSocket.send_ping, "pong"),
    Row("frame_timeout", None, "binary", half_and_half),
    Row("send_timeout", send_much, "binary"),
]


@pytest.mark.parametrize("kind", ["plain", "tls"])
@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.option)
def test_a_connection_that_stands_is_judged_by_what_came(run: Run, row: Row, kind: str) -> None:
    """A task keeps the loop again and again, for longer than the deadline."""

    async def talk(url: str, context: Any) -> list[str]:
        seen: list[str] = []
        options: dict[str, Any] = {row.option: 0.2}
        connect = {name: options.pop(name) for name in CONNECT if name in options}
        async with AsyncWebSocket(url, ssl_context=context, **options) as websocket:
            async for event in websocket.connect(poll=None, ping_rate=0, **connect):
                seen.append(event.name)
                if event.name == "ready":
                    other = asyncio.create_task(keep_again_and_again())
                    if row.act is not None:
                        await row.act(websocket)
                if event.name == row.seen:
                    break
            other.cancel()
        return seen

    server_context, client_context = contexts()
    with raw_server(row.handler, context=server_context if kind == "tls" else None) as server:
        assert run(talk(server.url, client_context))[-1] == row.seen
