"""Short messages that extensions have changed: the short way gives what the long one gives.

Each stream goes both ways, and all that can be seen of them is compared.
"""

from __future__ import annotations

import zlib
from typing import Any

import pytest

from lomond.compression import Backend, Compression
from lomond.events import AnyEvent
from lomond.options import Deflate, Limits
from lomond.protocol import frames
from lomond.protocol.connection import Connection
from lomond.protocol.extensions.permessage_deflate import PerMessageDeflate
from lomond.protocol.frames import BINARY, FIN, RSV1, RSV2, RSV3, TEXT
from lomond.protocol.input import Clock
from lomond.protocol.output import MaskingKeys
from lomond.protocol.states import CLOSED
from lomond.testing.alone import counting_bytes
from protocol.compressed import (
    HELLO,
    HELLO_AGAIN,
    HELLO_FINAL,
    TAIL,
    deflated,
    frame,
    opened,
    packed,
)
from protocol.extensions.rolling import Roll, Rolling
from traced import tracemalloc

STORED = bytes.fromhex("000500faff48656c6c6f00")
TWO_BLOCKS = bytes.fromhex("f24805000000ffffcac9c90700")
BROKEN = b"\x07\xff\xff\xff"


class AtFive(Clock):
    def has_come(self, moment: float) -> bool:
        return moment <= 5.0


def shortened(connection: Connection) -> Connection:
    """The connection, where messages that are here whole need not be seen by a session."""
    connection.due = float("inf")
    connection.shorten()
    return connection


def shorts(connection: Connection, data: bytes) -> list[AnyEvent]:
    """What the short way alone makes of the bytes."""
    connection.take(data, 2.0)
    found: list[AnyEvent] = []
    while (event := connection.short_message()) is not None:
        found.append(event)
    return found


def story(connection: Connection, data: bytes, step: int, is_short: bool) -> list[Any]:
    """All that can be seen of a connection that gets the bytes in pieces."""
    found: list[AnyEvent | None] = []
    for start in range(0, len(data), step):
        piece = data[start : start + step]
        if is_short and connection.is_hungry():
            connection.take(piece, 2.0)
        else:
            connection.receive(piece, 2.0)
        while True:
            event = connection.short_message() if is_short else None
            event = event or connection.next_event()
            if event is None:
                break
            found.append(event)
    told: list[Any] = [(repr(event), event and event.received_time) for event in found]
    violation = connection.violation
    if violation is not None:
        told += [str(violation), violation.code, violation.section, violation.critical]
    return [*told, connection.came, str(connection.state), connection.output.take()]


def both(
    backend: Backend,
    data: bytes,
    compression: tuple[bool, int] = (False, 15),
    limits: Limits | None = None,
) -> list[Any]:
    """What is seen of the bytes, which must be the same both ways."""
    last: list[Any] = []
    for step in (1 << 30, 7):
        stories: list[list[Any]] = []
        for is_short in (False, True):
            counted = Compression(
                server_no_context_takeover=compression[0], server_max_window_bits=compression[1]
            )
            connection = opened(backend, counted, limits=limits)
            if is_short:
                shortened(connection)
            told = story(connection, data, step, is_short)
            stories.append([*told, counted.received_compressed, counted.received_raw])
        assert stories[0] == stories[1]
        last = stories[1]
    return last


def forgetful(*messages: bytes) -> bytes:
    return b"".join(packed(BINARY, deflated(message)) for message in messages)


