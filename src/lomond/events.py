"""The events that a loop over a WebSocket gets.

The classes themselves are made where the protocol is.
"""

from typing import TYPE_CHECKING

from .engine import engine
from .engine import rebuild as rebuild  # what pickles ask for

if TYPE_CHECKING:
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
else:
    # The classes of the twin that runs.
    AnyEvent = engine.event_classes.AnyEvent
    BackOff = engine.event_classes.BackOff
    Binary = engine.event_classes.Binary
    Closed = engine.event_classes.Closed
    Closing = engine.event_classes.Closing
    Connected = engine.event_classes.Connected
    ConnectFail = engine.event_classes.ConnectFail
    Connecting = engine.event_classes.Connecting
    Disconnected = engine.event_classes.Disconnected
    Event = engine.event_classes.Event
    FailureEvent = engine.event_classes.FailureEvent
    Ping = engine.event_classes.Ping
    Poll = engine.event_classes.Poll
    Pong = engine.event_classes.Pong
    ProtocolError = engine.event_classes.ProtocolError
    Ready = engine.event_classes.Ready
    Rejected = engine.event_classes.Rejected
    Text = engine.event_classes.Text
    UnknownMessage = engine.event_classes.UnknownMessage
    Unresponsive = engine.event_classes.Unresponsive

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
