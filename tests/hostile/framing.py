"""Framing, RFC 6455 section 5.2: header bits, lengths, and frames that are cut off."""

from __future__ import annotations

from collections.abc import Iterator

from lomond.testing.peer import End, Hear

from .case import MIB, Below, Case, Said, frame, repeated, text, upgraded

_MANY = text(b"x") * 20_000


def _breaks(name: str, *said: Said, code: int = 1002, says: str = "") -> Case:
    """A broken rule, behind a message and before another."""
    return Case(
        name=name,
        talk=upgraded(text(b"before"), *said),
        shows="ready text protocol_error disconnected",
        says=says,
        code=code,
        options={"max_message_size": 1000},
        memory=3 * MIB,
    )


def _bits() -> Iterator[Case]:
    for bits in (0x10, 0x20, 0x40, 0x50, 0x60, 0x70):
        yield _breaks(f"reserved bits {bits >> 4:03b}", frame(0x81 | bits, b"x") + text(b"after"))
    for bits in (0x10, 0x20, 0x40):
        yield _breaks(f"reserved bits {bits >> 4:03b} of a ping", frame(0x89 | bits, b"x"))
    for opcode in (3, 4, 5, 6, 7, 11, 12, 13, 14, 15):
        yield _breaks(f"opcode {opcode}", frame(0x80 | opcode, b"x"), says="reserved")
    for opcode in (3, 11):
        yield _breaks(f"opcode {opcode}, not final, empty", frame(opcode))


def _masked() -> Iterator[Case]:
    for name, first, size in (
        ("text", 0x81, 1),
        ("empty text", 0x81, 0),
        ("binary", 0x82, 5),
        ("ping", 0x89, 0),
        ("pong", 0x8A, 1),
        ("close frame", 0x88, 2),
    ):
        data = bytes((first, 0x80 | size)) + bytes(4 + size)
        yield _breaks(f"masked {name}", data, says="masked")


def _lengths() -> Iterator[Case]:
    for length in (0, 1, 125):
        data = b"\x82\x7e" + length.to_bytes(2, "big") + bytes(length)
        yield _breaks(f"length {length} in two bytes", data, says="shortest")
    for length in (0, 125, 126, 65535):
        data = b"\x82\x7f" + length.to_bytes(8, "big") + bytes(length)
        yield _breaks(f"length {length} in eight bytes", data, says="shortest")
    for length in (2**16, 2**31 - 1, 2**31, 2**32, 2**32 + 1, 2**48, 2**62, 2**63 - 1):
        data = b"\x82\x7f" + length.to_bytes(8, "big") + b"x"
        yield _breaks(f"length {length}", data, code=1009, says="max_message_size (1000)")
    for length in (2**63, 2**63 + 1, 2**64 - 1):
        data = b"\x82\x7f" + length.to_bytes(8, "big") + b"x"
        yield _breaks(f"length {length}", data, says="too large")
    yield _breaks(
        "a byte above the limit",
        b"\x82\x7e" + (1001).to_bytes(2, "big"),
        code=1009,
        says="max_message_size (1000)",
    )
    yield Case(
        name="as long as the limit",
        talk=upgraded(frame(0x82, bytes(1000)), End()),
        shows="ready binary disconnected",
        options={"max_message_size": 1000},
    )
    yield Case(
        name="a length without a limit",
        talk=upgraded(b"\x82\x7f" + (2**63 - 1).to_bytes(8, "big") + b"x"),
        shows="ready protocol_error disconnected",
        code=1009,
        options={"max_message_size": None},
        memory=3 * MIB,
    )


def _stalls() -> Iterator[Case]:
    for name, data in {
        "a first byte": b"\x81",
        "half of a length": b"\x81\x7e\x01",
        "half of a long length": b"\x82\x7f" + bytes(6),
        "a header": b"\x81\x7e\x01\x00",
        "half of a payload": text(b"x" * 100)[:50],
        "half of a ping": frame(0x89, b"x" * 100)[:50],
        "half of a close frame": b"\x88\x02\x03",
        "half of a continuation": b"\x01\x01x\x80\x05y",
        "a frame of 16 MiB of which 100 bytes come": (
            b"\x82\x7f" + (2**24).to_bytes(8, "big") + bytes(100)
        ),
    }.items():
        yield Case(
            name=f"{name}, then nothing",
            talk=upgraded(text(b"x") + data, Below("wait")),
            shows="ready text disconnected",
            says="frame_timeout",
            code=1008,
            options={"frame_timeout": 0.1},
            memory=3 * MIB,
        )


CASES = [
    *_bits(),
    *_masked(),
    *_lengths(),
    *_stalls(),
    _breaks("zeros", bytes(1000), says="nothing to continue"),
    _breaks("ones", b"\xff" * 1000),
    _breaks("HTTP", b"HTTP/1.1 400 Bad Request\r\n\r\n"),
    _breaks("a broken rule, then a close frame", frame(0x83) + frame(0x88, b"\x03\xe8")),
    _breaks("a broken rule, then another", frame(0x83) + frame(0x8B)),
    _breaks("a broken rule, then a ping", frame(0x83) + frame(0x89)),
    _breaks("a broken rule, then messages without end", frame(0x83), *repeated(50, _MANY)),
    _breaks("a broken rule, then nothing", frame(0x83), Below("wait")),
    _breaks("a broken rule, then a reset", frame(0x83), Hear(), End(resets=True)),
]
