"""No secret is in a record, unless that is asked for."""

from __future__ import annotations

import json
from base64 import b64decode
from pathlib import Path
from typing import Any

import pytest

from alike import alike, lines_alike
from lomond import events
from lomond.io.journal import Entry
from lomond.records import Recorder, read, replay
from lomond.response import Response
from told_entries import (
    Told,
    ending,
    lines_of,
    record,
)

# Secrets

SECRET_URL = "wss://alice:s3cr3t-pass@h/x?token=t0ken-of-mine&a=1"
SECRET_HEAD = (
    b"GET /x?token=t0ken-of-mine&a=1 HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer b3arer-thing\r\n"
    b"Cookie: a=c00kie-dough\r\nSec-WebSocket-Protocol: bearer.pr0tocol-token\r\n\r\n"
)
SECRET_ANSWER = Response(
    b"HTTP/1.1 401 No b3arer-thing\r\nSet-Cookie: s=s3t-cookie; Path=/\r\n"
    b"Location: /?token=0ther\r\n\r\n",
    body=b"c00kie-dough and t0ken-of-mine \xff",
)
SECRETS = [
    "alice", "s3cr3t-pass", "t0ken-of-mine", "b3arer-thing", "c00kie-dough", "pr0tocol-token",
    "s3t-cookie", "0ther",
]  # fmt: skip


def secret_entries() -> list[Entry]:
    told = Told(url=SECRET_URL)
    why = ending(
        response=SECRET_ANSWER, hint="it sends on to /?token=0ther", detail="it said t0ken-of-mine",
        cause=OSError(f"no {SECRET_URL}"), reason="b3arer-thing",
    )  # fmt: skip
    return [
        told.event(events.Connecting(SECRET_URL)),
        told.entry("out", "request", SECRET_HEAD),
        told.event(events.Connected(SECRET_URL, "http://alice:s3cr3t-pass@proxy")),
        told.entry("in", "response", SECRET_ANSWER),
        told.event(events.Ready(SECRET_ANSWER, "bearer.pr0tocol-token", set())),
        told.event(events.Rejected(SECRET_ANSWER, "no s3t-cookie", cause=OSError("c00kie-dough"))),
        told.event(events.Disconnected("no b3arer-thing", ending=why)),
        told.event(events.BackOff(1.0, reason="t0ken-of-mine", ending=why)),
    ]


def found_in(lines: list[dict[str, Any]]) -> list[str]:
    """The secrets that stand in lines, also within bytes."""
    text = json.dumps(lines) + "".join(
        line["response"]["b64"] if isinstance(line.get("response"), dict) else line.get("b64", "")
        for line in lines
    )
    return [secret for secret in SECRETS if secret in text]


def test_no_secret_is_in_a_record(tmp_path: Path) -> None:
    lines = lines_of(*secret_entries())
    assert found_in(lines) == []
    path = tmp_path / "record.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    shown = str([[alike(event) for event in replay(path)], lines_alike(read(path))])
    assert [secret for secret in SECRETS if secret in shown] == []
    assert lines[0]["url"] == "wss://***@h/x?token=***&a=1"
    assert lines[1]["head"] == [
        "GET /x?token=***&a=1 HTTP/1.1", "Host: h", "Authorization: ***", "Cookie: ***",
        "Sec-WebSocket-Protocol: bearer.***",
    ]  # fmt: skip
    assert lines[4]["protocol"] == "bearer.***"
    odd = Response(b"HTTP/1.1 401 No\nSet-Cookie: s=s3t-cookie\n\n")
    assert found_in(lines_of(Told().entry("in", "response", odd))) == []


def cut_within(secret: bytes, more: bytes = b"") -> str:
    """What a record has of a body that ends within a secret."""
    told = Told(url=SECRET_URL)
    body = b"at /?token=an0thers&a " + more + b"no " + secret[:8]
    lines = lines_of(
        told.entry("out", "request", SECRET_HEAD),
        told.entry("in", "response", Response(b"HTTP/1.1 401 No\r\n\r\n", body=body)),
    )
    return str(lines[-1].get("text") or b64decode(lines[-1]["b64"]).decode("latin-1"))


@pytest.mark.parametrize(
    "more", [b"", b"\xff ", b"?token=\xc3\xa0-thing ", b"\xff?token=\xc3\xa0-thing "]
)
def test_what_is_left_of_a_secret_at_the_end_of_a_body_is_not_recorded(more: bytes) -> None:
    for secret in (b"b3arer-thing", b"c00kie-dough", b"t0ken-of-mine", b"s3cr3t-pass"):
        shown = cut_within(secret, more)
        assert shown.startswith("at /?token=***&a ")
        assert shown.endswith(" no ***")
        assert "thing" not in shown
    assert cut_within(b"b3arer-other"[:6]).endswith("no ***")
    assert cut_within(b"b3are").endswith("no b3are")


def test_secrets_are_there_for_who_wants_them(tmp_path: Path) -> None:
    path = tmp_path / "record.jsonl"
    entries = secret_entries()
    record(path, *entries, secrets=True)
    assert [alike(event) for event in replay(path)] == [
        alike(entry.value) for entry in entries if entry.direction == "here"
    ]
    assert next(line for line in read(path) if line.op == "request").value == SECRET_HEAD


def test_what_the_program_says_is_redacted_by_the_program() -> None:
    told = Told(url=SECRET_URL)
    said = [
        told.entry("out", "text", '{"auth": "t0ken-of-mine"}'),
        told.entry("in", "binary", b"b3arer-thing"),
        told.entry("in", "ping", b"c00kie-dough"),
    ]
    asked: list[Any] = []

    def redact(message: Any) -> Any:
        asked.append(message)
        return "-" if isinstance(message, str) else b"+"

    lines = lines_of(*said, redact=redact)
    assert [line.get("text", line.get("b64")) for line in lines] == [
        "-",
        "Kw==",
        "YzAwa2llLWRvdWdo",
    ]
    assert asked == ['{"auth": "t0ken-of-mine"}', b"b3arer-thing"]
    assert lines_of(*said)[0]["text"] == '{"auth": "t0ken-of-mine"}'


def test_a_redactor_that_gives_something_else_is_told() -> None:
    told = Told()
    with pytest.raises(TypeError, match="redact must give a str for a str, not NoneType"):
        lines_of(told.entry("in", "text", "a"), redact=lambda message: None)
    with pytest.raises(TypeError, match="redact must be a callable"):
        Recorder([].append, redact="x")  # type: ignore[arg-type]  # that is it
