"""What asyncio's door has ahead of the user's task: how much, and that nothing follows from it."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import signal
import socket
import subprocess
import sys
import threading
import time
import warnings
from types import FrameType
from typing import Any

import pytest

from doors.loops import Run, echo, until
from doors.raw_server import frame, raw_server, read_all, read_frame
from lomond import twin
from lomond.aio import AsyncWebSocket
from lomond.errors import TransportFail, WebSocketUnavailable
from lomond.protocol import frames
from patience import PATIENCE
from traced import tracemalloc

MEGABYTE = 1024 * 1024


def test_texts_come_where_python_does_not_say_what_they_take(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As PyPy does not."""

    def size_of(thing: object, *default: int) -> int:
        if not default:
            raise TypeError("it takes a default")
        return default[0]

    async def talk(url: str) -> list[str]:
        async with AsyncWebSocket(url) as websocket:
            events = websocket.connect(poll=None, ping_rate=0)
            await until(events, "ready")
            while not went_on.is_set():
                await asyncio.sleep(0.01)  # elsewhere; the door goes on
            return [(await until(events, "text")).text for _ in range(3)]

    def serve(connection: socket.socket) -> None:
        connection.sendall(b"".join(frame(frames.TEXT, text) for text in (b"a", b"b", b"c")))
        connection.sendall(frame(frames.PING))
        read_frame(connection)
        went_on.set()
        read_all(connection)

    went_on = threading.Event()
    monkeypatch.setattr(sys, "getsizeof", size_of)
    with raw_server(serve) as server:
        assert run(talk(server.url)) == ["a", "b", "c"]


@pytest.mark.parametrize("opcode", [frames.TEXT, frames.BINARY])
def test_what_waits_for_the_task_is_bounded_in_bytes(run: Run, opcode: int) -> None:
    size = 2 * MEGABYTE
    stuck = threading.Event()

    def serve(connection: socket.socket) -> None:
        message = frame(opcode, b"x" * size)
        connection.settimeout(1)
        try:
            for _ in range(16):
                connection.sendall(message)
        except TimeoutError:
            pass
        stuck.set()
        read_all(connection)

    async def talk(url: str) -> int:
        async with AsyncWebSocket(url) as websocket:
            events = websocket.connect(poll=None, ping_rate=0)
            await until(events, "text" if opcode == frames.TEXT else "binary")
            while not stuck.is_set():
                await asyncio.sleep(0.05)
            return tracemalloc.get_traced_memory()[0]

    tracemalloc.start()
    try:
        with raw_server(serve) as server:
            # The server's message, that which is handed out, the newest, and a read.
            assert run(talk(server.url)) < 4.5 * size
    finally:
        tracemalloc.stop()


def test_small_messages_wait_by_their_number(run: Run) -> None:
    sent = threading.Event()

    def serve(connection: socket.socket) -> None:
        connection.sendall(frame(frames.TEXT, b"x") * 16 + frame(frames.PING, b"?"))
        assert read_frame(connection) == (frames.PONG, b"?")  # behind 15 that wait
        sent.set()
        read_all(connection)

    async def talk(url: str) -> None:
        async with AsyncWebSocket(url) as websocket:
            events = websocket.connect(poll=None, ping_rate=0)
            await until(events, "text")
            assert await asyncio.to_thread(sent.wait, PATIENCE)

    with raw_server(serve) as server:
        run(talk(server.url))


@pytest.mark.parametrize("end", ["close", "violation"])
def test_a_send_follows_the_event_that_the_task_has(run: Run, end: str) -> None:
    """Not those that are ahead of it."""
    heard: list[tuple[int, bytes]] = []
    last = frame(frames.CLOSE, code=1000) if end == "close" else b"\xff\xff\xff\xff"

    def serve(connection: socket.socket) -> None:
        connection.sendall(frame(frames.TEXT, b"question") + last)
        heard.extend(read_all(connection))

    async def talk(url: str) -> list[str]:
        names = []
        async with AsyncWebSocket(url) as websocket:
            async for event in websocket.connect(poll=None, ping_rate=0):
                names.append(event.name)
                if event.name == "text":
                    await asyncio.sleep(0.1)  # meanwhile all is read
                    await websocket.send_text("answer")
                elif event.name == "protocol_error":
                    with pytest.raises(WebSocketUnavailable, match="broke the protocol"):
                        await websocket.send_text("too late")
        return names[3:]

    with raw_server(serve) as server:
        what = "closing" if end == "close" else "protocol_error"
        assert run(talk(server.url)) == ["text", what, "disconnected"]
    assert [heard[0], heard[1][0]] == [(frames.TEXT, b"answer"), frames.CLOSE]


