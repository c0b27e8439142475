"""What the threads of one connection share: the session, the socket, the lock, the wake-up.

The lock is held for changes only, never while waiting.
"""

from __future__ import annotations

import contextlib
import ssl
import threading
from collections import deque
from time import monotonic
from typing import TYPE_CHECKING

from ..errors import TransportFail
from ..session.causes import words
from . import forking

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..session.session import Session
    from .transport import Transport
    from .waiting import Wakeup

    Traced = Callable[[str, int], None]


class Link:
    """The shared state of one connection; `lock` guards it.

    Arguments:
        session: What the connection does over time.
        traced: Called with a stage and a length after each write and read, outside the lock.

    Attributes:
        wakeup: Ends the loop's wait; made when the iteration starts.
        is_over: The connection was given up by this side.
        is_in_use: The loop's thread is inside a wait, a read or a write.
        is_traced: Whether somebody listens to what is written and read.
        born: The fork generation that the connection belongs to.
    """

    def __init__(self, session: Session, traced: Traced | None = None) -> None:
        self.session = session
        self.transport: Transport | None = None
        self.wakeup: Wakeup | None = None
        self.lock = threading.RLock()
        self.is_over = False
        self.is_in_use = False
        self.born: int = forking.count
        forking.watch(self)
        self.is_traced = traced is not None
        self._traced = traced
        self._reports: deque[tuple[str, int]] = deque()  # not yet traced

    def forked(self) -> None:
        """We are in a child: no message is handed out any more."""
        self.session.connection.due = float("-inf")

    @property
    def is_foreign(self) -> bool:
        """Whether the connection belongs to the parent of this process."""
        return self.born != forking.count

    @property
    def is_owned(self) -> bool:
        """Whether this thread holds the lock: a signal handler runs between any two lines."""
        # Not in the stubs; it is what threading.Condition asks too.
        return bool(self.lock._is_owned())  # type: ignore[attr-defined]

    def wake(self) -> None:
        """End the loop's wait: something changed."""
        if self.wakeup is not None:
            self.wakeup.wake()

    def note(self, stage: str, length: int) -> None:
        """Remember a write or read for `report`; called where somebody listens (`is_traced`)."""
        if length:
            self._reports.append((stage, length))

    def report(self) -> None:
        """Tell whoever listens what was written and read; no lock and no turn is held."""
        if self._traced is not None:
            while self._reports:
                self._traced(*self._reports.popleft())

    def enqueue(self) -> int:
        """Move the session's output to the queue (lock held); where the queue then ends.

        Raises:
            TransportFail: TLS can't encrypt it; the session knows.
        """
        transport = self.transport
        if transport is None:
            return 0
        output = self.session.output
        if output.is_ready:
            try:
                transport.enqueue(output.take())
            except ssl.SSLError as error:
                self.session.fail(error, "write", monotonic())
                raise TransportFail(f"TLS fail; {words(error)}", cause=error) from error
        return transport.queued

    def enqueue_quietly(self) -> None:
        """As `enqueue`, where nobody waits for the outcome: the loop will tell."""
        if self.session.output.is_ready:
            with contextlib.suppress(TransportFail):
                self.enqueue()
