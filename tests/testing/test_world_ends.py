"""How a pretend world ends: what is said of what was not right, and to whom."""

from __future__ import annotations

import asyncio
import importlib.util
import re
import threading
import warnings
from collections.abc import Callable
from functools import partial
from types import ModuleType
from typing import Any

import pytest
import trio

from lomond import AsyncWebSocket, TrioWebSocket, WebSocket, errors
from lomond.protocol import frames
from lomond.testing import RealUse, Server, World, pretend
from lomond.testing.peer import Pause, Peer, Say, Talk, say
from testing.worlds import (
    QUIET,
    URL,
    Plays,
    by_task,
    by_thread,
    every_program,
    greets,
    is_mute,
    names_of,
    never,
    never_runs,
    no_network as no_network,
)

pytestmark = pytest.mark.usefixtures("no_network")


def insists(peer: Peer) -> Talk:
    """Wants a login first."""
    yield from peer.upgrade()
    frame = yield from peer.hear_until(frames.TEXT)
    assert frame is not None
    assert frame.payload == b"login"
    yield say(frames.TEXT, b"welcome")


class TellsFaults(Plays):
    """A server that finds fault with whatever happened."""

    def __init__(self, talk: Callable[[Peer], Talk], *faults: str) -> None:
        super().__init__(talk)
        self.faults = faults
        self.worlds: list[World] = []

    def finish(self, world: World) -> list[str]:
        self.worlds.append(world)
        return list(self.faults)


@every_program
def test_a_connection_that_nobody_expected(program: Any) -> None:
    with pytest.raises(AssertionError) as caught, pretend():
        seen = program(never)
    assert str(caught.value) == "a connection that nobody expected: wss://feed.example/"
    assert names_of(seen) == ["connecting", "connect_fail"]
    assert isinstance(seen[-1].cause, ConnectionRefusedError)
    assert "refused" in seen[-1].reason


def test_secrets_of_a_url_are_not_said() -> None:
    url = "wss://user:password@feed.example/path?token=secret"
    with pytest.raises(AssertionError) as caught, pretend():
        list(WebSocket(url))
    assert "wss://***@feed.example/path" in str(caught.value)
    assert "secret" not in str(caught.value)
    assert "password" not in str(caught.value)


@every_program
def test_a_program_that_tries_for_ever(program: Any) -> None:
    with pytest.raises(AssertionError) as caught, pretend():
        program(never, persists=True)
    said = str(caught.value)
    assert said.startswith("the program tries again and again to connect, and no server is left")
    notes = caught.value.__notes__
    assert notes == ["a connection that nobody expected: wss://feed.example/, and 99 more of them"]


@every_program
@pytest.mark.parametrize("persists", [False, True])
def test_an_assertion_of_a_script_is_raised(program: Any, persists: bool) -> None:
    """Whatever the program does about the end of its connection."""

    def fails(peer: Peer) -> Talk:
        yield from peer.upgrade()
        yield Pause(10)
        assert peer.heard == ["login"], "no login"

    with pytest.raises(AssertionError, match="no login"), pretend(Plays(fails)) as world:
        program(never, persists=persists)
    assert 10 <= world.seconds < 11


@every_program
def test_what_a_script_raises_at_once(program: Any) -> None:
    def fails(peer: Peer) -> Talk:
        raise ZeroDivisionError
        yield Pause(0)

    with pytest.raises(ZeroDivisionError), pretend(Plays(fails)):
        program(never)


def test_what_is_no_script() -> None:
    none: Any = lambda _: None  # noqa: E731  # shorter than its def
    with (
        pytest.raises(TypeError, match="a script is a function with 'yield'"),
        pretend(Plays(none)),
    ):
        by_thread(never)

    def yields_nonsense(peer: Peer) -> Talk:
        yield from peer.upgrade()
        yield "hello"  # type: ignore[misc]  # so it does

    server = Plays(yields_nonsense)
    with pytest.raises(TypeError, match="yields Say, Hear, Pause or End, not"), pretend(server):
        by_thread(never)


