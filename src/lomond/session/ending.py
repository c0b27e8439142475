"""How one connection ends: why, who closed it, when it is over, and what is said of that."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..errors import ProtocolError, TransportFail, WebSocketUnavailable
from ..protocol import events, frames
from ..protocol.states import CLOSED, CLOSING, CLOSING_EARLY, CONNECTING
from ..response import printable

if TYPE_CHECKING:
    from ..errors import WebSocketError
    from ..protocol.connection import Connection
    from .course import Course


class Ending:
    """The end of one connection, known or to come.

    Arguments:
        connection: Which.
        course: How it came to here.

    Attributes:
        event: Disconnected as it will be; None while nothing ends the connection.
        close_asked_at: When the user first called `close`, or None.
        drains: The server closed first, so it is to close TCP first (RFC 6455 section 7.1.1).
        is_cut: The peer's stream has ended, or failed.
        is_told: Whether the last event was handed out.
    """

    __slots__ = (
        "_connection", "_course", "close_asked_at", "drains", "event", "is_cut", "is_told",
    )  # fmt: skip

    def __init__(self, connection: Connection, course: Course) -> None:
        self._connection = connection
        self._course = course
        self.event: events.Disconnected | None = None
        self.close_asked_at: float | None = None
        self.drains = False
        self.is_cut = False
        self.is_told = False

    def note(
        self,
        reason: str,
        graceful: bool,
        now: float,
        cause: BaseException | None = None,
        phase: str | None = None,
    ) -> None:
        """Why it will end; of several reasons the first is the true one."""
        if self.event is None:
            self.event = events.Disconnected(reason, graceful)
            if not graceful:
                self._course.describe(self.event, now, cause, phase)

    def end(
        self,
        reason: str,
        graceful: bool,
        now: float,
        cause: BaseException | None = None,
        phase: str | None = None,
    ) -> None:
        """End it now, for this reason if that is the first: nothing more is handed out or sent."""
        self.note(reason, graceful, now, cause, phase)
        self._connection.has_ended = True

    def judge(self, now: float, close_at: float) -> bool:
        """End it if nothing is left to wait for; whether our direction of TCP is to be closed.

        Arguments:
            now: When nothing was left to hand out.
            close_at: When the closing handshake is given up.
        """
        connection = self._connection
        state = connection.state
        if connection.has_ended or state in (CONNECTING, CLOSING_EARLY):
            return False
        if state == CLOSED and self.event is not None:
            is_draining = self.drains and not self.is_cut
            connection.has_ended = not is_draining or connection.received_at >= close_at
            return is_draining
        if self.is_cut:
            self.end("socket fail; connection lost", False, now, phase="read")
            if state == CLOSING and self.event is not None and self.event.cause is None:
                # The peer hung up instead of answering our close frame: as good as an answer.
                self.event = events.Disconnected("closed", True)
        return False

    # What is said of it

    @property
    def is_closing(self) -> bool:
        """A close frame was sent, or will be before anything else, and the end is not here."""
        connection = self._connection
        return not connection.has_ended and connection.state in (CLOSING, CLOSING_EARLY, CLOSED)

    @property
    def sent_close_time(self) -> float | None:
        """Seconds from the upgrade to the user's close; 0.0 if it was before; None without one."""
        if self.close_asked_at is None:
            return None
        opened_at = self._course.opened_at
        return 0.0 if opened_at is None else max(0.0, self.close_asked_at - opened_at)

    def refusal(self) -> WebSocketError:
        """What a send raises that comes after the end.

        As long as nobody was told of the end, what the network did is a failure of that send: the
        same as if the system had refused its bytes.
        """
        event = self.event
        if self.is_told or event is None or event.phase is None:
            return WebSocketUnavailable("not connected")
        said = f"socket fail; the connection ended ({event.reason})"
        return TransportFail(said, cause=event.cause)

    def servers_close(self) -> str:
        """Words that the server had closed, if that came and was not handed out; or none.

        Of a send that failed this is the true reason.
        """
        payload = self._connection.close_to_come()
        if payload is None:
            return ""
        try:
            code, reason = frames.read_close_payload(payload)
        except ProtocolError:
            return "; the server had closed"
        said = f" ({printable(reason)})" if reason else ""
        return f"; the server had closed{'' if code is None else f' with code {code}'}{said}"
