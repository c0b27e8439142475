"""What goes on beside the user's task in trio: events, sends that wait, other tasks and threads."""

from __future__ import annotations

import contextlib
import select
import socket
import threading
import time
from collections.abc import Awaitable, Callable
from time import monotonic
from typing import Any

import anyio
import pytest
import trio
import trio.testing

from doors.raw_server import echo, frame, raw_server, read_all, read_frame
from doors.trio_runs import QUIET, in_thread, on_trio, until
from fair_clock import FairClock
from lomond import TrioWebSocket
from lomond.errors import TransportFail, WebSocketUnavailable
from lomond.protocol import frames
from lomond.session.ahead import TURN
from lomond.trio import Events
from patience import PATIENCE

# While the task is elsewhere


def test_pings_are_answered_and_sent_while_the_task_is_elsewhere() -> None:
    heard: list[tuple[int, bytes]] = []
    answered = threading.Event()

    def serve(connection: socket.socket) -> None:
        connection.sendall(frame(frames.PING, b"are you there?"))
        while len(heard) < 3:
            heard.append(read_frame(connection)[:2])
        answered.set()
        read_all(connection)

    async def talk(url: str) -> str:
        async with TrioWebSocket(url) as websocket:
            events = websocket.connect(ping_rate=0.1, poll=None)
            await until(events, "ready")
            await in_thread(answered)
            return (await anext(events)).name

    with raw_server(serve) as server:
        assert on_trio(talk, server.url) == "ping"
    assert (frames.PONG, b"are you there?") in heard
    assert (frames.PING, b"") in heard


def test_pings_are_sent_however_many_polls_the_task_has_not_taken() -> None:
    heard: list[int] = []
    enough = threading.Event()

    def serve(connection: socket.socket) -> None:
        while heard.count(frames.PING) < 3:
            heard.append(read_frame(connection)[0])
        enough.set()
        read_all(connection)

    async def talk(url: str) -> str:
        async with TrioWebSocket(url) as websocket:
            events = websocket.connect(poll=0.02, ping_rate=0.1)
            await until(events, "ready")
            await in_thread(enough)
            return (await anext(events)).name

    with raw_server(serve) as server:
        assert on_trio(talk, server.url) == "poll"


def _burst(connection: socket.socket) -> None:
    """Texts that come together, more than run ahead of the task."""
    connection.sendall(frame(frames.TEXT, b"x") * 2000)
    read_all(connection)


def test_other_tasks_have_turns_within_a_burst() -> None:
    turns = 0

    async def others() -> None:
        nonlocal turns
        while True:
            await trio.lowlevel.checkpoint()
            turns += 1

    async def talk(url: str) -> None:
        async with trio.open_nursery() as nursery, TrioWebSocket(url) as websocket:
            nursery.start_soon(others)
            events = websocket.connect(**QUIET)
            await until(events, "ready")
            before = turns
            for number in range(50):
                time.sleep(2 * TURN)  # in the handler
                assert (await until(events, "text")).text == "x"
                # In which order tasks have their turns is chance, and differs each time.
                assert turns - before >= number
            nursery.cancel_scope.cancel()

    with raw_server(_burst) as server:
        on_trio(talk, server.url)


def test_who_is_cancelled_within_a_burst_is_told_at_the_next_event_and_loses_none() -> None:
    async def talk(url: str) -> int:
        texts = 0
        async with TrioWebSocket(url) as websocket:
            events = websocket.connect(**QUIET)
            await until(events, "ready")
            while texts < 2000:
                with trio.CancelScope() as scope:
                    async for event in events:
                        assert not scope.cancel_called
                        texts += event.name == "text"
                        if texts % 100 == 50:
                            scope.cancel()
                        elif texts == 2000:
                            break
        return texts

    with raw_server(_burst) as server:
        assert on_trio(talk, server.url) == 2000


def test_a_handler_comes_before_what_follows_its_event() -> None:
    async def talk(listener: socket.socket) -> None:
        async with TrioWebSocket(f"ws://127.0.0.1:{listener.getsockname()[1]}/") as websocket:
            events = websocket.connect(**QUIET)
            await until(events, "connecting")
            await trio.testing.wait_all_tasks_blocked()
            assert select.select([listener], [], [], 0)[0] == []
            await until(events, "connected")
            assert select.select([listener], [], [], 0)[0] == [listener]

    with socket.create_server(("127.0.0.1", 0)) as listener:
        on_trio(talk, listener)


