"""The asyncio door: a WebSocket that is iterated by a task. Decides nothing about the protocol."""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress

from . import rows, settable
from .awaited import Awaited, Events
from .io.asyncio_loop.driver import AsyncioDriver

__all__ = ["AsyncWebSocket", "Events"]


@asynccontextmanager
async def _limit(seconds: float) -> AsyncGenerator[None, None]:
    with suppress(TimeoutError):
        async with asyncio.timeout(None if seconds == math.inf else seconds):
            yield


class AsyncWebSocket(Awaited[AsyncioDriver]):
    """A WebSocket connection as an orderly stream of events, for asyncio.

    ``async for`` connects, and gives an event for whatever happens, until the connection is over;
    the object may be iterated again, for a new connection each time. The methods that send or close
    are to be awaited; several tasks may send. Cancelled, a send leaves its message to be written,
    and a wait for the next event loses none. A send is for the connection that there is when it is
    called; one that has ended when it is awaited raises WebSocketUnavailable.

    While the task that iterates is elsewhere, the event loop goes on for it: pings are answered and
    sent, up to 16 events wait for the task, of at most 64 KiB beside the newest, then no more is
    read. (`WebSocket`, without an event loop, does that only while it is iterated or sends.)

    ``async with`` closes the connection when the block is left; without it, call ``aclose()`` on
    what `connect` gives. A dropped iterator closes too, with a ResourceWarning.

    Example:
        >>> async def main():
        ...     async with AsyncWebSocket("wss://example.org/feed") as websocket:
        ...         async for event in websocket:
        ...             if event.name == "text":
        ...                 print(event.text)
        >>> asyncio.run(main())
        hello

    Any option may be given by its name, and the first nine by their place, as for `WebSocket`.

    Options: as docs/reference/options.md has them.

    Raises:
        ValueError, TypeError, ImportError: As `WebSocket`.
    """

    _library = "asyncio"
    _means = (asyncio.Event, asyncio.get_running_loop, "call_soon_threadsafe", _limit)
    _drives = AsyncioDriver

    def _driver_made(self) -> AsyncioDriver:
        return AsyncioDriver()


rows.document(AsyncWebSocket, settable.BY_GROUP)
