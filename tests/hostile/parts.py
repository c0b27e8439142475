"""Messages that come in parts: the limits of the whole stay, and no more than a part is kept."""

from __future__ import annotations

from typing import Any

from lomond.options import Deflate
from lomond.testing.peer import End

from .case import MIB, NO_CODE, Below, Case, Said, close, dribbled, frame, repeated, text, upgraded
from .deflating import AGREED, deflated, ended

_PART = 1000  # bytes
_LIMIT = 100_000
_START, _MORE, _LAST, _PING = 0x02, 0x00, 0x80, 0x89
_BOMB = deflated(bytes(16 * MIB))  # of 16 KiB
_HUGE = b"\x82\x7f" + (2**40).to_bytes(8, "big")
_WIDE = "€".encode() * 2_000


def _case(
    name: str,
    *said: Said,
    shows: str,
    behind: str = "ready",
    code: int | None = None,
    says: str = "",
    **options: object,
) -> Case:
    return Case(
        name=name,
        talk=upgraded(*said, extra=AGREED if "compress" in options else b""),
        shows=" ".join([behind, shows, "disconnected"]),
        says=says,
        code=code,
        options={"parts": _PART, "max_message_size": _LIMIT, **options},
        seconds=2.0,
        memory=3 * MIB,
    )


def _breaks(
    name: str, *said: Said, code: int, shows: str = "binary_part", says: str = "", **options: Any
) -> Case:
    shows = f"{shows} protocol_error".strip()
    return _case(name, *said, shows=shows, code=code, says=says, **options)


def _packed(name: str, *said: Said, code: int = 1009, shows: str = "binary_part") -> Case:
    return _breaks(name, *said, code=code, shows=shows, compress=Deflate())


def _is_fine(
    name: str, *said: Said, shows: str = "binary_part", says: str = "", **options: Any
) -> Case:
    return _case(name, *said, End(), shows=shows, says=says, **options)


CASES = [
    _packed("a bomb", frame(0xC2, _BOMB)),
    _packed("a bomb as a text", frame(0xC1, _BOMB), shows="text_part"),
    _packed("a bomb in fragments", frame(0x42, _BOMB[:999]) + frame(_LAST, _BOMB[999:])),
    _packed("a bomb behind a last block", frame(0xC2, ended(b"x")[:-1] + _BOMB)),
    _packed("a bomb without its end", frame(0x42, _BOMB), Below("wait")),
    _packed("a byte above the limit, compressed", frame(0xC2, deflated(bytes(_LIMIT + 1)))),
    _packed(
        "broken data behind the first parts",
        frame(0x42, deflated(bytes(5 * _PART))) + frame(_LAST, b"\xff" * 10),
        code=1007,
    ),
    _is_fine(
        "a bomb without a limit",
        frame(0xC2, _BOMB) + text(b"next"),
        shows="binary_part text",
        parts=64 * 1024,
        max_message_size=None,
        compress=Deflate(),
    ),
    _is_fine("as long as the limit", frame(0x82, bytes(_LIMIT))),
    _breaks("a byte above the limit", frame(0x82, bytes(_LIMIT + 1)), shows="", code=1009),
    _breaks(
        "a fragment above the limit",
        frame(_START, bytes(_LIMIT)) + frame(_LAST, b"x"),
        says="max_message_size (100000)",
        code=1009,
    ),
    _breaks(
        "fragments of a byte without end",
        frame(_START, b"x"),
        *repeated(10, frame(_MORE, b"x") * 1_000),
        says="max_fragments (5000)",
        code=1009,
        max_message_size=None,
        max_fragments=5_000,
    ),
    _breaks(
        "empty fragments without end",
        frame(_START, bytes(_PART + 1)),
        *repeated(10, frame(_MORE) * 1_000),
        says="max_fragments (5000)",
        code=1009,
        max_message_size=None,
        max_fragments=5_000,
    ),
    _breaks(
        "empty fragments without end, and no byte",
        frame(_START),
        *repeated(10, frame(_MORE) * 1_000),
        shows="",
        says="max_fragments (5000)",
        code=1009,
        max_fragments=5_000,
    ),
    _breaks("another message in the middle", frame(_START, bytes(2500)) + text(b"x"), code=1002),
    _breaks("a broken rule in the middle", frame(_START, bytes(2500)) + frame(0x83), code=1002),
    _breaks("half a character at the end", text(_WIDE[:-1]), shows="text_part", code=1007),
    _breaks(
        "half a character at the end of fragments",
        frame(0x01, _WIDE[:-2]) + frame(_LAST),
        shows="text_part",
        code=1007,
    ),
    _packed(
        "half a character at the end, compressed",
        frame(0xC1, deflated(_WIDE[:-1])),
        shows="text_part",
        code=1007,
    ),
    _breaks(
        "0xFF behind the first part, then silence",
        frame(0x01, _WIDE[:1500] + b"\xff"),
        Below("wait"),
        shows="text_part",
        code=1007,
    ),
    _breaks(
        "0xFF in the first part, then silence",
        text(_WIDE[:600] + b"\xff" + bytes(9_000))[:700],
        Below("wait"),
        shows="",
        code=1007,
    ),
    _is_fine(
        "code points cut by each read", *dribbled(text(_WIDE[:99]), 0.0), shows="text_part", parts=4
    ),
    _is_fine(
        "cut in the middle", _HUGE + bytes(3 * _PART), says="connection lost", max_message_size=None
    ),
    _is_fine(
        "cut in a character", frame(0x01, _WIDE[:1501]), shows="text_part", says="connection lost"
    ),
    _is_fine("cut between fragments", frame(_START, bytes(2500)), says="connection lost"),
    _case(
        "silence in the middle",
        _HUGE + bytes(300_000),
        Below("wait"),
        shows="binary_part",
        says="frame_timeout",
        code=1008,
        max_message_size=None,
        frame_timeout=0.1,
    ),
    *(
        Case(
            name=f"a close frame between fragments, {name}",
            talk=upgraded(frame(_START, bytes(2500)) + close(code) + frame(_LAST, b"x")),
            shows="ready binary_part closing disconnected",
            code=NO_CODE if code is None else code,
            graceful=True,
            options={"parts": _PART},
        )
        for name, code in (("with a code", 1000), ("without one", None))
    ),
    _is_fine(
        "pings between fragments",
        frame(_START, bytes(600)) + (frame(_PING) + frame(_MORE, bytes(600))) * 100 + frame(_LAST),
        behind="ping",
    ),
    _is_fine(
        "fragments of a byte", frame(_START, b"x") + frame(_MORE, b"x") * 2_500 + frame(_LAST)
    ),
]
