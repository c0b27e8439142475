"""Ctrl-C and SIGTERM: what the command does about them."""

from __future__ import annotations

import _thread
import contextlib
import os
import signal
import sys
import threading
from collections.abc import Callable
from types import FrameType, TracebackType
from typing import Any

from . import exits

_STATUS = {signal.SIGINT: exits.INTERRUPTED, signal.SIGTERM: exits.TERMINATED}


class Interrupts:
    """Has a signal close with the closing handshake; the next, or one before Ready, ends at once.

    The handler raises nothing: where it interrupts a finalizer, as there are in every import, an
    exception would be lost. It does so only while output waits for its reader, where it is needed.

    Arguments:
        close: Begins the closing handshake, with 1000.
        end: Ends the connection at once.
        says: Gets a line for people.
    """

    def __init__(
        self,
        close: Callable[[], object],
        end: Callable[[], object],
        says: Callable[[str], object],
    ) -> None:
        self.is_ready = False  #: whether there is a connection to be closed
        self.is_stuck = False  #: whether output waits for its reader
        self.status: int | None = None  #: the exit status, once there was one
        self._close, self._end, self._says = close, end, says
        self._before: list[tuple[int, Any]] = []

    def __enter__(self) -> Interrupts:
        for number in _STATUS:
            self._before.append((number, signal.signal(number, self._interrupt)))
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        for number, handler in self._before:
            signal.signal(number, handler)

    def unstick(self) -> None:
        """Interrupt output that waits for its reader: from another thread."""
        if self.is_stuck and hasattr(signal, "pthread_kill"):
            self.interrupt()

    def interrupt(self) -> None:
        """Do as at a Ctrl-C: from another thread."""
        main = threading.main_thread().ident
        if main is not None and hasattr(signal, "pthread_kill"):
            signal.pthread_kill(main, signal.SIGINT)
        else:
            _thread.interrupt_main()

    def _interrupt(self, number: int, frame: FrameType | None) -> None:
        is_first = self.status is None
        if is_first:
            self.status = _STATUS[signal.Signals(number)]
        if self.is_stuck:
            raise KeyboardInterrupt
        if is_first and self.is_ready:
            self._says("closing; Ctrl-C again ends at once")
            self._close()
            return
        signal.signal(signal.SIGINT, signal.default_int_handler)
        self._end()


def tell(line: str) -> None:
    """Say it on standard error; not by its file object, which a signal may have interrupted."""
    if sys.stderr is not None:  # None where it was closed: its number may be a socket's now
        with contextlib.suppress(OSError, ValueError):
            os.write(sys.stderr.fileno(), f"{line}\n".encode())
