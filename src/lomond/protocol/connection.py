"""One connection after its upgrade, RFC 6455 sections 5 to 7: bytes in; events and bytes out.

Theory of operation. `receive` only stores bytes. `next_event` parses one event's worth of them and
moves the state; an answer that the user's handler may still change (to a close frame, to a
violation) is queued by the call after the one that returned the event. Where bytes lie, and the
short way of messages that need none of this, is told in input.py, what frames become in parsing.py.
Whether one may send, and when the connection is closed, the table in states.py decides. Knows
nothing of time; what happens when nothing arrives is told in session/.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..errors import ProtocolError, WebSocketClosing, WebSocketUnavailable
from . import frames
from .events import Closed, Closing, ProtocolError as ProtocolErrorEvent
from .extensions.extension import changed_back, changes
from .frames import CLOSE
from .output import Output
from .parsing import Parsing
from .states import ANSWERING, CLOSED, CLOSING, CLOSING_EARLY, CONNECTING, OPEN, TRANSITIONS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..options import Limits
    from .events import AnyEvent
    from .extensions.extension import Extension
    from .output import MaskingKeys


_SHOWN = 64  # bytes of a frame that broke a rule


class Connection(Parsing):
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
        "_answer", "_auto_pong", "came", "has_ended", "is_ahead", "output", "violation",
    )  # fmt: skip

    def __init__(self, limits: Limits, keys: MaskingKeys, auto_pong: bool = True) -> None:
        super().__init__(limits)
        self.violation: ProtocolError | None = None
        self.output = Output(keys)
        self.has_ended = False
        self.is_ahead = False
        self._auto_pong = auto_pong
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

    # Control frames

    def _control(self, opcode: int, payload: bytes) -> AnyEvent:
        if opcode != CLOSE:
            if opcode == frames.PING:
                self._answer_ping(payload)
            return Parsing._control(self, opcode, payload)
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
