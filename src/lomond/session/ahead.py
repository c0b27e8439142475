"""What may go on while the user's task is elsewhere: one rule for every door with an event loop."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any, cast

from ..protocol import events as _events
from .held import EVENT, MOST_BYTES, MOST_EVENTS, Held, size_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..protocol.events import AnyEvent
    from .session import Session

TURN = 0.001  # seconds; no other task waits longer for a turn while events come that are here
NUDGE = 0.05  # seconds after which it is looked again where a poll was one too many
_POLL: type = _events.Poll
_DISCONNECTED: type = _events.Disconnected
_POSTED: type = _events.Posted
#: Behind these events the connection goes on while the user's task is elsewhere. Behind the others
#: it waits: what their handler does comes first.
_GOES_ON = frozenset(
    [
        _events.Ready,
        _events.Entered,
        _POLL,
        _POSTED,
        _events.Text,
        _events.Binary,
        _events.TextPart,
        _events.BinaryPart,
        _events.Ping,
        _events.Pong,
        _events.Reply,
        _events.NoReply,
    ],
)
_LOSSES = frozenset([_events.ProtocolError, _events.Unresponsive])
_POLLS = frozenset([_POLL])
_DATA = frozenset(
    [
        _POLL,
        _events.Text,
        _events.Binary,
        _events.TextPart,
        _events.BinaryPart,
        _events.Ping,
        _events.Pong,
    ]
)


class Ahead:
    """Events that wait for the user's task.

    Attributes:
        events: These, the oldest first, each with the session that it comes from.
        session: That of the next ones; None before it has a socket.
        most: Bytes that may wait while the task waits for a reply among them; 0 where it does not.
    """

    __slots__ = ("_read_at", "_size", "_tell", "_turn_at", "events", "most", "session")

    def __init__(self) -> None:
        self.events: deque[tuple[AnyEvent, Session | None]] = deque()
        self.session: Session | None = None
        self.most = 0
        self._tell: Callable[[], object] | None = None
        self._size = 0  # bytes of their data
        self._read_at = -1.0  # the last read before the last turn of other tasks
        self._turn_at = 0.0  # when these want another one

    def may_grow(self, last: type | None, is_sending: bool) -> bool:
        """Whether the connection goes on without the task.

        Arguments:
            last: The class of the event behind which it stands.
            is_sending: Whether a send waits for the system.
        """
        count = len(self.events)
        if (count >= MOST_EVENTS or self._size >= MOST_BYTES) and not self._may_be_far():
            return False
        if last is _POSTED and not self._is_open():
            return False
        # A send may be waited for where the connection is lost: it is to end too.
        return last in _GOES_ON or (is_sending and last in _LOSSES)

    def _may_be_far(self) -> bool:
        return self._size + EVENT * len(self.events) < self.most

    def wait(self, most: int, tell: Callable[[], object] | None) -> None:
        """Note that the task waits for a reply, or does not any more.

        Arguments:
            most: As the attribute.
            tell: Called where that is reached.
        """
        self.most = most
        self._tell = tell

    def tell(self) -> None:
        """Tell the task that waits for a reply, if too much has come before that."""
        if self._tell is not None and self.is_far():
            self._tell()

    def stop(self) -> None:
        """Note that too much has come, which is kept elsewhere; tell the task that waits."""
        self.most = -1
        self.tell()

    def is_far(self) -> bool:
        """Whether that is more than may wait though a reply is waited for."""
        return bool(self.most) and not self._may_be_far()

    def _is_open(self) -> bool:
        """Whether the connection is, of which the next events are."""
        session = self.session
        if session is None or session.has_ended:
            return False
        return session.course.opened_at is not None

    def put(self, event: AnyEvent) -> bool:
        """Keep an event. Whether the connection may go on at once: not behind a second poll, which
        is not kept. One is enough; with poll=0 there is always another one.
        """
        if type(event) is _POLL and any(type(other) is _POLL for other, _ in self.events):
            return False
        self.events.append((event, self.session))
        self._size += size_of(event)
        session = self.session
        if session is not None:
            session.connection.is_ahead = True
            session.finish.is_told = session.finish.is_told and type(event) is not _DISCONNECTED
        return True

    def take(self, now: float) -> AnyEvent | None:
        """The next event, or None; after close_timeout that is no data any more."""
        while self.events:
            event, session = self.events.popleft()
            self._size -= size_of(event)
            if session is None:
                return event
            session.finish.is_told = session.finish.is_told or type(event) is _DISCONNECTED
            session.connection.is_ahead = False
            for _, other in self.events:
                if other is session:
                    session.connection.is_ahead = True
                    break
            if type(event) not in _unwanted(session, now):
                return event
        return None

    def owes_turn(self, now: float) -> bool:
        """Whether other tasks are to have a turn before the next event, which then is given.

        Once for all that one read has brought, and each TURN.
        """
        read_at = 0.0 if self.session is None else self.session.connection.received_at
        if now < self._turn_at and read_at == self._read_at:
            return False
        self._read_at = read_at
        self._turn_at = now + TURN
        return True

    def clear(self, posts: deque[Any] | None = None) -> None:
        """The connection is left: nothing waits. What was posted goes back, for the next one."""
        for event, _ in reversed(self.events):
            if type(event) is _POSTED and posts is not None:
                posts.appendleft(cast("_events.Posted", event).value)
        self.events.clear()
        self._size = 0


def _unwanted(session: Session, now: float) -> Any:
    """The events that are not handed out any more, though they were made before we closed."""
    if now >= session.timers.close_at:
        return _DATA
    is_closing = session.finish.close_asked_at is not None
    return _POLLS if is_closing and not session.timers.counts_turns else ()


# What came while the body of the loop sent a long message


def come_meanwhile(session: Session, now: float) -> AnyEvent | None:
    """The next event behind those that are kept, or None: for who keeps it.

    What was posted stays where it is: the next connection has it where this one is left.
    """
    timers = session.timers
    kept, session.kept = session.kept, None
    posted, timers.posted = timers.posted, None
    try:
        return session.next_event(now)
    finally:
        session.kept = kept
        if posted is not None:  # else another thread may have made them meanwhile
            timers.posted = posted
        timers.keep(kept is not None)


def keep(session: Session, event: AnyEvent) -> None:
    """Have an event handed out behind those that are kept, before all that comes now.

    But for a second poll: one is enough.
    """
    if session.kept is None:
        session.kept = Held()
    if type(event) is _POLL and any(type(other) is _POLL for other in session.kept.events):
        return
    session.kept.put(event)
    session.timers.keep(True)
