"""The events that a loop over a WebSocket gets.

The classes themselves are made where the protocol is; this page gives those that a user makes
their time, and lets them be pickled.
"""

import builtins
import time
from typing import Any

from .errors import RestoredCause
from .protocol import events as _events
from .protocol.events import (
    AnyEvent,
    BackOff,
    Binary,
    Closed,
    Closing,
    Connected,
    ConnectFail,
    Connecting,
    Disconnected,
    Event,
    FailureEvent,
    Ping,
    Poll,
    Pong,
    ProtocolError,
    Ready,
    Rejected,
    Text,
    UnknownMessage,
    Unresponsive,
)

__all__ = [
    "AnyEvent",
    "BackOff",
    "Binary",
    "Closed",
    "Closing",
    "ConnectFail",
    "Connected",
    "Connecting",
    "Disconnected",
    "Event",
    "FailureEvent",
    "Ping",
    "Poll",
    "Pong",
    "ProtocolError",
    "Ready",
    "Rejected",
    "Text",
    "UnknownMessage",
    "Unresponsive",
]


def rebuild(name: str, fields: tuple[Any, ...], details: dict[str, Any]) -> Event:
    """An event from its pickled parts. A cause comes back as its own type if that is built in."""
    if isinstance(details.get("cause"), tuple):
        type_name, args = details["cause"]
        kind = getattr(builtins, type_name, None)
        if isinstance(kind, type) and issubclass(kind, BaseException):
            details["cause"] = kind(*args)
        else:
            details["cause"] = RestoredCause(type_name, *args)
    event: Event = getattr(_events, name)(*fields, **details)
    return event


_events.install(time.time, rebuild)
