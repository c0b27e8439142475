"""Compressed or not, in any parameters: what was packed comes out, within the limit, in any split.

No exception comes out, and what is sent inflates to what was meant.
"""

from __future__ import annotations

import contextlib
import zlib
from typing import Any

from lomond.compression import Backend, Compression, load_backend
from lomond.options import Deflate, Limits
from lomond.protocol.connection import Connection
from lomond.protocol.extensions.permessage_deflate import PerMessageDeflate
from lomond.protocol.output import MaskingKeys
from lomond.testing.alone import counting_bytes

from .choices import Choices, split
from .talking import Heard, hear
from .wire import BINARY, written

_TAIL = b"\x00\x00\xff\xff"
_LIMITS = (1000, 1, 70_000, 300, None)
_BITS = (15, 9, 12, 8)
_TIMES = (1, 1, 1, 2, 30, 300)
_FLUSHES = (zlib.Z_SYNC_FLUSH, zlib.Z_FULL_FLUSH)
_OPCODES = (1, 2, 0, 9, 10, 8)


def _backends() -> list[Backend]:
    found = [load_backend("zlib")]
    with contextlib.suppress(ImportError):  # it is an extra
        found.append(load_backend("zlib-ng"))
    return found


_BACKENDS = _backends()


class Stream:
    """What a server says, and what should be heard of it as long as it is honest."""

    def __init__(self, compression: Compression) -> None:
        self.data = b""
        self.expected: list[bytes] = []
        self.is_honest = True
        self._compression = compression
        self._packer: Any = None

    def add(self, choices: Choices) -> None:
        """The next of it."""
        kind = choices.byte() % 5
        if kind == 0:
            self.data += choices.piece()
            self.is_honest = False
        elif kind == 1:
            opcode, is_final = choices.pick(_OPCODES), not choices.flag()
            self._frame(opcode, choices.piece(), rsv1=choices.flag(), is_final=is_final)
            self.is_honest = False
        elif kind == 2:
            self._packed(choices)
        elif kind == 3:
            self._frame(choices.pick((9, 10)), choices.piece()[:125])
        else:
            payload = choices.piece() * choices.pick(_TIMES)
            self.expected.append(payload)
            self._frame(BINARY, payload)

    def _packed(self, choices: Choices) -> None:
        message = choices.piece() * choices.pick(_TIMES)
        payload = self._pack(message, choices.pick(_FLUSHES))
        fragments = 1 + choices.byte() % 4
        size = len(payload) // fragments + 1
        for i in range(fragments):
            part = payload[i * size : (i + 1) * size]
            is_final = i == fragments - 1
            self._frame(0 if i else BINARY, part, rsv1=i == 0, is_final=is_final)
        self.expected.append(message)

    def _pack(self, message: bytes, flush: int) -> bytes:
        if self._packer is None or self._compression.server_no_context_takeover:
            bits = max(9, self._compression.server_max_window_bits)
            self._packer = zlib.compressobj(1, zlib.DEFLATED, -bits)
        packed: bytes = self._packer.compress(message) + self._packer.flush(flush)
        return packed[: -len(_TAIL)] or b"\x00"

    def _frame(
        self, opcode: int, payload: bytes, *, rsv1: bool = False, is_final: bool = True
    ) -> None:
        first = opcode | (0x40 if rsv1 else 0) | (0x80 if is_final else 0)
        size = len(payload)
        if size < 126:
            head = bytes([first, size])
        elif size < 65536:
            head = bytes([first, 126]) + size.to_bytes(2, "big")
        else:
            head = bytes([first, 127]) + size.to_bytes(8, "big")
        self.data += head + payload


def check(data: bytes) -> str:
    """One input: what was negotiated, the limit, the cuts, and what the server says."""
    choices = Choices(data)
    limits = Limits(choices.pick(_LIMITS), 6)
    backend = choices.pick(_BACKENDS)
    parameters = (
        choices.flag(),
        choices.flag(),
        choices.pick(_BITS),
        choices.pick(_BITS),
    )
    options = Deflate(level=choices.pick((-1, 1, 0)), memory_level=8, min_size=0)
    sizes = choices.sizes()
    stream = Stream(Compression(*parameters))
    while not choices.is_empty():
        stream.add(choices)

    def heard(chunks: list[bytes], has_short_ways: bool = False) -> Heard:
        deflate = PerMessageDeflate(Compression(*parameters), options, backend)
        return hear(chunks, limits, extensions=[deflate], has_short_ways=has_short_ways)

    whole = heard([stream.data])
    for has_short_ways in (False, True):
        pieces = heard(split(stream.data, sizes), has_short_ways)
        assert pieces.story() == whole.story(), "the split makes a difference"
    if stream.is_honest:
        _check_honest(whole, stream.expected, limits.max_message_size)
    _check_sent(stream.expected, Compression(*parameters), options, backend)
    return "\n".join(whole.story())


def _check_honest(whole: Heard, expected: list[bytes], most: int | None) -> None:
    got = [event.data for event in whole.events if event.name == "binary"]
    too_large = [number for number, m in enumerate(expected) if most is not None and len(m) > most]
    if not too_large:
        assert got == expected, "what was packed does not come out"
        return
    assert got == expected[: too_large[0]], "what was packed does not come out"
    assert whole.events[-1].name == "protocol_error"
    assert whole.events[-1].code == 1009


def _check_sent(
    messages: list[bytes], compression: Compression, options: Deflate, backend: Backend
) -> None:
    connection = Connection(Limits(), MaskingKeys(counting_bytes()))
    connection.opened([PerMessageDeflate(compression, options, backend)])
    bits = compression.client_max_window_bits
    reader = None
    for message in messages[:8]:
        connection.send(BINARY, message, True)
        (frame,) = written(connection.output.take(), may_be_compressed=bits > 8)
        payload = frame.payload
        if frame.is_compressed:
            if reader is None or compression.client_no_context_takeover:
                reader = zlib.decompressobj(-bits)
            payload = reader.decompress(payload + _TAIL)
        assert payload == message, "what is sent inflates to something else"
