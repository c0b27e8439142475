"""Where a record is written to, and how it is read where it is cut, broken, or newer."""

from __future__ import annotations

import copy
import errno
import io
import json
import logging
import os
import pickle
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from lomond import WebSocket, events, recording
from lomond.ending import Ending
from lomond.io.journal import Entry
from lomond.records import Recorder, read, replay
from lomond.system import appending
from told_entries import (
    Told,
    conversation,
    record,
)

# Files


def test_a_new_file_is_private_and_one_that_is_there_is_appended_to(tmp_path: Path) -> None:
    path = tmp_path / "record.jsonl"
    before = os.umask(0)
    try:
        record(path, Told().entry("in", "text", "a"))
    finally:
        os.umask(before)
    if sys.platform != "win32":
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    record(path, Told(5).entry("in", "text", "b"))
    record(path, Told(5).entry("in", "text", "c"))
    assert [event.text for event in replay(path) if event.name == "text"] == ["a", "b", "c"]
    first, second, third = read(path)
    assert first.recording == ""
    assert len({first.recording, second.recording, third.recording}) == 3
    assert [line.t for line in (first, second, third)] == [0.0, 0.0, 0.0]
    assert [line.line for line in (first, second, third)] == [1, 2, 3]


def test_two_that_record_to_one_path_share_a_clock(tmp_path: Path) -> None:
    path = tmp_path / "record.jsonl"
    one, other = Recorder(str(path)), Recorder(tmp_path / "." / "record.jsonl", secrets=True)
    told = Told()
    one(told.entry("in", "text", "a"))
    other(told.entry("in", "text", "b"))
    assert [(line.t, line.recording) for line in read(path)] == [(0.0, ""), (0.1, "")]


def test_a_record_that_was_moved_away_begins_anew(tmp_path: Path) -> None:
    path = tmp_path / "record.jsonl"
    told = Told()
    kept = recording.recorder(path, None)
    kept(told.entry("in", "text", "a"))
    assert recording.recorder(path, kept) is kept
    path.rename(tmp_path / "older.jsonl")
    again = recording.recorder(path, kept)
    assert again is not kept
    again(told.entry("in", "text", "b"))
    assert [event.name for event in replay(path)] == ["text"]
    path.unlink()
    assert recording.recorder(path, again) is not again
    assert path.exists()


def test_what_is_given_as_record(tmp_path: Path) -> None:
    mine = Recorder(tmp_path / "mine.jsonl")
    assert recording.recorder(mine, None) is mine
    found: list[dict[str, Any]] = []
    act = found.append
    kept = recording.recorder(act, mine)
    assert kept is not mine
    assert recording.recorder(act, kept) is kept


@pytest.mark.parametrize("target", [None, 5, b"path", io.BytesIO()])
def test_targets_that_can_not_be(target: Any) -> None:
    with pytest.raises(TypeError, match=r"a record (needs|is) "):
        Recorder(target)


def test_a_binary_file_is_no_target(tmp_path: Path) -> None:
    with (
        (tmp_path / "x").open("wb", buffering=0) as raw,
        pytest.raises(TypeError, match="its path"),
    ):
        Recorder(raw)  # type: ignore[arg-type]  # that is it


def test_a_path_that_can_not_be_opened_is_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        Recorder(tmp_path / "no" / "where")


def test_a_text_file_is_written_to_and_flushed(tmp_path: Path) -> None:
    path = tmp_path / "record.jsonl"
    told = Told()
    with path.open("w", encoding="utf-16") as file:
        one, other = Recorder(file), Recorder(file)
        one(told.entry("in", "text", "\u20ac"))
        other(told.entry("in", "text", "b"))
        lines = [json.loads(line) for line in path.read_text("utf-16").splitlines()]
    assert [(line["t"], line["text"]) for line in lines] == [(0.0, "\u20ac"), (0.1, "b")]


def test_what_a_terminal_would_obey_is_escaped() -> None:
    file = io.StringIO()
    Recorder(file)(Told().entry("in", "text", "\x1b[2J\x7f\x9b\u202e\r\n"))
    assert file.getvalue().rstrip("\n").isascii()
    assert file.getvalue().rstrip("\n").isprintable()


def test_a_file_that_is_closed_ends_the_record(caplog: pytest.LogCaptureFixture) -> None:
    file = io.StringIO()
    recorder = Recorder(file)
    file.close()
    told = Told()
    with caplog.at_level(logging.INFO):
        recorder(told.entry("in", "text", "a"))
        recorder(told.entry("in", "text", "b"))
    assert [one.name for one in caplog.records] == ["lomond.records"]
    assert "can't be written any more, and the record ends there: I/O operation" in caplog.text


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_a_full_disk_ends_the_record(caplog: pytest.LogCaptureFixture) -> None:
    recorder = recording.recorder("/dev/full", None)
    told = Told()
    with caplog.at_level(logging.INFO):
        recorder(told.entry("in", "text", "a"))
        recorder(told.entry("in", "text", "b"))
    assert len(caplog.records) == 1
    assert "Recorder('/dev/full') can't be written any more" in caplog.text
    assert recording.recorder("/dev/full", recorder) is not recorder


