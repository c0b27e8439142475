"""`enter=` as an async generator, in the doors with an event loop; and beside tasks that wait."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import threading
import warnings
from collections.abc import AsyncGenerator, Generator
from typing import Any

import pytest

from doors.of_loops import BOTH
from lomond import AsyncWebSocket, WebSocket, WebSocketGroup
from lomond.errors import Refused
from lomond.protocol import frames
from lomond.testing.peer import End, Hear, Pause, Peer, Talk, say
from lomond.testing.server import PeerServer

Steps = AsyncGenerator[Any, Any]


@pytest.fixture(params=BOTH.values(), ids=BOTH)
def loop(request: pytest.FixtureRequest) -> Any:
    return request.param


def answers(peer: Peer) -> Talk:
    yield from peer.upgrade()
    yield from peer.hear_until(frames.TEXT)
    yield say(frames.PING, b"p")
    yield say(frames.TEXT, b"between")
    yield say(frames.TEXT, b"answer")
    yield from peer.hear_until(frames.TEXT)
    yield say(frames.TEXT, b"news")
    yield say(frames.CLOSE, code=1000)
    yield from peer.hear_end()


def is_answer(event: Any) -> bool:
    return event.name == "text" and event.text == "answer"


def played(loop: Any, talk: Any, enter: Any, **options: Any) -> tuple[list[str], Any, PeerServer]:
    """What is handed out, the ending, and the server."""
    seen: list[str] = []

    async def main() -> Any:
        with PeerServer(talk) as server:
            websocket = loop.door(server.url)
            async with websocket:
                async for event in websocket.connect(enter=enter, poll=None, **options):
                    seen.append(event.text if event.name == "text" else event.name)
            return websocket.ending, server

    ending, server = loop.run(main)
    return seen[2:], ending, server


def test_it_runs_in_the_iterating_task(loop: Any) -> None:
    tasks = []

    async def enter(ready: Any) -> Steps:
        tasks.append(loop.task())
        yield "login"
        await loop.sleep(0.05)
        answer = yield is_answer
        assert answer.text == "answer"
        await loop.sleep(0.01)
        tasks.append(loop.task())
        yield "subscribe"

    async def main() -> None:
        mine = loop.task()
        with PeerServer(answers) as server:
            websocket = loop.door(server.url)
            async with websocket:
                seen = []
                async for event in websocket.connect(enter=enter, poll=None):
                    seen.append(event.text if event.name == "text" else event.name)
        assert tasks == [mine, mine]
        assert seen[2:] == [
            "ready", "ping", "between", "answer", "entered", "news", "closing", "disconnected"
        ]  # fmt: skip

    loop.run(main)


def test_what_comes_while_it_awaits_is_held_for_it(loop: Any) -> None:
    async def enter(ready: Any) -> Steps:
        yield "login"
        await loop.sleep(0.2)  # the answer is here by then, and the ping answered
        yield is_answer
        yield "subscribe"

    seen, _, server = played(loop, answers, enter)
    assert "entered" in seen
    assert [frame.opcode for frame in server.peers[0].heard[:3]] == [1, 10, 1]


def test_much_that_comes_while_it_awaits(loop: Any) -> None:
    def says_much(peer: Peer) -> Talk:
        yield from peer.upgrade()
        for number in range(200):
            yield say(frames.TEXT, b"%d" % number)
        yield say(frames.TEXT, b"answer")
        yield from peer.hear_until(frames.CLOSE)
        yield say(frames.CLOSE, code=1000)
        yield End()

    async def enter(ready: Any) -> Steps:
        await loop.sleep(0.2)
        answer = yield is_answer
        assert answer.text == "answer"
        raise Refused("enough")

    seen, ending, _ = played(loop, says_much, enter)
    assert seen[1:201] == [str(number) for number in range(200)]
    assert ending.kind == "refused"


def test_a_server_that_says_much_has_to_wait_while_it_awaits(loop: Any) -> None:
    """Sixteen messages are held, but not sixteen of any size."""
    sent = threading.Event()

    def says_much(peer: Peer) -> Talk:
        yield from peer.upgrade()
        for _ in range(16):
            yield say(frames.BINARY, bytes(2_000_000))
        sent.set()
        yield from peer.hear_until(frames.CLOSE)
        yield say(frames.CLOSE, code=1000)
        yield End()

    async def enter(ready: Any) -> Steps:
        await loop.sleep(0.3)
        assert not sent.is_set()
        for _ in range(16):
            yield lambda event: event.name == "binary"
        raise Refused("enough")

    seen, ending, _ = played(loop, says_much, enter)
    assert seen.count("binary") == 16
    assert ending.kind == "refused"


def test_its_time_ends_an_await_of_its_own(loop: Any) -> None:
    ended = []

    async def enter(ready: Any) -> Steps:
        yield "login"
        try:
            await loop.sleep(60)
        finally:
            ended.append(True)

    def is_silent(peer: Peer) -> Talk:
        yield from peer.upgrade()
        yield from peer.hear_end()

    seen, ending, _ = played(loop, is_silent, enter, enter_timeout=0.2)
    assert seen == ["ready", "disconnected"]
    assert ending.deadline == "enter_timeout"
    assert ended == [True]


def test_a_loss_ends_an_await_of_its_own(loop: Any) -> None:
    async def enter(ready: Any) -> Steps:
        yield "login"
        await loop.sleep(60)

    def hangs_up(peer: Peer) -> Talk:
        yield from peer.upgrade()
        yield from peer.hear_until(frames.TEXT)
        yield say(frames.TEXT, b"bye")
        yield End()

    seen, ending, _ = played(loop, hangs_up, enter)
    assert seen == ["ready", "bye", "disconnected"]
    assert ending.kind == "lost"


def test_the_generator_is_closed_where_the_connection_ends(loop: Any) -> None:
    ended = []

    async def enter(ready: Any) -> Steps:
        yield "login"
        try:
            yield is_answer
        finally:
            await loop.sleep(0)
            ended.append(True)

    def hangs_up(peer: Peer) -> Talk:
        yield from peer.upgrade()
        yield from peer.hear_until(frames.TEXT)
        yield Pause(0.05)
        yield End()

    seen, _, _ = played(loop, hangs_up, enter)
    assert seen == ["ready", "disconnected"]
    assert ended == [True]


def test_one_that_does_not_end_where_it_is_closed_is_a_mistake_that_is_told(loop: Any) -> None:
    async def enter(ready: Any) -> Steps:
        try:
            yield "login"
            yield is_answer
        finally:
            yield "logout"

    def hangs_up(peer: Peer) -> Talk:
        yield from peer.upgrade()
        yield from peer.hear_until(frames.TEXT)
        yield End()

    with pytest.raises(RuntimeError, match="ignored GeneratorExit"):
        played(loop, hangs_up, enter)


def test_what_it_raises_where_it_is_closed_comes_out_of_the_loop(loop: Any) -> None:
    async def enter(ready: Any) -> Steps:
        yield "login"
        try:
            yield is_answer
        finally:
            await loop.sleep(0)
            raise LookupError("mine")

    def hangs_up(peer: Peer) -> Talk:
        yield from peer.upgrade()
        yield from peer.hear_until(frames.TEXT)
        yield End()

    with pytest.raises(LookupError, match="mine"):
        played(loop, hangs_up, enter)


@pytest.mark.parametrize("how", ["left", "raises", "aclose"])
def test_one_whose_loop_is_left_is_closed_and_nobody_is_warned(loop: Any, how: str) -> None:
    ended = []

    async def enter(ready: Any) -> Steps:
        try:
            yield "login"
            yield lambda event: False
        finally:
            await loop.sleep(0)
            ended.append(True)

    def says(peer: Peer) -> Talk:
        yield from peer.upgrade()
        yield from peer.hear_until(frames.TEXT)
        yield say(frames.TEXT, b"something else")
        yield from peer.hear_end()

    async def iterate(url: str) -> None:
        async with loop.door(url) as websocket:
            events = websocket.connect(enter=enter)
            async for event in events:
                if event.name == "text" and how == "raises":
                    raise LookupError("mine")
                if event.name == "text":
                    break
            if how == "aclose":
                await events.aclose()

    async def main() -> None:
        with PeerServer(says) as server, contextlib.suppress(LookupError):
            await iterate(server.url)

    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        loop.run(main)
        gc.collect()
    assert ended == [True]
    assert [str(one.message) for one in seen] == []


def test_its_exceptions_come_out_of_the_loop(loop: Any) -> None:
    async def enter(ready: Any) -> Steps:
        yield "login"
        yield is_answer
        raise LookupError("mine")

    def is_left(peer: Peer) -> Talk:
        yield from peer.upgrade()
        yield from peer.hear_until(frames.TEXT)
        yield say(frames.TEXT, b"answer")
        yield from peer.hear_end()

    with pytest.raises(LookupError, match="mine"):
        played(loop, is_left, enter)


def test_wrong_yields_are_told_there(loop: Any) -> None:
    told = []

    async def is_wrong(event: Any) -> bool:
        raise NotImplementedError

    async def enter(ready: Any) -> Steps:
        for wrong in (5, is_wrong):
            try:
                yield wrong
            except TypeError as error:
                told.append(str(error))
        yield "login"
        yield "subscribe"

    seen, _, _ = played(loop, answers, enter)
    assert "entered" in seen
    assert told[0].startswith("enter can yield a message")
    assert "is a coroutine function; give a plain one" in told[1]


def test_a_task_that_was_cancelled_in_it_is_told() -> None:
    async def enter(ready: Any) -> Steps:
        await asyncio.sleep(0.3)
        yield "login"

    async def main() -> None:
        with PeerServer(answers_nothing) as server:
            websocket = AsyncWebSocket(server.url)
            async with websocket:
                events = websocket.connect(enter=enter)
                while (await anext(events)).name != "ready":
                    pass
                with pytest.raises(asyncio.TimeoutError):
                    await asyncio.wait_for(anext(events), 0.05)
                with pytest.raises(RuntimeError, match="enter was cancelled while it awaited"):
                    await anext(events)

    asyncio.run(main())


def answers_nothing(peer: Peer) -> Talk:
    yield from peer.upgrade()
    yield from peer.hear_end()


def test_messages_of_other_tasks_go_out_between_its_own(loop: Any) -> None:
    def hears_three(peer: Peer) -> Talk:
        yield from peer.upgrade()
        yield from peer.hear_until(frames.TEXT)
        yield from peer.hear_until(frames.TEXT)
        yield say(frames.TEXT, b"answer")
        yield from peer.hear_until(frames.TEXT)
        yield say(frames.CLOSE, code=1000)
        yield Hear()

    async def main() -> None:
        with PeerServer(hears_three) as server:
            websocket = loop.door(server.url)

            async def enter(ready: Any) -> Steps:
                yield "login"
                await websocket.send_text("from within")
                yield is_answer
                yield "subscribe"

            async with websocket:
                async for _ in websocket.connect(enter=enter):
                    pass
        heard = [frame.payload for frame in server.peers[0].heard]
        assert heard[:3] == [b"login", b"from within", b"subscribe"]

    loop.run(main)


@pytest.mark.parametrize("kind", [WebSocket, WebSocketGroup])
def test_doors_without_an_event_loop_refuse_it(kind: type) -> None:
    async def enter(ready: Any) -> Steps:
        yield "login"

    with PeerServer(answers_nothing) as server:
        websocket = WebSocket(server.url)
        events: Any = websocket.connect(enter=enter)
        if kind is WebSocketGroup:
            events = group = WebSocketGroup()
            group.add(websocket, enter=enter)
        with pytest.raises(TypeError, match=r"gave an async generator.*write a plain one"):
            list(events)


def test_wait_ready_returns_when_it_is_through() -> None:
    def answers_late(peer: Peer) -> Talk:
        yield from peer.upgrade()
        yield Pause(0.2)
        yield say(frames.TEXT, b"answer")
        yield from peer.hear_until(frames.TEXT)
        yield say(frames.CLOSE, code=1000)
        yield from peer.hear_end()

    def enter(ready: Any) -> Generator[Any, Any, None]:
        yield is_answer
        order.append("through")

    order: list[str] = []

    async def main() -> None:
        with PeerServer(answers_late) as server:
            websocket = AsyncWebSocket(server.url)

            async def waits() -> None:
                assert await websocket.wait_ready(10)
                order.append("waited")
                await websocket.send_text("now")

            task = asyncio.create_task(waits())
            async with websocket:
                async for _ in websocket.connect(enter=enter):
                    pass
            await task

    asyncio.run(main())
    assert order == ["through", "waited"]
