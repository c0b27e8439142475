"""Closing, RFC 6455 section 7: servers that close wrongly, late, twice or never."""

from __future__ import annotations

from lomond.testing.peer import End, Hear, Peer

from .case import (
    ANYWHERE,
    MIB,
    REAL,
    Below,
    Case,
    Handler,
    Said,
    Script,
    Talk,
    close,
    closes,
    does,
    dribbled,
    frame,
    only_listens,
    repeated,
    text,
    upgraded,
)

_QUICK = {"close_timeout": 0.2}
_RESET = End(resets=True)
_MANY = text(b"y") * 20_000
_at_ready = closes("ready")


def _heard_close(*said: Said) -> Script:
    """Wait for the client's close frame; then as `does`."""

    def talk(peer: Peer) -> Talk:
        yield from peer.upgrade()
        yield from peer.hear_until(0x8)
        yield from does(*said)

    return talk


def _they_close(name: str, *said: Said, shows: str = "ready text closing disconnected",
                client: Handler = only_listens) -> Case:  # fmt: skip
    """The server closes first; the end is told as graceful, and what follows is dropped."""
    return Case(
        name=name,
        talk=upgraded(text(b"x"), *said),
        shows=shows,
        code=1000,
        graceful=True,
        client=client,
        options=_QUICK,
        memory=3 * MIB,
    )


def _we_close(name: str, *said: Said, shows: str = "ready closed disconnected",
              graceful: bool = True, says: str = "", ways: tuple[str, ...] = ANYWHERE,
              talk: Script | None = None) -> Case:  # fmt: skip
    """The client closes at Ready, and the server does this when it has heard it."""
    return Case(
        name=name,
        talk=talk or _heard_close(*said),
        shows=shows,
        says=says,
        code=1000,
        graceful=graceful,
        client=_at_ready,
        options=_QUICK,
        memory=3 * MIB,
        ways=ways,
    )


_TIMED_OUT = "ready disconnected"

CASES = [
    _they_close("close frame, then nothing", close(), Below("wait")),
    _they_close("close frame, then FIN", close(), End()),
    _they_close("close frame and a message", close() + text(b"after")),
    _they_close("close frame, later a message", close(), 0.05, text(b"after")),
    _they_close("close frame, then a broken rule", close() + frame(0x83)),
    _they_close("two close frames", close() + close()),
    _they_close("two close frames of different codes", close() + close(1001)),
    _they_close("close frame, later another", close(), 0.05, close(1001)),
    _they_close("close frame, then messages without end", close(), *repeated(50, _MANY)),
    _they_close("close frame, then bytes without pause", close(), *repeated(60, text(b"y"), 0.01)),
    _they_close("close frame, then half of a frame", close() + text(b"y" * 50)[:20], Below("wait")),
    _they_close("close frame, later a reset", close(), Hear(), _RESET),
    _they_close(
        "close frame in single bytes",
        *(part for part in dribbled(close(1000, b"bye"), 0.005)),
    ),
    _they_close(
        "both close at once",
        close(),
        shows="ready text closing|closed disconnected",
        client=_at_ready,
    ),
    _they_close(
        "close frame that the client closes at too",
        close(),
        client=closes("closing"),
    ),
    Case(
        name="close frame with the 101",
        talk=lambda peer: peer.upgrade(glued=close()),
        shows="ready closing disconnected",
        code=1000,
        graceful=True,
        options=_QUICK,
    ),
    Case(
        name="close frame and reset at once",
        talk=upgraded(text(b"x") + close(), _RESET),
        shows="ready text closing disconnected",
        graceful=True,
        ways=("pretend",),
        code=1000,
    ),
    _we_close(
        "no close frame, nothing", Below("wait"), shows=_TIMED_OUT, graceful=False, says="close"
    ),
    _we_close("FIN for a close frame", End(), shows=_TIMED_OUT),
    _we_close(
        "reset for a close frame", _RESET, shows=_TIMED_OUT, graceful=False, says="socket fail"
    ),
    _we_close("another code for ours", close(1001)),
    _we_close("no code for ours", close(None)),
    _we_close("a close frame, then nothing", close(), Below("wait")),
    _we_close(
        "messages, then a close frame", text(b"x") * 3, close(), shows="text closed disconnected"
    ),
    _we_close(
        "pings, then a close frame", frame(0x89) * 3, close(), shows="ping closed disconnected"
    ),
    _we_close("a close frame, then a message", close() + text(b"x")),
    _we_close(
        "half of a close frame, then nothing",
        b"\x88\x02\x03",
        Below("wait"),
        shows=_TIMED_OUT,
        graceful=False,
    ),
    _we_close(
        "a broken rule for a close frame",
        frame(0x83),
        shows="ready protocol_error disconnected",
        graceful=False,
    ),
    _we_close(
        "close code 1005 for ours",
        close(1005),
        shows="ready protocol_error disconnected",
        graceful=False,
    ),
    _we_close(
        "pings for a close frame",
        *repeated(60, frame(0x89), 0.01),
        shows="ready ping disconnected",
        graceful=False,
    ),
    _we_close(
        "messages for a close frame, without end",
        *repeated(500, text(b"x") * 500, 0.001),
        shows="ready text disconnected",
        graceful=False,
        ways=REAL,
    ),
    _we_close(
        "a frame for a close frame, byte by byte",
        *dribbled(text(b"x" * 100), 0.01),
        shows=_TIMED_OUT,
        graceful=False,
    ),
    _we_close(
        "a close frame in the middle of a message",
        talk=upgraded(frame(0x01, b"x"), 0.05, close()),
        shows="ready closed|closing disconnected",
    ),
    Case(
        name="no answer to the upgrade, and the client closes",
        talk=lambda peer: peer.read_request(),
        shows="connected disconnected",
        client=closes("connected"),
        options={"open_timeout": 0.2},
        seconds=1.5,
    ),
    Case(
        name="the client closes, the server can't be written to",
        talk=upgraded(Below("wait")),
        shows="ready disconnected",
        client=_at_ready,
        options=_QUICK,
        never_reads=True,
        ways=("pretend",),
    ),
]
