"""Output that the system does not take: when that is a failure (send_timeout)."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..protocol.connection import Connection

NEVER = float("inf")
FAR = sys.float_info.max  # a moment that does not come, of something that is waited for


class Backlog:
    """Judges what waits to be written, by when it was tried and what came meanwhile.

    A peer that is blocked takes nothing until we have read what it says. So where nobody tried for
    a whole `send_timeout` (a handler had the thread) and bytes of the peer's are found then, it
    gets that time once more; once only, until something is taken.

    Arguments:
        timeout: `send_timeout`, seconds; None for no limit.
        connection: Whose output it is.
    """

    __slots__ = ("_connection", "_deadline", "_is_spared", "_seen_late_at", "_timeout", "_tried_at")

    def __init__(self, timeout: float | None, connection: Connection) -> None:
        self._timeout = FAR if timeout is None else timeout
        self._connection = connection
        self._deadline = self._seen_late_at = NEVER  # nothing waits

    def waits(self, now: float) -> None:
        """Output begins to wait, or some of it was taken and the rest waits."""
        self._deadline = min(now + self._timeout, FAR)
        self._tried_at = now
        self._seen_late_at = NEVER
        self._is_spared = False

    def is_gone(self) -> None:
        """All of it was taken."""
        self._deadline = self._seen_late_at = NEVER

    @property
    def deadline(self) -> float:
        """When it is given up; infinity while nothing waits."""
        received_at = self._connection.received_at
        if received_at >= self._seen_late_at and not self._is_spared:
            self._is_spared = True
            self._deadline = received_at + self._timeout
        return self._deadline

    def has_failed(self, now: float) -> bool:
        """The system was tried and took nothing: whether that is all that it gets."""
        if now < self.deadline or self._is_spared:
            self._tried_at = now
            return now >= self._deadline
        if self._seen_late_at == NEVER and now - self._tried_at >= self._timeout:
            self._seen_late_at = now
        # What the peer says is read before it is judged; where it says nothing, its time is over.
        return self._seen_late_at == NEVER
