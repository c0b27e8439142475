"""A message that arrives in pieces: its bytes, their number, and UTF-8 as they come.

RFC 6455 sections 5.4 and 8.1; what extensions do to them as they come is in extensions/. Knows
nothing of frames' headers.
"""

from __future__ import annotations

from codecs import utf_8_decode
from typing import TYPE_CHECKING

from .buffer import Buffer
from .frames import invalid_utf8

if TYPE_CHECKING:
    from .extensions.extension import Incoming


class Message:
    """A text or binary message of which not all bytes are here.

    Arguments:
        is_text: Whether the bytes must be UTF-8.
        incoming: Changes back what comes; None for a message that no extension has changed.
        limit: The most bytes that it may then come to.

    Attributes:
        fragments: Frames that have started.
        announced: Bytes of their payloads, as their headers say.
    """

    __slots__ = (
        "_buffer", "_changed", "_checked", "_limit", "announced", "fragments", "incoming",
        "is_text",
    )  # fmt: skip

    def __init__(self, is_text: bool, incoming: Incoming | None = None, limit: int = 0) -> None:
        self.is_text = is_text
        self.incoming = incoming
        self._limit = limit
        self.fragments = 0
        self.announced = 0
        self._buffer = Buffer()
        self._changed = bytearray()  # stands for the buffer where something is to be changed
        self._checked = 0  # bytes known to be UTF-8

    def room(self, remaining: int) -> memoryview:
        """Where the next bytes may be put; `remaining` is what the frame still lacks."""
        return self._buffer.room(remaining)

    def filled(self, count: int) -> None:
        """`count` bytes were put into the room; `check` is to follow."""
        self._buffer.filled(count)

    def add(self, data: bytes | memoryview) -> None:
        """More bytes of the message, in order; `check` is to follow."""
        if self.incoming is None:
            self._buffer.add(data)
        else:
            self.incoming.feed(data, self._changed, self._limit)

    def end(self) -> None:
        """The last byte is here."""
        if self.incoming is not None:
            self.incoming.finish(self._changed, self._limit)

    def check(self) -> None:
        """Raise if what arrived can't be the start of a text."""
        # 8.1: invalid UTF-8 fails the connection; we say so as soon as the bytes are here.
        if not self.is_text:
            return
        try:
            if self.incoming is None:
                self._checked += self._buffer.count_utf8(self._checked)
                rest = self._buffer.tail(self._checked)
            else:
                # Both views, as in buffer.py.
                with memoryview(self._changed) as whole, whole[self._checked :] as unchecked:
                    self._checked += utf_8_decode(unchecked, "strict", False)[1]
                rest = bytes(self._changed[self._checked :])
        except UnicodeDecodeError as error:
            raise invalid_utf8("payload contains invalid utf-8", error) from None
        if rest[:1] == b"\xed" and rest[1:] > b"\x9f":
            # Half a surrogate pair: the decoder would wait for its third byte.
            half = UnicodeDecodeError("utf-8", rest, 0, 2, "invalid continuation byte")
            raise invalid_utf8("payload contains invalid utf-8", half)

    def text(self) -> str:
        """The whole message as text; raises if it is none."""
        try:
            return self._buffer.text() if self.incoming is None else self._changed.decode()
        except UnicodeDecodeError as error:
            raise invalid_utf8("payload contains invalid utf-8", error) from None

    def data(self) -> bytes:
        """The whole message as bytes."""
        return self._buffer.data() if self.incoming is None else bytes(self._changed)
