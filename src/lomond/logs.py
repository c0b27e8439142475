"""What the log is told of connections: how each begins and ends, and of each frame kind and length.

Loggers `lomond.connection` and `lomond.reconnect`. INFO is for Ready, the end, and the wait before
another connection; DEBUG for heads and frames. Never what a message says, and no secret.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from .redaction import Discretion, discreet_head, discreet_url
from .response import printable

if TYPE_CHECKING:
    from collections.abc import Callable

    from .io.journal import Entry, Journal

connection = logging.getLogger("lomond.connection")
reconnect = logging.getLogger("lomond.reconnect")


def is_heard() -> bool:
    """Whether anybody wants to know how connections begin and end."""
    return connection.isEnabledFor(logging.INFO)


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
        elif entry.op in _ENDS:
            self._say(logging.INFO, _ENDS[entry.op](entry.value))
        elif entry.op == "ready":
            said = ", ".join([*self._through, *_agreed(entry.value)])
            self._say(logging.INFO, f"ready: {said}")
        elif self._has_details and entry.op in _HEADS:
            arrow, head = _HEADS[entry.op](entry.value)
            for line in head.decode("latin-1").splitlines():
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


def backs_off(journal: Journal | None, url: str | None, event: Any) -> None:
    """Log that `persist` waits before it connects again.

    Arguments:
        journal: Of the last connection, if it had one.
        url: Where to; None where that was not asked for yet.
        event: Tells how long, and why.
    """
    if not reconnect.isEnabledFor(logging.INFO):
        return
    name = _name(None if journal is None else journal.number, url)
    discretion = Discretion()
    if url is not None:
        discretion.learn_url(url)
    why = discretion.text(_why(event))
    said = "%s connects again in %.3g s (attempts that failed: %d): %s"
    reconnect.info(said, name, event.delay, event.attempt, why)


def _name(number: int | None, url: str | None) -> str:
    """What a line names the connection by: a short number, and where it leads to."""
    where = "(url= is not asked yet)" if url is None else printable(discreet_url(url))
    return where if number is None else f"[{number}] {where}"


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
_FRAMES = frozenset({"text", "binary", "ping", "pong", "close"})
#: Where a head goes, and its lines without what is secret there.
_HEADS: dict[str, Callable[[Any], tuple[str, bytes]]] = {
    "request": lambda head: (">", discreet_head(head)),
    "response": lambda response: ("<", discreet_head(response.raw)),
}


def _frame(entry: Entry) -> str:
    """What is said of a frame: where it goes, its kind and length."""
    size = len(entry.value.encode()) if entry.op == "text" else len(entry.value)
    return f"{_ARROWS[entry.direction]} {entry.op}, {size} bytes"
