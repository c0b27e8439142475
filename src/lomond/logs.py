"""What the log is told of connections: how each begins and ends, and of each frame kind and length.

Loggers `lomond.connection` and `lomond.reconnect`. INFO is for Ready, the end, and the wait before
another connection; DEBUG for heads and frames. Never what a message says, and no secret.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from .protocol.events import BinaryPart, TextPart, content
from .redaction import Discretion, discreet_url
from .response import printable

if TYPE_CHECKING:
    from collections.abc import Callable

    from .io.journal import Entry

connection = logging.getLogger("lomond.connection")
reconnect = logging.getLogger("lomond.reconnect")


def is_heard() -> bool:
    """Whether anybody wants to know how connections begin and end, or how long is waited."""
    return connection.isEnabledFor(logging.INFO) or waits_are_heard()


def waits_are_heard() -> bool:
    """Whether anybody wants to know how long `persist` waits."""
    return reconnect.isEnabledFor(logging.INFO)


def has_details() -> bool:
    """Whether anybody wants to know of heads and frames."""
    return connection.isEnabledFor(logging.DEBUG)


class Log:
    """What is said of one connection in the log.

    Arguments:
        has_details: Whether heads and frames are.
    """

    def __init__(self, has_details: bool) -> None:
        self._has_details = has_details
        self._through: list[str] = []  # what it goes through, and to
        self._url: str | None = None
        self._name = ""  # what its lines begin with
        self._discretion = Discretion()  # knows secrets again that a server repeats
        self._knows_all = False  # it was there when they were said

    def __call__(self, entry: Entry) -> None:
        """Log an entry, if anything is said of that."""
        if entry.url != self._url or not self._name:
            self._know(entry)
        if self._has_details and entry.op in _FRAMES:
            connection.debug("%s %s", self._name, _frame(entry))
        elif entry.op == "connected":
            self._through = _through(entry.value)
        elif entry.op == "asked":
            self._discretion.learn_head(entry.value)
        elif entry.op == "connect_start":
            self._knows_all = True
        elif entry.op == "back_off":
            self._wait(entry.value)
        elif entry.op in _ENDS:
            self._say(logging.INFO, _ENDS[entry.op](entry.value))
        elif entry.op == "ready":
            said = ", ".join([*self._through, *_agreed(entry.value)])
            self._say(logging.INFO, f"ready: {said}")
        elif entry.op == "response":
            self._discretion.learn_head(entry.value.raw)
            self._head("<", entry.value.raw)
        elif entry.op == "request":
            self._head(">", entry.value)

    def _head(self, arrow: str, head: bytes) -> None:
        """Say what a head says without what is secret there."""
        if self._has_details:
            for line in self._discretion.head(head).decode("latin-1").splitlines():
                if line:
                    self._say(logging.DEBUG, f"{arrow} {printable(line)}")

    def _know(self, entry: Entry) -> None:
        """Know which connection it is, and what of its URL is secret."""
        self._url = entry.url
        self._name = _name(entry.connection, entry.url)
        if entry.url is not None:
            self._discretion.learn_url(entry.url)

    def _say(self, level: int, said: str) -> None:
        connection.log(level, "%s %s", self._name, self._discretion.text(said))

    def _wait(self, event: Any) -> None:
        """Say that `persist` waits before it connects again."""
        # What a server said may repeat a secret that was not told of here.
        why = self._discretion.text(_why(event) if self._knows_all else str(event.reason))
        said = "%s connects again in %.3g s (attempts that failed: %d): %s"
        reconnect.info(said, self._name, event.delay, event.attempt, why)


def _name(number: int, url: str | None) -> str:
    """What a line names the connection by: a short number, and where it leads to."""
    where = "(url= is not asked yet)" if url is None else printable(discreet_url(url))
    return f"[{number}] {where}"


def _through(event: Any) -> list[str]:
    """What a connected event tells of the way."""
    parts = [] if event.address is None else [event.address]
    if event.proxy is not None:
        parts.append(f"through {printable(discreet_url(event.proxy))}")
    return parts if event.tls is None else [*parts, event.tls.version]


def _agreed(event: Any) -> list[str]:
    """What a ready event tells of the agreement, and how long it took."""
    parts = [] if event.protocol is None else [f"sub-protocol {printable(event.protocol)}"]
    parts += sorted(event.extensions)
    timings = event.timings
    if timings is not None:
        spans = [timings.resolve, timings.proxy, timings.tls, timings.upgrade]
        spans += [attempt.seconds for attempt in timings.attempts if attempt.error is None]
        seconds = sum(span for span in spans if span is not None)
        parts.append(f"in {seconds * 1000:.3g} ms")
    return parts


def _why(event: Any) -> str:
    return str(event.reason if event.ending is None else event.ending)


#: What is said of an end.
_ENDS: dict[str, Callable[[Any], str]] = {
    "connect_fail": lambda event: f"failed: {_why(event)}",
    "disconnected": lambda event: f"ended: {_why(event)}",
    "left": lambda ending: f"ended: {ending}",
}
_ARROWS = {"in": "<", "out": ">"}
_FRAMES = frozenset({"text", "binary", "text_part", "binary_part", "ping", "pong", "close"})


def _frame(entry: Entry) -> str:
    """What is said of a frame: where it goes, its kind and length."""
    value = entry.value
    if isinstance(value, TextPart | BinaryPart):
        value = content(value)
    size = len(value.encode() if isinstance(value, str) else value)
    return f"{_ARROWS[entry.direction]} {entry.op}, {size} bytes"
