"""A WebSocket server of a few lines, standard library only: each reproduction bends it."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import socket
import struct
import threading
from collections.abc import Callable

GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
TEXT, CLOSE, PING, PONG = 1, 8, 9, 10


class Client:
    """The server's side of one connection."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self._rest = b""

    def upgrade(self, extra: bytes = b"") -> None:
        """Read the request and accept it."""
        while b"\r\n\r\n" not in self._rest:
            self._rest += self._read()
        head, _, self._rest = self._rest.partition(b"\r\n\r\n")
        key = next(
            line for line in head.split(b"\r\n") if line.lower().startswith(b"sec-websocket-key")
        )
        accept = base64.b64encode(hashlib.sha1(key.split(b":")[1].strip() + GUID).digest())
        self.sock.sendall(
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Accept: " + accept + b"\r\n" + extra + b"\r\n"
        )

    def read_frame(self) -> tuple[int, bytes]:
        """The first byte of the next frame, and its payload."""
        first, second = self._take(2)
        length = second & 0x7F
        if length == 126:
            length = struct.unpack(">H", self._take(2))[0]
        elif length == 127:
            length = struct.unpack(">Q", self._take(8))[0]
        mask = self._take(4)
        payload = self._take(length)
        wide = (mask * (length // 4 + 1))[:length]
        plain = int.from_bytes(payload, "big") ^ int.from_bytes(wide, "big")
        return first, plain.to_bytes(length, "big")

    def send(self, opcode: int, payload: bytes = b"") -> None:
        """Send one frame."""
        self.sock.sendall(frame(opcode, payload))

    def _take(self, size: int) -> bytes:
        while len(self._rest) < size:
            self._rest += self._read()
        taken, self._rest = self._rest[:size], self._rest[size:]
        return taken

    def _read(self) -> bytes:
        data = self.sock.recv(1 << 20)
        if not data:
            raise EOFError
        return data


def frame(opcode: int, payload: bytes = b"") -> bytes:
    """One frame of a server."""
    size = len(payload)
    if size < 126:
        head = bytes([0x80 | opcode, size])
    elif size < 65536:
        head = struct.pack(">BBH", 0x80 | opcode, 126, size)
    else:
        head = struct.pack(">BBQ", 0x80 | opcode, 127, size)
    return head + payload


def serve(talk: Callable[[Client], None]) -> int:
    """Serve every connection in a thread that nobody waits for; the port."""
    listener = socket.create_server(("127.0.0.1", 0))

    def run(sock: socket.socket) -> None:
        with sock, contextlib.suppress(EOFError, OSError):
            talk(Client(sock))

    def accept() -> None:
        while True:
            sock, _ = listener.accept()
            threading.Thread(target=run, args=(sock,), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    port: int = listener.getsockname()[1]
    return port
