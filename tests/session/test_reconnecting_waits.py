"""The waits between connections: the formula, and what a server asks for."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from hypothesis import given, strategies as st

from lomond.session.reconnecting import LONGEST_RETRY_AFTER, delay, retry_after


@pytest.fixture
def far_from_utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    if not hasattr(time, "tzset"):
        pytest.skip("the time zone can't be changed here")
    monkeypatch.setenv("TZ", "XYZ+9")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.parametrize(
    ("retries", "seconds"), [(0, 6), (1, 7), (2, 9), (3, 13), (4, 21), (5, 30), (10**6, 30)]
)
def test_the_formula(retries: int, seconds: float) -> None:
    assert delay(retries, 1.0, 5, 30) == seconds
    assert delay(retries, 0.0, 5, 30) == 5


@pytest.mark.parametrize("random", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("retries", [0, 1, 10])
def test_min_wait_holds_whatever_max_wait_is(retries: int, random: float) -> None:
    assert delay(retries, random, 40, 30) == 40
    assert delay(retries, random, 10, 0) == 10
    assert delay(retries, random, 10, 0, full_jitter=True) == 10 * random


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (None, None),
        ("", None),
        (" ", None),
        ("1.5", 1.5),
        ("-3", 0),
        ("1e10", LONGEST_RETRY_AFTER),
        ("nan", None),
        ("inf", None),
        ("-inf", None),
        ("1e400", None),
        ("1_0", None),
        ("+1", None),
        ("garbage", None),
        ("9" * 6000, None),
        ("\u0661\u0662", None),
        ("Thu, 01 Jan 1970 00:16:40 GMT", 400),
        ("Thu, 01 Jan 1970 00:00:10 GMT", 0),
        ("Fri, 31 Dec 2099 23:59:59 GMT", LONGEST_RETRY_AFTER),
        ("Fri, 99 Dec 2099 23:59:59 GMT", None),
        ("Fri, 31 Dec 99999999999999999999 23:59:59 GMT", None),
    ],
)
def test_retry_after_is_bounded(value: str | None, seconds: float | None) -> None:
    assert retry_after(value, wall=600.0) == seconds


@pytest.mark.usefixtures("far_from_utc")
@pytest.mark.parametrize(
    "date",
    [
        "Thu, 01 Jan 1970 00:16:40 GMT",
        "Thursday, 01-Jan-70 00:16:40 GMT",
        "Thu Jan  1 00:16:40 1970",
        "Thu, 01 Jan 1970 00:16:40 -0000",
    ],
)
def test_every_form_of_date_is_utc(date: str) -> None:
    assert retry_after(date, wall=600.0) == 400


@given(st.text() | st.text("0123456789:,.+- GMTThuJan"), st.floats(0, 1e10))
def test_no_header_raises(value: str, wall: float) -> None:
    seconds = retry_after(value, wall)
    assert seconds is None or 0 <= seconds <= LONGEST_RETRY_AFTER
