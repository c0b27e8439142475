"""The guard around each case; and what came in parts is whole again."""

import threading

import pytest
from echo_client import LIMIT_SECONDS, Together, guard, limit_of

from lomond.events import AnyEvent, Binary, BinaryPart, Ping, Text, TextPart


def test_orderly_end_is_no_trouble(capsys: pytest.CaptureFixture[str]) -> None:
    assert guard(lambda: None, 60.0, "case 1.1.1") is None
    assert capsys.readouterr().err == ""


def test_hung_case_is_named_with_its_place(capsys: pytest.CaptureFixture[str]) -> None:
    release = threading.Event()

    def stand_still() -> None:
        release.wait()

    assert guard(stand_still, 0.2, "case 6.4.3") == "HUNG"
    release.set()
    shown = capsys.readouterr().err
    assert "case 6.4.3 hung" in shown
    assert "stand_still" in shown


def test_exception_is_named_and_shown(capsys: pytest.CaptureFixture[str]) -> None:
    def fail() -> None:
        raise ValueError("half a surrogate")

    assert guard(fail, 60.0, "case 6.1.1") == "RAISED"
    shown = capsys.readouterr().err
    assert "case 6.1.1 raised" in shown
    assert "half a surrogate" in shown


@pytest.mark.parametrize(
    ("case", "patience"),
    [("9.1.6", 100), ("9.5.1", 1000), ("9.8.6", 480), ("12.1.1", 480), ("13.7.18", 480)],
)
def test_guard_is_more_patient_than_the_server(case: str, patience: float) -> None:
    assert limit_of(case) > patience


def test_other_cases_are_short() -> None:
    assert limit_of("1.1.1") == limit_of("7.9.1") == limit_of("10.1.1") == LIMIT_SECONDS


def test_parts_are_put_together() -> None:
    together = Together()
    seen: list[AnyEvent] = [
        Text("whole"),
        TextPart("€1", 0, True, False),
        Ping(b""),
        TextPart("", 4, False, True),
        BinaryPart(b"ab", 0, True, False),
        BinaryPart(b"c", 2, False, True),
        Binary(b"d"),
    ]
    assert [together.whole(event) for event in seen] == [
        "whole", None, None, "€1", None, b"abc", b"d",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "wrong",
    [
        BinaryPart(b"b", 2, False, True),  # a byte is missing
        BinaryPart(b"b", 1, True, True),
        BinaryPart(b"b", 0, True, True),  # another message
        Binary(b"b"),
    ],
)
def test_a_part_that_does_not_fit_is_an_error(wrong: AnyEvent) -> None:
    together = Together()
    assert together.whole(BinaryPart(b"a", 0, True, False)) is None
    with pytest.raises(AssertionError):
        together.whole(wrong)
