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

    __slots__ = (
        "_buffer", "_checked", "_parts", "_start", "announced", "fragments", "inflater", "is_text",
        "size",
    )  # fmt: skip

    def __init__(self, is_text: bool, inflater: Inflater | None = None) -> None:
        self.is_text = is_text
        self.inflater = inflater
        self.fragments = 0
        self.announced = 0
        self.size = 0
        # A large binary message is a list of full buffers and the one in use, because to make a
        # large bytearray larger costs more than to join several. Of a text there is one.
        self._parts: list[bytearray] = []
        self._start = 0  # bytes in the parts
        self._buffer = bytearray()  # what came after them, and room
        self._checked = 0  # bytes known to be UTF-8

    def room(self, remaining: int) -> memoryview:
        """Where the next bytes may be put; `remaining` is what the frame still lacks."""
        if self.size == self._start + len(self._buffer):
            grow = min(remaining, max(FIRST_BUFFER, self.size))
            if self.is_text:
                self._buffer += bytes(grow)
            else:
                self._next_part(bytearray(grow))
        used = self.size - self._start
        return memoryview(self._buffer)[used : used + remaining]

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
        used = self.size - self._start
        if used < len(self._buffer):
            fits = min(used + len(data), len(self._buffer))
            self._buffer[used:fits] = data[: fits - used]
            data = data[fits - used :]
        if self.is_text or len(self._buffer) < FIRST_BUFFER:
            self._buffer += data
        elif data:
            self._next_part(bytearray(data))
        self.size = end
        self.check()

    def _next_part(self, buffer: bytearray) -> None:
        self._parts.append(self._buffer)
        self._start += len(self._buffer)
        self._buffer = buffer

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
        return b"".join((*self._parts, self._buffer)) if self._parts else bytes(self._buffer)
