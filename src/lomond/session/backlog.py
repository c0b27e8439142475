"""Output that the system does not take: when that is a failure (send_timeout)."""

from __future__ import annotations

import sys

NEVER = float("inf")
FAR = sys.float_info.max  # a moment that does not come, of something that is waited for


class Backlog:
    """Judges what waits to be written, by when it was tried and what came meanwhile.

    A peer that is blocked takes nothing until we have read what it says. So where nobody tried for
    a whole `send_timeout` (a handler had the thread) and bytes of the peer's are found then, it
    gets that time once more; once only, until something is taken.

    Arguments:
        timeout: `send_timeout`, seconds; None for no limit.

    """

    __slots__ = ("_due", "_is_spared", "_seen_late_at", "_timeout", "_tried_at")

    def __init__(self, timeout: float | None) -> None:
        self._timeout = FAR if timeout is None else timeout
        self.is_gone()

    def waits(self, now: float) -> None:
        """It begins to wait, or some of it was taken and the rest waits."""
        self._due = min(now + self._timeout, FAR)
        self._tried_at = now
        self._seen_late_at = NEVER
        self._is_spared = False

    def is_gone(self) -> None:
        """All of it was taken."""
        self.waits(0.0)
        self._due = NEVER

    def due(self, received_at: float) -> float:
        """When it is given up; infinity while nothing waits.

        Arguments:
            received_at: When bytes came from the peer last.
        """
        if received_at >= self._seen_late_at and not self._is_spared:
            self._is_spared = True
            self._due = received_at + self._timeout
        return self._due

    def has_failed(self, now: float, received_at: float) -> bool:
        """The system was tried and took nothing: whether that is all that it gets."""
        if now < self.due(received_at) or self._is_spared:
            self._tried_at = now
            return now >= self._due
        if self._seen_late_at == NEVER and now - self._tried_at >= self._timeout:
            self._seen_late_at = now
        # What the peer says is read before it is judged; where it says nothing, its time is over.
        return self._seen_late_at == NEVER
