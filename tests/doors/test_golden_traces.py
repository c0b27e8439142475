"""The traces that a program may rely on, over real sockets and over the pretend door."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from doors.peer_server import served
from lomond import WebSocket
from lomond.events import AnyEvent
from lomond.options import Timing
from lomond.protocol import frames
from lomond.session.requests import Race, Resolve, StartTLS
from lomond.testing.peer import End, Hear, Peer, Say, Talk, say
from lomond.testing.pretend import PretendDoor
from scripted import is_silent

pytestmark = pytest.mark.every_door


@dataclass
class Case:
    """A peer, what the user does, and the events that come of it."""

    talk: Callable[[Peer], Talk]
    trace: list[str]
    act: Callable[[Any, AnyEvent], None] = lambda websocket, event: None
    options: dict[str, Any] = field(default_factory=dict)
    optional: frozenset[str] = frozenset()


def echo(peer: Peer) -> Talk:
    yield from peer.upgrade()
    while (frame := (yield from peer.hear_frame())) is not None:
        if frame.opcode in (frames.TEXT, frames.CLOSE):
            yield say(frame.opcode, frame.payload)


def closes(peer: Peer) -> Talk:
    yield from peer.upgrade(glued=say(frames.TEXT, b"hello").data)
    yield say(frames.CLOSE, b"bye", code=1001)
    yield from peer.hear_until(frames.CLOSE)
    yield End()


def hangs_up(peer: Peer) -> Talk:
    yield from peer.upgrade()
    yield say(frames.TEXT, b"hello")
    yield End()


def refuses(peer: Peer) -> Talk:
    yield from peer.read_request()
    yield Say(b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 2\r\n\r\nno")


def hangs_up_early(peer: Peer) -> Talk:
    yield from peer.read_request()
    yield End()


def talks_nonsense(peer: Peer) -> Talk:
    yield from peer.upgrade()
    yield Say(b"\xc1\x00")
    yield from peer.hear_end()


def talks_broken_text(peer: Peer) -> Talk:
    yield from peer.upgrade()
    yield say(frames.TEXT, b"\xff")
    yield from peer.hear_end()


def is_no_web_server(peer: Peer) -> Talk:
    yield from peer.read_request()
    yield Say(b"220 mail ready\r\n")


def is_no_tls_server(peer: Peer) -> Talk:
    yield Hear()
    yield Say(b"HTTP/1.1 400 Bad Request\r\n\r\n")
    yield End()


def sends_and_closes_on_text(websocket: Any, event: AnyEvent) -> None:
    if event.name == "poll":
        websocket.send_text("hello")
    elif event.name == "text":
        websocket.close()


def closes_on_poll(websocket: Any, event: AnyEvent) -> None:
    if event.name == "poll":
        websocket.close()


OPENED = ["connecting", "connected", "ready", "poll"]
CASES = {
    "client closes": Case(
        echo,
        [*OPENED, "text", "closed 1000", "disconnected graceful"],
        sends_and_closes_on_text,
    ),
    "server closes": Case(closes, [*OPENED, "text", "closing 1001", "disconnected graceful"]),
    "end without close": Case(
        hangs_up, [*OPENED, "text", "disconnected socket fail; connection lost"]
    ),
    "HTTP 401": Case(refuses, ["connecting", "connected", "rejected", "disconnected graceful"]),
    "end in the handshake": Case(
        hangs_up_early,
        ["connecting", "connected", "disconnected socket fail; connection lost"],
    ),
    "no HTTP": Case(
        is_no_web_server,
        ["connecting", "connected", "protocol_error critical", "disconnected answer"],
    ),
    "bad frame": Case(talks_nonsense, [*OPENED, "protocol_error", "disconnected reserved bits"]),
    "bad text": Case(talks_broken_text, [*OPENED, "protocol_error critical", "disconnected utf-8"]),
    "no pong": Case(
        is_silent,
        [*OPENED, "unresponsive", "disconnected ping timeout"],
        options={"ping_rate": 0.1, "ping_timeout": 0.2, "poll": 60.0},
    ),
    "close ignored": Case(
        is_silent,
        [*OPENED, "disconnected respond to close packet"],
        closes_on_poll,
        options={"close_timeout": 0.2, "poll": 60.0},
    ),
}


def brief(event: AnyEvent) -> str:
    """What a trace says of an event."""
    match event.name:
        case "closing" | "closed":
            return f"{event.name} {event.code}"
        case "protocol_error":
            return f"protocol_error{' critical' if event.critical else ''}"
        case "disconnected":
            return f"disconnected {'graceful' if event.graceful else event.reason}"
        case _:
            return event.name


def all_of(websocket: WebSocket) -> list[Any]:
    """All events of one connection."""
    return list(websocket)


def check(case: Case, events: Iterator[AnyEvent], websocket: Any) -> None:
    seen = []
    for event in events:
        seen.append(brief(event))
        case.act(websocket, event)
    seen = [line for line in seen if line != "pong"]
    assert len(seen) == len(case.trace), seen
    for line, expected in zip(seen, case.trace, strict=True):
        name, _, rest = expected.partition(" ")
        assert line.startswith(name), seen
        assert rest in line, seen
        assert name != "protocol_error" or line == expected, seen  # critical or not


@pytest.mark.parametrize("name", CASES)
def test_over_the_pretend_door(name: str) -> None:
    case = CASES[name]
    door = PretendDoor(case.talk, Timing(**case.options))
    check(case, door.events(), door)
    assert door.hung_up


@pytest.mark.parametrize("name", CASES)
def test_over_real_sockets(name: str) -> None:
    case = CASES[name]
    with served(case.talk) as server:
        websocket = WebSocket(server.url)
        check(case, websocket.connect(**case.options), websocket)
        assert websocket.is_closed
        assert not websocket.is_active
        assert not websocket.is_closing


@pytest.mark.parametrize(
    ("request_type", "error", "phase"),
    [
        (Resolve, socket.gaierror(-2, "Name or service not known"), "resolve"),
        (Race, ConnectionRefusedError(111, "Connection refused"), "connect"),
        (StartTLS, OSError("certificate not accepted"), "tls"),
    ],
)
def test_no_connection_over_the_pretend_door(
    request_type: type, error: OSError, phase: str
) -> None:
    door = PretendDoor(echo, failures={request_type: error}, secure=True)
    (_, connecting), (_, failed) = door.play()
    assert (connecting.name, failed.name) == ("connecting", "connect_fail")
    assert failed.phase == phase
    assert failed.cause is error


def test_a_given_socket_over_the_pretend_door() -> None:
    door = PretendDoor(echo, has_socket=True)
    check(CASES["client closes"], door.events(), door)


def test_refused_over_real_sockets() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    connecting, failed = all_of(WebSocket(f"ws://127.0.0.1:{port}/"))
    assert (connecting.name, failed.name) == ("connecting", "connect_fail")
    assert (failed.phase, failed.address) == ("connect", f"127.0.0.1:{port}")
    assert isinstance(failed.cause, ConnectionRefusedError)


def test_no_tls_over_real_sockets() -> None:
    with served(is_no_tls_server) as server:
        connecting, failed = all_of(WebSocket(server.url.replace("ws:", "wss:")))
    assert (connecting.name, failed.name, failed.phase) == ("connecting", "connect_fail", "tls")
    assert isinstance(failed.cause, ssl.SSLError)


def test_unresolvable_over_real_sockets() -> None:
    connecting, failed = all_of(WebSocket("ws://does-not-exist.invalid/"))
    assert (connecting.name, failed.name, failed.phase) == ("connecting", "connect_fail", "resolve")
    assert isinstance(failed.cause, socket.gaierror)
