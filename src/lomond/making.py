"""A connection, made of what a door asks for: its exchange, and the stream of its events.

Imported by whoever connects, for it needs all else: sockets, the protocol, the session.
"""

# pyright: reportPrivateUsage=false
# What users do not see of a WebSocket, the functions below do for the rest of the package.

from __future__ import annotations

import os
from functools import partial
from typing import TYPE_CHECKING, Any

from .base import keep_place, options_now
from .io.performing import Performer
from .io.shared import Shared
from .io.stream import events
from .plan import Plan
from .session.finish import Why
from .session.history import last_ready
from .session.opening import conversation
from .session.session import Session

__all__ = ["Why", "made"]

if TYPE_CHECKING:
    from collections.abc import Generator

    from .io.exchange import Exchange
    from .io.performing import Driving
    from .options import Timing
    from .place import Place
    from .state import State


def made(
    door: State, timing: Timing, driver: Driving | None = None
) -> tuple[Exchange, Generator[Any, None, None]]:
    """A new connection: its exchange, and its events, with what to wait for between them.

    Arguments:
        timing: What `timed` said.
        driver: What waits, and goes on then; None for a wait in here.
    """
    asked = options_now(door)
    plan = Plan(asked, asked._make_context, door._awaits, partial(_keep_place, door))
    session = Session(timing, door._limits, os.urandom, door.loads, asked.dumps)
    if door._exchange is not None:
        session.previous = last_ready(door._exchange.session)
    if asked.dumps is not door._dumps:
        door._dumps = asked.dumps
    tracer = door._tracer() if door.trace else None
    if tracer is not door._traced:
        door._traced = tracer
    written = tracer.length if tracer else None
    exchange: Exchange = (
        Shared(session, written) if driver is None else driver.exchange(session, written)
    )
    script = conversation(session, plan)
    if tracer is not None:
        tracer(
            "connect_start",
            poll=timing.poll,
            ping_rate=timing.ping_rate,
            ping_timeout=timing.ping_timeout,
            auto_pong=timing.auto_pong,
            close_timeout=timing.close_timeout,
        )
    performer = Performer(exchange, plan, None if driver is None else driver.carry)
    traced = tracer.event if tracer else None
    look = door._look
    if look is not None:
        door._look = None
    return exchange, events(exchange, script, performer, traced, driver is None, look)


def _keep_place(door: State, place: Place) -> None:
    """The URL was asked for."""
    keep_place(door, place)
    if door._traced is not None:
        door._traced.url = place.url
