"""What the threads of one connection share: the session, the socket, the lock, the wake-up.

The lock is held for changes, and for a system call that can't wait; never while waiting.
"""

from __future__ import annotations

import contextlib
from time import monotonic
from typing import TYPE_CHECKING, Protocol, TypeVar

from ..errors import TransportFail
from ..session.causes import words
from . import forking
from .holding import asker
from .lock import Lock

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..session.session import Session
    from .transport import Transport

    Traced = Callable[[str, int], None]

    class Waking(Protocol):
        """What ends the wait of a loop."""

        def wake(self) -> None:
            """End it, from any thread. Never blocks, never raises."""

        def close(self, quietly: bool = False) -> None:
            """It will wait no more."""


_NOT_CALM = -1.0
_Item = TypeVar("_Item")


def next_of(waiting: list[_Item]) -> _Item | None:
    """The first that waits, which no other thread then gets; None if nothing does."""
    try:
        return waiting.pop(0)
    except IndexError:
        return None


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
        is_clear: Whether sends may go the short way.
        is_wanted: The loop wants the lock, which is not fair: the short way leaves it free.
        is_owned: Tells whether this thread holds the lock: a signal handler runs between any two
            lines.
        is_idle: The loop's last wait was in vain.
        calm_until: Up to this moment the loop may wait in a read: nothing else is due.
        counts_turns: Whether the session has to know of every read.
        born: The fork generation that the connection belongs to.
    """

    __slots__ = (
        "__weakref__", "_reports", "_traced", "born", "calm_until", "connection",
        "counts_turns", "is_clear", "is_idle", "is_in_use", "is_over", "is_owned", "is_traced",
        "is_wanted", "lock", "output", "session", "transport", "wakeup",
    )  # fmt: skip

    def __init__(self, session: Session, traced: Traced | None = None) -> None:
        self.session = session
        self.connection = session.connection
        self.output = session.output
        self.transport: Transport | None = None
        self.wakeup: Waking | None = None
        self.renew_lock()
        self.is_over = False
        self.is_in_use = False
        self.is_clear = False
        self.is_wanted = False
        self.is_idle = False
        self.calm_until = _NOT_CALM
        self.counts_turns = session.timing.poll == 0
        self.born: int = forking.count
        forking.watch(self)
        self.is_traced = traced is not None
        self._traced = traced
        self._reports: list[tuple[str, int]] = []  # not yet traced

    def renew_lock(self) -> None:
        """A lock that no other thread can hold: in the beginning, and in a child."""
        self.lock = Lock()
        self.is_owned: Callable[[], bool] = asker(self.lock)

    def forked(self) -> None:
        """We are in a child: no message is handed out any more, none goes out."""
        self.connection.due = float("-inf")
        self.calm_until = _NOT_CALM
        self.is_clear = False

    def is_foreign(self) -> bool:
        """Whether the connection belongs to the parent of this process."""
        return self.born != forking.count

    def use(self, transport: Transport) -> None:
        """A socket is connected (lock held)."""
        self.transport = transport
        self.is_clear = not self.is_traced and not self.is_over

    def give_up(self) -> None:
        """This side is done with the connection (lock held)."""
        self.is_over = True
        self.is_clear = False
        self.calm_until = _NOT_CALM

    def look_again(self) -> None:
        """Something waits to be done: the loop is not to read on before it has looked."""
        self.calm_until = _NOT_CALM

    def wake(self) -> None:
        """End the loop's wait: something changed."""
        self.calm_until = _NOT_CALM
        if self.wakeup is not None:
            self.wakeup.wake()

    def note(self, stage: str, length: int) -> None:
        """Remember a write or read for `report`; called where somebody listens (`is_traced`)."""
        if length:
            self._reports.append((stage, length))

    def report(self) -> None:
        """Tell whoever listens what was written and read; no lock and no turn is held."""
        if self._traced is not None:
            while (report := next_of(self._reports)) is not None:
                self._traced(*report)

    def enqueue(self) -> int:
        """Move the session's output to the queue (lock held); where the queue then ends.

        Raises:
            TransportFail: TLS can't encrypt it; the session knows.
        """
        transport = self.transport
        if transport is None:
            return 0
        if self.output.is_ready:
            try:
                transport.enqueue(self.output.take())
            except OSError as error:  # the class of TLS's errors
                self.session.fail(error, "write", monotonic())
                raise TransportFail(f"TLS fail; {words(error)}", cause=error) from error
        return transport.queued

    def enqueue_quietly(self) -> None:
        """As `enqueue`, where nobody waits for the outcome: the loop will tell."""
        if self.output.is_ready:
            with contextlib.suppress(TransportFail):
                self.enqueue()
