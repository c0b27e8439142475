"""What a program posts to its own loop, in every door: when it comes, and what is kept."""

from __future__ import annotations

import copy
import pickle
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from doors.peer_server import served
from doors.raw_server import refusing_port
from lomond import AsyncWebSocket, TrioWebSocket, WebSocket
from lomond.persist import persist
from lomond.protocol import frames
from lomond.testing.peer import Pause, Peer, Talk, say
from lomond.ways import SLICE
from patience import PATIENCE
from scripted import closes, is_silent, never_answers

QUIET: dict[str, Any] = {"poll": None, "ping_rate": 0}
LATE = 0.02  # seconds, by which it may come
every_door = pytest.mark.every_door
every_kind = pytest.mark.parametrize("kind", [WebSocket, AsyncWebSocket, TrioWebSocket])


class Later:
    """A thread that does something after a while."""

    def __init__(self, seconds: float, act: Callable[[], object]) -> None:
        self._seconds = seconds
        self._act = act
        self._began = 0.0
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        time.sleep(self._seconds)
        self._began = time.monotonic()
        self._act()

    def late(self) -> float:
        """How many seconds ago it was begun."""
        return time.monotonic() - self._began

    def join(self) -> None:
        self._thread.join(PATIENCE)


def lateness(stream: Any, post: Callable[[], object], tries: int = 5) -> float:
    """The least time, of some, after which it comes: others may have the processor meanwhile."""
    found: list[float] = []
    later = Later(0.15, post)
    for event in stream:
        if event.name == "posted":
            found.append(later.late())
            later.join()
            if len(found) == tries or min(found) < LATE / 2:
                break
            later = Later(0.15, post)
    stream.close()
    return min(found)


@every_door
@pytest.mark.parametrize("options", [QUIET, {"poll": 60, "ping_rate": 60, "ping_timeout": 60}])
def test_it_comes_at_once_on_an_idle_connection(options: dict[str, Any]) -> None:
    with served(is_silent) as server:
        websocket = WebSocket(server.url)
        stream = websocket.connect(**options)
        assert lateness(stream, lambda: websocket.post("x")) <= LATE


@every_door
def test_it_comes_at_once_while_messages_keep_coming() -> None:
    def talks(peer: Peer) -> Talk:
        yield from peer.upgrade()
        for _ in range(1000):
            yield Pause(0.005)
            yield say(frames.TEXT, b"x" * 100)

    with served(talks) as server:
        websocket = WebSocket(server.url)
        assert lateness(websocket.connect(**QUIET), lambda: websocket.post("x")) <= LATE


@every_door
@pytest.mark.parametrize("has_exit", [False, True])
def test_it_comes_at_once_between_connections(has_exit: bool) -> None:
    exit_event = threading.Event() if has_exit else None
    websocket = WebSocket(f"ws://127.0.0.1:{refusing_port()}/")
    stream = persist(websocket, min_wait=60, max_wait=60, exit_event=exit_event, **QUIET)
    while next(stream).name != "back_off":
        pass
    assert lateness(stream, lambda: websocket.post("x")) <= LATE


@every_door
def test_it_comes_at_once_while_the_connection_opens() -> None:
    with served(never_answers) as server:
        websocket = WebSocket(server.url, open_timeout=60)
        stream = websocket.connect(**QUIET)
        while next(stream).name != "connected":
            pass
        assert lateness(stream, lambda: websocket.post("x")) <= LATE


@every_door
def test_it_comes_at_once_while_the_connection_closes() -> None:
    with served(is_silent) as server:
        websocket = WebSocket(server.url)
        stream = websocket.connect(close_timeout=60, **QUIET)
        while next(stream).name != "ready":
            pass
        websocket.close()
        assert lateness(stream, lambda: websocket.post("x")) <= LATE


@every_door
def test_what_is_posted_in_the_loop_comes_next() -> None:
    with served(is_silent) as server:
        websocket = WebSocket(server.url)
        found: list[Any] = []
        for event in websocket.connect(**QUIET):
            if event.name == "ready":
                websocket.post(0)
            elif event.name == "posted":
                found.append(event.value)
                if event.value == 99:
                    break
                websocket.post(event.value + 1)
    assert found == list(range(100))


@every_door
def test_any_value_comes_as_it_is_and_in_its_order() -> None:
    values = [None, 0, "", object(), Exception("x"), lambda: 1, (), {}]
    with served(is_silent) as server:
        websocket = WebSocket(server.url)
        for value in values:
            websocket.post(value)
        found: list[Any] = []
        for event in websocket.connect(**QUIET):
            if event.name == "posted":
                found.append(event.value)
                if len(found) == len(values):
                    break
    assert all(one is other for one, other in zip(found, values, strict=True))


