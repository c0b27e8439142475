"""Waiting for a socket, and being woken while waiting. One small replaceable place."""

from __future__ import annotations

import contextlib
import math
import select
import selectors
import signal
import socket
import threading
from collections.abc import Iterable
from typing import Any, Protocol, TypeVar

from .clock import monotonic
from .holding import abandon

BOUND = 0.02  # seconds; the longest that a read waits, where it may (pipe.py)
AGAIN = 0.02  # seconds between two looks at a socket that nobody can wait for
# Not on Windows, which has neither.
_TIMERS = [getattr(signal, n) for n in ("ITIMER_REAL", "ITIMER_PROF") if hasattr(signal, n)]
_LONGEST = 3600.0  # seconds; one system wait, not a limit: whoever waits computes anew
# Neither needs a descriptor of its own.
Selector: Any = getattr(selectors, "PollSelector", selectors.SelectSelector)


_Item = TypeVar("_Item")


def next_of(waiting: list[_Item]) -> _Item | None:
    """The first that waits, which no other thread then gets; None if nothing does."""
    try:
        return waiting.pop(0)
    except IndexError:
        return None


class Waking(Protocol):
    """What ends the wait of whoever iterates."""

    def wake(self) -> None:
        """End it, from any thread. Never blocks, never raises."""

    def close(self, quietly: bool = False) -> None:
        """It will wait no more."""


class Need:
    """What work in progress waits for. A wake-up ends the wait too, and so may nothing at all.

    Arguments:
        until: At most till then, monotonic seconds; None for no limit.
        readable: A socket, or what stands for one, that is to be readable.
        writable: Sockets of which one is to be writable.

    Attributes:
        ready: Those of `writable` that are; set by whoever waited.
        looked_at: A moment at which, or later, nothing was there to be read; None where a read
            tells that. Whoever waits sets it where a read only tells what somebody else has read.
    """

    __slots__ = ("looked_at", "readable", "ready", "until", "writable")

    def __init__(
        self,
        until: float | None,
        readable: Any = None,
        writable: tuple[Any, ...] = (),
    ) -> None:
        self.until = until
        self.readable = readable
        self.writable = writable
        self.ready: list[socket.socket] = []
        self.looked_at: float | None = None


def signals_tick() -> bool:
    """Whether a timer of this process sends signals at short intervals, as profilers have it.

    Each would start a call that waits anew, and the time that the system bounds it to.
    """
    return any(0 < signal.getitimer(timer)[1] < 1 for timer in _TIMERS)


class Wakeup:
    """Ends the wait of another thread."""

    __slots__ = ("_guard", "_receiver", "_sender")

    def __init__(self) -> None:
        # A descriptor that is closed may be another connection's before the byte is sent.
        self._guard = threading.RLock()
        self._receiver, self._sender = socket.socketpair()
        self._receiver.setblocking(False)
        self._sender.setblocking(False)

    def fileno(self) -> int:
        """The descriptor that becomes readable."""
        return self._receiver.fileno()

    def wake(self) -> None:
        """End the wait, or the next one. Never blocks, never raises."""
        guard = self._guard
        try:
            guard.acquire()
            # A full pair has woken the waiter already; a closed one has no waiter.
            with contextlib.suppress(OSError):
                self._sender.send(b"\0")
            guard.release()
        except BaseException:
            abandon(guard)
            raise

    def drain(self) -> None:
        """Forget what has woken us."""
        with contextlib.suppress(OSError):
            while self._receiver.recv(4096):
                pass

    def close(self, quietly: bool = False) -> None:
        """Free the descriptors; `quietly` waits for no other thread (after a fork)."""
        if quietly:
            self._guard = threading.RLock()
        guard = self._guard
        try:
            guard.acquire()
            self._receiver.close()
            self._sender.close()
            guard.release()
        except BaseException:
            abandon(guard)
            raise


class Waiter:
    """Waits of one thread at a time: for a socket, if there is one, and a wake-up.

    Arguments:
        wakeup: Ends a wait early, or None.
        sock: The socket, or None.

    Attributes:
        wakeup: As given.
    """

    __slots__ = (
        "_poll", "_reads", "_sock", "_writes", "wakeup",
    )  # fmt: skip

    def __init__(self, wakeup: Wakeup | None, sock: socket.socket | None = None) -> None:
        self.wakeup = wakeup
        self._sock = sock
        self._poll: Any = select.poll() if hasattr(select, "poll") else None
        self._writes: bool = False
        self._reads: bool = True
        if self._poll is not None:
            if wakeup is not None:
                self._poll.register(wakeup.fileno(), select.POLLIN)
            if sock is not None:
                self._poll.register(sock.fileno(), select.POLLIN)

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
        if sock is not None and (writes is not self._writes or reads is not self._reads):
            mask = (select.POLLIN if reads else 0) | (select.POLLOUT if writes else 0)
            self._poll.modify(sock.fileno(), mask)
            self._writes, self._reads = writes, reads
        readable = writable = False
        for descriptor, what in self._poll.poll(math.ceil(seconds * 1000)):
            if sock is not None and descriptor == sock.fileno():
                # An error or hang-up is found by reading or writing.
                readable = bool(what & ~select.POLLOUT)
                writable = bool(what & ~select.POLLIN)
            elif self.wakeup is not None:
                self.wakeup.drain()
        return readable, writable

    def meet(self, need: Need) -> None:
        """Wait for what is needed, of the socket."""
        seconds = None if need.until is None else need.until - monotonic()
        _, writable = self.wait(seconds, bool(need.writable), need.readable is not None)
        need.ready = list(need.writable) if writable else []

    def _select(self, seconds: float, writes: bool, reads: bool) -> tuple[bool, bool]:
        sock = self._sock if reads else None
        sources: list[Any] = [s for s in (self.wakeup, sock) if s is not None]
        sinks = [self._sock] if writes and self._sock is not None else []
        readable, writable, failed = select.select(sources, sinks, sinks, seconds)
        if self.wakeup in readable and self.wakeup is not None:
            self.wakeup.drain()
        return self._sock in readable, bool(writable or failed)


def writable_now(socks: Iterable[Any]) -> list[socket.socket]:
    """Those of the sockets that can be written, or have failed, without waiting for any."""
    with Selector() as selector:
        for sock in socks:
            selector.register(sock, selectors.EVENT_WRITE)
        return [key.fileobj for key, _ in selector.select(0)]


def wait_for(need: Need, wakeup: Wakeup) -> None:
    """Wait for what is needed."""
    seconds = _LONGEST if need.until is None else max(0.0, need.until - monotonic())
    with Selector() as selector:
        selector.register(wakeup, selectors.EVENT_READ)
        if need.readable is not None:
            selector.register(need.readable, selectors.EVENT_READ)
        for sock in need.writable:
            selector.register(sock, selectors.EVENT_WRITE)
        ready = selector.select(min(seconds, _LONGEST))
    need.ready = []
    for key, what in ready:
        if key.fileobj is wakeup:
            wakeup.drain()
        elif what & selectors.EVENT_WRITE:
            need.ready.append(key.fileobj)
