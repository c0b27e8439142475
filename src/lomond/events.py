"""The events that a loop over a WebSocket gets.

The classes themselves are made where the protocol is; this page gives those that a user makes
their time, and lets them be pickled.
"""

import builtins
import time
from typing import TYPE_CHECKING, Any

from .engine import engine
from .errors import RestoredCause

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


def rebuild(
    name: str, fields: tuple[Any, ...], details: dict[str, Any], theirs: type[Event] | None = None
) -> Event:
    """An event from its pickled parts. A cause comes back as its own type if that is built in.

    Arguments:
        name: Of the class here.
        fields, details: Its arguments.
        theirs: A user's class that is derived from it; made without its own ``__init__``.
    """
    if isinstance(details.get("cause"), tuple):
        type_name, args = details["cause"]
        kind = getattr(builtins, type_name, None)
        if isinstance(kind, type) and issubclass(kind, BaseException):
            details["cause"] = kind(*args)
        else:
            details["cause"] = RestoredCause(type_name, *args)
    ours: type[Event] = getattr(engine.event_classes, name)
    made = theirs or ours
    event = made.__new__(made)
    ours.__init__(event, *fields, **details)
    return event


engine.event_classes.install(time.time, rebuild)