@pytest.mark.parametrize(
    ("payloads", "said"),
    [
        ([HELLO], ["Hello"]),
        ([HELLO, HELLO_AGAIN, HELLO_AGAIN], ["Hello"] * 3),
        ([STORED, HELLO], ["Hello"] * 2),
        ([TWO_BLOCKS, TWO_BLOCKS], ["Hello"] * 2),
        ([HELLO_FINAL, HELLO], ["Hello"] * 2),
        ([HELLO_FINAL[:-1], HELLO_FINAL, HELLO], ["Hello"] * 3),
        ([HELLO_FINAL[:-1] + HELLO, HELLO_AGAIN], ["HelloHello", "Hello"]),
        ([b"\x00", b"", HELLO, b"\x00", HELLO_AGAIN], ["", "", "Hello", "", "Hello"]),
        ([b"\x03\x00\x03\x00\x00", HELLO], ["", "Hello"]),
        ([b"\x01", b"\x03", HELLO], ["", "", "Hello"]),
        ([deflated(b"x" * 200_000), HELLO], ["x" * 200_000, "Hello"]),
        ([deflated(b"x" * 65_536), HELLO], ["x" * 65_536, "Hello"]),
    ],
)
def test_whole_messages_go_the_short_way(
    backend: Backend, payloads: list[bytes], said: list[str]
) -> None:
    data = b"".join(packed(TEXT, payload) for payload in payloads)
    found = shorts(shortened(opened(backend)), data)
    assert [getattr(event, "text", None) for event in found] == said
    binaries = b"".join(packed(BINARY, payload) for payload in payloads)
    found = shorts(shortened(opened(backend)), binaries)
    assert [getattr(event, "data", None) for event in found] == [text.encode() for text in said]
    both(backend, data)
    both(backend, binaries)


@pytest.mark.parametrize("bits", [8, 9, 12, 15])
def test_messages_that_are_compressed_each_for_itself(backend: Backend, bits: int) -> None:
    messages = [b"again and " * count for count in (1, 20, 600)] * 2
    compression = Compression(server_no_context_takeover=True, server_max_window_bits=bits)
    connection = shortened(opened(backend, compression))
    payload = b""
    for message in messages:
        packer = zlib.compressobj(9, zlib.DEFLATED, -max(9, bits))
        payload += packed(
            BINARY, (packer.compress(message) + packer.flush(zlib.Z_SYNC_FLUSH))[: -len(TAIL)]
        )
    found = shorts(connection, payload)
    assert [getattr(event, "data", None) for event in found] == messages
    both(backend, payload, (True, bits))


def test_what_refers_to_an_earlier_message_that_was_for_itself_is_broken(
    backend: Backend,
) -> None:
    data = packed(TEXT, HELLO) + packed(TEXT, HELLO_AGAIN)
    connection = shortened(opened(backend, Compression(server_no_context_takeover=True)))
    assert len(shorts(connection, data)) == 1
    event = connection.next_event()
    assert event is not None
    assert (event.name, getattr(event, "code", None)) == ("protocol_error", 1007)
    both(backend, data, (True, 15))


@pytest.mark.parametrize(
    ("payload", "code"),
    [
        (BROKEN, 1007),
        (HELLO[:-1] + BROKEN, 1007),
        (HELLO_FINAL[:-1] + BROKEN, 1007),
        (deflated(b"\xff fine"), 1007),
        (deflated(b"cut \xe2\x82"), 1007),
        (deflated(bytes(1001)), 1009),
        (deflated(bytes(1001), final=True), 1009),
        (deflated(bytes(1_000_000)), 1009),
        (deflated(bytes(1_000_000), final=True), 1009),
    ],
)
@pytest.mark.parametrize("before", [b"", packed(TEXT, HELLO), frame(TEXT, b"plain")])
def test_what_fails_fails_as_it_does_on_the_long_way(
    backend: Backend, payload: bytes, code: int, before: bytes
) -> None:
    data = before + packed(TEXT, payload) + packed(TEXT, HELLO) + frame(TEXT, b"after")
    limits = Limits(max_message_size=1000)
    connection = shortened(opened(backend, limits=limits))
    assert len(shorts(connection, data)) == bool(before)
    assert not connection.is_hungry()
    assert connection.short_message() is None  # and again
    event = connection.next_event()
    assert event is not None
    assert (event.name, getattr(event, "code", None)) == ("protocol_error", code)
    connection.next_event()
    assert connection.state == CLOSED
    assert connection.short_message() is None
    both(backend, data, limits=limits)


@pytest.mark.parametrize("size", [0, 1, 999, 1000, 1001])
def test_the_limit_counts_inflated_bytes(backend: Backend, size: int) -> None:
    limits = Limits(max_message_size=1000)
    connection = shortened(opened(backend, limits=limits))
    found = shorts(connection, forgetful(bytes(size)))
    assert [getattr(event, "data", None) for event in found] == [bytes(size)][: size <= 1000]
    both(backend, forgetful(bytes(size), b"x"), limits=limits)


