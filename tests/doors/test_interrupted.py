"""Ctrl-C at any point: a signal handler that raises wherever the interpreter runs one."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

import lomond
from doors.raw_server import echo, raw_server, until
from doors.tapped import PATIENCE, in_thread
from lomond import WebSocket

pytestmark = pytest.mark.threads

HOME = str(Path(lomond.__file__).parent)
OPENING = "a new connection"
kept: list[Any] = []  # streams, which are not to be dropped in the middle of a test
LARGE = "x" * (300 * 1024)  # goes the long way


class Interrupter:
    """Raises KeyboardInterrupt in this thread at the n-th of the moments that handlers run at.

    Those are the start of a function and the return from one of C. (The ends of loops are no other
    moments than these, for what is held.)
    """

    def __init__(self, moment: int) -> None:
        self._left = moment
        self.struck: str | None = None

    def __call__(self, frame: FrameType, event: str, argument: Any) -> None:
        if event not in ("call", "c_return"):
            return
        if self.struck is None and frame.f_code.co_filename.startswith(HOME):
            self._left -= 1
            if self._left < 0:
                self.struck = f"{event} in {frame.f_code.co_qualname}, line {frame.f_lineno}"
                raise KeyboardInterrupt

    @contextmanager
    def armed(self) -> Iterator[None]:
        sys.setprofile(self)
        try:
            yield
        finally:
            sys.setprofile(None)


def send(text: str) -> Callable[[WebSocket, Iterator[Any]], object]:
    return lambda websocket, stream: websocket.send_text(text)


def receive(websocket: WebSocket, stream: Iterator[Any]) -> None:
    websocket.send_text("x")
    until(stream, "text")


def open_one(websocket: WebSocket, stream: Iterator[Any]) -> None:
    kept.append(websocket.connect(poll=None, ping_rate=0))
    until(kept[-1], "ready")


ACTS: dict[str, Callable[[WebSocket, Iterator[Any]], object]] = {
    "a short send": send("x"),
    "a long send": send(LARGE),
    "a ping": lambda websocket, stream: websocket.send_ping(b"x"),
    "a close": lambda websocket, stream: websocket.close(),
    "the loop": receive,
    OPENING: open_one,
}


# A socket that nobody has yet but the function that makes it goes with that function.
just_made = pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")


@pytest.mark.parametrize(
    "act", [*(act for act in ACTS if act != OPENING), pytest.param(OPENING, marks=just_made)]
)
def test_an_interruption_at_any_call_holds_up_no_other_thread(act: str) -> None:
    moment = 0
    with raw_server(echo) as server:
        while True:
            websocket = WebSocket(server.url)
            stream = websocket.connect(poll=None, ping_rate=0)
            until(stream, "ready")
            interrupter = Interrupter(moment)
            try:
                with interrupter.armed():
                    ACTS[act](websocket, stream)
            except KeyboardInterrupt:
                assert interrupter.struck is not None
            channel = websocket._channel
            assert channel is not None
            assert not channel.link.is_owned(), interrupter.struck
            closer = in_thread(lambda websocket=websocket: (websocket.close(), websocket.reset()))
            closer.join(PATIENCE)
            assert not closer.is_alive(), interrupter.struck
            last = in_thread(list, stream)  # a loop of another thread
            last.join(PATIENCE)
            assert not last.is_alive(), interrupter.struck
            for stream in kept:
                stream.close()
            kept.clear()
            transport = channel.link.transport
            assert transport is None or transport.sock.fileno() == -1, interrupter.struck
            if interrupter.struck is None:
                break
            moment += 1
    assert moment > 0 or lomond.engine.engine.name == "compiled"
