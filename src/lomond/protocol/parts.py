"""A message that is handed out in parts as it comes, so that no more than one of them is kept.

When a part is handed out, connection.py decides; which bytes are in it is decided here. All but the
last have as many bytes as were asked for, a text's up to three fewer: it is cut at code points.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .buffer import Buffer
from .frames import invalid_utf8
from .messages import STEP, Message

if TYPE_CHECKING:
    from .extensions.extension import Incoming

_WORTH_READS = 32 * 1024  # bytes; smaller parts are cut out of what is read at once


class Parts(Message):
    """A message of which a part at a time is kept.

    Arguments:
        is_text, incoming, limit: As of every message.
        most: Bytes of a part.

    Attributes:
        offset: Bytes of the message before what is kept: 0 where no part was handed out.
        has_ended: Its last byte came, and what it was changed into was taken.
    """

    __slots__ = ("_is_ending", "_most", "_ready", "has_ended", "offset")

    def __init__(self, is_text: bool, incoming: Incoming | None, limit: int, most: int) -> None:
        super().__init__(is_text, incoming, limit)
        self._most = most
        # Whole ones of a binary message, before what is in the buffer: more than one where a layer
        # put what one read has brought into several.
        self._ready: list[bytes] = []
        self.offset = 0
        self._is_ending: bool = False
        self.has_ended = False

    def room(self, remaining: int) -> memoryview | None:
        """Where the next bytes of this part may be put, if that is worth a read for each part."""
        lacks = min(remaining, self._most - self._buffer.size)
        return self._buffer.room(lacks) if lacks and self._most >= _WORTH_READS else None

    def filled(self, count: int) -> None:
        """`count` bytes were put into the room."""
        buffer = self._buffer
        buffer.filled(count)
        if buffer.size == self._most and not self.is_text:
            self._ready.append(buffer.data())
            self._buffer = Buffer()

    def wants(self, count: int) -> int:
        """How many of so many bytes are to be added before a part is asked for."""
        if self.incoming is not None:
            return min(count, STEP)
        return 0 if self._ready else min(count, self._most - self._buffer.size)

    def add_from(self, data: bytes, start: int, end: int) -> None:
        """More bytes of the message, no more than it `wants`: those of the data."""
        if end - start == self._most and not self.is_text and self.incoming is None:
            self._ready.append(data[start:end])  # with nothing before it in the buffer
        else:
            Message.add_from(self, data, start, end)

    def add(self, data: bytes | memoryview) -> None:
        """More bytes of the message, in order, no more than it `wants`."""
        if self.incoming is None:
            self._buffer.add(data)
        else:
            self.incoming.put(bytes(data))  # which keeps it until it is taken

    def end(self) -> None:
        """The last byte is here."""
        if self.incoming is None:
            self.has_ended = True
        else:
            self.incoming.end()
            self._is_ending = True

    def take(self) -> bool:
        """Have more of what extensions change back; whether that is a part, and a byte more.

        Without that byte it could be the last one.
        """
        incoming, buffer = self.incoming, self._buffer
        assert incoming is not None
        while buffer.size <= self._most:
            data = incoming.take(self._most + 1 - buffer.size, self._limit)
            if not data:
                self.has_ended = self._is_ending
                return False
            buffer.add(data)
        return True

    def is_full(self) -> bool:
        """Whether a part is here of which it is known that it is not the whole message."""
        is_longer = self.offset > 0 or (self.incoming is None and self.announced > self._most)
        return is_longer and (bool(self._ready) or self._buffer.size >= self._most)

    def is_last(self) -> bool:
        """Whether what is kept is the last part."""
        size, ready = self._buffer.size, len(self._ready)
        return self.has_ended and (size <= self._most if not ready else ready == 1 and not size)

    def next_text(self) -> str:
        """The next part of a text, cut at a code point. Raises ProtocolError: it is none."""
        buffer, most = self._buffer, self._most
        size = buffer.size
        if self.is_last():
            text = self.text()
        else:
            try:
                text, size = buffer.beginning(min(size, most))
            except UnicodeDecodeError as error:
                raise invalid_utf8("payload contains invalid utf-8", error) from None
        rest = buffer.tail(size)
        self._go_on(size, rest)
        if rest:
            self.check()
        return text

    def next_data(self) -> bytes:
        """The next part of a binary message."""
        if self._ready:
            self.offset += self._most
            return self._ready.pop(0)
        buffer = self._buffer
        size = min(buffer.size, self._most)
        rest = buffer.tail(size)
        buffer.size = size
        data = buffer.data()
        self._go_on(size, rest)
        return data

    def _go_on(self, size: int, rest: bytes) -> None:
        """A part of that size is handed out; the rest begins the next one."""
        self.offset += size
        self._buffer = Buffer()
        self._checked = 0
        if rest:
            self._buffer.add(rest)
