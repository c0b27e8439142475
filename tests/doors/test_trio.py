"""What only trio's door has: its block, trio's cancellation, and exit events."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from functools import partial
from types import SimpleNamespace
from typing import Any

import anyio
import pytest
import trio
import trio.testing

from doors.inside import exchange_of
from doors.raw_server import echo, frame, raw_server, read_all, read_frame
from doors.signals import handled
from doors.trio_runs import QUIET, closes, in_thread, on_trio, until
from fair_clock import FairClock
from lomond import TrioWebSocket
from lomond.io.trio_loop import TrioDriver
from lomond.options import Limits, Timing
from lomond.protocol import frames
from lomond.session.session import Session
from lomond.system.need import Need
from patience import PATIENCE

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

    # Whoever runs the tests in the background may have the signal ignored.
    with (
        raw_server(serve) as server,
        handled(signal.SIGINT, signal.default_int_handler),
        pytest.raises(KeyboardInterrupt),
    ):
        on_trio(talk, server.url)


@pytest.mark.parametrize("way", ["signal", "raised"])
@pytest.mark.parametrize("body", ["ends", "raises"])
def test_an_interruption_while_the_block_is_left_comes_out_bare(way: str, body: str) -> None:
    left = [False, False]

    def interrupt(number: int, _: Any) -> None:
        if is_leaving and not left[number]:
            left[number] = True
            if way == "raised":
                raise KeyboardInterrupt
            signal.raise_signal(signal.SIGINT)

    is_leaving = False

    async def talk(url: str) -> None:
        nonlocal is_leaving
        async with (
            TrioWebSocket(url, trace=partial(interrupt, 0)) as first,
            TrioWebSocket(url, trace=partial(interrupt, 1)) as second,
        ):
            streams = [first.connect(**QUIET), second.connect(**QUIET)]
            for events in streams:
                await until(events, "ready")
            is_leaving = True
            if body == "raises":
                raise LookupError

    with raw_server(read_all) as server, pytest.raises(KeyboardInterrupt):
        on_trio(talk, server.url)
    assert left == [True, True]


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


def test_another_run_than_that_of_the_first_event_is_refused() -> None:
    refused: list[str] = []

    def items() -> Any:
        yield Need(None)

    async def begin() -> None:
        with trio.move_on_after(0):
            await driver.next()

    async def go_on() -> None:
        for act in driver.next, partial(exchange.send, frames.TEXT, b"x"):
            with pytest.raises(RuntimeError, match="in another run of trio"):
                await act()
            refused.append(threading.current_thread().name)

    nobody: Any = SimpleNamespace(start_soon=lambda run: None)
    driver = TrioDriver(lambda: nobody)
    driver.items = items()
    exchange: Any = driver.exchange(Session(Timing(), Limits(), os.urandom), None)
    trio.run(begin)
    trio.run(go_on)
    thread = threading.Thread(target=trio.run, args=(go_on,), name="another")
    thread.start()
    thread.join(PATIENCE)
    driver.stop()
    assert refused == [threading.current_thread().name] * 2 + ["another"] * 2


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
