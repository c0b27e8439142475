"""A session by itself: what its driver must call, and what may be called twice."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from lomond.errors import TransportFail, WebSocketClosing
from lomond.options import Deflate, Limits, Timing
from lomond.protocol import frames
from lomond.protocol.extensions.negotiation import offers
from lomond.session.causes import kept, words
from lomond.session.finish import LEFT, Why
from lomond.session.session import Session
from lomond.testing.alone import counting_bytes


def opened(**timing: float | None) -> Session:
    session = Session(Timing(**timing), Limits(), counting_bytes())  # type: ignore[arg-type]  # of each the right kind
    session.opened(0.0)
    return session


def drain(session: Session, now: float) -> list[str]:
    names = []
    while (event := session.next_event(now)) is not None:
        names.append(event.name)
    return names


def test_a_large_message_goes_into_its_own_buffer() -> None:
    session = opened(poll=None, ping_rate=0)
    payload = b"x" * 200_000
    whole = frames.build(frames.BINARY, payload, None)
    session.receive(whole[:10], 1.0, 5.0)
    assert session.next_event(1.0) is None
    assert session.deadline == 61.0  # frame_timeout
    room = session.room()
    assert room is not None
    room[: len(payload)] = payload
    room.release()
    session.filled(len(payload) - 5, 2.0, 6.0)
    assert session.deadline == 62.0
    assert session.next_event(2.0) is None
    session.receive(payload[-5:], 2.0, 6.0)
    event = session.next_event(2.0)
    assert event is not None
    assert event.name == "binary"
    assert event.data == payload
    assert event.received_time == 6.0


def test_no_ping_while_one_is_unanswered_and_a_timeout_runs() -> None:
    session = opened(poll=None, ping_rate=10, ping_timeout=60)
    assert drain(session, 0.0) == []
    assert not session.watches_writes
    drain(session, 10.0)
    assert session.watches_writes
    session.written(10.0, True)
    assert session.output.take()
    session.written(10.0, True)
    assert not session.watches_writes
    drain(session, 20.0)
    assert not session.output.is_ready
    session.receive(frames.build(frames.PONG, b"", None), 21.0, 21.0)
    assert drain(session, 21.0) == ["pong"]
    drain(session, 30.0)
    assert session.output.is_ready


def test_no_ping_while_one_is_unwritten() -> None:
    session = opened(poll=None, ping_rate=10)
    drain(session, 10.0)
    drain(session, 20.0)
    assert len(session.output.take()) == 6


def test_no_ping_after_the_server_closed() -> None:
    session = opened(poll=None, ping_rate=10)
    session.receive(frames.build(frames.CLOSE, b"", None), 1.0, 1.0)
    assert drain(session, 1.0) == ["closing"]
    assert session.output.take()[0] == 0x88
    drain(session, 10.0)
    assert not session.output.is_ready


def test_a_second_close_does_nothing() -> None:
    session = opened()
    assert session.finish.sent_close_time is None
    assert session.close(1000, "", 3.0)
    assert not session.close(1000, "", 4.0)
    assert session.finish.sent_close_time == 3.0
    with pytest.raises(WebSocketClosing):
        session.send_message(frames.PING, b"")


def test_a_flood_does_not_put_off_the_close_timeout() -> None:
    session = opened(poll=None, ping_rate=0, close_timeout=30)
    session.close(1000, "", 0.0)
    flood = frames.build(frames.TEXT, b"x", None) * 100_000
    session.receive(flood, 29.0, 29.0)
    assert session.next_event(29.0) is not None
    reads = 0
    while not session.has_ended:  # every read brings more of it
        session.receive(flood, 31.0, 31.0)
        assert drain(session, 31.0) == []
        reads += 1
    assert reads * len(flood) < 10_000_000
    assert "within 30s" in session.disconnected().reason


def test_an_answer_of_which_a_part_came_late_is_waited_for_no_longer() -> None:
    session = opened(poll=None, ping_rate=0, close_timeout=30)
    session.close(1000, "", 0.0)
    session.receive(frames.build(frames.TEXT, b"x", None) + b"\x88\x05\x03", 31.0, 31.0)
    assert drain(session, 31.0) == []
    assert not session.has_ended
    session.tick(31.0)
    assert session.has_ended


def test_what_a_send_after_the_end_raises() -> None:
    """The network's failure, until somebody was told of the end."""
    session = opened(poll=None, ping_rate=0)
    error = ConnectionResetError(104, "Connection reset by peer")
    session.fail(error, "read", 1.0)
    assert drain(session, 1.0) == []
    refusal = session.finish.refusal()
    assert isinstance(refusal, TransportFail)
    assert refusal.cause is error
    assert "the connection ended (Connection reset" in str(refusal)
    session.disconnected()
    assert str(session.finish.refusal()) == (
        f"not connected: {session.finish.ending}; send again from the ready event of the next one"
    )
    left = opened(poll=None, ping_rate=0)
    left.end(LEFT, 1.0)
    assert re.match("not connected: this .* left .* or keep events =", str(left.finish.refusal()))


