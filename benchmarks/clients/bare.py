"""What the floors share: a request, ready-made frames, and messages cut out of what was read.

No client can do without what is done here, and all of them do much more: nothing is checked, every
frame has the size that is known before, and the key that masks is zero.
"""

from __future__ import annotations

import socket
import ssl
import struct
from collections.abc import Iterable, Iterator
from urllib.parse import urlsplit

from measure import Task

SHORT = 1 << 12  # bytes; of shorter texts that come in bursts no text is made
LARGE = 1 << 18  # bytes; such a message is read into its own place
ROOM = 1 << 19
REQUEST = (
    "GET {path} HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n{more}\r\n"
)
DEFLATE = "Sec-WebSocket-Extensions: permessage-deflate\r\n"
ACCEPT = b"\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"  # to that key
CLOSE = b"\x88\x82\0\0\0\0\x03\xe8"
RSV1 = 0x40  # beside the opcode, of what is compressed
GO = b"\x81\x82\0\0\0\0go"


def head_of(first: int, size: int, mask: int = 0) -> bytes:
    """The head of a frame."""
    if size < 126:
        return bytes((first, mask | size))
    if size < 65536:
        return bytes((first, mask | 126)) + size.to_bytes(2, "big")
    return bytes((first, mask | 127)) + size.to_bytes(8, "big")


def framed(payload: bytes, opcode: int) -> bytes:
    """A client's frame; a key of zeros masks nothing."""
    return head_of(0x80 | opcode, len(payload), 0x80) + b"\0\0\0\0" + payload


def request(task: Task) -> bytes:
    """What asks for the upgrade."""
    parts = urlsplit(task.url)
    more = DEFLATE if "compressed" in task.scenario else ""
    return REQUEST.format(path=parts.path, host=parts.netloc, more=more).encode()


def address(task: Task) -> tuple[str, int]:
    """Where the server is."""
    parts = urlsplit(task.url)
    assert parts.hostname is not None
    assert parts.port is not None
    return parts.hostname, parts.port


class Secured:
    """TLS as a bare SSLObject does it, between two buffers in memory."""

    def __init__(self, context: ssl.SSLContext, name: str) -> None:
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.object = context.wrap_bio(self.incoming, self.outgoing, server_hostname=name)

    def shakes_hands(self) -> bool:
        """Whether more must come before it stands; what is to be sent is in `outgoing`."""
        try:
            self.object.do_handshake()
        except ssl.SSLWantReadError:
            return True
        return False

    def seal(self, data: bytes) -> bytes:
        """What is to be sent for it."""
        self.object.write(data)
        return self.outgoing.read()

    def read_into(self, view: memoryview) -> int:
        """So many bytes of what was put into `incoming`; 0 if there are none."""
        try:
            return self.object.read(len(view), view)  # type: ignore[arg-type]  it takes a view
        except ssl.SSLWantReadError:
            return 0


class Messages:
    """Those of one size, cut out of the room into which it is read.

    Arguments:
        in_bursts: Whether many come at a time. Of short ones Python then makes an object each in
            one go, but bytes in a tuple: to make texts of them takes it longer than a client in C.
    """

    def __init__(self, task: Task, in_bursts: bool = False) -> None:
        size = task.size
        self._head = head_of(0x81 if task.kind == "text" else 0x82, size)
        self._size, self._is_text = size, task.kind == "text"
        self._whole = len(self._head) + size
        self._each = struct.Struct(f"{len(self._head)}x{size}s")
        self._is_cut_in_one_go = in_bursts and size < SHORT
        self._view = memoryview(bytearray(max(ROOM, 2 * self._whole)))
        self._filled = 0

    @property
    def room(self) -> memoryview:
        """Where to read to."""
        return self._view[self._filled :]

    def got(self, count: int) -> Iterable[object]:
        """The messages that are whole, as objects of their own, now that so much was read."""
        filled = self._filled + count
        view, head, whole = self._view, len(self._head), self._whole
        end = filled - filled % whole
        self._filled = filled - end
        if not end:
            return ()
        if self._is_cut_in_one_go:
            found = self._each.iter_unpack(bytes(view[:end]) if self._filled else view[:end])
            view[: self._filled] = view[end:filled]
            return found
        return self._cut(range(head, end, whole), end, filled)

    def _cut(self, starts: range, end: int, filled: int) -> Iterator[str | bytes]:
        """Each when it is asked for, so that the memory of the last one can be used again."""
        view, size = self._view, self._size
        for at in starts:
            piece = view[at : at + size]
            yield str(piece, "utf-8") if self._is_text else bytes(piece)
        view[: filled - end] = view[end:filled]

    def check(self, message: object) -> None:
        """The last message must be of the size."""
        [last] = message if isinstance(message, tuple) else [message]
        assert isinstance(last, str | bytes)
        assert len(last) == self._size


def connected(task: Task, context: ssl.SSLContext | None) -> Connection:
    """A connection after the upgrade."""
    connection = Connection(address(task), context)
    connection.upgrade(request(task), memoryview(bytearray(4096)))
    return connection


class Connection:
    """A blocking socket, with a bare SSLObject on it where it is asked for."""

    _cipher = memoryview(bytearray(1 << 16))  # of all: it is empty again after each call

    def __init__(self, where: tuple[str, int], context: ssl.SSLContext | None) -> None:
        self.socket = socket.socket()
        self.socket.connect(where)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.secured: Secured | None = None
        if context is not None:
            self.secured = secured = Secured(context, where[0])
            while secured.shakes_hands():
                self.socket.sendall(secured.outgoing.read())
                secured.incoming.write(self.socket.recv(65536))
            self.socket.sendall(secured.outgoing.read())

    def upgrade(self, asked: bytes, room: memoryview) -> None:
        """Ask for it, and check the answer; what a feed says at once is not looked at."""
        self.send(asked)
        head = b""
        while b"\r\n\r\n" not in head:
            head += room[: self.read_into(room)]
        assert head.startswith(b"HTTP/1.1 101 ")
        assert ACCEPT in head

    def send(self, data: bytes) -> None:
        """Write it."""
        self.socket.sendall(data if self.secured is None else self.secured.seal(data))

    def read_into(self, view: memoryview) -> int:
        """So many bytes; it waits for one."""
        secured = self.secured
        if secured is None:
            return self.socket.recv_into(view)
        while True:
            got = secured.read_into(view)
            if got:
                return got
            count = self.socket.recv_into(self._cipher)
            secured.incoming.write(self._cipher[:count])
