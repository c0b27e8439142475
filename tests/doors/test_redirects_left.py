"""Redirects that take long, are left on the way, or would leave sockets behind."""

from __future__ import annotations

import gc
import socket
import threading
import time
from time import monotonic

import pytest

from doors.descriptors import opened
from doors.raw_server import raw_server, read_request
from doors.site_server import Site, names, redirect, serving, visit
from fair_clock import FairClock
from lomond import WebSocket
from patience import PATIENCE
from refcounts import at_once

pytestmark = pytest.mark.every_door


def test_open_timeout_is_for_all_together() -> None:
    released = threading.Event()

    def slow(connection: socket.socket) -> None:
        read_request(connection)
        released.wait(0.1)
        connection.sendall(redirect("/again"))

    with raw_server(slow, upgrades=False) as server, FairClock() as clock:
        started = monotonic()
        seen = visit(WebSocket(server.url, max_redirects=20, open_timeout=0.5))
        took = monotonic() - started
        assert clock.now() < 3
        released.set()
    assert took > 0.45
    assert 1 < names(seen).count("connecting") < 10
    assert "open_timeout (0.5 s)" in seen[-1].reason  # type: ignore[union-attr]  # the event that has it


@pytest.mark.doors("sync", "group")
@pytest.mark.parametrize("way", ["close", "force_disconnect", pytest.param("break", marks=at_once)])
@pytest.mark.parametrize("moment", ["connected", "connecting", "second connected", "thread"])
def test_whoever_closes_on_the_way_is_done_at_once(way: str, moment: str) -> None:
    site = Site({"/a": redirect("/b"), "/b": redirect("/c")})
    gc.collect()  # what earlier tests left, an event loop for one
    before = len(opened())
    with serving(site), FairClock() as clock:
        websocket = WebSocket(site.url + "/a", max_redirects=9, open_timeout=9)
        seen, wanted = [], ["connecting", "connected", "connecting"]
        if moment == "connected":
            wanted = wanted[:2]
        elif moment == "second connected":
            wanted = [*wanted, "connected"]
        for event in websocket.connect(poll=None, ping_rate=0):
            seen.append(event)
            if names(seen) == wanted:
                if way == "break":
                    break
                if moment == "thread":
                    thread = threading.Thread(target=getattr(websocket, way))
                    thread.start()
                    thread.join()
                else:
                    getattr(websocket, way)()
        assert clock.now() < 0.9  # less than what a close before Ready may wait
        assert websocket.is_closed
        if way != "break":
            assert names(seen)[-1] in ("disconnected", "connect_fail")
            assert names(seen)[:-1] == wanted
            said = "closed by the user" if way == "close" else "disconnected by the user"
            assert said in seen[-1].reason or "closed by the user" in seen[-1].reason  # type: ignore[union-attr]  # the event that has it
        assert "/c" not in site.paths
    assert len(opened()) == before  # the server's are gone too


def test_the_sockets_of_earlier_hops_are_closed(door: str) -> None:
    count = 6
    answers = {f"/{n}": redirect(f"/{n + 1}") for n in range(count)}
    ended = threading.Semaphore(0)
    site = Site(answers)

    def serve(connection: socket.socket) -> None:
        site(connection)
        while connection.recv(1000):
            pass
        ended.release()

    with raw_server(serve, upgrades=False) as server:
        websocket = WebSocket(server.url + "0", max_redirects=count)
        before = len(opened())
        stream = websocket.connect(poll=None, ping_rate=0)
        while next(stream).name != "ready":
            pass
        for _ in range(count):
            assert ended.acquire(timeout=PATIENCE)  # each was closed while the last one stands
        # The last socket's two ends, what wakes or watches; the server's others go a little later.
        # A guest of trio's is woken by two pairs of sockets, an asyncio loop by one.
        deadline = time.monotonic() + PATIENCE
        while len(opened()) > before + (7 if door == "trio" else 5):
            assert time.monotonic() < deadline
            time.sleep(0.01)
        websocket.close()
        assert [event.name for event in stream] == ["closed", "disconnected"]
    gc.collect()  # a socket that nobody closed would warn, which is an error
