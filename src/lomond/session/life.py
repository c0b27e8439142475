"""The script of a WebSocket that stays connected: connect, back off, again.

Theory of operation. It yields `Connect`, is sent what that connection came to, delivers BackOff
and yields `Sleep`, until that says to stop. It knows neither time nor chance; both are arguments.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import TYPE_CHECKING, NamedTuple

from .backoff import delay, retry_after
from .requests import Connect, Deliver, Sleep

if TYPE_CHECKING:
    from ..engine import Engine


class Outcome(NamedTuple):
    """What a connection came to."""

    was_ready: bool
    retry_after: str | None = None  #: the header of a rejection
    wall: float = 0.0  #: seconds since the epoch, at its end


class Policy(NamedTuple):
    """How long to wait between connections, in seconds."""

    min_wait: float
    max_wait: float
    respect_retry_after: bool


LifeRequest = Connect | Deliver | Sleep
Life = Generator[LifeRequest, "Outcome | bool | None", None]


def life(engine: Engine, policy: Policy, random: Callable[[], float]) -> Life:
    """Connect again and again. Connect is answered by an Outcome, Sleep by whether to stop."""
    retries = 0
    while True:
        retries += 1
        outcome = yield Connect()
        assert isinstance(outcome, Outcome)
        if outcome.was_ready:
            retries = 0
        seconds = delay(retries, random(), policy.min_wait, policy.max_wait)
        if policy.respect_retry_after:
            asked = retry_after(outcome.retry_after, outcome.wall)
            if asked is not None:
                # Once, a server may call us back sooner; again and again would be a storm.
                seconds = asked if retries <= 1 else max(asked, policy.min_wait)
        yield Deliver(engine.BackOff(seconds))
        if (yield Sleep(seconds)):
            return
