"""Messages that are sent with `reply=`, in every door."""

from __future__ import annotations

from typing import Any

import pytest

from lomond import WebSocket
from lomond.errors import WebSocketUnavailable
from lomond.protocol import frames
from lomond.testing.peer import Pause, Peer, Say, Talk, say
from lomond.testing.server import PeerServer
from scripted import answers_pings

pytestmark = pytest.mark.every_door


def answers_the_second_first(peer: Peer) -> Talk:
    yield from peer.upgrade()
    for _ in range(2):
        yield from peer.hear_frame()
    yield say(frames.TEXT, b'{"id": 2, "b": 1}')
    yield say(frames.TEXT, b'{"news": 1}')
    yield say(frames.TEXT, b'{"id": 1, "a": 1}')
    yield say(frames.CLOSE, code=1000)
    yield from peer.hear_end()


def played(websocket: WebSocket, act: Any, **options: Any) -> list[Any]:
    seen = []
    for event in websocket.connect(poll=None, **options):
        seen.append(event)
        if event.name == "ready":
            act(websocket)
    return seen[3:]


def test_the_reply_is_an_event_and_nothing_else_is() -> None:
    def act(websocket: WebSocket) -> None:
        websocket.send_json({"id": 1}, reply=("id", 1), within=5)
        websocket.send_text('{"id":2}', reply=("id", 2), within=5)

    with PeerServer(answers_the_second_first) as server:
        seen = played(WebSocket(server.url), act)
    assert [event.name for event in seen] == ["reply", "text", "reply", "closing", "disconnected"]
    assert [seen[0].request, seen[2].request] == ['{"id":2}', {"id": 1}]
    assert [seen[0].message.json, seen[2].message.json] == [{"id": 2, "b": 1}, {"id": 1, "a": 1}]


def test_binaries() -> None:
    def act(websocket: WebSocket) -> None:
        websocket.send_binary(b"\x01", reply=lambda message: "a" in message.json)
        websocket.send_binary(b"\x02", True, reply=lambda message: "b" in message.json, within=None)

    with PeerServer(answers_the_second_first) as server:
        seen = played(WebSocket(server.url), act)
    assert [event.request for event in seen if event.name == "reply"] == [b"\x02", b"\x01"]


def test_none_comes_in_time() -> None:
    def is_late(peer: Peer) -> Talk:
        yield from peer.upgrade()
        yield from peer.hear_until(frames.TEXT)
        yield Pause(0.5)
        yield say(frames.TEXT, b'{"id": 1}')
        yield say(frames.CLOSE, code=1000)
        yield from peer.hear_end()

    with PeerServer(is_late) as server:
        seen = played(
            WebSocket(server.url), lambda ws: ws.send_json({}, reply=("id", 1), within=0.1)
        )
    assert [event.name for event in seen] == ["no_reply", "text", "closing", "disconnected"]
    assert seen[0].ending is None


def test_none_comes_before_the_end() -> None:
    def closes(peer: Peer) -> Talk:
        yield from peer.upgrade()
        yield from peer.hear_until(frames.TEXT)
        yield say(frames.CLOSE, b"bye", code=4000)
        yield from peer.hear_end()

    with PeerServer(closes) as server:
        seen = played(WebSocket(server.url), lambda ws: ws.send_json({}, reply=("id", 1)))
    assert [event.name for event in seen] == ["closing", "no_reply", "disconnected"]
    assert seen[1].ending.code == 4000


def test_in_a_traced_run_and_with_enter_too() -> None:
    traced: list[str] = []

    def enter(event: Any) -> Any:
        yield '{"id": 1}'
        yield lambda event: event.name == "reply"

    with PeerServer(answers_the_second_first) as server:
        websocket = WebSocket(server.url, trace=lambda record: traced.append(record["stage"]))
        seen = played(websocket, lambda ws: ws.send_json({"id": 2}, reply=("id", 2)), enter=enter)
    names = [event.name for event in seen]
    assert names[:2] == ["reply", "entered"]
    assert "send_text" in traced


def test_without_a_connection_it_is_an_error_and_nothing_waits() -> None:
    websocket = WebSocket("ws://127.0.0.1:1/")
    with pytest.raises(WebSocketUnavailable, match="not connected"):
        websocket.send_json({}, reply=("id", 1))
    with PeerServer(answers_pings) as server:
        websocket = WebSocket(server.url)

        def act(websocket: WebSocket) -> None:
            websocket.close()
            with pytest.raises(WebSocketUnavailable):
                websocket.send_json({}, reply=("id", 1))

        seen = played(websocket, act)
    assert "no_reply" not in [event.name for event in seen]


def test_none_comes_where_the_upgrade_is_refused() -> None:
    def refuses(peer: Peer) -> Talk:
        yield from peer.read_request()
        yield Say(b"HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n")

    with PeerServer(refuses) as server:
        websocket = WebSocket(server.url)
        seen = []
        for event in websocket:
            seen.append(event)
            if event.name == "connected":
                websocket.send_json({}, reply=("id", 1))
    assert [event.name for event in seen][2:] == ["rejected", "no_reply", "disconnected"]
    assert seen[-2].ending is seen[-1].ending


@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        ({"reply": "id"}, TypeError, "reply must be a key of the JSON object.*and its value"),
        ({"reply": ("id",)}, TypeError, "reply must be a key"),
        ({"reply": (1, 2)}, TypeError, "reply must be a key"),
        ({"reply": ("id", [])}, TypeError, "unhashable"),
        ({"within": 5}, TypeError, "within is for a reply"),
        ({"reply": ("id", 1), "within": -1}, ValueError, "within"),
        ({"reply": ("id", 1), "within": "5"}, TypeError, "within"),
    ],
)
def test_arguments_that_can_not_be(arguments: Any, error: type[Exception], words: str) -> None:
    websocket = WebSocket("ws://127.0.0.1:1/")
    for send, value in (
        (websocket.send_json, {}),
        (websocket.send_text, ""),
        (websocket.send_binary, b""),
    ):
        with pytest.raises(error, match=words):
            send(value, **arguments)


def test_in_keywords_they_are_keys_as_any_other() -> None:
    heard = []

    def hears(peer: Peer) -> Talk:
        yield from peer.upgrade()
        frame = yield from peer.hear_until(frames.TEXT)
        assert frame is not None
        heard.append(frame.payload)
        yield say(frames.CLOSE, code=1000)
        yield from peer.hear_end()

    with PeerServer(hears) as server:
        played(WebSocket(server.url), lambda ws: ws.send_json(reply=1, within=2))
    assert heard == [b'{"reply":1,"within":2}']
