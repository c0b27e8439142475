"""What a connection has carried, counted: messages, bytes, pings, in both directions."""

from __future__ import annotations

from .fixed import Account

__all__ = ["Stats", "Traffic"]


class Traffic(Account):
    """What went one way.

    Attributes:
        texts, binaries: Messages. One that comes in parts counts with its last one.
        parts: Of messages that came in parts (`parts=`), or were sent so (`send_stream`).
        bytes: Of all these, before compression.
        wire_bytes: What the system was given, or gave: with frames' heads, the upgrade, TLS.
        pings, pongs: Control frames.

    Example:
        >>> websocket = WebSocket("wss://example.org")
        >>> for event in websocket:
        ...     pass
        >>> websocket.stats.received.texts, websocket.stats.received.bytes
        (1, 5)
    """

    __slots__ = ()
    __match_args__ = (
        "texts", "binaries", "parts", "bytes", "wire_bytes", "pings", "pongs",
    )  # fmt: skip
    texts: int
    binaries: int
    parts: int
    bytes: int
    wire_bytes: int
    pings: int
    pongs: int

    def __init__(
        self,
        texts: int = 0,
        binaries: int = 0,
        parts: int = 0,
        bytes: int = 0,  # noqa: A002  the field's name
        wire_bytes: int = 0,
        pings: int = 0,
        pongs: int = 0,
    ) -> None:
        self._set_all((texts, binaries, parts, bytes, wire_bytes, pings, pongs))

    def __add__(self, other: Traffic) -> Traffic:
        pairs = zip(self._values, other._values, strict=True)
        return Traffic(*[one + another for one, another in pairs])


class Stats(Account):
    """What a connection has carried up to now.

    Attributes:
        received: What came, and the loop has got.
        sent: What was sent, or is held, or waits.
        since: When it became Ready, seconds since the epoch; None before that.
        connections: 1; of `total`, how many have become Ready.
        total: The same of all connections of its object, this one included.

    Example:
        >>> websocket = WebSocket("wss://example.org")
        >>> for event in websocket:
        ...     pass
        >>> websocket.stats.connections
        1
    """

    __slots__ = ("_earlier",)
    __match_args__ = ("received", "sent", "since", "connections")
    received: Traffic
    sent: Traffic
    since: float | None
    connections: int
    _earlier: Stats | None

    def __init__(
        self,
        received: Traffic | None = None,
        sent: Traffic | None = None,
        since: float | None = None,
        connections: int = 0,
        earlier: Stats | None = None,
    ) -> None:
        self._set_all((received or Traffic(), sent or Traffic(), since, connections))
        object.__setattr__(self, "_earlier", earlier)

    @property
    def total(self) -> Stats:
        """What all connections of the object have carried.

        Example:
            >>> websocket = WebSocket("wss://example.org")
            >>> for event in [*websocket, *websocket]:
            ...     pass
            >>> websocket.stats.total.received.texts
            2
        """
        earlier = self._earlier
        if earlier is None:
            return self
        return Stats(
            self.received + earlier.received,
            self.sent + earlier.sent,
            self.since if earlier.since is None else earlier.since,
            self.connections + earlier.connections,
        )
