"""The JSON-RPC client, with a server that is scripted."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from doors.peer_server import served
from examples.loaded import example
from lomond.errors import NoReply
from lomond.protocol import frames
from lomond.testing.peer import End, Peer, Talk, say


def answers_in_turns(peer: Peer) -> Talk:
    """Answers two calls the second one first; one with an error; hangs up at one more."""
    yield from peer.upgrade()
    asked = []
    for _ in range(4):
        frame = yield from peer.hear_until(frames.TEXT)
        assert frame is not None
        asked.append(json.loads(frame.payload))
        assert asked[-1]["jsonrpc"] == "2.0"
        if len(asked) == 2:
            for one in reversed(asked):
                answer = {"jsonrpc": "2.0", "id": one["id"], "result": one["params"]}
                yield say(frames.TEXT, json.dumps(answer).encode())
            yield say(frames.TEXT, b'{"jsonrpc": "2.0", "method": "news", "params": [5]}')
        elif len(asked) == 3:
            error = {"code": -32601, "message": "no such method"}
            answer = {"jsonrpc": "2.0", "id": asked[-1]["id"], "error": error}
            yield say(frames.TEXT, json.dumps(answer).encode())
    yield End()


def test_calls_of_the_loop_and_of_other_tasks() -> None:
    news: list[Any] = []

    async def main(url: str) -> None:
        async with example("json_rpc").JsonRpc(url) as rpc:
            async for event in rpc.connect(ping_rate=0):
                if event.name == "ready":
                    both = asyncio.gather(rpc.call("add", 1, 2), rpc.call("add", 3, 4))
                    assert await both == [[1, 2], [3, 4]]
                    with pytest.raises(RuntimeError, match=r"sub: .*no such method"):
                        await rpc.call("sub")
                    with pytest.raises(
                        NoReply, match=r"no reply to an object with .*: the connection was lost"
                    ):
                        await rpc.call("never")
                elif event.name == "text":
                    news.append(event.json["params"])

    with served(answers_in_turns) as server:
        asyncio.run(main(server.url))
    assert news == [[5]]
