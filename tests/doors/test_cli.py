"""The lomond command, as a process."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator

import pytest

from doors.raw_server import refusing_port
from lomond.protocol.http.upgrade import accept_value
from lomond.testing.echo import EchoServer

ACCEPT = (
    b"HTTP/1.1 101 x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Accept: %s\r\n\r\n"
)
NOT_YET = b"HTTP/1.1 100 Continue\r\n\r\n"
REJECT = b"HTTP/1.1 403 No\r\nContent-Length: 4\r\n\r\na\x1b\nb"


def lomond(*arguments: str, given: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-X", "dev", "-W", "error", "-m", "lomond", *arguments],
        input=given,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


def start(*arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-X", "dev", "-W", "error", "-m", "lomond", *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@contextlib.contextmanager
def answering(answer: bytes) -> Iterator[str]:
    """A server that gives one client the answer, and nothing after it."""

    def serve() -> None:
        connection, _ = listener.accept()
        with connection, contextlib.suppress(OSError):
            key = re.search(rb"Sec-WebSocket-Key: (\S+)", connection.recv(65536))
            assert key
            connection.sendall(answer.replace(b"%s", accept_value(key[1])))
            while connection.recv(65536):
                pass

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"ws://127.0.0.1:{listener.getsockname()[1]}/"
        thread.join(10)


def test_the_demonstration() -> None:
    done = lomond("demo")
    assert (done.returncode, done.stderr) == (0, "")
    names = [line.split()[2] for line in done.stdout.splitlines()]
    assert names[:3] == ["connecting", "connected", "ready"]
    assert names.count("text") == 3
    assert names[-2:] == ["closed", "disconnected"]


def test_lines_are_sent_and_ctrl_c_closes() -> None:
    with EchoServer() as server:
        with start(server.url) as process:
            assert process.stdin is not None
            assert process.stdout is not None
            assert process.stderr is not None
            process.stdin.write("first\nsecond\n")
            process.stdin.flush()
            seen = ""
            while "second" not in seen:
                seen = process.stdout.readline()
                assert seen
            process.send_signal(signal.SIGINT)
            rest, errors = process.stdout.read(), process.stderr.read()
            assert process.wait(10) == 0
        assert errors == "closing; Ctrl-C again ends at once\n"
        assert "closed" in rest
        assert server.close_codes == [1000]


@pytest.mark.parametrize("url", ["example.org", "ftp://x", "ws://", "ws://h:0/", "ws://h/#x"])
def test_a_url_that_can_not_be(url: str) -> None:
    done = lomond(url)
    assert (done.returncode, done.stdout) == (2, "")
    assert url in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_file_of_certificates_that_is_not_there() -> None:
    done = lomond("wss://127.0.0.1:1/", "--ca", "/nope.pem")
    assert (done.returncode, done.stdout) == (2, "")
    assert "ssl_cafile '/nope.pem' can't be read" in done.stderr
    assert done.stderr.count("\n") == 1


def test_no_connection() -> None:
    port = refusing_port()
    done = lomond(f"ws://127.0.0.1:{port}/")
    assert done.returncode == 1
    assert "Connection refused" in done.stdout


def test_a_rejection_with_control_characters() -> None:
    with answering(REJECT) as url:
        done = lomond(url)
    assert (done.returncode, done.stderr) == (1, "")
    assert "a\\x1b\\nb" in done.stdout
    assert done.stdout.splitlines()[-1].split()[2] == "disconnected"


@pytest.mark.parametrize(
    ("answer", "awaited", "presses"), [(NOT_YET, "connected", 1), (ACCEPT, "ready", 2)]
)
def test_ctrl_c_ends_at_once_before_ready_and_when_repeated(
    answer: bytes, awaited: str, presses: int
) -> None:
    with answering(answer) as url, start(url) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        while awaited not in process.stdout.readline():
            pass
        for _ in range(presses):
            process.send_signal(signal.SIGINT)
            time.sleep(0.2)  # two signals at once are one
        assert process.wait(10) == 130
        told = "closing; Ctrl-C again ends at once\n"
        assert process.stderr.read() == (told if presses == 2 else "")


def test_the_end_of_the_input_does_not_end_the_connection() -> None:
    with EchoServer() as server, start(server.url) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write("no newline")
        process.stdin.close()
        while "no newline" not in process.stdout.readline():
            pass
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(0.2)
        process.send_signal(signal.SIGINT)
        assert process.wait(10) == 0
    assert server.close_codes == [1000]


@pytest.mark.skipif(not hasattr(os, "openpty"), reason="no terminals on this system")
def test_ctrl_d_in_a_terminal_closes() -> None:
    try:
        ours, theirs = os.openpty()
    except OSError as error:
        pytest.skip(f"this system gives us no terminal ({error})")
    with EchoServer() as server:
        process = subprocess.Popen(
            [sys.executable, "-m", "lomond", server.url],
            stdin=theirs,
            stdout=subprocess.PIPE,
            text=True,
        )
        with process:
            os.write(ours, b"typed\n\x04")
            assert process.stdout is not None
            seen = process.stdout.read()
            assert process.wait(10) == 0
    os.close(ours)
    os.close(theirs)
    assert "typed" in seen
    assert server.close_codes == [1000]


def test_a_reader_that_has_gone() -> None:
    with EchoServer() as server, start(server.url) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        while "ready" not in process.stdout.readline():
            pass
        process.stdout.close()
        process.stdin.write("x\n")
        process.stdin.flush()
        assert process.wait(10) == 1
        assert process.stderr.read() == ""


@pytest.mark.skipif(sys.platform == "win32", reason="needs a POSIX shell")
def test_without_standard_streams() -> None:
    port = refusing_port()
    command = f'"{sys.executable}" -m lomond ws://127.0.0.1:{port}/ <&- >&-'
    done = subprocess.run(
        ["sh", "-c", command], stderr=subprocess.PIPE, text=True, timeout=30, check=False
    )
    assert (done.returncode, done.stderr) == (1, "")


def test_text_that_the_output_can_not_show(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONIOENCODING", "ascii")
    with EchoServer() as server, start(server.url) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        os.write(process.stdin.fileno(), "\N{SNOWMAN}\n".encode())
        while "\\u2603" not in (line := process.stdout.readline()):
            assert line
        process.send_signal(signal.SIGINT)
        assert process.wait(10) == 0


def test_the_version_names_the_twin() -> None:
    assert re.search(r"\((pure|compiled), zlib(-ng)?\)", lomond("--version").stdout)


def test_an_answer_that_is_no_http() -> None:
    with answering(b"SSH-2.0-OpenSSH\r\n") as url:
        done = lomond(url)
    assert (done.returncode, done.stderr) == (1, "")
    shown = [line for line in done.stdout.splitlines() if "protocol_error" in line]
    assert shown[0].endswith(
        "answer is not HTTP; it starts with b'SSH-2.0-OpenSSH\\r\\n' (RFC 9112)"
    )


@pytest.mark.skipif(sys.platform == "win32", reason="arguments are text on this system")
def test_a_header_that_is_not_utf_8() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "lomond", "ws://h/", "--header", b"X: \xff"],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    expected = "lomond: value of header 'X' can't be written as UTF-8; remove '\\udcff'\n"
    assert (done.returncode, done.stderr) == (2, expected)


def test_a_header_without_colon() -> None:
    assert "has no colon" in lomond("ws://h/", "--header", "x").stderr


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
def test_a_forked_child_leaves_the_connection_alone() -> None:
    code = """
