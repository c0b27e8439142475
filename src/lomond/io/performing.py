"""Does what a script asks for, step by step: each step yields what it waits for to the door.

The door waits in its own way and goes on. Decides nothing about the protocol.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Generator
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from ..options import BODY_TIMEOUT
from ..session.course import sooner
from ..session.requests import (
    Adopt,
    Answer,
    Ask,
    Await,
    Drop,
    Failed,
    Hangup,
    Interrupted,
    Race,
    Read,
    Resolve,
    Send,
    StartTLS,
    TimedOut,
    answer_of,
)
from ..system import connecting, descriptors
from ..system.clock import monotonic, time
from ..system.layers import TLSLayer, shake_hands
from ..system.need import Awaited, Need
from ..system.pipe import Pipe
from ..system.resolving import Resolution, literal
from .looping import Looping
from .stepping import Stepping

if TYPE_CHECKING:
    import ssl

    from ..secured import Secured
    from ..session.session import Session
    from ..system.need import Waking
    from ..system.sockets import SocketSettings
    from ..system.tickets import Resumable
    from ..timings import Attempt
    from .exchange import Exchange
    from .journal import Journal

    class Driving(Waking, Protocol):
        """What waits for a connection, and goes on with its generator then."""

        def exchange(self, session: Session, journal: Journal | None) -> Exchange:
            """A new connection's, which wakes it."""
            ...

        def carry(self, sock: socket.socket, session: Session) -> Steps:
            """The Pipe of a session's connected socket."""
            ...


_MOST_LATE = 16  # reads of a TLS handshake that bring something after the deadline
_BEATS = 16  # in open_timeout: as often it is looked at whether the wait ends in time
_LATE = 0.02  # seconds after which it does not

#: Yields what it waits for.
Steps = Generator[Need, None, Any]


class Outside(Protocol):
    """What the user gave that is not the session's: sockets and TLS."""

    socket: socket.socket | None  #: connected, instead of one to connect
    socket_settings: SocketSettings

    def context(self, of_proxy: bool) -> ssl.SSLContext:
        """The context of TLS with the server, or with the proxy."""
        ...


