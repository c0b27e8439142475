"""persist against a real server, and against the upstream tests' kind of fakes."""

from __future__ import annotations

import threading
from collections.abc import Iterator

from doors.peer_server import served
from lomond import WebSocket, events
from lomond.persist import persist
from lomond.protocol import frames
from lomond.testing.peer import End, Peer, Say, Talk, say


def closes(peer: Peer) -> Talk:
    yield from peer.upgrade()
    yield say(frames.CLOSE, code=1000)
    yield from peer.hear_until(frames.CLOSE)
    yield End()


def test_it_connects_again_until_the_exit_event() -> None:
    stop = threading.Event()
    with served(closes) as server:
        websocket = WebSocket(server.url)
        names = []
        for event in persist(websocket, min_wait=0, max_wait=0, exit_event=stop, close_timeout=5):
            names.append(event.name)
            if names.count("ready") == 3:
                stop.set()
    assert names.count("back_off") == 3
    assert names[-2:] == ["disconnected", "back_off"]


def test_retry_after_of_a_rejection() -> None:
    def busy(peer: Peer) -> Talk:
        yield from peer.read_request()
        yield Say(b"HTTP/1.1 503 Busy\r\nRetry-After: 0\r\nContent-Length: 0\r\n\r\n")

    with served(busy) as server, WebSocket(server.url) as websocket:
        delays = []
        for event in persist(websocket):
            if event.name == "back_off":
                delays.append(event.delay)
                if len(delays) == 3:
                    break
    assert delays == [0, 0, 0]


def test_leaving_closes_the_connection() -> None:
    with served(closes) as server:
        websocket = WebSocket(server.url)
        for event in persist(websocket):
            if event.name == "ready":
                break
        assert websocket.is_closed


def test_only_three_keywords_and_only_wait() -> None:
    class Fake:
        def connect(
            self, poll: float, ping_rate: float, ping_timeout: float | None
        ) -> Iterator[events.AnyEvent]:
            yield events.Poll()

    class Exit:
        def wait(self, seconds: float) -> bool:
            return True

    poll, back_off = persist(Fake(), exit_event=Exit())  # type: ignore[arg-type]
    assert poll.name == "poll"
    assert back_off.name == "back_off"
    assert 5 <= back_off.delay <= 7
