"""`lomond serve`: the echo, scripts, records, TLS, signals, and what is told of what went wrong."""

from __future__ import annotations

import contextlib
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from cli.commanding import end_of, line_of, started
from lomond import WebSocket
from lomond.cli import exits, main, serve
from lomond.protocol import frames
from lomond.testing.echoing import Echoing
from patience import PATIENCE

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="no SIGTERM there")

KEY = b"\x01\x02\x03\x04"
REQUEST = (
    b"GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: keep-alive, Upgrade\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAECAwQFBgcICQoLDA0ODw==\r\n\r\n"
)
LINES = 200_000
SCRIPTS = """
from lomond.testing import Server

def greets(peer):
    yield peer.say("welcome")
    yield peer.hear("thanks")
    yield peer.say("bye")
    yield peer.close(1000)

def fails(peer):
    yield peer.say("welcome")
    raise RuntimeError("no\\x1bidea")

def pushes(peer):
    while True:
        yield peer.say("news")
        yield peer.wait(0.01)

def plain(peer):
    return 5

chain = Server().hears("a").says("b").closes()
no_script = 5
"""


class Served(NamedTuple):
    process: Any
    url: str

    def stop(self, number: signal.Signals = signal.SIGTERM) -> tuple[int, str, str]:
        """Its status, the rest of its output, and what stands on standard error."""
        self.process.send_signal(number)
        return end_of(self.process)


@contextlib.contextmanager
def served(*given: str, cwd: Path | None = None) -> Iterator[Served]:
    with started("serve", *given, cwd=cwd) as process:
        yield Served(process, line_of(process))


def says(url: str, *messages: str, wanted: int = 100, **options: Any) -> tuple[list[str], Any]:
    """What a program heard that said these; and how it ended, by its close once it has enough."""
    heard: list[str] = []
    websocket = WebSocket(url, proxies={}, **options)
    for event in websocket.connect(poll=None):
        if event.name == "ready":
            for message in messages:
                websocket.send_text(message)
        elif event.name == "text":
            heard.append(event.text)
            if len(heard) == wanted:
                websocket.close()
    return heard, websocket.ending


def connect(url: str) -> socket.socket:
    """A socket that has said the request, and heard the answer."""
    sock = socket.create_connection(("127.0.0.1", int(url.rstrip("/").rpartition(":")[2])))
    sock.settimeout(PATIENCE)
    sock.sendall(REQUEST)
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        head += sock.recv(1)
    assert head.startswith(b"HTTP/1.1 101 ")
    return sock


def frame(opcode: int, payload: bytes = b"") -> bytes:
    return frames.build(opcode, payload, KEY)


def part(opcode: int, payload: bytes) -> bytes:
    """A fragment that is not the last one."""
    data = frame(opcode, payload)
    return bytes([data[0] & 0x7F]) + data[1:]


# The echo, without I/O


def opened() -> tuple[Echoing, list[int | None]]:
    codes: list[int | None] = []
    echoing = Echoing(codes.append, largest=1000)
    assert echoing.receive(REQUEST).startswith(b"HTTP/1.1 101 ")
    return echoing, codes


CONVERSATION = [
    (frame(1, b"one"), b"\x81\x03one"),
    (frame(2, bytes(300)), b"\x82\x7e\x01\x2c" + bytes(300)),
    (frame(9, b"p"), b"\x8a\x01p"),
    (frame(10, b"nobody asked"), b""),
    (part(1, "é".encode()[:1]), b""),
    (frame(9), b"\x8a\x00"),
    (frame(0, "é".encode()[1:]), b"\x81\x02" + "é".encode()),
    (frame(1), b"\x81\x00"),
    (frame(8, b"\x03\xe8bye"), b"\x88\x05\x03\xe8bye"),
]


@pytest.mark.parametrize("size", [1, 7, 100_000])
def test_what_is_echoed_however_it_comes(size: int) -> None:
    echoing, codes = opened()
    data = b"".join(said for said, _ in CONVERSATION)
    pieces = [data[at : at + size] for at in range(0, len(data), size)]
    answer = b"".join(map(echoing.receive, pieces))
    assert answer == b"".join(expected for _, expected in CONVERSATION)
    assert echoing.is_over
    assert codes == [1000]


