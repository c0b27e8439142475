"""Every deadline, whatever the handler and the server do, through every door: a table.

In pretend time to the hundredth of a second; in real time, where only the machine says how late it
may be. That of tests/session/test_deadlines.py has the
rules alone.
"""

from __future__ import annotations

import asyncio
import ssl
import threading
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest
import trio

from doors.certified import contexts
from doors.loops import uvloop_loop
from doors.pretended import PretendTime, RealTime
from lomond import WebSocket
from lomond.errors import TransportFail
from lomond.protocol import frames
from lomond.system.pipe import BOUND
from lomond.testing.peer import End, Hear, Pause, Peer, Say, Talk, say
from patience import PATIENCE
from scripted import never_answers, trickles_an_answer

pytestmark = pytest.mark.every_door

START = 5.0  # seconds; when what begins a deadline happens, if that is not the opening
LONG = 3.0  # seconds; each deadline
SLOW = 7.0  # seconds that a slow handler takes
FLOOD = 10.0  # seconds for which a server goes on that is alive
SCALE = 0.1  # real seconds for one of these, where time is not pretended
LARGE = bytes(4_000_000)  # more than the system takes of a message

GO = say(frames.TEXT, b"go").data
TEXTS = say(frames.TEXT, b"x").data * 10
PINGS = say(frames.PING, b"?").data * 10
STALLED = b"\x82\x7e\x10\x00ab"  # the head of a frame, and two of its 4096 bytes
CLOSES = say(frames.CLOSE, code=1000).data
AGAIN = 0.05  # seconds between two writes of a flood


def says(start: bytes, then: bytes = b"", seconds: float | None = None, reads: bool = True) -> Any:
    """A server's script.

    Arguments:
        start: What it says at START.
        then: What it says again and again after that.
        seconds: For how long; None for ever.
        reads: Whether it reads at last.
    """

    def talk(peer: Peer) -> Talk:
        yield from peer.upgrade()
        yield Pause(START)
        yield Say(start)
        times = 0
        while then and (seconds is None or times * AGAIN < seconds):
            yield Pause(AGAIN)
            yield Say(then)
            times += 1
        while not reads:
            yield Pause(1)
        while (yield Hear()):
            pass

    return talk


def closes(websocket: Any) -> None:
    websocket.close()


def pings(websocket: Any) -> None:
    websocket.send_ping()


def sends_too_much(websocket: Any) -> None:
    with pytest.raises(TransportFail, match="send_timeout"):
        websocket.send_binary(LARGE)


class Row(NamedTuple):
    """A deadline, and who lets it pass."""

    option: str
    talk: Callable[[Peer], Talk]
    names: list[str]  #: of the events behind Ready, without those of a flood
    says: str  #: what the last one tells
    act: Callable[[Any], object] | None = None  #: of the handler that gets "go"
    lasts: float = 0.0  #: seconds for which the server keeps it from passing


OPENING = ["connecting", "connected"]
OPEN = [*OPENING, "ready"]
DEAD = [*OPEN, "text", "unresponsive", "disconnected"]
LOST = [*OPEN, "text", "disconnected"]
CLOSED = [*OPEN, "closing", "disconnected"]
ROWS = {
    "open, silence": Row("open_timeout", never_answers, [*OPENING, "disconnected"], "open_timeout"),
    "open, flood": Row(
        "open_timeout", trickles_an_answer, [*OPENING, "disconnected"], "open_timeout"
    ),
    "close, silence": Row("close_timeout", says(GO), LOST, "within", closes),
    "close, flood": Row("close_timeout", says(GO, TEXTS), LOST, "within", closes),
    "server closes, silence": Row("close_timeout", says(CLOSES), CLOSED, "closed"),
    "server closes, flood": Row("close_timeout", says(CLOSES, TEXTS), CLOSED, "closed"),
    "ping, silence": Row("ping_timeout", says(GO), DEAD, "ping timeout", pings),
    "ping, flood": Row("ping_timeout", says(GO, PINGS, FLOOD), DEAD, "ping timeout", pings, FLOOD),
    "frame, silence": Row("frame_timeout", says(GO + STALLED), LOST, "frame_timeout"),
    "frame, flood": Row(
        "frame_timeout", says(GO + STALLED, b"x", FLOOD), LOST, "frame_timeout", None, FLOOD
    ),
    "send, silence": Row(
        "send_timeout", says(GO, reads=False), LOST, "send_timeout", sends_too_much
    ),
    "send, flood": Row(
        "send_timeout", says(GO, TEXTS, reads=False), LOST, "send_timeout", sends_too_much
    ),
}


