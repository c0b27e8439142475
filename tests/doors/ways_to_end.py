"""Ways in which a connection ends: for each what the server does, and what the user."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from doors.certified import contexts
from doors.raw_server import Handler, echo, frame, raw_server, read_all, read_frame, read_request
from lomond.errors import WebSocketError
from lomond.protocol import frames
from patience import PATIENCE

QUIET: dict[str, Any] = {"poll": None, "ping_rate": 0}
_has_gone = threading.Event()  # the client
User = Callable[[Any, Any], object]  # is given the websocket and an event; true to leave


@dataclass
class Way:
    """One way.

    Arguments:
        serve: What the server does with the connection.
        upgrades: Whether it has answered the upgrade before that.
        user: What the user does with each event; true leaves the loop.
        timing: For `connect`.
        options: For the WebSocket.
        url: Instead of the server's; ``{port}`` is its port.
        secure: Whether the server speaks TLS.
    """

    serve: Handler = echo
    upgrades: bool = True
    user: User = lambda websocket, event: None
    timing: dict[str, Any] = field(default_factory=dict)
    options: dict[str, Any] = field(default_factory=dict)
    url: str = ""
    secure: bool = False

    @contextlib.contextmanager
    def running(self) -> Iterator[tuple[str, int]]:
        """Its server: the URL to ask for, and its port."""
        context = contexts()[0] if self.secure else None
        with raw_server(self.serve, upgrades=self.upgrades, context=context) as server:
            _has_gone.clear()
            try:
                yield self.url.format(port=server.port) if self.url else server.url, server.port
            finally:
                _has_gone.set()


def closes(code: int | None = None, text: bytes = b"") -> Handler:
    """A server that closes first."""

    def serve(connection: socket.socket) -> None:
        connection.sendall(frame(frames.CLOSE, text, code=code))
        read_all(connection)

    return serve


def refuses(connection: socket.socket) -> None:
    """A server for which the first message is too large."""
    read_frame(connection)
    closes(1009, b"1 MB")(connection)


def answers(text: bytes) -> Handler:
    """A server that answers the upgrade so, and hangs up."""

    def serve(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(text)

    return serve


def says(data: bytes) -> Handler:
    """A server that says something after the upgrade, and listens."""

    def serve(connection: socket.socket) -> None:
        connection.sendall(data)
        read_all(connection)

    return serve


def hangs_up(connection: socket.socket) -> None:
    """A server that ends TCP without a word."""


def resets(connection: socket.socket) -> None:
    """A server whose system says that it knows nothing of the connection."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def reads_request(then: Handler) -> Handler:
    def serve(connection: socket.socket) -> None:
        read_request(connection)
        then(connection)

    return serve


def says_nothing(connection: socket.socket) -> None:
    read_all(connection)


def never_reads(connection: socket.socket) -> None:
    """A server that waits until the client has gone, and reads nothing before."""
    _has_gone.wait(PATIENCE)


def hangs_up_when_closed(connection: socket.socket) -> None:
    while read_frame(connection)[0] != frames.CLOSE:
        pass


def on(name: str, act: Callable[[Any], object], *, leaves: bool = False) -> User:
    """A user who does that at the event."""

    def user(websocket: Any, event: Any) -> bool:
        if event.name != name:
            return False
        act(websocket)
        return leaves

    return user


def nothing(websocket: Any) -> None:
    """A user who only leaves."""


def sends_much(websocket: Any) -> None:
    """A user who sends more than the system takes, and lets the events tell what came of it."""
    with contextlib.suppress(WebSocketError):
        for _ in range(64):
            websocket.send_binary(bytes(1 << 20))


def fails() -> dict[str, str]:
    raise LookupError("no token in wss://user:secret@vault/")


def http(line: str, head: str = "", body: bytes = b"") -> Handler:
    text = f"HTTP/1.1 {line}\r\nContent-Length: {len(body)}\r\n{head}\r\n".encode()
    return answers(text + body)


def refused(**options: Any) -> Way:
    return Way(url="ws://127.0.0.1:1/", options=options)


NGINX = b"<center>The plain HTTP request was sent to HTTPS port</center>"
SETTINGS = b"\x00\x00\x06\x04\x00\x00\x00\x00\x00\x00\x03\x00\x00\x00\x80"
BAD_ACCEPT = (
    b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Accept: abc\r\n\r\n"
)

