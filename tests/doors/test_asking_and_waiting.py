"""`ask`: for threads beside the one that iterates, and for tasks, that one included."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import AsyncGenerator
from typing import Any

import pytest

from doors.of_loops import BOTH
from lomond import AsyncWebSocket, WebSocket, WebSocketGroup
from lomond.errors import NoReply, WebSocketError, WebSocketUnavailable
from lomond.protocol import frames
from lomond.testing.peer import End, Pause, Peer, Talk, say
from lomond.testing.server import PeerServer
from patience import PATIENCE


@pytest.fixture(params=BOTH.values(), ids=BOTH)
def loop(request: pytest.FixtureRequest) -> Any:
    return request.param


def answers(peer: Peer) -> Talk:
    """Answers each question by its id, behind something else; "close" by a close."""
    yield from peer.upgrade()
    while (frame := (yield from peer.hear_frame())) is not None:
        if frame.opcode == frames.CLOSE:
            yield say(frames.CLOSE, frame.payload)
            yield End()
            return
        if frame.opcode not in (frames.TEXT, frames.BINARY):
            continue
        asked = json.loads(frame.payload)
        if asked.get("close"):
            yield say(frames.CLOSE, b"enough", code=4000)
            continue
        for number in range(asked.get("before", 0)):
            yield say(frames.TEXT, b'{"news": "%s"}' % (b"x" * asked.get("size", 1)))
            del number
        if asked.get("silent"):
            continue
        yield Pause(asked.get("after", 0))
        yield say(frames.TEXT, json.dumps({"id": asked["id"], "result": 2 * asked["id"]}).encode())


# Threads


class Iterated:
    """A WebSocket that another thread iterates, within this."""

    def __init__(self, websocket: WebSocket, events: Any = None) -> None:
        self.websocket = websocket
        self.seen: list[Any] = []
        self._events = events
        self._thread = threading.Thread(target=self._iterate, daemon=True)

    def _iterate(self) -> None:
        for item in self._events or self.websocket.connect(poll=None):
            event = item[1] if isinstance(item, tuple) else item
            self.seen.append(event)

    def __enter__(self) -> Iterated:
        self._thread.start()
        assert self.websocket.wait_ready(PATIENCE)
        return self

    def __exit__(self, *error: object) -> None:
        self.websocket.close()
        self._thread.join(PATIENCE)
        assert not self._thread.is_alive()


@pytest.mark.parametrize("in_group", [False, True])
def test_threads_ask_beside_the_one_that_iterates(in_group: bool) -> None:
    results: dict[int, Any] = {}

    def ask(number: int) -> None:
        results[number] = websocket.ask(
            {"id": number, "before": 1}, reply=("id", number), within=PATIENCE
        ).json["result"]

    with PeerServer(answers) as server:
        websocket = WebSocket(server.url)
        group = WebSocketGroup()
        if in_group:
            group.add(websocket, poll=None)
        with Iterated(websocket, group if in_group else None) as iterated:
            threads = [threading.Thread(target=ask, args=(number,)) for number in range(8)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join(PATIENCE)
    assert results == {number: 2 * number for number in range(8)}
    # The replies were handed out to none but those that asked.
    texts = [event.json for event in iterated.seen if event.name == "text"]
    assert texts == [{"news": "x"}] * 8


def test_a_thread_that_is_not_answered() -> None:
    with PeerServer(answers) as server:
        websocket = WebSocket(server.url)
        with Iterated(websocket):
            began = time.monotonic()
            with pytest.raises(
                NoReply, match=r"no reply to an object with id, silent within 0.2 s"
            ):
                websocket.ask({"id": 1, "silent": True}, reply=("id", 1), within=0.2)
            assert time.monotonic() - began >= 0.2
            # What comes later is an event as all others.
            assert websocket.ask({"id": 2}, reply=("id", 2)).json["result"] == 4


def test_the_end_of_the_connection_ends_a_threads_wait() -> None:
    with PeerServer(answers) as server:
        websocket = WebSocket(server.url)
        with (
            Iterated(websocket),
            pytest.raises(NoReply, match=r"closed the connection.*4000") as told,
        ):
            websocket.ask({"id": 1, "close": True}, reply=("id", 1), within=None)
    assert isinstance(told.value, TimeoutError)
    assert isinstance(told.value, WebSocketError)
    assert told.value.ending is not None
    assert told.value.ending.code == 4000


def test_leaving_the_loop_ends_a_threads_wait() -> None:
    raised: list[NoReply] = []

    def ask() -> None:
        try:
            websocket.ask({"id": 1, "silent": True}, reply=("id", 1), within=None)
        except NoReply as error:
            raised.append(error)

    with PeerServer(answers) as server:
        websocket = WebSocket(server.url)
        thread = threading.Thread(target=ask)
        for event in websocket.connect(poll=0.05):
            if event.name == "ready":
                thread.start()
            elif event.name == "poll" and server.peers and server.peers[0].heard:
                break
        thread.join(PATIENCE)
        assert not thread.is_alive()
    assert raised[0].ending is not None
    assert raised[0].ending.kind == "left"


def test_what_its_callable_raises_is_raised_there() -> None:
    with PeerServer(answers) as server:
        websocket = WebSocket(server.url)
        with Iterated(websocket) as iterated, pytest.raises(KeyError, match="none"):
            websocket.ask({"id": 1}, reply=lambda message: message.json["none"])
    assert [event.name for event in iterated.seen].count("text") == 1


def test_the_thread_that_iterates_is_told_what_to_write() -> None:
    with PeerServer(answers) as server:
        websocket = WebSocket(server.url)
        for event in websocket:
            if event.name == "ready":
                with pytest.raises(
                    RuntimeError, match=r"this thread iterates.*send_json\(obj, reply"
                ):
                    websocket.ask({"id": 1}, reply=("id", 1))
                break
        group = WebSocketGroup()
        group.add(websocket)
        for _, event in group:
            if event.name == "ready":
                with pytest.raises(RuntimeError, match="this thread iterates"):
                    websocket.ask({"id": 1}, reply=("id", 1))
                break
        group.close()


def test_without_a_connection_it_says_so() -> None:
    with pytest.raises(WebSocketUnavailable, match="not connected"):
        WebSocket("ws://127.0.0.1:1/").ask("x", reply=("id", 1))

    async def main() -> None:
        with pytest.raises(WebSocketUnavailable, match="not connected"):
            await AsyncWebSocket("ws://127.0.0.1:1/").ask("x", reply=("id", 1))

    asyncio.run(main())


def test_behind_its_loop_a_thread_is_told_that_there_is_no_connection() -> None:
    websocket = WebSocket("ws://127.0.0.1:1/")
    assert [event.name for event in websocket][-1] == "connect_fail"
    with pytest.raises(WebSocketUnavailable, match="not connected"):
        websocket.ask("x", reply=("id", 1))


# Tasks


def test_tasks_ask_beside_the_one_that_iterates(loop: Any) -> None:
    results: dict[int, Any] = {}
    texts: list[Any] = []

    async def main() -> None:
        with PeerServer(answers) as server:
            websocket = loop.door(server.url)

            async def ask(number: int) -> None:
                await websocket.wait_ready(PATIENCE)
                message = await websocket.ask({"id": number, "before": 1}, reply=("id", number))
                results[number] = message.json["result"]
                if len(results) == 8:
                    await websocket.close()

            async with loop.tasks() as start, websocket:
                for number in range(8):
                    start(ask, number)
                async for event in websocket.connect(poll=None):
                    if event.name == "text":
                        texts.append(event.json)

    loop.run(main)
    assert results == {number: 2 * number for number in range(8)}
    assert texts == [{"news": "x"}] * 8


def test_the_task_that_iterates_may_ask_too(loop: Any) -> None:
    """What comes before the reply waits for it: far more than runs ahead otherwise."""

    async def main() -> None:
        with PeerServer(answers) as server:
            websocket = loop.door(server.url)
            seen: list[Any] = []
            async with websocket:
                async for event in websocket.connect(poll=None):
                    if event.name == "ready":
                        asked = {"id": 3, "before": 500, "size": 500}
                        message = await websocket.ask(asked, reply=("id", 3))
                        seen.append(message.json["result"])
                        second = await websocket.ask({"id": 4}, reply=("id", 4))
                        seen.append(second.json["result"])
                        await websocket.close()
                    elif event.name == "text":
                        seen.append(event.json["news"])
        assert seen[:2] == [6, 8]
        assert seen[2:] == ["x" * 500] * 500

    loop.run(main)


def test_too_much_before_it_is_an_error_that_says_so(loop: Any) -> None:
    async def main() -> None:
        with PeerServer(answers) as server:
            websocket = loop.door(server.url, max_read_ahead=100_000)
            async with websocket:
                async for event in websocket.connect(poll=None):
                    if event.name == "ready":
                        with pytest.raises(
                            NoReply, match=r"more than max_read_ahead \(100000 bytes\)"
                        ):
                            await websocket.ask(
                                {"id": 3, "before": 500, "size": 500},
                                reply=("id", 3),
                                within=PATIENCE,
                            )
                        break

    loop.run(main)


def test_a_task_that_is_not_answered(loop: Any) -> None:
    async def main() -> None:
        with PeerServer(answers) as server:
            websocket = loop.door(server.url)
            async with websocket:
                async for event in websocket.connect(poll=None):
                    if event.name == "ready":
                        with pytest.raises(NoReply, match=r"within 0.1 s \(within\)"):
                            await websocket.ask(
                                {"id": 1, "silent": True}, reply=("id", 1), within=0.1
                            )
                        with pytest.raises(NoReply, match="closed the connection") as told:
                            await websocket.ask(
                                {"id": 1, "close": True}, reply=("id", 1), within=None
                            )
                        assert told.value.ending is not None
                        assert told.value.ending.code == 4000

    loop.run(main)


def test_in_an_async_enter(loop: Any) -> None:
    async def main() -> None:
        with PeerServer(answers) as server:
            websocket = loop.door(server.url)
            results: list[Any] = []

            async def enter(ready: Any) -> AsyncGenerator[Any, Any]:
                asked = {"id": 5, "before": 100, "size": 10}
                results.append((await websocket.ask(asked, reply=("id", 5))).json["result"])
                answer = yield lambda event: event.name == "text"
                results.append(answer.json)

            texts = 0
            async with websocket:
                async for event in websocket.connect(poll=None, enter=enter):
                    texts += event.name == "text"
                    if event.name == "entered":
                        await websocket.close()
            assert results == [10, {"news": "x" * 10}]
            assert texts == 100

    loop.run(main)


def test_too_much_in_an_async_enter_is_an_error_that_says_so(loop: Any) -> None:
    async def main() -> None:
        with PeerServer(answers) as server:
            websocket = loop.door(server.url, max_read_ahead=100_000)

            async def enter(ready: Any) -> AsyncGenerator[Any, Any]:
                asked = {"id": 3, "before": 500, "size": 500}
                with pytest.raises(NoReply, match=r"more than max_read_ahead \(100000 bytes\)"):
                    await websocket.ask(asked, reply=("id", 3), within=PATIENCE)
                yield lambda event: event.name == "text" and event.json.get("result") == 6

            texts = 0
            async with websocket:
                async for event in websocket.connect(poll=None, enter=enter):
                    texts += event.name == "text"
                    if event.name == "entered":
                        await websocket.close()
            assert texts == 501

    loop.run(main)


def test_before_ready_the_task_that_iterates_is_refused(loop: Any) -> None:
    async def main() -> None:
        with PeerServer(answers) as server:
            websocket = loop.door(server.url)
            async with websocket:
                async for event in websocket:
                    if event.name == "connected":
                        with pytest.raises(
                            WebSocketUnavailable, match="ask from the ready event on"
                        ):
                            await websocket.ask({"id": 1}, reply=("id", 1))
                    elif event.name == "ready":
                        break

    loop.run(main)


def test_a_cancelled_one_waits_no_more() -> None:
    async def main() -> None:
        with PeerServer(answers) as server:
            websocket = AsyncWebSocket(server.url)
            async with websocket:
                async for event in websocket.connect(poll=None):
                    if event.name == "ready":
                        with pytest.raises(asyncio.TimeoutError):
                            await asyncio.wait_for(
                                websocket.ask({"id": 1, "after": 0.2}, reply=("id", 1)), 0.05
                            )
                    elif event.name == "text":
                        assert event.json["id"] == 1  # nobody waits for it
                        break

    asyncio.run(main())


def test_a_loop_that_stood_still_over_its_end_has_the_reply_all_the_same(loop: Any) -> None:
    async def main() -> None:
        with PeerServer(answers) as server:
            websocket = loop.door(server.url)

            async def blocks() -> None:
                await loop.sleep(0.05)
                time.sleep(0.4)  # that is the mistake

            async with loop.tasks() as start, websocket:
                async for event in websocket.connect(poll=None):
                    if event.name == "ready":
                        start(blocks)
                        asked = {"id": 1, "after": 0.1}
                        message = await websocket.ask(asked, reply=("id", 1), within=0.3)
                        assert message.json["result"] == 2
                        break

    loop.run(main)
