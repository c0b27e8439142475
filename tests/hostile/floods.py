"""Floods: more of something small than anyone needs. Bounded in memory, and nothing is lost."""

from __future__ import annotations

from lomond.options import Deflate
from lomond.testing.peer import End

from .case import (
    MIB,
    Case,
    Handler,
    Said,
    close,
    closes,
    frame,
    only_listens,
    repeated,
    text,
    upgraded,
)
from .deflating import AGREED, deflated

_WRITES = 10
_MANY = 400  # frames in a write


def _flood(
    name: str,
    data: bytes,
    shows: str,
    *,
    client: Handler = only_listens,
    code: int | None = None,
    graceful: bool = False,
    last: tuple[Said, ...] = (End(),),
    extra: bytes = b"",
    writes: int = _WRITES,
    memory: int | None = None,
    **options: object,
) -> Case:
    return Case(
        name=name,
        talk=upgraded(*repeated(writes, data * _MANY), *last, extra=extra),
        shows=f"{shows} disconnected",
        code=code,
        graceful=graceful,
        client=client,
        options=options,
        seconds=5.0,
        part=upgraded(*repeated(writes, data * (_MANY // 10)), *last, extra=extra),
        memory=memory,
    )


CASES = [
    _flood("pings", frame(0x89, b"x"), "ready ping", writes=25, memory=3 * MIB),
    _flood("pings of 125 bytes", frame(0x89, bytes(125)), "ready ping"),
    _flood("pings that are not to be answered", frame(0x89, b"x"), "ready ping", auto_pong=False),
    _flood("pongs", frame(0x8A, b"x"), "ready pong", writes=40, memory=MIB),
    _flood("tiny messages", text(b"x"), "ready text", writes=40, memory=MIB),
    _flood("empty messages", text(b""), "ready text", writes=40, memory=MIB),
    _flood("empty binary messages", frame(0x82), "ready binary"),
    _flood("messages in two fragments", frame(0x01) + frame(0x80), "ready text"),
    _flood("pings and messages", frame(0x89) + text(b"x"), "text"),
    _flood(
        "tiny compressed messages",
        frame(0xC1, deflated(b"x")),
        "ready text",
        extra=AGREED,
        compress=Deflate(),
    ),
    _flood(
        "compressed messages of nothing",
        frame(0xC1, b"\0\0\0\xff\xff\0"),
        "ready text",
        extra=AGREED,
        compress=Deflate(),
    ),
    _flood(
        "messages and a close frame at their end",
        text(b"x"),
        "ready text closing",
        last=(close(),),
        code=1000,
        graceful=True,
    ),
    _flood(
        "messages, then a broken rule",
        text(b"x"),
        "ready text protocol_error",
        last=(frame(0x83),),
        code=1002,
    ),
    _flood("close frames", close(), "ready closing", code=1000, graceful=True, last=()),
    _flood("broken rules", frame(0x83), "ready protocol_error", code=1002, last=()),
    _flood(
        "messages while the client closes",
        text(b"x"),
        "text closed",
        client=closes("text"),
        code=1000,
        graceful=True,
        last=(close(),),
    ),
    _flood(
        "pings while the client closes",
        frame(0x89, b"x"),
        "ping closed",
        client=closes("ping"),
        code=1000,
        graceful=True,
        last=(close(),),
    ),
    _flood("tiny messages with a Poll at each turn", text(b"x"), "ready text", poll=0),
    _flood("messages of 120 bytes", text(b"x" * 120), "ready text"),
]
