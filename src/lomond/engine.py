"""The one place that knows which twin of protocol/ runs; the session gets it as an argument."""

from __future__ import annotations

from dataclasses import dataclass

from .protocol import connection, events, handshake, mask


@dataclass(frozen=True, slots=True)
class Engine:
    """The classes of one twin."""

    name: str
    Connection: type[connection.Connection]
    MaskingKeys: type[mask.MaskingKeys]
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


def pure() -> Engine:
    """The twin that is plain Python."""
    return Engine(
        "pure",
        connection.Connection,
        mask.MaskingKeys,
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


#: The twin of this process.
engine = pure()
