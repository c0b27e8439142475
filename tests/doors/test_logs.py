"""What the log says of connections that work, are refused, fail in TLS, are lost; logs.txt has it.

Written anew by ``python tests/doors/test_logs.py``, from `tests/`, with `LOMOND_PURE=1` or without.
"""

from __future__ import annotations

import io
import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from doors.certified import contexts
from doors.raw_server import raw_server
from lomond import WebSocket
from lomond.persist import persist
from lomond.protocol import frames
from lomond.testing.peer import End, Peer, Say, Talk, say
from lomond.testing.server import PeerServer

GOLDEN = Path(__file__).parent / "logs.txt"
LEVELS = {"INFO": logging.INFO, "DEBUG": logging.DEBUG}
QUIET: dict[str, Any] = {"poll": None, "ping_rate": 0}
SECRETS = "/feed?token=hunter2secret&symbol=btc"
#: What varies: numbers of connections, keys, ports, our version, how long it took.
VARIES = [
    (r"\[\d+\]", "[N]"),
    (r"127\.0\.0\.1:\d+", "127.0.0.1:PORT"),
    (r"(Key|Accept): \S+", r"\1: KEY"),
    (r"Lomond/\S+ \S+", "Lomond/VERSION PYTHON"),
    (r"\bin [\d.e-]+ (m?s)\b", r"in N \1"),
    (r"after [\d.e-]+ s\b", "after N s"),
    (r"Testing (cert|CA) #\S+, O=trustme v[\d.]+", r"Testing \1"),
]


def works(peer: Peer) -> Talk:
    yield from peer.upgrade(b"Set-Cookie: sid=hunter2secret\r\n")
    yield say(frames.PING, b"ping")
    yield from peer.hear_until(frames.TEXT)
    yield say(frames.TEXT, "never shown, é".encode())
    yield from peer.hear_until(frames.CLOSE)
    yield say(frames.CLOSE, b"goodbye", code=1000)
    yield from peer.hear_end()


