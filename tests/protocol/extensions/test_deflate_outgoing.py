"""Compressed messages that are sent, RFC 7692 sections 6.1 and 7.2.1, and the libraries."""

from __future__ import annotations

import os
import random
import zlib
from typing import Any

import pytest

from lomond.compression import Backend, Compression
from lomond.errors import ProtocolError
from lomond.options import Deflate, Limits
from lomond.protocol import frames
from lomond.protocol.connection import Connection
from lomond.protocol.extensions.permessage_deflate import PerMessageDeflate
from lomond.protocol.output import MaskingKeys
from lomond.testing.alone import counting_bytes
from protocol.compressed import (
    HELLO,
    HELLO_AGAIN,
    HELLO_FINAL,
    TAIL,
    events,
    frame,
    opened,
    packed,
    texts,
)


def sent(connection: Connection, *messages: bytes, compress: bool = True) -> list[bytes]:
    """The payloads of the frames that left, unmasked."""
    found = []
    for message in messages:
        connection.send(frames.BINARY, message, compress)
        data = connection.output.take()
        is_packed = bool(data[0] & frames.RSV1)
        length = data[1] & 0x7F
        start = {126: 4, 127: 10}.get(length, 2)
        key, masked = data[start : start + 4], data[start + 4 :]
        payload = bytes(byte ^ key[i % 4] for i, byte in enumerate(masked))
        found.append((b"packed:" if is_packed else b"plain:") + payload)
    return found


def inflated(*payloads: bytes, keeps: bool = True) -> list[bytes]:
    stream = zlib.decompressobj(-15)
    found = []
    for payload in payloads:
        assert payload.startswith(b"packed:")
        found.append(stream.decompress(payload[7:] + TAIL))
        if not keeps:
            stream = zlib.decompressobj(-15)
    return found


def test_messages_are_compressed_one_after_another(backend: Backend) -> None:
    messages = [b"again and again " * 4] * 3 + [b""] + [b""] + [os.urandom(100)]
    payloads = sent(opened(backend), *messages)
    assert inflated(*payloads) == messages
    assert len(payloads[1]) < len(payloads[0])


def test_each_for_itself(backend: Backend) -> None:
    messages = [b"again and again " * 4] * 3
    payloads = sent(opened(backend, Compression(client_no_context_takeover=True)), *messages)
    assert inflated(*payloads, keeps=False) == messages
    assert len(set(payloads)) == 1


def test_what_does_not_get_smaller_is_sent_as_it_is(backend: Backend) -> None:
    noise = os.urandom(100)
    connection = opened(backend, Compression(client_no_context_takeover=True))
    assert sent(connection, noise) == [b"plain:" + noise]


def test_what_would_be_as_long_as_before_is_sent_as_it_is(backend: Backend) -> None:
    sizes = set()
    for size in range(40):
        message = b"\0" + b"a" * size
        compression = Compression(client_no_context_takeover=True)
        (payload,) = sent(opened(backend, compression), message)
        if payload.startswith(b"packed:"):
            assert len(payload) - len(b"packed:") < len(message)
        sizes.add(len(payload.removeprefix(b"packed:")) - len(message))
    assert min(sizes) < 0 < len(sizes)


def test_small_messages_and_those_that_ask_for_it_are_sent_as_they_are(backend: Backend) -> None:
    connection = opened(backend, options=Deflate(min_size=20))
    assert sent(connection, b"x" * 19) == [b"plain:" + b"x" * 19]
    assert sent(connection, b"x" * 20)[0].startswith(b"packed:")
    assert sent(connection, b"x" * 20, compress=False) == [b"plain:" + b"x" * 20]


def test_control_frames_are_never_compressed(backend: Backend) -> None:
    connection = opened(backend)
    connection.send(frames.PING, b"x" * 100)
    connection.close(1000, "x" * 100)
    output = connection.output.take()
    assert (output[0], output[106]) == (frames.FIN | frames.PING, frames.FIN | frames.CLOSE)


def test_a_window_that_no_library_has_is_not_used_for_sending(backend: Backend) -> None:
    connection = opened(backend, Compression(client_max_window_bits=8))
    assert sent(connection, b"x" * 100) == [b"plain:" + b"x" * 100]


