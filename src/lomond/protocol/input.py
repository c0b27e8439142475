"""What one connection has received and not looked at yet, and the short way from there.

Most messages are short and here whole: they come out of the bytes at once. Of all else
connection.py makes frames, messages and events. output.py is the other direction.
"""

from __future__ import annotations

import sys
from collections import deque
from typing import TYPE_CHECKING

from ..errors import ProtocolError
from .events import Binary, Text
from .extensions.extension import Failed
from .frames import BINARY, FIN, RESERVED_BITS, TEXT, seek_close
from .states import ANSWERING, CLOSED, CLOSING, CONNECTING, OPEN

if TYPE_CHECKING:
    from ..options import Limits
    from .extensions.extension import Incoming
    from .messages import Message

_FIN_TEXT = FIN | TEXT
_FIN_BINARY = FIN | BINARY
_TEXT, _BINARY = "text", "binary"  # names of events
_NEVER = float("inf")
LARGEST = sys.maxsize // 2  # bytes; what can be addressed, and a header more
_DIRECT = 64 * 1024  # bytes still to come from which a payload is read straight into its message


class Clock:
    """Whether moments have come: of one that stands still at 0.0."""

    __slots__ = ()

    def has_come(self, moment: float) -> bool:
        """Whether it has: a little late at the most, never early."""
        return moment <= 0.0


_STANDS_STILL = Clock()


