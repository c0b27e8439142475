"""The command in a pseudo-terminal of our own: where there is no line editor, and byte by byte."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from cli.pseudo_terminal import terminal
from cli.talks import ESCAPES, answers
from cli.test_pipe import ROWS, Row
from doors.peer_server import served

pytest.importorskip("pty", reason="there are no pseudo-terminals")


@pytest.fixture
def without_editor(tmp_path: Path) -> dict[str, str]:
    """Variables that hide prompt_toolkit."""
    hidden = tmp_path / "hidden" / "prompt_toolkit"
    hidden.mkdir(parents=True)
    (hidden / "__init__.py").write_text('raise ImportError("it is hidden")\n')
    return {"PYTHONPATH": str(hidden.parent), "TERM": "xterm"}


def test_a_dumb_terminal() -> None:
    with served(answers) as server, terminal(server.url, TERM="dumb") as shown:
        shown.wait_for(rb"/help lists the commands\r\n")
        shown.type(b'{"a": 1}\n')
        shown.wait_for(rb'^< {"a": 1}\r\n')
        shown.type(b"/help\n")
        shown.wait_for(rb"second one ends at once\r\n")
        shown.type(b"\x04")
        assert shown.status() == 0
        assert b"\x1b" not in shown.said
        assert b"Alt-Enter" not in shown.said
        assert b"lomond[cli]" not in shown.said


def test_a_terminal_is_shown_no_secret_of_the_url() -> None:
    with served(answers) as server:
        url = server.url.replace("//", "//me:mySecret@") + "?token=mySecret&room=2"
        with terminal(url, TERM="dumb") as shown:
            shown.wait_for(rb"connected to .*room=2; /help")
            shown.type(b"\x04")
            assert shown.status() == 0
            assert b"mySecret" not in shown.said


def test_without_the_line_editor(without_editor: dict[str, str]) -> None:
    with served(answers) as server, terminal(server.url, **without_editor) as shown:
        shown.wait_for(rb"/help lists the commands")
        shown.type(b'{"a": 1}\n')
        shown.wait_for(rb'^\x1b\[1;32m< \x1b\[0m{\x1b\[36m"a"')
        shown.type(b"two\n")
        shown.wait_for(rb"^\S+< \S+two\r\n")
        shown.type(b"\xff\n")
        shown.wait_for(b"not sent: it has what is no character")
        shown.type(b"\x03")
        assert shown.status() == 130
        assert shown.said.count(b"pip install 'lomond[cli]'") == 1


def test_nobody_is_told_who_wants_it_quiet(without_editor: dict[str, str]) -> None:
    with served(answers) as server, terminal("-q", server.url, **without_editor) as shown:
        shown.type(b"hello\n")
        shown.wait_for(rb"< \S*hello\r\n")
        shown.type(b"\x04")
        assert shown.status() == 0
        assert b"lomond" not in shown.said


@pytest.mark.parametrize("kind", ["dumb", "xterm"])
def test_no_escape_of_a_peer_comes_through(tmp_path: Path, kind: str) -> None:
    """Of what is written, only our own sequences and the line editor's are for the terminal."""
    own = rb"\x1b\[[0-9;?]*[mhlJKABCD]|\x1b\[\d* q|[\r\n]"
    with (
        served(answers) as server,
        terminal(server.url, "-v", TERM=kind, XDG_STATE_HOME=str(tmp_path)) as shown,
    ):
        shown.wait_for(rb"s  \S*ready")
        shown.type(b"escapes\r")
        shown.wait_for(rb"ends of lines: .*x85.*d\r\n")
        shown.type(b"close\r")
        assert shown.status() == 1
        said = re.sub(own, b"", shown.said).decode()
        assert [c for c in said if not c.isprintable()] == []
        for begin in (b"\x1b]", b"\x1b[2J", b"\x1b[31m", b"\x1b[?1049h", b"\x1b[6n", b"\x1b[H"):
            assert begin not in shown.said
        assert len(ESCAPES) == len(re.findall(rb"^.*< ", shown.said, re.MULTILINE))


