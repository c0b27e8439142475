"""What is tried under gevent and eventlet: programs, each for a process that those have changed.

in_greenlets.py runs them. `library` is gevent or eventlet, which have these names in common.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import greenlet
import pytest
import trustme

from doors.raw_server import echo, raw_server, read_frame
from lomond import WebSocket
from lomond.errors import TransportFail, WebSocketUnavailable
from lomond.group import WebSocketGroup
from lomond.persist import persist
from lomond.system import forking
from lomond.system.holding import is_mine
from lomond.testing.echo import EchoServer

PATIENCE = 20.0  # seconds
IS_EVENTLET = "eventlet" in sys.modules
library: Any = sys.modules["eventlet" if IS_EVENTLET else "gevent"]

PROGRAMS: dict[str, Callable[[], None]] = {}


def program(function: Callable[[], None]) -> Callable[[], None]:
    PROGRAMS[function.__name__] = function
    return function


def finish(running: Any) -> Any:
    """What a greenlet returned, or raised."""
    return running.wait() if IS_EVENTLET else running.get()


class Meanwhile:
    """Another greenlet that counts while we wait: whether the others have their turns."""

    def __init__(self) -> None:
        self.count = 0
        self._is_over = False

    def _run(self) -> None:
        while not self._is_over:
            self.count += 1
            time.sleep(0.01)

    def __enter__(self) -> Meanwhile:
        self._greenlet = library.spawn(self._run)
        return self

    def __exit__(self, *error: object) -> None:
        self._is_over = True
        finish(self._greenlet)


@contextlib.contextmanager
def nobody_leaves_with_a_lock() -> Iterator[None]:
    """No greenlet gives way to another one while it has the lock of a connection."""
    found: list[str] = []

    def look(event: str, between: tuple[Any, Any]) -> None:
        for reference in list(forking.watching):
            lock = reference().lock  # type: ignore[union-attr]  # all who watch are links
            if is_mine(lock) or not lock.acquire(False):
                found.append(f"{event} {between}")
            else:
                lock.release()

    before = greenlet.settrace(look)
    try:
        yield
    finally:
        greenlet.settrace(before)
    assert not found, found[:3]


class Switching(socket.socket):
    """A socket that lets others run before it sends: gevent's may, and a user's class may."""

    def send(self, *arguments: Any) -> int:
        library.sleep(0)
        return super().send(*arguments)


@program
def polls_and_pings_go_on() -> None:
    with EchoServer() as server, Meanwhile() as others:
        pongs = polls = 0
        for event in WebSocket(server.url).connect(poll=0.05, ping_rate=0.1, ping_timeout=PATIENCE):
            pongs += event.name == "pong"
            polls += event.name == "poll" and pongs > 0
            if polls >= 10 and pongs >= 3:
                break
    assert others.count > 10, others.count


@program
def a_dead_server_is_noticed() -> None:
    with raw_server(lambda sock: server.released.wait() and None) as server, Meanwhile() as others:
        websocket = WebSocket(server.url)
        seen = [event.name for event in websocket.connect(ping_rate=0.1, ping_timeout=0.3)]
        assert seen[-2:] == ["unresponsive", "disconnected"], seen
    assert others.count > 5, others.count


@program
def a_slow_handler_is_no_dead_server() -> None:
    with EchoServer() as server:
        pongs, seen = 0, []
        for event in WebSocket(server.url).connect(poll=None, ping_rate=0.2, ping_timeout=0.3):
            seen.append(event.name)
            if event.name == "pong":
                time.sleep(0.5)
                pongs += 1
            if pongs == 2:
                break
    assert "unresponsive" not in seen, seen


@program
def many_greenlets_send() -> None:
    sizes = [400_000 if number % 10 == 9 else 9 for number in range(30)]
    messages = {n: [f"{n} {i} " + "x" * size for i, size in enumerate(sizes)] for n in range(5)}

    def send(number: int) -> None:
        for message in messages[number]:
            websocket.send_text(message)

    with EchoServer() as server:
        websocket = WebSocket(server.url)
        got: dict[int, list[str]] = {number: [] for number in messages}
        senders = []
        for event in websocket.connect(poll=0.05, ping_rate=0.1):
            if event.name == "ready":
                senders = [library.spawn(send, number) for number in messages]
            elif event.name == "text":
                got[int(event.text.split()[0])].append(event.text)
                if got == messages:
                    websocket.close()
        for sender in senders:
            finish(sender)
    assert got == messages
    assert event.graceful, event


@program
def a_socket_whose_send_switches() -> None:
    def send(name: str) -> None:
        for number in range(50):
            websocket.send_text(f"{name} {number}")

    with EchoServer() as server, Switching() as given:
        given.connect(("127.0.0.1", int(server.url.rpartition(":")[2][:-1])))
        websocket = WebSocket(server.url, socket=given)
        got: list[str] = []
        senders = []
        for event in websocket.connect(poll=0.01, ping_rate=0.02):
            if event.name == "ready":
                senders = [library.spawn(send, name) for name in "ab"]
            elif event.name == "text":
                got.append(event.text)
                if len(got) == 100:
                    websocket.close()
        for sender in senders:
            finish(sender)
    for name in "ab":
        assert [g for g in got if g[0] == name] == [f"{name} {number}" for number in range(50)], got


@program
def over_tls() -> None:
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    trusting = ssl.create_default_context()
    authority.configure_trust(trusting)
    texts = ["short", "long" * 100_000, "last"]
    with raw_server(echo, context=context) as server, Meanwhile() as others:
        websocket = WebSocket(server.url, ssl_context=trusting)
        got, polls = [], 0
        for event in websocket.connect(poll=0.02, ping_rate=0.1):
            polls += event.name == "poll"
            if event.name == "ready":
                sender = library.spawn(lambda: [websocket.send_text(text) for text in texts])
            elif event.name == "text":
                got.append(event.text)
            if polls > 10 and len(got) == 3:
                websocket.close()
        finish(sender)
        assert event.graceful, event
    assert got == texts
    assert others.count > 10, others.count


@program
def a_name_is_resolved_meanwhile() -> None:
    resolve = socket.getaddrinfo

    def slow(host: str, *arguments: Any, **options: Any) -> Any:
        if host == "server.test" and not options.get("flags"):
            time.sleep(0.2)
            host = "127.0.0.1"
        return resolve(host, *arguments, **options)

    socket.getaddrinfo = slow  # type: ignore[assignment]  # stands for it
    with EchoServer() as server, Meanwhile() as others:
        websocket = WebSocket(server.url.replace("127.0.0.1", "server.test"))
        seen = [event.name for event in until_ready_then_close(websocket)]
        assert seen[-2:] == ["closed", "disconnected"], seen
        assert others.count > 5, others.count


def until_ready_then_close(websocket: WebSocket) -> Iterator[Any]:
    for event in websocket:
        if event.name == "ready":
            websocket.close()
        yield event


@program
def connected_again() -> None:
    exit_event = threading.Event()
    with raw_server(read_and_drop) as server, Meanwhile() as others:
        websocket = WebSocket(server.url)
        ready = 0
        for event in persist(websocket, min_wait=0.05, max_wait=0.1, exit_event=exit_event):
            if event.name == "ready":
                ready += 1
                websocket.send_text("x")
            elif event.name == "back_off" and ready == 3:
                library.spawn(exit_event.set)  # while we wait to connect again
    assert ready == 3, ready
    assert others.count > 5, others.count


def read_and_drop(sock: socket.socket) -> None:
    read_frame(sock)


@program
def twenty_connections() -> None:
    def talk(number: int) -> list[str]:
        websocket = WebSocket(server.url)
        got = []
        for event in websocket.connect(poll=None, ping_rate=0.1):
            if event.name == "ready":
                websocket.send_text(f"{number} 0")
            elif event.name == "text":
                got.append(event.text)
                if len(got) == 20:
                    websocket.close()
                else:
                    websocket.send_text(f"{number} {len(got)}")
        assert event.graceful, event
        return got

    with EchoServer() as server:
        running = [library.spawn(talk, number) for number in range(20)]
        for number, each in enumerate(running):
            assert finish(each) == [f"{number} {n}" for n in range(20)]


@program
def closed_by_another_greenlet() -> None:
    for close in ("close", "force_disconnect"):
        with EchoServer() as server:
            websocket = WebSocket(server.url)
            seen = []
            for event in websocket.connect(poll=None, ping_rate=0):
                seen.append(event.name)
                if event.name == "ready":
                    library.spawn(getattr(websocket, close))  # when we wait
            assert seen[-1] == "disconnected", seen
            assert ("closed" in seen) is (close == "close"), seen


@program
def killed_while_it_waits() -> None:
    def listen() -> None:
        for event in websocket.connect(poll=None, ping_rate=0):
            if event.name == "ready":
                ready.set()

    with EchoServer() as server:
        websocket, ready = WebSocket(server.url), threading.Event()
        running = library.spawn(listen)
        ready.wait(PATIENCE)
        library.sleep(0.05)
        library.kill(running)
        with contextlib.suppress(greenlet.GreenletExit):
            finish(running)
        with pytest.raises(WebSocketUnavailable):
            websocket.send_text("x")
        while not server.close_codes:  # it was told
            library.sleep(0.01)
        assert server.close_codes == [1001]
        # And the same one connects anew.
        seen = [event.name for event in until_ready_then_close(websocket)]
        assert seen[-2:] == ["closed", "disconnected"], seen


@program
def killed_while_it_sends() -> None:
    def send() -> None:
        websocket.send_binary(bytes(50_000_000))

    with raw_server(lambda sock: server.released.wait() and None) as server:
        websocket = WebSocket(server.url)
        seen = []
        for event in websocket.connect(poll=0.05, ping_rate=0):
            seen.append(event.name)
            if event.name == "ready":
                sender = library.spawn(send)
                waiting = library.spawn(send)  # for the other one's end
            elif seen.count("poll") == 3:
                library.kill(sender)
        assert seen[-1] == "disconnected", seen  # the message was cut
        with contextlib.suppress(greenlet.GreenletExit):
            finish(sender)
        with pytest.raises(TransportFail):
            finish(waiting)


@program
def a_timeout_comes_out_of_the_loop() -> None:
    with EchoServer() as server:
        websocket = WebSocket(server.url)
        for _ in range(2):
            seen = []
            mine = library.Timeout(0.3)
            if not IS_EVENTLET:
                mine.start()
            events = websocket.connect(poll=None, ping_rate=0.05)
            with pytest.raises(library.Timeout) as timeout:
                seen.extend(event.name for event in events)
            mine.cancel()
            assert timeout.value is mine
            assert "pong" in seen, seen
        with pytest.raises(WebSocketUnavailable):
            websocket.send_text("x")


@program
def a_group() -> None:
    def add() -> None:
        group.add(late)
        for number in range(10):
            websockets[0].send_text(f"again {number}")

    with EchoServer() as server, raw_server(read_and_drop) as dropping, Meanwhile() as others:
        group = WebSocketGroup()
        websockets = [WebSocket(server.url) for _ in range(20)]
        late = WebSocket(server.url)
        persistent = WebSocket(dropping.url)
        texts: dict[WebSocket, list[str]] = {websocket: [] for websocket in [*websockets, late]}
        came_back = polls = 0
        ending = None
        for websocket in websockets:
            group.add(websocket, poll=0.05, ping_rate=0.1)
        group.persist(persistent, min_wait=0.01, max_wait=0.02)
        for websocket, event in group:
            polls += event.name == "poll"
            if event.name == "ready":
                websocket.send_text("hello")
                came_back += websocket is persistent
            elif event.name == "text":
                texts[websocket].append(event.text)
            if websocket is websockets[1] and event.name == "text":
                ending = library.spawn(add)
            done = sum(map(len, texts.values())) == 31 and came_back > 3 and polls > 200
            if done and persistent in group:
                group.remove(persistent)
                for other in texts:
                    other.close()
        finish(ending)
    assert texts.pop(websockets[0]) == ["hello", *(f"again {number}" for number in range(10))]
    assert all(text == ["hello"] for text in texts.values()), texts
    assert others.count > 10, others.count
