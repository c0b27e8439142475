"""What happens over time on one open connection: polls, pings, and giving up.

Theory of operation. Whoever drives a session keeps one contract: change it once, then write its
output and hand out its events until only its deadline is left. `next_event(now)` judges the timers
that are due whatever arrives (Poll, ping); `tick(now)` says that the deadline passed *and* that
nothing was left to read, and judges the timers that any byte can stop (no pong, no progress). The
session never asks what time it is, and never waits.

Its parts know one thing each: timers.py what is due when, pings.py which are unanswered, backlog.py
when output is stuck, course.py how far the connection has come, finish.py why it ends. What follows
from that is decided here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..protocol import events, frames
from ..protocol.connection import Connection
from ..protocol.loading import Loading
from ..protocol.output import MaskingKeys
from ..protocol.states import ANSWERING, CLOSING
from .backlog import FAR, NEVER, Backlog
from .causes import words
from .course import Course
from .finish import Finish, Why
from .heartbeat import heartbeat
from .pings import Pings
from .timers import Timers

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ..compression import Compression
    from ..options import Limits, Timing
    from ..payloads import Dumps, Loads
    from ..protocol.events import AnyEvent, Disconnected
    from ..protocol.extensions.extension import Extension
    from ..protocol.watched import Listening
    from .course import Served
    from .held import Held
    from .pings import Progress
    from .questions import Questions

    AskProgress = Callable[[], Progress | None]

_MOST_SOUGHT = 8 * 1024 * 1024  # bytes; more than a socket's buffer keeps
_WATCHED = (events.Pong, events.Closing, events.Closed, events.ProtocolError)
_MESSAGES = (events.Text, events.Binary, events.TextPart, events.BinaryPart)
_STALLED = 1008  # close code: the peer kept no rule of the RFC, but a time of ours


class Session:
    """Time over one connection.

    Arguments:
        timing: When to poll, ping and give up.
        limits: What the peer may make us keep.
        random_bytes: Gives n unpredictable bytes.
        loads: Decodes a text for `Text.json`; None for json's.
        dumps: Writes a `ping_message` that is JSON; None for json's.
        listening: Is told of every frame; None for nobody.

    Raises:
        TypeError, ValueError: The `ping_message` can't be written as JSON.

    Attributes:
        output: What is to be written.
        output_ends: After the output, the writing direction is to be closed.
        compression: What was negotiated about it, or None.
        course: How far it has come.
        finish: Why it ends, as soon as that is known.
        timers: What is due when.
        pings: Those that are unanswered, and what the others tell.
        backlog: When output that is not taken is given up.
        number: Which of its object's connections that were Ready it is; 1 for the first.
        before: The last one of these that served, or None.
        previous: The last one of these, until this one is Ready; or None.
        dumps: Encodes what `enter` yields; None for json's.
        questions: Those that wait for a reply; None before the first one.
        enters_late: To be called where what the program does first (`enter`) takes too long.
        kept: Events that came while the loop's body sent a long message, which are handed out
            first; or None.
        heartbeat: Gives what is said instead of a ping; None for a ping.
        wants_heartbeat: Whoever asked for the next event is to ask for that too, with no lock held,
            and to `say` it.
    """

    __slots__ = (
        "_is_silent", "_unresponsive", "_waited_at", "backlog", "before", "compression",
        "connection", "course", "dumps", "enters_late", "finish", "heartbeat", "kept", "limits",
        "number", "output", "output_ends", "pings", "previous", "questions", "timers", "timing",
        "wants_heartbeat",
    )  # fmt: skip

    def __init__(
        self,
        timing: Timing,
        limits: Limits,
        random_bytes: Callable[[int], bytes],
        loads: Loads | None = None,
        dumps: Dumps | None = None,
        listening: Listening | None = None,
    ) -> None:
        self.timing = timing
        self.limits = limits
        keys = MaskingKeys(random_bytes)
        if listening is not None:
            from ..protocol.watched import Watched

            self.connection: Connection = Watched(limits, keys, timing.auto_pong, loads, listening)
        elif loads is not None:
            self.connection = Loading(limits, keys, timing.auto_pong, loads)
        else:
            self.connection = Connection(limits, keys, timing.auto_pong)
        self.output = self.connection.output
        self.output_ends = False
        self.compression: Compression | None = None
        self.dumps = dumps
        self.questions: Questions | None = None
        self._waited_at = 0.0  # when a wait was in vain last
        self.enters_late: Callable[[float], object] | None = None
        self.number = 1
        self.before: Served | None = None
        self.previous: Session | None = None
        self.course = Course()
        message = timing.ping_message
        self.heartbeat = None if message is None else heartbeat(message, dumps)
        self.kept: Held | None = None
        self.wants_heartbeat = False
        self.pings = Pings(self.heartbeat is not None)
        self.finish = Finish(self.connection, self.course, self.pings, timing.ping_rate)
        self.timers = Timers(timing, self.connection, self.pings)
        self.backlog = Backlog(timing.send_timeout, self.connection)
        self._unresponsive: AnyEvent | None = None  # to be handed out
        self._is_silent = True  # no message was handed out

    # The peer

    def opened(self, now: float, extensions: Sequence[Extension] = ()) -> None:
        """The upgrade is done, with those extensions; timers start."""
        course = self.course
        course.opened_at = self.connection.received_at = now
        if self.timing.enter is None:
            course.served_at = now
        course.outlived(now)
        course.came = b""
        course.asked = None
        self.connection.opened(extensions)
        for extension in extensions:
            self.compression = self.compression or extension.compression
        self.timers.opened(now)

    def receive(self, data: bytes, now: float, wall: float) -> None:
        """Store bytes from the peer; empty bytes mean the end of its stream."""
        if not data:
            self.finish.is_cut = True
            return
        self.connection.received_at = now
        self.timers.note_turn(now)
        self.connection.receive(data, wall)

    def room(self) -> memoryview | None:
        """Where a large message's next bytes may be put, or None: use `receive`."""
        return self.connection.room()

    def filled(self, count: int, now: float, wall: float) -> None:
        """`count` bytes were put into the room."""
        self.connection.received_at = now
        self.timers.note_turn(now)
        self.connection.filled(count, wall)

    def fail(
        self,
        cause: BaseException,
        phase: str,
        now: float,
        deadline: str | None = None,
        detail: str | None = None,
    ) -> None:
        """Reading or writing failed, or a deadline of it passed; what came is still handed out."""
        reason = f"socket fail; {'recv' if phase == 'read' else 'send'} fail; {words(cause)}"
        if deadline is None:
            why = Why(reason, False, "lost", "network", cause, phase)
        else:
            why = Why(reason, False, "timed_out", "client", cause, phase, deadline, detail=detail)
        self.finish.note(why, now)
        self.finish.is_cut = True

    # Events

    def next_event(self, now: float) -> AnyEvent | None:
        """The next event for the user, or None: read, write, or wait for the deadline."""
        connection, timers = self.connection, self.timers
        timers.asked_at = now
        if now >= timers.close_at and connection.state == CLOSING:
            return self._late_answer(now)
        if self.kept is not None:
            kept = self.kept.take()
            if kept is not None:
                return kept
            self.kept = None
            timers.keep(False)
        if now >= connection.due:
            timed = self._judge(now)
            if timed is not None:
                return timed
        event = connection.next_event()
        if event is None:
            if self.questions is not None:
                # All that came by then, and a read after that, is looked at.
                no_reply = self.questions.late(max(connection.received_at, self._waited_at))
                if no_reply is not None:
                    return no_reply
            finish = self.finish
            if finish.is_cut or finish.event is not None:
                self._judge_end(now)
            elif connection.received_at >= self.timers.enter_at and self.enters_late is not None:
                self.enters_late(now)  # all that came by then, and a read after that, is looked at
            return None
        if type(event) in _WATCHED:
            self._note(event, now)
        elif self._is_silent and type(event) in _MESSAGES:
            self._is_silent = False
            self.course.timings.first_message = now - (self.course.opened_at or now)
            connection.shorten()
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
        if self.finish.is_cut or self.finish.event is not None:
            self._judge_end(now)
        elif connection.sought > _MOST_SOUGHT:
            self._give_up_closing(now)
        return None

    def _judge(self, now: float) -> AnyEvent | None:
        """What is due whatever arrives."""
        if self._unresponsive is not None:
            event, self._unresponsive = self._unresponsive, None
            return event
        if self.has_ended:
            self.connection.due = NEVER
            return None
        is_over = self.finish.event is not None and not self.finish.drains
        if is_over or self.connection.state == ANSWERING:
            return None  # our answer goes before any Poll, and so does Disconnected
        if self.timers.take_poll(now):
            return events.Poll()
        if self.timers.take_posted():
            assert self.timers.posted is not None
            return events.Posted(self.timers.posted.popleft())
        if self.timers.take_ping(now):
            # The connection is open: whoever begins to close it switches pings off.
            if self.heartbeat is not None:
                self.wants_heartbeat = True
            else:
                self.send_message(frames.PING, b"")
                self.pings.date(now)
        return None

    def _note(self, event: AnyEvent, now: float) -> None:
        """What follows from an event of the peer's."""
        if isinstance(event, events.Pong):
            self.pings.answered(event.data, self.connection.received_at)
            self.course.outlived(now)
        elif isinstance(event, events.ProtocolError):
            self.course.describe(event, now, None, "read")
            reason = f"disconnected; {event.error}"
            why = Why(reason, False, "protocol", "server", phase="read", code=event.code)
            self.finish.note(why, now)
        else:
            if isinstance(event, events.Closing):
                self.finish.drains = True
                said = Why("closed", True, "closed", "server", code=event.code, text=event.reason)
            else:
                assert isinstance(event, events.Closed)
                if not self.output.is_ready and not self.output.has_backlog:
                    self.pings.closed(self.output.sent)  # it has read what left before our close
                said = self.finish.closed_by_us()
            self.finish.note(said, now)
            self.timers.start_closing(now)

    def _judge_end(self, now: float) -> None:
        """Nothing is left to hand out: is it over?"""
        if self.finish.judge(now, self.timers.close_at):
            self.output_ends = True

    # Time

    @property
    def deadline(self) -> float | None:
        """When to call `tick` unless something arrives before; None for never."""
        timers = self.timers
        due = self.connection.due
        if due == -NEVER and timers.posted:
            # What was posted had its turn, and all else has now: that is looked for without a wait.
            due = timers.asked_at
        due = min(due, timers.close_at, self.backlog.deadline)
        if self.finish.event is None:
            due = min(due, timers.stalled_at())
            if self.pings.is_awaited:
                due = min(due, timers.unresponsive_at())
        is_open = self.course.opened_at is not None
        if timers.counts_turns and is_open and not timers.is_entering:
            due = min(due, self.connection.received_at)
        return None if due >= FAR else due

    def tick(self, now: float, progress: AskProgress | None = None) -> None:
        """The deadline has passed, and there is nothing to read.

        Arguments:
            now: When that was found out.
            progress: Tells how far the peer's system has come with what ours took, if it can.
        """
        if self.has_ended or self.finish.is_cut:  # the stream's end came: that tells what it is
            return
        self.timers.note_turn(now)
        self._waited_at = now
        self.pings.date(now)
        if now >= self.backlog.deadline:
            self.give_up_writing(now)
        elif now >= self.timers.close_at:
            self._give_up_closing(now)
        elif self.finish.event is not None:
            pass  # after the peer's close frame nothing more is read
        elif now >= self.timers.enter_at and self.enters_late is not None:
            self.enters_late(now)
        else:
            self._judge_silence(now, progress)

    def _judge_silence(self, now: float, progress: AskProgress | None) -> None:
        """Whether the peer says nothing because it is dead, or its frame stalls."""
        if now >= self.timers.unresponsive_at():
            self.pings.look(now, progress)  # or is it busy with what lies before the ping?
            if now >= self.timers.unresponsive_at():
                timeout = self.timing.ping_timeout
                self._unresponsive = self.course.describe(events.Unresponsive(), now, phase="read")
                reason = f"disconnected; exceeded {timeout:g}s ping timeout"
                said = f"the server said nothing for {timeout:g} s after a ping (ping_timeout)"
                why = Why(reason, False, "unresponsive", phase="read", deadline="ping_timeout")
                why = why._replace(detail=said)
                self.finish.end(why, now)
                self.timers.hurry()
                return
        if now >= self.timers.stalled_at():
            timeout = self.timing.frame_timeout
            reason = f"disconnected; no byte for {timeout:g} s inside a frame (frame_timeout)"
            self.connection.close(_STALLED, "frame stalled")
            said = f"the server sent no byte for {timeout:g} s inside a frame (frame_timeout)"
            self.finish.time_out(reason, "frame_timeout", now, said)

    def _give_up_closing(self, now: float) -> None:
        """The peer has not answered our close frame in time: it is over."""
        timeout = self.timing.close_timeout
        reason = f"disconnected; server didn't respond to close packet within {timeout}s"
        said = f"the server did not answer our close frame within {timeout:g} s (close_timeout)"
        self.finish.time_out(reason, "close_timeout", now, said)

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
        self.finish.close_asked_at = now
        text = reason.decode("utf-8", "replace") if isinstance(reason, bytes) else reason or ""
        self.finish.asked = (code, text)
        self.timers.start_closing(now)
        return True

    # Output

    @property
    def watches_writes(self) -> bool:
        """Whether `written` changes anything: it need not be called otherwise."""
        return self.pings.is_queued or self.output.has_backlog

    def written(self, now: float, is_all: bool, progress: AskProgress | None = None) -> None:
        """Some of the output was taken by the system, or for the first time none.

        For the first time: `backlog.deadline` is not set yet.

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

    def refused(self, now: float) -> None:
        """The system was tried, and took none of the output that waits."""
        # Here and not in `tick` alone: a peer that reads nothing may say much.
        if self.backlog.has_failed(now):
            self.give_up_writing(now)

    def give_up_writing(self, now: float) -> TimeoutError:
        """Nothing was taken for `send_timeout`: it is over. The cause, for whoever waits."""
        seconds = self.timing.send_timeout
        span = f"for {seconds:g} s (send_timeout)"
        cause = TimeoutError(f"nothing was taken {span}")
        if self.finish.event is not None and self.finish.event.graceful:
            self.finish.undo()  # our answer to the peer's close frame is among what is left
        self.fail(cause, "write", now, "send_timeout", f"the server took nothing {span}")
        self.connection.has_ended = True
        return cause

    # The end

    @property
    def has_ended(self) -> bool:
        """No event but Disconnected will come, and nothing can be sent: hang up."""
        return self.connection.has_ended

    def end(self, why: Why, now: float) -> None:
        """End it, for a reason that lies outside of the session."""
        if why.phase == self.course.phase:
            self.course.note_phase(now)
        self.finish.end(why, now)

    def leave(self, code: int | None, why: Why, now: float) -> None:
        """Nobody listens any more: queue a close frame where one may be sent."""
        if self.course.opened_at is not None and not self.has_ended:
            self.connection.answer_now()
            self.connection.close(code, "")
        self.end(why, now)

    def disconnected(self) -> Disconnected:
        """The last event."""
        event = self.finish.tell()
        assert event is not None
        return event
