"""A small echo server on this machine, in a thread: for demonstrations and tests.

Speaks the server's half of RFC 6455 to well-behaved clients; it is not a server for strangers.
"""

from __future__ import annotations

import contextlib
import socket
import threading
from types import TracebackType
from typing import BinaryIO

from ..protocol import frames
from ..protocol.handshake import accept_value
from ..protocol.mask import mask

_KEY = b"sec-websocket-key:"


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
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"ws://127.0.0.1:{self._listener.getsockname()[1]}/"
        self.close_codes: list[int | None] = []
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        self._threads = [threading.Thread(target=self._accept, daemon=True)]

    def __enter__(self) -> EchoServer:
        self._threads[0].start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        _end(self._listener)
        with self._lock:
            for connection in self._open:
                _end(connection)
        for thread in self._threads:
            thread.join(5)
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self._lock:
                self._open.add(connection)
            thread = threading.Thread(target=self._serve, args=(connection,), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _serve(self, connection: socket.socket) -> None:
        try:
            with connection, connection.makefile("rb") as stream:
                connection.sendall(_answer(stream))
                while True:
                    opcode, payload, final = _read_frame(stream)
                    while not final and opcode < frames.CLOSE:
                        following, more, final = _read_frame(stream)
                        if following >= frames.CLOSE:
                            final = False
                            connection.sendall(frames.build(frames.PONG, more, None))
                        else:
                            payload += more
                    if opcode == frames.CLOSE:
                        self.close_codes.append(frames.read_close_payload(payload)[0])
                        connection.sendall(frames.build(frames.CLOSE, payload, None))
                        return
                    if opcode == frames.PING:
                        opcode = frames.PONG
                    elif opcode == frames.PONG:
                        continue
                    connection.sendall(frames.build(opcode, payload, None))
        except (OSError, EOFError, ValueError):
            pass  # the client has gone, or is no client
        finally:
            with self._lock:
                self._open.discard(connection)


def _end(sock: socket.socket) -> None:
    with contextlib.suppress(OSError):
        sock.shutdown(socket.SHUT_RDWR)


def _answer(stream: BinaryIO) -> bytes:
    """The 101 for the request that is read from the stream; ValueError if it is no upgrade."""
    key = None
    while (line := stream.readline(16384).rstrip()) != b"":
        if line.lower().startswith(_KEY):
            key = line[len(_KEY) :].strip()
    if key is None:
        raise ValueError("not an upgrade request")
    lines = [
        b"HTTP/1.1 101 Switching Protocols",
        b"Upgrade: websocket",
        b"Connection: Upgrade",
        b"Sec-WebSocket-Accept: " + accept_value(key),
    ]
    return b"\r\n".join((*lines, b"", b""))


def _read_frame(stream: BinaryIO) -> tuple[int, bytes, bool]:
    """Opcode, unmasked payload, and whether it is a message's last frame."""
    first, second = _read(stream, 2)
    length = second & 0x7F
    if length > 125:
        length = int.from_bytes(_read(stream, 2 if length == 126 else 8), "big")
    key = _read(stream, 4)
    payload = bytes(mask(_read(stream, length), key))
    return first & frames.OPCODE_BITS, payload, first >= frames.FIN


def _read(stream: BinaryIO, size: int) -> bytes:
    data = stream.read(size)
    if len(data) < size:
        raise EOFError
    return data
