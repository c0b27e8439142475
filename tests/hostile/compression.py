"""Compression, RFC 7692: bombs, broken data, and what RSV1 may stand on."""

from __future__ import annotations

import zlib

from lomond.options import Deflate
from lomond.testing.peer import End

from .case import MIB, Case, Said, dribbled, frame, repeated, upgraded
from .deflating import AGREED, deflated, ended, stored

_TEXT, _BINARY, _START = 0xC1, 0xC2, 0x42
_LIMIT = 100_000
_BOMB = deflated(bytes(16 * MIB))  # of 16 KiB
_ALONE = AGREED[:-2] + b"; server_no_context_takeover\r\n"
_NOTHING = b"\0\0\0\xff\xff"  # an empty block
# A match that reaches back over what a first message left in the window.
_FIRST = bytes(range(256)) * 2


def _second(bits: int = 15) -> list[bytes]:
    """Two messages of which the second needs the first."""
    stream = zlib.compressobj(9, zlib.DEFLATED, -bits)
    return [(stream.compress(_FIRST) + stream.flush(zlib.Z_SYNC_FLUSH))[:-4] for _ in range(2)]


def _case(name: str, *said: Said, shows: str, code: int | None, says: str = "",
          extra: bytes = AGREED, limit: int = _LIMIT) -> Case:  # fmt: skip
    return Case(
        name=name,
        talk=upgraded(*said, extra=extra),
        shows=f"ready {shows} disconnected",
        says=says,
        code=code,
        options={"compress": Deflate(), "max_message_size": limit},
        seconds=2.0,
        memory=3 * MIB,
    )


def _bomb(name: str, *said: Said) -> Case:
    return _case(name, *said, shows="protocol_error", code=1009, says="max_message_size")


def _breaks(
    name: str, *said: Said, code: int = 1007, shows: str = "", extra: bytes = AGREED
) -> Case:
    return _case(name, *said, shows=f"{shows} protocol_error".strip(), code=code, extra=extra)


def _is_fine(name: str, *said: Said, shows: str, extra: bytes = AGREED) -> Case:
    return _case(name, *said, End(), shows=shows, code=None, extra=extra)


def _whole(data: bytes) -> bytes:
    return frame(_BINARY, data)


def _halves(data: bytes) -> bytes:
    """A message in two fragments."""
    half = len(data) // 2
    return frame(_START, data[:half]) + frame(0x80, data[half:])


CASES = [
    _bomb("a bomb", frame(_BINARY, _BOMB)),
    _bomb("a bomb in fragments", _halves(_BOMB)),
    _bomb("a bomb as a text", frame(_TEXT, _BOMB)),
    _bomb("a bomb byte by byte", *(part for part in dribbled(frame(_BINARY, _BOMB)[:400], 0.0))),
    _bomb("a bomb behind a last block", frame(_BINARY, ended(b"x")[:-1] + _BOMB)),
    _bomb(
        "last blocks without end",
        frame(_START),
        *repeated(90, frame(0x00, ended(b"x" * 100)[:-1] * 200)),
    ),
    _bomb("a byte above the limit", frame(_BINARY, deflated(bytes(_LIMIT + 1)))),
    _bomb("a byte above the limit in fragments", _halves(deflated(bytes(_LIMIT + 1)))),
    _bomb("a byte above the limit, not compressed", frame(0x82, bytes(_LIMIT + 1))),
    _bomb(
        "a byte above the limit in stored blocks",
        frame(_BINARY, stored(bytes(50_000)) + stored(bytes(50_001)) + b"\0"),
    ),
    _bomb("empty blocks without end", frame(_START), *repeated(50, frame(0x00, _NOTHING * 10_000))),
    _bomb("much that inflates to nothing", frame(_BINARY, _NOTHING * 100_000)),
    *(
        _is_fine(f"{what} the limit{how}", make(deflated(bytes(size))), shows="binary")
        for what, size in (("a byte below", _LIMIT - 1), ("as long as", _LIMIT))
        for how, make in (("", _whole), (" in fragments", _halves))
    ),
    _is_fine(
        "as long as the limit in stored blocks",
        frame(_BINARY, stored(bytes(50_000)) + stored(bytes(50_000)) + b"\0"),
        shows="binary",
    ),
    _breaks("garbage", frame(_BINARY, b"\xff" * 100)),
    _breaks("a block of type 3", frame(_BINARY, b"\x07\0")),
    _breaks("a stored block whose sizes differ", frame(_BINARY, b"\0\x05\0\0\0hello")),
    _breaks("a block with wrong code lengths", frame(_BINARY, b"\xfd\xff\xff\xff\xff\xff\xff")),
    _breaks("a distance before the start", frame(_BINARY, b"\x03\x42\x00")),
    _breaks(
        "broken data in a second fragment",
        frame(_START, deflated(b"x")) + frame(0x80, b"\xff" * 10),
    ),
    _breaks("broken data behind a last block", frame(_BINARY, ended(b"x")[:-1] + b"\xff" * 10)),
    _breaks("a text in a stored block that is cut", frame(_TEXT, stored(b"x" * 50, 100))),
    _breaks(
        "a text that needs what is forgotten",
        *(frame(_BINARY, data) for data in _second()),
        shows="binary",
        extra=_ALONE,
    ),
    _breaks("RSV1 of a ping", frame(0xC9, b"x"), code=1002),
    _breaks("RSV1 of a pong", frame(0xCA, b"x"), code=1002),
    _breaks("RSV1 of a close frame", frame(0xC8, b"\x03\xe8"), code=1002),
    _breaks("RSV1 of a continuation", frame(_START, b"") + frame(0xC0, b"\0"), code=1002),
    _breaks(
        "RSV1 of a continuation of what is not compressed",
        frame(0x02) + frame(0xC0, b"\0"),
        code=1002,
    ),
    _breaks("RSV1 and RSV2", frame(0xE2, deflated(b"x")), code=1002),
    _breaks("RSV2 of a message", frame(0xA2, b"x"), code=1002),
    _breaks("RSV1 of opcode 3", frame(0xC3, deflated(b"x")), code=1002),
    _breaks("RSV1 of what continues nothing", frame(0xC0, b"x"), code=1002),
    Case(
        name="RSV1 without an agreement",
        talk=upgraded(frame(_TEXT, deflated(b"x"))),
        shows="ready protocol_error disconnected",
        code=1002,
        options={"compress": Deflate()},
    ),
    _is_fine(
        "a last block, then a message",
        frame(_BINARY, ended(b"x")) + frame(_TEXT, deflated(b"y")),
        shows="binary text",
    ),
    _is_fine(
        "a second message that needs the first",
        *(frame(_BINARY, data) for data in _second()),
        shows="binary",
    ),
    _is_fine("an empty compressed message", frame(_TEXT, b"\0") + frame(0x82), shows="text binary"),
    _is_fine("no byte, compressed", frame(_TEXT) + frame(0x82), shows="text binary"),
    _is_fine(
        "empty compressed fragments",
        frame(0x41) + frame(0x00) * 500 + frame(0x80, b"\0"),
        shows="text",
    ),
    _is_fine(
        "a message that is not compressed between two",
        frame(_TEXT, deflated(b"x")) + frame(0x82, b"\xff") + frame(_TEXT, deflated(b"y")),
        shows="text binary text",
    ),
    _is_fine(
        "a text of one byte in many blocks",
        frame(_TEXT, _NOTHING * 500 + deflated(b"x")),
        shows="text",
    ),
]
