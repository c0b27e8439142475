"""The one place that knows which twin of protocol/ runs; the session gets it as an argument."""

from __future__ import annotations

import os
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from .protocol import connection, events, handshake, keys

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
    Upgrade: type[handshake.Upgrade]
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


def load(name: str) -> Engine:
    """The twin of that name. Raises ImportError if it was not built."""
    package = _PACKAGES[name]
    connection = import_module(f"{package}.connection")
    events = import_module(f"{package}.events")
    handshake = import_module(f"{package}.handshake")
    keys = import_module(f"{package}.keys")
    return Engine(
        name,
        events,
        connection.Connection,
        keys.MaskingKeys,
        handshake.Upgrade,
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
