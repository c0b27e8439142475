"""Redirects, in pretend time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from lomond.options import Timing
from lomond.response import Response
from lomond.session.dialling import Target, destination
from lomond.session.requests import Race
from lomond.testing.alone import PretendDoor, counting_bytes
from lomond.testing.peer import Pause, Peer, Say, Talk
from lomond.testing.plans import PretendPlan
from played import closes_when_ready, names
from scripted import accepts


def sends_on(location: str, status: int = 302) -> Callable[[Peer], Talk]:
    def talk(peer: Peer) -> Talk:
        yield from peer.read_request()
        where = f"Location: {location}\r\n" if location else ""
        yield Say(f"HTTP/1.1 {status} Go\r\n{where}Content-Length: 2\r\n\r\nno".encode())

    return talk


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_followed_where_that_is_asked_for(status: int) -> None:
    talk = sends_on("/there?x=1", status)
    door = PretendDoor(talk, max_redirects=1, later_talks=(accepts,))
    seen = door.play(closes_when_ready)
    assert names(seen)[:5] == ["connecting", "connected", "connecting", "connected", "ready"]
    assert [event.url for _, event in seen[:4]] == ["ws://peer/"] * 2 + [
        "ws://peer:80/there?x=1"
    ] * 2
    assert door.plan.routes == [("http://peer:80/there?x=1", True)]
    assert [url for url, _ in door.plan.answers] == ["ws://peer/", "ws://peer:80/there?x=1"]
    assert seen[-1][1].graceful
    rejected = PretendDoor(talk).play()
    assert names(rejected) == ["connecting", "connected", "rejected", "disconnected"]
    assert rejected[2][1].response.get("location") == "/there?x=1"
    assert rejected[2][1].response.body == b"no"
    assert rejected[2][1].reason == f"Websocket upgrade failed (code={status})"


@pytest.mark.parametrize(
    ("secure", "location", "url", "is_same"),
    [
        (False, "ws://peer:80/x", "ws://peer:80/x", True),
        (False, "http://peer/x", "http://peer:80/x", True),
        (False, "//peer:81/x", "http://peer:81/x", False),
        (False, "https://peer/x", "https://peer:443/x", False),
        (True, "wss://peer/x", "wss://peer:443/x", True),
        (True, "../x", "https://peer:443/x", True),
        (True, "wss://me:secret@other/x", "wss://other:443/x", False),
        (True, "wss://PEER/x", "wss://peer:443/x", True),
    ],
)
def test_where_it_leads(secure: bool, location: str, url: str, is_same: bool) -> None:
    door = PretendDoor(sends_on(location), secure=secure, max_redirects=5, later_talks=(accepts,))
    assert "ready" in names(door.play(closes_when_ready))
    assert door.plan.routes == [(url, is_same)]


@pytest.mark.parametrize(
    ("secure", "location", "why"),
    [
        (True, "ws://peer/", "it leads from wss:// to ws://, which is not encrypted"),
        (True, "http://peer:443/", "it leads from wss:// to ws://, which is not encrypted"),
        (False, "", "it has no Location"),
        (False, "ftp://peer/", "URL 'ftp://peer/' has no scheme that is known"),
        (False, "ws://", "has no host"),
        (False, "ws://a b/", "has white space before its path"),
        (False, "ws://peer:99999/", "has port '99999'"),
        (False, "/x\r\nLocation: /x", "it has more than one Location"),
        (False, "/caf\xe9", "its Location is not ASCII"),
        (False, "//[", "its Location is not a URL"),
        (False, "ws://[::1", "its Location is not a URL"),
    ],
)
def test_where_nobody_goes(secure: bool, location: str, why: str) -> None:
    seen = PretendDoor(sends_on(location), secure=secure, max_redirects=5).play()
    assert names(seen) == ["connecting", "connected", "rejected", "disconnected"]
    rejected = seen[2][1]
    assert "(code=302); the redirect is not followed: " in rejected.reason
    assert why in rejected.reason
    assert rejected.response.status_code == 302


@pytest.mark.parametrize("location", ["ftp://peer/?token=secret", "/a?token=secret\\b"])
def test_a_query_that_may_be_secret_is_not_shown(location: str) -> None:
    seen = PretendDoor(sends_on(location), max_redirects=5).play()
    (rejected,) = (event for _, event in seen if event.name == "rejected")
    assert "the redirect is not followed: " in rejected.reason
    (_, last) = seen[-1]
    assert "secret" not in f"{rejected.reason}{last.ending}"


def test_a_relative_location_keeps_the_zone_of_an_address() -> None:
    target = Target("ws://[fe80::1%25lo]:81/a", "fe80::1%lo", 81, False, "")

    def answer(location: str) -> Response:
        return Response(f"HTTP/1.1 302 Go\r\nLocation: {location}\r\n\r\n".encode())

    for location in ("/b", "ws://[fe80::1]:81/b"):
        url = destination(target, answer(location), 0, 1)
        assert (url.host, url.port, url.resource) == ("fe80::1%lo", 81, "/b")
    assert destination(target, answer("ws://[fe80::2]/"), 0, 1).host == "fe80::2"


def test_who_was_sent_elsewhere_is_a_stranger_from_then_on() -> None:
    later = (sends_on("/again"), sends_on("ws://peer/"), accepts)
    door = PretendDoor(sends_on("ws://other/"), max_redirects=9, later_talks=later)
    assert "ready" in names(door.play(closes_when_ready))
    assert [is_ours for _, is_ours in door.plan.routes] == [False, False, False]
    door = PretendDoor(sends_on("/a"), max_redirects=9, later_talks=(sends_on("/b"), accepts))
    assert "ready" in names(door.play(closes_when_ready))
    assert [is_ours for _, is_ours in door.plan.routes] == [True, True]


def test_the_body_of_a_redirect_is_not_waited_for() -> None:
    def endless(peer: Peer) -> Talk:
        yield from peer.read_request()
        yield Say(b"HTTP/1.1 302 Go\r\nLocation: /there\r\n\r\nsome")
        yield Pause(100)

    door = PretendDoor(endless, max_redirects=1, later_talks=(accepts,))
    seen = door.play(closes_when_ready)
    assert "ready" in names(seen)
    assert door.now < 0.1
    assert door.plan.answers[0][1].body == b"some"
    rejected = PretendDoor(endless, max_redirects=0).play()[2]
    assert rejected[0] > 1


def test_a_loop_ends() -> None:
    again = sends_on("/")
    seen = PretendDoor(again, max_redirects=3, later_talks=(again,) * 9).play()
    assert names(seen) == ["connecting", "connected"] * 4 + ["rejected", "disconnected"]
    assert seen[-2][1].reason.endswith("it is number 4, and max_redirects is 3")


def test_what_is_no_redirect_is_a_rejection() -> None:
    seen = PretendDoor(sends_on("/", 300), max_redirects=3).play()
    assert seen[2][1].reason == "Websocket upgrade failed (code=300)"


def test_a_socket_that_was_given_leads_nowhere_else() -> None:
    seen = PretendDoor(sends_on("/"), has_socket=True, max_redirects=3).play()
    assert "the socket was given" in seen[2][1].reason


@pytest.mark.parametrize("slow_at", [1, 2, 3, 4])
def test_the_time_of_handlers_does_not_count_for_the_way_onward(slow_at: int) -> None:
    def act(door: PretendDoor, event: Any) -> None:
        seen.append(event.name)
        if len(seen) == slow_at:
            door.spend(20.0)
        closes_when_ready(door, event)

    seen: list[str] = []
    talk = sends_on("/there")
    timing = Timing(open_timeout=7)
    PretendDoor(talk, timing, max_redirects=1, later_talks=(accepts,)).play(act)
    assert seen[:5] == ["connecting", "connected", "connecting", "connected", "ready"]


def test_open_timeout_is_one_total() -> None:
    again = sends_on("/")
    door = PretendDoor(
        again, Timing(open_timeout=7), max_redirects=9, later_talks=(again,) * 9, delays={Race: 2.0}
    )
    failed = door.play()[-1][1]
    assert (failed.name, failed.phase, door.now) == ("connect_fail", "connect", 7)
    assert len(failed.timings.attempts) == 3


@pytest.mark.parametrize(("location", "is_followed"), [("/there", True), ("ws://other/", False)])
def test_a_unix_socket_leads_nowhere_else(location: str, is_followed: bool) -> None:
    door = PretendDoor(sends_on(location), later_talks=(accepts,))
    addresses = [("unix", "stream", 0, "", "/run/peer")]
    door.plan = PretendPlan(counting_bytes(), addresses=addresses, max_redirects=3)
    seen = door.play(closes_when_ready)
    assert ("ready" in names(seen)) == is_followed
    raced = [request for request in door.asked if isinstance(request, Race)]
    assert {tuple(request.addresses) for request in raced} == {tuple(addresses)}
    if not is_followed:
        assert "elsewhere than the Unix socket" in seen[2][1].reason


@pytest.mark.parametrize("ends", ["closes", "forces"])
def test_a_close_at_a_hop_is_the_end(ends: str) -> None:
    def act(door: PretendDoor, event: Any) -> None:
        if event.name == "connected":
            (door.close if ends == "closes" else door.force_disconnect)()

    door = PretendDoor(sends_on("/"), max_redirects=9, later_talks=(accepts,))
    seen = door.play(act)
    assert names(seen) == ["connecting", "connected", "disconnected"]
    assert door.hung_up
    last = seen[-1][1]
    whose = "closed" if ends == "closes" else "disconnected"
    assert (last.reason, last.graceful) == (f"{whose} by the user", False)
    assert last.phase == ("upgrade" if ends == "closes" else None)


def test_a_close_while_the_next_hop_is_slow_ends_at_once() -> None:
    def slow(peer: Peer) -> Talk:
        yield from peer.read_request()
        yield Pause(100)

    door = PretendDoor(sends_on("/"), max_redirects=9, later_talks=(slow,), delays={Race: 5.0})
    door.at(7.0, door.close)
    seen = door.play()
    assert names(seen) == ["connecting", "connected", "connecting", "connect_fail"]
    assert door.now == 7.0


@pytest.mark.parametrize(("length", "shown"), [(600, "y" * 600), (601, "y" * 597 + "...")])
def test_why_a_redirect_is_not_followed_is_told_in_600_characters(
    length: int, shown: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuses(url: object, is_ours: bool) -> Target:
        raise ValueError("y" * length)

    door = PretendDoor(sends_on("/there"), max_redirects=1)
    monkeypatch.setattr(door.plan, "redirected", refuses)
    rejected = door.play()[2][1]
    assert rejected.reason == (
        f"Websocket upgrade failed (code=302); the redirect is not followed: {shown}"
    )


def test_a_fragment_is_not_asked_for() -> None:
    door = PretendDoor(sends_on("/there?x=1#here"), max_redirects=1, later_talks=(accepts,))
    assert "ready" in names(door.play(closes_when_ready))
    assert door.plan.routes == [("http://peer:80/there?x=1", True)]
