"""`lomond ping`: its lines, its summary, what counts as lost, and its exit status."""

from __future__ import annotations

import json
import re
import signal
import sys

import pytest

from cli.commanding import end_of, line_of, started
from doors.raw_server import refusing_port
from lomond.cli import exits, ping
from lomond.testing import Conversation, Server, Turns, serve
from lomond.testing.echo import EchoServer


def deaf(peer: Conversation) -> Turns:
    yield peer.ignore_pings()
    yield from peer.hear_close()


def pinged(capsys: pytest.CaptureFixture[str], *given: str) -> tuple[int, list[str], str]:
    """The status, the lines, and what stands on standard error."""
    status = ping.run([*given, "--no-proxy"])
    said = capsys.readouterr()
    return status, said.out.splitlines(), said.err


def test_a_line_for_each_answer_and_a_summary(capsys: pytest.CaptureFixture[str]) -> None:
    with EchoServer() as server:
        status, lines, errors = pinged(capsys, "-c", "3", "-i", "0.01", server.url)
        assert server.close_codes == [1000]
    assert (status, errors) == (exits.DONE, "")
    numbers = [re.fullmatch(r"seq=(\d) time=[\d.]+ ms", line) for line in lines[:3]]
    assert [found[1] for found in numbers if found] == ["1", "2", "3"]
    assert lines[3] == "3 transmitted, 3 received, 0% loss"
    assert re.fullmatch(r"min/avg/max/p99 = [\d.]+(/[\d.]+){3} ms", lines[4])
    assert len(lines) == 5


def test_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    with EchoServer() as server:
        status, lines, _ = pinged(capsys, "-c", "2", "-i", "0.01", "--jsonl", server.url)
    first, second, summary = map(json.loads, lines)
    assert status == exits.DONE
    assert (first["seq"], second["seq"]) == (1, 2)
    assert summary.pop("avg") == pytest.approx((first["seconds"] + second["seconds"]) / 2)
    longest = max(first["seconds"], second["seconds"])
    assert summary == {
        "transmitted": 2,
        "received": 2,
        "loss": 0.0,
        "min": min(first["seconds"], second["seconds"]),
        "max": longest,
        "p99": longest,
    }


def test_pings_that_nobody_answers(capsys: pytest.CaptureFixture[str]) -> None:
    with serve(deaf) as served:
        given = ["-c", "2", "-i", "0.01", "-W", "0.1", served.url]
        status, lines, errors = pinged(capsys, *given)
    assert status == exits.LOST
    assert lines == [
        "seq=1 no answer within 0.1 s",
        "seq=2 no answer within 0.1 s",
        "2 transmitted, 0 received, 100% loss",
    ]
    assert "no ping was answered" in errors


def test_messages_and_strange_pongs_are_ignored(capsys: pytest.CaptureFixture[str]) -> None:
    def chats(peer: Conversation) -> Turns:
        yield peer.garbage(b"\x81\x05hello\x8a\x01x")  # a text, and a pong to nothing, at once
        yield from peer.hear_close()

    with serve(chats) as served:
        status, lines, errors = pinged(capsys, "-c", "1", served.url)
    assert (status, len(lines), errors) == (exits.DONE, 3, "")


def test_the_connection_is_lost(capsys: pytest.CaptureFixture[str]) -> None:
    with serve(Server().after(0.05).cuts()) as served:
        status, lines, errors = pinged(capsys, served.url)
    assert status == exits.LOST
    assert lines[-2] == "1 transmitted, 1 received, 0% loss"
    assert "the connection was lost" in errors
    assert errors.count("\n") == 1


def test_it_is_closed_with_another_code(capsys: pytest.CaptureFixture[str]) -> None:
    with serve(Server().after(0.05).closes(1011)) as served:
        status, _, errors = pinged(capsys, served.url)
    assert status == exits.CLOSED
    assert "1011" in errors


def test_nobody_is_there(capsys: pytest.CaptureFixture[str]) -> None:
    status, lines, errors = pinged(capsys, f"ws://127.0.0.1:{refusing_port()}/")
    assert (status, lines) == (exits.UNREACHABLE, [])
    assert "Connection refused" in errors


