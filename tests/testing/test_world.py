"""The pretend world: its time, its servers, its names. With no network at all."""

from __future__ import annotations

import asyncio
import math
import os
import subprocess
import sys
import threading
import time
from types import ModuleType
from typing import Any

import pytest
import trio

import lomond.testing
from lomond import WebSocket, WebSocketGroup
from lomond.protocol import frames
from lomond.system import clock
from lomond.testing import pretend
from lomond.testing.peer import SILENCE, End, Hear, Pause, Peer, Say, Talk, say
from shown import shown
from testing.worlds import (
    URL,
    IsEnough,
    Plays,
    answers,
    by_thread,
    every_program,
    feeds,
    greets,
    names_of,
    never,
    no_network as no_network,
    refuses,
)

pytestmark = pytest.mark.usefixtures("no_network")
OPENED = ["connecting", "connected", "ready"]


@every_program
def test_an_hour_takes_no_time(program: Any) -> None:
    with pretend(Plays(greets)) as world:
        began = world.clock()
        seen = program(never)
    assert names_of(seen) == [*OPENED, "text", "closing", "disconnected"]
    assert world.seconds == pytest.approx(3600, abs=1)
    assert (world.minutes, world.hours) == (world.seconds / 60, world.seconds / 3600)
    assert world.clock() - began == pytest.approx(3600, abs=1)
    assert seen[-1].received_time == pytest.approx(began + 3600, abs=1)
    assert world.notes == []


@every_program
def test_a_day_of_a_feed_that_drops_each_hour(program: Any) -> None:
    def is_over(event: Any) -> bool:
        return event.name == "back_off" and world.hours > 24

    began = time.process_time()
    with pretend(*[Plays(feeds)] * 24) as world:
        seen = program(is_over, persists=True, poll=None, ping_rate=30)
    assert time.process_time() - began < 2
    names = [event.name for event in seen]
    assert names.count("ready") == names.count("back_off") == 24
    assert names.count("pong") == 24 * 120
    assert 24 < world.hours < 24.1


@every_program
def test_servers_one_after_another(program: Any) -> None:
    """Retry-After is kept to, in the world's time."""

    def is_over(event: Any) -> bool:
        return event.name == "text" and len(world.connections) == 3

    with pretend(Plays(feeds), Plays(refuses), Plays(greets)) as world:
        seen = program(is_over, persists=True, poll=None)
    names = [name for name in names_of(seen) if name not in ("connecting", "connected")]
    assert names == [
        "ready", "disconnected", "back_off",
        "rejected", "disconnected", "back_off",
        "ready", "text",
    ]  # fmt: skip
    assert 3600 + 600 < world.seconds < 3600 + 600 + 60
    assert len(world.servers) == 3


@every_program
@pytest.mark.parametrize("resets", [False, True])
def test_an_end_and_a_reset(program: Any, resets: bool) -> None:
    def talk(peer: Peer) -> Talk:
        yield from peer.upgrade()
        yield say(frames.TEXT, b"hello")
        yield Pause(1)
        yield End(resets)

    with pretend(Plays(talk)):
        seen = program(never)
    assert names_of(seen) == [*OPENED, "text", "disconnected"]
    assert ("reset" in seen[-1].reason) is resets
    assert seen[-1].ending.kind == "lost"


def test_where_a_script_ends_its_server_hangs_up() -> None:
    """Which is no reset, whatever it has not read."""

    def talk(peer: Peer) -> Talk:
        yield from peer.upgrade()

    def sends(event: Any) -> None:
        if event.name == "ready":
            websocket.send_text("unread")

    websocket = WebSocket(URL)
    with pretend(Plays(talk)):
        seen = list(websocket)
    assert names_of(seen)[-1] == "disconnected"
    assert "reset" not in seen[-1].reason


def test_a_script_that_never_begins() -> None:
    def talk(peer: Peer) -> Talk:
        return
        yield

    with pretend(Plays(talk)):
        seen = by_thread(never)
    assert names_of(seen) == ["connecting", "connect_fail"]
    assert seen[-1].phase == "upgrade"


def test_what_is_large_is_taken_piece_by_piece() -> None:
    large = "x" * 3_000_000

    seen: list[str] = []
    websocket = WebSocket(URL)
    with pretend(Plays(answers)):
        for event in websocket:
            if event.name == "ready":
                websocket.send_text(large)
            elif event.name == "text":
                seen.append(event.text)
                websocket.close()
    assert seen == [large]


def test_a_hear_that_waits_for_so_long() -> None:
    heard: list[tuple[bytes, float]] = []

    def talk(peer: Peer) -> Talk:
        yield from peer.upgrade()
        for within in (0.0, 7.0, math.inf):
            data = yield Hear(within)
            heard.append((data, clock.monotonic()))

    with pretend(Plays(talk)) as world:
        began = world.now
        for event in WebSocket(URL).connect(poll=None, ping_rate=10):
            assert event.name != "pong"
    (none, at_once), (silence, later), (ping, last) = heard
    assert none is silence is SILENCE
    assert ping[:1] == b"\x89"
    assert [at_once - began, later - began, last - began] == pytest.approx([0, 7, 10], abs=0.1)


