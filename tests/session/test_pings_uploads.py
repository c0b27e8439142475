"""A slow upload is no dead peer: what the peer's system goes on taking is life. Pretend time."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from lomond.options import Limits, Timing
from lomond.protocol import frames
from lomond.session.pings import Progress
from lomond.session.session import Session
from lomond.testing.alone import counting_bytes

TIMEOUT = 10.0
MEGABYTE = 1_000_000


class Upload:
    """A session whose output goes through a system and its peer's, step by step.

    Attributes:
        confirmed, waiting: As the system tells them.
        confirmed_at: When the former grew.
        tells: Whether it does.
    """

    def __init__(self, has_progress: bool = True) -> None:
        timing = Timing(poll=None, ping_rate=0, ping_timeout=TIMEOUT, send_timeout=None)
        self.session = Session(timing, Limits(), counting_bytes())
        self.session.opened(0.0)
        self.now = 0.0
        self.confirmed = self.waiting = 0
        self.confirmed_at = 0.0
        self.asked = 0
        self.tells = has_progress

    def progress(self) -> Progress | None:
        self.asked += 1
        if not self.tells:
            return None
        return Progress(self.confirmed, self.waiting, self.now - self.confirmed_at)

    def ping(self, behind: int) -> None:
        """Our system takes a ping behind so many bytes that the peer has not confirmed."""
        self.session.send_message(frames.PING, b"")
        self.waiting = behind + len(self.session.output.take())
        self.session.written(self.now, True, self.progress)

    def confirm(self, size: int) -> None:
        self.confirmed += size
        self.waiting -= size
        self.confirmed_at = self.now

    def until_dead(self, steps: Callable[[float], None] = lambda now: None) -> float:
        """When the peer is given up, if each second is a step."""
        while not self.session.has_ended and self.now < 1000:
            deadline = self.session.deadline
            assert deadline is not None
            self.now = max(self.now, min(deadline, self.now + 1))
            steps(self.now)
            if self.now >= deadline:
                self.session.tick(self.now, self.progress)
        return self.now


def test_a_ping_behind_what_the_peer_goes_on_confirming_is_waited_for() -> None:
    upload = Upload()
    upload.ping(3 * MEGABYTE)

    def steps(now: float) -> None:
        if now <= 30:  # 100 KB a second
            upload.confirm(MEGABYTE // 10)

    # All was confirmed after 30 s: then the answer has its time.
    assert upload.until_dead(steps) == 30 + TIMEOUT


def test_a_peer_that_stops_is_noticed_as_if_the_last_it_confirmed_were_a_byte_of_it() -> None:
    upload = Upload()
    upload.ping(3 * MEGABYTE)

    def steps(now: float) -> None:
        if now <= 7:
            upload.confirm(MEGABYTE // 10)

    assert upload.until_dead(steps) == 7 + TIMEOUT


def test_a_peer_that_takes_nothing_is_noticed_in_time() -> None:
    upload = Upload()
    upload.ping(3 * MEGABYTE)

    def steps(now: float) -> None:
        upload.confirmed_at = now  # it is probed, and its system answers

    assert upload.until_dead(steps) == TIMEOUT


@pytest.mark.parametrize("behind", [0, 100, 4000])
def test_a_ping_behind_nothing_is_not_excused_by_being_confirmed(behind: int) -> None:
    upload = Upload()
    upload.ping(behind)

    def steps(now: float) -> None:
        if now == 5:
            upload.confirm(upload.waiting)

    assert upload.until_dead(steps) == TIMEOUT


def test_once_the_ping_has_arrived_only_its_answer_counts() -> None:
    upload = Upload()
    upload.ping(MEGABYTE)

    def steps(now: float) -> None:
        if now == 3:
            upload.confirm(MEGABYTE)
        elif now > 3:
            upload.confirmed += 100  # of later messages
            upload.confirmed_at = now

    assert upload.until_dead(steps) == pytest.approx(2 * TIMEOUT, abs=TIMEOUT / 2)


def test_where_the_system_does_not_tell_a_ping_behind_much_has_the_usual_time() -> None:
    upload = Upload(has_progress=False)
    upload.ping(3 * MEGABYTE)
    assert upload.until_dead() == TIMEOUT


def test_nothing_is_asked_while_the_peer_answers() -> None:
    upload = Upload()
    for _ in range(3):
        upload.ping(0)
        pong = frames.build(frames.PONG, b"", None)
        upload.session.receive(pong, upload.now, upload.now)
        event = upload.session.next_event(upload.now)
        assert event is not None
        upload.now += 5
    assert upload.asked == 3  # when they were written


def test_what_the_system_takes_after_it_was_full_is_life() -> None:
    upload = Upload(has_progress=False)
    upload.ping(0)

    def steps(now: float) -> None:
        # Message after message: the system takes some, is full, and takes the rest.
        if now <= 25:
            upload.session.written(now, False)
            upload.session.written(now, now % 2 == 0)

    assert upload.until_dead(steps) == 25 + TIMEOUT


def test_what_the_system_takes_while_it_is_not_full_is_none() -> None:
    upload = Upload(has_progress=False)
    upload.ping(0)
    assert upload.until_dead(lambda now: upload.session.written(now, True)) == TIMEOUT


@pytest.mark.parametrize("stops_at", [5, 40])
def test_a_ping_that_can_not_leave_is_excused_while_the_peer_confirms(stops_at: int) -> None:
    """A system that was full takes more in large steps only: on a slow line, after minutes."""
    upload = Upload()
    upload.session.send_message(frames.PING, b"")
    upload.waiting = 3 * MEGABYTE + len(upload.session.output.take())
    upload.session.written(0.0, False, upload.progress)

    def steps(now: float) -> None:
        if now <= stops_at:
            upload.confirm(MEGABYTE // 20)

    assert upload.until_dead(steps) == stops_at + TIMEOUT


def test_a_ping_that_can_not_leave_is_not_excused_where_nothing_is_confirmed() -> None:
    upload = Upload()
    upload.session.send_message(frames.PING, b"")
    upload.waiting = 3 * MEGABYTE + len(upload.session.output.take())
    upload.session.written(0.0, False, upload.progress)
    assert upload.until_dead() == TIMEOUT


def test_a_system_that_stops_telling_excuses_nothing() -> None:
    upload = Upload()
    upload.ping(3 * MEGABYTE)

    def steps(now: float) -> None:
        upload.tells = now < 5
        upload.confirm(MEGABYTE // 10)

    assert upload.until_dead(steps) == TIMEOUT
