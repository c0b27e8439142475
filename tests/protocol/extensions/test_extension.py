"""Two extensions on one connection, RFC 6455 section 9.1: permessage-deflate, and rolling.py."""

from __future__ import annotations

import os
import zlib
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from lomond.compression import Compression
from lomond.errors import ProtocolError
from lomond.options import Deflate, Limits
from lomond.protocol import frames
from lomond.protocol.connection import Connection
from lomond.protocol.extensions.extension import Chain, Failed, Incoming
from lomond.protocol.extensions.permessage_deflate import PerMessageDeflate
from lomond.protocol.frames import BINARY, CONTINUATION, FIN, PING, RSV1, RSV2, RSV3, TEXT
from lomond.protocol.mask import mask
from lomond.protocol.output import MaskingKeys
from lomond.testing.alone import counting_bytes
from protocol.compressed import TAIL, events
from protocol.extensions.rolling import Roll, Rolling

BOTH = RSV1 | RSV2
ORDERS = ["rolled, then packed", "packed, then rolled"]
MESSAGES = [b"", b"\x00", b"Hello, Hello, Hello", os.urandom(200), b"again " * 40_000]


class Packing:
    """The server's half of permessage-deflate."""

    def __init__(self) -> None:
        self._packer = zlib.compressobj(9, zlib.DEFLATED, -15)
        self._unpacker = zlib.decompressobj(-15)

    def packed(self, data: bytes) -> bytes:
        return (self._packer.compress(data) + self._packer.flush(zlib.Z_SYNC_FLUSH))[:-4]

    def unpacked(self, data: bytes) -> bytes:
        return self._unpacker.decompress(data + TAIL)


class Talk:
    """A connection with both extensions, and what its server makes of messages."""

    def __init__(self, order: str, limits: Limits | None = None, start: int = 3) -> None:
        self.connection = Connection(limits or Limits(), MaskingKeys(counting_bytes()))
        self.compression = Compression()
        deflate = PerMessageDeflate(self.compression, Deflate(min_size=0))
        self.is_rolled_first = order == ORDERS[0]
        both = [Rolling(start), deflate]
        self.connection.opened(both if self.is_rolled_first else both[::-1])
        self._packing = Packing()
        self._rolls = Roll(start), Roll(start)  # what the server says, what it hears

    def said(self, bits: int, message: bytes) -> bytes:
        """The payload of a message of the server."""
        steps: list[tuple[int, Callable[[bytes], bytes]]] = [
            (RSV2, self._rolls[0].packed),
            (RSV1, self._packing.packed),
        ]
        for bit, step in steps if self.is_rolled_first else steps[::-1]:
            message = step(message) if bits & bit else message
        return message

    def heard(self, message: bytes, compress: bool = True) -> tuple[int, bytes]:
        """The bits and the payload of a message that is sent, changed back."""
        self.connection.send(BINARY, message, compress)
        data = self.connection.output.take()
        start = {126: 4, 127: 10}.get(data[1] & 0x7F, 2)
        payload = bytes(mask(data[start + 4 :], data[start : start + 4]))
        bits = data[0] & frames.RESERVED_BITS
        steps: list[tuple[int, Callable[[bytes], bytes]]] = [
            (RSV1, self._packing.unpacked),
            (RSV2, self._unrolled),
        ]
        for bit, step in steps if self.is_rolled_first else steps[::-1]:
            payload = step(payload) if bits & bit else payload
        return bits, payload

    def _unrolled(self, data: bytes) -> bytes:
        roll = self._rolls[1]
        assert data[0] == roll.number
        message = roll.mixed(data[1:])
        roll.end(len(message))
        return message


def frame(first: int, payload: bytes) -> bytes:
    """A frame of a server, with any first byte."""
    return bytes([first]) + frames.build(0, payload, None)[1:]


def fragments(bits: int, opcode: int, payload: bytes, count: int) -> Iterator[bytes]:
    size = len(payload) // count + 1
    for number in range(count):
        last = FIN if number == count - 1 else 0
        first = last | (CONTINUATION if number else opcode | bits)
        yield frame(first, payload[number * size : (number + 1) * size])


@pytest.fixture(params=ORDERS)
def order(request: pytest.FixtureRequest) -> str:
    chosen: str = request.param
    return chosen


