"""Compression against the standard library's zlib, with random messages, cuts and settings."""

from __future__ import annotations

import zlib

import pytest
from hypothesis import given, settings, strategies as st

from lomond.compression import Backend, Compression
from lomond.events import AnyEvent
from lomond.options import Deflate, Limits
from lomond.protocol import frames
from lomond.protocol.connection import Connection
from properties.test_any_bytes import cuts, split
from protocol.compressed import TAIL, frame, installed_backends, opened

words = st.sampled_from([b"price", b"volume", b'{"a": 1}', b"\x00\xff", b" "])
messages = st.lists(
    st.one_of(
        st.binary(max_size=300),
        st.lists(words, max_size=400).map(b"".join),
        st.integers(min_value=0, max_value=200_000).map(bytes),
    ),
    min_size=1,
    max_size=5,
)


def heard(connection: Connection, chunks: list[bytes], is_short: bool) -> list[AnyEvent]:
    """The events of what comes in these pieces, on the short way where they may go it."""
    if is_short:
        connection.due = float("inf")
        connection.shorten()
    found: list[AnyEvent] = []
    for chunk in chunks:
        if connection.is_hungry():
            connection.take(chunk, 1.0)
        else:
            connection.receive(chunk, 1.0)
        while (event := connection.short_message() or connection.next_event()) is not None:
            found.append(event)
    return found


@pytest.mark.parametrize("backend", installed_backends(), ids=lambda backend: backend.name)
@given(
    messages,
    cuts,
    st.lists(st.integers(min_value=0, max_value=3), min_size=1, max_size=5),
    st.integers(min_value=9, max_value=15),
    st.booleans(),
    st.sampled_from([zlib.Z_SYNC_FLUSH, zlib.Z_FULL_FLUSH]),
)
@settings(max_examples=60)
def test_what_zlib_packs_comes_out_as_it_was(
    backend: Backend,
    sent: list[bytes],
    sizes: list[int],
    fragments: list[int],
    bits: int,
    forgets: bool,
    flush: int,
) -> None:
    packer = zlib.compressobj(6, zlib.DEFLATED, -bits)
    data = b""
    for number, message in enumerate(sent):
        if forgets:
            packer = zlib.compressobj(6, zlib.DEFLATED, -bits)
        payload = (packer.compress(message) + packer.flush(flush))[: -len(TAIL)]
        pieces = 1 + fragments[number % len(fragments)]
        length = len(payload) // pieces + 1
        parts = [payload[i * length : (i + 1) * length] for i in range(pieces)]
        for i, part in enumerate(parts):
            opcode = frames.CONTINUATION if i else frames.BINARY
            data += frame(opcode, part, rsv1=i == 0, final=i == pieces - 1)
            data += frame(frames.PONG, b"")
    compression = Compression(server_no_context_takeover=forgets, server_max_window_bits=bits)
    connection = opened(backend, compression)
    got = []
    for chunk in split(data, sizes):
        connection.receive(chunk, 1.0)
        while (event := connection.next_event()) is not None:
            if event.name != "pong":
                got.append(getattr(event, "data", event))
    assert got == sent


@pytest.mark.parametrize("backend", installed_backends(), ids=lambda backend: backend.name)
@given(
    messages,
    st.integers(min_value=9, max_value=15),
    st.booleans(),
    st.integers(min_value=-1, max_value=9),
    st.integers(min_value=1, max_value=9),
)
@settings(max_examples=60)
def test_zlib_reads_what_is_packed(
    backend: Backend, sent: list[bytes], bits: int, forgets: bool, level: int, memory: int
) -> None:
    compression = Compression(client_no_context_takeover=forgets, client_max_window_bits=bits)
    connection = opened(backend, compression, Deflate(level=level, memory_level=memory, min_size=1))
    reader = zlib.decompressobj(-bits)
    for message in sent:
        connection.send(frames.BINARY, message, True)
        data = connection.output.take()
        length = data[1] & 0x7F
        start = {126: 4, 127: 10}.get(length, 2)
        key, masked = data[start : start + 4], data[start + 4 :]
        payload = bytes(byte ^ key[i % 4] for i, byte in enumerate(masked))
        if data[0] & frames.RSV1:
            payload = reader.decompress(payload + TAIL)
            if forgets:
                reader = zlib.decompressobj(-bits)
        assert payload == message


