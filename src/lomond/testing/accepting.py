"""A listening socket of this machine, and the threads of those who were accepted there."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable


class Acceptor:
    """Accepts connections on a free port of 127.0.0.1, in a thread, from `start` to `stop`.

    Arguments:
        serve: Is given each connection, which is closed behind it. An OSError that it raises means
            that the client has gone.
        one_at_a_time: Whether a client waits until the one before is done with; else each has a
            thread of its own.

    Attributes:
        address: Where it listens.
    """

    def __init__(
        self, serve: Callable[[socket.socket], None], *, one_at_a_time: bool = False
    ) -> None:
        self._serve = serve
        self._is_serial = one_at_a_time
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address: tuple[str, int] = self._listener.getsockname()
        self._is_stopping = False
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._threads: list[threading.Thread] = []

    def start(self) -> None:
        """Begin to accept."""
        self._thread.start()

    def refuse(self) -> None:
        """Have the system refuse whoever connects from now on; for threads of connections too."""
        self._is_stopping = True
        # Not every system ends an accept() when its socket is closed; a connection does.
        with contextlib.suppress(OSError):
            socket.create_connection(self.address, 1).close()
        if threading.current_thread() is self._thread:
            self._listener.close()

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
        for thread in self._threads:
            thread.join(patience)
        self._listener.close()
        return not any(thread.is_alive() for thread in (self._thread, *self._threads))

    def _accept(self) -> None:
        while not self._is_stopping:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                break
            if self._is_stopping:
                connection.close()
                break
            with self._lock:
                self._open.add(connection)
            if self._is_serial:
                self._run(connection)
                continue
            thread = threading.Thread(target=self._run, args=(connection,), daemon=True)
            self._threads.append(thread)
            thread.start()
        self._listener.close()

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
