"""A client's socket whose system calls a test bends, and a sight of when its loop waits.

It is given to the WebSocket as `socket=`, so that no other socket of the process is touched.
"""

from __future__ import annotations

import contextlib
import select
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic
from typing import Any

import pytest

from doors.raw_server import Handler, raw_server, until
from lomond import WebSocket
from lomond.events import AnyEvent
from lomond.io import waiting
from lomond.io.waiting import Waiter, Wakeup
from patience import PATIENCE


class Tapped(socket.socket):
    """A socket that asks `on_send` and `on_recv`, if they are set, instead of the system.

    A connection takes it for a plain one (`tapped_is_plain`): it stands for the system, and not for
    a user's class.
    """

    on_send: Callable[[bytes], int] | None = None
    on_recv: Callable[[int, int], bytes] | None = None

    def send(self, data: Any, flags: int = 0) -> int:
        if self.on_send is None:
            return super().send(data, flags)
        return self.on_send(bytes(data))

    def recv(self, size: int, flags: int = 0) -> bytes:
        if self.on_recv is None:
            return super().recv(size, flags)
        return self.on_recv(size, flags)

    def send_now(self, data: bytes) -> int:
        """As the system would, whatever is set."""
        return super().send(data, socket.MSG_DONTWAIT)

    def recv_now(self, size: int, flags: int) -> bytes:
        """As the system would, whatever is set."""
        return super().recv(size, flags)

    def take_all(self, data: bytes) -> int:
        """Send everything, however long that takes: the call of a system with much room."""
        with memoryview(data) as rest:
            done = 0
            while done < len(rest):
                select.select([], [self], [], PATIENCE)
                with contextlib.suppress(BlockingIOError):
                    done += super().send(rest[done:], socket.MSG_DONTWAIT)
        return done


def connect(port: int) -> Tapped:
    """Connected to a server of 127.0.0.1."""
    sock = Tapped(socket.AF_INET, socket.SOCK_STREAM)
    sock.settimeout(PATIENCE)
    sock.connect(("127.0.0.1", port))
    return sock


@contextmanager
def conversation(
    handler: Handler, **options: Any
) -> Iterator[tuple[Tapped, WebSocket, Iterator[AnyEvent]]]:
    """A client's socket, its WebSocket and its events, ready; without Polls and pings.

    Arguments:
        handler: The server's, as for `raw_server`.
        options: Of the connection.
    """
    with raw_server(handler) as server:
        sock = connect(server.port)
        websocket = WebSocket(server.url, socket=sock)
        stream = websocket.connect(poll=None, ping_rate=0, **options)
        until(stream, "ready")
        yield sock, websocket, stream


def wait_for_bytes(sock: socket.socket, count: int) -> None:
    """Return when so many bytes are in the system for the socket, unread."""
    deadline = monotonic() + PATIENCE
    while monotonic() < deadline:
        assert select.select([sock], [], [], PATIENCE)[0]
        if len(socket.socket.recv(sock, count, socket.MSG_PEEK)) == count:
            return
    raise AssertionError(f"{count} bytes did not come")


def in_thread(act: Callable[..., object], *arguments: object) -> threading.Thread:
    """Start it."""
    thread = threading.Thread(target=act, args=arguments, daemon=True)
    thread.start()
    return thread


class LoopSight:
    """Whoever wakes the loop goes on when it has looked, and waits again.

    Arguments:
        monkeypatch: For the time of the test.
        loop: The thread that iterates; this one if it is not said.
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch, loop: int | None = None) -> None:
        self.waits = threading.Event()
        self._loop = threading.get_ident() if loop is None else loop
        self._is_over = False
        self._between = threading.Lock()  # a wake-up is seen whole or not at all
        self._wait, self._wake = Waiter.wait, waiting.kind.wake
        monkeypatch.setattr(Waiter, "wait", lambda waiter, *args: self._waiting(waiter, *args))
        monkeypatch.setattr(waiting.kind, "wake", lambda wakeup: self._waking(wakeup))

    def _waiting(self, waiter: Waiter, *arguments: Any) -> tuple[bool, bool]:
        if threading.get_ident() == self._loop and waiter.wakeup is not None:
            with self._between:
                if not select.select([waiter.wakeup], [], [], 0)[0]:
                    self.waits.set()
        return self._wait(waiter, *arguments)

    def _waking(self, wakeup: Wakeup) -> None:
        if threading.get_ident() == self._loop:
            self._wake(wakeup)
            return
        with self._between:
            self.waits.clear()
            self._wake(wakeup)
            if self._is_over:
                return
        self.waits.wait(PATIENCE / 2)

    def end(self) -> None:
        """The loop is over: nobody waits for it any more."""
        with self._between:
            self._is_over = True
            self.waits.set()
