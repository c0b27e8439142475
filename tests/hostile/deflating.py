"""Compressed bytes as servers make them, right and wrong."""

from __future__ import annotations

import zlib

#: The line of an answer that agrees to compression.
AGREED = b"Sec-WebSocket-Extensions: permessage-deflate\r\n"


def deflated(data: bytes, bits: int = 15) -> bytes:
    """A message compressed by itself, without the last four bytes (RFC 7692 section 7.2.1)."""
    stream = zlib.compressobj(9, zlib.DEFLATED, -bits)
    return (stream.compress(data) + stream.flush(zlib.Z_SYNC_FLUSH))[:-4]


def stored(data: bytes, size: int | None = None, *, is_final: bool = False) -> bytes:
    """A block that is not compressed (RFC 1951 section 3.2.4); it may lie about its size."""
    said = len(data) if size is None else size
    return b"%c%b%b%b" % (
        is_final,
        said.to_bytes(2, "little"),
        (said ^ 0xFFFF).to_bytes(2, "little"),
        data,
    )


def ended(data: bytes) -> bytes:
    """A message compressed into a block that says it is the last (RFC 7692 section 7.2.3.4)."""
    stream = zlib.compressobj(9, zlib.DEFLATED, -15)
    return stream.compress(data) + stream.flush(zlib.Z_FINISH) + b"\0"
