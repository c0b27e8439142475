"""What one connection has to write: frames in order, pongs that wait, messages that are held.

RFC 6455 sections 5.5.3 and 6.1; with which keys they are masked, 5.3 and 10.3. Whether something
may be sent is decided in connection.py.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .frames import CLOSE, CONTINUATION, FIN, OPCODE_BITS, PING, PONG, TEXT
from .mask import masked_frame

if TYPE_CHECKING:
    from collections.abc import Callable

    from .extensions.extension import Outgoing

_MOST_AT_ONCE = 4096  # bytes drawn from the system's random source


class MaskingKeys:
    """Masking keys, drawn in batches that grow with use; each is given out once.

    Arguments:
        random_bytes: Gives n unpredictable bytes, like ``os.urandom`` (RFC 6455 section 10.3).
    """

    __slots__ = ("_batch", "_next", "_random_bytes")

    def __init__(self, random_bytes: Callable[[int], bytes]) -> None:
        self._random_bytes = random_bytes
        self._batch = b""
        self._next = 0

    def take(self) -> bytes:
        """A key that was never given out before."""
        start = self._next
        if start == len(self._batch):
            self._batch = self._random_bytes(min(max(32, start * 2), _MOST_AT_ONCE))
            start = 0
        self._next = start + 4
        raw = self._batch
        return raw[start : start + 4]


class Output:
    """Frames on their way out.

    Arguments:
        keys: Masking keys.

    Attributes:
        is_ready: Whether `take` would return bytes.
        held_size: Bytes of messages that are held until the upgrade is done.
        has_backlog: Set by the session while earlier output is still unwritten.
        is_held: Whether frames wait for the upgrade.
        sent: Bytes of messages that were ever queued, as they were given.
        pending: Bytes of those whose send has not returned; when all is over, because it raised.
        largest: Bytes of the largest of them.
        is_streaming: Whether a message has begun that is sent in fragments, and not ended.
        offset: Bytes of that which were queued.
        texts, binaries, parts, pings, pongs: How many were ever queued.
    """

    __slots__ = (
        "_changed", "_frames", "_is_text", "_keys", "_only", "_opcode", "_outgoing", "_pong",
        "_request", "binaries", "has_backlog", "held_size", "is_held", "is_ready", "is_streaming",
        "largest", "offset", "parts", "pending", "pings", "pongs", "sent", "texts",
    )  # fmt: skip

    def __init__(self, keys: MaskingKeys) -> None:
        self.is_ready = False
        self.held_size = 0
        self.sent = self.pending = self.largest = 0
        self.texts = self.binaries = self.parts = self.pings = self.pongs = 0
        self.has_backlog = False
        self._outgoing: tuple[tuple[int, Outgoing], ...] = ()
        self._keys = keys
        self.is_held = True
        self._request = b""
        self._only = b""  # the frame that waits, if it is one
        self._frames: list[bytes] = []  # else
        self.is_streaming = False
        self.offset = self._opcode = 0
        self._is_text: bool = False  # the message that is sent in fragments
        self._changed: tuple[Outgoing, ...] = ()  # what changes it
        self._pong: bytes | None = None  # the newest unsent one, kept back by a backlog

    def ask(self, request: bytes) -> None:
        """Queue the upgrade request: what leaves before all frames."""
        self._request = request
        self.is_ready = True

    def opened(self, outgoing: tuple[tuple[int, Outgoing], ...]) -> None:
        """The upgrade is done: what was held may leave.

        Arguments:
            outgoing: What changes messages, in order, each with the bit that says so.
        """
        self.is_held = False
        self.is_ready = bool(self._only or self._frames)
        self._outgoing = outgoing

    def take(self) -> bytes:
        """The bytes to be written, in order."""
        self.is_ready = False
        if self.is_held:
            request, self._request = self._request, b""
            return request
        if self._only:
            only, self._only = self._only, b""
            return only
        taken, self._frames = self._frames, []
        return b"".join(taken)

    def put(self, opcode: int, payload: bytes, compress: bool = False) -> None:
        """Queue a frame; a message as the extensions make it, compressed only if `compress`."""
        if opcode < CLOSE:
            size = len(payload)
            self.sent += size
            if size > self.largest:
                self.largest = size
            if opcode == TEXT:
                self.texts += 1
            else:
                self.binaries += 1
        elif opcode == PING:
            self.pings += 1
        elif opcode == PONG:
            self.pongs += 1
        if self._outgoing and opcode < CLOSE:
            for bit, outgoing in self._outgoing:
                changed = outgoing.change(payload, compress)
                if changed is not None:
                    opcode |= bit
                    payload = changed
        frame = masked_frame(FIN | opcode, payload, self._keys.take())
        if self._frames:
            self._frames.append(frame)
        elif self._only:
            self._frames = [self._only, frame]
            self._only = b""
        else:
            self._only = frame
        self.is_ready = not self.is_held or self.is_ready

    def begin(self, opcode: int, compress: bool) -> None:
        """A message begins that is sent in fragments (RFC 6455 section 5.4), as its bytes come."""
        changed: list[Outgoing] = []
        for bit, outgoing in self._outgoing:
            if outgoing.begin(compress):
                opcode |= bit
                changed.append(outgoing)
        self.is_streaming = True
        self.offset = 0
        self._changed = tuple(changed)
        self._opcode = opcode

    def fragment(self, payload: bytes, is_last: bool) -> None:
        """Queue the next bytes of that message, as a frame."""
        opcode, size = self._opcode, len(payload)
        self.sent += size
        self.parts += size > 0
        self.offset += size
        self.largest = max(self.largest, self.offset)
        for outgoing in self._changed:
            payload = outgoing.piece(payload, is_last)
        frame = masked_frame(FIN | opcode if is_last else opcode, payload, self._keys.take())
        if self._only:
            self._frames, self._only = [self._only], b""
        self._frames.append(frame)
        self.is_ready = True
        if opcode:
            self._is_text = opcode & OPCODE_BITS == TEXT
        self._opcode = CONTINUATION
        if is_last:
            self.is_streaming = False
            if self._is_text:
                self.texts += 1
            else:
                self.binaries += 1

    def withdraw(self) -> bool:
        """End that message where no fragment of it was queued; whether it has an end now."""
        if self.is_streaming and self._opcode:
            self.is_streaming = False
        return not self.is_streaming

    def pong(self, payload: bytes) -> None:
        """Answer a ping: at once, or as the newest one after the backlog."""
        # 5.5.3: while earlier ones are unsent, MAY send one for only the most recent Ping.
        if self.has_backlog:
            self._pong = payload
        else:
            self.put(PONG, payload)

    def release_pong(self, may_send: bool) -> None:
        """The backlog is gone: the pong that it kept back leaves if it still may."""
        self.has_backlog = False
        payload, self._pong = self._pong, None
        if payload is not None and may_send:
            self.put(PONG, payload)
