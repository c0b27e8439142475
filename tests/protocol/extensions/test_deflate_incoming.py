"""Compressed messages that come, RFC 7692 sections 6.2 and 7.2.2, with each library."""

from __future__ import annotations

import os
import zlib
from functools import cache
from typing import Any

import pytest

from lomond.compression import Backend, Compression
from lomond.events import AnyEvent
from lomond.options import Limits
from lomond.protocol.connection import Connection
from lomond.protocol.output import MaskingKeys
from lomond.protocol.states import CLOSED
from lomond.testing.alone import counting_bytes
from protocol.compressed import (
    HELLO,
    HELLO_AGAIN,
    HELLO_FINAL,
    TAIL,
    deflated,
    events,
    frame,
    opened,
    packed,
    texts,
)
from traced import tracemalloc

# RFC 7692 section 7.2.3: "Hello" in the ways that the RFC shows.
HELLO_STORED = bytes.fromhex("000500faff48656c6c6f00")
HELLO_TWO_BLOCKS = bytes.fromhex("f24805000000ffffcac9c90700")
PLAIN = "Hello"


@pytest.mark.parametrize("step", [1, 3, 1 << 20])
@pytest.mark.parametrize(
    ("payloads", "hellos"),
    [
        ([HELLO], 1),
        ([HELLO, HELLO], 2),
        ([HELLO, HELLO_AGAIN], 2),
        ([HELLO_STORED], 1),
        ([HELLO_FINAL], 1),
        ([HELLO_FINAL, HELLO], 2),
        ([HELLO_FINAL[:-1], HELLO], 2),
        ([HELLO_FINAL[:-1] + HELLO], 2),
        ([HELLO_TWO_BLOCKS], 1),
        ([HELLO_FINAL, HELLO_FINAL, HELLO_STORED], 3),
    ],
)
@pytest.mark.parametrize("is_split", [False, True])
def test_the_ways_to_say_hello(
    backend: Backend, payloads: list[bytes], hellos: int, step: int, is_split: bool
) -> None:
    data = b""
    for payload in payloads:
        if is_split:
            data += frame(1, payload[:3], rsv1=True, final=False)
            data += frame(9, b"between") + frame(0, b"", final=False)
            data += frame(0, payload[3:])
        else:
            data += packed(1, payload)
    found = events(opened(backend), data, step)
    said = "".join(text for text in texts(found) if not text.startswith("Ping"))
    assert said == PLAIN * hellos


def test_what_follows_a_final_block_is_not_lost_b10(backend: Backend) -> None:
    connection = opened(backend)
    first, second = deflated(b"first message", final=True), deflated(b"second message")
    assert texts(events(connection, packed(1, first) + packed(1, second))) == [
        "first message",
        "second message",
    ]


def test_two_final_blocks_in_one_message(backend: Backend) -> None:
    payload = deflated(b"one, ", final=True)[:-1] + deflated(b"two", final=True)
    assert texts(events(opened(backend), packed(1, payload))) == ["one, two"]
    parts = [frame(1, payload[:2], rsv1=True, final=False)]
    parts += [frame(0, payload[i : i + 1], final=False) for i in range(2, len(payload))]
    assert texts(events(opened(backend), b"".join(parts) + frame(0, b""))) == ["one, two"]


@pytest.mark.parametrize("is_split", [False, True])
@pytest.mark.parametrize(
    "payload",
    [
        b"\x03\x00\x03\x00",
        b"\x03\x00\x03\x00\x00",
        b"\x03\x00",
        b"\x01",  # ends with the tail that is left out
        b"\x03",  # lacks its end, which our tail happens to hold
        b"\x03\x00\x03",
    ],
)
def test_what_ends_in_final_blocks_leaves_the_next_message_whole(
    backend: Backend, payload: bytes, is_split: bool
) -> None:
    data = packed(2, payload)
    if is_split:
        parts = [frame(0, payload[i : i + 1], final=False) for i in range(len(payload))]
        data = frame(2, b"", rsv1=True, final=False) + b"".join(parts) + frame(0, b"")
    found = events(opened(backend), data + packed(2, b"\x00") + packed(2, deflated(b"x")))
    assert [getattr(event, "data", event) for event in found] == [b"", b"", b"x"]


