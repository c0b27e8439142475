"""What `trace=` reports of an event. Called by the door, outside every lock."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Any

from . import events
from .url import redact

log = logging.getLogger("lomond")

Trace = Callable[[dict[str, Any]], object]


class Tracer:
    """Hands records to the user's callable, which can't harm the connection.

    Arguments:
        trace: A callable that gets a dict for each stage; any other true value logs at DEBUG.
        url: Of the WebSocket; None where that has not been asked for yet.
    """

    def __init__(self, trace: object, url: str | None) -> None:
        self._trace = trace
        self.url = url

    def __call__(self, stage: str, **fields: object) -> None:
        """Report one stage."""
        url = None if self.url is None else redact(self.url)
        record = {"stage": stage, "url": url, **fields}
        if not callable(self._trace):
            log.debug("TRACE %r", record)
            return
        try:
            self._trace(record)
        except Exception:
            log.exception("trace callable failed at stage %r", stage)

    def length(self, stage: str, length: int) -> None:
        """Report a write or read."""
        self(stage, length=length)

    def event(self, event: events.Event) -> None:
        """Report an event before it is handed out."""
        describe = _STAGES.get(type(event))
        if describe is not None:
            stage, fields = describe(event)
            self(stage, **fields)


def _message(event: Any) -> tuple[str, Mapping[str, object]]:
    size = len(event.text if event.name == "text" else event.data)
    return f"message_{event.name}", {"length": size}


def _close(event: Any) -> tuple[str, Mapping[str, object]]:
    return "message_close", {"code": event.code, "reason": event.reason}


def _ready(event: Any) -> tuple[str, Mapping[str, object]]:
    fields = {"protocol": event.protocol, "extensions": sorted(event.extensions)}
    return "handshake_ready", fields


def _rejected(event: Any) -> tuple[str, Mapping[str, object]]:
    fields = {"reason": event.reason, "status_code": event.response.status_code}
    return "handshake_rejected", fields


def _disconnected(event: Any) -> tuple[str, Mapping[str, object]]:
    return "disconnected", {}


_STAGES: dict[type, Callable[[Any], tuple[str, Mapping[str, object]]]] = {
    events.Text: _message,
    events.Binary: _message,
    events.Ping: _message,
    events.Pong: _message,
    events.Closing: _close,
    events.Closed: _close,
    events.Ready: _ready,
    events.Rejected: _rejected,
    events.Disconnected: _disconnected,
}
