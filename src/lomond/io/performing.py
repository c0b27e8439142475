"""Does what a script asks for, step by step: each step yields what it waits for to the door.

The door waits in its own way and goes on. Decides nothing about the protocol.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Generator
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from ..errors import TransportFail
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
from ..system.pipe import BOUND, Pipe
from ..system.resolving import Resolution, literal
from .looping import Looping
from .waiting import signals_tick

if TYPE_CHECKING:
    import ssl

    from ..secured import Secured
    from ..session.session import Session
    from ..system.need import Waking
    from ..system.sockets import SocketSettings
    from ..timings import Attempt
    from .exchange import Exchange
    from .inward import Traced

    class Driving(Waking, Protocol):
        """What waits for a connection, and goes on with its generator then."""

        def exchange(self, session: Session, traced: Traced | None) -> Exchange:
            """A new connection's, which wakes it."""
            ...

        def carry(self, sock: socket.socket, session: Session) -> Steps:
            """The Pipe of a session's connected socket."""
            ...


_READ_SIZE = 16 * 1024  # bytes
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


class Performer:
    """What a script asks for, done for one connection.

    Arguments:
        exchange: The connection's.
        outside: What the user gave for it.
        carry: Makes the Pipe of a connected socket; None for one that may wait in a read.
    """

    __slots__ = ("_carry", "_exchange", "_given", "_outside", "_seen_close")

    def __init__(
        self,
        exchange: Exchange,
        outside: Outside,
        carry: Callable[[socket.socket, Session], Steps] | None = None,
    ) -> None:
        self._carry = carry
        self._exchange = exchange
        self._outside = outside
        self._given = outside.socket
        self._seen_close = False

    def settle(self) -> None:
        """The connection stands: what the user gave for it is not needed any more."""
        del self._outside, self._given, self._carry

    def perform(self, request: Any) -> Generator[Need, None, Answer]:
        """Do it. Raises Failed (or TimedOut, Interrupted) if it can't be done."""
        self._exchange.is_in_use = type(request) is not Hangup
        steps = self._steps(request)
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
        if self._exchange.is_traced:
            self._exchange.report()
        return answer_of((monotonic(), time(), value))

    def _steps(self, request: Any) -> Steps:
        """What doing it takes."""
        return self._ACTS[type(request)](self, request)

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

    def _until(self, deadline: float | None) -> float | None:
        """When a deadline passes, by the clock."""
        return None if deadline is None else deadline + self._exchange.session.course.kept

    def _has_passed(self, deadline: float | None, moment: float) -> bool:
        until = self._until(deadline)  # as what was waited for, to the last digit
        return until is not None and moment >= until

    def _start(self) -> None:
        """Get ready to wait."""
        if self._exchange.is_over:  # and the wake-up gone
            raise Interrupted(OSError("closed by the user"), monotonic())
        if self._exchange.wakeup is None:
            self._exchange.start()

    def _received(self, pipe: Pipe, deadline: float | None) -> Generator[Need, None, bytes]:
        """What comes; what is there already is looked at before the deadline is judged."""
        need: Need | None = None
        waits = self._may_wait(pipe, deadline)
        while True:
            now = monotonic()
            data = pipe.wire.receive_apart(_READ_SIZE, waits)
            if data is not None:
                return data
            waits = False
            self._check_after(need, deadline, now)
            need = Need(self._until(deadline), (pipe.sock,))
            yield need

    def _may_wait(self, pipe: Pipe, deadline: float | None) -> bool:
        """Whether a read is to wait by itself, BOUND at most: one system call, and not three."""
        exchange = self._exchange
        finish = exchange.session.finish
        if not pipe.may_wait or exchange.is_over or finish.close_asked_at is not None:
            return False
        until = self._until(deadline)
        is_long = until is None or until - monotonic() > 2 * BOUND
        return is_long and not signals_tick()

    def _check(self, deadline: float | None = None, looked_at: float | None = None) -> None:
        """Raise if the user closed, or the deadline had passed by then, or by now."""
        self._exchange.catch_up()
        now, exchange = monotonic(), self._exchange
        is_asked = exchange.session.finish.close_asked_at is not None and not self._seen_close
        if exchange.is_over or exchange.connection.has_ended or is_asked:
            self._seen_close = self._seen_close or is_asked  # once is enough
            raise Interrupted(OSError("closed by the user"), now)
        moment = now if looked_at is None else looked_at
        if deadline is not None and self._has_passed(deadline, moment):
            raise TimedOut(TimeoutError("no answer in time"), now)

    def _check_after(
        self, need: Need | None, deadline: float | None, looked_at: float | None = None
    ) -> None:
        """Check after a wait for it; without one, no deadline is judged yet."""
        if need is None:
            self._check()
        else:
            self._check(deadline, looked_at if need.looked_at is None else need.looked_at)

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
        race = connecting.Race(request.addresses, request.delay, self._outside.socket_settings)
        try:
            sock, address = yield from race.run(
                request.deadline, self._check, lambda: self._exchange.session.course.kept
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
        self._exchange.use(pipe)

    def _drop(self, request: Drop) -> Steps:
        self._exchange.drop()
        yield from ()

    def _start_tls(self, request: StartTLS) -> Generator[Need, None, Secured]:
        exchange, pipe = self._exchange, self._exchange.pipe
        assert pipe is not None
        layer: TLSLayer = _asked(
            lambda: TLSLayer(self._outside.context(request.of_proxy), request.server_name)
        )
        exchange.alone(pipe.add_layer, layer, request.received)
        self._start()
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
        else:
            self._exchange.flush()

    def _write(self, deadline: float | None) -> Steps:
        pipe = self._exchange.pipe
        assert pipe is not None
        need: Need | None = None
        while True:
            try:
                self._exchange.write_some()
            except TransportFail as failure:
                raise Failed(failure.cause or failure, monotonic()) from None
            if not pipe.queue:
                return
            self._check_after(need, deadline)
            need = Need(self._until(deadline), (), (pipe.sock,))
            yield need

    def _read(self, request: Read) -> Generator[Need, None, bytes]:
        exchange, pipe = self._exchange, self._exchange.pipe
        assert pipe is not None
        self._start()
        while True:
            if pipe.layers:
                plain: bytes | None = exchange.alone(pipe.top().read)
                if plain is not None:
                    return plain
            data = yield from self._received(pipe, request.deadline)
            if exchange.is_traced:
                exchange.note("socket_recv", len(data))
            if not pipe.layers:
                return data
            exchange.alone(pipe.feed, data)

    def _hang_up(self, request: Hangup) -> Steps:
        self._exchange.leave()
        yield from ()

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
