"""What the last events of an opening that failed tell, in full. In pretend time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from lomond.events import ConnectFail, Disconnected, ProtocolError, Rejected
from lomond.options import Timing
from lomond.proxies import parse_proxy
from lomond.session.requests import Ask, Race, Read, Resolve, Send, StartTLS
from lomond.testing.alone import PretendDoor
from lomond.testing.peer import End, Pause, Peer, Say, Talk
from played import closes_when_ready
from scripted import accepts

ADDRESS = "192.0.2.1:80"


def answers(*said: bytes, then: End | Pause | None = None) -> Callable[[Peer], Talk]:
    def talk(peer: Peer) -> Talk:
        yield from peer.read_request()
        for data in said:
            yield Pause(2.0)
            yield Say(data)
        yield then or End()

    return talk


def last_of(door: PretendDoor) -> list[Any]:
    """The events behind Connecting, whose handler takes 5 s, and Connected."""

    def act(door: PretendDoor, event: Any) -> None:
        if event.name == "connecting":
            door.spend(5.0)

    seen = [event for _, event in door.play(act)]
    assert door.hung_up
    return [event for event in seen if event.name not in ("connecting", "connected")]


def tells_where(event: Any, door: PretendDoor, elapsed: float, phase: str = "upgrade") -> None:
    assert (event.phase, event.address) == (phase, ADDRESS)
    assert event.elapsed == pytest.approx(elapsed, abs=0.01)
    assert event.timings is door.session.course.timings


def test_an_answer_that_is_no_http() -> None:
    door = PretendDoor(answers(b"SSH-2.0-OpenSSH_9.2\r\n"))
    error, last = last_of(door)
    assert isinstance(error, ProtocolError)
    assert error.error.startswith("answer is ")
    assert error.critical
    assert error.section
    tells_where(error, door, 2.0)
    assert isinstance(last, Disconnected)
    assert (last.reason, last.graceful) == (f"disconnected; {error.error}", False)
    tells_where(last, door, 2.0)
    assert last.timings.upgrade == pytest.approx(2.0, abs=0.01)


def test_a_rejection() -> None:
    door = PretendDoor(answers(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"))
    rejected, last = last_of(door)
    assert isinstance(rejected, Rejected)
    assert rejected.response.status_code == 404
    tells_where(rejected, door, 2.0)
    assert rejected.timings.upgrade == pytest.approx(2.0, abs=0.01)
    assert isinstance(last, Disconnected)
    assert (last.reason, last.graceful, last.phase) == ("closed", True, None)


@pytest.mark.parametrize("status", [101, 404])
def test_the_time_of_the_upgrade_begins_when_the_request_has_left(status: int) -> None:
    def refuses(peer: Peer) -> Talk:
        yield from peer.read_request()
        yield Say(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")

    door = PretendDoor(accepts if status == 101 else refuses, latency=1.0, delays={Send: 5.0})
    event = door.play(closes_when_ready)[2][1]
    assert event.response.status_code == status
    assert event.timings.upgrade == pytest.approx(2.0, abs=0.01)


def test_a_server_that_hangs_up_instead_of_answering() -> None:
    door = PretendDoor(answers(b"HTTP/1.1 "))
    (last,) = last_of(door)
    assert (last.reason, last.graceful) == ("socket fail; connection lost", False)
    assert ": its stream ended without an answer" in str(last.ending)
    assert last.cause is None
    tells_where(last, door, 2.0)


def test_a_reset_instead_of_an_answer() -> None:
    door = PretendDoor(answers(b"HTTP/1.1 ", then=End(resets=True)))
    (last,) = last_of(door)
    assert last.reason == "socket fail; recv fail; Connection reset by peer"
    assert not last.graceful
    assert isinstance(last.cause, ConnectionResetError)
    tells_where(last, door, 2.0)


def test_a_server_that_does_not_answer() -> None:
    door = PretendDoor(answers(then=Pause(100)), Timing(open_timeout=7.5))
    (last,) = last_of(door)
    assert last.reason == "upgrade fail; the server did not answer within open_timeout (7.5 s)"
    assert not last.graceful
    assert isinstance(last.cause, TimeoutError)
    tells_where(last, door, 7.5)
    assert last.timings.upgrade == pytest.approx(7.5, abs=0.01)


def test_a_close_before_the_server_has_answered() -> None:
    door = PretendDoor(answers(then=Pause(100)), Timing(open_timeout=30))
    door.at(6.0, door.close)
    (last,) = last_of(door)
    assert last.reason == "closed by the user; the server had not answered the upgrade yet"
    assert not last.graceful
    assert last.cause is None
    tells_where(last, door, 2.0)


@pytest.mark.parametrize(
    ("kind", "phase", "address", "reason"),
    [
        (Ask, "credentials", None, "the request can't be made; headers= raised OSError: no way"),
        (Resolve, "resolve", "peer:443", "unable to resolve host name 'peer'; no way"),
        (Race, "connect", "peer:443", "unable to connect to peer:443; no way"),
        (StartTLS, "tls", ADDRESS, "TLS with peer:443 at 192.0.2.1:80 failed; no way"),
        (
            Send,
            "upgrade",
            ADDRESS,
            "request failed; no way (upgrade request to peer:443 at 192.0.2.1:80)",
        ),
    ],
)
def test_no_connection(kind: type, phase: str, address: str | None, reason: str) -> None:
    cause = OSError("no way")
    broken: dict[type, BaseException] = {kind: cause}
    door = PretendDoor(answers(), secure=True, failures=broken, delays={kind: 2.0})
    (failed,) = last_of(door)[:1]
    assert isinstance(failed, ConnectFail)
    assert (failed.phase, failed.address, failed.reason) == (phase, address, reason)
    assert failed.cause is cause
    assert failed.response is None
    assert failed.elapsed == pytest.approx(2.0, abs=0.01)
    assert failed.timings is door.session.course.timings
    ending = door.session.finish.event
    assert ending is not None
    assert (ending.reason, ending.graceful) == (reason, False)
    spent = {"resolve": failed.timings.resolve, "tls": failed.timings.tls}
    if phase in spent:
        assert spent[phase] == pytest.approx(2.0, abs=0.01)
    assert failed.timings.upgrade == (pytest.approx(2.0, abs=0.01) if phase == "upgrade" else None)


def test_a_proxy_that_refuses_once_it_is_over_is_not_the_reason() -> None:
    class Door(PretendDoor):
        def answered(self, request: object, value: Any) -> Any:
            if isinstance(request, Read):
                self.force_disconnect()  # as another thread does, behind the read
            return value

    refuses = answers(b"HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n")
    door = Door(refuses, proxy=parse_proxy("http://proxy:3128"))
    (failed,) = last_of(door)
    assert failed.reason == (
        "proxy http://proxy:3128 did not connect us to peer:80; disconnected by the user"
    )
    assert failed.response is None


@pytest.mark.parametrize(("timeout", "ends_at"), [(2.5, 2.5), (30.0, 3.0)])
def test_the_body_of_a_rejection_is_awaited_for_a_second_within_open_timeout(
    timeout: float, ends_at: float
) -> None:
    head = b"HTTP/1.1 403 No\r\nContent-Length: 20\r\n\r\n"
    door = PretendDoor(answers(head, then=Pause(100)), Timing(open_timeout=timeout))
    rejected, _ = last_of(door)
    assert isinstance(rejected, Rejected)
    tells_where(rejected, door, ends_at)


@pytest.mark.parametrize("proxy", [None, "http://proxy:3128"])
def test_bytes_of_a_body_do_not_put_off_its_end(proxy: str | None) -> None:
    def trickles(peer: Peer) -> Talk:
        yield from peer.read_request()
        yield Say(b"HTTP/1.1 403 No\r\nContent-Length: 20\r\n\r\n")
        for _ in range(10):
            yield Pause(0.3)
            yield Say(b"x")

    door = PretendDoor(trickles, proxy=parse_proxy(proxy) if proxy else None)
    refused = last_of(door)[0]
    assert refused.elapsed == pytest.approx(1.0, abs=0.01)
    assert refused.response.body == b"xxx"


def test_an_answer_that_came_before_the_request_was_written_has_its_time() -> None:
    def refuses(peer: Peer) -> Talk:
        yield Say(b"HTTP/1.1 503 Busy\r\nContent-Length: 4\r\n\r\nlate")

    broken: dict[type, BaseException] = {Send: BrokenPipeError(32, "Broken pipe")}
    door = PretendDoor(refuses, failures=broken, delays={Race: 2.0})
    rejected, last = last_of(door)
    assert isinstance(rejected, Rejected)
    tells_where(rejected, door, 2.0)
    assert rejected.timings.upgrade == pytest.approx(0.0, abs=0.01)
    assert last.graceful


def test_a_body_that_began_before_the_request_was_written_is_awaited_for_a_second() -> None:
    def refuses(peer: Peer) -> Talk:
        yield Say(b"HTTP/1.1 503 Busy\r\nContent-Length: 4\r\n\r\nla")
        yield Pause(7.5)  # half a second after the connection
        yield Say(b"te")
        yield Pause(100)

    broken: dict[type, BaseException] = {Send: BrokenPipeError(32, "Broken pipe")}
    door = PretendDoor(refuses, failures=broken, delays={Race: 2.0})
    rejected, _ = last_of(door)
    assert rejected.response.body == b"late"
    tells_where(rejected, door, 2.5)
