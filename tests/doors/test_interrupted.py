"""Ctrl-C at any point: a signal handler that raises wherever the interpreter runs one."""

from __future__ import annotations

import gc
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

import lomond
from doors.every_door import OnAsyncio
from doors.inside import socket_of
from doors.raw_server import echo, raw_server, until
from doors.tapped import connect, in_thread
from lomond import WebSocket
from lomond.errors import WebSocketError
from lomond.system import resolving
from patience import PATIENCE

pytestmark = pytest.mark.threads

HOME = str(Path(lomond.__file__).parent)
TESTS = str(Path(__file__).parent)
OPENING = "a new connection"
BY_NAME = "a new connection to a name"
kept: list[Any] = []  # streams, which are not to be dropped in the middle of a test
LARGE = "x" * (300 * 1024)  # goes the long way


class Interrupter:
    """Raises KeyboardInterrupt in this thread at the n-th of the moments that handlers run at.

    Those are the start of a function and the return from one of C, in lomond and in what it calls.
    (The ends of loops are no other moments than these, for what is held.)
    """

    def __init__(self, moment: int, within: str = "") -> None:
        self._within = within
        self._moment = self._left = moment
        self.struck: str | None = None

    def __call__(self, frame: FrameType, event: str, argument: Any) -> None:
        # To end a generator's expression is reported as a call too, but no handler runs then.
        is_end = frame.f_code.co_name == "<genexpr>" and event == "call"
        if event not in ("call", "c_return") or is_end:
            return
        place = frame.f_code.co_filename
        if self.struck is None and place.startswith(self._within) and not place.startswith(TESTS):
            self._left -= 1
            if self._left < 0:
                where = f"{frame.f_code.co_qualname}, line {frame.f_lineno}"
                self.struck = f"{self._moment}: {event} in {where}"
                raise KeyboardInterrupt

    @contextmanager
    def armed(self) -> Iterator[None]:
        gc.disable()  # what is raised while it collects comes out of nothing
        sys.setprofile(self)
        try:
            yield
        finally:
            sys.setprofile(None)
            gc.enable()


def send(text: str) -> Callable[[WebSocket, Iterator[Any]], object]:
    return lambda websocket, stream: websocket.send_text(text)


def receive(websocket: WebSocket, stream: Iterator[Any]) -> None:
    websocket.send_text("x")
    until(stream, "text")


def open_one(websocket: WebSocket, stream: Iterator[Any]) -> None:
    kept.append(websocket.connect(poll=None, ping_rate=0))
    until(kept[-1], "ready")


def open_by_name(websocket: WebSocket, stream: Iterator[Any]) -> None:
    kept.append(WebSocket(websocket.url.replace("127.0.0.1", "localhost")).connect(poll=None))
    until(kept[-1], "ready")


ACTS: dict[str, Callable[[WebSocket, Iterator[Any]], object]] = {
    "a short send": send("x"),
    "a long send": send(LARGE),
    "a ping": lambda websocket, stream: websocket.send_ping(b"x"),
    "a close": lambda websocket, stream: websocket.close(),
    "the loop": receive,
    "a reset": lambda websocket, stream: websocket.reset(),
    "a disconnect by force": lambda websocket, stream: websocket.force_disconnect(),
    "leaving": lambda websocket, stream: stream.close(),
    OPENING: open_one,
    BY_NAME: open_by_name,
}


# A socket that nobody has yet but the function that makes it goes with that function.
just_made = pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")


