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
_NOW = getattr(socket, "MSG_DONTWAIT", 0)
_rooms = threading.local()


def _room() -> memoryview:
    """Where this thread's connections read into: what comes is taken out at once."""
    room: memoryview | None = getattr(_rooms, "room", None)
    if room is None:
        room = _rooms.room = memoryview(bytearray(_ROOM))
    return room


class Carrier(LoopSocket):
    """One that asyncio reads, into a protocol of its own; the driver `reads_late` then.

    Arguments:
        most: Bytes that may wait here unread; if there are more, asyncio reads no further.
    """

    __slots__ = (
        "_count", "_data", "_error", "_has_ended", "_is_leaving", "_is_paused", "_more", "_most",
        "_room", "_transport",
    )  # fmt: skip

    def __init__(self, sock: socket.socket, driver: Driver, most: int) -> None:
        super().__init__(sock, driver)
        self._most = most
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
        self.tell_news()
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
        data = bytes(self._room[:nbytes])
        self._count += nbytes
        if self._count >= self._most:
            self._transport.pause_reading()
            self._is_paused = True
        if self._data:
            self._more.append(data)
        else:
            self._data = data
        self._tell()

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

    # A wire

    def receive(self, size: int, waits: bool) -> bytes | None:
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
            if not (self._data or self._has_ended):
                self.tell_no_more()
        self._count -= len(data)
        self._driver.given += len(data)
        if self._is_paused and self._count < self._most:
            self._is_paused = False
            if self._transport is not None and not self._transport.is_closing():
                self._transport.resume_reading()
        return data

    def receive_apart(self, size: int, waits: bool) -> bytes | None:
        """What has come, at most `size` bytes; empty at the end, None if nothing came."""
        return self.receive(size, waits)

    def receive_into(self, room: memoryview, waits: bool) -> int:
        """Read into the room; the number of bytes, -1 if nothing came."""
        data = self.receive(len(room), waits)
        if data is None:
            return -1
        room[: len(data)] = data
        return len(data)

    def send(self, data: bytes | memoryview) -> int:
        """Hand the system what it takes now; the number of bytes. Raises OSError."""
        if self._error is not None:
            raise self._error
        if self._transport is None:
            raise BrokenPipeError("the connection is closed")
        try:
            return Wire.send(self, data)
        except OSError:
            self._read_last_words()
            raise

    def _read_last_words(self) -> None:
        """Take what the system has: the loop may not have come to it, and has no more to write."""
        while _NOW and self._count < self._most:
            try:
                data = self._sock.recv(_ROOM, _NOW)
            except OSError:  # there is no more, or it can't be had any more
                return
            if not data:
                return
            self._count += len(data)
            self._more.append(data)
            if not self._data:
                self._data = self._more.popleft()
            self.tell_news()  # the send that fails has the driver go on

    # A socket

    def recv(self, size: int, flags: int = 0) -> bytes:
        """What came; empty at the end. Raises BlockingIOError where nothing did."""
        if not self._driver.is_here():
            raise BlockingIOError  # what came belongs to the loop's thread
        if self._is_leaving:
            return self._sock.recv(size, _NOW)
        data = self.receive(size, False)
        if data is None:
            raise BlockingIOError
        return data

    def shutdown(self, how: int) -> None:
        """End a direction, or both."""
        self._is_leaving = how == socket.SHUT_WR and self._has_ended
        self._sock.shutdown(how)

    def give_back(self) -> None:
        self._has_ended = True
        self.tell_no_more()  # to nobody
        self._told = None
        if self._transport is None:
            return
        try:
            # Forgotten afterwards, because an exception of a signal's handler may come between.
            self._driver.soon(self._transport.abort)
        except RuntimeError:  # the loop is closed
            self._sock.close()
        self._transport = None


class _Protocol(Carrier, asyncio.BufferedProtocol):
    """A carrier that asyncio is to read into the memory of, which it knows by the class."""

    __slots__ = ()


async def carried(
    loop: asyncio.AbstractEventLoop,
    sock: socket.socket,
    driver: Driver,
    most: int,
    begun: list[bool],
) -> Carrier:
    """Hand a connected socket to asyncio, which closes it from then on; what carries its bytes.

    Arguments:
        loop: The task's.
        sock: The socket.
        driver: As for `Carrier`.
        most: As for `Carrier`.
        begun: Gets an item when the socket is asyncio's.
    """
    begun.append(True)
    carrier = _Protocol(sock, driver, most)
    chosen = _no_delay(sock)
    await loop.create_connection(lambda: carrier, sock=sock)
    if chosen == 0:  # asyncio turns it on
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, chosen)
    return carrier


def _no_delay(sock: socket.socket) -> int | None:
    """Whether TCP_NODELAY is on; None where there is none."""
    try:
        return sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
    except OSError:
        return None
