"""Servers that several tests talk to, as scripts: over the pretend door or over a real socket."""

from __future__ import annotations

from lomond.protocol import frames
from lomond.testing.peer import End, Hear, Pause, Peer, Say, Talk, say


def is_silent(peer: Peer) -> Talk:
    """Accepts, and says nothing more."""
    yield from peer.upgrade()
    yield from peer.hear_end()


def answers_pings(peer: Peer) -> Talk:
    """Answers pings and a close."""
    yield from peer.upgrade()
    while (frame := (yield from peer.hear_frame())) is not None:
        if frame.opcode == frames.PING:
            yield say(frames.PONG, frame.payload)
        elif frame.opcode == frames.CLOSE:
            yield say(frames.CLOSE, frame.payload)


def accepts(peer: Peer) -> Talk:
    """Accepts, and answers nothing but a close."""
    yield from peer.upgrade()
    frame = yield from peer.hear_until(frames.CLOSE)
    assert frame is not None
    yield say(frames.CLOSE, frame.payload)


def closes(peer: Peer) -> Talk:
    """Accepts and closes at once, and TCP after the answer."""
    yield from peer.upgrade()
    yield say(frames.CLOSE, code=1000)
    yield from peer.hear_until(frames.CLOSE)
    yield End()


def never_answers(peer: Peer) -> Talk:
    """Hears the request and all the rest, and says nothing."""
    while (yield Hear()):
        pass


def trickles_an_answer(peer: Peer) -> Talk:
    """Is never done with the head of its answer."""
    yield from peer.read_request()
    yield Say(b"HTTP/1.1 101 Switching Protocols\r\n")
    while True:
        yield Say(b"X: y\r\n")
        yield Pause(0.1)
