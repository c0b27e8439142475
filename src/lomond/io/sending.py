"""Who waits to send reads on: what a send waits for, in every door."""

from __future__ import annotations

from collections.abc import Generator
from time import monotonic
from typing import TYPE_CHECKING

from .waiting import Need

if TYPE_CHECKING:
    from .exchange import Exchange

_NEVER = float("inf")


def until_written(exchange: Exchange, target: int) -> Generator[Need, None, None]:
    """What to wait for until the system has the queue's bytes up to the target.

    It reads on meanwhile, into the session, because the peer may wait for the same.

    Arguments:
        exchange: The connection.
        target: Where the queue ends, in bytes ever queued.

    Raises:
        TransportFail: It will not have them: the connection is over, or nothing was taken for
            `send_timeout`.
    """
    pipe, session = exchange.pipe, exchange.session
    assert pipe is not None
    has_waited = is_late = False
    # What others have queued meanwhile goes along, as long as that needs no waiting.
    while pipe.queue and (pipe.written < target or not has_waited):
        exchange.check()
        if exchange.write_once():
            continue
        if pipe.written >= target:
            return
        due = session.write_deadline
        if is_late and monotonic() >= due:
            exchange.give_up_writing()
        reads = exchange.may_read_ahead()
        need = Need(None if due == _NEVER else due, pipe.sock if reads else None, (pipe.sock,))
        yield need
        has_waited = True
        is_late = not (reads and exchange.receive_ahead()) and not need.ready
