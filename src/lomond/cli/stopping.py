"""Ctrl-C and SIGTERM while a command runs: they end it in its own way, with their own status."""

from __future__ import annotations

import signal
import socket
import threading
from collections.abc import Callable
from types import FrameType, TracebackType
from typing import Any

from . import exits

_STATUSES = {signal.SIGINT: exits.INTERRUPTED, signal.SIGTERM: exits.TERMINATED}


class Stopping:
    """Has a signal asked to stop? Once is a wish; twice, of the same kind, is what it always was.

    The handler raises nothing: where it interrupts a finalizer, an exception would be lost.

    Arguments:
        act: Is called in the handler, and so must not wait, nor take a lock.
        wakes: A socket that does not block, to which a byte is written as soon as a signal comes:
            who reads at its other end is woken, also where another thread gets the signal, or it
            comes just before the wait.

    Attributes:
        status: The exit status, once a signal has come; None before.
    """

    def __init__(
        self, act: Callable[[], object] = bool, wakes: socket.socket | None = None
    ) -> None:
        self.status: int | None = None
        self._act = act
        self._wakes = wakes
        self._woken_before: int | None = None
        self._before: dict[signal.Signals, Any] = {}

    def __enter__(self) -> Stopping:
        if threading.current_thread() is threading.main_thread():  # others may not ask for signals
            for number in _STATUSES:
                self._before[number] = signal.signal(number, self._stop)
            if self._wakes is not None:
                descriptor = self._wakes.fileno()
                self._woken_before = signal.set_wakeup_fd(descriptor, warn_on_full_buffer=False)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._woken_before is not None:
            signal.set_wakeup_fd(self._woken_before)
        for number, before in self._before.items():
            signal.signal(number, before)

    def _stop(self, number: int, frame: FrameType | None) -> None:
        found = signal.Signals(number)
        self.status = self.status or _STATUSES[found]
        signal.signal(found, self._before[found])
        self._act()