def test_empty_messages(backend: Backend) -> None:
    data = packed(1, b"\x00") + packed(2, b"") + packed(1, HELLO) + frame(1, b"")
    found = events(opened(backend), data)
    assert [getattr(event, "text", getattr(event, "data", None)) for event in found] == [
        "",
        b"",
        PLAIN,
        "",
    ]


def test_messages_that_are_not_compressed(backend: Backend) -> None:
    data = packed(1, HELLO) + frame(1, b"plain") + packed(1, HELLO_AGAIN) + frame(2, bytes(70_000))
    found = events(opened(backend), data)
    assert texts(found[:3]) == [PLAIN, "plain", PLAIN]
    assert getattr(found[3], "data", None) == bytes(70_000)


@pytest.mark.parametrize(
    "data",
    [
        frame(0, b"", rsv1=True),
        frame(1, b"", final=False) + frame(0, b"", rsv1=True),
        frame(1, HELLO, rsv1=True, final=False) + frame(0, b"", rsv1=True),
        frame(8, b"\x03\xe8", rsv1=True),
        frame(9, b"", rsv1=True),
        frame(10, b"", rsv1=True),
        b"\xa1\x00",
        b"\xd1\x00",
        b"\xe1\x00",
    ],
)
def test_reserved_bits_where_they_may_not_be_b10(backend: Backend, data: bytes) -> None:
    connection = opened(backend)
    event = events(connection, data)[-1]
    assert event.name == "protocol_error"
    assert (event.error, event.code) == ("reserved bits set", 1002)


def test_rsv1_without_the_extension() -> None:
    connection = Connection(Limits(), MaskingKeys(counting_bytes()))
    connection.opened()
    (event,) = events(connection, packed(1, HELLO))
    assert event.name == "protocol_error"


@pytest.mark.parametrize("step", [1, 1 << 20])
@pytest.mark.parametrize("final", [True, False])
def test_broken_data(backend: Backend, step: int, final: bool) -> None:
    data = frame(1, b"\x07\xff\xff\xff", rsv1=True, final=final)
    connection = opened(backend)
    (event,) = events(connection, data + frame(0, b"more") + frame(1, b"later"), step)
    assert event.name == "protocol_error"
    assert event.error.startswith("unable to decompress payload; ")
    assert "decompressing data" in event.error  # the library's own words
    assert (event.code, event.critical, event.section) == (1007, True, "RFC 7692 7.2.2")
    connection.next_event()
    assert connection.state == CLOSED


def test_broken_utf8_fails_as_it_is_inflated_b11(backend: Backend) -> None:
    connection = opened(backend)
    payload = deflated(b"fine \xff" + os.urandom(1000))
    start = frame(1, payload[:500], rsv1=True, final=False) + frame(9, b"")
    found = events(connection, start)
    assert found[-1].name == "protocol_error"
    (event,) = events(opened(backend), packed(1, deflated(b"\xc3")))
    assert event.name == "protocol_error"
    assert event.code == 1007


@pytest.mark.parametrize("is_split", [False, True])
@pytest.mark.parametrize("size", [1000, 1001, 65_536, 65_537, 200_000])
def test_the_limit_counts_inflated_bytes(backend: Backend, size: int, is_split: bool) -> None:
    def found(limit: int) -> list[AnyEvent]:
        payload = deflated(bytes(size))
        data = packed(2, payload)
        if is_split:
            data = frame(2, payload[:1], rsv1=True, final=False) + frame(0, payload[1:])
        return events(opened(backend, limits=Limits(max_message_size=limit)), data)

    (fits,) = found(size)
    assert getattr(fits, "data", None) == bytes(size)
    (event,) = found(size - 1)
    assert event.name == "protocol_error"
    assert (event.code, event.section) == (1009, "RFC 6455 7.4.1")
    assert f"max_message_size ({size - 1})" in event.error


