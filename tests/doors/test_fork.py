"""After a fork the connection is the parent's: the child leaves it alone and makes its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [
    pytest.mark.threads,
    pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system"),
]

TESTS = Path(__file__).parents[1]  # from where a program imports what is theirs
# Python 3.12 warns of a fork beside threads, which is what is tested.
QUIET = ("-W", "ignore::DeprecationWarning")

FRAME = """
import os, sys, threading, time
from lomond import WebSocket
from lomond.errors import WebSocketUnavailable
from lomond.testing.echo import EchoServer

def check(websocket):
    websocket.send_text('still here')
    for event in stream:
        if event.name == 'text':
            assert event.text == 'still here', event
            websocket.close()
    assert event.name == 'disconnected' and event.graceful, event

def wait(child):
    assert os.waitpid(child, 0)[1] == 0

with EchoServer() as server:
    websocket = WebSocket(server.url)
    stream = websocket.connect(poll=None, ping_rate=0)
    while next(stream).name != 'ready':
        pass
{body}
"""


def run(body: str) -> None:
    indented = "\n".join("    " + line for line in body.strip().splitlines())
    done = subprocess.run(
        [sys.executable, "-X", "dev", "-W", "error", *QUIET, "-c", FRAME.format(body=indented)],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
        cwd=TESTS,
    )
    assert (done.returncode, done.stderr) == (0, "")


IN_CHILD = {
    "does nothing": "pass",
    "closes": "websocket.close()",
    "closes the iterator": "stream.close()",
    "drops the iterator": "del stream",
    "iterates on": "assert [e.name for e in stream] == ['disconnected']",
    "leaves with": "websocket.__exit__(None, None, None)",
    "forces": "websocket.force_disconnect(); websocket.force_disconnect()",
    "resets": "websocket.reset()",
}


@pytest.mark.parametrize("what", IN_CHILD)
def test_whatever_the_child_does_the_parents_connection_works_on(what: str) -> None:
    run(
        f"""
child = os.fork()
if child == 0:
    {IN_CHILD[what]}
    import gc
    gc.collect()
    os._exit(0)
wait(child)
check(websocket)
assert server.close_codes == [1000], server.close_codes
"""
    )


def test_the_child_can_not_send_and_is_told_why() -> None:
    run(
        """
child = os.fork()
if child == 0:
    for act in (lambda: websocket.send_text('x'), lambda: websocket.send_ping()):
        try:
            act()
        except WebSocketUnavailable as error:
            assert str(error) == 'connection belongs to the parent process', error
        else:
            os._exit(2)
    os._exit(0 if websocket.is_closed and not websocket.is_active else 3)
wait(child)
check(websocket)
"""
    )


def test_the_childs_own_connection() -> None:
    run(
        """
child = os.fork()
if child == 0:
    stream = websocket.connect(poll=None, ping_rate=0)
    while next(stream).name != 'ready':
        pass
    check(websocket)
    os._exit(0)
wait(child)
check(websocket)
assert server.close_codes == [1000, 1000], server.close_codes
"""
    )


def test_the_child_has_fewer_descriptors_after_it_let_go() -> None:
    run(
        """
child = os.fork()
if child == 0:
    before = len(os.listdir('/proc/self/fd'))
    stream.close()
    after = len(os.listdir('/proc/self/fd'))
    os._exit(0 if after == before - 1 else 2)
wait(child)
check(websocket)
"""
    )


def test_a_fork_while_another_thread_holds_every_lock() -> None:
    run(
        """
from doors.inside import exchange_of
lock = exchange_of(websocket).lock
held, done = threading.Event(), threading.Event()
def hold():
    with lock:
        held.set()
        done.wait(20)
thread = threading.Thread(target=hold)
thread.start()
held.wait()
child = os.fork()
if child == 0:
    websocket.close()
    websocket.force_disconnect()
    stream.close()
    with websocket:
        pass
    stream = websocket.connect(poll=None, ping_rate=0)
    while next(stream).name != 'ready':
        pass
    check(websocket)
    os._exit(0)
wait(child)
done.set()
thread.join()
check(websocket)
"""
    )


def test_a_fork_while_a_thread_iterates() -> None:
    run(
        """
events = []
thread = threading.Thread(target=lambda: events.extend(e.name for e in stream))
thread.start()
from doors.inside import exchange_of
while not exchange_of(websocket).is_in_use:
    pass
child = os.fork()
if child == 0:
    websocket.close()
    try:
        websocket.send_text('x')
    except WebSocketUnavailable:
        os._exit(0)
    os._exit(2)
wait(child)
websocket.send_text('still here')
websocket.close()
thread.join(10)
assert events == ['text', 'closed', 'disconnected'], events
"""
    )
