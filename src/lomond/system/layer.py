"""A layer of bytes over a wire: what all of them can do, and one that changes nothing.

One thread at a time may use a layer.
"""

from __future__ import annotations


class Layer:
    """Bytes through, as they are, in both directions: what other layers are made of.

    What comes from below is fed, and read above; what is written above is taken below.

    Attributes:
        has_ended: The stream is over; nothing more can be read.
    """

    __slots__ = ("_incoming_bytes", "_is_at_end", "_outgoing_bytes", "has_ended")

    def __init__(self) -> None:
        self.has_ended = False
        self._is_at_end: bool = False  # what was fed is the last
        self._incoming_bytes = b""
        self._outgoing_bytes = b""

    # Upwards

    def feed(self, data: bytes) -> None:
        """Bytes from below; empty bytes at the end of the stream. Raises OSError."""
        self._incoming_bytes += data
        self._is_at_end = self._is_at_end or not data

    def has_more(self) -> bool:
        """Whether something is left that was fed, if only a part or the end."""
        return bool(self._incoming_bytes) or (self._is_at_end and not self.has_ended)

    def read(self) -> bytes | None:
        """What can be read above; None if more must be fed; empty at the end. Raises OSError."""
        data, self._incoming_bytes = self._incoming_bytes, b""
        if data:
            return data
        self.has_ended = self._is_at_end
        return b"" if self.has_ended else None

    def read_all(self) -> bytes | None:
        """As `read`, as much as there is."""
        return self.read()

    def read_into(self, room: memoryview) -> int:
        """As `read`, into the room; the number of bytes, 0 if none are here. Raises OSError."""
        data = self.read() or b""
        count = min(len(room), len(data))
        room[:count] = data[:count]
        self._incoming_bytes = data[count:]
        return count

    # Downwards

    def write(self, data: bytes) -> None:
        """Bytes from above. Raises OSError."""
        self._outgoing_bytes += data

    def end(self) -> None:
        """Nothing more will be written."""

    def take(self) -> bytes:
        """What is to be written below."""
        data, self._outgoing_bytes = self._outgoing_bytes, b""
        return data