def test_messages_that_are_sent(order: str) -> None:
    talk = Talk(order)
    for message in [*MESSAGES, *MESSAGES]:
        # Nothing is not rolled; packed it is a byte.
        bits = BOTH if message or not talk.is_rolled_first else RSV1
        assert talk.heard(message) == (bits, message)
    assert talk.heard(b"as it is", compress=False) == (RSV2, b"as it is")
    assert talk.heard(b"", compress=False) == (0, b"")
    assert talk.heard(b"and again") == (BOTH, b"and again")
    assert talk.compression.sent_raw > 2 * 6 * 40_000


def test_control_frames_are_left_as_they_are(order: str) -> None:
    talk = Talk(order)
    talk.connection.send(PING, b"p", True)
    data = talk.connection.output.take()
    assert data[0] == FIN | PING
    assert bytes(mask(data[6:], data[2:6])) == b"p"


@pytest.mark.parametrize("count", [1, 2, 5])
@pytest.mark.parametrize("step", [1, 3, 70_000, 1 << 30])
def test_messages_that_come(order: str, count: int, step: int) -> None:
    talk = Talk(order)
    messages = [message for message in MESSAGES if step > 10 or len(message) < 1000]
    for bits in (BOTH, RSV1, RSV2, 0, BOTH):
        for message in messages:
            data = b"".join(fragments(bits, BINARY, talk.said(bits, message), count))
            (event,) = events(talk.connection, data, step)
            assert event.name == "binary", event
            assert event.data == message
    assert talk.compression.received_raw >= 3 * sum(map(len, messages))
    rolled = 2 * len(messages)  # their numbers were packed too
    said = 3 * sum(map(len, messages)) + (rolled if talk.is_rolled_first else 0)
    assert talk.compression.received_raw == said


@pytest.mark.parametrize("bits", [BOTH, RSV1, RSV2, 0])
@pytest.mark.parametrize("count", [1, 3])
def test_the_limit_is_that_of_the_message_itself(order: str, bits: int, count: int) -> None:
    for size, name in ((70_000, "binary"), (70_001, "protocol_error")):
        talk = Talk(order, Limits(max_message_size=70_000))
        payload = talk.said(bits, bytes(size))
        (event,) = events(talk.connection, b"".join(fragments(bits, BINARY, payload, count)))
        assert event.name == name
        assert name == "binary" or event.code == 1009  # type: ignore[union-attr]  # the event that has it


def test_what_can_not_fit_is_refused_at_its_header(order: str) -> None:
    for bits in (BOTH, RSV1, RSV2):
        talk = Talk(order, Limits(max_message_size=1000))
        (event,) = events(talk.connection, frame(FIN | BINARY | bits, bytes(100_000))[:10])
        assert event.name == "protocol_error"
        assert event.error.startswith(
            "rolling message of" if bits == RSV2 or (bits == BOTH and not talk.is_rolled_first)
            else "compressed message of"
        )  # fmt: skip


