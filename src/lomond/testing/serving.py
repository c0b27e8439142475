"""Servers of a test on sockets of this machine, for clients in any process: `serve`."""

from __future__ import annotations

import os
import socket
import ssl
import threading
from functools import cache
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import TYPE_CHECKING, Any

from ..checks import check_seconds
from .accepting import Acceptor
from .acting import Acts, Over
from .conversation import Played, as_server
from .heard import ClientRequest
from .peer import Peer
from .verdict import each, remarks_of, tell

if TYPE_CHECKING:
    from trustme import CA

_PATIENCE = 10.0  # seconds


class Serving:
    """Servers on a port of 127.0.0.1, from the beginning of its block to the end.

    One that is given alone serves each connection; of several each serves one, in order, and one
    connection more is a failure. All may be connected at the same time. What a script raises, and
    what it has waited for in vain, is raised when the block is left; where the block raises itself,
    it is a note on that. Clients are refused once a script has raised.

    Arguments:
        servers: Each a Server, or a function that gets a Conversation and yields steps.
        tls: Whether the URL is a ``wss://``. Needs the extra `testing`.
        patience: Seconds in which has to come what a script waits for (10).

    Attributes:
        url: Where they listen.
        servers: Those that were given; a function stands in a server of its own.
        ca: The file with the certificate of the authority that vouches for a TLS server, for
            ``ssl_cafile=`` or the variable SSL_CERT_FILE; ``""`` without TLS.

    Raises:
        TypeError: No server was given, or what was is none.

    Example:
        >>> from lomond import WebSocket
        >>> def talk(peer: Conversation) -> Turns:
        ...     yield peer.say("welcome")
        ...     yield peer.close()
        >>> with serve(talk) as served:
        ...     names = [event.name for event in WebSocket(served.url)]
        >>> names[2:]
        ['ready', 'poll', 'text', 'closing', 'disconnected']
    """

    def __init__(self, servers: tuple[Played, ...], tls: bool, patience: float) -> None:
        if not servers:
            raise TypeError("serve() needs a server: serve(Server().echoes())")
        check_seconds("patience", patience)
        self.servers = tuple(as_server(server) for server in servers)
        self.ca = ""
        self._patience = patience
        self._context: ssl.SSLContext | None = None
        self._folder: TemporaryDirectory[str] | None = None
        if tls:
            self._context = server_context("127.0.0.1", "localhost")
            self._folder = TemporaryDirectory(prefix="lomond-")
            self.ca = os.path.join(self._folder.name, "ca.pem")
            write_authority(self.ca)
        self._lock = threading.Lock()
        self._number = 0  # of connections
        self._over = Over()
        self._failures: list[Exception] = []
        self._sentences: list[str] = []
        self._acceptor = Acceptor(self._serve)
        self.url = f"{'wss' if tls else 'ws'}://127.0.0.1:{self._acceptor.address[1]}/"

    @property
    def heard(self) -> list[str | bytes]:
        """All messages of the programs, each a str or bytes.

        Example:
            >>> with serve(Server().hears().closes()) as served:
            ...     websocket = WebSocket(served.url)
            ...     for event in websocket:
            ...         if event.name == "ready":
            ...             websocket.send_text("hello")
            >>> served.heard
            ['hello']
        """
        return [
            message for server in each(self.servers) for message in getattr(server, "heard", [])
        ]

    @property
    def requests(self) -> list[ClientRequest]:
        """The requests of the programs.

        Example:
            >>> with serve(Server().closes()) as served:
            ...     *_, last = WebSocket(served.url + "feed")
            >>> [request.path for request in served.requests]
            ['/feed']
        """
        return [
            request for server in each(self.servers) for request in getattr(server, "requests", [])
        ]

    def context(self) -> ssl.SSLContext:
        """A TLS context for a client: one that trusts this server alone.

        Example:
            >>> with serve(Server().closes(), tls=True) as served:
            ...     *_, last = WebSocket(served.url, ssl_context=served.context())
            >>> last.graceful
            True
        """
        return ssl.create_default_context(cafile=self.ca)

    def __enter__(self) -> Serving:
        self._acceptor.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        __tracebackhide__ = True  # as of tell()
        self._over.set()
        has_ended = self._acceptor.stop(self._patience)
        self._over.close()
        if self._folder is not None:
            self._folder.cleanup()
        if not has_ended:
            self._sentences.append(f"a script still runs {self._patience:g} s after the test's end")
        finished = [getattr(server, "finish", None) for server in each(self.servers)]
        for finish in finished:
            self._sentences += [] if finish is None else finish(None)
        remarks = remarks_of(self.servers)
        tell(error, self._failures, self._sentences, remarks, "of the servers of this test")

    def _serve(self, connection: socket.socket) -> None:
        if self._context is not None:
            connection.settimeout(self._patience)
            connection = self._context.wrap_socket(connection, server_side=True)
        with self._lock:
            number = self._number
            self._number += 1
        with connection:
            if len(self.servers) > 1 and number >= len(self.servers):
                self._sentences.append(
                    f"connection {number + 1} came, which nobody expected: there are servers for "
                    f"{len(self.servers)}"
                )
                return
            server = self.servers[min(number, len(self.servers) - 1)]
            try:
                peer = Peer(server.talk)
                peer.patience = self._patience
                Acts(connection, self._over).run(peer)
            except OSError:  # the client has gone
                pass
            except Exception as failure:
                self._failures.append(failure)
                self._over.set()  # so that nobody waits for what can't come any more
                self._acceptor.refuse()  # who connects again is refused, and so may give up


def serve(*servers: Played, tls: bool = False, patience: float = _PATIENCE) -> Serving:
    """Servers on a port of 127.0.0.1, for the time of a block, and for clients in any process.

    Arguments:
        servers: Each a Server, or a function that gets a Conversation and yields steps. One that is
            given alone serves each connection; of several each serves one, in order.
        tls: Whether the URL is a ``wss://`` (False); `Serving.ca` is whom to trust. Needs the
            extra `testing`.
        patience: Seconds in which has to come what a script waits for (10).

    Returns:
        What listens while its block is entered, at its `url`.

    Raises:
        TypeError: What was given is no server.
        ImportError: TLS needs a package that is not installed; the error says which.

    Example:
        >>> from lomond import WebSocket
        >>> from lomond.testing import Server
        >>> with serve(Server().says("welcome").closes()) as served:
        ...     names = [event.name for event in WebSocket(served.url)]
        >>> names[2:]
        ['ready', 'poll', 'text', 'closing', 'disconnected']
    """
    return Serving(servers, tls, patience)


@cache
def _authority() -> CA:
    try:
        from trustme import CA
    except ImportError:
        raise ImportError(
            "a TLS server of a test needs the package trustme; run: pip install 'lomond[testing]'"
        ) from None
    return CA()


def write_authority(path: str) -> None:
    """Write the certificate of the authority that vouches for TLS servers of this process."""
    _authority().cert_pem.write_to_path(path)


@cache
def server_context(*names: str) -> ssl.SSLContext:
    """The TLS of a server of these names and addresses.

    Raises:
        ImportError: The package that makes certificates is not installed; the error says which.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate: Any = _authority().issue_cert(*names)
    certificate.configure_cert(context)
    return context
