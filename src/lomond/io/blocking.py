"""Waits, in the thread that iterates, for whatever a stream says that it needs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..system.need import Need
from ..system.pipe import Pipe
from .shared import Shared
from .waiting import Wakeup, lease, wait_for

if TYPE_CHECKING:
    import socket
    from collections.abc import Generator

    from ..protocol.events import AnyEvent
    from ..session.session import Session
    from .exchange import Exchange
    from .journal import Journal
    from .performing import Steps


class Blocking:
    """Goes on with one stream, which may be several merged ones. Is the wake-up of their exchanges.

    A connection alone waits by itself, which costs less (`stream.events`, `Shared.read`).
    """

    def __init__(self) -> None:
        self._wakeup: Wakeup | None = None

    def wake(self) -> None:
        """Something changed. From any thread."""
        wakeup = self._wakeup
        if wakeup is not None:
            wakeup.wake()

    def exchange(self, session: Session, journal: Journal | None) -> Exchange:
        """A new connection's, which wakes it."""
        return Shared(session, journal, self)

    def carry(self, sock: socket.socket, session: Session) -> Steps:
        """The Pipe of a session's connected socket."""
        yield from ()
        return Pipe(sock, False)

    def events(self, items: Generator[Any, None, None]) -> Generator[AnyEvent, None, None]:
        """The events of a stream. Raises OSError: no descriptor is left for what ends the wait."""
        wakeup = self._wakeup = lease()
        try:
            for item in items:
                if isinstance(item, Need):
                    wait_for(item, wakeup)
                else:
                    yield item
        finally:
            items.close()
            self._wakeup = None
            wakeup.give_back()
