"""The command in a pipe: what stands in standard output, standard error, and the exit status."""

from __future__ import annotations

import re
import socket
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from cli.commanding import lomond
from cli.untrusted import certified
from doors.raw_server import frame, raw_server, refusing_port
from lomond import WebSocket
from lomond.cli import jsonl
from lomond.protocol.frames import CLOSE
from lomond.testing import Server, serve

ESCAPES = "a\x1b]52;c;Zm9v\x07\x9b31m\x08\u202eb"
Place = Callable[[], AbstractContextManager[Any]]


@dataclass(frozen=True)
class Nobody:
    """Where nobody is."""

    url: str


@dataclass(frozen=True)
class Row:
    """A run, and what it comes to.

    Attributes:
        name: For people.
        server: Who is there; or the URL of nobody.
        given: Standard input; None for /dev/null.
        arguments: Beside the URL, which stands first; "CA" stands for the authority's file.
        output: All of standard output.
        errors: A pattern of all of standard error.
        status: The exit status.
    """

    name: str
    server: Server | Place | str
    status: int = 0
    output: bytes = b""
    errors: str = ""
    given: bytes | None = b""
    arguments: tuple[str, ...] = ()

    def place(self) -> AbstractContextManager[Any]:
        """Who is there; or a place with the URL of nobody."""
        if isinstance(self.server, str):
            return nullcontext(Nobody(self.server))
        return self.server() if callable(self.server) else serve(self.server)

    def options(self, served: Any) -> list[str]:
        """The arguments behind the URL."""
        return [served.ca if one == "CA" else one for one in self.arguments]


def closes_at_once(connection: socket.socket) -> None:
    connection.sendall(frame(CLOSE, code=1000))
    while connection.recv(65536):
        pass


def nobody() -> str:
    return f"ws://127.0.0.1:{refusing_port()}/"


MIB = b"x" * 2**20


def wrong(name: str, *arguments: str, says: str) -> Row:
    """A run that ends before it begins."""
    url, *others = arguments
    told = rf"lomond: {says}\n"
    return Row(name, url, status=2, arguments=tuple(others), errors=told)


