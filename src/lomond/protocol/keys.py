"""The supply of masking keys, RFC 6455 sections 5.3 and 10.3."""

from __future__ import annotations

from collections.abc import Callable

_MOST_AT_ONCE = 4096  # bytes drawn from the system's random source


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
        raw = self._batch
        return raw[start : start + 4]
