"""`lomond replay`: the events of a record as lines, and what is no record."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from cli.commanding import COMMAND, completed
from lomond import WebSocket
from lomond.cli import exits, main, replaying
from lomond.testing.echo import EchoServer


@pytest.fixture
def record(tmp_path: Path) -> Path:
    """Of a connection that says something, hears it again, and closes."""
    path = tmp_path / "feed.jsonl"
    with EchoServer() as server:
        websocket = WebSocket(server.url, proxies={}, record=path)
        for event in websocket.connect(poll=None):
            if event.name == "ready":
                websocket.send_text("hel\x1blo")
            elif event.name == "text":
                websocket.close()
    return path


def replayed(capsys: pytest.CaptureFixture[str], *given: str) -> tuple[int, list[str], str]:
    """The status, the lines, and what stands on standard error."""
    status = replaying.run(given)
    said = capsys.readouterr()
    return status, said.out.splitlines(), said.err


def names(lines: list[str]) -> list[str]:
    return [line.split()[2] for line in lines]


EVENTS = ["connecting", "connected", "ready", "text", "closed", "disconnected"]


def test_the_events_as_lines(record: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, lines, errors = replayed(capsys, str(record))
    assert (status, errors) == (exits.DONE, "")
    assert names(lines) == EVENTS
    assert lines[3].endswith("hel\\x1blo")
    at = [json.loads(line)["t"] for line in record.read_text().splitlines() if '"text"' in line]
    assert float(lines[3].split()[0]) == pytest.approx(at[-1], abs=0.001)


def test_as_fast_as_it_was(record: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert names(replayed(capsys, str(record), "--speed", "1.0")[1]) == EVENTS


def test_the_records_own_lines(record: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, lines, _ = replayed(capsys, str(record), "--jsonl")
    known = record.read_text().splitlines()
    assert status == exits.DONE
    assert len(lines) == len(EVENTS)
    assert [line for line in known if line in lines] == lines
    ops = [json.loads(line)["op"] for line in lines]
    assert ops == ["connecting", "connected", "ready", "text", "close", "ending"]


def test_standard_input(
    record: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(record.read_bytes())))
    assert names(replayed(capsys, "-")[1]) == EVENTS


def test_a_record_that_is_cut(record: Path, capsys: pytest.CaptureFixture[str]) -> None:
    record.write_bytes(record.read_bytes().rstrip()[:-20])
    status, lines, errors = replayed(capsys, str(record))
    assert (status, names(lines)) == (exits.DONE, EVENTS[:-1])
    assert errors == f"lomond replay: {record} is cut in its last line, which is left out\n"


def test_a_record_of_a_newer_version(record: Path, capsys: pytest.CaptureFixture[str]) -> None:
    record.write_text(record.read_text().replace('{"v":1', '{"v":99'))
    status, lines, errors = replayed(capsys, str(record))
    assert (status, lines) == (exits.USAGE, [])
    assert f"{record}:1 is of version 99" in errors
    assert errors.count("\n") == 1


def test_what_is_no_record(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("not\na record\n")
    status, lines, errors = replayed(capsys, str(path))
    assert (status, lines) == (exits.USAGE, [])
    assert f"{path}:1 is no line of a record" in errors


@pytest.mark.parametrize("given", [["/nope/feed.jsonl"], ["--speed", "0", "x"], []])
def test_what_can_not_be(given: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["replay", *given])
    assert caught.value.code == exits.USAGE
    errors = capsys.readouterr().err
    assert errors.count("\n") == 1
    assert "Errno" not in errors


def test_whoever_reads_it_may_go(record: Path) -> None:
    record.write_text(record.read_text() * 3000)
    command: Any = [*COMMAND, "replay", str(record)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait(60) == exits.DONE


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no disk that is full")
def test_the_disk_is_full(record: Path) -> None:
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [*COMMAND, "replay", str(record)],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            timeout=60,
            check=False,
        )
    assert done.returncode == exits.OUTPUT
    assert done.stderr.count("\n") == 1
    assert "No space left" in done.stderr


def test_as_a_process(record: Path) -> None:
    done = completed("replay", "-", given=record.read_text())
    assert (done.returncode, done.stderr) == (exits.DONE, "")
    assert names(done.stdout.splitlines()) == EVENTS