class Performer(Stepping):
    """What a script asks for, done for one connection.

    Arguments:
        exchange: The connection's.
        outside: What the user gave for it.
        carry: Makes the Pipe of a connected socket; None for one that may wait in a read.
    """

    __slots__ = ("_carry", "_given", "_outside", "_resumable")
    _new_race: ClassVar[Callable[..., connecting.Race]] = connecting.Race

    def __init__(
        self,
        exchange: Exchange,
        outside: Outside,
        carry: Callable[[socket.socket, Session], Steps] | None = None,
    ) -> None:
        super().__init__(exchange)
        self._carry = carry
        self._outside = outside
        self._given = outside.socket
        self._resumable: Resumable | None = None  # where the session that follows is to be kept

    def settle(self) -> None:
        """The connection stands: what the user gave for it is not needed any more."""
        del self._outside, self._given, self._carry, self._resumable

    def perform(self, request: Any) -> Generator[Need, None, Answer]:
        """Do it. Raises Failed (or TimedOut, Interrupted) if it can't be done."""
        self._exchange.is_in_use = type(request) is not Hangup
        steps = self._ACTS[type(request)](self, request)
        try:
            try:
                need = next(steps)
            except StopIteration as done:  # as most do without a wait
                value = done.value
            else:
                value = yield from self._counted(steps, need)
        except Failed:
            raise
        except ImportError as error:
            raise Failed(descriptors.behind(error), monotonic()) from None
        except (OSError, ValueError) as error:
            raise Failed(descriptors.told(error), monotonic()) from None
        finally:
            self._exchange.is_in_use = False
        if self._exchange.journal is not None:
            self._exchange.journal.tell()
        return answer_of((monotonic(), time(), value))

    def _counted(self, steps: Steps, need: Need) -> Steps:
        """Go on with the steps, from what they need first, noting how long they are kept waiting.

        What they lose is where somebody keeps the door from going on.
        """
        session = self._exchange.session
        timeout = session.timing.open_timeout
        try:
            while timeout is None:
                yield need
                need = next(steps)
            while True:
                began = monotonic()
                beat = began + timeout / _BEATS
                need.until = beat if need.until is None else min(need.until, beat)
                yield need
                now = noticed = monotonic()
                if need.looked_at is not None and need.looked_at >= need.until:
                    noticed = need.looked_at
                if noticed - need.until > _LATE:
                    session.course.kept += noticed - need.until
                # Turns in which a loop reads what had come are lost too, behind a wait: in a loop
                # whose turns are long nothing but turns would put a deadline off for ever.
                turns = now - noticed if began < need.until else 0.0
                need = next(steps)
                if turns > _LATE:
                    session.course.kept += turns
        except StopIteration as done:
            return done.value
        finally:
            steps.close()

    def _ask(self, request: Ask) -> Steps:
        yield from ()
        value = _asked(request.act)
        now = monotonic()
        if self._has_passed(request.deadline, now):
            raise TimedOut(TimeoutError("no answer in time"), now)
        return value

    def _await(self, request: Await) -> Steps:
        if not isinstance(self._exchange, Looping):
            raise TypeError(
                f"{request.act!r} is to be awaited, which a door without an event loop can't do; "
                "give a plain function, or use an AsyncWebSocket or a TrioWebSocket"
            )
        awaited = Awaited(request.act)
        need: Need | None = None
        while not awaited.is_done:
            self._check_after(need, request.deadline)
            need = Need(self._until(request.deadline))
            need.awaited = awaited
            yield need
        if awaited.error is not None:
            raise Failed(descriptors.told(awaited.error), monotonic())
        return awaited.result

    def _resolve(self, request: Resolve) -> Generator[Need, None, list[Any]]:
        known = literal(request.host, request.port)
        if known is not None:
            yield from ()
            return known
        self._start()
        deadline = request.deadline
        resolution = Resolution(request.host, request.port, self._exchange.wake)
        return (
            yield from resolution.run(
                lambda need: self._check_after(need, deadline), lambda: self._until(deadline)
            )
        )

    def _race(self, request: Race) -> Generator[Need, None, tuple[str, list[Attempt]]]:
        self._start()
        race = self._new_race(request.addresses, request.delay, self._outside.socket_settings)
        try:
            sock, address = yield from race.run(
                request.deadline, self._check, self._exchange.session.course
            )
        except Failed as failure:
            failure.attempts = race.attempts
            raise
        yield from self._use(sock)
        return address, race.attempts

    def _adopt(self, request: Adopt) -> Generator[Need, None, str]:
        self._start()
        sock, self._given = self._given, None
        if sock is None or sock.fileno() < 0:
            raise OSError("the given socket is closed or was used by an earlier connection")
        try:
            address = connecting.address_of((sock.family, sock.type, 0, "", sock.getpeername()))
        except OSError as error:
            if not connecting.has_words(sock):
                raise Failed(error, monotonic()) from None
            address = "the given socket"  # which was reset, behind what it has for us
        connecting.prepare(sock, self._outside.socket_settings)
        yield from self._use(sock)
        return address

    def _use(self, sock: socket.socket) -> Steps:
        # Whoever carries it closes it too, if that comes to nothing.
        pipe = (
            Pipe(sock)
            if self._carry is None
            else (yield from self._carry(sock, self._exchange.session))
        )
        journal = self._exchange.journal
        if journal is not None and journal.has_bytes:
            from .tapping import TappedWire

            pipe.wire = TappedWire(sock, pipe.wire, journal)
        self._exchange.use(pipe)

    def _drop(self, request: Drop) -> Steps:
        self._exchange.drop()
        yield from ()

    def _start_tls(self, request: StartTLS) -> Generator[Need, None, Secured]:
        exchange, pipe = self._exchange, self._exchange.pipe
        assert pipe is not None
        context, resumable = self._context(request)
        session = None if resumable is None else resumable.take()
        layer: TLSLayer = _asked(lambda: TLSLayer(context, request.server_name, session))
        exchange.alone(pipe.add_layer, layer, request.received)
        self._start()
        try:
            secured = yield from self._shake_hands(request, pipe, layer)
        except BaseException:
            if resumable is not None:
                resumable.drop()
            raise
        if resumable is not None and not layer.is_resumed:
            resumable.drop()  # the server did not want it
        self._resumable = resumable
        return secured

    def _context(self, request: StartTLS) -> tuple[ssl.SSLContext, Resumable | None]:
        """The context, and the sessions of it with this peer, if any is to be resumed."""
        context: ssl.SSLContext = _asked(lambda: self._outside.context(request.of_proxy))
        if request.peer is None:
            return context, None
        from ..system.tickets import resumable

        return context, resumable(context, (request.of_proxy, request.server_name, *request.peer))

    def _shake_hands(
        self, request: StartTLS, pipe: Pipe, layer: TLSLayer
    ) -> Generator[Need, None, Secured]:
        exchange = self._exchange
        late = 0
        failed: Failed | None = None  # to write; what the other side said before is still read
        try:
            while True:
                # What is here already is used, if the thread was kept from it until now; but a
                # peer that is quick enough lets nobody wait.
                late += self._has_passed(request.deadline, monotonic())
                self._check(request.deadline if late > _MOST_LATE else None)
                done = exchange.alone(shake_hands, layer, pipe.enqueue)
                if failed is None:
                    failed = yield from self._write_or_fail(request.deadline)
                if done:
                    return layer.secured  # where a write failed, the next one does too, and reads
                yield from self._feed(pipe, request.deadline, failed)
        except OSError:
            exchange.alone(pipe.enqueue, b"")  # the alert that tells the server why
            self._exchange.flush()
            raise

    def _write_or_fail(self, deadline: float | None) -> Generator[Need, None, Failed | None]:
        """Write the output; the failure, where that is the system's alone."""
        try:
            yield from self._write(deadline)
        except (TimedOut, Interrupted):
            raise
        except Failed as failure:
            return failure
        return None

    def _feed(self, pipe: Pipe, deadline: float | None, failed: Failed | None) -> Steps:
        if failed is not None:
            course = self._exchange.session.course
            deadline = sooner(deadline, course.counted(failed.now) + BODY_TIMEOUT)
        try:
            data = yield from self._received(pipe, deadline)
        except (OSError, TimedOut):
            if failed is not None:
                raise failed from None
            raise
        if not data:
            gone = ConnectionResetError("the other side hung up during the handshake")
            raise failed or gone
        self._exchange.alone(pipe.feed, data)

    def _send(self, request: Send) -> Steps:
        if request.waits:
            self._check()
            self._exchange.alone(self._exchange.enqueue_quietly)
            self._start()
            yield from self._write(request.deadline)
        elif self._exchange.output.is_ready:
            self._exchange.flush()

    def _read(self, request: Read) -> Generator[Need, None, bytes]:
        exchange, pipe = self._exchange, self._exchange.pipe
        assert pipe is not None
        self._start()
        while True:
            if pipe.layers:
                plain = self._read_top(pipe)
                if plain is not None:
                    return plain
            data = yield from self._received(pipe, request.deadline)
            if not pipe.layers:
                return data
            exchange.alone(pipe.feed, data)

    def _read_top(self, pipe: Pipe) -> bytes | None:
        """Plain bytes, as `Layer.read`; with the first ones came what a later handshake resumes."""
        layer, resumable = pipe.top(), self._resumable
        try:
            plain: bytes | None = self._exchange.alone(layer.read)
        except OSError:
            if resumable is not None:
                resumable.drop()  # TLS 1.3 says now what it has against the handshake
            raise
        if resumable is not None and plain is not None:
            self._resumable = None
            if not plain:
                resumable.drop()
            elif resumable.is_missing() and isinstance(layer, TLSLayer):
                session = self._exchange.alone(layer.ticket_of_its_own)
                if session is not None:
                    resumable.keep(session)
        return plain

    def _hang_up(self, request: Hangup) -> Steps:
        self._exchange.leave()
        yield from ()

    #: What doing each takes.
    _ACTS: ClassVar[dict[type, Callable[[Any, Any], Steps]]] = {
        Ask: _ask,
        Await: _await,
        Resolve: _resolve,
        Race: _race,
        Adopt: _adopt,
        StartTLS: _start_tls,
        Drop: _drop,
        Send: _send,
        Read: _read,
        Hangup: _hang_up,
    }


def _asked(act: Callable[[], Any]) -> Any:
    """What the user's own code gives: a callable, a mapping, a TLS context. Raises Failed."""
    try:
        return act()
    except ImportError:
        raise  # of a module that is needed only now
    except Exception as error:
        raise Failed(descriptors.told(error), monotonic()) from None
