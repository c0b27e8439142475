"""A message that is sent in fragments as its source gives them; what comes meanwhile is acted on.

RFC 6455 section 5.4: control frames may stand between the fragments of a message, others not.
"""

from __future__ import annotations

from functools import partial
from threading import get_ident
from typing import TYPE_CHECKING

from ..errors import WebSocketClosing, WebSocketError, WebSocketUnavailable
from ..protocol.states import OPEN
from ..session.ahead import TURN
from ..sources import AwaitedPieces
from ..system.clock import monotonic
from .driving import iterates
from .exchange import UNEXPECTED_CONDITION, Exchange

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from ..sources import Pieces
    from .looping import Looping
    from .shared import Shared

    Progress = Callable[[int], object] | None

_BROKEN_OFF = "a message could not be finished"


def send_by_thread(
    exchange: Shared,
    opcode: int,
    pieces: Pieces,
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
        _refuse_within(exchange)
        try:
            exchange.begin_message(opcode, compress)
            if is_own_loop:
                exchange.attend = partial(_attend, exchange)
            for piece in pieces:
                _send(exchange, piece, False)
                sent += len(piece)
                if on_progress is not None:
                    on_progress(sent)
            _send(exchange, b"", True)
        except BaseException as error:
            if not isinstance(error, Exception):
                exchange.let_go()  # it may have been interrupted between two lines of ours
            if exchange.message_turn.is_mine():
                _break_off(exchange)
            raise
        finally:
            if is_own_loop:
                exchange.attend = None
            exchange.end_message()
    except BaseException as error:
        if not isinstance(error, Exception):
            exchange.abandon()  # also where it came while that was ended
        raise
    finally:
        pieces.close()
    return sent


def _refuse_within(exchange: Shared) -> None:
    """Raise WebSocketUnavailable where no message can begin, in the midst of another send."""
    if exchange.is_foreign:  # whose lock may be held for ever
        raise exchange.refusal()
    if exchange.message_turn.is_mine() or exchange.is_owned():
        raise WebSocketUnavailable(
            "can't send from within the source of send_stream, nor from a signal handler that "
            "interrupted a send; what it yields is the message"
        )


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
    """Attend to what has come, for whoever sends.

    Raises WebSocketClosing where that ends the message; who sends explains it.
    """
    if exchange.thread != get_ident():
        return  # another one waits with a message of its own
    exchange.act_meanwhile()
    if exchange.connection.state is not OPEN and not exchange.session.has_ended:
        raise WebSocketClosing("data not sent to its end")


async def send_by_task(
    exchange: Looping,
    opcode: int,
    pieces: Pieces | AwaitedPieces,
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
            while True:
                if isinstance(pieces, AwaitedPieces):
                    piece = await exchange.unless_over(pieces.__anext__)
                else:
                    piece = next(pieces, None)
                if piece is None:
                    break
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
        await closed(pieces)
    return sent


async def closed(pieces: Pieces | AwaitedPieces) -> None:
    """Close them."""
    if isinstance(pieces, AwaitedPieces):
        await pieces.aclose()
    else:
        pieces.close()


def _fragment(exchange: Looping, payload: bytes, is_last: bool) -> None:
    exchange.connection.send_fragment(payload, is_last)


def _break_off(exchange: Exchange) -> None:
    """A message will not be finished. Half of it can't be taken back, so the connection closes."""
    if exchange.is_foreign:
        return  # it is the parent's, and the lock may be held for ever
    if not exchange.alone(exchange.output.withdraw):
        exchange.close(UNEXPECTED_CONDITION, _BROKEN_OFF)
