"""A scripted server on a socket of this machine, in a thread: what a test of a program needs.

The script is one of peer.py; it says bytes as they are, so that a server may do wrong too.
"""

from __future__ import annotations

import socket
import traceback
from collections.abc import Callable
from types import TracebackType

from .accepting import Acceptor
from .acting import Acts, Over
from .peer import Peer, Talk


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
        self._acceptor = Acceptor(self._serve, one_at_a_time=True)
        self.url = f"ws://127.0.0.1:{self._acceptor.address[1]}/"
        self.peers: list[Peer] = []
        self._over = Over()
        self._failure: Exception | None = None

    def __enter__(self) -> PeerServer:
        self._acceptor.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._over.set()
        has_ended = self._acceptor.stop(self._patience)
        failure = self._failure
        self._over.close()
        if not has_ended:
            failure = RuntimeError(
                f"the script of PeerServer still runs {self._patience:g} s after its block was "
                "left; have it end, and close what is connected to it"
            )
        if failure is not None:
            if error is None:
                raise failure
            words = "".join(traceback.format_exception(failure))
            error.add_note(f"the script of PeerServer failed too:\n{words}")

    def _serve(self, connection: socket.socket) -> None:
        try:
            peer = Peer(self._talk)
            self.peers.append(peer)
            Acts(connection, self._over, goes_on=True, patience=self._patience).run(peer)
        except OSError:  # the client has gone
            pass
        except Exception as failure:
            self._failure = failure
            self._acceptor.refuse()  # who connects again is refused, and so may give up
