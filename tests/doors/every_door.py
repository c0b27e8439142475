"""Every door behind the interface of the synchronous one, so that one body tests them all."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine, Generator, Iterator
from contextlib import suppress
from importlib.util import find_spec
from typing import Any
from weakref import WeakSet

from lomond import WebSocket
from lomond.aio import AsyncWebSocket, Events
from lomond.events import AnyEvent
from lomond.group import WebSocketGroup

PATIENCE = 20.0  # seconds
#: Those with an event loop of their own.
_streams: WeakSet[Generator[AnyEvent, None, None]] = WeakSet()


def on_loop(stream: Generator[AnyEvent, None, None]) -> Generator[AnyEvent, None, None]:
    """The same, which is closed at the end of its test, at the latest.

    What raises in a test keeps its frames alive, and these a stream: who collects garbage would
    close it within another test, where another event loop may run.
    """
    _streams.add(stream)
    return stream


def close_streams() -> None:
    """Close those whose tests left them."""
    for stream in list(_streams):
        stream.close()


class OnAsyncio:
    """An AsyncWebSocket; its event loop runs while an event is awaited, or a send."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        self.stand_for(AsyncWebSocket(*arguments, **options))

    def stand_for(self, inner: Any) -> None:
        """This is behind the interface."""
        # What is set later goes to that.
        vars(self).update(inner=inner, _loop=None, _thread=0)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)

    def __setattr__(self, name: str, value: Any) -> None:
        setattr(self.inner, name, value)

    def __iter__(self) -> Iterator[AnyEvent]:
        return self.connect()

    def connect(self, *arguments: object, **options: Any) -> Generator[AnyEvent, None, None]:
        return on_loop(self._iterate(self.inner.connect(*arguments, **options)))

    def _stay(self, perform: Any) -> Generator[AnyEvent, None, None]:
        """What `persist` asks for."""
        stay = self.inner._stay  # noqa: SLF001  # this is the door that persist sees
        return on_loop(self._iterate(stay(perform)))

    def _iterate(self, events: Events) -> Generator[AnyEvent, None, None]:
        loop = asyncio.new_event_loop()
        vars(self).update(_loop=loop, _thread=threading.get_ident())
        try:
            while True:
                try:
                    yield loop.run_until_complete(events.__anext__())
                except StopAsyncIteration:
                    return
        finally:
            loop.run_until_complete(events.aclose())
            loop.run_until_complete(asyncio.sleep(0))  # asyncio closes sockets a turn later
            loop.close()

    def hear(self, see: Callable[[AnyEvent], None], **options: Any) -> None:
        """See `hear`, below."""
        asyncio.run(each_event(self.inner, see, options))

    def __enter__(self) -> OnAsyncio:
        return self

    def __exit__(self, *error: object) -> None:
        self.run(self.inner.__aexit__(None, None, None))

    def run(self, act: Coroutine[Any, Any, None]) -> None:
        loop: asyncio.AbstractEventLoop | None = self._loop
        if loop is None or loop.is_closed():
            asyncio.run(act)
        elif threading.get_ident() != self._thread:
            asyncio.run_coroutine_threadsafe(act, loop).result(PATIENCE)
        elif not loop.is_running():
            loop.run_until_complete(act)
        else:  # in a callback, which can't wait
            with suppress(StopIteration):
                act.send(None)
                raise RuntimeError("in a callback of the loop this would have to wait")

    def send_text(self, *arguments: Any, **options: Any) -> None:
        self.run(self.inner.send_text(*arguments, **options))

    def send_binary(self, *arguments: Any, **options: Any) -> None:
        self.run(self.inner.send_binary(*arguments, **options))

    def send_json(self, *arguments: Any, **options: Any) -> None:
        self.run(self.inner.send_json(*arguments, **options))

    def send_ping(self, *arguments: Any) -> None:
        self.run(self.inner.send_ping(*arguments))

    def send_pong(self, *arguments: Any) -> None:
        self.run(self.inner.send_pong(*arguments))

    def send_many(self, *arguments: Any, **options: Any) -> None:
        self.run(self.inner.send_many(*arguments, **options))

    def send_stream(self, *arguments: Any, **options: Any) -> int:
        sent: list[int] = []

        async def send() -> None:
            sent.append(await self.inner.send_stream(*arguments, **options))

        self.run(send())
        return sent[0]

    def close(self, *arguments: Any) -> None:
        self.run(self.inner.close(*arguments))


class InGroup(WebSocket):
    """A WebSocket that is alone in a group."""

    def connect(self, *arguments: object, **options: Any) -> Generator[AnyEvent, None, None]:
        if arguments:
            return super().connect(*arguments, **options)
        group = WebSocketGroup()
        group.add(self, **{"poll": 5.0, **options})
        return self._iterate(group)

    def _iterate(self, group: WebSocketGroup) -> Generator[AnyEvent, None, None]:
        for websocket, event in group:
            assert websocket is self
            yield event


async def each_event(inner: Any, see: Callable[[AnyEvent], None], options: dict[str, Any]) -> None:
    """Connect, and show all events."""
    async for event in inner.connect(**options):
        see(event)


def hear(websocket: Any, see: Callable[[AnyEvent], None], **options: Any) -> None:
    """Connect, and show all events in one run of a loop, where there is one.

    To start and stop it for each event takes many times what the event takes. But whoever sees
    them can't send.
    """
    if isinstance(websocket, OnAsyncio):
        websocket.hear(see, **options)
    else:
        for event in websocket.connect(**options):
            see(event)


DOORS: dict[str, Any] = {
    "sync": WebSocket,
    "asyncio": OnAsyncio,
    "group": InGroup,
}
if find_spec("trio") is not None:
    from doors.on_trio import OnTrio

    DOORS["trio"] = OnTrio