def test_a_send_after_the_network_failed_says_so_until_the_task_was_told(run: Run) -> None:
    def serve(connection: socket.socket) -> None:
        connection.sendall(frame(frames.TEXT, b"last"))

    async def talk(url: str) -> None:
        async with AsyncWebSocket(url) as websocket:
            events = websocket.connect(poll=None, ping_rate=0)
            await until(events, "text")
            while not websocket.is_closed:
                await asyncio.sleep(0.01)
            for _ in range(2):
                with pytest.raises(TransportFail, match="connection lost"):
                    await websocket.send_text("x")
            await until(events, "disconnected")
            with pytest.raises(WebSocketUnavailable, match="not connected"):
                await websocket.send_text("x")

    with raw_server(serve) as server:
        run(talk(server.url))


@pytest.mark.parametrize("begun", ["closed", "running elsewhere"])
def test_a_send_in_another_loop_is_refused_before_a_byte_is_queued(begun: str) -> None:
    heard: list[tuple[int, bytes]] = []

    def serve(connection: socket.socket) -> None:
        connection.sendall(frame(frames.TEXT, b"x"))
        heard.extend(read_all(connection))

    async def begin(events: Any) -> None:
        await until(events, "text")
        if begun != "closed":
            ready.set()
            await asyncio.to_thread(done.wait, PATIENCE)
            await events.aclose()
            for _ in range(3):
                await asyncio.sleep(0)

    async def send(websocket: AsyncWebSocket) -> None:
        for size in (1, 20 * MEGABYTE):
            with pytest.raises(RuntimeError, match="another event loop"):
                await websocket.send_binary(bytes(size))

    ready, done = threading.Event(), threading.Event()
    with raw_server(serve) as server:
        websocket = AsyncWebSocket(server.url)
        events = websocket.connect(poll=None, ping_rate=0)
        if begun == "closed":
            asyncio.run(begin(events))
            asyncio.run(send(websocket))
            asyncio.run(events.aclose())
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", ResourceWarning)  # asyncio's, of its own socket
                del events, websocket
                gc.collect()
        else:
            thread = threading.Thread(target=asyncio.run, args=(begin(events),))
            thread.start()
            assert ready.wait(PATIENCE)
            asyncio.run(send(websocket))
            done.set()
            thread.join(PATIENCE)
    assert [opcode for opcode, _ in heard] in ([], [frames.CLOSE])


def test_a_poll_that_was_ahead_is_none_once_we_close(run: Run) -> None:
    async def talk(url: str) -> list[str]:
        async with AsyncWebSocket(url) as websocket:
            events = websocket.connect(poll=0.05, ping_rate=0, close_timeout=0.3)
            await until(events, "text")
            await asyncio.sleep(0.2)  # meanwhile a Poll is due
            await websocket.close()
            return [event.name async for event in events]

    def serve(connection: socket.socket) -> None:
        connection.sendall(frame(frames.TEXT, b"x"))
        read_all(connection)

    with raw_server(serve) as server:
        assert run(talk(server.url)) == ["disconnected"]


def test_what_was_ahead_is_not_handed_out_after_close_timeout(run: Run) -> None:
    async def talk(url: str) -> list[str]:
        async with AsyncWebSocket(url) as websocket:
            events = websocket.connect(poll=None, ping_rate=0, close_timeout=0.2)
            await until(events, "text")
            await asyncio.sleep(0.2)  # meanwhile the others are read
            await websocket.close()
            await asyncio.sleep(0.3)
            return [event.name async for event in events]

    def serve(connection: socket.socket) -> None:
        one_of_each = [(frames.TEXT, b"x"), (frames.BINARY, b"x"), (frames.PING, b"x")]
        connection.sendall(
            frame(frames.TEXT, b"x") + b"".join(frame(*each) for each in one_of_each)
        )
        read_all(connection)

    with raw_server(serve) as server:
        assert run(talk(server.url)) == ["disconnected"]


def test_a_pong_that_came_while_the_loop_was_kept_is_read_before_it_is_judged(run: Run) -> None:
    """Its handler begins when a ping is on its way, and takes longer than ping_timeout."""

    async def talk(url: str) -> list[str]:
        names = []
        async with AsyncWebSocket(url) as websocket:
            async for event in websocket.connect(poll=None, ping_rate=0, ping_timeout=0.3):
                names.append(event.name)
                if names.count("pong") == 4:
                    await websocket.close()
                elif event.name in ("ready", "pong"):
                    await websocket.send_ping(b"there?")
                    time.sleep(0.4)  # the loop is kept
        return names[3:]

    with raw_server(echo) as server:
        assert run(talk(server.url)) == ["pong"] * 4 + ["closed", "disconnected"]


class InterruptError(Exception):
    """Of a signal's handler."""


