"""What a server does wrong that misbehaves: one of many ways, the same by the same seed."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any

#: Methods of a Server, and what they are given.
Calls = list[tuple[str, tuple[Any, ...]]]

_SPANS = [1.0, 30.0, 300.0]  # seconds of a stall: below and above what programs wait for
_BEFORE = [0.0, 0.01, 0.1, 1.0]  # seconds that all is well
_STATUSES = [401, 403, 404, 429, 500, 502, 503]
_CODES = [1000, 1001, 1008, 1011, 1012, 1013]
_RATES = [100.0, 10_000.0]  # bytes a second
_COUNTS = [100, 10_000]

#: Instead of accepting the connection.
_AT_FIRST: list[Callable[[Random], Calls]] = [
    lambda dice: [("refuses", (dice.choice(_STATUSES),))],
    lambda dice: [("wrong_accept", ())],
    lambda dice: [("never_answers", ())],
]
#: Once it is accepted.
_LATER: list[Callable[[Random], Calls]] = [
    lambda dice: [("cuts", ())],
    lambda dice: [("resets", ())],
    lambda dice: [("closes", (dice.choice(_CODES),))],
    lambda dice: [("stalls", (dice.choice(_SPANS),))],
    lambda dice: [("half_a_frame", ()), ("cuts", ())],
    lambda dice: [("half_a_frame", ()), ("stalls", (dice.choice(_SPANS),)), ("cuts", ())],
    lambda dice: [("garbage", ())],
    lambda dice: [("floods", (dice.choice(_COUNTS),))],
    lambda dice: [("byte_by_byte", ())],
    lambda dice: [("ignores_pings", ())],
    lambda dice: [("reads_slowly", (dice.choice(_RATES),))],
]


def chosen(seed: int, is_first: bool) -> Calls:
    """What a server does wrong, by a seed.

    Arguments:
        seed: Gives the same each time.
        is_first: Whether the request may still be answered wrongly.
    """
    dice = Random(seed)  # noqa: S311  # it guards nothing, and is to be the same again
    ways = [*_AT_FIRST, *_LATER] if is_first else _LATER
    calls = dice.choice(ways)(dice)
    if calls[0][0] in ("refuses", "wrong_accept", "never_answers"):
        return calls
    return [("after", (dice.choice(_BEFORE),)), *calls]


def words_of(calls: Calls) -> str:
    """What is done, as a chain says it."""
    return "".join(f".{name}({', '.join(map(repr, given))})" for name, given in calls)
