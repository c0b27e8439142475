"""What a program posts to its own loop: kept until it is handed out, by whoever iterates.

From any thread, and from a signal handler that interrupted whatever: nothing in here takes a lock.
"""

from __future__ import annotations

import threading
from collections import deque
from typing import TYPE_CHECKING, Any

from ..system import forking

if TYPE_CHECKING:
    from .exchange import Exchange

_NOW = float("-inf")
_LONGEST = 3600.0  # seconds; of one wait


class Posts(deque[Any]):
    """What was posted, and not handed out yet. A child of this process has none of it."""

    __slots__ = ()
    __hash__ = object.__hash__  # type: ignore[assignment]  # it is itself, whatever it has
    __eq__ = object.__eq__

    def __init__(self) -> None:
        super().__init__()
        forking.watch(self)

    def forked(self) -> None:
        """We are in a child: it belongs to the parent."""
        self.clear()


class Bell:
    """Ends a wait that is for nothing but its end."""

    __slots__ = ("_gate",)

    def __init__(self) -> None:
        # Not an Event: whoever rings may have interrupted the thread that waits.
        self._gate = threading.Lock()
        self._gate.acquire()

    def ring(self) -> None:
        """End the wait, or the next one. From any thread."""
        try:  # noqa: SIM105  which would cost three calls
            self._gate.release()
        except RuntimeError:  # it rings already
            pass

    def wait(self, seconds: float) -> None:
        """Return when it rings, or after that time."""
        self._gate.acquire(True, min(max(seconds, 0.0), _LONGEST))


def hurry(exchange: Exchange, posts: Posts) -> None:
    """Have whoever iterates a connection hand out what was posted. From any thread."""
    # In this order, for who iterates does it in the other one: says what it waits for, and looks.
    exchange.session.timers.posted = posts
    exchange.connection.due = _NOW
    exchange.calm_until = _NOW
    exchange.wake()
