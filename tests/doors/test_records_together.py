"""Records of several connections at a time: in one file, by one clock, and told apart."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from alike import alike
from doors.raw_server import echo, raw_server
from lomond import AsyncWebSocket, WebSocket, WebSocketGroup
from lomond.records import read, replay


def told(event: Any) -> Any:
    return alike(event, is_over=False)


def test_a_group_is_replayed_in_its_order_and_each_member_alone(tmp_path: Path) -> None:
    path = tmp_path / "record.jsonl"
    seen: list[Any] = []
    by_member: dict[Any, list[Any]] = {}
    with raw_server(echo) as one, raw_server(echo) as two, raw_server(echo) as three:
        group = WebSocketGroup()
        for number, server in enumerate((one, two, three)):
            websocket = WebSocket(f"{server.url}?member={number}", record=path, proxies={})
            group.add(websocket)
        for member, event in group:
            assert member is not None
            seen.append(told(event))
            by_member.setdefault(member, []).append(told(event))
            if event.name == "ready":
                member.send_text(f"I am {member.resource}")
            elif event.name == "text":
                member.close()
    assert [told(event) for event in replay(path)] == seen
    numbers = sorted({line.connection for line in read(path)})
    alone = [[told(event) for event in replay(path, connection=number)] for number in numbers]
    assert alone == list(by_member.values())
    assert {line.recording for line in read(path)} == {""}


def test_threads_that_record_to_one_path_write_whole_lines(tmp_path: Path) -> None:
    path = tmp_path / "record.jsonl"
    texts = [f"{number} {'x' * 3000}" for number in range(50)]

    def run(url: str) -> list[Any]:
        seen = []
        websocket = WebSocket(url, record=path, proxies={})
        for event in websocket.connect(poll=None):
            seen.append(told(event))
            if event.name == "ready":
                for text in texts:
                    websocket.send_text(text)
            elif event.name == "text" and event.text == texts[-1]:
                websocket.close()
        return seen

    with raw_server(echo) as one, raw_server(echo) as two, ThreadPoolExecutor(2) as pool:
        seen = list(pool.map(run, (one.url, two.url)))
    numbers = {line.connection for line in read(path)}
    alone = [[told(event) for event in replay(path, connection=number)] for number in numbers]
    assert sorted(map(str, alone)) == sorted(map(str, seen))
    assert sum(event.name == "text" for event in replay(path)) == 2 * len(texts)


def test_what_came_before_the_loop_was_left_is_recorded_if_nobody_was_handed_it(
    tmp_path: Path,
) -> None:
    path = tmp_path / "record.jsonl"

    async def leave_at_the_first() -> None:
        with raw_server(echo) as server:
            websocket = AsyncWebSocket(server.url, record=path, proxies={})
            async with websocket:
                async for event in websocket.connect(poll=None):
                    if event.name == "ready":
                        for number in range(3):
                            await websocket.send_text(str(number))
                    if event.name == "text":
                        while sum(line.direction == "in" for line in read(path)) < 4:
                            await asyncio.sleep(0.001)
                        break

    asyncio.run(leave_at_the_first())
    assert [event.text for event in replay(path) if event.name == "text"] == ["0", "1", "2"]
    *_, last = read(path)
    assert (last.op, last.value.kind) == ("ending", "left")