def test_a_request_in_pieces_and_what_is_glued_to_it() -> None:
    echoing = Echoing(bool)
    assert echoing.receive(REQUEST[:20]) == b""
    answer = echoing.receive(REQUEST[20:] + frame(1, b"glued"))
    assert answer.startswith(b"HTTP/1.1 101 ")
    assert answer.endswith(b"\r\n\r\n\x81\x05glued")


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"\x81\x03one", 1002),  # not masked
        (b"\x83\x80" + KEY, 1002),  # an opcode that there is not
        (b"\xc1\x80" + KEY, 1002),  # a reserved bit
        (part(9, b""), 1002),
        (frame(0, b"x"), 1002),
        (part(1, b"x") + frame(1, b"x"), 1002),
        (frame(8, b"x"), 1002),
        (frame(1, b"\xff"), 1007),
        (part(1, b"\xc3") + frame(0, b"x"), 1007),
        (b"\x82\xfe\x03\xe9", 1009),  # 1001 bytes, of which none is here
        (part(2, bytes(600)) + frame(0, bytes(401)), 1009),
    ],
)
def test_what_is_not_allowed(data: bytes, code: int) -> None:
    echoing, codes = opened()
    answer = echoing.receive(data + KEY)
    assert (answer[0], answer[2:4]) == (0x88, code.to_bytes(2, "big"))
    assert len(answer) == 2 + answer[1]
    assert (echoing.is_over, codes) == (True, [])


@pytest.mark.parametrize(
    "request_",
    [
        b"POST" + REQUEST[3:],
        REQUEST.replace(b"AAEC", b"A"),
        REQUEST.replace(b": 13", b": 8"),
        REQUEST.replace(b"Host: x\r\n", b""),
        b"x" * 70_000,
    ],
)
def test_no_upgrade(request_: bytes) -> None:
    echoing = Echoing(bool)
    assert echoing.receive(request_).startswith(b"HTTP/1.1 400 ")
    assert echoing.is_over
    assert echoing.farewell(1001, "") == b""


# The command


def test_two_hundred_thousand_lines() -> None:
    websocket = WebSocket("ws://127.0.0.1/", proxies={})
    count = 0

    def send() -> None:
        for number in range(LINES):
            websocket.send_text(f"line {number}")

    with served() as server:
        websocket.url = server.url
        thread = threading.Thread(target=send)
        for event in websocket.connect(poll=None):
            if event.name == "ready":
                thread.start()
            elif event.name == "text":
                assert event.text == f"line {count}"
                count += 1
                if count == LINES:
                    websocket.close()
        thread.join()
        assert server.stop() == (exits.TERMINATED, "", "")
    assert count == LINES


def test_many_at_once() -> None:
    with served("--echo") as server:
        socks = [connect(server.url) for _ in range(60)]
        for number, sock in enumerate(socks):
            sock.sendall(frame(1, b"%03d" % number))
        for number, sock in enumerate(socks):
            assert sock.recv(100) == b"\x81\x03%03d" % number
            sock.close()
        assert server.stop()[::2] == (exits.TERMINATED, "")


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="nobody tells of its memory")
def test_a_client_that_does_not_read_costs_no_memory() -> None:
    piece = frame(2, bytes(60_000))
    with served() as server:
        memory = Path(f"/proc/{server.process.pid}/status")
        with connect(server.url) as sock:
            sock.sendall(piece)
            before = _rss(memory)
            sock.settimeout(1.0)
            with pytest.raises(TimeoutError):
                sock.sendall(piece * 3000)
            assert _rss(memory) - before < 10 * 2**20
            # Others are served meanwhile.
            assert says(server.url, "hello", wanted=1)[0] == ["hello"]


def _rss(status: Path) -> int:
    found = [line.split() for line in status.read_text().splitlines() if line.startswith("VmRSS")]
    return int(found[0][1]) * 1024


