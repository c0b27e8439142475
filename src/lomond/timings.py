"""How long each phase of a connection took."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["Attempt", "Latency", "Timings"]


class Attempt(NamedTuple):
    """One attempt to connect to one address.

    Attributes:
        address: For people: ``127.0.0.1:80``, ``[::1]:80``, or a path.
        seconds: From its start to its end.
        error: In words; None for the one that was used.

    Example:
        >>> for event in WebSocket("wss://example.org"):
        ...     if event.name == "ready":
        ...         print([attempt.error for attempt in event.timings.attempts])
        [None]
    """

    address: str
    seconds: float
    error: str | None = None


class Latency(NamedTuple):
    """How long the server takes to answer a ping; in seconds.

    Attributes:
        last: The newest one.
        smallest: The least of this connection.
        smoothed: As TCP smooths its round trips (RFC 6298 section 2): an eighth of each new one.

    Example:
        >>> websocket = WebSocket("wss://example.org")
        >>> with pretend(Server().after(5).closes()):
        ...     events = list(websocket.connect(ping_rate=3))
        >>> websocket.latency.last
        0.0
    """

    last: float
    smallest: float
    smoothed: float

    def after(self, seconds: float) -> Latency:
        """What it comes to with another answer.

        Arguments:
            seconds: How long that took.

        Example:
            >>> Latency(0.2, 0.1, 0.2).after(0.6)
            Latency(last=0.6, smallest=0.1, smoothed=0.25)
        """
        smoothed = self.smoothed + (seconds - self.smoothed) / 8
        return Latency(seconds, min(self.smallest, seconds), smoothed)


class Timings:
    """Where the time of a connection went; all in seconds, None for what did not happen (yet).

    Where a redirect was followed, the last connection counts; `attempts` has those of all.
    The same object is on `Ready` and on every event that reports a failure of that connection, so
    that `first_message` appears in it later.

    Attributes:
        resolve: From the host name to its addresses.
        attempts: Every attempt to connect that has ended, in the order of their ends.
        proxy: From the connection to the proxy until it had connected us on.
        tls: The TLS handshake with the server.
        upgrade: From the request to the server's answer.
        first_message: From Ready to the first message.

    Example:
        >>> for event in WebSocket("wss://example.org"):
        ...     if event.name == "ready":
        ...         print(event.timings.upgrade, event.timings.proxy)
        0.0 None
    """

    __slots__ = ("attempts", "first_message", "proxy", "resolve", "tls", "upgrade")

    def __init__(self) -> None:
        self.resolve: float | None = None
        self.attempts: tuple[Attempt, ...] = ()
        self.proxy: float | None = None
        self.tls: float | None = None
        self.upgrade: float | None = None
        self.first_message: float | None = None

    def __repr__(self) -> str:
        phases = [
            f"{name}={value:.4f}"
            for name in ("resolve", "proxy", "tls", "upgrade", "first_message")
            if (value := getattr(self, name)) is not None
        ]
        tried = [f"{attempt.address} {attempt.seconds:.4f}" for attempt in self.attempts]
        phases.append(f"attempts=[{', '.join(tried)}]")
        return f"Timings({', '.join(phases)})"
