"""What tests of the kit have in common: where a server is played, and a program of each door."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import trio

from lomond import AsyncWebSocket, TrioWebSocket, WebSocket, WebSocketGroup
from lomond.events import AnyEvent
from lomond.testing import pretend, serve
from lomond.testing.conversation import Played

PLACES = ["sockets", "world"]
#: Of a connection: no Polls, and no pings but those that a test asks for.
QUIET: dict[str, Any] = {"poll": None, "ping_rate": 0}


@contextmanager
def played(place: str, *servers: Played, **options: Any) -> Iterator[str]:
    """The URL of servers on a socket, or in a pretend world, for the time of the block."""
    if place == "world":
        with pretend(*servers, **options):
            yield "ws://feed.example/"
    else:
        with serve(*servers, **options) as serving:
            yield serving.url


class Seen(NamedTuple):
    """What a program has seen of one connection."""

    names: list[str]  # of events; of messages what they say
    ending: Any

    @property
    def later(self) -> list[str]:
        """The names behind Ready, or where there was none those behind Connected."""
        first = "ready" if "ready" in self.names else "connected"
        return self.names[self.names.index(first) + 1 :]


Act = Callable[[Any, AnyEvent], Any]


def says(*messages: Any) -> Act:
    """A handler that says this at Ready."""

    def act(websocket: Any, event: AnyEvent) -> list[Any]:
        return list(messages) if event.name == "ready" else []

    return act


SAYS_NOTHING = says()


def looked_at(event: AnyEvent) -> str:
    """What is kept of an event."""
    return str(getattr(event, "text", event.name))


def through(door: str, url: str, act: Act = SAYS_NOTHING, **options: Any) -> Seen:
    """A program that connects once through a door.

    Arguments:
        door: Its name.
        url: Where to.
        act: Is asked at each event what to send; None closes.
        options: Of the WebSocket, and of the connection.
    """
    own = {name: options.pop(name) for name in list(options) if name in _OWN}
    return _DOORS[door](url, own, {**QUIET, **options}, act)


_OWN = {
    "open_timeout", "send_timeout", "frame_timeout", "ssl_cafile", "protocols", "headers", "record",
    "max_message_size",
}  # fmt: skip


def _in_a_thread(url: str, own: Any, options: Any, act: Act) -> Seen:
    websocket = WebSocket(url, **own)
    names = []
    for event in websocket.connect(**options):
        names.append(looked_at(event))
        _send(websocket, act(websocket, event))
    return Seen(names, websocket.ending)


def _in_a_group(url: str, own: Any, options: Any, act: Act) -> Seen:
    websocket = WebSocket(url, **own)
    group = WebSocketGroup()
    group.add(websocket, **options)
    names = []
    for one, event in group:
        names.append(looked_at(event))
        _send(one, act(one, event))
    return Seen(names, websocket.ending)


def _send(websocket: WebSocket, messages: Iterable[Any] | None) -> None:
    if messages is None:
        websocket.close()
    for message in messages or ():
        if isinstance(message, bytes):
            websocket.send_binary(message)
        elif isinstance(message, str):
            websocket.send_text(message)
        else:
            websocket.send_json(message)


async def _awaited(websocket: Any, options: Any, act: Act) -> Seen:
    names = []
    async for event in websocket.connect(**options):
        names.append(looked_at(event))
        messages = act(websocket, event)
        if messages is None:
            await websocket.close()
        for message in messages or ():
            if isinstance(message, bytes):
                await websocket.send_binary(message)
            elif isinstance(message, str):
                await websocket.send_text(message)
            else:
                await websocket.send_json(message)
    return Seen(names, websocket.ending)


def _in_asyncio(url: str, own: Any, options: Any, act: Act) -> Seen:
    async def main() -> Seen:
        return await _awaited(AsyncWebSocket(url, **own), options, act)

    return asyncio.run(main())


def _in_trio(url: str, own: Any, options: Any, act: Act) -> Seen:
    async def main() -> Seen:
        async with TrioWebSocket(url, **own) as websocket:
            return await _awaited(websocket, options, act)

    return trio.run(main)


_DOORS: dict[str, Callable[[str, Any, Any, Act], Seen]] = {
    "sync": _in_a_thread,
    "group": _in_a_group,
    "asyncio": _in_asyncio,
    "trio": _in_trio,
}
DOORS = list(_DOORS)
