"""The bridge: two workers as processes, and a real nats-server, which Debian has."""

from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("nats")

from examples.loaded import EXAMPLES, example
from lomond.testing import Server, serve
from patience import PATIENCE
from programs import Program, free_port

PATH = os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/sbin"])
COUNT = 200  # messages of each feed


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Program]:
    found = shutil.which("nats-server", path=PATH)
    if found is None:
        pytest.skip("there is no nats-server; Debian: apt-get install nats-server")
    port = free_port()
    command = [found, "-a", "127.0.0.1", "-p", str(port), "-js", "-sd", str(tmp_path / "store")]
    with Program(command, port, tmp_path / "log") as program:
        yield program


@contextmanager
def feeds() -> Iterator[list[str]]:
    """Two feeds, as a worker's arguments; each says all of its messages to whoever connects."""
    talk = Server()
    for number in range(1, COUNT + 1):
        talk.says({"id": number}).after(0.005)
    with serve(talk) as one, serve(talk) as other:
        yield [f"one={one.url}", f"other={other.url}"]


@contextmanager
def worker(broker: Program, number: int, given: list[str]) -> Iterator[subprocess.Popen[bytes]]:
    """A process, which is killed in the end if not before."""
    options = ["--worker", str(number), "--of", "2"]
    program = [sys.executable, str(EXAMPLES / "bridge.py")]
    process = subprocess.Popen([*program, f"nats://127.0.0.1:{broker.port}", *options, *given])
    try:
        yield process
    finally:
        process.kill()
        process.wait(PATIENCE)


class Onlooker:
    """Who sees each message that is published, also what JetStream drops; and the stream."""

    def __init__(self, client: Any) -> None:
        self._stream = client.jetstream()
        self.seen: Counter[tuple[str, int]] = Counter()

    async def look(self, message: Any) -> None:
        self.seen[message.subject, json.loads(message.data)["id"]] += 1

    def twice(self) -> int:
        """How many were published again."""
        return self.seen.total() - len(self.seen)

    def last(self) -> int:
        """How often a worker has come to the end of a feed."""
        return self.seen["feeds.one", COUNT] + self.seen["feeds.other", COUNT]

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(PATIENCE):
            while not condition():
                await asyncio.sleep(0.01)

    async def kept(self) -> dict[str, list[int]]:
        """The ids of all that the stream has, by their subjects, as they stand there."""
        found: dict[str, list[int]] = {"feeds.one": [], "feeds.other": []}
        state = (await self._stream.stream_info("feeds")).state
        for number in range(1, state.messages + 1):
            message = await self._stream.get_msg("feeds", number)
            found[message.subject].append(json.loads(message.data)["id"])
        return found


@asynccontextmanager
async def onlooker(broker: Program) -> AsyncIterator[Onlooker]:
    import nats

    client: Any = await nats.connect(
        f"nats://127.0.0.1:{broker.port}", max_reconnect_attempts=-1, reconnect_time_wait=0.1
    )
    try:
        made = Onlooker(client)
        await client.subscribe("feeds.*", cb=made.look)
        await client.flush()
        yield made
    finally:
        await client.close()


EACH_ONCE = {
    "feeds.one": list(range(1, COUNT + 1)),
    "feeds.other": list(range(1, COUNT + 1)),
}


def test_nothing_is_lost_or_there_twice_where_a_worker_is_killed(broker: Program) -> None:
    async def look(given: list[str]) -> dict[str, list[int]]:
        async with onlooker(broker) as sees:
            with worker(broker, 2, given), worker(broker, 1, given) as killed:
                await sees.until(lambda: sees.twice() >= 50)  # both are at work
                assert sees.last() == 0
                killed.send_signal(signal.SIGKILL)
                killed.wait(PATIENCE)
                await sees.until(lambda: sees.last() >= 2)
                with worker(broker, 1, given):  # which comes back, and begins with the first
                    await sees.until(lambda: sees.last() >= 4)
            assert sees.twice() > 2 * COUNT
            return await sees.kept()

    with feeds() as given:
        assert asyncio.run(look(given)) == EACH_ONCE


@pytest.mark.once
def test_nothing_is_lost_or_there_twice_where_the_server_is_killed(broker: Program) -> None:
    async def look(given: list[str]) -> dict[str, list[int]]:
        async with onlooker(broker) as sees:
            with worker(broker, 1, given), worker(broker, 2, given):
                await sees.until(lambda: sees.twice() >= 50)
                await asyncio.to_thread(broker.end, signal.SIGKILL)
                await asyncio.to_thread(broker.start)
                await sees.until(lambda: sees.last() >= 4)
            return await sees.kept()

    with feeds() as given:
        assert asyncio.run(look(given)) == EACH_ONCE


@pytest.mark.parametrize("workers", [2, 3, 4, 7])
def test_each_feed_has_two_readers(workers: int) -> None:
    share = example("bridge").share
    names = {f"feed{number}": f"wss://feed.example/{number}" for number in range(500)}
    shares = [share(names, number, workers) for number in range(1, workers + 1)]
    readers = Counter(name for one in shares for name in one)
    assert readers == dict.fromkeys(names, 2)
    assert all(one.items() <= names.items() for one in shares)
    assert min(map(len, shares)) > 500 / workers  # half of an even share


def test_the_page_about_it_shows_what_is_there() -> None:
    page = (EXAMPLES.parent / "docs" / "tasks" / "processes.md").read_text("utf-8")
    (shown,) = re.findall(r"<!-- not run: .*-->\n```python\n(.*?)```", page, re.DOTALL)
    assert shown in (EXAMPLES / "bridge.py").read_text("utf-8")
