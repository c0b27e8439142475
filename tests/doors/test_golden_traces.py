"""The traces that a program may rely on: over the pretend door, and through every door in pretend
time, in the pretend world that users have, and over real sockets.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from doors.peer_server import served
from doors.pretended import GuestsWorld, PretendTime
from doors.raw_server import refusing_port
from lomond import WebSocket
from lomond.events import AnyEvent
from lomond.options import Timing
from lomond.protocol import frames
from lomond.session.requests import Race, Resolve, StartTLS
from lomond.testing.alone import PretendDoor
from lomond.testing.clock import PretendClock
from lomond.testing.peer import End, Hear, Peer, Say, Talk, say
from scripted import is_silent


@dataclass
class Case:
    """A peer, what the user does, and the events that come of it.

    Attributes:
        talk: What the peer does.
        trace: A line for each event: its name, and what its line begins with or has.
        act: The user's handler.
        options: Of the connection.
        fails: The request of the opening that fails.
        cause: With what. (The pretend door is told of it.)
        place: The URL that fails so, of the server's or another; where there is one.
    """

    talk: Callable[[Peer], Talk]
    trace: list[str]
    act: Callable[[Any, AnyEvent], None] = lambda websocket, event: None
    options: dict[str, Any] = field(default_factory=dict)
    fails: type | None = None
    cause: OSError | None = None
    place: Callable[[str], str] = str


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


def never_runs(peer: Peer) -> Talk:
    yield from ()


def is_no_tls_server(peer: Peer) -> Talk:
    yield Hear()
    yield Say(b"HTTP/1.1 400 Bad Request\r\n\r\n")
    yield End()


def with_tls(url: str) -> str:
    return url.replace("ws:", "wss:")


def with_nobody_there(url: str) -> str:
    return f"ws://127.0.0.1:{refusing_port()}/"


def with_an_unknown_name(url: str) -> str:
    return "ws://does-not-exist.invalid/"


def sends_and_closes_on_text(websocket: Any, event: AnyEvent) -> None:
    if event.name == "poll":
        websocket.send_text("hello")
    elif event.name == "text":
        websocket.close()


def closes_on_poll(websocket: Any, event: AnyEvent) -> None:
    if event.name == "poll":
        websocket.close()


def posts_and_closes(websocket: Any, event: AnyEvent) -> None:
    if event.name == "poll":
        websocket.post("first")
        websocket.post("second")
    elif event.name == "posted" and event.value == "second":
        websocket.close()


OPENED = ["connecting", "connected", "ready", "poll"]
CASES = {
    "client closes": Case(
        echo,
        [*OPENED, "text", "closed 1000", "disconnected graceful"],
        sends_and_closes_on_text,
    ),
    "posted": Case(
        echo,
        [*OPENED, "posted first", "posted second", "closed 1000", "disconnected graceful"],
        posts_and_closes,
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
    "no such name": Case(
        never_runs,
        ["connecting", "connect_fail resolve"],
        fails=Resolve,
        cause=socket.gaierror(-2, "Name or service not known"),
        place=with_an_unknown_name,
    ),
    "refused": Case(
        never_runs,
        ["connecting", "connect_fail connect"],
        fails=Race,
        cause=ConnectionRefusedError(111, "Connection refused"),
        place=with_nobody_there,
    ),
    "no TLS": Case(
        is_no_tls_server,
        ["connecting", "connect_fail tls"],
        fails=StartTLS,
        cause=ssl.SSLError(1, "wrong version number"),
        place=with_tls,
    ),
}
#: Those that a socket which is connected already does not exclude.
CONNECTED = [name for name, case in CASES.items() if case.fails not in (Resolve, Race)]


def brief(event: AnyEvent) -> str:
    """What a trace says of an event."""
    match event.name:
        case "closing" | "closed":
            return f"{event.name} {event.code}"
        case "posted":
            return f"posted {event.value}"
        case "protocol_error":
            return f"protocol_error{' critical' if event.critical else ''}"
        case "connect_fail":
            return f"connect_fail {event.phase}"
        case "disconnected":
            return f"disconnected {'graceful' if event.graceful else event.reason}"
        case _:
            return event.name


#: The wall clock of pretend time, about; real time is far from it.
PRETENDED = PretendClock(1000.0).time()
#: Gives what the handler gets, and the events.
Played = AbstractContextManager[tuple[Any, Iterator[AnyEvent]]]


@contextmanager
def pretend_door(case: Case, **options: Any) -> Iterator[tuple[Any, Iterator[AnyEvent]]]:
    if case.fails is not None:
        options["failures"] = {case.fails: case.cause}
    door = PretendDoor(case.talk, Timing(**case.options), secure=case.fails is StartTLS, **options)
    yield door, door.events()
    assert door.hung_up


@contextmanager
def pretend_time(
    case: Case, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[Any, Iterator[AnyEvent]]]:
    clock = PretendTime(case.talk)
    clock.install(monkeypatch)
    try:
        websocket = WebSocket(case.place("ws://127.0.0.1/"), socket=clock.sock)
        yield websocket, websocket.connect(**case.options)
        check_closed(websocket)
    finally:
        clock.close()


class Server:
    """A server of the pretend world that does what a case says."""

    def __init__(self, case: Case) -> None:
        self.talk = case.talk
        self.connect_error = case.cause if case.fails is Race else None
        self.tls_error = case.cause if case.fails is StartTLS else None


@contextmanager
def pretend_world(case: Case) -> Iterator[tuple[Any, Iterator[AnyEvent]]]:
    unknown = {"does-not-exist.invalid": None}
    place = str if case.fails is Race else case.place
    with GuestsWorld([Server(case)], unknown, 100.0):
        websocket = WebSocket(place("ws://peer.example/"))
        yield websocket, websocket.connect(**case.options)
        check_closed(websocket)


@contextmanager
def sockets(case: Case) -> Iterator[tuple[Any, Iterator[AnyEvent]]]:
    with served(case.talk) as server:
        websocket = WebSocket(case.place(server.url))
        yield websocket, websocket.connect(**case.options)
        check_closed(websocket)


def check_closed(websocket: Any) -> None:
    assert websocket.is_closed
    assert not websocket.is_active
    assert not websocket.is_closing


def check(case: Case, played: Played) -> list[AnyEvent]:
    """Play it; the events, but for pongs."""
    came, seen = [], []
    with played as (websocket, events):
        for event in events:
            if event.name != "pong":
                came.append(event)
                seen.append(brief(event))
            case.act(websocket, event)
    assert len(seen) == len(case.trace), seen
    for line, expected in zip(seen, case.trace, strict=True):
        name, _, rest = expected.partition(" ")
        assert line.startswith(name), seen
        assert rest in line, seen
        assert name != "protocol_error" or line == expected, seen  # critical or not
    if case.cause is not None:
        assert isinstance(getattr(came[-1], "cause", None), type(case.cause))
    return came


@pytest.mark.parametrize("name", CASES)
def test_over_the_pretend_door(name: str) -> None:
    case = CASES[name]
    last = check(case, pretend_door(case))[-1]
    assert case.cause is None or (last.name == "connect_fail" and last.cause is case.cause)


@pytest.mark.parametrize("name", CONNECTED)
def test_a_given_socket_over_the_pretend_door(name: str) -> None:
    check(CASES[name], pretend_door(CASES[name], has_socket=True))


@pytest.mark.every_door
@pytest.mark.parametrize("name", CONNECTED)
def test_in_pretend_time(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    came = check(CASES[name], pretend_time(CASES[name], monkeypatch))
    assert all(PRETENDED <= event.received_time < PRETENDED + 100 for event in came)


@pytest.mark.every_door
@pytest.mark.parametrize("name", CASES)
def test_in_the_pretend_world(name: str) -> None:
    came = check(CASES[name], pretend_world(CASES[name]))
    assert all(PRETENDED <= event.received_time < PRETENDED + 100 for event in came)


@pytest.mark.every_door
@pytest.mark.parametrize("name", CASES)
def test_over_real_sockets(name: str) -> None:
    check(CASES[name], sockets(CASES[name]))


@pytest.mark.every_door
def test_the_address_that_refused_is_told() -> None:
    url = with_nobody_there("")
    case = replace(CASES["refused"], place=lambda _: url)
    failed: Any = check(case, sockets(case))[-1]
    assert f"ws://{failed.address}/" == url