def test_without_a_limit(backend: Backend) -> None:
    connection = opened(backend, limits=Limits(max_message_size=None))
    (event,) = events(connection, packed(2, deflated(bytes(20_000_000))))
    assert len(getattr(event, "data", b"")) == 20_000_000


@cache
def zeros(size: int, final: bool) -> bytes:
    """So many, compressed, which takes long."""
    return deflated(bytes(size), final=final)


def test_a_bomb_costs_no_more_than_the_limit(backend: Backend) -> None:
    limit = 1 << 20
    connection = opened(backend, limits=Limits(max_message_size=limit))
    data = packed(2, zeros(256 << 20, final=False))
    tracemalloc.start()
    try:
        (event,) = events(connection, data, 65_536)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert event.name == "protocol_error"
    assert event.code == 1009
    assert peak < 2 * limit


@pytest.mark.parametrize("is_split", [False, True])
@pytest.mark.parametrize("is_final", [False, True])
@pytest.mark.parametrize("limit", [1, 1000, 65_534, 65_535, 65_536])
def test_a_bomb_costs_little_whatever_the_limit(
    backend: Backend, limit: int, is_final: bool, is_split: bool
) -> None:
    bomb = zeros(40_000_000, is_final)
    data = packed(2, bomb)
    if is_split:
        data = frame(2, bomb[:1000], rsv1=True, final=False) + frame(0, bomb[1000:])
    connection = opened(backend, limits=Limits(max_message_size=limit))
    tracemalloc.start()
    try:
        (event,) = events(connection, data)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert event.name == "protocol_error"
    assert event.code == 1009
    assert peak < limit + 4 * 65_536 + 2 * len(bomb)


@pytest.mark.parametrize("is_split", [False, True])
@pytest.mark.parametrize("limit", [1, 1000, 65_535, 65_536, 131_072])
def test_the_limit_counts_what_ends_in_a_final_block(
    backend: Backend, limit: int, is_split: bool
) -> None:
    for size in (limit, limit + 1):
        payload = deflated(bytes(size), final=True)[:-1]
        data = packed(2, payload)
        if is_split:
            data = frame(2, payload[:1], rsv1=True, final=False) + frame(0, payload[1:])
        connection = opened(backend, limits=Limits(max_message_size=limit))
        found = events(connection, data + packed(2, b"\x00"))
        if size == limit:
            assert [getattr(event, "data", None) for event in found] == [bytes(size), b""]
        else:
            assert [getattr(event, "code", None) for event in found] == [1009]


def test_blocks_that_inflate_to_nothing_have_an_end(backend: Backend) -> None:
    connection = opened(backend, limits=Limits(max_message_size=1000))
    event = None
    sent = 0
    data = frame(2, b"\x00", rsv1=True, final=False)
    nothing = frame(0, (TAIL + b"\x00") * 10_000, final=False)
    while event is None and sent < 100:
        connection.receive(data, 1.0)
        event = connection.next_event()
        data, sent = nothing, sent + 1
    assert event is not None
    assert event.name == "protocol_error"
    assert event.code == 1009
    assert "compressed message of" in event.error


def in_flushed_fragments(message: bytes, count: int) -> bytes:
    stream = zlib.compressobj(6, zlib.DEFLATED, -15)
    size = len(message) // count
    data = b""
    for i in range(count):
        payload = stream.compress(message[i * size : (i + 1) * size])
        payload += stream.flush(zlib.Z_SYNC_FLUSH)
        if i == count - 1:
            payload = payload[: -len(TAIL)]
        data += frame(0 if i else 2, payload, rsv1=i == 0, final=i == count - 1)
    return data


def in_codes_of_nine_bits(message: bytes) -> bytes:
    """A block of RFC 1951's fixed codes (3.2.6), in which bytes from 144 on have nine bits."""
    bits = "010"  # not final, fixed codes
    bits += "".join(f"{0b110010000 + byte - 144:09b}" for byte in message)
    bits += "0000000" + "000"  # the end of it; an empty stored block follows
    bits += "0" * (-len(bits) % 8)
    return bytes(int(bits[i : i + 8][::-1], 2) for i in range(0, len(bits), 8)) + TAIL


