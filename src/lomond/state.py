"""What a WebSocket knows of its current connection, and of the end of the one before.

Decides nothing about the protocol.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .base import Base
from .io.readiness import readiness
from .session.counting import counted
from .stats import Stats

if TYPE_CHECKING:
    from collections.abc import Callable

    from .compression import Compression
    from .ending import Ending
    from .io.exchange import Exchange
    from .io.noticing import Look
    from .io.posting import Posts
    from .timings import Latency

__all__ = ["State"]


class State(Base):
    """How far a WebSocket's connection has come; the same in every door."""

    _exchange: Exchange | None = None  # the current connection's
    _look: Look | None = None  # for the next connection
    _bell: Callable[[], object] | None = None  # ends the wait between two connections
    _posts: Posts | None = None  # what was posted, and not handed out
    _stays: int = 0  # iterations that connect again after an end
    _ended: Ending | None = None  # the connection before it
    _carried: Stats | None = None  # what all connections before it have
    _dumps: Any = None  # as the current connection has it
    _recorder: Any = None  # what writes the record of one connection after the other
    _loop: Any = None  # the code and the line of the last loop over it
    #: What no copy has.
    _unshared: tuple[str, ...] = (
        "_bell", "_carried", "_dumps", "_ended", "_exchange", "_look", "_loop", "_posts",
        "_recorder", "_stays",
    )  # fmt: skip

    @property
    def is_closing(self) -> bool:
        """Whether a close frame was sent, and the connection is not over yet.

        Example:
            >>> websocket = WebSocket("wss://example.org/feed")
            >>> for event in websocket:
            ...     if event.name == "text":
            ...         websocket.close()
            ...         print(websocket.is_closing)
            True
        """
        exchange = self._exchange
        return exchange is not None and exchange.session.finish.is_closing

    @property
    def is_closed(self) -> bool:
        """Whether the last connection is over, however it ended.

        Example:
            >>> websocket = WebSocket("wss://example.org/feed")
            >>> for event in websocket:
            ...     if event.name == "closing":
            ...         print(websocket.is_closed)
            False
            >>> websocket.is_closed
            True
        """
        exchange = self._exchange
        return exchange is not None and (exchange.session.has_ended or exchange.is_over)

    def _readiness(self) -> bool | None:
        """Whether messages may be sent; None while that may come."""
        return readiness(self._exchange, self._stays > 0)

    def _is_left_unheard(self) -> bool:
        """Whether the last connection was Ready, and left before the first message."""
        if self._exchange is None:
            return False
        session = self._exchange.session
        course, finish = session.course, session.finish
        if course.opened_at is None or course.timings.first_message is not None:
            return False
        return finish.is_left if finish.event is not None else self._is_dropped()

    def _is_dropped(self) -> bool:
        """Whether nobody has the last events any more, and the connection is about to be left."""
        return False

    @property
    def ending(self) -> Ending | None:
        """How the last connection ended; None before the first end.

        Example:
            >>> websocket = WebSocket("wss://example.org/feed")
            >>> names = [event.name for event in websocket]
            >>> print(websocket.ending)
            the server closed the connection with 1000 (normal closure)...
        """
        exchange = self._exchange
        if exchange is None or not self.is_closed:
            return self._ended
        return exchange.session.finish.ending or self._ended

    @property
    def is_active(self) -> bool:
        """Whether it is neither closing nor closed. True before the first connection too.

        Example:
            >>> websocket = WebSocket("wss://example.org/feed")
            >>> for event in websocket:
            ...     if event.name == "text" and websocket.is_active:
            ...         websocket.send_text(event.text)
            >>> websocket.is_active
            False
        """
        return not self.is_closing and not self.is_closed

    @property
    def sent_close_time(self) -> float | None:
        """Seconds from Ready to our close; 0.0 if it was asked for before; None without one.

        Example:
            >>> websocket = WebSocket("wss://example.org/feed")
            >>> with pretend(Server().after(2).says("enough")):
            ...     for event in websocket:
            ...         if event.name == "text":
            ...             websocket.close()
            >>> round(websocket.sent_close_time)
            2
        """
        exchange = self._exchange
        return None if exchange is None else exchange.session.finish.sent_close_time

    @property
    def supports_compression(self) -> bool:
        """Whether compression was negotiated for this connection.

        Example:
            >>> websocket = WebSocket("wss://example.org/feed", compress=True)
            >>> names = [event.name for event in websocket]
            >>> websocket.supports_compression  # of a server that has none
            False
        """
        return self.compression is not None

    @property
    def compression(self) -> Compression | None:
        """What was negotiated about compression, with a live count of bytes; None without it.

        Example:
            >>> websocket = WebSocket("wss://example.org/feed", compress=True)
            >>> accepted = {"Sec-WebSocket-Extensions": "permessage-deflate"}
            >>> with pretend(Server(headers=accepted).closes()):
            ...     names = [event.name for event in websocket]
            >>> websocket.compression.server_max_window_bits
            15
        """
        exchange = self._exchange
        return None if exchange is None else exchange.session.compression

    @property
    def latency(self) -> Latency | None:
        """How long the pings of this connection took; None while none was answered.

        Example:
            >>> websocket = WebSocket("wss://example.org/feed")
            >>> with pretend(Server().after(1).closes()):
            ...     for event in websocket:
            ...         if event.name == "ready":
            ...             websocket.send_ping()
            >>> websocket.latency.last < 1
            True
        """
        exchange = self._exchange
        return None if exchange is None else exchange.session.pings.latency

    @property
    def stats(self) -> Stats:
        """What the current connection has carried up to now; its `total`, what all have.

        Example:
            >>> websocket = WebSocket("wss://example.org/feed")
            >>> names = [event.name for event in websocket]
            >>> websocket.stats.received.texts, websocket.stats.received.bytes
            (1, 5)
        """
        exchange, carried = self._exchange, self._carried
        if exchange is None:
            return Stats(earlier=carried)
        session = exchange.session
        return counted(session.connection, session.course, carried)

    @property
    def session(self) -> object | None:
        """Something that stands for the current connection, or None before the first.

        Example:
            >>> websocket = WebSocket("wss://example.org/feed")
            >>> sessions = set()
            >>> for _ in range(2):
            ...     for event in websocket:
            ...         sessions.add(websocket.session)
            >>> len(sessions)
            2
        """
        exchange = self._exchange
        return None if exchange is None else exchange.session
