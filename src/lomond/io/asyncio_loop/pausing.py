"""What a task of asyncio's waits for when it goes on at once, within the callback that ends that.

A future of asyncio has the task go on in the loop's next turn, which for most events is as dear as
all the rest. To a task this is a future too: `asyncio.isfuture` says what it needs of one.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from ..driving import Pause

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextvars import Context


class TaskPause(Pause):
    """One wait after another, of one task at a time.

    An exception of a signal's handler may come between any two lines here. The task then waits on,
    and the next `end`, or `cancel`, still finds it: it is only forgotten when it has gone on.

    Arguments:
        loop: The task's.
    """

    __slots__ = (
        "_asyncio_future_blocking", "_context", "_go_on", "_is_cancelled", "_loop", "_message",
    )  # fmt: skip

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._asyncio_future_blocking: bool = False
        self._loop = loop
        self._go_on: Callable[[Any], object] | None = None
        self._context: Context | None = None
        self._is_cancelled: bool = False
        self._message: Any = None

    def end(self, at_once: bool) -> None:
        # To go on, the task asks for the result, and is forgotten here: this may be the last that
        # knows it. One that is told twice waits anew, and looks.
        go_on = self._go_on
        if go_on is None:
            return
        if at_once and self._context is not None:
            self._context.run(go_on, self)
        else:
            self._loop.call_soon(self._later)

    def _later(self) -> None:
        go_on = self._go_on
        if go_on is None:
            return
        if self._context is None:
            go_on(self)
        else:
            self._context.run(go_on, self)

    # What is awaited

    def __await__(self) -> Iterator[TaskPause]:
        self._is_cancelled = False
        self._asyncio_future_blocking = True
        return iter((self,))

    # What a task needs of a future

    def get_loop(self) -> asyncio.AbstractEventLoop:
        return self._loop

    def add_done_callback(self, go_on: Callable[[Any], object], *, context: Any = None) -> None:
        self._go_on = go_on
        self._context = context

    def cancel(self, msg: Any = None) -> bool:
        if self._go_on is None:
            return False
        self._is_cancelled = True
        self._message = msg
        self.end(False)
        return True

    def result(self) -> None:
        self._go_on = None
        if self._is_cancelled:
            self._is_cancelled = False
            raise asyncio.CancelledError(*([] if self._message is None else [self._message]))