LINES = b"""\
{"op":"text","text":"a\\nb"}

{"v":1,"op":"ping"}
{"dir":"in","op":"text","text":"not what this side said"}
"""
ROWS = [
    Row("echo", Server().echoes(), given=b"a\nb\n", output=b"a\nb\n"),
    Row("the last line has no end", Server().echoes(), given=b"a\n\nb", output=b"a\n\nb\n"),
    Row("a line of 1 MiB", Server().echoes(), given=MIB + b"\n", output=MIB + b"\n"),
    Row("empty input", Server().says("hi").echoes(), output=b"hi\n"),
    Row("/dev/null", Server().says("hi").echoes(), given=None, output=b"hi\n"),
    Row("1000", Server().says("hi").closes(1000), output=b"hi\n"),
    Row("1001", Server().closes(1001, "restart")),
    Row(
        "1011",
        Server().says("hi").closes(1011, "it broke"),
        status=1,
        output=b"hi\n",
        errors=r"lomond: the server closed the connection with 1011 'it broke' after .* s.*\n",
    ),
    Row("closed without a code", Server().closes(None), status=1, errors=r".*without a code.*\n"),
    Row(
        "403 with a body",
        Server().refuses(403, body="not you,\nnot \x1b[31mnow\n"),
        status=4,
        errors=r"lomond: the server refused the upgrade with 403 Forbidden; it said 'not you, not "
        r"\\x1b\[31mnow'; it wants other credentials \(--auth, -H, --cookie\), or an Origin, and "
        r"none was sent \(--origin\)\nnot you,\nnot \\x1b\[31mnow\n",
    ),
    Row(
        "302",
        Server().refuses(302, headers={"Location": "/there"}),
        status=4,
        errors=r"lomond: .*302 Found; .*; --max-redirects has lomond follow\n",
    ),
    Row("a binary", Server().says(b"\x00\xff"), output=b"AP8=\n", arguments=("-1",), given=b""),
    Row(
        "binaries as hex",
        Server().says(b"\x00\xff", "text"),
        output=b"00ff\ntext\n",
        arguments=("-n", "2", "--binary", "hex"),
    ),
    Row(
        "binaries as they are",
        Server().says(b"\x00\n\xff", b"!"),
        output=b"\x00\n\xff!",
        arguments=("-n", "2", "--binary", "raw"),
    ),
    Row("refused", nobody(), status=3, errors=r"lomond: unable to connect.*Connection refused\n"),
    Row(
        "unknown host",
        "ws://nobody.invalid/",
        status=3,
        errors=r"lomond: unable to resolve host name 'nobody\.invalid'; .*\n",
        arguments=("--no-proxy",),
    ),
    Row(
        "expired",
        lambda: certified("expired"),
        status=3,
        arguments=("--ca", "CA"),
        errors=r"lomond: TLS with .* failed; .*expired.*\n",
    ),
    Row(
        "untrusted",
        lambda: certified("unknown"),
        status=3,
        errors=r"lomond: TLS with .* failed; .*; if the server has a private CA, name it with "
        r"--ca\n",
    ),
    Row(
        "wrong name",
        lambda: certified("other name"),
        status=3,
        arguments=("--ca", "CA"),
        errors=r"lomond: TLS with .* failed; .*other\.example.*\n",
    ),
    Row(
        "trusted whatever it is",
        lambda: certified("expired"),
        arguments=("--insecure",),
        given=b"x\n",
        output=b"x\n",
    ),
    Row(
        "silent upgrade",
        Server().never_answers(),
        status=7,
        errors=r"lomond: --timeout: 0\.5 s are over\n",
        arguments=("--timeout", "0.5"),
    ),
    Row(
        "silent after the upgrade",
        Server().ignores_pings().stalls(60),
        status=7,
        errors=r"lomond: --timeout: 0\.5 s are over\n",
        arguments=("--timeout", "0.5", "--linger", "none"),
    ),
    Row(
        "cut in the middle",
        Server().says("whole").half_a_frame().cuts(),
        status=5,
        output=b"whole\n",
        errors=r"lomond: the connection was lost after .*\n",
        arguments=("--linger", "none"),
    ),
    Row(
        "not the protocol",
        Server().says("whole").garbage(),
        status=6,
        output=b"whole\n",
        errors=r"lomond: the server broke the protocol after .*\n",
        arguments=("--linger", "none"),
    ),
    Row(
        "too large",
        Server().says("four", "five5"),
        status=6,
        output=b"four\n",
        errors=r"lomond: the server sent too much .* larger than --max-size .*\n",
        arguments=("--linger", "none", "--max-size", "4"),
    ),
    Row("escapes", Server().says(ESCAPES), output=f"{ESCAPES}\n".encode(), arguments=("-1",)),
    Row(
        "ends of lines within",
        Server().says("a\nb", "c\n"),
        output=b"a b\nc \n",
        arguments=("-n", "2"),
        errors=r"lomond: a message has ends of lines in it, written as spaces; -0 or .*\n",
    ),
    Row(
        "NUL ends lines",
        Server().echoes(),
        given=b"a\nb\0c\0",
        output=b"a\nb\0c\0",
        arguments=("-0",),
    ),
    Row(
        "NULs within",
        Server().says("a\0b\n"),
        output=b"a b\n\0",
        arguments=("-0", "-1"),
        errors="lomond: a message has NULs in it, written as spaces; --jsonl keeps them\n",
    ),
    Row(
        "send one, print one",
        Server().echoes(),
        given=b"a\nb\n",
        output=b"a\n",
        arguments=("-1",),
    ),
    Row(
        "no more than N",
        Server().echoes(),
        given=b"1\n2\n3\n",
        output=b"1\n2\n",
        arguments=("-n", "2"),
    ),
    Row("quiet", nobody(), status=3, arguments=("-q",)),
    Row(
        "no UTF-8",
        Server().echoes(),
        given=b"a\n\xff\nb\n",
        output=b"a\n",
        status=2,
        errors=r"lomond: line 2 of standard input was not sent, and the input ends there: it is no "
        r"UTF-8 .*\n",
    ),
    Row(
        "no line of a record",
        Server().echoes(),
        given=LINES + b"[]\n",
        status=2,
        output=b'"text":"a\\nb"}\n',
        errors=r"lomond: line 5 of standard input .*: it is no object.*\n",
        arguments=("--jsonl",),
    ),
    Row(
        "half a line of a record",
        Server().echoes(),
        given=b'{"op":"text"}\n',
        status=2,
        errors=r"lomond: line 1 .*: a text needs 'text'\n",
        arguments=("--jsonl",),
    ),
    Row(
        "nothing comes",
        Server().hears("x").hears_close(),
        given=b"x\n",
        errors=r"lomond: no message came within 1 s .* --linger S .*\n",
    ),
    Row(
        "nothing is waited for",
        Server().hears("x").hears_close(),
        given=b"x\n",
        arguments=("--linger", "0"),
    ),
    Row(
        "no op of a record",
        Server().echoes(),
        given=b'{"op":"txt"}\n',
        status=2,
        errors=r"lomond: line 1 .*: its op 'txt' is none of text, binary, .*\n",
        arguments=("--jsonl",),
    ),
    Row(
        "the server ends before the input",
        lambda: raw_server(closes_at_once),
        given=b"1\n" * 3_000_000,
        errors=r"lomond: line \d+ of standard input, and what follows, was not sent\n",
    ),
    wrong("no count", "ws://h/", "-n", "0", says=r"argument -n: .* whole .*; see lomond --help"),
    wrong("too long", "ws://h/", "--timeout", "1e300", says=r"argument .*'1e300' is none; .*"),
    Row(
        "times that are longer than a poll can be",
        Server().echoes(),
        given=b"x\n",
        output=b"x\n",
        arguments=("-1", "--timeout", "1e9", "--linger", "1e9", "--ping", "1e9"),
    ),
    Row(
        "a wait that is longer than a poll can be",
        Server().says("x").stalls(1).closes(1000),
        output=b"x\n",
        arguments=("--linger", "1e9"),
    ),
    wrong("no URL", "example.org", says=r"URL 'example\.org' has no scheme.*"),
    wrong("no such file", "wss://h/", "--ca", "/nope", says=r"--ca '/nope' can't be read.*"),
    wrong("two ways", "ws://h/", "--proxy", "http://h", "--no-proxy", says=r".*exclude.*"),
    wrong("1 and N", "ws://h/", "-1", "-n", "3", says=r"-1 and -n exclude each other; .*"),
    wrong("no number", "ws://h/", "--ping", "x", says=r"argument --ping: 'x' is none; .*"),
    wrong(
        "no file", "ws://h/", "-H", "@/nope", says=r"@/nope can't be read \(No such file .*\); .*"
    ),
    wrong("a command, misspelt", "pnig", says=r"'pnig' is no command; did you mean ping\?.*"),
    wrong("a command, too late", "-k", "ping", "ws://h/", says=r".* lomond ping \.\.\..*"),
    wrong("no token", "ws://h/", "--auth", "", says=r"--auth is empty; .*"),
    wrong("no colon", "ws://h/", "-H", "x", says=r"a -H has no ':'; write 'NAME: VALUE'"),
    wrong("no such option", "ws://h/", "--pingx", says=r"unrecognized .*; see lomond --help"),
    wrong("no record", "ws://h/", "--record", "/nope/x", says=r"--record /nope/x: No such .*"),
]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_the_matrix(row: Row) -> None:
    with row.place() as served:
        found = lomond(served.url, *row.options(served), given=row.given)
    status, output, errors = found
    if "--jsonl" in row.arguments and output:
        assert output.endswith(row.output)
    else:
        assert output == row.output
    assert re.fullmatch(row.errors, errors), errors
    assert status == row.status


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("x", r"it is no JSON \(.*\)"),
        ("[" * 100_000, r"it is no JSON \(.*\)"),
        ("{}", "its op None is none of text, binary, ping, pong, close"),
        ('{"op":[]}', r"its op \[\] is none of text, binary, ping, pong, close"),
        ('{"op":"text"}', "a text needs 'text'"),
        ('{"op":"text","text":1}', "its text is no string"),
        ('{"op":"binary","b64":"A"}', "its b64 is no base64"),
        ('{"op":"ping","b64":5}', "its b64 is no base64"),
        ('{"op":"close","code":"1000"}', "its code is no whole number"),
        ('{"op":"close","code":true}', "its code is no whole number"),
        ('{"op":"close","reason":5}', "its reason is no string"),
        ('{"op":"close","code":999}', "close code 999 may not be sent; .*"),
    ],
)
def test_a_line_that_is_no_records(line: str, says: str) -> None:
    with pytest.raises(ValueError, match=f"^{says}$"):  # noqa: PT012  (some say it as it is sent)
        send = jsonl.sender(line.encode())
        assert send is not None
        send(WebSocket("ws://h/"))


