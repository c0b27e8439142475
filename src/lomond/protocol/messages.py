"""A message that arrives in pieces: its bytes, their number, and UTF-8 as they come.

RFC 6455 sections 5.4 and 8.1; inflating as they come is in deflate.py. Knows nothing of frames'
headers.
"""

from __future__ import annotations

from codecs import utf_8_decode
from typing import TYPE_CHECKING

from .frames import invalid_utf8

if TYPE_CHECKING:
    from .deflate import Inflater

FIRST_BUFFER = 256 * 1024  # bytes; nothing larger is allocated before its bytes arrive


class Message:
    """A text or binary message of which not all bytes are here.

    Arguments:
        is_text: Whether the bytes must be UTF-8.
        inflater: Inflates what comes; None for a message that is not compressed.

    Attributes:
        fragments: Frames that have started.
        announced: Bytes of their payloads, as their headers say.
        size: Bytes of the message that are here, inflated.
    """

    __slots__ = ("_buffer", "_checked", "announced", "fragments", "inflater", "is_text", "size")

    def __init__(self, is_text: bool, inflater: Inflater | None = None) -> None:
        self.is_text = is_text
        self.inflater = inflater
        self.fragments = 0
        self.announced = 0
        self.size = 0
        self._buffer = bytearray()  # at least `size` long; the rest is room
        self._checked = 0  # bytes known to be UTF-8

    def room(self, remaining: int) -> memoryview:
        """Where the next bytes may be put; `remaining` is what the frame still lacks."""
        if self.size == len(self._buffer):
            grow = min(remaining, max(FIRST_BUFFER, self.size))
            self._buffer += bytes(grow)
        return memoryview(self._buffer)[self.size : self.size + remaining]

    def filled(self, count: int) -> None:
        """`count` bytes were put into the room; `check` is to follow."""
        self.size += count

    def add(self, data: bytes | memoryview) -> None:
        """More bytes of the message, in order."""
        if self.inflater is not None:
            self.inflater.feed(data, self._buffer)
            self.size = len(self._buffer)
            self.check()
            return
        end = self.size + len(data)
        if self.size < len(self._buffer):
            fits = min(end, len(self._buffer))
            self._buffer[self.size : fits] = data[: fits - self.size]
            data = data[fits - self.size :]
        self._buffer += data
        self.size = end
        self.check()

    def end(self) -> None:
        """The last byte is here."""
        if self.inflater is not None:
            self.inflater.finish(self._buffer)
            self.size = len(self._buffer)
            self.check()

    def check(self) -> None:
        """Raise if what arrived can't be the start of a text."""
        # 8.1: invalid UTF-8 fails the connection; we say so as soon as the bytes are here.
        if self.is_text and self._checked < self.size:
            with memoryview(self._buffer)[self._checked : self.size] as unchecked:
                try:
                    self._checked += utf_8_decode(unchecked, "strict", False)[1]
                except UnicodeDecodeError as error:
                    raise invalid_utf8("payload contains invalid utf-8", error) from None
            rest = bytes(self._buffer[self._checked : self.size])
            if rest[:1] == b"\xed" and rest[1:] > b"\x9f":
                # Half a surrogate pair: the decoder would wait for its third byte.
                half = UnicodeDecodeError("utf-8", rest, 0, 2, "invalid continuation byte")
                raise invalid_utf8("payload contains invalid utf-8", half)

    def text(self) -> str:
        """The whole message as text; raises if it ends inside a code point."""
        try:
            return self._buffer.decode()  # at the end of a frame no room is left in it
        except UnicodeDecodeError as error:
            raise invalid_utf8("payload contains invalid utf-8", error) from None

    def data(self) -> bytes:
        """The whole message as bytes."""
        return bytes(self._buffer)
