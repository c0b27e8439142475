"""The answer to the upgrade at the edges of its limits, in any split."""

from __future__ import annotations

import pytest

from lomond.errors import ProtocolError
from lomond.options import Limits
from lomond.protocol.http.upgrade import Acceptance, Refusal
from protocol.http.upgrades import HEAD, is_accepted, receive, upgrade


@pytest.mark.parametrize("step", [1, 4096, 1 << 20])
def test_limits_hold_to_the_byte_and_line_in_any_split(step: int) -> None:
    line = b"X: " + b"x" * (16 * 1024 - 4)
    assert is_accepted(HEAD + line + b"\r\n\r\n", step)
    assert not is_accepted(HEAD + line + b"xx\r\n\r\n", step)
    assert is_accepted(HEAD + b"X: y\r\n" * 252 + b"\r\n", step)
    assert not is_accepted(HEAD + b"X: y\r\n" * 260 + b"\r\n", step)
    size = len(HEAD) + 2
    assert is_accepted(HEAD + b"\r\n", step, Limits(max_header_size=size))
    assert not is_accepted(HEAD + b"\r\n", step, Limits(max_header_size=size - 1))


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (
            b"X: " + b"x" * 20_000,
            "line of 20003 bytes or more in the head is larger than max_header_line ",
        ),
        (b"X: y\r\n" * 300 + b"\r\n", "257 lines or more is longer than max_header_lines (256)"),
        (b"X: " + b"x\r\n y" * 16_000, "head of 80130 bytes or more is larger than max_header_s"),
    ],
)
def test_a_limit_is_named_with_the_size_seen(data: bytes, message: str) -> None:
    with pytest.raises(ProtocolError) as caught:
        receive(HEAD + data)
    assert message in str(caught.value)


@pytest.mark.parametrize("step", [1, 1 << 20])
def test_an_answer_in_tls_is_called_so(step: int) -> None:
    alert = b"\x15\x03\x01\x00\x02\x02\x46"
    with pytest.raises(ProtocolError, match="answer is TLS, not HTTP; use wss://"):
        receive(alert, step)


def test_broken_http_is_shown_as_bytes_and_not_at_length() -> None:
    with pytest.raises(ProtocolError) as caught:
        receive(HEAD + b"bad " + b"x" * 10_000 + b"\r\n\r\n")
    said = str(caught.value)
    assert said.startswith("answer is not valid HTTP; illegal header line: b'bad xxx")
    assert len(said) < 300


def test_the_limit_of_interim_responses_is_named() -> None:
    with pytest.raises(
        ProtocolError, match=r"9 interim responses are more than max_interim_responses \(8\)"
    ):
        receive(b"HTTP/1.1 100 Continue\r\n\r\n" * 20)


def test_frames_do_not_count_as_head() -> None:
    outcome = receive(HEAD + b"\r\n" + b"\x82\x7e" + b"\n" * 100_000)
    assert isinstance(outcome, Acceptance)
    assert len(outcome.rest) == 100_002


@pytest.mark.parametrize("body", [b"\n" * 1000, b"x" * 20_000 + b"\n"])
def test_lines_of_a_body_do_not_count_as_head(body: bytes) -> None:
    head = b"HTTP/1.1 503 Busy\r\nContent-Length: %d\r\n\r\n" % len(body)
    outcome = receive(head + body)
    assert isinstance(outcome, Refusal)
    assert outcome.response.body == body


@pytest.mark.parametrize("step", [1, 3, 1 << 20])
def test_bare_line_feeds_and_a_tail_that_looks_like_an_end(step: int) -> None:
    data = HEAD.replace(b"\r\n", b"\n") + b"\n"
    machine = upgrade()
    for i in range(0, len(data), step):
        tail = b"\r\n\r\n" if i + step >= len(data) else b""
        outcome = machine.receive(data[i : i + step] + tail)
    assert isinstance(outcome, Acceptance)
    assert outcome.rest == b"\r\n\r\n"


