"""Every case of the hostile server, in pretend time and over real sockets, plain and with TLS."""

from __future__ import annotations

import contextlib
import datetime
import socket
import ssl
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from functools import lru_cache
from itertools import groupby
from typing import Any

import pytest
import trustme

from doors.every_door import DOORS, OnAsyncio, hear
from fair_clock import FairClock
from hostile.case import NO_CODE, PLAIN, PRETEND, TLS, Case, Client, only_listens, to_its_end
from hostile.groups import GROUPS
from hostile.server import HostileServer
from lomond.errors import WebSocketError
from lomond.options import Limits, Timing
from lomond.protocol import frames
from lomond.protocol.mask import mask
from lomond.testing.alone import PretendDoor
from traced import tracemalloc

SLACK = 4.0  # seconds, of a real clock on a busy machine
PARTS = 20  # so long as its part may a case take
CONNECT = ("poll", "ping_rate", "ping_timeout", "auto_pong", "close_timeout")
QUIET = {"poll": None, "ping_rate": 0}


class Shown:
    """What the client has shown."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self.said: set[str] = set()
        self.last: Any = None

    def see(self, events: Iterable[Any], act: Callable[[str], None]) -> None:
        for event in events:
            self.see_one(event)
            act(event.name)

    def see_one(self, event: Any) -> None:
        self.names.append(event.name)
        for field in ("reason", "error"):
            if words := getattr(event, field, None):
                self.said.add(str(words))
        self.last = event


def ways(way: str) -> list[Any]:
    return [
        pytest.param(case, id=f"{group}: {case.name}")
        for group, cases in GROUPS.items()
        for case in cases
        if way in case.ways
    ]


@contextlib.contextmanager
def bounded(case: Case) -> Iterator[None]:
    """Raises where the case takes more memory than it may."""
    if case.memory is None:
        yield
        return
    tracemalloc.start()
    try:
        yield
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < case.memory, f"{peak / 2**20:.1f} MiB"


def acting(case: Case, client: Client) -> Callable[[str], None]:
    def act(name: str) -> None:
        with contextlib.suppress(WebSocketError):  # the server does not let us
            case.client(client, name)

    return act


def close_codes(said: bytes) -> list[int]:
    """The codes of the client's close frames; every frame must be masked, and whole unless last."""
    data = said.partition(b"\r\n\r\n")[2]
    codes: list[int] = []
    position = 0
    while len(data) - position >= 2:
        assert data[position + 1] & 0x80, "a frame is not masked"
        length = data[position + 1] & 0x7F
        position_of_key = position + {126: 4, 127: 10}.get(length, 2)
        if length > 125:
            length = int.from_bytes(data[position + 2 : position_of_key], "big")
        start = position_of_key + 4
        if start + length > len(data):
            break
        assert not codes, "a frame follows a close frame"
        if data[position] & frames.OPCODE_BITS == frames.CLOSE:
            payload = mask(data[start : start + length], data[position_of_key:start])
            codes.append(int.from_bytes(payload[:2], "big") if payload else NO_CODE)
        position = start + length
    return codes


def check(case: Case, shown: Shown, said: bytes, seconds: float, slack: float) -> None:
    names = [name for name, _ in groupby(name for name in shown.names if name != "poll")]
    expected = [name.split("|") for name in case.shows.split()]
    tail = names[-len(expected) :]
    assert len(tail) == len(expected), names
    assert all(name in some for name, some in zip(tail, expected, strict=True)), names
    assert not set(shown.names[:-1]) & {"disconnected", "connect_fail"}
    assert shown.names[-1] in ("disconnected", "connect_fail")
    assert getattr(shown.last, "graceful", False) == case.graceful
    assert any(case.says in words for words in shown.said), shown.said
    assert close_codes(said) == ([] if case.code is None else [case.code])
    assert seconds < case.seconds + slack


