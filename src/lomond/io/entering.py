"""What a program does first with a connection (`enter`), done in the stream of its events.

Imported where it is asked for. Until it is through, the stream looks at each event here; then it
goes its usual way. What is to be known of it for people, and its time, is the session's.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from ..checks import is_coroutine_function
from ..errors import Refused, TransportFail, WebSocketError, WebSocketUnavailable
from ..protocol.events import (
    Closed,
    Closing,
    Entered,
    Event,
    Posted,
    ProtocolError,
    Ready,
    Unresponsive,
)
from ..protocol.frames import of_message
from ..protocol.states import OPEN
from ..session.causes import copied
from ..session.entry import Entry
from ..session.finish import Why
from ..session.held import Held
from ..system.clock import monotonic
from ..system.need import Awaited, Need
from .guarded import Guarded
from .looping import Looping
from .outward import until_sent
from .readiness import told, waiting
from .shared import Shared

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from ..protocol.events import AnyEvent
    from .exchange import Exchange
    from .noticing import Look

    #: What it waits for.
    Needs = Generator[Need, None, Any]
    #: Events, and between them what is waited for.
    Items = Generator[Any, None, Any]

_THROUGH: Any = object()  # the program's generator has come to its end
_OVER: Any = object()  # nobody goes on with it: the connection is over
_CLOSING = 1.0  # seconds
_ENDS = (Closing, Closed, ProtocolError, Unresponsive)  # of which the answer follows the handler


class Entering:
    """The program's generator, on its way through one connection.

    Arguments:
        exchange: The connection's.
        look: What is looked at while it waits; None for nothing.
        waits: The exchange, where that waits by itself; else None.
    """

    def __init__(
        self,
        exchange: Exchange,
        look: Look | None,
        waits: Shared | None,
    ) -> None:
        self._exchange = exchange
        self._session = exchange.session
        self._look = look
        self._waits = waits
        self._held = Held()  # came, and not asked about yet
        self._owed: AnyEvent | None = None  # it was sent to the generator, and comes next
        self._steps: Any = None
        self._is_async = False
        self._failure: BaseException | None = None  # for the program's generator, at its `yield`

    def run(self, ready: Ready) -> Items:
        """All events until it is through, or over: the stream goes on from there."""
        exchange = self._exchange
        entry = Entry(self._session, monotonic())
        try:
            try:
                if (yield from self._go(entry, ready)):
                    yield from self._through(entry)
            except Refused as error:
                entry.refuse(error, monotonic())
                exchange.flush()
            except Exception as error:
                if error is not self._failure or not isinstance(error, WebSocketError):
                    why = Why("error in enter; see the exception", cause=copied(error))
                    exchange.leave(why=why)
                    raise
                # The connection is lost, which the program was told at its `yield`: so is the loop.
            finally:
                self._end()
            yield from self._hand_out_held()
        finally:
            self._give_back()

    def _through(self, entry: Entry) -> Items:
        """What follows its end: the event that it went on with, and Entered.

        That is for a connection which serves; one that closes by then does not.
        """
        session = self._session
        if session.connection.state != OPEN:
            return
        now = monotonic()
        entry.through(now)
        if waiting:
            told(self._exchange)
        before = session.before
        entered = Entered(session.number, None if before is None else before.gap(now))
        yield from self._hand_out_owed()
        yield from self._hand_out(entered)

    def _go(self, entry: Entry, ready: Ready) -> Items:
        """Take all steps, and hand out what comes meanwhile; whether it is through."""
        if isinstance(self._exchange, Looping):
            # Behind the handler of Ready, though the loop may have gone on without the task.
            yield from self._meanwhile(Awaited(_turn))
        self._begin(ready)
        asked = yield from self._step(None)
        while asked is not _THROUGH and asked is not _OVER:
            self._failure = None
            came: AnyEvent | None = None
            if not callable(asked):
                yield from self._send(entry, asked)
            elif is_coroutine_function(asked):
                self._failure = TypeError(f"{asked!r} is a coroutine function; give a plain one")
            else:
                entry.waits(asked, monotonic())
                came = yield from self._until(asked)
                if came is None and self._failure is None:
                    yield from self._close()
                    return False
            asked = yield from self._step(came)
        return asked is _THROUGH

    def _begin(self, ready: Ready) -> None:
        enter = self._session.timing.enter
        assert enter is not None
        steps: Any = enter(ready)
        self._is_async = hasattr(steps, "asend")
        if self._is_async and not isinstance(self._exchange, Looping):
            raise TypeError(
                f"{enter!r} gave an async generator, which a door without an event loop can't "
                "go on with; write a plain one, or use an AsyncWebSocket or a TrioWebSocket"
            )
        if not self._is_async and not hasattr(steps, "throw"):
            if hasattr(steps, "close"):
                steps.close()
            raise TypeError(
                f"enter gave {steps!r} and not a generator: it is to 'yield' each message, and "
                "what tells which event to wait for"
            )
        self._steps = steps

    # The program's generator

    def _step(self, value: Any) -> Needs:
        """What it yields next, being sent this event, or what failed; _THROUGH, or _OVER."""
        failure = self._failure
        if self._is_async:
            act = partial(_advance_async, self._steps, value, failure)
            awaited = Awaited(_Once(act))
            yield from self._meanwhile(awaited)
            if not awaited.is_done:
                return _OVER
            if isinstance(awaited.error, StopAsyncIteration):
                return _THROUGH
            if awaited.error is not None:
                raise awaited.error
            return awaited.result
        try:
            return self._steps.send(value) if failure is None else self._steps.throw(failure)
        except StopIteration:
            return _THROUGH

    def _end(self) -> None:
        """Nobody goes on with it: close it, if it is not over."""
        steps, exchange = self._steps, self._exchange
        if steps is None:
            return
        if not self._is_async:
            steps.close()
        elif getattr(steps, "ag_frame", None) is not None and not steps.ag_running:
            assert isinstance(exchange, Looping)
            exchange.driver.left = steps

    def _close(self) -> Needs:
        """The connection is over: so is an async generator, within a second."""
        if not self._is_async:
            return
        awaited = Awaited(self._steps.aclose)
        self._steps = None
        need = Need(monotonic() + _CLOSING)
        while not awaited.is_done and need.until is not None and monotonic() < need.until:
            need = Need(need.until)
            need.awaited = awaited
            yield need
        if awaited.error is not None:
            raise awaited.error

    def _send(self, entry: Entry, message: Any) -> Needs:
        """Send a message, and wait until the system has it; what fails is for the generator."""
        exchange, session = self._exchange, self._session
        try:
            opcode, payload = of_message(message, session.dumps)
            if isinstance(exchange, Guarded):
                exchange.send(opcode, payload, True)  # as the loop's body would
            else:
                before = exchange.output.sent
                target = exchange.post(opcode, payload, True)
                pipe = exchange.pipe
                if target and pipe is not None:
                    size = exchange.output.sent - before
                    yield from until_sent(exchange, pipe, target, size)
        except TypeError as error:
            self._failure = TypeError(
                f"enter can yield a message, or what tells of an event whether to go on; {error}"
            )
        except (ValueError, WebSocketUnavailable, TransportFail) as error:
            self._failure = error
        else:
            entry.sent(message, payload, monotonic())

    # Events

    def _until(self, fits: Callable[[AnyEvent], object]) -> Items:
        """The event of which that is true, not handed out; None at the end, or where it failed."""
        yield from self._hand_out_owed()
        while True:
            event = self._held.take() or self._next()
            if event is None:
                if self._session.has_ended or self._exchange.is_foreign:
                    return None
                yield from self._wait()
                continue
            try:
                is_found = fits(event)
            except Exception as error:
                self._failure = error
                self._held.put_back(event)
                return None
            if is_found:
                self._owed = event
                return event
            yield from self._hand_out(event)

    def _next(self) -> AnyEvent | None:
        """The next event of the session, or None."""
        exchange = self._exchange
        if exchange.is_foreign:
            return None
        event = exchange.next_event(monotonic())
        if exchange.output.is_ready:
            exchange.flush()
        questions = self._session.questions
        if event is None or questions is None:
            return event
        seen: AnyEvent | None = questions.seen(event)
        return self._next() if seen is None else seen

    def _wait(self) -> Needs:
        """Wait for bytes, or for a deadline."""
        exchange, look = self._exchange, self._look
        if self._waits is not None:
            self._waits.read_or_tick()
        elif (need := exchange.need()) is not None:
            yield need
            exchange.look(need)
        if look is not None:
            look.now()
            exchange.look_at = look.at

    def _meanwhile(self, awaited: Awaited) -> Needs:
        """Have the user's task await something; pings are answered, and events held."""
        session, exchange, held = self._session, self._exchange, self._held
        ahead = exchange.driver.ahead if isinstance(exchange, Looping) else None
        while not awaited.is_done and not session.has_ended and not exchange.is_foreign:
            if held.events and isinstance(held.events[-1], _ENDS):
                return
            # Who waits for a reply may find it behind more.
            is_full = not held.may_grow(0 if ahead is None else ahead.most)
            if not is_full and (event := self._next()) is not None:
                held.put(event)
                continue
            if is_full and ahead is not None and ahead.most > 0:
                ahead.stop()
            need = Need(session.deadline) if is_full else exchange.need()
            if need is None:
                continue
            need.awaited = awaited
            yield need
            if not is_full:
                exchange.look(need)
            elif need.until is not None and monotonic() >= need.until:
                came = self._next()  # what is due, or what had come before
                if came is not None:
                    held.put(came)
            if self._look is not None:
                self._look.now()
                exchange.look_at = self._look.at

    def _hand_out(self, event: Any) -> Items:
        connection = self._session.connection
        if self._exchange.journal is not None:
            self._exchange.journal.event(event)
        connection.hands(event.name)
        began = monotonic()
        yield event
        self._session.timers.put_off(monotonic() - began)

    def _hand_out_owed(self) -> Items:
        event, self._owed = self._owed, None
        if event is not None:
            yield from self._hand_out(event)

    def _hand_out_held(self) -> Items:
        yield from self._hand_out_owed()
        while (event := self._held.take()) is not None:
            yield from self._hand_out(event)

    def _give_back(self) -> None:
        """The connection is left: what was posted, and not handed out, is for the next one."""
        posts = self._session.timers.posted
        if posts is not None:
            for event in (*reversed(self._held.events), self._owed):
                if isinstance(event, Posted):
                    posts.appendleft(event.value)


class _Once:
    """What is awaited once: where that was cancelled, the program's generator has ended by it."""

    def __init__(self, act: Callable[[], Any]) -> None:
        self._act: Callable[[], Any] | None = act

    def __call__(self) -> Any:
        act, self._act = self._act, None
        if act is None:
            raise RuntimeError(
                "enter was cancelled while it awaited something, with whoever waited for the next "
                "event; connect again"
            )
        return act()


async def _turn() -> None:
    """Wait for the user's task, which asks for the next event."""


async def _advance_async(steps: Any, event: Event | None, failure: BaseException | None) -> Any:
    """What the program's async generator yields next."""
    if failure is not None:
        return await steps.athrow(failure)
    return await steps.asend(event)
