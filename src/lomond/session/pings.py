"""The pings of one connection: which are unanswered, since when, and what the answered ones tell.

RFC 6455 section 5.5.3. Or the messages that are said instead, which any byte answers. When a ping
is due, and what follows if none is answered, session.py says.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from ..timings import Latency

if TYPE_CHECKING:
    from collections.abc import Callable

_NEVER = float("inf")
_MOST = 16  # without an answer, that are remembered
_LITTLE = 4096  # bytes before a ping that keep it waiting for no time worth the name


class Progress(NamedTuple):
    """How far the peer's system has come with what our system took. TCP's own word."""

    confirmed: int  #: bytes it has confirmed, ever
    waiting: int  #: bytes that wait to be confirmed
    quiet: float  #: seconds since it last confirmed anything
    idle: float = 0.0  #: seconds since our system last sent anything


class _Unanswered:
    """A ping that has no answer yet."""

    __slots__ = ("payload", "sent", "written_at")

    def __init__(self, payload: bytes, sent: int) -> None:
        self.payload = payload
        self.sent = sent
        self.written_at = _NEVER


class Pings:
    """The pings of one connection.

    Arguments:
        are_messages: Whether messages are said instead: no pong will come.

    Attributes:
        latency: How long they took, or None: none was answered yet.
        arrived: Bytes of messages that have arrived for sure, because a later ping has.
        answered_at: When the last pong came, or None.
        is_queued: Whether one is in the output, not yet written.
        is_awaited: Whether an answer is, to one that was written or can't be.
    """

    __slots__ = (
        "_are_messages", "_before", "_confirmed", "_queued_at",
        "_taken_at", "_unanswered", "_written_at",
        "answered_at", "arrived", "is_queued", "latency",
    )  # fmt: skip

    def __init__(self, are_messages: bool = False) -> None:
        self._are_messages = are_messages
        self.latency: Latency | None = None
        self.arrived = 0
        self.answered_at: float | None = None
        self.is_queued = False
        self._unanswered: list[_Unanswered] = []
        self._queued_at = _NEVER  # since when one is; NEVER while nobody said what time it is
        self._written_at = _NEVER  # the oldest that is unanswered was written
        self._taken_at = -_NEVER  # output that had to wait was taken
        self._confirmed = 0  # what the peer's system had confirmed when that was last asked
        self._before = 0  # where, in such bytes, what lies before the oldest one ends

    def __len__(self) -> int:
        return len(self._unanswered)

    @property
    def is_awaited(self) -> bool:
        return self.is_queued or self._written_at != _NEVER

    def queued(self, payload: bytes, sent: int) -> None:
        """A ping is queued, behind so many bytes of messages."""
        if len(self._unanswered) < _MOST:
            self._unanswered.append(_Unanswered(payload, sent))
        self.is_queued = True

    def said(self, received_at: float) -> None:
        """A message is queued instead; the oldest that nothing has answered is awaited.

        Arguments:
            received_at: When bytes came last.
        """
        if self._written_at <= received_at:
            self._written_at = _NEVER
        self.is_queued = True

    def date(self, now: float) -> None:
        """A ping that is queued was so by now."""
        if self.is_queued and self._queued_at == _NEVER:
            self._queued_at = now

    def taken(self, now: float) -> None:
        """The system took output that had to wait: the peer's system goes on, or did just now."""
        self._taken_at = now

    def written(self, now: float, progress: Callable[[], Progress | None] | None = None) -> None:
        """All that was queued was taken by the system.

        Arguments:
            now: When.
            progress: Tells how far the peer's system is, if that is known.
        """
        self.is_queued = False
        self._queued_at = _NEVER
        for ping in self._unanswered:
            ping.written_at = min(ping.written_at, now)
        if self._written_at != _NEVER:
            return
        self._written_at = now
        found = None if progress is None else progress()
        self._before = 0
        if found is not None and found.waiting > _LITTLE:
            self._confirmed = found.confirmed
            self._before = found.confirmed + found.waiting - _LITTLE

    def answered(self, payload: bytes, received_at: float) -> None:
        """A pong has come; it counts for the oldest ping of that payload, and all before it."""
        self.answered_at = received_at
        # Any pong shows that the peer lives and answers, whichever ping it is for.
        self._written_at = _NEVER
        for number, ping in enumerate(self._unanswered, 1):
            if ping.payload == payload and ping.written_at != _NEVER:
                self.arrived = ping.sent
                del self._unanswered[:number]
                seconds = max(0.0, received_at - ping.written_at)
                first = Latency(seconds, seconds, seconds)
                self.latency = first if self.latency is None else self.latency.after(seconds)
                return

    def closed(self, sent: int) -> None:
        """Our close frame was answered: the server has read what was sent before it."""
        self.arrived = sent

    def quiet_since(self, received_at: float) -> float:
        """Since when nothing shows that the peer lives, though a ping asks; infinity: none does.

        Arguments:
            received_at: When bytes came last.
        """
        since = self._written_at
        if self._are_messages and since <= received_at:
            return _NEVER
        if since == _NEVER and self.is_queued:
            # A ping that can't leave gets no answer either, unless the system takes more.
            since = self._queued_at
            if since == _NEVER:
                return -_NEVER  # at once, so that somebody tells the time
        return max(since, received_at, self._taken_at)

    def look(self, now: float, progress: Callable[[], Progress | None] | None) -> None:
        """Take for life that the peer's system goes on with what lies before the ping.

        Done when the peer seems dead: behind a large upload no ping is answered in time.
        """
        is_before = not self.is_queued and self._confirmed >= self._before
        if progress is None or is_before:  # nothing lies before it
            return
        found = progress()
        if found is not None and found.confirmed > self._confirmed:
            self._confirmed = found.confirmed
            self._taken_at = max(self._taken_at, now - found.quiet)
