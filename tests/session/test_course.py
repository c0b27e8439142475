"""How far a connection has come, how long that took, and what a failure tells of it."""

from __future__ import annotations

from lomond.events import Rejected
from lomond.response import Response
from lomond.session.course import Course, sooner


def test_a_new_course() -> None:
    course = Course()
    assert (course.started_at, course.kept, course.phase) == (0.0, 0.0, "resolve")
    assert (course.opened_at, course.address) == (None, None)
    assert repr(course.timings) == "Timings(attempts=[])"


def test_a_phase_of_the_opening_that_failed_is_timed() -> None:
    course = Course()
    course.note_phase(1.0)
    assert course.timings.resolve == 1.0
    for phase in ("resolve", "proxy", "tls", "upgrade"):
        course.enter(phase, 3.0)
        assert course.phase == phase
        course.note_phase(10.0)
        assert getattr(course.timings, phase) == 7.0
    course.enter("connect", 3.0)
    course.note_phase(10.0)
    assert not hasattr(course.timings, "connect")


def test_what_the_door_was_kept_for_does_not_count() -> None:
    course = Course()
    course.kept = 4.0
    assert course.counted(10.0) == 6.0


def test_a_failure_tells_how_far_it_came() -> None:
    course = Course()
    course.started_at, course.address = 3.0, "192.0.2.1:80"
    cause = ValueError("of wss://user:secret@host/")
    rejected = Rejected(Response(b"HTTP/1.1 404 Not Found\r\n\r\n"), "not found")
    assert course.describe(rejected, 10.0, cause, "upgrade") is rejected
    assert (rejected.address, rejected.elapsed, rejected.phase) == ("192.0.2.1:80", 7.0, "upgrade")
    assert rejected.timings is course.timings
    assert "secret" not in str(rejected.cause)
    course.describe(rejected, 10.0)
    assert (rejected.cause, rejected.phase) == (None, None)


def test_the_sooner_of_a_deadline_and_moments() -> None:
    assert sooner(None, 3.0, 2.0) == 2.0
    assert sooner(1.0, 3.0, 2.0) == 1.0
    assert sooner(5.0, 3.0) == 3.0
