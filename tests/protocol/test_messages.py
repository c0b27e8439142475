"""A message as its bytes come: UTF-8, RFC 6455 section 8.1."""

from __future__ import annotations

import pytest

from lomond.options import Limits
from lomond.protocol import frames
from lomond.protocol.connection import Connection
from lomond.protocol.events import AnyEvent
from lomond.protocol.keys import MaskingKeys
from lomond.testing.pretend import counting_bytes


def opened(limits: Limits | None = None) -> Connection:
    connection = Connection(limits or Limits(), MaskingKeys(counting_bytes()))
    connection.opened()
    return connection


def frame(opcode: int, payload: bytes = b"", final: bool = True) -> bytes:
    built = frames.build(opcode, payload, None)
    return built if final else bytes([built[0] & 0x7F]) + built[1:]


def bytes_until_violation(data: bytes, limits: Limits | None = None) -> tuple[int, AnyEvent]:
    """After how many bytes, fed one by one, the violation is told; and its event."""
    connection = opened(limits)
    for number in range(len(data)):
        connection.receive(data[number : number + 1], 1.0)
        while (event := connection.next_event()) is not None:
            if event.name == "protocol_error":
                return number + 1, event
    pytest.fail("no violation")


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