def test_a_text_file_that_failed_is_tried_again_by_another_recorder(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    file, told = io.StringIO(), Told()
    first = Recorder(file)
    first(told.entry("in", "text", "a"))
    with monkeypatch.context() as patched:
        patched.setattr(file, "flush", lambda: os.close(-1))
        first(told.entry("in", "text", "b"))
    first(told.entry("in", "text", "c"))
    assert not first.is_for(file)
    Recorder(file)(told.entry("in", "text", "d"))
    texts = [json.loads(line)["text"] for line in file.getvalue().splitlines()]
    assert texts == ["a", "b", "d"]


def test_what_a_callable_raises_is_its_own_matter() -> None:
    def act(line: dict[str, Any]) -> None:
        raise OSError("mine")

    with pytest.raises(OSError, match="mine"):
        Recorder(act)(Told().entry("in", "text", "a"))


FORKS = """
import os, sys
from told_entries import Told, record
from pathlib import Path

told = Told()
path = Path(sys.argv[1])
target = path.open("w") if "as text" in sys.argv else path
recorder = record(target, told.entry("in", "text", "parent"))
child = os.fork()
if not child:
    recorder(told.entry("in", "text", "child"))
    os._exit(0)
os.waitpid(child, 0)
recorder(told.entry("in", "text", "parent again"))
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
@pytest.mark.parametrize("how", ["as path", "as text"])
def test_a_forked_child_has_a_recording_of_its_own(tmp_path: Path, how: str) -> None:
    path = tmp_path / "record.jsonl"
    environ = {**os.environ, "PYTHONPATH": str(Path(__file__).parent)}
    subprocess.run([sys.executable, "-c", FORKS, str(path), how], check=True, env=environ)
    first, second, third = read(path)
    assert [line.value for line in (first, second, third)] == ["parent", "child", "parent again"]
    assert (first.recording, third.recording, third.t) == ("", "", 0.1)
    assert (second.t, len(second.recording)) == (0.0, 8)


def test_a_write_that_was_cut_ends_the_record(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "record.jsonl"
    told = Told()
    recorder = record(path, told.entry("in", "text", "a"))
    write, left = os.write, [50, 20]

    def write_some(file: int, data: bytes) -> int:
        if not left:
            raise OSError(errno.ENOSPC, "No space left on device")
        return write(file, data[: left.pop(0)])

    monkeypatch.setattr(appending.os, "write", write_some)
    recorder(told.entry("in", "text", "b"))
    monkeypatch.undo()
    recorder(told.entry("in", "text", "c"))
    assert "the record ends there: [Errno 28] No space left on device" in caplog.text
    assert [line.value for line in read(path)] == ["a"]
    record(path, told.entry("in", "text", "d"))  # there is room again
    assert [line.value for line in read(path)] == ["a", "d"]


def test_a_write_that_the_system_takes_in_parts_is_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "record.jsonl"
    write = os.write
    monkeypatch.setattr(appending.os, "write", lambda file, data: write(file, data[:7]))
    record(path, Told().entry("in", "text", "a"))
    assert [line.value for line in read(path)] == ["a"]


def test_a_write_that_was_interrupted_harms_no_other_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "record.jsonl"
    told = Told()
    recorder = record(path, told.entry("in", "text", "a"))
    write = os.write

    def is_interrupted(file: int, data: bytes) -> int:
        write(file, data)
        raise KeyboardInterrupt

    monkeypatch.setattr(appending.os, "write", is_interrupted)
    with pytest.raises(KeyboardInterrupt):
        recorder(told.entry("in", "text", "b"))
    monkeypatch.undo()
    recorder(told.entry("in", "text", "c"))
    assert [line.value for line in read(path)] == ["a", "b", "c"]


def test_copies_write_to_the_same(tmp_path: Path) -> None:
    path = tmp_path / "record.jsonl"
    told = Told()
    recorder = Recorder(path, secrets=True, redact=repr)
    recorder(told.entry("in", "text", "a"))
    for again in (
        copy.copy(recorder),
        copy.deepcopy(recorder),
        pickle.loads(pickle.dumps(recorder)),  # it is ours
    ):
        again(told.entry("in", "text", "b"))
    websocket = copy.deepcopy(WebSocket("ws://h/", record=recorder))
    assert websocket.record is recorder
    assert [line.value for line in read(path)] == ["'a'", "'b'", "'b'", "'b'"]
    assert {line.recording for line in read(path)} == {""}


# What was cut, or is none


def written(path: Path, *entries: Entry) -> bytes:
    record(path, *entries)
    return path.read_bytes()


def test_a_record_that_is_cut_anywhere_is_read_up_to_there(tmp_path: Path) -> None:
    whole = written(tmp_path / "whole.jsonl", *conversation(Told())[8:15])
    path = tmp_path / "cut.jsonl"
    ends = [place + 1 for place, byte in enumerate(whole) if byte == ord("\n")]
    for length in range(len(whole) + 1):
        path.write_bytes(whole[:length])
        # The last line is whole before its end is there.
        assert len(list(read(path))) == sum(length >= end - 1 for end in ends)


def test_what_is_appended_to_a_cut_record_begins_a_line(tmp_path: Path) -> None:
    path = tmp_path / "record.jsonl"
    whole = written(path, *(Told().entry("in", "text", text) for text in "ab"))
    path.write_bytes(whole[:-10])
    record(path, *(Told().entry("in", "text", text) for text in "cd"))
    assert [line.value for line in read(path)] == ["a", "c", "d"]
    assert len(path.read_bytes().splitlines()) == 4


@pytest.mark.parametrize(
    ("broken", "said"),
    [
        (b"{}", "it has no 'v'"),
        (b'{"v":"1"}', "version is '1'"),
        (b'{"v":0}', "version is 0"),
        (b'{"v":true}', "version is True"),
        (b'{"v":1}', "it has no 'c'"),
        (b'{"v":1,"c":1,"t":0,"wall":0,"dir":"in","op":"text"}', "it has no 'text'"),
        (b'{"v":1,"c":1,"t":0,"wall":0,"dir":"in","op":"text","text":5}', "text is none"),
        (b'{"v":1,"c":1,"t":0,"wall":0,"dir":"in","op":"ping","b64":"?"}', ""),
        (b'{"v":1,"c":1,"t":null,"wall":0,"dir":"in","op":"text","text":""}', ""),
        (b'{"v":1,"c":[],"t":0,"wall":0,"dir":"in","op":"text","text":""}', ""),
        (b'{"v":1,"c":1,"t":0,"wall":0,"dir":"here","op":"ready","extensions":5}', ""),
        (b'{"v":1,"c":1,"t":0,"wall":0,"dir":"here","op":"ending","event":5}', ""),
        (b"[" * 100_000, ""),
        (b"5", "no object"),
        (b'{"v":1,"c"', ""),
        (b"\xff", ""),
    ],
)
def test_a_broken_line_is_named(tmp_path: Path, broken: bytes, said: str) -> None:
    path = tmp_path / "record.jsonl"
    line = written(path, Told().entry("in", "text", "a"))
    for data in (line + b"\n" + broken + b"\n" + line, line + b"\n" + broken + b"\n"):
        path.write_bytes(data)
        found = replay(path)
        assert next(found).name == "text"
        with pytest.raises(ValueError, match=rf"record\.jsonl:3 is no line of a record: .*{said}"):
            next(found)


def test_the_first_of_two_broken_lines_is_named(tmp_path: Path) -> None:
    path = tmp_path / "record.jsonl"
    path.write_bytes(b"{\n{\n{")
    with pytest.raises(ValueError, match=r"record\.jsonl:1 is no line"):
        list(read(path))


def test_a_newer_version_is_refused_with_what_to_do(tmp_path: Path) -> None:
    path = tmp_path / "record.jsonl"
    path.write_text('{"v":2,"new":"things"}\n')
    with pytest.raises(ValueError, match=r"record\.jsonl:1 is of version 2 .* version 1: read it"):
        list(replay(path))


def test_what_is_not_known_yet_is_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "record.jsonl"
    base = '{"v":1,"c":1,"t":0,"wall":0,'
    path.write_text(
        f'{base}"dir":"in","op":"datagram","x":1}}\n'
        f'{base}"dir":"here","op":"moved","x":1}}\n'
        f'{base}"dir":"in","op":"text","text":"a","x":1}}\n'
        f'{base}"dir":"here","op":"connecting","url":null,"x":1}}\n'
    )
    assert [event.name for event in replay(path)] == ["text", "connecting"]
    assert [line.op for line in read(path)] == ["datagram", "moved", "text", "connecting"]
    assert next(read(path)).value["x"] == 1


def test_what_an_older_lomond_did_not_say_is_as_if_it_was_none(tmp_path: Path) -> None:
    path = tmp_path / "record.jsonl"
    base = '{"v":1,"c":1,"t":0,"wall":0,"dir":"here",'
    path.write_text(
        f'{base}"op":"ending","kind":"lost","event":{{"name":"disconnected","reason":"gone",'
        '"graceful":false,"unconfirmed":0}}\n'
        f'{base}"op":"ready","protocol":null,"extensions":[],"number":1,"response":"above"}}\n'
    )
    disconnected, ready = replay(path)
    assert isinstance(disconnected, events.Disconnected)
    assert disconnected.ending == Ending("lost")
    assert isinstance(ready, events.Ready)
    assert ready.response.raw == b""
