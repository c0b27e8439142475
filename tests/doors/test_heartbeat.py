"""A message that is said instead of a ping: what may be given, and what comes of it; all doors."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from doors.peer_server import served
from lomond import AsyncWebSocket, TrioWebSocket, WebSocket, WebSocketGroup
from lomond.persist import persist
from lomond.protocol import frames
from lomond.testing.peer import Peer, Talk, say
from scripted import is_silent

PING = '{"op":"ping"}'
OFTEN: dict[str, Any] = {"poll": None, "ping_rate": 0.05}
every_door = pytest.mark.every_door
every_kind = pytest.mark.parametrize("kind", [WebSocket, AsyncWebSocket, TrioWebSocket])


def answers(count: int) -> Callable[[Peer], Talk]:
    """A server that says back each message, with what it was, and no pong; then it closes."""

    def talk(peer: Peer) -> Talk:
        yield from peer.upgrade()
        for _ in range(count):
            frame = yield from peer.hear_frame()
            if frame is None:
                return
            if frame.opcode in (frames.TEXT, frames.BINARY):
                yield say(frame.opcode, frame.payload)
        yield say(frames.CLOSE, code=1000)
        yield from peer.hear_end()

    return talk


@every_door
@pytest.mark.parametrize(
    ("message", "said"),
    [
        (PING, PING),
        (b"\x01", b"\x01"),
        ({"op": "ping", "n": [1, "ä"]}, '{"op":"ping","n":[1,"ä"]}'),
        (lambda: {"op": "ping"}, PING),
        (bytes, b""),
    ],
)
def test_it_is_said_and_the_answer_comes(message: Any, said: str | bytes) -> None:
    with served(answers(3)) as server:
        websocket = WebSocket(server.url)
        found: list[Any] = []
        for event in websocket.connect(ping_message=message, ping_timeout=5, **OFTEN):
            if event.name == "text":
                found.append(event.text)
            elif event.name == "binary":
                found.append(event.data)
    assert found == [said] * 3
    assert event.name == "disconnected"
    assert event.graceful


@every_door
def test_json_is_written_by_its_dumps() -> None:
    with served(answers(1)) as server:
        websocket = WebSocket(server.url, dumps=partial(json.dumps, default=str))
        events = websocket.connect(ping_message={"of": {3}.pop, "x": 1}, **OFTEN)
        texts = [event.text for event in events if event.name == "text"]
    assert len(texts) == 1
    assert texts[0].startswith('{"of": "<built-in method pop')


@every_door
def test_each_connection_of_persist_says_it() -> None:
    asked: list[int] = []

    def count() -> str:
        asked.append(len(asked))
        return str(len(asked))

    with served(answers(2)) as server:
        stream = persist(
            WebSocket(server.url), min_wait=0, max_wait=0, max_attempts=3, stable_after=0,
            ping_message=count, **OFTEN,
        )  # fmt: skip
        texts = []
        for event in stream:
            if event.name == "text":
                texts.append(event.text)
            if event.name == "back_off" and len(texts) >= 4:
                break
        stream.close()
    assert texts[:4] == ["1", "2", "3", "4"]


@every_door
def test_silence_behind_it_is_noticed() -> None:
    with served(is_silent) as server:
        stream = WebSocket(server.url).connect(ping_message=PING, ping_timeout=0.2, **OFTEN)
        names = [event.name for event in stream]
    assert names == ["connecting", "connected", "ready", "unresponsive", "disconnected"]


def fails() -> str:
    raise LookupError("no token")


@every_door
def test_what_it_raises_is_an_end_and_persist_goes_on() -> None:
    with served(is_silent) as server:
        stream = persist(
            WebSocket(server.url), min_wait=0, max_wait=0, max_attempts=2, stable_after=1000,
            ping_message=fails, **OFTEN,
        )  # fmt: skip
        seen = list(stream)
    ends = [event for event in seen if event.name == "disconnected"]
    assert len(ends) == 2
    for end in ends:
        assert end.reason == "disconnected; ping_message= raised LookupError: no token"
        assert isinstance(end.cause, LookupError)
        assert (end.ending.kind, end.ending.by) == ("credentials", "client")
        assert str(end.ending).startswith("ping_message= raised LookupError: no token")


@every_door
def test_it_may_send_itself() -> None:
    """It is asked with no lock held, in the thread or in the loop that goes on."""

    def both() -> str:
        told.append(websocket.is_active)
        return PING

    told: list[bool] = []
    with served(answers(1)) as server:
        websocket = WebSocket(server.url)
        list(websocket.connect(ping_message=both, **OFTEN))
    assert told[0] is True


def test_a_message_sent_by_it_goes_first() -> None:
    def both() -> str:
        websocket.send_text("first")
        return PING

    with served(answers(2)) as server:
        websocket = WebSocket(server.url)
        events = websocket.connect(ping_message=both, **OFTEN)
        texts = [event.text for event in events if event.name == "text"]
    assert texts == ["first", PING]


async def comes_later() -> str:
    return PING


WRONG: list[tuple[Any, type[Exception], str]] = [
    (7, TypeError, "ping_message must be a message .* not 7"),
    ((1, 2), TypeError, r"ping_message must be a message .* not \(1, 2\)"),
    (True, TypeError, "ping_message must be a message .* not True"),
    (comes_later, TypeError, "ping_message is a coroutine function, and nobody awaits it"),
    ({"x": object()}, TypeError, "not JSON serializable"),
    ([float("inf")], ValueError, "JSON has no inf"),
    ("\ud800", UnicodeEncodeError, "surrogates not allowed"),
]


@every_kind
@pytest.mark.parametrize(("message", "error", "said"), WRONG)
def test_what_can_not_be_is_refused_at_once(
    kind: Any, message: Any, error: type[Exception], said: str
) -> None:
    websocket = kind("ws://h/")
    for ask in (websocket.connect, websocket.persist, partial(persist, websocket)):
        with pytest.raises(error, match=said):
            ask(ping_message=message)
    if kind is WebSocket:
        group = WebSocketGroup()
        for enter in (group.add, group.persist):
            with pytest.raises(error, match=said):
                enter(websocket, ping_message=message)
        assert len(group) == 0


@every_kind
@pytest.mark.parametrize("rate", [None, 0])
def test_without_a_ping_rate_it_would_never_be_said(kind: Any, rate: float | None) -> None:
    websocket = kind("ws://h/")
    said = f"ping_message is sent every ping_rate seconds, and ping_rate is {rate}: give how often"
    for ask in (websocket.connect, websocket.persist, partial(persist, websocket)):
        with pytest.raises(ValueError, match=said):
            ask(ping_message=PING, ping_rate=rate)
    websocket.connect(ping_message=None, ping_rate=rate)
    if kind is WebSocket:
        with pytest.raises(ValueError, match=said):
            WebSocketGroup().add(websocket, ping_message=PING, ping_rate=rate)


def test_it_is_no_attribute() -> None:
    websocket = WebSocket("ws://h/")
    with pytest.raises(AttributeError, match=r"websocket.connect\(ping_message=...\)"):
        websocket.ping_message = PING  # type: ignore[attr-defined]  # it is none, on purpose
    with pytest.raises(TypeError, match="did you mean ping_message"):
        websocket.connect(ping_payload=PING)  # type: ignore[call-arg]  # wrong, on purpose
