"""MQTT's client over a WebSocket, with a real broker: mosquitto, which Debian has."""

from __future__ import annotations

import os
import queue
import shutil
import signal
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from examples.loaded import example
from lomond import WebSocket
from lomond.testing.peer import End, Peer, Talk, say
from lomond.testing.server import PeerServer
from patience import PATIENCE
from programs import Program, free_port

pytest.importorskip("paho.mqtt.client")
pytestmark = pytest.mark.skipif(
    not hasattr(socket, "AF_UNIX"), reason="this system has no Unix sockets"
)

PATH = os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/sbin"])


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Program]:
    found = shutil.which("mosquitto", path=PATH)
    if found is None:
        pytest.skip("there is no mosquitto; Debian: apt-get install mosquitto")
    port = free_port()
    settings = tmp_path / "mosquitto.conf"
    settings.write_text(
        f"listener 0 {tmp_path}/unix\n"  # with WebSockets alone, it says that it listens nowhere
        f"listener {port} 127.0.0.1\nprotocol websockets\nallow_anonymous true\nuser root\n"
    )
    with Program([found, "-c", str(settings)], port, tmp_path / "log") as program:
        yield program


class Client:
    """One of paho's that is connected by the example, and what it has heard."""

    def __init__(self, url: str) -> None:
        from paho.mqtt.client import Client as Paho
        from paho.mqtt.enums import CallbackAPIVersion

        self.heard: queue.Queue[tuple[str, bytes]] = queue.Queue()
        self.granted: queue.Queue[object] = queue.Queue()
        self.paho: Any = Paho(CallbackAPIVersion.VERSION2, transport="unix")
        self.paho.on_connect = lambda *_: self.paho.subscribe("t/#", 1)
        self.paho.on_subscribe = lambda *_: self.granted.put(None)
        self.paho.on_message = lambda *given: self.heard.put((given[2].topic, given[2].payload))
        self.paho.reconnect_delay_set(1, 1)
        example("mqtt").connected(self.paho, url)
        self.paho.loop_start()
        self.granted.get(timeout=PATIENCE)

    def end(self) -> None:
        self.paho.disconnect()
        self.paho.loop_stop()


def test_messages_of_any_size_and_a_broker_that_is_killed(broker: Program) -> None:
    url = f"ws://127.0.0.1:{broker.port}/"
    client = Client(url)
    try:
        sent = [("t/1", b"one"), ("t/2", b""), ("t/3", bytes(range(256)) * 1000)]
        for topic, payload in sent:
            client.paho.publish(topic, payload, 1).wait_for_publish(PATIENCE)
        found = [client.heard.get(timeout=PATIENCE) for _ in sent]
        assert found == sent
        broker.end(signal.SIGKILL)
        broker.start()
        client.granted.get(timeout=PATIENCE)  # by a WebSocket of its own
        client.paho.publish("t/4", b"again", 1)
        assert client.heard.get(timeout=PATIENCE) == ("t/4", b"again")
    finally:
        client.end()


def carried(talk: Any) -> tuple[socket.socket, PeerServer, threading.Thread]:
    """Our end of a socket, whose other one is carried to a scripted server."""
    ours, theirs = socket.socketpair()
    server = PeerServer(talk, PATIENCE)
    server.__enter__()
    carry = example("mqtt").carry
    thread = threading.Thread(target=carry, args=(WebSocket(server.url), theirs))
    thread.start()
    ours.settimeout(PATIENCE)
    return ours, server, thread


def test_the_socket_ends_with_the_websocket() -> None:
    def talk(peer: Peer) -> Talk:
        yield from peer.upgrade()
        yield say(2, b"a")
        yield say(2, b"bc")
        yield End()

    ours, server, thread = carried(talk)
    with ours, ours.makefile("rb") as file:
        assert file.read() == b"abc"  # up to the end
    thread.join(PATIENCE)
    assert not thread.is_alive()
    server.__exit__(None, None, None)


@pytest.mark.parametrize("kind", ["closed", "half"])
def test_the_websocket_ends_with_the_socket(kind: str) -> None:
    def talk(peer: Peer) -> Talk:
        yield from peer.upgrade()
        frame = yield from peer.hear_until(2)
        assert frame is not None
        said.append(frame.payload)
        frame = yield from peer.hear_until(8)
        assert frame is not None
        said.append(frame.payload[:2])
        yield say(8, frame.payload)

    said: list[bytes] = []
    ours, server, thread = carried(talk)
    ours.sendall(b"xyz")
    if kind == "half":
        ours.shutdown(socket.SHUT_WR)
    else:
        ours.close()
    thread.join(PATIENCE)
    assert not thread.is_alive()
    server.__exit__(None, None, None)
    ours.close()
    assert said == [b"xyz", b"\x03\xe8"]
