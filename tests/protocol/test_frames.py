"""One frame: its bytes, and the payload of a close frame."""

from __future__ import annotations

import pytest

from lomond.errors import ProtocolError
from lomond.protocol import frames
from lomond.status import may_be_sent

KEY = b"\x37\xfa\x21\x3d"


def test_the_example_of_the_rfc() -> None:
    # RFC 6455 section 5.7: a single-frame masked text message "Hello".
    expected = bytes.fromhex("818537fa213d7f9f4d5158")
    assert frames.build(frames.TEXT, b"Hello", KEY) == expected
    assert frames.build(frames.TEXT, b"Hello", None) == b"\x81\x05Hello"


@pytest.mark.parametrize(
    ("size", "head"),
    [(125, "827d"), (126, "827e007e"), (65535, "827effff"), (65536, "827f0000000000010000")],
)
def test_lengths(size: int, head: str) -> None:
    assert frames.build(frames.BINARY, bytes(size), None).hex().startswith(head + "00")


@pytest.mark.parametrize("code", [1000, 1001, 1002, 1003, 1007, 1014, 3000, 4999])
def test_codes_that_may_be_sent(code: int) -> None:
    assert may_be_sent(code)
    assert frames.read_close_payload(frames.build_close_payload(code, "é")) == (code, "é")


@pytest.mark.parametrize("code", [-1, 0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65536])
def test_codes_that_may_not_be_sent(code: int) -> None:
    with pytest.raises(ValueError, match="use 1000-1003"):
        frames.build_close_payload(code, "")


@pytest.mark.parametrize("code", ["1000", 1000.0, True])
def test_codes_that_are_no_ints(code: object) -> None:
    with pytest.raises(TypeError, match="close code must be an int"):
        frames.build_close_payload(code, "")  # type: ignore[arg-type]  # wrong, on purpose


def test_a_reason_is_cut_at_a_code_point() -> None:
    payload = frames.build_close_payload(1000, "é" * 100)
    assert len(payload) == 2 + 122
    assert frames.read_close_payload(payload) == (1000, "é" * 61)


@pytest.mark.parametrize("reason", [None, "", b""])
def test_no_reason(reason: str | bytes | None) -> None:
    assert frames.build_close_payload(1000, reason) == b"\x03\xe8"


def test_no_code_makes_an_empty_payload() -> None:
    assert frames.build_close_payload(None, "dropped") == b""
    assert frames.read_close_payload(b"") == (None, "")


def test_a_reason_of_broken_bytes_is_mended() -> None:
    assert frames.build_close_payload(1000, b"\xff") == b"\x03\xe8\xef\xbf\xbd"


def test_half_a_code_point_in_a_reason_is_mended() -> None:
    assert frames.build_close_payload(1000, "\ud800") == b"\x03\xe8?"


def test_a_reason_takes_all_the_room_there_is() -> None:
    assert frames.build_close_payload(1000, "a" * 124) == b"\x03\xe8" + b"a" * 123


def test_a_reason_that_is_no_text_says_where_it_stood() -> None:
    with pytest.raises(ProtocolError, match=r"^close frame contains invalid utf-8; invalid start"):
        frames.read_close_payload(b"\x03\xe8\xff")


@pytest.mark.parametrize("opcode", [frames.CLOSE, frames.PING, frames.PONG])
def test_a_control_frame_may_have_125_bytes(opcode: int) -> None:
    frames.check_first_bytes(frames.FIN | opcode, 125)
    with pytest.raises(ProtocolError, match="longer than 125 bytes"):
        frames.check_first_bytes(frames.FIN | opcode, 126)


def test_no_reserved_bit_is_claimed_unless_it_is_said() -> None:
    with pytest.raises(ProtocolError, match="reserved bits set"):
        frames.check_first_bytes(frames.FIN | frames.RSV1 | frames.TEXT, 0)


def test_a_broken_payload() -> None:
    with pytest.raises(ProtocolError, match="1 byte"):
        frames.read_close_payload(b"\x03")


@pytest.mark.parametrize("reason", ["é" * 61 + "x", "é" * 62, "€" * 42, "𝄞" * 40, "a" * 300])
def test_a_long_reason_stays_text_and_fits(reason: str) -> None:
    payload = frames.build_close_payload(1000, reason)
    assert 2 + 120 <= len(payload) <= 125
    assert reason.startswith(frames.read_close_payload(payload)[1])
    assert frames.build_close_payload(1000, reason.encode()) == payload


@pytest.mark.parametrize("reason", [5, 0, bytearray(b"x"), ["x"]])
def test_a_reason_must_be_text(reason: object) -> None:
    with pytest.raises(TypeError, match="close reason must be"):
        frames.build_close_payload(1000, reason)  # type: ignore[arg-type]  # wrong, on purpose
