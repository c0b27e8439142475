"""What carries the bytes of a connection in an asyncio program: a protocol of asyncio's to read."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
from collections import deque
from typing import TYPE_CHECKING, Any

from ..system.wire import Wire
from .waiting import AGAIN

if TYPE_CHECKING:
    from typing import Protocol

    class Driving(Protocol):
        """Who is told, in a callback of the loop."""

        loop: Any  #: that of asyncio
        given: int  #: bytes that were taken from carriers since the loop had a turn

        def came(self) -> None:
            """Bytes came, or the end of the stream."""

        def write_on(self, carrier: Carrier) -> None:
            """The system takes more of that one's."""

        def is_here(self) -> bool:
            """Whether this is the loop's thread."""
            ...

        def soon(self, act: Any) -> None:
            """Have the loop do it. From any thread. Raises RuntimeError: it is closed."""


_ROOM = 64 * 1024  # bytes; of one read
_NOW = getattr(socket, "MSG_DONTWAIT", 0)
_rooms = threading.local()


def _room() -> memoryview:
    """Where this thread's connections read into: what comes is taken out at once."""
    room: memoryview | None = getattr(_rooms, "room", None)
    if room is None:
        room = _rooms.room = memoryview(bytearray(_ROOM))
    return room


class Carrier(Wire):
    """A connected socket that asyncio reads and waits for; with a socket's methods.

    Arguments:
        sock: Connected and non-blocking.
        driver: Told when bytes came, or can be written.
        most: Bytes that may wait here unread; if there are more, asyncio reads no further.
    """

    __slots__ = (
        "_count", "_driver", "_error", "_has_ended", "_is_leaving", "_is_paused", "_looks_again",
        "_most", "_room", "_sock", "_transport", "_unread", "_writable",
    )  # fmt: skip

    def __init__(self, sock: socket.socket, driver: Driving, most: int) -> None:
        super().__init__(sock)
        self._most = most
        self._sock = sock
        self._driver = driver
        self._room = _room()
        self._transport: Any = None  # as asyncio.Transport; uvloop's is none
        self._unread: deque[bytes] = deque()
        self._count = 0
        self._writable: socket.socket | None = None  # what is watched for the socket
        self._looks_again = False  # in a while, for want of that
        self._is_paused = False
        self._is_leaving = False
        self._has_ended = False
        self._error: OSError | None = None

    def has_news(self) -> bool:
        """Whether a read has something to say."""
        return bool(self._unread) or self._has_ended

    def _read_on(self) -> None:
        if self._is_paused and self._count < self._most:
            self._is_paused = False
            if self._transport is not None and not self._transport.is_closing():
                self._transport.resume_reading()

    # Asyncio

    def connection_made(self, transport: Any) -> None:
        self._transport = transport

    def get_buffer(self, sizehint: int) -> memoryview:
        return self._room

    def buffer_updated(self, nbytes: int) -> None:
        self._unread.append(bytes(self._room[:nbytes]))
        self._count += nbytes
        if self._count >= self._most and self._transport is not None:
            self._transport.pause_reading()
            self._is_paused = True
        self._driver.came()

    def eof_received(self) -> bool:
        self._has_ended = True
        self._driver.came()
        return True  # we may still have something to say

    def connection_lost(self, exc: Exception | None) -> None:
        self._has_ended = True
        if isinstance(exc, OSError):
            self._error = exc
        self._transport = None
        self._watch_no_more()
        self._driver.came()

    def watch_writing(self) -> None:
        """Tell the driver when the system takes more.

        Of what asyncio would write for us, nobody could say how much the system has. It lets nobody
        else watch a transport's socket, but another descriptor of it.
        """
        if self._writable is None and self._transport is not None and not self._looks_again:
            loop = self._driver.loop
            try:
                self._writable = self._sock.dup()
                loop.add_writer(self._writable, self._is_writable)
            except (OSError, NotImplementedError):  # no descriptor is left; Windows' usual loop
                self._forget_writable()
                self._looks_again = True
                loop.call_later(AGAIN, self._is_writable)

    def _is_writable(self) -> None:
        self._looks_again = False
        self._watch_no_more()
        self._driver.write_on(self)

    def _watch_no_more(self) -> None:
        if self._writable is not None:
            with contextlib.suppress(RuntimeError):  # the loop is closed
                self._driver.loop.remove_writer(self._writable)
            self._forget_writable()

    def _forget_writable(self) -> None:
        writable, self._writable = self._writable, None
        if writable is not None:
            writable.close()

    # A wire

    def receive(self, size: int, waits: bool) -> bytes | None:
        """What came; empty at the end of the stream, None if nothing did. Raises OSError."""
        if not self._unread:
            if self._error is not None:
                raise self._error
            return b"" if self._has_ended else None
        data = self._unread.popleft()
        if len(data) > size:
            self._unread.appendleft(data[size:])
            data = data[:size]
        self._count -= len(data)
        self._driver.given += len(data)
        self._read_on()
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
        return Wire.send(self, data)

    # A socket

    def fileno(self) -> int:
        """The system's number of it."""
        return self._sock.fileno()

    def getsockopt(self, *arguments: int) -> Any:
        """What the socket says of its options."""
        sock: Any = self._sock  # whose stubs know two ways to call it
        return sock.getsockopt(*arguments)

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

    def close(self) -> None:
        """Give the socket back to the system: in the loop's next turn, if there is one."""
        if not self._driver.is_here():
            with contextlib.suppress(RuntimeError):  # the loop is closed
                self._driver.soon(self.close)
                return
        self._has_ended = True
        self._watch_no_more()
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
    driver: Driving,
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