def test_an_error_of_a_socket_is_the_scripts_to_handle() -> None:
    caught: list[OSError] = []

    def talk(peer: Peer) -> Talk:
        yield from peer.upgrade()
        yield Pause(5)
        try:
            yield Say(b"\x81\x01x" * 1000)
        except OSError as error:
            caught.append(error)

    with pretend(Plays(talk)) as world:
        by_thread(lambda event: event.name == "ready")
        world.spend(10)
    assert len(caught) == 1


def test_other_time_stays_real() -> None:
    before = time.monotonic(), time.time()
    with pretend(Plays(greets)) as world:
        by_thread(never)
        assert 0 <= time.monotonic() - before[0] < 3600
        assert 0 <= time.time() - before[1] < 3600
        assert clock.monotonic() == world.now
    assert clock.monotonic() == pytest.approx(time.monotonic(), abs=60)


def test_all_is_as_before_behind_the_block() -> None:
    """Also where the block raises."""
    import select

    from lomond import base, group, making, persist, replies, ways
    from lomond.io import group_loop, readiness, waiting

    def places() -> list[Any]:
        return [
            making.Performer, base.proxy_for, waiting.select, waiting.Selector,
            group_loop.new_poller, persist.Blocking, ways.Waiting, group.Waiting,
            replies.threading, readiness.threading, time.sleep, threading.Thread.start,
            asyncio.BaseEventLoop._run_once,  # noqa: SLF001  # what the world changes
            trio._core._run.TheIOManager.get_events,  # noqa: SLF001  # likewise
            trio._core._run.SystemClock.current_time,  # noqa: SLF001  # likewise
        ]  # fmt: skip

    before = places()
    with pretend(Plays(greets)):
        during = places()
    assert before == places()
    with pytest.raises(KeyError), pretend(Plays(greets)):
        raise KeyError
    assert before == places()
    changed = [one is other for one, other in zip(before, during, strict=True)]
    assert not any(changed)
    assert waiting.select is select


def test_one_world_at_a_time() -> None:
    with pretend() as world:
        with pytest.raises(RuntimeError, match="there is a pretend world already"), pretend():
            pass
        names = names_of
    assert names is names_of
    with pytest.raises(RuntimeError, match="this pretend world is over; make another"), world:
        pass
    with pretend():
        pass


class Talks:
    talk = None


@pytest.mark.parametrize("wrong", ["wss://feed.example/", Plays, Talks()])
def test_what_is_no_server(wrong: Any) -> None:
    with pytest.raises(
        TypeError, match=r"a server is a Server\(\), or a function with 'yield' in it"
    ):
        pretend(wrong)


def test_what_are_no_names() -> None:
    wrong: Any = ["feed.example"]
    with pytest.raises(TypeError, match=r"names must be a mapping .*, not \['feed.example'\]"):
        pretend(names=wrong)


def test_other_threads_are_elsewhere() -> None:
    found: list[float] = []
    thread = threading.Thread(target=lambda: found.append(clock.monotonic()))
    world = pretend()
    with pytest.warns(lomond.testing.RealUse), world:  # noqa: PT031  it comes behind the block
        thread.start()
        thread.join()
    assert found[0] == pytest.approx(time.monotonic(), abs=60)
    assert world.seconds == 0


def test_ten_in_a_group() -> None:
    def talk(peer: Peer) -> Talk:
        yield from peer.upgrade()
        yield Pause(60)
        yield say(frames.TEXT, b"tick")
        yield say(frames.CLOSE, code=1000)
        yield from peer.hear_end()

    seen: dict[str, list[str]] = {}
    with pretend(*[Plays(talk)] * 10) as world:
        group = WebSocketGroup()
        for number in range(10):
            group.add(WebSocket(f"wss://host{number}.example/"), poll=None)
        for websocket, event in group:
            seen.setdefault(websocket.url, []).append(event.name)
    assert len(seen) == 10
    expected = [*OPENED, "text", "closing", "disconnected"]
    assert all(names == expected for names in seen.values())
    assert world.seconds == pytest.approx(60, abs=1)


def test_what_the_page_shows_is_so(monkeypatch: pytest.MonkeyPatch) -> None:
    feed = ModuleType("feed")
    exec(shown("tasks/testing.md", "# feed.py"), vars(feed))
    monkeypatch.setitem(sys.modules, "feed", feed)
    known: dict[str, Any] = {}
    exec(shown("tasks/testing.md", "# test_feed.py"), known)
    known["test_reconnects"]()


def test_whoever_does_not_use_it_imports_nothing_of_it() -> None:
    code = (
        "import sys, lomond, lomond.testing; lomond.WebSocket; "
        "print([name for name in sys.modules if name.startswith('lomond.testing.')]); "
        "print(sorted(set(lomond.testing.__all__) - set(dir(lomond.testing)))); "
        "print(lomond.testing.pretend.__name__, 'trio' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=os.environ
    )
    assert done.stdout.split("\n")[:3] == ["[]", "[]", "pretend False"]
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        _ = lomond.testing.nothing


def is_enough(event: Any) -> bool:
    return bool(event.name == "text")


def test_what_is_left_is_closed() -> None:
    left: IsEnough = is_enough
    with pretend(Plays(greets)) as world:
        by_thread(left)
    assert world.connections[0].is_over
