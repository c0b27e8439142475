"""An extension for tests: it marks by RSV2, keeps state over messages, and may fail to negotiate.

A message begins with its number, and its bytes are mixed with what the messages before it left.
"""

from __future__ import annotations

from lomond.errors import HandshakeError, PayloadTooLarge, ProtocolError
from lomond.protocol import frames
from lomond.protocol.extensions.extension import Incoming

NAME = "x-rolling"
Parameters = list[tuple[str, str | None]]


class Roll:
    """The state of one direction."""

    def __init__(self, start: int) -> None:
        self.number = start
        self._key = start

    def mixed(self, data: bytes) -> bytes:
        """The next bytes of a message."""
        return bytes(byte ^ self._key for byte in data)

    def end(self, size: int) -> None:
        """A message of that size is over."""
        self.number = (self.number + 1) % 256
        self._key = (7 * self._key + size) % 256

    def packed(self, message: bytes) -> bytes:
        """A whole message as it is sent."""
        packed = bytes([self.number]) + self.mixed(message)
        self.end(len(message))
        return packed


class RollingOffer:
    name = NAME

    def __init__(self, start: int = 3, bit: int = frames.RSV2) -> None:
        self._start = start
        self._bit = bit

    def offer(self) -> str:
        return f"{NAME}; start={self._start}"

    def accept(self, parameters: Parameters) -> Rolling:
        if parameters != [("start", str(self._start))]:
            raise HandshakeError(f"{NAME} was answered with {parameters}")
        return Rolling(self._start, self._bit)


class Rolling:
    name = NAME
    compression = None

    def __init__(self, start: int = 3, bit: int = frames.RSV2) -> None:
        self.bit = bit
        self._start = start

    def incoming(self) -> RollingIncoming:
        return RollingIncoming(Roll(self._start))

    def outgoing(self) -> RollingOutgoing:
        return RollingOutgoing(Roll(self._start))


class RollingOutgoing:
    def __init__(self, roll: Roll) -> None:
        self._roll = roll

        self._sent = 0

    def change(self, payload: bytes, compress: bool) -> bytes | None:
        return self._roll.packed(payload) if payload else None

    def begin(self, compress: bool) -> bool:
        self._sent = -1
        return True

    def piece(self, payload: bytes, is_last: bool) -> bytes:
        said = b"" if self._sent >= 0 else bytes([self._roll.number])
        self._sent = max(self._sent, 0) + len(payload)
        said += self._roll.mixed(payload)
        if is_last:
            self._roll.end(self._sent)
        return said


class RollingIncoming(Incoming):
    def __init__(self, roll: Roll) -> None:
        super().__init__("rolling message")
        self._roll = roll
        self._size = -1  # of the current message; its number is still to come
        self._data = b""
        self._is_ending = False

    def most(self, size: int, pieces: int) -> int:
        return size + 1

    def whole(self, data: bytes, start: int, end: int, limit: int) -> bytes:
        self.put(data[start:end])
        message = self.take(end - start + 1, limit)
        self.end()
        assert self.take(1, limit) == b""
        return message

    def put(self, data: bytes | memoryview) -> None:
        assert not self._data
        self._data = bytes(data)

    def end(self) -> None:
        assert not self._data
        self._is_ending = True

    def take(self, most: int, limit: int) -> bytes:
        data = self._data
        if data and self._size < 0:
            if data[0] != self._roll.number:
                raise ProtocolError(f"message {data[0]} where {self._roll.number} was to come")
            self._size, data = 0, data[1:]
        data, self._data = data[:most], data[most:]
        self._size += len(data)
        if self._size > limit:
            raise PayloadTooLarge("too much of it", code=1009)
        if self._is_ending and not data:
            if self._size < 0:
                raise ProtocolError("a message without its number")
            self._roll.end(self._size)
            self._size, self._is_ending = -1, False
        return self._roll.mixed(data)
