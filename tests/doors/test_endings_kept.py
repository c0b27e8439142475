"""Where an Ending is found: on the WebSocket, on events, and on what a send raises."""

from __future__ import annotations

import pickle
import sys
import threading
import time
from typing import Any

import pytest

from doors.raw_server import echo, frame, raw_server, read_all, read_frame, until
from doors.ways_to_end import QUIET, closes, hangs_up
from lomond import WebSocket
from lomond.errors import ConnectionFailed, WebSocketClosing, WebSocketUnavailable
from lomond.persist import persist
from lomond.protocol import frames

pytestmark = pytest.mark.every_door


def test_there_is_none_before_the_first_end() -> None:
    with raw_server(closes(1000)) as server:
        websocket = WebSocket(server.url)
        assert websocket.ending is None
        stream = websocket.connect(**QUIET)
        until(stream, "connected")
        assert websocket.ending is None
        *_, last = stream
        assert websocket.ending is last.ending is not None  # type: ignore[union-attr]  # the event that has it
        first = websocket.ending
        for event in websocket.connect(**QUIET):
            if event.name == "ready":
                assert websocket.ending is first  # as long as the next one lasts
        assert websocket.ending is not first


def test_a_connection_that_is_replaced_says_so() -> None:
    with raw_server(echo) as server:
        websocket = WebSocket(server.url)
        stream = websocket.connect(**QUIET)  # which is kept
        until(stream, "ready")
        other = websocket.connect(**QUIET)
        until(other, "ready")
        assert websocket.ending is not None
        assert (websocket.ending.kind, websocket.ending.was_ready) == ("replaced", True)
        websocket.close()
        list(stream)
        list(other)


def test_back_off_has_the_ending_of_what_was_before() -> None:
    with raw_server(closes(1011, b"oops")) as server:
        websocket = WebSocket(server.url)
        endings = []
        options = {"min_wait": 0, "max_wait": 0, "stable_after": 60, **QUIET}
        for event in persist(websocket, **options):
            if event.name == "disconnected":
                endings.append(event.ending)
            elif event.name == "back_off":
                assert event.ending is endings[-1] is websocket.ending
                break
    assert (endings[0].code, endings[0].reason) == (1011, "oops")


def test_a_send_after_the_end_has_it() -> None:
    with raw_server(hangs_up) as server:
        websocket = WebSocket(server.url)
        list(websocket.connect(**QUIET))
        with pytest.raises(WebSocketUnavailable) as raised:
            websocket.send_text("x")
    assert raised.value.ending is websocket.ending is not None
    assert websocket.ending.kind == "lost"


def test_a_send_while_closing_gets_it_when_there_is_one() -> None:
    released = threading.Event()
    with raw_server(lambda connection: released.wait(20) and echo(connection)) as server:
        websocket = WebSocket(server.url)
        stream = websocket.connect(**QUIET)
        until(stream, "ready")
        websocket.close(4000, "enough")
        said = "data not sent; this program had closed with 4000 'enough'"
        with pytest.raises(WebSocketClosing, match=said) as raised:
            websocket.send_text("x")
        assert raised.value.ending is None
        released.set()
        last = until(stream, "disconnected")
        assert raised.value.ending is last.ending


def test_a_send_after_the_servers_close_names_it() -> None:
    with raw_server(closes(4001, b"bye")) as server:
        websocket = WebSocket(server.url)
        stream = websocket.connect(**QUIET)
        until(stream, "closing")
        websocket.close()
        last = until(stream, "disconnected")
    assert (last.ending.kind, last.ending.by, last.ending.code) == ("closed", "server", 4001)


def test_what_was_confirmed() -> None:
    released = threading.Event()

    def serve(connection: Any) -> None:
        released.wait(20)
        echo(connection)

    with raw_server(serve) as server:
        websocket = WebSocket(server.url)
        stream = websocket.connect(**QUIET)
        until(stream, "ready")
        websocket.send_binary(bytes(1000))
        released.set()
        websocket.close()
        last = until(stream, "disconnected")
    assert last.ending.unconfirmed == last.unconfirmed == 0


def test_it_travels_with_its_event() -> None:
    with raw_server(lambda connection: connection.sendall(frame(frames.TEXT, b"\xff"))) as server:
        websocket = WebSocket(server.url)
        *_, last = websocket.connect(**QUIET)
    other = pickle.loads(pickle.dumps(last))
    assert str(other.ending) == str(websocket.ending)
    with pytest.raises(ConnectionFailed, match="broke the protocol"):
        other.ending.raise_for_failure()


def test_reset_keeps_the_ending() -> None:
    with raw_server(lambda connection: read_all(connection) and None) as server:
        websocket = WebSocket(server.url)
        stream = websocket.connect(**QUIET)
        until(stream, "ready")
        websocket.reset()
        assert websocket.ending is not None
        assert websocket.ending.kind == "left"
        list(stream)


@pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="only Linux tells what was sent when"
)
def test_when_it_said_and_heard_something_last() -> None:
    def serve(connection: Any) -> None:
        connection.sendall(frame(frames.TEXT, b"x"))
        read_frame(connection)
        time.sleep(0.3)

    with raw_server(serve) as server:
        websocket = WebSocket(server.url)
        for event in websocket.connect(**QUIET):
            if event.name == "text":
                time.sleep(0.2)
                websocket.send_text("x")
    ending = websocket.ending
    assert ending is not None
    assert ending.since_received is not None
    assert ending.since_sent is not None
    assert 0.25 <= ending.since_sent <= ending.since_received - 0.15
    assert ending.since_pong is None