class Interrupter:
    """Raises at one of the steps that the door's own code takes; asyncio reports it, and goes on.

    Arguments:
        step: At which, counted from 1.
    """

    def __init__(self, step: int) -> None:
        self.has_raised = False
        self._left = step

    def __call__(self, frame: FrameType, kind: str, argument: object) -> Any:
        if self.has_raised or "/io/" not in frame.f_code.co_filename.replace("\\", "/"):
            return None
        self._left -= kind in ("call", "line")
        if not self._left:
            self.has_raised = True
            raise InterruptError
        return self


async def interrupted(url: str, step: int, told: threading.Semaphore) -> bool:
    """Whether there was such a step on a message's way to the task, which is then cancelled.

    Arguments:
        url: Of a server that sends a text when it is told.
        step: Which one.
        told: Released when the task waits.
    """
    asyncio.get_running_loop().set_exception_handler(lambda *_: None)
    events = AsyncWebSocket(url).connect(poll=None, ping_rate=0)
    await until(events, "ready")
    waiting = asyncio.create_task(until(events, "text"))
    await asyncio.sleep(0)
    interrupter = Interrupter(step)
    gc.disable()  # what earlier tests have left would be dropped, and interrupted, in here
    sys.settrace(interrupter)
    told.release()
    try:
        async with asyncio.timeout(PATIENCE):
            while not (waiting.done() or interrupter.has_raised):
                await asyncio.sleep(0.001)
    finally:
        sys.settrace(None)
        gc.enable()
    waiting.cancel()
    done, _ = await asyncio.wait([waiting], timeout=PATIENCE)
    assert done == {waiting}
    if not waiting.cancelled():
        waiting.exception()
    await events.aclose()
    for _ in range(3):  # asyncio closes sockets some turns later
        await asyncio.sleep(0)
    return interrupter.has_raised


def test_a_task_that_an_exception_left_waiting_can_be_cancelled() -> None:
    """Between any two lines of what wakes it. (The compiled twin has no lines to raise at.)"""

    told = threading.Semaphore(0)

    def serve(connection: socket.socket) -> None:
        assert told.acquire(timeout=PATIENCE)
        connection.sendall(frame(frames.TEXT, b"x"))
        read_all(connection)

    step = 1
    with raw_server(serve) as server:
        while asyncio.run(interrupted(server.url, step, told)):
            step += 1
    assert step > 50 or twin.running == "compiled"


ROUNDS = """
import asyncio, contextlib, random, signal, sys, warnings
from lomond.aio import AsyncWebSocket

warnings.simplefilter("ignore")


class Boom({base}):
    pass


def raises(_, frame):
    # asyncio's own lines are not made for that: a loop that is about to run, or to end, stays so,
    # and a callback that is about to be called never is, such as the first step of a task.
    # Nor is what a task waits for asked twice; only the pure twin's are functions of Python's.
    where = frame.f_code.co_filename
    own = (asyncio.base_events.__file__, asyncio.events.__file__, asyncio.runners.__file__)
    if frame.f_code.co_name in ("get_loop", "add_done_callback") or where in own:
        signal.setitimer(signal.ITIMER_REAL, 0.0001)
    else:
        raise Boom


async def iterate():
    async with AsyncWebSocket(sys.argv[1]) as websocket:
        async for event in websocket.connect(poll=None):
            pass


async def interrupted():
    asyncio.get_running_loop().set_exception_handler(lambda *_: None)
    tasks = [asyncio.create_task(iterate()) for _ in range(3)]
    await asyncio.sleep(0.03)
    signal.setitimer(signal.ITIMER_REAL, random.uniform(0.0005, 0.01))
    await asyncio.wait(tasks, timeout=0.05)


signal.signal(signal.SIGALRM, raises)
for _ in range(40):
    with contextlib.suppress(Boom):
        asyncio.run(interrupted())
    signal.setitimer(signal.ITIMER_REAL, 0)
print("all ended")
"""


@pytest.mark.threads
@pytest.mark.skipif(not hasattr(signal, "SIGALRM"), reason="this system has no such signal")
@pytest.mark.parametrize("base", ["Exception", "BaseException"])
def test_asyncio_ends_whatever_a_signal_handler_interrupts(base: str) -> None:
    """Whether the loop goes on behind the exception, or is left by it."""

    def serve(connection: socket.socket) -> None:
        reading = threading.Thread(target=read_all, args=(connection,), daemon=True)
        reading.start()
        with contextlib.suppress(OSError):
            while True:
                connection.sendall(frame(frames.TEXT, b"x" * 50))
                time.sleep(0.0001)
        reading.join(PATIENCE)

    with raw_server(serve) as server:
        program = [sys.executable, "-c", ROUNDS.replace("{base}", base), server.url]
        done = subprocess.run(program, capture_output=True, text=True, timeout=100, check=False)
    assert done.stdout == "all ended\n", done.stderr
