"""What a program does first with a connection, `enter`: how far it has come, for people."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ..ending import duration
from ..payloads import named
from ..response import printable

if TYPE_CHECKING:
    from ..errors import Refused
    from .session import Session

#: Close codes: all is well; the peer kept no rule of the RFC, but a time of ours.
_NORMAL, _LATE = 1000, 1008

_LONGEST = 200  # characters of what is said of a message, or of what is waited for


class Entry:
    """How far `enter` has come, and what follows from its end.

    Arguments:
        session: Of which connection.
        now: When it begins.
    """

    __slots__ = ("_asked", "_sent", "_session", "_since")

    def __init__(self, session: Session, now: float) -> None:
        self._session = session
        self._since = now
        self._sent = "it had sent nothing"
        self._asked = "it had not come to a wait"
        session.enters_late = self.give_up
        session.timers.enter(now)

    def through(self, now: float) -> None:
        """Note that it is done: the connection serves what it is for."""
        session = self._session
        session.enters_late = None
        session.course.served_at = now
        session.timers.entered(now)

    def refuse(self, error: Refused, now: float) -> None:
        """Close the connection, which won't do, as it has found."""
        self._session.close(_NORMAL, str(error), now)
        self._session.finish.refuse(error, now)

    def give_up(self, now: float) -> None:
        """End the connection: it takes too long."""
        session = self._session
        timeout = session.timing.enter_timeout
        reason = f"disconnected; enter was not through within {timeout:g}s"
        said = f"enter was not through within {timeout:g} s (enter_timeout): {self.told(now)}"
        session.connection.close(_LATE, "enter timed out")
        session.finish.time_out(reason, "enter_timeout", now, said, "enter")

    def sent(self, message: Any, payload: bytes, now: float) -> None:
        """Note that it has sent this message."""
        self._since = now
        self._sent = f"it had sent {named(message, len(payload))} last"
        self._asked = "it went on by itself"

    def waits(self, predicate: Callable[..., object], now: float) -> None:
        """Note that it waits for what that tells of."""
        self._since = now
        self._asked = f"it waited for {_place(predicate)}"

    def told(self, now: float) -> str:
        """How far it has come by now, for people: nothing of what its messages say."""
        return f"{self._sent}, and since then, for {duration(now - self._since)}, {self._asked}"


def _place(call: Callable[..., object]) -> str:
    """What a callable is called, and where it stands in the program."""
    name = printable(getattr(call, "__qualname__", None) or repr(call))
    code = getattr(call, "__code__", None)
    if code is None:
        return name[:_LONGEST]
    file = code.co_filename.replace("\\", "/").rpartition("/")[2]
    return f"{name[:_LONGEST]} ({file}:{code.co_firstlineno})"