@pytest.mark.parametrize(
    "act",
    [pytest.param(act, marks=[just_made] if act in (OPENING, BY_NAME) else []) for act in ACTS],
)
def test_an_interruption_at_any_call_holds_up_no_other_thread(
    act: str, monkeypatch: pytest.MonkeyPatch, localhost: None
) -> None:
    monkeypatch.setattr(resolving, "MAX_AT_ONCE", 1)  # one that is lost is missed
    moment = 0
    with raw_server(echo) as server:
        while True:
            websocket = WebSocket(server.url)
            stream = websocket.connect(poll=None, ping_rate=0)
            until(stream, "ready")
            socks = [socket_of(websocket)]
            interrupter = Interrupter(moment)
            try:
                with interrupter.armed():
                    ACTS[act](websocket, stream)
            except KeyboardInterrupt:
                assert interrupter.struck is not None
            socks.append(socket_of(websocket))
            closer = in_thread(lambda websocket=websocket: (websocket.close(), websocket.reset()))
            closer.join(PATIENCE)
            assert not closer.is_alive(), interrupter.struck
            last = in_thread(list, stream)  # a loop of another thread
            last.join(PATIENCE)
            assert not last.is_alive(), interrupter.struck
            for stream in kept:
                stream.close()
            kept.clear()
            for sock in socks:
                assert sock is None or sock.fileno() == -1, interrupter.struck
            if interrupter.struck is None:
                break
            moment += 1
    assert moment > 0 or lomond.twin.running == "compiled"


class Interrupted(BaseException):
    """Of a signal handler."""


class Signal:
    """One whose handler raises, once, and then does nothing."""

    def __init__(self) -> None:
        self.begun = threading.Event()
        self._has_raised = threading.Event()
        self._before = signal.signal(signal.SIGUSR1, self._handle)

    def _handle(self, *of_a_handler: object) -> None:
        if not self._has_raised.is_set():
            self._has_raised.set()
            raise Interrupted

    def strike(self, thread: int) -> None:
        """Interrupt the thread when it has begun, and again should that not have been enough."""
        self.begun.wait(PATIENCE)
        while not self._has_raised.wait(0.001):
            signal.pthread_kill(thread, signal.SIGUSR1)

    def restore(self) -> None:
        signal.signal(signal.SIGUSR1, self._before)


def send_much(websocket: WebSocket) -> None:
    with suppress(WebSocketError):
        websocket.send_binary(bytes(16 * 1024 * 1024))


@pytest.mark.parametrize("_", range(5))
def test_a_signal_that_ends_a_wait_for_another_threads_send_comes_out_as_itself(_: int) -> None:
    def send(data: bytes) -> int:
        is_sending.set()
        return sock.send_now(data)

    is_sending, is_over = threading.Event(), threading.Event()
    with raw_server(lambda connection: is_over.wait(PATIENCE)) as server:  # it reads nothing
        sock = connect(server.port)
        websocket = WebSocket(server.url, socket=sock)
        stream = websocket.connect(poll=None, ping_rate=0)
        until(stream, "ready")
        sock.on_send = send
        other = in_thread(send_much, websocket)
        assert is_sending.wait(PATIENCE)
        caught: BaseException | None = None
        interruption = Signal()
        striker = in_thread(interruption.strike, threading.get_ident())
        try:
            interruption.begun.set()
            websocket.send_text(LARGE)
        except BaseException as error:
            caught = error
        striker.join(PATIENCE)
        interruption.restore()
        assert type(caught) is Interrupted
        for thread in in_thread(websocket.reset), other:
            thread.join(PATIENCE)
            assert not thread.is_alive()
        stream.close()
        is_over.set()


@pytest.mark.parametrize("act", ["a short send", "a long send"])
def test_an_interrupted_send_of_a_task_holds_up_no_other_thread(act: str) -> None:
    moment = 0
    with raw_server(echo) as server:
        while True:
            websocket = OnAsyncio(server.url)
            stream = websocket.connect(poll=None, ping_rate=0)
            until(stream, "ready")
            interrupter = Interrupter(moment, HOME)
            try:
                with interrupter.armed():
                    ACTS[act](websocket, stream)
            except KeyboardInterrupt:
                assert interrupter.struck is not None
            closer = in_thread(websocket.inner.reset)
            closer.join(PATIENCE)
            assert not closer.is_alive(), interrupter.struck
            stream.close()
            if interrupter.struck is None:
                break
            moment += 1
