"""TCP connections to several addresses, started one after another; the first to stand wins.

RFC 8305, section 5. Knows nothing of names or TLS.
"""

from __future__ import annotations

import contextlib
import os
import selectors
import socket
from collections.abc import Callable
from time import monotonic

from ..session.requests import AddressInfo, Failed, Interrupted, TimedOut
from ..url import authority
from .waiting import Wakeup

_IN_PROGRESS = (BlockingIOError, InterruptedError)


def address_of(info: AddressInfo) -> str:
    """An address for people."""
    family, where = info[0], info[4]
    is_ip = family in (socket.AF_INET, socket.AF_INET6)
    return authority(where[0], where[1]) if is_ip else str(where)


class Race:
    """Attempts to connect that run at the same time.

    Arguments:
        addresses: In the order in which to try them.
        delay: Seconds after which the next attempt starts beside the ones that run.
    """

    def __init__(self, addresses: list[AddressInfo], delay: float) -> None:
        self._waiting = list(addresses)
        self._delay = delay
        self._running: dict[socket.socket, AddressInfo] = {}
        self._errors: list[tuple[OSError, str]] = []

    def run(
        self, deadline: float | None, wakeup: Wakeup, is_interrupted: Callable[[], bool]
    ) -> tuple[socket.socket, str]:
        """The first socket that is connected, non-blocking, and its peer's address.

        Raises:
            Failed: All attempts failed; the first one's error.
            TimedOut, Interrupted: The deadline passed, or the user closed.
        """
        with selectors.DefaultSelector() as selector:
            selector.register(wakeup.fileno(), selectors.EVENT_READ)
            try:
                winner = self._race(selector, deadline, wakeup, is_interrupted)
                info = self._running.pop(winner)
                return winner, address_of(info)
            finally:
                for sock in self._running:
                    sock.close()

    def _race(
        self,
        selector: selectors.BaseSelector,
        deadline: float | None,
        wakeup: Wakeup,
        is_interrupted: Callable[[], bool],
    ) -> socket.socket:
        start_at = monotonic()
        while True:
            now = monotonic()
            if is_interrupted():
                raise Interrupted(OSError("closed by the user"), now)
            if deadline is not None and now >= deadline:
                first = next(iter(self._running.values()), None)
                where = None if first is None else address_of(first)
                raise TimedOut(TimeoutError("no answer"), now, where)
            if self._waiting and (now >= start_at or not self._running):
                winner = self._start(selector)
                if winner is not None:
                    return winner
                start_at = now + self._delay
                continue
            if not self._running:
                error, where = self._errors[0]
                raise Failed(error, now, where)
            until = [start_at] if self._waiting else []
            until += [] if deadline is None else [deadline]
            for key, _ in selector.select(max(0.0, min(until) - now) if until else None):
                if not isinstance(key.fileobj, socket.socket):
                    wakeup.drain()
                elif self._is_connected(key.fileobj, selector):
                    return key.fileobj

    def _start(self, selector: selectors.BaseSelector) -> socket.socket | None:
        info = self._waiting.pop(0)
        family, kind, protocol, _, where = info
        try:
            sock = socket.socket(family, kind, protocol)
        except OSError as error:
            self._errors.append((error, address_of(info)))
            return None
        self._running[sock] = info
        try:
            sock.setblocking(False)
            sock.connect(where)
        except _IN_PROGRESS:
            selector.register(sock, selectors.EVENT_WRITE)
            return None
        except OSError as error:
            self._lost(sock, error)
            return None
        return sock

    def _is_connected(self, sock: socket.socket, selector: selectors.BaseSelector) -> bool:
        selector.unregister(sock)
        number = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if number == 0:
            return True
        self._lost(sock, OSError(number, os.strerror(number)))
        return False

    def _lost(self, sock: socket.socket, error: OSError) -> None:
        info = self._running.pop(sock)
        self._errors.append((error, address_of(info)))
        sock.close()


def prepare(sock: socket.socket) -> None:
    """Settings that every connection has."""
    sock.setblocking(False)
    with contextlib.suppress(OSError):  # not a TCP socket
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
