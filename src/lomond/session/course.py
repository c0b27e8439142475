"""How far one connection has come on its way, and how long that took."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol, TypeVar

from ..ending import Gap
from ..protocol import events
from ..timings import Timings
from .causes import kept

if TYPE_CHECKING:
    from ..ending import Ending, Pause
    from ..protocol.events import FailureEvent

    Asked = tuple[bool, bytes | None, int, float | None, str | None]
    Failure = TypeVar("Failure", bound=FailureEvent)


class Carrier(Protocol):
    """What carries a connection's bytes, and counts them."""

    received: int  #: read
    handed: int  #: taken by the system at once
    written: int  #: taken after they had waited


class Served(NamedTuple):
    """The last connection that served: was Ready, and its `enter` was through."""

    since: float  #: its last message, or that moment; seconds since the epoch
    at: float  #: the same by the monotonic clock
    unconfirmed: int
    ending: Ending | None

    def gap(self, now: float) -> Gap:
        """What lies between that connection and now."""
        return Gap(self.since, max(0.0, now - self.at), self.unconfirmed, self.ending)


class Course:
    """The way of one connection, from its first phase on.

    Attributes:
        started_at: When it began.
        phase: How far the opening has come, as `FailureEvent.phase` says it.
        address: Where it leads to, or is tried to; None before that is known.
        kept: Seconds of the opening in which whoever waits could not go on with it: something else
            had the thread. They do not count; deadlines of the opening are in time that does.
        opened_at: When the upgrade was done, or None.
        served_at: When what the program does first was done too, where that is waited for; or None.
        timings: How long its phases took.
        pause: The longest time in which nobody looked at the socket, or None.
        late: The last long one, and when it was over; or None.
        sent_at: When our system last sent anything, if that was known at the end; or None.
        drift: By how much the wall clock was ahead of the monotonic one when the upgrade was done,
            or the last pong came.
        came: The first bytes of the answer to the upgrade, until that is done.
        asked: What may tell why the opening failed, until it is done: whether TLS was asked for,
            the Origin that was sent, `max_redirects`, by how much a server's Date was ahead, and
            who named the proxy.
        carrier: Counts what goes over the wire; None before there is a socket.
        slept: Seconds by which the wall clock went on since then, and the monotonic one did not.
    """

    __slots__ = (
        "_phase_at", "address", "asked", "came", "carrier", "drift", "kept", "late", "opened_at",
        "pause", "phase", "sent_at", "served_at", "slept", "started_at", "timings",
    )  # fmt: skip

    def __init__(self) -> None:
        self.started_at = 0.0
        self.phase = "resolve"
        self._phase_at = 0.0
        self.address: str | None = None
        self.kept = 0.0
        self.opened_at: float | None = None
        self.served_at: float | None = None
        self.timings = Timings()
        self.came = b""
        self.carrier: Carrier | None = None
        self.asked: Asked | None = None
        self.slept = 0.0
        self.sent_at: float | None = None
        self.drift = 0.0
        self.pause: Pause | None = None
        self.late: tuple[Pause, float] | None = None

    def enter(self, phase: str, now: float) -> None:
        """The next phase of the opening begins."""
        self.phase = phase
        self._phase_at = now

    def paused(self, pause: Pause, now: float) -> None:
        """Nobody looked at the socket for so long, until now."""
        if self.pause is None or pause.seconds > self.pause.seconds:
            self.pause = pause
        before = self.paused_lately(now)
        if before is None or pause.seconds >= before.seconds:
            self.late = pause, now

    def paused_lately(self, now: float) -> Pause | None:
        """The last long time in which nobody looked, if no more than as long was over since."""
        if self.late is None:
            return None
        pause, over_at = self.late
        return pause if now - over_at <= pause.seconds else None

    def outlived(self, now: float) -> None:
        """The connection stands: what the clocks have done until now does not end it."""
        self.drift = events.time() - now

    def counted(self, moment: float) -> float:
        """The moment in the time that counts for the opening's deadlines."""
        return moment - self.kept

    def note_phase(self, now: float) -> None:
        """The phase has failed: its time counts too, where it has one of its own."""
        if hasattr(self.timings, self.phase):
            setattr(self.timings, self.phase, now - self._phase_at)

    def describe(
        self,
        event: Failure,
        now: float,
        cause: BaseException | None = None,
        phase: str | None = None,
    ) -> Failure:
        """The event of a failure, with what it says of the way up to there."""
        event.cause = kept(cause)
        event.phase = phase
        event.address = self.address
        event.elapsed = now - self.started_at
        event.timings = self.timings
        return event


def sooner(deadline: float | None, *moments: float) -> float:
    """The first of the moments and the deadline, if there is one."""
    return min(moments) if deadline is None else min(deadline, *moments)
