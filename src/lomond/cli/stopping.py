"""Ctrl-C and SIGTERM while a command runs: they end it in its own way, with their own status."""

from __future__ import annotations

import signal
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

    Attributes:
        status: The exit status, once a signal has come; None before.
    """

    def __init__(self, act: Callable[[], object]) -> None:
        self.status: int | None = None
        self._act = act
        self._before: dict[signal.Signals, Any] = {}

    def __enter__(self) -> Stopping:
        if threading.current_thread() is threading.main_thread():  # others may not ask for signals
            for number in _STATUSES:
                self._before[number] = signal.signal(number, self._stop)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        for number, before in self._before.items():
            signal.signal(number, before)

    def _stop(self, number: int, frame: FrameType | None) -> None:
        found = signal.Signals(number)
        self.status = self.status or _STATUSES[found]
        signal.signal(found, self._before[found])
        self._act()
