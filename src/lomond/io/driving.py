"""Goes on with the generator of a connection in an asyncio program, for the task that iterates."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
from typing import TYPE_CHECKING, Any

from ..protocol import events as _events
from ..session.ahead import NUDGE, Ahead
from ..system.clock import monotonic
from ..system.need import Awaited, Need
from ..system.pipe import Pipe
from .carrying import Carrier, carried
from .looping import Looping
from .outward import until_written
from .pausing import Pause
from .waiting import AGAIN, writable_now

if TYPE_CHECKING:
    from collections.abc import Generator

    from ..protocol.events import AnyEvent
    from ..session.session import Session
    from .exchange import Exchange
    from .inward import Traced
    from .performing import Steps

_MOST_UNREAD = 64 * 1024  # bytes that asyncio has read and nobody wanted yet: it stops reading
_TURN = 64 * 1024  # bytes per turn of the loop
_TURNS = 2  # of the loop, in which it has read whatever was there before
_IDLE = -1  # of turns: none are counted
_NEVER = float("inf")
_POLL: type = _events.Poll
_ENDS = frozenset([_events.ConnectFail, _events.Disconnected])  # no socket is left behind them


class Driver:
    """Goes on with the generator of a connection whenever that can.

    It belongs to one event loop, from the first event on. As a wake-up any thread may use it.

    Attributes:
        loop: Of the task that asked for the first event; None before.
        given: Bytes that were taken from what asyncio has read since the loop had a turn.
    """

    __slots__ = (
        "_ahead", "_awaited", "_counted_at", "_failure", "_is_coming", "_is_met", "_is_running",
        "_is_waiting", "_is_within", "_is_woken", "_items", "_kept", "_last", "_need",
        "_owes_turn", "_pause", "_scope", "_senders", "_thread", "_timer", "_timer_at", "_turns",
        "_watched", "given", "loop",
    )  # fmt: skip

    def __init__(self) -> None:
        self.loop: Any = None
        self.given = 0
        self._thread = 0
        self._items: Generator[AnyEvent | Need, None, None] | None = None
        self._need: Need | None = None
        self._is_met = False
        self._is_woken = False
        self._is_within = False  # the task goes on within a callback of ours
        self._is_coming = False  # a turn of the loop will see to running ahead
        self._is_running = False
        self._awaited: Awaited | None = None  # by the user's task, for the generator
        self._scope: Any = None  # in which it does
        self._ahead = Ahead()
        self._kept = self._ahead.events  # asked for on the way of every event
        self._turns = _IDLE  # of the loop, since a deadline was seen to have passed
        self._counted_at = 0.0  # when that was
        self._failure: BaseException | None = None
        self._last: Any = None  # the class of the event behind which the generator stands
        self._owes_turn = False
        self._is_waiting = False  # the user's task, for the next event
        self._pause: Any = None  # the Pause in which it does
        self._senders: list[tuple[asyncio.Future[None], Need, Exchange, Pipe, int]] = []
        self._timer: asyncio.TimerHandle | None = None
        self._timer_at = _NEVER
        self._watched: list[int] = []

    def start(self, items: Generator[AnyEvent | Need, None, None]) -> None:
        """Give it what it goes on with."""
        self._items = items

    # For the user's task

    async def next(self) -> AnyEvent:
        """The next event.

        Raises:
            StopAsyncIteration: The connection is over.
            RuntimeError: Another task waits for it.
        """
        if self.loop is None:
            self.loop = asyncio.get_running_loop()
            self._pause = Pause(self.loop)
            self._thread = threading.get_ident()
        if self._is_waiting or self._awaited is not None:
            raise RuntimeError("another task is waiting for the next event of this connection")
        while True:
            awaited: Any = self._pause
            if self._owes_turn:
                self._owes_turn = False
                awaited = asyncio.sleep(0)
            else:
                event = self._take()
                if event is not None:
                    return event
                if self._items is None:
                    raise StopAsyncIteration
                self.check_loop()
                self.given = 0
                need = self._need
                if need is not None and need.awaited is not None:
                    await self._await(need.awaited)
                    continue
            self._is_waiting = True  # nothing goes on without the task
            try:
                await awaited
            except BaseException:
                self._run_ahead_soon()  # what we were to take may be there
                raise
            finally:
                self._is_waiting = False

    async def _await(self, awaited: Awaited) -> None:
        """Await what the generator needs, unless that goes on without it."""
        self._awaited = awaited
        try:
            async with asyncio.timeout(None) as self._scope:
                await awaited.perform()
        except TimeoutError:
            pass  # the generator is elsewhere: its time is over, or it was closed
        finally:
            self._awaited = self._scope = None
        self._is_met = True

    def at_once(self) -> AnyEvent | None:
        """The next event, where that need not be waited for; else None."""
        is_ready = self.loop is not None and not self._is_waiting and not self._owes_turn
        return self._take() if is_ready else None

    def _take(self) -> AnyEvent | None:
        """The next event, if it is there."""
        event: AnyEvent | None = self._ahead.take(monotonic()) if self._kept else None
        if event is None:
            event = self._step()
        if event is None:
            return None
        if type(event) is _POLL:
            self._owes_turn = True
        elif self.given > _TURN:
            self.given = 0
            self._owes_turn = True
        if not self._is_within:
            self._run_ahead_soon()  # the task may be going elsewhere
        return event

    def check_loop(self) -> None:
        """Raise RuntimeError unless this is the loop that the connection was begun in."""
        # To ask asyncio for the running loop is a system call up to Python 3.11.
        if threading.get_ident() != self._thread or not self.loop.is_running():
            raise RuntimeError(
                "this connection was begun in another event loop; iterate and send in that one "
                "(asyncio.run_coroutine_threadsafe), or connect in this one"
            )

    async def written(self, exchange: Exchange, pipe: Pipe, target: int) -> None:
        """Return when the system has taken the pipe's queue up to the target.

        Raises:
            TransportFail: It did not; the connection is over.
        """
        for need in until_written(exchange, pipe, target):
            await self._met(need, exchange, pipe, target)
        exchange.report()

    async def _met(self, need: Need, exchange: Exchange, pipe: Pipe, target: int) -> None:
        """What a send waits for is there, or is too late and not even read by the loop."""
        if self._has_news(need):
            return
        for carrier in need.writable:
            carrier.watch_writing()
        sender = self.loop.create_future()
        waiting = (sender, need, exchange, pipe, target)
        self._senders.append(waiting)
        timer = None
        if need.until is not None:
            timer = self.loop.call_later(max(0.0, need.until - monotonic()), _resolve, sender)
        try:
            await sender
        finally:
            self._senders.remove(waiting)
            if timer is not None:
                timer.cancel()
        if need.until is not None and monotonic() >= need.until:
            for _ in range(_TURNS):  # in which the loop reads what was there before
                await asyncio.sleep(0)

    def stop(self) -> None:
        """The connection is left; from the loop's thread, or after the loop's end."""
        self._ahead.clear()
        self._end()

    def _end(self) -> None:
        """Nothing goes on."""
        items, self._items = self._items, None
        self._unwatch()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        try:
            if items is not None:
                items.close()
        finally:
            if self.loop is not None and not self.loop.is_closed():
                self._tell(False)

    def drop(self) -> bool:
        """Stop, from any thread; whether there was a connection to leave."""
        if self._items is None:
            return False
        if self.loop is None:
            self.stop()
            return False  # it had not begun
        try:
            self.loop.call_soon_threadsafe(self.stop)
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
            self.soon(self._woken)

    def is_here(self) -> bool:
        """Whether this is the loop's thread."""
        return threading.get_ident() == self._thread

    def soon(self, act: Any) -> None:
        """Have the loop do it. From any thread. Raises RuntimeError: it is closed."""
        if self.is_here():
            self.loop.call_soon(act)
        else:
            self.loop.call_soon_threadsafe(act)

    def follow(self, session: Session) -> None:
        """The next events are that one's, where several connections are merged."""
        self._ahead.session = session

    def exchange(self, session: Session, traced: Traced | None) -> Exchange:
        """A new connection's, which wakes it."""
        return Looping(session, traced, self)

    def carry(self, sock: socket.socket, session: Session) -> Steps:
        """Hand a session's socket to asyncio; the Pipe of what carries its bytes then."""
        self._ahead.session = session
        begun: list[bool] = []
        task = self.loop.create_task(carried(self.loop, sock, self, _MOST_UNREAD, begun))
        task.add_done_callback(self._is_carried)
        try:
            while not task.done():
                yield Need(None)
        except BaseException:
            with contextlib.suppress(RuntimeError):  # the loop is closed
                task.cancel()
                task.add_done_callback(_give_up)
            if not begun:
                sock.close()
            raise
        return Pipe(task.result(), False)

    def _is_carried(self, _: Any) -> None:
        self.wake()

    def _woken(self) -> None:
        self._is_woken = False
        self.go_on()

    def go_on(self) -> None:
        """What is waited for may be there. In a callback of the loop."""
        self._is_met = True
        self._tell(True)

    def write_on(self, carrier: Carrier) -> None:
        """The system takes more of one socket."""
        for sender, need, *_ in self._senders:
            if carrier in need.writable:
                need.ready = [carrier]
                _resolve(sender)
        if self._need is not None and carrier in self._need.writable:
            self._need.ready = [carrier]
        self.go_on()

    def _tell(self, at_once: bool) -> None:
        if self._is_waiting:
            self._is_within = at_once
            try:
                self._pause.end(at_once)
            finally:
                self._is_within = False
        self._run_ahead()
        for sender, need, exchange, pipe, target in self._senders:
            is_over = exchange.is_over or exchange.session.has_ended
            is_done = pipe.written >= target or pipe is not exchange.pipe
            if is_over or is_done or self._has_news(need):
                _resolve(sender)

    # The generator

    def _step(self) -> AnyEvent | None:
        """Go on up to the next event; None where something must be waited for, or at the end."""
        items = self._items
        if items is None or (self._need is not None and not self._is_met):
            if self._failure is not None:
                failure, self._failure = self._failure, None
                raise failure
            return None
        while True:
            if self._watched:
                self._unwatch()
            self._need, self._is_met = None, False
            self._is_running = True
            try:
                item = next(items)
            except BaseException as error:
                self._end()  # which closes it where it was interrupted before it began
                if isinstance(error, StopIteration):
                    return None
                raise
            finally:
                self._is_running = False
            if not isinstance(item, Need):
                self._last = type(item)
                return item
            self._need = item
            item.looked_at = -_NEVER  # only the loop reads
            if not self._is_met and not self._has_news(item):
                self._watch(item)
                return None

    def _run_ahead_soon(self) -> None:
        if not self._is_coming and self._items is not None:
            self._is_coming = True
            with contextlib.suppress(RuntimeError):  # the loop is closed
                self.loop.call_soon(self._run_ahead)

    def _run_ahead(self) -> None:
        """Go on without the user's task: pings are answered and sent while that is elsewhere."""
        self._is_coming = False
        if self._is_waiting or self._is_running or self._items is None:
            return
        if self._awaited is not None:
            self._go_on_awaiting()
            return
        while self._ahead.may_grow(self._last, bool(self._senders)):
            try:
                event = self._step()
            except BaseException as error:
                self._failure = error
                return
            if event is None:
                return
            if not self._ahead.put(event):
                self._set_timer(NUDGE)
                return

    def _go_on_awaiting(self) -> None:
        """Go on while the user's task awaits something: a deadline may have passed, or a close."""
        try:
            event = self._step()
            if event is not None:
                self._ahead.put(event)
        except BaseException as error:
            self._failure = error
        need = self._need
        if (need is None or need.awaited is not self._awaited) and not self._scope.expired():
            self._scope.reschedule(self.loop.time())

    def _has_news(self, need: Need) -> bool:
        """Whether the loop has read something for it."""
        for sock in need.readable:
            carrier: Carrier = sock
            if carrier.has_news():
                return True
        return False

    def _watch(self, need: Need) -> None:
        """Have the loop call when it is met."""
        if need.until is not None:
            seconds = need.until - monotonic()
            if seconds > 0:
                self._set_timer(seconds)
            else:
                self._count_turns()
        for sock in need.writable:
            if isinstance(sock, Carrier):
                sock.watch_writing()
            else:
                try:
                    self.loop.add_writer(sock.fileno(), self._ready, need, sock)
                except NotImplementedError:  # Windows' usual loop
                    self._look_at(need)
                    return
                self._watched.append(sock.fileno())

    def _look_at(self, need: Need) -> None:
        """Find out whether some sockets can be written by now, where the loop can't watch them."""
        if need is not self._need:
            return
        need.ready = writable_now(need.writable)
        if need.ready:
            self.loop.call_soon(self.go_on)
        else:
            self.loop.call_later(AGAIN, self._look_at, need)

    def _ready(self, need: Need, sock: socket.socket) -> None:
        need.ready = [sock]
        self._unwatch()
        self.go_on()

    def _unwatch(self) -> None:
        while self._watched:
            self.loop.remove_writer(self._watched.pop())

    def _set_timer(self, seconds: float) -> None:
        """The earliest moment counts: when it fires, the timer makes one of the next."""
        moment = monotonic() + seconds
        if self._timer is not None:
            if self._timer_at <= moment:
                return
            self._timer.cancel()
        self._timer_at = moment
        self._timer = self.loop.call_later(max(0.0, seconds), self._timed)

    def _timed(self) -> None:
        self._timer = None
        need = self._need
        if need is None or need.until is None:
            return
        seconds = need.until - monotonic()
        if seconds > 0:
            self._set_timer(seconds)
        else:
            self._count_turns()

    # What lay in the socket when a deadline passed is read before that is judged, however long
    # somebody kept the loop from reading. Only the loop reads: in two of its turns it has.

    def _count_turns(self) -> None:
        if self._turns == _IDLE:
            self._turns = 0
            self._counted_at = monotonic()
            self.loop.call_soon(self._turned)

    def _turned(self) -> None:
        """The loop had a turn."""
        self._turns += 1
        if self._turns < _TURNS:
            self.loop.call_soon(self._turned)
            return
        self._turns = _IDLE
        need = self._need
        if need is not None and need.until is not None and need.until <= monotonic():
            need.looked_at = self._counted_at
            self.go_on()

    def came(self) -> None:
        """Bytes came, or the end of the stream. In a callback of the loop."""
        if self._turns != _IDLE:
            self._turns = 0  # there may be more
            self._counted_at = monotonic()
        self.go_on()


def _give_up(task: asyncio.Task[Carrier]) -> None:
    """What was made is not wanted any more."""
    if not task.cancelled() and task.exception() is None:
        task.result().close()


def _resolve(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)
