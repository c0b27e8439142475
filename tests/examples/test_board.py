"""The agent on a small board, in a pretend world: a bad mobile network, hours without any."""

from __future__ import annotations

import asyncio
import itertools
import json
from collections.abc import Sequence
from typing import Any

import pytest

from examples.loaded import example
from lomond.testing import Server, World, pretend


def run(*servers: Server, every: float = 60) -> World:
    count = itertools.count(20)
    board = example("board")
    world = pretend(*servers)
    websocket = board.small("wss://collector.example/")
    with world, pytest.raises(PermissionError, match="403"):
        asyncio.run(board.run(websocket, lambda: str(next(count)), every))
    return world


def ids(heard: Sequence[str | bytes]) -> list[int]:
    return [json.loads(one)["id"] for one in heard]


def test_what_was_not_confirmed_comes_again_and_nothing_else() -> None:
    first = Server().hears({"id": 1, "value": "20"}, {"id": 2, "value": "21"})
    first.says({"confirmed": 1}).hears({"id": 3}).cuts()
    second = (
        Server().hears({"id": 2, "value": "21"}, {"id": 3, "value": "22"}).says({"confirmed": 3})
    )
    second.hears({"id": 4}).says({"confirmed": 4}).after(1).cuts()
    run(first, second, Server().refuses(403))
    assert ids(first.heard) == [1, 2, 3]
    assert ids(second.heard) == [2, 3, 4]


def test_it_measures_on_without_a_network_and_keeps_the_last_thousand() -> None:
    hour = 3600.0
    first = Server().hears({"id": 1}).cuts()
    second = Server().refuses(503, retry_after=hour)
    third = Server().hears(*[None] * 1000).cuts()
    world = run(first, second, third, Server().refuses(403), every=3)
    assert world.hours > 1
    found = ids(third.heard)
    assert len(found) >= 1000
    assert found[:1000] == list(range(found[0], found[0] + 1000))
    assert found[0] > 100  # the oldest had to go
    times = [json.loads(one)["at"] for one in third.heard]
    assert times == sorted(times)  # of when they were measured
    assert times[999] - times[0] == pytest.approx(999 * 3, abs=1)


def test_a_network_that_dies_without_a_word_is_noticed() -> None:
    first = Server().hears({"id": 1}).ignores_pings().stalls(1200)
    second = Server().hears({"id": 1}, {"id": 2}).says({"confirmed": 2}).after(1).cuts()
    run(first, second, Server().refuses(403), every=500)


def test_it_asks_for_small_memory() -> None:
    def settings(websocket: Any) -> list[int]:
        deflate = websocket.compress
        return [deflate.client_max_window_bits, deflate.memory_level, websocket.max_message_size]

    assert settings(example("board").small("wss://collector.example/")) == [10, 1, 4096]
