"""A server of a few lines on a real socket of 127.0.0.1: a handler gets the upgraded socket.

For what a script of peer_server.py can't say: TLS, not reading, and cutting bytes.
"""

from __future__ import annotations

import contextlib
import re
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from lomond import WebSocket
from lomond.events import AnyEvent
from lomond.protocol import frames
from lomond.protocol.http.upgrade import accept_value
from lomond.protocol.mask import mask
from patience import PATIENCE
from refcounts import end_what_was_dropped

_KEY = re.compile(rb"sec-websocket-key: *(\S+)", re.IGNORECASE)
Handler = Callable[[socket.socket], None]


@dataclass
class RawServer:
    """What the server knows.

    Attributes:
        released: Set at the end of the test; a handler that does nothing waits for it.
        errors: What the handlers raised, except OSError.
    """

    port: int
    secure: bool
    requests: list[bytes] = field(default_factory=list)
    released: threading.Event = field(default_factory=threading.Event)
    errors: list[BaseException] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"{'wss' if self.secure else 'ws'}://127.0.0.1:{self.port}/"


@cache
def refusing_port() -> int:
    """A port of 127.0.0.1 that nobody listens at: it is bound, so that no other server gets it."""
    _bound.append(socket.socket())
    _bound[0].bind(("127.0.0.1", 0))
    port: int = _bound[0].getsockname()[1]
    return port


_bound: list[socket.socket] = []


@contextmanager
def raw_server(
    handler: Handler,
    *,
    context: ssl.SSLContext | None = None,
    upgrades: bool = True,
    address: str = "127.0.0.1",
    extra: bytes = b"",
    read_buffer: int | None = None,
) -> Iterator[RawServer]:
    """A server whose handler gets each connection, upgraded unless `upgrades` is false.

    Arguments:
        handler: Gets the socket.
        context: For TLS; None for none.
        upgrades: Whether to answer the request.
        address: Where to listen.
        extra: Further header lines of the answer.
        read_buffer: Bytes for SO_RCVBUF, from the first packet on: made smaller later, the system
            has promised more than it can keep, drops what came, and is told again seconds later.
    """
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    listener = socket.create_server((address, 0), family=family)
    if read_buffer is not None:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, read_buffer)
    server = RawServer(listener.getsockname()[1], context is not None)
    threads: list[threading.Thread] = []

    def serve(connection: socket.socket) -> None:
        connection.settimeout(PATIENCE)
        try:
            with contextlib.ExitStack() as stack:
                stack.enter_context(connection)
                if context is not None:
                    connection = context.wrap_socket(connection, server_side=True)
                    stack.enter_context(connection)
                if upgrades:
                    server.requests.append(read_request(connection))
                    accept_upgrade(connection, server.requests[-1], extra)
                handler(connection)
        except (OSError, EOFError):
            pass  # the client has gone
        except BaseException as error:
            server.errors.append(error)

    def accept() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            if server.released.is_set():
                connection.close()
                return
            threads.append(threading.Thread(target=serve, args=(connection,), daemon=True))
            threads[-1].start()

    threads.append(threading.Thread(target=accept, daemon=True))
    threads[0].start()
    try:
        yield server
    finally:
        end_what_was_dropped()
        server.released.set()
        with contextlib.suppress(OSError):  # a last connection wakes the accepting thread
            socket.create_connection((address, server.port), 1).close()
        for thread in threads:
            thread.join(PATIENCE)
        listener.close()
    assert not any(thread.is_alive() for thread in threads)
    assert server.errors == []


def read_request(connection: socket.socket) -> bytes:
    """The request, read byte by byte so that nothing after it is lost."""
    request = b""
    while not request.endswith(b"\r\n\r\n"):
        request += read_exactly(connection, 1)
    return request


def accept_upgrade(connection: socket.socket, request: bytes, extra: bytes = b"") -> None:
    """Answer the request with 101."""
    found = _KEY.search(request)
    assert found is not None
    connection.sendall(
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Accept: " + accept_value(found.group(1)) + b"\r\n" + extra + b"\r\n"
    )


def read_exactly(connection: socket.socket, size: int) -> bytes:
    """So many bytes; EOFError if the stream ends before."""
    data = bytearray()
    while len(data) < size:
        piece = connection.recv(min(size - len(data), 65536))
        if not piece:
            raise EOFError
        data += piece
    return bytes(data)


def read_frame(connection: socket.socket) -> tuple[int, bytes]:
    """Opcode and payload of the client's next frame; EOFError if the stream ends before."""
    first, second = read_exactly(connection, 2)
    length = second & 0x7F
    if length > 125:
        length = int.from_bytes(read_exactly(connection, 2 if length == 126 else 8), "big")
    key = read_exactly(connection, 4)
    return first & frames.OPCODE_BITS, bytes(mask(read_exactly(connection, length), key))


def read_all(connection: socket.socket) -> list[tuple[int, bytes]]:
    """The client's frames until its stream ends."""
    result = []
    with contextlib.suppress(EOFError, OSError):
        while True:
            result.append(read_frame(connection))
    return result


def listens_into(heard: list[tuple[int, bytes]]) -> Handler:
    """A handler that does nothing but read, and keeps it all there."""

    def listen(connection: socket.socket) -> None:
        heard.extend(read_all(connection))

    return listen


def frame(opcode: int, payload: bytes = b"", code: int | None = None) -> bytes:
    """A frame of the server; `code` goes before the payload of a close frame."""
    if code is not None:
        payload = code.to_bytes(2, "big") + payload
    return frames.build(opcode, payload, None)


def echo(connection: socket.socket) -> None:
    """Send every message back, answer pings and the close frame."""
    while True:
        opcode, payload = read_frame(connection)
        connection.sendall(frame(frames.PONG if opcode == frames.PING else opcode, payload))
        if opcode == frames.CLOSE:
            return


def names(websocket: WebSocket, **options: object) -> list[str]:
    """The names of all events of one connection."""
    return [event.name for event in websocket.connect(**options)]  # type: ignore[arg-type]  # of each the right kind


def until(stream: Iterator[AnyEvent], name: str) -> Any:
    """The next event of that name."""
    for event in stream:
        if event.name == name:
            return event
    raise AssertionError(f"no event {name}")
