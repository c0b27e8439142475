"""The way of every door through a script: performs what it asks for, and hands out the events."""

from __future__ import annotations

from collections.abc import Callable, Generator
from time import monotonic, time
from typing import TYPE_CHECKING, Any

from ..protocol.events import Disconnected
from ..protocol.short import short_messages
from ..session.requests import Answer, Deliver, Failed, Run
from . import forking
from .channel import UNEXPECTED_CONDITION, Channel
from .waiting import Wakeup, wait_for

if TYPE_CHECKING:
    from ..protocol.events import AnyEvent
    from ..session.opening import Script
    from .noticing import Look
    from .performing import Performer, Steps

_PARENTS = "connection belongs to the parent process"


def _looking(steps: Steps, look: Look) -> Steps:
    """The same steps, with a look whenever they have waited."""
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


def _perform(channel: Channel, steps: Steps) -> Answer:
    """Do it, and wait as long as it takes. Raises Failed."""
    try:
        while True:
            need = next(steps)
            wakeup = channel.link.wakeup
            assert isinstance(wakeup, Wakeup)
            wait_for(need, wakeup)
    except StopIteration as done:
        answer: Answer = done.value
        return answer
    finally:
        steps.close()  # a wait was interrupted: what it was for does not go on


def events(
    channel: Channel,
    script: Script,
    performer: Performer,
    traced: Callable[[AnyEvent], None] | None = None,
    blocks: bool = True,
    look: Look | None = None,
) -> Generator[Any, None, None]:
    """Perform the script; the one generator between a message and the user's loop.

    Arguments:
        channel: The connection.
        script: What to perform.
        performer: Performs all but Deliver and Run.
        traced: Called with each event before it is handed out.
        blocks: Whether it waits by itself. If not, it yields a Need between the events where it
            would, and is to go on when that is met.
        look: What is looked at while it waits; None for nothing.
    """
    session = channel.session
    connection = session.connection
    connection.clock = monotonic
    lock = channel.link.lock
    next_event = session.next_event
    read = channel.read if blocks else channel.read_more
    output = session.output
    born = channel.link.born
    link = channel.link
    try:
        request = next(script)
        while True:
            kind = type(request)
            if forking.count != born:
                yield Disconnected(_PARENTS)
                return
            if isinstance(request, Deliver):
                if traced is not None:
                    traced(request.event)
                yield request.event
                answer = Answer(monotonic(), time())
            elif kind is Run:
                channel.settle()
                performer.settle()
                if look is not None:
                    channel.look_at = look.at
                while True:
                    if traced is None:
                        yield from short_messages(connection)
                        if read():
                            continue
                        if not blocks and (need := channel.calm_need()) is not None:
                            yield need
                            if look is not None:
                                look.now()
                                channel.look_at = look.at
                            if channel.take_calmly():
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
                    elif read():
                        pass
                    else:
                        if blocks:
                            channel.read_or_tick()
                        elif (need := channel.need()) is not None:
                            yield need
                            channel.look(need)
                        if look is not None:
                            look.now()
                            channel.look_at = look.at
                answer = Answer(monotonic())
            else:
                try:
                    steps = performer.perform(request)
                    if look is not None:
                        steps = _looking(steps, look)
                    answer = _perform(channel, steps) if blocks else (yield from steps)
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
        try:
            channel.leave()
            script.close()
        except BaseException:
            # Interrupted on the way out: at once then, for nobody comes by here again.
            channel.abandon()
            link.is_in_use = False
            channel.force("left by the user")
            raise
