"""What only the group has: many connections in one thread, added and removed at any time."""

from __future__ import annotations

import errno
import select
import selectors
import socket
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from time import process_time
from typing import Any

import pytest

from doors.inside import socket_of
from doors.raw_server import frame, raw_server, read_all, read_frame
from doors.tapped import connect, in_thread
from lomond import WebSocket
from lomond.group import WebSocketGroup
from lomond.io import group_loop, waiting
from lomond.io.group_loop import GroupLoop, Member
from lomond.io.polling import READ, WRITE, EpollPoller, Poller, new_poller
from lomond.io.waiting import Wakeup
from lomond.protocol import frames
from lomond.system.need import Need
from patience import FAR, PATIENCE

QUIET = {"ping_rate": 0}


def echo(connection: socket.socket) -> None:
    while True:
        opcode, payload = read_frame(connection)
        connection.sendall(frame(opcode, payload))
        if opcode == frames.CLOSE:
            return


def flood(connection: socket.socket) -> None:
    while True:
        connection.sendall(frame(frames.TEXT, b"fast") * 20_000)


def test_many_conversations() -> None:
    group = WebSocketGroup()
    with raw_server(echo) as server:
        sockets = [WebSocket(f"{server.url}{number}") for number in range(50)]
        for websocket in sockets:
            group.add(websocket, **QUIET)
        assert len(group) == 50
        got: Counter[WebSocket] = Counter()
        for websocket, event in group:
            if event.name == "ready":
                websocket.send_text(websocket.url)
            elif event.name == "text":
                assert event.text == websocket.url
                got[websocket] += 1
                websocket.send_text(websocket.url) if got[websocket] < 3 else websocket.close()
    assert got == dict.fromkeys(sockets, 3)
    assert len(group) == 0


def test_a_fast_feed_does_not_starve_a_slow_one() -> None:
    group = WebSocketGroup()
    with raw_server(flood) as fast, raw_server(echo) as slow:
        group.add(WebSocket(fast.url), **QUIET)
        sock = connect(slow.port)
        other = WebSocket(slow.url, socket=sock)
        group.add(other, **QUIET)
        answers = kept_waiting = 0
        for websocket, event in group:
            if websocket is other:
                kept_waiting = 0
                answers += event.name == "text"
                if answers == 20:
                    break
                if event.name in ("ready", "text"):
                    other.send_text("x")
            elif kept_waiting or select.select([sock], [], [], 0)[0]:
                kept_waiting += 1
                # The rest of the turn in which it became so, and one more.
                assert kept_waiting <= 2 * group_loop.EVENTS_OF_A_TURN
    assert answers == 20


def test_opening_one_keeps_none_waiting() -> None:
    group = WebSocketGroup()
    with raw_server(echo) as server, socket.create_server(("127.0.0.1", 0)) as silent:
        never = WebSocket(f"wss://127.0.0.1:{silent.getsockname()[1]}", open_timeout=FAR)
        group.add(never)
        group.add(WebSocket("ws://name.invalid/"))
        other = WebSocket(server.url)
        group.add(other, **QUIET)
        ends = {}
        for websocket, event in group:
            if event.name == "ready":
                websocket.close()
                never.close()
            if event.name in ("connect_fail", "disconnected"):
                ends[websocket.url] = event.name
    assert sorted(ends.values()) == ["connect_fail", "connect_fail", "disconnected"]


def test_adding_and_removing_in_the_body_and_from_another_thread() -> None:
    group = WebSocketGroup()
    heard: list[tuple[int, bytes]] = []
    with raw_server(lambda connection: heard.extend(read_all(connection))) as server:
        first, second, third = (WebSocket(f"{server.url}{number}") for number in range(3))
        group.add(first, **QUIET)
        names = []
        for websocket, event in group:
            names.append((websocket, event.name))
            if event.name == "ready":
                if websocket is first:
                    group.add(second, **QUIET)
                elif websocket is second:
                    group.remove(first)
                    assert first not in group
                    threading.Timer(0.05, lambda: group.add(third, **QUIET)).start()
                else:
                    group.close()
        assert (third, "ready") in names
        assert (first, "disconnected") not in names
        assert all(websocket.is_closed for websocket in (first, second, third))
    assert [opcode for opcode, _ in heard] == [frames.CLOSE] * 3


