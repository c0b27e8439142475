"""From the name to Ready, over time, in pretend time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import h11
import pytest

from lomond.errors import WebSocketClosing, WebSocketUnavailable
from lomond.options import Limits, Timing
from lomond.protocol import frames
from lomond.protocol.events import AnyEvent
from lomond.proxies import parse_proxy
from lomond.session.requests import Adopt, Ask, Race, Read, Resolve, Send, StartTLS
from lomond.testing.alone import PretendDoor
from lomond.testing.peer import End, Pause, Peer, Say, Talk, say
from played import names
from scripted import closes, never_answers

PHASES = [
    (Ask, "credentials"),
    (Resolve, "resolve"),
    (Race, "connect"),
    (StartTLS, "tls"),
    (Send, "upgrade"),
]


def echo(peer: Peer) -> Talk:
    yield from peer.upgrade()
    while (frame := (yield from peer.hear_frame())) is not None:
        yield say(frame.opcode, frame.payload)


def on(name: str, action: Callable[[PretendDoor], object]) -> Callable[..., None]:
    def act(door: PretendDoor, event: AnyEvent) -> None:
        if event.name == name:
            action(door)

    return act


@pytest.mark.parametrize(("kind", "phase"), PHASES)
def test_open_timeout(kind: type, phase: str) -> None:
    hangs: dict[type, BaseException] = {kind: TimeoutError()}
    door = PretendDoor(echo, Timing(open_timeout=7), failures=hangs, secure=True)
    seen = door.play()
    assert names(seen) == ["connecting", "connect_fail"]
    failed = seen[-1][1]
    assert (failed.phase, failed.elapsed, door.now) == (phase, 7, 7)
    assert "not done within open_timeout (7 s)" in failed.reason
    assert door.hung_up


def test_what_the_user_is_asked_for_comes_out_of_open_timeout() -> None:
    late = PretendDoor(echo, Timing(open_timeout=7), delays={Ask: 7.0}).play()[-1][1]
    assert (late.phase, late.elapsed, late.address) == ("credentials", 7, None)
    assert late.reason == (
        "the request can't be made; not done within open_timeout (7 s); what headers= and "
        "cookies= call took that long"
    )
    door = PretendDoor(echo, Timing(open_timeout=7), delays={Ask: 4.0, Race: 4.0})
    failed = door.play()[-1][1]
    assert (failed.phase, failed.elapsed) == ("connect", 7)


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (LookupError("no token"), "headers= raised LookupError: no token"),
        (LookupError(), "headers= raised LookupError"),
        (OSError("at ws://me:hunter2@h/"), "headers= raised OSError: at ws://***@h/"),
    ],
)
def test_what_the_users_code_raises_is_a_failure(error: Exception, said: str) -> None:
    door = PretendDoor(echo, failures={Ask: error}, delays={Ask: 2.0})
    seen = door.play()
    assert names(seen) == ["connecting", "connect_fail"]
    failed = seen[-1][1]
    assert (failed.phase, failed.cause, failed.elapsed) == ("credentials", error, 2)
    assert failed.reason == f"the request can't be made; {said}"
    assert repr(failed.timings) == "Timings(attempts=[])"
    assert door.sent == b""


def test_open_timeout_is_one_total() -> None:
    delays: dict[type, float] = {Resolve: 3.0, Race: 3.0, StartTLS: 3.0}
    door = PretendDoor(echo, Timing(open_timeout=7), delays=delays, secure=True)
    failed = door.play()[-1][1]
    assert (failed.phase, failed.elapsed) == ("tls", 7)


def test_a_system_that_takes_no_request() -> None:
    door = PretendDoor(echo, Timing(open_timeout=7))
    door.is_stuck = True
    failed = door.play()[-1][1]
    assert (failed.name, failed.phase, failed.elapsed) == ("connect_fail", "upgrade", 7)


def test_open_timeout_of_the_answer() -> None:
    door = PretendDoor(never_answers, Timing(open_timeout=7))
    seen = door.play()
    assert names(seen) == ["connecting", "connected", "disconnected"]
    last = seen[-1][1]
    assert (last.phase, last.elapsed, last.graceful) == ("upgrade", 7, False)
    assert "open_timeout (7 s)" in last.reason


def test_no_open_timeout() -> None:
    def answers_late(peer: Peer) -> Talk:
        yield Pause(10_000)
        yield from peer.upgrade()
        yield End()

    seen = PretendDoor(answers_late, Timing(open_timeout=None)).play()
    assert names(seen)[2:] == ["ready", "poll", "disconnected"]


@pytest.mark.parametrize(("kind", "phase"), PHASES[:4])
def test_close_while_opening(kind: type, phase: str) -> None:
    door = PretendDoor(echo, failures={kind: TimeoutError()}, secure=True)
    door.at(2.0, door.close)
    failed = door.play()[-1][1]
    assert (failed.name, failed.phase, failed.elapsed) == ("connect_fail", phase, 2.0)
    assert "closed by the user" in failed.reason
    assert door.now == 2.0
    assert not door.session.finish.is_closing


def test_close_at_connecting() -> None:
    door = PretendDoor(echo)
    seen = door.play(on("connecting", PretendDoor.close))
    assert names(seen) == ["connecting", "connect_fail"]
    assert door.session.finish.sent_close_time == 0.0
    assert door.sent == b""


def test_close_at_connected() -> None:
    def act(door: PretendDoor) -> None:
        door.close(4000, "enough")
        with pytest.raises(WebSocketClosing):
            door.send_text("late")
        assert door.session.finish.is_closing

    door = PretendDoor(echo)
    seen = door.play(on("connected", act))
    assert names(seen)[2:] == ["ready", "closed", "disconnected"]
    assert seen[-1][1].graceful
    assert [frame.payload for frame in door.peer.heard] == [b"\x0f\xa0enough"]


@pytest.mark.parametrize("open_timeout", [30, None])
@pytest.mark.parametrize(
    ("close_timeout", "ends_at"), [(5, 6.0), (None, 6.0), (0, 6.0), (0.5, 5.5)]
)
def test_closing_does_not_wait_for_a_silent_server(
    open_timeout: float | None, close_timeout: float | None, ends_at: float
) -> None:
    door = PretendDoor(
        never_answers, Timing(open_timeout=open_timeout, close_timeout=close_timeout)
    )
    door.at(5.0, door.close)
    seen = door.play()
    assert names(seen) == ["connecting", "connected", "disconnected"]
    assert door.now == ends_at
    last = seen[-1][1]
    assert last.reason == "closed by the user; the server had not answered the upgrade yet"
    assert (last.graceful, last.phase, last.cause) == (False, "upgrade", None)


def test_open_timeout_holds_after_a_close_too() -> None:
    door = PretendDoor(never_answers, Timing(open_timeout=5.3))
    door.at(5.0, door.close)
    last = door.play()[-1][1]
    assert door.now == 5.3
    assert last.reason.startswith("closed by the user; ")


def test_a_handler_that_closes_and_takes_its_time_still_gets_the_answer() -> None:
    def act(door: PretendDoor) -> None:
        door.close()
        door.spend(10)

    seen = PretendDoor(echo).play(on("connected", act))
    assert names(seen)[2:] == ["ready", "closed", "disconnected"]


@pytest.mark.parametrize(("pause", "ends"), [(0.9, "closed"), (1.1, "connected")])
def test_an_answer_soon_after_a_close_is_waited_for(pause: float, ends: str) -> None:
    def answers_late(peer: Peer) -> Talk:
        yield Pause(pause)
        yield from peer.upgrade()
        yield from peer.hear_until(frames.CLOSE)
        yield say(frames.CLOSE, code=1000)

    seen = PretendDoor(answers_late).play(on("connected", PretendDoor.close))
    assert names(seen)[-2:] == [ends, "disconnected"]


def test_bytes_of_the_answer_do_not_put_off_the_end_after_a_close() -> None:
    def trickles(peer: Peer) -> Talk:
        yield from peer.read_request()
        for byte in b"HTTP/1.1 101 Switching Protocols":
            yield Pause(0.3)
            yield Say(bytes([byte]))

    door = PretendDoor(trickles)
    door.at(2.0, door.close)
    assert names(door.play()) == ["connecting", "connected", "disconnected"]
    assert door.now == 3.0


def test_force_while_the_answer_is_awaited() -> None:
    door = PretendDoor(never_answers)
    door.at(3.0, door.force_disconnect)
    last = door.play()[-1][1]
    assert (last.reason, door.now) == ("disconnected by the user", 3.0)


def test_sends_are_held_until_ready() -> None:
    def act(door: PretendDoor, event: AnyEvent) -> None:
        if event.name == "connected":
            door.send_text("four")
            door.send_text("five!")
            with pytest.raises(WebSocketUnavailable, match="max_held"):
                door.send_text("xx")
            door.send_text("1")  # what was refused counts for nothing
            door.spend(1)
            assert door.peer.heard == []
            assert door.sent.endswith(b"\r\n\r\n")
        elif event.name == "ready":
            door.spend(1)
            assert [frame.payload for frame in door.peer.heard] == [b"four", b"five!", b"1"]
            door.close()

    seen = PretendDoor(echo, Timing(ping_rate=0), Limits(max_held=52)).play(act)
    assert names(seen)[3:] == ["text", "text", "text", "closed", "disconnected"]


def test_a_given_socket() -> None:
    door = PretendDoor(echo, has_socket=True)
    door.at(1.0, door.close)
    assert names(door.play())[2] == "ready"
    failed = PretendDoor(echo, has_socket=True, failures={Adopt: OSError("closed")}).play()[-1][1]
    assert (failed.phase, failed.reason) == ("connect", "unable to connect to peer:80; closed")


@pytest.mark.parametrize("ends", [End(), End(resets=True), Pause(60)])
def test_a_rejection_whose_body_never_comes_whole(ends: End | Pause) -> None:
    def refuses(peer: Peer) -> Talk:
        yield from peer.read_request()
        yield Say(b"HTTP/1.1 503 Busy\r\nContent-Length: 100\r\n\r\nhalf")
        yield ends

    door = PretendDoor(refuses)
    seen = door.play()
    assert names(seen)[2:] == ["rejected", "disconnected"]
    assert seen[-1][1].graceful
    assert door.now < 1.1
    assert seen[-2][1].response.status_code == 503


def test_a_reset_instead_of_an_answer() -> None:
    def resets(peer: Peer) -> Talk:
        yield from peer.read_request()
        yield End(resets=True)

    last = PretendDoor(resets).play()[-1][1]
    assert last.reason == "socket fail; recv fail; Connection reset by peer"
    assert (last.phase, last.graceful) == ("upgrade", False)
    assert isinstance(last.cause, ConnectionResetError)
    assert last.cause.__traceback__ is None


def test_frames_right_behind_the_answer_come_after_the_first_poll() -> None:
    def is_eager(peer: Peer) -> Talk:
        yield from peer.upgrade(glued=say(frames.TEXT, b"1").data + say(frames.CLOSE).data)
        yield from peer.hear_until(frames.CLOSE)
        yield End()

    seen = PretendDoor(is_eager).play()
    assert names(seen)[2:] == ["ready", "poll", "text", "closing", "disconnected"]
    assert len({event.received_time for _, event in (seen[2], *seen[4:6])}) == 1


# What was said before the request could not be written


def says(data: bytes, *ends: End) -> Callable[[Peer], Talk]:
    def talk(peer: Peer) -> Talk:
        yield Say(data)
        yield from (end for end in ends)

    return talk


BROKEN: dict[type, BaseException] = {Send: BrokenPipeError(32, "Broken pipe")}
BUSY = b"HTTP/1.1 503 Busy\r\nContent-Length: 4\r\n\r\n"


@pytest.mark.parametrize("end", [End(), End(resets=True)])
def test_a_refusal_that_came_before_the_request_was_written(end: End) -> None:
    seen = PretendDoor(says(BUSY + b"late", end), failures=BROKEN).play()
    assert names(seen) == ["connecting", "connected", "rejected", "disconnected"]
    assert seen[2][1].response.body == b"late"
    assert seen[-1][1].graceful


@pytest.mark.parametrize("ends", [(), (End(),), (End(resets=True),)])
def test_nothing_was_said_and_the_request_not_written(ends: tuple[End, ...]) -> None:
    def talk(peer: Peer) -> Talk:
        yield from (end for end in ends)

    door = PretendDoor(talk, Timing(open_timeout=7), failures=BROKEN)
    failed = door.play()[-1][1]
    assert (failed.name, failed.phase) == ("connect_fail", "upgrade")
    assert isinstance(failed.cause, BrokenPipeError)
    assert door.now <= 1.1


def test_no_open_timeout_and_the_request_not_written() -> None:
    door = PretendDoor(never_answers, Timing(open_timeout=None), failures=BROKEN)
    failed = door.play()[-1][1]
    assert isinstance(failed.cause, BrokenPipeError)
    assert door.now <= 1.1


def test_an_alert_says_more_than_that_the_request_was_not_written() -> None:
    alert = OSError(1, "alert certificate required")
    alert.reason = "TLSV13_ALERT_CERTIFICATE_REQUIRED"  # type: ignore[attr-defined]  # as ssl sets it
    door = PretendDoor(never_answers, failures={**BROKEN, Read: alert}, secure=True)
    failed = door.play()[-1][1]
    assert failed.cause is alert
    assert "the server wants a client certificate; give ssl_certfile" in failed.reason
    assert (failed.ending.kind, failed.ending.by) == ("unreachable", "server")


def test_closed_while_the_last_words_are_waited_for() -> None:
    door = PretendDoor(never_answers, failures=BROKEN)
    door.at(0.5, door.close)
    failed = door.play()[-1][1]
    assert failed.reason.startswith("request failed; closed by the user")


# Modules that are loaded when they are needed


def test_what_reads_answers_can_not_be_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is needed for what is no plain 101."""

    def load(role: object) -> None:
        raise missing

    missing = ImportError("h11.so: cannot open shared object file: Too many open files")
    monkeypatch.setattr(h11, "Connection", load)
    assert "ready" in names(PretendDoor(closes).play())
    door = PretendDoor(says(BUSY))
    seen = door.play()
    assert names(seen) == ["connecting", "connected", "disconnected"]
    last = seen[-1][1]
    assert (last.phase, last.cause, last.graceful) == ("upgrade", missing, False)
    assert (last.ending.kind, last.ending.by) == ("lost", "client")
    assert "Too many open files; this process has no file descriptor left" in last.reason
    assert door.hung_up