def test_the_blocks_own_exception_has_notes() -> None:
    error: Any = None
    try:
        with pretend(Plays(insists), TellsFaults(never_runs, "it was not asked")):
            websocket = WebSocket(URL)
            for event in websocket:
                if event.name == "ready":
                    websocket.send_text("hello")
                    break
            raise KeyError("mine")
    except KeyError as caught:
        error = caught
    first, second = error.__notes__
    assert first.startswith("in the pretend world: Traceback")
    assert "assert b'hello' == b'login'" in first or 'frame.payload == b"login"' in first
    assert second == "in the pretend world: it was not asked"


def test_servers_are_asked_at_the_end_each_once() -> None:
    server = TellsFaults(greets, "one", "two")
    with pytest.raises(AssertionError) as caught, pretend(server, server) as world:
        assert len([by_thread(never), by_thread(never), *server.worlds]) == 2
    assert server.worlds == [world]
    assert str(caught.value) == "one\ntwo"


def test_a_script_hears_what_was_said_last() -> None:
    heard: list[bytes] = []

    def talk(peer: Peer) -> Talk:
        yield from peer.upgrade()
        frame = yield from peer.hear_until(frames.TEXT)
        assert frame is not None
        heard.append(frame.payload)

    with pretend(Plays(talk)):
        websocket = WebSocket(URL)
        for event in websocket:
            if event.name == "ready":
                websocket.send_text("last words")
                break
    assert heard == [b"last words"]


def test_a_script_leaves_its_blocks() -> None:
    left: list[str] = []

    def talk(peer: Peer) -> Talk:
        try:
            yield from is_mute(peer)
        finally:
            left.append("it")

    with pretend(Plays(talk)):
        by_thread(lambda event: event.name == "ready")
        assert left == []
    assert left == ["it"]


# Those that wait in vain


@every_program
def test_time_that_runs_out(program: Any) -> None:
    with pytest.raises(AssertionError) as caught, pretend(Plays(is_mute), limit=7200) as world:
        program(never)
    said = str(caught.value)
    assert re.match(r"0.08\d* virtual days are over \(limit=\): the program waits \(/", said)
    assert re.search(r"server 1 \(wss://feed.example/\) waits to hear something \(.*:\d+\)", said)
    assert world.seconds == pytest.approx(7200, abs=60)


@pytest.mark.parametrize("kind", ["asyncio", "trio"])
def test_everybody_waits(kind: str) -> None:
    async def main() -> None:
        websocket: Any = AsyncWebSocket(URL) if kind == "asyncio" else TrioWebSocket(URL)
        await by_task(websocket, never, False, QUIET)

    run: Any = trio.run if kind == "trio" else lambda act: asyncio.run(act())
    with pytest.raises(AssertionError) as caught, pretend(Plays(is_mute)) as world:
        run(main)
    said = str(caught.value)
    assert said.startswith("everybody waits, and nothing will ever happen: the program waits (")
    assert "worlds.py" in said.partition(";")[0]
    assert "worlds.py" in said.partition(";")[2]
    assert world.seconds < 60


def test_a_group_in_which_everybody_waits() -> None:
    from testing.worlds import by_group

    with pytest.raises(AssertionError, match="everybody waits"), pretend(Plays(is_mute)):
        by_group(never, **QUIET)


def test_a_program_that_waits_for_nothing_of_lomonds() -> None:
    here = f"the program waits \\({re.escape(__file__)}:"
    with pytest.raises(AssertionError, match=here), pretend():
        asyncio.run(waits_for_ever())
    with pytest.raises(AssertionError, match=here), pretend():
        trio.run(trio.sleep_forever)
    with pytest.raises(AssertionError, match="everybody waits"), pretend():
        WebSocket(URL).wait_ready()


async def waits_for_ever() -> None:
    await asyncio.Event().wait()


def test_what_the_program_does_on_its_way_out_takes_no_time() -> None:
    """Its last words go nowhere, and do not hang."""
    done: list[str] = []

    async def main() -> None:
        try:
            await by_task(AsyncWebSocket(URL), never, False, QUIET)
        finally:
            await asyncio.sleep(5)
            done.append("slept")

    with pytest.raises(AssertionError, match="everybody waits"), pretend(Plays(is_mute)):
        asyncio.run(main())

    async def trio_main() -> None:
        try:
            await by_task(TrioWebSocket(URL), never, False, QUIET)
        finally:
            with trio.CancelScope(shield=True):
                await trio.sleep(5)
                done.append("slept too")

    with pytest.raises(AssertionError, match="everybody waits"), pretend(Plays(is_mute)):
        trio.run(trio_main)
    assert done[-1:] == ["slept too"]


