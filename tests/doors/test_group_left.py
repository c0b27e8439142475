"""Members that are left, and groups that are closed or interrupted, from anywhere."""

from __future__ import annotations

import os
import selectors
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from inspect import CO_GENERATOR
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

import lomond
from doors.inside import is_at_rest, is_freed
from doors.raw_server import echo, frame, raw_server, read_all
from doors.signals import alarm
from lomond import WebSocket, twin
from lomond.aio import AsyncWebSocket
from lomond.group import WebSocketGroup
from lomond.protocol import frames

HOME = Path(lomond.__file__).parent
QUIET: dict[str, Any] = {"ping_rate": 0}


def greets(connection: socket.socket) -> None:
    connection.sendall(frame(frames.TEXT, b"hello") * 3)
    echo(connection)


def hangs_up(connection: socket.socket) -> None:
    connection.sendall(frame(frames.CLOSE, code=1000))
    read_all(connection)


# Leaving from anywhere


@pytest.mark.parametrize("at", ["connecting", "connected", "ready", "text", "poll"])
@pytest.mark.parametrize("way", ["remove", "close", "remove twice", "remove, then close"])
@pytest.mark.parametrize("whom", ["itself", "another"])
def test_leaving_in_the_handler_of_any_event(at: str, way: str, whom: str) -> None:
    with raw_server(greets) as server:
        group = WebSocketGroup()
        first, second = WebSocket(server.url), WebSocket(server.url)
        for websocket in (first, second):
            group.add(websocket, poll=30, **QUIET)
        left: WebSocket | None = None
        for websocket, event in group:
            assert websocket is not left
            if left is not None:
                group.remove(websocket)
            elif event.name == at:
                other = second if websocket is first else first
                left = websocket if whom == "itself" else other
                if way != "close":
                    group.remove(left)
                if way == "remove twice":
                    with pytest.raises(KeyError, match="is not in the group"):
                        group.remove(left)
                if "close" in way:
                    group.close()
                assert left not in group
        assert left is not None
        assert is_freed(first)
        assert is_freed(second)
    assert is_at_rest(group)


@pytest.mark.parametrize("act", ["remove", "close", "add again"])
@pytest.mark.parametrize("last", ["disconnected", "connect_fail", "back_off"])
def test_leaving_in_the_handler_of_the_last_event(act: str, last: str) -> None:
    with raw_server(hangs_up) as server, raw_server(echo) as other:
        group = WebSocketGroup()
        url = "ws://127.0.0.1:1/" if last == "connect_fail" else server.url
        websocket, stays = WebSocket(url), WebSocket(other.url)
        if last == "back_off":
            group.persist(websocket, min_wait=0, max_wait=0, **QUIET)
        else:
            group.add(websocket, **QUIET)
        group.add(stays, **QUIET)
        is_done = is_ready = False
        seen = []
        for member, event in group:
            seen.append((member, event.name))
            is_ready = is_ready or (member is stays and event.name == "ready")
            if is_ready and is_done:
                stays.close()
            if member is websocket and event.name == last and not is_done:
                is_done = True
                if act == "close":
                    group.close()
                    continue
                group.remove(websocket)
                if act == "add again":
                    group.add(websocket, **QUIET)
                if is_ready:
                    stays.close()
        assert is_done
        if act != "close":
            assert seen.count((stays, "disconnected")) == 1
        assert seen.count((websocket, "connecting")) == (2 if act == "add again" else 1)
    with pytest.raises(KeyError, match="is not in the group"):
        group.remove(websocket)


def test_closing_members_in_the_handlers_of_others() -> None:
    with raw_server(greets) as server:
        group = WebSocketGroup()
        members = [WebSocket(server.url) for _ in range(5)]
        for websocket in members:
            group.add(websocket, **QUIET)
        ends = []
        for websocket, event in group:
            if event.name == "text" and websocket is members[0]:
                for member in members:
                    member.close()
                    member.close()
            elif event.name in ("disconnected", "connect_fail"):
                ends.append(websocket)
        assert set(ends) == set(members)
        assert all(map(is_freed, members))