@pytest.mark.parametrize(
    ("payload", "words"),
    [
        (b"", "; the server had closed without a code"),
        (b"\x03\xf1", "; the server had closed with 1009 (message too big)"),
        (b"\x0f\xa1", "; the server had closed with 4001"),
        (b"\x03\xf1too\x1b[m large", r"; the server had closed with 1009 'too\x1b[m large'"),
        (b"\x03", "; the server had closed without a code"),
        (None, ""),
    ],
)
def test_the_servers_close_in_words(payload: bytes | None, words: str) -> None:
    session = opened(poll=None, ping_rate=0)
    session.receive(frames.build(frames.TEXT, b"x", None), 1.0, 1.0)
    if payload is not None:
        session.receive(frames.build(frames.CLOSE, payload, None), 1.0, 1.0)
    assert session.finish.servers_close() == words


def test_what_comes_in_time_is_handed_out_until_close_timeout() -> None:
    session = opened(poll=None, ping_rate=0, close_timeout=30)
    session.close(1000, "", 0.0)
    session.receive(frames.build(frames.TEXT, b"x", None), 29.0, 29.0)
    assert drain(session, 29.0) == ["text"]
    session.receive(frames.build(frames.TEXT, b"x", None), 30.0, 30.0)
    assert drain(session, 30.0) == []
    assert not session.has_ended
    session.tick(30.0)
    assert session.has_ended


@pytest.mark.parametrize("option", ["ping_timeout", "close_timeout", "frame_timeout"])
def test_the_end_of_the_stream_is_something_that_came(option: str) -> None:
    """Where its driver, which found it after the deadline, asks for no event in between."""
    session = opened(poll=None, ping_rate=0, **{"close_timeout": None, option: 3})
    if option == "ping_timeout":
        session.send_message(frames.PING, b"")
    elif option == "close_timeout":
        session.close(1000, "", 0.0)
    else:
        session.receive(b"\x81\x05ab", 0.0, 0.0)
        assert session.next_event(0.0) is None
    session.output.take()
    session.written(0.0, True)
    assert session.deadline == 3.0
    session.receive(b"", 7.0, 7.0)
    session.tick(7.0)
    assert session.next_event(7.0) is None
    assert session.has_ended
    ending = session.finish.event
    assert ending is not None
    assert ending.graceful is (option == "close_timeout")
    assert ending.reason == ("closed" if ending.graceful else "socket fail; connection lost")


def test_a_tick_before_anything_is_due_changes_nothing() -> None:
    session = opened(poll=None, ping_rate=0)
    assert session.deadline is None
    session.tick(1.0)
    assert not session.has_ended


def test_causes_are_kept_without_traceback_and_secrets() -> None:
    try:
        raise OSError("can't reach wss://user:secret@host/") from ValueError("inner")
    except OSError as error:
        cause = kept(error)
    assert cause is not None
    assert cause.__traceback__ is None
    assert cause.__cause__ is None
    assert cause.args == ("can't reach wss://***@host/",)
    assert kept(None) is None


def test_a_cause_with_a_number_is_kept_without_secrets() -> None:
    url, shown = "wss://user:secret@host/", "wss://***@host/"
    cause = kept(OSError(2, f"no way to {url}", url, None, url))
    assert str(cause) == f"[Errno 2] no way to {shown}: {shown!r} -> {shown!r}"


@pytest.mark.parametrize(
    ("code", "hint"),
    [(19, "ssl_cafile"), (10, "clock"), (62, "server_name"), (7, "not accepted: m")],
)
def test_a_certificate_that_is_not_accepted_comes_with_a_hint(code: int, hint: str) -> None:
    class VerificationError(OSError):
        verify_message = "m"
        verify_code = code

    assert hint in words(VerificationError())


def test_words_of_other_causes() -> None:
    assert words(OSError(111, "Connection refused")) == "Connection refused"
    assert words(ValueError("odd")) == "odd"
    assert words(KeyError()) == "KeyError"


