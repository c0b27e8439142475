"""Slowness: servers that say a byte now and then, or take what is sent slowly, or never."""

from __future__ import annotations

from lomond.testing.peer import End, Hear, Pause, Peer

from .case import (
    MIB,
    PRETEND,
    REAL,
    Below,
    Case,
    Client,
    Talk,
    close,
    closes,
    does,
    dribbled,
    frame,
    repeated,
    sends,
    text,
    upgraded,
)

_LARGE = "x" * (8 * MIB)  # more than the system's buffers take
_SMALL = "x" * 65536  # more than small ones take
_QUICK = {"send_timeout": 0.2, "close_timeout": 0.2}
# For what must not trip on a machine that is slow itself.
_PATIENT = {"ping_rate": 0.1, "ping_timeout": 0.4}
_KEEPALIVE = {"ping_rate": 0.05, "ping_timeout": 0.08}


def _sends_and_closes(client: Client, name: str) -> None:
    if name == "ready":
        client.close()
        client.send_text(_LARGE)


def _reads_slowly(peer: Peer) -> Talk:
    """Slower than send_timeout over all, and faster for each read."""
    yield from peer.upgrade()
    heard = pauses = 0
    while heard < len(_LARGE):
        data = yield Hear()
        if not data:
            return
        heard += len(data)
        if pauses < 8:
            pauses += 1
            yield Pause(0.2)
    yield End()


def _pongs_slowly(peer: Peer) -> Talk:
    """Answers every ping, one byte at a time."""
    yield from peer.upgrade()
    for _ in range(3):
        yield from peer.hear_until(0x9)
        yield from does(*dribbled(frame(0x8A), 0.03))
    yield End()


CASES = [
    Case(
        name="a message byte by byte",
        talk=upgraded(*dribbled(text(b"x" * 20), 0.03), End()),
        shows="ready text disconnected",
        options={"frame_timeout": 0.4},
        seconds=1.0,
    ),
    Case(
        name="a frame byte by byte, then nothing",
        talk=upgraded(*dribbled(text(b"x" * 50)[:10], 0.02), Below("wait")),
        shows="ready disconnected",
        says="frame_timeout",
        code=1008,
        options={"frame_timeout": 0.1},
        seconds=1.0,
    ),
    Case(
        name="a ping byte by byte",
        talk=upgraded(*dribbled(frame(0x89, b"x" * 15), 0.03), End()),
        shows="ready ping disconnected",
        options={"frame_timeout": 0.4},
        seconds=1.0,
    ),
    Case(
        name="bytes now and then are life",
        talk=upgraded(*dribbled(text(b"x" * 8), 0.06), End()),
        shows="ready text disconnected",
        options=_PATIENT,
        seconds=2.0,
    ),
    Case(
        name="a message now and then is life",
        talk=upgraded(*repeated(10, text(b"x"), 0.06), End()),
        shows="ready text disconnected",
        options=_PATIENT,
        seconds=1.0,
    ),
    Case(
        name="pongs byte by byte",
        talk=_pongs_slowly,
        shows="ready pong disconnected",
        says="connection lost",
        options={"ping_rate": 0.1, "ping_timeout": 2.0},  # a busy machine's server takes its time
        seconds=2.0,
    ),
    Case(
        name="one byte of a frame, then silence",
        talk=upgraded(text(b"x" * 50)[:10], Below("wait")),
        shows="ready unresponsive disconnected",
        options=_KEEPALIVE,
    ),
    Case(
        name="silence behind the upgrade",
        talk=upgraded(Below("wait")),
        shows="ready unresponsive disconnected",
        options=_KEEPALIVE,
    ),
    Case(
        name="silence with a fast poll",
        talk=upgraded(Below("wait")),
        shows="ready unresponsive disconnected",
        options={**_KEEPALIVE, "poll": 0.01},
    ),
    Case(
        name="silence with a slow poll",
        talk=upgraded(Below("wait")),
        shows="ready unresponsive disconnected",
        options={**_KEEPALIVE, "poll": 60},
    ),
    Case(
        name="nothing is read",
        talk=upgraded(Below("wait")),
        shows="ready disconnected",
        says="send_timeout",
        client=sends(_LARGE),
        options=_QUICK,
        never_reads=True,
    ),
    Case(
        name="nothing is read, and pings come",
        talk=upgraded(*repeated(100, frame(0x89, b"x"), 0.01), Below("wait")),
        shows="ping disconnected",
        says="send_timeout",
        client=sends(_LARGE),
        options=_QUICK,
        never_reads=True,
        ways=REAL,
    ),
    Case(
        name="nothing is read, and the client keeps alive",
        talk=upgraded(Below("wait")),
        shows="disconnected",
        client=sends(_LARGE),
        options={**_KEEPALIVE, "send_timeout": 0.3},
        seconds=1.0,
        never_reads=True,
    ),
    Case(
        name="nothing is read, and messages come without end",
        talk=upgraded(*repeated(200, text(b"y" * 60_000)), Below("wait")),
        shows="disconnected",
        says="send_timeout",
        client=sends(_SMALL),
        options={**_QUICK, "max_read_ahead": MIB},
        memory=8 * MIB,
        never_reads=True,
        ways=REAL,
    ),
    Case(
        name="what is sent is read when all is said",
        talk=upgraded(*repeated(250, text(b"y" * 60_000)), *repeated(3, Hear()), End()),
        shows="ready text disconnected",
        says="connection lost",
        client=sends(_SMALL),
        options={"send_timeout": 10.0},  # a busy machine takes its time to say all
        seconds=3.0,
        never_reads=True,
        ways=REAL,
    ),
    Case(
        name="nothing is read, and the server closes",
        talk=upgraded(close(), Below("wait")),
        shows="disconnected",
        client=sends(_LARGE),
        options=_QUICK,
        seconds=1.0,
        never_reads=True,
        ways=REAL,
    ),
    Case(
        name="nothing is read, then FIN",
        talk=upgraded(0.05, End(), Below("wait")),
        shows="ready disconnected",
        client=sends(_LARGE),
        options=_QUICK,
        seconds=1.0,
        never_reads=True,
        ways=REAL,
    ),
    Case(
        name="nothing is read, then a reset",
        talk=upgraded(0.05, End(resets=True)),
        shows="ready disconnected",
        client=sends(_LARGE),
        options=_QUICK,
        never_reads=True,
        ways=REAL,
    ),
    Case(
        name="what is sent is read slowly",
        talk=_reads_slowly,
        shows="ready disconnected",
        says="connection lost",
        client=sends(_LARGE),
        options={"send_timeout": 1.5},
        seconds=3.0,
        ways=REAL,
    ),
    Case(
        name="a close frame can't leave",
        talk=upgraded(Below("wait")),
        shows="ready disconnected",
        client=_sends_and_closes,
        options=_QUICK,
        seconds=1.0,
        never_reads=True,
        ways=(PRETEND,),
    ),
    Case(
        name="a close frame byte by byte, later than close_timeout",
        talk=upgraded(*dribbled(close(1000, b"x" * 60), 0.02), End()),
        shows="ready disconnected",
        says="close packet",
        code=1000,
        client=closes("ready"),
        options=_QUICK,
    ),
]
