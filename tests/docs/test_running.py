"""How the pages are run: what fails, and what a reader may do."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("sybil")

from docs.running import run


def taken(folder: Path, text: str) -> int:
    """How many blocks of a page were run."""
    page = folder / "page.md"
    page.write_text(text, "utf-8")
    here = folder / "here"
    here.mkdir()
    return run(page, here)


def block(source: str, language: str = "python") -> str:
    return f"```{language}\n{source}\n```\n"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (block("print(1)"), "page.md:1 prints something else"),
        (block("print(1)") + block("2", "output"), "Expected|-expected"),
        (block("1 / 0"), "division"),
        (block("print(1)") + block("1\n^C\n2", "output"), "prints something else"),
        (block("raise KeyboardInterrupt"), "interrupted"),
        (block("while True:\n    print(1)") + block("2\n^C", "output"), "too much"),
        (block("$ echo 1\n2", "console"), "prints something else"),
        (block(">>> 1\n2", "pycon"), "Expected:"),
        (block("{", "json"), "Expecting"),
        (block("=", "toml"), "Invalid"),
        (block("x", "fortran"), "nobody knows how to run a block of fortran"),
        (block("x", ""), "no language"),
        (block("1", "output"), "stands behind no block"),
        ("<!-- not run -->\n" + block("x"), "say why"),
        ("<!-- not run: there is none -->\n", "at the end"),
        ("<!-- before:\nraise OSError('hidden')\n-->\n", "hidden"),
    ],
)
def test_what_a_page_can_not_say(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises((AssertionError, ValueError, ArithmeticError, OSError), match=says):
        taken(tmp_path, text)


@pytest.mark.parametrize(
    ("text", "count"),
    [
        (block("x = 1") + block("print(x)") + block("1", "output"), 2),
        (block("print(1, 23, 4)") + block("1 ... 4", "output"), 1),
        (block("while True:\n    print(1)") + block("1\n1\n^C", "output"), 1),
        (block("int('x')") + block("Traceback ...\nValueError: ...'x'", "output"), 1),
        (block("# say.py\nprint(1)") + block("1", "output"), 1),
        (block("# say.py\nprint(1)") + block("$ python say.py && ls\n1\nsay.py", "console"), 2),
        (block("$ echo 1\n1\n$ echo 2 \\\n> 3\n2 3", "console"), 1),
        (block("$ python -c 'import time; print(1); time.sleep(60)'\n1\n^C\n...", "console"), 1),
        ("<!-- not run: it is for another system -->\n" + block("x", "powershell"), 0),
        (block('{"a": 1}\n{"b": 2}', "json") + block("a = 1", "toml") + block("->", "text"), 0),
        ("<!-- before:\nnames['x'] = 1\n-->\n" + block("print(x)") + block("1", "output"), 1),
    ],
)
def test_what_a_page_can_say(tmp_path: Path, text: str, count: int) -> None:
    assert taken(tmp_path, text) == count


PROGRAM = """
from lomond import WebSocket
websocket = WebSocket("{place}")
for event in websocket:
    pass
print(websocket.ending)
"""
CLOSED = "the server closed the connection with 1000 'bye' ..."


@pytest.mark.parametrize("place", ["wss://feed.example", "ws://feed.example:81"])
@pytest.mark.parametrize("kept", ["", "# program.py"])
def test_servers_have_the_names_that_the_page_says(tmp_path: Path, place: str, kept: str) -> None:
    pytest.importorskip("trustme")
    server = f"<!-- before:\nserve('{place}', Server().closes(1000, 'bye'))\n-->\n"
    program = (kept or "import lomond") + PROGRAM.format(place=place)
    assert taken(tmp_path, server + block(program) + block(CLOSED, "output")) == 1


def test_a_name_that_no_server_has_is_unknown(tmp_path: Path) -> None:
    program = PROGRAM.format(place="wss://feed.example")
    said = "unable to resolve host name 'feed.example'; ..."
    assert taken(tmp_path, block(program) + block(said, "output")) == 1


def test_hours_of_a_pretend_world_take_no_time(tmp_path: Path) -> None:
    world = "<!-- before:\npretend(Server().after(86400).closes(1000, 'bye'))\n-->\n"
    program = PROGRAM.format(place="wss://feed.example")
    said = "the server closed the connection with 1000 'bye' after 24 h"
    assert taken(tmp_path, world + block(program) + block(said, "output")) == 1


def test_what_runs_in_another_terminal_stays(tmp_path: Path) -> None:
    other = "<!-- in another terminal -->\n"
    server = block("$ lomond serve --port 8765\nws://127.0.0.1:8765/", "console")
    command = block("$ echo hello | lomond ws://localhost:8765 -q\nhello", "console")
    assert taken(tmp_path, other + server + command) == 2
