"""The command in a terminal, as somebody sees it who types there; see screen.py."""

from __future__ import annotations

import contextlib
import os
import shlex
import stat
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from cli.screen import Screen, screen
from cli.talks import answers, never_closes
from doors.peer_server import served
from doors.raw_server import refusing_port
from lomond.testing.peer import Pause, Peer, Talk

# Without -X dev, with which asyncio says in the screen how slow the machine is.
COMMAND = shlex.join([sys.executable, "-W", "error", "-m", "lomond"])
READY = r"^> *$"


@contextlib.contextmanager
def conversation(
    directory: Path,
    *options: str,
    talk: Callable[[Peer], Talk] = answers,
    size: tuple[int, int] = (80, 24),
    **environ: str,
) -> Iterator[Screen]:
    """The command in a terminal, connected, with its prompt."""
    with served(talk) as server:
        command = f"{COMMAND} {server.url} {shlex.join(options)}"
        with screen(command, directory, size, **environ) as shown:
            shown.wait_for(READY)
            yield shown


def test_a_conversation(tmp_path: Path) -> None:
    with conversation(tmp_path) as shown:
        shown.line("hello")
        shown.wait_for("^< hello")
        shown.line('{"key": "a \\"b\\"", "n": [1, -2.50, 1e5], "words": [true, null], "e": {}}')
        shown.wait_for("^< {")
        shown.type("one", "M-Enter", "  two", "M-Enter", "three", "Enter")
        shown.wait_for("^< one\n    two\n  three")
        shown.line("//slash")
        shown.wait_for("^< /slash")
        shown.line("binaries")
        shown.wait_for("64 bytes")
        shown.type("C-d")
        shown.wait_for("^status 0")
        shown.is_as("conversation")


def test_orders(tmp_path: Path) -> None:
    (tmp_path / "some file").write_bytes(b"\x00\x01\x02")
    with conversation(tmp_path, size=(80, 40)) as shown:
        shown.line("/ping")
        shown.wait_for("^[*] pong after")
        shown.line("/binary some file")
        shown.wait_for("^< binary, 3 bytes")
        shown.line("/binary none")
        shown.wait_for("^[*] not sent: none: No such file")
        shown.line("/nonsense is not sent")
        shown.wait_for("^[*] /nonsense is no order")
        shown.line(f"/ping {'x' * 126}")
        shown.wait_for("^[*] .*125")
        shown.line("/stats")
        shown.wait_for("connected for")
        shown.line("/close now")
        shown.wait_for("^[*] /close takes")
        shown.line("/close 1005")
        shown.wait_for("^[*] .*1005")
        shown.line("/help")
        shown.wait_for("ends at once")
        shown.line("/close 4000 that is all")
        shown.wait_for("^status 0")
        shown.is_as("orders")


def test_what_comes_appears_above_what_is_typed(tmp_path: Path) -> None:
    with conversation(tmp_path) as shown:
        shown.line("later")
        shown.type("half a line")
        shown.wait_for("^< here it is\n> half a line")
        shown.is_as("above")
        shown.type(", and the rest", "Enter")
        shown.wait_for("^< half a line, and the rest")


def test_nothing_of_a_peer_controls_the_terminal(tmp_path: Path) -> None:
    with conversation(tmp_path) as shown:
        shown.line("escapes")
        shown.wait_for("^< ends of lines")
        shown.type("still here")
        shown.is_as("escapes")


def test_json_over_lines(tmp_path: Path) -> None:
    with conversation(tmp_path, "--json") as shown:
        shown.line('{"key":{"list":[1,2.50,{}],"none":[]},"key":"twice"}')
        shown.wait_for("^  }")
        shown.line("no {json}")
        shown.wait_for("^< no")
        shown.is_as("json")


@pytest.mark.parametrize(("columns", "name"), [(20, "narrow"), (300, "wide")])
def test_sizes(tmp_path: Path, columns: int, name: str) -> None:
    with conversation(tmp_path, size=(columns, 24)) as shown:
        shown.line("a text that is longer than twenty columns")
        shown.wait_for("^< a text")
        shown.line("/nonsense")
        shown.wait_for("^[*] /nonsense")
        shown.type("and another one that is not sent")
        shown.is_as(name)


def test_another_size_meanwhile(tmp_path: Path) -> None:
    with conversation(tmp_path, size=(80, 24)) as shown:
        shown.resize(40, 12)
        shown.line("a text that is longer than forty columns, by a word or two")
        shown.wait_for("^< a text")


def test_without_colours(tmp_path: Path) -> None:
    with conversation(tmp_path, NO_COLOR="1") as shown:
        shown.line('{"a": [1, true, "x"]}')
        shown.wait_for("^< ")
        shown.line("binaries")
        shown.wait_for("64 bytes")
        shown.is_as("no-colours")


def test_ctrl_c_closes(tmp_path: Path) -> None:
    with conversation(tmp_path) as shown:
        shown.type("half", "C-c")
        shown.wait_for("^status 130")
        shown.is_as("ctrl-c")


def test_a_second_ctrl_c_ends_at_once(tmp_path: Path) -> None:
    with conversation(tmp_path, talk=never_closes) as shown:
        shown.type("C-c")
        shown.wait_for("^lomond: closing")
        shown.type("C-c")
        shown.wait_for("^status 130")


def test_ctrl_c_before_there_is_a_connection(tmp_path: Path) -> None:
    def is_silent(peer: Peer) -> Talk:
        yield from peer.read_request()
        yield from peer.hear_end()

    with served(is_silent) as server, screen(f"{COMMAND} -v {server.url}", tmp_path) as shown:
        shown.wait_for("connected ")
        shown.type("C-c")
        shown.wait_for("^status 130")


