"""A message in fragments that is broken off, by whatever; and who waits behind it."""

from __future__ import annotations

import asyncio
import os
import socket
import threading
from collections.abc import Iterator
from contextlib import suppress
from importlib import import_module
from typing import Any

import pytest

from doors.raw_server import (
    accept_upgrade,
    echo,
    frame,
    raw_server,
    read_all,
    read_request,
    until,
)
from doors.tapped import in_thread
from doors.test_interrupted import Interrupter
from doors.test_send_stream import heard
from lomond import AsyncWebSocket, WebSocket
from lomond.errors import WebSocketError, WebSocketUnavailable
from lomond.protocol import frames
from lomond.twin import running
from patience import PATIENCE

pytestmark = pytest.mark.threads


def tries_to_send(websocket: WebSocket) -> None:
    with suppress(WebSocketError):
        websocket.send_text("behind it")


def test_an_interruption_at_any_call_leaves_no_turn_taken() -> None:
    for module in ("lomond.io.streaming", "lomond.sources"):
        import_module(module)  # not first where every call is interrupted
    moment = 0
    with raw_server(read_all) as server:
        while True:
            websocket = WebSocket(server.url)
            stream = websocket.connect(poll=None, ping_rate=0)
            until(stream, "ready")
            interrupter = Interrupter(moment)
            with suppress(KeyboardInterrupt), interrupter.armed():
                websocket.send_stream([b"one", b"two"])
            sender = in_thread(tries_to_send, websocket)
            sender.join(PATIENCE)
            assert not sender.is_alive(), interrupter.struck
            exchange: Any = websocket._exchange  # noqa: SLF001  # what nobody else tells
            assert not exchange.message_turn.owner, interrupter.struck
            assert exchange.attend is None, interrupter.struck
            assert not exchange.is_owned(), interrupter.struck
            assert (
                exchange.is_over
                or not exchange.output.is_streaming
                or (exchange.connection.state != "open")
            ), interrupter.struck
            closer = in_thread(lambda websocket=websocket: (websocket.close(), websocket.reset()))
            closer.join(PATIENCE)
            assert not closer.is_alive(), interrupter.struck
            stream.close()
            if interrupter.struck is None:
                break
            moment += 1
    assert moment > 0 or running == "compiled"


def test_what_the_loops_body_sends_behind_another_threads_lets_pings_be_answered() -> None:
    said: list[Any] = []
    answered = threading.Event()

    def pings(connection: socket.socket) -> None:
        accept_upgrade(connection, read_request(connection))
        said.append(heard(connection))
        connection.sendall(frame(frames.PING, b"now"))
        said.append(heard(connection))
        answered.set()
        for _ in range(3):
            said.append(heard(connection))
        connection.sendall(frame(frames.CLOSE, code=1000))
        read_all(connection)

    def source() -> Iterator[bytes]:
        yield b"1"
        has_begun.set()
        assert answered.wait(PATIENCE)
        yield b"2"

    has_begun = threading.Event()
    with raw_server(pings, upgrades=False) as server:
        websocket = WebSocket(server.url)
        names: list[str] = []
        for event in websocket.connect(poll=None, ping_rate=0):
            names.append(event.name)
            if event.name == "ready":
                other = in_thread(websocket.send_stream, source())
                assert has_begun.wait(PATIENCE)
                websocket.send_text("waits")
        other.join(PATIENCE)
    assert [one.first for one in said] == [2, 0x8A, 0, 0x80, 0x81]
    assert names[-3:] == ["ping", "closing", "disconnected"]


@pytest.mark.parametrize("is_open", [False, True])
def test_a_generator_that_has_begun_is_closed_where_nothing_could_begin(is_open: bool) -> None:
    is_closed: list[bool] = []

    def source() -> Iterator[bytes]:
        try:
            yield b"head"
            yield b"rest"
        finally:
            is_closed.append(True)

    one = source()
    next(one)
    websocket = WebSocket("ws://127.0.0.1:1/")
    if not is_open:
        with pytest.raises(WebSocketUnavailable):
            websocket.send_stream(one)
    else:
        with raw_server(read_all) as server:
            websocket = WebSocket(server.url)
            stream = websocket.connect(poll=None)
            until(stream, "ready")
            websocket.close()
            with pytest.raises(WebSocketUnavailable):
                websocket.send_stream(one)
            stream.close()
    assert is_closed


def test_an_async_generator_that_has_begun_is_closed_where_nothing_could_begin() -> None:
    is_closed: list[bool] = []

    async def source() -> Any:
        try:
            yield b"head"
            yield b"rest"
        finally:
            is_closed.append(True)

    async def main() -> None:
        one = source()
        await anext(one)
        with pytest.raises(WebSocketUnavailable):
            await AsyncWebSocket("ws://127.0.0.1:1/").send_stream(one)
        assert is_closed

    asyncio.run(main())


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_child_of_a_process_that_streams_is_told_at_once() -> None:
    is_held, goes = threading.Event(), threading.Event()

    def hold(exchange: Any) -> None:
        with exchange.lock:
            is_held.set()
            goes.wait(PATIENCE)

    def forks() -> Iterator[bytes]:
        yield b"one"
        holder.append(in_thread(hold, websocket._exchange))  # noqa: SLF001  # a moment of it
        assert is_held.wait(PATIENCE)
        child = os.fork()
        if not child:
            children.append(0)
            yield b"of the child"
            return
        goes.set()
        children.append(child)
        yield b"two"

    holder: list[Any] = []
    children: list[int] = []
    with raw_server(read_all) as server:
        websocket = WebSocket(server.url)
        stream = websocket.connect(poll=None, ping_rate=0)
        until(stream, "ready")
        outcome = 1
        try:
            websocket.send_stream(forks())
        except WebSocketUnavailable:
            with suppress(WebSocketUnavailable):
                websocket.send_stream([b"again"])
                outcome = 2
            outcome = 0 if outcome == 1 else outcome
        finally:
            if children == [0]:
                os._exit(outcome)
        killer = threading.Timer(PATIENCE, os.kill, (children[0], 9))
        killer.start()
        _, status = os.waitpid(children[0], 0)
        killer.cancel()
        assert status == 0
        stream.close()


