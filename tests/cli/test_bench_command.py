"""`lomond bench`: what it measures, what failed, and its exit status."""

from __future__ import annotations

import contextlib
import json
import re
import signal
import sys
from typing import Any

import pytest

from cli.commanding import end_of, started
from doors.raw_server import refusing_port
from lomond.cli import bench, exits, main
from lomond.testing import Conversation, Server, Turns, serve
from lomond.testing.echo import EchoServer


def measured(capsys: pytest.CaptureFixture[str], *given: str) -> tuple[int, str, str]:
    """The status, what was written, and what stands on standard error."""
    status = bench.run([*given, "--no-proxy"])
    said = capsys.readouterr()
    return status, said.out, said.err


def as_json(capsys: pytest.CaptureFixture[str], *given: str) -> tuple[int, Any, str]:
    status, out, errors = measured(capsys, *given, "--jsonl")
    return status, json.loads(out), errors


def test_what_is_measured(capsys: pytest.CaptureFixture[str]) -> None:
    with EchoServer() as server:
        given = ["-c", "5", "-n", "203", "--size", "300", server.url]
        status, found, errors = as_json(capsys, *given)
        assert server.close_codes == [1000] * 5
    assert (status, errors) == (exits.DONE, "")
    assert (found["openings"]["count"], found["echoes"]["count"]) == (5, 203)
    assert found["errors"] == []
    for times in (found["openings"], found["echoes"]):
        assert 0 < times["p50"] <= times["p90"] <= times["p99"] < found["seconds"]
    assert found["echoes"]["per_second"] >= 203 / found["seconds"]
    assert found["core"] > 0


def test_a_time_that_is_longer_than_a_poll_can_be(capsys: pytest.CaptureFixture[str]) -> None:
    with EchoServer() as server:
        given = ["-c", "1", "-n", "1", "--timeout", "1e9", server.url]
        status, found, _ = as_json(capsys, *given)
    assert (status, found["echoes"]["count"]) == (exits.DONE, 1)


def test_in_lines(capsys: pytest.CaptureFixture[str]) -> None:
    with EchoServer() as server:
        status, out, errors = measured(capsys, "-c", "2", "-n", "10", "--binary", server.url)
    assert (status, errors) == (exits.DONE, "")
    times = r"p50 \S+ ms   p90 \S+ ms   p99 \S+ ms"
    openings, echoes, end = out.splitlines()
    assert re.fullmatch(rf"openings +2   {times}", openings)
    assert re.fullmatch(rf"echoes +10   {times}   \d+ per second", echoes)
    assert re.fullmatch(r"in \S+ s; this client took \d+% of a core", end)


def test_each_has_the_size_that_is_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    def echoes(peer: Conversation) -> Turns:
        for _ in range(3):
            heard = yield peer.hear(within=10)
            yield peer.say("something else")  # is no echo
            yield peer.say(heard.value)
        yield from peer.hear_close()

    with serve(echoes) as served:
        given = ["-c", "1", "-n", "3", "--size", "1K", served.url]
        status, found, _ = as_json(capsys, *given)
        assert served.heard == ["x" * 1024] * 3
    assert (status, found["echoes"]["count"]) == (exits.DONE, 3)


def test_errors_by_their_endings(capsys: pytest.CaptureFixture[str]) -> None:
    servers = Server().refuses(503), Server().echoes(), Server().refuses(503)
    with serve(*servers) as served:
        status, found, errors = as_json(capsys, "-c", "3", "-n", "20", served.url)
    assert (status, errors) == (exits.REFUSED, "")
    assert (found["openings"]["count"], found["echoes"]["count"]) == (1, 20)
    (error,) = found["errors"]
    assert (error["kind"], error["count"]) == ("rejected", 2)
    assert "503" in error["first"]


def test_a_server_that_closes_early(capsys: pytest.CaptureFixture[str]) -> None:
    with serve(Server().hears("x").says("x").closes(1000)) as served:
        status, out, _ = measured(capsys, "-c", "1", "-n", "5", "--size", "1", served.url)
    assert status == exits.CLOSED
    assert re.search(r"^closed +1   the server closed", out, re.MULTILINE)


def test_nobody_is_there(capsys: pytest.CaptureFixture[str]) -> None:
    url = f"ws://127.0.0.1:{refusing_port()}/"
    status, out, _ = measured(capsys, "-c", "2", url)
    assert status == exits.UNREACHABLE
    lines = out.splitlines()
    assert [line.split()[:2] for line in lines[:2]] == [["openings", "0"], ["echoes", "0"]]
    assert re.match(r"unreachable +2   .*Connection refused", lines[2])


def test_timeout(capsys: pytest.CaptureFixture[str]) -> None:
    with EchoServer() as server:
        given = ["-c", "1", "-n", "100000000", "--timeout", "0.5", server.url]
        status, found, errors = as_json(capsys, *given)
    assert status == exits.TIMED_OUT
    assert found["echoes"]["count"] > 0
    assert "--timeout" in errors


def test_a_server_that_does_not_echo(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def hears(peer: Conversation) -> Turns:
        yield peer.hear()
        yield from peer.hear_close()

    monkeypatch.setattr(bench, "_SILENCE", 0.3)  # or it takes half a minute
    with serve(hears) as served:
        status, _, errors = measured(capsys, "-c", "1", served.url)
        assert status == exits.LOST
        assert "no echo came for 0.3 s" in errors


@pytest.mark.parametrize("given", [["-c", "0"], ["-n", "x"], ["--size", "none"], []])
def test_what_can_not_be(given: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    url = ["ws://127.0.0.1/"] if given else []
    with pytest.raises(SystemExit) as caught:
        bench.run([*given, *url])
    assert caught.value.code == exits.USAGE
    assert capsys.readouterr().err.count("\n") == 1


def test_the_bar_of_a_terminal(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    bar = bench._Bar(40)  # noqa: SLF001  # a terminal would be needed else
    bar.show(10, 2)
    bar.clear()
    shown = capsys.readouterr().err
    line = f"[{'#' * 7}{'.' * 23}] 10/40 echoes, 2 opened"
    assert shown == f"\r{line}\r{' ' * len(line)}\r"


@pytest.mark.skipif(sys.platform == "win32", reason="no such signals there")
@pytest.mark.parametrize(
    ("number", "expected"),
    [(signal.SIGINT, exits.INTERRUPTED), (signal.SIGTERM, exits.TERMINATED)],
)
def test_a_signal_ends_it_with_what_was_measured(number: signal.Signals, expected: int) -> None:
    def echoes(peer: Conversation) -> Turns:
        heard = yield peer.hear()
        yield peer.say(heard.value)
        process.send_signal(number)
        with contextlib.suppress(AssertionError):  # where it has gone
            while True:
                heard = yield peer.hear()
                yield peer.say(heard.value)

    with serve(echoes) as served:
        given = ["bench", "-c", "1", "-n", "100000000", served.url, "--no-proxy"]
        with started(*given) as process:
            status, out, errors = end_of(process)
    assert (status, errors) == (expected, "")
    assert out.splitlines()[-1].startswith("in ")


@pytest.mark.parametrize("size", ["none", "2G", "9999999G"])
def test_a_size_that_can_not_be(size: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["bench", "ws://h/", "--size", size])
    assert caught.value.code == exits.USAGE
    assert "1G at the most" in capsys.readouterr().err
