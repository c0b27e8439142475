"""The command in a pseudo-terminal, with the line editor and without it: what ends it there."""

from __future__ import annotations

import contextlib
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from cli.pseudo_terminal import Terminal, terminal
from cli.talks import ESCAPES
from cli.test_pipe import MIB
from lomond.testing import Server, serve
from lomond.testing.echo import EchoServer

pytest.importorskip("pty", reason="there are no pseudo-terminals")


@pytest.fixture(params=["dumb", "xterm"])
def kind(request: pytest.FixtureRequest, tmp_path: Path) -> dict[str, str]:
    """Variables of a terminal that has no line editor, and of one that has."""
    return {"TERM": request.param, "XDG_STATE_HOME": str(tmp_path)}


@contextlib.contextmanager
def connected(server: EchoServer, kind: dict[str, str], *options: str) -> Iterator[Terminal]:
    """The command in a terminal, which reads what is typed."""
    with terminal(server.url, *options, **kind) as shown:
        shown.wait_for(rb"/help lists the commands")
        if kind["TERM"] != "dumb":
            shown.wait_for(rb"> ")
        yield shown


@pytest.mark.parametrize("name", ["Ctrl-C", "SIGTERM"])
def test_it_is_ended_before_ready(kind: dict[str, str], name: str) -> None:
    with serve(Server().never_answers()) as server, terminal(server.url, "-v", **kind) as shown:
        shown.wait_for(rb"s  \S*connected")
        if name == "Ctrl-C":
            shown.type(b"\x03")
        else:
            shown.process.terminate()
        assert shown.status() == (130 if name == "Ctrl-C" else 143)
        assert b"Traceback" not in shown.said


@pytest.mark.parametrize(
    ("typed", "code", "status"),
    [
        (b"\x03", 1000, 130),
        (b"half a line\x03", 1000, 130),
        (b"\x04", 1000, 0),
        (b"hello\r\x04", 1000, 0),
        (b"/close\r", 1000, 0),
        (b"/close 4000 that is all\r", 4000, 0),
    ],
    ids=["Ctrl-C", "Ctrl-C in a line", "no input", "Ctrl-D", "close", "close with a code"],
)
def test_it_is_ended_by_what_is_typed(
    kind: dict[str, str], typed: bytes, code: int, status: int
) -> None:
    with EchoServer() as server:
        with connected(server, kind) as shown:
            *lines, last = typed.splitlines(keepends=True)
            for line in lines:
                shown.type(line)
                shown.wait_for(rb"< \S*" + re.escape(line.rstrip()))
            shown.type(last)
            assert shown.status() == status
            said = shown.said
            assert (b"closing; Ctrl-C again ends at once" in said) == (status == 130)
            assert b"Traceback" not in said
        assert server.close_codes == [code]


def test_it_is_terminated(kind: dict[str, str]) -> None:
    with EchoServer() as server:
        with connected(server, kind) as shown:
            shown.type(b"half a line")
            shown.process.terminate()
            assert shown.status() == 143
            assert b"closing; another signal ends at once" in shown.said
        assert server.close_codes == [1000]


def test_a_line_of_a_mebibyte(kind: dict[str, str]) -> None:
    """By a terminal that gives characters as they come; to the line editor it is pasted."""
    has_editor = kind["TERM"] != "dumb"
    with EchoServer() as server, connected(server, kind) as shown:
        if not has_editor:
            shown.change(ICANON=False, ECHO=False)
        begin, end = (b"\x1b[200~", b"\x1b[201~\r") if has_editor else (b"", b"\n")
        shown.type(begin + MIB + end)
        shown.wait_for(rb"< \S*x{1048576}\S*\r\n")
        shown.type(b"/close\r" if has_editor else b"/close\n")
        assert shown.status() == 0
    assert server.close_codes == [1000]


@pytest.mark.skipif(sys.platform != "linux", reason="others have another limit")
def test_the_longest_line_of_a_terminal_that_gives_lines() -> None:
    """It keeps 4095 bytes of a line and drops the others: one of 1 MiB can't reach anybody."""
    with EchoServer() as server, connected(server, {"TERM": "dumb"}) as shown:
        shown.change(ECHO=False)
        shown.type(MIB[:10_000] + b"\n")
        shown.wait_for(rb"^< x{4095}\r\n")
        shown.type(b"\x04")
        assert shown.status() == 0


def test_binaries_that_come(kind: dict[str, str]) -> None:
    with (
        serve(Server().says(b"", b"\x00\xff\x1b[2J").echoes()) as server,
        terminal(server.url, "-n", "2", **kind) as shown,
    ):
        assert shown.status() == 0
        assert re.search(rb"^\S*< \S*binary, 0 bytes\S*\r\n", shown.said, re.MULTILINE)
        assert re.search(rb"binary, 6 bytes: 00 ff 1b 5b 32 4a\S*\r\n", shown.said)
        assert b"\x1b[2J" not in shown.said


def test_an_escape_that_comes(kind: dict[str, str]) -> None:
    with (
        serve(Server().says(*ESCAPES.values()).echoes()) as server,
        terminal(server.url, "-n", f"{len(ESCAPES)}", **kind) as shown,
    ):
        assert shown.status() == 0
        assert len(re.findall(rb"^.*< .*\r\n", shown.said, re.MULTILINE)) == len(ESCAPES)
        for escape in ESCAPES.values():
            assert escape.encode() not in shown.said


#: The command, whose line editor is slow to begin.
SLOW = """
import sys, threading, time, types
from lomond.cli import editing, main

class Slow(threading.Thread):
    def start(self):
        time.sleep(0.5)
        super().start()

editing.threading = types.SimpleNamespace(**{**vars(threading), "Thread": Slow})
sys.exit(main())
"""


def test_it_is_over_before_the_line_editor_has_begun(tmp_path: Path) -> None:
    command = [sys.executable, "-X", "dev", "-W", "error", "-c", SLOW]
    environ = {"TERM": "xterm", "XDG_STATE_HOME": str(tmp_path)}
    with (
        serve(Server().says("hi").echoes()) as server,
        terminal(server.url, "-1", command=command, **environ) as shown,
    ):
        assert shown.status() == 0
        assert b"Traceback" not in shown.said
