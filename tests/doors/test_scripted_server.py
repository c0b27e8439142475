"""Scripts of bytes, as docs/tasks/testing.md has them for tests of one's own program."""

from __future__ import annotations

import ast
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from fair_clock import FairClock
from lomond import WebSocket
from lomond.protocol import frames
from lomond.testing.alone import PretendDoor
from lomond.testing.peer import SILENCE, End, Hear, Pause, Peer, Talk, say
from lomond.testing.server import PeerServer
from shown import shown


def greets(peer: Peer) -> Talk:
    yield from peer.upgrade()
    yield say(frames.TEXT, b"hello")
    yield Pause(0.1)
    yield say(frames.CLOSE, code=1001)
    yield from peer.hear_frame()
    yield End()


def test_what_the_page_shows_is_so(capsys: pytest.CaptureFixture[str]) -> None:
    known: dict[str, Any] = {}
    exec(shown("tasks/testing.md", "PeerServer"), known)
    seen = ast.literal_eval(capsys.readouterr().out)
    assert seen[2:] == ["ready", "text", "closing", "disconnected"]
    door = PretendDoor(known["greets"])
    assert [event.name for event in door.events() if event.name != "poll"] == seen


def test_the_same_script_on_a_socket_and_in_pretend_time() -> None:
    with PeerServer(greets) as server:
        seen = [event.name for event in WebSocket(server.url).connect(poll=None)]
    assert server.peers[0].heard[-1].opcode == frames.CLOSE
    door = PretendDoor(greets)
    pretended = [event.name for event in door.events() if event.name != "poll"]
    assert seen == pretended
    assert seen[2:] == ["ready", "text", "closing", "disconnected"]
    assert 0.1 <= door.now < 0.2


def listens_for_a_while(peer: Peer) -> Talk:
    """Says what it has heard within 0.2 s, then three bytes of what comes, and the rest."""
    yield from peer.upgrade()
    while (heard := (yield Hear(within=0))) not in (b"", SILENCE):
        peer.add(heard)
    heard = yield Hear(within=0.2)
    assert heard is SILENCE
    yield say(frames.TEXT, repr(heard).encode())
    first = yield Hear(within=20, most=3)
    yield say(frames.TEXT, b"%d" % len(first))
    rest = yield Hear()
    yield say(frames.TEXT, b"%d" % len(rest))
    yield End()


def test_hearing_for_a_while_and_a_piece_at_a_time() -> None:
    said = [repr(SILENCE), "3", "8"]
    with PeerServer(listens_for_a_while) as server:
        websocket, texts = WebSocket(server.url), []
        for event in websocket.connect(poll=None):
            if event.name == "text":
                texts.append(event.text)
                if len(texts) == 1:
                    websocket.send_text("hello")
    assert texts == said
    door, texts = PretendDoor(listens_for_a_while), []
    for event in door.events():
        if event.name == "text":
            texts.append(event.text)
            if len(texts) == 1:
                assert 0.2 <= door.now < 0.3
                door.send_text("hello")
    assert texts == said


def test_a_script_may_go_on_where_the_client_has_gone() -> None:
    gone: list[str] = []

    def perseveres(peer: Peer) -> Talk:
        yield from peer.upgrade()
        yield from peer.hear_end()
        try:
            while True:
                yield say(frames.TEXT, b"hello")
        except OSError as error:
            gone.append(type(error).__name__)

    with PeerServer(perseveres) as server:
        for event in WebSocket(server.url):
            if event.name == "ready":
                break
    assert gone in (["BrokenPipeError"], ["ConnectionResetError"])


def fails(peer: Peer) -> Talk:
    yield from peer.upgrade()
    frame = yield from peer.hear_frame()
    assert frame is not None
    assert frame.payload == b"expected", frame


def says_wrong_text(url: str) -> list[str]:
    websocket = WebSocket(url, open_timeout=3)
    seen: list[str] = []
    for event in websocket.connect(poll=None):
        seen.append(event.name)
        if event.name == "ready":
            websocket.send_text("wrong")
    return seen


def test_a_script_that_fails_fails_the_test_and_refuses_later_clients() -> None:
    server = PeerServer(fails)
    seen: list[list[str]] = []
    with pytest.raises(AssertionError, match="wrong"), server:
        seen.extend(says_wrong_text(server.url) for _ in range(2))
    assert seen[0][2:] == ["ready", "disconnected"]
    assert seen[1] == ["connecting", "connect_fail"]


def test_a_program_that_gives_up_ends_where_the_script_failed() -> None:
    def perseveres(url: str) -> str:
        websocket = WebSocket(url)
        name = ""
        for event in websocket.persist(poll=None, min_wait=0, max_wait=0.1, max_attempts=2):
            name = event.name
            if name == "ready":
                websocket.send_text("wrong")
        return name

    last: list[str] = []
    with pytest.raises(AssertionError, match="wrong"), PeerServer(fails) as server:
        last.append(perseveres(server.url))
    assert last == ["connect_fail"]


def test_what_the_test_raises_comes_out_and_tells_what_the_script_raised() -> None:
    def expects(url: str) -> None:
        raise KeyError(says_wrong_text(url))

    with pytest.raises(KeyError) as caught, PeerServer(fails) as server:
        expects(server.url)
    (note,) = caught.value.__notes__
    assert "the script of PeerServer failed too" in note
    assert 'assert frame.payload == b"expected"' in note


def test_it_waits_for_a_client_as_long_as_the_test_does() -> None:
    with PeerServer(greets, patience=0.2) as server:
        time.sleep(0.5)
        seen = [event.name for event in WebSocket(server.url, open_timeout=3)]
    assert seen[2] == "ready"


def test_a_pause_ends_with_the_block() -> None:
    def pauses(peer: Peer) -> Talk:
        yield from peer.upgrade()
        yield Pause(60)

    with FairClock() as clock:
        with PeerServer(pauses) as server:
            for event in WebSocket(server.url):
                if event.name == "ready":
                    break
        assert clock.now() < 5


def test_a_script_that_never_ends_is_said() -> None:
    done = threading.Event()

    def waits(peer: Peer) -> Talk:
        yield from peer.upgrade()
        done.wait(20)

    patient = pytest.raises(RuntimeError, match=r"still runs 0\.2 s after")
    with patient, PeerServer(waits, patience=0.2) as server:
        for event in WebSocket(server.url):
            if event.name == "ready":
                break
    done.set()


def is_no_generator(peer: Peer) -> None:
    peer.upgrade()


def forgets_from(peer: Peer) -> Iterator[Any]:
    yield peer.upgrade()


def yields_bytes(peer: Peer) -> Iterator[Any]:
    yield from peer.upgrade()
    yield b"hello"


@pytest.mark.parametrize(
    ("talk", "words"),
    [
        (is_no_generator, "is_no_generator.* gave None: a script is a function with 'yield'"),
        (forgets_from, "not <generator object Peer.upgrade.*; write 'yield from' before it"),
        (yields_bytes, r"yields Say, Hear, Pause or End, not b'hello'; see say\(\)"),
    ],
)
def test_a_script_that_is_none_is_told_what_to_write(talk: Any, words: str) -> None:
    with pytest.raises(TypeError, match=words):
        list(PretendDoor(talk).events())
    with pytest.raises(TypeError, match=words), PeerServer(talk) as server:
        list(WebSocket(server.url, open_timeout=3))
