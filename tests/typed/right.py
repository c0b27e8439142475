"""What a type checker is to see; run by none, read by two of them."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Generator
from http.cookiejar import CookieJar
from pathlib import Path
from typing import Any, assert_type

import lomond
from lomond import AsyncWebSocket, Deflate, WebSocket, WebSocketGroup, errors, events
from lomond.aio import Events
from lomond.options import ConnectKeywords
from lomond.persist import persist
from lomond.testing import (
    Conversation,
    Heard,
    Server,
    Serving,
    Turns,
    World,
    pretend,
    replay,
    serve,
)
from lomond.testing.peer import Peer, Talk, say

AnyEvents = Generator[events.AnyEvent, None, None]

websocket = WebSocket("wss://h/")
assert_type(websocket, WebSocket)
WebSocket("wss://h/", {"https": None}, ["chat"], "me", True, False, "ca.pem", None, print)
WebSocket(
    url="wss://h/",
    compress=Deflate(15, level=9, min_size=100),
    headers=lambda: {"X": "y"},
    cookies=CookieJar(),
    auth=("user", "password"),
    ssl_cafile=Path("ca.pem"),
    source_address=("127.0.0.1", 0),
    socket_options=[(1, 2, 3), (1, 2, b"3")],
    open_timeout=None,
    max_message_size=None,
)


class Mine(WebSocket):
    count: int = 0

    def __init__(self, name: str) -> None:
        super().__init__(f"wss://h/{name}", max_held=5)


Mine("name").count = 3
with Mine("name") as mine:
    assert_type(mine, Mine)


class MyAsync(AsyncWebSocket):
    pass


async def of_a_class_of_ones_own() -> None:
    async with MyAsync("wss://h/") as own:
        assert_type(own, MyAsync)


# Attributes

assert_type(websocket.url, str)
assert_type(websocket.port, int)
assert_type(websocket.agent, str)
assert_type(websocket.protocols, tuple[str, ...])
assert_type(websocket.open_timeout, float | None)
assert_type(websocket.max_header_size, int)
assert_type(websocket.max_fragments, int | None)
assert_type(websocket.ssl_context, ssl.SSLContext | None)
assert_type(websocket.compress, bool | Deflate)
websocket.url = "wss://elsewhere/"
websocket.url = lambda: "wss://elsewhere/"
websocket.auth = lambda: "token"
websocket.headers = lambda: {"X": "y"}
websocket.protocols = lambda: ["chat"]
websocket.agent = None
websocket.protocols = ["chat"]
websocket.socket_options = ()
websocket.open_timeout = 3
websocket.max_fragments = None
assert_type(Deflate().level, int)

# Connections

assert_type(websocket.connect(), AnyEvents)
websocket.connect(poll=None, ping_rate=0, ping_timeout=30, auto_pong=False, close_timeout=None)
websocket.connect(ping_message="ping")
websocket.connect(ping_message=bytearray(b"ping"))
websocket.connect(ping_message={"op": "ping"})
websocket.connect(ping_message=lambda: [1, "ping"])
quiet: ConnectKeywords = {"poll": None, "ping_rate": 0}
websocket.connect(**quiet)
for event in websocket:
    assert_type(event, events.AnyEvent)
    if event.name == "text":
        assert_type(event, events.Text)

assert_type(websocket.persist(ping_timeout=30, final={401}, max_wait=5), AnyEvents)
websocket.persist(final=lambda ending: ending.status == 401, **quiet)
assert_type(persist(websocket), AnyEvents)
assert_type(persist(websocket, 5, 1, 30, 30, None, None, True, final=()), AnyEvents)
websocket.persist(ping_message=lambda: b"ping")
persist(websocket, ping_message={"op": "ping"})

group = WebSocketGroup()
group.add(websocket, poll=5, ping_timeout=30, ping_message="ping")
group.persist(websocket, poll=5, max_attempts=3)


async def fetch() -> str:
    return "x"


async def fetch_headers() -> dict[str, str]:
    return {}


async def main() -> None:
    async with AsyncWebSocket(fetch, auth=fetch, headers=fetch_headers) as client:
        assert_type(client.connect(poll=None), Events)
        assert_type(client.persist(exit_event=asyncio.Event()), Events)
        assert_type(persist(client, ping_timeout=30), Events)
        async for event in client:
            assert_type(event, events.AnyEvent)


# Questions

websocket.send_json({"id": 7}, reply=("id", 7), within=5)
websocket.send_text("x", reply=lambda message: "x" in message.json, within=None)
assert_type(websocket.ask({"id": 7}, reply=("id", 7)).json, Any)
assert_type(websocket.ask("x", reply=lambda message: True), events.Text | events.Binary)
for event in websocket:
    if event.name == "reply":
        assert_type(event.message.json["result"], Any)


async def asks(client: AsyncWebSocket) -> None:
    assert_type(await client.ask({"id": 7}, reply=("id", 7), within=None), events.Text)


# What is posted

websocket.post(object())
group.post(1)
for event in websocket:
    if event.name == "posted":
        assert_type(event, events.Posted)
for member, event in group:
    member.send_text("x")
    assert_type(event, events.AnyEvent)


# The package

assert_type(lomond.WebSocket("ws://h/"), WebSocket)
assert_type(lomond.__version__, str)
unavailable: type[Exception] = errors.WebSocketUnavailable


# Tests of a program


class Feed:
    def talk(self, peer: Peer) -> Talk:
        yield from peer.upgrade()
        yield say(1, b"welcome")


with pretend(Feed(), names={"feed.example": ["192.0.2.7"], "none.example": None}) as world:
    assert_type(world, World)
    assert_type(world.hours + world.now + world.clock(), float)
assert_type(world.notes, list[str])


class Mine2(Server):
    def greets(self) -> Mine2:
        return self.says("hello")


def talk(peer: Conversation) -> Turns:
    heard = yield from peer.hear({"op": "auth"}, within=5)
    assert_type(heard, Heard)
    assert_type(heard.text, str)
    assert_type((yield from peer.hear_close()), int | None)
    assert_type((yield from peer.say([1])), None)
    yield peer.refuse(503)


assert_type(Server().hears("a", b"b", {"c": 1}, [1], lambda heard: heard.json).says("d"), Server)
assert_type(Mine2().greets().cuts(), Mine2)
assert_type(Server().heard, list[str | bytes])
with pretend(Server(), talk, *replay("feed.jsonl")) as world:
    assert_type(world, World)
with serve(talk, tls=True) as serving:
    assert_type(serving, Serving)
    assert_type(serving.url, str)
