"""What happens over time on one open connection: polls, pings, and giving up.

Theory of operation. Whoever drives a session keeps one contract: change it once, then write its
output and hand out its events until only its deadline is left. `next_event(now)` judges the timers
that are due whatever arrives (Poll, ping); `tick(now)` says that the deadline passed *and* that
nothing was left to read, and judges the timers that any byte can stop (no pong, no progress). The
session never asks what time it is, and never waits.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..errors import ProtocolError, TransportFail, WebSocketUnavailable
from ..protocol import events, frames
from ..protocol.connection import Connection
from ..protocol.keys import MaskingKeys
from ..protocol.states import ANSWERING, CLOSED, CLOSING, CLOSING_EARLY, CONNECTING, OPEN
from ..response import printable
from ..timings import Timings
from .backlog import FAR, NEVER, Backlog
from .causes import kept, words
from .pings import Pings

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ..compression import Compression
    from ..errors import WebSocketError
    from ..options import Limits, Timing
    from ..protocol.events import AnyEvent, Disconnected
    from ..protocol.extensions.extension import Extension
    from .pings import Progress

    AskProgress = Callable[[], Progress | None]

_MOST_SOUGHT = 8 * 1024 * 1024  # bytes; more than a socket's buffer keeps
_STALLED_FRAME = 1008  # close code: the peer kept no rule of the RFC, but our frame_timeout


class Session:
    """Time over one connection.

    Arguments:
        timing: When to poll, ping and give up.
        limits: What the peer may make us keep.
        random_bytes: Gives n unpredictable bytes.

    Attributes:
        output: What is to be written.
        output_ends: After the output, the writing direction is to be closed.
        close_asked_at: When the user first called `close`, or None.
        is_told: Whether the last event was handed out.
        opened_at: When the upgrade was done, or None.
        kept: Seconds of the opening in which whoever waits could not go on with it: something else
            had the thread. They do not count; deadlines of the opening are in time that does.
        compression: What was negotiated about it, or None.
        phase: How far the opening has come, as `FailureEvent.phase` says it.
        timings: How long its phases took.
        pings: What those that were answered tell.
    """

    __slots__ = (
        "_close_at", "_drains", "_ending", "_has_polled", "_is_at_end", "_messages", "_phase_at",
        "_ping_at", "_poll_at", "_unresponsive", "_watched", "address", "backlog",
        "close_asked_at", "compression", "connection", "is_told", "kept", "limits",
        "opened_at", "output", "output_ends", "phase", "pings", "started_at", "timing", "timings",
    )  # fmt: skip

    def __init__(
        self, timing: Timing, limits: Limits, random_bytes: Callable[[int], bytes]
    ) -> None:
        self.timing = timing
        self.limits = limits
        self.connection = Connection(limits, MaskingKeys(random_bytes), timing.auto_pong)
        self.output = self.connection.output
        self.output_ends = False
        self.started_at = 0.0
        self.kept = 0.0
        self.opened_at: float | None = None
        self.close_asked_at: float | None = None
        self.is_told = False
        self.address: str | None = None
        self.phase = "resolve"
        self._phase_at = 0.0
        self.timings = Timings()
        self.pings = Pings()
        self.compression: Compression | None = None
        self._ending: Disconnected | None = None
        self._unresponsive: AnyEvent | None = None  # to be handed out
        self._watched = (events.Pong, events.Closing, events.Closed, events.ProtocolError)
        self._messages = (events.Text, events.Binary)
        self._is_at_end = False  # the peer's stream has ended
        self._drains = False  # the server closed first: it is to close TCP first (RFC 6455 7.1.1)
        # Timers: moments, or NEVER.
        self.connection.due = NEVER  # the nearest of those that next_event judges
        self._poll_at = NEVER
        self._has_polled = False  # a Poll was handed out, and nothing else had its turn yet
        self._ping_at = NEVER
        self._close_at = NEVER
        self.backlog = Backlog(timing.send_timeout)

    # The opening

    def enter(self, phase: str, now: float) -> None:
        """The next phase of the opening begins."""
        self.phase = phase
        self._phase_at = now

    def counted(self, moment: float) -> float:
        """The moment in the time that counts for the opening's deadlines."""
        return moment - self.kept

    def note_phase(self, now: float) -> None:
        """The phase has failed: its time counts too, where it has one of its own."""
        if hasattr(self.timings, self.phase):
            setattr(self.timings, self.phase, now - self._phase_at)

    # The peer

    def opened(self, now: float, extensions: Sequence[Extension] = ()) -> None:
        """The upgrade is done, with those extensions; timers start."""
        self.opened_at = self.connection.received_at = now
        self.connection.opened(extensions)
        for extension in extensions:
            self.compression = self.compression or extension.compression
        is_open = self.connection.state == OPEN  # and was not closed before it was
        if self.timing.poll == 0 or (self.timing.poll is not None and is_open):
            self._poll_at = now
        if self.timing.ping_rate and is_open:
            # Not at once, as the original: debuggers hang up on that, brokers answer late.
            self._ping_at = now + self.timing.ping_rate
        self._set_due()

    def receive(self, data: bytes, now: float, wall: float) -> None:
        """Store bytes from the peer; empty bytes mean the end of its stream."""
        if not data:
            self._is_at_end = True
            return
        self._note_read(now)
        self.connection.receive(data, wall)

    def room(self) -> memoryview | None:
        """Where a large message's next bytes may be put, or None: use `receive`."""
        return self.connection.room()

    def filled(self, count: int, now: float, wall: float) -> None:
        """`count` bytes were put into the room."""
        self._note_read(now)
        self.connection.filled(count, wall)

    def fail(self, cause: BaseException, phase: str, now: float) -> None:
        """Reading or writing failed; what arrived before is still handed out."""
        what = "recv" if phase == "read" else "send"
        reason = f"socket fail; {what} fail; {words(cause)}"
        self._set_ending(reason, False, now, cause=cause, phase=phase)
        self._is_at_end = True

    def _note_read(self, now: float) -> None:
        self.connection.received_at = now
        if self.timing.poll == 0:
            self._note_turn(now)

    # Events

    def next_event(self, now: float) -> AnyEvent | None:
        """The next event for the user, or None: read, write, or wait for the deadline."""
        if now >= self._close_at and self.connection.state == CLOSING:
            return self._late_answer(now)
        if now >= self.connection.due:
            timed = self._judge(now)
            if timed is not None:
                return timed
        event = self.connection.next_event()
        if event is None:
            if self._is_at_end or self._ending is not None or self._close_at != NEVER:
                self._judge_end(now)
            return None
        if type(event) in self._watched:
            self._note(event, now)
        elif self.timings.first_message is None and type(event) in self._messages:
            self.timings.first_message = now - (self.opened_at or now)
            self.connection.shorten()
        return event

    def _late_answer(self, now: float) -> AnyEvent | None:
        """Past close_timeout: the answer to our close frame, if it came; no data any more.

        However much was read before, and however slow the handler was: what is here is only looked
        through for the answer, and so is what comes, as long as a read brings something. (It may
        have waited in the socket. What a socket holds is less than the bound.)
        """
        connection = self.connection
        if self.has_ended:
            return self._judge(now)  # what is told of the end
        if connection.seek_close():
            event = connection.next_event()
            if event is not None:
                self._note(event, now)
                return event
        if self._is_at_end or self._ending is not None:
            self._judge_end(now)
        elif connection.sought > _MOST_SOUGHT:
            self._give_up_closing(now)
        return None

    def _judge(self, now: float) -> AnyEvent | None:
        """What is due whatever arrives."""
        if self._unresponsive is not None:
            event, self._unresponsive = self._unresponsive, None
            self._set_due()
            return event
        if self.has_ended:
            self.connection.due = NEVER
            return None
        is_over = self._ending is not None and not self._drains
        if is_over or self.connection.state == ANSWERING:
            return None  # our answer goes before any Poll, and so does Disconnected
        if now >= self._poll_at and not self._has_polled:
            poll = self.timing.poll
            # With poll=0 the next one waits for a look at the socket, by `receive` or `tick`.
            self._poll_at = _next(self._poll_at, poll, now) if poll else NEVER
            self._has_polled = True
            self._set_due()
            return events.Poll()
        # Between two Polls all else has a turn, however slow their handler is.
        self._has_polled = False
        if now >= self._ping_at:
            rate = self.timing.ping_rate
            assert rate is not None
            self._ping_at = _next(self._ping_at, rate, now)
            is_watched = self.timing.ping_timeout and self.pings.is_late
            if not is_watched and not self.pings.is_queued:
                self._ping(now)
        self._set_due()
        return None

    def _note(self, event: AnyEvent, now: float) -> None:
        if isinstance(event, events.Pong):
            self.pings.answered(event.data, self.connection.received_at)
        elif isinstance(event, events.ProtocolError):
            self._add_details(event, now, None, "read")
            self._set_ending(f"disconnected; {event.error}", False, now, phase="read")
        else:
            self._drains = isinstance(event, events.Closing)
            self._set_ending("closed", True, now)
            self._start_closing(now)

    def _judge_end(self, now: float) -> None:
        """Nothing is left to hand out: is it over?"""
        connection = self.connection
        if self.has_ended or connection.state == CONNECTING or connection.state == CLOSING_EARLY:
            return
        if connection.state == CLOSED and self._ending is not None:
            if self._drains and not self._is_at_end:
                self.output_ends = True
                if self.connection.received_at >= self._close_at:
                    self.has_ended = True
            else:
                self.has_ended = True
        elif self._is_at_end:
            self._set_ending("socket fail; connection lost", False, now, phase="read")
            if connection.state == CLOSING and self._ending_is_plain_loss():
                # The peer hung up instead of answering our close frame: as good as an answer.
                self._ending = events.Disconnected("closed", True)
            self.has_ended = True

    def _ending_is_plain_loss(self) -> bool:
        return self._ending is not None and self._ending.cause is None

    # Time

    @property
    def deadline(self) -> float | None:
        """When to call `tick` unless something arrives before; None for never."""
        due = min(self.connection.due, self._close_at, self.write_deadline, self._frame_at())
        if self.pings.is_late:
            due = min(due, self._unresponsive_at())
        if self.timing.poll == 0 and self.opened_at is not None:
            due = min(due, self.connection.received_at)
        return None if due >= FAR else due

    def tick(self, now: float, progress: AskProgress | None = None) -> None:
        """The deadline has passed, and there is nothing to read.

        Arguments:
            now: When that was found out.
            progress: Tells how far the peer's system has come with what ours took, if it can.
        """
        if self.has_ended or self._is_at_end:  # the end of the stream came: that tells what it is
            return
        self._note_turn(now)
        self.pings.date(now)
        if now >= self.write_deadline:
            self.give_up_writing(now)
        elif now >= self._close_at:
            self._give_up_closing(now)
        elif now >= self._unresponsive_at() and not self._goes_on(now, progress):
            self._be_unresponsive(now)
        elif now >= self._frame_at():
            reason = (
                f"disconnected; no byte for {self.timing.frame_timeout:g} s inside a frame "
                "(frame_timeout)"
            )
            self.connection.close(_STALLED_FRAME, "frame stalled")
            self._set_ending(reason, False, now, phase="read")
            self.has_ended = True

    def refused(self, now: float) -> None:
        """The system was tried, and took none of the output that waits."""
        # Here and not in `tick` alone: a peer that reads nothing may say much.
        if self.backlog.has_failed(now, self.connection.received_at):
            self.give_up_writing(now)

    def give_up_writing(self, now: float) -> TimeoutError:
        """Nothing was taken for `send_timeout`: it is over. The cause, for whoever waits."""
        seconds = self.timing.send_timeout
        cause = TimeoutError(f"nothing was taken for {seconds:g} s (send_timeout)")
        if self._ending is not None and self._ending.graceful:
            self._ending = None  # our answer to the peer's close frame is among what is left
        self.fail(cause, "write", now)
        self.has_ended = True
        return cause

    def _note_turn(self, now: float) -> None:
        if self.timing.poll == 0 and self._poll_at == NEVER:
            self._poll_at = now
            self._set_due()

    def _be_unresponsive(self, now: float) -> None:
        timeout = self.timing.ping_timeout
        assert timeout is not None
        event = events.Unresponsive()
        self._add_details(event, now, None, "read")
        self._unresponsive = event
        reason = f"disconnected; exceeded {timeout:.0f}s ping timeout"
        self._set_ending(reason, False, now, phase="read")
        self.has_ended = True
        self._set_due()

    def _give_up_closing(self, now: float) -> None:
        timeout = self.timing.close_timeout
        reason = f"disconnected; server didn't respond to close packet within {timeout}s"
        self._set_ending(reason, False, now, phase="read")
        self.has_ended = True

    def _unresponsive_at(self) -> float:
        timeout = self.timing.ping_timeout
        # After the peer's close frame no pong is read any more.
        if not timeout or self._ending is not None:
            return NEVER
        return self.pings.late_since(self.connection.received_at) + timeout

    def _goes_on(self, now: float, progress: AskProgress | None) -> bool:
        """Whether the peer is not dead, but busy with what lies before the ping."""
        self.pings.look(now, progress)
        return now < self._unresponsive_at()

    def _frame_at(self) -> float:
        timeout = self.timing.frame_timeout
        if not timeout or self._ending is not None or not self.connection.is_mid_frame():
            return NEVER
        return self.connection.received_at + timeout

    def _set_due(self) -> None:
        is_due = self._unresponsive is not None or self._has_polled
        self.connection.due = (
            -NEVER if is_due else min(self._poll_at, self._ping_at, self._close_at)
        )

    # The user

    def send_message(self, opcode: int, payload: bytes, compress: bool = False) -> None:
        """Queue a message, ping or pong.

        Raises:
            WebSocketUnavailable: Or one of its subclasses: it can't be sent now.
        """
        if opcode == frames.PING:
            self.pings.queued(payload, self.output.sent)
        self.connection.send(opcode, payload, compress)

    def close(self, code: int | None, reason: str | bytes | None, now: float) -> bool:
        """Start the closing handshake, or do nothing if it was; whether it was started.

        Raises:
            TypeError, ValueError: The code may not be sent.
        """
        if not self.connection.close(code, reason):
            return False
        self.close_asked_at = now
        self._start_closing(now)
        return True

    def _ping(self, now: float) -> None:
        # The connection is open: whoever begins to close it switches pings off.
        self.pings.queued(b"", self.output.sent)
        self.connection.send(frames.PING, b"")
        self.pings.date(now)

    def _start_closing(self, now: float) -> None:
        """One side has begun to close: its time runs, and there is no regular work any more."""
        if self.timing.close_timeout and self._close_at == NEVER:
            self._close_at = now + self.timing.close_timeout
        self._ping_at = NEVER
        if self.timing.poll:  # with 0 the loop is never to wait, so its Polls go on
            self._poll_at = NEVER
        self._set_due()

    # Output

    @property
    def watches_writes(self) -> bool:
        """Whether `written` changes anything: it need not be called otherwise."""
        return self.pings.is_queued or self.output.has_backlog

    def written(self, now: float, is_all: bool, progress: AskProgress | None = None) -> None:
        """Some of the output was taken by the system, or for the first time none.

        For the first time: `write_deadline` is not set yet.

        Arguments:
            now: When.
            is_all: Whether none is left.
            progress: As for `tick`.
        """
        if self.output.has_backlog:
            self.pings.taken(now)  # only where it was full does it tell something of the peer
        if is_all:
            self.backlog.is_gone()
            if self.output.has_backlog:
                self.connection.release_pong()
            if self.pings.is_queued and not self.output.is_ready:
                self.pings.written(now, progress)
        else:
            self.output.has_backlog = True
            self.backlog.waits(now)
            self.pings.date(now)

    # The end

    @property
    def has_ended(self) -> bool:
        """No event but Disconnected will come, and nothing can be sent: hang up."""
        return self.connection.has_ended

    @has_ended.setter
    def has_ended(self, value: bool) -> None:
        self.connection.has_ended = value

    @property
    def write_deadline(self) -> float:
        """When a waiting write is given up; infinity while none waits."""
        return self.backlog.due(self.connection.received_at)

    @property
    def is_closing(self) -> bool:
        """A close frame was sent, or will be before anything else, and the end is not here."""
        states = (CLOSING, CLOSING_EARLY, CLOSED)
        return not self.has_ended and self.connection.state in states

    @property
    def sent_close_time(self) -> float | None:
        """Seconds from the upgrade to the user's close; 0.0 if it was before; None without one."""
        if self.close_asked_at is None:
            return None
        return 0.0 if self.opened_at is None else max(0.0, self.close_asked_at - self.opened_at)

    def is_late(self, now: float) -> bool:
        """Whether close_timeout has passed: no data is handed out any more."""
        return now >= self._close_at

    @property
    def close_at(self) -> float:
        """When the closing handshake is given up."""
        return self._close_at

    def end(
        self,
        reason: str,
        graceful: bool,
        now: float,
        *,
        cause: BaseException | None = None,
        phase: str | None = None,
    ) -> None:
        """It is over, for a reason that lies outside of the session."""
        if phase == self.phase:
            self.note_phase(now)
        self._set_ending(reason, graceful, now, cause=cause, phase=phase)
        self.has_ended = True

    def leave(self, code: int | None, reason: str, now: float) -> None:
        """Nobody listens any more: queue a close frame where one may be sent."""
        if self.opened_at is not None and not self.has_ended:
            self.connection.answer_now()
            self.connection.close(code, "")
        self.end(reason, False, now)

    @property
    def ending(self) -> Disconnected | None:
        """The last event if it is known already."""
        return self._ending

    def refusal(self) -> WebSocketError:
        """What a send raises that comes after the end.

        As long as nobody was told of the end, what the network did is a failure of that send: the
        same as if the system had refused its bytes.
        """
        ending = self._ending
        if self.is_told or ending is None or ending.phase is None:
            return WebSocketUnavailable("not connected")
        said = f"socket fail; the connection ended ({ending.reason})"
        return TransportFail(said, cause=ending.cause)

    def servers_close(self) -> str:
        """In words, that the server had closed, if that came and was not handed out; or nothing.

        Of a send that failed this is the true reason.
        """
        payload = self.connection.close_to_come()
        if payload is None:
            return ""
        try:
            code, reason = frames.read_close_payload(payload)
        except ProtocolError:
            return "; the server had closed"
        said = f" ({printable(reason)})" if reason else ""
        return f"; the server had closed{'' if code is None else f' with code {code}'}{said}"

    def disconnected(self) -> Disconnected:
        """The last event."""
        ending = self._ending
        assert ending is not None
        self.is_told = True
        if self.opened_at is not None:
            ending.unconfirmed = self.output.sent - self.pings.arrived
        return ending

    def _set_ending(
        self,
        reason: str,
        graceful: bool,
        now: float,
        *,
        cause: BaseException | None = None,
        phase: str | None = None,
    ) -> None:
        # The first reason is the true one.
        if self._ending is None:
            self._ending = events.Disconnected(reason, graceful)
            if not graceful:
                self._add_details(self._ending, now, cause, phase)

    def _add_details(
        self, event: AnyEvent, now: float, cause: BaseException | None, phase: str | None
    ) -> None:
        assert isinstance(event, (events.Disconnected, events.ProtocolError,
                                  events.Unresponsive))  # fmt: skip
        event.cause = kept(cause)
        event.phase = phase
        event.address = self.address
        event.elapsed = now - self.started_at
        event.timings = self.timings


def _next(due: float, period: float, now: float) -> float:
    """The next of the moments `due`, `due + period`, ... that lies after now."""
    following = due + period
    if following > now:
        return following
    following = due + period * (int((now - due) / period) + 1)
    return following if following > now else following + period