def test_the_ending_is_known_before_it_is_handed_out() -> None:
    session = opened(poll=None, ping_rate=0, send_timeout=5)
    assert session.finish.event is None
    session.send_message(frames.TEXT, b"stuck")
    session.written(0.0, False)
    assert session.backlog.deadline == 5.0
    cause = session.give_up_writing(5.0)
    assert session.has_ended
    assert session.finish.event is session.disconnected()
    assert session.finish.event.phase == "write"
    assert session.finish.event.cause is cause


def test_a_close_that_could_not_be_answered_was_not_graceful() -> None:
    session = opened(poll=None, ping_rate=0, send_timeout=5)
    session.send_message(frames.TEXT, b"stuck")
    session.written(0.0, False)
    session.receive(frames.build(frames.CLOSE, b"\x03\xe8", None), 1.0, 1.0)
    assert drain(session, 1.0) == ["closing"]
    session.receive(b"", 2.0, 2.0)
    assert drain(session, 2.0) == []
    session.give_up_writing(5.0)
    ending = session.disconnected()
    assert not ending.graceful
    assert "send_timeout" in ending.reason


@pytest.mark.parametrize(("phase", "what"), [("read", "recv"), ("write", "send")])
def test_a_failure_says_what_failed(phase: str, what: str) -> None:
    session = opened(poll=None, ping_rate=0)
    session.course.address = "192.0.2.1:80"
    cause = OSError(104, "reset")
    session.fail(cause, phase, 7.0)
    assert drain(session, 8.0) == []
    last = session.disconnected()
    assert (last.reason, last.graceful) == (f"socket fail; {what} fail; reset", False)
    assert (last.cause, last.phase, last.address, last.elapsed) == (
        cause, phase, "192.0.2.1:80", 7.0,
    )  # fmt: skip
    assert last.timings is session.course.timings


def test_a_new_session() -> None:
    session = Session(Timing(), Limits(), counting_bytes())
    ending = session.finish
    assert (ending.event, ending.close_asked_at) == (None, None)
    assert (ending.is_told, ending.is_closing, session.has_ended) == (False, False, False)
    assert (session.output_ends, session.watches_writes) == (False, False)
    assert (session.compression, session.deadline) == (None, None)
    assert session.backlog.deadline == float("inf")


def test_after_the_end_nothing_is_due() -> None:
    session = opened(poll=5, ping_rate=5)
    session.end(Why("disconnected by the user"), 1.0)
    for now in (6.0, 7.0, 12.0):
        assert session.next_event(now) is None
    assert session.deadline is None


@pytest.mark.parametrize("compress", [False, True])
def test_a_message_is_compressed_if_that_is_asked_for(compress: bool) -> None:
    (offer,) = offers(Deflate())
    session = Session(Timing(), Limits(), counting_bytes())
    session.opened(0.0, [offer.accept([])])
    session.send_message(frames.TEXT, b"a" * 100, compress)
    head = session.output.take()
    assert bool(head[0] & frames.RSV1) == compress
    session.send_message(frames.TEXT, b"a" * 100)
    assert not session.output.take()[0] & frames.RSV1


@pytest.mark.parametrize("is_heard", [False, True])
@pytest.mark.parametrize("reads", [None, len])
def test_whoever_listens_and_however_the_program_reads_json(is_heard: bool, reads: Any) -> None:
    class Listener:
        def note(self, direction: str, op: str, value: object, compress: bool = False) -> None:
            told.append((direction, op, value))

        def tell(self) -> None:
            pass

    told: list[tuple[str, str, object]] = []
    timing = Timing(poll=None, ping_rate=0)
    listening = Listener() if is_heard else None
    session = Session(timing, Limits(), counting_bytes(), reads, None, listening)
    session.opened(0.0)
    session.receive(frames.build(frames.TEXT, b"[1]", None), 1.0, 5.0)
    event = session.next_event(1.0)
    assert event is not None
    assert event.name == "text"
    assert event.json == (3 if reads else [1])
    session.send_message(frames.TEXT, b"x")
    assert told == ([("in", "text", "[1]"), ("out", "text", b"x")] if is_heard else [])


@pytest.mark.parametrize("loads", [None, json.loads])
@pytest.mark.parametrize("auto_pong", [True, False])
def test_pings_are_answered_where_that_is_wanted(auto_pong: bool, loads: Any) -> None:
    timing = Timing(auto_pong=auto_pong, poll=None, ping_rate=0)
    session = Session(timing, Limits(), counting_bytes(), loads=loads)
    session.opened(0.0)
    session.receive(frames.build(frames.PING, b"x", None), 1.0, 5.0)
    assert drain(session, 1.0) == ["ping"]
    assert session.connection.output.is_ready is auto_pong