def test_what_reads_a_proxys_answer_can_not_be_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    def load(role: object) -> None:
        raise missing

    missing = ImportError("h11.so: cannot open shared object file: Too many open files")
    monkeypatch.setattr(h11, "Connection", load)
    proxy = parse_proxy("http://proxy:3128")
    door = PretendDoor(says(b"HTTP/1.1 200 Connection established\r\n\r\n"), proxy=proxy)
    seen = door.play()
    assert names(seen) == ["connecting", "connect_fail"]
    failed = seen[-1][1]
    assert (failed.phase, failed.cause) == ("proxy", missing)
    assert "Too many open files; this process has no file descriptor left" in failed.reason
    assert door.hung_up


def test_what_keeps_cookies_can_not_be_loaded() -> None:
    def answered(url: str, response: object) -> None:
        raise OSError(24, "Too many open files")

    door = PretendDoor(echo)
    door.plan.answered = answered  # type: ignore[method-assign]  # stands for it
    seen = door.play()
    assert names(seen) == ["connecting", "connected", "disconnected"]
    last = seen[-1][1]
    assert (last.phase, last.cause.errno, last.graceful) == ("upgrade", 24, False)
    assert (last.ending.kind, last.ending.by) == ("resources", "client")
    assert last.reason.startswith("upgrade fail; Too many open files; this process has no")


def test_what_follows_redirects_can_not_be_loaded() -> None:
    def redirected(url: object, is_ours: bool) -> Any:
        raise OSError(24, "Too many open files")

    door = PretendDoor(says(b"HTTP/1.1 302 x\r\nLocation: /x\r\n\r\n"), max_redirects=3)
    door.plan.redirected = redirected  # type: ignore[method-assign]  # stands for it
    seen = door.play()
    assert names(seen) == ["connecting", "connected", "rejected", "disconnected"]
    said = "the redirect is not followed: [Errno 24] Too many open files: this process has no file"
    assert said in seen[2][1].reason