@pytest.mark.parametrize("bits", range(9, 16))
def test_every_window(backend: Backend, bits: int) -> None:
    compression = Compression(client_max_window_bits=bits, server_max_window_bits=bits)
    message = os.urandom(300) * 300
    connection = opened(backend, compression)
    (payload,) = sent(connection, message)
    stream = zlib.decompressobj(-bits)
    assert stream.decompress(payload[7:] + TAIL) == message
    packer = zlib.compressobj(9, zlib.DEFLATED, -bits)
    data = (packer.compress(message) + packer.flush(zlib.Z_SYNC_FLUSH))[:-4]
    (event,) = events(connection, packed(2, data))
    assert getattr(event, "data", None) == message


def test_a_window_of_8_bits_is_inflated_with_a_larger_one(backend: Backend) -> None:
    # Some compress with 9 bits when told 8. Its second half refers back further than 8 bits can
    # tell, which is noticed only where the first is gone from the window's buffer: byte by byte.
    message = random.Random(9).randbytes(400) * 2
    packer = zlib.compressobj(9, zlib.DEFLATED, -10)
    data = (packer.compress(message) + packer.flush(zlib.Z_SYNC_FLUSH))[:-4]
    assert len(data) < 500
    connection = opened(backend, Compression(server_max_window_bits=8))
    (event,) = events(connection, packed(2, data), 1)
    assert getattr(event, "data", None) == message


def test_the_level_and_the_memory_level_reach_the_library(backend: Backend) -> None:
    asked = []

    def compressobj(*settings: int) -> Any:
        asked.append(settings)
        return backend.compressobj(*settings)

    options = Deflate(level=7, memory_level=3, client_max_window_bits=11)
    recorder = backend._replace(compressobj=compressobj)
    sent(opened(recorder, Compression(client_max_window_bits=11), options), b"x" * 100)
    assert asked == [(7, zlib.DEFLATED, -11, 3)]


def test_the_level_has_an_effect(backend: Backend) -> None:
    message = b"".join(b"%d," % (i * i) for i in range(5000))
    sizes = []
    for level in (0, 1, 9):
        (payload,) = sent(opened(backend, options=Deflate(level=level)), message)
        assert inflated(payload) == [message]
        sizes.append(len(payload))
    assert sizes[0] > len(message) > sizes[1] > sizes[2]


def test_the_server_forgets_too(backend: Backend) -> None:
    connection = opened(backend, Compression(server_no_context_takeover=True))
    assert texts(events(connection, packed(1, HELLO) * 2)) == ["Hello"] * 2
    (event,) = events(connection, packed(1, HELLO_AGAIN))
    assert event.name == "protocol_error"


def test_bytes_are_counted(backend: Backend) -> None:
    compression = Compression()
    connection = opened(backend, compression)
    payloads = sent(connection, b"x" * 1000, b"y" * 500)
    sent(connection, b"z" * 100, compress=False)
    events(connection, packed(1, HELLO) + frame(1, b"plain") + packed(1, HELLO_FINAL))
    split = frame(1, HELLO[:2], rsv1=True, final=False) + frame(0, HELLO[2:])
    events(connection, split)
    assert compression.backend == backend.name
    assert compression.sent_raw == 1500
    assert compression.sent_compressed == sum(map(len, payloads)) - 2 * len(b"packed:")
    assert compression.received_compressed == len(HELLO) * 2 + len(HELLO_FINAL)
    assert compression.received_raw == 15


def test_what_is_held_until_the_upgrade_leaves_as_it_is(backend: Backend) -> None:
    connection = Connection(Limits(), MaskingKeys(counting_bytes()))
    connection.send(frames.TEXT, b"x" * 100, True)
    connection.opened([PerMessageDeflate(Compression(), Deflate(), backend)])
    assert not connection.output.take()[0] & frames.RSV1


def test_errors_are_errors_of_the_protocol(backend: Backend) -> None:
    inflater = PerMessageDeflate(Compression(), Deflate(), backend).incoming()
    inflater.put(b"\xff" * 10)
    with pytest.raises(ProtocolError):
        inflater.take(100, 100)
