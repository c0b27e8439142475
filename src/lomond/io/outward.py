"""The way out, from the session to the wire; and what a send waits for, in every door."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn

from ..errors import TransportFail, WebSocketClosing, WebSocketUnavailable
from ..protocol.states import OPEN
from ..session.causes import words
from ..session.finish import without_prefixes
from ..system.clock import monotonic
from ..system.need import Need, joined, share
from ..system.pipe import BOUND
from .inward import NOT_CALM, Inward
from .waiting import writable_now

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from ..errors import WebSocketError
    from ..system.pipe import Pipe

_NEVER = float("inf")
# Seconds; the loop's read ends before, unless a signal handler interrupted it to send.
_LAST_READ = 10 * BOUND
_READS = 16  # in a row, before it is tried again to write


class Outward(Inward):
    """One connection's bytes, on their way from its session too."""

    __slots__ = ()

    def send(self, opcode: int, payload: bytes, compress: bool = False) -> Any:
        """Send a message or control frame: to return, or to be awaited, as its door waits.

        Arguments:
            opcode: What it is.
            payload: Its bytes.
            compress: Whether to compress it, where that was negotiated.

        Raises:
            WebSocketUnavailable: Or one of its subclasses: it can't be sent now.
            TransportFail: Writing failed; the connection is over.
        """
        raise NotImplementedError

    def refusal(self) -> WebSocketError:
        """What a send raises where there is no connection any more."""
        if self.is_foreign:
            return WebSocketUnavailable("connection belongs to the parent process")
        finish = self.session.finish
        return finish.explained(finish.refusal())

    def explain(self, error: WebSocketError, size: int = 0) -> None:
        """Say in what a send raises who had closed.

        Arguments:
            error: What it raises.
            size: Bytes of its message, where that is not among the pending ones yet.
        """
        self.output.pending += size
        finish = self.session.finish
        if isinstance(error, WebSocketClosing):
            finish.explained(error, monotonic())
        elif isinstance(error, TransportFail) and error.ending is not None:
            error.ending = finish.ending

    def failure(self, said: str, cause: BaseException | None) -> WebSocketError:
        """What a send raises where writing failed."""
        return self.session.finish.explained(TransportFail(said, cause=cause))

    def enqueue(self) -> int:
        """Move the session's output to the queue; where the queue then ends.

        Raises:
            TransportFail: A layer can't pass it on; the session knows.
        """
        pipe = self.pipe
        if pipe is None:
            return 0
        if self.output.is_ready:
            try:
                pipe.enqueue(self.output.take())
            except OSError as error:  # the class of TLS's errors
                self.session.fail(error, "write", monotonic())
                raise self.failure(f"TLS fail; {words(error)}", error) from error
        return pipe.queued

    def enqueue_quietly(self) -> None:
        """Move output to the queue where nobody waits for the outcome: whoever iterates is told."""
        if self.output.is_ready:
            try:  # noqa: SIM105  which would cost three calls, here and below
                self.enqueue()
            except TransportFail:
                pass

    def hand_over(self, pipe: Pipe) -> int:
        """The session's output to the system, where none waits before it.

        Returns:
            0 where it took all, else where the queue ends then. Raises OSError.
        """
        data = self.output.take()
        if pipe.layers:
            data = pipe.down(data)
        taken = 0
        try:
            taken = pipe.wire.send(data)
        finally:
            pipe.handed += taken
            if taken < len(data):
                pipe.keep(data, taken)
        if taken == len(data):
            return 0
        self.session.written(monotonic(), False)
        return pipe.queued

    def flush(self) -> None:
        """Queue the session's output and write what can be written without waiting."""
        if self.pipe is not None:
            self.alone(self.enqueue_quietly)
            self.write_quietly()

    def write_quietly(self) -> None:
        """Write what can be where nobody waits for the outcome: whoever iterates is told."""
        try:  # noqa: SIM105  # on the way of every send
            self.write_some()
        except TransportFail:
            pass

    def write_some(self) -> None:
        """Write what is queued and can be written without waiting.

        Raises:
            TransportFail: Writing failed; the session knows.
        """
        pipe = self.pipe  # which another thread may take away meanwhile, as long as it connects
        if pipe is not None and not self.is_over:
            self._empty_queue(pipe)
            if self.journal is not None:
                self.journal.tell()

    def _empty_queue(self, pipe: Pipe) -> None:
        while pipe.queue and self.write_once(pipe):
            pass
        if pipe.queue:
            self.calm_until = NOT_CALM

    def write_once(self, pipe: Pipe) -> bool:
        """One system call of what is queued; whether anything was taken. Raises TransportFail."""
        session = self.session
        taken = False
        try:
            taken = pipe.write()
        except OSError as error:
            if pipe is self.pipe:  # else its socket was given up for another one
                self.lose(error)
        is_watched = session.watches_writes
        if is_watched or pipe.queue:
            self.alone(self._wrote, pipe, taken)
        if is_watched and taken:
            self.wake()  # what waited has left: others may have waited for that, and deadlines move
        return taken

    def _wrote(self, pipe: Pipe, taken: bool) -> None:
        """The session is told what became of its output."""
        session, now = self.session, monotonic()
        if taken or session.backlog.deadline == _NEVER:
            session.written(now, not pipe.queue, pipe.progress)
        else:
            session.refused(now)
        if not pipe.queue:
            self.enqueue_quietly()  # a pong that the backlog kept back

    def check(self) -> None:
        """Raise TransportFail if the connection has ended while a send waits."""
        if self.is_over or self.session.has_ended:
            event = self.session.finish.event
            why = "left by the user" if event is None else without_prefixes(event.reason)
            said = f"socket fail; the connection ended while sending ({why})"
            raise self.failure(said, None if event is None else event.cause)

    def give_up_writing(self) -> NoReturn:
        """Nothing was taken for too long. Raises TransportFail."""
        error: TimeoutError = self.alone(self.session.give_up_writing, monotonic())
        self.wake()
        raise self.failure(f"socket fail; {error}", error)

    def lose(self, error: OSError) -> NoReturn:
        """Writing failed: what the peer said before is still read. Raises TransportFail."""
        self.check()  # whoever ended the connection made the system refuse
        while self.may_read_ahead() and self.receive_ahead(_LAST_READ):
            pass
        also = self.alone(self._lost, error)
        self.wake()
        raise self.failure(f"socket fail; {words(error)}{also}", error) from error

    def _lost(self, error: OSError) -> str:
        """The session is told; in words, what the server had said."""
        # Before Ready the opening reads what was said, and ends.
        if self.session.course.opened_at is not None:
            self.session.fail(error, "write", monotonic())
        return self.session.finish.servers_close()


