"""Events as lines for people."""

from __future__ import annotations

import os
from collections.abc import Callable
from time import monotonic
from typing import TextIO

from ..events import AnyEvent
from ..redaction import discreet_text, discreet_url
from ..response import (
    LONGEST as _LONGEST,  # characters of a message that are shown
    escaped,
)

_PAYLOADS = ("text", "binary", "ping", "pong")
_COLOURS = {
    "text": "32",
    "binary": "32",
    "ready": "36",
    "connect_fail": "31",
    "rejected": "31",
    "protocol_error": "31",
    "unresponsive": "31",
}


class Printer:
    """Prints one line for each event: seconds since the start, name, what matters.

    Arguments:
        write: Gets each line.
        stream: Where they go: in colours, if that is a terminal that wants them.
    """

    def __init__(self, write: Callable[[str], object], stream: TextIO | None) -> None:
        self._write = write
        self._colours = has_colours(stream)
        self._started_at = monotonic()

    def show(self, event: AnyEvent, at: float | None = None) -> None:
        """Print the event.

        Arguments:
            event: To be shown.
            at: Seconds that stand before it; None for those since the start.
        """
        name = f"{event.name:<14}"
        colour = _COLOURS.get(event.name, "2" if event.name in ("poll", "ping", "pong") else "")
        if self._colours and colour:
            name = f"\x1b[{colour}m{name}\x1b[0m"
        self.line(f"{name}  {details(event)}".rstrip(), at)

    def line(self, said: str, at: float | None = None) -> None:
        """Print a line behind the seconds since the start, or those that are given."""
        elapsed = monotonic() - self._started_at if at is None else at
        self._write(f"{elapsed:9.3f} s  {said}")


def has_colours(stream: TextIO | None) -> bool:
    """Whether what is written there may be in colours: see no-color.org, and terminfo's dumb."""
    if stream is None or os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
        return False
    return stream.isatty()


def details(event: AnyEvent) -> str:
    """What matters of an event, on one line, safe for a terminal."""
    match event.name:
        case "connecting" | "connected":
            said = discreet_url(event.url or "")
        case "connect_fail":
            said = event.reason
        case "ready":
            said = f"sub-protocol {event.protocol}" if event.protocol else ""
        case "rejected":
            body = event.response.body.decode("utf-8", "replace").strip()
            said = f"{event.reason}; {event.response.status}" + (f": {body}" if body else "")
        case "text":
            said = event.text
        case "binary" | "ping" | "pong":
            said = f"{len(event.data)} bytes {event.data[:24].hex(' ')}" if event.data else ""
        case "closing" | "closed":
            said = f"{'no code' if event.code is None else event.code} {event.reason}".strip()
        case "protocol_error":
            closed = "" if event.code is None else f"; closed with {event.code}"
            said = f"{event.error} ({event.section}){closed}"
        case "disconnected":
            said = event.reason + (" (gracefully)" if event.graceful else "")
        case _:
            said = ""
    return _safe(said if event.name in _PAYLOADS else discreet_text(said))


def _safe(text: str) -> str:
    """The text on one line, cut, with the characters escaped that a terminal would obey."""
    rest = len(text) - _LONGEST
    shown = escaped(text[:_LONGEST])
    return f"{shown} ... {rest} more characters" if rest > 0 else shown
