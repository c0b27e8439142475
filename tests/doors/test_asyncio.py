"""What only the asyncio door has: cancellation, several tasks, a loop that goes on meanwhile."""

from __future__ import annotations

import asyncio
import errno
import gc
import socket
import subprocess
import sys
import threading
import warnings
from time import monotonic
from typing import Any

import pytest

from doors.loops import Run, echo, until
from doors.raw_server import frame, raw_server, read_all, read_frame
from fair_clock import FairClock
from lomond.aio import AsyncWebSocket
from lomond.errors import TransportFail, WebSocketUnavailable
from lomond.persist import persist
from lomond.protocol import frames
from patience import PATIENCE


def test_a_conversation(run: Run) -> None:
    async def talk(url: str) -> list[str]:
        names = []
        async with AsyncWebSocket(url) as websocket:
            async for event in websocket.connect(ping_rate=0):
                names.append(event.name)
                if event.name == "ready":
                    await websocket.send_json(a=1)
                elif event.name == "text":
                    assert event.json == {"a": 1}
                    await websocket.send_binary(bytes(3_000_000))
                elif event.name == "binary":
                    assert event.data == bytes(3_000_000)
                    await websocket.close()
            assert websocket.is_closed
        return [name for name in names if name != "poll"]

    with raw_server(echo) as server:
        assert run(talk(server.url)) == [
            "connecting", "connected", "ready", "text", "binary", "closed", "disconnected",
        ]  # fmt: skip


def test_pings_are_answered_and_sent_while_the_task_is_elsewhere(run: Run) -> None:
    heard: list[tuple[int, bytes]] = []
    answered = threading.Event()

    def serve(connection: socket.socket) -> None:
        connection.sendall(frame(frames.PING, b"are you there?"))
        while len(heard) < 3:
            heard.append(read_frame(connection)[:2])
        answered.set()
        read_all(connection)

    async def talk(url: str) -> list[str]:
        async with AsyncWebSocket(url) as websocket:
            events = websocket.connect(ping_rate=0.1, poll=None)
            await until(events, "ready")
            while not answered.is_set():
                await asyncio.sleep(0.01)
            return [(await anext(events)).name]

    with raw_server(serve) as server:
        assert run(talk(server.url)) == ["ping"]
    assert (frames.PONG, b"are you there?") in heard
    assert (frames.PING, b"") in heard


def test_a_cancelled_wait_loses_no_event(run: Run) -> None:
    async def talk(url: str) -> list[str]:
        async with AsyncWebSocket(url) as websocket:
            events = websocket.connect(poll=None, ping_rate=0)
            await until(events, "ready")
            for number in range(100):
                waiting = asyncio.ensure_future(anext(events))
                await websocket.send_text(str(number))
                for _ in range(number % 7):
                    await asyncio.sleep(0)
                waiting.cancel()
                try:
                    texts.append((await waiting).text)
                except asyncio.CancelledError:
                    texts.append((await anext(events)).text)
            return texts

    texts: list[str] = []
    with raw_server(echo) as server:
        assert run(talk(server.url)) == [str(number) for number in range(100)]


def test_several_tasks_send(run: Run) -> None:
    async def talk(url: str) -> list[int]:
        async with AsyncWebSocket(url) as websocket:
            events = websocket.connect(poll=None, ping_rate=0)
            await until(events, "ready")
            payloads = [bytes([number]) * 300_000 for number in range(20)]
            sending = asyncio.gather(*map(websocket.send_binary, payloads))
            got = [(await until(events, "binary")).data for _ in payloads]
            await sending
            assert sorted(got) == payloads
            return [data[0] for data in got]

    with raw_server(echo) as server:
        assert sorted(run(talk(server.url))) == list(range(20))