@pytest.mark.parametrize("act", ["remove", "close", "remove another", "reset", "disconnect"])
@pytest.mark.parametrize("way", ["trace", "headers"])
def test_leaving_in_a_callable_that_a_member_asks(way: str, act: str) -> None:
    acts: dict[str, Callable[[], object]] = {
        "remove": lambda: group.remove(websocket),
        "close": lambda: group.close(),
        "remove another": lambda: group.remove(other),
        "reset": lambda: websocket.reset(),
        "disconnect": lambda: websocket.force_disconnect(),
    }
    done: list[str] = []

    def trace(record: dict[str, Any]) -> None:
        if record["stage"] == "message_text" and not done:
            done.append(record["stage"])
            acts[act]()

    def headers() -> dict[str, str]:
        done.append("headers")
        acts[act]()
        return {}

    with raw_server(greets) as server:
        group = WebSocketGroup()
        given: dict[str, Any] = {"trace": trace} if way == "trace" else {"headers": headers}
        websocket, other = WebSocket(server.url, **given), WebSocket(server.url)
        group.add(websocket, **QUIET)
        group.add(other, poll=0.01, **QUIET)
        seen = []
        for member, event in group:
            seen.append((member, event.name))
            if done and (websocket not in group or other not in group or len(seen) > 99):
                group.close()
        assert len(done) == 1
        if act in ("remove", "close"):
            assert (websocket, "disconnected") not in seen
            if way == "trace":
                assert (websocket, "text") not in seen
        assert is_freed(websocket)
        assert is_freed(other)
    assert is_at_rest(group)


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="no timers of signals here")
@pytest.mark.parametrize("act", ["remove", "close", "close them"])
def test_leaving_in_a_signal_handler_ends_the_wait(act: str) -> None:
    def handler(number: int, frame: FrameType | None) -> None:
        if act == "close":
            group.close()
        for websocket in members:
            if act == "remove":
                group.remove(websocket)
            elif act == "close them":
                websocket.close()

    with alarm(0, handler), raw_server(echo) as server:
        group = WebSocketGroup()
        members = [WebSocket(server.url) for _ in range(2)]
        for websocket in members:
            group.add(websocket, **QUIET)
        ready = 0
        names = []
        for _, event in group:
            names.append(event.name)
            ready += event.name == "ready"
            if event.name == "ready" and ready == 2:
                signal.setitimer(signal.ITIMER_REAL, 0.05)
        assert names.count("disconnected") == (2 if act == "close them" else 0)
        assert all(map(is_freed, members))
    assert is_at_rest(group)


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="no timers of signals here")
def test_a_close_in_a_signal_handler_begins_its_timeout() -> None:
    """The server does not answer: what ends the wait is close_timeout."""

    def is_silent(connection: socket.socket) -> None:
        assert connection.recv(1)
        released.wait(20)

    released = threading.Event()
    closing = alarm(0, lambda number, frame: websocket.close())
    with closing, raw_server(is_silent) as server:
        websocket = WebSocket(server.url)
        group = WebSocketGroup()
        group.add(websocket, close_timeout=0.05, **QUIET)
        names = []
        for _, event in group:
            names.append(event.name)
            if event.name == "ready":
                signal.setitimer(signal.ITIMER_REAL, 0.05)
        released.set()
    assert names[-1] == "disconnected"


def test_from_another_thread_while_it_waits() -> None:
    with raw_server(echo) as server:
        group = WebSocketGroup()
        websocket = WebSocket(server.url)
        group.add(websocket, **QUIET)
        for _, event in group:
            if event.name == "ready":
                thread = threading.Timer(0.05, group.close)
                thread.start()
        thread.join()
    assert is_at_rest(group)
    assert is_freed(websocket)


# What may be added


@pytest.mark.parametrize("method", ["add", "persist"])
@pytest.mark.parametrize(
    ("value", "message"),
    [
        (
            AsyncWebSocket("ws://me:hunter2@h/"),
            "not AsyncWebSocket.*; which is another.* WebSocket",
        ),
        ("ws://me:hunter2@h/", r"not 'ws://\*\*\*@h/'; write WebSocket\(\.\.\.\) around the URL"),
        (None, "needs a WebSocket, not None"),
        (WebSocket, "needs a WebSocket, not <class"),
        ([], r"needs a WebSocket, not \[\]"),
    ],
)
def test_what_is_no_web_socket(method: str, value: Any, message: str) -> None:
    group = WebSocketGroup()
    with pytest.raises(TypeError, match=message) as caught:
        getattr(group, method)(value)
    assert f"WebSocketGroup.{method}()" in str(caught.value)
    assert "hunter2" not in str(caught.value)
    assert len(group) == 0


# Signal handlers that raise


