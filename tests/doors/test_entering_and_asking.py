"""Whatever a peer says, and whenever it dies: `enter` and questions, through every door.

In pretend time; tests/properties/ tries more, over the pretend door.
"""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings, strategies as st

from doors.pretended import PretendTime
from entering_and_asking import (
    ENTER_TIMEOUT,
    TIMING,
    Asks,
    Does,
    World,
    check,
    dies,
    doings,
    ends_of_peers,
    enter_of,
    peer_of,
    played,
    questions,
    scripts,
)
from lomond import WebSocket

pytestmark = pytest.mark.every_door


def run(doings: list[Does], asks: list[Asks], script: list[str], ends: str, size: int) -> World:
    world = World()
    clock = PretendTime(dies(peer_of(world, doings, ends), size, world))
    with pytest.MonkeyPatch.context() as patch:
        clock.install(patch)
        try:
            websocket: Any = WebSocket("ws://127.0.0.1/", socket=clock.sock)
            events = websocket.connect(
                enter=enter_of(world, script), enter_timeout=ENTER_TIMEOUT, **TIMING
            )
            played(world, events, lambda: clock.now, websocket.send_text, asks)
        finally:
            clock.close()
    check(world, script)
    return world


def test_whatever_the_peer_says() -> None:
    @given(doings, questions, scripts, ends_of_peers)
    @settings(max_examples=60)
    def try_it(doings: list[Does], asks: list[Asks], script: list[str], ends: str) -> None:
        run(doings, asks, script, ends, 100_000)

    try_it()


def test_whenever_it_dies() -> None:
    @given(doings, questions, scripts, st.integers(0, 700))
    @settings(max_examples=60)
    def try_it(doings: list[Does], asks: list[Asks], script: list[str], size: int) -> None:
        run(doings, asks, script, "end", size)

    try_it()
