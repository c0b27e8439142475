"""One connection after its upgrade, RFC 6455 sections 5 to 7: bytes in; events and bytes out.

Theory of operation. `receive` only stores bytes. `next_event` parses one event's worth of them and
moves the state; an answer that the user's handler may still change (to a close frame, to a
violation) is queued by the call after the one that returned the event. `short_message` gives what
needs none of this: a message that is here whole, until a moment is due. Whether one may send, and
when the connection is closed, the table in states.py decides. Knows nothing of time but that
moment; what happens when nothing arrives is told in session/.
"""

from __future__ import annotations

import sys
from collections import deque
from typing import TYPE_CHECKING

from ..errors import (
    PayloadTooLarge,
    ProtocolError,
    WebSocketClosing,
    WebSocketUnavailable,
)
from . import frames
from .events import Binary, Closed, Closing, Ping, Pong, ProtocolError as ProtocolErrorEvent, Text
from .extensions import chain
from .frames import (
    BINARY,
    CLOSE,
    FIN,
    OPCODE_BITS,
    RESERVED_BITS,
    TEXT,
    check_extended_length,
    check_first_bytes,
)
from .messages import Message
from .output import Output
from .seeking import seek_close
from .states import (
    ANSWERING,
    CLOSED,
    CLOSING,
    CLOSING_EARLY,
    CONNECTING,
    OPEN,
    TRANSITIONS,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ..options import Limits
    from .events import AnyEvent
    from .extensions.extension import Extension, Incoming
    from .keys import MaskingKeys

_FIN_TEXT = FIN | TEXT
_FIN_BINARY = FIN | BINARY
_NEVER = float("inf")
_LARGEST = sys.maxsize // 2  # bytes; what can be addressed, and a header more
_DIRECT = 64 * 1024  # bytes still to come from which a payload is read straight into its message


class Connection:
    """The state of one connection and its bytes in both directions.

    Arguments:
        limits: What the peer may make us keep.
        keys: Masking keys.
        auto_pong: Whether pings are answered.

    Attributes:
        state: One of the states above.
        violation: The rule that the peer broke, or None.
        output: What is to be written.
        clock: Tells the time; given by whoever asks for short messages.
        due: The moment from which there are none, because the session has something to say.
        received_at: When bytes came last.
        has_ended: The session's word that nothing more will be handed out or sent.
        is_ahead: Whoever asks for the events has not handed out the last one yet: it is no reason
            to refuse a message.
        sought: Bytes that `seek_close` has looked through.
        message: What a part of has come, of which `room` may want the rest; or None.
        position: Where the next frame, or rest of a payload, starts in what was read.
    """

    __slots__ = (
        "_answer", "_arrived", "_auto_pong", "_claimed", "_data", "_filled", "_final",
        "_incoming", "_is_starved", "_limits", "_max_size", "_most_short", "_remaining",
        "_wall", "clock", "due", "has_ended", "is_ahead", "message", "output", "position",
        "received_at", "sought", "state", "violation",
    )  # fmt: skip

    def __init__(self, limits: Limits, keys: MaskingKeys, auto_pong: bool = True) -> None:
        self.state = CONNECTING
        self.violation: ProtocolError | None = None
        self.output = Output(keys)
        self.clock: Callable[[], float] = float  # 0.0: no moment is due
        self.due = 0.0
        self.received_at = 0.0
        self.has_ended = False
        self.is_ahead = False
        self.sought = 0
        self._limits = limits
        self._auto_pong = auto_pong
        limit = limits.max_message_size
        self._max_size = _LARGEST if limit is None else min(limit, _LARGEST)
        self._most_short = -1  # longest short message
        # (bytes, wall clock), not looked at; made when it is needed, because many never need it
        self._arrived: deque[tuple[bytes, float]] | None = None
        self._data = b""  # being parsed
        self.position = 0  # where the next frame, or rest of a payload, starts in it
        self._is_starved = False  # what is left of it is less than a frame's header
        self._wall = 0.0
        self.message: Message | None = None
        self._remaining = 0  # bytes of the current data frame's payload that are not here
        self._filled = 0  # bytes put straight into the message, not looked at
        self._final = False  # whether the current data frame is its message's last
        # What changes a message back, by its reserved bits; and all of these.
        self._incoming: dict[int, Incoming] | None = None
        self._claimed = 0
        self._answer = b""

    # What comes in

    def opened(self, extensions: Sequence[Extension] = ()) -> None:
        """The upgrade is done: held frames may leave, frames may come.

        Arguments:
            extensions: Those that were negotiated, in the order of the server's answer.
        """
        self._move("opened")
        for extension in extensions:
            self._claimed |= extension.bit
        self._incoming = chain.incoming(extensions) if extensions else None
        self.output.opened(chain.outgoing(extensions))

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
        if not self._filled:
            return True
        # A text is looked at each time, so that broken UTF-8 fails fast.
        assert self.message is not None
        return not self.message.is_text and self._filled < self._remaining

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
        """As `take`, where all is hungry; whether it is."""
        if not self.is_hungry():
            return False
        self.take(data, wall)
        return True

    def take(self, data: bytes, wall: float) -> None:
        """As `receive`, for whoever asks for the events: needs no lock where all is hungry."""
        position = self.position
        self._data = data if position == len(self._data) else self._data[position:] + data
        self.position = 0
        self._wall = wall
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
        self._wall = wall

    def is_mid_frame(self) -> bool:
        """Whether a frame has started and not ended."""
        return self._remaining > 0 or self.position < len(self._data)

    def seek_close(self) -> bool:
        """Whether a close frame is among what came; what lies before it is dropped.

        For whoever wants no other event any more: after it, `next_event` only gives that frame's.
        """
        data = self._unparsed()
        position, is_found = seek_close(data, self._remaining - self._filled)
        self.sought += min(position, len(data))
        self._forget_input()
        self._data = data[position:]
        self._remaining = max(0, position - len(data))
        return is_found

    def close_to_come(self) -> bytes | None:
        """The payload of a close frame that came and was not handed out; None if there is none.

        Changes nothing: for words about what failed meanwhile.
        """
        if self.state is ANSWERING and self.violation is None:
            return self._answer
        data = self._unparsed()
        position, is_found = seek_close(data, self._remaining - self._filled)
        if not is_found:
            return None
        start = position + 2
        return data[start : start + data[position + 1]]

    def _unparsed(self) -> bytes:
        pieces = [self._data[self.position :]]
        for piece, _ in self._arrived or ():
            pieces.append(piece)  # no generator: Cython has none here
        return b"".join(pieces)

    def next_event(self) -> AnyEvent | None:
        """The next event, or None: more bytes are needed, or nothing more will come."""
        if self.state is not OPEN and self.state is not CLOSING:
            self.answer_now()
            return None
        try:
            while True:
                data = self._data
                position = self.position
                if len(data) - position >= 2 and not self._remaining:
                    first = data[position]
                    event, is_progress = self._next_frame(first, data[position + 1], position + 2)
                    if event is not None:
                        return event
                    if is_progress:
                        continue
                elif self._remaining:
                    event = self._more_payload()
                    if event is not None:
                        return event
                    if not self._remaining or self.position < len(self._data):
                        continue
                if not self._arrived:
                    self._is_starved = True
                    return None
                self.take(*self._arrived.popleft())
        except UnicodeDecodeError as error:
            return self._fail(frames.invalid_utf8("payload contains invalid utf-8", error))
        except ProtocolError as error:
            return self._fail(error)

    def shorten(self) -> None:
        """From now on `short_message` may give messages that the session does not see."""
        self._most_short = self._max_size

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
        if self.due < _NEVER and self.clock() >= self.due:
            return None
        if first == _FIN_TEXT:
            text = Text.__new__(Text)
            try:
                text.text = raw[start:end].decode()
            except UnicodeDecodeError:
                return None  # `next_event` says so
            text.received_time = self._wall
            self.position = end
            return text
        if first == _FIN_BINARY:
            binary = Binary.__new__(Binary)
            binary.data = raw[start:end]
            binary.received_time = self._wall
            self.position = end
            return binary
        return None

    # One frame

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
        if final and message is None and end <= len(data):
            self.position = end
            payload = data[start:end]
            if incoming is not None:
                payload = incoming.whole(payload, self._max_size)
            if opcode == TEXT:
                return Text(payload.decode(), received_time=self._wall), True
            return Binary(payload, received_time=self._wall), True
        if message is None:
            message = self.message = Message(opcode == TEXT, incoming, self._max_size)
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
            allowed = min(incoming.most(allowed, pieces), _LARGEST)
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
            count = min(self._remaining, len(self._data) - start)
            if count:
                with memoryview(self._data) as whole, whole[start : start + count] as payload:
                    message.add(payload)
                self.position = start + count
        self._remaining -= count
        if self._remaining or not self._final:
            message.check()
            return None
        self.message = None
        message.end()
        if message.is_text:
            return Text(message.text(), received_time=self._wall)
        return Binary(message.data(), received_time=self._wall)

    def _control(self, opcode: int, payload: bytes) -> AnyEvent:
        if opcode == frames.PONG:
            return Pong(payload, received_time=self._wall)
        if opcode == frames.PING:
            self._answer_ping(payload)
            return Ping(payload, received_time=self._wall)
        code, reason = frames.read_close_payload(payload)
        if self.state is OPEN:
            # 5.5.1: the endpoint typically echos the status code it received.
            self._answer = payload
            self._move("close received")
            self._forget_input()
            return Closing(code, reason, received_time=self._wall)
        self._move("close received")
        self._forget_input()
        return Closed(code, reason, received_time=self._wall)

    def _answer_ping(self, payload: bytes) -> None:
        # 5.5.3: MUST send a Pong, unless a Close was received.
        if self._auto_pong and self.state is OPEN:
            self.output.pong(payload)

    def _fail(self, error: ProtocolError) -> AnyEvent:
        """7.1.7: fail the connection. Nothing more is parsed."""
        self.violation = error
        self._answer = frames.build_close_payload(error.code, str(error))
        self._move("violation")
        self._forget_input()
        return ProtocolErrorEvent(
            str(error),
            error.critical,
            code=error.code,
            section=error.section,
            received_time=self._wall,
        )

    def _forget_input(self) -> None:
        """Nothing that came after a close frame or a violation is kept."""
        self._arrived = None
        self._data, self.position, self._remaining, self.message = b"", 0, 0, None
        self._filled = 0

    def answer_now(self) -> None:
        """Queue the close frame that answers the peer's, or its violation, if one is due."""
        if self.state is ANSWERING:
            self.output.put(frames.CLOSE, self._answer)
            self._move("close sent")

    # What goes out

    def send(self, opcode: int, payload: bytes, compress: bool = False) -> None:
        """Queue a message or control frame.

        Arguments:
            opcode: What it is.
            payload: Its bytes.
            compress: Whether an extension may compress it.

        Raises:
            WebSocketClosing: A close frame was sent, or is all that may be.
            WebSocketUnavailable: Too much is held already for a connection that is not ready.
        """
        if self.state is CLOSED or self.state is CLOSING or self.state is CLOSING_EARLY:
            raise WebSocketClosing("data not sent")
        if self.state is ANSWERING and self.violation is not None and not self.is_ahead:
            raise WebSocketClosing("data not sent; the peer broke the protocol")
        if self.state is CONNECTING:
            size = len(payload) + frames.MAX_HEADER_SIZE
            if self.output.held_size + size > self._limits.max_held:
                raise WebSocketUnavailable(
                    "not ready, and more is held than max_held allows; wait for the ready event"
                )
            self.output.held_size += size
        self.output.put(opcode, payload, compress)

    def close(self, code: int | None, reason: str | bytes | None) -> bool:
        """Queue a close frame if none was and none is due; whether one was queued.

        Raises:
            TypeError, ValueError: The code may not be sent.
        """
        payload = frames.build_close_payload(code, reason)
        # The answer to a violation has the code that the RFC says.
        if (self.state, "close sent") not in TRANSITIONS or self.violation is not None:
            return False
        self.output.put(frames.CLOSE, payload)
        self._move("close sent")
        return True

    def release_pong(self) -> None:
        """The backlog is gone: the pong that it kept back may leave."""
        self.output.release_pong(self.state is OPEN)

    def _move(self, happening: str) -> None:
        self.state = TRANSITIONS[self.state, happening]
