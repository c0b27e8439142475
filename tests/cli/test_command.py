"""The command's options: what they ask the server for, and what is said of that."""

from __future__ import annotations

import re
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from cli.commanding import lomond
from cli.untrusted import certified
from lomond import cli
from lomond.cli import exits
from lomond.testing import Server, serve
from lomond.testing.echo import EchoServer

NAMES = re.compile(r"(?m)^ {0,}\d+\.\d+ s {2}(\w+)")


def headers_sent(*arguments: str) -> dict[str, str]:
    """The headers that a server sees."""
    with serve(Server().closes()) as server:
        status, _, errors = lomond(server.url, *arguments)
        assert (status, errors) == (0, "")
        request: Any = server.requests[0]
    return {name.lower(): value for name, value in request.headers.items()}


def test_what_is_asked_for(tmp_path: Path) -> None:
    more = tmp_path / "headers"
    more.write_text("X-Two: 2\n\nX-Three: 3\n")
    seen = headers_sent(
        "-H", "X-One: 1", "-H", f"@{more}", "--auth", "me:secret", "--cookie", "a=1; b=2",
        "--cookie", "c=3", "--protocol", "v2,v1", "--protocol", "v0", "--origin", "https://here",
        "--compress",
    )  # fmt: skip
    assert (seen["x-one"], seen["x-two"], seen["x-three"]) == ("1", "2", "3")
    assert seen["authorization"] == "Basic bWU6c2VjcmV0"
    assert seen["cookie"] == "a=1; b=2; c=3"
    assert seen["sec-websocket-protocol"] == "v2, v1, v0"
    assert seen["origin"] == "https://here"
    assert "permessage-deflate" in seen["sec-websocket-extensions"]


def test_a_token_from_a_file(tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("abc.def\n")
    assert headers_sent("--auth", f"@{token}")["authorization"] == "Bearer abc.def"


def test_whom_to_trust() -> None:
    with certified("nothing") as server:
        assert lomond(server.url, "--ca", server.ca, given=b"x\n") == (0, b"x\n", "")


def test_a_socket_of_unix(tmp_path: Path) -> None:
    if sys.platform == "win32":
        pytest.skip("no Unix sockets here")
    status, _, errors = lomond("ws://h/", "--unix", str(tmp_path / "none"))
    assert status == exits.UNREACHABLE
    assert "No such file" in errors


def test_events_are_shown_when_asked_for() -> None:
    with EchoServer() as server:
        status, output, errors = lomond(server.url, "-v", given=b"x\n")
    assert (status, output) == (0, b"x\n")
    assert NAMES.findall(errors) == [
        "connecting", "connected", "ready", "text", "closed", "disconnected",
    ]  # fmt: skip


def test_heads_and_frames_are_shown_without_secrets() -> None:
    with EchoServer() as server:
        url = server.url.replace("//", "//user:swordfish@") + "?token=swordfish"
        status, _, errors = lomond(url, "-vv", "--cookie", "sid=swordfish", given=b"12345\n")
    assert status == 0
    assert "> GET /?token=*** HTTP/1.1" in errors
    assert "< HTTP/1.1 101" in errors
    assert "> text, 5 bytes" in errors
    assert "swordfish" not in errors


def test_a_peer_s_words_do_not_control_a_terminal() -> None:
    with serve(Server().says("a\x1b[31m\x07\u202e").closes(1000, "b\x1b]0;c")) as server:
        status, output, errors = lomond(server.url, "-v")
    assert status == 0
    assert output == "a\x1b[31m\x07\u202e\n".encode()  # a pipe has it as it is
    assert "\x1b" not in errors
    assert "\\x1b[31m\\x07\\u202e" in errors


def test_the_demonstration() -> None:
    status, output, errors = lomond("demo")
    assert (status, errors) == (0, "")
    names = NAMES.findall(output.decode())
    assert names[:3] == ["connecting", "connected", "ready"]
    assert names.count("text") == 3
    assert names[-2:] == ["closed", "disconnected"]


def test_the_version_names_the_twin() -> None:
    status, output, _ = lomond("--version")
    assert status == 0
    assert re.search(rb"\((pure|compiled), zlib(-ng)?\)", output)


@pytest.mark.parametrize("name", ["", *cli.COMMANDS])
def test_help_fits_a_screen(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as done:
        cli.main([name, "--help"] if name else ["--help"])
    assert done.value.code == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) <= 24
    assert max(map(len, lines)) <= 80
    assert lines[0].startswith(f"usage: lomond {name}".rstrip())


def test_help_says_what_each_status_means(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        cli.main(["--help"])
    said = " ".join(capsys.readouterr().out.split())
    for status, meaning in exits.MEANINGS.items():
        assert f"{status} {meaning}" in said


def test_each_command_is_a_module_that_runs() -> None:
    for name in cli.COMMANDS.values():
        assert callable(import_module(f"lomond.cli.{name}").run)


@pytest.mark.skipif(sys.platform == "win32", reason="arguments are text on this system")
def test_a_header_that_is_not_utf_8() -> None:
    status, output, errors = lomond("ws://h/", "--header", "X: \udcff")
    said = "lomond: value of header 'X' can't be written as UTF-8; remove '\\udcff'"
    assert (status, output, errors) == (2, b"", f"{said}\n")


def test_advice_names_the_command_s_options() -> None:
    words = (
        "headers=, cookies=, auth=; origin='x' was; ssl_cafile, proxies={}, max_message_size (4)"
    )
    assert exits.advice(words) == (
        "-H, --cookie, --auth; origin='x' was; --ca, --no-proxy, --max-size (4)"
    )
