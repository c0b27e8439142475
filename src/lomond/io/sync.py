"""Performs the requests of a script with blocking waits. Decides nothing about the protocol."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable
from time import monotonic, time
from typing import Any, ClassVar

from ..session.requests import (
    Adopt,
    Answer,
    Failed,
    Hangup,
    Interrupted,
    Race,
    Read,
    Resolve,
    Send,
    StartTLS,
    TimedOut,
)
from . import connecting
from .channel import Channel
from .resolving import Resolution
from .tls import TLSLayer
from .transport import Transport
from .waiting import Waiter

_SLOT_PAUSE = 0.02  # seconds between two looks for a free resolver thread


class Performer:
    """What a script asks for, done for one channel.

    Arguments:
        channel: The connection.
        make_context: Gives the TLS context when it is needed.
        given: A connected socket from the user, or None.
    """

    def __init__(
        self,
        channel: Channel,
        make_context: Callable[[], ssl.SSLContext],
        given: socket.socket | None = None,
    ) -> None:
        self._channel = channel
        self._make_context = make_context
        self._given = given
        self._seen_close = False

    def perform(self, request: Any) -> Answer:
        """Do it. Raises Failed (or TimedOut, Interrupted) if it can't be done."""
        channel = self._channel
        act = self._ACTS[type(request)]
        channel.is_in_use = type(request) is not Hangup
        try:
            value = act(self, request)
        except (OSError, ValueError) as error:
            raise Failed(error, monotonic()) from None
        finally:
            channel.is_in_use = False
        channel.report()
        return Answer(monotonic(), time(), value)

    def _is_interrupted(self) -> bool:
        """Whether the user closed; True once."""
        if self._channel.is_over or self._channel.session.has_ended:
            return True
        asked = self._channel.session.close_asked_at is not None
        if asked and not self._seen_close:
            self._seen_close = True
            return True
        return False

    def _wait(self, waiter: Waiter, deadline: float | None, writes: bool = False) -> None:
        now = self._check(deadline)
        waiter.wait(None if deadline is None else deadline - now, writes)

    def _check(self, deadline: float | None) -> float:
        """Raise if the user closed or the deadline passed; the time."""
        self._channel.run_deferred()
        now = monotonic()
        if self._is_interrupted():
            raise Interrupted(OSError("closed by the user"), now)
        if deadline is not None and now >= deadline:
            raise TimedOut(TimeoutError("no answer in time"), now)
        return now

    def _resolve(self, request: Resolve) -> list[Any]:
        resolution = Resolution(request.host, request.port, self._channel.wake)
        waiter = Waiter(self._channel.wakeup)
        while not resolution.start():
            self._check(request.deadline)
            waiter.wait(_SLOT_PAUSE)
        while not resolution.finished:
            self._wait(waiter, request.deadline)
        if resolution.error is not None:
            raise Failed(resolution.error, monotonic())
        return resolution.addresses

    def _race(self, request: Race) -> str:
        wakeup = self._channel.wakeup
        assert wakeup is not None
        race = connecting.Race(request.addresses, request.delay)
        sock, address = race.run(request.deadline, wakeup, self._is_interrupted)
        self._use(sock)
        return address

    def _adopt(self, request: Adopt) -> str:
        sock, self._given = self._given, None
        if sock is None or sock.fileno() < 0:
            raise OSError("the given socket is closed or was used by an earlier connection")
        try:
            peer = sock.getpeername()
        except OSError as error:
            raise Failed(error, monotonic()) from None
        self._use(sock)
        return connecting.address_of((sock.family, sock.type, 0, "", peer))

    def _use(self, sock: socket.socket) -> None:
        connecting.prepare(sock)
        self._channel.use(Transport(sock))

    def _start_tls(self, request: StartTLS) -> None:
        channel, transport = self._channel, self._channel.transport
        assert transport is not None
        layer = TLSLayer(self._make_context(), request.server_name)
        with channel.lock:
            transport.add_layer(layer)
        waiter = Waiter(channel.wakeup, transport.sock)
        try:
            while True:
                with channel.lock:
                    done = layer.shake_hands()
                    transport.enqueue(b"")
                self._write(waiter, request.deadline)
                if done:
                    return
                self._feed(waiter, request.deadline)
        except ssl.SSLError:
            with channel.lock:
                transport.enqueue(b"")  # the alert that tells the server why
            channel.flush()
            raise

    def _feed(self, waiter: Waiter, deadline: float | None) -> None:
        transport = self._channel.transport
        assert transport is not None
        while (data := transport.receive()) is None:
            self._wait(waiter, deadline)
        if not data:
            raise OSError("the server hung up during the TLS handshake")
        with self._channel.lock:
            transport.feed(data)

    def _send(self, request: Send) -> None:
        self._channel.flush()
        if request.waits:
            transport = self._channel.transport
            assert transport is not None
            self._write(Waiter(self._channel.wakeup, transport.sock), request.deadline)

    def _write(self, waiter: Waiter, deadline: float | None) -> None:
        transport = self._channel.transport
        assert transport is not None
        while transport.has_queue:
            before = transport.written
            transport.write()
            self._channel.note("socket_send", transport.written - before)
            if transport.has_queue:
                self._wait(waiter, deadline, writes=True)

    def _read(self, request: Read) -> bytes:
        channel, transport = self._channel, self._channel.transport
        assert transport is not None
        waiter = Waiter(channel.wakeup, transport.sock)
        while True:
            if transport.has_tls and (plain := transport.top.read()) is not None:
                return plain
            data = transport.receive()
            if data is None:
                self._wait(waiter, request.deadline)
                continue
            channel.note("socket_recv", len(data))
            if not transport.has_tls:
                return data
            with channel.lock:
                transport.feed(data)
            if not data and transport.top.read() is None:
                return b""

    def _hang_up(self, request: Hangup) -> None:
        self._channel.leave()

    _ACTS: ClassVar[dict[type, Callable[[Any, Any], Any]]] = {
        Resolve: _resolve,
        Race: _race,
        Adopt: _adopt,
        StartTLS: _start_tls,
        Send: _send,
        Read: _read,
        Hangup: _hang_up,
    }
