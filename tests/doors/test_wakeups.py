"""What ends a wait: leased for it, given back, and open no longer than somebody may use it."""

from __future__ import annotations

import gc
import os
import sys
import threading
from collections.abc import Iterator
from types import FrameType

import pytest

from doors.descriptors import opened
from doors.peer_server import served
from doors.raw_server import until
from lomond import WebSocket
from lomond.io import waiting
from lomond.io.waiting import lease, wait_for
from lomond.system.need import Need
from patience import PATIENCE
from scripted import accepts, is_silent


@pytest.fixture(autouse=True, params=sorted({waiting.kind.__name__, "PairWakeup"}))
def kind(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    waiting.forget_free()
    monkeypatch.setattr(waiting, "kind", getattr(waiting, request.param))
    yield
    waiting.forget_free()


def test_two_waits_at_a_time_have_two_and_the_next_ones_take_these_again() -> None:
    first, second = lease(), lease()
    assert first is not second
    first.give_back()
    assert lease() is first
    first.give_back()
    second.give_back()
    assert {lease(), lease()} == {first, second}


def test_one_that_nobody_knows_any_more_is_closed() -> None:
    before = opened()
    wakeup = lease()
    assert opened() > before
    del wakeup
    assert opened() == before


def test_only_some_are_kept_for_the_next_waits() -> None:
    before = len(os.listdir("/proc/self/fd"))
    leased = [lease() for _ in range(200)]
    while leased:
        leased.pop().give_back()
    assert len(os.listdir("/proc/self/fd")) <= before + 2 * 64


def test_a_wake_up_ends_the_next_wait_and_no_other() -> None:
    wakeup = lease()
    for _ in range(3):
        wakeup.wake()
    wait_for(Need(None), wakeup)
    need = Need(0.0)
    wait_for(need, wakeup)
    assert need.ready == []


def test_a_full_one_neither_blocks_nor_raises() -> None:
    wakeup = lease()
    for _ in range(10_000):
        wakeup.wake()
    wait_for(Need(None), wakeup)


def test_a_connection_has_one_descriptor_and_its_thread_one_while_it_waits() -> None:
    with served(is_silent) as server:
        before = opened()
        stream = WebSocket(server.url).connect(poll=0.01, ping_rate=0)
        until(stream, "poll")
        ours = {name for name in opened() - before if "socket" not in name}
        assert not ours  # what ended the waits until now is no connection's
        stream.close()


def test_a_child_wakes_no_thread_of_its_parent() -> None:
    wakeup = lease()
    wakeup.give_back()
    child = os.fork()
    if child == 0:
        os._exit(lease() is wakeup)
    assert os.waitpid(child, 0)[1] == 0
    assert lease() is wakeup


def test_many_threads_wait_and_are_woken() -> None:
    """Each by its own, however they come and go."""
    done: list[int] = []

    def wait(number: int) -> None:
        for _ in range(50):
            wakeup = lease()
            waker = threading.Thread(target=wakeup.wake)
            waker.start()
            wait_for(Need(None), wakeup)
            waker.join()
            wakeup.give_back()
        done.append(number)

    threads = [threading.Thread(target=wait, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    assert sorted(done) == list(range(8))


class Interrupter:
    """Raises KeyboardInterrupt at one of the moments at which a signal's handler may.


    Arguments:
        moment: At which, counted from 0.
    """

    def __init__(self, moment: int) -> None:
        self.left = moment

    def __call__(self, frame: FrameType, kind: str, argument: object) -> None:
        self.left -= 1
        if self.left < 0:
            sys.setprofile(None)
            raise KeyboardInterrupt


@pytest.mark.skipif(waiting.kind is waiting.PairWakeup, reason="socket.socketpair is Python's own")
def test_whoever_is_interrupted_leaves_none_open(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting, "kind", waiting.EventWakeup)
    gc.collect()
    before = opened()
    for moment in range(100):
        waiting.forget_free()
        interrupter = Interrupter(moment)
        try:
            sys.setprofile(interrupter)
            lease()
            sys.setprofile(None)
        except KeyboardInterrupt:
            pass
        assert opened() == before
        if interrupter.left > 1:  # it was over before
            return
    raise AssertionError("it takes for ever")


def test_a_connection_that_has_waited_keeps_none_open() -> None:
    """Not even where the wake-up is not kept for the next wait."""
    with served(is_silent) as server:
        websockets = [WebSocket(server.url) for _ in range(3)]
        before = opened()
        for websocket in websockets:
            stream = websocket.connect(poll=0.05, ping_rate=0)
            until(stream, "poll")
            until(stream, "poll")  # it has waited, for longer than a read does
            stream.close()
        ours = {name for name in opened() - before if "socket" not in name}
        assert not ours


class Counted(waiting.PairWakeup):
    """Counts how often a wait is ended, and tells when one begins."""

    __slots__ = ()
    woken = 0
    waits = threading.Event()

    def fileno(self) -> int:
        Counted.waits.set()
        return super().fileno()

    def wake(self) -> None:
        Counted.woken += 1
        super().wake()


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> type[Counted]:
    waiting.forget_free()
    monkeypatch.setattr(waiting, "kind", Counted)
    monkeypatch.setattr(Counted, "woken", 0)
    return Counted


def test_whoever_closes_in_its_own_loop_wakes_nobody(counted: type[Counted]) -> None:
    """It looks before its next wait."""
    with served(accepts) as server:
        websocket = WebSocket(server.url)
        for event in websocket.connect(poll=None, ping_rate=0):
            if event.name == "ready":
                websocket.close()
    assert event.graceful
    assert counted.woken == 0


def test_another_thread_that_closes_ends_the_wait(counted: type[Counted]) -> None:
    with served(is_silent) as server:
        websocket = WebSocket(server.url)
        stream = websocket.connect(poll=None, ping_rate=0, close_timeout=0.2)
        until(stream, "ready")
        counted.waits.clear()

        def close() -> None:
            assert counted.waits.wait(PATIENCE)  # behind the first read
            websocket.close()

        thread = threading.Thread(target=close)
        thread.start()
        list(stream)
        thread.join()
    assert counted.woken > 0
