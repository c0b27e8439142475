"""Why there is no connection, in words."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from lomond.options import Timing
from lomond.proxies import Proxy, parse_proxy
from lomond.session.requests import Race, Resolve
from lomond.testing.peer import Hear, Pause, Peer, Say, Talk
from lomond.testing.pretend import PretendDoor

PLAIN = parse_proxy("http://proxy:3128")
WITH_PASSWORD = parse_proxy("http://me:p%40ss@proxy:3128")


def names(seen: list[tuple[float, Any]]) -> list[str]:
    return [event.name for _, event in seen]


def says(*answers: bytes, then: Talk | None = None) -> Callable[[Peer], Talk]:
    """A proxy that answers each thing that it hears."""

    def talk(peer: Peer) -> Talk:
        for answer in answers:
            heard.append((yield Hear()))
            yield Say(answer)
        yield from then or ()

    heard.clear()
    return talk


heard: list[bytes] = []


def failure_of(door: PretendDoor) -> Any:
    seen = door.play()
    assert names(seen) == ["connecting", "connect_fail"]
    failed = seen[-1][1]
    assert door.hung_up
    assert "p@ss" not in repr(failed) + failed.reason + repr(failed.cause)
    return failed


def _pauses() -> Talk:
    yield Pause(1000)


@pytest.mark.parametrize("kind", [Resolve, Race])
def test_a_proxy_that_is_not_there(kind: type) -> None:
    door = PretendDoor(says(), proxy=WITH_PASSWORD, failures={kind: OSError("no way")})
    failed = failure_of(door)
    if kind is Resolve:
        assert failed.reason == (
            "unable to resolve host name 'proxy' (of proxy http://***@proxy:3128); no way"
        )
    else:
        assert failed.reason == "unable to connect to proxy http://***@proxy:3128; no way"
    assert failed.address == "proxy:3128"


@pytest.mark.parametrize("proxy", [PLAIN, parse_proxy("socks5h://proxy:3128")])
def test_a_proxy_that_hangs(proxy: Proxy) -> None:
    door = PretendDoor(says(then=_pauses()), Timing(open_timeout=7), proxy=proxy)
    failed = failure_of(door)
    assert (failed.phase, door.now) == ("proxy", 7)
    assert failed.reason.endswith(
        "did not connect us to peer:80; not done within open_timeout (7 s)"
    )
