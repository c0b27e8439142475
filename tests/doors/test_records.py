"""What is recorded of real connections, in every door, is replayed as it was."""

from __future__ import annotations

import json
import socket
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

from alike import alike
from doors.certified import contexts
from doors.raw_server import echo, frame, raw_server, read_all, read_frame
from doors.ways_to_end import QUIET, WAYS
from lomond import WebSocket
from lomond.persist import persist
from lomond.protocol import frames
from lomond.records import Recorder, read, replay

pytestmark = pytest.mark.every_door

#: What a record does not have: the clock's, and the program's own.
OTHERS = {"poll", "posted"}


def told(event: Any) -> Any:
    """An event as it is when it is handed out."""
    return alike(event, is_over=False)


def replayed(path: Path) -> list[Any]:
    return [told(event) for event in replay(path)]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "record.jsonl"


@pytest.mark.parametrize("name", WAYS)
def test_every_way_to_end_is_replayed(name: str, path: Path) -> None:
    way = WAYS[name]
    seen = []
    with way.running() as (url, port):
        options = {"proxies": {}, **way.options, "record": Recorder(path, secrets=True)}
        for key, proxy in options["proxies"].items():
            options["proxies"] = {key: proxy.replace("PORT", str(port))}
        websocket: Any = WebSocket(url, **options)
        for event in websocket.connect(**{**QUIET, **way.timing}):
            seen.append(told(event))
            if way.user(websocket, event):
                break
        ending = websocket.ending
    assert replayed(path) == seen
    *_, last = read(path)
    assert last.op == "ending"
    assert alike(getattr(last.value, "ending", last.value)) == alike(ending)
    assert {line.connection for line in read(path)} == {last.connection}
    assert [line.line for line in read(path)] == list(range(1, last.line + 1))
    moments = [line.t for line in read(path)]
    assert moments == sorted(moments)
    assert moments[0] == 0.0


@pytest.mark.parametrize("compress", [False, True])
def test_what_is_said_and_heard(path: Path, compress: bool) -> None:
    said = ["hello", "\u20ac" * 100, "", '{"a": 1}', "x" * 300_000]
    seen = []
    with raw_server(echo) as server:
        websocket: Any = WebSocket(server.url, record=path, proxies={}, compress=compress)
        for event in websocket.connect(poll=5):
            if event.name not in OTHERS:
                seen.append(told(event))
            if event.name == "ready":
                for text in said:
                    websocket.send_text(text)
                websocket.send_binary(b"\x00\xff" * 100)
                websocket.send_ping(b"ping")
                websocket.close(4000, "enough")
    assert replayed(path) == seen
    out = [line.value for line in read(path) if (line.direction, line.op) == ("out", "text")]
    assert out == said
    request = next(line for line in read(path) if line.op == "request")
    assert request.value.startswith(b"GET / HTTP")


def test_a_call_is_recorded_as_what_was_said(path: Path) -> None:
    seen = []
    with raw_server(echo) as server:
        websocket: Any = WebSocket(server.url, record=path, proxies={})
        for event in websocket:
            if event.name == "ready":
                websocket.send_text("ask", reply=lambda message: message.text == "ask")
            if event.name == "reply":
                websocket.close()
            elif event.name not in OTHERS:
                seen.append(told(event))
    again = replayed(path)
    texts = [event for event in again if event[0] == "Text"]
    assert texts == [["Text", ["ask"], {}]]
    assert [event for event in again if event not in texts] == seen


def test_what_enter_waits_for_comes_where_it_was_handed_out(path: Path) -> None:
    def enter(ready: Any) -> Generator[Any, Any, None]:
        yield "who"
        answer = yield lambda event: event.name == "text" and event.text == "who"
        assert answer.text == "who"
        yield "next"
        yield lambda event: event.name == "text" and event.text == "next"

    seen = []
    with raw_server(echo) as server:
        websocket: Any = WebSocket(server.url, record=path, proxies={})
        for event in websocket.connect(enter=enter):
            if event.name not in OTHERS:
                seen.append(told(event))
            if event.name == "ready":
                websocket.send_text("other")
            if event.name == "entered":
                websocket.close()
    assert replayed(path) == seen
    assert [event[1] for event in seen if event[0] == "Text"] == [["other"], ["who"], ["next"]]


def serves_three(connection: socket.socket) -> None:
    connection.sendall(frame(frames.TEXT, b"hello"))
    connection.sendall(frame(frames.PING, b"ping"))
    read_frame(connection)


