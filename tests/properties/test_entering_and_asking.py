"""Whatever a peer says, and whenever it dies: what `enter` and questions promise holds.

In pretend time, over the pretend door; tests/doors/ has the others.
"""

from __future__ import annotations

from collections import Counter

from hypothesis import given, settings, strategies as st

from entering_and_asking import (
    ENTER_TIMEOUT,
    TIMING,
    Answers,
    Asks,
    Does,
    Hears,
    Tells,
    World,
    check,
    dies,
    doings,
    ends_of_peers,
    enter_of,
    peer_of,
    played,
    questions,
    scripts,
)
from lomond.options import Timing
from lomond.testing.alone import PretendDoor
from lomond.testing.peer import Pause


def run(doings: list[Does], asks: list[Asks], script: list[str], ends: str, size: int) -> World:
    world = World()
    timing = Timing(enter=enter_of(world, script), enter_timeout=ENTER_TIMEOUT, **TIMING)
    door = PretendDoor(dies(peer_of(world, doings, ends), size, world), timing)
    played(world, door.events(), lambda: door.now, door.send_text, asks)
    check(world, script)
    return world


@given(doings, questions, scripts, ends_of_peers)
@settings(max_examples=300)
def test_whatever_the_peer_says(
    doings: list[Does], asks: list[Asks], script: list[str], ends: str
) -> None:
    run(doings, asks, script, ends, 100_000)


@given(doings, questions, scripts, st.integers(0, 700))
@settings(max_examples=300)
def test_whenever_it_dies(
    doings: list[Does], asks: list[Asks], script: list[str], size: int
) -> None:
    run(doings, asks, script, "end", size)


#: One that enters, and has its questions answered in another order; some twice, one never.
WHOLE: list[Does] = [
    Tells("object"), Hears(), Tells("binary"), Answers(0, 2), Hears(), Hears(), Answers(-1, 1),
    Tells("words"), Pause(0.4), Answers(1, 1), Hears(), Tells("ping"), Answers(-1, 2),
]  # fmt: skip
ASKED = [Asks(0, True, 30.0), Asks(1, False, None), Asks(3, True, 1.0), Asks(6, True, 0.3)]
SCRIPT = ["send", "acknowledged", "send", "reply"]


def test_it_dies_behind_each_byte() -> None:
    whole = run(WHOLE, ASKED, SCRIPT, "end", 100_000)
    names = Counter(event.name for _, event in whole.seen)
    assert names["entered"] == 1
    assert names["reply"] >= 2
    assert names["no_reply"] >= 1
    kinds = {
        tuple(event.name for _, event in run(WHOLE, ASKED, SCRIPT, "end", size).seen)
        for size in range(whole.size)
    }
    assert len(kinds) > 10
