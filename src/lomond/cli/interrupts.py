"""``lomond URL``: print the stream, send the lines of standard input."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
from collections.abc import Iterator
from types import FrameType, TracebackType
from typing import Any

from ..errors import WebSocketError
from ..websocket import WebSocket
from .printing import Printer

INTERRUPTED = 130  # exit status, as shells have it


def run(websocket: WebSocket, source: int | None) -> int:
    """Print until the connection is over; the exit status.

    Arguments:
        websocket: What to connect.
        source: Descriptor whose lines are sent, or None.
    """
    printer = Printer(lambda line: print(line, flush=True))
    failed = graceful = False
    with _Interrupts(websocket) as interrupts:
        for event in websocket.connect(ping_timeout=30):
            if interrupts.is_over:
                return INTERRUPTED
            if event.name == "ready":
                interrupts.is_ready = True
            if event.name != "poll":
                printer.show(event)
            if event.name == "ready" and source is not None:
                # A daemon: a read of standard input can't be ended.
                threading.Thread(target=_send_lines, args=(websocket, source), daemon=True).start()
            elif event.name == "rejected":
                failed = True
            elif event.name == "disconnected":
                graceful = event.graceful
    return 0 if graceful and not failed else 1


def _send_lines(websocket: WebSocket, source: int) -> None:
    with contextlib.suppress(WebSocketError, OSError):  # the loop says what happened
        for line in _lines(source):
            websocket.send_text(line)
        if os.isatty(source):
            websocket.close()  # Ctrl-D; the end of a file or pipe still waits for answers


def _lines(source: int) -> Iterator[str]:
    """The lines of a descriptor. Not by a file object: at exit, its lock would be held here."""
    rest = b""
    while data := os.read(source, 65536):
        *whole, rest = (rest + data).split(b"\n")
        for line in whole:
            yield line.decode("utf-8", "replace").rstrip("\r")
    if rest:
        yield rest.decode("utf-8", "replace")


class _Interrupts:
    """Ctrl-C starts the closing handshake; the next one, or one before Ready, ends at once.

    The handler raises nothing: where it interrupts a finalizer, as there are in every import, an
    exception would be lost. Only the one after the last is Python's own.
    """

    def __init__(self, websocket: WebSocket) -> None:
        self.is_ready = False
        self.is_over = False
        self._has_closed = False
        self._websocket = websocket
        self._before: Any = None

    def __enter__(self) -> _Interrupts:
        self._before = signal.signal(signal.SIGINT, self._interrupt)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        signal.signal(signal.SIGINT, self._before)

    def _interrupt(self, number: int, frame: FrameType | None) -> None:
        if self.is_ready and not self._has_closed:
            self._has_closed = True
            _tell("closing; Ctrl-C again ends at once\n")
            self._websocket.close()
            return
        self.is_over = True
        signal.signal(signal.SIGINT, signal.default_int_handler)
        self._websocket.force_disconnect()


def _tell(line: str) -> None:
    """Say it on standard error; not by its file object, which the signal may have interrupted."""
    if sys.stderr is not None:  # None where it was closed: its number may be a socket's now
        with contextlib.suppress(OSError, ValueError):
            os.write(sys.stderr.fileno(), line.encode())
