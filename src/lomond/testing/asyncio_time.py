"""Has event loops of asyncio go by the clock of a pretend world: any that runs in its thread."""

from __future__ import annotations

import asyncio
import heapq
from asyncio.base_events import BaseEventLoop
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from .world import World


class AsyncioTime:
    """The loops that have run in a world.

    Arguments:
        world: Whose clock.
    """

    def __init__(self, world: World) -> None:
        self._world = world
        self._loops: dict[Any, list[Any]] = {}  # with the timers that go by real time
        self._task: asyncio.Task[Any] | None = None  # in which the block is
        self._cancels = 0  # of that task, by us

    def enter(self, put: Callable[[Any, str, Any], None]) -> None:
        """Have each loop go by it from its next turn on, and the one that runs from now on.

        Arguments:
            put: Sets an attribute, until the block is left.

        Raises:
            RuntimeError: The loop that runs can't.
        """
        turn: Any = BaseEventLoop._run_once  # type: ignore[attr-defined]  # each turn of each loop
        shutdown: Any = BaseEventLoop.shutdown_default_executor
        loops, world = self._loops, self._world

        async def shut_down(loop: Any, *timeout: Any) -> None:
            # Its threads take real time: the world's clock would jump to the end of their timeout.
            await (shutdown(loop) if loop in loops else shutdown(loop, *timeout))

        def run_once(loop: Any) -> None:
            if loop not in loops and world.is_here():
                self._pretend(loop, False)
            turn(loop)

        running = asyncio._get_running_loop()
        if running is not None:
            self._check(running)
            self._task = asyncio.current_task(running)
            self._pretend(running, True)
        put(BaseEventLoop, "_run_once", run_once)
        put(BaseEventLoop, "shutdown_default_executor", shut_down)

    def look_around(self) -> None:
        """Raise RuntimeError unless the loop that runs, if any, goes by the world's clock."""
        running = asyncio._get_running_loop()
        if running is not None:
            self._check(running)

    def leave(self, error: BaseException | None) -> bool:
        """Have them go by real time again; whether an exception is our cancelling of the block."""
        for loop, kept in self._loops.items():
            if not loop.is_closed():
                self._restore(loop, kept)
        self._loops.clear()
        task, self._task = self._task, None
        if not self._cancels or task is None:
            return False
        for _ in range(self._cancels):
            task.uncancel()
        return isinstance(error, asyncio.CancelledError)

    def _check(self, loop: Any) -> None:
        if not isinstance(loop, BaseEventLoop):
            kind = f"{type(loop).__module__}.{type(loop).__qualname__}"
            raise RuntimeError(
                f"the event loop that runs is no loop of asyncio's own, but a {kind}, whose waits "
                "can't be pretended; run this test with asyncio's"
            )

    def _pretend(self, loop: Any, is_entered: bool) -> None:
        """Have a loop go by the world's clock.

        Arguments:
            is_entered: It ran before: its timers are those of who tests, and stay real.
        """
        from .seams import PretendSelector

        world = self._world
        kept: list[Any] = []
        if is_entered:
            kept, loop._scheduled = loop._scheduled, []
        else:
            _shift(loop, world.now - loop.time())
        halt = self._halt if is_entered and self._task is not None else None
        loop._selector = PretendSelector(world, loop._selector, lambda: bool(loop._ready), halt)
        loop.time = world.monotonic
        self._loops[loop] = kept

    def _restore(self, loop: Any, kept: list[Any]) -> None:
        loop._selector = loop._selector.inner
        del loop.time
        _shift(loop, loop.time() - self._world.now)
        loop._scheduled += kept
        heapq.heapify(loop._scheduled)
        loop._timer_cancelled_count = sum(timer.cancelled() for timer in loop._scheduled)

    def _halt(self) -> None:
        if self._task is not None and self._cancels == 0:
            self._cancels += 1
            self._task.cancel("the pretend world is over")


def _shift(loop: Any, seconds: float) -> None:
    for timer in loop._scheduled:
        timer._when += seconds
