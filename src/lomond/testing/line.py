"""The server's end of one WebSocket connection: it says frames, hears messages, answers by itself.

A script without I/O, as in peer.py: whoever runs one may be a socket or pretend time.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Mapping
from contextlib import suppress
from typing import TypeVar

from ..protocol import frames
from ..protocol.http.upgrade import accept_value
from ..system.clock import monotonic
from .heard import ClientRequest, Heard
from .peer import SILENCE, Action, End, Hear, Pause, Peer, Say, Talk, key_of

_MOST = 65536  # bytes that are heard at once
_BETWEEN = 0.001  # seconds between two bytes that go one by one
_A_SECOND = 16  # how often one that reads slowly does so
_MOMENT = 1.0  # seconds

Result = TypeVar("Result")
#: A part of a script: what it does, and what comes of it.
Part = Generator[Action, bytes, Result]


class Line:
    """One connection, once its request is here.

    Arguments:
        peer: Whose bytes these are.
        tell: Is given each message of the program.
        headers: More for the answer.
        protocol: The sub-protocol that the answer names.

    Attributes:
        peer: As given.
        request: Of the program.
        is_open: Whether the upgrade was accepted.
        end: How the connection ended, in words; None while it stands.
        close_code: Of the program's close frame; None where there was none, or none in it.
        was_closed: Whether the program has sent a close frame.
        was_reset: Whether the server has reset the connection.
        messages: Those that no part of the script has taken yet.
        pongs: The payloads of the program's.
        answers_pings, is_bytewise: How it behaves.
    """

    def __init__(
        self,
        peer: Peer,
        tell: Callable[[Heard], None],
        headers: Mapping[str, str] | None = None,
        protocol: str | None = None,
    ) -> None:
        self.peer = peer
        self.request = ClientRequest(peer.request)
        self.headers = dict(headers or {})
        self.protocol = protocol
        self.is_open = False
        self.end: str | None = None
        self.close_code: int | None = None
        self.was_closed = self.was_reset = False
        self.messages: deque[Heard] = deque()
        self.pongs: deque[bytes] = deque()
        self.answers_pings = True
        self.is_bytewise = False
        self._tell = tell
        self._rate: float | None = None  # bytes a second that are read
        self._kind: int | None = None  # of the message whose fragments come
        self._parts: list[bytes] = []
        self._has_closed = False  # by a close frame
        self._is_mute = False  # in the middle of a frame
        self._is_deaf = False  # a write has failed

    # The answer

    def accept(self, key: bytes | None = None) -> Talk:
        """Accept the upgrade; with another key the answer is wrong."""
        asked = key_of(self.peer.request)
        if not asked:
            raise AssertionError(f"the program did not ask for a WebSocket, but {self.request!r}")
        lines = ["HTTP/1.1 101 Switching Protocols", "Upgrade: websocket", "Connection: Upgrade"]
        lines.append(f"Sec-WebSocket-Accept: {accept_value(key or asked).decode()}")
        if self.protocol is not None:
            lines.append(f"Sec-WebSocket-Protocol: {self.protocol}")
        self.is_open = True
        yield from self.write(_head(lines, self.headers))

    def refuse(self, status: int, headers: Mapping[str, str], body: bytes) -> Talk:
        """Answer with another status, and hang up."""
        from http import HTTPStatus  # of refusals alone

        try:
            phrase = HTTPStatus(status).phrase
        except ValueError:  # one that has no name
            phrase = "Refused"
        more = {"Content-Length": str(len(body)), "Connection": "close", **headers, **self.headers}
        yield from self.write(_head([f"HTTP/1.1 {status} {phrase}"], more) + body)
        yield from self.hang_up(f"the server refused it with {status}")
        yield from self.drain()

    def drain(self) -> Talk:
        """Drop bytes until the program's stream ends."""
        with suppress(OSError):  # of a reset
            while (yield Hear()):
                pass

    # Out

    def write(self, data: bytes) -> Talk:
        """Say bytes as they are; none where the program is known to have gone."""
        if self.end is not None or self._is_deaf:
            return
        try:
            if not self.is_bytewise:
                yield Say(data)
                return
            for byte in data:
                yield Say(bytes([byte]))
                yield Pause(_BETWEEN)
        except OSError:  # what it has said before may still be heard
            self._is_deaf = True

    def say(self, opcode: int, payload: bytes) -> Talk:
        """Say a whole frame."""
        if not self._is_mute:
            yield from self.write(frames.build(opcode, payload, None))

    def say_half(self, payload: bytes) -> Talk:
        """Say the first half of a text's frame; nothing can follow it."""
        frame = frames.build(frames.TEXT, payload, None)
        yield from self.write(frame[: len(frame) // 2])
        self._is_mute = True

    def close(self, code: int | None, reason: str) -> Talk:
        """Say a close frame, hear until the program's own, and hang up."""
        payload = reason.encode() if code is None else code.to_bytes(2, "big") + reason.encode()
        yield from self.say(frames.CLOSE, payload)
        self._has_closed = True
        while self.end is None:
            yield from self.listen(None)

    def farewell(self, code: int, reason: str) -> bytes:
        """A close frame that the script does not say; empty where none may follow."""
        if not self.is_open or self.end is not None or self._has_closed or self._is_mute:
            return b""
        self._has_closed = True
        return frames.build(frames.CLOSE, frames.build_close_payload(code, reason), None)

    def hang_up(self, words: str, *, resets: bool = False) -> Talk:
        """End the stream to the program, or reset it; `words` say why."""
        self.end = self.end or words
        self.was_reset = resets
        with suppress(OSError):  # it has gone before
            yield End(resets)

    # In

    def slow_down(self, rate: float) -> None:
        """Read so many bytes a second from now on, and answer as slowly."""
        self._rate = rate

    def listen(self, until: float | None) -> Part[bool]:
        """Hear one frame, or the end, and answer as a server does. False if neither came by then.

        Arguments:
            until: A moment, monotonic; None for ever.
        """
        while (frame := self.peer.next_frame()) is None:
            within = None if until is None else max(0.0, until - monotonic())
            most = _MOST if self._rate is None else max(1, int(self._rate / _A_SECOND))
            try:
                data = yield Hear(within, most)
            except OSError:
                self.end = self.end or "the program reset the connection"
                return True
            if data is SILENCE:
                return False
            if not data:
                yield from self.hang_up("the program hung up without a close frame")
                return True
            self.peer.add(data)
            if self._rate is not None:
                yield Pause(len(data) / self._rate)
        yield from self._answer(frame.opcode, frame.payload, frame.is_final)
        return True

    def listen_now(self) -> Talk:
        """Hear all that is here."""
        until = monotonic() + _MOMENT  # a program that floods it is not to keep it for ever
        while self.end is None and monotonic() <= until and (yield from self.listen(monotonic())):
            pass

    def listen_for(self, seconds: float) -> Talk:
        """Hear for so long, or until the end."""
        until = monotonic() + seconds
        while self.end is None and (yield from self.listen(until)):
            pass

    def linger(self) -> Talk:
        """Hear until the end."""
        while self.end is None:
            yield from self.listen(None)

    def _answer(self, opcode: int, payload: bytes, is_final: bool) -> Talk:
        if opcode == frames.PING:
            if self.answers_pings and not self._has_closed:
                yield from self.say(frames.PONG, payload)
        elif opcode == frames.PONG:
            self.pongs.append(payload)
        elif opcode == frames.CLOSE:
            self.was_closed = True
            self.close_code = int.from_bytes(payload[:2], "big") if len(payload) > 1 else None
            said = "without a code" if self.close_code is None else f"with {self.close_code}"
            if not self._has_closed:
                yield from self.say(frames.CLOSE, payload)
            yield from self.hang_up(f"the program closed the connection {said}")
        else:
            self._kind = opcode if self._kind is None else self._kind
            self._parts.append(payload)
            if is_final:
                heard = Heard(self._kind == frames.TEXT, b"".join(self._parts))
                self._kind, self._parts = None, []
                self._tell(heard)
                self.messages.append(heard)


def _head(lines: list[str], headers: Mapping[str, str]) -> bytes:
    lines = [*lines, *(f"{name}: {value}" for name, value in headers.items())]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")