def answers(start: bytes, then: bytes = b"", opcode: int | None = None) -> Any:
    """A server's script: it says `start` at START, and `then` in time, though late; and hangs up.

    Before `then` it waits for the frame of the opcode, if one is given.
    """

    def talk(peer: Peer) -> Talk:
        yield from peer.upgrade()
        yield Pause(START)
        yield Say(start)
        yield Pause(LONG - 1)
        if opcode is not None:
            yield from peer.hear_until(opcode)
        yield Say(then)
        yield End()
        yield from peer.hear_end()

    return talk


def accepts_late(peer: Peer) -> Talk:
    yield Pause(LONG - 1)
    yield from peer.upgrade()
    yield End()


def sends_much(websocket: Any) -> None:
    websocket.send_binary(LARGE)


TEXT = [*OPEN, "text"]
IN_TIME = {
    "open": Row("open_timeout", accepts_late, [*OPEN, "disconnected"], "lost"),
    "close": Row(
        "close_timeout",
        answers(GO, CLOSES, frames.CLOSE),
        [*TEXT, "closed", "disconnected"],
        "closed",
        closes,
    ),
    "close, hangs up": Row("close_timeout", answers(GO), LOST, "closed", closes),
    "server closes": Row("close_timeout", answers(CLOSES), CLOSED, "closed"),
    "ping": Row(
        "ping_timeout",
        answers(GO, say(frames.PONG).data, frames.PING),
        [*TEXT, "pong", "disconnected"],
        "lost",
        pings,
    ),
    "ping, hangs up": Row("ping_timeout", answers(GO), LOST, "lost", pings),
    "frame, hangs up": Row("frame_timeout", answers(GO + STALLED), LOST, "lost"),
    "frame": Row(
        "frame_timeout",
        answers(GO + STALLED, b"x" * 4094),
        [*TEXT, "binary", "disconnected"],
        "lost",
    ),
    "send": Row("send_timeout", answers(GO, b"", frames.BINARY), LOST, "lost", sends_much),
}


class Played(NamedTuple):
    """What was seen of a row. Moments are of its clock."""

    names: list[str]
    reason: str
    began: float
    freed: float  #: when the handler was done that had the thread as the deadline began
    ended: float


def played(
    row: Row,
    clock: PretendTime | RealTime,
    spend: Callable[[Any], object] | None,
    poll: float | None,
    scale: float = 1.0,
    context: ssl.SSLContext | None = None,
) -> Played:
    """A row, with a handler that spends its time where the deadline begins, or with a fast one."""
    connect: dict[str, Any] = {"poll": poll, "ping_rate": 0, "close_timeout": None}
    options: dict[str, Any] = {"open_timeout": None, "frame_timeout": None, "send_timeout": None}
    (options if row.option in options else connect)[row.option] = LONG * scale
    is_opening = row.option == "open_timeout"
    begins = "connected" if is_opening else row.names[3]
    names: list[str] = []
    freed = 0.0
    try:
        url = f"{'ws' if context is None else 'wss'}://127.0.0.1/"
        websocket: Any = WebSocket(url, socket=clock.sock, ssl_context=context, **options)
        for event in websocket.connect(**connect):
            if event.name in ("poll", "ping") or (event.name == "text" == names[-1]):
                continue
            names.append(event.name)
            if event.name == begins:
                if row.act is not None:
                    row.act(websocket)
                if spend is not None:
                    spend(websocket)
                freed = clock.now
        ended = clock.now
    finally:
        clock.close()
    began = clock.started if is_opening else clock.said[1]
    return Played(names, event.reason, began, freed, ended)


def check_pretended(
    name: str,
    monkeypatch: pytest.MonkeyPatch,
    poll: float | None,
    spend: Callable[[PretendTime, Any], object] | None,
) -> None:
    row = ROWS[name]
    clock = PretendTime(row.talk)
    clock.install(monkeypatch)
    spends = None if spend is None else lambda websocket: spend(clock, websocket)
    seen = played(row, clock, spends, poll)
    assert seen.names == row.names
    assert row.says in seen.reason
    due = max(seen.began + row.lasts + LONG, seen.freed)
    assert due <= seen.ended <= due + 1.5 * BOUND


@pytest.mark.parametrize("poll", [None, 2.0], ids=["no polls", "polls"])
@pytest.mark.parametrize("handler", ["fast", "slow"])
@pytest.mark.parametrize("name", ROWS)
def test_a_deadline_is_kept(
    monkeypatch: pytest.MonkeyPatch, name: str, handler: str, poll: float | None
) -> None:
    spend = None if handler == "fast" else lambda clock, _: clock.spend(SLOW)
    check_pretended(name, monkeypatch, poll, spend)


