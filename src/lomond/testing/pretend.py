"""The pretend door: performs the same scripts as the real one, over the pretend network.

No socket, no sleep, no thread.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Generator, Sequence
from typing import Any

from ..options import Deflate, Limits, Timing, check_compress
from ..protocol import frames
from ..protocol.events import AnyEvent
from ..protocol.extensions.extension import Offer
from ..protocol.extensions.known import offers
from ..proxies import Proxy
from ..session.opening import conversation
from ..session.requests import (
    Adopt,
    Answer,
    Ask,
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
from ..session.session import Session
from ..timings import Attempt
from .network import PretendNetwork
from .peer import Peer, Talk
from .plans import PretendPlan

_NEVER = float("inf")
_WALL = 1_700_000_000.0  # the wall clock when the pretend clock says 0


def counting_bytes() -> Callable[[int], bytes]:
    """A source of bytes that never repeat, for keys that a test can tell apart."""
    numbers = itertools.count(1)
    return lambda size: b"".join(next(numbers).to_bytes(4, "big") for _ in range((size + 3) // 4))[
        :size
    ]


class PretendDoor:
    """One connection in pretend time.

    Arguments:
        talk: What the peer does.
        timing, limits: As for a session.
        failures: Errors that requests fail with, by the request's type; an error of the class
            TimeoutError means that the request hangs until its deadline.
        delays: Seconds that a request takes, by its type.
        latency: Seconds that bytes travel.
        secure: Whether to ask for TLS (which is then only pretended).
        alpn: What it agrees on above TLS.
        has_socket: Whether the user gave a connected socket.
        compress: As for a WebSocket.
        extensions: More to offer, beside compression.
        proxy, max_redirects: As for a plan.
        later_talks: What the peers of later connections do, after a redirect or a challenge.

    Attributes:
        plan: What is asked for.
        sent: All bytes that were written.
        hung_up: Whether the socket was closed.
        is_stuck: Set it to make the system take no bytes.
    """

    def __init__(
        self,
        talk: Callable[[Peer], Talk],
        timing: Timing | None = None,
        limits: Limits | None = None,
        *,
        failures: dict[type, BaseException] | None = None,
        delays: dict[type, float] | None = None,
        latency: float = 0.001,
        secure: bool = False,
        alpn: str | None = None,
        has_socket: bool = False,
        compress: bool | Deflate = False,
        extensions: Sequence[Offer] = (),
        proxy: Proxy | None = None,
        max_redirects: int = 0,
        later_talks: tuple[Callable[[Peer], Talk], ...] = (),
    ) -> None:
        random_bytes = counting_bytes()
        self.sent = b""
        self.hung_up = False
        self.is_stuck = False
        self.limits = limits or Limits()
        self.session = Session(timing or Timing(), self.limits, random_bytes)
        self._network = PretendNetwork(Peer(talk), latency)
        self._later_talks = list(later_talks)
        self._failures = failures or {}
        self._delays = delays or {}
        self._alpn = alpn
        self.plan = PretendPlan(
            random_bytes,
            secure=secure,
            has_socket=has_socket,
            extensions=[*offers(check_compress(compress)), *extensions],
            proxy=proxy,
            max_redirects=max_redirects,
            limits=self.limits,
        )
        self._queue = b""
        self._seen_close = False
        self._write_ended = False

    @property
    def now(self) -> float:
        """The pretend clock."""
        return self._network.now

    @property
    def peer(self) -> Peer:
        """What the peer has heard."""
        return self._network.peer

    # The user

    def at(self, moment: float, action: Callable[[], None]) -> None:
        """Do something at a pretend moment, as another thread would."""
        self._network.at(moment, action)

    def send_text(self, text: str) -> None:
        """As of a WebSocket."""
        self.session.send_message(frames.TEXT, text.encode(), compress=True)
        self._flush()

    def send_ping(self, data: bytes = b"") -> None:
        """As of a WebSocket."""
        self.session.send_message(frames.PING, data)
        self._flush()

    def send_pong(self, data: bytes) -> None:
        """As of a WebSocket."""
        self.session.send_message(frames.PONG, data)
        self._flush()

    def force_disconnect(self) -> None:
        """As of a WebSocket."""
        self.session.end("disconnected by the user", False, self.now)

    def close(self, code: int | None = 1000, reason: str = "goodbye") -> None:
        """As of a WebSocket."""
        self.session.close(code, reason, self.now)
        self._flush()

    def spend(self, seconds: float) -> None:
        """The user's handler takes its time; the network goes on."""
        self._network.advance_to(self.now + seconds)

    def keep(self, seconds: float) -> None:
        """Something else has the thread for a while; the network goes on. For `at`."""
        self.session.kept += seconds
        self._network.advance_to(self.now + seconds)

    def play(
        self, act: Callable[[PretendDoor, Any], None] = lambda door, event: None
    ) -> list[tuple[float, Any]]:
        """All events and their moments; `act` is the user's handler."""
        seen: list[tuple[float, Any]] = []
        for event in self.events():
            seen.append((self.now, event))
            act(self, event)
        return seen

    def events(self) -> Generator[AnyEvent, None, None]:
        """The events of the connection."""
        script = conversation(self.session, self.plan)
        try:
            request: Any = next(script)
            while True:
                value: Any = None
                try:
                    if isinstance(request, Deliver):
                        yield request.event
                    elif isinstance(request, Run):
                        yield from self._run()
                    else:
                        value = self._perform(request)
                except Failed as failure:
                    request = script.throw(failure)
                    continue
                request = script.send(Answer(self.now, _WALL + self.now, value))
        except StopIteration:
            return
        finally:
            self.session.leave(1001, "left by the user", self.now)
            self._hang_up()

    # Requests

    def _perform(self, request: object) -> Any:
        kind = type(request)
        failure = self._failures.get(kind)
        deadline: float | None = getattr(request, "deadline", None)
        done_at = self.now + self._delays.get(kind, 0.0)
        if kind in (Resolve, Race, StartTLS):
            self._check_asked()
        while self.now < done_at or isinstance(failure, TimeoutError):
            self._wait(deadline, done_at)
        if failure is not None:
            raise Failed(failure, self.now)
        match request:
            case Ask(act=act):
                if deadline is not None and self.session.counted(self.now) >= deadline:
                    raise TimedOut(TimeoutError("no answer in time"), self.now)
                try:
                    return act()
                except Exception as error:
                    raise Failed(error, self.now) from None
            case Resolve():
                return [("inet", "stream", 0, "", ("192.0.2.1", request.port))]
            case Race():
                return "192.0.2.1:80", [Attempt("192.0.2.1:80", self._delays.get(kind, 0.0))]
            case Adopt():
                return "192.0.2.1:80"
            case StartTLS():
                return self._alpn
            case Drop():
                self._queue = b""
                self._network = self._network.again(Peer(self._later_talks.pop(0)))
            case Send(waits=waits):
                self._flush()
                while waits and self._queue:
                    self._wait(deadline)
                    self._flush()
            case Read():
                return self._read(deadline)
            case Hangup():
                self._hang_up()
            case _:
                pass
        return None

    def _hang_up(self) -> None:
        if not self.hung_up:
            self._flush()
            self.hung_up = True

    def _read(self, deadline: float | None) -> bytes:
        while (data := self._arrived()) is None:
            self._wait(deadline)
        return data

    def _wait(self, deadline: float | None, until: float = _NEVER) -> None:
        self._check_asked()
        if deadline is not None:
            deadline += self.session.kept
            if self.now >= deadline:
                raise TimedOut(TimeoutError("no answer in time"), self.now)
        moments = [m for m in (deadline, until) if m is not None and m > self.now]
        nearest = min(moments, default=_NEVER)
        self._network.advance(None if nearest == _NEVER else nearest)

    def _check_asked(self) -> None:
        asked = self.session.close_asked_at is not None and not self._seen_close
        if asked or self.session.has_ended:
            self._seen_close = True
            raise Interrupted(OSError("closed by the user"), self.now)

    def _run(self) -> Generator[AnyEvent, None, None]:
        session = self.session
        while True:
            event = session.next_event(self.now)
            self._flush()
            if event is not None:
                yield event
                continue
            if session.has_ended:
                return
            if session.output_ends and not self._write_ended:
                self._write_ended = True
                self._network.send(b"")
            deadline = session.deadline
            try:
                data = self._arrived()
                if data is None and (deadline is None or self.now < deadline):
                    self._network.advance(deadline)
                    data = self._arrived()
            except Failed as failure:
                session.fail(failure.cause, "read", self.now)
                continue
            if data is not None:
                session.receive(data, self.now, _WALL + self.now)
            elif deadline is not None and self.now >= deadline:
                session.tick(self.now)

    def _arrived(self) -> bytes | None:
        try:
            return self._network.receive()
        except OSError as error:
            raise Failed(error, self.now) from None

    def _flush(self) -> None:
        self._queue += self.session.output.take()
        while self._queue and not self.is_stuck and not self.hung_up:
            self.sent += self._queue
            self._network.send(self._queue)
            self.session.written(self.now, True)
            self._queue = self.session.output.take()  # a pong that the backlog kept back
        if self._queue and self.session.write_deadline == _NEVER:
            self.session.written(self.now, False)
