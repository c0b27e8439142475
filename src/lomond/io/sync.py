"""Performs the requests of a script with blocking waits. Decides nothing about the protocol."""

from __future__ import annotations

import socket
from collections.abc import Callable, Generator
from time import monotonic, time
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from ..errors import TransportFail
from ..session.requests import (
    Adopt,
    Answer,
    Deliver,
    Drop,
    Failed,
    Hangup,
    Interrupted,
    Race,
    Read,
    Resolve,
    Run,
    Send,
    StartTLS,
    TimedOut,
)
from . import connecting, forking
from .channel import UNEXPECTED_CONDITION
from .resolving import Resolution
from .twin import Channel, TLSLayer, Transport, short_messages
from .waiting import Waiter

if TYPE_CHECKING:
    import ssl

    from ..protocol.events import AnyEvent
    from ..session.opening import Script
    from ..timings import Attempt
    from .settings import SocketSettings

_PARENTS = "connection belongs to the parent process"
_SLOT_PAUSE = 0.02  # seconds between two looks for a free resolver thread


class Outside(Protocol):
    """What the user gave that is not the session's: sockets and TLS."""

    socket: socket.socket | None  #: connected, instead of one to connect
    socket_settings: SocketSettings

    def context(self, of_proxy: bool) -> ssl.SSLContext:
        """For TLS with the server, or with the proxy."""
        ...


class Performer:
    """What a script asks for, done for one channel.

    Arguments:
        channel: The connection.
        outside: What the user gave for it.
    """

    __slots__ = ("_channel", "_given", "_link", "_outside", "_seen_close")

    def __init__(self, channel: Channel, outside: Outside) -> None:
        self._channel = channel
        self._link = channel.link
        self._outside = outside
        self._given = outside.socket
        self._seen_close = False

    def settle(self) -> None:
        """The connection stands: what the user gave for it is not needed any more."""
        del self._outside, self._given

    def perform(self, request: Any) -> Answer:
        """Do it. Raises Failed (or TimedOut, Interrupted) if it can't be done."""
        act = self._ACTS[type(request)]
        self._link.is_in_use = type(request) is not Hangup
        try:
            value = act(self, request)
        except (OSError, ValueError) as error:
            raise Failed(error, monotonic()) from None
        finally:
            self._link.is_in_use = False
        self._link.report()
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

    def _waiter(self, sock: socket.socket | None = None) -> Waiter:
        """What waits for the socket, if there is one, and for a wake-up."""
        if self._link.is_over:  # and the wake-up gone
            raise Interrupted(OSError("closed by the user"), monotonic())
        self._channel.start()
        return Waiter(self._link.wakeup, sock)

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
        waiter = self._waiter()
        resolution = Resolution(request.host, request.port, self._link.wake)
        while not resolution.start():
            self._check(request.deadline)
            waiter.wait(_SLOT_PAUSE)
        while not resolution.finished:
            self._wait(waiter, request.deadline)
        if resolution.error is not None:
            raise Failed(resolution.error, monotonic())
        return resolution.addresses

    def _race(self, request: Race) -> tuple[str, list[Attempt]]:
        self._waiter()
        wakeup = self._link.wakeup
        assert wakeup is not None
        race = connecting.Race(request.addresses, request.delay, self._outside.socket_settings)
        try:
            sock, address = race.run(request.deadline, wakeup, self._is_interrupted)
        except Failed as failure:
            failure.attempts = race.attempts
            raise
        self._use(sock)
        return address, race.attempts

    def _adopt(self, request: Adopt) -> str:
        self._waiter()
        sock, self._given = self._given, None
        if sock is None or sock.fileno() < 0:
            raise OSError("the given socket is closed or was used by an earlier connection")
        try:
            peer = sock.getpeername()
        except OSError as error:
            raise Failed(error, monotonic()) from None
        connecting.prepare(sock, self._outside.socket_settings)
        self._use(sock)
        return connecting.address_of((sock.family, sock.type, 0, "", peer))

    def _use(self, sock: socket.socket) -> None:
        self._channel.use(Transport(sock))

    def _drop(self, request: Drop) -> None:
        self._channel.drop()

    def _start_tls(self, request: StartTLS) -> None:
        link, transport = self._link, self._link.transport
        assert transport is not None
        layer = TLSLayer(self._outside.context(request.of_proxy), request.server_name)
        with link.lock:
            transport.add_layer(layer)
            if request.received:
                layer.feed(request.received)
        waiter = self._waiter(transport.sock)
        try:
            while True:
                self._check(request.deadline)  # a peer that is quick enough lets nobody wait
                with link.lock:
                    done = layer.shake_hands()
                    transport.enqueue(b"")
                self._write(waiter, request.deadline)
                if done:
                    return
                self._feed(waiter, request.deadline)
        except OSError:
            with link.lock:
                transport.enqueue(b"")  # the alert that tells the server why
            self._channel.flush()
            raise

    def _feed(self, waiter: Waiter, deadline: float | None) -> None:
        transport = self._link.transport
        assert transport is not None
        while (data := transport.receive()) is None:
            self._wait(waiter, deadline)
        if not data:
            raise ConnectionResetError("the other side hung up during the TLS handshake")
        with self._link.lock:
            transport.feed(data)

    def _send(self, request: Send) -> None:
        transport = self._link.transport
        assert transport is not None
        if request.waits:
            self._check(request.deadline)
            with self._link.lock:
                self._link.enqueue_quietly()
            self._write(self._waiter(transport.sock), request.deadline)
        else:
            self._channel.flush()

    def _write(self, waiter: Waiter, deadline: float | None) -> None:
        transport = self._link.transport
        assert transport is not None
        while True:
            try:
                self._channel.write_some()
            except TransportFail as failure:
                raise Failed(failure.cause or failure, monotonic()) from None
            if not transport.queue:
                return
            self._wait(waiter, deadline, writes=True)

    def _read(self, request: Read) -> bytes:
        link, transport = self._link, self._link.transport
        assert transport is not None
        waiter = self._waiter(transport.sock)
        while True:
            if transport.has_tls:
                with link.lock:
                    plain = transport.top().read()
                if plain is not None:
                    return plain
            data = transport.receive()
            if data is None:
                self._wait(waiter, request.deadline)
                continue
            if link.is_traced:
                link.note("socket_recv", len(data))
            if not transport.has_tls:
                return data
            with link.lock:
                transport.feed(data)

    def _hang_up(self, request: Hangup) -> None:
        self._channel.leave()

    _ACTS: ClassVar[dict[type, Callable[[Any, Any], Any]]] = {
        Resolve: _resolve,
        Race: _race,
        Adopt: _adopt,
        StartTLS: _start_tls,
        Drop: _drop,
        Send: _send,
        Read: _read,
        Hangup: _hang_up,
    }


