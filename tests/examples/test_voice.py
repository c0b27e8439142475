"""The call with a voice, in a pretend world."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator

import pytest

from examples.loaded import EXAMPLES, example
from lomond import AsyncWebSocket
from lomond.errors import ConnectionFailed
from lomond.testing import Server, World, pretend, serve
from patience import PATIENCE

BEGINS = {"type": "session.started"}
FRAME = 960


async def speech(seconds: float) -> AsyncIterator[bytes]:
    """A frame each 20 ms, which begins with its number."""
    for number in range(int(seconds * 50)):
        yield number.to_bytes(4, "big") + bytes(FRAME - 4)
        await asyncio.sleep(0.02)


class Caller:
    """Who calls: how long that one speaks, and what was played."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.played: list[bytes] = []

    def call(self, *servers: Server) -> World:
        with pretend(*servers) as world:
            websocket = AsyncWebSocket("wss://voice.example/", auth="token")
            asyncio.run(example("voice").call(websocket, speech(self.seconds), self._play))
        return world

    async def _play(self, pcm: bytes) -> None:
        await asyncio.sleep(len(pcm) / 48000)  # as long as the sound is
        self.played.append(pcm)


def numbers(server: Server) -> list[int]:
    return [int.from_bytes(one[:4], "big") for one in server.heard if isinstance(one, bytes)]


def test_a_question_and_its_answer(capsys: pytest.CaptureFixture[str]) -> None:
    server = Server().says(BEGINS).hears(*[None] * 100).hears({"type": "input.end"})
    server.says({"type": "transcript", "text": "hello"}).says(*[b"\1" * FRAME] * 100).closes()
    caller = Caller(seconds=2)
    world = caller.call(server)
    assert server.request.headers["authorization"] == "Bearer token"
    assert numbers(server) == list(range(100))
    assert "'text': 'hello'" in capsys.readouterr().err
    assert caller.played == [b"\1" * FRAME] * 100  # to the last one, after the close
    assert 4 <= world.seconds < 5


def test_who_speaks_is_not_talked_over() -> None:
    server = Server().says(BEGINS).says(*[b"\1" * FRAME] * 500).after(1)
    server.says({"type": "speech.started"}, b"\2" * FRAME).after(1).closes()
    caller = Caller(seconds=1)
    caller.call(server)
    assert caller.played[-1] == b"\2" * FRAME
    assert 40 < len(caller.played) < 60  # the second in which nobody spoke


def test_what_a_slow_network_does_not_take_in_time_is_left_out() -> None:
    server = Server().says(BEGINS).reads_slowly(FRAME * 10).after(200).closes()
    caller = Caller(seconds=60)
    caller.call(server)
    found = numbers(server)
    assert found == sorted(found)
    assert found[-1] == 60 * 50 - 1  # the newest goes
    assert len(found) < 60 * 50  # and some of the others do not
    assert json.loads(server.heard[-1])["type"] == "input.end"


def test_a_call_that_breaks_off() -> None:
    server = Server().says(BEGINS).hears().resets()
    with pytest.raises(ConnectionFailed, match="lost"):
        Caller(seconds=60).call(server)


def test_between_a_microphone_and_a_loudspeaker() -> None:
    server = Server().says(BEGINS).hears(*[None] * 10).hears({"type": "input.end"})
    server.says(b"\1" * FRAME, b"\2" * FRAME).closes()
    with serve(server) as served:
        done = subprocess.run(
            [sys.executable, "-u", str(EXAMPLES / "voice.py"), served.url],
            input=bytes(10 * FRAME),
            env={**os.environ, "VOICE_TOKEN": "s3cret"},
            capture_output=True,
            timeout=PATIENCE,
            check=True,
        )
    assert done.stdout == b"\1" * FRAME + b"\2" * FRAME
    assert b"session.started" in done.stderr
