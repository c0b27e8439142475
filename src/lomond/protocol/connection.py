"""One connection after its upgrade, RFC 6455 sections 5 to 7: bytes in; events and bytes out.

Theory of operation. `receive` only stores bytes. `next_event` parses one event's worth of them and
moves the state; an answer that the user's handler may still change (to a close frame, to a
violation) is queued by the call after the one that returned the event. Where bytes lie, and the
short way of messages that need none of this, is told in input.py. Whether one may send, and when
the connection is closed, the table in states.py decides. Knows nothing of time; what happens when
nothing arrives is told in session/.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..errors import PayloadTooLarge, ProtocolError, WebSocketClosing, WebSocketUnavailable
from . import frames
from .events import (
    Binary,
    BinaryPart,
    Closed,
    Closing,
    Ping,
    Pong,
    ProtocolError as ProtocolErrorEvent,
    Text,
    TextPart,
)
from .extensions.extension import changed_back, changes
from .frames import (
    CLOSE,
    FIN,
    OPCODE_BITS,
    RESERVED_BITS,
    TEXT,
    check_extended_length,
    check_first_bytes,
)
from .input import LARGEST, Input
from .messages import Message
from .output import Output
from .parts import Parts
from .states import ANSWERING, CLOSED, CLOSING, CLOSING_EARLY, CONNECTING, OPEN, TRANSITIONS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..options import Limits
    from .events import AnyEvent
    from .extensions.extension import Extension, Incoming
    from .output import MaskingKeys


_SHOWN = 64  # bytes of a frame that broke a rule


class Connection(Input):
    """The state of one connection, the events of its input, and what it may send.

    Arguments:
        limits: What the peer may make us keep.
        keys: Masking keys.
        auto_pong: Whether pings are answered.

    Attributes:
        violation: The rule that the peer broke, or None.
        came: The first bytes of the frame that broke it.
        output: What is to be written.
        has_ended: The session's word that nothing more will be handed out or sent.
        is_ahead: Whoever asks for the events has not handed out the last one yet: it is no reason
            to refuse a message.
    """

    __slots__ = (
        "_answer", "_auto_pong", "_claimed", "_final", "_limits", "came", "has_ended", "is_ahead",
        "output", "violation",
    )  # fmt: skip

    def __init__(self, limits: Limits, keys: MaskingKeys, auto_pong: bool = True) -> None:
        super().__init__(limits)
        self.violation: ProtocolError | None = None
        self.output = Output(keys)
        self.has_ended = False
        self.is_ahead = False
        self._limits = limits
        self._auto_pong = auto_pong
        self._final = False  # whether the current data frame is its message's last
        self._claimed = 0  # all reserved bits that extensions mark messages by
        self._answer = b""
        self.came = b""

    def opened(self, extensions: Sequence[Extension] = ()) -> None:
        """The upgrade is done: held frames may leave, frames may come.

        Arguments:
            extensions: Those that were negotiated, in the order of the server's answer.
        """
        self._move("opened")
        for extension in extensions:
            self._claimed |= extension.bit
        self._incoming = changed_back(extensions) if extensions else None
        self.output.opened(changes(extensions))

    # Events

    def close_to_come(self) -> bytes | None:
        """The payload of a close frame that came and was not handed out; None if there is none.

        Changes nothing: for words about what failed meanwhile.
        """
        if self.state is ANSWERING and self.violation is None:
            return self._answer
        return self.close_payload()

    def next_event(self) -> AnyEvent | None:
        """The next event, or None: more bytes are needed, or nothing more will come."""
        if self.state is not OPEN and self.state is not CLOSING:
            self.answer_now()
            return None
        try:
            while True:
                if self._is_giving:
                    event = self._given()
                    if event is not None:
                        return event
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
                data, wall = self._arrived.popleft()
                self.take(data, wall)
        except UnicodeDecodeError as error:
            return self._fail(frames.invalid_utf8("payload contains invalid utf-8", error))
        except ProtocolError as error:
            return self._fail(error)

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
                with memoryview(self._data) as whole, whole[start : start + count] as payload:
                    message.add(payload)
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
            return self._part(message)
        message.check()
        return None

    def _part(self, message: Parts) -> AnyEvent:
        """The next part of a message; all of it, if that is not more."""
        offset, wall = message.offset, self.wall
        is_first, is_last = offset == 0, message.is_last()
        event: AnyEvent
        if message.is_text:
            text = message.next_text()
            if is_first and is_last:
                event = Text(text, received_time=wall)
            else:
                event = TextPart(text, offset, is_first, is_last, received_time=wall)
        else:
            data = message.next_data()
            if is_first and is_last:
                event = Binary(data, received_time=wall)
            else:
                event = BinaryPart(data, offset, is_first, is_last, received_time=wall)
        self.parts += not (is_first and is_last)
        if is_last:
            self.message = None
            self._count(message.offset - offset, message.is_text)
        else:
            self.size += message.offset - offset
        return event

    def _count(self, size: int, is_text: bool) -> None:
        """A message that is no short one has come to its end, with so many bytes."""
        self.heard = self.wall
        self.size += size
        if is_text:
            self.long_texts += 1
        else:
            self.long_binaries += 1

    def _control(self, opcode: int, payload: bytes) -> AnyEvent:
        if opcode == frames.PONG:
            self.pongs += 1
            return Pong(payload, received_time=self.wall)
        if opcode == frames.PING:
            self.pings += 1
            self._answer_ping(payload)
            return Ping(payload, received_time=self.wall)
        code, reason = frames.read_close_payload(payload)
        if self.state is OPEN:
            # 5.5.1: the endpoint typically echos the status code it received.
            self._answer = payload
            self._move("close received")
            self.forget()
            return Closing(code, reason, received_time=self.wall)
        self._move("close received")
        self.forget()
        return Closed(code, reason, received_time=self.wall)

    def _answer_ping(self, payload: bytes) -> None:
        # 5.5.3: MUST send a Pong, unless a Close was received.
        if self._auto_pong and self.state is OPEN:
            self.output.pong(payload)

    def _fail(self, error: ProtocolError) -> AnyEvent:
        """7.1.7: fail the connection. Nothing more is parsed."""
        self.violation = error
        self.came = self._data[self.position : self.position + _SHOWN]
        self._answer = frames.build_close_payload(error.code, str(error))
        self._move("violation")
        self.forget()
        return ProtocolErrorEvent(
            str(error),
            error.critical,
            code=error.code,
            section=error.section,
            received_time=self.wall,
        )

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
        if self.output.is_streaming and opcode < CLOSE:
            if self.state is not OPEN:
                raise WebSocketClosing("data not sent")
            raise WebSocketUnavailable(
                "a message is being sent by send_stream, and no other can stand in it; send "
                "before or after that"
            )
        self.output.put(opcode, payload, compress)

    def send_all(self, messages: list[tuple[int, bytes]], compress: bool) -> None:
        """Queue messages, in order. Raises as `send`, behind those that it has queued."""
        for opcode, payload in messages:
            self.send(opcode, payload, compress)

    def begin_message(self, opcode: int, compress: bool) -> None:
        """Begin a message that is sent in fragments; no other can be sent until it ends.

        Arguments:
            opcode: What it is.
            compress: Whether an extension may compress it.

        Raises:
            WebSocketClosing: One side has begun to close.
            WebSocketUnavailable: The connection is not ready, or such a message is sent already.
        """
        self._check_fragment()
        if self.output.is_streaming:
            raise WebSocketUnavailable(
                "another message is being sent by send_stream; send this one after that"
            )
        self.output.begin(opcode, compress)

    def send_fragment(self, payload: bytes, is_last: bool) -> None:
        """Queue the next bytes of that message. Raises WebSocketClosing: one side closes."""
        self._check_fragment()
        self.output.fragment(payload, is_last)

    def _check_fragment(self) -> None:
        if self.state is CONNECTING:
            raise WebSocketUnavailable(
                "not ready: what send_stream sends is not held; call it from the ready event on"
            )
        if self.state is not OPEN:
            raise WebSocketClosing("data not sent")

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
