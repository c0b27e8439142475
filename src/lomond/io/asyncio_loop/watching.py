"""A connected socket that asyncio's loop watches, so that we read what comes when it is wanted."""

from __future__ import annotations

import contextlib
import os
import socket
from typing import TYPE_CHECKING, Any

from ...system import forking

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..driving import Driver

_NOW = getattr(socket, "MSG_DONTWAIT", 0)


class LoopSocket:
    """A connected socket that belongs to an event loop; with the methods of one.

    Arguments:
        sock: Connected and non-blocking.
        driver: Goes on when there is something to read.

    Attributes:
        has_news: Whether a read has something to say.
    """

    __slots__ = ("_driver", "_sock", "_told", "has_news")

    def __init__(self, sock: socket.socket, driver: Driver) -> None:
        self._sock = sock
        self._driver = driver
        self._told: Callable[[LoopSocket], object] | None = None  # when the system takes more
        self.has_news = False

    def watch(self) -> None:
        """Have the driver go on when there is something to read, if it does not already."""

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

    The loop tells in each of its turns that there is something, until it is read: so nothing is
    lost where an exception of a signal's handler comes between two lines. What nobody reads when
    it is told is not watched any more, until somebody waits for it.
    """

    __slots__ = ("_is_paused", "_is_watched", "_lineage")

    def __init__(self, sock: socket.socket, driver: Driver) -> None:
        super().__init__(sock, driver)
        self._is_watched = False
        self._is_paused = False  # which the driver counts
        self._lineage = forking.count

    def watch(self) -> None:
        """Have the driver go on when something came. Raises NotImplementedError: the loop can't."""
        if not self._is_watched and self._sock.fileno() >= 0:
            self._driver.loop.add_reader(self._sock, self._is_readable)
            self._is_watched = True
        self._pause_no_more()

    def _pause_no_more(self) -> None:
        if self._is_paused:
            self._is_paused = False
            self._driver.paused -= 1

    def _is_readable(self) -> None:
        driver = self._driver
        steps = driver.steps
        try:
            self.has_news = True
            driver.go_on()
        finally:
            self.has_news = False
        if driver.steps == steps and self._is_watched:
            # Nobody has read: it would be told in every turn.
            if not self._is_paused:
                driver.paused += 1
                self._is_paused = True
            self._watch_no_more()

    def _watch_no_more(self) -> None:
        # A second time does no harm where an exception of a signal's handler comes between.
        with contextlib.suppress(RuntimeError):  # the loop is closed
            self._driver.loop.remove_reader(self._sock)
        self._is_watched = False

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
        with contextlib.suppress(RuntimeError):  # the loop is closed
            self._driver.loop.remove_writer(self._sock)
        self._told = None

    def give_back(self) -> None:
        if self._lineage != forking.count:
            # Of the parent's loop nothing is changed: what watches there is the parent's too.
            number = self._sock.detach()
            if number >= 0:
                os.close(number)
            return
        self._pause_no_more()
        if self._sock.fileno() >= 0:
            self._watch_no_more()
            self._watch_writing_no_more()
            self._sock.close()