def test_a_close_that_cannot_be_ends_it() -> None:
    with serve(Server().echoes()) as server:
        status, _, errors = lomond(server.url, "--jsonl", given=b'{"op":"close","code":"x"}\n')
    assert status == 2
    assert errors.startswith("lomond: line 1 of standard input was not sent, and the input ends")
    assert errors.endswith(": its code is no whole number\n")


@pytest.mark.parametrize(
    "arguments",
    [
        ("-H", "Authorization Bearer mySecret", "ws://h/"),
        ("-H", "@header", "ws://h/"),
        ("ws://me:mySecret@h:x/?token=mySecret",),
        ("ws://h/?token=mySecret#fragment",),
        ("htp://me:mySecret@h/?api_key=mySecret",),
        ("--autth", "me:no", "ws://me:mySecret@h/?token=mySecret"),
        ("ping", "ws://me:mySecret@h:x/?token=mySecret"),
        ("bench", "ws://me:mySecret@h:x/?token=mySecret"),
        ("doctor", "ws://me:mySecret@h:x/?token=mySecret"),
    ],
    ids=" ".join,
)
def test_what_is_wrong_with_arguments_shows_no_secret(
    arguments: tuple[str, ...], tmp_path: Path
) -> None:
    (tmp_path / "header").write_text("Authorization Bearer mySecret\n")
    status, _, errors = lomond(*arguments, cwd=tmp_path)
    assert (status, "mySecret" in errors) == (2, False), errors


@pytest.mark.parametrize("option", ["-H", "--auth"])
def test_a_file_of_headers_that_cannot_be_read(option: str, tmp_path: Path) -> None:
    path = tmp_path / "none"
    status, _, errors = lomond(option, f"@{path}", "ws://h/")
    assert status == 2
    assert f"@{path} can't be read (No such file or directory)" in errors
