"""Several extensions on one connection: what is done to a message, by its reserved bits.

RFC 6455 section 9.1: the order of operations is that of the server's answer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .extension import Extension, Incoming, Outgoing


class Chain:
    """Changes back what several extensions have changed.

    Arguments:
        stages: What was changed last comes first.
    """

    __slots__ = ("_last", "_outer", "noun")

    def __init__(self, stages: Sequence[Incoming]) -> None:
        self.noun = stages[0].noun
        self._outer = stages[:-1]
        self._last = stages[-1]

    def most(self, size: int, pieces: int) -> int:
        """The most bytes that a message of that size may be sent in, in so many frames."""
        size = self._last.most(size, pieces)
        for stage in reversed(self._outer):
            size = stage.most(size, pieces)
        return size

    def whole(self, payload: bytes, limit: int) -> bytes:
        """A message that is here in one piece, changed back."""
        for stage, most in self._bounded(limit):
            payload = stage.whole(payload, most)
        return self._last.whole(payload, limit)

    def feed(self, data: bytes | memoryview, buffer: bytearray, limit: int) -> None:
        """Append to the buffer what the next bytes of a message come to."""
        for stage, most in self._bounded(limit):
            between = bytearray()
            stage.feed(data, between, most)
            data = bytes(between)
        self._last.feed(data, buffer, limit)

    def finish(self, buffer: bytearray, limit: int) -> None:
        """The message has ended: append what is left of it."""
        data = b""
        for stage, most in self._bounded(limit):
            between = bytearray()
            stage.feed(data, between, most)
            stage.finish(between, most)
            data = bytes(between)
        self._last.feed(data, buffer, limit)
        self._last.finish(buffer, limit)

    def _bounded(self, limit: int) -> list[tuple[Incoming, int]]:
        """The outer stages, each with the most that it may make of what it is given."""
        bounded: list[tuple[Incoming, int]] = []
        most = self._last.most(limit, 1)
        for stage in reversed(self._outer):
            bounded.insert(0, (stage, most))
            most = stage.most(most, 1)
        return bounded


def incoming(extensions: Sequence[Extension]) -> dict[int, Incoming]:
    """What changes a message back, by the reserved bits of its first frame."""
    found: dict[int, list[Incoming]] = {}
    for extension in extensions:
        ours = extension.incoming()
        # What comes later in the answer was done later, and is undone earlier.
        for bits, inner in [(0, []), *found.items()]:
            found[bits | extension.bit] = [ours, *inner]
    return {bits: _as_one(stages) for bits, stages in found.items()}


def _as_one(stages: list[Incoming]) -> Incoming:
    return stages[0] if len(stages) == 1 else Chain(stages)


def outgoing(extensions: Sequence[Extension]) -> tuple[tuple[int, Outgoing], ...]:
    """What changes a message that is sent, in order, each with the bit that says so."""
    found: list[tuple[int, Outgoing]] = []
    for extension in extensions:
        ours = extension.outgoing()
        if ours is not None:
            found.append((extension.bit, ours))
    return tuple(found)
