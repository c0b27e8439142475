"""A small echo server on this machine, in a thread: for demonstrations and tests.

Speaks the server's half of RFC 6455 to well-behaved clients; it is not a server for strangers.
"""

from __future__ import annotations

import socket
from types import TracebackType

from .accepting import Acceptor
from .acting import Acts, Over
from .echoing import Echoing
from .peer import Peer

_PATIENCE = 5.0  # seconds, for what is still being said


class EchoServer:
    """Echoes messages, answers pings and close frames.

    Attributes:
        url: Where it listens.
        close_codes: The codes of the close frames that came; None for one without a code.

    Example:
        >>> with EchoServer() as server:
        ...     server.url.startswith("ws://127.0.0.1:")
        True
    """

    def __init__(self) -> None:
        self._acceptor = Acceptor(self._serve)
        self._over = Over()
        self.url = f"ws://127.0.0.1:{self._acceptor.address[1]}/"
        self.close_codes: list[int | None] = []

    def __enter__(self) -> EchoServer:
        self._acceptor.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._acceptor.stop(_PATIENCE, hangs_up=True)

    def _serve(self, connection: socket.socket) -> None:
        peer = Peer(Echoing(self.close_codes.append).talk)
        Acts(connection, self._over, goes_on=True).run(peer)
