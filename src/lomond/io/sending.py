"""Who waits to send reads on: what a send waits for, in every door."""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING

from ..system.clock import monotonic
from ..system.need import Need

if TYPE_CHECKING:
    from ..system.pipe import Pipe
    from .exchange import Exchange

_NEVER = float("inf")
_READS = 16  # in a row, before it is tried again to write


def until_written(exchange: Exchange, pipe: Pipe, target: int) -> Generator[Need, None, None]:
    """What to wait for until the system has the queue's bytes up to the target.

    It reads on meanwhile, into the session, because the peer may wait for the same. Where another
    socket takes this one's place, nothing is waited for: the message is held for that.

    Arguments:
        exchange: The connection.
        pipe: Whose queue.
        target: Where the queue ends, in bytes ever queued.

    Raises:
        TransportFail: It will not have them: the connection is over, or nothing was taken for
            `send_timeout`.
    """
    session = exchange.session
    has_waited = is_late = False
    # What others have queued meanwhile goes along, as long as that needs no waiting.
    while pipe.queue and (pipe.written < target or not has_waited):
        exchange.check()
        if pipe is not exchange.pipe:
            return
        if exchange.write_once(pipe):
            continue
        if pipe.written >= target:
            return
        due = session.write_deadline
        if is_late and monotonic() >= due:
            exchange.give_up_writing()
        reads = exchange.may_read_ahead()
        until = None if due == _NEVER else due
        need = Need(until, (pipe.sock,) * reads, (pipe.sock,))
        yield need
        has_waited = True
        is_late = not (reads and _read_on(exchange)) and not need.ready


def _read_on(exchange: Exchange) -> bool:
    """Read what is there, if that is not too much at a time; whether anything was."""
    count = 0
    while count < _READS and exchange.may_read_ahead() and exchange.receive_ahead():
        count += 1
    return count > 0
