"""Three programs as users have them, tested without a network and without waiting, in a second."""

from __future__ import annotations

import asyncio
import socket
import time
from typing import Any, NoReturn

import pytest
import trio

from lomond import AsyncWebSocket, TrioWebSocket, WebSocket, WebSocketGroup
from lomond.errors import NoReply
from lomond.persist import persist
from lomond.testing import Conversation, Server, Turns, pretend

URL = "wss://feed.example/"


@pytest.fixture(autouse=True)
def without_a_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is connected, bound or resolved."""

    def refuse(*_: object, **__: object) -> NoReturn:
        pytest.fail("it touched the network")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket.socket, "connect_ex", refuse)
    monkeypatch.setattr(socket.socket, "bind", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)


# A feed that stays connected


def feed() -> list[str]:
    """What comes until the third text, whatever becomes of connections."""
    websocket, texts = WebSocket(URL), []
    for event in persist(websocket, poll=None):
        if event.name == "ready":
            websocket.send_text("login")
        elif event.name == "text":
            texts.append(event.text)
            if len(texts) == 3:
                websocket.close()
                break
    return texts


async def feed_on_asyncio() -> list[str]:
    texts = []
    async with AsyncWebSocket(URL) as websocket:
        async for event in websocket.persist(poll=None):
            if event.name == "ready":
                await websocket.send_text("login")
            elif event.name == "text":
                texts.append(event.text)
                if len(texts) == 3:
                    break
    return texts


async def feed_on_trio() -> list[str]:
    texts = []
    async with TrioWebSocket(URL) as websocket:
        async for event in websocket.persist(poll=None):
            if event.name == "ready":
                await websocket.send_text("login")
            elif event.name == "text":
                texts.append(event.text)
                if len(texts) == 3:
                    break
    return texts


FEEDS: dict[str, Any] = {
    "thread": feed,
    "asyncio": lambda: asyncio.run(feed_on_asyncio()),
    "trio": lambda: trio.run(feed_on_trio),
}


def tried_feed(name: str) -> None:
    servers = [
        Server().hears("login").says("one").after(3600).cuts(),
        Server().refuses(503, retry_after=600),
        Server().hears("login").says("two").half_a_frame().resets(),
        Server().hears("login").says("three"),
    ]
    with pretend(*servers) as world:
        assert FEEDS[name]() == ["one", "two", "three"]
    assert world.hours > 1
    assert [server.heard for server in servers] == [["login"], [], ["login"], ["login"]]


# A client that asks


async def ask_both(websocket: Any) -> list[Any]:
    """Two answers, of which the second never comes."""
    first = await websocket.ask({"id": 1, "method": "add"}, reply=("id", 1), within=10)
    try:
        await websocket.ask({"id": 2, "method": "hang"}, reply=("id", 2), within=10)
    except NoReply as error:
        return [first.json["result"], str(error)]
    raise AssertionError("it was answered")


async def calls_on_asyncio() -> list[Any]:
    async with AsyncWebSocket(URL) as websocket:
        async for event in websocket.connect(poll=None):
            if event.name == "ready":
                return await ask_both(websocket)
    raise AssertionError("it was never ready")


async def calls_on_trio() -> list[Any]:
    async with TrioWebSocket(URL) as websocket:
        async for event in websocket.connect(poll=None):
            if event.name == "ready":
                return await ask_both(websocket)
    raise AssertionError("it was never ready")


CALLS: dict[str, Any] = {
    "asyncio": lambda: asyncio.run(calls_on_asyncio()),
    "trio": lambda: trio.run(calls_on_trio),
}


def adds(peer: Conversation) -> Turns:
    asked = yield peer.hear()
    yield peer.say({"id": asked.json["id"], "result": 3})
    yield peer.hear()


def tried_calls(name: str) -> None:
    with pretend(adds) as world:
        result, said = CALLS[name]()
    assert result == 3
    assert "within 10 s" in said
    assert 10 <= world.seconds < 11


# A group of ten


def tried_group() -> None:
    servers = [Server().says(f"hello {number}").after(number).closes() for number in range(10)]
    with pretend(*servers) as world, WebSocketGroup() as group:
        for _ in range(10):
            group.add(WebSocket(URL))
        texts = [event.text for _, event in group if event.name == "text"]
    assert sorted(texts) == [f"hello {number}" for number in range(10)]
    assert 9 <= world.seconds < 10


@pytest.mark.parametrize("name", FEEDS)
def test_a_feed_that_stays_connected(name: str) -> None:
    tried_feed(name)


@pytest.mark.parametrize("name", CALLS)
def test_a_client_that_asks(name: str) -> None:
    tried_calls(name)


def test_a_group_of_ten() -> None:
    tried_group()


def test_all_of_them_take_less_than_a_second() -> None:
    began = time.process_time()
    for name in FEEDS:
        tried_feed(name)
    for name in CALLS:
        tried_calls(name)
    tried_group()
    assert time.process_time() - began < 1