@pytest.mark.parametrize(
    ("number", "expected"),
    [(signal.SIGINT, exits.INTERRUPTED), (signal.SIGTERM, exits.TERMINATED)],
)
def test_a_signal_closes_what_is_open(number: signal.Signals, expected: int) -> None:
    with served() as server:
        websocket = WebSocket(server.url, proxies={})
        for event in websocket.connect(poll=None):
            if event.name == "ready":
                server.process.send_signal(number)
        assert end_of(server.process) == (expected, "", "")
    assert websocket.ending is not None
    assert (websocket.ending.by, websocket.ending.code) == ("server", 1001)


def test_once() -> None:
    with served("--once") as server:
        assert says(server.url, "only", wanted=1)[0] == ["only"]
        assert end_of(server.process) == (exits.DONE, "", "")


def test_tls() -> None:
    with served("--tls") as server:
        assert server.url.startswith("wss://127.0.0.1:")
        option, path = line_of(server.process).split()
        assert option == "--ca"
        heard, ending = says(server.url, "x" * 100_000, wanted=1, ssl_cafile=path)
        assert (len(heard[0]), ending.code) == (100_000, 1000)
        assert says(server.url)[1].kind == "unreachable"  # does not trust it
        told = server.process.stderr.readline()
        assert told.startswith("lomond serve: connection 2: TLS failed: ")
        assert server.stop() == (exits.TERMINATED, "", "")
    assert not Path(path).exists()


def test_who_says_nothing_in_tls_does_not_hold_up_the_end() -> None:
    with served("--tls") as server:
        line_of(server.process)
        port = int(server.url.rstrip("/").rpartition(":")[2])
        with socket.create_connection(("127.0.0.1", port)) as sock:
            assert server.stop() == (exits.TERMINATED, "", "")
            assert sock.recv(100) == b""


def test_a_port_and_a_host() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with served("--port", str(port), "--host", "0.0.0.0") as server:
        assert server.url == f"ws://0.0.0.0:{port}/"
        assert says(f"ws://127.0.0.1:{port}/", "a", wanted=1)[0] == ["a"]
        status, _, errors = server.stop()
    assert status == exits.TERMINATED
    assert errors == (
        "lomond serve: 0.0.0.0 is for other machines too: whoever reaches it is served\n"
    )


