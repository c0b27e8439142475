"""The shipping of a log, in a pretend world; the file is real."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from examples.loaded import example
from lomond import WebSocket
from lomond.testing import Conversation, Server, Turns, World, pretend


def ship(path: Path, *servers: Any) -> World:
    with pretend(*servers) as world, pytest.raises(PermissionError, match="401"):
        example("log_shipping").ship(WebSocket("wss://logs.example/"), path)
    return world


def lines(heard: Sequence[str | bytes]) -> list[str]:
    return [said["line"] for one in heard if "line" in (said := json.loads(one))]


def test_all_lines_come_behind_a_cut_what_is_confirmed_once_alone(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_bytes(b"one\ntwo\nhal")
    first = Server().hears({"ship": "log"}).says({"confirmed": 0})
    first.hears({"id": 4, "line": "one"}, {"id": 8, "line": "two"}).says({"confirmed": 4})

    def goes_on(message: Any) -> bool:  # while it is away
        with path.open("ab") as file:
            file.write(b"f\nf\xffur\n")
        return True

    first.after(3).resets()
    second = Server().hears(goes_on).says({"confirmed": 4})
    second.hears({"line": "two"}, {"line": "half"}, {"id": 18, "line": "f\ufffdur"}).after(9).cuts()
    world = ship(path, first, second, Server().refuses(401))
    assert lines(first.heard) == ["one", "two"]
    assert lines(second.heard) == ["two", "half", "f\ufffdur"]
    assert world.seconds < 60


def test_no_more_is_sent_than_may_be_unconfirmed(tmp_path: Path) -> None:
    path = tmp_path / "log"
    count = 4000
    path.write_text("".join(f"{number:999}\n" for number in range(count)))

    def collects(peer: Conversation) -> Turns:
        yield peer.hear({"ship": "log"})
        yield peer.say({"confirmed": 0})
        heard = 0
        for _ in range(2000):  # two batches: more than a MiB
            heard = (yield from peer.hear()).json["id"]
        yield peer.wait(10)  # in which nothing comes
        while heard < count * 1000:
            yield peer.say({"confirmed": heard})
            for _ in range(1000):
                heard = (yield from peer.hear()).json["id"]
        yield peer.cut()

    ship(path, collects, Server().refuses(401))


def test_a_collector_that_does_not_say_where_to_begin_gets_nothing(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_text("secret\n")
    silent = Server().hears({"ship": "log"})
    ship(path, silent, Server().refuses(401))
    assert lines(silent.heard) == []


def test_a_log_that_is_rotated_is_shipped_to_its_end_and_then_the_new_one(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_text("old 1\n")
    files: list[int] = []

    def first(peer: Conversation) -> Turns:
        files.append((yield from peer.hear({"ship": "log"})).json["file"])
        yield peer.say({"confirmed": 0})
        yield peer.hear({"id": 6, "line": "old 1"})
        with path.open("a") as file:
            file.write("old 2\n")
        path.rename(tmp_path / "log.1")
        yield peer.hear({"id": 12, "line": "old 2"})
        yield peer.say({"confirmed": 12})
        yield peer.wait(10)
        path.write_text("new\n")
        yield peer.hear_close()

    def second(peer: Conversation) -> Turns:
        files.append((yield from peer.hear({"ship": "log"})).json["file"])
        yield peer.say({"confirmed": 0})
        yield peer.hear({"id": 4, "line": "new"})
        yield peer.cut()

    ship(path, first, second, Server().refuses(401))
    assert len(set(files)) == 2