def test_a_program_that_handles_every_error_ends_all_the_same() -> None:
    """What ends it is no Exception."""

    def tries_for_ever() -> None:
        while True:
            try:
                by_thread(never, **QUIET)
            except Exception:  # so programs do
                continue

    with pytest.raises(AssertionError, match="virtual days"), pretend(Plays(is_mute), limit=3600):
        tries_for_ever()


# What is real all the same


@pytest.fixture
def sleepy(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """A program that sleeps, and has threads."""
    path = tmp_path / "sleepy.py"
    path.write_text(
        "import threading, time\n"
        "from time import sleep\n"
        "def naps():\n"
        "    time.sleep(0.001)\n"
        "def sleeps():\n"
        "    sleep(0.001)\n"
        "def begins():\n"
        "    thread = threading.Thread(target=naps)\n"
        "    thread.start()\n"
        "    thread.join()\n"
    )
    spec = importlib.util.spec_from_file_location("sleepy", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(__import__("sys").modules, "sleepy", module)
    spec.loader.exec_module(module)
    return module


def test_what_is_real_is_told(sleepy: Any) -> None:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        with pretend() as world:
            for _ in range(3):
                sleepy.naps()
            sleepy.sleeps()
            sleepy.begins()
        sleepy.naps()
    path = sleepy.__file__
    assert [note.partition(":  ")[0].partition(": ")[0] for note in world.notes] == [
        f"{path}:4 calls time.sleep()",
        f"{path}:6 calls time.sleep()",
        f"{path}:9 begins a thread",
    ]
    assert [(one.category, one.filename, one.lineno) for one in caught] == [
        (RealUse, path, 4),
        (RealUse, path, 6),
        (RealUse, path, 9),
    ]
    assert [str(one.message) for one in caught] == world.notes


def test_a_program_that_waits_without_end_is_told_after_three_days() -> None:
    expected = pytest.raises(AssertionError, match=r"^3 virtual days are over \(limit=\)")
    with expected, pretend(Server()) as world:
        list(WebSocket("wss://feed.example/").connect(poll=3600, ping_rate=0))
    assert 71 <= world.hours <= 72


def test_where_warnings_are_errors_it_is_one(sleepy: Any) -> None:
    with pytest.raises(RealUse, match=r"sleepy.py:4 calls time.sleep\(\)"), pretend():
        sleepy.naps()
    with pretend():  # everything was given back
        pass


def test_a_thread_that_is_waited_for(sleepy: Any) -> None:
    """Where nothing else can happen, the world waits for it in real time."""

    async def main() -> None:
        await asyncio.to_thread(sleepy.naps)

    with pytest.raises(RealUse, match="begins a thread"), pretend() as world:
        asyncio.run(main())
    assert world.seconds < 1


def test_an_event_that_nobody_sets(sleepy: Any) -> None:
    sleeper = threading.Thread(target=partial(threading.Event().wait, 0.01))

    async def main() -> None:
        sleeper.start()
        await waits_for_ever()

    with pytest.raises(AssertionError, match="everybody waits"), pretend() as world:
        asyncio.run(main())
    assert len(world.notes) == 1


def test_a_program_whose_error_was_another() -> None:
    """It has gone on behind the end of the world, and what it raises has that as a note."""

    def says_more(peer: Peer) -> Talk:
        yield from is_mute(peer)
        yield Say(b"")

    def raises_in_the_end() -> None:
        try:
            by_thread(never)
        finally:
            raise errors.NoReply("mine")

    with pytest.raises(errors.NoReply) as caught, pretend(Plays(says_more), limit=3600):
        raises_in_the_end()
    assert "virtual days are over" in caught.value.__notes__[0]


@pytest.mark.parametrize(
    ("server", "words"),
    [
        (Server().says("a"), "its script is at its end"),
        (Server().hears("login"), r"test_world_ends\.py:\d+ waits for the text 'login'"),
    ],
)
def test_what_a_server_waits_for_is_told_where_time_runs_out(server: Server, words: str) -> None:
    expected = pytest.raises(AssertionError, match=rf"server 1 \(ws://h/\): {words}")
    with expected, pretend(server, limit=60):
        list(WebSocket("ws://h/"))
