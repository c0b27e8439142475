"""The asyncio door: a WebSocket that is iterated by a task. Decides nothing about the protocol."""

from __future__ import annotations

import warnings
from collections.abc import Callable

from . import rows, settable
from .awaited import Awaited
from .door import start_closing
from .io.driving import Driver
from .io.upcoming import Upcoming

__all__ = ["AsyncWebSocket", "Events"]


class Events(Upcoming):
    """The events of a connection, for ``async for``; `AsyncWebSocket.connect` makes it."""

    __slots__ = ("__weakref__", "_is_guarded", "_leaving")

    def __init__(self, driver: Driver, is_guarded: Callable[[], bool]) -> None:
        super().__init__(driver)
        self._leaving = driver
        self._is_guarded = is_guarded

    async def aclose(self) -> None:
        """Leave the connection: say so to the server if that needs no waiting; free the socket."""
        self._leaving.stop()

    def __del__(self) -> None:
        if self._leaving.drop() and not self._is_guarded():
            warnings.warn(
                "the events of an AsyncWebSocket were dropped before their end; write "
                "'async with websocket:' around the loop, or await events.aclose()",
                ResourceWarning,
                stacklevel=2,
                source=self,
            )


class AsyncWebSocket(Awaited[Events, Driver]):
    """A WebSocket connection as an orderly stream of events, for asyncio.

    ``async for`` connects, and gives an event for whatever happens, until the connection is over;
    the object may be iterated again, for a new connection each time. The methods that send or close
    are to be awaited; several tasks may send. Cancelled, a send leaves its message to be written,
    and a wait for the next event loses none.

    While the task that iterates is elsewhere, the event loop goes on for it: pings are answered and
    sent, up to 16 events wait for the task, of at most 64 KiB beside the newest, then no more is
    read. (`WebSocket`, without an event loop, does that only while it is iterated or sends.)

    ``async with`` closes the connection when the block is left; without it, call ``aclose()`` on
    what `connect` gives. A dropped iterator closes too, with a ResourceWarning.

    Example:
        >>> async def main():
        ...     async with AsyncWebSocket("wss://example.org/feed") as websocket:
        ...         async for event in websocket:
        ...             if event.name == "ready":
        ...                 await websocket.send_text("hello")

    Any option may be given by its name, and the first nine by their place, as for `WebSocket`.

    Options: as OPTIONS.md has them.

    Raises:
        ValueError, TypeError, ImportError: As `WebSocket`.
    """

    _is_entered = False
    _driver: Driver | None = None  # of the current iterator, which it does not keep alive
    _unshared = (*Awaited._unshared, "_is_entered", "_driver")

    def _driver_made(self) -> Driver:
        return Driver()

    def _events(self, driver: Driver) -> Events:
        self._driver = driver
        return Events(driver, self._is_guarded)

    def _is_guarded(self) -> bool:
        """Whether the end of a block will close the connection."""
        return self._is_entered

    async def _close(self, code: int | None, reason: str | bytes | None) -> None:
        start_closing(self, code, reason)

    async def __aenter__(self) -> AsyncWebSocket:
        self._is_entered = True
        return self

    async def __aexit__(self, *error: object) -> None:
        self._is_entered = False
        driver, self._driver = self._driver, None
        if driver is not None:
            driver.stop()
        exchange = self._exchange
        if exchange is not None:
            exchange.leave()


rows.document(AsyncWebSocket, settable.BY_GROUP)
