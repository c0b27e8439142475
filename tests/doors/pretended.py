"""A peer's script behind the real doors, in pretend time or in real time.

In pretend time the doors do all that they do, on a pair of sockets, but go by a clock that jumps
where they would wait; what the script then does is there at once: `lomond.testing.world`.
"""

from __future__ import annotations

import contextlib
import math
import select
import socket
import ssl
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
import trio

from doors import on_trio
from doors.tapped import Tapped
from lomond import making
from lomond.io.performing import Performer
from lomond.system import pipe
from lomond.testing.peer import Action, End, Hear, Pause, Peer, Say, Talk
from lomond.testing.world import World
from patience import PATIENCE

_END = 10_000.0  # nothing that works takes so long
_SMALL = 32 * 1024  # bytes; of a socket's buffers, so that a write soon has to wait


class GuestsWorld(World):
    """A world in which trio's runs may be guests, as those of the tests' door are."""

    def __enter__(self) -> World:
        manager = trio._core._run.TheIOManager  # noqa: SLF001  # trio has no other way to wait
        look = manager.get_events
        super().__enter__()
        look_in_host = manager.get_events

        def wait(one: Any, seconds: float) -> Any:
            if seconds <= 0 or self.is_here():
                return look_in_host(one, seconds)
            on_trio.host_waits.wait(PATIENCE)  # its thread does not turn the clock under a handler
            return self.wait(lambda: look(one, 0), seconds)

        self._seams.put(manager, "get_events", wait)
        self._reports.end()  # a guest has a thread
        return self


class PretendTime(GuestsWorld):
    """A connected socket, the script at its other end, and the clock of both.

    The doors go by it from `install` to `close`; all but what they wait by is real.

    Arguments:
        talk: What the peer does. Where that ends, it stays, and does nothing more.

    Attributes:
        sock: What is given to the door.
        said: When the script said something.
    """

    def __init__(self, talk: Callable[[Peer], Talk]) -> None:
        super().__init__([], {}, _END)
        self.started = self.now
        self.said: list[float] = []
        self.sock = Tapped(fileno=self.connect(self._staying(talk), "").detach())
        self.sock.on_recv = self._received
        self._is_installed = False

    def install(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Have the doors go by this clock, and wait by it."""
        self.__enter__()
        self._is_installed = True
        self._seams.put(making, "Performer", Performer)  # whose reads are bounded by the system

    def close(self) -> None:
        """The peer hangs up, and time is real again."""
        if self._is_installed:
            self._is_installed = False
            self.__exit__(None, None, None)
        self.sock.close()

    def _staying(self, talk: Callable[[Peer], Talk]) -> Callable[[Peer], Talk]:
        def stays(peer: Peer) -> Talk:
            actions = talk(peer)
            action: Action | None = next(actions, None)
            while action is not None:
                if isinstance(action, Say):
                    self.said.append(self.now)
                try:
                    heard = yield action
                except OSError:  # the door has hung up, which a script hears
                    heard = b""
                try:
                    action = actions.send(heard)
                except StopIteration:
                    break
            yield Pause(math.inf)

        return stays

    def _received(self, size: int, flags: int) -> bytes:
        """As `recv`; one that the system would bound is bounded here."""
        if not flags & socket.MSG_DONTWAIT:
            poll = select.poll()
            poll.register(self.sock, select.POLLIN)
            self.wait(lambda: poll.poll(0), pipe.BOUND)
        return self.sock.recv_now(size, flags | socket.MSG_DONTWAIT)


class RealTime:
    """As PretendTime, on the system's clock; the script has a thread.

    Arguments:
        talk: What the peer does.
        scale: Real seconds for each of the script's and of the handler's.
        context: The peer's for TLS, or None.

    Attributes:
        has_ended: Set when the script has closed its stream.
    """

    def __init__(
        self, talk: Callable[[Peer], Talk], scale: float, context: ssl.SSLContext | None = None
    ) -> None:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _SMALL)
            self.sock = socket.socket()
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SMALL)
            self.sock.connect(listener.getsockname())
            self._theirs, _ = listener.accept()
        self._theirs.settimeout(PATIENCE)
        self._scale = scale
        self._context = context
        self._is_over = threading.Event()
        self.has_ended = threading.Event()
        self.said: list[float] = []
        self.started = self.now
        self._thread = threading.Thread(target=self._serve, args=(Peer(talk),), daemon=True)
        self._thread.start()

    @property
    def now(self) -> float:
        """The clock."""
        return time.monotonic()

    def spend(self, seconds: float) -> None:
        """The user's handler takes its time."""
        time.sleep(seconds * self._scale)

    def close(self) -> None:
        """The peer hangs up."""
        self._is_over.set()
        with contextlib.suppress(OSError):
            self._theirs.shutdown(socket.SHUT_RDWR)
        self._thread.join(PATIENCE)
        self._theirs.close()

    def _serve(self, peer: Peer) -> None:
        with contextlib.suppress(OSError, StopIteration):  # the door has hung up
            if self._context is not None:
                self._theirs = self._context.wrap_socket(self._theirs, server_side=True)
            action = next(peer.actions)
            while not self._is_over.is_set():
                heard = b""
                match action:
                    case Say(data):
                        self.said.append(self.now)
                        self._theirs.sendall(data)
                    case Hear():
                        heard = self._theirs.recv(65536)
                    case Pause(seconds):
                        self._is_over.wait(seconds * self._scale)
                    case End():
                        self._theirs.shutdown(socket.SHUT_WR)
                        self.has_ended.set()
                action = peer.actions.send(heard)
