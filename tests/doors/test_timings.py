"""How long each phase took, on every event that has it; and what a trace is told."""

from __future__ import annotations

import copy
import logging
import pickle
import socket
from typing import Any

import pytest

from doors.certified import contexts
from doors.raw_server import echo, raw_server, read_frame, refusing_port
from doors.site_server import Site, names, redirect, refusal, serving, visit
from lomond import WebSocket
from lomond.protocol import frames
from lomond.timings import Attempt, Timings

pytestmark = pytest.mark.every_door

PHASES = ["resolve", "proxy", "tls", "upgrade", "first_message"]


def filled(timings: Timings) -> list[str]:
    """The phases that have happened; none took less than nothing."""
    assert all(attempt.seconds >= 0 for attempt in timings.attempts)
    found = [name for name in PHASES if getattr(timings, name) is not None]
    assert all(getattr(timings, name) >= 0 for name in found)
    return found


@pytest.mark.parametrize("traced", [True, False])
@pytest.mark.parametrize("is_long", [True, False])
def test_phases_are_filled_as_they_happen(traced: bool, is_long: bool) -> None:
    with serving(Site()) as site:
        websocket = WebSocket(site.url, trace=(lambda record: None) if traced else None)
        timings = None
        for event in websocket.connect(ping_rate=0):
            if event.name == "ready":
                timings = event.timings
                assert timings is not None
                assert filled(timings) == ["resolve", "upgrade"]
                assert timings.attempts[0]._replace(seconds=0) == Attempt(
                    f"127.0.0.1:{site.port}", 0
                )
                websocket.send_ping(b"x")
            elif event.name == "pong":  # it is no message, and neither is a Poll
                assert timings is not None
                assert timings.first_message is None
                websocket.send_text("x" * (100_000 if is_long else 1))
            elif event.name == "text":
                assert timings is not None
                assert filled(timings) == ["resolve", "upgrade", "first_message"]
                first = timings.first_message
                websocket.send_binary(b"second")
            elif event.name == "binary":
                assert timings is not None
                assert timings.first_message == first
                websocket.close()
        assert event.name == "disconnected"
        assert event.timings is None  # nothing failed


def test_tls_is_timed() -> None:
    server, client = contexts()
    with serving(Site(), server) as site:
        ready = visit(WebSocket(site.url, ssl_context=client))[2]
        assert ready.name == "ready"
        assert ready.timings is not None
        assert filled(ready.timings) == ["resolve", "tls", "upgrade"]


def test_a_server_that_takes_its_time_is_seen() -> None:
    def slow(connection: socket.socket) -> None:
        read_frame(connection)  # sent after Ready, from where the time counts
        server.released.wait(0.15)
        connection.sendall(frames.build(frames.TEXT, b"late", None))
        echo(connection)

    with raw_server(slow) as server:
        websocket = WebSocket(server.url)
        for event in websocket.connect(poll=None, ping_rate=0):
            if event.name == "ready":
                timings = event.timings
                websocket.send_ping()
            elif event.name == "text":
                websocket.close()
    assert timings is not None
    assert timings.first_message is not None
    assert 0.14 < timings.first_message < 5


def test_a_refusal_has_them() -> None:
    with serving(Site({"/": refusal("403 No")})) as site:
        seen = visit(WebSocket(site.url))
    rejected = seen[2]
    assert rejected.name == "rejected"
    assert rejected.timings is not None
    assert filled(rejected.timings) == ["resolve", "upgrade"]
    assert len(rejected.timings.attempts) == 1


def test_a_failure_to_connect_has_them() -> None:
    port = refusing_port()
    failed = visit(WebSocket(f"ws://127.0.0.1:{port}/"))[-1]
    assert failed.name == "connect_fail"
    assert failed.timings is not None
    assert filled(failed.timings) == ["resolve"]
    [attempt] = failed.timings.attempts
    assert (attempt.address, attempt.error) == (f"127.0.0.1:{port}", "Connection refused")
    failed = visit(WebSocket("ws://name.invalid/", proxies={}))[-1]
    assert failed.name == "connect_fail"
    assert failed.timings is not None
    assert (filled(failed.timings), failed.timings.attempts) == (["resolve"], ())


def test_a_failure_of_tls_has_them() -> None:
    with serving(Site({"/": b""})) as site:
        failed = visit(WebSocket(site.url.replace("ws://", "wss://"), open_timeout=0.5))[-1]
        assert failed.name == "connect_fail"
        assert failed.phase == "tls"
        assert failed.timings is not None
        assert filled(failed.timings) == ["resolve", "tls"]  # the phase that failed too


def test_events_of_one_connection_share_one_object() -> None:
    def breaks(connection: socket.socket) -> None:
        connection.sendall(b"\x81\x02hi\xc1\x00")
        read_frame(connection)

    with raw_server(breaks) as server:
        seen = list(WebSocket(server.url).connect(poll=None, ping_rate=0))
        again = list(WebSocket(server.url).connect(poll=None, ping_rate=0))
    assert names(seen)[2:] == ["ready", "text", "protocol_error", "disconnected"]
    have: list[Any] = [event for event in seen if hasattr(event, "timings")]
    assert len({id(event.timings) for event in have}) == 1
    assert len(have) == 3
    assert have[0].timings is not again[2].timings  # type: ignore[union-attr]  # the event that has it
    assert filled(have[0].timings) == ["resolve", "upgrade", "first_message"]