WAYS = {
    "the server closes with 1000": Way(closes(1000)),
    "the server closes with 1001 and a text": Way(closes(1001, b"deploying")),
    "the server closes with 1011": Way(closes(1011)),
    "the server closes with 1008 and a text": Way(closes(1008, b"bad token")),
    "the server closes with 4403": Way(closes(4403, b"not \x1b[31m you")),
    "the server closes without a code": Way(closes()),
    "the server closes with 1009 after a large message": Way(
        refuses,
        user=on("ready", lambda websocket: websocket.send_binary(bytes(70_000))),
    ),
    "the user closes": Way(user=on("ready", lambda websocket: websocket.close())),
    "the user closes with 4000": Way(
        user=on("ready", lambda websocket: websocket.close(4000, "had enough"))
    ),
    "the user closes, and the server hangs up": Way(
        hangs_up_when_closed, user=on("ready", lambda websocket: websocket.close())
    ),
    "the user closes, and nobody answers": Way(
        says_nothing,
        user=on("ready", lambda websocket: websocket.close()),
        timing={"close_timeout": 0.1},
    ),
    "the user closes before the upgrade": Way(
        reads_request(says_nothing),
        upgrades=False,
        user=on("connected", lambda websocket: websocket.close()),
        options={"open_timeout": 0.2},
    ),
    "the user leaves": Way(user=on("ready", nothing, leaves=True)),
    "the user disconnects by force": Way(
        user=on("ready", lambda websocket: websocket.force_disconnect())
    ),
    "status 400 of nginx on a port of TLS": Way(http("400 Bad Request", "", NGINX), upgrades=False),
    "status 401": Way(http("401 Unauthorized"), upgrades=False),
    "status 403 with an Origin": Way(
        http("403 Forbidden", "", b"origin not allowed"),
        upgrades=False,
        options={"origin": "https://example.org"},
    ),
    "status 404": Way(http("404 Not Found"), upgrades=False),
    "status 200 with a page": Way(http("200 OK", "", b"<html>\n<p>hello"), upgrades=False),
    "status 302": Way(
        http("302 Found", "Location: https://me:secret@login.example/a?token=secret\r\n"),
        upgrades=False,
    ),
    "status 302, too often": Way(
        http("302 Found", "Location: /again\r\n"), upgrades=False, options={"max_redirects": 1}
    ),
    "status 426": Way(http("426 Upgrade Required"), upgrades=False),
    "status 500": Way(http("500 Internal Server Error", "", b"oops"), upgrades=False),
    "a wrong accept": Way(answers(BAD_ACCEPT), upgrades=False),
    "no HTTP": Way(answers(b"SSH-2.0-OpenSSH_9.2\r\n"), upgrades=False),
    "HTTP/2 alone": Way(answers(SETTINGS), upgrades=False),
    "the end during the upgrade": Way(reads_request(hangs_up), upgrades=False),
    "a reset during the upgrade": Way(reads_request(resets), upgrades=False),
    "no answer to the upgrade": Way(
        reads_request(says_nothing), upgrades=False, options={"open_timeout": 0.2}
    ),
    "the end": Way(hangs_up),
    "a reset": Way(resets),
    "no pong": Way(says_nothing, timing={"ping_rate": 0.05, "ping_timeout": 0.1}),
    "a frame that stalls": Way(says(b"\x82\x7e\x01"), timing={}, options={"frame_timeout": 0.1}),
    "a server that takes nothing": Way(
        never_reads,
        user=on("ready", sends_much),
        options={"send_timeout": 0.2},
    ),
    "a masked frame": Way(says(b"\x81\x81abcdx")),
    "text after the upgrade": Way(says(b"HTTP/1.1 502 Bad Gateway\r\n\r\n")),
    "broken UTF-8": Way(says(b"\x81\x02\xff\xff")),
    "nobody listens": refused(),
    "no such name": Way(url="ws://does-not-exist.invalid/"),
    "TLS asked of a plain port": Way(
        says(b"HTTP/1.1 400 Bad Request\r\n\r\n"), upgrades=False, url="wss://127.0.0.1:{port}/"
    ),
    "a plain port's question to TLS": Way(secure=True, url="ws://127.0.0.1:{port}/"),
    "a certificate that nobody trusts": Way(secure=True),
    "a callable that fails": refused(headers=fails),
    "a proxy that refuses": Way(
        http("403 Forbidden", "", b"not from here"),
        upgrades=False,
        url="ws://peer.example/",
        options={"proxies": {"http": "http://127.0.0.1:PORT"}},
    ),
}
