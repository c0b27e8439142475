"""The lomond command, as a process."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys

import pytest

from lomond.testing.echo import EchoServer


def lomond(*arguments: str, given: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-X", "dev", "-W", "error", "-m", "lomond", *arguments],
        input=given,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


def test_the_demonstration() -> None:
    done = lomond("demo")
    assert (done.returncode, done.stderr) == (0, "")
    names = [line.split()[2] for line in done.stdout.splitlines()]
    assert names[:3] == ["connecting", "connected", "ready"]
    assert names.count("text") == 3
    assert names[-2:] == ["closed", "disconnected"]


def test_lines_are_sent_and_ctrl_c_closes() -> None:
    with EchoServer() as server:
        process = subprocess.Popen(
            [sys.executable, "-X", "dev", "-m", "lomond", server.url],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        with process:
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
        assert errors == ""
        assert "closed" in rest
        assert server.close_codes == [1000]


@pytest.mark.parametrize("url", ["example.org", "ftp://x", "ws://", "ws://h:0/", "ws://h/#x"])
def test_a_url_that_can_not_be(url: str) -> None:
    done = lomond(url)
    assert done.returncode == 2
    assert url in done.stderr
    assert "Traceback" not in done.stderr


def test_no_connection() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    done = lomond(f"ws://127.0.0.1:{port}/")
    assert done.returncode == 1
    assert "Connection refused" in done.stdout


def test_the_version_names_the_twin() -> None:
    assert "(pure)" in lomond("--version").stdout


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
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=30, check=False
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
