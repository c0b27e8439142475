"""Fragments, RFC 6455 section 5.4: their order, number and size."""

from __future__ import annotations

from lomond.testing.peer import End

from .case import MIB, NO_CODE, Below, Case, Said, close, frame, repeated, text, upgraded

_FIRST, _MORE, _LAST, _PING = 0x01, 0x00, 0x80, 0x89


def _breaks(name: str, *said: Said, code: int = 1002, says: str = "", **options: int) -> Case:
    return Case(
        name=name,
        talk=upgraded(*said),
        shows="ready protocol_error disconnected",
        says=says,
        code=code,
        options=options,
        memory=3 * MIB,
    )


def _is_fine(name: str, *said: Said, shows: str = "text", **options: int) -> Case:
    return Case(
        name=name,
        talk=upgraded(*said, End()),
        shows=f"ready {shows} disconnected",
        options=options,
        memory=3 * MIB,
    )


_TEN = frame(_FIRST, b"x" * 100) + frame(_MORE, b"x" * 100) * 9  # 1000 bytes

CASES = [
    _breaks("continues nothing", frame(_LAST, b"x"), says="nothing to continue"),
    _breaks("continues nothing, not final", frame(_MORE, b"x"), says="nothing to continue"),
    _breaks("continues nothing, empty", frame(_LAST), says="nothing to continue"),
    Case(
        name="continues what has ended",
        talk=upgraded(frame(_FIRST, b"x") + frame(_LAST, b"y") + frame(_LAST, b"z")),
        shows="ready text protocol_error disconnected",
        code=1002,
    ),
    Case(
        name="continues a whole message",
        talk=upgraded(text(b"x") + frame(_LAST, b"y")),
        shows="ready text protocol_error disconnected",
        code=1002,
    ),
    _breaks("a message in a message", frame(_FIRST, b"x") + text(b"y"), says="expected"),
    _breaks("binary in a text", frame(_FIRST, b"x") + frame(0x82, b"y"), says="expected"),
    _breaks("an empty message in a message", frame(_FIRST, b"x") + text(b""), says="expected"),
    _breaks("a start in a message", frame(_FIRST) + frame(_FIRST), says="expected"),
    _breaks("two messages interleaved", frame(_FIRST, b"x") + frame(0x02, b"y") + frame(_LAST)),
    _breaks("a ping in fragments", frame(0x09, b"x") + frame(_LAST, b"y"), says="fragmented"),
    _breaks("a pong in fragments", frame(0x0A, b"x"), says="fragmented"),
    _breaks("a close frame in fragments", frame(0x08, b"\x03\xe8"), says="fragmented"),
    _breaks("an empty ping in fragments", frame(0x09), says="fragmented"),
    _breaks("reserved bit of a continuation", frame(_FIRST, b"x") + frame(_LAST | 0x40, b"y")),
    _breaks("opcode 3 as a continuation", frame(_FIRST, b"x") + frame(0x83, b"y")),
    _breaks("masked continuation", frame(_FIRST, b"x") + b"\x80\x81\0\0\0\0y", says="masked"),
    _breaks(
        "a fragment above max_fragments",
        frame(_FIRST) + frame(_MORE) * 100,
        code=1009,
        says="max_fragments (100)",
        max_fragments=100,
    ),
    _breaks(
        "empty fragments without end",
        frame(_FIRST),
        *repeated(40, frame(_MORE) * 2_000),
        code=1009,
        says="max_fragments (10000)",
        max_fragments=10_000,
    ),
    _breaks(
        "a byte in each fragment without end",
        frame(_FIRST, b"x"),
        *repeated(40, frame(_MORE, b"x") * 2_000),
        code=1009,
        says="max_message_size (10000)",
        max_message_size=10_000,
    ),
    _is_fine("max_fragments", frame(_FIRST) + frame(_MORE) * 98 + frame(_LAST), max_fragments=100),
    _breaks(
        "fragments of a byte above the limit",
        _TEN + frame(_LAST, b"x"),
        code=1009,
        says="max_message_size (1000)",
        max_message_size=1000,
    ),
    _is_fine("fragments up to the limit", _TEN + frame(_LAST), max_message_size=1000),
    _breaks(
        "a continuation of 2**62 bytes",
        frame(_FIRST, b"x") + b"\x80\x7f" + (2**62).to_bytes(8, "big"),
        code=1009,
    ),
    _breaks(
        "a continuation of 2**63 - 1 bytes, without a limit",
        frame(_FIRST, b"x") + b"\x80\x7f" + (2**63 - 1).to_bytes(8, "big"),
        code=1009,
        max_message_size=None,  # type: ignore[arg-type]  # wrong, on purpose
    ),
    _is_fine(
        "pings between fragments",
        (frame(_FIRST) + frame(_PING)) + (frame(_MORE) + frame(_PING)) * 500 + frame(_LAST),
        shows="ping text",
    ),
    Case(
        name="a close frame between fragments",
        talk=upgraded(frame(_FIRST, b"x") + close(1000) + frame(_LAST, b"y")),
        shows="ready closing disconnected",
        code=1000,
        graceful=True,
    ),
    Case(
        name="a close frame without a code between fragments",
        talk=upgraded(frame(_FIRST, b"x") + close(None) + frame(_LAST, b"y")),
        shows="ready closing disconnected",
        code=NO_CODE,
        graceful=True,
    ),
    Case(
        name="FIN between fragments",
        talk=upgraded(frame(_FIRST, b"x"), End()),
        shows="ready disconnected",
        says="connection lost",
    ),
    Case(
        name="silence between fragments",
        talk=upgraded(frame(_FIRST, b"x"), Below("wait")),
        shows="ready unresponsive disconnected",
        options={"ping_rate": 0.05, "ping_timeout": 0.08},
    ),
]
