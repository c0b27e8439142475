"""A message that is sent in fragments as its source gives them; what comes meanwhile is acted on.

RFC 6455 section 5.4: control frames may stand between the fragments of a message, others not.
"""

from __future__ import annotations

from functools import partial
from threading import get_ident
from typing import TYPE_CHECKING, Any

from ..errors import WebSocketClosing, WebSocketError
from ..protocol.states import OPEN
from ..session.ahead import TURN, come_meanwhile, keep
from ..system.clock import monotonic
from .driving import iterates
from .exchange import UNEXPECTED_CONDITION, Exchange, beat

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

    from ..protocol.events import AnyEvent
    from .looping import Looping
    from .shared import Shared

    Progress = Callable[[int], object] | None

_BROKEN_OFF = "a message could not be finished"


def send_by_thread(
    exchange: Shared,
    opcode: int,
    pieces: Iterator[bytes],
    compress: bool,
    on_progress: Progress,
    is_own_loop: bool,
) -> int:
    """Send what the pieces are as one message; how many bytes that were.

    Arguments:
        exchange: The connection.
        opcode: What the message is.
        pieces: Its payload, in order; closed at the end.
        compress: Whether to compress it, where that was negotiated.
        on_progress: Is told how many bytes the system has.
        is_own_loop: Whether this thread iterates the connection, so that nobody acts on what comes
            but this.

    Raises:
        WebSocketUnavailable: Or one of its subclasses: it can't be sent now, or to its end.
        TransportFail: Writing failed; the connection is over.
    """
    sent = 0
    try:
        exchange.begin_message(opcode, compress)
        if is_own_loop:
            exchange.attend = partial(_attend, exchange)
        try:
            for piece in pieces:
                _send(exchange, piece, False)
                sent += len(piece)
                if on_progress is not None:
                    on_progress(sent)
            _send(exchange, b"", True)
        except BaseException:
            _break_off(exchange)
            raise
        finally:
            if is_own_loop:
                exchange.attend = None
            exchange.end_message()
    finally:
        close: Any = getattr(pieces, "close", None)
        if close is not None:
            close()
    return sent


def _send(exchange: Shared, payload: bytes, is_last: bool) -> None:
    exchange.pass_on(partial(exchange.connection.send_fragment, payload, is_last), len(payload))
    if exchange.journal is not None:
        exchange.journal.tell()
    if exchange.attend is not None and not is_last:
        try:
            exchange.attend()
        except WebSocketError as error:
            exchange.explain(error)
            raise


def _attend(exchange: Shared) -> None:
    """Act on what has come, as the loop would whose body this is; its events are kept for it.

    Raises WebSocketClosing where that ends the message; who sends explains it.
    """
    if exchange.thread != get_ident():
        return  # another one waits with a message of its own
    session = exchange.session
    most = session.limits.max_read_ahead
    while not exchange.is_over and not session.has_ended:
        if session.kept is not None and not session.kept.may_grow(most):
            break
        event = _next(exchange)
        if event is not None:
            exchange.first(keep, session, event)
        elif not exchange.read_now():
            break
    if exchange.connection.state is not OPEN and not session.has_ended:
        raise WebSocketClosing("data not sent to its end")


def _next(exchange: Shared) -> AnyEvent | None:
    """The next event, answers to questions left out; None if there is none now."""
    session = exchange.session
    event: AnyEvent | None = exchange.first(come_meanwhile, session, monotonic())
    if session.wants_heartbeat:
        beat(exchange)
    if exchange.output.is_ready:
        exchange.flush()
    if event is None or session.questions is None:
        return event
    seen: AnyEvent | None = session.questions.seen(event)
    return _next(exchange) if seen is None else seen


async def send_by_task(
    exchange: Looping,
    opcode: int,
    pieces: Iterator[bytes] | AsyncIterator[bytes],
    compress: bool,
    on_progress: Progress,
    turn: Callable[[], Awaitable[object]],
) -> int:
    """Send what the pieces are as one message, for a task; how many bytes that were.

    What comes meanwhile its event loop acts on.

    Arguments:
        exchange, opcode, pieces, compress, on_progress: As for `send_by_thread`; the pieces may be
            awaited.
        turn: Gives other tasks their turn.

    Raises:
        WebSocketUnavailable, TransportFail: As `send_by_thread` does.
    """
    driver = exchange.driver
    sent = 0
    try:
        await exchange.begin_message(opcode, compress)
        # What comes then waits for this task, which is the one that iterates.
        is_ours = iterates(driver) and not driver.ahead.most
        if is_ours:
            driver.ahead.wait(exchange.session.limits.max_read_ahead, None)
        try:
            turn_at = monotonic() + TURN
            source: Any = pieces if hasattr(pieces, "__aiter__") else _Awaited(pieces)
            async for piece in source:
                await exchange.pass_on(partial(_fragment, exchange, piece, False))
                sent += len(piece)
                if on_progress is not None:
                    on_progress(sent)
                if monotonic() >= turn_at:
                    await turn()
                    turn_at = monotonic() + TURN
            await exchange.pass_on(partial(_fragment, exchange, b"", True))
        except BaseException:
            _break_off(exchange)
            raise
        finally:
            if is_ours:
                driver.ahead.wait(0, None)
            exchange.end_message()
    finally:
        given: Any = pieces
        if hasattr(given, "aclose"):
            await given.aclose()
        elif hasattr(given, "close"):
            given.close()
    return sent


def _fragment(exchange: Looping, payload: bytes, is_last: bool) -> None:
    exchange.connection.send_fragment(payload, is_last)


class _Awaited:
    """An iterator for ``async for``."""

    def __init__(self, pieces: Any) -> None:
        self._pieces = pieces

    def __aiter__(self) -> _Awaited:
        return self

    async def __anext__(self) -> bytes:
        for piece in self._pieces:
            return piece  # type: ignore[no-any-return]  # bytes all
        raise StopAsyncIteration


def _break_off(exchange: Exchange) -> None:
    """A message will not be finished. Half of it can't be taken back, so the connection closes."""
    if not exchange.alone(exchange.output.withdraw):
        exchange.close(UNEXPECTED_CONDITION, _BROKEN_OFF)
