"""What a Server does wrong, as programs see it: one body over sockets and in a pretend world."""

from __future__ import annotations

import re
from typing import Any

import pytest

from lomond.testing import Server
from lomond.testing.faults import chosen
from testing.kit import DOORS, PLACES, Seen, played, says, through

pytestmark = [
    pytest.mark.parametrize("door", DOORS),
    pytest.mark.parametrize("place", PLACES),
]


def seen(place: str, door: str, server: Server, *messages: Any, **options: Any) -> Seen:
    with played(place, server) as url:
        return through(door, url, says(*messages), **options)


def test_cuts(place: str, door: str) -> None:
    found = seen(place, door, Server().says("a").cuts())
    assert found.later == ["a", "disconnected"]
    assert (found.ending.kind, found.ending.by) == ("lost", "network")
    assert "without a close frame" in str(found.ending)


def test_resets(place: str, door: str) -> None:
    found = seen(place, door, Server().resets())
    assert found.later == ["disconnected"]
    assert "reset by peer" in str(found.ending)


def test_stalls(place: str, door: str) -> None:
    server = Server().stalls(5).says("late")
    found = seen(place, door, server, ping_rate=0.05, ping_timeout=0.05)
    assert found.later == ["unresponsive", "disconnected"]


def test_what_comes_after_a_stall(place: str, door: str) -> None:
    found = seen(place, door, Server().stalls(0.05).says("late").closes())
    assert found.later == ["late", "closing", "disconnected"]


def test_half_a_frame(place: str, door: str) -> None:
    server = Server().says("whole").half_a_frame().says("never")
    found = seen(place, door, server, frame_timeout=0.1, close_timeout=0.1)
    assert found.later[0] == "whole"
    assert "never" not in found.later
    assert found.ending.deadline == "frame_timeout"


def test_half_a_frame_and_then_the_end(place: str, door: str) -> None:
    found = seen(place, door, Server().half_a_frame().cuts())
    assert found.later == ["disconnected"]
    assert found.ending.kind == "lost"


def test_byte_by_byte(place: str, door: str) -> None:
    found = seen(place, door, Server().byte_by_byte().says("é", "b").closes(1001, "bye"))
    assert found.later == ["é", "b", "closing", "disconnected"]
    assert (found.ending.code, found.ending.reason) == (1001, "bye")


def test_wrong_accept(place: str, door: str) -> None:
    found = seen(place, door, Server().wrong_accept())
    assert found.later == ["rejected", "disconnected"]
    assert "Sec-WebSocket-Accept" in str(found.ending)


def test_refuses(place: str, door: str) -> None:
    server = Server().refuses(503, retry_after=600, body="closed", headers={"X-Why": "w"})
    found = seen(place, door, server)
    assert found.later == ["rejected", "disconnected"]
    response = found.ending.response
    assert (response.status_code, response.status) == (503, "Service Unavailable")
    assert (response.get("retry-after"), response.get("x-why")) == ("600", "w")
    assert response.body == b"closed"


def test_refuses_late(place: str, door: str) -> None:
    found = seen(place, door, Server().after(0.05).stalls(0.05).byte_by_byte().refuses(499))
    assert found.later == ["rejected", "disconnected"]
    assert found.ending.status == 499


def test_closes(place: str, door: str) -> None:
    found = seen(place, door, Server().closes(4001, "enough"))
    assert found.later == ["closing", "disconnected"]
    assert (found.ending.by, found.ending.code) == ("server", 4001)
    assert found.ending.reason == "enough"


def test_closes_without_a_code(place: str, door: str) -> None:
    found = seen(place, door, Server().closes(None))
    assert found.later == ["closing", "disconnected"]
    assert (found.ending.kind, found.ending.code) == ("closed", None)


def test_floods(place: str, door: str) -> None:
    found = seen(place, door, Server().floods(5000, "water").closes())
    assert found.later[:-2] == ["water"] * 5000


def test_garbage(place: str, door: str) -> None:
    found = seen(place, door, Server().garbage())
    assert found.later == ["protocol_error", "disconnected"]
    assert found.ending.kind == "protocol"


def test_never_answers(place: str, door: str) -> None:
    found = seen(place, door, Server().never_answers(), open_timeout=0.1)
    assert found.names == ["connecting", "connected", "disconnected"]
    assert found.ending.deadline == "open_timeout"


def test_ignores_pings(place: str, door: str) -> None:
    server = Server().ignores_pings()
    found = seen(place, door, server, ping_rate=0.05, ping_timeout=0.05)
    assert found.later == ["unresponsive", "disconnected"]


def test_reads_slowly(place: str, door: str) -> None:
    """The rest of the message is lost when the program's time to write it is over."""
    server = Server().reads_slowly(10_000)
    found: list[Seen] = []
    with played(place, server) as url, pytest.raises(Exception, match="send_timeout"):
        found.append(through(door, url, says(bytes(32_000_000)), send_timeout=0.2))
    assert found == server.heard == []


def test_what_is_read_slowly_comes(place: str, door: str) -> None:
    server = Server().reads_slowly(100_000).hears(bytes(5000)).closes()
    found = seen(place, door, server, bytes(5000))
    assert found.later == ["closing", "disconnected"]


@pytest.mark.parametrize("seed", range(20))
def test_misbehaves(place: str, door: str, seed: int) -> None:
    """Whatever that is, the program comes to an end, and who asks for it again gets the same."""
    options: dict[str, Any] = {"ping_rate": 0.05, "ping_timeout": 0.05, "close_timeout": 0.05}

    def act(websocket: Any, event: Any) -> list[Any] | None:
        return None if getattr(event, "text", "") == "after all" else []

    both: list[str] = []
    for _ in range(2):
        server = Server().misbehaves(seed=seed).says("after all").hears_close()
        with played(place, server) as url:
            found = through(door, url, act, open_timeout=0.3, frame_timeout=0.1, **options)
        assert found.names[-1] in ("disconnected", "connect_fail")
        both += server.remarks()
    assert both[0] == both[1]
    assert re.match(rf"Server\(\)\.misbehaves\(seed={seed}\) was Server\(\)\.", both[0])


def test_one_that_misbehaves_answers_wrongly_only_at_first(place: str, door: str) -> None:
    wrong = {"refuses", "wrong_accept", "never_answers"}
    chains = [chosen(seed, is_first=False) for seed in range(200)]
    assert not {name for calls in chains for name, _ in calls} & wrong
    chains = [chosen(seed, is_first=True) for seed in range(200)]
    assert wrong <= {name for calls in chains for name, _ in calls}