def test_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with serve(Server().refuses(403, body="no")) as served:
        status, lines, errors = pinged(capsys, served.url)
    assert (status, lines) == (exits.REFUSED, [])
    assert "403" in errors


def test_timeout(capsys: pytest.CaptureFixture[str]) -> None:
    with EchoServer() as server:
        status, lines, _ = pinged(capsys, "-i", "0.05", "--timeout", "3", server.url)
    assert status == exits.TIMED_OUT
    assert "0% loss" in lines[-2]


def test_timeout_before_it_is_ready(capsys: pytest.CaptureFixture[str]) -> None:
    def silent(peer: Conversation) -> Turns:
        yield peer.never_answer()

    with serve(silent) as served:
        status, lines, errors = pinged(capsys, "--timeout", "0.1", served.url)
    assert (status, lines) == (exits.TIMED_OUT, [])
    assert "--timeout" in errors
    assert "open_timeout" not in errors


@pytest.mark.parametrize("given", [["-c", "0"], ["-i", "0"], ["-W", "x"], []])
def test_what_can_not_be(given: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    url = ["ws://127.0.0.1/"] if given else []
    with pytest.raises(SystemExit) as caught:
        ping.run([*given, *url])
    assert caught.value.code == exits.USAGE
    assert capsys.readouterr().err.count("\n") == 1


@pytest.mark.skipif(sys.platform == "win32", reason="no such signals there")
@pytest.mark.parametrize(
    ("number", "expected"),
    [(signal.SIGINT, exits.INTERRUPTED), (signal.SIGTERM, exits.TERMINATED)],
)
def test_a_signal_ends_it_with_the_summary(number: signal.Signals, expected: int) -> None:
    with EchoServer() as server:
        with started("ping", "-i", "0.05", server.url, "--no-proxy") as process:
            assert line_of(process).startswith("seq=1 ")
            process.send_signal(number)
            status, out, errors = end_of(process)
        assert server.close_codes == [1000]
    assert (status, errors) == (expected, "")
    assert out.splitlines()[-2].endswith("0% loss")


@pytest.mark.skipif(sys.platform == "win32", reason="no such signals there")
def test_ctrl_c_before_it_is_ready() -> None:
    def silent(peer: Conversation) -> Turns:
        process.send_signal(signal.SIGINT)
        yield peer.never_answer()

    with serve(silent) as served, started("ping", served.url, "--no-proxy") as process:
        assert end_of(process) == (exits.INTERRUPTED, "", "")


# What it counts


def test_the_tally_of_lost_and_late_ones() -> None:
    tally = ping.Tally(within=1.0)
    first, second, third = (tally.next(now) for now in (0.0, 0.5, 1.0))
    assert tally.answered(second, 0.75) == (2, 0.25)
    assert tally.answered(second, 0.76) is None  # twice
    assert tally.lost(0.99) == []
    assert tally.lost(1.0) == [1]
    assert tally.lost(1.5) == []
    assert tally.answered(first, 1.6) is None  # too late
    assert tally.is_waiting
    assert tally.answered(third, 1.75) == (3, 0.75)
    assert not tally.is_waiting
    found = tally.summary()
    assert found.pop("loss") == pytest.approx(1 / 3)
    assert found == {
        "transmitted": 3, "received": 2, "min": 0.25, "avg": 0.5, "max": 0.75, "p99": 0.75
    }  # fmt: skip


def test_the_tally_of_nothing() -> None:
    found = ping.Tally(1.0).summary()
    assert found == {
        "transmitted": 0, "received": 0, "loss": 0.0, "min": None, "avg": None, "max": None,
        "p99": None,
    }  # fmt: skip


def test_a_quantile_is_the_smallest_that_reaches_its_share() -> None:
    ordered = [float(n) for n in range(1, 201)]
    assert ping.quantile(ordered, 0) == 1
    assert ping.quantile(ordered, 0.5) == 100
    assert ping.quantile(ordered, 0.99) == 198
    assert ping.quantile(ordered, 1) == 200
    assert ping.quantile([], 0.5) is None
