"""A whole program, in a process of its own, talks to a server on a socket."""

import subprocess
import sys

from lomond.testing import Conversation, Turns
from pytest_lomond import LomondServer

PROGRAM = """
import sys
from lomond import WebSocket

websocket = WebSocket(sys.argv[1])
for event in websocket:
    if event.name == "ready":
        websocket.send_text("hello")
    elif event.name == "text":
        print(event.text)
        websocket.close()
"""


def talk(peer: Conversation) -> Turns:
    yield peer.hear("hello")
    yield peer.say("hello yourself")
    yield peer.hear_close(1000)


def test_what_it_prints(lomond_server: LomondServer) -> None:
    server = lomond_server(talk)
    command = [sys.executable, "-c", PROGRAM, server.url]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout == "hello yourself\n"
    assert server.heard == ["hello"]
