"""The asyncio door where its task is elsewhere, goes away, or is not alone."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import socket
import threading
import time
import warnings
from types import SimpleNamespace
from typing import Any

import pytest

from doors.loops import Run, until, watching
from doors.peer_server import served
from doors.raw_server import accept_upgrade, frame, raw_server, read_all, read_frame, read_request
from lomond.aio import AsyncWebSocket
from lomond.errors import TransportFail
from lomond.persist import persist
from lomond.protocol import frames
from lomond.testing.peer import Peer, Talk, say
from patience import PATIENCE


def test_a_turn_that_is_owed_does_not_take_the_answer_away(run: Run) -> None:
    heard: list[tuple[int, bytes]] = []

    def serve(connection: socket.socket) -> None:
        at_once = bytearray()
        accept_upgrade(SimpleNamespace(sendall=at_once.extend), read_request(connection))  # type: ignore[arg-type]  # all that is used of a socket
        at_once += frame(frames.TEXT, b"question") + b"\xa1\x01x"  # with a reserved bit
        connection.sendall(at_once)
        heard.extend(read_all(connection))

    async def talk(url: str) -> None:
        async with AsyncWebSocket(url) as websocket:
            async for event in websocket.connect(ping_rate=0):  # and a poll: the loop has a turn
                if event.name == "text":
                    await websocket.send_text("answer")

    with raw_server(serve, upgrades=False) as server:
        run(talk(server.url))
    assert heard[0] == (frames.TEXT, b"answer")


def test_pings_behind_a_message_are_answered_while_its_handler_is_elsewhere(run: Run) -> None:
    answered = threading.Event()

    def serve(connection: socket.socket) -> None:
        connection.sendall(frame(frames.TEXT, b"x") + frame(frames.PING, b"?"))
        assert read_frame(connection) == (frames.PONG, b"?")
        answered.set()
        read_all(connection)

    async def talk(url: str) -> None:
        async with AsyncWebSocket(url) as websocket:
            events = websocket.connect(poll=None, ping_rate=0)
            await until(events, "text")
            await asyncio.to_thread(answered.wait, PATIENCE)
            assert answered.is_set()

    with raw_server(serve) as server:
        run(talk(server.url))


def test_pings_are_sent_however_many_polls_the_task_has_not_taken(run: Run) -> None:
    heard: list[int] = []
    enough = threading.Event()

    def serve(connection: socket.socket) -> None:
        while heard.count(frames.PING) < 3:
            heard.append(read_frame(connection)[0])
        enough.set()
        read_all(connection)

    async def talk(url: str) -> str:
        async with AsyncWebSocket(url) as websocket:
            events = websocket.connect(poll=0.02, ping_rate=0.1)
            await until(events, "ready")
            await asyncio.to_thread(enough.wait, PATIENCE)
            assert enough.is_set()
            return (await anext(events)).name

    with raw_server(serve) as server:
        assert run(talk(server.url)) == "poll"


def test_a_send_goes_on_reading_after_the_server_had_to_wait(run: Run) -> None:
    large = bytes(8_000_000)

    def serve(connection: socket.socket) -> None:
        connection.sendall(frame(frames.BINARY, bytes(1000)) * 5000)  # and reads only afterwards
        assert read_frame(connection) == (frames.BINARY, large)
        read_all(connection)

    async def talk(url: str) -> None:
        async with AsyncWebSocket(url, send_timeout=None) as websocket:
            events = websocket.connect(poll=None, ping_rate=0)
            await until(events, "binary")
            await asyncio.sleep(0.3)  # nothing more is read
            await websocket.send_binary(large)

    with raw_server(serve) as server:
        run(talk(server.url))


def test_of_two_sends_that_wait_the_one_that_is_given_up_leaves_the_other_its_reading(
    run: Run,
) -> None:
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
        async with AsyncWebSocket(url, send_timeout=None) as websocket:
            events = websocket.connect(poll=None, ping_rate=0)
            await until(events, "text")
            first, second = (asyncio.create_task(websocket.send_binary(large)) for _ in range(2))
            await asyncio.sleep(0)
            assert not first.done()
            assert not second.done()
            first.cancel()
            await asyncio.wait([first])
            is_given_up.set()
            await second

    with raw_server(serve) as server:
        run(talk(server.url))


def test_a_send_whose_time_is_up_is_judged_when_a_server_that_had_to_wait_could_read(
    run: Run,
) -> None:
    """It reads when it has written, and that is when we have read. Events wait for the task."""
    small, timeout = 16 * 1024, 0.2  # bytes; seconds
    texts = frame(frames.TEXT, b"x") * 20  # more than wait

    async def talk(ours: socket.socket, theirs: socket.socket) -> None:
        def fill() -> None:
            theirs.setblocking(False)
            with contextlib.suppress(BlockingIOError):
                theirs.send(b"\x82\x7f" + (1_000_000).to_bytes(8, "big"))
                while True:
                    theirs.send(bytes(small))

        def has_written() -> None:
            watching(loop).remove_writer(theirs)
            watching(loop).add_reader(theirs, read)
            read()

        def read() -> None:
            with contextlib.suppress(BlockingIOError):
                while theirs.recv(65536):
                    pass

        loop = asyncio.get_running_loop()
        websocket = AsyncWebSocket("ws://x/", socket=ours, send_timeout=timeout)
        async with websocket:
            events = websocket.connect(poll=None, ping_rate=0)
            accepting = asyncio.to_thread(lambda: accept_upgrade(theirs, read_request(theirs)))
            await asyncio.gather(until(events, "ready"), accepting)
            theirs.sendall(texts)
            await until(events, "text")
            await asyncio.sleep(0.1)  # the others are read
            send = asyncio.create_task(websocket.send_binary(bytes(1_000_000)))
            await asyncio.sleep(0)
            assert not send.done()
            fill()
            watching(loop).add_writer(theirs, has_written)
            time.sleep(2 * timeout)  # the loop is kept
            await send
            watching(loop).remove_reader(theirs)

    ours, theirs = socket.socketpair()
    with theirs:
        theirs.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, small)
        run(talk(ours, theirs))


@pytest.mark.parametrize("end", ["silence", "reserved bits"])
def test_the_end_ends_a_send_in_the_body_of_the_loop(run: Run, end: str) -> None:
    done = threading.Event()

    def serve(connection: socket.socket) -> None:
        connection.sendall(frame(frames.TEXT, b"go"))
        if end == "reserved bits":
            done.wait(0.3)
            connection.sendall(b"\xff\xff\xff\xff")
        done.wait(PATIENCE)

    async def talk(url: str) -> list[str]:
        async with AsyncWebSocket(url, send_timeout=None) as websocket:
            rate = 0.3 if end == "silence" else 0
            events = websocket.connect(poll=None, ping_rate=rate, ping_timeout=0.3)
            await until(events, "text")
            with pytest.raises(TransportFail):
                await websocket.send_binary(bytes(50_000_000))
            return [event.name async for event in events]

    with raw_server(serve) as server:
        what = "unresponsive" if end == "silence" else "protocol_error"
        assert run(talk(server.url)) == [what, "disconnected"]
        done.set()


def test_two_tasks_of_which_one_is_owed_a_turn(run: Run) -> None:
    def serve(connection: socket.socket) -> None:
        connection.sendall(frame(frames.CLOSE, code=1000))
        read_all(connection)

    async def talk(url: str) -> list[str]:
        events = AsyncWebSocket(url).connect(poll=0.01)
        await until(events, "poll")

        async def rest() -> str:
            try:
                return [event.name async for event in events][-1]
            except RuntimeError as error:
                return str(error)

        return sorted(await asyncio.gather(rest(), rest()))

    with raw_server(serve) as server:
        first, second = run(talk(server.url))
    assert "another task is waiting" in first
    assert second == "disconnected"


def test_an_iterator_that_is_left_at_its_end_needs_no_warning(run: Run) -> None:
    def serve(connection: socket.socket) -> None:
        connection.sendall(frame(frames.CLOSE, code=1000))
        read_all(connection)

    async def talk(url: str) -> None:
        async for event in AsyncWebSocket(url):
            if event.name == "disconnected":
                break
        gc.collect()

    with raw_server(serve) as server, warnings.catch_warnings():
        warnings.simplefilter("error")
        run(talk(server.url))


def test_another_thread_that_ends_the_connection_leaves_asyncio_to_its_own(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    threads: list[int] = []
    kind: Any = asyncio.SelectorEventLoop

    def noted(name: str) -> None:
        act = getattr(kind, name)

        def note(loop: Any, *arguments: Any) -> Any:
            threads.append(threading.get_ident())
            return act(loop, *arguments)

        monkeypatch.setattr(kind, name, note)

    def flood(connection: socket.socket) -> None:
        while True:
            connection.sendall(frame(frames.BINARY, bytes(10_000)))

    async def talk(url: str) -> str:
        async with AsyncWebSocket(url) as websocket:
            events = websocket.connect(poll=None, ping_rate=0)
            await until(events, "ready")
            await asyncio.sleep(0.3)  # until nothing more is read
            await asyncio.to_thread(websocket.force_disconnect)
            return [event.name async for event in events][-1]

    for name in ("add_reader", "remove_reader", "add_writer", "remove_writer"):
        noted(name)
    with raw_server(flood) as server:
        assert asyncio.run(talk(server.url), debug=True) == "disconnected"
    assert threads
    assert set(threads) == {threading.get_ident()}


def test_what_was_there_before_an_exception_is_handed_out_first(run: Run) -> None:
    class Exit:
        asked = 0
        is_ready = False

        def wait(self, seconds: float) -> bool:
            raise AssertionError

        def is_set(self) -> bool:
            self.asked += 1
            if self.is_ready and self.asked > 2:  # behind two texts
                raise ZeroDivisionError
            return False

    def talks(peer: Peer) -> Talk:  # at once, so that nobody waits, and looks once more, meanwhile
        yield from peer.upgrade(glued=say(frames.TEXT, b"x").data * 3)
        yield from peer.hear_end()

    async def talk(url: str) -> list[str]:
        names: list[str] = []
        async with AsyncWebSocket(url) as websocket:
            exit_event = Exit()
            events = persist(
                websocket, poll=None, ping_rate=0, exit_event=exit_event, watch_exit=True
            )
            await until(events, "ready")
            exit_event.asked, exit_event.is_ready = 0, True
            while exit_event.asked < 3:
                await asyncio.sleep(0.01)
            names.extend([(await anext(events)).name, (await anext(events)).name])
            with pytest.raises(ZeroDivisionError):
                await anext(events)
        return names

    with served(talks) as server:
        assert run(talk(server.url)) == ["text", "text"]