@pytest.mark.doors("asyncio", "trio")
@pytest.mark.parametrize("poll", [None, 2.0], ids=["no polls", "polls"])
@pytest.mark.parametrize("name", ROWS)
def test_a_deadline_is_kept_while_the_task_is_elsewhere(
    monkeypatch: pytest.MonkeyPatch, name: str, poll: float | None, door: str
) -> None:
    def spend(clock: PretendTime, websocket: Any) -> None:
        websocket.run((trio if door == "trio" else asyncio).sleep(SLOW))

    check_pretended(name, monkeypatch, poll, spend)


@pytest.mark.parametrize("handler", ["fast", "slow"])
@pytest.mark.parametrize("name", IN_TIME)
def test_what_came_in_time_counts_however_long_the_handler_takes(
    monkeypatch: pytest.MonkeyPatch, name: str, handler: str
) -> None:
    row = IN_TIME[name]
    clock = PretendTime(row.talk)
    clock.install(monkeypatch)
    seen = played(row, clock, (lambda _: clock.spend(SLOW)) if handler == "slow" else None, None)
    assert seen.names == row.names
    assert row.says in seen.reason
    at = max(seen.began + LONG - 1, seen.freed)
    assert at <= seen.ended <= at + 1.5 * BOUND


def takes_nothing_until_it_is_read(peer: Peer) -> Talk:
    """It says more than there is room for on the way, and reads only behind that."""
    ping = say(frames.PING, b"?" * 125).data
    yield from peer.upgrade()
    yield Pause(START)
    yield Say(ping * 2_000 + GO + ping * 2_000)
    yield from peer.hear_until(frames.PONG)
    yield End()
    yield from peer.hear_end()


@pytest.mark.parametrize("sends", [False, True])
@pytest.mark.parametrize("seconds", [0.0, 1.0, SLOW])
def test_a_server_that_waits_for_us_to_read_is_not_given_up(
    monkeypatch: pytest.MonkeyPatch, seconds: float, sends: bool
) -> None:
    """Our pongs wait, for send_timeout and longer where the handler is so slow."""

    def spend(websocket: Any) -> None:
        clock.spend(seconds)
        if sends:
            websocket.send_text("behind the pongs")

    clock = PretendTime(takes_nothing_until_it_is_read)
    clock.install(monkeypatch)
    row = Row("send_timeout", takes_nothing_until_it_is_read, LOST, "lost")
    seen = played(row, clock, spend, None)
    assert seen.names == row.names
    assert row.says in seen.reason


class Case(NamedTuple):
    """A row in real time. It may end `at_least` so many seconds after its deadline began."""

    row: Row
    spend: Callable[[RealTime], object] | None
    at_least: float
    is_secure: bool = False


def check_in_real_time(cases: list[Case]) -> None:
    """All at once."""
    failures: dict[str, object] = {}
    server_context, client_context = contexts()

    def check(case: Case) -> None:
        row, spend = case.row, case.spend
        clock = RealTime(row.talk, SCALE, server_context if case.is_secure else None)
        spends = None if spend is None else lambda _: spend(clock)
        context = client_context if case.is_secure else None
        try:
            seen = played(row, clock, spends, None, SCALE, context)
            assert seen.names == row.names, seen
            assert row.says in seen.reason
            due = max(seen.began + case.at_least * SCALE, seen.freed)
            assert due <= seen.ended <= due + row.lasts * SCALE + PATIENCE, seen
        except BaseException as error:
            failures[str(case)] = error

    threads = [threading.Thread(target=check, args=(case,), daemon=True) for case in cases]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(2 * PATIENCE)
    assert not any(thread.is_alive() for thread in threads)
    assert failures == {}


def real_cases() -> list[Case]:
    def has_come(clock: RealTime) -> None:
        assert clock.has_ended.wait(PATIENCE)
        clock.spend(SLOW)

    cases = []
    for row in ROWS.values():
        for spend in (None, lambda clock: clock.spend(SLOW)):
            cases.append(Case(row, spend, LONG))
            if row.option != "open_timeout":  # in which the handshake is to end
                cases.append(Case(row, spend, LONG, is_secure=True))
    for row in IN_TIME.values():
        if row.option != "send_timeout":  # what is taken in time is so by the machine's leave
            cases.append(Case(row, has_come, LONG - 1))
    return cases


def test_every_deadline_in_real_time() -> None:
    check_in_real_time(real_cases())


@pytest.mark.doors("asyncio")
def test_every_deadline_in_real_time_on_uvloop(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asyncio, "new_event_loop", uvloop_loop())
    check_in_real_time(real_cases())
