"""How much time is left: each wait has a deadline of its own, and all together may have one."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from time import monotonic
from typing import Generic, TypeVar

Result = TypeVar("Result")


class OverdueError(Exception):
    """The time for all is over."""


class Allowance:
    """What is left of the time for all.

    Arguments:
        seconds: For all together; None for no limit.
    """

    def __init__(self, seconds: float | None) -> None:
        self._seconds = seconds
        self._ends_at = None if seconds is None else monotonic() + seconds

    @property
    def is_over(self) -> bool:
        """Whether nothing is left."""
        return self._ends_at is not None and monotonic() >= self._ends_at

    def of(self, seconds: float, share: float = 1.0) -> float:
        """The seconds, or that share of what is left of all. Raises OverdueError for nothing."""
        left = self.left_of(seconds, share)
        if left <= 0:
            raise OverdueError(f"the {self._seconds:g} s of --timeout are over")
        return left

    def left_of(self, seconds: float, share: float = 1.0) -> float:
        """The seconds, or that share of what is left of all, which may be nothing."""
        left = seconds if self._ends_at is None else (self._ends_at - monotonic()) * share
        return max(0.0, min(seconds, left))


class Beside(Generic[Result]):
    """A call in a daemon thread of its own, because nothing else can end the wait for it.

    Arguments:
        call: What to call; OSError and ValueError are kept as its result.
    """

    def __init__(self, call: Callable[[], Result]) -> None:
        self._call = call
        self._results: queue.Queue[tuple[Result | OSError | ValueError, float]] = queue.Queue()
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self) -> None:
        began = monotonic()
        result: Result | OSError | ValueError
        try:
            result = self._call()
        except (OSError, ValueError) as error:
            result = error
        self._results.put((result, monotonic() - began))

    def result(self, seconds: float) -> tuple[Result | OSError | ValueError, float]:
        """What it gave or raised, and how long it took; a TimeoutError after so many seconds."""
        began = monotonic()
        try:
            return self._results.get(timeout=max(0.0, seconds))
        except queue.Empty:
            return TimeoutError(f"no answer within {seconds:.3g} s"), monotonic() - began
