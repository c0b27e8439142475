"""A listening socket of this machine, and the threads of those who were accepted there."""

from __future__ import annotations

import contextlib
import errno
import socket
import threading
from collections.abc import Callable
from time import sleep

_WILDCARDS = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104  # nothing is bound here
#: Of an accept() that may succeed later: the client has gone, or nothing is left for it.
_PASSING = frozenset({errno.ECONNABORTED, errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})
_CLOSING = 5.0  # seconds, for the thread that accepts to notice
_BREATH = 0.05  # seconds, until it is tried again


class Acceptor:
    """Accepts connections on a port of this machine, in a thread, from `start` to `stop`.

    Arguments:
        serve: Is given each connection, which is closed behind it. An OSError that it raises means
            that the client has gone.
        one_at_a_time: Whether a client waits until the one before is done with; else each has a
            thread of its own.
        host: Where to listen: an address of this machine, or a name of it.
        port: 0 for a free one.

    Attributes:
        address: Where it listens.

    Raises:
        OSError: Nobody can listen there.
    """

    def __init__(
        self,
        serve: Callable[[socket.socket], None],
        *,
        one_at_a_time: bool = False,
        host: str = "127.0.0.1",
        port: int = 0,
    ) -> None:
        self._serve = serve
        self._is_serial = one_at_a_time
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._listener = socket.create_server((host, port), family=family)
        self.address: tuple[str, int] = self._listener.getsockname()[:2]
        self._is_stopping = False
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._threads: set[threading.Thread] = set()  # of those who are open

    def start(self) -> None:
        """Begin to accept."""
        self._thread.start()

    def refuse(self) -> None:
        """Have the system refuse whoever connects from now on; for threads of connections too."""
        self._is_stopping = True
        # Not every system ends an accept() when its socket is closed; a connection does.
        with contextlib.suppress(OSError):
            host, port = self.address
            socket.create_connection((_WILDCARDS.get(host, host), port), 1).close()
        if threading.current_thread() is self._thread:
            self._listener.close()
        else:  # who connects once this is done is refused
            self._thread.join(_CLOSING)

    def stop(self, patience: float, *, hangs_up: bool = False) -> bool:
        """Accept nobody any more; whether all that was begun has ended in time.

        Arguments:
            patience: Seconds to wait, for each thread.
            hangs_up: Whether connections that are open are ended.
        """
        self.refuse()
        self._thread.join(patience)
        if hangs_up:
            self._hang_up()
        with self._lock:
            threads = list(self._threads)
        for thread in threads:
            thread.join(patience)
        self._listener.close()
        return not any(thread.is_alive() for thread in (self._thread, *threads))

    def _accept(self) -> None:
        while not self._is_stopping:
            try:
                connection, _ = self._listener.accept()
            except OSError as error:
                if error.errno not in _PASSING:
                    break
                sleep(_BREATH)
                continue
            if self._is_stopping:
                connection.close()
                break
            with self._lock:
                self._open.add(connection)
            if self._is_serial:
                self._run(connection)
                continue
            self._begin(connection)
        self._listener.close()

    def _begin(self, connection: socket.socket) -> None:
        thread = threading.Thread(target=self._run, args=(connection,), daemon=True)
        with self._lock:
            self._threads.add(thread)
        try:
            thread.start()
        except RuntimeError:  # the system has none left
            with self._lock:
                self._threads.discard(thread)
                self._open.discard(connection)
            connection.close()

    def _hang_up(self) -> None:
        with self._lock:
            for connection in self._open:
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)

    def _run(self, connection: socket.socket) -> None:
        try:
            with connection:
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self._serve(connection)
        except OSError:
            pass  # the client has gone
        finally:
            with self._lock:
                self._open.discard(connection)
                self._threads.discard(threading.current_thread())
