"""Host names to addresses, in a daemon thread: a call to the system's resolver can't be ended.

Abandoned when nobody waits any more; a thread that hangs does not keep the interpreter alive.
"""

from __future__ import annotations

import _thread
import codecs
import socket
import threading
from collections.abc import Callable, Generator

from ..session.causes import listed
from ..session.requests import AddressInfo, Failed, TimedOut
from . import descriptors
from .clock import monotonic
from .forking import in_child
from .need import Need

MAX_AT_ONCE = 32
_SLOT_PAUSE = 0.02  # seconds between two looks for a free thread
codecs.lookup("idna")  # getaddrinfo's; a process that is out of descriptors can't load it
# Who has which slot. Not a semaphore, nor a Thread: a signal handler that raises inside of them can
# leave their locks taken for good.
_slots: dict[int, Resolution] = {}
#: Host and port -> the addresses, of hosts that are addresses themselves.
literals: dict[tuple[str, int], list[AddressInfo]] = {}
_MOST_LITERALS = 64


def _renew() -> None:
    # The threads that hold slots stayed with the parent.
    global _slots
    _slots = {}


in_child(_renew)


def in_the_way() -> str:
    """Why a name is not being looked up yet."""
    names = [resolution.host for resolution in list(_slots.values())]
    return f"{len(names)} other names are being looked up, and none is done: {listed(names)}"


def literal(host: str, port: int) -> list[AddressInfo] | None:
    """The addresses of what is an address already, at once; None of a name."""
    known = literals.get((host, port))
    if known is None:
        try:
            known = socket.getaddrinfo(
                host, port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST
            )
        except OSError:
            return None
        # As it is written; the number of a zone is the system's, which may give it another one.
        if known[0][4][0] == host and "%" not in host:
            if len(literals) >= _MOST_LITERALS:
                literals.clear()
            literals[host, port] = known
    return list(known)


class Resolution:
    """A name being resolved.

    Arguments:
        host: A name; an address is `literal`.
        port: A port.
        done: Called from another thread when `finished` has become True.
    """

    def __init__(self, host: str, port: int, done: Callable[[], None]) -> None:
        self.addresses: list[AddressInfo] = []
        self.error: BaseException | None = None
        self.finished = False
        self.host = host
        self._port = port
        self._done = done
        self._slots = _slots

    def run(
        self, check: Callable[[Need | None], object], until: Callable[[], float | None]
    ) -> Generator[Need, None, list[AddressInfo]]:
        """Work in progress: the addresses.

        Arguments:
            check: Asked before each wait, with what the last one was for, or None; raises TimedOut
                if the deadline has passed, Interrupted if the user closed.
            until: Tells when the deadline passes.

        Raises:
            Failed: There are none, or no thread is left to look in.
        """
        need: Need | None = None
        while not self.start():
            try:
                check(need)
            except TimedOut as late:
                late.said = in_the_way()
                raise
            need = Need(monotonic() + _SLOT_PAUSE)
            yield need
        need = None
        while not self.finished:
            check(need)
            need = Need(until())
            yield need
        if self.error is not None:
            raise Failed(self.error, monotonic())
        return self.addresses

    def start(self) -> bool:
        """Look the name up in a thread; False if too many run.

        Raises:
            OSError: The system has no thread left.
        """
        try:
            if not self._take_slot():
                return False
            _thread.start_new_thread(self._run, ())
        except BaseException as error:
            if isinstance(error, RuntimeError) and not threading.main_thread().is_alive():
                self._run()  # Python 3.12 begins none once the main thread has ended
                return True
            self._give_slot()
            if isinstance(error, RuntimeError):
                raise OSError(f"{error} to resolve in") from None
            raise
        return True

    def _take_slot(self) -> bool:
        """Have one that nobody has; whether there was one."""
        return any(self._slots.setdefault(n, self) is self for n in range(MAX_AT_ONCE))

    def _give_slot(self) -> None:
        """Have none, whether one was taken or not."""
        for number in range(MAX_AT_ONCE):
            if self._slots.get(number) is self:
                self._slots.pop(number, None)

    def _run(self) -> None:
        try:
            self.addresses = socket.getaddrinfo(self.host, self._port, type=socket.SOCK_STREAM)
        except Exception as error:  # nobody else would hear of it
            self.error = descriptors.behind(error)
        finally:
            self._give_slot()
            self.finished = True
            self._done()
