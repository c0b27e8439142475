"""The trio door: a WebSocket that is iterated by a task. Decides nothing about the protocol."""

from __future__ import annotations

from typing import Any, Self

from . import rows, settable
from .awaited import Awaited, Events

try:
    import trio
except ModuleNotFoundError as error:
    if error.name != "trio":
        raise
    raise ImportError("a TrioWebSocket needs trio; run: pip install 'lomond[trio]'") from None

from .io.trio_loop import TrioDriver

__all__ = ["Events", "TrioWebSocket"]


class TrioWebSocket(Awaited[TrioDriver]):
    """A WebSocket connection as an orderly stream of events, for trio, also below anyio.

    ``async for`` connects, and gives an event for whatever happens, until the connection is over;
    within one ``async with``, which is required, the object may be iterated again, for a new
    connection each time. The methods that send or close are to be awaited; several tasks may send.
    All of them are checkpoints, and so is a wait for the next event; but of events that came
    together only the first, and one each millisecond, gives other tasks a turn. Cancelled, a send
    has sent nothing or leaves its message to be written, a close is begun all the same, and a wait
    for the next event loses none. A send is for the connection that there is when it is called; one
    that has ended when it is awaited raises WebSocketUnavailable.

    While the task that iterates is elsewhere, a task in the block's nursery goes on for it: pings
    are answered and sent, up to 16 events wait for the task, of at most 64 KiB beside the newest,
    then no more is read. It goes on too while a cancelled block does what is shielded.

    ``async with`` closes the connection when the block is left. What the block raises comes out as
    it is, in no ExceptionGroup.

    Example:
        >>> async def main():
        ...     async with TrioWebSocket("wss://example.org/feed") as websocket:
        ...         async for event in websocket:
        ...             if event.name == "text":
        ...                 print(event.text)
        >>> trio.run(main)
        hello

    Any option may be given by its name, and the first nine by their place, as for `WebSocket`.

    Options: as docs/reference/options.md has them.

    Raises:
        ValueError, TypeError, ImportError: As `WebSocket`.
        RuntimeError: It is entered while it is in another ``async with``.
    """

    _library = "trio"
    _drives = TrioDriver
    _means = (trio.Event, trio.lowlevel.current_trio_token, "run_sync_soon", trio.move_on_after)
    _block: Any = None  # what manages the nursery
    _nursery: trio.Nursery | None = None  # of the block that we are in
    _unshared = (*Awaited._unshared, "_block", "_nursery")

    def _driver_made(self) -> TrioDriver:
        return TrioDriver(lambda: self._nursery)

    @trio.lowlevel.enable_ki_protection
    async def __aenter__(self) -> Self:
        if self._is_entered:
            raise RuntimeError("this TrioWebSocket is in another 'async with' already")
        self._block = trio.open_nursery()
        self._nursery = await self._block.__aenter__()
        return await super().__aenter__()

    @trio.lowlevel.enable_ki_protection
    async def __aexit__(self, *error: object) -> None:
        block, self._block, self._nursery = self._block, None, None
        try:
            await super().__aexit__()
        finally:
            try:
                await block.__aexit__(None, None, None)  # what it is told of, it puts into a group
            except BaseExceptionGroup as group:  # a Ctrl-C that came meanwhile
                raise group.exceptions[0] if len(group.exceptions) == 1 else group from None


rows.document(TrioWebSocket, settable.BY_GROUP)
