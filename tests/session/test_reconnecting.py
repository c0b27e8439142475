"""persist's script, without waiting."""

from __future__ import annotations

import socket
from typing import Any

import pytest

from lomond.ending import Ending
from lomond.session.reconnecting import Outcome, Policy, life
from lomond.session.requests import Connect, Deliver, Sleep


def ways(outcomes: list[Outcome], policy: Policy, random: float = 1.0) -> list[Any]:
    """The BackOffs until it stops, or until all outcomes are used."""
    script = life(policy, lambda: random)
    found = []
    request = next(script)
    for outcome in outcomes:
        assert isinstance(request, Connect)
        try:
            request = script.send(outcome)
        except StopIteration:
            break
        assert isinstance(request, Deliver)
        assert request.event.name == "back_off"
        found.append(request.event)
        sleep = script.send(None)
        assert isinstance(sleep, Sleep)
        assert sleep.seconds == request.event.delay
        request = script.send(False)
    else:
        assert isinstance(request, Connect)
        script.send(FAILED)
        script.send(None)
        with pytest.raises(StopIteration):
            script.send(True)
    return found


def waits(outcomes: list[Outcome], random: float = 1.0, respect: bool = True) -> list[float]:
    return [event.delay for event in ways(outcomes, Policy(5, 30, respect), random)]


FAILED, READY = Outcome(), Outcome(ready_at=0.0)


def asks(value: str, wall: float = 0.0) -> Outcome:
    return Outcome(retry_after=value, wall=wall)


def test_the_waits_of_the_original() -> None:
    assert waits([FAILED] * 6) == [7, 9, 13, 21, 30, 30]
    assert waits([FAILED, FAILED, READY, FAILED]) == [7, 9, 6, 7]
    assert waits([FAILED] * 3, random=0.0) == [5, 5, 5]


def test_retry_after_is_the_wait() -> None:
    assert waits([asks("120")]) == [120]
    assert waits([asks("0")]) == [0]
    assert waits([asks("120")], respect=False) == [7]
    assert waits([asks("soon")]) == [7]


def test_a_server_may_call_back_at_once_only_once() -> None:
    now = asks("0")
    assert waits([now] * 3) == [0, 5, 5]
    assert waits([now, READY, now, now]) == [0, 6, 0, 5]
    assert waits([FAILED, asks("120")]) == [7, 120]


def test_a_date_is_measured_from_the_end_of_the_connection() -> None:
    assert waits([asks("Thu, 01 Jan 1970 00:16:40 GMT", wall=990.0)]) == [10]


def test_a_rejection_that_is_our_fault_waits_longest() -> None:
    for status, wait in [(400, 30), (404, 30), (499, 30), (500, 7), (399, 7), (101, 7)]:
        assert waits([Outcome(status=status)]) == [wait]
    assert waits([Outcome(status=429, retry_after="12")]) == [12]
    assert waits([Outcome(status=429, retry_after="12")], respect=False) == [30]


def test_a_connection_must_have_been_stable_to_count_anew() -> None:
    policy = Policy(5, 30, True, stable_after=30)
    short, long = Outcome(ready_at=10.0, ended=39.9), Outcome(ready_at=10.0, ended=40.0)
    found = ways([FAILED, short, short, long, FAILED], policy)
    assert [event.delay for event in found] == [7, 9, 13, 6, 7]
    assert [event.attempt for event in found] == [1, 2, 3, 0, 1]


def test_attempts_end() -> None:
    policy = Policy(5, 30, True, max_attempts=3)
    assert len(ways([FAILED] * 9, policy)) == 2
    assert len(ways([FAILED, FAILED, READY, FAILED, FAILED, FAILED], policy)) == 5


