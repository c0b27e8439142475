"""A thread goes on after the main thread has ended, while Python waits for it."""

from __future__ import annotations

import _thread
import subprocess
import sys
import threading

import pytest

from localhost import need_localhost
from lomond import WebSocket
from lomond.testing import Server, serve

MAIN_ENDS = """
import sys, threading
from lomond import WebSocket

def work():
    for event in WebSocket(sys.argv[1]):
        if event.name == "ready":
            print("ready", flush=True)

def later():
    threading.main_thread().join()
    for _ in range(2):  # each of which resolves a name
        work()

threading.Thread(target=later).start()
"""


def test_a_thread_connects_although_the_main_thread_has_ended() -> None:
    """Python 3.12 begins no thread then, in which a name could be resolved."""
    need_localhost()
    with serve(Server().closes()) as served:
        url = served.url.replace("127.0.0.1", "localhost")
        command = [sys.executable, "-c", MAIN_ENDS, url]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert (done.stdout, done.stderr) == ("ready\nready\n", "")


def test_where_no_thread_begins_at_the_end_a_name_is_resolved_in_this_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    need_localhost()

    def start(function: object, arguments: object) -> None:
        raise RuntimeError("can't create new thread at interpreter shutdown")

    ended = threading.Thread(target=bool)
    ended.start()
    ended.join()
    with serve(Server().closes()) as served, monkeypatch.context() as patch:
        patch.setattr(_thread, "start_new_thread", start)
        patch.setattr(threading, "main_thread", lambda: ended)
        url = served.url.replace("127.0.0.1", "localhost")
        found = [event.name for event in WebSocket(url)]
    assert found[-2:] == ["closing", "disconnected"]