@pytest.mark.parametrize("case", ways(PRETEND))
def test_in_pretend_time(case: Case) -> None:
    options = {**QUIET, **case.options}
    door = PretendDoor(
        to_its_end(case.talk),
        Timing(**{name: options[name] for name in Timing.__match_args__ if name in options}),
        Limits(**{name: options[name] for name in Limits.__match_args__ if name in options}),
        compress=options.get("compress", False),
        max_redirects=options.get("max_redirects", 0),
    )
    act = acting(case, door)

    def handle(name: str) -> None:
        if name == "ready" and case.never_reads:
            door.is_stuck = True
        act(name)

    shown = Shown()
    with bounded(case):
        shown.see(door.events(), handle)
    assert door.hung_up
    check(case, shown, door.sent, door.now, 0.0)


@pytest.fixture
def door(request: pytest.FixtureRequest) -> str:
    """The name of the door."""
    name: str = request.param
    return name


@pytest.mark.every_door
@pytest.mark.parametrize("case", ways(PLAIN))
def test_over_tcp(case: Case, door: str) -> None:
    converse(case, None, door)


@pytest.mark.every_door
@pytest.mark.parametrize("case", ways(TLS))
def test_over_tls(case: Case, door: str) -> None:
    converse(case, contexts(), door)


def converse(case: Case, tls: dict[str, ssl.SSLContext] | None, name: str) -> None:
    slack = SLACK * (3 if issubclass(DOORS[name], OnAsyncio) else 1)  # a loop runs for each event
    if case.part is not None:
        part = replace(case, talk=case.part, memory=case.memory and sys.maxsize)
        slack += PARTS * conversed(part, tls, name, slack)[-1]
    shown, said, seconds = conversed(case, tls, name, slack)
    check(case, shown, said, seconds, slack)


def conversed(
    case: Case, tls: dict[str, ssl.SSLContext] | None, name: str, slack: float
) -> tuple[Shown, bytes, float]:
    """What the client has shown and said in one connection, and the seconds that this took."""
    door = DOORS[name]
    options = {**QUIET, **case.options}
    made = {name: value for name, value in options.items() if name not in CONNECT}
    if tls is not None:
        made["ssl_context"] = tls["client"]
    if case.never_reads:
        made["socket_options"] = [(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)]
    shown = Shown()
    with bounded(case), HostileServer(case, tls and tls[case.certificate]) as server:
        scheme = "ws" if tls is None else "wss"
        websocket = door(f"{scheme}://127.0.0.1:{server.port}/", **made)
        # Whoever waits for ever is woken, and fails for that.
        with FairClock(case.seconds + slack, websocket.force_disconnect) as clock:
            connecting = {name: value for name, value in options.items() if name in CONNECT}
            if case.part is not None and case.client is only_listens:
                hear(websocket, shown.see_one, **connecting)
            else:
                shown.see(websocket.connect(**connecting), acting(case, websocket))
            seconds = clock.now()
    assert websocket.is_closed
    return shown, server.heard, seconds


@lru_cache(maxsize=1)
def contexts() -> dict[str, ssl.SSLContext]:
    """A server's for each kind of certificate, and the client's."""
    known, unknown = trustme.CA(), trustme.CA()
    past = datetime.datetime(2001, 1, 1, tzinfo=datetime.UTC)
    made = {
        "good": known.issue_cert("127.0.0.1"),
        "other name": known.issue_cert("other.example"),
        "expired": known.issue_cert("127.0.0.1", not_before=past, not_after=past),
        "unknown": unknown.issue_cert("127.0.0.1"),
    }
    found = {"client": ssl.create_default_context()}
    known.configure_trust(found["client"])
    for name, certificate in made.items():
        found[name] = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        certificate.configure_cert(found[name])
    return found


def test_names_are_unique_and_cases_are_many() -> None:
    assert sum(map(len, GROUPS.values())) >= 120
    for cases in GROUPS.values():
        assert len({case.name for case in cases}) == len(cases)
    assert all(len(cases) >= 10 for cases in GROUPS.values())
