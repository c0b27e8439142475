"""Looking through what was read for a close frame, by frame heads alone."""

from __future__ import annotations

import pytest

from lomond.options import Limits
from lomond.protocol import frames
from lomond.protocol.connection import Connection
from lomond.protocol.frames import seek_close
from lomond.protocol.output import MaskingKeys
from lomond.testing.alone import counting_bytes

CLOSE = frames.build(frames.CLOSE, b"\x03\xe8", None)
SIZES = [0, 1, 125, 126, 300, 65_535, 65_536, 200_000]


def message(size: int, opcode: int = frames.BINARY) -> bytes:
    # Bytes that would be the head of a close frame, if payloads were looked at.
    return frames.build(opcode, b"\x88" * size, None)


@pytest.mark.parametrize("size", SIZES)
def test_a_close_frame_behind_a_message(size: int) -> None:
    before = message(size) + message(3, frames.PING)
    assert seek_close(before + CLOSE + message(5), 0) == (len(before), True)
    assert seek_close(b"xyz" + before + CLOSE, 3) == (3 + len(before), True)
    assert seek_close(before, 0) == (len(before), False)


@pytest.mark.parametrize("size", SIZES)
def test_the_search_goes_on_where_it_ended(size: int) -> None:
    whole = message(size) + message(2) + CLOSE
    for cut in {*range(16), size // 2, size, size + 4, len(whole) - 3}:
        first, second = whole[:cut], whole[cut:]
        position, is_found = seek_close(first, 0)
        if is_found:  # its head is here, if nothing else of it
            assert first[position:] == CLOSE[: len(first) - position]
            continue
        rest = first[position:]
        position, is_found = seek_close(rest + second, max(0, position - cut))
        assert is_found
        assert (rest + second)[position:] == CLOSE


def test_behind_a_head_that_is_here_whole_the_search_knows_where_to_go_on() -> None:
    for size in SIZES:
        head = message(size)[: len(message(size)) - size]
        assert seek_close(head, 0) == (len(head) + size, False)
        for cut in range(len(head)):
            assert seek_close(head[:cut], 0) == (0, False)


def test_other_frames_than_close_are_only_passed() -> None:
    for first in (0x00, 0x03, 0x0F, 0x80, 0x89, 0x8A, 0xC1, 0xFF):
        assert seek_close(bytes([first, 0x81, 0x88]) + CLOSE, 0) == (3, True)


def connection_in_pieces(pieces: list[bytes], taken: int) -> tuple[bool, object]:
    """What seek_close and the next event say, after so many events of the pieces."""
    connection = Connection(Limits(), MaskingKeys(counting_bytes()))
    connection.opened()
    connection.close(1000, "")
    for piece in pieces:
        room = connection.room()
        if room is not None and len(piece) <= len(room):
            room[: len(piece)] = piece
            room.release()
            connection.filled(len(piece), 1.0)
        else:
            connection.receive(piece, 1.0)
        if taken:
            connection.next_event()
            taken -= 1
    assert connection.close_to_come() == b"\x03\xe8"
    is_found = connection.seek_close()
    return is_found, connection.next_event()


@pytest.mark.parametrize("taken", [0, 1, 2])
@pytest.mark.parametrize("size", SIZES)
def test_a_connection_drops_what_lies_before_the_close_frame(size: int, taken: int) -> None:
    whole = message(size)
    pieces = [whole[:70], whole[70 : size // 2 + 70], whole[size // 2 + 70 :], message(4), CLOSE]
    is_found, event = connection_in_pieces([piece for piece in pieces if piece], taken)
    assert is_found
    assert repr(event) == "Closed(code=1000, reason='')"


@pytest.mark.parametrize("size", SIZES)
def test_a_connection_goes_on_with_the_search(size: int) -> None:
    whole = message(size) + CLOSE
    connection = Connection(Limits(), MaskingKeys(counting_bytes()))
    connection.opened()
    connection.close(1000, "")
    step = max(1, len(whole) // 7)
    for start in range(0, len(whole), step):
        assert connection.room() is None
        connection.receive(whole[start : start + step], 1.0)
        if connection.seek_close():
            break
    connection.receive(whole[start + step :], 1.0)
    assert repr(connection.next_event()) == "Closed(code=1000, reason='')"
    assert connection.sought == len(message(size))


def test_a_close_frame_to_come_is_told_without_moving_anything() -> None:
    connection = Connection(Limits(), MaskingKeys(counting_bytes()))
    connection.opened()
    assert connection.close_to_come() is None
    connection.receive(message(3) + CLOSE[:1], 1.0)
    assert connection.close_to_come() is None
    connection.receive(CLOSE[1:] + message(3), 1.0)
    for _ in range(2):
        assert connection.close_to_come() == b"\x03\xe8"
    assert repr(connection.next_event()) == "Binary(data=b'\\x88\\x88\\x88')"
    assert repr(connection.next_event()) == "Closing(code=1000, reason='')"
    assert connection.close_to_come() == b"\x03\xe8"
    connection.answer_now()
    assert connection.close_to_come() is None
