"""The one place that knows which twin of protocol/ runs; the session gets it as an argument.

Whoever makes events comes by here: from here they have their time, and the way back from a pickle.
"""

from __future__ import annotations

import builtins
import os
import time
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any, NamedTuple

from .errors import RestoredCause

if TYPE_CHECKING:
    from .protocol import connection, events, keys
    from .protocol.http import upgrade

_PACKAGES = {"compiled": "lomond.compiled", "pure": "lomond.protocol"}


class Engine(NamedTuple):
    """The classes of one twin.

    Attributes:
        name: ``"compiled"`` or ``"pure"``.
        event_classes: The module that defines the events.
    """

    name: str
    event_classes: ModuleType
    Connection: type[connection.Connection]
    MaskingKeys: type[keys.MaskingKeys]
    Upgrade: type[upgrade.Upgrade]
    Connecting: type[events.Connecting]
    ConnectFail: type[events.ConnectFail]
    Connected: type[events.Connected]
    Ready: type[events.Ready]
    Rejected: type[events.Rejected]
    ProtocolError: type[events.ProtocolError]
    Unresponsive: type[events.Unresponsive]
    Disconnected: type[events.Disconnected]
    Closed: type[events.Closed]
    Closing: type[events.Closing]
    Pong: type[events.Pong]
    Poll: type[events.Poll]
    BackOff: type[events.BackOff]

    def module(self, room: str, name: str) -> ModuleType:
        """Another module of the twin, by the room of its source and its name."""
        package = "lomond.compiled" if self.name == "compiled" else f"lomond.{room}"
        return import_module(f"{package}.{name}")


def rebuild(
    name: str,
    fields: tuple[Any, ...],
    details: dict[str, Any],
    theirs: type[events.Event] | None = None,
) -> events.Event:
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
    ours: type[events.Event] = getattr(engine.event_classes, name)
    made = theirs or ours
    event = made.__new__(made)
    ours.__init__(event, *fields, **details)
    return event


# Pickles name it so: a process that has imported nothing yet imports what it needs.
rebuild.__module__ = "lomond.events"


def load(name: str) -> Engine:
    """The twin of that name. Raises ImportError if it was not built."""
    package = _PACKAGES[name]
    connection = import_module(f"{package}.connection")
    events = import_module(f"{package}.events")
    upgrade = import_module(f"{package}.http.upgrade")
    keys = import_module(f"{package}.keys")
    events.install(time.time, rebuild)
    return Engine(
        name,
        events,
        connection.Connection,
        keys.MaskingKeys,
        upgrade.Upgrade,
        events.Connecting,
        events.ConnectFail,
        events.Connected,
        events.Ready,
        events.Rejected,
        events.ProtocolError,
        events.Unresponsive,
        events.Disconnected,
        events.Closed,
        events.Closing,
        events.Pong,
        events.Poll,
        events.BackOff,
    )


def _choose() -> Engine:
    if os.environ.get("LOMOND_PURE", "0") in ("", "0"):
        try:
            return load("compiled")
        except ImportError:
            pass  # it was not built, and the build has said so
    return load("pure")


#: The twin of this process.
engine = _choose()
