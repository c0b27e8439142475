"""What README says of testing one's own program with `lomond.testing`."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from lomond import WebSocket
from lomond.protocol import frames
from lomond.testing.peer import End, Pause, Peer, Talk, say
from lomond.testing.pretend import PretendDoor
from lomond.testing.server import PeerServer


def greets(peer: Peer) -> Talk:
    yield from peer.upgrade()
    yield say(frames.TEXT, b"hello")
    yield Pause(0.1)
    yield say(frames.CLOSE, code=1001)
    yield from peer.hear_frame()
    yield End()


def test_what_readme_shows_is_so() -> None:
    text = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^```python\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    (shown,) = (block for block in blocks if "PeerServer" in block)
    seen: list[str] = []

    def run_your_program(url: str) -> None:
        seen.extend(event.name for event in WebSocket(url).connect(poll=None))

    known: dict[str, Any] = {"run_your_program": run_your_program}
    exec(shown, known)
    assert seen[2:] == ["ready", "text", "closing", "disconnected"]
    door = PretendDoor(known["greets"])
    assert [event.name for event in door.events() if event.name != "poll"] == seen


def test_the_same_script_on_a_socket_and_in_pretend_time() -> None:
    with PeerServer(greets) as server:
        seen = [event.name for event in WebSocket(server.url).connect(poll=None)]
    assert server.peers[0].heard[-1].opcode == frames.CLOSE
    door = PretendDoor(greets)
    pretended = [event.name for event in door.events() if event.name != "poll"]
    assert seen == pretended
    assert seen[2:] == ["ready", "text", "closing", "disconnected"]
    assert 0.1 <= door.now < 0.2
