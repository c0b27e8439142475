"""Handlers of signals for the time of a block."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
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


@contextmanager
def alarm_once(is_time: Callable[[], bool]) -> Iterator[None]:
    """Have this thread get SIGALRM as soon as that is so, however busy the machine is."""
    me = threading.get_ident()
    is_over = threading.Event()

    def watch() -> None:
        while not is_time():
            if is_over.wait(0.001):
                return
        signal.pthread_kill(me, signal.SIGALRM)

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield
    finally:
        is_over.set()
        thread.join()
