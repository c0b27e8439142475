"""What one connection has to write: frames in order, pongs that wait, messages that are held.

RFC 6455 sections 5.5.3 and 6.1. Whether something may be sent is decided in connection.py.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .frames import CLOSE, OPCODE_BITS, PONG, RSV1, build

if TYPE_CHECKING:
    from .extensions.deflate import Deflater
    from .keys import MaskingKeys


class Output:
    """Frames on their way out.

    Arguments:
        keys: Masking keys.

    Attributes:
        is_ready: Whether `take` would return bytes.
        held_size: Bytes of messages that are held until the upgrade is done.
        has_backlog: Set by the session while earlier output is still unwritten.
        is_held: Whether frames wait for the upgrade.
        sent: Bytes of messages that were ever queued, with their heads.
        deflater: Compresses messages, or None.
    """

    __slots__ = (
        "_frames",
        "_keys",
        "_only",
        "_pong",
        "_request",
        "deflater",
        "has_backlog",
        "held_size",
        "is_held",
        "is_ready",
        "sent",
    )

    def __init__(self, keys: MaskingKeys) -> None:
        self.is_ready = False
        self.held_size = 0
        self.sent = 0
        self.has_backlog = False
        self.deflater: Deflater | None = None
        self._keys = keys
        self.is_held = True
        self._request = b""
        self._only = b""  # the frame that waits, if it is one
        self._frames: list[bytes] = []  # else
        self._pong: bytes | None = None  # the newest unsent one, kept back by a backlog

    def ask(self, request: bytes) -> None:
        """Queue the upgrade request: what leaves before all frames."""
        self._request = request
        self.is_ready = True

    def opened(self, deflater: Deflater | None) -> None:
        """The upgrade is done: what was held may leave."""
        self.is_held = False
        self.is_ready = bool(self._only or self._frames)
        self.deflater = deflater

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
        """Queue a frame; a message is compressed if `compress`, and if that was negotiated."""
        deflater = self.deflater
        if compress and deflater is not None and len(payload) >= deflater.min_size:
            deflated = deflater.deflate(payload)
            if deflated is not None:
                # RFC 7692 6.1: RSV1 of the first frame says that the message is compressed.
                opcode |= RSV1
                payload = deflated
        frame = build(opcode, payload, self._keys.take())
        if opcode & OPCODE_BITS < CLOSE:
            self.sent += len(frame)
        if self._frames:
            self._frames.append(frame)
        elif self._only:
            self._frames = [self._only, frame]
            self._only = b""
        else:
            self._only = frame
        self.is_ready = not self.is_held or self.is_ready

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
