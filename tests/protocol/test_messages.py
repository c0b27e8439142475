"""A message as its bytes come: UTF-8, RFC 6455 section 8.1."""

from __future__ import annotations

import pytest

from protocol.connections import bytes_until_violation, frame


@pytest.mark.parametrize(
    "broken",
    [
        b"\xff",
        b"\xc0\xaf",
        b"\xe2\x28",
        b"\xed\xa0\x80",  # a surrogate: Python's decoder waits for its third byte
        b"\xf4\x90",
        b"\xf0\x80",
        "κόσμε".encode() + b"\xed\xa0\x80",
        b"a" * 700 + b"\xce\xba\x80",
    ],
)
@pytest.mark.parametrize(
    "before",
    [
        b"",
        frame(1, b"so far", final=False),
        frame(1, b"so far", final=False) + frame(9, b"ping"),
        frame(1, b"so far", final=False) + frame(0, final=False) + frame(10) + frame(10),
    ],
)
def test_broken_utf8_is_told_at_its_byte(before: bytes, broken: bytes) -> None:
    opcode = 0 if before else 1
    header = frame(opcode, broken + b"more" * 50)[: -(len(broken) + 200)]
    at_once, event = bytes_until_violation(before + header + broken + b"more" * 50)
    assert at_once <= len(before + header + broken)
    assert event.name == "protocol_error"
    assert (event.code, event.critical, event.section) == (1007, True, "RFC 6455 8.1")


def test_broken_utf8_across_fragments_and_a_ping_is_told_before_the_rest() -> None:
    data = frame(1, b"\xe2", final=False) + frame(9) + b"\x00\x7d" + b"\x41"
    assert bytes_until_violation(data + b"x" * 9)[0] == len(data)


@pytest.mark.parametrize(
    "data",
    [
        frame(1, b"ab\xe2\x82"),
        frame(1, b"a" * 126 + b"\xe2\x82"),
        frame(1, b"ab", final=False) + frame(0, b"\xe2\x82"),
        frame(1, b"\xe2\x82", final=False) + frame(9) + frame(0),
    ],
)
def test_a_text_that_ends_inside_a_code_point(data: bytes) -> None:
    count, event = bytes_until_violation(data)
    assert count == len(data)
    assert event.name == "protocol_error"
    assert event.code == 1007
