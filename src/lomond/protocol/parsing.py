"""Frames, and the messages that they make, out of what came: RFC 6455 sections 5.2 to 5.4, 10.4.

What follows from a ping or a close frame, and from broken rules, is in connection.py.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..errors import PayloadTooLarge, ProtocolError
from . import frames
from .events import Binary, BinaryPart, Ping, Pong, Text, TextPart
from .frames import (
    CLOSE,
    FIN,
    OPCODE_BITS,
    PING,
    RESERVED_BITS,
    TEXT,
    check_extended_length,
    check_first_bytes,
)
from .input import LARGEST, Input
from .messages import Message
from .parts import Parts

if TYPE_CHECKING:
    from ..options import Limits
    from .events import AnyEvent
    from .extensions.extension import Incoming


class Parsing(Input):
    """What came, frame by frame.

    Arguments:
        limits: What the peer may make us keep.
    """

    __slots__ = ("_claimed", "_final", "_limits")

    def __init__(self, limits: Limits) -> None:
        super().__init__(limits)
        self._limits = limits
        self._final = False  # whether the current data frame is its message's last
        self._claimed = 0  # all reserved bits that extensions mark messages by

    def _next_frame(self, first: int, second: int, start: int) -> tuple[AnyEvent | None, bool]:
        """The event of the frame whose header starts, and whether anything was consumed."""
        check_first_bytes(first, second, self._claimed)
        opcode = first & OPCODE_BITS
        data = self._data
        length = second
        if opcode >= CLOSE:
            end = start + length
            if end > len(data):
                return None, False
            self.position = end
            return self._control(opcode, data[start:end]), True
        self._check_sequence(opcode)
        if length > 125:
            size = 2 if length == 126 else 8
            if len(data) < start + size:
                return None, False
            length = int.from_bytes(data[start : start + size], "big")
            start += size
            check_extended_length(length, size)
        message = self.message
        bits = first & RESERVED_BITS
        incoming = self._incoming[bits] if bits and self._incoming is not None else None
        self._check_limits(message, length, incoming)
        final = first >= FIN
        end = start + length
        is_whole = final and message is None and end <= len(data)
        if is_whole and (not self._parts or (incoming is None and length <= self._parts)):
            self.position = end
            if incoming is None:
                payload = data[start:end]
            else:
                payload = incoming.whole(data, start, end, self._max_size)
            text = payload.decode() if opcode == TEXT else None
            self._count(len(payload), text is not None)
            if text is not None:
                return Text(text, received_time=self.wall), True
            return Binary(payload, received_time=self.wall), True
        if message is None:
            message = self._begun(opcode == TEXT, incoming)
            self.message = message
        message.fragments += 1
        message.announced += length
        self._final = final
        self.position = start
        self._remaining = length
        return self._more_payload(), True

    def _check_sequence(self, opcode: int) -> None:
        # 5.4: fragments of one message MUST NOT be interleaved with those of another.
        if opcode == frames.CONTINUATION:
            if self.message is None:
                raise ProtocolError(
                    "continuation frame has nothing to continue", section="RFC 6455 5.4"
                )
        elif self.message is not None:
            raise ProtocolError("continuation frame expected", section="RFC 6455 5.4")

    def _check_limits(
        self, message: Message | None, length: int, incoming: Incoming | None
    ) -> None:
        size = length
        pieces = 1
        if message is not None:
            size += message.announced
            pieces += message.fragments
            incoming = message.incoming
        allowed = self._max_size
        if incoming is not None:
            allowed = min(incoming.most(allowed, pieces), LARGEST)
        if size > allowed:
            what = "message" if incoming is None else incoming.noun
            raise PayloadTooLarge(
                f"{what} of {size} bytes or more is larger than max_message_size "
                f"({self._max_size}); raise that option to accept it",
                code=1009,
                section="RFC 6455 7.4.1",
            )
        most = self._limits.max_fragments
        if most is not None and message is not None and message.fragments >= most:
            raise PayloadTooLarge(
                f"message of {message.fragments + 1} fragments or more is above max_fragments "
                f"({most}); raise that option to accept it",
                code=1009,
                section="RFC 6455 7.4.1",
            )

    def _more_payload(self) -> AnyEvent | None:
        """Move what is here of the current payload into its message; the event if that ends it."""
        message = self.message
        assert message is not None
        if self._filled:
            count, self._filled = self._filled, 0
        else:
            start = self.position
            count = message.wants(min(self._remaining, len(self._data) - start))
            if count:
                message.add_from(self._data, start, start + count)
                self.position = start + count
        self._remaining -= count
        if self._parts:
            return self._given()
        if self._remaining or not self._final:
            message.check()
            return None
        self.message = None
        message.end()
        size = message.size()
        text = message.text() if message.is_text else None
        self._count(size, text is not None)
        if text is not None:
            return Text(text, received_time=self.wall)
        return Binary(message.data(), received_time=self.wall)

    def _begun(self, is_text: bool, incoming: Incoming | None) -> Message:
        """A message of which not all is here."""
        if self._parts:
            return Parts(is_text, incoming, self._max_size, self._parts)
        return Message(is_text, incoming, self._max_size)

    def _given(self) -> AnyEvent | None:
        """The part that what came of the message makes, if it makes one."""
        given = self.message
        assert isinstance(given, Parts)
        message = given
        is_last = not self._remaining and self._final
        if message.incoming is not None:
            self._is_giving = True
            if message.take():
                return self._part(message)
            if is_last and not message.has_ended:
                message.end()
                if message.take():
                    return self._part(message)
            self._is_giving = False
        elif is_last:
            message.end()
        if message.has_ended or message.is_full():
            event = self._part(message)
            # Of what was put straight into it there may be more.
            is_more = message.has_ended or message.is_full()
            self._is_giving = self.message is not None and is_more
            return event
        message.check()
        return None

    def _part(self, message: Parts) -> AnyEvent:
        """The next part of a message; all of it, if that is not more."""
        offset, wall = message.offset, self.wall
        is_first, is_last = offset == 0, message.is_last()
        text, data = "", b""
        if message.is_text:
            text = message.next_text()
        else:
            data = message.next_data()
        if is_last:
            self.message = None
            self._count(message.offset - offset, message.is_text)
            if is_first:
                if message.is_text:
                    return Text(text, received_time=wall)
                return Binary(data, received_time=wall)
        else:
            self.size += message.offset - offset
        self.parts += 1
        if message.is_text:
            return TextPart(text, offset, is_first, is_last, received_time=wall)
        part = BinaryPart.__new__(BinaryPart)  # there are many; the same as by its arguments
        part.data = data
        part.offset = offset
        part.is_first = is_first
        part.is_last = is_last
        part.received_time = wall
        return part

    def _count(self, size: int, is_text: bool) -> None:
        """A message that is no short one has come to its end, with so many bytes."""
        self.heard = self.wall
        self.size += size
        if is_text:
            self.long_texts += 1
        else:
            self.long_binaries += 1

    def _control(self, opcode: int, payload: bytes) -> AnyEvent:
        """The event of a ping or a pong."""
        if opcode == PING:
            self.pings += 1
            return Ping(payload, received_time=self.wall)
        self.pongs += 1
        return Pong(payload, received_time=self.wall)
