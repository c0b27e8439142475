"""A scripted server on a socket of this machine, in a thread: what a test of a program needs.

The script is one of peer.py; it says bytes as they are, so that a server may do wrong too.
"""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
import traceback
from collections.abc import Callable
from types import TracebackType

from .peer import End, Hear, Pause, Peer, Say, Talk, no_action

_ABORT = struct.pack("ii", 1, 0)  # SO_LINGER: close by a reset


class PeerServer:
    """Runs the script for each connection, one connection after the other.

    A further client waits for its answer until the script has ended for the one before; so give
    each client that is to be connected at the same time a server of its own. Where the script ends,
    the server hangs up. What the script raises, an assertion too, is raised when the block is left;
    where the block raises itself, it is a note on that. Later clients are refused then. A Pause
    ends when the block is left.

    Arguments:
        talk: The script.
        patience: Seconds after which it takes a client for dead (10).

    Attributes:
        url: Where it listens.
        peers: What each connection has heard, the newest last.

    Example:
        >>> from lomond import WebSocket
        >>> from lomond.testing.peer import say
        >>> def greets(peer):
        ...     yield from peer.upgrade()
        ...     yield say(1, b"hello")
        ...     yield say(8, code=1000)
        >>> with PeerServer(greets) as server:
        ...     names = [event.name for event in WebSocket(server.url)]
        >>> names[2:]
        ['ready', 'poll', 'text', 'closing', 'disconnected']
    """

    def __init__(self, talk: Callable[[Peer], Talk], patience: float = 10.0) -> None:
        self._talk = talk
        self._patience = patience
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.settimeout(self._patience)
        self._address: tuple[str, int] = self._listener.getsockname()
        self.url = f"ws://127.0.0.1:{self._address[1]}/"
        self.peers: list[Peer] = []
        self._is_over = threading.Event()
        self._failure: Exception | None = None
        self._thread = threading.Thread(target=self._accept, daemon=True)

    def __enter__(self) -> PeerServer:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._is_over.set()
        with contextlib.suppress(OSError):  # a last connection wakes the accepting thread
            socket.create_connection(self._address, 1).close()
        self._thread.join(self._patience)
        self._listener.close()
        failure = self._failure
        if self._thread.is_alive():
            failure = RuntimeError(
                f"the script of PeerServer still runs {self._patience:g} s after its block was "
                "left; have it end, and close what is connected to it"
            )
        if failure is not None:
            if error is None:
                raise failure
            words = "".join(traceback.format_exception(failure))
            error.add_note(f"the script of PeerServer failed too:\n{words}")

    def _accept(self) -> None:
        while not self._is_over.is_set():
            try:
                connection, _ = self._listener.accept()
            except TimeoutError:  # nobody came yet
                continue
            except OSError:
                return
            with connection:
                if self._is_over.is_set():
                    return
                connection.settimeout(self._patience)
                try:
                    peer = Peer(self._talk)
                    self.peers.append(peer)
                    self._run(peer, connection)
                except OSError:  # the client has gone
                    pass
                except Exception as failure:
                    self._failure = failure
                    self._listener.close()  # who connects again is refused, and so may give up
                    return

    def _run(self, peer: Peer, connection: socket.socket) -> None:
        action = next(peer.actions, None)
        while action is not None:
            heard = b""
            match action:
                case Say(data):
                    connection.sendall(data)
                case Hear():
                    heard = connection.recv(65536)
                case Pause(seconds):
                    self._is_over.wait(seconds)
                case End(resets):
                    if resets:
                        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _ABORT)
                        connection.close()
                        return
                    connection.shutdown(socket.SHUT_WR)
                case _:
                    raise no_action(action)
            try:
                action = peer.actions.send(heard)
            except StopIteration:
                return
