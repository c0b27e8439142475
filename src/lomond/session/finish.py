"""How one connection ends: why, who closed it, when it is over, and what is said of that."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING, NamedTuple

from ..ending import Ending, close_words, duration
from ..errors import ProtocolError, TransportFail, WebSocketClosing, WebSocketUnavailable
from ..protocol import events, frames
from ..protocol.states import CLOSED, CLOSING, CLOSING_EARLY, CONNECTING
from ..response import printable
from .causes import kept
from .counting import counted
from .hints import Around, hint, is_fine

if TYPE_CHECKING:
    from weakref import WeakSet

    from ..ending import Kind, Party
    from ..errors import Refused

    Refusal = TransportFail | WebSocketUnavailable
    from ..protocol.connection import Connection
    from ..response import Response
    from .course import Course
    from .pings import Pings

#: What a machine says that has no descriptors, ports or memory left.
_EXHAUSTED = frozenset(
    [errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM, errno.EADDRNOTAVAIL]
)
_JUST = 0.01  # seconds; what is less is said in a word
#: What the original's reasons begin with, which says nothing to people.
_PREFIXES = ("socket fail; ", "disconnected; ", "upgrade fail; ", "recv fail; ", "send fail; ")


def without_prefixes(reason: str) -> str:
    """What of a Disconnected's reason says something to people."""
    for prefix in _PREFIXES:
        reason = reason.removeprefix(prefix)
    return reason


class Why(NamedTuple):
    """What ends a connection."""

    reason: str  #: as Disconnected has it
    graceful: bool = False
    kind: Kind = "left"
    by: Party = "client"
    cause: BaseException | None = None
    phase: str | None = None
    deadline: str | None = None  #: the option whose time has passed
    response: Response | None = None  #: what refused
    code: int | None = None  #: of the close frame
    text: str = ""  #: of the close frame
    detail: str | None = None  #: what happened, where the reason does not say it

    @property
    def said(self) -> str:
        """What happened, for a line in which all else is said."""
        if self.detail is not None:
            return self.detail
        return without_prefixes(self.reason)


_NONE = Why("")  # one for all connections, of which most are idle


