"""A message that arrives in pieces: its bytes, their number, and UTF-8 as they come.

RFC 6455 sections 5.4 and 8.1; what extensions do to them as they come is in extensions/. Knows
nothing of frames' headers. How it is handed out in parts is told in parts.py.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .buffer import Buffer
from .frames import invalid_utf8

if TYPE_CHECKING:
    from .extensions.extension import Incoming

STEP = 64 * 1024  # bytes; most that is changed back at once


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
        "_buffer", "_checked", "_limit", "announced", "fragments", "incoming", "is_text",
    )  # fmt: skip

    def __init__(self, is_text: bool, incoming: Incoming | None = None, limit: int = 0) -> None:
        self.is_text = is_text
        self.incoming = incoming
        self._limit = limit
        self.fragments = 0
        self.announced = 0
        self._buffer = Buffer()
        self._checked = 0  # bytes known to be UTF-8

    def room(self, remaining: int) -> memoryview | None:
        """Where the next bytes may be put, if anywhere; `remaining` is what the frame lacks."""
        return self._buffer.room(remaining)

    def filled(self, count: int) -> None:
        """`count` bytes were put into the room; `check` is to follow."""
        self._buffer.filled(count)

    def wants(self, count: int) -> int:
        """How many of so many bytes that are here are to be added: all."""
        return count

    def add_from(self, data: bytes, start: int, end: int) -> None:
        """More bytes of the message, in order, those of the data; `check` is to follow."""
        with memoryview(data) as whole, whole[start:end] as payload:
            self.add(payload)

    def add(self, data: bytes | memoryview) -> None:
        """More bytes of the message, in order; `check` is to follow."""
        if self.incoming is None:
            self._buffer.add(data)
        else:
            self.incoming.put(data)
            self._take_all()

    def end(self) -> None:
        """The last byte is here."""
        if self.incoming is not None:
            self.incoming.end()
            self._take_all()

    def _take_all(self) -> None:
        incoming = self.incoming
        assert incoming is not None
        while data := incoming.take(STEP, self._limit):
            self._buffer.add(data)

    def check(self) -> None:
        """Raise if what arrived can't be the start of a text."""
        # 8.1: invalid UTF-8 fails the connection; we say so as soon as the bytes are here.
        if not self.is_text:
            return
        try:
            self._checked += self._buffer.count_utf8(self._checked)
        except UnicodeDecodeError as error:
            raise invalid_utf8("payload contains invalid utf-8", error) from None
        rest = self._buffer.tail(self._checked)
        if rest[:1] == b"\xed" and rest[1:] > b"\x9f":
            # Half a surrogate pair: the decoder would wait for its third byte.
            half = UnicodeDecodeError("utf-8", rest, 0, 2, "invalid continuation byte")
            raise invalid_utf8("payload contains invalid utf-8", half)

    def size(self) -> int:
        """How many bytes of it are here."""
        return self._buffer.size

    def text(self) -> str:
        """The whole message as text; raises if it is none."""
        try:
            return self._buffer.text()
        except UnicodeDecodeError as error:
            raise invalid_utf8("payload contains invalid utf-8", error) from None

    def data(self) -> bytes:
        """The whole message as bytes."""
        return self._buffer.data()
