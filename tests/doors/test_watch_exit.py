"""An exit event that is watched acts when it is set, not when the connection's next event comes."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
from collections.abc import Callable, Coroutine, Iterator
from typing import Any, Literal

import pytest
import trio

from doors.raw_server import echo, raw_server, read_all, until
from lomond import WebSocket
from lomond.aio import AsyncWebSocket
from lomond.base import Base
from lomond.group import WebSocketGroup
from lomond.io.noticing import LOOK, Look, Notice
from lomond.persist import persist
from lomond.testing.echo import EchoServer
from patience import PATIENCE

pytestmark = pytest.mark.every_door

#: Nothing happens by itself.
STILL: dict[str, Any] = {"poll": None, "ping_rate": 0, "watch_exit": True, "min_wait": 1e6}
Run = Callable[[Coroutine[Any, Any, Any]], Any]


class Later:
    """Sets an event from another thread, when that is asked for."""

    def __init__(self, event: threading.Event) -> None:
        self._timer = threading.Timer(0.05, event.set)

    def start(self) -> None:
        self._timer.start()

    def join(self) -> None:
        self._timer.join(PATIENCE)


def names(stream: Any, at: str, act: Callable[[], object]) -> list[str]:
    """The names of all events; at one of them something is done."""
    found = []
    for event in stream:
        found.append(event.name)
        if event.name == at:
            act()
    return found


def test_while_nothing_comes() -> None:
    stop = threading.Event()
    later = Later(stop)
    with raw_server(echo) as server:
        stream = persist(WebSocket(server.url), exit_event=stop, **STILL)
        seen = names(stream, "ready", later.start)
    later.join()
    assert seen == ["connecting", "connected", "ready", "closed", "disconnected"]


def test_it_is_set_in_a_handler() -> None:
    stop = threading.Event()
    with raw_server(echo) as server:
        stream = persist(WebSocket(server.url), exit_event=stop, **STILL)
        seen = names(stream, "ready", stop.set)
    assert seen[-2:] == ["closed", "disconnected"]


def test_the_closing_handshake_has_its_time_and_no_more() -> None:
    stop = threading.Event()
    with raw_server(read_all) as server:  # which does not answer
        stream = persist(WebSocket(server.url), exit_event=stop, close_timeout=0.05, **STILL)
        seen = names(stream, "ready", Later(stop).start)
    assert seen[-1] == "disconnected"


@pytest.mark.parametrize("scheme", ["ws", "wss"])
def test_while_connecting(scheme: str) -> None:
    stop = threading.Event()
    later = Later(stop)
    with raw_server(lambda sock: read_until_left(sock), upgrades=False) as server:
        url = f"{scheme}://127.0.0.1:{server.port}/"
        websocket = WebSocket(url, open_timeout=None)
        at = "connected" if scheme == "ws" else "connecting"
        seen = names(persist(websocket, exit_event=stop, **STILL), at, later.start)
    later.join()
    assert seen[-1] == ("disconnected" if scheme == "ws" else "connect_fail")
    assert "back_off" not in seen


def read_until_left(connection: socket.socket) -> None:
    while connection.recv(65536):
        pass


def test_while_it_waits_to_connect_again() -> None:
    stop = threading.Event()
    later = Later(stop)
    stream = persist(WebSocket("ws://127.0.0.1:1/"), exit_event=stop, **STILL)
    assert names(stream, "back_off", later.start) == ["connecting", "connect_fail", "back_off"]
    later.join()


def check_looks_at_nothing(websocket: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A connection that is made now does not wake for an event of an earlier one."""
    looks: list[Look] = []
    monkeypatch.setattr(Look, "now", looks.append)
    stream = websocket.connect(poll=2.5 * LOOK, ping_rate=0)
    until(stream, "poll")
    until(stream, "poll")
    stream.close()
    assert looks == []