def test_an_exception_in_the_body_closes_everything() -> None:
    heard: list[tuple[int, bytes]] = []
    group = WebSocketGroup()
    with raw_server(lambda connection: heard.extend(read_all(connection))) as server:
        for _ in range(3):
            group.add(WebSocket(server.url), **QUIET)

        def body() -> None:
            ready = 0
            for _, event in group:
                ready += event.name == "ready"
                if ready == 3:
                    raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            body()
    assert [opcode for opcode, _ in heard] == [frames.CLOSE] * 3
    assert len(group) == 0


def test_a_plain_and_a_persistent_one() -> None:
    def closes(connection: socket.socket) -> None:
        connection.sendall(frame(frames.CLOSE, code=1000))
        read_all(connection)

    group = WebSocketGroup()
    with raw_server(closes) as server:
        plain, kept = WebSocket(server.url), WebSocket(server.url)
        group.add(plain)
        group.persist(kept, min_wait=0, max_wait=0.01, max_attempts=None, **QUIET)
        names: Counter[tuple[WebSocket, str]] = Counter()
        for websocket, event in group:
            names[websocket, event.name] += 1
            if names[kept, "back_off"] == 3:
                group.remove(kept)
    assert names[plain, "disconnected"] == 1
    assert names[kept, "disconnected"] == 3


def test_a_ping_timeout_of_one_member() -> None:
    def silent(connection: socket.socket) -> None:
        connection.settimeout(3)
        try:
            while connection.recv(100):
                pass
        except TimeoutError:
            pass

    group = WebSocketGroup()
    with raw_server(silent) as dead, raw_server(echo) as alive:
        group.add(WebSocket(dead.url), ping_rate=0.1, ping_timeout=0.2)
        other = WebSocket(alive.url)
        group.add(other, poll=0.1, **QUIET)
        names = []
        for websocket, event in group:
            if websocket is not other:
                names.append(event.name)
            if event.name == "disconnected":
                group.close()
    assert names[-2:] == ["unresponsive", "disconnected"]


def test_an_idle_group_costs_nothing() -> None:
    group = WebSocketGroup()
    with ExitStack() as stack:
        server = stack.enter_context(raw_server(read_all))
        for _ in range(20):
            group.add(WebSocket(server.url), **QUIET)
        ready = 0
        for _, event in group:
            ready += event.name == "ready"
            if event.name == "ready" and ready == 20:
                before = process_time()
                threading.Timer(1.0, lambda: group.add(WebSocket("ws://127.0.0.1:9/"))).start()
            if event.name == "connecting" and ready == 20:
                break
        assert process_time() - before < 0.05


def test_it_is_iterated_once_at_a_time_and_holds_nobody_twice() -> None:
    group = WebSocketGroup()
    with raw_server(echo) as server:
        websocket = WebSocket(server.url)
        group.add(websocket)
        with pytest.raises(ValueError, match="in the group already"):
            group.add(websocket)
        with pytest.raises(TypeError, match="no argument nonsense"):
            group.add(WebSocket(server.url), nonsense=1)
        for _ in group:
            with pytest.raises(RuntimeError, match="iterated already"):
                next(iter(group))
            break
    with pytest.raises(KeyError):
        group.remove(websocket)


def test_a_connection_that_is_ended_between_its_turns_leaves_its_number_to_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    selector = selectors.DefaultSelector()
    monkeypatch.setattr(group_loop, "new_poller", lambda: Poller(selector))
    group = WebSocketGroup()
    with raw_server(flood) as server, raw_server(echo) as other:
        fast, ticks = WebSocket(server.url), WebSocket(other.url)
        group.add(fast, **QUIET)
        group.add(ticks, **QUIET)
        is_freed = False
        for websocket, event in group:
            if websocket is ticks and event.name in ("ready", "text"):
                ticks.send_text("tick")
                if fast in group and fast.is_active and (sock := socket_of(fast)):
                    number = sock.fileno()
                    fast.force_disconnect()
                    if sock.fileno() < 0:  # it was behind an event
                        is_freed = True
                        assert number not in selector.get_map()
                        break
            elif websocket is fast and event.name == "disconnected":
                fast = WebSocket(server.url)
                group.add(fast, **QUIET)
    assert is_freed