def events(
    channel: Channel,
    script: Script,
    performer: Performer,
    traced: Callable[[AnyEvent], None] | None = None,
) -> Generator[AnyEvent, None, None]:
    """Perform the script; the one generator between a message and the user's loop.

    Arguments:
        channel: The connection.
        script: What to perform.
        performer: Performs all but Deliver and Run.
        traced: Called with each event before it is handed out.
    """
    session = channel.session
    connection = session.connection
    connection.clock = monotonic
    lock = channel.link.lock
    next_event = session.next_event
    read = channel.read
    output = session.output
    born = channel.link.born
    link = channel.link
    try:
        request = next(script)
        while True:
            kind = type(request)
            if forking.count != born:
                yield session.engine.Disconnected(_PARENTS)
                return
            if isinstance(request, Deliver):
                if traced is not None:
                    traced(request.event)
                yield request.event
                answer = Answer(monotonic())
            elif kind is Run:
                channel.settle()
                performer.settle()
                while True:
                    if traced is None:
                        yield from short_messages(connection)
                        if read():
                            continue
                    if forking.count != born:
                        break
                    now = monotonic()
                    link.is_wanted = True
                    with lock:
                        link.is_wanted = False
                        event = next_event(now)
                    if output.is_ready:
                        channel.flush()
                    if event is not None:
                        if traced is not None:
                            traced(event)
                        yield event
                    elif session.has_ended:
                        break
                    elif not read():
                        channel.read_or_tick()
                answer = Answer(monotonic())
            else:
                try:
                    answer = performer.perform(request)
                except Failed as failure:
                    request = script.throw(failure)
                    continue
            request = script.send(answer)
    except StopIteration:
        pass
    except BaseException as error:
        channel.abandon()
        link.is_in_use = False
        if isinstance(error, Exception):
            # A mistake of ours: neither hidden nor half alive.
            channel.leave(UNEXPECTED_CONDITION, "error; see the exception")
        raise
    finally:
        channel.leave()
        script.close()
