"""The events that a loop over a WebSocket gets.

The classes themselves are made where the protocol is. `__all__` has `help()` show them.
"""

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
    Entered,
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
    "Entered",
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
