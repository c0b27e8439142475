"""What the clients of the benchmarks share: delays of a paced feed, and how it is paced."""

from __future__ import annotations

import json
import socket
import sys
from itertools import pairwise
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "benchmarks" / "clients"))
sys.path.insert(0, str(Path(__file__).parents[1] / "benchmarks" / "servers"))

import measure
import pacing


def task(monkeypatch: pytest.MonkeyPatch, **given: object) -> measure.Task:
    asked = {"scenario": "paced", "url": "ws://x", "size": 100, **given}
    monkeypatch.setattr(sys, "argv", ["client", json.dumps(asked)])
    return measure.Task()


def test_half_are_not_later_than_the_median() -> None:
    late = list(range(1000, 0, -1))
    assert measure.percentiles(late) == pytest.approx({"p50": 501e-9, "p99": 991e-9})
    assert measure.percentiles([7]) == pytest.approx({"p50": 7e-9, "p99": 7e-9})
    assert measure.percentiles([]) == {"p50": 0.0, "p99": 0.0}


def test_delays_are_from_the_time_in_the_message(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    delays = measure.Delays(task(monkeypatch, count=2), measure.Meter())
    text = f"{1_000_000:020}".ljust(100, "x")
    for _ in range(measure.WARM):
        assert not delays.got(5_000_000, text)  # these are not counted
    assert not delays.got(1_002_000, text)
    assert delays.got(1_004_000, text)
    delays.stop()
    said = json.loads(capsys.readouterr().out)
    assert said["p50"] == said["p99"] == pytest.approx(4e-6)
    assert said["cpu"] >= 0


def feed(count: int) -> list[str]:
    """Texts of a feed that was as quick as it can be."""
    here, there = socket.socketpair()
    with here, there:
        pacing.pace(here, 1, count)
        with there.makefile("rb") as stream:
            frames = [stream.read(pacing.SIZE + 2) for _ in range(count + measure.WARM)]
    assert {frame[:2] for frame in frames} == {bytes((0x81, pacing.SIZE))}
    return [frame[2:].decode() for frame in frames]


def test_each_message_of_a_feed_begins_with_its_time() -> None:
    assert pacing.WARM == measure.WARM
    before = measure.monotonic_ns()
    times = [int(text[:20]) for text in feed(10)]
    assert before < times[0]
    assert times == sorted(times)
    assert times[-1] < measure.monotonic_ns()


class Clock:
    """One that goes on by half a microsecond whenever it is read, and by what a send takes."""

    def __init__(self) -> None:
        self.now = 0
        self.times: list[int] = []
        self.held_up: dict[int, int] = {}  # nanoseconds, by the number of the message

    def monotonic_ns(self) -> int:
        self.now += 500
        return self.now

    def sendall(self, frame: bytearray) -> None:
        self.now += self.held_up.get(len(self.times), 0)
        self.times.append(int(frame[2:22]))

    def gaps(self) -> list[int]:
        return [after - before for before, after in pairwise(self.times)]


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(pacing, "time", clock)
    return clock


def test_a_feed_has_uneven_gaps(clock: Clock) -> None:
    pacing.pace(clock, 100, 2000)  # type: ignore[arg-type]  it sends as a socket
    gaps = clock.gaps()
    assert sum(gaps) / len(gaps) == pytest.approx(100_000, rel=0.05)
    assert min(gaps) < 5_000
    assert 195_000 < max(gaps) < 205_000


def test_every_feed_has_the_same_gaps(clock: Clock) -> None:
    pacing.pace(clock, 100, 50)  # type: ignore[arg-type]  it sends as a socket
    first, clock.times = clock.gaps(), []
    pacing.pace(clock, 100, 50)  # type: ignore[arg-type]  it sends as a socket
    assert clock.gaps() == pytest.approx(first, abs=1000)


def test_what_was_held_up_is_not_made_up_for(clock: Clock) -> None:
    clock.held_up[100] = 50_000_000
    pacing.pace(clock, 100, 300)  # type: ignore[arg-type]  it sends as a socket
    after = clock.gaps()[101:]
    assert sum(after) / len(after) == pytest.approx(100_000, rel=0.1)


@pytest.mark.parametrize(
    ("kind", "keyword"),
    [("default", {}), ("none", {"ping": None}), ("keepalive", {"ping": 30.0})],
)
def test_which_keepalive_many_connections_have(
    kind: str, keyword: dict[str, object], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = task(monkeypatch, kind=kind)
    assert measure.keepalive_of(asked, "ping", None, 30.0) == keyword
    assert measure.keepalive_of(asked, "ping", None) == ({"ping": None} if kind == "none" else {})
