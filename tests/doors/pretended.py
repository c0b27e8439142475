"""A peer's script behind the real doors, in pretend time or in real time.

In pretend time the doors do all that they do, on a pair of sockets, but go by a clock that jumps
where they would wait; what the script then does is there at once.
"""

from __future__ import annotations

import asyncio
import contextlib
import select
import socket
import ssl
import threading
import time
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
import trio

from doors import on_trio
from doors.tapped import Tapped
from lomond.io import group_loop, waiting
from lomond.io.polling import Poller
from lomond.system import pipe
from lomond.testing.clock import PretendClock
from lomond.testing.peer import End, Hear, Pause, Peer, Say, Talk
from patience import PATIENCE

_TICK = 1e-6  # seconds; behind a wait the clock is a little late, so that rounding loses nothing
_END = 10_000.0  # nothing that works takes so long
_DONE = object()  # what a script does that is over
_SMALL = 32 * 1024  # bytes; of a socket's buffers, so that a write soon has to wait


class PretendTime(PretendClock):
    """A connected socket, the script at its other end, and the clock of both.

    The doors go by it from `install` to `close`.

    Arguments:
        talk: What the peer does.

    Attributes:
        sock: What is given to the door.
        said: When the script said something.
    """

    def __init__(self, talk: Callable[[Peer], Talk]) -> None:
        super().__init__(1000.0)
        ours, self._theirs = socket.socketpair()
        self._theirs.setblocking(False)
        self.sock = Tapped(fileno=ours.detach())
        self.sock.on_recv = self._received
        self.started = self.now
        self.said: list[float] = []
        self._actions = Peer(talk).actions
        self._action: Any = next(self._actions, _DONE)
        self._taken: int | None = None  # bytes of what is being said
        self._goes_on_at: float | None = None  # of a pause
        self._is_installed = False

    def install(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Have the doors go by this clock, and wait by it."""
        self.__enter__()
        self._is_installed = True
        calls = SimpleNamespace(poll=lambda: _Poll(self), POLLIN=select.POLLIN)
        calls.POLLOUT = select.POLLOUT
        monkeypatch.setattr(waiting, "select", calls)
        monkeypatch.setattr(waiting, "Selector", lambda: _Selector(self))
        monkeypatch.setattr(group_loop, "new_poller", lambda: Poller(_Selector(self)))
        monkeypatch.setattr(asyncio, "new_event_loop", lambda: _Loop(self))
        monkeypatch.setattr(on_trio, "made_clock", lambda: _Clock(self))
        manager = trio._core._run.TheIOManager  # noqa: SLF001  # trio has no other way to wait
        look = manager.get_events

        def wait(one: Any, seconds: float) -> Any:
            if seconds <= 0:
                return look(one, 0)
            on_trio.host_waits.wait(PATIENCE)  # its thread does not turn the clock under a handler
            return self.wait(lambda: look(one, 0), seconds)

        monkeypatch.setattr(manager, "get_events", wait)

    def spend(self, seconds: float) -> None:
        """The user's handler takes its time; the peer goes on."""
        end = self.now + seconds
        self._serve()
        while self._goes_on_at is not None and self._goes_on_at <= end:
            self.now = max(self.now, self._goes_on_at)
            self._serve()
        self.now = end

    def wait(self, look: Callable[[], Any], seconds: float | None) -> Any:
        """What `look` finds, when it finds something or that time is over."""
        end = None if seconds is None else self.now + max(0.0, seconds)
        while True:
            self._serve()
            found = look()
            if found:
                return found
            moments = [moment for moment in (end, self._goes_on_at) if moment is not None]
            assert moments, "everybody waits, and nothing will ever happen"
            if end is not None and self.now >= end:
                self.now += _TICK
                return found
            self.now = max(self.now, min(moments))
            assert self.now < _END, "this does not end"

    def close(self) -> None:
        """The peer hangs up, and time is real again."""
        if self._is_installed:
            self._is_installed = False
            self.__exit__()
        self._actions.close()
        self._theirs.close()
        self.sock.close()

    def _received(self, size: int, flags: int) -> bytes:
        """As `recv`; one that the system would bound is bounded here."""
        if not flags & socket.MSG_DONTWAIT:
            poll = select.poll()
            poll.register(self.sock, select.POLLIN)
            self.wait(lambda: poll.poll(0), pipe.BOUND)
        return self.sock.recv_now(size, flags | socket.MSG_DONTWAIT)

    def _serve(self) -> None:
        """The script goes on up to where it waits."""
        while self._action is not _DONE:
            heard = b""
            match self._action:
                case Say(data):
                    if not self._say(data):
                        return
                case Hear():
                    came = self._hear()
                    if came is None:
                        return
                    heard = came
                case Pause(seconds):
                    if self._goes_on_at is None:
                        self._goes_on_at = self.now + seconds
                    if self.now < self._goes_on_at:
                        return
                    self._goes_on_at = None
                case End():
                    self._theirs.shutdown(socket.SHUT_WR)
            try:
                self._action = self._actions.send(heard)
            except StopIteration:
                self._action = _DONE

    def _say(self, data: bytes) -> bool:
        """Whether the system has all of it."""
        if self._taken is None:
            self.said.append(self.now)
            self._taken = 0
        try:
            while self._taken < len(data):
                self._taken += self._theirs.send(data[self._taken :])
        except BlockingIOError:
            return False
        except OSError:  # the door has hung up, which a script hears
            pass
        self._taken = None
        return True

    def _hear(self) -> bytes | None:
        """What came; None if nothing did."""
        try:
            return self._theirs.recv(65536)
        except BlockingIOError:
            return None
        except OSError:
            return b""


class _Poll:
    """As what select.poll gives."""

    def __init__(self, clock: PretendTime) -> None:
        self._clock = clock
        self._poll = select.poll()
        self.register = self._poll.register
        self.modify = self._poll.modify
        self.unregister = self._poll.unregister

    def poll(self, milliseconds: float) -> Any:
        return self._clock.wait(lambda: self._poll.poll(0), milliseconds / 1000)


class _Selector(waiting.Selector):  # type: ignore[misc]  # of each system its own
    def __init__(self, clock: PretendTime) -> None:
        super().__init__()
        self._clock = clock

    def select(self, timeout: float | None = None) -> Any:
        look = super().select
        return self._clock.wait(lambda: look(0), timeout)


class _Loop(asyncio.SelectorEventLoop):
    def __init__(self, clock: PretendTime) -> None:
        self._pretended = clock
        super().__init__(_Selector(clock))

    def time(self) -> float:
        return self._pretended.now


class _Clock(trio.abc.Clock):
    def __init__(self, clock: PretendTime) -> None:
        self._pretended = clock

    def start_clock(self) -> None:
        pass

    def current_time(self) -> float:
        return self._pretended.now

    def deadline_to_sleep_time(self, deadline: float) -> float:
        return deadline - self._pretended.now


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
