"""Runs a scripted peer on a real listening socket of 127.0.0.1, in a thread."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from lomond.testing.peer import End, Hear, Pause, Peer, Say, Talk
from patience import PATIENCE
from refcounts import end_what_was_dropped


@dataclass
class Served:
    """What the server knows after the conversation."""

    url: str
    peers: list[Peer] = field(default_factory=list)


@contextmanager
def served(talk: Callable[[Peer], Talk]) -> Iterator[Served]:
    """A server whose every connection runs the script."""
    listener = socket.create_server(("127.0.0.1", 0))
    listener.settimeout(PATIENCE)
    result = Served(f"ws://127.0.0.1:{listener.getsockname()[1]}/")
    stopping = threading.Event()

    def accept() -> None:
        while not stopping.is_set():
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            if stopping.is_set():
                connection.close()
                return
            peer = Peer(talk)
            result.peers.append(peer)
            with connection:
                connection.settimeout(PATIENCE)
                with contextlib.suppress(OSError):  # the client has gone
                    _run(peer, connection)

    thread = threading.Thread(target=accept, daemon=True)
    thread.start()
    try:
        yield result
    finally:
        end_what_was_dropped()
        stopping.set()
        # A last connection wakes the accepting thread.
        with contextlib.suppress(OSError):
            socket.create_connection(listener.getsockname(), 1).close()
        thread.join(PATIENCE)
        listener.close()
        assert not thread.is_alive()


def _run(peer: Peer, connection: socket.socket) -> None:
    action = next(peer.actions, None)
    while action is not None:
        heard = b""
        match action:
            case Say(data):
                connection.sendall(data)
            case Hear():
                heard = connection.recv(65536)
            case Pause(seconds):
                time.sleep(seconds)
            case End(resets):
                if resets:
                    connection.setsockopt(
                        socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)
                    )
                    connection.close()
                    return
                connection.shutdown(socket.SHUT_WR)
        try:
            action = peer.actions.send(heard)
        except StopIteration:
            return
