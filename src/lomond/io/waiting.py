"""Waiting for a socket, and being woken while waiting. One small replaceable place."""

from __future__ import annotations

import contextlib
import math
import os
import select
import selectors
import signal
import socket
import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from ..system import forking
from ..system.clock import monotonic
from ..system.holding import next_of

if TYPE_CHECKING:
    from ..system.need import Need

AGAIN = 0.02  # seconds between two looks at a socket that nobody can wait for
# Not on Windows, which has neither.
_TIMERS = [getattr(signal, n) for n in ("ITIMER_REAL", "ITIMER_PROF") if hasattr(signal, n)]
_LONGEST = 3600.0  # seconds; one system wait, not a limit: whoever waits computes anew
_MOST_FREE = 64  # wake-ups that are kept for the next wait
# Neither needs a descriptor of its own.
Selector: Any = getattr(selectors, "PollSelector", selectors.SelectSelector)


def signals_tick() -> bool:
    """Whether a timer of this process sends signals at short intervals, as profilers have it.

    Each would start a call that waits anew, and the time that the system bounds it to.
    """
    for timer in _TIMERS:  # noqa: SIM110  a generator costs more than what it would ask
        if 0 < signal.getitimer(timer)[1] < 1:
            return True
    return False


class Wakeup:
    """Ends the wait of the thread that has leased it."""

    __slots__ = ("_home",)

    def __init__(self, home: list[Wakeup]) -> None:
        self._home = home

    def fileno(self) -> int:
        """The descriptor that becomes readable."""
        raise NotImplementedError

    def wake(self) -> None:
        """End the wait, or the next one. Never blocks, never raises."""
        raise NotImplementedError

    def drain(self) -> None:
        """Forget what has woken us."""
        raise NotImplementedError

    def give_back(self) -> None:
        """The thread waits no more: another one may have it."""
        if len(self._home) < _MOST_FREE:
            self._home.append(self)


# Neither is closed before nobody knows it any more: the number of a closed one may be a
# connection's next, and who wakes sends no byte to that.


class PairWakeup(Wakeup):
    """A wake-up by a pair of sockets, as any system has them."""

    __slots__ = ("_receiver", "_sender")

    def __init__(self, home: list[Wakeup]) -> None:
        super().__init__(home)
        self._receiver, self._sender = socket.socketpair()
        self._receiver.setblocking(False)
        self._sender.setblocking(False)

    def fileno(self) -> int:
        return self._receiver.fileno()

    def wake(self) -> None:
        with contextlib.suppress(OSError):  # a full pair has woken the waiter already
            self._sender.send(b"\0")

    def drain(self) -> None:
        with contextlib.suppress(OSError):
            while self._receiver.recv(4096):
                pass

    def __del__(self) -> None:
        with contextlib.suppress(AttributeError):  # it was not made
            self._receiver.close()
            self._sender.close()


class EventWakeup(Wakeup):
    """A wake-up by an eventfd(2): one descriptor, where the system is Linux."""

    __slots__ = ("_event",)

    def __init__(self, home: list[Wakeup]) -> None:
        super().__init__(home)
        # Made, and given to what closes it in C (of which only that is used), in one call of C: a
        # signal handler that raises leaves no number behind, and what it raises is never lost.
        self._event: Any = next(map(_owned, map(os.eventfd, (0,), (_EVENT_FLAGS,))))

    def fileno(self) -> int:
        number: int = self._event.fileno()
        return number

    def wake(self) -> None:
        with contextlib.suppress(OSError):  # the count is at its end, and has woken the waiter
            os.eventfd_write(self._event.fileno(), 1)

    def drain(self) -> None:
        with contextlib.suppress(OSError):
            os.eventfd_read(self._event.fileno())


if sys.platform == "linux" and hasattr(select, "epoll"):  # which gevent takes away
    _owned = select.epoll.fromfd
    _EVENT_FLAGS = os.EFD_NONBLOCK | os.EFD_CLOEXEC
    #: What this system has.
    kind: type[Wakeup] = EventWakeup
else:
    kind = PairWakeup
_free: list[Wakeup] = []


def lease() -> Wakeup:
    """A wake-up for one wait, whose thread gives it back. Raises OSError: no descriptor is left.

    They are no connection's and no thread's own: as many are made as there are waits at a time.
    Whoever is interrupted and gives none back leaves none open either.
    """
    return (next_of(_free) if _free else None) or kind(_free)


def forget_free() -> None:
    """Close the wake-ups that nobody has; those that are leased are not kept when given back."""
    global _free
    _free.clear()
    _free = []


forking.in_child(forget_free)  # what wakes a thread of the parent is not to be waited for here


