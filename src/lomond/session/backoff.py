"""How long to wait before connecting again: the formula, and what a server asks for."""

from __future__ import annotations

import math
import re
from datetime import UTC
from email.utils import parsedate_to_datetime

# A number as a server would write it: not with the underscores and the plus that Python takes too.
_NUMBER = re.compile(r"\s*-?[0-9]+(\.[0-9]+)?([eE][0-9]+)?\s*", re.ASCII)
LONGEST_RETRY_AFTER = 3600.0  # seconds; what a server may ask for at most


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
        try:
            date = parsedate_to_datetime(value)
            # "An HTTP-date represents time as an instance of UTC" (section 5.6.7), zone or not.
            date = date if date.tzinfo else date.replace(tzinfo=UTC)
            seconds = date.timestamp() - wall
        except (ValueError, OverflowError):
            return None
    if not math.isfinite(seconds):
        return None
    return min(max(seconds, 0.0), LONGEST_RETRY_AFTER)
