"""Python calls: for each received message at most 2 compiled, 6 pure; and to open a connection."""

from __future__ import annotations

import sys
from types import FrameType

from doors.peer_server import served
from lomond import WebSocket, twin
from lomond.protocol import frames
from lomond.testing.peer import Peer, Talk, say
from scripted import is_silent

MESSAGES = 4000


def test_a_received_text_costs_few_calls() -> None:
    def burst(peer: Peer) -> Talk:
        yield from peer.upgrade()
        for _ in range(MESSAGES // 100):
            yield say(frames.TEXT, b"x" * 100)._replace(
                data=frames.build(frames.TEXT, b"x" * 100, None) * 100
            )
        yield from peer.hear_end()

    calls = 0

    def count(frame: FrameType, kind: str, argument: object) -> None:
        nonlocal calls
        calls += kind == "call"

    with served(burst) as server:
        stream = WebSocket(server.url).connect(ping_rate=0, poll=None)
        while next(stream).name != "ready":
            pass
        sys.setprofile(count)
        try:
            for _ in range(MESSAGES):
                assert next(stream).name == "text"
        finally:
            sys.setprofile(None)
        stream.close()
    assert calls / MESSAGES <= (2 if twin.running == "compiled" else 6)


def test_opening_costs_few_calls() -> None:
    """Of lomond's own functions: from the constructor to the first event, and to Ready."""

    calls = 0

    def count(frame: FrameType, kind: str, argument: object) -> None:
        nonlocal calls
        calls += kind == "call" and frame.f_globals.get("__name__", "").startswith("lomond.")

    counted = []
    for _ in range(4):  # the first one imports; one that the machine keeps waiting looks more often
        calls = 0
        with served(is_silent) as server:
            sys.setprofile(count)
            try:
                stream = iter(WebSocket(server.url))
                assert next(stream).name == "connecting"
                to_first = calls
                while next(stream).name != "ready":
                    pass
            finally:
                sys.setprofile(None)
            stream.close()
        counted.append((to_first, calls))
    to_first, calls = min(counted)
    assert to_first <= (50 if twin.running == "compiled" else 60)
    assert calls <= (200 if twin.running == "compiled" else 300)
