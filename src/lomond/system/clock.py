"""The clocks of a connection, and the one switch that gives a thread others: a pretend world's.

The compiled twin has its own clock.pyx, which makes no object of a time.
"""

from __future__ import annotations

import threading
import time as _time
from collections.abc import Callable
from functools import partial
from typing import Any, Protocol

from ..protocol.events import time as time
from ..protocol.input import Clock


class Clocks(Protocol):
    """What stands for the clocks of the system."""

    def monotonic(self) -> float:
        """Seconds on a clock that nobody sets."""
        ...

    def time(self) -> float:
        """Seconds since the epoch."""
        ...


_worlds: dict[int, Clocks] = {}  # by the numbers of the threads that are in one
_switching = threading.RLock()
#: A partial costs nothing beside what it calls, and that can be another function for all who have
#: imported it.
monotonic = partial(_time.monotonic)


class _Coarse(Clock):
    """Whether moments have come, by the clock of `monotonic`; of the compiled twin, a tick late."""

    __slots__ = ()

    def has_come(self, moment: float) -> bool:
        return monotonic() >= moment


coarse = _Coarse()


def pretend(clocks: Clocks | None) -> Clocks | None:
    """Have this thread go by other clocks, or by the system's again; those that it went by before.

    For tests. Who was told what was there before gives that back, the innermost first.
    """
    me = threading.get_ident()
    with _switching:
        before = _worlds.pop(me, None)
        if clocks is not None:
            _worlds[me] = clocks
        _turn(monotonic, _monotonic if _worlds else _time.monotonic)
        _turn(time, _wall if _worlds else _time.time)
    return before


def _turn(clock: Any, act: Callable[[], float]) -> None:
    clock.__setstate__((act, (), None, None))


def _monotonic() -> float:
    clocks = _worlds.get(threading.get_ident())
    return _time.monotonic() if clocks is None else clocks.monotonic()


def _wall() -> float:
    clocks = _worlds.get(threading.get_ident())
    return _time.time() if clocks is None else clocks.time()
