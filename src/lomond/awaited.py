"""What the doors have in common whose events and sends are awaited, by tasks of an event loop."""

from __future__ import annotations

import warnings
import weakref
from collections.abc import Callable, Coroutine, Generator, Iterable
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any, Generic, Self, TypeVar, Unpack, overload

from . import options, persisting, rows
from .checks import check_seconds
from .door import Door, begin, start_closing, unavailable
from .errors import WebSocketUnavailable
from .io.driving import iterates
from .io.readiness import WRONG_WAIT, wait_for_event, wait_in_task
from .io.upcoming import Upcoming
from .protocol.frames import BINARY, TEXT
from .wrong_door import (
    look_at_loop,
    no_iterator,
    not_awaited,
    not_for,
    not_for_async_with,
    not_with,
)

if TYPE_CHECKING:
    from .events import Binary, Text
    from .io.driving import Driver
    from .io.posting import Posts
    from .options import Message
    from .replies import Fits, Pair, Reply
    from .sources import AwaitedSource
    from .ways import Way

Drives = TypeVar("Drives", bound="Driver")


class Events(Upcoming):
    """The events of a connection, for ``async for``; `connect` makes it."""

    __slots__ = ("__weakref__", "_is_guarded", "_leaving")

    def __init__(self, driver: Driver, is_guarded: Callable[[], bool]) -> None:
        super().__init__(driver)
        self._leaving = driver
        self._is_guarded = is_guarded

    if not TYPE_CHECKING:  # to which they are neither
        __iter__ = no_iterator
        __await__ = not_awaited
        __aenter__ = __aexit__ = not_for_async_with

    async def aclose(self) -> None:
        """Leave the connection: say so to the server if that needs no waiting; free the socket.

        Example:
            >>> async def main():
            ...     events = AsyncWebSocket("wss://example.org/feed").connect()
            ...     print((await anext(events)).name)
            ...     await events.aclose()
            >>> asyncio.run(main())
            connecting
        """
        self._leaving.stop()
        await close_left((self._leaving,))
        await self._leaving.checkpoint()

    def __del__(self) -> None:
        if self._leaving.drop() and not self._is_guarded():
            warnings.warn(
                "the events of an AsyncWebSocket were dropped before their end; write "
                "'async with websocket:' around the loop, or await events.aclose()",
                ResourceWarning,
                stacklevel=2,
                source=self,
            )