def test_the_server_closes(tmp_path: Path) -> None:
    with conversation(tmp_path, size=(120, 24)) as shown:
        shown.line("close")
        shown.wait_for("^status 1$")
        shown.is_as("closed")


def test_it_connects_again(tmp_path: Path) -> None:
    with conversation(tmp_path, "--reconnect") as shown:
        shown.line("end")
        shown.wait_for("connects again")
        shown.line("into the gap")
        shown.wait_for(r"^[*] connected to [^;]*$")
        shown.line("hello")
        shown.wait_for("^< hello")
        shown.line("/close")
        shown.wait_for("^status 0")


def test_one_there_and_one_back(tmp_path: Path) -> None:
    with conversation(tmp_path, "-1") as shown:
        shown.line("hello")
        shown.wait_for("^status 0")
        assert "< hello" in shown.text()


def test_so_many_messages(tmp_path: Path) -> None:
    with conversation(tmp_path, "-n", "2") as shown:
        shown.line("binaries")
        shown.wait_for("^status 0")
        assert "5 bytes" in shown.text()
        assert "64 bytes" not in shown.text()


def test_a_flood(tmp_path: Path) -> None:
    with conversation(tmp_path) as shown:
        shown.line("many")
        shown.line("typed meanwhile")
        shown.wait_for('^< {"number": 19999}')
        shown.wait_for("^< typed meanwhile")
        shown.type("C-d")
        shown.wait_for("^status 0")


def test_a_peer_that_does_not_read(tmp_path: Path) -> None:
    (tmp_path / "large").write_bytes(bytes(64 * 2**20))

    def does_not_read(peer: Peer) -> Talk:
        yield from peer.upgrade()
        yield Pause(1000)

    with conversation(tmp_path, talk=does_not_read) as shown:
        shown.line("/binary large")
        shown.line("/help")
        shown.type("still typing")
        shown.wait_for("^> still typing")
        shown.type("C-c")
        shown.wait_for("^lomond: closing")
        shown.type("C-c")
        shown.wait_for("^status 130")


def test_a_limit_of_time(tmp_path: Path) -> None:
    with conversation(tmp_path, "--timeout", "8") as shown:
        shown.type("half a line")
        shown.wait_for("^status 7")
        assert "lomond: --timeout: 8 s are over\n" in shown.text()


def test_nobody_there(tmp_path: Path) -> None:
    with screen(f"{COMMAND} ws://127.0.0.1:{refusing_port()}/", tmp_path) as shown:
        shown.wait_for("^status 3")
        assert ">" not in shown.text()


def test_binaries_in_hex(tmp_path: Path) -> None:
    with conversation(tmp_path, "--binary", "hex", size=(300, 24)) as shown:
        shown.line("binaries")
        shown.wait_for("^< binary, 64 bytes: 00 01 .* 3e 3f$")


def test_into_the_background_and_back(tmp_path: Path) -> None:
    with served(answers) as server, screen("exec sh -i", tmp_path, PS1="$ ", ENV="") as shown:
        shown.wait_for(r"^\$ *$")
        shown.line(f"{COMMAND} {server.url}")
        shown.wait_for(READY)
        shown.type("half", "C-z")
        shown.wait_for(r"Stopped[^$]*^\$ *$")
        shown.line("echo $((40 + 2))")
        shown.wait_for("^42")
        shown.line("fg")
        shown.wait_for("^> half")
        shown.type(" a line", "Enter")
        shown.wait_for("^< half a line")


def test_history(tmp_path: Path) -> None:
    with conversation(tmp_path) as shown:
        shown.line("kept")
        shown.line(" not kept")
        shown.wait_for("^<  not kept")
        shown.type("C-d")
        shown.wait_for("^status 0")
    history = tmp_path / "state" / "lomond" / "history"
    assert "+kept\n" in history.read_text()
    assert "not kept" not in history.read_text()
    assert stat.S_IMODE(history.stat().st_mode) == 0o600
    assert stat.S_IMODE(history.parent.stat().st_mode) == 0o700
    history.chmod(0o644)
    with conversation(tmp_path) as shown:
        shown.type("Up")
        shown.wait_for("^> kept")
        assert stat.S_IMODE(history.stat().st_mode) == 0o600


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="there is no such user")
def test_where_no_history_can_be_kept(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("no directory")
    with conversation(tmp_path) as shown:
        shown.line("one")
        shown.wait_for("^< one")
        shown.type("Up")
        shown.wait_for("^> one\n< one\n> one")


def test_the_picture(tmp_path: Path) -> None:
    command = tmp_path / "bin" / "lomond"
    command.parent.mkdir()
    command.write_text(f'#!/bin/sh\nexec {COMMAND} "$@"\n')
    command.chmod(0o755)
    path = f"{command.parent}:{os.environ['PATH']}"
    with (
        served(answers) as server,
        screen("exec sh", tmp_path, (72, 18), PATH=path, PS1="$ ", ENV="") as shown,
    ):
        shown.wait_for(r"^\$ *$")
        shown.line(f"lomond {server.url}")
        shown.wait_for(READY)
        shown.line('{"subscribe": "prices"}')
        shown.wait_for("^< and to")
        shown.line("/ping")
        shown.wait_for("^[*] pong")
        shown.line("/close 1000 thanks")
        shown.wait_for(r"^\$ *$")
        shown.is_as("picture")
