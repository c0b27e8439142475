"""persist's script, without waiting."""

from __future__ import annotations

import pytest

from lomond.engine import engine
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


def test_retry_after_is_the_wait() -> None:
    assert waits([Outcome(False, "120")]) == [120]
    assert waits([Outcome(False, "0")]) == [0]
    assert waits([Outcome(False, "120")], respect=False) == [7]
    assert waits([Outcome(False, "soon")]) == [7]


def test_a_server_may_call_back_at_once_only_once() -> None:
    now = Outcome(False, "0")
    assert waits([now] * 3) == [0, 5, 5]
    assert waits([now, READY, now, now]) == [0, 6, 0, 5]
    assert waits([FAILED, Outcome(False, "120")]) == [7, 120]


def test_a_date_is_measured_from_the_end_of_the_connection() -> None:
    assert waits([Outcome(False, "Thu, 01 Jan 1970 00:16:40 GMT", wall=990.0)]) == [10]
