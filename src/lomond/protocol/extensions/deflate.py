"""Messages compressed and inflated, RFC 7692 sections 6 and 7.2.

Knows nothing of frames; what is negotiated is in permessage_deflate.py.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...errors import CriticalProtocolError, PayloadTooLarge
from ..buffer import joined
from .extension import Incoming

if TYPE_CHECKING:
    from ...compression import Backend, Compression
    from ...options import Deflate

_TAIL = b"\x00\x00\xff\xff"  # of an empty stored block: not sent (7.2.1)
_EMPTY = b"\x00"  # an empty message (7.2.3.6)
_STEP = 64 * 1024  # bytes; most that is fed, or inflated, at once
_AT_MOST = _STEP  # as libraries take it
# Of what a new stream is fed. When a final block ends it the library copies the rest, so that
# small ones without end would each cost a large step.
_FIRST_STEP = 256
# A message that fits may be larger as it is sent: nine bits for a byte (RFC 1951 3.2.6), and what
# blocks, and flushes between fragments, add.
_SLACK = 64 * 1024  # bytes
_SLACK_OF_FRAGMENT = 16  # bytes; a block's header, and what a flush adds
_SYNC_FLUSH = 2
_DEFLATED = 8
MIN_WINDOW_BITS = 9  # what the libraries can compress with


class Inflater(Incoming):
    """Inflates one message after another, and never more than the limit.

    Arguments:
        compression: What was negotiated.
        backend: The library.
    """

    __slots__ = (
        "_bits", "_compression", "_data", "_error", "_has_begun", "_is_more", "_keeps", "_made",
        "_new", "_ours", "_position", "_step", "_stream",
    )  # fmt: skip

    def __init__(self, compression: Compression, backend: Backend) -> None:
        super().__init__("compressed message")
        self._compression = compression
        self._new = backend.decompressobj
        self._error = backend.error
        self._keeps = not compression.server_no_context_takeover
        bits = compression.server_max_window_bits
        # A window of 8 bits can be inflated only with a larger one.
        self._bits = -15 if bits < MIN_WINDOW_BITS else -bits
        self._made = 0  # bytes of the current message
        self._stream: Any = None
        self._has_begun: bool = False  # the stream there is got bytes of the current message
        self._data: bytes | memoryview = b""  # what is to be inflated, from the position on
        self._position = 0
        # Of its last bytes, so many are the tail that we add, which means nothing after a final
        # block; without it, the message has not ended.
        self._ours = 0
        self._is_more: bool = False  # the stream has more to give of what it took
        self._step = _STEP

    def most(self, size: int, pieces: int) -> int:
        """The most bytes that a message of that size may be sent in, in so many frames."""
        return size + size // 8 + _SLACK + _SLACK_OF_FRAGMENT * pieces

    def whole(self, data: bytes, start: int, end: int, limit: int) -> bytes:
        """The message whose bytes lie in the data from the start to the end. Raises as `take`."""
        size = end - start
        if not 0 < size < _STEP:
            self.put(data[start:end])
            made_first = self._rest(limit)
            self.end()
            return made_first + self._rest(limit)
        data = joined(data, start, end, _TAIL)
        asked = _AT_MOST if limit >= _STEP else limit + 1
        stream = self._stream
        if stream is None:
            stream = self._new(self._bits)
        try:
            inflated: bytes = stream.decompress(data, asked)
        except self._error as error:
            raise _broken(error) from None
        compression = self._compression
        compression.received_compressed += size
        made = len(inflated)
        if made < _STEP and made <= limit and not stream.eof:  # the way of nearly all
            compression.received_raw += made
            if self._keeps:
                self._stream = stream
            return inflated
        self._stream = stream
        self._has_begun = True
        self._data, self._ours = data, len(_TAIL)
        self._position = len(data) - self._unused(inflated, limit)
        self._is_more = self._has_begun
        return inflated + self._rest(limit)

    def put(self, data: bytes | memoryview) -> None:
        """The next bytes of a message; all that came before them has been taken."""
        self._compression.received_compressed += len(data)
        self._data, self._position = data, 0

    def end(self) -> None:
        """The message has ended."""
        self._data, self._position, self._ours = _TAIL, 0, len(_TAIL)

    def take(self, most: int, limit: int) -> bytes:
        """What the bytes that were put inflate to, at most so many of it at a time.

        Raises:
            PayloadTooLarge: The message would have more than the limit.
            ProtocolError: The data is broken.
        """
        data = self._data
        size = len(data)
        while self._is_more or size - self._position > (0 if self._has_begun else self._ours):
            position = self._position
            if self._stream is None:
                self._step = _FIRST_STEP
            # What a library does not look at it copies: let it be little where little is asked for.
            step = min(self._step, max(most, _FIRST_STEP))
            self._step = min(2 * self._step, _STEP)
            piece = data[position : position + step]
            # Never 0: that would mean no limit.
            asked = min(most, limit - self._made + 1)
            inflated = self._inflate(piece, asked)
            self._position = position + len(piece) - self._unused(inflated, limit)
            self._is_more = self._has_begun and len(inflated) == asked
            if inflated:
                return inflated
        self._data, self._position = b"", 0
        if self._ours:
            self._end_message()
        return b""

    def _rest(self, limit: int) -> bytes:
        """All that is to be taken now."""
        pieces: list[bytes] = []
        while piece := self.take(_STEP, limit):
            pieces.append(piece)
        return b"".join(pieces)

    def _inflate(self, data: bytes | memoryview, asked: int) -> bytes:
        if self._stream is None:
            self._stream = self._new(self._bits)
        self._has_begun = True
        try:
            inflated: bytes = self._stream.decompress(data, asked)
        except self._error as error:
            raise _broken(error) from None
        return inflated

    def _unused(self, inflated: bytes, limit: int) -> int:
        """Count what was made; how many bytes the stream has not looked at."""
        self._made += len(inflated)
        if self._made > limit:
            raise PayloadTooLarge(
                f"message inflates to more than max_message_size ({limit}); "
                "raise that option to accept it",
                code=1009,
                section="RFC 6455 7.4.1",
            )
        stream = self._stream
        if stream.eof:
            # 7.2.3.4: what follows a final block is for another stream.
            self._stream = None
            self._has_begun = False
            return len(stream.unused_data)
        return len(stream.unconsumed_tail)

    def _end_message(self) -> None:
        self._compression.received_raw += self._made
        self._made = self._ours = 0
        self._has_begun = self._is_more = False
        if not self._keeps:
            self._stream = None


class Deflater:
    """Compresses one message after another.

    Arguments:
        compression: What was negotiated.
        backend: The library.
        options: The user's.
    """

    __slots__ = ("_compression", "_keeps", "_min_size", "_new", "_options", "_stream")

    def __init__(self, compression: Compression, backend: Backend, options: Deflate) -> None:
        self._min_size = options.min_size
        self._compression = compression
        self._new = backend.compressobj
        self._options = options
        self._keeps = not compression.client_no_context_takeover
        self._stream: Any = None

    def change(self, payload: bytes, compress: bool) -> bytes | None:
        """The message compressed; None if it is to be sent as it is."""
        size = len(payload)
        if not compress or size < self._min_size:
            return None
        stream = self._stream
        if stream is None:
            stream = self._begun()
        made: bytes = stream.compress(payload)  # nothing yet, of a short message
        data = (made + stream.flush(_SYNC_FLUSH))[: -len(_TAIL)] or _EMPTY
        changed = len(data)
        if not self._keeps:
            self._stream = None
            if changed >= size:
                return None
        compression = self._compression
        compression.sent_raw += size
        compression.sent_compressed += changed
        return data

    def begin(self, compress: bool) -> bool:
        """A message begins whose length nobody knows yet; whether it is compressed."""
        return compress

    def piece(self, payload: bytes, is_last: bool) -> bytes:
        """The next bytes of that message compressed, with nothing kept back."""
        data = b""
        if payload:
            stream = self._stream or self._begun()
            data = stream.compress(payload) + stream.flush(_SYNC_FLUSH)
        if is_last:
            # What was flushed ends with the tail, which may stand within a message; another block.
            data += _EMPTY
            if not self._keeps:
                self._stream = None
        self._compression.sent_raw += len(payload)
        self._compression.sent_compressed += len(data)
        return data

    def _begun(self) -> Any:
        """A new stream."""
        options = self._options
        bits = self._compression.client_max_window_bits
        self._stream = self._new(options.level, _DEFLATED, -bits, options.memory_level)
        return self._stream


def _broken(error: Exception) -> CriticalProtocolError:
    message = f"unable to decompress payload; {error}"
    return CriticalProtocolError(message, code=1007, section="RFC 7692 7.2.2")
