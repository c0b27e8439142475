"""How a connection waits in an asyncio program: until its loop tells of the socket, or the time."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from functools import partial
from typing import TYPE_CHECKING, Any

from ...system.clock import monotonic
from ...system.need import Need
from ...system.pipe import Pipe
from ...system.wire import Wire
from ..driving import Driver, has_news, resume
from ..looping import Looping
from ..waiting import AGAIN, writable_now
from .carrying import Carrier, ReadSocket, carried
from .pausing import TaskPause
from .watching import LoopSocket, WatchedSocket

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from ...session.session import Session
    from ..outward import Sender
    from ..performing import Steps

_TURNS = 2  # of the loop, in which it has read whatever was there before
_IDLE = -1  # of turns: none are counted
_NEVER = float("inf")


class AsyncioDriver(Driver):
    """Goes on with the generator of a connection, in callbacks of asyncio's."""

    __slots__ = ("_counted_at", "_timer", "_turns", "_watched")

    exchanges = Looping
    elsewhere = (
        "this connection was begun in another event loop; iterate and send in that one "
        "(asyncio.run_coroutine_threadsafe), or connect in this one"
    )

    def __init__(self) -> None:
        super().__init__(True, asyncio.current_task)
        self._turns = _IDLE  # of the loop, since a deadline was seen to have passed
        self._counted_at = 0.0  # when that was, or when the loop had read since
        self._timer: asyncio.TimerHandle | None = None
        self._watched: list[int] = []  # sockets that are not carried

    def _begin(self) -> None:
        self.loop = asyncio.get_running_loop()
        self._runs = self.loop.is_running
        self._pause = TaskPause(self.loop)

    def soon(self, act: Callable[[], object]) -> None:
        if self.is_here():
            self.loop.call_soon(act)
        else:
            self.loop.call_soon_threadsafe(act)

    # For the user's tasks

    async def unless(
        self, note: Callable[[Callable[[], object]], object], act: Callable[[], Awaitable[Any]]
    ) -> Any:
        scope = asyncio.timeout(None)
        try:
            async with scope:
                note(partial(scope.reschedule, 0.0))  # a moment of the past
                return await act()
        except TimeoutError:
            if not scope.expired():
                raise  # its own
            return None

    async def reach(self, sender: Sender) -> None:
        need = sender.need
        if self.reads_late and has_news(need):
            return
        if self.paused:
            resume(need)
        for carrier in need.writable:
            carrier.watch_writing(self._write_on)
        future = self.loop.create_future()
        sender.go_on = partial(_resolve, future)
        timer = None
        if need.until is not None:
            timer = self.loop.call_later(max(0.0, need.until - monotonic()), sender.tell)
        try:
            await future
        finally:
            if timer is not None:
                timer.cancel()
        if need.until is not None and monotonic() >= need.until:
            for _ in range(_TURNS):  # in which others who were kept from it, as we, go on
                await asyncio.sleep(0)

    # For the connection

    def carry(self, sock: socket.socket, session: Session) -> Steps:
        """Have the loop watch a session's socket, or else read it; the Pipe of that."""
        self.follow(session)
        watched = WatchedSocket(sock, self)
        try:
            watched.watch()
        except NotImplementedError:
            return (yield from self._have_it_read(sock))
        except BaseException:  # one too many for the system, or for the loop
            sock.close()
            raise
        return Pipe(watched, False, Wire(sock))

    def _have_it_read(self, sock: socket.socket) -> Steps:
        """Hand a socket to the loop; the Pipe of what carries its bytes then."""
        self.reads_late = True
        begun: list[bool] = []
        task = self.loop.create_task(carried(self.loop, sock, self, begun))
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
        read = task.result()
        return Pipe(read, False, Carrier(sock, read))

    def _is_carried(self, _: Any) -> None:
        self.wake()

    def _write_on(self, carrier: LoopSocket) -> None:
        """The system takes more of one socket."""
        for sender in self.senders:
            if carrier in sender.need.writable:
                sender.need.ready = [carrier]
                sender.tell()
        if self._need is not None and carrier in self._need.writable:
            self._need.ready = [carrier]
        self.go_on()

    # Sockets

    def _watch(self, need: Need) -> None:
        if need.until is not None:
            seconds = need.until - monotonic()
            if seconds > 0:
                self._set_timer(seconds)
            else:
                self._judge(need)
        for sock in need.writable:
            if isinstance(sock, LoopSocket):
                sock.watch_writing(self._write_on)
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
        self.unwatch()
        self.go_on()

    def unwatch(self) -> None:
        while self._watched:
            self.loop.remove_writer(self._watched.pop())
        if self.items is None and self._timer is not None:
            self._timer.cancel()
            self._timer, self._timer_at = None, _NEVER

    # Moments

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
        self._timer, self._timer_at = None, _NEVER
        need = self._need
        if need is None or need.until is None:
            return
        seconds = need.until - monotonic()
        if seconds > 0:
            self._set_timer(seconds)
        else:
            self._judge(need)

    def _judge(self, need: Need) -> None:
        """A moment has come; what lay in the socket by then is read before that is judged.

        A read of ours tells. Of what only the loop reads or sees it has heard in two of its turns,
        however long somebody kept it from them.
        """
        if need.looked_at is None:
            self.loop.call_soon(self.go_on)
        else:
            self._count_turns()

    def _count_turns(self) -> None:
        if self._turns == _IDLE:
            self._begin_turns()
            self.loop.call_soon(self._turned)

    def _begin_turns(self) -> None:
        self._turns = 0
        self._counted_at = monotonic()
        self.has_read = False

    def _turned(self) -> None:
        """The loop had a turn."""
        self._turns += 1
        if self.has_read:
            self._begin_turns()  # there may be more
        if self._turns < _TURNS:
            self.loop.call_soon(self._turned)
            return
        self._turns = _IDLE
        need = self._need
        if need is not None and need.until is not None and need.until <= monotonic():
            need.looked_at = self._counted_at
            self.go_on()


def _give_up(task: asyncio.Task[ReadSocket]) -> None:
    """What was made is not wanted any more."""
    if not task.cancelled() and task.exception() is None:
        task.result().close()


def _resolve(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)