import os
from lomond import WebSocket
from lomond.errors import WebSocketUnavailable
from lomond.testing.echo import EchoServer
with EchoServer() as server:
    websocket = WebSocket(server.url)
    child = None
    for event in websocket.connect(ping_rate=0):
        if event.name == 'ready':
            child = os.fork()
            if child == 0:
                try:
                    websocket.send_text('x')
                except WebSocketUnavailable as error:
                    assert 'parent process' in str(error)
                else:
                    os._exit(2)
                websocket.close()
                continue
            assert os.waitpid(child, 0)[1] == 0
            websocket.send_text('still here')
        elif event.name == 'text':
            websocket.close()
    if child == 0:
        again = [e.name for e in websocket if e.name != 'poll' or websocket.close()]
        os._exit(0 if event.name == 'disconnected' and again[-1] == 'disconnected' else 3)
    assert event.graceful
    assert sorted(server.close_codes) == [1000, 1000], server.close_codes
"""
    done = subprocess.run(
        # From 3.12 on Python warns of the fork, because the echo server is a thread beside it.
        [sys.executable, "-W", "ignore::DeprecationWarning", "-c", code],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_ctrl_c_inside_the_loop_sends_a_close_frame_and_the_interpreter_exits() -> None:
    code = """
import signal, sys
from lomond import WebSocket
websocket = WebSocket(sys.argv[1])
try:
    for event in websocket.connect(poll=None):
        if event.name == 'ready':
            signal.setitimer(signal.ITIMER_REAL, 0.05)
            signal.signal(signal.SIGALRM, signal.default_int_handler)
except KeyboardInterrupt:
    assert websocket.is_closed
    websocket.close()
    print('interrupted')
"""
    with EchoServer() as server:
        done = subprocess.run(
            [sys.executable, "-X", "dev", "-W", "error", "-c", code, server.url],
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
        assert (done.stdout, done.stderr) == ("interrupted\n", "")
    assert server.close_codes == [1001]


def test_close_in_a_signal_handler_never_dead_locks() -> None:
    code = """
import signal, sys
from lomond import WebSocket
websocket = WebSocket(sys.argv[1])
signal.signal(signal.SIGALRM, lambda *_: websocket.close())
for turn in range(60):
    for event in websocket.connect(poll=None, ping_rate=0):
        if event.name == 'ready':
            signal.setitimer(signal.ITIMER_REAL, 0.001 + turn / 50000, 0.0005)
        if event.name in ('ready', 'text') and websocket.is_active:
            try:
                websocket.send_text('x')
            except Exception:
                pass
    signal.setitimer(signal.ITIMER_REAL, 0)
    assert event.name == 'disconnected' and event.graceful, event
print('done')
"""
    with EchoServer() as server:
        done = subprocess.run(
            [sys.executable, "-c", code, server.url],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    assert (done.stdout, done.stderr) == ("done\n", "")


def test_ctrl_c_inside_a_finalizer_is_not_lost() -> None:
    code = """
import os, signal, sys
from lomond import WebSocket
from lomond.cli import stream

class Finalized:
    def __del__(self):
        os.kill(os.getpid(), signal.SIGINT)

class Tapped(WebSocket):
    def connect(self, **options):
        for event in super().connect(**options):
            if event.name == 'connected':
                Finalized()
            yield event

sys.exit(stream.run(Tapped(sys.argv[1]), None))
"""
    with answering(NOT_YET) as url:
        done = subprocess.run(
            [sys.executable, "-c", code, url],
            capture_output=True,
            text=True,
            timeout=20,
            check=False,
        )
    assert (done.returncode, done.stderr) == (130, "")
