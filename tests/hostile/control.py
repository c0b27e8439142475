"""Control frames, RFC 6455 section 5.5: their size, close codes, and pings that nobody answers."""

from __future__ import annotations

from collections.abc import Iterator

from lomond.testing.peer import End, Pause

from .case import MIB, NO_CODE, Below, Case, Said, close, frame, repeated, text, upgraded

_PING, _PONG, _CLOSE = 0x89, 0x8A, 0x88


def _breaks(name: str, *said: Said, says: str = "") -> Case:
    return Case(
        name=name,
        talk=upgraded(*said),
        shows="ready protocol_error disconnected",
        says=says,
        code=1002,
    )


def _long() -> Iterator[Case]:
    for name, first in (("ping", _PING), ("pong", _PONG), ("close frame", _CLOSE)):
        yield _breaks(f"{name} of 126 bytes", frame(first, b"\x03\xe8" + b"x" * 124), says="125")
        yield _breaks(f"{name} of 64 KiB", frame(first, b"\x03\xe8" + b"x" * 65534), says="125")
        data = bytes((first, 127)) + (2**62).to_bytes(8, "big")
        yield _breaks(f"{name} of 2**62 bytes", data, says="125")
        yield _breaks(f"{name} of 1 byte in the long form", bytes((first, 126, 0, 1)), says="125")


def _codes() -> Iterator[Case]:
    for code in (0, 1, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 9999, 65535):
        yield _breaks(f"close code {code}", close(code), says=str(code))
    for code in (1000, 1001, 1002, 1003, 1007, 1011, 1012, 1014, 3000, 3999, 4000, 4999):
        yield Case(
            name=f"close code {code}",
            talk=upgraded(close(code, b"bye")),
            shows="ready closing disconnected",
            code=code,
            graceful=True,
        )


CASES = [
    *_long(),
    *_codes(),
    _breaks("close frame of 1 byte", frame(_CLOSE, b"\x03"), says="1 byte"),
    Case(
        name="close frame without a code",
        talk=upgraded(close(None)),
        shows="ready closing disconnected",
        code=NO_CODE,
        graceful=True,
    ),
    Case(
        name="close frame with all of a reason",
        talk=upgraded(close(1000, "é".encode() * 61 + b"x")),
        shows="ready closing disconnected",
        code=1000,
        graceful=True,
    ),
    Case(
        name="ping of 125 bytes",
        talk=upgraded(frame(_PING, bytes(125)), End()),
        shows="ready ping disconnected",
    ),
    Case(
        name="pongs that nobody asked for",
        talk=upgraded(frame(_PONG, b"what") * 100, End()),
        shows="ready pong disconnected",
    ),
    Case(
        name="pongs for no ping of ours",
        talk=upgraded(*repeated(10, frame(_PONG, b"what"), 0.02), Below("wait")),
        shows="pong unresponsive disconnected",
        options={"ping_rate": 0.05, "ping_timeout": 0.08},
        seconds=1.0,
    ),
    Case(
        name="no pong, ever",
        talk=upgraded(Below("wait")),
        shows="ready unresponsive disconnected",
        options={"ping_rate": 0.05, "ping_timeout": 0.08},
    ),
    Case(
        name="pings to a client that can't write",
        # The newest pong alone waits, so that all of them may fit: then the server ends it.
        talk=upgraded(*repeated(120, frame(_PING, b"x" * 125) * 500), Pause(0.5), End()),
        part=upgraded(*repeated(12, frame(_PING, b"x" * 125) * 500), Pause(0.5), End()),
        shows="ready ping disconnected",
        options={"send_timeout": 0.2},
        seconds=3.0,
        memory=4 * MIB,
        never_reads=True,
    ),
    Case(
        name="pings behind a close frame",
        talk=upgraded(close() + frame(_PING) * 100),
        shows="ready closing disconnected",
        code=1000,
        graceful=True,
    ),
    Case(
        name="pongs behind text, in single bytes",
        talk=upgraded(text(b"x"), b"\x8a", b"\x01", b"y", End()),
        shows="ready text pong disconnected",
    ),
]
