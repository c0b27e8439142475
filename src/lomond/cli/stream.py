"""``lomond URL``: print the stream, send the lines of standard input."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from collections.abc import Generator, Iterator
from types import FrameType

from ..errors import WebSocketError
from ..websocket import WebSocket
from .printing import Printer


def run(websocket: WebSocket, source: int | None) -> int:
    """Print until the connection is over; the exit status.

    Arguments:
        websocket: What to connect.
        source: Descriptor whose lines are sent, or None.
    """
    printer = Printer(lambda line: print(line, flush=True))
    is_ready = threading.Event()
    failed = graceful = False
    with _closing_on_interrupt(websocket, is_ready):
        for event in websocket.connect(ping_timeout=30):
            if event.name == "ready":
                is_ready.set()
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


@contextlib.contextmanager
def _closing_on_interrupt(
    websocket: WebSocket, is_ready: threading.Event
) -> Generator[None, None, None]:
    """Ctrl-C starts the closing handshake; the next one, or one before Ready, ends at once."""

    def close(number: int, frame: FrameType | None) -> None:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        if not is_ready.is_set():
            raise KeyboardInterrupt
        websocket.close()

    before = signal.signal(signal.SIGINT, close)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
