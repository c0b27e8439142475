"""A site of a few paths on a raw server: each path upgrades and echoes, or gives an answer."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.cookiejar import CookieJar
from pathlib import Path

from doors.raw_server import accept_upgrade, echo, raw_server, read_request
from lomond import WebSocket
from lomond.cookies import keep
from lomond.events import AnyEvent
from patience import PATIENCE
from refcounts import end_what_was_dropped


class Site:
    """What is served.

    Attributes:
        answers: Path -> an answer that does not upgrade; other paths upgrade.
        extra: Further header lines of the upgrade.
        requests: Those that came.
        peers: Where they came from.
        certificates: What the clients showed, where they speak TLS.
        port: Where it listens.
    """

    def __init__(self, answers: dict[str, bytes] | None = None, extra: bytes = b"") -> None:
        self.answers = {} if answers is None else answers
        self.extra = extra
        self.requests: list[bytes] = []
        self.peers: list[object] = []
        self.certificates: list[object] = []
        self.port = 0
        self.secure = False

    @property
    def url(self) -> str:
        return f"{'wss' if self.secure else 'ws'}://127.0.0.1:{self.port}"

    @property
    def paths(self) -> list[str]:
        """Those that were asked for."""
        return [request.split(b" ")[1].decode() for request in self.requests]

    def fields(self, name: str, index: int = -1) -> list[str]:
        """The values of a header of a request."""
        lines = self.requests[index].decode().split("\r\n")[1:]
        pairs = (line.partition(": ") for line in lines)
        return [value for key, _, value in pairs if key.lower() == name.lower()]

    def __call__(self, connection: socket.socket) -> None:
        self.peers.append(connection.getpeername())
        if isinstance(connection, ssl.SSLSocket):
            self.certificates.append(connection.getpeercert())
        request = read_request(connection)
        self.requests.append(request)
        answer = self.answers.get(self.paths[-1])
        if answer is None:
            accept_upgrade(connection, request, self.extra)
            echo(connection)
        else:
            connection.sendall(answer)


def refusal(status: str, *lines: str, body: bytes = b"") -> bytes:
    """An answer that does not upgrade."""
    head = [f"HTTP/1.1 {status}", *lines, f"Content-Length: {len(body)}", "", ""]
    return "\r\n".join(head).encode("latin-1") + body


def redirect(location: str, status: int = 302, *lines: str) -> bytes:
    """An answer that sends on to somewhere else."""
    return refusal(f"{status} Onward", f"Location: {location}", *lines)


@contextmanager
def serving(site: Site, context: ssl.SSLContext | None = None) -> Iterator[Site]:
    """The site on a port of 127.0.0.1."""
    with raw_server(site, context=context, upgrades=False) as server:
        site.port, site.secure = server.port, server.secure
        yield site


@contextmanager
def serving_at(path: Path, site: Site, context: ssl.SSLContext | None = None) -> Iterator[Site]:
    """The site on a Unix socket, one connection at a time."""
    released = threading.Event()

    def accept(listener: socket.socket) -> None:
        while True:
            connection, _ = listener.accept()
            with contextlib.ExitStack() as stack:
                stack.enter_context(connection)
                if released.is_set():
                    return
                connection.settimeout(PATIENCE)
                with contextlib.suppress(OSError, EOFError):
                    if context is not None:
                        connection = context.wrap_socket(connection, server_side=True)
                        stack.enter_context(connection)
                    site(connection)

    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()
        thread = threading.Thread(target=accept, args=(listener,), daemon=True)
        thread.start()
        try:
            yield site
        finally:
            end_what_was_dropped()
            released.set()
            with socket.socket(socket.AF_UNIX) as last:
                last.connect(str(path))
            thread.join(PATIENCE)
    assert not thread.is_alive()


def jar_of(*values: str, url: str = "ws://127.0.0.1/") -> CookieJar:
    """A jar with cookies that a server has set."""
    jar = CookieJar()
    keep(jar, url, [("Set-Cookie", value) for value in values])
    return jar


def visit(websocket: WebSocket, **options: object) -> list[AnyEvent]:
    """All events of one connection, which is closed when it is ready."""
    seen = []
    for event in websocket.connect(poll=None, ping_rate=0, **options):  # type: ignore[arg-type]  # of each the right kind
        seen.append(event)
        if event.name == "ready":
            websocket.close()
    return seen


def names(seen: list[AnyEvent]) -> list[str]:
    """Their names."""
    return [event.name for event in seen]
