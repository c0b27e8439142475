"""A WebSocket that is used as if it were another door's says which is meant, and what to write."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest
import trio

from doors.raw_server import echo, raw_server
from lomond import AsyncWebSocket, TrioWebSocket, WebSocket, WebSocketGroup, wrong_door


def in_trio(act: Callable[[], Any]) -> None:
    async def main() -> None:
        await trio.lowlevel.checkpoint()
        await act()

    trio.run(main)


def in_asyncio(act: Callable[[], Any]) -> None:
    async def main() -> None:
        await act()

    asyncio.run(main())


DOORS = [(AsyncWebSocket, in_asyncio), (TrioWebSocket, in_trio)]


@pytest.mark.parametrize("kind", [AsyncWebSocket, TrioWebSocket])
def test_for_over_what_is_awaited(kind: Any) -> None:
    websocket = kind("ws://h/")
    with pytest.raises(TypeError) as told:
        iter(websocket)
    assert str(told.value) == (
        f"{kind.__name__} is for an event loop: write 'async for event in websocket'; "
        "without an event loop use lomond.WebSocket"
    )
    for stream in (websocket.connect(), websocket.persist()):
        with pytest.raises(TypeError, match=r"^events that are awaited: write 'async for event in"):
            list(stream)
    with (
        pytest.raises(TypeError, match=rf"^{kind.__name__} is for an ev.*write 'async with websoc"),
        websocket,
    ):
        pass


@pytest.mark.parametrize(("kind", "run"), DOORS)
def test_awaiting_connect(kind: Any, run: Any) -> None:
    async def act() -> None:
        for stream in (kind("ws://h/").connect(), kind("ws://h/").persist()):
            with pytest.raises(
                TypeError,
                match=r"^connect\(\) and persist\(\) are not awaited: write 'async for ev",
            ):
                await stream

    run(act)


@pytest.mark.parametrize("run", [in_asyncio, in_trio])
@pytest.mark.parametrize("kind", [lambda: WebSocket("ws://h/"), WebSocketGroup])
def test_async_for_over_what_blocks(run: Any, kind: Any) -> None:
    async def act() -> None:
        blocking = kind()
        name = type(blocking).__name__
        with pytest.raises(TypeError) as told:
            async for _ in blocking:
                pass
        assert str(told.value) == (
            f"{name} waits in its thread: write 'for', without 'async'; in an event loop use "
            "lomond.AsyncWebSocket (asyncio) or lomond.TrioWebSocket (trio)"
        )
        with pytest.raises(TypeError, match=f"^{name} waits in its th.* write 'with', without"):
            async with blocking:
                pass

    run(act)


@pytest.mark.filterwarnings("ignore:a WebSocket keeps the event loop")
@pytest.mark.parametrize("run", [in_asyncio, in_trio])
@pytest.mark.parametrize("kind", ["connect", "persist"])
def test_the_events_of_what_blocks(kind: str, run: Any) -> None:
    async def act() -> None:
        events = getattr(WebSocket("ws://h/"), kind)()
        with pytest.raises(TypeError, match=r"are not awaited, they wait .*: write 'for event in"):
            await events
        with pytest.raises(TypeError, match=r"^events of a WebSocket, which wa.*: write 'for', wi"):
            async for _ in events:
                pass
        with pytest.raises(TypeError, match=r"give events: write 'async with websocket:'"):
            async with events:
                pass
        with pytest.raises(TypeError, match=r"give events: write 'with websocket:'"), events:
            pass

    run(act)


@pytest.mark.parametrize(("kind", "run"), DOORS)
def test_with_the_events_of_what_is_awaited(kind: Any, run: Any) -> None:
    async def act() -> None:
        with pytest.raises(TypeError, match=r"give events: write 'async with websocket:'"):
            async with kind("ws://h/").connect():
                pass

    run(act)


def test_nothing_else_takes_them_for_what_they_are_not() -> None:
    """What tells awaitables apart, as many frameworks do, awaits no WebSocket."""
    import inspect

    for websocket in (WebSocket("ws://h/"), AsyncWebSocket("ws://h/"), TrioWebSocket("ws://h/")):
        assert not inspect.isawaitable(websocket)


# A WebSocket that blocks an event loop


@pytest.fixture
def first_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """As at the beginning of a process."""
    monkeypatch.setattr(wrong_door, "has_warned", False)
    monkeypatch.setattr(wrong_door, "has_warned_of_break", False)


def several(kind: str) -> Iterator[Any]:
    """Things that block, in one way after another."""
    with raw_server(echo) as server:
        websocket = WebSocket(server.url)
        if kind == "group":
            group = WebSocketGroup()
            group.add(websocket)
            for _, event in group:
                yield event
                websocket.close()
        else:
            for event in websocket if kind == "for" else websocket.persist(max_attempts=1):
                yield event
                if event.name == "ready":
                    break


@pytest.mark.parametrize("kind", ["for", "persist", "group"])
@pytest.mark.parametrize(
    ("run", "door"), [(in_asyncio, "AsyncWebSocket"), (in_trio, "TrioWebSocket")]
)
def test_one_that_blocks_an_event_loop_warns_once(
    kind: str, run: Any, door: str, first_time: None
) -> None:
    async def act() -> None:
        with pytest.warns(RuntimeWarning) as told:
            assert next(several(kind)).name == "connecting"
        (warned,) = told
        assert str(warned.message) == (
            "a WebSocket keeps the event loop that runs in this thread from everything else; use "
            f"lomond.{door} (async for event in websocket), or iterate it in another thread"
        )
        assert warned.filename == __file__
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            next(several(kind))

    run(act)


def test_another_thread_of_an_asyncio_program_may_block(first_time: None) -> None:
    async def act() -> None:
        event = await asyncio.to_thread(lambda: next(several("for")))
        assert event.name == "connecting"

    in_asyncio(act)


def test_in_ipython_it_is_the_way(first_time: None, monkeypatch: pytest.MonkeyPatch) -> None:
    shell = SimpleNamespace(get_ipython=lambda: object())
    monkeypatch.setitem(sys.modules, "IPython", shell)  # type: ignore[arg-type]  # stands for one

    async def act() -> None:
        assert next(several("for")).name == "connecting"

    in_asyncio(act)


def test_ipython_that_is_only_imported_changes_nothing(
    first_time: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    shell = SimpleNamespace(get_ipython=lambda: None)
    monkeypatch.setitem(sys.modules, "IPython", shell)  # type: ignore[arg-type]  # stands for one

    async def act() -> None:
        with pytest.warns(RuntimeWarning, match="AsyncWebSocket"):
            next(several("for"))

    in_asyncio(act)


def test_nothing_is_imported_to_look() -> None:
    program = (
        "import sys; from lomond import WebSocket\n"
        "next(WebSocket('ws://h/').connect())\n"
        "print([name for name in ('asyncio', 'trio') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    assert done.stdout.decode().split() == ["[]"]
