"""What servers say to somebody at a terminal."""

from __future__ import annotations

from collections.abc import Iterator

from lomond.protocol import frames
from lomond.testing.peer import End, Pause, Peer, Say, Talk, say

#: What would control a terminal, or deceive who reads it; by what it is called.
ESCAPES = {
    "clipboard": "\x1b]52;c;Zm9v\x07",
    "title": "\x1b]0;mine\x1b\\",
    "clear": "\x1b[2J\x1b[H",
    "colour": "\x1b[31mred",
    "alternate screen": "\x1b[?1049h",
    "answer": "\x1b[6n\x1b[c\x05",
    "device control": "\x1bP$q\x1b\\",
    "8 bit": "\x9b2J\x9d0;x\x9c",
    "overwrite": "good\rbad\x08\x08\x0b\x0c",
    "bell, shift, delete": "\x07\x0e\x0f\x7f",
    "NUL": "\x00",
    "order of letters": "\u202etxt.exe\u2066x\u2069",
    "unseen": "a\u200bb\u200dc\ufeffd\u00ade\u2060f",
    "ends of lines": "a\u2028b\u2029c\x85d",
}


def answers(peer: Peer) -> Talk:
    """Echoes; some texts ask for something else."""
    yield from peer.upgrade()
    while (frame := (yield from peer.hear_frame())) is not None:
        if frame.opcode == frames.CLOSE:
            yield say(frames.CLOSE, frame.payload)
            return
        if frame.opcode == frames.TEXT and (asked := frame.payload.decode()) in _ASKED:
            yield from _ASKED[asked]()
        elif frame.opcode != frames.PONG:
            yield say(frames.PONG if frame.opcode == frames.PING else frame.opcode, frame.payload)


def never_closes(peer: Peer) -> Talk:
    """Accepts, and answers no close."""
    yield from peer.upgrade()
    yield from peer.hear_end()


def _later() -> Iterator[Say | Pause]:
    yield Pause(1.0)
    yield say(frames.TEXT, b"here it is")


def _escapes() -> Iterator[Say]:
    for name, text in ESCAPES.items():
        yield say(frames.TEXT, f"{name}: {text}".encode())


def _many() -> Iterator[Say]:
    for number in range(20000):
        yield say(frames.TEXT, b'{"number": %d}' % number)


def _binaries() -> Iterator[Say]:
    yield say(frames.BINARY, b"")
    yield say(frames.BINARY, b"hello")
    yield say(frames.BINARY, bytes(range(64)))


def _prices() -> Iterator[Say]:
    yield say(frames.TEXT, b'{"subscribed": "prices", "id": 7, "resumes": null}')
    yield say(frames.TEXT, b'{"price": 101.25, "rises": true, "at": ["Oslo", "Rome"]}')
    yield say(frames.TEXT, b"and to clear your screen: \x1b[2J\x1b]52;c;Zm9v\x07")


def _close() -> Iterator[Say]:
    yield say(frames.CLOSE, b"it \x1b[31mfailed", code=1011)


def _end() -> Iterator[End]:
    yield End()


_ASKED = {
    "later": _later,
    "escapes": _escapes,
    "many": _many,
    "binaries": _binaries,
    '{"subscribe": "prices"}': _prices,
    "close": _close,
    "end": _end,
}
