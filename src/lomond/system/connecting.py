"""Connections to several addresses, started one after another; the first to stand wins.

RFC 8305, sections 4 and 5. Knows nothing of names or TLS.
"""

from __future__ import annotations

import errno
import os
import socket
from collections.abc import Callable, Generator, Iterable
from itertools import zip_longest
from typing import NamedTuple, Protocol

from ..session.causes import tried, words
from ..session.requests import AddressInfo, Failed, TimedOut
from ..timings import Attempt
from ..url import authority
from .clock import monotonic
from .descriptors import told
from .need import Need
from .sockets import AF_UNIX, SocketSettings, apply, bind, family_of

__all__ = ["Race", "SocketSettings", "address_of", "interleaved", "prepare"]

# EAGAIN is not one of them: no connection is on its way then.
_IN_PROGRESS = {errno.EINPROGRESS, errno.EINTR}
if os.name == "nt":
    _IN_PROGRESS.add(errno.EWOULDBLOCK)
_BUSY_PAUSE = 0.02  # seconds between two tries at a Unix socket whose queue is full
BUSY_PATIENCE = 5.0  # seconds; so long is it tried, if there is no earlier deadline
_NO_SETTINGS = SocketSettings()

#: Yields what it waits for, and returns the winner.
Running = Generator[Need, None, tuple[socket.socket, str]]


def address_of(info: AddressInfo) -> str:
    """An address for people."""
    family, where = info[0], info[4]
    if family in (socket.AF_INET, socket.AF_INET6):
        return authority(where[0], where[1])
    if family == AF_UNIX:
        path = os.fsdecode(where)
        return f"@{path[1:]}" if path.startswith("\0") else path  # abstract, as ss(8) shows it
    return str(where)


def interleaved(addresses: list[AddressInfo]) -> list[AddressInfo]:
    """The addresses with their families taking turns, each address once (RFC 8305 section 4).

    The resolver's order is kept within a family; that of its first address goes first.
    """
    if len(addresses) == 1:
        return list(addresses)
    families: dict[int, list[AddressInfo]] = {}
    for info in dict.fromkeys(addresses):
        families.setdefault(info[0], []).append(info)
    rounds = zip_longest(*families.values())
    return [info for each in rounds for info in each if info is not None]


class Delayed(Protocol):
    """What was kept from going on, for so many seconds."""

    kept: float


class _Try(NamedTuple):
    """An attempt that has not ended."""

    info: AddressInfo
    started: float


