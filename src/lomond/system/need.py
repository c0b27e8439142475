"""What work in progress waits for, and what ends the wait. Whoever waits is another room's."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Protocol


class Waking(Protocol):
    """What ends the wait of whoever iterates."""

    def wake(self) -> None:
        """End it, from any thread. Never blocks, never raises."""


class Awaited:
    """What the user's task awaits while it waits for the next event.

    Arguments:
        act: Gives what to await; called anew where that was cancelled with its task, or given up.

    Attributes:
        is_done: Whether it is over.
        result: What it gave.
        error: What it raised, or None.
    """

    __slots__ = ("_act", "error", "is_done", "result")

    def __init__(self, act: Callable[[], Awaitable[Any]]) -> None:
        self._act = act
        self.is_done = False
        self.result: Any = None
        self.error: Exception | None = None

    async def perform(self) -> None:
        """Await it, once. What cancels the task is raised; whatever else, is the outcome."""
        if self.is_done:
            return  # who waits for it has not had its turn yet
        try:
            self.result = await self._act()
        except Exception as error:
            self.error = error
        self.is_done = True


class Need:
    """What work in progress waits for. A wake-up ends the wait too, and so may nothing at all.

    Arguments:
        until: At most till then, monotonic seconds; None for no limit.
        readable: Sockets, or what stands for them, of which one is to be readable.
        writable: Sockets of which one is to be writable.

    Attributes:
        ready: Those of `writable` that are; set by whoever waited.
        looked_at: A moment at which, or later, nothing was there to be read; None where a read
            tells that. Whoever waits sets it where a read only tells what somebody else has read.
        awaited: What the user's task is to await meanwhile, or None.
    """

    __slots__ = ("awaited", "looked_at", "readable", "ready", "until", "writable")

    def __init__(
        self,
        until: float | None,
        readable: tuple[Any, ...] = (),
        writable: tuple[Any, ...] = (),
    ) -> None:
        self.until = until
        self.readable = readable
        self.writable = writable
        self.ready: list[Any] = []
        self.looked_at: float | None = None
        self.awaited: Awaited | None = None


def joined(needs: list[Need]) -> Need:
    """One for all of them; `share` tells each what came of it."""
    untils = [need.until for need in needs if need.until is not None]
    both = Need(
        min(untils, default=None),
        tuple({sock: None for need in needs for sock in need.readable}),
        tuple({sock: None for need in needs for sock in need.writable}),
    )
    both.awaited = next((need.awaited for need in needs if need.awaited is not None), None)
    return both


def share(both: Need, needs: list[Need]) -> None:
    """Tell those that were joined what came of the wait."""
    for need in needs:
        need.ready = [sock for sock in both.ready if sock in need.writable]
        need.looked_at = both.looked_at