class Interrupter:
    """Raises KeyboardInterrupt at the n-th moment in these files, as test_interrupted.py has it.

    Also behind a function of theirs, which is more than Python does. Not where a generator goes on:
    what a profiler raises there passes its handlers by, and what a signal handler raises does not.
    """

    def __init__(self, moment: int, files: list[str]) -> None:
        self._left = moment
        self._files = files
        self.struck: str | None = None

    def __call__(self, frame: FrameType, event: str, argument: Any) -> None:
        code = frame.f_code
        is_moment = event == "c_return" or (
            event in ("call", "return") and not code.co_flags & CO_GENERATOR
        )
        if is_moment and self.struck is None and code.co_filename in self._files:
            self._left -= 1
            if self._left < 0:
                self.struck = f"{event} in {code.co_qualname}, line {frame.f_lineno}"
                raise KeyboardInterrupt(self.struck)

    @contextmanager
    def armed(self) -> Iterator[None]:
        sys.setprofile(self)
        try:
            yield
        finally:
            sys.setprofile(None)


LOOP = [*map(str, (HOME / "io" / "group_loop.py", HOME / "group.py", selectors.__file__))]
NEAR = [str(HOME / name) for name in ("io/stream.py", "io/waiting.py", "persist.py", "door.py")]


def talk(group: WebSocketGroup, members: list[WebSocket]) -> None:
    """Members come and go; the group is closed, or left by its last member."""
    first, second, third = members
    group.add(first, **QUIET)
    group.persist(second, **QUIET)
    for websocket, event in group:
        if event.name == "ready":
            websocket.send_text("x")
        elif event.name == "text":
            if websocket is first:
                group.add(third, **QUIET)
                group.remove(first)
            elif websocket is second:
                second.send_text("y")
                if event.text == "y" and third not in group:
                    group.close()
            else:
                third.close()
        elif event.name == "disconnected":
            assert websocket is third


def remove_one_that_waits(group: WebSocketGroup, members: list[WebSocket]) -> None:
    """The group waits for the first member's bytes when that one is taken out of it."""
    waits, talks, _ = members
    group.add(waits, **QUIET)
    for _, event in group:
        if event.name == "ready" and talks not in group:
            group.add(talks, **QUIET)
        elif event.name == "ready":
            talks.send_text("x")
        elif event.name == "text":
            group.remove(waits)
            group.close()


@pytest.mark.threads
@pytest.mark.parametrize("talk", [talk, remove_one_that_waits])
@pytest.mark.parametrize("files", [LOOP, NEAR], ids=["the loop", "near it"])
# A socket that nobody has yet but the function that makes it goes with that function.
@pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")
def test_what_a_signal_handler_raises_comes_out_as_itself(
    files: list[str], talk: Callable[[WebSocketGroup, list[WebSocket]], None]
) -> None:
    moment = 0
    with raw_server(echo) as server:
        while True:
            group = WebSocketGroup()
            members = [WebSocket(f"{server.url}{number}") for number in range(3)]
            interrupter = Interrupter(moment, files)
            caught: BaseException | None = None
            try:
                with interrupter.armed():
                    talk(group, members)
            except BaseException as error:
                caught = error.with_traceback(None)
            if interrupter.struck is None:
                assert caught is None
                # Of the compiled loop only what calls Python is seen, and can be interrupted.
                assert moment > (100 if twin.running == "pure" else 20)
                break
            assert type(caught) is KeyboardInterrupt, (interrupter.struck, caught)
            assert caught.args == (interrupter.struck,)
            group.close()  # what was added in vain, before the loop began
            assert is_at_rest(group), interrupter.struck
            assert all(map(is_freed, members)), interrupter.struck
            moment += 1


@pytest.mark.skipif(not os.path.isdir("/proc/self/fd"), reason="no list of descriptors here")
def test_a_group_that_was_interrupted_is_as_new() -> None:
    with raw_server(echo) as server:
        group = WebSocketGroup()
        descriptors = []
        for _ in range(3):
            websocket = WebSocket(server.url)
            group.add(websocket, **QUIET)
            with pytest.raises(KeyboardInterrupt):
                until_ready(group)
            assert is_at_rest(group)
            assert is_freed(websocket)
            descriptors.append(selectors_open())
        assert len(set(descriptors)) == 1


def until_ready(group: WebSocketGroup) -> None:
    for _, event in group:
        if event.name == "ready":
            raise KeyboardInterrupt


def selectors_open() -> int:
    """How many of epoll's descriptors this process has."""
    count = 0
    for name in os.listdir("/proc/self/fd"):
        with suppress(OSError):  # another thread closed it meanwhile
            count += "eventpoll" in os.readlink(f"/proc/self/fd/{name}")
    return count
