"""Two extensions from the offer to their use, over the pretend door."""

from __future__ import annotations

import zlib

import pytest

from lomond.options import Limits
from lomond.protocol import frames
from lomond.protocol.frames import BINARY, RSV1, RSV2, TEXT
from lomond.protocol.http.request import Request as HttpRequest
from lomond.protocol.http.upgrade import Upgrade
from lomond.session.dialling import Target
from lomond.session.opening import Route
from lomond.testing.alone import PretendDoor, counting_bytes
from lomond.testing.peer import End, Peer, Talk, say
from protocol.compressed import TAIL, deflated
from protocol.extensions.rolling import Roll, RollingOffer

LINE = b"Sec-WebSocket-Extensions: "
DEFLATE, ROLLING = b"permessage-deflate", b"x-rolling; start=3"
HELLO = "Hello, Hello, Hello, Hello, Hello"


def answers(extensions: bytes) -> Talk:
    """A server that chooses these, and says nothing more."""

    def talk(peer: Peer) -> Talk:
        yield from peer.upgrade(LINE + extensions + b"\r\n" if extensions else b"")
        yield from peer.hear_end()

    return talk


def offered(door: PretendDoor) -> bytes:
    head = door.sent.partition(b"\r\n\r\n")[0]
    return b"".join(line for line in head.split(b"\r\n") if line.startswith(LINE))


def bits_of(data: bytes) -> list[int]:
    """The reserved bits of two short text frames."""
    found = []
    while len(found) < 2:
        assert data[0] & ~frames.RESERVED_BITS == frames.FIN | TEXT
        found.append(data[0] & frames.RESERVED_BITS)
        data = data[6 + (data[1] & 0x7F) :]
    return found


@pytest.mark.parametrize("separator", [b", ", b"\r\n" + LINE])
def test_both_ways_together(separator: bytes) -> None:
    heard: list[tuple[int, bytes]] = []

    def converses(peer: Peer) -> Talk:
        yield from peer.upgrade(LINE + ROLLING + separator + DEFLATE + b"\r\n")
        roll, theirs = Roll(3), Roll(3)
        reader = zlib.decompressobj(-15)
        yield say(TEXT | RSV1 | RSV2, deflated(roll.packed(b"both")))
        yield say(TEXT | RSV2, roll.packed(b"one"))
        yield say(TEXT, b"none")
        for _ in range(2):
            frame = yield from peer.hear_frame()
            assert frame is not None
            rolled = reader.decompress(frame.payload + TAIL)
            heard.append((rolled[0], theirs.mixed(rolled[1:])))
            theirs.end(len(rolled) - 1)
        yield say(frames.CLOSE, code=1000)
        yield from peer.hear_frame()
        yield End()

    door = PretendDoor(converses, compress=True, extensions=[RollingOffer()])
    seen = []
    for event in door.events():
        seen.append(event)
        if event.name == "ready":
            assert event.extensions == {"permessage-deflate", "x-rolling"}
            assert event.compression is door.session.compression is not None
            door.send_text(HELLO)
            door.send_text(HELLO)
    assert offered(door) == LINE + b"permessage-deflate; client_max_window_bits, " + ROLLING
    assert [event.text for event in seen if event.name == "text"] == ["both", "one", "none"]
    assert heard == [(3, HELLO.encode()), (4, HELLO.encode())]
    assert seen[-1].name == "disconnected"
    assert seen[-1].graceful


@pytest.mark.parametrize("chosen", [b"", DEFLATE, ROLLING])
def test_a_server_may_take_some_only(chosen: bytes) -> None:
    door = PretendDoor(answers(chosen), compress=True, extensions=[RollingOffer()])
    for event in door.events():
        if event.name == "ready":
            assert event.extensions == ({chosen.split(b";")[0].decode()} if chosen else set())
            assert (event.compression is not None) == (chosen == DEFLATE)
            door.send_text(HELLO)
            door.send_text(HELLO[:1])
            break
    bits = {b"": [0, 0], DEFLATE: [RSV1, 0], ROLLING: [RSV2, RSV2]}
    assert bits_of(door.sent.partition(b"\r\n\r\n")[2]) == bits[chosen]


@pytest.mark.parametrize(
    ("chosen", "why"),
    [
        (b"x-rolling; start=4", "x-rolling was answered with [('start', '4')]"),
        (b"x-rolling", "x-rolling was answered with []"),
        (DEFLATE + b", x-rolling", "x-rolling was answered with []"),
        (ROLLING + b", " + ROLLING, "Server chose extension 'x-rolling' twice"),
        (ROLLING + b", x-other", "Server chose extension 'x-other', which was not offered"),
    ],
)
def test_it_fails_to_negotiate(chosen: bytes, why: str) -> None:
    door = PretendDoor(answers(chosen), compress=True, extensions=[RollingOffer()])
    rejected = list(door.events())[2]
    assert rejected.name == "rejected"
    assert rejected.reason == why


def test_both_may_not_mark_by_the_same_bit() -> None:
    offer = RollingOffer(bit=RSV1)
    door = PretendDoor(answers(DEFLATE + b", " + ROLLING), compress=True, extensions=[offer])
    rejected = list(door.events())[2]
    assert rejected.name == "rejected"
    assert rejected.reason == (
        "Server chose both extensions 'permessage-deflate' and 'x-rolling', which mark messages "
        "by the same reserved bit"
    )
    door = PretendDoor(answers(ROLLING), compress=True, extensions=[offer])
    assert next(event for event in door.events() if event.name == "ready").extensions == {
        "x-rolling"
    }


def test_it_was_not_offered() -> None:
    rejected = list(PretendDoor(answers(ROLLING), compress=True).events())[2]
    assert rejected.name == "rejected"
    assert rejected.reason == "Server chose extension 'x-rolling', which was not offered"


def test_what_it_finds_wrong_is_the_end() -> None:
    def repeats(peer: Peer) -> Talk:
        yield from peer.upgrade(LINE + ROLLING + b"\r\n")
        said = Roll(3).packed(b"once")
        yield say(BINARY | RSV2, said)
        yield say(BINARY | RSV2, said)
        yield from peer.hear_end()
        yield End()

    door = PretendDoor(repeats, extensions=[RollingOffer()])
    seen = [event for event in door.events() if event.name != "poll"]
    assert [event.name for event in seen[3:]] == ["binary", "protocol_error", "disconnected"]
    assert seen[4].error == "message 3 where 4 was to come"
    assert seen[4].code == 1002


def test_ready_tells_the_sub_protocol(monkeypatch: pytest.MonkeyPatch) -> None:
    def chooses(peer: Peer) -> Talk:
        yield from peer.upgrade(b"Sec-WebSocket-Protocol: chat\r\n")
        yield End()

    def route(target: Target) -> Route:
        request = HttpRequest("/", "peer", "Lomond/test", protocols=["chat"])
        upgrade = Upgrade(request, counting_bytes(), Limits())
        return Route(target, upgrade)

    door = PretendDoor(chooses)
    monkeypatch.setattr(door.plan, "route", route)
    assert door.play()[2][1].protocol == "chat"