def test_a_slow_task_makes_the_server_wait() -> None:
    sent: list[int] = []
    done = threading.Event()

    def serve(connection: socket.socket) -> None:
        connection.settimeout(0.5)
        with contextlib.suppress(TimeoutError):
            for number in range(10_000):
                connection.sendall(frame(frames.BINARY, bytes(50_000)))
                sent.append(number)
        done.set()

    async def talk(url: str) -> None:
        async with TrioWebSocket(url) as websocket:
            await until(events := websocket.connect(**QUIET), "ready")
            await in_thread(done)
            await events.aclose()

    with raw_server(serve) as server:
        on_trio(talk, server.url)
    assert len(sent) < 500  # what the system's buffers take, and not 500 MB


@pytest.mark.parametrize("poll", [0, 0.01])
def test_polls_leave_the_other_tasks_their_turns(poll: float) -> None:
    async def talk(url: str) -> int:
        turns = 0

        async def count() -> None:
            nonlocal turns
            while True:
                turns += 1
                await trio.lowlevel.checkpoint()

        async with TrioWebSocket(url) as websocket, trio.open_nursery() as nursery:
            events = websocket.connect(poll=poll, ping_rate=0)
            await until(events, "ready")
            nursery.start_soon(count)
            for _ in range(50):
                await until(events, "poll")
            nursery.cancel_scope.cancel()
        return turns

    with raw_server(read_all) as server:
        assert on_trio(talk, server.url) >= 49


def test_a_stream_without_events_leaves_the_other_tasks_their_turns() -> None:
    enough = threading.Event()

    def serve(connection: socket.socket) -> None:
        connection.sendall(b"\x01\x00")
        parts = b"\x00\x00" * 30_000
        while not enough.is_set():
            connection.sendall(parts)

    async def talk(url: str) -> None:
        async with TrioWebSocket(url, max_fragments=None) as websocket:
            events = websocket.connect(**QUIET)
            await until(events, "ready")
            with trio.move_on_after(0.5) as scope:
                await until(events, "text")
            assert scope.cancelled_caught
            enough.set()

    with raw_server(serve) as server:
        on_trio(talk, server.url)


# Sends that wait


def test_several_tasks_send() -> None:
    payloads = [bytes([number]) * 300_000 for number in range(20)]

    async def talk(url: str) -> list[bytes]:
        async with TrioWebSocket(url) as websocket, trio.open_nursery() as nursery:
            events = websocket.connect(**QUIET)
            await until(events, "ready")
            for payload in payloads:
                nursery.start_soon(websocket.send_binary, payload)
            return sorted([(await until(events, "binary")).data for _ in payloads])

    with raw_server(echo) as server:
        assert on_trio(talk, server.url) == payloads


def test_of_two_sends_that_wait_the_one_that_is_given_up_leaves_the_other_its_reading() -> None:
    large = bytes(8_000_000)
    is_given_up = threading.Event()

    def serve(connection: socket.socket) -> None:
        connection.sendall(frame(frames.TEXT, b"go"))
        assert is_given_up.wait(PATIENCE)
        connection.sendall(frame(frames.BINARY, bytes(1000)) * 15_000)  # and reads only afterwards
        for _ in range(2):
            assert read_frame(connection) == (frames.BINARY, large)
        read_all(connection)

    async def talk(url: str) -> None:
        async with TrioWebSocket(url, send_timeout=None) as websocket:
            await until(events := websocket.connect(**QUIET), "text")
            async with trio.open_nursery() as nursery:
                with trio.CancelScope() as scope:
                    nursery.start_soon(websocket.send_binary, large)
                    await trio.testing.wait_all_tasks_blocked()
                    scope.cancel()
                    await websocket.send_binary(large)
                with trio.move_on_after(0.1):
                    await websocket.send_binary(large)
                is_given_up.set()
            await events.aclose()

    with raw_server(serve) as server:
        on_trio(talk, server.url)


def test_a_send_that_nobody_reads_ends() -> None:
    released = threading.Event()

    async def talk(url: str) -> Any:
        async with TrioWebSocket(url, send_timeout=0.3) as websocket:
            events = websocket.connect(**QUIET)
            await until(events, "ready")
            before, had = monotonic(), clock.now()
            with pytest.raises(TransportFail, match="send_timeout"):
                await websocket.send_binary(bytes(30_000_000))
            assert monotonic() - before >= 0.3
            assert clock.now() - had < 3
            last = await until(events, "disconnected")
            with pytest.raises(WebSocketUnavailable):
                await websocket.send_text("x")
            return last

    with (
        FairClock() as clock,
        raw_server(lambda connection: released.wait(PATIENCE) and None) as server,
    ):
        last = on_trio(talk, server.url)
        released.set()
    assert "send_timeout" in last.reason


