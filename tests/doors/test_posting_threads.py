"""Threads, signal handlers, tasks and children that post to a loop."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import threading
import time
from collections import defaultdict
from contextlib import suppress
from typing import Any

import pytest

from doors.peer_server import served
from doors.raw_server import refusing_port
from lomond import AsyncWebSocket, WebSocket, WebSocketGroup
from lomond.persist import persist
from lomond.protocol import frames
from lomond.testing.echo import EchoServer
from lomond.testing.peer import Peer, Talk, say
from patience import FAR, PATIENCE
from scripted import closes, is_silent

pytestmark = pytest.mark.threads

POSTERS = 8
EACH = 2000
QUIET: dict[str, Any] = {"poll": None, "ping_rate": 0}


def from_threads(post: Any) -> list[threading.Thread]:
    """Threads that each post their numbers."""

    def run(poster: int) -> None:
        for number in range(EACH):
            post((poster, number))
            if number % 100 == 0:
                time.sleep(0.001)

    return [threading.Thread(target=run, args=(n,)) for n in range(POSTERS)]


def assert_in_order(found: list[Any]) -> None:
    by_poster: dict[int, list[int]] = defaultdict(list)
    for poster, number in found:
        by_poster[poster].append(number)
    assert set(by_poster) == set(range(POSTERS))
    for numbers in by_poster.values():
        assert numbers == list(range(EACH))


def talks(peer: Peer) -> Talk:
    yield from peer.upgrade()
    for _ in range(100_000):
        yield say(frames.TEXT, b"x" * 100)
    yield from peer.hear_end()


@pytest.mark.every_door
@pytest.mark.parametrize("talk", [is_silent, talks])
def test_all_come_and_those_of_each_in_their_order(talk: Any) -> None:
    found: list[Any] = []
    with served(talk, FAR) as server:
        websocket = WebSocket(server.url)
        threads = from_threads(websocket.post)
        stream = websocket.connect(**QUIET)
        for event in stream:
            if event.name == "ready":
                for thread in threads:
                    thread.start()
            elif event.name == "posted":
                found.append(event.value)
                if len(found) == POSTERS * EACH:
                    break
        stream.close()
        for thread in threads:
            thread.join(PATIENCE)
    assert_in_order(found)


@pytest.mark.every_door
def test_all_come_while_connections_come_and_go() -> None:
    found: list[Any] = []
    with served(closes) as server:
        websocket = WebSocket(server.url)
        threads = from_threads(websocket.post)
        for thread in threads:
            thread.start()
        stream = persist(websocket, min_wait=0.01, max_wait=0.01, **QUIET)
        for event in stream:
            if event.name == "posted":
                found.append(event.value)
                if len(found) == POSTERS * EACH:
                    break
        stream.close()
        for thread in threads:
            thread.join(PATIENCE)
    assert_in_order(found)


def test_the_first_posts_of_several_threads_are_all_kept() -> None:
    for _ in range(50):
        websocket = WebSocket("ws://h/")
        gate = threading.Barrier(POSTERS)

        def post(number: int, websocket: Any = websocket, gate: Any = gate) -> None:
            gate.wait()
            websocket.post(number)

        threads = [threading.Thread(target=post, args=(n,)) for n in range(POSTERS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(vars(websocket)["_posts"]) == list(range(POSTERS))


def test_one_that_is_posted_while_a_send_waits_comes_behind() -> None:
    with EchoServer() as server:
        websocket = WebSocket(server.url)
        found: list[str] = []
        for event in websocket.connect(**QUIET):
            if event.name == "ready":
                thread = threading.Thread(target=lambda: websocket.post("x"))
                thread.start()
                websocket.send_binary(bytes(8 << 20))
            elif event.name in ("posted", "binary"):
                found.append(event.name)
                if len(found) == 2:
                    break
        thread.join(PATIENCE)
    assert sorted(found) == ["binary", "posted"]


@pytest.mark.every_door
@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="no such timer")
@pytest.mark.parametrize("moment", ["ready", "back_off", "connecting"])
def test_a_signal_handler_posts(moment: str) -> None:
    """Wherever it interrupts the thread that iterates, and its waits."""
    count = 0

    def handle(*_: object) -> None:
        nonlocal count
        websocket.post(count)
        count += 1
        signal.setitimer(signal.ITIMER_REAL, 0.013)  # the next one interrupts not this one

    found: list[Any] = []
    with served(is_silent) as server:
        where = server.url if moment == "ready" else f"ws://127.0.0.1:{refusing_port()}/"
        websocket = WebSocket(where)
        stream = persist(websocket, min_wait=60 if moment == "back_off" else 0.01, **QUIET)
        before = signal.signal(signal.SIGALRM, handle)
        try:
            for event in stream:
                if event.name == moment and not count:
                    signal.setitimer(signal.ITIMER_REAL, 0.01)
                elif event.name == "posted":
                    found.append(event.value)
                    if len(found) == 40:
                        break
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, before)
        stream.close()
    assert found == list(range(40))


def test_a_signal_handler_ends_the_wait_of_asyncios_loop() -> None:
    async def follow(url: str) -> float:
        async with AsyncWebSocket(url) as websocket:

            def handle(*_: object) -> None:
                moments.append(time.monotonic())
                websocket.post("x")

            before = signal.signal(signal.SIGALRM, handle)
            try:
                async for event in websocket.connect(**QUIET):
                    if event.name == "ready":
                        signal.setitimer(signal.ITIMER_REAL, 0.2)
                    elif event.name == "posted":
                        return time.monotonic() - moments[0]
            finally:
                signal.signal(signal.SIGALRM, before)
        raise AssertionError

    moments: list[float] = []
    with served(is_silent) as server:
        assert asyncio.run(asyncio.wait_for(follow(server.url), PATIENCE)) < 1.0


def test_tasks_of_one_loop_and_another_loop_post() -> None:
    async def follow(url: str) -> list[Any]:
        found: list[Any] = []

        async def task(number: int) -> None:
            await asyncio.sleep(0.01 * number)
            websocket.post(number)

        async def elsewhere() -> None:
            websocket.post(4)

        async with AsyncWebSocket(url) as websocket, asyncio.TaskGroup() as tasks:
            async for event in websocket.connect(**QUIET):
                if event.name == "ready":
                    for number in range(4):
                        tasks.create_task(task(number))
                elif event.name == "posted":
                    found.append(event.value)
                    if event.value == 3:
                        thread = threading.Thread(target=lambda: asyncio.run(elsewhere()))
                        thread.start()
                    if event.value == 4:
                        thread.join(PATIENCE)
                        return found
        raise AssertionError

    with served(is_silent) as server:
        assert asyncio.run(asyncio.wait_for(follow(server.url), PATIENCE)) == [0, 1, 2, 3, 4]


def test_what_ran_ahead_of_a_task_that_leaves_is_for_the_next_loop() -> None:
    async def follow(url: str) -> list[Any]:
        found: list[Any] = []
        async with AsyncWebSocket(url) as websocket:
            async for event in websocket.connect(**QUIET):
                if event.name == "ready":
                    for number in range(100):
                        websocket.post(number)
                    await asyncio.sleep(0.05)  # up to 16 events wait for this task
                elif event.name == "posted" and event.value == 2:
                    await asyncio.sleep(0.05)
                    break
            async for event in websocket.connect(**QUIET):
                if event.name == "posted":
                    found.append(event.value)
                    if event.value == 99:
                        return found
        raise AssertionError

    with served(is_silent) as server:
        found = asyncio.run(asyncio.wait_for(follow(server.url), PATIENCE))
    assert found == list(range(3, 100))


def test_a_wait_that_is_cancelled_loses_none() -> None:
    async def follow(url: str) -> list[Any]:
        found: list[Any] = []
        async with AsyncWebSocket(url) as websocket:
            thread = threading.Thread(target=lambda: [websocket.post(n) for n in range(5000)])
            events = websocket.connect(**QUIET)
            while (await anext(events)).name != "ready":
                pass
            thread.start()
            while len(found) < 5000:
                with suppress(TimeoutError):
                    async with asyncio.timeout(0.0005):
                        while True:
                            event = await anext(events)
                            if event.name == "posted":
                                found.append(event.value)
            thread.join(PATIENCE)
        return found

    with served(is_silent) as server:
        found = asyncio.run(asyncio.wait_for(follow(server.url), PATIENCE))
    assert found == list(range(5000))


# Groups


def test_a_group_is_posted_to() -> None:
    found: list[Any] = []
    with EchoServer() as server:  # which has several at a time
        group = WebSocketGroup()
        one, two = WebSocket(server.url), WebSocket(server.url)
        group.add(one, ping_rate=0)
        group.add(two, ping_rate=0)
        group.post("early")
        ready = 0
        for websocket, event in group:
            if event.name == "ready":
                ready += 1
                if ready == 2:
                    one.post("one")
                    two.post("two")
                    group.post("all")
            elif event.name == "posted":
                found.append((websocket, event.value))
                if len(found) == 4:
                    break
    assert found[0] == (None, "early")
    assert sorted(found[1:], key=lambda item: str(item[1])) == [
        (None, "all"), (one, "one"), (two, "two"),
    ]  # fmt: skip


def test_what_comes_too_late_for_a_group_is_for_its_next_loop() -> None:
    with served(closes) as server:
        group = WebSocketGroup()
        assert list(group) == []
        group.post("x")
        assert list(group) == []
        group.add(WebSocket(server.url))
        assert [event.value for _, event in group if event.name == "posted"] == ["x"]


def test_threads_post_to_a_group() -> None:
    found: list[Any] = []
    with served(is_silent) as server:
        group = WebSocketGroup()
        group.add(WebSocket(server.url), ping_rate=0)
        threads = from_threads(group.post)
        for websocket, event in group:
            if event.name == "ready":
                for thread in threads:
                    thread.start()
            elif event.name == "posted":
                assert websocket is None
                found.append(event.value)
                if len(found) == POSTERS * EACH:
                    break
        for thread in threads:
            thread.join(PATIENCE)
    assert_in_order(found)


@pytest.mark.parametrize("whose", ["group", "member"])
@pytest.mark.parametrize("moment", ["ready", "back_off"])
def test_a_group_is_woken(whose: str, moment: str) -> None:
    with served(is_silent) as server:
        where = server.url if moment == "ready" else f"ws://127.0.0.1:{refusing_port()}/"
        websocket, group = WebSocket(where), WebSocketGroup()
        group.persist(websocket, ping_rate=0, min_wait=60, max_wait=60)
        post = group.post if whose == "group" else websocket.post
        began = 0.0
        for _, event in group:
            if event.name == moment:
                began = time.monotonic()
                threading.Timer(0.2, lambda: post("x")).start()
            elif event.name == "posted":
                break
        assert 0.2 <= time.monotonic() - began < 2


def test_a_group_in_whose_body_it_is_posted_hands_out_the_others_events_too() -> None:
    """Each handler posts the next one."""
    with EchoServer() as server:
        websocket, group = WebSocket(server.url), WebSocketGroup()
        group.add(websocket, ping_rate=0)
        texts = 0
        for _, event in group:
            if event.name == "ready":
                group.post("x")
                websocket.send_text("x")
            elif event.name == "posted":
                group.post("x")
            elif event.name == "text":
                texts += 1
                websocket.send_text("x")
                if texts == 100:
                    break
    assert texts == 100


# Children

FORKS = """
import os
from lomond import WebSocket, WebSocketGroup
from lomond.testing.echo import EchoServer

with EchoServer() as server:
    websocket, group = WebSocket(server.url), WebSocketGroup()
    websocket.post("parent")
    group.post("parent")
    stream = websocket.connect(ping_rate=0)
    next(stream)
    websocket.post("parent")
    child = os.fork()
    if not child:
        websocket.post("child")
        group.post("child")
        found = []
        for event in websocket.connect(ping_rate=0):
            if event.name == "posted":
                found.append(event.value)
            elif event.name == "poll":
                websocket.close()
        group.add(websocket, ping_rate=0)
        for _, event in group:
            if event.name == "posted":
                found.append(event.value)
            elif event.name == "ready":
                websocket.close()
        os._exit(found != ["child", "child"])
    assert os.waitpid(child, 0)[1] == 0
    found = []
    for event in stream:
        if event.name == "posted":
            found.append(event.value)
        elif event.name == "poll":
            websocket.close()
    assert found == ["parent", "parent"], found
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
def test_a_child_has_none_of_its_parents() -> None:
    quiet = ("-W", "ignore::DeprecationWarning")
    command = [sys.executable, "-X", "dev", "-W", "error", *quiet, "-c", FORKS]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, "")
