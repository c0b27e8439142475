"""The script of a WebSocket that stays connected: connect, back off, again.

Theory of operation. It yields `Connect`, is sent what that connection came to, delivers BackOff
and yields `Sleep`, until that says to stop. It knows neither time nor chance; both are arguments.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Generator
from typing import TYPE_CHECKING, NamedTuple

from ..protocol.events import BackOff
from ..response import moment_of
from .lasting import lasting
from .requests import Connect, Deliver, Sleep

if TYPE_CHECKING:
    from ..ending import Ending

# A number as a server would write it: not with the underscores and the plus that Python takes too.
_NUMBER = re.compile(r"\s*-?[0-9]+(\.[0-9]+)?([eE][0-9]+)?\s*", re.ASCII)
LONGEST_RETRY_AFTER = 3600.0  # seconds; what a server may ask for at most


class Outcome(NamedTuple):
    """What a connection came to. Moments are monotonic seconds."""

    began: float = 0.0
    ended: float = 0.0
    ready_at: float | None = None  #: and `enter` was through; None: it never was
    status: int | None = None  #: of a rejection
    retry_after: str | None = None  #: the header of a rejection
    is_final: bool = False  #: the user does not want another one after this
    reason: str = ""  #: why it ended, for people
    unconfirmed: int = 0  #: bytes of messages that may not have arrived
    ending: Ending | None = None
    wall: float = 0.0  #: seconds since the epoch, at its end


class Policy(NamedTuple):
    """When to connect again; in seconds."""

    min_wait: float
    max_wait: float
    respect_retry_after: bool
    max_attempts: int | None = None
    max_time: float | None = None
    stable_after: float = 0.0
    full_jitter: bool = False


LifeRequest = Connect | Deliver | Sleep
Life = Generator[LifeRequest, "Outcome | bool | None", None]


def life(policy: Policy, random: Callable[[], float]) -> Life:
    """Connect again and again. Connect is answered by an Outcome, Sleep by whether to stop."""
    attempts = 0  # since one was stable
    since: float | None = None
    while True:
        attempts += 1
        outcome = yield Connect()
        assert isinstance(outcome, Outcome)
        if since is None:
            since = outcome.began
        ready_at = outcome.ready_at
        if ready_at is not None and outcome.ended - ready_at >= policy.stable_after:
            attempts = 0
            since = outcome.ended
        seconds = _wait(policy, outcome, attempts, random())
        if outcome.is_final or _is_enough(policy, attempts, outcome.ended + seconds - since):
            return
        yield Deliver(
            BackOff(
                seconds,
                reason=outcome.reason,
                attempt=attempts,
                unconfirmed=outcome.unconfirmed,
                ending=outcome.ending,
            )
        )
        if (yield Sleep(seconds)):
            return


def _wait(policy: Policy, outcome: Outcome, attempts: int, random: float) -> float:
    """Seconds until the next attempt."""
    ending = outcome.ending
    if ending is not None and lasting(ending.cause) is not None:
        # Whoever can change it needs time; with full jitter many clients do not come at once.
        most = longest(policy.min_wait, policy.max_wait)
        return most + random * most if policy.full_jitter else most
    if outcome.status is not None and 400 <= outcome.status < 500:
        most = longest(policy.min_wait, policy.max_wait)
        # Our fault: it will not be better soon.
        own = random * most if policy.full_jitter else most
    else:
        own = delay(attempts, random, policy.min_wait, policy.max_wait, policy.full_jitter)
    asked = retry_after(outcome.retry_after, outcome.wall) if policy.respect_retry_after else None
    if asked is None:
        return own
    # Once, a server may call us back sooner; again and again would be a storm.
    least = asked if attempts <= 1 else max(asked, policy.min_wait)
    # All whom it refused were told the same; sooner than it says nobody comes.
    return least + own if policy.full_jitter else least


def _is_enough(policy: Policy, attempts: int, seconds: float) -> bool:
    """Whether a limit is reached before the next attempt would start."""
    is_last = policy.max_attempts is not None and attempts >= policy.max_attempts
    return is_last or (policy.max_time is not None and seconds > policy.max_time)


# How long to wait: the formula, and what a server asks for.


def delay(
    retries: int, random: float, min_wait: float, max_wait: float, full_jitter: bool = False
) -> float:
    """Seconds to wait after a number of attempts without Ready.

    Arguments:
        retries: Attempts since the last Ready, this one included; 0 if it reached Ready.
        random: Between 0 and 1.
        min_wait: The least, seconds.
        max_wait: The most, seconds; not less than `min_wait`, whatever it says.
        full_jitter: Whether all of the wait is random, and not only what is above `min_wait`.
    """
    # An exponent without a bound would overflow after days of failures.
    spread = min(longest(min_wait, max_wait) - min_wait, 2.0 ** min(retries, 64))
    return random * (min_wait + spread) if full_jitter else min_wait + random * spread


def longest(min_wait: float, max_wait: float) -> float:
    """Seconds of the longest wait: `max_wait`, but the least holds whatever the most is."""
    return max(min_wait, max_wait)


def retry_after(value: str | None, wall: float) -> float | None:
    """Seconds that a Retry-After header asks for (RFC 9110 section 10.2.3), bounded; or None.

    Arguments:
        value: A number of seconds or an HTTP date.
        wall: Seconds since the epoch, to measure the date from.
    """
    if not value:
        return None
    if _NUMBER.fullmatch(value):
        seconds = float(value)
    else:
        moment = moment_of(value)
        if moment is None:
            return None
        seconds = moment - wall
    if not math.isfinite(seconds):
        return None
    return min(max(seconds, 0.0), LONGEST_RETRY_AFTER)