@pytest.mark.parametrize("end", ["silence", "reserved bits", "force", "thread", "aclose"])
def test_the_end_ends_a_send_in_the_body_of_the_loop(end: str) -> None:
    done = threading.Event()

    def serve(connection: socket.socket) -> None:
        connection.sendall(frame(frames.TEXT, b"go"))
        if end == "reserved bits":
            done.wait(0.3)
            connection.sendall(b"\xff\xff\xff\xff")
        done.wait(PATIENCE)

    async def talk(url: str) -> list[str]:
        async with TrioWebSocket(url, send_timeout=None) as websocket:
            rate = 0.3 if end == "silence" else 0
            events = websocket.connect(poll=None, ping_rate=rate, ping_timeout=0.3)
            await until(events, "text")
            async with trio.open_nursery() as nursery:
                nursery.start_soon(end_it, websocket, events)
                with pytest.raises(TransportFail):
                    await websocket.send_binary(bytes(50_000_000))
            return [event.name async for event in events]

    async def end_it(websocket: TrioWebSocket, events: Events) -> None:
        await trio.testing.wait_all_tasks_blocked()
        if end == "force":
            websocket.force_disconnect()
        elif end == "thread":
            await trio.to_thread.run_sync(websocket.force_disconnect)
        elif end == "aclose":
            await events.aclose()

    said = {"silence": ["unresponsive"], "reserved bits": ["protocol_error"]}.get(end, [])
    with raw_server(serve) as server:
        found = on_trio(talk, server.url)
        done.set()
    assert found == ([] if end == "aclose" else [*said, "disconnected"])


def test_a_send_is_for_the_connection_that_there_was_when_it_was_called() -> None:
    heard: list[list[bytes]] = []

    def serve(connection: socket.socket) -> None:
        heard.append([payload for opcode, payload in read_all(connection) if opcode == frames.TEXT])

    async def talk(url: str) -> None:
        async with TrioWebSocket(url) as websocket:
            await until(websocket.connect(**QUIET), "ready")
            sent = websocket.send_text("to the first")
            await until(websocket.connect(**QUIET), "ready")
            with pytest.raises(WebSocketUnavailable):
                await sent
            await websocket.send_text("to the second")

    with raw_server(serve) as server:
        on_trio(talk, server.url)
    assert sorted(heard) == [[], [b"to the second"]]


# Other tasks, threads and runs


def test_two_tasks_that_wait_for_one_event() -> None:
    async def talk(url: str) -> None:
        async with TrioWebSocket(url) as websocket, trio.open_nursery() as nursery:
            events = websocket.connect(**QUIET)
            await until(events, "ready")
            nursery.start_soon(until, events, "text")
            await trio.testing.wait_all_tasks_blocked()
            with pytest.raises(RuntimeError, match="another task"):
                await anext(events)
            await websocket.send_text("x")

    with raw_server(echo) as server:
        on_trio(talk, server.url)


@pytest.mark.parametrize("way", ["force_disconnect", "send", "close"])
def test_another_thread(way: str) -> None:
    def act(websocket: TrioWebSocket) -> None:
        if way == "force_disconnect":
            websocket.force_disconnect()
        elif way == "send":
            trio.from_thread.run(websocket.send_text, "x")
        else:
            trio.from_thread.run(websocket.close)

    async def talk(url: str) -> str:
        async with TrioWebSocket(url) as websocket, trio.open_nursery() as nursery:
            events = websocket.connect(**QUIET)
            await until(events, "ready")
            nursery.start_soon(trio.to_thread.run_sync, act, websocket)
            return (await anext(events)).name

    expected = {"force_disconnect": "disconnected", "send": "text", "close": "closed"}
    with raw_server(echo) as server:
        assert on_trio(talk, server.url) == expected[way]


def test_another_run_is_refused() -> None:
    kept: list[Any] = []

    async def talk(url: str) -> None:
        async with TrioWebSocket(url) as websocket:
            kept[:] = [websocket, websocket.connect(**QUIET)]
            await until(kept[1], "ready")
            for act in (anext, lambda events: kept[0].send_text("x")):
                await trio.to_thread.run_sync(refused, act)

    def refused(act: Callable[[Any], Awaitable[Any]]) -> None:
        async def elsewhere() -> None:
            with pytest.raises(RuntimeError, match="another run"):
                await act(kept[1])

        trio.run(elsewhere)

    with raw_server(read_all) as server:
        on_trio(talk, server.url)


def test_below_anyio() -> None:
    async def talk(url: str) -> list[str]:
        found = []
        with anyio.fail_after(PATIENCE):
            async with TrioWebSocket(url) as websocket, anyio.create_task_group() as group:
                async for event in websocket.connect(**QUIET):
                    found.append(event.name)
                    if event.name == "ready":
                        group.start_soon(websocket.send_text, "x")
                    elif event.name == "text":
                        await websocket.close()
        return found

    with raw_server(echo) as server:
        found = anyio.run(talk, server.url, backend="trio")
    assert found == ["connecting", "connected", "ready", "text", "closed", "disconnected"]