def test_a_cancelled_send_leaves_a_whole_message(run: Run) -> None:
    may_read = threading.Event()
    heard: list[int] = []

    def serve(connection: socket.socket) -> None:
        assert may_read.wait(PATIENCE)
        for _ in range(2):
            heard.append(len(read_frame(connection)[1]))
        connection.sendall(frame(frames.TEXT, b"both"))
        read_all(connection)

    async def talk(url: str) -> None:
        async with AsyncWebSocket(url) as websocket:
            events = websocket.connect(poll=None, ping_rate=0)
            await until(events, "ready")
            with pytest.raises(asyncio.TimeoutError):
                await asyncio.wait_for(websocket.send_binary(bytes(20_000_000)), 0.1)
            may_read.set()
            await websocket.send_binary(b"more")
            assert (await until(events, "text")).text == "both"

    with raw_server(serve) as server:
        run(talk(server.url))
    assert heard == [20_000_000, 4]


def test_a_send_that_nobody_reads_ends(run: Run) -> None:
    released = threading.Event()

    async def talk(url: str) -> Any:
        async with AsyncWebSocket(url, send_timeout=0.3) as websocket:
            events = websocket.connect(poll=None, ping_rate=0)
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
        last = run(talk(server.url))
        released.set()
    assert "send_timeout" in last.reason


def test_a_timeout_around_the_opening_leaves_no_socket(run: Run) -> None:
    async def talk(port: int) -> None:
        async with AsyncWebSocket(f"ws://127.0.0.1:{port}/") as websocket:
            with pytest.raises(asyncio.TimeoutError):
                await asyncio.wait_for(until(websocket.connect(), "ready"), 0.2)

    with socket.create_server(("127.0.0.1", 0)) as silent:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            run(talk(silent.getsockname()[1]))
            gc.collect()
        connection, _ = silent.accept()
        with connection:
            connection.settimeout(PATIENCE)
            assert b"Upgrade" in connection.recv(65536)
            assert connection.recv(1) == b""


def test_leaving_the_block_says_so_to_the_server(run: Run) -> None:
    heard: list[tuple[int, bytes]] = []

    async def talk(url: str) -> None:
        async with AsyncWebSocket(url) as websocket:
            async for event in websocket.connect(ping_rate=0):
                if event.name == "ready":
                    break

    with raw_server(lambda connection: heard.extend(read_all(connection))) as server:
        run(talk(server.url))
    assert heard == [(frames.CLOSE, (1001).to_bytes(2, "big"))]


def test_a_dropped_iterator_closes_with_a_warning(run: Run) -> None:
    heard: list[tuple[int, bytes]] = []

    async def talk(url: str) -> None:
        websocket = AsyncWebSocket(url)
        events = websocket.connect(ping_rate=0)
        await until(events, "ready")
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always")
            del events
            gc.collect()
        assert [warning.category for warning in told] == [ResourceWarning]
        assert "async with" in str(told[0].message)
        await asyncio.sleep(0.05)
        assert websocket.is_closed

    with raw_server(lambda connection: heard.extend(read_all(connection))) as server:
        run(talk(server.url))
    assert [opcode for opcode, _ in heard] == [frames.CLOSE]


def test_two_tasks_that_wait_for_one_event(run: Run) -> None:
    async def talk(url: str) -> None:
        async with AsyncWebSocket(url) as websocket:
            events = websocket.connect(poll=None, ping_rate=0)
            await until(events, "ready")
            first = asyncio.ensure_future(anext(events))
            await asyncio.sleep(0)
            with pytest.raises(RuntimeError, match="another task"):
                await anext(events)
            await websocket.send_text("x")
            assert (await first).name == "text"

    with raw_server(echo) as server:
        run(talk(server.url))


