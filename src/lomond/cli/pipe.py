"""``lomond URL`` where standard input or output is no terminal: lines in, lines out."""

from __future__ import annotations

import argparse
import math
import sys
import threading
from collections.abc import Callable, Generator
from time import monotonic
from typing import TYPE_CHECKING

from ..errors import WebSocketError, WebSocketUnavailable
from . import arguments, exits, jsonl, output, reading
from .diagnostics import Diagnostics
from .running import Run, recorder

if TYPE_CHECKING:
    from ..events import AnyEvent, BackOff, Binary, Text
    from ..websocket import WebSocket

_LINGER = 1.0  # seconds
_TO_TELL = 5.0  # seconds, at the most
_NOTHING = (
    "no message came within 1 s of the end of the input; --linger S waits longer, -n N and -1 "
    "until some came, --linger none until the server closes"
)


def run(parser: arguments.Parser, given: argparse.Namespace) -> int:
    """Send the lines of standard input and write what comes, until it is over; the exit status."""
    said = Diagnostics(-1 if given.quiet else given.verbose)
    record = recorder(parser, given)
    lines = jsonl.Recorded(record) if given.jsonl else None
    websocket = arguments.websocket(parser, given, record=lines or record, send_timeout=None)
    return Pipe(websocket, given, said, lines).run(record)


class Pipe(Run):
    """Writes what comes, and sends the lines of standard input.

    Arguments:
        websocket: What is connected.
        given: What was asked for.
        said: Takes what is not data.
        lines: Has the lines of ``--jsonl``; None for texts.
    """

    def __init__(
        self,
        websocket: WebSocket,
        given: argparse.Namespace,
        said: Diagnostics,
        lines: jsonl.Recorded | None,
    ) -> None:
        super().__init__(websocket, given, said)
        self._line = 0  # of standard input
        self._came = 0  # messages
        self._came_at = -math.inf  # when the last one was written; inf while one is
        self._wanted: int | None = 1 if given.once else given.n
        self._is_full = False  # nothing more is written
        end = b"\0" if given.nul else b"\n"
        number = output.number_of(sys.stdout)
        out = output.StandardOutput(number, self.interrupts, end)
        self._write: Callable[[Text | Binary], None] = (
            output.writer(out, given.binary, said.say)
            if lines is None
            else output.json_writer(out, lines.next)
        )
        self._reader = reading.Reader(output.number_of(sys.stdin), end)
        # From the start: while it connects, and connects again, nobody writes.
        self._number = number
        threading.Thread(target=self._watch, daemon=True).start()

    # What comes

    def take(self, event: AnyEvent) -> None:
        """Write a message, unless enough have come."""
        if not self._is_full and (event.name == "text" or event.name == "binary"):
            self._came_at = math.inf  # its reader may keep it waiting: that is no silence
            try:
                self._write(event)
            except output.OutputError as error:
                self._fail(error)
                return
            self._came_at = monotonic()
            self._came += 1
            if self._came == self._wanted:
                self._is_full = True
                self.finish(exits.DONE)

    def _watch(self) -> None:
        """End it once whoever reads our output has gone."""
        if reading.is_left(self._number):
            self._end_unread()

    def _end_unread(self) -> None:
        self._fail(output.OutputError("its reader has gone", is_gone=True))
        if not self.interrupts.is_ready:
            self.abort()

    def _tell_failure(self, event: BackOff) -> None:
        """Say why it connects again; not where nobody reads any more, and it ends instead."""
        if reading.is_left(self._number, waits=False):
            self._end_unread()
        else:
            super()._tell_failure(event)

    def _fail(self, error: output.OutputError) -> None:
        """End it: nothing more can be written."""
        self._is_full = True
        if not error.is_gone:
            self.said.say(f"standard output: {error}; what came after that is lost")
        self.finish(exits.DONE if error.is_gone else exits.OUTPUT)

    # What goes

    def send(self) -> None:
        """Send what is read, then wait for what still comes."""
        self._send_all()
        self._linger()

    def _send_all(self) -> None:
        try:
            for send in self._sends():
                if not self._sent(send) or self.given.once:
                    return
        except ValueError as error:
            said = "of standard input was not sent, and the input ends there"
            self.said.say(f"line {self._line} {said}: {error}")
            self.decide(exits.USAGE)
        except OSError as error:
            self.said.say(f"standard input: {error.strerror}")
            self.decide(exits.USAGE)

    def _sends(self) -> Generator[Callable[[WebSocket], object], None, None]:
        """What each line asks for."""
        for line in self._reader.lines():
            self._line += 1
            if self.given.jsonl:
                send = jsonl.sender(line) if line.strip() else None
                if send is not None:
                    yield send
            else:
                yield _texting(line)

    def _iterate(self) -> None:
        super()._iterate()
        self.is_over.set()
        sender = self.sender
        if sender is not None and self.status is None and self._reader.has_more():
            sender.join(_TO_TELL)  # it has what was not sent, and says so

    def _sent(self, send: Callable[[WebSocket], object]) -> bool:
        """Send one; whether that was done. Where it connects again, the next one has it."""
        while not self.is_over.is_set():
            try:
                send(self.websocket)
                return True
            except WebSocketUnavailable:
                if not (self.given.reconnect and self.websocket.wait_ready()):
                    break
            except WebSocketError as error:
                self.said.say(exits.advice(error))
                break
        if self.status is None and self.interrupts.status is None:
            self.said.say(f"line {self._line} of standard input, and what follows, was not sent")
        return False

    def _linger(self) -> None:
        """Wait until no message has come for so long, and close; or until enough have come."""
        since = monotonic()
        linger = self.given.linger
        if linger is None:
            linger = _LINGER if self._wanted is None else math.inf
        while not self.is_over.is_set():
            if self.given.reconnect and not self.websocket.is_active:
                self.websocket.wait_ready()
                since = monotonic()
            rest = max(since, self._came_at) + linger - monotonic()
            if rest <= 0:
                has_come = self._came_at != -math.inf
                if not has_come and self.given.linger is None and self.status is None:
                    self.said.say(_NOTHING)
                self.leave()
                return
            pause = None if linger == math.inf else min(rest, linger)
            self.is_over.wait(pause)


def _texting(line: bytes) -> Callable[[WebSocket], object]:
    """What sends a line as a text. Raises ValueError: it is none."""
    try:
        text = line.decode()
    except UnicodeDecodeError as error:
        raise ValueError(f"it is no UTF-8 ({error.reason} at byte {error.start})") from None
    return lambda websocket: websocket.send_text(text)
