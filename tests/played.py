"""What tests do with the pretend door: a user that closes, and proxies on the way."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from lomond.proxies import parse_proxy
from lomond.testing.alone import PretendDoor
from lomond.testing.peer import Hear, Pause, Peer, Say, Talk

HTTP_PROXY = parse_proxy("http://proxy:3128")
WITH_PASSWORD = parse_proxy("http://me:p%40ss@proxy:3128")
#: What a SOCKS5 proxy answers: to the greeting (log in, or not), and to the request.
NO_AUTH, LOG_IN = b"\x05\x00", b"\x05\x02"
DONE = b"\x05\x00\x00\x01\x7f\x00\x00\x01\x00\x50"


def names(seen: list[tuple[float, Any]]) -> list[str]:
    """The names of the events that a door played."""
    return [event.name for _, event in seen]


def closes_when_ready(door: PretendDoor, event: Any) -> None:
    """A user's handler."""
    if event.name == "ready":
        door.close()


def pauses() -> Talk:
    """Says nothing for longer than anybody waits."""
    yield Pause(1000)


def says(*answers: bytes, then: Talk | None = None) -> Callable[[Peer], Talk]:
    """A proxy that answers each thing that it hears, which is kept in `heard`."""

    def talk(peer: Peer) -> Talk:
        for answer in answers:
            heard.append((yield Hear()))
            yield Say(answer)
        yield from then or ()

    heard.clear()
    return talk


heard: list[bytes] = []


def failure_of(door: PretendDoor) -> Any:
    """The ConnectFail that this ends with; it shows no password."""
    seen = door.play()
    assert names(seen) == ["connecting", "connect_fail"]
    failed = seen[-1][1]
    assert door.hung_up
    assert "p@ss" not in repr(failed) + failed.reason + repr(failed.cause)
    return failed
