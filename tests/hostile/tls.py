"""TLS: what a server does instead of a handshake, in it, and to the records behind it."""

from __future__ import annotations

from lomond.testing.peer import End, Hear, Peer

from .case import (
    TLS,
    Below,
    Case,
    Said,
    Script,
    Talk,
    byte_by_byte,
    does,
    dribbled,
    text,
    upgraded,
)

_ALERT = b"\x15\x03\x03\x00\x02\x02\x28"  # fatal, handshake_failure
_WHOLE = 1 << 20  # more than the server's half of a handshake has
_SILENT = {"ping_rate": 0.05, "ping_timeout": 0.08}


def _bare(*said: Said) -> Script:
    """Hear the client's first bytes, or give an answer to them; then speak past TLS."""

    def talk(peer: Peer) -> Talk:
        if not isinstance(said[0], Below):
            yield Hear()
        yield from does(*(Below("raw", part) if isinstance(part, bytes) else part for part in said))

    return talk


def _fails(name: str, talk: Script, says: str = "TLS", **options: float) -> Case:
    """No handshake comes about."""
    return Case(
        name=name,
        talk=talk,
        shows="connecting connect_fail",
        says=says,
        options=options,
        ways=(TLS,),
        speaks_tls=False,
    )


def _distrusted(certificate: str) -> Case:
    return Case(
        name=f"certificate: {certificate}",
        talk=upgraded(),
        shows="connecting connect_fail",
        says="certificate",
        ways=(TLS,),
        certificate=certificate,
    )


def _lost(name: str, *said: Said, shows: str = "ready text disconnected") -> Case:
    """The records break behind a first message."""
    return Case(name=name, talk=upgraded(text(b"x"), *said), shows=shows, ways=(TLS,))


def _stalls(name: str, *said: Said) -> Case:
    """As `_lost`, but nothing breaks: the server is silent, and the timers must run."""
    return Case(
        name=name,
        talk=upgraded(text(b"x"), *said, Below("wait")),
        shows="ready text unresponsive disconnected",
        options=_SILENT,
        ways=(TLS,),
    )


CASES = [
    _fails("garbage instead of a handshake", _bare(b"\x00\xff" * 500)),
    _fails("HTTP instead of a handshake", _bare(b"HTTP/1.1 400 Bad Request\r\n\r\n")),
    _fails("an alert instead of a handshake", _bare(_ALERT)),
    _fails(
        "a record of 32 KiB instead of a handshake", _bare(b"\x16\x03\x03\x7f\xff" + bytes(500))
    ),
    _fails("FIN instead of a handshake", _bare(End())),
    _fails("reset instead of a handshake", _bare(End(resets=True))),
    _fails("no handshake", _bare(Below("wait")), "open_timeout", open_timeout=0.2),
    _fails(
        "half of a handshake",
        _bare(Below("hello", size=300), Below("wait")),
        "open_timeout",
        open_timeout=0.2,
    ),
    _fails("FIN in the handshake", _bare(Below("hello", size=300), End())),
    _fails("reset in the handshake", _bare(Below("hello", size=300), End(resets=True))),
    _fails("garbage in the handshake", _bare(Below("hello", size=300), b"\xff" * 4000)),
    _fails(
        "a handshake byte by byte without end",
        _bare(*dribbled(b"\x16\x03\x03\x40\x00\x02\x00\x3f\xfc" + bytes(200), 0.01)),
        "open_timeout",
        open_timeout=0.2,
    ),
    Case(
        name="an alert behind the handshake's half",
        talk=_bare(Below("hello", size=_WHOLE), _ALERT),
        shows="connect_fail|disconnected",
        ways=(TLS,),
        speaks_tls=False,
    ),
    *(_distrusted(certificate) for certificate in ("other name", "expired", "unknown")),
    _lost("garbage instead of a record", Below("raw", b"\xff" * 500)),
    _lost("a frame past TLS", Below("raw", text(b"bare"))),
    _lost("HTTP past TLS", Below("raw", b"HTTP/1.1 400 Bad Request\r\n\r\n")),
    _lost("a record with a wrong bit", Below("broken", text(b"y"))),
    _lost("a record twice", Below("twice", text(b"y"))),
    _lost("a record of 32 KiB", Below("raw", b"\x17\x03\x03\x7f\xff" + bytes(500))),
    _lost("a fatal alert", Below("alert")),
    _lost("an alert past TLS", Below("raw", _ALERT)),
    _lost("close_notify, then FIN", Below("notify"), End()),
    _lost("close_notify, then nothing", Below("notify"), Below("wait")),
    _lost("close_notify, then a frame", Below("notify"), Below("raw", text(b"bare"))),
    _lost("FIN without close_notify", End()),
    _lost("FIN in a record", Below("part", text(b"y" * 50), 30), End()),
    _lost("FIN in a record's header", Below("part", text(b"y"), 3), End()),
    _lost("reset in a record", Below("part", text(b"y" * 50), 30), End(resets=True)),
    _stalls("half of a record, then nothing", Below("part", text(b"y" * 50), 30)),
    _stalls("a record's header, then nothing", Below("part", text(b"y" * 50), 5)),
    _stalls("a record without its last byte", Below("part", text(b""), 23)),
    _lost("a record byte by byte", Below("dribble", text(b"y" * 50)), End()),
    Case(
        name="a record for each byte",
        talk=byte_by_byte(upgraded(text(b"x" * 130), End())),
        shows="ready text disconnected",
        ways=(TLS,),
    ),
    Case(
        name="half a record inside a frame, then nothing",
        talk=upgraded(text(b"x" * 100)[:50], Below("part", text(b"y" * 50), 30), Below("wait")),
        shows="ready disconnected",
        says="frame_timeout",
        code=1008,
        options={"frame_timeout": 0.1},
        ways=(TLS,),
    ),
]
