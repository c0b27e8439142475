"""What each step of an opening may do: judge its deadline, read, write, and say what it waits for.

Knows nothing of what is asked for; that is performing.py.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING

from ..errors import TransportFail
from ..session.requests import Failed, Interrupted, TimedOut
from ..system.clock import monotonic
from ..system.need import Need
from ..system.pipe import BOUND
from .waiting import signals_tick

if TYPE_CHECKING:
    from ..system.pipe import Pipe
    from .exchange import Exchange

_READ_SIZE = 16 * 1024  # bytes


class Stepping:
    """One connection that is being opened, step by step.

    Arguments:
        exchange: The connection's.
    """

    __slots__ = ("_exchange", "_seen_close")

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self._seen_close = False

    def _until(self, deadline: float | None) -> float | None:
        """When a deadline passes, by the clock."""
        return None if deadline is None else deadline + self._exchange.session.course.kept

    def _has_passed(self, deadline: float | None, moment: float) -> bool:
        # As what was waited for (`_until`), to the last digit.
        return deadline is not None and moment >= deadline + self._exchange.session.course.kept

    def _start(self) -> None:
        """Get ready to wait."""
        if self._exchange.is_over:  # and the wake-up gone
            raise Interrupted(OSError("closed by the user"), monotonic())
        if self._exchange.wakeup is None:
            self._exchange.start()

    def _received(self, pipe: Pipe, deadline: float | None) -> Generator[Need, None, bytes]:
        """What comes; what is there already is looked at before the deadline is judged."""
        need: Need | None = None
        waits = self._may_wait(pipe, deadline)
        while True:
            now = monotonic()
            data = pipe.wire.receive_apart(_READ_SIZE, waits)
            if data is not None:
                pipe.received += len(data)
                return data
            waits = False
            self._check_after(need, deadline, now)
            need = Need(self._until(deadline), (pipe.sock,))
            yield need

    def _may_wait(self, pipe: Pipe, deadline: float | None) -> bool:
        """Whether a read is to wait by itself, BOUND at most: one system call, and not three."""
        exchange = self._exchange
        finish = exchange.session.finish
        if not pipe.may_wait or exchange.is_over or finish.close_asked_at is not None:
            return False
        until = self._until(deadline)
        is_long = until is None or until - monotonic() > 2 * BOUND
        return is_long and not signals_tick()

    def _check(self, deadline: float | None = None, looked_at: float | None = None) -> None:
        """Raise if the user closed, or the deadline had passed by then, or by now."""
        self._exchange.catch_up()
        now, exchange = monotonic(), self._exchange
        is_asked = exchange.session.finish.close_asked_at is not None and not self._seen_close
        if exchange.is_over or exchange.connection.has_ended or is_asked:
            self._seen_close = self._seen_close or is_asked  # once is enough
            raise Interrupted(OSError("closed by the user"), now)
        moment = now if looked_at is None else looked_at
        if deadline is not None and self._has_passed(deadline, moment):
            raise TimedOut(TimeoutError("no answer in time"), now)

    def _check_after(
        self, need: Need | None, deadline: float | None, looked_at: float | None = None
    ) -> None:
        """Check after a wait for it; without one, no deadline is judged yet."""
        if need is None:
            self._check()
        else:
            self._check(deadline, looked_at if need.looked_at is None else need.looked_at)

    def _write(self, deadline: float | None) -> Generator[Need, None, None]:
        pipe = self._exchange.pipe
        assert pipe is not None
        need: Need | None = None
        while True:
            try:
                self._exchange.write_some()
            except TransportFail as failure:
                raise Failed(failure.cause or failure, monotonic()) from None
            if not pipe.queue:
                return
            self._check_after(need, deadline)
            need = Need(self._until(deadline), (), (pipe.sock,))
            yield need
