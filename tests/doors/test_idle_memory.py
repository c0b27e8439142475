"""What a connection keeps that does nothing: none of what only its opening needed."""

from __future__ import annotations

import gc
import socket
from collections.abc import Iterator
from typing import Any

from doors import raw_server as raw_server_module
from doors.raw_server import raw_server
from lomond import WebSocket
from lomond.plan import Plan
from lomond.protocol.http.answer import AnswerReader
from lomond.protocol.http.request import Request
from lomond.protocol.http.upgrade import Upgrade
from lomond.session.opening import Route
from traced import tracemalloc

KIB = 1024


def alive(*kinds: type) -> list[str]:
    gc.collect()
    return sorted(type(found).__name__ for found in gc.get_objects() if isinstance(found, kinds))


def until_ready(websocket: WebSocket) -> Iterator[Any]:
    stream = websocket.connect(poll=None, ping_rate=0)
    while next(stream).name != "ready":
        pass
    return stream


def test_nothing_of_the_opening_is_kept() -> None:
    kinds = (Route, Upgrade, AnswerReader, Request)
    before, plans_before = alive(*kinds), alive(Plan)  # other tests may have left some

    def talk(sock: socket.socket) -> None:
        sock.sendall(b"\x81\x01x")
        sock.recv(9)

    with raw_server(talk) as server:
        websocket = WebSocket(server.url)
        stream: Any = until_ready(websocket)
        assert alive(*kinds) == before
        assert next(stream).name == "text"
        assert alive(Plan) == plans_before
        # More than 30 names would not be shared by the instances any more.
        assert set(vars(websocket)) <= {"_exchange"}
        stream.close()


def test_a_connection_keeps_little() -> None:
    kept: list[Any] = []
    with raw_server(lambda sock: sock.recv(9)) as server:
        for count in (3, 20):
            tracemalloc.start(25)  # calls deep enough to tell the server's threads
            try:
                for _ in range(count):
                    websocket = WebSocket(server.url)
                    kept.append((websocket, until_ready(websocket)))
                gc.collect()
                snapshot = tracemalloc.take_snapshot()
            finally:
                tracemalloc.stop()
        for _, stream in kept:
            stream.close()
    # How much a thread of the server's takes, is Python's affair, and differs from one to the next.
    others = [tracemalloc.Filter(False, raw_server_module.__file__, all_frames=True)]
    each = sum(trace.size for trace in snapshot.filter_traces(others).traces) / count
    assert each < 8.5 * KIB
