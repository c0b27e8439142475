"""A connection, made of what a door asks for: its exchange, and the stream of its events.

Imported by whoever connects, for it needs all else: sockets, the protocol, the session.
"""

# pyright: reportPrivateUsage=false
# What users do not see of a WebSocket, the functions below do for the rest of the package.

from __future__ import annotations

import os
import sys
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

_INFO = 20  # the level, as logging has it
_logs: Any = None  # the loggers, once there are some

if TYPE_CHECKING:
    from collections.abc import Generator

    from .io.exchange import Exchange
    from .io.performing import Driving
    from .options import Timing
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
    asks = asked, asked._make_context, door._awaits, partial(keep_place, door)
    if asked.trace or asked.record is not None or is_logged():
        from .listening import TellingPlan, begins, journal_of

        journal = journal_of(door, asked)
        begins(journal, timing)
        plan: Plan = TellingPlan(journal, *asks)
        frames = journal if journal.has_frames else None
    else:
        plan, journal, frames = Plan(*asks), None, None
    session = Session(timing, door._limits, os.urandom, door.loads, asked.dumps, frames)
    if door._exchange is not None:
        session.previous = last_ready(door._exchange.session)
    if asked.dumps is not door._dumps:
        door._dumps = asked.dumps
    exchange: Exchange = (
        Shared(session, journal) if driver is None else driver.exchange(session, journal)
    )
    script = conversation(session, plan)
    performer = Performer(exchange, plan, None if driver is None else driver.carry)
    look = door._look
    if look is not None:
        door._look = None
    return exchange, events(exchange, script, performer, driver is None, look)


def is_logged() -> bool:
    """Whether anybody wants to know from the log how connections begin and end, or of waits."""
    global _logs
    if _logs is None:
        logging: Any = sys.modules.get("logging")
        if logging is None:
            return False  # where nobody has loaded it, nobody listens
        _logs = logging.getLogger("lomond.connection"), logging.getLogger("lomond.reconnect")
    connection, reconnect = _logs
    return bool(connection.isEnabledFor(_INFO) or reconnect.isEnabledFor(_INFO))
