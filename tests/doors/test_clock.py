"""The one switch of the time: whose thread goes by other clocks, and who asks the clocks at all."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import lomond
from lomond import events, persist
from lomond.io import noticing, stream, waiting
from lomond.system import clock, connecting

SOURCES = Path(lomond.__file__).parent
#: Who asks Python for the time: the clocks themselves, a lock that the system waits for,
#: and who only shows or counts it. The command is a program: it may ask as programs do.
OWN = {
    "cookies.py", "system/clock.py", "system/clock.pyx", "system/lock.pyx",
    "protocol/events.py", "testing/accepting.py", "testing/acting.py", "testing/real.py",
    "testing/standing.py",
}  # fmt: skip


class Stopped:
    """Clocks that stand still."""

    def __init__(self, moment: float) -> None:
        self.moment = moment

    def monotonic(self) -> float:
        return self.moment

    def time(self) -> float:
        return self.moment + 0.5


@pytest.fixture(autouse=True)
def real_again() -> Iterator[None]:
    yield
    clock.pretend(None)


def is_real() -> bool:
    near = [clock.monotonic() - time.monotonic(), clock.time() - time.time()]
    return all(abs(seconds) < 1 for seconds in near)


def test_a_thread_goes_by_other_clocks_until_it_goes_by_the_systems_again() -> None:
    stopped = Stopped(7.0)
    assert clock.pretend(stopped) is None
    assert (clock.monotonic(), clock.time()) == (7.0, 7.5)
    stopped.moment = -1.0  # what means a failure elsewhere
    assert (clock.monotonic(), clock.time()) == (-1.0, -0.5)
    assert clock.pretend(None) is stopped
    assert is_real()
    assert clock.pretend(None) is None


def test_one_world_within_another() -> None:
    outer, inner = Stopped(1.0), Stopped(2.0)
    clock.pretend(outer)
    before = clock.pretend(inner)
    assert clock.monotonic() == 2.0
    clock.pretend(before)
    assert clock.monotonic() == 1.0


def test_each_thread_has_its_own() -> None:
    seen = []

    def look() -> None:
        seen.append(is_real())
        clock.pretend(Stopped(2.0))
        seen.append(clock.monotonic() == 2.0)
        clock.pretend(None)
        seen.append(is_real())

    clock.pretend(Stopped(1.0))
    thread = threading.Thread(target=look)
    thread.start()
    thread.join()
    assert seen == [True, True, True]
    assert clock.monotonic() == 1.0


@pytest.mark.parametrize("ask", [clock.monotonic, clock.time])
def test_what_the_other_clocks_raise_is_raised(ask: Callable[[], float]) -> None:
    class Broken:
        def monotonic(self) -> float:
            raise ZeroDivisionError

        time = monotonic

    clock.pretend(Broken())
    with pytest.raises(ZeroDivisionError):
        ask()
    clock.pretend(None)
    assert is_real()


def test_an_event_that_somebody_makes_has_their_time() -> None:
    clock.pretend(Stopped(7.0))
    assert events.Poll().received_time == 7.5
    clock.pretend(None)
    assert abs(events.Poll().received_time - time.time()) < 1


def test_whoever_has_imported_a_clock_goes_by_them() -> None:
    clock.pretend(Stopped(7.0))
    for module in (connecting, noticing, persist, stream, waiting):
        assert vars(module)["monotonic"]() == 7.0


def test_nobody_else_asks_python_for_the_time() -> None:
    asked = re.compile(r"^(from time import|import time\b)", re.MULTILINE)
    files = [path for kind in ("*.py", "*.pyx") for path in SOURCES.rglob(kind)]
    own = {
        path.relative_to(SOURCES).as_posix()
        for path in files
        if asked.search(path.read_text(encoding="utf-8"))
    }
    assert {name for name in own if not name.startswith("cli/")} == OWN


def test_whether_a_moment_has_come_is_never_told_early_and_a_tick_late_at_most() -> None:
    tick = 0.01  # seconds; of the slowest usual Linux
    late = []
    for _ in range(20):
        moment = clock.monotonic() + 0.001
        while not clock.coarse.has_come(moment):
            pass
        late.append(clock.monotonic() - moment)
    assert min(late) >= 0
    assert min(late) <= 2 * tick  # a busy machine may keep some of the rounds


def test_whether_a_moment_has_come_is_told_by_the_clocks_of_the_thread() -> None:
    stopped = Stopped(7.0)
    clock.pretend(stopped)
    assert clock.coarse.has_come(7.0)
    assert not clock.coarse.has_come(7.1)
    stopped.moment = 8.0
    assert clock.coarse.has_come(7.1)
