"""What the last events of an open connection tell, in full. In pretend time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from lomond import Ending
from lomond.errors import TransportFail, WebSocketClosing, WebSocketUnavailable
from lomond.options import Limits, Timing
from lomond.protocol import events, frames
from lomond.session.finish import LEFT, Why, not_connected
from lomond.session.session import Session
from lomond.testing.alone import counting_bytes
from lomond.testing.peer import say

STARTED, OPENED = 100.0, 103.0


def opened(**timing: Any) -> Session:
    """A session without timers, but for those that are asked for."""
    none: dict[str, Any] = {"poll": None, "ping_rate": 0, "close_timeout": None}
    session = Session(Timing(**{**none, **timing}), Limits(), counting_bytes())
    session.course.started_at = STARTED
    session.course.address = "192.0.2.1:80"
    session.opened(OPENED)
    return session


def receive(session: Session, data: bytes, now: float) -> list[Any]:
    session.receive(data, now, now)
    events = []
    while (event := session.next_event(now)) is not None:
        events.append(event)
    return events


def written(session: Session, now: float) -> bytes:
    data = session.output.take()
    session.written(now, True)
    return data


def failed(event: Any, session: Session, elapsed: float, phase: str = "read") -> None:
    assert (event.phase, event.address, event.elapsed) == (phase, "192.0.2.1:80", elapsed)
    assert event.timings is session.course.timings


def ended(session: Session, reason: str, elapsed: float, phase: str = "read") -> Any:
    assert session.has_ended
    last = session.disconnected()
    assert (last.reason, last.graceful) == (reason, False)
    failed(last, session, elapsed, phase)
    return last


def close_frame_of(data: bytes) -> tuple[int, bytes]:
    assert data[0] == frames.FIN | frames.CLOSE
    payload = bytes(byte ^ data[2 + at % 4] for at, byte in enumerate(data[6:]))
    return int.from_bytes(payload[:2], "big"), payload[2:]


def test_a_violation() -> None:
    session = opened()
    (error,) = receive(session, b"\x83\x00", 110.0)
    failed(error, session, 10.0)
    assert error.error == "opcode is reserved (3)"
    assert close_frame_of(session.output.take()) == (1002, b"opcode is reserved (3)")
    session.receive(b"", 111.0, 111.0)
    assert session.next_event(111.0) is None
    last = ended(session, "disconnected; opcode is reserved (3)", 10.0)
    assert last.cause is None


def test_a_peer_that_answers_no_ping() -> None:
    session = opened(ping_timeout=5.4)
    session.send_message(frames.PING, b"")
    written(session, 110.0)
    session.tick(115.3)
    assert not session.has_ended
    session.tick(115.4)
    event = session.next_event(115.4)
    assert event is not None
    assert event.name == "unresponsive"
    failed(event, session, pytest.approx(15.4))  # type: ignore[arg-type]  # about then
    assert session.next_event(115.4) is None
    last = ended(session, "disconnected; exceeded 5.4s ping timeout", pytest.approx(15.4))  # type: ignore[arg-type]  # about then
    assert str(last.ending) == "the server said nothing for 5.4 s after a ping (ping_timeout)"


def test_a_frame_that_stalls() -> None:
    session = opened(frame_timeout=7.5)
    assert receive(session, b"\x81\x05ab", 110.0) == []
    session.tick(117.4)
    assert not session.has_ended
    session.tick(117.5)
    assert close_frame_of(session.output.take()) == (1008, b"frame stalled")
    last = ended(session, "disconnected; no byte for 7.5 s inside a frame (frame_timeout)", 17.5)
    assert str(last.ending) == (
        "the server sent no byte for 7.5 s inside a frame (frame_timeout); "
        "2 bytes of a message had come that was not whole"
    )
    assert last.ending.unfinished == 2


def test_a_close_that_is_not_answered() -> None:
    session = opened(close_timeout=7.5)
    session.close(1000, "bye", 110.0)
    assert close_frame_of(written(session, 110.0)) == (1000, b"bye")
    assert not session.timers.close_at <= 117.4
    session.tick(117.4)
    assert not session.has_ended
    assert session.timers.close_at <= 117.5
    session.tick(117.5)
    ended(session, "disconnected; server didn't respond to close packet within 7.5s", 17.5)


def test_output_that_is_not_taken() -> None:
    session = opened(send_timeout=7.5)
    session.send_message(frames.TEXT, b"x")
    session.written(110.0, False)
    session.tick(117.4)
    assert not session.has_ended
    session.tick(117.5)
    said = "nothing was taken for 7.5 s (send_timeout)"
    last = ended(session, f"socket fail; send fail; {said}", 17.5, "write")
    assert isinstance(last.cause, TimeoutError)
    assert str(last.cause) == said
    assert str(last.ending) == "the server took nothing for 7.5 s (send_timeout)"


def test_a_connection_that_is_lost() -> None:
    session = opened()
    assert receive(session, b"", 110.0) == []
    ended(session, "socket fail; connection lost", 10.0)


def test_a_connection_that_is_lost_while_closing_is_closed() -> None:
    session = opened()
    session.close(1000, "bye", 105.0)
    assert receive(session, b"", 110.0) == []
    last = session.disconnected()
    assert (last.reason, last.graceful, last.phase, last.cause) == ("closed", True, None, None)


def test_a_failure_while_closing_is_one() -> None:
    session = opened()
    session.close(1000, "bye", 105.0)
    session.fail(OSError(1, "no way"), "read", 110.0)
    assert session.next_event(110.0) is None
    ended(session, "socket fail; recv fail; no way", 10.0)


@pytest.mark.parametrize("begins", ["we", "they"])
def test_a_closing_handshake(begins: str) -> None:
    session = opened()
    if begins == "we":
        session.close(1000, "bye", 105.0)
        session.output.take()
    (event,) = receive(session, say(frames.CLOSE, b"bye", code=1000).data, 106.0)
    assert event.name == ("closed" if begins == "we" else "closing")
    assert session.has_ended is (begins == "we")
    assert session.output_ends is (begins == "they")
    if begins == "they":
        session.receive(b"", 107.0, 107.0)
        assert session.next_event(107.0) is None
        assert session.has_ended
    last = session.disconnected()
    assert (last.reason, last.graceful) == ("closed", True)
    assert (last.phase, last.address, last.elapsed, last.timings) == (None, None, None, None)


def test_what_ends_it_from_outside_is_no_failure() -> None:
    session = opened()
    session.end(Why("disconnected by the user"), 110.0)
    assert session.has_ended
    last = session.disconnected()
    assert (last.reason, last.graceful, last.phase) == ("disconnected by the user", False, None)
    assert (last.address, last.elapsed) == ("192.0.2.1:80", 10.0)


def test_the_first_reason_is_the_true_one() -> None:
    session = opened()
    session.end(Why("first"), 110.0)
    session.end(Why("second", True, phase="read"), 111.0)
    session.fail(OSError("third"), "read", 112.0)
    last = session.disconnected()
    assert (last.reason, last.graceful, last.elapsed) == ("first", False, 10.0)


def test_leaving_says_so_to_the_server() -> None:
    session = opened()
    session.leave(1001, Why("left by the user"), 110.0)
    assert close_frame_of(session.output.take()) == (1001, b"")
    last = session.disconnected()
    assert (last.reason, last.graceful, last.elapsed) == ("left by the user", False, 10.0)
    session.leave(1001, Why("again"), 111.0)
    assert not session.output.is_ready


def test_leaving_answers_a_close_first() -> None:
    session = opened()
    session.receive(say(frames.CLOSE, b"bye", code=4000).data, 105.0, 105.0)
    assert session.next_event(105.0) is not None
    session.leave(1001, Why("left by the user"), 110.0)
    assert close_frame_of(session.output.take()) == (4000, b"bye")


def test_leaving_before_the_upgrade_says_nothing() -> None:
    session = Session(Timing(), Limits(), counting_bytes())
    session.leave(1001, Why("left by the user"), 110.0)
    assert not session.output.is_ready
    session.opened(111.0)
    assert not session.output.is_ready
    assert session.disconnected().reason == "left by the user"


@pytest.mark.parametrize(
    ("act", "since"),
    [
        (lambda session: session.close(1000, "", 107.0), 4.0),
        (lambda session: session.end(Why("x"), 107.0), None),
    ],
)
def test_when_the_user_closed(act: Callable[[Session], object], since: float | None) -> None:
    session = opened()
    assert session.finish.sent_close_time is None
    act(session)
    assert session.finish.sent_close_time == since


def test_a_close_before_the_upgrade_came_at_its_begin() -> None:
    session = Session(Timing(), Limits(), counting_bytes())
    session.close(1000, "", 107.0)
    assert session.finish.sent_close_time == 0.0
    session.opened(110.0)
    assert session.finish.sent_close_time == 0.0


def test_the_first_message_is_timed_from_ready() -> None:
    session = opened()
    receive(session, say(frames.PING).data, 105.0)
    assert session.course.timings.first_message is None
    receive(session, say(frames.TEXT, b"x").data, 110.0)
    assert session.course.timings.first_message == 7.0
    receive(session, say(frames.TEXT, b"x").data, 120.0)
    assert session.course.timings.first_message == 7.0


def test_a_reason_alone_ends_nothing_before_the_closing_handshake_is_done() -> None:
    session = opened()
    session.finish.note(Why("closed", True), 110.0)
    assert not session.finish.judge(110.0, float("inf"))
    assert not session.has_ended


def test_what_has_ended_needs_no_end_of_our_direction() -> None:
    session = opened()
    receive(session, say(frames.CLOSE, code=1000).data, 106.0)
    assert session.finish.judge(107.0, float("inf"))
    session.end(Why("left by the user"), 108.0)
    assert not session.finish.judge(108.0, float("inf"))


@pytest.mark.parametrize("now", [113.4, 113.5])
def test_a_server_that_goes_on_behind_its_close_has_close_timeout(now: float) -> None:
    session = opened(close_timeout=7.5)
    receive(session, say(frames.CLOSE, code=1000).data, 106.0)
    receive(session, b"more", now)
    assert session.has_ended is (now == 113.5)


# What is told of it to whoever sends


CLOSE = frames.build(frames.CLOSE, b"\x03\xf11 MB", None)


@pytest.mark.parametrize("is_read", [False, True])
def test_a_close_that_came_before_a_write_failed_is_the_end(is_read: bool) -> None:
    session = opened()
    session.receive(CLOSE, 109.0, 109.0)
    cause = BrokenPipeError(32, "Broken pipe")
    session.fail(cause, "write", 110.0)
    if is_read:
        (closing,) = receive(session, b"", 111.0)
        assert closing.code == 1009
    ending = session.finish.ending
    assert ending is not None
    assert (ending.kind, ending.by) == ("closed", "server")
    assert (ending.code, ending.reason) == (1009, "1 MB")
    assert ending.cause is cause
    assert session.finish.event is not None
    assert session.finish.event.reason.startswith("socket fail; send fail")  # the original's


def test_a_loss_that_is_told_twice_stays_the_first() -> None:
    session = opened()
    session.fail(OSError(1, "one"), "read", 110.0)
    session.finish.note(Why("closed", True, "left"), 111.0)
    ending = session.finish.ending
    assert ending is not None
    assert ending.kind == "lost"


def test_what_sends_raise_gets_the_ending_when_it_is_told() -> None:
    session = opened()
    first, second = TransportFail("one"), WebSocketUnavailable("two")
    for error in (first, second):
        assert session.finish.explained(error) is error
        assert error.ending is None
    session.fail(OSError(1, "no way"), "read", 110.0)
    last = session.disconnected()
    assert first.ending is second.ending is last.ending is not None
    late = WebSocketUnavailable("three")
    assert session.finish.explained(late).ending is last.ending


def test_where_nothing_ended_nothing_is_told() -> None:
    session = opened()
    assert session.finish.ending is None
    assert session.finish.tell() is None


def test_who_had_closed() -> None:
    def said(session: Session, now: float) -> str:
        return str(session.finish.explained(WebSocketClosing("not sent"), now))

    session = opened()
    session.close(4000, b"enough", 110.0)
    assert said(session, 113.0) == "not sent; this program had closed with 4000 'enough' 3 s before"
    session = opened()
    receive(session, CLOSE, 110.0)
    assert said(session, 110.0) == "not sent; the server had closed with 1009 '1 MB' just before"
    assert said(opened(), 110.0) == "not sent; this program had closed without a code just before"
    session = opened()
    receive(session, b"\x83\x00", 110.0)
    assert said(session, 110.0) == "not sent: opcode is reserved (3)"


@pytest.mark.parametrize("has_backlog", [False, True])
def test_our_close_confirms_what_left_before_it(has_backlog: bool) -> None:
    session = opened()
    session.send_message(frames.TEXT, b"12345")
    session.close(1000, b"", 110.0)
    session.output.take()
    session.written(110.0, not has_backlog)
    receive(session, frames.build(frames.CLOSE, b"\x03\xe8", None), 111.0)
    assert session.finish.unconfirmed == (5 if has_backlog else 0)


def test_what_a_send_is_told_without_a_connection() -> None:
    assert "iterate the WebSocket" in not_connected(None)
    left = Ending("left", was_ready=True)
    assert "whoever leaves the loop (by break, return or an exception)" in not_connected(left)
    for other in (Ending("left"), Ending("lost", was_ready=True)):
        assert "send again from the ready event of the next one" in not_connected(other)


@pytest.mark.parametrize("answers", [False, True])
def test_a_sleep_that_the_connection_has_outlived_was_no_reason(
    answers: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    wall = [5000.0]
    monkeypatch.setattr(events, "time", lambda: wall[0])
    session = opened()
    wall[0] += 3600.0  # in which the other clock did not go on
    if answers:
        receive(session, frames.build(frames.PONG, b"", None), OPENED)
    session.fail(ConnectionResetError(104, "reset"), "read", OPENED + 1)
    wall[0] += 1.0
    session.end(Why("lost"), OPENED + 1)
    ending = session.disconnected().ending
    assert ending is not None
    assert ("slept" in (ending.hint or "")) is not answers


def test_it_was_left_by_who_iterated_it() -> None:
    for why, is_left in ((LEFT, True), (Why("disconnected by the user"), False)):
        session = opened()
        session.leave(1001, why, OPENED + 1)
        assert session.finish.is_left is is_left