class Finish:
    """The end of one connection, known or to come.

    Arguments:
        connection: Which.
        course: How it came to here.
        pings: What was answered.
        ping_rate: The option.

    Attributes:
        event: Disconnected as it will be; None while nothing ends the connection.
        close_asked_at: When the user first called `close`, or None.
        asked: The code and the text of that close.
        drains: The server closed first, so it is to close TCP first (RFC 6455 section 7.1.1).
        is_cut: The peer's stream has ended, or failed.
        is_told: Whether the last event was handed out.
    """

    __slots__ = (
        "_at", "_connection", "_course", "_owed", "_ping_rate", "_pings", "_told", "_why", "asked",
        "close_asked_at", "drains", "event", "is_cut", "is_told",
    )  # fmt: skip

    def __init__(
        self, connection: Connection, course: Course, pings: Pings, ping_rate: float | None
    ) -> None:
        self._connection = connection
        self._course = course
        self._pings = pings
        self._ping_rate = ping_rate
        self._why = _NONE
        self._at = 0.0
        self._told: Ending | None = None
        self._owed: WeakSet[Refusal] | None = None
        self.event: events.Disconnected | None = None
        self.close_asked_at: float | None = None
        self.asked: tuple[int | None, str] = (None, "")
        self.drains = False
        self.is_cut = False
        self.is_told = False

    def note(self, why: Why, now: float) -> None:
        """Why it will end; of several reasons the first is the true one.

        But for a close frame that had come before writing failed, and is looked at only now.
        """
        if self.event is None:
            self._set(why, now)
        elif self._why.kind == "lost" and why.kind == "closed":
            self._why = why._replace(cause=self._why.cause)

    def _set(self, why: Why, now: float) -> None:
        self._why = why
        self._at = now
        course = self._course
        if course.opened_at is not None:
            course.slept = events.time() - now - course.drift
        self.event = events.Disconnected(why.reason, why.graceful)
        if not why.graceful:
            self._course.describe(self.event, now, why.cause, why.phase)

    def undo(self) -> None:
        """Take back why it will end: what it would have ended with did not leave."""
        self.event = None

    def end(self, why: Why, now: float) -> None:
        """End it now, for this reason if that is the first: nothing more is handed out or sent."""
        self.note(why, now)
        self._connection.has_ended = True

    def refuse(self, error: Refused, now: float) -> None:
        """The program refuses it, whatever the server does about that."""
        code, text = self.asked
        if self.event is not None:
            code, text = self._why.code, self._why.text  # it closed before
        given = printable(str(error))
        said = f"this program refused the connection{given and ': '}{given}"
        reason = f"refused by the program{given and '; '}{given}"
        why = Why(reason, False, "refused", "client", error, "enter", code=code, text=text)
        self._set(why._replace(detail=said), now)

    def time_out(
        self, reason: str, deadline: str, now: float, said: str | None = None, phase: str = "read"
    ) -> None:
        """End it because the time of that option is over."""
        why = Why(reason, False, "timed_out", phase=phase, deadline=deadline, detail=said)
        self.end(why, now)

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
            self.end(LOST, now)
            if state == CLOSING and self.event is not None and self.event.cause is None:
                # The peer hung up instead of answering our close frame: as good as an answer.
                self._set(self.closed_by_us(), now)
        return False

    def closed_by_us(self) -> Why:
        """Our close frame ends it."""
        code, text = self.asked
        return Why("closed", True, "closed", "client", code=code, text=text)

    # What is said of it

    @property
    def is_closing(self) -> bool:
        """A close frame was sent, or will be before anything else, and the end is not here."""
        connection = self._connection
        return not connection.has_ended and connection.state in (CLOSING, CLOSING_EARLY, CLOSED)

    @property
    def is_left(self) -> bool:
        """Whether who iterated it has left it, and said no more."""
        return self._why is LEFT

    @property
    def sent_close_time(self) -> float | None:
        """Seconds from the upgrade to the user's close; 0.0 if it was before; None without one."""
        if self.close_asked_at is None:
            return None
        opened_at = self._course.opened_at
        return 0.0 if opened_at is None else max(0.0, self.close_asked_at - opened_at)

    @property
    def ending(self) -> Ending | None:
        """All that is known of the end; None while nothing ends it."""
        if self.event is None:
            return None
        return self._told or self._made()

    def _made(self) -> Ending:
        why, course, at = self._foreseen(), self._course, self._at
        answered_at, sent_at = self._pings.answered_at, course.sent_at
        opened_at = course.opened_at
        is_open = opened_at is not None
        is_exhausted = getattr(why.cause, "errno", None) in _EXHAUSTED
        ending = Ending(
            "resources" if is_exhausted else why.kind,
            "client" if is_exhausted else why.by,
            why.code,
            why.text,
            None if why.response is None else why.response.status_code,
            why.response,
            why.phase or (None if is_open else course.phase),
            course.address,
            kept(why.cause),
            why.deadline,
            is_open,
            0.0 if opened_at is None else max(0.0, at - opened_at),
            max(0.0, at - self._connection.received_at) if is_open else None,
            None if sent_at is None or not is_open else max(0.0, at - sent_at),
            None if answered_at is None else max(0.0, at - answered_at),
            self.unconfirmed,
            pause=course.pause,
            detail=why.said,
            unfinished=self._connection.came_unfinished(),
            stats=counted(self._connection, course),
        )
        said = None if is_fine(ending) else hint(ending, self._around())
        return ending if said is None else ending.with_hint(said)

    def _around(self) -> Around:
        """What is known beside the end."""
        course, connection = self._course, self._connection
        found = Around(
            ping_rate=self._ping_rate,
            largest=connection.output.largest,
            came=connection.came or course.came,
            slept=course.slept,
            pause=course.paused_lately(self._at),
        )
        if course.asked is None:
            return found
        is_secure, origin, max_redirects, skew, source = course.asked
        return found._replace(
            is_secure=is_secure,
            origin=None if origin is None else origin.decode("latin-1"),
            max_redirects=max_redirects,
            skew=skew,
            proxy_source=source,
        )

    def _foreseen(self) -> Why:
        """Why it ends: also of a close frame that came, and was not handed out."""
        came = self._close_to_come() if self._why.kind == "lost" else None
        if came is None:
            return self._why
        code, text = came
        return self._why._replace(kind="closed", by="server", code=code, text=text)

    def _close_to_come(self) -> tuple[int | None, str] | None:
        """Code and text of a close frame that came, and was not handed out."""
        payload = self._connection.close_to_come()
        if payload is None:
            return None
        try:
            return frames.read_close_payload(payload)
        except ProtocolError:
            return None, ""

    @property
    def unconfirmed(self) -> int:
        """Bytes of messages that were sent, or held, and of which nobody knows if they arrived.

        A message whose send raised is none of those: who sent it knows of it.
        """
        output = self._connection.output
        return max(0, output.sent - output.pending - self._pings.arrived)

    def refusal(self) -> Refusal:
        """What a send raises that comes after the end.

        As long as nobody was told of the end, what the network did is a failure of that send: the
        same as if the system had refused its bytes.
        """
        event = self.event
        if self.is_told or event is None or event.phase is None:
            return WebSocketUnavailable(not_connected(self.ending))
        said = f"socket fail; the connection ended ({without_prefixes(event.reason)})"
        return TransportFail(said, cause=event.cause)

    def servers_close(self) -> str:
        """Words that the server had closed, if that came and was not handed out; or none.

        Of a send that failed this is the true reason.
        """
        came = self._close_to_come()
        return "" if came is None else f"; the server had closed {close_words(*came)}"

    def explained(self, error: Refusal, now: float = 0.0) -> Refusal:
        """The error of a send, with who had closed, when; its `ending` comes when there is one.

        Arguments:
            error: Which.
            now: When it was raised, where that is because of a close.
        """
        error.ending = self.ending
        if error.ending is None or not self.is_told:
            if self._owed is None:
                from weakref import WeakSet

                self._owed = WeakSet()
            self._owed.add(error)
        if isinstance(error, WebSocketClosing):
            error.args = (f"{error}{self._who_closed(now)}",)
        return error

    def _who_closed(self, now: float) -> str:
        why = self._why
        if why.kind == "protocol":
            return f": {why.said}"
        if why.kind == "closed" and why.by == "server":
            who, closed_at, words = "the server", self._at, close_words(why.code, why.text)
        else:
            asked_at = self.close_asked_at
            who, closed_at = "this program", now if asked_at is None else asked_at
            words = close_words(*self.asked)
        ago = max(0.0, now - closed_at)
        return f"; {who} had closed {words} {'just' if ago < _JUST else duration(ago)} before"

    def tell(self) -> events.Disconnected | None:
        """The last event, which is handed out now; those who wait for the ending have it too."""
        event = self.event
        if event is not None:
            event.ending = self._told = ending = self._told or self._made()
            event.unconfirmed = ending.unconfirmed
            for error in self._owed or ():
                error.ending = ending
        self.is_told = True
        return event


def not_connected(ending: Ending | None) -> str:
    """What a send is told where there is no connection, with what to write.

    Arguments:
        ending: Of the last one; None where there was none.
    """
    if ending is None:
        return (
            "not connected: iterate the WebSocket, and send from its ready event on; others than "
            "its loop can wait for that with wait_ready()"
        )
    if ending.kind == "left" and ending.was_ready and not ending.detail:
        how = (
            "whoever leaves the loop (by break, return or an exception) ends its connection: send "
            "inside, or keep events = websocket.connect() and go on with those"
        )
    else:
        how = "send again from the ready event of the next one"
    return f"not connected: {ending}; {how}"


#: The stream ended without a close frame.
LOST = Why(
    "socket fail; connection lost",
    False,
    "lost",
    "network",
    phase="read",
    detail="its stream ended without a close frame",
)
LEFT = Why("left by the user", detail="")
