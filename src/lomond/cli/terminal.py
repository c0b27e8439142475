"""``lomond URL`` in a terminal: what is typed is sent, and what comes appears above it."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, NamedTuple

from ..ending import duration
from ..errors import WebSocketError, WebSocketUnavailable
from ..redaction import discreet_url
from ..response import printable
from ..timings import Latency
from . import arguments, colouring, exits, interrupts, orders
from .diagnostics import Diagnostics
from .output import OutputError
from .plain import Editor, Plain
from .printing import has_colours
from .running import Run, recorder

if TYPE_CHECKING:
    from ..ending import Ending
    from ..events import AnyEvent
    from ..websocket import WebSocket

_IN, _NOTE = "< ", "* "
_INDENT = "  "
_FIRST_BYTES = 16  # of a binary that are shown
_MISSING = "no history and no editing of lines here; for them run: pip install 'lomond[cli]'"


def run(parser: arguments.Parser, given: argparse.Namespace) -> int:
    """Talk to the server until it is over; the exit status."""
    record = recorder(parser, given)
    websocket = arguments.websocket(parser, given, record=record, send_timeout=None)
    is_in_colours = has_colours(sys.stdout)
    editor = _editor(is_in_colours, is_quiet=given.quiet)
    tell = editor.show if sys.stderr is not None and sys.stderr.isatty() else interrupts.tell
    said = Said(-1 if given.quiet else given.verbose, tell)
    return Conversation(websocket, given, said, editor, is_in_colours).run(record)


def _editor(is_in_colours: bool, is_quiet: bool) -> Editor:
    """Who reads lines: the line editor, unless this terminal or this installation has none."""
    kind = os.environ.get("TERM", "")
    if kind in ("dumb", "unknown") or (not kind and sys.platform != "win32"):
        return Plain()
    try:
        from . import editing
    except ImportError:
        if not is_quiet:
            interrupts.tell(f"lomond: {_MISSING}")
        return Plain()
    return editing.LineEditor(is_in_colours)


class Said(Diagnostics):
    """Diagnostics beside a conversation, which shows the messages itself."""

    def show(self, event: AnyEvent) -> None:
        """Show an event, if they are."""
        if event.name not in ("text", "binary"):
            super().show(event)


class _Count(NamedTuple):
    """Messages that went or came, and their bytes."""

    messages: int = 0
    size: int = 0

    def __str__(self) -> str:
        return f"{_number(self.messages, 'message')}, {_number(self.size, 'byte')}"

    def and_one(self, size: int) -> _Count:
        return _Count(self.messages + 1, self.size + size)


class Conversation(Run):
    """Shows what comes, and does what is typed.

    Arguments:
        websocket: What is connected.
        given: What was asked for.
        said: Takes what is no message.
        editor: Gives what is typed, and shows lines.
        is_in_colours: Whether they are shown in colours.
    """

    def __init__(
        self,
        websocket: WebSocket,
        given: argparse.Namespace,
        said: Diagnostics,
        editor: Editor,
        is_in_colours: bool,
    ) -> None:
        super().__init__(websocket, given, said)
        self._editor = editor
        self._is_in_colours = is_in_colours
        self._wanted: int | None = 1 if given.once else given.n
        self._went = self._came = _Count()
        self._ready_at: float | None = None
        self._pings: dict[bytes, float] = {}  # those that were typed: when
        self._latency: Latency | None = None  # of those
        self._told: Ending | None = None  # of it the note was shown
        self._is_first = True
        self._orders: dict[str, Callable[[str], object]] = {
            "": self._text,
            "ping": self._ping,
            "close": self._close,
            "binary": self._binary,
            "stats": self._stats,
            "help": self._help,
        }

    # What comes

    def take(self, event: AnyEvent) -> None:
        """Show a message, an answer to a ping that was typed, or what else matters."""
        match event.name:
            case "text":
                size = len(event.text.encode("utf-8", "surrogatepass"))
                parts = colouring.parts_of(event.text, self.given.json)
                self._message(parts if size else [("dim", "(an empty text)")], size)
            case "binary":
                most = len(event.data) if self.given.binary == "hex" else _FIRST_BYTES
                self._message([("dim", _summary(event.data, most))], len(event.data))
            case "pong":
                sent_at = self._pings.pop(event.data, None)
                if sent_at is not None:
                    self._pong(monotonic() - sent_at)
            case _:
                self._note(event)

    def _message(self, parts: list[colouring.Part], size: int) -> None:
        if self._wanted is not None and self._came.messages >= self._wanted:
            return
        self._came = self._came.and_one(size)
        shown = colouring.shown(parts, self._is_in_colours)
        mark = colouring.painted("mark", _IN, self._is_in_colours)
        self._editor.keep_up(self.is_over)
        try:
            self._editor.show(mark + shown.replace("\n", "\n" + _INDENT))
        except OutputError as error:
            interrupts.tell(f"lomond: standard output: {error}")
            self.finish(exits.OUTPUT)
        if self._came.messages == self._wanted:
            self.finish(exits.DONE)

    def _pong(self, seconds: float) -> None:
        first = Latency(seconds, seconds, seconds)
        self._latency = first if self._latency is None else self._latency.after(seconds)
        self._answer(f"pong after {_time(seconds)}")

    def _note(self, event: AnyEvent) -> None:
        """Show an event that matters, unless all are shown, or none."""
        if event.name == "ready":
            self._ready_at = monotonic()
        if self.given.quiet or self.given.verbose:
            return
        match event.name:
            case "ready":
                said = f"connected to {discreet_url(self.websocket.url or '')}"
                if event.protocol:
                    said += f", sub-protocol {event.protocol}"
                self._answer(said + ("; /help lists the commands" if self._is_first else ""))
                self._is_first = False
            case "closing":
                code = "no code" if event.code is None else event.code
                self._answer(f"the server closes: {code} {printable(event.reason)}")
            case "connecting" if self._is_first:
                self._answer(f"connecting to {discreet_url(event.url or '')}")
            case "back_off" if not self.is_over.is_set():
                self._answer(f"connects again in {event.delay:.1f} s")
            case _:
                pass

    def _ended(self, ending: Ending) -> None:
        """Show how a connection ended, once."""
        if self._told is not ending and not self.given.quiet:
            self._told = ending
            self._answer(exits.advice(ending))

    def _answer(self, text: str) -> None:
        """Show lines that are no message."""
        shown = colouring.shown([("dim", _NOTE + text.rstrip())], False)
        self._editor.show(_dimmed(shown.replace("\n", "\n" + _INDENT), self._is_in_colours))

    # What goes

    def send(self) -> None:
        """Do what is typed, until its end."""
        try:
            for typed in self._editor.lines(self.interrupts):
                if typed:
                    self._do(typed)
                if self.given.once and self._went.messages:
                    return
        except (OSError, RuntimeError) as error:
            self.said.say(f"standard input: {error}")
            self.decide(exits.USAGE)
        self.leave()

    def _do(self, typed: str) -> None:
        """Do it, or say why not."""
        try:
            name, rest = orders.read(typed)
            self._orders[name](rest)
        except WebSocketUnavailable:
            self._answer("not sent: there is no connection")
        except OSError as error:
            self._answer(f"not sent: {error.filename}: {error.strerror}")
        except UnicodeError:
            self._answer("not sent: it has what is no character")
        except (ValueError, WebSocketError) as error:
            self._answer(printable(exits.advice(error)))

    def _text(self, text: str) -> None:
        self.websocket.send_text(text)
        self._went = self._went.and_one(len(text.encode()))

    def _ping(self, text: str) -> None:
        payload = (text or f"ping {len(self._pings) + 1}").encode()
        self._pings[payload] = monotonic()
        try:
            self.websocket.send_ping(payload)
        except (ValueError, WebSocketError):
            del self._pings[payload]
            raise

    def _close(self, rest: str) -> None:
        code, reason = orders.code_and_reason(rest)
        self.websocket.close(code, reason)
        self.is_over.set()

    def _binary(self, path: str) -> None:
        if not path:
            raise ValueError("/binary takes the path of a file")
        data = Path(path).expanduser().read_bytes()
        self.websocket.send_binary(data)
        self._went = self._went.and_one(len(data))
        self._answer(f"sent {_number(len(data), 'byte')}")

    def _stats(self, _: str) -> None:
        lines = [f"sent {self._went}; received {self._came}"]
        # The library's, which misses a pong that comes before it noted that the ping was written.
        latency = self.websocket.latency or self._latency
        if latency is not None:
            lines.append(f"latency {_time(latency.last)}, at best {_time(latency.smallest)}")
        if self._ready_at is not None:
            lines.append(f"connected for {_time(monotonic() - self._ready_at)}")
        self._answer("\n".join(lines))

    def _help(self, _: str) -> None:
        self._answer(orders.page(self._editor.has_keys))

    # To the end

    def _iterate(self) -> None:
        try:
            super()._iterate()
        finally:
            self._editor.end()

    def _result(self) -> int:
        status = super()._result()
        ending = self.websocket.ending
        if ending is not None and exits.status_of(ending) == exits.DONE:
            self._ended(ending)
        return status


def _summary(data: bytes, most: int) -> str:
    """How long a binary is, and how it begins: so many bytes of it."""
    began = data[:most].hex(" ") + (" ..." if len(data) > most else "")
    return f"binary, {_number(len(data), 'byte')}: {began}".rstrip(": ")


def _number(count: int, of_what: str) -> str:
    return f"{count:,} {of_what}{'' if count == 1 else 's'}".replace(",", " ")


def _time(seconds: float) -> str:
    return f"{seconds * 1000:.3g} ms" if seconds < 1 else duration(seconds)


def _dimmed(text: str, is_in_colours: bool) -> str:
    """The lines, each dim by itself: one may be shown without those before."""
    return "\n".join(colouring.painted("dim", line, is_in_colours) for line in text.split("\n"))
