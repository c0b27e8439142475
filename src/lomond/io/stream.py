"""The way of every door through a script: performs what it asks for, and hands out the events."""

from __future__ import annotations

from collections.abc import Generator
from threading import get_ident
from typing import TYPE_CHECKING, Any

from ..protocol.events import ConnectFail, Disconnected, Posted, Ready
from ..protocol.short import short_messages
from ..session.causes import copied
from ..session.finish import LEFT, Why
from ..session.requests import Answer, Deliver, Failed, Run, answer_of
from ..system.clock import coarse, monotonic, time
from .exchange import GOING_AWAY, UNEXPECTED_CONDITION, Exchange
from .readiness import told, waiting
from .shared import Shared
from .waiting import Wakeup, wait_for

if TYPE_CHECKING:
    from ..protocol.events import AnyEvent
    from ..session.opening import Script
    from .noticing import Look
    from .performing import Performer, Steps

_ENDS = (ConnectFail, Disconnected)
_PARENTS = "connection belongs to the parent process"


def _looking(steps: Steps, look: Look) -> Steps:
    """Take these steps, and look whenever they have waited."""
    try:
        while True:
            need = next(steps)
            need.until = look.at if need.until is None else min(need.until, look.at)
            yield need
            look.now()
    except StopIteration as done:
        return done.value
    finally:
        steps.close()


def _performed(exchange: Exchange, steps: Steps, blocks: bool) -> Generator[Any, None, Answer]:
    """Do it, however long that takes; what is posted is handed out meanwhile. Raises Failed."""
    session = exchange.session
    looks = False  # between two that were posted it is looked what is there
    try:
        while True:
            need = next(steps)
            if session.timers.posted and not session.has_ended:
                looks = not looks
                if not looks:
                    yield Posted(session.timers.posted.popleft())
                    continue
                need.until = monotonic()
            if blocks:
                wakeup = exchange.wakeup
                assert isinstance(wakeup, Wakeup)
                wait_for(need, wakeup)
            else:
                yield need
    except StopIteration as done:
        answer: Answer = done.value
        return answer
    finally:
        steps.close()  # a wait was interrupted: what it was for does not go on


def _up_to_run(
    exchange: Exchange,
    script: Script,
    performer: Performer,
    blocks: bool,
    look: Look | None,
    begun: Answer | None = None,
) -> Generator[Any, None, tuple[Script, AnyEvent | None] | None]:
    """Perform what the script asks for, from an answer on, up to Run.

    Returns:
        The script that asks for it, and the event that came last; None where the script, and what
        goes on with it, has no more to ask.
    """
    event: AnyEvent | None = None
    journal = exchange.journal
    while True:
        try:
            request = next(script) if begun is None else script.send(begun)
            while True:
                if exchange.is_foreign:
                    yield Disconnected(_PARENTS)
                    return None
                if isinstance(request, Deliver):
                    event = request.event
                    questions = exchange.session.questions
                    if questions is not None and isinstance(event, _ENDS):
                        yield from exchange.alone(questions.end)
                    if journal is not None:
                        journal.event(event)
                    if isinstance(exchange, Shared):
                        exchange.thread = get_ident()
                    if waiting:
                        told(exchange)
                    yield event
                    answer: Answer = answer_of((monotonic(), time(), None))
                elif type(request) is Run:
                    return script, event
                else:
                    try:
                        steps = performer.perform(request)
                        if look is not None:
                            steps = _looking(steps, look)
                        answer = yield from _performed(exchange, steps, blocks)
                    except Failed as failure:
                        request = script.throw(failure)
                        continue
                request = script.send(answer)
        except StopIteration as done:
            if done.value is None:
                return None
            script = done.value
            begun = None
        except BaseException:
            script.close()
            raise


def events(
    exchange: Exchange,
    script: Script,
    performer: Performer,
    blocks: bool = True,
    look: Look | None = None,
) -> Generator[Any, None, None]:
    """Perform the script; the one generator between a message and the user's loop.

    Arguments:
        exchange: The connection's; a Shared one where it waits by itself.
        script: What to perform.
        performer: Performs all but Deliver and Run.
        blocks: Whether it waits by itself. If not, it yields a Need between the events where it
            would, and is to go on when that is met.
        look: What is looked at while it waits; None for nothing.
    """
    session, journal = exchange.session, exchange.journal
    connection = session.connection
    connection.clock = coarse
    output = session.output
    messages = short_messages(connection)
    waits = exchange if blocks and isinstance(exchange, Shared) else None
    running: Script | None = None
    try:
        opening = _up_to_run(exchange, script, performer, blocks, look)
        del script  # which is over before the connection stands
        reached = yield from opening
        del opening
        if reached is not None:
            running, ready = reached
            del reached
            exchange.rest()
            exchange.settle()
            performer.settle()
            if look is not None:
                exchange.look_at = look.at
            if session.timing.enter is not None:
                from .entering import Entering

                assert isinstance(ready, Ready)
                yield from Entering(exchange, look, waits).run(ready)
            del ready  # not to be kept as long as the connection lasts
            while True:
                questions = session.questions
                if questions is None or not questions.is_open:
                    yield from messages()
                else:
                    yield from questions.looked(messages())
                if waits is not None:
                    if waits.read():
                        continue
                elif exchange.is_full and exchange.read_more():
                    continue
                elif (need := exchange.calm_need()) is not None:
                    yield need
                    if look is not None:
                        look.now()
                        exchange.look_at = look.at
                    if exchange.take_calmly():
                        continue
                if exchange.is_foreign:
                    break
                event = exchange.next_event(monotonic())
                if output.is_ready:
                    exchange.flush()
                if event is not None:
                    if session.questions is not None:
                        event = session.questions.seen(event)
                        if event is None:
                            continue
                    if journal is not None:
                        journal.event(event)
                    connection.hands(event.name)
                    yield event
                elif session.has_ended:
                    break
                elif waits.read() if waits is not None else exchange.read_more():
                    pass
                else:
                    if waits is not None:
                        waits.read_or_tick()
                    elif (need := exchange.need()) is not None:
                        yield need
                        exchange.look(need)
                    if look is not None:
                        look.now()
                        exchange.look_at = look.at
            ended = Answer(monotonic())
            yield from _up_to_run(exchange, running, performer, blocks, look, ended)
    except BaseException as error:
        _give_up(exchange, error)
        raise
    finally:
        try:  # in here, for a call could be interrupted before it begins: also the one above
            exchange.is_in_use = False
            exchange.leave()
            exchange.rest()
            if running is not None:
                running.close()
            if session.questions is not None:
                exchange.alone(session.questions.end)
        except BaseException:
            # Interrupted on the way out: at once then, for nobody comes by here again.
            exchange.abandon()
            exchange.is_in_use = False
            exchange.force(LEFT)
            raise
        finally:
            if waiting:
                told(exchange)
            if journal is not None:
                journal.left(session.finish.ending)


def _give_up(exchange: Exchange, error: BaseException) -> None:
    """Free what this thread held, and end the connection where something went wrong."""
    exchange.abandon()
    exchange.is_in_use = False
    if isinstance(error, Exception):
        # A mistake of ours: neither hidden nor half alive.
        # But for what a callable of the program's raised, which is as if its handler had.
        questions = exchange.session.questions
        is_theirs = questions is not None and questions.failure is error
        code = GOING_AWAY if is_theirs else UNEXPECTED_CONDITION
        exchange.leave(code, Why("error; see the exception", cause=copied(error)))
