"""UTF-8, RFC 6455 section 8.1: wherever it may break, it fails the connection at once."""

from __future__ import annotations

from collections.abc import Iterator

from lomond.options import Deflate
from lomond.testing.peer import End

from .case import Below, Case, Said, close, frame, text, upgraded
from .deflating import AGREED, deflated

_BROKEN = {
    "0xFF": b"\xff",
    "0xFE": b"\xfe",
    "a continuation by itself": b"\x80",
    "two continuations": b"\xbf\xbf",
    "a start without a continuation": b"\xc3\x28",
    "two starts": b"\xe2\x82\xe2\x82\xac",
    "slash in two bytes": b"\xc0\xaf",
    "slash in three bytes": b"\xe0\x80\xaf",
    "slash in four bytes": b"\xf0\x80\x80\xaf",
    "NUL in two bytes": b"\xc0\x80",
    "the first surrogate": b"\xed\xa0\x80",
    "the last surrogate": b"\xed\xbf\xbf",
    "a pair of surrogates": b"\xed\xa0\xbd\xed\xb8\x80",
    "beyond U+10FFFF": b"\xf4\x90\x80\x80",
    "0xF5": b"\xf5\x80\x80\x80",
    "five bytes": b"\xf8\x88\x80\x80\x80",
    "six bytes": b"\xfc\x84\x80\x80\x80\x80",
    "Latin-1": b"caf\xe9 au lait",
    "UTF-16": b"\xff\xfea\0",
}
_CUT = {"two": b"\xc3", "three": b"\xe2\x82", "four": b"\xf0\x9f\x98", "four (2)": b"\xf0\x9f"}


def _breaks(name: str, *said: Said, shows: str = "ready") -> Case:
    return Case(
        name=name,
        talk=upgraded(*said),
        shows=f"{shows} protocol_error disconnected",
        says="utf-8",
        code=1007,
    )


def _is_fine(name: str, *said: Said, shows: str = "text") -> Case:
    return Case(name=name, talk=upgraded(*said, End()), shows=f"ready {shows} disconnected")


def _broken_texts() -> Iterator[Case]:
    for name, data in _BROKEN.items():
        yield _breaks(f"text with {name}", text(b"x" + data + b"x"))
        yield _breaks(
            f"unfinished text with {name}", frame(0x01, b"x" + data + b"x"), Below("wait")
        )
    for name, data in _CUT.items():
        yield _breaks(f"text cut in a code point of {name}", text(b"x" + data))
        yield _breaks(f"text cut at its last fragment in {name}", frame(0x01, data) + frame(0x80))


def _broken_reasons() -> Iterator[Case]:
    for name, data in {
        **_BROKEN,
        **{f"a cut code point of {n}": d for n, d in _CUT.items()},
    }.items():
        yield _breaks(f"close reason with {name}", close(1000, b"x" + data))


CASES = [
    *_broken_texts(),
    *_broken_reasons(),
    _breaks("0xFF first", text(b"\xff" + b"x" * 1000)),
    _breaks("0xFF in the middle", text(b"x" * 500 + b"\xff" + b"x" * 500)),
    _breaks("0xFF last", text(b"x" * 1000 + b"\xff")),
    _breaks("0xFF last of 100 KB", text(b"x" * 100_000 + b"\xff")),
    _breaks("0xFF in a second fragment", frame(0x01, b"x"), frame(0x00, b"\xff"), Below("wait")),
    _breaks(
        "0xFF behind a ping",
        frame(0x01, b"x") + frame(0x89) + frame(0x00, b"\xff"),
        shows="ready ping",
    ),
    _breaks("0xFF in half of a frame", text(b"\xff" + b"x" * 1000)[:500], Below("wait")),
    _breaks(
        "0xFF in half of a large frame", text(b"x" * 200_000 + b"\xff" + b"x" * 100_000)[:250_000]
    ),
    _breaks("half a surrogate, then silence", frame(0x01, b"\xed\xa0"), Below("wait")),
    _breaks("a surrogate over two fragments", frame(0x01, b"\xed") + frame(0x00, b"\xa0")),
    _breaks("a long form over two fragments", frame(0x01, b"\xe0") + frame(0x00, b"\x80")),
    _breaks("a code point whose rest is another", frame(0x01, b"\xe2\x82") + frame(0x80, b"x")),
    Case(
        name="0xFF compressed",
        talk=upgraded(frame(0xC1, deflated(b"x\xff")), extra=AGREED),
        shows="ready protocol_error disconnected",
        says="utf-8",
        code=1007,
        options={"compress": Deflate()},
    ),
    Case(
        name="a cut code point, compressed",
        talk=upgraded(frame(0xC1, deflated(b"x\xe2\x82")), extra=AGREED),
        shows="ready protocol_error disconnected",
        says="utf-8",
        code=1007,
        options={"compress": Deflate()},
    ),
    _is_fine(
        "a code point over four fragments",
        *(
            frame(first, bytes((byte,)))
            for first, byte in zip((0x01, 0x00, 0x00, 0x80), "😀".encode(), strict=True)
        ),
    ),
    _is_fine(
        "a code point over two fragments and a ping",
        frame(0x01, b"\xe2") + frame(0x89) + frame(0x80, b"\x82\xac"),
        shows="ping text",
    ),
    _is_fine(
        "all ends of ranges", text("\0\x7f\x80\u07ff\u0800\ud7ff\ue000\uffff\U0010ffff".encode())
    ),
    _is_fine("a byte order mark", text(b"\xef\xbb\xbf")),
    _is_fine("0xFF in a binary message", frame(0x82, b"\xff"), shows="binary"),
]