@pytest.mark.parametrize("count", [1, 4])
def test_a_bomb_is_not_made(count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between the two, as little is made as behind them."""
    talk = Talk(ORDERS[0], Limits(max_message_size=1000))
    payload = talk.said(RSV1, b"\x03" + bytes(50_000_000))
    made: list[int] = []

    class Library(Packing):
        def __init__(self, bits: int) -> None:
            self._stream = zlib.decompressobj(bits)

        def decompress(self, data: Any, most: int) -> bytes:
            made.append(most)
            return self._stream.decompress(data, most)

        def __getattr__(self, name: str) -> Any:
            return getattr(self._stream, name)

    backend = PerMessageDeflate(Compression(), Deflate()).backend._replace(
        decompressobj=Library, error=zlib.error
    )
    connection = Connection(Limits(max_message_size=1000), MaskingKeys(counting_bytes()))
    connection.opened([Rolling(), PerMessageDeflate(Compression(), Deflate(), backend)])
    (event,) = events(connection, b"".join(fragments(BOTH, BINARY, payload, count)))
    assert event.name == "protocol_error"
    assert event.code == 1009
    assert made
    assert max(made) <= 1002
    assert sum(made) <= 2 * 1002


def test_an_extension_fails_the_connection_by_its_own_rules(order: str) -> None:
    talk = Talk(order)
    said = talk.said(RSV2, b"first")
    for payload, why in ((said, "message 3 where 4"), (b"", "without its number")):
        talk = Talk(order)
        events(talk.connection, frame(FIN | BINARY | RSV2, said))
        (event,) = events(talk.connection, frame(FIN | BINARY | RSV2, payload))
        assert event.name == "protocol_error"
        assert why in event.error


def test_broken_utf8_is_told_as_it_comes(order: str) -> None:
    talk = Talk(order)
    payload = talk.said(BOTH, b"\xff" + os.urandom(3000))
    data = frame(TEXT | FIN | BOTH, payload)[:2000]
    (event,) = events(talk.connection, data)
    assert event.name == "protocol_error"
    assert event.code == 1007


@pytest.mark.parametrize(
    "first",
    [
        FIN | TEXT | RSV3,
        FIN | TEXT | BOTH | RSV3,
        FIN | PING | RSV2,
        FIN | PING | RSV1,
        RSV3 | TEXT,
    ],
)
def test_bits_where_they_may_not_be(order: str, first: int) -> None:
    (event,) = events(Talk(order).connection, frame(first, b""))
    assert event.name == "protocol_error"
    assert event.error == "reserved bits set"


def test_bits_stand_on_the_first_frame_only(order: str) -> None:
    talk = Talk(order)
    payload = talk.said(RSV2, b"abc")
    data = frame(TEXT | RSV2, payload[:2]) + frame(FIN | RSV2, payload[2:])
    (event,) = events(talk.connection, data)
    assert event.name == "protocol_error"
    assert event.error == "reserved bits set"


def test_without_the_other_its_bit_may_not_be() -> None:
    connection = Connection(Limits(), MaskingKeys(counting_bytes()))
    connection.opened([Rolling()])
    (event,) = events(connection, frame(FIN | TEXT | RSV1, b""))
    assert event.name == "protocol_error"
    (event,) = events(Talk(ORDERS[0]).connection, frame(FIN | TEXT, b"plain"))
    assert event.name == "text"


class Doubling(Incoming):
    """Takes a letter off the end of each message, and twice as many bytes may be sent for it."""

    def __init__(self, letter: bytes) -> None:
        super().__init__(f"{letter.decode()} message")
        self.limits: list[int] = []
        self._letter = letter
        self._data = self._kept = b""

    def most(self, size: int, pieces: int) -> int:
        return 2 * size + pieces

    def whole(self, data: bytes, start: int, end: int, limit: int) -> bytes:
        self.limits.append(limit)
        assert data[start:end].endswith(self._letter)
        return data[start : end - 1]

    def put(self, data: bytes | memoryview) -> None:
        self._data = self._kept + bytes(data)
        self._kept = b""

    def end(self) -> None:
        assert self._kept == self._letter
        self._kept = b""

    def take(self, most: int, limit: int) -> bytes:
        self.limits.append(limit)
        if len(self._data) < 2:
            # The last one may be the letter.
            self._kept, self._data = self._kept + self._data, b""
            return b""
        size = min(most, len(self._data) - 1)
        data, self._data = self._data[:size], self._data[size:]
        return data


def test_three_extensions_are_undone_in_order_and_each_has_its_limit() -> None:
    stages = [Doubling(b"c"), Doubling(b"b"), Doubling(b"a")]
    chain = Chain(stages)
    assert chain.noun == "c message"
    # The last, the one before it, the first: each doubles, and adds the pieces.
    assert chain.most(10, 3) == 2 * (2 * (2 * 10 + 3) + 3) + 3
    assert chain.whole(b"before textabc after", 7, 14, 10) == b"text"
    assert [stage.limits for stage in stages] == [[43], [21], [10]]


def test_three_extensions_are_undone_piece_by_piece() -> None:
    stages = [Doubling(b"c"), Doubling(b"b"), Doubling(b"a")]
    chain = Chain(stages)
    for _ in range(2):
        taken = []
        for data in (b"te", memoryview(b"xta"), b"b", b"", b"c"):
            chain.put(data)
            while piece := chain.take(1, 10):
                taken.append(piece)
        chain.end()
        while piece := chain.take(1, 10):
            taken.append(piece)
        assert taken == [b"t", b"e", b"x", b"t"]
    assert [set(stage.limits) for stage in stages] == [{43}, {21}, {10}]


def test_what_failed_fails_again_with_the_same_error() -> None:
    error = ProtocolError("broken")
    failed = Failed(error, "doubled message")
    assert failed.noun == "doubled message"
    assert failed.most(10, 1) == 10
    for _ in range(2):
        with pytest.raises(ProtocolError) as raised:
            failed.whole(b"anything", 0, 8, 10)
        assert raised.value is error


def test_one_that_says_nothing_of_its_own_changes_nothing_back() -> None:
    bare = Incoming("bare message")
    for ask in (
        lambda: bare.most(1, 1),
        lambda: bare.whole(b"x", 0, 1, 1),
        lambda: bare.put(b"x"),
        bare.end,
        lambda: bare.take(1, 1),
    ):
        with pytest.raises(NotImplementedError):
            ask()
