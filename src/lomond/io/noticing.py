"""Notices that an exit event is set: at once where that can be had, or ten times a second."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from ..system.clock import monotonic

LOOK = 0.1  # seconds between two looks at an event that nobody can wait for
_NEVER = float("inf")
_COROUTINE = 0x80  # of a code's flags, as inspect.CO_COROUTINE, whose module is a large one

Listen = Callable[[Any, Callable[[], None]], Callable[[], object] | None]


def is_async(function: object) -> bool:
    """Whether it is defined with ``async def``."""
    code = getattr(getattr(function, "__func__", function), "__code__", None)
    return bool(getattr(code, "co_flags", 0) & _COROUTINE)


def listen_on_asyncio(event: Any, heard: Callable[[], None]) -> Callable[[], object] | None:
    """Have asyncio call a function; what ends that. None: it was called, or never will be."""
    # No task: one that is cancelled lives for a turn of the loop longer than the connection.
    waiting: Any = event.wait()
    try:
        future = waiting.send(None)
    except StopIteration:
        heard()
        return None
    if not hasattr(future, "add_done_callback"):
        waiting.close()
        return None
    future._asyncio_future_blocking = False  # as whoever takes it from a coroutine says
    future.add_done_callback(partial(_hear, heard))
    close: Callable[[], object] = waiting.close
    return close


def _hear(heard: Callable[[], None], _: object) -> None:
    heard()


class Notice:
    """What is known of an exit event.

    Arguments:
        event: A ``threading.Event``, an ``asyncio.Event``, or what is like them; None for none.
        wake: Called by the event loop when an event of its own is set; None where none runs.
        listen: Has the loop call a function when an event of its own is set. Gives what ends that;
            None where it was called already, or the event is none of the loop's.

    Attributes:
        is_told: Whether `wake` will be called: nobody has to look.
    """

    def __init__(
        self,
        event: Any,
        wake: Callable[[], object] | None = None,
        listen: Listen = listen_on_asyncio,
    ) -> None:
        self._event: Any = event
        self._wake = wake
        self._happened = False
        self._hush: Callable[[], object] | None = None  # what ends the listening
        self.is_told = event is None
        if event is not None and wake is not None and is_async(event.wait):
            self._hush = listen(event, self._heard)
            self.is_told = self._hush is not None or self._happened

    def _heard(self) -> None:
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
        hush, self._hush = self._hush, None
        self._wake = None
        self._event = None
        self._happened = False
        if hush is not None:
            hush()


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
