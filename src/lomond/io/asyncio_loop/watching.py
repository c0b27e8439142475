"""A connected socket that asyncio's loop watches, so that we read what comes when it is wanted."""

from __future__ import annotations

import contextlib
import os
import socket
from typing import TYPE_CHECKING, Any

from ...system import forking
from ...system.wire import Wire

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..driving import Driver

_NOW = getattr(socket, "MSG_DONTWAIT", 0)


class LoopSocket(Wire):
    """A connected socket that belongs to an event loop; with a socket's methods.

    Arguments:
        sock: Connected and non-blocking.
        driver: Goes on when bytes came.

    Attributes:
        has_news: Whether a read has something to say. The driver counts those that have.
    """

    __slots__ = ("_driver", "_sock", "_told", "has_news")

    def __init__(self, sock: socket.socket, driver: Driver) -> None:
        super().__init__(sock)
        self._sock = sock
        self._driver = driver
        self._told: Callable[[LoopSocket], object] | None = None  # when the system takes more
        self.has_news = False

    def tell_news(self) -> None:
        """A read has something to say."""
        if not self.has_news:
            self.has_news = True
            self._driver.news += 1

    def tell_no_more(self) -> None:
        """A read has nothing to say."""
        if self.has_news:
            self.has_news = False
            self._driver.news -= 1

    def watch_writing(self, tell: Callable[[LoopSocket], object]) -> None:
        """Tell somebody, in a callback of the loop, when the system takes more."""
        raise NotImplementedError

    def give_back(self) -> None:
        """Close the socket, in the loop's thread or after the loop's end."""
        raise NotImplementedError

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
        return self._sock.recv(size, flags | _NOW)

    def shutdown(self, how: int) -> None:
        """End a direction, or both."""
        self._sock.shutdown(how)

    def close(self) -> None:
        """Give the socket back to the system: in the loop's thread."""
        if not self._driver.is_here():
            with contextlib.suppress(RuntimeError):  # the loop is closed
                self._driver.soon(self.give_back)
                return
        self.give_back()


class WatchedSocket(LoopSocket):
    """One that the loop only watches: nothing of what comes is read before somebody wants it.

    The loop tells again in each turn that there is something, until it is read: so nothing is lost
    where an exception of a signal's handler comes between two lines. Where nobody wants it, it is
    not watched until somebody does.
    """

    __slots__ = ("_is_left", "_is_read", "_is_watched", "_lineage")

    def __init__(self, sock: socket.socket, driver: Driver) -> None:
        super().__init__(sock, driver)
        self._is_left = False  # at the end of the stream, or of our use: not watched any more
        self._is_read = True  # since the loop told that there is something
        self._is_watched = False
        self._lineage = forking.count

    def watch(self) -> None:
        """Have the loop watch it. Raises NotImplementedError: it can't."""
        self._driver.loop.add_reader(self._sock, self._is_readable)
        self._is_watched = True

    def _is_readable(self) -> None:
        if not (self._is_read or self._is_left):
            self._watch_no_more()  # or it would be told in every turn, for nothing
        self._is_read = False
        driver = self._driver
        if not self.has_news:  # as `tell_news`, without a call
            self.has_news = True
            driver.news += 1
        driver.go_on()

    def _watch_no_more(self) -> None:
        if self._is_watched:
            self._is_watched = False
            with contextlib.suppress(RuntimeError):  # the loop is closed
                self._driver.loop.remove_reader(self._sock)

    def _leave(self) -> None:
        """The stream is over, and says so in every read; the loop would do it in every turn."""
        self._is_left = True
        self._watch_no_more()
        self.tell_news()

    def _has_read(self, count: int, size: int) -> None:
        """A read has given so many bytes of those it was asked for; none at all if less than 0."""
        self._is_read = True
        if count == size:
            pass  # there may be more
        elif count == 0:
            self._leave()
        elif not self._is_left:
            if self.has_news:  # as `tell_no_more`, without a call
                self.has_news = False
                self._driver.news -= 1
            if not self._is_watched:
                with contextlib.suppress(RuntimeError):  # the loop is closed
                    self.watch()
        if count > 0:
            self._driver.given += count

    # A wire

    def receive(self, size: int, waits: bool) -> bytes | None:
        """What came; empty at the end of the stream, None if nothing did. Raises OSError."""
        try:
            data = Wire.receive(self, size, False)
        except OSError:
            self._leave()
            raise
        self._has_read(-1 if data is None else len(data), size)
        return data

    def receive_apart(self, size: int, waits: bool) -> bytes | None:
        """What came, as `receive` has it; whose memory is nobody else's."""
        try:
            data = Wire.receive_apart(self, size, False)
        except OSError:
            self._leave()
            raise
        self._has_read(-1 if data is None else len(data), size)
        return data

    def receive_into(self, room: memoryview, waits: bool) -> int:
        """Read into the room; the number of bytes, -1 if nothing came. Raises OSError."""
        try:
            count = Wire.receive_into(self, room, False)
        except OSError:
            self._leave()
            raise
        self._has_read(count, len(room))
        return count

    def watch_writing(self, tell: Callable[[LoopSocket], object]) -> None:
        if self._told is None and self._sock.fileno() >= 0:
            self._told = tell
            self._driver.loop.add_writer(self._sock, self._is_writable)

    def _is_writable(self) -> None:
        told = self._told
        self._watch_writing_no_more()
        if told is not None:
            told(self)

    def _watch_writing_no_more(self) -> None:
        if self._told is not None:
            self._told = None
            with contextlib.suppress(RuntimeError):  # the loop is closed
                self._driver.loop.remove_writer(self._sock)

    def give_back(self) -> None:
        if self._lineage != forking.count:
            # Of the parent's loop nothing is changed: what watches there is the parent's too.
            number = self._sock.detach()
            if number >= 0:
                os.close(number)
            return
        self._is_left = True
        self._watch_no_more()
        self._watch_writing_no_more()
        self.tell_no_more()  # to nobody
        self._sock.close()
