"""persist's script and its waits, without waiting."""

from __future__ import annotations

import pytest

from lomond.engine import engine
from lomond.session.backoff import LONGEST_RETRY_AFTER, delay, retry_after
from lomond.session.life import Outcome, Policy, life
from lomond.session.requests import Connect, Deliver, Sleep


def waits(outcomes: list[Outcome], random: float = 1.0, respect: bool = True) -> list[float]:
    script = life(engine, Policy(5, 30, respect), lambda: random)
    found = []
    request = next(script)
    for number, outcome in enumerate(outcomes, 1):
        assert isinstance(request, Connect)
        request = script.send(outcome)
        assert isinstance(request, Deliver)
        assert request.event.name == "back_off"
        sleep = script.send(None)
        assert isinstance(sleep, Sleep)
        assert sleep.seconds == request.event.delay
        found.append(sleep.seconds)
        if number == len(outcomes):
            with pytest.raises(StopIteration):
                script.send(True)
        else:
            request = script.send(False)
    return found


FAILED, READY = Outcome(False), Outcome(True)


def test_the_waits_of_the_original() -> None:
    assert waits([FAILED] * 6) == [7, 9, 13, 21, 30, 30]
    assert waits([FAILED, FAILED, READY, FAILED]) == [7, 9, 6, 7]
    assert waits([FAILED] * 3, random=0.0) == [5, 5, 5]


def test_the_formula_at_its_edges() -> None:
    assert delay(10, 1.0, 10, 5) == 5
    assert delay(10**6, 1.0, 5, 30) == 30


def test_retry_after_is_the_wait() -> None:
    assert waits([Outcome(False, "120")]) == [120]
    assert waits([Outcome(False, "0")]) == [0]
    assert waits([Outcome(False, "120")], respect=False) == [7]
    assert waits([Outcome(False, "soon")]) == [7]


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (None, None),
        ("", None),
        ("1.5", 1.5),
        ("-3", 0),
        ("1e10", LONGEST_RETRY_AFTER),
        ("nan", None),
        ("inf", None),
        ("-inf", None),
        ("garbage", None),
        ("\u0661\u0662", None),
        ("Thu, 01 Jan 1970 00:16:40 GMT", 400),
        ("Thu, 01 Jan 1970 00:00:10 GMT", 0),
        ("Fri, 31 Dec 2099 23:59:59 GMT", LONGEST_RETRY_AFTER),
        ("Fri, 99 Dec 2099 23:59:59 GMT", None),
    ],
)
def test_retry_after_is_bounded(value: str | None, seconds: float | None) -> None:
    assert retry_after(value, wall=600.0) == seconds
