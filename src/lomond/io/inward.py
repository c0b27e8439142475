"""The way in: from the wire to the session, without waiting. And what all of one connection know.

Its floors stand on each other: in here the way in, in outward.py the way out, in exchange.py the
turn of whoever iterates; all of it for one thread. guarded.py and shared.py are for several.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..ending import Pause
from ..protocol.events import Ready
from ..system import forking
from ..system.clock import monotonic, time
from ..system.pipe import BOUND, expect_large_pieces

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..session.session import Session
    from ..system.layers import Layer
    from ..system.need import Need, Waking
    from ..system.pipe import Pipe
    from .journal import Journal

_NEVER = float("inf")
_PAUSE = 1.0  # seconds; a shorter one tells nothing
NOT_CALM = -1.0
_READ_SIZE = 16 * 1024  # bytes; of a stream that fills it, much more is read at once
_LARGE = 512 * 1024  # bytes; most that is read before anything of it is looked at
_MEDIUM = 128 * 1024  # bytes; where the start of a large message comes
_OF_LAYERS = 256 * 1024  # bytes; these have three places for what is read, which are to be near


class Inward:
    """One connection's bytes, on their way to its session.

    Arguments:
        session: What the connection does over time.
        journal: Tells what is noted of the connection; None where nobody listens.
        wakeup: What ends the wait of whoever iterates.

    Attributes:
        pipe: The connected socket with its layers; None where there is none.
        is_over: The connection was given up by this side.
        is_in_use: Whoever iterates is inside a wait, a read or a write.
        is_foreign: The connection belongs to the parent of this process.
        is_full: Whether the last read brought all that it could: there may be more.
        journal: As given.
        calm_until: Up to this moment nothing but bytes can matter; a moment of the past where
            something else may.
        look_at: Nobody waits longer than till then.
    """

    __slots__ = (
        "__weakref__", "_ahead", "_at_once", "_calm", "_calm_frame", "_counts_turns", "_delay",
        "_has_ended", "_is_handled", "_looked_at", "_notable", "_seen", "_until", "_with_parts",
        "_writes", "calm_until", "connection", "is_foreign", "is_full", "is_in_use", "is_over",
        "journal", "look_at", "output", "pipe", "session", "wakeup",
    )  # fmt: skip

    def __init__(
        self, session: Session, journal: Journal | None = None, wakeup: Waking | None = None
    ) -> None:
        self.session = session
        self.connection = session.connection
        self.output = session.output
        self.pipe: Pipe | None = None
        self.wakeup = wakeup
        self.is_over = False
        self.is_in_use = False
        self.is_full = False
        self.is_foreign = False
        forking.watch(self)
        self.calm_until = NOT_CALM
        self.look_at = _NEVER
        self.journal = journal
        self._counts_turns = session.timers.counts_turns  # the session has to know of every read
        frame_timeout = session.timing.frame_timeout
        self._calm_frame = frame_timeout - 2 * BOUND if frame_timeout else _NEVER
        self._calm: Need | None = None  # of who waits elsewhere
        self._until = _NEVER  # when the wait ends
        self._writes: bool = False
        self._has_ended = False  # the socket stays readable for ever
        self._ahead = 0  # bytes that blocked senders stored since whoever iterates last looked
        self._at_once = _READ_SIZE
        # Who reads less than a fragment at a time puts each part together.
        self._with_parts = _LARGE // 2 if session.limits.parts else 0
        self._looked_at = _NEVER  # when the socket was; or is to be, at the latest, by who waits
        self._notable = _PAUSE
        self._delay: Pause | None = None  # as it was when an event was handed out before a look
        self._is_handled = False  # where it waits, the handlers of all that was handed out are over
        self._seen = 0  # events that were handed out by when somebody last waited, or read

    def forked(self) -> None:
        """We are in a child: no message is handed out any more, none goes out."""
        self.is_foreign = self.is_over = True
        self.connection.due = float("-inf")
        self.calm_until = NOT_CALM

    def alone(self, act: Callable[..., Any], *arguments: Any) -> Any:
        """Do something that changes the session or the pipe; nobody else changes them meanwhile."""
        return act(*arguments)

    def first(self, act: Callable[..., Any], *arguments: Any) -> Any:
        """Do something `alone` for whoever iterates, who comes before those that send."""
        return act(*arguments)

    def looked(self, now: float) -> None:
        """The socket is looked at now, by who then waits: how long was it not?"""
        if now - self._looked_at > self._notable:
            self._paused(now)
        self._looked_at = now

    def _paused(self, now: float) -> None:
        """Nobody has looked since `_looked_at`, and somebody does now."""
        pause = self._pause_until(now)
        self._delay = None
        self.session.course.paused(pause._replace(seconds=now - self._looked_at), now)

    def _pause_until(self, now: float) -> Pause:
        """The time since `_looked_at`; what was due at its end, as a Poll is, took none of it."""
        seconds = now - self._looked_at
        delay = self._delay
        if delay is not None and seconds - delay.seconds < _PAUSE:
            return delay
        connection = self.connection
        events = connection.handed - self._seen
        return Pause(seconds, events, connection.last if events else None)

    def wake(self) -> None:
        """End the wait of whoever iterates: something changed."""
        self.calm_until = NOT_CALM
        wakeup = self.wakeup
        if wakeup is not None:
            wakeup.wake()

    def settle(self) -> None:
        """The script is about to hand over: what a layer has let through belongs to the session."""
        # That of Ready, by the script, counts too: its handler has most to do.
        # (Who sent from a source in there has looked.)
        if self._looked_at == _NEVER:
            self._looked_at = self.session.course.opened_at or monotonic()
        self.connection.hands(Ready.name)
        if self.pipe is not None and self.pipe.layers:
            self.alone(self._pump, False, monotonic(), time())

    def may_read_ahead(self) -> bool:
        """Whether a sender that has to wait may read meanwhile."""
        session = self.session
        # Before the upgrade is done what comes is not the session's.
        is_open = session.course.opened_at is not None and not self._has_ended
        return is_open and self._ahead < session.limits.max_read_ahead

    def receive_ahead(self, patience: float = 0.0) -> bool:
        """Read once, as a sender, unless somebody else reads; whether anything came.

        Arguments:
            patience: Seconds to wait for the end of somebody else's read.
        """
        return self._receive(True, False)

    def receive(self, waits: bool = False) -> bool:
        """Read once, as whoever iterates; whether anything came.

        Arguments:
            waits: Whether to wait a little for it.
        """
        return self._receive(False, waits)

    def read_more(self) -> bool:
        """Read once more if the last read brought all that it could, and nothing else matters."""
        return self.is_full and self._lull() >= 0.0 and self.receive()

    def take_calmly(self) -> bool:
        """The wait of `calm_need` is over: read once; whether any bytes came."""
        try:
            came = self._receive(False, False)  # as `receive`, without a call
            if not came:
                self.looked(monotonic())
            return came
        finally:
            self.is_in_use = False

    def _lull(self) -> float:
        """Until when nothing but bytes can matter, if all that came is handed out; else -1.0."""
        until = self.connection.hunger(self.calm_until, self._calm_frame)
        return until if until == _NEVER or monotonic() < until else NOT_CALM

    def _receive(self, is_ahead: bool, waits: bool) -> bool:
        """One system call, and what it gave to the session; whether anything came."""
        pipe, connection = self.pipe, self.connection
        assert pipe is not None
        if self.is_over:
            return False  # what the peer answers to our leaving is nobody's
        is_direct = not is_ahead and not pipe.layers
        room: memoryview | None = None
        if is_direct and connection.message is not None:
            room = connection.room()
        if is_direct and room is None and connection.position:
            connection.let_go()
        data: bytes | None = b""
        count = 0
        failure: OSError | None = None
        try:
            if room is not None:
                # What comes with the next head is copied: let it be less.
                self._at_once = min(_MEDIUM, pipe.wire.most)
                count = pipe.wire.receive_into(room, waits)
                self.is_full = count == len(room)
            elif is_ahead:
                data = pipe.wire.receive_apart(_READ_SIZE, waits)
                count = -1 if data is None else len(data)
            else:
                data = pipe.wire.receive(self._at_once, waits)
                count = -1 if data is None else len(data)
                self.is_full = count == self._at_once
                if self.is_full:
                    most = pipe.wire.most if is_direct else min(pipe.wire.most, _OF_LAYERS)
                    self._at_once = max(most, self._with_parts)
                    expect_large_pieces()
                elif count < _READ_SIZE and (waits or count >= 0):
                    self._at_once = _READ_SIZE  # who waits in a read is not to keep much for it
        except OSError as error:
            failure = error
        finally:
            if room is not None:
                room.release()
        if count < 0:
            return False
        pipe.received += count
        now, wall = monotonic(), time()
        if now - self._looked_at > self._notable:
            self._paused(now)
        self._looked_at = now  # as `looked`, without a call; and something came
        self._seen = connection.handed
        if is_direct and count > 0 and failure is None and not self._counts_turns:
            # Only one at a time brings bytes, and only whoever iterates looks at them.
            connection.received_at = now
            if room is not None:
                connection.filled(count, wall)
                if self.is_full:
                    self._fill_on(count, now, wall)
                return True
            if connection.offer(data or b"", wall):
                return True
        if room is not None and count:
            data = None
        self._came(data, count, failure, is_ahead, now, wall)
        return count > 0

    def _fill_on(self, count: int, now: float, wall: float) -> None:
        """More of a large message straight into it: as much as one read of all else may bring.

        Arguments:
            count: What came so far, all that there was room for.
        """
        pipe, connection = self.pipe, self.connection
        assert pipe is not None
        left = _LARGE - count
        while left > 0 and (room := connection.room()) is not None:
            size = len(room)
            try:
                count = pipe.wire.receive_into(room, False)
            except OSError as error:
                room.release()
                self._came(b"", 0, error, False, now, wall)
                return
            room.release()
            if count > 0:
                connection.filled(count, wall)
                left -= count
            elif not count:
                self._came(b"", 0, None, False, now, wall)
            if count < size:
                self.is_full = False
                return

    def _came(
        self,
        data: bytes | None,
        count: int,
        failure: OSError | None,
        is_ahead: bool,
        now: float,
        wall: float,
    ) -> None:
        """The outcome of a read, to the session. (Without data, so much is in its message.)"""
        pipe = self.pipe
        assert pipe is not None
        self._has_ended = not count
        if failure is not None:
            self._fail(failure, now)
        elif data is None:
            self._filled(count, now, wall)
        elif pipe.layers and data and not pipe.write_ended:
            self._feed(data, is_ahead, now, wall)
        else:
            self._store(data, is_ahead, now, wall)
        if is_ahead:
            self._ahead += count
            self.wake()  # whoever iterates may be about to wait for what is here now

    def _store(self, data: bytes, is_ahead: bool, now: float, wall: float) -> None:
        """Plain bytes, or the end of the stream, to the session."""
        if self._counts_turns or not data:
            self.session.receive(data, now, wall)
            return
        self.connection.received_at = now
        if is_ahead or not self.connection.offer(data, wall):
            self.connection.receive(data, wall)

    def _filled(self, count: int, now: float, wall: float) -> None:
        """`count` bytes were put straight into a message."""
        if self._counts_turns:
            self.session.filled(count, now, wall)
            return
        self.connection.received_at = now
        self.connection.filled(count, wall)

    def _feed(self, data: bytes, is_ahead: bool, now: float, wall: float) -> None:
        """Bytes to the layers, and what these let through to the session."""
        self.connection.received_at = now  # a part of a record is life too
        try:
            assert self.pipe is not None
            self.pipe.feed(data)
        except OSError as error:  # the class of TLS's errors
            self._fail(error, now)
        self._pump(is_ahead, now, wall)

    def _pump(self, is_ahead: bool, now: float, wall: float) -> None:
        """What the layers let through, to the session; a large message's bytes straight into it."""
        pipe, session, connection = self.pipe, self.session, self.connection
        assert pipe is not None
        top: Layer = pipe.top()
        try:
            while top.has_more():
                room = connection.room()
                if room is not None:
                    try:
                        count = top.read_into(room)
                    finally:
                        room.release()
                    if not count:
                        break
                    self._filled(count, now, wall)
                else:
                    plain = top.read_all()
                    if not plain:
                        break
                    self._store(plain, is_ahead, now, wall)
            if top.has_ended:
                session.receive(b"", now, wall)
                self.calm_until = NOT_CALM
            pipe.enqueue(b"")
        except OSError as error:  # the class of TLS's errors
            self._fail(error, now)

    def _fail(self, error: OSError, now: float) -> None:
        """What comes can't be read: nobody is to wait for more."""
        self.session.fail(error, "read", now)
        self.calm_until = NOT_CALM

    def _let_go(self) -> None:
        """The stream has paused: keep no memory."""
        if self.pipe is not None and self.pipe.wire.keeps:
            self.pipe.wire.release()