def test_a_port_that_somebody_has(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        with pytest.raises(SystemExit) as caught:
            main(["serve", "--port", port])
    assert caught.value.code == exits.USAGE
    errors = capsys.readouterr().err
    assert f"nobody can listen at 127.0.0.1, port {port}: " in errors


# Scripts, and records


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where the scripts are."""
    (tmp_path / "talks.py").write_text(SCRIPTS)
    return tmp_path


def test_a_script_for_each_connection(folder: Path) -> None:
    with served("--script", "talks:greets", cwd=folder) as server:
        for _ in range(2):
            heard, ending = says(server.url, "thanks")
            assert (heard, ending.by, ending.code) == (["welcome", "bye"], "server", 1000)
        assert server.stop() == (exits.TERMINATED, "", "")


def test_who_leaves_a_script_that_goes_on_is_no_failure_of_it(folder: Path) -> None:
    with served("--script", "talks:pushes", cwd=folder) as server:
        for event in WebSocket(server.url):
            if event.name == "text":
                break  # which closes with 1001
        websocket = WebSocket(server.url)
        for event in websocket:
            if event.name == "text":
                websocket.close()
        assert server.stop() == (exits.TERMINATED, "", "")


def test_a_chain_for_each_connection(folder: Path) -> None:
    with served("--script", "talks:chain", cwd=folder) as server:
        with connect(server.url):  # which says nothing yet
            assert says(server.url, "a")[0] == ["b"]
        assert server.stop()[0] == exits.TERMINATED


def test_a_client_that_does_something_else(folder: Path) -> None:
    with served("--script", "talks:greets", "--once", cwd=folder) as server:
        heard, ending = says(server.url, "no\x1b")
        assert (heard, ending.code) == (["welcome"], 1011)
        status, _, errors = end_of(server.process)
    assert status == exits.PROTOCOL
    assert errors.startswith("lomond serve: connection 1: talks.py:6 waits for the text 'thanks'; ")
    assert "no\\x1b" in errors
    assert errors.count("\n") == 1


def test_a_script_that_raises(folder: Path) -> None:
    with served("--script", "talks:fails", "--once", cwd=folder) as server:
        heard, ending = says(server.url)
        assert (heard, ending.code) == (["welcome"], 1011)
        status, _, errors = end_of(server.process)
    assert status == exits.PROTOCOL
    expected = "talks.py:12: RuntimeError: no\\x1bidea"
    assert errors == f"lomond serve: connection 1: {expected}\n"


def test_a_signal_in_the_middle_of_a_script_is_no_failure_of_it(folder: Path) -> None:
    with served("--script", "talks:greets", cwd=folder) as server, connect(server.url) as sock:
        assert sock.recv(100) == b"\x81\x07welcome"
        assert server.stop() == (exits.TERMINATED, "", "")
        assert sock.recv(100)[2:4] == (1001).to_bytes(2, "big")


@pytest.fixture
def record(tmp_path: Path) -> Path:
    """Of two connections, each of which says something and hears it again."""
    path = tmp_path / "feed.jsonl"
    with served() as server:
        for text in ("first", "second"):
            says(server.url, text, wanted=1, record=path)
    return path


def test_a_record_is_said_again_and_again(record: Path) -> None:
    with served("--replay", str(record)) as server:
        for text in ("first", "second", "first"):
            assert says(server.url, text, wanted=1)[0] == [text]
        assert server.stop() == (exits.TERMINATED, "", "")


def test_who_asks_for_nothing_takes_no_connection_of_a_record(record: Path) -> None:
    with served("--replay", str(record)) as server:
        port = int(server.url.rstrip("/").rpartition(":")[2])
        with socket.create_connection(("127.0.0.1", port)) as sock:
            sock.shutdown(socket.SHUT_WR)
            assert sock.recv(100) == b""
        assert says(server.url, "first", wanted=1)[0] == ["first"]
        assert server.stop() == (exits.TERMINATED, "", "")


def test_a_client_that_differs_from_the_record(record: Path) -> None:
    with served("--replay", str(record), "--once") as server:
        says(server.url, "other", wanted=1)
        status, _, errors = end_of(server.process)
    assert status == exits.PROTOCOL
    assert "feed.jsonl:" in errors
    assert "'other'" in errors


@pytest.mark.parametrize(
    "given",
    [
        ["--echo", "--script", "a:b"],
        ["--script", "talks"],
        ["--script", "talks:nothing"],
        ["--script", "talks:no_script"],
        ["--script", "talks:plain"],
        ["--script", "no_module:talk"],
        ["--replay", "/nope/feed.jsonl"],
        ["--replay", "talks.py"],
        ["--port", "65536"],
        ["--host", "no.such.host.invalid"],
        ["extra"],
    ],
)
def test_what_can_not_be(
    folder: Path,
    given: list[str],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(folder)
    monkeypatch.setattr(sys, "path", sys.path.copy())
    with pytest.raises(SystemExit) as caught:
        serve.run(given)
    sys.modules.pop("talks", None)
    assert caught.value.code == exits.USAGE
    said = capsys.readouterr()
    assert (said.out, said.err.count("\n")) == ("", 1)


def test_as_many_descriptors_as_there_are(folder: Path) -> None:
    code = (
        "import resource, sys; from lomond.cli import main; "
        "resource.setrlimit(resource.RLIMIT_NOFILE, (24, 24)); sys.exit(main(['serve']))"
    )

    command = [sys.executable, "-c", code]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        url = line_of(process)
        port = int(url.rstrip("/").rpartition(":")[2])
        socks = [socket.create_connection(("127.0.0.1", port)) for _ in range(40)]
        for sock in socks:
            sock.close()
        assert says(url, "still here", wanted=1)[0] == ["still here"]
        process.terminate()
        assert process.wait(PATIENCE) == exits.TERMINATED
