"""The notebook: its cells are run one by one in one event loop, as Jupyter does, and are typed."""

from __future__ import annotations

import ast
import asyncio
import inspect
from typing import Any

import pytest

from examples.loaded import cells_of, code_of
from lomond.errors import NoReply
from lomond.testing import Conversation, Server, Turns, pretend

CELLS = code_of("notebook")


async def run(cell: str, names: dict[str, Any]) -> Any:
    """Run a cell, where `await` may stand anywhere; the value of its last line."""
    tree = ast.parse(cell)
    last = tree.body[-1]
    if isinstance(last, ast.Expr):
        shown = ast.parse("_shown = 0").body[0]
        assert isinstance(shown, ast.Assign)
        shown.value = last.value
        tree.body[-1] = ast.copy_location(shown, last)
    ast.fix_missing_locations(tree)
    names.pop("_shown", None)
    code = compile(tree, "cell", "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    done = eval(code, names)
    if inspect.iscoroutine(done):
        await done
    return names.get("_shown")


def subscribed(server: Server) -> Server:
    return server.hears({"op": "subscribe", "topic": "trades"})


async def all_cells(pause: float) -> list[Any]:
    names: dict[str, Any] = {"__name__": "__main__"}
    shown = []
    for cell in CELLS:
        shown.append(await run(cell, names))
        await asyncio.sleep(pause)  # who reads it
    return shown


def test_its_cells_one_by_one(capsys: pytest.CaptureFixture[str]) -> None:
    first = subscribed(Server()).says({"price": 1}, {"price": 2}).after(5).cuts()
    second = subscribed(Server()).says({"price": 6})
    second.hears({"op": "book", "id": 1}).says({"id": 1, "bids": []}).hears_close()
    with pretend(first, second):
        shown = asyncio.run(all_cells(60))
    assert shown[:3] == [True, (3, 3), {"id": 1, "bids": []}]
    said = capsys.readouterr().out.splitlines()
    assert said[0].startswith("2 connections; the last end: the connection was lost")
    assert said[1].startswith("this program left")


def test_without_an_answer_the_cell_says_so() -> None:
    def mute(peer: Conversation) -> Turns:
        yield peer.hear({"op": "subscribe"})
        yield peer.hear({"op": "book"})

    with pretend(mute), pytest.raises(NoReply, match="within 5 s"):
        asyncio.run(all_cells(1))


def test_nothing_of_a_run_is_kept_in_it() -> None:
    for cell in cells_of("notebook"):
        assert cell.get("outputs", []) == []
        assert cell.get("execution_count") is None
