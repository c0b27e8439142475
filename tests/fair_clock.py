"""A clock for upper bounds, which counts what this process was given by a busy machine."""

from __future__ import annotations

import threading
from collections.abc import Callable
from types import TracebackType

TICK = 0.005  # seconds


class FairClock:
    """Seconds as a thread sees them that sleeps and wakes again: never more than have passed.

    While other processes have the processors, it stands nearly still. So an upper bound judges
    the code, whatever else the machine does; a lower bound wants the time that has passed.

    Arguments:
        limit: Seconds of its time after which it acts, once.
        act: What it does then.
    """

    def __init__(
        self, limit: float = float("inf"), act: Callable[[], object] = lambda: None
    ) -> None:
        self._limit = limit
        self._act = act
        self._ticks = 0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._count, daemon=True)

    def __enter__(self) -> FairClock:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._over.set()
        self._thread.join()

    def _count(self) -> None:
        while not self._over.wait(TICK):
            self._ticks += 1
            if self.now() >= self._limit:
                self._limit = float("inf")
                self._act()

    def now(self) -> float:
        """Seconds since it was entered."""
        return self._ticks * TICK
