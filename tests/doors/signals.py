"""Handlers of signals for the time of a block."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def handled(number: int, handler: object) -> Iterator[None]:
    """Calls that handler of the signal; before and after it, what was there."""
    before = signal.signal(number, handler)  # type: ignore[arg-type]  # any callable
    try:
        yield
    finally:
        signal.signal(number, before)


@contextmanager
def alarm(seconds: float, handler: object) -> Iterator[None]:
    """Calls that handler after so many seconds; 0 for none before the block sets a timer."""
    with handled(signal.SIGALRM, handler):
        signal.setitimer(signal.ITIMER_REAL, seconds)
        try:
            yield
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