def test_the_time_without_a_stable_connection_ends() -> None:
    policy = Policy(5, 5, True, max_time=20)
    on_time = [Outcome(began=0.0, ended=15.0)]
    assert len(ways(on_time, policy)) == 1  # the next one would begin after 20 s
    assert ways([Outcome(began=0.0, ended=15.1)], policy) == []
    one = [Outcome(began=100.0 + 7 * n, ended=102.0 + 7 * n) for n in range(9)]
    # They end 2, 9 and 16 s after the start; the next would begin at 21 s.
    assert len(ways(one, policy)) == 2
    late = Outcome(began=114.0, ready_at=115.0, ended=500.0)
    again = [Outcome(began=505.0, ended=507.0), Outcome(began=512.0, ended=516.0)]
    assert len(ways([*one[:2], late, *again], policy)) == 4


NO_NAME = Outcome(ending=Ending("unreachable", cause=socket.gaierror(-2, "not known")))


def test_what_no_attempt_can_mend_is_tried_no_faster_than_max_wait() -> None:
    for random in (0.0, 0.5, 1.0):
        assert waits([FAILED, NO_NAME, NO_NAME, FAILED], random)[1:3] == [30, 30]
    for ending in (Ending("unreachable", cause=OSError(111, "refused")), Ending("lost"), None):
        assert waits([Outcome(ending=ending)]) == [7]
    assert [event.delay for event in ways([NO_NAME], Policy(40, 30, True))] == [40]


def test_what_no_attempt_can_mend_is_spread_by_full_jitter_and_not_sooner() -> None:
    policy = Policy(5, 30, True, full_jitter=True)
    found = [ways([NO_NAME], policy, random)[0].delay for random in (0.0, 0.5, 1.0)]
    assert found == [30, 45, 60]


def test_what_the_user_calls_final_is_the_last() -> None:
    assert len(ways([FAILED, Outcome(is_final=True), FAILED], Policy(5, 30, True))) == 1


def test_full_jitter() -> None:
    for random, wait in [(0.0, 0.0), (0.5, 3.5), (1.0, 7.0)]:
        (found,) = ways([FAILED], Policy(5, 30, True, full_jitter=True), random)
        assert found.delay == wait


def test_min_wait_holds_after_every_outcome() -> None:
    policy = Policy(40, 30, True)
    for outcome in (FAILED, Outcome(ready_at=0.0), Outcome(status=403), Outcome(status=503)):
        for random in (0.0, 0.5, 1.0):
            assert [event.delay for event in ways([outcome] * 3, policy, random)] == [40] * 3


@pytest.mark.parametrize(
    ("outcome", "least", "most"),
    [
        (FAILED, 0, 7),
        (Outcome(ready_at=0.0), 0, 6),
        (Outcome(status=403), 0, 30),
        (Outcome(status=429, retry_after="40"), 40, 70),
        (Outcome(status=503, retry_after="40"), 40, 47),
        (Outcome(status=503, retry_after="0"), 0, 7),
        (Outcome(status=503, retry_after="99999"), 3600, 3607),
    ],
)
def test_with_full_jitter_every_wait_is_random(outcome: Outcome, least: float, most: float) -> None:
    policy = Policy(5, 30, True, full_jitter=True)
    found = [ways([outcome], policy, random)[0].delay for random in (0.0, 0.5, 1.0)]
    assert found == [least, (least + most) / 2, most]


def test_with_full_jitter_nobody_comes_sooner_than_retry_after_asks() -> None:
    policy = Policy(5, 30, True, full_jitter=True)
    outcomes = [Outcome(status=429, retry_after="30"), Outcome(status=503, retry_after="2")] * 3
    for random in (0.0, 0.3, 1.0):
        waits = [event.delay for event in ways(outcomes, policy, random)]
        assert all(seconds >= 30 for seconds in waits[::2])
        assert all(seconds >= 5 for seconds in waits[1::2])  # min_wait, from the second on
    without = Policy(5, 30, False, full_jitter=True)
    assert [ways([outcomes[0]], without, random)[0].delay for random in (0.0, 1.0)] == [0, 30]


def test_back_off_says_why() -> None:
    ending = Ending("lost")
    (found,) = ways([Outcome(reason="lost", unconfirmed=12, ending=ending)], Policy(5, 30, True))
    assert (found.reason, found.attempt, found.unconfirmed) == ("lost", 1, 12)
    assert found.ending is ending
    assert repr(found) == "BackOff(delay=7.0)"