def test_only_input_is_a_terminal() -> None:
    others = {"stdout": subprocess.PIPE}
    with served(answers) as server, terminal(server.url, others=others, TERM="xterm") as shown:
        shown.type(b"hello\n/ping\n")
        assert shown.process.stdout is not None
        assert shown.process.stdout.readline() == b"hello\n"
        assert shown.process.stdout.readline() == b"/ping\n"
        shown.process.stdout.close()
        assert shown.status() == 0


def test_only_output_is_a_terminal() -> None:
    others = {"stdin": subprocess.PIPE}
    with served(answers) as server, terminal(server.url, others=others, TERM="xterm") as shown:
        assert shown.process.stdin is not None
        shown.process.stdin.write(b"hello\n/ping\n")
        shown.process.stdin.close()
        assert shown.status() == 0
        assert shown.said == b"hello\r\n/ping\r\n"


def test_no_escape_of_a_peer_comes_through_a_pipe() -> None:
    others = {"stdin": subprocess.PIPE}
    with (
        served(answers) as server,
        terminal(server.url, "--binary", "raw", others=others, TERM="xterm") as shown,
    ):
        assert shown.process.stdin is not None
        shown.process.stdin.write("escapes\nbinaries\n\u00e9\ta\n".encode())
        shown.process.stdin.close()
        assert shown.status() == 0
        said = shown.said.decode()
        assert [c for c in said if not (c.isprintable() or c in "\r\n")] == []
        assert "clipboard: \\x1b]52;c;Zm9v\\x07\r\n" in said
        assert said.endswith(f"\r\n{bytes(range(64)).hex()}\r\n\u00e9    a\r\n")


def test_records_lines_are_a_pipes() -> None:
    with served(answers) as server, terminal(server.url, "--jsonl", TERM="xterm") as shown:
        shown.type(b'{"op": "text", "text": "escapes"}\n')
        shown.wait_for(rb'"text":"clipboard: \\u001b]52;c;Zm9v\\u0007"')
        shown.type(b"\x04")
        assert shown.status() == 0
        assert b"\x1b" not in shown.said


def test_modes_are_put_back(tmp_path: Path) -> None:
    import termios

    with (
        served(answers) as server,
        terminal(server.url, TERM="xterm", XDG_STATE_HOME=str(tmp_path)) as shown,
    ):
        before = termios.tcgetattr(shown.descriptor)
        shown.wait_for(rb"> ")
        shown.type(b"hello\r")
        shown.wait_for(rb"< \S*hello\r\n")
        assert termios.tcgetattr(shown.descriptor) != before
        shown.process.terminate()
        assert shown.status() == 143
        assert termios.tcgetattr(shown.descriptor) == before


#: Rows of the matrix that the server ends, or nobody does.
ENDS = [
    "1000", "1001", "1011", "closed without a code", "403 with a body", "302", "refused",
    "unknown host", "expired", "untrusted", "wrong name", "silent upgrade", "cut in the middle",
    "not the protocol", "too large",
]  # fmt: skip


@pytest.mark.parametrize("row", [row for row in ROWS if row.name in ENDS], ids=lambda row: row.name)
def test_the_matrix_in_a_pseudo_terminal(row: Row) -> None:
    with row.place() as served:
        options = row.options(served)
        with terminal(served.url, *options, TERM="dumb") as shown:
            status = shown.status()
    said = shown.said.decode().replace("\r\n", "\n")
    assert status == row.status
    for line in row.output.decode().splitlines():
        assert f"< {line}\n" in said
    assert re.search(row.errors, said), said
    assert "\x1b" not in said


def test_each_row_is_there() -> None:
    assert {row.name for row in ROWS} >= set(ENDS)