def test_a_bomb_costs_no_more_than_the_limit(backend: Backend) -> None:
    bomb = forgetful(bytes(40_000_000))
    connection = shortened(opened(backend, limits=Limits(max_message_size=100_000)))
    tracemalloc.start()
    try:
        assert shorts(connection, bomb) == []
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 100_000 + 4 * 65_536 + 2 * len(bomb)


@pytest.mark.parametrize(
    "data",
    [
        bytes([FIN | TEXT | RSV2, 1]) + b"x",
        bytes([FIN | TEXT | RSV1 | RSV2, 1]) + b"x",
        bytes([FIN | TEXT | RSV3, 1]) + b"x",
        frame(frames.CONTINUATION, b"x", rsv1=True),
        frame(frames.CLOSE, b"", rsv1=True),
        frame(frames.PING, b"x", rsv1=True),
        frame(3, b"x", rsv1=True),
        frame(TEXT, HELLO[:3], rsv1=True, final=False) + frame(0, HELLO[3:]),
        packed(TEXT, HELLO)[:-1],
        bytes([FIN | TEXT | RSV1, 0x80 | len(HELLO)]) + bytes(4) + HELLO,
        packed(BINARY, bytes(1001)),  # too long for the limit, as long as it is packed
    ],
)
def test_all_else_is_left_to_the_long_way(backend: Backend, data: bytes) -> None:
    limits = Limits(max_message_size=1000)
    assert shorts(shortened(opened(backend, limits=limits)), data) == []
    both(backend, data, limits=limits)


def test_none_goes_it_without_the_extension() -> None:
    connection = Connection(Limits(), MaskingKeys(counting_bytes()))
    connection.opened()
    assert shorts(shortened(connection), packed(TEXT, HELLO)) == []
    event = connection.next_event()
    assert event is not None
    assert getattr(event, "error", None) == "reserved bits set"


def test_what_was_plain_beside_what_was_compressed(backend: Backend) -> None:
    data = frame(TEXT, b"plain") + packed(TEXT, HELLO) + frame(BINARY, b"\x00")
    connection = shortened(opened(backend))
    assert [event.name for event in shorts(connection, data)] == ["text", "text", "binary"]
    assert (connection.handed, connection.last) == (3, "binary")
    both(backend, data)


def test_a_moment_that_is_due_comes_first(backend: Backend) -> None:
    compression = Compression()
    connection = shortened(opened(backend, compression))
    connection.clock = AtFive()
    connection.due = 5.0
    assert shorts(connection, packed(TEXT, HELLO)) == []
    assert compression.received_compressed == 0
    connection.due = 5.1
    assert connection.short_message() is not None


def test_a_close_frame_behind_what_failed_is_found(backend: Backend) -> None:
    connection = shortened(opened(backend))
    data = packed(TEXT, BROKEN) + frame(frames.CLOSE, b"\x03\xe8")
    assert shorts(connection, data) == []
    assert connection.close_payload() == b"\x03\xe8"
    assert connection.seek_close()
    event = connection.next_event()
    assert event is not None
    assert event.name == "closing"


@pytest.mark.parametrize("limit", [19, 20])
def test_what_several_extensions_changed(limit: int) -> None:
    message = b"again " * 3 + b"!!"
    roll = Roll(3)
    payload = deflated(roll.packed(message))
    data = bytes([FIN | BINARY | RSV1 | RSV2, len(payload)]) + payload
    data += bytes([FIN | BINARY | RSV2, 1 + len(message)]) + roll.packed(message)
    stories: list[list[Any]] = []
    for is_short in (False, True):
        connection = Connection(Limits(max_message_size=limit), MaskingKeys(counting_bytes()))
        connection.opened([Rolling(), PerMessageDeflate(Compression(), Deflate())])
        if is_short:
            shortened(connection)
        stories.append(story(connection, data, 1 << 30, is_short))
    assert stories[0] == stories[1]
    assert (CLOSED in stories[1]) == (limit < len(message))