def test_what_one_connection_raises_at_its_end_leaves_no_other_open() -> None:
    ended: list[str] = []

    def items(name: str) -> Iterator[None]:
        try:
            yield
        finally:
            ended.append(name)
            if name == "second":
                raise ZeroDivisionError

    group = GroupLoop()
    for name in ("first", "second", "third"):
        member = Member(group, name)
        member.items = items(name)  # type: ignore[assignment]  # a generator it is
        next(member.items)
        group.add(member)
    with pytest.raises(ZeroDivisionError):
        group.close()
    assert sorted(ended) == ["first", "second", "third"]


def test_one_that_is_added_by_a_thread_is_seen_where_nobody_can_end_a_wait(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """No descriptor is left for what ends it."""

    def fail() -> None:
        raise OSError(errno.EMFILE, "Too many open files")

    def add() -> None:
        assert waits.wait(PATIENCE)
        group.add(second, **QUIET)

    def give_up() -> None:
        is_late.append(True)
        first.force_disconnect()

    waits = threading.Event()
    is_late: list[bool] = []
    selector = Telling()
    monkeypatch.setattr(group_loop, "new_poller", lambda: Poller(selector))
    group = WebSocketGroup()
    with raw_server(read_all) as server:
        first, second = (WebSocket(server.url, open_timeout=None) for _ in range(2))
        group.add(first, **QUIET)
        monkeypatch.setattr(group_loop, "lease", fail)
        adding = threading.Thread(target=add)
        adding.start()
        guard = threading.Timer(PATIENCE, give_up)
        guard.start()
        for websocket, event in group:
            if event.name == "ready":
                selector.waits = waits
            if websocket is second:
                break
        guard.cancel()
        adding.join(PATIENCE)
    assert websocket is second
    assert not is_late


class Telling(selectors.DefaultSelector):
    """A selector that says before that it waits."""

    waits: threading.Event | None = None

    def select(self, timeout: float | None = None) -> Any:
        if timeout != 0 and self.waits is not None:
            self.waits.set()
        return super().select(timeout)


def test_a_wake_up_that_a_signal_handler_interrupted_keeps_no_later_one_away(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def interrupted(wakeup: Wakeup) -> None:
        raise KeyboardInterrupt

    def items() -> Iterator[Any]:
        yield Need(None)  # only a wake-up ends that
        yield "woken"

    selector = Telling()
    selector.waits = threading.Event()
    monkeypatch.setattr(group_loop, "new_poller", lambda: Poller(selector))
    group = GroupLoop()
    member = Member(group, "owner")
    member.items = items()  # type: ignore[assignment]  # a generator it is
    group.add(member)
    seen: list[Any] = []
    loop = in_thread(lambda: seen.extend(group.events()))
    assert selector.waits.wait(PATIENCE)
    with monkeypatch.context() as patch:
        patch.setattr(waiting.kind, "wake", interrupted)
        with pytest.raises(KeyboardInterrupt):
            member.wake()
    member.wake()
    loop.join(PATIENCE)
    assert seen == [("owner", "woken")]


@pytest.mark.skipif(not hasattr(select, "epoll"), reason="this system has no epoll")
@pytest.mark.parametrize("end", ["a message", "room to write", "a hang-up"])
def test_epoll_and_a_selector_tell_the_same(end: str) -> None:
    ours, theirs = socket.socketpair()
    pollers = [new_poller(), Poller(selectors.DefaultSelector())]
    assert [type(poller) for poller in pollers] == [EpollPoller, Poller]
    with ours, theirs:
        wanted = WRITE if end == "room to write" else READ
        for poller in pollers:
            poller.register(ours.fileno(), wanted)
            if wanted == READ:
                assert poller.poll(0) == []
        if end == "a message":
            theirs.send(b"x")
        elif end == "a hang-up":
            theirs.close()
        for poller in pollers:
            ((number, what),) = poller.poll(1)
            assert number == ours.fileno()
            assert what & ~READ if wanted == WRITE else what & READ
        for poller in pollers:
            poller.unregister(ours.fileno())
            assert poller.poll(0) == []
            with pytest.raises((KeyError, OSError)):
                poller.unregister(ours.fileno())
            poller.close()