def test_unresponsive_has_them_too() -> None:
    def deaf(connection: socket.socket) -> None:
        server.released.wait(5)

    with raw_server(deaf) as server:
        seen = list(WebSocket(server.url).connect(poll=None, ping_rate=0.05, ping_timeout=0.1))
        server.released.set()
    assert names(seen)[2:] == ["ready", "unresponsive", "disconnected"]
    assert len({id(event.timings) for event in seen[2:]}) == 1  # type: ignore[union-attr]  # the event that has it


def test_what_is_not_http_has_them() -> None:
    with serving(Site({"/": b"junk\r\n\r\n"})) as site:
        seen = visit(WebSocket(site.url))
    assert names(seen)[2:] == ["protocol_error", "disconnected"]
    assert len({id(event.timings) for event in seen[2:]}) == 1  # type: ignore[union-attr]  # the event that has it


def test_a_redirect_adds_its_attempts() -> None:
    server, client = contexts()
    with serving(Site()) as site, serving(Site(), server) as other:
        site.answers["/"] = redirect(other.url)
        seen = visit(WebSocket(site.url, max_redirects=1, ssl_context=client))
        ready = seen[4]
        assert ready.name == "ready"
        assert ready.timings is not None
        ports = [attempt.address for attempt in ready.timings.attempts]
        assert ports == [f"127.0.0.1:{site.port}", f"127.0.0.1:{other.port}"]
        assert filled(ready.timings) == ["resolve", "tls", "upgrade"]


@pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))
def test_pickled_events_keep_them(protocol: int) -> None:
    with serving(Site()) as site:
        ready = visit(WebSocket(site.url))[2]
    failed = visit(WebSocket(f"ws://127.0.0.1:{site.port}/"))[-1]
    for event in (ready, failed):
        assert event.name in ("ready", "connect_fail")
        timings: Any = event.timings  # type: ignore[union-attr]  # the event that has it
        for other in (pickle.loads(pickle.dumps(event, protocol)), copy.deepcopy(event)):
            assert type(other) is type(event)
            assert other.timings is not timings
            assert repr(other.timings) == repr(timings)
            assert other.timings.attempts == timings.attempts
            assert other.timings.upgrade == timings.upgrade


def test_their_text() -> None:
    timings = Timings()
    assert repr(timings) == "Timings(attempts=[])"
    timings.resolve, timings.tls, timings.first_message = 0.00123, 0.0, 12.5
    timings.attempts = (Attempt("[::1]:80", 0.25, "refused"), Attempt("127.0.0.1:80", 0.0001))
    assert repr(timings) == (
        "Timings(resolve=0.0012, tls=0.0000, first_message=12.5000, "
        "attempts=[[::1]:80 0.2500, 127.0.0.1:80 0.0001])"
    )


# Traces


def test_a_trace_of_a_redirect_may_send_and_may_raise() -> None:
    stages: list[str] = []
    urls: set[object] = set()

    def trace(record: dict[str, object]) -> None:
        stages.append(str(record["stage"]))
        urls.add(record["url"])
        if record["stage"] == "handshake_ready":
            websocket.send_text("from the trace")
        raise RuntimeError("a callable that fails")

    logging.getLogger("lomond").disabled = True
    try:
        with serving(Site({"/": redirect("/on")})) as site:
            websocket = WebSocket(
                site.url.replace("//", "//me:hunter2@"), trace=trace, max_redirects=1
            )
            texts = []
            for event in websocket.connect(poll=None, ping_rate=0):
                if event.name == "text":
                    texts.append(event.text)
                    websocket.close()
            assert site.paths == ["/", "/on"]
            assert urls == {f"ws://***@127.0.0.1:{site.port}"}
    finally:
        logging.getLogger("lomond").disabled = False
    assert texts == ["from the trace"]
    assert stages[0] == "connect_start"
    assert stages.count("handshake_ready") == 1
    assert stages.index("socket_send") < stages.index("socket_recv")
    assert stages[-1] == "disconnected"


def test_a_trace_is_told_of_a_redirect_that_is_not_followed() -> None:
    records: list[dict[str, Any]] = []
    with serving(Site({"/": redirect("ftp://me:hunter2@h/")})) as site:
        visit(WebSocket(site.url, trace=records.append, max_redirects=1))
    [rejected] = [record for record in records if record["stage"] == "handshake_rejected"]
    assert rejected["status_code"] == 302
    assert "the redirect is not followed" in rejected["reason"]
    assert "hunter2" not in str(records)


def test_a_trace_of_tls_may_close() -> None:
    server, client = contexts()
    stages: list[str] = []

    def trace(record: dict[str, object]) -> None:
        stages.append(str(record["stage"]))
        if record["stage"] == "tls_wrapped":
            assert record == {
                "stage": "tls_wrapped",
                "url": site.url,
                "verify": True,
                "has_context": True,
                "cafile": False,
            }
            websocket.close()

    with serving(Site(), server) as site:
        websocket = WebSocket(site.url, trace=trace, ssl_context=client)
        seen = list(websocket)
        assert names(seen) == ["connecting", "connect_fail"]
        assert "closed by the user" in seen[-1].reason  # type: ignore[union-attr]  # the event that has it
        assert site.requests == []
    assert "close_requested" in stages
