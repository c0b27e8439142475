"""Answers that come before the 101 or refuse it, and their bodies."""

from __future__ import annotations

import pytest

from lomond.errors import ProtocolError
from lomond.protocol.http.upgrade import Acceptance, Refusal
from protocol.http.upgrades import answer, upgrade


def test_a_body_that_is_as_large_as_may_be_is_not_waited_for_further() -> None:
    machine = upgrade()
    head = b"HTTP/1.1 503 Busy\r\nTransfer-Encoding: chunked\r\n\r\n10000\r\n"
    assert machine.receive(head + b"x" * 65_535) is None
    outcome = machine.receive(b"x")
    assert isinstance(outcome, Refusal)
    assert outcome.response.body == b"x" * 65_536


def test_interim_responses_come_before() -> None:
    interim = b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"
    assert isinstance(upgrade().receive(interim * 8 + answer()), Acceptance)
    with pytest.raises(ProtocolError, match="interim"):
        upgrade().receive(interim * 9 + answer())


@pytest.mark.parametrize(
    ("head", "body", "kept"),
    [
        (b"Content-Length: 5", b"hello", b"hello"),
        (b"Content-Length: 0", b"", b""),
        (b"Transfer-Encoding: chunked", b"5\r\nhello\r\n0\r\n\r\n", b"hello"),
        (b"Content-Length: 90000", b"x" * 90_000, b"x" * 65_536),
        (b"Transfer-Encoding: chunked", b"5\r\nhello\r\nzz\r\n", b"hello"),
    ],
)
def test_a_refusal_keeps_its_body(head: bytes, body: bytes, kept: bytes) -> None:
    data = b"HTTP/1.1 503 Busy\r\nRetry-After: 7\r\n" + head + b"\r\n\r\n" + body
    for step in (1 if len(data) < 1000 else 1000, len(data)):
        machine = upgrade()
        outcome = None
        for i in range(0, len(data), step):
            outcome = outcome or machine.receive(data[i : i + step])
        assert isinstance(outcome, Refusal)
        assert outcome.reason == "Websocket upgrade failed (code=503)"
        assert outcome.response.status_code == 503
        assert outcome.response.get("Retry-After") == "7"
        assert outcome.response.body == kept


def test_a_body_without_length_ends_with_the_stream() -> None:
    machine = upgrade()
    assert machine.end_of_stream() is None
    assert machine.receive(b"HTTP/1.1 403 No\r\n\r\nbe") is None
    assert machine.is_reading_body
    assert machine.receive(b"cause") is None
    outcome = machine.end_of_stream()
    assert outcome is not None
    assert outcome.response.body == b"because"


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"220 mail ready\r\n", "not HTTP"),
        (b"\x15\x03\x01", "not HTTP"),
        (b"HTTP/1.1 " + b"x" * 20_000, "is larger than max_header_line"),
        (b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 300, "is longer than max_header_lines"),
        (b"HTTP/1.1 200 OK\r\n" + (b"A: " + b"b" * 9000 + b"\r\n") * 8, "max_header_size"),
        (b"HTTP/1.1 abc OK\r\n\r\n", "not valid HTTP"),
        (b"HTTP/1.1 200 OK\r\nbad line\r\n\r\n", "not valid HTTP"),
    ],
)
@pytest.mark.parametrize("step", [1000, 100_000])
def test_answers_that_are_refused_as_broken(data: bytes, message: str, step: int) -> None:
    machine = upgrade()

    def feed() -> None:
        for i in range(0, len(data), step):
            machine.receive(data[i : i + step])

    with pytest.raises(ProtocolError, match=message) as caught:
        feed()
    assert caught.value.critical
