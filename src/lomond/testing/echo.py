"""A small echo server on this machine, in a thread: for demonstrations and tests.

Speaks the server's half of RFC 6455 to well-behaved clients; it is not a server for strangers.
"""

from __future__ import annotations

import contextlib
import socket
from base64 import b64decode
from collections.abc import Iterator
from types import TracebackType
from typing import BinaryIO

from ..errors import ProtocolError
from ..protocol import frames
from ..protocol.http.upgrade import accept_value
from ..protocol.mask import mask
from .accepting import Acceptor

_PATIENCE = 5.0  # seconds, for what is still being said
_LONGEST_LINE = 16384  # bytes, of a request
_LONGEST_FRAME = 64 * 1024 * 1024  # bytes
_BAD_REQUEST = (
    b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n"
    b"Sec-WebSocket-Version: 13\r\nContent-Length: 0\r\n\r\n"
)


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
        with connection.makefile("rb") as stream, contextlib.suppress(EOFError):
            self._converse(connection, stream)

    def _converse(self, connection: socket.socket, stream: BinaryIO) -> None:
        key = _read_key(stream)
        if key is None:
            connection.sendall(_BAD_REQUEST)
            return
        connection.sendall(_acceptance(key))
        try:
            for opcode, payload in _messages(stream):
                if opcode == frames.CLOSE:
                    self.close_codes.append(frames.read_close_payload(payload)[0])
                    connection.sendall(frames.build(frames.CLOSE, payload, None))
                    return
                if opcode != frames.PONG:
                    answer = frames.PONG if opcode == frames.PING else opcode
                    connection.sendall(frames.build(answer, payload, None))
        except ProtocolError as error:
            payload = frames.build_close_payload(error.code, str(error))
            connection.sendall(frames.build(frames.CLOSE, payload, None))


def _read_key(stream: BinaryIO) -> bytes | None:
    """The key of the request that is read from the stream; None if it is no upgrade (4.2.1)."""
    request = stream.readline(_LONGEST_LINE).split()
    headers: dict[bytes, bytes] = {}
    while (line := stream.readline(_LONGEST_LINE).rstrip()) != b"":
        name, _, value = line.partition(b":")
        headers[name.lower()] = value.strip()
    key = headers.get(b"sec-websocket-key", b"")
    connection = headers.get(b"connection", b"").lower().split(b",")
    try:
        is_upgrade = (
            len(request) == 3
            and (request[0], request[2]) == (b"GET", b"HTTP/1.1")
            and b"host" in headers
            and headers.get(b"upgrade", b"").lower() == b"websocket"
            and b"upgrade" in [token.strip() for token in connection]
            and headers.get(b"sec-websocket-version") == b"13"
            and len(b64decode(key, validate=True)) == 16
        )
    except ValueError:  # not base64
        return None
    return key if is_upgrade else None


def _acceptance(key: bytes) -> bytes:
    lines = [
        b"HTTP/1.1 101 Switching Protocols",
        b"Upgrade: websocket",
        b"Connection: Upgrade",
        b"Sec-WebSocket-Accept: " + accept_value(key),
    ]
    return b"\r\n".join((*lines, b"", b""))


def _messages(stream: BinaryIO) -> Iterator[tuple[int, bytes]]:
    """Opcode and payload of each whole message, and of each control frame between fragments."""
    kind: int | None = None
    parts: list[bytes] = []
    while True:
        opcode, payload, is_final = _read_frame(stream)
        if opcode >= frames.CLOSE:
            yield opcode, payload
            continue
        if (opcode == frames.CONTINUATION) != (kind is not None):
            # 5.4: the fragments of one message MUST NOT be interleaved with another's.
            raise ProtocolError("fragment out of order", section="RFC 6455 5.4")
        kind = opcode if kind is None else kind
        parts.append(payload)
        if is_final:
            yield kind, b"".join(parts)
            kind, parts = None, []


def _read_frame(stream: BinaryIO) -> tuple[int, bytes, bool]:
    """Opcode, unmasked payload, and whether it is a message's last frame."""
    first, second = _read(stream, 2)
    if not second & frames.MASKED:
        # 5.1: the server MUST close the connection upon receiving a frame that is not masked.
        raise ProtocolError("client sent unmasked frame", section="RFC 6455 5.1")
    length = second & ~frames.MASKED
    frames.check_first_bytes(first, length)
    if length > 125:
        size = 2 if length == 126 else 8
        length = int.from_bytes(_read(stream, size), "big")
        frames.check_extended_length(length, size)
    if length > _LONGEST_FRAME:
        raise ProtocolError("frame is too large", code=1009)
    key = _read(stream, 4)
    payload = bytes(mask(_read(stream, length), key))
    return first & frames.OPCODE_BITS, payload, first >= frames.FIN


def _read(stream: BinaryIO, size: int) -> bytes:
    data = stream.read(size)
    if len(data) < size:
        raise EOFError
    return data
