"""What answered pings tell: how long they took, and what has arrived (RFC 6455 section 5.5.3)."""

from __future__ import annotations

from ..timings import Latency

_NEVER = float("inf")
_MOST = 16  # without an answer, that are remembered


class _Unanswered:
    """A ping that has no answer yet."""

    __slots__ = ("payload", "sent", "written_at")

    def __init__(self, payload: bytes, sent: int) -> None:
        self.payload = payload
        self.sent = sent
        self.written_at = _NEVER


class Pings:
    """The pings of one connection.

    Attributes:
        latency: How long they took, or None: none was answered yet.
        arrived: Bytes of messages that have arrived for sure, because a later ping has.
    """

    __slots__ = ("_unanswered", "arrived", "latency")

    def __init__(self) -> None:
        self.latency: Latency | None = None
        self.arrived = 0
        self._unanswered: list[_Unanswered] = []

    def __len__(self) -> int:
        return len(self._unanswered)

    def queued(self, payload: bytes, sent: int) -> None:
        """A ping is queued, behind so many bytes of messages."""
        if len(self._unanswered) < _MOST:
            self._unanswered.append(_Unanswered(payload, sent))

    def written(self, now: float) -> None:
        """All that was queued was taken by the system."""
        for ping in self._unanswered:
            ping.written_at = min(ping.written_at, now)

    def answered(self, payload: bytes, received_at: float) -> None:
        """A pong has come; it counts for the oldest ping of that payload, and all before it."""
        for number, ping in enumerate(self._unanswered, 1):
            if ping.payload == payload and ping.written_at != _NEVER:
                self.arrived = ping.sent
                del self._unanswered[:number]
                seconds = max(0.0, received_at - ping.written_at)
                first = Latency(seconds, seconds, seconds)
                self.latency = first if self.latency is None else self.latency.after(seconds)
                return
