"""The server's side of a connection that echoes: bytes in, bytes out, without I/O.

What a client sends is checked as RFC 6455 wants it of a server; compression is not agreed to.
"""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Callable, Iterator

from ..errors import PayloadTooLarge, ProtocolError
from ..protocol import frames
from ..protocol.http.upgrade import accept_value
from ..protocol.mask import head, mask
from .peer import End, Hear, Peer, Say, Talk

_LARGEST_HEAD = 65536  # bytes, of a request
_LARGEST_MESSAGE = 64 * 1024 * 1024  # bytes
_PATIENCE = 2.0  # seconds, for a client to hang up once all is said
_BAD_REQUEST = (
    b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n"
    b"Sec-WebSocket-Version: 13\r\nContent-Length: 0\r\n\r\n"
)


class Echoing:
    """One connection: what is to be said to what was heard.

    Arguments:
        tell: Is given the code of the client's close frame; None for one without a code.
        largest: Bytes of a message, of all its fragments; what is more is refused with 1009.

    Attributes:
        is_over: Whether nothing more is said.
    """

    def __init__(
        self, tell: Callable[[int | None], object], largest: int = _LARGEST_MESSAGE
    ) -> None:
        self.is_over = False
        self._tell = tell
        self._largest = largest
        self._is_open = False
        self._data = bytearray()  # what is not used up yet
        self._kind: int | None = None  # of the message whose fragments come
        self._parts = bytearray()

    def talk(self, peer: Peer) -> Talk:
        """All of it as a script: nothing is heard while the client does not take what is said."""
        peer.farewell = self.farewell
        while not self.is_over:
            data = yield Hear()
            if not data:
                return
            if said := self.receive(data):
                yield Say(said)
        yield End()
        while (yield Hear(_PATIENCE)):  # or what is unread would make a reset of it
            pass

    def receive(self, data: bytes) -> bytes:
        """Take bytes of the client; the answer to them."""
        self._data += data
        said: list[bytes] = []
        try:
            if self._is_open or self._accepts(said):
                for first, payload in self._frames():
                    self._answer(first, payload, said)
        except ProtocolError as error:
            said.append(self.farewell(error.code, str(error)))
        return b"".join(said)

    def farewell(self, code: int, reason: str) -> bytes:
        """A close frame, which is the last one; empty where none may follow."""
        may_close = self._is_open and not self.is_over
        self.is_over = True
        payload = frames.build_close_payload(code, reason)
        return frames.build(frames.CLOSE, payload, None) if may_close else b""

    def _accepts(self, said: list[bytes]) -> bool:
        """Answer the request, once it is here; whether it was accepted."""
        request, blank, rest = self._data.partition(b"\r\n\r\n")
        if not blank and len(request) <= _LARGEST_HEAD:
            return False
        key = _key_of(bytes(request)) if blank else None
        if key is None:
            self.is_over = True
            said.append(_BAD_REQUEST)
            return False
        said.append(
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Accept: " + accept_value(key) + b"\r\n\r\n"
        )
        self._data, self._is_open = rest, True
        return True

    def _frames(self) -> Iterator[tuple[int, bytes]]:
        """The first byte and the payload of each whole frame that is here."""
        data, position = self._data, 0
        try:
            while not self.is_over and (place := self._place(position)) is not None:
                start, end = place
                key = bytes(data[start - 4 : start])
                first, position = data[position], end
                yield first, bytes(mask(data[start:end], key))
        finally:
            del data[:position]

    def _place(self, position: int) -> tuple[int, int] | None:
        """Where the payload of the frame begins and ends; None if not all of it is here."""
        data, size = self._data, len(self._data)
        if size < position + 2:
            return None
        first, second = data[position], data[position + 1]
        if not second & frames.MASKED:
            # 5.1: the server MUST close the connection upon receiving a frame that is not masked.
            raise ProtocolError("client sent unmasked frame", section="RFC 6455 5.1")
        length = second & ~frames.MASKED
        frames.check_first_bytes(first, length)
        start = position + 6
        if length > 125:
            wide = 2 if length == 126 else 8
            start += wide
            if size < start:
                return None
            length = int.from_bytes(data[position + 2 : position + 2 + wide], "big")
            frames.check_extended_length(length, wide)
        if length + len(self._parts) > self._largest:
            raise PayloadTooLarge(f"message is larger than {self._largest} bytes", code=1009)
        return None if size < start + length else (start, start + length)

    def _answer(self, first: int, payload: bytes, said: list[bytes]) -> None:
        opcode = first & frames.OPCODE_BITS
        if opcode == frames.PING:
            said.append(frames.build(frames.PONG, payload, None))
        elif opcode == frames.CLOSE:
            self._tell(frames.read_close_payload(payload)[0])
            said.append(frames.build(frames.CLOSE, payload, None))
            self.is_over = True
        elif opcode != frames.PONG:
            self._take(first, opcode, payload, said)

    def _take(self, first: int, opcode: int, payload: bytes, said: list[bytes]) -> None:
        """A message, or a fragment of one."""
        if (opcode == frames.CONTINUATION) != (self._kind is not None):
            # 5.4: the fragments of one message MUST NOT be interleaved with another's.
            raise ProtocolError("fragment out of order", section="RFC 6455 5.4")
        if first < frames.FIN:
            self._kind = opcode if self._kind is None else self._kind
            self._parts += payload
            return
        if self._kind is not None:
            opcode, payload = self._kind, bytes(self._parts) + payload
            self._kind, self._parts = None, bytearray()
        if opcode == frames.TEXT:
            try:
                payload.decode()
            except UnicodeDecodeError as error:
                raise frames.invalid_utf8("payload contains invalid utf-8", error) from None
        said += (head(frames.FIN | opcode, len(payload)), payload)


def _key_of(request: bytes) -> bytes | None:
    """The key of a request; None if it is no upgrade (4.2.1)."""
    line, *fields = request.split(b"\r\n")
    asked = line.split()
    headers: dict[bytes, bytes] = {}
    for field in fields:
        name, _, value = field.partition(b":")
        headers[name.lower()] = value.strip()
    key = headers.get(b"sec-websocket-key", b"")
    connection = headers.get(b"connection", b"").lower().split(b",")
    try:
        is_upgrade = (
            len(asked) == 3
            and (asked[0], asked[2]) == (b"GET", b"HTTP/1.1")
            and b"host" in headers
            and headers.get(b"upgrade", b"").lower() == b"websocket"
            and b"upgrade" in [token.strip() for token in connection]
            and headers.get(b"sec-websocket-version") == b"13"
            and len(b64decode(key, validate=True)) == 16
        )
    except ValueError:  # not base64
        return None
    return key if is_upgrade else None
