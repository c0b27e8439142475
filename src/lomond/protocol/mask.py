"""Masking of client frames, RFC 6455 section 5.3: the XOR, and the supply of keys."""

from __future__ import annotations

from collections.abc import Callable

# One table per key byte: position n holds n XOR that byte.
_TABLES = [bytes(value ^ key for value in range(256)) for key in range(256)]
_SMALL = 600  # bytes; below, one XOR of two large ints is faster than four translations
_MOST_AT_ONCE = 4096  # bytes drawn from the system's random source


def mask(payload: bytes | bytearray | memoryview, key: bytes) -> bytes | bytearray:
    """The payload XORed with the repeated key of 4 bytes. Masking twice gives the payload back."""
    size = len(payload)
    if size < _SMALL:
        keys = (key * ((size >> 2) + 1))[:size]
        number = int.from_bytes(payload, "little") ^ int.from_bytes(keys, "little")
        return number.to_bytes(size, "little")
    masked = bytearray(payload)
    for i in range(4):
        masked[i::4] = masked[i::4].translate(_TABLES[key[i]])
    return masked


class MaskingKeys:
    """Masking keys, drawn in batches that grow with use; each is given out once.

    Arguments:
        random_bytes: Gives n unpredictable bytes, like ``os.urandom`` (RFC 6455 section 10.3).
    """

    __slots__ = ("_batch", "_next", "_random_bytes")

    def __init__(self, random_bytes: Callable[[int], bytes]) -> None:
        self._random_bytes = random_bytes
        self._batch = b""
        self._next = 0

    def take(self) -> bytes:
        """A key that was never given out before."""
        start = self._next
        if start == len(self._batch):
            self._batch = self._random_bytes(min(max(32, start * 2), _MOST_AT_ONCE))
            start = 0
        self._next = start + 4
        return self._batch[start : start + 4]