class Waiter:
    """Waits of one thread at a time: for a socket, and a wake-up if there is one.

    Arguments:
        sock: The socket.

    Attributes:
        wakeup: What ends the wait early, or None; it is not kept open here (`use`).
    """

    __slots__ = ("_number", "_poll", "_reads", "_sock", "_writes", "wakeup")

    def __init__(self, sock: socket.socket) -> None:
        self.wakeup: Wakeup | None = None
        self._number = -1  # of a wake-up that the poll looks at
        self._sock = sock
        self._poll: Any = select.poll() if hasattr(select, "poll") else None
        self._writes: bool = False
        self._reads: bool = True
        if self._poll is not None:
            self._poll.register(sock.fileno(), select.POLLIN)

    def use(self, wakeup: Wakeup) -> None:
        """Have that one end the next wait."""
        self.wakeup = wakeup
        number = wakeup.fileno()
        if self._poll is not None and number != self._number:
            if self._number >= 0:
                self._poll.unregister(self._number)
            self._poll.register(number, select.POLLIN)
            self._number = number

    def wait(
        self, seconds: float | None, writes: bool = False, reads: bool = True
    ) -> tuple[bool, bool]:
        """Wait until the socket is readable (or writable), a wake-up, or the time is over.

        Arguments:
            seconds: At most; None for no limit.
            writes: Whether to wait for writability too.
            reads: Whether to wait for readability at all.

        Returns:
            Whether the socket may be read, and whether it may be written.
        """
        seconds = _LONGEST if seconds is None else min(max(seconds, 0.0), _LONGEST)
        if self._poll is None:
            return self._select(seconds, writes, reads)
        sock = self._sock
        if writes is not self._writes or reads is not self._reads:
            mask = (select.POLLIN if reads else 0) | (select.POLLOUT if writes else 0)
            self._poll.modify(sock.fileno(), mask)
            self._writes, self._reads = writes, reads
        readable = writable = False
        for descriptor, what in self._poll.poll(math.ceil(seconds * 1000)):
            if descriptor == sock.fileno():
                # An error or hang-up is found by reading or writing.
                readable = bool(what & ~select.POLLOUT)
                writable = bool(what & ~select.POLLIN)
            elif self.wakeup is not None:
                self.wakeup.drain()
        return readable, writable

    def meet(self, need: Need) -> None:
        """Wait for what is needed, of the socket."""
        seconds = None if need.until is None else need.until - monotonic()
        _, writable = self.wait(seconds, bool(need.writable), bool(need.readable))
        need.ready = list(need.writable) if writable else []

    def _select(self, seconds: float, writes: bool, reads: bool) -> tuple[bool, bool]:
        sources: list[Any] = [self._sock] * reads
        if self.wakeup is not None:
            sources.append(self.wakeup)
        sinks = [self._sock] * writes
        readable, writable, failed = select.select(sources, sinks, sinks, seconds)
        if self.wakeup in readable and self.wakeup is not None:
            self.wakeup.drain()
        return self._sock in readable, bool(writable or failed)


def writable_now(socks: Iterable[Any]) -> list[socket.socket]:
    """The sockets that can be written, or have failed, without waiting for any."""
    with Selector() as selector:
        for sock in socks:
            if sock.fileno() >= 0:  # else whoever uses it finds that out
                selector.register(sock, selectors.EVENT_WRITE)
        return [key.fileobj for key, _ in selector.select(0)]


def watched(need: Need) -> dict[Any, int]:
    """Its sockets, and what of each is waited for, as a selector has it."""
    sockets = dict.fromkeys(need.readable, selectors.EVENT_READ)
    for sock in need.writable:
        sockets[sock] = sockets.get(sock, 0) | selectors.EVENT_WRITE
    return sockets


def wait_for(need: Need, wakeup: Wakeup) -> None:
    """Wait for what is needed."""
    seconds = _LONGEST if need.until is None else max(0.0, need.until - monotonic())
    seconds = min(seconds, _LONGEST)
    if not hasattr(select, "poll"):
        _select_for(need, wakeup, seconds)
        return
    poll = select.poll()
    number = wakeup.fileno()
    poll.register(number, select.POLLIN)
    for sock in need.readable:
        poll.register(sock.fileno(), select.POLLIN)
    sinks: dict[int, Any] = {}
    for sock in need.writable:
        sinks[sock.fileno()] = sock
        reads = select.POLLIN if sock in need.readable else 0
        poll.register(sock.fileno(), select.POLLOUT | reads)
    need.ready = []
    for ready, what in poll.poll(math.ceil(seconds * 1000)):
        if ready == number:
            wakeup.drain()
        elif ready in sinks and what & ~select.POLLIN:  # an error or hang-up too
            need.ready.append(sinks[ready])


def _select_for(need: Need, wakeup: Wakeup, seconds: float) -> None:
    with Selector() as selector:
        selector.register(wakeup, selectors.EVENT_READ)
        for sock, what in watched(need).items():
            selector.register(sock, what)
        ready = selector.select(seconds)
    need.ready = []
    for key, what in ready:
        if key.fileobj is wakeup:
            wakeup.drain()
        elif what & selectors.EVENT_WRITE:
            need.ready.append(key.fileobj)
