"""Programs of their own process that are interrupted, or fork."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from lomond.testing.echo import EchoServer


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
