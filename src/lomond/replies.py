"""Messages that are sent with `reply=`, and `ask`: for the doors. Imported where one is sent.

Which message is the reply, and until when it is waited for, says session/questions.py.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Hashable
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypeAlias, cast

from .checks import check_seconds, is_coroutine_function
from .errors import NoReply, WebSocketUnavailable
from .io.driving import iterates
from .io.exchange import Exchange
from .io.looping import Looping
from .io.readiness import is_own_loop, wait_for_event
from .io.replying import await_reply, withdraw
from .payloads import named
from .protocol.frames import of_message
from .protocol.states import CONNECTING
from .session.questions import Question
from .system.clock import monotonic

if TYPE_CHECKING:
    from .events import Binary, Text

__all__ = ["Fits", "Pair", "Reply"]

#: A key of a JSON object and its value; or what tells of a message whether it is the reply.
Pair: TypeAlias = "tuple[str, Hashable]"
Fits: TypeAlias = "Callable[[Any], object]"  # of a Text or Binary
Reply: TypeAlias = "Pair | Fits"
_OWN_LOOP = (
    "ask() waits, and this {0} iterates: nothing would be read meanwhile; write "
    "send_json(obj, reply=..., within=...), and the reply is an event of the loop"
)
_TOO_MUCH = (
    "more than max_read_ahead ({} bytes) came before a reply to what the loop's own body asked; "
    "let another task ask, or write send_json(obj, reply=...)"
)
_TURNS = 2  # of an event loop, in which what has come by the end of the time is read


def checked(reply: Any, within: Any) -> Any:
    """What tells the reply. Raises TypeError or ValueError: an argument can't be."""
    check_seconds("within", within, none="no limit")
    if callable(reply):
        if is_coroutine_function(reply):
            raise TypeError(f"reply is a coroutine function, {reply!r}; give a plain function")
        return reply
    if reply is None:
        raise TypeError('within is for a reply: give reply=("id", 7) too, or a callable')
    pair: tuple[Any, ...] = cast("Any", reply) if isinstance(reply, tuple) else ()
    if len(pair) != 2 or not isinstance(pair[0], str):
        raise TypeError(
            'reply must be a key of the JSON object that answers and its value, like ("id", 7), or '
            f"a callable that tells of a message whether it answers, not {reply!r}"
        )
    hash(pair)  # which says what of it is not hashable
    return pair


def sent(
    door: Any,
    frame: tuple[int, bytes, bool],
    request: Any,
    reply: Any,
    within: float | None,
) -> Any:
    """What a send gives whose reply is an event.

    Arguments:
        door: Which sends.
        frame: Opcode, payload, and whether to compress it.
        request: The message, as the program gave it.
        reply, within: The arguments.
    """
    question = Question(request, checked(reply, within), None)
    exchange = door._exchange or door._connected()
    if door._awaits:
        return _awaited_send(exchange, question, within, frame)
    _open(exchange, question, within)
    try:
        return exchange.send(*frame)
    except BaseException:
        withdraw(exchange, question)
        raise


async def _awaited_send(
    exchange: Exchange, question: Question, within: float | None, frame: tuple[int, bytes, bool]
) -> None:
    if isinstance(exchange, Exchange):  # else it stands for none, and says so
        _open(exchange, question, within)
    try:
        await exchange.send(*frame)
    except BaseException:
        if isinstance(exchange, Exchange):
            withdraw(exchange, question)
        raise


def _open(exchange: Exchange, question: Question, within: float | None) -> None:
    await_reply(exchange, question, None if within is None else monotonic() + within)


# To wait for it


def asked_by_thread(door: Any, message: Any, reply: Any, within: float | None) -> Text | Binary:
    """The message that answers. Raises what a send does, NoReply, or RuntimeError."""
    reply = checked(reply, within)
    exchange: Any = door._exchange or door._connected()
    if is_own_loop(door):
        raise RuntimeError(_OWN_LOOP.format("thread"))
    gate = threading.Event()
    question = Question(message, reply, gate.set)
    frame = of_message(message, door._dumps)
    await_reply(exchange, question, None)
    try:
        exchange.send(*frame, True)
        gate.wait(within)
    except BaseException:
        withdraw(exchange, question)
        raise
    return _answer(exchange, question, len(frame[1]), within)


async def asked_by_task(door: Any, message: Any, reply: Any, within: float | None) -> Text | Binary:
    """The message that answers, for a task. Raises what a send does, or NoReply."""
    reply = checked(reply, within)
    frame = of_message(message, door._dumps)
    exchange: Any = door._connected()
    if not isinstance(exchange, Looping):  # raises: there is no connection
        await exchange.send(*frame, True)
    driver = exchange.driver
    is_ours = iterates(driver)
    if is_ours and exchange.connection.state == CONNECTING:
        raise WebSocketUnavailable("not ready: where you iterate, ask from the ready event on")
    new_event, loop, soon, _ = door._means
    event = new_event()
    call_soon = getattr(loop(), soon)

    def tell() -> None:
        with suppress(RuntimeError):  # the loop is closed
            call_soon(event.set)

    question = Question(message, reply, tell)
    await_reply(exchange, question, None)
    try:
        if is_ours:
            driver.ahead.wait(exchange.session.limits.max_read_ahead, event.set)
            driver.wake()  # it may have stopped at what may run ahead else
        await exchange.send(*frame, True)
        await wait_for_event(event, math.inf if within is None else within, door._means)
        turns = 0
        while not (question.is_over or turns == _TURNS or (is_ours and driver.ahead.is_far())):
            turns += 1
            await wait_for_event(new_event(), 0, door._means)
        if is_ours and driver.ahead.is_far() and withdraw(exchange, question):
            most = exchange.session.limits.max_read_ahead
            raise NoReply(_TOO_MUCH.format(most))
    except BaseException:
        withdraw(exchange, question)
        raise
    finally:
        if is_ours:
            driver.ahead.wait(0, None)
    return _answer(exchange, question, len(frame[1]), within)


def _answer(
    exchange: Exchange, question: Question, size: int, within: float | None
) -> Text | Binary:
    """The message that answered. Raises NoReply, or what the callable raised."""
    withdraw(exchange, question)
    if question.message is not None:
        return question.message
    if question.failure is not None:
        raise question.failure
    asked = named(question.request, size)
    if question.ending is not None:
        raise NoReply(f"no reply to {asked}: {question.ending}", ending=question.ending)
    raise NoReply(f"no reply to {asked} within {within:g} s (within)")