def test_a_connection_that_could_not_begin_leaves_nothing_to_look_at(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The next one of this object would wake ten times a second, for an event of the past."""

    def interrupts(record: Any) -> None:
        if record["stage"] == "connect_start":
            raise KeyboardInterrupt

    stop = threading.Event()
    with raw_server(echo) as server:
        websocket = WebSocket(server.url, trace=interrupts)
        with pytest.raises(KeyboardInterrupt):
            list(persist(websocket, exit_event=stop, **STILL))
        websocket.trace = None
        check_looks_at_nothing(websocket, monkeypatch)


@pytest.mark.doors("sync")
@pytest.mark.parametrize("error", [OSError, None])
def test_a_connect_that_makes_no_connection_leaves_nothing_to_look_at(
    error: type[Exception] | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Mine(WebSocket):
        def connect(self, *arguments: object, **options: Any) -> Any:
            if stop.is_set():
                return super().connect(*arguments, **options)
            stop.set()
            if error is not None:
                raise error("not today")
            return []

    stop = threading.Event()
    with raw_server(echo) as server:
        websocket = Mine(server.url)
        with contextlib.nullcontext() if error is None else pytest.raises(error, match="not today"):
            list(persist(websocket, exit_event=stop, **STILL))
        check_looks_at_nothing(websocket, monkeypatch)


@pytest.mark.doors("sync")
def test_a_class_with_a_connect_of_its_own() -> None:
    class Mine(WebSocket):
        def connect(self, *arguments: object, **options: Any) -> Iterator[Any]:  # type: ignore[override]  # of each the right kind
            yield from super().connect(*arguments, **options)

    stop = threading.Event()
    with raw_server(echo) as server:
        stream = persist(Mine(server.url), exit_event=stop, **STILL)
        assert names(stream, "ready", Later(stop).start)[-1] == "disconnected"


def test_nobody_looks_where_nobody_wants_it() -> None:
    class Event(threading.Event):
        asked = 0

        def is_set(self) -> bool:
            self.asked += 1
            return super().is_set()

    stop = Event()
    with raw_server(echo) as server:
        websocket = WebSocket(server.url)
        stream = persist(websocket, poll=0.02, exit_event=stop)
        polls = 0
        for event in stream:
            polls += event.name == "poll"
            if polls == 10:
                break
        stream.close()
    assert stop.asked == 0
    assert websocket.session is not None


def test_a_connection_of_its_own_is_not_looked_at_any_more() -> None:
    stop = threading.Event()
    with raw_server(echo) as server:
        websocket = WebSocket(server.url)
        names(persist(websocket, exit_event=stop, **STILL), "ready", stop.set)
        polls = 0
        for event in websocket.connect(poll=0.05, ping_rate=0):
            polls += event.name == "poll"
            if polls == 5:
                websocket.close()
                polls = -1000
        assert polls < 0


# A group


@pytest.mark.doors("group")
def test_in_a_group_the_others_go_on() -> None:
    from lomond import WebSocket

    stop = threading.Event()
    with raw_server(echo) as server:
        group = WebSocketGroup()
        watched, other = WebSocket(server.url), WebSocket(server.url)
        refused = WebSocket("ws://127.0.0.1:1/")
        group.persist(watched, exit_event=stop, **STILL)
        group.persist(refused, exit_event=stop, **STILL)
        group.add(other, poll=0.02, ping_rate=0)
        seen = set()
        later = Later(stop)
        is_asked = False
        for websocket, event in group:
            seen.add((websocket, event.name))
            if not is_asked and {(watched, "ready"), (refused, "back_off")} <= seen:
                is_asked = True
                later.start()
            if event.name == "poll" and len(group) == 1:
                other.close()
        later.join()
        assert {(watched, "disconnected"), (refused, "connect_fail")} <= seen
        assert (watched, "back_off") not in seen


# asyncio


class Counting(asyncio.Event):
    asked = 0
    waiting = 0  # that many wait for it

    def is_set(self) -> bool:
        self.asked += 1
        return super().is_set()

    async def wait(self) -> Literal[True]:
        self.waiting += 1
        try:
            return await super().wait()
        finally:
            self.waiting -= 1


@pytest.mark.doors("asyncio")
def test_an_event_of_asyncio_is_not_looked_at_and_acts(run: Run) -> None:
    async def talk(url: str) -> None:
        tasks = asyncio.all_tasks()
        stop = Counting()
        found = []
        async with AsyncWebSocket(url) as websocket:
            async for event in persist(websocket, exit_event=stop, **STILL):
                found.append(event.name)
                if event.name == "ready":
                    before = stop.asked
                    assert stop.waiting == 1
                    asyncio.get_running_loop().call_later(0.35, stop.set)
                    at_the_end = [before]
            assert found[-2:] == ["closed", "disconnected"]
            # Once for each event and once when it acts, not ten times a second.
            assert stop.asked <= at_the_end[0] + 4
        assert asyncio.all_tasks() == tasks
        assert stop.waiting == 0

    with EchoServer() as server:
        run(talk(server.url))


@pytest.mark.doors("asyncio")
@pytest.mark.parametrize("watch_exit", [True, False])
def test_an_event_of_asyncio_ends_the_wait_to_connect_again(run: Run, watch_exit: bool) -> None:
    async def talk() -> None:
        tasks = asyncio.all_tasks()
        stop = Counting()
        websocket = AsyncWebSocket("ws://127.0.0.1:1/")
        found = []
        given = STILL | {"watch_exit": watch_exit}
        async for event in persist(websocket, exit_event=stop, **given):
            found.append(event.name)
            if event.name == "back_off":
                before = stop.asked
                asyncio.get_running_loop().call_later(0.35, stop.set)
        assert found == ["connecting", "connect_fail", "back_off"]
        assert stop.asked <= before + 2
        assert asyncio.all_tasks() == tasks

    run(talk())


@pytest.mark.doors("asyncio")
@pytest.mark.parametrize("at", ["connecting", "ready", "back_off"])
def test_nothing_is_left_of_it_when_the_iteration_is(run: Run, at: str) -> None:
    async def talk(url: str) -> None:
        tasks = asyncio.all_tasks()
        stop = Counting()
        async with AsyncWebSocket(url if at == "ready" else "ws://127.0.0.1:1/") as websocket:
            events = persist(websocket, exit_event=stop, **STILL)
            async for event in events:
                if event.name == at:
                    break
            assert stop.waiting == 1
            await events.aclose()
        await asyncio.sleep(0)  # asyncio closes sockets a turn later
        assert asyncio.all_tasks() == tasks
        assert stop.waiting == 0
        stop.set()
        await asyncio.sleep(0)

    with EchoServer() as server:
        run(talk(server.url))


@pytest.mark.doors("asyncio")
def test_an_event_that_was_set_and_cleared_was_set(run: Run) -> None:
    async def talk(url: str) -> list[str]:
        stop = asyncio.Event()

        def flash() -> None:
            stop.set()
            stop.clear()

        found = []
        async with AsyncWebSocket(url) as websocket:
            async for event in persist(websocket, exit_event=stop, **STILL):
                found.append(event.name)
                if event.name == "ready":
                    asyncio.get_running_loop().call_soon(flash)
        return found

    with EchoServer() as server:
        assert run(talk(server.url))[-1] == "disconnected"


@pytest.mark.doors("asyncio")
def test_an_event_that_is_set_from_the_beginning(run: Run) -> None:
    async def talk(url: str) -> list[str]:
        stop = asyncio.Event()
        stop.set()
        async with AsyncWebSocket(url) as websocket:
            return [event.name async for event in persist(websocket, exit_event=stop, **STILL)]

    with EchoServer() as server:
        assert run(talk(server.url)) == ["connecting", "connect_fail"]


@pytest.mark.doors("asyncio")
def test_an_event_with_a_wait_that_only_gives_the_loop_a_turn_is_looked_at(run: Run) -> None:
    class Turns:
        is_over = False

        def is_set(self) -> bool:
            return self.is_over

        async def wait(self) -> bool:
            while not self.is_over:
                await asyncio.sleep(0)
            return True

    async def talk(url: str) -> list[str]:
        stop = Turns()
        found = []
        async with AsyncWebSocket(url) as websocket:
            async for event in persist(websocket, exit_event=stop, **STILL):
                found.append(event.name)
                if event.name == "ready":
                    asyncio.get_running_loop().call_later(
                        0.05, lambda: setattr(stop, "is_over", True)
                    )
        return found

    with EchoServer() as server:
        assert run(talk(server.url))[-1] == "disconnected"


@pytest.mark.doors("sync", "group")
def test_a_web_socket_can_not_await() -> None:
    websocket = WebSocket("ws://h/")
    assert isinstance(websocket, Base)
    with pytest.raises(TypeError, match=r"can't await .*; give it a threading\.Event"):
        persist(websocket, exit_event=asyncio.Event())


@pytest.mark.doors("asyncio")
def test_an_exit_event_of_trio_is_refused_at_once() -> None:
    websocket = AsyncWebSocket("ws://h/")
    with pytest.raises(TypeError, match=r"give it asyncio\.Event\(\) or threading\.Event\(\)"):
        persist(websocket, exit_event=trio.Event())  # type: ignore[arg-type]  # it is the wrong one


def test_a_notice_of_nothing() -> None:
    notice = Notice(None)
    assert not notice.is_set()
    notice.close()
