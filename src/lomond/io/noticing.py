"""Notices that an exit event is set: at once where that can be had, or ten times a second."""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic
from typing import Any

LOOK = 0.1  # seconds between two looks at an event that nobody can wait for
_NEVER = float("inf")
_COROUTINE = 0x80  # of a code's flags, as inspect.CO_COROUTINE, whose module is a large one


def is_async(function: object) -> bool:
    """Whether it is defined with ``async def``."""
    code = getattr(getattr(function, "__func__", function), "__code__", None)
    return bool(getattr(code, "co_flags", 0) & _COROUTINE)


class Notice:
    """What is known of an exit event.

    Arguments:
        event: A ``threading.Event``, an ``asyncio.Event``, or what is like them; None for none.
        wake: Called by the event loop when an event of its own is set; None where none runs.

    Attributes:
        is_told: Whether `wake` will be called: nobody has to look.
    """

    def __init__(self, event: Any, wake: Callable[[], object] | None = None) -> None:
        self._event: Any = event
        self._wake = wake
        self._happened = False
        self._waiting: Any = None
        self.is_told = event is None
        if event is not None and wake is not None and is_async(event.wait):
            self._listen()

    def _listen(self) -> None:
        # No task: one that is cancelled lives for a turn of the loop longer than the connection.
        waiting = self._event.wait()
        try:
            future = waiting.send(None)
        except StopIteration:
            self._happened = self.is_told = True
            return
        if not hasattr(future, "add_done_callback"):
            waiting.close()
            return
        future._asyncio_future_blocking = False  # as whoever takes it from a coroutine says
        future.add_done_callback(self._heard)
        self._waiting = waiting
        self.is_told = True

    def _heard(self, _: object) -> None:
        self._happened = True
        if self._wake is not None:
            self._wake()

    def is_set(self) -> bool:
        """Whether it is set, or was since."""
        return self._happened or (self._event is not None and bool(self._event.is_set()))

    def has_news(self) -> bool:
        """Whether it was set, without asking the event."""
        return self._happened

    def close(self) -> None:
        """Nothing is wanted to be known any more."""
        waiting, self._waiting = self._waiting, None
        self._wake = None
        self._event = None
        self._happened = False
        if waiting is not None:
            waiting.close()


class Look:
    """A look at something outside, while a connection waits.

    Arguments:
        act: What to do.
        notice: Of the event that is looked for.

    Attributes:
        at: When to look again, monotonic seconds.
    """

    __slots__ = ("_act", "_notice", "at")

    def __init__(self, act: Callable[[], object], notice: Notice) -> None:
        self._act = act
        self._notice = notice
        self.at = _NEVER if notice.is_told else monotonic() + LOOK

    def now(self) -> None:
        """The wait is over: look, if it is time to."""
        if self._notice.has_news():
            self._act()
        elif self.at != _NEVER and (now := monotonic()) >= self.at:
            self.at = now + LOOK
            self._act()