class Race:
    """Attempts to connect that run at the same time.

    Arguments:
        addresses: As the resolver gave them.
        delay: Seconds after which the next attempt starts beside the ones that run.
        settings: Of every socket.

    Attributes:
        attempts: Those that have ended, in the order of their ends; the winner is the last.
    """

    def __init__(
        self,
        addresses: list[AddressInfo],
        delay: float,
        settings: SocketSettings = _NO_SETTINGS,
    ) -> None:
        self.attempts: list[Attempt] = []
        self._addresses = addresses
        self._waiting = interleaved(addresses) if len(addresses) > 1 else list(addresses)
        self._delay = delay
        self._settings = settings
        self._running: dict[socket.socket, _Try] = {}
        self._busy: dict[socket.socket, float] = {}  # when to try it again
        self._start_at = 0.0
        self._first: tuple[BaseException, str] | None = None

    def run(
        self,
        deadline: float | None,
        check: Callable[[], object],
        delayed: Delayed | None = None,
    ) -> Running:
        """Work in progress: the first socket that is connected, and its peer's address.

        Arguments:
            deadline: Monotonic seconds; None for none.
            check: Asked after each wait; raises Interrupted if the user closed.
            delayed: Tells by how many seconds the deadline is put off by now.

        Raises:
            Failed: All attempts failed. The cause is the first one's error; `said` names all.
            TimedOut: The deadline passed.
            Interrupted: As `check` raises it.
        """
        if not self._waiting or self._settings.source_address is not None:
            self._keep_family()
        left = "closed by the user"
        try:
            winner = yield from self._race(deadline, check, delayed)
            attempt = self._running.pop(winner)
            address = address_of(attempt.info)
            left = f"given up; {address} was faster"
        except TimedOut:
            left = "no answer"
            raise
        finally:
            for sock, other in self._running.items():
                sock.close()
                self._ended(other, left)
            self._running.clear()
        self.attempts.append(Attempt(address, monotonic() - attempt.started))
        return winner, address

    def _keep_family(self) -> None:
        """Only what the source address can reach."""
        if not self._waiting:
            raise Failed(OSError("there is no address to connect to"), monotonic())
        if self._settings.source_address is None:
            return
        host = self._settings.source_address[0]
        family = family_of(host)
        self._waiting = [info for info in self._waiting if info[0] == family]
        if not self._waiting:
            others = ", ".join(map(address_of, self._addresses))
            said = (
                f"source_address {host!r} can't reach {others}, which is of another address "
                "family; give one of that family, or leave it out"
            )
            raise Failed(OSError(errno.EAFNOSUPPORT, said), monotonic())

    def _race(
        self, deadline: float | None, check: Callable[[], object], delayed: Delayed | None
    ) -> Generator[Need, None, socket.socket]:
        need: Need | None = None
        while True:
            check()
            now = monotonic()
            looked_at = now if need is None or need.looked_at is None else need.looked_at
            until = deadline
            if until is not None and delayed is not None:
                until += delayed.kept
            if until is not None and looked_at >= until:
                raise self._timed_out(now)
            if self._waiting and (now >= self._start_at or not self._running):
                winner = self._start()
            elif not self._running:
                assert self._first is not None
                error, where = self._first
                raise Failed(error, now, where, tried(self.attempts))
            else:
                need = self._need(until)
                yield need
                winner = self._look(need.ready)
            if winner is not None:
                return winner

    def _timed_out(self, now: float) -> TimedOut:
        running = [address_of(attempt.info) for attempt in self._running.values()]
        waiting = [address_of(info) for info in self._waiting]
        where = running[0] if running else None
        said = tried(self.attempts, running, waiting)
        return TimedOut(TimeoutError("no answer"), now, where, said)

    def _need(self, until: float | None) -> Need:
        """What to wait for: that something may be done."""
        moments = list(self._busy.values())
        if self._waiting:
            moments.append(self._start_at)
        if until is not None:
            moments.append(until)
        under_way = tuple(self._running)
        if self._busy:
            under_way = tuple(sock for sock in under_way if sock not in self._busy)
        return Need(min(moments) if moments else None, (), under_way)

    def _look(self, ready: Iterable[socket.socket]) -> socket.socket | None:
        """Look at what happened; the winner, if any."""
        for sock in ready:
            number = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            if number == 0 or has_words(sock):
                return sock
            self._lost(sock, OSError(number, os.strerror(number)))
        now = monotonic()
        for sock in [sock for sock, moment in self._busy.items() if moment <= now]:
            del self._busy[sock]
            if self._connect(sock):
                return sock
        return None

    def _start(self) -> socket.socket | None:
        """Start the next attempt; its socket if that is connected already."""
        info = self._waiting.pop(0)
        attempt = _Try(info, monotonic())
        self._start_at = attempt.started + self._delay
        try:
            sock = socket.socket(*info[:3])
        except OSError as error:
            self._failed(attempt, error)
            return None
        self._running[sock] = attempt
        try:
            apply(sock, self._settings)
            if self._settings.source_address is not None:
                bind(sock, self._settings.source_address)
        except OSError as error:
            self._lost(sock, error)
            return None
        return sock if self._connect(sock) else None

    def _connect(self, sock: socket.socket) -> bool:
        """Connect, or begin to; whether it is connected already."""
        attempt = self._running[sock]
        try:
            sock.connect(attempt.info[4])
        except OSError as error:
            if error.errno in _IN_PROGRESS:
                return False
            if attempt.info[0] != AF_UNIX or error.errno != errno.EAGAIN:
                self._lost(sock, error)
            elif monotonic() - attempt.started < BUSY_PATIENCE:
                # unix(7): the queue of the listener is full, and nothing says when it is not.
                self._busy[sock] = monotonic() + _BUSY_PAUSE
            else:
                said = "the server takes no connections: its queue is full"
                self._lost(sock, OSError(error.errno, said))
            return False
        return True

    def _lost(self, sock: socket.socket, error: OSError) -> None:
        sock.close()
        self._failed(self._running.pop(sock), error)

    def _failed(self, attempt: _Try, error: BaseException) -> None:
        """Note it; the next attempt starts at once (RFC 8305 section 5)."""
        self._start_at = 0.0
        error = told(error)
        self._ended(attempt, words(error))
        if self._first is None:
            self._first = error, address_of(attempt.info)

    def _ended(self, attempt: _Try, error: str) -> None:
        seconds = monotonic() - attempt.started
        self.attempts.append(Attempt(address_of(attempt.info), seconds, error))


def has_words(sock: socket.socket) -> bool:
    """Whether bytes came on a socket that has failed: its peer answered, and hung up, at once.

    Linux keeps them for whoever reads, also behind a reset.

    Arguments:
        sock: One that is, or was, connected; bytes that are there stay.
    """
    try:
        sock.setblocking(False)
        return bool(sock.recv(1, socket.MSG_PEEK))
    except OSError:
        return False


def prepare(sock: socket.socket, settings: SocketSettings = _NO_SETTINGS) -> None:
    """Settings of a socket that the user gave; those of a Race have them already.

    Arguments:
        sock: Connected.
        settings: The source address is not used.

    Raises:
        OSError: The system refuses one; the message names it.
    """
    apply(sock, settings)
