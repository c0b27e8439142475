"""Ctrl-C and SIGTERM: what the command does about them."""

from __future__ import annotations

import _thread
import contextlib
import os
import select
import signal
import sys
import threading
from collections.abc import Callable
from types import FrameType, TracebackType
from typing import Any

from . import exits

_STATUS = {signal.SIGINT: exits.INTERRUPTED, signal.SIGTERM: exits.TERMINATED}
_LOOK = 0.1  # seconds between two looks at whether standard error is still waited for
_hurries = threading.Event()  # what has no room on standard error is left out from now on


class Interrupts:
    """Has a signal close with the closing handshake; the next, or one before Ready, ends at once.

    The handler raises nothing: where it interrupts a finalizer, as there are in every import, an
    exception would be lost. It does so only while output is written, which may wait for its reader:
    at the second signal, or some time after the first. Nor is standard error waited for from then
    on, by any thread.

    Arguments:
        close: Begins the closing handshake, with 1000.
        end: Ends the connection at once.
        says: Gets a line for people.
        patience: Seconds that output may wait for its reader after the first signal.
    """

    def __init__(
        self,
        close: Callable[[], object],
        end: Callable[[], object],
        says: Callable[[str], object],
        patience: float,
    ) -> None:
        self.is_ready = False  #: whether there is a connection to be closed
        self.is_writing = False  #: whether output is written, and may wait for its reader
        self.status: int | None = None  #: the exit status, once there was one
        self._close, self._end, self._says = close, end, says
        self._patience = patience
        self._before: list[tuple[int, Any]] = []

    def __enter__(self) -> Interrupts:
        _hurries.clear()
        for number in _STATUS:
            self._before.append((number, signal.signal(number, self._interrupt)))
        if hasattr(signal, "SIGALRM"):
            before = signal.signal(signal.SIGALRM, self._leave_output)
            self._before.append((signal.SIGALRM, before))
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if hasattr(signal, "setitimer"):
            signal.setitimer(signal.ITIMER_REAL, 0)
        for number, handler in self._before:
            signal.signal(number, handler)

    def hurry(self) -> None:
        """Have nobody wait any more for who reads standard error."""
        _hurries.set()

    def unstick(self) -> None:
        """Interrupt output that waits for its reader: from another thread."""
        main = threading.main_thread().ident
        if self.is_writing and main is not None and hasattr(signal, "pthread_kill"):
            signal.pthread_kill(main, signal.SIGALRM)

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
        if is_first and self.is_ready:
            if hasattr(signal, "setitimer"):  # first of all: the others may wait
                signal.setitimer(signal.ITIMER_REAL, self._patience, 1)
            again = "Ctrl-C again" if number == signal.SIGINT else "another signal"
            self._says(f"closing; {again} ends at once")
            self._close()
            return
        signal.signal(signal.SIGINT, signal.default_int_handler)
        self.hurry()
        self._end()
        self._leave_output(number, frame)

    def _leave_output(self, number: int, frame: FrameType | None) -> None:
        self.hurry()
        if self.is_writing:
            raise KeyboardInterrupt


def tell(line: str) -> None:
    """Say it on standard error; not by its file object, which a signal may have interrupted."""
    if sys.stderr is not None:  # None where it was closed: its number may be a socket's now
        with contextlib.suppress(OSError, ValueError):
            number = sys.stderr.fileno()
            rest = memoryview(f"{line}\n".encode())
            if sys.platform == "win32":  # whose select knows sockets alone
                os.write(number, rest)
                return
            while rest and _has_room(number):
                rest = rest[os.write(number, rest[: select.PIPE_BUF]) :]


def _has_room(number: int) -> bool:
    """Wait until so many bytes can be written there at once; False if nobody waits for that."""
    while not select.select([], [number], [], 0.0 if _hurries.is_set() else _LOOK)[1]:
        if _hurries.is_set():
            return False
    return True
