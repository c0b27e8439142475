"""The pretend clock: it jumps to the next moment at which something happens."""

from __future__ import annotations

from ..system import clock

_WALL = 1_700_000_000.0  # the wall clock when the pretend one says 0


class PretendClock:
    """Both clocks of connections, which go by it in its block: `with clock:`.

    They do so in the block's thread alone, and only there.

    Arguments:
        now: What it says at first, monotonic seconds.

    Attributes:
        now: What it says.
    """

    def __init__(self, now: float = 0.0) -> None:
        self.now = now
        self._before: list[clock.Clocks | None] = []

    def monotonic(self) -> float:
        """Seconds on the pretend clock."""
        return self.now

    def time(self) -> float:
        """Seconds since the epoch, which is some 1.7e9 seconds before the clock's 0."""
        return _WALL + self.now

    def __enter__(self) -> PretendClock:
        self._before.append(clock.pretend(self))
        return self

    def __exit__(self, *_: object) -> None:
        clock.pretend(self._before.pop())