@pytest.mark.parametrize(
    "data",
    [
        b"HTTP/1.1 099 Low\r\n\r\n",
        b"HTTP/1.1 101 X\r\nContent-Length: " + b"9" * 5000 + b"\r\n\r\n",
        b"HTTP/1.1 101 X\r\nContent-Length: +1\r\n\r\n",
        b"HTTP/1.1 101 X\r\nContent-Length: \xb2\r\n\r\n",
        b"HTTP/1.1 101 X\r\nTransfer-Encoding: gzip\r\n\r\n",
        b"HTTP/1.1 \xff\r\n\r\n",
        b"HTTP/1.1 101 X\r\n: no name\r\n\r\n",
        b"HTTP/1.1 101 X\r\nNul: a\0b\r\n\r\n",
        b"\r\n\r\n",
        b"\x81\x05Hello",
        bytes(range(256)),
    ],
)
@pytest.mark.parametrize("step", [1, 1 << 20])
def test_garbage_is_a_protocol_error(data: bytes, step: int) -> None:
    with pytest.raises(ProtocolError) as caught:
        receive(data, step)
    assert caught.value.critical
    assert caught.value.section == "RFC 9112"


def test_a_chunk_header_without_end_does_not_grow() -> None:
    head = b"HTTP/1.1 500 X\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n"
    outcome = receive(head + b"1;" + b"x" * 100_000, 1000)
    assert isinstance(outcome, Refusal)
    assert outcome.response.body == b"hello"


MANY_LINES = HEAD + b"X: y\r\n" * 10 + b"\r\n"


@pytest.mark.parametrize(
    ("option", "data", "needed"),
    [
        ("max_header_size", MANY_LINES, len(MANY_LINES)),
        ("max_header_lines", MANY_LINES, MANY_LINES.count(b"\r\n") - 2),
        ("max_header_line", MANY_LINES, max(map(len, MANY_LINES.split(b"\n")))),
        ("max_interim_responses", b"HTTP/1.1 103 Early Hints\r\n\r\n" * 3 + MANY_LINES, 3),
    ],
)
def test_a_limit_of_the_head_is_an_option(option: str, data: bytes, needed: int) -> None:
    machine = upgrade(limits=Limits(**{option: needed}))
    assert isinstance(machine.receive(data), Acceptance)
    machine = upgrade(limits=Limits(**{option: needed - 1}))
    with pytest.raises(ProtocolError, match=rf"{option} \({needed - 1}\)"):
        machine.receive(data)


@pytest.mark.parametrize("most", [0, 5, 9, 10, 11])
def test_what_is_kept_of_a_body_is_an_option(most: int) -> None:
    machine = upgrade(limits=Limits(max_body_size=most))
    outcome = machine.receive(b"HTTP/1.1 403 No\r\nContent-Length: 10\r\n\r\n0123456789")
    assert isinstance(outcome, Refusal)
    assert outcome.response.body == b"0123456789"[:most]


FRAMINGS = [
    b"Transfer-Encoding: gzip, chunked",
    b"Transfer-Encoding: gzip",
    b"transfer-encoding: chunked\r\nTransfer-Encoding: chunked",
    b"Transfer-Encoding: gzip,\r\n chunked",
    b"Content-Length: abc",
    b"Content-Length: +1",
    b"Content-Length: \xb2",
    b"Content-Length: " + b"9" * 5000,
    b"Content-Length: 5\r\nContent-Length: 6",
    b"Content-Length: -1\r\nTransfer-Encoding: rot13",
]


@pytest.mark.parametrize("step", [1, 7, 1 << 20])
@pytest.mark.parametrize("framing", FRAMINGS)
def test_a_refusal_whose_length_makes_no_sense_is_still_one(framing: bytes, step: int) -> None:
    head = b"HTTP/1.1 503 Busy\r\n" + framing + b"\r\nRetry-After: 7\r\n\r\n"
    outcome = receive(head + b"the body", step)
    assert isinstance(outcome, Refusal)
    assert outcome.reason == "Websocket upgrade failed (code=503)"
    assert outcome.response.raw == head
    assert outcome.response.get("retry-after") == "7"
    assert outcome.response.body == b"the body"  # as it came


@pytest.mark.parametrize("framing", FRAMINGS)
def test_what_is_no_refusal_must_make_sense(framing: bytes) -> None:
    for head in (HEAD, b"HTTP/1.1 103 Hints\r\n"):
        with pytest.raises(ProtocolError, match="answer is not valid HTTP; "):
            receive(head + framing + b"\r\n\r\n")
    with pytest.raises(ProtocolError, match="illegal header line"):
        receive(b"HTTP/1.1 503 Busy\r\n" + framing + b"\r\nno colon\r\n\r\n")


def test_a_refusal_of_unknown_length_is_bounded() -> None:
    limits = Limits(max_body_size=5)
    machine = upgrade(limits=limits)
    outcome = machine.receive(b"HTTP/1.1 503 Busy\r\nContent-Length: x\r\n\r\n" + b"y" * 100)
    assert isinstance(outcome, Refusal)
    assert outcome.response.body == b"yyyyy"
