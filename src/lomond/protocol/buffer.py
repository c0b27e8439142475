"""The bytes of a message as they come; the compiled twin has its own buffer.pyx."""

from __future__ import annotations

from codecs import utf_8_decode

FIRST_ROOM = 256 * 1024  # bytes; nothing larger is allocated before its bytes arrive


def joined(data: bytes, start: int, end: int, tail: bytes) -> bytes:
    """The data from the start to the end, and a tail behind it."""
    return data[start:end] + tail


class Buffer:
    """Bytes in one piece, and room for more, which at most doubles.

    Every view is released where it was made, that of which one is a part too: while one lives, the
    bytes can't become more, and not every Python ends it as soon as nobody has it.

    Attributes:
        size: Bytes that are here.
    """

    __slots__ = ("_data", "size")

    def __init__(self) -> None:
        self.size = 0
        self._data = bytearray()  # longer than the size while there is room

    def room(self, most: int) -> memoryview:
        """Where the next bytes may be put, at most so many; release it before anything else."""
        if self.size == len(self._data):
            self._data += bytes(min(most, max(FIRST_ROOM, self.size)))
        with memoryview(self._data) as whole:
            return whole[self.size : self.size + most]

    def filled(self, count: int) -> None:
        """`count` bytes were put into the room."""
        self.size += count

    def add(self, data: bytes | memoryview) -> None:
        """More bytes."""
        end = self.size + len(data)
        self._data[self.size : end] = data
        self.size = end

    def count_utf8(self, start: int) -> int:
        """How many bytes from `start` are whole code points. Raises UnicodeDecodeError."""
        with memoryview(self._data) as whole, whole[start : self.size] as unchecked:
            return utf_8_decode(unchecked, "strict", False)[1]

    def beginning(self, size: int) -> tuple[str, int]:
        """The code points that are whole in the first so many bytes, and how many these take.

        Raises UnicodeDecodeError.
        """
        with memoryview(self._data) as whole, whole[:size] as part:
            return utf_8_decode(part, "strict", False)

    def tail(self, start: int) -> bytes:
        """The bytes from `start`."""
        return bytes(self._data[start : self.size])

    def text(self) -> str:
        """All as text. Raises UnicodeDecodeError."""
        del self._data[self.size :]
        return self._data.decode()

    def data(self) -> bytes:
        """All as bytes."""
        del self._data[self.size :]
        return bytes(self._data)