@every_door
@pytest.mark.parametrize("talk", [is_silent, never_answers])
def test_it_comes_behind_the_first_event_and_before_the_last_one(talk: Any) -> None:
    with served(talk) as server:
        websocket = WebSocket(server.url)
        websocket.post(0)
        names = []
        for event in websocket.connect(**QUIET):
            names.append(event.name)
            if event.name == "posted":
                websocket.post(event.value + 1)
                if event.value == 10:
                    websocket.force_disconnect()
    assert names[0] == "connecting"
    assert names[-1] in ("disconnected", "connect_fail")
    assert names.count("posted") >= 11


@every_door
def test_what_comes_too_late_is_for_the_next_connection() -> None:
    with served(closes) as server:
        websocket = WebSocket(server.url)
        for event in websocket.connect(**QUIET):
            if event.name == "disconnected":
                websocket.post("late")
        websocket.post("later")
        found = [event.value for event in websocket.connect(**QUIET) if event.name == "posted"]
    assert found == ["late", "later"]


@every_door
def test_what_was_posted_when_the_loop_was_left_is_for_the_next_one() -> None:
    with served(is_silent) as server:
        websocket = WebSocket(server.url)
        stream = websocket.connect(**QUIET)
        for event in stream:
            if event.name == "ready":
                for number in range(40):
                    websocket.post(number)
            if event.name == "posted" and event.value == 5:
                break
        stream.close()
        found = []
        stream = websocket.connect(**QUIET)
        for event in stream:
            if event.name == "posted":
                found.append(event.value)
                if event.value == 39:
                    break
        stream.close()
    assert found == list(range(6, 40))


@every_door
def test_each_connection_of_persist_goes_on_with_them() -> None:
    with served(closes) as server:
        websocket = WebSocket(server.url)
        stream = persist(websocket, min_wait=0.05, max_wait=0.05, **QUIET)
        found: list[Any] = []
        names: list[str] = []
        count = 0
        for event in stream:
            names.append(event.name)
            if event.name in ("connecting", "ready", "disconnected", "back_off"):
                websocket.post(count)
                count += 1
            elif event.name == "posted":
                found.append(event.value)
                if event.value >= 12:
                    break
        stream.close()
    assert found == list(range(13))
    assert names.count("back_off") >= 2


@every_door
def test_a_reset_keeps_them() -> None:
    with served(is_silent) as server:
        websocket = WebSocket(server.url)
        websocket.post("kept")
        websocket.reset()
        for event in websocket.connect(**QUIET):
            if event.name == "posted":
                break
        assert event.value == "kept"


@every_door
def test_an_exit_event_ends_the_wait_at_once() -> None:
    stop = threading.Event()
    websocket = WebSocket(f"ws://127.0.0.1:{refusing_port()}/")
    stream = persist(websocket, min_wait=60, max_wait=60, exit_event=stop, **QUIET)
    websocket.post("x")
    began = time.monotonic()
    names = []
    for event in stream:
        names.append(event.name)
        if event.name == "back_off":
            threading.Timer(0.1, stop.set).start()
    assert time.monotonic() - began < 5
    assert "posted" in names


def test_an_exit_event_that_does_not_wait_is_not_asked_for_ever() -> None:
    class Never:
        asked = 0

        def wait(self, seconds: float) -> bool:
            self.asked += 1
            return False

    never = Never()
    websocket = WebSocket(f"ws://127.0.0.1:{refusing_port()}/")
    began = time.monotonic()
    stream = persist(websocket, min_wait=60, max_wait=60, exit_event=never, max_attempts=3)  # type: ignore[arg-type]  # stands for one
    assert [event.name for event in stream].count("back_off") == 2
    assert time.monotonic() - began < 30
    assert never.asked == 2 * (int(60 / SLICE) + 1)


@every_kind
def test_no_copy_has_what_was_posted(kind: Any) -> None:
    websocket = kind("ws://h/")
    websocket.post("x")
    copies = copy.copy(websocket), copy.deepcopy(websocket), pickle.loads(pickle.dumps(websocket))
    assert [vars(other).get("_posts") for other in copies] == [None] * 3
    assert list(vars(websocket)["_posts"]) == ["x"]


def test_who_never_posts_has_nothing_for_it() -> None:
    with served(closes) as server:
        websocket = WebSocket(server.url)
        list(websocket)
    assert "_posts" not in vars(websocket)
    assert "_bell" not in vars(websocket)