def test_many_from_another_event_loop_are_refused() -> None:
    async def main(url: str) -> None:
        async with AsyncWebSocket(url) as websocket:
            async for event in websocket.connect(poll=None, ping_rate=0):
                if event.name == "ready":
                    errors.append(await asyncio.to_thread(elsewhere, websocket))
                    await websocket.close()

    def elsewhere(websocket: AsyncWebSocket) -> BaseException | None:
        try:
            asyncio.run(websocket.send_many(["x"]))
        except RuntimeError as error:
            return error
        return None

    errors: list[BaseException | None] = []
    with raw_server(echo) as server:
        asyncio.run(main(server.url))
    assert isinstance(errors[0], RuntimeError)


def test_threads_texts_never_stand_in_a_stream() -> None:
    said: list[Any] = []
    count = 200

    def hears(connection: socket.socket) -> None:
        accept_upgrade(connection, read_request(connection))
        whole = 0
        while whole < count + 20:
            said.append(heard(connection))
            whole += said[-1].is_last and said[-1].opcode < frames.CLOSE
        connection.sendall(frame(frames.CLOSE, code=1000))
        read_all(connection)

    with raw_server(hears, upgrades=False) as server:
        websocket = WebSocket(server.url)
        others: list[threading.Thread] = []
        for event in websocket.connect(poll=None, ping_rate=0):
            if event.name != "ready":
                continue
            for _ in range(4):
                others.append(
                    in_thread(lambda: [websocket.send_text("x") for _ in range(count // 4)])
                )
            for _ in range(20):
                websocket.send_stream(b"piece" for _ in range(20))
        for other in others:
            other.join(PATIENCE)
    within = False
    for one in said:
        assert within == (one.opcode == frames.CONTINUATION)
        within = not one.is_last


def test_what_was_posted_meanwhile_is_the_next_connections_where_this_one_is_left() -> None:
    def hears(connection: socket.socket) -> None:
        accept_upgrade(connection, read_request(connection))
        while not heard(connection).is_last:
            pass
        connection.sendall(frame(frames.CLOSE, code=1000))
        read_all(connection)

    def posts() -> Iterator[bytes]:
        for number in range(3):
            websocket.post(number)
            yield b"x"

    with raw_server(hears, upgrades=False) as server:
        websocket = WebSocket(server.url)
        for event in websocket.connect(poll=None, ping_rate=0):
            if event.name == "ready":
                websocket.send_stream(posts())
                break
        found: list[object] = []
        for event in websocket.connect(poll=None, ping_rate=0):
            if event.name == "ready":
                websocket.send_stream([b"x"])
            elif event.name == "posted":
                found.append(event.value)
    assert found == [0, 1, 2]


@pytest.mark.parametrize("is_first", [True, False])
def test_a_task_that_is_cancelled_while_it_waits_for_its_turn_has_sent_nothing(
    is_first: bool,
) -> None:
    said: list[Any] = []

    def hears(connection: socket.socket) -> None:
        accept_upgrade(connection, read_request(connection))
        while len(said) < 4:
            said.append(heard(connection))
        connection.sendall(frame(frames.CLOSE, code=1000))
        read_all(connection)

    async def act(websocket: AsyncWebSocket) -> None:
        goes = asyncio.Event()

        async def source() -> Any:
            yield b"1"
            await goes.wait()
            yield b"2"

        stream = asyncio.create_task(websocket.send_stream(source()))
        await asyncio.sleep(0.01)
        sends = (websocket.send_stream([b"no"]), websocket.send_text("no"))
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.01):
                await sends[not is_first]
        sends[is_first].close()
        goes.set()
        assert await stream == 2
        await websocket.send_text("behind")

    async def main(url: str) -> None:
        async with AsyncWebSocket(url) as websocket:
            async for event in websocket.connect(poll=None, ping_rate=0):
                if event.name == "ready":
                    await act(websocket)

    with raw_server(hears, upgrades=False) as server:
        asyncio.run(asyncio.wait_for(main(server.url), PATIENCE))
    assert [one.first for one in said] == [2, 0, 0x80, 0x81]


def test_a_block_that_is_left_ends_a_stream_that_waits() -> None:
    is_closed: list[bool] = []

    async def main(url: str) -> None:
        async def source() -> Any:
            try:
                yield b"1"
                await asyncio.sleep(10 * PATIENCE)
            finally:
                is_closed.append(True)

        async with AsyncWebSocket(url) as websocket:
            async for event in websocket.connect(poll=None, ping_rate=0):
                if event.name == "ready":
                    stream = asyncio.create_task(websocket.send_stream(source()))
                    await asyncio.sleep(0.01)
                    break
        with pytest.raises(WebSocketError):
            await stream
        assert is_closed

    with raw_server(read_all) as server:
        asyncio.run(asyncio.wait_for(main(server.url), PATIENCE))
