"""What only trio's door has: its block, trio's cancellation, and what goes on beside the task."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import select
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Awaitable, Callable
from time import monotonic
from typing import Any

import anyio
import pytest
import trio
import trio.testing

from doors.inside import exchange_of
from doors.raw_server import echo, frame, raw_server, read_all, read_frame
from fair_clock import FairClock
from lomond import TrioWebSocket
from lomond.errors import TransportFail, WebSocketUnavailable
from lomond.protocol import frames
from lomond.trio import Events
from patience import PATIENCE

QUIET: dict[str, Any] = {"poll": None, "ping_rate": 0}


def on_trio(act: Callable[..., Awaitable[Any]], *arguments: Any) -> Any:
    """What it gives; no socket is left to be closed by the garbage collector, which would warn."""

    async def limited() -> Any:
        with trio.fail_after(PATIENCE):
            return await act(*arguments)

    try:
        return trio.run(limited)
    finally:
        gc.collect()


async def until(events: Events, name: str) -> Any:
    async for event in events:
        if event.name == name:
            return event
    raise AssertionError(f"no {name}")


async def in_thread(event: threading.Event) -> None:
    """Wait for it while the run goes on."""
    assert await trio.to_thread.run_sync(event.wait, PATIENCE)


def closes(connection: socket.socket) -> None:
    connection.sendall(frame(frames.CLOSE, code=1000))
    read_all(connection)


# The block


@pytest.mark.parametrize("way", ["aiter", "connect", "persist"])
def test_without_a_block_it_is_not_iterated(way: str) -> None:
    async def talk() -> None:
        websocket = TrioWebSocket("ws://127.0.0.1:1/")
        events = aiter(websocket) if way == "aiter" else getattr(websocket, way)()
        with pytest.raises(RuntimeError, match="async with websocket:"):
            await anext(events)
        async with websocket:  # and one that was made before may be iterated in it
            assert (await anext(events)).name == "connecting"

    on_trio(talk)


def test_a_block_within_its_own_is_refused() -> None:
    async def talk() -> None:
        async with TrioWebSocket("ws://127.0.0.1:1/") as websocket:
            with pytest.raises(RuntimeError, match="already"):
                await websocket.__aenter__()
        async with websocket:  # after the other one
            pass

    on_trio(talk)


@pytest.mark.parametrize("at", ["connecting", "ready", "text", "disconnected"])
def test_what_the_body_raises_comes_out_bare(at: str) -> None:
    def serve(connection: socket.socket) -> None:
        connection.sendall(frame(frames.TEXT, b"x"))
        closes(connection)

    async def talk(url: str) -> None:
        async with TrioWebSocket(url) as websocket:
            async for event in websocket.connect(**QUIET):
                if event.name == at:
                    raise LookupError(at)

    with raw_server(serve) as server, pytest.raises(LookupError, match=at):
        on_trio(talk, server.url)


def test_an_interruption_comes_out_bare() -> None:
    def serve(connection: socket.socket) -> None:
        signal.raise_signal(signal.SIGINT)
        read_all(connection)

    async def talk(url: str) -> None:
        async with TrioWebSocket(url) as websocket:
            await until(websocket.connect(**QUIET), "text")

    with raw_server(serve) as server, pytest.raises(KeyboardInterrupt):
        on_trio(talk, server.url)


def test_leaving_the_block_says_so_to_the_server() -> None:
    heard: list[tuple[int, bytes]] = []

    async def talk(url: str) -> None:
        async with TrioWebSocket(url) as websocket:
            await until(websocket.connect(**QUIET), "ready")
        assert websocket.is_closed

    with raw_server(lambda connection: heard.extend(read_all(connection))) as server:
        on_trio(talk, server.url)
    assert heard == [(frames.CLOSE, (1001).to_bytes(2, "big"))]


def test_a_dropped_iterator_leaves_its_connection() -> None:
    left = threading.Event()

    def serve(connection: socket.socket) -> None:
        read_all(connection)
        left.set()

    async def talk(url: str) -> None:
        async with TrioWebSocket(url) as websocket:
            async for event in websocket.connect(**QUIET):
                if event.name == "ready":
                    break
            del event
            gc.collect()
            await in_thread(left)

    with raw_server(serve) as server:
        on_trio(talk, server.url)


def test_an_iterator_that_another_connection_ended_does_not_keep_the_block() -> None:
    async def talk(url: str) -> None:
        async with TrioWebSocket(url) as websocket:
            first = websocket.connect(**QUIET)
            await until(first, "ready")
            second = websocket.connect(**QUIET)
            await until(second, "ready")
            assert websocket.is_active
        for events in (first, second):
            with pytest.raises(StopAsyncIteration):
                await anext(events)

    with raw_server(read_all) as server:
        on_trio(talk, server.url)


def test_what_the_generator_raises_comes_out_of_the_iteration(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def broken(now: float) -> None:
        raise LookupError(now)

    async def talk(url: str) -> None:
        async with TrioWebSocket(url) as websocket:
            events = websocket.connect(**QUIET)
            await until(events, "ready")
            monkeypatch.setattr(exchange_of(websocket), "next_event", broken)
            await websocket.close()
            with pytest.raises(LookupError):
                await anext(events)
            with pytest.raises(StopAsyncIteration):
                await anext(events)

    with raw_server(read_all) as server:
        on_trio(talk, server.url)


# Cancellation


def test_a_cancelled_wait_loses_no_event() -> None:
    async def talk(url: str) -> list[str]:
        texts = []
        async with TrioWebSocket(url) as websocket:
            events = websocket.connect(**QUIET)
            await until(events, "ready")
            for number in range(100):
                with trio.CancelScope() as scope:
                    async with trio.open_nursery() as nursery:
                        nursery.start_soon(cancel, scope, number % 9)
                        await websocket.send_text(str(number))
                        texts.append((await anext(events)).text)
                        nursery.cancel_scope.cancel()
                if len(texts) == number:
                    texts.append((await anext(events)).text)
        return texts

    async def cancel(scope: trio.CancelScope, turns: int) -> None:
        for _ in range(turns):
            await trio.lowlevel.checkpoint()
        scope.cancel()

    with raw_server(echo) as server:
        texts = on_trio(talk, server.url)
    # What was cancelled before its send had begun was not sent, and its answer is that to the next.
    assert texts == [str(number) for number in range(100)]


def test_a_cancelled_send_leaves_a_whole_message() -> None:
    may_read = threading.Event()
    heard: list[int] = []

    def serve(connection: socket.socket) -> None:
        assert may_read.wait(PATIENCE)
        for _ in range(2):
            heard.append(len(read_frame(connection)[1]))
        connection.sendall(frame(frames.TEXT, b"both"))
        read_all(connection)

    async def talk(url: str) -> None:
        async with TrioWebSocket(url) as websocket:
            events = websocket.connect(**QUIET)
            await until(events, "ready")
            with trio.move_on_after(0.1) as scope:
                await websocket.send_binary(bytes(20_000_000))
            assert scope.cancelled_caught
            may_read.set()
            await websocket.send_binary(b"more")
            assert (await until(events, "text")).text == "both"

    with raw_server(serve) as server:
        on_trio(talk, server.url)
    assert heard == [20_000_000, 4]


def test_a_send_that_is_cancelled_before_it_began_sends_nothing() -> None:
    async def talk(url: str) -> None:
        async with TrioWebSocket(url) as websocket:
            events = websocket.connect(**QUIET)
            await until(events, "ready")
            with trio.CancelScope() as scope:
                scope.cancel()
                await websocket.send_text("no")
            await websocket.send_text("yes")
            assert (await until(events, "text")).text == "yes"

    with raw_server(echo) as server:
        on_trio(talk, server.url)


def test_all_that_is_awaited_is_a_checkpoint() -> None:
    async def talk(url: str) -> None:
        async with TrioWebSocket(url) as websocket:
            events = websocket.connect(**QUIET)
            await until(events, "ready")
            for act in (
                lambda: websocket.send_text("x"),
                lambda: websocket.send_binary(b"x"),
                lambda: websocket.send_ping(),
                lambda: websocket.send_pong(b""),
                lambda: anext(events),
                lambda: websocket.close(),
                lambda: events.aclose(),
            ):
                with trio.testing.assert_checkpoints():
                    await act()

    with raw_server(echo) as server:
        on_trio(talk, server.url)


def test_who_is_cancelled_may_shield_the_end() -> None:
    async def talk(url: str) -> list[str]:
        found = []
        with trio.CancelScope() as scope:
            async with TrioWebSocket(url) as websocket:
                events = websocket.connect(**QUIET)
                await until(events, "ready")
                scope.cancel()
                try:
                    await until(events, "text")
                except trio.Cancelled:
                    with trio.CancelScope(shield=True):
                        await websocket.close()
                        found += [event.name async for event in events]
                    raise
        assert scope.cancelled_caught
        return found

    with raw_server(echo) as server:
        assert on_trio(talk, server.url) == ["closed", "disconnected"]


@pytest.mark.parametrize("at", ["opening", "waiting", "sending"])
def test_a_timeout_around_the_block_leaves_no_socket(at: str) -> None:
    ended = threading.Event()

    def serve(connection: socket.socket) -> None:
        ended.wait(0.5)
        while connection.recv(65536):
            pass
        ended.set()

    async def talk(url: str) -> None:
        with trio.move_on_after(0.2) as scope:
            async with TrioWebSocket(url) as websocket:
                events = websocket.connect(**QUIET)
                await until(events, "ready")
                if at == "sending":
                    await websocket.send_binary(bytes(50_000_000))
                await until(events, "text")
        assert scope.cancelled_caught

    with raw_server(serve, upgrades=at != "opening") as server:
        on_trio(talk, server.url)
        assert ended.wait(PATIENCE)


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


# Staying connected


def test_persist() -> None:
    async def talk(url: str) -> list[str]:
        stop = trio.Event()
        found = []
        async with TrioWebSocket(url) as websocket:
            async for event in websocket.persist(
                poll=None, ping_rate=0, min_wait=0.01, max_wait=0.01, exit_event=stop
            ):
                found.append(event.name)
                if found.count("back_off") == 2:
                    stop.set()
        return found

    once = ["connecting", "connected", "ready", "closing", "disconnected", "back_off"]
    with raw_server(closes) as server:
        assert on_trio(talk, server.url) == once * 2


@pytest.mark.parametrize("kind", [trio.Event, anyio.Event, threading.Event])
@pytest.mark.parametrize("at", ["ready", "back_off"])
def test_an_exit_event_acts_at_once(kind: Callable[[], Any], at: str) -> None:
    async def talk(url: str) -> float:
        stop = kind()
        async with TrioWebSocket(url) as websocket, trio.open_nursery() as nursery:
            async for event in websocket.persist(
                poll=None, ping_rate=0, min_wait=60, max_wait=60, exit_event=stop, watch_exit=True
            ):
                if event.name == at:
                    nursery.start_soon(soon, stop)
        return clock.now()

    async def soon(stop: Any) -> None:
        await trio.sleep(0.05)
        stop.set()

    with raw_server(echo) as server, FairClock() as clock:
        assert on_trio(talk, server.url if at == "ready" else "ws://127.0.0.1:1/") < 3


def test_an_exit_event_of_asyncio_is_refused_at_once() -> None:
    websocket = TrioWebSocket("ws://127.0.0.1:1/")
    with pytest.raises(TypeError, match=r"give it trio\.Event\(\) or threading\.Event\(\)"):
        websocket.persist(exit_event=asyncio.Event())
    websocket.persist(exit_event=threading.Event())


def test_nobody_waits_for_an_exit_event_any_more_when_it_is_over() -> None:
    async def talk(url: str) -> None:
        stop = trio.Event()
        async with TrioWebSocket(url) as websocket:
            events = websocket.persist(poll=None, ping_rate=0, exit_event=stop, watch_exit=True)
            await until(events, "ready")
            await trio.testing.wait_all_tasks_blocked()
            assert stop.statistics().tasks_waiting == 1
            await events.aclose()
            await trio.testing.wait_all_tasks_blocked()
            assert stop.statistics().tasks_waiting == 0

    with raw_server(echo) as server:
        on_trio(talk, server.url)


# The package


def run_python(code: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )
    return done.stdout.strip()


def test_lomond_loads_no_trio() -> None:
    code = "import sys; from lomond import *; WebSocket('ws://x'); print('trio' in sys.modules)"
    assert run_python(code) == "False"


def test_without_trio_it_says_what_to_install() -> None:
    code = (
        "import sys; sys.modules['trio'] = None\n"
        "try:\n    from lomond import TrioWebSocket\n"
        "except ImportError as error:\n    print(error)"
    )
    assert "pip install 'lomond[trio]'" in run_python(code)