class Sender:
    """A send that waits for the system.

    Attributes:
        need: What it waits for.
        exchange, pipe, target: What `until_written` was asked.
        go_on: Ends its wait; None before that.
        is_told: Whether that was called.
    """

    __slots__ = ("exchange", "go_on", "is_told", "need", "pipe", "target")

    def __init__(self, need: Need, exchange: Outward, pipe: Pipe, target: int) -> None:
        self.need = need
        self.exchange = exchange
        self.pipe = pipe
        self.target = target
        self.go_on: Callable[[], object] | None = None
        self.is_told = False

    def tell(self) -> None:
        """What it waits for may be there."""
        if self.go_on is not None and not self.is_told:
            self.is_told = True
            self.go_on()


class Source(Sender):
    """What a message comes from that is sent in fragments: its end is that it can't go on."""

    __slots__ = ()

    def is_open(self) -> bool:
        """Whether that message may go on."""
        exchange = self.exchange
        is_over = exchange.is_over or exchange.session.has_ended
        return not is_over and exchange.connection.state is OPEN

    def tell(self) -> None:
        """What it waits for may be over."""
        if not self.is_open():
            Sender.tell(self)


def needed(senders: list[Sender], need: Need | None) -> tuple[Need, list[Need]]:
    """One need for all that wait where one task waits for sockets, and the need of each.

    Arguments:
        senders: Those that wait for the system.
        need: What the connection waits for, or None.
    """
    needs = [sender.need for sender in senders if not sender.is_told]
    if need is not None:
        needs.append(need)
    return (needs[0] if len(needs) == 1 else joined(needs)), needs


def met(both: Need, needs: list[Need], senders: list[Sender]) -> None:
    """Tell all of them what came of that wait, which has ended with something there, or in time.

    Arguments:
        both, needs: What `needed` gave.
        senders: All that wait by now.
    """
    if both.writable:
        both.ready = writable_now(both.writable)
    share(both, needs)
    for sender in senders:
        sender.tell()


def until_written(exchange: Outward, pipe: Pipe, target: int) -> Generator[Need, None, None]:
    """What to wait for until the system has the queue's bytes up to the target.

    It reads on meanwhile, into the session, because the peer may wait for the same. Where another
    socket takes this one's place, nothing is waited for: the message is held for that.

    Arguments:
        exchange: The connection.
        pipe: Whose queue.
        target: Where the queue ends, in bytes ever queued.

    Raises:
        TransportFail: It will not have them: the connection is over, or nothing was taken for
            `send_timeout`.
    """
    session = exchange.session
    has_waited = is_late = False
    # What others have queued meanwhile goes along, as long as that needs no waiting.
    while pipe.queue and (pipe.written < target or not has_waited):
        exchange.check()
        if pipe is not exchange.pipe:
            return
        if exchange.write_once(pipe):
            continue
        if pipe.written >= target:
            return
        deadline = session.backlog.deadline
        if is_late and monotonic() >= deadline:
            exchange.give_up_writing()
        reads = exchange.may_read_ahead()
        until = None if deadline == _NEVER else deadline
        need = Need(until, (pipe.sock,) * reads, (pipe.sock,))
        yield need
        has_waited = True
        is_late = not (reads and _read_on(exchange)) and not need.ready


def until_sent(
    exchange: Outward, pipe: Pipe, target: int, size: int
) -> Generator[Need, None, None]:
    """What to wait for until the system has a message that it did not take at once.

    Arguments:
        exchange, pipe, target: As for `until_written`.
        size: Of the message with its head, bytes.

    Raises:
        TransportFail: It will not have it.
    """
    exchange.output.pending += size
    try:
        yield from until_written(exchange, pipe, target)
    except TransportFail as error:
        exchange.explain(error)
        raise
    except BaseException:  # cancelled: what was queued goes out all the same
        exchange.output.pending -= size
        raise
    exchange.output.pending -= size
    if exchange.journal is not None:
        exchange.journal.tell()


def _read_on(exchange: Outward) -> bool:
    """Read what is there, if that is not too much at a time; whether anything was."""
    count = 0
    while count < _READS and exchange.may_read_ahead() and exchange.receive_ahead():
        count += 1
    return count > 0
