"""The pretend door: a real exchange and the real stream of events, over the pretend network.

No socket, no sleep, no thread: it meets what these wait for by having the pretend clock jump.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Generator, Sequence
from typing import Any

from ..io import stream
from ..io.exchange import Exchange
from ..io.posting import Posts, hurry
from ..io.replying import await_reply, withdraw
from ..options import Deflate, Limits, Timing, check_compress
from ..protocol import frames
from ..protocol.events import AnyEvent
from ..protocol.extensions.extension import Offer
from ..protocol.extensions.negotiation import offers
from ..proxies import Proxy
from ..session.finish import Why
from ..session.opening import conversation
from ..session.questions import Question
from ..session.session import Session
from ..system.need import Need
from .clock import PretendClock
from .network import PretendNetwork
from .peer import Peer, Talk
from .performer import PretendPerformer
from .plans import PretendPlan
from .wire import PretendWire


def counting_bytes() -> Callable[[int], bytes]:
    """A source of bytes that never repeat, for keys that a test can tell apart.

    Example:
        >>> source = counting_bytes()
        >>> source(4).hex(), source(4).hex()
        ('00000001', '00000002')
    """
    numbers = itertools.count(1)
    return lambda size: b"".join(next(numbers).to_bytes(4, "big") for _ in range((size + 3) // 4))[
        :size
    ]


class PretendDoor:
    """One connection in pretend time.

    Arguments:
        talk: What the peer does. Where it ends, the peer stays and says nothing more: end it with
            End, or give a `ping_timeout`, else the pings go on for ever.
        timing: A `lomond.options.Timing`: the times, of `connect` and of the WebSocket.
        limits: A `lomond.options.Limits`: those of the WebSocket.
        failures: Errors that requests fail with, by the request's type; an error of the class
            TimeoutError means that the request hangs until its deadline.
        delays: Seconds that a request takes, by its type.
        latency: Seconds that bytes travel (0.001).
        secure: Whether to ask for TLS, which is then only pretended (False).
        alpn: What it agrees on above TLS.
        has_socket: Whether the user gave a connected socket (False).
        compress: As for a WebSocket (False).
        extensions: More to offer, beside compression.
        proxy, max_redirects: As for a plan.
        later_talks: What the peers of later connections do, after a redirect or a challenge.

    Attributes:
        session: What the connection does over time.
        plan: What the user asks for.
        asked: What the script asked for, but for Deliver and Run.
        sent: All bytes that were written.
        is_stuck: Set it to make the system take no bytes.

    Example:
        >>> from lomond.testing.peer import End, Pause
        >>> def talk(peer):
        ...     yield from peer.upgrade()
        ...     yield Pause(60)
        ...     yield End()
        >>> *_, (now, last) = PretendDoor(talk).play()
        >>> round(now), last.ending.kind
        (60, 'lost')
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
        self.is_stuck = False
        self.limits = limits or Limits()
        self.session = Session(timing or Timing(), self.limits, random_bytes)
        self.plan = PretendPlan(
            random_bytes,
            secure=secure,
            has_socket=has_socket,
            extensions=[*offers(check_compress(compress)), *extensions],
            proxy=proxy,
            max_redirects=max_redirects,
            limits=self.limits,
        )
        self._clock = PretendClock()
        self._network = PretendNetwork(Peer(talk), latency, self._clock)
        self._later_talks = list(later_talks)
        self._wire: PretendWire | None = None
        self._exchange = Exchange(self.session)
        self._posts = Posts()
        self._performer = PretendPerformer(
            self._exchange, self._connect, self.answered, failures or {}, delays or {}, alpn
        )
        self.asked = self._performer.asked

    @property
    def now(self) -> float:
        """The pretend clock."""
        return self._clock.now

    @property
    def peer(self) -> Peer:
        """What the peer has heard."""
        return self._network.peer

    @property
    def hung_up(self) -> bool:
        """Whether the socket was closed, or will not be connected any more.

        Example:
            >>> from lomond.testing.peer import End
            >>> def talk(peer):
            ...     yield from peer.upgrade()
            ...     yield End()
            >>> door = PretendDoor(talk)
            >>> events = door.play()
            >>> door.hung_up
            True
        """
        return self._exchange.is_over and (self._wire is None or self._wire.is_closed)

    # The user

    def at(self, moment: float, action: Callable[[], None]) -> None:
        """Do something at a pretend moment, as another thread would.

        Arguments:
            moment: Of `now`, in seconds.
            action: What to do.

        Example:
            >>> def talk(peer):
            ...     yield from peer.upgrade()
            ...     yield from peer.hear_end()
            >>> door = PretendDoor(talk)
            >>> door.at(5.0, door.force_disconnect)
            >>> *_, (now, last) = door.play()
            >>> now, last.name
            (5.0, 'disconnected')
        """
        self._network.at(moment, action)

    def send_text(self, text: str, reply: Any = None, within: float | None = 30.0) -> None:
        """Send a text; what the system does not take waits, and nobody waits for it.

        Arguments:
            text: The message.
            reply: As of a WebSocket's.
            within: Seconds for that (30); None for no limit.

        Example:
            >>> from lomond.testing.peer import End
            >>> def talk(peer):
            ...     yield from peer.upgrade()
            ...     print((yield from peer.hear_frame()).payload)
            ...     yield End()
            >>> def act(door, event):
            ...     if event.name == "ready":
            ...         door.send_text("hello")
            >>> events = PretendDoor(talk).play(act)
            b'hello'
        """
        if reply is None:
            self._post(frames.TEXT, text.encode(), True)
            return
        deadline = None if within is None else self.now + within
        question = Question(text, reply, None)
        await_reply(self._exchange, question, deadline)
        try:
            self._post(frames.TEXT, text.encode(), True)
        except BaseException:
            withdraw(self._exchange, question)
            raise

    def send_ping(self, data: bytes = b"") -> None:
        """Send a ping.

        Arguments:
            data: Up to 125 bytes (none).
        """
        self._post(frames.PING, data)

    def send_pong(self, data: bytes) -> None:
        """Send a pong.

        Arguments:
            data: Up to 125 bytes.
        """
        self._post(frames.PONG, data)

    def post(self, value: object) -> None:
        """Have the loop get an event `posted`.

        Arguments:
            value: What it has.

        Example:
            >>> from lomond.testing.peer import End, Pause
            >>> def talk(peer):
            ...     yield from peer.upgrade()
            ...     yield Pause(1)
            ...     yield End()
            >>> def act(door, event):
            ...     if event.name == "ready":
            ...         door.post("work")
            >>> [event.name for _, event in PretendDoor(talk).play(act)][4:]
            ['posted', 'disconnected']
        """
        self._posts.append(value)
        hurry(self._exchange, self._posts)

    def force_disconnect(self) -> None:
        """End the connection at once, without a close frame."""
        with self._clock:
            self._exchange.force(Why("disconnected by the user"))

    def close(self, code: int | None = 1000, reason: str = "goodbye") -> None:
        """Start the closing handshake.

        Arguments:
            code: As of a WebSocket's (1000).
            reason: For people.

        Example:
            >>> from lomond.testing.peer import End
            >>> def talk(peer):
            ...     yield from peer.upgrade()
            ...     print((yield from peer.hear_until(8)).payload[2:])
            ...     yield End()
            >>> def act(door, event):
            ...     if event.name == "ready":
            ...         door.close(1000, "done")
            >>> events = PretendDoor(talk).play(act)
            b'done'
        """
        with self._clock:
            self._exchange.close(code, reason)

    def spend(self, seconds: float) -> None:
        """The user's handler takes its time; the network goes on.

        Arguments:
            seconds: How long.
        """
        with self._clock:
            self._network.advance_to(self.now + seconds)

    def keep(self, seconds: float) -> None:
        """Something else has the thread for a while; the network goes on. For `at`.

        Arguments:
            seconds: How long.
        """
        self.session.course.kept += seconds
        self.spend(seconds)

    def play(
        self, act: Callable[[PretendDoor, Any], None] = lambda door, event: None
    ) -> list[tuple[float, Any]]:
        """All events and their moments, which are seconds of `now`.

        Arguments:
            act: The user's handler; is given this object and an event.

        Example:
            >>> from lomond.testing.peer import End, say
            >>> def talk(peer):
            ...     yield from peer.upgrade()
            ...     yield say(1, b"hello")
            ...     yield End()
            >>> [event.name for _, event in PretendDoor(talk).play()][3:]
            ['poll', 'text', 'disconnected']
        """
        seen: list[tuple[float, Any]] = []
        for event in self.events():
            seen.append((self.now, event))
            act(self, event)
        return seen

    def events(self) -> Generator[AnyEvent, None, None]:
        """The events of the connection.

        Example:
            >>> from lomond.testing.peer import End
            >>> def talk(peer):
            ...     yield from peer.upgrade()
            ...     yield End()
            >>> [event.name for event in PretendDoor(talk).events()]
            ['connecting', 'connected', 'ready', 'poll', 'disconnected']
        """
        script = conversation(self.session, self.plan)
        items = stream.events(self._exchange, script, self._performer, blocks=False)
        try:
            while True:
                with self._clock:
                    event = self._next(items)
                if event is None:
                    return
                yield event
        finally:
            with self._clock:
                items.close()

    def answered(self, request: Any, value: Any) -> Any:
        """What the script is answered: what was done. For a subclass that knows of something else.

        Arguments:
            request: One of lomond.session.requests.
            value: Of its answer.
        """
        return value

    # What lies below

    def _next(self, items: Generator[Any, None, None]) -> AnyEvent | None:
        """The next event, behind all that is waited for before it; None at the end."""
        for item in items:
            if not isinstance(item, Need):
                event: AnyEvent = item
                return event
            self._meet(item)
        return None

    def _meet(self, need: Need) -> None:
        """Let time pass until something happens, if what is needed is not there."""
        is_late = need.until is not None and self.now >= need.until
        may_read = need.readable and self._wire is not None and self._wire.has_news()
        may_write = need.writable and not self.is_stuck
        if not (is_late or may_read or may_write):
            self._network.advance(need.until)

    def _post(self, opcode: int, payload: bytes, compress: bool = False) -> None:
        with self._clock:
            self._exchange.post(opcode, payload, compress)

    def _connect(self) -> PretendWire:
        """What stands for a socket that is connected to the next peer."""
        if self._wire is not None:
            self._network = self._network.again(Peer(self._later_talks.pop(0)))
        self._wire = PretendWire(self._network, self._take)
        return self._wire

    def _take(self, data: bytes) -> int:
        """The bytes that the system takes of these."""
        if self.is_stuck:
            return 0
        self.sent += data
        return len(data)
