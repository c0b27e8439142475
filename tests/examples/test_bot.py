"""The chat bot, in a pretend world."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from examples.loaded import example
from lomond import AsyncWebSocket
from lomond.testing import Server, pretend


def lets_in(server: Server) -> Server:
    server.hears({"type": "login", "token": "secret"}).says({"type": "login", "ok": True})
    return server.hears({"type": "join", "room": "tea"})


def asks(number: int, text: str) -> dict[str, Any]:
    return {"type": "message", "id": number, "text": text}


def run() -> None:
    asyncio.run(example("bot").bot(AsyncWebSocket("wss://chat.example/"), "secret", "tea"))


def test_what_was_asked_for_before_an_end_is_said_behind_it_and_a_refusal_ends_it() -> None:
    first = lets_in(Server()).says(
        asks(1, "!roll 1"), asks(2, "hello, bot"), asks(3, "!remind 600 tea"), asks(4, "!roll x")
    )
    first.hears({"answers": 1, "text": "1", "room": "tea"})
    first.hears(lambda message: "that does not work: invalid literal" in message.text)
    first.after(599).cuts()
    second = lets_in(Server()).hears({"type": "say", "answers": 3, "text": "remember: tea"})
    second.after(60).closes(1012, "restart")
    third = Server().hears({"type": "login"})
    third.says({"type": "login", "ok": False, "reason": "the token was withdrawn"})
    with pretend(first, second, third) as world, pytest.raises(PermissionError, match="withdrawn"):
        run()
    assert 660 <= world.seconds < 700
    said = [json.loads(one) for one in first.heard if "answers" in json.loads(one)]
    assert [one["answers"] for one in said] == [1, 4]  # and none of what was no command


def test_it_says_nothing_before_it_has_joined() -> None:
    first = lets_in(Server()).says(asks(1, "!remind 8 tea")).cuts()
    second = Server().hears({"type": "login"}).after(9).says({"type": "login", "ok": True})
    second.hears({"type": "join"}, {"text": "remember: tea"}).cuts()
    third = Server().hears({"type": "login"}).says({"type": "login", "ok": False, "reason": "no"})
    with pretend(first, second, third), pytest.raises(PermissionError):
        run()
