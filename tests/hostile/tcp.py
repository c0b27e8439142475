"""TCP: ends, resets and silence at every point of a connection."""

from __future__ import annotations

from lomond.testing.peer import End, Pause, Peer

from .case import (
    ANYWHERE,
    REAL,
    Below,
    Case,
    Said,
    Script,
    Talk,
    answered,
    does,
    dribbled,
    text,
    upgraded,
)

_HEAD = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: web"
_HALF = text(b"x" * 50)[:20]
_RESET = End(resets=True)


def _at_once(*said: Said) -> Script:
    def talk(peer: Peer) -> Talk:
        yield from does(*said)

    return talk


def _lost(name: str, talk: Script, shows: str, ways: tuple[str, ...] = ANYWHERE) -> Case:
    return Case(name=name, talk=talk, shows=f"{shows} disconnected", says="socket fail", ways=ways)


CASES = [
    _lost("FIN instead of an answer", answered(End()), "connected"),
    _lost("reset instead of an answer", answered(_RESET), "connected"),
    Case(
        name="reset before the request is read",
        talk=_at_once(_RESET),
        shows="connect_fail|disconnected",
        ways=REAL,
    ),
    _lost("FIN before the request is read", _at_once(End()), "connected"),
    _lost("FIN in the head", answered(_HEAD, End()), "connected"),
    _lost("reset in the head", answered(_HEAD, _RESET), "connected"),
    _lost("FIN behind the 101", upgraded(End()), "ready"),
    _lost("reset behind the 101", upgraded(_RESET), "ready"),
    _lost("FIN behind a message", upgraded(text(b"x"), End()), "ready text"),
    _lost("reset behind a message", upgraded(text(b"x"), _RESET), "ready text"),
    _lost("FIN in a frame", upgraded(text(b"x") + _HALF, End()), "ready text"),
    _lost("reset in a frame", upgraded(text(b"x") + _HALF, _RESET), "ready text"),
    _lost("FIN in a frame's header", upgraded(text(b"x") + b"\x81", End()), "ready text"),
    _lost("FIN in an extended length", upgraded(text(b"x") + b"\x82\x7f\0\0", End()), "ready text"),
    _lost("half-close that goes on", upgraded(text(b"x"), End(), Pause(0.05)), "ready text"),
    _lost(
        "urgent data between two messages",
        upgraded(text(b"x"), 0.02, Below("urgent", b"!"), 0.02, text(b"x"), End()),
        "ready text",
        REAL,
    ),
    Case(
        name="urgent data, then silence, stops no timer",
        talk=upgraded(text(b"x"), 0.02, Below("urgent", b"!"), Below("wait")),
        shows="ready text unresponsive disconnected",
        options={"ping_rate": 0.05, "ping_timeout": 0.08},
        ways=REAL,
    ),
    _lost(
        "every byte by itself", upgraded(*dribbled(text(b"x" * 130), 0.001), End()), "ready text"
    ),
]