def test_a_slow_task_makes_the_server_wait(run: Run) -> None:
    sent: list[int] = []
    done = threading.Event()

    def serve(connection: socket.socket) -> None:
        connection.settimeout(0.5)
        try:
            for number in range(10_000):
                connection.sendall(frame(frames.BINARY, bytes(50_000)))
                sent.append(number)
        except TimeoutError:
            pass
        done.set()

    async def kept(url: str) -> None:
        async with AsyncWebSocket(url) as websocket:
            events = websocket.connect(poll=None, ping_rate=0)
            await until(events, "ready")
            while not done.is_set():
                await asyncio.sleep(0.01)

    with raw_server(serve) as server:
        run(kept(server.url))
    assert len(sent) < 500  # what the system's buffers take, and not 500 MB


def test_polls_leave_the_loop_a_turn(run: Run) -> None:
    async def talk(url: str) -> int:
        turns = 0

        async def count() -> None:
            nonlocal turns
            while True:
                turns += 1
                await asyncio.sleep(0)

        async with AsyncWebSocket(url) as websocket:
            events = websocket.connect(poll=0, ping_rate=0)
            await until(events, "ready")
            counting = asyncio.ensure_future(count())
            for _ in range(50):
                await until(events, "poll")
            counting.cancel()
        return turns

    with raw_server(read_all) as server:
        assert run(talk(server.url)) >= 49


def test_force_disconnect_from_another_thread(run: Run) -> None:
    async def talk(url: str) -> Any:
        async with AsyncWebSocket(url) as websocket:
            events = websocket.connect(poll=None, ping_rate=0)
            await until(events, "ready")
            threading.Timer(0.05, websocket.force_disconnect).start()
            return await until(events, "disconnected")

    with raw_server(read_all) as server:
        assert run(talk(server.url)).reason == "disconnected by the user"


def test_persist(run: Run) -> None:
    def serve(connection: socket.socket) -> None:
        connection.sendall(frame(frames.CLOSE, code=1000))
        read_all(connection)

    async def talk(url: str) -> list[str]:
        names: list[str] = []
        stop = asyncio.Event()
        async with AsyncWebSocket(url) as websocket:
            stream = persist(websocket, min_wait=0, max_wait=0.01, exit_event=stop)
            async for event in stream:
                names.append(event.name)
                if names.count("ready") == 3:
                    stop.set()
        return names

    with raw_server(serve) as server:
        names = run(talk(server.url))
    assert names.count("back_off") == 3
    assert names[-1] == "back_off"


def test_inside_anyio() -> None:
    anyio = pytest.importorskip("anyio", reason="anyio is not installed")
    got: list[str] = []

    async def talk(url: str) -> None:
        async with AsyncWebSocket(url) as websocket, anyio.create_task_group() as group:
            with anyio.fail_after(PATIENCE):
                async for event in websocket:
                    if event.name == "ready":
                        group.start_soon(websocket.send_text, "x")
                    elif event.name == "text":
                        got.append(event.text)
                        await websocket.close()

    with raw_server(echo) as server:
        anyio.run(talk, server.url)
    assert got == ["x"]


def test_lomond_loads_no_asyncio() -> None:
    program = "import sys, lomond; sys.exit('asyncio' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.ENOSPC, "No space left on device"),
        ValueError("filedescriptor out of range in select()"),
    ],
)
def test_a_socket_that_the_loop_does_not_take_is_closed(
    monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    """There are more than it, or the system, can watch."""

    def add_reader(*arguments: Any) -> None:
        raise error

    async def talk(url: str) -> Any:
        monkeypatch.setattr(asyncio.get_running_loop(), "add_reader", add_reader)
        return [event async for event in AsyncWebSocket(url).connect()]

    def listen(connection: socket.socket) -> None:
        heard.append(connection.recv(1))
        is_heard.set()

    heard: list[bytes] = []
    is_heard = threading.Event()
    with raw_server(listen, upgrades=False) as server:
        *_, last = asyncio.run(talk(server.url))
        assert is_heard.wait(PATIENCE)
    assert heard == [b""]
    assert last.name == "connect_fail"
    assert last.cause is error
    assert str(error.args[-1]) in last.reason
