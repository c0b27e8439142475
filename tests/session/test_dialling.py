"""On the way to the server through proxies that are absent, hang or can't reach it."""

from __future__ import annotations

from typing import Any

import pytest

from lomond.options import Timing
from lomond.proxies import parse_proxy
from lomond.session.requests import Drop, Race, Resolve, Send, StartTLS
from lomond.testing.alone import PretendDoor
from lomond.testing.peer import End, Peer, Say, Talk
from played import DONE, HTTP_PROXY, NO_AUTH, WITH_PASSWORD, failure_of, heard, pauses, says


@pytest.mark.parametrize("answer", [None, b"HTTP/1.1 403 No\r\nContent-Length: 20\r\n\r\n"])
def test_closing_while_a_proxy_hangs_ends_at_once(answer: bytes | None) -> None:
    door = PretendDoor(says(*([answer] if answer else []), then=pauses()), proxy=HTTP_PROXY)
    door.at(0.5, door.close)
    failed = failure_of(door)
    assert (failed.phase, door.now) == ("proxy", 0.5)
    assert failed.reason.endswith("closed by the user")


def test_a_refusal_that_came_before_the_proxy_was_asked() -> None:
    def talk(peer: Peer) -> Talk:
        yield Say(b"HTTP/1.1 503 Busy\r\nContent-Length: 9\r\n\r\nla")
        yield Say(b"te")
        yield End(resets=True)

    broken: dict[type, BaseException] = {Send: BrokenPipeError(32, "Broken pipe")}
    failed = failure_of(PretendDoor(talk, proxy=HTTP_PROXY, failures=broken))
    assert "it answered 503 Busy" in failed.reason
    assert failed.response.body == b"late"


def test_a_proxy_that_can_not_be_asked_and_says_nothing() -> None:
    broken: dict[type, BaseException] = {Send: BrokenPipeError(32, "Broken pipe")}
    failed = failure_of(PretendDoor(says(then=pauses()), proxy=HTTP_PROXY, failures=broken))
    assert (failed.phase, failed.cause) == ("proxy", broken[Send])


@pytest.mark.parametrize("answer", [b"", b"HTTP/1.1 407 No\r\nContent-Length: 9\r\n\r\n"])
def test_who_ended_it_is_not_the_proxy(answer: bytes) -> None:
    door = PretendDoor(says(*([answer] if answer else []), then=pauses()), proxy=WITH_PASSWORD)
    door.at(0.5, door.force_disconnect)
    failed = failure_of(door)
    assert failed.reason.endswith("did not connect us to peer:80; disconnected by the user")
    assert failed.response is None
    assert failed.timings.proxy == pytest.approx(0.5, abs=0.1)


def two_addresses(request: object) -> Any:
    hosts = ["2001:db8::1", "192.0.2.7"]
    return [("inet", "stream", 0, "", (host, request.port)) for host in hosts]  # type: ignore[attr-defined]  # a request for names has hosts


@pytest.mark.parametrize("scheme", ["socks4", "socks5"])
def test_a_name_that_is_resolved_here_for_a_proxy_and_is_not_there(scheme: str) -> None:
    broken: dict[type, BaseException] = {Resolve: OSError("no way")}
    proxy = parse_proxy(f"{scheme}://p")
    failed = failure_of(PretendDoor(says(), proxy=proxy, failures=broken))
    assert (failed.phase, failed.address) == ("resolve", "peer:80")
    assert failed.reason == "unable to resolve host name 'peer'; no way"


def test_a_name_that_is_resolved_here_for_a_proxy_within_open_timeout() -> None:
    hangs: dict[type, BaseException] = {Resolve: TimeoutError()}
    proxy = parse_proxy("socks5://p")
    door = PretendDoor(says(), Timing(open_timeout=7), proxy=proxy, failures=hangs)
    assert (failure_of(door).phase, door.now) == ("resolve", 7)


def test_tls_with_a_proxy_within_open_timeout() -> None:
    hangs: dict[type, BaseException] = {StartTLS: TimeoutError()}
    proxy = parse_proxy("https://p")
    door = PretendDoor(says(), Timing(open_timeout=7), proxy=proxy, failures=hangs)
    assert (failure_of(door).phase, door.now) == ("proxy", 7)


@pytest.mark.parametrize(("timeout", "ends_at"), [(0.5, 0.5), (30.0, 1.0)])
def test_the_body_of_a_refusal_is_awaited_for_a_second_within_open_timeout(
    timeout: float, ends_at: float
) -> None:
    refuses = says(b"HTTP/1.1 403 No\r\nContent-Length: 20\r\n\r\n", then=pauses())
    door = PretendDoor(refuses, Timing(open_timeout=timeout), proxy=HTTP_PROXY)
    failed = failure_of(door)
    assert door.now == pytest.approx(ends_at, abs=0.01)
    assert "it answered 403 No" in failed.reason


@pytest.mark.parametrize(("timeout", "ends_at"), [(0.5, 0.5), (30.0, 1.0)])
@pytest.mark.parametrize("proxy", [HTTP_PROXY, None])
def test_last_words_are_awaited_for_a_second_within_open_timeout(
    timeout: float, ends_at: float, proxy: Any
) -> None:
    broken: dict[type, BaseException] = {Send: BrokenPipeError(32, "Broken pipe")}
    door = PretendDoor(
        says(then=pauses()), Timing(open_timeout=timeout), proxy=proxy, failures=broken
    )
    assert failure_of(door).cause is broken[Send]
    assert door.now == pytest.approx(ends_at, abs=0.01)


def test_an_address_with_a_zone_is_told_to_a_proxy_without_it() -> None:
    class Door(PretendDoor):
        def answered(self, request: object, value: Any) -> Any:
            if not isinstance(request, Resolve) or request.host != "peer":
                return value
            assert request.port == 80
            return [("inet6", "stream", 0, "", ("fe80::1%eth0", 80, 0, 2))]

    door = Door(says(NO_AUTH, DONE, then=pauses()), proxy=parse_proxy("socks5://p"))
    events = door.events()
    assert [next(events).name for _ in range(2)] == ["connecting", "connected"]
    (asked,) = [words for words in heard if words.startswith(b"\x05\x01\x00") and len(words) > 3]
    assert asked[3:20] == b"\x04" + bytes.fromhex("fe80" + "0" * 27 + "1")


@pytest.mark.parametrize("is_reached", [False, True])
def test_a_proxy_that_cannot_reach_one_address_is_asked_for_the_next(is_reached: bool) -> None:
    class Door(PretendDoor):
        def answered(self, request: object, value: Any) -> Any:
            is_server = isinstance(request, Resolve) and request.host == "peer"
            return two_addresses(request) if is_server else value

    unreachable = says(NO_AUTH, b"\x05\x04\x00\x01" + bytes(6))
    after = says(NO_AUTH, DONE, then=pauses()) if is_reached else unreachable
    door = Door(unreachable, proxy=parse_proxy("socks5://p"), later_talks=(after,))
    if not is_reached:
        failed = failure_of(door)
        assert "could not connect to 2001:db8::1:80: host unreachable (4)" in failed.reason
        assert len(failed.timings.attempts) == 2
        return
    events = door.events()
    assert [next(events).name for _ in range(2)] == ["connecting", "connected"]
    asked = [words for words in heard if words.startswith(b"\x05\x01\x00") and len(words) > 3]
    assert [words[3] for words in asked] == [4, 1]
    assert asked[1][4:8] == bytes([192, 0, 2, 7])
    wanted = [type(request) for request in door.asked if isinstance(request, (Race, Drop))]
    assert wanted == [Race, Drop, Race]