def test_one_connection_after_another(path: Path) -> None:
    seen: list[Any] = []
    with raw_server(serves_three) as server:
        websocket: Any = WebSocket(server.url, record=path, proxies={})
        again = {"min_wait": 0, "max_wait": 0.01, "max_attempts": 3, "poll": None}
        for event in persist(websocket, **again):
            seen.append(told(event))
            if [one[0] for one in seen].count("BackOff") == 2:
                break
    assert replayed(path) == seen
    numbers = [line.connection for line in read(path)]
    assert len(set(numbers)) == 2
    assert numbers == sorted(numbers)
    behind = [one[0] for one in seen].index("BackOff") + 1
    assert [told(event) for event in replay(path, connection=numbers[0])] == seen[:behind]
    assert all(line.recording == "" for line in read(path))


def test_no_secret_is_in_a_record_and_all_is_sent(path: Path) -> None:
    requests: list[bytes] = []

    def serve(connection: socket.socket) -> None:
        head = b""
        while b"\r\n\r\n" not in head:
            head += connection.recv(4096)
        requests.append(head)
        said = head.replace(b"\r\n", b" | ")
        answer = b"HTTP/1.1 403 No\r\nSet-Cookie: sid=s3t-by-them\r\nLocation: /?key=%s\r\n\r\n%s"
        connection.sendall(answer % (said, said))

    secrets = ["t0ken-in-url", "passw0rd-1", "b1scuit-tin", "api-k3y-abc", "s3t-by-them"]
    with raw_server(serve, upgrades=False) as server:
        websocket: Any = WebSocket(
            f"ws://alice:passw0rd-1@127.0.0.1:{server.port}/?token=t0ken-in-url",
            cookies={"a": "b1scuit-tin"},
            headers={"X-Api-Key": "api-k3y-abc"},
            proxies={},
            record=path,
        )
        names = [event.name for event in websocket]
    assert names == ["connecting", "connected", "rejected", "disconnected"]
    assert b"t0ken-in-url" in requests[0]
    assert b"b1scuit-tin" in requests[0]
    text = path.read_text()
    shown = text + str([line.value for line in read(path)]) + str(replayed(path))
    assert [secret for secret in [*secrets, "alice", "YWxpY2U6"] if secret in shown] == []
    hides = {line["op"] for line in map(json.loads, text.splitlines()) if "***" in str(line)}
    assert hides == {"connecting", "request", "connected", "response"}


def test_a_record_that_can_not_be_opened_is_told_by_connect(tmp_path: Path) -> None:
    websocket: Any = WebSocket("ws://127.0.0.1:1/", proxies={}, record=tmp_path / "no" / "where")
    with pytest.raises(FileNotFoundError):
        list(websocket)


@pytest.mark.parametrize("record", [5, b"path", [], object()])
def test_what_is_no_target_is_told_at_once(record: Any) -> None:
    with pytest.raises(TypeError, match="record must be a path, a text file, a callable"):
        WebSocket("ws://127.0.0.1:1/", record=record)


def test_a_failing_callable_does_not_harm_the_connection(caplog: pytest.LogCaptureFixture) -> None:
    lines: list[Any] = []

    def act(line: dict[str, Any]) -> None:
        lines.append(line)
        if line["op"] == "ready":
            raise KeyError("mine")

    with raw_server(echo) as server:
        websocket: Any = WebSocket(server.url, record=act, proxies={})
        names = []
        for event in websocket.connect(poll=None):
            names.append(event.name)
            if event.name == "ready":
                websocket.close()
    assert names == ["connecting", "connected", "ready", "closed", "disconnected"]
    assert [line["op"] for line in lines][-1] == "ready"
    assert "failed, and is told no more" in caplog.text


def test_the_same_options_record_nothing_without_it(tmp_path: Path) -> None:
    with raw_server(read_all) as server:
        websocket: Any = WebSocket(server.url, proxies={})
        assert websocket.record is None
        for event in websocket:
            if event.name == "ready":
                break
    assert list(tmp_path.iterdir()) == []


def test_what_tls_agreed_on_is_told(path: Path) -> None:
    theirs, ours = contexts()
    seen = []
    with raw_server(echo, context=theirs) as server:
        url = server.url.replace("ws://", "wss://")
        websocket: Any = WebSocket(url, record=path, proxies={}, ssl_context=ours)
        for event in websocket.connect(poll=None):
            seen.append(told(event))
            if event.name == "ready":
                websocket.close()
    assert replayed(path) == seen
    (connected,) = (event for event in replay(path) if event.name == "connected")
    assert connected.tls is not None
    assert connected.tls.certificate is not None
    assert connected.tls.certificate["subjectAltName"] == (("IP Address", "127.0.0.1"),)
