"""What persist does beyond the original: when it stops, when it counts anew, what it tells."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest

import lomond
from doors.peer_server import served
from lomond import Ending, WebSocket
from lomond.group import WebSocketGroup
from lomond.persist import persist
from lomond.protocol import frames
from lomond.testing.peer import End, Peer, Say, Talk, say
from scripted import closes


def refuses(status: int) -> Any:
    def talk(peer: Peer) -> Talk:
        yield from peer.read_request()
        yield Say(f"HTTP/1.1 {status} No\r\nContent-Length: 0\r\n\r\n".encode())

    return talk


def hangs_up_after_a_message(peer: Peer) -> Talk:
    yield from peer.upgrade()
    yield from peer.hear_until(frames.TEXT)
    yield End()


def echoes(peer: Peer) -> Talk:
    yield from peer.upgrade()
    while (frame := (yield from peer.hear_frame())) is not None:
        yield say(frame.opcode, frame.payload)
        if frame.opcode == frames.CLOSE:
            return


@pytest.mark.parametrize("kind", ["statuses", "callable"])
def test_some_rejections_are_final(kind: str) -> None:
    def is_final(ending: Ending) -> bool:
        return ending.status == 403

    final: Any = {401, 403} if kind == "statuses" else is_final
    with served(refuses(403)) as server:
        names = [event.name for event in persist(WebSocket(server.url), final=final)]
    assert names == ["connecting", "connected", "rejected", "disconnected"]
    with served(refuses(500)) as server:
        stream = persist(WebSocket(server.url), final=final, min_wait=0, max_wait=0)
        names = [event.name for event, _ in zip(stream, range(6), strict=False)]
        stream.close()
    assert names[4:] == ["back_off", "connecting"]


def test_limits_on_attempts_and_time() -> None:
    with served(closes) as server:
        websocket = WebSocket(server.url)
        options: dict[str, Any] = {"min_wait": 0, "max_wait": 0, "stable_after": 60}
        events = list(persist(websocket, max_attempts=3, **options))
        assert [event.name for event in events].count("ready") == 3
        assert [event.attempt for event in events if event.name == "back_off"] == [1, 2]
        assert {event.reason for event in events if event.name == "back_off"} == {"closed"}
        events = list(
            persist(websocket, max_time=0.3, **{**options, "min_wait": 0.1, "max_wait": 0.1})
        )
        assert 2 <= [event.name for event in events].count("ready") <= 4
    with served(refuses(404)) as server:
        (found,) = [
            event
            for event in persist(WebSocket(server.url), max_wait=0.2, max_attempts=2)
            if event.name == "back_off"
        ]
    assert found.delay == 0.2
    assert found.reason == "Websocket upgrade failed (code=404)"


def test_the_handler_of_ready_subscribes_on_each_connection() -> None:
    texts = []
    with served(echoes) as server:
        websocket = WebSocket(server.url)
        stop = threading.Event()
        for event in persist(websocket, min_wait=0, max_wait=0, exit_event=stop):
            if event.name == "ready":
                websocket.send_text(f"subscribe {len(texts) + 1}")
            if event.name == "text":
                texts.append(event.text)
                websocket.close()
                if len(texts) == 3:
                    stop.set()
    assert texts == ["subscribe 1", "subscribe 2", "subscribe 3"]


@pytest.mark.parametrize("way", ["persist", "group", "another"])
def test_there_is_no_second_way_and_the_message_names_the_first(way: str) -> None:
    class Fake:
        def connect(self, **options: Any) -> list[Any]:
            return []

    ways: dict[str, Callable[[], object]] = {
        "persist": lambda: persist(WebSocket("ws://h/"), on_ready=print),
        "group": lambda: WebSocketGroup().persist(lomond.WebSocket("ws://h/"), on_ready=print),
        "another": lambda: persist(Fake(), on_ready=print),
    }
    with pytest.raises(TypeError, match=r"no argument on_ready; subscribe in the handler of the R"):
        ways[way]()


def test_the_exit_event_ends_a_connection_where_that_is_asked_for() -> None:
    stop = threading.Event()
    names = []
    with served(echoes) as server:
        websocket = WebSocket(server.url)
        for event in persist(websocket, poll=0.05, exit_event=stop, watch_exit=True):
            names.append(event.name)
            if names.count("poll") == 2:
                stop.set()
    assert names[-2:] == ["closed", "disconnected"]
    assert "back_off" not in names


@pytest.mark.parametrize("is_answered", [False, True])
def test_back_off_counts_what_was_not_confirmed(is_answered: bool) -> None:
    def talk(peer: Peer) -> Talk:
        yield from peer.upgrade()
        texts = 0
        while texts < 2:
            frame = yield from peer.hear_frame()
            assert frame is not None
            if frame.opcode == frames.TEXT:
                texts += 1
            elif frame.payload == b"now" and is_answered:
                yield say(frames.PONG, frame.payload)
        yield End()

    with served(talk) as server:
        websocket = WebSocket(server.url)
        for event in persist(websocket, ping_rate=0, min_wait=0, max_wait=0):
            if event.name == "ready":
                websocket.send_text("12345")
                websocket.send_ping(b"now")
                if not is_answered:
                    websocket.send_text("123")
            elif event.name == "pong":
                websocket.send_text("123")
            elif event.name == "disconnected":
                assert event.unconfirmed == (3 if is_answered else 8)
            elif event.name == "back_off":
                assert event.unconfirmed == (3 if is_answered else 8)
                break


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ({"max_attempts": 0}, "max_attempts must be 1 or more"),
        ({"max_time": -1}, "max_time must be"),
        ({"stable_after": None}, "stable_after must be"),
        ({"full_jitter": 1}, "full_jitter must be True or False"),
        ({"watch_exit": 1}, "watch_exit must be True or False"),
    ],
)
def test_an_option_that_can_not_be_is_refused_at_once(option: Any, message: str) -> None:
    with pytest.raises((TypeError, ValueError), match=message):
        persist(WebSocket("ws://h/"), **option)


def test_an_exit_event_without_is_set_can_not_be_watched() -> None:
    class Waits:
        def wait(self, timeout: float) -> bool:
            return True

    with pytest.raises(TypeError, match=r"must have is_set\(\)"):
        persist(WebSocket("ws://h/"), exit_event=Waits(), watch_exit=True)
