"""persist against a real server, and against the upstream tests' kind of fakes."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from websockets.http11 import Request, Response
from websockets.sync.server import ServerConnection, serve

from doors.peer_server import served
from lomond import WebSocket, events
from lomond.persist import persist
from lomond.testing.peer import Peer, Say, Talk
from refcounts import at_once
from scripted import closes

pytestmark = pytest.mark.every_door


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
        for event in persist(websocket, min_wait=0.01):
            if event.name == "back_off":
                delays.append(event.delay)
                if len(delays) == 3:
                    break
    assert delays == [0, 0.01, 0.01]


@at_once
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

    poll, back_off = persist(Fake(), exit_event=Exit())  # type: ignore[arg-type]  # stands for one
    assert poll.name == "poll"
    assert back_off.name == "back_off"
    assert 5 <= back_off.delay <= 7


@contextmanager
def websockets_server(handler: Callable[[ServerConnection], None], **options: Any) -> Iterator[str]:
    with serve(handler, "127.0.0.1", 0, **options) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"ws://127.0.0.1:{server.socket.getsockname()[1]}/"
        finally:
            server.shutdown()
            thread.join(10)
            assert not thread.is_alive()


def waits_for_the_end(connection: ServerConnection) -> None:
    for _ in connection:
        pass


def test_another_server_that_closes_is_connected_again() -> None:
    stop = threading.Event()
    names = []
    with (
        websockets_server(lambda connection: connection.close()) as url,
        WebSocket(url) as websocket,
    ):
        for event in persist(websocket, min_wait=0.01, max_wait=0.02, exit_event=stop):
            names.append(event.name)
            if names.count("ready") == 2:
                stop.set()
    once = ["connecting", "connected", "ready", "closing", "disconnected", "back_off"]
    # Whether the first ping is still answered is up to the server.
    assert [name for name in names if name not in ("poll", "pong")] == once * 2


def test_exit_event_and_close_end_it() -> None:
    stop = threading.Event()
    names = []
    with websockets_server(waits_for_the_end) as url, WebSocket(url) as websocket:
        for event in persist(websocket, min_wait=30, exit_event=stop):
            names.append(event.name)
            if event.name == "ready":
                stop.set()
                websocket.close()
    assert names[-3:] == ["closed", "disconnected", "back_off"]


@pytest.mark.parametrize(("respects", "least", "most"), [(True, 120, 120), (False, 0, 0.02)])
def test_503_of_another_server(respects: bool, least: float, most: float) -> None:
    def busy(connection: ServerConnection, request: Request) -> Response:
        response = connection.respond(503, "busy")
        response.headers["Retry-After"] = "120"
        return response

    with websockets_server(waits_for_the_end, process_request=busy) as url:
        names = []
        for event in persist(WebSocket(url), 5, 0, 0.02, respect_retry_after=respects):
            names.append(event.name)
            if event.name == "back_off":
                break
    assert names[-3:] == ["rejected", "disconnected", "back_off"]
    assert least <= event.delay <= most


def test_leaving_with_closes_the_socket() -> None:
    with websockets_server(waits_for_the_end) as url:
        with WebSocket(url) as websocket:
            loop = persist(websocket)
            for event in loop:
                if event.name == "ready":
                    break
        assert websocket.is_closed
        loop.close()


@pytest.mark.parametrize(
    ("waits", "least", "most"),
    [
        ({}, 5, 7),
        ({"min_wait": 40}, 40, 40),
        ({"min_wait": 40, "max_wait": 0}, 40, 40),
        ({"max_wait": 0.2}, 0.2, 0.2),
        ({"min_wait": 40, "full_jitter": True}, 0, 42),
    ],
)
def test_min_wait_holds_whatever_max_wait_is(
    waits: dict[str, Any], least: float, most: float
) -> None:
    class Fake:
        def connect(self, **options: Any) -> list[events.AnyEvent]:
            return []

    for _ in range(20):
        (back_off,) = persist(Fake(), exit_event=Sets(), **waits)
        assert back_off.name == "back_off"
        assert least <= back_off.delay <= most


class Sets:
    """An exit event that is set."""

    def is_set(self) -> bool:
        return True

    def wait(self, timeout: float) -> bool:
        return True


def test_an_iterator_that_is_no_generator_is_closed_too() -> None:
    class Stream:
        is_closed = False

        def __iter__(self) -> Stream:
            return self

        def __next__(self) -> events.AnyEvent:
            return events.Poll()

        def close(self) -> None:
            self.is_closed = True

    stream = Stream()

    class Fake:
        def connect(self, **options: Any) -> Stream:
            assert options == {"poll": 5, "ping_rate": 30, "ping_timeout": None}
            return stream

    loop = persist(Fake())
    assert next(loop).name == "poll"
    loop.close()
    assert stream.is_closed


@pytest.mark.doors("sync")  # one with a connect() of its own takes what it likes
@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"poll": "x"}, TypeError, "poll must be a number of seconds"),
        ({"ping_rate": -1}, ValueError, "ping_rate must be 0 or more"),
        ({"ping_timeout": True}, TypeError, "ping_timeout must be a number of seconds"),
        ({"close_timeout": -1}, ValueError, "close_timeout must be 0 or more"),
        ({"auto_pong": 1}, TypeError, "auto_pong must be True or False"),
        ({"respect_retry_after": "no"}, TypeError, "respect_retry_after must be True or False"),
        ({"exit_event": 5}, TypeError, r"exit_event must have wait\(seconds\), not 5"),
        (
            {"speed": 1, "open_timeout": 2},
            TypeError,
            r"persist\(\) has no argument open_time",
        ),
        ({"session_class": object}, TypeError, r"persist\(\) has no argument session_class"),
    ],
)
def test_an_argument_that_cannot_be_is_refused_before_the_first_event(
    options: dict[str, Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        persist(WebSocket("ws://localhost"), **options)


def test_only_what_connects_can_be_persisted() -> None:
    with pytest.raises(TypeError, match=r"persist\(\) needs a WebSocket, not 'ws://localhost'"):
        persist("ws://localhost")  # type: ignore[arg-type]  # wrong on purpose


def test_an_exit_event_that_is_false_is_used() -> None:
    class Exit:
        def __bool__(self) -> bool:
            return False

        def wait(self, timeout: float) -> bool:
            return True

    class Fake:
        def connect(self, **options: Any) -> list[events.AnyEvent]:
            assert options["speed"] == 1  # what another WebSocket takes is its own business
            assert options["close_timeout"] == "late"
            return []

    given: Any = {"exit_event": Exit(), "speed": 1, "close_timeout": "late"}
    assert [event.name for event in persist(Fake(), **given)] == ["back_off"]


def test_a_wait_that_cannot_be_is_refused_at_once() -> None:
    with pytest.raises(ValueError, match="min_wait"):
        persist(WebSocket("ws://localhost"), min_wait=-1)
    with pytest.raises(TypeError, match="max_wait"):
        persist(WebSocket("ws://localhost"), max_wait="1")  # type: ignore[arg-type]  # wrong, on purpose
