"""A pretend world in an event loop that runs already, and event loops that can't be in one."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import trio

from lomond import AsyncWebSocket, TrioWebSocket
from lomond.testing import pretend
from lomond.testing.peer import Pause, Peer, Talk
from testing.worlds import (
    QUIET,
    URL,
    Plays,
    by_task,
    greets,
    is_mute,
    names_of,
    never,
    no_network as no_network,
)

TESTS = Path(__file__).parents[1]
pytestmark = pytest.mark.usefixtures("no_network")


@pytest.mark.parametrize("kind", ["asyncio", "trio"])
def test_a_block_in_a_loop_that_runs(kind: str) -> None:
    """Which goes on in real time behind it, whatever was in the block."""
    library: Any = asyncio if kind == "asyncio" else trio
    make: Any = AsyncWebSocket if kind == "asyncio" else TrioWebSocket
    run: Any = trio.run if kind == "trio" else lambda act: asyncio.run(act())

    def now() -> float:
        return asyncio.get_running_loop().time() if kind == "asyncio" else trio.current_time()

    async def main() -> None:
        with pretend(Plays(greets)) as world:
            seen = await by_task(make(URL), never, False, {})
            await library.sleep(7200)
        assert "text" in names_of(seen)
        assert world.hours == pytest.approx(3, abs=0.1)
        for server, said in ((is_mute, "everybody waits"), (insists_at_once, "not now")):
            with pytest.raises(AssertionError, match=said), pretend(Plays(server)):
                await by_task(make(URL), never, False, QUIET)
        with pytest.raises(KeyError), pretend(Plays(greets)):
            raise KeyError
        began, real = now(), time.monotonic()
        await library.sleep(0.05)
        assert time.monotonic() - real >= 0.04
        assert 0.04 <= now() - began < 60

    run(main)


def insists_at_once(peer: Peer) -> Talk:
    yield from peer.upgrade()
    yield Pause(3)
    raise AssertionError("not now")


def test_timers_of_a_loop_that_ran_before_stay_real() -> None:
    async def main() -> list[str]:
        told: list[str] = []
        loop = asyncio.get_running_loop()
        loop.call_later(3600, told.append, "the harness's")
        left = loop.call_later(0.01, told.append, "soon")
        with pretend():
            loop.call_later(60, told.append, "the program's")
            loop.call_later(10800, told.append, "later than the block")
            await asyncio.sleep(7200)
            assert told == ["the program's"]
        assert left.when() - loop.time() < 1
        while told[-1] != "soon":
            await asyncio.sleep(0.01)
        return told

    assert asyncio.run(main()) == ["the program's", "soon"]


def test_deadlines_of_a_run_that_went_on_before_stay_real() -> None:
    async def main() -> None:
        with trio.fail_after(60), pretend():
            with trio.move_on_after(1800) as scope:
                await trio.sleep(7200)
            assert scope.cancelled_caught
            await trio.sleep(7200)

    trio.run(main)


def test_a_loop_that_was_made_before() -> None:
    loop = asyncio.new_event_loop()
    told: list[str] = []
    loop.call_later(60, told.append, "before")
    try:
        with pretend(Plays(greets)) as world:
            loop.call_later(30, told.append, "within")
            act = by_task(AsyncWebSocket(URL), never, False, {})
            seen = loop.run_until_complete(act)
        assert world.hours == pytest.approx(1, abs=0.01)
        assert told == ["within", "before"]
        assert "text" in names_of(seen)
        loop.run_until_complete(asyncio.sleep(0.001))
    finally:
        loop.close()


def test_a_trio_that_is_imported_within() -> None:
    """It goes by the world's clock from the first connection on."""
    code = (
        "import sys\n"
        "from lomond.testing import pretend\n"
        "from scripted import accepts\n"
        "class Server:\n"
        "    talk = staticmethod(accepts)\n"
        "assert 'trio' not in sys.modules\n"
        "with pretend(Server()) as world:\n"
        "    import trio\n"
        "    from lomond import TrioWebSocket\n"
        "    async def main():\n"
        "        async with TrioWebSocket('wss://feed.example/') as websocket:\n"
        "            async for event in websocket:\n"
        "                if event.name == 'ready':\n"
        "                    break\n"
        "            await trio.sleep(7200)\n"
        "    trio.run(main)\n"
        "print(round(world.hours))\n"
    )
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=TESTS)
    assert (done.stdout, done.stderr) == ("2\n", "")


def test_loops_that_cannot_be_pretended() -> None:
    uvloop = pytest.importorskip("uvloop")

    async def enters() -> None:
        with pretend():
            pass

    async def connects() -> None:
        await by_task(AsyncWebSocket(URL), never, False, {})

    loop = uvloop.new_event_loop()
    try:
        with pytest.raises(
            RuntimeError, match=r"but a uvloop\.Loop, whose waits can't be pretended"
        ):
            loop.run_until_complete(enters())
        with pretend(), pytest.raises(RuntimeError, match="run this test with asyncio's"):
            loop.run_until_complete(connects())
    finally:
        loop.close()


def test_a_run_of_trio_by_another_clock() -> None:
    async def enters() -> None:
        with pretend():
            pass

    with pytest.raises(RuntimeError, match=r"goes by a clock of its own.*leave that out"):
        trio.run(enters, clock=trio.testing.MockClock(autojump_threshold=0))


def test_sockets_that_are_not_pythons(monkeypatch: pytest.MonkeyPatch) -> None:
    import socket

    class Others(socket.socket):
        def recv(self, *_: Any) -> bytes:
            return b""

    monkeypatch.setattr(socket, "socket", Others)
    with pytest.raises(RuntimeError, match="as gevent and eventlet replace them"), pretend():
        pass