class Awaited(Door[Events, Coroutine[Any, Any, None]], Generic[Drives]):
    """A WebSocket for an event loop. `Drives` is what goes on with a connection there."""

    _library = ""  # whose loop that is
    _awaits = True
    _drives: type[Drives]
    _is_entered = False  # by a block
    _means: tuple[Any, Any, str, Any]  # to wait for an event there, as `wait_in_task` has it
    _drivers: tuple[Drives, ...] = ()  # of iterators, which it does not keep alive
    _latest: weakref.ref[Events] | None = None  # of what was given last
    _unshared = (*Door._unshared, "_is_entered", "_drivers", "_latest")

    def _driver_made(self) -> Drives:
        """What goes on with a new connection, or one after another."""
        raise NotImplementedError

    def _is_guarded(self) -> bool:
        """Whether the end of a block will close the connection."""
        return self._is_entered

    def _events(self, driver: Drives, items: Generator[Any, None, None]) -> Events:
        """What gives the user's task the events that the driver has."""
        driver.items = items
        driver.posts = self._posts
        closes = self._is_guarded()  # what was left
        kept = [one for one in self._drivers if one.items or (closes and one.left)]
        self._drivers = (*kept, driver)
        events = Events(driver, self._is_guarded)
        self._latest = weakref.ref(events)
        return events

    def _stream(self, timing: options.Timing) -> Events:
        driver = self._driver_made()
        return self._events(driver, begin(self, timing, driver))

    def _stay(self, perform: Callable[[Way], Generator[Any, None, None]]) -> Events:
        """The events of one connection after another."""
        from .ways import Waiting

        driver = self._driver_made()
        return self._events(driver, perform(Waiting(self, driver)))

    def _hurry(self, posts: Posts) -> None:
        super()._hurry(posts)
        # Once more in the loop: what wakes that from within, as a signal handler is, would not.
        for driver in self._drivers:
            driver.posts = posts
            if driver.loop is not None and driver.items is not None:
                with suppress(RuntimeError):  # it is closed
                    getattr(driver.loop, self._means[2])(driver.wake)

    def _leave(self) -> tuple[Drives, ...]:
        """The block is left: nothing goes on. In these something may be left to close."""
        drivers, self._drivers = self._drivers, ()
        for driver in drivers:
            driver.stop()
        if self._exchange is not None:
            self._exchange.leave()
        return drivers

    def persist(self, **options: Unpack[persisting.PersistKeywords]) -> Events:
        """The events of one connection after another, as `lomond.persist.persist` gives them.

        For ``async for``; where an AsyncWebSocket is in no ``async with``, call ``aclose()`` on it.

        Arguments:
            Options: as docs/reference/options.md has them.

        Raises:
            TypeError, ValueError: An argument can't be; at once, not at the first event.

        Example:
            >>> async def main():
            ...     async with AsyncWebSocket("wss://example.org/feed") as websocket:
            ...         async for event in websocket.persist(ping_timeout=30):
            ...             if event.name == "text":
            ...                 print(event.text)
            ...                 break
            >>> asyncio.run(main())
            hello
        """
        from .persist import persist

        return persist(self, **options)

    async def wait_ready(self, timeout: float | None = None) -> bool:
        """Wait until messages may be sent: for tasks beside the one that iterates.

        Arguments:
            timeout: Seconds; None, the default, for no limit.

        Returns:
            True when messages may be sent; False after the time, or when it is over for good. With
            `persist` it is over when that ends, else when the connection does.

        Raises:
            RuntimeError: This task iterates: while it waits here, nothing goes on.
            TypeError, ValueError: The timeout can't be.

        Example:
            >>> async def listen(websocket):
            ...     async for event in websocket:
            ...         pass
            >>> async def main(url):
            ...     async with AsyncWebSocket(url) as websocket, asyncio.TaskGroup() as tasks:
            ...         tasks.create_task(listen(websocket))
            ...         print("ready:", await websocket.wait_ready(10))
            ...         await websocket.close()
            >>> with serve(Server().echoes()) as server:
            ...     asyncio.run(main(server.url))
            ready: True
        """
        check_seconds("timeout", timeout, none="no limit")
        if any(iterates(driver) for driver in self._drivers):
            raise RuntimeError(WRONG_WAIT.format("task"))
        return await wait_in_task(self._readiness, lambda: self._exchange, timeout, self._means)

    @overload
    async def ask(self, message: Message, *, reply: Pair, within: float | None = ...) -> Text: ...

    @overload
    async def ask(
        self, message: Message, *, reply: Fits, within: float | None = ...
    ) -> Text | Binary: ...

    async def ask(
        self, message: Message, *, reply: Reply, within: float | None = 30.0
    ) -> Text | Binary:
        """Send a message and wait for its reply, which is no event of the loop.

        The task that iterates may ask too, from the ready event on: what comes meanwhile waits for
        it, up to `max_read_ahead`.

        Arguments:
            message: A str (text), bytes-like (binary), or a dict or list (JSON, by `dumps`).
            reply: A key of the JSON object that answers and its value, like ``("id", 7)``, or a
                callable that tells of a Text or Binary whether it is the answer.
            within: Seconds (30); None for no limit but the connection's end.

        Returns:
            The Text (or Binary) that answered.

        Raises:
            NoReply: None came in time, or before the connection ended, or too much came before; it
                is a TimeoutError.
            TypeError, ValueError, WebSocketUnavailable, TransportFail: As `send_json` does.

        Example:
            >>> async def main(url):
            ...     async with AsyncWebSocket(url) as websocket:
            ...         async for event in websocket:
            ...             if event.name == "ready":
            ...                 answer = await websocket.ask({"id": 7}, reply=("id", 7))
            ...                 print(answer.json)
            ...                 await websocket.close()
            >>> with serve(Server().echoes()) as server:
            ...     asyncio.run(main(server.url))
            {'id': 7}
        """
        from .replies import asked_by_task

        return await asked_by_task(self, message, reply, within)

    async def send_stream(
        self,
        source: AwaitedSource,
        text: bool = False,
        *,
        compress: bool = True,
        on_progress: Callable[[int], object] | None = None,
    ) -> int:
        """Send one message as its bytes come, in fragments (RFC 6455 section 5.4), from Ready on.

        Pings, pongs and a close go between. Where the task that iterates sends, what comes
        meanwhile waits for it, up to `max_read_ahead`. Messages of other tasks wait their turn. If
        the source raises, or the task is cancelled, that comes out here, and the connection is
        closed with 1011, for half a message can't be taken back.

        Arguments:
            source: An async iterable of bytes-like pieces, or of str, or what WebSocket's
                `send_stream` takes: a file, or an iterable, which had better not wait, for nothing
                else goes on then.
            text: Whether it is a text, and each piece a str (False: it is a binary).
            compress: Whether to compress it (True), where that was negotiated.
            on_progress: Is called with the number of bytes that the system has so far.

        Returns:
            How many bytes the message has.

        Raises:
            TypeError: It is no source, or a piece of it can't be sent.
            WebSocketUnavailable: There is no connection, or (WebSocketClosing) it closes; or this
                is called from within such a source.
            TransportFail: Writing failed; the connection is over.

        Example:
            >>> async def main():
            ...     async with AsyncWebSocket("wss://example.org/feed") as websocket:
            ...         async for event in websocket:
            ...             if event.name == "ready":
            ...                 print(await websocket.send_stream([b"a file ", b"in pieces"]))
            >>> with pretend(Server().hears(b"a file in pieces").closes()):
            ...     asyncio.run(main())
            16
        """
        from .io.streaming import closed, send_by_task
        from .sources import awaited_pieces, is_awaited, pieces

        given = (awaited_pieces if is_awaited(source) else pieces)(source, text)
        exchange = self._connected()
        if self._exchange is None:
            await closed(given)
            await exchange.send()  # raises: there is no connection
        opcode = TEXT if text else BINARY
        event = self._means[0]()
        turn = partial(wait_for_event, event, 0, self._means)
        return await send_by_task(exchange, opcode, given, compress, on_progress, turn)

    async def send_many(self, messages: Iterable[Message], *, compress: bool = True) -> None:
        """Send many messages (RFC 6455 section 5.6), in order, in as few system calls as can be.

        Else as `send_many` of a WebSocket.

        Arguments:
            messages: Each a str (text), bytes-like (binary), or a dict or list (JSON, by `dumps`).
            compress: Whether to compress them (True), where that was negotiated.

        Raises:
            TypeError, ValueError: What is no message; what came before it is sent.
            WebSocketUnavailable, TransportFail: As `send_text` does.

        Example:
            >>> async def main():
            ...     async with AsyncWebSocket("wss://example.org/feed") as websocket:
            ...         async for event in websocket:
            ...             if event.name == "ready":
            ...                 await websocket.send_many(["one", b"two", {"number": 3}])
            ...             elif event.name == "text":
            ...                 print(event.text)
            >>> asyncio.run(main())
            hello
        """
        from .gathering import Batches

        for batch in Batches(messages, self._dumps):
            exchange = self._connected()
            if self._exchange is None:
                await exchange.send()  # raises: there is no connection
            await exchange.send_all(batch, compress)

    async def _close(self, code: int | None, reason: str | bytes | None) -> None:
        start_closing(self, code, reason)
        await self._drives.checkpoint()

    async def __aenter__(self) -> Self:
        self._is_entered = True
        return self

    async def __aexit__(self, *error: object) -> None:
        self._is_entered = False
        await close_left(self._leave())

    def _connected(self) -> Any:
        """The current connection; without one, what says so when a send is awaited."""
        return self._exchange or _Nobody(unavailable(self))

    def _is_dropped(self) -> bool:
        return self._latest is not None and self._latest() is None

    def __aiter__(self) -> Events:
        look_at_loop(self)
        return self.connect()

    if not TYPE_CHECKING:  # to which it is neither
        __iter__ = not_for
        __enter__ = __exit__ = not_with


class _Nobody:
    """What stands where there is no exchange: nothing can be sent."""

    journal = None

    def __init__(self, error: WebSocketUnavailable) -> None:
        self._error = error

    async def send(self, *_: object) -> None:
        """Raises WebSocketUnavailable."""
        raise self._error


_persist: Any = vars(Awaited)["persist"]
rows.signed(_persist, persisting.PERSIST)


async def close_left(drivers: Iterable[Driver]) -> None:
    """Close what the program was to go on with in these. Raises what it does."""
    for driver in drivers:
        steps, driver.left = driver.left, None
        if steps is not None:
            await steps.aclose()
