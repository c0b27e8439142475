"""Parts of any cut of any message, put together, are the message, with the same errors."""

from __future__ import annotations

import random
import zlib
from typing import Any

from hypothesis import given, settings, strategies as st

from lomond.events import BinaryPart, TextPart
from lomond.options import Limits
from lomond.protocol.connection import Connection
from lomond.protocol.output import MaskingKeys
from properties.test_any_bytes import cuts, split
from protocol.compressed import frame, installed_backends, opened

#: How many bytes, whether it is compressed, how many fragments, whether a ping is between them.
payloads = st.one_of(
    st.binary(max_size=60),
    st.text(max_size=60).map(str.encode),
    st.text(max_size=20).map(lambda text: (text * 60).encode()),
    st.tuples(st.text(max_size=30), st.binary(max_size=3)).map(
        lambda pair: pair[0].encode() + pair[1] + b"more"
    ),
    st.integers(min_value=0, max_value=2500).map(bytes),
)
messages = st.lists(
    st.tuples(st.sampled_from([1, 2]), payloads, st.booleans(), st.integers(1, 4), st.booleans()),
    min_size=1,
    max_size=5,
)


def on_the_wire(sent: list[tuple[int, bytes, bool, int, bool]]) -> bytes:
    packer = zlib.compressobj(6, zlib.DEFLATED, -15)
    data = b""
    for opcode, message, is_packed, count, has_pings in sent:
        payload = message
        if is_packed:
            payload = (packer.compress(message) + packer.flush(zlib.Z_SYNC_FLUSH))[:-4]
        length = len(payload) // count + 1
        for number in range(count):
            piece = payload[number * length : (number + 1) * length]
            kind = 0 if number else opcode
            first, last = number == 0, number == count - 1
            data += frame(kind, piece, rsv1=first and is_packed, final=last)
            data += frame(9, b"") if has_pings else b""
    return data


class Heard:
    """What a connection has told so far: its messages put together, and all else in its place."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.told: list[Any] = []
        self._kept: list[Any] = []

    def take(self, chunk: bytes, most: int) -> None:
        if self.connection.is_hungry():
            self.connection.take(chunk, 1.0)
        else:
            self.connection.receive(chunk, 1.0)
        while (
            event := self.connection.short_message() or self.connection.next_event()
        ) is not None:
            if not isinstance(event, (TextPart, BinaryPart)):
                if event.name == "text" or event.name == "binary":
                    whole = event.text if event.name == "text" else event.data
                    assert len(whole.encode() if isinstance(whole, str) else whole) <= most
                    self.told.append(whole)
                else:
                    self.told.append(repr(event))
                continue
            part: Any = event
            value = part.text if part.name == "text_part" else part.data
            size = len(value.encode() if part.name == "text_part" else value)
            assert size <= most
            assert part.is_last or size > most - (4 if part.name == "text_part" else 1)
            assert part.is_first == (not self._kept)
            assert part.offset == sum(kept for _, kept in self._kept)
            self._kept.append((value, size))
            if part.is_last:
                empty: Any = "" if part.name == "text_part" else b""
                self.told.append(empty.join(kept for kept, _ in self._kept))
                self._kept.clear()


def heard(limits: Limits) -> Heard:
    connection = opened(installed_backends()[0], limits=limits)
    connection.due = float("inf")
    connection.shorten()
    return Heard(connection)


@given(messages, cuts, st.integers(min_value=4, max_value=80))
@settings(max_examples=300)
def test_put_together_they_are_the_message_with_the_same_errors_at_the_same_byte(
    sent: list[tuple[int, bytes, bool, int, bool]], sizes: list[int], most: int
) -> None:
    whole = heard(Limits(max_message_size=2000))
    parts = heard(Limits(max_message_size=2000, parts=most))
    for chunk in split(on_the_wire(sent), sizes):
        whole.take(chunk, 2500)
        parts.take(chunk, most)
        assert parts.told == whole.told
        assert parts.connection.state == whole.connection.state
        if whole.connection.violation is None:
            assert parts.connection.came_unfinished() == whole.connection.came_unfinished()


@settings(max_examples=80)
@given(
    st.booleans(),
    st.lists(st.integers(0, 250_000), min_size=1, max_size=4),
    st.integers(32 * 1024, 100_000),
    st.booleans(),
    st.integers(0, 1_000_000),
)
def test_what_is_put_straight_into_parts_is_the_message(
    is_text: bool, sizes: list[int], most: int, has_pings: bool, seed: int
) -> None:
    text = "aé€😀" * (sum(sizes) // 10 + 1)
    payload = text.encode() if is_text else bytes(range(256)) * (sum(sizes) // 256 + 1)
    data, at = b"", 0
    for number, size in enumerate(sizes):
        is_last = number == len(sizes) - 1
        end = len(payload) if is_last else at + size
        opcode = 0 if number else 1 if is_text else 2
        data += frame(opcode, payload[at:end], final=is_last)
        data += frame(9, b"") if has_pings and not is_last else b""
        at = end
    connection = Connection(Limits(parts=most), MaskingKeys(bytes))
    connection.opened()
    dice = random.Random(seed)
    found: list[Any] = []
    at = 0
    while at < len(data):
        for _ in range(dice.randint(1, 5)):  # as a layer has it, before anything is looked at
            room = connection.room()
            if room is None:
                break
            count = min(len(room), dice.randint(1, 60_000), len(data) - at)
            room[:count] = data[at : at + count]
            room.release()
            connection.filled(count, 1.0)
            at += count
        count = dice.choice([0, 1, 20, 5_000, 300_000])
        connection.receive(data[at : at + count], 1.0)
        at += count
        while (event := connection.next_event()) is not None:
            found.append(event)
        assert connection.is_hungry()
    parts = [event for event in found if event.name != "ping"]
    assert len(found) - len(parts) == (len(sizes) - 1 if has_pings else 0)
    whole = [part.text.encode() if is_text else part.data for part in parts]
    assert b"".join(whole) == payload
    assert [part.offset for part in parts] == [
        sum(map(len, whole[:number])) for number in range(len(parts))
    ]
    assert [part.is_last for part in parts] == [False] * (len(parts) - 1) + [True]
    assert all(most - 3 * is_text <= len(part) <= most for part in whole[:-1])
    assert len(whole[-1]) <= most
    assert (parts[0].name in ("text", "binary")) is (len(payload) <= most)