flushes = st.sampled_from([zlib.Z_FINISH, zlib.Z_NO_FLUSH, zlib.Z_SYNC_FLUSH, zlib.Z_FULL_FLUSH])
parts = st.one_of(
    st.binary(max_size=60),
    st.sampled_from([0, 1, 300, 65_535, 65_536, 65_537, 131_072]).map(bytes),
)
packed_in_parts = st.tuples(
    st.lists(st.tuples(parts, flushes), min_size=1, max_size=3),
    st.sampled_from(["final", "sync", "final and empty"]),
)


@pytest.mark.parametrize("backend", installed_backends(), ids=lambda backend: backend.name)
@given(
    st.lists(packed_in_parts, min_size=2, max_size=5),
    st.lists(st.sampled_from([1, 1, 2, 5]), min_size=1, max_size=5),
    cuts,
    st.integers(min_value=9, max_value=15),
    st.booleans(),
    st.booleans(),
)
@settings(max_examples=400)
def test_blocks_of_every_kind_in_messages_that_share_a_window(
    backend: Backend,
    messages: list[tuple[list[tuple[bytes, int]], str]],
    fragments: list[int],
    sizes: list[int],
    bits: int,
    forgets: bool,
    is_limited: bool,
) -> None:
    packer = None
    data, sent = b"", []
    for number, (message, end) in enumerate(messages):
        if packer is None or forgets:
            packer = zlib.compressobj(6, zlib.DEFLATED, -bits)
        payload = b""
        for part, flush in message:
            payload += packer.compress(part) + packer.flush(flush)
            if flush == zlib.Z_FINISH:
                packer = zlib.compressobj(6, zlib.DEFLATED, -bits)
        if end == "sync":
            payload += packer.flush(zlib.Z_SYNC_FLUSH)
            # zlib makes no second empty block after one; the RFC's empty message is one then.
            payload = payload[: -len(TAIL)] if payload.endswith(TAIL) else payload + b"\x00"
        else:
            payload += packer.flush(zlib.Z_FINISH) + (b"\x00" if end == "final and empty" else b"")
            packer = None
        sent.append(b"".join(part for part, _ in message))
        pieces = fragments[number % len(fragments)]
        length = len(payload) // pieces + 1
        for i in range(pieces):
            piece = payload[i * length : (i + 1) * length]
            opcode = frames.CONTINUATION if i else frames.BINARY
            data += frame(opcode, piece, rsv1=i == 0, final=i == pieces - 1)
    limit = max([1, *map(len, sent)]) if is_limited else None
    for is_short in (False, True):
        compression = Compression(server_no_context_takeover=forgets, server_max_window_bits=bits)
        connection = opened(backend, compression, limits=Limits(max_message_size=limit))
        found = heard(connection, split(data, sizes), is_short)
        assert [getattr(event, "data", event) for event in found] == sent


@pytest.mark.parametrize("backend", installed_backends(), ids=lambda backend: backend.name)
@given(st.lists(st.binary(max_size=80), min_size=1, max_size=6), cuts)
@settings(max_examples=150)
def test_any_compressed_bytes_in_any_split(
    backend: Backend, payloads: list[bytes], sizes: list[int]
) -> None:
    data = b"".join(frame(frames.TEXT, payload, rsv1=True) for payload in payloads)

    def outcome(chunks: list[bytes], is_short: bool = False) -> list[str]:
        found = heard(opened(backend), chunks, is_short)
        # How far the decoder says it came depends on the pieces.
        return [event.name if event.name == "protocol_error" else repr(event) for event in found]

    whole = outcome([data])
    assert outcome(split(data, sizes)) == whole
    assert outcome(split(data, sizes), is_short=True) == whole
    assert outcome([data], is_short=True) == whole
