"""While a connection opens, something else has the thread: that is not its open_timeout's time."""

from __future__ import annotations

from typing import Any

import pytest

from lomond.options import Timing
from lomond.proxies import parse_proxy
from lomond.session.requests import Ask, Race, Resolve, Send, StartTLS
from lomond.testing.alone import PretendDoor
from lomond.testing.peer import Pause, Peer, Say, Talk, say
from played import names
from scripted import never_answers

KEPT = 20.0  # seconds
PHASES = [Ask, Resolve, Race, StartTLS, Send]


def accepts_and_closes(peer: Peer) -> Talk:
    yield from peer.upgrade()
    yield say(8, code=1000)
    yield from peer.hear_end()


def refuses(peer: Peer) -> Talk:
    yield from peer.read_request()
    yield Say(b"HTTP/1.1 403 No\r\nContent-Length: 20\r\n\r\nonly this")
    yield Pause(1000)


@pytest.mark.parametrize("kind", PHASES)
def test_a_phase_of_the_opening_goes_on_behind_it(kind: type) -> None:
    door = PretendDoor(accepts_and_closes, Timing(open_timeout=7), delays={kind: 2.0}, secure=True)
    door.at(1.0, lambda: door.keep(KEPT))
    assert names(door.play())[:3] == ["connecting", "connected", "ready"]


@pytest.mark.parametrize("kind", PHASES)
def test_a_phase_that_hangs_is_given_up_as_much_later(kind: type) -> None:
    hangs: dict[type, BaseException] = {kind: TimeoutError()}
    door = PretendDoor(accepts_and_closes, Timing(open_timeout=7), failures=hangs, secure=True)
    door.at(1.0, lambda: door.keep(KEPT))
    failed = door.play()[-1][1]
    assert (failed.name, failed.elapsed) == ("connect_fail", 7 + KEPT)
    assert "open_timeout (7 s)" in failed.reason


def test_a_silent_server_is_given_up_as_much_later() -> None:
    door = PretendDoor(never_answers, Timing(open_timeout=7))
    door.at(1.0, lambda: door.keep(KEPT))
    door.at(25.0, lambda: door.keep(KEPT))
    last = door.play()[-1][1]
    assert (last.name, door.now) == ("disconnected", 7 + 2 * KEPT)
    assert "open_timeout (7 s)" in last.reason


# Times that begin behind it


@pytest.mark.parametrize("open_timeout", [7, None])
@pytest.mark.parametrize(
    ("talk", "options"),
    [
        (refuses, {}),
        (refuses, {"proxy": parse_proxy("http://proxy:3128")}),
        (never_answers, {"failures": {Send: BrokenPipeError(32, "Broken pipe")}}),
    ],
    ids=["body", "body of a proxy", "last words"],
)
def test_what_is_waited_for_a_second_is_so_no_longer(
    talk: Any, options: dict[str, Any], open_timeout: float | None
) -> None:
    timing = Timing(open_timeout=open_timeout)
    door = PretendDoor(talk, timing, delays={Race: 1.0}, **options)
    door.at(0.5, lambda: door.keep(KEPT))
    last = door.play()[-1][1]
    assert last.name in ("disconnected", "connect_fail")
    assert door.now == pytest.approx(1 + 0.5 + KEPT, abs=0.1)  # the race was done meanwhile


@pytest.mark.parametrize(("close_timeout", "grace"), [(5, 1.0), (0.5, 0.5)])
def test_a_close_is_no_more_patient(close_timeout: float, grace: float) -> None:
    door = PretendDoor(never_answers, Timing(close_timeout=close_timeout))
    door.at(1.0, lambda: door.keep(KEPT))
    door.at(25.0, door.close)
    assert names(door.play())[-1] == "disconnected"
    assert door.now == pytest.approx(25 + grace)