def refuses(peer: Peer) -> Talk:
    yield from peer.read_request()
    yield Say(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 30\r\n\r\nthe token hunter2secret is old")


def is_lost(peer: Peer) -> Talk:
    yield from peer.upgrade()
    yield say(frames.TEXT, b"never shown")
    yield End(resets=True)


@contextmanager
def logged(level: int) -> Iterator[list[str]]:
    """The lines of the log, without what varies."""
    lines: list[str] = []
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(logging.Formatter("%(levelname)s %(name)s: %(message)s"))
    log = logging.getLogger("lomond")
    before = log.level
    log.addHandler(handler)
    log.setLevel(level)
    try:
        yield lines
    finally:
        log.removeHandler(handler)
        log.setLevel(before)
        said = stream.getvalue()
        for pattern, stands in VARIES:
            said = re.sub(pattern, stands, said)
        lines += said.splitlines()


def refuses_as_proxy(peer: Peer) -> Talk:
    yield from peer.read_request()
    (said,) = re.findall(rb"Proxy-Authorization: Basic (\S+)", peer.request)
    yield Say(b"HTTP/1.1 407 No %s\r\n\r\nnot %s, which is hunter2secret" % (said, said))


@contextmanager
def level_of(name: str, level: int) -> Iterator[None]:
    log = logging.getLogger(name)
    before = log.level
    log.setLevel(level)
    try:
        yield
    finally:
        log.setLevel(before)


def iterates(websocket: Any) -> None:
    for event in websocket.connect(**QUIET):
        if event.name == "ready":
            websocket.send_text("never shown")
        elif event.name == "text":
            websocket.close()


def one_that_works() -> None:
    with PeerServer(works) as server:
        headers = {"Authorization": "Bearer hunter2secret", "Cookie": "sid=hunter2secret"}
        iterates(WebSocket(server.url[:-1] + SECRETS, headers=headers))


def one_that_is_refused() -> None:
    with PeerServer(refuses) as server:
        iterates(WebSocket(server.url[:-1] + SECRETS))


def one_that_fails_in_tls() -> None:
    with raw_server(lambda connection: None, context=contexts()[0]) as server:
        iterates(WebSocket(server.url))


def one_that_is_lost() -> None:
    with PeerServer(is_lost) as server:
        for _ in WebSocket(server.url).connect(**QUIET):
            pass


def two_that_are_refused() -> None:
    websocket = WebSocket("ws://user:hunter2secret@127.0.0.1:1/")
    for _ in persist(websocket, min_wait=0.01, max_wait=0.01, max_attempts=2):
        pass


CASES = {
    "a connection that works": one_that_works,
    "one that is refused": one_that_is_refused,
    "one that fails in TLS": one_that_fails_in_tls,
    "one that is lost": one_that_is_lost,
    "persist, whose attempts fail": two_that_are_refused,
}


def shown(name: str, level: str) -> str:
    with logged(LEVELS[level]) as lines:
        CASES[name]()
    return "\n".join(lines)


def golden() -> dict[tuple[str, str], str]:
    parts = GOLDEN.read_text().strip().split("\n\n")
    found: dict[tuple[str, str], str] = {}
    for part in parts:
        title, _, lines = part.partition("\n")
        name, _, level = title.removesuffix(":").rpartition(", at ")
        found[name, level] = lines
    return found


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("name", CASES)
def test_what_is_said(name: str, level: str) -> None:
    assert shown(name, level) == golden()[name, level]


def test_the_file_has_no_other_and_no_secret() -> None:
    assert list(golden()) == [(name, level) for name in CASES for level in LEVELS]
    assert "hunter2" not in GOLDEN.read_text()
    assert "never shown" not in GOLDEN.read_text()


@pytest.mark.every_door
def test_every_door_says_how_it_begins_and_ends() -> None:
    with PeerServer(works) as server, logged(logging.INFO) as lines:
        iterates(WebSocket(server.url))
    assert [line.split(": ", 1)[0] for line in lines] == ["INFO lomond.connection"] * 2
    assert " ready: 127.0.0.1:PORT, in N ms" in lines[0]
    assert " ended: this program closed the connection with 1000 'goodbye'" in lines[1]


@pytest.mark.every_door
def test_a_wait_is_told_without_what_the_server_repeats() -> None:
    secrets = {"Authorization": "Bearer hunter2secret", "X-Key": "hunter3secret"}

    def repeats(peer: Peer) -> Talk:
        yield from peer.read_request()
        said = b"HTTP/1.1 403 No\r\nSet-Cookie: sid=hunter4secret\r\n\r\n"
        yield Say(said + b"not hunter2secret, hunter3secret or hunter4secret")

    with PeerServer(repeats) as server, logged(logging.INFO) as lines:
        websocket = WebSocket(server.url, headers=secrets)
        for _ in persist(websocket, min_wait=0.01, max_wait=0.01, max_attempts=2):
            pass
    assert [line.split()[1] for line in lines] == [
        "lomond.connection:", "lomond.reconnect:", "lomond.connection:",
    ]  # fmt: skip
    assert [line for line in lines if "not ***, *** or ***" not in line] == []


@pytest.mark.every_door
def test_what_a_proxy_repeats_is_in_no_line() -> None:
    recorded: list[Any] = []
    with PeerServer(refuses_as_proxy) as server, logged(logging.DEBUG) as lines:
        proxy = server.url.replace("ws://", "http://me:hunter2secret@")
        websocket = WebSocket(
            "ws://nobody.invalid/", proxies={"http": proxy}, record=recorded.append
        )
        iterates(websocket)
    assert recorded[-1]["response"]["text"] == "not ***, which is ***"
    assert "407 No ***" in lines[-1]
    assert [line for line in (*lines, str(recorded)) if re.search("hunter2|bWU6aHVu", line)] == []


def test_a_trace_that_is_logged_has_no_secret() -> None:
    with PeerServer(is_lost) as server, logged(logging.DEBUG) as lines:
        for _ in WebSocket(server.url[:-1] + SECRETS, trace=True).connect(**QUIET):
            pass
    traced = [line for line in lines if "TRACE" in line]
    assert [line for line in traced if "PORT/feed?token=***&symbol=btc'" not in line] == []
    assert len(traced) > 3


@pytest.mark.every_door
@pytest.mark.parametrize("refused", [False, True])
def test_a_trace_has_no_secret_that_the_server_repeats(refused: bool) -> None:
    def repeats(peer: Peer) -> Talk:
        if refused:
            yield from peer.read_request()
            yield Say(b"HTTP/1.1 403 not hunter2secret\r\n\r\nnor hunter3secret")
            return
        yield from peer.upgrade()
        yield say(frames.CLOSE, b"not hunter2secret or hunter3secret", code=4000)
        yield from peer.hear_end()

    traced: list[dict[str, Any]] = []
    headers = {"Authorization": "Bearer hunter3secret"}
    with PeerServer(repeats) as server:
        websocket = WebSocket(server.url[:-1] + SECRETS, trace=traced.append, headers=headers)
        for _ in websocket.connect(**QUIET):
            pass
    (told,) = [each for each in traced if "reason" in each]
    assert told["reason"] == ("not *** or ***" if not refused else told["reason"])
    assert "hunter" not in str(traced)


def test_who_listens_to_waits_alone_has_them_with_numbers() -> None:
    with logged(logging.WARNING) as lines, level_of("lomond.reconnect", logging.INFO):
        two_that_are_refused()
    (line,) = lines
    assert line.startswith("INFO lomond.reconnect: [N] ws://***@127.0.0.1:PORT/ connects again")


@pytest.mark.parametrize("records", [False, True])
def test_who_listens_since_the_connection_began_is_told_of_the_wait(records: bool) -> None:
    recorded: list[Any] = []
    record = recorded.append if records else None
    with PeerServer(refuses) as server, logged(logging.WARNING) as lines:
        websocket = WebSocket(server.url, headers={"X-Key": "hunter2secret"}, record=record)
        for event in persist(websocket, min_wait=0.01, max_wait=0.01, max_attempts=2):
            if event.name == "disconnected":
                logging.getLogger("lomond").setLevel(logging.INFO)
            elif event.name == "back_off":
                break
    (line,) = lines
    assert line.startswith("INFO lomond.reconnect: [N] ws://127.0.0.1:PORT/ connects again in")
    assert "hunter2" not in line
    assert [line["op"] for line in recorded].count("back_off") == records


class Fails(logging.Handler):
    """A handler that raises, instead of telling of that as handlers should."""

    def emit(self, record: logging.LogRecord) -> None:
        raise RuntimeError("nowhere to log to")


@pytest.mark.every_door
@pytest.mark.parametrize("trace", [None, True])
def test_a_handler_that_raises_harms_no_connection(trace: Any) -> None:
    log, handler = logging.getLogger("lomond"), Fails()
    names = []
    with PeerServer(works) as server, level_of("lomond", logging.DEBUG):
        log.addHandler(handler)
        try:
            websocket = WebSocket(server.url, trace=trace)
            for event in websocket.connect(**QUIET):
                names.append(event.name)
                if event.name == "ready":
                    websocket.send_text("x")
                elif event.name == "text":
                    websocket.close()
        finally:
            log.removeHandler(handler)
    assert names == ["connecting", "connected", "ready", "ping", "text", "closed", "disconnected"]


def test_a_handler_that_raises_harms_no_wait() -> None:
    log, handler = logging.getLogger("lomond"), Fails()
    with level_of("lomond.reconnect", logging.INFO):
        log.addHandler(handler)
        try:
            two_that_are_refused()
        finally:
            log.removeHandler(handler)


def test_nobody_who_listens_to_warnings_alone_is_told() -> None:
    with logged(logging.WARNING) as lines:
        two_that_are_refused()
    assert lines == []


if __name__ == "__main__":
    told = [f"{name}, at {level}:\n{shown(name, level)}" for name in CASES for level in LEVELS]
    GOLDEN.write_text("\n\n".join(told) + "\n")
