"""The trio door: a WebSocket that is iterated by a task. Decides nothing about the protocol."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from weakref import WeakSet

from . import rows, settable
from .awaited import Awaited
from .door import start_closing

try:
    import trio
except ModuleNotFoundError as error:
    if error.name != "trio":
        raise
    raise ImportError("a TrioWebSocket needs trio; run: pip install 'lomond[trio]'") from None

from .io.trio_driver import TrioDriver

if TYPE_CHECKING:
    from collections.abc import Callable

    from .events import AnyEvent

__all__ = ["Events", "TrioWebSocket"]


class Events:
    """The events of a connection, for ``async for``; `TrioWebSocket.connect` makes it."""

    def __init__(self, driver: TrioDriver, nursery: Callable[[], trio.Nursery | None]) -> None:
        self._driver = driver
        self._nursery = nursery

    def __aiter__(self) -> Events:
        return self

    async def __anext__(self) -> AnyEvent:
        return await self._driver.next(self._nursery())

    async def aclose(self) -> None:
        """Leave the connection: say so to the server if that needs no waiting; free the socket."""
        self._driver.stop()
        await trio.lowlevel.checkpoint()

    def __del__(self) -> None:
        self._driver.drop()


class TrioWebSocket(Awaited[Events, TrioDriver]):
    """A WebSocket connection as an orderly stream of events, for trio, also below anyio.

    ``async for`` connects, and gives an event for whatever happens, until the connection is over;
    within one ``async with``, which is required, the object may be iterated again, for a new
    connection each time. The methods that send or close are to be awaited; several tasks may send.
    All of them are checkpoints. Cancelled, a send has sent nothing or leaves its message to be
    written, a close is begun all the same, and a wait for the next event loses none.

    While the task that iterates is elsewhere, a task in the block's nursery goes on for it: pings
    are answered and sent, up to 16 events wait for the task, of at most 64 KiB beside the newest,
    then no more is read. It goes on too while a cancelled block does what is shielded.

    ``async with`` closes the connection when the block is left. What the block raises comes out as
    it is, in no ExceptionGroup.

    Example:
        >>> async def main():
        ...     async with TrioWebSocket("wss://example.org/feed") as websocket:
        ...         async for event in websocket:
        ...             if event.name == "ready":
        ...                 await websocket.send_text("hello")

    Any option may be given by its name, and the first nine by their place, as for `WebSocket`.

    Options: as OPTIONS.md has them.

    Raises:
        ValueError, TypeError, ImportError: As `WebSocket`.
    """

    _block: Any = None  # what manages the nursery
    _nursery: trio.Nursery | None = None  # of the block that we are in
    _drivers: WeakSet[TrioDriver] | None = None  # of iterators, which it does not keep alive
    _unshared = (*Awaited._unshared, "_block", "_nursery", "_drivers")

    def _driver_made(self) -> TrioDriver:
        return TrioDriver()

    def _events(self, driver: TrioDriver) -> Events:
        if self._drivers is None:
            self._drivers = WeakSet()
        self._drivers.add(driver)
        return Events(driver, lambda: self._nursery)

    async def _close(self, code: int | None, reason: str | bytes | None) -> None:
        start_closing(self, code, reason)
        await trio.lowlevel.checkpoint()

    async def __aenter__(self) -> TrioWebSocket:
        if self._nursery is not None:
            raise RuntimeError("this TrioWebSocket is in another 'async with' already")
        self._block = trio.open_nursery()
        self._nursery = await self._block.__aenter__()
        return self

    async def __aexit__(self, *error: object) -> None:
        block, self._block, self._nursery = self._block, None, None
        for driver in list(self._drivers or ()):
            driver.stop()
        if self._exchange is not None:
            self._exchange.leave()
        await block.__aexit__(None, None, None)  # which puts what it is told of into a group


rows.document(TrioWebSocket, settable.BY_GROUP)
