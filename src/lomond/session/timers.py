"""What is due when on one open connection: polls, pings, and how long is waited for the peer.

Moments only; what is done then, session.py says.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..protocol.states import OPEN
from .backlog import NEVER

if TYPE_CHECKING:
    from collections import deque

    from ..options import Timing
    from ..protocol.connection import Connection
    from .pings import Pings


class Timers:
    """The timers of one connection, each a moment or NEVER.

    What is due whatever arrives is asked for where `connection.due` has come: it is the nearest of
    these moments. The others, which any byte can stop, are asked for after a wait in vain.

    Arguments:
        timing: When to poll, ping and give up.
        connection: Whose bytes and state they depend on.
        pings: Those of this connection.

    Attributes:
        counts_turns: Whether each turn of the loop has its Poll (poll=0): each read, and each wait
            in vain. The loop is never to wait then.
        close_at: When the closing handshake is given up.
        reply_at: When the first reply is late that the stream waits for.
        enter_at: When what the program does first is given up.
        is_entering: Whether that is not done, before which there is no Poll.
        posted: What the program posted, and was not handed out; None if it never did. Any thread
            adds to it.
        asked_at: When the session was last asked for an event.
    """

    __slots__ = (
        "_connection", "_is_urgent", "_ping_at", "_pings", "_poll_at", "_timing", "_was_posted",
        "asked_at", "close_at", "counts_turns", "enter_at", "has_kept", "is_entering", "posted",
        "reply_at",
    )  # fmt: skip

    def __init__(self, timing: Timing, connection: Connection, pings: Pings) -> None:
        self._timing = timing
        self._connection = connection
        self._pings = pings
        self.counts_turns = timing.poll == 0
        self.reply_at = self.close_at = self.enter_at = NEVER
        self.is_entering = timing.enter is not None
        self._poll_at = NEVER
        self._ping_at = NEVER
        # A Poll was handed out, and nothing else had its turn yet; or something waits to be told.
        self._is_urgent = False
        self.posted: deque[Any] | None = None
        self.asked_at = -NEVER
        self._was_posted = False  # the last one was handed out, and nothing else had its turn yet
        self.has_kept = False
        connection.due = NEVER

    def opened(self, now: float) -> None:
        """The upgrade is done: the timers start."""
        timing = self._timing
        is_open = self._connection.state == OPEN  # and was not closed before it was
        if not self.is_entering:
            self._poll_from(now)
        if timing.ping_rate and is_open:
            # Not at once, as the original: debuggers hang up on that, brokers answer late.
            self._ping_at = now + timing.ping_rate
        self._set_due()

    def _poll_from(self, now: float) -> None:
        is_open = self._connection.state == OPEN
        if self.counts_turns or (self._timing.poll is not None and is_open):
            self._poll_at = now

    def enter(self, now: float) -> None:
        """Note that what the program does first begins."""
        timeout = self._timing.enter_timeout
        if timeout and self._connection.state == OPEN:
            self.enter_at = now + timeout
            self._set_due()

    def reply_by(self, moment: float) -> None:
        """Note when the first reply is late."""
        if moment != self.reply_at:
            self.reply_at = moment
            self._set_due()

    def put_off(self, seconds: float) -> None:
        """Put that off: so much of the time since then was the program's own."""
        if self.enter_at != NEVER:
            self.enter_at += seconds
            self._set_due()

    def entered(self, now: float) -> None:
        """Note that it is done: Polls begin."""
        self.enter_at = NEVER
        self.is_entering = False
        self._poll_from(now)
        self._set_due()

    def start_closing(self, now: float) -> None:
        """One side has begun to close: its time runs, and there is no regular work any more."""
        if self._timing.close_timeout and self.close_at == NEVER:
            self.close_at = now + self._timing.close_timeout
        self._ping_at = self.enter_at = NEVER
        if not self.counts_turns:
            self._poll_at = NEVER
        self._set_due()

    # Whatever arrives

    def note_turn(self, now: float) -> None:
        """The loop has looked at the socket; it matters where that counts."""
        if self.counts_turns and self._poll_at == NEVER and not self.is_entering:
            self._poll_at = now
            self._set_due()

    def take_poll(self, now: float) -> bool:
        """Whether a Poll is to be handed out now; asked again, all else comes first."""
        if now < self._poll_at or self._is_urgent:
            return False
        poll = self._timing.poll
        assert poll is not None
        # Where turns count, the next one waits for a look at the socket.
        self._poll_at = NEVER if self.counts_turns else following(self._poll_at, poll, now)
        self.hurry()
        return True

    def take_posted(self) -> bool:
        """Whether what was posted first is to be handed out now; asked again, all else comes."""
        self._was_posted = bool(self.posted) and not self._was_posted
        return self._was_posted

    def take_ping(self, now: float) -> bool:
        """Whether a ping is to be sent now. To be asked after `take_poll`."""
        # Between two Polls all else has a turn, however slow their handler is.
        self._is_urgent = False
        is_due = now >= self._ping_at
        if is_due:
            rate = self._timing.ping_rate
            assert rate is not None
            self._ping_at = following(self._ping_at, rate, now)
        self._set_due()
        if not is_due or self._pings.is_queued:
            return False
        # Without an answer one ping is enough; a server that wants messages wants each.
        is_watched = self._timing.ping_timeout and self._pings.is_awaited
        return not is_watched or self._timing.ping_message is not None

    def keep(self, has_kept: bool) -> None:
        """Note whether events are kept that come before all that comes now."""
        self.has_kept = has_kept
        self._set_due()

    def hurry(self) -> None:
        """The session has something to say, whatever the time is."""
        self._is_urgent = True
        self._set_due()

    def _set_due(self) -> None:
        nearest = min(self._poll_at, self._ping_at, self.close_at, self.enter_at, self.reply_at)
        self._connection.due = -NEVER if self._is_urgent else nearest
        if (
            self.has_kept or self.posted
        ):  # looked at behind that, for another thread does it the other way round
            self._connection.due = -NEVER

    # Where nothing arrives

    def unresponsive_at(self) -> float:
        """When the peer is taken for dead, unless it says something."""
        timeout = self._timing.ping_timeout
        if not timeout:
            return NEVER
        return self._pings.quiet_since(self._connection.received_at) + timeout

    def stalled_at(self) -> float:
        """When the frame that has begun is given up, unless it goes on."""
        timeout = self._timing.frame_timeout
        if not timeout or not self._connection.is_mid_frame():
            return NEVER
        return self._connection.received_at + timeout


def following(moment: float, period: float, now: float) -> float:
    """The next of the moments `moment`, `moment + period`, ... that lies after now.

    The first of them has come.
    """
    found = moment + period * (int((now - moment) / period) + 1)
    return found if found > now else found + period
