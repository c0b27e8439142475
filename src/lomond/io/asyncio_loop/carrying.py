"""A connected socket where asyncio's loop can't watch one, but reads it (Windows' usual loop)."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections import deque
from typing import TYPE_CHECKING, Any

from ...system.wire import Wire
from ..waiting import AGAIN
from .watching import LoopSocket

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..driving import Driver

_ROOM = 64 * 1024  # bytes; of one read
_MOST_UNREAD = 512 * 1024  # bytes that asyncio has read and nobody wanted yet: it stops reading
_NOW = getattr(socket, "MSG_DONTWAIT", 0)
_rooms = threading.local()


def _room() -> memoryview:
    """Where this thread's connections read into: what comes is taken out at once."""
    room: memoryview | None = getattr(_rooms, "room", None)
    if room is None:
        room = _rooms.room = memoryview(bytearray(_ROOM))
    return room


class ReadSocket(LoopSocket, asyncio.BufferedProtocol):
    """One that asyncio reads, into a protocol of its own; the driver `reads_late` then."""

    __slots__ = (
        "_count", "_data", "_error", "_has_ended", "_is_leaving", "_is_paused", "_more", "_room",
        "_transport",
    )  # fmt: skip

    def __init__(self, sock: socket.socket, driver: Driver) -> None:
        super().__init__(sock, driver)
        self._room = _room()
        self._transport: Any = None
        self._data = b""  # what was read first
        self._more: deque[bytes] = deque()  # what was read after that
        self._count = 0
        self._is_paused = False
        self._is_leaving = False
        self._has_ended = False
        self._error: OSError | None = None

    def _tell(self) -> None:
        """A read has something to say."""
        self.has_news = True
        self._driver.has_read = True
        self._driver.go_on()

    # Asyncio

    def connection_made(self, transport: Any) -> None:
        self._transport = transport

    def get_buffer(self, sizehint: int) -> memoryview:
        return self._room

    def buffer_updated(self, nbytes: int) -> None:
        if self._transport is None:
            return  # nobody wants it any more
        self._keep(bytes(self._room[:nbytes]))
        if self._count >= _MOST_UNREAD:
            self._transport.pause_reading()
            self._is_paused = True
        self._tell()

    def _keep(self, data: bytes) -> None:
        self._count += len(data)
        if self._data:
            self._more.append(data)
        else:
            self._data = data

    def eof_received(self) -> bool:
        self._has_ended = True
        if self._transport is not None:
            self._tell()
        return True  # we may still have something to say

    def connection_lost(self, exc: Exception | None) -> None:
        self._has_ended = True
        if isinstance(exc, OSError):
            self._error = exc
        is_left = self._transport is None
        self._transport = None
        if is_left:
            self._driver.go_on()
        else:
            self._tell()

    def watch_writing(self, tell: Callable[[LoopSocket], object]) -> None:
        if self._told is None and self._transport is not None:
            self._told = tell
            self._driver.loop.call_later(AGAIN, self._look)

    def _look(self) -> None:
        told, self._told = self._told, None
        if told is not None:
            told(self)

    # What it has read

    def take(self, size: int) -> bytes | None:
        """What came; empty at the end of the stream, None if nothing did. Raises OSError."""
        data = self._data
        if not data:
            if self._error is not None:
                raise self._error
            return b"" if self._has_ended else None
        if len(data) > size:
            self._data = data[size:]
            data = data[:size]
        else:
            self._data = self._more.popleft() if self._more else b""
            self.has_news = bool(self._data) or self._has_ended
        self._count -= len(data)
        if self._is_paused and self._count < _MOST_UNREAD:
            self._is_paused = False
            if self._transport is not None and not self._transport.is_closing():
                self._transport.resume_reading()
        return data

    def check(self) -> None:
        """Raise OSError if nothing can be sent any more."""
        if self._error is not None:
            raise self._error
        if self._transport is None:
            raise BrokenPipeError("the connection is closed")

    def read_last_words(self) -> None:
        """Take what the system has: the loop may not have come to it, and has no more to write."""
        while _NOW and self._count < _MOST_UNREAD:
            try:
                data = self._sock.recv(_ROOM, _NOW)
            except OSError:  # there is no more, or it can't be had any more
                return
            if not data:
                return
            self._keep(data)
            self.has_news = True  # the send that fails has the driver go on

    # A socket

    def recv(self, size: int, flags: int = 0) -> bytes:
        if not self._driver.is_here():
            raise BlockingIOError  # what came belongs to the loop's thread
        if self._is_leaving:
            return self._sock.recv(size, _NOW)
        data = self.take(size)
        if data is None:
            raise BlockingIOError
        return data

    def shutdown(self, how: int) -> None:
        self._is_leaving = how == socket.SHUT_WR and self._has_ended
        self._sock.shutdown(how)

    def give_back(self) -> None:
        self._has_ended = True
        self.has_news = False  # for nobody
        self._told = None
        if self._transport is None:
            return
        try:
            # Forgotten afterwards, because an exception of a signal's handler may come between.
            self._driver.soon(self._transport.abort)
        except RuntimeError:  # the loop is closed
            self._sock.close()
        self._transport = None


class Carrier(Wire):
    """The bytes of a socket that asyncio reads.

    Arguments:
        sock: Connected.
        read: Which stands for it.
    """

    __slots__ = ("_read",)

    def __init__(self, sock: socket.socket, read: ReadSocket) -> None:
        super().__init__(sock)
        self._read = read

    def receive(self, size: int, waits: bool) -> bytes | None:
        """What has come, at most `size` bytes; empty at the end, None if nothing came."""
        return self._read.take(size)

    def receive_apart(self, size: int, waits: bool) -> bytes | None:
        """What has come, as `receive` has it."""
        return self._read.take(size)

    def receive_into(self, room: memoryview, waits: bool) -> int:
        """Read into the room; the number of bytes, -1 if nothing came."""
        data = self._read.take(len(room))
        if data is None:
            return -1
        room[: len(data)] = data
        return len(data)

    def send(self, data: bytes | memoryview) -> int:
        """Hand the system what it takes now; the number of bytes. Raises OSError."""
        self._read.check()
        try:
            return Wire.send(self, data)
        except OSError:
            self._read.read_last_words()
            raise


async def carried(
    loop: asyncio.AbstractEventLoop, sock: socket.socket, driver: Driver, begun: list[bool]
) -> ReadSocket:
    """Hand a connected socket to asyncio, which closes it from then on; what stands for it.

    Arguments:
        loop: The task's.
        sock: The socket.
        driver: As for `ReadSocket`.
        begun: Gets an item when the socket is asyncio's.
    """
    begun.append(True)
    read = ReadSocket(sock, driver)
    chosen = _no_delay(sock)
    await loop.create_connection(lambda: read, sock=sock)
    if chosen == 0:  # asyncio turns it on
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, chosen)
    return read


def _no_delay(sock: socket.socket) -> int | None:
    """Whether TCP_NODELAY is on; None where there is none."""
    try:
        return sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
    except OSError:
        return None