class Input:
    """Bytes on their way in, and the short messages among them.

    Arguments:
        limits: What the peer may make us keep.

    Attributes:
        state: One of states.py, which connection.py moves: whether the peer's bytes mean anything.
        clock: Tells what is due; given by whoever asks for short messages.
        due: The moment from which there are none, because the session has something to say.
        received_at: When bytes came last.
        handed: How many events were handed out.
        last: The name of the last of them; None before that.
        wall: When what is looked at was received, seconds since the epoch.
        heard: When the last message was received, seconds since the epoch; 0.0 before the first.
        sought: Bytes that `seek_close` has looked through.
        unfinished: What `came_unfinished` said when all else was forgotten.
        message: What a part of has come, of which `room` may want the rest; or None.
        position: Where the next frame, or rest of a payload, starts in what was read.
    """

    __slots__ = (
        "_arrived", "_data", "_filled", "_incoming", "_is_giving", "_is_starved", "_max_size",
        "_most_short", "_parts", "_remaining", "clock", "due", "handed", "heard", "last", "message",
        "position", "received_at", "sought", "state", "unfinished", "wall",
    )  # fmt: skip

    def __init__(self, limits: Limits) -> None:
        self.state = CONNECTING
        self.clock: Clock = _STANDS_STILL
        self.due = 0.0
        self.received_at = 0.0
        self.sought = self.handed = 0
        self.last: str | None = None
        self.heard = 0.0
        # (bytes, wall clock), not looked at; made when it is needed, because many never need it
        self._arrived: deque[tuple[bytes, float]] | None = None
        self._data = b""  # being parsed
        self.position = 0  # where the next frame, or rest of a payload, starts in it
        self._is_starved = False  # what is left of it is less than a frame's header
        self.wall = 0.0
        self.message: Message | None = None
        self._remaining = 0  # bytes of the current data frame's payload that are not here
        self._filled = 0  # bytes put straight into the message, not looked at
        limit = limits.max_message_size
        self._max_size = LARGEST if limit is None else min(limit, LARGEST)
        self._parts = min(limits.parts or 0, LARGEST)  # bytes of one; 0 for whole messages
        self._is_giving = False  # parts may be made of what was put into the message
        self.unfinished = 0
        self._most_short = -1  # longest short message
        # What changes a message back, by its reserved bits.
        self._incoming: dict[int, Incoming] | None = None

    # What comes in

    def receive(self, data: bytes, wall: float) -> None:
        """Store bytes from the peer; `wall` is the wall clock's time of the read."""
        # After a close frame or a violation the peer's bytes mean nothing (1.4, 7.1.7).
        if self.state is not ANSWERING and self.state is not CLOSED:
            if self._arrived is None:
                self._arrived = deque()
            self._arrived.append((data, wall))

    def is_hungry(self) -> bool:
        """Whether all that came was looked at, so that whoever asks for the events may `take`."""
        if self._arrived or not (self._is_starved or self.position == len(self._data)):
            return False
        if self.state is not OPEN and self.state is not CLOSING:
            return False
        message = self.message
        if not self._filled or message is None:
            return not self._is_giving
        # A text is looked at each time, so that broken UTF-8 fails fast; and so is what may be a
        # part.
        return not message.is_text and not self._parts and self._filled < self._remaining

    def hunger(self, calm_until: float, calm_frame: float) -> float:
        """Until when nothing but bytes matters; -1.0 where not all that came was looked at.

        Where all was, it is let go of, so that its memory may be used again.

        Arguments:
            calm_until: Till then nothing else matters.
            calm_frame: Within a frame, for so many seconds since the last byte.
        """
        if not self.is_hungry():
            return -1.0
        position, size = self.position, len(self._data)
        is_within = self._remaining > 0 or position < size
        if position and self.message is None:  # as `let_go`, without a call
            self._data = b"" if position == size else self._data[position:]
            self.position = 0
        return min(calm_until, self.received_at + calm_frame) if is_within else calm_until

    def let_go(self) -> None:
        """Keep nothing of what was read and looked at."""
        position = self.position
        self._data = b"" if position == len(self._data) else self._data[position:]
        self.position = 0

    def offer(self, data: bytes, wall: float) -> bool:
        """Whether all that came before was looked at; if so, these bytes are taken."""
        if not self.is_hungry():
            return False
        self.take(data, wall)
        return True

    def take(self, data: bytes, wall: float) -> None:
        """Store bytes where all that came before was looked at.

        For whoever asks for the events, who needs no lock for it then.
        """
        position = self.position
        self._data = data if position == len(self._data) else self._data[position:] + data
        self.position = 0
        self.wall = wall
        self._is_starved = False

    def room(self) -> memoryview | None:
        """Where a large message's next bytes may be put, or None: use `receive`."""
        message = self.message
        remaining = self._remaining - self._filled
        if message is None or remaining < _DIRECT or self._arrived:
            return None
        if message.incoming is not None:
            return None
        return message.room(remaining)

    def filled(self, count: int, wall: float) -> None:
        """`count` bytes were put into the room; its view must be released by now."""
        assert self.message is not None
        self.message.filled(count)
        self._filled += count
        self.wall = wall

    def is_mid_frame(self) -> bool:
        """Whether a frame has started and not ended."""
        return self._remaining > 0 or self.position < len(self._data)

    def shorten(self) -> None:
        """Allow `short_message` to give messages that the session does not see."""
        self._most_short = min(self._parts, self._max_size) if self._parts else self._max_size

    def short_message(self) -> Text | Binary | None:
        """The next event if that is a short message which is here whole, and no moment is due.

        The path of most messages, so it repeats what `next_event` does; whoever gets None asks
        that. It needs no lock: it touches only what belongs to whoever asks for the events.
        """
        data = raw = self._data
        position = self.position
        start = position + 2
        size = len(data)
        if start > size or self.message is not None:
            return None
        first = data[position]
        length = data[position + 1]
        if length > 125:
            if length == 126 and start + 2 <= size:
                length = data[start] << 8 | data[start + 1]
                start += 2
                least = 126
            elif length == 127 and start + 8 <= size:
                if data[start] | data[start + 1] | data[start + 2] | data[start + 3]:
                    return None  # 4 GiB are not here whole
                length = data[start + 4]
                length = length << 8 | data[start + 5]
                length = length << 8 | data[start + 6]
                length = length << 8 | data[start + 7]
                start += 8
                least = 65_536
            else:
                return None
            if length < least:
                return None  # not the shortest way to say it: `next_event` says so
        end = start + length
        if end > size or length > self._most_short:
            return None
        if self.due < _NEVER and self.clock.has_come(self.due):
            return None
        if first == _FIN_TEXT:
            text = Text.__new__(Text)
            try:
                text.text = raw[start:end].decode()
            except UnicodeDecodeError:
                return None  # `next_event` says so
            self.heard = text.received_time = self.wall
            self.position = end
            self.handed += 1
            self.last = _TEXT
            return text
        if first == _FIN_BINARY:
            binary = Binary.__new__(Binary)
            binary.data = raw[start:end]
            self.heard = binary.received_time = self.wall
            self.position = end
            self.handed += 1
            self.last = _BINARY
            return binary
        return None if self._incoming is None else self._short_changed(first, start, end)

    def _short_changed(self, first: int, start: int, end: int) -> Text | Binary | None:
        """The short message that these bytes were before extensions changed it, or None."""
        bits = first & RESERVED_BITS
        kind = first ^ bits
        assert self._incoming is not None
        incoming = self._incoming.get(bits)
        if incoming is None or self._parts or (kind != _FIN_TEXT and kind != _FIN_BINARY):
            return None  # how long a message is that must be changed back, nobody knows yet
        try:
            payload = incoming.whole(self._data, start, end, self._max_size)
            if kind == _FIN_TEXT:
                text = Text.__new__(Text)
                text.text = payload.decode()
                self.heard = text.received_time = self.wall
                self.position = end
                self.handed += 1
                self.last = _TEXT
                return text
        except (ProtocolError, UnicodeDecodeError) as error:
            # `next_event` says so; what it asks has changed already, and could not do it again.
            self._incoming = {bits: Failed(error, incoming.noun)}
            return None
        binary = Binary.__new__(Binary)
        binary.data = payload
        self.heard = binary.received_time = self.wall
        self.position = end
        self.handed += 1
        self.last = _BINARY
        return binary

    # The close frame among what came

    def seek_close(self) -> bool:
        """Whether a close frame is among what came; what lies before it is dropped.

        For whoever wants no other event any more: after it, `next_event` only gives that frame's.
        """
        data = self.unparsed()
        position, is_found = seek_close(data, self._remaining - self._filled)
        self.sought += min(position, len(data))
        self.forget()
        self._data = data[position:]
        self._remaining = max(0, position - len(data))
        return is_found

    def close_payload(self) -> bytes | None:
        """The payload of a close frame that is among what came; None without one."""
        data = self.unparsed()
        position, is_found = seek_close(data, self._remaining - self._filled)
        if not is_found:
            return None
        start = position + 2
        return data[start : start + data[position + 1]]

    def unparsed(self) -> bytes:
        """All that came and was not looked at."""
        pieces = [self._data[self.position :]]
        for piece, _ in self._arrived or ():
            pieces.append(piece)  # no generator: Cython has none here
        return b"".join(pieces)

    def came_unfinished(self) -> int:
        """Payload bytes, as they were sent, of a message that has begun and not ended."""
        message = self.message
        if message is None:
            return self.unfinished
        return message.announced - self._remaining + self._filled

    def forget(self) -> None:
        """Nothing that came after a close frame or a violation is kept."""
        self.unfinished = self.came_unfinished()
        self._arrived = None
        self._is_giving = False
        self._data, self.position, self._remaining, self.message = b"", 0, 0, None
        self._filled = 0
