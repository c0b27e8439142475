"""Parts that nobody asks for: the server waits, and no deadline passes; in pretend time."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable, Generator
from typing import Any

import pytest
import trio

from doors.certified import contexts
from doors.pretended import PretendTime
from lomond import WebSocket
from lomond.protocol import frames
from lomond.testing.peer import Hear, Peer, Say, Talk, say
from protocol import compressed

pytestmark = pytest.mark.every_door

AWAY = 40.0  # seconds that the handler takes for a part
TIMERS: dict[str, Any] = {"poll": None, "ping_rate": 2, "ping_timeout": 5}
SIZE = 500_000  # bytes of a part
BLOCK = bytes(20_000)
BLOCKS = 200
TOTAL = len(BLOCK) * BLOCKS
#: What is on its way at the most: the buffers of two sockets, reads, and what is ahead of a task.
UNDERWAY = 1_500_000
AGREED = b"Sec-WebSocket-Extensions: permessage-deflate\r\n"
Script = Callable[[Peer], Talk]


class Server:
    """A script that says a large message, and then answers pings and the close.

    Attributes:
        said: Bytes of it that were taken.
    """

    def __init__(self, pieces: list[bytes], extra: bytes = b"") -> None:
        self.said = 0
        self._pieces = pieces
        self._extra = extra

    def __call__(self, peer: Peer) -> Talk:
        yield from peer.upgrade(self._extra)
        for piece in self._pieces:
            yield Say(piece)
            self.said += len(piece)
        while (heard := (yield from peer.hear_frame())) is not None:
            if heard.opcode == frames.PING:
                yield say(frames.PONG, heard.payload)
            elif heard.opcode == frames.CLOSE:
                yield say(frames.CLOSE, heard.payload)


def over_tls(talk: Script) -> Script:
    """The script, by TLS."""

    def outer(peer: Peer) -> Talk:
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        tls = contexts()[0].wrap_bio(incoming, outgoing, server_side=True)

        def until_done(act: Callable[[], Any]) -> Generator[Any, bytes, bytes]:
            while True:
                try:
                    found = act()
                except ssl.SSLWantReadError:
                    found = None
                if data := outgoing.read():
                    yield Say(data)
                if found is not None:
                    return bytes(found)
                if not (data := (yield Hear())):
                    return b""
                incoming.write(data)

        yield from until_done(lambda: tls.do_handshake() or b"")
        inner = talk(peer)
        action = next(inner)
        while True:
            heard = b""
            match action:
                case Say(data):
                    tls.write(data)
                    yield Say(outgoing.read())
                case Hear():
                    heard = yield from until_done(lambda: tls.read(65536))
                case _:
                    heard = yield action
            try:
                action = inner.send(heard)
            except StopIteration:
                return

    return outer


ONE_FRAME = [b"\x82\x7f" + TOTAL.to_bytes(8, "big"), *[BLOCK] * BLOCKS]
FRAGMENTS = [
    frame
    for number in range(BLOCKS)
    for frame in (
        compressed.frame(0 if number else frames.BINARY, BLOCK, final=number == BLOCKS - 1),
        say(frames.PING, b"?").data,
    )
]
#: It is short, and what it inflates to comes for minutes.
DEFLATED = [compressed.packed(frames.BINARY, compressed.deflated(bytes(TOTAL)))]
HOW = {"one frame": ONE_FRAME, "fragments": FRAGMENTS, "compressed": DEFLATED}


def spends(clock: PretendTime, _: Any) -> None:
    clock.spend(AWAY)


def in_asyncio(_: PretendTime, websocket: Any) -> None:
    websocket.run(asyncio.sleep(AWAY))


def in_trio(_: PretendTime, websocket: Any) -> None:
    websocket.run(trio.sleep(AWAY))


def play(
    monkeypatch: pytest.MonkeyPatch, how: str, tls: bool, spend: Callable[[PretendTime, Any], None]
) -> None:
    server = Server(HOW[how], AGREED if how == "compressed" else b"")
    clock = PretendTime(over_tls(server) if tls else server)
    clock.install(monkeypatch)
    came = 0
    names: list[str] = []
    try:
        websocket = WebSocket(
            f"{'wss' if tls else 'ws'}://127.0.0.1/",
            socket=clock.sock,
            ssl_context=contexts()[1] if tls else None,
            parts=SIZE,
            frame_timeout=5,
            compress=how == "compressed",
        )
        for event in websocket.connect(**TIMERS):
            if event.name == "binary_part":
                came += len(event.data)
                spend(clock, websocket)
                assert server.said - came < UNDERWAY
                if event.is_last:
                    websocket.close()
            elif event.name not in ("ping", "pong"):
                names.append(event.name)
        took = clock.seconds
    finally:
        clock.close()
    assert names == ["connecting", "connected", "ready", "closed", "disconnected"]
    assert came == TOTAL
    assert took >= TOTAL / SIZE * AWAY


@pytest.mark.parametrize("tls", [False, True], ids=["plain", "TLS"])
@pytest.mark.parametrize("how", HOW)
def test_a_slow_handler_holds_the_server_up_and_ends_nothing(
    monkeypatch: pytest.MonkeyPatch, how: str, tls: bool
) -> None:
    play(monkeypatch, how, tls, spends)


@pytest.mark.doors("asyncio", "trio")
@pytest.mark.parametrize("tls", [False, True], ids=["plain", "TLS"])
@pytest.mark.parametrize("how", HOW)
def test_so_does_a_task_that_is_elsewhere(
    monkeypatch: pytest.MonkeyPatch, how: str, tls: bool, door: str
) -> None:
    play(monkeypatch, how, tls, in_trio if door == "trio" else in_asyncio)


@pytest.mark.parametrize("how", ["one frame", "fragments"])
def test_a_server_that_stalls_in_the_middle_is_given_up(
    monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    """Within frame_timeout of its last byte, but never while the handler has the thread."""
    pieces = [*HOW[how][:-20], HOW[how][-20][:-1]]
    server = Server(pieces)
    clock = PretendTime(server)
    clock.install(monkeypatch)
    freed = 0.0
    try:
        websocket = WebSocket("ws://127.0.0.1/", socket=clock.sock, parts=SIZE, frame_timeout=5)
        for event in websocket.connect(poll=None, ping_rate=0):
            if event.name == "binary_part":
                clock.spend(AWAY)
                freed = clock.now
        ended = clock.now
    finally:
        clock.close()
    assert (websocket.ending.kind, websocket.ending.deadline) == ("timed_out", "frame_timeout")
    assert 0 < websocket.ending.unfinished < TOTAL
    assert freed <= ended <= freed + 5.1