def test_a_message_of_flushed_fragments_may_be_larger_as_it_is_sent(backend: Backend) -> None:
    message = os.urandom(200_000)
    connection = opened(backend, limits=Limits(max_message_size=len(message)))
    data = in_flushed_fragments(message, 20_000)
    assert len(data) > len(message) + len(message) // 8 + 65_536
    assert [getattr(event, "data", event) for event in events(connection, data)] == [message]


def test_a_message_in_codes_that_do_not_suit_it_may_be_larger(backend: Backend) -> None:
    piece = bytes(144 + i % 112 for i in range(8000))
    message = piece * 250
    connection = opened(backend, limits=Limits(max_message_size=len(message)))
    payload = (in_codes_of_nine_bits(piece) * 250)[: -len(TAIL)]
    assert len(payload) > len(message) + len(message) // 16 + 65_536
    found = events(connection, packed(2, payload), 65_536)
    assert [getattr(event, "data", event) for event in found] == [message]


class Recorder:
    """A library that counts the bytes that its streams are given, and notes the most asked for."""

    def __init__(self, backend: Backend) -> None:
        self.given = self.asked = 0
        self.streams = 0
        self._real = backend.decompressobj
        self.backend = backend._replace(decompressobj=self._decompressobj)

    def _decompressobj(self, bits: int) -> RecordedStream:
        self.streams += 1
        return RecordedStream(self, self._real(bits))


class RecordedStream:
    def __init__(self, recorder: Recorder, stream: Any) -> None:
        self._recorder = recorder
        self._stream = stream

    def decompress(self, data: bytes, asked: int) -> bytes:
        assert asked > 0
        self._recorder.given += len(data)
        self._recorder.asked = max(self._recorder.asked, asked)
        inflated: bytes = self._stream.decompress(data, asked)
        return inflated

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def test_many_final_blocks_cost_no_more_than_many_short_messages(backend: Backend) -> None:
    recorder = Recorder(backend)
    connection = opened(recorder.backend)
    data = b"\x03\x00" * 50_000
    assert events(connection, packed(2, data), 65_536)[0].name == "binary"
    # Each is looked at with no more than a little of what follows it.
    assert recorder.streams == 50_000
    assert recorder.given < 256 * recorder.streams + 3 * len(data)


def test_what_is_not_all_final_blocks_is_fed_in_large_steps(backend: Backend) -> None:
    recorder = Recorder(backend)
    payload = b"\x03\x00" + deflated(os.urandom(1_000_000))
    (event,) = events(opened(recorder.backend), packed(2, payload), 65_536)
    assert len(getattr(event, "data", b"")) == 1_000_000
    assert recorder.given < len(payload) + 65_536 + len(TAIL)


def test_no_more_than_64_kib_is_asked_for_at_once(backend: Backend) -> None:
    recorder = Recorder(backend)
    (event,) = events(opened(recorder.backend), packed(2, deflated(bytes(1_000_000))))
    assert len(getattr(event, "data", b"")) == 1_000_000
    assert recorder.asked == 65_536


def test_a_large_message_is_received_as_it_is_inflated(backend: Backend) -> None:
    data = os.urandom(300_000)
    whole = packed(2, deflated(data))
    connection = opened(backend)
    assert events(connection, whole[:1000]) == []
    assert connection.room() is None
    (event,) = events(connection, whole[1000:], 10_000)
    assert getattr(event, "data", None) == data


def test_only_the_message_that_is_asked_for_is_inflated(backend: Backend) -> None:
    compression = Compression()
    connection = opened(backend, compression)
    connection.receive(packed(2, deflated(bytes(100_000))) + packed(2, deflated(bytes(5))), 1.0)
    assert connection.next_event() is not None
    assert compression.received_raw == 100_000
    assert connection.next_event() is not None
    assert compression.received_raw == 100_005
