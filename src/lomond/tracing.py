"""What `trace=` reports: a dict for each stage, as the journal tells of it, outside every lock."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from .errors import ProtocolError
from .protocol.events import content
from .protocol.frames import read_close_payload
from .redaction import Discretion

if TYPE_CHECKING:
    from .io.journal import Entry

log = logging.getLogger("lomond")

Trace = Callable[[dict[str, Any]], object]


class Tracer:
    """Hands records to the user's callable, which can't harm the connection.

    Arguments:
        trace: A callable that gets a dict for each stage; any other true value logs at DEBUG.
    """

    def __init__(self, trace: object) -> None:
        self._trace = trace
        self._url: str | None = None
        self._shown: str | None = None  # the URL without its secrets
        self._discretion = Discretion()  # knows secrets again that a server repeats

    def __call__(self, entry: Entry) -> None:
        """Report an entry, if that is a stage."""
        if entry.op in _HEADS:
            self._discretion.learn_head(getattr(entry.value, "raw", entry.value))
        describe = _STAGES.get((entry.direction, entry.op))
        staged = None if describe is None else describe(entry)
        if staged is not None:
            self._report(entry.url, *staged)

    def _report(self, url: str | None, stage: str, fields: Mapping[str, object]) -> None:
        if url != self._url:
            self._know(url)
        record = {"stage": stage, "url": self._shown, **fields}
        reason = record.get("reason")
        if isinstance(reason, str):  # the server's words
            record["reason"] = self._discretion.text(reason)
        if not callable(self._trace):
            log.debug("TRACE %r", record)
            return
        try:
            self._trace(record)
        except Exception:
            log.exception("trace callable failed at stage %r", stage)

    def _know(self, url: str | None) -> None:
        """Know what of the URL is secret."""
        self._url = url
        if url is not None:
            self._discretion.learn_url(url)
        self._shown = None if url is None else self._discretion.url(url)


#: Entries that tell of secrets.
_HEADS = frozenset({"asked", "request", "response"})
_Staged = tuple[str, Mapping[str, object]]


def _message(entry: Entry) -> _Staged:
    return f"message_{entry.op}", {"length": len(entry.value)}


def _part(entry: Entry) -> _Staged:
    did = "message" if entry.direction == "in" else "send"
    length = len(content(entry.value))
    return f"{did}_{entry.op}", {"length": length, "offset": entry.value.offset}


def _close(entry: Entry) -> _Staged | None:
    try:
        code, reason = read_close_payload(entry.value)
    except (ProtocolError, UnicodeDecodeError):
        return None  # which is no close frame; what is told of that follows
    return "message_close", {"code": code, "reason": reason}


def _sent_message(entry: Entry) -> _Staged:
    return f"send_{entry.op}", {"length": len(entry.value), "compressed": entry.compress}


def _sent_control(entry: Entry) -> _Staged:
    return f"send_{entry.op}", {"length": len(entry.value)}


def _ready(entry: Entry) -> _Staged:
    event = entry.value
    fields = {"protocol": event.protocol, "extensions": sorted(event.extensions)}
    return "handshake_ready", fields


def _rejected(entry: Entry) -> _Staged:
    event = entry.value
    fields = {"reason": event.reason, "status_code": event.response.status_code}
    return "handshake_rejected", fields


def _disconnected(entry: Entry) -> _Staged:
    return "disconnected", {}


def _stage(entry: Entry) -> _Staged:
    return entry.op, entry.value


def _bytes(entry: Entry) -> _Staged:
    return entry.op, {"length": entry.value}


_STAGES: dict[tuple[str, str], Callable[[Entry], _Staged | None]] = {
    ("here", "connect_start"): _stage,
    ("here", "tls_wrapped"): _stage,
    ("here", "close_requested"): _stage,
    ("out", "socket_send"): _bytes,
    ("in", "socket_recv"): _bytes,
    ("in", "text"): _message,
    ("in", "binary"): _message,
    ("in", "text_part"): _part,
    ("in", "binary_part"): _part,
    ("in", "ping"): _message,
    ("in", "pong"): _message,
    ("in", "close"): _close,
    ("out", "text"): _sent_message,
    ("out", "binary"): _sent_message,
    ("out", "text_part"): _part,
    ("out", "binary_part"): _part,
    ("out", "ping"): _sent_control,
    ("out", "pong"): _sent_control,
    ("here", "ready"): _ready,
    ("here", "rejected"): _rejected,
    ("here", "disconnected"): _disconnected,
}
