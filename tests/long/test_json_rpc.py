"""The gap and the subscriptions behind kill -9 of a real JSON-RPC server: a chain's node."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
from collections.abc import Generator, Iterator
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from examples.loaded import example
from lomond import WebSocket
from programs import Program, free_port

pytestmark = [pytest.mark.long, pytest.mark.timeout(600)]

FOLDER = Path(__file__).parents[2] / ".cache" / "ganache"
MAIN = FOLDER / "node_modules" / "ganache" / "dist" / "node" / "cli.js"


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    """A node whose chain has a block each second."""
    if not MAIN.is_file():
        command = [
            "npm",
            "install",
            "--no-audit",
            "--no-fund",
            "--prefix",
            str(FOLDER),
            "ganache@7",
        ]
        try:
            done = subprocess.run(command, capture_output=True, timeout=300, check=False)
        except (OSError, subprocess.TimeoutExpired) as error:
            pytest.skip(f"npm can't be asked for ganache: {type(error).__name__}")
        if done.returncode or not MAIN.is_file():
            pytest.skip("npm can't install ganache here")
    port = free_port()
    command = ["node", str(MAIN), "--server.host", "127.0.0.1", "--server.port", str(port)]
    command += ["--miner.blockTime", "1", "--wallet.totalAccounts", "1"]
    environ = {"HOME": os.environ.get("HOME", "/")}
    log = tmp_path_factory.mktemp("ganache") / "log"
    with Program(command, port, log, environ) as program:
        yield program


def subscribes(ready: object) -> Generator[Any, Any, None]:
    yield {"jsonrpc": "2.0", "id": 1, "method": "eth_subscribe", "params": ["newHeads"]}
    answer = yield lambda e: e.name == "text" and e.json.get("id") == 1
    assert answer.json["result"].startswith("0x")


def is_news(event: Any) -> bool:
    return event.name == "text" and event.json.get("method") == "eth_subscription"


def test_blocks_come_again_behind_a_kill(node: Program) -> None:
    def restart() -> None:
        node.end(signal.SIGKILL)
        node.start()

    restarts: list[Thread] = []
    entered: list[Any] = []
    news: list[tuple[int, float]] = []  # of which connection, and when
    stream = WebSocket(f"ws://127.0.0.1:{node.port}/").persist(
        enter=subscribes, ping_timeout=30, min_wait=0.5, max_wait=0.5
    )
    for event in stream:
        if event.name == "entered":
            entered.append(event)
        elif is_news(event):
            news.append((len(entered), event.received_time))
            if len(news) == 2:
                restarts.append(Thread(target=restart))
                restarts[0].start()
            elif len(entered) == 2 and sum(number == 2 for number, _ in news) == 2:
                break
    stream.close()
    restarts[0].join()
    assert [event.number for event in entered] == [1, 2]
    gap = entered[1].gap
    last = max(moment for number, moment in news if number == 1)
    assert gap.since == last
    assert gap.ending.by == "network"


def test_the_client_of_the_examples(node: Program) -> None:
    async def main() -> list[Any]:
        rpc = example("json_rpc").JsonRpc(f"ws://127.0.0.1:{node.port}/")
        async with rpc:
            async for event in rpc.connect():
                if event.name == "ready":
                    calls = [rpc.call("eth_chainId"), rpc.call("eth_accounts")]
                    found: list[Any] = await asyncio.gather(*calls)
                    with pytest.raises(RuntimeError, match="eth_nothing"):
                        await rpc.call("eth_nothing")
                    await rpc.close()
        return found

    chain, accounts = asyncio.run(main())
    assert chain == "0x539"
    assert len(accounts) == 1
