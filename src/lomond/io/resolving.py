"""Host names to addresses, in a daemon thread: a call to the system's resolver can't be ended.

Abandoned when nobody waits any more; a thread that hangs does not keep the interpreter alive.
"""

from __future__ import annotations

import codecs
import socket
import threading
from collections.abc import Callable

from ..session.causes import listed
from ..session.requests import AddressInfo
from . import descriptors
from .forking import in_child

MAX_AT_ONCE = 32
codecs.lookup("idna")  # getaddrinfo's; a process that is out of descriptors can't load it
_slots = threading.BoundedSemaphore(MAX_AT_ONCE)
_running: dict[Resolution, str] = {}  # what the threads that hold slots look up


def _renew() -> None:
    # The threads that hold slots, or the semaphore's lock, stayed with the parent.
    global _slots
    _slots = threading.BoundedSemaphore(MAX_AT_ONCE)
    _running.clear()


in_child(_renew)


def in_the_way() -> str:
    """In words: why a name is not being looked up yet."""
    names = list(_running.values())
    return f"{len(names)} other names are being looked up, and none is done: {listed(names)}"


class Resolution:
    """A name being resolved.

    Arguments:
        host: A name, or an address literal.
        port: A port.
        done: Called from another thread when `finished` has become True.
    """

    def __init__(self, host: str, port: int, done: Callable[[], None]) -> None:
        self.addresses: list[AddressInfo] = []
        self.error: BaseException | None = None
        self.finished = False
        self._host = host
        self._port = port
        self._done = done
        self._slots = _slots

    def start(self) -> bool:
        """Resolve an address literal at once, a name in a thread; False if too many run.

        Raises:
            OSError: The system has no thread left.
        """
        try:
            self.addresses = socket.getaddrinfo(
                self._host, self._port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST
            )
        except OSError:
            if not self._slots.acquire(blocking=False):
                return False
            name = f"lomond resolves {self._host}"
            _running[self] = self._host
            try:
                threading.Thread(target=self._run, name=name, daemon=True).start()
            except RuntimeError as error:
                self._end()
                raise OSError(f"{error} to resolve in") from None
        else:
            self.finished = True
        return True

    def _run(self) -> None:
        try:
            self.addresses = socket.getaddrinfo(self._host, self._port, type=socket.SOCK_STREAM)
        except Exception as error:  # nobody else would hear of it
            self.error = descriptors.behind(error)
        finally:
            self._end()
            self.finished = True
            self._done()

    def _end(self) -> None:
        _running.pop(self, None)
        self._slots.release()
