"""A frame's head, and masking: RFC 6455 sections 5.2 and 5.3. The compiled twin has a mask.pyx."""

from __future__ import annotations

# One table per key byte, made when it is needed: position n holds n XOR that byte.
_tables: list[bytes] = [b""] * 256
_MASKED = 0x80
_SMALL = 600  # bytes; below, one XOR of two large ints is faster than four translations


def mask(payload: bytes | bytearray | memoryview, key: bytes) -> bytes | bytearray:
    """The payload XORed with the repeated key of 4 bytes. Masking twice gives the payload back."""
    size = len(payload)
    if size < _SMALL:
        keys = (key * ((size >> 2) + 1))[:size]
        number = int.from_bytes(payload, "little") ^ int.from_bytes(keys, "little")
        return number.to_bytes(size, "little")
    masked = bytearray(payload)
    for i in range(4):
        table = _tables[key[i]] or _make_table(key[i])
        masked[i::4] = masked[i::4].translate(table)
    return masked


def _make_table(key: int) -> bytes:
    table = _tables[key] = bytes(value ^ key for value in range(256))
    return table


def head(first: int, size: int, mask_bit: int = 0) -> bytes:
    """The first bytes of a frame, up to its masking key, for a payload of that size."""
    if size < 126:
        return bytes((first, mask_bit | size))
    if size < 65536:
        return bytes((first, mask_bit | 126)) + size.to_bytes(2, "big")
    return bytes((first, mask_bit | 127)) + size.to_bytes(8, "big")


def masked_frame(first: int, payload: bytes | bytearray | memoryview, key: bytes) -> bytes:
    """A client's frame: its head, the key and the masked payload."""
    return b"".join((head(first, len(payload), _MASKED), key, mask(payload, key)))
