"""Decisions and texts from an input's bytes: whatever the bytes are, they decide something."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")


class Choices:
    """What an input decides, byte by byte.

    Arguments:
        data: The input. At its end everything is the first of its choices.
    """

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._position = 0

    def is_empty(self) -> bool:
        """Whether all is used up."""
        return self._position >= len(self._data)

    def byte(self) -> int:
        """From 0 to 255."""
        taken = self.take(1)
        return taken[0] if taken else 0

    def flag(self) -> bool:
        """Yes or no."""
        return self.byte() & 1 == 1

    def pick(self, options: Sequence[T]) -> T:
        """One of these."""
        return options[self.byte() % len(options)]

    def take(self, size: int) -> bytes:
        """So many bytes, or what is left."""
        taken = self._data[self._position : self._position + size]
        self._position += len(taken)
        return taken

    def piece(self) -> bytes:
        """Some bytes; their number stands before them."""
        return self.take(self.byte())

    def text(self) -> str:
        """As `piece`, in which every code point may be, and halves of pairs."""
        return self.piece().decode("utf-8", "surrogateescape")

    def rest(self) -> bytes:
        """All that is left."""
        return self.take(len(self._data))

    def sizes(self) -> list[int]:
        """Of the pieces into which a stream is cut."""
        return [1 + self.byte() % 64 for _ in range(3)]


def split(data: bytes, sizes: Sequence[int]) -> list[bytes]:
    """The data in pieces of these sizes, in turn."""
    chunks = []
    position = number = 0
    while position < len(data):
        size = sizes[number % len(sizes)]
        chunks.append(data[position : position + size])
        position += size
        number += 1
    return chunks
