"""Goes on with the generator of a connection in an event loop, for the task that iterates.

What differs from loop to loop, above all how it waits, is in asyncio_loop and trio_loop.py.
"""

from __future__ import annotations

import contextlib
import threading
import weakref
from functools import partial
from typing import TYPE_CHECKING, Any

from ..protocol import events as _events
from ..protocol.states import OPEN
from ..session.ahead import NUDGE, Ahead
from ..system.clock import monotonic
from ..system.need import Awaited, Need
from ..system.pipe import Pipe

if TYPE_CHECKING:
    import socket
    from collections.abc import Awaitable, Callable, Generator

    from ..protocol.events import AnyEvent
    from ..session.session import Session
    from .exchange import Exchange
    from .journal import Journal
    from .outward import Sender

_NEVER = float("inf")
_POLL: type = _events.Poll
_ENDS = frozenset([_events.ConnectFail, _events.Disconnected])  # no socket is left behind them


class Pause:
    """What the user's task awaits until there may be an event: one wait after another."""

    __slots__ = ()

    def end(self, at_once: bool) -> None:
        """The task goes on.

        Arguments:
            at_once: In here, if it can, which must be a callback of the loop; else in a later turn.
        """
        raise NotImplementedError


class Driver:
    """Goes on with the generator of a connection whenever that can.

    It belongs to one event loop, from the first event on. As a wake-up any thread may use it.

    Arguments:
        loop_tells: Whether the loop tells in callbacks, and what stands for a socket knows whether
            there is something to read (`has_news`). Else the sockets of a Need are the system's,
            and a task of the driver's waits for them, which goes on with the generator even where
            the user's task waits, and whatever that awaits is a checkpoint.
        this_task: Gives the task that is running.

    Attributes:
        exchanges: The class of its connections' exchanges, each loop's own.
        elsewhere: What is said to whoever goes on in another loop, each loop's own.
        ahead: What waits for the task.
        loop: Of the task that asked for the first event; None before.
        has_read: Whether it has read something since who counts its turns asked.
        reads_late: Whether only the loop reads, so that a read of ours tells what it has read.
        items: The generator, which whoever makes the driver sets; None at its end.
        left: An async generator of the program's, with which nobody goes on; whoever leaves the
            connection is to close it. Or None.
        posts: What the program has posted; None if it never did.
        paused: How many sockets are not watched, though the connection may want to read.
        reads: In a row, since the generator waited.
        senders: The sends that wait.
        steps: How often the generator has gone on.
        task: A weak reference to that which iterates; None before that is known.
    """

    __slots__ = (
        "_awaited", "_failure", "_give_up", "_is_coming", "_is_met", "_is_nudged",
        "_is_running", "_is_waiting", "_is_watched", "_is_within", "_is_woken", "_kept",
        "_last", "_need", "_owes_turn", "_pause", "_runs", "_thread", "_timer_at", "ahead",
        "has_read", "items", "left", "loop", "loop_tells", "paused", "posts", "reads",
        "reads_late", "senders", "steps", "task", "this_task",
    )  # fmt: skip

    exchanges: Any = None
    elsewhere = ""

    def __init__(self, loop_tells: bool, this_task: Callable[[], object]) -> None:
        self.loop: Any = None
        self.has_read = False
        self.reads_late = False
        self.paused = 0
        self.left: Any = None
        self.posts: Any = None
        self.reads = 0
        self.steps = 0
        self.senders: list[Sender] = []
        self.task: Any = None
        self.this_task = this_task
        self.loop_tells = loop_tells
        self._thread = 0
        self._runs: Callable[[], object] = _nothing  # whether the loop does
        self.items: Generator[Any, None, None] | None = None  # of events and Needs
        self._need: Need | None = None
        self._is_met: bool = False
        self._is_nudged: bool = False  # it only waits so that polls leave others their turns
        self._is_watched = False  # the loop was told of it
        self._timer_at = _NEVER  # when the loop looks by itself
        self._is_woken = False
        self._is_within = False  # the task goes on within a callback of ours
        self._is_coming: bool = False  # a turn of the loop will see to running ahead
        self._is_running = False
        self._awaited: Awaited | None = None  # by the user's task, for the generator
        self._give_up: Callable[[], object] | None = None  # ends that
        self.ahead = Ahead()
        self._kept = self.ahead.events  # asked for on the way of every event
        self._failure: BaseException | None = None
        self._last: Any = None  # the class of the event behind which the generator stands
        self._owes_turn = False
        self._is_waiting: bool = False  # the user's task, for the next event
        self._pause: Any = None  # the Pause in which it does

    def follow(self, session: Session) -> None:
        """The next events are that one's, where several connections are merged."""
        self.ahead.session = session

    def carry(self, sock: socket.socket, session: Session) -> Generator[Need, None, Any]:
        """The Pipe of a session's connected socket."""
        yield from ()
        self.ahead.session = session
        return Pipe(sock, False)

    def exchange(self, session: Session, journal: Journal | None) -> Exchange:
        """A new connection's, which wakes it."""
        exchange: Exchange = self.exchanges(session, journal, self)
        return exchange

    def check_loop(self) -> None:
        """Raise RuntimeError unless this is the loop that the connection was begun in.

        Where it was not begun, it is now, if there is anything to go on with.
        """
        if self.loop is None:
            if self.items is not None:
                self._begin()
                self._thread = threading.get_ident()
        # To ask asyncio for the running loop is a system call up to Python 3.11.
        elif threading.get_ident() != self._thread or not self._runs():
            raise RuntimeError(self.elsewhere)

    # For each loop its own

    def _begin(self) -> None:
        """Note which loop this is, and what tells whether it runs (`loop`, `_runs`)."""
        raise NotImplementedError

    def soon(self, act: Callable[[], object]) -> None:
        """Have the loop do it. From any thread. Raises RuntimeError: it is closed."""
        raise NotImplementedError

    def _watch(self, need: Need) -> None:
        """Have the loop call `go_on` when it is met; a task that waits looks at it by itself."""
        self.unwatch()

    def unwatch(self) -> None:
        """Have it not; the sockets may be closed then. A task that waits looks again at all."""
        raise NotImplementedError

    async def unless(
        self, note: Callable[[Callable[[], object]], object], act: Callable[[], Awaitable[Any]]
    ) -> Any:
        """Await what that gives, unless what `note` is given is called meanwhile: then None."""
        raise NotImplementedError

    async def reach(self, sender: Sender) -> None:
        """Return when what it needs is there, or is too late, or when it is told."""
        raise NotImplementedError

    @staticmethod
    async def checkpoint() -> None:
        """Give other tasks their turn, where whatever is awaited has to."""

    # For the user's tasks

    async def next(self) -> AnyEvent:
        """The next event.

        Raises:
            StopAsyncIteration: The connection is over.
            RuntimeError: Another task waits for it, or this is another loop.
        """
        if self.loop is None:
            self.check_loop()
        if self.task is None and (task := self.this_task()) is not None:
            self.task = weakref.ref(task)
        if self._is_waiting or self._awaited is not None:
            raise RuntimeError("another task is waiting for the next event of this connection")
        while True:
            if self._owes_turn:
                self._owes_turn = False
                self.soon(self.go_on)
            else:
                event: AnyEvent | None = self._take(False)
                if event is not None:
                    return event
                if self.items is None:
                    raise StopAsyncIteration
                if threading.get_ident() != self._thread or not self._runs():
                    self.check_loop()
                need = self._need
                if need is not None and need.awaited is not None:
                    await self._await(need.awaited)
                    continue
            self._is_waiting = True  # nothing goes on without the task
            try:
                await self._pause
            except BaseException:
                self._run_ahead_soon()  # what we were to take may be there
                raise
            finally:
                self._is_waiting = False

    def at_once(self) -> AnyEvent | None:
        """The next event, where that need not be waited for; else None."""
        if not self.loop_tells:
            return None  # whatever is awaited is a checkpoint
        is_ready = self.loop is not None and not self._is_waiting and not self._owes_turn
        event: AnyEvent | None = self._take(False) if is_ready else None
        return event

    async def _await(self, awaited: Awaited) -> None:
        """Await what the generator needs, unless that goes on without it."""
        self._awaited = awaited
        try:
            await self.unless(partial(setattr, self, "_give_up"), awaited.perform)
        finally:
            self._awaited = self._give_up = None
        self._is_met = True

    def stop(self) -> None:
        """The connection is left; from the loop's thread, or after the loop's end."""
        self.ahead.clear(self.posts)
        self._end()

    def _end(self) -> None:
        """Nothing goes on."""
        items, self.items = self.items, None
        self.unwatch()
        try:
            if items is not None:
                items.close()
        finally:
            with contextlib.suppress(RuntimeError):  # the loop is closed
                if self._is_waiting:
                    self._pause.end(False)
                _tell(self.senders, self.loop_tells)

    def drop(self) -> bool:
        """Leave the connection, from any thread; whether there was one to leave."""
        if self.items is None:
            return False
        if self.loop is None:
            self.stop()
            return False  # it had not begun
        try:
            self.soon(self.stop)
        except RuntimeError:  # the loop is closed
            self.stop()
        return self._last not in _ENDS

    # For the connection: a wake-up

    def wake(self) -> None:
        """Something changed. From any thread."""
        if self._is_woken or self.loop is None:
            return
        self._is_woken = True
        with contextlib.suppress(RuntimeError):  # the loop is closed
            self.soon(self.go_on)

    def is_here(self) -> bool:
        """Whether this is the loop's thread."""
        return threading.get_ident() == self._thread

    # In callbacks of the loop

    def go_on(self) -> None:
        """What is waited for may be there."""
        self._is_met, self._is_woken = True, False
        if self._is_waiting and self.loop_tells:
            self._is_within = True
            try:
                self._pause.end(True)
            finally:
                self._is_within = False
        if not (self._is_waiting and self.loop_tells):
            self._run_ahead()
            if self._is_waiting and not self.loop_tells:
                need = self._need
                if self._kept or need is None or need.awaited is not None:
                    self._pause.end(True)  # not for what only the generator waits for
        if self.senders:
            _tell(self.senders, self.loop_tells)

    def _run_ahead_soon(self) -> None:
        if self._is_coming or self.items is None:
            return
        if self.loop_tells:
            self._is_coming = True
            with contextlib.suppress(RuntimeError):  # the loop is closed
                self.soon(self._run_ahead)
        elif self._need is None or self._is_met:
            self.unwatch()  # whoever waits runs ahead before the next wait

    def _run_ahead(self) -> None:
        """Go on without the user's task: pings are answered and sent while that is elsewhere."""
        self._is_coming = False
        if (self._is_waiting and self.loop_tells) or self._is_running or self.items is None:
            return
        self._go_ahead()
        if self.ahead.most:
            self.ahead.tell()
        need, give_up = self._need, self._give_up
        if give_up is not None and (need is None or need.awaited is not self._awaited):
            self._give_up = None
            give_up()

    def _go_ahead(self) -> None:
        """Go on as far as may be without the user's task.

        While that awaits something, a deadline may have passed, or a close, or another stream may
        have events, which wait for it.
        """
        awaited = self._awaited
        while (
            self._is_waiting
            or (awaited is not None and self._need is not None)
            or self.ahead.may_grow(self._last, bool(self.senders))
        ):
            if self._is_waiting and self._kept:
                return  # the task has its turn first
            try:
                event = self._take(True)
            except BaseException as error:
                self._failure = error
                return
            if event is None:
                return
            if not self.ahead.put(event):
                need = self._need = Need(monotonic() + NUDGE)
                need.awaited = awaited
                self._is_met, self._is_nudged = False, True
                self._watch(need)
                return

    # The generator

    def _take(self, is_ahead: bool) -> Any:
        """The next event; None where something must be waited for, or at the end.

        Arguments:
            is_ahead: It is to wait behind others for the user's task; else it is handed to that.
        """
        items: Any = self.items
        event: Any = None
        if self._kept and not is_ahead:
            event = self.ahead.take(monotonic())
            self._is_met = self._is_met or self._is_nudged
        if event is None and (items is None or (self._need is not None and not self._is_met)):
            if self._failure is not None:
                failure, self._failure = self._failure, None
                raise failure
            return None
        while event is None:
            if self._is_watched:
                self._is_watched = False
                self.unwatch()
            self._need = None
            self._is_met = self._is_nudged = False
            self._is_running = True
            self.steps += 1
            try:
                event = next(items)
            except BaseException as error:
                self._end()  # which closes it where it was interrupted before it began
                if isinstance(error, StopIteration):
                    return None
                raise
            finally:
                self._is_running = False
            if not isinstance(event, Need):
                self._last = type(event)
                break
            need, event = event, None
            self._need = need
            self.reads = 0
            if self.paused:
                resume(need)
            if self.loop_tells:
                # Whether somebody else has come is the loop's to say.
                if self.reads_late or need.writable or not need.readable:
                    need.looked_at = -_NEVER
                self._is_met = self._is_met or (self.reads_late and has_news(need))
            if not self._is_met:
                moment = _NEVER if need.until is None else need.until
                if moment < self._timer_at or need.writable or not self.loop_tells:
                    self._is_watched = True
                    self._watch(need)
                return None
        if is_ahead:
            return event
        if type(event) is _POLL:
            self._owes_turn = True
        if not self._is_within:
            self._run_ahead_soon()  # the task may be going elsewhere
        return event


def iterates(driver: Driver) -> bool:
    """Whether the task that is running is the one that iterates."""
    is_elsewhere = driver.items is not None and not driver._is_waiting  # pyright: ignore[reportPrivateUsage]  # a function of this module
    return is_elsewhere and driver.task is not None and driver.task() is driver.this_task()


def _tell(senders: list[Sender], loop_tells: bool) -> None:
    """Have those go on for whom something has changed."""
    for sender in senders:
        exchange, pipe = sender.exchange, sender.pipe
        is_over = exchange.is_over or exchange.session.has_ended
        is_done = pipe.written >= sender.target or pipe is not exchange.pipe
        if exchange.output.is_streaming and exchange.connection.state is not OPEN:
            is_over = True  # half a message will not be finished
        if is_over or is_done or (loop_tells and has_news(sender.need)):
            sender.tell()


def has_news(need: Need) -> bool:
    """Whether the loop has told of something to read for it."""
    for sock in need.readable:  # noqa: SIM110  # Cython has no generator here
        if sock.has_news:
            return True
    return False


def resume(need: Need) -> None:
    """Have the loop watch its sockets again."""
    for sock in need.readable:
        sock.watch()


def _nothing() -> None:
    """Stand for what is not known yet."""
